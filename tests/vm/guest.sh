#!/bin/sh
# The table of cases, in the virtual machine: what a stock host does to a
# probe that the other tests' machines don't.  Labels and control groups are
# the container's, and so a HUP from inside arrives, whoever confines it.
# Prints TAP.
#
# Each group of cases is a function below.  To add one, write a function and
# put its name into a lane.  What it needs of the host's files is in
# /run/vm/files, see JAILDAEMON_VM_FILES in check-vm.sh.
#
# shellcheck disable=SC2034,SC2154,SC2317

exec 2>&1
cd /run/vm || exit 1
# shellcheck source=../lib/tap.sh
. ./tap.sh
# shellcheck source=package.sh
. ./package.sh
# shellcheck source=../lib/recipe.sh
. ./recipe.sh
# shellcheck source=recipes.sh
. ./recipes.sh

# First one after the other, then in two lanes, as there are two processors,
# then again one after the other.  Those of the first line are always run, those
# of the last one where they are asked for, the others where nothing else was.
FIRST="host service"
LANE_A="lxcs machines recipe_nspawn podmans"
LANE_B="docker_default dockers rootless"
LAST="service_ends machine_v1 package no_complaint"
ASKED="recipe_zfs"

read -r only <groups
S=$T/state
mkdir "$S"
M=$T/marks
BOOK=cookbook.md
mkdir -m 777 "$M"
count=0
lane=
init=
jaildaemon=jaildaemon

# -- help ------------------------------------------------------------------

group() {
	tap_group=$1
	diag "$1, at $(cut -d . -f 1 /proc/uptime) s"
}

