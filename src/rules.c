#include <sys/queue.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "action.h"
#include "conf.h"
#include "jail.h"
#include "log.h"
#include "rules.h"
#include "state.h"
#include "timer.h"

#define SCAN_MS		1000
/* Rules for which there was no room are tried again after, doubling up to. */
#define RETRY_MS	1000
#define RETRY_MAX_MS	60000

/* Rules by their keys: sorted, each once. */
struct keys {
	uint64_t	*list;
	size_t		 n;
};

struct name {
	STAILQ_ENTRY(name) entry;
	char		*name;
	char		*engine;	/* or NULL */
};

/*
 * A jail that is known by its name, as long as it lives.  Linux: by several,
 * where containers share a pid namespace.
 */
struct place {
	TAILQ_ENTRY(place) entry;
	struct jail	*jail;		/* one reference */
	STAILQ_HEAD(, name) names;	/* the first one comes first */
	struct keys	 applied;	/* rules that were armed here */
	bool		 lacks;		/* some, for which there was no room */
};

struct rules {
	struct event_base *base;
	struct actions	*actions;
	struct state	*state;
	char		*path;
	bool		 required;
	struct conf_rules rules;
	struct keys	 keys;		/* theirs */
	TAILQ_HEAD(, place) places;
	struct event	*scan;
	struct event	*retry;
	int		 retry_ms;
};

/*
 * Sets of keys.
 */

static int
compare_keys(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

/* Where it is, or where it would be. */
static size_t
find_key(const struct keys *ks, uint64_t key)
{
	size_t from = 0, to = ks->n, middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (ks->list[middle] < key)
			from = middle + 1;
		else
			to = middle;
	}
	return (from);
}

static bool
has_key(const struct keys *ks, uint64_t key)
{
	size_t i = find_key(ks, key);

	return (i < ks->n && ks->list[i] == key);
}

/* False: no memory. */
static bool
add_key(struct keys *ks, uint64_t key)
{
	uint64_t *list = reallocarray(ks->list, ks->n + 1, sizeof(*list));
	size_t i;

	if (list == NULL)
		return (false);
	ks->list = list;
	i = find_key(ks, key);
	memmove(list + i + 1, list + i, (ks->n - i) * sizeof(*list));
	list[i] = key;
	ks->n++;
	return (true);
}

static void
remove_key(struct keys *ks, uint64_t key)
{
	size_t i = find_key(ks, key);

	ks->n--;
	memmove(ks->list + i, ks->list + i + 1,
	    (ks->n - i) * sizeof(*ks->list));
}

/* What both have stays.  Was there more? */
static bool
intersect_keys(struct keys *ks, const struct keys *with)
{
	size_t n = 0, had = ks->n;

	for (size_t i = 0; i < ks->n; i++)
		if (has_key(with, ks->list[i]))
			ks->list[n++] = ks->list[i];
	ks->n = n;
	return (n < had);
}

static unsigned int
count_common(const struct keys *a, const struct keys *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += has_key(b, a->list[i]);
	return (n);
}

static void	on_retry(evutil_socket_t, short, void *);

struct rules *
rules_open(struct event_base *base, struct actions *actions,
    struct state *state, const char *path, bool required)
{
	struct rules *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return (NULL);
	rs->base = base;
	rs->actions = actions;
	rs->state = state;
	rs->required = required;
	TAILQ_INIT(&rs->rules);
	TAILQ_INIT(&rs->places);
	rs->retry_ms = RETRY_MS;
	rs->retry = evtimer_new(base, on_retry, rs);
	rs->path = strdup(path);
	if (rs->retry == NULL || rs->path == NULL) {
		rules_close(rs);
		return (NULL);
	}
	return (rs);
}

static void
free_name(struct name *n)
{
	free(n->name);
	free(n->engine);
	free(n);
}

static void
free_place(struct rules *rs, struct place *p)
{
	struct name *n;

	TAILQ_REMOVE(&rs->places, p, entry);
	if (p->jail != NULL)
		jails_release(p->jail);
	while ((n = STAILQ_FIRST(&p->names)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->names, entry);
		free_name(n);
	}
	free(p->applied.list);
	free(p);
}

void
rules_close(struct rules *rs)
{
	struct place *p;

	while ((p = TAILQ_FIRST(&rs->places)) != NULL)
		free_place(rs, p); /* NOLINT(clang-analyzer-unix.Malloc) */
	conf_clear(&rs->rules);
	free(rs->keys.list);
	free_event(rs->scan);
	free_event(rs->retry);
	free(rs->path);
	free(rs);
}

static int
read_file(const struct rules *rs, struct conf_rules *rules, char *err,
    size_t errsize)
{
	int status;

	TAILQ_INIT(rules);
	status = conf_read(rs->path, rules, err, errsize);
	return (status == EX_NOINPUT && !rs->required ? 0 : status);
}

