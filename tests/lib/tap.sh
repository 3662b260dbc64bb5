# tap.sh - the Test Anything Protocol in a few functions of POSIX sh
#
# To be sourced first.  Makes the temporary folder $T (others may pass through
# it, not list it; mounts and containers go there) and removes it at the end,
# however the end comes: tap_atexit adds what must be undone before.
#
# shellcheck shell=sh

tap_count=0
tap_failed=0
tap_hooks=
tap_done=

# A C locale, so that tools speak as expected; commands under test that need
# another say so themselves.
LC_ALL=C
export LC_ALL
umask 022

# tap_atexit COMMAND: runs COMMAND (one word list, no quoting) at the end,
# the last one given first.
tap_atexit() {
	tap_hooks="$* ; $tap_hooks"
}

tap_finish() {
	_status=$?
	trap '' HUP INT TERM PIPE
	trap - EXIT
	eval "$tap_hooks"
	cd / && rm -rf "$T"
	if [ -z "$tap_done" ]; then
		printf 'Bail out! %s ended early, status %d\n' \
		    "${0##*/}" "$_status"
		[ "$_status" -ne 0 ] || _status=1
	fi
	exit "$_status"
}

# Paths of sockets are short: so is this one.
T=$(mktemp -d "${TMPDIR:-/tmp}/jdtest.XXXXXX") || exit 1
chmod 711 "$T"
trap tap_finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# diag TEXT...: lines for the human who reads.
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# diag_file FILE: what it holds, at most 40 lines.
diag_file() {
	[ ! -s "$1" ] || tail -n 40 "$1" | cut -c 1-400 | sed 's/^/# | /'
}

pass() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "${tap_group:+$tap_group: }$*"
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "${tap_group:+$tap_group: }$*"
}

# ok DESCRIPTION COMMAND...: passes if COMMAND succeeds.
ok() {
	_what=$1
	shift
	if "$@" >"$T/tap.out" 2>&1; then
		pass "$_what"
	else
		_rc=$?
		fail "$_what"
		printf '%s' "$*" | tr '\n' ' ' | cut -c 1-300 |
		    sed "s/^/# status $_rc of: /"
		echo
		diag_file "$T/tap.out"
	fi
}

# nok DESCRIPTION COMMAND...: passes if COMMAND fails.
nok() {
	_what=$1
	shift
	if "$@" >"$T/tap.out" 2>&1; then
		fail "$_what"
		diag "succeeded: $*"
		diag_file "$T/tap.out"
	else
		pass "$_what"
	fi
}

# is GOT WANTED DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3"
		diag "     got: $1"
		diag "expected: $2"
	fi
}

# like GOT ERE DESCRIPTION
like() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		pass "$3"
	else
		fail "$3"
		diag "  got: $1"
		diag "is not like: $2"
	fi
}

# unlike GOT ERE DESCRIPTION
unlike() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		fail "$3"
		diag "  got: $1"
		diag "is like: $2"
	else
		pass "$3"
	fi
}

# skip REASON: one test that could not run.  Where JAILDAEMON_NO_SKIP is 1 a
# test that did not run is a test that failed.
skip() {
	if [ "${JAILDAEMON_NO_SKIP:-0}" = 1 ]; then
		fail "skipped: $*"
	else
		tap_count=$((tap_count + 1))
		printf 'ok %d # SKIP %s\n' "$tap_count" "$*"
	fi
}

# done_testing: the plan, and the end of the script.
done_testing() {
	printf '1..%d\n' "$tap_count"
	tap_done=1
	[ "$tap_failed" -eq 0 ] || {
		diag "$tap_failed of $tap_count failed"
		exit 1
	}
	exit 0
}

# wait_for SECONDS COMMAND...: COMMAND again and again until it succeeds.
wait_for() {
	_tries=$(($1 * 50 + 1)) _end=
	shift
	until "$@" >/dev/null 2>&1; do
		_tries=$((_tries - 1))
		# Asking for the time costs as much as a try.
		case $_tries in
		*0)	[ -n "$_end" ] || _end=$(($(date +%s) + _tries / 50 + 2))
			[ "$(date +%s)" -lt "$_end" ] || return 1 ;;
		esac
		[ "$_tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# stays SECONDS COMMAND...: COMMAND succeeds all the time.
stays() {
	_tries=$(($1 * 20))
	shift
	while [ "$_tries" -ge 0 ]; do
		"$@" >/dev/null 2>&1 || return 1
		_tries=$((_tries - 1))
		sleep 0.05
	done
}

# settled COMMAND...: what it prints, once that stays the same.
settled() {
	_last='' _tries=20
	while _this=$("$@") && [ "$_this" != "$_last" ] && [ "$_tries" -gt 0 ]
	do
		_last=$_this _tries=$((_tries - 1))
		sleep 0.3
	done
	echo "$_this"
}

# lines: how many lines stdin has, without the blanks that wc may add.
lines() {
	_lines=0
	while read -r _line; do
		_lines=$((_lines + 1))
	done
	echo "$_lines"
}

# not COMMAND...
not() {
	! "$@"
}

# alive PID: is there such a process that has not ended?  A zombie has.
alive() {
	_state=$(ps -o stat= -p "$1" 2>/dev/null) || return 1
	case $_state in
	''|Z*)	return 1 ;;
	esac
}
