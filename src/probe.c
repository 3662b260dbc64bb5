#include <sys/types.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "probe.h"
#include "spawn.h"
#include "stub.h"
#include "timer.h"

#define WHY_MAX		1024

enum stage {
	WAITING,	/* for the reports */
	READY,
	REFUSED,	/* the owner was told so; what is there is ended */
};

/* A process that makes probes, or, where stub_is_probe, becomes one. */
struct stub {
	struct end	 end;		/* where it is not the probe */
	pid_t		 pid;
	bool		 admitted;	/* Linux: to the jail's cgroups */
	unsigned int	 count;		/* of those not let go */
	struct probe	*probes[PROBE_TOGETHER_MAX];	/* NULL: let go */
};

/* Only needed until the report is judged and the stub reaped. */
struct attach {
	struct stub	*stub;
	unsigned int	 index;		/* among the stub's */
	struct channel	 channel;
	struct event	*readable;
	struct event	*deadline;
	bool		 reported;	/* READY */
	bool		 failed;	/* FAILED: it is not born any more */
	uint32_t	 uid, gid;	/* for the words of a refusal */
};

struct probe {
	struct end	 end;
	pid_t		 pid;		/* 0: not known yet */
	enum stage	 stage;
	struct attach	*attach;
	struct event	*kill_timer;
	struct jail	*jail;
	struct probe_context *ctx;
	void		*arg;
};

/* What a failed step of the stub means to a person. */
static const char *const step_words[STEP_COUNT] = {
	[STEP_ORDER] = "read its order",
	[STEP_HIDE] = "make itself untraceable",
	[STEP_SHED] = "shed what it inherited",
	[STEP_OPEN] = "look at the jail",
	[STEP_SETGROUPS] = "drop its supplementary groups",
	[STEP_JOIN] = "enter the jail",
	[STEP_ROOT] = "enter the jail's root directory",
	[STEP_LABEL] = "take the jail's security label",
	[STEP_BOUNDING] = "empty its capability bounding set",
	[STEP_SETGID] = "set its group id",
	[STEP_SETUID] = "set its user id",
	[STEP_CAPS] = "drop its capabilities",
	[STEP_PRIVS] = "give up new privileges",
	[STEP_LIMITS] = "limit itself",
	[STEP_CLOSE] = "close its descriptors",
	[STEP_CLONE] = "create the probe process",
	[STEP_PDEATHSIG] = "tie itself to the daemon's life",
	[STEP_SANDBOX] = "enter its sandbox",
};

static void	on_probe_ended(void *, int);

static void
close_channel(struct attach *a)
{
	free_event(a->readable);
	free_event(a->deadline);
	a->readable = a->deadline = NULL;
	channel_close(&a->channel);
}

static void
free_attach(struct probe *p)
{
	struct stub *stub = p->attach->stub;

	stub->probes[p->attach->index] = NULL;
	if (--stub->count == 0)
		free(stub);
	free(p->attach);
	p->attach = NULL;
}

/* Frees what nothing can happen to any more. */
static void
release(struct probe *p)
{
	if (p->attach != NULL && p->stage != WAITING &&
	    !p->attach->stub->end.watched)
		free_attach(p);
	if (p->attach != NULL || p->end.watched || p->stage == WAITING)
		return;
	free_event(p->kill_timer);
	if (p->stage == REFUSED)
		p->jail->leftovers--;
	jails_release(p->jail);
	p->ctx->count--;
	free(p);
}

/* The stub has more to do, or has not done it yet. */
static bool
is_expected(const struct stub *stub)
{
	for (unsigned int i = 0; i < PROBE_TOGETHER_MAX; i++)
		if (stub->probes[i] != NULL &&
		    stub->probes[i]->stage == WAITING)
			return (true);
	return (false);
}

/*
 * A probe that is refused before it was born must not be born later, so its
 * stub goes, whomever else it would have made: they are told of its end.  Not
 * if it was said that this one could not be made, or failed by itself; where a
 * jail forged that, what is born is a stranger, and finds its pipe closed.
 */
