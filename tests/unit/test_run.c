/* run.c: commands, their output, and those that another daemon has started. */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "clock.h"
#include "ends.h"
#include "loop.h"
#include "run.h"
#include "spawn.h"

static char		 folder[] = "/tmp/runsXXXXXX";
static struct event_base *base;
static struct ends	*ends;
static struct runs	*runs;
static struct rlimit	 nofile;
static int		 dirfd_here;

struct told {
	unsigned int	times;
	struct run_end	end;
};

static void
on_ended(void *arg, const struct run_end *end)
{
	struct told *t = arg;

	t->times++;
	t->end = *end;
}

static struct runs *
open_runs(int dirfd)
{
	struct runs *r = runs_open(base, ends, dirfd, &nofile);

	assert_non_null(r);
	return (r);
}

/* Another daemon, which knows of no run. */
static void
restart(void)
{
	runs_close(runs);
	ends_close(ends);
	ends = ends_open(base);
	assert_non_null(ends);
	runs = open_runs(dirfd_here);
}

static struct run_spec
spec(uint64_t id, const char *command)
{
	return ((struct run_spec){ .id = id, .run = 1, .jid = 4711,
	    .jail = "web", .title = "T", .command = command, .quiet = true });
}

static bool
exists(const char *name)
{
	struct stat st;

	return (fstatat(dirfd_here, name, &st, 0) == 0);
}

