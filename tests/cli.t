#!/bin/sh
# The command line, the daemon's start and end, and its limits: whatever does
# not depend on the kind of jail.
#
# shellcheck disable=SC1091,SC2154,SC2119,SC2317,SC3045

here=$(dirname "$0")
. "$here/lib/setup.sh"

case $JAIL_OS in
Linux)	kind=unshare ;;
*)	kind=freebsd ;;
esac

# as_user COMMAND...: as uid and gid 1000, without other groups.
as_user() {
	case $JAIL_OS in
	Linux)	setpriv --reuid 1000 --regid 1000 --clear-groups "$@" ;;
	*)	chroot -u 1000 -g 1000 -G 1000 / "$@" ;;
	esac
}

# text N CHARACTER: a text of N bytes.
text() {
	head -c "$1" /dev/zero | tr '\0' "$2"
}

# starts_not STATUS ERE OPTION...: the daemon does not start, in the
# foreground or not; it says why, and leaves nothing.
starts_not() {
	_st=$1 _why=$2
	shift 2
	refused "$_st" "$_why" -D "$@" && refused "$_st" "$_why" -D -d "$@"
}

# A daemon answers at this socket: refused it is, but not for want of one.
answers() {
	"$JAILDAEMON" -f "${1:-$D/sock}" -c : -j "$JID" -t ANSWERS
}

mode() {
	# shellcheck disable=SC2012
	ls -ld "$1" | cut -c 1-10
}

# -- usage, values, and what both modes ignore -----------------------------

t_usage() {
	"$JAILDAEMON" -h >"$T/h" 2>"$T/h.err"
	is "$? $(wc -c <"$T/h.err" | tr -d ' ')" "0 0" "-h is no error"
	like "$(cat "$T/h")" '^usage: jaildaemon -D' "and shows the usage"
	"$JAILDAEMON" -V >"$T/h" 2>"$T/h.err"
	is "$? $(wc -c <"$T/h.err" | tr -d ' ')" "0 0" "-V is no error"
	like "$(cat "$T/h")" '^jaildaemon [0-9]+\.[0-9]+' "and shows the version"
	ok "no option" refused 64 .
	ok "-D and -c" refused 64 '-D.*-c|-c.*-D' -D -c : -j "$JID"
	ok "neither" refused 64 '-D.*-c|-c.*-D' -j "$JID" -t X
	ok "-c without -j" refused 64 '-j' -c :
	ok "an unknown option" refused 64 'Z' -Z
	ok "an unknown option with -c" refused 64 'Z' -c : -j "$JID" -Z
	ok "an option without its value" refused 64 '-c|c$' -c
	ok "an operand with -D" refused 64 stray -D stray
	ok "an operand with -c" refused 64 stray -c : -j "$JID" stray
}

