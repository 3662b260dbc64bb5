/*
 * engine.c: readers of the engines' output, and the asking itself, of
 * engines that are shell scripts.
 *
 * The places where engines are looked for are fixed, so the scripts are put
 * there: in a mount namespace of the test's own, where those folders hold
 * nothing else.
 */
#include <sys/types.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine.h"
#include "place.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define ID "14bda1ad00371497ea7ebb2583b07fa6875cb6ef0d23988008bd217fd2973e89"

/*
 * Readers.
 */

struct reading {
	const char		*text;
	const char		*name;
	enum engine_answer	 answer;
	pid_t			 pid;
};

/* Each text is read from memory of exactly its length. */
static void
read_all(const struct reading *r, size_t n, enum engine_answer (*parse)(
    const char *, size_t, const char *, pid_t *))
{
	char *exact;
	size_t i, len;
	pid_t pid;

	for (i = 0; i < n; i++) {
		len = strlen(r[i].text);
		exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact + 1, r[i].text, len);
		pid = 0;
		assert_int_equal(parse(exact + 1, len, r[i].name, &pid),
		    r[i].answer);
		assert_int_equal(pid, r[i].pid);
		free(exact);
	}
}

static void
reads_inspect(void **state)
{
	static const struct reading readings[] = {
		{ "18893 " ID " /web\n", "web", ENGINE_RUNNING, 18893 },
		{ "18893 " ID " web\n", "web", ENGINE_RUNNING, 18893 },
		{ "18893 " ID " web", "web", ENGINE_RUNNING, 18893 },
		{ "2147483647 " ID " /a", "a", ENGINE_RUNNING, 2147483647 },
		{ "0 " ID " /web\n", "web", ENGINE_STOPPED, 0 },
		/* An id, whole or its beginning; but not of a few letters. */
		{ "5 " ID " /web\n", ID, ENGINE_RUNNING, 5 },
		{ "5 " ID " /web\n", "14bda1ad0037", ENGINE_RUNNING, 5 },
		{ "5 " ID " /web\n", "14bda1ad003", ENGINE_OTHER, 0 },
		{ "5 " ID " /web\n", "14", ENGINE_OTHER, 0 },
		{ "5 " ID " /web\n", "bda1ad003714", ENGINE_OTHER, 0 },
		{ "5 " ID " /web\n", ID "0", ENGINE_OTHER, 0 },
		{ "5 " ID " /web\n", "we", ENGINE_OTHER, 0 },
		{ "5 " ID " /web\n", "webs", ENGINE_OTHER, 0 },
		{ "5 " ID " //web\n", "web", ENGINE_OTHER, 0 },
		{ "", "web", ENGINE_GARBLED, 0 },
		{ "\n", "web", ENGINE_GARBLED, 0 },
		{ "18893", "web", ENGINE_GARBLED, 0 },
		{ "18893\n", "web", ENGINE_GARBLED, 0 },
		{ "18893 " ID, "web", ENGINE_GARBLED, 0 },
		{ "18893 " ID " \n", "web", ENGINE_GARBLED, 0 },
		{ " 18893 " ID " /web", "web", ENGINE_GARBLED, 0 },
		{ "-1 " ID " /web", "web", ENGINE_GARBLED, 0 },
		{ "1x " ID " /web", "web", ENGINE_GARBLED, 0 },
		{ "2147483648 " ID " /web", "web", ENGINE_GARBLED, 0 },
		{ "99999999999999999999 " ID " /web", "web",
		    ENGINE_GARBLED, 0 },
		{ "5 " ID " /web more", "web", ENGINE_GARBLED, 0 },
		{ "5 " ID " /web\n5 " ID " /web\n", "web",
		    ENGINE_GARBLED, 0 },
		{ "<no value> " ID " /web\n", "web", ENGINE_GARBLED, 0 },
	};

	(void)state;
	read_all(readings, NITEMS(readings), engine_parse_inspect);
}

