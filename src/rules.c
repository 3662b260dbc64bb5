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

#define SCAN_MS		1000

/* A jail that is known by its name, as long as it lives. */
struct place {
	TAILQ_ENTRY(place) entry;
	struct jail	*jail;		/* one reference */
	char		*name;
	char		*engine;	/* or NULL */
	uint64_t	*applied;	/* rules that were armed here */
	size_t		 napplied;
};

struct rules {
	struct event_base *base;
	struct actions	*actions;
	char		*path;
	bool		 required;
	struct conf_rules rules;
	TAILQ_HEAD(, place) places;
	struct event	*scan;
};

/* What a rule is known by: FNV-1a of its normal form, never 0. */
static uint64_t
rule_key(const struct conf_rule *rule)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (const char *p = rule->text; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3U;
	return (h != 0 ? h : 1);
}

struct rules *
rules_open(struct event_base *base, struct actions *actions, const char *path,
    bool required)
{
	struct rules *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return (NULL);
	rs->base = base;
	rs->actions = actions;
	rs->required = required;
	TAILQ_INIT(&rs->rules);
	TAILQ_INIT(&rs->places);
	if ((rs->path = strdup(path)) == NULL) {
		free(rs);
		return (NULL);
	}
	return (rs);
}

static void
free_place(struct rules *rs, struct place *p)
{
	TAILQ_REMOVE(&rs->places, p, entry);
	if (p->jail != NULL)
		jails_release(p->jail);
	free(p->name);
	free(p->engine);
	free(p->applied);
	free(p);
}