t_values() {
	for _v in abc -5 1x '' ' 1' '1 ' +1 0x10 1.5 4294967295 4294967296 \
	    18446744073709551616 99999999999999999999999 1,000; do
		ok "-u '$_v'" refused 65 "-u.*$(ere "$_v")" \
		    -f "$D/sock" -c : -j "$JID" -u "$_v"
		ok "-g '$_v'" refused 65 "-g.*$(ere "$_v")" \
		    -f "$D/sock" -c : -j "$JID" -g "$_v"
	done
	ok "a title of 1,024 bytes" jd -c : -j "$JID" -t "$(text 1024 t)"
	ok "of 1,025" refused 65 'title.*1,?024|1,?024.*title' \
	    -f "$D/sock" -c : -j "$JID" -t "$(text 1025 t)"
	ok "a command of 65,536 bytes" jd -c "$(text 65535 :)x" -j "$JID"
	ok "of 65,537" refused 65 'command.*65,?536|65,?536.*command' \
	    -f "$D/sock" -c "$(text 65536 :)x" -j "$JID"
	for _v in 'a
b' "$(printf 'a\tb')" "$(printf 'a\033[2Jb')" "$(printf 'a\177b')" \
	    "$(printf 'a\302\205b')"; do
		ok "a control character in a title" refused 65 title \
		    -f "$D/sock" -c : -j "$JID" -t "$_v"
	done
	for _v in '\377' '\300\200' '\355\240\200' '\364\220\200\200' \
	    '\342\202' '\200'; do
		# shellcheck disable=SC2059
		_bad=$(printf "a${_v}b")
		ok "a title that is no UTF-8: $_v" refused 65 'title.*UTF-8' \
		    -f "$D/sock" -c : -j "$JID" -t "$_bad"
		ok "a command that is no UTF-8: $_v" refused 65 \
		    'command.*UTF-8' -f "$D/sock" -c "$_bad" -j "$JID"
	done
	ok "a socket path that is too long" refused 65 . \
	    -f "/$(text 120 s)" -c : -j "$JID"
	ok "the daemon goes on" alive "$DPID"
}

t_ignored() {
	ok "the utility ignores -p" jd -c : -j "$JID" -t IGN -p /no/such/file
	ok "and -d and -S" jd -c : -j "$JID" -t IGN -d -S /no/such/folder
	daemon_dir ignored
	ok "the daemon ignores the utility's options" daemon_start \
	    -j nobody -t "$(text 2000 t)" -u abc -g -5 -r -R
	daemon_stop
	is "$?" 0 "and ends"
	daemon_dir d
}

t_verbose() {
	is "$(jd -c : -j "$JID" -t QUIET 2>&1)" "" "-c is silent"
	like "$(jd -c : -j "$JID" -t TOLD -v 2>&1)" '^[0-9]+$' \
	    "-v tells the id, and only that"
	is "$(log_id TOLD)" "$(jd -c : -j "$JID" -t TOLD -v)" \
	    "which is the log's"
}

t_no_daemon() {
	_say='no daemon at .*start one with .jaildaemon -D'
	ok "no socket" refused 69 "$_say" -f "$T/nosock" -c : -j "$JID"
	ok "no folder" refused 69 "$_say" -f "$T/no/sock" -c : -j "$JID"
	daemon_dir gone
	daemon_start
	daemon_kill9
	ok "a killed daemon left its socket" test -S "$D/sock"
	ok "nobody behind it" refused 69 "$_say" -f "$D/sock" -c : -j "$JID"
	: >"$T/plain"
	ok "a plain file" refused 69 "no daemon at" -f "$T/plain" -c : \
	    -j "$JID"
	daemon_dir d
}

# -- which jail ------------------------------------------------------------

# odd_name ERE NAME: a jail that is called so is refused by its number, too.
odd_name() {
	_odd=$(jail -i -c name="$2" path=/ persist)
	ok "a name: $1" refused 65 "the jail's name .*$1" -f "$D/sock" -c : \
	    -j "$_odd"
	jail -r "$_odd"
}

t_jails() {
	ok "no such jail" refused 68 . -f "$D/sock" -c : -j no-such-jail
	ok "no such number" refused 68 . -f "$D/sock" -c : -j 2147483646
	ok "an empty name" refused 65 . -f "$D/sock" -c : -j ''
	if [ "$JAIL_OS" = FreeBSD ]; then
		ok "0 is the host" refused 65 . -f "$D/sock" -c : -j 0
		# The kernel takes nearly any name.
		odd_name 'control character' "$(printf 'odd\033\na')"
		odd_name 'not valid UTF-8' "$(printf 'odd\377')"
		return
	fi
	ok "no process has the pid 0" refused 65 . -f "$D/sock" -c : -j 0
	ok "nor one beyond all" refused 65 . -f "$D/sock" -c : \
	    -j 99999999999999999999
	ok "a process of the host" refused 68 \
	    "process $$ is not in a container" -f "$D/sock" -c : -j "$$"
	ok "an unknown engine" refused 65 . -f "$D/sock" -c : -j noengine:web
	ok "a name that no container has" refused '6[58]' . \
	    -f "$D/sock" -c : -j '../../etc'

	unshare -m sleep 1000 &
	_p=$!
	wait_for 5 jail_other_ns "$_p" mnt
	ok "a mount namespace alone is none" refused 68 \
	    "process $_p is not in a container" -f "$D/sock" -c : -j "$_p"
	end_process "$_p"

	# One namespace, or another root, is enough; where there is no pid
	# namespace the probe lives as long as the process.
	chroot "$T/root" /bin/sleep 1000 &
	container_of_one "another root" $!
	unshare -U -r sleep 1000 &
	wait_for 5 jail_other_ns $! user
	container_of_one "a user namespace" $!
}

container_of_one() {
	wait_for 5 has_root_or_ns "$2"
	ok "$1 is one" jd -c "echo x >>$M/one" -j "$2" -t "ONE $$" -r
	# Its stub may not have ended yet, and looks the same.
	_p=$("$JAILDAEMON" list -f "$D/sock" -J -t "ONE $$" |
	    sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
	ok "its probe has its root" test "/proc/$_p/root/" -ef "/proc/$2/root/"
	is "$(readlink "/proc/$_p/ns/user")" "$(readlink "/proc/$2/ns/user")" \
	    "and its user namespace"
	kill -HUP "$_p"
	ok "it works" wait_for 5 marked one 1
	rm -f "$M/one"
	wait_for 5 pgrep -x -f "jailprobe: ONE $$"
	end_process "$2"
	ok "when the process ends the probe goes" \
	    wait_for 5 not pgrep -x -f "jailprobe: ONE $$"
	nok "for good" wait_for 1 pgrep -x -f "jailprobe: ONE $$"
	is "$(mark one)" 0 "without a trigger"
}

has_root_or_ns() {
	grep -q ^sleep "/proc/$1/comm" && { jail_other_ns "$1" user ||
	    ! test "/proc/$1/root/" -ef /; }
}

end_process() {
	kill -9 "$1"
	wait "$1"
} 2>/dev/null

# -- who may ---------------------------------------------------------------

t_permission() {
	mkdir -m 755 "$T/pub"
	cp "$JAILDAEMON" "$T/pub/jaildaemon"
	_all=$JAILDAEMON
	daemon_dir open
	chmod 755 "$D"
	daemon_start
	is "$(mode "$D/sock")" srw------- "the socket is the daemon's alone"
	JAILDAEMON=as_user_jd
	as_user_jd() {
		as_user "$T/pub/jaildaemon" "$@"
	}
	ok "a folder that others cannot enter" refused 77 . \
	    -f "$T/d/sock" -c : -j "$JID"
	ok "a socket that others cannot use" refused 77 . \
	    -f "$D/sock" -c : -j "$JID"
	chmod 666 "$D/sock"
	ok "a socket that they can: the daemon asks who it is" refused 77 . \
	    -f "$D/sock" -c : -j "$JID"
	JAILDAEMON=$_all
	ok "log: refusal" log_has 'event=refuse .*status=77'
	ok "root is served" answers
	daemon_stop
	daemon_dir d
}

# -- starting --------------------------------------------------------------

t_two() {
	ok "the same socket" starts_not 75 "$DPID" -f "$D/sock" \
	    -p "$T/two.pid" -S "$T/two.state"
	ok "left no pid file" test ! -e "$T/two.pid"
	ok "the same pid file" starts_not 75 "$DPID" -f "$T/two.sock" \
	    -p "$D/pid" -S "$T/two.state"
	ok "left no socket" test ! -e "$T/two.sock"
	ok "the same folder" starts_not 75 "$D/state" -f "$T/two.sock" \
	    -p "$T/two.pid" -S "$D/state"
	ok "left neither" test ! -e "$T/two.sock" -a ! -e "$T/two.pid"
	is "$(tr -dc 0-9 <"$D/pid")" "$DPID" "the first has its pid file"
	ok "and goes on" answers
}

# held SECONDS FILE: locked that long, as by a child of a killed daemon.
held() {
	case $JAIL_OS in
	Linux)	flock "$2" sleep "$1" & ;;
	*)	lockf -k "$2" sleep "$1" & ;;
	esac
	wait_for 5 is_held "$2"
}

