# daemon.sh - the daemon under test, and its probes
#
# JAILDAEMON names the program.  The current daemon has the folder $D: its
# socket, pid file, state and log are there, $DPID is its pid.  Commands of
# actions leave their marks in $M.  To be sourced after tap.sh and jail.sh.
#
# shellcheck shell=sh disable=SC2154

case ${JAILDAEMON:-} in
'')	JAILDAEMON=$(cd "$here/.." && pwd)/build/jaildaemon ;;
*/*)	JAILDAEMON=$(cd "${JAILDAEMON%/*}" && pwd)/${JAILDAEMON##*/} ;;
esac

M=$T/marks
mkdir "$M"

# daemon_dir NAME: the daemon NAME is the current one.
daemon_dir() {
	D=$T/$1
	DPID=
	[ -d "$D" ] || mkdir -m 700 "$D"
	[ ! -s "$D/daemon" ] || DPID=$(cat "$D/daemon")
}
daemon_dir d

# What the shell that becomes the daemon does last; tests have their own.
daemon_prepare() {
	:
}

# daemon_start [OPTION...]: in the foreground, logging to $D/log, and what was
# there to $T/logs; returns once it is up.  It starts in bad company, with more descriptors, another
# umask, another folder and more environment than it should pass on.
daemon_start() {
	[ ! -e "$D/log" ] || {
		cat "$D/log" >>"$T/logs"
		mv "$D/log" "$D/log.old"
	}
	(
		umask 077
		cd "$T" || exit 1
		JDTEST_SECRET=1
		export JDTEST_SECRET
		daemon_prepare
		exec "$JAILDAEMON" -D -d -f "$D/sock" -p "$D/pid" \
		    -S "$D/state" "$@" 7>"$T/seven" 8<&7
	) </dev/null >"$D/out" 2>"$D/log" &
	DPID=$!
	echo "$DPID" >"$D/daemon"
	wait_for 10 daemon_is_up && log_has event=start && return
	diag "no daemon"
	diag_file "$D/log"
	return 1
}

# Up, or ended: then waiting is of no use.
daemon_is_up() {
	log_has event=start || ! alive "$DPID"
}

# no_confession: of all daemons that there were; to be looked at last.
no_confession() {
	cat "$T"/*/log >>"$T/logs" 2>/dev/null
	unlike "$(grep -E "Sanitizer|runtime error|event=bug" "$T/logs")" . \
	    "no daemon has anything to confess"
}

# daemon_start_away [OPTION...]: as a service; it must be up on return.
daemon_start_away() {
	"$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S "$D/state" "$@" \
	    </dev/null >"$D/out" 2>"$D/err" || return
	DPID=$(tr -dc 0-9 <"$D/pid")
	echo "$DPID" >"$D/daemon"
}

# daemon_start_syslog [OPTION...]: as a service, with a syslogd that writes to
# $D/log what it gets, as it comes; both in a /dev of their own.  Linux only.
daemon_start_syslog() {
	cat >"$T/syslog.sh" <<-END
	mount -t tmpfs -o mode=755 jdtest /dev &&
	mknod -m 666 /dev/null c 1 3 || exit 1
	socat -u UNIX-RECV:/dev/log,mode=666 OPEN:$D/log,creat,append &
	echo \$! >$D/socat
	until [ -S /dev/log ]; do sleep 0.02; done
	exec "\$@"
	END
	unshare -m --propagation private sh "$T/syslog.sh" \
	    "$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S "$D/state" "$@" ||
	    return
	DPID=$(tr -dc 0-9 <"$D/pid")
	echo "$DPID" >"$D/daemon"
}

# daemon_stop [SIGNAL]: an orderly end; the daemon's exit status.
daemon_stop() {
	kill "-${1:-TERM}" "$DPID"
	wait_for 15 not alive "$DPID" || {
		diag "the daemon does not end"
		kill -9 "$DPID"
	}
	daemon_reap
}

daemon_kill9() {
	# What make coverage counts would be lost.
	[ "${JAILDAEMON_COVERAGE:-0}" = 0 ] ||
	    gdb -p "$DPID" -batch -ex "call (void)__gcov_exit()" >/dev/null 2>&1
	kill -9 "$DPID"
	wait_for 5 not alive "$DPID"
	daemon_reap 2>/dev/null
	return 0
}

# 127 if it was no child of ours.
daemon_reap() {
	rm -f "$D/daemon"
	wait "$DPID"
}

daemon_cleanup() {
	for _d in "$T"/*/daemon; do
		[ -s "$_d" ] || continue
		_pid=$(cat "$_d")
		case $(ps -ww -o args= -p "$_pid") in
		*"$T"*)	kill -9 "$_pid" ;;
		esac
		wait "$_pid"
	done 2>/dev/null
}
tap_atexit daemon_cleanup

