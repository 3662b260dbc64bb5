/*
 * Linux: container names.
 *
 * A plain name is asked of every installed engine, side by side, so that the
 * limit for one is the limit for all.  What they print is believed as far as
 * its form goes: the daemon looks at the process itself, and refuses one
 * that is in no container.
 */
#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "json.h"
#include "spawn.h"
#include "spec.h"
#include "text.h"

#define OUTPUT_MAX	(64 * 1024)
#define KILLED_WAIT_MS	1000

/* Shorter beginnings of a container's id are words that people use. */
#define ID_PREFIX_MIN	12

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * How each engine is asked.  The first word is looked up in ENGINE_PATH, the
 * @ in one later word is the container's name.
 */
struct engine {
	const char	*name;
	const char	*argv[9];
	enum engine_answer (*parse)(const char *, size_t, const char *,
			    pid_t *);
};

static const struct engine engines[] = {
	{ "docker", { "docker", "inspect", "--type", "container",
	    "-f", ENGINE_INSPECT, "--", "@", NULL }, engine_parse_inspect },
	{ "podman", { "podman", "inspect", "--type", "container",
	    "-f", ENGINE_INSPECT, "--", "@", NULL }, engine_parse_inspect },
	{ "lxc", { "lxc-info", "-n", "@", "-p", "-H", NULL },
	    engine_parse_pid },
	/*
	 * Not the configured default remote: the pid would be another
	 * machine's.  Without --force-local the client also makes itself a
	 * configuration, and greets before it says what is wrong.  And not
	 * `incus list`: it takes a name for a pattern.
	 */
	{ "incus", { "incus", "--force-local", "query",
	    "local:/1.0/instances/@/state", NULL }, engine_parse_state },
	{ "machine", { "machinectl", "show", "-p", "Leader", "--value",
	    "--", "@", NULL }, engine_parse_pid },
	{ "runc", { "runc", "state", "@", NULL }, engine_parse_state },
	{ "crun", { "crun", "state", "@", NULL }, engine_parse_state },
};

#define NENGINES	NITEMS(engines)

enum outcome {
	OUTCOME_ABSENT,		/* not installed */
	OUTCOME_PENDING,
	OUTCOME_FAILED,		/* its command failed */
	OUTCOME_TIMEOUT,
	OUTCOME_ANSWERED,	/* see answer */
};

/* A stream of the engine's; what is beyond the limit is dropped. */
struct capture {
	int		 fd;		/* -1: at its end */
	size_t		 len;
	bool		 cut;
	char		 text[OUTPUT_MAX];
};

