# jail.sh - jails of every kind behind a few functions
#
#   jail_kinds                 the kinds of this system, one a line
#   jail_missing KIND          names what KIND lacks here; silent if nothing
#   jail_start KIND NAME [OPTION...]   options go to the engine
#   jail_id NAME               what to give to jaildaemon's -j
#   jail_pid NAME              host's pid of the jail's first process (Linux),
#                              jid (FreeBSD)
#   jail_name NAME             the jail's name as its engine knows it
#   jail_exec NAME COMMAND...  runs it in the jail as root, as the engine does
#   jail_console NAME          from now on jail_exec uses one shell in the jail,
#                              which the engine started: much quicker
#   jail_exec_as UID NAME COMMAND...   the same as another user and group
#   jail_end NAME              ends the jail's processes, as a crash would
#   jail_alive NAME            is it still there?
#   jail_stop NAME             ends it and removes it from its engine
#   jail_cleanup               stops all, and the engines that were started
#   jail_private               see below; to be called before the rest
#
# NAME is a short word.  Engines see jdtest-PID-NAME.  To be sourced after
# tap.sh.
#
# shellcheck shell=sh disable=SC2034

JAIL_OS=$(uname -s)
JAIL_RUN=jdtest-$$
JAIL_SUBID=100000		# where the uids of a user namespace begin
JAIL_INCUSD=/usr/libexec/incus/incusd
case $JAIL_OS in
Linux)		JAIL_PS=/usr/bin/ps ;;	# not a shell's own
*)		JAIL_PS=/bin/ps ;;
esac
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# -- a private view of the system ------------------------------------------

# Engines keep their state in fixed places, and the utility asks them as a
# user would: so the tests have these places to themselves, in a mount
# namespace of their own.  Nothing of the system's containers, configuration
# or pid files is seen or changed, and nothing can be left behind.  (A mount
# namespace alone makes no container.)  On FreeBSD this does nothing.
#
# Given the script and its arguments; called before tap.sh is sourced, as the
# script is executed anew.
jail_private() {
	[ "$JAIL_OS" = Linux ] || return 0
	if [ "${JAIL_PRIVATE:-}" != "$$" ]; then
		JAIL_PRIVATE=$$
		export JAIL_PRIVATE
		if [ -n "${BASH_VERSION:-}" ]; then
			exec unshare -m --propagation private \
			    bash --posix "$@"
		fi
		exec unshare -m --propagation private sh "$@"
	fi
	unset JAIL_PRIVATE
}

# The mounts, once $T is there.
jail_private_mounts() {
	[ "$JAIL_OS" = Linux ] || return 0
	mkdir -p "$T/etc" "$T/varlib" || return 1
	cp -a /etc/. "$T/etc" 2>/dev/null
	# The default file of actions, where a package brought one.
	rm -f "$T/etc/jaildaemon.conf"
	mount --bind "$T/etc" /etc &&
	mount --bind "$T/varlib" /var/lib &&
	mount -t tmpfs -o mode=755 jdtest /run || return 1
	# A client in PATH that is not the engine's own.
	if [ -x /usr/local/bin/docker ] && [ -x /usr/bin/docker ]; then
		mount --bind /usr/bin/docker /usr/local/bin/docker
	fi
	for _f in subuid subgid; do
		printf '%s:%d:65536\n' root "$JAIL_SUBID" \
		    dockremap "$JAIL_SUBID" >"/etc/$_f"
	done
	grep -q '^dockremap:' /etc/passwd ||
	    echo 'dockremap:x:64990:64990::/:/bin/false' >>/etc/passwd
	grep -q '^dockremap:' /etc/group ||
	    echo 'dockremap:x:64990:' >>/etc/group
	mkdir -p /etc/containers
	cat >/etc/containers/storage.conf <<-END
	[storage]
	driver = "vfs"
	runroot = "/run/containers/storage"
	graphroot = "/var/lib/containers/storage"
	END
	cat >/etc/containers/containers.conf <<-END
	[containers]
	netns = "none"
	log_driver = "none"
	default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
	[engine]
	runtime = "runc"
	cgroup_manager = "cgroupfs"
	events_logger = "none"
	END
}

