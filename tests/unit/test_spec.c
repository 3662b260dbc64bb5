/* spec.c: copies, limits and their words, order, names of respawn modes. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "spec.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static char *
filled(size_t len)
{
	char *s;

	s = malloc(len + 1);
	assert_non_null(s);
	memset(s, 'x', len);
	s[len] = '\0';
	return (s);
}

static char *
dup(const char *s)
{
	char *copy;

	copy = strdup(s);
	assert_non_null(copy);
	return (copy);
}

static void
copy_and_clear(void **state)
{
	struct spec a = {
		.command = dup("zfs snapshot tank@now"), .title = dup("SNAP"),
		.jail = dup("web"), .engine = dup("docker"), .pid = 123,
		.started = 456, .uid = 7, .gid = 8, .respawn = RESPAWN_NOW,
		.timeout = 9, .parallel = 10, .interval = 11,
		.feedback = true,
	};
	struct spec b, zero;

	(void)state;
	memset(&b, 0xff, sizeof(b));
	memset(&zero, 0, sizeof(zero));
	assert_int_equal(spec_copy(&b, &a), 0);
	assert_ptr_not_equal(b.command, a.command);
	assert_ptr_not_equal(b.title, a.title);
	assert_ptr_not_equal(b.jail, a.jail);
	assert_ptr_not_equal(b.engine, a.engine);
	assert_string_equal(b.command, a.command);
	assert_string_equal(b.title, "SNAP");
	assert_string_equal(b.jail, "web");
	assert_string_equal(b.engine, "docker");
	assert_int_equal(b.pid, 123);
	assert_int_equal(b.started, 456);
	assert_int_equal(b.uid, 7);
	assert_int_equal(b.gid, 8);
	assert_int_equal(b.respawn, RESPAWN_NOW);
	assert_int_equal(b.timeout, 9);
	assert_int_equal(b.parallel, 10);
	assert_int_equal(b.interval, 11);
	assert_true(b.feedback);
	spec_clear(&a);
	assert_memory_equal(&a, &zero, sizeof(a));
	spec_clear(&a);
	spec_clear(&b);
}

static void
copy_of_little(void **state)
{
	struct spec a = { .command = dup("true") };
	struct spec b;

	(void)state;
	assert_int_equal(spec_copy(&b, &a), 0);
	assert_string_equal(b.command, "true");
	assert_null(b.title);
	assert_null(b.jail);
	assert_null(b.engine);
	spec_clear(&a);
	spec_clear(&b);
}

/* In a block of the size that was named, which ASan watches the ends of. */
static void
copy_in_a_block(void **state)
{
	struct spec a = {
		.command = dup("zfs snapshot tank@now"), .jail = dup("web"),
		.engine = dup("docker"), .pid = 123, .feedback = true,
	};
	struct spec b;
	size_t size = spec_text_size(&a);
	char *room = malloc(size);

	(void)state;
	assert_int_equal(size, sizeof("zfs snapshot tank@now") +
	    sizeof("web") + sizeof("docker"));
	assert_non_null(room);
	memset(room, 0xff, size);
	spec_place(&b, room, &a);
	assert_in_range((uintptr_t)b.command, (uintptr_t)room,
	    (uintptr_t)room + size - 1);
	assert_in_range((uintptr_t)b.engine, (uintptr_t)room,
	    (uintptr_t)room + size - 1);
	spec_clear(&a);
	assert_string_equal(b.command, "zfs snapshot tank@now");
	assert_null(b.title);
	assert_string_equal(b.jail, "web");
	assert_string_equal(b.engine, "docker");
	assert_int_equal(b.pid, 123);
	assert_true(b.feedback);
	free(room);
	assert_int_equal(spec_text_size(&a), 0);
}

static void
accepted(void **state)
{
	struct spec s = { 0 };
	char err[128] = "untouched";

	(void)state;
	assert_int_equal(spec_check(&s, err, sizeof(err)), 0);
	s.command = filled(SPEC_COMMAND_MAX);
	s.title = filled(SPEC_TITLE_MAX);
	s.jail = filled(SPEC_JAIL_MAX);
	s.engine = filled(SPEC_ENGINE_MAX);
	s.timeout = SPEC_SECONDS_MAX;
	s.interval = SPEC_SECONDS_MAX;
	s.parallel = SPEC_PARALLEL_MAX;
	s.feedback = true;
	s.uid = s.gid = SPEC_ID_MAX;
	s.pid = INT32_MAX;
	s.started = UINT64_MAX;
	s.respawn = RESPAWN_NOW;
	assert_int_equal(spec_check(&s, err, sizeof(err)), 0);
	spec_clear(&s);
	s.command = dup("echo one\n\techo two \x1b[0m");
	s.title = dup("Neustart für 世界");
	assert_int_equal(spec_check(&s, err, sizeof(err)), 0);
	assert_string_equal(err, "untouched");
	spec_clear(&s);
}

