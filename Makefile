# jaildaemon: for GNU make and bmake, without a configure step.
#
#   make            build/jaildaemon, runnable there
#   make install    honours PREFIX, DESTDIR, BINDIR, SBINDIR, LIBEXECDIR,
#                   SYSCONFDIR, MANDIR
#   make test       hermetic: neither root nor network, installs nothing
#   make deps       installs what building and testing need
#   make check      deps, test, and everything that needs root and engines
#   make check-vm   deps, and the same table of cases on a stock Debian in an
#                   emulated machine
#   make demo       deps, and a container that makes its host do something
#   make lint       compilers' warnings as errors, static analysers, manuals
#
# A cross-build: make OS=FreeBSD CC=... PKG_CONFIG=...

VERSION =	1.0.0

OS !=		uname -s
PREFIX =	/usr/local
BINDIR =	$(PREFIX)/bin
SBINDIR =	$(PREFIX)/sbin
LIBEXECDIR =	$(PREFIX)/libexec
SYSCONFDIR =	$(PREFIX)/etc
MANDIR =	$(PREFIX)/share/man

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
# is left alone by link-time optimisers, sanitizers and profilers.
STUB_FLAGS_Linux = -Os -ffreestanding -nostdlib -static -fno-pie \
		-fno-lto -fno-stack-protector -U_FORTIFY_SOURCE \
		-fno-sanitize=all -fno-asynchronous-unwind-tables \
		-fno-ident -fno-unwind-tables -fno-profile-arcs -fno-test-coverage \
		-g0 -s -Wl,--build-id=none -Wl,-z,norelro \
		-Wl,-z,noseparate-code -Wl,-z,noexecstack -Wl,--gc-sections
STUB_FLAGS_FreeBSD = -static
STUB_Linux =	stub/probe_linux.c
STUB_FreeBSD =	stub/probe_freebsd.c

SRCS_Linux =	src/cgroup.c src/ends_linux.c src/engine.c src/jail_linux.c \
		src/procfs.c src/spawn_linux.c src/stub_linux.c
SRCS_FreeBSD =	src/ends_freebsd.c src/jail_freebsd.c src/spawn_freebsd.c \
		src/stub_freebsd.c
SRCS =		src/action.c src/client.c src/control.c src/daemon.c \
		src/life.c src/log.c src/options.c src/probe.c src/run.c \
		src/spec.c src/text.c src/verb.c src/wire.c $(SRCS_$(OS))
HDRS =		src/action.h src/cgroup.h src/client.h src/clock.h \
		src/control.h src/daemon.h src/ends.h src/engine.h src/jail.h \
		src/life.h src/log.h src/options.h src/defaults.h src/probe.h \
		src/procfs.h src/run.h src/spawn.h src/spec.h src/stub.h \
		src/text.h src/verb.h src/wire.h stub/order.h
STUB_HDRS =	stub/order.h stub/syscall_linux.h
IMAGE_Linux =	src/stub_image.S
UNITS =		text spec wire options life
UNITS_Linux =	engine
UNIT_SRCS =	tests/unit/test_text.c tests/unit/test_spec.c \
		tests/unit/test_wire.c tests/unit/test_options.c \
		tests/unit/test_life.c tests/unit/test_engine.c
TOOL_SRCS =	tests/attack/load.c tests/attack/scene.c tests/attack/sock.c \
		tests/attack/spy.c
FUZZERS =	wire options
FUZZERS_Linux =	engine
FUZZ_SRCS =	fuzz/fuzz_wire.c fuzz/fuzz_options.c fuzz/fuzz_engine.c
SANITIZE =	-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

COMPILE =	$(CC) -std=c11 $(DEFS_$(OS)) -DVERSION='"$(VERSION)"' \
		-DLIBEXECDIR='"$(LIBEXECDIR)"' $(CPPFLAGS) $(CFLAGS) \
		$(WARNINGS) $(HARDENING_$(OS))
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
	    -o $@ $(STUB_$(OS))

$(BUILD)/jaildaemon: src/main.c $(BUILD)/lib.a $(BUILD)/jailprobe $(IMAGE_$(OS))
	$(COMPILE) $(PKG_CFLAGS) -DSTUB='"$(BUILD)/jailprobe"' -o $@ src/main.c \
	    $(IMAGE_$(OS)) $(BUILD)/lib.a $(LDFLAGS) $(LINK_HARDENING_$(OS)) \
	    $(LINK_$(OS)) $(PKG_LIBS) $(LIBS_$(OS))

