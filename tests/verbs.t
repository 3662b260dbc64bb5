#!/bin/sh
# Living with it: what is armed is seen, changed, tried, watched and counted.
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317,SC3045

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/verbs.sh"

# -- usage -----------------------------------------------------------------

t_usage() {
	ok "an unknown verb" refused 64 \
	    'unknown verb "restart": expected list, .* or follow' restart
	ok "one that nobody should see raw" refused 64 \
	    'unknown verb "a.x1b\[2J.nb"' "$(printf 'a\033[2J\nb')"
	ok "a verb behind an option" refused 64 '"list"' -f "$D/sock" list
	for _v in list disarm watch run output reload metrics started; do
		ok "$_v: an unknown option" verb_refused 64 'option "-Z"' "$_v" -Z
		ok "$_v: -D" verb_refused 64 "$_v takes no -D" "$_v" -D
		ok "$_v: -c" verb_refused 64 "$_v takes no -c" "$_v" -c :
		ok "$_v: -f without its value" refused 64 '-f needs' "$_v" -f
		_operand=$(operands "$_v")
		ok "$_v: a socket path that is too long" refused 65 'limit' \
		    "$_v" -f "/$(fill 120 s)" ${_operand:+"$_operand"}
	done
	ok "list: an operand" verb_refused 64 'list: 1 operands, expected' \
	    list 1
	ok "list: -u" verb_refused 64 'list takes no -u' list -u 0
	ok "list: an empty jail" verb_refused 65 '-j.*empty' list -j ''
	ok "list: an empty title" verb_refused 65 'title is empty' list -t ''
	ok "list: a jail with a control character" verb_refused 65 '-j.*UTF-8' \
	    list -j "$(printf 'a\tb')"
	ok "disarm: nothing" verb_refused 64 'expected either' disarm
	ok "disarm: both" verb_refused 64 'expected either' \
	    disarm -j "$JID" 1
	ok "disarm: only a title" verb_refused 64 'expected either' \
	    disarm -t X
	ok "disarm: ids and a title" verb_refused 64 '-t needs -j' \
	    disarm -t X 1
	ok "disarm: -J" verb_refused 64 'disarm takes no -J' disarm -J 1
	ok "watch: -j" verb_refused 64 'watch takes no -j' watch -j "$JID"
	ok "watch: an operand" verb_refused 64 'watch: 1 operands' watch x
	for _v in run output; do
		ok "$_v: nothing" verb_refused 64 \
		    "$_v: 0 operands, expected the id of an action" "$_v"
		ok "$_v: two" verb_refused 64 "$_v: 2 operands" "$_v" 1 2
	done
	for _v in reload metrics; do
		ok "$_v: an operand" verb_refused 64 "$_v: 1 operands" "$_v" x
		ok "$_v: -J" verb_refused 64 "$_v takes no -J" "$_v" -J
	done
	ok "started: nothing" verb_refused 64 'started: 0 operands' started
	ok "started: three" verb_refused 64 'started: 3 operands' \
	    started a b c
	for _i in 0 -1 +1 1x x '' ' 1' 1.5 0x1 9223372036854775808 \
	    99999999999999999999; do
		for _v in disarm run output; do
			ok "$_v: the id '$_i'" verb_refused 65 \
			    "\"$(ere "$_i")\" is no id" "$_v" -- "$_i"
		done
	done
	# shellcheck disable=SC2046
	ok "10,001 ids" verb_refused 65 '10001 ids are too many' \
	    disarm $(awk 'BEGIN { for (i = 1; i < 10002; i++) print i }')
	for _i in 0 -1 x '' 1.5 31536001 4294967297; do
		for _o in -T -i; do
			ok "$_o '$_i'" refused 65 \
			    "$_o: \"$(ere "$_i")\" is not a number from 1 to 31536000" \
			    -f "$D/sock" -c : -j "$JID" "$_o" "$_i"
		done
	done
	for _i in 0 -1 x '' 1025; do
		ok "-L '$_i'" refused 65 \
		    "-L: \"$(ere "$_i")\" is not a number from 1 to 1024" \
		    -f "$D/sock" -c : -j "$JID" -L "$_i"
	done
	for _v in list disarm watch run output reload check metrics started; do
		"$JAILDAEMON" "$_v" -h >"$T/h" 2>&1
		is "$? $(head -n 1 "$T/h" | cut -c 1-20)" \
		    "0 usage: jaildaemon -D" "$_v -h"
	done
	is "$(all_ids)" "" "nothing was armed by that"
}

# operands VERB: that it would take.
operands() {
	case $1 in
	disarm|run|output|started)	echo 1 ;;
	esac
}

t_no_daemon() {
	daemon_dir none
	for _v in list disarm watch run output reload metrics; do
		_operand=$(operands "$_v")
		ok "$_v" verb_refused 69 \
		    'no daemon at .*start one with .jaildaemon -D' \
		    "$_v" ${_operand:+"$_operand"}
	done
	daemon_dir d
}

# -- list ------------------------------------------------------------------

