/*
 * "This process ended": watching any number of processes, at a cost that
 * does not grow with their number.  ends_linux.c, ends_freebsd.c.
 *
 * A child's end is told by its wait status, and the child is reaped before
 * its owner hears of it: nothing that the owner then does can hold up a
 * container that waits for its last process.
 */
#ifndef ENDS_H
#define ENDS_H

#include <sys/types.h>
#include <sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct ends;

/*
 * One watched process; lives in its owner's memory, zeroed before its first
 * use, and must stay there until its end was told or it was forgotten.
 */
struct end {
	RB_ENTRY(end)	 entry;
	pid_t		 pid;
	int		 fd;	/* pidfd or process descriptor; owned */
	int64_t		 started;	/* FreeBSD: another's, in its clock */
	bool		 watched;
	bool		 child;
	/* Called once, when no longer watched; it may free the end. */
	void		(*ended)(void *arg, int status);
	void		*arg;
};

/* NULL with errno set.  Frees nothing of the event base. */
struct ends	*ends_open(struct event_base *);
void		 ends_close(struct ends *);

/*
 * Watches a child: a process of ours that nobody else waits for.  Takes fd
 * (Linux: a pidfd, or -1 to have one opened; FreeBSD: what pdfork(2) gave)
 * over.  status is the wait status.  A child that has already ended is told
 * of later, from the loop, never from within this call.  -1 with errno
 * (FreeBSD only): it cannot be watched and was killed.
 */
int		 ends_watch_child(struct ends *, struct end *, pid_t, int fd,
		    void (*ended)(void *, int status), void *arg);

/*
 * Watches another's process; status is then 0 and means nothing.  fd as
 * above.  -1 with errno on failure: ESRCH if it has
 * already ended.
 */
int		 ends_watch_other(struct ends *, struct end *, pid_t, int fd,
		    void (*ended)(void *, int status), void *arg);

/* Stops watching another's process and closes its descriptor. */
void		 ends_forget(struct ends *, struct end *);

/*
 * A signal to a watched process; never to one that took its number.  FreeBSD
 * has no descriptors of another's process: there it is looked at just before.
 * -1 with errno: ESRCH, it has ended; FreeBSD: ENOMEM, that cannot be told now.
 */
int		 ends_signal(const struct end *, int sig);

/*
 * Is this pid a child of ours that is not watched yet?  Asked about pids
 * that a probe reports.  A zombie counts as a child, and so does one that was
 * reaped before anybody asked: its watcher will be told how it ended.
 */
bool		 ends_is_new_child(struct ends *, pid_t);

/*
 * Linux: a process of ours was in a jail's reach, and a jail that may trace
 * could have made it clone with CLONE_PARENT.  Some time after, children
 * that are not watched and are older than age_ms are killed.
 */
void		 ends_suspect_strangers(struct ends *, int age_ms);

#endif
