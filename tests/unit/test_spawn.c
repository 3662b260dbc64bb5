/* spawn.h: what a new program finds; one that cannot start never was. */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

#include "ends.h"
#include "loop.h"
#include "spawn.h"

static char		 folder[] = "/tmp/spawnXXXXXX";
static struct event_base *base;
static struct ends	*ends;
static int		 here, null;

struct told {
	unsigned int	times;
	int		status;
};

static void
on_ended(void *arg, int status)
{
	struct told *t = arg;

	t->times++;
	t->status = status;
}

static int
try_spawn(struct spawn *sp, const char *script, struct told *t)
{
	static struct end end;
	char sh[] = "sh", c[] = "-c", *copy = strdup(script);
	char *argv[] = { sh, c, copy, NULL }, *envp[] = { NULL };
	pid_t pid;
	int fd, ret, saved;

	assert_non_null(copy);
	sp->argv = argv;
	sp->envp = envp;
	ret = spawn(sp, &pid, &fd);
	saved = errno;
	free(copy);
	sp->argv = sp->envp = NULL;
	if (ret == 0) {
		memset(&end, 0, sizeof(end));
		assert_int_equal(ends_watch_child(ends, &end, pid, fd,
		    on_ended, t), 0);
	}
	errno = saved;
	return (ret);
}

/* The exit status of a script that finds out for us. */
static int
run(struct spawn *sp, const char *script)
{
	struct told t = { 0, -1 };

	assert_int_equal(try_spawn(sp, script, &t), 0);
	loop_until(base, 5000, &t.times, 1);
	assert_int_equal(t.times, 1);
	assert_true(WIFEXITED(t.status));
	return (WEXITSTATUS(t.status));
}

static void
assert_fails(struct spawn *sp, int error)
{
	struct told t;

	assert_int_equal(try_spawn(sp, ":", &t), -1);
	assert_int_equal(errno, error);
#ifdef __linux__
	/* FreeBSD: it is init's. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
#endif
}

static void
test_descriptors(void **state)
{
	int kept = open("/dev/null", O_RDONLY), fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3 };
#ifdef __linux__
	char script[64];
#endif

	(void)state;
	assert_int_not_equal(kept, -1);
	/* Only those three, though another is not even close on exec. */
	assert_int_equal(run(&sp, "for fd in 3 4 5 6 7 8 9; do "
	    "  true <&$fd && exit 1; "
	    "done; true 9<&0 9>&1 9>&2 || exit 2"), 0);
#ifdef __linux__
	(void)snprintf(script, sizeof(script), "! test -e /proc/self/fd/%d",
	    kept);
	assert_int_equal(run(&sp, script), 0);
#endif
	fds[0] = -1;
	assert_int_equal(run(&sp, "true 9<&0 && exit 1; exit 7"), 7);
	/* One that is not there. */
	fds[0] = null;
	fds[1] = 999;
	assert_fails(&sp, EBADF);
	(void)close(kept);
}

static void
test_program(void **state)
{
	int fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3 };

	(void)state;
	sp.program = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(sp.program, -1);
	assert_int_equal(run(&sp, "exit 9"), 9);
	(void)close(sp.program);
	/* No program. */
	(void)close(openat(here, "plain", O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600));
	sp.program = openat(here, "plain", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(sp.program, -1);
	assert_fails(&sp, EACCES);
	(void)close(sp.program);
	assert_int_equal(unlinkat(here, "plain", 0), 0);
	sp.program = -1;
	sp.path = "/nonexistent/sh";
	assert_fails(&sp, ENOENT);
}

static void
test_run_is_its_own(void **state)
{
	int fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3, .run = true };

	(void)state;
	(void)umask(077);
	assert_int_equal(run(&sp, "test \"$(umask)\" -eq 22 || exit 1; "
	    "test \"$(pwd)\" = / || exit 2; "
	    "test \"$(ps -o sid= -p $$ 2>/dev/null | tr -d ' ')\" = $$ || "
	    "test -n \"$(uname | grep BSD)\" || exit 3"), 0);
	sp.run = false;
	assert_int_equal(run(&sp, "test \"$(umask)\" -eq 77 || exit 1"), 0);
	(void)umask(022);
}

static void
test_signals(void **state)
{
	int fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3 };
	struct told t = { 0, -1 };
	sigset_t set;

	(void)state;
	/* Neither ignored nor blocked there. */
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(try_spawn(&sp, "kill -HUP $$; exit 1", &t), 0);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)signal(SIGHUP, SIG_DFL);
	loop_until(base, 5000, &t.times, 1);
	assert_true(WIFSIGNALED(t.status));
	assert_int_equal(WTERMSIG(t.status), SIGHUP);
}

static void
test_limit(void **state)
{
	struct rlimit few = { 17, 17 };
	int fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3, .nofile = &few };

	(void)state;
	assert_int_equal(run(&sp, "test \"$(ulimit -n)\" -eq 17 || exit 1"), 0);
#ifdef __linux__
	/* FreeBSD takes what there is. */
	few.rlim_cur = 18;
	assert_fails(&sp, EINVAL);
#endif
}

static bool
exists(const char *name)
{
	struct stat st;

	return (fstatat(here, name, &st, 0) == 0);
}

static void
test_mark(void **state)
{
	int fds[3] = { null, null, null };
	struct spawn sp = { .program = -1, .path = "/bin/sh", .fds = fds,
	    .nfds = 3, .mark_dir = here, .mark_from = "new",
	    .mark_to = "begun" };

	(void)state;
	/* Who could not be marked must not begin. */
	assert_fails(&sp, ENOENT);
	(void)close(openat(here, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(run(&sp, ":"), 0);
	assert_false(exists("new"));
	assert_true(exists("begun"));
	assert_int_equal(unlinkat(here, "begun", 0), 0);
}

/* In a process of its own, with so many descriptors open and allowed. */
static int
init_with(int open_ones, int allowed)
{
	struct rlimit rl = { (rlim_t)allowed, (rlim_t)allowed };
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)close(here);
		(void)close(null);
		for (int fd = 3; fd < 64; fd++)
			(void)close(fd);
		while (open_ones-- > 0)
			if (open("/dev/null", O_RDONLY | O_CLOEXEC) == -1)
				_exit(2);
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
			_exit(3);
		_exit(spawn_init() == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

static void
test_init(void **state)
{
	(void)state;
	assert_int_equal(init_with(0, 64), 0);
	assert_int_equal(init_with(40, 64), 0);
	assert_int_equal(init_with(40, 43), 1);
	assert_int_equal(init_with(0, 4), 1);
#ifdef __linux__
	/* The reserve is there, but nothing above it. */
	assert_int_equal(init_with(0, 3 + SPAWN_FDS_MAX + 1), 1);
	assert_int_equal(init_with(0, 3 + SPAWN_FDS_MAX + 2), 0);
#endif
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return (-1);
	here = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	base = event_base_new();
	ends = base == NULL ? NULL : ends_open(base);
	return (here == -1 || null == -1 || ends == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	ends_close(ends);
	event_base_free(base);
	(void)close(null);
	(void)close(here);
	return (rmdir(folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_run_is_its_own),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_init),
	};

	/* Before anything is opened: it takes the lowest descriptors. */
	if (spawn_init() == -1)
		return (1);
	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
