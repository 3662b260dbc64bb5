#include <sys/tree.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "action.h"
#include "clock.h"
#include "jail.h"
#include "life.h"
#include "log.h"
#include "probe.h"
#include "run.h"

#define WHY_MAX		1024
#define OWED_MS		1000	/* between tries to start a command */
#define DRAIN_POLL_MS	2
#define SUM_MS		10000	/* how long repeats are summed up */

/* What a flood's lines would have said. */
struct sum {
	struct event	*timer;		/* made when needed */
	bool		 quiet;		/* sum up instead of logging */
	bool		 again;		/* the flood went on meanwhile */
	unsigned int	 triggers;
	unsigned int	 runs;		/* ended */
	unsigned int	 failed;	/* of those, not with status 0 */
};

struct action {
	RB_ENTRY(action) entry;		/* in the tree, unless unlisted */
	TAILQ_ENTRY(action) all;
	LIST_ENTRY(action) siblings;	/* of the same jail */
	TAILQ_HEAD(, action_waiter) waiters;
	struct actions	*actions;
	struct spec	 spec;
	struct jail	*jail;
	struct probe	*probe;
	struct life	 life;
	struct event	*timer;		/* LIFE_SET_TIMER's, made when needed */
	struct event	*owed_timer;
	uint64_t	 id;
	struct sum	 sum;
	unsigned int	 owed;		/* triggers whose run is not started */
	bool		 listed;
	bool		 was_armed;
};

RB_HEAD(action_tree, action);

struct actions {
	struct event_base *base;
	struct runs	*runs;
	struct jails	*jails;
	struct probe_context probes;
	struct action_tree tree;	/* what an equal arm would find */
	TAILQ_HEAD(, action) all;
	unsigned int	 count;
	unsigned long	 fd_limit;
	uint64_t	 next_id;
	bool		 stopping;
	int64_t		 drain_until;
	struct event	*drain;
	void		(*drained)(void *);
	void		*drained_arg;
};

/* Equal means: same jail, command, title, ids and mode. */
static int
compare(struct action *a, struct action *b)
{
	uintptr_t ja = (uintptr_t)a->jail, jb = (uintptr_t)b->jail;

	if (ja != jb)
		return (ja < jb ? -1 : 1);
	return (spec_compare(&a->spec, &b->spec));
}

RB_GENERATE_INTERNAL(action_tree, action, entry, compare,
    static __attribute__((unused)))

static void	step(struct action *, enum life_event);
static void	on_ready(void *);
static void	on_refused(void *, int, const char *);
static void	on_probe_ended(void *, int);
static void	on_jail_ended(void *, struct jail *);

static const struct probe_events probe_events = { on_ready, on_refused,
    on_probe_ended };

struct actions *
actions_open(struct event_base *base, struct ends *ends, struct runs *runs,
    unsigned long fd_limit)
{
	struct actions *as = calloc(1, sizeof(*as));

	if (as == NULL)
		return (NULL);
	RB_INIT(&as->tree);
	TAILQ_INIT(&as->all);
	as->base = base;
	as->runs = runs;
	as->fd_limit = fd_limit;
	as->probes.base = base;
	as->probes.ends = ends;
	as->probes.events = &probe_events;
	as->jails = jails_open(base, ends, on_jail_ended, as);
	if (as->jails == NULL) {
		free(as);
		return (NULL);
	}
	return (as);
}

/* What the jail is called in the log and in a run's environment. */
static const char *
jail_name(const struct action *a)
{
	return (a->jail->name != NULL ? a->jail->name : a->spec.jail);
}

static void
unlist(struct action *a)
{
	if (a->listed)
		RB_REMOVE(action_tree, &a->actions->tree, a);
	a->listed = false;
}

static void
free_action(struct action *a)
{
	unlist(a);
	TAILQ_REMOVE(&a->actions->all, a, all);
	LIST_REMOVE(a, siblings);
	a->actions->count--;
	if (a->timer != NULL)
		event_free(a->timer);
	if (a->owed_timer != NULL)
		event_free(a->owed_timer);
	if (a->sum.timer != NULL)
		event_free(a->sum.timer);
	jails_release(a->jail);
	spec_clear(&a->spec);
	free(a);
}

void
actions_close(struct actions *as)
{
	struct action *a;

	while ((a = TAILQ_FIRST(&as->all)) != NULL)
		free_action(a);
	if (as->drain != NULL)
		event_free(as->drain);
	jails_close(as->jails);
	free(as);
}

