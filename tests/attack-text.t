#!/bin/sh
# Text that misleads whoever reads a log or a terminal: what a command prints,
# what a title or a jail is called, what an engine or a daemon answers.  In
# the log it is quoted and escaped, once; on a terminal it is one clean line.
#
# shellcheck disable=SC1091,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

# U+202E, which turns the direction of what follows, is a character that titles
# and names may have.
turn=$(printf '\342\200\256')

nasty() {
	printf 'red \033[31m\033]0;owned\007 end\n'
	printf 'over\rwritten\b\b\n'
	printf 'c1 \302\23331m \302\205 end\n'
	printf 'byte \23331m end\n'
	printf 'del \177 end\n'
	printf 'turned %s txt \342\201\246 \342\200\250 \330\234 end\n' "$turn"
	printf 'format %%s%%n%%100000d end\n'
	printf 'x" event=trigger id=99 text="y\n'
	printf 'jaildaemon: event=trigger id=99\n'
	printf '<11>Jan  1 00:00:00 su[1]: forged\n'
	printf 'back\\slash "quoted" \\" end\n'
	printf 'nul \000 end\n'
	printf 'half \303\n'
	printf '\n'
	printf 'plain \303\274 end\n'
}

# The same as the log must have it.
shown() {
	cat <<'END'
red \x1b[31m\x1b]0;owned\x07 end
over\rwritten\x08\x08
c1 \xc2\x9b31m \xc2\x85 end
byte \x9b31m end
del \x7f end
turned \xe2\x80\xae txt \xe2\x81\xa6 \xe2\x80\xa8 \xd8\x9c end
format %s%n%100000d end
x\" event=trigger id=99 text=\"y
jaildaemon: event=trigger id=99
<11>Jan  1 00:00:00 su[1]: forged
back\\slash \"quoted\" \\\" end
nul \x00 end
half \xc3

plain ü end
END
}

# Neither C0 nor DEL, nor in UTF-8 C1 or a mark that turns what follows.
controls() {
	tr -d '\n' <"$1" | LC_ALL=C grep -a -o -E -e "$(printf \
	    '[\001-\037\177]|\302[\200-\237]|\330\234')" -e "$(printf \
	    '\342\200[\216\217\250-\256]|\342\201[\246-\251]')" | od -An -c
}

# clean FILE: fit to be seen.
clean() {
	is "$(controls "$1")" "" "no control character, nor a misleading one"
	is "$(tr -dc '\000' <"$1" | wc -c | tr -d ' ')" 0 "nor a NUL"
	ok "it is UTF-8" iconv -f UTF-8 -t UTF-8 "$1"
}

# A line is an event: names, and values that are numbers, words or quoted.
event='event=[a-z-]+( [a-z-]+=("([^"\\]|\\.)*"|[^" ]*))*'

clean_log() {
	clean "$1"
	is "$(LC_ALL=C grep -aEvx -e "jaildaemon: $event" "$1")" "" \
	    "each line of the log is an event's, and whole"
}

# line STATUS ERE COMMAND...: what it says on a terminal is one clean line.
line() {
	_want=$1 _like=$2
	shift 2
	"$@" >"$T/stdout" 2>"$T/line" </dev/null
	is "$?" "$_want" "is refused"
	ok "in one line" one_line_like "$T/line" "$_like"
	clean "$T/line"
}

# -- what a command prints -------------------------------------------------

outputs() {
	sed -n "s/.*event=output id=$1 text=\"\(.*\)\"\$/\1/p" "$D/log"
}

output() {
	nasty >"$T/nasty"
	shown >"$T/shown"
	ok "arm" arm a NASTY "cat $T/nasty; exit 5"
	ok "HUP" fire a NASTY
	ok "runs the command" \
	    wait_for 5 log_has 'event=run-end .*status=5'
	_id=$(log_id NASTY)
	wait_for 5 log_has 'text="plain'
	is "$(outputs "$_id")" "$(cat "$T/shown")" \
	    "the output is in the log, escaped"
	# A long line becomes several, which end between characters.
	ok "arm one with a long line" arm a WIDE \
	    "head -c 9000 /dev/zero | sed 's/\\x00/ü\"/g'"
	ok "HUP" fire a WIDE
	_id=$(log_id WIDE)
	ok "it ends" wait_for 5 log_has "event=run-end id=$_id "
	wait_for 5 is_wide
	is "$(wide)" 27000 "no byte of it is lost"
	clean_log "$D/log"
}

