# cases.sh - the one table of cases that every kind of jail goes through
#
# cases_run KIND runs all of it against jails of that kind: the jail "a" for
# all cases, "b" where a case needs a second one.  Each case starts with a
# daemon that runs and leaves one that runs; its titles are its own.
#
# shellcheck shell=sh disable=SC2016,SC2034,SC2154,SC3045

# The last two end the daemon and the jail.
CASES="
	single
	after
	now
	both
	shown
	untitled
	names
	ids
	ids_alone
	unmapped
	place
	signals
	lost
	duplicate
	environment
	descriptors
	output
	titles
	commands
	two_jails
	outlives
	orderly
	jail_ends
"

cases_run() {
	kind=$1
	tap_group=$kind
	_lack=$(jail_missing "$kind")
	if [ -n "$_lack" ]; then
		skip "$kind: no $_lack"
		return
	fi
	rm -rf "${M:?}"/*
	daemon_dir "d-$kind"
	if jail_start "$kind" a && daemon_start; then
		for case in ${CASES_ONLY:-$CASES}; do
			tap_group="$kind $case"
			alive "$DPID" || daemon_start || {
				fail "no daemon for this case"
				continue
			}
			_before=$tap_failed
			_lines=$(($(lines <"$D/log") + 1))
			"case_$case"
			# The first case goes the long way each time.
			[ -n "$JAIL_CONSOLE" ] || jail_console a
			[ "$tap_failed" -eq "$_before" ] ||
			    diag_log "$_lines"
		done
		tap_group=$kind
		daemon_stop
		is "$?" 0 "the daemon ends in order"
		unlike "$(cat "$D"/log "$D"/log.old 2>/dev/null)" "Sanitizer|runtime error|event=bug" \
		    "the daemon has nothing to confess"
	else
		fail "no jail, or no daemon"
	fi
	jail_cleanup
	is "$(jail_leftovers)" "" "nothing is left"
	tap_group=
}

# -- help ------------------------------------------------------------------

# A command that says when it starts and runs until $M/NAME.go is there, or
# the test is not any more.
waiting_command() {
	echo "echo start >>$M/$1
	    while [ -d $M ] && [ ! -e $M/$1.go ]; do sleep 0.05; done"
}

# diag_log LINE: the daemon's log from there on.
diag_log() {
	tail -n "+$1" "$D/log" >"$T/diag.log"
	diag_file "$T/diag.log"
}

# Where a uid of the jail is on the host.
host_id() {
	case $kind in
	*-userns)	echo $((JAIL_SUBID + $1)) ;;
	*)		echo "$1" ;;
	esac
}

# proc_ids PID: real, effective and saved uid, then gid, then the other
# groups: "0 0 0 / 0 0 0 / ".
proc_ids() {
	case $JAIL_OS in
	Linux)
		awk '/^Uid:/ { print $2, $3, $4, "/" }
		     /^Gid:/ { print $2, $3, $4, "/" }
		     /^Groups:/ { $1 = ""; print }' "/proc/$1/status"
		;;
	FreeBSD)
		# PID COMM EUID RUID SVUID EGID RGID SVGID UMASK FLAGS GROUPS;
		# the effective group is the first of the groups there.
		procstat -h -s "$1" | awk '{
			gsub(" -2", " 4294967294")
			print $4, $3, $5, "/", $7, $6, $8, "/";
			if ($11 != $6)
				print $11
		}'
		;;
	esac | tr -s '\n ' '  ' | sed 's/ *$//'
}

# The signals whose default is not to end a process, by name as kill -l has
# them.
harmless() {
	case $JAIL_OS:$(kill -l "$1" 2>/dev/null) in
	*:CHLD|*:CONT|*:STOP|*:TSTP|*:TTIN|*:TTOU|*:URG|*:WINCH)	return 0 ;;
	FreeBSD:INFO|FreeBSD:IO)	return 0 ;;
	esac
	return 1
}

# -- the life of an action -------------------------------------------------

case_single() {
	out=$(jd -c "echo x >>$M/single" -j "$(jail_id a)" -t SINGLE 2>&1)
	is "$? $out" "0 " "arming by the jail's id is silent"
	ok "the probe is there at once" \
	    jail_exec a pgrep -x -f "jailprobe: SINGLE"
	ok "log: arm" log_has 'event=arm .*title="SINGLE"'
	ok "HUP" fire a SINGLE
	ok "the command ran" wait_for 5 marked single 1
	nok "a second HUP finds nobody" fire a SINGLE
	id=$(log_id SINGLE)
	ok "log: trigger" wait_for 5 log_has "event=trigger .*id=$id( |\$)"
	ok "log: end of the run" \
	    wait_for 5 log_has "event=run-end .*id=$id .*status=0"
	ok "it ran once" test "$(mark single)" -eq 1
	nok "nobody came back" probe_pid a SINGLE
}

case_after() {
	respawns_after AFTER -r
}

respawns_after() {
	ok "arm" arm a "$1" "$(waiting_command "$1")" "$2"
	ok "HUP" fire a "$1"
	ok "the command runs" wait_for 5 marked "$1" 1
	nok "nobody to signal while it runs" fire a "$1"
	nok "nor a little later" wait_for 0 probe_pid a "$1"
	: >"$M/$1.go"
	ok "the probe comes back after the run" wait_for 5 probe_pid a "$1"
	id=$(log_id "$1")
	ok "log: re-arm" wait_for 5 log_has "event=rearm .*id=$id( |\$)"
	ok "HUP again" fire a "$1"
	ok "the command ran again" wait_for 5 marked "$1" 2
	ok "and again the probe comes back" wait_for 5 probe_pid a "$1"
	is "$(probe_pid a "$1" | lines)" 1 "only one"
}

case_now() {
	respawns_now NOW -R
}

case_both() {
	respawns_now BOTH -r -R
}

respawns_now() {
	_t=$1
	shift
	ok "arm" arm a "$_t" "$(waiting_command "$_t")" "$@"
	ok "HUP" fire a "$_t"
	ok "the command runs" wait_for 5 marked "$_t" 1
	ok "the probe comes back beside it" wait_for 5 probe_pid a "$_t"
	nok "the run has not ended" \
	    log_has "event=run-end .*id=$(log_id "$_t") "
	ok "HUP again" fire a "$_t"
	ok "a second run beside the first" wait_for 5 marked "$_t" 2
	: >"$M/$_t.go"
	ok "both end" wait_for 5 runs_ended "$(log_id "$_t")" 2
}

runs_ended() {
	[ "$(log_count "event=run-end .*id=$1 .*status=0")" -ge "$2" ]
}

case_lost() {
	ok "arm a single shot" arm a LOST "echo x >>$M/lost"
	ok "arm with -r" arm a LOST_R "echo x >>$M/lost.r" -r
	ok "TERM" jail_exec a pkill -TERM -x -f "jailprobe: LOST"
	_then=$(date +%s)
	ok "KILL" jail_exec a pkill -KILL -x -f "jailprobe: LOST_R"
	id=$(log_id LOST)
	ok "log: lost" wait_for 5 log_has "event=lost .*id=$id( |\$)"
	ok "log: lost, with -r" \
	    wait_for 5 log_has "event=lost .*id=$(log_id LOST_R)( |\$)"
	ok "with -r the probe comes back" wait_for 20 probe_pid a LOST_R
	ok "but not at once" test $(($(date +%s) - _then)) -ge 1
	nok "a single shot does not" probe_pid a LOST
	is "$(mark lost) $(mark lost.r)" "0 0" "nothing was run"
	ok "HUP" fire a LOST_R
	ok "runs the command still" wait_for 5 marked lost.r 1
}

case_duplicate() {
	one="echo one >>$M/duplicate"
	first=$(arm a DOUBLE "$one" -v -R)
	like "$first" '[0-9]' "arming with -v tells the id"
	is "$(arm a DOUBLE "$one" -v -R)" "$first" \
	    "arming the same again gives the same id"
	is "$(probe_pid a DOUBLE | lines)" 1 "and no second probe"
	other=$(arm a DOUBLE "echo two >>$M/duplicate" -v -R)
	unlike "$other" "^$first\$" "another command is another action"
	is "$(probe_pid a DOUBLE | lines)" 2 "with its own probe"
	arm a DOUBLE "$one" -r
	is "$(probe_pid a DOUBLE | lines)" 3 \
	    "and so is another mode"
	ok "one pkill reaches all" fire a DOUBLE
	ok "and all run" wait_for 5 marked duplicate 3
	is "$(sort "$M/duplicate" | tr '\n' ' ')" "one one two " "once each"
}

# Each signal to a probe of its own: only HUP runs anything, and what lives
# on still works.
case_signals() {
	_n=1 _armed=0
	while [ "$_n" -le 64 ]; do
		arm a "S$_n" "echo $_n >>$M/signals" && _armed=$((_armed + 1))
		_n=$((_n + 1))
	done
	is "$_armed" 64 "64 probes"
	_send=$JAIL_PS' -ax -ww -o pid= -o args= | while read -r pid name title; do
		case $name$title in
		jailprobe:S[0-9]*)
			title=${title%% *}
			kill -"${1:-${title#S}}" "$pid" ;;
		esac
	done'
	ok "signal N to the probe N" jail_exec a sh -c "$_send"
	ok "HUP runs its command" wait_for 5 marked signals 1
	_deadly=0 _alive='' _harmless=''
	_n=1
	while [ "$_n" -le 64 ]; do
		if harmless "$_n"; then
			_harmless="$_harmless $_n"
		else
			_deadly=$((_deadly + 1))
		fi
		_n=$((_n + 1))
	done
	ok "the deadly ones are lost" wait_for 10 signals_lost $((_deadly - 1))
	for _n in $(jail_exec a "$JAIL_PS" -ax -ww -o args= |
	    sed -n 's/^jailprobe: S\([0-9]*\).*/\1/p' | sort -n); do
		_alive="$_alive $_n"
	done
	is "$_alive" "$_harmless" "the harmless ones are not"
	is "$(cat "$M/signals")" 1 "nothing else was run"
	ok "HUP to those that live" jail_exec a sh -c "$_send" sh HUP
	jail_exec a sh -c "$_send" sh CONT
	# shellcheck disable=SC2086
	set -- 1 $_harmless
	ok "runs their commands" wait_for 5 marked signals $#
	is "$(sort -n "$M/signals" | tr '\n' ' ')" "$* " "once each"
	is "$(signals_alive)" 0 "and all are gone"
}

