/*
 * The floor: what the kernel alone takes for what jaildaemon does.  Bare
 * loops of system calls; no library but the C library, no code of src/, no
 * check, no log, no limit.
 *
 *   floor SOCKET TOOLS PID COMMAND [CGROUP.PROCS ...]
 *
 * Serves one connection to SOCKET; TOOLS is the folder of the programs pause
 * and floor-stub; PID is a process of the jail.  A request is a line, so is
 * its answer, a number:
 *   echo		0, at once
 *   bare		starts pause; its pid
 *   probe		the same, and watches it: a HUP runs the command
 *   arm		puts floor-stub into the jail, watches it; its pid
 *   burst N		starts N shells with the command, and waits for none
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_MAX	65536
#define PATH_BYTES	256

/* What an epoll event is about: a descriptor, and which kind. */
#define CONNECTION	(1ULL << 32)
#define PROBE		(2ULL << 32)
#define SHELL		(3ULL << 32)
#define KIND(mark)	((mark) & ~(uint64_t)UINT32_MAX)
#define FD(mark)	((int)(uint32_t)(mark))

/* Reports of the stub, added up in an eventfd: see floor_stub_linux.c. */
#define SHED		(1ULL << 40)
#define READY		(1ULL << 41)

#ifndef P_PIDFD
#define P_PIDFD		3
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#endif
#ifndef MFD_EXEC
#define MFD_EXEC	0x0010U
#endif

static struct {
	int		 epoll;
	int		 jail;			/* pidfd */
	char		 root[PATH_BYTES];	/* /proc/PID/root */
	uint32_t	 namespaces;		/* to join */
	const char	*command;
	char		**groups;		/* ends with NULL */
	char		 pause[PATH_BYTES];
	char		 image[IMAGE_MAX];	/* floor-stub */
	size_t		 size;
	pid_t		 stub;			/* to be reaped, or 0 */
} fl;

static char *no_environment[] = { NULL };

/*
 * An end is told once: a vforked child may have copies of descriptors for a
 * moment after it has executed, and a close here is not the last one then.
 */
static void
watch(int fd, uint64_t kind)
{
	struct epoll_event ev = { .events = EPOLLIN | (kind == CONNECTION ? 0 :
	    EPOLLONESHOT), .data.u64 = kind | (uint32_t)fd };

	if (fd == -1 || epoll_ctl(fl.epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "watch");
}

static int
pidfd_of(pid_t pid)
{
	return ((int)syscall(SYS_pidfd_open, pid, 0));
}

/* -- the trigger, and the burst ---------------------------------------------- */

static pid_t
start(const char *program, char *const words[])
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(program, words, no_environment);
		_exit(127);
	}
	if (pid == -1)
		err(1, "vfork");
	return (pid);
}

static pid_t
start_shell(void)
{
	char *words[] = { "sh", "-c", (char *)(uintptr_t)fl.command, NULL };

	return (start("/bin/sh", words));
}

static pid_t
start_pause(void)
{
	char *words[] = { fl.pause, NULL };

	return (start(fl.pause, words));
}

static void
on_end(uint64_t mark)
{
	siginfo_t si;

	if (waitid((idtype_t)P_PIDFD, (id_t)FD(mark), &si, WEXITED) == -1)
		err(1, "waitid");
	if (KIND(mark) == PROBE && si.si_code == CLD_KILLED &&
	    si.si_status == SIGHUP)
		watch(pidfd_of(start_shell()), SHELL);
	close(FD(mark));
}

static void
burst(long count)
{
	while (count-- > 0)
		watch(pidfd_of(start_shell()), SHELL);
}

/* -- arming ------------------------------------------------------------------ */

static int
make_program(void)
{
	int fd = (int)syscall(SYS_memfd_create, "floor", MFD_CLOEXEC |
	    MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd == -1)
		fd = (int)syscall(SYS_memfd_create, "floor", MFD_CLOEXEC |
		    MFD_ALLOW_SEALING);
	if (fd == -1 || write(fd, fl.image, fl.size) != (ssize_t)fl.size)
		err(1, "memfd");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_EXEC) == -1)
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
		    F_SEAL_GROW | F_SEAL_WRITE);
	return (fd);
}

__attribute__((noinline))
static pid_t
vfork_stub(int program, const int fds[4])
{
	char *words[] = { "floor-stub", NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		for (int i = 0; i < 4; i++)
			dup2(fds[i], i);
		syscall(SYS_execveat, program, "", words, no_environment,
		    AT_EMPTY_PATH);
		_exit(127);
	}
	return (pid);
}

/* Descriptors of the stub: 0 the orders, 1 the jail, 2 reports, 3 its root. */
static pid_t
start_stub(int orders, int reports)
{
	const int fds[4] = { orders, fl.jail, reports,
	    open(fl.root, O_PATH | O_CLOEXEC) };
	int program = make_program();
	pid_t pid = vfork_stub(program, fds);

	if (pid == -1)
		err(1, "vfork");
	close(program);
	close(fds[3]);
	return (pid);
}

