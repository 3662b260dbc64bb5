/*
 * Jails: looked up once, held from then on, and told of when they end.
 * jail_linux.c, jail_freebsd.c.
 *
 * A jail is held by identity, not by number.  Linux: a pidfd of the init of
 * the target's pid namespace where that is not the host's, else of the given
 * process; one a jail, shared by its actions.  FreeBSD: jid and name.
 */
#ifndef JAIL_H
#define JAIL_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ends.h"
#include "spec.h"

#ifdef __linux__
#define JAIL_LOST_WAIT_MS	1000
#define JAIL_DESCRIPTORS	1	/* that a held jail needs */
#else
#define JAIL_DESCRIPTORS	0
/* jail(8) ends processes with SIGTERM and waits ten seconds for them. */
#define JAIL_LOST_WAIT_MS	15000
#endif

struct action;
struct event_base;
struct jails;
struct order;

struct jail {
	RB_ENTRY(jail)	 entry;
	LIST_HEAD(, action) actions;	/* action.c's */
	unsigned int	 refs;
	unsigned int	 leftovers;	/* probe.c's: refused, not yet gone */
	/* For a turn to attach their probes, longest waiting first; action.c's. */
	TAILQ_HEAD(, action) waiting;
	TAILQ_ENTRY(jail) turn;		/* while there are any */
	unsigned int	 waiting_count;
	unsigned int	 attaching;
	int		 id;		/* FreeBSD: jid; Linux: the pid */
	uint64_t	 started;	/* Linux: its start time, clock ticks */
	uint64_t	 pidns;		/* Linux: its pid namespace's inode */
	char		*name;		/* FreeBSD; NULL on Linux */
	bool		 persists;	/* a probe does not keep it alive */
	bool		 ended;
	struct end	 end;		/* Linux */
	struct jails	*jails;
};

/*
 * ended is called once for a jail that is held, from the loop; the jail
 * stays valid until it is released.  NULL with errno.
 */
struct jails	*jails_open(struct event_base *, struct ends *,
		    void (*ended)(void *arg, struct jail *), void *arg);
void		 jails_close(struct jails *);

/*
 * The jail that the request names, with one more reference.  NULL with a
 * sysexits(3) status and one line in err: EX_NOHOST no such jail, EX_DATAERR
 * the host itself.
 */
struct jail	*jails_hold(struct jails *, const struct spec *, int *status,
		    char *err, size_t errsize);
void		 jails_release(struct jail *);

/*
 * The jail that an earlier daemon held, if it is provably the same: by its
 * name on FreeBSD, by its process on Linux.  NULL with a status: EX_TEMPFAIL
 * and one line in err if nobody can tell for want of memory or descriptors,
 * else EX_NOHOST: it has ended.
 */
struct jail	*jails_hold_again(struct jails *, const char *name, int id,
		    uint64_t started, uint64_t pidns, int *status, char *err,
		    size_t errsize);

/*
 * One that has ended, for what is left of it, with one more reference.  NULL:
 * no memory.
 */
struct jail	*jails_recall(struct jails *, int id, uint64_t started,
		    const char *name);

/*
 * FreeBSD: the jail with the lowest jid above last, and its name; 0: none.
 * Linux has no list of its containers.
 */
extern const bool jails_can_list;
int		 jails_list(int last, char *name, size_t size);

/* One more reference to a jail that is held already. */
struct jail	*jail_ref(struct jail *);

/* Linux: is the process that was named one of the host's, in no container? */
bool		 jail_is_host(const struct jail *);

/* Held jails. */
unsigned int	 jails_count(const struct jails *);

/*
 * Is the jail still there?  Asked where an end may not have been told yet
 * (FreeBSD); marks it as ended if not, without a call of ended().
 */
bool		 jail_is_there(struct jail *);

/*
 * What a stub is told: the target, the ids, the security label to take.  0,
 * or a sysexits(3) status with a line in err.
 */
int		 jail_order(struct jail *, const struct spec *, struct order *,
		    char *err, size_t errsize);

/* The descriptor that a stub gets as ORDER_FD_TARGET, or -1. */
int		 jail_target(const struct jail *);

/*
 * Linux: moves a stub that has nothing left to lose into the jail's cgroups,
 * where its probe will be born.  0, or a sysexits(3) status with a line.
 */
int		 jail_admit(struct jail *, pid_t stub, char *err,
		    size_t errsize);

/*
 * Linux: is a new process in this jail's pid namespace?  If not it may be
 * another jail's, and is left alone.  0, or a status as above.
 */
int		 jail_check_birth(struct jail *, pid_t probe, char *err,
		    size_t errsize);

/* Does a probe that has reported live where it should?  0, or a status. */
int		 jail_check(struct jail *, pid_t probe, char *err,
		    size_t errsize);

/* Linux: the user namespace's map of ids, for people: "0-65535". */
void		 jail_id_map(const struct jail *, bool groups, char *buf,
		    size_t size);

#endif
