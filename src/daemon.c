#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef __linux__
#include <bsd/libutil.h>
#else
#include <libutil.h>
#endif

#include <event2/event.h>

#include "action.h"
#include "control.h"
#include "daemon.h"
#include "defaults.h"
#include "ends.h"
#include "lock.h"
#include "log.h"
#include "notify.h"
#include "rules.h"
#include "run.h"
#include "signals.h"
#include "spawn.h"
#include "state.h"
#include "stub.h"
#include "text.h"
#include "verb.h"
#include "watch.h"

#define DRAIN_MS	5000
#define ERR_MAX		1024

struct daemon {
	const struct options *options;
	char		*socket;	/* absolute */
	char		*pidpath;
	char		*statepath;
	char		*confpath;
	int		 parent;	/* tell it that we are ready, or -1 */
	int		 statedir;
	struct notify	 notify;
	struct rlimit	 nofile;	/* as it was at the start */
	struct rlimit	 raised;
	struct pidfh	*pidfile;
	struct event_base *base;
	struct signals	*signals;
	struct ends	*ends;
	struct runs	*runs;
	struct actions	*actions;
	struct state	*state;
	struct rules	*rules;
	struct watchers	*watchers;
	struct control	*control;
	struct verb_context verbs;
};

/* Before "ready" the daemon may give up: one line, and a status. */
__attribute__((format(printf, 2, 3)))
static int
complain(int status, const char *fmt, ...)
{
	char text[ERR_MAX], shown[4 * ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)text_show(shown, sizeof(shown), text, strlen(text));
	fprintf(stderr, "jaildaemon: %s\n", shown);
	return (status);
}

/* nohup, init and others leave signals ignored or blocked. */
static void
clean_signals(void)
{
	spawn_reset_signals();
	signal(SIGPIPE, SIG_IGN);
}

/* The daemon's folder is /, so relative paths are made absolute before. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *result;

	if (path[0] == '/')
		return (strdup(path));
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    asprintf(&result, "%s/%s", cwd, path) == -1)
		return (NULL);
	return (result);
}

/* Where -f names another socket, the folder for output is beside it. */
static char *
default_statedir(const char *socket)
{
	char *result;

	if (strcmp(socket, DEFAULTS_SOCKET) == 0)
		return (strdup(DEFAULTS_STATEDIR));
	return (asprintf(&result, "%s.d", socket) == -1 ? NULL : result);
}

static int
make_paths(struct daemon *d)
{
	d->socket = absolute(d->options->socket);
	d->pidpath = absolute(d->options->pidfile);
	if (d->socket != NULL)
		d->statepath = d->options->statedir != NULL ?
		    absolute(d->options->statedir) :
		    default_statedir(d->socket);
	d->confpath = absolute(d->options->conf != NULL ? d->options->conf :
	    DEFAULTS_CONF);
	if (d->socket == NULL || d->pidpath == NULL || d->statepath == NULL ||
	    d->confpath == NULL)
		return (complain(EX_OSERR, "cannot make paths: %s",
		    strerror(errno)));
	return (0);
}

/* Each armed action holds a descriptor, so take all that may be had. */
static int
raise_limit(struct daemon *d)
{
	if (getrlimit(RLIMIT_NOFILE, &d->nofile) == -1)
		return (complain(EX_OSERR, "getrlimit: %s", strerror(errno)));
	d->raised = d->nofile;
	d->raised.rlim_cur = d->raised.rlim_max;
	/* FreeBSD's hard limit may be above what the kernel grants. */
	if (setrlimit(RLIMIT_NOFILE, &d->raised) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &d->raised) == -1)
		d->raised = d->nofile;
	return (0);
}

/* The parent waits for its child's word, and repeats its status. */
static int
wait_for_child(int fd, pid_t pid)
{
	char byte;
	int status;

	if (read(fd, &byte, 1) == 1)
		return (EX_OK);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(status))
		return (WEXITSTATUS(status));
	return (complain(EX_SOFTWARE, "the daemon died of signal %d while "
	    "starting", WTERMSIG(status)));
}

/* True in the process that goes on; else *status is the exit status. */
static bool
go_background(struct daemon *d, int *status)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		*status = complain(EX_OSERR, "cannot start a process: %s",
		    strerror(errno));
		return (false);
	}
	if (pid != 0) {
		close(fds[1]);
		*status = wait_for_child(fds[0], pid);
		return (false);
	}
	close(fds[0]);
	d->parent = fds[1];
	setsid();
	return (true);
}

