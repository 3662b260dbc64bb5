#!/bin/sh
# Runs the tests with a program that counts what it does, and fails where they
# reach less of src/ than the project wants.  Linux only: the other system's
# files are not compiled here.
#
#   sh tests/coverage.sh        all tests, then the counts
#   sh tests/coverage.sh count  the counts of what was run before
#
# What is not reached, by kind: the search for jails in rules.c, which is called on
# FreeBSD alone; what engine.c's child does between fork and exec, where the
# counters end with the program; daemons that the chaos kills (state.t kill), with
# what they alone did; the label that AppArmor gives, which a virtual machine
# shows (make check-vm); and failures that nothing here can provoke, such as
# getrlimit(2)'s, or a lock file that changes all the time.
#
# Environment: BUILD, built with --coverage.  A test that fails here is told
# of, but it is for make check to judge: much is slower with counters, as it is
# with sanitizers.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${BUILD:=build/coverage}"
LINES=95
BRANCHES=90

JAILDAEMON_COVERAGE=1
export JAILDAEMON_COVERAGE

if [ "${1:-}" != count ]; then
	find "$BUILD" -name "*.gcda" -delete
	# Tests have other users start the program, too, and see to its umask.
	(umask 0 && "$BUILD/jaildaemon" -V >/dev/null)
	SANITIZED=all sh tests/run.sh hermetic root
	JAILDAEMON=$(pwd)/$BUILD/jaildaemon
	export JAILDAEMON
	# Each call that can fail, not some of them.
	for t in "follow.t" "faults.t request" "faults.t start" "faults.t client"; do
		# shellcheck disable=SC2086 # words
		JAILDAEMON_LONG=1 sh tests/$t | grep -v '^ok'
	done
fi
# The trees are the system's own macro: what it can do is not this project's.
gcovr -r . --object-directory "$BUILD" --filter src/ \
    --exclude-unreachable-branches \
    --exclude-branches-by-pattern '.*RB_GENERATE_INTERNAL.*' --print-summary \
    --html-details "$BUILD/index.html" \
    --fail-under-line "$LINES" --fail-under-branch "$BRANCHES" "$BUILD"
