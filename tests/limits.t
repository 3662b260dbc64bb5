#!/bin/sh
# The limits of an action, and what its probe's title tells of its runs.
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317,SC3045

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/verbs.sh"

# -- limits ----------------------------------------------------------------

# Five at a time, since each needs more than ten seconds.
t_timeout() {
	arm a OBEYS "trap 'echo term >>$M/obeys; exit 3' TERM
	    echo start >>$M/obeys; while [ -d $M ]; do sleep 0.1; done" -r -T 3
	arm a IGNORES "trap '' TERM; echo \$\$ >$M/ignores
	    while [ -d $M ]; do sleep 0.1; done" -r -T 3
	# A process in a group of its own that ignores it, and one that does not.
	arm a GROUP "timeout 1000 sleep 1000 & echo \$! >$M/group
	    timeout 1000 sh -c 'trap \"\" TERM; echo \$\$ >$M/stubborn
	    while [ -d $M ]; do sleep 0.1; done' &
	    echo \$\$ >$M/shell; wait" -r -T 3
	arm a BACKGROUND "sleep 1000 & echo \$! >$M/background" -r -T 3
	arm a IN_TIME "sleep 4; echo end >>$M/in.time" -r -T 60
	_obeys=$(verb list -J -t OBEYS | field id)
	_ignores=$(verb list -J -t IGNORES | field id)
	_group=$(verb list -J -t GROUP | field id)
	_before=$(metric 'jaildaemon_runs_total{result="timeout"}')
	# The one that is looked at first comes last.
	for _i in OBEYS IGNORES BACKGROUND IN_TIME GROUP; do
		fire a "$_i"
	done
	ok "they run" wait_for 5 test -s "$M/obeys" -a -s "$M/ignores" \
	    -a -s "$M/group" -a -s "$M/stubborn" -a -s "$M/background"
	read -r _p_group <"$M/group"
	read -r _p_stubborn <"$M/stubborn"
	read -r _p_shell <"$M/shell"
	read -r _p_background <"$M/background"
	read -r _p_ignores <"$M/ignores"
	is "$(session "$_p_group") $(session "$_p_stubborn")" \
	    "$_p_shell $_p_shell" "one session"
	[ "$JAIL_OS" != Linux ] || ok "several process groups" \
	    test "$(ps -o pgid= -p "$_p_group")" -ne "$_p_shell"
	ok "TERM comes after three seconds" wait_for 10 marked obeys 2
	ok "log: so it is" log_has "event=run-timeout id=$_obeys\$"
	ok "who obeys ends as it likes" wait_for 5 item_is "$_obeys" last_status 3
	ok "a run that does not care" wait_for 5 item_is "$_group" last_signal 15
	ok "the session's other groups hear it, too" \
	    wait_for 5 not alive "$_p_group"
	ok "who ignores it lives" alive "$_p_ignores"
	ok "in any group" alive "$_p_stubborn"
	# The next run of an action is none of the first's business.
	ok "the probe of what has ended is back" wait_for 5 probe_pid a GROUP
	ok "until the KILL" wait_for 20 item_is "$_ignores" last_signal 9
	_ms=$(item "$_ignores" | field last_ms)
	ok "ten seconds later" test "$_ms" -ge 13000 -a "$_ms" -lt 18000
	nok "it is gone" alive "$_p_ignores"
	ok "what the shell left behind is gone as well" \
	    wait_for 5 not alive "$_p_stubborn"
	ok "a process of a run that ended in time is left alone" \
	    alive "$_p_background"
	kill "$_p_background"
	is "$(tr '\n' ' ' <"$M/obeys")" "start term " \
	    "who obeyed was not hit twice"
	is "$(cat "$M/in.time")" end "who was in time was not hit"
	unlike "$(verb list -J -t IN_TIME)" '"last_signal"' "at all"
	is "$(($(metric 'jaildaemon_runs_total{result="timeout"}') - _before))" \
	    3 "metrics: three timed out"
	verb disarm -j "$JID" >/dev/null
}

session() {
	case $JAIL_OS in
	Linux)	ps -o sid= -p "$1" ;;
	*)	procstat -h "$1" | awk '{ print $4 }' ;;
	esac | tr -d ' '
}

t_interval() {
	_id=$(arm_id a INTERVAL "echo x >>$M/interval" -r -i 6)
	is "$(item "$_id" | field interval)" 6 "list shows it"
	_then=$(now_s)
	fire a INTERVAL
	ok "the command runs" wait_for 5 marked interval 1
	ok "it has ended" wait_for 5 item_is "$_id" last_status 0
	ok "the probe stays away" item_is "$_id" state resting
	nok "there is nobody to signal" fire a INTERVAL
	ok "and comes back" wait_for 15 probe_pid a INTERVAL
	ok "after six seconds" test $(($(now_s) - _then)) -ge 6
	fire a INTERVAL
	ok "it works again" wait_for 5 marked interval 2
	_id=$(arm_id a INTERVAL_R "$(waiting interval.r)" -R -i 5)
	_then=$(now_s)
	fire a INTERVAL_R
	ok "-R: the command runs" wait_for 5 marked interval.r 1
	is "$(item "$_id" | field state)" resting "without a probe beside it"
	ok "for the interval" wait_for 15 probe_pid a INTERVAL_R
	ok "of five seconds" test $(($(now_s) - _then)) -ge 5
	is "$(item "$_id" | field runs)" 1 "while it runs"
	: >"$M/interval.r.go"
	verb disarm -j "$JID" >/dev/null
}