static void
put(const char *name, const char *text)
{
	int fd = openat(dirfd_here, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
start(struct run_spec *s, struct run_process *p, struct told *t)
{
	assert_int_equal(run_start(runs, s, p, on_ended, t), 0);
	assert_true(p->pid > 0);
	assert_int_equal(t->times, 0);
	assert_true(runs_has(runs, s->id, s->run));
	assert_false(runs_has(runs, s->id, s->run + 1));
	assert_false(runs_has(runs, s->id + 1, s->run));
}

static void
assert_output(uint64_t id, uint64_t run, const char *wanted)
{
	char *text = run_output(runs, id, run);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static void
test_output(void **state)
{
	struct run_spec s = spec(1, "echo \"$JAILDAEMON_JAIL $JAILDAEMON_TITLE\"; "
	    "printf 'a\\033b\\tc\\n'; exit 3");
	struct run_process p;
	struct told t = { 0 };

	(void)state;
	start(&s, &p, &t);
	loop_until(base, 5000, &t.times, 1);
	assert_int_equal(t.times, 1);
	assert_int_equal(runs_count(runs), 0);
	assert_false(t.end.unknown);
	assert_true(WIFEXITED(t.end.status));
	assert_int_equal(WEXITSTATUS(t.end.status), 3);
	assert_int_equal(t.end.run, 1);
	assert_int_equal(t.end.output, 1);
	assert_output(1, 1, "web T\na\\x1bb\tc\n");
	assert_true(exists("1-1.out"));
	assert_false(exists("1-1.new"));
	run_forget_output(runs, 1, 1);
	assert_null(run_output(runs, 1, 1));
	assert_int_equal(errno, ENOENT);
	assert_null(run_output(runs, 1, 0));
	assert_int_equal(errno, ENOENT);
	run_forget_output(runs, 1, 0);
}

static void
test_no_folder(void **state)
{
	struct runs *nowhere = open_runs(-1);
	struct run_spec s = spec(2, "echo lost");
	struct run_process p = { 0, 0 };
	struct told t = { 0 };

	(void)state;
	s.quiet = false;
	assert_int_equal(run_start(nowhere, &s, &p, on_ended, &t), 0);
	loop_until(base, 5000, &t.times, 1);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.end.output, 0);
	assert_null(run_output(nowhere, 2, 1));
	/* What was not begun is begun by who asks. */
	p.pid = 0;
	assert_int_equal(run_adopt(nowhere, &s, &p, clock_real_ms(), on_ended,
	    &t), 1);
	runs_close(nowhere);
}

static struct {
	unsigned int	triggers, runs;
	pid_t		pid;
	int		left;		/* so many can be added */
} saved;

static int
save(void *arg, const struct wire_record *rec)
{
	(void)arg;
	if (saved.left-- == 0)
		return (-1);
	saved.triggers += rec->kind == RECORD_TRIGGER;
	saved.runs += rec->kind == RECORD_RUN;
	saved.pid = (pid_t)rec->pid;
	return (0);
}

static void
test_adopted(void **state)
{
	struct run_spec s = spec(3, "echo begun; sleep 1; echo done");
	struct run_process p, unknown = { 0, 0 };
	struct told t = { 0 }, again = { 0 };
	int64_t at = clock_real_ms();

	(void)state;
	start(&s, &p, &t);
	restart();
	assert_int_equal(runs_count(runs), 0);
	assert_int_equal(run_adopt(runs, &s, &p, at, on_ended, &t), 0);
	assert_true(runs_has(runs, 3, 1));
	saved.left = 2;
	assert_int_equal(runs_save(runs, save, NULL), 0);
	assert_int_equal(saved.triggers, 1);
	assert_int_equal(saved.runs, 1);
	assert_int_equal(saved.pid, p.pid);
	saved.left = 0;
	assert_int_equal(runs_save(runs, save, NULL), -1);
	saved.left = 1;
	assert_int_equal(runs_save(runs, save, NULL), -1);
	/* And by a daemon that was not told its number. */
	restart();
	assert_int_equal(run_adopt(runs, &s, &unknown, at, on_ended, &again),
	    0);
	loop_until(base, 5000, &again.times, 1);
	assert_int_equal(t.times, 0);
	assert_int_equal(again.times, 1);
	assert_true(again.end.unknown);
	assert_output(3, 1, "begun\ndone\n");
	(void)waitpid(p.pid, NULL, 0);
}

static void
test_not_begun(void **state)
{
	struct run_spec s = spec(4, ":");
	struct run_process p = { 0, 0 };
	struct told t = { 0 };

	(void)state;
	put("4-1.new", "");
	assert_int_equal(run_adopt(runs, &s, &p, clock_real_ms(), on_ended,
	    &t), 1);
	assert_false(exists("4-1.new"));
	assert_int_equal(runs_count(runs), 0);
	loop_until(base, 100, NULL, 0);
	assert_int_equal(t.times, 0);
}

/* It has ended, or somebody else has its number: told from the loop. */
static void
test_gone(void **state)
{
	struct run_spec s = spec(5, ":");
	struct run_process p, other = { getpid(), 1 }, nobody = { 0, 0 };
	struct told t = { 0 }, a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	start(&s, &p, &t);
	loop_until(base, 5000, &t.times, 1);
	restart();
	assert_int_equal(run_adopt(runs, &s, &p, clock_real_ms(), on_ended,
	    &a), 0);
	assert_int_equal(a.times, 0);
	loop_until(base, 2000, &a.times, 1);
	assert_int_equal(a.times, 1);
	assert_true(a.end.unknown);
	assert_int_equal(run_adopt(runs, &s, &other, clock_real_ms(), on_ended,
	    &b), 0);
	loop_until(base, 2000, &b.times, 1);
	assert_int_equal(b.times, 1);
	/* There is its output, and nobody who writes to it. */
	assert_int_equal(run_adopt(runs, &s, &nobody, clock_real_ms(),
	    on_ended, &c), 0);
	loop_until(base, 2000, &c.times, 1);
	assert_int_equal(c.times, 1);
	assert_int_equal(c.end.output, 1);
}

/* The time limit goes on. */
static void
test_limit(void **state)
{
	struct run_spec s = spec(6, "exec sleep 60");
	struct run_process p;
	struct told t = { 0 }, again = { 0 };
	int64_t at = clock_real_ms(), begun;

	(void)state;
	s.timeout = 2;
	start(&s, &p, &t);
	loop_until(base, 1200, NULL, 0);
	restart();
	begun = clock_ms();
	assert_int_equal(run_adopt(runs, &s, &p, at, on_ended, &again), 0);
	loop_until(base, 8000, &again.times, 1);
	assert_int_equal(again.times, 1);
	assert_true(again.end.timed_out);
	assert_true(clock_ms() - begun < 1900);
	(void)waitpid(p.pid, NULL, 0);
}

static bool
keep_seven(void *arg, uint64_t id, uint64_t run)
{
	(void)arg;
	return (id == 7 && run == 1);
}

static void
test_collect(void **state)
{
	struct stat st;

	(void)state;
	put("7-1.out", "kept\n");
	put("8-1.out", "left\n");
	put("8-2.new", "");
	put("notes", "not ours\n");
	runs_collect(runs, keep_seven, NULL);
	assert_true(exists("7-1.out"));
	assert_false(exists("8-1.out"));
	assert_false(exists("8-2.new"));
	assert_true(exists("notes"));
	/* That it is there still shows, where there was one. */
	run_empty_output(runs, 7, 0);
	run_empty_output(runs, 7, 99);
	assert_false(exists("7-99.out"));
	run_empty_output(runs, 7, 1);
	assert_true(exists("7-1.out"));
	assert_int_equal(fstatat(dirfd_here, "7-1.out", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	(void)unlinkat(dirfd_here, "7-1.out", 0);
	(void)unlinkat(dirfd_here, "notes", 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL || getrlimit(RLIMIT_NOFILE, &nofile) == -1)
		return (-1);
	dirfd_here = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	base = event_base_new();
	ends = base == NULL ? NULL : ends_open(base);
	if (dirfd_here == -1 || ends == NULL)
		return (-1);
	runs = open_runs(dirfd_here);
	return (0);
}

static int
tear_down(void **state)
{
	char name[16];

	(void)state;
	for (int id = 1; id < 10; id++) {
		(void)snprintf(name, sizeof(name), "%d-1.out", id);
		(void)unlinkat(dirfd_here, name, 0);
	}
	runs_close(runs);
	ends_close(ends);
	event_base_free(base);
	(void)close(dirfd_here);
	return (rmdir(folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_not_begun),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_collect),
	};

	/* Before anything is opened: it takes the lowest descriptors. */
	if (spawn_init() == -1)
		return (1);
	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
