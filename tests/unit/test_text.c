/* text.c: what is UTF-8, what is a control character, how both are shown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static void
well_formed(void **state)
{
	static const char *const good[] = {
		"", "plain", "tab\tnewline\n", "\x7f",
		"\xc2\x80", "\xdf\xbf",			/* U+0080, U+07FF */
		"\xe0\xa0\x80", "\xef\xbf\xbf",		/* U+0800, U+FFFF */
		"\xed\x9f\xbf", "\xee\x80\x80",		/* around surrogates */
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",	/* U+10000, U+10FFFF */
		"Grüße, 世界 \xf0\x9f\x90\xb3",
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(good); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	assert_true(text_is_utf8("a\0b", 3));
}

static void
ill_formed(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "a\xff", "\xfe",
		"\xc0\x80", "\xc1\xbf",			/* overlong */
		"\xe0\x80\x80", "\xe0\x9f\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf",		/* surrogates */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80",	/* above U+10FFFF */
		"\xf8\x88\x80\x80\x80",
		"\xc3", "\xe4\xb8", "\xf0\x9f\x90",	/* cut */
		"\xc3(", "\xe4\xb8(", "\xe4(\x96", "\xf0\x9f(\xb3",
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	/* The length counts, not what lies behind it. */
	assert_false(text_is_utf8("\xc3\xa4", 1));
}

static void
control(void **state)
{
	static const char *const with[] = {
		"\n", "a\tb", "\x1b[31m", "end\x7f", "\x01",
		"\xc2\x80", "\xc2\x85", "x\xc2\x9f", "\xff\n",
	};
	static const char *const without[] = {
		"", "plain text", "\xc2\xa0", "é\xff", "\x80", "世界",
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(with); i++)
		assert_true(text_has_control(with[i], strlen(with[i])));
	for (i = 0; i < NITEMS(without); i++)
		assert_false(text_has_control(without[i],
		    strlen(without[i])));
	assert_true(text_has_control("\0", 1));
}

static void
escaped(void **state)
{
	static const struct {
		const char	*src;
		const char	*shown;
	} cases[] = {
		{ "", "" },
		{ "plain text, 'quoted'", "plain text, 'quoted'" },
		{ "a\nb\tc\rd", "a\\nb\\tc\\rd" },
		{ "say \"hi\" \\o/", "say \\\"hi\\\" \\\\o/" },
		{ "\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },
		{ "Grüße 世界 \xf0\x9f\x90\xb3",
		    "Grüße 世界 \xf0\x9f\x90\xb3" },
		{ "a\xff\xfe", "a\\xff\\xfe" },
		{ "\xe4\xb8", "\\xe4\\xb8" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xe2\x80\xa8\xe2\x80\xa9",
		    "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
		{ "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb" },
		{ "\xe2\x81\xa6\xd8\x9c", "\\xe2\\x81\\xa6\\xd8\\x9c" },
		/* Zero-width joiner: part of ordinary scripts and emoji. */
		{ "\xe2\x80\x8d", "\xe2\x80\x8d" },
	};
	char dst[64];
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		len = strlen(cases[i].src);
		assert_int_equal(text_escape(dst, sizeof(dst), cases[i].src,
		    len), len);
		assert_string_equal(dst, cases[i].shown);
	}
	assert_int_equal(text_escape(dst, sizeof(dst), "a\0b", 3), 3);
	assert_string_equal(dst, "a\\x00b");
}

/* A line that stands in no quotes keeps its own. */
static void
shown(void **state)
{
	static const char src[] = "key \"a\x1b\\\xe2\x80\xae\"";
	char dst[64];

	(void)state;
	assert_int_equal(text_show(dst, sizeof(dst), src, sizeof(src) - 1),
	    sizeof(src) - 1);
	assert_string_equal(dst, "key \"a\\x1b\\\\xe2\\x80\\xae\"");
}

/* However short the buffer: terminated, and no character or escape is cut. */
static void
escape_cut(void **state)
{
	static const struct {
		const char	*src;
		size_t		 dstsize;
		const char	*shown;
		size_t		 taken;
	} cases[] = {
		{ "abc", 1, "", 0 },
		{ "abc", 3, "ab", 2 },
		{ "abc", 4, "abc", 3 },
		{ "a\n", 3, "a", 1 },
		{ "a\n", 4, "a\\n", 2 },
		{ "a\x01", 5, "a", 1 },
		{ "a\x01", 6, "a\\x01", 2 },
		{ "aé", 3, "a", 1 },
		{ "aé", 4, "aé", 3 },
		{ "\xe2\x80\xa8", 12, "", 0 },
		{ "\xe2\x80\xa8", 13, "\\xe2\\x80\\xa8", 3 },
		{ "\"\"", 4, "\\\"", 1 },
	};
	char *dst;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		/* Exactly as long, so that a byte too many is seen. */
		dst = malloc(cases[i].dstsize);
		assert_non_null(dst);
		assert_int_equal(text_escape(dst, cases[i].dstsize,
		    cases[i].src, strlen(cases[i].src)), cases[i].taken);
		assert_string_equal(dst, cases[i].shown);
		free(dst);
	}
}

