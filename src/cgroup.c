/*
 * The daemon moves the probe, after it was born without privileges: a stub
 * that moved itself could be frozen by the jail while it is privileged.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "procfs.h"

#define HIERARCHIES_MAX	32
#define TEXT_MAX	8192

struct hierarchy {
	char	*options;	/* of the mount: "rw,cpu,cpuacct"; v2: "" */
	char	*point;		/* where it is mounted */
	char	*root;		/* which of its cgroups is mounted there */
};

struct cgroups {
	struct hierarchy hierarchies[HIERARCHIES_MAX];
	int		 count;
};

/* One line of /proc/PID/cgroup: "4:cpu,cpuacct:/a/b", v2 "0::/a/b". */
struct membership {
	const char	*controllers;
	const char	*path;
};

static void
forget_mounts(struct cgroups *cg)
{
	for (int i = 0; i < cg->count; i++) {
		free(cg->hierarchies[i].options);
		free(cg->hierarchies[i].point);
		free(cg->hierarchies[i].root);
	}
	cg->count = 0;
}

static void
add_mount(struct cgroups *cg, const char *options, const char *point,
    const char *root)
{
	struct hierarchy *h = &cg->hierarchies[cg->count];

	if (cg->count == HIERARCHIES_MAX)
		return;
	h->options = strdup(options);
	h->point = strdup(point);
	h->root = strdup(root);
	cg->count++;
}

/*
 * "36 35 98:0 /root /point opts tags - type source superopts", proc(5).
 * Mount points with spaces, escaped there, are none of cgroup file systems.
 */
static void
parse_mount(struct cgroups *cg, char *line)
{
	char *fields[5] = { NULL }, *type, *super, *dash;

	dash = strstr(line, " - ");
	if (dash == NULL)
		return;
	*dash = '\0';
	dash += strlen(" - ");
	for (int i = 0; i < 5; i++)
		fields[i] = strsep(&line, " ");
	type = strsep(&dash, " ");
	strsep(&dash, " ");
	super = dash;
	if (fields[4] == NULL || type == NULL || super == NULL)
		return;
	if (strcmp(type, "cgroup2") == 0)
		add_mount(cg, "", fields[4], fields[3]);
	else if (strcmp(type, "cgroup") == 0)
		add_mount(cg, super, fields[4], fields[3]);
}

static int
read_mounts(struct cgroups *cg)
{
	FILE *fp = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	if (fp == NULL)
		return (-1);
	forget_mounts(cg);
	while (getline(&line, &size, fp) != -1) {
		line[strcspn(line, "\n")] = '\0';
		parse_mount(cg, line);
	}
	free(line);
	fclose(fp);
	return (0);
}

struct cgroups *
cgroups_open(void)
{
	struct cgroups *cg = calloc(1, sizeof(*cg));

	if (cg != NULL && read_mounts(cg) == -1) {
		free(cg);
		return (NULL);
	}
	return (cg);
}

void
cgroups_close(struct cgroups *cg)
{
	forget_mounts(cg);
	free(cg);
}

/* Is the word one of the list's, which commas separate? */
static bool
has_word(const char *list, const char *word, size_t len)
{
	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return (true);
	}
	return (false);
}

static const struct hierarchy *
find_mount(const struct cgroups *cg, const char *controllers)
{
	size_t len = strcspn(controllers, ",");

	for (int i = 0; i < cg->count; i++) {
		const struct hierarchy *h = &cg->hierarchies[i];

		if (h->options == NULL || h->point == NULL || h->root == NULL)
			continue;
		if (len == 0 ? h->options[0] == '\0' :
		    has_word(h->options, controllers, len))
			return (h);
	}
	return (NULL);
}

static bool
parse_membership(char **text, struct membership *m)
{
	char *line = strsep(text, "\n");

	if (line == NULL || strsep(&line, ":") == NULL)
		return (false);
	m->controllers = strsep(&line, ":");
	m->path = line;
	return (m->controllers != NULL && m->path != NULL);
}

/* Both texts list the same hierarchies in the same order. */
static bool
already_there(const char *text, const struct membership *m)
{
	size_t len = strlen(m->controllers);

	for (const char *p = text; p != NULL && *p != '\0';) {
		const char *c = strchr(p, ':'), *end = strchr(p, '\n');

		if (c != NULL && strncmp(c + 1, m->controllers, len) == 0 &&
		    c[1 + len] == ':') {
			const char *path = c + 2 + len;
			size_t plen = end == NULL ? strlen(path) :
			    (size_t)(end - path);

			return (strlen(m->path) == plen &&
			    strncmp(path, m->path, plen) == 0);
		}
		p = end == NULL ? NULL : end + 1;
	}
	return (false);
}

static int
write_pid(const struct hierarchy *h, const char *path, pid_t pid)
{
	char file[PATH_MAX], number[16];
	size_t root = strlen(h->root);
	int fd, n, saved;

	/* The mount may show only a part of the hierarchy. */
	if (strcmp(h->root, "/") != 0 && strncmp(path, h->root, root) == 0 &&
	    (path[root] == '/' || path[root] == '\0'))
		path += root;
	n = snprintf(file, sizeof(file), "%s%s/cgroup.procs", h->point, path);
	if (n < 0 || (size_t)n >= sizeof(file)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	n = snprintf(number, sizeof(number), "%ld", (long)pid);
	n = write(fd, number, (size_t)n) == -1 ? -1 : 0;
	saved = errno;
	close(fd);
	errno = saved;
	return (n == -1 && errno == ESRCH ? 0 : n);
}

static int
move_one(struct cgroups *cg, const struct membership *m, pid_t pid, char *err,
    size_t errsize)
{
	const struct hierarchy *h = find_mount(cg, m->controllers);

	/* Mounted since we looked? */
	if (h == NULL && read_mounts(cg) == 0)
		h = find_mount(cg, m->controllers);
	/*
	 * A named hierarchy controls nothing; systemd-nspawn makes one for old
	 * guests that a host of pure v2 has not mounted.
	 */
	if (h == NULL && strncmp(m->controllers, "name=", 5) == 0)
		return (0);
	if (h == NULL)
		errno = ENOENT;
	else if (write_pid(h, m->path, pid) == 0)
		return (0);
	snprintf(err, errsize, "cannot move the probe to the jail's cgroup "
	    "%s:%s: %s", m->controllers, m->path, strerror(errno));
	return (-1);
}

int
cgroups_move(struct cgroups *cg, pid_t model, pid_t pid, char *err,
    size_t errsize)
{
	char path[PROCFS_PATH_MAX], theirs[TEXT_MAX], ours[TEXT_MAX];
	struct membership m;
	char *rest = theirs;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)model);
	n = procfs_read(path, theirs, sizeof(theirs));
	if (n == (ssize_t)sizeof(theirs) - 1) {
		snprintf(err, errsize, "the jail's cgroups nest too deeply");
		return (-1);
	}
	if (n == -1) {
		/* A kernel without cgroups has no such file. */
		if (errno == ENOENT && procfs_read("/proc/self/cgroup", ours,
		    sizeof(ours)) == -1)
			return (0);
		snprintf(err, errsize, "the jail has ended");
		return (-1);
	}
	snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
	if (procfs_read(path, ours, sizeof(ours)) == -1)
		return (0);
	while (parse_membership(&rest, &m))
		if (!already_there(ours, &m) &&
		    move_one(cg, &m, pid, err, errsize) == -1)
			return (-1);
	return (0);
}
