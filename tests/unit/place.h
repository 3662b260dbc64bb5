/*
 * A test's place of its own, on Linux: a mount namespace in which it may put
 * what it wants where the program looks for it.
 */
#ifndef PLACE_H
#define PLACE_H

#include <sys/mount.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static int
place_map_id(const char *path, unsigned long id)
{
	char map[64];
	ssize_t n;
	int fd, len;

	len = snprintf(map, sizeof(map), "0 %lu 1", id);
	if ((fd = open(path, O_WRONLY)) == -1)
		return (-1);
	n = write(fd, map, (size_t)len);
	(void)close(fd);
	return (n == len ? 0 : -1);
}

static int
place_enter_namespaces(void)
{
	uid_t uid;
	gid_t gid;
	int fd;

	uid = geteuid();
	gid = getegid();
	if (uid == 0)
		return (unshare(CLONE_NEWNS));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1)
		return (-1);
	if ((fd = open("/proc/self/setgroups", O_WRONLY)) != -1) {
		(void)!write(fd, "deny", 4);
		(void)close(fd);
	}
	return (place_map_id("/proc/self/uid_map", uid) == -1 ||
	    place_map_id("/proc/self/gid_map", gid) == -1 ? -1 : 0);
}

/* From here on what is mounted is seen by this process alone.  -1: not here. */
static int
place_enter(void)
{
	return (place_enter_namespaces() == -1 ? -1 :
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL));
}

#endif
