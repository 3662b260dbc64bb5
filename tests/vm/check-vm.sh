#!/bin/sh
# The table of cases on a stock host: a Debian in a virtual machine, with
# systemd, AppArmor, cgroup v2 only, and the engines that Debian has.  QEMU
# emulates the processor, so this needs root, but no right to virtualise.
# Prints TAP.
#
#   sh tests/vm/check-vm.sh [image]      image: only makes the image
#
# Environment: BUILD; JAILDAEMON_VM, the folder that keeps the image;
# JAILDAEMON_VM_TIMEOUT, seconds; JAILDAEMON_TALLY, see tests/run.sh.
#
# shellcheck source-path=SCRIPTDIR
set -u
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
vm=$top/tests/vm
: "${BUILD:=build}" "${JAILDAEMON_VM_TIMEOUT:=1500}" "${MAKE:=make}"
. "$vm/image.sh"
cd "$top" || exit 1

complain() {
	echo "check-vm: $*" >&2
}

check_host() {
	[ "$(id -u)" -eq 0 ] || {
		complain "making the image needs root"
		exit 77
	}
	for _t in mmdebstrap mke2fs qemu-system-x86_64 flock; do
		command -v "$_t" >/dev/null || {
			complain "no $_t: install what" \
			    "tests/packages.debian-vm lists"
			exit 69
		}
	done
}

# A folder of the machine's, so that a clean checkout finds the image.
find_cache() {
	cache=${JAILDAEMON_VM:-${XDG_CACHE_HOME:-/var/cache}/jaildaemon-vm}
	if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
		cache=$top/$BUILD/vm
		mkdir -p "$cache" || exit 1
	fi
	exec 9>"$cache/lock"
	flock 9 || exit 1
}

# Emulated, a machine has no reason to guard against its processor, and every
# look at a clock but this one costs an exit to QEMU: half of all the time.
TUNING="mitigations=off tsc=reliable clocksource=tsc"

# boot DIRECTORY PAYLOAD [OPTION...]: what the guest says goes to stdout.
boot() {
	_dir=$1 _payload=$2
	shift 2
	timeout -k 5 "$JAILDAEMON_VM_TIMEOUT" qemu-system-x86_64 \
	    -M q35 -accel tcg,thread=multi -smp 2 -m 2048 -cpu max,la57=off \
	    -nodefaults -display none -no-reboot \
	    -kernel "$_dir/vmlinuz" -initrd "$_dir/initrd" \
	    -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 $TUNING" \
	    -drive "file=$_dir/disk,format=raw,if=virtio,cache=unsafe" \
	    -drive "file=$_payload,format=raw,if=virtio,read-only=on" \
	    -serial "file:$work/console" -serial stdio "$@" </dev/null
}

show_console() {
	complain "the last words on the guest's console:"
	tail -n 40 "$work/console" | tr -d '\r' | cut -c 1-300 >&2
}

make_image() {
	image=$cache/$(image_recipe)
	[ ! -e "$image/prepared" ] || return 0
	rm -rf --one-file-system "$cache/new"
	mkdir -m 700 "$cache/new"
	if ! image_make "$cache/new" >"$work/log" 2>&1; then
		tail -n 40 "$work/log" >&2
		complain "cannot make the image"
		return 1
	fi
	mkdir "$work/first" && cp "$vm/prepare.sh" "$work/first/start" &&
	tar -C "$work/first" -cf "$work/first.tar" . &&
	boot "$cache/new" "$work/first.tar" >"$work/log"
	grep -q "the image is prepared" "$work/log" || {
		cat "$work/log" >&2
		show_console
		complain "cannot prepare the image"
		return 1
	}
	: >"$cache/new/prepared"
	# What older recipes made is of no more use.
	find "$cache" -mindepth 1 -maxdepth 1 -type d ! -name new \
	    -exec rm -rf --one-file-system {} +
	mv "$cache/new" "$image"
}

# As a packager would: what `make install` installs, and nothing else.
make_payload() {
	mkdir -p "$work/payload/root"
	if ! "$MAKE" -s BUILD="$BUILD" DESTDIR="$work/payload/root" install \
	    >"$work/log" 2>&1; then
		cat "$work/log" >&2
		complain "make install failed"
		return 1
	fi
	cp "$vm/guest.sh" "$work/payload/start" &&
	cp "$top/tests/lib/tap.sh" "$work/payload/" &&
	tar -C "$work/payload" -cf "$work/payload.tar" .
}

# Whole and without a failure?
judge() {
	passed=$(grep -c '^ok' "$work/tap")
	failed=$(grep -c '^not ok' "$work/tap")
	planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$work/tap")
	if [ "$((passed + failed))" -ne "${planned:--1}" ]; then
		complain "$passed ok, $failed not ok, planned" \
		    "${planned:-nothing}"
		show_console
		failed=$((failed + 1))
	fi
	[ -z "${JAILDAEMON_TALLY:-}" ] ||
	    echo "$passed $failed" >>"$JAILDAEMON_TALLY"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

check_host
find_cache
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
make_image || exit 1
[ "${1:-}" != image ] || exit 0
make_payload || exit 1
boot "$image" "$work/payload.tar" -snapshot | tr -d '\r' | tee "$work/tap"
judge
