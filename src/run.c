#include <sys/stat.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "run.h"
#include "session.h"
#include "spawn.h"
#include "text.h"

#define RUN_PATH	"/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:" \
			    "/usr/local/bin"
#define FIXED_MAX	6	/* variables that are the same for all */
#define FILE_NAME_MAX	48
#define SUFFIX		".out"

/* Events of the log: a run of ours, or of an earlier daemon's numbers. */
#define OURS		"output"
#define LEFT		"output-left"

/* A time limit; it may outlive the run, until what it left is killed. */
struct limit {
	LIST_ENTRY(limit) entry;
	struct event	*timer;
	struct runs	*runs;
	struct run	*run;		/* NULL: its shell has ended */
	pid_t		 session;
	uint64_t	 id;
	bool		 over;
};

struct run {
	LIST_ENTRY(run)	 entry;
	struct end	 end;
	struct runs	*runs;
	struct limit	*limit;		/* or NULL */
	uint64_t	 id;
	uint64_t	 output;	/* number of its file; 0: none */
	int64_t		 started_ms;
	bool		 quiet;
	void		(*ended)(void *, const struct run_end *);
	void		*arg;
};

struct runs {
	struct event_base *base;
	struct ends	*ends;
	LIST_HEAD(, run) list;
	LIST_HEAD(, limit) limits;
	unsigned int	 count;
	int		 dirfd;
	int		 devnull;
	struct rlimit	 nofile;
	uint64_t	 next;		/* number of the next output file */
	char		*fixed[FIXED_MAX];
};

/* Two texts as one; NULL: no memory. */
static char *
format(const char *head, const char *tail)
{
	char *result;

	return (asprintf(&result, "%s%s", head, tail) == -1 ? NULL : result);
}

static int
add_fixed(struct runs *runs, int i, const char *head, const char *value)
{
	runs->fixed[i] = format(head, value);
	return (runs->fixed[i] == NULL ? -1 : 0);
}

/* Whom the daemon runs as; looked up once, since it may take a while. */
static int
make_environment(struct runs *runs)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *name = pw != NULL ? pw->pw_name : "root";
	const char *home = pw != NULL ? pw->pw_dir : "/";

	if (add_fixed(runs, 0, "PATH=", RUN_PATH) == -1 ||
	    add_fixed(runs, 1, "HOME=", home) == -1 ||
	    add_fixed(runs, 2, "SHELL=", _PATH_BSHELL) == -1 ||
	    add_fixed(runs, 3, "USER=", name) == -1 ||
	    add_fixed(runs, 4, "LOGNAME=", name) == -1 ||
	    add_fixed(runs, 5, "LANG=", "C.UTF-8") == -1)
		return (-1);
	return (0);
}

/* One piece of a line that fits into a line of the log. */
static void
log_piece(const char *event, uint64_t id, const char *text, size_t len)
{
	char piece[LOG_LINE_MAX / 2];
	size_t n;

	do {
		n = text_escape(piece, sizeof(piece), text, len);
		log_info("event=%s id=%llu text=\"%s\"", event,
		    (unsigned long long)id, piece);
		text += n;
		len -= n;
	} while (len > 0 && n > 0);
}

static void
log_lines(const char *event, uint64_t id, const char *text, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);

		log_piece(event, id, text, n);
		n += newline != NULL;
		text += n;
		len -= n;
	}
}

static void
name_output(char *file, uint64_t id, uint64_t output)
{
	snprintf(file, FILE_NAME_MAX, "%llu-%llu" SUFFIX,
	    (unsigned long long)id, (unsigned long long)output);
}

