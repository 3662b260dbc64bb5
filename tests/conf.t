#!/bin/sh
# The file of actions: jaildaemon check, over the files in tests/conf and with
# files that somebody else could have written.  Needs neither root nor jails.
#
# shellcheck source=lib/tap.sh disable=SC2016,SC2317
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/tap.sh"

: "${JAILDAEMON:=$here/../build/jaildaemon}"

# Whoever shall run it can: the sources may lie where others may not go.
cp "$JAILDAEMON" "$T/jaildaemon"
cp "$here"/conf/*.conf "$T"
chmod 755 "$T"
chmod 644 "$T"/*.conf
cd "$T" || exit 1

# check [OPTION...]: leaves its status, its output and what it says.
check() {
	status=0
	timeout 60 ./jaildaemon check "$@" >out 2>err </dev/null || status=$?
}

# refused STATUS ERE OPTION...: with one line that is like ERE, and no other.
refused() {
	_want=$1 _ere=$2
	shift 2
	check "$@"
	said "$_want" "$_ere"
}

said() {
	echo "status $status, wanted $1"
	cat out err
	[ "$status" -eq "$1" ] && [ ! -s out ] &&
	    [ "$(wc -l <err)" -eq 1 ] && grep -Eq -e "$2" err
}

accepted() {
	check "$@"
	echo "status $status"
	cat err
	[ "$status" -eq 0 ] && [ ! -s err ]
}

# -- what was expected, to the letter ---------------------------------------

normal() {
	accepted -C "$1.conf" && diff "$here/conf/$1.out" out
}

reads_the_same() {
	cp "$here/conf/$1.out" again.conf
	accepted -C again.conf && diff "$here/conf/$1.out" out
}

wrong() {
	refused 78 . -C "$1.conf" && diff "$here/conf/$1.err" err
}

for f in "$here"/conf/*.conf; do
	name=${f##*/}
	name=${name%.conf}
	if [ -e "$here/conf/$name.err" ]; then
		ok "$name: refused" wrong "$name"
	else
		ok "$name: accepted" normal "$name"
		ok "$name: its normal form reads the same" \
		    reads_the_same "$name"
	fi
done

# -- the manual's examples, which are files ----------------------------------

# As they are printed: the escapes of mdoc that stand in them are undone.
awk '
/^\.Sh/ { here = $2 == "EXAMPLES" }
here && /^\.Bd -literal/ { n++; next }
here && n && !/^\./ {
	gsub(/\\&/, "")
	gsub(/\\e/, "\\")
	print > ("manual" n ".conf")
}' "$here/../man/jaildaemon.conf.5"
ok "the manual has an example for FreeBSD" grep -q "service jail" manual1.conf
ok "and one for Linux" grep -q "docker:" manual2.conf
for f in manual*.conf; do
	ok "${f%.conf} is accepted" accepted -C "$f"
	is "$(grep -c '^-j' out)" 3 "with all its actions"
done

# -- what is no text, or an engine's ----------------------------------------

# bytes STATUS ERE FORMAT: a file that printf(1) makes.
bytes() {
	# shellcheck disable=SC2059 # a format it is
	printf -- "$3" >bytes.conf
	refused "$1" "$2" -C bytes.conf
}

ok "CR LF" bytes 78 '^bytes.conf:2: a carriage return, expected lines' \
    '# one\n-j a -c b\r\n'
ok "NUL" bytes 78 '^bytes.conf:2: the control character .x00, expected' \
    '\n-j a -c b\000c\n'
ok "an escape" bytes 78 '^bytes.conf:1: the control character .x1b, expected' \
    '-j a -c "\033[2J"\n'
ok "no UTF-8" bytes 78 '^bytes.conf:3: the line is not valid UTF-8, expected' \
    '\n\n# \377\n'
ok "a byte order mark" bytes 78 '^bytes.conf:1: a byte order mark, expected' \
    '\357\273\277-j a -c b\n'
