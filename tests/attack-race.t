#!/bin/sh
# A hostile container races the attaching: it traces each new probe at its
# first instant, with every capability and without a user namespace.
#
# shellcheck disable=SC1091,SC2119,SC2154

here=$(dirname "$0")
. "$here/lib/setup.sh"
. "$here/attack/attack.sh"

needle="command-of-the-other-jail"

# Nothing of the daemon, of the host or of another jail is ever seen.
race() {
	_arms=$(chosen 200 1000)
	ok "an action of another jail" arm b NEEDLE ": $needle"
	spy a watch 600 "$needle"
	wait_for 5 peek a pgrep -x spy
	load_arm a "$_arms" WATCHED >"$T/load"
	is "$?" 0 "$_arms arms under the eyes of a tracer are answered"
	diag_file "$T/load"
	at_least "$(word ok <"$T/load")" $((_arms * 9 / 10)) "with success"
	spy_ends a
	diag_file "$T/spy.a"
	at_least "$(spied a caught)" $((_arms / 10)) "probes are traced"
	at_least "$(spied a early)" 1 "some before they reported"
	is "$(spied a capable)" 0 "none has a capability"
	is "$(spied a mapped)" 0 "or a mapping of the daemon's"
	is "$(spied a needle)" 0 "or another action's command in memory"
	is "$(spied a sockets)" 0 "or a descriptor but a pipe and a counter"
	is "$(spied a open)" 0 "or is not in a sandbox"
	is "$(spied a foreign)" 0 "or is in other control groups than the jail"
	is "$(spied a environ)" 0 "or has an environment"
	peek a pkill -HUP -f "^jailprobe: WATCHED"
	ok "and all can be triggered" wait_for 20 no_probes_in a
	peek b pkill -HUP -x -f "jailprobe: NEEDLE"
}

no_probes_in() {
	! peek "$1" pgrep -x jailprobe
}

# provoked ATTACK,... TIMES: each so often on a probe of a that has not
# reported yet.  Arms go on beside each other, since some take until their
# deadline.
provoked() {
	_wanted=$(($2 * $(echo "$1" | tr ',' '\n' | lines))) _arms=0
	spy a "$1" 600 "$2"
	rm -f "$T"/load.*
	_loads='' _until=$(($(now) + 60000))
	while ! early_is a "$_wanted" && [ "$_arms" -lt 1000 ] &&
	    [ "$(now)" -lt "$_until" ] && alive "$DPID"; do
		_arms=$((_arms + 1))
		load_arm a 1 "A-$_arms-$1" >"$T/load.$_arms" &
		_loads="$_loads $!"
		sleep 0.02
	done
	# Without a name it would wait for the jails, too.
	# shellcheck disable=SC2086
	[ -z "$_loads" ] || wait $_loads
	at_least "$(spied a early)" "$_wanted" "attacks: $1"
	is "$(cat "$T"/load.* | grep -c -e ' ok=1 ' -e ' refused=1 ')" \
	    "$_arms" "each is answered"
}

# attacked ATTACK,... TIMES: the same, and meanwhile and afterwards the daemon
# serves others.
attacked() {
	pings 600
	_cpu=$(daemon_cpu) _start=$(now)
	provoked "$@"
	_cpu=$(($(daemon_cpu) - _cpu)) _ms=$(($(now) - _start))
	kill -TERM "$pings"
	wait "$pings" 2>/dev/null
	at_most "$(cat "$T"/load.* | tr ' ' '\n' | sed -n 's/^max=//p' |
	    sort -n | tail -n 1)" 5500000 "us at most"
	# A hundredth of a second is ten milliseconds; an arm may cost two.
	at_most $((_cpu * 10)) $((_ms / 20 + (_arms * 2 + 200) * SLOWER)) \
	    "ms of CPU time: the daemon does not spin"
	at_most "$(word max <"$T/pings")" 2000000 "us for any other answer"
	ok "the daemon lives" alive "$DPID"
	serves "and serves another jail"
}

# What lives in the jail under the probes' name, and each one's parent.
living() {
	for _p in $(pgrep --ns "$(jail_pid a)" --nslist pid -x jailprobe); do
		read -r _ _ _state _ppid _ <"/proc/$_p/stat" || continue
		[ "$_state" = Z ] || echo "$_p $_ppid"
	done 2>/dev/null
}

