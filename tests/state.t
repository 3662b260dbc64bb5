#!/bin/sh
# What survives the daemon: the journal, runs that go on, a daemon that is
# killed or restarted at any instant, a full disk.  JAILDAEMON_LONG=1: in
# full.
#
# shellcheck disable=SC1091,SC2119,SC2120,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/verbs.sh"
. "$here/lib/state.sh"
. "$here/lib/faults.sh"

CHAOS=${JAILDAEMON%/*}/state/chaos

# -- actions ---------------------------------------------------------------

t_actions() {
	arm j NEVER "echo x >>$M/never"
	arm j AFTER "echo x >>$M/after" -r -T 100 -i 1 -s
	arm j NOW "echo x >>$M/now" -R -L 3 -u 7 -g 8
	arm j GONE ":"
	_list=$(jd_list)
	ok "disarm" "$JAILDAEMON" disarm -f "$D/sock" "$(id_of GONE)"
	fire j NOW
	ok "a run" wait_for 10 marked now 1
	wait_for 10 is_state NOW armed
	ok "restart" again
	ok "all are back" wait_for 10 is_state NEVER armed
	wait_for 10 is_state AFTER armed
	wait_for 10 is_state NOW armed
	is "$(listed)" 3 "and no other"
	is "$(jd_list -t AFTER | sed 's/"pid":[0-9]*,//')" \
	    "$(printf '%s\n' "$_list" | grep '"AFTER"' |
	    sed 's/"pid":[0-9]*,//')" "as they were"
	like "$(jd_list -t NOW)" '"runs":1,' "with their counts"
	is "$(probes j)" 3 "one probe each"
	ok "killed" daemon_kill9
	ok "its probes go" wait_for 5 no_probes j
	ok "started" daemon_start
	ok "all are back" wait_for 10 is_state NEVER armed
	wait_for 10 is_state AFTER armed
	wait_for 10 is_state NOW armed
	is "$(probes j)" 3 "one probe each"
	ok "a HUP" fire j NEVER
	ok "runs the command" wait_for 10 marked never 1
	wait_for 10 not is_state NEVER armed
	again
	wait_for 10 is_state NOW armed
	is "$(jd_list -t NEVER)" "" "a single shot that fired is not"
	is "$(mark never)" 1 "nor does it run again"
	_id=$(jd -v -c : -j "$(jail_id j)" -t NEXT)
	ok "ids are not used again" [ "$_id" -gt 4 ]
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	again
	is "$(listed)" 0 "what was disarmed is not"
}

# -- runs ------------------------------------------------------------------

t_runs() {
	arm j SLOW "echo begin; $(waiting slow.run); echo end
	    echo x >>$M/slow" -r
	fire j SLOW
	wait_for 10 is_state SLOW running
	again
	is "$(state_of SLOW)" running "a run goes on, and its probe is away"
	: >"$M/slow.run.go"
	ok "until it has ended" wait_for 10 is_state SLOW armed
	is "$(mark slow)" 1 "once"
	ok "its output is logged" log_has "event=output id=.* text=\"end\""
	like "$("$JAILDAEMON" output -f "$D/sock" "$(id_of SLOW)")" '^begin' \
	    "and kept"
	ok "its status is not known" log_has "event=run-end.*status=unknown"
	again
	like "$("$JAILDAEMON" output -f "$D/sock" "$(id_of SLOW)")" '^begin' \
	    "kept still"
	arm j LIMIT "trap '' TERM; sleep 60" -r -T 5
	fire j LIMIT
	wait_for 10 is_state LIMIT running
	daemon_kill9
	daemon_start
	ok "a time limit goes on" wait_for 10 log_has event=run-timeout
	ok "to its end" wait_for 20 is_state LIMIT armed
	arm j WHILE "sleep 2; echo x >>$M/while" -r
	fire j WHILE
	wait_for 10 is_state WHILE running
	daemon_kill9
	ok "a run ends while no daemon is there" wait_for 10 marked while 1
	daemon_start
	ok "and is noticed" wait_for 10 is_state WHILE armed
	is "$(mark while)" 1 "and not run again"
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	wait_for 10 lists_nothing
	disarmed_runs
}

# What was disarmed gets no probe any more, but its runs are not left alone.
disarmed_runs() {
	_command="echo begin; $(waiting left.run); echo end
	    echo x >>$M/left"
	arm j LEFT "$_command" -r
	_id=$(id_of LEFT)
	fire j LEFT
	wait_for 10 is_state LEFT running
	arm j LEFT2 "trap '' TERM; sleep 60" -R -T 6
	fire j LEFT2
	wait_for 10 running_of LEFT2
	disarm_title LEFT
	disarm_title LEFT2
	again
	is "$(state_of LEFT)" ending "a run of what was disarmed goes on"
	daemon_kill9
	daemon_start
	is "$(state_of LEFT)" ending "over another daemon"
	is "$(state_of LEFT2)" ending "and one with a limit"
	is "$(probes j)" 0 "without a probe"
	arm j LEFT "$_command" -r
	is "$(jd_list -t LEFT | field state | sort | tr '\n' ' ')" \
	    "armed ending " "an equal one is another"
	disarm_title LEFT
	wait_for 10 is_state LEFT ending
	: >"$M/left.run.go"
	ok "it ends" wait_for 10 is_state LEFT ""
	ok "its output is logged" \
	    log_has "event=output id=$_id text=\"end\""
	is "$(mark left)" 1 "it ran once"
	ok "the limit strikes" wait_for 10 log_has event=run-timeout
	ok "to its end" wait_for 20 lists_nothing
	disarmed_owed
}

# A HUP that came before the disarming, and a daemon that was killed right then.
disarmed_owed() {
	arm j LAST "$(waiting last.run); echo x >>$M/last" -R
	_id=$(id_of LAST)
	fire j LAST
	wait_for 10 running_of LAST
	disarm_title LAST
	ok "no probe is left" wait_for 10 no_probes j
	daemon_kill9
	append_trigger "$_id" 2
	daemon_start
	ok "an owed one starts" wait_for 10 marked last.run 2
	is "$(state_of LAST)" ending "no probe comes"
	again
	is "$(state_of LAST)" ending "nor later"
	: >"$M/last.run.go"
	ok "both go on to their end" wait_for 10 lists_nothing
	is "$(mark last) $(mark last.run)" "2 2" "and ran once each"
}

running_of() {
	[ "$(jd_list -t "$1" | field runs)" = 1 ]
}

# -- two that are equal ----------------------------------------------------

twins_are() {
	[ "$(jd_list -t TWIN | field state | sort | tr '\n' ' ')" = "$1" ]
}

t_twins() {
	arm j TWIN "$(waiting twin)"
	fire j TWIN
	ok "a single shot runs" wait_for 10 twins_are "ending "
	arm j TWIN "$(waiting twin)"
	ok "an equal one is armed" twins_are "armed ending "
	again
	ok "both are in the next daemon" wait_for 10 twins_are "armed ending "
	arm j TWIN "$(waiting twin)"
	ok "armed once more: it is there already" twins_are "armed ending "
	: >"$M/twin.go"
	ok "the first ends" wait_for 10 twins_are "armed "
	fire j TWIN
	ok "the second, too" wait_for 10 twins_are ""
	is "$(mark twin)" 2 "each has run"
	arm j TWIN "$(waiting twin)" -r
	arm j TWIN "$(waiting twin)" -r
	ok "what is equal is still one" twins_are "armed "
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	ok "and goes" wait_for 10 twins_are ""
}

# -- rules -----------------------------------------------------------------

t_rules() {
	echo "-j '$(jail_name j)' -t RULE -r -c :" >"$D/conf"
	again -C "$D/conf"
	tell_started j >/dev/null
	ok "a rule" wait_for 10 is_state RULE armed
	mv "$D/conf" "$D/conf.kept"
	: >"$D/conf"
	verb reload
	ok "is out of the file" wait_for 10 not is_state RULE armed
	daemon_kill9
	mv "$D/conf.kept" "$D/conf"
	daemon_start -C "$D/conf"
	ok "put back while no daemon was there: armed" \
	    wait_for 10 is_state RULE armed
	: >"$D/conf"
	again -C "$D/conf"
	ok "taken out then: gone" wait_for 10 not is_state RULE armed
	again
}

# -- jails -----------------------------------------------------------------

t_jails() {
	jail_start "$kind" k
	arm k OTHER : -r
	arm k TAKEN : -r
	arm j MINE : -r
	_id=$(id_of TAKEN)
	"$JAILDAEMON" disarm -f "$D/sock" "$_id" >/dev/null
	daemon_kill9
	# As if it had been killed before the probe's end.
	sed "/\"record\":\"end\",\"id\":$_id}/d" "$D/state/journal" >"$T/over"
	cp "$T/over" "$D/state/journal"
	jail_stop k
	jail_start "$kind" k
	daemon_start
	ok "a jail that ended meanwhile" wait_for 5 log_has \
	    "event=jail-ended id=.*OTHER.*while no daemon"
	nok "nothing is said of what had gone before" log_has TAKEN.*while
	ok "does not keep the others" wait_for 10 is_state MINE armed
	is "$(listed)" 1 "and is not listed"
	is "$(probes k)" 0 "nor is there a probe in the one that has its name now"
	arm k ENDER "echo begin; echo x >>$M/ender; sleep 60" -r -T 15
	fire k ENDER
	ok "a run" wait_for 10 marked ender 1
	daemon_stop
	jail_stop k
	daemon_start
	is "$(state_of ENDER)" ending "outlives its jail and the daemon"
	daemon_stop
	daemon_start
	is "$(state_of ENDER)" ending "and another daemon"
	ok "until its limit" wait_for 30 log_has event=run-timeout
	ok "and its end" wait_for 10 log_has "event=run-end.*status=unknown"
	ok "its output is logged" \
	    wait_for 5 log_has "event=output id=.* text=\"begin\""
	ok "then nothing is left of it" wait_for 5 not is_state ENDER ending
	is "$(mark ender)" 1 "it ran once"
	jail_start "$kind" k
	arm k KNOWN "$(waiting known)" -R
	fire k KNOWN
	ok "a run" wait_for 10 marked known 1
	# FreeBSD: seen by a probe's end, and after 15 s.
	wait_for 10 is_state KNOWN armed
	jail_stop k
	ok "whose jail ends" wait_for 30 is_state KNOWN ending
	daemon_kill9
	daemon_start
	is "$(state_of KNOWN)" ending "goes on"
	nok "its jail's end was told when it ended" log_has KNOWN.*while
	: >"$M/known.go"
	ok "then nothing is left of it" wait_for 10 is_state KNOWN ""
	jail_start "$kind" k
	arm k OWED "echo \$JAILDAEMON_TITLE >>$M/owed" -r
	arm k OWED1 "echo \$JAILDAEMON_TITLE >>$M/owed"
	daemon_kill9
	# What a daemon leaves that was killed right after two triggers.
	append_trigger "$(journal_id OWED)" 1
	append_trigger "$(journal_id OWED1)" 1
	jail_stop k
	daemon_start
	ok "owed runs of a jail that has ended" wait_for 10 marked owed 2
	is "$(sort "$M/owed" | tr '\n' ' ')" "OWED OWED1 " "each of them"
	ok "then nothing is left" wait_for 10 are_listed 1
	daemon_stop
	daemon_start
	is "$(mark owed)" 2 "nor do they run again"
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
}

# -- many -------------------------------------------------------------------

armed_now() {
	"$JAILDAEMON" metrics -f "$D/sock" |
	    sed -n 's/^jaildaemon_actions{state="armed"} //p'
}

are_armed() {
	[ "$(armed_now)" -ge "$1" ]
}

# What the probes show: "PID TITLE".
shown() {
	ps -axww -o pid= -o args= |
	    sed -n -e 's/ (jailprobe)$//' \
	    -e 's/^ *\([0-9]*\) jailprobe: \(M[0-9]*\) *$/\1 \2/p' | sort
}

# FreeBSD's date(1) knows whole seconds.
now_ms() {
	case $JAIL_OS in
	Linux)	date +%s%3N ;;
	*)	date +%s000 ;;
	esac
}

# 10,000 are back within 5 s on two processors that have nothing else to do; in
# short only that they come back.  What it took to arm them, one after the other,
# tells how fast this machine is.
t_many() {
	_n=1000 _limit=30
	if [ "${JAILDAEMON_LONG:-0}" = 1 ]; then
		_n=10000 _limit=5
	fi
	[ "$JAIL_OS" = FreeBSD ] || _where="\"pid\":$(jail_pid j)"
	[ "$JAIL_OS" = Linux ] || _where="\"jail\":\"$(jail_id j)\""
	_start=$(date +%s)
	awk -v n="$_n" -v where="$_where" 'BEGIN {
		for (i = 1; i <= n; i++)
			printf "{\"v\":1,\"verb\":\"arm\",%s,\"title\":" \
			    "\"M%d\",\"command\":\":\",\"respawn\":\"after\"}\n",
			    where, i
	}' | talk >"$T/many"
	is "$(grep -c '"ok":true' "$T/many")" "$_n" "$_n actions"
	diag "$_n actions armed after $(($(date +%s) - _start)) s"
	daemon_kill9
	_start=$(now_ms)
	daemon_start
	ok "who arms one of them need not wait for all" arm j "M$_n" : -r
	ok "it is there" fire j "M$_n"
	ok "and works" wait_for 10 log_has event=trigger
	ok "are armed again" wait_for 60 are_armed "$_n"
	_took=$(($(now_ms) - _start))
	diag "$_n actions back after $_took ms"
	ok "soon" [ "$_took" -le "$((_limit * 1000))" ]
	is "$(listed)" "$_n" "each once"
	jd_list | probes_titles | sort >"$T/shall"
	shown >"$T/is"
	is "$(lines <"$T/shall")" "$_n" "with a probe"
	ok "that shows its title" cmp "$T/shall" "$T/is"
	is "$("$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" |
	    tr -dc 0-9)" "$_n" "and go together"
	ok "to the last" wait_for 60 lists_nothing
}

# -- damage ----------------------------------------------------------------

t_damage() {
	arm j ONE : -r
	arm j TWO : -r
	daemon_stop
	ok "the file is the daemon's alone" [ "$(find "$D/state/journal" \
	    -perm 0600)" ]
	printf '{"v":1,"record":"end","id":' >>"$D/state/journal"
	daemon_start
	ok "a torn last line is dropped" log_has event=journal-torn
	ok "and the rest holds" wait_for 10 is_state TWO armed
	is "$(listed)" 2 "all of it"
	# Of actions and of runs that it does not know, and of one twice.
	fire j ONE
	wait_for 10 [ "$(jd_list -t ONE | grep -c '"last_at"')" -eq 1 ]
	wait_for 10 is_state ONE armed
	daemon_stop
	journal | grep -E '"record":"(end|trigger|run|ran)"' >"$T/odd"
	is "$(sed 's/.*"record":"\([a-z]*\)".*/\1/' "$T/odd" | sort -u |
	    tr '\n' ' ')" "ran run trigger " "a journal with a run"
	{
		journal
		sed 's/"id":[0-9]*/"id":999/' "$T/odd"
		printf '{"v":1,"record":"end","id":999}\n'
		sed -n '/"record":"run"/s/"run":[0-9]*/"run":77/p' "$T/odd"
		journal | grep '"title":"TWO"'
	} >"$T/with-odd"
	cp "$T/with-odd" "$D/state/journal"
	daemon_start
	ok "records of what is not there" wait_for 10 is_state TWO armed
	is "$(listed) $(log_count journal-)" "2 0" "are passed over"
	daemon_kill9
	cp "$D/state/journal" "$T/before"
	printf '{"v":1,"record":"over","id":%s}\n' "$(journal_id ONE)" \
	    >>"$D/state/journal"
	daemon_start
	ok "killed within a disarming" wait_for 10 is_state TWO armed
	is "$(listed)" 1 "what is over is no more"
	daemon_stop
	cp "$T/before" "$D/state/journal"
	daemon_start
	ok "as it was" wait_for 10 is_state ONE armed
	daemon_stop
	cp "$D/state/journal" "$T/whole"
	# What comes behind it is true, and not to be believed.
	printf 'rubbish\n{"v":1,"record":"end","id":%s}\n' \
	    "$(journal_id ONE)" >>"$D/state/journal"
	cp "$D/state/journal" "$T/damaged"
	daemon_start
	ok "damage stops the reading" log_has "event=journal-damaged line="
	ok "at the last good line" wait_for 10 is_state TWO armed
	is "$(listed)" 2 "what is before it holds"
	ok "the file is kept" cmp "$D"/state/journal.damaged-* "$T/damaged"
	daemon_stop
	rm -f "$D"/state/journal.damaged-*
	sed '1s/"v":1/"v":9/' "$T/whole" >"$D/state/journal"
	ok "an unknown version is refused" refused 65 version -D -d \
	    -f "$D/sock" -p "$D/pid" -S "$D/state"
	like "$(journal | head -n 1)" '"v":9' "and left as it is"
	sed '1s/"boot":"[^"]*"/"boot":"another"/' "$T/whole" \
	    >"$D/state/journal"
	daemon_start
	is "$(listed)" 0 "another boot's is not used"
	ok "which is said" log_has event=journal-empty
	daemon_stop
	: >"$D/state/journal"
	ok "an empty file is no damage" daemon_start
	is "$(log_count journal-)" 0 "nor worth a word"
	nok "nothing waits for a disk" grep -rE 'f(data)?sync *\(|O_D?SYNC' \
	    "$here/../src"
}

