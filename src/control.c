#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "client.h"
#include "control.h"
#include "lock.h"
#include "log.h"
#include "timer.h"

#define BACKLOG		128
#define PAUSE_MS	1000	/* after accept(2) found no descriptor */
#define PROBE_PEER_MS	2000	/* for another daemon to answer */
#define LOCK_TRIES	10
#define SUM_MS		10000	/* how long refused connections are summed */

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct control	*control;
	struct bufferevent *bev;
	struct event	*deadline;	/* for a request to be complete */
	bool		 busy;		/* a line is being handled */
	bool		 closing;	/* once the reply is written */
	bool		 half;		/* the peer has sent all it will */
	bool		 full;		/* no more is read for now */
	bool		 watching;
	void		(*more)(void *);
	void		(*cancel)(void *);
	void		*cancel_arg;
};

struct control {
	char		*path;
	char		*lock_path;
	int		 lock;
	int		 fd;
	struct event_base *base;
	struct event	*acceptable;
	struct event	*pause;
	struct event	*sum;
	unsigned int	 turned_away;	/* since the last sum */
	unsigned long	 refused;	/* since the start */
	TAILQ_HEAD(, conn) conns;
	unsigned int	 count;
	void		(*line)(void *, struct conn *, const char *, size_t);
	void		*arg;
};

/* Whoever can write there could put another socket in its place. */
static int
check_folder(const char *path, char *err, size_t errsize)
{
	char copy[PATH_MAX], *folder;
	struct stat st;

	strlcpy(copy, path, sizeof(copy));
	folder = dirname(copy);
	if (stat(folder, &st) == -1) {
		snprintf(err, errsize, "the socket's folder %s: %s", folder,
		    strerror(errno));
		return (EX_CANTCREAT);
	}
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(err, errsize, "the socket's folder %s must belong to "
		    "root or uid %lu and be writable by nobody else", folder,
		    (unsigned long)geteuid());
		return (EX_NOPERM);
	}
	return (0);
}

/* As the manual says: a test request tells of another daemon. */
static int
find_other(const char *path, char *err, size_t errsize)
{
	struct wire_request ping = { .verb = "ping" };
	struct wire_reply reply;
	char ignored[WIRE_ERROR_MAX];
	struct stat st;

	if (lstat(path, &st) == -1)
		return (0);
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(err, errsize, "%s exists and is not a socket", path);
		return (EX_CANTCREAT);
	}
	if (client_request(path, &ping, &reply, PROBE_PEER_MS, ignored,
	    sizeof(ignored)) != 0)
		return (0);
	snprintf(err, errsize, "a jaildaemon (pid %lld) serves %s already",
	    (long long)reply.pid, path);
	return (EX_TEMPFAIL);
}

/*
 * The lock is the claim; it goes with its holder, however that ends.  A
 * daemon that stops removes the file, so the file that was locked must still
 * be the one that others see.
 */
static int
take_lock(struct control *c, char *err, size_t errsize)
{
	struct stat ours, seen;

	for (int i = 0; i < LOCK_TRIES; i++) {
		c->lock = open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
		if (c->lock == -1) {
			snprintf(err, errsize, "%s: %s", c->lock_path,
			    strerror(errno));
			return (EX_CANTCREAT);
		}
		if (lock_take(c->lock) == -1) {
			snprintf(err, errsize, "another jaildaemon holds %s",
			    c->lock_path);
			return (EX_TEMPFAIL);
		}
		if (fstat(c->lock, &ours) == 0 &&
		    stat(c->lock_path, &seen) == 0 &&
		    ours.st_dev == seen.st_dev && ours.st_ino == seen.st_ino)
			return (0);
		close(c->lock);
		c->lock = -1;
	}
	snprintf(err, errsize, "%s changes all the time", c->lock_path);
	return (EX_TEMPFAIL);
}

static int
bind_socket(struct control *c, char *err, size_t errsize)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int ret;

	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	strlcpy(sun.sun_path, c->path, sizeof(sun.sun_path));
	/* Ours to remove: the lock is held and nobody answered. */
	unlink(c->path);
	mask = umask(0177);
	ret = c->fd == -1 ? -1 : bind(c->fd, (struct sockaddr *)&sun,
	    sizeof(sun));
	umask(mask);
	if (ret == -1 || listen(c->fd, BACKLOG) == -1) {
		snprintf(err, errsize, "%s: %s", c->path, strerror(errno));
		return (EX_CANTCREAT);
	}
	return (0);
}

