/* Locks that a daemon before us may have left behind. */
#ifndef LOCK_H
#define LOCK_H

#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS	1000
#define LOCK_SUFFIX	".lock"		/* of the file beside a socket */

/*
 * The lock is held: once more?  After a pause, until LOCK_WAIT_MS are over;
 * *tries begins at 0.  A lock goes with the last descriptor of its file, and
 * a child that a daemon had made when it was killed has them all, until it
 * executes or sees that it cannot.
 */
static inline bool
lock_again(int *tries)
{
	struct timespec pause = { 0, 10 * 1000000L };

	if ((*tries)++ == LOCK_WAIT_MS / 10)
		return (false);
	(void)nanosleep(&pause, NULL);
	return (true);
}

/* flock(2) for us alone; as that: 0, or -1 and errno. */
static inline int
lock_take(int fd)
{
	int ret, tries = 0;

	while ((ret = flock(fd, LOCK_EX | LOCK_NB)) == -1 &&
	    errno == EWOULDBLOCK && lock_again(&tries))
		continue;
	return (ret);
}

/* Does somebody hold the lock of that file?  False for one that is not there. */
static inline bool
lock_is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	bool held;

	if (fd == -1)
		return (false);
	held = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	(void)close(fd);
	return (held);
}

#endif
