# package.sh - the Debian package under a real systemd: installed, started,
# upgraded, stopped, removed and purged
#
#   package_make DIRECTORY     on the host: two packages, the second one newer
#   package                    in the guest: a group of guest.sh, which has the
#                              functions that are not here; the packages are
#                              in ./packages
#
# What a package depends on is in packages.guest.
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
	[ "$(package_probes "$1" | wc -l)" -eq 1 ] && is_armed "$1"
}

package_replaced() {
	[ "$(package_pid)" -ne "$1" ]
}

# All files that have the name, wherever a package may put one.
package_files() {
	find /etc /lib/systemd /usr /var/lib /run -xdev \
	    \( -path /run/vm -o -path /var/lib/docker \) -prune -o \
	    -name '*jaildaemon*' -print
}

# What make install has installed goes.
package_clear() {
	systemctl stop jaildaemon
	rm -f /etc/systemd/system/jaildaemon.service
	(cd root && find . -type f) | cut -c 2- | tr '\n' '\0' | xargs -0 rm -f
	rm -rf /var/lib/jaildaemon
	systemctl daemon-reload
	hash -r
}

package_install() {
	group "package, installed"
	package_clear
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

package_arm() {
	group "package, in use"
	need_web
	_pid=$(docker_pid web)
	ok "arms" patiently jaildaemon -c "echo x >>$M/package" -j "$_pid" \
	    -t PACKAGE -r
	is "$(hup "$_pid" PACKAGE)" 0 "a HUP from inside"
	ok "runs the command" wait_for 20 runs package
	# A file of actions, and an engine that is followed.
	echo "-j docker:web -r -t FILE -c 'echo x >>$M/file'" \
	    >>/etc/jaildaemon.conf
	ok "the file is right" jaildaemon check
	ok "reloads" systemctl reload jaildaemon
	is "$(systemctl is-active jaildaemon)" active "and goes on"
	is "$(systemctl show -p MainPID --value jaildaemon)" \
	    "$(cat /run/jaildaemon.pid)" "as the same"
	ok "Docker is followed" systemctl enable --now \
	    jaildaemon-follow@docker
	ok "the container's action is armed" wait_for 20 package_armed FILE
	is "$(hup "$_pid" FILE)" 0 "a HUP from inside"
	ok "runs the file's command" wait_for 20 runs file
	rm -f "$M/file"
	ok "and it is armed again" wait_for 20 package_armed FILE
	echo "-t BROKEN" >>/etc/jaildaemon.conf
	nok "a broken file is not reloaded" systemctl reload jaildaemon
	is "$(systemctl is-active jaildaemon)" active "and does no harm"
	sed -i '$d' /etc/jaildaemon.conf
}

package_upgrade() {
	group "package, upgraded"
	patiently jaildaemon -c "echo x >>$M/slow1
	    until [ -e $M/go-on ]; do sleep 1; done; echo x >>$M/slow2" \
	    -j "$_pid" -t SLOW
	pkill -HUP -x -f "jailprobe: SLOW"
	ok "a run begins" wait_for 20 runs slow1
	_was=$(package_pid)
	ok "a newer one" dpkg -i "$_new"
	is "$(package_version)" "$_newer" "is installed"
	is "$(systemctl is-active jaildaemon)" active "is active"
	ok "is another process" package_replaced "$_was"
	ok "what was armed from the file is again" wait_for 20 \
	    package_armed FILE
	ok "and what was armed by hand" wait_for 20 package_armed PACKAGE
	is "$(hup "$_pid" FILE)" 0 "a HUP from inside"
	ok "runs its command" wait_for 20 runs file
	: >"$M/go-on"
	ok "the run went on" wait_for 20 runs slow2
	like "$(tail -n 1 /etc/jaildaemon.conf)" 'docker:web' \
	    "and the file is as it was"
}

# Killed, as by a fault: the service comes back by itself.
package_killed() {
	group "package, killed"
	_was=$(package_pid)
	kill -9 "$_was"
	ok "comes back" wait_for 10 package_replaced "$_was"
	ok "is active" wait_for 10 systemctl -q is-active jaildaemon
	ok "and armed, from the file" wait_for 20 package_armed FILE
	ok "and by hand" wait_for 20 package_armed PACKAGE
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
	ok "and is armed" wait_for 20 package_armed FILE
}

package_remove() {
	group "package, removed"
	ok "is removed" dpkg -r jaildaemon
	nok "no process is left" pgrep -u 0 'jaildaemon|jailprobe'
	nok "nor the socket" test -e /run/jaildaemon.pipe
	ok "the file of actions is left" test -e /etc/jaildaemon.conf
	ok "is purged" dpkg -P jaildaemon
	is "$(package_files)" "" "nothing is left"
	like "$(systemctl show -p LoadState --value jaildaemon)" not-found \
	    "not for systemd either"
}

package() {
	_old=$(find packages -name '*.deb' ! -name '*+1_*')
	_new=$(find packages -name '*+1_*.deb')
	_newer=$(dpkg-deb -f "$_new" Version)
	package_install
	package_arm
	package_upgrade
	package_killed
	package_stop
	package_remove
}
