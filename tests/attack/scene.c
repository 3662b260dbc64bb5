/*
 * Sets a scene on the host in which a hostile container acts.
 *
 *   scene fuse DIR READY	be the first process of a container whose root
 *				is a FUSE file system that never answers
 *   scene step PID N COMMAND...  stop the daemon's next stub at its Nth system
 *				call, run the command, let it go on
 *   scene hold PID N COMMAND...  stop the daemon itself at its Nth system call,
 *				but for those that wait
 *   scene company COMMAND...	run the command in company that it should not
 *				pass on
 *   scene spawn PID		start a container whose first process has that
 *				number
 */
#include <sys/types.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void
answer_fuse(int fd, const struct fuse_in_header *in)
{
	struct {
		struct fuse_out_header	head;
		union {
			struct fuse_init_out init;
			struct fuse_attr_out attr;
		} u;
	} out;
	size_t size = sizeof(out.head);

	memset(&out, 0, sizeof(out));
	out.head.unique = in->unique;
	switch (in->opcode) {
	case FUSE_INIT:
		out.u.init.major = FUSE_KERNEL_VERSION;
		out.u.init.minor = 31;
		out.u.init.max_write = 4096;
		size += 64;
		break;
	case FUSE_GETATTR:
		out.u.attr.attr.ino = 1;
		out.u.attr.attr.mode = S_IFDIR | 0755;
		out.u.attr.attr.nlink = 2;
		size += sizeof(out.u.attr);
		break;
	case FUSE_ACCESS:
		break;
	default:
		out.head.error = -ENOSYS;
		break;
	}
	out.head.len = (uint32_t)size;
	if (write(fd, &out, size) == -1)
		return;
}

/* Answers until SIGTERM, and then no more. */
static void
serve_fuse(int fd)
{
	static char request[128 * 1024];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!stopped)
		if (read(fd, request, sizeof(request)) > 0)
			answer_fuse(fd, (struct fuse_in_header *)(void *)
			    request);
	for (;;)
		pause();
}

static int
be_fuse(const char *dir, const char *ready)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR), said;
	struct sigaction sa = { .sa_handler = on_stop };
	pid_t server;

	snprintf(options, sizeof(options),
	    "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	said = open(ready, O_WRONLY | O_CREAT, 0600);
	if (fd == -1 || said == -1 || mount("none", "/", NULL,
	    MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("jdtest", dir, "fuse", MS_NOSUID | MS_NODEV, options) == -1) {
		perror("fuse");
		return (1);
	}
	server = fork();
	if (server == 0) {
		sigaction(SIGTERM, &sa, NULL);
		serve_fuse(fd);
	}
	close(fd);
	if (chdir(dir) == -1 || chroot(".") == -1) {
		perror(dir);
		return (1);
	}
	kill(server, SIGTERM);
	if (write(said, "ready\n", 6) == -1)
		return (1);
	for (;;)
		pause();
}

/*
 * Which system calls count as a step: not those that a stub makes for each
 * signal and each capability, nor those in which a daemon waits.
 */
static bool
is_step(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return (false);
	return (info.entry.nr != __NR_rt_sigaction &&
	    info.entry.nr != __NR_epoll_pwait &&
#ifdef __NR_epoll_wait
	    info.entry.nr != __NR_epoll_wait &&
#endif
	    !(info.entry.nr == __NR_prctl &&
	    info.entry.args[0] == PR_CAPBSET_DROP));
}

/* The daemon's next child, stopped in its first instruction after execve. */
static pid_t
catch_stub(pid_t daemon)
{
	unsigned long child = 0;
	int status;

	if (ptrace(PTRACE_SEIZE, daemon, 0, PTRACE_O_TRACEVFORK |
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC)
	    == -1)
		return (-1);
	printf("waiting=1\n");
	while (child == 0) {
		int sig = 0;

		if (waitpid(daemon, &status, __WALL) != daemon ||
		    !WIFSTOPPED(status))
			return (-1);
		if (status >> 16 == 0)
			sig = WSTOPSIG(status);
		else if (status >> 16 != PTRACE_EVENT_STOP)
			ptrace(PTRACE_GETEVENTMSG, daemon, 0, &child);
		if (child == 0)
			ptrace(PTRACE_CONT, daemon, 0, sig);
	}
	/* It waits for its child to execute, so no signal is due. */
	ptrace(PTRACE_DETACH, daemon, 0, 0);
	while (waitpid((pid_t)child, &status, __WALL) == (pid_t)child &&
	    WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_EXEC)
		ptrace(PTRACE_CONT, (pid_t)child, 0, 0);
	return (WIFSTOPPED(status) ? (pid_t)child : -1);
}

/* At the nth step of a stopped tracee: the command, and then it goes on. */
static int
step(pid_t tracee, int steps, char **command)
{
	int status, n = 0;
	pid_t pid;

	ptrace(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACESYSGOOD);
	while (n < steps) {
		ptrace(PTRACE_SYSCALL, tracee, 0, 0);
		if (waitpid(tracee, &status, __WALL) != tracee ||
		    !WIFSTOPPED(status))
			break;
		n += WSTOPSIG(status) == (SIGTRAP | 0x80) && is_step(tracee);
	}
	pid = fork();
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_DETACH, tracee, 0, 0);
	printf("steps=%d\n", n);
	return (0);
}

