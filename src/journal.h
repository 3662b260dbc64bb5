/*
 * The journal: a file that is only appended to, a record a line, and now and
 * then written anew from what is true.
 *
 * It outlives the daemon, not the machine: nothing waits for a disk.  A torn
 * last line is dropped; any other damage stops the reading at the last good
 * line, and the damaged file is kept aside.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

#define JOURNAL_NAME	"journal"

struct journal;

/* dirfd stays the caller's.  NULL: no memory. */
struct journal	*journal_open(int dirfd);
void		 journal_close(struct journal *);

/*
 * Reads what an earlier daemon wrote, if it was of this boot: each is called
 * for each record but the header, *next is the id to go on with.  What was
 * dropped or kept aside is logged.  0, or a sysexits(3) status with one line:
 * it is of a version that is not known, or cannot be read.
 */
int		 journal_read(struct journal *, const char *boot,
		    void (*each)(void *arg, struct wire_record *), void *arg,
		    uint64_t *next, char *err, size_t errsize);

/*
 * Writes it anew: dump is to call journal_add() for all that is true.  The new
 * file takes the old one's place at once, or not at all: -1 with errno.
 */
int		 journal_rewrite(struct journal *, const char *boot,
		    uint64_t next, int (*dump)(void *arg, struct journal *),
		    void *arg);

/*
 * Appends so many records; they are there for the next daemon when this
 * returns.  -1 with errno: none of them is.  Where nothing can be appended it
 * is the one of the writing that failed.
 */
int		 journal_add(struct journal *, const struct wire_record *,
		    size_t n);

/*
 * After a reading without damage, and where it cannot be written anew: what is
 * appended follows what was read.
 */
void		 journal_continue(struct journal *);

/* Nothing can be appended until it is written anew. */
bool		 journal_is_broken(const struct journal *);

/* Has it grown so much that it is worth to be written anew? */
bool		 journal_is_long(const struct journal *);

#endif
