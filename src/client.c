/* The utility: one request to the daemon, its reply, its exit status. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "options.h"
#include "spec.h"
#include "text.h"
#include "wire.h"
#ifdef __linux__
#include "engine.h"
#include "procfs.h"
#endif

#define REQUEST_TIMEOUT_MS	10000
#define BUSY_RETRY_MS		10

/* One exchange: where, until when, and the line that says what went wrong. */
struct exchange {
	const char	*socket;
	int		 fd;
	int		 timeout_ms;
	int64_t		 deadline;	/* monotonic, in ms */
	char		*err;
	size_t		 errsize;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Returns the status, with the line in err. */
static int refuse(struct exchange *, int, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(struct exchange *x, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(x->err, x->errsize, fmt, ap);
	va_end(ap);
	return (status);
}

/* What an errno of connecting, sending or receiving means to the user. */
static int
refuse_errno(struct exchange *x, int error)
{
	char shown[2 * sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	(void)text_escape(shown, sizeof(shown), x->socket,
	    strlen(x->socket));
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return (refuse(x, EX_UNAVAILABLE, "no daemon at %s: start one "
		    "with \"jaildaemon -D\"", shown));
	case EACCES:
	case EPERM:
		return (refuse(x, EX_NOPERM, "not permitted to use %s: %s",
		    shown, strerror(error)));
	case ETIMEDOUT:
		return (refuse(x, EX_TEMPFAIL, "no answer from the daemon at "
		    "%s within %d s", shown, x->timeout_ms / 1000));
	case EPIPE:
	case ECONNRESET:
		return (refuse(x, EX_PROTOCOL, "the daemon at %s closed the "
		    "connection without an answer", shown));
	default:
		return (refuse(x, EX_UNAVAILABLE, "no daemon at %s: %s",
		    shown, strerror(error)));
	}
}

/* Waits for events; 0, or -1 with errno, ETIMEDOUT at the deadline. */
static int
wait_for(struct exchange *x, short events)
{
	struct pollfd pfd = { .fd = x->fd, .events = events };
	int64_t left;
	int n;

	for (;;) {
		left = x->deadline - now_ms();
		n = left <= 0 ? 0 : poll(&pfd, 1, (int)left);
		if (n > 0)
			return (0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ETIMEDOUT;
		return (-1);
	}
}

/*
 * One attempt to connect.  A local socket connects at once, or, where the
 * daemon's queue is full, Linux says EAGAIN and leaves nothing to wait for.
 */
static int
connect_until(struct exchange *x, const struct sockaddr_un *sun)
{
	int64_t left;

	while (connect(x->fd, (const struct sockaddr *)sun,
	    (socklen_t)sizeof(*sun)) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return (-1);
		if ((left = x->deadline - now_ms()) <= 0) {
			errno = ETIMEDOUT;
			return (-1);
		}
		(void)poll(NULL, 0,
		    left < BUSY_RETRY_MS ? (int)left : BUSY_RETRY_MS);
	}
	return (0);
}

static int
open_socket(struct exchange *x)
{
	struct sockaddr_un sun;
	int flags;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, x->socket, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd == -1)
		return (-1);
	flags = fcntl(x->fd, F_GETFL);
	if (flags == -1 || fcntl(x->fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return (-1);
	return (connect_until(x, &sun));
}

/*
 * Sends the line.  A daemon that has closed has not necessarily said
 * nothing: over a limit it answers before it has read all, so that EPIPE is
 * no error here.
 */
static int
send_line(struct exchange *x, const char *line, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(x->fd, line, len, MSG_NOSIGNAL);
		if (n >= 0) {
			line += n;
			len -= (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET)
			return (0);
		else if (errno != EINTR &&
		    (errno != EAGAIN || wait_for(x, POLLOUT) == -1))
			return (-1);
	}
	return (0);
}

/*
 * Receives up to the first newline, which is not counted; -1 with errno,
 * ECONNRESET when the connection ended before it, EMSGSIZE when the line is
 * longer than size.
 */
static int
receive_line(struct exchange *x, char *line, size_t size, size_t *len)
{
	const char *nl;
	size_t used;
	ssize_t n;

	for (used = 0; used < size; ) {
		n = recv(x->fd, line + used, size - used, 0);
		if (n == 0) {
			errno = ECONNRESET;
			return (-1);
		}
		if (n == -1) {
			if (errno == EINTR ||
			    (errno == EAGAIN && wait_for(x, POLLIN) == 0))
				continue;
			return (-1);
		}
		nl = memchr(line + used, '\n', (size_t)n);
		if (nl != NULL) {
			*len = (size_t)(nl - line);
			return (0);
		}
		used += (size_t)n;
	}
	errno = EMSGSIZE;
	return (-1);
}

static int
decode_reply(struct exchange *x, const char *line, size_t len,
    struct wire_reply *rp)
{
	char why[256];

	if (wire_decode_reply(line, len, rp, why, sizeof(why)) == 0)
		return (0);
	return (refuse(x, EX_PROTOCOL, "the daemon's answer is not understood: "
	    "%s", why));
}

/* The whole exchange; the reply is filled where 0 is returned. */
static int
converse(struct exchange *x, const char *request, size_t len,
    struct wire_reply *rp)
{
	char *line;
	int status;

	if ((line = malloc(WIRE_LINE_MAX)) == NULL)
		return (refuse(x, EX_OSERR, "out of memory"));
	if (open_socket(x) == -1 || send_line(x, request, len) == -1)
		status = refuse_errno(x, errno);
	else if (receive_line(x, line, WIRE_LINE_MAX, &len) == 0)
		status = decode_reply(x, line, len, rp);
	else
		status = errno != EMSGSIZE ? refuse_errno(x, errno) :
		    refuse(x, EX_PROTOCOL, "the daemon's answer is longer "
		    "than %d bytes", WIRE_LINE_MAX);
	free(line);
	return (status);
}

int
client_request(const char *socket, const struct wire_request *rq,
    struct wire_reply *rp, int timeout_ms, char *err, size_t errsize)
{
	struct exchange x = {
		.socket = socket,
		.fd = -1,
		.timeout_ms = timeout_ms,
		.deadline = now_ms() + timeout_ms,
		.err = err,
		.errsize = errsize,
	};
	char *line;
	size_t len;
	int status;

	if ((line = wire_encode_request(rq, &len)) == NULL)
		return (refuse(&x, EX_OSERR, "out of memory"));
	status = converse(&x, line, len, rp);
	free(line);
	if (x.fd != -1)
		(void)close(x.fd);
	return (status);
}

#ifdef __linux__

static int
parse_pid(const char *digits, pid_t *pid, char *err, size_t errsize)
{
	char shown[64];
	const char *wrong;

	*pid = (pid_t)strtonum(digits, 1, INT32_MAX, &wrong);
	if (wrong == NULL)
		return (0);
	(void)text_escape(shown, sizeof(shown), digits, strlen(digits));
	(void)snprintf(err, errsize, "-j: \"%s\" is no process: a pid is a "
	    "number from 1 to %jd", shown, (intmax_t)INT32_MAX);
	return (EX_DATAERR);
}

/* The jail as typed, a pid or a container's name, as a process. */
static int
find_jail(const char *jail, struct spec *s, char *err, size_t errsize)
{
	char name[SPEC_JAIL_MAX + 1] = "";
	pid_t pid = 0;
	int status;

	if (jail[strspn(jail, "0123456789")] == '\0')
		status = parse_pid(jail, &pid, err, errsize);
	else
		status = engine_resolve(jail, &pid, name, sizeof(name), err,
		    errsize);
	if (status != 0)
		return (status);
	if (procfs_start_time(pid, &s->started) == -1) {
		(void)snprintf(err, errsize, "no process %jd", (intmax_t)pid);
		return (EX_NOHOST);
	}
	s->pid = pid;
	if (*name != '\0' && (s->jail = strdup(name)) == NULL) {
		(void)snprintf(err, errsize, "out of memory");
		return (EX_OSERR);
	}
	return (0);
}

#else

/* The daemon looks it up: jids and names are the kernel's. */
static int
find_jail(const char *jail, struct spec *s, char *err, size_t errsize)
{
	if ((s->jail = strdup(jail)) != NULL)
		return (0);
	(void)snprintf(err, errsize, "out of memory");
	return (EX_OSERR);
}

#endif

/* Takes the spec from the options: the request is what owns it now. */
static void
make_request(struct options *o, struct wire_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	(void)strlcpy(rq->verb, "arm", sizeof(rq->verb));
	rq->spec = o->spec;
	memset(&o->spec, 0, sizeof(o->spec));
	rq->keys = WIRE_KEY_COMMAND | WIRE_KEY_UID | WIRE_KEY_GID |
	    WIRE_KEY_RESPAWN;
	if (rq->spec.title != NULL)
		rq->keys |= WIRE_KEY_TITLE;
	if (rq->spec.jail != NULL)
		rq->keys |= WIRE_KEY_JAIL;
	if (rq->spec.pid != 0)
		rq->keys |= WIRE_KEY_PID;
	if (rq->spec.started != 0)
		rq->keys |= WIRE_KEY_STARTED;
}

/* Prints the one line, whatever the daemon or an engine made of it. */
static void
complain(const char *line)
{
	char shown[4 * WIRE_ERROR_MAX + 1];

	(void)text_show(shown, sizeof(shown), line, strlen(line));
	(void)fprintf(stderr, "jaildaemon: %s\n", shown);
}

static int
arm(struct options *o, struct wire_reply *rp, char *err, size_t errsize)
{
	struct wire_request rq;
	int status;

	memset(rp, 0, sizeof(*rp));
	status = find_jail(o->jail, &o->spec, err, errsize);
	if (status == 0)
		status = spec_check(&o->spec, err, errsize);
	if (status != 0)
		return (status);
	make_request(o, &rq);
	status = client_request(o->socket, &rq, rp, REQUEST_TIMEOUT_MS, err,
	    errsize);
	spec_clear(&rq.spec);
	if (status == 0 && !rp->ok) {
		(void)strlcpy(err, rp->error, errsize);
		status = rp->status;
	}
	return (status);
}

int
client_arm(struct options *o)
{
	char err[WIRE_ERROR_MAX];
	struct wire_reply rp;
	int status;

	if ((status = arm(o, &rp, err, sizeof(err))) != 0) {
		complain(err);
		return (status);
	}
	if (rp.warning[0] != '\0')
		complain(rp.warning);
	if (o->verbose && (printf("%ju\n", (uintmax_t)rp.id) < 0 ||
	    fflush(stdout) != 0)) {
		complain("the action's id cannot be written");
		status = EX_IOERR;
	}
	return (status);
}
