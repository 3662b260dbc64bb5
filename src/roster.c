/* Linux: the containers of an engine that is followed. */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "call.h"
#include "command.h"
#include "engine.h"
#include "feed.h"
#include "log.h"
#include "procfs.h"
#include "roster.h"
#include "timer.h"
#include "wire.h"

enum state {
	TO_ASK,			/* in its queue */
	ASKED,
	ASK_LATER,		/* the engine did not answer; until its timer */
	TO_TELL,		/* in its queue */
	TELLING,
	RESTING,		/* until it is told once more */
	KNOWN,			/* the daemon knows, or will not hear of it */
};

struct container {
	RB_ENTRY(container) entry;
	TAILQ_ENTRY(container) queue;
	struct roster	*roster;
	enum state	 state;
	bool		 again;		/* started since it was asked about */
	bool		 told;		/* this process, to this daemon */
	struct feed_found found;	/* pid 0: not known yet */
	uint64_t	 started;	/* of that pid, see procfs.h */
	struct call	*call;
	unsigned int	 daemon;	/* that is called */
	struct event	*timer;
	int		 delay_ms;
};

RB_HEAD(containers, container);
TAILQ_HEAD(queue, container);

struct roster {
	struct event_base *base;
	struct ends	*ends;
	const struct feed *feed;
	const char	*socket;
	void		(*idle)(void *);
	void		*arg;
	struct containers containers;	/* by key */
	unsigned int	 count;
	bool		 full;		/* said so already */
	bool		 stopped;
	struct queue	 to_ask;
	struct command	*inspection;
	struct container *asked[FEED_BATCH];
	unsigned int	 nasked;
	unsigned int	 alone;		/* so many are asked for one by one */
	bool		 daemon_up;
	unsigned int	 daemon;	/* counts them */
	struct queue	 to_tell;
	unsigned int	 telling;
};

static void	ask(struct roster *);
static void	tell(struct roster *);

static int
compare(struct container *a, struct container *b)
{
	return (strcmp(a->found.key, b->found.key));
}

RB_GENERATE_INTERNAL(containers, container, entry, compare,
    static __attribute__((unused)))

static struct container *
find(struct roster *r, const char *key)
{
	struct container wanted = { .roster = r };

	strlcpy(wanted.found.key, key, sizeof(wanted.found.key));
	return (RB_FIND(containers, &r->containers, &wanted));
}

/* The process that was found last is seen to live. */
static bool
is_there(const struct container *c)
{
	uint64_t started;

	return (c->found.pid != 0 &&
	    procfs_start_time(c->found.pid, &started) == 0 &&
	    started == c->started);
}

/* It is seen to have ended: a shortage says neither. */
static bool
is_gone(const struct container *c)
{
	errno = 0;
	return (!is_there(c) && !procfs_is_shortage(errno));
}

static void
leave_queue(struct container *c)
{
	if (c->state == TO_ASK)
		TAILQ_REMOVE(&c->roster->to_ask, c, queue);
	if (c->state == TO_TELL)
		TAILQ_REMOVE(&c->roster->to_tell, c, queue);
	if (c->timer != NULL)
		(void)evtimer_del(c->timer);
}

static void
remove_container(struct container *c)
{
	struct roster *r = c->roster;

	leave_queue(c);
	if (c->call != NULL)
		call_cancel(c->call);
	free_event(c->timer);
	RB_REMOVE(containers, &r->containers, c);
	r->count--;
	free(c);
}

static void
queue_to_ask(struct container *c)
{
	leave_queue(c);
	c->again = false;
	c->state = TO_ASK;
	TAILQ_INSERT_TAIL(&c->roster->to_ask, c, queue);
}

static void
queue_to_ask_first(struct container *c)
{
	c->again = false;
	c->state = TO_ASK;
	TAILQ_INSERT_HEAD(&c->roster->to_ask, c, queue);
}

static void
queue_to_tell(struct container *c)
{
	leave_queue(c);
	c->state = TO_TELL;
	TAILQ_INSERT_TAIL(&c->roster->to_tell, c, queue);
}

/*
 * It is there: what is next?  The daemon hears of it even if it was started
 * anew in the meantime, so that one that always is gets on as well.
 */
