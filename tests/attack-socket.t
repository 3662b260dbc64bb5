#!/bin/sh
# The control socket under rude clients: others are answered within a second,
# and the daemon is afterwards what it was.
#
# shellcheck disable=SC1091,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
SOCK=${JAILDAEMON%/*}/attack/sock
n=${JAILDAEMON_CONNECTIONS:-10000}

# The longest wait of 20 pings is under a second, and each had a reply.
prompt_answers() {
	_answer=$("$SOCK" ping "$D/sock" 20)
	echo "$_answer"
	echo "$_answer" | grep -Eq '^longest [0-9]{1,3} none 0$'
}

descriptors() {
	find "/proc/$DPID/fd" | lines
}

lines() {
	wc -l | tr -d ' '
}

ok "the daemon starts" daemon_start
ok "it answers" prompt_answers
before=$(descriptors)

tap_group='flood'
"$SOCK" flood "$D/sock" "$n" >"$T/flood" &
sleep 1
ok "others are answered meanwhile" prompt_answers
sleep 2
ok "and later" prompt_answers
wait $!
like "$(cat "$T/flood")" "opened $n" "all of $n connections were made"

tap_group='slow senders'
"$SOCK" slow "$D/sock" 60 >"$T/slow" &
sleep 1
ok "others are answered meanwhile" prompt_answers
wait $!
is "$(cat "$T/slow")" "alive 0" "all were cut off after ten seconds"
ok "with a word in the log" log_has 'event=refuse.*10 seconds'

tap_group='rubbish'
"$SOCK" junk "$D/sock" 300 1 &
one=$!
"$SOCK" junk "$D/sock" 300 2 &
ok "others are answered meanwhile" prompt_answers
wait "$one" $!
ok "and afterwards" prompt_answers
is "$(tr -d '\n\040-\176\200-\377' <"$D/log" | wc -c)" 0 \
    "the log has no control character"
ok "and is UTF-8" iconv -f UTF-8 -t UTF-8 "$D/log"
nok "and no line that is not its own" grep -Eqv '^jaildaemon: event=[a-z-]+' \
    "$D/log"

tap_group='another user'
chmod 711 "$D"
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
like "$(as_nobody "$SOCK" ping "$D/sock" 1)" 'none 1' "cannot connect"
chmod 666 "$D/sock"
as_nobody "$JAILDAEMON" -f "$D/sock" -c : -j $$ >"$T/nobody" 2>&1
is $? 77 "or is refused where the file would let it in"
ok "with words" one_line_like "$T/nobody" \
    'only root and the daemon.s own user'
chmod 600 "$D/sock"

tap_group=
is_back() {
	[ "$(descriptors)" -eq "$before" ]
}
ok "no descriptor is left behind" wait_for 15 is_back
ok "the daemon ends in order" daemon_stop
nok "and had nothing to confess" log_has event=bug
done_testing
