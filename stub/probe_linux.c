/*
 * jailprobe for Linux: all code that ever executes inside a container.
 *
 * The daemon starts it on the host.  It sheds what it inherited, opens what
 * it needs, joins the container's namespaces, gives up every privilege, and
 * only then clones the probe: the container never sees a process that has
 * more than itself.  The order of the steps is the safety argument; the
 * reason stands beside each.
 *
 * No libc and no allocation: what is not here cannot be attacked, and a
 * probe costs the pages of this file, a stack and the kernel's own.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <asm/errno.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>

#include "order.h"
#include "syscall_linux.h"

#if defined(__x86_64__)
#define SANDBOX_ARCH	AUDIT_ARCH_X86_64
#else
#define SANDBOX_ARCH	AUDIT_ARCH_AARCH64
#endif

#define SIGSET_BYTES	8

struct target {
	struct order	order;
	int		root;		/* O_PATH, the container's root */
	int		label;		/* attr/current, or -1 */
	unsigned int	namespaces;	/* CLONE_NEW* that differ from ours */
	bool		other_root;
	bool		has_groups;	/* setgroups(2) was refused so far */
};

/* What the kernel lays on the stack of a new program. */
struct start {
	unsigned long	count;
	char		*argv[];
};

/* A word to the daemon; it may be gone, and then nothing matters. */
static void
report(int to, uint64_t count)
{
	SYS3(__NR_write, to, &count, sizeof(count));
}

static _Noreturn void
leave(int status)
{
	for (;;)
		SYS1(__NR_exit_group, status);
}

static _Noreturn void
fail(enum report_step step, long ret)
{
	report(ORDER_FD_REPORT, COUNT_FAILURE(step, -ret));
	leave(1);
}

static void
must(enum report_step step, long ret)
{
	if (ret < 0)
		fail(step, ret);
}

/* "/proc/" PID "/" leaf. */
static const char *
proc_path(char *buf, int pid, const char *leaf)
{
	static const char prefix[] = "/proc/";
	char digits[12] = "";
	char *p = buf;
	int n = 0;

	for (const char *s = prefix; *s != '\0'; s++)
		*p++ = *s;
	for (; pid > 0; pid /= 10)
		digits[n++] = (char)('0' + pid % 10);
	while (n > 0)
		*p++ = digits[--n];
	*p++ = '/';
	while (*leaf != '\0')
		*p++ = *leaf++;
	*p = '\0';
	return (buf);
}

#define PROC_PATH_MAX	64

/*
 * Device and inode.  AT_STATX_DONT_SYNC: a container's root may be a FUSE
 * file system whose server never answers.
 */
static long
identify(int dir, const char *path, int flags, struct statx *st)
{
	st->stx_ino = st->stx_dev_major = st->stx_dev_minor = 0;
	return (SYS5(__NR_statx, dir, path, flags | AT_STATX_DONT_SYNC,
	    STATX_INO, st));
}

static bool
same(const struct statx *a, const struct statx *b)
{
	return (a->stx_dev_major == b->stx_dev_major &&
	    a->stx_dev_minor == b->stx_dev_minor && a->stx_ino == b->stx_ino);
}

static void
read_order(struct target *t)
{
	long n;

	t->order.magic = 0;
	n = SYS3(__NR_read, ORDER_FD_ORDER, &t->order, sizeof(t->order));
	if (n != (long)sizeof(t->order) || t->order.magic != ORDER_MAGIC ||
	    t->order.label_len > ORDER_LABEL_MAX)
		fail(STEP_ORDER, n < 0 ? n : -EPROTO);
}

/*
 * Nothing of the daemon's circumstances goes along: its session keyring, its
 * session, umask, priorities.  What it was started with of signals it has set
 * to the default before it began, and its own since in its child.
 * Lowering a priority that is above the usual always works; where raising
 * one back is not permitted, the probe stays nicer, which harms nobody.
 *
 * The session: a probe that was born in the daemon's process group could
 * be made to kill(2) it, whatever namespaces lie between, and a terminal's
 * hangup would be a trigger.  The keyring: where a jail has used up its uid's
 * quota, and that may be root's, the daemon's own stays, which is empty.
 */
static void
shed_inheritance(void)
{
	static const int normal_priority = 0;
	unsigned long all = ~0UL;
	long ret;

	ret = SYS2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
	if (ret != -ENOSYS && ret != -EDQUOT)
		must(STEP_SHED, ret);
	must(STEP_SHED, SYS0(__NR_setsid));
	SYS1(__NR_umask, 077);
	SYS3(__NR_setpriority, 0, 0, 0);
	SYS3(__NR_sched_setscheduler, 0, 0, &normal_priority);
	SYS3(__NR_ioprio_set, 1, 0, 0);
	/*
	 * Everything blocked, SIGHUP above all: what comes before the last
	 * step waits until then, and of what waits the lowest number, HUP,
	 * is the one that counts.
	 */
	must(STEP_SHED, SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0,
	    SIGSET_BYTES));
}

