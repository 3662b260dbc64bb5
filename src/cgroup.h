/* Linux: putting a probe into its jail's cgroups, v1 and v2. */
#ifndef CGROUP_H
#define CGROUP_H

#include <sys/types.h>

struct cgroups;

/* Reads where the hierarchies are mounted.  NULL with errno. */
struct cgroups	*cgroups_open(void);
void		 cgroups_close(struct cgroups *);

/*
 * Moves pid into every cgroup of the model process that it is not in yet.
 * A pid that has just ended is no failure.  -1 with one line in err.
 */
int		 cgroups_move(struct cgroups *, pid_t model, pid_t pid,
		    char *err, size_t errsize);

#endif