is_held() {
	case $JAIL_OS in
	Linux)	! flock -n "$1" true ;;
	*)	! lockf -s -k -t 0 "$1" true ;;
	esac
}

t_race() {
	daemon_dir race
	daemon_start
	daemon_kill9	# what it leaves is there for all to find
	for _i in "$D/sock.lock" "$D/pid" "$D/state"; do
		# lockf(1) creates what it locks, and no folder can be.
		[ "$JAIL_OS" = Linux ] || [ -f "$_i" ] || continue
		held 0.6 "$_i"
		ok "${_i##*/} is held for a moment more" daemon_start
		daemon_kill9
	done
	_i=0 _pids=
	while [ "$_i" -lt 20 ]; do
		"$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S "$D/state" \
		    </dev/null >"$D/race.$_i" 2>&1 &
		_pids="$_pids $!"
		_i=$((_i + 1))
	done
	_won=0 _lost=0
	for _i in $_pids; do
		wait "$_i"
		case $? in
		0)	_won=$((_won + 1)) ;;
		75)	_lost=$((_lost + 1)) ;;
		esac
	done
	is "$_won $_lost" "1 19" "of 20 that start at once one is up"
	is "$(cat "$D"/race.* | lines)" 19 "the others say why"
	DPID=$(tr -dc 0-9 <"$D/pid")
	echo "$DPID" >"$D/daemon"
	ok "the pid file names it" alive "$DPID"
	is "$(pgrep -f "$(ere "$D")/sock" | tr '\n' ' ')" "$DPID " \
	    "no other lives"
	ok "it answers" answers
	daemon_stop
	ok "it ends" not alive "$DPID"
	ok "with its socket and pid file" test ! -e "$D/sock" -a ! -e "$D/pid"
	daemon_start
	rm "$D/sock"
	ok "one whose socket was taken away holds its place" starts_not 75 \
	    holds -f "$D/sock" -p "$T/two.pid" -S "$T/two.state"
	daemon_stop
	daemon_dir d
}