/* Whatever goes in, what comes out is harmless, and a shorter buffer agrees. */
static void
escape_any(void **state)
{
	char src[24], dst[sizeof(src) * 4 + 1], cut[sizeof(dst)];
	uint32_t seed;
	size_t i, round, size, taken;

	(void)state;
	seed = 1;
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < sizeof(src); i++) {
			seed = seed * 1664525 + 1013904223;
			src[i] = (char)(seed >> 24);
		}
		assert_int_equal(text_escape(dst, sizeof(dst), src,
		    sizeof(src)), sizeof(src));
		assert_true(text_is_utf8(dst, strlen(dst)));
		assert_false(text_has_control(dst, strlen(dst)));
		size = seed % sizeof(dst) + 1;
		taken = text_escape(cut, size, src, sizeof(src));
		assert_true(taken <= sizeof(src));
		assert_true(strlen(cut) < size);
		assert_memory_equal(cut, dst, strlen(cut));
	}
}

static void
lines(void **state)
{
	static const struct {
		const char	*src;
		const char	*shown;
	} cases[] = {
		{ "", "" },
		{ "one\n\ttwo\n\n", "one\n\ttwo\n\n" },
		/* As it is: nobody reads it as one quoted text. */
		{ "say \"hi\" \\o/ \\x1b", "say \"hi\" \\o/ \\x1b" },
		{ "a\rb\x1b[2J\x07\x7f", "a\\x0db\\x1b[2J\\x07\\x7f" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },
		{ "Grüße 世界 \xf0\x9f\x90\xb3",
		    "Grüße 世界 \xf0\x9f\x90\xb3" },
		{ "a\xff\xfe\n", "a\\xff\\xfe\n" },
		{ "\xe4\xb8", "\\xe4\\xb8" },
		{ "\xc0\x8a", "\\xc0\\x8a" },
		{ "\xe2\x80\xa8\xe2\x80\xa9",
		    "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
		{ "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb" },
	};
	char *dst;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		dst = text_lines(cases[i].src, strlen(cases[i].src));
		assert_non_null(dst);
		assert_string_equal(dst, cases[i].shown);
		free(dst);
	}
	/* The length counts: a NUL is shown, what lies behind is not. */
	dst = text_lines("a\0b\xc3\xa4", 4);
	assert_non_null(dst);
	assert_string_equal(dst, "a\\x00b\\xc3");
	free(dst);
}

/* Whatever goes in, what comes out is UTF-8 without control characters. */
static void
show_any(void **state)
{
	char src[24], *dst, *p;
	uint32_t seed;
	size_t i, len, round, lines;

	(void)state;
	seed = 1;
	for (round = 0; round < 20000; round++) {
		lines = 0;
		seed = seed * 1664525 + 1013904223;
		len = (seed >> 24) % (sizeof(src) + 1);
		for (i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			src[i] = (char)(seed >> 24);
			lines += src[i] == '\n';
		}
		dst = text_lines(src, len);
		assert_non_null(dst);
		assert_true(strlen(dst) <= 4 * len);
		assert_true(text_is_utf8(dst, strlen(dst)));
		for (p = dst; *p != '\0'; p++)
			if (*p == '\n' || *p == '\t') {
				lines -= *p == '\n';
				*p = ' ';
			}
		assert_int_equal(lines, 0);
		assert_false(text_has_control(dst, strlen(dst)));
		free(dst);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed),
		cmocka_unit_test(ill_formed),
		cmocka_unit_test(control),
		cmocka_unit_test(escaped),
		cmocka_unit_test(shown),
		cmocka_unit_test(escape_cut),
		cmocka_unit_test(escape_any),
		cmocka_unit_test(lines),
		cmocka_unit_test(show_any),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
