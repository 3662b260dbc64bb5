#!/bin/sh
# What is made for administrators: the Debian package, built twice and put
# into a copy of this system, the FreeBSD port's list of files, the bash
# completion.
#
# shellcheck disable=SC1091,SC2119,SC2154,SC2317

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
if [ "$(id -u)" -ne 0 ]; then
	echo '1..0 # SKIP needs root'
	exit 0
fi
. "$here/lib/jail.sh"
jail_private "$here/${0##*/}" "$@"
. "$here/lib/tap.sh"
. "$here/lib/daemon.sh"

version=$(sed -n 's/^VERSION =[[:space:]]*//p' "$top/Makefile")
newer=$version+1
machine=$(dpkg --print-architecture)

# group NAME
group() {
	tap_group=$1
}

# logged FILE COMMAND...: what it prints is in FILE, and its end shown if it
# fails.
logged() {
	_log=$1
	shift
	"$@" >"$_log" 2>&1 </dev/null || {
		_rc=$?
		tail -n 30 "$_log"
		return "$_rc"
	}
}

# -- versions --------------------------------------------------------------

t_versions() {
	is "$(dpkg-parsechangelog -l "$top/debian/changelog" -S Version)" \
	    "$version" "Debian's"
	is "$(sed -n 's/^DISTVERSION=[[:space:]]*//p' \
	    "$top/packaging/freebsd/Makefile")" "$version" "FreeBSD's"
	is "$("$JAILDAEMON" -V)" "jaildaemon $version" "the program's"
}

# -- the Debian package ----------------------------------------------------

as_user() {
	setpriv --reuid 1000 --regid 1000 --clear-groups env -i \
	    PATH="$PATH" "$@"
}

# By a user, with the tests; and by root, elsewhere and without them.
t_build() {
	mkdir "$T/src"
	tar -C "$top" -cf - --exclude-vcs --exclude='./build*' . |
	    tar -C "$T/src" -xf -
	chown -R 1000:1000 "$T/src"
	find "$T/src" -exec touch -h {} +
	ok "by a user" logged "$T/user.log" \
	    as_user make -C "$T/src" BUILD=out deb
	debs=$T/src/out/deb
	like "$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$T/user.log")" \
	    '^[0-9]{3,} passed, 0 failed$' "with all tests that need no root"
	unlike "$(cat "$T/user.log")" 'warning:|WARNING' "without a warning"
	ok "by root" logged "$T/root.log" env DEB_BUILD_OPTIONS=nocheck \
	    make -C "$top" BUILD="$T/root-build" deb
	for _f in "jaildaemon_${version}_$machine.deb" \
	    "jaildaemon-dbgsym_${version}_$machine.deb" \
	    "jaildaemon_$version.tar.xz"; do
		ok "the same bytes: $_f" \
		    cmp "$debs/$_f" "$T/root-build/deb/$_f"
	done
	deb=$debs/jaildaemon_${version}_$machine.deb
}

t_lint() {
	ok "lintian finds nothing" as_user lintian --fail-on error,warning \
	    --allow-root "$debs/jaildaemon_${version}_$machine.changes"
	is "$(grep -vc '^#' "$top/debian/jaildaemon.lintian-overrides")" 1 \
	    "and is told to overlook one thing"
}

t_contents() {
	dpkg-deb --fsys-tarfile "$deb" | tar -tf - >"$T/contents"
	for _f in etc/jaildaemon.conf usr/sbin/jaildaemon \
	    lib/systemd/system/jaildaemon.service \
	    lib/systemd/system/jaildaemon-follow@.service \
	    lib/systemd/system/systemd-nspawn@.service.d/jaildaemon.conf \
	    usr/share/bash-completion/completions/jaildaemon \
	    usr/share/doc/jaildaemon/README.md.gz \
	    usr/share/doc/jaildaemon/copyright; do
		ok "$_f" grep -qx "./$_f" "$T/contents"
	done
	for _f in "$top"/man/*.[1-9]; do
		_f=man${_f##*.}/${_f##*/}.gz
		ok "$_f" grep -qx "./usr/share/man/$_f" "$T/contents"
	done
	unlike "$(cat "$T/contents")" '/usr/local|jailprobe' "and no other's"
	is "$(dpkg-deb -I "$deb" conffiles)" /etc/jaildaemon.conf \
	    "the file of actions is an administrator's"
	like "$(dpkg-deb -f "$deb" Depends)" \
	    'libbsd0.*libc6.*libevent-core.*libjansson4' "what it depends on"
	mkdir "$T/unpacked"
	dpkg-deb -x "$deb" "$T/unpacked"
	nok "no path of where it was built" grep -rF "$T" "$T/unpacked"
	nok "nor a place that was not filled in" \
	    grep -rE '@[A-Z]+@' "$T/unpacked"
}

