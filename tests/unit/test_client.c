/* client.c: daemons that are not there, say nothing, or say what they should not. */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
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
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "descriptors.h"

#define TIMEOUT_MS	2000
#define OK_LINE		"{\"v\":1,\"ok\":true}\n"
#define ITEM_LINE	"{\"v\":1,\"id\":1,\"jid\":1,\"state\":\"armed\"," \
			"\"runs\":0,\"command\":\":\",\"respawn\":\"never\"," \
			"\"uid\":0,\"gid\":0}\n"

static char folder[] = "/tmp/clientXXXXXX";
static char path[64];
static char err[512];

/* What stands in for the daemon does with the one connection that it gets. */
typedef void (*behaviour)(int fd);

static void
read_all(int fd)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 && memchr(buf, '\n', (size_t)n) == NULL);
}

static void
say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			_exit(0);
		text += n;
		len -= (size_t)n;
	}
}

static void
answer(int fd)
{
	read_all(fd);
	say(fd, OK_LINE);
}

static void
close_at_once(int fd)
{
	read_all(fd);
}

static void
say_nothing(int fd)
{
	read_all(fd);
	sleep(10);
}

static void
read_nothing(int fd)
{
	(void)fd;
	sleep(10);
}

static void
say_rubbish(int fd)
{
	read_all(fd);
	say(fd, "what?\n");
}

static void
say_an_item(int fd)
{
	read_all(fd);
	say(fd, ITEM_LINE OK_LINE);
}

static void
say_too_much(int fd)
{
	static char much[WIRE_LINE_MAX + 2];

	memset(much, ' ', sizeof(much) - 1);
	read_all(fd);
	say(fd, much);
	sleep(10);
}

static void
answer_early(int fd)
{
	say(fd, OK_LINE);
}

/* A byte now and then, so that nothing comes in one piece. */
static void
be_slow(int fd)
{
	char byte[2] = "";

	usleep(100000);
	read_all(fd);
	for (const char *p = OK_LINE; *p != '\0'; p++) {
		byte[0] = *p;
		say(fd, byte);
		usleep(3000);
	}
}

static pid_t
start_server(behaviour behave)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), peer;
	pid_t pid;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	assert_int_not_equal(fd, -1);
	(void)unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid != 0) {
		(void)close(fd);
		return (pid);
	}
	peer = accept(fd, NULL, NULL);
	if (peer != -1)
		behave(peer);
	_exit(0);
}

static void
end_server(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)unlink(path);
}

static int
request_with(const char *socket_path, size_t nids, int timeout_ms)
{
	static char command[SPEC_COMMAND_MAX + 1];
	struct wire_request rq = { .verb = "disarm", .nids = nids,
	    .keys = nids > 0 ? WIRE_KEY_IDS | WIRE_KEY_COMMAND : 0,
	    .spec.command = command };
	struct wire_reply rp;
	int status;

	/* Six bytes each, on the wire. */
	memset(command, '\1', SPEC_COMMAND_MAX);
	if (nids > 0) {
		rq.ids = calloc(nids, sizeof(*rq.ids));
		assert_non_null(rq.ids);
		for (size_t i = 0; i < nids; i++)
			rq.ids[i] = 9007199254740000 + i;
	}
	err[0] = '\0';
	status = client_request(socket_path, &rq, &rp, timeout_ms, err,
	    sizeof(err));
	free(rq.ids);
	wire_reply_clear(&rp);
	return (status);
}

static void
assert_refused(behaviour behave, int status, const char *words)
{
	pid_t pid = start_server(behave);

	assert_int_equal(request_with(path, 0, TIMEOUT_MS), status);
	if (words != NULL)
		assert_non_null(strstr(err, words));
	else
		assert_string_equal(err, "");
	end_server(pid);
}

static void
test_answers(void **state)
{
	(void)state;
	assert_refused(answer, 0, NULL);
	assert_refused(close_at_once, EX_PROTOCOL,
	    "closed the connection without an answer");
	assert_refused(say_rubbish, EX_PROTOCOL, "is not understood: ");
	assert_refused(say_an_item, EX_PROTOCOL, "is not understood: ");
	assert_refused(say_too_much, EX_PROTOCOL, "is longer than 524288 bytes");
	assert_refused(say_nothing, EX_TEMPFAIL, "within 2 s");
}

static int
count_item(void *arg, struct wire_item *item, const char *line, size_t len)
{
	(void)item;
	(void)line;
	(void)len;
	++*(int *)arg;
	return (0);
}

static int
stream(behaviour behave, int timeout_ms, int *items)
{
	struct wire_request rq = { .verb = "list" };
	struct wire_reply rp;
	pid_t pid = start_server(behave);
	int status;

	*items = 0;
	err[0] = '\0';
	status = client_stream(path, &rq, count_item, items, &rp, timeout_ms,
	    err, sizeof(err));
	wire_reply_clear(&rp);
	end_server(pid);
	return (status);
}

static void
test_streams(void **state)
{
	int items;

	(void)state;
	assert_int_equal(stream(say_an_item, TIMEOUT_MS, &items), 0);
	assert_int_equal(items, 1);
	/* Forever, that is until the daemon ends. */
	assert_int_equal(stream(close_at_once, 0, &items), EX_UNAVAILABLE);
	assert_non_null(strstr(err, "has ended"));
	assert_int_equal(stream(say_nothing, 500, &items), EX_TEMPFAIL);
	assert_int_equal(items, 0);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* More than a socket holds, signals all the time, and a slow reader. */
static void
test_slow(void **state)
{
	static const struct itimerval often = { { 0, 2000 }, { 0, 2000 } },
	    never = { { 0, 0 }, { 0, 0 } };
	struct sigaction interrupt = { .sa_handler = on_alarm };
	pid_t pid = start_server(be_slow);
	int status;

	(void)state;
	sigaction(SIGALRM, &interrupt, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	status = request_with(path, WIRE_IDS_MAX, 10000);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_string_equal(err, "");
	assert_int_equal(status, 0);
	end_server(pid);
	/* It has heard enough, and has closed when the rest is sent. */
	pid = start_server(answer_early);
	assert_int_equal(request_with(path, WIRE_IDS_MAX, TIMEOUT_MS), 0);
	end_server(pid);
	pid = start_server(read_nothing);
	assert_int_equal(request_with(path, WIRE_IDS_MAX, 300), EX_TEMPFAIL);
	assert_non_null(strstr(err, "within 0 s"));
	end_server(pid);
}

static void
assert_nobody(const char *socket_path, int status, const char *words)
{
	assert_int_equal(request_with(socket_path, 0, TIMEOUT_MS), status);
	assert_non_null(strstr(err, words));
}

static void
test_nobody(void **state)
{
	char file[80], endless[300];
	struct rlimit old;
	int fd;

	(void)state;
	assert_nobody(path, EX_UNAVAILABLE, "start one with");
	/* Below a file, which is no folder. */
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	assert_nobody(file, EX_UNAVAILABLE, "no daemon at ");
	(void)snprintf(endless, sizeof(endless), "%s/socket", file);
	assert_nobody(endless, EX_UNAVAILABLE, "Not a directory");
	(void)unlink(file);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_nobody(endless, EX_UNAVAILABLE, "ame too long");
	/* No descriptor. */
	leave_descriptors(0, &old);
	(void)request_with(path, 0, TIMEOUT_MS);
	(void)setrlimit(RLIMIT_NOFILE, &old);
	assert_non_null(strstr(err, "oo many open files"));
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return (-1);
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	return (rmdir(folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_nobody),
	};

	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
