# jaildaemon: for GNU make and bmake, without a configure step.
#
#   make            build/jaildaemon, runnable there
#   make install    honours PREFIX, DESTDIR, BINDIR, SBINDIR, LIBEXECDIR,
#                   SYSCONFDIR, MANDIR, COMPLETIONDIR, UNITDIR, RCDIR
#   make test       hermetic: neither root nor network, installs nothing
#   make deps       installs what building and testing need
#   make check      deps, test, and everything that needs root and engines
#   make coverage   deps, and how much of src/ these tests reach
#   make bench      deps, and figures beside floors and alternatives
#   make check-vm   deps, and the same table of cases on a stock Debian in an
#                   emulated machine
#   make check-attack, check-long
#                   deps, and attacks, saved state, recipes and services at
#                   full length: an hour, and another for an image with ZFS
#   make demo       deps, and a container that makes its host do something
#   make deb        deps, and a Debian package in build/deb
#   make lint       compilers' warnings as errors, static analysers, manuals
#
# A cross-build: make OS=FreeBSD CC=... PKG_CONFIG=...

VERSION =	1.0.0

OS !=		uname -s
PREFIX =	/usr/local
BINDIR =	$(PREFIX)/bin
SBINDIR =	$(PREFIX)/sbin
LIBEXECDIR =	$(PREFIX)/libexec
SYSCONFDIR =	$(SYSCONFDIR_$(OS))
SYSCONFDIR_Linux = /etc
SYSCONFDIR_FreeBSD = $(PREFIX)/etc
MANDIR =	$(PREFIX)/share/man
COMPLETIONDIR =	$(PREFIX)/share/bash-completion/completions
UNITDIR =	$(PREFIX)/lib/systemd/system
RCDIR =		$(PREFIX)/etc/rc.d

CC =		cc
PKG_CONFIG =	pkg-config
ARCH !=		$(CC) -dumpmachine | sed 's/-.*//'
INSTALL =	install
BUILD =		build
CFLAGS =	-O2 -g
WARNINGS =	-Wall -Wextra -Wpedantic -Wshadow -Wconversion
HARDENING =	-fPIE -fstack-protector-strong -fstack-clash-protection \
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(HARDENING_$(ARCH))
HARDENING_x86_64 = -fcf-protection=full
HARDENING_aarch64 = -mbranch-protection=standard
LINK_HARDENING = -pie -Wl,-z,relro,-z,now,-z,noexecstack

# What differs between the systems; $(X_$(OS)) picks it.
PKGS_Linux =	libevent_core jansson libbsd-overlay
PKGS_FreeBSD =	libevent_core jansson
PKGS =		$(PKGS_$(OS))
DEFS_Linux =	-D_GNU_SOURCE
LIBS_FreeBSD =	-lutil -ljail
LINK_FreeBSD =	-static
LINK_HARDENING_FreeBSD = -Wl,-z,relro,-z,now,-z,noexecstack
LINK_HARDENING_Linux = $(LINK_HARDENING)
HARDENING_Linux = $(HARDENING)
HARDENING_FreeBSD = -fstack-protector-strong

# The stub has neither libc nor any of the protections that need one, and
# is left alone by link-time optimisers, sanitizers and profilers.  As small as
# the compiler can: each stub has a copy of the file in memory, and a byte
# over a page is a second page.
STUB_SIZE !=	$(CC) -Oz -E -x c /dev/null >/dev/null 2>&1 && \
		echo -Oz || echo -Os
STUB_FLAGS_Linux = $(STUB_SIZE) -ffreestanding -nostdlib -static -fno-pie \
		-fno-lto -fno-stack-protector -U_FORTIFY_SOURCE \
		-fno-sanitize=all -fno-asynchronous-unwind-tables \
		-fno-ident -fno-unwind-tables -fno-profile-arcs -fno-test-coverage \
		-g0 -s -Wl,--build-id=none -Wl,-z,norelro \
		-Wl,-z,noseparate-code -Wl,-z,noexecstack -Wl,--gc-sections
