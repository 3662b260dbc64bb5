/* The utility: one request to the daemon, its reply, its exit status. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "wire.h"

/*
 * Sends one request over a new connection to the socket and reads one reply,
 * within timeout_ms in all.  0 with the reply filled (it may be a refusal),
 * or a sysexits(3) status with one line in err: EX_UNAVAILABLE no daemon
 * listens there, EX_NOPERM not permitted, EX_TEMPFAIL no answer in time,
 * EX_PROTOCOL an answer that is not of the protocol.
 */
int	client_request(const char *socket, const struct wire_request *,
	    struct wire_reply *, int timeout_ms, char *err, size_t errsize);

/*
 * `jaildaemon -c`: looks up the jail, sends the request, prints the action's
 * id with -v, or one line of error to stderr.  Returns the exit status.
 */
int	client_arm(struct options *);

#endif
