/*
 * Linux: container names.  The utility asks the engines' own commands which
 * process a name stands for, so that the daemon never waits for an engine.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>
#include <sys/types.h>

#define ENGINE_TIMEOUT_MS	5000

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
