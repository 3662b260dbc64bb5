/*
 * What a hostile root of a FreeBSD jail does to its probes.
 *
 *   spy try [SECONDS]		try to trace, to read and to change all probes
 *				that are there, in every way of attempts[]; with
 *				SECONDS, whatever appears, stopped at its first
 *				instant and then let go on
 *   spy stop SECONDS		the same, but what was stopped stays so
 *   spy hammer SECONDS		signals of all kinds to whatever is a probe
 *   spy hup SECONDS [SIGNAL]	one, as fast as it can
 *   spy fork SECONDS		use up the processes
 *
 * Each ends at SIGTERM too, and prints what it saw as "name=number" words.
 *
 *   spy look PID		what the system tells of a process, word by word
 *   spy company COMMAND...	becomes a command that has inherited all that a
 *				daemon should not pass on
 */
#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/procctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/rtprio.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/ktrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME		"jailprobe"
#define PID_MAX		99999		/* sys/proc.h, for the kernel alone */
#define P_PROTECTED	0x100000	/* likewise */

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

/* -- what is there -------------------------------------------------------- */

static struct kinfo_proc table[4096];

/* All processes that may be seen; how many. */
static size_t
look_around(void)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PROC };
	size_t len = sizeof(table);

	if (sysctl(mib, 3, table, &len, NULL, 0) == -1)
		return (0);
	return (len / sizeof(table[0]));
}

static bool
look_at(pid_t pid, struct kinfo_proc *kp)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, pid };
	size_t len = sizeof(*kp);

	return (sysctl(mib, 4, kp, &len, NULL, 0) == 0 && len >= sizeof(*kp));
}

static bool
is_probe(const struct kinfo_proc *kp)
{
	return (strcmp(kp->ki_comm, NAME) == 0 && kp->ki_stat != SZOMB);
}

/* A probe enters its sandbox just before it reports. */
static bool
is_early(const struct kinfo_proc *kp)
{
	return ((kp->ki_cr_flags & KI_CRF_CAPABILITY_MODE) == 0);
}

/* No number is used again in one life of a spy. */
static bool
is_new(const struct kinfo_proc *kp)
{
	static bool known[PID_MAX + 1];
	bool fresh;

	if (kp->ki_pid > PID_MAX)
		return (false);
	fresh = !known[kp->ki_pid];
	known[kp->ki_pid] = true;
	return (fresh);
}

/* -- attempts: true if one succeeded -------------------------------------- */

static bool
try_trace(pid_t pid)
{
	int status;

	if (ptrace(PT_ATTACH, pid, NULL, 0) == -1)
		return (false);
	waitpid(pid, &status, 0);
	ptrace(PT_DETACH, pid, (caddr_t)1, 0);
	return (true);
}

static bool
try_ktrace(pid_t pid)
{
	static const char file[] = "/tmp/ktrace.out";
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	if (fd != -1)
		close(fd);
	return (ktrace(file, KTROP_SET, KTRFAC_SYSCALL, pid) == 0);
}

static bool
try_file(pid_t pid, const char *leaf, int flags)
{
	char path[64], buf[64];
	int fd;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, leaf);
	fd = open(path, flags);
	if (fd == -1)
		return (false);
	if (flags == O_RDONLY)
		n = read(fd, buf, sizeof(buf));
	close(fd);
	return (n >= 0);
}

static bool
try_mem(pid_t pid)
{
	return (try_file(pid, "mem", O_RDWR) || try_file(pid, "mem", O_RDONLY));
}

static bool
try_regs(pid_t pid)
{
	return (try_file(pid, "regs", O_RDWR) ||
	    try_file(pid, "regs", O_RDONLY));
}

static bool
try_map(pid_t pid)
{
	return (try_file(pid, "map", O_RDONLY));
}

static bool
ask(int what, pid_t pid)
{
	static char buf[65536];
	int mib[] = { CTL_KERN, KERN_PROC, what, pid };
	size_t len = sizeof(buf);

	return (sysctl(mib, 4, buf, &len, NULL, 0) == 0 && len > 0);
}