# -- the format ------------------------------------------------------------

# What daemons before this one have written: see state/journal-1.  What is of the
# boot and the jail is taken from a journal of today.
t_format() {
	echo "-j 'jdtest-*-j' -t RULE -c :" >"$D/conf"
	again -C "$D/conf"
	tell_started j >/dev/null
	wait_for 10 is_state RULE armed
	fire j RULE
	wait_for 10 is_state RULE ""
	daemon_stop
	_boot=$(journal | sed -n 's/.*"boot":"\([^"]*\)".*/\1/p')
	_where=$(journal |
	    sed -n 's/.*"id":[0-9]*,\("jid":.*\),"title":"RULE".*/\1/p')
	sed -e "s/@BOOT@/$_boot/" -e "s/@WHERE@/$_where/" -e "s|@MARKS@|$M|" \
	    "$here/state/journal-1" >"$T/old"
	nok "a journal of this boot and jail" grep @ "$T/old"
	cat "$T/old" >"$D/state/journal"
	daemon_start -C "$D/conf"
	ok "is read" wait_for 10 is_state FULL armed
	is "$(log_count journal-)" 0 "without a word"
	like "$(jd_list -t FULL)" "\"command\":\"echo x\",\"respawn\":\"now\",\
\"uid\":7,\"gid\":8,\"timeout\":100,\"parallel\":3,\"interval\":1,\
\"feedback\":true," "an action is as it was"
	like "$(jd_list -t FULL)" '"runs":1,"last_status":3,"last_ms":12,' \
	    "with its last run"
	like "$(jd_list -t LOST)" '"runs":4,"last_ms":7,' "known or not"
	is "$(state_of GONE)" "" "what is gone is not there"
	ok "a HUP that came before the end of all is owed" \
	    wait_for 10 marked format 1
	ok "and that is all of it" wait_for 10 is_state OVER ""
	is "$(state_of RULE)" "" "a single shot of the file does not come back"
	is "$(jd -v -c : -j "$(jail_id j)" -t NEXT)" 9 "numbers go on"
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null
	again
}

