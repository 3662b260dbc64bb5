/* jail_linux.c: which jail a process is of, by namespaces that are real. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "child.h"
#include "descriptors.h"
#include "ends.h"
#include "jail.h"
#include "loop.h"
#include "procfs.h"

static struct event_base *base;
static struct ends	*ends;
static struct jails	*jails;
static unsigned int	 ended;
static char		 err[512];

/* A user and a pid namespace with two processes. */
struct place {
	pid_t	maker;
	pid_t	init;
	pid_t	other;
};

static void
on_ended(void *arg, struct jail *jail)
{
	(void)arg;
	assert_false(jail_is_there(jail));
	ended++;
}

static int
set_up(void **state)
{
	(void)state;
	ended = 0;
	base = event_base_new();
	ends = base == NULL ? NULL : ends_open(base);
	jails = ends == NULL ? NULL : jails_open(base, ends, on_ended, NULL);
	return (jails == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	if (jails_count(jails) != 0)
		return (-1);
	jails_close(jails);
	ends_close(ends);
	event_base_free(base);
	return (0);
}

static _Noreturn void
make_place(int out)
{
	pid_t pids[2];
	sigset_t set;
	int sig;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) == -1)
		_exit(1);
	for (int i = 0; i < 2; i++)
		if ((pids[i] = child_idle()) == -1)
			_exit(1);
	if (write(out, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	/* Else its init, which has to see them all go, does not end. */
	(void)waitpid(pids[1], NULL, 0);
	(void)sigwait(&set, &sig);
	(void)waitpid(pids[0], NULL, 0);
	_exit(0);
}

static struct place
open_place(void)
{
	struct place p;
	pid_t pids[2];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	p.maker = child_fork();
	assert_int_not_equal(p.maker, -1);
	if (p.maker == 0)
		make_place(fds[1]);
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], pids, sizeof(pids)), sizeof(pids));
	(void)close(fds[0]);
	p.init = pids[0];
	p.other = pids[1];
	return (p);
}

/* Its init is a zombie from then on. */
static void
end_place(const struct place *p)
{
	assert_int_equal(kill(p->init, SIGKILL), 0);
}

static void
close_place(const struct place *p)
{
	(void)kill(p->init, SIGKILL);
	assert_int_equal(kill(p->maker, SIGTERM), 0);
	assert_int_equal(waitpid(p->maker, NULL, 0), p->maker);
}

static uint64_t
started(pid_t pid)
{
	uint64_t t;

	assert_int_equal(procfs_start_time(pid, &t), 0);
	return (t);
}

static struct jail *
hold(pid_t pid, uint64_t since, int *status)
{
	const struct spec s = { .pid = pid, .started = since };

	err[0] = '\0';
	*status = 0;
	return (jails_hold(jails, &s, status, err, sizeof(err)));
}

static struct jail *
hold_well(pid_t pid)
{
	int status;
	struct jail *jail = hold(pid, 0, &status);

	assert_non_null(jail);
	return (jail);
}

static void
assert_no_hold(pid_t pid, uint64_t since, int wanted, const char *words)
{
	int status;

	assert_null(hold(pid, since, &status));
	assert_int_equal(status, wanted);
	assert_non_null(strstr(err, words));
}

static void
test_hold(void **state)
{
	struct place p = open_place(), q = open_place();
	struct jail *jail = hold_well(p.other), *other = hold_well(q.init);

	(void)state;
	assert_int_equal(jail->id, p.init);
	assert_int_equal(jail->started, started(p.init));
	assert_true(jail->persists);
	assert_ptr_not_equal(jail, other);
	assert_int_equal(jails_count(jails), 2);
	assert_ptr_equal(hold_well(p.init), jail);
	assert_ptr_equal(jail_ref(jail), jail);
	assert_int_equal(jail->refs, 3);
	assert_false(jail_is_host(jail));
	assert_true(jail_is_there(jail));
	assert_int_not_equal(jail_target(jail), -1);
	for (int i = 0; i < 3; i++)
		jails_release(jail);
	jails_release(other);
	assert_int_equal(ended, 0);
	close_place(&p);
	close_place(&q);
}

static void
test_host(void **state)
{
	pid_t pid = child_idle();
	struct jail *jail = hold_well(pid);

	(void)state;
	/* Each of the host's processes is for itself. */
	assert_int_equal(jail->id, pid);
	assert_true(jail_is_host(jail));
	jails_release(jail);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_no_hold(pid, 0, EX_NOHOST, "no process");
	assert_no_hold(0, 0, EX_USAGE, "no pid is given");
	assert_no_hold(getpid(), started(getpid()) + 1, EX_NOHOST,
	    "its number was used again");
	jail = hold_well(getpid());
	jails_release(jail);
}

static void
test_ended(void **state)
{
	struct place p = open_place();
	struct jail *jail = hold_well(p.other);

	(void)state;
	end_place(&p);
	loop_until(base, 5000, &ended, 1);
	assert_int_equal(ended, 1);
	/* A zombie is no jail, though it has its number still. */
	assert_no_hold(p.init, 0, EX_NOHOST, "its jail has ended");
	assert_int_equal(jails_count(jails), 1);
	assert_int_equal(jail_check_birth(jail, getpid(), err, sizeof(err)),
	    EX_OSERR);
	jails_release(jail);
	close_place(&p);
}

static struct jail *
hold_again(pid_t pid, uint64_t since, uint64_t pidns, int *status)
{
	*status = 0;
	return (jails_hold_again(jails, "name", pid, since, pidns, status, err,
	    sizeof(err)));
}

