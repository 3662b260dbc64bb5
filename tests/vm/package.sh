# package.sh - the Debian package under a real systemd: installed, started,
# upgraded, stopped, removed and purged
#
#   package_make DIRECTORY     on the host: two packages, the second one newer
#   package_tests DIRECTORY    in the guest: those packages' lives
#
# The guest has nothing of jaildaemon before and after that; what a package
# depends on is in packages.guest.  Docker is started and left as it is, and
# has the image "img".  To be sourced after tap.sh, in the folder of the
# source or that of the payload; guest.sh has the functions that are not here.
#
# shellcheck shell=sh disable=SC2154

package_make() {
	_version=$(dpkg-parsechangelog -S Version)
	mkdir -p "$1" || return
	for _v in "$_version" "$_version+1"; do
		DEB_BUILD_OPTIONS=nocheck sh packaging/deb.sh "$1/build" "$_v" &&
		    cp "$1/build/jaildaemon_$_v"_*.deb "$1/" || return
	done
	rm -rf "$1/build"
}

package_version() {
	dpkg-query -W -f '${Version}' jaildaemon
}

package_pid() {
	systemctl show -p MainPID --value jaildaemon
}

# Armed, and by none but the daemon that is the service's now.
package_probes() {
	pgrep -x -f "jailprobe: $1" -P "$(package_pid)"
}

package_armed() {
	[ "$(package_probes "$1" | wc -l)" -eq 1 ]
}

package_replaced() {
	[ "$(package_pid)" -ne "$1" ]
}

# All files that have the name, but for what dpkg and the journal note.
package_files() {
	find / -xdev \( -path /run/vm -o -path "$T" -o -path /var/log \
	    -o -path /var/lib/docker \) -prune -o -name '*jaildaemon*' -print
	find /run -xdev -path /run/vm -prune -o -name 'jaildaemon*' -print
}

package_install() {
	group "package, installed"
	is "$(package_files)" "" "there is nothing before"
	# With Type=notify, a daemon that is not heard would fail to start.
	ok "installs" dpkg -i "$_old"
	is "$(systemctl is-active jaildaemon)" active "is active"
	is "$(systemctl is-enabled jaildaemon)" enabled "and at each start"
	is "$(systemctl show -p Type --value jaildaemon)" notify \
	    "by its own word"
	is "$(systemctl show -p Result --value jaildaemon)" success \
	    "without a fault"
	ok "the socket is there" test -S /run/jaildaemon.pipe
	is "$(cat /run/jaildaemon.pid)" "$(package_pid)" \
	    "and the number of the daemon"
	like "$(systemctl show -p Before --value jaildaemon)" \
	    'docker.service' "before the engines"
	like "$(systemctl show -p After --value systemd-nspawn@x)" \
	    'jaildaemon.service' "and before nspawn's"
}

package_container() {
	systemctl start docker
	docker run -d --name pkg --userns=host --network none img /init
}

package_arm() {
	group "package, in use"
	ok "a container" package_container
	_pid=$(docker inspect -f '{{.State.Pid}}' pkg)
	ok "arms" patiently jaildaemon -c "echo x >>$M/package" -j "$_pid" \
	    -t PACKAGE -r
	ok "a HUP from inside" tell "$_pid" PACKAGE
	ok "runs the command" wait_for 20 runs package
	# A file of actions, and an engine that is followed.
	echo "-j docker:pkg -r -t FILE -c 'echo x >>$M/file'" \
	    >>/etc/jaildaemon.conf
	ok "the file is right" jaildaemon check
	ok "reloads" systemctl reload jaildaemon
	is "$(systemctl is-active jaildaemon)" active "and goes on"
	is "$(systemctl show -p MainPID --value jaildaemon)" \
	    "$(cat /run/jaildaemon.pid)" "as the same"
	ok "Docker is followed" systemctl enable --now \
	    jaildaemon-follow@docker
	ok "the container's action is armed" wait_for 120 package_armed FILE
	ok "a HUP from inside" tell "$_pid" FILE
	ok "runs the file's command" wait_for 20 runs file
	rm -f "$M/file"
	ok "and it is armed again" wait_for 120 package_armed FILE
	echo "-t BROKEN" >>/etc/jaildaemon.conf
	nok "a broken file is not reloaded" systemctl reload jaildaemon
	is "$(systemctl is-active jaildaemon)" active "and does no harm"
	sed -i '$d' /etc/jaildaemon.conf
}

package_upgrade() {
	group "package, upgraded"
	jaildaemon -c "echo x >>$M/slow1
	    until [ -e $M/go-on ]; do sleep 1; done; echo x >>$M/slow2" \
	    -j "$_pid" -t SLOW
	pkill -HUP -x -f "jailprobe: SLOW"
	ok "a run begins" wait_for 20 runs slow1
	_was=$(package_pid)
	ok "a newer one" dpkg -i "$_new"
	is "$(package_version)" "$_newer" "is installed"
	is "$(systemctl is-active jaildaemon)" active "is active"
	ok "is another process" package_replaced "$_was"
	ok "what was armed from the file is again" wait_for 120 \
	    package_armed FILE
	ok "a HUP from inside" tell "$_pid" FILE
	ok "runs its command" wait_for 20 runs file
	: >"$M/go-on"
	ok "the run went on" wait_for 20 runs slow2
	like "$(tail -n 1 /etc/jaildaemon.conf)" 'docker:pkg' \
	    "and the file is as it was"
}

# killed, as by a fault: the service comes back by itself.
package_killed() {
	group "package, killed"
	_was=$(package_pid)
	kill -9 "$_was"
	ok "comes back" wait_for 60 package_replaced "$_was"
	ok "is active" wait_for 60 systemctl -q is-active jaildaemon
	ok "and armed" wait_for 120 package_armed FILE
}

package_stop() {
	group "package, stopped"
	ok "stops" systemctl stop jaildaemon
	is "$(systemctl is-active jaildaemon)" inactive "is not active"
	is "$(systemctl is-active jaildaemon-follow@docker)" inactive \
	    "nor does it follow"
	nok "no probe is left" pgrep jailprobe
	ok "starts again" systemctl start jaildaemon
	is "$(systemctl is-active jaildaemon)" active "is active"
	ok "follows again" wait_for 20 systemctl -q is-active \
	    jaildaemon-follow@docker
	ok "and is armed" wait_for 120 package_armed FILE
}

package_remove() {
	group "package, removed"
	ok "is removed" dpkg -r jaildaemon
	nok "no process is left" pgrep 'jaildaemon|jailprobe'
	nok "nor the socket" test -e /run/jaildaemon.pipe
	ok "the file of actions is left" test -e /etc/jaildaemon.conf
	ok "is purged" dpkg -P jaildaemon
	is "$(package_files)" "" "nothing is left"
	like "$(systemctl show -p LoadState --value jaildaemon)" not-found \
	    "not for systemd either"
	docker rm -f pkg >/dev/null
}

package_tests() {
	_old=$(find "$1" -name 'jaildaemon_*.deb' ! -name '*+1_*')
	_new=$(find "$1" -name 'jaildaemon_*+1_*.deb')
	_newer=$(dpkg-deb -f "$_new" Version)
	package_install
	package_arm
	package_upgrade
	package_killed
	package_stop
	package_remove
	group end
}
