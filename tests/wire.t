#!/bin/sh
# The protocol as another program would speak it, well or badly: each bad
# request is refused with words, and the daemon goes on.
#
# shellcheck disable=SC1091,SC2154,SC2119,SC2317,SC3045

here=$(dirname "$0")
. "$here/lib/setup.sh"

case $JAIL_OS in
Linux)	kind=unshare ;;
*)	kind=freebsd ;;
esac

# talk: stdin to the daemon, its answer to stdout.
talk() {
	(become_talk)
}

become_talk() {
	case $JAIL_OS in
	Linux)	exec socat -t 15 - "UNIX-CONNECT:$D/sock" ;;
	*)	exec nc -N -U "$D/sock" ;;
	esac 2>/dev/null
}

say() {
	printf '%s\n' "$1" | talk
}

ping_works() {
	case $(say '{"v":1,"verb":"ping"}') in
	*'"ok":true'*|*'"ok": true'*)	return 0 ;;
	esac
	return 1
}

# bad STATUS DESCRIPTION LINE: the line is refused, in one line.
bad() {
	printf '%s\n' "$3" >"$T/request"
	bad_request "$1" "$2"
}

# The same for what is in $T/request.
bad_request() {
	talk <"$T/request" >"$T/answer"
	refused_answer "$1" "$2"
}

refused_answer() {
	like "$(cat "$T/answer")" \
	    "\"ok\": ?false.*\"status\": ?$1.*\"error\": ?\"[^\"]|\"error\": ?\"[^\"].*\"ok\": ?false.*\"status\": ?$1" \
	    "$2 is refused"
	is "$(lines <"$T/answer")" 1 "in one line"
}

# talk_over: as talk, but goes on to the answer when the daemon does not want
# the rest of the request.
talk_over() {
	[ "$JAIL_OS" = Linux ] || {
		talk
		return
	}
	perl -MIO::Socket::UNIX -e '
		$SIG{PIPE} = "IGNORE";
		$s = IO::Socket::UNIX->new($ARGV[0]) or exit 1;
		undef $/;
		syswrite($s, $_) for unpack("(a4096)*", <STDIN>);
		print <$s>' "$D/sock"
}

# How the daemon is told which jail.
where() {
	case $JAIL_OS in
	Linux)	echo "\"pid\":$(jail_pid a)" ;;
	*)	echo "\"jail\":\"$(jail_name a)\"" ;;
	esac
}

bytes() {
	head -c "$1" /dev/zero | tr '\0' "$2"
}

t_good() {
	ok "ping" ping_works
	like "$(say "{\"v\":1,\"verb\":\"arm\",\"command\":\"echo x >>$M/wire\",$(where),\"title\":\"WIRE\",\"uid\":0,\"gid\":0,\"respawn\":\"after\"}")" \
	    '"ok": ?true.*"id": ?[0-9]+' "arm"
	fire a WIRE
	ok "works" wait_for 5 marked wire 1
	ok "with -r" wait_for 5 probe_pid a WIRE
	like "$(say " { \"command\" : \":\" , $(where) , \"verb\" : \"arm\" , \"v\" : 1 } ")" \
	    '"ok": ?true.*"id": ?[0-9]+' "spaces and order don't matter"
	like "$(say "{\"v\":1,\"verb\":\"arm\",\"command\":\"echo x >>$M/esc\",$(where),\"title\":\"\\u0045\\u0053C \\u00fc \\ud83e\\udd86\"}")" \
	    '"ok": ?true' "escaped text"
	ok "is what it stands for" wait_for 5 \
	    jail_exec a env LC_ALL=C.UTF-8 pgrep -x -f 'jailprobe: ESC ü 🦆'
	# A request may come in pieces.
	like "$( (printf '{"v":1,'; sleep 0.3; printf '"verb":"pi'; sleep 0.3
	    echo 'ng"}') | talk)" '"ok": ?true' "a request in pieces"
}

