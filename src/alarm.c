#include <sys/tree.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "alarm.h"
#include "clock.h"
#include "timer.h"

RB_HEAD(alarm_tree, alarm);

struct alarms {
	struct alarm_tree tree;		/* of those that are set */
	struct event	*timer;		/* for the first of them */
	void		(*due)(struct alarm *);
};

static int
compare(struct alarm *a, struct alarm *b)
{
	uintptr_t pa = (uintptr_t)a, pb = (uintptr_t)b;

	if (a->at != b->at)
		return (a->at < b->at ? -1 : 1);
	return ((pa > pb) - (pa < pb));
}

RB_GENERATE_INTERNAL(alarm_tree, alarm, entry, compare,
    static __attribute__((unused)))

static void
start_timer(struct alarms *as)
{
	const struct alarm *first = RB_MIN(alarm_tree, &as->tree);
	int64_t left;

	if (first == NULL)
		return;
	left = first->at - clock_ms();
	timer_start(as->timer, left > 0 ? left : 0);
}

/* What is set meanwhile to a time that has come is due as well. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct alarms *as = arg;
	int64_t now = clock_ms();
	struct alarm *a;

	(void)fd;
	(void)what;
	while ((a = RB_MIN(alarm_tree, &as->tree)) != NULL && a->at <= now) {
		alarm_clear(as, a);
		as->due(a);
	}
	start_timer(as);
}

struct alarms *
alarms_open(struct event_base *base, void (*due)(struct alarm *))
{
	struct alarms *as = calloc(1, sizeof(*as));

	if (as == NULL)
		return (NULL);
	RB_INIT(&as->tree);
	as->due = due;
	as->timer = evtimer_new(base, on_timer, as);
	if (as->timer == NULL) {
		free(as);
		return (NULL);
	}
	return (as);
}

void
alarms_close(struct alarms *as)
{
	if (as == NULL)
		return;
	event_free(as->timer);
	free(as);
}

void
alarm_set(struct alarms *as, struct alarm *a, int64_t ms)
{
	alarm_clear(as, a);
	a->at = clock_ms() + ms;
	RB_INSERT(alarm_tree, &as->tree, a);
	if (RB_MIN(alarm_tree, &as->tree) == a)
		start_timer(as);
}

/* The timer may then be early, which does no harm. */
void
alarm_clear(struct alarms *as, struct alarm *a)
{
	if (a->at != 0)
		RB_REMOVE(alarm_tree, &as->tree, a);
	a->at = 0;
}
