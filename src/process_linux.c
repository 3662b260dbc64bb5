#include <sys/types.h>
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "process.h"
#include "procfs.h"

int
process_signal_session(pid_t session, bool leader, int sig)
{
	struct dirent *de;
	DIR *dir;

	if (!leader && kill(session, 0) == 0)
		return (0);
	if ((dir = opendir("/proc")) == NULL)
		return (procfs_is_shortage(errno) ? -1 : 0);
	while ((de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && pid != session && getsid(pid) == session)
			kill(pid, sig);
	}
	closedir(dir);
	return (0);
}

int64_t
process_started(pid_t pid)
{
	uint64_t ticks;

	if (procfs_start_time(pid, &ticks) == -1) {
		if (!procfs_is_shortage(errno))
			errno = ESRCH;
		return (-1);
	}
	return ((int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK)));
}

int64_t
process_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

pid_t
process_find_writer(const struct stat *file)
{
	char path[PROCFS_PATH_MAX];
	struct dirent *de;
	struct stat st;
	pid_t found = 0;
	DIR *dir = opendir("/proc");
	int saved;

	if (dir == NULL)
		return (-1);
	while (found == 0 && (errno = 0, de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid <= 0 || getsid(pid) != pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/fd/1", (long)pid);
		if (stat(path, &st) == -1)
			found = procfs_is_shortage(errno) ? -1 : 0;
		else if (st.st_dev == file->st_dev &&
		    st.st_ino == file->st_ino)
			found = pid;
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	return (found == 0 && errno != 0 ? -1 : found);
}

int
process_boot(char *buf, size_t size)
{
	if (procfs_read("/proc/sys/kernel/random/boot_id", buf, size) <= 0)
		return (-1);
	buf[strcspn(buf, "\n")] = '\0';
	return (0);
}

bool
process_same_boot(const char *a, const char *b)
{
	return (strcmp(a, b) == 0);
}
