#!/bin/sh
# The jails that the other tests use: every kind comes up, does what they
# count on, and goes without a trace.  Needs no daemon.
#
# shellcheck disable=SC1091,SC2016,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

in_jail() {
	jail_exec a test -e /init
}

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(jail_kinds)
for kind in "$@"; do
	tap_group=$kind
	lack=$(jail_missing "$kind")
	if [ -n "$lack" ]; then
		skip "no $lack"
		continue
	fi
	if ! jail_start "$kind" a || ! jail_start "$kind" b; then
		fail "starts"
		jail_cleanup
		continue
	fi
	pass "starts"
	pid=$(jail_pid a)
	ok "lives" jail_alive a
	like "$(jail_id a)" "^([a-z]+:$JAIL_RUN-a|$JAIL_RUN-a|[0-9]+)$" "has an id"
	is "$(jail_exec a id -u)" 0 "root runs a command"
	is "$(jail_exec_as 1000 a id -u) $(jail_exec_as 1000 a id -g)" \
	    "1000 1000" "so does uid 1000"
	is "$(jail_exec a sh -c 'exit 7'; echo $?)" 7 "status comes back"
	ok "a console opens" jail_console a
	is "$(jail_exec a id -u)" 0 "root's, too"
	is "$(jail_exec a sh -c "exit 7"; echo $?)" 7 "its status comes back"
	odd="it's \"odd\"  \$x \\ %s "'`y`'
	is "$(jail_exec a printf '%s|%s|' "$odd" "")" "$odd||" "odd words arrive"
	(jail_exec b sleep 1234 || :) 2>/dev/null &
	ok "pgrep sees a process" \
	    wait_for 5 jail_exec b pgrep -x -f "sleep 1234"
	nok "but not the other jail's" jail_exec a pgrep -x -f "sleep 1234"
	ok "uid 1000 may not end it" \
	    not jail_exec_as 1000 b pkill -x -f "sleep 1234"
	ok "root may" jail_exec b pkill -x -f "sleep 1234"
	wait $! 2>/dev/null
	if [ "$JAIL_OS" = Linux ]; then
		case $kind in
		*-userns)
			is "$(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map")" \
			    "0 $JAIL_SUBID 65536" "uids are mapped" ;;
		*)
			is "$(readlink "/proc/$pid/ns/user")" \
			    "$(readlink "/proc/$$/ns/user")" "no user namespace" ;;
		esac
		for ns in pid mnt ipc uts; do
			ok "another $ns namespace" jail_other_ns "$pid" "$ns"
		done
		nok "another root" test "/proc/$pid/root/" -ef /
	fi
	jail_end a
	ok "ends" wait_for 10 not jail_alive a
	jail_stop a
	ok "the other one lives on" jail_alive b
	jail_cleanup
	is "$(jail_leftovers)" "" "nothing is left"
done

done_testing