static void
reads_pid(void **state)
{
	static const struct reading readings[] = {
		{ "19746\n", "web", ENGINE_RUNNING, 19746 },
		{ "19746", "web", ENGINE_RUNNING, 19746 },
		{ "  19746 \n", "web", ENGINE_RUNNING, 19746 },
		{ "", "web", ENGINE_STOPPED, 0 },
		{ "\n", "web", ENGINE_STOPPED, 0 },
		{ "0\n", "web", ENGINE_STOPPED, 0 },
		{ "-1\n", "web", ENGINE_GARBLED, 0 },
		{ "19746x\n", "web", ENGINE_GARBLED, 0 },
		{ "PID: 19746\n", "web", ENGINE_GARBLED, 0 },
		{ "1\n2\n", "web", ENGINE_GARBLED, 0 },
		{ "2147483648\n", "web", ENGINE_GARBLED, 0 },
	};

	(void)state;
	read_all(readings, NITEMS(readings), engine_parse_pid);
}

static void
reads_state(void **state)
{
	static const struct reading readings[] = {
		{ "{\n  \"ociVersion\": \"1.0.2-dev\",\n  \"id\": \"web\",\n"
		    "  \"pid\": 19561,\n  \"status\": \"running\",\n"
		    "  \"bundle\": \"/b\",\n  \"rootfs\": \"/b/rootfs\",\n"
		    "  \"created\": \"2024-11-24T10:01:43.947870877Z\",\n"
		    "  \"owner\": \"\"\n}", "web", ENGINE_RUNNING, 19561 },
		{ "{\"id\":\"web\",\"pid\":7,\"status\":\"created\"}", "web",
		    ENGINE_RUNNING, 7 },
		{ "{\"id\":\"web\",\"pid\":0,\"status\":\"stopped\"}", "web",
		    ENGINE_STOPPED, 0 },
		{ "{\"id\":\"web\",\"pid\":7,\"status\":\"stopped\"}", "web",
		    ENGINE_STOPPED, 0 },
		{ "{\"id\":\"web\",\"pid\":7,\"status\":\"running\"}", "we",
		    ENGINE_OTHER, 0 },
		/* Incus: the state has no name. */
		{ "{\"cpu\":{\"usage\":1},\"disk\":{},\"network\":null,"
		    "\"pid\":7281,\"processes\":9,\"status\":\"Running\","
		    "\"status_code\":103}", "web", ENGINE_RUNNING, 7281 },
		{ "{\"pid\":0,\"status\":\"Stopped\",\"status_code\":102}",
		    "web", ENGINE_STOPPED, 0 },
		{ "{\"pid\":-1,\"status\":\"Error\"}", "web",
		    ENGINE_STOPPED, 0 },
		{ "", "web", ENGINE_GARBLED, 0 },
		{ "null", "web", ENGINE_GARBLED, 0 },
		{ "[]", "web", ENGINE_GARBLED, 0 },
		{ "{}", "web", ENGINE_GARBLED, 0 },
		{ "{\"pid\":7}", "web", ENGINE_GARBLED, 0 },
		{ "{\"status\":\"running\"}", "web", ENGINE_GARBLED, 0 },
		{ "{\"pid\":\"7\",\"status\":\"running\"}", "web",
		    ENGINE_GARBLED, 0 },
		{ "{\"pid\":7.5,\"status\":\"running\"}", "web",
		    ENGINE_GARBLED, 0 },
		{ "{\"pid\":7,\"pid\":8,\"status\":\"running\"}", "web",
		    ENGINE_GARBLED, 0 },
		{ "{\"pid\":2147483648,\"status\":\"running\"}", "web",
		    ENGINE_GARBLED, 0 },
		{ "{\"pid\":7,\"status\":\"running\"} x", "web",
		    ENGINE_GARBLED, 0 },
		{ "{\"pid\":7,\"status\":\"running\"", "web",
		    ENGINE_GARBLED, 0 },
	};

	(void)state;
	read_all(readings, NITEMS(readings), engine_parse_state);
}

/* As deep as 64 kB can be. */
static void
reads_deep_state(void **state)
{
	char *deep;
	pid_t pid;

	(void)state;
	deep = malloc(64 * 1024);
	assert_non_null(deep);
	memset(deep, '[', 64 * 1024);
	assert_int_equal(engine_parse_state(deep, 64 * 1024, "web", &pid),
	    ENGINE_GARBLED);
	free(deep);
}

/*
 * Names: none of these needs an engine.
 */

