/*
 * What chaos asks the kernel about processes: chaos_linux.c, chaos_freebsd.c.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

/* How the wire names a jail, for a long. */
#ifdef __FreeBSD__
#define JAIL_KEY	"\"jail\":\"%ld\""
#else
#define JAIL_KEY	"\"pid\":%ld"
#endif

/* Does this process have these words? */
bool	process_is(pid_t, const char *words);

/*
 * What a process holds: its resident set in kB, its descriptors.  On Linux
 * without the pages of files, which come and go with the cache.
 */
struct held {
	long	 kb;
	long	 descriptors;
};

void	process_held(pid_t, struct held *);

/* Living probes of that uid. */
unsigned int probes_count(unsigned int uid);

/*
 * The books of who was hung up and what became of it.  Times are ns of the
 * monotonic clock.
 */
#define BOOK_MAX	(1 << 18)

struct hup {
	pid_t		 pid;
	int		 target;	/* the number behind the words */
	bool		 pending;	/* the kernel says: it was taken */
	int64_t		 from, to;	/* kill(2) was called, said yes */
};

struct death {
	pid_t		 pid;
	int		 status;	/* as of wait(2) */
	bool		 booked;	/* a signal has been found for it */
	int64_t		 at;		/* when it was heard of */
};

struct books {
	volatile unsigned int hup_count, death_count;
	volatile unsigned long hup_deaths;
	volatile unsigned long failed;	/* kill(2) said that there is none */
	struct hup	 hups[BOOK_MAX];
	struct death	 deaths[BOOK_MAX];
};

int64_t	books_now(void);
void	books_death(struct books *, pid_t, int status);

/* kill(2) with SIGHUP, booked if that says yes. */
void	books_hang_up(struct books *, pid_t, int target);

/*
 * What ended each probe, of the kernel itself.  Linux tells a process that
 * listens; FreeBSD tells whoever asked about a process while it lived, and that
 * is the one who hangs it up.
 */
int	deaths_open(void);	/* -1: it does not tell */

/* Until *stop; the exit status of a process that does no more. */
int	deaths_listen(int fd, unsigned int uid, volatile bool *stop,
	    struct books *);

/*
 * Hangs up all probes of that uid that the jail sees and whose words begin so:
 * how many it found.
 */
unsigned int deaths_hang_up(long jail, unsigned int uid, const char *words,
	    struct books *);

/* What was hung up comes to its end. */
void	deaths_settle(struct books *);

/* Is a SIGHUP in the queue of that process?  No: or that is not known. */
bool	deaths_is_pending(pid_t);

#endif
