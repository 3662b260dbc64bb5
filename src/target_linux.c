#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine.h"
#include "procfs.h"
#include "target.h"
#include "text.h"

static bool
is_pid(const char *jail)
{
	return (jail[strspn(jail, "0123456789")] == '\0');
}

static int
parse_pid(const char *digits, pid_t *pid, char *err, size_t errsize)
{
	char shown[64];
	const char *wrong;

	*pid = (pid_t)strtonum(digits, 1, INT32_MAX, &wrong);
	if (wrong == NULL && is_pid(digits))
		return (0);
	(void)text_escape(shown, sizeof(shown), digits, strlen(digits));
	(void)snprintf(err, errsize, "\"%s\" is no process: a pid is a "
	    "number from 1 to %jd", shown, (intmax_t)INT32_MAX);
	return (EX_DATAERR);
}

/* The start time goes along, so that a number used again is noticed. */
static int
fill_pid(pid_t pid, struct spec *s, char *err, size_t errsize)
{
	if (procfs_start_time(pid, &s->started) == -1) {
		(void)snprintf(err, errsize, "no process %jd", (intmax_t)pid);
		return (EX_NOHOST);
	}
	s->pid = pid;
	return (0);
}

static int
fill_name(const char *engine, const char *name, struct spec *s, char *err,
    size_t errsize)
{
	s->jail = strdup(name);
	if (engine != NULL)
		s->engine = strdup(engine);
	if (s->jail != NULL && (engine == NULL || s->engine != NULL))
		return (0);
	(void)snprintf(err, errsize, "out of memory");
	return (EX_OSERR);
}

int
target_find(const char *jail, struct spec *s, char *err, size_t errsize)
{
	char name[SPEC_JAIL_MAX + 1];
	const char *engine;
	pid_t pid;
	int status;

	if (is_pid(jail))
		return (target_pid(jail, s, err, errsize));
	status = engine_resolve(jail, &pid, &engine, name, sizeof(name), err,
	    errsize);
	if (status == 0)
		status = fill_pid(pid, s, err, errsize);
	return (status == 0 ? fill_name(engine, name, s, err, errsize) :
	    status);
}

int
target_word(const char *jail, struct spec *s, char *err, size_t errsize)
{
	const char *engine, *name;
	int status = engine_split(jail, &engine, &name, err, errsize);

	return (status == 0 ? fill_name(engine, name, s, err, errsize) :
	    status);
}

int
target_name(const char *jail, struct spec *s, char *err, size_t errsize)
{
	return (is_pid(jail) ? target_pid(jail, s, err, errsize) :
	    target_word(jail, s, err, errsize));
}

int
target_pid(const char *digits, struct spec *s, char *err, size_t errsize)
{
	pid_t pid;
	int status = parse_pid(digits, &pid, err, errsize);

	return (status == 0 ? fill_pid(pid, s, err, errsize) : status);
}
