/*
 * Linux: small questions to /proc about one process.  What fails for a
 * shortage says nothing about the process.
 */
#ifndef PROCFS_H
#define PROCFS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#define PROCFS_PATH_MAX	64

/* What a namespace is known by. */
struct procfs_id {
	dev_t	dev;
	ino_t	ino;
};

/*
 * The whole of a small file, with a NUL behind it; what is longer is cut.
 * The number of bytes, or -1 with errno.
 */
ssize_t	procfs_read(const char *path, char *buf, size_t size);

/* By errno: no descriptor or no memory. */
bool	procfs_is_shortage(int error);

/*
 * When a process started, in clock ticks since boot (field 22 of
 * /proc/PID/stat, proc(5)).  -1: there is none.
 */
int	procfs_start_time(pid_t, uint64_t *);

/* Its namespace of that kind ("pid", "user", ...).  -1 with errno. */
int	procfs_ns(pid_t, const char *kind, struct procfs_id *);
bool	procfs_same(const struct procfs_id *, const struct procfs_id *);

/* Its pid in its own pid namespace (the last of NSpid), or -1. */
pid_t	procfs_inner_pid(pid_t);

#endif