struct query {
	const struct engine *engine;
	enum outcome	 outcome;
	enum engine_answer answer;
	pid_t		 pid;		/* that it answered */
	pid_t		 child;
	int		 pidfd;
	int		 status;	/* of waitpid() */
	struct capture	 out;
	struct capture	 err;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/*
 * Readers of output.
 */

/* A decimal pid that ends at end or white space; -1: none is there. */
static int64_t
read_pid(const char **p, const char *end)
{
	int64_t n;

	if (*p == end || !isdigit((unsigned char)**p))
		return (-1);
	for (n = 0; *p < end && isdigit((unsigned char)**p); (*p)++) {
		n = n * 10 + (**p - '0');
		if (n > INT32_MAX)
			return (-1);
	}
	return (*p == end || isspace((unsigned char)**p) ? n : -1);
}

static void
skip_space(const char **p, const char *end)
{
	while (*p < end && isspace((unsigned char)**p))
		(*p)++;
}

/* The next word's length; it begins at *p, which moves behind it. */
static size_t
read_word(const char **p, const char *end)
{
	const char *begin;

	skip_space(p, end);
	for (begin = *p; *p < end && !isspace((unsigned char)**p); )
		(*p)++;
	return ((size_t)(*p - begin));
}

static enum engine_answer
answer_pid(int64_t n, pid_t *pid)
{
	if (n < 0)
		return (ENGINE_GARBLED);
	if (n == 0)
		return (ENGINE_STOPPED);
	*pid = (pid_t)n;
	return (ENGINE_RUNNING);
}

bool
engine_split_inspect(const char *text, size_t len, struct engine_inspected *i)
{
	const char *end, *p;

	p = text;
	end = text + len;
	i->pid = read_pid(&p, end);
	i->idlen = read_word(&p, end);
	i->id = p - i->idlen;
	i->namelen = read_word(&p, end);
	i->name = p - i->namelen;
	skip_space(&p, end);
	if (i->pid < 0 || i->idlen == 0 || i->namelen == 0 || p != end)
		return (false);
	if (*i->name == '/') {		/* docker's names begin so */
		i->name++;
		i->namelen--;
	}
	return (true);
}

/*
 * Both engines also find a container by the beginning of its id, and "db"
 * is the beginning of one in 256: only a long one is meant to be an id.
 */
enum engine_answer
engine_parse_inspect(const char *text, size_t len, const char *name,
    pid_t *pid)
{
	struct engine_inspected i;
	size_t namelen;
	bool is_id;

	if (!engine_split_inspect(text, len, &i))
		return (ENGINE_GARBLED);
	namelen = strlen(name);
	is_id = i.idlen >= namelen && namelen >= ID_PREFIX_MIN &&
	    memcmp(i.id, name, namelen) == 0;
	if (!is_id && (i.namelen != namelen ||
	    memcmp(i.name, name, namelen) != 0))
		return (ENGINE_OTHER);
	return (answer_pid(i.pid, pid));
}

enum engine_answer
engine_parse_pid(const char *text, size_t len, const char *name, pid_t *pid)
{
	const char *end, *p;
	int64_t n;

	(void)name;
	p = text;
	end = text + len;
	skip_space(&p, end);
	if (p == end)
		return (ENGINE_STOPPED);
	n = read_pid(&p, end);
	skip_space(&p, end);
	return (p == end ? answer_pid(n, pid) : ENGINE_GARBLED);
}

enum engine_answer
engine_parse_state(const char *text, size_t len, const char *name, pid_t *pid)
{
	enum engine_answer answer;
	const char *id, *status;
	json_t *root;
	json_int_t n;
	int known;

	answer = ENGINE_GARBLED;
	root = json_read(text, len, NULL, 0);
	known = json_unpack(root, "{s:I, s:s}", "pid", &n, "status", &status);
	if (known == 0) {
		id = json_string_value(json_object_get(root, "id"));
		if (id != NULL && strcmp(id, name) != 0)
			answer = ENGINE_OTHER;
		else if (strcasecmp(status, "stopped") == 0 || n <= 0)
			answer = ENGINE_STOPPED;
		else
			answer = answer_pid(n <= INT32_MAX ? n : -1, pid);
	}
	json_decref(root);
	return (answer);
}

/*
 * Running the engines.
 */

/* Where the program is; false: nowhere in ENGINE_PATH. */
static bool
find_program(const char *program, char *path, size_t size)
{
	struct stat st;
	const char *dir, *next;
	int n;

	for (dir = ENGINE_PATH; dir != NULL; dir = next) {
		next = strchr(dir, ':');
		n = next == NULL ? (int)strlen(dir) : (int)(next++ - dir);
		(void)snprintf(path, size, "%.*s/%s", n, dir, program);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(path, X_OK) == 0)
			return (true);
	}
	return (false);
}

bool
engine_has_program(const char *program)
{
	char path[64];

	return (find_program(program, path, sizeof(path)));
}

/* Nothing of the caller's environment but what engines are found by. */
static void
make_env(const char **env, size_t size)
{
	static const char *const kept[] = {
		"HOME=", "DOCKER_HOST=", "CONTAINER_HOST=", "XDG_RUNTIME_DIR=",
	};
	char **e;
	size_t i, n;

	n = 0;
	env[n++] = "PATH=" ENGINE_PATH;
	env[n++] = "LANG=C";
	/* Else it takes our words for the caller's aliases. */
	env[n++] = "INCUS_CONF=/nonexistent";
	for (e = environ; e != NULL && *e != NULL; e++)
		for (i = 0; i < NITEMS(kept); i++)
			if (strncmp(*e, kept[i], strlen(kept[i])) == 0 &&
			    n < size - 1)
				env[n++] = *e;
	env[n] = NULL;
}

