/*
 * What the daemon believes of a report, on Linux.  The test is the stub, and
 * says what it wants to; what it says of the jail is the test's, too.
 */
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Its channels are looked into. */
#include "../../src/probe.c"	/* NOLINT(bugprone-suspicious-include) */

#include "child.h"
#include "loop.h"

#define SOON_MS		2000
#define TICK_MS		20	/* a timer's: it may be early by so much */

/* The stub's program is nobody's here. */
__asm__(".pushsection .rodata\n"
    ".globl stub_image, stub_image_end\n"
    "stub_image: .ascii \"none\"\n"
    "stub_image_end:\n"
    ".popsection");

struct owner {
	unsigned int	ready, refused, ended;
	int		status;
	char		why[WHY_MAX];
};

static struct event_base *base;
static struct ends	*ends;
static struct jail	 jail;
static struct owner	 owners[PROBE_TOGETHER_MAX];
static struct probe_order orders[PROBE_TOGETHER_MAX];
static struct probe_context ctx;
static pid_t		 stub_pid;
static int		 stub_orders[PROBE_TOGETHER_MAX];	/* its ends */
static unsigned int	 stub_count;
static unsigned int	 admitted;

/* What the jail and the system say. */
static struct {
	int	order, admit, birth, check;	/* statuses */
	bool	no_process;
} says;
static pid_t		 asked_birth, asked_place;

struct jail *
jail_ref(struct jail *j)
{
	j->refs++;
	return (j);
}

void
jails_release(struct jail *j)
{
	assert_true(j->refs > 0);
	j->refs--;
}

int
jail_target(const struct jail *j)
{
	(void)j;
	return (-1);
}

int
jail_order(struct jail *j, const struct spec *s, struct order *order, char *err,
    size_t errsize)
{
	(void)j;
	(void)s;
	memset(order, 0, sizeof(*order));
	(void)snprintf(err, errsize, "no order");
	return (says.order);
}

int
jail_admit(struct jail *j, pid_t pid, char *err, size_t errsize)
{
	(void)j;
	assert_int_equal(pid, stub_pid);
	admitted++;
	(void)snprintf(err, errsize, "no admission");
	return (says.admit);
}

int
jail_check_birth(struct jail *j, pid_t pid, char *err, size_t errsize)
{
	(void)j;
	asked_birth = pid;
	(void)snprintf(err, errsize, "in another jail");
	return (says.birth);
}

int
jail_check(struct jail *j, pid_t pid, char *err, size_t errsize)
{
	(void)j;
	asked_place = pid;
	(void)snprintf(err, errsize, "not where it should be");
	return (says.check);
}

void
jail_id_map(const struct jail *j, bool groups, char *buf, size_t size)
{
	(void)j;
	(void)snprintf(buf, size, "the map of %s", groups ? "gids" : "uids");
}

/* Lives until a signal ends it. */
static pid_t
start_child(bool stubborn)
{
	pid_t pid;

	(void)signal(SIGTERM, stubborn ? SIG_IGN : SIG_DFL);
	pid = child_idle();
	(void)signal(SIGTERM, SIG_DFL);
	assert_int_not_equal(pid, -1);
	return (pid);
}

static void
close_orders(void)
{
	while (stub_count > 0)
		(void)close(stub_orders[--stub_count]);
}

int
spawn(const struct spawn *sp, pid_t *pid, int *fd)
{
	assert_true(sp->nfds >= 3);
	if (says.no_process) {
		errno = EAGAIN;
		return (-1);
	}
	close_orders();
	for (int i = ORDER_FD_ORDER; i < sp->nfds; i += ORDER_FDS_EACH)
		stub_orders[stub_count++] =
		    fcntl(sp->fds[i], F_DUPFD_CLOEXEC, 0);
	*pid = stub_pid = start_child(false);
	*fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	assert_int_not_equal(*fd, -1);
	return (0);
}

static void
on_ready(void *arg)
{
	struct owner *o = arg;

	o->ready++;
}

static void
on_refused(void *arg, int status, const char *why)
{
	struct owner *o = arg;

	o->refused++;
	o->status = status;
	(void)snprintf(o->why, sizeof(o->why), "%s", why);
}

