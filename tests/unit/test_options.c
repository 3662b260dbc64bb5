/* options.c: every option, every refusal, one vector after another. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>

#include <cmocka.h>

#include "options.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define ARGS_MAX	32

static struct options o;
static char err[512];

/* Parses the words up to NULL, behind a program's name. */
static int
parse(const char *const *words)
{
	char *argv[ARGS_MAX + 2], program[] = "jaildaemon";
	int argc;

	argv[0] = program;
	for (argc = 1; words[argc - 1] != NULL; argc++) {
		assert_true(argc <= ARGS_MAX);
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	}
	argv[argc] = NULL;
	(void)strlcpy(err, "untouched", sizeof(err));
	memset(&o, 0xff, sizeof(o));
	return (options_parse(argc, argv, &o, err, sizeof(err)));
}

/* The same for a line of the file of actions. */
static int
parse_rule(const char *const *words)
{
	char *argv[ARGS_MAX + 2], nobody[] = "";
	int argc;

	argv[0] = nobody;
	for (argc = 1; words[argc - 1] != NULL; argc++) {
		assert_true(argc <= ARGS_MAX);
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	}
	argv[argc] = NULL;
	(void)strlcpy(err, "untouched", sizeof(err));
	memset(&o, 0xff, sizeof(o));
	return (options_parse_rule(argc, argv, &o, err, sizeof(err)));
}

#define PARSE(...)	parse((const char *const []){ __VA_ARGS__, NULL })

#define ACCEPT(...) do {						\
	assert_int_equal(PARSE(__VA_ARGS__), 0);			\
	assert_string_equal(err, "untouched");				\
} while (0)

#define REFUSE(status, text, ...) do {					\
	assert_int_equal(PARSE(__VA_ARGS__), status);			\
	assert_string_equal(err, text);					\
	assert_null(o.spec.command);					\
	assert_null(o.spec.title);					\
} while (0)

#define ACCEPT_RULE(...) do {						\
	assert_int_equal(parse_rule((const char *const []){		\
	    __VA_ARGS__, NULL }), 0);					\
	assert_string_equal(err, "untouched");				\
	assert_int_equal(o.mode, OPTIONS_RULE);				\
} while (0)

#define REFUSE_RULE(status, text, ...) do {				\
	assert_int_equal(parse_rule((const char *const []){		\
	    __VA_ARGS__, NULL }), status);				\
	assert_string_equal(err, text);					\
	assert_null(o.spec.command);					\
	assert_null(o.spec.title);					\
	assert_null(o.jails);						\
} while (0)

static void
daemon_defaults(void **state)
{
	(void)state;
	ACCEPT("-D");
	assert_int_equal(o.mode, OPTIONS_DAEMON);
	assert_false(o.foreground);
	assert_false(o.verbose);
	assert_string_equal(o.socket, "/var/run/jaildaemon.pipe");
	assert_string_equal(o.pidfile, "/var/run/jaildaemon.pid");
	assert_null(o.statedir);
	assert_null(o.conf);
	assert_null(o.jail);
	options_clear(&o);
}

static void
daemon_all(void **state)
{
	(void)state;
	ACCEPT("-dDv", "-p", "/p", "-f/s", "-S", "/d", "-C", "/c");
	assert_string_equal(o.conf, "/c");
	assert_int_equal(o.mode, OPTIONS_DAEMON);
	assert_true(o.foreground);
	assert_true(o.verbose);
	assert_string_equal(o.socket, "/s");
	assert_string_equal(o.pidfile, "/p");
	assert_string_equal(o.statedir, "/d");
	options_clear(&o);
}

