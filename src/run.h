/*
 * Runs: the host's command, in a clean environment, with its output in a
 * file of its own.
 *
 * A file and not a pipe, because a run outlives its jail and the daemon: it
 * is never stopped by a reader that is gone.
 */
#ifndef RUN_H
#define RUN_H

#include <sys/types.h>
#include <sys/resource.h>
#include <stdbool.h>
#include <stdint.h>

#include "ends.h"

/* How much of a run's output is logged. */
#define RUN_OUTPUT_MAX	65536

struct runs;

struct run_spec {
	uint64_t	 id;		/* of the action */
	int		 jid;
	const char	*jail;		/* the jail's name, or NULL */
	const char	*title;		/* or NULL */
	const char	*command;
	bool		 quiet;		/* neither its end nor output is logged */
};

/*
 * dirfd: the folder for output, which stays the caller's.  nofile: the
 * descriptor limit that commands get.  NULL with errno.
 */
struct runs	*runs_open(struct ends *, int dirfd, const struct rlimit *nofile);

/*
 * A daemon that was killed could not log what its runs printed, nor one that
 * stopped before they ended: that output is logged now, and removed.
 */
void		 runs_collect(struct runs *);

/* Forgets all runs; they go on. */
void		 runs_close(struct runs *);

/* Runs going on. */
unsigned int	 runs_count(const struct runs *);

/*
 * Starts a run.  ended is called once with its wait status, after its end
 * was logged, and never from within this call.  -1 with errno: nothing was
 * started.
 */
int		 run_start(struct runs *, const struct run_spec *,
		    void (*ended)(void *arg, int status), void *arg);

#endif
