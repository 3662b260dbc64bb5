#!/bin/sh
# Kernels that refuse: each step of attaching a probe fails in turn, by a filter
# that daemon and stub inherit; and what older kernels lack is done without, or
# said at the start.  Security labels that cannot be read, or taken.
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

DENY=${JAILDAEMON%/*}/state/deny
PROGRAM=$JAILDAEMON

# denied CALL ERROR: from here on, programs and daemons are started so.
denied() {
	printf '#!/bin/sh\nexec "%s" "%s" %s "%s" "$@"\n' "$DENY" "$1" "$2" \
	    "$PROGRAM" >"$T/denied"
	chmod 755 "$T/denied"
	JAILDAEMON=$T/denied
}

allowed() {
	JAILDAEMON=$PROGRAM
}

# step CALL ERROR STATUS WORDS: arming is refused in these words, and nothing is
# left of it.
step() {
	tap_group="$1 $2"
	denied "$1" "$2"
	ok "a daemon" daemon_start
	allowed
	ok "does not arm" refused "$3" "$4" -f "$D/sock" -c : -t T \
	    -j "$(jail_pid j)"
	is "$("$JAILDAEMON" list -f "$D/sock" -J)" "" "lists nothing"
	ok "has left no probe" wait_for 5 no_probes j
	is "$(log_count 'event=bug')" 0 "and made no mistake"
	daemon_stop
}

# works CALL ERROR: it is armed, and a HUP runs its command.
works() {
	tap_group="without $1"
	denied "$1" "$2"
	ok "a daemon" daemon_start
	allowed
	rm -f "$M/ran"
	ok "arms" arm j T "echo x >>$M/ran"
	ok "a HUP" fire j T
	ok "runs the command" wait_for 10 test -e "$M/ran"
	daemon_stop
}

# unfit CALL ERROR STATUS WORDS: the daemon does not start.
unfit() {
	tap_group="start without $1"
	denied "$1" "$2"
	ok "is refused" refused "$3" "$4" -D -f "$D/sock" -p "$D/pid" \
	    -S "$D/state"
	allowed
}

# A process of the jail that is not its first stands for the jail.
other_process() {
	tap_group="another process"
	# NS_GET_PID_FROM_PIDNS, since Linux 6.11.
	denied ioctl:1=0x8004b706 ENOTTY
	ok "a daemon" daemon_start
	allowed
	jail_exec j sleep 54321 2>"$T/sleep" &
	ok "another process of the jail" wait_for 5 pgrep -x -f "sleep 54321"
	_other=$(pgrep -x -f "sleep 54321" | tail -n 1)
	ok "arms by that" jd -c : -t OTHER -j "$_other"
	like "$("$JAILDAEMON" list -f "$D/sock" -J)" "\"jid\":$(jail_pid j)," \
	    "the first one was looked for, and found"
	pkill -x -f "sleep 54321"
	ok "it stays when the other has ended" wait_for 5 not alive "$_other"
	like "$("$JAILDAEMON" list -f "$D/sock" -J)" '"state":"armed"' "armed"
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	daemon_stop
}

# for_all CALL ERROR WORDS: what one stub cannot do is said of each probe that it
# should have made.
for_all() {
	tap_group="for all: $1"
	denied "$1" "$2"
	ok "a daemon with 40 actions" daemon_start
	allowed
	ok "each is refused" wait_for 15 refused_are 40 "$3"
	is "$(log_count 'event=refuse .*before it was born')" 0 \
	    "in these words"
	is "$(log_count 'event=bug')" 0 "and made no mistake"
	is "$("$JAILDAEMON" list -f "$D/sock" -J | lines)" 40 "all are kept"
	daemon_stop
}

# refused_are N WORDS: so many actions.
refused_are() {
	[ "$(sed -n "s/.*event=refuse id=\([0-9]*\) .*$2.*/\1/p" "$D/log" |
	    sort -u | lines)" -eq "$1" ]
}

armed_are() {
	[ "$("$JAILDAEMON" list -f "$D/sock" -J |
	    grep -c '"state":"armed"')" -eq "$1" ]
}

# labelled NAME FILE OURS THEIRS: a daemon to which the kernel seems to say so in
# attr/FILE of it and of the jail; an empty THEIRS: there is no such file.
labelled() {
	tap_group="label: $1"
	rm -rf "$T/ours" "$T/theirs"
	mkdir -p "$T/ours/${2%current}" "$T/theirs/${2%current}"
	printf '%s\n' "$3" >"$T/ours/$2"
	[ -z "$4" ] || printf '%s\n' "$4" >"$T/theirs/$2"
	cat >"$T/denied" <<-END
	#!/bin/sh
	exec unshare -m --propagation private sh -c '
	mount --bind "$T/ours" "/proc/\$\$/attr" &&
	mount --bind "$T/theirs" /proc/$(jail_pid j)/attr &&
	exec "$PROGRAM" "\$@"' sh "\$@"
	END
	chmod 755 "$T/denied"
	JAILDAEMON=$T/denied
	ok "a daemon" daemon_start
	allowed
}