# A daemon that stands still, and one whose queue of connections is full.
t_still() {
	kill -STOP "$DPID"
	_i=0 _pids=
	# More than the queue holds: 129, on FreeBSD half as many again.
	while [ "$_i" -lt 210 ]; do
		"${JAILDAEMON%/*}/attack/load" ping "$D/sock" 1 >/dev/null 2>&1 &
		_pids="$_pids $!"
		_i=$((_i + 1))
	done
	ok "no answer" refused 75 "no answer.* $D/sock within 10 s" \
	    list -f "$D/sock"
	kill -CONT "$DPID"
	for _i in $_pids; do
		wait "$_i"
	done
	ok "then it answers" answers
}

# A socket that nobody listens to, as one is whose queue is full on FreeBSD: the
# daemon's lock tells whether there is one.
t_moment() {
	daemon_stop
	daemon_dir stale
	daemon_start
	daemon_kill9
	_stale=$D/sock
	ok "a socket is left" test -S "$_stale"
	ok "of no daemon" refused 69 "no daemon at $_stale" list -f "$_stale"
	daemon_dir moment
	daemon_start
	mv "$D/sock" "$D/true"
	mv "$_stale" "$D/sock"
	"$JAILDAEMON" list -f "$D/sock" >"$T/moment.out" 2>&1 &
	_list=$!
	sleep 1
	ok "beside a daemon's lock it is tried again" alive "$_list"
	mv "$D/true" "$D/sock"
	wait "$_list"
	is "$? $(cat "$T/moment.out")" "0 $("$JAILDAEMON" list -f "$D/sock")" \
	    "until there is an answer"
	daemon_stop
	daemon_dir d
	daemon_start
}

t_ready() {
	daemon_dir ready
	_good=0
	for _i in 1 2 3 4 5; do
		daemon_start_away && answers && _good=$((_good + 1))
		daemon_stop
	done
	is "$_good" 5 "-D returns when the daemon answers"
	is "$(cat "$D/out" "$D/err")" "" "in silence"
	(
		cd "$D" && "$JAILDAEMON" -D -f rel.sock -p rel.pid &&
		answers ./rel.sock
	)
	is $? 0 "relative paths"
	ok "output goes beside the socket" test -d "$D/rel.sock.d"
	is "$(mode "$D/rel.sock.d")" drwx------ "where only the daemon looks"
	DPID=$(tr -dc 0-9 <"$D/rel.pid")
	echo "$DPID" >"$D/daemon"
	daemon_stop
	ok "relative paths are found at the end" \
	    test ! -e "$D/rel.sock" -a ! -e "$D/rel.pid"
	"$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" <&- >&- 2>&-
	is $? 0 "it starts without standard descriptors"
	DPID=$(tr -dc 0-9 <"$D/pid")
	echo "$DPID" >"$D/daemon"
	ok "and answers" answers
	ok "runs commands" arm a CLOSED "echo x; echo x >>$M/closed"
	fire a CLOSED
	ok "as ever" wait_for 5 marked closed 1
	daemon_stop
	daemon_dir d
}

# Only where nothing of the system's own is touched.
t_defaults() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_dir default
	"$JAILDAEMON" -D 2>"$D/err"
	is "$? $(cat "$D/err")" "0 " "-D alone"
	ok "its socket" test -S /var/run/jaildaemon.pipe
	is "$(mode /var/run/jaildaemon.pipe)" srw------- "is the daemon's alone"
	DPID=$(tr -dc 0-9 </var/run/jaildaemon.pid)
	echo "$DPID" >"$D/daemon"
	ok "its pid file" alive "$DPID"
	is "$(mode /var/lib/jaildaemon)" drwx------ "its folder"
	ok "-c without -f finds it" "$JAILDAEMON" -c : -j "$JID" -t DEFAULT
	daemon_stop
	ok "both go" test ! -e /var/run/jaildaemon.pipe \
	    -a ! -e /var/run/jaildaemon.pid
	daemon_dir d
}