static void
refuse(struct probe *p, int status, const char *why)
{
	struct attach *a = p->attach;

	p->stage = REFUSED;
	p->jail->leftovers++;
	close_channel(a);
	if (a->stub->end.watched && ((p->pid == 0 && !a->failed) ||
	    !is_expected(a->stub)))
		ends_signal(&a->stub->end, SIGKILL);
	if (p->end.watched)
		ends_signal(&p->end, SIGKILL);
	ends_suspect_strangers(p->ctx->ends, PROBE_DEADLINE_MS);
	p->ctx->events->refused(p->arg, status, why);
}

static void
refuse_unmapped(struct probe *p, bool group)
{
	char map[512], why[WHY_MAX];

	jail_id_map(p->jail, group, map, sizeof(map));
	snprintf(why, sizeof(why), "%s %lu is not mapped in the jail's user "
	    "namespace, which has %s: choose one with -%c",
	    group ? "gid" : "uid",
	    (unsigned long)(group ? p->attach->gid : p->attach->uid), map,
	    group ? 'g' : 'u');
	refuse(p, EX_DATAERR, why);
}

static void
refuse_clone(struct probe *p, int error)
{
	char why[WHY_MAX];

	snprintf(why, sizeof(why), "cannot create the probe process: %s%s",
	    strerror(error), error == EAGAIN ? ": a limit of processes "
	    "is used up: of its uid on the host (RLIMIT_NPROC), or the jail's "
	    "own (pids.max, pid_max)" : error == ENOMEM ?
	    ": the jail is ending, or memory is short" : "");
	refuse(p, error == EAGAIN ? EX_TEMPFAIL : EX_OSERR, why);
}

/* The stub's, or the probe's, own word that it failed. */
static void
refuse_step(struct probe *p, const struct report *r)
{
	char why[WHY_MAX];

	p->attach->failed = r->step == STEP_CLONE || r->step == STEP_PDEATHSIG;
	switch (r->step) {
	case STEP_GONE:
		refuse(p, EX_NOHOST, "the jail has ended");
		return;
	case STEP_NOT_CONTAINER:
		snprintf(why, sizeof(why), "process %d is not in a container",
		    p->jail->id);
		refuse(p, EX_NOHOST, why);
		return;
	case STEP_SETUID:
	case STEP_SETGID:
		if (r->error == EINVAL) {
			refuse_unmapped(p, r->step == STEP_SETGID);
			return;
		}
		break;
	case STEP_CLONE:
		refuse_clone(p, r->error);
		return;
	default:
		break;
	}
	snprintf(why, sizeof(why), "the probe could not %s: %s",
	    r->step < STEP_COUNT && step_words[r->step] != NULL ?
	    step_words[r->step] : "do an unknown step", strerror(r->error));
	refuse(p, r->error == EPERM && geteuid() != 0 ? EX_NOPERM : EX_OSERR,
	    why);
}

/* What holds for one holds for all that the stub has not made yet. */
static void
refuse_unborn(struct stub *stub, const struct report *r)
{
	for (unsigned int i = 0; i < PROBE_TOGETHER_MAX; i++) {
		struct probe *p = stub->probes[i];

		if (p != NULL && p->stage == WAITING && p->pid == 0)
			refuse_step(p, r);
	}
}

/*
 * A step of the stub's is told on its first probe's behalf.  Not each is: one
 * probe may not be made, or fail by itself before it was heard of.
 */
static bool
is_stubs_step(const struct probe *p, const struct report *r)
{
	return (!stub_is_probe && p->attach->index == 0 && p->pid == 0 &&
	    r->step != STEP_CLONE && r->step != STEP_PDEATHSIG &&
	    r->step < STEP_COUNT);
}

/* From then on the jail has a hand in it, and these steps are behind. */
static bool
is_too_late(const struct probe *p, const struct report *r)
{
	return (p->attach->stub->admitted && r->step < STEP_CLONE);
}

/*
 * BORN: from here on the probe's end is heard of, whatever it does.  Whose it
 * is is looked at first: who guesses the number of another jail's new probe
 * gets no hold of that one, which a refusal would end.
 */