static void
free_claim(struct control *c)
{
	if (c->fd != -1)
		close(c->fd);
	if (c->lock != -1)
		close(c->lock);
	free(c->path);
	free(c->lock_path);
	free(c);
}

static struct control *
new_claim(const char *path)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return (NULL);
	TAILQ_INIT(&c->conns);
	c->fd = c->lock = -1;
	c->path = strdup(path);
	if (c->path == NULL ||
	    asprintf(&c->lock_path, "%s" LOCK_SUFFIX, path) == -1) {
		free(c->path);
		free(c);
		return (NULL);
	}
	return (c);
}

struct control *
control_claim(const char *path, int *status, char *err, size_t errsize)
{
	struct control *c = new_claim(path);

	if (c == NULL) {
		*status = EX_OSERR;
		snprintf(err, errsize, "no memory");
		return (NULL);
	}
	*status = check_folder(path, err, errsize);
	if (*status == 0)
		*status = find_other(path, err, errsize);
	if (*status == 0)
		*status = take_lock(c, err, errsize);
	if (*status == 0)
		*status = bind_socket(c, err, errsize);
	if (*status == 0)
		return (c);
	free_claim(c);
	return (NULL);
}

static void
close_conn(struct conn *conn)
{
	struct control *c = conn->control;

	if (conn->cancel != NULL)
		conn->cancel(conn->cancel_arg);
	TAILQ_REMOVE(&c->conns, conn, entry);
	c->count--;
	event_free(conn->deadline);
	bufferevent_free(conn->bev);
	free(conn);
}

static void
restart_deadline(struct conn *conn)
{
	timer_start(conn->deadline, CONTROL_REQUEST_MS);
}

/*
 * Takes the line, which may be NULL.  Without memory for it the end of the
 * connection must do.  A bufferevent that was made when memory was short may
 * not notice that there is something to write, unless it is told.
 */
static void
send_line(struct conn *conn, char *line, size_t len)
{
	if (line == NULL || bufferevent_write(conn->bev, line, len) == -1 ||
	    bufferevent_enable(conn->bev, EV_WRITE) == -1) {
		conn->closing = true;
		event_active(conn->deadline, EV_TIMEOUT, 0);
	}
	free(line);
}

static void
write_reply(struct conn *conn, const struct wire_reply *reply)
{
	size_t len = 0;
	char *line = wire_encode_reply(reply, &len);

	send_line(conn, line, len);
}

/* One last reply; what else the peer sent is not read. */
static void
refuse(struct conn *conn, int status, const char *why)
{
	struct wire_reply reply = { .ok = false, .status = status };

	conn->control->refused++;
	log_warnx("event=refuse status=%d text=\"%s\"", status, why);
	strlcpy(reply.error, why, sizeof(reply.error));
	bufferevent_disable(conn->bev, EV_READ);
	evtimer_del(conn->deadline);
	conn->closing = true;
	write_reply(conn, &reply);
}

static void
handle_line(struct conn *conn, char *line, size_t len)
{
	conn->busy = true;
	evtimer_del(conn->deadline);
	conn->control->line(conn->control->arg, conn, line, len);
}

/* One line at a time: the next waits until its predecessor is answered. */
static void
read_lines(struct conn *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->bev);
	struct evbuffer_ptr newline;
	size_t len;
	char *line;

	while (!conn->busy && !conn->closing) {
		newline = evbuffer_search_eol(input, NULL, NULL,
		    EVBUFFER_EOL_LF);
		if (newline.pos >= WIRE_LINE_MAX || (newline.pos == -1 &&
		    evbuffer_get_length(input) >= WIRE_LINE_MAX)) {
			refuse(conn, EX_TEMPFAIL, "a request is longer than "
			    "the limit of 524288 bytes");
			return;
		}
		if (newline.pos == -1)
			return;
		/* It is there: nothing that comes would have it read again. */
		line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);
		if (line == NULL) {
			refuse(conn, EX_TEMPFAIL, "no memory for a request");
			return;
		}
		handle_line(conn, line, len);
		free(line);
	}
}

