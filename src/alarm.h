/*
 * Many times to be reminded of, behind one timer of the loop.  Each is 40
 * bytes of its owner's, where an event of libevent is 144, and setting one
 * needs no memory.
 */
#ifndef ALARM_H
#define ALARM_H

#include <sys/tree.h>
#include <stdint.h>

struct event_base;
struct alarms;

/* Zeroed: not set.  To be cleared before its memory goes. */
struct alarm {
	RB_ENTRY(alarm)	 entry;
	int64_t		 at;		/* monotonic milliseconds; 0: not set */
};

/*
 * due is called from the loop, once for each that was set; what it is given is
 * not set any more.  It may set and clear any.  NULL: no memory.
 */
struct alarms	*alarms_open(struct event_base *, void (*due)(struct alarm *));
void		 alarms_close(struct alarms *);

/* In so many milliseconds; what it was set to before does not count. */
void		 alarm_set(struct alarms *, struct alarm *, int64_t ms);
void		 alarm_clear(struct alarms *, struct alarm *);

#endif
