/*
 * Jails on Linux: whatever a container's processes live in, known by one of
 * them.  Nothing here touches a container's file system, which may never
 * answer; only /proc, nsfs and cgroupfs.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../stub/order.h"
#include "cgroup.h"
#include "jail.h"
#include "log.h"
#include "procfs.h"

/* linux/nsfs.h, since Linux 6.11: a pid of the namespace, seen from ours. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS	_IOR(0xb7, 0x6, int)
#endif

#define LABEL_FILE_MAX	4096	/* a page is all that the kernel gives */

RB_HEAD(jail_tree, jail);

struct jails {
	struct ends	*ends;
	struct cgroups	*cgroups;
	struct jail_tree tree;		/* by pid and start time */
	unsigned int	 count;
	struct procfs_id host_pidns;
	void		(*ended)(void *, struct jail *);
	void		*arg;
};

static int
compare(struct jail *a, struct jail *b)
{
	if (a->id != b->id)
		return (a->id < b->id ? -1 : 1);
	return ((a->started > b->started) - (a->started < b->started));
}

RB_GENERATE_INTERNAL(jail_tree, jail, entry, compare,
    static __attribute__((unused)))

struct jails *
jails_open(struct event_base *base, struct ends *ends,
    void (*ended)(void *, struct jail *), void *arg)
{
	struct jails *jails = calloc(1, sizeof(*jails));

	(void)base;
	if (jails == NULL)
		return (NULL);
	RB_INIT(&jails->tree);
	jails->ends = ends;
	jails->ended = ended;
	jails->arg = arg;
	jails->cgroups = cgroups_open();
	if (jails->cgroups == NULL ||
	    procfs_ns(getpid(), "pid", &jails->host_pidns) == -1) {
		jails_close(jails);
		return (NULL);
	}
	return (jails);
}

void
jails_close(struct jails *jails)
{
	int saved = errno;

	if (jails->cgroups != NULL)
		cgroups_close(jails->cgroups);
	free(jails);
	errno = saved;
}

unsigned int
jails_count(const struct jails *jails)
{
	return (jails->count);
}

static void
on_ended(void *arg, int status)
{
	struct jail *jail = arg;

	(void)status;
	jail->ended = true;
	jail->jails->ended(jail->jails->arg, jail);
}

/*
 * Before 6.11 nobody but /proc knows who the init of a namespace is.  -1: it
 * has none, or, by errno, it cannot be looked for now.
 */
static pid_t
search_init(const struct procfs_id *pidns)
{
	struct procfs_id id;
	struct dirent *de;
	DIR *dir = opendir("/proc");
	pid_t found = -1;
	int error = ESRCH;

	if (dir == NULL)
		return (-1);
	while (found == -1 && !procfs_is_shortage(error)) {
		pid_t pid;

		errno = 0;
		de = readdir(dir);
		if (de == NULL) {
			error = errno != 0 ? errno : error;
			break;
		}
		pid = (pid_t)strtol(de->d_name, NULL, 10);
		if (pid <= 0)
			continue;
		errno = 0;
		if (procfs_ns(pid, "pid", &id) == 0 &&
		    procfs_same(&id, pidns) && procfs_inner_pid(pid) == 1)
			found = pid;
		else if (procfs_is_shortage(errno))
			error = errno;
	}
	closedir(dir);
	errno = error;
	return (found);
}

