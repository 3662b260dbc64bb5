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
	# A first process that adopts and reaps, as any init does.
	printf '%s\n' '#!/bin/sh' 'while :; do sleep 1000 & wait $!; done' >init
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

# Two engines, one with and one without a map of user ids: a host has either.
systemctl start docker
docker import - img </srv/root.tar
cat >/etc/systemd/system/docker-remap.service <<END
[Unit]
After=docker.service

[Service]
Type=notify
ExecStart=/usr/sbin/dockerd -H unix:///run/docker-remap.sock \
    --containerd=/run/containerd/containerd.sock \
    --containerd-namespace=remap --containerd-plugins-namespace=remap-plugins \
    --userns-remap=default --bridge=none --iptables=false \
    --data-root=/var/lib/docker-remap --exec-root=/run/docker-remap \
    --pidfile=/run/docker-remap.pid
Delegate=yes
KillMode=process
END
systemctl daemon-reload
systemctl start docker-remap
docker -H unix:///run/docker-remap.sock import - img </srv/root.tar
podman import -q /srv/root.tar img
systemd-run -q --user -M user@ --wait --pipe podman import -q /srv/root.tar img
systemctl stop docker-remap docker docker.socket containerd
sync
echo "the image is prepared"
