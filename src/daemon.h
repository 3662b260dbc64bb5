/* The daemon: start-up in order, the loop, the orderly stop. */
#ifndef DAEMON_H
#define DAEMON_H

#include "options.h"

/*
 * Runs until it is told to stop; returns the exit status.  Without -d the
 * caller returns as soon as the socket listens, or with the status of what
 * went wrong, which has been said on stderr.
 */
int	daemon_run(const struct options *);

#endif