void
engine_fill(const char *const *words, const char *value, const char **argv,
    char *buf, size_t size)
{
	const char *at;
	size_t i;

	for (i = 0; words[i] != NULL; i++) {
		argv[i] = words[i];
		if ((at = strchr(words[i], '@')) == NULL)
			continue;
		(void)snprintf(buf, size, "%.*s%s%s", (int)(at - words[i]),
		    words[i], value, at + 1);
		argv[i] = buf;
	}
	argv[i] = NULL;
}

/*
 * In the child: everything of the caller's is put back, and the engine is
 * executed.  A group of its own makes it possible to end all that it starts.
 */
static void
execute(const char *path, const char *const *argv, const char **env,
    pid_t parent, int out, int err)
{
	int null;

	(void)setpgid(0, 0);
	spawn_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent)
		_exit(127);
	null = open("/dev/null", O_RDONLY);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 || dup2(err, STDERR_FILENO) == -1)
		_exit(127);
	/* Where the kernel has no such call, CLOEXEC has to be enough. */
	(void)syscall(SYS_close_range, 3U, ~0U, 0U);
	(void)execve(path, (char **)(uintptr_t)argv, (char **)(uintptr_t)env);
	_exit(127);
}

/* Forks and executes; out and err are the write ends. */
static int
launch(const char *path, const char *const *argv, int out, int err,
    pid_t *pid, int *pidfd)
{
	const char *env[8];
	pid_t parent;
	int saved;

	make_env(env, NITEMS(env));
	parent = getpid();
	if ((*pid = fork()) == -1)
		return (-1);
	if (*pid == 0)
		execute(path, argv, env, parent, out, err);
	(void)setpgid(*pid, *pid);
	*pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	if (*pidfd != -1)
		return (0);
	saved = errno;
	(void)kill(-*pid, SIGKILL);
	(void)waitpid(*pid, NULL, 0);
	errno = saved;
	return (-1);
}

