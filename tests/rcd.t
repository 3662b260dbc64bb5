#!/bin/sh
# FreeBSD: the daemon as a service, by its script of rc.d and rc.subr(8).
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317

here=$(dirname "$0")
. "$here/lib/setup.sh"

if [ ! -r /etc/rc.subr ]; then
	skip "no rc.subr here"
	done_testing
fi

mkdir "$T/sbin" "$T/etc"
cp "$JAILDAEMON" "${JAILDAEMON%/*}/jailprobe" "$T/sbin/"
sed -e "s,@SBINDIR@,$T/sbin,g" -e "s,@SYSCONFDIR@,$T/etc,g" \
    "$here/../etc/jaildaemon.rc" >"$T/rc"
conf=$T/etc/jaildaemon.conf
D=$T/d

# service WORD: as service(8) does it.  The daemon has no file of actions but
# the one that it is told.
service() {
	env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin \
	    jaildaemon_enable="$enable" jaildaemon_pidfile="$D/pid" \
	    jaildaemon_flags="-f $D/sock -S $D/state" \
	    jaildaemon_conf="$conf" \
	    jaildaemon_login_class=default sh "$T/rc" "$1"
}

# says STATUS ERE WORD: what the script says, in one line.
says() {
	_said=$(service "$3" 2>&1)
	_said="$? $(echo "$_said" | tr '\n' ' ')"
	echo "$_said"
	echo "$_said" | grep -Eq -e "^$1 $2"
}

service_cleanup() {
	[ ! -s "$D/pid" ] || kill -9 "$(cat "$D/pid")" 2>/dev/null
}
tap_atexit service_cleanup

pid() {
	cat "$D/pid"
}

enable=NO
: >"$conf"
ok "a jail" jail_start freebsd a
ok "not enabled" says 0 'Cannot .start. jaildaemon. Set jaildaemon_enable' start
nok "it does not start" test -e "$D/pid"
ok "its variable" says 0 '.*jaildaemon_enable="NO"' rcvar
ok "what it is" says 0 'Run fixed commands' describe
ok "nothing runs" says 1 'jaildaemon is not running' onestatus

enable=YES
ok "what it can do" says 0 'reload check' extracommands
ok "starts" says 0 'Starting jaildaemon' start
pid=$(pid)
ok "says so" says 0 "jaildaemon is running as pid $pid" status
ok "but once" says 1 "jaildaemon already running.*$pid" start
ok "an action" "$JAILDAEMON" -f "$D/sock" -j "$(jail_id a)" -t SERVED \
    -c "echo x >>$M/served"
ok "is triggered" fire a SERVED
ok "and runs" wait_for 10 marked served 1

ok "reloads" says 0 '' reload
ok "with nothing to say" test -z "$(service check 2>&1)"
echo '-t X' >"$conf"
for _w in check reload restart; do
	ok "a broken file: $_w says where" says 1 '.*jaildaemon.conf:1: ' "$_w"
done
is "$(pid)" "$pid" "and the daemon goes on"
echo "-j '$(jail_name a)' -r -t FILED -c :" >"$conf"
ok "a file that is right" says 0 '' reload
ok "is armed" wait_for 10 probe_pid a FILED

ok "restarts" says 0 'Stopping jaildaemon.*Starting jaildaemon' restart
ok "with another daemon" test "$(pid)" -ne "$pid"
ok "that has the file" wait_for 10 probe_pid a FILED
ok "stops" says 0 'Stopping jaildaemon' stop
ok "leaves nothing" no_probes a
is "$(find "$D" -name 'pid*' -o -name 'sock*')" "" "not even a file"
ok "says so" says 1 'jaildaemon is not running' status
rm "$conf"
conf=
ok "starts without a file" says 0 'Starting' start
ok "can be reloaded all the same" says 0 '' reload
ok "stops at last" says 0 'Stopping' stop
done_testing
