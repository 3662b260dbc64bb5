/*
 * What survives the daemon: the actions, the jails that are known, and the
 * runs that go on, in a journal.
 *
 * Whoever changes something tells it here, before it is acknowledged; a new
 * daemon gets it back.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct actions;
struct event_base;
struct rules;
struct state;

/*
 * dirfd: the folder, which stays the caller's; -1: nothing is saved.  NULL: no
 * memory, or the boot cannot be told.
 */
struct state	*state_open(struct event_base *, int dirfd);
void		 state_close(struct state *);

/*
 * Reads what an earlier daemon has left.  0, or a sysexits(3) status with one
 * line: the daemon must not start.
 */
int		 state_load(struct state *, char *err, size_t errsize);

/*
 * Gives it to actions and rules, which start and arm nothing yet.  The result is
 * that of state_load().
 */
int		 state_restore(struct state *, struct actions *, struct rules *,
		    char *err, size_t errsize);

/*
 * They go on with it, and it is written anew; from then on both are asked for
 * it.
 */
void		 state_resume(struct state *, struct actions *, struct rules *);

/*
 * Saves so many records, all or none.  -1 with errno: what they tell of must
 * be refused.
 */
int		 state_save(struct state *, const struct wire_record *,
		    size_t n);

/*
 * The same for what has happened and cannot be refused: where it cannot be
 * saved now, everything is, once there is room.  0, or state_behind().
 */
uint64_t	 state_note(struct state *, const struct wire_record *,
		    size_t n);

/* Has something that was noted not been saved yet?  0, or which time it is. */
uint64_t	 state_behind(const struct state *);

/* What was saved is not true any more: all is written anew, now or later. */
void		 state_renew(struct state *);

/*
 * The daemon stops: nothing is written anew any more, as actions go now that
 * the next daemon shall have again.
 */
void		 state_finish(struct state *);

#endif