int
engine_start(const char *const *argv, int out, int err, pid_t *pid,
    int *pidfd)
{
	char path[64];

	if (find_program(argv[0], path, sizeof(path)))
		return (launch(path, argv, out, err, pid, pidfd));
	errno = ENOENT;
	return (-1);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static int
start_child(struct query *q, const char *path, const char *name, int out,
    int err)
{
	char word[SPEC_JAIL_MAX + 64];
	const char *argv[NITEMS(q->engine->argv)];

	engine_fill(q->engine->argv, name, argv, word, sizeof(word));
	return (launch(path, argv, out, err, &q->child, &q->pidfd));
}

/* 0: asked, or not installed.  -1 with errno. */
static int
start(struct query *q, const char *name)
{
	char path[64];
	int out[2], err[2], rc, saved;

	if (!find_program(q->engine->argv[0], path, sizeof(path)))
		return (0);
	if (pipe2(out, O_CLOEXEC) == -1)
		return (-1);
	if (pipe2(err, O_CLOEXEC) == -1) {
		saved = errno;
		(void)close(out[0]);
		(void)close(out[1]);
		errno = saved;
		return (-1);
	}
	q->out.fd = out[0];
	q->err.fd = err[0];
	(void)fcntl(q->out.fd, F_SETFL, O_NONBLOCK);
	(void)fcntl(q->err.fd, F_SETFL, O_NONBLOCK);
	rc = start_child(q, path, name, out[1], err[1]);
	saved = errno;
	(void)close(out[1]);
	(void)close(err[1]);
	errno = saved;
	if (rc == 0)
		q->outcome = OUTCOME_PENDING;
	return (rc);
}

/* One read; false: there is no more for now, or ever (then fd is -1). */
static bool
receive(struct capture *c)
{
	char dropped[4096];
	ssize_t n;

	if (c->fd == -1)
		return (false);
	c->cut = c->cut || c->len == sizeof(c->text);
	if (c->cut)
		n = read(c->fd, dropped, sizeof(dropped));
	else
		n = read(c->fd, c->text + c->len, sizeof(c->text) - c->len);
	if (n > 0 && !c->cut)
		c->len += (size_t)n;
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		close_fd(&c->fd);
	return (n > 0);
}

static void
release(struct query *q)
{
	close_fd(&q->out.fd);
	close_fd(&q->err.fd);
	close_fd(&q->pidfd);
}

/* The engine has ended: its last words, its status, its answer. */
static void
finish(struct query *q)
{
	/* A process that it left behind may hold the pipes: no end is read. */
	while (!q->out.cut && receive(&q->out))
		;
	while (!q->err.cut && receive(&q->err))
		;
	(void)waitpid(q->child, &q->status, 0);
	release(q);
	q->outcome = OUTCOME_FAILED;
	if (!WIFEXITED(q->status) || WEXITSTATUS(q->status) != 0)
		return;
	q->outcome = OUTCOME_ANSWERED;
}

static void
give_up(struct query *q)
{
	struct pollfd pfd = { .fd = q->pidfd, .events = POLLIN };

	/* Not reaped yet, so the group's number is still its own. */
	(void)kill(-q->child, SIGKILL);
	(void)poll(&pfd, 1, KILLED_WAIT_MS);
	(void)waitpid(q->child, NULL, WNOHANG);
	release(q);
	q->outcome = OUTCOME_TIMEOUT;
}

static bool
is_pending(const struct query *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (q[i].outcome == OUTCOME_PENDING)
			return (true);
	return (false);
}

/* Waits for one thing to happen, and handles what has. */
static void
step(struct query *q, size_t n, int timeout_ms)
{
	struct pollfd pfds[3 * NENGINES];
	size_t i;

	for (i = 0; i < n; i++) {
		pfds[3 * i].fd = q[i].out.fd;
		pfds[3 * i + 1].fd = q[i].err.fd;
		pfds[3 * i + 2].fd = q[i].pidfd;
		pfds[3 * i].events = POLLIN;
		pfds[3 * i + 1].events = POLLIN;
		pfds[3 * i + 2].events = POLLIN;
	}
	if (poll(pfds, (nfds_t)(3 * n), timeout_ms) <= 0)
		return;
	for (i = 0; i < n; i++) {
		if (pfds[3 * i].revents != 0)
			(void)receive(&q[i].out);
		if (pfds[3 * i + 1].revents != 0)
			(void)receive(&q[i].err);
		if (pfds[3 * i + 2].revents != 0)
			finish(&q[i]);
	}
}

static void
gather(struct query *q, size_t n)
{
	int64_t deadline, left;
	size_t i;

	deadline = now_ms() + ENGINE_TIMEOUT_MS;
	while (is_pending(q, n) && (left = deadline - now_ms()) > 0)
		step(q, n, (int)left);
	for (i = 0; i < n; i++)
		if (q[i].outcome == OUTCOME_PENDING)
			give_up(&q[i]);
}

/* Asks n engines; -1 with errno: one could not be, and none is left. */
static int
ask(struct query *q, size_t n, const char *name)
{
	size_t i;
	int saved;

	for (i = 0; i < n; i++)
		if (start(&q[i], name) == -1) {
			saved = errno;
			release(&q[i]);
			for (; i > 0; i--)
				if (q[i - 1].outcome == OUTCOME_PENDING)
					give_up(&q[i - 1]);
			errno = saved;
			return (-1);
		}
	gather(q, n);
	for (i = 0; i < n; i++)
		if (q[i].outcome == OUTCOME_ANSWERED)
			q[i].answer = q[i].out.cut ? ENGINE_GARBLED :
			    q[i].engine->parse(q[i].out.text, q[i].out.len,
			    name, &q[i].pid);
	return (0);
}

/*
 * Judging the answers.
 */

static bool
is_found(const struct query *q)
{
	return (q->outcome == OUTCOME_ANSWERED &&
	    (q->answer == ENGINE_RUNNING || q->answer == ENGINE_STOPPED));
}

/* The first line that is not empty, escaped; "" where there is none. */
static void
first_line(const struct capture *c, char *shown, size_t size)
{
	const char *end, *nl, *p;

	p = c->text;
	end = c->text + c->len;
	skip_space(&p, end);
	nl = memchr(p, '\n', (size_t)(end - p));
	(void)text_escape(shown, size, p,
	    (size_t)((nl == NULL ? end : nl) - p));
}

/* The one engine that was named does not have it: why, in its words. */
static int
refuse_named(const struct query *q, const char *name, char *err,
    size_t errsize)
{
	const char *engine = q->engine->name;
	char said[256];

	first_line(&q->err, said, sizeof(said));
	if (q->outcome == OUTCOME_ABSENT)
		(void)snprintf(err, errsize, "%s is not installed: no %s in %s",
		    engine, q->engine->argv[0], ENGINE_PATH);
	else if (q->outcome == OUTCOME_ANSWERED && q->answer == ENGINE_OTHER)
		(void)snprintf(err, errsize, "no container \"%s\" of %s",
		    name, engine);
	else if (q->outcome == OUTCOME_ANSWERED)
		(void)snprintf(err, errsize, "%s: its answer about \"%s\" is "
		    "not understood", engine, name);
	else if (*said != '\0')
		(void)snprintf(err, errsize, "%s: %s", engine, said);
	else if (WIFSIGNALED(q->status))
		(void)snprintf(err, errsize, "%s: ended by signal %d",
		    engine, WTERMSIG(q->status));
	else
		(void)snprintf(err, errsize, "%s: exit status %d", engine,
		    WEXITSTATUS(q->status));
	return (EX_NOHOST);
}

/* Appends one word to a list; separator is put between two. */
static void
append(char *list, size_t size, const char *separator, const char *prefix,
    const char *word)
{
	size_t len;

	len = strlen(list);
	(void)snprintf(list + len, size - len, "%s%s%s",
	    len == 0 ? "" : separator, prefix, word);
}

static int
refuse_unknown(const struct query *q, size_t n, const char *name, char *err,
    size_t errsize)
{
	char asked[128] = "";
	size_t i;

	for (i = 0; i < n; i++)
		if (q[i].outcome != OUTCOME_ABSENT)
			append(asked, sizeof(asked), ", ", "",
			    q[i].engine->name);
	if (*asked == '\0')
		(void)snprintf(err, errsize, "no container \"%s\": no "
		    "container engine is installed", name);
	else
		(void)snprintf(err, errsize, "no container \"%s\" of %s",
		    name, asked);
	return (EX_NOHOST);
}

static int
refuse_ambiguous(const struct query *q, size_t n, const char *name,
    char *err, size_t errsize)
{
	char list[NENGINES * (SPEC_JAIL_MAX * 2 + 16)] = "";
	size_t i;

	for (i = 0; i < n; i++)
		if (is_found(&q[i])) {
			append(list, sizeof(list), ", ", q[i].engine->name,
			    ":");
			append(list, sizeof(list), "", "", name);
		}
	(void)snprintf(err, errsize, "the name is in use more than once, "
	    "say which is meant: %s", list);
	return (EX_DATAERR);
}

static const struct query *
find_timeout(const struct query *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (q[i].outcome == OUTCOME_TIMEOUT)
			return (&q[i]);
	return (NULL);
}

/*
 * The one container that was found, or a refusal.  Two engines that answer
 * one process have one container: podman's are runc's or crun's as well.
 */
static int
judge(const struct query *q, size_t n, const char *shown, pid_t *pid,
    const char **engine, char *err, size_t errsize)
{
	const struct query *found, *late;
	size_t i;

	if ((late = find_timeout(q, n)) != NULL) {
		(void)snprintf(err, errsize, n == 1 ?
		    "%s did not answer within %d s" :
		    "%s did not answer within %d s, and may have the name as "
		    "well: put the engine before it, as in docker:web",
		    late->engine->name, ENGINE_TIMEOUT_MS / 1000);
		return (EX_TEMPFAIL);
	}
	found = NULL;
	for (i = 0; i < n; i++) {
		if (!is_found(&q[i]))
			continue;
		if (found == NULL)
			found = &q[i];
		else if (found->answer != ENGINE_RUNNING ||
		    q[i].answer != ENGINE_RUNNING || found->pid != q[i].pid)
			return (refuse_ambiguous(q, n, shown, err, errsize));
	}
	if (found == NULL)
		return (n == 1 ? refuse_named(q, shown, err, errsize) :
		    refuse_unknown(q, n, shown, err, errsize));
	if (found->answer == ENGINE_STOPPED) {
		(void)snprintf(err, errsize, "container %s of %s is not "
		    "running", shown, found->engine->name);
		return (EX_NOHOST);
	}
	*pid = found->pid;
	*engine = found->engine->name;
	return (0);
}

/*
 * Names.
 */

bool
engine_is_name(const char *name)
{
	const char *c;
	size_t len;

	len = strlen(name);
	if (len == 0 || len > SPEC_JAIL_MAX || *name == '-' ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    !text_is_utf8(name, len) || text_has_control(name, len))
		return (false);
	for (c = name; *c != '\0'; c++)
		if (*c == '/' || isspace((unsigned char)*c))
			return (false);
	return (true);
}

static const struct engine *
find_engine(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NENGINES; i++)
		if (strlen(engines[i].name) == len &&
		    memcmp(engines[i].name, name, len) == 0)
			return (&engines[i]);
	return (NULL);
}

