#!/bin/sh
# Warnings as errors with gcc and clang, the static analysers, the shell's
# and the manuals' checkers: none may find anything.  Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${OS:=$(uname -s)}" "${PKG_CONFIG:=pkg-config}"
n=0
failed=0
passed=0
out=$(mktemp) || exit 1
trap 'rm -rf "$out" "$out.d"' EXIT

check()
{
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$out" 2>&1 && ! grep -Eq 'warning|error' "$out"; then
		echo "ok $n - $name"
		passed=$((passed + 1))
	else
		sed 's/^/# /' "$out"
		echo "not ok $n - $name"
		failed=$((failed + 1))
	fi
}

compiles()
{
	make -s BUILD="$out.d/$1" CC="$1" CFLAGS="$2" \
	    WARNINGS="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror" \
	    all "$out.d/$1/unit.stamp" "$out.d/$1/replay.stamp" \
	    "$out.d/$1/bench.stamp"
}

tidy()
{
	# shellcheck disable=SC2046 # lists of words
	clang-tidy --quiet --warnings-as-errors='*' "$1" -- -std=c11 -Isrc \
	    -D_GNU_SOURCE -DVERSION='""' -DLIBEXECDIR='""' \
	    $($PKG_CONFIG --cflags libevent_core jansson libbsd-overlay) \
	    2>/dev/null
}

# The macros of queues and trees, without which cppcheck cannot read them.
includes()
{
	for h in queue tree; do
		printf -- '--include=%s ' "/usr/include/bsd/sys/$h.h"
	done
}

sources=$(for s in src/*.c stub/*.c tests/unit/*.c fuzz/*.c bench/*.c; do
	case $s in *freebsd*) ;; *) echo "$s" ;; esac
done)

check "gcc" compiles gcc "-O2 -g"
check "clang" compiles clang "-O2 -g"
check "gcc, as a distribution builds" compiles gcc "-O2 -g -flto=auto \
-fstack-protector-strong -fstack-clash-protection -fcf-protection \
-Wformat -Werror=format-security"
if command -v aarch64-linux-gnu-gcc >/dev/null; then
	check "the stub for aarch64" make -s BUILD="$out.d/arm" \
	    CC=aarch64-linux-gnu-gcc WARNINGS="-Wall -Wextra -Wpedantic \
-Wshadow -Wconversion -Werror" "$out.d/arm/jailprobe"
fi
for s in $sources; do
	check "clang-tidy $s" tidy "$s"
done
# shellcheck disable=SC2046,SC2086 # lists of words
check cppcheck cppcheck --quiet --std=c11 \
    --enable=warning,portability,performance \
    --error-exitcode=1 --inline-suppr $(includes) \
    -D_GNU_SOURCE -D__linux__ -D__x86_64__ -DVERSION='""' $sources
# shellcheck disable=SC2046 # a list of words
check shellcheck shellcheck -x -P SCRIPTDIR $(git ls-files -- '*.sh' '*.t' \
    .ci/run '*.postrm' 'etc/*.rc' 'etc/*.bash-completion')
check "mutants find their lines" sh tests/mutants.sh -n
check "mandoc -Tlint" mandoc -Tlint man/*.[15]
echo "1..$n"
[ -z "${JAILDAEMON_TALLY:-}" ] || echo "$passed $failed" >>"$JAILDAEMON_TALLY"
[ "$failed" -eq 0 ]