static void
on_ended(void *arg, int status)
{
	struct owner *o = arg;

	o->ended++;
	o->status = status;
}

static const struct probe_events events = { on_ready, on_refused, on_ended };

static int
set_up(void **state)
{
	(void)state;
	memset(&says, 0, sizeof(says));
	memset(&jail, 0, sizeof(jail));
	memset(owners, 0, sizeof(owners));
	memset(orders, 0, sizeof(orders));
	for (int i = 0; i < PROBE_TOGETHER_MAX; i++)
		orders[i].arg = &owners[i];
	jail.id = 4711;
	admitted = 0;
	asked_birth = asked_place = 0;
	base = event_base_new();
	ends = base == NULL ? NULL : ends_open(base);
	ctx = (struct probe_context){ .base = base, .ends = ends,
	    .events = &events };
	return (ends == NULL ? -1 : 0);
}

/* Until all that was started has gone, or for some time. */
static void
loop_until_gone(void)
{
	for (int64_t end = clock_ms() + SOON_MS;
	    ctx.count != 0 && clock_ms() < end; )
		loop_until(base, 20, NULL, 0);
}

/* Whatever was done, nothing is left of it. */
static int
tear_down(void **state)
{
	(void)state;
	close_orders();
	loop_until_gone();
	if (ctx.count != 0 || jail.refs != 0 || jail.leftovers != 0)
		return (-1);
	ends_close(ends);
	event_base_free(base);
	return (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1);
}

static int
try_start(unsigned int count, char *err, size_t errsize)
{
	const struct spec s = { .uid = 7, .gid = 8 };

	return (probe_start(&ctx, &jail, &s, orders, count, err, errsize));
}

static void
start_probes(unsigned int count)
{
	char err[WHY_MAX];

	assert_int_equal(try_start(count, err, sizeof(err)), 0);
	assert_int_equal(ctx.count, count);
}

static void
say(unsigned int i, uint64_t what)
{
	const struct attach *a = orders[i].probe->attach;

	assert_int_equal(write(a->channel.reports, &what, sizeof(what)),
	    sizeof(what));
}

static void
assert_refused(unsigned int i, int status, const char *why)
{
	loop_until(base, SOON_MS, &owners[i].refused, 1);
	assert_int_equal(owners[i].refused, 1);
	assert_int_equal(owners[i].ready, 0);
	assert_int_equal(owners[i].status, status);
	assert_string_equal(owners[i].why, why);
}

