#!/bin/sh
# Measures: makes a jail, starts the alternatives, lets build/bench/bench
# measure, and writes what it found to bench/: results.json, results.svg, and
# the tables in README.md.  To be run as root, by "make bench".
#
# Environment:
#   BENCH_ROUNDS	samples of each latency (500)
#   BENCH_ONLY		measurements: trigger kept whole growth change burst
#			size idle
#   BENCH_BEFORE	another jaildaemon, for change: round by round beside
#			this one
#   BENCH_AGAINST	alternatives: s6 userv fifo socat webhook ssh
#   BENCH_OUT		another folder for what is written
#   BENCH_SIZES		probes armed, for growth (10,1000,9000)
#   BENCH_BURST		triggers at once (1000)
#   BENCH_IDLE		seconds to watch an idle daemon (60)
#   BENCH_QUIET		microseconds of quiet before each sample (3000)
#   BENCH_DIR		an existing folder, root's alone, for the daemons' files
#			instead of one in memory: for a state that is on a disk
#   BENCH_DAEMON	further options of the daemon: words without blanks
#
# shellcheck disable=SC3045

set -u
cd "$(dirname "$0")/.." || exit 1
top=$(pwd)
: "${BUILD:=build}" "${JAILDAEMON:=$top/$BUILD/jaildaemon}"
: "${BENCH_OUT:=$top/bench}" "${BENCH_ROUNDS:=500}"
os=$(uname -s)
tools=$top/$BUILD/bench
name=jdbench-$$
said=

fail()
{
	echo "bench: $*" >&2
	exit 1
}

need()
{
	for n in "$@"; do
		command -v "$n" >/dev/null ||
		    fail "there is no $n here: make deps-bench installs it"
	done
}

# The command that is written beside the figures.
say()
{
	for v in ROUNDS ONLY AGAINST SIZES BURST IDLE QUIET DIR DAEMON; do
		eval "value=\${BENCH_$v-}"
		[ -z "$value" ] || [ "$v$value" = ROUNDS500 ] ||
		    said="${said}BENCH_$v='$value' "
	done
	said="${said}make bench"
}

