#!/bin/sh
# Runs in the virtual machine's root, before that ever starts: the user, and
# a root file system for containers.
set -eu

# Busybox, procps and what they need.
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
	# A first process that runs each line that it is told, and says what
	# came of it: to ask an engine would take seconds.
	mkfifo tell said
	chmod 666 tell said
	cat >init <<-'END'
	#!/bin/sh
	exec 3<>/tell
	while read -r line <&3; do
		eval "$line" >/dev/null 2>&1 3<&-
		echo $? >/said
	done
	END
	chmod 755 init
	chmod 1777 tmp
}

useradd -m -u 1000 -s /bin/sh user
mkdir -p /srv/root /var/lib/machines /var/lib/lxc/web
cd /srv/root
make_root
tar -cf /srv/root.tar .
cp -a . /var/lib/machines/web
cp -a . /var/lib/lxc/web/rootfs