# Unit tests: cmocka, printing TAP for prove(1).
CMOCKA_LIBS =	`$(PKG_CONFIG) --libs cmocka`

$(BUILD)/unit.stamp: $(BUILD)/lib.a $(UNIT_SRCS)
	@mkdir -p $(BUILD)/unit
	for u in $(UNITS) $(UNITS_$(OS)); do \
	    $(COMPILE) -Isrc $(PKG_CFLAGS) -o $(BUILD)/unit/test_$$u \
	    tests/unit/test_$$u.c $(BUILD)/lib.a $(LDFLAGS) \
	    $(LINK_HARDENING_$(OS)) $(LINK_$(OS)) $(PKG_LIBS) $(CMOCKA_LIBS) \
	    $(LIBS_$(OS)) || exit 1; \
	done
	touch $@

# The fuzzers' targets, replaying their corpus without a fuzzer.
$(BUILD)/replay.stamp: $(BUILD)/lib.a $(FUZZ_SRCS) fuzz/replay.c
	@mkdir -p $(BUILD)/replay
	for f in $(FUZZERS) $(FUZZERS_$(OS)); do \
	    $(COMPILE) -Isrc $(PKG_CFLAGS) -o $(BUILD)/replay/$$f fuzz/replay.c \
	    fuzz/fuzz_$$f.c $(BUILD)/lib.a $(LDFLAGS) \
	    $(LINK_HARDENING_$(OS)) $(LINK_$(OS)) $(PKG_LIBS) \
	    $(LIBS_$(OS)) || exit 1; \
	done
	touch $@

# What attacks: static, so that it runs in any container.
$(BUILD)/tools.stamp: $(TOOL_SRCS) $(STUB_HDRS) Makefile
	@mkdir -p $(BUILD)/attack
	for f in $(TOOL_SRCS); do \
	    t=$${f##*/}; \
	    cc -std=c11 $(DEFS_$(OS)) -O2 $(WARNINGS) -static \
	    -o $(BUILD)/attack/$${t%.c} $$f || exit 1; \
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
	$(MAKE) all $(BUILD)/unit.stamp $(BUILD)/replay.stamp \
	    $(BUILD)/tools.stamp
	BUILD=$(BUILD) OS=$(OS) sh tests/run.sh hermetic root

# The same under AddressSanitizer and UndefinedBehaviorSanitizer.
check-sanitized: deps
	$(MAKE) BUILD=$(BUILD)/sanitized CC=clang HARDENING= LINK_HARDENING= \
	    CFLAGS="$(SANITIZE)" all $(BUILD)/sanitized/unit.stamp \
	    $(BUILD)/sanitized/replay.stamp $(BUILD)/sanitized/tools.stamp
	SANITIZED=1 BUILD=$(BUILD)/sanitized OS=$(OS) sh tests/run.sh hermetic \
	    root

# A stock host, in a virtual machine.
check-vm: deps
	sh tests/deps.sh vm
	$(MAKE) all
	BUILD=$(BUILD) MAKE="$(MAKE)" sh tests/vm/check-vm.sh

# Each defence taken out in turn: the test that is named for it must fail.
check-mutants: deps
	sh tests/mutants.sh

# The attacks at full length.
check-attack: deps
	$(MAKE) all $(BUILD)/tools.stamp
	for t in tests/attack-*.t; do \
	    JAILDAEMON_LONG=1 JAILDAEMON=$(BUILD)/jaildaemon sh $$t || exit 1; \
	done

lint: deps
	OS=$(OS) PKG_CONFIG=$(PKG_CONFIG) sh tests/lint.sh

demo:
	sh tests/deps.sh build
	$(MAKE) all
	JAILDAEMON=$(BUILD)/jaildaemon sh demo/demo.sh

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 755 $(BUILD)/jaildaemon $(DESTDIR)$(SBINDIR)/jaildaemon
	$(INSTALL) -m 644 man/jaildaemon.1 $(DESTDIR)$(MANDIR)/man1/jaildaemon.1
	if [ $(OS) = FreeBSD ]; then \
	    $(INSTALL) -d $(DESTDIR)$(LIBEXECDIR) && \
	    $(INSTALL) -m 755 $(BUILD)/jailprobe \
	    $(DESTDIR)$(LIBEXECDIR)/jailprobe; fi

clean:
	rm -rf $(BUILD)

.PHONY: all test deps check check-sanitized check-vm check-mutants check-attack \
	lint demo install clean fuzz fuzzers