# A copy of this system that is not: what is written goes to memory.
copy_system() {
	tap_atexit "umount -R -l $T/system $T/over"
	mkdir "$T/over" "$T/system"
	mount -t tmpfs over "$T/over" && mkdir "$T/over/upper" "$T/over/work" &&
	    mount -t overlay -o "lowerdir=/,upperdir=$T/over/upper,workdir=$T/over/work" \
	    over "$T/system" && mount -t proc proc "$T/system/proc" &&
	    mount -t tmpfs dev "$T/system/dev" &&
	    mknod -m 666 "$T/system/dev/null" c 1 3 &&
	    mount -t tmpfs run "$T/system/run" &&
	    mount -t tmpfs tmp "$T/system/tmp" &&
	    cp "$deb" "$T/system/tmp/old.deb" &&
	    dpkg-deb -R "$deb" "$T/newer" &&
	    sed -i "s/^Version:.*/Version: $newer/" "$T/newer/DEBIAN/control" &&
	    dpkg-deb -b "$T/newer" "$T/system/tmp/new.deb"
}

inside() {
	env -i PATH="$PATH" LC_ALL=C DEBIAN_FRONTEND=noninteractive \
	    chroot "$T/system" "$@"
}

# What was not there before, but for the notes of dpkg and of caches.
left() {
	(cd "$T/over/upper" && find . -type f -o -type l) | cut -c 2- |
	    while read -r _f; do
		[ -e "$_f" ] || [ -L "$_f" ] || echo "$_f"
	    done | grep -Ev '^/var/(lib/dpkg|cache|log)/'
}

t_install() {
	ok "a copy of this system" copy_system
	ok "installs" inside dpkg -i /tmp/old.deb
	like "$(inside dpkg -s jaildaemon)" 'Status: install ok installed' \
	    "is installed"
	is "$(inside jaildaemon -V)" "jaildaemon $version" "runs"
	ok "has a manual" inside man -w jaildaemon
	is "$(inside systemctl is-enabled jaildaemon)" enabled \
	    "is to be started"
	is "$(inside systemctl is-enabled jaildaemon-follow@docker 2>/dev/null)" \
	    disabled "what follows an engine is not"
	verify=$(inside systemd-analyze verify jaildaemon.service \
	    jaildaemon-follow@docker.service 2>&1)
	is "$? $verify" "0 " "systemd understands its units"
	is "$(find /proc/[0-9]*/root -lname "$T/system" 2>/dev/null)" "" \
	    "nothing was started"
	is "$(inside stat -c '%U %a' /etc/jaildaemon.conf)" "root 644" \
	    "the file of actions is root's"
	echo '# mine' >>"$T/system/etc/jaildaemon.conf"
	inside systemctl -q enable jaildaemon-follow@docker
	inside mkdir -m 700 /var/lib/jaildaemon
	: >"$T/system/var/lib/jaildaemon/1-1.out"
	ok "is upgraded" inside dpkg -i /tmp/new.deb
	is "$(inside dpkg-query -W -f '${Version}' jaildaemon)" "$newer" \
	    "to the newer version"
	is "$(tail -n 1 "$T/system/etc/jaildaemon.conf")" '# mine' \
	    "and the file of actions is as it was"
	ok "is removed" inside dpkg -r jaildaemon
	nok "the program is gone" test -e "$T/system/usr/sbin/jaildaemon"
	ok "the file of actions is not" test -e "$T/system/etc/jaildaemon.conf"
	ok "is purged" inside dpkg -P jaildaemon
	is "$(left)" "" "nothing is left"
}

# -- the sample of the file of actions -------------------------------------

# Nothing but comments; each example, taken out of its comment, is an action.
t_sample() {
	_s=$top/etc/jaildaemon.conf.sample
	mkdir "$T/sample"
	cp "$_s" "$T/sample/as-is"
	ok "is right as it is" "$JAILDAEMON" check -C "$T/sample/as-is"
	is "$("$JAILDAEMON" check -C "$T/sample/as-is")" "" "and does nothing"
	sed -n 's/^#\(\t\{0,1\}-\)/\1/p' "$_s" >"$T/sample/examples"
	ok "its examples are right" "$JAILDAEMON" check \
	    -C "$T/sample/examples"
	is "$("$JAILDAEMON" check -C "$T/sample/examples" | wc -l)" \
	    "$(grep -c '^#-j' "$_s")" "all of them"
}

# -- what make install installs on FreeBSD ---------------------------------

