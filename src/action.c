#include <sys/tree.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "action.h"
#include "alarm.h"
#include "clock.h"
#include "jail.h"
#include "life.h"
#include "log.h"
#include "metrics.h"
#include "probe.h"
#include "run.h"
#include "state.h"
#include "timer.h"

#define WHY_MAX		1024
#define STOPPING	"the daemon is stopping"
#define NOT_YET		"warning: the probe is not there yet: "
#define OWED_MS		1000	/* between tries to start a command */
#define DRAIN_POLL_MS	2
#define ATTACH_MAX	64	/* at a time, of those that nobody waits for */
#define ATTACH_JAIL_MAX	16
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
	RB_ENTRY(action) by_id;
	LIST_ENTRY(action) siblings;	/* of the same jail */
	LIST_HEAD(, action_waiter) waiters;
	struct actions	*actions;
	struct spec	 spec;		/* its texts are at the end */
	struct jail	*jail;
	struct probe	*probe;
	struct life	 life;
	struct alarm	 alarm;		/* LIFE_SET_TIMER's */
	uint64_t	 id;
	uint64_t	 rule;		/* of the file; 0: by request */
	struct sum	 sum;
	uint64_t	 triggers;	/* the number of the last one's run */
	TAILQ_ENTRY(action) turn;
	unsigned int	 owed;		/* the last so many are not started */
	bool		 queued;	/* for a turn to attach a probe */
	bool		 attaching;
	bool		 saved;		/* the journal has it, or will */
	uint64_t	 late;		/* state_behind() of when it would not */
	bool		 over_saved;	/* that it gets no further probe, too */
	bool		 stopped;	/* by the daemon's stop alone */
	bool		 listed;
	bool		 was_armed;
	bool		 triggering;	/* by request; its HUP is on the way */
	bool		 chosen;	/* while actions_disarm() chooses */
	int64_t		 armed_at;	/* real times; 0: never */
	int64_t		 triggered_at;
	int64_t		 last_at;
	struct run_end	 last;
	uint64_t	 runs_ended;
	char		 texts[];
};

RB_HEAD(action_tree, action);
RB_HEAD(id_tree, action);

