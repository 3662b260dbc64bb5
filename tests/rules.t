#!/bin/sh
# The file of actions as the daemon uses it; jails that come and go.
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317,SC3045

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/lib/verbs.sh"

# -- the file of actions ---------------------------------------------------

# does_not_start STATUS ERE [OPTION...]
does_not_start() {
	_status=$1 _line=$2
	shift 2
	refused "$_status" "$_line" -D -d -f "$T/not.sock" -p "$T/not.pid" \
	    -S "$T/not.state" "$@" &&
	    [ ! -e "$T/not.sock" ] && [ ! -e "$T/not.pid" ]
}

t_file_start() {
	mkdir -m 700 "$T/file"
	_f=$T/file/conf
	ok "a named file that is missing" does_not_start 66 "$_f" -C "$_f"
	printf -- '-j x -c :\n\n-j x -t\n' >"$_f"
	ok "a broken file" does_not_start 78 "conf:3: .*-t needs" -C "$_f"
	echo '-j x -c : -f /s' >"$_f"
	ok "an option that is not an action's" does_not_start 78 \
	    "conf:1: .*takes no -f" -C "$_f"
	echo "-j x -c 'a" >"$_f"
	ok "an open quote" does_not_start 78 "conf:1: " -C "$_f"
	echo '-j x -c :' >"$_f"
	chmod 666 "$_f"
	ok "a file that others may write" does_not_start 77 "$_f" -C "$_f"
	chmod 644 "$_f"
	chmod 777 "$T/file"
	ok "a folder that others may write" does_not_start 77 "$T/file" \
	    -C "$_f"
	chmod 700 "$T/file"
	ok "an empty name" does_not_start 65 '-C: the file is empty' -C ''
	daemon_dir file
	ok "a good one" daemon_start -C "$_f"
	daemon_stop
	: >"$_f"
	(cd "$T/file" && daemon_dir file && daemon_start -C conf)
	daemon_dir file
	daemon_dir d
	[ "$JAIL_OS" = Linux ] || return
	# The default one: in an /etc of our own.
	daemon_dir file2
	nok "the default file" test -e /etc/jaildaemon.conf
	ok "may be missing" daemon_start
	echo "-j dflt -t DEFAULT -c :" >/etc/jaildaemon.conf
	ok "may come" verb reload
	say "{\"v\":1,\"verb\":\"started\",\"jail\":\"dflt\",$(where)}" >/dev/null
	ok "is read" wait_for 5 probe_pid a DEFAULT
	daemon_stop
	echo "-j dflt" >/etc/jaildaemon.conf
	ok "must be right" does_not_start 78 'conf:1: no -c, expected -c'
	rm /etc/jaildaemon.conf
	daemon_dir d
}

# The pids of the probes of all titles RULE_*, in a line.
rule_pids() {
	for _t in "$@"; do
		probe_pid b "RULE_$_t"
	done | tr '\n' ' '
}

rule_items() {
	verb list -J | grep '"title":"RULE_' | field title | sort | tr '\n' ' '
}

