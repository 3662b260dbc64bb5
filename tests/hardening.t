#!/bin/sh
# How the binaries were built: what a mistake in them could not become.
# shellcheck source=lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

: "${JAILDAEMON:=$(dirname "$0")/../build/jaildaemon}"
stub=$(dirname "$JAILDAEMON")/jailprobe

readelf -hldW "$JAILDAEMON" >"$T/elf" 2>&1
readelf --dyn-syms -W "$JAILDAEMON" >"$T/symbols" 2>&1
readelf -hlW "$stub" >"$T/stub" 2>&1

ok "PIE" grep -Eq 'Type: +DYN' "$T/elf"
ok "RELRO" grep -q GNU_RELRO "$T/elf"
ok "all symbols are bound at the start" grep -Eq 'BIND_NOW|FLAGS_1.*NOW' \
    "$T/elf"
nok "no executable stack" grep -Eq 'GNU_STACK.*E ' "$T/elf"
nok "nothing is writable and executable" grep -Eq 'LOAD.*RWE' "$T/elf"
ok "stack protector" grep -q __stack_chk_fail "$T/symbols"
ok "fortified calls" grep -Eq '__(v?snprintf|read|memcpy|strlcpy)_chk' \
    "$T/symbols"
nok "no search path for libraries" grep -Eq 'RPATH|RUNPATH' "$T/elf"

# Whether the whole program is marked depends on the system's start-up files,
# which Debian's are not; what is ours is.
marked() {
	for _object in "$(dirname "$JAILDAEMON")"/obj/*.o; do
		readelf -nW "$_object" | grep -q "$1" || {
			echo "$_object is not marked $1"
			return 1
		}
	done
}
case $(uname -m) in
x86_64)
	ok "indirect branches are tracked" marked IBT
	ok "shadow stack" marked SHSTK
	ok "the stub's file is of one page" test "$(wc -c <"$stub")" -le 4096 ;;
aarch64)
	ok "branch targets are checked" marked BTI
	ok "return addresses are signed" marked PAC ;;
esac
ok "the stub needs no loader" grep -Eq 'Type: +EXEC' "$T/stub"
nok "nor an interpreter" grep -q INTERP "$T/stub"
nok "nothing in it is writable and executable" grep -Eq 'LOAD.*RWE' "$T/stub"
nok "its stack is not executable" grep -Eq 'GNU_STACK.*E ' "$T/stub"
is "$(grep -c ' LOAD ' "$T/stub")" 1 "it is one segment"
ok "of one page" test "$(($(awk '$1 == "LOAD" { print $6 }' "$T/stub")))" \
    -le 4096
done_testing