struct actions {
	struct event_base *base;
	struct runs	*runs;
	struct state	*state;
	struct jails	*jails;
	struct probe_context probes;
	TAILQ_HEAD(, jail) queue;	/* for a turn, longest waiting first */
	unsigned int	 attaching;
	struct action_tree tree;	/* what an equal arm would find */
	struct id_tree	 ids;		/* all of them */
	struct action_listener listener;
	struct metrics	 metrics;
	unsigned int	 count;
	unsigned long	 fd_limit;
	uint64_t	 next_id;
	bool		 stopping;
	int64_t		 drain_until;
	struct alarms	*alarms;
	struct event	*owed;		/* while an action has owed runs */
	struct event	*drain;
	struct event	*turns;
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

static int
compare_ids(struct action *a, struct action *b)
{
	return ((a->id > b->id) - (a->id < b->id));
}

RB_GENERATE_INTERNAL(action_tree, action, entry, compare,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(id_tree, action, by_id, compare_ids,
    static __attribute__((unused)))

static void	step(struct action *, enum life_event);
static void	on_alarm(struct alarm *);
static void	on_owed(evutil_socket_t, short, void *);
static void	on_turns(evutil_socket_t, short, void *);
static void	on_ready(void *);
static void	on_refused(void *, int, const char *);
static void	on_probe_ended(void *, int);
static void	on_jail_ended(void *, struct jail *);

static const struct probe_events probe_events = { on_ready, on_refused,
    on_probe_ended };

static void
free_actions(struct actions *as)
{
	free_event(as->drain);
	free_event(as->turns);
	free_event(as->owed);
	alarms_close(as->alarms);
	free(as);
}

struct actions *
actions_open(struct event_base *base, struct ends *ends, struct runs *runs,
    struct state *state, unsigned long fd_limit)
{
	struct actions *as = calloc(1, sizeof(*as));

	if (as == NULL)
		return (NULL);
	RB_INIT(&as->tree);
	RB_INIT(&as->ids);
	as->metrics.started_at = clock_real_ms();
	as->base = base;
	as->runs = runs;
	as->state = state;
	TAILQ_INIT(&as->queue);
	as->fd_limit = fd_limit;
	as->probes.base = base;
	as->probes.ends = ends;
	as->probes.events = &probe_events;
	as->turns = evtimer_new(base, on_turns, as);
	as->owed = evtimer_new(base, on_owed, as);
	as->alarms = alarms_open(base, on_alarm);
	if (as->turns != NULL && as->owed != NULL && as->alarms != NULL)
		as->jails = jails_open(base, ends, on_jail_ended, as);
	if (as->jails == NULL) {
		free_actions(as);
		return (NULL);
	}
	return (as);
}

void
actions_listen(struct actions *as, const struct action_listener *listener)
{
	as->listener = *listener;
}

struct jails *
actions_jails(struct actions *as)
{
	return (as->jails);
}

struct metrics *
actions_metrics(struct actions *as)
{
	return (&as->metrics);
}

/* What the jail is called in the log and in a run's environment. */
static const char *
jail_name(const struct action *a)
{
	return (a->jail->name != NULL ? a->jail->name : a->spec.jail);
}

static bool
is_ending(const struct action *a)
{
	return (a->life.state == LIFE_ENDING || a->life.state == LIFE_ENDED);
}

static void
unlist(struct action *a)
{
	if (a->listed)
		RB_REMOVE(action_tree, &a->actions->tree, a);
	a->listed = false;
}

/* Something has changed for those that wait for a turn. */
static void
wake_queue(struct actions *as)
{
	if (!TAILQ_EMPTY(&as->queue))
		event_active(as->turns, EV_TIMEOUT, 0);
}

static void
join_queue(struct action *a)
{
	struct jail *jail = a->jail;

	TAILQ_INSERT_TAIL(&jail->waiting, a, turn);
	if (jail->waiting_count++ == 0)
		TAILQ_INSERT_TAIL(&a->actions->queue, jail, turn);
	a->queued = true;
}

static void
leave_queue(struct action *a)
{
	struct jail *jail = a->jail;

	if (!a->queued)
		return;
	TAILQ_REMOVE(&jail->waiting, a, turn);
	if (--jail->waiting_count == 0)
		TAILQ_REMOVE(&a->actions->queue, jail, turn);
	a->queued = false;
}

static void
free_action(struct action *a)
{
	unlist(a);
	leave_queue(a);
	RB_REMOVE(id_tree, &a->actions->ids, a);
	LIST_REMOVE(a, siblings);
	a->actions->count--;
	alarm_clear(a->actions->alarms, &a->alarm);
	free_event(a->sum.timer);
	jails_release(a->jail);
	free(a);
}

void
actions_close(struct actions *as)
{
	struct action *a;

	while ((a = RB_MIN(id_tree, &as->ids)) != NULL)
		free_action(a);
	jails_close(as->jails);
	free_actions(as);
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

	while ((w = LIST_FIRST(&a->waiters)) != NULL) {
		action_unwait(w);
		w->done(w->arg, status, a->id, text);
	}
}

void
action_unwait(struct action_waiter *w)
{
	if (w->action == NULL)
		return;
	LIST_REMOVE(w, entry);
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
	a->sum.again = false;
	timer_start(a->sum.timer, SUM_MS);
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

/* Who an event is about. */
static void
describe_jail(const struct action *a, struct wire_item *item)
{
	item->id = a->id;
	item->jid = a->jail->id;
	/* Borrowed: an item that is encoded is not written to. */
	item->jail = (char *)(uintptr_t)jail_name(a);
	item->engine = a->spec.engine;
	item->title = a->spec.title;
	item->keys = ITEM_ID | ITEM_JID |
	    (item->jail != NULL ? ITEM_JAIL : 0) |
	    (item->engine != NULL ? ITEM_ENGINE : 0) |
	    (item->title != NULL ? ITEM_TITLE : 0);
}

static void
announce(const struct actions *as, const char *event, struct wire_item *item,
    unsigned int keys)
{
	const struct action_listener *l = &as->listener;

	if (l->event == NULL)
		return;
	strlcpy(item->event, event, sizeof(item->event));
	item->at = clock_real_ms();
	item->keys |= ITEM_EVENT | ITEM_AT | keys;
	l->event(l->arg, item);
}

static void
tell(const struct action *a, const char *event, struct wire_item *item,
    unsigned int keys)
{
	describe_jail(a, item);
	announce(a->actions, event, item, keys);
}

static void
tell_armed(const struct action *a)
{
	struct wire_item item = { .pid = probe_pid(a->probe),
	    .command = a->spec.command };

	tell(a, "armed", &item, ITEM_PID | ITEM_COMMAND);
}

static void
tell_plain(const struct action *a, const char *event)
{
	struct wire_item item = { .keys = 0 };

	tell(a, event, &item, 0);
}

/* A wait status, as two keys of which one is there. */
static unsigned int
describe_status(int status, uint32_t *code, unsigned int code_key,
    uint32_t *sig, unsigned int sig_key)
{
	if (WIFSIGNALED(status)) {
		*sig = (uint32_t)WTERMSIG(status);
		return (sig_key);
	}
	*code = (uint32_t)WEXITSTATUS(status);
	return (code_key);
}

static void
tell_finished(const struct action *a, const struct run_end *end)
{
	struct wire_item item = { .ms = end->ms };
	unsigned int keys = ITEM_MS;

	if (!end->unknown)
		keys |= describe_status(end->status, &item.status, ITEM_STATUS,
		    &item.signal, ITEM_SIGNAL);
	tell(a, "finished", &item, keys);
}

static void
tell_lost(const struct action *a, int status)
{
	struct wire_item item = { .keys = 0 };

	tell(a, "lost", &item, describe_status(status, &item.status,
	    ITEM_STATUS, &item.signal, ITEM_SIGNAL));
}

/* Without its quotes, and so escaped once more where it must be. */
static char *
reason(struct log_quoted *quoted, const char *why)
{
	log_quote(quoted, why);
	quoted->s[strlen(quoted->s) - 1] = '\0';
	return (quoted->s + 1);
}

static void
tell_refused(const struct action *a, int status, const char *why)
{
	struct log_quoted quoted;
	struct wire_item item = { .status = (uint32_t)status,
	    .text = reason(&quoted, why) };

	tell(a, "refused", &item, ITEM_STATUS | ITEM_TEXT);
}

/* What never became an action. */
static void
tell_refused_spec(const struct actions *as, const struct spec *s, int status,
    const char *why)
{
	struct log_quoted quoted;
	struct wire_item item = { .status = (uint32_t)status,
	    .text = reason(&quoted, why), .jail = s->jail,
	    .engine = s->engine, .title = s->title, .command = s->command };

	announce(as, "refused", &item, ITEM_STATUS | ITEM_TEXT | ITEM_COMMAND |
	    (s->jail != NULL ? ITEM_JAIL : 0) |
	    (s->engine != NULL ? ITEM_ENGINE : 0) |
	    (s->title != NULL ? ITEM_TITLE : 0));
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
count_run(struct metrics *m, const struct run_end *end)
{
	metrics_run(m, end->ms);
	if (end->timed_out)
		m->timed_out++;
	else if (end->unknown)
		m->unknown++;
	else if (WIFSIGNALED(end->status))
		m->signalled++;
	else if (WEXITSTATUS(end->status) != 0)
		m->failed++;
	else
		m->succeeded++;
}

static void
fill_result(const struct action *a, struct wire_record *rec)
{
	rec->known = !a->last.unknown;
	if (rec->known)
		describe_status(a->last.status, &rec->last_status, 0,
		    &rec->last_signal, 0);
	rec->last_ms = a->last.ms;
	rec->last_at = a->last_at;
}

static void
note_ran(struct action *a, uint64_t run)
{
	struct wire_record rec = { .kind = RECORD_RAN, .id = a->id,
	    .run = run };

	fill_result(a, &rec);
	state_note(a->actions->state, &rec, 1);
}

/*
 * That it is there proves that the run was begun, which the journal may not
 * know yet: then the next daemon tidies it up.  The disk may be full of it.
 */
static void
forget_output(struct action *a)
{
	struct actions *as = a->actions;

	if (state_behind(as->state) != 0)
		run_empty_output(as->runs, a->id, a->last.output);
	else
		run_forget_output(as->runs, a->id, a->last.output);
}

/* The output of the last run is kept for whoever asks for it. */
static void
on_run_ended(void *arg, const struct run_end *end)
{
	struct action *a = arg;

	if (a->last.output != end->output)
		forget_output(a);
	a->last = *end;
	a->last_at = clock_real_ms();
	a->runs_ended++;
	note_ran(a, end->run);
	count_run(&a->actions->metrics, end);
	a->sum.runs += a->sum.quiet;
	a->sum.failed += a->sum.quiet && (end->unknown || end->status != 0);
	tell_finished(a, end);
	step(a, LIFE_RUN_ENDED);
}

/* The run of the longest owed trigger, or of the one that came now. */
static int
start_run(struct action *a)
{
	struct wire_record rec = { .kind = RECORD_RUN, .id = a->id,
	    .run = a->triggers - a->owed, .at = clock_real_ms() };
	struct run_process process;
	struct run_spec rs = { .id = a->id, .run = rec.run,
	    .jid = a->jail->id,
	    .jail = jail_name(a), .title = a->spec.title,
	    .command = a->spec.command, .timeout = a->spec.timeout,
	    .quiet = a->sum.quiet };

	if (run_start(a->actions->runs, &rs, &process, on_run_ended, a) == -1)
		return (-1);
	rec.pid = process.pid;
	rec.clock = process.clock;
	state_note(a->actions->state, &rec, 1);
	return (0);
}

/* As far as it goes now; the rest is tried again. */
static void
start_owed(struct action *a)
{
	while (a->owed > 0) {
		a->owed--;
		if (start_run(a) == 0)
			continue;
		a->owed++;
		timer_want(a->actions->owed, OWED_MS);
		break;
	}
}

static void
on_owed(evutil_socket_t fd, short what, void *arg)
{
	struct actions *as = arg;
	struct action *a;

	(void)fd;
	(void)what;
	RB_FOREACH(a, id_tree, &as->ids)
		start_owed(a);
}

/* Before its command starts. */
static void
note_trigger(struct action *a)
{
	struct wire_record rec = { .kind = RECORD_TRIGGER, .id = a->id,
	    .run = ++a->triggers, .at = clock_real_ms() };

	a->triggered_at = rec.at;
	state_note(a->actions->state, &rec, 1);
}

/*
 * An accepted trigger is never dropped: no process now, so later.  The command
 * comes before the words about it.
 */
static void
trigger(struct action *a)
{
	bool started;

	note_trigger(a);
	started = a->owed == 0 && start_run(a) == 0;
	a->actions->metrics.triggers++;
	a->sum.triggers += a->sum.quiet;
	tell_plain(a, "triggered");
	if (!a->sum.quiet)
		log_info("event=trigger id=%llu jid=%d jail-ended=%d",
		    (unsigned long long)a->id, a->jail->id, a->jail->ended);
	if (started)
		return;
	log_warn("event=run-delayed id=%llu", (unsigned long long)a->id);
	a->owed++;
	if (a->owed == 1)
		start_owed(a);
}

static void
on_alarm(struct alarm *alarm)
{
	struct action *a = (struct action *)(void *)((char *)alarm -
	    offsetof(struct action, alarm));

	if (jail_is_there(a->jail))
		step(a, LIFE_TIMER);
	else
		on_jail_ended(a->actions, a->jail);
}

static void
set_timer(struct action *a)
{
	alarm_set(a->actions->alarms, &a->alarm,
	    life_wait(&a->life, clock_ms()));
}

/* What the probe shows: with -s, how the last run went. */
static const char *
make_title(const struct action *a, char *buf, size_t size)
{
	const char *title = a->spec.title;
	bool signaled = WIFSIGNALED(a->last.status);
	char how[32];

	if (!a->spec.feedback || a->runs_ended == 0)
		return (title);
	snprintf(how, sizeof(how), "%s%d", signaled ? "signal " : "",
	    signaled ? WTERMSIG(a->last.status) :
	    WEXITSTATUS(a->last.status));
	snprintf(buf, size, "%s%s[runs %llu, last %s]",
	    title == NULL ? "" : title, title == NULL ? "" : " ",
	    (unsigned long long)a->runs_ended,
	    a->last.unknown ? "unknown" : how);
	return (buf);
}

static void
refuse_attach(struct action *a, int status, const char *why)
{
	char text[WHY_MAX];

	a->actions->metrics.attach_failed++;
	log_refused(a, status, why);
	tell_refused(a, status, why);
	if (a->life.state != LIFE_REARMING || status == EX_NOHOST) {
		tell_waiters(a, status, why);
		return;
	}
	/* It is armed all the same, and is tried again. */
	snprintf(text, sizeof(text), NOT_YET "%s", why);
	tell_waiters(a, 0, text);
}

/*
 * So many at a time, where nobody waits for it: a jail that ends all of its
 * probes at once, or 10,000 actions that come back, must not keep others
 * waiting.
 */
static bool
has_room(const struct actions *as, unsigned int count)
{
	return (as->attaching + count <= ATTACH_MAX);
}

static bool
has_share(const struct jail *jail, unsigned int count)
{
	return (jail->attaching + count <= ATTACH_JAIL_MAX);
}

static void
begin_attaching(struct action *a)
{
	a->attaching = true;
	a->actions->attaching++;
	a->jail->attaching++;
}

static void
end_attaching(struct action *a)
{
	if (!a->attaching)
		return;
	a->attaching = false;
	a->actions->attaching--;
	a->jail->attaching--;
	wake_queue(a->actions);
}

/* All of one jail and with the same ids; false: none of them. */
static bool
attach_together(struct action *const some[], unsigned int count)
{
	char why[WHY_MAX], titles[PROBE_TOGETHER_MAX][PROBE_TITLE_MAX];
	struct probe_order orders[PROBE_TOGETHER_MAX];
	int status;

	for (unsigned int i = 0; i < count; i++) {
		orders[i].arg = some[i];
		orders[i].title = make_title(some[i], titles[i],
		    sizeof(titles[i]));
	}
	status = probe_start(&some[0]->actions->probes, some[0]->jail,
	    &some[0]->spec, orders, count, why, sizeof(why));
	for (unsigned int i = 0; i < count; i++) {
		if (status != 0) {
			refuse_attach(some[i], status, why);
			continue;
		}
		some[i]->probe = orders[i].probe;
		begin_attaching(some[i]);
	}
	return (status == 0);
}

static bool
attach(struct action *a)
{
	if (!LIST_EMPTY(&a->waiters) || (TAILQ_EMPTY(&a->actions->queue) &&
	    has_room(a->actions, 1) && has_share(a->jail, 1)))
		return (attach_together(&a, 1));
	/* Who waits goes first; but all of them may have their share. */
	join_queue(a);
	wake_queue(a->actions);
	return (true);
}

/*
 * To enter a jail is most of the work, so that what waits there goes together,
 * and waits for that until enough of the jail's share is free.
 */
static unsigned int
next_count(const struct jail *jail)
{
	return (jail->waiting_count < PROBE_TOGETHER_MAX ?
	    jail->waiting_count : PROBE_TOGETHER_MAX);
}

/* Whose turn it is.  A jail that has its share is passed over. */
static struct jail *
next_jail(const struct actions *as)
{
	struct jail *jail;

	TAILQ_FOREACH(jail, &as->queue, turn)
		if (has_share(jail, next_count(jail)))
			return (has_room(as, next_count(jail)) ? jail : NULL);
	return (NULL);
}

/* The one that has waited longest, and those behind it with the same ids. */
static void
attach_waiting(struct actions *as, struct jail *jail)
{
	struct action *some[PROBE_TOGETHER_MAX], *a;
	const struct spec *ids = &TAILQ_FIRST(&jail->waiting)->spec;
	unsigned int count = 0;

	do {
		a = TAILQ_FIRST(&jail->waiting);
		leave_queue(a);
		some[count++] = a;
		a = TAILQ_FIRST(&jail->waiting);
	} while (count < PROBE_TOGETHER_MAX && a != NULL &&
	    a->spec.uid == ids->uid && a->spec.gid == ids->gid);
	if (jail->waiting_count > 0) {
		TAILQ_REMOVE(&as->queue, jail, turn);
		TAILQ_INSERT_TAIL(&as->queue, jail, turn);
	}
	if (!attach_together(some, count))
		for (unsigned int i = 0; i < count; i++)
			step(some[i], LIFE_REFUSED);
}

static void
on_turns(evutil_socket_t fd, short what, void *arg)
{
	struct actions *as = arg;
	struct jail *jail;

	(void)fd;
	(void)what;
	while ((jail = next_jail(as)) != NULL)
		attach_waiting(as, jail);
}

static void
say_full(const struct action *a)
{
	if (a->spec.parallel != 0)
		log_info("event=rest id=%llu text=\"%u runs at a time, as -L "
		    "has it: no probe until one ends\"",
		    (unsigned long long)a->id, a->life.runs);
	else
		log_warnx("event=rest id=%llu text=\"%u runs at a time: no "
		    "probe until one ends, and repeats are summed up\"",
		    (unsigned long long)a->id, a->life.runs);
}

static void
say(struct action *a, unsigned int effects, enum life_event event)
{
	if ((effects & LIFE_SAY_BURST) && !a->sum.quiet)
		log_warnx("event=rest id=%llu text=\"more than %d triggers "
		    "within a second: no probe for a second, and repeats are "
		    "summed up\"", (unsigned long long)a->id, LIFE_BURST);
	if ((effects & LIFE_SAY_FULL) && !a->sum.quiet)
		say_full(a);
	/* What -L asks for is no flood. */
	if (a->spec.parallel != 0)
		effects &= ~(unsigned int)LIFE_SAY_FULL;
	if (effects & (LIFE_SAY_BURST | LIFE_SAY_FULL))
		sum_up(a);
	if (effects & LIFE_BUG)
		log_warnx("event=bug id=%llu text=\"%s while %s\"",
		    (unsigned long long)a->id, life_event_name(event),
		    life_state_name(a->life.state));
}

static void
fill_record(const struct action *a, struct wire_record *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->kind = RECORD_ARM;
	rec->id = a->id;
	/* Borrowed. */
	rec->spec = a->spec;
	rec->spec.jail = (char *)(uintptr_t)jail_name(a);
	rec->jid = a->jail->id;
	rec->jail_started = a->jail->started;
	rec->pidns = a->jail->pidns;
	rec->rule = a->rule;
	rec->runs = a->triggers;
	rec->runs_ended = a->runs_ended;
	rec->run = a->last.output;
	rec->at = a->armed_at != 0 ? a->armed_at : clock_real_ms();
	if (a->runs_ended > 0)
		fill_result(a, rec);
}

static int
save_action(struct action *a)
{
	struct wire_record rec;

	fill_record(a, &rec);
	if (state_save(a->actions->state, &rec, 1) == -1)
		return (-1);
	a->saved = true;
	return (0);
}

/*
 * What nobody waits for goes on; on a full disk it is saved later.  That its
 * rule was applied is known if it is, and only then.
 */
static void
note_action(struct action *a, const struct wire_record *applied)
{
	struct wire_record recs[2];

	fill_record(a, &recs[0]);
	recs[1] = *applied;
	a->late = state_note(a->actions->state, recs, 2);
	a->saved = true;
}

/* The next daemon must not attach a probe to it; its runs go on. */
static void
note_over(struct action *a)
{
	struct wire_record rec = { .kind = RECORD_OVER, .id = a->id };

	if (!a->saved || a->over_saved || a->stopped)
		return;
	state_note(a->actions->state, &rec, 1);
	a->over_saved = true;
}

/* The last of its life. */
static void
end_action(struct action *a)
{
	struct wire_record rec = { .kind = RECORD_END, .id = a->id };

	/* One that only the daemon's stop ends comes back with the next one. */
	if (a->saved && !a->stopped)
		state_note(a->actions->state, &rec, 1);
	if (!a->stopped)
		forget_output(a);
	free_action(a);
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
		/* Whose turn has not come loses it. */
		if (a->life.state == LIFE_ENDING && a->queued) {
			leave_queue(a);
			/* Whoever is behind it may need less room. */
			wake_queue(a->actions);
			again = true;
		}
		event = LIFE_REFUSED;
	} while (again);
	if (a->life.state == LIFE_ENDING || a->life.state == LIFE_ENDED)
		unlist(a);
	if (a->life.state == LIFE_ENDING)
		note_over(a);
	if (a->life.state == LIFE_ENDED && a->sum.quiet)
		log_sum(a);
	if (a->life.state == LIFE_ENDED)
		end_action(a);
}

/* A client is not told what the next daemon would not know. */
static void
acknowledge(struct action *a)
{
	char why[WHY_MAX];

	if (a->saved || is_ending(a) || save_action(a) == 0) {
		tell_waiters(a, 0, warning(a));
		step(a, LIFE_READY);
		return;
	}
	snprintf(why, sizeof(why), "the action cannot be saved: %s",
	    strerror(errno));
	log_refused(a, EX_TEMPFAIL, why);
	tell_waiters(a, EX_TEMPFAIL, why);
	step(a, LIFE_READY);
	step(a, LIFE_STOP);
}

static void
on_ready(void *arg)
{
	struct action *a = arg;

	end_attaching(a);

	if (!a->sum.quiet && (a->life.state == LIFE_ARMING ||
	    a->life.state == LIFE_REARMING))
		log_armed(a);
	if (a->life.state == LIFE_ARMING || a->life.state == LIFE_REARMING)
		tell_armed(a);
	a->was_armed = true;
	if (a->armed_at == 0)
		a->armed_at = clock_real_ms();
	acknowledge(a);
}

static void
on_refused(void *arg, int status, const char *why)
{
	struct action *a = arg;

	end_attaching(a);
	a->probe = NULL;
	refuse_attach(a, status, why);
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

	if (!hup && a->life.state == LIFE_ARMED) {
		a->actions->metrics.lost++;
		tell_lost(a, status);
		if (!a->sum.quiet)
			log_lost(a, status);
	}
	a->probe = NULL;
	a->triggering = false;
	step(a, hup ? LIFE_HUP : LIFE_LOST);
}

/* Actions that were armed by a number alone have no name for it. */
static const char *
find_name(const struct actions *as, const struct jail *jail)
{
	const struct action *a;

	if (jail->name != NULL)
		return (jail->name);
	LIST_FOREACH(a, &jail->actions, siblings)
		if (a->spec.jail != NULL)
			return (a->spec.jail);
	return (as->listener.jail_called == NULL ? NULL :
	    as->listener.jail_called(as->listener.arg, jail));
}

static void
on_jail_ended(void *arg, struct jail *jail)
{
	struct actions *as = arg;
	struct log_quoted name;
	struct action *a, *next;
	unsigned int n = 0;

	jail->refs++;
	LIST_FOREACH(a, &jail->actions, siblings)
		n++;
	a = LIST_FIRST(&jail->actions);
	log_info("event=jail-ended jid=%d jail=%s actions=%u", jail->id,
	    log_quote(&name, find_name(as, jail)), n);
	for (; a != NULL; a = next) {
		next = LIST_NEXT(a, siblings);
		tell_plain(a, "jail-ended");
		tell_waiters(a, EX_NOHOST, "the jail has ended");
		step(a, LIFE_JAIL_ENDED);
	}
	if (as->listener.jail_ended != NULL)
		as->listener.jail_ended(as->listener.arg, jail);
	jails_release(jail);
}

void
actions_jail_ended(struct actions *as, struct jail *jail)
{
	on_jail_ended(as, jail);
}

/* An action with its first attach under way, or NULL. */
static struct action *
new_action(struct actions *as, struct jail *jail, struct spec *spec,
    uint64_t rule)
{
	struct action *a = calloc(1, sizeof(*a) + spec_text_size(spec));

	if (a == NULL)
		return (NULL);
	LIST_INIT(&a->waiters);
	a->actions = as;
	a->jail = jail;
	spec_place(&a->spec, a->texts, spec);
	spec_clear(spec);
	a->id = ++as->next_id;
	a->rule = rule;
	if (rule != 0)
		life_init_kept(&a->life, &a->spec, JAIL_LOST_WAIT_MS);
	else
		life_init(&a->life, &a->spec, JAIL_LOST_WAIT_MS);
	RB_INSERT(id_tree, &as->ids, a);
	LIST_INSERT_HEAD(&jail->actions, a, siblings);
	a->listed = RB_INSERT(action_tree, &as->tree, a) == NULL;
	as->count++;
	return (a);
}

static void
wait_for(struct action *a, struct action_waiter *w)
{
	w->action = a;
	LIST_INSERT_HEAD(&a->waiters, w, entry);
}

static int
refuse(const struct actions *as, const struct spec *s,
    struct action_waiter *w, int status, const char *why)
{
	struct log_quoted quoted;

	log_warnx("event=refuse status=%d text=%s", status,
	    log_quote(&quoted, why));
	tell_refused_spec(as, s, status, why);
	if (w != NULL)
		w->done(w->arg, status, 0, why);
	return (status);
}

/* A probe and a run each hold a descriptor. */
bool
actions_have_room(const struct actions *as)
{
	return (jails_count(as->jails) * JAIL_DESCRIPTORS + as->probes.count +
	    runs_count(as->runs) + ACTION_FD_RESERVE < as->fd_limit);
}

/*
 * It is armed already, or nearly so.  A probe that is on its way is waited for,
 * and need not wait for its turn then: who was told may send a HUP at once.
 */
static void
join(struct action *a, struct action_waiter *w)
{
	if (w == NULL)
		return;
	if (a->late != 0 && a->late == state_behind(a->actions->state)) {
		w->done(w->arg, EX_TEMPFAIL, a->id, "the action of the file "
		    "that is equal cannot be saved yet: the journal is behind");
		return;
	}
	if (a->life.state != LIFE_ARMING && a->life.state != LIFE_REARMING) {
		w->done(w->arg, 0, a->id, life_has_failed(&a->life) ?
		    NOT_YET "it could not be attached, which is tried again" :
		    warning(a));
		return;
	}
	wait_for(a, w);
	if (!a->queued)
		return;
	leave_queue(a);
	wake_queue(a->actions);
	if (!attach(a))
		step(a, LIFE_REFUSED);
}

static int
refuse_for_room(const struct actions *as, const struct spec *spec,
    struct action_waiter *w)
{
	char why[WHY_MAX];

	snprintf(why, sizeof(why), "no room for a further action: the "
	    "daemon's limit of %lu descriptors (RLIMIT_NOFILE) is used up: "
	    "there are %u probes and %u jails", as->fd_limit, as->probes.count,
	    jails_count(as->jails));
	return (refuse(as, spec, w, EX_TEMPFAIL, why));
}

static int
arm_in_jail(struct actions *as, struct jail *jail, struct spec *spec,
    const struct wire_record *rule, struct action_waiter *w)
{
	struct action key = { .jail = jail, .spec = *spec }, *a;

	a = RB_FIND(action_tree, &as->tree, &key);
	if (a != NULL) {
		jails_release(jail);
		spec_clear(spec);
		join(a, w);
		if (rule == NULL)
			return (0);
		/* What somebody waits for may yet fail, and is gone then. */
		if (a->life.state == LIFE_ARMING)
			return (EX_TEMPFAIL);
		state_note(as->state, rule, 1);
		return (0);
	}
	if (!actions_have_room(as)) {
		jails_release(jail);
		return (refuse_for_room(as, spec, w));
	}
	a = new_action(as, jail, spec, rule == NULL ? 0 : rule->rule);
	if (a == NULL) {
		jails_release(jail);
		return (refuse(as, spec, w, EX_TEMPFAIL, "no memory for a "
		    "further action"));
	}
	if (w != NULL)
		wait_for(a, w);
	if (rule != NULL)
		note_action(a, rule);
	if (!attach(a))
		step(a, LIFE_REFUSED);
	return (0);
}

static int
arm(struct actions *as, struct spec *spec, const struct wire_record *rule,
    struct action_waiter *w)
{
	char why[WHY_MAX];
	struct jail *jail;
	int status;

	if (as->stopping)
		return (refuse(as, spec, w, EX_TEMPFAIL, STOPPING));
	jail = jails_hold(as->jails, spec, &status, why, sizeof(why));
	if (jail == NULL)
		return (refuse(as, spec, w, status, why));
	return (arm_in_jail(as, jail, spec, rule, w));
}

void
action_arm(struct actions *as, struct spec *spec, struct action_waiter *w)
{
	(void)arm(as, spec, NULL, w);
}

int
action_arm_rule(struct actions *as, struct spec *spec,
    const struct wire_record *rule)
{
	int status = arm(as, spec, rule, NULL);

	spec_clear(spec);
	return (status);
}

static struct action *
find(struct actions *as, uint64_t id)
{
	struct action key = { .id = id };

	return (RB_FIND(id_tree, &as->ids, &key));
}

static bool
is_equal(const char *wanted, const char *is)
{
	return (wanted == NULL || (is != NULL && strcmp(wanted, is) == 0));
}

static bool
is_jail(const struct action *a, const char *wanted)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", a->jail->id);
	return (is_equal(wanted, jail_name(a)) || is_equal(wanted, number));
}

static bool
is_chosen(const struct action *a, const struct action_choice *c)
{
	return (is_jail(a, c->jail) && (c->jid == 0 || c->jid == a->jail->id) &&
	    is_equal(c->engine, a->spec.engine) &&
	    is_equal(c->title, a->spec.title));
}

static void
disarm(struct action *a)
{
	log_info("event=disarm id=%llu jid=%d", (unsigned long long)a->id,
	    a->jail->id);
	tell_plain(a, "disarmed");
	tell_waiters(a, EX_TEMPFAIL, "the action was disarmed");
	step(a, LIFE_STOP);
}

/* Actions that are meant, each once; those that are ending are not. */
struct chosen {
	struct action	**list;
	size_t		 n;
};

static bool
add_chosen(struct chosen *chosen, struct action *a)
{
	struct action **list = reallocarray(chosen->list, chosen->n + 1,
	    sizeof(chosen->list[0])); /* NOLINT(bugprone-sizeof-expression) */

	if (list == NULL)
		return (false);
	list[chosen->n++] = a;
	chosen->list = list;
	a->chosen = true;
	return (true);
}

static int
choose_ids(struct actions *as, const struct action_choice *c,
    struct chosen *chosen, uint64_t *unknown)
{
	struct action *a;

	for (size_t i = 0; i < c->nids; i++) {
		a = find(as, c->ids[i]);
		if (a == NULL || is_ending(a)) {
			*unknown = c->ids[i];
			return (-1);
		}
		if (!a->chosen && !add_chosen(chosen, a))
			return (-1);
	}
	return (0);
}

static int
choose(struct actions *as, const struct action_choice *c,
    struct chosen *chosen, uint64_t *unknown)
{
	struct action *a;

	if (c->nids > 0)
		return (choose_ids(as, c, chosen, unknown));
	RB_FOREACH(a, id_tree, &as->ids)
		if (is_chosen(a, c) && !is_ending(a) &&
		    !add_chosen(chosen, a))
			return (-1);
	return (0);
}

/* All of them, or none. */
static int
save_over(struct actions *as, const struct chosen *chosen)
{
	struct wire_record *recs = calloc(chosen->n + 1, sizeof(*recs));
	size_t n = 0;
	int ret;

	if (recs == NULL)
		return (-1);
	for (size_t i = 0; i < chosen->n; i++)
		if (chosen->list[i]->saved) {
			recs[n].kind = RECORD_OVER;
			recs[n++].id = chosen->list[i]->id;
		}
	ret = n == 0 ? 0 : state_save(as->state, recs, n);
	for (size_t i = 0; ret == 0 && i < chosen->n; i++)
		chosen->list[i]->over_saved = chosen->list[i]->saved;
	free(recs);
	return (ret);
}

static int
refuse_stopping(char *err, size_t errsize)
{
	strlcpy(err, STOPPING, errsize);
	return (EX_TEMPFAIL);
}

/* While it stops what the next daemon has again may be gone already. */
static int
refuse_id(const struct actions *as, uint64_t id, char *err, size_t errsize)
{
	if (as->stopping)
		return (refuse_stopping(err, errsize));
	snprintf(err, errsize, "no action has the id %llu",
	    (unsigned long long)id);
	return (EX_DATAERR);
}

int
actions_disarm(struct actions *as, const struct action_choice *c,
    unsigned int *count, char *err, size_t errsize)
{
	struct chosen chosen = { .list = NULL };
	uint64_t unknown = 0;
	int ret;

	*count = 0;
	if (as->stopping)
		return (refuse_stopping(err, errsize));
	errno = ENOMEM;
	ret = choose(as, c, &chosen, &unknown);
	for (size_t i = 0; i < chosen.n; i++)
		chosen.list[i]->chosen = false;
	if (ret == 0)
		ret = save_over(as, &chosen);
	if (ret == -1 && unknown == 0)
		snprintf(err, errsize, "it cannot be saved: %s",
		    strerror(errno));
	for (size_t i = 0; ret == 0 && i < chosen.n; i++) {
		disarm(chosen.list[i]);
		++*count;
	}
	free(chosen.list);
	if (unknown != 0)
		return (refuse_id(as, unknown, err, errsize));
	return (ret == -1 ? EX_TEMPFAIL : 0);
}

void
action_hand_over(struct actions *as, struct jail *jail,
    const struct spec *spec, uint64_t rule, bool (*keeps)(void *, uint64_t),
    void *arg)
{
	struct action key = { .jail = jail, .spec = *spec }, *a;

	a = RB_FIND(action_tree, &as->tree, &key);
	if (a != NULL && a->rule != 0 && !keeps(arg, a->rule))
		a->rule = rule;
}

/* What stands in the file no more goes, saved or not. */
void
actions_disarm_unless(struct actions *as, bool (*keeps)(void *, uint64_t),
    void *arg)
{
	struct action *a, *next;

	for (a = RB_MIN(id_tree, &as->ids); a != NULL; a = next) {
		next = RB_NEXT(id_tree, &as->ids, a);
		if (a->rule == 0 || is_ending(a) || keeps(arg, a->rule))
			continue;
		disarm(a);
	}
}

static void
describe(const struct action *a, struct wire_item *item)
{
	const struct spec *s = &a->spec;

	memset(item, 0, sizeof(*item));
	describe_jail(a, item);
	strlcpy(item->state, life_state_name(a->life.state),
	    sizeof(item->state));
	item->command = s->command;
	item->respawn = s->respawn;
	item->uid = s->uid;
	item->gid = s->gid;
	item->timeout = s->timeout;
	item->parallel = a->life.runs_max;
	item->interval = s->interval;
	item->feedback = s->feedback;
	item->file = a->rule != 0;
	item->runs = a->triggers - a->owed;
	item->keys |= ITEM_STATE | ITEM_COMMAND | ITEM_RESPAWN | ITEM_UID |
	    ITEM_GID | ITEM_PARALLEL | ITEM_FEEDBACK | ITEM_FILE | ITEM_RUNS |
	    (s->timeout != 0 ? ITEM_TIMEOUT : 0) |
	    (s->interval != 0 ? ITEM_INTERVAL : 0);
	if (a->life.state == LIFE_ARMED) {
		item->pid = probe_pid(a->probe);
		item->keys |= ITEM_PID;
	}
	if (a->armed_at != 0) {
		item->armed_at = a->armed_at;
		item->keys |= ITEM_ARMED_AT;
	}
	if (a->runs_ended > 0) {
		item->last_ms = a->last.ms;
		item->last_at = a->last_at;
		item->keys |= ITEM_LAST_MS | ITEM_LAST_AT;
	}
	if (a->runs_ended > 0 && !a->last.unknown) {
		item->keys |= describe_status(a->last.status, &item->last_status,
		    ITEM_LAST_STATUS, &item->last_signal, ITEM_LAST_SIGNAL);
	}
}

bool
actions_next(struct actions *as, const struct action_choice *c,
    uint64_t after, struct wire_item *item)
{
	struct action key = { .id = after + 1 };
	struct action *a;

	for (a = RB_NFIND(id_tree, &as->ids, &key); a != NULL;
	    a = RB_NEXT(id_tree, &as->ids, a))
		if (is_chosen(a, c)) {
			describe(a, item);
			return (true);
		}
	return (false);
}

int
action_run(struct actions *as, uint64_t id, char *err, size_t errsize)
{
	struct action *a = find(as, id);

	if (a == NULL)
		return (refuse_id(as, id, err, errsize));
	if (a->life.state != LIFE_ARMED || a->triggering) {
		snprintf(err, errsize, "action %llu is %s: it has no probe now "
		    "that could be triggered", (unsigned long long)id,
		    a->triggering ? "triggered" :
		    life_state_name(a->life.state));
		return (EX_TEMPFAIL);
	}
	a->triggering = true;
	probe_trigger(a->probe);
	return (0);
}

char *
action_output(struct actions *as, uint64_t id, int *status, char *err,
    size_t errsize)
{
	struct action *a = find(as, id);
	char *text;

	if (a == NULL) {
		*status = refuse_id(as, id, err, errsize);
		return (NULL);
	}
	text = run_output(as->runs, id, a->last.output);
	if (text == NULL) {
		*status = errno == ENOENT ? EX_NOINPUT : EX_IOERR;
		snprintf(err, errsize, "action %llu: %s",
		    (unsigned long long)id, errno == ENOENT ?
		    "no run of it has ended, or its output could not be kept" :
		    strerror(errno));
	}
	return (text);
}

static int
save_owed(const struct action *a, int (*add)(void *,
    const struct wire_record *), void *arg)
{
	int ret = 0;

	for (uint64_t n = a->owed; n > 0 && ret == 0; n--) {
		struct wire_record rec = { .kind = RECORD_TRIGGER,
		    .id = a->id, .run = a->triggers - n + 1,
		    .at = a->triggered_at };

		ret = add(arg, &rec);
	}
	return (ret);
}

/*
 * What was not acknowledged yet is not there.  What is ending is: its probe
 * may have had a HUP, its runs go on.
 */
int
actions_save(struct actions *as, int (*add)(void *,
    const struct wire_record *), void *arg)
{
	struct wire_record rec, over = { .kind = RECORD_OVER };
	struct action *a;

	RB_FOREACH(a, id_tree, &as->ids) {
		if (!a->saved)
			continue;
		fill_record(a, &rec);
		if (add(arg, &rec) == -1 || save_owed(a, add, arg) == -1)
			return (-1);
		over.id = a->id;
		if (is_ending(a) && add(arg, &over) == -1)
			return (-1);
	}
	return (runs_save(as->runs, add, arg));
}

uint64_t
actions_next_id(const struct actions *as)
{
	return (as->next_id + 1);
}

void
actions_set_next_id(struct actions *as, uint64_t next)
{
	as->next_id = next > 0 ? next - 1 : 0;
}

bool
actions_keep(void *arg, uint64_t id, uint64_t run)
{
	struct actions *as = arg;
	struct action *a = find(as, id);

	return (a != NULL && (a->last.output == run ||
	    runs_has(as->runs, id, run)));
}

static void
restore_result(struct action *a, const struct wire_record *rec)
{
	a->runs_ended = rec->runs_ended;
	a->last.unknown = !rec->known;
	a->last.status = rec->last_signal != 0 ? (int)rec->last_signal :
	    (int)rec->last_status << 8;
	a->last.ms = rec->last_ms;
	a->last_at = rec->last_at;
	if (rec->last_at != 0)
		a->triggered_at = rec->last_at - rec->last_ms;
	a->last.output = rec->run;
	a->armed_at = rec->at;
	a->triggers = rec->runs;
}

/*
 * Their ends are told from the loop, so nothing comes of it before all actions
 * are there.  Those that were not started are owed: they are the latest.
 */
static int
adopt_runs(struct action *a, const struct action_saved *saved, char *err,
    size_t errsize)
{
	for (size_t i = 0; i < saved->nbegun; i++) {
		const struct action_begun *b = &saved->begun[i];
		struct run_spec rs = { .id = a->id, .run = b->run,
		    .timeout = a->spec.timeout };

		if (b->at > a->triggered_at)
			a->triggered_at = b->at;
		switch (run_adopt(a->actions->runs, &rs, &b->process, b->at,
		    on_run_ended, a)) {
		case 0:
			break;
		case 1:
			a->owed++;
			break;
		default:
			snprintf(err, errsize, "cannot go on with run %llu of "
			    "action %llu: %s", (unsigned long long)b->run,
			    (unsigned long long)a->id, strerror(errno));
			return (EX_TEMPFAIL);
		}
	}
	return (0);
}

/* The real clock may have been set back meanwhile: never longer than -i says. */
static int64_t
next_begin(const struct action *a)
{
	int64_t interval = (int64_t)a->spec.interval * 1000;
	int64_t left = a->triggered_at + interval - clock_real_ms();

	if (a->spec.interval == 0 || a->triggered_at == 0 || left <= 0)
		return (0);
	return (clock_ms() + (left < interval ? left : interval));
}

/* It gets no further probe. */
static bool
is_over(const struct action_saved *saved, const struct spec *s)
{
	return (saved->over || saved->ended ||
	    (saved->triggered && s->respawn == RESPAWN_NEVER));
}

/* As if its state had just been reached. */
static void
resume(struct action *a, const struct action_saved *saved)
{
	life_resume(&a->life, &a->spec, JAIL_LOST_WAIT_MS,
	    (unsigned int)saved->nbegun,
	    is_over(saved, &a->spec) || a->jail->ended, next_begin(a),
	    clock_ms());
	start_owed(a);
	if (is_ending(a))
		unlist(a);
	if (a->life.state == LIFE_ENDED)
		end_action(a);
	else if (a->life.state == LIFE_RESTING)
		set_timer(a);
	else if (a->life.state == LIFE_REARMING && !attach(a))
		step(a, LIFE_REFUSED);
}

static void
log_not_restored(uint64_t id, int64_t jid, const struct spec *s)
{
	struct log_quoted name, title;

	log_info("event=jail-ended id=%llu jid=%lld jail=%s title=%s "
	    "text=\"while no daemon was there\"", (unsigned long long)id,
	    (long long)jid, log_quote(&name, s->jail),
	    log_quote(&title, s->title));
}

/* NULL: no memory.  Takes the reference to the jail over, on failure too. */
static struct action *
restore_in_jail(struct actions *as, struct jail *jail,
    struct action_saved *saved)
{
	struct wire_record *rec = &saved->record;
	uint64_t next_id = as->next_id;
	struct action *a;

	as->next_id = rec->id - 1;
	a = new_action(as, jail, &rec->spec, rec->rule);
	as->next_id = next_id;
	if (a == NULL) {
		jails_release(jail);
		return (NULL);
	}
	a->saved = a->was_armed = true;
	a->over_saved = saved->over;
	restore_result(a, rec);
	/* What was over made room for an equal one, which comes after it. */
	if (is_over(saved, &a->spec))
		unlist(a);
	return (a);
}

int
action_restore(struct actions *as, struct action_saved *saved, char *err,
    size_t errsize)
{
	struct wire_record *rec = &saved->record;
	struct jail *jail;
	int status;

	jail = jails_hold_again(as->jails, rec->spec.jail, (int)rec->jid,
	    rec->jail_started, rec->pidns, &status, err, errsize);
	if (jail == NULL && status != EX_NOHOST)
		return (status);
	saved->ended = jail == NULL;
	if (saved->ended && saved->nbegun == 0)
		return (0);
	if (saved->ended)
		jail = jails_recall(as->jails, (int)rec->jid,
		    rec->jail_started, rec->spec.jail);
	if (jail != NULL)
		saved->action = restore_in_jail(as, jail, saved);
	if (saved->action != NULL)
		return (adopt_runs(saved->action, saved, err, errsize));
	snprintf(err, errsize, "no memory for action %llu",
	    (unsigned long long)rec->id);
	return (EX_TEMPFAIL);
}

void
action_resume(struct action_saved *saved)
{
	struct action *a = saved->action;

	if (saved->ended && !saved->over)
		log_not_restored(saved->record.id, saved->record.jid,
		    a == NULL ? &saved->record.spec : &a->spec);
	if (a != NULL)
		resume(a, saved);
}

const struct metrics *
actions_measure(struct actions *as)
{
	struct metrics *m = &as->metrics;
	struct action *a;

	memset(m->by_state, 0, sizeof(m->by_state));
	RB_FOREACH(a, id_tree, &as->ids)
		m->by_state[a->life.state]++;
	m->probes = as->probes.count;
	m->running = runs_count(as->runs);
	return (m);
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct actions *as = arg;

	(void)fd;
	(void)what;
	if (as->probes.count == 0 || clock_ms() >= as->drain_until)
		as->drained(as->drained_arg);
	else
		timer_start(as->drain, DRAIN_POLL_MS);
}

void
actions_stop(struct actions *as, int timeout_ms, void (*drained)(void *),
    void *arg)
{
	struct action *a, *next;

	if (as->stopping)
		return;
	as->stopping = true;
	state_finish(as->state);
	as->drained = drained;
	as->drained_arg = arg;
	as->drain_until = clock_ms() + timeout_ms;
	for (a = RB_MIN(id_tree, &as->ids); a != NULL; a = next) {
		next = RB_NEXT(id_tree, &as->ids, a);
		tell_waiters(a, EX_TEMPFAIL, STOPPING);
		a->stopped = !is_ending(a);
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
