#!/bin/sh
# jaildaemon follow: first with engines and a daemon that do what the test
# says, then with the real ones.
#
# shellcheck disable=SC1091,SC2016,SC2119,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/faults.sh"

if [ "$JAIL_OS" != Linux ]; then
	ok "refused elsewhere" refused 69 "^jaildaemon: follow: only on Linux" \
	    follow docker
	done_testing
fi

RECORD=${JAILDAEMON%/*}/attack/record

# -- the follower ------------------------------------------------------------

# follow ENGINE: of the current folder $D, logging to $D/follow; in bad
# company, as daemon_start has it.
follow() {
	: >"$D/follow"
	(
		umask 077
		JDTEST_SECRET=1
		export JDTEST_SECRET
		exec "$JAILDAEMON" follow -f "$D/sock" "$1" 7>"$T/seven" 8<&7
	) </dev/null >"$D/follow.out" 2>>"$D/follow" &
	FPID=$!
	echo "$FPID" >"$D/follow.pid"
	wait_for 5 follow_says event=follow
}
tap_atexit follow_cleanup
follow_cleanup() {
	for _f in "$T"/*/follow.pid; do
		[ ! -s "$_f" ] || kill -9 "$(cat "$_f")"
	done 2>/dev/null
}

# follow_end [SIGNAL]: its exit status.
follow_end() {
	kill "-${1:-TERM}" "$FPID"
	wait_for 10 not alive "$FPID" || {
		diag "the follower does not end"
		kill -9 "$FPID"
	}
	rm -f "$D/follow.pid"
	wait "$FPID"
}

follow_says() {
	grep -Eq -e "$*" "$D/follow"
}

follow_count() {
	grep -Ec -e "$*" "$D/follow"
}

# -- a daemon that writes down -------------------------------------------------

record_start() {
	"$RECORD" "$D/sock" "$D/asked" "$D/answers" &
	RPID=$!
	wait_for 5 test -S "$D/sock"
}

record_stop() {
	kill "$RPID" && wait "$RPID" 2>/dev/null
	rm -f "$D/sock"
}
tap_atexit record_cleanup
record_cleanup() {
	[ -z "${RPID:-}" ] || kill -9 "$RPID" 2>/dev/null
}

# told NAME: how often; told_is NAME N [PID]: just so often, the last time of
# that process.
told() {
	grep -c "\"jail\":\"$1\"" "$D/asked" 2>/dev/null
}

told_is() {
	[ "$(told "$1")" -eq "$2" ] || return
	[ -z "${3:-}" ] ||
	    grep "\"jail\":\"$1\"" "$D/asked" | tail -n 1 | grep -q "\"pid\":$3,"
}

# The start of a process, as the kernel counts.
start_time() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

# -- an engine that does what it is told --------------------------------------

# $E has its state: c/KEY holds "PID KEY NAME", ps what is listed, events is
# a pipe that the event command reads, hang a key that is never inspected.
fake_engine() {
	E=$T/engine
	rm -rf "$E"
	mkdir -p "$E/c"
	touch "$E/ps" "$E/log" "$E/pids"
	mkfifo "$E/events"
	# Somebody has it open, so that it does not end.
	exec 9<>"$E/events"
	cat >"$E/docker" <<-END
	#!/bin/sh
	E=$E
	echo "\$\$ \$(date +%s%N) \$*" >>\$E/log
	command=\$1
	[ ! -e \$E/down ] || { echo "cannot connect" >&2; exit 1; }
	[ ! -e \$E/\$command.sh ] || . \$E/\$command.sh
	case \$command in
	events)
		exec cat \$E/events 9>&- ;;
	ps)
		cat \$E/ps ;;
	inspect)
		rc=0 hang=
		[ ! -e \$E/hang ] || hang=\$(cat \$E/hang)
		while [ "\$1" != -- ]; do shift; done
		shift
		for key; do
			[ "\$key" != "\$hang" ] || exec sleep 100
			[ -e \$E/c/\$key ] && cat \$E/c/\$key || {
				echo "Error: No such container: \$key" >&2
				rc=1
			}
		done
		exit \$rc ;;
	esac
	END
	chmod 755 "$E/docker"
	jail_program docker "$E/docker"
}

fake_away() {
	exec 9>&-
	jail_program_back docker
	# shellcheck disable=SC2046 # a list
	[ ! -s "$E/pids" ] || kill $(cat "$E/pids") 2>/dev/null
}

# key NUMBER
key() {
	printf '%064x' "$1"
}

# fake_run NUMBER NAME: a container (a process, that is) that runs from now
# on; $P is its pid.
fake_run() {
	sleep 1000 9>&- &
	P=$!
	echo "$P" >>"$E/pids"
	echo "$P $(key "$1") /$2" >"$E/c/$(key "$1")"
}

