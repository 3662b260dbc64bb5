#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procfs.h"

#define START_TIME_FIELD	22

bool
procfs_is_shortage(int error)
{
	return (error == EMFILE || error == ENFILE || error == ENOMEM);
}

ssize_t
procfs_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;
	int saved;

	if (fd == -1)
		return (-1);
	while (used < size - 1 &&
	    (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	saved = errno;
	close(fd);
	errno = saved;
	buf[used] = '\0';
	return (n == -1 ? -1 : (ssize_t)used);
}

int
procfs_start_time(pid_t pid, uint64_t *started)
{
	char path[PROCFS_PATH_MAX], text[1024], *p;

	if (pid <= 0) {
		errno = ESRCH;
		return (-1);
	}
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (procfs_read(path, text, sizeof(text)) <= 0)
		return (-1);
	/* The name, field 2, is in parentheses and may hold any byte. */
	p = strrchr(text, ')');
	for (int field = 2; p != NULL && field < START_TIME_FIELD; field++) {
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	if (p == NULL) {
		errno = EINVAL;
		return (-1);
	}
	*started = strtoull(p, NULL, 10);
	return (0);
}

int
procfs_ns(pid_t pid, const char *kind, struct procfs_id *id)
{
	char path[PROCFS_PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld/ns/%s", (long)pid, kind);
	if (stat(path, &st) == -1)
		return (-1);
	id->dev = st.st_dev;
	id->ino = st.st_ino;
	return (0);
}

bool
procfs_same(const struct procfs_id *a, const struct procfs_id *b)
{
	return (a->dev == b->dev && a->ino == b->ino);
}

pid_t
procfs_inner_pid(pid_t pid)
{
	char path[PROCFS_PATH_MAX], text[4096], *p, *end;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (procfs_read(path, text, sizeof(text)) <= 0 ||
	    (p = strstr(text, "\nNSpid:")) == NULL)
		return (-1);
	p++;
	end = p + strcspn(p, "\n");
	*end = '\0';
	p = strrchr(p, '\t');
	return (p == NULL ? -1 : (pid_t)strtol(p + 1, NULL, 10));
}
