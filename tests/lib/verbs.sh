# verbs.sh - what the tests of the verbs share: verbs.t, limits.t, rules.t
#
# The daemon has the file of actions $D/conf; the jails are a and b, $JID is
# a's number.  To be sourced after setup.sh.
#
# shellcheck shell=sh disable=SC2034,SC2154,SC2317,SC3045

case $JAIL_OS in
Linux)	kind=unshare ;;
*)	kind=freebsd ;;
esac

# verb WORD [OPTION...]: the utility, speaking to the current daemon.
verb() {
	_verb=$1
	shift
	"$JAILDAEMON" "$_verb" -f "$D/sock" "$@"
}

# verb_refused STATUS ERE WORD [OPTION...]: see refused.
verb_refused() {
	_status=$1 _line=$2 _verb=$3
	shift 3
	refused "$_status" "$_line" "$_verb" -f "$D/sock" "$@"
}

# field KEY: that key's values of JSON lines, texts without their quotes.
field() {
	sed -n -e "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" \
	    -e "s/.*\"$1\":\([^\",}]*\)[,}].*/\1/p"
}

# item ID: the line of list for that action.
item() {
	verb list -J | grep "\"id\":$1,"
}

# item_is ID KEY VALUE
item_is() {
	[ "$(item "$1" | field "$2")" = "$3" ]
}

# has_no_item ID: it is over.
has_no_item() {
	! item "$1"
}

# metric NAME: its value, labels and all.
metric() {
	verb metrics | awk -v n="$1" '$1 == n { print $2 }'
}

# all_ids: of what is armed, in a line.
all_ids() {
	verb list -J | field id | tr '\n' ' '
}

# left: the same, once the ends of what was disarmed had their time to come:
# until then it is listed as ending.
left() {
	wait_for 30 lists_nothing
	all_ids
}

# arm_id NAME TITLE COMMAND [OPTION...]: arms, and prints the id.
arm_id() {
	arm "$@" -v
}

# trigger NAME TITLE: a HUP from the jail, where the probe may still be on its
# way.
trigger() {
	wait_for 20 fire "$1" "$2"
}

# talk: stdin to the daemon, its answer to stdout.
talk() {
	case $JAIL_OS in
	Linux)	socat -t 15 - "UNIX-CONNECT:$D/sock" ;;
	*)	nc -N -U "$D/sock" ;;
	esac 2>/dev/null
}

say() {
	printf '%s\n' "$1" | talk
}

# jq_ok FILE FILTER: true for each line of the file, of which there are some.
# Where there is no jq the file has been looked at by other means.
jq_ok() {
	[ "$JAIL_OS" = Linux ] || return 0
	[ -s "$1" ] && jq -es "all(.[]; $2)" "$1"
}

now_s() {
	date +%s
}

# connections: how many sockets the daemon has.
connections() {
	case $JAIL_OS in
	Linux)	find "/proc/$DPID/fd" -type l -lname "socket:*" | lines ;;
	*)	procstat -h -f "$DPID" | grep -c " UDS" ;;
	esac
}

connections_are() {
	_are=$(connections)
	echo "$_are connections"
	[ "$_are" -eq "$1" ]
}

# wait_file FILE: until it is there, or the test is not any more.
wait_file() {
	while [ -d "$T" ] && [ ! -e "$1" ]; do
		sleep 0.05
	done
}

# A command that says when it starts and runs until $M/NAME.go is there.
waiting() {
	echo "echo start >>$M/$1
	    while [ -d $M ] && [ ! -e $M/$1.go ]; do sleep 0.05; done"
}

# tell_started NAME: that the jail has started.
tell_started() {
	case $JAIL_OS in
	Linux)	verb started "$(jail_name "$1")" "$(jail_pid "$1")" ;;
	*)	verb started "$(jail_name "$1")" ;;
	esac
}

# conf: stdin is the file of actions from now on.
conf() {
	cat >"$D/conf"
}

# where: how the wire names the jail a.
where() {
	case $JAIL_OS in
	Linux)	echo "\"pid\":$(jail_pid a)" ;;
	*)	echo "\"jail\":\"$(jail_name a)\"" ;;
	esac
}

fill() {
	head -c "$1" /dev/zero | tr '\0' "$2"
}

# verbs_main TEST...: the functions t_TEST, each with a daemon that runs.
verbs_main() {
	: >"$D/conf"
	if jail_start "$kind" a && jail_start "$kind" b &&
	    daemon_start -C "$D/conf"; then
		JID=$(jail_pid a)
		for t in "$@"; do
			verbs_test "$t"
		done
		tap_group=
		daemon_stop
		is "$?" 0 "the daemon ends in order"
		no_confession
	else
		fail "no jail, or no daemon"
	fi
	daemon_cleanup
	jail_cleanup
	is "$(jail_leftovers)" "" "nothing is left"
	done_testing
}

verbs_test() {
	tap_group=$1
	alive "$DPID" || daemon_start -C "$D/conf" ||
	    fail "no daemon for this test"
	_first=$(($(lines <"$D/log") + 1))
	_failed=$tap_failed
	"t_$1"
	[ "$tap_failed" -eq "$_failed" ] || {
		tail -n "+$_first" "$D/log" >"$T/diag.log"
		diag_file "$T/diag.log"
	}
	# Each begins with nothing armed.
	verb disarm -j "$JID" >/dev/null 2>&1
	verb disarm -j "$(jail_pid b)" >/dev/null 2>&1
}