# -- a full disk -----------------------------------------------------------

# small_disk FOLDER: for the daemon that is started there.
small_disk() {
	daemon_dir "$1"
	mkdir "$D/state" &&
	    mount -t tmpfs -o size=64k,mode=700 none "$D/state"
}

fill_disk() {
	dd if=/dev/zero of="$D/state/ballast" bs=1k count=64 2>/dev/null
}

t_full() {
	small_disk full || return
	: >"$D/conf"
	ok "a daemon on a small disk" daemon_start -C "$D/conf"
	arm j BEFORE "echo x >>$M/before" -r
	tell_started j >/dev/null
	# Together their ends need more room than one that begins.
	for _i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		arm j "MANY$_i" :
	done
	fill_disk
	fill_journal
	ok "an action that cannot be saved" refused 75 'cannot be saved' \
	    -f "$D/sock" -c : -j "$(jail_pid j)" -t LATE
	ok "leaves no probe" wait_for 5 not is_state LATE armed
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >"$T/o" 2>&1
	is "$?" 75 "nor is anything disarmed"
	is "$(state_of BEFORE)" armed "it is still there"
	fire j BEFORE
	ok "a trigger counts all the same" wait_for 10 marked before 1
	echo "-j '$(jail_name j)' -t FILE -r -c 'echo x >>$M/file'" >"$D/conf"
	verb reload
	ok "so does an action of the file" wait_for 10 is_state FILE armed
	ok "which stays" stays 1 is_state FILE armed
	ok "but whoever asks for it is not told that it will" refused 75 \
	    'cannot be saved yet' -f "$D/sock" -c "echo x >>$M/file" \
	    -j "$(jail_pid j)" -t FILE -r
	fire j FILE
	ok "and works" wait_for 10 marked file 1
	rm "$D/state/ballast"
	ok "all is saved once there is room" wait_for 10 log_has \
	    'event=journal text="all is saved again"'
	ok "and things go on" arm j LATE :
	ok "so do requests for what the file has" \
	    arm j FILE "echo x >>$M/file" -r
	daemon_kill9
	daemon_start -C "$D/conf"
	ok "over a restart" wait_for 10 is_state LATE armed
	ok "the action of the file as well" wait_for 10 is_state FILE armed
	is "$(jd_list -t FILE | grep -c '"runs":1,')" 1 "the same one"
	is "$(mark before)" 1 "without a second run"
	full_for_one
	daemon_stop
	umount "$D/state"
	daemon_dir d
}

