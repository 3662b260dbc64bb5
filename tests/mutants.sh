#!/bin/sh
# Defences that are proven to matter: the program is built with each of them
# taken out in turn, and the test that is named for it must fail.
#
#   tests/mutants.sh [name ...]      all, or those
#   tests/mutants.sh -n              does each script still find its line?
#
# The mutants are in mutants.table (FreeBSD: mutants-freebsd.table), which says
# how they are written.  A script that changes nothing is an error, and so is a
# mutant that does not build: the table must follow the code.  Each test is
# first run on the sound program, where it may not fail in that point: else it
# would show nothing.
#
# Environment: MUTANTS_JOBS, how many go on at a time (2).
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d) || exit 1
sound=$work/sound/tree
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
case $(uname -s) in
FreeBSD)	table=tests/mutants-freebsd.table ;;
*)		table=tests/mutants.table ;;
esac
: "${MUTANTS:=$table}" "${MUTANTS_JOBS:=2}"
LIMIT=600	# seconds for a test
chmod 711 "$work"

# build FOLDER [ASSIGNMENT...] TARGET...
build()
{
	dir=$1
	shift
	(cd "$dir" && make -s CFLAGS=-O1 WARNINGS=-w "$@") >"$dir.build" 2>&1 ||
	    {
		sed 's/^/# /' "$dir.build"
		return 1
	}
}

# The table, as one folder a mutant: edits (file and script, a line each),
# tests (test and words, a line each).
read_table()
{
	tab=$(printf '\t')
	n=0
	while IFS= read -r line; do
		case $line in
		'' | \#* | "$tab"\#*)
			continue ;;
		"$tab"*)
			line=${line#"$tab"}
			key=${line%%"$tab"*}
			value=${line#*"$tab"}
			[ "$value" != "$line" ] || key=none ;;
		*)
			n=$((n + 1))
			new=$work/table/$(printf %03d "$n")
			mkdir -p "$new"
			echo "$line" >"$new/name"
			continue ;;
		esac
		case $key in
		in)	file=$value ;;
		sed)	printf '%s\t%s\n' "$file" "$value" >>"$new/edits" ;;
		test)	test=$value ;;
		fails)	printf '%s\t%s\n' "$test" "$value" >>"$new/tests" ;;
		*)	echo "$MUTANTS: not understood: $line" >&2
			return 1 ;;
		esac
	done <"$MUTANTS"
}

# Every file that is edited must change; all scripts of a file count as one.
edit()
{
	tree=$1 mutant=$2
	cut -f 1 "$mutant/edits" | sort -u | while read -r file; do
		# A script may hold anything but a newline.
		awk -F '\t' -v f="$file" '$1 == f { sub(/^[^\t]*\t/, ""); print }' \
		    "$mutant/edits" >"$tree.sed"
		sed -E -f "$tree.sed" "$sound/$file" >"$tree/$file" || exit 1
		# All of them have to find their line.
		while IFS= read -r script; do
			sed -E -e "$script" "$sound/$file" >"$tree.one" || exit 1
			if cmp -s "$sound/$file" "$tree.one"; then
				echo "# this changes nothing in $file: $script"
				exit 1
			fi
		done <"$tree.sed"
	done
}

