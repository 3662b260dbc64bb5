/* words.c: every rule of quoting, every refusal, and their lines. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "text.h"
#include "words.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * All lines in one text: the line's number, each word in brackets, and a
 * newline; or "line: what is wrong".  The bytes are put where a read behind
 * the last one would be seen.
 */
static const char *
split_bytes(const char *text, size_t len)
{
	static char shown[4096];
	struct words ws;
	char *copy;
	size_t n = 0;
	int status;

	copy = malloc(len + (len == 0));
	assert_non_null(copy);
	memcpy(copy, text, len);
	shown[0] = '\0';
	status = words_open(&ws, copy, len);
	while (status == 0 && (status = words_read(&ws)) == 0 && ws.argc > 1) {
		n += (size_t)snprintf(shown + n, sizeof(shown) - n, "%u",
		    ws.line);
		assert_string_equal(ws.argv[0], "");
		assert_null(ws.argv[ws.argc]);
		for (int i = 1; i < ws.argc; i++)
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "[%s]", ws.argv[i]);
		n += (size_t)snprintf(shown + n, sizeof(shown) - n, "\n");
		assert_true(n < sizeof(shown));
	}
	if (status != 0) {
		assert_int_equal(status, EX_CONFIG);
		(void)snprintf(shown, sizeof(shown), "%u: %s", ws.err_line,
		    ws.err);
	}
	words_close(&ws);
	free(copy);
	return (shown);
}

static const char *
split(const char *text)
{
	return (split_bytes(text, strlen(text)));
}

struct pair {
	const char	*text;
	const char	*shown;
};

static void
check(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(split(pairs[i].text), pairs[i].shown);
}