static void
refused_texts(void **state)
{
	const struct {
		size_t		 member;
		char		*text;
		const char	*err;
	} cases[] = {
		{ offsetof(struct spec, command), dup(""),
		    "the command is empty" },
		{ offsetof(struct spec, command), filled(65537),
		    "the command has 65537 bytes, the limit is 65536" },
		{ offsetof(struct spec, command), dup("echo \xff"),
		    "the command is not valid UTF-8" },
		{ offsetof(struct spec, title), dup(""),
		    "the title is empty" },
		{ offsetof(struct spec, title), filled(1025),
		    "the title has 1025 bytes, the limit is 1024" },
		{ offsetof(struct spec, title), dup("\xc3"),
		    "the title is not valid UTF-8" },
		{ offsetof(struct spec, title), dup("two\nlines"),
		    "the title has a control character" },
		{ offsetof(struct spec, title), dup("csi \xc2\x9b"),
		    "the title has a control character" },
		{ offsetof(struct spec, jail), dup(""),
		    "the jail's name is empty" },
		{ offsetof(struct spec, jail), filled(256),
		    "the jail's name has 256 bytes, the limit is 255" },
		{ offsetof(struct spec, jail), dup("\x80"),
		    "the jail's name is not valid UTF-8" },
		{ offsetof(struct spec, jail), dup("a\tb"),
		    "the jail's name has a control character" },
		{ offsetof(struct spec, engine), dup(""),
		    "the engine's name is empty" },
		{ offsetof(struct spec, engine), filled(16),
		    "the engine's name has 16 bytes, the limit is 15" },
		{ offsetof(struct spec, engine), dup("\xff"),
		    "the engine's name is not valid UTF-8" },
		{ offsetof(struct spec, engine), dup("a\nb"),
		    "the engine's name has a control character" },
	};
	struct spec s;
	char err[128];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		memset(&s, 0, sizeof(s));
		memcpy((char *)&s + cases[i].member, &cases[i].text,
		    sizeof(cases[i].text));
		assert_int_equal(spec_check(&s, err, sizeof(err)),
		    EX_DATAERR);
		assert_string_equal(err, cases[i].err);
		spec_clear(&s);
	}
}

static void
refused_numbers(void **state)
{
	struct spec s = { 0 };
	char err[128];

	(void)state;
	s.uid = SPEC_ID_MAX + 1U;
	assert_int_equal(spec_check(&s, err, sizeof(err)), EX_DATAERR);
	assert_string_equal(err, "the uid 4294967295 is not a number from 0 "
	    "to 4294967294");
	s.uid = 0;
	s.gid = UINT32_MAX;
	assert_int_equal(spec_check(&s, err, sizeof(err)), EX_DATAERR);
	assert_string_equal(err, "the gid 4294967295 is not a number from 0 "
	    "to 4294967294");
	s.gid = 0;
	s.pid = -1;
	assert_int_equal(spec_check(&s, err, sizeof(err)), EX_DATAERR);
	assert_string_equal(err, "the pid -1 is not a number from 0 "
	    "to 2147483647");
	s.pid = INT64_C(2147483648);
	assert_int_equal(spec_check(&s, err, sizeof(err)), EX_DATAERR);
	assert_string_equal(err, "the pid 2147483648 is not a number from 0 "
	    "to 2147483647");
	s.pid = 0;
	s.respawn = (enum respawn)3;
	assert_int_equal(spec_check(&s, err, sizeof(err)), EX_DATAERR);
	assert_string_equal(err, "the respawn mode 3 is none of never, after, "
	    "now");
}

