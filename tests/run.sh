#!/bin/sh
# Runs a part of the tests through prove(1) and says what came of it.
#   hermetic: units, the fuzzers' corpus, FreeBSD's sources as far as this
#             system can compile them
#   root:     the whole program, in real jails
# Environment: BUILD, OS; JAILDAEMON_NO_SKIP=1 makes a skipped test a failure;
# JAILDAEMON_TALLY names a file to which "passed failed" is added.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BUILD:=build}" "${OS:=$(uname -s)}"
top=$(pwd)
JAILDAEMON=$top/$BUILD/jaildaemon
export BUILD OS JAILDAEMON
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# One stream of TAP: name it, run it, keep its verdict.
tap()
{
	name=$1
	shift
	start=$(date +%s)
	"$@" >"$log.one" 2>&1
	status=$?
	cat "$log.one" >>"$log"
	ok=$(grep -c '^ok' "$log.one")
	bad=$(grep -c '^not ok' "$log.one")
	plan=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$log.one" | tail -n 1)
	skipped=0
	if [ "${JAILDAEMON_NO_SKIP:-0}" = 1 ]; then
		skipped=$(grep -ci '^ok.*# *skip' "$log.one")
	fi
	if [ "$bad" -gt 0 ] || [ "$skipped" -gt 0 ] || [ "$status" -ne 0 ] ||
	    [ "$ok" -ne "${plan:--1}" ]; then
		cat "$log.one"
		[ "$bad" -gt 0 ] || bad=1
		echo "$name: FAILED ($ok ok, $bad not ok, $skipped skipped," \
		    "status $status, planned ${plan:-nothing})"
	else
		echo "$name: $ok ok, $(($(date +%s) - start)) s"
	fi
	passed=$((passed + ok - skipped))
	failed=$((failed + bad + skipped))
	rm -f "$log.one"
}

hermetic()
{
	for t in "$BUILD"/unit/test_*; do
		CMOCKA_MESSAGE_OUTPUT=TAP tap "${t##*/}" "$t"
	done
	for r in "$BUILD"/replay/*; do
		tap "corpus of ${r##*/}" "$r" fuzz/corpus/"${r##*/}"/*
	done
	[ "$OS" = FreeBSD ] || tap freebsd-types sh tests/freebsd-types.t
	# Sanitizers replace the protections that this looks for.
	[ "$OS" = FreeBSD ] || [ "${SANITIZED:-0}" = 1 ] ||
	    tap hardening sh tests/hardening.t
}

root()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "these tests make jails: run them as root" >&2
		exit 77
	fi
	for t in tests/*.t; do
		case $t in
		tests/freebsd-types.t | tests/hardening.t) continue ;;
		esac
		tap "${t##*/}" sh "$t"
	done
}

passed=0
failed=0
for part in "${@:-none}"; do
	case $part in
	hermetic) hermetic ;;
	root) root ;;
	*) echo "usage: tests/run.sh hermetic | root ..." >&2; exit 64 ;;
	esac
done
[ -z "${JAILDAEMON_TALLY:-}" ] || echo "$passed $failed" >>"$JAILDAEMON_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
