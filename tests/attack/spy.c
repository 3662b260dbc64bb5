/*
 * What a hostile root of a container does to its probes.
 *
 *   spy watch SECONDS NEEDLE	trace each new probe at its first instant and
 *				look at all that it holds
 *   spy ATTACK,... SECONDS TIMES  do these in turn, each so many times, to
 *				probes caught before they reported; see attacks[]
 *   spy hammer SECONDS		signals of all kinds to whatever is a probe
 *   spy hup SECONDS [SIGNAL]	one, as fast as it can
 *   spy fork | memory SECONDS	use up the processes, the memory
 *   spy exe SECONDS		try to change, and lease, the programs of all
 *				probes that are there, and still when they have
 *				ended
 *   spy trace [plain]		try to trace and to read them (plain: without
 *				CAP_SYS_PTRACE)
 *   spy keyring		the session keyring's description
 *   spy has-compat		are there 32-bit system calls, too?
 *
 * Each ends at SIGTERM too, and prints what it saw as "name=number" words.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <net/if.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../stub/order.h"
/* What is copied into a probe must not call what stays here. */
#define SYSCALL_LINKAGE	static inline __attribute__((always_inline))
#include "../../stub/syscall_linux.h"

#define NAME		"jailprobe"
#define PIDS_MAX	(4 * 1024 * 1024)
#define AHEAD		4	/* pids tried beyond the newest */
#define KEPT_MAX	4096
#define FORKS		24
#define HOST_PROC	9	/* descriptor of the host's /proc */

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS	0x894c
#endif

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static int64_t end_ms;

static bool
over(void)
{
	return (stopped || now_ms() >= end_ms);
}

static void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static ssize_t
read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (fd == -1)
		return (-1);
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return (n);
}

static ssize_t
read_proc(pid_t pid, const char *leaf, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, leaf);
	return (read_file(path, buf, size));
}

static bool
is_probe(pid_t pid)
{
	char name[32];

	return (read_proc(pid, "comm", name, sizeof(name)) > 0 &&
	    strncmp(name, NAME, strlen(NAME)) == 0);
}

/* -- what a traced probe is made to do ------------------------------------ */

/*
 * Copied over the probe's program: no data, no calls, system calls inlined.
 */
#define PAYLOAD	__attribute__((section("payload"), noinline, used,	\
		    no_stack_protector))

extern const char __start_payload[], __stop_payload[];

/* One system call; stops at its end with the result. */
PAYLOAD static void
payload_call(long nr, long a, long b, long c, long d, long e)
{
	long ret = sys6(nr, a, b, c, d, e, 0);

#if defined(__x86_64__)
	__asm__ volatile("int3" : : "a"(ret));
#else
	register long x0 __asm__("x0") = ret;

	__asm__ volatile("brk #0" : : "r"(x0));
#endif
}

/* Children that stay (or go at once), and no more of the probe. */
PAYLOAD static void
payload_forks(long flags, long count, long stay)
{
	sys6(__NR_close_range, 0, 15, 0, 0, 0, 0);
	for (long i = 0; i < count; i++)
		if (sys6(__NR_clone, flags, 0, 0, 0, 0, 0) == 0) {
			while (stay)
				PAUSE();
			sys6(__NR_exit_group, 0, 0, 0, 0, 0, 0);
		}
	sys6(__NR_exit_group, 0, 0, 0, 0, 0, 0);
}

/* Which number 34 is pause(2) for the one, nice(2) for the other. */
PAYLOAD static void
payload_compat(void)
{
#if defined(__x86_64__)
	__asm__ volatile("int $0x80; int3" : : "a"(34), "b"(0));
#endif
}

/* Report, make the parent the tracer, and stop with SIGHUP, again and again. */
PAYLOAD static void
payload_traceme(void)
{
	volatile uint64_t ready = COUNT_READY, none = 0;
	long pid = sys6(__NR_getpid, 0, 0, 0, 0, 0, 0);

	sys6(__NR_write, ORDER_FD_REPORT, (long)&ready, 8, 0, 0, 0);
	sys6(__NR_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8, 0, 0);
	sys6(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0, 0, 0);
	for (;;)
		sys6(__NR_kill, pid, SIGHUP, 0, 0, 0, 0);
}

