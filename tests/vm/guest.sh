#!/bin/sh
# The table of cases, in the virtual machine: what a stock host does to a
# probe that the other tests' machines don't.  Labels and control groups are
# the container's, and so a HUP from inside arrives, whoever confines it.
# Prints TAP.
#
# shellcheck disable=SC2034,SC2154,SC2317

exec 2>&1
cd /run/vm || exit 1
# shellcheck source=../lib/tap.sh
. ./tap.sh

M=$T/marks
mkdir -m 777 "$M"
count=0
jaildaemon=jaildaemon

# -- help ------------------------------------------------------------------

# Emulated, an engine may need longer than the 5 s that it has to answer.
patiently() {
	_left=10
	while :; do
		"$@" && return
		_rc=$?
		_left=$((_left - 1))
		[ "$_rc" -eq 75 ] && [ "$_left" -gt 0 ] || return "$_rc"
	done
}

label() {
	tr -d '\0' <"/proc/$1/attr/current"
}

control_groups() {
	cat "/proc/$1/cgroup"
}

probe() {
	pgrep -x -f "jailprobe: $1"
}

runs() {
	[ -e "$M/$1" ]
}

journal_has() {
	journalctl -b -o cat --no-pager -u jaildaemon | grep -Eq -e "$*"
}

# As the user, in the user's own session.  What stays of it, as a container's
# monitor does, is not waited for.
as_user() {
	systemd-run -q --user -M user@ --wait --pipe -p KillMode=process \
	    "$@" </dev/null
}