/* Whatever the utility's options say, in daemon mode they are ignored. */
static void
daemon_ignores(void **state)
{
	(void)state;
	ACCEPT("-D", "-j", "", "-r", "-R", "-t", "a\nb", "-u", "abc", "-g",
	    "-1", "-sJ", "-T", "", "-L0", "-i", "x");
	assert_int_equal(o.mode, OPTIONS_DAEMON);
	assert_null(o.jail);
	assert_null(o.spec.title);
	assert_int_equal(o.spec.uid, 0);
	assert_int_equal(o.spec.respawn, RESPAWN_NEVER);
	assert_int_equal(o.spec.timeout, 0);
	assert_int_equal(o.spec.parallel, 0);
	assert_int_equal(o.spec.interval, 0);
	assert_false(o.spec.feedback);
	assert_false(o.json);
	options_clear(&o);
}

static void
arm_defaults(void **state)
{
	(void)state;
	ACCEPT("-c", "ezjail-admin restart example.com", "-j", "23");
	assert_int_equal(o.mode, OPTIONS_ARM);
	assert_string_equal(o.spec.command,
	    "ezjail-admin restart example.com");
	assert_string_equal(o.jail, "23");
	assert_null(o.spec.title);
	assert_null(o.spec.jail);
	assert_int_equal(o.spec.uid, 0);
	assert_int_equal(o.spec.gid, 0);
	assert_int_equal(o.spec.pid, 0);
	assert_int_equal(o.spec.respawn, RESPAWN_NEVER);
	assert_int_equal(o.spec.timeout, 0);
	assert_int_equal(o.spec.parallel, 0);
	assert_int_equal(o.spec.interval, 0);
	assert_false(o.spec.feedback);
	assert_string_equal(o.socket, "/var/run/jaildaemon.pipe");
	assert_false(o.verbose);
	options_clear(&o);
	assert_null(o.spec.command);
}

static void
arm_all(void **state)
{
	(void)state;
	ACCEPT("-rvj42", "-c", "zfs snapshot a@`date +%s`", "-t",
	    "ZFS_SNAPSHOT", "-u", "4294967294", "-g0080", "-f", "sock",
	    "-sT600", "-L", "7", "-i60");
	assert_int_equal(o.mode, OPTIONS_ARM);
	assert_string_equal(o.spec.command, "zfs snapshot a@`date +%s`");
	assert_string_equal(o.jail, "42");
	assert_string_equal(o.spec.title, "ZFS_SNAPSHOT");
	assert_int_equal(o.spec.uid, 4294967294);
	assert_int_equal(o.spec.gid, 80);
	assert_string_equal(o.socket, "sock");
	assert_int_equal(o.spec.respawn, RESPAWN_AFTER);
	assert_int_equal(o.spec.timeout, 600);
	assert_int_equal(o.spec.parallel, 7);
	assert_int_equal(o.spec.interval, 60);
	assert_true(o.spec.feedback);
	assert_true(o.verbose);
	options_clear(&o);
}

static void
arm_ignores(void **state)
{
	(void)state;
	ACCEPT("-c", "c", "-j", "j", "-p", "", "-S", "", "-d", "-JC", "");
	assert_int_equal(o.mode, OPTIONS_ARM);
	assert_false(o.foreground);
	assert_null(o.statedir);
	assert_null(o.conf);
	assert_false(o.json);
	options_clear(&o);
}

static void
respawn(void **state)
{
	static const struct {
		const char	*word;
		enum respawn	 respawn;
	} cases[] = {
		{ "-r", RESPAWN_AFTER }, { "-R", RESPAWN_NOW },
		{ "-rR", RESPAWN_NOW }, { "-Rr", RESPAWN_NOW },
		{ "-rr", RESPAWN_AFTER }, { "-v", RESPAWN_NEVER },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		ACCEPT("-c", "c", "-j", "j", cases[i].word);
		assert_int_equal(o.spec.respawn, cases[i].respawn);
		options_clear(&o);
	}
}

static void
last_wins(void **state)
{
	(void)state;
	ACCEPT("-c", "one", "-c", "", "-j", "1", "-u", "x", "-t", "one",
	    "-c", "two", "-j2", "-u", "7", "-ttwo");
	assert_string_equal(o.spec.command, "two");
	assert_string_equal(o.jail, "2");
	assert_string_equal(o.spec.title, "two");
	assert_int_equal(o.spec.uid, 7);
	options_clear(&o);
	REFUSE(EX_DATAERR, "the command is empty",
	    "-c", "one", "-j", "1", "-c", "");
}

