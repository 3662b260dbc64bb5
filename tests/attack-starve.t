#!/bin/sh
# A container that is frozen, full, hung or gone while a probe is attached:
# the daemon answers within its deadline, serves others meanwhile, and leaves
# nothing behind.
#
# shellcheck disable=SC1091,SC2016,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

ANSWER_US=5500000	# 4 s, and what a busy machine adds

# starved TITLE [UID]: an arm there is answered, with success or not, in time,
# while others are served.  The answer is in $T/load.
starved() {
	pings 600
	load_arm "${jail:-a}" 1 "$1" never "${2:-0}" >"$T/load" &
	_load=$!
	serves "another jail is served"
	wait "$_load"
	is "$?" 0 "an arm is answered"
	at_most "$(word max <"$T/load")" "$ANSWER_US" "us, in time"
	kill -TERM "$pings"
	wait "$pings" 2>/dev/null
	at_most "$(word max <"$T/pings")" 2000000 "us for any other answer"
}

says() {
	like "$(sed -n 's/^# .*"error":"\(.*\)"}.*/\1/p' "$T/load")" "$1" \
	    "with words: $1"
}

nothing_in_a() {
	! pgrep --ns "$(jail_pid a)" --nslist pid -x jailprobe && no_zombies
}

# The capabilities of what is, or will be, a probe in a's control groups.
frozen_rights() {
	for _p in $(pgrep -P "$DPID"); do
		! cmp -s "/proc/$_p/cgroup" "/proc/$(jail_pid a)/cgroup" ||
		    sed -n 's/^Cap\(Prm\|Eff\|Bnd\):[[:space:]]*//p' \
		    "/proc/$_p/status"
	done
}

# The most memory that it ever had, in kB.
daemon_most() {
	awk '/^VmHWM:/ { print $2 }' "/proc/$DPID/status"
}

frozen() {
	tap_group=frozen
	_file=$(group freezer.state) && _on=FROZEN _off=THAWED || {
		_file=$(group cgroup.freeze) && _on=1 _off=0
	} || { skip "no freezer"; return; }
	echo "$_on" >"$_file"
	starved FROZEN
	says "frozen"
	load_arm a 1 COLD >/dev/null &
	sleep 1
	is "$(frozen_rights | sort -u)" 0000000000000000 \
	    "what is frozen has no privilege"
	is "$(pgrep -P "$DPID" -g "$(ps -o pgid= -p "$DPID" |
	    tr -d ' ')" | lines)" 0 "and is not in the daemon's process group"
	wait $!
	# While an arm is under way, what else comes over its connection waits.
	_most=$(daemon_most)
	(
		printf '{"v":1,"verb":"arm","command":":","pid":%d}\n' \
		    "$(jail_pid a)"
		head -c 200000000 /dev/zero
	) | timeout 10 socat -u - "UNIX-CONNECT:$D/sock" 2>/dev/null &
	wait $!
	[ "$SLOWER" -gt 1 ] || at_most "$(daemon_most)" $((_most + 4096)) \
	    "kB of memory for a request that waits"
	echo "$_off" >"$_file"
	ok "thawed, nothing is left" wait_for 10 nothing_in_a
	starved THAWED
	is "$(word ok <"$T/load")" 1 "and it can be armed again"
	echo "$_on" >"$_file"
	peek a pkill -HUP -x -f "jailprobe: THAWED-1"
	sleep 0.2
	echo "$_off" >"$_file"
	ok "a trigger that came while it was frozen counts" \
	    wait_for 5 log_has "event=trigger .*id=$(log_id THAWED-1)( |\$)"
	frozen_again
}

# What is armed has lost its probe, and the next one cannot come.
restart_frozen() {
	daemon_stop
	unlike "$(cat "$D/log")" "event=bug|Sanitizer|runtime error" \
	    "until then, nothing to confess"
	echo "$_on" >"$_file"
	daemon_start
}

