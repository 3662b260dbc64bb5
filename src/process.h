/*
 * Questions about processes that are not children, and the boot that they
 * belong to.  process_linux.c, process_freebsd.c.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

/*
 * A signal to all of that session but its leader, which is the caller's.
 * leader: the leader lives, or is at least not reaped.  If not, its number
 * can have been used again as soon as the session has no process left, so
 * nothing is done where a process of that number is there.
 *
 * Walks through all processes: for rare occasions.  0; or -1 with errno, where
 * memory or descriptors do not suffice for that now.
 */
int	process_signal_session(pid_t session, bool leader, int sig);

/*
 * When a process started, in milliseconds of process_clock(), to about 20.
 * -1 with errno: ESRCH, there is none, or none to be seen; EMFILE, ENFILE or
 * ENOMEM, that cannot be told now.
 */
int64_t	process_started(pid_t);

/* The clock that processes' starts are told in: since boot. */
int64_t	process_clock(void);

/*
 * The leader of a session that has this file (device and inode) as its
 * standard output, or 0.  -1 with errno: that cannot be told.  Walks through
 * all processes.
 */
pid_t	process_find_writer(const struct stat *);

#define PROCESS_BOOT_MAX	64

/* What this boot is known by, a text.  -1 with errno. */
int	process_boot(char *buf, size_t size);

/* Are these two the same boot? */
bool	process_same_boot(const char *, const char *);

#endif
