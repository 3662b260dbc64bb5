#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "target.h"

/* The daemon looks it up: jids and names are the kernel's. */
int
target_name(const char *jail, struct spec *s, char *err, size_t errsize)
{
	if ((s->jail = strdup(jail)) != NULL)
		return (0);
	(void)snprintf(err, errsize, "out of memory");
	return (EX_OSERR);
}

int
target_word(const char *jail, struct spec *s, char *err, size_t errsize)
{
	return (target_name(jail, s, err, errsize));
}

int
target_find(const char *jail, struct spec *s, char *err, size_t errsize)
{
	return (target_name(jail, s, err, errsize));
}

int
target_pid(const char *digits, struct spec *s, char *err, size_t errsize)
{
	(void)digits;
	(void)s;
	(void)snprintf(err, errsize, "a pid names no jail here: expected the "
	    "jail's name or number alone");
	return (EX_USAGE);
}