STUB_FLAGS_FreeBSD = -static
# In the last 2 MB of a process, where its stack begins as well when it is not
# at random, see src/spawn_linux.c: what maps the one maps the other, and that is
# three pages less for each probe.  Where that is differs between machines of
# other kinds.
STUB_PLACE_Linux != $(CC) -dM -E -x c /dev/null | grep -q __x86_64__ && \
		echo -fpie -Wl,-Ttext-segment=0x7fffffe00000 || :
STUB_Linux =	stub/probe_linux.c
STUB_FreeBSD =	stub/probe_freebsd.c

SRCS_Linux =	src/call.c src/cgroup.c src/command.c src/ends_linux.c \
		src/engine.c src/feed.c src/follow.c src/jail_linux.c \
		src/process_linux.c src/procfs.c src/roster.c \
		src/signals_linux.c src/spawn_linux.c src/stub_linux.c \
		src/target_linux.c
SRCS_FreeBSD =	src/ends_freebsd.c src/follow_freebsd.c src/jail_freebsd.c \
		src/process_freebsd.c src/signals_freebsd.c \
		src/spawn_freebsd.c src/stub_freebsd.c src/target_freebsd.c
SRCS =		src/action.c src/alarm.c src/check.c src/client.c src/conf.c \
		src/control.c src/daemon.c src/journal.c src/json.c src/life.c \
		src/log.c src/metrics.c src/notify.c src/options.c \
		src/probe.c src/rules.c src/run.c src/show.c src/spec.c \
		src/state.c src/text.c src/utility.c src/verb.c src/watch.c \
		src/wire.c src/words.c $(SRCS_$(OS))
HDRS =		src/action.h src/alarm.h src/call.h src/cgroup.h src/check.h \
		src/client.h src/clock.h src/command.h src/conf.h \
		src/control.h src/daemon.h src/defaults.h src/ends.h \
		src/engine.h src/feed.h src/follow.h src/jail.h \
		src/journal.h src/json.h src/life.h src/lock.h src/log.h \
		src/metrics.h src/notify.h src/options.h src/probe.h src/process.h \
		src/procfs.h src/roster.h src/rules.h src/run.h src/show.h \
		src/signals.h src/spawn.h src/spec.h src/state.h src/stub.h \
		src/target.h src/text.h src/utility.h src/verb.h src/watch.h \
		src/wire.h src/words.h stub/order.h
STUB_HDRS =	stub/order.h stub/syscall_linux.h
IMAGE_Linux =	src/stub_image.S
UNITS =		text spec wire options life alarm words conf show metrics \
		notify process client run spawn journal
UNITS_Linux =	engine follow ends cgroup probe log jail roster
UNIT_SRCS =	tests/unit/test_text.c tests/unit/test_spec.c \
		tests/unit/test_wire.c tests/unit/test_options.c \
		tests/unit/test_life.c tests/unit/test_alarm.c \
		tests/unit/test_engine.c \
		tests/unit/test_words.c tests/unit/test_conf.c \
		tests/unit/test_show.c tests/unit/test_metrics.c \
		tests/unit/test_follow.c tests/unit/test_notify.c \
		tests/unit/test_ends.c tests/unit/test_process.c \
		tests/unit/test_cgroup.c tests/unit/test_client.c \
		tests/unit/test_run.c tests/unit/test_journal.c \
		tests/unit/test_probe.c \
		tests/unit/test_spawn.c tests/unit/test_log.c \
		tests/unit/test_jail.c tests/unit/test_roster.c \
		tests/unit/child.h tests/unit/descriptors.h \
		tests/unit/loop.h tests/unit/place.h
