/*
 * The harness that measures jaildaemon beside bare loops of system calls
 * (floor_linux.c, floor_freebsd.c) and beside what people use instead.
 *
 * It speaks to the daemon over its socket and its command line, as anybody
 * does, and shares no code with src/.
 */
#ifndef BENCH_H
#define BENCH_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define PATH_BYTES	256
#define CONNECTIONS	32
#define SIZES		3

/* What the command line said. */
struct config {
	const char	*program;	/* jaildaemon */
	const char	*before;	/* another one to compare it with, or NULL */
	const char	*tools;		/* the folder of floor, guest, pause */
	const char	*dir;		/* where sockets, logs and the FIFO go */
	const char	*jail;		/* Linux: a pid; FreeBSD: a name */
	const char	*enter;		/* words that run a program in the jail */
	const char	*contestants;	/* file: key, label, words; tabs between */
	const char	*result;	/* file */
	const char	*said;		/* the command that made the figures */
	const char	*memory;	/* the jail's memory cgroup, or NULL */
	const char	*memory_daemon;	/* one for the daemon, */
	const char	*memory_bare;	/* one for bare processes */
	const char	**groups;	/* the jail's cgroup.procs files */
	int		 ngroups;
	const char	**options;	/* further ones of the daemon */
	int		 noptions;
	unsigned int	 rounds;
	unsigned int	 gap_us;	/* of quiet before each sample */
	unsigned int	 sizes[SIZES];	/* probes armed, for growth */
	unsigned int	 burst;
	unsigned int	 idle_s;
	bool		 hurry;		/* fewer of everything; waits less */
};

/* -- proc.c: processes, files, time ----------------------------------------- */

/* Nothing can be measured any more: says why, ends all children, exits 1. */
_Noreturn void	die(const char *fmt, ...)
		    __attribute__((format(printf, 1, 2)));

void		*grow(void *, size_t count, size_t size);
int64_t		 now_ns(void);
void		 pause_us(unsigned int);

/*
 * Starts words[0], looked up in PATH, with these descriptors as 0, 1 and 2
 * (-1: /dev/null), as a child that ends with the harness.  memory: a cgroup
 * that it enters first, or NULL.
 */
pid_t		 child_start(const char *const words[], const int fds[3],
		    const char *memory);
void		 child_stop(pid_t, int sig);

/*
 * From start to end, nothing else: vfork, execve, waitpid.  Must exit 0; -1 if
 * it exits with 75, "try again".
 */
int64_t		 child_time_ns(const char *const words[]);

/* A connected stream socket; tries for ten seconds. */
int		 dial(const char *path);
void		 send_all(int fd, const char *, size_t);

/* A line without its newline, within ten seconds; its length. */
size_t		 receive_line(int fd, char *, size_t);

/* The whole of a small file, NUL at its end; -1: cannot be read. */
ssize_t		 slurp(const char *path, char *, size_t);

/* One byte from DIR/fifo, which commands write to, and when it was there. */
void		 fifo_open(const struct config *);
int64_t		 fifo_wait_ns(const char *whose);
int64_t		 fifo_wait_many_ns(const char *whose, unsigned int count);
void		 fifo_is_empty(const char *whose);
const char	*fifo_command(void);	/* "echo >DIR/fifo" */

/* -- stat.c: what samples say ----------------------------------------------- */

struct series {
	const char	*key;
	const char	*label;
	double		*values;
	unsigned int	 n;
	unsigned int	 room;
};

void		 series_add(struct series *, double);
void		 series_free(struct series *, unsigned int count);

/* Linear interpolation between the samples around it; 0 <= q <= 1. */
double		 series_quantile(const struct series *, double q);

/*
 * n, min, p25, p50, p75, p90, p99, max, mean, and 95% confidence intervals
 * of p50 and p99 by bootstrap.
 */
json_t		*series_json(const struct series *);

/*
 * Ratios a/b of p50 and p99.  The intervals are by bootstrap over rounds, so
 * both must have been sampled in the same ones.
 */
