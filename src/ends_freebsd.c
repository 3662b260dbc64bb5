/*
 * Ends of processes on FreeBSD: a kqueue of their own, which hangs in the
 * event loop as one descriptor.
 *
 * A child has a process descriptor.  The kernel's event carries its wait
 * status, and closing the descriptor of a child that has ended reaps it; no
 * wait(2) looks through all children for it.  Such a child raises no SIGCHLD,
 * and what the daemon inherited for that signal means nothing to it.
 */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/procdesc.h>
#include <sys/time.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "ends.h"
#include "process.h"
#include "timer.h"

#define BATCH		64
#define SLACK_MS	20	/* of process_started() */

struct ends {
	int		 kq;
	struct event	*ready;
	struct end	*batch[BATCH];	/* being told of; NULL: forgotten */
};

static void
stop_watching(struct ends *ends, struct end *end)
{
	/* Reaps a child, and takes a descriptor out of the kqueue. */
	if (end->fd != -1)
		close(end->fd);
	end->fd = -1;
	end->watched = false;
	for (size_t i = 0; i < BATCH; i++)
		if (ends->batch[i] == end)
			ends->batch[i] = NULL;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	static const struct timespec at_once = { 0, 0 };
	struct ends *ends = arg;
	struct kevent events[BATCH];
	int n;

	(void)what;
	n = kevent(fd, NULL, 0, events, BATCH, &at_once);
	for (int i = 0; i < n; i++)
		ends->batch[i] = events[i].udata;
	/* One end's owner may forget another end of the batch. */
	for (int i = 0; i < n; i++) {
		struct end *end = ends->batch[i];

		if (end == NULL)
			continue;
		stop_watching(ends, end);
		end->ended(end->arg, end->child ? (int)events[i].data : 0);
	}
}

struct ends *
ends_open(struct event_base *base)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (ends == NULL)
		return (NULL);
	/* Not inherited by children, by its nature. */
	ends->kq = kqueue();
	if (ends->kq == -1)
		goto fail;
	ends->ready = event_new(base, ends->kq, EV_READ | EV_PERSIST, on_ready,
	    ends);
	if (ends->ready == NULL || event_add(ends->ready, NULL) == -1) {
		errno = ENOMEM;
		goto fail;
	}
	return (ends);
fail:
	ends_close(ends);
	return (NULL);
}

void
ends_close(struct ends *ends)
{
	int saved = errno;

	if (ends == NULL)
		return;
	free_event(ends->ready);
	if (ends->kq != -1)
		close(ends->kq);
	free(ends);
	errno = saved;
}

static int
watch(struct ends *ends, struct end *end, uintptr_t ident, short filter)
{
	struct kevent change;

	EV_SET(&change, ident, filter, EV_ADD, NOTE_EXIT, 0, end);
	if (kevent(ends->kq, &change, 1, NULL, 0, NULL) == -1)
		return (-1);
	end->watched = true;
	return (0);
}

int
ends_watch_child(struct ends *ends, struct end *end, pid_t pid, int fd,
    void (*ended)(void *, int), void *arg)
{
	int saved;

	end->pid = pid;
	end->fd = fd;
	end->child = true;
	end->ended = ended;
	end->arg = arg;
	if (watch(ends, end, (uintptr_t)fd, EVFILT_PROCDESC) == 0)
		return (0);
	saved = errno;
	/* Of a run the close alone would be no end. */
	pdkill(fd, SIGKILL);
	close(fd);
	end->fd = -1;
	errno = saved;
	return (-1);
}

int
ends_watch_other(struct ends *ends, struct end *end, pid_t pid, int fd,
    void (*ended)(void *, int), void *arg)
{
	(void)fd;
	end->pid = pid;
	end->fd = -1;
	end->child = false;
	end->started = process_started(pid);
	end->ended = ended;
	end->arg = arg;
	if (end->started == -1)
		return (-1);
	return (watch(ends, end, (uintptr_t)pid, EVFILT_PROC));
}

void
ends_forget(struct ends *ends, struct end *end)
{
	struct kevent change;

	if (!end->watched)
		return;
	EV_SET(&change, (uintptr_t)end->pid, EVFILT_PROC, EV_DELETE, 0, 0,
	    NULL);
	kevent(ends->kq, &change, 1, NULL, 0, NULL);
	stop_watching(ends, end);
}

/* Nobody but its parent can have a descriptor of it.  false, with errno. */
static bool
is_same(const struct end *end)
{
	int64_t started = process_started(end->pid);

	if (started == -1)
		return (false);
	errno = ESRCH;
	return (started >= end->started - SLACK_MS &&
	    started <= end->started + SLACK_MS);
}

/*
 * Another's process may have ended, and its number be another one's, before
 * that is told of here: so it is looked at once more.
 */
int
ends_signal(const struct end *end, int sig)
{
	if (!end->watched) {
		errno = ESRCH;
		return (-1);
	}
	if (!end->child && !is_same(end))
		return (-1);
	return (end->child ? pdkill(end->fd, sig) : kill(end->pid, sig));
}

/*
 * Every child is one that pdfork(2) gave, watched from then on, and none can
 * be traced and made to have others.
 */
bool
ends_is_new_child(struct ends *ends, pid_t pid)
{
	(void)ends;
	(void)pid;
	return (false);
}

void
ends_suspect_strangers(struct ends *ends, int age_ms)
{
	(void)ends;
	(void)age_ms;
}