# What is left of the journal's last page.
fill_journal() {
	for _n in 2000 1000 500 250 100 50 20 10 5 1; do
		_i=0
		while arm j "FILL$_i" "$(head -c "$_n" /dev/zero |
		    tr '\0' :)"; do
			_i=$((_i + 1))
		done
	done 2>/dev/null
}

# There is room for a rule's record, but none for that of its action.
full_for_one() {
	make_room
	fill_disk
	echo "-j '$(jail_name j)' -t LONG -r -c ': $(fill 3000 x)'" >>"$D/conf"
	verb reload
	ok "a long action of the file" wait_for 10 is_state LONG armed
	is "$(journal | grep -c '"LONG"')" 0 "has no room"
	daemon_kill9
	rm "$D/state/ballast"
	daemon_start -C "$D/conf"
	ok "and is not forgotten" wait_for 10 is_state LONG armed
	full_restart
}

# From 1000 to 2800 bytes in the journal's last page.
make_room() {
	_i=0
	while _room=$((4096 - $(wc -c <"$D/state/journal") % 4096)) &&
	    { [ "$_room" -lt 1000 ] || [ "$_room" -gt 2800 ]; } &&
	    [ "$_i" -lt 50 ]; do
		_i=$((_i + 1))
		arm j "ROOM$_i" ": $(fill 300 x)"
	done
}

