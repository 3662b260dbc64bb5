#!/bin/sh
# What SECURITY.md says is shown by a test: the file exists, and reports under
# those words.
set -u
cd "$(dirname "$0")/.." || exit 1
n=0
failed=0

check()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# The file that has a test's words.
source_of()
{
	case $1 in
	fuzz/*)		echo "$1" ;;
	jails-\*.t)	echo tests/lib/cases.sh ;;
	*)		echo "tests/$1" ;;
	esac
}

# The last column of each row of the table, one test a line: the file in
# `...`, a colon, and then perhaps words in "...", with commas.
tests()
{
	sed -n '/^### Shown by a test/,/^##* [^S]/s/^| .* | \(`.*\) |$/\1/p' \
	    SECURITY.md | sed 's/; /\
/g'
}

# Rows without such a column, but for the two of the head.
rows=$(sed -n '/^### Shown by a test/,/^##* [^S]/p' SECURITY.md |
    grep -c '^| ')
named=$(sed -n '/^### Shown by a test/,/^##* [^S]/p' SECURITY.md |
    grep -cE '^[|] .* [|] `.*[`"] [|]$')
[ "$named" -gt 0 ] && [ "$rows" -eq $((named + 2)) ]
check $? "each attack names a test ($named of $((rows - 2)))"

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
tests | sort -u >"$out"
while IFS= read -r line; do
	file=$(printf '%s\n' "$line" | sed -n 's/^`\([^`]*\)`.*/\1/p')
	source=$(source_of "$file")
	[ -n "$file" ] && [ -f "$source" ]
	check $? "$file is there"
	printf '%s\n' "$line" | grep -o '"[^"]*"' | while IFS= read -r words; do
		words=${words#?}
		grep -Fq -e "${words%?}" "$source" || {
			echo "# it does not say: ${words%?}"
			exit 1
		}
	done
	check $? "$file says so: $(printf '%s\n' "$line" | cut -d : -f 2- |
	    cut -c 1-60)"
done <"$out"

# The table of who may trigger: its groups are the virtual machine's, and so
# are the containers in parentheses.
sed -n '/^## Who may trigger/,/^## What/s/^| .* | \([^|]*\) |$/\1/p' \
    SECURITY.md | grep -Ev '^(test|---|`.*)$' | sort -u >"$out"
[ "$(wc -l <"$out")" -gt 0 ]
check $? "who may trigger has tests"
while IFS= read -r line; do
	container=$(printf '%s\n' "$line" | sed -n 's/.*(\(.*\))$/\1/p')
	for group in $(printf '%s\n' "${line%% (*}" | tr ',' ' '); do
		sed -n "/^$group() {\$/,/^}\$/p" tests/vm/guest.sh |
		    grep -Eq "(_case|need_|^$group).*${container:-.}"
		check $? "who may trigger: $group${container:+ has $container}"
	done
done <"$out"

echo "1..$n"
exit $failed
