#!/bin/sh
# Builds the Debian packages from a copy of this tree, which stays as it is.
# Needs neither root nor network.
#
#   sh packaging/deb.sh DIRECTORY [VERSION]
#
# What is built goes to DIRECTORY, which is made anew: packages, their source
# and what describes them.  VERSION is another one than that of
# debian/changelog, as for a build of one's own.  From the environment come
# DEB_BUILD_OPTIONS and SOURCE_DATE_EPOCH; the latter is the changelog's date
# if it is not set, and the same source makes the same packages.
set -eu
umask 022
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: packaging/deb.sh directory [version]" >&2
	exit 64
fi
command -v dpkg-buildpackage >/dev/null || {
	echo "deb.sh: no dpkg-buildpackage: install dpkg-dev and debhelper" >&2
	exit 69
}
top=$(cd "$(dirname "$0")/.." && pwd)
rm -rf "$1"
mkdir -p "$1"
out=$(cd "$1" && pwd)
copy=$out/jaildaemon
version=${2:-}

mkdir "$copy"
trap 'rm -rf "$copy"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# All but what was built, wherever in the tree that is.
case $out in
"$top"/*)	built=${out#"$top/"} ;;
*)		built=build ;;
esac
tar -C "$top" -cf - --exclude-vcs --exclude='./build*' \
    --exclude="./${built%%/*}" . |
    tar -C "$copy" -xf - --no-same-owner --no-same-permissions
cd "$copy"
if [ -n "$version" ]; then
	{
		printf 'jaildaemon (%s) UNRELEASED; urgency=medium\n\n' \
		    "$version"
		printf '  * A build of its own.\n\n'
		sed -n '/^ -- /{p;q;}' debian/changelog
		echo
		cat debian/changelog
	} >debian/changelog.new
	mv debian/changelog.new debian/changelog
fi
# Nothing that this was started with matters to the packages, and neither does
# when the tree was laid.
: "${SOURCE_DATE_EPOCH:=$(dpkg-parsechangelog -S Timestamp)}"
find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 \
    TMPDIR="${TMPDIR:-/tmp}" \
    DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-parallel=$(nproc)}" \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" dpkg-buildpackage --no-sign
cd "$out"
rm -rf "$copy"
ls -l "$out"
