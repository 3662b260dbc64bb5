#!/bin/sh
# A hostile jail on FreeBSD: what a probe holds, seen from the host and from
# inside; its jail's root against it, against the attaching, and against the
# daemon; jails and daemons that end at any step.
#
# shellcheck disable=SC1091,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

NCPU=$(sysctl -n hw.ncpu)

# -- what a probe holds ------------------------------------------------------

# The daemon in bad company: nohup's, a terminal's, and worse.
start_badly() {
	daemon_dir d-badly
	"$ATTACK/spy" company "$JAILDAEMON" -D -d -f "$D/sock" -p "$D/pid" \
	    -S "$D/state" </dev/null >"$D/out" 2>"$D/log" &
	DPID=$!
	echo "$DPID" >"$D/daemon"
	wait_for 20 log_has event=start
}

# shows FILE WORDS DESCRIPTION: all of these words are in it.
shows() {
	_missing=
	for _w in $2; do
		tr ' ' '\n' <"$1" | grep -Fqx -e "$_w" ||
		    _missing="$_missing $_w"
	done
	is "$_missing" "" "$3"
	[ -z "$_missing" ] || diag_file "$1"
}

outside() {
	"$ATTACK/spy" look "$1" >"$T/look"
	shows "$T/look" "capmode=1" "in capability mode"
	shows "$T/look" "traceable=0" "tracing is disabled"
	shows "$T/look" "core=0/0 fsize=0/0 nofile=0/0" "limits"
	shows "$T/look" "blocked=0 ignored=0 caught=0" \
	    "no signal is blocked, ignored or caught"
	shows "$T/look" "session=1 group=1 terminal=0 login=<>" \
	    "a session of its own, nobody's, without a terminal"
	shows "$T/look" "nice=0 class=3 protected=0" \
	    "the usual priority, and no protection from the memory killer"
	shows "$T/look" "loginclass=<default> umask=77 cpus=$NCPU" \
	    "login class, umask, processors"
	is "$(ps -o jid= -p "$1" | tr -d ' ')" "$(jail_pid a)" "in the jail"
	like "$(proc_ids "$1")" '^0 0 0 / 0 0 0 /( 0)?$' \
	    "no supplementary group"
	procstat -h -f "$1" >"$T/files"
	is "$(awk '$3 ~ /^[0-9]+$/' "$T/files")" "" "no descriptor"
	is "$(awk '$3 == "cwd" || $3 == "root" || $3 == "jail" {
	    print $NF }' "$T/files" | sort -u)" "$JAIL_ROOT" \
	    "root and folder are the jail's"
	like "$(procstat -h -e "$1" 2>/dev/null)" "^ *$1 [^ ]+ +-\$" "no environment"
	is "$(ps -ww -o args= -p "$1" | sed 's/ (jailprobe)$//')" \
	    "jailprobe: HOLDS" "the title alone"
	unlike "$(procstat -h -v "$1")" 'jaildaemon' "none of the daemon"
	at_most "$(ps -o rss= -p "$1" | tr -d ' ')" 2048 "kB resident"
}

# refuses WHAT COMMAND...: the jail's root gets nothing by it.
refuses() {
	_what=$1
	shift
	peek a "$@" >"$T/refuses" 2>&1
	like "$? $(cat "$T/refuses")" \
	    '^[1-9][0-9]* .*(not permitted|ermission denied|o such file)' \
	    "inside: $_what"
}

inside() {
	peek a /spy look "$1" >"$T/look"
	shows "$T/look" "capmode=1 traceable=0 core=0/0 fsize=0/0 nofile=0/0" \
	    "inside: capability mode, no tracing, limits"
	is "$(peek a ps -ww -o args= -p "$1" | sed 's/ (jailprobe)$//')" \
	    "jailprobe: HOLDS" "inside: the title alone"
	refuses "no truss" truss -o /tmp/truss -p "$1"
	refuses "no ktrace" ktrace -f /tmp/ktrace -p "$1"
	refuses "tracing cannot be turned on" \
	    proccontrol -m trace -s enable -p "$1"
	for _o in e f v k c; do
		like "$(peek a procstat -h "-$_o" "$1" 2>&1)" \
		    'not permitted|^ *[0-9]+ jailprobe +-?$|jailprobe: HOLDS|^$' \
		    "inside: procstat -$_o knows nothing"
	done
	for _f in mem regs fpregs dbregs map osrel note; do
		refuses "no /proc/PID/$_f" cat "/proc/$1/$_f"
	done
	peek a /spy try >"$T/try"
	at_least "$(word probes <"$T/try")" 1 "inside: a spy sees the probe"
	is "$(word gained <"$T/try")" 0 "and gets nothing of it"
	diag_file "$T/try"
}