static void
watch_born(struct probe *p, pid_t pid)
{
	char why[WHY_MAX];
	int status;

	if (p->pid != 0 || !ends_is_new_child(p->ctx->ends, pid)) {
		refuse(p, EX_OSERR, "a report named a process that is not a "
		    "new probe");
		return;
	}
	status = jail_check_birth(p->jail, pid, why, sizeof(why));
	if (status != 0) {
		refuse(p, status, why);
		return;
	}
	if (ends_watch_child(p->ctx->ends, &p->end, pid, -1, on_probe_ended, p)
	    == -1) {
		refuse(p, EX_TEMPFAIL, "the probe could not be watched");
		return;
	}
	p->pid = pid;
}

/* SHED: the probes shall be born in the jail's cgroups. */
static void
admit(struct probe *first)
{
	struct stub *stub = first->attach->stub;
	char why[WHY_MAX];
	int status = jail_admit(first->jail, stub->pid, why, sizeof(why));

	if (status == 0 && channel_send(&first->attach->channel, "", 1) == -1) {
		status = EX_OSERR;
		snprintf(why, sizeof(why), "the probe cannot be told to go on");
	}
	stub->admitted = status == 0;
	for (unsigned int i = 0; i < PROBE_TOGETHER_MAX && status != 0; i++)
		if (stub->probes[i] != NULL &&
		    stub->probes[i]->stage == WAITING)
			refuse(stub->probes[i], status, why);
}

/*
 * Until it is admitted only the stub can have spoken.  What comes then, a jail
 * that traces its probe can have forged; all it gains is a process of its own
 * in the place of its probe, or of one that the same stub makes after it, or
 * that these are refused for now.
 */
static void
judge(struct probe *p, const struct report *r)
{
	struct attach *a = p->attach;
	bool failed = r->kind == REPORT_FAILED && !is_too_late(p, r);

	if (failed && is_stubs_step(p, r))
		refuse_unborn(a->stub, r);
	else if (failed)
		refuse_step(p, r);
	else if (r->kind == REPORT_SHED && !a->stub->admitted &&
	    a->index == 0 && a->stub->end.watched)
		admit(p);
	else if (r->kind == REPORT_BORN)
		watch_born(p, r->pid);
	else if (r->kind == REPORT_READY)
		a->reported = true;
	else
		refuse(p, EX_OSERR, "a report was not one of a probe");
}

/* Both have spoken. */
static void
conclude(struct probe *p)
{
	char why[WHY_MAX];
	int status;

	if (p->stage != WAITING || p->pid == 0 || !p->attach->reported)
		return;
	status = jail_check(p->jail, p->pid, why, sizeof(why));
	if (status != 0) {
		refuse(p, status, why);
		return;
	}
	/*
	 * Who was cloned waits for that; where nobody reads, it has ended.  Who
	 * was the stub has closed its end by now, or is about to.
	 */
	if (!stub_is_probe && channel_send(&p->attach->channel, "", 1) == -1 &&
	    errno != EPIPE) {
		refuse(p, EX_OSERR, "the probe cannot be told to go on");
		return;
	}
	p->stage = READY;
	close_channel(p->attach);
	ends_suspect_strangers(p->ctx->ends, PROBE_DEADLINE_MS);
	p->ctx->events->ready(p->arg);
}

/* Takes what is there.  The probe is not freed in here. */
static void
receive(struct probe *p)
{
	struct attach *a = p->attach;
	struct report r;
	int n;

	while (p->stage == WAITING) {
		n = channel_receive(&a->channel, &r);
		if (n == 1)
			judge(p, &r);
		else if (n == 0) {
			/* It stays readable; ends and deadline will tell. */
			event_del(a->readable);
			break;
		} else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			refuse(p, EX_OSERR, "a report was not one of a probe");
	}
	conclude(p);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	receive(p);
	release(p);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	char why[WHY_MAX];

	(void)fd;
	(void)what;
	receive(p);
	if (p->stage == WAITING) {
		snprintf(why, sizeof(why), "the probe did not report within "
		    "%d ms: it, or the jail, is stopped, frozen or traced",
		    PROBE_DEADLINE_MS);
		refuse(p, EX_TEMPFAIL, why);
	}
	release(p);
}

/*
 * The stub has done its work, or died of it.  Its reports were sent before
 * it ended, so they are there.
 */