signals_alive() {
	jail_exec a "$JAIL_PS" -ax -ww -o args= | grep -c '^jailprobe: S[0-9]'
}

signals_lost() {
	_ids=$(sed -n 's/.*event=arm .*id=\([0-9]*\) .*title="S[0-9]*".*/\1/p' \
	    "$D/log" | tr '\n' '|')
	[ "$(log_count "event=lost .*id=(${_ids}x)( |\$)")" -ge "$1" ]
}

# -- how a probe looks -----------------------------------------------------

case_shown() {
	ok "arm" arm a "SHOWN title" "echo \"\$JAILDAEMON_TITLE\" >>$M/shown" -r
	ok "ps shows the title" shown_in_ps args= "jailprobe: SHOWN title"
	ok "the process is named jailprobe" shown_in_ps comm= jailprobe
	ok "pkill -f by the title alone" jail_exec a pkill -HUP -f "SHOWN title"
	ok "reaches it" wait_for 5 marked shown 1
	ok "it comes back" wait_for 5 probe_pid a "SHOWN title"
	ok "a shell's kill" jail_exec a sh -c \
	    'kill -HUP $(pgrep -x -f "jailprobe: SHOWN title")'
	ok "reaches it too" wait_for 5 marked shown 2
	is "$(sort -u "$M/shown")" "SHOWN title" "the command knows the title"
}