no_core() {
	ok "arm" arm a CORE "echo x >>$M/core"
	for _s in QUIT SEGV ABRT; do
		peek a pkill "-$_s" -x -f "jailprobe: CORE"
	done
	ok "signals that leave a core end it" \
	    wait_for 5 log_has "event=lost .*id=$(log_id CORE) "
	is "$(find -x "$JAIL_ROOT" / "$T" -name 'jailprobe*core' 2>/dev/null)" \
	    "" "without a core"
}

holds() {
	start_badly || { fail "no daemon"; diag_file "$D/log"; return; }
	ok "arm" arm a HOLDS "{ env; '$ATTACK/spy' look \$\$; } >$M/run"
	_p=$(probe_pid a HOLDS)
	outside "$_p"
	inside "$_p"
	no_core
	ok "HUP" fire a HOLDS
	ok "runs the command" wait_for 5 test -s "$M/run"
	shows "$M/run" "blocked=0 ignored=0 session=1 terminal=0" \
	    "with all signals at their default"
	unlike "$(cat "$M/run")" JDTEST_SECRET "without the daemon's environment"
	rm -f "$M/run"
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	daemon_dir d
}

# The daemon has one processor, by its own choice or by its set, the jail
# another one, or all of them.
processors() {
	[ "$NCPU" -gt 1 ] || { diag "one processor"; return; }
	processors_by ''
	processors_by -c
}

processors_by() {
	jail_start freebsd q || { fail "no jail"; return; }
	daemon_dir d-cpus
	printf '#!/bin/sh\nexec cpuset %s -l 0 "%s" "$@"\n' "$1" \
	    "$JAILDAEMON" >"$T/wrapped"
	chmod +x "$T/wrapped"
	_program=$JAILDAEMON
	JAILDAEMON=$T/wrapped
	daemon_start || fail "no daemon"
	JAILDAEMON=$_program
	ok "arm" arm q CPUS "echo x >>$M/cpus"
	"$ATTACK/spy" look "$(probe_pid q CPUS)" >"$T/look"
	shows "$T/look" "cpus=$NCPU" "a probe may use all that its jail may"
	ok "it is in nobody's way when the jail gets another set" \
	    cpuset -l 1 -j "$(jail_pid q)"
	ok "arm where the daemon may not" arm q CPUS "echo x >>$M/cpus" -r
	ok "HUP" fire q CPUS
	ok "runs the commands" wait_for 5 marked cpus 2
	rm "$M/cpus"
	daemon_stop
	daemon_dir d
	jail_stop q
}

# -- the race ----------------------------------------------------------------

# Each probe is stopped at the first instant at which the jail sees it: some
# still have privileges then, and a folder of the host.
race() {
	_asked=0 _ok=0 _late=0 _ended=$(log_count event=run-end)
	spy a try 600
	wait_for 5 peek a pgrep -x spy
	until [ "$_asked" -ge "$(chosen 100 500)" ] && early_is a 1 ||
	    [ "$_asked" -ge 2000 ]; do
		_asked=$((_asked + 50))
		load_arm a 50 "WATCHED-$_asked" >"$T/load" || _late=1
		[ "$(word max <"$T/load")" -le 5500000 ] || _late=1
		_ok=$((_ok + $(word ok <"$T/load")))
	done
	is "$_late" 0 "arms under the eyes of a spy are answered"
	at_least "$_ok" $((_asked * 9 / 10)) "nine of ten with success"
	spy_ends a
	diag_file "$T/load"
	diag "$_ok of $_asked: $(tail -n 1 "$T/spy.a")"
	at_least "$(spied a halted)" $((_asked / 10)) "probes are stopped"
	[ "$NCPU" -eq 1 ] ||
	    at_least "$(spied a early)" 1 "some before they reported"
	is "$(spied a gained)" 0 "nothing is gained from any"
	peek a pkill -HUP -f "^jailprobe: WATCHED"
	ok "and all can be triggered" wait_for 60 no_probes a
	ok "and run" wait_for 120 more_ended $((_ended + _ok))
	serves "the daemon serves another jail"
}

