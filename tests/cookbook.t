#!/bin/sh
# The recipes of docs/cookbook.md, run as they stand there: their text is taken
# out of the file, and only the names of containers are replaced by those that
# the tests' containers have.  Daemon, file and socket are in their usual
# places, which this test has to itself.
#
# shellcheck disable=SC1091,SC2016,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

BOOK=$(cd "$here/.." && pwd)/docs/cookbook.md

# What no machine of Linux can run; the file says so at its beginning.
UNTRIED="freebsd-restart.conf freebsd-jail.conf freebsd-jail-c.conf
    freebsd-bastille.conf freebsd-ezjail.conf freebsd-pf.conf
    freebsd-reboot.conf"

# -- the book -----------------------------------------------------------------

. "$here/lib/recipe.sh"

# recipe NAME: its text.
recipe() {
	echo "$1" >>"$T/used"
	recipe_text "$1" |
	    sed "s/\(docker\|podman\|incus\|lxc\|machine\):\([a-z]\)/\1:$JAIL_RUN-\2/g"
}

# Those that the virtual machine runs.
used_in_guest() {
	grep -v '^[[:space:]]*#' "$here/vm/recipes.sh" |
	    sed -n 's/.*recipe_\(text\|file\) \([a-z][a-z.-]*\).*/\2/p'
}

# Its groups that nobody starts.
idle_in_guest() {
	awk '/^[a-z_]*\(\) \{$/ { sub(/\(.*/, ""); f = $0 }
	    /^\tgroup / { print f }' "$here/vm/recipes.sh" >"$T/groups"
	[ -s "$T/groups" ] || echo none
	sed -n 's/^\(LANE_[AB]\|LAST\|ASKED\)="\(.*\)"$/\2/p' \
	    "$here/vm/guest.sh" | tr ' ' '\n' >"$T/lanes"
	grep -vxF -f "$T/lanes" "$T/groups"
}

# -- a host of our own ----------------------------------------------------------

host_start() {
	mkdir -p "$T/sbin" "$T/bin" /etc/nftables.d &&
	mount --bind "$T/sbin" /usr/local/sbin &&
	ln -s "$JAILDAEMON" /usr/local/sbin/jaildaemon || return 1
	: >/etc/jaildaemon.conf
	chmod 644 /etc/jaildaemon.conf
	# What the recipes do to the network is done to another one.
	unshare -n sleep 100000 &
	NET=$!
	wait_for 5 jail_other_ns "$NET" net || return 1
	nsenter -t "$NET" -n ip link set lo up
	daemon_runs nsenter -t "$NET" -n
}

# daemon_runs [WORD...]: begun by these words.
daemon_runs() {
	[ ! -e "$D/log" ] || cat "$D/log" >>"$D/log.old"
	"$@" jaildaemon -D -d >"$D/out" 2>"$D/log" </dev/null &
	DPID=$!
	wait_for 10 log_has event=start
}

tap_atexit host_stop
host_stop() {
	for _p in ${FPID:-} ${GPID:-} ${DPID:-} ${NET:-}; do
		kill "$_p" 2>/dev/null
		wait "$_p" 2>/dev/null
	done
	umount /srv 2>/dev/null
	umount /usr/local/sbin 2>/dev/null
}

# script NAME: the block as the file that it shall be.
script() {
	recipe "$1" >"/usr/local/sbin/$1" && chmod 755 "/usr/local/sbin/$1"
}

# rule NAME...: the file of actions consists of these blocks.
rule() {
	for _r in "$@"; do
		recipe "$_r"
	done >/etc/jaildaemon.conf
	sh -c "$(recipe reload.host)" >"$T/reload" 2>&1 || {
		diag_file "$T/reload"
		return 1
	}
}

follow() {
	jaildaemon follow "$1" 2>"$D/follow" </dev/null &
	FPID=$!
	wait_for 10 grep -q event=engine "$D/follow" || diag_file "$D/follow"
}

follow_end() {
	kill "$FPID" && wait "$FPID"
	FPID=
}

action() {
	jaildaemon list -J -j "$1" -t "$2"
}

is_armed() {
	action "$1" "$2" | grep '"state":"armed"' | grep -qv "\"jid\":${3:-0},"
}

# has_run JAIL TITLE N: N runs, the last one with status 0.
has_run() {
	action "$1" "$2" | grep -q "\"runs\":$3,\"last_status\":0,"
}

# jail_does NAME RECIPE: in the jail, as it stands there.
jail_does() {
	jail_exec "$1" sh -c "$(recipe "$2")"
}

