/*
 * Linux: container names.  The utility asks the engines' own commands which
 * process a name stands for, so that the daemon never waits for an engine.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ENGINE_TIMEOUT_MS	5000

/* Where the engines' commands are looked for, whatever PATH is. */
#define ENGINE_PATH \
	"/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"

/*
 * "engine:name" or a plain name (then the engine is NULL), without asking
 * anybody: *name points into jail, *engine to a constant.  0, or EX_DATAERR
 * with one line in err.
 */
int	engine_split(const char *jail, const char **engine, const char **name,
	    char *err, size_t errsize);

/*
 * Finds the process of "engine:name" or of a plain name, asking every
 * installed engine.  On success 0, with the pid of the container's first
 * process, the name without its engine in name, and the engine that knows it
 * in *engine, a constant.  Else a sysexits(3)
 * status with one line in err: EX_NOHOST no such container, or one that is
 * not running; EX_DATAERR a name found in two engines (all listed) or no
 * name an engine could have; EX_TEMPFAIL an engine that did not answer in
 * time; EX_OSERR no process or memory to ask with.
 *
 * Sets SIGCHLD to its default: were it ignored, no engine's exit status
 * could be seen.
 */
int	engine_resolve(const char *jail, pid_t *pid, const char **engine,
	    char *name, size_t namesize, char *err, size_t errsize);

/*
 * Are these len bytes the name of an engine?  0, or EX_DATAERR with one line
 * in err that names those that are.
 */
int	engine_check(const char *name, size_t len, char *err, size_t errsize);

/*
 * Could it be a container's name?  1 to SPEC_JAIL_MAX bytes of UTF-8, without
 * what no engine allows and what one could take for something else.
 */
bool	engine_is_name(const char *name);

/* Is the program in ENGINE_PATH? */
bool	engine_has_program(const char *program);

/*
 * Starts a command of an engine's: argv[0] is looked up in ENGINE_PATH, its
 * input is empty, its environment is no more of ours than engines are found
 * by, and out and err become its output.  It is the leader of a process group
 * of its own, and is sent SIGTERM if we end.  0 with the pid and a pidfd
 * (close on exec), both the caller's; -1 with errno, ENOENT if there is no
 * such program.
 */
int	engine_start(const char *const *argv, int out, int err, pid_t *pid,
	    int *pidfd);

/*
 * words with value in the place of the @ in one of them, which then is in
 * buf; argv has room for all and a NULL.
 */
void	engine_fill(const char *const *words, const char *value,
	    const char **argv, char *buf, size_t size);

/* How docker and podman are asked for "PID ID NAME", and that line's parts. */
#define ENGINE_INSPECT	"{{.State.Pid}} {{.ID}} {{.Name}}"

struct engine_inspected {
	int64_t		 pid;		/* 0: not running */
	const char	*id;		/* both point into the text */
	size_t		 idlen;
	const char	*name;
	size_t		 namelen;
};

/* false: not what the engine is known to print. */
bool	engine_split_inspect(const char *, size_t len,
	    struct engine_inspected *);

/* What an engine's output says of a container. */
enum engine_answer {
	ENGINE_RUNNING,		/* and *pid is its first process */
	ENGINE_STOPPED,
	ENGINE_OTHER,		/* it is about a container of another name */
	ENGINE_GARBLED,		/* not what the engine is known to print */
};

/*
 * Pure readers of len bytes of output (no NUL needed).  *pid is set for
 * ENGINE_RUNNING only.
 */

/* docker, podman: "PID ID NAME", by a template. */
enum engine_answer	engine_parse_inspect(const char *, size_t len,
			    const char *name, pid_t *pid);
/* lxc, machine: a pid alone, or nothing. */
enum engine_answer	engine_parse_pid(const char *, size_t len,
			    const char *name, pid_t *pid);
/* runc, crun, incus: a JSON object with "pid" and "status". */
enum engine_answer	engine_parse_state(const char *, size_t len,
			    const char *name, pid_t *pid);

#endif