t_reload() {
	conf <<-END
	# Actions of the test.
	-j 'jdtest-*-b' -r -t RULE_A -c 'echo a >>$M/rule.a'
	-j $JAIL_RUN-b -j other -R -L 2 -T 3 -i 1 -s -t RULE_B \\
	    -c 'echo b >>$M/rule.b'
	-j other -t RULE_C -c :
	END
	is "$(verb reload; echo $?)" 0 "reload is silent"
	ok "log: what it did" log_has 'event=reload actions=3 added=3 removed=0'
	tell_started b
	ok "a jail that has started gets its actions" \
	    wait_for 10 probe_pid b RULE_B
	is "$(rule_items)" "RULE_A RULE_B " "and no others"
	verb list -J -t RULE_B >"$T/list"
	like "$(cat "$T/list")" \
	    "\"jail\":\"$JAIL_RUN-b\".*\"respawn\":\"now\".*\"timeout\":3,\"parallel\":2,\"interval\":1,\"feedback\":true,\"file\":true" \
	    "as they are written, of the file"
	trigger b RULE_A
	ok "it works" wait_for 5 marked rule.a 1
	wait_for 5 probe_pid b RULE_A
	_pids=$(rule_pids A B) _ids=$(all_ids)

	verb reload
	ok "log: nothing new" log_has 'event=reload actions=3 added=0 removed=0'
	is "$(rule_pids A B)|$(all_ids)" "$_pids|$_ids" \
	    "what is unchanged is left alone"

	# Order, blanks and quotes are no change.
	conf <<-END
	-t RULE_C -c ":" -j other
	-c 'echo b >>$M/rule.b'   -R -L 2 -T 3 -i 1 -s -t "RULE_B" \\
	    -j other -j $JAIL_RUN-b
	-t RULE_D -j $JAIL_RUN-b -c 'echo d >>$M/rule.d'
	-j 'jdtest-*-b' -r -t RULE_A -c 'echo a >>$M/rule.a'
	END
	verb reload
	ok "log: one is new" log_has 'event=reload actions=4 added=1 removed=0'
	ok "a new one is armed where the jail is known" \
	    wait_for 5 probe_pid b RULE_D
	is "$(rule_pids A B)" "$_pids" "the others are left alone"

	# By SIGHUP: one away, one changed.
	arm b RULE_MINE : -r
	_mine=$(probe_pid b RULE_MINE)
	conf <<-END
	-c 'echo b >>$M/rule.b'   -R -L 2 -T 3 -i 1 -s -t "RULE_B" \\
	    -j other -j $JAIL_RUN-b
	-t RULE_D -j $JAIL_RUN-b -c 'echo changed >>$M/rule.d'
	END
	_b=$(rule_pids B) _d=$(rule_pids D)
	kill -HUP "$DPID"
	ok "SIGHUP" wait_for 5 log_has \
	    'event=reload actions=2 added=1 removed=3'
	ok "what is gone is disarmed" wait_for 5 not probe_pid b RULE_A
	ok "what is changed is another" wait_for 5 differs "$_d" D
	is "$(rule_pids B)" "$_b" "the rest is left alone"
	is "$(probe_pid b RULE_MINE)" "$_mine" "and what is not of the file"
	trigger b RULE_D
	ok "the changed one works" wait_for 5 marked rule.d 1
	is "$(cat "$M/rule.d")" changed "as it is now"
	verb disarm -j "$(jail_pid b)" -t RULE_MINE >/dev/null
	wait_for 10 none_ending
	broken_reload
}

# Two rules of which a jail has one action.
t_equal() {
	conf <<-END
	-j 'jdtest-*-b' -t RULE_A -c 'echo x >>$M/equal'
	-j $JAIL_RUN-b -t RULE_A -c 'echo x >>$M/equal'
	END
	verb reload
	tell_started b
	ok "two equal rules" wait_for 10 probe_pid b RULE_A
	_was="$(rule_pids A) $(all_ids)"
	is "$(rule_items)" "RULE_A " "are one action"
	sed -n 2p "$D/conf" >"$T/conf.second"
	sed -n 1p "$D/conf" >"$T/conf.first"
	cat "$T/conf.second" >"$D/conf"
	verb reload
	is "$(rule_pids A) $(all_ids)" "$_was" "which stays without the first"
	_ids=$(all_ids)
	daemon_kill9
	daemon_start -C "$D/conf"
	ok "over a restart" wait_for 10 probe_pid b RULE_A
	is "$(all_ids)" "$_ids" "as it was"
	daemon_kill9
	cat "$T/conf.first" "$T/conf.second" >"$D/conf"
	daemon_start -C "$D/conf"
	ok "with both again" wait_for 10 probe_pid b RULE_A
	is "$(all_ids)" "$_ids" "it is one still"
	daemon_kill9
	cat "$T/conf.first" >"$D/conf"
	daemon_start -C "$D/conf"
	ok "and without the second, taken out meanwhile" \
	    wait_for 10 probe_pid b RULE_A
	is "$(all_ids)" "$_ids" "as it was"
	trigger b RULE_A
	ok "it works" wait_for 5 marked equal 1
	wait_for 5 no_rules
	cat "$T/conf.second" >"$D/conf"
	verb reload
	ok "a new rule is another" wait_for 5 probe_pid b RULE_A
	is "$(mark equal)" 1 "that has not run yet"
	: >"$D/conf"
	verb reload
	ok "without both it goes" wait_for 5 no_rules
}