static void
proceed(struct container *c)
{
	if (!c->told)
		queue_to_tell(c);
	else if (c->again)
		queue_to_ask(c);
	else
		c->state = KNOWN;
}

/* Its process is gone: where it was started since, there is another one. */
static void
on_gone(struct container *c)
{
	if (c->again)
		queue_to_ask(c);
	else
		remove_container(c);
}

/* To tell is to notice whom to ask about, too. */
static void
go_on(struct roster *r)
{
	tell(r);
	ask(r);
}

static struct container *
add(struct roster *r, const char *key)
{
	struct container *c;

	if (r->count >= ROSTER_MAX) {
		if (!r->full)
			log_warnx("event=full engine=%s containers=%u",
			    r->feed->name, r->count);
		r->full = true;
		return (NULL);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_warn("event=add engine=%s", r->feed->name);
		return (NULL);
	}
	c->roster = r;
	c->state = KNOWN;
	strlcpy(c->found.key, key, sizeof(c->found.key));
	RB_INSERT(containers, &r->containers, c);
	r->count++;
	return (c);
}

void
roster_listed(struct roster *r, const char *key)
{
	struct container *c = find(r, key);

	if (c == NULL)
		c = add(r, key);
	else if (c->state == TO_ASK || c->state == ASKED || is_there(c))
		return;
	if (c == NULL)
		return;
	if (c->state == TELLING)
		c->again = true;
	else
		queue_to_ask(c);
	ask(r);
}

void
roster_started(struct roster *r, const char *key)
{
	struct container *c = find(r, key);

	if (c == NULL && (c = add(r, key)) == NULL)
		return;
	if (c->state == ASKED || c->state == TELLING)
		c->again = true;
	else if (c->state != TO_ASK)
		queue_to_ask(c);
	/* It is in the tree, which the analyser misses. */
	ask(r); /* NOLINT(clang-analyzer-unix.Malloc) */
}

unsigned int
roster_prune(struct roster *r)
{
	struct container *c, *next;

	for (c = RB_MIN(containers, &r->containers); c != NULL; c = next) {
		next = RB_NEXT(containers, &r->containers, c);
		if ((c->state == KNOWN || c->state == TO_TELL ||
		    c->state == RESTING) && is_gone(c))
			on_gone(c);
	}
	r->full = false;
	ask(r);
	return (r->count);
}

/*
 * Trying again later.
 */

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct container *c = arg;
	struct roster *r = c->roster;

	(void)fd;
	(void)what;
	if (c->state == ASK_LATER)
		queue_to_ask(c);
	else if (is_gone(c))
		on_gone(c);
	else
		queue_to_tell(c);
	go_on(r);
}

/* Longer each time.  Without a timer it waits for a list or a daemon. */
static void
rest(struct container *c, enum state state, int first_ms, int max_ms)
{
	c->delay_ms = c->delay_ms == 0 ? first_ms : 2 * c->delay_ms;
	if (c->delay_ms > max_ms)
		c->delay_ms = max_ms;
	if (c->timer == NULL)
		c->timer = evtimer_new(c->roster->base, on_rested, c);
	c->state = state;
	if (c->timer != NULL)
		timer_start(c->timer, c->delay_ms);
}

static void
ask_later(struct container *c)
{
	rest(c, ASK_LATER, ROSTER_ASK_MS, ROSTER_ASK_MAX_MS);
}

static void
tell_later(struct container *c)
{
	rest(c, RESTING, ROSTER_RETRY_MS, ROSTER_RETRY_MAX_MS);
}

/*
 * Asking the engine.
 */

/* One that was asked for runs. */
static void
on_found(struct roster *r, const struct feed_found *found)
{
	struct container *c = find(r, found->key);
	uint64_t started;

	if (c == NULL || c->state != ASKED)
		return;
	if (procfs_start_time(found->pid, &started) == -1) {
		if (procfs_is_shortage(errno))
			ask_later(c);
		return;
	}
	if (found->pid != c->found.pid || started != c->started) {
		c->told = false;
		c->delay_ms = 0;
	}
	c->found = *found;
	c->started = started;
	proceed(c);
}

