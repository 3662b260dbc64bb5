/*
 * roster.c, at random: an engine, containers and daemons that come and go in
 * any order, answer or do not.  When all is quiet again the daemon has been
 * told of each container that was heard of, after a list of each that runs; and
 * of no process twice that it has confirmed.
 *
 * Environment: ROSTER_SEED, ROSTER_COUNT: the first seed, and how many.
 */
#include <sys/types.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Its containers are looked at. */
#include "../../src/roster.c"	/* NOLINT(bugprone-suspicious-include) */

#define NAMES	6
#define STEPS	300
#define PIDS	8		/* few, so that they are used again */

/* What runs; the start of a process is a number that is never used again. */
static struct {
	pid_t	 pid;		/* 0: it does not run */
	uint64_t started;
	bool	 heard;		/* of it, as it is: no list is needed */
} world[NAMES];

static uint64_t		 clock_ticks;
static struct event_base *base;
static struct roster	*roster;
static unsigned int	 seed, failed;

/* The one inspection, as the engine sees it. */
static struct command {
	bool		 busy;
	bool		 stopped;
	char		 keys[FEED_BATCH][SPEC_JAIL_MAX + 1];
	pid_t		 pids[FEED_BATCH];	/* as it looked at once */
	unsigned int	 n;
	void		(*ended)(void *, const struct command_end *);
	void		*arg;
} inspection;

/* Requests that wait for the daemon's reply. */
struct call {
	bool		 busy;
	unsigned int	 daemon;
	unsigned int	 name;
	uint64_t	 started;
	void		(*done)(void *, const struct wire_reply *,
			    const char *);
	void		*arg;
};

static struct call	 calls[ROSTER_CALLS_MAX];
static unsigned int	 daemon_now;
static bool		 up;
static unsigned int	 tellings;
static bool		 no_calls, no_commands, short_of_files;

/* What each daemon has confirmed last: one process a name. */
static struct {
	unsigned int	daemon;
	uint64_t	started;
} confirmed[NAMES];

/* Lines of the log are made, and counted. */
static unsigned int	 logged;

static void
vlog(const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];

	assert_true(vsnprintf(line, sizeof(line), fmt, ap) > 0);
	assert_memory_equal(line, "event=", 6);
	logged++;
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(fmt, ap);
	va_end(ap);
}

const char *
log_quote_bytes(struct log_quoted *q, const char *text, size_t len)
{
	(void)text;
	(void)len;
	q->s[0] = '\0';
	return (q->s);
}

const char *
log_quote(struct log_quoted *q, const char *text)
{
	return (log_quote_bytes(q, text, 0));
}

static unsigned int
any(unsigned int n)
{
	seed = seed * 1103515245U + 12345U;
	return (seed >> 16) % n;
}

static unsigned int
name_of(const char *key)
{
	assert_int_equal(key[0], 'c');
	return ((unsigned int)strtoul(key + 1, NULL, 10));
}

static const char *
key_of(unsigned int name)
{
	static char key[16];

	(void)snprintf(key, sizeof(key), "c%u", name);
	return (key);
}

static pid_t
pid_of(unsigned int name)
{
	return (name < NAMES ? world[name].pid : 0);
}

bool
procfs_is_shortage(int error)
{
	return (error == EMFILE);
}

int
procfs_start_time(pid_t pid, uint64_t *started)
{
	if (short_of_files) {
		errno = EMFILE;
		return (-1);
	}
	for (unsigned int i = 0; i < NAMES; i++)
		if (world[i].pid == pid) {
			*started = world[i].started;
			return (0);
		}
	errno = ESRCH;
	return (-1);
}

void
engine_fill(const char *const *words, const char *value, const char **argv,
    char *buf, size_t size)
{
	(void)words;
	(void)value;
	(void)buf;
	(void)size;
	argv[0] = "inspect";
	argv[1] = NULL;
}

struct command *
command_start(struct event_base *b, struct ends *ends,
    const char *const *words, int timeout_ms,
    void (*line)(void *, const char *, size_t),
    void (*ended)(void *, const struct command_end *), void *arg)
{
	(void)b;
	(void)ends;
	(void)timeout_ms;
	assert_false(inspection.busy);
	assert_null(line);
	if (no_commands) {
		errno = EMFILE;
		return (NULL);
	}
	memset(&inspection, 0, sizeof(inspection));
	for (unsigned int i = 1; words[i] != NULL; i++) {
		inspection.pids[inspection.n] = pid_of(name_of(words[i]));
		(void)strlcpy(inspection.keys[inspection.n++], words[i],
		    sizeof(inspection.keys[0]));
	}
	assert_true(inspection.n > 0);
	inspection.busy = true;
	inspection.ended = ended;
	inspection.arg = arg;
	return (&inspection);
}

