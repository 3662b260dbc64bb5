/*
 * Ends of processes on Linux: pidfds in an epoll of their own, which hangs
 * in the event loop as one descriptor.
 *
 * Edge-triggered, because "readable" does not mean "can be waited for": a
 * probe that a jail traced and killed is a zombie which only its tracer can
 * release.  Level-triggered it would spin the loop for as long as the tracer
 * likes; so it costs one wake-up, and another when it is released.
 *
 * Reaped by exact pid: waitpid(-1) walks all children.
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "ends.h"
#include "log.h"
#include "procfs.h"
#include "timer.h"

#define BATCH		64
#define SWEEP_DELAY_MS	250
#define SWEEP_MAX	1024
#define GONE_MAX	256

#ifndef P_PIDFD
#define P_PIDFD		3
#endif

RB_HEAD(children, end);

/*
 * A child that the sweep reaped before anybody had asked for it: a stranger,
 * or a probe that a HUP ended before its stub could say that it was born.
 */
struct gone {
	pid_t		 pid;
	int		 status;
	struct end	*owner;		/* shall be told; NULL: nobody yet */
};

struct ends {
	int		 epoll;
	int		 sigchld;	/* signalfd */
	struct event	*ready;
	struct event	*sigchld_ready;
	struct event	*sweep;
	struct event	*late;		/* tells the owners of gone ones */
	struct event	*hunt;
	int		 hunt_age_ms;
	struct children	 children;	/* by pid */
	struct end	*batch[BATCH];	/* being told of; NULL: forgotten */
	struct gone	 gone[GONE_MAX];	/* the latest, in a ring */
	unsigned int	 gone_next;
};

static int
compare(struct end *a, struct end *b)
{
	return ((a->pid > b->pid) - (a->pid < b->pid));
}

RB_GENERATE_INTERNAL(children, end, entry, compare,
    static __attribute__((unused)))

static void
stop_watching(struct ends *ends, struct end *end)
{
	/*
	 * Closing the last descriptor would do, but a process that was just
	 * forked may have another one, and be told of after the end is freed.
	 */
	if (end->fd != -1) {
		epoll_ctl(ends->epoll, EPOLL_CTL_DEL, end->fd, NULL);
		close(end->fd);
	}
	end->fd = -1;
	end->watched = false;
	if (end->child)
		RB_REMOVE(children, &ends->children, end);
	for (size_t i = 0; i < BATCH; i++)
		if (ends->batch[i] == end)
			ends->batch[i] = NULL;
}

/* Like WIFEXITED and so on want it, from what waitid(2) gives. */
static int
wait_status(const siginfo_t *si)
{
	switch (si->si_code) {
	case CLD_EXITED:
		return ((si->si_status & 0xff) << 8);
	case CLD_DUMPED:
		return (si->si_status | 0x80);
	default:
		return (si->si_status);
	}
}

/*
 * A child that made us its tracer (PTRACE_TRACEME) has its stops told like
 * ends, whatever was asked for.  No probe of ours does that by itself.
 */
static bool
is_stop(const siginfo_t *si, pid_t pid)
{
	if (si->si_code == CLD_EXITED || si->si_code == CLD_KILLED ||
	    si->si_code == CLD_DUMPED)
		return (false);
	kill(pid, SIGKILL);
	return (true);
}

/*
 * "Readable" and not waitable is a state, not an error: the next edge comes
 * when the tracer lets go.
 */
static void
child_ready(struct ends *ends, struct end *end)
{
	siginfo_t si = { 0 };
	idtype_t by = end->fd == -1 ? P_PID : (idtype_t)P_PIDFD;
	id_t id = end->fd == -1 ? (id_t)end->pid : (id_t)end->fd;

	if (waitid(by, id, &si, WEXITED | WNOHANG | __WALL) == -1) {
		if (errno != ECHILD)
			return;
		/* Cannot be: somebody else waited for our child. */
		log_warnx("event=bug text=\"child %ld was reaped elsewhere\"",
		    (long)end->pid);
	} else if (si.si_pid == 0 || is_stop(&si, end->pid))
		return;
	stop_watching(ends, end);
	end->ended(end->arg, wait_status(&si));
}

static void
tell(struct ends *ends, struct end *end)
{
	if (end->child) {
		child_ready(ends, end);
		return;
	}
	stop_watching(ends, end);
	end->ended(end->arg, 0);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ends *ends = arg;
	struct epoll_event events[BATCH];
	int n;

	(void)what;
	n = epoll_wait(fd, events, BATCH, 0);
	for (int i = 0; i < n; i++)
		ends->batch[i] = events[i].data.ptr;
	/* One end's owner may forget another end of the batch. */
	for (int i = 0; i < n; i++) {
		struct end *end = ends->batch[i];

		ends->batch[i] = NULL;
		if (end != NULL)
			tell(ends, end);
	}
}

