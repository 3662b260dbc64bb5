/* Processes, files and time. */
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#else
#include <sys/procctl.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CHILDREN_MAX	64
#define ANSWER_MS	60000
#define COMMAND_BYTES	(PATH_BYTES + 16)

extern char **environ;

static pid_t children[CHILDREN_MAX];

static struct {
	int	fd;
	char	command[COMMAND_BYTES];
} fifo = { .fd = -1 };

_Noreturn void
die(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, saved == 0 ? "\n" : " (%s)\n", strerror(saved));
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i] > 0)
			kill(children[i], SIGKILL);
	exit(1);
}

void *
grow(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count, size);

	if (p == NULL)
		die("no memory");
	return (p);
}

int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

void
pause_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Whatever ends the harness ends its children. */
static void
die_with_parent(void)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#else
	int sig = SIGKILL;

	procctl(P_PID, getpid(), PROC_PDEATHSIG_CTL, &sig);
#endif
}

static void
enter_group(const char *memory)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", memory);
	fd = open(path, O_WRONLY);
	if (fd == -1 || write(fd, "0", 1) != 1)
		_exit(126);
	close(fd);
}

pid_t
child_start(const char *const words[], const int fds[3], const char *memory)
{
	pid_t pid = fork();

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		die_with_parent();
		if (memory != NULL)
			enter_group(memory);
		for (int i = 0; i < 3; i++)
			if (dup2(fds[i] == -1 ? null : fds[i], i) == -1)
				_exit(126);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i] == 0) {
			children[i] = pid;
			return (pid);
		}
	kill(pid, SIGKILL);
	die("too many children");
}

void
child_stop(pid_t pid, int sig)
{
	kill(pid, sig);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i] == pid)
			children[i] = 0;
}

/* The lightest way to start a program; nothing of its caller may change. */
__attribute__((noinline))
static pid_t
start_quickly(char *const *words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(words[0], words, environ);
		_exit(127);
	}
	return (pid);
}

int64_t
child_time_ns(const char *const words[])
{
	int64_t start = now_ns();
	pid_t pid = start_quickly((char *const *)(uintptr_t)words);
	int status;

	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		die("%s", words[0]);
	start = now_ns() - start;
	errno = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_TEMPFAIL)
		return (-1);
	if (status != 0)
		die("%s: wait status %d", words[0], status);
	return (start);
}

int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || strlen(path) >= sizeof(sun.sun_path))
		die("socket %s", path);
	memcpy(sun.sun_path, path, strlen(path));
	for (int tries = 0; tries < 1000; tries++) {
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		pause_us(10000);
	}
	die("nobody listens on %s", path);
}

void
send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			die("cannot write a request");
		text += n;
		len -= (size_t)n;
	}
}

static void
wait_readable(int fd, const char *whose)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (poll(&pfd, 1, ANSWER_MS) != 1)
		if (errno != EINTR) {
			errno = 0;
			die("%s: nothing came within %d s", whose,
			    ANSWER_MS / 1000);
		}
}

size_t
receive_line(int fd, char *line, size_t size)
{
	size_t used = 0;

	/* Without a poll(2) where the answer is there in time. */
	while (used == 0 || line[used - 1] != '\n') {
		ssize_t n;

		if (used == size - 1)
			die("an answer is too long");
		n = read(fd, line + used, size - 1 - used);
		if (n <= 0)
			die("an answer did not come");
		used += (size_t)n;
	}
	line[--used] = '\0';
	return (used);
}

ssize_t
slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = -1;

	if (fd == -1)
		return (-1);
	while (used < size - 1 &&
	    (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
	return (n == -1 ? -1 : (ssize_t)used);
}

void
fifo_open(const struct config *config)
{
	char path[PATH_BYTES], bytes[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/fifo", config->dir);
	fifo.fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fifo.fd == -1 || fstat(fifo.fd, &st) == -1)
		die("%s", path);
	if (!S_ISFIFO(st.st_mode))
		die("%s is no FIFO", path);
	/* What was tried before does not count. */
	while (read(fifo.fd, bytes, sizeof(bytes)) > 0)
		continue;
	snprintf(fifo.command, sizeof(fifo.command), "echo >%s", path);
}

const char *
fifo_command(void)
{
	return (fifo.command);
}

int64_t
fifo_wait_many_ns(const char *whose, unsigned int count)
{
	char bytes[4096];

	while (count > 0) {
		ssize_t n;

		wait_readable(fifo.fd, whose);
		n = read(fifo.fd, bytes, count < sizeof(bytes) ? count :
		    sizeof(bytes));
		if (n > 0)
			count -= (unsigned int)n;
	}
	return (now_ns());
}

int64_t
fifo_wait_ns(const char *whose)
{
	return (fifo_wait_many_ns(whose, 1));
}

void
fifo_is_empty(const char *whose)
{
	char bytes[64];
	ssize_t n = read(fifo.fd, bytes, sizeof(bytes));

	errno = 0;
	if (n > 0)
		die("%s: its command ran more often than asked for", whose);
}