t_failures() {
	_f=$T/fail
	mkdir -m 700 "$_f"
	ok "a pid file that cannot be" starts_not '[67][0-9]' "$_f/no/pid" \
	    -f "$_f/sock" -p "$_f/no/pid" -S "$_f/state"
	ok "left no socket" test ! -e "$_f/sock"
	ok "a socket that cannot be" starts_not '[67][0-9]' "$_f/no" \
	    -f "$_f/no/sock" -p "$_f/pid" -S "$_f/state"
	: >"$_f/plain"
	ok "something else in the socket's place" starts_not '[67][0-9]' \
	    "$_f/plain" -f "$_f/plain" -p "$_f/pid" -S "$_f/state"
	ok "is left alone" test -f "$_f/plain"
	ok "a file in the folder's place" starts_not '[67][0-9]' "$_f/plain" \
	    -f "$_f/sock" -p "$_f/pid" -S "$_f/plain"
	mkdir "$_f/wide"
	chmod 777 "$_f/wide"
	ok "a folder that others may write to" starts_not 77 "$_f/wide" \
	    -f "$_f/sock" -p "$_f/pid" -S "$_f/wide"
	ok "the socket in such a folder" starts_not 77 "$_f/wide" \
	    -f "$_f/wide/sock" -p "$_f/pid" -S "$_f/state"
	chmod 1777 "$_f/wide"
	ok "a sticky one is no better" starts_not 77 "$_f/wide" \
	    -f "$_f/wide/sock" -p "$_f/pid" -S "$_f/state"
	ln -s wide "$_f/link"
	ok "nor a link to it" starts_not '[67][0-9]' "$_f/(link|wide)" \
	    -f "$_f/sock" -p "$_f/pid" -S "$_f/link"
	ok "nothing is left" test ! -e "$_f/sock" -a ! -e "$_f/pid" \
	    -a ! -e "$_f/wide/sock"
	is "$(pgrep -f "$(ere "$_f")/")" "" "no process either"
	_n=
	for _i in "$_f"/*; do
		_n="$_n ${_i##*/}"
	done
	like "$_n" '^ link plain( sock.d)?( state)? wide$' "nor a file"
}

# -- signals, sent and inherited -------------------------------------------

t_ends() {
	daemon_dir ends
	for _i in TERM INT; do
		daemon_start
		arm a ENDS "echo x >>$M/cli.ends" -r
		daemon_stop "$_i"
		is "$?" 0 "$_i ends it in order"
		ok "socket and pid file go" test ! -e "$D/sock" -a ! -e "$D/pid"
		nok "the probe too" probe_pid a ENDS
	done
	is "$(mark cli.ends)" 0 "without a trigger"
	daemon_start
	daemon_kill9
	ok "a killed daemon leaves both" test -e "$D/sock" -a -e "$D/pid"
	ok "the next does not mind" daemon_start
	is "$(tr -dc 0-9 <"$D/pid")" "$DPID" "the pid file is its own"
	ok "it answers" answers
	daemon_stop
	daemon_dir d
}

# Fires twice: the second time needs the first run's end to be heard of.
works_twice() {
	ok "$1: it starts" daemon_start
	ok "$1: arm" arm a TWICE "for s in HUP INT PIPE TERM USR1 USR2 ALRM; do
		sh -c \"kill -\$s \\\$\\\$; echo \$s\" >>$M/survived
	    done; echo x >>$M/twice" -r
	ok "$1: HUP" fire a TWICE
	ok "$1: the run's end is heard of" \
	    wait_for 5 log_has "event=run-end .*status=0"
	ok "$1: the probe comes back" wait_for 5 probe_pid a TWICE
	ok "$1: HUP again" fire a TWICE
	ok "$1: it ran twice" wait_for 5 marked twice 2
	ok "$1: the command's signals are at their default" \
	    test -e "$M/survived" -a ! -s "$M/survived"
	# The next daemon would know it, and that its run goes on.
	ok "$1: disarm" "$JAILDAEMON" disarm -f "$D/sock" -j "$JID"
	daemon_stop
	is "$?" 0 "$1: TERM is heard"
	rm -f "$M/twice" "$M/survived"
}