# Armed again while its probe is on its way.
frozen_again() {
	ok "arm" arm a AGAIN : -r
	for _fate in thawed "not thawed"; do
		restart_frozen
		ok "the next probe is being attached" wait_for 5 is_rearming
		(arm a AGAIN : -r; echo $? >"$T/again.rc") 2>"$T/again.err" &
		[ "$_fate" = "not thawed" ] || {
			sleep 0.5
			ok "armed again: that is waited for" alive $!
			echo "$_off" >"$_file"
		}
		wait $!
		is "$(cat "$T/again.rc")" 0 "$_fate: it is armed"
		echo "$_off" >"$_file"
		case $_fate in
		thawed)	ok "and there" probe_pid a AGAIN
			is "$(cat "$T/again.err")" "" "nothing else is said" ;;
		*)	ok "but not there, which is said" one_line_like \
			    "$T/again.err" 'warning: .*not there yet.*frozen' ;;
		esac
	done
	ok "it comes back" wait_for 20 probe_pid a AGAIN
	frozen_queue
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid a)" >/dev/null
}

# More than a jail may have on their way at a time: who is waited for goes
# first.
frozen_queue() {
	for _i in $(seq 24); do
		arm a "QUEUED $_i" : -r || return
	done
	restart_frozen
	ok "more than may be on their way" wait_for 5 are_queued 24 rearming
	_loads=''
	for _i in $(seq 24); do
		{
			_start=$(now)
			arm a "QUEUED $_i" : -r 2>"$T/again.$_i"
			echo $((($(now) - _start) * 1000)) >"$T/took.$_i"
		} &
		_loads="$_loads $!"
	done
	# shellcheck disable=SC2086
	wait $_loads
	at_most "$(sort -n "$T"/took.* | tail -n 1)" "$ANSWER_US" \
	    "us for the slowest"
	is "$(cat "$T"/again.[0-9]* | grep -c 'warning: .*not there yet')" 24 "each told"
	echo "$_off" >"$_file"
	ok "they come back" wait_for 20 are_queued 24 armed
}

are_queued() {
	[ "$("$JAILDAEMON" list -f "$D/sock" -J | grep '"title":"QUEUED ' |
	    grep -c "\"state\":\"$2\"")" -eq "$1" ]
}

is_rearming() {
	"$JAILDAEMON" list -f "$D/sock" -J -t AGAIN |
	    grep -q '"state":"rearming"'
}

processes() {
	tap_group=processes
	_file=$(group pids.max) || { skip "no pids controller"; return; }
	echo 30 >"$_file"
	spy a fork 600
	ok "a jail uses up its processes" wait_for 10 grep -q full= "$T/spy.a"
	starved FULL
	says "limit of processes|killed before"
	spy_ends a
	echo max >"$_file"
	ok "nothing is left" wait_for 10 nothing_in_a
	starved ROOM
	is "$(word ok <"$T/load")" 1 "and with room it can be armed again"
}

memory() {
	tap_group=memory
	_file=$(group memory.limit_in_bytes) || _file=$(group memory.max) || {
		skip "no memory controller"
		return
	}
	echo 12M >"$_file"
	spy a memory 600
	ok "a jail uses up its memory" wait_for 20 grep -q full= "$T/spy.a"
	starved SHORT
	spy_ends a
	echo -1 >"$_file" 2>/dev/null || echo max >"$_file"
	starved ENOUGH
	is "$(word ok <"$T/load")" 1 "and with memory it can be armed again"
}

# The limit of the probe's uid, which the host and others use too.
uid_limit() {
	tap_group=uid
	_i=0
	while [ "$_i" -lt 30 ]; do
		setpriv --reuid 64242 --regid 64242 --clear-groups \
		    sleep 300 &
		echo $! >>"$T/sleepers"
		_i=$((_i + 1))
	done
	wait_for 5 sleepers_are 30
	ok "a daemon with a low limit" prlimit --pid "$DPID" --nproc=25:1000
	starved SOFT 64242
	is "$(word ok <"$T/load")" 1 "the probe counts up to the hard limit"
	ok "which is low as well" prlimit --pid "$DPID" --nproc=25:25
	starved LIMIT 64242
	is "$(word refused <"$T/load")" 1 "the arm is refused"
	says 'uid.*RLIMIT_NPROC'
	xargs kill <"$T/sleepers"
	wait_for 5 sleepers_are 0
	starved LIMIT 64242
	is "$(word ok <"$T/load")" 1 "without the others it is armed"
	peek a pkill -KILL -x jailprobe
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	daemon_start
}