static void
names_refused(void **state)
{
	static const char *const bad[] = {
		"docker:", "docker:-v", "--help", "a b", "a/b", "../etc",
		"docker:a\tb", "docker:a\nb", ".", "lxc:..", "a\x7f", "\xff",
		"docker:\xc2\x85", "",
	};
	static const struct {
		const char	*jail;
		const char	*err;
	} said[] = {
		{ "runc:-v\x1b", "\"-v\\x1b\" is no container's name: 1 to "
		    "255 bytes, no '-' at its start, no '/', white space or "
		    "control character" },
		{ "rkt:web", "\"rkt\" is no container engine: known are "
		    "docker, podman, lxc, incus, machine, runc, crun" },
		{ ":web", "\"\" is no container engine: known are "
		    "docker, podman, lxc, incus, machine, runc, crun" },
		{ "Docker:web", "\"Docker\" is no container engine: known are "
		    "docker, podman, lxc, incus, machine, runc, crun" },
		{ "a\n:web", "\"a\\n\" is no container engine: known are "
		    "docker, podman, lxc, incus, machine, runc, crun" },
	};
	char err[256], longest[257], name[256];
	size_t i;
	const char *engine;
	pid_t pid;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++)
		assert_int_equal(engine_resolve(bad[i], &pid, &engine, name,
		    sizeof(name), err, sizeof(err)), EX_DATAERR);
	for (i = 0; i < NITEMS(said); i++) {
		assert_int_equal(engine_resolve(said[i].jail, &pid, &engine, name,
		    sizeof(name), err, sizeof(err)), EX_DATAERR);
		assert_string_equal(err, said[i].err);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(engine_resolve(longest, &pid, &engine, name, sizeof(name),
	    err, sizeof(err)), EX_DATAERR);
}

/*
 * Asking.
 */

static bool have_place;

static void
write_file(const char *path, const char *text)
{
	FILE *f;

	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* An engine's program in a folder where it is looked for. */
static void
install(const char *path, const char *script)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!/usr/sbin/sh\n%s\n", script);
	write_file(path, text);
	assert_int_equal(chmod(path, 0755), 0);
}

static int
uninstall_all(void **state)
{
	static const char *const programs[] = {
		"docker", "podman", "lxc-info", "incus", "machinectl", "runc",
		"crun",
	};
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(programs); i++) {
		(void)snprintf(path, sizeof(path), "/usr/sbin/%s",
		    programs[i]);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "/usr/local/bin/%s",
		    programs[i]);
		(void)unlink(path);
	}
	return (0);
}

static pid_t found;
static const char *engine;
static char name[256], err[2048];

static int
resolve(const char *jail)
{
	if (!have_place)
		skip();
	found = 0;
	(void)strlcpy(name, "untouched", sizeof(name));
	(void)strlcpy(err, "untouched", sizeof(err));
	return (engine_resolve(jail, &found, &engine, name, sizeof(name), err,
	    sizeof(err)));
}

static void
assert_found(const char *jail, const char *plain, pid_t pid)
{
	int status;

	status = resolve(jail);
	assert_string_equal(err, "untouched");
	assert_int_equal(status, 0);
	assert_int_equal(found, pid);
	assert_string_equal(name, plain);
}

static void
assert_refused(const char *jail, int status, const char *words)
{
	int got;

	got = resolve(jail);
	assert_string_equal(err, words);
	assert_int_equal(got, status);
	assert_int_equal(found, 0);
}

#define INSTALL(path, script) do {					\
	if (!have_place)						\
		skip();							\
	install(path, script);						\
} while (0)

