/* conf.c: rules, their normal form, patterns, limits, and all back again. */
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

#include "conf.h"
#include "spec.h"
#include "text.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static struct conf_rules rules = TAILQ_HEAD_INITIALIZER(rules);
static char err[1024];

/* The rules' texts, each with a newline; or what is wrong. */
static const char *
parse_bytes(const char *text, size_t len)
{
	static char shown[4096];
	const struct conf_rule *rule;
	size_t n = 0;
	int status;

	conf_clear(&rules);
	(void)strlcpy(err, "untouched", sizeof(err));
	status = conf_parse("f", text, len, &rules, err, sizeof(err));
	if (status != 0) {
		assert_int_equal(status, EX_CONFIG);
		assert_true(TAILQ_EMPTY(&rules));
		return (err);
	}
	assert_string_equal(err, "untouched");
	shown[0] = '\0';
	TAILQ_FOREACH(rule, &rules, entry) {
		n += (size_t)snprintf(shown + n, sizeof(shown) - n, "%s\n",
		    rule->text);
		assert_true(n < sizeof(shown));
	}
	return (shown);
}

static const char *
parse(const char *text)
{
	return (parse_bytes(text, strlen(text)));
}

#define PARSES(text, shown)	assert_string_equal(parse(text), shown)
/* It is its own normal form. */
#define NORMAL(text)		PARSES(text, text)
#define REFUSED(text, why)	assert_string_equal(parse(text), why)

static int
teardown(void **state)
{
	(void)state;
	conf_clear(&rules);
	return (0);
}

static void
nothing(void **state)
{
	(void)state;
	PARSES("", "");
	PARSES("\n # nothing\n\\\n\n", "");
}

static void
least(void **state)
{
	const struct conf_rule *rule;

	(void)state;
	PARSES("-c true -j web", "-j web -c true\n");
	rule = TAILQ_FIRST(&rules);
	assert_string_equal(rule->spec.command, "true");
	assert_null(rule->spec.title);
	assert_null(rule->spec.jail);
	assert_null(rule->spec.engine);
	assert_int_equal(rule->spec.pid, 0);
	assert_int_equal(rule->spec.uid, 0);
	assert_int_equal(rule->spec.gid, 0);
	assert_int_equal(rule->spec.respawn, RESPAWN_NEVER);
	assert_int_equal(rule->spec.timeout, 0);
	assert_int_equal(rule->spec.parallel, 0);
	assert_int_equal(rule->spec.interval, 0);
	assert_false(rule->spec.feedback);
	assert_int_equal(rule->njails, 1);
	assert_string_equal(rule->jails[0], "web");
	assert_int_equal(rule->line, 1);
	assert_string_equal(rule->text, "-j web -c true");
}

static void
everything(void **state)
{
	const struct conf_rule *rule;

	(void)state;
	PARSES("\n# all\n\n-c 'a \"$b\"' -L 7 -i 60 -T600 -g8 -u 7 -t'A B' \\\n"
	    " -sR -j 'web*' -j db",
	    "-j db -j 'web*' -R -s -t 'A B' -u 7 -g 8 -T 600 -i 60 -L 7 "
	    "-c 'a \"$b\"'\n");
	rule = TAILQ_FIRST(&rules);
	assert_string_equal(rule->spec.command, "a \"$b\"");
	assert_string_equal(rule->spec.title, "A B");
	assert_int_equal(rule->spec.uid, 7);
	assert_int_equal(rule->spec.gid, 8);
	assert_int_equal(rule->spec.respawn, RESPAWN_NOW);
	assert_int_equal(rule->spec.timeout, 600);
	assert_int_equal(rule->spec.interval, 60);
	assert_int_equal(rule->spec.parallel, 7);
	assert_true(rule->spec.feedback);
	assert_int_equal(rule->njails, 2);
	assert_string_equal(rule->jails[0], "db");
	assert_string_equal(rule->jails[1], "web*");
	assert_int_equal(rule->line, 4);
}