sleepers_are() {
	[ "$(pgrep -u 64242 -x sleep | lines)" -eq "$1" ]
}

# A root that never answers.
hung_root() {
	tap_group=root
	[ -c /dev/fuse ] || { skip "no /dev/fuse"; return; }
	mkdir -p "$T/hung" "$T/jail/hung"
	unshare -pfmiu --propagation private "$ATTACK/scene" fuse "$T/hung" \
	    "$T/hung.ready" 2>"$T/hung.err" &
	_outer=$!
	ok "a jail whose root hangs" wait_for 10 test -s "$T/hung.ready"
	diag_file "$T/hung.err"
	pgrep -P "$_outer" >"$T/jail/hung/pid"
	echo unshare >"$T/jail/hung/kind"
	jail=hung
	starved "HUNG-$$"
	is "$(word refused <"$T/load")" 1 "the arm is refused"
	jail=a
	starved BESIDE
	is "$(word ok <"$T/load")" 1 "another jail is armed"
	_pid=$(cat "$T/jail/hung/pid")
	kill -9 "$_pid"
	ok "the jail ends all the same" wait_for 10 not alive "$_pid"
	ok "nothing is left" wait_for 10 not pgrep -x -f "jailprobe: HUNG-$$-1"
	ok "and all is reaped" wait_for 5 no_zombies
	rm -rf "$T/jail/hung"
	peek a pkill -KILL -x jailprobe
}

# $T/reuse: the small jail ends, and another one gets its number.
reuse_script() {
	rm -f "$T/step" "$T/spawn"
	cat >"$T/reuse" <<-END
	kill -9 $small
	"$ATTACK/scene" spawn $small >"$T/spawn" 2>&1 &
	echo \$! >"$T/spawn.pid"
	n=0
	until grep -q spawned= "$T/spawn" || [ \$n -ge 300 ]; do
		n=\$((n + 1))
		sleep 0.02
	done
	END
}

# A small jail for one arm only.
small_jail() {
	unshare -pfmi sleep 300 </dev/null >/dev/null 2>&1 &
	_small=$!
	wait_for 10 pgrep -P "$_small" -x sleep
	small=$(pgrep -P "$_small" -x sleep)
}

# The first process ends before the stub's Nth system call.
gone() {
	tap_group=gone
	_n=1 _bad=0 _ok=0
	echo 'kill -9 "$1"; while kill -0 "$1"; do sleep 0.01; done' >"$T/end"
	while :; do
		small_jail
		rm -f "$T/step"
		"$ATTACK/scene" step "$DPID" "$_n" sh "$T/end" "$small" \
		    >"$T/step" 2>&1 &
		_scene=$!
		wait_for 5 grep -q waiting= "$T/step"
		load arm "$D/sock" "$small" 1 "GONE-$$-$_n" >"$T/load"
		[ "$(word max <"$T/load")" -le "$ANSWER_US" ] || _bad=1
		wait "$_scene"
		kill -9 "$small" 2>/dev/null
		[ "$(word refused <"$T/load")" = 1 ] || _ok=$((_ok + 1))
		_steps=$(word steps <"$T/step")
		[ "$_steps" -ge "$_n" ] || break
		_n=$((_n + $(chosen 7 1)))
	done
	at_least "$_steps" 40 "steps of the attaching were gone through"
	is "$_bad" 0 "each arm was answered in time"
	# The probe of the last ones was there before the jail ended.
	at_most "$_ok" 3 "and refused, but for the last"
	ok "nothing is left" wait_for 10 not pgrep -f "^jailprobe: GONE-$$"
	ok "and all is reaped" wait_for 5 no_zombies
	serves "the daemon works"
}