/* The beginning of a file; the caller frees it.  NULL with errno. */
static char *
read_output(const struct runs *runs, const char *file, size_t *len,
    long long *size)
{
	char *text = malloc(RUN_OUTPUT_MAX);
	int fd = openat(runs->dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st = { 0 };
	ssize_t n = -1;
	int saved;

	if (text != NULL && fd != -1 && fstat(fd, &st) == 0)
		n = read(fd, text, RUN_OUTPUT_MAX);
	saved = errno;
	if (fd != -1)
		close(fd);
	if (n == -1) {
		free(text);
		errno = saved;
		return (NULL);
	}
	*len = (size_t)n;
	*size = (long long)st.st_size;
	return (text);
}

/* The beginning of an output file goes to the log. */
static void
log_output(const struct runs *runs, const char *event, uint64_t id,
    const char *file)
{
	long long size;
	size_t len;
	char *text = read_output(runs, file, &len, &size);

	if (text == NULL) {
		log_warn("event=output-unreadable id=%llu",
		    (unsigned long long)id);
		return;
	}
	log_lines(event, id, text, len);
	if (size > RUN_OUTPUT_MAX)
		log_info("event=output-cut id=%llu bytes=%lld logged=%d",
		    (unsigned long long)id, size, RUN_OUTPUT_MAX);
	free(text);
}

char *
run_output(const struct runs *runs, uint64_t id, uint64_t output)
{
	char file[FILE_NAME_MAX], *shown, *text;
	long long size;
	size_t len;

	errno = ENOENT;
	if (output == 0)
		return (NULL);
	name_output(file, id, output);
	if ((text = read_output(runs, file, &len, &size)) == NULL)
		return (NULL);
	shown = text_show(text, len);
	free(text);
	return (shown);
}

void
run_forget_output(const struct runs *runs, uint64_t id, uint64_t output)
{
	char file[FILE_NAME_MAX];

	if (output == 0)
		return;
	name_output(file, id, output);
	unlinkat(runs->dirfd, file, 0);
}

static bool
is_output(const char *name)
{
	size_t len = strlen(name);

	return (len > strlen(SUFFIX) &&
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0);
}

/* Runs that still go on keep their descriptor and notice nothing. */
void
runs_collect(struct runs *runs)
{
	int fd = openat(runs->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (dir == NULL) {
		log_warn("event=output-left");
		if (fd != -1)
			close(fd);
		return;
	}
	while ((de = readdir(dir)) != NULL)
		if (is_output(de->d_name)) {
			log_output(runs, LEFT, strtoull(de->d_name, NULL, 10),
			    de->d_name);
			unlinkat(runs->dirfd, de->d_name, 0);
		}
	closedir(dir);
}

static void
free_limit(struct limit *limit)
{
	LIST_REMOVE(limit, entry);
	if (limit->run != NULL)
		limit->run->limit = NULL;
	if (limit->timer != NULL)
		event_free(limit->timer);
	free(limit);
}

/*
 * The shell is told through its descriptor, whose number nobody else can
 * have; the rest of its session is searched for.
 */
static void
signal_run(const struct limit *limit, int sig)
{
	if (limit->run != NULL)
		ends_signal(&limit->run->end, sig);
	session_signal(limit->session, limit->run != NULL, sig);
}

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval grace = { RUN_KILL_MS / 1000,
	    RUN_KILL_MS % 1000 * 1000 };
	struct limit *limit = arg;

	(void)fd;
	(void)what;
	if (limit->over) {
		signal_run(limit, SIGKILL);
		free_limit(limit);
		return;
	}
	limit->over = true;
	log_warnx("event=run-timeout id=%llu", (unsigned long long)limit->id);
	evtimer_add(limit->timer, &grace);
	signal_run(limit, SIGTERM);
}

/* -1: no memory. */
static int
limit_run(struct run *run, uint32_t seconds)
{
	struct timeval tv = { (time_t)seconds, 0 };
	struct limit *limit = calloc(1, sizeof(*limit));

	if (limit == NULL)
		return (-1);
	limit->timer = evtimer_new(run->runs->base, on_limit, limit);
	if (limit->timer == NULL || evtimer_add(limit->timer, &tv) == -1) {
		if (limit->timer != NULL)
			event_free(limit->timer);
		free(limit);
		return (-1);
	}
	limit->runs = run->runs;
	limit->run = run;
	limit->id = run->id;
	run->limit = limit;
	LIST_INSERT_HEAD(&run->runs->limits, limit, entry);
	return (0);
}

struct runs *
runs_open(struct event_base *base, struct ends *ends, int dirfd,
    const struct rlimit *nofile)
{
	struct runs *runs = calloc(1, sizeof(*runs));

	if (runs == NULL)
		return (NULL);
	LIST_INIT(&runs->list);
	LIST_INIT(&runs->limits);
	runs->base = base;
	runs->ends = ends;
	runs->dirfd = dirfd;
	runs->nofile = *nofile;
	/* Files of an earlier daemon's runs may still be written to. */
	runs->next = (uint64_t)clock_real_ms() * 1000;
	runs->devnull = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);
	if (runs->devnull == -1 || make_environment(runs) == -1) {
		runs_close(runs);
		return (NULL);
	}
	return (runs);
}

void
runs_close(struct runs *runs)
{
	struct limit *limit;
	struct run *run;
	int saved = errno;

	while ((limit = LIST_FIRST(&runs->limits)) != NULL)
		free_limit(limit);
	/* The ends' owner closes its queue next; nothing is told any more. */
	while ((run = LIST_FIRST(&runs->list)) != NULL) {
		LIST_REMOVE(run, entry);
		if (run->end.fd != -1)
			close(run->end.fd);
		free(run);
	}
	for (int i = 0; i < FIXED_MAX; i++)
		free(runs->fixed[i]);
	if (runs->devnull != -1)
		close(runs->devnull);
	free(runs);
	errno = saved;
}

unsigned int
runs_count(const struct runs *runs)
{
	return (runs->count);
}

static void
log_end(const struct run *run, const struct run_end *end)
{
	int status = end->status;

	if (WIFSIGNALED(status))
		log_info("event=run-end id=%llu signal=%d ms=%lld",
		    (unsigned long long)run->id, WTERMSIG(status),
		    (long long)end->ms);
	else
		log_info("event=run-end id=%llu status=%d ms=%lld",
		    (unsigned long long)run->id, WEXITSTATUS(status),
		    (long long)end->ms);
}