# The program for it is not made here: any file will do.
t_port() {
	_b=$T/freebsd
	mkdir "$_b"
	touch "$_b/lib.a" "$_b/jailprobe"
	touch "$_b/jaildaemon"
	ok "make install" logged "$T/port.log" make -C "$top" OS=FreeBSD \
	    BUILD="$_b" DESTDIR="$_b/root" PREFIX=/usr/local install
	is "$(cd "$_b/root/usr/local" && find . -type f | cut -c 3- |
	    sed 's,^share/man/.*,&.gz,' | sort)" \
	    "$(sed 's/^@sample //' "$top/packaging/freebsd/pkg-plist" | sort)" \
	    "the list of files"
	ok "the script of rc.d is for sh" sh -n "$_b/root/usr/local/etc/rc.d/jaildaemon"
	is "$(stat -c %a "$_b/root/usr/local/etc/rc.d/jaildaemon")" 555 \
	    "and can be executed"
	nok "every place is filled in" \
	    grep -rE '@[A-Z]+@' "$_b/root/usr/local/etc"
}

# -- bash completion -------------------------------------------------------

# completed WORD...: what bash offers for the last one, sorted, in one line.
# The words before it are whole.
completed() {
	# shellcheck disable=SC2016 # bash's own
	PATH=$T/bin:$PATH env -u BASH_ENV bash --norc -c '
	. /usr/share/bash-completion/bash_completion
	. "$0"
	COMP_WORDS=(jaildaemon "$@")
	COMP_LINE="jaildaemon $*"
	# As bash does: a colon is a word.
	if [[ ${COMP_WORDS[-1]} == *:* ]]; then
		last=${COMP_WORDS[-1]}
		unset "COMP_WORDS[-1]"
		COMP_WORDS+=("${last%%:*}" : "${last#*:}")
		[[ -n ${last#*:} ]] || unset "COMP_WORDS[-1]"
	fi
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_POINT=${#COMP_LINE}
	compopt() { :; }
	_jaildaemon
	printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "
	' "$top/etc/jaildaemon.bash-completion" "$@" 2>&1
}

t_completion() {
	mkdir "$T/bin"
	# What engines answer.
	for _p in docker podman; do
		cat >"$T/bin/$_p" <<-END
		#!/bin/sh
		[ "\$*" = "ps --format {{.Names}}" ] && echo web && echo $_p-db
		END
		chmod 755 "$T/bin/$_p"
	done
	cat >"$T/bin/incus" <<-END
	#!/bin/sh
	[ "\$INCUS_CONF \$1 \$2 \$3" = "/nonexistent --force-local list local:" ] &&
	    echo web && echo incus-db
	END
	chmod 755 "$T/bin/incus"
	is "$(completed re)" reload "a verb"
	is "$(completed follow '')" "docker incus podman" "engines to follow"
	is "$(completed follow p)" podman "an engine"
	like "$(completed -D -)" '-C .*-d .*-f .*-p ' "options of -D"
	is "$(completed check -)" "-C" "options of check"
	is "$(completed -u '')" "" "a number is the user's affair"
	like "$(completed -j '')" 'docker: .*podman:' "engines in front of names"
	is "$(completed -j docker:)" "docker-db web" "names of containers"
	is "$(completed -j docker:w)" web "one"
	is "$(completed started podman:)" "podman-db web" "another engine's"
	is "$(completed -j incus:)" "incus-db web" "and one without its configuration"
	mkdir "$T/dir"
	: >"$T/dir/file.conf"
	is "$(completed check -C "$T/dir/")" "$T/dir/file.conf" "a file"
	# What is armed.
	ok "a jail" jail_start unshare j
	ok "a daemon" daemon_start
	arm j ONE : && arm j TWO : -r
	ln -s "$JAILDAEMON" "$T/bin/jaildaemon"
	is "$(completed disarm -f "$D/sock" '')" "1 2" "ids"
	is "$(completed run -f "$D/sock" 2)" "2" "an id"
	is "$(completed list -f "$D/sock" -t '')" "ONE TWO" "titles"
	is "$(completed list -f "$T/nobody" -t '')" "" "no daemon, none"
	daemon_stop
	# Each verb and each option that the program knows.
	is "$(completed '')" "$("$JAILDAEMON" -h |
	    sed -n 's/^ *jaildaemon \([a-z |]*[a-z]\).*/\1/p' |
	    sed 's/ jail$//; s/ id$//' | tr -d '|' | tr -s ' ' '\n' | sort |
	    paste -sd ' ')" "all verbs and no other"
	"$JAILDAEMON" -h | tr -c 'A-Za-z0-9-' '\n' |
	    grep -E '^-[A-Za-z]+$' | cut -c 2- | fold -w 1 |
	    sort -u >"$T/options"
	for _verb in "" list disarm watch check run; do
		completed ${_verb:+"$_verb"} - | tr ' ' '\n' | cut -c 2-
	done | grep . | sort -u >"$T/completed"
	is "$(comm -23 "$T/options" "$T/completed" | paste -sd ' ')" "" \
	    "no option is missing"
}

# --------------------------------------------------------------------------

[ $# -gt 0 ] || set -- versions build lint contents install sample port completion
for t in "$@"; do
	group "$t"
	"t_$t"
done
group
done_testing