/* The process that a jail's life hangs on.  -1: it has ended. */
static pid_t
find_init(const struct jails *jails, pid_t pid)
{
	struct procfs_id pidns;
	char path[PROCFS_PATH_MAX];
	int fd, init;

	if (procfs_ns(pid, "pid", &pidns) == -1)
		return (-1);
	if (procfs_same(&pidns, &jails->host_pidns) ||
	    procfs_inner_pid(pid) == 1)
		return (pid);
	snprintf(path, sizeof(path), "/proc/%ld/ns/pid", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	init = ioctl(fd, NS_GET_PID_FROM_PIDNS, 1);
	close(fd);
	return (init > 0 ? (pid_t)init : search_init(&pidns));
}

static struct jail *
new_jail(struct jails *jails, int id, uint64_t started)
{
	struct jail *jail = calloc(1, sizeof(*jail));

	if (jail == NULL)
		return (NULL);
	jail->id = id;
	jail->started = started;
	jail->jails = jails;
	/* Its init ends it, whatever else lives in it. */
	jail->persists = true;
	LIST_INIT(&jail->actions);
	TAILQ_INIT(&jail->waiting);
	return (jail);
}

static struct jail *
add_jail(struct jails *jails, pid_t pid, uint64_t started, int pidfd)
{
	struct jail *jail = new_jail(jails, (int)pid, started);
	struct procfs_id pidns;

	if (jail == NULL) {
		close(pidfd);
		return (NULL);
	}
	jail->pidns = procfs_ns(pid, "pid", &pidns) == 0 ?
	    (uint64_t)pidns.ino : 0;
	if (ends_watch_other(jails->ends, &jail->end, pid, pidfd, on_ended,
	    jail) == -1) {
		free(jail);
		return (NULL);
	}
	RB_INSERT(jail_tree, &jails->tree, jail);
	jails->count++;
	return (jail);
}

/* False: not the same process any more, or nobody can tell; see errno. */
static bool
is_still(pid_t pid, uint64_t started)
{
	uint64_t now;

	if (procfs_start_time(pid, &now) == 0) {
		errno = ESRCH;
		return (now == started);
	}
	if (!procfs_is_shortage(errno))
		errno = ESRCH;
	return (false);
}

/* A jail by its init, which the caller has just found under that number. */
static struct jail *
get_jail(struct jails *jails, pid_t pid)
{
	struct jail key = { .id = (int)pid }, *jail;
	int pidfd, saved;

	if (procfs_start_time(pid, &key.started) == -1) {
		if (!procfs_is_shortage(errno))
			errno = ESRCH;
		return (NULL);
	}
	jail = RB_FIND(jail_tree, &jails->tree, &key);
	if (jail != NULL)
		return (jail);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd == -1)
		return (NULL);
	/* In between the number may have changed hands. */
	if (!is_still(pid, key.started)) {
		saved = errno;
		close(pidfd);
		errno = saved;
		return (NULL);
	}
	return (add_jail(jails, pid, key.started, pidfd));
}

__attribute__((format(printf, 5, 6)))
static struct jail *
refuse(int *status, int value, char *err, size_t errsize, const char *fmt, ...)
{
	va_list ap;

	*status = value;
	va_start(ap, fmt);
	vsnprintf(err, errsize, fmt, ap);
	va_end(ap);
	return (NULL);
}

static struct jail *
refuse_for_now(pid_t pid, int *status, char *err, size_t errsize)
{
	return (refuse(status, EX_TEMPFAIL, err, errsize, "no descriptor or "
	    "memory left to hold the jail of process %ld", (long)pid));
}

/*
 * A held jail by its init, which is how it is mostly named: its pidfd says
 * that it has not ended, so the number is still its own.
 */
static struct jail *
find_held(struct jails *jails, pid_t pid, uint64_t started)
{
	struct jail key = { .id = (int)pid, .started = started };
	struct jail *jail = RB_FIND(jail_tree, &jails->tree, &key);

	if (jail == NULL || jail->ended)
		return (NULL);
	return (jail_ref(jail));
}

struct jail *
jails_hold(struct jails *jails, const struct spec *spec, int *status,
    char *err, size_t errsize)
{
	pid_t pid = (pid_t)spec->pid, init;
	struct jail *jail;
	uint64_t started;
	int error;

	if (pid == 0)
		return (refuse(status, EX_USAGE, err, errsize,
		    "no pid is given, expected that of one of the jail's "
		    "processes"));
	if (procfs_start_time(pid, &started) == -1)
		return (procfs_is_shortage(errno) ?
		    refuse_for_now(pid, status, err, errsize) :
		    refuse(status, EX_NOHOST, err, errsize, "no process %ld",
		    (long)pid));
	if (spec->started != 0 && spec->started != started)
		return (refuse(status, EX_NOHOST, err, errsize,
		    "process %ld has ended and its number was used again: "
		    "the jail is gone", (long)pid));
	jail = find_held(jails, pid, started);
	if (jail != NULL)
		return (jail);
	init = find_init(jails, pid);
	if (init == -1 && (errno == EACCES || errno == EPERM))
		return (refuse(status, EX_NOPERM, err, errsize,
		    "process %ld: its namespaces may not be read by this "
		    "daemon", (long)pid));
	jail = init == -1 ? NULL : get_jail(jails, init);
	if (jail != NULL)
		jail->refs++;
	/*
	 * If the number is still the same process', all that was read under
	 * it meanwhile was that process', and the jail is its.
	 */
	if (jail != NULL && !jail->ended && is_still(pid, started))
		return (jail);
	error = jail != NULL && jail->ended ? ESRCH : errno;
	if (jail != NULL)
		jails_release(jail);
	if (procfs_is_shortage(error))
		return (refuse_for_now(pid, status, err, errsize));
	return (refuse(status, EX_NOHOST, err, errsize,
	    "process %ld: its jail has ended", (long)pid));
}

