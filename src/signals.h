/*
 * What a person or a service manager has to say to a service: SIGTERM, SIGINT
 * and SIGHUP, told from the event loop.  signals_linux.c, signals_freebsd.c.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

struct event_base;
struct signals;

/*
 * came is called once for each; several of one kind that came together are one.
 * NULL with errno.  Linux: from here on they are blocked.  Before, and in each
 * child, spawn_reset_signals() is due.
 */
struct signals	*signals_open(struct event_base *,
		    void (*came)(void *arg, int sig), void *arg);
void		 signals_close(struct signals *);

#endif
