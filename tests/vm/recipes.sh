# recipes.sh - recipes of docs/cookbook.md that need a systemd or a kernel of
# their own: groups of guest.sh, which has the functions that are not here
#
# The text is that of the file, in its places; what stands here besides is what
# the file takes for granted.
#
# shellcheck shell=sh disable=SC2154

# The drop-in's container: a machine whose system has no first process of
# systemd's, and so knows no signal to end by.  The hierarchy is the host's, as
# in the group "machines".
recipe_machine() {
	_d=/etc/systemd/system/systemd-nspawn@
	mkdir -p "$_d.service.d" "$_d$1.service.d" /etc/systemd/nspawn
	recipe_text systemd-nspawn.dropin >"$_d.service.d/started.conf"
	recipe_text nspawn-started >/usr/local/sbin/nspawn-started
	chmod 755 /usr/local/sbin/nspawn-started
	printf '[Service]\nEnvironment=SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1\n' \
	    >"$_d$1.service.d/hierarchy.conf"
	printf '[Exec]\nKillSignal=SIGKILL\n' >"/etc/systemd/nspawn/$1.nspawn"
	ln -s /init "/var/lib/machines/$1/sbin/init"
}

# recipe_file NAME: the file of actions is this one.
recipe_file() {
	recipe_text "$1" >/etc/jaildaemon.conf
	ok "the file" sh -c "$(recipe_text reload.host)"
}

# recipe_leader NAME [PID]: the first process of the machine, if it is not PID.
recipe_leader() {
	_leader=$(machinectl show -p Leader --value "$1" 2>/dev/null)
	[ "${_leader:-0}" -ne 0 ] && [ "$_leader" -ne "${2:-0}" ] &&
	    echo "$_leader"
}

# recipe_has PID TITLE: there is one probe, and the jail sees it.
recipe_has() {
	is "$(probe "$2" | lines)" 1 "once"
	is "$(inside "$1" "pgrep -x -f 'jailprobe: $2'")" 0 "in the machine"
}

recipe_nspawn() {
	group "recipe, systemd-nspawn"
	cp /etc/jaildaemon.conf "$S/jaildaemon.conf"
	recipe_machine web
	recipe_file systemd-nspawn-restart.conf
	ok "a machine starts" systemctl start systemd-nspawn@web
	ok "armed" wait_for 20 is_armed RESTART
	_pid=$(recipe_leader web)
	recipe_has "$_pid" RESTART
	# Who asks is ended by it, and cannot say what came of it.
	ok "the jail asks" timeout 60 sh -c 'echo "$2" >"/proc/$1/root/tell"' \
	    sh "$_pid" "$(recipe_text restart.jail)"
	ok "another one is there" wait_for 20 recipe_leader web "$_pid"
	nok "and the old one is not" alive "$_pid"
	ok "armed again" wait_for 20 is_armed RESTART
	recipe_has "$(recipe_leader web)" RESTART
	ok "stops" systemctl stop systemd-nspawn@web
	nok "no probe is left" probe RESTART
	cp "$S/jaildaemon.conf" /etc/jaildaemon.conf
	ok "the old file again" jaildaemon reload
}

# recipe_snapshots: of the machine's data set.
recipe_snapshots() {
	zfs list -H -o name -t snapshot -r tank/jails
}

# A pool in a file; the machine's root is a data set.
recipe_zfs() {
	group "recipe, ZFS"
	_root=/var/lib/machines/db
	truncate -s 256M "$S/tank"
	ok "the module" modprobe zfs
	ok "a pool" zpool create -m none tank "$S/tank"
	ok "for jails" zfs create tank/jails
	ok "and one for a machine" zfs create -o mountpoint="$_root" \
	    tank/jails/db
	cp -a /var/lib/machines/web/. "$_root"
	recipe_text snapshot.jail >"$_root/bin/snapshot"
	chmod 755 "$_root/bin/snapshot"
	recipe_machine db
	recipe_file zfs-snapshot.conf
	ok "which starts" systemctl start systemd-nspawn@db
	ok "armed" wait_for 20 probe 'SNAPSHOT.*'
	_pid=$(recipe_leader db)
	is "$(recipe_snapshots)" "" "there is none yet"
	is "$(inside "$_pid" "echo one >/data; snapshot")" 0 \
	    "the jail asks, waits, and hears of it"
	_snapshot=$(recipe_snapshots)
	like "$_snapshot" '^tank/jails/db@[0-9]{8}-[0-9]{6}$' \
	    "there is one, with the jail's name"
	inside "$_pid" "echo two >/data" >/dev/null
	is "$(cat "$_root/.zfs/snapshot/${_snapshot#*@}/data")" one \
	    "of what there was"
	is "$(cat "$_root/data")" two "and nothing else"
	# Where the command fails the script in the jail says so.
	zfs rename -u tank/jails/db tank/jails/away
	is "$(inside "$_pid" snapshot)" 1 "where it fails, the jail hears of it"
	is "$(recipe_snapshots)" "tank/jails/away@${_snapshot#*@}" \
	    "and there is no other"
	ok "armed all the same" probe 'SNAPSHOT \[runs 2, last [1-9][0-9]*\]'
	ok "stops" systemctl stop systemd-nspawn@db
	ok "and the pool goes" zpool destroy -f tank
}
