#!/bin/sh
# Calls that fail: each of what the program asks of the system and of its libc
# fails in turn, once, in whatever it does.  It says so, goes on, and nothing that
# was acknowledged is lost.  JAILDAEMON_LONG=1: each call; else a part of those
# that are many.
#
# shellcheck disable=SC1091,SC2086,SC2119,SC2120,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/verbs.sh"
. "$here/lib/state.sh"
. "$here/lib/faults.sh"

MEMORY="malloc calloc realloc"
CALLS="write writev renameat unlinkat openat open accept4 epoll_ctl pipe2
    eventfd clone pidfd_open memfd_create"

# -- one action, from request to request -----------------------------------

# The n-th call of a function fails, while everything is done once.  The
# client is told the truth, the daemon goes on, and what was armed before stays.
request_fault() {
	_title=F${1%%:*}$2 _mark=fault-${1%%:*}$2
	rm -f "$M/$_mark"
	order "$1" "$2"
	arm j "$_title" "echo x >>$M/$_mark" -r 2>"$T/fault.err"
	_armed=$?
	answers_whole || return 1
	[ "$_armed" -ne 0 ] || fault_fire || return 1
	disarm_title "$_title" >"$T/fault.out" 2>&1
	_rc=$?
	# The last that is done for it: a part of this, if nothing is wrong.
	[ "$_armed" -ne 0 ] || wait_for 1 [ ! -e "$D/state/$_id-1.out" ]
	no_order
	is_there || return 1
	# The second: as if the request had not been read.
	if grep -E "no answer|not complete" "$T/fault.err" "$T/fault.out" \
	    >"$T/unanswered"; then
		diag_file "$T/unanswered"
		return 1
	fi
	fault_truth || return 1
	disarm_title "$_title" >/dev/null 2>&1
	wait_for 10 is_state "$_title" "" && return
	diag "it does not go"
	return 1
}

# What is answered is the whole truth; or it is said that it is not.
answers_whole() {
	if jd_list >"$T/answer" 2>"$T/answer.err"; then
		_all=BYSTANDER
		[ "$_armed" -ne 0 ] || _all="$_all $_title"
		for _word in $_all; do
			grep -q "\"title\":\"$_word\"" "$T/answer" && continue
			diag "$_word is not listed"
			return 1
		done
	elif ! is_refusal $?; then
		return 1
	fi
	if verb metrics >"$T/answer" 2>"$T/answer.err"; then
		grep -q '^jaildaemon_start_time_seconds ' "$T/answer" || {
			diag "the metrics are not whole"
			return 1
		}
	elif ! is_refusal $?; then
		return 1
	fi
	verb reload >"$T/answer" 2>"$T/answer.err" || is_refusal $?
}

# is_refusal STATUS: 71, a probe could not be made; 74, 75, something is short; 76,
# not even the answer could be sent.
is_refusal() {
	case $1 in
	71 | 74 | 75 | 76)
		return 0 ;;
	esac
	diag "status $1: $(cat "$T"/*.err)"
	return 1
}

# The daemon, and what was armed before.
is_there() {
	alive "$DPID" || { diag "the daemon is gone"; return 1; }
	wait_for 10 is_state BYSTANDER armed && return
	diag "what was armed before is gone"
	return 1
}

# It was acknowledged: so it is saved, or will be, and works.
fault_fire() {
	if all_is_saved && ! journal | grep -q "\"title\":\"$_title\""; then
		diag "acknowledged, but not saved"
		return 1
	fi
	_ends=$(log_count event=run-end)
	fire j "$_title" || alive "$DPID" || return 1
	wait_for 5 marked "$_mark" 1 || {
		diag "armed, but nothing ran"
		return 1
	}
	# What comes of its end shall be a part of this.
	wait_for 1 run_has_ended
	_id=$(id_of "$_title")
	"$JAILDAEMON" output -f "$D/sock" "$_id" >/dev/null 2>&1
	return 0
}

run_has_ended() {
	[ "$(log_count event=run-end)" -gt "$_ends" ]
}