static void
on_stub_ended(void *arg, int status)
{
	struct stub *stub = arg;

	(void)status;
	stub->count++;
	for (unsigned int i = 0; i < PROBE_TOGETHER_MAX; i++) {
		struct probe *p = stub->probes[i];

		if (p == NULL)
			continue;
		if (p->stage == WAITING)
			receive(p);
		if (p->stage == WAITING && p->pid == 0)
			refuse(p, EX_OSERR, "the probe was killed before it "
			    "was born");
		release(p);
	}
	if (--stub->count == 0)
		free(stub);
}

/* A probe that reported and died of a HUP at once was ready, and counts. */
static void
on_probe_ended(void *arg, int status)
{
	struct probe *p = arg;

	if (p->stage == WAITING)
		receive(p);
	if (p->stage == WAITING)
		refuse(p, EX_OSERR, "the probe was killed before it reported");
	else if (p->stage == READY)
		p->ctx->events->ended(p->arg, status);
	release(p);
}

_Static_assert(SPAWN_FDS_MAX >= 1 + 2 * PROBE_TOGETHER_MAX,
    "a stub needs more descriptors than spawn() has room for");

/* As a process: no environment, the titles alone. */
static int
spawn_stub(struct stub *stub, const struct probe_order *orders, int *fd)
{
	char shown[PROBE_TOGETHER_MAX][sizeof(STUB_NAME) + 2 + PROBE_TITLE_MAX];
	char last[] = "";
	char *argv[PROBE_TOGETHER_MAX + 2], *envp[] = { NULL };
	struct channel *channels[PROBE_TOGETHER_MAX];
	int fds[SPAWN_FDS_MAX], ret, saved;
	struct spawn sp = { .argv = argv, .envp = envp, .fds = fds };

	for (unsigned int i = 0; i < stub->count; i++) {
		const char *title = orders[i].title;

		snprintf(shown[i], sizeof(shown[i]), "%s%s%s", STUB_NAME,
		    title == NULL ? "" : ": ", title == NULL ? "" : title);
		argv[i] = shown[i];
		channels[i] = &stub->probes[i]->attach->channel;
	}
	/* Where several titles end, see the stub's show_title(). */
	argv[stub->count] = stub->count == 1 ? NULL : last;
	argv[stub->count + 1] = NULL;
	sp.nfds = stub_descriptors(jail_target(stub->probes[0]->jail), channels,
	    stub->count, fds);
	sp.program = stub_open();
	if (sp.program == -1)
		return (-1);
	ret = spawn(&sp, &stub->pid, fd);
	saved = errno;
	close(sp.program);
	errno = saved;
	return (ret);
}

static int
start_stub(struct stub *stub, const struct probe_order *orders)
{
	struct probe *first = stub->probes[0];
	struct ends *ends = first->ctx->ends;
	int fd;

	if (spawn_stub(stub, orders, &fd) == -1)
		return (-1);
	if (!stub_is_probe)
		return (ends_watch_child(ends, &stub->end, stub->pid, fd,
		    on_stub_ended, stub));
	first->pid = stub->pid;
	return (ends_watch_child(ends, &first->end, first->pid, fd,
	    on_probe_ended, first));
}