static void
test_again(void **state)
{
	struct place p = open_place();
	struct jail *jail = hold_well(p.init);
	uint64_t since = jail->started, pidns = jail->pidns;
	int status;

	(void)state;
	assert_int_not_equal(pidns, 0);
	jails_release(jail);
	jail = hold_again(p.init, since, pidns, &status);
	assert_non_null(jail);
	jails_release(jail);
	assert_null(hold_again(p.init, since, pidns + 1, &status));
	assert_int_equal(status, EX_NOHOST);
	assert_null(hold_again(p.init, since + 1, pidns, &status));
	assert_int_equal(status, EX_NOHOST);
	/* Not what the jail hangs on. */
	assert_null(hold_again(p.other, started(p.other), pidns, &status));
	assert_int_equal(status, EX_NOHOST);
	close_place(&p);
	assert_null(hold_again(p.maker, since, pidns, &status));
	assert_int_equal(status, EX_NOHOST);
}

static void
test_recalled(void **state)
{
	struct jail *jail = jails_recall(jails, 4711, 1, NULL);

	(void)state;
	assert_non_null(jail);
	assert_ptr_equal(jails_recall(jails, 4711, 1, NULL), jail);
	assert_false(jail_is_there(jail));
	assert_int_equal(jails_count(jails), 1);
	jails_release(jail);
	jails_release(jail);
}

static void
test_check(void **state)
{
	struct place p = open_place();
	struct jail *jail = hold_well(p.init);
	pid_t pid = child_idle();

	(void)state;
	assert_int_equal(jail_check_birth(jail, p.other, err, sizeof(err)), 0);
	assert_int_equal(jail_check(jail, p.other, err, sizeof(err)), 0);
	assert_int_equal(jail_check_birth(jail, pid, err, sizeof(err)),
	    EX_OSERR);
	assert_string_equal(err, "the reported probe is not in the jail's pid "
	    "namespace");
	assert_int_equal(jail_check(jail, pid, err, sizeof(err)), EX_OSERR);
	assert_string_equal(err, "the reported probe is not in the jail's user "
	    "namespace");
	/* Of who has ended nothing can be said. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(jail_check_birth(jail, pid, err, sizeof(err)), 0);
	assert_int_equal(jail_check(jail, pid, err, sizeof(err)), 0);
	end_place(&p);
	loop_until(base, 5000, &ended, 1);
	assert_int_equal(jail_check(jail, pid, err, sizeof(err)), EX_NOHOST);
	assert_string_equal(err, "the jail has ended");
	jails_release(jail);
	close_place(&p);
}

static void
put_map(pid_t pid, const char *map)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/uid_map", (long)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, map, strlen(map)), strlen(map));
	(void)close(fd);
}

/* Root, and not in a user namespace. */
static bool
may_map_all(void)
{
	char map[64];

	return (geteuid() == 0 &&
	    procfs_read("/proc/self/uid_map", map, sizeof(map)) > 0 &&
	    strstr(map, " 4294967295\n") != NULL);
}

static void
test_maps(void **state)
{
	struct place p = open_place();
	struct jail *jail = hold_well(p.init);
	char map[64], text[128];

	(void)state;
	jail_id_map(jail, false, text, sizeof(text));
	assert_string_equal(text, "nothing");
	(void)snprintf(map, sizeof(map), "7 %lu 1", (unsigned long)geteuid());
	put_map(p.init, map);
	jail_id_map(jail, false, text, sizeof(text));
	assert_string_equal(text, "7-7");
	jail_id_map(jail, true, text, sizeof(text));
	assert_string_equal(text, "nothing");
	jails_release(jail);
	if (may_map_all()) {
		struct place q = open_place();

		put_map(q.init, "0 100000 65536\n70000 200000 10\n");
		jail = hold_well(q.init);
		jail_id_map(jail, false, text, sizeof(text));
		assert_string_equal(text, "0-65535, 70000-70009");
		/* As much as there is room for. */
		jail_id_map(jail, false, text, 8);
		assert_string_equal(text, "0-65535");
		end_place(&q);
		jails_release(jail);
		close_place(&q);
	}
	close_place(&p);
}

/* Nobody can tell, so it is not said that there is none. */
static void
test_no_descriptors(void **state)
{
	struct place p = open_place();
	struct rlimit old;
	struct jail *jail;
	int status;

	(void)state;
	for (int spare = 0; spare < 2; spare++) {
		leave_descriptors(spare, &old);
		jail = hold(p.other, 0, &status);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_null(jail);
		assert_int_equal(status, EX_TEMPFAIL);
		assert_non_null(strstr(err, "no descriptor or memory left"));
	}
	close_place(&p);
}

static bool
may_make_places(void)
{
	pid_t pid = child_fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 ? 0 : 1);
	return (pid != -1 && waitpid(pid, &status, 0) == pid && status == 0);
}

/* Without namespaces there are no jails to look at. */
static void
test_no_places(void **state)
{
	(void)state;
	print_message("jails are not looked at: no user namespace\n");
	skip();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_hold),
		TEST(test_host),
		TEST(test_ended),
		TEST(test_again),
		TEST(test_recalled),
		TEST(test_check),
		TEST(test_maps),
		TEST(test_no_descriptors),
	};

	const struct CMUnitTest none[] = {
		cmocka_unit_test(test_no_places),
	};

	if (!may_make_places())
		return (cmocka_run_group_tests(none, NULL, NULL));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
