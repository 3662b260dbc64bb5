#!/bin/sh
# Runs a part of the tests through prove(1) and says what came of it.
#   hermetic: units, the fuzzers' corpus, FreeBSD's sources as far as this
#             system can compile them
#   root:     the whole program, in real jails
#   attack:   of these, the attacks alone
# Environment: BUILD, OS; JAILDAEMON_NO_SKIP=1 makes a skipped test a failure;
# JAILDAEMON_TALLY names a file to which "passed failed" is added.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BUILD:=build}" "${OS:=$(uname -s)}"
top=$(pwd)
JAILDAEMON=$top/$BUILD/jaildaemon
export BUILD OS JAILDAEMON
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT

# One stream of TAP: name it and run it.
run()
{
	name=$1
	shift
	start=$(date +%s)
	"$@" >"$log/$name" 2>&1
	echo "$? $(($(date +%s) - start))" >"$log/$name.end"
}

# What it came to.
judge()
{
	out=$log/$1
	read -r status seconds <"$out.end"
	ok=$(grep -c '^ok' "$out")
	bad=$(grep -c '^not ok' "$out")
	plan=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$out" | tail -n 1)
	skipped=0
	if [ "${JAILDAEMON_NO_SKIP:-0}" = 1 ]; then
		skipped=$(grep -ci '^ok.*# *skip' "$out")
	fi
	if [ "$bad" -gt 0 ] || [ "$skipped" -gt 0 ] || [ "$status" -ne 0 ] ||
	    [ "$ok" -ne "${plan:--1}" ]; then
		cat "$out"
		[ "$bad" -gt 0 ] || bad=1
		echo "$1: FAILED ($ok ok, $bad not ok, $skipped skipped," \
		    "status $status, planned ${plan:-nothing})"
	else
		echo "$1: $ok ok, $seconds s"
	fi
	passed=$((passed + ok - skipped))
	failed=$((failed + bad + skipped))
}

tap()
{
	run "$@"
	again "$@"
	judge "$1"
}

hermetic()
{
	for t in "$BUILD"/unit/test_*; do
		[ -x "$t" ] || continue
		tap "${t##*/}" env CMOCKA_MESSAGE_OUTPUT=TAP "$t"
	done
	for r in "$BUILD"/replay/*; do
		[ -x "$r" ] || continue
		tap "corpus-${r##*/}" "$r" fuzz/corpus/"${r##*/}"/*
	done
	tap conf sh tests/conf.t
	[ "$OS" = FreeBSD ] || tap freebsd-types sh tests/freebsd-types.t
	tap docs sh tests/docs.t
	tap security sh tests/security.t
	# Sanitizers replace the protections that this looks for.
	[ "$OS" = FreeBSD ] || [ "${SANITIZED:-0}" != 0 ] ||
	    tap hardening sh tests/hardening.t
}

root()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "these tests make jails: run them as root" >&2
		exit 77
	fi
	# Sanitizers change what is measured there: memory, time, descriptors.
	is_sanitized || attack
	# These mostly wait, each in places of its own: two at a time.
	lane &
	lane
	wait
	for t in $(others); do
		again "${t##*/}" timeout 900 sh "$t"
		judge "${t##*/}"
	done
}

# Much is measured in seconds: what failed beside another one has a second try
# by itself, and that counts.
again()
{
	read -r status seconds <"$log/$1.end"
	[ "$status" -ne 0 ] || return 0
	# What was found at random need not be found again.
	! grep -Eq '^not ok [0-9]+ - (kill|upgrade|soak): ' "$log/$1" ||
	    return 0
	echo "$1: once more, by itself"
	# With the reasons, which stand below it.
	awk '/^not ok/ { shown = 60 } /^ok/ { shown = 0 } shown-- > 0' \
	    "$log/$1"
	run "$@"
}

# Figures, recipes, packages and what follows an engine: minutes each, and not
# for a machine that has other work to do.  make check-long.
is_long()
{
	case ${1##*/} in
	bench.t | cookbook.t | follow.t | packages.t)
		[ "$OS" != FreeBSD ] ;;
	*)	false ;;
	esac
}

attack()
{
	for t in $(attacks); do
		tap "${t##*/}" timeout 900 sh "$t"
	done
}

attacks()
{
	for t in tests/attack-*.t; do
		case $OS:$t in
		FreeBSD:*-freebsd.t | FreeBSD:*-flood.t | FreeBSD:*-socket.t)
			echo "$t" ;;
		FreeBSD:* | *-freebsd.t)
			;;
		*)
			echo "$t" ;;
		esac
	done
}

others()
{
	for t in tests/*.t; do
		! is_long "$t" || continue
		case $t in
		tests/attack-*.t | tests/conf.t | tests/docs.t | \
		    tests/freebsd-types.t | tests/hardening.t | \
		    tests/security.t)
			;;
		tests/jails-freebsd.t | tests/rcd.t)
			[ "$OS" != FreeBSD ] || echo "$t" ;;
		tests/faults.t | tests/jails-unshare*.t)
			[ "$OS" = FreeBSD ] || echo "$t" ;;
		tests/cli.t | tests/wire.t)
			echo "$t" ;;
		*)
			# What an engine adds is the container's, not the
			# daemon's: without sanitizers is enough every day.
			[ "$OS" = FreeBSD ] || is_sanitized || echo "$t"
			[ "$OS" != FreeBSD ] || case $t in
			tests/cookbook.t | tests/jails-* | tests/kernel.t | \
			    tests/notify.t | tests/packages.t) ;;
			*) echo "$t" ;;
			esac ;;
		esac
	done
}

# SANITIZED=1: in short; SANITIZED=all leaves out nothing but what is about
# how the program was built.
is_sanitized()
{
	[ "${SANITIZED:-0}" = 1 ]
}

# The next one that nobody has taken: some last for minutes.
lane()
{
	for t in $(others); do
		mkdir "$log/${t##*/}.taken" 2>/dev/null || continue
		run "${t##*/}" timeout 900 sh "$t"
	done
}

passed=0
failed=0
for part in "${@:-none}"; do
	case $part in
	hermetic) hermetic ;;
	root) root ;;
	attack) attack ;;
	*) echo "usage: tests/run.sh hermetic | root | attack ..." >&2
		exit 64 ;;
	esac
done
[ -z "${JAILDAEMON_TALLY:-}" ] || echo "$passed $failed" >>"$JAILDAEMON_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
