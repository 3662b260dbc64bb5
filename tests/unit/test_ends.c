/* Ends of processes on Linux: none is lost, none is told twice, none is made up. */
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "child.h"
#include "ends.h"
#include "loop.h"

struct subject {
	struct end	 end;
	unsigned int	 told;
	int		 status;
	struct subject	*forgets;	/* when it is told of */
};

static struct event_base *base;
static struct ends	*ends;
static unsigned int	 told_in_all;

static void
on_ended(void *arg, int status)
{
	struct subject *s = arg;

	assert_false(s->end.watched);
	s->told++;
	told_in_all++;
	s->status = status;
	if (s->forgets != NULL)
		ends_forget(ends, &s->forgets->end);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	ends = base == NULL ? NULL : ends_open(base);
	return (ends == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	ends_close(ends);
	event_base_free(base);
	/* What a test has left. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return (0);
}

/* A child that ends with that status, or, if -1, lives until it is killed. */
static pid_t
start_child(int status)
{
	pid_t pid = status == -1 ? child_idle() : child_fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(status);
	return (pid);
}

static void
wait_for_zombie(pid_t pid)
{
	siginfo_t si;

	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

static void
watch_child(struct subject *s, pid_t pid)
{
	assert_int_equal(ends_watch_child(ends, &s->end, pid, -1, on_ended, s),
	    0);
	assert_int_equal(s->told, 0);
}

static void
test_ended_before(void **state)
{
	struct subject s = { 0 };
	pid_t pid = start_child(3);

	(void)state;
	wait_for_zombie(pid);
	assert_true(ends_is_new_child(ends, pid));
	watch_child(&s, pid);
	assert_false(ends_is_new_child(ends, pid));
	loop_until(base, 2000, &s.told, 1);
	assert_int_equal(s.told, 1);
	assert_true(WIFEXITED(s.status) && WEXITSTATUS(s.status) == 3);
	assert_false(ends_is_new_child(ends, pid));
}

/* A probe that was hung up, and reaped, before its stub named it. */
static void
test_reaped_before(void **state)
{
	struct subject s = { 0 };
	pid_t pid = start_child(-1);

	(void)state;
	kill(pid, SIGHUP);
	loop_until(base, 800, NULL, 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(ends_is_new_child(ends, pid));
	watch_child(&s, pid);
	/* It is one probe's. */
	assert_false(ends_is_new_child(ends, pid));
	loop_until(base, 2000, &s.told, 1);
	assert_int_equal(s.told, 1);
	assert_true(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGHUP);
	assert_false(ends_is_new_child(ends, pid));
	assert_int_equal(ends_signal(&s.end, SIGHUP), -1);
	assert_int_equal(errno, ESRCH);
}

static void
test_no_child(void **state)
{
	(void)state;
	assert_false(ends_is_new_child(ends, 0));
	assert_false(ends_is_new_child(ends, -1));
	assert_false(ends_is_new_child(ends, 1));
	assert_false(ends_is_new_child(ends, getpid()));
}

/* A core that was dumped is told like any end by that signal. */
static void
test_abort(void **state)
{
	struct subject s = { 0 };
	char folder[] = "/tmp/endsXXXXXX", core[64];
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	pid = fork();
	if (pid == 0) {
		struct rlimit most;

		getrlimit(RLIMIT_CORE, &most);
		most.rlim_cur = most.rlim_max;
		setrlimit(RLIMIT_CORE, &most);
		signal(SIGABRT, SIG_DFL);
		if (chdir(folder) == 0)
			abort();
		_exit(1);
	}
	watch_child(&s, pid);
	loop_until(base, 5000, &s.told, 1);
	assert_int_equal(s.told, 1);
	assert_true(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGABRT);
	snprintf(core, sizeof(core), "%s/core", folder);
	unlink(core);
	snprintf(core, sizeof(core), "%s/core.%d", folder, (int)pid);
	unlink(core);
	rmdir(folder);
}

/* A child that makes us its tracer, and stops, again and again. */
static pid_t
start_stopping(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return (pid);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	for (;;)
		raise(SIGHUP);
}

/* That is told like an end, and is none. */
static void
test_stop_is_no_end(void **state)
{
	struct subject s = { 0 };

	(void)state;
	watch_child(&s, start_stopping());
	loop_until(base, 5000, &s.told, 1);
	assert_int_equal(s.told, 1);
	assert_true(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGKILL);
}

static void
test_stranger_that_stops(void **state)
{
	pid_t pid = start_stopping();

	(void)state;
	loop_until(base, 1500, NULL, 0);
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_other(void **state)
{
	struct subject s = { 0 }, ended = { 0 };
	pid_t pid = start_child(-1);

	(void)state;
	assert_int_equal(ends_watch_other(ends, &s.end, pid, -1, on_ended, &s),
	    0);
	assert_int_equal(ends_signal(&s.end, 0), 0);
	kill(pid, SIGKILL);
	loop_until(base, 2000, &s.told, 1);
	assert_int_equal(s.told, 1);
	wait_for_zombie(pid);
	assert_int_equal(ends_watch_other(ends, &ended.end, pid, -1, on_ended,
	    &ended), -1);
	assert_int_equal(errno, ESRCH);
	assert_false(ended.end.watched);
	waitpid(pid, NULL, 0);
	assert_int_equal(ends_watch_other(ends, &ended.end, pid, -1, on_ended,
	    &ended), -1);
	assert_int_equal(errno, ESRCH);
	/* Forgotten twice is forgotten. */
	ends_forget(ends, &ended.end);
	loop_until(base, 100, NULL, 0);
	assert_int_equal(ended.told, 0);
}

/* Two end at the same time, and the owner of one lets the other go. */
static void
test_forgotten_meanwhile(void **state)
{
	struct subject a = { 0 }, b = { 0 };
	pid_t pids[] = { start_child(-1), start_child(-1) };

	(void)state;
	a.forgets = &b;
	b.forgets = &a;
	ends_watch_other(ends, &a.end, pids[0], -1, on_ended, &a);
	ends_watch_other(ends, &b.end, pids[1], -1, on_ended, &b);
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		wait_for_zombie(pids[i]);
	}
	loop_until(base, 500, NULL, 0);
	assert_int_equal(a.told + b.told, 1);
	for (int i = 0; i < 2; i++)
		waitpid(pids[i], NULL, 0);
}

/* Without a descriptor for it a child is heard of, and signalled, all the same. */
static void
test_no_descriptor(void **state)
{
	struct subject s = { 0 };
	struct rlimit old, none;
	pid_t pid = start_child(-1);
	int lowest = fcntl(STDERR_FILENO, F_DUPFD, 0);

	(void)state;
	assert_int_not_equal(lowest, -1);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	watch_child(&s, pid);
	assert_int_equal(ends_watch_other(ends, &(struct end){ 0 }, getppid(),
	    -1, on_ended, NULL), -1);
	assert_int_equal(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(s.end.fd, -1);
	assert_int_equal(ends_signal(&s.end, SIGHUP), 0);
	loop_until(base, 3000, &s.told, 1);
	assert_int_equal(s.told, 1);
	assert_true(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGHUP);
}

/* Young ones may be probes that are still being attached. */
static void
test_strangers(void **state)
{
	struct subject known = { 0 };
	pid_t watched = start_child(-1), stranger = start_child(-1);

	(void)state;
	watch_child(&known, watched);
	ends_suspect_strangers(ends, 2000);
	loop_until(base, 900, NULL, 0);
	assert_int_equal(kill(stranger, 0), 0);
	loop_until(base, 4500, NULL, 0);
	assert_int_equal(kill(stranger, 0), -1);
	assert_int_equal(kill(watched, 0), 0);
	assert_int_equal(known.told, 0);
	assert_int_equal(ends_signal(&known.end, SIGKILL), 0);
	loop_until(base, 2000, &known.told, 1);
	assert_int_equal(known.told, 1);
}

/* More than one look takes, and more than are remembered. */
static void
test_many(void **state)
{
	static struct subject many[300];
	unsigned int before = told_in_all;

	(void)state;
	for (int i = 0; i < 300; i++) {
		watch_child(&many[i], start_child(i % 100));
		(void)start_child(0);
	}
	loop_until(base, 10000, &told_in_all, before + 300);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(many[i].told, 1);
		assert_int_equal(WEXITSTATUS(many[i].status), i % 100);
	}
	loop_until(base, 700, NULL, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ended_before, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_reaped_before, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_no_child, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_abort, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_is_no_end, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_stranger_that_stops,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgotten_meanwhile,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptor, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_strangers, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	/* Ignored where nohup(1) has begun it. */
	(void)signal(SIGHUP, SIG_DFL);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
