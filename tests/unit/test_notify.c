/*
 * What a service manager gets to read, by a socket in a folder and by one
 * that has only a name; and that one which never reads holds up nobody.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "notify.h"

#define VARIABLE	"NOTIFY_SOCKET"
#define MESSAGE_MAX	256

struct manager {
	char	dir[64];
	char	name[80];	/* as the variable has it */
	int	fd;
};

static struct notify
open_as(const char *name)
{
	struct notify n;

	memset(&n, 0xff, sizeof(n));
	if (name == NULL)
		unsetenv(VARIABLE);
	else
		setenv(VARIABLE, name, 1);
	notify_open(&n);
	assert_null(getenv(VARIABLE));
	return (n);
}

static int
manage(void **state)
{
	static struct manager m;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strlcpy(m.dir, "/tmp/jdnotify.XXXXXX", sizeof(m.dir));
	if (mkdtemp(m.dir) == NULL)
		return (-1);
	snprintf(m.name, sizeof(m.name), "%s/socket", m.dir);
	strlcpy(addr.sun_path, m.name, sizeof(addr.sun_path));
	m.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (m.fd == -1 || bind(m.fd, (const struct sockaddr *)&addr,
	    sizeof(addr)) == -1 || fcntl(m.fd, F_SETFL, O_NONBLOCK) == -1)
		return (-1);
	*state = &m;
	return (0);
}

static int
unmanage(void **state)
{
	struct manager *m = *state;

	if (m->fd != -1)
		close(m->fd);
	unlink(m->name);
	return (rmdir(m->dir));
}

/* The message that came, as a string. */
static const char *
received(int fd)
{
	static char message[MESSAGE_MAX];
	ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

	assert_true(n > 0);
	message[n] = '\0';
	return (message);
}

static void
assert_nothing_more(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
}

static void
told(void **state)
{
	const struct manager *m = *state;
	struct notify n = open_as(m->name);

	notify_ready(&n);
	assert_string_equal(received(m->fd), "READY=1\n");
	notify_stopping(&n);
	assert_string_equal(received(m->fd), "STOPPING=1\n");
	assert_nothing_more(m->fd);
}

/* The time is the one that the manager compares with: microseconds. */
static void
told_of_reloads(void **state)
{
	const struct manager *m = *state;
	struct notify n = open_as(m->name);
	int64_t before = clock_ms(), after;
	int64_t usec;
	char rest;

	notify_reloading(&n);
	after = clock_ms();
	assert_int_equal(sscanf(received(m->fd),
	    "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%c", &usec, &rest), 2);
	assert_int_equal(rest, '\n');
	assert_true(usec / 1000 >= before && usec / 1000 <= after);
	assert_nothing_more(m->fd);
}

#ifdef __linux__
/* The kernel chooses a name: a zero byte, and five more. */
static void
told_by_name(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa_family_t);
	char name[sizeof(addr.sun_path) + 1];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct notify n;

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, len), 0);
	len = sizeof(addr);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(name, sizeof(name), "@%.*s",
	    (int)(len - offsetof(struct sockaddr_un, sun_path) - 1),
	    addr.sun_path + 1);
	n = open_as(name);
	notify_ready(&n);
	assert_string_equal(received(fd), "READY=1\n");
	close(fd);
}
#endif

/* A name of the longest length, and those that are none. */
static void
names(void **state)
{
	static const char *const bad[] = { "", "/", "@", "relative",
	    "vsock:2:1234", "unix:/run/notify" };
	char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	struct notify n;

	(void)state;
	n = open_as(NULL);
	assert_int_equal(n.len, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = open_as(bad[i]);
		assert_int_equal(n.len, 0);
		notify_ready(&n);
	}
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	n = open_as(name);
	assert_int_equal(n.len, 0);
	name[sizeof(name) - 2] = '\0';
	n = open_as(name);
	assert_int_equal(n.len, sizeof(n.addr));
	assert_string_equal(n.addr.sun_path, name);
}

/* Some managers hang. */
static void
unread(void **state)
{
	struct manager *m = *state;
	struct notify n = open_as(m->name);
	int fill = socket(AF_UNIX, SOCK_DGRAM, 0);
	int64_t started;

	assert_int_equal(fcntl(fill, F_SETFL, O_NONBLOCK), 0);
	while (sendto(fill, "x", 1, 0, (const struct sockaddr *)&n.addr,
	    n.len) == 1)
		continue;
	assert_true(errno == EAGAIN || errno == ENOBUFS);
	close(fill);
	started = clock_ms();
	notify_ready(&n);
	assert_true(clock_ms() - started < 2L * NOTIFY_SEND_MS);
	close(m->fd);
	m->fd = -1;
	notify_ready(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told, manage, unmanage),
		cmocka_unit_test_setup_teardown(told_of_reloads, manage,
		    unmanage),
#ifdef __linux__
		cmocka_unit_test(told_by_name),
#endif
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(unread, manage, unmanage),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