/* A limit that is over still has to kill what the shell left behind. */
static bool
end_limit(struct run *run)
{
	struct limit *limit = run->limit;

	if (limit == NULL)
		return (false);
	limit->run = NULL;
	if (limit->over)
		return (true);
	free_limit(limit);
	return (false);
}

static void
on_ended(void *arg, int status)
{
	struct run *run = arg;
	struct run_end end = { .status = status, .output = run->output,
	    .ms = clock_ms() - run->started_ms };
	char file[FILE_NAME_MAX];

	end.timed_out = end_limit(run);
	if (!run->quiet)
		log_end(run, &end);
	name_output(file, run->id, run->output);
	if (!run->quiet && run->output != 0)
		log_output(run->runs, OURS, run->id, file);
	LIST_REMOVE(run, entry);
	run->runs->count--;
	run->ended(run->arg, &end);
	free(run);
}

/* A full disk must not keep a trigger from its command. */
static int
open_output(struct run *run)
{
	char file[FILE_NAME_MAX];
	int fd;

	run->output = ++run->runs->next;
	name_output(file, run->id, run->output);
	fd = openat(run->runs->dirfd, file, O_WRONLY | O_APPEND |
	    O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1)
		return (fd);
	log_warn("event=output-discarded id=%llu",
	    (unsigned long long)run->id);
	run->output = 0;
	return (-1);
}

struct variables {
	char	id[40];
	char	jid[40];
	char	*jail;
	char	*title;
	char	*command;
	char	*envp[FIXED_MAX + 5];
};

static void
free_variables(struct variables *v)
{
	free(v->jail);
	free(v->title);
	free(v->command);
}

/*
 * The command is sh's argument.  Not every sh takes a "--" before it, so one
 * that looks like an option gets a blank.
 */
static int
fill_environment(const struct runs *runs, const struct run_spec *spec,
    struct variables *v)
{
	int n = 0;

	v->jail = v->title = NULL;
	v->command = format(*spec->command == '-' || *spec->command == '+' ?
	    " " : "", spec->command);
	for (int i = 0; i < FIXED_MAX; i++)
		v->envp[n++] = runs->fixed[i];
	snprintf(v->id, sizeof(v->id), "JAILDAEMON_ID=%llu",
	    (unsigned long long)spec->id);
	snprintf(v->jid, sizeof(v->jid), "JAILDAEMON_JID=%d", spec->jid);
	v->envp[n++] = v->id;
	v->envp[n++] = v->jid;
	if (spec->jail != NULL) {
		v->jail = format("JAILDAEMON_JAIL=", spec->jail);
		v->envp[n++] = v->jail;
	}
	if (spec->title != NULL) {
		v->title = format("JAILDAEMON_TITLE=", spec->title);
		v->envp[n++] = v->title;
	}
	v->envp[n] = NULL;
	if (v->command != NULL && (spec->jail == NULL || v->jail != NULL) &&
	    (spec->title == NULL || v->title != NULL))
		return (0);
	free_variables(v);
	return (-1);
}

static int
spawn_shell(const struct runs *runs, const struct run_spec *spec, int output,
    pid_t *pid, int *fd)
{
	char *argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
	    NULL, NULL };
	int out = output == -1 ? runs->devnull : output;
	struct variables v;
	struct spawn sp = { .program = -1, .path = _PATH_BSHELL, .argv = argv,
	    .envp = v.envp, .fds = { runs->devnull, out, out }, .run = true,
	    .nofile = &runs->nofile };
	int ret, saved;

	if (fill_environment(runs, spec, &v) == -1)
		return (-1);
	argv[2] = v.command;
	ret = spawn(&sp, pid, fd);
	saved = errno;
	free_variables(&v);
	errno = saved;
	return (ret);
}

static struct run *
new_run(struct runs *runs, const struct run_spec *spec)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return (NULL);
	run->runs = runs;
	run->id = spec->id;
	run->quiet = spec->quiet;
	run->started_ms = clock_ms();
	if (spec->timeout != 0 && limit_run(run, spec->timeout) == -1) {
		free(run);
		errno = ENOMEM;
		return (NULL);
	}
	return (run);
}

static void
cancel_run(struct run *run)
{
	int saved = errno;

	run_forget_output(run->runs, run->id, run->output);
	if (run->limit != NULL)
		free_limit(run->limit);
	free(run);
	errno = saved;
}

int
run_start(struct runs *runs, const struct run_spec *spec,
    void (*ended)(void *, const struct run_end *), void *arg)
{
	struct run *run = new_run(runs, spec);
	int fd, output, ret, saved;
	pid_t pid;

	if (run == NULL)
		return (-1);
	run->ended = ended;
	run->arg = arg;
	output = open_output(run);
	ret = spawn_shell(runs, spec, output, &pid, &fd);
	saved = errno;
	if (output != -1)
		close(output);
	errno = saved;
	if (ret == 0)
		ret = ends_watch_child(runs->ends, &run->end, pid, fd, on_ended,
		    run);
	if (ret == -1) {
		cancel_run(run);
		return (-1);
	}
	if (run->limit != NULL)
		run->limit->session = pid;
	LIST_INSERT_HEAD(&runs->list, run, entry);
	runs->count++;
	return (0);
}