static unsigned int
count(const struct conf_rules *rules)
{
	const struct conf_rule *r;
	unsigned int n = 0;

	TAILQ_FOREACH(r, rules, entry)
		n++;
	return (n);
}

int
rules_check(const struct rules *rs, unsigned int *total, char *err,
    size_t errsize)
{
	struct conf_rules rules;
	int status = read_file(rs, &rules, err, errsize);

	if (status != 0)
		return (status);
	*total = count(&rules);
	conf_clear(&rules);
	return (0);
}

static void
fill_place(const struct place *p, const struct name *name,
    enum record_kind kind, struct wire_record *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;
	rec->jid = p->jail->id;
	rec->jail_started = p->jail->started;
	rec->pidns = p->jail->pidns;
	/* Borrowed. */
	rec->spec.jail = name->name;
	rec->spec.engine = name->engine;
}

static void
note(struct rules *rs, const struct place *p, const struct name *name,
    enum record_kind kind)
{
	struct wire_record rec;

	fill_place(p, name, kind, &rec);
	state_note(rs->state, &rec, 1);
}

/* The rule's action, in this jail. */
static int
make_spec(const struct conf_rule *r, const struct place *p,
    const struct name *name, struct spec *s)
{
	if (spec_copy(s, &r->spec) == -1)
		return (-1);
	s->jail = strdup(name->name);
	if (name->engine != NULL)
		s->engine = strdup(name->engine);
	s->pid = p->jail->id;
	s->started = p->jail->started;
	if (s->jail != NULL && (name->engine == NULL || s->engine != NULL))
		return (0);
	spec_clear(s);
	return (-1);
}

/* The name by which the rule is for it, or NULL. */
static const struct name *
match(const struct conf_rule *r, const struct place *p)
{
	const struct name *n;

	STAILQ_FOREACH(n, &p->names, entry)
		if (conf_matches(r, n->engine, n->name))
			break;
	return (n);
}

/*
 * Arms a rule in a jail that it is for and that has not had it yet: 1.  0: it
 * is not for it.  -1: not now.
 */
static int
apply(struct rules *rs, const struct conf_rule *r, struct place *p)
{
	const struct name *name;
	struct wire_record rec;
	struct spec s;
	int status;

	if (has_key(&p->applied, r->key) || (name = match(r, p)) == NULL)
		return (0);
	if (make_spec(r, p, name, &s) == -1) {
		log_warn("event=refuse jid=%d status=%d text=\"no memory for "
		    "an action of the file\"", p->jail->id, EX_TEMPFAIL);
		return (-1);
	}
	if (!add_key(&p->applied, r->key)) {
		spec_clear(&s);
		return (-1);
	}
	fill_place(p, name, RECORD_RULE, &rec);
	rec.rule = r->key;
	status = action_arm_rule(rs->actions, &s, &rec);
	if (status == EX_TEMPFAIL) {
		remove_key(&p->applied, r->key);
		return (-1);
	}
	/* It is not tried again. */
	if (status != 0)
		state_note(rs->state, &rec, 1);
	return (1);
}

static void
try_later(struct rules *rs)
{
	timer_want(rs->retry, rs->retry_ms);
}

/*
 * One that is not new was tried here when it was.  Where one finds no room the
 * next ones would not either: a line in the log for all of them.
 */
static unsigned int
apply_all(struct rules *rs, struct place *p, bool only_new)
{
	const struct conf_rule *r;
	unsigned int n = 0;
	int got = 0;

	only_new = only_new && !p->lacks;
	TAILQ_FOREACH(r, &rs->rules, entry) {
		if (only_new && !r->is_new)
			continue;
		if ((got = apply(rs, r, p)) == -1)
			break;
		n += (unsigned int)got;
	}
	p->lacks = got == -1;
	if (p->lacks)
		try_later(rs);
	return (n);
}

/* While there is no room nothing is tried, and nothing said. */
static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct rules *rs = arg;
	struct place *p;
	bool lack = false;

	(void)fd;
	(void)what;
	rs->retry_ms *= 2;
	if (rs->retry_ms > RETRY_MAX_MS)
		rs->retry_ms = RETRY_MAX_MS;
	TAILQ_FOREACH(p, &rs->places, entry) {
		if (p->lacks && !lack && actions_have_room(rs->actions))
			apply_all(rs, p, false);
		lack = lack || p->lacks;
	}
	if (lack)
		try_later(rs);
	else
		rs->retry_ms = RETRY_MS;
}

static int
make_keys(const struct conf_rules *rules, struct keys *ks)
{
	const struct conf_rule *r;

	ks->n = 0;
	ks->list = calloc(count(rules) + 1, sizeof(*ks->list));
	if (ks->list == NULL)
		return (-1);
	TAILQ_FOREACH(r, rules, entry)
		ks->list[ks->n++] = r->key;
	qsort(ks->list, ks->n, sizeof(*ks->list), compare_keys);
	return (0);
}

