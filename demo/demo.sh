#!/bin/sh
# demo.sh - a container (Linux) or jail (FreeBSD) makes its host do something
#
# Run by `make demo`, as root.  Lines that begin with "host#" or "jail#" are
# the commands themselves: what is printed is what is executed.  Everything
# lives in one temporary folder and goes when this script ends, however it
# ends.  Exits with a status other than 0 if a step did not do what it said.
#
# JAILDAEMON names the program; the default is the one that make has built.
set -u
exec 3>&1

fail()
{
	printf 'demo: FAILED: %s\n' "$*" >&2
	exit 1
}

# cannot STATUS WHY: a status of sysexits(3)
cannot()
{
	printf 'demo: %s\n' "$2" >&2
	exit "$1"
}

# step TEXT: what comes next, in one line
step()
{
	printf '\n%s\n' "$1"
}

# on_host COMMAND: as typed in a shell of the host
on_host()
{
	printf '    host# %s\n' "$1" >&3
	eval "$1"
}

# in_jail COMMAND: as typed in a shell of the jail
in_jail()
{
	printf '    jail# %s\n' "$1" >&3
	enter sh -c "exec $1"
}

# indented: output, as it looks below a command
indented()
{
	tee "$dir/output" | sed 's/^/    /'
}

# shown TEXT: the last indented output has it
shown()
{
	grep -qF -e "$1" "$dir/output"
}

# within_5s COMMAND...: again and again, until it succeeds
within_5s()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 50 ] || return 1
		sleep 0.1
	done
}

# has_lines NUMBER: so many notes were written by now
has_lines()
{
	[ -f "$notes" ] && [ "$(wc -l <"$notes")" -eq "$1" ]
}

has_probe()
{
	enter pgrep -f "^jailprobe: $1\$"
}

has_no_probe()
{
	! enter pgrep -f '^jailprobe'
}

# -- what differs between the systems ---------------------------------------

enter()
{
	case $system in
	Linux)		nsenter -t "$jail" -a "$@" ;;
	FreeBSD)	jexec "$jail" "$@" ;;
	esac
}

first_process()
{
	jail=$(pgrep -P "$unshare") && [ "$(cat "/proc/$jail/comm")" = sleep ]
}

make_jail_Linux()
{
	step "A throw-away container: namespaces of its own, and its own /proc."
	on_host "unshare -pfmuin --mount-proc --kill-child sleep 600 &"
	unshare=$!
	within_5s first_process || fail "there is no container"
	printf '%s\n' "    (process $jail; below, \"jail#\" is a shell in there:" \
	    "    nsenter -t $jail -a sh)"
}

make_jail_FreeBSD()
{
	step "A throw-away jail; it shares the host's files, not its processes."
	jail=jaildemo$$
	on_host "jail -c name=$jail path=/ host.hostname=jaildemo persist" ||
	    fail "there is no jail"
	printf '    %s\n' "(below, \"jail#\" is a shell in there: jexec $jail sh)"
}

# The container goes with its unshare (--kill-child).
end_jail()
{
	[ -z "$unshare" ] || kill -9 "$unshare"
	[ -z "$unshare" ] || wait "$unshare"
	[ "$system" != FreeBSD ] || [ -z "$jail" ] || jail -r "$jail"
}

# -- cleaning up -------------------------------------------------------------

daemon_is_gone()
{
	[ ! -e "$dir/sock" ]
}

stop_daemon()
{
	[ -s "$dir/pid" ] || return 0
	kill "$(cat "$dir/pid")" && within_5s daemon_is_gone
}

clean_up()
{
	status=$?
	trap - EXIT
	trap '' HUP INT PIPE TERM
	{
		stop_daemon
		end_jail
	} >/dev/null 2>&1
	rm -rf "$dir"
	exit "$status"
}

# -- what is needed ----------------------------------------------------------

system=$(uname -s)
case $system in
Linux)		needed='unshare nsenter pkill pgrep ps' ;;
FreeBSD)	needed='jail jexec pkill pgrep ps' ;;
*)		cannot 69 "this runs on Linux and FreeBSD, not on $system" ;;
esac
[ "$(id -u)" -eq 0 ] || cannot 77 "a container is made: run this as root"
for program in $needed; do
	command -v "$program" >/dev/null ||
	    cannot 69 "$program is not installed"
done
: "${JAILDAEMON:=$(dirname "$0")/../build/jaildaemon}"
[ -x "$JAILDAEMON" ] || cannot 69 "there is no $JAILDAEMON: run make first"
PATH=$(cd "$(dirname "$JAILDAEMON")" && pwd):$PATH
export PATH

jail=
unshare=
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/jaildemo.XXXXXX") || exit 73
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
notes=$dir/notes

# -- the demonstration -------------------------------------------------------

step "The daemon, on a socket of its own; it returns once it can be used."
on_host "jaildaemon -D -f $dir/sock -p $dir/pid" || fail "no daemon"

"make_jail_$system"

step "The host ties a command to a title in that jail: the action is armed."
note="echo \"\$(date +%T) \$JAILDAEMON_TITLE\" >>$notes"
on_host "jaildaemon -f $dir/sock -j $jail -t SAY_WHEN -c '$note'" ||
    fail "the action is not armed"

step "From inside, all there is to see is a process that does nothing."
in_jail "ps -ax -o pid,user,args" | indented
shown "jailprobe: SAY_WHEN" || fail "the jail does not see the probe"
has_lines 0 || [ ! -e "$notes" ] || fail "the command ran too early"

step "The jail sends it a SIGHUP. It needs no other tool, file or socket."
in_jail "pkill -HUP -f '^jailprobe: SAY_WHEN'" || fail "no signal was sent"

step "And the host has run the command that it chose itself:"
within_5s has_lines 1 || fail "the host did not run the command once"
on_host "cat $notes" | indented
shown SAY_WHEN || fail "the command did not know its title"

step "That was a single shot: the probe is gone, so there is nothing to signal."
if in_jail "pkill -HUP -f '^jailprobe: SAY_WHEN'"; then
	fail "the probe is still there"
fi
printf '    (pkill: exit status 1, no such process)\n'

step "With -r there is a new probe after each run:"
on_host "jaildaemon -f $dir/sock -j $jail -t AGAIN -r -c '$note'" ||
    fail "the action is not armed"
in_jail "pkill -HUP -f '^jailprobe: AGAIN'" || fail "no signal was sent"
within_5s has_lines 2 || fail "the host did not run the command"
within_5s has_probe AGAIN || fail "the probe did not come back"
in_jail "pkill -HUP -f '^jailprobe: AGAIN'" || fail "no second signal was sent"
within_5s has_lines 3 || fail "the host did not run the command again"
on_host "cat $notes" | indented

step "Another signal does nothing on the host; with -r the probe comes back later."
within_5s has_probe AGAIN || fail "the probe did not come back"
in_jail "pkill -TERM -f '^jailprobe: AGAIN'" || fail "no signal was sent"
within_5s has_no_probe || fail "the probe did not end"
sleep 0.5
has_lines 3 || fail "the command ran without a SIGHUP"
on_host "wc -l $notes" | indented

step "When the daemon ends, its probes go with it; nothing stays in the jail."
on_host "kill \$(cat $dir/pid)"
within_5s daemon_is_gone || fail "the daemon did not end"
in_jail "ps -ax -o pid,user,args" | indented
! shown jailprobe || fail "a probe was left behind"

printf '\nAll of it was as it should be. Containers with a name go the same way:\n'
printf '    host# jaildaemon -j docker:web -t RESTART -c "docker restart web"\n'
