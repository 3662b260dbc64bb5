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

remap="docker -H unix:///run/docker-remap.sock"

# -- help ------------------------------------------------------------------

# Emulated, an engine may need longer than the 5 s that it has to answer.
patiently() {
	_left=5
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

# As the user, in the user's own session.
as_user() {
	systemd-run -q --user -M user@ --wait --pipe "$@" </dev/null
}

group() {
	tap_group=$1
	diag "$1, at $(cut -d . -f 1 /proc/uptime) s"
}

# case_of ID PID LABEL INSIDE [OPTION...]: arms by the name ID; the probe
# carries the label of the container whose first process is PID, a label like
# LABEL, and is in its control groups; INSIDE, words before a command, sends
# the HUP.  $jaildaemon is the utility.
case_of() {
	_id=$1 _pid=$2 _label=$3 _inside=$4
	shift 4
	count=$((count + 1))
	_title=T$count
	like "$(label "$_pid")" "$_label" "is confined as it should be"
	# shellcheck disable=SC2086 # words
	ok "arm $_id $*" patiently $jaildaemon -c "echo x >>$M/$_title" \
	    -j "$_id" -t "$_title" "$@"
	_probe=$(probe "$_title")
	is "$(label "$_probe")" "$(label "$_pid")" "the label"
	is "$(control_groups "$_probe")" "$(control_groups "$_pid")" \
	    "the control groups"
	# shellcheck disable=SC2086 # words
	ok "HUP from inside" $_inside pkill -HUP -x -f "jailprobe: $_title"
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

docker_case() {
	_name=$1 _label=$2 _options=$3
	shift 3
	group "docker $_options"
	# shellcheck disable=SC2086 # words
	ok "start" docker run -d --name "$_name" --network none $_options \
	    img /init
	case_of "docker:$_name" \
	    "$(docker inspect -f '{{.State.Pid}}' "$_name")" \
	    "$_label" "docker exec $_name" "$@"
}

remap_case() {
	_name=$1 _options=$2
	shift 2
	group "docker, uids mapped, $_options"
	# shellcheck disable=SC2086 # words
	ok "start" $remap run -d --name "$_name" --network none $_options \
	    img /init
	_pid=$($remap inspect -f '{{.State.Pid}}' "$_name")
	unlike "$(cat "/proc/$_pid/uid_map")" '^ *0 *0 ' "uids are mapped"
	DOCKER_HOST=unix:///run/docker-remap.sock
	export DOCKER_HOST
	case_of "docker:$_name" "$_pid" '^docker-default \(enforce\)$' \
	    "docker exec $_name" "$@"
	unset DOCKER_HOST
}

# Without the label a probe would be out of reach: the same signal from the
# same container to a process that is unconfined.
docker_control() {
	group "docker, an unconfined process in the container"
	_pid=$(docker inspect -f '{{.State.Pid}}' web)
	nsenter -t "$_pid" -p -m -r -w sleep 4321 &
	ok "is there" wait_for 10 pgrep -x -f "sleep 4321"
	_sleep=$(pgrep -x -f "sleep 4321" | tail -n 1)
	is "$(label "$_sleep")" unconfined "has no label"
	ok "is seen inside" docker exec web pgrep -x -f "sleep 4321"
	nok "cannot be sent a HUP" docker exec web pkill -HUP -x -f "sleep 4321"
	ok "and lives on" pgrep -x -f "sleep 4321"
	pkill -x -f "sleep 4321"
	wait
}

dockers() {
	_default='^docker-default \(enforce\)$'
	group docker
	ok "docker runs" systemctl start docker
	docker_case web "$_default" ""
	docker_control
	docker_case user "$_default" "--user 1000" -u 1000
	docker_case nocap "$_default" "--cap-drop ALL"
	docker_case hostpid "$_default" "--pid host"
	docker_case free '^unconfined$' "--security-opt apparmor=unconfined"
	group "docker, uids mapped"
	ok "docker runs" systemctl start docker-remap
	remap_case rweb ""
	remap_case ruser "--user 1000" -u 1000
}

# -- podman ----------------------------------------------------------------

podman_case() {
	_name=$1 _options=$2
	shift 2
	group "podman $_options"
	# shellcheck disable=SC2086 # words
	ok "start" podman run -d --name "$_name" --network none $_options \
	    img /init
	case_of "podman:$_name" \
	    "$(podman inspect -f '{{.State.Pid}}' "$_name")" \
	    '^containers-default-.* \(enforce\)$' "podman exec $_name" "$@"
}

podmans() {
	group podman
	like "$(podman info -f '{{.Host.OCIRuntime.Name}}')" crun "uses crun"
	podman_case pweb ""
	podman_case puser "--user 1000" -u 1000
	podman_case pmap "--uidmap 0:300000:65536 --gidmap 0:300000:65536"
}

# A user's own containers and daemon; and root's daemon, for the same.
rootless() {
	group "podman without root"
	ok "start" as_user podman run -d --name mine --network none img /init
	_pid=$(as_user podman inspect -f '{{.State.Pid}}' mine)
	as_user mkdir -m 700 /home/user/jd
	ok "the user's daemon starts" systemd-run -q --user -M user@ \
	    --unit jd jaildaemon -D -d -f /home/user/jd/sock \
	    -p /home/user/jd/pid -S /home/user/jd/state
	ok "and answers" wait_for 10 test -S /home/user/jd/sock
	jaildaemon="as_user jaildaemon -f /home/user/jd/sock"
	case_of podman:mine "$_pid" '^unconfined$' "as_user podman exec mine"
	case_of podman:mine "$_pid" '^unconfined$' \
	    "as_user podman exec --user 1000 mine" -u 1000
	jaildaemon=jaildaemon
	group "podman without root, root's daemon"
	case_of "$_pid" "$_pid" '^unconfined$' "as_user podman exec mine"
	# Out of the user's own slice systemd has set no one free to leave.
	group "podman without root, a daemon elsewhere"
	ok "the user's daemon starts" systemd-run -q --uid user --unit jd2 \
	    jaildaemon -D -d -f /home/user/jd/sock2 -p /home/user/jd/pid2 \
	    -S /home/user/jd/state2
	ok "and answers" wait_for 10 test -S /home/user/jd/sock2
	ok "arm" jaildaemon -f /home/user/jd/sock2 -c "echo x >>$M/elsewhere" \
	    -j "$_pid" -t ELSEWHERE
	like "$(journalctl -b -o cat --no-pager -u jd2)" event=cgroup \
	    "says that the probe is in the daemon's control group"
	ok "HUP from inside" \
	    as_user podman exec mine pkill -HUP -x -f "jailprobe: ELSEWHERE"
	ok "runs the command" wait_for 20 runs elsewhere
}

# -- lxc -------------------------------------------------------------------

lxc_case() {
	_name=$1 _label=$2
	shift 2
	group "lxc, $1"
	{
		cat <<-END
		lxc.uts.name = web
		lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs
		lxc.net.0.type = empty
		lxc.init.cmd = /init
		lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
		END
		printf '%s\n' "$@"
	} >/var/lib/lxc/web/config
	ok "start" lxc-start -n web
	case_of lxc:web "$(lxc-info -n web -p -H)" "$_label" \
	    "lxc-attach -n web --"
	lxc-stop -k -n web
}

lxcs() {
	# What LXC's own template for configurations has, and the profile that
	# it names for those that have none.
	lxc_case web '^lxc-web_.*//&:lxc-web_.*:unconfined \(enforce\)$' \
	    "$(grep apparmor /etc/lxc/default.conf)"
	lxc_case web '^lxc-container-default-cgns \(enforce\)$' \
	    "lxc.apparmor.profile = lxc-container-default-cgns"
}

# -- systemd-nspawn --------------------------------------------------------

# The first line about the process itself; nspawn's is its parent.
machine_case() {
	group "machine $*"
	ok "start" systemd-run -q --collect --unit machine "$@" \
	    -p KillMode=mixed systemd-nspawn -q --register=yes -M web \
	    -D /var/lib/machines/web --kill-signal=SIGKILL $_options /init
	ok "is registered" wait_for 20 machine_pid
	_pid=$(machine_pid)
	case_of machine:web "$_pid" '^unconfined$' "nsenter -t $_pid -a -r -w"
	machinectl terminate web
	wait_for 20 not machine_pid
}

machine_pid() {
	machinectl show -p Leader --value web 2>/dev/null
}

machines() {
	# The root file system has no systemd that would know of cgroup v2, and
	# so gets a hierarchy of v1 that the host has not mounted.
	_options=
	machine_case
	machine_case -E SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
	_options=--private-users=pick
	machine_case -E SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
}

# --------------------------------------------------------------------------

jaildaemon=jaildaemon
cp -a root/. / || exit 1
systemctl --no-block start docker docker-remap
host
service
lxcs
machines
podmans
rootless
dockers
service_ends "$(docker inspect -f '{{.State.Pid}}' web)"
group end
unlike "$(journalctl -b -o cat --no-pager -u jaildaemon)" \
    'Assertion|Sanitizer|dumped' "the daemon has nothing to confess"
[ "$tap_failed" -eq 0 ] || {
	journalctl -b -o cat --no-pager -u jaildaemon >log
	diag_file log
	dmesg | grep DENIED >denied
	diag_file denied
}
done_testing