/* So many bytes wait for it. */
static void
assert_told(unsigned int i, size_t size)
{
	char bytes[sizeof(struct order) + 1];

	assert_int_equal(fcntl(stub_orders[i], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(stub_orders[i], bytes, sizeof(bytes)), size);
}

/* A probe that is born, reports, and may go on. */
static pid_t
bear(unsigned int i, bool stubborn)
{
	pid_t pid = start_child(stubborn);

	say(i, (uint64_t)pid);
	say(i, COUNT_READY);
	loop_until(base, SOON_MS, &owners[i].ready, 1);
	assert_int_equal(owners[i].ready, 1);
	assert_int_equal(probe_pid(orders[i].probe), pid);
	return (pid);
}

static void
end_stub(void)
{
	assert_int_equal(kill(stub_pid, SIGKILL), 0);
}

static void
test_life(void **state)
{
	(void)state;
	start_probes(1);
	assert_told(0, sizeof(struct order));
	say(0, COUNT_SHED);
	loop_until(base, SOON_MS, &admitted, 1);
	assert_told(0, 1);
	(void)bear(0, false);
	assert_told(0, 1);
	end_stub();
	loop_until(base, 100, NULL, 0);
	assert_int_equal(ctx.count, 1);
	probe_trigger(orders[0].probe);
	loop_until(base, SOON_MS, &owners[0].ended, 1);
	assert_int_equal(owners[0].ended, 1);
	assert_true(WIFSIGNALED(owners[0].status));
	assert_int_equal(WTERMSIG(owners[0].status), SIGHUP);
	assert_int_equal(owners[0].refused, 0);
	assert_int_equal(admitted, 1);
}

/* Who is not impressed by a SIGTERM is killed, and both requests are one. */
static void
test_kill(void **state)
{
	int64_t begun;

	(void)state;
	start_probes(2);
	(void)bear(0, false);
	(void)bear(1, true);
	end_stub();
	begun = clock_ms();
	for (unsigned int i = 0; i < 2; i++)
		probe_kill(orders[i].probe);
	probe_kill(orders[1].probe);
	loop_until(base, SOON_MS, &owners[0].ended, 1);
	assert_int_equal(WTERMSIG(owners[0].status), SIGTERM);
	loop_until(base, PROBE_KILL_MS + SOON_MS, &owners[1].ended, 1);
	assert_int_equal(WTERMSIG(owners[1].status), SIGKILL);
	assert_true(clock_ms() - begun >= PROBE_KILL_MS - TICK_MS);
}

/*
 * A number can be guessed: whose process it is is not touched, and can still
 * be taken for what it is by who made it.
 */
static void
test_elsewhere(void **state)
{
	pid_t victim = start_child(false);
	int status;

	(void)state;
	says.birth = EX_OSERR;
	start_probes(1);
	say(0, COUNT_SHED);
	say(0, (uint64_t)victim);
	say(0, COUNT_READY);
	assert_refused(0, EX_OSERR, "in another jail");
	assert_int_equal(asked_birth, victim);
	loop_until_gone();
	assert_true(ends_is_new_child(ends, victim));
	assert_int_equal(kill(victim, SIGTERM), 0);
	assert_int_equal(waitpid(victim, &status, 0), victim);
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* One of this jail's is ended, and counts until it is. */
static void
test_misplaced(void **state)
{
	pid_t pid = start_child(false);

	(void)state;
	says.check = EX_OSERR;
	start_probes(1);
	say(0, (uint64_t)pid);
	say(0, COUNT_READY);
	assert_refused(0, EX_OSERR, "not where it should be");
	assert_int_equal(asked_place, pid);
	assert_int_equal(jail.leftovers, 1);
	loop_until_gone();
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_strangers(void **state)
{
	static const char *const why =
	    "a report named a process that is not a new probe";
	pid_t other;

	(void)state;
	start_probes(1);
	say(0, (uint64_t)getppid());
	assert_refused(0, EX_OSERR, why);
	loop_until_gone();
	/* It was named once. */
	memset(owners, 0, sizeof(owners));
	start_probes(1);
	say(0, (uint64_t)start_child(false));
	loop_until(base, 100, NULL, 0);
	other = start_child(false);
	say(0, (uint64_t)other);
	assert_refused(0, EX_OSERR, why);
	loop_until_gone();
	assert_int_equal(kill(other, SIGKILL), 0);
	(void)waitpid(other, NULL, 0);
}

static const struct {
	const char	*why;
	enum report_step step;
	int		 error, status;
} refusals[] = {
	{ "the probe could not enter the jail: Operation not supported",
	    STEP_JOIN, EOPNOTSUPP, EX_OSERR },
	{ "the jail has ended", STEP_GONE, ESRCH, EX_NOHOST },
	{ "process 4711 is not in a container", STEP_NOT_CONTAINER, 0,
	    EX_NOHOST },
	{ "uid 7 is not mapped in the jail's user namespace, which has the "
	    "map of uids: choose one with -u", STEP_SETUID, EINVAL,
	    EX_DATAERR },
	{ "gid 8 is not mapped in the jail's user namespace, which has the "
	    "map of gids: choose one with -g", STEP_SETGID, EINVAL,
	    EX_DATAERR },
	{ "the probe could not set its user id: Resource temporarily "
	    "unavailable", STEP_SETUID, EAGAIN, EX_OSERR },
	{ "cannot create the probe process: Resource temporarily unavailable: "
	    "a limit of processes is used up: of its uid on the host "
	    "(RLIMIT_NPROC), or the jail's own (pids.max, pid_max)",
	    STEP_CLONE, EAGAIN, EX_TEMPFAIL },
	{ "cannot create the probe process: Cannot allocate memory: the jail "
	    "is ending, or memory is short", STEP_CLONE, ENOMEM, EX_OSERR },
	{ "cannot create the probe process: Invalid argument", STEP_CLONE,
	    EINVAL, EX_OSERR },
	{ "the probe could not enter its sandbox: Invalid argument",
	    STEP_SANDBOX, EINVAL, EX_OSERR },
	{ "the probe could not do an unknown step: Invalid argument",
	    STEP_COUNT, EINVAL, EX_OSERR },
	{ "the probe could not do an unknown step: Invalid argument",
	    (enum report_step)200, EINVAL, EX_OSERR },
};

static void
test_words(void **state)
{
	char why[WHY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		memset(owners, 0, sizeof(owners));
		start_probes(1);
		say(0, COUNT_FAILURE(refusals[i].step, refusals[i].error));
		assert_refused(0, refusals[i].status, refusals[i].why);
		loop_until_gone();
	}
	/* Each step has words of its own, but for those that say more. */
	for (int step = STEP_ORDER; step < STEP_COUNT; step++) {
		if (step == STEP_GONE || step == STEP_NOT_CONTAINER ||
		    step == STEP_CLONE)
			continue;
		memset(owners, 0, sizeof(owners));
		start_probes(1);
		say(0, COUNT_FAILURE(step, EIO));
		(void)snprintf(why, sizeof(why), "the probe could not %s: "
		    "Input/output error", step_words[step]);
		assert_refused(0, EX_OSERR, why);
		loop_until_gone();
	}
}

/* What holds for the stub holds for all; a birth that fails, for one. */
static void
test_together(void **state)
{
	(void)state;
	start_probes(4);
	(void)bear(1, false);
	say(2, COUNT_FAILURE(STEP_CLONE, EINVAL));
	assert_refused(2, EX_OSERR,
	    "cannot create the probe process: Invalid argument");
	say(0, COUNT_FAILURE(STEP_JOIN, EINVAL));
	for (unsigned int i = 0; i < 4; i += 3)
		assert_refused(i, EX_OSERR,
		    "the probe could not enter the jail: Invalid argument");
	assert_int_equal(owners[1].refused, 0);
	probe_kill(orders[1].probe);
	loop_until_gone();
	assert_int_equal(owners[1].ended, 1);
	assert_int_equal(owners[2].refused, 1);
}

/* From the admission on the jail may have a hand in it. */
static void
test_too_late(void **state)
{
	static const char *const why = "a report was not one of a probe";

	(void)state;
	start_probes(2);
	say(0, COUNT_SHED);
	loop_until(base, SOON_MS, &admitted, 1);
	say(0, COUNT_FAILURE(STEP_GONE, ESRCH));
	assert_refused(0, EX_OSERR, why);
	assert_refused(1, EX_OSERR, "the probe was killed before it was born");
	loop_until_gone();
	/* It is admitted once, and by the first of its channels. */
	for (unsigned int i = 0; i < 2; i++) {
		memset(owners, 0, sizeof(owners));
		start_probes(2);
		if (i == 0) {
			say(i, COUNT_SHED);
			loop_until(base, SOON_MS, &admitted, 2);
		}
		say(i, COUNT_SHED);
		assert_refused(i, EX_OSERR, why);
		loop_until_gone();
	}
	assert_int_equal(admitted, 2);
}

static void
test_not_admitted(void **state)
{
	(void)state;
	says.admit = EX_NOHOST;
	start_probes(3);
	say(1, COUNT_FAILURE(STEP_CLONE, EINVAL));
	assert_refused(1, EX_OSERR,
	    "cannot create the probe process: Invalid argument");
	say(0, COUNT_SHED);
	assert_refused(0, EX_NOHOST, "no admission");
	assert_refused(2, EX_NOHOST, "no admission");
	loop_until_gone();
	assert_int_equal(owners[1].refused, 1);
}

/* Its pipe is full, which takes a jail that holds it and does not read. */
static void
fill(unsigned int i)
{
	static const char bytes[4096];

	while (write(orders[i].probe->attach->channel.orders, bytes,
	    sizeof(bytes)) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
}

static void
test_not_told(void **state)
{
	static const char *const why = "the probe cannot be told to go on";
	pid_t pid;

	(void)state;
	start_probes(1);
	fill(0);
	say(0, COUNT_SHED);
	assert_refused(0, EX_OSERR, why);
	loop_until_gone();
	memset(owners, 0, sizeof(owners));
	start_probes(1);
	fill(0);
	pid = start_child(false);
	say(0, (uint64_t)pid);
	say(0, COUNT_READY);
	assert_refused(0, EX_OSERR, why);
	loop_until_gone();
	/* Where nobody reads it has ended, and was ready. */
	memset(owners, 0, sizeof(owners));
	start_probes(1);
	close_orders();
	/* Children that have just begun may hold it for a moment. */
	while (write(orders[0].probe->attach->channel.orders, "", 1) != -1)
		usleep(1000);
	assert_int_equal(errno, EPIPE);
	pid = bear(0, false);
	end_stub();
	assert_int_equal(kill(pid, SIGHUP), 0);
	loop_until(base, SOON_MS, &owners[0].ended, 1);
	assert_int_equal(WTERMSIG(owners[0].status), SIGHUP);
}

static void
hear_of_ends_first(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(event_del(orders[i].probe->attach->readable),
		    0);
}

static void
test_ends(void **state)
{
	pid_t pid;

	(void)state;
	start_probes(1);
	end_stub();
	assert_refused(0, EX_OSERR, "the probe was killed before it was born");
	loop_until_gone();
	/* What it said before it ended holds, if its end is heard of first. */
	memset(owners, 0, sizeof(owners));
	start_probes(2);
	hear_of_ends_first(2);
	pid = start_child(false);
	say(0, (uint64_t)pid);
	end_stub();
	assert_refused(1, EX_OSERR, "the probe was killed before it was born");
	assert_int_equal(owners[0].refused, 0);
	assert_int_equal(kill(pid, SIGHUP), 0);
	assert_refused(0, EX_OSERR, "the probe was killed before it reported");
	loop_until_gone();
	memset(owners, 0, sizeof(owners));
	start_probes(1);
	pid = start_child(false);
	say(0, (uint64_t)pid);
	loop_until(base, 100, NULL, 0);
	hear_of_ends_first(1);
	say(0, COUNT_READY);
	assert_int_equal(kill(pid, SIGHUP), 0);
	loop_until(base, SOON_MS, &owners[0].ended, 1);
	assert_int_equal(owners[0].ready, 1);
	assert_int_equal(WTERMSIG(owners[0].status), SIGHUP);
	end_stub();
	loop_until_gone();
}

static void
test_deadline(void **state)
{
	(void)state;
	start_probes(1);
	say(0, COUNT_SHED);
	loop_until(base, PROBE_DEADLINE_MS + SOON_MS, &owners[0].refused, 1);
	assert_refused(0, EX_TEMPFAIL, "the probe did not report within 4000 "
	    "ms: it, or the jail, is stopped, frozen or traced");
	loop_until_gone();
}

static void
test_no_start(void **state)
{
	char err[WHY_MAX];

	(void)state;
	says.order = EX_OSERR;
	assert_int_equal(try_start(1, err, sizeof(err)), EX_OSERR);
	assert_string_equal(err, "no order");
	says.order = 0;
	says.no_process = true;
	assert_int_equal(try_start(3, err, sizeof(err)), EX_TEMPFAIL);
	assert_string_equal(err, "cannot start a probe: Resource temporarily "
	    "unavailable");
	says.no_process = false;
	jail.leftovers = PROBE_LEFTOVERS_MAX;
	assert_int_equal(try_start(1, err, sizeof(err)), EX_TEMPFAIL);
	assert_string_equal(err, "8 earlier probes of this jail have not "
	    "ended: it traces them, or its root file system does not answer");
	jail.leftovers = 0;
	assert_int_equal(ctx.count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_kill),
		TEST(test_elsewhere),
		TEST(test_misplaced),
		TEST(test_strangers),
		TEST(test_words),
		TEST(test_together),
		TEST(test_too_late),
		TEST(test_not_admitted),
		TEST(test_not_told),
		TEST(test_ends),
		TEST(test_deadline),
		TEST(test_no_start),
	};

	/* Whatever is ignored where the test runs. */
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