t_list() {
	is "$(verb list)" "ID  JAIL  STATE  RUNS  LAST  TITLE  COMMAND" \
	    "of nothing: the head"
	is "$(verb list -J)" "" "or nothing"
	_begin=$(now_s)
	_one=$(arm_id a "ONE \"and\" more" "echo one; exit 3" -r -u 1000 \
	    -g 1001 -T 60 -i 2)
	_two=$(arm_id a TWO "$(waiting list)" -R -L 3 -s)
	_three=$(jd -v -c "a command
of two lines" -j "$JID")
	is "$_one $_two $_three" "1 2 3" "ids"

	verb list >"$T/list"
	is "$(lines <"$T/list")" 4 "a line each and one for the head"
	like "$(sed -n 2p "$T/list")" \
	    '^1 +[^ ]+ +armed +0 +- +ONE \\"and\\" more +echo one; exit 3$' \
	    "a row"
	like "$(sed -n 4p "$T/list")" \
	    '^3 +[^ ]+ +armed +0 +- +- +a command\\nof two lines$' \
	    "a row without a title"
	is "$(cut -c 1-4 "$T/list" | tr '\n' '|')" "ID  |1   |2   |3   |" \
	    "in columns"

	verb list -J >"$T/list"
	is "$(field id <"$T/list" | tr '\n' ' ')" "1 2 3 " "-J: by id"
	like "$(sed -n 1p "$T/list")" \
	    "^\{.*\"jid\":$JID,.*\"state\":\"armed\",\"pid\":$(probe_pid a 'ONE "and" more'),\"title\":\"ONE .\"and.\" more\",\"command\":\"echo one; exit 3\",\"respawn\":\"after\",\"uid\":1000,\"gid\":1001,\"timeout\":60,\"parallel\":1,\"interval\":2,\"feedback\":false,\"file\":false,\"runs\":0,.*\}$" \
	    "all there is to say"
	like "$(sed -n 2p "$T/list")" \
	    '"respawn":"now","uid":0,"gid":0,"parallel":3,"feedback":true' \
	    "and of another"
	unlike "$(cat "$T/list")" '"last_|"engine"' "what is not known is not there"
	like "$(sed -n 3p "$T/list")" '"command":"a command\\nof two lines"' \
	    "a newline is escaped"
	like "$(field armed_at <"$T/list" | sed -n 2p)" \
	    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$' \
	    "times are of RFC 3339"
	ok "and are now" jq_ok "$T/list" \
	    "(.armed_at | sub(\"[.][0-9]+Z\$\"; \"Z\") | fromdate) |
	    . >= $_begin - 1 and . <= now"
	ok "each line is an object with keys of its types" jq_ok "$T/list" '
	    (.v, .id, .jid, .pid, .uid, .gid, .parallel, .runs |
	    type == "number") and (.command, .state, .respawn |
	    type == "string") and (.feedback, .file | type == "boolean")'

	fire a 'ONE "and" more'
	ok "a run counts" wait_for 5 item_is 1 last_status 3
	verb list -J >"$T/list"
	like "$(sed -n 1p "$T/list")" \
	    '"runs":1,"last_status":3,"last_ms":[0-9]+,"last_at":"[^"]*Z"' \
	    "its end is told"
	ok "with its time" jq_ok "$T/list" \
	    ".id != 1 or (.last_at | sub(\"[.][0-9]+Z\$\"; \"Z\") | fromdate |
	    . >= $_begin - 1 and . <= now)"
	like "$(verb list | sed -n 2p)" ' 1 +3, [0-9]+s ' "and in the table"
	fire a TWO
	ok "a run that goes on" wait_for 5 marked list 1
	like "$(item 2)" '"runs":1[,}]' "counts"
	unlike "$(item 2)" '"last_' "but has not ended"
	: >"$M/list.go"
	fire a jailprobe 2>/dev/null || jail_exec a pkill -HUP -x -f jailprobe
	ok "what is over is gone" wait_for 5 has_no_item 3
}

# What there is of it is left by t_list.
t_list_states() {
	_id=$(arm_id a STATES "$(waiting states); kill -9 \$\$" -r)
	fire a STATES
	ok "running" wait_for 5 item_is "$_id" state running
	unlike "$(item "$_id")" '"pid"' "has no probe"
	: >"$M/states.go"
	ok "a signal" wait_for 5 item_is "$_id" last_signal 9
	like "$(verb list | grep "^$_id ")" ' signal 9, [0-9]+s ' \
	    "in the table"
	ok "armed" wait_for 5 item_is "$_id" state armed
	is "$(item "$_id" | field pid)" "$(probe_pid a STATES)" \
	    "with a probe again"
	verb disarm "$_id" >/dev/null
}

# To whom it belongs: by number, name, and name with an engine.
t_list_choice() {
	verb disarm -j "$JID" >/dev/null 2>&1
	is "$(left)" "" "nothing from before"
	_jid_b=$(jail_pid b)
	arm a CHOICE :
	arm b CHOICE ":;"
	arm b OTHER :
	is "$(verb list -J -j "$JID" | field jid)" "$JID" "-j"
	is "$(verb list -j "$_jid_b" | lines)" 3 "of another"
	is "$(verb list -J -j "$_jid_b" -t OTHER | field title)" OTHER \
	    "-j and -t"
	is "$(verb list -J -t CHOICE | lines)" 2 "-t"
	is "$(verb list -J -t CHOIC)" "" "is not a part of it"
	is "$(verb list -J -t NONE; echo $?)" 0 "none is no error"
	case $JAIL_OS in
	FreeBSD)
		is "$(verb list -J -j 2147483646; echo $?)" 0 \
		    "nor is a jail of which the daemon knows nothing"
		is "$(verb list -J -j "$(jail_name b)" | lines)" 2 "by name"
		verb disarm -j "$(jail_name b)" >"$T/out"
		is "$(cat "$T/out")" "2 disarmed" "disarm by name"
		;;
	Linux)
		ok "no such process" verb_refused 68 . list -j 2147483646
		# As the utility does for names that an engine knows.
		for _e in ',"engine":"docker"' ',"engine":"lxc"' ''; do
			say "{\"v\":1,\"verb\":\"arm\",\"command\":\": ${#_e}\",$(where),\"jail\":\"web\",\"title\":\"NAMED\"$_e}"
		done >"$T/out"
		verb list -J -t NAMED >"$T/list"
		is "$(field jail <"$T/list" | tr '\n' ' ')" "web web web " \
		    "three of one name"
		is "$(field engine <"$T/list" | tr '\n' ' ')" "docker lxc " \
		    "two with an engine"
		is "$(verb list -J -j web | lines)" 3 "by name"
		is "$(verb list -J -j docker:web | field engine)" docker \
		    "by engine and name"
		is "$(verb list | grep -c ' docker:web  armed')" 1 \
		    "in the table"
		is "$(verb list -J -j docker:other)" "" "not by engine alone"
		ok "an unknown engine" verb_refused 65 noengine \
		    list -j noengine:web
		is "$(verb list -J -j "$JID" | lines)" 4 \
		    "by number it is the jail, whatever its name"
		is "$(verb disarm -j docker:web)" "1 disarmed" \
		    "disarm by engine and name"
		is "$(verb disarm -j web -t NAMED)" "2 disarmed" \
		    "disarm by name and title"
		# A name may look like a number.
		say "{\"v\":1,\"verb\":\"arm\",\"command\":\": 5\",$(where),\"jail\":\"$_jid_b\",\"title\":\"DIGITS\"}" \
		    >"$T/out"
		is "$(verb list -J -j "$_jid_b" | field title | tr '\n' ' ')" \
		    "CHOICE OTHER " "a number is a number"
		;;
	esac
	verb disarm -j "$JID" >/dev/null
	verb disarm -j "$_jid_b" >/dev/null
	is "$(left)" "" "nothing is left"
}