static bool
try_files(pid_t pid)
{
	return (ask(KERN_PROC_FILEDESC, pid));
}

static bool
try_folder(pid_t pid)
{
	return (ask(KERN_PROC_CWD, pid));
}

static bool
try_vmmap(pid_t pid)
{
	return (ask(KERN_PROC_VMMAP, pid));
}

static bool
try_env(pid_t pid)
{
	return (ask(KERN_PROC_ENV, pid));
}

static bool
try_auxv(pid_t pid)
{
	return (ask(KERN_PROC_AUXV, pid));
}

static bool
try_kstack(pid_t pid)
{
	return (ask(KERN_PROC_KSTACK, pid));
}

static bool
try_limit(pid_t pid)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_RLIMIT, pid,
	    RLIMIT_NOFILE };
	struct rlimit more = { 100, 100 };

	return (sysctl(mib, 5, NULL, NULL, &more, sizeof(more)) == 0);
}

static bool
try_untrace(pid_t pid)
{
	int enable = PROC_TRACE_CTL_ENABLE;

	return (procctl(P_PID, pid, PROC_TRACE_CTL, &enable) == 0);
}

static bool
try_protect(pid_t pid)
{
	int set = PPROT_SET;

	return (procctl(P_PID, pid, PROC_SPROTECT, &set) == 0);
}

static struct attempt {
	const char	*name;
	bool		(*try)(pid_t);
	unsigned int	 succeeded;
} attempts[] = {
	{ "trace", try_trace, 0 },	/* ptrace(2) */
	{ "ktrace", try_ktrace, 0 },
	{ "mem", try_mem, 0 },		/* procfs(5) */
	{ "regs", try_regs, 0 },
	{ "map", try_map, 0 },
	{ "files", try_files, 0 },	/* sysctl(3) */
	{ "folder", try_folder, 0 },
	{ "vmmap", try_vmmap, 0 },
	{ "env", try_env, 0 },
	{ "auxv", try_auxv, 0 },
	{ "kstack", try_kstack, 0 },
	{ "limit", try_limit, 0 },
	{ "untrace", try_untrace, 0 },	/* procctl(2) */
	{ "protect", try_protect, 0 },
};
#define NATTEMPTS	(sizeof(attempts) / sizeof(attempts[0]))

static struct {
	unsigned int	probes, early, halted;
} seen;

static void
attempt_all(pid_t pid)
{
	seen.probes++;
	for (size_t i = 0; i < NATTEMPTS; i++)
		attempts[i].succeeded += attempts[i].try(pid);
}

static void
print_attempts(void)
{
	unsigned int gained = 0;

	for (size_t i = 0; i < NATTEMPTS; i++) {
		gained += attempts[i].succeeded;
		if (attempts[i].succeeded > 0)
			printf("%s=%u ", attempts[i].name,
			    attempts[i].succeeded);
	}
	printf("probes=%u early=%u halted=%u gained=%u\n", seen.probes,
	    seen.early, seen.halted, gained);
}

/*
 * As it was before: what was stopped before it was in its sandbox is still
 * on its way, with its privileges.
 */
static void
surprise(pid_t pid, bool keep)
{
	struct kinfo_proc kp;

	kill(pid, SIGSTOP);
	for (int i = 0; i < 20 && look_at(pid, &kp) && kp.ki_stat != SSTOP; i++)
		pause_ms(1);
	if (look_at(pid, &kp) && kp.ki_stat == SSTOP) {
		seen.halted++;
		if (is_early(&kp))
			printf("early=%u\n", ++seen.early);
	}
	attempt_all(pid);
	if (!keep)
		kill(pid, SIGCONT);
}

static void
surprise_all(bool keep)
{
	while (!over()) {
		size_t n = look_around();

		for (size_t i = 0; i < n; i++)
			if (is_probe(&table[i]) && is_new(&table[i]))
				surprise(table[i].ki_pid, keep);
	}
	print_attempts();
}