/*
 * The kernel's memory killer shall judge the probe as it judges the jail.
 * Raising the score is always permitted; lowering it needs CAP_SYS_RESOURCE.
 */
static void
take_oom_score(const struct target *t)
{
	char path[PROC_PATH_MAX], score[16];
	long n, from, to;

	from = SYS4(__NR_openat, AT_FDCWD,
	    proc_path(path, t->order.jid, "oom_score_adj"), O_RDONLY, 0);
	if (from < 0)
		return;
	to = SYS4(__NR_openat, AT_FDCWD, "/proc/self/oom_score_adj",
	    O_WRONLY, 0);
	n = SYS3(__NR_read, from, score, sizeof(score));
	if (to >= 0 && n > 0)
		SYS3(__NR_write, to, score, n);
	if (to >= 0)
		SYS1(__NR_close, to);
	SYS1(__NR_close, from);
}

static const struct {
	unsigned int	flag;
	char		name[12];
} namespaces[] = {
	{ CLONE_NEWUSER,	"ns/user" },
	{ CLONE_NEWPID,		"ns/pid" },
	{ CLONE_NEWNS,		"ns/mnt" },
	{ CLONE_NEWNET,		"ns/net" },
	{ CLONE_NEWIPC,		"ns/ipc" },
	{ CLONE_NEWUTS,		"ns/uts" },
	{ CLONE_NEWCGROUP,	"ns/cgroup" },
	{ CLONE_NEWTIME,	"ns/time" },
};

/*
 * Which namespaces differ.  One that cannot be read means that the target
 * has ended, never that it is the same as ours; one that we do not have
 * either is one that this kernel does not know.
 */
static void
compare_namespaces(struct target *t)
{
	char path[PROC_PATH_MAX];
	struct statx ours, theirs;
	int self = (int)SYS0(__NR_getpid);

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		proc_path(path, t->order.jid, namespaces[i].name);
		if (identify(AT_FDCWD, path, 0, &theirs) < 0) {
			proc_path(path, self, namespaces[i].name);
			if (identify(AT_FDCWD, path, 0, &ours) == -ENOENT)
				continue;
			fail(STEP_GONE, -ESRCH);
		}
		proc_path(path, self, namespaces[i].name);
		must(STEP_OPEN, identify(AT_FDCWD, path, 0, &ours));
		if (!same(&ours, &theirs))
			t->namespaces |= namespaces[i].flag;
	}
}

static void
open_label(struct target *t)
{
	static const char *const paths[] = {
	    "/proc/self/attr/apparmor/current", "/proc/self/attr/current" };
	long fd = -ENOENT;

	t->label = -1;
	if (t->order.label_len == 0)
		return;
	/* AppArmor's own file where there is one; SELinux has the old name. */
	if (t->order.flags & ORDER_F_APPARMOR)
		fd = SYS4(__NR_openat, AT_FDCWD, paths[0], O_WRONLY, 0);
	if (fd < 0)
		fd = SYS4(__NR_openat, AT_FDCWD, paths[1], O_WRONLY, 0);
	must(STEP_LABEL, fd);
	t->label = (int)fd;
}

/* All that needs the host's /proc, while it is still there. */
static void
open_target(struct target *t)
{
	char path[PROC_PATH_MAX];
	struct statx ours, theirs;
	long fd;

	fd = SYS4(__NR_openat, AT_FDCWD, proc_path(path, t->order.jid, "root"),
	    O_PATH | O_CLOEXEC, 0);
	if (fd == -ENOENT || fd == -ESRCH)
		fail(STEP_GONE, fd);
	must(STEP_OPEN, fd);
	t->root = (int)fd;
	must(STEP_OPEN, identify(t->root, "", AT_EMPTY_PATH, &theirs));
	must(STEP_OPEN, identify(AT_FDCWD, "/", 0, &ours));
	t->other_root = !same(&ours, &theirs);
	compare_namespaces(t);
	open_label(t);
	take_oom_score(t);
	/* The descriptor is the process; only now is the number proven too. */
	if (SYS4(__NR_pidfd_send_signal, ORDER_FD_TARGET, 0, 0, 0) == -ESRCH)
		fail(STEP_GONE, -ESRCH);
	/* A mount namespace alone is none: udevd and logind have one. */
	if ((t->namespaces & (CLONE_NEWPID | CLONE_NEWUSER)) == 0 &&
	    !t->other_root)
		fail(STEP_NOT_CONTAINER, -EINVAL);
}