static void
order_of_rules(void **state)
{
	const struct conf_rule *rule;

	(void)state;
	PARSES("-c b -j z\n\n-c \\\na -j y\n-c c -j a # last\n",
	    "-j z -c b\n-j y -c a\n-j a -c c\n");
	rule = TAILQ_FIRST(&rules);
	assert_int_equal(rule->line, 1);
	rule = TAILQ_NEXT(rule, entry);
	assert_int_equal(rule->line, 3);
	rule = TAILQ_NEXT(rule, entry);
	assert_int_equal(rule->line, 5);
}

static void
normal_options(void **state)
{
	(void)state;
	NORMAL("-j a -c b\n");
	NORMAL("-j a -r -c b\n");
	NORMAL("-j a -R -c b\n");
	NORMAL("-j a -s -t T -c b\n");
	NORMAL("-j a -u 4294967294 -g 1 -T 31536000 -i 1 -L 1024 -c b\n");
	PARSES("-j a -rR -c b", "-j a -R -c b\n");
	PARSES("-j a -R -r -c b", "-j a -R -c b\n");
	PARSES("-j a -u 0 -g 0 -c b", "-j a -c b\n");
	PARSES("-j a -u 007 -c b", "-j a -u 7 -c b\n");
	PARSES("-ja -cb -tT --", "-j a -t T -c b\n");
	PARSES("-c one -j a -c two", "-j a -c two\n");
	PARSES("-t -r -c -x -j -", "-j - -t -r -c -x\n");
	PARSES("-j c -j a -j b -j a -j c -c x", "-j a -j b -j c -c x\n");
}