shown_in_ps() {
	jail_exec a "$JAIL_PS" -ax -ww -o "$1" |
	    sed "s/ *\$//; s/ (jailprobe)\$//" | grep -Fx -e "$2"
}

case_untitled() {
	ok "arm without -t" jd -c "echo \"<\$JAILDAEMON_TITLE>\" >>$M/untitled" \
	    -j "$(jail_id a)"
	ok "it shows as jailprobe" shown_in_ps args= jailprobe
	ok "HUP" jail_exec a pkill -HUP -x -f jailprobe
	ok "runs the command" wait_for 5 marked untitled 1
	is "$(cat "$M/untitled")" "<>" "with an empty title"
}

# Another process of the jail than its first, on the host's side.
another_process() {
	_other=
	for _p in $(pgrep -x -f "sleep 4321"); do
		[ "$(readlink "/proc/$_p/ns/pid")" != \
		    "$(readlink "/proc/$(jail_pid a)/ns/pid")" ] || _other=$_p
	done
	[ -n "$_other" ] && echo "$_other"
}

# Every way to name the jail leads to it.
case_names() {
	case $kind in
	freebsd|docker*|podman*|lxc*|incus*|runc*)
		ok "a plain name" jd -c "echo \"\$JAILDAEMON_JAIL\" >>$M/names" \
		    -j "$(jail_name a)" -t PLAIN
		ok "the probe is there" probe_pid a PLAIN
		ok "HUP" fire a PLAIN
		ok "runs the command" wait_for 5 marked names 1
		is "$(cat "$M/names")" "$(jail_name a)" \
		    "which knows the jail's name"
		like "$(grep event=arm "$D/log" | grep PLAIN)" \
		    "jail=\"?$(jail_name a)" "the log has the name"
		;;
	esac
	[ "$JAIL_OS" = Linux ] || return
	# Another process than the first one stands for the same jail.
	(jail_exec_new a sleep 4321 </dev/null || :) 2>/dev/null &
	wait_for 5 another_process
	_pid=$(another_process)
	ok "the pid of any process" jd -c "echo x >>$M/other" -j "$_pid" \
	    -t OTHER -r
	ok "the same by the first" jd -c "echo x >>$M/other" \
	    -j "$(jail_pid a)" -t OTHER -r
	is "$(probe_pid a OTHER | lines)" 1 "are one action"
	kill "$_pid"
	ok "it does not end with that process" stays 1 probe_pid a OTHER
}

