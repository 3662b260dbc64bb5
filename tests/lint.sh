#!/bin/sh
# Warnings as errors with gcc and clang, the static analysers, the shell's
# and the manuals' checkers: none may find anything.  Prints TAP.
#
#   sh tests/lint.sh            all checks, as many at a time as there are
#                               processors
#   sh tests/lint.sh NAME ...   one, as list() has it, in the folder $LINT
set -u
cd "$(dirname "$0")/.." || exit 1
: "${OS:=$(uname -s)}" "${PKG_CONFIG:=pkg-config}"

compiles()
{
	make -s BUILD="$LINT/$1.d" CC="$2" CFLAGS="$3" \
	    WARNINGS="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror" \
	    all "$LINT/$1.d/unit.stamp" "$LINT/$1.d/replay.stamp" \
	    "$LINT/$1.d/bench.stamp"
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

list()
{
	# What takes longest begins first.
	printf '%s\n' cppcheck shellcheck distribution gcc clang mutants
	! command -v aarch64-linux-gnu-gcc >/dev/null || echo aarch64
	for s in $sources; do
		echo "clang-tidy $s"
	done
	echo mandoc
}

# shellcheck disable=SC2046,SC2086 # lists of words
one()
{
	case $1 in
	gcc|clang)
		compiles "$1" "$1" "-O2 -g" ;;
	distribution)
		compiles "$1" gcc "-O2 -g -flto=auto -fstack-protector-strong \
-fstack-clash-protection -fcf-protection -Wformat -Werror=format-security" ;;
	aarch64)
		make -s BUILD="$LINT/arm.d" CC=aarch64-linux-gnu-gcc \
		    WARNINGS="-Wall -Wextra -Wpedantic -Wshadow -Wconversion \
-Werror" "$LINT/arm.d/jailprobe" ;;
	clang-tidy)
		tidy "$2" ;;
	cppcheck)
		cppcheck --quiet --std=c11 \
		    --enable=warning,portability,performance \
		    --error-exitcode=1 --inline-suppr $(includes) \
		    -D_GNU_SOURCE -D__linux__ -D__x86_64__ \
		    -DVERSION='""' $sources ;;
	shellcheck)
		shellcheck -x -P SCRIPTDIR $(git ls-files -- '*.sh' '*.t' \
		    .ci/run '*.postrm' 'etc/*.rc' 'etc/*.bash-completion') ;;
	mutants)
		sh tests/mutants.sh -n ;;
	mandoc)
		mandoc -Tlint man/*.[15] ;;
	*)	echo "no check $1" >&2
		exit 64 ;;
	esac
}

# judge: every check's result, in the list's order.
judge()
{
	n=0
	failed=0
	while read -r name; do
		n=$((n + 1))
		file=$LINT/$(echo "$name" | tr '/ ' '--')
		if [ "$(cat "$file.status")" = 0 ] &&
		    ! grep -Eq 'warning|error' "$file"; then
			echo "ok $n - $name"
		else
			sed 's/^/# /' "$file"
			echo "not ok $n - $name"
			failed=$((failed + 1))
		fi
	done
	echo "1..$n"
	[ -z "${JAILDAEMON_TALLY:-}" ] ||
	    echo "$((n - failed)) $failed" >>"$JAILDAEMON_TALLY"
	[ "$n" -gt 0 ] && [ "$failed" -eq 0 ]
}

if [ $# -gt 0 ]; then
	file=$LINT/$(echo "$*" | tr '/ ' '--')
	one "$@" >"$file" 2>&1
	echo $? >"$file.status"
	exit 0
fi
LINT=$(mktemp -d) || exit 1
trap 'rm -rf "$LINT"' EXIT
export LINT OS PKG_CONFIG
list | xargs -P "$(nproc)" -L 1 sh tests/lint.sh
list | judge