# labels FILE: apparmor/current, or current, which SELinux has.
labels() {
	labelled "another, $1" "$1" unconfined "docker-default (enforce)"
	ok "which the kernel does not give: refused" refused 71 \
	    "could not take the jail's security label: Invalid argument" \
	    -f "$D/sock" -c : -t T -j "$(jail_pid j)"
	ok "no probe is left" wait_for 5 no_probes j
	daemon_stop
	labelled "the same, $1" "$1" "docker-default (enforce)" \
	    "docker-default (complain)"
	ok "needs not be taken" arm j T :
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	daemon_stop
	labelled "unreadable, $1" "$1" unconfined ""
	ok "refused" refused 71 \
	    "cannot read the security label of process $(jail_pid j)\$" \
	    -f "$D/sock" -c : -t T -j "$(jail_pid j)"
	daemon_stop
	labelled "too long, $1" "$1" unconfined "$(printf '%0256d' 0)"
	ok "refused" refused 71 "the security label of process $(jail_pid j) is \
longer than 255 bytes\$" -f "$D/sock" -c : -t T -j "$(jail_pid j)"
	daemon_stop
}

forty() {
	tap_group="forty"
	ok "a daemon" daemon_start
	_n=0
	while [ "$_n" -lt 40 ]; do
		_n=$((_n + 1))
		arm j "MANY-$_n" : -r || break
	done
	is "$_n" 40 "40 actions"
	daemon_stop
}

ok "what has calls refused" test -x "$DENY"
ok "a jail" jail_start unshare j
daemon_dir d

# In the order of the stub's own steps.  Of prctl's options, 4 is DUMPABLE, 24
# CAPBSET_DROP, 47 CAP_AMBIENT, 38 NO_NEW_PRIVS, 1 PDEATHSIG; of seccomp's, 1
# sets a filter and 2 asks for an action; 0x8000 is CLONE_PARENT, which no other
# clone has.
step prctl:0=4 EPERM 71 'could not make itself untraceable'
step seccomp:0=2 EINVAL 71 'could not enter its sandbox: Invalid argument'
step keyctl:0=1 ENOMEM 71 'could not shed what it inherited'
step setsid EPERM 71 'could not shed what it inherited'
step statx EIO 71 'could not look at the jail: Input/output error'
step setgroups EPERM 71 'could not drop its supplementary groups'
step setns EPERM 71 'could not enter the jail: Operation not permitted'
step fchdir EIO 71 "could not enter the jail's root directory"
step chroot EPERM 71 "could not enter the jail's root directory"
step prctl:0=24 EPERM 71 'could not empty its capability bounding set'
step setresgid EAGAIN 71 'could not set its group id'
step setresuid EAGAIN 71 'could not set its user id'
step capset EPERM 71 'could not drop its capabilities'
step prctl:0=47 EPERM 71 'could not drop its capabilities'
step prctl:0=38 EINVAL 71 'could not give up new privileges'
step prlimit64:1=1 EPERM 71 'could not limit itself'
step seccomp:0=1 EINVAL 71 'could not enter its sandbox'
step 'clone:0&0x8000' EAGAIN 75 'cannot create the probe process: .* a limit of processes'
step prctl:0=1 EINVAL 71 "could not tie itself to the daemon.s life: Invalid"

# Older kernels, and engines' sandboxes around the daemon: MFD_EXEC, F_SEAL_EXEC
# for F_ADD_SEALS, no keys.
works 'memfd_create:1&0x10' EINVAL
works 'fcntl:1=1033,2&0x20' EINVAL
works keyctl ENOSYS
works personality EPERM
works sched_setscheduler EPERM
other_process

labels apparmor/current
labels current

unfit pidfd_open ENOSYS 71 'cannot hold probes: pidfd_open\(2\), Linux 5\.3'
unfit close_range ENOSYS 71 'cannot hold probes: close_range\(2\), Linux 5\.9'
unfit memfd_create ENOSYS 71 'cannot hold probes: memfd_create\(2\)'
unfit 'clone:0&0x01000000' EAGAIN 71 'cannot start a process: Resource temporarily'

forty
for_all setns EPERM 'could not enter the jail: Operation not permitted'
for_all 'clone:0&0x8000' EAGAIN 'cannot create the probe process: '
for_all prctl:0=1 EINVAL "could not tie itself to the daemon.s life: Invalid"
tap_group="forty"
ok "a daemon that may do all" daemon_start
ok "arms all" wait_for 20 armed_are 40
daemon_stop

tap_group=
jail_stop j
done_testing