static void
help_and_version(void **state)
{
	(void)state;
	ACCEPT("-h");
	assert_int_equal(o.mode, OPTIONS_HELP);
	ACCEPT("-V");
	assert_int_equal(o.mode, OPTIONS_VERSION);
	ACCEPT("-Vh");
	assert_int_equal(o.mode, OPTIONS_HELP);
	ACCEPT("-D", "-c", "c", "-h");
	assert_int_equal(o.mode, OPTIONS_HELP);
	assert_null(o.spec.command);
	REFUSE(EX_USAGE, "unknown option \"-x\"", "-hx");
}

static void
mode_refused(void **state)
{
	char *none[] = { NULL };

	(void)state;
	REFUSE(EX_USAGE, "one of -D and -c is needed (-h shows all options)",
	    NULL);
	REFUSE(EX_USAGE, "one of -D and -c is needed (-h shows all options)",
	    "-j", "1");
	REFUSE(EX_USAGE, "-D and -c exclude each other",
	    "-D", "-c", "c", "-j", "1");
	REFUSE(EX_USAGE, "-c needs -j jail", "-c", "c");
	assert_int_equal(options_parse(0, none, &o, err, sizeof(err)),
	    EX_USAGE);
}

static void
words_refused(void **state)
{
	(void)state;
	REFUSE(EX_USAGE, "unknown option \"-x\"", "-x");
	REFUSE(EX_USAGE, "unknown option \"-x\"", "-D", "-dx");
	REFUSE(EX_USAGE, "unknown option \"-?\"", "-?");
	REFUSE(EX_USAGE, "unknown option \"-:\"", "-:");
	REFUSE(EX_USAGE, "unknown option \"-+\"", "-+");
	REFUSE(EX_USAGE, "unknown option \"-W\"", "-W", "daemon");
	REFUSE(EX_USAGE, "unknown option \"-\\x1b\"", "-\x1b[2J");
	REFUSE(EX_USAGE, "unknown option \"-\\xc3\"", "-ü");
	REFUSE(EX_USAGE, "unknown option \"--daemon\"", "--daemon");
	REFUSE(EX_USAGE, "unknown option \"--a\\n\\\"\"", "-D", "--a\n\"");
	REFUSE(EX_USAGE, "-c needs an argument: the command", "-c");
	REFUSE(EX_USAGE, "-p needs an argument: the pidfile", "-D", "-p");
	REFUSE(EX_USAGE, "-u needs an argument: the uid",
	    "-c", "c", "-j", "1", "-ru");
	REFUSE(EX_USAGE, "\"web\" is no option, and there are no operands",
	    "-D", "web");
	REFUSE(EX_USAGE, "unknown verb \"web\": expected list, disarm, watch, "
	    "run, output, reload, check, metrics, started or follow",
	    "web", "-D");
	REFUSE(EX_USAGE, "\"-c\" is no option, and there are no operands",
	    "-D", "--", "-c");
	REFUSE(EX_USAGE, "\"-\" is no option, and there are no operands",
	    "-D", "-");
	REFUSE(EX_USAGE, "\"\" is no option, and there are no operands",
	    "-D", "");
	REFUSE(EX_USAGE, "\"\\x07\" is no option, and there are no operands",
	    "-D", "\a");
	ACCEPT("-D", "--");
	options_clear(&o);
}

static void
ids_refused(void **state)
{
	static const char *const bad[] = {
		"", "abc", "-5", "-0", "+5", " 5", "5 ", "1x", "0x10", "1e3",
		"1.0", "4294967295", "4294967296", "18446744073709551616",
		"99999999999999999999999999",
	};
	char want[128];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++) {
		(void)snprintf(want, sizeof(want), "-u: \"%s\" is not a "
		    "number from 0 to 4294967294", bad[i]);
		REFUSE(EX_DATAERR, want, "-c", "c", "-j", "1", "-u", bad[i]);
		want[1] = 'g';
		REFUSE(EX_DATAERR, want, "-c", "c", "-j", "1", "-g", bad[i]);
	}
	REFUSE(EX_DATAERR, "-u: \"1\\n2\" is not a number from 0 to "
	    "4294967294", "-c", "c", "-j", "1", "-t", "t", "-u", "1\n2");
}