# width: of the longest line of stdin.
width() {
	awk '{ if (length > n) n = length } END { print n + 0 }'
}

# on_terminal COLUMNS: list on a terminal as wide.
on_terminal() {
	cat >"$T/tty.sh" <<-END
	unset COLUMNS
	stty cols $1
	exec $JAILDAEMON list -f $D/sock
	END
	case $JAIL_OS in
	Linux)	script -qec "sh $T/tty.sh" /dev/null ;;
	*)	script -q /dev/null sh "$T/tty.sh" ;;
	esac </dev/null | tr -d '\r\004\b' | sed 's/^^D//'
}

# columns NUMBER COMMAND...: not every sh exports to a function what stands
# before its name.
columns() (
	COLUMNS=$1
	export COLUMNS
	shift
	"$@"
)

t_list_width() {
	arm a "A TITLE THAT IS LONGER THAN MOST TITLES ARE" \
	    "echo $(fill 200 x)" -r
	arm a SHORT :
	is "$(verb list | grep -c "x~\$")" 0 "without a terminal nothing is cut"
	ok "it is as long as it is" test "$(verb list | width)" -gt 250
	for _i in 60 80 132 200; do
		columns "$_i" verb list >"$T/list"
		is "$(width <"$T/list")" "$_i" "COLUMNS=$_i"
		is "$(lines <"$T/list")" 3 "a line is a line"
		like "$(cat "$T/list")" 'x~$' "what is cut says so"
	done
	is "$(columns nonsense verb list | width)" "$(verb list | width)" \
	    "COLUMNS that is no number counts for nothing"
	for _i in 70 100; do
		is "$(on_terminal "$_i" | width)" "$_i" \
		    "on a terminal of $_i columns"
	done
	verb list -J >"$T/list"
	columns 60 verb list -J | cmp -s - "$T/list"
	is "$?" 0 "JSON is never cut"
	verb list >/dev/full 2>"$T/err"
	_rc=$?
	if [ -e /dev/full ]; then
		is "$_rc" 74 "a full disk"
		ok "is said" one_line_like "$T/err" 'cannot be written'
		verb list -J >/dev/full 2>"$T/err"
		is "$?" 74 "with -J as well"
	fi
	verb disarm -j "$JID" >/dev/null
}

# arm_many N: in one connection, each command 600 bytes.
arm_many() {
	awk -v n="$1" -v w="$(where)" -v c="$(fill 600 x)" 'BEGIN {
		for (i = 1; i <= n; i++)
			printf("{\"v\":1,\"verb\":\"arm\",%s,\"title\":\"M%d\"," \
			    "\"command\":\": %s\"}\n", w, i, c)
	}' | talk | grep -c '"ok":true'
}

# count: lines, quicker where there are many.
count() {
	wc -l | tr -d ' '
}

t_list_many() {
	case $JAIL_OS in
	Linux)	_n=2000 ;;
	*)	_n=300 ;;
	esac
	is "$(arm_many "$_n")" "$_n" "$_n actions are armed"
	is "$(verb list | count)" $((_n + 1)) "list has them all"
	verb list -J >"$T/list"
	is "$(field title <"$T/list" | sort -u | count)" "$_n" "and -J, each once"
	_base=$(connections)

	# Two that do not read: one for a while, one for too long.
	(
		verb list -J 2>"$T/stuck.err"
		echo $? >"$T/stuck.rc"
	) | {
		wait_file "$T/stuck.go"
		cat >"$T/stuck"
	} &
	_stuck=$!
	say '{"v":1,"verb":"list"}' | {
		wait_file "$T/slow.go"
		cat >"$T/slow"
	} &
	_slow=$!
	ok "two that do not read on" wait_for 5 connections_are $((_base + 2))
	_id=$(arm_id a LATE "echo x >>$M/late")
	like "$_id" '^[0-9]+$' "others are served meanwhile: arm"
	is "$(verb list -J -t LATE | field id)" "$_id" "list"
	is "$(verb disarm "$_id")" "1 disarmed" "disarm"
	_id=$(arm_id a LATER :)
	ok "none of that waited for them" test ! -s "$T/slow"
	: >"$T/slow.go"
	wait "$_slow"
	like "$(tail -n 1 "$T/slow")" '"ok":true,"count":[0-9]+' \
	    "who reads late gets the whole list"
	is "$(tail -n 1 "$T/slow" | field count)" \
	    "$(($(count <"$T/slow") - 1))" "and is told how long it is"
	is "$(field id <"$T/slow" | sort | uniq -d)" "" "nothing twice"
	is "$(grep -c "\"id\":$_id," "$T/slow")" 1 \
	    "it is made as it is read: what came meanwhile is in it"
	is "$(grep -c '"title":"LATE"' "$T/slow")" 0 "and what went is not"

	ok "who never reads is cut off" wait_for 20 connections_are "$_base"
	: >"$T/stuck.go"
	wait "$_stuck"
	ok "long before the end" test "$(count <"$T/stuck")" -lt "$_n"
	is "$(cat "$T/stuck.rc")" 76 "and knows that something is missing"
	ok "in words" one_line_like "$T/stuck.err" 'closed the connection'
	_left=$(verb list -J -j "$JID" | count)
	is "$(verb disarm -j "$JID")" "$_left disarmed" "all are disarmed"
	ok "their probes go" wait_for 30 no_probes a
	is "$(left)" "" "none is left"
}

# -- disarm ----------------------------------------------------------------

