/* What the daemon counts, and how Prometheus reads it. */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

#include "life.h"

#define METRICS_BUCKETS	8

/* Since the daemon's start; whoever sees something happen adds to it. */
struct metrics {
	uint64_t	 triggers;
	uint64_t	 succeeded;	/* runs that ended with status 0 */
	uint64_t	 failed;	/* with another one */
	uint64_t	 signalled;	/* by a signal */
	uint64_t	 timed_out;	/* by -T; counted here and nowhere else */
	uint64_t	 unknown;	/* of an earlier daemon */
	uint64_t	 lost;
	uint64_t	 refused;	/* requests */
	uint64_t	 attach_failed;
	uint64_t	 buckets[METRICS_BUCKETS]; /* runs that took no longer */
	uint64_t	 run_count;
	uint64_t	 run_ms;
	int64_t		 started_at;	/* ms since the Epoch */
	/* Of now. */
	uint64_t	 by_state[LIFE_STATES];
	uint64_t	 probes;
	uint64_t	 running;
};

/* A run has ended after so many milliseconds. */
void	 metrics_run(struct metrics *, int64_t ms);

/*
 * The text format 0.0.4 of Prometheus; the caller frees it.  NULL: no memory.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
char	*metrics_text(const struct metrics *);

#endif