TOOLS_Linux =	tests/attack/record.c tests/attack/scene.c tests/attack/spy.c
TOOLS_FreeBSD =	tests/attack/spy_freebsd.c
TOOL_SRCS =	tests/attack/load.c tests/attack/sock.c $(TOOLS_$(OS))
# Whatever the program itself is built with: these are no part of it.
TOOL_CC_Linux =	cc
TOOL_CC_FreeBSD = $(CC)
CHAOS_Linux =	$(BUILD)/state/chaos $(BUILD)/state/deny $(BUILD)/state/fail.so
CHAOS_FreeBSD =	$(BUILD)/state/chaos
CHAOS_SRCS_Linux = tests/state/chaos.c tests/state/chaos_linux.c
CHAOS_SRCS_FreeBSD = tests/state/chaos.c tests/state/chaos_freebsd.c
FUZZERS =	wire options conf
FUZZERS_Linux =	engine follow
FUZZ_SRCS =	fuzz/fuzz_wire.c fuzz/fuzz_options.c fuzz/fuzz_engine.c \
		fuzz/fuzz_conf.c fuzz/fuzz_follow.c
BENCH_SRCS_Linux = bench/size.c
BENCH_SRCS =	bench/daemon.c bench/floor.c bench/main.c bench/proc.c \
		bench/result.c bench/scale.c bench/stat.c bench/trigger.c \
		bench/whole.c $(BENCH_SRCS_$(OS))
BENCH_TOOLS_Linux = bench/floor_linux.c bench/floor_stub_linux.c \
		bench/pause_linux.c bench/guest.c
BENCH_TOOLS_FreeBSD = bench/floor_freebsd.c bench/floor_stub_freebsd.c \
		bench/pause_freebsd.c bench/guest.c
SANITIZE =	-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

COMPILE =	$(CC) -std=c11 $(DEFS_$(OS)) -DVERSION='"$(VERSION)"' \
		-DLIBEXECDIR='"$(LIBEXECDIR)"' \
		-DSYSCONFDIR='"$(SYSCONFDIR)"' $(CPPFLAGS) $(CFLAGS) \
		$(WARNINGS) $(HARDENING_$(OS))
BENCH_CC =	$(CC) -std=c11 $(DEFS_$(OS)) $(CPPFLAGS) -O2 $(WARNINGS)
PKG_CFLAGS =	`$(PKG_CONFIG) --cflags $(PKGS)`
PKG_LIBS =	`$(PKG_CONFIG) --libs $(STATIC_$(OS)) $(PKGS)`
STATIC_FreeBSD = --static

all: $(BUILD)/jaildaemon

