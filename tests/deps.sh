#!/bin/sh
# Installs what building and testing need and is missing; without root it
# only says how.  The lists: packages.debian, packages.freebsd.  Words say
# which: "all" (nothing said), "build": only what building and showing need,
# the first group of the list; any other names a further list, "bench":
# packages.debian-bench.
set -u
cd "$(dirname "$0")" || exit 1

words=${*:-all}

# wanted LIST: the packages of all words.
wanted()
{
	for word in $words; do
		case $word in
		all)	cat "$1" ;;
		build)	awk '/^# To / { n++ } n < 2' "$1" ;;
		*)	cat "$1-$word" ;;
		esac
	done | sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d'
}

# The lists are there; a word that names none is a mistake.
check_words()
{
	for word in $words; do
		case $word in
		all|build)	continue ;;
		esac
		[ -r "$1-$word" ] || {
			echo "tests/deps.sh: \"$word\" names no list:" \
			    "expected all, build or the rest of a name" \
			    "tests/$1-..." >&2
			exit 64
		}
	done
}

# What is installed to be measured shall not begin to serve.
do_not_start()
{
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
}

debian()
{
	check_words packages.debian
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
	case " $words " in
	*" bench "*)	do_not_start ;;
	esac
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y \
	    --no-install-recommends $missing ||
	    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get \
	    install -y --no-install-recommends $missing; }
}

freebsd()
{
	check_words packages.freebsd
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