/* Of -T, -i and -L: least, most, and what is neither. */
static void
limits(void **state)
{
	static const struct {
		const char	*letter;
		const char	*max;
		const char	*over;
	} cases[] = {
		{ "-T", "31536000", "31536001" },
		{ "-i", "31536000", "31536001" },
		{ "-L", "1024", "1025" },
	};
	static const char *const bad[] = {
		"", "0", "-1", "+1", " 1", "1 ", "1s", "1.5", "abc", NULL,
		"4294967297", "18446744073709551617",
	};
	const char *value;
	char want[128];

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++) {
		ACCEPT("-c", "c", "-j", "1", cases[i].letter, "1");
		assert_int_equal(o.spec.timeout + o.spec.interval +
		    o.spec.parallel, 1);
		options_clear(&o);
		ACCEPT("-c", "c", "-j", "1", cases[i].letter, cases[i].max);
		options_clear(&o);
		for (size_t j = 0; j < NITEMS(bad); j++) {
			value = bad[j] != NULL ? bad[j] : cases[i].over;
			(void)snprintf(want, sizeof(want), "%s: \"%s\" is "
			    "not a number from 1 to %s", cases[i].letter,
			    value, cases[i].max);
			REFUSE(EX_DATAERR, want, "-c", "c", "-j", "1",
			    cases[i].letter, value);
			REFUSE_RULE(EX_DATAERR, want, "-c", "c", "-j", "1",
			    cases[i].letter, value);
		}
	}
	ACCEPT("-c", "c", "-j", "1", "-T", "2", "-i", "3", "-L", "4");
	assert_int_equal(o.spec.timeout, 2);
	assert_int_equal(o.spec.interval, 3);
	assert_int_equal(o.spec.parallel, 4);
	options_clear(&o);
}

static void
texts_refused(void **state)
{
	static char longer[SPEC_COMMAND_MAX + 2];

	(void)state;
	REFUSE(EX_DATAERR, "the command is empty", "-c", "", "-j", "1");
	REFUSE(EX_DATAERR, "the command is not valid UTF-8",
	    "-c", "\xff", "-j", "1");
	REFUSE(EX_DATAERR, "-j: the jail is empty", "-c", "c", "-j", "");
	REFUSE(EX_DATAERR, "-j: the jail is not valid UTF-8 without control "
	    "characters", "-c", "c", "-j", "a\nb");
	REFUSE(EX_DATAERR, "-j: the jail is not valid UTF-8 without control "
	    "characters", "-c", "c", "-j", "\xc3");
	REFUSE(EX_DATAERR, "the title is empty",
	    "-c", "c", "-j", "1", "-t", "");
	REFUSE(EX_DATAERR, "the title has a control character",
	    "-c", "c", "-j", "1", "-t", "a\tb");
	memset(longer, 'x', SPEC_COMMAND_MAX + 1);
	REFUSE(EX_DATAERR, "the command has 65537 bytes, the limit is 65536",
	    "-c", longer, "-j", "1");
	ACCEPT("-c", longer + 1, "-j", "1");
	assert_int_equal(strlen(o.spec.command), SPEC_COMMAND_MAX);
	options_clear(&o);
	longer[SPEC_TITLE_MAX + 1] = '\0';
	REFUSE(EX_DATAERR, "the title has 1025 bytes, the limit is 1024",
	    "-c", "c", "-j", "1", "-t", longer);
}