# Limits are for a machine of metal and at rest; this one may be neither.
# Forks are dear here.
SLOWER=10
wait_for() {
	_end=$(($(date +%s) + $1 * SLOWER + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.3
	done
}

# Emulated, an engine may need longer than the 5 s that it has to answer, and
# a probe longer than its 4 s to report.
patiently() {
	_left=60
	while :; do
		"$@" && return
		_rc=$?
		_left=$((_left - 1))
		[ "$_rc" -eq 75 ] && [ "$_left" -gt 0 ] || return "$_rc"
	done
}

# What has the title in its command line may still be on its way.
is_armed() {
	jaildaemon list -J -t "$1" | grep -q '"state":"armed"'
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

is_alone() {
	[ "$(probe "$1" | wc -l)" -eq 1 ]
}

runs() {
	[ -e "$M/$1" ]
}

journal_has() {
	journalctl -b -o cat --no-pager -u "$1" | grep -Eq -e "$2"
}

# As the user, in a session of the user's.  What stays of it, as a container's
# monitor does, is not waited for.
as_user() {
	systemd-run -q --user -M user@ --wait --pipe -p KillMode=process \
	    "$@" </dev/null
}

# host_user TITLE: the same user, HUPs from the host.
host_user() {
	setpriv --reuid 1000 --regid 1000 --clear-groups \
	    pkill -HUP -x -f "jailprobe: $1"
}

# inside PID LINE: the first process of the container, which is PID here, runs
# the line; prints its status.
inside() {
	# shellcheck disable=SC2016 # the inner shell's
	timeout 300 sh -c 'echo "$2" >"/proc/$1/root/tell" &&
	    read -r status <"/proc/$1/root/said" && echo "$status"' sh "$1" "$2"
}

# hup PID TITLE: prints the status of pkill, which is 1 if it reached nobody.
hup() {
	inside "$1" "pkill -HUP -x -f 'jailprobe: $2'"
}

new_title() {
	count=$((count + 1))
	_title=T$lane$count
}

# arm ID [OPTION...]
arm() {
	_id=$1
	shift
	# shellcheck disable=SC2086 # words
	ok "arm $_id $*" patiently $jaildaemon -c "echo x >>$M/$_title" \
	    -j "$_id" -t "$_title" "$@"
}

# case_of ID PID LABEL [OPTION...]: arms by the name ID; the probe carries the
# label of the container whose first process is PID, a label like LABEL, and
# is in its control groups; a HUP from inside reaches it.  $jaildaemon is the
# utility.  $init: where PID is not the first process of its pid namespace, the
# one that is, which stands for the jail.
case_of() {
	_id=$1 _pid=$2 _label=$3
	shift 3
	like "$(label "$_pid")" "$_label" "is confined as it should be"
	new_title
	arm "$_id" "$@"
	# Its stub may not have ended yet, and looks the same.
	wait_for 5 is_alone "$_title"
	_probe=$(probe "$_title")
	is "$(label "${_probe:-none}")" "$(label "$_pid")" "the label"
	is "$(control_groups "${_probe:-none}")" \
	    "$(control_groups "${init:-$_pid}")" "the control groups"
	is "$(hup "$_pid" "$_title")" 0 "a HUP from inside"
	ok "runs the command" wait_for 20 runs "$_title"
}

# reaches PID WHO TARGET [OPTION...]: who is in the container of PID may HUP a
# probe in the container of TARGET.
reaches() {
	_from=$1 _whom=$2 _id=$3
	shift 3
	new_title
	arm "$_id" "$@"
	is "$(hup "$_from" "$_title")" 0 "$_whom: may HUP it"
	ok "which runs the command" wait_for 20 runs "$_title"
}

# reaches_not: may not.
reaches_not() {
	_from=$1 _whom=$2 _id=$3
	shift 3
	new_title
	arm "$_id" "$@"
	is "$(inside "$_from" "pgrep -x -f 'jailprobe: $_title'")" 0 \
	    "$_whom: sees it"
	is "$(hup "$_from" "$_title")" 1 "but may not HUP it"
	ok "it is still there" probe "$_title"
	nok "and nothing was run" runs "$_title"
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
	ok "answers" wait_for 10 test -S /run/jaildaemon.pipe
	ok "is in the journal" wait_for 10 journal_has jaildaemon event=start
	ok "stays" systemctl is-active jaildaemon
}

# Whatever container is there, for the end of the service.
service_ends() {
	group "service, at its end"
	need_web
	_pid=$(docker_pid web)
	for _t in DRAINED CALM; do
		patiently jaildaemon -c "echo x >>$M/$_t" -j "$_pid" -t "$_t"
	done
	patiently jaildaemon \
	    -c "echo x >>$M/slow; sleep 5; echo x >>$M/outlived" \
	    -j "$_pid" -t SLOW
	pkill -HUP -x -f "jailprobe: SLOW"
	ok "a run begins" wait_for 10 runs slow
	pkill -STOP -x -f "jailprobe: DRAINED"
	pkill -HUP -x -f "jailprobe: DRAINED"
	ok "stops" systemctl stop jaildaemon
	is "$(systemctl show -p Result --value jaildaemon)" success "in order"
	ok "is in the journal" wait_for 10 journal_has jaildaemon event=stop
	ok "a HUP that came before it counts" wait_for 10 runs DRAINED
	nok "and no other" runs CALM
	nok "no probe is left" pgrep jailprobe
	nok "nor the socket" test -e /run/jaildaemon.pipe
	ok "a run outlives it" wait_for 20 runs outlived
	ok "starts again" systemctl start jaildaemon
	ok "and answers" wait_for 10 test -S /run/jaildaemon.pipe
}

# After all of it.
no_complaint() {
	group end
	unlike "$(journalctl -b -o cat --no-pager -u jaildaemon)" \
	    'Assertion|Sanitizer|event=bug|dumped' \
	    "the daemon has nothing to confess"
}

# -- docker ----------------------------------------------------------------

docker_ready() {
	[ ! -e "$S/docker.ready" ] || return 0
	systemctl start docker && docker import - img </srv/root.tar &&
	: >"$S/docker.ready"
}

# docker_start NAME OPTION...
docker_start() {
	_name=$1
	shift
	docker_ready &&
	docker run -d --name "$_name" --network none "$@" img /init \
	    >"$S/$_name.id"
}

docker_pid() {
	cat "/run/containerd/io.containerd.runtime.v2.task/moby/$(cat \
	    "$S/$1.id")/init.pid"
}

# The container that others need besides their own.
need_web() {
	[ -e "$S/web.id" ] || docker_start web --userns=host
}

docker_label='^docker-default \(enforce\)$'

# docker_case NAME LABEL ARM-OPTIONS OPTION...
docker_case() {
	_name=$1 _label=$2 _arm=$3
	shift 3
	group "docker, $_name"
	ok "start" docker_start "$_name" "$@"
	_pid=$(docker_pid "$_name")
	# shellcheck disable=SC2086 # words
	case_of "docker:$_name" "$_pid" "$_label" $_arm
}

docker_default() {
	docker_case web "$docker_label" "" --userns=host
	reaches "$_pid" "root" "$_pid" -u 1000
	new_title
	arm "$_pid"
	ok "docker exec, pkill" docker exec web pkill -HUP -x -f \
	    "jailprobe: $_title"
	ok "runs the command" wait_for 20 runs "$_title"
	# Without a map, uid 1000 inside is uid 1000 outside.
	new_title
	arm "$_pid" -u 1000
	ok "the host's uid 1000" host_user "$_title"
	ok "runs the command" wait_for 20 runs "$_title"
	new_title
	arm "$_pid"
	nok "but root's probe is out of its reach" host_user "$_title"
	nok "which runs nothing" runs "$_title"
	# Without the label a probe would be out of reach: the same signal from
	# the same container to a process that is unconfined.
	group "docker, an unconfined process in the container"
	nsenter -t "$_pid" -p -m -r -w sleep 4321 &
	ok "is there" wait_for 10 pgrep -x -f "sleep 4321"
	_sleep=$(pgrep -x -f "sleep 4321" | tail -n 1)
	is "$(label "$_sleep")" unconfined "has no label"
	is "$(inside "$_pid" "pgrep -x -f 'sleep 4321'")" 0 "is seen inside"
	is "$(inside "$_pid" "pkill -HUP -x -f 'sleep 4321'")" 1 \
	    "cannot be sent a HUP"
	ok "and lives on" pgrep -x -f "sleep 4321"
	pkill -x -f "sleep 4321"
}

dockers() {
	need_web
	_web=$(docker_pid web)
	docker_case user "$docker_label" "-u 1000" --userns=host --user 1000
	reaches_not "$_pid" "uid 1000" "$_pid"
	docker_case nocap "$docker_label" "" --userns=host --cap-drop ALL
	reaches_not "$_pid" "root without capabilities" "$_pid" -u 1000
	docker_case free '^unconfined$' "" --userns=host \
	    --security-opt apparmor=unconfined
	_free=$_pid
	docker_case hostpid "$docker_label" "" --userns=host --pid host
	reaches "$_pid" "another container's, of the same label" "$_web"
	reaches_not "$_pid" "another container's, unconfined" "$_free"
	init=$_web
	docker_case shared "$docker_label" "" --userns=host --pid container:web
	init=
	reaches "$_pid" "root of a container that shares it" "$_web"
	docker_case mapweb "$docker_label" ""
	unlike "$(cat "/proc/$_pid/uid_map")" '^ *0 *0 ' "has its uids mapped"
	reaches "$_pid" "root" "$_pid" -u 1000
	docker_case mapuser "$docker_label" "-u 1000" --user 1000
	reaches_not "$_pid" "uid 1000" "$_pid"
}

# -- podman ----------------------------------------------------------------

# podman_case NAME ARM-OPTIONS OPTION...
podman_case() {
	_name=$1 _arm=$2
	shift 2
	group "podman, $_name"
	ok "start" podman run -d --name "$_name" --pidfile "$S/$_name.pid" \
	    --network none "$@" img /init
	_pid=$(cat "$S/$_name.pid")
	# shellcheck disable=SC2086 # words
	case_of "podman:$_name" "$_pid" \
	    '^containers-default-.* \(enforce\)$' $_arm
}

podmans() {
	group podman
	ok "has an image" podman import -q /srv/root.tar img
	is "$(podman info -f '{{.Host.OCIRuntime.Name}}')" crun "uses crun"
	podman_case pweb ""
	podman_case puser "-u 1000" --user 1000
	reaches_not "$_pid" "uid 1000" "$_pid"
	podman_case pmap "" --uidmap 0:300000:65536 --gidmap 0:300000:65536
	reaches "$_pid" "root" "$_pid" -u 1000
}

# A user's own containers and daemon; and root's daemon, for the same.
rootless() {
	group "podman without root"
	ok "the user's manager is there" wait_for 60 \
	    systemctl is-active user@1000
	ok "start" as_user sh -c "podman import -q /srv/root.tar img &&
	    podman run -d --name mine --pidfile /home/user/mine.pid \
	    --network none img /init"
	_pid=$(cat /home/user/mine.pid)
	ok "the user's daemon starts" systemd-run -q --user -M user@ \
	    --unit jd jaildaemon -D -d -f /home/user/sock \
	    -p /home/user/pid -S /home/user/state
	ok "and answers" wait_for 10 test -S /home/user/sock
	jaildaemon="as_user jaildaemon -f /home/user/sock"
	case_of podman:mine "$_pid" '^unconfined$'
	jaildaemon=jaildaemon
	group "podman without root, root's daemon"
	case_of "$_pid" "$_pid" '^unconfined$' -u 1000
	# The container's root is that user outside.
	new_title
	arm "$_pid"
	ok "the user on the host" host_user "$_title"
	ok "runs the command" wait_for 20 runs "$_title"
	# From outside of the user's slice nobody but root may move a process
	# into it; the probe works all the same.
	group "podman without root, the user's daemon elsewhere"
	ok "the user's daemon starts" systemd-run -q --uid user --unit jd2 \
	    jaildaemon -D -d -f /home/user/sock2 -p /home/user/pid2 \
	    -S /home/user/state2
	ok "and answers" wait_for 10 test -S /home/user/sock2
	jaildaemon="jaildaemon -f /home/user/sock2"
	reaches "$_pid" "root" "$_pid"
	jaildaemon=jaildaemon
	ok "says that the probe is in another control group" \
	    wait_for 10 journal_has jd2 event=cgroup
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
	_pid=$(lxc-info -n web -p -H)
	case_of lxc:web "$_pid" "$_label"
	reaches "$_pid" "root" "$_pid" -u 1000
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
	_pid=$(machine_pid)
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
	case_of machine:web "$_pid" '^unconfined$'
	machine_stop
	group "machine, uids mapped"
	machine_start SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 --private-users=pick
	case_of machine:web "$_pid" '^unconfined$'
	reaches "$_pid" "root" "$_pid" -u 1000
	machine_stop
}

# What nspawn chooses for a system without systemd: a hierarchy of v1, which
# exists from here on, but which the host has not mounted.
machine_v1() {
	group "machine, cgroup v1"
	machine_start ""
	ok "has a hierarchy that the host has not mounted" \
	    grep -q '^1:name=systemd:/machine' "/proc/$_pid/cgroup"
	new_title
	arm machine:web
	_probe=$(probe "$_title")
	is "$(control_groups "${_probe:-none}" | grep '^0::')" \
	    "$(control_groups "$_pid" | grep '^0::')" "the control group of v2"
	is "$(hup "$_pid" "$_title")" 0 "a HUP from inside"
	ok "runs the command" wait_for 20 runs "$_title"
	machine_stop
}

# --------------------------------------------------------------------------

# check_groups WORD...: those that were asked for.
check_groups() {
	for _g in "$@"; do
		case " $LANE_A $LANE_B $LAST $ASKED " in
		*" $_g "*) ;;
		*)	echo "Bail out! no group $_g, there are:" \
			    "$LANE_A $LANE_B $LAST $ASKED"
			exit 64 ;;
		esac
	done
}

# run_groups WORD...: as far as they were asked for.
run_groups() {
	for _g in "$@"; do
		case " ${only:-$_g} " in
		*" $_g "*) "$_g" ;;
		esac
	done
}

