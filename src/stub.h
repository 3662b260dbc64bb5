/*
 * The stub's program and its channel.  stub_linux.c, stub_freebsd.c.
 */
#ifndef STUB_H
#define STUB_H

#include <sys/types.h>
#include <stdbool.h>

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
 * A channel: fds[0] is the daemon's end, non-blocking, fds[1] the stub's;
 * both close on exec.  -1 with errno.
 */
int	stub_channel(int fds[2]);

/*
 * One report, and who sent it as the kernel says (FreeBSD: 0, it does not
 * say).  1, 0 at the end of file, -1 with errno (EAGAIN: none yet; EBADMSG:
 * not a report).
 */
int	stub_receive(int fd, struct report *, pid_t *sender);

#endif