static void
paths_refused(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	char want[128];

	(void)state;
	REFUSE(EX_DATAERR, "-f: the socket is empty", "-D", "-f", "");
	REFUSE(EX_DATAERR, "-p: the pidfile is empty", "-D", "-p", "");
	REFUSE(EX_DATAERR, "-S: the directory is empty", "-D", "-S", "");
	REFUSE(EX_DATAERR, "-C: the file is empty", "-D", "-C", "");
	REFUSE(EX_DATAERR, "-C: the file is empty", "check", "-C", "");
	memset(path, 's', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	(void)snprintf(want, sizeof(want), "-f: the socket's path has %zu "
	    "bytes, the limit is %zu", sizeof(path) - 1, sizeof(path) - 2);
	REFUSE(EX_DATAERR, want, "-D", "-f", path);
	REFUSE(EX_DATAERR, want, "-c", "c", "-j", "1", "-f", path);
	ACCEPT("-D", "-f", path + 1);
	options_clear(&o);
}

/* Vectors follow each other whatever state the one before was left in. */
static void
one_after_another(void **state)
{
	(void)state;
	ACCEPT("-D", "-d");
	options_clear(&o);
	REFUSE(EX_USAGE, "unknown option \"-x\"", "-Dxdv");
	ACCEPT("-c", "c", "-j", "1");
	assert_int_equal(o.mode, OPTIONS_ARM);
	options_clear(&o);
	REFUSE(EX_USAGE, "\"a\" is no option, and there are no operands",
	    "-D", "a", "b", "c", "d", "e");
	REFUSE(EX_USAGE, "-j needs an argument: the jail", "-D", "-rj");
	ACCEPT("-c", "c", "-j", "1", "-R");
	assert_int_equal(o.spec.respawn, RESPAWN_NOW);
	options_clear(&o);
	ACCEPT("-D");
	assert_false(o.foreground);
	options_clear(&o);
}

/* Each with the least that it needs. */
static const struct {
	const char		*name;
	enum options_mode	 mode;
	const char		*operand;	/* or NULL */
} verbs[] = {
	{ "list", OPTIONS_LIST, NULL }, { "disarm", OPTIONS_DISARM, "1" },
	{ "watch", OPTIONS_WATCH, NULL }, { "run", OPTIONS_RUN, "1" },
	{ "output", OPTIONS_OUTPUT, "1" }, { "reload", OPTIONS_RELOAD, NULL },
	{ "check", OPTIONS_CHECK, NULL }, { "metrics", OPTIONS_METRICS, NULL },
	{ "started", OPTIONS_STARTED, "web" },
	{ "follow", OPTIONS_FOLLOW, "docker" },
};

static void
verbs_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < NITEMS(verbs); i++) {
		ACCEPT(verbs[i].name, "-v", "-f", "/s", "--",
		    verbs[i].operand);
		assert_int_equal(o.mode, verbs[i].mode);
		assert_string_equal(o.socket, "/s");
		assert_true(o.verbose);
		assert_int_equal(o.noperands, verbs[i].operand != NULL);
		if (verbs[i].operand != NULL)
			assert_string_equal(o.operands[0], verbs[i].operand);
		options_clear(&o);
		/* Without an option. */
		ACCEPT(verbs[i].name, verbs[i].operand);
		assert_int_equal(o.mode, verbs[i].mode);
		assert_string_equal(o.socket, "/var/run/jaildaemon.pipe");
		assert_false(o.verbose);
		assert_false(o.json);
		assert_null(o.jail);
		assert_null(o.conf);
		assert_null(o.spec.title);
		assert_null(o.spec.command);
		options_clear(&o);
		/* Whatever else is wrong, -h shows how it goes. */
		ACCEPT(verbs[i].name, "-h", "a", "b", "c");
		assert_int_equal(o.mode, OPTIONS_HELP);
		options_clear(&o);
	}
}