static void
blanks(void **state)
{
	static const struct pair pairs[] = {
		{ "", "" }, { "\n", "" }, { " \t \n\n\t", "" },
		{ "a", "1[a]\n" }, { "a\n", "1[a]\n" },
		{ "a b", "1[a][b]\n" }, { "a \t b", "1[a][b]\n" },
		{ " a\t\n", "1[a]\n" }, { "\ta \n", "1[a]\n" },
		{ "a\nb\n", "1[a]\n2[b]\n" },
		{ "\n\na b\n\nc", "3[a][b]\n5[c]\n" },
		/* Blanks of Unicode are characters like others. */
		{ "a\u00a0b \u3000", "1[a\u00a0b][\u3000]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
comments(void **state)
{
	static const struct pair pairs[] = {
		{ "#", "" }, { "# a\n", "" }, { "  # a 'b\n", "" },
		{ "a #b c", "1[a]\n" }, { "a\t#\nb", "1[a]\n2[b]\n" },
		{ "a#b", "1[a#b]\n" }, { "a# b", "1[a#][b]\n" },
		{ "\\#a", "1[#a]\n" }, { "'#'a \"#b\"", "1[#a][#b]\n" },
		{ "''#a", "1[#a]\n" },
		/* What a comment says is nothing, at its end too. */
		{ "# ' \" $ ; ( ` \\\na", "2[a]\n" },
		{ "a # b\\\nc", "1[a]\n2[c]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
single_quotes(void **state)
{
	static const struct pair pairs[] = {
		{ "''", "1[]\n" }, { "'' ''", "1[][]\n" },
		{ "'a b'", "1[a b]\n" }, { "'a'b'c'", "1[abc]\n" },
		{ "a''b", "1[ab]\n" }, { "'\"'", "1[\"]\n" },
		{ "'\\'", "1[\\]\n" }, { "'a\\nb'", "1[a\\nb]\n" },
		{ "'a\\\nb'", "1[a\\\nb]\n" }, { "'a\nb' c\nd",
		    "1[a\nb][c]\n3[d]\n" },
		{ "'it'\\''s'", "1[it's]\n" },
		{ "'$a `b` ;&|<>()#*?[~'", "1[$a `b` ;&|<>()#*?[~]\n" },
		{ "'\t'", "1[\t]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
double_quotes(void **state)
{
	static const struct pair pairs[] = {
		{ "\"\"", "1[]\n" }, { "\"a b\"", "1[a b]\n" },
		{ "\"it's\"", "1[it's]\n" }, { "a\"b\"c", "1[abc]\n" },
		{ "\"\\$\\`\\\"\\\\\"", "1[$`\"\\]\n" },
		{ "\"\\a\\n\\'\\ \\;\\#\\*\"", "1[\\a\\n\\'\\ \\;\\#\\*]\n" },
		{ "\"a\\\nb\"", "1[ab]\n" }, { "\"\\\n\"", "1[]\n" },
		{ "\"a\nb\" c\nd", "1[a\nb][c]\n3[d]\n" },
		{ "\"a\\\nb\nc\"\nd", "1[ab\nc]\n4[d]\n" },
		{ "\"\\\\\"", "1[\\]\n" }, { "\"\\\\\\\"\"", "1[\\\"]\n" },
		/* No expansion: what would begin one is itself. */
		{ "\"$HOME $(id) `id` ${x} $$\"",
		    "1[$HOME $(id) `id` ${x} $$]\n" },
		{ "\";&|<>()#*?[~\"", "1[;&|<>()#*?[~]\n" },
		/* So a quote ends it, whatever it stands in. */
		{ "\"$(echo \"a\")\"", "1[$(echo a)]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
backslashes(void **state)
{
	static const struct pair pairs[] = {
		{ "\\a", "1[a]\n" }, { "a\\b", "1[ab]\n" },
		{ "\\\\", "1[\\]\n" }, { "\\\\a", "1[\\a]\n" },
		{ "\\ ", "1[ ]\n" }, { "a\\ b", "1[a b]\n" },
		{ "a\\\tb", "1[a\tb]\n" }, { "\\'a\\'", "1['a']\n" },
		{ "\\\"a\\\"", "1[\"a\"]\n" },
		{ "\\$\\`\\;\\&\\|\\<\\>\\(\\)", "1[$`;&|<>()]\n" },
		{ "\\\xc3\xbc", "1[\xc3\xbc]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
continuations(void **state)
{
	static const struct pair pairs[] = {
		{ "a\\\nb", "1[ab]\n" }, { "a \\\nb", "1[a][b]\n" },
		{ "a\\\n b", "1[a][b]\n" }, { "a \\\n\\\n b", "1[a][b]\n" },
		{ "\\\n", "" }, { "\\\n\\\na", "3[a]\n" },
		{ "\\\n \\\n", "" }, { "a\\\n", "1[a]\n" },
		{ "a\\\n\nb", "1[a]\n3[b]\n" },
		{ "a\\\n#b", "1[a#b]\n" }, { "a \\\n#b\nc", "1[a]\n3[c]\n" },
		{ "a\\\\\nb", "1[a\\]\n2[b]\n" },
		{ "'a'\\\n'b'", "1[ab]\n" },
		/* A blank behind the backslash is what it takes. */
		{ "a \\ \nb", "1[a][ ]\n2[b]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

/* What only looks as if it meant something. */
static void
literals(void **state)
{
	static const struct pair pairs[] = {
		{ "* ? [a-z] web*", "1[*][?][[a-z]][web*]\n" },
		{ "~ ~root a~", "1[~][~root][a~]\n" },
		{ "{a,b} ! { }", "1[{a,b}][!][{][}]\n" },
		{ "a=b ^ % @ + , : . / - _ ]",
		    "1[a=b][^][%][@][+][,][:][.][/][-][_][]]\n" },
		{ "if then", "1[if][then]\n" },
		{ "\xc3\xbc \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80",
		    "1[\xc3\xbc][\xe4\xb8\x96\xe7\x95\x8c]"
		    "[\xf0\x9f\x98\x80]\n" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

static void
operators(void **state)
{
	static const char all[] = "$`;&|<>()";
	static const char *const where[] = {
		"\n%c", "\n a%cb", "\na b%c", "\n'a'%c", "\"a\n\"%c", "\\\n%c",
		"#\n%ca",
	};
	char text[32], want[64];

	(void)state;
	for (const char *c = all; *c != '\0'; c++)
		for (size_t i = 0; i < NITEMS(where); i++) {
			(void)snprintf(text, sizeof(text), where[i], *c);
			(void)snprintf(want, sizeof(want), "2: unquoted "
			    "\"%c\", expected it in quotes", *c);
			assert_string_equal(split(text), want);
		}
}

static void
not_closed(void **state)
{
	static const struct pair pairs[] = {
		{ "'", "1: a quote that is not closed, expected another '" },
		{ "\"", "1: a quote that is not closed, expected another \"" },
		{ "a\nb 'c\nd\n",
		    "2: a quote that is not closed, expected another '" },
		{ "'a\nb' c \"d\n\n",
		    "2: a quote that is not closed, expected another \"" },
		{ "\"\\\"",
		    "1: a quote that is not closed, expected another \"" },
		{ "\"\\",
		    "1: a quote that is not closed, expected another \"" },
		{ "\"\\\n",
		    "1: a quote that is not closed, expected another \"" },
		{ "'\"", "1: a quote that is not closed, expected another '" },
		{ "-c 'it's'",
		    "1: a quote that is not closed, expected another '" },
		{ "\\", "1: a backslash at the end of the file, expected a "
		    "character or a line behind it" },
		{ "a\nb\\", "2: a backslash at the end of the file, expected "
		    "a character or a line behind it" },
		{ "a\\\n\\", "2: a backslash at the end of the file, expected "
		    "a character or a line behind it" },
	};

	(void)state;
	check(pairs, NITEMS(pairs));
}

/* A line before the one that is wrong is not read at all: it is one text. */
static void
not_text(void **state)
{
	static const char cr[] = "a carriage return, expected lines that end "
	    "with a newline alone";
	static const char utf8[] = "the line is not valid UTF-8, expected "
	    "UTF-8 text";
	static const char control[] = "the control character %s, expected "
	    "text with no other ones than tabs and newlines";
	static const struct {
		const char	*text;
		size_t		 len;
		const char	*format;
		const char	*shown;
		unsigned int	 line;
	} cases[] = {
		{ "a\r\n", 3, cr, NULL, 1 }, { "a\n\r", 3, cr, NULL, 2 },
		{ "a\nb\r\nc", 6, cr, NULL, 2 }, { "#\r", 2, cr, NULL, 1 },
		{ "'\r'", 3, cr, NULL, 1 }, { "\\\r", 2, cr, NULL, 1 },
		{ "a\0b", 3, control, "\\x00", 1 },
		{ "\0", 1, control, "\\x00", 1 },
		{ "a\n\n#\0\n", 6, control, "\\x00", 3 },
		{ "'\x1b'", 3, control, "\\x1b", 1 },
		{ "\x7f", 1, control, "\\x7f", 1 },
		{ "\v", 1, control, "\\x0b", 1 },
		{ "\f", 1, control, "\\x0c", 1 },
		{ "\n\xc2\x80", 3, control, "\\xc2\\x80", 2 },
		{ "\xc2\x9f", 2, control, "\\xc2\\x9f", 1 },
		{ "a\n\xff\n", 4, utf8, NULL, 2 },
		{ "#\xc3", 2, utf8, NULL, 1 },
		{ "'\xc3\n\xbc'", 5, utf8, NULL, 1 },
		{ "\xed\xa0\x80", 3, utf8, NULL, 1 },
		{ "\xc0\x80", 2, utf8, NULL, 1 },
		{ "\xf0\x9f\x98", 3, utf8, NULL, 1 },
	};
	char want[256], what[128];

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++) {
		(void)strlcpy(what, cases[i].format, sizeof(what));
		if (cases[i].shown != NULL)
			(void)snprintf(what, sizeof(what), control,
			    cases[i].shown);
		(void)snprintf(want, sizeof(want), "%u: %s", cases[i].line,
		    what);
		assert_string_equal(split_bytes(cases[i].text, cases[i].len),
		    want);
	}
	assert_string_equal(split("\xef\xbb\xbf""a"), "1: a byte order mark, "
	    "expected UTF-8 text without one");
	/* Elsewhere it is a character, and neighbours of C1 are, too. */
	assert_string_equal(split("a\xef\xbb\xbf"), "1[a\xef\xbb\xbf]\n");
	assert_string_equal(split("\xc2\xa0"), "1[\xc2\xa0]\n");
}

/* More words than there was room for at first. */
static void
many_words(void **state)
{
	enum { WORDS = 10000 };
	struct words ws;
	static char text[2 * WORDS];

	(void)state;
	for (size_t i = 0; i < WORDS; i++) {
		text[2 * i] = (char)('a' + i % 26);
		text[2 * i + 1] = ' ';
	}
	assert_int_equal(words_open(&ws, text, sizeof(text)), 0);
	assert_int_equal(words_read(&ws), 0);
	assert_int_equal(ws.argc, WORDS + 1);
	for (int i = 0; i < WORDS; i++) {
		assert_int_equal(ws.argv[i + 1][0], 'a' + i % 26);
		assert_int_equal(ws.argv[i + 1][1], '\0');
	}
	assert_null(ws.argv[WORDS + 1]);
	assert_int_equal(words_read(&ws), 0);
	assert_int_equal(ws.argc, 1);
	/* And there it stays. */
	assert_int_equal(words_read(&ws), 0);
	assert_int_equal(ws.argc, 1);
	words_close(&ws);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks),
		cmocka_unit_test(comments),
		cmocka_unit_test(single_quotes),
		cmocka_unit_test(double_quotes),
		cmocka_unit_test(backslashes),
		cmocka_unit_test(continuations),
		cmocka_unit_test(literals),
		cmocka_unit_test(operators),
		cmocka_unit_test(not_closed),
		cmocka_unit_test(not_text),
		cmocka_unit_test(many_words),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
