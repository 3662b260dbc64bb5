/*
 * The control socket: accept, peer credentials, limits, deadlines.  Knows no
 * verb: lines go to a handler, which answers each with one reply.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

#define CONTROL_CONNECTIONS_MAX	64
#define CONTROL_REQUEST_MS	10000	/* to send a request, and to read one */
#define CONTROL_BACKLOG_MAX	(1024 * 1024)	/* bytes that a watcher has not read */
#define CONTROL_BEHIND_MAX	(64 * 1024)	/* bytes behind a request's line */

struct conn;
struct control;
struct event_base;

/*
 * Claims the path: its folder is checked, a lock makes the claim exclusive,
 * what a killed daemon left is replaced, and the socket listens, mode 0600.
 * NULL with a sysexits(3) status and one line in err; EX_TEMPFAIL: another
 * daemon is there.
 */
struct control	*control_claim(const char *path, int *status, char *err,
		    size_t errsize);

/*
 * Begins to serve.  line is called for each line (without its newline) of a
 * permitted peer, and must lead to one control_reply().  -1 with errno.
 */
int		 control_serve(struct control *, struct event_base *,
		    void (*line)(void *arg, struct conn *, const char *,
		    size_t), void *arg);

/* Writes what can be written at once, closes, removes socket and lock. */
void		 control_close(struct control *);

/* The reply to the line that is being handled; the next may follow. */
void		 control_reply(struct conn *, const struct wire_reply *);

/*
 * A reply will come later: cancel is called if the connection ends before;
 * control_reply() forgets it.
 */
void		 control_later(struct conn *, void (*cancel)(void *arg),
		    void *arg);

/*
 * An item before the reply.  After control_stream() more is called whenever
 * what was sent has left, until there is a reply; it must send an item or
 * reply.  cancel is as for control_later().
 */
void		 control_item(struct conn *, const struct wire_item *);
void		 control_stream(struct conn *, void (*more)(void *arg),
		    void (*cancel)(void *arg), void *arg);

/*
 * Items come whenever there are some, until the peer ends the connection, or
 * CONTROL_BACKLOG_MAX of them wait: it is told so once it reads, and hears no
 * more.  When the connection ends cancel is called, and it is no longer known;
 * not from within control_item(), which is for watchers as well.
 */
void		 control_watch(struct conn *, void (*cancel)(void *arg),
		    void *arg);

/* Refusals by the socket itself. */
unsigned long	 control_refused(const struct control *);

#endif
