#!/bin/sh
# The control socket under rude clients: others are answered within a second,
# and the daemon is afterwards what it was.
#
# shellcheck disable=SC1091,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"
SOCK=$ATTACK/sock
n=${JAILDAEMON_CONNECTIONS:-10000}

# The longest wait of 20 pings is under a second, and each had a reply.
prompt_answers() {
	_answer=$("$SOCK" ping "$D/sock" 20)
	echo "$_answer"
	echo "$_answer" | grep -Eq '^longest [0-9]{1,3} none 0$'
}

is_back() {
	[ "$(daemon_fds)" -eq "$before" ]
}

flood() {
	_lines=$(lines <"$D/log")
	"$SOCK" flood "$D/sock" "$n" >"$T/flood" &
	sleep 1
	ok "others are answered meanwhile" prompt_answers
	sleep 2
	ok "and later" prompt_answers
	wait $!
	like "$(cat "$T/flood")" "opened $n" "all of $n connections were made"
	ok "what was turned away is summed up in the log" \
	    wait_for 15 log_has 'event=repeats refused=[0-9]{3}'
	at_most $(($(lines <"$D/log") - _lines)) 80 "lines of log"
}

slow() {
	"$SOCK" slow "$D/sock" 60 >"$T/slow" &
	sleep 1
	ok "others are answered meanwhile" prompt_answers
	wait $!
	is "$(cat "$T/slow")" "alive 0" "all were cut off after ten seconds"
	ok "with a word in the log" log_has 'event=refuse.*10 seconds'
}

# Who asks and asks and never reads an answer.
deaf() {
	_rss=$(daemon_rss)
	"$SOCK" deaf "$D/sock" 30 >"$T/deaf" &
	sleep 1
	ok "others are answered meanwhile" prompt_answers
	wait $!
	is "$(cat "$T/deaf")" "alive 0" "all were cut off after ten seconds"
	[ "$SLOWER" -gt 1 ] || at_most "$(daemon_rss)" $((_rss + 6144)) \
	    "kB of memory at most"
}

rubbish() {
	"$SOCK" junk "$D/sock" 300 1 &
	one=$!
	"$SOCK" junk "$D/sock" 300 2 &
	ok "others are answered meanwhile" prompt_answers
	wait "$one" $!
	ok "and afterwards" prompt_answers
	is "$(tr -d '\n\040-\176\200-\377' <"$D/log" | wc -c | tr -d ' ')" 0 \
	    "the log has no control character"
	! command -v iconv >/dev/null ||
	    ok "and is UTF-8" iconv -f UTF-8 -t UTF-8 "$D/log"
	nok "and no line that is not its own" \
	    grep -Eqv '^jaildaemon: event=[a-z-]+' "$D/log"
}

# With no descriptor left for a connection the daemon looks away for a while.
descriptors() {
	command -v prlimit >/dev/null || { diag "no prlimit"; return; }
	prlimit --pid "$DPID" --nofile="$(($(find "/proc/$DPID/fd" \
	    -mindepth 1 -printf '%f\n' | sort -n | tail -n 1) + 1)):"
	"$SOCK" flood "$D/sock" 10 >/dev/null &
	wait_for 5 log_has event=accept
	_cpu=$(daemon_cpu)
	sleep 3
	at_most $((($(daemon_cpu) - _cpu) * 10)) $((100 * SLOWER)) \
	    "ms of CPU time: the daemon does not spin"
	at_most "$(log_count event=accept)" 20 "lines of log"
	prlimit --pid "$DPID" --nofile=1024:
	ok "with a descriptor it answers" wait_for 5 prompt_answers
	wait $!
}

as_nobody() {
	case $JAIL_OS in
	Linux)		setpriv --reuid 65534 --regid 65534 --clear-groups "$@" ;;
	FreeBSD)	chroot -u 65534 -g 65534 -G 65534 / "$@" ;;
	esac
}

another_user() {
	chmod 711 "$D"
	like "$(as_nobody "$SOCK" ping "$D/sock" 1)" 'none 1' "cannot connect"
	chmod 666 "$D/sock"
	as_nobody "$JAILDAEMON" -f "$D/sock" -c : -j $$ >"$T/nobody" 2>&1
	is $? 77 "or is refused where the file would let it in"
	ok "with words" one_line_like "$T/nobody" \
	    'only root and the daemon.s own user'
	chmod 600 "$D/sock"
}

[ $# -gt 0 ] || set -- flood slow deaf rubbish descriptors another_user
ok "the daemon starts" daemon_start
ok "it answers" prompt_answers
# The last ping is heard to have ended.
before=$(settled daemon_fds)
for part; do
	tap_group=$part
	"$part"
done
tap_group=
ok "no descriptor is left behind" wait_for 15 is_back
ok "the daemon ends in order" daemon_stop
nok "and had nothing to confess" log_has event=bug
done_testing
