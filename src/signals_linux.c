/*
 * The event library's own way has a handler write to the loop: where that
 * write fails the signal is lost.  The kernel's queue loses none.
 */
#include <sys/signalfd.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "signals.h"
#include "timer.h"

struct signals {
	int		 fd;
	struct event	*readable;
	void		(*came)(void *, int);
	void		*arg;
};

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct signals *s = arg;
	struct signalfd_siginfo si[3];
	ssize_t n;

	(void)what;
	/* Once: whoever sends more and more has no loop of his own here. */
	n = read(fd, si, sizeof(si));
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(si[0]); i++)
		s->came(s->arg, (int)si[i].ssi_signo);
}

/* None is ignored, see spawn_reset_signals(): that would not even wait. */
static int
open_queue(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return (-1);
	return (signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

struct signals *
signals_open(struct event_base *base, void (*came)(void *, int), void *arg)
{
	struct signals *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return (NULL);
	s->came = came;
	s->arg = arg;
	s->fd = open_queue();
	if (s->fd != -1)
		s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST,
		    on_readable, s);
	if (s->readable != NULL && event_add(s->readable, NULL) == 0)
		return (s);
	if (s->fd != -1)
		errno = ENOMEM;
	signals_close(s);
	return (NULL);
}

void
signals_close(struct signals *s)
{
	int saved = errno;

	if (s == NULL)
		return;
	free_event(s->readable);
	if (s->fd != -1)
		close(s->fd);
	free(s);
	errno = saved;
}