t_bad() {
	_arm="{\"v\":1,\"verb\":\"arm\",\"command\":\":\",$(where)"
	bad 76 "garbage" 'hello'
	bad 76 "an empty line" ''
	bad '(64|76)' "an empty object" '{}'
	bad 76 "a list" '[{"v":1,"verb":"ping"}]'
	bad 76 "null" null
	bad 76 "a text" '"ping"'
	bad 76 "half an object" '{"v":1,"verb":"ping"'
	bad 76 "two objects in a line" '{"v":1,"verb":"ping"}{"v":1,"verb":"ping"}'
	bad 76 "something behind it" '{"v":1,"verb":"ping"} x'
	bad '(64|76)' "no version" '{"verb":"ping"}'
	bad '(64|76)' "another version" '{"v":2,"verb":"ping"}'
	bad '(64|76)' "a version that is no number" '{"v":"1","verb":"ping"}'
	bad '(64|76)' "no verb" '{"v":1}'
	bad '(64|76)' "an unknown verb" '{"v":1,"verb":"reboot"}'
	like "$(cat "$T/answer")" reboot "by name"
	bad '(64|76)' "a verb that is no text" '{"v":1,"verb":1}'
	bad '(64|76)' "a long verb" "{\"v\":1,\"verb\":\"$(bytes 5000 v)\"}"
	bad '(64|76)' "an unknown key" "$_arm,\"colour\":\"red\"}"
	like "$(cat "$T/answer")" colour "by name"
	bad '(64|76)' "a key of another verb" '{"v":1,"verb":"ping","uid":0}'
	bad '(64|76)' "a key twice" "$_arm,\"uid\":0,\"uid\":1}"
	bad '(64|76)' "no command" "{\"v\":1,\"verb\":\"arm\",$(where)}"
	bad '(64|65|76)' "no jail" '{"v":1,"verb":"arm","command":":"}'
	bad '(64|65|76)' "a command that is no text" \
	    "{\"v\":1,\"verb\":\"arm\",\"command\":[\":\"],$(where)}"
	bad '(64|65|76)' "a title that is no text" "$_arm,\"title\":5}"
	for _v in '"0"' 1.5 -1 4294967295 4294967296 1e3 1e999 true null \
	    99999999999999999999999; do
		bad '(64|65|76)' "uid $_v" "$_arm,\"uid\":$_v}"
		bad '(64|65|76)' "gid $_v" "$_arm,\"gid\":$_v}"
	done
	for _v in '"1"' 1.5 -1 0 2147483648 99999999999999999999999; do
		bad '(64|65|68|76)' "pid $_v" \
		    "{\"v\":1,\"verb\":\"arm\",\"command\":\":\",\"pid\":$_v}"
	done
	bad '(64|65|76)' "an unknown respawn" "$_arm,\"respawn\":\"always\"}"
	bad '(64|65|76)' "a respawn that is no text" "$_arm,\"respawn\":true}"
	bad '(64|65|76)' "a NUL in a command" \
	    "{\"v\":1,\"verb\":\"arm\",\"command\":\"a\\u0000b\",$(where)}"
	bad '(64|65|76)' "a NUL in a title" "$_arm,\"title\":\"a\\u0000b\"}"
	bad '(64|65|76)' "a NUL in a key" "$_arm,\"uid\\u0000\":0}"
	bad '(64|65|76)' "half a character" "$_arm,\"title\":\"\\ud83e\"}"
	bad '(64|65|76)' "a control character" "$_arm,\"title\":\"a\\nb\"}"
	bad '(64|65|76)' "a title of 1,025 bytes" \
	    "$_arm,\"title\":\"$(bytes 1025 t)\"}"
	bad '(64|65|76)' "a command of 65,537 bytes" \
	    "{\"v\":1,\"verb\":\"arm\",\"command\":\"$(bytes 65537 :)\",$(where)}"
	printf '{"v":1,"verb":"ping\377"}\n' >"$T/request"
	bad_request 76 "no UTF-8"
	printf '{"v":1,\0"verb":"ping"}\n' >"$T/request"
	bad_request 76 "a NUL byte"
	(bytes 100000 '['; echo) >"$T/request"
	bad_request 76 "a deep nest"
	(printf '{"v":1,"verb":'; bytes 100000 '['; bytes 100000 ']'; echo '}') \
	    >"$T/request"
	bad_request '(64|76)' "a deep value"
	ok "the daemon goes on" ping_works
	ok "log: refusal" log_has event=refuse
	is "$(tr -d '\n\t -~\200-\377' <"$D/log" | wc -c | tr -d ' ')" 0 \
	    "no control character is in the log"
}

t_long() {
	# Six times 65,536 and something: it must fit.
	_u=$(printf '\\u003a')
	(
		printf '{"v":1,"verb":"arm",%s,"title":"LONG","command":"' \
		    "$(where)"
		printf "echo x >>%s #" "$M/long"
		_n=$(printf "echo x >>%s #" "$M/long" | wc -c)
		head -c $((65536 - _n)) /dev/zero | sed "s/\\x00/\\$_u/g" \
		    2>/dev/null
		echo '"}'
	) >"$T/long"
	[ "$(wc -c <"$T/long")" -gt 390000 ] || (
		# A sed that does not know a NUL.
		printf '{"v":1,"verb":"arm",%s,"title":"LONG","command":"' \
		    "$(where)"
		printf "echo x >>%s #" "$M/long"
		_n=$(printf "echo x >>%s #" "$M/long" | wc -c)
		bytes $((65536 - _n)) : | sed "s/:/\\$_u/g"
		echo '"}'
	) >"$T/long"
	like "$(talk <"$T/long")" '"ok": ?true' \
	    "the longest command, all of it escaped"
	fire a LONG
	ok "works" wait_for 5 marked long 1
	if [ "$JAIL_OS" = Linux ]; then
		(bytes 600000 ' '; echo) | talk_over >"$T/answer"
		refused_answer '(65|75|76)' "a line of 600,000 bytes"
		like "$(cat "$T/answer")" "longer than the limit" "at once"
		bytes 600000 x | talk_over >"$T/answer"
		refused_answer '(65|75|76)' "as many without an end"
	fi
	bytes 3000000 x | talk >"$T/answer"
	ok "three million are not read for ever" ping_works
	ok "the daemon goes on" alive "$DPID"
}