# The next daemon finds no room to write it anew.
full_restart() {
	make_room
	fill_disk
	daemon_kill9
	printf '{"v":1,"rec' >>"$D/state/journal"
	ok "a daemon starts on a full disk" daemon_start -C "$D/conf"
	ok "log: it is behind" wait_for 5 log_has event=journal-behind
	ok "what has room is armed, and saved" arm j FITS :
	daemon_kill9
	rm "$D/state/ballast"
	daemon_start -C "$D/conf"
	ok "it is there" wait_for 10 is_state FITS armed
	is "$(find "$D/state" -name 'journal.damaged*')" "" "nothing is damaged"
	full_of_output
}

full_of_output() {
	arm j HOG "head -c 1000000 /dev/zero; $(waiting hog)"
	arm j EATER : -r
	fire j HOG
	ok "a command fills the disk" wait_for 10 marked hog 1
	fill_journal
	fire j EATER
	ok "the journal is behind" wait_for 5 not all_is_saved
	: >"$M/hog.go"
	ok "when it has ended all is saved" wait_for 20 all_is_saved
	ok "and things go on" arm j LATER :
}

# -- an end that cannot be mended -------------------------------------------

# The disk takes a part of a record, and does not give it back.
t_broken() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_stop
	small_disk broken || return
	faulty_start broken
	arm j KEPT : -r
	make_room
	fill_disk
	echo "ftruncate 1" >"$D/fail"
	ok "a record of which a part stays" refused 75 'cannot be saved' \
	    -f "$D/sock" -c ": $(fill 3000 x)" -j "$(jail_pid j)"
	is "$(tail -c 1 "$D/state/journal")" x "in the journal"
	ok "log: it is behind" wait_for 5 log_has event=journal-behind
	ok "nothing is appended to that" refused 75 'cannot be saved' \
	    -f "$D/sock" -c : -j "$(jail_pid j)"
	daemon_kill9
	daemon_start
	ok "killed: what was whole is there" wait_for 10 is_state KEPT armed
	ok "and the rest is dropped" log_has event=journal-torn
	rm "$D/state/ballast"
	ok "all is saved once there is room" wait_for 10 log_has \
	    'event=journal text="all is saved again"'
	make_room
	fill_disk
	echo "ftruncate 1" >"$D/fail"
	ok "once more" refused 75 'cannot be saved' \
	    -f "$D/sock" -c ": $(fill 3000 x)" -j "$(jail_pid j)"
	rm "$D/state/ballast"
	ok "with room it is written anew" wait_for 10 all_is_saved
	ok "and things go on" arm j AFTER : -r
	daemon_kill9
	daemon_start
	ok "over a restart" wait_for 10 is_state AFTER armed
	ok "with all that was there" wait_for 10 is_state KEPT armed
	is "$(log_count journal-)" 0 "undamaged"
	daemon_stop
	umount "$D/state"
	daemon_prepare() { :; }
	daemon_dir d
	daemon_start
}

