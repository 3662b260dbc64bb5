#include <sys/queue.h>
#include <sys/tree.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "action.h"
#include "journal.h"
#include "log.h"
#include "process.h"
#include "rules.h"
#include "state.h"
#include "timer.h"

#define RETRY_MS	1000

/* An action of an earlier daemon, as its records tell it. */
struct saved {
	RB_ENTRY(saved)	 entry;
	struct action_saved action;
	struct action_begun *begun;	/* room for as many as there are */
};

RB_HEAD(saved_tree, saved);

/* A record of a jail, kept as it is. */
struct place_record {
	STAILQ_ENTRY(place_record) entry;
	struct wire_record record;
};

struct loading {
	struct saved_tree tree;
	STAILQ_HEAD(, place_record) places;
	bool		 failed;	/* no memory */
};

struct state {
	struct journal	*journal;	/* NULL: nothing is saved */
	char		 boot[PROCESS_BOOT_MAX];
	struct actions	*actions;	/* NULL: not loaded yet */
	struct rules	*rules;
	struct event	*retry;
	bool		 behind;	/* something true is not saved */
	uint64_t	 times;		/* that it was */
	bool		 due;		/* it is to be written anew */
	bool		 finished;	/* it is not any more */
	struct loading	 loaded;	/* until it is resumed */
	uint64_t	 next;
};

static int
compare(struct saved *a, struct saved *b)
{
	uint64_t ia = a->action.record.id, ib = b->action.record.id;

	return ((ia > ib) - (ia < ib));
}

RB_GENERATE_INTERNAL(saved_tree, saved, entry, compare,
    static __attribute__((unused)))

static void	on_retry(evutil_socket_t, short, void *);

static void
drop(struct loading *l, struct saved *s)
{
	RB_REMOVE(saved_tree, &l->tree, s);
	wire_record_clear(&s->action.record);
	free(s->begun);
	free(s);
}

static void
drop_place(struct loading *l, struct place_record *p)
{
	STAILQ_REMOVE_HEAD(&l->places, entry);
	wire_record_clear(&p->record);
	free(p);
}

static void
forget(struct loading *l)
{
	struct place_record *p;
	struct saved *s;

	while ((s = RB_MIN(saved_tree, &l->tree)) != NULL)
		drop(l, s); /* NOLINT(clang-analyzer-unix.Malloc) */
	while ((p = STAILQ_FIRST(&l->places)) != NULL)
		drop_place(l, p); /* NOLINT(clang-analyzer-unix.Malloc) */
}

struct state *
state_open(struct event_base *base, int dirfd)
{
	struct state *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return (NULL);
	RB_INIT(&st->loaded.tree);
	STAILQ_INIT(&st->loaded.places);
	if (dirfd == -1)
		return (st);
	st->retry = evtimer_new(base, on_retry, st);
	st->journal = journal_open(dirfd);
	if (st->retry == NULL || st->journal == NULL ||
	    process_boot(st->boot, sizeof(st->boot)) == -1) {
		state_close(st);
		return (NULL);
	}
	return (st);
}

void
state_close(struct state *st)
{
	int saved = errno;

	forget(&st->loaded);
	free_event(st->retry);
	if (st->journal != NULL)
		journal_close(st->journal);
	free(st);
	errno = saved;
}

static int
add(void *journal, const struct wire_record *record)
{
	return (journal_add(journal, record, 1));
}

static int
dump(void *arg, struct journal *journal)
{
	struct state *st = arg;

	if (actions_save(st->actions, add, journal) == -1)
		return (-1);
	return (rules_save(st->rules, add, journal));
}

static int
rewrite(struct state *st)
{
	return (journal_rewrite(st->journal, st->boot,
	    actions_next_id(st->actions), dump, st));
}

static void
retry_later(struct state *st)
{
	timer_start(st->retry, RETRY_MS);
}

static void
fall_behind(struct state *st)
{
	if (st->behind)
		return;
	log_warn("event=journal-behind");
	st->behind = true;
	st->times++;
	retry_later(st);
}

/* -1: not now. */
static int
renew(struct state *st)
{
	if (rewrite(st) == -1)
		return (-1);
	if (st->behind)
		log_info("event=journal text=\"all is saved again\"");
	st->behind = st->due = false;
	return (0);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct state *st = arg;

	(void)fd;
	(void)what;
	if (!st->finished && renew(st) == -1)
		retry_later(st);
}

/* Soon, but not within whatever is going on now. */
static void
rewrite_soon(struct state *st)
{
	if (!st->due && journal_is_long(st->journal))
		event_active(st->retry, EV_TIMEOUT, 0);
	st->due = st->due || journal_is_long(st->journal);
}

int
state_save(struct state *st, const struct wire_record *records, size_t n)
{
	int saved;

	/* While it is loaded nothing is new; it is written anew then. */
	if (st->journal == NULL || st->actions == NULL)
		return (0);
	if (journal_add(st->journal, records, n) == -1) {
		saved = errno;
		if (journal_is_broken(st->journal))
			fall_behind(st);
		errno = saved;
		return (-1);
	}
	rewrite_soon(st);
	return (0);
}

uint64_t
state_note(struct state *st, const struct wire_record *records, size_t n)
{
	if (state_save(st, records, n) == 0)
		return (0);
	fall_behind(st);
	return (st->times);
}

uint64_t
state_behind(const struct state *st)
{
	return (st->behind ? st->times : 0);
}

void
state_renew(struct state *st)
{
	if (st->journal != NULL && st->actions != NULL && !st->finished &&
	    renew(st) == -1)
		fall_behind(st);
}

