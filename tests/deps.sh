#!/bin/sh
# Installs what building and testing need and is missing; without root it
# only says how.  With "build", only what building and showing need: the
# first group of the list.  The lists: packages.debian, packages.freebsd.
set -u
cd "$(dirname "$0")" || exit 1

groups=${1:-all}

wanted()
{
	awk -v groups="$groups" '/^# To / { n++ }
	    n < 2 || groups == "all"' "$1" |
	    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d'
}

debian()
{
	missing=
	for p in $(wanted packages.debian); do
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
	missing=
	for p in $(wanted packages.freebsd); do
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
	freebsd
elif command -v apt-get >/dev/null; then
	debian
else
	echo "no apt-get or pkg here: install what tests/packages.debian" \
	    "lists by hand" >&2
fi