# -- nothing saved ---------------------------------------------------------

t_none() {
	daemon_dir none
	(cd "$D" && "$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S none)
	ok "-S none" "$JAILDAEMON" -f "$D/sock" -c "echo out; echo x >>$M/none" \
	    -j "$(jail_pid j)" -t NONE -r -v
	fire j NONE
	ok "runs" wait_for 10 marked none 1
	"$JAILDAEMON" output -f "$D/sock" 1 >"$T/o" 2>&1
	is "$?" 66 "no output is kept"
	is "$(find /tmp -maxdepth 1 -name 'jaildaemon.*')" "" \
	    "no file is left elsewhere"
	is "$(find "$D" -mindepth 1 -name '*.out' -o -mindepth 1 -name journal \
	    -o -mindepth 1 -name none)" "" \
	    "nothing is written"
	kill "$(cat "$D/pid")"
	ok "ends" wait_for 10 [ ! -e "$D/sock" ]
	(cd "$D" && "$JAILDAEMON" -D -f "$D/sock" -p "$D/pid" -S none)
	is "$(listed)" 0 "and nothing comes back"
	kill "$(cat "$D/pid")"
	wait_for 10 [ ! -e "$D/sock" ]
	# The last -S counts.
	daemon_start -S none
	arm j NONE "echo out; echo err >&2; echo x >>$M/none2" -r
	fire j NONE
	ok "what a run prints is logged" wait_for 10 log_has \
	    'event=output id=1 text="out"'
	ok "all of it" wait_for 10 log_has 'event=output id=1 text="err"'
	nok "and not kept" verb output 1
	nok "nowhere" test -e "$D/state"
	daemon_stop
	daemon_dir d
}

# -- compaction ------------------------------------------------------------

t_long() {
	_i=0
	while [ "$_i" -lt 40 ]; do
		arm j "T$_i" "$(head -c 30000 /dev/zero | tr '\0' ':')"
		disarm_title "T$_i"
		_i=$((_i + 1))
	done
	arm j LAST :
	wait_for 5 short_journal
	ok "what is no more true does not stay" short_journal
	again
	is "$(listed)" 1 "and what is does"
}

short_journal() {
	[ "$(wc -c <"$D/state/journal")" -lt 400000 ]
}

# -- no process for a command ----------------------------------------------

# For some time no process can be made.  A trigger that was accepted waits, over
# restarts, too, and runs its command once.
t_owed() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_stop
	faulty_start owed
	owed_hups first
	sleep 1.5
	is "$(mark first)" 0 "none has run"
	clones_work
	ok "then each runs" wait_for 10 owed_all_ran first
	ok "and is armed again" wait_for 10 is_state owed-AFTER armed
	owed_hups second
	daemon_kill9
	ok "killed: another daemon, which has none either" daemon_start
	sleep 1.5
	is "$(mark second)" 0 "none has run there"
	daemon_kill9
	clones_work
	ok "killed: a daemon that has" daemon_start
	ok "each runs there" wait_for 10 owed_all_ran second
	wait_for 10 is_state owed-AFTER armed
	owed_hups third
	daemon_stop
	clones_work
	ok "stopped: a daemon" daemon_start
	ok "each runs there, too" wait_for 10 owed_all_ran third
	owed_hups fourth
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null 2>&1
	daemon_kill9
	daemon_start
	daemon_kill9
	clones_work
	ok "disarmed and killed, twice: a daemon" daemon_start
	ok "each runs there, too" wait_for 10 owed_all_ran fourth
	ok "then nothing is left" wait_for 10 lists_nothing
	sleep 1.5
	is "$(mark first) $(mark second) $(mark third) $(mark fourth)" \
	    "3 3 3 3" "and but once"
	is "$(log_count 'event=bug')" 0 "nor is there a mistake"
	faulty_stop
}

