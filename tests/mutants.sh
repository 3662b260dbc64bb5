#!/bin/sh
# Defences that are proven to matter: the program is built with each of them
# taken out in turn, and the test that is named for it must fail.
#
#   tests/mutants.sh [name ...]      all, or those
#
# One line a mutant: name | file | sed script | test, or unit:NAME | words
# that a failing line of the test has.  A script that changes nothing is an
# error, and so is a mutant that does not build: the table must follow the
# code.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$(pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: "${MUTANTS:=tests/mutants.table}"
n=0
bad=0

verdict()
{
	n=$((n + 1))
	if [ "$1" = ok ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=$((bad + 1))
	fi
}

# A copy of what make needs, with the one change.
mutate()
{
	rm -rf "$work/tree"
	mkdir "$work/tree" &&
	    cp -R "$top/Makefile" "$top/src" "$top/stub" "$top/tests" \
	    "$top/fuzz" "$work/tree/" || return 1
	sed -E -e "$2" "$top/$1" >"$work/tree/$1" || return 1
	if cmp -s "$top/$1" "$work/tree/$1"; then
		echo "# the script changes nothing in $1"
		return 1
	fi
	(cd "$work/tree" && make -s CFLAGS=-O1 WARNINGS=-w all \
	    build/unit.stamp build/tools.stamp) >"$work/build" 2>&1 || {
		sed 's/^/# /' "$work/build"
		return 1
	}
}

# The test's output; it runs against the mutant.
try()
{
	case $1 in
	unit:*)
		CMOCKA_MESSAGE_OUTPUT=TAP \
		    "$work/tree/build/unit/test_${1#unit:}" ;;
	*)
		JAILDAEMON=$work/tree/build/jaildaemon \
		    timeout 300 sh "$work/tree/tests/$1" ;;
	esac >"$work/out" 2>&1
}

trim()
{
	printf '%s' "$1" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//'
}

run_one()
{
	if ! mutate "$2" "$3"; then
		verdict bad "$1 could be built"
		return
	fi
	try "$4"
	if grep '^not ok' "$work/out" | grep -Eq -e "$5"; then
		verdict ok "$1: $4 notices"
	else
		verdict bad "$1: $4 notices"
		grep '^not ok' "$work/out" | head -n 5 | sed 's/^/# /'
	fi
}

while IFS='	' read -r name file script test words; do
	case $name in
	'' | \#*) continue ;;
	esac
	if [ $# -gt 0 ]; then
		case " $* " in
		*" $name "*) ;;
		*) continue ;;
		esac
	fi
	run_one "$(trim "$name")" "$file" "$script" "$test" "$words" </dev/null
done <"$MUTANTS"
echo "1..$n"
[ "$bad" -eq 0 ] && [ "$n" -gt 0 ]
