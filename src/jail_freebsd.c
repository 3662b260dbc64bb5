/*
 * Jails on FreeBSD, known by jid and name together.  Nothing tells of a
 * jail's end but the ends of its processes, so it is asked about where it
 * matters.  One that is made again under the same jid and name at once cannot
 * be told from its predecessor.
 */
#include <sys/param.h>
/* The system's own struct jail is that of jail(2), which nothing here uses. */
#define jail	system_jail
#include <sys/jail.h>
#undef jail
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <errno.h>
#include <jail.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../stub/order.h"
#include "jail.h"
#include "log.h"

RB_HEAD(jail_tree, jail);

struct jails {
	struct jail_tree tree;		/* by jid and name; none that ended */
	unsigned int	 count;
};

/* What the kernel says of a jail. */
struct facts {
	char		 name[MAXHOSTNAMELEN];
	int		 persists;
};

static int
compare(struct jail *a, struct jail *b)
{
	if (a->id != b->id)
		return (a->id < b->id ? -1 : 1);
	return (strcmp(a->name, b->name));
}

RB_GENERATE_INTERNAL(jail_tree, jail, entry, compare,
    static __attribute__((unused)))

struct jails *
jails_open(struct event_base *base, struct ends *ends,
    void (*ended)(void *, struct jail *), void *arg)
{
	struct jails *jails = calloc(1, sizeof(*jails));

	(void)base;
	(void)ends;
	(void)ended;
	(void)arg;
	if (jails != NULL)
		RB_INIT(&jails->tree);
	return (jails);
}

void
jails_close(struct jails *jails)
{
	free(jails);
}

unsigned int
jails_count(const struct jails *jails)
{
	return (jails->count);
}

/* -1 with errno; ENOENT: there is none, or it is dying. */
static int
ask(int jid, struct facts *facts)
{
	char keys[][8] = { "jid", "name", "persist" };
	struct iovec iov[] = {
		{ keys[0], sizeof("jid") }, { &jid, sizeof(jid) },
		{ keys[1], sizeof("name") },
		{ facts->name, sizeof(facts->name) },
		{ keys[2], sizeof("persist") },
		{ &facts->persists, sizeof(facts->persists) },
	};

	return (jail_get(iov, sizeof(iov) / sizeof(iov[0]), 0) == -1 ? -1 : 0);
}

/* Which jails_hold() refuses. */
bool
jail_is_host(const struct jail *jail)
{
	(void)jail;
	return (false);
}

const bool jails_can_list = true;

/* The kernel leaves out those that are dying. */
int
jails_list(int last, char *name, size_t size)
{
	char keys[][8] = { "lastjid", "name" };
	struct iovec iov[] = {
		{ keys[0], sizeof("lastjid") }, { &last, sizeof(last) },
		{ keys[1], sizeof("name") }, { name, size },
	};
	int jid;

	name[0] = '\0';
	jid = jail_get(iov, sizeof(iov) / sizeof(iov[0]), 0);
	return (jid > 0 ? jid : 0);
}

static struct jail *
new_jail(struct jails *jails, int jid, const char *name)
{
	struct jail *jail = calloc(1, sizeof(*jail));

	if (jail == NULL)
		return (NULL);
	jail->name = strdup(name);
	if (jail->name == NULL) {
		free(jail);
		return (NULL);
	}
	jail->id = jid;
	jail->jails = jails;
	LIST_INIT(&jail->actions);
	TAILQ_INIT(&jail->waiting);
	jails->count++;
	return (jail);
}

struct jail *
jails_recall(struct jails *jails, int id, uint64_t started, const char *name)
{
	struct jail *jail = new_jail(jails, id, name);

	(void)started;
	if (jail == NULL)
		return (NULL);
	jail->ended = true;
	return (jail_ref(jail));
}

struct jail *
jail_ref(struct jail *jail)
{
	jail->refs++;
	return (jail);
}

/* A jail that the kernel has just named. */
static struct jail *
get_jail(struct jails *jails, int jid, struct facts *facts)
{
	struct jail key = { .id = jid, .name = facts->name };
	struct jail *jail = RB_FIND(jail_tree, &jails->tree, &key);

	if (jail == NULL) {
		jail = new_jail(jails, jid, facts->name);
		if (jail == NULL)
			return (NULL);
		RB_INSERT(jail_tree, &jails->tree, jail);
	}
	jail->persists = facts->persists != 0;
	return (jail_ref(jail));
}

static struct jail *
refuse(int *status, int value, char *err, size_t errsize, const char *fmt,
    const char *jail)
{
	*status = value;
	snprintf(err, errsize, fmt, jail);
	return (NULL);
}

