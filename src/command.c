/* Linux: a command of an engine's that runs beside the loop. */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "command.h"
#include "ends.h"
#include "engine.h"
#include "feed.h"
#include "text.h"
#include "timer.h"

#define GRACE_MS	1000	/* from the end of its output, or SIGTERM */
#define LAST_READS	64	/* after its end: others may hold its pipes */
#define WORDS_MAX	(sizeof(((struct command_end *)NULL)->said) / 4)

enum phase {
	RUNNING,
	CLOSED,			/* it has closed its output */
	ASKED,			/* SIGTERM was sent */
	KILLED,
	GIVEN_UP,		/* the owner was told, and is gone */
};

struct command {
	struct end	 end;
	enum phase	 phase;
	struct event	*out;
	struct event	*err;
	struct event	*timer;
	bool		 late;
	void		(*line)(void *, const char *, size_t);
	void		(*ended)(void *, const struct command_end *);
	void		*arg;
	struct feed_lines lines;
	char		*text;		/* where there is no line() */
	size_t		 len;
	bool		 cut;
	char		 words[WORDS_MAX];
	size_t		 nwords;
};

static void
free_stream(struct event **ev)
{
	int fd;

	if (*ev == NULL)
		return;
	fd = event_get_fd(*ev);
	event_free(*ev);
	(void)close(fd);
	*ev = NULL;
}

static void
free_command(struct command *c)
{
	free_stream(&c->out);
	free_stream(&c->err);
	free_event(c->timer);
	free(c->text);
	free(c);
}

static void
take_output(struct command *c, const char *text, size_t len)
{
	if (c->line != NULL) {
		feed_lines_take(&c->lines, text, len, c->line, c->arg);
		return;
	}
	c->cut = c->cut || len > COMMAND_OUTPUT_MAX - c->len;
	if (c->cut)
		return;
	memcpy(c->text + c->len, text, len);
	c->len += len;
}

static void
take_words(struct command *c, const char *text, size_t len)
{
	if (len > sizeof(c->words) - c->nwords)
		len = sizeof(c->words) - c->nwords;
	memcpy(c->words + c->nwords, text, len);
	c->nwords += len;
}