dump() {
	diag_file "$D/log"
	jaildaemon list | sed 's/^/# | /'
}

# ok, with what there is to know if not.
works() {
	_failed=$tap_failed
	ok "$@"
	[ "$tap_failed" -eq "$_failed" ] || dump
}

# -- the text -------------------------------------------------------------------

well_written() {
	for _n in $(recipes); do
		recipe "$_n" >"$T/block"
		case $_n in
		freebsd-jail*)
			;;
		*.conf)
			chmod 644 "$T/block"
			ok "$_n reads" jaildaemon check -C "$T/block"
			;;
		*.config | *.dropin | gw.*)
			;;
		*)
			ok "$_n is a shell's" sh -n "$T/block" ;;
		esac
	done
	is "$(grep pkill "$BOOK" | grep -e -HUP |
	    grep -v -e "-f '^jailprobe: " -e '-f "$probe"')" "" \
	    "each pattern is anchored"
	is "$(grep 'jaildaemon -j' "$BOOK" | grep -v '|| true')" "" \
	    "each hook that arms ends well"
	: >"$T/used"
}

# -- recipes ----------------------------------------------------------------------

# restarts ENGINE KIND: that container web has itself restarted.
restarts() {
	_id=$1:$(jail_name web)
	works "armed" wait_for 20 is_armed "$_id" RESTART
	_old=$(jail_pid web)
	works "the jail asks" jail_does web restart.jail
	works "another one is there, armed" wait_for 30 is_armed "$_id" RESTART \
	    "$_old"
	nok "and the old one is not" alive "$_old"
}

docker_pid() {
	docker inspect -f '{{.State.Pid}}' "$(jail_name "$1")" \
	    >"$T/jail/$1/pid"
}

recipe_docker() {
	mkdir -p "/srv/certs/$(jail_name web)"
	works "a container" jail_start docker web --stop-timeout 1 \
	    -v "/srv/certs/$(jail_name web):/etc/cert:ro" || return
	ln -s "$T/docker.sock" /run/docker.sock
	works "the file" rule docker-restart.conf rotate-cert.conf
	follow docker
	restarts docker
	docker_pid web
	recipe_cert
	recipe_snapshot
	recipe_network
	recipe_reboot
	recipe_hook
	follow_end
}

cert_is_new() {
	openssl verify -CAfile /etc/ssl/local-ca/ca.pem "$_pem" &&
	    [ "$(openssl pkey -in "$_pem" -pubout)" = \
	    "$(openssl x509 -in "$_pem" -noout -pubkey)" ] &&
	    [ "$(openssl x509 -in "$_pem" -noout -subject)" = \
	    "subject=CN = $(jail_name web)" ]
}