# A HUP that strikes before the daemon has seen the report counts as well.
at_once() {
	_arms=$(chosen 100 1000)
	_fired=$(log_count event=trigger) _ended=$(log_count event=run-end)
	spy a hup 600
	wait_for 5 peek a pgrep -x spy
	load_arm a "$_arms" ATONCE >"$T/load"
	diag_file "$T/load"
	is "$(word ok <"$T/load")" "$_arms" "each of $_arms probes is armed"
	ok "all are gone" wait_for 10 no_probes a
	spy_ends a
	is "$(spied a hup)" "$_arms" "hung up as soon as the jail saw it"
	ok "and run" wait_for 120 more_ended $((_ended + _arms))
	is $(($(log_count event=trigger) - _fired)) "$_arms" "once each"
}

more_ended() {
	[ "$(log_count event=run-end)" -ge "$1" ]
}

# The same, but what was stopped stays so.
halt() {
	pings 600
	spy a stop 600
	wait_for 5 peek a pgrep -x spy
	_n=1
	_loads=
	while [ "$_n" -le 8 ]; do
		load_arm a 5 "HALT-$_n" >"$T/load.$_n" &
		_loads="$_loads $!"
		_n=$((_n + 1))
	done
	# shellcheck disable=SC2086
	wait $_loads
	diag_file "$T/load.1"
	kill -TERM "$pings"
	wait "$pings" 2>/dev/null
	spy_ends a
	diag "$(tail -n 1 "$T/spy.a")"
	is "$(cat "$T"/load.[1-8] | sed -n 's/.*asked=5 ok=\([0-9]*\) refused=\([0-9]*\) .*/\1 \2/p' |
	    awk '{ n += $1 + $2 } END { print n }')" 40 \
	    "arms of stopped probes are answered"
	at_most "$(cat "$T"/load.[1-8] | tr ' ' '\n' |
	    sed -n 's/^max=//p' | sort -n | tail -n 1)" 5500000 "us at most"
	is "$(spied a gained)" 0 "nothing is gained from any"
	serves "the daemon serves another jail"
	peek a pkill -HUP -f "^jailprobe: HALT"
	peek a pkill -CONT -f "^jailprobe: HALT"
	ok "those that reported can be triggered, others are gone" \
	    wait_for 20 no_probes a
}

# Signals of all kinds to whatever appears.
hammer() {
	_seconds=$(chosen 10 30)
	spy a hammer "$_seconds"
	_end=$(($(date +%s) + _seconds)) _n=0 _late=0
	while [ "$(date +%s)" -lt "$_end" ]; do
		_n=$((_n + 1))
		load_arm a 10 "H-$_n" after >"$T/load" || _late=1
		[ "$(word max <"$T/load")" -le 5500000 ] || _late=1
	done
	is "$_late" 0 "no arm hangs"
	wait_for 20 grep -q hammer= "$T/spy.a"
	diag_file "$T/spy.a"
	at_least "$(spied a hammer)" 10 "probes are hit"
	serves "the daemon serves another jail"
	ok "no zombie is left" wait_for 10 no_zombies
}

# The processes that the jail may have are used up.
starve() {
	[ "$(sysctl -n kern.racct.enable 2>/dev/null)" = 1 ] ||
	    { diag "kern.racct.enable is not set"; return; }
	_rule=jail:$(jail_name a):maxproc:deny
	ok "a jail may have ten processes" rctl -a "$_rule=10"
	spy a fork 20
	ok "it has them" wait_for 10 grep -q full= "$T/spy.a"
	load_arm a 3 STARVE >"$T/load"
	is "$(word ok <"$T/load")" 3 "it can still be armed"
	serves "and so can another jail"
	peek a pkill -HUP -f '^jailprobe: STARVE'
	spy_ends a
	rctl -r "$_rule=10"
}

# -- what ends at any step ---------------------------------------------------

