/* A request to the daemon whose reply is waited for beside the loop. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "call.h"
#include "timer.h"
#include "wire.h"

struct call {
	struct bufferevent *bev;
	struct event	*deadline;
	void		(*done)(void *, const struct wire_reply *,
			    const char *);
	void		*arg;
};

static void
finish(struct call *call, const struct wire_reply *reply, const char *why)
{
	void (*done)(void *, const struct wire_reply *, const char *) =
	    call->done;
	void *arg = call->arg;

	call_cancel(call);
	done(arg, reply, why);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct wire_reply reply;
	char why[256];
	size_t len;
	char *line;

	line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);
	if (line != NULL) {
		if (wire_decode_reply(line, len, &reply, why,
		    sizeof(why)) == 0) {
			finish(arg, &reply, NULL);
			wire_reply_clear(&reply);
		} else
			finish(arg, NULL, why);
	} else if (evbuffer_search_eol(input, NULL, NULL,
	    EVBUFFER_EOL_LF).pos != -1)
		finish(arg, NULL, strerror(ENOMEM));
	else if (evbuffer_get_length(input) >= WIRE_LINE_MAX)
		finish(arg, NULL, "the reply is too long");
	free(line);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	finish(arg, NULL, "the daemon closed the connection");
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, NULL, "the daemon does not answer");
}

/* -1 with errno; a local socket connects at once or not at all. */
static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun,
	    (socklen_t)sizeof(sun)) == 0)
		return (fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (-1);
}

static int
send_request(struct call *call, const struct wire_request *request)
{
	size_t len;
	char *line = wire_encode_request(request, &len);
	int ret = -1;

	if (line != NULL)
		ret = bufferevent_write(call->bev, line, len);
	free(line);
	return (ret);
}

struct call *
call_start(struct event_base *base, const char *socket,
    const struct wire_request *request, int timeout_ms,
    void (*done)(void *, const struct wire_reply *, const char *), void *arg)
{
	const struct timeval limit = { timeout_ms / 1000,
	    timeout_ms % 1000 * 1000 };
	struct call *call;
	int fd = dial(socket);

	if (fd == -1)
		return (NULL);
	if ((call = calloc(1, sizeof(*call))) == NULL) {
		(void)close(fd);
		return (NULL);
	}
	call->done = done;
	call->arg = arg;
	call->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	call->deadline = evtimer_new(base, on_deadline, call);
	if (call->bev == NULL)
		(void)close(fd);
	else
		bufferevent_setcb(call->bev, on_read, NULL, on_event, call);
	if (call->bev == NULL || call->deadline == NULL ||
	    evtimer_add(call->deadline, &limit) == -1 ||
	    send_request(call, request) == -1 ||
	    bufferevent_enable(call->bev, EV_READ | EV_WRITE) == -1) {
		call_cancel(call);
		errno = ENOMEM;
		return (NULL);
	}
	return (call);
}

void
call_cancel(struct call *call)
{
	if (call->bev != NULL)
		bufferevent_free(call->bev);
	free_event(call->deadline);
	free(call);
}
