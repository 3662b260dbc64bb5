/* A test's event loop: until something has happened so often, or for a time. */
#ifndef LOOP_H
#define LOOP_H

#include <sys/time.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "clock.h"

#define LOOP_TICK_US	10000

static void
loop_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* At most ms; count: NULL for all of it.  To be called where cmocka.h is known. */
static void
loop_until(struct event_base *base, int ms, const unsigned int *count,
    unsigned int wanted)
{
	static const struct timeval tick = { 0, LOOP_TICK_US };
	struct event *timer = event_new(base, -1, EV_PERSIST, loop_tick, NULL);
	int64_t end = clock_ms() + ms;

	assert_non_null(timer);
	assert_int_equal(event_add(timer, &tick), 0);
	do
		assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	while ((count == NULL || *count < wanted) && clock_ms() < end);
	event_free(timer);
}

#endif
