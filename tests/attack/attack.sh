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
# For what serves() does; FreeBSD's clock is the shell's, in whole seconds.
case $JAIL_OS in
Linux)		PROMPT_MS=3000 ;;
FreeBSD)	PROMPT_MS=6000 ;;
esac
[ "${SANITIZED:-0}" = 0 ] || SLOWER=5

# Most are of one system.
case $JAIL_OS:${0##*/} in
FreeBSD:attack-freebsd.t | FreeBSD:attack-flood.t | FreeBSD:attack-socket.t)
	;;
Linux:attack-freebsd.t | FreeBSD:*)
	echo "1..0 # SKIP not an attack on $JAIL_OS"
	tap_done=1
	exit 0
	;;
esac

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
	case $JAIL_OS in
	Linux)		jail_root ;;
	FreeBSD)	spy_root_freebsd ;;
	esac && cp "$ATTACK/spy" "$T/root/spy"
}

# The host's programs, which cannot be written to, and its own rest.
spy_root_freebsd() {
	JAIL_ROOT=$T/root
	mkdir -p "$JAIL_ROOT/dev" "$JAIL_ROOT/proc" "$JAIL_ROOT/etc" \
	    "$JAIL_ROOT/tmp" || return 1
	tap_atexit spy_root_unmount
	for _f in passwd pwd.db group; do
		cp "/etc/$_f" "$JAIL_ROOT/etc/" || return 1
	done
	for _d in bin sbin lib libexec usr; do
		[ -d "/$_d" ] || continue
		mkdir "$JAIL_ROOT/$_d" &&
		mount -t nullfs -o ro "/$_d" "$JAIL_ROOT/$_d" || return 1
	done
	mount -t devfs devfs "$JAIL_ROOT/dev" &&
	mount -t procfs proc "$JAIL_ROOT/proc"
}

spy_root_unmount() {
	jail_cleanup
	mount -p | awk -v root="$JAIL_ROOT/" 'index($2, root) == 1 {
	    print $2 }' | sort -r | while read -r _m; do
		umount -f "$_m"
	done
}

# peek JAIL COMMAND...: in the jail's namespaces, past its engine, with all
# capabilities.
peek() {
	_j=$1
	shift
	case $JAIL_OS in
	Linux)		nsenter -t "$(jail_pid "$_j")" -a -r -w "$@" ;;
	FreeBSD)	jexec "$(jail_name "$_j")" "$@" ;;
	esac </dev/null
}

# in_cgroup JAIL COMMAND...: the same, in its cgroups too.
in_cgroup() {
	([ "$JAIL_OS" = FreeBSD ] || jail_cgroup_join "$JAIL_RUN-$1"
	peek "$@")
}

# group FILE: where that file of a's control group is, v1 or v2.
group() {
	jail_cgroup_file "$JAIL_RUN-a" "$1"
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
	_target=$(jail_pid "$1")
	_count=$2 _title=$3
	shift 3
	load arm "$D/sock" "$_target" "$_count" "$_title" "$@"
}

# The daemon's CPU time in hundredths of a second, its descriptors, its
# memory in kB, and those of its children that are zombies.
daemon_cpu() {
	case $JAIL_OS in
	Linux)
		awk '{ sub(/.*\) /, ""); print $12 + $13 }' \
		    "/proc/$DPID/stat" ;;
	FreeBSD)
		# Minutes, seconds and their hundredths.
		ps -o time= -p "$DPID" | awk -F '[:.]' '{
		    print ($1 * 60 + $2) * 100 + $3 }' ;;
	esac
}

daemon_fds() {
	case $JAIL_OS in
	Linux)		find "/proc/$DPID/fd" -mindepth 1 | lines ;;
	FreeBSD)	procstat -h -f "$DPID" | awk '$3 ~ /^[0-9]+$/' |
			    lines ;;
	esac
}

daemon_rss() {
	ps -o rss= -p "$DPID" | tr -d ' '
}

# State and number of each.
children() {
	ps -A -o ppid= -o stat= -o pid= |
	    awk -v daemon="$DPID" '$1 == daemon { print $2, $3 }'
}

zombies() {
	children | sed -n 's/^Z[^ ]* *//p'
}

no_zombies() {
	[ -z "$(zombies)" ]
}

# children_are N: so many children, of whatever kind.
children_are() {
	[ "$(children | lines)" -eq "$1" ]
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
	at_most $(($(now) - _start)) "$PROMPT_MS" "and soon"
}

# Milliseconds; FreeBSD's date(1) knows whole seconds.
now() {
	case $JAIL_OS in
	Linux)
		_now=$(date +%s%N)
		echo "${_now%??????}" ;;
	FreeBSD)
		echo "$(date +%s)000" ;;
	esac
}