case_ids() {
	ok "arm for uid 1000" arm a IDS "echo x >>$M/ids" -u 1000 -g 1000 -r
	ok "and one for root" arm a ROOT "echo x >>$M/root" -r
	_u=$(host_id 1000)
	like "$(proc_ids "$(probe_pid a IDS)")" \
	    "^$_u $_u $_u / $_u $_u $_u /( $_u)?\$" "all its ids and groups"
	_u=$(host_id 0)
	like "$(proc_ids "$(probe_pid a ROOT)")" \
	    "^$_u $_u $_u / $_u $_u $_u /( $_u)?\$" "all root's"
	ok "uid 1000 may HUP its probe" \
	    jail_exec_as 1000 a pkill -HUP -x -f "jailprobe: IDS"
	ok "which runs the command" wait_for 5 marked ids 1
	ok "it comes back" wait_for 5 probe_pid a IDS
	ok "root may as well" fire a IDS
	ok "which runs the command again" wait_for 5 marked ids 2
	nok "uid 1000 may not HUP root's" \
	    jail_exec_as 1000 a pkill -HUP -x -f "jailprobe: ROOT"
	ok "root may" fire a ROOT
	ok "and only that ran" wait_for 5 marked root 1
	is "$(mark root)" 1 "once"
}

case_ids_alone() {
	ok "-u without -g" arm a ALONE_U : -u 1001
	_u=$(host_id 1001) _g=$(host_id 0)
	like "$(proc_ids "$(probe_pid a ALONE_U)")" \
	    "^$_u $_u $_u / $_g $_g $_g /( $_g)?\$" "leaves root's group"
	ok "-g without -u" arm a ALONE_G : -g 1002
	_u=$(host_id 0) _g=$(host_id 1002)
	like "$(proc_ids "$(probe_pid a ALONE_G)")" \
	    "^$_u $_u $_u / $_g $_g $_g /( $_g)?\$" "leaves root's uid"
	ok "both end" jail_exec a pkill -HUP -f "^jailprobe: ALONE_"
}

case_unmapped() {
	_jid=$(jail_pid a)
	case $kind in
	*-userns)
		jd -c : -j "$_jid" -t UNMAPPED -u 70000 2>"$T/unmapped"
		like $? '^(65|71)$' "an unmapped uid is refused"
		ok "in one line" one_line_like "$T/unmapped" 70000
		ok "which shows the map" \
		    one_line_like "$T/unmapped" "0-65535"
		jd -c : -j "$_jid" -t UNMAPPED -g 70000 2>"$T/unmapped"
		like $? '^(65|71)$' "an unmapped gid is refused"
		ok "in one line, too" one_line_like "$T/unmapped" 70000
		nok "no probe is left" probe_pid a UNMAPPED
		ok "log: refusal" log_has event=refuse
		ok "the last mapped one" jd -c : -j "$_jid" -t UNMAPPED \
		    -u 65535 -g 65535
		;;
	*)
		ok "the highest ids" jd -c : -j "$_jid" -t UNMAPPED \
		    -u 4294967294 -g 4294967294
		;;
	esac
	_u=$(proc_ids "$(probe_pid a UNMAPPED)")
	case $kind in
	*-userns)	like "$_u" "^$(host_id 65535) " "arrive" ;;
	*)		like "$_u" "^4294967294 " "arrive" ;;
	esac
	ok "root may HUP it" fire a UNMAPPED
}