# jail_program NAME FILE: whoever looks for an engine's program finds FILE from
# now on, also where the real one is installed; /dev/null: there is none.
# jail_program_back NAME takes that back.
jail_program() {
	if [ ! -e "/usr/bin/$1" ]; then
		mkdir -p "$T/programs" &&
		    mount --bind "$T/programs" /usr/local/sbin &&
		    : >"$T/programs/$1" || return 1
	fi
	mount --bind "$2" "$(jail_program_place "$1")"
}

jail_program_back() {
	umount "$(jail_program_place "$1")"
	[ -e "/usr/bin/$1" ] || umount /usr/local/sbin
}

jail_program_place() {
	[ ! -e "/usr/bin/$1" ] || { echo "/usr/bin/$1"; return; }
	echo "/usr/local/sbin/$1"
}

# -- what is here ----------------------------------------------------------

jail_kinds() {
	case $JAIL_OS in
	Linux)
		for _k in unshare docker podman lxc incus nspawn runc; do
			printf '%s\n%s-userns\n' "$_k" "$_k"
		done
		;;
	FreeBSD)
		echo freebsd
		;;
	esac
}

jail_missing() {
	[ "$(id -u)" -eq 0 ] || { echo "root"; return; }
	case $1 in
	unshare*)	_need="unshare nsenter" ;;
	docker*)	_need="dockerd docker" ;;
	podman*)	_need="podman runc" ;;
	lxc*)		_need="lxc-start lxc-info lxc-attach" ;;
	incus*)		_need="incus $JAIL_INCUSD" ;;
	nspawn*)	_need="systemd-nspawn nsenter" ;;
	runc*)		_need="runc" ;;
	freebsd)	_need="jail jexec jls" ;;
	*)		echo "any jail of kind $1"; return ;;
	esac
	[ "$JAIL_OS" = FreeBSD ] || _need="$_need busybox pgrep pkill ps ldd"
	for _n in $_need; do
		command -v "$_n" >/dev/null || { echo "$_n"; return; }
	done
}

# -- the root file system --------------------------------------------------

# Busybox, procps' programs and their libraries; made once, used by all.
# On FreeBSD a jail's root is JAIL_ROOT if that is set, else the host's.
jail_root() {
	[ ! -e "$T/root/init" ] || return 0
	[ "$JAIL_OS" = Linux ] || return 0
	_r=$T/root
	(cd "$T" && mkdir -p root && cd root && mkdir -p bin sbin usr/bin \
	    usr/lib usr/sbin proc sys dev/pts dev/shm tmp etc root run var) &&
	cp "$(command -v busybox)" "$_r/bin/busybox" &&
	chroot "$_r" /bin/busybox --install -s /bin || return 1
	chmod 1777 "$_r/tmp"
	for _p in pgrep pkill ps; do
		rm -f "$_r/bin/$_p"
		cp "$(command -v $_p)" "$_r/usr/bin/$_p" || return 1
		ldd "$_r/usr/bin/$_p"
	done | sed -n 's,.*[[:space:]]\(/[^ ]*\) (0x.*,\1,p' | sort -u |
	    while read -r _lib; do
		mkdir -p "$_r${_lib%/*}"
		cp -L "$_lib" "$_r$_lib"
	    done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$_r/etc/passwd"
	echo 'user:x:1000:1000:user:/:/bin/sh' >>"$_r/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: >"$_r/etc/group"
	# For titles in UTF-8.
	[ ! -d /usr/lib/locale/C.utf8 ] || {
		mkdir -p "$_r/usr/lib/locale" &&
		cp -R /usr/lib/locale/C.utf8 "$_r/usr/lib/locale"
	}
	# systemd-nspawn wants to know that this is a system.
	echo 'ID=jdtest' >"$_r/etc/os-release"
	for _d in 'null 3' 'zero 5' 'urandom 9'; do
		# shellcheck disable=SC2086
		set -- $_d
		mknod -m 666 "$_r/dev/$1" c 1 "$2"
	done
	# A first process that adopts and reaps, as any init does.
	cat >"$_r/init" <<-'END'
	#!/bin/sh
	while :; do
		sleep 1000 &
		wait $!
	done
	END
	chmod 755 "$_r/init"
}

jail_tar() {
	[ -e "$T/root.tar" ] || tar -C "$T/root" --exclude './dev/*' \
	    -cf "$T/root.tar" .
}

# A copy of the root for one jail, for engines that lock or change it.
jail_copy_root() {
	mkdir -p "$1" && cp -a "$T/root/." "$1"
}

