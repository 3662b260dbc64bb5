/* One request to the daemon, and its answer. */
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
#include "lock.h"
#include "text.h"
#include "wire.h"

#define CONNECT_MS	10000	/* where an answer may take forever */
#define BUSY_RETRY_MS	10

/* One exchange: where, until when, and the line that says what went wrong. */
struct exchange {
	const char	*socket;
	int		 fd;
	int		 timeout_ms;
	int64_t		 deadline;	/* monotonic, in ms; 0: none */
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
		if (x->timeout_ms == 0)
			return (refuse(x, EX_UNAVAILABLE, "the daemon at %s "
			    "has ended", shown));
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
		left = x->deadline == 0 ? -1 : x->deadline - now_ms();
		n = left <= 0 && x->deadline != 0 ? 0 :
		    poll(&pfd, 1, (int)left);
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
 * Is it only the moment?  Where the daemon's queue is full, Linux says EAGAIN and
 * leaves nothing to wait for; FreeBSD says what it says of a socket that nobody
 * listens to, as both do before the daemon listens.  It has its lock then.
 */
static bool
is_busy(const struct exchange *x, int error)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) +
	    sizeof(LOCK_SUFFIX)];

	if (error != ECONNREFUSED)
		return (error == EAGAIN || error == EINTR);
	(void)snprintf(path, sizeof(path), "%s" LOCK_SUFFIX, x->socket);
	return (lock_is_held(path));
}

/* One attempt to connect.  A local socket connects at once, or not. */
static int
connect_until(struct exchange *x, const struct sockaddr_un *sun)
{
	int64_t left;

	while (connect(x->fd, (const struct sockaddr *)sun,
	    (socklen_t)sizeof(*sun)) == -1) {
		if (!is_busy(x, errno))
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

/* What was received and not looked at yet. */
struct input {
	char	*buf;
	size_t	 size;
	size_t	 used;
	size_t	 taken;		/* of the line that was looked at */
};

/*
 * Receives up to the first newline, which is not counted; -1 with errno,
 * ECONNRESET when the connection ended before it, EMSGSIZE when the line is
 * longer than the buffer.
 */
static int
receive_line(struct exchange *x, struct input *in, size_t *len)
{
	const char *nl;
	size_t seen;
	ssize_t n;

	in->used -= in->taken;
	memmove(in->buf, in->buf + in->taken, in->used);
	in->taken = 0;
	for (seen = 0; ; seen = in->used - (size_t)n) {
		nl = memchr(in->buf + seen, '\n', in->used - seen);
		if (nl != NULL) {
			*len = (size_t)(nl - in->buf);
			in->taken = *len + 1;
			return (0);
		}
		if (in->used == in->size) {
			errno = EMSGSIZE;
			return (-1);
		}
		while ((n = recv(x->fd, in->buf + in->used,
		    in->size - in->used, 0)) == -1)
			if (errno != EINTR && (errno != EAGAIN ||
			    wait_for(x, POLLIN) == -1))
				return (-1);
		if (n == 0) {
			errno = ECONNRESET;
			return (-1);
		}
		in->used += (size_t)n;
	}
}

/* Who gets the items of a reply. */
struct reader {
	int	(*item)(void *, struct wire_item *, const char *, size_t);
	void	*arg;
};

static int
not_understood(struct exchange *x, const char *why)
{
	return (refuse(x, EX_PROTOCOL, "the daemon's answer is not understood: "
	    "%s", why));
}

/* One line of the answer; *last: it was the reply. */
static int
take_line(struct exchange *x, const char *line, size_t len,
    const struct reader *r, struct wire_reply *rp, bool *last)
{
	struct wire_item item;
	char why[256];
	int status;

	switch (wire_decode_answer(line, len, rp, &item, why, sizeof(why))) {
	case 0:
		*last = true;
		return (0);
	case 1:
		status = r->item == NULL ? not_understood(x, "an item") :
		    r->item(r->arg, &item, line, len);
		wire_item_clear(&item);
		return (status);
	default:
		return (not_understood(x, why));
	}
}

static int
read_answer(struct exchange *x, struct input *in, const struct reader *r,
    struct wire_reply *rp)
{
	bool last = false;
	int status = 0;
	size_t len;

	while (status == 0 && !last) {
		if (receive_line(x, in, &len) == 0)
			status = take_line(x, in->buf, len, r, rp, &last);
		else
			status = errno != EMSGSIZE ? refuse_errno(x, errno) :
			    refuse(x, EX_PROTOCOL, "the daemon's answer is "
			    "longer than %d bytes", WIRE_LINE_MAX);
		if (r->item != NULL && x->timeout_ms != 0)
			x->deadline = now_ms() + x->timeout_ms;
	}
	return (status);
}

/* The whole exchange; the reply is filled where 0 is returned. */
static int
converse(struct exchange *x, const char *request, size_t len,
    const struct reader *r, struct wire_reply *rp)
{
	struct input in = { .size = WIRE_LINE_MAX };
	int status;

	if ((in.buf = malloc(WIRE_LINE_MAX)) == NULL)
		return (refuse(x, EX_OSERR, "out of memory"));
	if (open_socket(x) == -1 || send_line(x, request, len) == -1)
		status = refuse_errno(x, errno);
	else {
		if (x->timeout_ms == 0)
			x->deadline = 0;
		status = read_answer(x, &in, r, rp);
	}
	free(in.buf);
	return (status);
}

static int
exchange(const char *socket, const struct wire_request *rq,
    const struct reader *r, struct wire_reply *rp, int timeout_ms, char *err,
    size_t errsize)
{
	struct exchange x = {
		.socket = socket,
		.fd = -1,
		.timeout_ms = timeout_ms,
		.deadline = now_ms() +
		    (timeout_ms != 0 ? timeout_ms : CONNECT_MS),
		.err = err,
		.errsize = errsize,
	};
	char *line;
	size_t len;
	int status;

	memset(rp, 0, sizeof(*rp));
	if ((line = wire_encode_request(rq, &len)) == NULL)
		return (refuse(&x, EX_OSERR, "out of memory"));
	status = converse(&x, line, len, r, rp);
	free(line);
	if (x.fd != -1)
		(void)close(x.fd);
	return (status);
}

int
client_request(const char *socket, const struct wire_request *rq,
    struct wire_reply *rp, int timeout_ms, char *err, size_t errsize)
{
	const struct reader none = { NULL, NULL };

	return (exchange(socket, rq, &none, rp, timeout_ms, err, errsize));
}

int
client_stream(const char *socket, const struct wire_request *rq,
    int (*item)(void *, struct wire_item *, const char *, size_t), void *arg,
    struct wire_reply *rp, int timeout_ms, char *err, size_t errsize)
{
	const struct reader reader = { item, arg };

	return (exchange(socket, rq, &reader, rp, timeout_ms, err, errsize));
}
