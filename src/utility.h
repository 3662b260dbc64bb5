/*
 * The utility: what -c and the verbs do, and their exit status.
 */
#ifndef UTILITY_H
#define UTILITY_H

#include "options.h"

/*
 * Carries out -c or a verb by asking the daemon: what it answers goes to
 * stdout, one line of what is wrong to stderr.  Returns the exit status.
 */
int	utility_run(struct options *);

#endif