# -- control groups --------------------------------------------------------

jail_cgroup_mounts() {
	awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts
}

# Makes a group in every hierarchy; one that cannot take processes is harmless.
jail_cgroup_make() {
	jail_cgroup_mounts | while read -r _c; do
		mkdir -p "$_c/$JAIL_RUN/$1" 2>/dev/null || continue
		for _f in cpuset.cpus cpuset.mems; do
			[ ! -e "$_c/$JAIL_RUN/cgroup.clone_children" ] ||
			[ ! -e "$_c/$_f" ] || {
				cat "$_c/$_f" >"$_c/$JAIL_RUN/$_f"
				cat "$_c/$_f" >"$_c/$JAIL_RUN/$1/$_f"
			} 2>/dev/null
		done
	done
}

# The shell that calls this moves there.
jail_cgroup_join() {
	for _c in $(jail_cgroup_mounts); do
		# 0 is the writer, and the writer is this shell.
		{ echo 0 >"$_c/$JAIL_RUN/$1/cgroup.procs"; } 2>/dev/null
	done
	return 0
}

# jail_cgroup_file GROUP FILE: where that file of it is, v1 or v2.
jail_cgroup_file() {
	for _c in $(jail_cgroup_mounts); do
		_file=$_c/$JAIL_RUN/$1/$2
		[ ! -e "$_file" ] || { echo "$_file"; return; }
	done
	return 1
}

# jail_cgroup_rmdir DIRECTORY: removes it if no living process is in it.
jail_cgroup_rmdir() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
	[ ! -d "$1" ]
}

jail_cgroup_remove() {
	for _c in $(jail_cgroup_mounts); do
		[ ! -d "$_c/$JAIL_RUN" ] ||
		wait_for 10 jail_cgroup_rmdir "$_c/$JAIL_RUN" ||
		diag "left: $_c/$JAIL_RUN"
	done
}

# -- engines ---------------------------------------------------------------

# jail_dockerd KIND: starts the engine if it does not run, and points
# DOCKER_HOST to it.
jail_dockerd() {
	DOCKER_HOST=unix://$T/$1.sock
	export DOCKER_HOST
	[ ! -S "$T/$1.sock" ] || return 0
	[ "$1" = docker ] || set -- "$1" --userns-remap=dockremap
	_d=$T/$1
	mkdir -p "$_d.d"
	# shellcheck disable=SC2086
	dockerd --iptables=false --bridge=none --storage-driver vfs \
	    --default-ulimit nofile=1024:1024 --data-root "$_d.d/data" \
	    --exec-root "$_d.d/exec" --pidfile "$_d.d/pid" \
	    --cgroup-parent "/$JAIL_RUN" -H "unix://$_d.sock" ${2:+"$2"} \
	    >"$_d.log" 2>&1 &
	if wait_for 120 docker version && jail_tar; then
		docker import - "$JAIL_RUN:1" <"$T/root.tar" && return
	fi
	diag_file "$_d.log"
	return 1
}

jail_dockerd_stop() {
	for _d in docker docker-userns; do
		[ -e "$T/$_d.d/pid" ] || continue
		_pid=$(cat "$T/$_d.d/pid")
		kill "$_pid"
		wait_for 20 not alive "$_pid" || kill -9 "$_pid"
		wait "$_pid" 2>/dev/null
		rm -rf "$T/$_d.d" "$T/$_d.sock"
	done
}

# Starts incusd if it does not run.  It would ask the Internet for news, and
# gets a network of its own, the same each time: it finds the containers that
# run by abstract sockets.  What its client notes is kept here, and so it is
# for what runs with the home of the account.
jail_incusd() {
	[ ! -S /var/lib/incus/unix.socket ] || return 0
	INCUS_CONF=$T/incus.conf
	export INCUS_CONF
	mkdir -p /var/lib/incus "$T/home"
	sed -i "s,^root:\(.*\):[^:]*:\([^:]*\)\$,root:\1:$T/home:\2," /etc/passwd
	[ -e "$T/incus.net" ] || {
		: >"$T/incus.net" && unshare --net="$T/incus.net" true
	} || return 1
	INCUS_DIR=/var/lib/incus nsenter --net="$T/incus.net" \
	    "$JAIL_INCUSD" --group root \
	    --logfile "$T/incusd.log" >>"$T/incusd.out" 2>&1 &
	echo $! >"$T/incusd.pid"
	if INCUS_DIR=/var/lib/incus "$JAIL_INCUSD" waitready --timeout 120 &&
	    jail_incus_image; then
		return
	fi
	diag_file "$T/incusd.out"
	return 1
}

