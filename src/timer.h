/* Timers that are certain to fire. */
#ifndef TIMER_H
#define TIMER_H

#include <stddef.h>
#include <sys/time.h>

#include <event2/event.h>

/*
 * Like evtimer_add(3), for a caller who can do nothing else: without memory
 * for the timer it is over at once.  Something then happens too early, which
 * is better than never.
 */
static inline void
timer_start(struct event *timer, const struct timeval *tv)
{
	if (evtimer_add(timer, tv) == -1)
		event_active(timer, EV_TIMEOUT, 0);
}

#endif