fake_ps() {
	: >"$E/ps.new"
	for _n in "$@"; do
		key "$_n" >>"$E/ps.new"
		echo >>"$E/ps.new"
	done
	mv "$E/ps.new" "$E/ps"
}

fake_event() {
	{ key "$1"; echo; } >"$E/events"
}

# How often the engine was asked to.
asked_for() {
	grep -c "^[0-9]* [0-9]* $1" "$E/log"
}

asked_for_is() {
	[ "$(asked_for "$1")" -ge "$2" ]
}

# The pid of the last event command.
events_pid() {
	sed -n 's/^\([0-9]*\) [0-9]* events.*/\1/p' "$E/log" | tail -n 1
}

# -- the cases ----------------------------------------------------------------

case_refused() {
	ok "an engine that cannot be followed" refused 64 \
	    '^jaildaemon: follow: "lxc" is no engine that can be followed: expected docker, podman or incus$' \
	    follow lxc
	ok "shown without harm" refused 64 'follow: "\\x1b\[2J" is no' \
	    follow "$(printf '\033[2J')"
	ok "no engine at all" refused 64 'follow: 0 operands, expected docker' \
	    follow
	ok "two" refused 64 'follow: 2 operands' follow docker podman
	jail_program incus /dev/null
	ok "one that is not installed" refused 69 \
	    '^jaildaemon: follow: "incus" is not installed: it is not in /usr/sbin:' \
	    follow incus
	jail_program_back incus
	ok "an option that is not its own" refused 64 'follow takes no -j' \
	    follow -j x docker
}

case_words() {
	fake_run 1 web
	fake_ps 1
	cat >"$E/events.sh" <<-END
	env >$E/env
	ls /proc/self/fd >$E/fds
	END
	_now=$(date +%s)
	follow docker
	ok "what runs is told" wait_for 5 told_is web 1 "$P"
	is "$(sed 's/^[0-9]* //' "$D/asked" | jq_keys)" \
	    "engine=docker jail=web pid=$P started=$(start_time "$P") v=1 verb=started" \
	    "with engine, process and start"
	_since=$(sed -n 's/.* events --since \([0-9]*\) .*/\1/p' "$E/log")
	ok "events are wanted from the beginning on" \
	    test "$_since" -ge "$_now" -a "$_since" -le $((_now + 5))
	like "$(grep events "$E/log")" \
	    " events --since [0-9]+ --filter type=container --filter event=start --format \{\{.Actor.ID\}\}\$" \
	    "containers' starts alone"
	unlike "$(cat "$E/env")" "JDTEST_SECRET|LC_ALL" \
	    "the engine sees no more of the environment than it needs"
	unlike "$(cat "$E/fds")" "^[789]\$" "and no descriptor"
	is "$(cat "$D/follow.out")" "" "nothing on standard output"
	is "$(follow_end)$?" 0 "SIGTERM: exit status 0"
	ok "log" follow_says "event=stop signal=15"
}

# The keys of a request in the order of the alphabet.
jq_keys() {
	tr -d '{}"' | tr ',:' '\n=' | sort | tr '\n' ' ' | sed 's/ $//'
}

case_events() {
	follow docker
	wait_for 5 follow_says "event=engine .*containers=0"
	fake_run 1 web
	_then=$(date +%s%N)
	fake_event 1
	ok "a start is told" wait_for 5 told_is web 1 "$P"
	ok "soon" test $((($(date +%s%N) - _then) / 1000000)) -lt 3000
	fake_event 1
	fake_event 1
	ok "the same again is asked about" wait_for 5 asked_for_is inspect 2
	ok "but not told" stays 1 told_is web 1
	fake_run 1 web
	fake_event 1
	ok "another process is" wait_for 5 told_is web 2 "$P"
	fake_event 77
	ok "one that is gone already: log" wait_for 5 follow_says \
	    "event=gone .*container=\"0*4d\" text=\"Error: No such container"
	fake_run 2 db
	fake_event 2
	ok "and life goes on" wait_for 5 told_is db 1 "$P"
	for _n in 11 12 13 14 15 16 17 18 19 20; do
		fake_run "$_n" "many$_n"
		key "$_n" && echo
	done >"$E/burst"
	cat "$E/burst" >"$E/events"
	ok "many at a time" wait_for 5 told_many 10
	ok "are asked about together" test "$(asked_for inspect)" -le 10
	is "$(follow_end INT)$?" 0 "SIGINT: exit status 0"
}