static void
read_one(struct roster *r, const char *text, size_t len)
{
	struct feed_found found = { .pid = 0 };
	struct log_quoted quoted;

	memcpy(found.key, r->asked[0]->found.key, sizeof(found.key));
	switch (r->feed->read_found(text, len, &found)) {
	case FEED_FOUND:
		on_found(r, &found);
		break;
	case FEED_NOTHING:
		break;
	case FEED_GARBLED:
		log_warnx("event=garbled engine=%s text=%s", r->feed->name,
		    log_quote_bytes(&quoted, text, len));
		break;
	}
}

static void
read_all(struct roster *r, const char *text, size_t len)
{
	const char *end = text + len, *newline;

	if (r->feed->batch == 1) {
		read_one(r, text, len);
		return;
	}
	/* A line without an end may be half of one. */
	while ((newline = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		if (newline > text)
			read_one(r, text, (size_t)(newline - text));
		text = newline + 1;
	}
}

/*
 * One that was asked for and is not known to run.  An engine that is just
 * ending says so of all: then what is known of a process that is there holds.
 * One that does not answer says nothing: it is asked again.
 */
static void
on_not_found(struct container *c, const struct command_end *end)
{
	struct roster *r = c->roster;
	struct log_quoted key, text;

	if ((end->late || end->cut) && r->nasked > 1)
		queue_to_ask_first(c);
	else if (c->again)
		queue_to_ask(c);
	else if (is_there(c))
		proceed(c);
	else if (end->late || end->cut || !is_gone(c))
		ask_later(c);
	else {
		if (!end->ok)
			log_info("event=gone engine=%s container=%s text=%s",
			    r->feed->name, log_quote(&key, c->found.key),
			    log_quote(&text, end->said));
		remove_container(c);
	}
}

static void
on_inspected(void *arg, const struct command_end *end)
{
	struct roster *r = arg;
	struct log_quoted text;
	unsigned int i;

	r->inspection = NULL;
	if (r->stopped) {
		r->idle(r->arg);
		return;
	}
	if (end->late || end->cut)
		log_warnx("event=inspect engine=%s containers=%u text=%s",
		    r->feed->name, r->nasked, log_quote(&text, end->said));
	/* If some are missing the others are there all the same. */
	if (!end->cut)
		read_all(r, end->text, end->len);
	for (i = 0; i < r->nasked; i++)
		if (r->asked[i]->state == ASKED)
			on_not_found(r->asked[i], end);
	/* The one that spoils it shall spoil its own alone. */
	if ((end->late || end->cut) && r->nasked > 1)
		r->alone = r->nasked;
	r->nasked = 0;
	go_on(r);
}

/* The next ones of the queue, and the words that ask for them. */
static void
take_batch(struct roster *r, const char **words, size_t nwords)
{
	unsigned int max = r->feed->batch;
	struct container *c;

	if (r->alone > 0) {
		r->alone--;
		max = 1;
	}
	while (r->nasked < max && (c = TAILQ_FIRST(&r->to_ask)) != NULL) {
		TAILQ_REMOVE(&r->to_ask, c, queue);
		c->state = ASKED;
		r->asked[r->nasked++] = c;
		if (r->feed->batch > 1)
			words[nwords++] = c->found.key;
	}
	words[nwords] = NULL;
}

/* One inspection at a time, of all that wait for it. */
static void
ask(struct roster *r)
{
	const char *words[FEED_WORDS + FEED_BATCH];
	char buf[SPEC_JAIL_MAX + 64];
	struct container *first = TAILQ_FIRST(&r->to_ask);
	size_t n;

	if (r->inspection != NULL || first == NULL || r->stopped)
		return;
	engine_fill(r->feed->inspect, first->found.key, words, buf,
	    sizeof(buf));
	for (n = 0; words[n] != NULL; n++)
		continue;
	take_batch(r, words, n);
	r->inspection = command_start(r->base, r->ends, words,
	    ENGINE_TIMEOUT_MS, NULL, on_inspected, r);
	if (r->inspection != NULL)
		return;
	for (n = 0; n < r->nasked; n++)
		ask_later(r->asked[n]);
	r->nasked = 0;
}

/*
 * Telling the daemon.
 */

/* False: it cannot be done now, and should be tried again. */
static bool
is_final(int status)
{
	return (status != EX_TEMPFAIL && status != EX_OSERR &&
	    status != EX_UNAVAILABLE);
}

static void
log_refusal(const struct container *c, const struct wire_reply *reply,
    const char *why)
{
	struct log_quoted name, text;

	/* Once for all that follow each other. */
	if (c->delay_ms != 0)
		return;
	log_warnx("event=%s engine=%s jail=%s pid=%ld status=%d text=%s",
	    reply == NULL ? "untold" : "refused", c->roster->feed->name,
	    log_quote(&name, c->found.name), (long)c->found.pid,
	    reply == NULL ? EX_UNAVAILABLE : reply->status,
	    log_quote(&text, reply == NULL ? why : reply->error));
}

static void
on_told(void *arg, const struct wire_reply *reply, const char *why)
{
	struct container *c = arg;
	struct roster *r = c->roster;
	struct log_quoted name, text;

	c->call = NULL;
	r->telling--;
	if (reply != NULL && reply->ok)
		log_info("event=told engine=%s jail=%s pid=%ld actions=%lld "
		    "text=%s", r->feed->name, log_quote(&name, c->found.name),
		    (long)c->found.pid, (long long)reply->count,
		    log_quote(&text, reply->warning));
	else
		log_refusal(c, reply, why);
	if (reply != NULL && (reply->ok || is_final(reply->status))) {
		/* Not if another daemon has come since. */
		c->told = c->daemon == r->daemon;
		c->delay_ms = 0;
		proceed(c);
	} else if (c->again)
		queue_to_ask(c);
	else if (c->daemon != r->daemon)
		queue_to_tell(c);
	else
		tell_later(c);
	go_on(r);
}

static void
tell_one(struct container *c)
{
	struct roster *r = c->roster;
	struct wire_request request = { .verb = "started" };
	char engine[SPEC_ENGINE_MAX + 1];

	strlcpy(engine, r->feed->name, sizeof(engine));
	request.keys = WIRE_KEY_JAIL | WIRE_KEY_ENGINE | WIRE_KEY_PID |
	    WIRE_KEY_STARTED;
	request.spec.jail = c->found.name;
	request.spec.engine = engine;
	request.spec.pid = c->found.pid;
	request.spec.started = c->started;
	c->call = call_start(r->base, r->socket, &request, ROSTER_CALL_MS,
	    on_told, c);
	if (c->call == NULL) {
		log_refusal(c, NULL, strerror(errno));
		tell_later(c);
		return;
	}
	c->daemon = r->daemon;
	c->state = TELLING;
	r->telling++;
}

/* Several at a time: a jail that holds up the daemon's answer is one of them. */
static void
tell(struct roster *r)
{
	struct container *c;

	while (r->daemon_up && !r->stopped && r->telling < ROSTER_CALLS_MAX &&
	    (c = TAILQ_FIRST(&r->to_tell)) != NULL) {
		TAILQ_REMOVE(&r->to_tell, c, queue);
		c->state = KNOWN;
		if (is_gone(c))
			on_gone(c);
		else
			tell_one(c);
	}
}

static void
retell(struct roster *r)
{
	struct container *c;

	r->daemon++;
	RB_FOREACH(c, containers, &r->containers) {
		c->told = false;
		c->delay_ms = 0;
		if (c->state == KNOWN || c->state == RESTING)
			queue_to_tell(c);
	}
}

void
roster_daemon(struct roster *r, bool up, bool anew)
{
	r->daemon_up = up;
	if (anew) {
		(void)roster_prune(r);
		retell(r);
	}
	go_on(r);
}

/*
 * The whole.
 */

struct roster *
roster_open(struct event_base *base, struct ends *ends,
    const struct feed *feed, const char *socket, void (*idle)(void *),
    void *arg)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return (NULL);
	r->base = base;
	r->ends = ends;
	r->feed = feed;
	r->socket = socket;
	r->idle = idle;
	r->arg = arg;
	RB_INIT(&r->containers);
	TAILQ_INIT(&r->to_ask);
	TAILQ_INIT(&r->to_tell);
	return (r);
}

bool
roster_stop(struct roster *r)
{
	r->stopped = true;
	if (r->inspection != NULL)
		command_stop(r->inspection);
	return (r->inspection != NULL);
}

void
roster_close(struct roster *r)
{
	struct container *c, *next;

	for (c = RB_MIN(containers, &r->containers); c != NULL; c = next) {
		next = RB_NEXT(containers, &r->containers, c);
		remove_container(c);
	}
	free(r);
}