/* The rules are these from now on. */
static void
replace(struct rules *rs, struct conf_rules *rules, const struct keys *keys)
{
	struct conf_rule *r;

	TAILQ_FOREACH(r, rules, entry)
		r->is_new = !has_key(&rs->keys, r->key);
	conf_clear(&rs->rules);
	TAILQ_CONCAT(&rs->rules, rules, entry);
	free(rs->keys.list);
	rs->keys = *keys;
}

int
rules_reload(struct rules *rs, struct rules_change *change, char *err,
    size_t errsize)
{
	struct conf_rules rules;
	struct keys keys;
	unsigned int same;
	int status = read_file(rs, &rules, err, errsize);

	if (status != 0)
		return (status);
	if (make_keys(&rules, &keys) == -1) {
		conf_clear(&rules);
		snprintf(err, errsize, "out of memory");
		return (EX_OSERR);
	}
	same = count_common(&keys, &rs->keys);
	change->total = (unsigned int)keys.n;
	change->added = (unsigned int)keys.n - same;
	change->removed = (unsigned int)rs->keys.n - same;
	replace(rs, &rules, &keys);
	rules_apply(rs);
	return (0);
}

static bool
is_rule_of(void *arg, uint64_t key)
{
	const struct rules *rs = arg;

	return (has_key(&rs->keys, key));
}

/*
 * Rules that differ but in their patterns have one action in a jail that both
 * are for: it stays while one of them does.
 */
static void
hand_over(struct rules *rs, const struct place *p)
{
	const struct conf_rule *r;

	TAILQ_FOREACH(r, &rs->rules, entry)
		if (has_key(&p->applied, r->key))
			action_hand_over(rs->actions, p->jail, &r->spec,
			    r->key, is_rule_of, rs);
}

void
rules_apply(struct rules *rs)
{
	struct place *p;
	bool forgotten = false;

	/* One that is in the file again later is new again. */
	TAILQ_FOREACH(p, &rs->places, entry)
		if (intersect_keys(&p->applied, &rs->keys)) {
			hand_over(rs, p);
			forgotten = true;
		}
	actions_disarm_unless(rs->actions, is_rule_of, rs);
	if (forgotten)
		state_renew(rs->state);
	TAILQ_FOREACH(p, &rs->places, entry)
		apply_all(rs, p, true);
}

static struct place *
find_place(const struct rules *rs, const struct jail *jail)
{
	struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		if (p->jail == jail)
			return (p);
	return (NULL);
}

static bool
is_called(const struct place *p, const char *engine, const char *name)
{
	const struct name *n;

	STAILQ_FOREACH(n, &p->names, entry)
		if (strcmp(n->name, name) == 0 && (engine == NULL ?
		    n->engine == NULL : n->engine != NULL &&
		    strcmp(n->engine, engine) == 0))
			return (true);
	return (false);
}

/* One more name; NULL: no memory. */
static struct name *
add_name(struct place *p, const char *engine, const char *name)
{
	struct name *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return (NULL);
	n->name = strdup(name);
	if (engine != NULL)
		n->engine = strdup(engine);
	if (n->name == NULL || (engine != NULL && n->engine == NULL)) {
		free_name(n);
		return (NULL);
	}
	STAILQ_INSERT_TAIL(&p->names, n, entry);
	return (n);
}

/*
 * The place that is this jail, called so; p is what find_place() says.  Takes
 * the reference to the jail over, on failure too.  NULL: no memory.  *added:
 * the name, where it is new.
 */
static struct place *
get_place(struct rules *rs, struct place *p, struct jail *jail,
    const struct spec *s, struct name **added)
{
	/* FreeBSD: what was given can be a number. */
	const char *name = jail->name != NULL ? jail->name : s->jail;
	bool known = p != NULL;

	*added = NULL;
	if (known)
		jails_release(jail);
	else if ((p = calloc(1, sizeof(*p))) == NULL) {
		jails_release(jail);
		return (NULL);
	} else {
		STAILQ_INIT(&p->names);
		p->jail = jail;
		TAILQ_INSERT_TAIL(&rs->places, p, entry);
	}
	if (is_called(p, s->engine, name))
		return (p);
	*added = add_name(p, s->engine, name);
	if (*added != NULL)
		return (p);
	if (!known)
		free_place(rs, p);
	return (NULL);
}

