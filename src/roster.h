/*
 * Linux: the containers of an engine that is followed: which of them run, what
 * is still to be asked about them, and which the daemon has been told of.
 *
 * One that was told is not told again, however often it is named, until it
 * has another first process or there is another daemon.
 */
#ifndef ROSTER_H
#define ROSTER_H

#include <stdbool.h>

#define ROSTER_MAX		10000	/* containers */
#define ROSTER_CALLS_MAX	16	/* requests to the daemon at a time */
#define ROSTER_CALL_MS		10000
/* A refusal that may be temporary: told again after, doubling up to. */
#define ROSTER_RETRY_MS		1000
#define ROSTER_RETRY_MAX_MS	30000
/* An engine that did not answer about one: asked again after, doubling. */
#define ROSTER_ASK_MS		2000
#define ROSTER_ASK_MAX_MS	60000

struct ends;
struct event_base;
struct feed;
struct roster;

/* idle() is called when an inspection has ended.  NULL with errno. */
struct roster	*roster_open(struct event_base *, struct ends *,
		    const struct feed *, const char *socket,
		    void (*idle)(void *), void *arg);
void		 roster_close(struct roster *);

/*
 * The engine names one: in a list, or because it was started, and then what
 * was known of it may be out of date.
 */
void		 roster_listed(struct roster *, const char *key);
void		 roster_started(struct roster *, const char *key);

/*
 * Forgets those whose process is gone; where a new one was heard of, that is
 * asked about.  How many are left, those included.
 */
unsigned int	 roster_prune(struct roster *);

/* The daemon can be told, or not; anew: this one knows nothing yet. */
void		 roster_daemon(struct roster *, bool up, bool anew);

/* Nothing more is asked or told.  True: an inspection is still to end. */
bool		 roster_stop(struct roster *);

#endif
