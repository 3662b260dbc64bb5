#include <sys/stat.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "run.h"
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

struct run {
	LIST_ENTRY(run)	 entry;
	struct end	 end;
	struct runs	*runs;
	uint64_t	 id;
	int64_t		 started_ms;
	bool		 quiet;
	char		 file[FILE_NAME_MAX];	/* "": output is discarded */
	void		(*ended)(void *, int);
	void		*arg;
};

struct runs {
	struct ends	*ends;
	LIST_HEAD(, run) list;
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

/* The beginning of an output file goes to the log, the file away. */
static void
log_output(const struct runs *runs, const char *event, uint64_t id,
    const char *file)
{
	char *text = malloc(RUN_OUTPUT_MAX);
	int fd = openat(runs->dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st = { 0 };
	ssize_t n = -1;

	if (text != NULL && fd != -1 && fstat(fd, &st) == 0)
		n = read(fd, text, RUN_OUTPUT_MAX);
	if (n == -1)
		log_warn("event=output-unreadable id=%llu",
		    (unsigned long long)id);
	else
		log_lines(event, id, text, (size_t)n);
	if (st.st_size > RUN_OUTPUT_MAX)
		log_info("event=output-cut id=%llu bytes=%lld logged=%d",
		    (unsigned long long)id, (long long)st.st_size,
		    RUN_OUTPUT_MAX);
	if (fd != -1)
		close(fd);
	free(text);
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
		if (is_output(de->d_name))
			log_output(runs, LEFT, strtoull(de->d_name, NULL, 10),
			    de->d_name);
	closedir(dir);
}

struct runs *
runs_open(struct ends *ends, int dirfd, const struct rlimit *nofile)
{
	struct runs *runs = calloc(1, sizeof(*runs));

	if (runs == NULL)
		return (NULL);
	LIST_INIT(&runs->list);
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
	struct run *run;
	int saved = errno;

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
log_end(const struct run *run, int status)
{
	long long ms = (long long)(clock_ms() - run->started_ms);

	if (WIFSIGNALED(status))
		log_info("event=run-end id=%llu signal=%d ms=%lld",
		    (unsigned long long)run->id, WTERMSIG(status), ms);
	else
		log_info("event=run-end id=%llu status=%d ms=%lld",
		    (unsigned long long)run->id, WEXITSTATUS(status), ms);
}

static void
on_ended(void *arg, int status)
{
	struct run *run = arg;

	if (!run->quiet)
		log_end(run, status);
	if (!run->quiet && run->file[0] != '\0')
		log_output(run->runs, OURS, run->id, run->file);
	else if (run->file[0] != '\0')
		unlinkat(run->runs->dirfd, run->file, 0);
	LIST_REMOVE(run, entry);
	run->runs->count--;
	run->ended(run->arg, status);
	free(run);
}

/* A full disk must not keep a trigger from its command. */
static int
open_output(struct run *run)
{
	int fd;

	snprintf(run->file, sizeof(run->file), "%llu-%llu" SUFFIX,
	    (unsigned long long)run->id,
	    (unsigned long long)run->runs->next++);
	fd = openat(run->runs->dirfd, run->file, O_WRONLY | O_APPEND |
	    O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1)
		return (fd);
	log_warn("event=output-discarded id=%llu",
	    (unsigned long long)run->id);
	run->file[0] = '\0';
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

int
run_start(struct runs *runs, const struct run_spec *spec,
    void (*ended)(void *, int), void *arg)
{
	struct run *run = calloc(1, sizeof(*run));
	int fd, output, ret, saved;
	pid_t pid;

	if (run == NULL)
		return (-1);
	run->runs = runs;
	run->id = spec->id;
	run->quiet = spec->quiet;
	run->ended = ended;
	run->arg = arg;
	run->started_ms = clock_ms();
	output = open_output(run);
	ret = spawn_shell(runs, spec, output, &pid, &fd);
	saved = errno;
	if (output != -1)
		close(output);
	if (ret == 0)
		ret = ends_watch_child(runs->ends, &run->end, pid, fd, on_ended,
		    run);
	if (ret == -1) {
		if (run->file[0] != '\0')
			unlinkat(runs->dirfd, run->file, 0);
		free(run);
		errno = saved;
		return (-1);
	}
	LIST_INSERT_HEAD(&runs->list, run, entry);
	runs->count++;
	return (0);
}