# A jail that comes and goes, by its name, as fast as jail(8) can.
come_and_go() {
	while [ -e "$T/going" ]; do
		jail -c name="$JAIL_RUN-c" path="$JAIL_ROOT" persist
		[ $((_turn = (_turn + 1) % 4)) -eq 0 ] || sleep "0.0$_turn"
		jail -r "$JAIL_RUN-c"
	done >/dev/null 2>&1
	jail -r "$JAIL_RUN-c" 2>/dev/null
}

removal() {
	: >"$T/going"
	_turn=0
	come_and_go &
	_going=$!
	_seconds=$(chosen 10 60) _asked=0 _ok=0 _refused=0 _late=0
	_end=$(($(date +%s) + _seconds))
	while [ "$(date +%s)" -lt "$_end" ]; do
		load arm "$D/sock" "$JAIL_RUN-c" 4 "C-$_asked" after \
		    >"$T/load" || _late=1
		_asked=$((_asked + 4))
		_ok=$((_ok + $(word ok <"$T/load")))
		_refused=$((_refused + $(word refused <"$T/load")))
		[ "$(word max <"$T/load")" -le 5500000 ] || _late=1
		sed -n 's/^# .*"error":"\(.*\)"}$/\1/p' "$T/load" >>"$T/words"
	done
	rm "$T/going"
	wait "$_going"
	is "$_late" 0 "no arm in a jail that comes and goes hangs"
	is $((_ok + _refused)) "$_asked" "$_asked are answered"
	at_least "$_ok" 1 "some by success"
	at_least "$_refused" 1 "and some by words"
	diag "$_ok armed, $_refused refused, the last of each four with"
	sort "$T/words" | uniq -c >"$T/words.all"
	diag_file "$T/words.all"
	unlike "$(cat "$T/words")" 'unknown|not one of a probe' "known ones"
	ok "the jail ends" wait_for 10 not jls -j "$JAIL_RUN-c" jid
	ok "and does not linger" wait_for 10 not lingers "$JAIL_RUN-c"
	is "$(pgrep -f '^jailprobe: C-')" "" "no probe outlives its jail"
	ok "its actions end" wait_for 30 log_has 'event=jail-ended .*jail=.*-c"'
	serves "the daemon serves another jail"
}

# A dying jail: something holds on to what is left of it.
lingers() {
	jls -d name | grep -Fqx -e "$1"
}

# The daemon is killed while it arms.
killed() {
	daemon_dir d-killed
	daemon_start || { fail "no daemon"; return; }
	ok "arm" arm a RUN "echo start >>$M/outlive
	    while [ ! -e $M/outlive.go ] && [ -d $M ]; do sleep 0.1; done
	    echo end >>$M/outlive"
	ok "HUP" fire a RUN
	ok "a run" wait_for 5 marked outlive 1
	_rounds=$(chosen 10 50) _round=0 _left=0 _armed=0
	while [ "$_round" -lt "$_rounds" ]; do
		load_arm a 100 "KILLED-$_round" >"$T/load" 2>&1 &
		sleep "0.$((_round % 10))"
		! pgrep -f '^jailprobe: KILLED' >/dev/null || _armed=$((_armed + 1))
		daemon_kill9
		wait $!
		# Also one that has no name yet.
		wait_for 5 not pgrep -f '^jailprobe: KILLED' ||
		    _left=$((_left + 1))
		_round=$((_round + 1))
		daemon_start || break
	done
	is "$_round" "$_rounds" "a daemon is killed while it arms, and another starts"
	at_least "$_armed" 1 "it had probes"
	is "$_left" 0 "none is left, neither in the jail nor on the host"
	is "$(mark outlive)" 1 "a run goes on"
	: >"$M/outlive.go"
	ok "to its end" wait_for 5 marked outlive 2
	daemon_stop
	daemon_dir d
}

