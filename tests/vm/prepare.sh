#!/bin/sh
# The virtual machine's first start: what later ones need not do again.
# AppArmor's profiles have been compiled by the time this runs.
set -eu

# A root file system for containers: busybox, procps and what they need.
make_root() {
	mkdir -p bin sbin usr/bin usr/lib usr/sbin proc sys dev tmp etc root run var
	cp /bin/busybox bin/busybox
	chroot . /bin/busybox --install -s /bin
	for _p in pgrep pkill ps; do
		rm -f "bin/$_p"
		cp "/usr/bin/$_p" usr/bin/
		ldd "/usr/bin/$_p"
	done | sed -n 's,.*[[:space:]]\(/[^ ]*\) (0x.*,\1,p' | sort -u |
	    while read -r _lib; do
		mkdir -p ".${_lib%/*}"
		cp -L "$_lib" ".$_lib"
	    done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/:/bin/sh \
	    >etc/passwd
	printf '%s\n' root:x:0: user:x:1000: >etc/group
	# systemd-nspawn wants to know that this is a system.
	echo ID=guest >etc/os-release
	# A first process that sends a HUP to the probe whose title it is told.
	mkfifo -m 666 tell
	cat >init <<-'END'
	#!/bin/sh
	while :; do
		while read -r title; do
			pkill -HUP -x -f "jailprobe: $title"
		done </tell
	done
	END
	chmod 755 init
	chmod 1777 tmp
}

mkdir -p /srv/root /var/lib/machines /var/lib/lxc/web
cd /srv/root
make_root
tar -cf /srv/root.tar .
cp -a . /var/lib/machines/web
cp -a . /var/lib/lxc/web/rootfs
cd /

systemctl start docker user@1000
docker import - img </srv/root.tar
podman import -q /srv/root.tar img
systemd-run -q --user -M user@ --wait --pipe podman import -q /srv/root.tar img
systemctl stop docker docker.socket containerd user@1000
sync
echo "the image is prepared"