none_ending() {
	! verb list -J | grep -q '"state":"ending"'
}

differs() {
	_now=$(rule_pids "$2")
	[ -n "$_now" ] && [ "$_now" != "$1" ]
}

# What t_reload left is left alone.
broken_reload() {
	_was=$(cat "$D/conf") _b=$(rule_pids B) _ids=$(all_ids)
	{
		echo '-t RULE_E -j b -c :'
		echo '-t RULE_F -j b -c : -x'
	} >"$D/conf"
	ok "a broken file: the verb says where and what" \
	    verb_refused 78 'conf:2: .*"-x"' reload
	ok "log: so does the daemon" log_has \
	    'event=reload-failed status=78 text=".*conf:2: '
	is "$(rule_pids B) $(all_ids)" "$_b $_ids" "nothing changes"
	_then=$(log_count event=reload-failed)
	kill -HUP "$DPID"
	ok "SIGHUP: in the log" wait_for 5 failed_more "$_then"
	is "$(rule_pids B) $(all_ids)" "$_b $_ids" "and nothing changes"
	rm "$D/conf"
	ok "a file that is gone, but was named" verb_refused 66 conf reload
	is "$(rule_pids B) $(all_ids)" "$_b $_ids" "changes nothing"
	printf '%s\n' "$_was" >"$D/conf"
	chmod 666 "$D/conf"
	ok "one that others may write" verb_refused 77 conf reload
	is "$(rule_pids B) $(all_ids)" "$_b $_ids" "changes nothing either"
	chmod 644 "$D/conf"
	ok "the good one again" verb reload
	is "$(rule_pids B) $(all_ids)" "$_b $_ids" "is no change"
	: >"$D/conf"
	ok "an empty one" verb reload
	ok "takes all of them away" wait_for 5 no_rules
	ok "the daemon goes on" alive "$DPID"
}

# best COMMAND...: the least of three times in ms; each with the other file.
best() {
	_best=
	for _i in 2 1 2; do
		cat "$T/many.$_i" >"$D/conf"
		_from=$(date +%s%N)
		"$@" >/dev/null || return
		_ms=$((($(date +%s%N) - _from) / 1000000))
		[ "${_best:-$_ms}" -lt "$_ms" ] || _best=$_ms
	done
	echo "$_best"
}

# Nobody is served meanwhile.
t_many() {
	[ "$JAIL_OS" = Linux ] || return
	for _i in 1 2; do
		awk -v cmd="$_i" 'BEGIN {
			for (i = 0; i < 10000; i++)
				print "-j nowhere -r -t MANY -c \"sleep " cmd \
				    " && echo " i "\""
		}' >"$T/many.$_i"
	done
	cat "$T/many.1" >"$D/conf"
	verb reload
	_read=$(best "$JAILDAEMON" check -C "$D/conf")
	_reload=$(best verb reload)
	diag "10000 lines: $_read ms to read, $_reload ms to reload"
	ok "log: all are others" log_has \
	    "event=reload actions=10000 added=10000 removed=10000"
	ok "many lines: to compare them takes no longer than to read them" \
	    test "$_reload" -le $((4 * _read))
	: >"$D/conf"
	verb reload
}