json_t		*ratio_json(const struct series *a, const struct series *b);
double		 ratio_p(const struct series *a, const struct series *b,
		    double q);

/* Samples in a new random order each time: 0 to n - 1 in order[]. */
void		 shuffle(unsigned int *order, unsigned int n);

/* -- daemon.c: a jaildaemon under test -------------------------------------- */

struct daemon {
	const struct config *config;
	pid_t		 pid;
	char		 name[32];
	char		 sock[PATH_BYTES];
	char		 log[PATH_BYTES];
	int		 conn;
	int64_t		 spoke;		/* when it was asked last, ns */
	int		 logfd;
	char		*text;		/* of the log, not understood yet */
	size_t		 used;
	size_t		 room;
	pid_t		*probes;	/* by number; 0: not heard of */
	unsigned int	 next;		/* number of the next action */
	unsigned int	 rooms;
	unsigned int	 triggers;	/* that the log speaks of, */
	unsigned int	 ended;		/* runs that have ended, */
	unsigned int	 refusals;	/* for want of time */
	unsigned int	 lost;		/* and probes that were lost */
};

/* name: of its folder and in its titles.  memory: its cgroup, or NULL. */
struct daemon	*daemon_start(const struct config *, const char *name,
		    const char *memory);
void		 daemon_stop(struct daemon *);

/* Closes the connection, which is the daemon's only one. */
void		 daemon_leave(struct daemon *);

/* A number for an action, whose title is then NAME-NUMBER. */
unsigned int	 daemon_number(struct daemon *);

/* Arms a single shot that writes to the FIFO; its number. */
unsigned int	 daemon_arm(struct daemon *, int64_t *ns);

/* Many, over CONNECTIONS connections that are kept; how long it took. */
int64_t		 daemon_arm_many(struct daemon *, unsigned int count);
pid_t		 daemon_probe(struct daemon *, unsigned int number);

/* What pkill -x -f finds: "jailprobe: TITLE". */
void		 daemon_shown(const struct daemon *, unsigned int number,
		    char *, size_t);

/* Takes in what the log says by now. */
void		 daemon_listen(struct daemon *);

/* Reads the log until so many runs, or lost probes, have ended. */
void		 daemon_wait(struct daemon *, const unsigned int *what,
		    unsigned int count);

/* Ends probes without a trigger, and waits for it. */
void		 daemon_lose(struct daemon *, unsigned int first,
		    unsigned int count);

/* Sends the HUP and waits for the byte. */
int64_t		 daemon_trigger_ns(struct daemon *, unsigned int number);

/* -- floor.c: the bare loops, over a socket --------------------------------- */

struct floor {
	pid_t		 pid;
	int		 conn;
};

struct floor	*floor_start(const struct config *, const char *name,
		    const char *memory);
void		 floor_stop(struct floor *);

/* One request of floor_linux.c; its answer, a number. */
long		 floor_ask(struct floor *, const char *request, int64_t *ns);

/* Sends the HUP to what "probe" gave, and waits for the byte. */
int64_t		 floor_trigger_ns(pid_t);

/* -- result.c ---------------------------------------------------------------- */

/* An object {title, unit, series, ratios} in the result. */
json_t		*comparison(json_t *result, const char *key, const char *title,
		    const char *unit, const struct series *,
		    unsigned int count);
void		 add_ratio(json_t *comparison, const struct series *a,
		    const struct series *b);

/* A goal, and whether it is held: value <= limit, or >= where at_least. */
void		 goal(json_t *result, const char *key, const char *text,
		    double value, double limit, bool at_least);

/* -- the measurements, each adding to the result ---------------------------- */

void	measure_trigger(const struct config *, json_t *);	/* and arming */
void	measure_whole(const struct config *, json_t *);
void	measure_kept(const struct config *, json_t *);
void	measure_growth(const struct config *, json_t *);
void	measure_change(const struct config *, json_t *);
void	measure_burst(const struct config *, json_t *);
void	measure_size(const struct config *, json_t *);
void	measure_idle(const struct config *, json_t *);

#endif
