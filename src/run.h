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
#include "wire.h"

/* How much of a run's output is logged. */
#define RUN_OUTPUT_MAX	65536

struct event_base;
struct runs;

struct run_spec {
	uint64_t	 id;		/* of the action */
	uint64_t	 run;		/* its number, from 1, once an action */
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
	bool		 unknown;	/* it was not a child of this daemon */
	bool		 timed_out;
	int		 status;	/* wait status, if known */
	int64_t		 ms;		/* how long it took */
	uint64_t	 run;		/* its number */
	uint64_t	 output;	/* the same, for run_output(); 0: none */
};

/*
 * dirfd: the folder for output, which stays the caller's; -1: output is not
 * kept longer than it takes to log it.  nofile: the
 * descriptor limit that commands get.  NULL with errno.
 */
struct runs	*runs_open(struct event_base *, struct ends *, int dirfd,
		    const struct rlimit *nofile);

/*
 * Output that an earlier daemon's runs left and that nobody keeps is logged
 * now, and removed.
 */
void		 runs_collect(struct runs *,
		    bool (*keeps)(void *arg, uint64_t id, uint64_t run),
		    void *arg);

/* Forgets all runs; they go on. */
void		 runs_close(struct runs *);

/* Runs going on. */
unsigned int	 runs_count(const struct runs *);

/* The process that a run is. */
struct run_process {
	pid_t		 pid;
	int64_t		 clock;		/* process_clock() of its start */
};

/*
 * Starts a run.  ended is called once, after its end was logged, and never
 * from within this call.  -1 with errno: nothing was started.
 *
 * When the time limit is over, all of the run's session get a SIGTERM, and 10
 * seconds later what is left of it a SIGKILL.
 */
int		 run_start(struct runs *, const struct run_spec *,
		    struct run_process *, void (*ended)(void *arg,
		    const struct run_end *), void *arg);

/*
 * Goes on with a run that an earlier daemon has started; pid 0: or was about
 * to.  at: the real time of that.  ended as above, with an unknown status.
 * 1: it was not started; -1 with errno: it cannot be watched, or looked for.
 */
int		 run_adopt(struct runs *, const struct run_spec *,
		    const struct run_process *, int64_t at,
		    void (*ended)(void *arg, const struct run_end *),
		    void *arg);

/* Does it go on? */
bool		 runs_has(const struct runs *, uint64_t id, uint64_t run);

/* All that go on, for the journal: trigger and run.  What add returns. */
int		 runs_save(struct runs *, int (*add)(void *arg,
		    const struct wire_record *), void *arg);

/*
 * What a run of the action printed, up to RUN_OUTPUT_MAX bytes, so that it can
 * be shown: control characters but newline and tab, and what is no UTF-8, are
 * escaped.  The caller frees it.  NULL with errno; ENOENT: there is none.
 */
char		*run_output(const struct runs *, uint64_t id, uint64_t output);

/* Nobody wants to read that output any more; that it was begun still shows. */
void		 run_empty_output(const struct runs *, uint64_t id,
		    uint64_t output);

/* That output is of no more use. */
void		 run_forget_output(const struct runs *, uint64_t id,
		    uint64_t output);

#endif
