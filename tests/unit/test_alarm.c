/* Alarms: each once, in their order, whatever is set and cleared meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "alarm.h"
#include "clock.h"

#define MANY	1000

static struct event_base *base;
static struct alarms	*alarms;
static struct alarm	 a, b, c, many[MANY];
static char		 seen[16];
static unsigned int	 count;
static bool		 changed;
static int64_t		 times[MANY], last;

static void
due(struct alarm *alarm)
{
	const char *name = alarm == &a ? "a" : alarm == &b ? "b" : "c";
	size_t len = strlen(seen);

	assert_int_equal(alarm->at, 0);
	count++;
	if (len + 1 < sizeof(seen))
		memcpy(seen + len, name, 2);
}

/* The first one changes the others. */
static void
due_changes(struct alarm *alarm)
{
	due(alarm);
	if (alarm != &a || changed)
		return;
	changed = true;
	alarm_clear(alarms, &b);
	alarm_set(alarms, &c, 5);
	alarm_set(alarms, &a, 10);
}

static void
due_in_order(struct alarm *alarm)
{
	int64_t at = times[alarm - many];

	assert_int_equal(alarm->at, 0);
	assert_true(at >= last && at <= clock_ms());
	last = at;
	count++;
}

static void
begin(void (*fn)(struct alarm *))
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	memset(seen, 0, sizeof(seen));
	count = 0;
	changed = false;
	last = 0;
	base = event_base_new();
	assert_non_null(base);
	alarms = alarms_open(base, fn);
	assert_non_null(alarms);
}

static void
end(void)
{
	alarms_close(alarms);
	event_base_free(base);
}

/* Until nothing is set any more; in milliseconds. */
static int64_t
run(void)
{
	int64_t start = clock_ms();

	assert_int_not_equal(event_base_dispatch(base), -1);
	return (clock_ms() - start);
}

static void
order(void **state)
{
	int64_t took;

	(void)state;
	begin(due);
	alarm_set(alarms, &b, 20);
	alarm_set(alarms, &c, 30);
	alarm_set(alarms, &a, 10);
	took = run();
	assert_string_equal(seen, "abc");
	assert_true(took >= 30);
	end();
}

static void
cleared(void **state)
{
	(void)state;
	begin(due);
	alarm_set(alarms, &a, 10);
	alarm_set(alarms, &b, 20);
	alarm_clear(alarms, &a);
	alarm_clear(alarms, &a);
	run();
	assert_string_equal(seen, "b");
	alarm_set(alarms, &c, 0);
	alarm_clear(alarms, &c);
	run();
	assert_string_equal(seen, "b");
	end();
}

static void
set_again(void **state)
{
	(void)state;
	begin(due);
	alarm_set(alarms, &a, 1);
	alarm_set(alarms, &b, 20);
	alarm_set(alarms, &a, 40);
	assert_true(run() >= 40);
	assert_string_equal(seen, "ba");
	alarm_set(alarms, &a, 60000);
	alarm_set(alarms, &a, 1);
	assert_true(run() < 60000);
	assert_string_equal(seen, "baa");
	end();
}

static void
changes(void **state)
{
	(void)state;
	begin(due_changes);
	alarm_set(alarms, &a, 1);
	alarm_set(alarms, &b, 1);
	alarm_set(alarms, &c, 60000);
	assert_true(run() < 60000);
	/* Which of two equal ones comes first is nobody's business. */
	assert_true(strcmp(seen, "aca") == 0 || strcmp(seen, "baca") == 0);
	end();
}

static void
many_of_them(void **state)
{
	(void)state;
	begin(due_in_order);
	memset(many, 0, sizeof(many));
	/* 7 has no common divisor with their number. */
	for (size_t i = 0; i < MANY; i++) {
		size_t k = i * 7 % MANY;

		alarm_set(alarms, &many[k], 50 + (int64_t)k / 2);
		times[k] = many[k].at;
	}
	for (size_t i = 0; i < MANY; i += 3)
		alarm_clear(alarms, &many[i]);
	run();
	assert_int_equal(count, MANY - (MANY + 2) / 3);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(cleared),
		cmocka_unit_test(set_again),
		cmocka_unit_test(changes),
		cmocka_unit_test(many_of_them),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