/* jail_getid(3) reads digits as a jid, "05" as 5, and 0 as the host. */
struct jail *
jails_hold(struct jails *jails, const struct spec *spec, int *status,
    char *err, size_t errsize)
{
	struct facts facts;
	const struct spec called = { .jail = facts.name };
	struct jail *jail;
	int jid;

	if (spec->jail == NULL)
		return (refuse(status, EX_USAGE, err, errsize,
		    "no jail is named", NULL));
	jid = jail_getid(spec->jail);
	if (jid == 0)
		return (refuse(status, EX_DATAERR, err, errsize,
		    "\"%s\": jid 0 is the host", spec->jail));
	if (jid == -1 || ask(jid, &facts) == -1)
		return (refuse(status, EX_NOHOST, err, errsize,
		    "no jail \"%s\", or it is dying", spec->jail));
	/* The kernel takes any; the log, the wire and the journal do not. */
	*status = spec_check(&called, err, errsize);
	if (*status != 0)
		return (NULL);
	jail = get_jail(jails, jid, &facts);
	if (jail == NULL)
		return (refuse(status, EX_TEMPFAIL, err, errsize,
		    "no memory to hold jail \"%s\"", spec->jail));
	return (jail);
}

void
jails_release(struct jail *jail)
{
	struct jails *jails = jail->jails;

	if (--jail->refs > 0)
		return;
	if (!jail->ended)
		RB_REMOVE(jail_tree, &jails->tree, jail);
	jails->count--;
	free(jail->name);
	free(jail);
}

struct jail *
jails_hold_again(struct jails *jails, const char *name, int id,
    uint64_t started, uint64_t pidns, int *status, char *err, size_t errsize)
{
	char copy[MAXHOSTNAMELEN];
	const struct spec s = { .jail = copy };
	struct jail *jail;

	(void)started;
	(void)pidns;
	*status = EX_NOHOST;
	if (name == NULL ||
	    strlcpy(copy, name, sizeof(copy)) >= sizeof(copy))
		return (NULL);
	jail = jails_hold(jails, &s, status, err, errsize);
	if (jail != NULL && jail->id == id)
		return (jail);
	if (jail != NULL)
		jails_release(jail);
	if (jail != NULL || *status != EX_TEMPFAIL)
		*status = EX_NOHOST;
	return (NULL);
}

/* What ended is not found again: a later jail of that name is another. */
bool
jail_is_there(struct jail *jail)
{
	struct facts facts;

	if (jail->ended)
		return (false);
	if (ask(jail->id, &facts) == 0 ? strcmp(facts.name, jail->name) == 0 :
	    errno != ENOENT)
		return (true);
	jail->ended = true;
	RB_REMOVE(jail_tree, &jail->jails->tree, jail);
	return (false);
}

int
jail_target(const struct jail *jail)
{
	(void)jail;
	return (-1);
}

static int
refuse_ended(char *err, size_t errsize)
{
	snprintf(err, errsize, "the jail has ended");
	return (EX_NOHOST);
}

int
jail_order(struct jail *jail, const struct spec *spec, struct order *order,
    char *err, size_t errsize)
{
	if (!jail_is_there(jail))
		return (refuse_ended(err, errsize));
	memset(order, 0, sizeof(*order));
	order->magic = ORDER_MAGIC;
	order->jid = jail->id;
	order->uid = spec->uid;
	order->gid = spec->gid;
	return (0);
}

/* A jail has no resources of its own that its processes do not bring along. */
int
jail_admit(struct jail *jail, pid_t stub, char *err, size_t errsize)
{
	(void)jail;
	(void)stub;
	(void)err;
	(void)errsize;
	return (0);
}

/* None is born there. */
int
jail_check_birth(struct jail *jail, pid_t probe, char *err, size_t errsize)
{
	(void)jail;
	(void)probe;
	(void)err;
	(void)errsize;
	return (0);
}

/*
 * The jid may have changed hands while the stub went there, hence the second
 * look.  A probe that a HUP has already ended still counts.  It may have been
 * reaped by now, and its number even be another's; what it reported, nobody
 * else could have.
 */
int
jail_check(struct jail *jail, pid_t probe, char *err, size_t errsize)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, probe };
	struct kinfo_proc kp;
	size_t len = sizeof(kp);

	if (!jail_is_there(jail))
		return (refuse_ended(err, errsize));
	if (sysctl(mib, 4, &kp, &len, NULL, 0) == -1) {
		if (errno == ESRCH)
			return (0);
		snprintf(err, errsize, "cannot look at the probe: %s",
		    strerror(errno));
		return (EX_OSERR);
	}
	if (len < sizeof(kp) || kp.ki_ppid != getpid())
		return (0);
	if (kp.ki_jid != jail->id) {
		snprintf(err, errsize, "the reported probe is in jail %d, not "
		    "in %d", kp.ki_jid, jail->id);
		return (EX_OSERR);
	}
	return (0);
}

/* There are no maps of ids here. */
void
jail_id_map(const struct jail *jail, bool groups, char *buf, size_t size)
{
	(void)jail;
	(void)groups;
	if (size > 0)
		buf[0] = '\0';
}