# Status 75 is a refusal, and so is 71; 76 says nothing; 0 is done.
fault_truth() {
	[ "$_armed" -eq 0 ] || is_refusal "$_armed" || return 1
	# What could not be armed, or was answered without words, may not be there.
	[ "$_rc" -eq 0 ] || is_refusal "$_rc" ||
	    { [ "$_armed" -ne 0 ] && [ "$_rc" -eq 68 ]; } || return 1
	case $_armed in
	71 | 75)
		if ! wait_for 5 is_state "$_title" ""; then
			diag "refused, but armed: $(cat "$T/fault.err")"
			return 1
		fi ;;
	esac
	if [ "$_armed" -eq 0 ] && [ "$_rc" -eq 75 ] &&
	    [ -z "$(id_of "$_title")" ]; then
		diag "refused, but not there any more: $(cat "$T/fault.out")"
		return 1
	fi
	if [ "$_rc" -eq 0 ] && ! wait_for 5 is_state "$_title" ""; then
		diag "disarmed, but there"
		return 1
	fi
	[ "$_armed" -ne 0 ] || [ "$(mark "$_mark")" -eq 1 ] || {
		diag "ran $(mark "$_mark") times"
		return 1
	}
}

# What the daemon holds when nothing goes on: blocks of memory, descriptors.
held() {
	wait_for 5 all_is_saved
	rm -f "$D/fail.live"
	order live
	verb list >/dev/null
	wait_for 5 [ -s "$D/fail.live" ]
	echo "$(cat "$D/fail.live") $(find "/proc/$DPID/fd" -type l | lines)"
}

held_no_more() {
	_held=$(held)
	[ "${_held% *}" -le "$_blocks" ] && [ "${_held#* }" -le "$_fds" ]
}

