/*
 * The actions: what is armed, and what happens to it.  life.c decides, this
 * carries out.
 */
#ifndef ACTION_H
#define ACTION_H

#include <sys/types.h>
#include <sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "spec.h"

struct actions;
struct ends;
struct event_base;
struct runs;

/* Descriptors that are kept for everything but jails, probes and runs. */
#define ACTION_FD_RESERVE	320

/* Somebody who waits to hear how an arm went; in the waiter's own memory. */
struct action_waiter {
	TAILQ_ENTRY(action_waiter) entry;
	/*
	 * status 0 with the action's id, and what to be warned of, if
	 * anything; or sysexits(3) with a line of why.
	 */
	void		(*done)(void *arg, int status, uint64_t id,
			    const char *text);
	void		*arg;
	struct action	*action;	/* NULL: not waiting */
};

/*
 * fd_limit: how many descriptors the daemon may have.  NULL with errno.
 * The runs and ends stay the caller's, and must live longer.
 */
struct actions	*actions_open(struct event_base *, struct ends *,
		    struct runs *, unsigned long fd_limit);
void		 actions_close(struct actions *);

/*
 * Arms what the spec asks for, or finds it armed already: the waiter is told
 * once, maybe from within this call.  Takes the spec's contents over.
 */
void		 action_arm(struct actions *, struct spec *,
		    struct action_waiter *);

/* The waiter will not be told any more.  The action goes on. */
void		 action_unwait(struct action_waiter *);

/*
 * Ends all probes; a HUP that came first still counts.  drained is called
 * when all are reaped, or after timeout_ms.
 */
void		 actions_stop(struct actions *, int timeout_ms,
		    void (*drained)(void *arg), void *arg);

/* For the log: actions known, and probes not yet reaped. */
unsigned int	 actions_count(const struct actions *);
unsigned int	 actions_probes(const struct actions *);

#endif