t_inherited() {
	daemon_dir inherited
	daemon_prepare() {
		trap '' HUP INT TERM QUIT CHLD PIPE ALRM USR1 USR2
	}
	works_twice "all ignored"
	daemon_prepare() {
		trap '' CHLD
	}
	works_twice "CHLD ignored"
	daemon_prepare() {
		:
	}
	_all=$JAILDAEMON
	JAILDAEMON=$T/wrap
	printf '#!/bin/sh\nexec nohup %s "$@"\n' "$_all" >"$T/wrap"
	chmod 755 "$T/wrap"
	works_twice "nohup"
	if [ "$JAIL_OS" = Linux ]; then
		cat >"$T/wrap" <<-END
		#!/usr/bin/perl
		use POSIX;
		my \$all = POSIX::SigSet->new;
		\$all->fillset;
		sigprocmask(SIG_SETMASK, \$all);
		exec '$_all', @ARGV;
		END
		works_twice "all blocked"
	fi
	JAILDAEMON=$_all
	daemon_dir d
}

t_hangup() {
	ok "arm" arm a HANGUP "echo x >>$M/hangup" -R
	# What `pkill -HUP jaildaemon' would reach; not sent by name, as this
	# host may have others.
	ok "by name it finds the daemon" has_line "$DPID" pgrep jaildaemon
	_p=$(probe_pid a HANGUP)
	nok "and not the probe" has_line "$_p" pgrep jaildaemon
	nok "nor by its arguments" has_line "$_p" pgrep -f jaildaemon
	kill -HUP "$DPID"
	ok "HUP does not end the daemon" stays 0 alive "$DPID"
	ok "it answers" answers
	is "$(mark hangup)" 0 "nothing is triggered"
	is "$(probe_pid a HANGUP)" "$_p" "the probe is the same"
	for _i in USR1 USR2 PIPE ALRM CHLD WINCH CONT; do
		case $_i in
		PIPE|CHLD|WINCH|CONT)
			kill "-$_i" "$DPID"
			ok "nor does $_i" answers
			;;
		esac
	done
	fire a HANGUP
	ok "the action still works" wait_for 5 marked hangup 1
}

has_line() {
	_want=$1
	shift
	"$@" | grep -qx -e "$_want"
}

# -- limits ----------------------------------------------------------------

# fire_often N: as fast as the jail can, until it hit N times.
fire_often() {
	# shellcheck disable=SC2016
	case $JAIL_OS in
	Linux)	_fast='hits=0 tries=0 last=
		while [ $hits -lt $1 ] && [ $tries -lt 3000 ]; do
			tries=$((tries + 1)) was=$hits
			for p in /proc/[0-9]*; do
				[ "$p" != "$last" ] && read -r c <$p/comm &&
				[ "$c" = jailprobe ] && kill -HUP ${p#/proc/} &&
				hits=$((hits + 1)) last=$p
			done
			[ $hits -gt $was ] || sleep 0.01
		done 2>/dev/null
		[ $hits -ge $1 ]' ;;
	*)	_fast='hits=0 tries=0 last=
		while [ $hits -lt $1 ] && [ $tries -lt 3000 ]; do
			tries=$((tries + 1)) was=$hits
			p=$(pgrep jailprobe) && [ "$p" != "$last" ] &&
			kill -HUP $p && hits=$((hits + 1)) last=$p
			[ $hits -gt $was ] || sleep 0.01
		done
		[ $hits -ge $1 ]' ;;
	esac
	jail_exec b sh -c "$_fast" sh "$1"
}

rested() {
	log_has "event=rest .*id=$(log_id "$1") .*(10|second)"
}

t_rate() {
	ok "arm with -R" arm b RATE "echo x >>$M/rate" -R
	# Whoever tries more often finds nobody: a busy machine may need more
	# than one try to be that quick.
	_i=0 _took=1
	until [ "$_i" -ge 30 ] || rested RATE; do
		_then=$(date +%s)
		fire_often 12
		[ $(($(date +%s) - _then)) -ge 1 ] || _took=0
		_i=$((_i + 1))
	done
	is "$_took" 1 "twelve HUPs take more than a second"
	ok "log: why" rested RATE
	ok "the probe comes back" wait_for 3 probe_pid b RATE
	_n=$(mark rate)
	fire b RATE
	ok "and works" wait_for 5 marked rate $((_n + 1))
	wait_for 5 probe_pid b RATE
	jail_exec b pkill -KILL -x jailprobe
	# Its action is still there; a jail's end takes it along.
	jail_end b
	wait_for 20 log_has event=jail-ended
	jail_stop b
}

