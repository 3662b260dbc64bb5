#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stub.h"

#ifndef MFD_EXEC
#define MFD_EXEC	0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#endif
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | \
			    F_SEAL_WRITE)

/* stub_image.S: the linked stub, byte by byte. */
extern const char stub_image[], stub_image_end[];

const bool stub_is_probe = false;

/* Newer kernels want to be told, older ones do not know the word. */
static int
create_memfd(void)
{
	int fd = (int)syscall(SYS_memfd_create, STUB_NAME,
	    MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd == -1 && errno == EINVAL)
		fd = (int)syscall(SYS_memfd_create, STUB_NAME,
		    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return (fd);
}

int
stub_open(void)
{
	/* cppcheck-suppress comparePointers ; one object, two labels */
	size_t size = (size_t)(stub_image_end - stub_image);
	int fd = create_memfd();
	int saved;

	if (fd == -1)
		return (-1);
	if (write(fd, stub_image, size) == (ssize_t)size &&
	    (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) == 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0))
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

/*
 * The newest calls that nothing here can do without.  setns(2) takes pidfds
 * from 5.8 on, so close_range(2) vouches for it.
 */
int
stub_check(const char **what)
{
	int fd;

	*what = "pidfd_open(2), Linux 5.3";
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd == -1)
		return (-1);
	close(fd);
	*what = "close_range(2), Linux 5.9";
	if (syscall(SYS_close_range, ~0U, ~0U, 0) == -1)
		return (-1);
	*what = "memfd_create(2)";
	fd = stub_open();
	if (fd == -1)
		return (-1);
	close(fd);
	return (0);
}

int
stub_channel(int fds[2])
{
	int on = 1;

	/* A pair of sockets: a pipe could be opened again through /proc. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return (-1);
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1 ||
	    setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1) {
		int saved = errno;

		close(fds[0]);
		close(fds[1]);
		errno = saved;
		return (-1);
	}
	return (0);
}

int
stub_receive(int fd, struct report *report, pid_t *sender)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { report, sizeof(*report) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	struct ucred cred;
	ssize_t n;

	*sender = 0;
	/* Descriptors that a tracer makes the probe send are closed unseen. */
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return (-1);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (n == 0 && cmsg == NULL)
		return (0);
	if (n != (ssize_t)sizeof(*report) || (msg.msg_flags & (MSG_TRUNC |
	    MSG_CTRUNC)) != 0 || report->magic != ORDER_MAGIC ||
	    cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_CREDENTIALS) {
		errno = EBADMSG;
		return (-1);
	}
	memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
	*sender = cred.pid;
	return (1);
}