void
rules_close(struct rules *rs)
{
	struct place *p;

	while ((p = TAILQ_FIRST(&rs->places)) != NULL)
		free_place(rs, p); /* NOLINT(clang-analyzer-unix.Malloc) */
	conf_clear(&rs->rules);
	if (rs->scan != NULL)
		event_free(rs->scan);
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

static bool
is_applied(const struct place *p, uint64_t key)
{
	for (size_t i = 0; i < p->napplied; i++)
		if (p->applied[i] == key)
			return (true);
	return (false);
}

static bool
note_applied(struct place *p, uint64_t key)
{
	uint64_t *applied = reallocarray(p->applied, p->napplied + 1,
	    sizeof(*applied));

	if (applied == NULL)
		return (false);
	applied[p->napplied++] = key;
	p->applied = applied;
	return (true);
}

/* The rule's action, in this jail. */
static int
make_spec(const struct conf_rule *r, const struct place *p, struct spec *s)
{
	if (spec_copy(s, &r->spec) == -1)
		return (-1);
	s->jail = strdup(p->name);
	if (p->engine != NULL)
		s->engine = strdup(p->engine);
	s->pid = p->jail->id;
	s->started = p->jail->started;
	if (s->jail != NULL && (p->engine == NULL || s->engine != NULL))
		return (0);
	spec_clear(s);
	return (-1);
}

/* Arms a rule in a jail that it is for and that has not had it yet. */
static bool
apply(struct rules *rs, const struct conf_rule *r, struct place *p)
{
	uint64_t key = rule_key(r);
	struct spec s;

	if (is_applied(p, key) || !conf_matches(r, p->engine, p->name))
		return (false);
	if (make_spec(r, p, &s) == -1) {
		log_warn("event=refuse jid=%d status=%d text=\"no memory for "
		    "an action of the file\"", p->jail->id, EX_TEMPFAIL);
		return (false);
	}
	if (!note_applied(p, key)) {
		spec_clear(&s);
		return (false);
	}
	action_arm_rule(rs->actions, &s, key);
	return (true);
}

static unsigned int
apply_all(struct rules *rs, struct place *p)
{
	const struct conf_rule *r;
	unsigned int n = 0;

	TAILQ_FOREACH(r, &rs->rules, entry)
		n += apply(rs, r, p);
	return (n);
}

static struct conf_rule *
find_rule(struct conf_rules *rules, const char *text)
{
	struct conf_rule *r;

	TAILQ_FOREACH(r, rules, entry)
		if (strcmp(r->text, text) == 0)
			return (r);
	return (NULL);
}

/* Once it is in the file again it is new again. */
static void
forget_applied(struct rules *rs, uint64_t key)
{
	struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		for (size_t i = 0; i < p->napplied; i++)
			if (p->applied[i] == key)
				p->applied[i--] = p->applied[--p->napplied];
}

static void
remove_rule(struct rules *rs, struct conf_rule *r)
{
	const struct action_choice choice = { .rule = rule_key(r) };
	uint64_t unknown;

	actions_disarm(rs->actions, &choice, &unknown);
	forget_applied(rs, choice.rule);
}

int
rules_reload(struct rules *rs, struct rules_change *change, char *err,
    size_t errsize)
{
	struct conf_rules fresh, old;
	struct conf_rule *r;
	struct place *p;
	int status = read_file(rs, &fresh, err, errsize);

	if (status != 0)
		return (status);
	memset(change, 0, sizeof(*change));
	change->total = count(&fresh);
	TAILQ_FOREACH(r, &fresh, entry)
		change->added += find_rule(&rs->rules, r->text) == NULL;
	TAILQ_INIT(&old);
	TAILQ_CONCAT(&old, &rs->rules, entry);
	TAILQ_CONCAT(&rs->rules, &fresh, entry);
	TAILQ_FOREACH(r, &old, entry)
		if (find_rule(&rs->rules, r->text) == NULL) {
			remove_rule(rs, r);
			change->removed++;
		}
	conf_clear(&old);
	TAILQ_FOREACH(p, &rs->places, entry)
		apply_all(rs, p);
	return (0);
}

static struct place *
find_place(struct rules *rs, const struct jail *jail)
{
	struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		if (p->jail == jail)
			return (p);
	return (NULL);
}

/* Takes the reference to the jail over, on failure too. */
static struct place *
add_place(struct rules *rs, struct jail *jail, const struct spec *s)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		jails_release(jail);
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&rs->places, p, entry);
	p->jail = jail;
	/* FreeBSD: what was given can be a number. */
	p->name = strdup(jail->name != NULL ? jail->name : s->jail);
	if (s->engine != NULL)
		p->engine = strdup(s->engine);
	if (p->name == NULL || (s->engine != NULL && p->engine == NULL)) {
		free_place(rs, p);
		return (NULL);
	}
	return (p);
}

int
rules_started(struct rules *rs, const struct spec *s, unsigned int *n,
    char *err, size_t errsize)
{
	struct jails *jails = actions_jails(rs->actions);
	struct jail *jail;
	struct place *p;
	int status;

	jail = jails_hold(jails, s, &status, err, errsize);
	if (jail == NULL)
		return (status);
	p = find_place(rs, jail);
	if (p != NULL)
		jails_release(jail);
	else if ((p = add_place(rs, jail, s)) == NULL) {
		snprintf(err, errsize, "no memory for a further jail");
		return (EX_TEMPFAIL);
	}
	*n = apply_all(rs, p);
	return (0);
}

void
rules_jail_ended(struct rules *rs, struct jail *jail)
{
	struct place *p = find_place(rs, jail);

	if (p != NULL)
		free_place(rs, p);
}

static bool
has_place(const struct rules *rs, int jid, const char *name)
{
	const struct place *p;

	TAILQ_FOREACH(p, &rs->places, entry)
		if (p->jail->id == jid && strcmp(p->name, name) == 0)
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
	static const struct timeval period = { SCAN_MS / 1000,
	    SCAN_MS % 1000 * 1000 };
	struct rules *rs = arg;

	(void)fd;
	(void)what;
	/* Without rules nobody asks which jails there are. */
	if (!TAILQ_EMPTY(&rs->rules))
		scan(rs);
	evtimer_add(rs->scan, &period);
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