#if defined(__x86_64__)
#define REG_PC(r)	((r).rip)
#define REG_SP(r)	((r).rsp)
#define REG_RESULT(r)	((long)(r).rax)
#define REG_ARGS(r, a)	((r).rdi = (a)[0], (r).rsi = (a)[1],		\
			    (r).rdx = (a)[2], (r).rcx = (a)[3],		\
			    (r).r8 = (a)[4], (r).r9 = (a)[5])
#define REG_NO_RESTART(r) ((r).orig_rax = (unsigned long)-1)
#define REG_CALL(r)	((long)(r).orig_rax)
#define PUSHED		8	/* the return address */
#else
#define REG_PC(r)	((r).pc)
#define REG_SP(r)	((r).sp)
#define REG_RESULT(r)	((long)(r).regs[0])
#define REG_ARGS(r, a)	((r).regs[0] = (a)[0], (r).regs[1] = (a)[1],	\
			    (r).regs[2] = (a)[2], (r).regs[3] = (a)[3],	\
			    (r).regs[4] = (a)[4], (r).regs[5] = (a)[5])
#define REG_NO_RESTART(r) ((void)0)
#define REG_CALL(r)	((long)(r).regs[8])
#define PUSHED		0
#endif

struct prey {
	pid_t	pid;
	unsigned long text;	/* where its program is */
	int	fds[3];		/* what could be taken of it, or -1 */
};

static bool
write_payload(struct prey *p)
{
	char buf[4096], path[64], *line;
	size_t size = (size_t)(__stop_payload - __start_payload);
	ssize_t n;
	int fd;

	if (p->text != 0)
		return (true);
	if (read_proc(p->pid, "maps", buf, sizeof(buf)) <= 0 ||
	    (line = strstr(buf, "r-xp")) == NULL)
		return (false);
	while (line > buf && line[-1] != '\n')
		line--;
	p->text = strtoul(line, NULL, 16);
	snprintf(path, sizeof(path), "/proc/%d/mem", p->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = fd == -1 ? -1 : pwrite(fd, __start_payload, size, (off_t)p->text);
	if (fd != -1)
		close(fd);
	return (n == (ssize_t)size);
}

static bool
set_function(struct prey *p, uintptr_t function, const unsigned long *args)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (!write_payload(p) || ptrace(PTRACE_GETREGSET, p->pid,
	    (void *)NT_PRSTATUS, &iov) == -1)
		return (false);
	REG_PC(regs) = p->text + function - (uintptr_t)__start_payload;
	/* As a call leaves it. */
	REG_SP(regs) = ((REG_SP(regs) - 1024) & ~15UL) - PUSHED;
	REG_ARGS(regs, args);
	REG_NO_RESTART(regs);
	return (ptrace(PTRACE_SETREGSET, p->pid, (void *)NT_PRSTATUS, &iov)
	    == 0);
}

/* A system call of the probe's; -ESRCH if that was its end. */
static long
force(struct prey *p, long nr, long a, long b, long c)
{
	unsigned long args[6] = { (unsigned long)nr, (unsigned long)a,
	    (unsigned long)b, (unsigned long)c, 0, 0 };
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	int status;

	if (!set_function(p, (uintptr_t)payload_call, args) ||
	    ptrace(PTRACE_CONT, p->pid, 0, 0) == -1 ||
	    waitpid(p->pid, &status, __WALL) == -1 || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETREGSET, p->pid, (void *)NT_PRSTATUS, &iov) == -1)
		return (-ESRCH);
	return (REG_RESULT(regs));
}

static bool
let_go_with(struct prey *p, uintptr_t function, unsigned long a,
    unsigned long b, unsigned long c)
{
	unsigned long args[6] = { a, b, c, 0, 0, 0 };

	if (!set_function(p, function, args))
		return (false);
	/* Goes on as tracee: SUSPEND_SECCOMP lasts as long as that. */
	return (ptrace(PTRACE_CONT, p->pid, 0, 0) == 0);
}

static unsigned int allowed;