jail_incus_image() {
	[ ! -e "$T/incus.image" ] || return 0
	jail_root && jail_tar || return 1
	printf '%s\n' "architecture: $(uname -m)" 'creation_date: 1' \
	    >"$T/metadata.yaml" &&
	    tar -C "$T" -cf "$T/metadata.tar" metadata.yaml &&
	incus image import "$T/metadata.tar" "$T/root.tar" --alias "$JAIL_RUN" &&
	incus admin init --preseed <<-END || return 1
	storage_pools:
	- {name: default, driver: dir}
	profiles:
	- name: default
	  config: {raw.lxc: lxc.init.cmd = /init}
	  devices:
	    root: {type: disk, path: /, pool: default}
	END
	: >"$T/incus.image"
}

# Ends incusd alone: its containers live on.
jail_incusd_stop_only() {
	[ -e "$T/incusd.pid" ] || return 0
	_pid=$(cat "$T/incusd.pid")
	kill "-${1:-TERM}" "$_pid"
	wait_for 20 not alive "$_pid" || kill -9 "$_pid"
	wait "$_pid" 2>/dev/null
	rm -f "$T/incusd.pid" /var/lib/incus/unix.socket
}

# By this signal it also stops what it has, and takes its mounts away.
jail_incusd_stop() {
	[ -e "$T/incus.net" ] || return 0
	jail_incusd_stop_only PWR
	umount /var/lib/incus/shmounts /var/lib/incus/guestapi 2>/dev/null
	umount "$T/incus.net"
	rm -rf /var/lib/incus "$T/incus.image" "$T/incus.net"
	# Where liblxc's monitors go before they end.
	for _c in $(jail_cgroup_mounts); do
		rmdir "$_c/lxc.pivot" 2>/dev/null
	done
}

jail_podman_image() {
	[ ! -e "$T/podman.image" ] || return 0
	jail_tar || return 1
	podman import - "$JAIL_RUN:1" <"$T/root.tar" || return 1
	: >"$T/podman.image"
}

# -- one starter a kind ----------------------------------------------------
#
# Called with the engine's name of the jail, the file that gets the pid of
# its first process, "userns" or nothing, and then options.

# Namespaces by unshare(1), the root a chroot below the mount namespace's
# root; what is written to the log is the engine's words.
jail_start_unshare() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	jail_cgroup_make "$_full"
	if [ -z "$_userns" ]; then
		set -- unshare -pfmniuC --mount-proc="$T/root/proc" "$@" \
		    chroot "$T/root" /init
	else
		# A process that stays gets its map from outside, as a
		# container engine does it; then the rest is made in there.
		unshare -U "$@" sleep 100 &
		_holder=$!
		wait_for 5 jail_other_ns "$_holder" user
		for _f in uid_map gid_map; do
			echo "0 $JAIL_SUBID 65536" >"/proc/$_holder/$_f" ||
			    return 1
		done
		set -- nsenter -t "$_holder" -U -S 0 -G 0 \
		    unshare -pfmniuC --mount-proc="$T/root/proc" \
		    chroot "$T/root" /init
	fi
	(jail_cgroup_join "$_full"; exec "$@") </dev/null &
	_outer=$!
	wait_for 5 jail_child_of "$_outer" "$_pidfile"
	_rc=$?
	[ -z "$_userns" ] || {
		kill -9 "$_holder"
		wait "$_holder" 2>/dev/null
	}
	return "$_rc"
}

jail_other_ns() {
	[ "$(readlink "/proc/$1/ns/$2")" != "$(readlink "/proc/$$/ns/$2")" ]
}

# The only child of a process, which runs the jail's init.
jail_child_of() {
	_child=$(pgrep -P "$1") && grep -q init "/proc/$_child/cmdline" &&
	    echo "$_child" >"$2"
}

jail_start_docker() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	jail_dockerd "docker${_userns:+-userns}" &&
	docker run -d --name "$_full" --network none --hostname jail "$@" \
	    "$JAIL_RUN:1" /init &&
	docker inspect -f '{{.State.Pid}}' "$_full" >"$_pidfile"
}