# jd [OPTION...]: the utility, speaking to the current daemon.
jd() {
	"$JAILDAEMON" -f "$D/sock" "$@"
}

# arm NAME TITLE COMMAND [OPTION...]: by number; quicker than by name.
arm() {
	_jid=$(jail_pid "$1") _title=$2 _command=$3
	shift 3
	jd -c "$_command" -j "$_jid" -t "$_title" "$@"
}

# refused STATUS ERE OPTION...: the utility (or the daemon's start) ends with
# STATUS, silent on stdout, with one line on stderr, which is like ERE.
refused() {
	_want=$1 _ere=$2
	shift 2
	"$JAILDAEMON" "$@" >"$T/refused.out" 2>"$T/refused.err" </dev/null
	_got=$?
	echo "status $_got, wanted $_want"
	cat "$T/refused.out" "$T/refused.err"
	[ ! -s "$T/refused.out" ] &&
	    one_line_like "$T/refused.err" "$_ere" &&
	    echo "$_got" | grep -Eqx -e "$_want"
}

one_line_like() {
	[ "$(wc -l <"$1")" -eq 1 ] && grep -Eq -e "$2" "$1"
}

# log_has ERE: the log of the current daemon has such a line.
log_has() {
	grep -Eq -e "$*" "$D/log"
}

# log_count ERE
log_count() {
	grep -Ec -e "$*" "$D/log"
}

# log_id TITLE: the id of the action that was armed last under that title.
log_id() {
	grep event=arm "$D/log" | grep -F "title=\"$1\"" |
	    sed -n 's/.*[[:space:]]id=\([0-9]*\).*/\1/p' | tail -n 1
}

# ere TEXT: the pattern that matches just this text.
ere() {
	case $1 in
	*[!A-Za-z0-9_\ ]*)
		printf '%s\n' "$1" | sed 's/[][\\.*^$+?(){}|]/\\&/g' ;;
	*)
		echo "$1" ;;
	esac
}

# probe_pid NAME TITLE: the host's pids of the probes with that title in that
# jail, one a line; fails if there are none.  Ended ones don't count.
probe_pid() {
	read -r _pid <"$T/jail/$1/pid" || return 1
	set -- "$1" "jailprobe: $(ere "$2")"
	case $JAIL_OS in
	Linux)		pgrep --ns "$_pid" --nslist pid -x -f "$2" ;;
	FreeBSD)	pgrep -j "$_pid" -x -f "$2" ;;
	esac
}

# probes NAME: how many probes of any title live in the jail.
probes() {
	jail_exec "$1" "$JAIL_PS" -ax -o stat= -o comm= | grep -v '^Z' |
	    grep -c jailprobe
}

# What list -J prints as "PID TITLE", of those that have a probe.
probes_titles() {
	sed -n 's/.*"pid":\([0-9]*\),"title":"\([^"]*\)".*/\1 \2/p'
}

no_probes() {
	[ "$(probes "$1")" -eq 0 ]
}

# lists_nothing: no action is there, not even one that is ending.
lists_nothing() {
	[ -z "$("$JAILDAEMON" list -f "$D/sock" -J)" ]
}

# fire NAME TITLE: the HUP, by the jail's root, through the engine.
fire() {
	jail_exec "$1" pkill -HUP -x -f "jailprobe: $(ere "$2")"
}

# mark FILE: how many lines a command left there.
mark() {
	if [ -e "$M/$1" ]; then
		lines <"$M/$1"
	else
		echo 0
	fi
}

# marked FILE N: at least so many by now.
marked() {
	[ "$(mark "$1")" -ge "$2" ]
}
