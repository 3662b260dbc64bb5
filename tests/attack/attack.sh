# attack.sh - what the tests that attack have in common
#
# To be sourced after lib/setup.sh.  The programs are beside the daemon, in
# the folder attack; the spy is in every jail's root as /spy.
#
# shellcheck shell=sh disable=SC2034,SC2154

ATTACK=${JAILDAEMON%/*}/attack
LONG=${JAILDAEMON_LONG:-0}
# A daemon under a sanitizer is slower and larger.
SLOWER=1
[ "${SANITIZED:-0}" = 0 ] || SLOWER=5

[ "$JAIL_OS" = Linux ] || {
	echo "1..0 # SKIP attacks on Linux"
	tap_done=1
	exit 0
}

# chosen SHORT LONG: one of them.
chosen() {
	if [ "$LONG" = 1 ]; then
		echo "$2"
	else
		echo "$1"
	fi
}

# A root with the spy in it, before the first jail of any kind.
spy_root() {
	jail_root && cp "$ATTACK/spy" "$T/root/spy"
}

# peek JAIL COMMAND...: in the jail's namespaces, past its engine, with all
# capabilities.
peek() {
	_j=$1
	shift
	nsenter -t "$(jail_pid "$_j")" -a -r -w "$@" </dev/null
}

# in_cgroup JAIL COMMAND...: the same, in its cgroups too.
in_cgroup() {
	(jail_cgroup_join "$JAIL_RUN-$1"
	peek "$@")
}

# spy JAIL MODE ARGUMENT...: in the background; the output is $T/spy.JAIL.  It
# has the host's /proc open, for what a jail could only guess.
spy() {
	_j=$1
	shift
	: >"$T/spy.$_j"
	in_cgroup "$_j" /spy "$@" >>"$T/spy.$_j" 2>&1 9</proc &
}

# spy_ends JAIL: asked to, and waited for.
spy_ends() {
	peek "$1" pkill -TERM -x spy
	wait_for 10 spy_gone "$1" || {
		peek "$1" pkill -KILL -x spy
		wait_for 10 spy_gone "$1"
	}
}

spy_gone() {
	! peek "$1" pgrep -x spy
}

# spied JAIL WORD: the number that the spy printed last under that name.
spied() {
	word "$2" <"$T/spy.$1"
}

# word NAME: the last NAME=number on stdin, or 0.
word() {
	_word=$(tr ' ' '\n' | sed -n "s/^$1=\(-*[0-9]*\)\$/\1/p" | tail -n 1)
	echo "${_word:-0}"
}

# early_is JAIL N: so many probes were caught before they reported.
early_is() {
	[ "$(spied "$1" early)" -ge "$2" ]
}

load() {
	"$ATTACK/load" "$@"
}

# load_arm JAIL COUNT TITLE [RESPAWN [UID]]
load_arm() {
	_pid=$(jail_pid "$1")
	_count=$2 _title=$3
	shift 3
	load arm "$D/sock" "$_pid" "$_count" "$_title" "$@"
}

# The daemon's CPU time in hundredths of a second, its descriptors, its
# memory in kB, and those of its children that are zombies.
daemon_cpu() {
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$DPID/stat"
}

daemon_fds() {
	find "/proc/$DPID/fd" -mindepth 1 | lines
}

daemon_rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$DPID/status"
}

zombies() {
	ps -o stat= -o pid= --ppid "$DPID" | sed -n 's/^Z[^ ]* *//p'
}

no_zombies() {
	[ -z "$(zombies)" ]
}

# children_are N: so many children, of whatever kind.
children_are() {
	[ "$(ps -o pid= --ppid "$DPID" | lines)" -eq "$1" ]
}

# at_most N LIMIT DESCRIPTION
at_most() {
	if [ "$1" -le "$2" ]; then
		pass "$3"
	else
		fail "$3"
		diag "$1, which is more than $2"
	fi
}

# at_least N LIMIT DESCRIPTION
at_least() {
	if [ "$1" -ge "$2" ]; then
		pass "$3"
	else
		fail "$3"
		diag "$1, which is less than $2"
	fi
}

# pings SECONDS: in the background; pings_end waits and tells the slowest
# answer in microseconds.
pings() {
	"$ATTACK/load" ping "$D/sock" "$1" >"$T/pings" 2>&1 &
	pings=$!
}

pings_end() {
	wait "$pings" || echo "max=99999999" >>"$T/pings"
	word max <"$T/pings"
}

# serves DESCRIPTION: another jail (b) can arm, fire and be run, in a second
# each.
serves() {
	served=$((${served:-0} + 1))
	_from=$(mark serves)
	_start=$(now)
	arm b "SERVES-$served" "echo x >>$M/serves" &&
	peek b pkill -HUP -x -f "jailprobe: SERVES-$served" &&
	wait_for 5 marked serves $((_from + 1))
	is "$?" 0 "$1"
	at_most $(($(now) - _start)) 3000 "and soon"
}

# Milliseconds.
now() {
	_now=$(date +%s%N)
	echo "${_now%??????}"
}
