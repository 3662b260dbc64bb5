#!/bin/sh
# What a probe holds, seen from the host and from inside, whatever the daemon
# was started with.
#
# shellcheck disable=SC1091,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

# The daemon in bad company: nohup's, a terminal's, and worse.
start_badly() {
	daemon_dir "d-$1"
	"$ATTACK/scene" company script -qfec "exec '$JAILDAEMON' -D -d \
	    -f '$D/sock' -p '$D/pid' -S '$D/state' 2>'$D/log'" /dev/null \
	    <"$T/never" >"$D/out" 2>&1 &
	bad=$!
	wait_for 20 log_has event=start || return
	DPID=$(sed -n 's/.*event=start pid=\([0-9]*\) .*/\1/p' "$D/log")
	echo "$DPID" >"$D/daemon"
}

# status_of PID NAME...: fields of /proc/PID/status, from within a jail or not.
fields() {
	sed -n -E "s/^($1):[[:space:]]*/\1 /p" | tr -s '\t\n ' '   '
}

zero=0000000000000000
clean="SigBlk $zero SigIgn $zero SigCgt $zero"
clean="$clean CapInh $zero CapPrm $zero CapEff $zero CapBnd $zero CapAmb $zero"
wanted='Sig(Blk|Ign|Cgt)|Cap(Inh|Prm|Eff|Bnd|Amb)'

limits() {
	sed -n -E 's/^Max (core file size|file size|open files) +([^ ]+) +([^ ]+) .*/\2 \3/p' \
	    "/proc/$1/limits" | tr '\n' ' '
}

# The same place as the jail's first process.
place() {
	for _n in pid mnt ipc uts net user cgroup time; do
		[ ! -e "/proc/$1/ns/$_n" ] || readlink "/proc/$1/ns/$_n"
	done
	cat "/proc/$1/cgroup" "/proc/$1/oom_score_adj"
	stat -L -c '%d %i' "/proc/$1/root/." "/proc/$1/cwd/."
}

jail_place() {
	place "$1" | sed '$d'
	place "$1" | tail -n 2 | head -n 1
}

is_settled() {
	grep -q '^Seccomp_filters:[[:space:]]*2$' "/proc/$1/status"
}

outside() {
	init=$(jail_pid a)
	# Who armed it is told before it does its last two steps.
	wait_for 5 is_settled "$1"
	is "$(fields "$wanted" <"/proc/$1/status")" "$clean " \
	    "no capability, no signal blocked, ignored or caught"
	is "$(fields 'NoNewPrivs|Seccomp|TracerPid' <"/proc/$1/status")" \
	    "TracerPid 0 NoNewPrivs 1 Seccomp 2 " \
	    "no new privileges, a filter"
	is "$(fields Seccomp_filters <"/proc/$1/status")" \
	    "Seccomp_filters 2 " "and one more than it was born in"
	is "$(fields 'Groups' <"/proc/$1/status" | tr -d ' ')" Groups \
	    "no supplementary group"
	is "$(find "/proc/$1/fd" -mindepth 1 | lines)" 0 "no descriptor"
	is "$(wc -c <"/proc/$1/environ")" 0 "no environment"
	is "$(tr '\0' '\n' <"/proc/$1/cmdline")" "jailprobe: HOLDS $2" \
	    "the title alone"
	at_most "$(awk '/^VmRSS:/ { print $2 }' "/proc/$1/status")" 64 \
	    "kB resident"
	place "$1" >"$T/place"
	jail_place "$init" >"$T/place.init"
	is "$(cat "$T/place")" "$(cat "$T/place.init")" \
	    "namespaces, cgroups, OOM score, root and folder are the jail's"
	is "$(limits "$1")" "0 0 0 0 0 0 " "limits"
	like "$(readlink "/proc/$1/exe")" '^/memfd:jailprobe ' \
	    "a program in memory"
	is "$(awk '{ sub(/.*\) /, ""); print ($4 == pid), $5, $6 }' \
	    pid="$1" "/proc/$1/stat")" "1 0 -1" \
	    "a session of its own without a terminal"
	is "$(ps -o ni= -p "$1" | tr -d ' ')" 0 "the usual priority"
	is "$(cut -d ' ' -f 40,41 "/proc/$1/stat")" "0 0" "and policy"
	is "$(ionice -p "$1")" "none: prio 0" "for files too"
	unlike "$(cat "/proc/$1/maps")" 'jaildaemon|\.so' "none of the daemon"
	is "$(awk '/^Umask:/ { print $2 }' "/proc/$1/status")" 0077 "umask"
}

