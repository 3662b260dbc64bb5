/*
 * The life of an action: one table of state x event.
 *
 * Pure: no clock, no process, no memory but the struct.  action.c tells it
 * what happened and carries out what it answers.
 */
#ifndef LIFE_H
#define LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec.h"

/* An action that fires more than this often within a second must rest. */
#define LIFE_BURST		10
#define LIFE_BURST_MS		1000
#define LIFE_REST_MS		1000

/* Runs of one action at a time, with -R and without -L. */
#define LIFE_RUNS_MAX		SPEC_PARALLEL

/* First and longest wait after a probe that could not be attached again. */
#define LIFE_RETRY_MS		1000
#define LIFE_RETRY_MAX_MS	60000

enum life_state {
	LIFE_ARMING,		/* the first probe is being attached */
	LIFE_ARMED,		/* the probe is there */
	LIFE_REARMING,		/* a further probe is being attached */
	LIFE_RUNNING,		/* no probe until the run ends (-r) */
	LIFE_RESTING,		/* no probe until a time, or a run's end */
	LIFE_ENDING,		/* no further probe; what is there ends */
	LIFE_ENDED,		/* nothing is left */
	LIFE_STATES
};

enum life_event {
	LIFE_READY,		/* the probe reported */
	LIFE_REFUSED,		/* there will be no probe: the attach failed */
	LIFE_HUP,		/* the probe ended by SIGHUP: the trigger */
	LIFE_LOST,		/* the probe ended in any other way */
	LIFE_RUN_ENDED,
	LIFE_TIMER,		/* the time asked for by LIFE_SET_TIMER came */
	LIFE_JAIL_ENDED,
	LIFE_STOP,		/* disarmed, or the daemon stops */
	LIFE_EVENTS
};

/* What to do now, as bits, in this order. */
enum life_effect {
	LIFE_START_RUN	= 1 << 0,
	LIFE_KILL_PROBE	= 1 << 1,
	LIFE_ATTACH	= 1 << 2,
	LIFE_SET_TIMER	= 1 << 3,	/* for life_wait() milliseconds */
	LIFE_SAY_BURST	= 1 << 4,	/* fires too often: say so */
	LIFE_SAY_FULL	= 1 << 5,	/* as many runs as may be: say so */
	LIFE_BUG	= 1 << 6,	/* that cannot happen in this state */
};

struct life {
	enum life_state	 state;
	enum respawn	 respawn;
	unsigned int	 runs;		/* going on */
	unsigned int	 runs_max;
	int32_t		 lost_wait_ms;	/* before a lost probe is replaced */
	int32_t		 retry_ms;	/* before the next try to attach */
	int64_t		 interval_ms;	/* least time from run to run */
	int64_t		 not_before;	/* no probe before this time */
	int64_t		 fired_at;	/* the latest trigger */
	/* From one to the next of those before; LIFE_BURST_MS: or longer. */
	uint16_t	 gaps[LIFE_BURST - 1];
	uint8_t		 oldest;	/* of the gaps */
	bool		 probe;		/* an attach or a probe is there */
};

/*
 * Begins in LIFE_ARMING; the caller attaches the first probe.  Mode and limits
 * are the spec's.
 */
void		 life_init(struct life *, const struct spec *,
		    int32_t lost_wait_ms);

/*
 * The same for an action that is kept although its first attaching may fail:
 * begins in LIFE_REARMING, and so tries again.
 */
void		 life_init_kept(struct life *, const struct spec *,
		    int32_t lost_wait_ms);

/*
 * One that an earlier daemon left: so many of its runs go on or are to be
 * started, and over says that there is no further probe, since it was
 * disarmed, a single shot has had its trigger, or the jail has ended.  Begins
 * in LIFE_REARMING, and a probe is to be attached; or in the state that waits
 * for the runs, or in LIFE_ENDED.  not_before: no probe earlier.
 */
void		 life_resume(struct life *, const struct spec *,
		    int32_t lost_wait_ms, unsigned int runs, bool over,
		    int64_t not_before, int64_t now);

/* One event, at a monotonic time in milliseconds: a set of effects. */
unsigned int	 life_step(struct life *, enum life_event, int64_t now);

/* A probe could not be attached again: that is tried later. */
bool		 life_has_failed(const struct life *);

/* Milliseconds until LIFE_TIMER is due. */
int64_t		 life_wait(const struct life *, int64_t now);

const char	*life_state_name(enum life_state);
const char	*life_event_name(enum life_event);

#endif