clones_work() {
	order
}

# owed_hups FILE: one of each kind, whose commands leave a line there each.
owed_hups() {
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid j)" >/dev/null 2>&1
	arm j owed-NEVER "echo x >>$M/$1"
	arm j owed-AFTER "echo x >>$M/$1" -r
	arm j owed-NOW "echo x >>$M/$1" -R
	_delayed=$(log_count event=run-delayed)
	order clone 1 on
	for _t in NEVER AFTER NOW; do
		ok "$1: a HUP for owed-$_t" fire j "owed-$_t"
	done
	ok "$1: is accepted" wait_for 5 delayed "$((_delayed + 3))"
}

delayed() {
	[ "$(log_count event=run-delayed)" -ge "$1" ]
}

owed_all_ran() {
	[ "$(mark "$1")" -eq 3 ]
}

# -- the clock ------------------------------------------------------------

# The real clock jumps, the monotonic one does not.
set_clock() {
	echo "$1" >"$D/clock.new"
	mv "$D/clock.new" "$D/clock"
}

# back_in_time TITLE: armed again after its interval of 6 s, not much later.
back_in_time() {
	wait_for 10 is_state "$1" armed
}

t_clock() {
	[ "$JAIL_OS" = Linux ] || return
	daemon_stop
	daemon_dir clock
	set_clock +0d
	_fake=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
	daemon_prepare() {
		LD_PRELOAD=$_fake
		FAKETIME_TIMESTAMP_FILE=$D/clock
		FAKETIME_NO_CACHE=1
		FAKETIME_DONT_FAKE_MONOTONIC=1
		export LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE \
		    FAKETIME_DONT_FAKE_MONOTONIC
	}
	ok "a daemon with a clock of its own" daemon_start
	arm j EVERY "echo x >>$M/every" -r -i 6
	arm j LIMIT "sleep 60" -r -T 4
	fire j LIMIT
	fire j EVERY
	ok "an action rests" wait_for 5 is_state EVERY resting
	set_clock -400d
	arm j LATE : -r
	like "$(jd_list -t LATE | field armed_at)" \
	    "^$(date -u -d '400 days ago' +%Y-%m)" "the clock goes back"
	ok "no longer than it would" back_in_time EVERY
	fire j EVERY
	set_clock +400d
	wait_for 5 marked every 2
	nok "the clock goes forward: no earlier either" is_state EVERY armed
	ok "but in time" back_in_time EVERY
	ok "a time limit strikes" wait_for 10 log_has event=run-timeout
	wait_for 5 is_state LIMIT armed
	like "$(jd_list -t LIMIT | field last_ms)" '^[4-6][0-9][0-9][0-9]$' \
	    "when it is due"
	fire j EVERY
	wait_for 5 marked every 3
	daemon_kill9
	daemon_start
	is "$(state_of EVERY)" resting "a restart is no reason to be early"
	ok "or late" back_in_time EVERY
	fire j EVERY
	fire j LIMIT
	wait_for 5 marked every 4
	daemon_kill9
	set_clock -400d
	daemon_start
	ok "back while no daemon is there" back_in_time EVERY
	ok "the time limit of a run" wait_for 10 is_state LIMIT armed
	like "$(jd_list -t LIMIT | field last_ms)" '^[4-7][0-9][0-9][0-9]$' \
	    "holds"
	fire j EVERY
	wait_for 5 marked every 5
	fire j LIMIT
	wait_for 5 is_state LIMIT running
	daemon_stop
	set_clock +800d
	daemon_start
	is "$(state_of LIMIT)" running "forward while no daemon is there"
	ok "no earlier and no later" back_in_time EVERY
	ok "nor is the time limit" wait_for 10 is_state LIMIT armed
	like "$(jd_list -t LIMIT | field last_ms)" '^[4-7][0-9][0-9][0-9]$' \
	    "which holds"
	is "$(mark every)" 5 "each HUP ran once"
	is "$(log_count 'event=bug')" 0 "without a mistake"
	faulty_stop
}

