#!/bin/sh
# The table of cases on a stock host: a Debian in a virtual machine, with
# systemd, AppArmor, cgroup v2 only, and the engines that Debian has.  QEMU
# emulates the processor, so this needs root, but no right to virtualise.
# Prints TAP.
#
#   sh tests/vm/check-vm.sh [GROUP ...]   all groups of guest.sh, or those
#   sh tests/vm/check-vm.sh image [GROUP] only makes the image, that for GROUP
#
# Environment: BUILD, MAKE
#   JAILDAEMON            a program to be tested instead of what `make install`
#                         installs
#   JAILDAEMON_VM         the folder that keeps the images; 1 GB each
#   JAILDAEMON_VM_FILES   files that the guest finds in /run/vm/files
#   JAILDAEMON_VM_TIMEOUT seconds after which the guest is given up
#   JAILDAEMON_TALLY      see tests/run.sh
#
# shellcheck disable=SC2086
set -u
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
vm=$top/tests/vm
: "${BUILD:=build}" "${JAILDAEMON_VM_TIMEOUT:=2400}" "${MAKE:=make}" "${CC:=cc}"
case ${JAILDAEMON:-} in
'' | /*) ;;
*)	JAILDAEMON=$(pwd)/$JAILDAEMON ;;
esac
cd "$top" || exit 1
. "$vm/package.sh"

complain() {
	echo "check-vm: $*" >&2
}

# -- whatever is started ends with this script, however that ends ----------

work=
child=
new=

# limited SECONDS COMMAND...: to be started in the background.
limited() {
	_s=$1
	shift
	exec setpriv --pdeathsig KILL timeout -s KILL "$_s" \
	    setpriv --pdeathsig KILL "$@"
}

finish() {
	_status=$?
	trap '' HUP INT TERM
	trap - EXIT
	[ -z "$child" ] || {
		kill -KILL "$child"
		wait "$child"
	} 2>/dev/null
	# What was killed may take a moment to go.
	for _try in 1 2 3 4 5; do
		rm -rf --one-file-system ${new:+"$new"} ${work:+"$work"} &&
		    break
		sleep 1
	done
	exit "$_status"
}

# attend: waits for the last one that was started; its status.
attend() {
	child=$!
	wait "$child"
	_status=$?
	child=
	return "$_status"
}

# -- the image -------------------------------------------------------------

check_host() {
	[ "$(uname -sm)" = "Linux x86_64" ] || {
		complain "needs Linux on x86-64, this is $(uname -sm)"
		exit 69
	}
	[ "$(id -u)" -eq 0 ] || {
		complain "making the image needs root"
		exit 77
	}
	_needs="mmdebstrap mke2fs flock setpriv unshare"
	[ "$1" = image ] || _needs="$_needs qemu-system-x86_64"
	for _t in $_needs; do
		command -v "$_t" >/dev/null || {
			complain "no $_t: install what" \
			    "tests/packages.debian-vm lists"
			exit 69
		}
	done
}

# What the groups ask for: which of image.sh's variants, what the names of the
# folders of its images begin with, and how long one may take, in seconds; a
# module is built in an hour, if the machine has other work to do.
choose_variant() {
	case " $* " in
	*" recipe_zfs "*)
		variant=zfs
		prefix=zfs-
		timeout_image=7200 ;;
	*)	variant=engines
		prefix=
		timeout_image=2400 ;;
	esac
}

# A folder of the machine's, so that a clean checkout finds the image.
find_cache() {
	cache=${JAILDAEMON_VM:-${XDG_CACHE_HOME:-/var/cache}/jaildaemon-vm}
	if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
		cache=$top/$BUILD/vm
		mkdir -p "$cache" || exit 1
	fi
	image=$cache/$prefix$(sh "$vm/image.sh" "$variant" recipe)
}

# Many may use a variant's images, only one may change them.
get_image() {
	exec 9>"$cache/${prefix}lock"
	flock -s 9 || return 1
	[ ! -e "$image/disk" ] || return 0
	flock 9 || return 1
	[ -e "$image/disk" ] || make_image || return 1
	flock -s 9
}

make_image() {
	_start=$(date +%s)
	new=$cache/${prefix}new
	rm -rf --one-file-system "$new"
	mkdir -m 711 "$new" || return 1
	TMPDIR=$work limited "$timeout_image" \
	    unshare -mpf --mount-proc --kill-child \
	    sh "$vm/image.sh" "$variant" "$new" </dev/null >"$work/log" 2>&1 &
	attend || {
		tail -n 40 "$work/log" >&2
		complain "cannot make the image, status $_status"
		return 1
	}
	# What older recipes of the variant made is of no more use.
	find "$cache" -mindepth 1 -maxdepth 1 -type d -name "${prefix}[0-9a-f]*" \
	    -exec rm -rf --one-file-system {} +
	mv "$new" "$image" || return 1
	new=
	echo "# the image took $(($(date +%s) - _start)) s"
}

# -- the run ---------------------------------------------------------------

# As a packager would: what `make install` installs, and nothing else.
make_payload() {
	_root=$work/payload/root
	mkdir -p "$_root" "$work/payload/files" || return 1
	if [ -n "${JAILDAEMON:-}" ]; then
		install -D -m 755 "$JAILDAEMON" \
		    "$_root/usr/local/sbin/jaildaemon" || return 1
	elif ! "$MAKE" -s BUILD="$BUILD" DESTDIR="$_root" install \
	    >"$work/log" 2>&1; then
		cat "$work/log" >&2
		complain "make install failed"
		return 1
	fi
	case " ${*:-package} " in
	*" package "*)
		package_make "$work/payload/packages" >"$work/log" 2>&1 || {
			tail -n 40 "$work/log" >&2
			complain "cannot make the packages"
			return 1
		} ;;
	esac
	[ -z "${JAILDAEMON_VM_FILES:-}" ] ||
	    cp -R $JAILDAEMON_VM_FILES "$work/payload/files/" || return 1
	cp "$vm/guest.sh" "$work/payload/start" &&
	cp "$top/tests/lib/tap.sh" "$top/tests/lib/recipe.sh" \
	    "$top/docs/cookbook.md" "$vm/package.sh" "$vm/recipes.sh" \
	    "$work/payload/" &&
	echo "$*" >"$work/payload/groups" &&
	tar -C "$work/payload" -cf "$work/payload.tar" .
}

# tuning: words for the kernel.  Emulated, a machine has no reason to guard
# against its processor; and every look at another clock than the TSC costs an
# exit to QEMU, half of all the time.
tuning() {
	"$CC" -O2 -o "$work/tsc" "$vm/tsc.c" && _khz=$("$work/tsc") || return 1
	echo "mitigations=off nosmap nosmep no_timer_check" \
	    "clocksource=tsc tsc=reliable tsc_early_khz=$_khz"
}

# boot PAYLOAD: what the guest says goes to stdout.
boot() {
	limited "$JAILDAEMON_VM_TIMEOUT" qemu-system-x86_64 \
	    -M q35 -accel tcg,thread=multi -smp 2 -m 2048 -cpu max,la57=off \
	    -nodefaults -display none -no-reboot -snapshot \
	    -kernel "$image/vmlinuz" -initrd "$image/initrd" \
	    -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 $_tuning" \
	    -drive "file=$image/disk,format=raw,if=virtio,cache=unsafe" \
	    -drive "file=$1,format=raw,if=virtio,read-only=on" \
	    -serial "file:$work/console" -serial stdio </dev/null
}

# The guest's groups run side by side: their results are numbered here.
number() {
	_n=0
	_cr=$(printf '\r')
	while IFS= read -r _line; do
		_line=${_line%"$_cr"}
		case $_line in
		"ok "[0-9]* | "not ok "[0-9]*)
			_n=$((_n + 1))
			_words=${_line#*ok }
			_line="${_line%%ok *}ok $_n ${_words#* }" ;;
		esac
		printf '%s\n' "$_line"
	done
}

run_guest() {
	_tuning=$(tuning) || return 1
	mkfifo "$work/out" || return 1
	number <"$work/out" | tee "$work/tap" &
	_reader=$!
	boot "$work/payload.tar" >"$work/out" 9>&- &
	attend || complain "the guest ended with status $_status"
	wait "$_reader"
}

# Whole and without a failure?
judge() {
	passed=$(grep -c '^ok' "$work/tap")
	failed=$(grep -c '^not ok' "$work/tap")
	planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$work/tap")
	if [ "$((passed + failed))" -ne "${planned:--1}" ]; then
		complain "$passed ok, $failed not ok, planned" \
		    "${planned:-nothing}; the last words on the console:"
		tail -n 40 "$work/console" | tr -d '\r' | cut -c 1-300 >&2
		failed=$((failed + 1))
	fi
	[ -z "${JAILDAEMON_TALLY:-}" ] ||
	    echo "$passed $failed" >>"$JAILDAEMON_TALLY"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

check_host "${1:-}"
choose_variant "$@"
find_cache
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d) || exit 1
get_image || exit 1
[ "${1:-}" != image ] || exit 0
make_payload "$@" || exit 1
run_guest
judge