t_disarm() {
	_one=$(arm_id a DISARM "echo one >>$M/disarm")
	_two=$(arm_id a DISARM "echo two >>$M/disarm" -r)
	_three=$(arm_id a DISARM_3 "echo three >>$M/disarm" -R)
	ok "one unknown id" verb_refused 65 'no action has the id 999999$' \
	    disarm "$_one" 999999 "$_two"
	is "$(all_ids)" "$_one $_two $_three " "and nothing changes"
	is "$(probe_pid a DISARM | lines)" 2 "no probe"
	is "$(verb disarm "$_two")" "1 disarmed" "by id: it says how many"
	ok "the probe goes" wait_for 5 has_probes 1 DISARM
	ok "and the action" wait_for 5 has_no_item "$_two"
	is "$(all_ids)" "$_one $_three " "alone"
	ok "log: it is told" log_has "event=disarm id=$_two jid=$JID"
	ok "again it is unknown" verb_refused 65 "id $_two\$" disarm "$_two"
	_two=$(arm_id a DISARM "echo two >>$M/disarm" -r)
	is "$(verb disarm "$_one" "$_two" "$_one")" "2 disarmed" \
	    "several, and one of them twice"
	is "$(verb disarm -j "$JID" -t DISARM_3)" "1 disarmed" "by jail and title"
	ok "nothing matched: jail" verb_refused 68 'nothing is armed there' \
	    disarm -j "$JID"
	arm a DISARM_4 :
	ok "nothing matched: title" verb_refused 68 'nothing is armed there' \
	    disarm -j "$JID" -t DISARM
	ok "no such jail" verb_refused 68 . disarm -j 2147483646
	is "$(verb disarm -j "$JID")" "1 disarmed" "by jail"
	is "$(mark disarm)" 0 "no command was run by that"
	nok "nobody to signal" fire a DISARM

	# Only the next one is new: with the same words, but another id.
	_four=$(arm_id a DISARM "echo one >>$M/disarm")
	ok "it can be armed again" test "$_four" -gt "$_two"
	verb disarm "$_four" >/dev/null

	# What runs goes on, and the action with it.
	_id=$(arm_id a RUNS "$(waiting disarm.run); echo end >>$M/disarm.run" -r)
	fire a RUNS
	wait_for 5 marked disarm.run 1
	is "$(verb disarm "$_id")" "1 disarmed" "one that runs"
	is "$(item "$_id" | field state)" ending "comes to its end"
	ok "it cannot be disarmed twice" verb_refused 65 "id $_id\$" \
	    disarm "$_id"
	: >"$M/disarm.run.go"
	ok "the run is left alone" wait_for 5 marked disarm.run 2
	ok "and the action is gone" wait_for 5 has_no_item "$_id"
	nok "without a probe" probe_pid a RUNS

	# A HUP that waits, since the probe is stopped, came first.
	_id=$(arm_id a FIRST "echo x >>$M/first" -r)
	_p=$(probe_pid a FIRST)
	kill -STOP "$_p"
	wait_for 5 is_stopped "$_p"
	fire a FIRST
	is "$(mark first)" 0 "a HUP that waits"
	is "$(verb disarm "$_id")" "1 disarmed" "before the disarming"
	ok "counts" wait_for 5 marked first 1
	ok "once, and the probe does not come back" wait_for 5 has_no_item "$_id"
	is "$(mark first)" 1 "one run"
}

is_stopped() {
	ps -o stat= -p "$1" | grep -q '^T'
}

has_probes() {
	[ "$(probe_pid a "$2" | lines)" -eq "$1" ]
}

# -- watch -----------------------------------------------------------------

# watch_start NAME [OPTION]: what it prints is in $T/NAME.w, what it complains
# of in $T/NAME.we, its end in $T/NAME.wr.
watch_start() {
	_name=$1
	shift
	rm -f "$T/$_name".w*
	(
		"$JAILDAEMON" watch -f "$D/sock" "$@" >"$T/$_name.w" 2>"$T/$_name.we" &
		echo $! >"$T/$_name.wp"
		wait $!
		echo $? >"$T/$_name.wr"
	) 2>/dev/null &
	wait_for 20 poke "$_name"
}

# Something to see.
poke() {
	jd -c : -j "$JID" -t POKE
	verb disarm -j "$JID" -t POKE >/dev/null
	grep -q POKE "$T/$1.w"
}

watch_stop() {
	kill "$(cat "$T/$1.wp")"
	wait_for 5 test -e "$T/$1.wr"
}

# saw NAME ERE
saw() {
	grep -Eq -e "$2" "$T/$1.w"
}

# seen NAME TITLE: the events' names, in their order.
seen() {
	grep "\"title\":\"$2\"" "$T/$1.w" | field event | tr '\n' ' '
}

t_watch() {
	ok "watch" watch_start words
	ok "with -J" watch_start json -J
	_id=$(arm_id a WATCHED "echo x; exit 4" -r)
	_p=$(probe_pid a WATCHED)
	fire a WATCHED
	ok "triggered and finished" wait_for 5 saw json \
	    '"finished".*"title":"WATCHED"'
	trigger a WATCHED
	wait_for 5 item_is "$_id" runs 2
	wait_for 5 item_is "$_id" state armed
	jail_exec a pkill -KILL -x -f 'jailprobe: WATCHED'
	ok "lost" wait_for 5 saw json '"lost".*"title":"WATCHED"'
	verb disarm "$_id" >/dev/null
	ok "disarmed" wait_for 5 saw json '"disarmed".*"title":"WATCHED"'
	is "$(seen json WATCHED)" \
	    "armed triggered finished armed triggered finished armed lost disarmed " \
	    "in their order"
	ok "words say the same" wait_for 5 saw words ' disarmed .*WATCHED'
	is "$(grep WATCHED "$T/words.w" | cut -d ' ' -f 2 | tr '\n' ' ')" \
	    "$(seen json WATCHED)" "in the same order"
	_w='^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z'
	_j="id=$_id jid=$JID( jail=\"[^\"]*\")? title=\"WATCHED\""
	like "$(grep WATCHED "$T/words.w" | sed -n 1p)" \
	    "$_w armed $_j pid=$_p command=\"echo x; exit 4\"\$" "armed"
	like "$(grep WATCHED "$T/words.w" | sed -n 2p)" \
	    "$_w triggered $_j\$" "triggered"
	like "$(grep WATCHED "$T/words.w" | sed -n 3p)" \
	    "$_w finished $_j status=4 ms=[0-9]+\$" "finished"
	like "$(grep WATCHED "$T/words.w" | sed -n 8p)" \
	    "$_w lost $_j signal=9\$" "lost"
	like "$(grep WATCHED "$T/words.w" | sed -n 9p)" \
	    "$_w disarmed $_j\$" "disarmed"

	jail_start "$kind" w
	arm w GONER : -r
	jail_end w
	# FreeBSD tells of a jail's end when it is asked.
	ok "jail-ended" wait_for 30 saw json '"jail-ended".*"title":"GONER"'
	jail_stop w
	ok "an arm that cannot be" not jd -c : -j 2147483646 -t NOBODY
	case $JAIL_OS in
	Linux)
		_named=
		say '{"v":1,"verb":"arm","command":":","pid":2147483646,"title":"NOBODY"}' ;;
	*)
		_named='jail="nobody" '
		say '{"v":1,"verb":"arm","command":":","jail":"nobody","title":"NOBODY"}' ;;
	esac >/dev/null
	ok "refused" wait_for 5 saw json '"refused".*"status":68'
	wait_for 5 saw words ' refused .*NOBODY.*status=68'
	like "$(grep '"refused"' "$T/json.w" | tail -n 1)" \
	    '"title":"NOBODY".*"text":"[^"]+' "and why"
	like "$(grep ' refused ' "$T/words.w" | tail -n 1)" \
	    "$_w refused ${_named}title=\"NOBODY\" status=68 command=\":\" text=\".+\"\$" "in words"
	ok "each line is an object" jq_ok "$T/json.w" '
	    (.event | type == "string") and
	    (.at | sub("[.][0-9]+Z$"; "Z") | fromdate | . <= now)'
	is "$(wc -c <"$T/json.we" | tr -d ' ')" 0 "without a complaint"
	watch_stop words
	watch_stop json
}

