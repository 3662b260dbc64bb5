/* A request to the daemon whose reply is waited for beside the loop. */
#ifndef CALL_H
#define CALL_H

#include "wire.h"

struct call;
struct event_base;

/*
 * Sends one request over a new connection.  done() is called once, from the
 * loop, and then the call is no more: with the reply, or, where there was
 * none in timeout_ms or not one of the protocol, with NULL and what went
 * wrong.  NULL with errno: nobody listens there, or no memory.
 */
struct call	*call_start(struct event_base *, const char *socket,
		    const struct wire_request *, int timeout_ms,
		    void (*done)(void *arg, const struct wire_reply *,
		    const char *why), void *arg);

/* done() will not be called. */
void		 call_cancel(struct call *);

#endif