static int
open_pidfile(struct daemon *d)
{
	pid_t other = 0;
	int tries = 0;

	while ((d->pidfile = pidfile_open(d->pidpath, 0600, &other)) == NULL &&
	    errno == EEXIST && lock_again(&tries))
		continue;
	if (d->pidfile == NULL && errno == EEXIST)
		return (complain(EX_TEMPFAIL, "a jaildaemon (pid %ld) holds "
		    "the pid file %s already", (long)other, d->pidpath));
	if (d->pidfile == NULL)
		return (complain(EX_CANTCREAT, "pid file %s: %s", d->pidpath,
		    strerror(errno)));
	return (0);
}

/* The daemon's alone: commands' output may hold secrets. */
static int
open_statedir(struct daemon *d)
{
	struct stat st;

	if (strcmp(d->options->statedir != NULL ? d->options->statedir : "",
	    "none") == 0)
		return (0);
	if (mkdir(d->statepath, 0700) == -1 && errno != EEXIST)
		return (complain(EX_CANTCREAT, "folder %s: %s", d->statepath,
		    strerror(errno)));
	d->statedir = open(d->statepath, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (d->statedir == -1 || fstat(d->statedir, &st) == -1)
		return (complain(EX_CANTCREAT, "folder %s: %s", d->statepath,
		    strerror(errno)));
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return (complain(EX_NOPERM, "folder %s must belong to uid %lu "
		    "and be writable by nobody else", d->statepath,
		    (unsigned long)geteuid()));
	if (lock_take(d->statedir) == -1)
		return (complain(EX_TEMPFAIL, "another jaildaemon uses folder "
		    "%s", d->statepath));
	return (0);
}

static int
check_system(void)
{
	const char *what;

	if (stub_check(&what) == -1)
		return (complain(EX_OSERR, "this system cannot hold probes: "
		    "%s: %s", what, strerror(errno)));
	return (0);
}

static void
on_drained(void *arg)
{
	struct daemon *d = arg;

	/* Until now something could happen. */
	watchers_end(d->watchers, EX_UNAVAILABLE, "the daemon has stopped");
	event_base_loopbreak(d->base);
}

static void
on_signal(void *arg, int sig)
{
	struct daemon *d = arg;
	char err[ERR_MAX];

	if (sig == SIGHUP) {
		notify_reloading(&d->notify);
		verb_reload(&d->verbs, err, sizeof(err));
		notify_ready(&d->notify);
		return;
	}
	log_info("event=stop signal=%d actions=%u probes=%u", sig,
	    actions_count(d->actions), actions_probes(d->actions));
	notify_stopping(&d->notify);
	actions_stop(d->actions, DRAIN_MS, on_drained, d);
}

/* The environment does not choose how the loop works. */
static struct event_base *
new_loop(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return (NULL);
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK |
	    EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return (base);
}

static int
open_parts(struct daemon *d)
{
	event_set_log_callback(log_libevent);
	d->base = new_loop();
	if (d->base == NULL)
		return (complain(EX_OSERR, "no event loop"));
	d->ends = ends_open(d->base);
	d->state = state_open(d->base, d->statedir);
	if (d->ends != NULL && d->state != NULL)
		d->runs = runs_open(d->base, d->ends, d->statedir,
		    &d->nofile);
	if (d->runs != NULL)
		d->actions = actions_open(d->base, d->ends, d->runs, d->state,
		    (unsigned long)d->raised.rlim_cur);
	d->watchers = watchers_open();
	if (d->actions != NULL)
		d->rules = rules_open(d->base, d->actions, d->state,
		    d->confpath, d->options->conf != NULL);
	if (d->rules != NULL && d->watchers != NULL)
		d->signals = signals_open(d->base, on_signal, d);
	if (d->signals == NULL)
		return (complain(EX_OSERR, "cannot start: %s",
		    strerror(errno)));
	return (0);
}

static int
load_state(struct daemon *d)
{
	char err[ERR_MAX];
	int status = state_load(d->state, err, sizeof(err));

	return (status == 0 ? 0 : complain(status, "%s", err));
}

static void
on_event(void *arg, const struct wire_item *item)
{
	struct daemon *d = arg;

	watchers_tell(d->watchers, item);
}

static const char *
jail_called(void *arg, const struct jail *jail)
{
	const struct daemon *d = arg;

	return (rules_jail_name(d->rules, jail));
}

static void
on_jail_ended(void *arg, struct jail *jail)
{
	struct daemon *d = arg;

	rules_jail_ended(d->rules, jail);
}

static void
connect_parts(struct daemon *d)
{
	const struct action_listener listener = { on_event, jail_called,
	    on_jail_ended, d };

	actions_listen(d->actions, &listener);
	d->verbs.actions = d->actions;
	d->verbs.control = d->control;
	d->verbs.rules = d->rules;
	d->verbs.watchers = d->watchers;
}

/* A file that is wrong keeps the daemon from starting, and so is noticed. */
static int
read_rules(struct daemon *d)
{
	struct rules_change change;
	char err[ERR_MAX];
	int status = rules_reload(d->rules, &change, err, sizeof(err));

	return (status == 0 ? 0 : complain(status, "%s", err));
}

static int
claim_socket(struct daemon *d)
{
	char err[ERR_MAX];
	int status;

	d->control = control_claim(d->socket, &status, err, sizeof(err));
	if (d->control == NULL)
		return (complain(status, "%s", err));
	return (0);
}

/* Done, as everything that can fail, before anybody is told that we are up. */
static int
restore_state(struct daemon *d)
{
	char err[ERR_MAX];
	int status = state_restore(d->state, d->actions, d->rules, err,
	    sizeof(err));

	return (status == 0 ? 0 : complain(status, "cannot take over what the "
	    "last daemon left: %s", err));
}

/* Everything that can fail, in order; nothing is served yet. */
static int
start(struct daemon *d)
{
	int status;

	if ((status = check_system()) != 0 ||
	    (status = claim_socket(d)) != 0 ||
	    (status = open_pidfile(d)) != 0 ||
	    (status = open_statedir(d)) != 0 ||
	    (status = open_parts(d)) != 0 ||
	    (status = read_rules(d)) != 0 ||
	    (status = load_state(d)) != 0 ||
	    (status = restore_state(d)) != 0)
		return (status);
	connect_parts(d);
	if (control_serve(d->control, d->base, verb_line, &d->verbs) == -1)
		return (complain(EX_OSERR, "cannot serve: %s",
		    strerror(errno)));
	if (pidfile_write(d->pidfile) == -1)
		return (complain(EX_CANTCREAT, "pid file %s: %s", d->pidpath,
		    strerror(errno)));
	return (0);
}

/* From here on the terminal is not ours any more. */
static void
say_ready(struct daemon *d)
{
	struct log_quoted socket;
	int fd;

	log_start(d->base, d->options->foreground);
	log_info("event=start pid=%ld version=%s socket=%s descriptors=%lu",
	    (long)getpid(), VERSION, log_quote(&socket, d->socket),
	    (unsigned long)d->raised.rlim_cur);
	notify_ready(&d->notify);
	if (d->parent == -1)
		return;
	fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);
	for (int i = 0; i <= 2 && fd != -1; i++)
		dup2(fd, i);
	if (fd != -1)
		close(fd);
	/* It waits for that, or for our end. */
	while (write(d->parent, "", 1) == -1 && errno != EPIPE &&
	    errno != EBADF)
		continue;
	close(d->parent);
	d->parent = -1;
}