failed_more() {
	[ "$(log_count event=reload-failed)" -gt "$1" ]
}

no_rules() {
	[ -z "$(rule_items)" ] && ! probe_pid b RULE_B
}

# Where there is no room for a rule now, there may be some later.
t_no_room() {
	daemon_dir few
	conf </dev/null
	daemon_prepare() {
		ulimit -n 512
	}
	ok "a daemon with few descriptors" daemon_start -C "$D/conf"
	daemon_prepare() {
		:
	}
	tell_started b
	_i=0
	while [ "$_i" -lt 512 ] && arm b "FEW $_i" : 2>/dev/null; do
		_i=$((_i + 1))
	done
	conf <<-END
	-j '$(jail_name b)' -r -t RULE_ROOM_1 -c 'echo room >>$M/rule.room'
	-j '$(jail_name b)' -r -t RULE_ROOM_2 -c :
	END
	verb reload
	ok "no room for a rule: log" wait_for 5 log_has \
	    'event=refuse status=75 .*no room for a further action'
	nok "it is not armed" stays 4 probe_pid b RULE_ROOM_1
	is "$(log_count event=refuse)" 2 \
	    "one line for all rules, besides the arm that was too much"
	ok "another file does not make it forget" verb reload
	verb disarm -j "$(jail_pid b)" -t "FEW 0" >/dev/null
	verb disarm -j "$(jail_pid b)" -t "FEW 1" >/dev/null
	ok "it is armed once there is room" wait_for 15 probe_pid b RULE_ROOM_1
	ok "and so is the other" wait_for 15 probe_pid b RULE_ROOM_2
	is "$(verb list -J | grep -c RULE_ROOM)" 2 "once each"
	trigger b RULE_ROOM_1
	ok "it works" wait_for 5 marked rule.room 1
	daemon_stop
	is "$?" 0 "to the end"
	daemon_dir d
}

# Containers that share a pid namespace are one jail, which has both names.
t_two_names() {
	[ "$JAIL_OS" = Linux ] || return
	conf <<-END
	-j 'two-*' -t RULE_ALL -c 'echo all >>$M/two.all'
	-j two-second -r -t RULE_SECOND -c 'echo second >>$M/two.second'
	END
	verb reload
	jail_start "$kind" t
	_first=$(jail_pid t)
	nsenter -t "$_first" -p -m unshare -m sleep 4323 &
	wait_for 5 pgrep -x -f "sleep 4323"
	_second=$(pgrep -n -x -f "sleep 4323")
	verb started two-first "$_first"
	ok "the first name's rules" wait_for 10 probe_pid t RULE_ALL
	trigger t RULE_ALL
	ok "are armed" wait_for 5 marked two.all 1
	verb started two-second "$_second"
	ok "the second one's as well" wait_for 10 probe_pid t RULE_SECOND
	nok "what fired for the first does not come back" probe_pid t RULE_ALL
	verb started two-first "$_first"
	verb started two-second "$_second"
	is "$(verb list -J -j "$_first" | field title)" RULE_SECOND "once"
	daemon_kill9
	daemon_start -C "$D/conf"
	ok "a later daemon arms it again" wait_for 10 probe_pid t RULE_SECOND
	nok "alone" probe_pid t RULE_ALL
	cat >>"$D/conf" <<-END
	-j two-first -t RULE_LATER_1 -c :
	-j two-second -t RULE_LATER_2 -c :
	END
	verb reload
	ok "and knows the first name" wait_for 10 probe_pid t RULE_LATER_1
	ok "and the second" wait_for 10 probe_pid t RULE_LATER_2
	trigger t RULE_SECOND
	ok "which works" wait_for 5 marked two.second 1
	jail_stop t
	ok "with the jail all go" wait_for 20 gone_in "$_first" RULE_SECOND
}

# -- jails that come and go ------------------------------------------------

