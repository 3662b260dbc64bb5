/*
 * Tells the service manager that started the daemon how it is: the protocol
 * of sd_notify(3), a datagram of lines to the socket that NOTIFY_SOCKET
 * names.  Without that variable, as on FreeBSD, all of this does nothing.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_SEND_MS	1000	/* how long a manager may not read */

struct notify {
	struct sockaddr_un addr;
	socklen_t	 len;		/* 0: there is nobody to tell */
};

/*
 * Takes NOTIFY_SOCKET out of the environment: an absolute path, or "@" and a
 * name of Linux's abstract ones.  Whatever else it is, nobody is told.
 */
void	notify_open(struct notify *);

/*
 * Requests are served from now on.  Each of these waits NOTIFY_SEND_MS at
 * most; what the manager does not take is logged, and lost.
 */
void	notify_ready(const struct notify *);
/* The file of actions is read again; notify_ready() follows, whatever came. */
void	notify_reloading(const struct notify *);
/* Nothing is armed any more. */
void	notify_stopping(const struct notify *);

#endif