/* The words that each engine is given, and its answer. */
static void
asks_each(void **state)
{
	static const struct {
		const char	*engine;
		const char	*path;
		const char	*words;
		const char	*answer;
	} cases[] = {
		{ "docker", "/usr/sbin/docker", "inspect|--type|container|-f|"
		    "{{.State.Pid}} {{.ID}} {{.Name}}|--|web|",
		    "4711 abc /web" },
		{ "podman", "/usr/sbin/podman", "inspect|--type|container|-f|"
		    "{{.State.Pid}} {{.ID}} {{.Name}}|--|web|",
		    "4711 abc web" },
		{ "lxc", "/usr/sbin/lxc-info", "-n|web|-p|-H|", "4711" },
		{ "incus", "/usr/sbin/incus",
		    "--force-local|query|local:/1.0/instances/web/state|",
		    "{\"pid\":4711,\"status\":\"Running\"}" },
		{ "machine", "/usr/sbin/machinectl",
		    "show|-p|Leader|--value|--|web|", "4711" },
		{ "runc", "/usr/sbin/runc", "state|web|",
		    "{\"id\":\"web\",\"pid\":4711,\"status\":\"running\"}" },
		{ "crun", "/usr/sbin/crun", "state|web|",
		    "{\"id\":\"web\",\"pid\":4711,\"status\":\"running\"}" },
	};
	char jail[64], script[512];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(script, sizeof(script),
		    "got=$(printf '%%s|' \"$@\")\n"
		    "[ \"$got\" = '%s' ] || exit 1\necho '%s'",
		    cases[i].words, cases[i].answer);
		INSTALL(cases[i].path, script);
		(void)snprintf(jail, sizeof(jail), "%s:web",
		    cases[i].engine);
		assert_found(jail, "web", 4711);
		assert_found("web", "web", 4711);
		(void)unlink(cases[i].path);
	}
}

/* A name may have a colon behind the engine's, and spell what shells expand. */
static void
asks_odd_names(void **state)
{
	(void)state;
	INSTALL("/usr/sbin/lxc-info",
	    "[ \"$2\" = 'a:b$(id);*' ] && echo 12");
	assert_found("lxc:a:b$(id);*", "a:b$(id);*", 12);
}

/* The fixed path decides which of two programs is asked. */
static void
asks_in_order(void **state)
{
	(void)state;
	INSTALL("/usr/local/bin/docker", "echo 1 abc /web");
	assert_found("web", "web", 1);
	INSTALL("/usr/sbin/docker", "echo 2 abc /web");
	assert_found("web", "web", 2);
}

/* No more of the caller is seen than is meant to be. */
static void
asks_in_clean_place(void **state)
{
	sigset_t hup;
	int fd;

	(void)state;
	INSTALL("/usr/sbin/docker",
	    "[ \"$PATH\" = /usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:"
	    "/usr/local/bin ] || exit 1\n"
	    "[ \"$HOME $LANG\" = '/home/x C' ] || exit 2\n"
	    "[ \"$DOCKER_HOST $CONTAINER_HOST $XDG_RUNTIME_DIR\" = 'd c x' ]"
	    " || exit 3\n"
	    "[ -z \"$SECRET$LC_ALL$LD_PRELOAD$DOCKER_HOSTS\" ] || exit 4\n"
	    "[ -z \"$(read line && echo data)\" ] || exit 5\n"
	    "[ -e /proc/self/fd/9 ] && exit 6\n"
	    "[ \"$INCUS_CONF\" = /nonexistent ] || exit 8\n"
	    "while read key value; do case $key in\n"
	    "SigBlk:|SigIgn:) [ $value = 0000000000000000 ] ||\n"
	    "{ echo $key $value >&2; exit 7; };;\n"
	    "esac done </proc/$$/status\n"
	    "echo 1 abc /web");
	assert_int_equal(setenv("HOME", "/home/x", 1), 0);
	assert_int_equal(setenv("LANG", "de_DE.UTF-8", 1), 0);
	assert_int_equal(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
	assert_int_equal(setenv("DOCKER_HOST", "d", 1), 0);
	assert_int_equal(setenv("DOCKER_HOSTS", "d", 1), 0);
	assert_int_equal(setenv("CONTAINER_HOST", "c", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "x", 1), 0);
	assert_int_equal(setenv("INCUS_CONF", "i", 1), 0);
	assert_int_equal(setenv("SECRET", "s", 1), 0);
	fd = open("/", O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(dup2(fd, 9), 9);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)sigemptyset(&hup);
	(void)sigaddset(&hup, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &hup, NULL);
	assert_found("docker:web", "web", 1);
	(void)sigprocmask(SIG_UNBLOCK, &hup, NULL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)close(fd);
	(void)close(9);
	(void)unsetenv("DOCKER_HOST");
	(void)unsetenv("CONTAINER_HOST");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)unsetenv("LC_ALL");
}