/* -- the attacks ---------------------------------------------------------- */

static void
junk(int fd)
{
	static const uint64_t words[] = { 0xfffffffffffffffe, COUNT_FAILED,
	    COUNT_SHED | 7, COUNT_READY * 5 + 1 };
	static unsigned int n;
	char text[sizeof(struct report)];

	memset(text, 'x', sizeof(text));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (write(fd, &words[n++ % 4], 8) == -1)
		send(fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
do_junk(struct prey *p)
{
	for (int i = 0; i < 3; i++)
		if (p->fds[i] != -1)
			junk(p->fds[i]);
	return (true);
}

static bool
add(struct prey *p, uint64_t count)
{
	return (p->fds[ORDER_FD_REPORT] != -1 && write(p->fds[ORDER_FD_REPORT],
	    &count, sizeof(count)) == sizeof(count));
}

/*
 * Another number than that of who was born, and, whether it is added to that
 * one or comes after it, the number of nobody: PID_MAX_LIMIT of Linux's
 * include/linux/threads.h.  The next one may be another new probe of the jail.
 */
static bool
do_other_pid(struct prey *p)
{
	return (add(p, 4 * 1024 * 1024));
}

/* Steps that there are not, one after the other. */
static bool
do_failed(struct prey *p)
{
	static unsigned int step = STEP_COUNT;

	return (add(p, COUNT_FAILURE(step++, EIO)));
}

/* What the daemon has heard from the stub already. */
static bool
do_shed(struct prey *p)
{
	pause_ms(100);
	return (add(p, COUNT_SHED));
}

static bool
do_more(struct prey *p)
{
	pause_ms(100);
	return (add(p, COUNT_READY * 5));
}

/*
 * The host's number of a process, which no jail knows: the test leaves the
 * host's /proc open.  It may be guessed, so it is assumed to be known.
 */
static pid_t
outer_pid(pid_t inner)
{
	DIR *dir = fdopendir(openat(HOST_PROC, ".", O_RDONLY | O_DIRECTORY));
	char path[280], text[4096], *p;
	struct dirent *de;
	pid_t found = 0;
	ssize_t n;
	int fd;

	while (found == 0 && dir != NULL && (de = readdir(dir)) != NULL) {
		if (atoi(de->d_name) <= 0)
			continue;
		snprintf(path, sizeof(path), "%s/status", de->d_name);
		fd = openat(HOST_PROC, path, O_RDONLY | O_CLOEXEC);
		n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd != -1)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		p = strstr(text, "\nNSpid:");
		if (strstr(text, "\tjailprobe\n") == NULL || p == NULL)
			continue;
		p[strcspn(p + 1, "\n") + 1] = '\0';
		p = strrchr(p, '\t');
		if (p != NULL && atoi(p) == inner)
			found = (pid_t)atoi(de->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return (found);
}

/*
 * A second birth: of a copy that the probe was made to make, and which is
 * the daemon's child like the probe itself.
 */
static bool
do_again(struct prey *p)
{
	long copy = force(p, __NR_clone, CLONE_PARENT | SIGCHLD, 0, 0);
	pid_t pid = copy > 0 ? outer_pid((pid_t)copy) : 0;

	pause_ms(100);
	printf("copy=%ld outer=%d\n", copy, pid);
	return (pid != 0 && add(p, (uint64_t)pid));
}

static bool
do_hangup(struct prey *p)
{
	return (kill(p->pid, SIGHUP) == 0);
}

static bool
do_ready(struct prey *p)
{
	return (add(p, COUNT_READY) && add(p, COUNT_READY));
}

/* What was reported does not arrive, and ours blocks if it can. */
static bool
do_take(struct prey *p)
{
	uint64_t count;
	bool taken = false;

	for (int i = 0; i < 3; i++) {
		if (p->fds[i] == -1)
			continue;
		fcntl(p->fds[i], F_SETFL, O_NONBLOCK);
		taken |= read(p->fds[i], &count, sizeof(count)) > 0;
		fcntl(p->fds[i], F_SETFL, 0);
	}
	return (taken);
}

/* Does any descriptor lead out: to its maker, or to its maker's network? */
static bool
do_lead(struct prey *p)
{
	socklen_t len = sizeof(int);
	bool leads = false;
	int fd = -1;

	for (int i = 0; i < 3; i++) {
		if (p->fds[i] == -1)
			continue;
		if (getsockopt(p->fds[i], SOL_SOCKET, SO_PEERPIDFD, &fd, &len)
		    == 0 || (fd = ioctl(p->fds[i], SIOCGSKNS)) != -1) {
			leads = true;
			close(fd);
		}
	}
	return (leads);
}

/* A connection whose close takes a minute. */
static int
lingering(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	static const struct linger linger = { 1, 60 };
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(sin);
	static char text[65536];
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	ioctl(server, SIOCSIFFLAGS, &ifr);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(server, 1) == -1 ||
	    getsockname(server, (struct sockaddr *)&sin, &len) == -1 ||
	    connect(client, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    accept(server, NULL, NULL) == -1)
		return (-1);
	fcntl(client, F_SETFL, O_NONBLOCK);
	while (write(client, text, sizeof(text)) > 0)
		continue;
	setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return (client);
}

static bool
do_rights(struct prey *p)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} control = { .hdr = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
	    SCM_RIGHTS } };
	char text[sizeof(struct report)] = "";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct sched_param fifo = { .sched_priority = 10 }, none = { 0 };
	bool sent = false;
	int fd = lingering();

	memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	/* The last to close it shall not be us. */
	sched_setscheduler(0, SCHED_FIFO, &fifo);
	for (int i = 0; i < 3; i++)
		sent |= p->fds[i] != -1 &&
		    sendmsg(p->fds[i], &msg, MSG_NOSIGNAL) != -1;
	if (!sent)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
		    sizeof(struct linger));
	close(fd);
	sched_setscheduler(0, SCHED_OTHER, &none);
	return (sent);
}

