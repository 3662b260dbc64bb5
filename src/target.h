/*
 * A jail as typed behind -j, as a request names it.  target_linux.c,
 * target_freebsd.c.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>

#include "spec.h"

/*
 * To arm something there.  Linux: asks the engines for the process that a name
 * stands for.  Fills jail, engine, pid and started of the spec.  0, or a
 * sysexits(3) status with one line in err.
 */
int	target_find(const char *jail, struct spec *, char *err, size_t errsize);

/* The same without asking anybody: a name stays a name. */
int	target_name(const char *jail, struct spec *, char *err, size_t errsize);

/* The same for a name alone, where digits are one, too. */
int	target_word(const char *jail, struct spec *, char *err, size_t errsize);

/* A pid of the jail, for a name: Linux; refused on FreeBSD. */
int	target_pid(const char *digits, struct spec *, char *err,
	    size_t errsize);

#endif