int
engine_check(const char *name, size_t len, char *err, size_t errsize)
{
	char known[128] = "", shown[64];
	size_t i;

	if (find_engine(name, len) != NULL)
		return (0);
	for (i = 0; i < NENGINES; i++)
		append(known, sizeof(known), ", ", "", engines[i].name);
	(void)text_escape(shown, sizeof(shown), name, len);
	(void)snprintf(err, errsize, "\"%s\" is no container engine: "
	    "known are %s", shown, known);
	return (EX_DATAERR);
}

/* "engine:name" or "name"; *first and *n are the engines to ask. */
static int
split(const char *jail, const char **name, const struct engine **first,
    size_t *n, char *err, size_t errsize)
{
	char shown[128];
	const char *colon;

	*name = jail;
	*first = engines;
	*n = NENGINES;
	if ((colon = strchr(jail, ':')) != NULL) {
		*name = colon + 1;
		*first = find_engine(jail, (size_t)(colon - jail));
		*n = 1;
		if (*first == NULL)
			return (engine_check(jail, (size_t)(colon - jail),
			    err, errsize));
	}
	if (engine_is_name(*name))
		return (0);
	(void)text_escape(shown, sizeof(shown), *name, strlen(*name));
	(void)snprintf(err, errsize, "\"%s\" is no container's name: 1 to %d "
	    "bytes, no '-' at its start, no '/', white space or control "
	    "character", shown, SPEC_JAIL_MAX);
	return (EX_DATAERR);
}