void
command_stop(struct command *c)
{
	c->stopped = true;
}

struct call *
call_start(struct event_base *b, const char *socket,
    const struct wire_request *rq, int timeout_ms,
    void (*done)(void *, const struct wire_reply *, const char *), void *arg)
{
	unsigned int name = name_of(rq->spec.jail);
	struct call *call = NULL;

	(void)b;
	(void)timeout_ms;
	assert_string_equal(rq->verb, "started");
	assert_string_equal(rq->spec.engine, "fake");
	assert_string_equal(socket, "/socket");
	if (no_calls) {
		errno = ECONNREFUSED;
		return (NULL);
	}
	for (unsigned int i = 0; i < ROSTER_CALLS_MAX; i++) {
		if (!calls[i].busy)
			call = &calls[i];
		/* Of each container at most one at a time. */
		assert_false(calls[i].busy && calls[i].name == name);
	}
	assert_non_null(call);
	/* What has confirmed a process hears of it no more. */
	assert_false(confirmed[name].daemon == daemon_now &&
	    confirmed[name].started == rq->spec.started);
	*call = (struct call){ .busy = true, .daemon = daemon_now,
	    .name = name, .started = rq->spec.started, .done = done,
	    .arg = arg };
	tellings++;
	return (call);
}

void
call_cancel(struct call *call)
{
	assert_true(call->busy);
	call->busy = false;
}

/* "c1 17": it runs, as that process. */
static enum feed_answer
read_found(const char *text, size_t len, struct feed_found *found)
{
	char line[64];

	assert_true(len < sizeof(line));
	memcpy(line, text, len);
	line[len] = '\0';
	if (line[0] == '?')
		return (FEED_GARBLED);
	if (line[0] == '-')
		return (FEED_NOTHING);
	(void)snprintf(found->key, sizeof(found->key), "%.*s",
	    (int)strcspn(line, " "), line);
	(void)strlcpy(found->name, found->key, sizeof(found->name));
	found->pid = (pid_t)strtol(strchr(line, ' '), NULL, 10);
	return (FEED_FOUND);
}

static const struct feed feed = { .name = "fake", .batch = 4,
    .read_found = read_found };

static void
on_idle(void *arg)
{
	++*(unsigned int *)arg;
}

/*
 * The world.
 */

static void
say_started(unsigned int name)
{
	world[name].heard = true;
	roster_started(roster, key_of(name));
}

static void
run_container(unsigned int name)
{
	pid_t pid;
	bool used;

	do {
		pid = (pid_t)(1 + any(PIDS));
		used = false;
		for (unsigned int i = 0; i < NAMES; i++)
			used = used || world[i].pid == pid;
	} while (used);
	world[name].pid = pid;
	world[name].started = ++clock_ticks;
	world[name].heard = false;
}

/* No engine is so slow that numbers are used again meanwhile. */
static bool
is_anothers(pid_t pid, unsigned int name)
{
	for (unsigned int i = 0; i < NAMES; i++)
		if (pid != 0 && i != name && world[i].pid == pid)
			return (true);
	return (false);
}

/*
 * The engine tells of those that run now, or did when it was asked, if it
 * tells at all.
 */
static void
answer_inspection(bool well)
{
	static const char *const odd[] = { "? what\n", "- nothing\n", "\n",
	    "c0 7" /* cut off */ };
	char text[1024] = "";
	struct command_end end = { .ok = true };
	unsigned int how = well ? 9 : any(10);
	bool early = !well && any(2) == 0;
	size_t len = 0;

	if (!inspection.busy)
		return;
	for (unsigned int i = 0; i < inspection.n; i++) {
		unsigned int name = name_of(inspection.keys[i]);
		pid_t pid = early && !is_anothers(inspection.pids[i], name) ?
		    inspection.pids[i] : pid_of(name);

		/* An engine that is just ending knows of none. */
		if (how == 6 && name < NAMES)
			world[name].heard = false;
		if (pid != 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s %d\n", key_of(name), (int)pid);
		else
			end.ok = false;
	}
	if (how < 4)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
		    odd[how]);
	end.late = how == 4;
	end.cut = how == 5;
	end.ok = end.ok && !end.late && !end.cut;
	end.text = text;
	end.len = how == 6 ? 0 : len;
	inspection.busy = false;
	inspection.ended(inspection.arg, &end);
}