# warns ERE [OPERAND...]: started, which exits with 0 whatever it is told.
warns() {
	_ere=$1
	shift
	verb started "$@" >"$T/warn.out" 2>"$T/warn.err"
	_got=$?
	cat "$T/warn.out" "$T/warn.err"
	[ "$_got" -eq 0 ] && [ ! -s "$T/warn.out" ] &&
	    one_line_like "$T/warn.err" "$_ere"
}

t_started() {
	conf <<-END
	-j 'jdtest-*-[bc]' -r -t RULE_R -c 'echo r >>$M/started.r'
	-j 'jdtest-*-[bc]' -t RULE_ONCE -c 'echo once >>$M/started.once'
	END
	verb reload
	jail_start "$kind" c
	is "$(tell_started c 2>&1; echo $?)" 0 "started is silent"
	ok "its rules are armed" wait_for 10 probe_pid c RULE_ONCE
	wait_for 10 probe_pid c RULE_R
	_jid=$(jail_pid c)
	_ids=$(all_ids -j "$_jid")
	tell_started c
	tell_started c
	is "$(all_ids -j "$_jid")" "$_ids" "once, however often it is told"
	is "$(probe_pid c RULE_ONCE | lines) $(probe_pid c RULE_R | lines)" \
	    "1 1" "with one probe each"
	fire c RULE_ONCE
	ok "a single shot" wait_for 5 marked started.once 1
	ok "that is over" wait_for 5 gone_in "$_jid" RULE_ONCE
	tell_started c
	verb reload
	nok "does not come back" wait_for 2 probe_pid c RULE_ONCE
	ok "the other one is still there" probe_pid c RULE_R

	# The next jail of that name.
	jail_stop c
	ok "with the jail its actions go" wait_for 20 gone_in "$_jid" RULE_R
	jail_start "$kind" c
	tell_started c
	ok "in the next one it is there again" wait_for 10 probe_pid c RULE_ONCE
	ok "and so is the other" wait_for 10 probe_pid c RULE_R
	is "$(verb list -J -j "$(jail_pid c)" | lines)" 2 "once"
	fire c RULE_ONCE
	ok "it works" wait_for 5 marked started.once 2
	trigger c RULE_R
	ok "both do" wait_for 5 marked started.r 1
	is "$(mark started.once)" 2 "once a jail"
	if [ "$JAIL_OS" = FreeBSD ]; then
		# Nobody has to tell.
		jail_stop c
		jail_start "$kind" c
		ok "the daemon notices by itself" wait_for 10 probe_pid c RULE_ONCE
		is "$(probe_pid c RULE_ONCE | lines)" 1 "once"
	else
		started_linux
	fi
	# A new rule finds jails that run already.
	echo "-j 'jdtest-*' -t RULE_LATE -c :" >>"$D/conf"
	verb reload
	ok "a rule that comes later" wait_for 10 probe_pid c RULE_LATE
	# With its last action gone it is still known by its name.
	_jid=$(jail_pid c)
	: >"$D/conf"
	verb reload
	ok "a file without rules" wait_for 10 gone_in "$_jid" RULE_LATE
	wait_for 10 none_ending
	jail_stop c
	[ "$JAIL_OS" = FreeBSD ] || ok "log: the end, with the name" \
	    wait_for 10 log_has "event=jail-ended jid=$_jid jail=\"$JAIL_RUN-c\" actions=0"
	started_warns
}

gone_in() {
	! verb list -J -t "$2" | grep -q "\"jid\":$1,"
}