# A jail without persist: whoever arms is warned, and what is said is true.
persist() {
	jail -c name="$JAIL_RUN-p" path="$JAIL_ROOT" \
	    command=/bin/sh -c 'sleep 3 &' 2>"$T/p"
	_jid=$(jls -j "$JAIL_RUN-p" jid)
	jd -c "echo x >>$M/persist" -j "$JAIL_RUN-p" -t PERSIST >"$T/p.out" \
	    2>"$T/p.err"
	is "$?" 0 "a jail that is not persistent is armed"
	is "$(cat "$T/p.out")" "" "without a word on stdout"
	ok "but with a warning" one_line_like "$T/p.err" \
	    'warning: the jail is not persistent'
	ok "which the log has, too" log_has 'event=warning .*not persistent'
	ok "its last process ends" wait_for 10 not pgrep -j "$_jid" -x sleep
	ok "the probe keeps it alive" stays 1 jls -j "$JAIL_RUN-p" jid
	ok "HUP" pkill -HUP -j "$_jid" -x jailprobe
	ok "runs the command" wait_for 5 marked persist 1
	ok "and lets the jail end" wait_for 10 not jls -j "$JAIL_RUN-p" jid
	jd -c : -j "$(jail_id a)" -t PERSISTS >"$T/p.out" 2>&1
	is "$? $(cat "$T/p.out")" "0 " "no warning where it is persistent"
	fire a PERSISTS
}

# The stub is a file here: whoever could write to it would be root.
program() {
	daemon_dir d-program
	mkdir "$T/program"
	cp "$JAILDAEMON" "${JAILDAEMON%/*}/jailprobe" "$T/program/"
	_program=$JAILDAEMON
	JAILDAEMON=$T/program/jaildaemon
	for _change in "chmod 775" "chmod 757" "chown 1001"; do
		$_change "$T/program/jailprobe"
		ok "no daemon starts with a stub after $_change" refused 71 \
		    "$T/program/jailprobe: Operation not permitted" -D -d \
		    -f "$D/sock" -p "$D/pid" -S "$D/state"
		chmod 755 "$T/program/jailprobe"
		chown 0 "$T/program/jailprobe"
	done
	daemon_start || fail "no daemon"
	JAIL_ROOT=/
	jail_start freebsd w
	JAIL_ROOT=$T/root
	ok "arm in a jail that has the stub's file" arm w PROGRAM \
	    "echo x >>$M/program" -r
	nok "its root cannot write to it" \
	    jexec "$(jail_name w)" sh -c "echo x >>'$T/program/jailprobe'"
	nok "nor empty it" \
	    jexec "$(jail_name w)" sh -c ": >'$T/program/jailprobe'"
	ok "arm again" arm w PROGRAM "echo y >>$M/program"
	chmod 775 "$T/program/jailprobe"
	ok "what others may write to later is not executed either" \
	    refused 75 'Operation not permitted' -f "$D/sock" -c : \
	    -j "$(jail_id a)"
	chmod 755 "$T/program/jailprobe"
	ok "HUP" fire w PROGRAM
	ok "runs the commands" wait_for 5 marked program 2
	jail_stop w
	daemon_stop
	JAILDAEMON=$_program
	daemon_dir d
}

# Jails in jails: the outer one's root may what the manual says, and the host
# of a jail need not be the system.
nested() {
	_outer=$JAIL_RUN-n _inner=$JAIL_RUN-n.i
	jail -c name="$_outer" path="$JAIL_ROOT" persist children.max=2
	jexec "$_outer" jail -c name=i path=/ persist ||
	    { fail "no jails"; return; }
	ok "arm in the outer jail" jd -c "echo x >>$M/outer" -j "$_outer" \
	    -t OUTER
	ok "and in the inner one" jd -c "echo x >>$M/inner" -j "$_inner" \
	    -t INNER
	nok "the inner one does not see the outer one's probe" \
	    jexec "$_inner" pgrep -f '^jailprobe: OUTER'
	jexec "$_outer" /spy try >"$T/try"
	is "$(word probes <"$T/try")" 2 "the outer one sees both"
	is "$(word gained <"$T/try")" 0 "and gets nothing of them"
	ok "but may hang them up" jexec "$_outer" pkill -HUP -x jailprobe
	ok "which runs the command of one" wait_for 5 marked inner 1
	ok "and of the other" wait_for 5 marked outer 1
	mkdir -m 700 "$JAIL_ROOT/daemon"
	cp "$JAILDAEMON" "${JAILDAEMON%/*}/jailprobe" "$JAIL_ROOT/daemon/"
	ok "a daemon in the outer jail starts" jexec "$_outer" \
	    /daemon/jaildaemon -D -f /daemon/sock -p /daemon/pid
	ok "and arms the inner one" jexec "$_outer" /daemon/jaildaemon \
	    -f /daemon/sock -c 'echo x >>/daemon/mark' -j i -t NESTED
	ok "whose HUP" jexec "$_inner" pkill -HUP -x -f 'jailprobe: NESTED'
	ok "runs the command" wait_for 5 test -s "$JAIL_ROOT/daemon/mark"
	jexec "$_outer" /daemon/jaildaemon -f /daemon/sock -c : \
	    -j "$(jail_pid a)" >"$T/nested" 2>&1
	is "$?" 68 "it knows of no jail beside it"
	jail -r "$_outer"
	ok "all of it ends" wait_for 10 not lingers "$_outer"
	rm -r "$JAIL_ROOT/daemon"
}