static void
answer_call(struct call *call, bool well)
{
	struct wire_reply reply = { .ok = true, .count = 1 };
	unsigned int how = well ? 9 : any(10);

	call->busy = false;
	if (how < 3) {
		call->done(call->arg, NULL, "no answer");
		return;
	}
	reply.ok = how > 4;
	reply.status = how == 3 ? EX_TEMPFAIL : how == 4 ? EX_NOHOST : 0;
	/* A daemon that went meanwhile has confirmed nothing to this one. */
	if (how != 3 && call->daemon == daemon_now) {
		confirmed[call->name].daemon = daemon_now;
		confirmed[call->name].started = call->started;
	}
	call->done(call->arg, &reply, NULL);
}

static void
answer_one_call(bool well)
{
	unsigned int first = any(ROSTER_CALLS_MAX);

	for (unsigned int i = 0; i < ROSTER_CALLS_MAX; i++) {
		struct call *call = &calls[(first + i) % ROSTER_CALLS_MAX];

		if (call->busy) {
			answer_call(call, well);
			return;
		}
	}
}

/* It says nothing new of one that is just being asked about. */
static void
list_all(void)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		const struct container *c;

		if (world[i].pid == 0)
			continue;
		c = find(roster, key_of(i));
		if (c == NULL || c->state != ASKED)
			world[i].heard = true;
		roster_listed(roster, key_of(i));
	}
	(void)roster_prune(roster);
}

/* One timer that is set is over. */
static void
pass_time(void)
{
	struct container *c;

	RB_FOREACH(c, containers, &roster->containers)
		if (c->timer != NULL && evtimer_pending(c->timer, NULL) &&
		    any(3) == 0) {
			(void)evtimer_del(c->timer);
			event_active(c->timer, EV_TIMEOUT, 0);
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
			return;
		}
}

static void
new_daemon(void)
{
	daemon_now++;
	up = true;
	roster_daemon(roster, true, true);
}

static void
happen(void)
{
	unsigned int name = any(NAMES);

	no_calls = any(20) == 0;
	no_commands = any(20) == 0;
	short_of_files = any(20) == 0;
	switch (any(12)) {
	case 0:
	case 1:
		run_container(name);
		say_started(name);
		break;
	case 2:
		/* Nobody says so. */
		run_container(name);
		break;
	case 3:
		world[name].pid = 0;
		break;
	case 4:
		say_started(name);
		break;
	case 5:
		list_all();
		break;
	case 6:
		new_daemon();
		break;
	case 7:
		up = !up;
		roster_daemon(roster, up, false);
		break;
	case 8:
	case 9:
		answer_inspection(false);
		break;
	case 10:
		answer_one_call(false);
		break;
	default:
		pass_time();
	}
}

static bool
is_quiet(void)
{
	struct container *c;

	if (inspection.busy)
		return (false);
	for (unsigned int i = 0; i < ROSTER_CALLS_MAX; i++)
		if (calls[i].busy)
			return (false);
	RB_FOREACH(c, containers, &roster->containers)
		if (c->state != KNOWN)
			return (false);
	return (true);
}

static void
assert_told(unsigned int name)
{
	assert_int_equal(confirmed[name].daemon, daemon_now);
	assert_int_equal(confirmed[name].started, world[name].started);
}

/* All that waits for an answer or a time has it. */
static void
calm_down(void)
{
	for (int i = 0; i < 1000 && !is_quiet(); i++) {
		answer_inspection(true);
		answer_one_call(true);
		pass_time();
	}
	assert_true(is_quiet());
	assert_int_equal(roster->telling, 0);
	assert_int_equal(roster->nasked, 0);
}

/* The engine and the daemon are well; what was not heard of is in a list. */
static void
settle(void)
{
	unsigned int running = 0;

	no_calls = no_commands = short_of_files = false;
	if (!up)
		roster_daemon(roster, up = true, false);
	calm_down();
	for (unsigned int i = 0; i < NAMES; i++)
		if (world[i].pid != 0 && world[i].heard)
			assert_told(i);
	list_all();
	calm_down();
	for (unsigned int i = 0; i < NAMES; i++)
		if (world[i].pid != 0) {
			assert_told(i);
			running++;
		}
	assert_int_equal(roster_prune(roster), running);
}

