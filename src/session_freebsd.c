#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "session.h"

/* The kernel's list of a session's processes; the caller frees it. */
static struct kinfo_proc *
list(pid_t session, size_t *n)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_SESSION, session };
	struct kinfo_proc *kp;
	size_t size = 0;

	/* It may grow between the two calls. */
	do {
		if (sysctl(mib, 4, NULL, &size, NULL, 0) == -1)
			return (NULL);
		size += size / 8 + sizeof(*kp);
		if ((kp = malloc(size)) == NULL)
			return (NULL);
		if (sysctl(mib, 4, kp, &size, NULL, 0) == 0) {
			*n = size / sizeof(*kp);
			return (kp);
		}
		free(kp);
	} while (errno == ENOMEM);
	return (NULL);
}

void
session_signal(pid_t session, bool leader, int sig)
{
	struct kinfo_proc *kp;
	size_t n;

	if (!leader && kill(session, 0) == 0)
		return;
	if ((kp = list(session, &n)) == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		if (kp[i].ki_pid != session && kp[i].ki_sid == session)
			kill(kp[i].ki_pid, sig);
	free(kp);
}
