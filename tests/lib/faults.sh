# Calls that fail, one after the other: what tests/state/fail.c preloads.
#
# shellcheck shell=sh disable=SC2034,SC2154

FAULTS=${JAILDAEMON%/*}/state/fail.so

# each_fault FUNCTION NAME STEP [DENSE]: from the first call to the last one,
# each of the first DENSE and every STEPth of the others.  The function is given
# the name and the number; where nothing was called so often it leaves $_left,
# what still waited to fail.
each_fault() {
	_n=1 _left=
	while [ -z "$_left" ]; do
		"$1" "$2" "$_n" || { diag "$2: at $_n"; return 1; }
		[ -n "$_left" ] || _n=$((_n + (_n < ${4:-0} ? 1 : $3)))
	done
	diag "$2: up to $_n"
	[ "$_n" -gt 1 ]
}

# in_words: the status is one of sysexits(3), with one line.
in_words() {
	[ "$_rc" -ge 64 ] && [ "$_rc" -le 78 ] &&
	    [ "$(lines <"$T/fault.err")" -eq 1 ] && return
	diag "status $_rc"
	diag_file "$T/fault.err"
	return 1
}