static int
start_waiting(struct probe *p)
{
	static const struct timeval deadline = { PROBE_DEADLINE_MS / 1000,
	    PROBE_DEADLINE_MS % 1000 * 1000 };
	struct attach *a = p->attach;

	if (channel_open(&a->channel) == -1)
		return (-1);
	a->readable = event_new(p->ctx->base, a->channel.reports,
	    EV_READ | EV_PERSIST, on_readable, p);
	a->deadline = evtimer_new(p->ctx->base, on_deadline, p);
	if (a->readable == NULL || a->deadline == NULL ||
	    event_add(a->readable, NULL) == -1 ||
	    evtimer_add(a->deadline, &deadline) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	return (0);
}

/* The order waits in the first channel when the stub is started. */
static int
start(struct stub *stub, const struct probe_order *orders,
    const struct order *order)
{
	for (unsigned int i = 0; i < stub->count; i++)
		if (start_waiting(stub->probes[i]) == -1)
			return (-1);
	if (channel_send(&stub->probes[0]->attach->channel, order,
	    sizeof(*order)) == -1 || start_stub(stub, orders) == -1)
		return (-1);
	for (unsigned int i = 0; i < stub->count; i++)
		channel_close_far(&stub->probes[i]->attach->channel);
	return (0);
}

static struct probe *
new_probe(struct probe_context *ctx, struct jail *jail,
    const struct spec *spec, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return (NULL);
	p->attach = calloc(1, sizeof(*p->attach));
	if (p->attach == NULL) {
		free(p);
		return (NULL);
	}
	p->attach->channel.reports = p->attach->channel.orders = -1;
	p->attach->channel.far_reports = p->attach->channel.far_orders = -1;
	p->attach->uid = spec->uid;
	p->attach->gid = spec->gid;
	p->jail = jail_ref(jail);
	p->ctx = ctx;
	p->arg = arg;
	return (p);
}

static void
free_unstarted(struct stub *stub)
{
	for (unsigned int i = 0; i < PROBE_TOGETHER_MAX; i++) {
		struct probe *p = stub->probes[i];

		if (p == NULL)
			continue;
		close_channel(p->attach);
		jails_release(p->jail);
		free(p->attach);
		free(p);
	}
	free(stub);
}

static struct stub *
new_stub(struct probe_context *ctx, struct jail *jail,
    const struct spec *spec, const struct probe_order *orders,
    unsigned int count)
{
	struct stub *stub = calloc(1, sizeof(*stub));

	if (stub == NULL)
		return (NULL);
	do {
		struct probe *p = new_probe(ctx, jail, spec,
		    orders[stub->count].arg);

		if (p == NULL) {
			free_unstarted(stub);
			return (NULL);
		}
		p->attach->stub = stub;
		p->attach->index = stub->count;
		stub->probes[stub->count] = p;
	} while (++stub->count < count);
	return (stub);
}

static int
check_leftovers(const struct jail *jail, char *err, size_t errsize)
{
	if (jail->leftovers < PROBE_LEFTOVERS_MAX)
		return (0);
	snprintf(err, errsize, "%u earlier probes of this jail have not ended: "
	    "it traces them, or its root file system does not answer",
	    jail->leftovers);
	return (EX_TEMPFAIL);
}

int
probe_start(struct probe_context *ctx, struct jail *jail,
    const struct spec *spec, struct probe_order *orders, unsigned int count,
    char *err, size_t errsize)
{
	struct order order;
	struct stub *stub;
	int status = check_leftovers(jail, err, errsize);

	if (status == 0)
		status = jail_order(jail, spec, &order, err, errsize);
	if (status != 0)
		return (status);
	order.probes = count;
	stub = new_stub(ctx, jail, spec, orders, count);
	if (stub == NULL || start(stub, orders, &order) == -1) {
		snprintf(err, errsize, "cannot start a probe: %s",
		    strerror(errno));
		if (stub != NULL)
			free_unstarted(stub);
		return (EX_TEMPFAIL);
	}
	ctx->count += count;
	for (unsigned int i = 0; i < count; i++)
		orders[i].probe = stub->probes[i];
	return (0);
}

static void
on_kill_timer(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	ends_signal(&p->end, SIGKILL);
}

/*
 * SIGTERM, so that of a HUP and this, both pending on a stopped probe, the
 * lower number is the one it dies of; SIGKILL would win over either.
 */
void
probe_kill(struct probe *p)
{
	static const struct timeval delay = { PROBE_KILL_MS / 1000,
	    PROBE_KILL_MS % 1000 * 1000 };

	ends_signal(&p->end, SIGTERM);
	ends_signal(&p->end, SIGCONT);
	if (p->kill_timer == NULL)
		p->kill_timer = evtimer_new(p->ctx->base, on_kill_timer, p);
	if (p->kill_timer == NULL || evtimer_add(p->kill_timer, &delay) == -1)
		ends_signal(&p->end, SIGKILL);
}

void
probe_trigger(struct probe *p)
{
	ends_signal(&p->end, SIGHUP);
}

pid_t
probe_pid(const struct probe *p)
{
	return (p->pid);
}