int
rules_started(struct rules *rs, const struct spec *s, unsigned int *n,
    char *err, size_t errsize)
{
	struct jails *jails = actions_jails(rs->actions);
	struct name *added;
	struct jail *jail;
	struct place *p;
	int status;

	jail = jails_hold(jails, s, &status, err, errsize);
	if (jail == NULL)
		return (status);
	p = find_place(rs, jail);
	if (p == NULL && jail_is_host(jail)) {
		snprintf(err, errsize, "process %d is not in a container",
		    jail->id);
		jails_release(jail);
		return (EX_NOHOST);
	}
	p = get_place(rs, p, jail, s, &added);
	if (p == NULL) {
		snprintf(err, errsize, "no memory for a further jail");
		return (EX_TEMPFAIL);
	}
	if (added != NULL)
		note(rs, p, added, RECORD_JAIL);
	*n = apply_all(rs, p, false);
	return (0);
}

const char *
rules_jail_name(const struct rules *rs, const struct jail *jail)
{
	const struct place *p = find_place(rs, jail);

	return (p == NULL ? NULL : STAILQ_FIRST(&p->names)->name);
}

void
rules_jail_ended(struct rules *rs, struct jail *jail)
{
	struct place *p = find_place(rs, jail);

	if (p == NULL)
		return;
	note(rs, p, STAILQ_FIRST(&p->names), RECORD_GONE);
	free_place(rs, p);
}

int
rules_save(struct rules *rs, int (*add)(void *, const struct wire_record *),
    void *arg)
{
	struct wire_record rec;
	const struct name *n;
	struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry) {
		STAILQ_FOREACH(n, &p->names, entry) {
			fill_place(p, n, RECORD_JAIL, &rec);
			if (add(arg, &rec) == -1)
				return (-1);
		}
		rec.kind = RECORD_RULE;
		for (size_t i = 0; i < p->applied.n; i++) {
			rec.rule = p->applied.list[i];
			if (add(arg, &rec) == -1)
				return (-1);
		}
	}
	return (0);
}

static struct place *
find_saved(struct rules *rs, const struct wire_record *rec)
{
	struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		if (p->jail->id == rec->jid &&
		    p->jail->started == rec->jail_started)
			return (p);
	return (NULL);
}

/* One that has ended meanwhile is not known any more. */
static int
restore_place(struct rules *rs, const struct wire_record *rec, char *err,
    size_t errsize)
{
	struct name *added;
	struct jail *jail;
	int status;

	jail = jails_hold_again(actions_jails(rs->actions), rec->spec.jail,
	    (int)rec->jid, rec->jail_started, rec->pidns, &status, err,
	    errsize);
	if (jail == NULL)
		return (status == EX_NOHOST ? 0 : status);
	if (get_place(rs, find_place(rs, jail), jail, &rec->spec, &added) !=
	    NULL)
		return (0);
	snprintf(err, errsize, "no memory for a jail");
	return (EX_TEMPFAIL);
}

int
rules_restore(struct rules *rs, const struct wire_record *rec, char *err,
    size_t errsize)
{
	struct place *p = rec->kind == RECORD_JAIL ? NULL :
	    find_saved(rs, rec);

	if (rec->kind == RECORD_JAIL)
		return (restore_place(rs, rec, err, errsize));
	if (p != NULL && rec->kind == RECORD_RULE &&
	    !has_key(&p->applied, rec->rule) &&
	    !add_key(&p->applied, rec->rule)) {
		snprintf(err, errsize, "no memory for a rule of a jail");
		return (EX_TEMPFAIL);
	}
	if (p != NULL && rec->kind == RECORD_GONE)
		free_place(rs, p);
	return (0);
}

static bool
has_place(const struct rules *rs, int jid, const char *name)
{
	const struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		if (p->jail->id == jid && is_called(p, NULL, name))
			return (true);
	return (false);
}

/* One look at all jails: who has gone, and who is new. */
static void
scan(struct rules *rs)
{
	char err[WIRE_ERROR_MAX], name[SPEC_JAIL_MAX + 1];
	const struct spec s = { .jail = name };
	struct place *p, *next;
	unsigned int n;

	for (p = TAILQ_FIRST(&rs->places); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (!jail_is_there(p->jail))
			actions_jail_ended(rs->actions, p->jail);
	}
	for (int jid = 0; (jid = jails_list(jid, name, sizeof(name))) > 0; )
		if (!has_place(rs, jid, name))
			rules_started(rs, &s, &n, err, sizeof(err));
}

static void
on_scan(evutil_socket_t fd, short what, void *arg)
{
	struct rules *rs = arg;

	(void)fd;
	(void)what;
	/* Without rules nobody asks which jails there are. */
	if (!TAILQ_EMPTY(&rs->rules))
		scan(rs);
	timer_start(rs->scan, SCAN_MS);
}

int
rules_watch(struct rules *rs)
{
	if (!jails_can_list)
		return (0);
	rs->scan = evtimer_new(rs->base, on_scan, rs);
	if (rs->scan == NULL)
		return (-1);
	on_scan(-1, 0, rs);
	return (0);
}