# One compiler call for all sources: they take seconds, and both makes and
# every compiler understand it.
$(BUILD)/lib.a: $(SRCS) $(HDRS) Makefile
	@mkdir -p $(BUILD)/obj
	rm -f $(BUILD)/obj/*.o $@
	top=`pwd`; files=; for f in $(SRCS); do files="$$files $$top/$$f"; done; \
	    cd $(BUILD)/obj && $(COMPILE) $(PKG_CFLAGS) -c $$files
	$(AR) rcs $@ $(BUILD)/obj/*.o

$(BUILD)/jailprobe: $(STUB_$(OS)) $(STUB_HDRS) Makefile
	@mkdir -p $(BUILD)
	$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(STUB_FLAGS_$(OS)) \
	    $(STUB_PLACE_$(OS)) -o $@ $(STUB_$(OS))

$(BUILD)/jaildaemon: src/main.c $(BUILD)/lib.a $(BUILD)/jailprobe $(IMAGE_$(OS))
	$(COMPILE) $(PKG_CFLAGS) -DSTUB='"$(BUILD)/jailprobe"' -o $@ src/main.c \
	    $(IMAGE_$(OS)) $(BUILD)/lib.a $(LDFLAGS) $(LINK_HARDENING_$(OS)) \
	    $(LINK_$(OS)) $(PKG_LIBS) $(LIBS_$(OS))

# Unit tests: cmocka, printing TAP for prove(1).  Not static on any system:
# FreeBSD's package has no static library.
CMOCKA_CFLAGS =	`$(PKG_CONFIG) --cflags cmocka`
CMOCKA_LIBS =	`$(PKG_CONFIG) --libs cmocka`

$(BUILD)/unit.stamp: $(BUILD)/lib.a $(UNIT_SRCS)
	@mkdir -p $(BUILD)/unit
	for u in $(UNITS) $(UNITS_$(OS)); do \
	    $(COMPILE) -Isrc $(PKG_CFLAGS) $(CMOCKA_CFLAGS) \
	    -o $(BUILD)/unit/test_$$u \
	    tests/unit/test_$$u.c $(BUILD)/lib.a $(LDFLAGS) \
	    $(LINK_HARDENING_$(OS)) $(PKG_LIBS) $(CMOCKA_LIBS) \
	    $(LIBS_$(OS)) || exit 1; \
	done
	touch $@

# The fuzzers' targets, replaying their corpus without a fuzzer.
$(BUILD)/replay.stamp: $(BUILD)/lib.a $(FUZZ_SRCS) fuzz/replay.c
	@mkdir -p $(BUILD)/replay
	for f in $(FUZZERS) $(FUZZERS_$(OS)); do \
	    $(COMPILE) -Isrc $(PKG_CFLAGS) -o $(BUILD)/replay/$$f fuzz/replay.c \
	    fuzz/fuzz_$$f.c $(BUILD)/lib.a $(LDFLAGS) \
	    $(LINK_HARDENING_$(OS)) $(PKG_LIBS) \
	    $(LIBS_$(OS)) || exit 1; \
	done
	touch $@

# What attacks: static, so that it runs in any container.
$(BUILD)/tools.stamp: $(TOOL_SRCS) $(STUB_HDRS) $(CHAOS_$(OS)) Makefile
	@mkdir -p $(BUILD)/attack
	for f in $(TOOL_SRCS); do \
	    t=$${f##*/}; t=$${t%.c}; \
	    $(TOOL_CC_$(OS)) -std=c11 $(DEFS_$(OS)) -O2 $(WARNINGS) -static \
	    -o $(BUILD)/attack/$${t%_freebsd} $$f || exit 1; \
	done
	touch $@

# What kills the daemon again and again.
$(BUILD)/state/chaos: $(CHAOS_SRCS_$(OS)) tests/state/chaos.h Makefile
	@mkdir -p $(BUILD)/state
	$(TOOL_CC_$(OS)) -std=c11 $(DEFS_$(OS)) -O2 $(WARNINGS) -o $@ \
	    $(CHAOS_SRCS_$(OS))

# What makes calls of the daemon fail.
$(BUILD)/state/fail.so: tests/state/fail.c Makefile
	@mkdir -p $(BUILD)/state
	cc -std=c11 $(DEFS_$(OS)) -O2 -Wall -Wextra -shared -fPIC -o $@ \
	    tests/state/fail.c -ldl

# What has the kernel refuse a call.
$(BUILD)/state/deny: tests/state/deny.c Makefile
	@mkdir -p $(BUILD)/state
	cc -std=c11 $(DEFS_$(OS)) -O2 $(WARNINGS) -o $@ tests/state/deny.c

# What measures, and the bare programs that it measures beside; these have
# the stub's flags.
$(BUILD)/bench.stamp: $(BENCH_SRCS) bench/bench.h $(BENCH_TOOLS_$(OS)) Makefile
	@mkdir -p $(BUILD)/bench
	$(BENCH_CC) $(LINK_$(OS)) -o $(BUILD)/bench/bench $(BENCH_SRCS) \
	    `$(PKG_CONFIG) --cflags --libs $(STATIC_$(OS)) jansson`
	for f in $(BENCH_TOOLS_$(OS)); do \
	    case $$f in \
	    *floor_stub*)	t=floor-stub; flags="$(STUB_FLAGS_$(OS))" ;; \
	    *pause*)		t=pause; flags="$(STUB_FLAGS_$(OS))" ;; \
	    *floor*)		t=floor; flags="$(LINK_$(OS))" ;; \
	    *guest*)		t=guest; flags=-static ;; \
	    esac; \
	    $(BENCH_CC) $$flags -o $(BUILD)/bench/$$t $$f $(LIBS_$(OS)) || \
	    exit 1; \
	done
	touch $@

