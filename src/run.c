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
#include "process.h"
#include "spawn.h"
#include "text.h"
#include "timer.h"

#define RUN_PATH	"/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:" \
			    "/usr/local/bin"
#define FIXED_MAX	6	/* variables that are the same for all */
#define FILE_NAME_MAX	48
#define SUFFIX		".out"
#define SUFFIX_NEW	".new"	/* until the run was started */

/* Events of the log: a run of ours, or of an earlier daemon's numbers. */
#define OURS		"output"
#define LEFT		"output-left"

/* A time limit; it may outlive the run, until what it left is killed. */
struct limit {
	LIST_ENTRY(limit) entry;
	int64_t		 due_ms;
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
	bool		 timed_out;
	uint64_t	 id;
	uint64_t	 number;
	bool		 kept;		/* its output has a file with a name */
	int		 output;	/* of one without a name, or -1 */
	struct event	*gone;		/* adopted, but ended before */
	struct run_process process;
	bool		 adopted;
	int64_t		 at;		/* real time of its start */
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
name_output(char *file, uint64_t id, uint64_t number, const char *suffix)
{
	snprintf(file, FILE_NAME_MAX, "%llu-%llu%s", (unsigned long long)id,
	    (unsigned long long)number, suffix);
}

static int
open_file(const struct runs *runs, uint64_t id, uint64_t number)
{
	char file[FILE_NAME_MAX];

	name_output(file, id, number, SUFFIX);
	return (openat(runs->dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

/* The beginning of a file, which is closed; the caller frees it. */
static char *
read_output(int fd, size_t *len, long long *size)
{
	char *text = malloc(RUN_OUTPUT_MAX);
	struct stat st = { 0 };
	ssize_t n = -1;
	int saved;

	if (text != NULL && fd != -1 && fstat(fd, &st) == 0)
		n = pread(fd, text, RUN_OUTPUT_MAX, 0);
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
log_output(const char *event, uint64_t id, int fd)
{
	long long size;
	size_t len;
	char *text = read_output(fd, &len, &size);

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
run_output(const struct runs *runs, uint64_t id, uint64_t number)
{
	char *shown, *text;
	long long size;
	size_t len;

	errno = ENOENT;
	if (number == 0 || runs->dirfd == -1 || (text =
	    read_output(open_file(runs, id, number), &len, &size)) == NULL)
		return (NULL);
	shown = text_lines(text, len);
	free(text);
	return (shown);
}

static void
remove_output(const struct runs *runs, uint64_t id, uint64_t number,
    const char *suffix)
{
	char file[FILE_NAME_MAX];

	name_output(file, id, number, suffix);
	unlinkat(runs->dirfd, file, 0);
}

void
run_forget_output(const struct runs *runs, uint64_t id, uint64_t number)
{
	if (number != 0 && runs->dirfd != -1)
		remove_output(runs, id, number, SUFFIX);
}

void
run_empty_output(const struct runs *runs, uint64_t id, uint64_t number)
{
	char file[FILE_NAME_MAX];
	int fd;

	if (number == 0 || runs->dirfd == -1)
		return;
	name_output(file, id, number, SUFFIX);
	fd = openat(runs->dirfd, file, O_WRONLY | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd != -1)
		close(fd);
}

/* "ID-NUMBER.out", and nothing else. */
static bool
parse_output(const char *name, uint64_t *id, uint64_t *number,
    const char *suffix)
{
	char file[FILE_NAME_MAX], *end;

	*id = strtoull(name, &end, 10);
	*number = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
	name_output(file, *id, *number, suffix);
	return (strcmp(file, name) == 0);
}

/* Runs that still go on keep their descriptor and notice nothing. */
static void
collect(struct runs *runs, const char *name,
    bool (*keeps)(void *, uint64_t, uint64_t), void *arg)
{
	uint64_t id, number;

	if (parse_output(name, &id, &number, SUFFIX)) {
		if (keeps(arg, id, number))
			return;
		log_output(LEFT, id, open_file(runs, id, number));
		unlinkat(runs->dirfd, name, 0);
	} else if (parse_output(name, &id, &number, SUFFIX_NEW))
		unlinkat(runs->dirfd, name, 0);
}

void
runs_collect(struct runs *runs, bool (*keeps)(void *, uint64_t, uint64_t),
    void *arg)
{
	struct dirent *de;
	DIR *dir;
	int fd;

	if (runs->dirfd == -1)
		return;
	fd = openat(runs->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd == -1 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		log_warn("event=output-left");
		if (fd != -1)
			close(fd);
		return;
	}
	while ((de = readdir(dir)) != NULL)
		collect(runs, de->d_name, keeps, arg);
	closedir(dir);
}

static void
free_run(struct run *run)
{
	if (run->output != -1)
		close(run->output);
	free_event(run->gone);
	free(run);
}

static void
free_limit(struct limit *limit)
{
	LIST_REMOVE(limit, entry);
	if (limit->run != NULL)
		limit->run->limit = NULL;
	free_event(limit->timer);
	free(limit);
}

/*
 * The shell is told through its descriptor, whose number nobody else can
 * have; the rest of its session is searched for.  false: not all could be told
 * now.
 */
static bool
signal_run(const struct limit *limit, int sig)
{
	bool told = limit->run == NULL ||
	    ends_signal(&limit->run->end, sig) == 0 || errno != ENOMEM;

	return (process_signal_session(limit->session, limit->run != NULL,
	    sig) == 0 && told);
}

#define RUN_KILL_AGAIN_MS	1000

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct limit *limit = arg;
	int64_t left = limit->due_ms - clock_ms();

	(void)fd;
	(void)what;
	/*
	 * A timer can be early, a limit not; but for want of memory for the
	 * timer, since the loop would do nothing else until it is due.
	 */
	if (left > 0 && timer_add(limit->timer, left) == 0)
		return;
	if (limit->over) {
		if (signal_run(limit, SIGKILL))
			free_limit(limit);
		else
			timer_start(limit->timer, RUN_KILL_AGAIN_MS);
		return;
	}
	limit->over = limit->run->timed_out = true;
	limit->due_ms = clock_ms() + RUN_KILL_MS;
	log_warnx("event=run-timeout id=%llu", (unsigned long long)limit->id);
	timer_start(limit->timer, RUN_KILL_MS);
	signal_run(limit, SIGTERM);
}

/* -1: no memory. */
static int
limit_run(struct run *run, uint32_t seconds)
{
	int64_t ms = (int64_t)seconds * 1000;
	struct limit *limit = calloc(1, sizeof(*limit));

	if (limit == NULL)
		return (-1);
	limit->timer = evtimer_new(run->runs->base, on_limit, limit);
	if (limit->timer == NULL || timer_add(limit->timer, ms) == -1) {
		free_event(limit->timer);
		free(limit);
		return (-1);
	}
	limit->due_ms = run->started_ms + ms;
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
		if (run->end.watched && run->end.fd != -1)
			close(run->end.fd);
		free_run(run);
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
	unsigned long long id = run->id;
	long long ms = end->ms;
	int status = end->status;

	if (end->unknown)
		log_info("event=run-end id=%llu status=unknown ms=%lld", id,
		    ms);
	else if (WIFSIGNALED(status))
		log_info("event=run-end id=%llu signal=%d ms=%lld", id,
		    WTERMSIG(status), ms);
	else
		log_info("event=run-end id=%llu status=%d ms=%lld", id,
		    WEXITSTATUS(status), ms);
}

/* A limit that is over still has to kill what the shell left behind. */
static void
end_limit(struct run *run)
{
	struct limit *limit = run->limit;

	if (limit == NULL)
		return;
	limit->run = NULL;
	if (!limit->over)
		free_limit(limit);
}

static void
log_run_output(struct run *run)
{
	if (run->kept)
		log_output(OURS, run->id,
		    open_file(run->runs, run->id, run->number));
	else if (run->output != -1) {
		log_output(OURS, run->id, run->output);
		run->output = -1;
	}
}

static void
on_ended(void *arg, int status)
{
	struct run *run = arg;
	struct run_end end = { .status = status, .unknown = run->adopted,
	    .run = run->number, .output = run->kept ? run->number : 0,
	    .ms = clock_ms() - run->started_ms };

	end_limit(run);
	end.timed_out = run->timed_out;
	if (!run->quiet) {
		log_end(run, &end);
		log_run_output(run);
	}
	LIST_REMOVE(run, entry);
	run->runs->count--;
	run->ended(run->arg, &end);
	free_run(run);
}

/* A file without a name, for as long as somebody has it open. */
static int
open_unnamed(void)
{
	char path[] = _PATH_TMP "jaildaemon.XXXXXXXX";
	int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

	if (fd != -1)
		unlink(path);
	return (fd);
}

/* A full disk must not keep a trigger from its command. */
static int
open_output(struct run *run)
{
	char file[FILE_NAME_MAX];
	int fd;

	if (run->runs->dirfd == -1)
		fd = open_unnamed();
	else {
		name_output(file, run->id, run->number, SUFFIX_NEW);
		fd = openat(run->runs->dirfd, file, O_WRONLY | O_APPEND |
		    O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		run->kept = fd != -1;
	}
	if (fd == -1)
		log_warn("event=output-discarded id=%llu",
		    (unsigned long long)run->id);
	return (fd);
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

/* The output's file gets its name when the shell is as good as there. */
static int
spawn_shell(const struct run *run, const struct run_spec *spec, int output,
    pid_t *pid, int *fd)
{
	const struct runs *runs = run->runs;
	char from[FILE_NAME_MAX], to[FILE_NAME_MAX];
	char *argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
	    NULL, NULL };
	int out = output == -1 ? runs->devnull : output;
	const int fds[] = { runs->devnull, out, out };
	struct variables v;
	struct spawn sp = { .program = -1, .path = _PATH_BSHELL, .argv = argv,
	    .envp = v.envp, .fds = fds, .nfds = 3, .run = true,
	    .nofile = &runs->nofile, .mark_dir = runs->dirfd };
	int ret, saved;

	if (fill_environment(runs, spec, &v) == -1)
		return (-1);
	argv[2] = v.command;
	if (run->kept) {
		name_output(from, run->id, run->number, SUFFIX_NEW);
		name_output(to, run->id, run->number, SUFFIX);
		sp.mark_from = from;
		sp.mark_to = to;
	}
	ret = spawn(&sp, pid, fd);
	saved = errno;
	free_variables(&v);
	errno = saved;
	return (ret);
}

static struct run *
new_run(struct runs *runs, const struct run_spec *spec, uint32_t timeout,
    void (*ended)(void *, const struct run_end *), void *arg)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return (NULL);
	run->runs = runs;
	run->id = spec->id;
	run->number = spec->run;
	run->quiet = spec->quiet;
	run->output = -1;
	run->ended = ended;
	run->arg = arg;
	run->started_ms = clock_ms();
	run->at = clock_real_ms();
	if (timeout != 0 && limit_run(run, timeout) == -1) {
		free(run);
		errno = ENOMEM;
		return (NULL);
	}
	return (run);
}

/* It never was. */
static void
cancel_run(struct run *run)
{
	int saved = errno;

	if (run->kept) {
		remove_output(run->runs, run->id, run->number, SUFFIX_NEW);
		remove_output(run->runs, run->id, run->number, SUFFIX);
	}
	if (run->limit != NULL)
		free_limit(run->limit);
	free_run(run);
	errno = saved;
}

static void
list(struct run *run)
{
	if (run->limit != NULL)
		run->limit->session = run->process.pid;
	LIST_INSERT_HEAD(&run->runs->list, run, entry);
	run->runs->count++;
}

/* A child that cannot be watched was killed: only on FreeBSD. */
static int
start(struct run *run, const struct run_spec *spec)
{
	int output = open_output(run);
	int64_t started;
	int fd, ret, saved;

	run->process.clock = process_clock();
	ret = spawn_shell(run, spec, output, &run->process.pid, &fd);
	saved = errno;
	started = ret == 0 ? process_started(run->process.pid) : -1;
	if (started >= 0)
		run->process.clock = started;
	if (ret == 0 && !run->kept && output != -1)
		run->output = output;
	else if (output != -1)
		close(output);
	errno = saved;
	if (ret == -1)
		return (-1);
	return (ends_watch_child(run->runs->ends, &run->end, run->process.pid,
	    fd, on_ended, run));
}

int
run_start(struct runs *runs, const struct run_spec *spec,
    struct run_process *process, void (*ended)(void *, const struct run_end *),
    void *arg)
{
	struct run *run = new_run(runs, spec, spec->timeout, ended, arg);

	if (run == NULL)
		return (-1);
	if (start(run, spec) == -1) {
		cancel_run(run);
		return (-1);
	}
	*process = run->process;
	list(run);
	return (0);
}

/* Is there output of it?  -1 with errno: that cannot be told. */
static int
find_output(const struct runs *runs, const struct run_spec *spec,
    struct stat *st)
{
	char file[FILE_NAME_MAX];

	name_output(file, spec->id, spec->run, SUFFIX);
	if (runs->dirfd == -1)
		return (0);
	if (fstatat(runs->dirfd, file, st, AT_SYMLINK_NOFOLLOW) == 0)
		return (1);
	return (errno == ENOENT ? 0 : -1);
}

/* Starts are told in clock ticks. */
#define CLOCK_SLACK_MS	30

/*
 * The process, or 0: it is not there any more, its number alone proves nothing.
 * -1 with errno: that cannot be told.
 */
static pid_t
find_process(const struct run_process *process, const struct stat *st)
{
	int64_t started;

	if (process->pid == 0)
		return (process_find_writer(st));
	started = process_started(process->pid);
	if (started == -1 && errno != ESRCH)
		return (-1);
	return (started >= process->clock - CLOCK_SLACK_MS &&
	    started <= process->clock + CLOCK_SLACK_MS ? process->pid : 0);
}

static void
on_gone(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	on_ended(run, 0);
}

/* Watches it, or has its end told from the loop. */
static int
watch_adopted(struct run *run, const struct run_process *process,
    const struct stat *st)
{
	pid_t pid = find_process(process, st), now;

	if (pid == -1)
		return (-1);
	if (pid != 0 && process->pid == 0) {
		/* Found by its output. */
		run->process.pid = pid;
		run->process.clock = process_started(pid);
	}
	if (pid != 0 && ends_watch_other(run->runs->ends, &run->end, pid, -1,
	    on_ended, run) == 0) {
		/* In between the number may have changed hands. */
		now = find_process(process, st);
		if (now == pid)
			return (0);
		ends_forget(run->runs->ends, &run->end);
		if (now == -1)
			return (-1);
	} else if (pid != 0 && errno != ESRCH)
		return (-1);
	run->gone = evtimer_new(run->runs->base, on_gone, run);
	if (run->gone == NULL)
		return (-1);
	event_active(run->gone, EV_TIMEOUT, 0);
	return (0);
}

/* What is left of the time limit, at least a second. */
static uint32_t
left(uint32_t timeout, int64_t age_ms)
{
	if (timeout == 0 || age_ms < 0)
		return (timeout);
	return (age_ms / 1000 < (int64_t)timeout ?
	    timeout - (uint32_t)(age_ms / 1000) : 1);
}

int
run_adopt(struct runs *runs, const struct run_spec *spec,
    const struct run_process *process, int64_t at,
    void (*ended)(void *, const struct run_end *), void *arg)
{
	struct stat st = { 0 };
	int kept = find_output(runs, spec, &st);
	int64_t age = process->pid != 0 ? process_clock() - process->clock :
	    clock_real_ms() - at;
	struct run *run;

	if (kept == -1)
		return (-1);
	if (process->pid == 0 && kept == 0) {
		/* It was not begun; what was made for it is made again. */
		remove_output(runs, spec->id, spec->run, SUFFIX_NEW);
		return (1);
	}
	run = new_run(runs, spec, left(spec->timeout, age), ended, arg);
	if (run == NULL)
		return (-1);
	run->kept = kept == 1;
	run->adopted = true;
	run->at = at;
	run->started_ms -= age > 0 ? age : 0;
	run->process = *process;
	if (watch_adopted(run, process, &st) == -1) {
		/* The output stays: the run goes on. */
		run->kept = false;
		cancel_run(run);
		return (-1);
	}
	list(run);
	return (0);
}

bool
runs_has(const struct runs *runs, uint64_t id, uint64_t number)
{
	const struct run *run;

	LIST_FOREACH(run, &runs->list, entry)
		if (run->id == id && run->number == number)
			return (true);
	return (false);
}

int
runs_save(struct runs *runs, int (*add)(void *, const struct wire_record *),
    void *arg)
{
	struct run *run;
	int ret = 0;

	LIST_FOREACH(run, &runs->list, entry) {
		struct wire_record rec = { .kind = RECORD_TRIGGER,
		    .id = run->id, .run = run->number, .at = run->at,
		    .pid = run->process.pid, .clock = run->process.clock };

		if (ret == 0)
			ret = add(arg, &rec);
		rec.kind = RECORD_RUN;
		/* Else it is found by its output again. */
		if (ret == 0 && rec.pid > 0 && rec.clock >= 0)
			ret = add(arg, &rec);
	}
	return (ret);
}