if [ "$(uname -s)" = Linux ]; then
	ok "an engine that is none" bytes 78 \
	    '^bytes.conf:1: -j: "dokcer" is no container engine: known are d' \
	    '-j dokcer:web -c b\n'
	ok "an engine without a jail" bytes 78 \
	    '^bytes.conf:1: -j: no jail behind "lxc:", expected a pattern' \
	    '-j lxc: -c b\n'
fi

# -- how much ---------------------------------------------------------------

awk 'BEGIN { for (i = 1; i <= 10001; i++) print "-j a -c " i }' >10001.conf
head -n 10000 10001.conf >10000.conf
ok "10,000 actions" accepted -C 10000.conf
ok "as many as there were" cmp 10000.conf out
ok "one more" refused 78 '^10001.conf:10001: .*at most 10000$' -C 10001.conf
awk 'BEGIN { for (i = 0; i < 16384; i++) printf "%1023s\n", "#" }' >size.conf
is "$(wc -c <size.conf | tr -d ' ')" 16777216 "a file of 16 MB"
ok "is accepted" accepted -C size.conf
echo >>size.conf
ok "one byte more is not" refused 78 \
    '^size.conf: the file has more than 16777216 bytes' -C size.conf
rm size.conf

# -- sh agrees --------------------------------------------------------------