t_parallel() {
	_id=$(arm_id a PARALLEL "$(waiting parallel)" -R -L 2)
	is "$(item "$_id" | field parallel)" 2 "list shows it"
	fire a PARALLEL
	ok "one" wait_for 5 marked parallel 1
	trigger a PARALLEL
	ok "two at a time" wait_for 5 marked parallel 2
	nok "then there is no probe" wait_for 2 probe_pid a PARALLEL
	is "$(item "$_id" | field state)" resting "it rests"
	: >"$M/parallel.go"
	ok "until they have ended" wait_for 5 probe_pid a PARALLEL
	_n=$(arm_id a PARALLEL2 "echo x >>$M/parallel2; $(waiting parallel)" -R)
	is "$(item "$_n" | field parallel)" 64 "the default is 64"
	verb disarm -j "$JID" >/dev/null
}

# What arms the same finds the same; limits are part of it.
t_same() {
	_id=$(arm_id a SAME : -R -T 5 -L 3 -i 7 -s)
	is "$(arm_id a SAME : -R -T 5 -L 3 -i 7 -s)" "$_id" "the same again"
	_i=0
	for _o in "-T 6 -L 3 -i 7 -s" "-T 5 -L 4 -i 7 -s" "-T 5 -L 3 -i 8 -s" \
	    "-T 5 -L 3 -i 7" "-L 3 -i 7 -s" "-T 5 -i 7 -s" "-T 5 -L 3 -s"; do
		# shellcheck disable=SC2086
		_n=$(arm_id a SAME : -R $_o)
		ok "$_o is another" test "$_n" -gt "$((_id + _i))"
		_i=$((_i + 1))
	done
	is "$(verb list -J -t SAME | lines)" 8 "eight in all"
	like "$(item "$_id")" '"timeout":5,"parallel":3,"interval":7,"feedback":true' \
	    "list shows all limits"
	is "$(verb disarm -j "$JID" -t SAME)" "8 disarmed" "they go"
}

# in_jail TEXT: there is a probe of just that title, seen from the jail.
in_jail() {
	jail_exec a pgrep -x -f "jailprobe: $(ere "$1")"
}

t_feedback() {
	arm a TOLD "case \$(cat $M/told) in 1) exit 0 ;; 2) exit 7 ;;
	    esac; kill -USR1 \$\$" -r -s
	ok "before the first run it is the plain title" in_jail TOLD
	echo 1 >"$M/told"
	fire a TOLD
	ok "then it tells how that went" \
	    wait_for 5 in_jail 'TOLD [runs 1, last 0]'
	nok "the plain one is gone" in_jail TOLD
	echo 2 >"$M/told"
	fire a 'TOLD [runs 1, last 0]'
	ok "a status" wait_for 5 in_jail 'TOLD [runs 2, last 7]'
	echo 3 >"$M/told"
	ok "the anchored pattern works" \
	    jail_exec a pkill -HUP -f '^jailprobe: TOLD'
	ok "a signal" wait_for 5 \
	    in_jail "TOLD [runs 3, last signal $(kill -l USR1 2>/dev/null ||
	    case $JAIL_OS in Linux) echo 10 ;; *) echo 30 ;; esac)]"
	is "$(verb list -J -t TOLD | lines)" 1 "list has the plain title"
	verb disarm -j "$JID" >/dev/null

	# A loss is no run.
	arm a KEPT : -r -s
	fire a KEPT
	wait_for 5 in_jail 'KEPT [runs 1, last 0]'
	jail_exec a pkill -KILL -x jailprobe
	[ "$JAIL_OS" != Linux ] ||
	    ok "a lost probe comes back with what it had" \
	    wait_for 5 in_jail 'KEPT [runs 1, last 0]'
	verb disarm -j "$JID" >/dev/null

	jd -c : -j "$JID" -r -s
	jail_exec a pkill -HUP -x -f jailprobe
	ok "without a title" wait_for 5 in_jail '[runs 1, last 0]'
	_t=$(fill 1024 t)
	verb disarm -j "$JID" >/dev/null
	arm a "$_t" : -r -s
	fire a "$_t"
	ok "with the longest" wait_for 5 in_jail "$_t [runs 1, last 0]"
	verb disarm -j "$JID" >/dev/null
}

# --------------------------------------------------------------------------

[ $# -gt 0 ] || set -- timeout interval parallel same feedback
verbs_main "$@"