void
control_later(struct conn *conn, void (*cancel)(void *), void *arg)
{
	conn->cancel = cancel;
	conn->cancel_arg = arg;
}

/* One that was told why it is cut off hears no more. */
void
control_reply(struct conn *conn, const struct wire_reply *reply)
{
	conn->cancel = NULL;
	conn->more = NULL;
	conn->watching = false;
	if (!conn->closing)
		write_reply(conn, reply);
}

/* An item that cannot be made ends the connection: none is left out. */
void
control_item(struct conn *conn, const struct wire_item *item)
{
	size_t len = 0;
	char *line;

	if (conn->closing)
		return;
	line = wire_encode_item(item, &len);
	send_line(conn, line, len);
	if (conn->watching && evbuffer_get_length(
	    bufferevent_get_output(conn->bev)) > CONTROL_BACKLOG_MAX)
		refuse(conn, EX_TEMPFAIL, "events come faster than they are "
		    "read: 1048576 bytes wait");
}

void
control_stream(struct conn *conn, void (*more)(void *), void (*cancel)(void *),
    void *arg)
{
	conn->more = more;
	control_later(conn, cancel, arg);
}

/*
 * A watcher may look away for as long as it likes: what it has not read has
 * its bound, and the word that it is cut off waits for it.
 */
void
control_watch(struct conn *conn, void (*cancel)(void *), void *arg)
{
	conn->watching = true;
	/*
	 * libevent forgets the limit of an event only while that is added;
	 * one that is added later, without a limit, still has its old one.
	 */
	bufferevent_enable(conn->bev, EV_WRITE);
	bufferevent_set_timeouts(conn->bev, NULL, NULL);
	control_later(conn, cancel, arg);
}

unsigned long
control_refused(const struct control *c)
{
	return (c->refused);
}

/*
 * A line has its bound, and so has what waits behind one that is being handled
 * or whose reply is not read.  Not by libevent's watermark, which cannot be set
 * without memory, and crashes.
 */
static void
bound_input(struct conn *conn)
{
	bool full = evbuffer_get_length(bufferevent_get_input(conn->bev)) >=
	    (conn->busy ? CONTROL_BEHIND_MAX : WIRE_LINE_MAX);

	if (conn->closing || full == conn->full)
		return;
	if (full)
		bufferevent_disable(conn->bev, EV_READ);
	else
		bufferevent_enable(conn->bev, EV_READ);
	conn->full = full;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	read_lines(arg);
	bound_input(arg);
}

/* The reply has left; a peer that does not read it sends nothing more. */
static void
on_written(struct bufferevent *bev, void *arg)
{
	struct conn *conn = arg;

	(void)bev;
	if (conn->closing) {
		close_conn(conn);
		return;
	}
	if (conn->more != NULL) {
		conn->more(conn->cancel_arg);
		return;
	}
	/* An item of a watch, or what was there before a reply that waits. */
	if (conn->cancel != NULL)
		return;
	conn->busy = false;
	restart_deadline(conn);
	read_lines(conn);
	bound_input(conn);
	if (conn->half && !conn->busy && !conn->closing)
		close_conn(conn);
}

/*
 * What a peer sent before it shut its sending side down is answered; one that
 * has gone altogether is found out by the answer.
 */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *conn = arg;

	(void)bev;
	if ((what & BEV_EVENT_EOF) != 0 && (what & BEV_EVENT_READING) != 0) {
		conn->half = true;
		read_lines(conn);
		if ((conn->busy || conn->closing) && !conn->watching)
			return;
	}
	close_conn(conn);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->closing ||
	    evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0)
		close_conn(conn);
	else
		refuse(conn, EX_TEMPFAIL, "a request was not complete after "
		    "10 seconds");
}

static bool
may_connect(int fd)
{
	uid_t uid;
	gid_t gid;

	return (getpeereid(fd, &uid, &gid) == 0 &&
	    (uid == 0 || uid == geteuid()));
}