jail_start_podman() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	[ -z "$_userns" ] || set -- --uidmap "0:$JAIL_SUBID:65536" \
	    --gidmap "0:$JAIL_SUBID:65536" "$@"
	jail_podman_image &&
	podman run -d --name "$_full" --cgroup-parent "/$JAIL_RUN" "$@" \
	    "$JAIL_RUN:1" /init </dev/null &&
	podman inspect -f '{{.State.Pid}}' "$_full" >"$_pidfile"
}

jail_start_lxc() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	_d=/var/lib/lxc/$_full
	jail_copy_root "$_d/rootfs" || return 1
	{
		cat <<-END
		lxc.uts.name = jail
		lxc.rootfs.path = dir:$_d/rootfs
		lxc.net.0.type = empty
		lxc.init.cmd = /init
		lxc.apparmor.profile = unconfined
		lxc.mount.auto = proc:rw sys:ro
		lxc.cgroup.dir = $JAIL_RUN
		END
		[ -z "$_userns" ] || cat <<-END
		lxc.idmap = u 0 $JAIL_SUBID 65536
		lxc.idmap = g 0 $JAIL_SUBID 65536
		END
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$_d/config"
	[ -z "$_userns" ] || chown -R "$JAIL_SUBID:$JAIL_SUBID" "$_d/rootfs"
	lxc-start -n "$_full" -o "$T/$_full.lxclog" </dev/null &&
	lxc-info -n "$_full" -p -H >"$_pidfile"
}

jail_start_incus() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	[ -n "$_userns" ] || set -- -c security.privileged=true "$@"
	jail_incusd &&
	incus launch "$JAIL_RUN" "$_full" "$@" </dev/null &&
	jail_incus_pid "$_full" >"$_pidfile"
}

# 0 if it is stopped.
jail_incus_pid() {
	incus query "/1.0/instances/$1/state" |
	    sed -n 's/^[[:space:]]*"pid": \([0-9]*\),$/\1/p'
}

jail_start_nspawn() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	[ -z "$_userns" ] || set -- "--private-users=$JAIL_SUBID:65536" "$@"
	jail_copy_root "$T/nspawn/$_full" || return 1
	jail_cgroup_make "$_full"
	# It makes groups below the one where it starts: in one of ours.
	(
		jail_cgroup_join "$_full"
		exec systemd-nspawn -q --register=no --keep-unit -M "$_full" \
		    -D "$T/nspawn/$_full" "$@" /init
	) </dev/null &
	wait_for 60 jail_child_of $! "$_pidfile"
}

jail_start_runc() {
	_full=$1 _pidfile=$2 _userns=$3
	shift 3
	_d=$T/runc/$_full
	mkdir -p "$_d"
	_caps='"CAP_KILL", "CAP_SETUID", "CAP_SETGID"'
	cat >"$_d/config.json" <<-END
	{
	  "ociVersion": "1.0.2",
	  "process": {
	    "terminal": false, "cwd": "/", "args": ["/init"],
	    "user": {"uid": 0, "gid": 0},
	    "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
	    "capabilities": {
	      "bounding": [$_caps], "effective": [$_caps],
	      "permitted": [$_caps]
	    },
	    "noNewPrivileges": true
	  },
	  "root": {"path": "$T/root", "readonly": true},
	  "hostname": "jail",
	  "mounts": [
	    {"destination": "/proc", "type": "proc", "source": "proc"},
	    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
	     "options": ["nosuid", "mode=755", "size=1024k"]}
	  ],
	  "linux": {
	    "cgroupsPath": "/$JAIL_RUN/$_full",
	    ${_userns:+"\"uidMappings\": [{\"containerID\": 0,
	      \"hostID\": $JAIL_SUBID, \"size\": 65536}],
	    \"gidMappings\": [{\"containerID\": 0,
	      \"hostID\": $JAIL_SUBID, \"size\": 65536}],"}
	    "namespaces": [
	      ${_userns:+"{\"type\": \"user\"},"}
	      {"type": "pid"}, {"type": "network"}, {"type": "ipc"},
	      {"type": "uts"}, {"type": "mount"}
	    ]
	  }
	}
	END
	runc run -d -b "$_d" --pid-file "$_pidfile" "$@" "$_full" </dev/null
}