in_own_cgroup() {
	living | while read -r _p _; do
		cat "/proc/$_p/cgroup" >"$T/cgroup" || continue
		cmp "$T/cgroup" "/proc/$(jail_pid a)/cgroup" ||
		    { sleep 0.2; not alive "$_p"; } || exit 1
	done
}

# No child of the daemon's in the jail but those that it has armed.
no_strangers() {
	sed -n 's/.*event=\(re\)*arm .* pid=\([0-9]*\) .*/\2/p' "$D/log" \
	    >"$T/armed"
	! living | sed -n "s/ $DPID\$//p" | grep -v -F -x -f "$T/armed"
}

end_probes() {
	peek a pkill -KILL -x jailprobe
	wait_for 20 no_probes_in a
}

# refuses ATTACK WORDS [TIMES]: an arm whose probe reports that is refused.
refuses() {
	_before=$(log_count "event=refuse .*text=.*$2")
	provoked "$1" "${3:-1}"
	at_least "$(log_count "event=refuse .*text=.*$2")" \
	    $((_before + ${3:-1})) "refused: $2"
	spy_ends a
}

# slowly COMMAND...: with a daemon that stands still for most of the time, so
# that it finds what the jail added together with what the stub did.
slowly() {
	while kill -STOP "$DPID"; do
		sleep 0.02
		kill -CONT "$DPID" || break
		sleep 0.001
	done 2>/dev/null &
	_slowing=$!
	"$@"
	kill "$_slowing"
	wait "$_slowing" 2>/dev/null
	kill -CONT "$DPID"
}

# What a jail can add to the counter, one by one.
reports() {
	tap_group=reports
	refuses other-pid "a process that is not a new probe"
	slowly refuses other-pid "a process that is not a new probe" 10
	refuses again "a process that is not a new probe"
	refuses failed "an unknown step" 8
	refuses shed "a report was not one of a probe"
	refuses more "a report was not one of a probe"
	serves "the daemon serves another jail"
	end_probes
	tap_group=
}

forged() {
	tap_group=forged
	_nice=$(ps -o ni= -p "$DPID")
	attacked "junk,ready,take,lead,rights,hold,renice-group,keyring" \
	    "$(chosen 1 20)"
	is "$(spied a lead)" 0 "no descriptor leads out of the jail"
	is "$(spied a rights)" 0 "or passes descriptors on"
	is "$(ps -o ni= -p "$DPID")" "$_nice" "the daemon's priority is its own"
	ok "arm" arm b RING "'$ATTACK/spy' keyring >$M/ring"
	peek b pkill -HUP -x -f "jailprobe: RING"
	ok "a run" wait_for 5 test -s "$M/ring"
	unlike "$(cat "$M/ring")" "jdtest" "has another session keyring"
	spy_ends a
	provoked ring 2
	is "$(grep session= "$T/spy.a" | sort -u | lines)" 2 \
	    "each probe has a session keyring of its own"
	spy_ends a
	end_probes
	tap_group=
}

# Probes that one stub makes: those for which nobody waits, and which find their
# jail's share used up.
together() {
	tap_group=together
	load_arm a 40 T after >"$T/load"
	is "$(word ok <"$T/load")" 40 "actions"
	spy a watch 600 "$needle"
	lost_together watched
	spy_ends a
	diag_file "$T/spy.a"
	for _what in capable mapped sockets open foreign environ; do
		is "$(spied a "$_what")" 0 "watched: none is $_what"
	done
	spy a junk,other-pid,again,failed,shed,more,ready,take,close 600 2
	lost_together attacked
	spy_ends a
	peek a pkill -KILL -x -f "jailprobe: T-.*"
	ok "all are back" wait_for 60 back_together
	is "$(titles | sort -u | lines)" 40 "each under its title"
	ok "each is where its action is" own_titles
	is "$(for _p in $(peek a pgrep -x jailprobe); do
		peek a ls "/proc/$_p/fd"
	done)" "" "and has no descriptor"
	serves "the daemon serves another jail"
	"$JAILDAEMON" disarm -f "$D/sock" -j "$(jail_pid a)" >/dev/null
	end_probes
	tap_group=
}