told_many() {
	[ "$(grep -c '"jail":"many' "$D/asked")" -eq "$1" ]
}

case_hostile() {
	follow docker
	wait_for 5 follow_says "event=engine "
	{
		echo web
		echo "--help $(key 1)"
		key 1 | tr 0 A
		printf '\n\0\0\0\n\033[2J\n'
		head -c 300000 /dev/zero | tr '\0' x
		echo
	} >"$E/events"
	fake_run 1 web
	fake_event 1
	ok "lines of rubbish: the next good one is told" \
	    wait_for 5 told_is web 1
	is "$(follow_count event=garbled)" 1 "said once"
	ok "and what it was" follow_says 'event=garbled .*text="web"'
	# Names that a jail cannot have, or that would mislead.
	_n=2
	for _name in -v a/b .. 'a b' "$(printf 'a\033[2Jb')" \
	    "$(printf 'a\377b')" "$(printf '%0256d' 0)" ''; do
		fake_run "$_n" "$_name"
		fake_event "$_n"
		_n=$((_n + 1))
	done
	# Processes that there cannot be.
	echo "999999999999 $(key 20) /p20" >"$E/c/$(key 20)"
	echo "-1 $(key 21) /p21" >"$E/c/$(key 21)"
	echo "0 $(key 22) /p22" >"$E/c/$(key 22)"
	echo "$P $(key 24) /p23" >"$E/c/$(key 23)"
	head -c 300000 /dev/zero >"$E/c/$(key 25)"
	for _n in 20 21 22 23 25; do
		fake_event "$_n"
	done
	fake_run 30 last
	fake_event 30
	ok "names and numbers of rubbish: the same" wait_for 5 told_is last 1
	is "$(grep -c verb "$D/asked")" 2 "nothing else was told"
	unlike "$(cat "$D/follow")" "$(printf '[\001-\010\033\377]')" \
	    "the log is clean"
	follow_end
}

case_refusals() {
	# As long as the process is there, if it may get better.
	printf '%s\n' 75 71 ok 65 hang close 'no JSON' \
	    '{"v":1,"ok":maybe}' >"$D/answers"
	fake_run 1 web
	_p=$P
	fake_ps 1
	follow docker
	ok "a refusal that may be temporary is tried again" \
	    wait_for 8 told_is web 3 "$P"
	ok "after one second, then two" paced web 900 1900
	ok "until it is well" stays 1 told_is web 3
	is "$(follow_count event=refused)" 1 "said once"
	ok "with status and words" follow_says \
	    'event=refused .*jail="web" .*status=75 text="told to refuse"'
	fake_run 2 final
	fake_event 2
	ok "another one" wait_for 5 told_is final 1
	ok "is not" stays 2 told_is final 1
	fake_run 3 hanging
	fake_event 3
	ok "a daemon that does not answer" wait_for 5 told_is hanging 1
	fake_run 4 closed
	fake_event 4
	ok "holds up nobody else" wait_for 2 told_is closed 1
	ok "nor does one that closes, which is asked again" \
	    wait_for 5 told_is closed 2
	fake_run 5 junk
	echo '{"v":1,"ok":maybe}' >>"$D/answers"
	fake_event 5
	ok "nor one that answers rubbish" wait_for 5 told_is junk 2
	ok "the silent one is asked again" wait_for 15 told_is hanging 2
	follow_end
	# A process that is gone is not told again.
	echo 75 >>"$D/answers"
	echo 75 >>"$D/answers"
	fake_run 6 gone
	fake_ps 6
	follow docker
	wait_for 5 told_is gone 1
	kill "$P"
	ok "a refused one that is gone" stays 4 told_is gone 1
	follow_end
}

# paced NAME MS...: so far apart, at the least.
paced() {
	_name=$1 _last=
	shift
	sed -n "s/^\([0-9]*\) .*\"jail\":\"$_name\".*/\1/p" "$D/asked" \
	    >"$T/paced"
	while read -r _t; do
		[ -z "$_last" ] || {
			echo "$((_t - _last)) ms"
			[ $((_t - _last)) -ge "$1" ] || return 1
			shift
		}
		_last=$_t
	done <"$T/paced"
}

case_daemon() {
	record_stop
	fake_run 1 web
	fake_ps 1
	follow docker
	ok "no daemon: log" wait_for 5 follow_says \
	    'event=daemon-lost socket=".*/sock" text="No such file'
	ok "said once" stays 3 only_once event=daemon-lost
	record_start
	ok "it comes: all that runs is told" wait_for 3 told_is web 1 "$P"
	fake_run 2 db
	fake_event 2
	wait_for 3 told_is db 1
	record_stop
	# Meanwhile one ends, and one begins.
	kill "$(cut -d ' ' -f 1 "$E/c/$(key 1)")"
	fake_run 3 new
	fake_event 3
	sleep 1
	record_start
	ok "another daemon: all is told again" wait_for 3 told_is db 2
	ok "and what was not yet" wait_for 3 told_is new 1 "$P"
	ok "once each" stays 2 told_are "db 2" "new 1" "web 1"
	ok "log" follow_says "event=daemon pid=$RPID new=1"
	# It stops for a while, and goes on: the same one.
	kill -STOP "$RPID"
	fake_run 4 late
	fake_event 4
	ok "a daemon that hangs: log" wait_for 10 follow_says \
	    'event=daemon-lost .*text="the daemon does not answer"'
	kill -CONT "$RPID"
	ok "and goes on" wait_for 15 follow_says "event=daemon pid=$RPID new=0"
	ok "hears what it missed" wait_for 5 told_is late 1
	ok "and nothing twice" told_are "db 2" "new 1"
	record_stop
	: >"$D/sock"
	ok "something else in its place" wait_for 5 follow_says \
	    'event=daemon-lost .*text="Connection refused"'
	rm "$D/sock"
	is "$(follow_end)$?" 0 "it ends in order without a daemon"
	record_start
}

only_once() {
	[ "$(follow_count "$1")" -eq 1 ]
}

told_are() {
	for _pair in "$@"; do
		# shellcheck disable=SC2086 # two words
		told_is $_pair || {
			echo "$_pair: $(told "${_pair% *}")"
			return 1
		}
	done
}

case_engine() {
	: >"$E/down"
	fake_run 1 web
	fake_ps 1
	follow docker
	ok "an engine that is not there: log" wait_for 5 follow_says \
	    'event=engine-lost engine=docker text="cannot connect"'
	ok "it is tried again" wait_for 10 asked_for_is ps 4
	_gaps=$(gaps | head -n 3 | tr '\n' ' ')
	# shellcheck disable=SC2086 # a list of numbers
	ok "after 1, 2 and 4 seconds ($_gaps)" waits $_gaps
	is "$(follow_count event=engine-lost)" 1 "said once"
	rm "$E/down"
	kill -HUP "$FPID"
	ok "a SIGHUP tries at once" wait_for 2 follow_says "event=hangup"
	ok "it comes: all that runs is told" wait_for 2 told_is web 1
	ok "log" follow_says "event=engine engine=docker containers="
	_n=$(asked_for events)
	kill "$(events_pid)"
	ok "its events end: they are asked for again" \
	    wait_for 40 asked_for_is events $((_n + 1))
	ok "and what runs" follow_says "event=engine-lost .*signal 15"
	ok "but it is not told again" stays 1 told_is web 1
	fake_run 2 db
	fake_event 2
	ok "events are heard" wait_for 5 told_is db 1
	follow_end
	# It closes its output and goes on: of no use.
	echo 'exec >&-; exec sleep 100 9>&-' >"$E/events.sh"
	follow docker
	wait_for 5 follow_says event=engine
	_n=$(asked_for events) _pid=$(events_pid)
	ok "one that closes its output is ended" wait_for 5 not alive "$_pid"
	rm "$E/events.sh"
	ok "and started again" wait_for 5 asked_for_is events $((_n + 1))
	fake_run 3 heard
	fake_event 3
	ok "and heard" wait_for 10 told_is heard 1
	# A list that fails: what seems to listen may be deaf.
	echo 'echo broken >&2; exit 3' >"$E/ps.sh"
	_n=$(asked_for events) _pid=$(events_pid)
	kill -HUP "$FPID"
	ok "a list that fails: log" wait_for 5 follow_says \
	    'event=engine-lost .*text="broken"'
	ok "the events are begun anew" wait_for 5 not alive "$_pid"
	rm "$E/ps.sh"
	ok "soon" wait_for 10 asked_for_is events $((_n + 1))
	follow_end
}

# The milliseconds between attempts, by their lists: an event command may be
# ended before it can say that it was there.
gaps() {
	sed -n 's/^[0-9]* \([0-9]*\)...... ps.*/\1/p' "$E/log" |
	    awk 'NR > 1 { print $1 - last } { last = $1 }'
}

waits() {
	[ "$1" -ge 1000 ] && [ "$1" -lt 2000 ] &&
	[ "$2" -ge 2000 ] && [ "$2" -lt 3500 ] &&
	[ "$3" -ge 4000 ] && [ "$3" -lt 6000 ]
}

case_hanging() {
	for _n in 1 2 3; do
		fake_run "$_n" "web$_n"
	done
	key 2 >"$E/hang"
	fake_ps 1 2 3
	follow docker
	ok "one that holds up the engine" wait_for 8 follow_says "event=inspect .*not end in time"
	ok "holds up itself alone" wait_for 15 told_are "web1 1" "web3 1"
	nok "and is not told" told_is web2 1
	fake_run 4 web4
	fake_event 4
	ok "others are" wait_for 15 told_is web4 1
	ok "nothing hangs on" wait_for 10 none_hangs
	ok "the one is asked about again, after 2 seconds" \
	    wait_for 15 hung_are 2
	rm "$E/hang"
	# Long before the next list.
	ok "and is told once it can be" wait_for 20 told_is web2 1
	follow_end
}

# So many inspections were about it alone.
hung_are() {
	[ "$(grep -c "inspect .*-- $(key 2)\$" "$E/log")" -ge "$1" ]
}

none_hangs() {
	! pgrep -f "^sleep 100\$" -P "$FPID"
}

# Who is paused misses nothing.
case_paused() {
	follow docker
	wait_for 5 follow_says "event=engine "
	kill -STOP "$FPID"
	_i=0
	# More than a pipe holds; the writer waits, too.
	while [ "$_i" -lt 1500 ]; do
		key 1
		echo
		_i=$((_i + 1))
	done >"$E/flood"
	fake_run 1 web
	{ cat "$E/flood"; fake_run 2 db; key 2; echo; } >"$E/events" &
	_writer=$!
	sleep 1
	kill -CONT "$FPID"
	ok "a follower that was stopped: all is told" \
	    wait_for 10 told_are "web 1" "db 1"
	wait "$_writer"
	kill -STOP "$(events_pid)"
	fake_run 3 missed
	fake_event 3
	kill -CONT "$(events_pid)"
	ok "events that were stopped: the same" wait_for 5 told_is missed 1
	kill -STOP "$(events_pid)"
	_pid=$(events_pid)
	is "$(follow_end)$?" 0 "it ends although they are stopped"
	nok "and they with it" alive "$_pid"
}

# Nobody reads its log.
case_log() {
	mkfifo "$D/pipe"
	# shellcheck disable=SC2217 # it is not meant to read
	sleep 1000 <"$D/pipe" 9>&- &
	_reader=$!
	for _n in $(seq 1 40); do
		echo '{"v":1,"ok":true,"warning":"'"$(printf '%0900d' 0)"'"}'
	done >"$D/answers"
	"$JAILDAEMON" follow -f "$D/sock" docker 2>"$D/pipe" 9>&- &
	FPID=$!
	for _n in $(seq 1 40); do
		fake_run "$_n" "web$_n"
		# Twice, so that it is more than a pipe holds.
		fake_event "$_n"
	done
	for _n in $(seq 41 200); do
		fake_event "$_n"
	done
	ok "a log that nobody reads: all is told" wait_for 20 told_is web40 1
	fake_run 300 last
	fake_event 300
	ok "and goes on being" wait_for 20 told_is last 1
	is "$(follow_end)$?" 0 "it ends in order"
	kill "$_reader"
	rm "$D/pipe"
}

case_ends() {
	echo "trap '' TERM" >"$E/events.sh"
	follow docker
	wait_for 5 follow_says "event=engine "
	_pid=$(events_pid)
	is "$(follow_end)$?" 0 "it ends although its command will not"
	nok "which is killed" alive "$_pid"
	rm "$E/events.sh"
	follow docker
	wait_for 5 follow_says "event=engine "
	_pid=$(events_pid)
	kill -9 "$FPID"
	wait "$FPID" 2>/dev/null
	rm -f "$D/follow.pid"
	ok "if it is killed its command ends, too" wait_for 5 not alive "$_pid"
}

# The n-th call of a function fails: the follower says why it ends, or goes on
# and tells of the container all the same.
follow_fault() {
	_name=f-$1-$2
	echo "$P $(key 1) /$_name" >"$E/c/$(key 1)"
	echo "$1 $2" >"$D/fail"
	FAIL_FILE=$D/fail LD_PRELOAD=$FAULTS "$JAILDAEMON" follow \
	    -f "$D/sock" docker </dev/null >"$D/follow.out" 2>"$D/follow" &
	FPID=$!
	echo "$FPID" >"$D/follow.pid"
	# If it was left out it is in the next list, after a minute.
	wait_for 75 settled "$_name"
	# An event, too, and its inspection.
	_inspected=$(($(asked_for inspect) + 1))
	alive "$FPID" && fake_event 1 && wait_for 15 follow_heard
	_left=$(cat "$D/fail")
	: >"$D/fail"
	if alive "$FPID"; then
		told_of "$_name" || diag "it is told $(told "$_name") times"
		follow_end
		_rc=$?
		told_of "$_name" && [ "$_rc" -eq 0 ]
		return
	fi
	wait "$FPID"
	_rc=$?
	[ "$_rc" -ge 64 ] && [ "$_rc" -le 78 ] && [ -s "$D/follow" ] &&
	    [ -z "$_left" ]
}

settled() {
	! alive "$FPID" || told_of "$1"
}

# Where the reply was not heard it is told again: as often as its log says so,
# at most.
told_of() {
	_told=$(told "$1")
	[ "$_told" -ge 1 ] && [ "$_told" -le $((1 +
	    $(grep -c "event=untold .*jail=\"$1\"" "$D/follow"))) ]
}

# The list was taken, and the event asked about.
follow_heard() {
	! alive "$FPID" || [ "$(asked_for inspect)" -ge "$_inspected" ]
}

# In short not many of the second kind: a failure costs a wait until it is tried
# again.
case_faults() {
	_step=61 _few=7
	[ "${JAILDAEMON_LONG:-0}" = 0 ] || _step=1 _few=1
	fake_run 1 web
	fake_ps 1
	ok "what makes them fail" test -e "$FAULTS"
	for _c in malloc calloc realloc; do
		ok "$_c fails" each_fault follow_fault "$_c" "$_step" 3
	done
	for _c in open pipe2 epoll_ctl pidfd_open write; do
		ok "$_c fails" each_fault follow_fault "$_c" "$_few"
	done
}

# What the real one says of no project but its own.
case_incus() {
	cat >"$E/incus" <<-END
	#!/bin/sh
	E=$E
	echo "\$\$ \$(date +%s%N) \$*" >>\$E/log
	shift
	case \$1 in
	monitor)
		exec cat \$E/events 9>&- ;;
	list)
		cat \$E/ps ;;
	query)
		name=\${2#local:/1.0/instances/}
		cat \$E/c/\${name%/state} || exit 1 ;;
	esac
	END
	chmod 755 "$E/incus"
	jail_program incus "$E/incus"
	fake_incus web
	_web=$P
	fake_incus db
	printf '%s\n' web,RUNNING off,STOPPED >"$E/ps"
	follow incus
	ok "what runs is told" wait_for 5 told_is web 1 "$_web"
	printf '%s\n\n' '{"location":"none","metadata":{"action":"instance-started","context":{},"name":"db","project":"default","source":"/1.0/instances/db"},"project":"default","timestamp":"2026-02-24T19:00:45.452649098Z","type":"lifecycle"}' \
	    '{"metadata":{"action":"instance-started","source":"/1.0/instances/web?project=b"},"type":"lifecycle"}' >"$E/events"
	ok "a start is told" wait_for 5 told_is db 1 "$P"
	ok "not another project's" stays 1 told_is web 1
	ok "as incus" grep -q '"engine":"incus"' "$D/asked"
	follow_end
	jail_program_back incus
}