# wait_until SECONDS COMMAND...
wait_until()
{
	tries=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# All that was started is in a cgroup, whatever became of its parent.
cleanup()
{
	[ -z "${harness:-}" ] || kill "$harness" 2>/dev/null
	if [ "$os" = FreeBSD ]; then
		jail -r "$name" 2>/dev/null
	elif [ -n "${memory:-}" ]; then
		wait_until 10 kill_groups
		for c in $(cgroup_mounts); do
			wait_until 5 remove_group "$c/$name" ||
			    echo "bench: left: $c/$name" >&2
		done
	fi
	rm -rf "$R" ${W:+"$W"}
}

kill_groups()
{
	# shellcheck disable=SC2046 # a list of numbers
	set -- $(cat "$memory/servers/cgroup.procs" \
	    "$memory/guest/cgroup.procs")
	[ $# -eq 0 ] || { kill -9 "$@"; return 1; }
}

remove_group()
{
	[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +
}

# -- the jail ------------------------------------------------------------------

# A view of the system of our own: nothing is left of what is put to /run,
# /etc and the home of root.
private_linux()
{
	mount -t tmpfs -o mode=755 "$name" /run &&
	mkdir -m 755 "/run/$name" && R=/run/$name || exit 1
	mkdir "$R/etc" && cp -a /etc/. "$R/etc" 2>/dev/null
	mount --bind "$R/etc" /etc || exit 1
}

cgroup_mounts()
{
	awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts
}

# A group for the jail in every hierarchy, and two further ones where memory
# is counted.
make_groups()
{
	groups='' memory=''
	for c in $(cgroup_mounts); do
		mkdir -p "$c/$name/guest" 2>/dev/null || continue
		for g in "$c/$name" "$c/$name/guest"; do
			for f in cpuset.cpus cpuset.mems; do
				[ -e "$c/cgroup.controllers" ] ||
				[ ! -e "$g/$f" ] || cat "$c/$f" >"$g/$f"
			done
		done
		[ ! -e "$c/$name/cgroup.subtree_control" ] ||
		    echo +memory >"$c/$name/cgroup.subtree_control"
		groups="$groups $c/$name/guest/cgroup.procs"
		[ ! -e "$c/$name/guest/memory.current" ] &&
		[ ! -e "$c/$name/guest/memory.usage_in_bytes" ] ||
		    memory=$c/$name
	done 2>/dev/null
	[ -n "$memory" ] || fail "no cgroup here counts memory"
	mkdir "$memory/daemon" "$memory/bare" "$memory/servers"
}

# Namespaces of its own for everything, the network included, with a
# loopback; it sees the host's programs.
start_jail_linux()
{
	make_groups
	(
		for g in $groups; do
			echo 0 >"$g"
		done
		exec unshare -pfmniuC --mount-proc \
		    sh -c 'ip link set lo up; exec sleep 100000'
	) &
	wait_until 5 pgrep -P "$!" || fail "no jail"
	guest=$(pgrep -P "$!")
	wait_until 5 pgrep -f -x "sleep 100000" --ns "$guest" --nslist pid ||
	    fail "no jail"
	jail=$guest enter="nsenter -t $guest -a"
}

start_jail_freebsd()
{
	jail -c name="$name" path=/ persist ip4=inherit || fail "no jail"
	jail=$name enter="jexec $name"
}

# -- the contestants -------------------------------------------------------------

# contestant KEY LABEL WORD...: a line for the harness; the words are those of
# the client that is started in the jail.
contestant()
{
	key=$1 label=$2 client=$(command -v "$3") || fail "there is no $3 here"
	shift 3
	{
		printf '%s\t%s\t%s' "$key" "$label" "$client"
		[ $# -eq 0 ] || printf '\t%s' "$@"
		echo
	} >>"$R/contestants"
}

# serve COMMAND...: a server, on the host.
serve()
{
	(
		echo 0 >"$memory/servers/cgroup.procs"
		exec "$@"
	) </dev/null >>"$R/servers.log" 2>&1 &
}

# The same in the jail's network: its loopback is the shortest way there is.
serve_net()
{
	serve nsenter -t "$guest" -n "$@"
}

# The manual's ways to trigger.  The first is what the goals are about.
ours()
{
	contestant jaildaemon "jaildaemon, pkill" pkill -HUP -x -f @SHOWN@
	contestant jaildaemon-kill "jaildaemon, kill of sh" sh -c \
	    "kill -HUP @PID@"
	contestant jaildaemon-proc "jaildaemon, sh and /proc" sh -c \
	    'for p in /proc/[0-9]*; do read -r l <"$p/cmdline"; case $l in "@SHOWN@") kill -HUP "${p#/proc/}" ;; esac; done 2>/dev/null; :'
}

# s6-ipcserver(1), s6-sudod(1), s6-sudo(1): the server's words are fixed, the
# client adds none.
against_s6()
{
	need s6-ipcserver s6-sudod s6-sudo
	serve s6-ipcserver "$R/s6.sock" s6-sudod sh -c "$command"
	wait_until 5 test -S "$R/s6.sock" || fail "no s6-ipcserver"
	contestant s6-sudo s6-sudo s6-sudo "$R/s6.sock"
}

# uservd(8); a service for all users as in /etc/userv/system.default.
against_userv()
{
	need uservd userv
	mkdir -m 700 /run/userv
	printf '%s\n' reset no-disconnect-hup \
	    "execute /bin/sh -c \"$command\"" >/etc/userv/services.d/bench
	serve uservd
	wait_until 5 test -S /run/userv/socket || fail "no uservd"
	contestant userv userv userv root bench
}

# What is told everywhere for containers: a shell on the host that waits for
# a reader of the FIFO to end; and two variants, one that reads by itself and
# one that looks ten times a second.
against_fifo()
{
	need bash mkfifo
	for n in cat read poll; do
		mkfifo "$R/fifo.$n"
	done
	serve sh -c 'while :; do cat "$1" >/dev/null; sh -c "$2"; done' sh \
	    "$R/fifo.cat" "$command"
	contestant fifo-cat "FIFO, a shell's loop of cat" sh -c \
	    "echo >$R/fifo.cat"
	serve sh -c 'exec 3<>"$1"; while read -r line <&3; do sh -c "$2"; done' \
	    sh "$R/fifo.read" "$command"
	contestant fifo-read "FIFO, a shell's loop of read" sh -c \
	    "echo >$R/fifo.read"
	serve bash -c 'exec 3<>"$1"; while sleep 0.1; do
	    if read -t 0 -r -u 3; then read -r -u 3; sh -c "$2"; fi; done' \
	    bash "$R/fifo.poll" "$command"
	contestant fifo-poll "FIFO, polled every 0.1 s by a shell" sh -c \
	    "echo >$R/fifo.poll"
}

# socat(1): SYSTEM is what it has for a shell's command.
against_socat()
{
	need socat
	serve socat "UNIX-LISTEN:$R/socat.sock,fork,mode=600" "SYSTEM:$command"
	wait_until 5 test -S "$R/socat.sock" || fail "no socat"
	contestant socat socat socat -u /dev/null "UNIX-CONNECT:$R/socat.sock"
}

# webhook's README: a hook by its id, over HTTP.
against_webhook()
{
	need webhook curl
	cat >"$R/hooks.json" <<-END
	[{"id": "bench", "execute-command": "/bin/sh",
	  "pass-arguments-to-command": [
	    {"source": "string", "name": "-c"},
	    {"source": "string", "name": "$command"}]}]
	END
	serve_net webhook -hooks "$R/hooks.json" -ip 127.0.0.1 -port 9000
	contestant webhook "webhook, curl" curl -s -f \
	    http://127.0.0.1:9000/hooks/bench
	wait_until 10 nsenter -t "$guest" -n curl -s http://127.0.0.1:9000/ ||
	    fail "no webhook"
}

# sshd(8), AUTHORIZED_KEYS FILE FORMAT: a key that is good for one command.
against_ssh()
{
	need ssh ssh-keygen
	sshd=$(command -v sshd || echo /usr/sbin/sshd)
	[ -x "$sshd" ] || fail "there is no sshd here: make deps-bench"
	mkdir -p /run/sshd
	for k in host key; do
		ssh-keygen -q -t ed25519 -N '' -f "$R/ssh.$k" || exit 1
	done
	read -r type key rest <"$R/ssh.host.pub"
	echo "[127.0.0.1]:2222 $type $key" >"$R/ssh.known"
	read -r type key rest <"$R/ssh.key.pub"
	echo "restrict,command=\"$command\" $type $key" >"$R/ssh.authorized"
	cat >"$R/sshd_config" <<-END
	ListenAddress 127.0.0.1
	Port 2222
	HostKey $R/ssh.host
	AuthorizedKeysFile $R/ssh.authorized
	PermitRootLogin forced-commands-only
	PidFile none
	UsePAM yes
	END
	serve_net "$sshd" -D -e -f "$R/sshd_config"
	set -- ssh -F none -n -T -p 2222 -i "$R/ssh.key" -o BatchMode=yes \
	    -o "UserKnownHostsFile=$R/ssh.known" root@127.0.0.1
	contestant ssh "ssh, forced command" "$@"
	wait_until 10 nsenter -t "$guest" -n "$@" || {
		cat "$R/servers.log" >&2
		fail "no ssh"
	}
}

# -- what comes of it --------------------------------------------------------------

# The tables in a copy of README.md, between the lines that say so.
write_tables()
{
	jq -r -f bench/table.jq "$BENCH_OUT/results.json" >"$R/tables" ||
	    return 1
	awk -v tables="$R/tables" '
	    /^<!-- results end -->/ { skip = 0 }
	    !skip { print }
	    /^<!-- results -->/ {
		while ((getline line <tables) > 0)
			print line
		skip = 1
	    }' bench/README.md >"$R/README.md" &&
	    cat "$R/README.md" >"$BENCH_OUT/README.md"
}

write_plot()
{
	jq -r -f bench/plot.jq "$BENCH_OUT/results.json" >"$R/plot" &&
	    gnuplot "$R/plot" >"$R/results.svg" &&
	    cat "$R/results.svg" >"$BENCH_OUT/results.svg"
}

measure()
{
	set -- -p "$JAILDAEMON" -t "$tools" -d "$W" -j "$jail" \
	    -e "$enter" -a "$R/contestants" -o "$R/results.json" -c "$said" \
	    -r "$BENCH_ROUNDS" ${BENCH_SIZES:+-n "$BENCH_SIZES"} \
	    ${BENCH_BURST:+-b "$BENCH_BURST"} ${BENCH_IDLE:+-i "$BENCH_IDLE"} \
	    ${BENCH_QUIET:+-q "$BENCH_QUIET"}
	[ -z "${BENCH_BEFORE:-}" ] || set -- "$@" -B "$BENCH_BEFORE"
	[ "$os" != Linux ] ||
	    set -- "$@" -m "$memory/guest,$memory/daemon,$memory/bare"
	for g in ${groups:-}; do
		set -- "$@" -g "$g"
	done
	for o in ${BENCH_DAEMON:-}; do
		set -- "$@" -x "$o"
	done
	# shellcheck disable=SC2086 # a list of words
	"$tools/bench" "$@" ${BENCH_ONLY:-} &
	harness=$!
	wait "$harness" || {
		tail "$R/servers.log" >&2
		return 1
	}
	harness=
	cat "$R/results.json" >"$BENCH_OUT/results.json"
}

[ "$(id -u)" -eq 0 ] || fail "this makes jails: run it as root"
case $os in
Linux)
	if [ "${BENCH_PRIVATE:-}" != "$$" ]; then
		BENCH_PRIVATE=$$
		export BENCH_PRIVATE
		exec unshare -m --propagation private sh "$top/bench/run.sh"
	fi
	private_linux ;;
FreeBSD)
	R=/var/run/$name
	mkdir -m 755 "$R" || exit 1 ;;
*)
	fail "Linux or FreeBSD, not $os" ;;
esac
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$BENCH_OUT" || exit 1
say
W=${BENCH_DIR:-$R}/$name
mkdir -m 700 "$W" || exit 1
command="echo >$W/fifo"
# Open, so that trying an alternative does not have to wait for a reader.
mkfifo "$W/fifo" && exec 9<>"$W/fifo" || exit 1
ours
case $os in
Linux)
	need jq gnuplot strace nsenter
	start_jail_linux
	case " ${BENCH_ONLY:-whole} " in
	*" whole "*)
		for a in ${BENCH_AGAINST:-s6 userv fifo socat webhook ssh}; do
			"against_$a"
		done ;;
	esac
	measure && write_tables && write_plot || exit 1 ;;
FreeBSD)
	start_jail_freebsd
	measure || exit 1 ;;
esac
