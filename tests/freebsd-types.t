#!/bin/sh
# FreeBSD's side of the sources, as far as a compiler on another system can
# check it: against tests/freebsd-headers, and never linked or run.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=cc}" "${PKG_CONFIG:=pkg-config}"
n=0
failed=0
for f in stub/probe_freebsd.c src/*.c; do
	case $f in
	*_linux.c|src/call.c|src/cgroup.c|src/command.c|src/engine.c| \
	src/feed.c|src/follow.c|src/procfs.c|src/roster.c)
		continue ;;
	esac
	n=$((n + 1))
	# shellcheck disable=SC2046 # lists of words
	if out=$($CC -std=c11 -fsyntax-only -O2 -U__linux__ -D_GNU_SOURCE \
	    -DVERSION='"0"' -DLIBEXECDIR='"/usr/local/libexec"' \
	    -isystem tests/freebsd-headers \
	    $($PKG_CONFIG --cflags libevent_core jansson libbsd-overlay) \
	    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror "$f" 2>&1)
	then
		echo "ok $n - $f"
	else
		echo "$out" | sed 's/^/# /'
		echo "not ok $n - $f"
		failed=1
	fi
done
echo "1..$n"
exit $failed
