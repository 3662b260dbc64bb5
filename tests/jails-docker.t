#!/bin/sh
# The table of cases, over jails of this kind.
#
# shellcheck disable=SC1091

here=$(dirname "$0")
. "$here/lib/setup.sh"

cases_file docker docker-userns
