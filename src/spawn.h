/*
 * Starts a program at a cost that does not grow with the daemon's memory or
 * descriptors.  spawn_linux.c, spawn_freebsd.c.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>
#include <sys/resource.h>
#include <stdbool.h>

#define SPAWN_FDS_MAX	17

struct spawn {
	int		 program;	/* descriptor to execute, or -1: path */
	const char	*path;
	char *const	*argv;
	char *const	*envp;
	const int	*fds;		/* become 0, 1, 2 and on; -1: not open */
	int		 nfds;		/* 3 to SPAWN_FDS_MAX */
	bool		 run;		/* a run: its own session, cwd /, umask
					   022, and it outlives the daemon */
	const struct rlimit *nofile;	/* descriptor limit, NULL: as it is */
	/*
	 * The new process renames mark_from to mark_to in the folder mark_dir,
	 * as late as it can before it executes: whoever finds mark_to knows
	 * that it was started, whatever became of its parent.  NULL: no mark.
	 */
	int		 mark_dir;
	const char	*mark_from;
	const char	*mark_to;
};

/*
 * Reserves what spawn() needs.  To be called once, early: on Linux the
 * lowest descriptors above 2.  -1 with errno.
 */
int	spawn_init(void);

/*
 * The new process has default signal actions and none blocked, and no other
 * descriptor than fds.  *fd is its pidfd or process descriptor, close on
 * exec, the caller's.  Returns 0 once the program executes; -1 with errno,
 * execve(2)'s included, if it does not.
 */
int	spawn(const struct spawn *, pid_t *pid, int *fd);

/* All signals at their default and none blocked; for a child, before exec. */
void	spawn_reset_signals(void);

#endif