# The number of a jail's first process is another jail's, at once.
reused() {
	tap_group=reused
	small_jail
	_started=$(awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$small/stat")
	# Between the client's look and the daemon's.
	kill -STOP "$DPID"
	jd -c : -j "$small" -t "REUSED-$$-1" 2>"$T/reused" &
	_jd=$!
	wait_for 5 pgrep -P $$ -x jaildaemon
	sleep 0.3
	kill -9 "$small"
	"$ATTACK/scene" spawn "$small" >"$T/spawn" &
	_spawn=$!
	wait_for 5 grep -q "spawned=$small\$" "$T/spawn"
	is "$?" 0 "a number is used again"
	kill -CONT "$DPID"
	wait "$_jd"
	is "$?" 68 "before the daemon looks: refused"
	diag_file "$T/reused"
	nok "and the other jail has no probe" pgrep -f "^jailprobe: REUSED-$$"
	kill "$_spawn"
	wait "$_spawn"
	# While the daemon looks.
	_n=1 _bad=0 _done=0
	while :; do
		small_jail
		reuse_script
		"$ATTACK/scene" hold "$DPID" "$_n" sh "$T/reuse" >"$T/step" 2>&1 &
		_scene=$!
		wait_for 5 grep -q waiting= "$T/step"
		jd -c : -j "$small" -t "REUSED-$$-1" 2>"$T/reused"
		_status=$?
		kill "$_scene" 2>/dev/null
		wait "$_scene" 2>/dev/null
		# It has been armed in fewer steps.
		[ -s "$T/spawn" ] || break
		# One that was armed before this one ends with its jail.
		wait_for 5 not pgrep -f "^jailprobe: REUSED-$$" || _bad=$_n
		[ "$(word spawned <"$T/spawn")" != "$small" ] ||
		    _done=$((_done + 1))
		kill "$(cat "$T/spawn.pid")" 2>/dev/null
		wait_for 5 not alive "$(cat "$T/spawn.pid")"
		[ "$_status" -ne 0 ] || break
		_n=$((_n + $(chosen 4 1)))
	done
	kill -9 "$small" 2>/dev/null
	wait_for 5 not pgrep -f "^jailprobe: REUSED-$$"
	at_least "$_done" "$(chosen 12 50)" "steps of the daemon were tried"
	is "$_bad" 0 "at none of them the other jail gets a probe"
	# Between the daemon's look and the stub's.
	for _n in 1 $(chosen "14 26 33" "5 10 14 18 22 24 26 28 30 33 36"); do
		small_jail
		reuse_script
		"$ATTACK/scene" step "$DPID" "$_n" sh "$T/reuse" >"$T/step" 2>&1 &
		_scene=$!
		wait_for 5 grep -q waiting= "$T/step"
		load arm "$D/sock" "$small" 1 "REUSED-$$" >"$T/load"
		wait "$_scene"
		is "$(word spawned <"$T/spawn")" "$small" "used again at step $_n"
		is "$(word refused <"$T/load")" 1 "refused"
		nok "and the other jail has no probe" \
		    pgrep -f "^jailprobe: REUSED-$$"
		kill "$(cat "$T/spawn.pid")"
		wait_for 5 not alive "$(cat "$T/spawn.pid")"
	done
}

# A jail with many probes, some of them hostile, ends at once.
ending() {
	tap_group=ending
	load_arm a "$(chosen 50 300)" "MANY-$$" after >"$T/load"
	spy a zombie 600 1
	_n=0
	while ! early_is a 1 && [ "$_n" -lt 200 ]; do
		_n=$((_n + 1))
		load_arm a 1 "CAUGHT-$_n" >/dev/null &
		sleep 0.05
	done
	_start=$(now)
	jail_end a
	ok "a jail with probes ends" wait_for 10 not jail_alive a
	at_most $(($(now) - _start)) 3000 "ms, at once"
	ok "nothing is left of them" wait_for 10 not pgrep -f "^jailprobe: MANY-$$"
	ok "and all is reaped" wait_for 5 no_zombies
	serves "the daemon works"
}

if ! spy_root || ! jail_start unshare a || ! jail_start unshare b ||
    ! daemon_start; then
	fail "no jails, or no daemon"
	done_testing
fi
[ $# -gt 0 ] || set -- frozen processes memory uid_limit hung_root gone reused ending
for part; do
	"$part"
	tap_group=
done
daemon_stop
is "$?" 0 "the daemon ends in order"
unlike "$(cat "$D/log")" "event=bug|Sanitizer|runtime error" \
    "with nothing to confess"
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
