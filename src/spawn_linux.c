/*
 * vfork(2) and posix_spawn(3) copy the descriptor table before the child
 * can close a thing: with 10,000 pidfds open that alone is most of a
 * millisecond.  Here the child shares the daemon's table until it unshares
 * only the lowest few descriptors of it, which the daemon keeps in reserve
 * for that: the cost is the same at 10 and at 10,000.
 */
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/keyctl.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spawn.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE	(1U << 1)
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD		0x00001000
#endif

/*
 * Slots SLOT_FIRST to SLOT_LAST: what becomes 0, 1, 2 and so on, and the
 * program.  The table is copied in pieces of 64, so that more slots cost no
 * more.
 */
#define SLOT_FIRST	3
#define SLOT_PROGRAM	(SLOT_FIRST + SPAWN_FDS_MAX)
#define SLOT_LAST	SLOT_PROGRAM
#define STACK_SIZE	(32 * 1024)
#define KERNEL_SIGNALS	64

/*
 * The daemon ignores SIGPIPE, and a service has its own ideas of the others; all
 * that are not here have been at their default since the start, see daemon.c.  64
 * calls for each command would be felt: they take a hundredth of the time to its
 * first byte.
 */
static const int changed_signals[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM };

static int spare = -1;		/* /dev/null, what idle slots hold */

struct child {
	const struct spawn	*sp;
	int			 error;
};

int
spawn_init(void)
{
	/* Whoever started us keeps his keys to himself. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	spare = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (spare == -1)
		return (-1);
	/* Keep the original above the slots, which may have taken it. */
	if (spare <= SLOT_LAST) {
		int fd = fcntl(spare, F_DUPFD_CLOEXEC, SLOT_LAST + 1);

		if (fd == -1)
			return (-1);
		spare = fd;
	}
	for (int slot = SLOT_FIRST; slot <= SLOT_LAST; slot++)
		if (dup3(spare, slot, O_CLOEXEC) == -1)
			return (-1);
	return (0);
}

/* In the parent: the slots are its own until the child has unshared. */
static int
fill_slots(const struct spawn *sp)
{
	for (int i = 0; i < sp->nfds; i++)
		if (sp->fds[i] != -1 &&
		    dup3(sp->fds[i], SLOT_FIRST + i, O_CLOEXEC) == -1)
			return (-1);
	if (sp->program != -1 &&
	    dup3(sp->program, SLOT_PROGRAM, O_CLOEXEC) == -1)
		return (-1);
	return (0);
}

static void
empty_slots(const struct spawn *sp)
{
	for (int i = 0; i < sp->nfds; i++)
		if (sp->fds[i] != -1)
			dup3(spare, SLOT_FIRST + i, O_CLOEXEC);
	if (sp->program != -1)
		dup3(spare, SLOT_PROGRAM, O_CLOEXEC);
}

/*
 * By the kernel's own call, since the C library hides the two signals that
 * it keeps for itself, and those can be inherited as ignored too.  All zeros
 * is the default action, with no flag and an empty mask, in any layout.
 */
static void
reset_signal(int sig)
{
	static const unsigned long dfl[8];

	syscall(SYS_rt_sigaction, sig, dfl, NULL, KERNEL_SIGNALS / 8);
}

static void
block_none(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
spawn_reset_signals(void)
{
	for (int sig = 1; sig <= KERNEL_SIGNALS; sig++)
		reset_signal(sig);
	block_none();
}

/*
 * Shares the daemon's memory, until it executes; not its signal actions, and
 * from close_range on not its descriptors.  No logging, no allocation.
 */
static int
child_main(void *arg)
{
	struct child *child = arg;
	const struct spawn *sp = child->sp;

	/* While the daemon's descriptors are there. */
	if (sp->mark_to != NULL && renameat(sp->mark_dir, sp->mark_from,
	    sp->mark_dir, sp->mark_to) == -1)
		goto fail;
	if (syscall(SYS_close_range, SLOT_LAST + 1, ~0U, CLOSE_RANGE_UNSHARE)
	    == -1)
		goto fail;
	/* Upwards: what a slot had is taken before it is overwritten. */
	for (int i = 0; i < sp->nfds; i++) {
		if (sp->fds[i] == -1)
			close(i);
		else if (dup2(SLOT_FIRST + i, i) == -1)
			goto fail;
	}
	if (sp->run) {
		/* A child of ours may have replaced the one that we have. */
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
		setsid();
		umask(022);
		if (chdir("/") == -1)
			goto fail;
	}
	if (sp->nofile != NULL && setrlimit(RLIMIT_NOFILE, sp->nofile) == -1)
		goto fail;
	for (size_t i = 0; i < sizeof(changed_signals) / sizeof(int); i++)
		reset_signal(changed_signals[i]);
	block_none();
	if (sp->program != -1) {
		/*
		 * A stack that begins where the address space ends, and not up
		 * to two pages apart from its arguments: the Makefile's place
		 * for the stub counts on that.  Without it, where a sandbox
		 * refuses the call, a probe is some pages larger.
		 */
		personality(ADDR_NO_RANDOMIZE);
		syscall(SYS_execveat, SLOT_PROGRAM, "", sp->argv, sp->envp,
		    AT_EMPTY_PATH);
	} else
		execve(sp->path, sp->argv, sp->envp);
fail:
	child->error = errno;
	_exit(127);
}

int
spawn(const struct spawn *sp, pid_t *pid, int *fd)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	struct child child = { .sp = sp };
	sigset_t all, old;
	int saved;

	if (fill_slots(sp) == -1) {
		saved = errno;
		empty_slots(sp);
		errno = saved;
		return (-1);
	}
	/* What came then would end the child, or run in it on our memory. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	*pid = clone(child_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK |
	    CLONE_FILES | CLONE_PIDFD | SIGCHLD, &child, fd, NULL, NULL);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	empty_slots(sp);
	if (*pid == -1) {
		errno = saved;
		return (-1);
	}
	if (child.error == 0)
		return (0);
	/* It never was: its exit status is nobody's business. */
	while (waitpid(*pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	close(*fd);
	errno = child.error;
	return (-1);
}