wide() {
	outputs "$_id" | tr -d '\n\134' | wc -c | tr -d ' '
}

is_wide() {
	[ "$(wide)" -ge 27000 ]
}

# -- what is asked for -----------------------------------------------------

titles() {
	_title="%s%n%100000d\" event=trigger id=99 title=\"$turn\\"
	ok "arm with a title" arm a "$_title" ": ${turn}%s%n" -r
	ok "the log has it, escaped" grep -Fq 'title="%s%n%100000d\" event=trigger id=99 title=\"\xe2\x80\xae\\"' \
	    "$D/log"
	ok "and the command" \
	    grep -Fq 'command=": \xe2\x80\xae%s%n"' "$D/log"
	_ends=$(log_count event=run-end)
	ok "HUP" peek a pkill -HUP -x jailprobe
	ok "works" wait_for 5 has_ended "$_ends"
	# What comes back later is told later.
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid a)" >/dev/null
	ok "and goes" wait_for 10 lists_nothing
	for _bad in "a\\033[31mb" "a\\nevent=trigger id=99" "a\\302\\233b" \
	    "a\\177b"; do
		# shellcheck disable=SC2059
		line 65 'title has a control character' \
		    arm a "$(printf "$_bad")" :
	done
	clean_log "$D/log"
}

talk() {
	socat -t 5 - "UNIX-CONNECT:$D/sock"
}

# What jails are called comes from the utility, or whoever speaks for it.
names() {
	_pid=$(jail_pid a)
	like "$(printf '{"v":1,"verb":"arm","command":":","pid":%d,"title":"NAMED","jail":"%s"}\n' \
	    "$_pid" "%s%n\\u202e\\\"\\\\ x" | talk)" '"ok": *true' \
	    "a jail's name"
	ok "the log has it, escaped" \
	    grep -Fq 'jail="%s%n\xe2\x80\xae\"\\ x"' "$D/log"
	printf '{"v":1,"verb":"arm","command":":","pid":%d,"jail":"%s"}\n' \
	    "$_pid" 'a\nevent=trigger\u001b' | talk >"$T/answer"
	like "$(cat "$T/answer")" "name has a control character" \
	    "one with a control character is refused"
	_ends=$(log_count event=run-end)
	fire a NAMED
	ok "its command ends" wait_for 10 has_ended "$_ends"
	clean_log "$D/log"
}

# has_ended N: one more run than N.
has_ended() {
	[ "$(log_count event=run-end)" -gt "$1" ]
}

requests() {
	_n=$(lines <"$D/log")
	printf '%s\n' '{"v":1,"verb":"ping","a\u001b[31m\n\"\\\u009b\u202e%n":1}' |
	    talk >"$T/answer"
	ok "an unknown key is named, in a reply that is clean" grep -Fq \
	    '"error":"unknown key \"a\\x1b[31m\\n\"\\\\xc2\\x9b\\xe2\\x80\\xae%n\""' \
	    "$T/answer"
	ok "and in the log, escaped once" grep -Fq \
	    'text="unknown key \"a\x1b[31m\n\"\\\xc2\x9b\xe2\x80\xae%n\""' \
	    "$D/log"
	printf '%s\n' '{"v":1,"verb":"a\u001b\u202e\"%n"}' | talk >"$T/answer"
	ok "so is an unknown verb" grep -Fq \
	    'text="unknown verb \"a\x1b\xe2\x80\xae\"%n\": expected' "$D/log"
	printf '{"v":1,"verb":"ping" \033[31m\302\233%s}\n' "$turn" |
	    talk >"$T/answer"
	like "$(cat "$T/answer")" 'not one JSON object' "and what is no JSON"
	clean "$T/answer"
	is "$(($(lines <"$D/log") - _n))" 3 "a line in the log for each"
	clean_log "$D/log"
}