static bool
do_nothing(struct prey *p)
{
	(void)p;
	return (true);
}

/* It stays what it is, a zombie with a tracer. */
static bool
do_zombie(struct prey *p)
{
	return (kill(p->pid, SIGKILL) == 0);
}

static bool
do_close(struct prey *p)
{
	force(p, __NR_close, ORDER_FD_ORDER, 0, 0);
	return (force(p, __NR_close, ORDER_FD_REPORT, 0, 0) == 0);
}

static bool
do_kill_group(struct prey *p)
{
	return (force(p, __NR_kill, 0, SIGKILL, 0) != 0);
}

static bool
do_renice_group(struct prey *p)
{
	return (force(p, __NR_setpriority, PRIO_PGRP, 0, 15) == 0);
}

static bool
do_fork(struct prey *p)
{
	return (let_go_with(p, (uintptr_t)payload_forks, SIGCHLD, FORKS, 1));
}

static bool
do_strangers(struct prey *p)
{
	return (let_go_with(p, (uintptr_t)payload_forks, CLONE_PARENT | SIGCHLD, FORKS,
	    1));
}

static bool
do_clone(struct prey *p)
{
	return (let_go_with(p, (uintptr_t)payload_forks, CLONE_PARENT | SIGCHLD,
	    1000000, 0));
}

static bool
do_traceme(struct prey *p)
{
	unsigned long none[6] = { 0 };

	/* Only an untraced process can: so without SUSPEND_SECCOMP. */
	return (set_function(p, (uintptr_t)payload_traceme, none) &&
	    ptrace(PTRACE_DETACH, p->pid, 0, 0) == 0);
}

static bool
do_ring(struct prey *p)
{
	printf("session=%ld\n", force(p, __NR_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 0));
	return (true);
}

/*
 * What a jail that may trace, but has not the right to suspend a filter, can
 * make a new probe do: each call in turn, which should be its end.
 */
