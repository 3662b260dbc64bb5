#!/bin/sh
# What a service manager hears of the daemon, by the protocol of sd_notify(3).
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

# manager NAME: listens at $T/NAME; what it hears is in $T/NAME.heard.
manager() {
	socat -u "UNIX-RECV:$T/$1" "OPEN:$T/$1.heard,creat,append" &
	echo $! >>"$T/managers"
	wait_for 10 test -S "$T/$1"
}

managers_end() {
	xargs kill <"$T/managers" 2>/dev/null
}
tap_atexit managers_end

# heard NAME LINES: so many by now.
heard() {
	[ -e "$T/$1.heard" ] && [ "$(lines <"$T/$1.heard")" -ge "$2" ]
}

words() {
	tr '\n' ' ' <"$T/$1.heard"
}

daemon_prepare() {
	NOTIFY_SOCKET=$T/$notify
	export NOTIFY_SOCKET
}

in_background() {
	daemon_prepare
	daemon_start_away
	_rc=$?
	unset NOTIFY_SOCKET
	return "$_rc"
}

ok "a jail" jail_start unshare j
notify=one
ok "a manager" manager one
ok "the daemon starts" daemon_start
ok "is heard" wait_for 10 heard one 1
is "$(words one)" "READY=1 " "and is ready, once"
ok "an action that shows its environment" \
    arm j ENV "env >$M/env.new; mv $M/env.new $M/env"
ok "is triggered" fire j ENV
ok "and runs" wait_for 10 test -e "$M/env"
unlike "$(cat "$M/env")" NOTIFY "a command does not know the manager"
unlike "$(ls -l "/proc/$DPID/fd")" "$T/one" "nor has the daemon it open"

kill -HUP "$DPID"
ok "a reload is heard" wait_for 10 heard one 4
like "$(words one)" \
    '^READY=1 RELOADING=1 MONOTONIC_USEC=[0-9]+ READY=1 $' "with its end"
daemon_stop
is "$?" 0 "a stop"
ok "is heard" wait_for 10 heard one 5
like "$(words one)" 'READY=1 STOPPING=1 $' "and is the last"

# As the manager hears of it, a request is served.
daemon_dir early
notify=two
cat >"$T/on-ready" <<-END
	cat >$T/two.heard
	$JAILDAEMON -f $D/sock -c : -j $(jail_pid j) -t EARLY
	echo \$? >$T/two.status.new
	mv $T/two.status.new $T/two.status
END
socat -u "UNIX-RECVFROM:$T/two" "EXEC:sh $T/on-ready" &
echo $! >>"$T/managers"
ok "another manager" wait_for 10 test -S "$T/two"
ok "a daemon in the background" in_background
ok "is ready" wait_for 20 test -e "$T/two.status"
is "$(words two)" "READY=1 " "says so"
is "$(cat "$T/two.status")" 0 "and is"
daemon_stop

daemon_dir alone
notify=nobody
ok "without a manager, the daemon starts" daemon_start
ok "says so" wait_for 5 log_has 'event=notify error="No such file'
ok "and serves" arm j ALONE :
daemon_stop
is "$?" 0 "to its end"
done_testing
