#!/bin/sh
# Installs what building and testing need and is missing; without root it
# only says how.
#
#   sh tests/deps.sh [list ...]
#
#   all     packages.debian or packages.freebsd; without an argument, this.
#           And packages.debian-backports, which a release that has them
#           itself takes from there
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

# What is installed to be measured shall not begin to serve.
do_not_start()
{
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	undo="rm -f /usr/sbin/policy-rc.d; $undo"
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
}

undo=

# Sets $missing: what of these lists is not installed.
look()
{
	missing=
	for p in $(wanted debian "$@"); do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		    grep -q 'install ok installed' || missing="$missing $p"
	done
	[ -z "$missing" ] || [ "$(id -u)" -eq 0 ] || {
		echo "missing packages; as root: apt-get install$missing" >&2
		return 69
	}
}

# Installs $missing; the options go to apt-get.
get()
{
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y \
	    --no-install-recommends $missing
}

debian()
{
	known debian "$@" || return
	trap 'eval "$undo"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	look "$@" || return
	case "$missing: $* " in
	:*)	;;
	*" bench "*)	do_not_start ;;
	esac
	[ -z "$missing" ] || get || { apt-get update && get; } || return
	case " $* " in
	*" all "*)	debian_backports ;;
	esac
}

# What these are for is left out where they are not to be had: its tests say
# so.
debian_backports()
{
	look backports || return
	[ -n "$missing" ] || return 0
	do_not_start
	get 2>/dev/null || { apt-get update && get 2>/dev/null; } ||
	    from_backports ||
	    echo "deps: not to be had:$missing" >&2
}

# The suite is beside the one of this release, wherever that comes from.  The
# system's own list of sources stays as it is: apt-get is shown another one,
# and keeps what it learns from there beside it.
from_backports()
{
	release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt-get's
	site=$(apt-get indextargets --format '$(REPO_URI)' \
	    'Created-By: Packages' 'Component: main' "Codename: $release" |
	    sort -u | head -n 1)
	[ -n "$release" ] && [ -n "$site" ] || return
	own=$(mktemp -d) || return
	undo="rm -rf $own; $undo"
	chmod 755 "$own"
	mkdir "$own/parts" &&
	    cp -a /var/lib/apt/lists "$own/lists" || return
	[ ! -d /etc/apt/sources.list.d ] ||
	    cp -a /etc/apt/sources.list.d/. "$own/parts" || return
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e "$key" ] && key="[signed-by=$key]" || key=
	echo "deb $key $site $release-backports main" \
	    >"$own/parts/backports.list"
	set -- -o Dir::Etc::SourceParts="$own/parts" \
	    -o Dir::State::Lists="$own/lists"
	apt-get "$@" update && get "$@"
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