static void
try_all(void)
{
	size_t n = look_around();

	for (size_t i = 0; i < n; i++)
		if (is_probe(&table[i])) {
			seen.early += is_early(&table[i]);
			attempt_all(table[i].ki_pid);
		}
	print_attempts();
}

/* -- signals -------------------------------------------------------------- */

static unsigned int
signal_probes(int sig)
{
	size_t n = look_around();
	unsigned int fresh = 0;

	for (size_t i = 0; i < n; i++)
		if (is_probe(&table[i]) && kill(table[i].ki_pid, sig) == 0)
			fresh += is_new(&table[i]);
	return (fresh);
}

static void
signals(const char *mode, int only)
{
	static const int all[] = { SIGSTOP, SIGKILL, SIGHUP, SIGCONT, SIGTERM,
	    SIGTSTP, SIGSEGV, SIGUSR1 };
	unsigned int probes = 0, n = 0;

	while (!over())
		probes += signal_probes(only != -1 ? only :
		    all[n++ % (sizeof(all) / sizeof(all[0]))]);
	printf("%s=%u\n", mode, probes);
}

/* -- resources ------------------------------------------------------------ */

static void
use_up_processes(void)
{
	static pid_t pids[4096];
	unsigned int n = 0;

	while (!over()) {
		pid_t pid = n < sizeof(pids) / sizeof(pids[0]) ? fork() : -1;

		if (pid == 0)
			for (;;)
				pause();
		if (pid > 0) {
			pids[n++] = pid;
			continue;
		}
		printf("full=%u\n", n);
		pause_ms(50);
	}
	for (unsigned int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	printf("processes=%u\n", n);
}

/* -- what a process has --------------------------------------------------- */

static unsigned int
count_signals(const sigset_t *set)
{
	unsigned int n = 0;

	for (int sig = 1; sig <= _SIG_MAXSIG; sig++)
		n += sigismember(set, sig) == 1;
	return (n);
}

/* Those whose default it is are among them. */
static unsigned int
count_ignored(sigset_t set)
{
	static const int usual[] = { SIGURG, SIGCHLD, SIGIO, SIGWINCH, SIGINFO,
	    SIGCONT };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		sigdelset(&set, usual[i]);
	return (count_signals(&set));
}

static void
look_limits(pid_t pid)
{
	static const struct {
		const char	*name;
		int		 which;
	} limits[] = { { "core", RLIMIT_CORE }, { "fsize", RLIMIT_FSIZE },
	    { "nofile", RLIMIT_NOFILE } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_RLIMIT, pid,
		    limits[i].which };
		struct rlimit limit;
		size_t len = sizeof(limit);

		if (sysctl(mib, 5, &limit, &len, NULL, 0) == 0)
			printf("%s=%lld/%lld ", limits[i].name,
			    (long long)limit.rlim_cur,
			    (long long)limit.rlim_max);
	}
}

/* For the host's eyes alone. */
static void
look_closer(pid_t pid)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_UMASK, pid };
	u_short mask;
	size_t len = sizeof(mask);
	cpuset_t cpus;

	if (sysctl(mib, 4, &mask, &len, NULL, 0) == 0)
		printf("umask=%o ", mask);
	if (cpuset_getaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, pid,
	    sizeof(cpus), &cpus) == 0)
		printf("cpus=%d ", CPU_COUNT(&cpus));
}