fake_incus() {
	sleep 1000 9>&- &
	P=$!
	echo "$P" >>"$E/pids"
	printf '{\n\t"pid": %d,\n\t"status": "Running"\n}\n' "$P" >"$E/c/$1"
}

# -- real engines, and the real daemon ------------------------------------------

# The pid of the container's first process, as its engine has it now.
real_pid() {
	real_inspect >"$T/jail/a/pid"
	echo >>"$T/jail/a/pid"
	[ "$(jail_pid a)" -gt 0 ] 2>/dev/null && jail_ready a
}

real_inspect() {
	case $kind in
	incus)	jail_incus_pid "$(jail_name a)" ;;
	*)	"$kind" inspect -f '{{.State.Pid}}' "$(jail_name a)" ;;
	esac
}

# What the container is started with, so that its engine restarts it.
real_always() {
	case $kind in
	incus)	echo -c boot.autorestart=true ;;
	*)	echo --restart always ;;
	esac
}

# restart, stop: at once.
real_quickly() {
	case $kind in
	incus)	incus "$1" --force "$(jail_name a)" ;;
	*)	"$kind" "$1" -t 0 "$(jail_name a)" ;;
	esac >>"$D/engine" 2>&1
}

# A container that ends before one could look.
real_short() {
	case $kind in
	incus)
		incus launch "$JAIL_RUN" "$(jail_name b)" --ephemeral \
		    -c "raw.lxc=lxc.init.cmd = /bin/true" </dev/null ;;
	*)
		"$kind" run -d --rm --name "$(jail_name b)" --network none \
		    "$JAIL_RUN:1" /bin/true ;;
	esac >>"$D/engine" 2>&1
}