static int
step_stub(pid_t daemon, int steps, char **command)
{
	pid_t stub;

	/* Whatever goes wrong, the daemon is not held for ever. */
	alarm(60);
	stub = catch_stub(daemon);
	return (stub == -1 ? 1 : step(stub, steps, command));
}

static int
step_daemon(pid_t daemon, int steps, char **command)
{
	int status;

	alarm(60);
	if (ptrace(PTRACE_SEIZE, daemon, 0, 0) == -1 ||
	    ptrace(PTRACE_INTERRUPT, daemon, 0, 0) == -1 ||
	    waitpid(daemon, &status, __WALL) != daemon)
		return (1);
	printf("waiting=1\n");
	return (step(daemon, steps, command));
}

static int
spawn(pid_t wanted)
{
	pid_t pids[2] = { 1, wanted }, pid;
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS |
	    CLONE_NEWIPC | CLONE_NEWUTS, .exit_signal = SIGCHLD,
	    .set_tid = (uintptr_t)pids, .set_tid_size = 2 };

	for (int i = 0; i < 1000; i++) {
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (pid == wanted)
			break;
		pause_ms(5);
	}
	printf("spawned=%d\n", pid);
	/* Whatever becomes of the test. */
	alarm(60);
	while (pid != -1 && !stopped)
		pause_ms(20);
	if (pid > 0)
		kill(pid, SIGKILL);
	return (pid == wanted ? 0 : 1);
}

/*
 * All signals blocked, those that can be ignored too, descriptors of the
 * host, a secret in the environment and one in the session keyring, another
 * group, and other priorities, umask and OOM score than usual.
 */
static int
company(char **command)
{
	static const struct sched_param usual;
	static const gid_t group = 4242;
	sigset_t all;
	int fd;

	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "jdtest");
	syscall(SYS_add_key, "user", "jdtest:secret", "secret", 6,
	    KEY_SPEC_SESSION_KEYRING);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setpriority(PRIO_PROCESS, 0, -20);
	sched_setscheduler(0, SCHED_BATCH, &usual);
	syscall(SYS_ioprio_set, 1, 0, 2 << 13);
	setgroups(1, &group);
	umask(0);
	setenv("JDTEST_SECRET", "secret", 1);
	for (int i = 0; i < 8; i++)
		if (open("/", O_RDONLY) == -1)
			return (1);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	/* What is less than usual takes CAP_SYS_RESOURCE. */
	if (write(fd, "-1000", 5) == -1 && write(fd, "300", 3) == -1)
		return (1);
	execvp(command[0], command);
	return (127);
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_stop };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(argv[1], "fuse") == 0)
		return (be_fuse(argv[2], argv[3]));
	if (argc > 4 && strcmp(argv[1], "step") == 0)
		return (step_stub(atoi(argv[2]), atoi(argv[3]), argv + 4));
	if (argc > 4 && strcmp(argv[1], "hold") == 0)
		return (step_daemon(atoi(argv[2]), atoi(argv[3]), argv + 4));
	if (argc > 2 && strcmp(argv[1], "company") == 0)
		return (company(argv + 2));
	sigaction(SIGTERM, &sa, NULL);
	if (argc == 3 && strcmp(argv[1], "spawn") == 0)
		return (spawn(atoi(argv[2])));
	fprintf(stderr, "usage: scene mode arguments; see the source\n");
	return (64);
}