# -- what a terminal sees --------------------------------------------------

# engine ANSWER-COMMAND: the engine incus is this.
engine() {
	printf '#!/bin/sh\n%s\n' "$1" >"$T/incus"
}

engines() {
	engine :
	chmod 755 "$T/incus"
	jail_program incus "$T/incus"
	nasty >"$T/nasty"
	nasty | sed -n 1,6p | tr '\n' ' ' >"$T/nasty.line"
	engine "cat $T/nasty.line >&2; exit 1"
	line 68 'incus: red .x1b' jd -c : -j incus:web
	engine "cat $T/nasty >&2; exit 1"
	line 68 'incus: red .x1b' jd -c : -j incus:web
	engine "cat $T/nasty"
	line 68 'not understood' jd -c : -j "incus:web$turn"
	engine "echo '{\"pid\": 0, \"status\": \"Stopped\"}'"
	line 68 'is not running' jd -c : -j "incus:web$turn"
	engine "echo '{\"pid\": 1, \"status\": \"Running\", \"id\": \"$turn\"}'"
	line 68 'no container' jd -c : -j "incus:web$turn"
	for _bad in "incus:a\\033b" "\\033:a" "incus:a\\302\\233" "incus:a\\nb" \
	    "incus:a\\377"; do
		# shellcheck disable=SC2059
		line 65 '^jaildaemon: ' jd -c : -j "$(printf "$_bad")"
	done
	line 65 'is no container engine' jd -c : -j "$turn:web"
	line 65 "is no container's name" jd -c : -j "incus:-f$turn"
	engine "echo '{\"pid\": $(jail_pid a), \"status\": \"Running\"}'"
	ok "a container that is called so" \
	    jd -c : -j "incus:web${turn}%n\"" -t CALLED
	ok "is in the log so, escaped" \
	    grep -Fq 'jail="web\xe2\x80\xae%n\""' "$D/log"
	ok "HUP" fire a CALLED
	jail_program_back incus
	clean_log "$D/log"
}

# A daemon that is none of ours, or an old one.
answers() {
	printf '%s\n' "$1" >"$T/answer"
	rm -f "$T/false"
	socat "UNIX-LISTEN:$T/false" "SYSTEM:head -n 1 >/dev/null; cat $T/answer" &
	wait_for 5 test -S "$T/false"
}

daemons() {
	_bad='a\u001b[31m\n\r\u009b\u007f\u202e\u2028 end'
	answers "{\"v\":1,\"ok\":false,\"status\":65,\"error\":\"$_bad\"}"
	line 65 'end$' "$JAILDAEMON" -f "$T/false" -c : -j "$(jail_pid a)"
	answers "{\"v\":1,\"ok\":true,\"id\":1,\"warning\":\"$_bad\"}"
	line 0 'end$' "$JAILDAEMON" -f "$T/false" -c : -j "$(jail_pid a)"
	answers "{\"v\":1,\"$_bad\":false}"
	line 76 'not understood' "$JAILDAEMON" -f "$T/false" -c : \
	    -j "$(jail_pid a)"
	_where=$(printf '%s/a\033[31m\302\233\n%s' "$T" "$turn")
	line 69 'no daemon at' "$JAILDAEMON" -f "$_where/sock" -c : \
	    -j "$(jail_pid a)"
	line 73 'folder' "$JAILDAEMON" -D -d -f "$_where/sock" -p "$T/text.pid" \
	    -S "$T/text.state"
	line 73 'pid file' "$JAILDAEMON" -D -d -f "$T/text.sock" \
	    -p "$_where/pid" -S "$T/text.state"
	line 64 'is no option' "$JAILDAEMON" -D "$_where"
	line 64 'unknown option' "$JAILDAEMON" -D "-$(printf '\033')"
}

