# cases.sh - the one table of cases that every kind of jail goes through
#
# shellcheck shell=sh disable=SC2154