# Words by chance (the same each time), each written in every way to quote;
# sh is given the lines as they are, and in their normal form.
awk '
function any(n) { return int(rand() * n) }
function plain() { return substr("abcXYZ089_./:=@%+,-", 1 + any(19), 1) }
function special() { return substr(" $`\"\\;&|<>()#*?[]~{}!^", 1 + any(22), 1) }
function piece(   c) {
	c = any(3) == 0 ? plain() : special()
	k = any(6)
	if (k == 0) return plain()
	if (k == 1) return "\\" c
	if (k == 2) return q c plain() special() q
	if (k == 3) return "\"\\" c plain() "\""
	if (k == 4) return c ~ /[$`"\\]/ ? "\"\\" c "\"" : "\"" c q "\""
	return any(2) ? "\\\n" : "a#"
}
BEGIN {
	srand(20130311)
	q = "\047"
	for (i = 0; i < 3000; i++) {
		w = plain()
		for (j = any(10); j >= 0; j--)
			w = w piece()
		print "-j a -t " i (any(2) ? " \\\n" : " ") "-c " w \
		    (any(4) == 0 ? " # comment" : "")
	}
}' >chance.conf
given() {
	sed 's/^-j a /given -j a /' "$1" >given.sh
	sh -c 'given() { printf "<%s>" "$@"; echo; }; set -f; . "$1"' \
	    sh ./given.sh
}
ok "3,000 lines by chance" accepted -C chance.conf
cp out normal.conf
given chance.conf >chance.words
given normal.conf >normal.words
is "$(wc -l <normal.words | tr -d ' ')" 3000 "sh reads as many"
ok "and reads the same words in them" cmp chance.words normal.words
ok "the normal form is its own" accepted -C normal.conf
ok "to the letter" cmp out normal.conf

# -- who could have written it ----------------------------------------------

mkdir safe
chmod 755 safe
echo "-j web -c date" >safe/f
chmod 644 safe/f
ok "a file of one's own" accepted -C safe/f
ok "by its whole path" accepted -C "$T/safe/f"
chmod 600 safe/f
ok "that nobody else reads" accepted -C safe/f

for mode in 620 602 622; do
	chmod "$mode" safe/f
	ok "a file of mode $mode" refused 77 \
	    "^safe/f: the file has uid $(id -u) and mode 0$mode, expected" \
	    -C safe/f
done
chmod 644 safe/f
for mode in 775 757 1777; do
	chmod "$mode" safe
	ok "a folder of mode $mode" refused 77 \
	    "^safe/f: its folder has uid $(id -u) and mode 0?$mode, expected" \
	    -C safe/f
done
chmod 755 safe

ln -s f safe/link
ok "a symbolic link" refused 77 \
    '^safe/link: the file is a symbolic link, expected the file' -C safe/link
ln -s nowhere safe/dangling
ok "that leads nowhere" refused 77 \
    '^safe/dangling: the file is a symbolic link' -C safe/dangling
ln -s safe folder
ok "a folder by a link" accepted -C folder/f
mkfifo safe/fifo
chmod 600 safe/fifo
ok "a FIFO" refused 77 '^safe/fifo: not a regular file, expected' \
    -C safe/fifo
mkdir safe/dir
ok "a folder" refused 77 '^safe/dir: not a regular file' -C safe/dir
ok "a folder, said so" refused 66 '^safe/dir/: the path of a folder' \
    -C safe/dir/
ok "no file" refused 66 \
    '^safe/none: the file does not exist, expected a file of actions$' \
    -C safe/none
ok "no folder" refused 66 '^none/f: its folder does not exist' -C none/f
ok "a file as its folder" refused 66 '^safe/f/g: its folder does not exist' \
    -C safe/f/g
ok "nothing in the root folder" refused 66 \
    '^/jaildaemon.no.conf: the file does not exist' -C /jaildaemon.no.conf
ok "a name with a newline" refused 66 '^a.nb: the file does not exist' -C 'a
b'

as_user() {
	case $(uname -s) in
	Linux)	setpriv --reuid 1000 --regid 1000 --clear-groups "$@" ;;
	*)	chroot -u 1000 -g 1000 -G 1000 / \
		    sh -c 'cd "$0" && exec "$@"' "$T" "$@" ;;
	esac
}

# by_user STATUS ERE FILE: what a user without rights is told.
by_user() {
	status=0
	as_user ./jaildaemon check -C "$3" >out 2>err </dev/null || status=$?
	if [ "$1" -ne 0 ]; then
		said "$1" "$2"
	else
		cat err
		[ "$status" -eq 0 ]
	fi
}

if [ "$(id -u)" -eq 0 ]; then
	chown 1000 safe/f
	ok "a user's file, by root" refused 77 \
	    'the file has uid 1000 and mode 0644, expected root or uid 0, ' \
	    -C safe/f
	ok "by that user" by_user 0 . safe/f
	chown 1001 safe/f
	ok "by another user" by_user 77 \
	    'the file has uid 1001 and mode 0644, expected root or uid 1000' \
	    safe/f
	chown 0 safe/f
	ok "root's file, by a user" by_user 0 . safe/f
	chown 1000 safe
	ok "root's file in a user's folder" refused 77 \
	    'its folder has uid 1000 and mode 0755, expected root or uid 0' \
	    -C safe/f
	ok "by that user" by_user 0 . safe/f
	chown 0 safe
	chmod 600 safe/f
	ok "root's alone" by_user 77 \
	    '^safe/f: the file cannot be opened: Permission denied$' safe/f
	chmod 644 safe/f
else
	chmod 0 safe/f
	ok "a file that may not be read" refused 77 \
	    '^safe/f: the file cannot be opened: Permission denied$' -C safe/f
	chmod 644 safe/f
fi

# -- the command line -------------------------------------------------------

cd safe || exit 1
mv ../jaildaemon .
ok "by its name alone" accepted -C f
is "$(cat out)" "-j web -c date" "what it prints"
ok "with the socket, as all verbs" accepted -f /nowhere -C f
ok "-C without a file" refused 64 '^jaildaemon: -C needs an argument' -C
ok "-C with nothing" refused 65 '^jaildaemon: -C: the file is empty' -C ''
ok "an operand" refused 64 '^jaildaemon: check: 1 operands' f
ok "another's option" refused 64 '^jaildaemon: check takes no -J' -J
if [ -e /dev/full ]; then
	status=0
	./jaildaemon check -C f >/dev/full 2>err || status=$?
	: >out
	ok "what cannot be written is said" said 74 'cannot be written'
fi
# Where nothing is, the default is named.
check
if [ "$status" -eq 66 ]; then
	like "$(cat err)" \
	    '^/.*/jaildaemon.conf: (the file|its folder) does not exist, ' \
	    "the default"
else
	unlike "$(cat err)" 'does not exist' "the default is there"
fi

done_testing
