/* Questions about processes that are nobody's children any more. */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <errno.h>
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

#ifdef __linux__
#include "descriptors.h"
#endif
#include "process.h"

#define SLACK_MS	100

/* Writes a byte when it has done what it should, and waits for a signal. */
static _Noreturn void
be_there(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
wait_until_there(int ready, int count)
{
	char byte;

	while (count-- > 0)
		assert_int_equal(read(ready, &byte, 1), 1);
}

static int
end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (status);
}

static void
test_started(void **state)
{
	int64_t before = process_clock(), after, started;
	int ready[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
#ifdef __linux__
		/* What a name can do to who reads /proc/PID/stat. */
		prctl(PR_SET_NAME, "a) R 1 2 (b) ", 0, 0, 0);
#endif
		be_there(ready[1]);
	}
	wait_until_there(ready[0], 1);
	after = process_clock();
	started = process_started(pid);
	assert_true(started >= before - SLACK_MS);
	assert_true(started <= after + SLACK_MS);
	assert_int_equal(process_started(pid), started);
	end(pid);
	errno = 0;
	assert_int_equal(process_started(pid), -1);
	assert_int_equal(errno, ESRCH);
	errno = 0;
	assert_int_equal(process_started(-1), -1);
	assert_int_equal(errno, ESRCH);
	close(ready[0]);
	close(ready[1]);
}

/* A process with a file as its output, of a session of its own or not. */
static pid_t
start_writer(int file, bool leads, int ready)
{
	pid_t pid = fork();

	if (pid != 0)
		return (pid);
	if ((leads && setsid() == -1) || dup2(file, STDOUT_FILENO) == -1)
		_exit(1);
	be_there(ready);
}

static void
test_find_writer(void **state)
{
	char path[] = "/tmp/writerXXXXXX", other[] = "/tmp/writerXXXXXX";
	int file = mkstemp(path), unwritten = mkstemp(other), ready[2];
	struct stat st, no;
	pid_t leader, member;

	(void)state;
	assert_true(file != -1 && unwritten != -1);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(fstat(unwritten, &no), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(process_find_writer(&st), 0);
	member = start_writer(file, false, ready[1]);
	wait_until_there(ready[0], 1);
	assert_int_equal(process_find_writer(&st), 0);
	leader = start_writer(file, true, ready[1]);
	wait_until_there(ready[0], 1);
	assert_int_equal(process_find_writer(&st), leader);
	assert_int_equal(process_find_writer(&no), 0);
	/* As after rename(2): the file counts, not its name. */
	unlink(path);
	assert_int_equal(process_find_writer(&st), leader);
	end(leader);
	assert_int_equal(process_find_writer(&st), 0);
	end(member);
	unlink(other);
	close(file);
	close(unwritten);
	close(ready[0]);
	close(ready[1]);
}

#ifdef __linux__
/* There are no answers then, and "it is not there" would be a wrong one. */
static void
test_no_descriptors(void **state)
{
	struct rlimit old;
	struct stat st;

	(void)state;
	assert_int_equal(stat("/", &st), 0);
	leave_descriptors(0, &old);
	errno = 0;
	assert_int_equal(process_started(getpid()), -1);
	assert_int_equal(errno, EMFILE);
	errno = 0;
	assert_int_equal(process_find_writer(&st), -1);
	assert_int_equal(errno, EMFILE);
	errno = 0;
	assert_int_equal(process_signal_session(getsid(0), true, 0), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(process_started(getpid()) > 0);
}
#endif

/* A session's leader, and one process more of it, whose number it writes. */
static pid_t
start_session(int ready, int number)
{
	pid_t pid = fork(), member;

	if (pid != 0)
		return (pid);
	setsid();
	member = fork();
	if (member == 0)
		be_there(ready);
	if (write(number, &member, sizeof(member)) != sizeof(member))
		_exit(1);
	be_there(ready);
}

/* Its parent may not have reaped it: its state is what tells. */
static bool
is_alive(pid_t pid)
{
	char command[96];
	int status;
	pid_t shell;

	snprintf(command, sizeof(command), "ps -o stat= -p %ld | grep -q "
	    "'^[^Z]'", (long)pid);
	shell = fork();
	if (shell == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(shell, &status, 0), shell);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return (WEXITSTATUS(status) == 0);
}

static bool
ends_soon(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		if (!is_alive(pid))
			return (true);
		usleep(10000);
	}
	return (false);
}

static void
test_signal_session(void **state)
{
	int ready[2], number[2];
	pid_t leader, member;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(number), 0);
	leader = start_session(ready[1], number[1]);
	wait_until_there(ready[0], 2);
	assert_int_equal(read(number[0], &member, sizeof(member)),
	    sizeof(member));
	/* The number is there, so it may be somebody else's by now. */
	process_signal_session(leader, false, SIGTERM);
	usleep(50000);
	assert_true(is_alive(leader));
	assert_true(is_alive(member));
	/* All but the leader. */
	process_signal_session(leader, true, SIGTERM);
	assert_true(ends_soon(member));
	assert_true(is_alive(leader));
	end(leader);

	leader = start_session(ready[1], number[1]);
	wait_until_there(ready[0], 2);
	assert_int_equal(read(number[0], &member, sizeof(member)),
	    sizeof(member));
	end(leader);
	assert_true(is_alive(member));
	process_signal_session(leader, false, SIGKILL);
	assert_true(ends_soon(member));
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(number[i]);
	}
}

static void
test_boot(void **state)
{
	char a[PROCESS_BOOT_MAX], b[PROCESS_BOOT_MAX];

	(void)state;
	assert_int_equal(process_boot(a, sizeof(a)), 0);
	assert_int_equal(process_boot(b, sizeof(b)), 0);
	assert_true(strlen(a) > 5);
	assert_null(strpbrk(a, "\n\" "));
	assert_true(process_same_boot(a, b));
	assert_false(process_same_boot(a, "1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_started),
		cmocka_unit_test(test_find_writer),
#ifdef __linux__
		cmocka_unit_test(test_no_descriptors),
#endif
		cmocka_unit_test(test_signal_session),
		cmocka_unit_test(test_boot),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