int
engine_split(const char *jail, const char **engine, const char **name,
    char *err, size_t errsize)
{
	const struct engine *first;
	size_t n;
	int status;

	status = split(jail, name, &first, &n, err, errsize);
	if (status == 0)
		*engine = n == 1 ? first->name : NULL;
	return (status);
}

int
engine_resolve(const char *jail, pid_t *pid, const char **engine, char *name,
    size_t namesize, char *err, size_t errsize)
{
	char shown[SPEC_JAIL_MAX * 2 + 1];
	const struct engine *first;
	const char *plain;
	struct query *q;
	size_t i, n;
	int status;

	status = split(jail, &plain, &first, &n, err, errsize);
	if (status != 0)
		return (status);
	(void)signal(SIGCHLD, SIG_DFL);
	if ((q = calloc(n, sizeof(*q))) == NULL) {
		(void)snprintf(err, errsize, "out of memory");
		return (EX_OSERR);
	}
	for (i = 0; i < n; i++) {
		q[i].engine = first + i;
		q[i].out.fd = q[i].err.fd = q[i].pidfd = -1;
	}
	(void)text_escape(shown, sizeof(shown), plain, strlen(plain));
	if (ask(q, n, plain) == 0)
		status = judge(q, n, shown, pid, engine, err, errsize);
	else {
		(void)snprintf(err, errsize, "the container engines cannot "
		    "be asked: %s", strerror(errno));
		status = EX_OSERR;
	}
	free(q);
	if (status == 0 && strlcpy(name, plain, namesize) >= namesize) {
		(void)snprintf(err, errsize, "the name is too long");
		status = EX_DATAERR;
	}
	return (status);
}