/*
 * Strangers: a jail that traces its probe can make it clone with
 * CLONE_PARENT, and the clones are our children.  Nothing tells of them but
 * SIGCHLD, which every child's end raises.  So SIGCHLD starts a timer and
 * stays pending, which keeps further ones silent, and the walk over all
 * children that waitid(P_ALL) is happens at most four times a second.
 * Edge-triggered, so that it need not be taken out and put back, which can
 * fail, and then no child without a descriptor would ever be heard of.
 */
static void
sweep_soon(struct ends *ends)
{
	timer_start(ends->sweep, SWEEP_DELAY_MS);
}

static void
on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sweep_soon(arg);
}

static void
remember(struct ends *ends, pid_t pid, int status)
{
	struct gone *gone = &ends->gone[ends->gone_next];

	/* One whose owner waits for the loop is the latter's business. */
	if (gone->owner == NULL) {
		gone->pid = pid;
		gone->status = status;
	}
	ends->gone_next = (ends->gone_next + 1) % GONE_MAX;
}

static struct gone *
find_gone(struct ends *ends, pid_t pid)
{
	for (size_t i = 0; i < GONE_MAX; i++)
		if (ends->gone[i].pid == pid && ends->gone[i].owner == NULL)
			return (&ends->gone[i]);
	return (NULL);
}

/* True if there may be more. */
static bool
sweep_strangers(struct ends *ends)
{
	struct end key = { 0 }, *end;
	siginfo_t si;

	for (int i = 0; i < SWEEP_MAX; i++) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT |
		    __WALL) == -1 || si.si_pid == 0)
			return (false);
		key.pid = si.si_pid;
		end = RB_FIND(children, &ends->children, &key);
		if (end != NULL)
			child_ready(ends, end);
		else if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED |
		    WNOHANG | __WALL) == 0 && si.si_pid != 0 &&
		    !is_stop(&si, si.si_pid))
			remember(ends, si.si_pid, wait_status(&si));
	}
	return (true);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct ends *ends = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < GONE_MAX; i++) {
		struct gone *gone = &ends->gone[i];
		struct end *end = gone->owner;

		if (end == NULL)
			continue;
		gone->owner = NULL;
		gone->pid = 0;
		stop_watching(ends, end);
		end->ended(end->arg, gone->status);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct ends *ends = arg;
	struct signalfd_siginfo drained;

	(void)fd;
	(void)what;
	while (read(ends->sigchld, &drained, sizeof(drained)) > 0)
		continue;
	if (sweep_strangers(ends))
		sweep_soon(ends);
}

/* Milliseconds since a process started; 0 if it is gone. */
static int64_t
age_ms(pid_t pid)
{
	uint64_t started;
	struct timespec now;
	long hz = sysconf(_SC_CLK_TCK);

	if (procfs_start_time(pid, &started) == -1 || hz <= 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &now) == -1)
		return (0);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
	    (int64_t)(started * 1000 / (uint64_t)hz));
}

/*
 * A child's number is its own until it is reaped, which only we do.  True if
 * it was a stranger, and was killed.
 */
static bool
hunt_child(struct ends *ends, pid_t pid)
{
	struct end key = { .pid = pid };

	if (pid <= 0 || RB_FIND(children, &ends->children, &key) != NULL)
		return (false);
	if (age_ms(pid) < ends->hunt_age_ms) {
		ends_suspect_strangers(ends, ends->hunt_age_ms);
		return (false);
	}
	return (kill(pid, SIGKILL) == 0);
}

/*
 * A probe that is still attaching has not been heard of either, but only
 * until its deadline; what is older and unknown is none.
 */
static void
on_hunt(evutil_socket_t fd, short what, void *arg)
{
	struct ends *ends = arg;
	char path[PROCFS_PATH_MAX];
	unsigned int killed = 0;
	FILE *fp;
	long pid;

	(void)fd;
	(void)what;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
	    (long)getpid());
	fp = fopen(path, "re");
	if (fp == NULL)
		return;
	while (fscanf(fp, "%ld", &pid) == 1)
		killed += hunt_child(ends, (pid_t)pid);
	fclose(fp);
	if (killed > 0)
		log_warnx("event=stranger count=%u text=\"a jail made a probe "
		    "clone itself: the copies were killed\"", killed);
}