# Real fuzzing: make fuzz, then build/fuzz/wire -max_total_time=1800 ...
fuzz:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang HARDENING= LINK_HARDENING= \
	    CFLAGS="-O1 -g -fsanitize=fuzzer-no-link,address,undefined" \
	    fuzzers

fuzzers: $(BUILD)/lib.a $(FUZZ_SRCS)
	for f in $(FUZZERS) $(FUZZERS_$(OS)); do \
	    $(COMPILE) -Isrc $(PKG_CFLAGS) -fsanitize=fuzzer -o $(BUILD)/$$f \
	    fuzz/fuzz_$$f.c $(BUILD)/lib.a $(PKG_LIBS) || exit 1; \
	done

# Hermetic: neither root nor network, and nothing is installed.
test: $(BUILD)/jaildaemon $(BUILD)/unit.stamp $(BUILD)/replay.stamp
	BUILD=$(BUILD) OS=$(OS) sh tests/run.sh hermetic

deps:
	sh tests/deps.sh

# Everything, as root.
check: deps
	[ $(OS) = FreeBSD ] || sh tests/deps.sh long
	$(MAKE) all $(BUILD)/unit.stamp $(BUILD)/replay.stamp \
	    $(BUILD)/tools.stamp
	BUILD=$(BUILD) OS=$(OS) sh tests/run.sh hermetic root

# The same under AddressSanitizer and UndefinedBehaviorSanitizer, in throw-away
# jails alone; SANITIZED=all: in all, with the attacks as well.
check-sanitized: deps
	$(MAKE) BUILD=$(BUILD)/sanitized CC=clang HARDENING= LINK_HARDENING= \
	    CFLAGS="$(SANITIZE)" all $(BUILD)/sanitized/unit.stamp \
	    $(BUILD)/sanitized/replay.stamp $(BUILD)/sanitized/tools.stamp
	SANITIZED=$${SANITIZED:-1} BUILD=$(BUILD)/sanitized OS=$(OS) \
	    sh tests/run.sh hermetic root

# A stock host, in a virtual machine.
check-vm: deps
	sh tests/deps.sh vm deb
	$(MAKE) all
	BUILD=$(BUILD) MAKE="$(MAKE)" sh tests/vm/check-vm.sh

# Its disk, which is kept.
vm-image:
	sh tests/deps.sh vm deb
	BUILD=$(BUILD) sh tests/vm/check-vm.sh image

# Each defence taken out in turn: the test that is named for it must fail.
check-mutants: deps
	sh tests/mutants.sh

# The attacks at full length.
check-attack: deps
	$(MAKE) all $(BUILD)/tools.stamp
	JAILDAEMON_LONG=1 BUILD=$(BUILD) OS=$(OS) sh tests/run.sh attack

# What takes long: state and faults at full length, sanitizers, and the
# cookbook's recipes, that for ZFS in a virtual machine.
check-long: check-long-$(OS)

check-long-FreeBSD: deps
	$(MAKE) all $(BUILD)/unit.stamp $(BUILD)/tools.stamp
	LIFE_SEED=20001 LIFE_COUNT=1000000 $(BUILD)/unit/test_life
	JAILDAEMON_LONG=1 BUILD=$(BUILD) \
	    JAILDAEMON=`pwd`/$(BUILD)/jaildaemon sh tests/state.t

check-long-Linux: deps
	sh tests/deps.sh bench deb long vm
	$(MAKE) all $(BUILD)/unit.stamp $(BUILD)/tools.stamp \
	    $(BUILD)/bench.stamp
	LIFE_SEED=20001 LIFE_COUNT=1000000 $(BUILD)/unit/test_life
	ROSTER_SEED=20001 ROSTER_COUNT=1000000 $(BUILD)/unit/test_roster
	for t in state faults bench cookbook follow packages; do \
	    JAILDAEMON_LONG=1 BUILD=$(BUILD) \
	    JAILDAEMON=`pwd`/$(BUILD)/jaildaemon \
	    sh tests/$$t.t || exit 1; \
	done
	$(MAKE) check-sanitized
	BUILD=$(BUILD) MAKE="$(MAKE)" \
	    sh tests/vm/check-vm.sh recipe_zfs no_complaint