# Another first process than OLD.
real_again() {
	real_pid && [ "$(jail_pid a)" -ne "$1" ]
}

# One probe, which is there soon.
real_probe() {
	ok "$1: the probe is there" wait_for 10 probe_pid a FEED
	ok "just one" stays 1 real_probe_is_one
}

# How long after the first process the probe began.  The kernel says so of
# both, in hundredths of a second.
real_delay() {
	echo $(($(start_time "$(probe_pid a FEED | head -n 1)") -
	    $(start_time "$(jail_pid a)")))
}

real_restart() {
	_old=$(jail_pid a)
	real_quickly restart
	ok "$1: it is restarted" wait_for 10 real_again "$_old"
}

# Two seconds; on a machine that is so busy with other things that the engine's
# own commands take their time, what five of them take.
real_limit() {
	_limit=$(date +%s%N)
	real_inspect >"$T/inspected" 2>&1
	_limit=$((($(date +%s%N) - _limit) * 5 / 10000000))
	[ "$_limit" -ge 200 ] || _limit=200
	echo "$_limit"
}

# One of three tries is enough to show that nothing waits.
real_restarts() {
	_tooks=
	for _try in 1 2 3; do
		real_restart "try $_try"
		real_probe "try $_try"
		_took=$(real_delay) _limit=$(real_limit)
		_tooks="$_tooks $_took of $_limit"
		[ "$_took" -ge "$_limit" ] || break
	done
	ok "less than 2 s after the container (1/100 s:$_tooks)" \
	    test "$_took" -lt "$_limit"
}