# Only what changed is compiled again: one object goes into the archive that
# is there.  A header, or the stub, is left to make.
rebuild()
{
	tree=$1 mutant=$2
	sources=$(cut -f 1 "$mutant/edits" | sort -u | grep '^src/.*\.c$' |
	    grep -v '^src/main\.c$' | tr '\n' ' ')
	if ! cut -f 1 "$mutant/edits" | grep -q '\.h$' &&
	    [ -n "$sources" ]; then
		build "$tree" SRCS="$sources" BUILD=build/one \
		    build/one/lib.a &&
		    ar r "$tree/build/lib.a" "$tree"/build/one/obj/*.o || return 1
	fi
	goals=all
	grep -q '^unit:' "$mutant/tests" && goals="all build/unit.stamp"
	# shellcheck disable=SC2086 # words
	build "$tree" $goals
}

# try TREE TEST OUTPUT
try()
{
	dir=$1 what=$2 output=$3
	case $what in
	unit:*)
		CMOCKA_MESSAGE_OUTPUT=TAP \
		    "$dir/build/unit/test_${what#unit:}" ;;
	*)
		# A test's name and arguments, perhaps variables before it.
		what=$(echo "$what" |
		    sed -E "s,([^ ]*\.t),timeout $LIMIT sh $dir/tests/\1,")
		eval "env JAILDAEMON=$dir/build/jaildaemon $what" ;;
	esac >"$output" 2>&1 </dev/null
}

# sound TEST WORDS: does the sound program pass there?  Run once a test, by
# whoever comes first; the others wait for it.
sound()
{
	result=$work/sound/$(echo "$1" | cksum | tr -d ' ')
	if mkdir "$result" 2>/dev/null; then
		try "$sound" "$1" "$result/out"
		: >"$result/done"
	fi
	until [ -e "$result/done" ]; do
		sleep 0.5
	done
	if ! grep -aq '^1\.\.' "$result/out" ||
	    grep -a '^not ok' "$result/out" | grep -aEq -e "$2"; then
		grep -av '^ok' "$result/out" | head -n 10 | sed 's/^/# /'
		return 1
	fi
}

# Prints one line of TAP, behind what there is to explain.
judge()
{
	tree=$1 mutant=$2
	start=$(date +%s)
	number=$((1${mutant##*/} - 1000))
	name=$(cat "$mutant/name")
	rm -rf "$tree"
	cp -a "$sound" "$tree"
	if ! edit "$tree" "$mutant" || ! rebuild "$tree" "$mutant"; then
		echo "not ok $number - $name: can be built"
		return
	fi
	while IFS='	' read -r test words; do
		if ! sound "$test" "$words"; then
			echo "not ok $number - $name: $test passes without it"
			return
		fi
		try "$tree" "$test" "$tree.out"
		if ! grep -a '^not ok' "$tree.out" | grep -aEq -e "$words"; then
			grep -a '^not ok' "$tree.out" | head -n 5 | sed 's/^/# /'
			tail -n 1 "$tree.out" | sed 's/^/# /'
			echo "not ok $number - $name: $test notices"
			return
		fi
	done <"$mutant/tests"
	echo "ok $number - $name: $(cut -f 1 "$mutant/tests" | tr '\n' ' ')" \
	    "notices, $(($(date +%s) - start)) s"
}

# Takes the next that nobody has taken.
lane()
{
	for mutant in "$work"/table/*; do
		mkdir "$mutant/taken" 2>/dev/null || continue
		judge "$work/lane$1" "$mutant" >"$work/verdict$1" 2>&1
		cat "$work/verdict$1"
		if grep -aq '^not ok' "$work/verdict$1"; then
			: >"$work/bad"
		fi
	done
}

apply=0
[ "${1:-}" != -n ] || {
	apply=1
	shift
}
read_table || exit 1
if [ $# -gt 0 ]; then
	for mutant in "$work"/table/*; do
		case " $* " in
		*" $(cat "$mutant/name") "*)	;;
		*)	rm -rf "$mutant" ;;
		esac
	done
fi
n=$(find "$work/table" -mindepth 1 -maxdepth 1 | wc -l)
[ "$n" -gt 0 ] || {
	echo "no such mutant" >&2
	exit 64
}
mkdir -p "$sound"
cp -R Makefile src stub tests fuzz "$sound/"
if [ "$apply" = 1 ]; then
	cp -R "$sound" "$work/lane0"
	for mutant in "$work"/table/*; do
		edit "$work/lane0" "$mutant" || {
			echo "not ok - $(cat "$mutant/name")"
			: >"$work/bad"
		}
	done
	[ ! -e "$work/bad" ]
	exit
fi
build "$sound" all build/unit.stamp build/tools.stamp || exit 1
job=1
while [ "$job" -lt "$MUTANTS_JOBS" ]; do
	lane "$job" &
	job=$((job + 1))
done
lane 0
wait
echo "1..$n"
[ ! -e "$work/bad" ]
