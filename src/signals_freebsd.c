/* A kqueue has signals among its events: nothing is written, none is lost. */
#include <sys/types.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "signals.h"
#include "timer.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

struct signals {
	struct event	*events[NITEMS(numbers)];
	void		(*came)(void *, int);
	void		*arg;
};

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct signals *s = arg;

	(void)what;
	s->came(s->arg, (int)sig);
}

struct signals *
signals_open(struct event_base *base, void (*came)(void *, int), void *arg)
{
	struct signals *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return (NULL);
	s->came = came;
	s->arg = arg;
	for (size_t i = 0; i < NITEMS(numbers); i++) {
		s->events[i] = evsignal_new(base, numbers[i], on_signal, s);
		if (s->events[i] == NULL ||
		    event_add(s->events[i], NULL) == -1) {
			signals_close(s);
			errno = ENOMEM;
			return (NULL);
		}
	}
	return (s);
}

void
signals_close(struct signals *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < NITEMS(numbers); i++)
		free_event(s->events[i]);
	free(s);
}
