/*
 * The installed stub, opened anew for every probe.  A jail that sees its file
 * cannot write to it while a probe executes it; /proc/PID/file there is a
 * name, looked up from the jail's own root, and leads nowhere else.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "stub.h"

const bool stub_is_probe = true;

/* Set by stub_check(), and the same from then on. */
static struct {
	char	path[PATH_MAX];
	uid_t	owner;		/* whom it may belong to, besides root */
} stub = { .path = LIBEXECDIR "/" STUB_NAME };

/*
 * Beside the running program, where it is run from where it was built; it may
 * then belong to the one whom that program belongs to.
 */
static void
find_beside(void)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
	char path[PATH_MAX];
	size_t len = sizeof(path);
	struct stat program, st;
	char *slash;

	if (sysctl(mib, 4, path, &len, NULL, 0) == -1 ||
	    stat(path, &program) == -1 || (slash = strrchr(path, '/')) == NULL)
		return;
	slash[1] = '\0';
	if (strlcat(path, STUB_NAME, sizeof(path)) >= sizeof(path) ||
	    stat(path, &st) == -1)
		return;
	strlcpy(stub.path, path, sizeof(stub.path));
	stub.owner = program.st_uid;
}

/* Whoever could write to it would run as root on the host. */
static int
check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (st.st_uid == 0 || st.st_uid == stub.owner))
		return (0);
	errno = EPERM;
	return (-1);
}

int
stub_open(void)
{
	int fd = open(stub.path, O_EXEC | O_CLOEXEC);
	int saved;

	if (fd == -1 || check_file(fd) == 0)
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

/* Both are in GENERIC; a kernel of one's own may lack them. */
int
stub_check(const char **what)
{
	int fd;

	errno = ENOSYS;
	*what = "pdfork(2), kernel option PROCDESC";
	if (!feature_present("process_descriptors"))
		return (-1);
	*what = "cap_enter(2), kernel option CAPABILITY_MODE";
	if (!feature_present("security_capability_mode"))
		return (-1);
	find_beside();
	*what = stub.path;
	fd = stub_open();
	if (fd == -1)
		return (-1);
	close(fd);
	return (0);
}

int
channel_open(struct channel *c)
{
	int fds[2], saved;

	c->reports = c->orders = c->far_reports = c->far_orders = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return (-1);
	c->reports = c->orders = fds[0];
	c->far_orders = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		return (0);
	saved = errno;
	channel_close(c);
	errno = saved;
	return (-1);
}

int
stub_descriptors(int target, struct channel *const channels[],
    unsigned int count, int fds[])
{
	(void)target;
	(void)count;
	fds[ORDER_FD_ORDER] = channels[0]->far_orders;
	fds[1] = fds[2] = -1;
	return (3);
}

void
channel_close_far(struct channel *c)
{
	if (c->far_orders != -1)
		close(c->far_orders);
	c->far_orders = -1;
}

void
channel_close(struct channel *c)
{
	channel_close_far(c);
	if (c->reports != -1)
		close(c->reports);
	c->reports = c->orders = -1;
}

int
channel_send(const struct channel *c, const void *order, size_t size)
{
	return (send(c->orders, order, size, MSG_NOSIGNAL) == -1 ? -1 : 0);
}

/*
 * The stub alone ever has the channel's other end, untraceable from before
 * it enters the jail: who sends is who it says.
 */
int
channel_receive(struct channel *c, struct report *report)
{
	ssize_t n = recv(c->reports, report, sizeof(*report), 0);

	if (n <= 0)
		return ((int)n);
	if (n != (ssize_t)sizeof(*report) || report->magic != ORDER_MAGIC) {
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}
