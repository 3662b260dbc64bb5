/* The processes of a session.  session_linux.c, session_freebsd.c. */
#ifndef SESSION_H
#define SESSION_H

#include <sys/types.h>
#include <stdbool.h>

/*
 * A signal to all of that session but its leader, which is the caller's.
 * leader: the leader lives, or is at least not reaped.  If not, its number
 * can have been used again as soon as the session has no process left, so
 * nothing is done where a process of that number is there.
 *
 * Walks through all processes: for rare occasions.
 */
void	session_signal(pid_t session, bool leader, int sig);

#endif