# Of all titles; without the engine, whose commands take their time.
real_probe_is_one() {
	[ "$(pgrep --ns "$(jail_pid a)" --nslist pid -f '^jailprobe: ' |
	    lines)" -eq 1 ] && [ "$(probe_pid a FEED | lines)" -eq 1 ]
}

real_daemon() {
	daemon_start -C "$D/conf"
}

case_real() {
	_lack=$(jail_missing "$kind")
	if [ -n "$_lack" ]; then
		skip "no $_lack"
		return
	fi
	sed -i 's/^events_logger.*/events_logger = "file"/' \
	    /etc/containers/containers.conf
	jail_root
	real_engine_starts
	cat >"$D/conf" <<-END
	-j '$kind:*-a' -r -t FEED -c 'echo "\$JAILDAEMON_JAIL" >>$M/real-$kind'
	-j 'lxc:*' -j 'other*' -t WRONG -c 'echo wrong >>$M/real-$kind'
	END
	real_daemon
	follow "$kind"
	ok "the engine answers" wait_for 10 follow_says "event=engine .*containers=0"
	# shellcheck disable=SC2046 # two words
	jail_start "$kind" a $(real_always)
	real_probe "a container is started"
	fire a FEED
	ok "it works" wait_for 5 marked "real-$kind" 1
	is "$(cat "$M/real-$kind")" "$(jail_name a)" "under its name"
	wait_for 5 probe_pid a FEED
	real_restarts
	real_stops
	_old=$(jail_pid a)
	kill -9 "$_old"
	ok "it crashes, and its engine restarts it" \
	    wait_for 20 real_again "$_old"
	real_probe "crashed"
	real_daemon_restarts
	case $kind in
	docker | incus)	"real_${kind}_restarts" ;;
	esac
	real_follower_restarts
	fire a FEED
	ok "it still works" wait_for 5 marked "real-$kind" 2
	real_short
	ok "one that ends at once does no harm" stays 1 alive "$FPID"
	_pid=$(pgrep -P "$FPID" -f "$kind .*(events|monitor) ")
	is "$(follow_end)$?" 0 "the follower ends in order"
	nok "with what it ran" alive "${_pid:-$$}"
	ok "and leaves the probe" probe_pid a FEED
	is "$(grep -c wrong "$M/real-$kind")" 0 "nothing else was armed"
	unlike "$(cat "$D/log")" "event=bug|WRONG" "nor asked for"
	[ "$kind" != incus ] || real_incus_names
	jail_stop a
	daemon_stop
}