# Forks are dear here.
wait_for() {
	_end=$(($(date +%s) + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.3
	done
}

group() {
	tap_group=$1
	diag "$1, at $(cut -d . -f 1 /proc/uptime) s"
}

# tell PID TITLE: the first process of the container, which is PID here, sends
# a HUP to the probe of that title.
tell() {
	# shellcheck disable=SC2016 # the inner shell's
	timeout 20 sh -c 'echo "$2" >"/proc/$1/root/tell"' sh "$1" "$2"
}

# case_of ID PID LABEL [OPTION...]: arms by the name ID; the probe carries the
# label of the container whose first process is PID, a label like LABEL, and
# is in its control groups; a HUP from inside reaches it.  $jaildaemon is the
# utility.
case_of() {
	_id=$1 _pid=$2 _label=$3
	shift 3
	count=$((count + 1))
	_title=T$count
	like "$(label "$_pid")" "$_label" "is confined as it should be"
	# shellcheck disable=SC2086 # words
	ok "arm $_id $*" patiently $jaildaemon -c "echo x >>$M/$_title" \
	    -j "$_id" -t "$_title" "$@"
	_probe=$(probe "$_title")
	is "$(label "${_probe:-none}")" "$(label "$_pid")" "the label"
	is "$(control_groups "${_probe:-none}")" "$(control_groups "$_pid")" \
	    "the control groups"
	ok "a HUP from inside" tell "$_pid" "$_title"
	ok "runs the command" wait_for 20 runs "$_title"
}

# -- the host --------------------------------------------------------------

host() {
	group host
	is "$(stat -fc %T /sys/fs/cgroup)" cgroup2fs "pure cgroup v2"
	is "$(grep -c ' cgroup ' /proc/self/mounts)" 0 "and none of v1"
	is "$(cat /sys/module/apparmor/parameters/enabled)" Y "AppArmor"
	like "$(cat /sys/kernel/security/apparmor/profiles)" enforce \
	    "with profiles"
	is "$(cat /proc/1/comm)" systemd "systemd"
}

# -- the daemon as a service -----------------------------------------------

service() {
	group service
	cat >/etc/systemd/system/jaildaemon.service <<-'END'
	[Service]
	Type=simple
	ExecStart=/usr/local/sbin/jaildaemon -D -d -v
	KillMode=process
	END
	systemctl daemon-reload
	ok "starts" systemctl start jaildaemon
	ok "is in the journal" wait_for 10 journal_has event=start
	ok "stays" systemctl is-active jaildaemon
	ok "answers" wait_for 10 test -S /run/jaildaemon.pipe
}

# Whatever container is there, for the end of the service.
service_ends() {
	group "service, at its end"
	_pid=$1
	jaildaemon -c "echo x >>$M/drained" -j "$_pid" -t DRAINED
	jaildaemon -c "echo x >>$M/slow; sleep 5; echo x >>$M/outlived" \
	    -j "$_pid" -t SLOW
	jaildaemon -c : -j "$_pid" -t CALM
	pkill -HUP -x -f "jailprobe: SLOW"
	ok "a run begins" wait_for 10 runs slow
	pkill -STOP -x -f "jailprobe: DRAINED"
	pkill -HUP -x -f "jailprobe: DRAINED"
	ok "stops" systemctl stop jaildaemon
	is "$(systemctl show -p Result --value jaildaemon)" success "in order"
	ok "is in the journal" wait_for 10 journal_has event=stop
	ok "a HUP that came before it counts" wait_for 10 runs drained
	nok "no probe is left" pgrep jailprobe
	nok "nor the socket" test -e /run/jaildaemon.pipe
	ok "a run outlives it" wait_for 20 runs outlived
	ok "starts again" systemctl start jaildaemon
	ok "and answers" wait_for 10 test -S /run/jaildaemon.pipe
}

# -- docker ----------------------------------------------------------------

# docker_start NAME OPTION...
docker_start() {
	_name=$1
	shift
	docker run -d --name "$_name" --network none "$@" img /init \
	    >"$T/$_name.id" 2>"$T/$_name.err"
}

# All of them, beside the other engines' cases.
dockers_start() {
	systemctl start docker
	docker_start web --userns=host
	docker_start user --userns=host --user 1000
	docker_start nocap --userns=host --cap-drop ALL
	docker_start hostpid --userns=host --pid host
	docker_start free --userns=host --security-opt apparmor=unconfined
	docker_start mapweb
	docker_start mapuser --user 1000
}

docker_pid() {
	cat "/run/containerd/io.containerd.runtime.v2.task/moby/$(cat \
	    "$T/$1.id")/init.pid"
}

docker_case() {
	_name=$1 _label=$2
	shift 2
	group "docker, $_name"
	ok "is there" docker_pid "$_name"
	diag_file "$T/$_name.err"
	case_of "docker:$_name" "$(docker_pid "$_name")" "$_label" "$@"
}

# Without the label a probe would be out of reach: the same signal from the
# same container to a process that is unconfined.
docker_control() {
	group "docker, an unconfined process in the container"
	nsenter -t "$(docker_pid web)" -p -m -r -w sleep 4321 &
	ok "is there" wait_for 10 pgrep -x -f "sleep 4321"
	_sleep=$(pgrep -x -f "sleep 4321" | tail -n 1)
	is "$(label "$_sleep")" unconfined "has no label"
	ok "is seen inside" docker exec web pgrep -x -f "sleep 4321"
	nok "cannot be sent a HUP" docker exec web pkill -HUP -x -f "sleep 4321"
	ok "and lives on" pgrep -x -f "sleep 4321"
	pkill -x -f "sleep 4321"
}

dockers() {
	_default='^docker-default \(enforce\)$'
	docker_case web "$_default"
	docker_control
	docker_case user "$_default" -u 1000
	docker_case nocap "$_default"
	docker_case hostpid "$_default"
	docker_case free '^unconfined$'
	docker_case mapweb "$_default"
	unlike "$(cat "/proc/$(docker_pid mapweb)/uid_map")" '^ *0 *0 ' \
	    "has its uids mapped"
	docker_case mapuser "$_default" -u 1000
}

# -- podman ----------------------------------------------------------------

# podman_case NAME ARM-OPTIONS OPTION...
podman_case() {
	_name=$1 _arm=$2
	shift 2
	group "podman, $_name"
	ok "start" podman run -d --name "$_name" --pidfile "$T/$_name.pid" \
	    --network none "$@" img /init
	# shellcheck disable=SC2086 # words
	case_of "podman:$_name" "$(cat "$T/$_name.pid")" \
	    '^containers-default-.* \(enforce\)$' $_arm
}

podmans() {
	group podman
	is "$(podman info -f '{{.Host.OCIRuntime.Name}}')" crun "uses crun"
	podman_case pweb ""
	podman_case puser "-u 1000" --user 1000
	podman_case pmap "" --uidmap 0:300000:65536 --gidmap 0:300000:65536
}

# A user's own containers and daemon; and root's daemon, for the same.
rootless() {
	group "podman without root"
	ok "start" as_user podman run -d --name mine \
	    --pidfile /home/user/mine.pid --network none img /init
	_pid=$(cat /home/user/mine.pid)
	as_user mkdir -m 700 /home/user/jd
	ok "the user's daemon starts" systemd-run -q --user -M user@ \
	    --unit jd jaildaemon -D -d -f /home/user/jd/sock \
	    -p /home/user/jd/pid -S /home/user/jd/state
	ok "and answers" wait_for 10 test -S /home/user/jd/sock
	jaildaemon="as_user jaildaemon -f /home/user/jd/sock"
	case_of podman:mine "$_pid" '^unconfined$'
	case_of "$_pid" "$_pid" '^unconfined$' -u 1000
	jaildaemon=jaildaemon
	group "podman without root, root's daemon"
	case_of "$_pid" "$_pid" '^unconfined$'
	# From outside of the user's slice nobody but root may move a process
	# into it; the probe works all the same.
	group "podman without root, the user's daemon elsewhere"
	ok "the user's daemon starts" systemd-run -q --uid user --unit jd2 \
	    jaildaemon -D -d -f /home/user/jd/sock2 -p /home/user/jd/pid2 \
	    -S /home/user/jd/state2
	ok "and answers" wait_for 10 test -S /home/user/jd/sock2
	ok "arm" jaildaemon -f /home/user/jd/sock2 -c "echo x >>$M/elsewhere" \
	    -j "$_pid" -t ELSEWHERE
	ok "says that the probe is in another control group" \
	    wait_for 10 elsewhere_said event=cgroup
	ok "a HUP from inside" tell "$_pid" ELSEWHERE
	ok "runs the command" wait_for 20 runs elsewhere
}

elsewhere_said() {
	journalctl -b -o cat --no-pager -u jd2 | grep -q "$1"
}

# -- lxc -------------------------------------------------------------------

lxc_case() {
	_label=$2
	group "lxc, $1"
	{
		cat <<-END
		lxc.uts.name = web
		lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs
		lxc.net.0.type = empty
		lxc.init.cmd = /init
		lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
		END
		printf '%s\n' "$3"
	} >/var/lib/lxc/web/config
	ok "start" lxc-start -n web
	case_of lxc:web "$(lxc-info -n web -p -H)" "$_label"
	lxc-stop -k -n web
}

lxcs() {
	# What a configuration made by LXC's tools includes: a profile of its
	# own, stacked on a namespace of its own.
	lxc_case "its own profile" \
	    '^lxc-web_.*//&:lxc-web_.*:unconfined \(enforce\)$' \
	    "$(grep apparmor /etc/lxc/default.conf)"
	lxc_case "the profile for all" \
	    '^lxc-container-default-cgns \(enforce\)$' \
	    "lxc.apparmor.profile = lxc-container-default-cgns"
}

# -- systemd-nspawn --------------------------------------------------------

# machine_start ENVIRONMENT [OPTION...]
machine_start() {
	_env=$1
	shift
	ok "start" systemd-run -q --collect --unit machine -p KillMode=mixed \
	    ${_env:+-E "$_env"} systemd-nspawn -q --register=yes -M web \
	    -D /var/lib/machines/web --kill-signal=SIGKILL "$@" /init
	ok "is registered" wait_for 20 machine_pid
}

machine_stop() {
	machinectl terminate web
	wait_for 20 not machine_pid
}

machine_pid() {
	machinectl show -p Leader --value web 2>/dev/null
}

machines() {
	group machine
	machine_start SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
	case_of machine:web "$(machine_pid)" '^unconfined$'
	machine_stop
	group "machine, uids mapped"
	machine_start SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 --private-users=pick
	case_of machine:web "$(machine_pid)" '^unconfined$'
	machine_stop
}

# What nspawn chooses for a system without systemd: a hierarchy of v1, which
# exists from here on, but which the host has not mounted.
machine_v1() {
	group "machine, cgroup v1"
	machine_start ""
	_pid=$(machine_pid)
	ok "has a hierarchy that the host has not mounted" \
	    grep -q '^1:name=systemd:/machine' "/proc/$_pid/cgroup"
	ok "arm" patiently jaildaemon -c "echo x >>$M/v1" -j machine:web -t V1
	_probe=$(probe V1)
	is "$(control_groups "${_probe:-none}" | grep '^0::')" \
	    "$(control_groups "$_pid" | grep '^0::')" "the control group of v2"
	ok "a HUP from inside" tell "$_pid" V1
	ok "runs the command" wait_for 20 runs v1
	machine_stop
}

# --------------------------------------------------------------------------

cp -a root/. / || exit 1
systemctl --no-block start user@1000
dockers_start &
dockers=$!
host
service
lxcs
machines
podmans
rootless
wait "$dockers"
dockers
service_ends "$(docker_pid web)"
machine_v1
group end
unlike "$(journalctl -b -o cat --no-pager -u jaildaemon)" \
    'Assertion|Sanitizer|dumped' "the daemon has nothing to confess"
[ "$tap_failed" -eq 0 ] || {
	journalctl -b -o cat --no-pager -u jaildaemon >log
	diag_file log
	dmesg | grep DENIED >denied
	diag_file denied
}
diag "the end, at $(cut -d . -f 1 /proc/uptime) s"
done_testing
