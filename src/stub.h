/*
 * The stub's program and its channel.  stub_linux.c, stub_freebsd.c.
 */
#ifndef STUB_H
#define STUB_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../stub/order.h"

#define STUB_NAME	"jailprobe"

/*
 * Linux: the stub clones the probe and ends.  FreeBSD: it becomes the probe.
 */
extern const bool stub_is_probe;

/* Can probes be made here?  0, or -1 with errno and the reason in *what. */
int	stub_check(const char **what);

/*
 * A descriptor of the program to execute, close on exec, the caller's.
 * Linux: a fresh sealed memfd for every probe, because the jail reaches it
 * through /proc/PID/exe.  -1 with errno.
 */
int	stub_open(void);

/*
 * Between the daemon and one stub, later probe.  Nothing of it that a jail
 * could take from its probe leads anywhere; see order.h.
 */
struct channel {
	int		 reports;	/* readable when there is one */
	int		 orders;	/* Linux: a pipe; FreeBSD: as reports */
	int		 far_reports;	/* the stub's descriptors; -1: none */
	int		 far_orders;
	uint64_t	 count;		/* Linux: read, not told yet */
};

/* All close on exec, and none of ours blocks.  -1 with errno. */
int	channel_open(struct channel *);

/*
 * The descriptors of a stub for so many channels, one a probe: the jail's, if
 * there is one, and each channel's far ends, as order.h has them.  Their number,
 * SPAWN_FDS_MAX at most.
 */
int	stub_descriptors(int target, struct channel *const channels[],
	    unsigned int count, int fds[]);

/* The stub has its own by now. */
void	channel_close_far(struct channel *);
void	channel_close(struct channel *);

/* An order; a byte: the stub, later its probe, may go on.  -1 with errno. */
int	channel_send(const struct channel *, const void *, size_t);

/*
 * One report.  1, 0 at the end of file, -1 with errno (EAGAIN: none yet;
 * EBADMSG: not a report).  Linux: from SHED on a jail that may trace can
 * forge and withhold reports.
 */
int	channel_receive(struct channel *, struct report *);

#endif
