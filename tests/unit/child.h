/* A test's children, on Linux: they end with it, whatever becomes of it. */
#ifndef CHILD_H
#define CHILD_H

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <signal.h>
#include <unistd.h>

/* fork(2); the child ends with the test. */
static pid_t
child_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return (pid);
}

/* Has no descriptor, and lives until a signal ends it. */
static pid_t
child_idle(void)
{
	pid_t pid = child_fork();

	if (pid != 0)
		return (pid);
	(void)syscall(SYS_close_range, 0U, ~0U, 0U);
	for (;;)
		pause();
}

#endif
