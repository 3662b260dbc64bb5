#include <sys/time.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

#define VARIABLE	"NOTIFY_SOCKET"
#define MESSAGE_MAX	64

/* An address is not a string: an abstract name ends where its length says. */
static void
set_address(struct notify *n, const char *name)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof(n->addr.sun_path))
		return;
	n->addr.sun_family = AF_UNIX;
	memcpy(n->addr.sun_path, name, len + 1);
	n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (name[0] == '@')
		n->addr.sun_path[0] = '\0';
	else
		n->len++;
}

void
notify_open(struct notify *n)
{
	const char *name = getenv(VARIABLE);

	memset(n, 0, sizeof(*n));
	if (name != NULL)
		set_address(n, name);
	unsetenv(VARIABLE);
}

/* A datagram goes as a whole or not at all. */
static int
send_message(const struct notify *n, const char *message)
{
	const struct timeval limit = { .tv_sec = NOTIFY_SEND_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t sent = -1;
	int saved;

	if (fd == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0)
		sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL,
		    (const struct sockaddr *)&n->addr, n->len);
	saved = errno;
	close(fd);
	errno = saved;
	return (sent == -1 ? -1 : 0);
}

static void
say(const struct notify *n, const char *message)
{
	if (n->len != 0 && send_message(n, message) == -1)
		log_warn("event=notify");
}

void
notify_ready(const struct notify *n)
{
	say(n, "READY=1\n");
}

/* The time tells the manager this reload from the one before. */
void
notify_reloading(const struct notify *n)
{
	char message[MESSAGE_MAX];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	say(n, message);
}

void
notify_stopping(const struct notify *n)
{
	say(n, "STOPPING=1\n");
}
