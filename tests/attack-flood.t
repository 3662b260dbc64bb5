#!/bin/sh
# A container hangs up its probes as fast as it can, beside a calm neighbour.
#
# shellcheck disable=SC1091,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

limit() {
	sed -n "s/^#define[[:space:]]*$1[[:space:]]*\([0-9]*\).*/\1/p" \
	    "$here/../src/life.h"
}

BURST=$(limit LIFE_BURST)
SECONDS_ALL=$(chosen 6 30)
SLICE=2			# seconds of calm, seconds of flood, in turn
TITLES="N1 N2 N3 N4 N5 N6 N7 N8"

# Triggers that the log tells of, one by one or summed up.
triggers() {
	awk -v id="id=$1" '$0 ~ id "( |$)" && /event=trigger/ { n++ }
	    $0 ~ id "( |$)" && /event=repeats/ {
		sub(/.* triggers=/, ""); sub(/ .*/, ""); n += $0
	    } END { print n + 0 }' "$D/log"
}

runs_are() {
	[ "$(mark "$1")" -eq "$2" ]
}

# measure FILE SECONDS
measure() {
	# shellcheck disable=SC2086
	load fire "$(jail_pid b)" "$T/fifo" "$2" $TITLES >"$1"
}

# Percentiles of all slices: their median, so that one bad moment of the
# machine decides nothing.
middle() {
	cat "$T/$1".* | tr ' ' '\n' | sed -n "s/^$2=//p" | sort -n |
	    awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# flood MODE OPTION
flood() {
	tap_group=$1
	ok "arm" arm a "FLOOD$1" "echo x >>$M/flood$1" "$1"
	_log=$(lines <"$D/log")
	rm -f "$T"/calm.* "$T"/flood.*
	_seconds=0 _deaths=0 _slice=0
	while [ "$_seconds" -lt "$SECONDS_ALL" ]; do
		_slice=$((_slice + 1))
		# As busy, but it only looks.
		spy a hup "$SLICE" 0
		measure "$T/calm.$_slice" "$SLICE"
		wait_for 10 spy_gone a
		spy a hup "$SLICE"
		measure "$T/flood.$_slice" "$SLICE"
		wait_for 10 spy_gone a
		_deaths=$((_deaths + $(spied a hup)))
		_seconds=$((_seconds + SLICE))
	done
	_id=$(log_id "FLOOD$1")
	at_least "$_deaths" 3 "probes are hung up, and more"
	ok "each that died is a run, none is lost" \
	    wait_for 20 runs_are "flood$1" "$_deaths"
	is "$(mark "flood$1")" "$_deaths" "neither more nor less"
	# A burst and the one that ended it, then a second's rest.
	at_most "$_deaths" $(((BURST + 1) * (_seconds + _slice))) \
	    "runs, within the limit"
	at_least "$(cat "$T"/flood.* | tr ' ' '\n' | sed -n 's/^n=//p' |
	    awk '{ n += $1 } END { print n + 0 }')" 20 \
	    "triggers of the neighbour's"
	is "$(cat "$T"/calm.* "$T"/flood.* | grep -vc missed=0)" 0 \
	    "all of which run"
	diag "calm: p50 $(middle calm p50) p99 $(middle calm p99) us," \
	    "flood: p50 $(middle flood p50) p99 $(middle flood p99) us"
	at_most "$(middle flood p50)" $(($(middle calm p50) * 2 + 1000)) \
	    "us for half of the neighbour's triggers"
	at_most "$(middle flood p99)" $(($(middle calm p99) * 2 + 5000)) \
	    "us for 99 % of them"
	# Once it was too much; a slow machine may not come that far.
	at_most "$(sed '1,/event=rest/d' "$D/log" | grep -Ec "id=$_id( |\$)")" \
	    $((5 * (BURST + 1) + _seconds * 2)) "lines of log"
	peek a pkill -KILL -x -f "jailprobe: FLOOD$1"
	kill -TERM "$DPID"
	wait_for 15 not alive "$DPID"
	is "$(triggers "$_id")" "$_deaths" "the log's sums are right"
	daemon_reap
	is "$?" 0 "the daemon ends in order"
}

kind=$(jail_kinds | head -n 1)
if ! spy_root || ! jail_start "$kind" a || ! jail_start "$kind" b; then
	fail "no jails"
	done_testing
fi
[ $# -gt 0 ] || set -- -R -r
mkfifo "$T/fifo"
for mode; do
	daemon_dir "d$mode"
	daemon_start || { fail "no daemon"; continue; }
	# The neighbour's commands say a byte each.
	for title in $TITLES; do
		arm b "$title" "printf x >'$T/fifo'" -R || fail "no neighbour"
	done
	flood "$mode"
done
tap_group=
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