/* Without memory it is closed again. */
static void
add_conn(struct control *c, int fd)
{
	static const struct timeval limit = { CONTROL_REQUEST_MS / 1000,
	    CONTROL_REQUEST_MS % 1000 * 1000 };
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		goto fail;
	conn->control = c;
	conn->deadline = evtimer_new(c->base, on_deadline, conn);
	conn->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (conn->deadline == NULL || conn->bev == NULL)
		goto fail;
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	bufferevent_set_timeouts(conn->bev, NULL, &limit);
	if (bufferevent_enable(conn->bev, EV_READ | EV_WRITE) == -1)
		goto fail;
	restart_deadline(conn);
	TAILQ_INSERT_TAIL(&c->conns, conn, entry);
	c->count++;
	return;
fail:
	if (conn != NULL && conn->deadline != NULL)
		event_free(conn->deadline);
	if (conn != NULL && conn->bev != NULL)
		bufferevent_free(conn->bev);
	else
		close(fd);
	free(conn);
}

/* The log has one line for the first one, and one for all in ten seconds. */
static void
start_sum(struct control *c)
{
	timer_start(c->sum, SUM_MS);
}

static void
on_sum(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (c->turned_away > 1)
		log_warnx("event=repeats refused=%u", c->turned_away - 1);
	c->turned_away = 0;
}

/*
 * A connection that is not served costs a write and a close, whatever it
 * sends or does not read.
 */
static void
turn_away(struct control *c, int fd, int status, const char *why)
{
	struct wire_reply reply = { .ok = false, .status = status };
	size_t len;
	char *line;

	c->refused++;
	if (c->turned_away++ == 0)
		log_warnx("event=refuse status=%d text=\"%s\"", status, why);
	if (!evtimer_pending(c->sum, NULL))
		start_sum(c);
	strlcpy(reply.error, why, sizeof(reply.error));
	line = wire_encode_reply(&reply, &len);
	if (line != NULL)
		send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(line);
	close(fd);
}

static void
accept_one(struct control *c, int fd)
{
	if (!may_connect(fd))
		turn_away(c, fd, EX_NOPERM, "only root and the daemon's own "
		    "user may give it requests");
	else if (c->count >= CONTROL_CONNECTIONS_MAX)
		turn_away(c, fd, EX_TEMPFAIL, "more than 64 connections at a "
		    "time");
	else
		add_conn(c, fd);
}

static void
start_pause(struct control *c)
{
	timer_start(c->pause, PAUSE_MS);
}

/* Out of descriptors: look away for a while instead of spinning. */
static void
pause_accepting(struct control *c)
{
	log_warn("event=accept");
	event_del(c->acceptable);
	start_pause(c);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (event_add(c->acceptable, NULL) == -1)
		start_pause(c);
}

static void
on_acceptable(evutil_socket_t lfd, short what, void *arg)
{
	struct control *c = arg;
	int fd;

	(void)what;
	while ((fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK))
	    != -1)
		accept_one(c, fd);
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
	    errno == ENOBUFS)
		pause_accepting(c);
}

int
control_serve(struct control *c, struct event_base *base,
    void (*line)(void *, struct conn *, const char *, size_t), void *arg)
{
	c->base = base;
	c->line = line;
	c->arg = arg;
	c->acceptable = event_new(base, c->fd, EV_READ | EV_PERSIST,
	    on_acceptable, c);
	c->pause = evtimer_new(base, on_pause_over, c);
	c->sum = evtimer_new(base, on_sum, c);
	if (c->acceptable == NULL || c->pause == NULL || c->sum == NULL ||
	    event_add(c->acceptable, NULL) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	return (0);
}

/* What there is to say, as far as it goes at once: the loop is over. */
static void
write_last(struct conn *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);
	int fd = bufferevent_getfd(conn->bev);

	evbuffer_unfreeze(output, 1);
	while (evbuffer_get_length(output) > 0 &&
	    evbuffer_write(output, fd) > 0)
		continue;
}

void
control_close(struct control *c)
{
	struct conn *conn;

	TAILQ_FOREACH(conn, &c->conns, entry)
		write_last(conn);
	/* close_conn() takes it out of the list, which the analyser misses. */
	while ((conn = TAILQ_FIRST(&c->conns)) != NULL)
		close_conn(conn); /* NOLINT(clang-analyzer-unix.Malloc) */
	free_event(c->acceptable);
	free_event(c->pause);
	free_event(c->sum);
	unlink(c->path);
	/* While it is held: see take_lock(). */
	unlink(c->lock_path);
	free_claim(c);
}