# A jail is its number and its name: under another name it has ended.
renamed() {
	jail -c name="$JAIL_RUN-o" path="$JAIL_ROOT" persist
	ok "arm with -r" jd -c "echo x >>$M/renamed" -j "$JAIL_RUN-o" \
	    -t RENAMED -r
	ok "the jail gets another name" jail -m \
	    jid="$(jls -j "$JAIL_RUN-o" jid)" name="$JAIL_RUN-r"
	ok "HUP" jexec "$JAIL_RUN-r" pkill -HUP -x jailprobe
	ok "runs the command" wait_for 5 marked renamed 1
	ok "then the action has ended" \
	    wait_for 5 log_has "event=jail-ended .*jail=\"$JAIL_RUN-o\""
	nok "there is no further probe" pgrep -f '^jailprobe: RENAMED'
	jail -r "$JAIL_RUN-r"
}

# Root alone may attach to a jail.
unprivileged() {
	mkdir -m 700 "$T/d-user"
	chown 1001 "$T/d-user"
	chroot -u 1001 -g 1001 / "$JAILDAEMON" -D -d -f "$T/d-user/sock" \
	    -p "$T/d-user/pid" -S "$T/d-user/state" </dev/null \
	    >"$T/d-user/log" 2>&1 &
	_user=$!
	echo "$_user" >"$T/d-user/daemon"
	wait_for 10 grep -q event=start "$T/d-user/log"
	ok "another user's daemon is refused by the kernel" refused 77 \
	    'could not enter the jail: Operation not permitted' \
	    -f "$T/d-user/sock" -c : -j "$(jail_id a)"
	kill "$_user"
	wait "$_user"
}

# Who traces the daemon with its children gets no probe, and is told why.
traced() {
	ktrace -i -f "$T/ktrace.out" -p "$DPID"
	ok "a traced daemon is refused by its stub" refused 71 \
	    'could not make itself untraceable: Device busy' \
	    -f "$D/sock" -c : -j "$(jail_id a)"
	# Of a process alone it would not clear the inheriting.
	ktrace -c -f "$T/ktrace.out"
	ok "no longer traced it can arm" arm a TRACED :
	ok "HUP" fire a TRACED
}

# -- all is back where it was ------------------------------------------------

back() {
	jail_end a
	ok "the jail ends at once" wait_for 5 not jail_alive a
	ok "and does not linger" wait_for 5 not lingers "$(jail_name a)"
	ok "descriptors are back" wait_for 30 fds_at_most "$fds"
	[ ! -e "$T/fds" ] || fds_at_most "$fds" || diag_file "$T/fds"
	ok "children too" wait_for 10 children_are 0
	[ "$SLOWER" -gt 1 ] || at_most "$(daemon_rss)" $((rss + 8192)) \
	    "memory is, but for the heap's"
}

fds_at_most() {
	[ "$(daemon_fds)" -le "$1" ] || {
		procstat -h -f "$DPID" >"$T/fds"
		return 1
	}
}

if ! spy_root || ! jail_start freebsd a || ! jail_start freebsd b; then
	fail "no jails"
	done_testing
fi
daemon_dir d
daemon_start || fail "no daemon"
# What is used for the first time takes its time.
ok "arm" arm b FIRST :
ok "HUP" fire b FIRST
serves "the daemon works"
fds=$(daemon_fds) rss=$(daemon_rss)
[ $# -gt 0 ] || set -- holds processors race at_once halt hammer starve removal killed \
    persist program nested renamed unprivileged traced back
for part; do
	tap_group=$part
	"$part"
done
tap_group=
daemon_stop
is "$?" 0 "the daemon ends in order"
unlike "$(cat "$D/log")" "event=bug" "with nothing to confess"
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
