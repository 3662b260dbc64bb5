#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "text.h"
#include "timer.h"

#define PROGRAM		"jaildaemon"
/*
 * What waits is tried again after RETRY_MS if a line went since, else after
 * twice the last time, up to RETRY_MAX_MS.  A syslogd's socket may hold no more
 * than eleven lines (unix(7)'s max_dgram_qlen).
 */
#define RETRY_MS	5
#define RETRY_MAX_MS	100
#define CHUNK		512	/* POSIX's PIPE_BUF: room for it or none */

struct line {
	STAILQ_ENTRY(line) entry;
	size_t		 len;
	size_t		 done;
	char		 text[];
};

static struct {
	bool		 syslog;
	int		 fd;		/* syslogd's socket, or -1 */
	struct event	*retry;
	int		 retry_ms;
	STAILQ_HEAD(, line) queue;
	size_t		 queued;	/* bytes */
	unsigned long	 lost;		/* lines */
} lg = { .fd = -1, .retry_ms = RETRY_MS,
    .queue = STAILQ_HEAD_INITIALIZER(lg.queue) };

/* In the order in which the systems have them; FreeBSD's first is root's. */
static const char *const syslog_paths[] = { "/var/run/logpriv", "/dev/log",
    "/var/run/log" };

static int
connect_syslog(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return (-1);
	for (size_t i = 0; i < sizeof(syslog_paths) / sizeof(*syslog_paths);
	    i++) {
		strlcpy(sun.sun_path, syslog_paths[i], sizeof(sun.sun_path));
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
	}
	close(fd);
	return (-1);
}

/* True: gone, to its reader or because there is none. */
static bool
send_syslog(struct line *line)
{
	for (int tries = 0; tries < 2; tries++) {
		if (lg.fd == -1)
			lg.fd = connect_syslog();
		if (lg.fd == -1)
			return (true);
		if (send(lg.fd, line->text, line->len, MSG_NOSIGNAL) != -1)
			return (true);
		if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
			return (false);
		/* A new syslogd has a new socket. */
		close(lg.fd);
		lg.fd = -1;
	}
	return (true);
}

/* stderr may be shared with others, so it is not made non-blocking. */
static bool
send_stderr(struct line *line)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;
	size_t len;

	while (line->done < line->len) {
		if (poll(&pfd, 1, 0) != 1)
			return (false);
		len = line->len - line->done;
		n = write(STDERR_FILENO, line->text + line->done,
		    len < CHUNK ? len : CHUNK);
		if (n == -1)
			return (errno != EAGAIN && errno != EINTR);
		line->done += (size_t)n;
	}
	return (true);
}

static bool
send_line(struct line *line)
{
	return (lg.syslog ? send_syslog(line) : send_stderr(line));
}

static void
flush_queue(void)
{
	struct line *line;

	while ((line = STAILQ_FIRST(&lg.queue)) != NULL && send_line(line)) {
		STAILQ_REMOVE_HEAD(&lg.queue, entry);
		lg.queued -= line->len;
		free(line);
		lg.retry_ms = RETRY_MS;
	}
}

static void
schedule_retry(void)
{
	const struct timeval delay = { 0, lg.retry_ms * 1000 };

	if (lg.retry != NULL && !evtimer_pending(lg.retry, NULL))
		evtimer_add(lg.retry, &delay);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	unsigned long lost = lg.lost;

	(void)fd;
	(void)what;
	(void)arg;
	lg.retry_ms = lg.retry_ms * 2 < RETRY_MAX_MS ? lg.retry_ms * 2 :
	    RETRY_MAX_MS;
	flush_queue();
	if (!STAILQ_EMPTY(&lg.queue)) {
		schedule_retry();
		return;
	}
	lg.retry_ms = RETRY_MS;
	if (lost > 0) {
		lg.lost = 0;
		log_warnx("event=log-lost lines=%lu", lost);
		/* If that one was lost, too, they are told of later. */
		if (lg.lost > 0)
			lg.lost = lost;
	}
}

static void
enqueue(struct line *line)
{
	if (lg.queued + line->len > LOG_QUEUE_MAX) {
		lg.lost++;
		free(line);
		return;
	}
	STAILQ_INSERT_TAIL(&lg.queue, line, entry);
	lg.queued += line->len;
	schedule_retry();
}

/* The head of a line: RFC 3164's for syslogd, the program's for people. */
static int
print_head(char *buf, size_t size, int priority)
{
	char when[32];
	struct tm tm;
	time_t now;

	if (!lg.syslog)
		return (snprintf(buf, size, "%s: ", PROGRAM));
	now = time(NULL);
	if (localtime_r(&now, &tm) == NULL ||
	    strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm) == 0)
		when[0] = '\0';
	return (snprintf(buf, size, "<%d>%s %s[%ld]: ", LOG_DAEMON | priority,
	    when, PROGRAM, (long)getpid()));
}

__attribute__((format(printf, 2, 0)))
static void
vlog(int priority, const char *fmt, va_list ap)
{
	const size_t room = LOG_LINE_MAX - 1;	/* for the newline */
	int saved = errno;
	struct line *line = malloc(sizeof(*line) + LOG_LINE_MAX);
	size_t head, n;

	if (line == NULL) {
		lg.lost++;
		schedule_retry();
		errno = saved;
		return;
	}
	head = (size_t)print_head(line->text, room, priority);
	n = (size_t)vsnprintf(line->text + head, room - head, fmt, ap);
	line->done = 0;
	line->len = n < room - head ? head + n : room - 1;
	if (!lg.syslog)
		line->text[line->len++] = '\n';
	/* Behind what waits already, to keep the order. */
	flush_queue();
	if (STAILQ_EMPTY(&lg.queue) && send_line(line))
		free(line);
	else
		enqueue(line);
	errno = saved;
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_INFO, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warnx("%s error=\"%s\"", text, strerror(saved));
}

void
log_start(struct event_base *base, int to_stderr)
{
	lg.syslog = !to_stderr;
	lg.retry = evtimer_new(base, on_retry, NULL);
}

void
log_stop(void)
{
	struct line *line;

	flush_queue();
	while ((line = STAILQ_FIRST(&lg.queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&lg.queue, entry);
		free(line);
	}
	lg.queued = 0;
	lg.retry_ms = RETRY_MS;
	free_event(lg.retry);
	lg.retry = NULL;
	if (lg.fd != -1)
		close(lg.fd);
	lg.fd = -1;
}

/* What it says while it is used to log is not logged as well. */
void
log_libevent(int severity, const char *text)
{
	static bool busy;
	struct log_quoted quoted;

	if (severity < EVENT_LOG_WARN || lg.retry == NULL || busy)
		return;
	busy = true;
	log_warnx("event=libevent text=%s", log_quote(&quoted, text));
	busy = false;
}

const char *
log_quote_bytes(struct log_quoted *q, const char *text, size_t len)
{
	size_t n;

	q->s[0] = '"';
	text_escape(q->s + 1, sizeof(q->s) - 2, text, len);
	n = strlen(q->s);
	q->s[n] = '"';
	q->s[n + 1] = '\0';
	return (q->s);
}

const char *
log_quote(struct log_quoted *q, const char *text)
{
	return (log_quote_bytes(q, text, text == NULL ? 0 : strlen(text)));
}
