/* Linux: a service that tells the daemon of the containers of an engine. */
#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "call.h"
#include "clock.h"
#include "command.h"
#include "ends.h"
#include "engine.h"
#include "feed.h"
#include "follow.h"
#include "log.h"
#include "procfs.h"
#include "roster.h"
#include "signals.h"
#include "spawn.h"
#include "text.h"
#include "timer.h"
#include "wire.h"

#define SAID_MAX	512

struct follow {
	const struct feed *feed;
	const char	*socket;
	struct event_base *base;
	struct ends	*ends;
	struct roster	*roster;
	struct signals	*signals;
	bool		 stopping;

	/* The engine. */
	struct command	*events;
	int64_t		 events_ms;	/* when it was started */
	bool		 events_deaf;	/* and stopped therefore */
	struct event	*retry;
	int		 retry_ms;
	struct command	*list;
	bool		 list_again;
	bool		 list_soon;	/* the next one, not in a minute */
	struct event	*relist;
	unsigned int	 garbled;	/* lines, since the last list */
	bool		 engine_up;
	char		 engine_said[SAID_MAX];

	/* The daemon. */
	struct call	*ping;
	struct event	*next_ping;
	bool		 daemon_up;
	int64_t		 daemon_pid;	/* 0: there was none yet */
	uint64_t	 daemon_started;
	char		 daemon_said[SAID_MAX];
};

static void	list(struct follow *);

/*
 * The engine.
 */

/* Said once, until it is well again or the words are others. */
static void
engine_lost(struct follow *f, const char *said)
{
	struct log_quoted text;

	if (f->engine_up || strcmp(said, f->engine_said) != 0)
		log_warnx("event=engine-lost engine=%s text=%s", f->feed->name,
		    log_quote(&text, said));
	f->engine_up = false;
	strlcpy(f->engine_said, said, sizeof(f->engine_said));
}

static void
garbled(struct follow *f, const char *line, size_t len)
{
	struct log_quoted text;

	if (f->garbled++ > 0)
		return;
	if (line == NULL)
		log_warnx("event=garbled engine=%s text=\"a line of more than "
		    "%d bytes\"", f->feed->name, FEED_LINE_MAX);
	else
		log_warnx("event=garbled engine=%s text=%s", f->feed->name,
		    log_quote_bytes(&text, line, len));
}

static void
take_line(struct follow *f, const char *line, size_t len,
    enum feed_answer (*how)(const char *, size_t, char *),
    void (*then)(struct roster *, const char *))
{
	char key[SPEC_JAIL_MAX + 1];

	if (f->stopping)
		return;
	switch (line == NULL ? FEED_GARBLED : how(line, len, key)) {
	case FEED_FOUND:
		then(f->roster, key);
		break;
	case FEED_NOTHING:
		break;
	case FEED_GARBLED:
		garbled(f, line, len);
		break;
	}
}

static void
on_event_line(void *arg, const char *line, size_t len)
{
	struct follow *f = arg;

	take_line(f, line, len, f->feed->read_event, roster_started);
}

static void
on_list_line(void *arg, const char *line, size_t len)
{
	struct follow *f = arg;

	take_line(f, line, len, f->feed->read_list, roster_listed);
}

static void
stop_if_idle(struct follow *f)
{
	if (f->stopping && f->events == NULL && f->list == NULL &&
	    !roster_stop(f->roster))
		(void)event_base_loopbreak(f->base);
}

/* True: it has answered. */
static bool
judge_list(struct follow *f, const struct command_end *end)
{
	unsigned int n;

	if (!end->ok) {
		engine_lost(f, end->said);
		return (false);
	}
	n = roster_prune(f->roster);
	if (!f->engine_up)
		log_info("event=engine engine=%s containers=%u", f->feed->name,
		    n);
	f->engine_up = true;
	return (true);
}

static void
on_listed(void *arg, const struct command_end *end)
{
	struct follow *f = arg;

	f->list = NULL;
	if (f->stopping) {
		stop_if_idle(f);
		return;
	}
	/* It hears no events either, whatever it seems. */
	if (!judge_list(f, end) && f->events != NULL) {
		f->events_deaf = true;
		command_stop(f->events);
	}
	if (f->list_again) {
		list(f);
		return;
	}
	timer_start(f->relist, f->list_soon ? FOLLOW_LIST_SOON_MS :
	    FOLLOW_LIST_MS);
	f->list_soon = false;
}