void
ends_suspect_strangers(struct ends *ends, int age)
{
	ends->hunt_age_ms = age;
	/* A second more than the age, so that one hunt finds them all. */
	timer_want(ends->hunt, age + 1000);
}

static int
open_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	/* Inherited as ignored, every wait status would vanish. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return (-1);
	return (signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

struct ends *
ends_open(struct event_base *base)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (ends == NULL)
		return (NULL);
	RB_INIT(&ends->children);
	ends->sigchld = open_sigchld();
	ends->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ends->sigchld == -1 || ends->epoll == -1)
		goto fail;
	ends->ready = event_new(base, ends->epoll, EV_READ | EV_PERSIST,
	    on_ready, ends);
	ends->sigchld_ready = event_new(base, ends->sigchld, EV_READ | EV_ET |
	    EV_PERSIST, on_sigchld, ends);
	ends->sweep = evtimer_new(base, on_sweep, ends);
	ends->hunt = evtimer_new(base, on_hunt, ends);
	ends->late = evtimer_new(base, on_late, ends);
	if (ends->ready == NULL || ends->sigchld_ready == NULL ||
	    ends->sweep == NULL || ends->hunt == NULL ||
	    ends->late == NULL ||
	    event_add(ends->ready, NULL) == -1 ||
	    event_add(ends->sigchld_ready, NULL) == -1) {
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
	free_event(ends->sigchld_ready);
	free_event(ends->sweep);
	free_event(ends->hunt);
	free_event(ends->late);
	if (ends->epoll != -1)
		close(ends->epoll);
	if (ends->sigchld != -1)
		close(ends->sigchld);
	free(ends);
	errno = saved;
}

static void
begin(struct ends *ends, struct end *end, pid_t pid, int fd, bool child,
    void (*ended)(void *, int), void *arg)
{
	end->pid = pid;
	end->fd = fd;
	end->child = child;
	end->ended = ended;
	end->arg = arg;
	end->watched = true;
	if (child)
		RB_INSERT(children, &ends->children, end);
}

static int
watch(struct ends *ends, struct end *end)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET,
	    .data.ptr = end };

	return (epoll_ctl(ends->epoll, EPOLL_CTL_ADD, end->fd, &ev));
}

static bool
is_child(pid_t pid)
{
	siginfo_t si;

	return (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT |
	    __WALL) == 0);
}

/*
 * Without a descriptor or room in the epoll the child is still found by
 * SIGCHLD's sweep, a quarter of a second later: a child is never lost.
 */
int
ends_watch_child(struct ends *ends, struct end *end, pid_t pid, int fd,
    void (*ended)(void *, int), void *arg)
{
	struct gone *gone = fd == -1 && !is_child(pid) ?
	    find_gone(ends, pid) : NULL;

	if (fd == -1 && gone == NULL)
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	begin(ends, end, pid, fd, true, ended, arg);
	if (gone != NULL) {
		gone->owner = end;
		event_active(ends->late, EV_TIMEOUT, 0);
	} else if (watch(ends, end) == -1)
		log_warn("event=watch pid=%ld", (long)pid);
	return (0);
}

int
ends_watch_other(struct ends *ends, struct end *end, pid_t pid, int fd,
    void (*ended)(void *, int), void *arg)
{
	struct pollfd pfd = { .events = POLLIN };
	int saved;

	if (fd == -1)
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd == -1)
		return (-1);
	pfd.fd = fd;
	begin(ends, end, pid, fd, false, ended, arg);
	if (poll(&pfd, 1, 0) == 1)
		errno = ESRCH;
	else if (watch(ends, end) == 0)
		return (0);
	saved = errno;
	close(fd);
	end->fd = -1;
	end->watched = false;
	errno = saved;
	return (-1);
}

void
ends_forget(struct ends *ends, struct end *end)
{
	if (end->watched)
		stop_watching(ends, end);
}

int
ends_signal(const struct end *end, int sig)
{
	if (!end->watched) {
		errno = ESRCH;
		return (-1);
	}
	/* A child's number is its own until it is reaped. */
	if (end->fd == -1 && is_child(end->pid))
		return (kill(end->pid, sig));
	return ((int)syscall(SYS_pidfd_send_signal, end->fd, sig, NULL, 0));
}

bool
ends_is_new_child(struct ends *ends, pid_t pid)
{
	struct end key = { .pid = pid };

	if (pid <= 0 || RB_FIND(children, &ends->children, &key) != NULL)
		return (false);
	return (is_child(pid) || find_gone(ends, pid) != NULL);
}