# Another remote, another project and another meaning of its words, by what the
# client is configured to in the caller's home.
real_incus_names() {
	_c=$T/caller/.config/incus
	mkdir -p "$_c"
	cat >"$_c/config.yml" <<-END
	default-remote: away
	remotes:
	  away: {addr: "unix:///nonexistent", protocol: incus}
	  local: {addr: "unix://", project: away, protocol: incus}
	aliases: {query: version, list: version, monitor: version}
	END
	ok "whatever its client is configured to, by name" env HOME="$T/caller" \
	    "$JAILDAEMON" -f "$D/sock" -c : -j "incus:$(jail_name a)" -t NAMED
	ok "the probe is there" probe_pid a NAMED
	_home=$HOME
	HOME=$T/caller
	export HOME
	follow incus
	ok "and followed" wait_for 10 follow_says \
	    "event=engine .*containers=1"
	follow_end
	incus stop --force "$(jail_name a)" >>"$D/engine" 2>&1
	# An account that never had it does not get it by being asked.
	rm -rf "$_c"
	ok "one that is stopped" refused 68 "$(jail_name a) of incus is not running" \
	    -f "$D/sock" -c : -j "incus:$(jail_name a)"
	ok "one that is not there: its own words" refused 68 \
	    '^jaildaemon: incus: Error: .*Instance not found$' \
	    -f "$D/sock" -c : -j incus:none
	is "$(ls -A "$T/caller/.config")" "" "nothing is left in the caller's home"
	nok "nor where it has none" test -e /nonexistent
	HOME=$_home
}