inside() {
	jail_exec a sh -c "cat /proc/$1/status" >"$T/inside"
	is "$(fields "$wanted" <"$T/inside")" "$clean " \
	    "inside: no capability, all signals at their default"
	is "$(fields 'NoNewPrivs|Seccomp' <"$T/inside")" \
	    "NoNewPrivs 1 Seccomp 2 " "inside: no new privileges, a filter"
	is "$(jail_exec a sh -c "tr '\\0' '\\n' </proc/$1/cmdline")" \
	    "jailprobe: HOLDS $2" "inside: the title alone"
	nok "inside: no descriptor, or none that may be seen" \
	    jail_exec a sh -c "ls -A /proc/$1/fd | grep ."
	nok "inside: no environment, or none that may be read" \
	    jail_exec a sh -c "grep . /proc/$1/environ"
}

# Through /proc/PID/exe: whoever may open it changes this probe's alone.
program() {
	spy a exe 20
	ok "a jail tries its probe's program" wait_for 10 \
	    grep -q probes= "$T/spy.a"
	at_least "$(spied a probes)" 1 "it finds it"
	case $1 in
	*-userns)	is "$(spied a opened)" 0 "cannot even open it" ;;
	*)		at_least "$(spied a leased)" 1 "but can lease it" ;;
	esac
	others_arm "meanwhile"
	# Some shells clean up after whoever started them; this one does not.
	mount --bind /bin/bash /bin/sh
	# From here on nobody executes it.
	ok "HUP" fire a "HOLDS $1"
	case $1 in
	*-userns)	;;
	*)		ok "when it has ended, it can be kept from all" \
			    wait_for 10 kept ;;
	esac
	others_arm "then, too,"
	is "$(spied a written)" 0 "cannot write to it"
	is "$(spied a chmodded)" 0 "or change its mode"
	spy_ends a
}

kept() {
	[ "$(spied a kept)" -ge 1 ]
}

# others_arm WHEN: and the jail itself.
others_arm() {
	load_arm b 3 "LEASE$$" >"$T/load"
	is "$(word ok <"$T/load")" 3 "$1 another jail arms"
	at_most "$(word max <"$T/load")" 1000000 "us each, within a second"
	ok "and the same" arm a "LEASE$$" :
	peek a pkill -HUP -f "^jailprobe: LEASE$$"
	peek b pkill -HUP -f "^jailprobe: LEASE$$"
	ok "none of them stays" wait_for 5 not pgrep -f "^jailprobe: LEASE$$"
}

untraceable() {
	jail_exec a /spy trace plain >"$T/trace"
	at_least "$(word probes <"$T/trace")" 1 \
	    "root without CAP_SYS_PTRACE sees the probe"
	is "$(word traced <"$T/trace") $(word read <"$T/trace") $(word opened \
	    <"$T/trace")" "0 0 0" "and can neither trace nor read it"
}

# What the command has, whoever started the daemon.
run() {
	ok "the command runs" wait_for 5 test -s "$M/run"
	umount /bin/sh
	unlike "$(cat "$M/ring")" jdtest "without the daemon's keyring"
	is "$(fields "Sig(Blk|Ign)" <"$M/run")" "SigBlk $zero SigIgn $zero " \
	    "with no signal blocked or ignored"
	rm -f "$M/run" "$M/ring"
}

holds() {
	tap_group=$1
	lack=$(jail_missing "$1")
	[ -z "$lack" ] || { skip "no $lack"; return; }
	jail_start "$1" a || { fail "no jail"; return; }
	start_badly "$1" || { fail "no daemon"; return; }
	ok "arm" arm a "HOLDS $1" "'$ATTACK/spy' keyring >$M/ring
	    cat /proc/self/status >$M/run.new; mv $M/run.new $M/run"
	outside "$(probe_pid a "HOLDS $1")" "$1"
	inside "$(jail_exec a pgrep -x -f "jailprobe: HOLDS $1")" "$1"
	untraceable
	program "$1"
	run
	kill -TERM "$DPID"
	ok "the daemon ends" wait_for 10 not alive "$DPID"
	rm -f "$D/daemon"
	kill -9 "$bad"
	jail_stop a
}

mkfifo "$T/never"
sleep 600 >"$T/never" &
never=$!
tap_atexit kill "$never"
spy_root
jail_start unshare b || fail "no neighbour"
[ $# -gt 0 ] || set -- unshare unshare-userns docker podman lxc
for kind; do
	holds "$kind"
done
tap_group=
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