static bool
do_confined(struct prey *p)
{
	static const struct {
		const char	*name;
		long		 nr, a, b;
	} calls[] = {
		{ "kill", __NR_kill, 0, 0 },
		{ "fork", __NR_clone, SIGCHLD, 0 },
		{ "trace", __NR_ptrace, PTRACE_TRACEME, 0 },
		{ "keyring", __NR_keyctl, KEYCTL_SESSION_TO_PARENT, 0 },
		{ "name", __NR_prctl, PR_SET_NAME, (long)"" },
		{ "renice", __NR_setpriority, PRIO_PGRP, 0 },
		{ "open", __NR_openat, AT_FDCWD, 0 },
	};
	static unsigned int n;
	unsigned int i = n++ % (sizeof(calls) / sizeof(calls[0]));

	if (ptrace(PTRACE_SETOPTIONS, p->pid, 0, 0) == 0 &&
	    force(p, calls[i].nr, calls[i].a, calls[i].b, 0) != -ESRCH)
		printf("%s allowed=%u\n", calls[i].name, ++allowed);
	return (true);
}

/* The same by the other table of system calls that the machine has. */
static bool
do_compat(struct prey *p)
{
	unsigned long none[6] = { 0 };
	int status;

	if (ptrace(PTRACE_SETOPTIONS, p->pid, 0, 0) == 0 &&
	    set_function(p, (uintptr_t)payload_compat, none) &&
	    ptrace(PTRACE_CONT, p->pid, 0, 0) == 0 &&
	    waitpid(p->pid, &status, __WALL) == p->pid && WIFSTOPPED(status) &&
	    WSTOPSIG(status) == SIGTRAP)
		printf("int80 allowed=%u\n", ++allowed);
	return (true);
}

/* Has this machine such a table? */
static int
has_compat(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
#if defined(__x86_64__)
		long ret = 20;	/* getpid(2), there */

		__asm__ volatile("int $0x80" : "+a"(ret) : : "memory");
		_exit(ret != getpid());
#else
		_exit(1);
#endif
	}
	return (waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1);
}

static bool
do_keyring(struct prey *p)
{
	return (force(p, __NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0) > 0 &&
	    force(p, __NR_keyctl, KEYCTL_SESSION_TO_PARENT, 0, 0) == 0);
}

static const struct attack {
	const char	*name;
	bool		(*attack)(struct prey *);
	bool		 keeps;		/* it stays a stopped tracee */
} attacks[] = {
	{ "junk", do_junk, false },
	{ "other-pid", do_other_pid, false },
	{ "again", do_again, false },
	{ "failed", do_failed, false },
	{ "shed", do_shed, false },
	{ "more", do_more, false },
	{ "hangup", do_hangup, false },
	{ "ready", do_ready, false },
	{ "take", do_take, false },
	{ "lead", do_lead, false },
	{ "rights", do_rights, false },
	{ "hold", do_nothing, false },
	{ "withhold", do_nothing, true },
	{ "hold-all", do_nothing, true },
	{ "zombie", do_zombie, true },
	{ "close", do_close, true },
	{ "kill-group", do_kill_group, true },
	{ "renice-group", do_renice_group, false },
	{ "fork", do_fork, true },
	{ "strangers", do_strangers, true },
	{ "clone", do_clone, true },
	{ "traceme", do_traceme, true },
	{ "keyring", do_keyring, false },
	{ "ring", do_ring, false },
	{ "confined", do_confined, false },
	{ "compat", do_compat, false },
};

/* -- catching probes ------------------------------------------------------ */

static struct {
	unsigned int	caught, early;
	unsigned int	capable, mapped, needle, sockets, foreign, open;
	unsigned int	environ;
} seen;

static pid_t
newest_pid(void)
{
	char text[32];
	pid_t pid;

	if (read_file("/proc/sys/kernel/ns_last_pid", text, sizeof(text)) > 0)
		return ((pid_t)atoi(text));
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return (pid);
}

static bool
seize(pid_t pid)
{
	return (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_SUSPEND_SECCOMP) == 0 ||
	    (errno == EPERM && ptrace(PTRACE_SEIZE, pid, 0, 0) == 0));
}

/* A process exists before it runs: its number is tried until there is one. */
static pid_t
catch_one(void)
{
	int status;

	while (!over()) {
		pid_t newest = newest_pid();

		for (int i = 0; i < 500; i++)
			for (pid_t pid = newest + 1; pid <= newest + AHEAD;
			    pid++) {
				if (!seize(pid))
					continue;
				ptrace(PTRACE_INTERRUPT, pid, 0, 0);
				if (waitpid(pid, &status, __WALL) == pid &&
				    WIFSTOPPED(status) && is_probe(pid))
					return (pid);
				ptrace(PTRACE_DETACH, pid, 0, 0);
			}
	}
	return (-1);
}