# -- at any instant --------------------------------------------------------

chaos() {
	_d=$T/chaos-$1
	mkdir -m 755 "$_d"
	timeout "$2" "$CHAOS" "$1" "$JAILDAEMON" "$_d" "$(jail_pid j)" \
	    "$3" "$4" >"$T/chaos.out" 2>&1
	_rc=$?
	! grep -E 'event=(journal-damaged|journal-behind|bug)' "$_d/log" ||
	    _rc=1
	[ "$_rc" -eq 0 ] || tail -n 5 "$_d/log"
	return "$_rc"
}

# chaos_ok DESCRIPTION KIND SECONDS ARGUMENT...: with the counts that it reached.
chaos_ok() {
	_what=$1
	shift
	ok "$_what" chaos "$@"
	diag_file "$T/chaos.out"
}

t_kill() {
	if [ "${JAILDAEMON_LONG:-0}" = 1 ]; then
		chaos_ok "killed 1,000 times" kill 1200 1000 "$$"
	else
		chaos_ok "killed 60 times" kill 300 60 "$$"
	fi
}

t_upgrade() {
	if [ "${JAILDAEMON_LONG:-0}" = 1 ]; then
		chaos_ok "10,000 HUPs across 100 restarts" \
		    upgrade 600 100 10000
	else
		chaos_ok "500 HUPs across 10 restarts" upgrade 300 10 500
	fi
}

# Memory and descriptors are flat.
t_soak() {
	if [ "${JAILDAEMON_LONG:-0}" = 1 ]; then
		chaos_ok "30 minutes of random work" soak 2400 1800 "$$"
	else
		chaos_ok "20 seconds of random work" soak 120 20 "$$"
	fi
}

jail_start "$kind" j
daemon_dir d
daemon_start
[ $# -gt 0 ] || set -- actions runs twins rules jails many damage format full broken none \
    long owed clock kill upgrade soak
# shellcheck disable=SC2048 # words
for tap_group in $*; do
	"t_$tap_group"
done
tap_group=
ok "the daemon ends in order" daemon_stop
no_confession
jail_stop j
done_testing