static void
enter_groups(pid_t pid)
{
	char number[16];
	int n = snprintf(number, sizeof(number), "%d", (int)pid);

	for (char **group = fl.groups; *group != NULL; group++) {
		int fd = open(*group, O_WRONLY | O_CLOEXEC);

		if (fd == -1 || write(fd, number, (size_t)n) != n)
			err(1, "%s", *group);
		close(fd);
	}
}

static uint64_t
read_count(int reports)
{
	uint64_t count;

	if (read(reports, &count, sizeof(count)) != sizeof(count))
		err(1, "reports");
	return (count);
}

static pid_t
arm(void)
{
	int reports = eventfd(0, EFD_CLOEXEC), orders[2];
	uint64_t count = 0;

	if (reports == -1 || pipe2(orders, O_CLOEXEC) == -1 ||
	    write(orders[1], &fl.namespaces, sizeof(fl.namespaces)) !=
	    sizeof(fl.namespaces))
		err(1, "channel");
	fl.stub = start_stub(orders[0], reports);
	while ((count & SHED) == 0)
		count += read_count(reports);
	enter_groups(fl.stub);
	if (write(orders[1], "", 1) != 1)
		err(1, "orders");
	while ((count & READY) == 0 || (uint32_t)count == 0)
		count += read_count(reports);
	watch(pidfd_of((pid_t)(uint32_t)count), PROBE);
	close(reports);
	close(orders[0]);
	close(orders[1]);
	return ((pid_t)(uint32_t)count);
}

/* -- requests ---------------------------------------------------------------- */

static void
answer(int conn)
{
	char line[64];
	ssize_t n = read(conn, line, sizeof(line) - 1);
	long value = 0;

	if (n <= 0)
		exit(0);
	line[n] = '\0';
	if (strncmp(line, "bare", 4) == 0)
		value = start_pause();
	else if (strncmp(line, "probe", 5) == 0) {
		value = start_pause();
		watch(pidfd_of((pid_t)value), PROBE);
	} else if (strncmp(line, "arm", 3) == 0)
		value = arm();
	else if (strncmp(line, "burst ", 6) == 0)
		burst(strtol(line + 6, NULL, 10));
	n = snprintf(line, sizeof(line), "%ld\n", value);
	if (write(conn, line, (size_t)n) != n)
		exit(0);
	if (fl.stub != 0)
		watch(pidfd_of(fl.stub), SHELL);
	fl.stub = 0;
}

static int
accept_one(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), conn;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(64, "%s: too long", path);
	memcpy(sun.sun_path, path, strlen(path));
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 1) == -1 ||
	    (conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) == -1)
		err(1, "%s", path);
	close(fd);
	return (conn);
}

/* Which namespaces of the jail are not ours; once, not each time. */
static void
look_at_jail(const char *pid)
{
	static const struct {
		const char	*name;
		uint32_t	 flag;
	} kinds[] = {
		{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID },
		{ "mnt", CLONE_NEWNS }, { "net", CLONE_NEWNET },
		{ "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
		{ "cgroup", CLONE_NEWCGROUP },
	};
	char path[PATH_BYTES];
	struct stat ours, theirs;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
		if (stat(path, &ours) == -1)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid,
		    kinds[i].name);
		if (stat(path, &theirs) == -1)
			err(1, "%s", path);
		if (ours.st_ino != theirs.st_ino)
			fl.namespaces |= kinds[i].flag;
	}
	snprintf(fl.root, sizeof(fl.root), "/proc/%s/root", pid);
	fl.jail = pidfd_of((pid_t)strtol(pid, NULL, 10));
	if (fl.jail == -1)
		err(1, "process %s", pid);
}

static void
read_image(const char *tools)
{
	char path[PATH_BYTES];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/floor-stub", tools);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, fl.image, sizeof(fl.image));
	if (n <= 0 || n == (ssize_t)sizeof(fl.image))
		err(1, "%s", path);
	fl.size = (size_t)n;
	close(fd);
	snprintf(fl.pause, sizeof(fl.pause), "%s/pause", tools);
}

int
main(int argc, char **argv)
{
	struct epoll_event ev;

	if (argc < 5)
		errx(64, "usage: floor SOCKET TOOLS PID COMMAND "
		    "[CGROUP.PROCS ...]");
	fl.command = argv[4];
	fl.groups = argv + 5;
	fl.epoll = epoll_create1(EPOLL_CLOEXEC);
	look_at_jail(argv[3]);
	read_image(argv[2]);
	watch(accept_one(argv[1]), CONNECTION);
	for (;;) {
		if (epoll_wait(fl.epoll, &ev, 1, -1) != 1)
			continue;
		if (KIND(ev.data.u64) == CONNECTION)
			answer(FD(ev.data.u64));
		else
			on_end(ev.data.u64);
	}
}
