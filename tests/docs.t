#!/bin/sh
# What the texts have to name is read from the sources, and looked for.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BUILD:=build}"
: "${JAILDAEMON:=$BUILD/jaildaemon}"
count=0
bad=0

# report NUMBER WHAT: passes if there is nothing wrong.
report()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		bad=$((bad + 1))
		echo "not ok $count - $2"
	fi
}

# missing WHAT: reads words, and those that the command $found does not find
# are said.
missing()
{
	wrong=0
	seen=0
	while read -r word; do
		seen=$((seen + 1))
		"$found" "$word" || {
			echo "# missing: $word"
			wrong=$((wrong + 1))
		}
	done
	[ "$seen" -gt 0 ] || {
		echo "# nothing was looked for"
		wrong=1
	}
	return "$wrong"
}

man=man/jaildaemon.1
conf=man/jaildaemon.conf.5

# -- the manual: options and verbs --------------------------------------------

# The letters of the usage text: "-D", "[-rRsv]".
letters()
{
	"$JAILDAEMON" -h | tr ' [|]' '\n' | sed -n 's/^-\([A-Za-z]*\)$/\1/p' |
	    grep -o . | sort -u
}

is_option()
{
	grep -Eq -e "^\.(It |Op |Cm [a-z]+ .*)*Fl ([A-Za-z] \| )?$1( |\$)" $man
}
found=is_option
letters | missing
report $? "each option of the usage is in the manual"

in_usage()
{
	letters | grep -qx -e "$1"
}
found=in_usage
sed -n "s/^	{ '\([A-Za-z]\)', .*/\1/p" src/options.c | missing
report $? "each option of the table is in the usage"

is_verb()
{
	grep -Eq -e "^\.It .*Cm $1( |\$)" $man
}
found=is_verb
sed -n 's/^	{ "\([a-z]*\)", OPTIONS_.*/\1/p' src/options.c | missing
report $? "each verb is in the manual"

# What says what an action is, in the manual of the file.
is_of_action()
{
	grep -Eq -e "^\.It Fl $1( |\$)" $conf
}
found=is_of_action
awk -F "'" '/^	\{ .[A-Za-z].,/ { letter = $2 }
    /FOR_ACTION/ && letter != "" { print letter; letter = "" }' \
    src/options.c | missing
report $? "each option of an action is in the file's manual"

# -- the manual: the log and the wire -----------------------------------------

is_named()
{
	grep -Eq -e "^\.(It )?Li (.* )?$1( |\$)" $man
}

# OURS and LEFT are names that run.c gives; %s is one of two.
found=is_named
{
	sed -n 's/.*event=\([a-z][a-z-]*\).*/\1/p' src/*.c
	sed -n 's/^#define[[:space:]]*\(OURS\|LEFT\)[[:space:]]*"\(.*\)"/\2/p' \
	    src/run.c
	printf '%s\n' arm rearm refused untold
} | sort -u | missing
report $? "each event of the log is in the manual"

found=is_named
sed -n '/^static const struct key re[qp][a-z]*_keys/,/^};/p
/^static const struct key item_keys/,/^};/p' src/wire.c |
    sed -n 's/^	{ "\([a-z_]*\)", .*/\1/p' | sort -u | missing
report $? "each key of requests, replies and items is in the manual"

found=is_named
sed -n '/^} verbs\[\]/,/^};/s/^	{ "\([a-z]*\)", .*/\1/p' src/verb.c | missing
report $? "each verb of the protocol is in the manual"

is_state()
{
	grep -q -e "^\.It Li $1\$" $man
}
found=is_state
sed -n '/names\[LIFE_STATES\]/,/;/p' src/life.c | grep -o '"[a-z]*"' |
    tr -d '"' | grep -v -x ended | missing
report $? "each state that is shown is in the manual"

# -- the table of sources -------------------------------------------------------

# What stands in the left column under "The sources"; a name without a folder
# is in that of its predecessor.
table()
{
	sed -n '/^## The sources/,/^## /s/^| *\(`[^|]*\)|.*/\1/p' DESIGN.md |
	    tr ',' '\n' | tr -d '` ' | while read -r name; do
		case $name in
		*/*)	folder=${name%/*} ;;
		*)	name=$folder/$name ;;
		esac
		echo "$name"
	done
}

# A header goes with the source of its name.
in_table()
{
	table | grep -Fqx -e "$1" -e "${1%.h}.c"
}
found=in_table
for f in src/* stub/*; do
	echo "$f"
done | missing
report $? "each source is in DESIGN.md's table"

is_there()
{
	[ -e "$1" ]
}
found=is_there
table | missing
report $? "and what is in the table is there"

# -- links -------------------------------------------------------------------

found=is_there
for f in *.md docs/*.md; do
	folder=
	case $f in
	*/*)	folder=${f%/*}/ ;;
	esac
	grep -o '](\([^)]*\))' "$f" | sed 's/^](//; s/)$//; s/#.*//' |
	    grep -v -e '^$' -e '://' | sed "s,^,$folder,"
done | sort -u | missing
report $? "each link of the texts leads to a file"

echo "1..$count"
[ "$bad" -eq 0 ]