t_runs() {
	ok "arm with -R" arm b RUNS "echo x >>$M/runs
	    while [ -d $M ] && [ ! -e $M/runs.go ]; do sleep 1; done" -R
	ok "64 HUPs" fire_often 64
	ok "64 runs" wait_for 10 marked runs 64
	nok "then the probe stays away" wait_for 2 probe_pid b RUNS
	nok "nothing to signal" fire b RUNS
	ok "log: why" log_has "event=rest .*id=$(log_id RUNS) .*(64|summed)"
	is "$(mark runs)" 64 "64 it stays"
	: >"$M/runs.go"
	ok "once one has ended it is back" wait_for 10 probe_pid b RUNS
	few_runs
	jail_stop b
}

has_rearmed() {
	[ "$(log_count "event=rearm id=$_id ")" -ge "$1" ]
}

# A limit that was asked for is no flood.
few_runs() {
	ok "arm with -R -L 1" arm b FEW_RUNS "echo x >>$M/few.runs; sleep 1" \
	    -R -L 1
	_id=$(log_id FEW_RUNS)
	for _i in 1 2; do
		ok "HUP $_i" wait_for 10 fire b FEW_RUNS
		ok "runs it" wait_for 5 marked few.runs "$_i"
	done
	ok "back again" wait_for 10 probe_pid b FEW_RUNS
	ok "log: why it was away" log_has \
	    "event=rest id=$_id text=\"1 runs at a time, as -L has it: no probe until one ends\""
	wait_for 5 has_rearmed 2
	is "$(log_count "event=trigger id=$_id ") $(log_count \
	    "event=run-end id=$_id ") $(log_count "event=rearm id=$_id ")" \
	    "2 2 2" "log: each trigger, run and probe"
	nok "and no flood" log_has "event=(rest|repeats) .*id=$_id .*(summed|triggers=)"
}

t_descriptors() {
	daemon_dir few
	daemon_prepare() {
		ulimit -n 512
	}
	ok "a daemon with few descriptors" daemon_start
	daemon_prepare() {
		:
	}
	_i=0
	while [ "$_i" -lt 512 ] && arm a "FEW $_i" "echo $_i >>$M/few" -r \
	    2>"$T/few.err"; do
		_i=$((_i + 1))
	done
	ok "arms some actions" test "$_i" -ge 8 -a "$_i" -lt 512
	arm a TOO_MANY : 2>"$T/few.err"
	is "$?" 75 "but no more than fit"
	ok "and says so" one_line_like "$T/few.err" descriptor
	nok "no probe is left" probe_pid a TOO_MANY
	ok "one that is armed already needs none" \
	    arm a "FEW 0" "echo 0 >>$M/few" -r
	fire a "FEW 0"
	ok "the others work" wait_for 5 marked few 1
	ok "again and again" wait_for 5 probe_pid a "FEW 0"
	daemon_stop
	is "$?" 0 "to the end"
	daemon_dir d
}

t_full_disk() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_dir full
	mkdir -m 700 "$D/state"
	mount -t tmpfs -o size=64k,mode=700 jdtest "$D/state"
	ok "a daemon with a small disk" daemon_start
	ok "arm" arm a FULL "text=0123456789012345678901234567890123456789
		for i in 1 2 3 4 5 6 7 8 9; do text=\$text\$text; done
		echo \$text; echo \$text; echo \$text; echo x >>$M/full" -r
	for _i in 1 2 3; do
		ok "HUP $_i" fire a FULL
		ok "the command runs, full disk or not" \
		    wait_for 5 marked full "$_i"
		ok "the probe comes back" wait_for 5 probe_pid a FULL
	done
	dd if=/dev/zero of="$D/state/fill" bs=1k count=100 2>/dev/null
	ok "HUP with no byte left" fire a FULL
	ok "the command runs" wait_for 5 marked full 4
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	umount "$D/state"
	daemon_dir d
}