static void
normal_quotes(void **state)
{
	static const char plain[] = "abcxyzABCXYZ0189_./:=@%+,-";
	char text[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "-j a -c %s\n", plain);
	NORMAL(text);
	/* Each other character of ASCII is quoted, wherever it stands. */
	for (char c = ' '; c < 0x7f; c++) {
		if (strchr("_./:=@%+,-'", c) != NULL ||
		    (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z'))
			continue;
		(void)snprintf(text, sizeof(text), "-j a -c 'x%cy'\n", c);
		NORMAL(text);
		(void)snprintf(text, sizeof(text), "-j a -c '%c'\n", c);
		NORMAL(text);
	}
	NORMAL("-j a -c 'it'\\''s'\n");
	NORMAL("-j a -c ''\\'''\n");
	PARSES("-j a -c \\'", "-j a -c ''\\'''\n");
	NORMAL("-j a -c '\t'\n");
	NORMAL("-j '*' -j '[ab]?' -t '~' -c 'Gr\xc3\xbc\xc3\x9f" "e'\n");
	PARSES("-j web* -c \"\\$x\"", "-j 'web*' -c '$x'\n");
	/* A command's lines stay, and a rule begins where it begins. */
	NORMAL("-j a -c 'one\ntwo'\n-j b -c '\n'\n-j c -c d\n");
	assert_int_equal(TAILQ_LAST(&rules, conf_rules)->line, 5);
}

static void
refused_lines(void **state)
{
	static const struct {
		const char	*text;
		const char	*why;
	} cases[] = {
		{ "-j a", "f:1: no -c, expected -c command" },
		{ "-r", "f:1: no -c, expected -c command" },
		{ "''", "f:1: \"\" is no option, and there are no operands: "
		    "is a text not quoted?" },
		{ "\n-c b", "f:2: no -j, expected -j jail" },
		{ "-j a -c b\n\n-x", "f:3: unknown option \"-x\", expected -c "
		    "-j -t -u -g -r -R -T -i -L -s" },
		{ "-j a -c service jail restart", "f:1: \"jail\" is no "
		    "option, and there are no operands: is a text not "
		    "quoted?" },
		{ "-j a -c b -f s", "f:1: an action takes no -f, expected -c "
		    "-j -t -u -g -r -R -T -i -L -s" },
		{ "-j a -c", "f:1: -c needs an argument: the command" },
		{ "-j a -c ''", "f:1: the command is empty" },
		{ "-j a -c b -t ''", "f:1: the title is empty" },
		{ "-j a -c b -t 'x\ny'",
		    "f:1: the title has a control character" },
		{ "-j '' -c b", "f:1: -j: the jail is empty" },
		{ "-j '' -j a -c b", "f:1: -j: the jail is empty" },
		{ "-j 'a\nb' -c b", "f:1: -j: the jail is not valid UTF-8 "
		    "without control characters" },
		{ "-j a \\\n-c b \\\n-u root", "f:1: -u: \"root\" is not a "
		    "number from 0 to 4294967294" },
		{ "-j a -c b -u \\\x1b", "f:1: the control character \\x1b, "
		    "expected text with no other ones than tabs and "
		    "newlines" },
		{ "-j a -c b -T 0",
		    "f:1: -T: \"0\" is not a number from 1 to 31536000" },
		{ "-j a -c b\n-j c -c d;e",
		    "f:2: unquoted \";\", expected it in quotes" },
		{ "-j a -c b\n\n-j c -c '\n\n", "f:3: a quote that is not "
		    "closed, expected another '" },
		/* All of it is text, or none of it is read. */
		{ "-x\n\r", "f:2: a carriage return, expected lines that end "
		    "with a newline alone" },
	};

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++)
		REFUSED(cases[i].text, cases[i].why);
}

static void
refused_twice(void **state)
{
	(void)state;
	REFUSED("-j a -c b\n# other\n\n-c 'b' -j 'a'\n",
	    "f:4: the same action as in line 1, expected it once");
	REFUSED("-j x -c b\n-j a -j b -c c\n-j b -j a -c c",
	    "f:3: the same action as in line 2, expected it once");
	REFUSED("-j a -c b -u 0\n-j a -c b",
	    "f:2: the same action as in line 1, expected it once");
	/* What differs in anything is another one. */
	NORMAL("-j a -c b\n-j b -c b\n-j a -j b -c b\n-j a -r -c b\n"
	    "-j a -R -c b\n-j a -s -c b\n-j a -t b -c b\n-j a -u 1 -c b\n"
	    "-j a -g 1 -c b\n-j a -T 1 -c b\n-j a -i 1 -c b\n"
	    "-j a -L 1 -c b\n-j a -c 'b '\n");
}

static void
refused_patterns(void **state)
{
	static char text[CONF_PATTERN_MAX + 32];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "-c b -j ", 8);
	text[8 + CONF_PATTERN_MAX] = '\0';
	assert_string_equal(parse(text) + CONF_PATTERN_MAX, "xxx -c b\n");
	text[8 + CONF_PATTERN_MAX] = 'x';
	text[8 + CONF_PATTERN_MAX + 1] = '\0';
	REFUSED(text, "f:1: -j: the pattern has 1025 bytes, the limit is "
	    "1024");
	REFUSED("-c b -j 'a\\'", "f:1: -j: the pattern ends with a "
	    "backslash, expected a character behind it");
	REFUSED("-c b -j a -j 'a\\\\\\'", "f:1: -j: the pattern ends with a "
	    "backslash, expected a character behind it");
	NORMAL("-j 'a\\\\' -c b\n");
	NORMAL("-j '[' -j '[a' -j ']' -c b\n");
#ifdef __linux__
	REFUSED("\n-c b -j dokcer:web", "f:2: -j: \"dokcer\" is no container "
	    "engine: known are docker, podman, lxc, incus, machine, runc, "
	    "crun");
	REFUSED("-c b -j '*:web'", "f:1: -j: \"*\" is no container "
	    "engine: known are docker, podman, lxc, incus, machine, runc, "
	    "crun");
	REFUSED("-c b -j :web", "f:1: -j: \"\" is no container "
	    "engine: known are docker, podman, lxc, incus, machine, runc, "
	    "crun");
	REFUSED("-c b -j docker:", "f:1: -j: no jail behind \"docker:\", "
	    "expected a pattern");
#endif
}