# lost_together WORD: again and again, until the spy has caught enough.
lost_together() {
	_until=$(($(now) + 60000)) _n=0
	while ! early_is a 8 && [ "$(now)" -lt "$_until" ]; do
		peek a pkill -KILL -x jailprobe
		sleep 1.5
		_n=$((_n + 1))
		[ "$1" = attacked ] || [ "$_n" -lt 5 ] || break
	done
	[ "$1" = watched ] || at_least "$(spied a early)" 8 "attacks"
}

titles() {
	peek a pgrep -a -x jailprobe | sed -n 's/^[0-9]* jailprobe: T-/T-/p'
}

back_together() {
	[ "$("$JAILDAEMON" list -f "$D/sock" -j "$(jail_pid a)" -J |
	    grep -c '"state":"armed"')" -eq 40 ] && [ "$(titles | lines)" -ge 40 ]
}

own_titles() {
	"$JAILDAEMON" list -f "$D/sock" -j "$(jail_pid a)" -J |
	    probes_titles >"$T/shall"
	while read -r _p _t; do
		[ "$(tr -d '\0' <"/proc/$_p/cmdline")" = "jailprobe: $_t" ] ||
		    return 1
	done <"$T/shall"
	[ "$(lines <"$T/shall")" -eq 40 ]
}

# The filter that a probe is born in, against who cannot suspend it.
confined() {
	tap_group=confined
	provoked confined 7
	is "$(spied a allowed)" 0 "whatever it is made to call is its end"
	spy_ends a
	if peek a /spy has-compat; then
		provoked compat 2
		is "$(spied a allowed)" 0 "by the other numbers, too"
		spy_ends a
	fi
	end_probes
	tap_group=
}

withheld() {
	tap_group=withheld
	attacked "withhold,close,zombie,kill-group" 1
	at_least "$(zombies | lines)" 1 "a zombie is held"
	_cpu=$(daemon_cpu)
	sleep 2
	at_most $((($(daemon_cpu) - _cpu) * 10)) $((40 * SLOWER)) \
	    "ms of CPU time, meanwhile"
	spy_ends a
	ok "what is released is reaped" wait_for 5 no_zombies
	withheld_again
	end_probes
	tap_group=
}

# Many of them: there is an end to what one jail may hold.
withheld_again() {
	_most=$(sed -n 's/^#define[[:space:]]*PROBE_LEFTOVERS_MAX[[:space:]]*//p' \
	    "$here/../src/probe.h")
	provoked zombie "$_most"
	at_least "$(zombies | lines)" "$_most" "zombies are held"
	load_arm a 1 MORE >"$T/load"
	is "$(word refused <"$T/load")" 1 "then no more is attached"
	like "$(cat "$T/load")" "earlier probes of this jail have not ended" \
	    "with words"
	spy_ends a
	ok "when they are released they are reaped" wait_for 5 no_zombies
	load_arm a 1 "BACK" >"$T/load"
	is "$(word ok <"$T/load")" 1 "and there is room again"
}

# A HUP that comes while a probe is attached is a trigger.
early() {
	tap_group=early
	_n=$(chosen 20 100)
	: >"$T/refused"
	spy a hangup 600 "$_n"
	_arms=0
	while ! early_is a "$_n" && [ "$_arms" -lt 1000 ]; do
		_arms=$((_arms + 1))
		arm a "EARLY-$_arms" "echo x >>$M/early" >>"$T/refused" 2>&1
	done
	at_least "$(spied a early)" "$_n" "probes are hung up at their birth"
	is "$(cat "$T/refused")" "" "each is armed"
	ok "each runs its command, none is lost" \
	    wait_for 10 marked early "$(spied a early)"
	is "$(mark early)" "$(spied a early)" "once"
	spy_ends a
	end_probes
	tap_group=
}

# Stopped before it is tied to the daemon's life: when that ends, it has to
# see so by itself.
orphaned() {
	tap_group=orphaned
	provoked_orphans=3
	spy a hold-all 600 "$provoked_orphans"
	_arms=0
	while ! early_is a "$provoked_orphans" && [ "$_arms" -lt 100 ]; do
		_arms=$((_arms + 1))
		load_arm a 1 "ORPHAN-$_arms" >/dev/null 2>&1 &
		sleep 0.1
	done
	at_least "$(spied a early)" "$provoked_orphans" \
	    "probes are held at their birth"
	daemon_kill9
	spy_ends a
	ok "the daemon is killed: none lives on" wait_for 5 no_probes_in a
	ok "another daemon" daemon_start
	fds=$(daemon_fds) rss=$(daemon_rss)
	tap_group=
}

