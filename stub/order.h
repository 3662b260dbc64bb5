/*
 * What the daemon tells a stub, and what comes back; nothing of either
 * side's memory crosses but these fields.
 *
 * FreeBSD: messages over a SOCK_SEQPACKET socketpair, descriptor 0.
 *
 * Linux: the order, and later a byte that says "go on" and one that answers
 * READY, come through a pipe; reports are added to the counter of an eventfd.  A jail that may
 * trace can take a new probe's descriptors, and no socket may be among them:
 * a socket leads to the process that made it (SO_PEERPIDFD, and through that
 * to the daemon's descriptors and namespaces), to its network namespace
 * (SIOCGSKNS), and it carries descriptors, whose last close the daemon would
 * have to sit out (SO_LINGER).  A counter leads nowhere.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stdint.h>

#define ORDER_MAGIC	0x6a707231U	/* "jpr1" */
#define ORDER_LABEL_MAX	256

/*
 * Descriptors of a new stub.  Linux: the pidfd of the jail's process, then
 * for each probe that it shall make a pipe and a counter.  The order comes
 * through the first pipe, and what the stub says of itself to the first
 * counter.
 */
#ifdef __linux__
#define ORDER_FD_TARGET		0
#define ORDER_FD_ORDER		1
#define ORDER_FD_REPORT		2
#define ORDER_FDS_EACH		2		/* from one probe's to the next's */
#define ORDER_PROBES_MAX	8
#else
#define ORDER_FD_ORDER		0
#define ORDER_FD_REPORT		0
#define ORDER_PROBES_MAX	1
#endif

/*
 * Linux: what each report adds to the counter.  Two may be read as one, so
 * each has bits of its own.  BORN is the probe's pid itself; FAILED has the step
 * and the errno too.
 */
#define COUNT_PID(count)	((uint32_t)(count))
#define COUNT_READY		(1ULL << 32)
#define COUNT_ERROR_SHIFT	36
#define COUNT_ERROR(count)	((uint32_t)((count) >> COUNT_ERROR_SHIFT & 0xfff))
#define COUNT_STEP_SHIFT	48
#define COUNT_STEP(count)	((uint32_t)((count) >> COUNT_STEP_SHIFT & 0xff))
#define COUNT_SHED		(1ULL << 61)
#define COUNT_FAILED		(1ULL << 62)
#define COUNT_FAILURE(step, error)					\
	((uint64_t)(1U << 26 | (uint32_t)(step) << 12 | (uint32_t)(error)) \
	    << COUNT_ERROR_SHIFT)

#define ORDER_F_APPARMOR	0x1U	/* the label is AppArmor's */

struct order {
	uint32_t	magic;
	uint32_t	flags;
	int32_t		jid;		/* FreeBSD: jid; Linux: pid of the target */
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	probes;		/* Linux: how many to make, one a title */
	uint32_t	label_len;	/* Linux: 0: keep the label */
	char		label[ORDER_LABEL_MAX];	/* what to write to attr/current */
};

/*
 * The steps of a stub, in order; a failure names the step that failed.  The
 * daemon's words for each stand in src/probe.c.
 */
enum report_step {
	STEP_NONE,
	STEP_ORDER,		/* read the order */
	STEP_HIDE,		/* not dumpable, not traceable */
	STEP_SHED,		/* keyring, umask, priorities, signals */
	STEP_OPEN,		/* what it needs of the host's /proc */
	STEP_GONE,		/* the target ended */
	STEP_NOT_CONTAINER,	/* the target lives on the host */
	STEP_SETGROUPS,
	STEP_JOIN,		/* setns(2), jail_attach(2) */
	STEP_ROOT,		/* fchdir, chroot */
	STEP_LABEL,
	STEP_BOUNDING,
	STEP_SETGID,
	STEP_SETUID,
	STEP_CAPS,
	STEP_PRIVS,		/* no_new_privs */
	STEP_LIMITS,
	STEP_CLOSE,
	STEP_CLONE,
	STEP_PDEATHSIG,
	STEP_SANDBOX,		/* seccomp, cap_enter(2) */
	STEP_COUNT
};

enum report_kind {
	REPORT_FAILED,		/* step and error say what; nothing follows */
	REPORT_SHED,		/* Linux, by the stub: it has no privilege any
				   more, and waits to go on */
	REPORT_BORN,		/* Linux, by the stub: pid is the probe's */
	REPORT_READY,		/* by the probe, its last word */
};

struct report {
	uint32_t	magic;
	uint32_t	kind;
	uint32_t	step;
	int32_t		error;		/* errno */
	int32_t		pid;
};

#endif