struct jail *
jails_hold_again(struct jails *jails, const char *name, int id,
    uint64_t started, uint64_t pidns, int *status, char *err, size_t errsize)
{
	const struct spec s = { .pid = id, .started = started };
	struct jail *jail;

	(void)name;
	jail = jails_hold(jails, &s, status, err, errsize);
	if (jail != NULL && jail->id == id && jail->started == started &&
	    jail->pidns == pidns)
		return (jail);
	if (jail != NULL)
		jails_release(jail);
	if (jail != NULL || *status != EX_TEMPFAIL)
		*status = EX_NOHOST;
	return (NULL);
}

/* Where a directory is, without asking a file system that may not answer. */
static int
identify(const char *path, struct statx *st)
{
	int fd = open(path, O_PATH | O_CLOEXEC), ret;

	if (fd == -1)
		return (-1);
	ret = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, st);
	close(fd);
	return (ret);
}

/* As the stub has it: a mount namespace alone is no container. */
bool
jail_is_host(const struct jail *jail)
{
	static const char *const kinds[] = { "pid", "user" };
	struct procfs_id ours, theirs;
	struct statx our_root, root;
	char path[PROCFS_PATH_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (procfs_ns(getpid(), kinds[i], &ours) == -1 ||
		    procfs_ns(jail->id, kinds[i], &theirs) == -1 ||
		    !procfs_same(&ours, &theirs))
			return (false);
	snprintf(path, sizeof(path), "/proc/%d/root", jail->id);
	return (identify("/", &our_root) == 0 && identify(path, &root) == 0 &&
	    our_root.stx_ino == root.stx_ino &&
	    our_root.stx_dev_major == root.stx_dev_major &&
	    our_root.stx_dev_minor == root.stx_dev_minor);
}

/* It has no process to watch. */
struct jail *
jails_recall(struct jails *jails, int id, uint64_t started, const char *name)
{
	struct jail key = { .id = id, .started = started };
	struct jail *jail = RB_FIND(jail_tree, &jails->tree, &key);

	(void)name;
	if (jail == NULL) {
		jail = new_jail(jails, id, started);
		if (jail == NULL)
			return (NULL);
		jail->ended = true;
		RB_INSERT(jail_tree, &jails->tree, jail);
		jails->count++;
	}
	return (jail_ref(jail));
}

const bool jails_can_list = false;

int
jails_list(int last, char *name, size_t size)
{
	(void)last;
	(void)name;
	(void)size;
	return (0);
}

struct jail *
jail_ref(struct jail *jail)
{
	jail->refs++;
	return (jail);
}

void
jails_release(struct jail *jail)
{
	struct jails *jails = jail->jails;

	if (--jail->refs > 0)
		return;
	RB_REMOVE(jail_tree, &jails->tree, jail);
	jails->count--;
	ends_forget(jails->ends, &jail->end);
	free(jail);
}

/* The pidfd tells of the end by itself. */
bool
jail_is_there(struct jail *jail)
{
	return (!jail->ended);
}

int
jail_target(const struct jail *jail)
{
	return (jail->end.fd);
}

/* AppArmor adds how it is enforced: "docker-default (enforce)\n". */
static void
trim_label(char *label)
{
	char *p = strstr(label, " (");

	if (p != NULL)
		*p = '\0';
	label[strcspn(label, "\n")] = '\0';
}

/* Half a label could be another one: what does not fit is not read. */
static int
read_label(const char *who, const char *leaf, char *label, size_t size)
{
	char path[PROCFS_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/attr/%s", who, leaf);
	n = procfs_read(path, label, size);
	if (n <= 0 || (size_t)n == size - 1)
		return (-1);
	trim_label(label);
	return (0);
}

/*
 * A confined guest may signal only what carries its own label, so the probe
 * takes it.  An unlabelled target, or no security module: nothing to do.
 */
static int
order_label(const struct jail *jail, struct order *order, char *err,
    size_t errsize)
{
	static const char *const files[] = { "apparmor/current", "current" };
	char who[16], ours[LABEL_FILE_MAX], theirs[LABEL_FILE_MAX];
	int n;

	snprintf(who, sizeof(who), "%d", jail->id);
	for (int i = 0; i < 2; i++) {
		bool apparmor = i == 0;

		if (read_label("self", files[i], ours, sizeof(ours)) == -1)
			continue;
		if (read_label(who, files[i], theirs, sizeof(theirs)) == -1) {
			snprintf(err, errsize,
			    "cannot read the security label of process %d",
			    jail->id);
			return (EX_OSERR);
		}
		if (strcmp(ours, theirs) == 0)
			return (0);
		n = snprintf(order->label, sizeof(order->label), "%s%s",
		    apparmor ? "changeprofile " : "", theirs);
		if (n < 0 || (size_t)n >= sizeof(order->label)) {
			snprintf(err, errsize, "the security label of process "
			    "%d is longer than %d bytes", jail->id,
			    ORDER_LABEL_MAX - 1);
			return (EX_OSERR);
		}
		order->label_len = (uint32_t)n;
		order->flags |= apparmor ? ORDER_F_APPARMOR : 0;
		return (0);
	}
	return (0);
}

int
jail_order(struct jail *jail, const struct spec *spec, struct order *order,
    char *err, size_t errsize)
{
	memset(order, 0, sizeof(*order));
	order->magic = ORDER_MAGIC;
	order->jid = jail->id;
	order->uid = spec->uid;
	order->gid = spec->gid;
	return (order_label(jail, order, err, errsize));
}

/*
 * Who was reported is where it should be, or could not be asked: it has been
 * reaped, or this daemon is not root and may not look.
 */
static int
check_namespace(const struct jail *jail, pid_t probe, const char *kind,
    char *err, size_t errsize)
{
	struct procfs_id jails, probes;

	if (procfs_ns(probe, kind, &probes) == -1)
		return (0);
	if (procfs_ns(jail->id, kind, &jails) == -1) {
		snprintf(err, errsize, "the jail has ended");
		return (EX_NOHOST);
	}
	if (procfs_same(&jails, &probes))
		return (0);
	snprintf(err, errsize, "the reported probe is not in the jail's %s "
	    "namespace", kind);
	return (EX_OSERR);
}

/* Everything that was read under the number was the jail's only if not. */
static int
refuse_ended(const struct jail *jail, char *err, size_t errsize)
{
	struct pollfd pfd = { .fd = jail->end.fd, .events = POLLIN };

	if (!jail->ended && poll(&pfd, 1, 0) == 0)
		return (0);
	snprintf(err, errsize, "the jail has ended");
	return (EX_NOHOST);
}

int
jail_admit(struct jail *jail, pid_t stub, char *err, size_t errsize)
{
	int moved = cgroups_move(jail->jails->cgroups, jail->id, stub, err,
	    errsize);
	struct log_quoted quoted;
	char ended[64];

	if (refuse_ended(jail, ended, sizeof(ended)) != 0) {
		snprintf(err, errsize, "%s", ended);
		return (EX_NOHOST);
	}
	if (moved == 0)
		return (0);
	if (geteuid() != 0) {
		/*
		 * Delegation ends somewhere; the probe works all the same.
		 * What the jail calls its cgroup is in there.
		 */
		log_warnx("event=cgroup jid=%d pid=%ld text=%s", jail->id,
		    (long)stub, log_quote(&quoted, err));
		return (0);
	}
	return (EX_OSERR);
}

/* Its pid namespace is for life. */
int
jail_check_birth(struct jail *jail, pid_t probe, char *err, size_t errsize)
{
	int status = check_namespace(jail, probe, "pid", err, errsize);

	return (status != 0 ? status : refuse_ended(jail, err, errsize));
}

int
jail_check(struct jail *jail, pid_t probe, char *err, size_t errsize)
{
	int status = check_namespace(jail, probe, "user", err, errsize);

	return (status != 0 ? status : refuse_ended(jail, err, errsize));
}

void
jail_id_map(const struct jail *jail, bool groups, char *buf, size_t size)
{
	char path[PROCFS_PATH_MAX], text[4096];
	unsigned long inside, outside, length;
	size_t used = 0;
	char *line, *rest = text;

	snprintf(path, sizeof(path), "/proc/%d/%s", jail->id,
	    groups ? "gid_map" : "uid_map");
	snprintf(buf, size, "nothing");
	if (procfs_read(path, text, sizeof(text)) <= 0)
		return;
	while ((line = strsep(&rest, "\n")) != NULL && used < size) {
		int n;

		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &length)
		    != 3 || length == 0)
			continue;
		n = snprintf(buf + used, size - used, "%s%lu-%lu",
		    used == 0 ? "" : ", ", inside, inside + length - 1);
		if (n > 0)
			used += (size_t)n;
	}
}
