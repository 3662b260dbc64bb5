#!/bin/sh
# Installs what building and testing need and is missing; without root it
# only says how.
#
#   sh tests/deps.sh [list ...]
#
#   all     packages.debian or packages.freebsd; without an argument, this
#   build   what building and showing need: the first group of that
#   WORD    packages.debian-WORD or packages.freebsd-WORD
set -u
cd "$(dirname "$0")" || exit 1
[ $# -gt 0 ] || set -- all

# wanted SYSTEM LIST...: names of packages, one a line.
wanted()
{
	_file=packages.$1
	shift
	for _list in "$@"; do
		case $_list in
		all)	cat "$_file" ;;
		build)	awk '/^# To / { n++ } n < 2' "$_file" ;;
		*)	cat "$_file-$_list" ;;
		esac
	done | sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' | sort -u
}

# known SYSTEM LIST...
known()
{
	_file=packages.$1
	shift
	for _list in "$@"; do
		case $_list in
		all|build) ;;
		*)	[ -e "$_file-$_list" ] || {
				echo "deps: no tests/$_file-$_list: expected" \
				    "all, build, or a list's last word" >&2
				return 64
			} ;;
		esac
	done
}

debian()
{
	known debian "$@" || return
	missing=
	for p in $(wanted debian "$@"); do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		    grep -q 'install ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages; as root: apt-get install$missing" >&2
		return 69
	fi
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y \
	    --no-install-recommends $missing ||
	    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get \
	    install -y --no-install-recommends $missing; }
}

freebsd()
{
	known freebsd "$@" || return
	missing=
	for p in $(wanted freebsd "$@"); do
		pkg info -e "$p" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages; as root: pkg install$missing" >&2
		return 69
	fi
	# shellcheck disable=SC2086 # a list of words
	pkg install -y $missing
}

if [ "$(uname -s)" = FreeBSD ]; then
	freebsd "$@"
elif command -v apt-get >/dev/null; then
	debian "$@"
else
	echo "no apt-get or pkg here: install what tests/packages.debian" \
	    "lists by hand" >&2
fi