recipe_cert() {
	tap_group=certificate
	mkdir -p /etc/ssl/local-ca
	(
		umask 077
		cd /etc/ssl/local-ca &&
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key \
		    -out ca.pem -subj /CN=local-ca -days 30
	) >"$T/ca.log" 2>&1 || diag_file "$T/ca.log"
	script rotate-cert
	_pem=/srv/certs/$(jail_name web)/$(jail_name web).pem
	_id=docker:$(jail_name web)
	works "armed" wait_for 20 is_armed "$_id" CERT
	works "the jail asks" jail_does web cert.jail
	works "the host signs" wait_for 30 has_run "$_id" CERT 1
	works "key and certificate, for the jail's name" cert_is_new
	works "the jail has them" jail_exec web \
	    grep -q "BEGIN CERTIFICATE" "/etc/cert/$(jail_name web).pem"
	is "$(stat -c %a "$_pem")" 600 "and nobody else"
	nok "the jail cannot write there" jail_exec web touch /etc/cert/x
	is "$(find "${_pem%/*}" -name '.new*')" "" "nothing is left"
}

recipe_snapshot() {
	tap_group=snapshot
	[ "$SRV" = btrfs ] || {
		skip "no btrfs: no loop device, or not in the kernel"
		return
	}
	btrfs subvolume create "/srv/$(jail_name db)" >/dev/null
	echo one >"/srv/$(jail_name db)/data"
	works "a container" jail_start docker db || return
	works "the file" rule btrfs-snapshot.conf
	works "armed" wait_for 20 is_armed "docker:$(jail_name db)" SNAPSHOT
	works "the jail asks, waits, and hears of it" jail_does db snapshot.jail
	_s=$(find /srv -maxdepth 1 -name "$(jail_name db)@*")
	is "$(cat "$_s/data")" one "there is a snapshot"
	nok "which nobody writes to" touch "$_s/x"
	# Where the command fails the script in the jail says so.
	mv "/srv/$(jail_name db)" /srv/away
	nok "and where it fails, the jail hears of it" jail_does db snapshot.jail
	is "$(cat "$T/tap.out")" "the snapshot failed" "in words"
	works "and in the title" jail_exec db \
	    pgrep -f '^jailprobe: SNAPSHOT \[runs 2, last 1\]$'
	jail_stop db
}

recipe_network() {
	tap_group=network
	recipe gw.nft >/etc/nftables.d/gw.nft
	recipe gw.routes >/etc/gw.routes
	works "a container" jail_start docker gw || return
	works "the file" rule nft-reload.conf
	_id=docker:$(jail_name gw)
	works "armed" wait_for 20 is_armed "$_id" NETWORK
	for _n in 1 2; do
		works "the jail asks, $_n" jail_does gw network.jail
		works "it is loaded" wait_for 20 has_run "$_id" NETWORK "$_n"
		is "$(nsenter -t "$NET" -n nft list ruleset | grep -c drop)" 1 \
		    "the rules are there, once"
		works "armed again" wait_for 20 is_armed "$_id" NETWORK
	done
	like "$(nsenter -t "$NET" -n ip route)" "^blackhole 198.51.100.0/24" \
	    "the route as well"
	echo "table inet gw { nonsense }" >>/etc/nftables.d/gw.nft
	works "with a mistake in the file" jail_does gw network.jail
	works "the command fails" wait_for 20 log_has "run-end .*status=1 "
	is "$(nsenter -t "$NET" -n nft list ruleset | grep -c drop)" 1 \
	    "and the rules stay"
	jail_stop gw
}

recipe_reboot() {
	tap_group=reboot
	works "the file" rule reboot.conf
	_box=$(jail_name box)
	recipe reboot.jail >"$T/rc"
	# An init that shuts down on a TERM, with the recipe at its end.
	printf '%s\n' 'trap "sh /etc/rc.last; exit 0" TERM' \
	    'while :; do sleep 1000 & wait; done' >"$T/boxinit"
	works "a container" docker create --name "$_box" --network none \
	    "$JAIL_RUN:1" sh /etc/boxinit
	docker cp "$T/rc" "$_box:/etc/rc.last" &&
	    docker cp "$T/boxinit" "$_box:/etc/boxinit"
	works "which starts" docker start "$_box"
	_old=$(docker inspect -f '{{.State.Pid}}' "$_box")
	works "armed" wait_for 20 is_armed "docker:$_box" REBOOT
	works "it shuts down" docker exec "$_box" kill -TERM 1
	works "it is back, armed" wait_for 30 is_armed "docker:$_box" REBOOT \
	    "$_old"
	nok "and another one" alive "$_old"
	docker rm -f "$_box" >/dev/null
}

recipe_hook() {
	tap_group=hook
	pid=$(jail_pid web)
	export pid
	works "a hook that arms" sh -c "$(recipe hook-c.host)"
	works "has armed" is_armed "$pid" HELLO
	nok "it knows no daemon" jaildaemon -f /nonexistent -j "$pid" -c true
	works "but ends well" sh -c "$(recipe hook-c.host |
	    sed 's,jaildaemon,& -f /nonexistent,')"
}

recipe_podman() {
	sed -i 's/^events_logger.*/events_logger = "file"/' \
	    /etc/containers/containers.conf
	works "the file" rule podman-restart.conf
	follow podman
	works "a container" jail_start podman web --stop-timeout 1 || return
	restarts podman
	follow_end
	jail_stop web
}

recipe_incus() {
	jail_incusd >"$T/incusd.start" 2>&1 || diag_file "$T/incusd.start"
	# A command has the home of the account, which is another one now.
	kill "$DPID" && wait "$DPID"
	works "a daemon in that home" daemon_runs nsenter -t "$NET" -n
	works "the file" rule incus-restart.conf
	follow incus
	works "a container" jail_start incus web -c "raw.lxc=lxc.init.cmd = /init
	    lxc.signal.halt = SIGKILL" || return
	restarts incus
	follow_end
	jail_stop web
}

recipe_lxc() {
	# The tools of LXC find a container by a socket of the network namespace
	# that it was started from.
	kill "$DPID" && wait "$DPID"
	works "a daemon in the container's network" daemon_runs env
	script lxc-started
	works "the file" rule lxc-restart.conf
	works "a container with the hook" jail_start lxc web \
	    "$(recipe lxc-hook.config)" "lxc.signal.halt = SIGKILL" || return
	restarts lxc
	lxc-info -n "$(jail_name web)" -p -H >"$T/jail/web/pid"
	jail_stop web
	kill "$DPID" && wait "$DPID"
	works "and one in its own again" daemon_runs nsenter -t "$NET" -n
}

recipe_nspawn() {
	script nspawn-started
	works "the file" rule systemd-nspawn-restart.conf
	works "a container" jail_start nspawn web || return
	MAINPID=$(ps -o ppid= -p "$(jail_pid web)" | tr -d ' ')
	export MAINPID
	works "the script" /usr/local/sbin/nspawn-started "$(jail_name web)"
	works "armed" wait_for 20 is_armed "machine:$(jail_name web)" RESTART
	works "in the container" probe_pid web RESTART
	jail_stop web
}

recipe_deploy() {
	echo 'deploy:x:64991:64991::/srv/www:/bin/sh' >>/etc/passwd
	echo 'deploy:x:64991:' >>/etc/group
	git config --system safe.directory '*'
	git config --system user.email test@example.org
	git config --system user.name test
	git config --system init.defaultBranch main
	git init -q --bare /srv/git && git clone -q /srv/git /srv/work 2>/dev/null
	(cd /srv/work && echo 1 >page && git add page && git commit -qm 1 &&
	    git push -q origin HEAD:main)
	mkdir /srv/www && chown deploy:deploy /srv/www
	works "what is deployed" runuser -u deploy -- git clone -q /srv/git /srv/www
	recipe post-receive >/srv/git/hooks/post-receive
	chmod 755 /srv/git/hooks/post-receive
	works "the file" rule deploy.conf
	# Git is the host's: a jail with the host's root.
	unshare -pf --mount-proc sh -c 'sleep 100000; :' </dev/null >/dev/null 2>&1 &
	_outer=$!
	wait_for 5 pgrep -P "$_outer"
	GPID=$(pgrep -P "$_outer")
	works "a jail" jaildaemon started git-server "$GPID"
	works "armed" wait_for 20 is_armed "$GPID" DEPLOY
	(cd /srv/work && echo 2 >page && git commit -qam 2)
	works "a push from within" nsenter -t "$GPID" -p -m \
	    git -C /srv/work push -q origin HEAD:main
	is "$(cat "$T/tap.out")" "" "without a complaint"
	works "is deployed" wait_for 30 grep -qx 2 /srv/www/page
	is "$(stat -c %U /srv/www/page)" deploy "by a user without rights"
	works "armed again" wait_for 20 is_armed "$GPID" DEPLOY
	kill -9 "$GPID"
	GPID=
}

# -- all ------------------------------------------------------------------------

mkdir "$T/srv"
SRV=$T/srv
# Only where btrfs is not to be had something else is mounted.
if truncate -s 256M "$T/btrfs" && mkfs.btrfs -q "$T/btrfs" >"$T/mkfs" 2>&1 &&
    mount -o loop "$T/btrfs" /srv 2>>"$T/mkfs"; then
	SRV=btrfs
else
	diag_file "$T/mkfs"
	mount -t tmpfs -o mode=755 jdtest /srv
fi
works "a daemon in its usual place" host_start
tap_group=text
well_written
for r in ${RECIPES_ONLY:-docker podman incus lxc nspawn deploy}; do
	tap_group=$r
	case $r in
	deploy)	lacks=$(command -v git >/dev/null || echo git) ;;
	*)	lacks=$(jail_missing "$r") ;;
	esac
	if [ -n "$lacks" ]; then
		skip "no $lacks"
	else
		"recipe_$r"
	fi
done
tap_group=
is "$(idle_in_guest)" "" "the virtual machine starts each of its recipes"
# shellcheck disable=SC2086
[ -n "${RECIPES_ONLY:-}" ] ||
    is "$({ cat "$T/used"; used_in_guest; } | sort -u)" \
    "$(recipes | grep -vxF "$(printf '%s\n' $UNTRIED)" | sort)" \
    "each recipe was run, but those that cannot be"
unlike "$(cat "$D"/log*)" "Sanitizer|runtime error|event=bug" "nothing to confess"
kill "$DPID" && wait "$DPID"
is $? 0 "the daemon ends in order"
DPID=
done_testing