static void
matches(void **state)
{
	static const struct {
		const char	*patterns;
		const char	*engine;
		const char	*name;
		bool		 matches;
	} cases[] = {
		{ "-j web", NULL, "web", true },
		{ "-j web", NULL, "web1", false },
		{ "-j web", NULL, "Web", false },
		{ "-j web", NULL, "", false },
		{ "-j 'web*'", NULL, "web", true },
		{ "-j 'web*'", NULL, "web.a/b", true },
		{ "-j 'web*'", NULL, "aweb", false },
		{ "-j '*'", NULL, "anything", true },
		{ "-j '*'", NULL, ".hidden", true },
		{ "-j 'w?b'", NULL, "web", true },
		{ "-j 'w?b'", NULL, "wb", false },
		{ "-j 'web[0-9]'", NULL, "web5", true },
		{ "-j 'web[0-9]'", NULL, "webx", false },
		{ "-j 'web[!0-9]'", NULL, "webx", true },
		{ "-j 'web\\*'", NULL, "web*", true },
		{ "-j 'web\\*'", NULL, "web1", false },
		{ "-j 'web['", NULL, "web[", true },
		{ "-j 'web\\\\'", NULL, "web\\", true },
		{ "-j 'a\\:b'", NULL, "a:b", true },
		{ "-j a -j b", NULL, "b", true },
		{ "-j a -j b", NULL, "c", false },
		{ "-j web", "docker", "web", true },
		{ "-j 12", NULL, "12", true },
#ifdef __linux__
		/* FreeBSD's fnmatch(3) knows no classes. */
		{ "-j 'web[[:digit:]]'", NULL, "web5", true },
		{ "-j docker:web", "docker", "web", true },
		{ "-j docker:web", "podman", "web", false },
		{ "-j docker:web", NULL, "web", false },
		{ "-j docker:web", NULL, "docker:web", false },
		{ "-j 'docker:web*'", "docker", "web1", true },
		{ "-j 'docker:*'", "docker", "a:b", true },
		{ "-j docker:web", "docke", "web", false },
		{ "-j docker:web", "dockerx", "web", false },
		{ "-j docker:a -j podman:b", "podman", "b", true },
		{ "-j docker:a -j podman:b", "podman", "a", false },
		{ "-j docker:a -j b", "podman", "b", true },
#else
		{ "-j docker:web", NULL, "docker:web", true },
		{ "-j docker:web", NULL, "web", false },
#endif
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(text, sizeof(text), "%s -c x",
		    cases[i].patterns);
		(void)parse(text);
		assert_string_equal(err, "untouched");
		assert_int_equal(conf_matches(TAILQ_FIRST(&rules),
		    cases[i].engine, cases[i].name), cases[i].matches);
	}
}

/* n different actions. */
static char *
many_rules(size_t n)
{
	char *text, *p;

	text = malloc(n * 24 + 1);
	assert_non_null(text);
	for (p = text; n > 0; n--)
		p += snprintf(p, 24, "-j a -c %zu\n", n);
	return (text);
}

static void
number_of_rules(void **state)
{
	const struct conf_rule *rule;
	char *text;
	size_t n = 0;

	(void)state;
	conf_clear(&rules);
	text = many_rules(CONF_RULES_MAX);
	assert_int_equal(conf_parse("f", text, strlen(text), &rules, err,
	    sizeof(err)), 0);
	free(text);
	TAILQ_FOREACH(rule, &rules, entry)
		assert_int_equal(rule->line, ++n);
	assert_int_equal(n, 10000);
	text = many_rules(CONF_RULES_MAX + 1);
	REFUSED(text, "f:10001: one action too many, expected at most 10000");
	free(text);
}