# keeps_nothing FUNCTION NAME N: a fault that leaves nothing behind.  A buffer may
# be kept for the next one, but what is more each time is lost.
keeps_nothing() {
	for _try in 1 2 3; do
		"$@" || return 1
		# A probe that could not be watched is looked after a while.
		! wait_for 3 held_no_more || return 0
		[ "${_held% *}" -le "$_blocks" ] || _blocks=${_held% *}
		[ "${_held#* }" -le "$_fds" ] || _fds=${_held#* }
	done
	diag "$*: more is held each time, in the end $_held"
	return 1
}

request_held() {
	keeps_nothing request_fault "$@"
}

life_held() {
	keeps_nothing life_fault "$@"
}

# Without a fault: the function works, and what is held then is no loss.
without_fault() {
	ok "without a fault" "$1" none 1
	ok "and again" "$1" none 1
	_held=$(held)
	_blocks=${_held% *} _fds=${_held#* }
}

has_one_probe() {
	[ "$(probes j)" -eq 1 ]
}

bystander_alone() {
	ok "no probe is left but one" wait_for 10 has_one_probe
	is "$(listed)" 1 "nor an action"
	is "$(log_count 'event=bug')" 0 "nor is there a mistake"
}

t_request() {
	faulty_start requests
	arm j BYSTANDER : -r
	without_fault request_fault
	# Each one of reading a request: what is left out there is run.
	calls_fail request_held 23 30 $MEMORY
	calls_fail request_held 1 0 $CALLS
	bystander_alone
	ends_well
	daemon_start
	ok "the next daemon has that one" wait_for 10 is_state BYSTANDER armed
	daemon_kill9
	daemon_start
	ok "and the one after it" wait_for 10 is_state BYSTANDER armed
	is "$(listed)" 1 "and no other"
	disarm_title BYSTANDER
	ok "which goes" wait_for 10 lists_nothing
	ends_well
}

# Sanitizers have their last word there.
ends_well() {
	ok "it ends in order" daemon_stop
}

# -- a jail, from its start to its end -------------------------------------

# It gets what the file has for it, the host runs that, its limit strikes, and
# somebody watches.
life_fault() {
	rm -f "$M/life"
	jail_start "$kind" k || return 1
	_before=$(connections)
	"$JAILDAEMON" watch -f "$D/sock" -J >"$T/watched" 2>"$T/watch.err" &
	_watcher=$!
	wait_for 5 connections_are "$((_before + 1))"
	order "$1" "$2"
	life
	_ok=$?
	_ended=$(log_count 'event=jail-ended')
	jail_stop k
	wait_for 3 life_has_ended
	wait_for 10 is_state LIFE "" || {
		diag "the jail's end goes unseen"
		_ok=1
	}
	life_watched || _ok=1
	no_order
	is_there && return "$_ok"
}

life_has_ended() {
	[ "$(log_count 'event=jail-ended')" -gt "$_ended" ]
}

# Whoever is refused asks again: but one call fails.
life() {
	_before=$(life_armings)
	life_told || return 1
	# The log is looked at first: asking is calls of its own.
	wait_for 3 life_was_armed 1
	wait_for 10 is_state LIFE armed || {
		diag "told of, but not armed"
		return 1
	}
	life_run || return 1
	# After 1 s, or after 10 more where TERM could not be sent.
	wait_for 3 life_was_armed 2
	wait_for 15 is_state LIFE armed || {
		diag "the limit does not strike"
		return 1
	}
	[ "$(mark life)" -eq 1 ] || {
		diag "ran $(mark life) times"
		return 1
	}
}

life_armings() {
	log_count 'event=(re)?arm .*title="LIFE"'
}

life_was_armed() {
	[ "$(life_armings)" -ge "$((_before + $1))" ]
}

life_told() {
	for _told in 1 2; do
		tell_started k 2>"$T/fault.err"
		[ -s "$T/fault.err" ] || return 0
	done
	diag_file "$T/fault.err"
	return 1
}

life_run() {
	for _told in 1 2; do
		if verb run "$(id_of LIFE)" 2>"$T/fault.err"; then
			wait_for 5 marked life 1 || {
				diag "acknowledged, but nothing runs"
				return 1
			}
			return 0
		fi
		sleep 0.2
		[ "$(mark life)" -ne 0 ] || continue
		# There was no memory for the answer: that says nothing.
		! grep -q "without an answer" "$T/fault.err" || return 0
		diag "it runs, but: $(cat "$T/fault.err")"
		return 1
	done
	diag_file "$T/fault.err"
	return 1
}

# Who watches has seen all of it, or was told that it ends.
life_watched() {
	if wait_for 2 grep -q '"event":"jail-ended".*LIFE' "$T/watched"; then
		_why="not all is shown"
		grep -q '"event":"triggered".*LIFE' "$T/watched" &&
		    grep -q '"event":"finished".*LIFE' "$T/watched" && _why=
	elif alive "$_watcher"; then
		_why="nothing more is shown"
	else
		_why="it ends without a word"
		[ "$(lines <"$T/watch.err")" -ne 1 ] || _why=
	fi
	kill "$_watcher" 2>/dev/null
	wait "$_watcher" 2>/dev/null
	! grep -v '^{.*}$' "$T/watched" || _why="a line is not whole"
	[ -n "$_why" ] || return 0
	diag "watch: $_why"
	diag_file "$T/watched"
	diag_file "$T/watch.err"
	return 1
}

# life_start FOLDER: a daemon that has a rule for the jail k.
life_start() {
	daemon_dir "$1"
	echo "-j '$JAIL_RUN-k' -t LIFE -r -T 1 -i 1 -c 'echo x >>$M/life; sleep 60'" \
	    >"$D/conf"
	faulty_start "$1" -C "$D/conf"
	arm j BYSTANDER : -r
	without_fault life_fault
}

t_life() {
	life_start life
	calls_fail life_held 211 0 $MEMORY
	calls_fail life_held 5 0 $CALLS
	bystander_alone
	ends_well
}

# -- what makes the probes -------------------------------------------------

# It has no libc whose calls could be made to fail, so the kernel is asked to.
# 0x8000 is CLONE_PARENT, which no other clone has; 1 is PR_SET_PDEATHSIG.
t_stub() {
	denied=$T/denied
	stub_fault setns EPERM
	stub_fault 'clone:0&0x8000' EAGAIN
	stub_fault prctl:0=1 EINVAL
	denied=
}

# stub_fault CALL ERROR: each one that it makes.
stub_fault() {
	tap_group="stub: ${1%%:*}"
	daemon_dir "stub-${1%%:*}"
	: >"$D/fail"
	cat >"$denied" <<-END
	#!/bin/sh
	exec env -u LD_PRELOAD "${FAULTS%/*}/deny" -f "$D/fail" "$1" "$2" \
	    env LD_PRELOAD="$FAULTS" "$JAILDAEMON" "\$@"
	END
	chmod 755 "$denied"
	life_start "stub-${1%%:*}"
	without_fault request_fault
	tap_group="stub, on request"
	calls_fail request_held 1 0 "$1"
	tap_group="stub, in the life of a jail"
	calls_fail life_held 1 0 "$1"
	bystander_alone
	ends_well
}

# -- a start ---------------------------------------------------------------

# with_fault NAME N COMMAND...: the n-th call fails; leaves $_rc and $_left.  If
# it succeeds, what it has started goes on until the condition $_settled.
with_fault() {
	order "$1" "$2"
	shift 2
	# env(1) is last: what fails shall not be timeout(1).
	timeout -s KILL 20 env "FAIL_FILE=$D/fail" MALLOC_PERTURB_=165 \
	    "LD_PRELOAD=$FAULTS" "$@" </dev/null \
	    >"$T/fault.out" 2>"$T/fault.err"
	_rc=$?
	[ -z "$_settled" ] || [ "$_rc" -ne 0 ] || wait_for 10 "$_settled"
	no_order
}

# glibc's getpwuid(3) asserts that it has memory for a line; the parent says so.
libc_aborted() {
	[ "$_rc" -eq 70 ] && grep -q ' nss_database\.c:' "$T/fault.err" &&
	    grep -q 'died of signal 6 while starting' "$T/fault.err"
}

# By request, and by two rules; runs that go on, a HUP that came when no daemon was
# there any more, and a jail that has ended since.
kept_all() {
	jd_list >"$T/kept"
	[ "$(grep '"state":"armed"' "$T/kept" |
	    grep -c -E '"title":"(KEPT|RULE)[12]"')" -eq 4 ] &&
	    [ "$(grep '"state":"running"' "$T/kept" |
	    grep -c -E '"title":"RUNS[12]"')" -eq 2 ] &&
	    grep '"title":"OWED"' "$T/kept" | grep -q '"state":"armed"' &&
	    marked owed 1 && ! grep -q '"title":"ENDED"' "$T/kept"
}

# A start either succeeds or says why it does not; what the last daemon left
# is there afterwards.
start_fault() {
	start_again
	_settled=$_deep
	with_fault "$1" "$2" "$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" \
	    -S "$D/state" -C "$D/conf"
	_settled=
	_why=
	if [ "$_rc" -ne 0 ]; then
		in_words || libc_aborted || _why="it did not say why"
		[ -z "$_left" ] || _why="it failed by itself"
		"$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S "$D/state" \
		    -C "$D/conf"
	fi
	DPID=$(tr -dc 0-9 <"$D/pid")
	if ! wait_for 20 kept_all; then
		_why="an action is lost"
		sed 's/^/# /' "$T/kept"
	fi
	[ "$(mark owed)" -eq 1 ] || _why="owed once, ran $(mark owed) times"
	[ "$(mark live)" -eq 2 ] || _why="a run was started again"
	kill "$DPID"
	wait_for 15 not alive "$DPID" || _why="it does not end"
	[ ! -e "$D/sock" ] && [ ! -e "$D/pid" ] ||
	    _why="its end was not in order"
	[ -n "$_why" ] || return 0
	diag "$_why"
	diag_file "$T/fault.err"
	return 1
}

# The state as it was.  What the runs write to is left alone, since they are known
# by it.
start_again() {
	rm -f "$M/owed"
	for _f in "$D"/state/*; do
		_f=${_f##*/}
		case $_f in
		*.out)	[ -e "$T/state.whole/$_f" ] || rm "$D/state/$_f" ;;
		*)	rm -f "$D/state/$_f" ;;
		esac
	done
	cp "$T/state.whole/journal" "$D/state/journal"
}