static int
look(pid_t pid)
{
	struct kinfo_proc kp;
	int tracer = 0;

	if (!look_at(pid, &kp))
		return (1);
	printf("capmode=%d ", !is_early(&kp));
	if (procctl(P_PID, pid, PROC_TRACE_STATUS, &tracer) == 0)
		printf("traceable=%d ", tracer != -1);
	printf("blocked=%u ignored=%u caught=%u ",
	    count_signals(&kp.ki_sigmask), count_ignored(kp.ki_sigignore),
	    count_signals(&kp.ki_sigcatch));
	look_limits(pid);
	printf("nice=%d class=%d protected=%d ", kp.ki_nice - NZERO,
	    PRI_BASE(kp.ki_pri.pri_class),
	    (kp.ki_flag & P_PROTECTED) != 0);
	printf("session=%d group=%d terminal=%d ", kp.ki_sid == pid,
	    kp.ki_pgid == pid, kp.ki_tdev != (uint64_t)-1 &&
	    kp.ki_tdev != (uint32_t)-1);
	printf("login=<%s> loginclass=<%s> ", kp.ki_login, kp.ki_loginclass);
	look_closer(pid);
	putchar('\n');
	return (0);
}

/* -- bad company ---------------------------------------------------------- */

/* Until that process has ended; nobody's child, so that nobody wonders. */
static void
hold_terminal(pid_t pid)
{
	struct kevent change;
	int kq;

	if (fork() != 0) {
		wait(NULL);
		return;
	}
	if (fork() != 0)
		_exit(0);
	kq = kqueue();
	EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0,
	    NULL);
	kevent(kq, &change, 1, &change, 1, NULL);
	_exit(0);
}

/* A controlling terminal. */
static void
take_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		err(1, "posix_openpt");
	slave = open(ptsname(master), O_RDWR);
	hold_terminal(getpid());
	setsid();
	if (slave == -1 || ioctl(slave, TIOCSCTTY, NULL) == -1)
		err(1, "TIOCSCTTY");
}

static void
take_company(void)
{
	static const int ignored[] = { SIGHUP, SIGCHLD, SIGTERM, SIGPIPE,
	    SIGUSR1 };
	gid_t groups[] = { 0, 5, 2000, 3000 };
	int protect = PPROT_SET | PPROT_INHERIT;
	struct rtprio rt = { .type = RTP_PRIO_REALTIME, .prio = 10 };
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	sigset_t all;
	cpuset_t one;

	take_terminal();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* A directory of the host, to lead out of the jail. */
	if (open("/", O_RDONLY | O_DIRECTORY) == -1 || chdir("/etc") == -1)
		err(1, "/");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (setgroups(4, groups) == -1 || setlogin("mallory") == -1 ||
	    setloginclass("staff") == -1 ||
	    setpriority(PRIO_PROCESS, 0, -20) == -1 ||
	    setrlimit(RLIMIT_CORE, &most) == -1 ||
	    cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, -1,
	    sizeof(one), &one) == -1 ||
	    procctl(P_PID, getpid(), PROC_SPROTECT, &protect) == -1 ||
	    rtprio(RTP_SET, 0, &rt) == -1)
		err(1, "bad company");
	umask(0);
	setenv("JDTEST_SECRET", "secret", 1);
}

/* -- all of it ------------------------------------------------------------ */

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_stop };
	const char *mode = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(mode, "company") == 0 && argc > 2) {
		take_company();
		execvp(argv[2], argv + 2);
		err(1, "%s", argv[2]);
	}
	if (strcmp(mode, "look") == 0 && argc == 3)
		return (look((pid_t)atoi(argv[2])));
	sigaction(SIGTERM, &sa, NULL);
	if (argc > 2)
		end_ms = now_ms() + atoi(argv[2]) * 1000L;
	if (strcmp(mode, "try") == 0 && argc == 2)
		try_all();
	else if (strcmp(mode, "try") == 0)
		surprise_all(false);
	else if (strcmp(mode, "stop") == 0 && argc == 3)
		surprise_all(true);
	else if (strcmp(mode, "hammer") == 0 && argc == 3)
		signals(mode, -1);
	else if (strcmp(mode, "hup") == 0 && argc >= 3)
		signals(mode, argc == 4 ? atoi(argv[3]) : SIGHUP);
	else if (strcmp(mode, "fork") == 0 && argc == 3)
		use_up_processes();
	else
		goto usage;
	return (0);
usage:
	fprintf(stderr, "usage: spy mode arguments; see the source\n");
	return (64);
}