static void
list(struct follow *f)
{
	f->list_again = f->list != NULL;
	if (f->list_again)
		return;
	if (f->garbled > 1)
		log_warnx("event=repeats engine=%s garbled=%u", f->feed->name,
		    f->garbled - 1);
	f->garbled = 0;
	f->list = command_start(f->base, f->ends, f->feed->list,
	    FOLLOW_LIST_TIMEOUT_MS, on_list_line, on_listed, f);
	if (f->list == NULL) {
		engine_lost(f, strerror(errno));
		timer_start(f->relist, FOLLOW_LIST_MS);
	}
}

static void
on_relist(evutil_socket_t fd, short what, void *arg)
{
	struct follow *f = arg;

	(void)fd;
	(void)what;
	/* Without events a list comes with them. */
	if (f->events != NULL)
		list(f);
}

static void
try_later(struct follow *f)
{
	timer_start(f->retry, f->retry_ms);
	f->retry_ms *= 2;
	if (f->retry_ms > FOLLOW_RETRY_MAX_MS)
		f->retry_ms = FOLLOW_RETRY_MAX_MS;
}

static void
on_events_ended(void *arg, const struct command_end *end)
{
	struct follow *f = arg;

	f->events = NULL;
	if (f->stopping) {
		stop_if_idle(f);
		return;
	}
	if (!f->events_deaf)
		engine_lost(f, end->said);
	if (clock_ms() - f->events_ms >= FOLLOW_STEADY_MS)
		f->retry_ms = FOLLOW_RETRY_MS;
	try_later(f);
}

/* Events first: what starts between the two is in one of them.  -1: errno. */
static int
subscribe(struct follow *f)
{
	const char *words[FEED_WORDS];
	char buf[32], since[32];

	snprintf(since, sizeof(since), "%lld", (long long)time(NULL));
	engine_fill(f->feed->events, since, words, buf, sizeof(buf));
	f->events_ms = clock_ms();
	f->events_deaf = false;
	f->events = command_start(f->base, f->ends, words, 0, on_event_line,
	    on_events_ended, f);
	if (f->events == NULL)
		return (-1);
	f->list_soon = true;
	list(f);
	return (0);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct follow *f = arg;

	(void)fd;
	(void)what;
	if (subscribe(f) == 0)
		return;
	engine_lost(f, strerror(errno));
	try_later(f);
}

/*
 * The daemon.
 */

static void
daemon_lost(struct follow *f, const char *said)
{
	struct log_quoted socket, text;

	if (f->daemon_up || strcmp(said, f->daemon_said) != 0)
		log_warnx("event=daemon-lost socket=%s text=%s",
		    log_quote(&socket, f->socket), log_quote(&text, said));
	f->daemon_up = false;
	strlcpy(f->daemon_said, said, sizeof(f->daemon_said));
	roster_daemon(f->roster, false, false);
}

/* A number is not enough to know it again: it may be used a second time. */
static void
daemon_answered(struct follow *f, int64_t pid)
{
	uint64_t started;
	bool anew;

	if (procfs_start_time((pid_t)pid, &started) == -1)
		started = 0;
	anew = pid != f->daemon_pid || started != f->daemon_started;
	if (anew || !f->daemon_up)
		log_info("event=daemon pid=%lld new=%d", (long long)pid, anew);
	f->daemon_up = true;
	f->daemon_pid = pid;
	f->daemon_started = started;
	roster_daemon(f->roster, true, anew);
}

static void
on_pong(void *arg, const struct wire_reply *reply, const char *why)
{
	struct follow *f = arg;

	f->ping = NULL;
	if (reply == NULL)
		daemon_lost(f, why);
	else if (!reply->ok)
		daemon_lost(f, reply->error);
	else
		daemon_answered(f, reply->pid);
	timer_start(f->next_ping, FOLLOW_PING_MS);
}