static void
verbs_own(void **state)
{
	(void)state;
	ACCEPT("list", "-J", "-j", "web", "-t", "RESTART");
	assert_true(o.json);
	assert_string_equal(o.jail, "web");
	assert_string_equal(o.spec.title, "RESTART");
	options_clear(&o);
	ACCEPT("watch", "-J");
	assert_true(o.json);
	options_clear(&o);
	ACCEPT("disarm", "-jweb");
	assert_string_equal(o.jail, "web");
	assert_null(o.spec.title);
	options_clear(&o);
	ACCEPT("disarm", "-t", "RESTART", "-j", "web");
	assert_string_equal(o.jail, "web");
	assert_string_equal(o.spec.title, "RESTART");
	options_clear(&o);
	ACCEPT("disarm", "3", "1", "2");
	assert_int_equal(o.noperands, 3);
	assert_string_equal(o.operands[0], "3");
	assert_string_equal(o.operands[1], "1");
	assert_string_equal(o.operands[2], "2");
	assert_null(o.jail);
	options_clear(&o);
	ACCEPT("check", "-C", "file");
	assert_string_equal(o.conf, "file");
	options_clear(&o);
	ACCEPT("started", "docker:web", "123");
	assert_int_equal(o.noperands, 2);
	assert_string_equal(o.operands[0], "docker:web");
	assert_string_equal(o.operands[1], "123");
	options_clear(&o);
}

static void
verbs_operands(void **state)
{
	static const char *const none[] = {
		"list", "watch", "reload", "check", "metrics",
	};
	static const struct {
		const char	*name;
		const char	*expected;
	} one[] = {
		{ "run", "the id of an action" },
		{ "output", "the id of an action" },
		{ "follow", "docker, podman or incus" },
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < NITEMS(none); i++) {
		(void)snprintf(want, sizeof(want), "%s: 1 operands, expected "
		    "no operand", none[i]);
		REFUSE(EX_USAGE, want, none[i], "web");
	}
	for (size_t i = 0; i < NITEMS(one); i++) {
		(void)snprintf(want, sizeof(want), "%s: 0 operands, expected "
		    "%s", one[i].name, one[i].expected);
		REFUSE(EX_USAGE, want, one[i].name);
		want[strlen(one[i].name) + 2] = '2';
		REFUSE(EX_USAGE, want, one[i].name, "1", "2");
		/* Behind an operand there is no option. */
		want[strlen(one[i].name) + 2] = '3';
		REFUSE(EX_USAGE, want, one[i].name, "1", "-f", "/s");
	}
	REFUSE(EX_USAGE, "started: 0 operands, expected a jail, and on "
	    "Linux a pid of it", "started", "-f", "/s");
	REFUSE(EX_USAGE, "started: 3 operands, expected a jail, and on "
	    "Linux a pid of it", "started", "a", "1", "2");
	REFUSE(EX_USAGE, "disarm: expected either ids of actions or -j jail",
	    "disarm");
	REFUSE(EX_USAGE, "disarm: expected either ids of actions or -j jail",
	    "disarm", "-t", "RESTART");
	REFUSE(EX_USAGE, "disarm: expected either ids of actions or -j jail",
	    "disarm", "-j", "web", "1");
	REFUSE(EX_USAGE, "disarm: -t needs -j jail",
	    "disarm", "-t", "RESTART", "1");
}