static void
open_roster(unsigned int *idle)
{
	memset(world, 0, sizeof(world));
	memset(calls, 0, sizeof(calls));
	memset(confirmed, 0, sizeof(confirmed));
	memset(&inspection, 0, sizeof(inspection));
	no_calls = no_commands = short_of_files = up = false;
	daemon_now = 1;
	roster = roster_open(base, NULL, &feed, "/socket", on_idle, idle);
	assert_non_null(roster);
}

static unsigned int
from_environment(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return (value == NULL ? otherwise :
	    (unsigned int)strtoul(value, NULL, 10));
}

static void
test_random(void **state)
{
	unsigned int first = from_environment("ROSTER_SEED", 1),
	    count = from_environment("ROSTER_COUNT", 20000), idle = 0;

	(void)state;
	for (unsigned int i = 0; i < count; i++) {
		failed = seed = first + i;
		open_roster(&idle);
		for (int step = 0; step < STEPS; step++)
			happen();
		settle();
		roster_close(roster);
	}
	failed = 0;
	assert_int_equal(idle, 0);
	assert_true(tellings > count);
}

/* How to see it again. */
static int
tell_seed(void **state)
{
	(void)state;
	if (failed != 0)
		print_message("ROSTER_SEED=%u ROSTER_COUNT=1\n", failed);
	return (0);
}

/*
 * It was started anew while one daemon was told, another one came, and went
 * before that reply was there.  The next one asks about it, be it known or not.
 */
static void
test_started_since(void **state)
{
	unsigned int idle = 0;

	(void)state;
	for (int anew = 0; anew < 2; anew++) {
		open_roster(&idle);
		new_daemon();
		run_container(0);
		say_started(0);
		answer_inspection(true);
		run_container(0);
		say_started(0);
		new_daemon();
		roster_daemon(roster, up = false, false);
		answer_one_call(true);
		assert_false(inspection.busy);
		daemon_now += (unsigned int)anew;
		roster_daemon(roster, up = true, anew == 1);
		assert_true(inspection.busy);
		calm_down();
		assert_told(0);
		roster_close(roster);
	}
}

/* One that would be too many is heard of when there is room. */
static void
test_full(void **state)
{
	char key[16];
	unsigned int idle = 0;

	(void)state;
	open_roster(&idle);
	for (unsigned int i = 0; i <= ROSTER_MAX; i++) {
		(void)snprintf(key, sizeof(key), "c%u", NAMES + i);
		roster_listed(roster, key);
	}
	assert_int_equal(roster->count, ROSTER_MAX);
	assert_true(roster->full);
	run_container(0);
	roster_started(roster, "c0");
	assert_int_equal(roster->count, ROSTER_MAX);
	/* Some are not there any more. */
	answer_inspection(true);
	assert_true(roster->count < ROSTER_MAX);
	(void)roster_prune(roster);
	assert_false(roster->full);
	roster_started(roster, "c0");
	assert_non_null(find(roster, "c0"));
	roster_close(roster);
}

/* What is asked about when it is stopped is not asked about again. */
static void
test_stop(void **state)
{
	unsigned int idle = 0;

	(void)state;
	open_roster(&idle);
	assert_false(roster_stop(roster));
	roster_close(roster);
	open_roster(&idle);
	run_container(0);
	roster_started(roster, "c0");
	assert_true(roster_stop(roster));
	assert_true(inspection.stopped);
	roster_started(roster, "c1");
	assert_int_equal(idle, 0);
	answer_inspection(true);
	assert_int_equal(idle, 1);
	assert_false(inspection.busy);
	new_daemon();
	assert_false(calls[ROSTER_CALLS_MAX - 1].busy);
	roster_close(roster);
}

/* With a request under way: it is nobody's any more. */
static void
test_close(void **state)
{
	unsigned int idle = 0, busy = 0;

	(void)state;
	open_roster(&idle);
	new_daemon();
	run_container(0);
	roster_started(roster, "c0");
	answer_inspection(true);
	roster_close(roster);
	for (unsigned int i = 0; i < ROSTER_CALLS_MAX; i++)
		busy += calls[i].busy;
	assert_int_equal(busy, 0);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	return (base == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	event_base_free(base);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_random, tell_seed),
		cmocka_unit_test(test_started_since),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_close),
	};

	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