/* The file's name is foreign, and a line stays within its room. */
static void
messages(void **state)
{
	char tiny[8];

	(void)state;
	assert_int_equal(conf_parse("a\nb\x1b", "-x", 2, &rules, err,
	    sizeof(err)), EX_CONFIG);
	assert_string_equal(err, "a\\nb\\x1b:1: unknown option \"-x\", "
	    "expected -c -j -t -u -g -r -R -T -i -L -s");
	assert_int_equal(conf_parse("file", "-x", 2, &rules, tiny,
	    sizeof(tiny)), EX_CONFIG);
	assert_string_equal(tiny, "file:1:");
	assert_int_equal(conf_parse("file", "-x", 2, &rules, tiny, 3),
	    EX_CONFIG);
	assert_string_equal(tiny, "fi");
}

/*
 * Back again: actions by chance, written with quotes by chance, are read as
 * they were, and so is their normal form.
 */

/* The same numbers everywhere and each time (xorshift, by Marsaglia). */
static uint32_t seed;

static uint32_t
chance(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return (seed % n);
}

static void
random_text(char *s, size_t max, bool lines)
{
	static const char *const pieces[] = {
		"a", "web", "Z", "0", "-", ".", "'", "\"", "\\", "$", "`", "#",
		" ", "  ", ";", "&", "|", "<", ">", "(", ")", "*", "?", "[",
		"]", "~", "{", "!", "=", "%", "\xc3\xbc", "\xe2\x82\xac",
		"\t", "\n", "\\\n", "''", "\"\"", "$x", "\\\\",
	};
	const char *piece;
	size_t n;

	s[0] = '\0';
	for (n = 1 + chance(12); n > 0; n--) {
		piece = pieces[chance(NITEMS(pieces))];
		if (lines || strpbrk(piece, "\t\n") == NULL)
			(void)strlcat(s, piece, max);
	}
	if (s[0] == '\0')
		(void)strlcat(s, "x", max);
}

/* A pattern that is not refused. */
static void
random_pattern(char *s, size_t max)
{
	random_text(s, max, false);
	if (s[strlen(s) - 1] == '\\')
		(void)strlcat(s, "x", max);
#ifdef __linux__
	char head[512];

	/* A jail whose name has a colon, or an engine's. */
	if (chance(4) == 0) {
		(void)snprintf(head, sizeof(head), "%s%s",
		    chance(2) == 0 ? "lxc:" : "\\:", s);
		(void)strlcpy(s, head, max);
	}
#endif
}

static void
put(char **p, const char *s)
{
	size_t len = strlen(s);

	memcpy(*p, s, len + 1);
	*p += len;
}

/* One byte in one of the ways that sh has for it. */
static void
put_quoted(char **p, const char *s)
{
	char form[8];

	switch (chance(3)) {
	case 0:			/* a backslash takes no newline */
		if (*s != '\n') {
			(void)snprintf(form, sizeof(form), "\\%c", *s);
			break;
		}
		/* FALLTHROUGH */
	case 1:
		(void)snprintf(form, sizeof(form), strchr("$`\"\\", *s) ?
		    "\"\\%c\"" : "\"%c\"", *s);
		break;
	default:
		(void)snprintf(form, sizeof(form), *s == '\'' ? "\\%c" :
		    "'%c'", *s);
		break;
	}
	put(p, form);
}

static void
put_word(char **p, const char *s)
{
	for (; *s != '\0'; s++) {
		/* The first byte of a character: nothing goes between. */
		if (((unsigned char)*s & 0xc0) != 0x80) {
			if (chance(8) == 0)
				put(p, "\\\n");
			if (chance(8) == 0)
				put(p, "''");
		}
		if ((unsigned char)*s >= 0x80) {
			*(*p)++ = *s;
			**p = '\0';
		} else
			put_quoted(p, s);
	}
}

struct given {
	char		 jails[3][256];
	size_t		 njails;
	char		 title[256];
	char		 command[256];
	uint32_t	 number;	/* of all options that take one */
	enum respawn	 respawn;
	bool		 feedback;
	bool		 titled;
};

static void
random_given(struct given *g)
{
	g->njails = 1 + chance(3);
	for (size_t i = 0; i < g->njails; i++)
		random_pattern(g->jails[i], sizeof(g->jails[i]));
	random_text(g->title, sizeof(g->title), false);
	random_text(g->command, sizeof(g->command), true);
	g->number = chance(SPEC_PARALLEL_MAX + 1);
	g->respawn = (enum respawn)chance(3);
	g->feedback = chance(2) == 0;
	g->titled = chance(2) == 0;
}