# A probe is where the jail's own processes are, and has nothing.
case_place() {
	ok "arm" arm a PLACE :
	_p=$(probe_pid a PLACE)
	if [ "$JAIL_OS" = FreeBSD ]; then
		is "$(ps -o jid= -p "$_p" | tr -d ' ')" "$(jail_pid a)" \
		    "in the jail"
		is "$(procstat -h -f "$_p" | grep -c ' [0-9][0-9]* [vsp] ')" 0 \
		    "no descriptor"
		fire a PLACE
		return
	fi
	_init=$(jail_pid a)
	for _n in pid mnt ipc uts net user cgroup; do
		is "$(readlink "/proc/$_p/ns/$_n")" \
		    "$(readlink "/proc/$_init/ns/$_n")" "$_n namespace"
	done
	is "$(cat "/proc/$_p/cgroup")" "$(cat "/proc/$_init/cgroup")" \
	    "control groups"
	is "$(cat "/proc/$_p/oom_score_adj")" \
	    "$(cat "/proc/$_init/oom_score_adj")" "OOM score"
	ok "root" test "/proc/$_p/root/" -ef "/proc/$_init/root/"
	ok "working folder" test "/proc/$_p/cwd/" -ef "/proc/$_init/root/"
	is "$(find "/proc/$_p/fd" -type l | lines)" 0 "no descriptor"
	is "$(wc -c <"/proc/$_p/environ")" 0 "no environment"
	is "$(sed -n 's/^Cap[A-Z][a-z]*:[[:space:]]*//p' "/proc/$_p/status" |
	    sort -u)" 0000000000000000 "no capability"
	is "$(awk '/^NoNewPrivs:/ { n = $2 } /^Seccomp:/ { s = $2 }
	    END { print n, s }' "/proc/$_p/status")" "1 2" \
	    "no new privileges, and seccomp"
	is "$(awk '/^Sig(Blk|Ign|Cgt):/ { print $2 }' "/proc/$_p/status" |
	    sort -u)" 0000000000000000 "all signals at their default"
	is "$(ps -o sid= -p "$_p" | tr -d ' ')" "$_p" "a session of its own"
	fire a PLACE
}

# -- the command -----------------------------------------------------------

case_environment() {
	ok "arm" arm a "ENV title" "env >$M/env; umask >$M/umask; pwd >$M/pwd
		for s in HUP INT PIPE TERM USR1 ALRM; do
			sh -c \"kill -\$s \\\$\\\$; echo \$s >>$M/survived\"
		done
		ulimit -n >$M/nofile
		cat >$M/stdin; ps -o sid= -p \$\$ >$M/sid; echo \$\$ >$M/pid
		echo done >$M/env.done"
	ok "HUP" fire a "ENV title"
	ok "runs the command" wait_for 5 marked env.done 1
	# What a shell adds of its own is not ours.
	is "$(sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p' "$M/env" |
	    grep -Evx 'PWD|OLDPWD|SHLVL|_|JAILDAEMON_JAIL' | sort | tr '\n' ' ')" \
	    "HOME JAILDAEMON_ID JAILDAEMON_JID JAILDAEMON_TITLE LANG LOGNAME PATH SHELL USER " \
	    "a clean environment"
	is "$(sed -n 's/^JAILDAEMON_ID=//p' "$M/env")" "$(log_id "ENV title")" \
	    "JAILDAEMON_ID"
	is "$(sed -n 's/^JAILDAEMON_JID=//p' "$M/env")" "$(jail_pid a)" \
	    "JAILDAEMON_JID"
	is "$(sed -n 's/^JAILDAEMON_TITLE=//p' "$M/env")" "ENV title" \
	    "JAILDAEMON_TITLE"
	is "$(sed -n 's/^USER=//p' "$M/env") $(sed -n 's/^LOGNAME=//p' "$M/env")" \
	    "root root" "USER and LOGNAME"
	for _d in /sbin /bin /usr/sbin /usr/bin /usr/local/sbin \
	    /usr/local/bin; do
		like ":$(sed -n 's/^PATH=//p' "$M/env"):" ":$_d:" "PATH has $_d"
	done
	like "$(cat "$M/umask")" '^0*22$' "umask"
	is "$(cat "$M/pwd")" / "working folder"
	ok "stdin is empty" test ! -s "$M/stdin"
	is "$(tr -d ' ' <"$M/sid")" "$(cat "$M/pid")" "a session of its own"
	is "$(cat "$M/survived" 2>/dev/null)" "" "signals are at their default"
	_limit=$(ulimit -n)
	if [ "$JAIL_OS" = FreeBSD ]; then
		# No process can have more, whatever its limit says.
		_most=$(sysctl -n kern.maxfilesperproc)
		[ "$_limit" -le "$_most" ] || _limit=$_most
	fi
	is "$(cat "$M/nofile")" "$_limit" "the descriptor limit is as it was"
}