static void
refused_limits(void **state)
{
	static const struct {
		size_t		 member;
		uint32_t	 max;
		const char	*what;
	} cases[] = {
		{ offsetof(struct spec, timeout), 31536000, "time limit" },
		{ offsetof(struct spec, interval), 31536000, "interval" },
		{ offsetof(struct spec, parallel), 1024,
		    "number of parallel runs" },
	};
	const uint32_t one = 1;
	struct spec s;
	char err[128], want[128];
	uint32_t over[2];

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++) {
		memset(&s, 0, sizeof(s));
		memcpy((char *)&s + cases[i].member, &one, sizeof(one));
		assert_int_equal(spec_check(&s, err, sizeof(err)), 0);
		memcpy((char *)&s + cases[i].member, &cases[i].max,
		    sizeof(cases[i].max));
		assert_int_equal(spec_check(&s, err, sizeof(err)), 0);
		over[0] = cases[i].max + 1;
		over[1] = UINT32_MAX;
		for (size_t j = 0; j < NITEMS(over); j++) {
			memcpy((char *)&s + cases[i].member, &over[j],
			    sizeof(over[j]));
			assert_int_equal(spec_check(&s, err, sizeof(err)),
			    EX_DATAERR);
			(void)snprintf(want, sizeof(want), "the %s %u is not "
			    "a number from 1 to %u", cases[i].what, over[j],
			    cases[i].max);
			assert_string_equal(err, want);
		}
	}
}

/* In ascending order; what is not compared differs everywhere. */
static void
order(void **state)
{
	char a[] = "a", b[] = "b", x[] = "x", y[] = "y";
	const struct spec sorted[] = {
		{ .command = NULL, .jail = y },
		{ .command = a, .pid = 9 },
		{ .command = a, .feedback = true, .jail = x },
		{ .command = a, .interval = 1, .engine = x },
		{ .command = a, .interval = UINT32_MAX },
		{ .command = a, .parallel = 1, .started = 7 },
		{ .command = a, .parallel = UINT32_MAX },
		{ .command = a, .timeout = 1, .pid = 8 },
		{ .command = a, .timeout = UINT32_MAX },
		{ .command = a, .respawn = RESPAWN_NOW, .pid = 1 },
		{ .command = a, .gid = 1, .jail = x },
		{ .command = a, .gid = UINT32_MAX },
		{ .command = a, .uid = 1, .started = 3 },
		{ .command = a, .uid = UINT32_MAX, .started = 2 },
		{ .command = a, .title = a },
		{ .command = a, .title = b },
		{ .command = b },
	};
	size_t i, j;
	int c;

	(void)state;
	for (i = 0; i < NITEMS(sorted); i++)
		for (j = 0; j < NITEMS(sorted); j++) {
			c = spec_compare(&sorted[i], &sorted[j]);
			assert_int_equal((c > 0) - (c < 0),
			    (i > j) - (i < j));
		}
}

static void
order_ignores_jail(void **state)
{
	char a[] = "a", same[] = "a", x[] = "x";
	const struct spec p = { .command = a, .title = x, .jail = x, .pid = 1,
	    .engine = x };
	const struct spec q = { .command = same, .title = x, .started = 5 };

	(void)state;
	assert_int_equal(spec_compare(&p, &q), 0);
}

static void
respawn_names(void **state)
{
	enum respawn r;

	(void)state;
	assert_string_equal(spec_respawn_name(RESPAWN_NEVER), "never");
	assert_string_equal(spec_respawn_name(RESPAWN_AFTER), "after");
	assert_string_equal(spec_respawn_name(RESPAWN_NOW), "now");
	assert_null(spec_respawn_name((enum respawn)3));
	assert_null(spec_respawn_name((enum respawn)-1));
	assert_int_equal(spec_respawn_parse("never", &r), 0);
	assert_int_equal(r, RESPAWN_NEVER);
	assert_int_equal(spec_respawn_parse("after", &r), 0);
	assert_int_equal(r, RESPAWN_AFTER);
	assert_int_equal(spec_respawn_parse("now", &r), 0);
	assert_int_equal(r, RESPAWN_NOW);
	assert_int_equal(spec_respawn_parse("", &r), -1);
	assert_int_equal(spec_respawn_parse("Now", &r), -1);
	assert_int_equal(spec_respawn_parse("now ", &r), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_and_clear),
		cmocka_unit_test(copy_of_little),
		cmocka_unit_test(copy_in_a_block),
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused_texts),
		cmocka_unit_test(refused_numbers),
		cmocka_unit_test(refused_limits),
		cmocka_unit_test(order),
		cmocka_unit_test(order_ignores_jail),
		cmocka_unit_test(respawn_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