# Persistent, so that it has no first process whose end would be its end.
jail_start_freebsd() {
	_full=$1 _pidfile=$2
	shift 3
	jail -c name="$_full" path="${JAIL_ROOT:-/}" host.hostname=jail \
	    persist "$@" &&
	jls -j "$_full" jid >"$_pidfile"
}

# -- jails -----------------------------------------------------------------

jail_start() {
	_kind=$1 _name=$2
	shift 2
	jail_root || { diag "no root file system"; return 1; }
	_j=$T/jail/$_name
	mkdir -p "$_j"
	echo "$_kind" >"$_j/kind"
	case $_kind in
	*-userns)	_ns=userns ;;
	*)		_ns='' ;;
	esac
	if "jail_start_${_kind%-userns}" "$JAIL_RUN-$_name" "$_j/pid" \
	    "$_ns" "$@" >"$_j/log" 2>&1; then
		# Some leave the line without an end.
		echo >>"$_j/pid"
		wait_for 10 jail_ready "$_name" && return
	fi
	diag "no $_kind jail"
	diag_file "$_j/log"
	return 1
}

# Its first process runs its own program by now.
jail_ready() {
	[ "$JAIL_OS" = FreeBSD ] ||
	    grep -q init "/proc/$(jail_pid "$1")/cmdline"
}

jail_kind() {
	read -r _kind <"$T/jail/$1/kind" && echo "$_kind"
}

jail_pid() {
	read -r _pid <"$T/jail/$1/pid" && echo "$_pid"
}

jail_name() {
	echo "$JAIL_RUN-$1"
}

jail_id() {
	case $(jail_kind "$1") in
	docker*)	echo "docker:$JAIL_RUN-$1" ;;
	podman*)	echo "podman:$JAIL_RUN-$1" ;;
	lxc*)		echo "lxc:$JAIL_RUN-$1" ;;
	incus*)		echo "incus:$JAIL_RUN-$1" ;;
	runc*)		echo "runc:$JAIL_RUN-$1" ;;
	freebsd)	echo "$JAIL_RUN-$1" ;;
	*)		jail_pid "$1" ;;
	esac
}


jail_exec() {
	if [ "$1" = "$JAIL_CONSOLE" ]; then
		shift
		jail_say "$@"
	else
		jail_exec_new "$@" </dev/null
	fi
}

# A new process of the engine's for each command.
jail_exec_new() {
	_j=$1
	read -r _kind <"$T/jail/$_j/kind" || return 1
	shift
	case $_kind in
	docker*)	docker exec -i "$JAIL_RUN-$_j" "$@" ;;
	podman*)	podman exec -i "$JAIL_RUN-$_j" "$@" ;;
	lxc*)		lxc-attach -n "$JAIL_RUN-$_j" -- "$@" ;;
	incus*)		incus exec "$JAIL_RUN-$_j" -- "$@" ;;
	runc*)		runc exec "$JAIL_RUN-$_j" "$@" ;;
	freebsd)	jexec "$JAIL_RUN-$_j" "$@" ;;
	*)		nsenter -t "$(jail_pid "$_j")" -a -r -w "$@" ;;
	esac
}

# jail_exec by a shell in the jail: two pipes, and a line that ends each answer.
# What it says on stderr is in the jail's log.
JAIL_CONSOLE=
jail_console() {
	jail_console_close
	_c=$T/jail/$1/console
	mkfifo "$_c.in" "$_c.out" || return 1
	exec 5<>"$_c.in"
	jail_exec_new "$1" sh <"$_c.in" >"$_c.out" 2>>"$T/jail/$1/log" \
	    5>&- &
	exec 6<"$_c.out"
	JAIL_CONSOLE=$1
	jail_say true
}

# One word for a shell, whatever is in it.
jail_quote() {
	case $1 in
	*\'*)	printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/" ;;
	*)	printf "'%s'" "$1" ;;
	esac
}

jail_say() {
	_words=
	for _w in "$@"; do
		_words="$_words $(jail_quote "$_w")"
	done
	printf '%s\n' "$_words </dev/null; echo jdtest-end \$?" >&5
	while IFS= read -r _line <&6; do
		case $_line in
		*"jdtest-end "*)
			printf %s "${_line%jdtest-end *}"
			return "${_line##*jdtest-end }"
			;;
		*)
			printf '%s\n' "$_line"
			;;
		esac
	done
	return 255
}