# is_not_listed ID: its output is in the log by then.
is_not_listed() {
	! "$JAILDAEMON" list -f "$D/sock" -J | grep -q "\"id\":$1,"
}

case_descriptors() {
	# Without a redirection, for which a shell would keep descriptors.
	case $JAIL_OS in
	Linux)	_list='ls -l /proc/$$/fd; exit' ;;
	FreeBSD) _list='procstat -h -f $$; exit' ;;
	esac
	ok "arm" arm a FDS "$_list"
	ok "HUP" fire a FDS
	_id=$(log_id FDS)
	ok "runs the command" wait_for 5 runs_ended "$_id" 1
	wait_for 5 is_not_listed "$_id"
	grep "event=output .*id=$_id " "$D/log" >"$T/fds"
	case $JAIL_OS in
	Linux)
		is "$(sed -n 's/.* \([0-9]*\) -> .*/\1/p' "$T/fds" | sort -n |
		    tr '\n' ' ')" "0 1 2 " "only descriptors 0 to 2"
		like "$(grep ' 0 -> ' "$T/fds")" ' /dev/null"$' \
		    "stdin is /dev/null"
		;;
	FreeBSD)
		is "$(sed 's/.*text="//' "$T/fds" |
		    awk '$3 ~ /^[0-9]+$/ { print $3 }' | sort -n |
		    tr '\n' ' ')" "0 1 2 " "only descriptors 0 to 2"
		;;
	esac
}

case_output() {
	# shellcheck disable=SC2016
	ok "arm" arm a OUTPUT 'echo one; printf "two \033[31mred\a\n" >&2
		printf "%s\n" "\"quoted\" \\ back"; printf "last"'
	ok "HUP" fire a OUTPUT
	_id=$(log_id OUTPUT)
	ok "log: the first line" \
	    wait_for 5 log_has "event=output .*id=$_id .*text=\"one\""
	ok "log: the last, without an end" \
	    wait_for 5 log_has "event=output .*id=$_id .*text=\"last\""
	like "$(grep -F 'two' "$D/log" | grep event=output)" \
	    'two \\(x1[bB]|033|e|\^\[)\[31mred' "stderr's, escaped"
	like "$(grep -F 'quoted' "$D/log" | grep event=output)" \
	    '\\"quoted\\" \\\\ back' "quotes and backslashes too"
	is "$(tr -d '\n\t -~' <"$D/log" | wc -c | tr -d ' ')" 0 \
	    "no control character gets to the log"
	is "$(log_count "event=output .*id=$_id ")" 4 "one log line a line"

	ok "arm a loud one" arm a LOUD \
	    'i=0; while [ $i -lt 4000 ]; do echo "$i 0123456789012345678901234567890123456789"; i=$((i + 1)); done'
	_size=$(wc -c <"$D/log")
	ok "HUP" fire a LOUD
	ok "it ends" wait_for 10 runs_ended "$(log_id LOUD)" 1
	ok "log: its first line" wait_for 5 log_has 'text="0 0123'
	ok "log: that there was more, at the end" \
	    wait_for 20 log_has "event=output-cut id=$(log_id LOUD) "
	ok "no more than 64 kB of output is logged" \
	    test "$(sed -n "s/.*event=output id=$(log_id LOUD) text=\"\(.*\)\"\$/\1/p" \
	    "$D/log" | wc -c)" -le 65600
	ok "but not much less" test $(($(wc -c <"$D/log") - _size)) -gt 60000

	# What the command leaves behind may hold its output open.
	ok "arm one with a child that stays" arm a CHILD \
	    "echo early
	    (while [ -d $M ] && [ ! -e $M/child.go ]; do sleep 0.05; done) &"
	ok "HUP" fire a CHILD
	ok "the run ends with its shell" wait_for 3 runs_ended \
	    "$(log_id CHILD)" 1
	ok "log: what it said" wait_for 3 log_has 'text="early"'
	: >"$M/child.go"
}