# What a command prints may be secret, whoever started the daemon how.
t_secret() {
	daemon_dir secret
	daemon_prepare() {
		umask 0
	}
	ok "a daemon" daemon_start
	daemon_prepare() {
		:
	}
	arm a SECRET "while [ -d $M ] && [ ! -e $M/secret.go ]; do
	    sleep 0.1; done"
	fire a SECRET
	ok "the output of a command" wait_for 5 has_output
	is "$(mode "$D"/state/*.out)" -rw------- "is the daemon's alone"
	is "$(mode "$D/state")" drwx------ "and so is the folder"
	is "$(mode "$D/pid")" -rw------- "and the pid file"
	: >"$M/secret.go"
	daemon_stop
	daemon_dir d
}

has_output() {
	ls "$D"/state/*.out
}

# -- the log ---------------------------------------------------------------

# Whoever reads the log does not read.
t_stuck() {
	daemon_dir stuck
	mkfifo "$D/fifo"
	exec 8<>"$D/fifo"
	"$JAILDAEMON" -D -d -f "$D/sock" -p "$D/pid" -S "$D/state" \
	    >/dev/null 2>"$D/fifo" 8<&- &
	DPID=$!
	echo "$DPID" >"$D/daemon"
	ok "a daemon whose log nobody reads" wait_for 10 test -S "$D/sock"
	_i=0
	while [ "$_i" -lt 20 ]; do
		_i=$((_i + 1))
		arm a "STUCK $_i" "head -c 70000 /dev/zero |
		    tr '\\0' '\\n' | sed s/^/0123456789/ | head -c 70000
		    echo x >>$M/stuck"
	done
	ok "HUP" jail_exec a pkill -HUP -f "^jailprobe: STUCK "
	ok "all commands run" wait_for 20 marked stuck 20
	ok "and end" wait_for 20 lists_nothing
	ok "it answers" answers
	cat <&8 >"$D/log" &
	_cat=$!
	exec 8>&-
	ok "read at last, the log has what came first" \
	    wait_for 10 log_has event=arm
	ok "and says how much was too much" \
	    wait_for 10 log_has 'event=log-lost lines=[0-9]'
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	kill "$_cat"
	daemon_dir d
}

# To syslogd, or who takes its place: in a /dev of their own.
t_syslog() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_dir syslog
	daemon_start_syslog
	is $? 0 "a daemon with a syslogd"
	arm a "SYS LOG" "echo said; exit 3"
	fire a "SYS LOG"
	ok "log: start" wait_for 5 log_has event=start
	ok "log: arm" wait_for 5 log_has 'event=arm .*title="SYS LOG"'
	ok "log: trigger" wait_for 5 log_has event=trigger
	ok "log: end of the run" wait_for 5 log_has 'event=run-end .*status=3'
	ok "log: output" wait_for 5 log_has 'event=output .*text="said"'
	daemon_stop
	ok "log: stop" wait_for 5 log_has event=stop
	# 3 is LOG_DAEMON: 24 and a level.
	like "$(tr '<' '\n' <"$D/log" | sed -n 's/^\([0-9]*\)>.*/\1/p' |
	    sort -u | tr '\n' ' ')" '^(2[4-9] |3[01] )+$' \
	    "all of it to LOG_DAEMON"
	like "$(cat "$D/log")" 'jaildaemon(\[[0-9]+\])?: event=start' "by name"
	kill "$(cat "$D/socat")"
	daemon_dir d
}

t_log() {
	ok "arm with a title to mislead a reader" \
	    arm a 'x" event=trigger id=99 title="y' "echo
echo 'event=trigger id=98'"
	is "$(grep -c "event=trigger id=9[89]" "$D/log")" \
	    "$(grep -Ec "^jaildaemon: event=arm .*(\\\\\"|\\\\n.) ?event=trigger id=9[89]" \
	    "$D/log")" "it is quoted"
	is "$(grep -vc '^jaildaemon: event=[a-z-]* *' "$D/log")" 0 \
	    "each line of the log is an event's"
	fire a 'x" event=trigger id=99 title="y'
}

# --------------------------------------------------------------------------

[ $# -gt 0 ] || set -- usage values ignored verbose no_daemon jails permission \
	    two race still moment ready defaults failures ends inherited hangup rate runs \
	    descriptors full_disk secret stuck syslog log
if jail_start "$kind" a && daemon_start; then
	JID=$(jail_pid a)
	for t in "$@"; do
		tap_group=$t
		case $t in
		rate|runs)
			[ -d "$T/jail/b" ] || jail_start "$kind" b ;;
		esac
		alive "$DPID" || daemon_start || fail "no daemon for this test"
		"t_$t"
	done
	tap_group=
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	no_confession
else
	fail "no jail, or no daemon"
fi
daemon_cleanup
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