static void
take_descriptors(struct prey *p)
{
	int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	for (int i = 0; i < 3; i++)
		p->fds[i] = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
	close(pidfd);
}

/* It reports by its only write(2), and then closes that descriptor. */
static bool
has_reported(const struct prey *p)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	return (p->fds[ORDER_FD_REPORT] == -1 || ptrace(PTRACE_GETREGSET,
	    p->pid, (void *)NT_PRSTATUS, &iov) == -1 ||
	    REG_CALL(regs) == __NR_write);
}

static void
drop_descriptors(struct prey *p)
{
	for (int i = 0; i < 3; i++)
		if (p->fds[i] != -1)
			close(p->fds[i]);
}

static bool
has_in_memory(pid_t pid, const char *maps, const char *needle)
{
	char path[64];
	bool found = false;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (const char *p = maps; fd != -1 && p != NULL && *p != '\0';
	    p = strchr(p, '\n'), p = p == NULL ? NULL : p + 1) {
		unsigned long from, to;
		char *text;
		ssize_t n;

		if (sscanf(p, "%lx-%lx", &from, &to) != 2 ||
		    to - from > 64UL * 1024 * 1024 ||
		    (text = malloc(to - from)) == NULL)
			continue;
		n = pread(fd, text, to - from, (off_t)from);
		found |= n > 0 && memmem(text, (size_t)n, needle,
		    strlen(needle)) != NULL;
		free(text);
	}
	if (fd != -1)
		close(fd);
	return (found);
}

static bool
has_socket(pid_t pid)
{
	char path[64], target[128];
	bool found = false;

	for (int i = 0; i < 16; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		found |= strncmp(target, "pipe:", 5) != 0 &&
		    strstr(target, "[eventfd]") == NULL;
	}
	return (found);
}

static bool
is_capable(const char *status)
{
	for (const char *p = strstr(status, "\nCap"); p != NULL;
	    p = strstr(p + 1, "\nCap"))
		if (strtoull(p + sizeof("\nCapInh:"), NULL, 16) != 0)
			return (true);
	return (false);
}

static void
look(pid_t pid, const char *needle)
{
	static char maps[65536], text[8192], ours[8192];

	read_proc(pid, "status", text, sizeof(text));
	seen.capable += is_capable(text);
	seen.open += strstr(text, "\nSeccomp:\t2") == NULL;
	read_proc(pid, "maps", maps, sizeof(maps));
	seen.mapped += strstr(maps, "jaildaemon") != NULL ||
	    strstr(maps, ".so") != NULL;
	seen.needle += has_in_memory(pid, maps, needle);
	seen.sockets += has_socket(pid);
	seen.environ += read_proc(pid, "environ", text, sizeof(text)) > 0;
	read_proc(1, "cgroup", ours, sizeof(ours));
	seen.foreign += read_proc(pid, "cgroup", text, sizeof(text)) > 0 &&
	    strcmp(text, ours) != 0;
}

static void
watch(const char *needle)
{
	pid_t pid;

	while ((pid = catch_one()) != -1) {
		struct prey p = { .pid = pid };

		seen.caught++;
		take_descriptors(&p);
		seen.early += !has_reported(&p);
		drop_descriptors(&p);
		look(pid, needle);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	printf("caught=%u early=%u capable=%u mapped=%u needle=%u sockets=%u "
	    "open=%u foreign=%u environ=%u\n", seen.caught, seen.early,
	    seen.capable, seen.mapped, seen.needle, seen.sockets, seen.open,
	    seen.foreign, seen.environ);
}

static const struct attack *
find_attack(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strlen(attacks[i].name) == len &&
		    memcmp(attacks[i].name, name, len) == 0)
			return (&attacks[i]);
	return (NULL);
}

