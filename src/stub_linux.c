#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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

static int
open_pipe(struct channel *c)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	c->far_orders = fds[0];
	c->orders = fds[1];
	return (fcntl(c->orders, F_SETFL, O_NONBLOCK));
}

/* An eventfd has no two ends: ours and the stub's are one. */
int
channel_open(struct channel *c)
{
	int saved;

	c->count = 0;
	c->orders = c->far_orders = c->far_reports = -1;
	c->reports = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->reports == -1)
		return (-1);
	c->far_reports = c->reports;
	if (open_pipe(c) == 0)
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
	fds[ORDER_FD_TARGET] = target;
	for (unsigned int i = 0; i < count; i++) {
		fds[ORDER_FD_ORDER + ORDER_FDS_EACH * i] =
		    channels[i]->far_orders;
		fds[ORDER_FD_REPORT + ORDER_FDS_EACH * i] =
		    channels[i]->far_reports;
	}
	return (ORDER_FD_ORDER + ORDER_FDS_EACH * (int)count);
}

static void
close_one(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

void
channel_close_far(struct channel *c)
{
	close_one(&c->far_orders);
	c->far_reports = -1;
}

void
channel_close(struct channel *c)
{
	channel_close_far(c);
	close_one(&c->orders);
	close_one(&c->reports);
}

int
channel_send(const struct channel *c, const void *order, size_t size)
{
	ssize_t n = write(c->orders, order, size);

	if (n >= 0 && (size_t)n != size)
		errno = EAGAIN;
	return (n >= 0 && (size_t)n == size ? 0 : -1);
}

/*
 * A tracing jail shares this descriptor's flags and could have cleared
 * O_NONBLOCK, hence RWF_NOWAIT.
 */
static int
read_count(struct channel *c)
{
	uint64_t more;
	struct iovec iov = { &more, sizeof(more) };

	if (preadv2(c->reports, &iov, 1, -1, RWF_NOWAIT) != sizeof(more))
		return (-1);
	c->count += more;
	return (0);
}

/* Whichever was added first, this is the order in which it happened. */
int
channel_receive(struct channel *c, struct report *r)
{
	uint64_t *count = &c->count;

	if (*count == 0 && read_count(c) == -1)
		return (-1);
	memset(r, 0, sizeof(*r));
	r->magic = ORDER_MAGIC;
	if (*count & COUNT_SHED) {
		r->kind = REPORT_SHED;
		*count -= COUNT_SHED;
	} else if (COUNT_PID(*count) != 0) {
		r->kind = REPORT_BORN;
		r->pid = (int32_t)COUNT_PID(*count);
		*count -= COUNT_PID(*count);
	} else if (*count & COUNT_FAILED) {
		r->kind = REPORT_FAILED;
		r->step = COUNT_STEP(*count);
		r->error = (int32_t)COUNT_ERROR(*count);
		*count = 0;
	} else if (*count == COUNT_READY) {
		r->kind = REPORT_READY;
		*count = 0;
	} else {
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}