# start_state: what the daemons that are to come find.
start_state() {
	printf '%s\n' '-j "j*" -t RULE1 -r -c :' '-j jail -t RULE2 -R -c true' \
	    >"$D/conf"
	daemon_start -C "$D/conf"
	printf '{"v":1,"verb":"started","jail":"jail","pid":%d}\n' \
	    "$(jail_pid j)" | talk >"$T/started"
	jail_start "$kind" k
	arm k ENDED : -r
	arm j KEPT1 : -r
	arm j KEPT2 "sleep 0" -r
	arm j OWED "echo x >>$M/owed" -r
	arm j RUNS1 "$(waiting live)" -r
	arm j RUNS2 "$(waiting live)" -r
	fire j RUNS1
	fire j RUNS2
	ok "a run that goes on" wait_for 10 is_state RUNS1 running
	ok "and another one" wait_for 10 is_state RUNS2 running
	wait_for 10 is_state RULE2 armed
	daemon_stop
	jail_stop k
	append_trigger "$(journal_id OWED)" 1
	# As if it had been killed before it could write who that is.
	_id=$(journal_id RUNS2)
	journal | grep -v "\"record\":\"run\",\"id\":$_id," >"$T/journal"
	is "$(journal | lines)" "$(($(lines <"$T/journal") + 1))" \
	    "whose process is not in the journal"
	cat "$T/journal" >"$D/state/journal"
	cp -a "$D/state" "$T/state.whole"
}

