#!/bin/sh
# The table of cases, over jails of this kind.
#
# shellcheck disable=SC1091,SC2016,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

cases_file incus incus-userns