# Peers that go before they have said all, or before they are answered.
t_rude() {
	_i=0
	while [ "$_i" -lt 20 ]; do
		printf '{"v":1,"verb":"pi' | talk >/dev/null
		printf '' | talk >/dev/null
		_i=$((_i + 1))
	done
	case $JAIL_OS in
	Linux)
		for _i in 1 2 3 4 5 6 7 8 9 10; do
			printf '{"v":1,"verb":"arm","command":":",%s,"title":"RUDE"}\n' \
			    "$(where)" | socat -u - "UNIX-CONNECT:$D/sock"
		done
		;;
	esac
	ok "the daemon goes on" ping_works
	ok "no descriptor is left open" wait_for 5 not too_many_open
}

# Clients that end, altogether, between their request and its answer.
t_gone() {
	# The last ping is heard to have ended.
	_before=$(settled sockets)
	kill -STOP "$DPID"
	_i=0 _pids=
	while [ "$_i" -lt 20 ]; do
		printf '{"v":1,"verb":"arm","command":":",%s,"title":"GONE"}\n' \
		    "$(where)" >"$T/gone"
		become_talk <"$T/gone" >/dev/null &
		_pids="$_pids $!"
		_i=$((_i + 1))
	done
	# They have sent it by then; the daemon has not seen them yet.
	sleep 1
	# shellcheck disable=SC2086
	kill -9 $_pids
	# shellcheck disable=SC2086
	wait $_pids 2>/dev/null
	kill -CONT "$DPID"
	ok "a request whose client is gone is carried out" \
	    wait_for 5 probe_pid a GONE
	ok "and the connection closed" wait_for 5 sockets_are "$_before"
	ok "the daemon goes on" ping_works
	fire a GONE
}

sockets_are() {
	[ "$(sockets)" -eq "$1" ]
}

# How many sockets the daemon has.
sockets() {
	case $JAIL_OS in
	Linux)
		find "/proc/$DPID/fd" -type l -lname "socket:*" | lines
		;;
	*)
		procstat -h -f "$DPID" | grep -c " UDS"
		;;
	esac
}

# The listener, and what tells the loop and the log.
too_many_open() {
	[ "$(sockets)" -gt 8 ]
}

# 64 that say nothing, and one more.  They are cut after ten seconds: the
# oldest of all, which gives its request away byte by byte, as well.
t_many() {
	_start=$(date +%s)
	(
		for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			printf '{'
			sleep 1
		done
	) 2>/dev/null | talk >"$T/slow" &
	_slow=$!
	mkfifo "$T/hold"
	exec 9<>"$T/hold"
	_i=0 _pids=
	while [ "$_i" -lt 63 ]; do
		talk <"$T/hold" >"$T/held.$_i" 9>&- &
		_pids="$_pids $!"
		_i=$((_i + 1))
	done
	ok "64 connections" wait_for 5 connections 64
	echo '{"v":1,"verb":"ping"}' | talk_over >"$T/answer"
	refused_answer 75 "one more"
	exec 9>&-
	# shellcheck disable=SC2086
	kill $_pids 2>/dev/null
	# shellcheck disable=SC2086
	wait $_pids 2>/dev/null
	ok "when they are gone there is room" wait_for 5 ping_works
	ok "for as many" connections_fall
	wait_for 20 test -s "$T/slow"
	_took=$(($(date -r "$T/slow" +%s) - _start))
	like "$(cat "$T/slow")" '"ok": ?false' \
	    "a slow one is told that it is too slow"
	ok "after ten seconds" test "$_took" -ge 9 -a "$_took" -le 14
	wait "$_slow" 2>/dev/null
	ok "the daemon goes on" ping_works
}

connections() {
	[ "$(sockets)" -ge $(($1 + 1)) ]
}

connections_fall() {
	wait_for 5 not connections 32
}

[ $# -gt 0 ] || set -- good bad long rude gone many
if jail_start "$kind" a && daemon_start; then
	for t in "$@"; do
		tap_group=$t
		alive "$DPID" || daemon_start || fail "no daemon for this test"
		_lines=$(($(lines <"$D/log") + 1))
		_before=$tap_failed
		"t_$t"
		if [ "$tap_failed" -gt "$_before" ]; then
			tail -n "+$_lines" "$D/log" >"$T/diag.log"
			diag_file "$T/diag.log"
		fi
	done
	tap_group=
	daemon_stop
	is "$?" 0 "the daemon ends in order"
	unlike "$(cat "$D/log")" "Sanitizer|runtime error|event=bug" \
	    "the daemon has nothing to confess"
else
	fail "no jail, or no daemon"
fi
daemon_cleanup
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