t_start() {
	daemon_dir start
	_settled=
	start_state
	ok "without a fault" start_fault none 1
	# In short, of what is called often, only what comes before the start is
	# told to be one.
	_deep=
	[ "${JAILDAEMON_LONG:-0}" = 0 ] || _deep=kept_all
	calls_fail start_fault 47 0 malloc calloc
	calls_fail start_fault 3 0 realloc write open
	_deep=kept_all
	calls_fail start_fault 1 0 renameat fstatat openat epoll_create1 epoll_ctl \
	    pipe2 eventfd clone fork pidfd_open memfd_create
	ok "no probe is left" wait_for 10 no_probes j
	daemon_start -C "$D/conf"
	: >"$M/live.go"
	ok "a run ends" wait_for 10 is_state RUNS1 armed
	ok "and the other one" wait_for 10 is_state RUNS2 armed
	is "$(mark live)" 2 "each was one"
	daemon_stop
}

# -- a stop ----------------------------------------------------------------

# The daemon is told to, and two HUPs have come that it has not heard of yet.  The
# next one has what was there, and both have run.
stop_fault() {
	rm -f "$M/stop" "$M/once"
	arm j ONCE "echo x >>$M/once" && wait_for 10 is_state STOP armed ||
	    return 1
	kill -STOP "$DPID"
	order "$1" "$2"
	fire j STOP
	fire j ONCE
	kill -TERM "$DPID"
	kill -CONT "$DPID"
	wait_for 15 not alive "$DPID" || { diag "it does not end"; return 1; }
	daemon_reap
	_rc=$?
	no_order
	[ "$_rc" -eq 0 ] || { diag "it ends with status $_rc"; return 1; }
	wait_for 5 no_probes j || { diag "a probe is left"; return 1; }
	daemon_start || return 1
	wait_for 10 is_state STOP armed || { diag "it is lost"; return 1; }
	wait_for 5 marked stop 1 && wait_for 5 marked once 1 &&
	    wait_for 5 is_state ONCE "" && is_there || return 1
	_rc="$(mark stop) $(mark once)"
	[ "$_rc" = "1 1" ] || { diag "ran $_rc times"; return 1; }
}

t_stop() {
	faulty_start stop
	arm j BYSTANDER : -r
	arm j STOP "echo x >>$M/stop" -r
	ok "without a fault" stop_fault none 1
	calls_fail stop_fault 7 0 malloc calloc
	calls_fail stop_fault 1 0 write renameat unlinkat openat open epoll_ctl \
	    clone
	disarm_title STOP
	wait_for 10 are_listed 1
	bystander_alone
	ends_well
}

# -- a kill, call by call ----------------------------------------------------

# The daemon is killed at its n-th call, when HUPs come and something is disarmed.
# A trigger is written before its command starts: else that would start again.
kill_fault() {
	rm -f "$M/once" "$M/more"
	arm j ONCE "echo x >>$M/once" && arm j GONE : -r &&
	    wait_for 10 is_state MORE armed || return 1
	order "$1" "$2" kill
	fire j ONCE
	fire j MORE
	disarm_title GONE 2>/dev/null
	_rc=$?
	wait_for 1 not alive "$DPID"
	no_order
	daemon_kill9
	wait_for 5 no_probes j || { diag "a probe is left"; return 1; }
	daemon_start || return 1
	kill_truth || return 1
	disarm_title ONCE 2>/dev/null
	disarm_title GONE 2>/dev/null
	is_there
}

kill_truth() {
	wait_for 10 is_state MORE armed || { diag "MORE is lost"; return 1; }
	wait_for 10 once_is_settled
	[ "$(($(jd_list -t ONCE | lines) + $(mark once)))" -eq 1 ] || {
		diag "ONCE ran $(mark once) times, and is $(state_of ONCE)"
		return 1
	}
	[ "$(mark more)" -le 1 ] || { diag "MORE ran twice"; return 1; }
	[ "$_rc" -ne 0 ] || [ -z "$(state_of GONE)" ] || {
		diag "GONE was disarmed, and is $(state_of GONE)"
		return 1
	}
}

once_is_settled() {
	is_state ONCE "" || is_state ONCE armed
}

t_kill() {
	faulty_start kill
	arm j BYSTANDER : -r
	arm j MORE "echo x >>$M/more" -r
	ok "without a kill" kill_fault none 1
	calls_fail kill_fault 1 0 write writev clone openat unlinkat epoll_ctl
	disarm_title MORE
	wait_for 10 are_listed 1
	bystander_alone
	ends_well
}

