#include <stdio.h>
#include <sysexits.h>

#include "follow.h"

/* The daemon itself notices jails, and there are no such engines. */
int
follow_run(const struct options *options)
{
	(void)options;
	fprintf(stderr, "jaildaemon: follow: only on Linux; here the daemon "
	    "notices the start of a jail by itself\n");
	return (EX_UNAVAILABLE);
}