void
state_finish(struct state *st)
{
	if (st->behind || st->due)
		state_renew(st);
	st->finished = true;
}

static struct saved *
find(struct loading *l, uint64_t id)
{
	struct saved key = { .action.record.id = id };

	return (RB_FIND(saved_tree, &l->tree, &key));
}

/* The record's contents are taken over. */
static void
load_arm(struct loading *l, struct wire_record *rec)
{
	struct saved *s = find(l, rec->id);

	if (s != NULL)
		drop(l, s);
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		l->failed = true;
		return;
	}
	s->action.record = *rec;
	memset(rec, 0, sizeof(*rec));
	RB_INSERT(saved_tree, &l->tree, s);
} /* NOLINT(clang-analyzer-unix.Malloc): it is in the tree */

static struct action_begun *
find_begun(struct saved *s, uint64_t run)
{
	for (size_t i = 0; i < s->action.nbegun; i++)
		if (s->begun[i].run == run)
			return (&s->begun[i]);
	return (NULL);
}

static void
load_trigger(struct loading *l, struct saved *s, const struct wire_record *rec)
{
	struct action_begun *begun;

	s->action.triggered = true;
	if (rec->run > s->action.record.runs)
		s->action.record.runs = rec->run;
	begun = reallocarray(s->begun, s->action.nbegun + 1, sizeof(*begun));
	if (begun == NULL) {
		l->failed = true;
		return;
	}
	s->begun = begun;
	s->action.begun = begun;
	begun += s->action.nbegun++;
	memset(begun, 0, sizeof(*begun));
	begun->run = rec->run;
	begun->at = rec->at;
}

static void
load_run(struct loading *l, struct saved *s, const struct wire_record *rec)
{
	struct action_begun *begun = find_begun(s, rec->run);

	/* Its trigger found no room. */
	if (begun == NULL) {
		load_trigger(l, s, rec);
		begun = find_begun(s, rec->run);
	}
	if (begun == NULL)
		return;
	begun->process.pid = (pid_t)rec->pid;
	begun->process.clock = rec->clock;
	begun->at = rec->at;
}

static void
load_ran(struct saved *s, const struct wire_record *rec)
{
	struct action_begun *begun = find_begun(s, rec->run);
	struct wire_record *r = &s->action.record;

	if (begun != NULL)
		*begun = s->begun[--s->action.nbegun];
	s->action.triggered = true;
	if (rec->run > r->runs)
		r->runs = rec->run;
	r->runs_ended++;
	r->known = rec->known;
	r->last_status = rec->last_status;
	r->last_signal = rec->last_signal;
	r->last_ms = rec->last_ms;
	r->last_at = rec->last_at;
	r->run = rec->run;
}

/* The record's contents are taken over. */
static void
load_place(struct loading *l, struct wire_record *rec)
{
	struct place_record *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		l->failed = true;
		return;
	}
	p->record = *rec;
	memset(rec, 0, sizeof(*rec));
	STAILQ_INSERT_TAIL(&l->places, p, entry);
}

static void
on_record(void *arg, struct wire_record *rec)
{
	struct loading *l = arg;
	struct saved *s = find(l, rec->id);

	switch (rec->kind) {
	case RECORD_ARM:
		load_arm(l, rec);
		break;
	case RECORD_OVER:
		if (s != NULL)
			s->action.over = true;
		break;
	case RECORD_END:
		if (s != NULL)
			drop(l, s);
		break;
	case RECORD_TRIGGER:
		if (s != NULL)
			load_trigger(l, s, rec);
		break;
	case RECORD_RUN:
		if (s != NULL)
			load_run(l, s, rec);
		break;
	case RECORD_RAN:
		if (s != NULL)
			load_ran(s, rec);
		break;
	default:
		load_place(l, rec);
		break;
	}
}

int
state_load(struct state *st, char *err, size_t errsize)
{
	int status;

	if (st->journal == NULL)
		return (0);
	status = journal_read(st->journal, st->boot, on_record, &st->loaded,
	    &st->next, err, errsize);
	if (status == 0 && st->loaded.failed) {
		strlcpy(err, "no memory for the actions of the journal",
		    errsize);
		status = EX_OSERR;
	}
	return (status);
}

static int
restore_places(struct loading *l, struct rules *rules, char *err,
    size_t errsize)
{
	struct place_record *p;
	int status = 0;

	while (status == 0 && (p = STAILQ_FIRST(&l->places)) != NULL) {
		status = rules_restore(rules, &p->record, err, errsize);
		drop_place(l, p); /* NOLINT(clang-analyzer-unix.Malloc) */
	}
	return (status);
}

int
state_restore(struct state *st, struct actions *actions, struct rules *rules,
    char *err, size_t errsize)
{
	struct saved *s;
	int status;

	if (st->journal == NULL)
		return (0);
	actions_set_next_id(actions, st->next);
	status = restore_places(&st->loaded, rules, err, errsize);
	RB_FOREACH(s, saved_tree, &st->loaded.tree) {
		if (status != 0)
			break;
		status = action_restore(actions, &s->action, err, errsize);
	}
	return (status);
}

void
state_resume(struct state *st, struct actions *actions, struct rules *rules)
{
	struct saved *s;

	if (st->journal == NULL)
		return;
	while ((s = RB_MIN(saved_tree, &st->loaded.tree)) != NULL) {
		action_resume(&s->action);
		drop(&st->loaded, s); /* NOLINT(clang-analyzer-unix.Malloc) */
	}
	st->actions = actions;
	st->rules = rules;
	state_renew(st);
	/* What was acknowledged is still there, and more may be. */
	if (st->behind)
		journal_continue(st->journal);
}