/* The nth of a list with commas, again from its beginning after its end. */
static const struct attack *
nth_attack(const char *list, unsigned int n)
{
	const char *p = list;

	for (unsigned int i = 0; i < n; i++) {
		p = strchr(p, ',');
		p = p == NULL ? list : p + 1;
	}
	return (find_attack(p, strcspn(p, ",")));
}

static void
attack_one(struct prey *p, const struct attack *a)
{
	printf("%s=%d\n", a->name, a->attack(p));
	if (a->attack != do_nothing || a->keeps)
		drop_descriptors(p);
	if (!a->keeps)
		ptrace(PTRACE_DETACH, p->pid, 0, 0);
	printf("early=%u\n", ++seen.early);
}

static void
attack(const char *list, unsigned int times)
{
	unsigned int max = times;
	pid_t pid;

	for (const char *p = list; (p = strchr(p, ',')) != NULL; p++)
		max += times;
	while (seen.early < max && (pid = catch_one()) != -1) {
		struct prey p = { .pid = pid };

		take_descriptors(&p);
		if (!has_reported(&p)) {
			attack_one(&p, nth_attack(list, seen.early));
			continue;
		}
		drop_descriptors(&p);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	while (!over())
		pause_ms(20);
}

/* -- signals -------------------------------------------------------------- */

static unsigned int
signal_probes(const int *signals, size_t count, unsigned char *known)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	unsigned int fresh = 0;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)atoi(de->d_name);

		if (pid <= 0 || !is_probe(pid))
			continue;
		for (size_t i = 0; i < count; i++)
			if (kill(pid, signals[i]) == 0 && pid < PIDS_MAX &&
			    !known[pid]) {
				known[pid] = 1;
				fresh++;
			}
	}
	if (dir != NULL)
		closedir(dir);
	return (fresh);
}

static void
signals(const char *mode, int only)
{
	static const int all[] = { SIGSTOP, SIGKILL, SIGHUP, SIGCONT, SIGTERM,
	    SIGTSTP, SIGSEGV, SIGUSR1 };
	const size_t nsignals = sizeof(all) / sizeof(all[0]);
	unsigned char *known = calloc(1, PIDS_MAX);
	unsigned int probes = 0, n = 0;

	while (known != NULL && !over()) {
		if (only != -1)
			probes += signal_probes(&only, 1, known);
		else
			probes += signal_probes(&all[n++ % nsignals], 1,
			    known);
	}
	printf("%s=%u\n", mode, probes);
	free(known);
}

/* -- probes that are there ------------------------------------------------ */

static void
each_probe(void (*function)(pid_t))
{
	DIR *dir = opendir("/proc");
	struct dirent *de;

	while (dir != NULL && (de = readdir(dir)) != NULL)
		if (atoi(de->d_name) > 0 && is_probe((pid_t)atoi(de->d_name)))
			function((pid_t)atoi(de->d_name));
	if (dir != NULL)
		closedir(dir);
}

static struct {
	unsigned int	probes, opened, written, leased, chmodded, kept;
	unsigned int	traced, read;
	int		fds[KEPT_MAX];
} tried;

static void
try_exe(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	tried.probes++;
	fd = open(path, O_RDWR | O_CLOEXEC);
	tried.written += fd != -1 && write(fd, "", 1) == 1;
	if (fd == -1)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	tried.opened++;
	tried.written += ftruncate(fd, 0) == 0;
	tried.chmodded += fchmod(fd, 0) == 0;
	tried.leased += fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	if (tried.opened <= KEPT_MAX)
		tried.fds[tried.opened - 1] = fd;
}

/*
 * What no process executes any more can be leased against readers, and what
 * is not sealed can be written to.  Both are held until we end.
 */
static void
try_kept(int *fd)
{
	char path[64];
	int again;

	if (*fd == -1 || fcntl(*fd, F_SETLEASE, F_UNLCK) == -1)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	tried.chmodded += fchmod(*fd, 0) == 0;
	if (again != -1) {
		tried.written += write(again, "", 1) == 1;
		close(again);
		if (fcntl(*fd, F_SETLEASE, F_WRLCK) == 0) {
			tried.kept++;
			*fd = -1;
			return;
		}
	}
	fcntl(*fd, F_SETLEASE, F_RDLCK);
}

