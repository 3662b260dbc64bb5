/* One request to the daemon, and its answer. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>

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
 * The same for a request whose reply has several lines: item is called for
 * each item, with the line as it came (len bytes, no newline), and returns 0 or
 * a status that ends the exchange.  timeout_ms is for each line; 0: forever.
 */
int	client_stream(const char *socket, const struct wire_request *,
	    int (*item)(void *arg, struct wire_item *, const char *line,
	    size_t len), void *arg, struct wire_reply *, int timeout_ms,
	    char *err, size_t errsize);

#endif