# A stop that is told to the daemon, its tracer against its will, is no end,
# whatever signal it stops with.
traced() {
	tap_group=traced
	_before=$(log_count event=trigger)
	provoked traceme 1
	ok "nothing stays that has the daemon for a tracer" \
	    wait_for 15 not traced_by_us
	is "$(log_count event=trigger)" "$_before" "a stop is no trigger"
	spy_ends a
	end_probes
	tap_group=
}

forced() {
	tap_group=forced
	attacked "fork,clone,strangers,traceme" 1
	zombies >"$T/zombies"
	sleep 1
	zombies >"$T/zombies.later"
	# Four are the jail's to release.
	at_most "$(grep -c -F -x -f "$T/zombies" "$T/zombies.later")" 4 \
	    "strangers are reaped within a second"
	at_least "$(living | lines)" 3 "some processes are there"
	ok "what a jail makes of a probe is in its control groups" \
	    in_own_cgroup
	spy_ends a
	ok "what it cloned is killed" wait_for 15 no_strangers
	ok "nothing stays that has the daemon for a tracer" \
	    wait_for 15 not traced_by_us
	end_probes
	tap_group=
}

traced_by_us() {
	grep -l "^TracerPid:[[:space:]]*$DPID\$" /proc/[0-9]*/status 2>/dev/null |
	    grep .
}

# Signals of all kinds to whatever appears.
hammer() {
	tap_group=hammer
	_rss=$(daemon_rss) _fds=$(daemon_fds)
	spy a hammer "$(chosen 3 10)"
	_end=$(($(now) + $(chosen 3 10) * 1000)) _n=0 _late=0
	while [ "$(now)" -lt "$_end" ]; do
		_n=$((_n + 1))
		load_arm a 10 "H-$_n" after >"$T/load" || _late=1
		[ "$(word max <"$T/load")" -le 5500000 ] || _late=1
	done
	is "$_late" 0 "no arm hangs"
	wait_for 20 grep -q hammer= "$T/spy.a"
	at_least "$(spied a hammer)" 10 "probes are hit"
	serves "the daemon serves another jail"
	ok "no zombie is left" wait_for 10 no_zombies
	tap_group=
}

# All is back where it was once the jail is gone.
back() {
	tap_group=back
	jail_end a
	ok "the jail ends at once" wait_for 5 not jail_alive a
	ok "descriptors are back" wait_for 20 fds_at_most "$fds"
	[ ! -e "$T/fds" ] || fds_at_most "$fds" || diag_file "$T/fds"
	ok "children too" wait_for 10 children_are 0
	[ "$SLOWER" -gt 1 ] || at_most "$(daemon_rss)" $((rss + 4096)) \
	    "memory is, but for the heap's"
	tap_group=
}

fds_at_most() {
	[ "$(daemon_fds)" -le "$1" ] || {
		ls -l "/proc/$DPID/fd" >"$T/fds"
		return 1
	}
}

if ! spy_root || ! jail_start unshare a || ! jail_start unshare b ||
    ! daemon_start; then
	fail "no jails, or no daemon"
	done_testing
fi
# What is cloned for the daemon counts there until that has reaped it; without a
# limit a jail can use up the host's numbers, with a probe or without.
if _pids=$(group pids.max); then
	echo 2000 >"$_pids"
else
	fail "no pids controller"
fi
[ $# -gt 0 ] || set -- race early reports forged together confined withheld traced forced orphaned hammer back
serves "the daemon works"
fds=$(daemon_fds) rss=$(daemon_rss)
for part; do
	"$part"
done
daemon_stop
is "$?" 0 "the daemon ends in order"
unlike "$(cat "$D/log")" "event=bug|Sanitizer|runtime error" \
    "with nothing to confess"
jail_cleanup
is "$(jail_leftovers)" "" "nothing is left"
done_testing
