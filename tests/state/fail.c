/*
 * Preloaded into the daemon: the n-th call of one function fails.
 *
 *   FAIL_FILE=path LD_PRELOAD=fail.so jaildaemon -D ...
 *
 * The file says which, "name n"; n counts from when it was written.  When that
 * call was made and has failed, the file is empty.  Without it nothing fails.
 * "name n on": that one and all that follow, until the file says otherwise.
 *
 * "name n kill": nor is it made, since the process is killed.
 *
 * "live": the next call of any of them writes how many blocks are allocated
 * now to the file's name with ".live" added, and empties the file.
 *
 * Names: malloc calloc realloc write writev send ftruncate renameat unlinkat
 * fstatat openat open accept4 epoll_create1 epoll_ctl pipe2 eventfd clone
 * fork pidfd_open memfd_create.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not syscall(3): that is ours, below. */
static long
raw(long number, long a, long b, long c, long d)
{
	static long (*real)(long, ...);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return (real(number, a, b, c, d));
}

static const char	*file;
static char		 order[64];	/* what the file said last */
static long		 count;
static long		 live;		/* blocks allocated */
static char		 live_file[256];

static void __attribute__((constructor))
begin(void)
{
	file = getenv("FAIL_FILE");
	if (file != NULL)
		snprintf(live_file, sizeof(live_file), "%s.live", file);
}

/*
 * What counts for make coverage has a malloc whose failure it does not expect,
 * and writes when the program has ended: nothing fails from then on.
 */
static int (*real_main)(int, char **, char **);

static int
main_here(int argc, char **argv, char **envp)
{
	int status = real_main(argc, argv, envp);

	file = NULL;
	return (status);
}

int
__libc_start_main(int (*program)(int, char **, char **), int argc,
    char **argv, void (*init)(void), void (*fini)(void),
    void (*loader_fini)(void), void *stack_end)
{
	int (*real)(int (*)(int, char **, char **), int, char **,
	    void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = program;
	return (real(main_here, argc, argv, init, fini, loader_fini,
	    stack_end));
}

/* The file as it is now; by the kernel's own calls. */
static void
look(char *buf, size_t size)
{
	int fd = (int)raw(SYS_openat, AT_FDCWD, (long)file, O_RDONLY, 0);
	ssize_t n = fd == -1 ? -1 : raw(SYS_read, fd, (long)buf, (long)size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	if (fd != -1)
		raw(SYS_close, fd, 0, 0, 0);
}

/* The order is carried out. */
static void
clear_order(void)
{
	raw(SYS_truncate, (long)file, 0, 0, 0);
	order[0] = '\0';
}

/* Nothing that is used here is counted. */
static void
tell_live(void)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%ld", live), fd;

	fd = (int)raw(SYS_openat, AT_FDCWD, (long)live_file,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1)
		return;
	raw(SYS_write, fd, (long)digits, n, 0);
	raw(SYS_close, fd, 0, 0, 0);
}

static bool
fails(const char *name, int error)
{
	size_t len = strlen(name);
	char now[sizeof(order)], *rest;
	long n;

	if (file == NULL)
		return (false);
	look(now, sizeof(now));
	if (strcmp(now, order) != 0) {
		memcpy(order, now, sizeof(order));
		count = 0;
	}
	if (strcmp(order, "live\n") == 0) {
		/* Whoever waits for the count may give the next one. */
		clear_order();
		tell_live();
	}
	if (strncmp(order, name, len) != 0 || order[len] != ' ')
		return (false);
	n = strtol(order + len, &rest, 10);
	if (++count < n)
		return (false);
	if (strncmp(rest, " on", 3) != 0)
		clear_order();
	if (strncmp(rest, " kill", 5) == 0)
		raw(SYS_kill, raw(SYS_getpid, 0, 0, 0, 0), SIGKILL, 0, 0);
	errno = error;
	return (true);
}

#define REAL(name)							\
	static __typeof__(name) *real;					\
	if (real == NULL)						\
		*(void **)&real = dlsym(RTLD_NEXT, #name)

/* dlsym() itself allocates, so these go to the C library by another name. */
extern void	*__libc_malloc(size_t);
extern void	*__libc_calloc(size_t, size_t);
extern void	*__libc_realloc(void *, size_t);
extern void	 __libc_free(void *);

static void *
counted(void *p)
{
	live += p != NULL;
	return (p);
}

void *
malloc(size_t size)
{
	return (fails("malloc", ENOMEM) ? NULL : counted(__libc_malloc(size)));
}

void *
calloc(size_t n, size_t size)
{
	return (fails("calloc", ENOMEM) ? NULL :
	    counted(__libc_calloc(n, size)));
}

/* With size 0 it frees. */
void *
realloc(void *p, size_t size)
{
	void *result;

	if (fails("realloc", ENOMEM))
		return (NULL);
	result = __libc_realloc(p, size);
	live += (p == NULL && result != NULL) -
	    (p != NULL && result == NULL && size == 0);
	return (result);
}

void
free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}

ssize_t
write(int fd, const void *buf, size_t len)
{
	return (fails("write", ENOSPC) ? -1 : raw(SYS_write, fd, (long)buf,
	    (long)len, 0));
}

ssize_t
writev(int fd, const struct iovec *iov, int count_)
{
	return (fails("writev", EIO) ? -1 : raw(SYS_writev, fd, (long)iov,
	    count_, 0));
}

ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
	REAL(send);
	return (fails("send", ENOBUFS) ? -1 : real(fd, buf, len, flags));
}

