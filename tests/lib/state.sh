# state.sh - what the daemon has and keeps: state.t, faults.t
#
# To be sourced after verbs.sh.
#
# shellcheck shell=sh disable=SC2154

journal() {
	cat "$D/state/journal"
}

# journal_id TITLE: the id of that action, while no daemon is there.
journal_id() {
	journal | sed -n "/\"title\":\"$1\"/s/.*\"id\":\([0-9]*\),.*/\1/p"
}

# append_trigger ID RUN: as a daemon leaves it that is killed right then.
append_trigger() {
	printf '{"v":1,"record":"trigger","id":%s,"run":%s,"at":"%s"}\n' \
	    "$1" "$2" "$(date -u +%FT%T.000Z)" >>"$D/state/journal"
}

# A daemon that goes on where the last one left off.
again() {
	daemon_stop && daemon_start "$@"
}

are_listed() {
	[ "$(listed)" -eq "$1" ]
}

listed() {
	jd_list | grep -c .
}

jd_list() {
	"$JAILDAEMON" list -f "$D/sock" -J "$@"
}

state_of() {
	jd_list -t "$1" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'
}

is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

id_of() {
	jd_list -t "$1" | sed -n 's/.*"id":\([0-9]*\),.*/\1/p'
}

disarm_title() {
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" -t "$1" >/dev/null
}

all_is_saved() {
	[ "$(log_count event=journal-behind)" -eq \
	    "$(log_count 'all is saved again')" ]
}
