/*
 * jailprobe for FreeBSD: all code that ever executes inside a jail.
 *
 * The daemon starts it on the host.  It makes itself untraceable, sheds what
 * it inherited, closes every descriptor but its channel, attaches itself to
 * the jail, gives up every privilege, and is then the probe.  The order of
 * the steps is the safety argument; the reason stands beside each.
 *
 * The process ids given to procctl(2) are never 0: FreeBSD 12 takes that for
 * the kernel's own process, newer ones for the caller.
 */
#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/cpuset.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/rtprio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "order.h"

/* A message to the daemon; -1: it is gone, and then nothing matters. */
static ssize_t
report(enum report_kind kind, enum report_step step, int error)
{
	struct report r = { .magic = ORDER_MAGIC, .kind = kind, .step = step,
	    .error = error, .pid = getpid() };

	return (send(ORDER_FD_REPORT, &r, sizeof(r), MSG_NOSIGNAL));
}

static _Noreturn void
fail(enum report_step step, int error)
{
	report(REPORT_FAILED, step, error);
	_exit(1);
}

static void
must(enum report_step step, int ret)
{
	if (ret == -1)
		fail(step, errno);
}

/*
 * First of all: with tracing on, a jail's root could take the probe over.
 * Not even an execve(2) turns it on again.  Then, where the system knows it,
 * the promise never to gain privileges by one; its permission is that of
 * debugging oneself, which an unprivileged process may lack.
 */
static void
hide(void)
{
	int trace = PROC_TRACE_CTL_DISABLE_EXEC;

	must(STEP_HIDE, procctl(P_PID, getpid(), PROC_TRACE_CTL, &trace));
#ifdef PROC_NO_NEW_PRIVS_CTL
	int none = PROC_NO_NEW_PRIVS_ENABLE;

	must(STEP_PRIVS, procctl(P_PID, getpid(), PROC_NO_NEW_PRIVS_CTL,
	    &none));
#endif
}

/*
 * The program was executed by its descriptor.  Where the file system keeps
 * no names of open files, as nullfs does not, the process has none either
 * then; executed by its path it has.
 */
static void
take_name(char **argv)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid() };
	char path[PATH_MAX], *envp[] = { NULL };
	struct kinfo_proc self;
	size_t len = sizeof(self);

	must(STEP_SHED, sysctl(mib, 4, &self, &len, NULL, 0));
	if (strcmp(self.ki_comm, "(fexecv)") != 0)
		return;
	mib[2] = KERN_PROC_PATHNAME;
	len = sizeof(path);
	if (sysctl(mib, 4, path, &len, NULL, 0) == 0)
		execve(path, argv, envp);
}

static void
read_order(struct order *order)
{
	ssize_t n = recv(ORDER_FD_REPORT, order, sizeof(*order), 0);

	must(STEP_ORDER, n == -1 ? -1 : 0);
	if (n != (ssize_t)sizeof(*order) || order->magic != ORDER_MAGIC)
		fail(STEP_ORDER, EPROTO);
}

/*
 * Everything blocked, SIGHUP above all: what comes before the last step waits
 * until then, and of what waits the lowest number, HUP, is the one that
 * counts.  NSIG counts only the old signals.
 */
static void
shed_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	must(STEP_SHED, sigprocmask(SIG_SETMASK, &all, NULL));
	for (int sig = 1; sig <= _SIG_MAXSIG; sig++)
		sigaction(sig, &dfl, NULL);
}

static int
get_cpus(cpulevel_t level, cpuset_t *cpus)
{
	return (cpuset_getaffinity(level, CPU_WHICH_PID, -1, sizeof(*cpus),
	    cpus));
}

/*
 * The daemon's processors, its set's and its own choice of those.  A kernel
 * takes them along into the jail, as far as the jail has them too; if that
 * leaves none, it refuses to attach.
 */
static void
shed_affinity(void)
{
	cpuset_t all, cpus;
	cpusetid_t id;

	if (get_cpus(CPU_LEVEL_ROOT, &all) == -1)
		return;
	if (get_cpus(CPU_LEVEL_CPUSET, &cpus) == 0 &&
	    memcmp(&cpus, &all, sizeof(cpus)) != 0)
		cpuset(&id);
	if (get_cpus(CPU_LEVEL_WHICH, &cpus) == 0 &&
	    memcmp(&cpus, &all, sizeof(cpus)) != 0)
		cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, -1,
		    sizeof(all), &all);
}

/*
 * Nothing of the daemon's circumstances goes along: umask, priorities,
 * processors, its terminal and session with the name and the class of who
 * logged in, its protection from the memory killer.  Where taking back what a
 * privileged start gave is not permitted, attaching to a jail is not either,
 * and that has better words.
 */
static void
shed_inheritance(void)
{
	struct rtprio normal = { .type = RTP_PRIO_NORMAL };
	int unprotected = PPROT_CLEAR;

	shed_signals();
	umask(077);
	setpriority(PRIO_PROCESS, 0, 0);
	rtprio(RTP_SET, 0, &normal);
	shed_affinity();
	procctl(P_PID, getpid(), PROC_SPROTECT, &unprotected);
	must(STEP_SHED, setsid());
	setlogin("");
	setloginclass("default");
}

/*
 * No directory's descriptor may enter a jail: it would lead out again.  Nor
 * may the working directory, which jail_attach(2) leaves outside
 * (FreeBSD-SA-21:05.jail_chdir).
 */
static void
join(const struct order *order)
{
	closefrom(ORDER_FD_REPORT + 1);
	if (jail_attach(order->jid) == -1)
		fail(errno == EINVAL ? STEP_GONE : STEP_JOIN, errno);
	must(STEP_ROOT, chdir("/"));
}

/*
 * The groups first: afterwards the right to change them is gone.  An empty
 * list leaves the effective group alone where that is the list's first.
 */
static void
drop_privileges(const struct order *order)
{
	static const int zero[] = { RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NOFILE };
	const struct rlimit nothing = { 0, 0 };

	must(STEP_SETGROUPS, setgroups(0, NULL));
	must(STEP_SETGID, setresgid(order->gid, order->gid, order->gid));
	must(STEP_SETUID, setresuid(order->uid, order->uid, order->uid));
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		must(STEP_LIMITS, setrlimit(zero[i], &nothing));
}

/*
 * The daemon's end ends the probe twice over: by this, and because nobody
 * holds its process descriptor any more.  In capability mode no name of the
 * jail's means anything; what is left is to report and to wait.
 */
static void
enter_sandbox(void)
{
	int sig = SIGKILL;

	must(STEP_PDEATHSIG, procctl(P_PID, getpid(), PROC_PDEATHSIG_CTL,
	    &sig));
	must(STEP_SANDBOX, cap_enter());
}

int
main(int argc, char **argv)
{
	struct order order;
	sigset_t none;

	(void)argc;
	hide();
	take_name(argv);
	read_order(&order);
	shed_inheritance();
	join(&order);
	drop_privileges(&order);
	enter_sandbox();
	/* A probe that could not report ends. */
	if (report(REPORT_READY, STEP_NONE, 0) == -1)
		_exit(1);
	close(ORDER_FD_REPORT);
	/* SIGHUP counts from the first instant on, and strikes from here on. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (;;)
		pause();
}