static void
try_exes(void)
{
	/* Which is how the kernel asks for a lease back. */
	signal(SIGIO, SIG_IGN);
	each_probe(try_exe);
	for (;;) {
		printf("probes=%u opened=%u written=%u chmodded=%u leased=%u "
		    "kept=%u\n", tried.probes, tried.opened, tried.written,
		    tried.chmodded, tried.leased, tried.kept);
		if (over())
			return;
		pause_ms(50);
		for (unsigned int i = 0; i < tried.opened && i < KEPT_MAX; i++)
			try_kept(&tried.fds[i]);
	}
}

static void
try_trace(pid_t pid)
{
	static const char *const leaves[] = { "mem", "environ", "syscall",
	    "stack" };
	char text[256], path[64];
	int fd;

	tried.probes++;
	tried.traced += ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (read_proc(pid, leaves[i], text, sizeof(text)) > 0) {
			printf("%s\n", leaves[i]);
			tried.read++;
		}
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	tried.opened += fd != -1;
}

static void
try_traces(bool plain)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3,
	    0 };
	struct __user_cap_data_struct data[2];

	if (plain && syscall(SYS_capget, &header, data) == 0) {
		data[0].effective &= ~(1U << CAP_SYS_PTRACE);
		data[0].permitted &= ~(1U << CAP_SYS_PTRACE);
		data[0].inheritable = data[1].inheritable = 0;
		syscall(SYS_capset, &header, data);
	}
	each_probe(try_trace);
	printf("probes=%u traced=%u read=%u opened=%u\n", tried.probes,
	    tried.traced, tried.read, tried.opened);
}

/* -- resources ------------------------------------------------------------ */

static void
use_up_processes(void)
{
	unsigned int n = 0;

	while (!over()) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (pid > 0) {
			n++;
			continue;
		}
		printf("full=%u\n", n);
		pause_ms(50);
	}
	printf("processes=%u\n", n);
}

/* One after the other, each up to the limit and killed there. */
static void
use_up_memory(void)
{
	unsigned int n = 0;
	int status;

	while (!over()) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;) {
				char *p = malloc(1 << 20);

				if (p == NULL)
					pause_ms(10);
				else
					memset(p, 1, 1 << 20);
			}
		}
		if (pid == -1 || waitpid(pid, &status, 0) == -1) {
			pause_ms(10);
			continue;
		}
		if (WIFSIGNALED(status) && n++ == 0)
			printf("full=1\n");
	}
	printf("killed=%u\n", n);
}

static int
show_keyring(void)
{
	char text[256] = "";

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text,
	    sizeof(text) - 1) == -1)
		return (1);
	printf("%ld %s\n", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 0), text);
	return (0);
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_stop };
	const char *mode = argc > 1 ? argv[1] : "";

	fcntl(HOST_PROC, F_SETFD, FD_CLOEXEC);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTERM, &sa, NULL);
	if (strcmp(mode, "keyring") == 0)
		return (show_keyring());
	if (strcmp(mode, "has-compat") == 0)
		return (has_compat());
	if (strcmp(mode, "trace") == 0) {
		try_traces(argc == 3);
		return (0);
	}
	if (argc < 3)
		goto usage;
	end_ms = now_ms() + atoi(argv[2]) * 1000L;
	if (strcmp(mode, "watch") == 0 && argc == 4)
		watch(argv[3]);
	else if (strcmp(mode, "hammer") == 0)
		signals(mode, -1);
	else if (strcmp(mode, "hup") == 0)
		signals(mode, argc == 4 ? atoi(argv[3]) : SIGHUP);
	else if (strcmp(mode, "exe") == 0)
		try_exes();
	else if (strcmp(mode, "fork") == 0)
		use_up_processes();
	else if (strcmp(mode, "memory") == 0)
		use_up_memory();
	else if (argc == 4 && nth_attack(mode, 0) != NULL)
		attack(mode, (unsigned int)atoi(argv[3]));
	else
		goto usage;
	return (0);
usage:
	fprintf(stderr, "usage: spy mode arguments; see the source\n");
	return (64);
}
