/* Timers that are certain to fire, and events that may not be there. */
#ifndef TIMER_H
#define TIMER_H

#include <sys/time.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

/*
 * In so many milliseconds, or some less: the loop counts from when its round
 * began, and by a clock that ticks (CLOCK_MONOTONIC_COARSE).  -1: no memory for
 * the timer.
 */
static inline int
timer_add(struct event *timer, int64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	return (evtimer_add(timer, &tv));
}

/*
 * The same for a caller who can do nothing else: without memory it is over at
 * once.  Something then happens too early, which is better than never.
 */
static inline void
timer_start(struct event *timer, int64_t ms)
{
	if (timer_add(timer, ms) == -1)
		event_active(timer, EV_TIMEOUT, 0);
}

/* The same, but one that is set already stays as it is. */
static inline void
timer_want(struct event *timer, int64_t ms)
{
	if (!evtimer_pending(timer, NULL))
		timer_start(timer, ms);
}

static inline void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

#endif