/* A verb ignores nothing. */
static void
verbs_refused(void **state)
{
	/* Letters that nobody but -D and -c takes, and their values. */
	static const char *const others[][2] = {
		{ "-D", NULL }, { "-c", "c" }, { "-d", NULL }, { "-V", NULL },
		{ "-p", "/p" }, { "-S", "/S" }, { "-u", "1" }, { "-g", "1" },
		{ "-r", NULL }, { "-R", NULL }, { "-T", "1" }, { "-i", "1" },
		{ "-L", "1" }, { "-s", NULL },
	};
	char want[64];

	(void)state;
	for (size_t i = 0; i < NITEMS(verbs); i++)
		for (size_t j = 0; j < NITEMS(others); j++) {
			assert_int_equal(PARSE(verbs[i].name, others[j][0],
			    others[j][1]), EX_USAGE);
			(void)snprintf(want, sizeof(want), "%s takes no %s, "
			    "expected -", verbs[i].name, others[j][0]);
			assert_memory_equal(err, want, strlen(want));
			assert_null(o.jails);
		}
	REFUSE(EX_USAGE, "list takes no -C, expected -f -v -J -j -t",
	    "list", "-C", "f");
	REFUSE(EX_USAGE, "disarm takes no -J, expected -f -v -j -t",
	    "disarm", "-J", "1");
	REFUSE(EX_USAGE, "watch takes no -j, expected -f -v -J",
	    "watch", "-j", "web");
	REFUSE(EX_USAGE, "run takes no -t, expected -f -v",
	    "run", "-t", "T", "1");
	REFUSE(EX_USAGE, "check takes no -J, expected -C -f -v",
	    "check", "-J");
	REFUSE(EX_USAGE, "unknown option \"-x\", expected -f -v -J -j -t",
	    "list", "-x");
	REFUSE(EX_USAGE, "unknown option \"--json\", expected -f -v -J -j -t",
	    "list", "--json");
	REFUSE(EX_USAGE, "-j needs an argument: the jail", "list", "-j");
	REFUSE(EX_DATAERR, "-j: the jail is empty", "list", "-j", "");
	REFUSE(EX_DATAERR, "the title is empty", "list", "-t", "");
	REFUSE(EX_DATAERR, "the title has a control character",
	    "disarm", "-j", "web", "-t", "a\nb");
	REFUSE(EX_DATAERR, "-f: the socket is empty", "list", "-f", "");
}

/* A verb is the first word, or none. */
static void
verbs_place(void **state)
{
	static const char *const words[] = {
		"", "List", "lis", "listx", "help", "arm", "ping", "a\nb",
	};
	char want[160], shown[16];

	(void)state;
	for (size_t i = 0; i < NITEMS(words); i++) {
		(void)strlcpy(shown, words[i][0] == 'a' && words[i][1] == '\n'
		    ? "a\\nb" : words[i], sizeof(shown));
		(void)snprintf(want, sizeof(want), "unknown verb \"%s\": "
		    "expected list, disarm, watch, run, output, reload, "
		    "check, metrics, started or follow", shown);
		REFUSE(EX_USAGE, want, words[i]);
		REFUSE(EX_USAGE, want, words[i], "-f", "/s");
	}
	REFUSE(EX_USAGE, "\"list\" is no option, and there are no operands",
	    "-f", "/s", "list");
	REFUSE(EX_USAGE, "\"list\" is no option, and there are no operands",
	    "--", "list");
	REFUSE(EX_USAGE, "list: 1 operands, expected no operand",
	    "list", "watch");
}

static void
rule_all(void **state)
{
	(void)state;
	ACCEPT_RULE("-c", "true", "-j", "web");
	assert_string_equal(o.spec.command, "true");
	assert_int_equal(o.njails, 1);
	assert_string_equal(o.jails[0], "web");
	assert_null(o.spec.title);
	assert_int_equal(o.spec.respawn, RESPAWN_NEVER);
	options_clear(&o);
	assert_null(o.jails);
	assert_int_equal(o.njails, 0);
	ACCEPT_RULE("-jb", "-c", "one", "-R", "-j", "a*", "-r", "-t", "T",
	    "-u7", "-g8", "-T9", "-i10", "-L11", "-s", "-j", "b");
	assert_int_equal(o.njails, 3);
	assert_string_equal(o.jails[0], "b");
	assert_string_equal(o.jails[1], "a*");
	assert_string_equal(o.jails[2], "b");
	assert_string_equal(o.spec.command, "one");
	assert_string_equal(o.spec.title, "T");
	assert_int_equal(o.spec.uid, 7);
	assert_int_equal(o.spec.gid, 8);
	assert_int_equal(o.spec.timeout, 9);
	assert_int_equal(o.spec.interval, 10);
	assert_int_equal(o.spec.parallel, 11);
	assert_int_equal(o.spec.respawn, RESPAWN_NOW);
	assert_true(o.spec.feedback);
	options_clear(&o);
	/* A verb is none here, and the end of the options is one. */
	ACCEPT_RULE("-c", "list", "-j", "check", "--");
	options_clear(&o);
}