/* One read; false: there is no more for now, or ever (then it is NULL). */
static bool
receive(struct command *c, struct event **stream)
{
	char buf[16 * 1024];
	ssize_t n;

	if (*stream == NULL)
		return (false);
	n = read(event_get_fd(*stream), buf, sizeof(buf));
	if (n > 0 && stream == &c->out)
		take_output(c, buf, (size_t)n);
	else if (n > 0)
		take_words(c, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		free_stream(stream);
	return (n > 0);
}

static void
on_out(evutil_socket_t fd, short what, void *arg)
{
	struct command *c = arg;

	(void)fd;
	(void)what;
	(void)receive(c, &c->out);
	/* Nothing more will come of it, so it shall end. */
	if (c->out == NULL && c->phase == RUNNING) {
		c->phase = CLOSED;
		timer_start(c->timer, GRACE_MS);
	}
}

static void
on_err(evutil_socket_t fd, short what, void *arg)
{
	struct command *c = arg;

	(void)fd;
	(void)what;
	(void)receive(c, &c->err);
}

/* The first line of stderr that is not empty, or how it ended. */
static void
explain(const struct command *c, int status, char *said, size_t size)
{
	const char *begin = c->words, *end = c->words + c->nwords;
	size_t len;

	while (begin < end && (*begin == '\n' || *begin == '\r'))
		begin++;
	for (len = 0; begin + len < end && begin[len] != '\n'; len++)
		continue;
	if (len > 0)
		(void)text_escape(said, size, begin, len);
	else if (c->late)
		(void)snprintf(said, size, "it did not end in time");
	else if (c->cut)
		(void)snprintf(said, size, "it printed more than %d bytes",
		    COMMAND_OUTPUT_MAX);
	else if (WIFSIGNALED(status))
		(void)snprintf(said, size, "ended by signal %d",
		    WTERMSIG(status));
	else
		(void)snprintf(said, size, "exit status %d",
		    WEXITSTATUS(status));
}

static void
tell(struct command *c, int status)
{
	struct command_end end = { .late = c->late, .cut = c->cut,
	    .text = c->text, .len = c->len };

	end.ok = !c->late && !c->cut && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
	explain(c, status, end.said, sizeof(end.said));
	c->ended(c->arg, &end);
}

static void
on_ended(void *arg, int status)
{
	struct command *c = arg;
	int i;

	if (c->phase != GIVEN_UP) {
		for (i = 0; i < LAST_READS && receive(c, &c->out); i++)
			continue;
		for (i = 0; i < LAST_READS && receive(c, &c->err); i++)
			continue;
		tell(c, status);
	}
	free_command(c);
}

/* Not reaped yet, so its number, and its group's, is its own. */
static void
signal_group(const struct command *c, int sig)
{
	(void)kill(-c->end.pid, sig);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct command *c = arg;

	(void)fd;
	(void)what;
	switch (c->phase) {
	case RUNNING:
		c->late = true;
		/* FALLTHROUGH */
	case CLOSED:
		command_stop(c);
		break;
	case ASKED:
		c->phase = KILLED;
		signal_group(c, SIGKILL);
		timer_start(c->timer, GRACE_MS);
		break;
	case KILLED:
		/* In an uninterruptible sleep: freed when it has ended. */
		c->phase = GIVEN_UP;
		free_stream(&c->out);
		free_stream(&c->err);
		tell(c, SIGKILL);
		break;
	case GIVEN_UP:
		break;
	}
}

/* A stopped process shall see the signal too. */
void
command_stop(struct command *c)
{
	if (c->phase >= ASKED)
		return;
	c->phase = ASKED;
	signal_group(c, SIGTERM);
	signal_group(c, SIGCONT);
	timer_start(c->timer, GRACE_MS);
}

/* The read end becomes an event; the write end is returned.  -1: neither. */
static int
open_stream(struct event_base *base, struct event **ev,
    event_callback_fn on_readable, void *arg)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ev = event_new(base, fds[0], EV_READ | EV_PERSIST, on_readable, arg);
	if (*ev != NULL && event_add(*ev, NULL) == 0)
		return (fds[1]);
	if (*ev == NULL)
		(void)close(fds[0]);
	(void)close(fds[1]);
	errno = ENOMEM;
	return (-1);
}

static int
launch(struct command *c, struct event_base *base, struct ends *ends,
    const char *const *words)
{
	pid_t pid;
	int err, out, pidfd, rc, saved;

	rc = -1;
	err = -1;
	out = open_stream(base, &c->out, on_out, c);
	if (out != -1)
		err = open_stream(base, &c->err, on_err, c);
	if (err != -1)
		rc = engine_start(words, out, err, &pid, &pidfd);
	saved = errno;
	if (out != -1)
		(void)close(out);
	if (err != -1)
		(void)close(err);
	if (rc == 0)
		rc = ends_watch_child(ends, &c->end, pid, pidfd, on_ended, c);
	else
		errno = saved;
	return (rc);
}

struct command *
command_start(struct event_base *base, struct ends *ends,
    const char *const *words, int timeout_ms,
    void (*line)(void *, const char *, size_t),
    void (*ended)(void *, const struct command_end *), void *arg)
{
	struct command *c;
	int saved;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->line = line;
	c->ended = ended;
	c->arg = arg;
	c->timer = evtimer_new(base, on_timer, c);
	if (line == NULL)
		c->text = malloc(COMMAND_OUTPUT_MAX);
	if (c->timer == NULL || (line == NULL && c->text == NULL) ||
	    launch(c, base, ends, words) == -1) {
		saved = errno;
		free_command(c);
		errno = saved;
		return (NULL);
	}
	if (timeout_ms > 0)
		timer_start(c->timer, timeout_ms);
	return (c);
}