static void
on_next_ping(evutil_socket_t fd, short what, void *arg)
{
	const struct wire_request request = { .verb = "ping" };
	struct follow *f = arg;

	(void)fd;
	(void)what;
	f->ping = call_start(f->base, f->socket, &request,
	    FOLLOW_PING_TIMEOUT_MS, on_pong, f);
	if (f->ping != NULL)
		return;
	daemon_lost(f, strerror(errno));
	timer_start(f->next_ping, FOLLOW_PING_MS);
}

/*
 * The service.
 */

static void
stop(struct follow *f)
{
	f->stopping = true;
	(void)evtimer_del(f->retry);
	(void)evtimer_del(f->relist);
	(void)evtimer_del(f->next_ping);
	(void)roster_stop(f->roster);
	if (f->events != NULL)
		command_stop(f->events);
	if (f->list != NULL)
		command_stop(f->list);
	stop_if_idle(f);
}

static void
on_signal(void *arg, int sig)
{
	struct follow *f = arg;

	if (f->stopping)
		return;
	if (sig != SIGHUP) {
		log_info("event=stop signal=%d", sig);
		stop(f);
		return;
	}
	log_info("event=hangup text=\"asking the engine again\"");
	if (f->events != NULL)
		list(f);
	else {
		f->retry_ms = FOLLOW_RETRY_MS;
		timer_start(f->retry, 0);
	}
}

static void
on_idle(void *arg)
{
	stop_if_idle(arg);
}

static int
open_parts(struct follow *f)
{
	event_set_log_callback(log_libevent);
	if ((f->base = event_base_new()) == NULL)
		return (-1);
	f->retry = evtimer_new(f->base, on_retry, f);
	f->relist = evtimer_new(f->base, on_relist, f);
	f->next_ping = evtimer_new(f->base, on_next_ping, f);
	if ((f->ends = ends_open(f->base)) != NULL)
		f->roster = roster_open(f->base, f->ends, f->feed, f->socket,
		    on_idle, f);
	if (f->retry == NULL || f->relist == NULL || f->next_ping == NULL ||
	    f->roster == NULL)
		return (-1);
	f->signals = signals_open(f->base, on_signal, f);
	return (f->signals == NULL ? -1 : 0);
}

static void
close_parts(struct follow *f)
{
	if (f->ping != NULL)
		call_cancel(f->ping);
	if (f->roster != NULL)
		roster_close(f->roster);
	ends_close(f->ends);
	signals_close(f->signals);
	free_event(f->retry);
	free_event(f->relist);
	free_event(f->next_ping);
	log_stop();
	if (f->base != NULL)
		event_base_free(f->base);
}

static int
complain(int status, const char *engine, const char *what)
{
	char shown[128];

	(void)text_escape(shown, sizeof(shown), engine, strlen(engine));
	fprintf(stderr, "jaildaemon: follow: \"%s\" %s\n", shown, what);
	return (status);
}

static int
serve(struct follow *f)
{
	struct log_quoted socket;

	if (open_parts(f) == -1)
		return (complain(EX_OSERR, f->feed->name,
		    "cannot be followed: out of memory or descriptors"));
	log_start(f->base, 1);
	log_info("event=follow engine=%s pid=%ld version=%s socket=%s",
	    f->feed->name, (long)getpid(), VERSION,
	    log_quote(&socket, f->socket));
	timer_start(f->retry, 0);
	timer_start(f->next_ping, 0);
	/* From here on nothing ends it but a signal. */
	(void)event_base_dispatch(f->base);
	return (0);
}

int
follow_run(const struct options *options)
{
	struct follow f = { .socket = options->socket,
	    .retry_ms = FOLLOW_RETRY_MS };
	int status;

	f.feed = feed_find(options->operands[0]);
	if (f.feed == NULL) {
		char what[128];

		snprintf(what, sizeof(what), "is no engine that can be "
		    "followed: expected %s", feed_names);
		return (complain(EX_USAGE, options->operands[0], what));
	}
	if (!engine_has_program(f.feed->events[0]))
		return (complain(EX_UNAVAILABLE, f.feed->name,
		    "is not installed: it is not in " ENGINE_PATH));
	spawn_reset_signals();
	(void)signal(SIGPIPE, SIG_IGN);
	closefrom(3);
	status = serve(&f);
	close_parts(&f);
	return (status);
}
