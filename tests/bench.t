#!/bin/sh
# A few rounds of make bench: everything is measured, and what comes out can be
# true.  The goals are not asked for: others use the machine too.
#
# shellcheck disable=SC1091,SC2154

here=$(dirname "$0")
. "$here/lib/tap.sh"

if [ "$(id -u)" -ne 0 ]; then
	skip "needs root"
	done_testing
fi

# value FILTER: what jq(1) finds in the result; fails if it is not there.
value() {
	jq -e "$1" "$T/out/results.json"
}

# between LOW HIGH FILTER: a number, LOW <= it <= HIGH.
between() {
	value "($3) | type == \"number\" and . >= $1 and . <= $2"
}

# measured KEY CONTESTANT...: these, and all that is said of each.
measured() {
	_key=$1
	shift
	for _c in "$@"; do
		value ".comparisons[\"$_key\"].series[\"$_c\"] |
		    .n > 0 and .min > 0 and .min <= .p25 and .p25 <= .p50 and
		    .p50 <= .p75 and .p75 <= .p90 and .p90 <= .p99 and
		    .p99 <= .max and .mean > 0 and (.label | length) > 0 and
		    (.p50_ci95 | .[0] <= .[1]) and
		    (.p99_ci95 | .[0] <= .[1])" || return 1
	done
}

# What is still there of it.
left() {
	while read -r _ _c _type _; do
		case $_type in
		cgroup*)	find "$_c" -maxdepth 1 -name "jdbench-$bench*" ;;
		esac
	done </proc/self/mounts
	pgrep -f "/run/jdbench-$bench/"
}

BENCH_OUT=$T/out BENCH_ROUNDS=3 BENCH_SIZES=10,20,100 BENCH_BURST=50 \
    BENCH_IDLE=2 BENCH_QUIET=500 sh "$here/../bench/run.sh" >"$T/log" 2>&1 &
bench=$!
wait "$bench"
is "$?" 0 "it runs"
diag_file "$T/log"

if [ "$(uname -s)" != Linux ]; then
	like "$(cat "$T/out/results.json")" '"trigger"' "the trigger is measured"
	done_testing
fi

ok "what machine it was is told" value '.format == 1 and (.machine |
    (.date | test("^20")) and (.kernel | length) > 0 and .cpus > 0 and
    .memory_mb > 0 and .rounds == 3 and (.cpu | length) > 0 and
    (.command | test("BENCH_ROUNDS=.3. .*make bench")))'
ok "the trigger" measured trigger floor jaildaemon
ok "arming" measured arm echo floor jaildaemon
ok "arming, in the daemon" measured arm_server floor jaildaemon
ok "the utility" measured utility true jaildaemon
ok "kept connections" measured kept jaildaemon
ok "growth" measured growth_trigger 10 20 100
ok "growth of arming" measured growth_arm 10 20 100
ok "a burst" measured burst floor jaildaemon
ok "the whole action" measured whole jaildaemon jaildaemon-kill \
    jaildaemon-proc s6-sudo userv fifo-cat fifo-read fifo-poll socat webhook \
    ssh
ok "memory" value '.size | .probe_bytes > 0 and .beside_bytes > 0 and
    .bare_bytes > 0 and .daemon_bytes > 0 and .text_bytes > 0 and
    .stub_bytes > 0 and .resident_bytes > 0'
ok "all goals are judged" value '.goals | (keys | length) == 19 and
    ([.[] | has("value", "limit", "bound", "held", "text")] | all) and
    ([.[] | .held == (if .bound == "most" then .value <= .limit
	else .value >= .limit end)] | all)'

for key in trigger arm utility; do
	ok "$key: to its floor" between 0.1 50 \
	    ".comparisons.$key.ratios[0].p50"
done
ok "burst: to its floor" between 0.1 10 .comparisons.burst.ratios[0].p50
ok "no trigger of a burst is lost" value '.goals.burst_lost.value == 0'
ok "a probe is a small process" between 0.8 2 '.size |
    .probe_bytes / .bare_bytes'
ok "a bare process has pages and a stack" between 20000 500000 \
    .size.bare_bytes
ok "an action is small" between 100 5000 .size.daemon_bytes
ok "the daemon idles" between 0 2 .idle.wakeups
ok "polling costs what it must" between 30000 1e9 \
    '.comparisons.whole.series["fifo-poll"].mean'
ok "growth, within reason" between 0.1 10 .goals.growth_trigger.value

ok "a table has all contestants" test "$(sed -n \
    '/^<!-- results -->/,/^<!-- results end -->/p' "$T/out/README.md" |
    grep -c '^| jaildaemon')" -ge 12
ok "README.md is otherwise as it was" test \
    "$(sed '/^<!-- results -->/,/^<!-- results end -->/d' \
    "$T/out/README.md")" = \
    "$(sed '/^<!-- results -->/,/^<!-- results end -->/d' \
    "$here/../bench/README.md")"
ok "a plot" grep -q '</svg>' "$T/out/results.svg"
is "$(left)" "" "nothing is left"
done_testing