static void
none_is_found(void **state)
{
	(void)state;
	assert_refused("web", EX_NOHOST, "no container \"web\": no container "
	    "engine is installed");
	assert_refused("docker:web", EX_NOHOST, "docker is not installed: no "
	    "docker in /usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:"
	    "/usr/local/bin");
	assert_refused("machine:web", EX_NOHOST, "machine is not installed: "
	    "no machinectl in /usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:"
	    "/usr/local/bin");
	INSTALL("/usr/sbin/docker", "echo\n"
	    "printf '\\nError: No such container: web\\nmore\\n' >&2; exit 1");
	INSTALL("/usr/sbin/crun", "exit 3");
	assert_refused("web", EX_NOHOST,
	    "no container \"web\" of docker, crun");
	assert_refused("we\"b", EX_NOHOST,
	    "no container \"we\\\"b\" of docker, crun");
	assert_refused("docker:web", EX_NOHOST,
	    "docker: Error: No such container: web");
	assert_refused("crun:web", EX_NOHOST, "crun: exit status 3");
	INSTALL("/usr/sbin/crun", "kill -9 $$");
	assert_refused("crun:web", EX_NOHOST, "crun: ended by signal 9");
}

/* What an engine says is shown, but not as it is. */
static void
words_are_escaped(void **state)
{
	char want[512];

	(void)state;
	INSTALL("/usr/sbin/runc",
	    "printf '\\033[2J\"\\r\\nsecond' >&2; exit 1");
	assert_refused("runc:web", EX_NOHOST, "runc: \\x1b[2J\\\"\\r");
	INSTALL("/usr/sbin/runc", "printf %01000d 0 >&2; exit 1");
	(void)snprintf(want, sizeof(want), "runc: %0255d", 0);
	assert_refused("runc:web", EX_NOHOST, want);
}

static void
not_understood(void **state)
{
	(void)state;
	INSTALL("/usr/sbin/docker", "echo hello");
	assert_refused("docker:web", EX_NOHOST, "docker: its answer about "
	    "\"web\" is not understood");
	INSTALL("/usr/sbin/docker", "echo 5 abcdef /other");
	assert_refused("docker:abc", EX_NOHOST,
	    "no container \"abc\" of docker");
	assert_refused("abc", EX_NOHOST, "no container \"abc\" of docker");
	/* The right answer, but only after more than will be read. */
	INSTALL("/usr/sbin/docker", "printf %070000d 0; echo 5 abc /web");
	assert_refused("docker:web", EX_NOHOST, "docker: its answer about "
	    "\"web\" is not understood");
	/* Much on stderr is no harm. */
	INSTALL("/usr/sbin/docker",
	    "printf %0300000d 0 >&2; echo 5 abc /web");
	assert_found("docker:web", "web", 5);
}

static void
not_running(void **state)
{
	(void)state;
	INSTALL("/usr/sbin/docker", "echo 0 abc /web");
	assert_refused("web", EX_NOHOST,
	    "container web of docker is not running");
	assert_refused("docker:web", EX_NOHOST,
	    "container web of docker is not running");
	INSTALL("/usr/sbin/lxc-info", "exit 0");
	assert_refused("lxc:web", EX_NOHOST,
	    "container web of lxc is not running");
}

static void
found_twice(void **state)
{
	(void)state;
	INSTALL("/usr/sbin/docker", "echo 5 abc /web");
	INSTALL("/usr/sbin/podman", "exit 125");
	INSTALL("/usr/sbin/lxc-info", "echo 6");
	INSTALL("/usr/sbin/runc", "echo '{\"pid\":0,\"status\":\"stopped\"}'");
	assert_refused("web", EX_DATAERR, "the name is in use more than once, "
	    "say which is meant: docker:web, lxc:web, runc:web");
	assert_found("docker:web", "web", 5);
	assert_found("lxc:web", "web", 6);
	/* Two that do not run are two as well. */
	(void)unlink("/usr/sbin/docker");
	INSTALL("/usr/sbin/lxc-info", "exit 0");
	assert_refused("web", EX_DATAERR, "the name is in use more than once, "
	    "say which is meant: lxc:web, runc:web");
	/* One process is one container, whoever tells of it. */
	INSTALL("/usr/sbin/lxc-info", "echo 7");
	INSTALL("/usr/sbin/runc", "echo '{\"pid\":7,\"status\":\"running\"}'");
	assert_found("web", "web", 7);
}