static void
rule_refused(void **state)
{
	static const char *const others[][2] = {
		{ "-D", NULL }, { "-h", NULL }, { "-V", NULL }, { "-d", NULL },
		{ "-p", "/p" }, { "-S", "/S" }, { "-C", "/C" }, { "-f", "/f" },
		{ "-v", NULL }, { "-J", NULL },
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < NITEMS(others); i++) {
		(void)snprintf(want, sizeof(want), "an action takes no %s, "
		    "expected -c -j -t -u -g -r -R -T -i -L -s",
		    others[i][0]);
		REFUSE_RULE(EX_USAGE, want, "-c", "c", "-j", "j",
		    others[i][0], others[i][1]);
	}
	REFUSE_RULE(EX_USAGE, "unknown option \"-x\", expected -c -j -t -u "
	    "-g -r -R -T -i -L -s", "-j", "a", "-x");
	REFUSE_RULE(EX_USAGE, "no -c, expected -c command", "-j", "a");
	REFUSE_RULE(EX_USAGE, "no -c, expected -c command", NULL);
	REFUSE_RULE(EX_USAGE, "no -j, expected -j jail", "-c", "a");
	REFUSE_RULE(EX_USAGE, "\"b\" is no option, and there are no "
	    "operands: is a text not quoted?", "-j", "j", "-c", "a", "b");
	REFUSE_RULE(EX_USAGE, "\"list\" is no option, and there are no "
	    "operands: is a text not quoted?", "list");
	REFUSE_RULE(EX_USAGE, "-c needs an argument: the command",
	    "-j", "a", "-c");
	/* Each of the jails is looked at, not the last alone. */
	REFUSE_RULE(EX_DATAERR, "-j: the jail is empty",
	    "-c", "c", "-j", "a", "-j", "", "-j", "b");
	REFUSE_RULE(EX_DATAERR, "-j: the jail is not valid UTF-8 without "
	    "control characters", "-c", "c", "-j", "a\nb", "-j", "b");
	REFUSE_RULE(EX_DATAERR, "the command is empty", "-c", "", "-j", "a");
	REFUSE_RULE(EX_DATAERR, "the title is empty",
	    "-c", "c", "-j", "a", "-t", "");
	REFUSE_RULE(EX_DATAERR, "-u: \"root\" is not a number from 0 to "
	    "4294967294", "-c", "c", "-j", "a", "-u", "root");
}

static void
usage(void **state)
{
	static const char letters[] = "DdfpScjrRvgtuhVsTiLCJ";
	char option[3] = "-x";

	(void)state;
	for (const char *l = letters; *l != '\0'; l++) {
		option[1] = *l;
		/* -[...] or by itself */
		if (strstr(options_usage, option) == NULL)
			assert_non_null(strchr("rRsv", *l));
	}
	assert_non_null(strstr(options_usage, "[-rRsv]"));
	for (size_t i = 0; i < NITEMS(verbs); i++)
		assert_non_null(strstr(options_usage, verbs[i].name));
	assert_int_equal(options_usage[strlen(options_usage) - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daemon_defaults),
		cmocka_unit_test(daemon_all),
		cmocka_unit_test(daemon_ignores),
		cmocka_unit_test(arm_defaults),
		cmocka_unit_test(arm_all),
		cmocka_unit_test(arm_ignores),
		cmocka_unit_test(respawn),
		cmocka_unit_test(last_wins),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(mode_refused),
		cmocka_unit_test(words_refused),
		cmocka_unit_test(ids_refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(texts_refused),
		cmocka_unit_test(paths_refused),
		cmocka_unit_test(one_after_another),
		cmocka_unit_test(verbs_all),
		cmocka_unit_test(verbs_own),
		cmocka_unit_test(verbs_operands),
		cmocka_unit_test(verbs_refused),
		cmocka_unit_test(verbs_place),
		cmocka_unit_test(rule_all),
		cmocka_unit_test(rule_refused),
		cmocka_unit_test(usage),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
