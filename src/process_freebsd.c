#include <sys/param.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/user.h>
#include <errno.h>
#include <libutil.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "process.h"

/* The kernel's list of some processes; the caller frees it. */
static struct kinfo_proc *
list(int what, pid_t which, size_t *n)
{
	int mib[] = { CTL_KERN, KERN_PROC, what, which };
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

int
process_signal_session(pid_t session, bool leader, int sig)
{
	struct kinfo_proc *kp;
	size_t n;

	if (!leader && kill(session, 0) == 0)
		return (0);
	if ((kp = list(KERN_PROC_SESSION, session, &n)) == NULL)
		return (errno == ENOMEM ? -1 : 0);
	for (size_t i = 0; i < n; i++)
		if (kp[i].ki_pid != session && kp[i].ki_sid == session)
			kill(kp[i].ki_pid, sig);
	free(kp);
	return (0);
}

/* The clock's zero, as far as it is known: it moves when the clock is set. */
static int64_t
boot_time(void)
{
	int mib[] = { CTL_KERN, KERN_BOOTTIME };
	struct timeval tv = { 0, 0 };
	size_t len = sizeof(tv);

	if (sysctl(mib, 2, &tv, &len, NULL, 0) == -1)
		return (0);
	return ((int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000);
}

/* The kernel shows a start as real time: its own boot time added. */
int64_t
process_started(pid_t pid)
{
	struct kinfo_proc *kp;
	int64_t ms = -1;
	size_t n;

	if ((kp = list(KERN_PROC_PID, pid, &n)) == NULL)
		return (-1);
	if (n > 0)
		ms = (int64_t)kp->ki_start.tv_sec * 1000 +
		    kp->ki_start.tv_usec / 1000 - boot_time();
	free(kp);
	if (n == 0)
		errno = ESRCH;
	return (ms);
}

int64_t
process_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* 1 or 0; -1: that cannot be told. */
static int
writes_to(pid_t pid, const struct stat *file)
{
	struct kinfo_file *kf;
	int found = 0, n;

	if ((kf = kinfo_getfile(pid, &n)) == NULL)
		return (errno == ENOMEM ? -1 : 0);
	for (int i = 0; i < n; i++)
		found = found || (kf[i].kf_fd == 1 &&
		    kf[i].kf_type == KF_TYPE_VNODE &&
		    kf[i].kf_un.kf_file.kf_file_fileid == file->st_ino &&
		    kf[i].kf_un.kf_file.kf_file_fsid == file->st_dev);
	free(kf);
	return (found);
}

pid_t
process_find_writer(const struct stat *file)
{
	struct kinfo_proc *kp;
	pid_t found = 0;
	int writes;
	size_t n;

	if ((kp = list(KERN_PROC_PROC, 0, &n)) == NULL)
		return (-1);
	for (size_t i = 0; i < n && found == 0; i++) {
		if (kp[i].ki_pid != kp[i].ki_sid)
			continue;
		writes = writes_to(kp[i].ki_pid, file);
		found = writes == 1 ? kp[i].ki_pid : writes;
	}
	free(kp);
	if (found == -1)
		errno = ENOMEM;
	return (found);
}

/*
 * The time of boot must do, which is no more exact than the clock is steady:
 * setting the clock moves it.
 */
#define BOOT_SLACK_S	10
#define BOOT_TIME	"boottime:"

int
process_boot(char *buf, size_t size)
{
	snprintf(buf, size, BOOT_TIME "%lld", (long long)boot_time() / 1000);
	return (0);
}

bool
process_same_boot(const char *a, const char *b)
{
	const size_t n = strlen(BOOT_TIME);
	long long d;

	if (strncmp(a, BOOT_TIME, n) != 0 || strncmp(b, BOOT_TIME, n) != 0)
		return (strcmp(a, b) == 0);
	d = strtoll(a + n, NULL, 10) - strtoll(b + n, NULL, 10);
	return (d >= -BOOT_SLACK_S && d <= BOOT_SLACK_S);
}