# How much of src/ the tests reach; build/coverage/index.html shows each line.
coverage: deps
	sh tests/deps.sh coverage long
	$(MAKE) BUILD=$(BUILD)/coverage HARDENING= LINK_HARDENING= \
	    CFLAGS="-O0 -g -fprofile-arcs -ftest-coverage" \
	    LDFLAGS=--coverage all $(BUILD)/coverage/unit.stamp \
	    $(BUILD)/coverage/replay.stamp $(BUILD)/coverage/tools.stamp
	BUILD=$(BUILD)/coverage sh tests/coverage.sh

lint: deps
	OS=$(OS) PKG_CONFIG=$(PKG_CONFIG) sh tests/lint.sh

bench:
	sh tests/deps.sh build bench
	$(MAKE) all $(BUILD)/bench.stamp
	BUILD=$(BUILD) sh bench/run.sh

demo:
	sh tests/deps.sh build
	$(MAKE) all
	JAILDAEMON=$(BUILD)/jaildaemon sh demo/demo.sh

# What names a place says so: @SBINDIR@.
PLACES =	sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@SYSCONFDIR@,$(SYSCONFDIR),g'

install: all install-$(OS)
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SYSCONFDIR) \
	    $(DESTDIR)$(COMPLETIONDIR)
	$(INSTALL) -m 755 $(BUILD)/jaildaemon $(DESTDIR)$(SBINDIR)/jaildaemon
	for m in man/*.[1-9]; do \
	    d=$(DESTDIR)$(MANDIR)/man$${m##*.}; \
	    $(INSTALL) -d $$d && $(INSTALL) -m 644 $$m $$d/ || exit 1; \
	done
	$(INSTALL) -m 644 etc/jaildaemon.bash-completion \
	    $(DESTDIR)$(COMPLETIONDIR)/jaildaemon

# An administrator's file is left alone.
install-Linux: all
	$(INSTALL) -d $(DESTDIR)$(SYSCONFDIR) $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(UNITDIR)/systemd-nspawn@.service.d
	[ -e $(DESTDIR)$(SYSCONFDIR)/jaildaemon.conf ] || \
	    $(INSTALL) -m 644 etc/jaildaemon.conf.sample \
	    $(DESTDIR)$(SYSCONFDIR)/jaildaemon.conf
	for u in jaildaemon.service jaildaemon-follow@.service; do \
	    $(PLACES) etc/$$u >$(BUILD)/$$u && $(INSTALL) -m 644 $(BUILD)/$$u \
	    $(DESTDIR)$(UNITDIR)/$$u || exit 1; \
	done
	$(INSTALL) -m 644 etc/jaildaemon-nspawn.conf \
	    $(DESTDIR)$(UNITDIR)/systemd-nspawn@.service.d/jaildaemon.conf

install-FreeBSD: all
	$(INSTALL) -d $(DESTDIR)$(SYSCONFDIR) $(DESTDIR)$(RCDIR) \
	    $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 755 $(BUILD)/jailprobe $(DESTDIR)$(LIBEXECDIR)/jailprobe
	$(INSTALL) -m 644 etc/jaildaemon.conf.sample \
	    $(DESTDIR)$(SYSCONFDIR)/jaildaemon.conf.sample
	$(PLACES) etc/jaildaemon.rc >$(BUILD)/jaildaemon.rc
	$(INSTALL) -m 555 $(BUILD)/jaildaemon.rc $(DESTDIR)$(RCDIR)/jaildaemon

deb:
	sh tests/deps.sh build deb
	sh packaging/deb.sh $(BUILD)/deb

clean:
	rm -rf $(BUILD)

.PHONY: all test deps check check-sanitized check-vm vm-image check-mutants \
	check-attack check-long check-long-FreeBSD check-long-Linux coverage \
	lint bench demo install install-Linux install-FreeBSD deb clean fuzz \
	fuzzers
