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

struct event_base;
struct runs;

struct run_spec {
	uint64_t	 id;		/* of the action */
	int		 jid;
	const char	*jail;		/* the jail's name, or NULL */
	const char	*title;		/* or NULL */
	const char	*command;
	uint32_t	 timeout;	/* seconds; 0: none */
	bool		 quiet;		/* neither its end nor output is logged */
};

/* From the TERM of -T to the KILL. */
#define RUN_KILL_MS	10000

/* How a run has ended. */
struct run_end {
	int		 status;	/* wait status */
	int64_t		 ms;		/* how long it took */
	bool		 timed_out;
	uint64_t	 output;	/* for run_output(); 0: none */
};

/*
 * dirfd: the folder for output, which stays the caller's.  nofile: the
 * descriptor limit that commands get.  NULL with errno.
 */
struct runs	*runs_open(struct event_base *, struct ends *, int dirfd,
		    const struct rlimit *nofile);

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
 * Starts a run.  ended is called once, after its end was logged, and never
 * from within this call.  -1 with errno: nothing was started.
 *
 * When the time limit is over, all of the run's session get a SIGTERM, and 10
 * seconds later what is left of it a SIGKILL.
 */
int		 run_start(struct runs *, const struct run_spec *,
		    void (*ended)(void *arg, const struct run_end *), void *arg);

/*
 * What a run of the action printed, up to RUN_OUTPUT_MAX bytes, so that it can
 * be shown: control characters but newline and tab, and what is no UTF-8, are
 * escaped.  The caller frees it.  NULL with errno; ENOENT: there is none.
 */
char		*run_output(const struct runs *, uint64_t id, uint64_t output);

/* That output is of no more use. */
void		 run_forget_output(const struct runs *, uint64_t id,
		    uint64_t output);

#endif