static void
join(struct target *t)
{
	long ret;

	/*
	 * Before the user namespace, where a `deny` in its setgroups file
	 * would forbid it; a daemon without privileges must try after.
	 */
	ret = SYS2(__NR_setgroups, 0, 0);
	t->has_groups = ret == -EPERM;
	if (!t->has_groups)
		must(STEP_SETGROUPS, ret);
	/*
	 * All at once: joined one by one, the user namespace would take away
	 * the right to join those that the initial one owns.
	 */
	if (t->namespaces != 0) {
		ret = SYS2(__NR_setns, ORDER_FD_TARGET, t->namespaces);
		must(ret == -ESRCH ? STEP_GONE : STEP_JOIN, ret);
	}
	/* The root may lie below its mount namespace's. */
	if (t->other_root || (t->namespaces & CLONE_NEWNS) != 0) {
		must(STEP_ROOT, SYS1(__NR_fchdir, t->root));
		must(STEP_ROOT, SYS1(__NR_chroot, "."));
	}
	if (t->has_groups)
		must(STEP_SETGROUPS, SYS2(__NR_setgroups, 0, 0));
}

static void
drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3,
	    0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	must(STEP_CAPS, SYS2(__NR_capset, &header, none));
	must(STEP_CAPS, SYS5(__NR_prctl, PR_CAP_AMBIENT,
	    PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

static void
set_limits(void)
{
	static const int zero[] = { RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NOFILE };
	const struct rlimit64 nothing = { 0, 0 };
	struct rlimit64 processes = { 0, 0 };

	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		must(STEP_LIMITS, SYS4(__NR_prlimit64, 0, zero[i], &nothing, 0));
	/* Counted against the uid, which the host may use for others too. */
	must(STEP_LIMITS, SYS4(__NR_prlimit64, 0, RLIMIT_NPROC, 0, &processes));
	processes.rlim_cur = processes.rlim_max;
	must(STEP_LIMITS, SYS4(__NR_prlimit64, 0, RLIMIT_NPROC, &processes, 0));
}

/* From all of root's might to nothing; see the comments for the order. */
static void
drop_privileges(const struct target *t)
{
	long ret;

	/* The last thing that the host's policy must still allow. */
	if (t->label != -1)
		must(STEP_LABEL, SYS3(__NR_write, t->label, t->order.label,
		    t->order.label_len));
	/* Needs CAP_SETPCAP, so before the ids. */
	for (long cap = 0; (ret = SYS5(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0,
	    0)) != -EINVAL; cap++)
		must(STEP_BOUNDING, ret);
	/* The group first: afterwards the right to change it is gone. */
	must(STEP_SETGID, SYS3(__NR_setresgid, t->order.gid, t->order.gid,
	    t->order.gid));
	must(STEP_SETUID, SYS3(__NR_setresuid, t->order.uid, t->order.uid,
	    t->order.uid));
	/* For uid 0, which keeps them over the change of ids. */
	drop_capabilities();
	must(STEP_PRIVS, SYS5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	/* A change of ids turns it on again. */
	must(STEP_HIDE, SYS5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	/* After the last open: no descriptor may be made from here on. */
	set_limits();
	must(STEP_CLOSE, SYS1(__NR_close, ORDER_FD_TARGET));
	must(STEP_CLOSE, SYS3(__NR_close_range, ORDER_FD_ORDER +
	    ORDER_FDS_EACH * t->order.probes, ~0U, 0));
}

/*
 * The daemon now moves us to the jail's cgroups: not before, since a jail may
 * freeze what is in there, and not later, since what a tracing jail makes of
 * its probe would otherwise live in the daemon's.
 */
static void
wait_for_admission(void)
{
	char byte;

	report(ORDER_FD_REPORT, COUNT_SHED);
	if (SYS3(__NR_read, ORDER_FD_ORDER, &byte, 1) != 1)
		leave(1);
}

#define LOAD(field)							\
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The low half of an argument, on machines that have it first. */
#define LOAD_ARG(n)							\
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,				\
	    offsetof(struct seccomp_data, args) + 8 * (n))
#define SKIP_UNLESS(value, count)					\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define ALLOW	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ALLOW_IF(value)	SKIP_UNLESS((value), 1), ALLOW
#define KILL	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define BIRTH_FLAGS	(CLONE_PARENT | SIGCHLD)

/*
 * What is left to do: to be born, and to become the probe.  A probe is born
 * with this, so that a tracer cannot force more on it from its first
 * instruction on: no fork of its own, no execve, no keyring for its parent,
 * no tracer out of its parent.
 */
static const struct sock_filter birth_filter[] = {
	LOAD(arch),
	SKIP_UNLESS(SANDBOX_ARCH, 25),
	LOAD(nr),
	ALLOW_IF(__NR_write),
	ALLOW_IF(__NR_read),
	ALLOW_IF(__NR_close_range),
	ALLOW_IF(__NR_rt_sigprocmask),
	ALLOW_IF(__NR_seccomp),
	ALLOW_IF(__NR_setsid),
	ALLOW_IF(PAUSE_NR),
	ALLOW_IF(__NR_exit_group),
	SKIP_UNLESS(__NR_prctl, 3),
	LOAD_ARG(0),
	SKIP_UNLESS(PR_SET_PDEATHSIG, 5),
	ALLOW,
	SKIP_UNLESS(__NR_clone, 3),
	LOAD_ARG(0),
	SKIP_UNLESS(BIRTH_FLAGS, 1),
	ALLOW,
	KILL,
};

/* pause and exit; anything else, forced on the probe by a tracer, kills. */
static const struct sock_filter filter[] = {
	LOAD(arch),
	SKIP_UNLESS(SANDBOX_ARCH, 5),
	LOAD(nr),
	ALLOW_IF(PAUSE_NR),
	ALLOW_IF(__NR_exit_group),
	KILL,
};

static long
enter_sandbox(const struct sock_filter *rules, unsigned short count)
{
	const struct sock_fprog program = { count,
	    (struct sock_filter *)(unsigned long)rules };

	return (SYS3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

#define ENTER_SANDBOX(rules)						\
	enter_sandbox((rules), sizeof(rules) / sizeof((rules)[0]))

static void
check_sandbox(void)
{
	unsigned int action = SECCOMP_RET_KILL_PROCESS;

	must(STEP_SANDBOX, SYS3(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
	    &action));
}

/*
 * The daemon answers READY with one more byte.  That the pipe is still open
 * would not do: when the daemon is killed, a process that it has just started
 * shares its descriptors for another instant.
 */
static bool
daemon_lives(int order)
{
	char byte;

	return (SYS3(__NR_read, order, &byte, 1) == 1);
}

/*
 * The probe: born without any privilege.  Its session is its own, so that
 * no terminal or process group hangs it up.  Its parent's pid reads 0 from
 * inside, so whether the daemon lives is asked of the daemon itself, after
 * PDEATHSIG.  SIGHUP counts from the first instant on, and strikes from the
 * unblocking on.
 */
static _Noreturn void
probe(int order)
{
	unsigned long none = 0;
	long ret;

	SYS0(__NR_setsid);
	ret = SYS5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (ret < 0) {
		report(order + 1, COUNT_FAILURE(STEP_PDEATHSIG, -ret));
		leave(1);
	}
	report(order + 1, COUNT_READY);
	SYS3(__NR_close_range, order + 1, ~0U, 0);
	if (!daemon_lives(order))
		leave(1);
	SYS3(__NR_close_range, order, ~0U, 0);
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, SIGSET_BYTES);
	if (ENTER_SANDBOX(filter) < 0)
		leave(1);
	for (;;)
		PAUSE();
}

/*
 * The next probe's title, to where the kernel looks for the first one.  It
 * shows what stands there up to a zero, as long as the last byte of all
 * arguments is none: that is its rule for setproctitle(3).
 */
static void
show_title(char *to, char *const *title)
{
	for (const char *p = title[0]; p < title[1];)
		*to++ = *p++;
}

/*
 * A pid namespace counts for children only; CLONE_PARENT makes the probe the
 * daemon's child, not ours.  Of what a probe is born with, nothing is left
 * that belongs to an earlier one.
 */
static void
bear(unsigned int probes, char *const *titles)
{
	char *const shown = titles[0];
	int order = ORDER_FD_ORDER;

	if (probes > 1)
		*titles[probes] = 1;
	for (; probes > 0; probes--) {
		long pid;

		show_title(shown, titles++);
		pid = SYS5(__NR_clone, BIRTH_FLAGS, 0, 0, 0, 0);
		if (pid == 0)
			probe(order);
		report(order + 1, pid < 0 ?
		    COUNT_FAILURE(STEP_CLONE, -pid) : (uint64_t)pid);
		SYS3(__NR_close_range, order, order + 1, 0);
		order += ORDER_FDS_EACH;
	}
}

_Noreturn void	jailprobe(const struct start *);

_Noreturn void
jailprobe(const struct start *start)
{
	static const char name[] = "jailprobe";
	struct target t;

	/* First of all: with this on, a container's root could trace it. */
	must(STEP_HIDE, SYS5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	SYS5(__NR_prctl, PR_SET_NAME, name, 0, 0, 0);
	t.namespaces = 0;
	read_order(&t);
	check_sandbox();
	shed_inheritance();
	open_target(&t);
	join(&t);
	drop_privileges(&t);
	wait_for_admission();
	must(STEP_SANDBOX, ENTER_SANDBOX(birth_filter));
	bear(t.order.probes, start->argv);
	leave(0);
}

SYSCALL_ENTRY(jailprobe);
