# recipe.sh - the recipes of docs/cookbook.md, which $BOOK names: a block of
# the file has its name behind the language, as in "```sh NAME"
#
# shellcheck shell=sh disable=SC2154

# recipes: their names.
recipes() {
	sed -n 's/^```[a-z][a-z]* \([a-z].*\)$/\1/p' "$BOOK"
}

# recipe_text NAME: as it stands there.
recipe_text() {
	awk -v name="$1" '
	    /^```/ && inside { exit }
	    inside { print; lines++ }
	    /^```/ && $2 == name { inside = 1 }
	    END { exit lines == 0 }
	' "$BOOK"
}
