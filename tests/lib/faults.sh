# Calls that fail, one after the other: what tests/state/fail.c preloads.
#
# shellcheck shell=sh disable=SC2034,SC2154

FAULTS=${JAILDAEMON%/*}/state/fail.so
denied=				# what starts a faulty daemon, if not itself

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
	[ "$_n" -gt 1 ] && return
	diag "$2 was not called"
	return 1
}

# calls_fail FUNCTION STEP DENSE NAME...: each_fault for each of these; in full
# without steps.
calls_fail() {
	_function=$1 _step=$2 _dense=$3
	shift 3
	[ "${JAILDAEMON_LONG:-0}" = 0 ] || _step=1
	for _c in "$@"; do
		! is_beyond_reach "$_c" || continue
		ok "$_c fails" each_fault "$_function" "$_c" "$_step" "$_dense"
		diag "$_c: $_n calls at most"
	done
}

# AddressSanitizer has a malloc(3) of its own.
is_beyond_reach() {
	case $1 in
	malloc | calloc | realloc)
		grep -q __asan_init "$JAILDAEMON" ;;
	*)
		false ;;
	esac
}

# in_words: the status is one of sysexits(3), with one line.
in_words() {
	[ "$_rc" -ge 64 ] && [ "$_rc" -le 78 ] &&
	    [ "$(lines <"$T/fault.err")" -eq 1 ] && return
	diag "status $_rc"
	diag_file "$T/fault.err"
	return 1
}

# order WORD...: what the calls do from now on, see state/fail.c.
order() {
	echo "$@" >"$D/fail.new"
	mv "$D/fail.new" "$D/fail"
}

# no_order: what still waits for its turn to fail, $_left, does not any more.
no_order() {
	_left=$(cat "$D/fail")
	: >"$D/fail"
}

# faulty_start FOLDER [OPTION...]: there, from now on; faulty_stop: after this and
# whatever else daemon_prepare did, as it was.
faulty_start() {
	daemon_dir "$1"
	shift
	daemon_prepare() {
		FAIL_FILE=$D/fail
		LD_PRELOAD=$FAULTS
		# What was freed is overwritten.
		MALLOC_PERTURB_=165
		export FAIL_FILE LD_PRELOAD MALLOC_PERTURB_
		JAILDAEMON=${denied:-$JAILDAEMON}
	}
	ok "a daemon whose calls can be made to fail" daemon_start "$@"
}

faulty_stop() {
	daemon_stop
	daemon_prepare() { :; }
	daemon_dir d
	daemon_start
}
