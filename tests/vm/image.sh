# image.sh - makes the virtual machine's disk
#
# To be sourced by check-vm.sh.  This file, prepare.sh and packages.guest are
# the recipe: an image that was made by the same recipe is used again.
#
# shellcheck shell=sh disable=SC2154

# What a host for containers can do without, or only needs later: left out of
# the start, as an emulated processor takes a second for each.
IMAGE_MASKED="
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
	e2scrub_all.timer e2scrub_reap.service fstrim.timer
	getty.target getty@tty1.service serial-getty@ttyS0.service
	lxc.service lxc-net.service lxc-monitord.service
	podman.service podman.socket podman-auto-update.service
	podman-auto-update.timer podman-restart.service
	systemd-update-utmp.service systemd-update-utmp-runlevel.service
	systemd-pcrphase.service systemd-pcrphase-sysinit.service
	systemd-udev-trigger.service systemd-sysusers.service
	systemd-random-seed.service kmod-static-nodes.service
	modprobe@configfs.service modprobe@dm_mod.service
	modprobe@drm.service modprobe@efi_pstore.service
	modprobe@loop.service dev-hugepages.mount sys-kernel-config.mount
	sys-kernel-debug.mount sys-kernel-tracing.mount
"

image_recipe() {
	cat "$vm/image.sh" "$vm/prepare.sh" "$vm/packages.guest" | sha256sum |
	    cut -c 1-16
}

# The host's own release, from wherever the host gets its packages.
image_release() {
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

image_sources() {
	for _s in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
	    /etc/apt/sources.list.d/*.sources; do
		[ ! -s "$_s" ] || echo "$_s"
	done
}

image_bootstrap() {
	# Proxies and the like, without what else a host may have set.
	apt-config dump | grep '^Acquire::' >"$1.apt"
	_packages=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' \
	    "$vm/packages.guest" | tr '\n' ',')
	# What it mounts goes with it, however it ends.
	# shellcheck disable=SC2016,SC2046 # $1 is the hook's; a list of files
	unshare -m mmdebstrap --mode=root --format=directory --variant=minbase \
	    --aptopt="$1.apt" --aptopt='Acquire::Languages "none"' \
	    --dpkgopt=force-unsafe-io \
	    --dpkgopt='path-exclude=/usr/share/doc/*' \
	    --dpkgopt='path-exclude=/usr/share/locale/*' \
	    --dpkgopt='path-exclude=/usr/share/man/*' \
	    --essential-hook='mkdir -p "$1/etc/tiny-initramfs"; printf "%s\n" \
		AUTO_MODULES=no MICROCODE=no \
		INCLUDE_MODULES=virtio_pci,virtio_blk \
		>"$1/etc/tiny-initramfs/tiny-initramfs.conf"' \
	    --include="${_packages%,}" "$(image_release)" "$1" $(image_sources)
}

image_configure() {
	echo guest >"$1/etc/hostname"
	: >"$1/etc/resolv.conf"
	: >"$1/etc/fstab"
	: >"$1/etc/machine-id"
	for _u in $IMAGE_MASKED; do
		ln -sf /dev/null "$1/etc/systemd/system/$_u"
		ln -sf /dev/null "$1/etc/systemd/user/$_u"
	done
	chroot "$1" useradd -m -u 1000 -s /bin/sh user || return 1
	mkdir -p "$1/etc/docker"
	# Containers with --userns=host are those of an engine without a map.
	cat >"$1/etc/docker/daemon.json" <<-'END'
	{
	  "userns-remap": "default", "log-driver": "none",
	  "bridge": "none", "iptables": false, "ip6tables": false
	}
	END
	# The second disk is a tar file; its "start" is what to do.  However
	# that ends, the machine ends with it.
	cat >"$1/etc/systemd/system/vm-start.service" <<-'END'
	[Unit]
	After=apparmor.service dbus.service systemd-logind.service

	[Service]
	Environment=HOME=/root
	ExecStartPre=stty -F /dev/ttyS1 raw
	ExecStartPre=mkdir -p /run/vm
	ExecStartPre=tar -xf /dev/vdb -C /run/vm
	ExecStart=sh /run/vm/start
	ExecStopPost=sh -c "sync; systemctl --force --force poweroff"
	StandardOutput=file:/dev/ttyS1
	StandardError=inherit

	[Install]
	WantedBy=multi-user.target
	END
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
	ln -s ../vm-start.service \
	    "$1/etc/systemd/system/multi-user.target.wants/vm-start.service"
}

# image_make DIRECTORY: the kernel, its initial file system, and a disk that
# was never booted.
image_make() {
	image_bootstrap "$1/root" && image_configure "$1/root" &&
	cp "$1"/root/boot/vmlinuz-* "$1/vmlinuz" &&
	cp "$1"/root/boot/initrd.img-* "$1/initrd" &&
	rm -rf "$1"/root/boot/* &&
	mke2fs -q -t ext4 -O ^has_journal -d "$1/root" "$1/disk" 4G &&
	rm -rf --one-file-system "$1/root" "$1/root.apt"
}