static void
put_given(char **p, const struct given *g)
{
	static const char letters[] = "ugTiL";
	char number[32];

	for (size_t i = 0; i < g->njails; i++) {
		put(p, chance(2) == 0 ? " -j " : "\t-j");
		put_word(p, g->jails[i]);
	}
	put(p, " -c ");
	put_word(p, g->command);
	if (g->titled) {
		put(p, " \\\n -t ");
		put_word(p, g->title);
	}
	for (const char *l = letters; g->number > 0 && *l != '\0'; l++) {
		(void)snprintf(number, sizeof(number), " -%c %u", *l,
		    g->number);
		put(p, number);
	}
	if (g->respawn != RESPAWN_NEVER)
		put(p, g->respawn == RESPAWN_NOW ? " '-'R" : " -\\r");
	if (g->feedback)
		put(p, " -s");
	put(p, chance(2) == 0 ? " # 'comment\n" : "\n");
}

static void
compare_given(const struct conf_rule *rule, const struct given *g)
{
	size_t i, j;

	assert_string_equal(rule->spec.command, g->command);
	if (g->titled)
		assert_string_equal(rule->spec.title, g->title);
	else
		assert_null(rule->spec.title);
	assert_int_equal(rule->spec.uid, g->number);
	assert_int_equal(rule->spec.gid, g->number);
	assert_int_equal(rule->spec.timeout, g->number);
	assert_int_equal(rule->spec.interval, g->number);
	assert_int_equal(rule->spec.parallel, g->number);
	assert_int_equal(rule->spec.respawn, g->respawn);
	assert_int_equal(rule->spec.feedback, g->feedback);
	for (i = 0; i < g->njails; i++) {
		for (j = 0; j < rule->njails; j++)
			if (strcmp(rule->jails[j], g->jails[i]) == 0)
				break;
		assert_true(j < rule->njails);
	}
	for (j = 1; j < rule->njails; j++)
		assert_true(strcmp(rule->jails[j - 1], rule->jails[j]) < 0);
}

static void
back_again(void **state)
{
	static char text[65536];
	struct conf_rules again = TAILQ_HEAD_INITIALIZER(again);
	struct given g;
	char *p;

	(void)state;
	seed = 20130311;
	for (int i = 0; i < 20000; i++) {
		random_given(&g);
		text[0] = '\0';
		p = text;
		put_given(&p, &g);
		assert_true((size_t)(p - text) < sizeof(text));
		conf_clear(&rules);
		if (conf_parse("f", text, strlen(text), &rules, err,
		    sizeof(err)) != 0)
			fail_msg("%s: %s", err, text);
		compare_given(TAILQ_FIRST(&rules), &g);
		assert_null(TAILQ_NEXT(TAILQ_FIRST(&rules), entry));
		p = TAILQ_FIRST(&rules)->text;
		assert_int_equal(conf_parse("f", p, strlen(p), &again, err,
		    sizeof(err)), 0);
		compare_given(TAILQ_FIRST(&again), &g);
		assert_string_equal(TAILQ_FIRST(&again)->text, p);
		assert_int_equal(spec_compare(&TAILQ_FIRST(&again)->spec,
		    &TAILQ_FIRST(&rules)->spec), 0);
		conf_clear(&again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(least),
		cmocka_unit_test(everything),
		cmocka_unit_test(order_of_rules),
		cmocka_unit_test(normal_options),
		cmocka_unit_test(normal_quotes),
		cmocka_unit_test(refused_lines),
		cmocka_unit_test(refused_twice),
		cmocka_unit_test(refused_patterns),
		cmocka_unit_test(matches),
		cmocka_unit_test(number_of_rules),
		cmocka_unit_test(messages),
		cmocka_unit_test(back_again),
	};

	return (cmocka_run_group_tests(tests, NULL, teardown));
}