static void
stop(struct daemon *d)
{
	if (d->control != NULL)
		control_close(d->control);
	if (d->watchers != NULL)
		watchers_close(d->watchers);
	d->watchers = NULL;
	if (d->rules != NULL)
		rules_close(d->rules);
	if (d->actions != NULL)
		actions_close(d->actions);
	if (d->runs != NULL)
		runs_close(d->runs);
	if (d->state != NULL)
		state_close(d->state);
	ends_close(d->ends);
	signals_close(d->signals);
	log_stop();
	if (d->base != NULL)
		event_base_free(d->base);
	if (d->pidfile != NULL)
		pidfile_remove(d->pidfile);
	if (d->statedir != -1)
		close(d->statedir);
}

static int
serve(struct daemon *d)
{
	int status;

	umask(077);
	status = chdir("/") == 0 ? start(d) :
	    complain(EX_OSERR, "/: %s", strerror(errno));
	if (status == 0) {
		say_ready(d);
		state_resume(d->state, d->actions, d->rules);
		/* Rules may have gone or come while no daemon was there. */
		rules_apply(d->rules);
		runs_collect(d->runs, actions_keep, d->actions);
		if (rules_watch(d->rules) == -1)
			log_warn("event=watch");
		/*
		 * Ready.  Nothing below may end the daemon but a signal: no
		 * request, jail, child, full disk or failed allocation.
		 */
		event_base_dispatch(d->base);
	}
	stop(d);
	return (status);
}

int
daemon_run(const struct options *options)
{
	struct daemon d = { .options = options, .parent = -1, .statedir = -1 };
	int status;

	clean_signals();
	notify_open(&d.notify);
	/* Nothing that was inherited stays open but 0, 1 and 2. */
	closefrom(3);
	if (spawn_init() == -1)
		return (complain(EX_OSERR, "no descriptors: %s",
		    strerror(errno)));
	status = make_paths(&d);
	if (status == 0)
		status = raise_limit(&d);
	if (status == 0 && (options->foreground ||
	    go_background(&d, &status)))
		status = serve(&d);
	free(d.socket);
	free(d.pidpath);
	free(d.statepath);
	free(d.confpath);
	return (status);
}
