# setup.sh - sourced by every test, with $here set to the folder of the tests
#
# shellcheck shell=sh disable=SC1091,SC2154

if [ "$(id -u)" -ne 0 ]; then
	if [ "${JAILDAEMON_NO_SKIP:-0}" = 1 ]; then
		echo 'Bail out! needs root'
		exit 1
	fi
	echo '1..0 # SKIP needs root'
	exit 0
fi

here=$(cd "$here" && pwd)
. "$here/lib/jail.sh"
jail_private "$here/${0##*/}" "$@"
. "$here/lib/tap.sh"
tap_atexit jail_cleanup
jail_private_mounts || exit 1
. "$here/lib/daemon.sh"
. "$here/lib/cases.sh"