# One that has forgotten everything.
real_daemon_restarts() {
	daemon_stop
	rm -rf "$D/state"
	no_probes a
	is "$?" 0 "the daemon stops: no probe"
	real_daemon
	ok "it starts again: the probe is back" wait_for 10 probe_pid a FEED
	ok "just one" stays 1 real_probe_is_one
	daemon_stop
	real_daemon
	ok "one that remembers: the same" wait_for 10 probe_pid a FEED
	ok "just one again" stays 2 real_probe_is_one
}

real_engine_starts() {
	case $kind in
	docker)	jail_dockerd docker >"$T/dockerd.out" 2>&1 ;;
	incus)	jail_incusd >"$T/incusd.start" 2>&1 ;;
	esac
}

real_stops() {
	_old=$(jail_pid a)
	real_quickly stop
	ok "it is stopped" wait_for 10 not alive "$_old"
	"$kind" start "$(jail_name a)" >>"$D/engine" 2>&1
	ok "and started" wait_for 10 real_again "$_old"
	real_probe "started"
}

real_docker_restarts() {
	_old=$(jail_pid a)
	jail_dockerd_stop_only
	ok "the engine stops: log" wait_for 10 follow_says event=engine-lost
	ok "and its container with it" wait_for 10 not alive "$_old"
	sleep 2
	real_engine_starts
	ok "it starts again, and the container" wait_for 20 real_again "$_old"
	ok "the probe is back" wait_for 31 probe_pid a FEED
	ok "just one" stays 1 real_probe_is_one
	real_restart "after the engine"
	real_probe "events are heard again"
}

# Its containers live on, which is how a newer one is installed.
real_incus_restarts() {
	_old=$(jail_pid a) _probe=$(probe_pid a FEED)
	_heard=$(follow_count event=engine\ )
	jail_incusd_stop_only
	ok "the engine stops: log" wait_for 10 follow_says event=engine-lost
	sleep 2
	real_engine_starts
	ok "it starts again, and is heard" wait_for 31 real_heard "$_heard"
	is "$(real_inspect)" "$_old" "the container was there all the time"
	is "$(probe_pid a FEED)" "$_probe" "with its probe"
	ok "just one" stays 1 real_probe_is_one
	real_restarts
}

# More often than N times the engine was begun with.
real_heard() {
	[ "$(follow_count event=engine\ )" -gt "$1" ]
}

# Its data stays.
jail_dockerd_stop_only() {
	_pid=$(cat "$T/docker.d/pid")
	kill "$_pid"
	wait_for 20 not alive "$_pid"
	wait "$_pid" 2>/dev/null
}

# What was started while nobody looked.
real_follower_restarts() {
	follow_end
	real_restart "without a follower"
	nok "and has no probe" stays 0 probe_pid a FEED
	follow "$kind"
	ok "with one it has" wait_for 5 probe_pid a FEED
	ok "just one" stays 1 real_probe_is_one
}

# What an engine adds is the container's, not the follower's: once without
# sanitizers is enough.
REALS="docker podman incus"
[ "${SANITIZED:-0}" = 0 ] || REALS=
FAKES="words events hostile refusals daemon engine hanging paused log ends incus"
# A sanitizer has a malloc of its own.
[ "${SANITIZED:-0}" != 0 ] || FAKES="$FAKES faults"

case_refused
for kind in ${KINDS_ONLY:-$REALS}; do
	tap_group=$kind
	daemon_dir "real-$kind"
	_before=$tap_failed
	case_real
	[ "$tap_failed" -eq "$_before" ] || {
		diag_file "$D/follow"
		diag_file "$D/log"
		diag_file "$D/engine"
	}
done
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
for case in ${CASES_ONLY:-$FAKES}; do
	tap_group=$case
	daemon_dir "$case"
	touch "$D/asked" "$D/answers" "$D/follow"
	fake_engine
	record_start
	_before=$tap_failed
	"case_$case"
	[ "$tap_failed" -eq "$_before" ] || {
		diag_file "$D/follow"
		diag_file "$D/asked"
	}
	unlike "$(cat "$D/follow")" "Sanitizer|runtime error|event=bug" \
	    "nothing to confess"
	record_stop
	fake_away
done
tap_group=
done_testing
