/*
 * The actions: what is armed, and what happens to it.  life.c decides, this
 * carries out.
 */
#ifndef ACTION_H
#define ACTION_H

#include <sys/types.h>
#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run.h"
#include "spec.h"
#include "wire.h"

struct actions;
struct ends;
struct event_base;
struct jail;
struct jails;
struct metrics;
struct runs;
struct state;

/* Descriptors that are kept for everything but jails, probes and runs. */
#define ACTION_FD_RESERVE	320

/* Somebody who waits to hear how an arm went; in the waiter's own memory. */
struct action_waiter {
	LIST_ENTRY(action_waiter) entry;
	/*
	 * status 0 with the action's id, and what to be warned of, if
	 * anything; or sysexits(3) with a line of why.
	 */
	void		(*done)(void *arg, int status, uint64_t id,
			    const char *text);
	void		*arg;
	struct action	*action;	/* NULL: not waiting */
};

/* Who hears what happens. */
struct action_listener {
	/* An event, to be shown; valid within the call. */
	void		(*event)(void *arg, const struct wire_item *);
	/* What a held jail is called, or NULL, where its actions don't say. */
	const char	*(*jail_called)(void *arg, const struct jail *);
	/* A held jail has ended; its actions are ending. */
	void		(*jail_ended)(void *arg, struct jail *);
	void		*arg;
};

/*
 * fd_limit: how many descriptors the daemon may have.  NULL with errno.
 * The runs, ends and state stay the caller's, and must live longer.
 */
struct actions	*actions_open(struct event_base *, struct ends *,
		    struct runs *, struct state *, unsigned long fd_limit);
void		 actions_close(struct actions *);
void		 actions_listen(struct actions *,
		    const struct action_listener *);

/* A jail was found to have ended: tells its actions and the listener. */
void		 actions_jail_ended(struct actions *, struct jail *);

/* The jails that they are in, for those who hold some as well. */
struct jails	*actions_jails(struct actions *);

/* Counters; the caller may add to them. */
struct metrics	*actions_metrics(struct actions *);

/*
 * Arms what the spec asks for, or finds it armed already: the waiter is told
 * once, maybe from within this call.  Takes the spec's contents over.
 */
void		 action_arm(struct actions *, struct spec *,
		    struct action_waiter *);

/*
 * The same for a rule of the file, with nobody waiting: the action is tried
 * again where its first probe cannot be attached.  rule: the RECORD_RULE of it,
 * which is saved with the action.  0, or a sysexits(3) status: there is no
 * action; EX_TEMPFAIL: there may be one later.
 */
int		 action_arm_rule(struct actions *, struct spec *,
		    const struct wire_record *rule);

/* Are there descriptors for a further action? */
bool		 actions_have_room(const struct actions *);

/* The waiter will not be told any more.  The action goes on. */
void		 action_unwait(struct action_waiter *);

/* A run of an earlier daemon: begun, or about to be. */
struct action_begun {
	uint64_t	 run;
	struct run_process process;	/* pid 0: not known */
	int64_t		 at;
};

/* An action of an earlier daemon. */
struct action_saved {
	struct wire_record record;	/* RECORD_ARM; run: its last output */
	bool		 triggered;
	bool		 over;		/* it gets no further probe */
	struct action_begun *begun;	/* whose end is not known */
	size_t		 nbegun;
	struct action	*action;	/* action_restore()'s */
	bool		 ended;		/* its jail has */
};

/*
 * Whether its jail is provably the same; else it has ended, and only its runs
 * are left.  These are watched from here on, but told of from the loop.  Takes
 * the record's texts over.  0; or a sysexits(3) status with one line, if the jail
 * or a run cannot be looked for now: nothing has been started or armed yet then,
 * and the daemon must not start.
 */
int		 action_restore(struct actions *, struct action_saved *,
		    char *err, size_t errsize);

/* Once each, after all were restored: arms it again, starts what is owed. */
void		 action_resume(struct action_saved *);

/* Everything that a later daemon must know: what add returns. */
int		 actions_save(struct actions *, int (*add)(void *arg,
		    const struct wire_record *), void *arg);

/* Ids are never used again, as long as the journal lives. */
uint64_t	 actions_next_id(const struct actions *);
void		 actions_set_next_id(struct actions *, uint64_t next);

/* Does somebody need the output of that run?  For runs_collect(). */
bool		 actions_keep(void *actions, uint64_t id, uint64_t run);

/* Which actions are meant; what is 0 or NULL is not asked for. */
struct action_choice {
	const char	*jail;		/* its name, or a number in digits */
	int		 jid;		/* 0: not asked for */
	const char	*engine;
	const char	*title;
	const uint64_t	*ids;		/* instead of all others */
	size_t		 nids;
};

/*
 * Takes actions away: their probes are ended, and a HUP that came first still
 * counts.  *count is how many; those that were ending already are none.  0, or
 * a sysexits(3) status with one line, and nothing is done: EX_DATAERR one of
 * the ids is no action; EX_TEMPFAIL it cannot be saved, or the daemon is
 * stopping, and the next one has them again.
 */
int		 actions_disarm(struct actions *, const struct action_choice *,
		    unsigned int *count, char *err, size_t errsize);

/*
 * The jail's action of that spec is this rule's from now on, if it was one's
 * that keeps() does not know.  That is not saved by this.
 */
void		 action_hand_over(struct actions *, struct jail *,
		    const struct spec *, uint64_t rule,
		    bool (*keeps)(void *arg, uint64_t rule), void *arg);

/* Disarms all actions of rules that keeps() does not know. */
void		 actions_disarm_unless(struct actions *,
		    bool (*keeps)(void *arg, uint64_t rule), void *arg);

/*
 * The first chosen action with an id above after, described; false: none.
 * What the item points to is valid until the next event.
 */
bool		 actions_next(struct actions *, const struct action_choice *,
		    uint64_t after, struct wire_item *);

/*
 * Triggers, as a SIGHUP from the jail would.  0, or a sysexits(3) status with
 * one line: EX_DATAERR no such action, EX_TEMPFAIL it has no probe now, or the
 * daemon is stopping.
 */
int		 action_run(struct actions *, uint64_t id, char *err,
		    size_t errsize);

/*
 * What the last run that has ended printed: see run_output().  NULL with a
 * status and a line as above.
 */
char		*action_output(struct actions *, uint64_t id, int *status,
		    char *err, size_t errsize);

/*
 * Ends all probes; a HUP that came first still counts.  drained is called
 * when all are reaped, or after timeout_ms.
 */
void		 actions_stop(struct actions *, int timeout_ms,
		    void (*drained)(void *arg), void *arg);

/* For the log: actions known, and probes not yet reaped. */
unsigned int	 actions_count(const struct actions *);
unsigned int	 actions_probes(const struct actions *);

/* The counters, with what is true now filled in. */
const struct metrics *actions_measure(struct actions *);

#endif