/* An engine may leave a process behind that keeps its pipes open. */
static void
left_behind(void **state)
{
	time_t before;

	(void)state;
	INSTALL("/usr/sbin/podman", "/usr/sbin/sleep 30 &\necho 9 abc web");
	before = time(NULL);
	assert_found("web", "web", 9);
	assert_true(time(NULL) - before < ENGINE_TIMEOUT_MS / 1000);
}

/* Two hang, and still the limit is one limit; what they started is ended. */
static void
timed_out(void **state)
{
	struct timespec before, after;
	long child;
	FILE *f;

	(void)state;
	INSTALL("/usr/sbin/docker", "trap '' TERM\n"
	    "/usr/sbin/sleep 30 & echo $! >/usr/sbin/child\nwait");
	INSTALL("/usr/sbin/podman", "while :; do echo more; done");
	INSTALL("/usr/sbin/runc", "echo '{\"pid\":7,\"status\":\"running\"}'");
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_refused("web", EX_TEMPFAIL, "docker did not answer within 5 s, "
	    "and may have the name as well: put the engine before it, as in "
	    "docker:web");
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec >= 4);
	assert_true(after.tv_sec - before.tv_sec <= 7);
	f = fopen("/usr/sbin/child", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &child), 1);
	(void)fclose(f);
	/* Killed; who reaps it is not known, so a zombie is well, too. */
	assert_true(kill((pid_t)child, 0) == -1 ||
	    kill((pid_t)child, SIGKILL) == 0);
	assert_found("runc:web", "web", 7);
}

static int
copy_file(const char *from, const char *to)
{
	char buf[65536];
	FILE *in, *out;
	size_t n;
	int rc;

	in = fopen(from, "r");
	out = fopen(to, "w");
	rc = in == NULL || out == NULL ? -1 : 0;
	while (rc == 0 && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		if (fwrite(buf, 1, n, out) != n)
			rc = -1;
	if (in != NULL)
		(void)fclose(in);
	if (out != NULL && fclose(out) != 0)
		rc = -1;
	return (rc == 0 ? chmod(to, 0755) : -1);
}

/*
 * Empties the folders that engines are looked for in, but for a shell and
 * sleep(1).  Where two of them are one by a link, it is emptied once.
 */
static int
make_place(void)
{
	static const char *const folders[] = {
		"/usr/bin", "/usr/local/sbin", "/usr/local/bin",
	};
	struct stat first, st;
	size_t i;

	if (mount("none", "/usr/sbin", "tmpfs", 0, "size=16m") == -1 ||
	    copy_file("/bin/sh", "/usr/sbin/sh") == -1 ||
	    copy_file("/bin/sleep", "/usr/sbin/sleep") == -1 ||
	    stat("/usr/sbin", &first) == -1)
		return (-1);
	for (i = 0; i < NITEMS(folders); i++)
		if (stat(folders[i], &st) == -1 ||
		    (st.st_dev != first.st_dev &&
		    mount("none", folders[i], "tmpfs", 0, NULL) == -1))
			return (-1);
	return (0);
}

static int
set_up(void **state)
{
	(void)state;
	have_place = place_enter() == 0 && make_place() == 0;
	if (!have_place)
		print_message("engines are not asked: no mount namespace "
		    "(%s)\n", strerror(errno));
	return (0);
}

#define ASKING_TEST(f)	cmocka_unit_test_setup_teardown(f, uninstall_all, \
			    uninstall_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_inspect),
		cmocka_unit_test(reads_pid),
		cmocka_unit_test(reads_state),
		cmocka_unit_test(reads_deep_state),
		cmocka_unit_test(names_refused),
		ASKING_TEST(asks_each),
		ASKING_TEST(asks_odd_names),
		ASKING_TEST(asks_in_order),
		ASKING_TEST(asks_in_clean_place),
		ASKING_TEST(none_is_found),
		ASKING_TEST(words_are_escaped),
		ASKING_TEST(not_understood),
		ASKING_TEST(not_running),
		ASKING_TEST(found_twice),
		ASKING_TEST(left_behind),
		ASKING_TEST(timed_out),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
