#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos.h"

bool
process_is(pid_t pid, const char *words)
{
	char path[64], args[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (false);
	if (read(fd, args, sizeof(args) - 1) < 0)
		args[0] = '\0';
	close(fd);
	return (strcmp(args, words) == 0);
}

void
process_held(pid_t pid, struct held *held)
{
	char path[64], line[128];
	FILE *f;
	DIR *d;

	memset(held, 0, sizeof(*held));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "RssAnon: %ld", &held->kb);
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	if ((d = opendir(path)) == NULL)
		return;
	while (readdir(d) != NULL)
		held->descriptors++;
	closedir(d);
}

/* Is that one of ours, and alive?  A dead one is its new parent's to reap. */
static bool
is_probe(const char *pid, unsigned int of)
{
	char path[300], line[128], comm[32] = "", state = 'Z';
	unsigned int uid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	if ((f = fopen(path, "r")) == NULL)
		return (false);
	while (fgets(line, sizeof(line), f) != NULL) {
		(void)sscanf(line, "Name: %31s", comm);
		(void)sscanf(line, "State: %c", &state);
		(void)sscanf(line, "Uid: %u", &uid);
	}
	fclose(f);
	return (strcmp(comm, "jailprobe") == 0 && uid == of &&
	    state != 'Z' && state != 'X');
}

unsigned int
probes_count(unsigned int uid)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	unsigned int n = 0;

	while ((de = readdir(d)) != NULL)
		n += isdigit(de->d_name[0]) && is_probe(de->d_name, uid);
	closedir(d);
	return (n);
}

/* -- deaths: taskstats ---------------------------------------------------- */

#define HEADER		4U	/* of an attribute: length and type */
#define ALIGNED(n)	(((size_t)(n) + 3) & ~(size_t)3)

struct message {
	struct nlmsghdr	 n;
	struct genlmsghdr g;
	char		 buf[16384];
};

static int
send_command(int fd, uint16_t type, uint8_t cmd, uint16_t attr,
    const void *data, size_t len)
{
	struct message m;
	struct nlattr *na = (struct nlattr *)m.buf;
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };

	memset(&m, 0, sizeof(m));
	m.n.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + GENL_HDRLEN +
	    ALIGNED(HEADER + len));
	m.n.nlmsg_type = type;
	m.n.nlmsg_flags = NLM_F_REQUEST;
	m.g.cmd = cmd;
	m.g.version = 1;
	na->nla_type = attr;
	na->nla_len = (uint16_t)(HEADER + len);
	memcpy((char *)na + HEADER, data, len);
	return (sendto(fd, &m, m.n.nlmsg_len, 0, (struct sockaddr *)&to,
	    sizeof(to)) == (ssize_t)m.n.nlmsg_len ? 0 : -1);
}

static const void *
find_attr(const void *from, size_t len, uint16_t type, size_t *size)
{
	const struct nlattr *na = from;

	while (len >= HEADER && na->nla_len >= HEADER &&
	    na->nla_len <= len) {
		if ((na->nla_type & NLA_TYPE_MASK) == type) {
			*size = na->nla_len - HEADER;
			return ((const char *)na + HEADER);
		}
		len -= ALIGNED(na->nla_len) < len ?
		    ALIGNED(na->nla_len) : len;
		na = (const void *)((const char *)na +
		    ALIGNED(na->nla_len));
	}
	return (NULL);
}

int
deaths_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int size = 64 * 1024 * 1024;
	struct message m;
	char cpus[32];
	const void *id;
	size_t len;

	if (fd == -1 || send_command(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
	    CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME,
	    sizeof(TASKSTATS_GENL_NAME)) == -1 ||
	    recv(fd, &m, sizeof(m), 0) <= 0 || m.n.nlmsg_type == NLMSG_ERROR)
		return (-1);
	id = find_attr(m.buf, m.n.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
	    CTRL_ATTR_FAMILY_ID, &len);
	if (id == NULL)
		return (-1);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	snprintf(cpus, sizeof(cpus), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) -
	    1);
	if (send_command(fd, *(const uint16_t *)id, TASKSTATS_CMD_GET,
	    TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus, strlen(cpus) + 1) == -1)
		return (-1);
	return (fd);
}

/* The death of a probe is booked. */
static void
take(struct books *books, const struct message *m, unsigned int uid)
{
	const struct taskstats *ts;
	const void *pid;
	size_t len;

	pid = find_attr(m->buf, m->n.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
	    TASKSTATS_TYPE_AGGR_PID, &len);
	if (pid == NULL)
		return;
	ts = find_attr(pid, len, TASKSTATS_TYPE_STATS, &len);
	if (ts != NULL && strcmp(ts->ac_comm, "jailprobe") == 0 &&
	    ts->ac_uid == uid)
		books_death(books, (pid_t)ts->ac_pid, (int)ts->ac_exitcode);
}

int
deaths_listen(int fd, unsigned int uid, volatile bool *stop,
    struct books *books)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct message m;

	/* An end is told of before it is over: at stop all are in the queue. */
	while (!*stop || poll(&pfd, 1, 0) == 1) {
		if (poll(&pfd, 1, 100) != 1)
			continue;
		if (recv(fd, &m, sizeof(m), 0) > 0)
			take(books, &m, uid);
		else if (errno == ENOBUFS) {
			printf("WRONG: deaths were missed\n");
			return (1);
		}
	}
	return (0);
}

/*
 * A process of this pid namespace?  What makes the probes has their words, too,
 * but no jail sees it.
 */
static bool
is_in_jail(const char *pid, const struct stat *jail)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return (stat(path, &st) == 0 && st.st_ino == jail->st_ino &&
	    st.st_dev == jail->st_dev);
}

/* In the order of /proc. */
unsigned int
deaths_hang_up(long jail, unsigned int uid, const char *words,
    struct books *books)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	unsigned int n = 0;
	char path[300];
	struct stat ns;

	(void)uid;
	snprintf(path, sizeof(path), "/proc/%ld/ns/pid", jail);
	if (stat(path, &ns) == -1)
		return (0);
	while ((de = readdir(d)) != NULL) {
		pid_t pid = (pid_t)atoi(de->d_name);
		char args[32] = "";
		int fd;

		if (!isdigit(de->d_name[0]) || !is_in_jail(de->d_name, &ns))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/cmdline", de->d_name);
		if ((fd = open(path, O_RDONLY)) == -1)
			continue;
		if (read(fd, args, sizeof(args) - 1) > 0 &&
		    strncmp(args, words, strlen(words)) == 0) {
			books_hang_up(books, pid, atoi(args + strlen(words)));
			n++;
		}
		close(fd);
	}
	closedir(d);
	return (n);
}

/* Who listens is told of those, too. */
void
deaths_settle(struct books *books)
{
	(void)books;
}

/*
 * A fatal signal stays in the queue of what it ends until that is waited for.
 * Since Linux 6.1 one that comes later than another fatal one is dropped, see
 * prepare_signal() in kernel/signal.c; before, it was queued there as well.
 */
bool
deaths_is_pending(pid_t pid)
{
	unsigned long long shared = 0;
	char path[64], line[128];
	struct utsname un;
	int major = 0, minor = 0;
	FILE *f;

	if (uname(&un) == -1 ||
	    sscanf(un.release, "%d.%d", &major, &minor) != 2 ||
	    major < 6 || (major == 6 && minor < 1))
		return (false);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if ((f = fopen(path, "r")) == NULL)
		return (false);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "ShdPnd: %llx", &shared);
	fclose(f);
	return ((shared >> (SIGHUP - 1) & 1) != 0);
}