started_linux() {
	# By the wire's count: what was asked for now.
	jail_start "$kind" e
	_w="{\"v\":1,\"verb\":\"started\",\"jail\":\"jdtest-1-b\",\"pid\":$(jail_pid e)}"
	is "$(say "$_w" | field count)" 2 "the wire says how many"
	is "$(say "$_w" | field count)" 0 "or none"
	jail_stop e
	# With an engine: which is not asked.
	if [ -x /usr/bin/docker ]; then
		printf '#!/bin/sh\necho x >>%s\nexit 1\n' "$M/asked" >"$T/docker"
		chmod 755 "$T/docker"
		mount --bind "$T/docker" /usr/bin/docker
	fi
	cat >>"$D/conf" <<-END
	-j docker:web1 -t RULE_ENGINE -c :
	-j web1 -t RULE_PLAIN -c :
	-j lxc:web1 -t RULE_OTHER -c :
	-j 101 -t RULE_DIGITS -c :
	END
	verb reload
	jail_start "$kind" e
	is "$(verb started docker:web1 "$(jail_pid e)" 2>&1; echo $?)" 0 \
	    "a name with its engine"
	ok "has the engine's actions" wait_for 5 probe_pid e RULE_ENGINE
	ok "and those for any" wait_for 5 probe_pid e RULE_PLAIN
	nok "not another engine's" probe_pid e RULE_OTHER
	is "$(verb list -J -t RULE_ENGINE | field engine)" docker "as list says"
	nok "no engine was asked" test -e "$M/asked"
	[ ! -x /usr/bin/docker ] || umount /usr/bin/docker
	jail_stop e
	jail_start "$kind" e
	is "$(verb started 101 "$(jail_pid e)" 2>&1; echo $?)" 0 \
	    "a name of digits, beside a pid"
	ok "is a name" wait_for 5 probe_pid e RULE_DIGITS
	jail_stop e
}

# A hook that fails would end the jail: whatever happens, the status is 0.
started_warns() {
	case $JAIL_OS in
	Linux)
		ok "no such pid" warns 'no process 2147483646' x 2147483646
		ok "a pid that is none" warns '"x1" is no process' x x1
		ok "0 is none" warns '"0" is no process' x 0
		ok "no pid" warns 'no pid is given, expected that of one' x
		ok "a process of the host" warns \
		    "process $$ is not in a container" x $$
		is "$(say "{\"v\":1,\"verb\":\"started\",\"jail\":\"x\",\"pid\":$$}" |
		    field status)" 68 "with a status on the wire"
		is "$(say "{\"v\":1,\"verb\":\"started\",\"pid\":$JID}")" \
		    '{"v":1,"ok":false,"status":64,"error":"verb \"started\": no \"jail\" is given, and is expected"}' \
		    "no name on the wire"
		ok "a pid alone" warns 'no pid is given' "$JID"
		ok "an unknown engine" warns noengine noengine:x "$JID"
		;;
	*)
		ok "no such jail" warns 'no jail "nobody"' nobody
		ok "the host" warns 'host' 0
		ok "a pid, which means nothing here" warns 'pid' x 1
		;;
	esac
	# A name that is good but for what it is called.
	case $JAIL_OS in
	Linux)	_pid=$JID ;;
	*)	_pid= ;;
	esac
	ok "an empty name" warns 'empty|no container' '' ${_pid:+"$_pid"}
	ok "a name with a control character" warns 'control character' \
	    "$(printf 'a\tb')" ${_pid:+"$_pid"}
	ok "a name that is no UTF-8" warns 'UTF-8|white space or control' \
	    "$(printf 'a\377b')" ${_pid:+"$_pid"}
	ok "a name that is too long" warns "255|no jail" \
	    "$(fill 256 n)" ${_pid:+"$_pid"}
	daemon_dir none
	ok "no daemon" warns 'no daemon at' x ${_pid:+"$_pid"}
	ok "not even a folder" warns "no daemon at" \
	    -f "$T/no/sock" x ${_pid:+"$_pid"}
	daemon_dir d
	ok "the daemon goes on" alive "$DPID"
}

# --------------------------------------------------------------------------

[ $# -gt 0 ] || set -- file_start reload equal many no_room two_names started
verbs_main "$@"