# A refused attaching, where a user namespace does not have the uid.
t_watch_refused() {
	[ "$JAIL_OS" = Linux ] || return
	jail_start unshare-userns u
	watch_start refused -J
	nok "a uid that the jail does not have" arm u UNMAPPED : -u 70000
	ok "refused" wait_for 5 saw refused '"refused".*"title":"UNMAPPED".*"status":65,"text":"uid 70000 is not mapped'
	is "$(grep -c '"refused"' "$T/refused.w")" 1 "once"
	watch_stop refused
	jail_stop u
}

# What it takes to fill a watcher's backlog, fast.
flood() {
	_i=0
	while [ "$_i" -lt 40 ]; do
		jd -c ": $(fill 60000 x)" -j "$JID" -t "FLOOD$_i" || return
		_i=$((_i + 1))
	done
}

t_watch_slow() {
	_base=$(connections)
	watch_start fast -J
	(
		verb watch -J 2>"$T/lazy.err"
		echo $? >"$T/lazy.rc"
	) | {
		wait_file "$T/lazy.go"
		cat >"$T/lazy"
	} &
	_lazy=$!
	ok "two watch, one does not look" \
	    wait_for 5 connections_are $((_base + 2))
	ok "forty events of 60 kB" flood
	ok "the other sees them all" wait_for 10 saw fast '"FLOOD39"'
	is "$(grep -c '"armed".*"FLOOD' "$T/fast.w")" 40 "each"
	ok "log: the slow one is cut off" wait_for 5 log_has \
	    'event=refuse status=75 text="events come faster'
	# It may look away for longer than a request may take.
	sleep 11
	: >"$T/lazy.go"
	wait_for 20 test -e "$T/lazy.rc"
	is "$(cat "$T/lazy.rc")" 75 "and is told so when it looks"
	ok "in a word" one_line_like "$T/lazy.err" \
	    'events come faster than they are read'
	wait "$_lazy"
	ok "what it was sent is whole" jq_ok "$T/lazy" '.event | length > 0'
	ok "some, not all" test "$(grep -c FLOOD "$T/lazy")" -lt 40
	watch_stop fast
	ok "nothing is held" wait_for 5 connections_are "$_base"
	verb disarm -j "$JID" >/dev/null
}

# One that does not look while less than the bound waits: it is left alone.  An
# event is of a size of which Linux's socket, too, takes a part.
t_watch_idle() {
	watch_start idle
	_p=$(cat "$T/idle.wp")
	kill -STOP "$_p"
	arm a IDLE : -r
	_i=0
	while [ "$_i" -lt 12 ]; do
		jd -c ": $(fill 45000 x)" -j "$JID" -t "IDLE$_i"
		_i=$((_i + 1))
	done
	sleep 11
	kill -CONT "$_p"
	ok "a reader that was stopped for a while misses nothing" \
	    wait_for 10 saw idle IDLE11
	ok "and goes on" alive "$_p"
	verb disarm -j "$JID" >/dev/null
	ok "as before" wait_for 5 saw idle 'disarmed .*IDLE11'
	watch_stop idle
}

t_watch_most() {
	_base=$(connections)
	_i=0 _pids=
	while [ "$_i" -lt 32 ]; do
		"$JAILDAEMON" watch -f "$D/sock" >"$T/most.$_i" 2>&1 &
		_pids="$_pids $!"
		_i=$((_i + 1))
	done
	ok "32 watch" wait_for 20 connections_are $((_base + 32))
	ok "all of them" wait_for 20 all_see
	ok "the 33rd may not" verb_refused 75 'no more than 32 may watch' watch
	ok "others are served" arm a MOST :
	# shellcheck disable=SC2086
	kill $_pids
	# shellcheck disable=SC2086
	wait $_pids 2>/dev/null
	ok "when they are gone" wait_for 5 connections_are "$_base"
	ok "there is room" watch_start room
	watch_stop room
	verb disarm -j "$JID" >/dev/null
}

all_see() {
	jd -c : -j "$JID" -t SEE
	verb disarm -j "$JID" -t SEE >/dev/null
	for _f in "$T"/most.*; do
		grep -q SEE "$_f" || return 1
	done
}

t_watch_end() {
	daemon_dir watched
	for _i in none some; do
		daemon_start
		watch_start end
		[ "$_i" = none ] || arm a LAST "echo x >>$M/last"
		_p=$(probe_pid a LAST)
		[ "$_i" = none ] || kill -STOP "$_p"
		[ "$_i" = none ] || fire a LAST
		_base=$(connections)
		wait_file "$T/end.go" | say_watch >"$T/end.raw" &
		_raw=$!
		wait_for 5 connections_are $((_base + 1))
		poke end
		daemon_stop
		is "$?" 0 "the daemon ends, with $_i armed"
		ok "it says so" wait_for 5 test -s "$T/end.wr"
		is "$(cat "$T/end.wr") $(cat "$T/end.we")" \
		    "69 jaildaemon: the daemon has stopped" "to the watcher"
		: >"$T/end.go"
		wait "$_raw"
		rm "$T/end.go"
		like "$(tail -n 1 "$T/end.raw")" \
		    '"ok":false,"status":69,"error":"the daemon has stopped"' \
		    "on the wire as well"
	done
	ok "a HUP that came first counts" wait_for 5 marked last 1
	is "$(mark last)" 1 "once"
	ok "and is seen" saw end ' triggered .*LAST'
	daemon_start
	watch_start end
	daemon_kill9
	ok "a killed daemon" wait_for 5 test -s "$T/end.wr"
	is "$(cat "$T/end.wr")" 69 "is noticed"
	ok "and said" one_line_like "$T/end.we" 'daemon at .* has ended'
	daemon_dir d
}

