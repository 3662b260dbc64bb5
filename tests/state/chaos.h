/*
 * What chaos asks the kernel about processes: chaos_linux.c, chaos_freebsd.c.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <sys/types.h>
#include <stdbool.h>

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
 * The kernel's own count of probes that a SIGHUP ended.  Linux tells a
 * process that listens; FreeBSD tells whoever asked about a process while it
 * lived, and that is the one who hangs it up.
 */
int	deaths_open(void);	/* -1: it does not tell */

/* Until *stop; the exit status of a process that does no more. */
int	deaths_listen(int fd, unsigned int uid, volatile bool *stop,
	    volatile unsigned long *deaths);

/* Hangs up all probes of that uid whose words begin so: how many. */
unsigned int deaths_hang_up(unsigned int uid, const char *words,
	    volatile unsigned long *deaths);

/* What was hung up comes to its end. */
void	deaths_settle(volatile unsigned long *deaths);

#endif
