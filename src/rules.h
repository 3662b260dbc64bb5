/*
 * The rules of the file of actions, and the jails that they are for.
 *
 * A rule belongs to jails' names.  It is armed in a jail when that starts, or
 * when the rule is new in the file and the jail known to be there; once a
 * jail, so that a single shot that was fired does not come back.
 */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "spec.h"
#include "wire.h"

struct actions;
struct event_base;
struct jail;
struct rules;
struct state;

/* How a reading of the file went. */
struct rules_change {
	unsigned int	 total;
	unsigned int	 added;
	unsigned int	 removed;
};

/*
 * path: the file.  required: it must be there; else a missing one is an empty
 * one.  NULL: no memory.
 */
struct rules	*rules_open(struct event_base *, struct actions *,
		    struct state *, const char *path, bool required);
void		 rules_close(struct rules *);

/*
 * Reads the file.  Actions of rules that are gone are disarmed, if no equal one
 * has them too, new rules are armed in the jails that are known, all others are
 * left alone.  0, or a sysexits(3) status with one line; then nothing has
 * changed.
 */
int		 rules_reload(struct rules *, struct rules_change *, char *err,
		    size_t errsize);

/*
 * After the restoring: actions of rules that are not in the file any more are
 * disarmed, and new rules armed in the jails that are known.
 */
void		 rules_apply(struct rules *);

/* Would it be read? */
int		 rules_check(const struct rules *, unsigned int *total,
		    char *err, size_t errsize);

/*
 * A jail has started, or was found: its name, and on Linux a process.  *count
 * is how many actions were asked for now.  0, or a status with a line.
 */
int		 rules_started(struct rules *, const struct spec *jail,
		    unsigned int *count, char *err, size_t errsize);

/* From the loop's begin on; FreeBSD: looks for jails once a second. */
int		 rules_watch(struct rules *);

/*
 * What a later daemon must know, and what an earlier one knew: 0, or EX_TEMPFAIL
 * with one line if there is no memory or descriptor for it.
 */
int		 rules_save(struct rules *, int (*add)(void *arg,
		    const struct wire_record *), void *arg);
int		 rules_restore(struct rules *, const struct wire_record *,
		    char *err, size_t errsize);

/* What a jail that has started was called; NULL: it is not known. */
const char	*rules_jail_name(const struct rules *, const struct jail *);

/* A held jail has ended. */
void		 rules_jail_ended(struct rules *, struct jail *);

#endif