/* What whoever arms should know, or "". */
static const char *
warning(const struct action *a)
{
	if (a->jail->persists)
		return ("");
	return ("warning: the jail is not persistent: it does not end by "
	    "itself any more while a probe lives in it");
}

static void
tell_waiters(struct action *a, int status, const char *text)
{
	struct action_waiter *w;

	while ((w = TAILQ_FIRST(&a->waiters)) != NULL) {
		action_unwait(w);
		w->done(w->arg, status, a->id, text);
	}
}

void
action_unwait(struct action_waiter *w)
{
	if (w->action == NULL)
		return;
	TAILQ_REMOVE(&w->action->waiters, w, entry);
	w->action = NULL;
}

static void
log_sum(struct action *a)
{
	log_info("event=repeats id=%llu triggers=%u runs=%u failed=%u",
	    (unsigned long long)a->id, a->sum.triggers, a->sum.runs,
	    a->sum.failed);
	a->sum.triggers = a->sum.runs = a->sum.failed = 0;
}

static void
start_sum_timer(struct action *a)
{
	static const struct timeval period = { SUM_MS / 1000,
	    SUM_MS % 1000 * 1000 };

	a->sum.again = false;
	evtimer_add(a->sum.timer, &period);
}

static void
on_sum(evutil_socket_t fd, short what, void *arg)
{
	struct action *a = arg;

	(void)fd;
	(void)what;
	log_sum(a);
	a->sum.quiet = a->sum.again;
	if (a->sum.quiet)
		start_sum_timer(a);
}

/* From here on a flood costs the log a line in ten seconds. */
static void
sum_up(struct action *a)
{
	a->sum.again = true;
	if (a->sum.quiet)
		return;
	if (a->sum.timer == NULL)
		a->sum.timer = evtimer_new(a->actions->base, on_sum, a);
	if (a->sum.timer == NULL)
		return;
	a->sum.quiet = true;
	start_sum_timer(a);
}

static void
log_armed(const struct action *a)
{
	static const char *const words[] = { "arm", "rearm" };
	struct log_quoted jail, title, command;

	log_info("event=%s id=%llu jid=%d jail=%s pid=%ld title=%s uid=%lu "
	    "gid=%lu respawn=%s command=%s", words[a->was_armed],
	    (unsigned long long)a->id, a->jail->id,
	    log_quote(&jail, jail_name(a)), (long)probe_pid(a->probe),
	    log_quote(&title, a->spec.title), (unsigned long)a->spec.uid,
	    (unsigned long)a->spec.gid, spec_respawn_name(a->spec.respawn),
	    log_quote(&command, a->spec.command));
	if (!a->was_armed && !a->jail->persists)
		log_warnx("event=warning id=%llu text=%s",
		    (unsigned long long)a->id, log_quote(&title, warning(a)));
}