# -- no process, by the kernel ---------------------------------------------

# The daemon's own group may have no more processes than it has.
t_limit() {
	daemon_dir limit
	daemon_prepare() {
		jail_cgroup_make daemon
		jail_cgroup_join daemon
	}
	daemon_start
	arm j OWED "echo x >>$M/limit" -r
	_file=$(jail_cgroup_file daemon pids.max) || {
		skip "no pids controller"
		daemon_stop
		return
	}
	echo 1 >"$_file"
	ok "no process more: a HUP" fire j OWED
	ok "is accepted" wait_for 5 log_has event=run-delayed
	ok "a request is refused" refused 75 \
	    'cannot start a probe: Resource temporarily unavailable$' \
	    -f "$D/sock" -c : -t MORE -j "$(jail_pid j)"
	is "$(mark limit)" 0 "nothing has run"
	is "$(state_of MORE)" "" "nothing more is there"
	echo max >"$_file"
	ok "then it runs" wait_for 10 marked limit 1
	ok "and is armed again" wait_for 10 is_state OWED armed
	is "$(mark limit)" 1 "it ran once"
	is "$(log_count 'event=bug')" 0 "without a mistake"
	daemon_stop
}

# -- the utility -----------------------------------------------------------

# utility_fault NAME N OPTION...: it ends well or in words; $_all is what waited
# to fail in all of them.
utility_fault() {
	_name=$1 _number=$2
	shift 2
	with_fault "$_name" "$_number" "$JAILDAEMON" "$@"
	[ -n "$_left" ] || _all=
	[ "$_rc" -eq 0 ] || in_words
}

# The utility says what came of it.
client_fault() {
	_all=y
	utility_fault "$1" "$2" -f "$D/sock" -j "$(jail_pid j)" -t "C$1$2" \
	    -c : || return 1
	[ "$_rc" -ne 0 ] || [ -n "$(id_of "C$1$2")" ] || {
		diag "not armed"
		return 1
	}
	for _verb in list metrics check reload "started nobody $(jail_pid j)" \
	    "output $_id" "run $_id"; do
		utility_fault "$1" "$2" $_verb -f "$D/sock" || return 1
	done
	utility_fault "$1" "$2" disarm -f "$D/sock" -j "$(jail_pid j)" \
	    -t "C$1$2" || return 1
	disarm_title "C$1$2" 2>/dev/null
	_left=$_all
}

# Who is asked for a name says what kept it from asking.
engine_fault() {
	utility_fault "$1" "$2" -f "$D/sock" -j docker:nobody -c :
}

# Who watches sees what happens, or says why not.
watch_fault() {
	order "$1" "$2"
	FAIL_FILE=$D/fail LD_PRELOAD=$FAULTS "$JAILDAEMON" watch -f "$D/sock" \
	    -J >"$T/watched" 2>"$T/fault.err" &
	_watcher=$!
	wait_for 10 has_watched
	no_order
	_rc=0
	if alive "$_watcher"; then
		kill "$_watcher"
		wait "$_watcher" 2>/dev/null
		grep -q '"event":"disarmed"' "$T/watched" && return
		diag "nothing is shown"
		return 1
	fi
	wait "$_watcher"
	_rc=$?
	in_words
}

# Or has ended.
has_watched() {
	alive "$_watcher" || return 0
	arm j WATCHED :
	disarm_title WATCHED
	grep -q '"event":"disarmed"' "$T/watched"
}

t_client() {
	daemon_dir client
	: >"$D/conf"
	daemon_start -C "$D/conf"
	arm j SHOWS "echo shown" -R
	_id=$(id_of SHOWS)
	fire j SHOWS
	wait_for 10 log_has event=output
	calls_fail client_fault 7 0 $MEMORY
	calls_fail client_fault 1 0 send
	tap_group="client, watch"
	calls_fail watch_fault 7 0 malloc
	tap_group="client, an engine"
	calls_fail engine_fault 1 0 fork pipe2 pidfd_open
	tap_group=client
	daemon_stop
}

ok "what makes calls fail" test -e "$FAULTS"
jail_start "$kind" j
[ $# -gt 0 ] || set -- request life stub start stop kill limit client
for tap_group in "$@"; do
	daemon_prepare() { :; }
	"t_$tap_group"
done
tap_group=
no_confession
jail_stop j
done_testing