jail_console_close() {
	[ -n "$JAIL_CONSOLE" ] || return 0
	echo exit >&5
	exec 5>&- 6<&-
	JAIL_CONSOLE=
}

jail_exec_as() {
	_u=$1 _j=$2
	read -r _kind <"$T/jail/$_j/kind" || return 1
	shift 2
	case $_kind in
	docker*)	docker exec -u "$_u:$_u" "$JAIL_RUN-$_j" "$@" ;;
	podman*)	podman exec -u "$_u:$_u" "$JAIL_RUN-$_j" "$@" ;;
	lxc*)		lxc-attach -n "$JAIL_RUN-$_j" -u "$_u" -g "$_u" \
			    -- "$@" ;;
	incus*)		incus exec --user "$_u" --group "$_u" "$JAIL_RUN-$_j" \
			    -- "$@" ;;
	runc*)		runc exec -u "$_u:$_u" "$JAIL_RUN-$_j" "$@" ;;
	freebsd)	jexec "$JAIL_RUN-$_j" chroot -u "$_u" -g "$_u" \
			    -G "$_u" / "$@" ;;
	*)		nsenter -t "$(jail_pid "$_j")" -a -r -w -S "$_u" \
			    -G "$_u" "$@" ;;
	esac </dev/null
}

jail_alive() {
	case $JAIL_OS in
	Linux)		alive "$(jail_pid "$1")" ;;
	FreeBSD)	jls -j "$JAIL_RUN-$1" jid ;;
	esac >/dev/null 2>&1
}

jail_end() {
	case $JAIL_OS in
	Linux)		kill -9 "$(jail_pid "$1")" ;;
	FreeBSD)	jail -r "$JAIL_RUN-$1" ;;
	esac
}

jail_stop() {
	[ "$1" != "$JAIL_CONSOLE" ] || jail_console_close
	_kind=$(jail_kind "$1") || return 1
	_full=$JAIL_RUN-$1
	_log=$T/jail/$1/log
	case $_kind in
	docker*)
		DOCKER_HOST=unix://$T/$_kind.sock docker rm -f "$_full"
		;;
	podman*)
		podman rm -f -t 0 "$_full"
		;;
	lxc*)
		lxc-stop -k -n "$_full"
		wait_for 5 jail_lxc_stopped "$_full"
		rm -rf "/var/lib/lxc/$_full"
		;;
	incus*)
		incus delete -f "$_full"
		;;
	runc*)
		runc delete -f "$_full"
		rm -rf "$T/runc/$_full"
		;;
	freebsd)
		jail -r "$_full"
		;;
	*)
		[ ! -s "$T/jail/$1/pid" ] || kill -9 "$(jail_pid "$1")"
		;;
	esac >>"$_log" 2>&1
	[ ! -s "$T/jail/$1/pid" ] || wait_for 10 not jail_alive "$1"
	rm -rf "$T/jail/$1" "$T/nspawn/$_full"
}

jail_lxc_stopped() {
	[ "$(lxc-info -n "$1" -s -H)" = STOPPED ]
}

# For tap_atexit: whatever state a test was left in, all goes.
jail_cleanup() {
	for _j in "$T"/jail/*; do
		[ ! -d "$_j" ] || jail_stop "${_j##*/}"
	done
	[ "$JAIL_OS" = Linux ] || return 0
	jail_dockerd_stop
	jail_incusd_stop
	rm -f "$T/podman.image"
	jail_cgroup_remove
}

# What is still there of this run, for a human; nothing if all is well.
jail_leftovers() {
	# shellcheck disable=SC2009
	ps -ax -ww -o stat= -o pid= -o args= | grep -v '^Z' |
	    grep -F -e "$JAIL_RUN" -e "$T" | grep -v -e "grep -F"
	case $JAIL_OS in
	Linux)
		for _c in $(jail_cgroup_mounts); do
			find "$_c" -type d -name "*$JAIL_RUN*"
		done
		grep -F -e "$JAIL_RUN" -e "$T" /proc/self/mounts |
		    grep -v -e " /etc " -e " /var/lib "
		ls -d /var/lib/lxc/* /var/lib/incus /run/runc/*/state.json \
		    2>/dev/null
		[ ! -d /var/lib/containers ] || podman ps -aq
		;;
	FreeBSD)
		jls name | grep "^$JAIL_RUN"
		;;
	esac
}