# run_lane NAME GROUP...: with counts and scratch files of its own.
run_lane() {
	lane=$1
	_counts=$S/$lane.counts
	shift
	T=$T/$lane
	mkdir "$T"
	tap_count=0
	tap_failed=0
	run_groups "$@"
	echo "$tap_count $tap_failed" >"$_counts"
}

# After a lane: what it counted.
add_counts() {
	read -r _count _failed <"$S/$1.counts"
	tap_count=$((tap_count + _count))
	tap_failed=$((tap_failed + _failed))
}

# shellcheck disable=SC2086 # lists of words
{
	check_groups $only
	cp -a root/. / || exit 1
	for _g in $FIRST; do
		"$_g"
	done
	run_lane A $LANE_A &
	lane_a=$!
	run_lane B $LANE_B &
	wait "$lane_a" $!
	add_counts A
	add_counts B
	[ -z "$only" ] || run_groups $ASKED
	run_groups $LAST
}
[ "$tap_failed" -eq 0 ] || {
	journalctl -b -o short-monotonic --no-pager -u 'jaildaemon*' |
	    tail -n 200 | cut -c 1-400 | sed 's/^/# | /'
	dmesg | grep DENIED | tail -n 40 | sed 's/^/# | /'
}
diag "the end, at $(cut -d . -f 1 /proc/uptime) s"
done_testing
