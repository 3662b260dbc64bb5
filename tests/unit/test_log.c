/* log.c: readers of stderr and syslogds that are slow, gone or new. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

#include "log.h"
#include "loop.h"
#include "place.h"

#define SYSLOGD		"/var/run/logpriv"	/* the first that is tried */
#define HEAD		"jaildaemon: "
#define LINES		2000

static struct event_base *base;
static int		 reader;	/* of stderr, in the test */
static int		 old_stderr;
static bool		 have_place;	/* for a syslogd of the test's own */

/* stderr is a pipe, which nobody reads but the test. */
static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	base = event_base_new();
	old_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (base == NULL || old_stderr == -1 || pipe(fds) == -1 ||
	    dup2(fds[1], STDERR_FILENO) == -1)
		return (-1);
	(void)close(fds[1]);
	reader = fds[0];
	return (fcntl(reader, F_SETFL, O_NONBLOCK));
}

static int
tear_down(void **state)
{
	(void)state;
	log_stop();
	(void)dup2(old_stderr, STDERR_FILENO);
	(void)close(old_stderr);
	if (reader != -1)
		(void)close(reader);
	event_base_free(base);
	return (0);
}

/* What is in the pipe now, at most size - 1 bytes of it. */
static size_t
take(char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 &&
	    (n = read(reader, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return (len);
}

static void
assert_lines(const char *wanted)
{
	char buf[2 * LOG_LINE_MAX];

	(void)take(buf, sizeof(buf));
	assert_string_equal(buf, wanted);
}

static void
test_lines(void **state)
{
	static char longest[2 * LOG_LINE_MAX];
	char buf[2 * LOG_LINE_MAX];
	size_t len;

	(void)state;
	log_info("%s %d", "before there is a loop:", 1);
	assert_lines(HEAD "before there is a loop: 1\n");
	log_start(base, 1);
	errno = ENOSPC;
	log_warn("event=x");
	assert_int_equal(errno, ENOSPC);
	assert_lines(HEAD "event=x error=\"No space left on device\"\n");
	memset(longest, 'x', sizeof(longest) - 1);
	log_warnx("%s", longest);
	len = take(buf, sizeof(buf));
	assert_int_equal(len, LOG_LINE_MAX - 1);
	assert_int_equal(buf[len - 1], '\n');
	assert_int_equal(buf[len - 2], 'x');
}

static void
test_libevent(void **state)
{
	(void)state;
	log_libevent(EVENT_LOG_ERR, "too early");
	log_start(base, 1);
	log_libevent(EVENT_LOG_MSG, "of no interest");
	assert_lines("");
	log_libevent(EVENT_LOG_WARN, "say \"x\"");
	assert_lines(HEAD "event=libevent text=\"say \\\"x\\\"\"\n");
}

/* Numbered lines, until a mebibyte waits, and some more. */
static void
test_slow_reader(void **state)
{
	static char fill[1000];
	char *got = malloc(4 * LOG_QUEUE_MAX), *line, *rest;
	size_t len = 0;
	unsigned int sent, n = 0, lost = 0;

	(void)state;
	assert_non_null(got);
	memset(fill, '.', sizeof(fill) - 1);
	log_start(base, 1);
	for (sent = 0; sent < 2U * LOG_QUEUE_MAX / 1000; sent++)
		log_info("%u %s", sent, fill);
	for (int64_t end = clock_ms() + 60000;
	    lost == 0 && clock_ms() < end; ) {
		loop_until(base, 50, NULL, 0);
		len += take(got + len, 4 * LOG_QUEUE_MAX - len);
		if ((line = strstr(got, "event=log-lost lines=")) != NULL)
			lost = (unsigned int)strtoul(strchr(line, '=') + 1 +
			    strlen("log-lost lines="), NULL, 10);
	}
	assert_true(lost > 0);
	rest = got;
	while ((line = strsep(&rest, "\n")) != NULL &&
	    strstr(line, "event=log-lost") == NULL) {
		assert_memory_equal(line, HEAD, strlen(HEAD));
		assert_int_equal(strtoul(line + strlen(HEAD), NULL, 10), n++);
		assert_string_equal(line + strlen(line) - 999, fill);
	}
	assert_int_equal(n + lost, sent);
	free(got);
}

/* Another reader, which finds nothing of what the last one did not read. */
static void
assert_nothing_waits(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	(void)close(fds[1]);
	if (reader != -1)
		(void)close(reader);
	reader = fds[0];
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	loop_until(base, 250, NULL, 0);
	assert_lines("");
	log_info("now");
	assert_lines(HEAD "now\n");
}

/* What waits when it ends is nobody's any more. */
static void
test_stop(void **state)
{
	static char fill[1000];

	(void)state;
	memset(fill, '.', sizeof(fill) - 1);
	log_start(base, 1);
	for (int i = 0; i < 200; i++)
		log_info("%s", fill);
	log_stop();
	log_start(base, 1);
	assert_nothing_waits();
}

static void
test_no_reader(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(reader);
	reader = -1;
	log_start(base, 1);
	for (int i = 0; i < 3; i++)
		log_info("to nobody");
	assert_nothing_waits();
}

/* A syslogd that holds as many lines as the system lets it. */
static int
start_syslogd(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, SYSLOGD, sizeof(SYSLOGD));
	assert_int_not_equal(fd, -1);
	(void)unlink(SYSLOGD);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return (fd);
}

/* The number that its next line has. */
static int
receive(int fd)
{
	char buf[LOG_LINE_MAX + 1], head[64];
	const char *at;
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	if (n == -1)
		return (-1);
	buf[n] = '\0';
	(void)snprintf(head, sizeof(head), " jaildaemon[%ld]: line ",
	    (long)getpid());
	at = strstr(buf, head);
	assert_non_null(at);
	/* LOG_DAEMON and LOG_INFO, then a time as in "Nov 28 18:47:24". */
	assert_memory_equal(buf, "<30>", 4);
	assert_int_equal(at - buf, 4 + 15);
	return ((int)strtol(at + strlen(head), NULL, 10));
}

static void
test_syslog(void **state)
{
	int fd, sent, got = 0;

	(void)state;
	if (!have_place)
		skip();
	log_start(base, 0);
	log_info("line 0: there is no syslogd");
	fd = start_syslogd();
	log_info("line 1");
	assert_int_equal(receive(fd), 1);
	/* What it has no room for waits, in order. */
	for (sent = 2; sent < LINES; sent++)
		log_info("line %d", sent);
	for (int64_t end = clock_ms() + 10000;
	    got < sent - 1 && clock_ms() < end; ) {
		int n = receive(fd);

		if (n == -1)
			loop_until(base, 1, NULL, 0);
		else {
			assert_true(n == got + 1 || (got == 0 && n == 2));
			got = n;
		}
	}
	assert_int_equal(got, sent - 1);
	/* Another one, and none. */
	(void)close(fd);
	fd = start_syslogd();
	log_info("line 7");
	assert_int_equal(receive(fd), 7);
	(void)close(fd);
	log_info("line 8");
	(void)unlink(SYSLOGD);
	log_info("line 9");
	fd = start_syslogd();
	assert_int_equal(receive(fd), -1);
	(void)close(fd);
	assert_lines("");
}

/* Nor shall the real one's socket be there. */
static int
make_place(void **state)
{
	struct stat run, var_run;

	(void)state;
	have_place = place_enter() == 0 &&
	    mount("none", "/run", "tmpfs", 0, NULL) == 0 &&
	    stat("/run", &run) == 0 && stat("/var/run", &var_run) == 0 &&
	    (run.st_ino == var_run.st_ino ||
	    mount("none", "/var/run", "tmpfs", 0, NULL) == 0) &&
	    (access("/dev/log", F_OK) == -1 ||
	    mount("/dev/null", "/dev/log", NULL, MS_BIND, NULL) == 0);
	if (!have_place)
		print_message("syslog is not tried: no mount namespace (%s)\n",
		    strerror(errno));
	return (0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_libevent),
		TEST(test_slow_reader),
		TEST(test_stop),
		TEST(test_no_reader),
		TEST(test_syslog),
	};

	return (cmocka_run_group_tests(tests, make_place, NULL));
}