# A watcher that keeps its sending side open for as long as its stdin is.
say_watch() {
	{
		echo '{"v":1,"verb":"watch"}'
		cat
	} | talk
}

# -- run, output -----------------------------------------------------------

t_run() {
	ok "an unknown id" verb_refused 65 'no action has the id 999999$' \
	    run 999999
	_id=$(arm_id a RUN "echo \"\$JAILDAEMON_TITLE \$JAILDAEMON_ID\" >>$M/run
	    $(waiting run.wait)" -r)
	_p=$(probe_pid a RUN)
	is "$(verb run "$_id"; echo $?)" 0 "run is silent"
	ok "the command runs" wait_for 5 marked run 1
	is "$(cat "$M/run")" "RUN $_id" "as ever"
	ok "log: a trigger like any other" \
	    wait_for 5 log_has "event=trigger id=$_id jid=$JID jail-ended=0"
	nok "the probe was ended for it" alive "$_p"
	ok "not while it runs" verb_refused 75 \
	    "action $_id is running: it has no probe" run "$_id"
	is "$(mark run)" 1 "nothing is queued"
	: >"$M/run.wait.go"
	ok "the probe comes back" wait_for 5 item_is "$_id" state armed
	ok "and it can be run again" verb run "$_id"
	ok "it is" wait_for 5 marked run 2
	wait_for 5 item_is "$_id" state armed
	is "$(item "$_id" | field runs)" 2 "list counts them"

	_id=$(arm_id a RUN_1 "echo x >>$M/run.1")
	ok "a single shot" verb run "$_id"
	ok "runs" wait_for 5 marked run.1 1
	ok "and is gone" wait_for 5 verb_refused 65 . run "$_id"

	# Two at once are one run, or the second is refused.
	_id=$(arm_id a RUN_2 "echo x >>$M/run.2" -R)
	_r="{\"v\":1,\"verb\":\"run\",\"id\":$_id}"
	printf '%s\n%s\n' "$_r" "$_r" | talk >"$T/out"
	_n=$(grep -c '"ok":true' "$T/out")
	ok "as many runs as were promised" wait_for 5 marked run.2 "$_n"
	ok "not more" stays 1 test "$(mark run.2)" -eq "$_n"
	verb disarm -j "$JID" >/dev/null
}

t_output() {
	ok "an unknown id" verb_refused 65 'no action has the id 999999$' \
	    output 999999
	_id=$(arm_id a OUTPUT "n=\$(cat $M/n); echo \"run \$n\"; echo err >&2
	    printf 'tab\\there\\033[2J\\377\\n'
	    [ \$n -ne 2 ] || { $(waiting output); }
	    printf 'no newline \$n'" -r)
	ok "before its first run" verb_refused 66 'no run of it has ended' \
	    output "$_id"
	echo 1 >"$M/n"
	fire a OUTPUT
	wait_for 5 item_is "$_id" last_status 0
	_one="run 1
err
tab	here\\x1b[2J\\xff
no newline \$n"
	is "$(verb output "$_id")" "$_one" "all of it, escaped"
	is "$(verb output "$_id")" "$_one" "as often as one likes"
	echo 2 >"$M/n"
	trigger a OUTPUT
	wait_for 5 marked output 1
	is "$(verb output "$_id")" "$_one" "it stays while the next one runs"
	: >"$M/output.go"
	wait_for 5 item_is "$_id" state armed
	is "$(verb output "$_id" | head -n 1)" "run 2" "then it is the next one's"
	is "$(find "$D/state" -name "$_id-*" | lines)" 1 "one file"
	verb disarm "$_id" >/dev/null
	ok "disarmed" wait_for 5 verb_refused 65 . output "$_id"
	is "$(find "$D/state" -name "$_id-*")" "" "it is gone"

	_id=$(arm_id a OUT_ONCE "echo once; $(waiting out.once)")
	fire a OUT_ONCE
	wait_for 5 marked out.once 1
	ok "a first run that goes on" verb_refused 66 . output "$_id"
	: >"$M/out.once.go"
	ok "a single shot is gone with its run" \
	    wait_for 5 verb_refused 65 . output "$_id"

	_id=$(arm_id a OUT_NONE : -r)
	fire a OUT_NONE
	wait_for 5 item_is "$_id" last_status 0
	is "$(verb output "$_id"; echo $?)" 0 "nothing was printed"

	_id=$(arm_id a OUT_BIG "head -c 100000 /dev/zero | tr '\\0' y
	    echo $$ >$M/out.big" -r)
	fire a OUT_BIG
	wait_for 10 item_is "$_id" last_status 0
	is "$(verb output "$_id" | wc -c | tr -d ' ')" 65536 "64 kB of it"

	_id=$(arm_id a OUT_BIN "head -c 200000 /dev/urandom" -r)
	fire a OUT_BIN
	wait_for 10 item_is "$_id" last_status 0
	verb output "$_id" >"$T/out"
	is "$?" 0 "what is no text"
	is "$(tr -d '\n\t -~\200-\377' <"$T/out" | wc -c | tr -d ' ')" 0 \
	    "has no control characters"
	ok "and is as long as it must be" \
	    test "$(wc -c <"$T/out")" -gt 65536
	[ "$JAIL_OS" != Linux ] ||
	    ok "and UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null "$T/out"
	verb disarm -j "$JID" >/dev/null

	# What was logged once is not logged again by the next daemon.
	daemon_dir kept
	daemon_start
	_id=$(arm_id a OUT_KEPT "echo kept" -r)
	fire a OUT_KEPT
	ok "log: output" wait_for 5 log_has 'event=output .*text="kept"'
	for _i in stop kill9; do
		"daemon_$_i"
		daemon_start
		is "$(verb output "$_id")" kept \
		    "it is there after the daemon's $_i"
		is "$(log_count 'text="kept"')" 0 "and is not logged again"
	done
	verb disarm "$_id" >/dev/null
	ok "until it is of no more use" wait_for 5 no_output
	daemon_stop
	daemon_dir d
}

no_output() {
	[ -z "$(find "$D/state" -name '*.out')" ]
}

# -- numbers ---------------------------------------------------------------

# moved NAME BEFORE BY
moved() {
	[ "$(($(metric "$1") - $2))" -eq "$3" ]
}

counters='jaildaemon_triggers_total
jaildaemon_runs_total{result="success"}
jaildaemon_runs_total{result="failure"}
jaildaemon_runs_total{result="signal"}
jaildaemon_runs_total{result="timeout"}
jaildaemon_run_seconds_count
jaildaemon_lost_total
jaildaemon_refusals_total
jaildaemon_arm_failures_total'

counts() {
	verb metrics >"$T/metrics"
	for _c in $counters; do
		awk -v n="$_c" '$1 == n { print $2 }' "$T/metrics"
	done | tr '\n' ' '
}

t_metrics() {
	daemon_dir numbers
	_begin=$(now_s)
	daemon_start
	is "$(verb metrics | grep -c '^jaildaemon_')" 29 "all are there at once"
	is "$(counts)" "0 0 0 0 0 0 0 0 0 " "and are 0"
	_start=$(metric jaildaemon_start_time_seconds)
	ok "the start's time" test "${_start%.*}" -ge $((_begin - 1)) \
	    -a "${_start%.*}" -le "$(now_s)"
	arm a NUM_OK : -r
	arm a NUM_FAIL "exit 5" -r
	arm a NUM_SIGNAL "kill -9 \$\$" -r
	arm a NUM_RUN "$(waiting num)" -r
	arm a NUM_LOST :
	is "$(metric 'jaildaemon_actions{state="armed"}')" 5 "armed: 5"
	is "$(metric jaildaemon_probes)" 5 "probes: 5"
	fire a NUM_RUN
	ok "one runs" wait_for 5 moved jaildaemon_runs_active 0 1
	is "$(metric 'jaildaemon_actions{state="running"}')" 1 "its state"
	is "$(metric 'jaildaemon_actions{state="armed"}')" 4 "and the others'"
	fire a NUM_OK
	wait_for 5 moved 'jaildaemon_runs_total{result="success"}' 0 1
	is "$(counts)" "2 1 0 0 0 1 0 0 0 " "a success"
	fire a NUM_FAIL
	wait_for 5 moved 'jaildaemon_runs_total{result="failure"}' 0 1
	is "$(counts)" "3 1 1 0 0 2 0 0 0 " "a failure"
	fire a NUM_SIGNAL
	wait_for 5 moved 'jaildaemon_runs_total{result="signal"}' 0 1
	is "$(counts)" "4 1 1 1 0 3 0 0 0 " "a signal"
	jail_exec a pkill -TERM -x -f 'jailprobe: NUM_LOST'
	wait_for 5 moved jaildaemon_lost_total 0 1
	is "$(counts)" "4 1 1 1 0 3 1 0 0 " "a loss"
	verb run 999999 2>/dev/null
	verb disarm 999999 2>/dev/null
	say 'nonsense' >/dev/null
	# It is the utility, if anybody, that knows that there is no such jail.
	verb list -j 2147483646 >/dev/null 2>&1
	is "$(counts)" "4 1 1 1 0 3 1 3 0 " "refusals"
	: >"$M/num.go"
	wait_for 5 moved jaildaemon_runs_active 0 0
	ok "how long it took is in the histogram" \
	    test "$(metric 'jaildaemon_run_seconds_bucket{le="+Inf"}')" -eq 4
	_sum=$(metric jaildaemon_run_seconds_sum)
	ok "and in the sum" test "${_sum%.*}" -ge 0
	ok "which is no 0" test "$_sum" != 0.000
	[ "$JAIL_OS" != Linux ] || {
		jail_start unshare-userns u
		arm u NUM_NOT : -u 70000 2>/dev/null
		is "$(counts)" "4 2 1 1 0 4 1 4 1 " \
		    "an attaching that failed"
		jail_stop u
		verb metrics >"$T/metrics"
		ok "promtool has no objection" promtool check metrics \
		    <"$T/metrics"
	}
	daemon_stop
	daemon_dir d
}

# The example rules for alerts: each fires when it should, and not else.
t_alerts() {
	[ "$JAIL_OS" = Linux ] || return
	ok "the rules are right" promtool check rules --lint=all \
	    --lint-fatal "$here/../etc/prometheus-alerts.yml"
	ok "and do what they say" promtool test rules "$here/alerts.yml"
	# All that they ask for is there.
	verb metrics >"$T/metrics"
	grep -o '[^a-z_]jaildaemon_[a-z_]*' "$here/../etc/prometheus-alerts.yml" |
	    cut -c 2- | sort -u >"$T/asked"
	while read -r _i; do
		ok "there is $_i" grep -q "^${_i}[ {]" "$T/metrics"
	done <"$T/asked"
}

# -- the wire --------------------------------------------------------------

# wire_bad STATUS ERE LINE
wire_bad() {
	_status=$1 _ere=$2
	say "$3" >"$T/answer"
	cat "$T/answer"
	[ "$(lines <"$T/answer")" -eq 1 ] &&
	    [ "$(field status <"$T/answer")" = "$_status" ] &&
	    sed 's/\\"/"/g' "$T/answer" | grep -Eq -e "$_ere"
}

t_wire() {
	_k='"v":1,"verb":'
	is "$(say "{$_k\"list\"}")" '{"v":1,"ok":true,"count":0}' "list of none"
	say "{$_k\"arm\",\"command\":\"echo wire; exit 2\",$(where),\"title\":\"WIRE\",\"respawn\":\"now\",\"timeout\":9,\"parallel\":8,\"interval\":1,\"feedback\":true}" \
	    >"$T/answer"
	like "$(cat "$T/answer")" '^\{"v":1,"ok":true,"id":[0-9]+\}$' \
	    "arm with limits"
	_id=$(field id <"$T/answer")
	say "{$_k\"list\"}" >"$T/answer"
	is "$(lines <"$T/answer")" 2 "list: an item and a reply"
	like "$(sed -n 1p "$T/answer")" \
	    "^\{\"v\":1,\"id\":$_id,.*\"timeout\":9,\"parallel\":8,\"interval\":1,\"feedback\":true" \
	    "the item"
	is "$(sed -n 2p "$T/answer")" '{"v":1,"ok":true,"count":1}' "the reply"
	is "$(verb list -J)" "$(sed -n 1p "$T/answer")" "list -J shows it as it is"
	is "$(say "{$_k\"list\",\"title\":\"OTHER\"}" | field count)" 0 \
	    "by title"
	is "$(say "{$_k\"list\",$(where)}" | sed -n '$p' | field count)" 1 \
	    "by jail"
	is "$(say "{$_k\"run\",\"id\":$_id}")" \
	    "{\"v\":1,\"ok\":true,\"id\":$_id}" "run"
	wait_for 5 item_is "$_id" last_status 2
	is "$(say "{$_k\"output\",\"id\":$_id}")" \
	    "{\"v\":1,\"ok\":true,\"id\":$_id,\"text\":\"wire\\n\"}" "output"
	like "$(say "{$_k\"metrics\"}")" \
	    '^\{"v":1,"ok":true,"text":"# HELP jaildaemon_' "metrics"
	is "$(say "{$_k\"reload\"}")" '{"v":1,"ok":true}' "reload"
	like "$(say "{$_k\"check\"}")" '^\{"v":1,"ok":true,"count":0\}$' "check"
	echo '-x' >"$D/conf"
	ok "check of a broken file" wire_bad 78 'conf:1: ' "{$_k\"check\"}"
	ok "reload of it" wire_bad 78 'conf:1: ' "{$_k\"reload\"}"
	: >"$D/conf"
	is "$(say "{$_k\"started\",\"jail\":\"wire\",$(where)}" | field count)" \
	    "$(wire_started)" "started"
	is "$(say "{$_k\"disarm\",\"ids\":[$_id]}")" \
	    '{"v":1,"ok":true,"count":1}' "disarm"
	ok "again" wire_bad 65 "no action has the id $_id" \
	    "{$_k\"disarm\",\"ids\":[$_id]}"
	arm a WIRE2 :
	is "$(say "{$_k\"disarm\",\"title\":\"WIRE2\"}")" \
	    '{"v":1,"ok":true,"count":1}' "disarm by title"

	# A watcher: its line is answered by what happens.
	mkfifo "$T/watch.in"
	say_watch <"$T/watch.in" >"$T/watch.out" &
	_w=$!
	exec 8>"$T/watch.in"
	wait_for 20 wire_poke
	like "$(grep -m 1 '"event":"armed"' "$T/watch.out")" \
	    '^\{"v":1,"event":"armed","at":"[0-9T:.-]*Z","id":[0-9]+,"jid":[0-9]+' \
	    "watch"
	exec 8>&-
	wait "$_w"
	like "$(tail -n 1 "$T/watch.out")" '"event":' "until the peer ends it"

	# Several in one connection, in their order.
	is "$(left)" "" "nothing is left"
	printf '%s\n' "{$_k\"ping\"}" "{$_k\"list\"}" "{$_k\"metrics\"}" \
	    "{$_k\"nonsense\"}" "{$_k\"ping\"}" | talk >"$T/answer"
	is "$(sed 's/.*"ok":\([a-z]*\),"\([a-z]*\)".*/\1 \2/' "$T/answer" |
	    tr '\n' ' ')" \
	    "true pid true count true text false status true pid " \
	    "several requests"

	ok "an unknown verb" wire_bad 64 \
	    'unknown verb "stop": expected ping, arm, list, disarm, watch, run, output, reload, check, metrics or started' \
	    "{$_k\"stop\"}"
	for _v in run output; do
		ok "$_v without an id" wire_bad 64 'no .* is given, and is expected' "{$_k\"$_v\"}"
		ok "$_v with ids" wire_bad 64 'no .*id.* is given, and is expected' \
		    "{$_k\"$_v\",\"ids\":[1]}"
		ok "$_v with more" wire_bad 64 'is given, and is not expected' \
		    "{$_k\"$_v\",\"id\":1,\"title\":\"x\"}"
		ok "$_v with a bad id" wire_bad 76 '"id": expected' \
		    "{$_k\"$_v\",\"id\":\"1\"}"
		ok "$_v with one that is none" wire_bad 65 'has the id 999' \
		    "{$_k\"$_v\",\"id\":999999}"
	done
	ok "disarm of nothing" wire_bad 64 'expected either' "{$_k\"disarm\"}"
	ok "disarm of both" wire_bad 64 'expected either' \
	    "{$_k\"disarm\",\"ids\":[1],\"title\":\"x\"}"
	ok "disarm of an id" wire_bad 64 'is given, and is not expected' \
	    "{$_k\"disarm\",\"id\":1}"
	ok "disarm of no ids" wire_bad 76 '"ids": expected' \
	    "{$_k\"disarm\",\"ids\":[]}"
	ok "disarm of what is no id" wire_bad 76 '"ids": expected' \
	    "{$_k\"disarm\",\"ids\":[0]}"
	ok "list with a command" wire_bad 64 'is given, and is not expected' \
	    "{$_k\"list\",\"command\":\":\"}"
	for _v in watch reload check metrics ping; do
		ok "$_v with a jail" wire_bad 64 'is given, and is not expected' \
		    "{$_k\"$_v\",\"jail\":\"x\"}"
	done
	ok "started without a jail" wire_bad 64 'no .* is given, and is expected' \
	    "{$_k\"started\",\"pid\":1}"
	ok "started with a title" wire_bad 64 'is given, and is not expected' \
	    "{$_k\"started\",\"jail\":\"x\",\"title\":\"x\"}"
	for _v in '"timeout":0' '"parallel":1025' '"interval":-1' \
	    '"feedback":"yes"'; do
		ok "arm with $_v" wire_bad 76 'expected' \
		    "{$_k\"arm\",\"command\":\":\",$(where),$_v}"
	done
	is "$(all_ids)" "" "nothing was armed by that"
}

wire_poke() {
	jd -c : -j "$JID" -t POKE
	verb disarm -j "$JID" -t POKE >/dev/null
	grep -q '"event":"armed"' "$T/watch.out"
}

# On FreeBSD the second name counts, and the key may not be there twice.
wire_started() {
	[ "$JAIL_OS" != Linux ] || echo 0
}

# --------------------------------------------------------------------------

[ $# -gt 0 ] || set -- list list_states list_choice list_width list_many \
	    usage no_daemon disarm watch watch_refused watch_slow watch_idle \
	    watch_most watch_end run output metrics alerts wire
verbs_main "$@"