# Titles as no one should give them.
odd_titles() {
	cat <<-'END'
	two words
	 a space first, one last 
	it's "quoted"
	ünïcödé – 日本語 🦆
	%s%n%d%100000d
	back\slash\n
	-dash
	$(reboot) `reboot` ; reboot & reboot | reboot
	[a-z]* .+ ^ $ ( { ?
	jailprobe: jailprobe
	END
	head -c 1024 /dev/zero | tr '\0' t
	echo
}

case_titles() {
	odd_titles >"$T/titles"
	_n=0
	while IFS= read -r _odd; do
		_n=$((_n + 1))
		_show=$(printf %.40s "$_odd" | tr -c ' -~' '?')
		jd -c "printf %s \"\$JAILDAEMON_TITLE\" >$M/t.new
		    mv $M/t.new $M/t.$_n" -j "$(jail_pid a)" -t "$_odd" &&
		jail_exec a env LC_ALL=C.UTF-8 \
		    pgrep -x -f "jailprobe: $(ere "$_odd")" \
		    >/dev/null &&
		jail_exec a env LC_ALL=C.UTF-8 \
		    pkill -HUP -x -f "jailprobe: $(ere "$_odd")" &&
		wait_for 5 test -e "$M/t.$_n"
		is "$?" 0 "title $_n is shown, found and fired: $_show"
		is "$(cat "$M/t.$_n" 2>/dev/null; echo .)" "$_odd." \
		    "and unharmed"
	done <"$T/titles"
}

case_commands() {
	# shellcheck disable=SC2016
	fires_command 1 "printf '%s|' 'single' \"double\" \`echo back\` \$(echo dollar)" \
	    'single|double|back|dollar|'
	fires_command 2 "printf %s 'first
second	tab'
printf %s ' third' # comment" "first
second	tab third"
	fires_command 3 "printf %s 'ünïcödé 日本語 🦆'" 'ünïcödé 日本語 🦆'
	fires_command 4 'printf "%s" "100% \\ %s %n \$x"' '100% \ %s %n $x'
	fires_command 5 'false; printf $?; (exec printf ok)' '1ok'
	# As long as it may be: a comment makes up the length.
	_cmd="printf long >$M/c.new && mv $M/c.new $M/c.6 #"
	_fill=$((65536 - ${#_cmd}))
	_cmd=$_cmd$(head -c "$_fill" /dev/zero | tr '\0' c)
	is "${#_cmd}" 65536 "a command of 65,536 bytes"
	ok "arm it" arm a COMMAND "$_cmd"
	ok "HUP" fire a COMMAND
	ok "runs it" wait_for 5 test -e "$M/c.6"
	ok "a failing command" arm a COMMAND "exit 7"
	ok "HUP" fire a COMMAND
	ok "log: its status" wait_for 5 log_has \
	    "event=run-end .*id=$(log_id COMMAND) .*status=7"
	ok "one that ends by a signal" arm a COMMAND "kill -USR1 \$\$"
	ok "HUP" fire a COMMAND
	ok "log: the signal" wait_for 5 log_has \
	    "event=run-end .*id=$(log_id COMMAND) .*signal="
}

fires_command() {
	arm a COMMAND "{ $2
} >$M/c.new && mv $M/c.new $M/c.$1" && fire a COMMAND &&
	    wait_for 5 test -e "$M/c.$1"
	is "$?" 0 "command $1 is armed and runs"
	is "$(cat "$M/c.$1" 2>/dev/null)" "$3" "as it was meant"
}

# -- jails and the daemon come and go --------------------------------------

case_two_jails() {
	jail_start "$kind" b || { fail "no second jail"; return; }
	ok "arm in one jail" arm a SAME "echo a >>$M/same"
	ok "the same title in another" arm b SAME "echo b >>$M/same"
	ok "HUP in the second" fire b SAME
	ok "runs a command" wait_for 5 marked same 1
	nok "a second HUP there finds nobody" fire b SAME
	ok "the first jail has its probe" probe_pid a SAME
	is "$(cat "$M/same")" b "the command was the second jail's"
	ok "arm there again" arm b SAME "echo b >>$M/same" -r
	jail_end b
	ok "one jail ends" wait_for 10 not jail_alive b
	ok "log: it has ended" wait_for 20 log_has event=jail-ended
	ok "the other has its probe" probe_pid a SAME
	ok "HUP there" fire a SAME
	ok "runs its command" wait_for 5 marked same 2
	is "$(tr '\n' ' ' <"$M/same")" "b a " "and no other"
	jail_stop b
}

case_outlives() {
	ok "arm" arm a LIFE "i=0
		while [ -d $M ] && [ ! -e $M/life.go ]; do
			echo \$i; echo \$i >>$M/life; i=\$((i + 1)); sleep 0.1
		done
		echo end >>$M/life"
	ok "arm another" arm a KEPT "echo x >>$M/kept" -r
	ok "and one more" arm a KEPT_TOO "echo x >>$M/kept"
	ok "HUP" fire a LIFE
	ok "a run that prints every 100 ms" wait_for 5 marked life 2
	daemon_kill9
	ok "a killed daemon leaves no probe" wait_for 10 no_probes a
	nok "nothing to signal" \
	    jail_exec a pkill -HUP -x -f "jailprobe: KEPT"
	_now=$(mark life)
	ok "the run goes on" wait_for 5 marked life $((_now + 3))
	: >"$M/life.go"
	ok "to its end" wait_for 5 grep -q end "$M/life"
	is "$(mark kept)" 0 "nothing was triggered"
	ok "the daemon starts over what the killed one left" daemon_start
	ok "arm" arm a AGAIN "echo x >>$M/again"
	ok "HUP" fire a AGAIN
	ok "runs the command" wait_for 5 marked again 1
}

case_orderly() {
	ok "arm" arm a FIRST "echo x >>$M/first"
	ok "arm another" arm a NOT_FIRST "echo x >>$M/not-first" -R
	ok "and one more" arm a STOPPED "echo x >>$M/stopped"
	ok "whose probe is stopped" \
	    jail_exec a pkill -STOP -x -f "jailprobe: STOPPED"
	ok "and gets a HUP" fire a STOPPED
	# The daemon cannot look: what comes first is first in the kernel too.
	kill -STOP "$DPID"
	ok "HUP" fire a FIRST
	kill -TERM "$DPID"
	kill -CONT "$DPID"
	wait_for 10 not alive "$DPID"
	daemon_reap
	is "$?" 0 "TERM ends the daemon in order"
	ok "a HUP that came first is honoured" wait_for 5 marked first 1
	ok "so is one that a stopped probe had not died of yet" \
	    wait_for 5 marked stopped 1
	ok "no probe is left" no_probes a
	is "$(mark not-first)" 0 "nothing else was run"
	ok "no socket and no pid file either" \
	    test ! -e "$D/sock" -a ! -e "$D/pid"
	ok "log: stop" log_has event=stop
}

case_jail_ends() {
	ok "arm a single shot" arm a "ENDS $$" "echo x >>$M/ends"
	ok "one with -r" arm a "ENDS $$" "echo x >>$M/ends" -r
	ok "one with -R" arm a "ENDS $$" "echo x >>$M/ends" -R
	ok "and a long run" arm a ENDS_RUN "$(waiting_command ends-run)
		echo end >>$M/ends-run"
	ok "HUP" fire a ENDS_RUN
	ok "starts it" wait_for 5 marked ends-run 1
	_jid=$(jail_pid a)
	jail_end a
	ok "the jail ends" wait_for 10 not jail_alive a
	ok "log: it has ended" wait_for 20 log_has event=jail-ended
	ok "the run has not" stays 0 nok_ended ends-run
	: >"$M/ends-run.go"
	ok "until it does" wait_for 5 marked ends-run 2
	is "$(mark ends)" 0 "no action was triggered"
	ok "nobody comes back" not wait_for 2 pgrep -x -f "jailprobe: ENDS $$"
	ok "arming there is refused" refused 68 . -f "$D/sock" -c : \
	    -j "$_jid" -t ENDS
}

nok_ended() {
	! grep -q end "$M/$1"
}

# A test script of the table: each KIND in turn.  A script that is of another
# system has nothing to do.
cases_file() {
	for _k in "$@"; do
		jail_kinds | grep -Fqx -e "$_k" || {
			echo "1..0 # SKIP no $_k on $JAIL_OS"
			tap_done=1
			exit 0
		}
	done
	for kind in "$@"; do
		cases_run "$kind"
	done
	done_testing
}
