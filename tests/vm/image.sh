#!/bin/sh
# Makes the virtual machine's disk; check-vm.sh runs this as root, in mount
# and pid namespaces of its own, so that all that it started ends with it.
#
#   sh image.sh VARIANT DIRECTORY   leaves there: vmlinuz, initrd, disk
#   sh image.sh VARIANT recipe      prints what tells one recipe from another
#
# A variant is the base of packages.guest with what packages.guest-VARIANT
# adds.  These two, this file and prepare.sh are the recipe: an image that was
# made by the same recipe is used again.
set -u
vm=$(cd "$(dirname "$0")" && pwd) || exit 1
variant=${1:-}

# What a host for containers can do without: left out of the start, as an
# emulated processor takes up to a second for each.
MASKED="
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
	e2scrub_all.timer e2scrub_reap.service fstrim.timer
	getty.target getty@tty1.service serial-getty@ttyS0.service
	lxc.service lxc-net.service lxc-monitord.service
	podman.service podman.socket podman-auto-update.service
	podman-auto-update.timer podman-restart.service
	systemd-journal-catalog-update.service systemd-update-done.service
	systemd-update-utmp.service systemd-update-utmp-runlevel.service
	systemd-pcrphase.service systemd-pcrphase-sysinit.service
	systemd-udev-trigger.service systemd-sysusers.service
	systemd-random-seed.service kmod-static-nodes.service
	modprobe@configfs.service modprobe@dm_mod.service
	modprobe@drm.service modprobe@efi_pstore.service
	modprobe@loop.service dev-hugepages.mount sys-kernel-config.mount
	sys-kernel-debug.mount sys-kernel-tracing.mount
"

# The host's own release, from wherever the host gets its packages.
release() {
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# Of the host's sources, those that have the release: others would only be
# asked for what they don't have.
sources() {
	for _s in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
	    /etc/apt/sources.list.d/*.sources; do
		[ ! -s "$_s" ] ||
		    ! grep -Eq "^[^#]*[[:space:]]$(release)([[:space:]]|\$)" \
		    "$_s" || echo "$_s"
	done
}

# sources_copied DIRECTORY: copies of them, with Debian's component contrib as
# well; their names.
sources_copied() {
	mkdir "$1" || return 1
	for _s in $(sources); do
		sed -e '/[[:space:]]contrib\([[:space:]]\|$\)/b' \
		    -e '/^Components:.*[[:space:]]main/s/$/ contrib/' \
		    -e '/^deb[[:space:]].*[[:space:]]main/s/$/ contrib/' \
		    "$_s" >"$1/${_s##*/}" || return 1
		echo "$1/${_s##*/}"
	done
}

packages() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' \
	    "$vm/packages.guest" "$vm/packages.guest-$variant" | tr '\n' ','
}

bootstrap() {
	# Proxies and the like, without what else a host may have set.
	apt-config dump | grep '^Acquire::' >"$1.apt"
	_packages=$(packages)
	case $variant in
	zfs)	_sources=$(sources_copied "$1.sources") || return ;;
	*)	_sources=$(sources) ;;
	esac
	# shellcheck disable=SC2016,SC2086 # $1 is the hook's; a list of files
	mmdebstrap --mode=root --format=directory --variant=minbase \
	    --aptopt="$1.apt" --aptopt='Acquire::Languages "none"' \
	    --dpkgopt=force-unsafe-io \
	    --dpkgopt='path-exclude=/usr/share/doc/*' \
	    --dpkgopt='path-exclude=/usr/share/locale/*' \
	    --dpkgopt='path-exclude=/usr/share/man/*' \
	    --essential-hook='mkdir -p "$1/etc/tiny-initramfs"; printf "%s\n" \
		AUTO_MODULES=no MICROCODE=no \
		INCLUDE_MODULES=virtio_pci,virtio_blk \
		>"$1/etc/tiny-initramfs/tiny-initramfs.conf"' \
	    --include="${_packages%,}" "$(release)" "$1" $_sources
}

configure() {
	echo guest >"$1/etc/hostname"
	: >"$1/etc/resolv.conf"
	: >"$1/etc/fstab"
	# One that is there already: not the system's first start.
	echo 6a61696c6461656d6f6e5f7465737473 >"$1/etc/machine-id"
	for _u in $MASKED; do
		ln -sf /dev/null "$1/etc/systemd/system/$_u"
		ln -sf /dev/null "$1/etc/systemd/user/$_u"
	done
	# Nothing gives up because an emulated processor is slow.
	for _m in system user; do
		mkdir -p "$1/etc/systemd/$_m.conf.d"
		cat >"$1/etc/systemd/$_m.conf.d/slow.conf" <<-'END'
		[Manager]
		DefaultTimeoutStartSec=900
		DefaultTimeoutStopSec=900
		DefaultEnvironment=SYSTEMD_BUS_TIMEOUT=900
		END
	done
	mkdir -p "$1/etc/systemd/journald.conf.d" "$1/etc/docker" \
	    "$1/etc/systemd/system/multi-user.target.wants" \
	    "$1/var/lib/systemd/linger"
	printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' \
	    >"$1/etc/systemd/journald.conf.d/volatile.conf"
	# Containers with --userns=host are those of an engine without a map.
	cat >"$1/etc/docker/daemon.json" <<-'END'
	{
	  "userns-remap": "default", "log-driver": "none",
	  "bridge": "none", "iptables": false, "ip6tables": false
	}
	END
	# What starts a user's manager for good, as loginctl(1) leaves it: the
	# containers of a user are to outlive the user's sessions.
	: >"$1/var/lib/systemd/linger/user"
	# The second disk is a tar file; its "start" is what to do.  However
	# that ends, the machine ends with it, and waits for nothing that was
	# left running.
	cat >"$1/etc/systemd/system/vm-start.service" <<-'END'
	[Unit]
	After=apparmor.service dbus.service systemd-logind.service

	[Service]
	Environment=HOME=/root
	ExecStartPre=stty -F /dev/ttyS1 raw
	ExecStartPre=mkdir -p /run/vm
	ExecStartPre=tar -xf /dev/vdb -C /run/vm
	ExecStart=sh /run/vm/start
	ExecStopPost=stty -F /dev/ttyS1 raw
	ExecStopPost=systemctl --force --force poweroff
	KillMode=process
	StandardOutput=file:/dev/ttyS1
	StandardError=inherit
	END
	ln -s ../vm-start.service \
	    "$1/etc/systemd/system/multi-user.target.wants/vm-start.service"
	cp "$vm/prepare.sh" "$1/prepare.sh" &&
	chroot "$1" sh /prepare.sh && rm "$1/prepare.sh"
}

make_image() {
	bootstrap "$1/root" && configure "$1/root" &&
	cp "$1"/root/boot/vmlinuz-* "$1/vmlinuz" &&
	cp "$1"/root/boot/initrd.img-* "$1/initrd" &&
	rm -rf "$1"/root/boot/* &&
	mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 \
	    -d "$1/root" "$1/disk" 4G &&
	rm -rf --one-file-system "$1/root" "$1/root.apt" "$1/root.sources"
}

[ -e "$vm/packages.guest-$variant" ] || {
	echo "image.sh: no variant \"$variant\"" >&2
	exit 64
}
case ${2:-} in
recipe)	cat "$vm/image.sh" "$vm/prepare.sh" "$vm/packages.guest" \
	    "$vm/packages.guest-$variant" | sha256sum | cut -c 1-16 ;;
/*)	make_image "$2" ;;
*)	echo "usage: image.sh VARIANT recipe | /DIRECTORY" >&2; exit 64 ;;
esac