int
ftruncate(int fd, off_t len)
{
	return (fails("ftruncate", EIO) ? -1 :
	    (int)raw(SYS_ftruncate, fd, (long)len, 0, 0));
}

int
renameat(int a, const char *from, int b, const char *to)
{
	return (fails("renameat", ENOSPC) ? -1 :
	    (int)raw(SYS_renameat, a, (long)from, b, (long)to));
}

int
unlinkat(int fd, const char *path, int flags)
{
	return (fails("unlinkat", EIO) ? -1 :
	    (int)raw(SYS_unlinkat, fd, (long)path, flags, 0));
}

int
fstatat(int fd, const char *path, struct stat *st, int flags)
{
	return (fails("fstatat", ENOMEM) ? -1 :
	    (int)raw(SYS_newfstatat, fd, (long)path, (long)st, flags));
}

int
openat(int fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (fails("openat", EMFILE) ? -1 :
	    (int)raw(SYS_openat, fd, (long)path, flags, mode));
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (fails("open", EMFILE) ? -1 :
	    (int)raw(SYS_openat, AT_FDCWD, (long)path, flags, mode));
}

int
accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	REAL(accept4);
	return (fails("accept4", EMFILE) ? -1 : real(fd, addr, len, flags));
}

int
epoll_create1(int flags)
{
	REAL(epoll_create1);
	return (fails("epoll_create1", EMFILE) ? -1 : real(flags));
}

int
epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
	REAL(epoll_ctl);
	return (op == EPOLL_CTL_ADD && fails("epoll_ctl", ENOMEM) ? -1 :
	    real(ep, op, fd, event));
}

int
pipe2(int fds[2], int flags)
{
	REAL(pipe2);
	return (fails("pipe2", EMFILE) ? -1 : real(fds, flags));
}

int
eventfd(unsigned int value, int flags)
{
	REAL(eventfd);
	return (fails("eventfd", EMFILE) ? -1 : real(value, flags));
}

pid_t
fork(void)
{
	REAL(fork);
	return (fails("fork", EAGAIN) ? -1 : real());
}

int
clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	REAL(clone);
	va_list ap;
	void *a, *b, *c;

	va_start(ap, arg);
	a = va_arg(ap, void *);
	b = va_arg(ap, void *);
	c = va_arg(ap, void *);
	va_end(ap);
	return (fails("clone", EAGAIN) ? -1 :
	    real(fn, stack, flags, arg, a, b, c));
}

/* pidfd_open, waitid and the like have no names of their own here. */
long
syscall(long number, ...)
{
	REAL(syscall);
	va_list ap;
	long a[6];

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_pidfd_open && fails("pidfd_open", EMFILE))
		return (-1);
	if (number == SYS_memfd_create && fails("memfd_create", EMFILE))
		return (-1);
	return (real(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}