static void
log_lost(const struct action *a, int status)
{
	bool signaled = WIFSIGNALED(status);

	log_info("event=lost id=%llu jid=%d pid=%ld %s=%d",
	    (unsigned long long)a->id, a->jail->id, (long)probe_pid(a->probe),
	    signaled ? "signal" : "status",
	    signaled ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void
log_refused(const struct action *a, int status, const char *why)
{
	struct log_quoted quoted;

	log_warnx("event=refuse id=%llu jid=%d status=%d text=%s",
	    (unsigned long long)a->id, a->jail->id, status,
	    log_quote(&quoted, why));
}

static void
on_run_ended(void *arg, int status)
{
	struct action *a = arg;

	a->sum.runs += a->sum.quiet;
	a->sum.failed += a->sum.quiet && status != 0;
	step(a, LIFE_RUN_ENDED);
}

static int
start_run(struct action *a)
{
	struct run_spec rs = { .id = a->id, .jid = a->jail->id,
	    .jail = jail_name(a), .title = a->spec.title,
	    .command = a->spec.command, .quiet = a->sum.quiet };

	return (run_start(a->actions->runs, &rs, on_run_ended, a));
}

static void
on_owed(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval delay = { OWED_MS / 1000,
	    OWED_MS % 1000 * 1000 };
	struct action *a = arg;

	(void)fd;
	(void)what;
	while (a->owed > 0 && start_run(a) == 0)
		a->owed--;
	if (a->owed > 0)
		evtimer_add(a->owed_timer, &delay);
}

/*
 * An accepted trigger is never dropped: no process now, so later.  The command
 * comes before the words about it.
 */
static void
trigger(struct action *a)
{
	bool started = a->owed == 0 && start_run(a) == 0;

	a->sum.triggers += a->sum.quiet;
	if (!a->sum.quiet)
		log_info("event=trigger id=%llu jid=%d jail-ended=%d",
		    (unsigned long long)a->id, a->jail->id, a->jail->ended);
	if (started)
		return;
	log_warn("event=run-delayed id=%llu", (unsigned long long)a->id);
	a->owed++;
	if (a->owed == 1)
		on_owed(-1, 0, a);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct action *a = arg;

	(void)fd;
	(void)what;
	if (jail_is_there(a->jail))
		step(a, LIFE_TIMER);
	else
		on_jail_ended(a->actions, a->jail);
}

static void
set_timer(struct action *a)
{
	int64_t ms = life_wait(&a->life, clock_ms());
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(a->timer, &tv);
}

static bool
attach(struct action *a)
{
	char why[WHY_MAX];
	int status;

	a->probe = probe_start(&a->actions->probes, a->jail, &a->spec, a,
	    &status, why, sizeof(why));
	if (a->probe != NULL)
		return (true);
	log_refused(a, status, why);
	tell_waiters(a, status, why);
	return (false);
}

static void
say(struct action *a, unsigned int effects, enum life_event event)
{
	if ((effects & LIFE_SAY_BURST) && !a->sum.quiet)
		log_warnx("event=rest id=%llu text=\"more than %d triggers "
		    "within a second: no probe for a second, and repeats are "
		    "summed up\"", (unsigned long long)a->id, LIFE_BURST);
	if ((effects & LIFE_SAY_FULL) && !a->sum.quiet)
		log_warnx("event=rest id=%llu text=\"%u runs at a time: no "
		    "probe until one ends, and repeats are summed up\"",
		    (unsigned long long)a->id, a->life.runs);
	if (effects & (LIFE_SAY_BURST | LIFE_SAY_FULL))
		sum_up(a);
	if (effects & LIFE_BUG)
		log_warnx("event=bug id=%llu text=\"%s while %s\"",
		    (unsigned long long)a->id, life_event_name(event),
		    life_state_name(a->life.state));
}

/*
 * One event.  An attach that fails at once is a further event, hence the
 * loop.  The action may be gone afterwards.
 */
static void
step(struct action *a, enum life_event event)
{
	unsigned int effects;
	bool again;

	do {
		effects = life_step(&a->life, event, clock_ms());
		if (effects & LIFE_START_RUN)
			trigger(a);
		say(a, effects, event);
		if (effects & LIFE_KILL_PROBE)
			probe_kill(a->probe);
		if (effects & LIFE_SET_TIMER)
			set_timer(a);
		again = (effects & LIFE_ATTACH) != 0 && !attach(a);
		event = LIFE_REFUSED;
	} while (again);
	if (a->life.state == LIFE_ENDING || a->life.state == LIFE_ENDED)
		unlist(a);
	if (a->life.state == LIFE_ENDED && a->sum.quiet)
		log_sum(a);
	if (a->life.state == LIFE_ENDED)
		free_action(a);
}

static void
on_ready(void *arg)
{
	struct action *a = arg;

	if (!a->sum.quiet && (a->life.state == LIFE_ARMING ||
	    a->life.state == LIFE_REARMING))
		log_armed(a);
	a->was_armed = true;
	tell_waiters(a, 0, warning(a));
	step(a, LIFE_READY);
}

static void
on_refused(void *arg, int status, const char *why)
{
	struct action *a = arg;

	a->probe = NULL;
	log_refused(a, status, why);
	tell_waiters(a, status, why);
	/* Nothing to wait for and try again. */
	if (status == EX_NOHOST)
		step(a, LIFE_JAIL_ENDED);
	step(a, LIFE_REFUSED);
}

static void
on_probe_ended(void *arg, int status)
{
	struct action *a = arg;
	bool hup = WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP;

	if (!hup && a->life.state == LIFE_ARMED && !a->sum.quiet)
		log_lost(a, status);
	a->probe = NULL;
	step(a, hup ? LIFE_HUP : LIFE_LOST);
}

static void
on_jail_ended(void *arg, struct jail *jail)
{
	struct log_quoted name;
	struct action *a, *next;
	unsigned int n = 0;

	(void)arg;
	jail->refs++;
	LIST_FOREACH(a, &jail->actions, siblings)
		n++;
	a = LIST_FIRST(&jail->actions);
	log_info("event=jail-ended jid=%d jail=%s actions=%u", jail->id,
	    log_quote(&name, a == NULL ? NULL : jail_name(a)), n);
	for (; a != NULL; a = next) {
		next = LIST_NEXT(a, siblings);
		tell_waiters(a, EX_NOHOST, "the jail has ended");
		step(a, LIFE_JAIL_ENDED);
	}
	jails_release(jail);
}

/* An action in LIFE_ARMING with its first attach under way, or NULL. */
static struct action *
new_action(struct actions *as, struct jail *jail, struct spec *spec)
{
	struct action *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return (NULL);
	a->timer = evtimer_new(as->base, on_timer, a);
	a->owed_timer = evtimer_new(as->base, on_owed, a);
	if (a->timer == NULL || a->owed_timer == NULL) {
		if (a->timer != NULL)
			event_free(a->timer);
		free(a);
		return (NULL);
	}
	TAILQ_INIT(&a->waiters);
	a->actions = as;
	a->jail = jail;
	a->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	a->id = ++as->next_id;
	life_init(&a->life, a->spec.respawn, JAIL_LOST_WAIT_MS);
	TAILQ_INSERT_TAIL(&as->all, a, all);
	LIST_INSERT_HEAD(&jail->actions, a, siblings);
	RB_INSERT(action_tree, &as->tree, a);
	a->listed = true;
	as->count++;
	return (a);
}

static void
wait_for(struct action *a, struct action_waiter *w)
{
	w->action = a;
	TAILQ_INSERT_TAIL(&a->waiters, w, entry);
}

static void
refuse(struct action_waiter *w, int status, const char *why)
{
	struct log_quoted quoted;

	log_warnx("event=refuse status=%d text=%s", status,
	    log_quote(&quoted, why));
	w->done(w->arg, status, 0, why);
}

/* A jail, a probe and a run each hold a descriptor. */
static bool
has_room(const struct actions *as)
{
	return (jails_count(as->jails) + as->probes.count +
	    runs_count(as->runs) + ACTION_FD_RESERVE < as->fd_limit);
}

static void
arm_in_jail(struct actions *as, struct jail *jail, struct spec *spec,
    struct action_waiter *w)
{
	struct action key = { .jail = jail, .spec = *spec }, *a;

	a = RB_FIND(action_tree, &as->tree, &key);
	if (a != NULL) {
		jails_release(jail);
		spec_clear(spec);
		if (a->life.state == LIFE_ARMING)
			wait_for(a, w);
		else
			w->done(w->arg, 0, a->id, warning(a));
		return;
	}
	a = new_action(as, jail, spec);
	if (a == NULL) {
		jails_release(jail);
		refuse(w, EX_TEMPFAIL, "no memory for a further action");
		return;
	}
	wait_for(a, w);
	if (!attach(a))
		step(a, LIFE_REFUSED);
}

void
action_arm(struct actions *as, struct spec *spec, struct action_waiter *w)
{
	char why[WHY_MAX];
	struct jail *jail;
	int status;

	if (as->stopping) {
		refuse(w, EX_TEMPFAIL, "the daemon is stopping");
		return;
	}
	if (!has_room(as)) {
		snprintf(why, sizeof(why), "no room for a further action: the "
		    "daemon's limit of %lu descriptors (RLIMIT_NOFILE) is used "
		    "up by %u probes and %u jails", as->fd_limit,
		    as->probes.count, jails_count(as->jails));
		refuse(w, EX_TEMPFAIL, why);
		return;
	}
	jail = jails_hold(as->jails, spec, &status, why, sizeof(why));
	if (jail == NULL) {
		refuse(w, status, why);
		return;
	}
	arm_in_jail(as, jail, spec, w);
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval delay = { 0, DRAIN_POLL_MS * 1000 };
	struct actions *as = arg;

	(void)fd;
	(void)what;
	if (as->probes.count == 0 || clock_ms() >= as->drain_until)
		as->drained(as->drained_arg);
	else
		evtimer_add(as->drain, &delay);
}

void
actions_stop(struct actions *as, int timeout_ms, void (*drained)(void *),
    void *arg)
{
	struct action *a, *next;

	if (as->stopping)
		return;
	as->stopping = true;
	as->drained = drained;
	as->drained_arg = arg;
	as->drain_until = clock_ms() + timeout_ms;
	for (a = TAILQ_FIRST(&as->all); a != NULL; a = next) {
		next = TAILQ_NEXT(a, all);
		tell_waiters(a, EX_TEMPFAIL, "the daemon is stopping");
		step(a, LIFE_STOP);
	}
	as->drain = evtimer_new(as->base, on_drain, as);
	if (as->drain == NULL)
		drained(arg);
	else
		on_drain(-1, 0, as);
}

unsigned int
actions_count(const struct actions *as)
{
	return (as->count);
}

unsigned int
actions_probes(const struct actions *as)
{
	return (as->probes.count);
}
