/*
 * `jaildaemon follow`: a service that tells the daemon of each container that
 * an engine starts, so that the actions which belong to its name are armed.
 *
 * It believes neither the engine nor the daemon to be there: both may come,
 * go and come back, and each time all that runs is told again.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "options.h"

/* When an engine's event command has ended, it is started again after: */
#define FOLLOW_RETRY_MS		1000	/* at first; doubling up to */
#define FOLLOW_RETRY_MAX_MS	30000
#define FOLLOW_STEADY_MS	10000	/* one that lived so long was well */

/*
 * An engine is asked for all that runs when its events are begun to be heard
 * and once more soon after, since some engines cannot say from when on they
 * tell; then each minute, in case that an event was lost.
 */
#define FOLLOW_LIST_SOON_MS	3000
#define FOLLOW_LIST_MS		60000
#define FOLLOW_LIST_TIMEOUT_MS	20000

/* How often the daemon is asked whether it is (still the same) there. */
#define FOLLOW_PING_MS		1000
#define FOLLOW_PING_TIMEOUT_MS	5000

/*
 * Until SIGTERM or SIGINT; returns the exit status.  Linux only: elsewhere it
 * says so.
 */
int	follow_run(const struct options *);

#endif
