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
#define ARGS_MAX	16

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
	assert_null(o.jail);
	options_clear(&o);
}

static void
daemon_all(void **state)
{
	(void)state;
	ACCEPT("-dDv", "-p", "/p", "-f/s", "-S", "/d");
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
	    "-1");
	assert_int_equal(o.mode, OPTIONS_DAEMON);
	assert_null(o.jail);
	assert_null(o.spec.title);
	assert_int_equal(o.spec.uid, 0);
	assert_int_equal(o.spec.respawn, RESPAWN_NEVER);
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
	    "ZFS_SNAPSHOT", "-u", "4294967294", "-g0080", "-f", "sock");
	assert_int_equal(o.mode, OPTIONS_ARM);
	assert_string_equal(o.spec.command, "zfs snapshot a@`date +%s`");
	assert_string_equal(o.jail, "42");
	assert_string_equal(o.spec.title, "ZFS_SNAPSHOT");
	assert_int_equal(o.spec.uid, 4294967294);
	assert_int_equal(o.spec.gid, 80);
	assert_string_equal(o.socket, "sock");
	assert_int_equal(o.spec.respawn, RESPAWN_AFTER);
	assert_true(o.verbose);
	options_clear(&o);
}

static void
arm_ignores(void **state)
{
	(void)state;
	ACCEPT("-c", "c", "-j", "j", "-p", "", "-S", "", "-d");
	assert_int_equal(o.mode, OPTIONS_ARM);
	assert_false(o.foreground);
	assert_null(o.statedir);
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

static void
usage(void **state)
{
	static const char letters[] = "DdfpScjrRvgtuhV";
	const char *l;

	(void)state;
	for (l = letters; *l != '\0'; l++)
		assert_non_null(strchr(options_usage, *l));
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
		cmocka_unit_test(texts_refused),
		cmocka_unit_test(paths_refused),
		cmocka_unit_test(one_after_another),
		cmocka_unit_test(usage),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