# -- what the system is called ---------------------------------------------

# Control groups are called what their container likes.  Only a daemon that is
# not root goes on where it cannot write to one.
groups() {
	_c=$(jail_cgroup_mounts | while read -r _m; do
		[ ! -e "$_m/$JAIL_RUN/cgroup.procs" ] || echo "$_m/$JAIL_RUN"
	done | tail -n 1)
	_c=$_c/$(printf 'a\033[31m" event=trigger id=99 \302\233%s' "$turn")
	mkdir "$_c"
	chmod 711 "$T"
	cp "$JAILDAEMON" "$T/jaildaemon"
	daemon_dir user
	chown 1000:1000 "$D"
	(
		echo 0 >"$_c/cgroup.procs"
		exec setpriv --reuid 1000 --regid 1000 --clear-groups \
		    unshare -U -p -f --kill-child sleep 300 2>/dev/null
	) &
	_outer=$!
	wait_for 10 pgrep -P "$_outer" -x sleep
	_pid=$(pgrep -P "$_outer" -x sleep)
	for _f in uid_map gid_map; do
		echo "0 1000 1" >"/proc/$_pid/$_f"
	done
	setpriv --reuid 1000 --regid 1000 --clear-groups "$T/jaildaemon" -D -d \
	    -f "$D/sock" -p "$D/pid" -S "$D/state" >"$D/out" 2>"$D/log" &
	DPID=$!
	echo "$DPID" >"$D/daemon"
	wait_for 10 daemon_is_up
	setpriv --reuid 1000 --regid 1000 --clear-groups "$T/jaildaemon" \
	    -f "$D/sock" -c : -j "$_pid" -t GROUP
	ok "log: the control group" log_has 'event=cgroup .*text="cannot move'
	clean_log "$D/log"
	kill -9 "$_pid"
	wait "$_outer" 2>/dev/null
	daemon_stop
	is "$?" 0 "a user's daemon ends in order"
	wait_for 10 rmdir "$_c"
	daemon_dir d
}

# -- through syslog --------------------------------------------------------

# A datagram is a line, so none may have a newline in it.
syslog() {
	daemon_dir syslog
	daemon_start_syslog
	is "$?" 0 "a daemon with a syslogd"
	nasty >"$T/nasty"
	arm a "%s%n$turn" "cat $T/nasty; exit 5"
	ok "HUP" peek a pkill -HUP -x jailprobe
	ok "runs the command" wait_for 5 log_has 'event=run-end .*status=5'
	printf '%s\n' '{"v":1,"verb":"ping","a\u001b[31m\n%n":1}' | talk \
	    >/dev/null
	wait_for 5 log_has 'text="plain'
	daemon_stop
	wait_for 5 log_has event=stop
	kill "$(cat "$D/socat")"
	is "$(tr -dc '\n' <"$D/log" | wc -c | tr -d ' ')" 0 "no newline"
	clean "$D/log"
	# Each of ours begins with a priority and a date.
	sed -E 's/<(2[4-9]|3[01])>([A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} )/\n/g' \
	    "$D/log" | sed 1d >"$D/log.lines"
	is "$(LC_ALL=C grep -aEvx -e "jaildaemon\\[$DPID\\]: $event" \
	    "$D/log.lines")" "" "each is an event's, and whole"
	shown >"$T/shown"
	is "$(sed -n 's/.*event=output id=[0-9]* text="\(.*\)"$/\1/p' \
	    "$D/log.lines")" "$(cat "$T/shown")" "the output is there, escaped"
	daemon_dir d
}

if ! jail_start unshare a || ! daemon_start; then
	fail "no jail, or no daemon"
	done_testing
fi
[ $# -gt 0 ] || set -- output titles names requests engines daemons groups \
    syslog
for part; do
	tap_group=$part
	"$part"
done
tap_group=
daemon_stop
is "$?" 0 "the daemon ends in order"
unlike "$(cat "$T"/*/log)" "event=bug|Sanitizer|runtime error" \
    "with nothing to confess"
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
