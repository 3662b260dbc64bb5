/*
 * Probes: start a stub, judge the reports, hear of the ends.
 *
 * The daemon believes little.  Each probe has a channel, which only those can
 * have seen that the same stub made before it, in the same jail; and the
 * process that a report names must be a new child of ours in the jail's pid
 * namespace, or it is left alone.  There is a deadline; end of file is never
 * waited for, since a traced or stopped probe never closes.
 */
#ifndef PROBE_H
#define PROBE_H

#include <sys/types.h>
#include <stddef.h>

#include "../stub/order.h"
#include "ends.h"
#include "jail.h"
#include "spec.h"

#define PROBE_DEADLINE_MS	4000

/*
 * A jail can hold up what is left of a refused probe, as a zombie that it
 * traces or behind a file system that never answers.  With this many such
 * no further one is started there.
 */
#define PROBE_LEFTOVERS_MAX	8

/* How many one stub can make: to enter a jail is most of an attaching. */
#define PROBE_TOGETHER_MAX	ORDER_PROBES_MAX

/* From the request to end, until the end is enforced with SIGKILL. */
#define PROBE_KILL_MS		1000

struct event_base;
struct probe;

/* What the owner hears: ready or refused, once; after ready, ended, once. */
struct probe_events {
	void	(*ready)(void *arg);
	/* status: sysexits(3); EX_NOHOST: the jail has ended. */
	void	(*refused)(void *arg, int status, const char *why);
	/* status: the probe's wait status. */
	void	(*ended)(void *arg, int status);
};

struct probe_context {
	struct event_base	*base;
	struct ends		*ends;
	const struct probe_events *events;
	unsigned int		 count;	/* probes not freed yet */
};

/* A title with what -s adds. */
#define PROBE_TITLE_MAX		(SPEC_TITLE_MAX + 64)

struct probe_order {
	const char	*title;		/* what it shows, NULL for none */
	void		*arg;		/* the events' */
	struct probe	*probe;		/* out */
};

/*
 * Starts the attaching of 1 to PROBE_TOGETHER_MAX probes in one jail, with
 * the ids of the given action; each has its own events, and frees itself after
 * the last of them.  0, or a sysexits(3) status with one line in err: then there
 * is no probe, and no event follows.
 */
int		 probe_start(struct probe_context *, struct jail *,
		    const struct spec *, struct probe_order *orders,
		    unsigned int count, char *err, size_t errsize);

/* A SIGHUP to a ready probe, as somebody in the jail would send it. */
void		 probe_trigger(struct probe *);

/*
 * Ends a ready probe, so that a HUP that came first is the one it dies of;
 * ended() follows.
 */
void		 probe_kill(struct probe *);

/* The pid of a ready probe, as the host sees it. */
pid_t		 probe_pid(const struct probe *);

#endif
