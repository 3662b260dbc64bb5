/*
 * What was acknowledged is there: a daemon that is killed, or restarted,
 * again and again under the hands of many clients.
 *
 *   chaos kill    DAEMON DIR JAIL ROUNDS SEED
 *   chaos upgrade DAEMON DIR JAIL RESTARTS HUPS
 *   chaos soak    DAEMON DIR JAIL SECONDS SEED
 *
 * JAIL is a pid on Linux, a jid on FreeBSD.
 *
 * kill: clients arm, trigger and disarm at random, while the daemon is killed
 * at random instants, its start and its stop among them.  Afterwards every
 * action that was acknowledged is there once, none that was disarmed is, a
 * single shot has either run or is there, no probe is left over, and no command
 * ran more often than it was triggered.
 *
 * upgrade: the daemon is stopped in order and started again, while probes are
 * hung up as fast as they appear.  The kernel is asked what each probe died of.
 * Each action ran its command just as often as a SIGHUP ended a probe of it;
 * and a SIGHUP that kill(2) took for a probe which something else ended came
 * when that end had begun: within a stop of the daemon, and the kernel dropped
 * it.  All other attempts found no probe.
 *
 * soak: one daemon, and clients who arm, hang up, end, list, run and disarm at
 * random.  Now and then all is disarmed and what the daemon then holds is
 * noted: no more at the end than after the first tenth, or some thousand
 * requests on a slow machine.
 *
 * Prints what it found, a line each; the exit status is 0 if all is well.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"

#define WORKERS		6
#define SLOTS		4096	/* actions of one worker, in all */
#define LIVE		12	/* of those, at a time */
#define UID_FIRST	50000	/* each chaos has probes of its own uid */
#define UIDS		10000
#define LINE_MAX_	(1024 * 1024)

enum fate {
	UNKNOWN,		/* the answer to the arming did not come */
	THERE,
	FIRED,			/* a single shot that may be gone */
	MAYBE_GONE,		/* the answer to the disarming did not come */
	GONE,
};

struct slot {
	char		 title[24];
	char		 mode;		/* 'n', 'a' or 'w' of respawn */
	enum fate	 fate;
	unsigned long	 id;
	unsigned int	 hups;		/* at most so many */
};

struct shared {
	volatile bool	 stop;
	volatile unsigned long requests, acknowledged, triggered;
	unsigned int	 used[WORKERS];
	struct slot	 slots[WORKERS][SLOTS];
	volatile bool	 calm;		/* no more hanging up */
	struct books	 books;		/* of upgrade */
	volatile unsigned long absent;	/* looked for, and not there */
};

static const char	*daemon_path, *dir;
static unsigned int	 uid_here;
static char		 socket_path[100];
static long		 jail;
static pid_t		 daemon_pid;
static struct shared	*sh;
static int		 failures;

static void __attribute__((format(printf, 2, 3)))
check(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	failures++;
	va_start(ap, fmt);
	printf("WRONG: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

static void
nap(long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* -- the wire ----------------------------------------------------------- */

static int
dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { 20, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", socket_path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		return (-1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return (fd);
}

/* All lines up to the reply; NULL: the connection broke.  To be freed. */
static char *
ask(const char *request)
{
	char *buf = malloc(LINE_MAX_ + 1), *last;
	size_t used = 0;
	ssize_t n;
	int fd = dial();

	if (fd == -1)
		goto fail;
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) !=
	    (ssize_t)strlen(request))
		goto fail;
	while (used < LINE_MAX_ &&
	    (n = read(fd, buf + used, LINE_MAX_ - used)) > 0) {
		used += (size_t)n;
		buf[used] = '\0';
		if (buf[used - 1] != '\n')
			continue;
		last = buf + used - 1;
		while (last > buf && last[-1] != '\n')
			last--;
		if (strstr(last, "\"ok\":") != NULL) {
			close(fd);
			return (buf);
		}
	}
fail:
	if (fd != -1)
		close(fd);
	free(buf);
	return (NULL);
}

/* The same for a request that is made up. */
static char * __attribute__((format(printf, 1, 2)))
askf(const char *fmt, ...)
{
	char request[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(request, sizeof(request), fmt, ap);
	va_end(ap);
	return (ask(request));
}

static unsigned long
number(const char *line, const char *key)
{
	char pattern[32];
	const char *p;

	snprintf(pattern, sizeof(pattern), "\"%s\":", key);
	p = strstr(line, pattern);
	return (p == NULL ? 0 : strtoul(p + strlen(pattern), NULL, 10));
}

/* -- the daemon ---------------------------------------------------------- */

static bool
is_up(void)
{
	char *reply = ask("{\"v\":1,\"verb\":\"ping\"}\n");
	bool up = reply != NULL;

	free(reply);
	return (up);
}

static void
launch_daemon(void)
{
	char path[200], state[200], pidfile[200];
	int fd;

	daemon_pid = fork();
	if (daemon_pid == 0) {
		snprintf(path, sizeof(path), "%s/log", dir);
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 2);
		snprintf(state, sizeof(state), "%s/state", dir);
		snprintf(pidfile, sizeof(pidfile), "%s/pid", dir);
		execl(daemon_path, "jaildaemon", "-D", "-d", "-f",
		    socket_path, "-p", pidfile, "-S", state, (char *)NULL);
		_exit(127);
	}
}

static void
start_daemon(void)
{
	launch_daemon();
	for (int i = 0; i < 2000 && !is_up(); i++) {
		if (waitpid(daemon_pid, NULL, WNOHANG) == daemon_pid) {
			printf("WRONG: the daemon does not start: see its "
			    "log\n");
			sh->stop = true;
			exit(1);
		}
		nap(5000);
	}
}

static void
end_daemon(int sig)
{
	int status;

	kill(daemon_pid, sig);
	waitpid(daemon_pid, &status, 0);
	check(sig == SIGKILL || (WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0), "the daemon ended with %#x", status);
}

/* -- kill: clients ------------------------------------------------------- */

static struct slot *
pick(int w, unsigned int seed)
{
	struct slot *live[SLOTS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < sh->used[w]; i++)
		if (sh->slots[w][i].fate == THERE)
			live[n++] = &sh->slots[w][i];
	return (n == 0 ? NULL : live[seed % n]);
}

static unsigned int
count_live(int w)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < sh->used[w]; i++)
		n += sh->slots[w][i].fate == THERE;
	return (n);
}

static void
arm(int w, unsigned int seed)
{
	static const char *const modes[] = { "never", "after", "now" };
	struct slot *s;
	char *reply;

	if (sh->used[w] == SLOTS || count_live(w) >= LIVE)
		return;
	s = &sh->slots[w][sh->used[w]];
	snprintf(s->title, sizeof(s->title), "C%d_%u", w, sh->used[w]);
	s->mode = "naw"[seed % 3];
	s->fate = UNKNOWN;
	sh->used[w]++;
	reply = askf("{\"v\":1,\"verb\":\"arm\"," JAIL_KEY ","
	    "\"title\":\"%s\",\"uid\":%u,\"respawn\":\"%s\","
	    "\"command\":\"echo x >>%s/runs/%s; sleep 0.%u\"}\n", jail,
	    s->title, uid_here, modes[seed % 3], dir, s->title,
	    seed / 3 % 4);
	if (reply != NULL && strstr(reply, "\"ok\":true") != NULL) {
		s->id = number(reply, "id");
		s->fate = THERE;
		sh->acknowledged++;
	} else if (reply != NULL)
		s->fate = GONE;
	free(reply);
}

/* The pid of a slot's probe, or 0. */
static pid_t
find_probe(const struct slot *s)
{
	char want[64], *reply;
	pid_t pid = 0;

	reply = askf("{\"v\":1,\"verb\":\"list\",\"title\":\"%s\"}\n",
	    s->title);
	if (reply != NULL)
		pid = (pid_t)number(reply, "pid");
	free(reply);
	if (pid == 0)
		return (0);
	snprintf(want, sizeof(want), "jailprobe: %s", s->title);
	return (process_is(pid, want) ? pid : 0);
}

static void
trigger(int w, unsigned int seed)
{
	struct slot *s = pick(w, seed);
	pid_t pid = s == NULL ? 0 : find_probe(s);

	if (pid == 0)
		return;
	if (s->mode == 'n')
		s->fate = FIRED;
	if (kill(pid, SIGHUP) == 0) {
		s->hups++;
		sh->triggered++;
	}
}

static void
disarm(int w, unsigned int seed)
{
	struct slot *s = pick(w, seed);
	char *reply;

	if (s == NULL)
		return;
	s->fate = MAYBE_GONE;
	reply = askf("{\"v\":1,\"verb\":\"disarm\",\"ids\":[%lu]}\n",
	    s->id);
	if (reply == NULL)
		return;
	if (strstr(reply, "the daemon is stopping") != NULL)
		s->fate = THERE;
	else {
		check(strstr(reply, "\"ok\":true") != NULL, "%s, id %lu, is "
		    "not known: %s", s->title, s->id, reply);
		s->fate = GONE;
		sh->acknowledged++;
	}
	free(reply);
}

static int
work(int w, unsigned int seed)
{
	srand(seed + (unsigned int)w);
	while (!sh->stop) {
		unsigned int r = (unsigned int)rand();

		sh->requests++;
		switch (r % 8) {
		case 0: case 1: case 2: case 3:
			arm(w, r / 8);
			break;
		case 4: case 5: case 6:
			trigger(w, r / 8);
			break;
		default:
			disarm(w, r / 8);
		}
		nap(r / 8 % 3000);
	}
	return (failures != 0);
}

/* -- what is true afterwards --------------------------------------------- */

static unsigned int
count_runs(const char *title)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/runs/%s", dir, title);
	return (stat(path, &st) == -1 ? 0 : (unsigned int)st.st_size / 2);
}

static unsigned int
count_listed(const char *list, const char *title)
{
	char pattern[64];
	unsigned int n = 0;

	snprintf(pattern, sizeof(pattern), "\"title\":\"%s\"", title);
	for (const char *p = list; (p = strstr(p, pattern)) != NULL; p++)
		n++;
	return (n);
}

static void
judge(const struct slot *s, const char *list)
{
	unsigned int listed = count_listed(list, s->title);
	unsigned int runs = count_runs(s->title);

	check(runs <= s->hups, "%s ran %u times, hung up %u times", s->title,
	    runs, s->hups);
	check(listed <= 1, "%s is there %u times", s->title, listed);
	if (s->fate == THERE)
		check(listed == 1, "%s (id %lu, mode %c) was acknowledged "
		    "and is not there", s->title, s->id, s->mode);
	/* Where the HUP came while no daemon was there it is there again. */
	if (s->fate == FIRED)
		check(listed + runs == 1, "%s (id %lu), a single shot, ran %u "
		    "times and is there %u times", s->title, s->id, runs,
		    listed);
	if (s->fate == GONE)
		check(listed == 0, "%s (id %lu) was disarmed and is there",
		    s->title, s->id);
}

/* Nothing is on its way any more. */
static char *
settle(void)
{
	char *list = NULL;

	for (int i = 0; i < 200; i++) {
		free(list);
		list = ask("{\"v\":1,\"verb\":\"list\"}\n");
		if (list != NULL && strstr(list, "ing\",\"p") == NULL &&
		    strstr(list, "\"state\":\"rearming\"") == NULL &&
		    strstr(list, "\"state\":\"running\"") == NULL &&
		    strstr(list, "\"state\":\"resting\"") == NULL &&
		    strstr(list, "\"state\":\"ending\"") == NULL)
			return (list);
		nap(50000);
	}
	check(false, "it does not come to rest");
	return (list);
}

/* Now and then when it is told to stop, and before it has started. */
static void
kill_daemon(int round)
{
	if (round % 4 == 1) {
		kill(daemon_pid, SIGTERM);
		nap(rand() % 20000);
	}
	end_daemon(SIGKILL);
	if (round % 3 == 1) {
		launch_daemon();
		nap(rand() % 30000);
		end_daemon(SIGKILL);
	}
}

static void
run_kill(int rounds, unsigned int seed)
{
	pid_t workers[WORKERS];
	unsigned int armed, probes, total = 0;
	char *list;
	int status;

	start_daemon();
	for (int w = 0; w < WORKERS; w++)
		if ((workers[w] = fork()) == 0)
			_exit(work(w, seed));
	srand(seed);
	for (int i = 0; i < rounds; i++) {
		unsigned long until = sh->acknowledged +
		    (unsigned long)rand() % 16;

		/* However slow the machine is, something has to happen. */
		for (int j = 0; j < 100 && sh->acknowledged < until; j++)
			nap(5000);
		nap(rand() % 10000);
		kill_daemon(i);
		start_daemon();
	}
	sh->stop = true;
	for (int w = 0; w < WORKERS; w++) {
		waitpid(workers[w], &status, 0);
		check(status == 0, "client %d found something", w);
	}
	check(sh->acknowledged >= (unsigned long)rounds &&
	    sh->triggered >= (unsigned long)rounds / 4, "little was done");
	list = settle();
	for (int w = 0; w < WORKERS; w++)
		for (unsigned int i = 0; i < sh->used[w]; i++, total++)
			judge(&sh->slots[w][i], list);
	armed = 0;
	for (const char *p = list;
	    (p = strstr(p, "\"state\":\"armed\"")) != NULL; p++)
		armed++;
	probes = probes_count(uid_here);
	check(probes == armed, "%u probes for %u armed actions", probes,
	    armed);
	printf("seed %u: %d kills, %lu requests, %u actions, %lu acknowledged, "
	    "%lu triggers, %u armed at the end\n", seed, rounds, sh->requests,
	    total, sh->acknowledged, sh->triggered, armed);
	free(list);
	end_daemon(SIGTERM);
	check(probes_count(uid_here) == 0, "a probe is left over");
}

/* -- upgrade: the books --------------------------------------------------- */

int64_t
books_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static bool
died_of(int status, int sig)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

void
books_death(struct books *books, pid_t pid, int status)
{
	if (books->death_count == BOOK_MAX)
		return;
	books->deaths[books->death_count].pid = pid;
	books->deaths[books->death_count].status = status;
	books->deaths[books->death_count].at = books_now();
	books->death_count++;
	books->hup_deaths += died_of(status, SIGHUP);
}

void
books_hang_up(struct books *books, pid_t pid, int target)
{
	struct hup *hup = &books->hups[books->hup_count];

	if (books->hup_count == BOOK_MAX)
		return;
	hup->pid = pid;
	hup->target = target;
	hup->from = books_now();
	if (kill(pid, SIGHUP) == -1) {
		books->failed++;
		return;
	}
	hup->to = books_now();
	hup->pending = deaths_is_pending(pid);
	books->hup_count++;
}

static int
compare_deaths(const void *a, const void *b)
{
	const struct death *x = a, *y = b;

	if (x->pid != y->pid)
		return (x->pid < y->pid ? -1 : 1);
	return (x->at < y->at ? -1 : x->at > y->at);
}

/*
 * The end of what was hung up.  It can have been heard of before, while the
 * process was still there; no number comes back within a second.
 */
static struct death *
find_death(struct books *books, const struct hup *hup)
{
	struct death key = { .pid = hup->pid, .at = hup->from - 1000000000 };
	unsigned int low = 0, high = books->death_count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (compare_deaths(&books->deaths[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (low < books->death_count && books->deaths[low].pid == hup->pid ?
	    &books->deaths[low] : NULL);
}

/* -- upgrade -------------------------------------------------------------- */

#define TARGETS	64
#define TARGET	"jailprobe: U"
#define STOPS_MAX	4096
#define BUSY	2
#define STOP_SLOW_NS	1000000000	/* PROBE_KILL_MS of src/probe.h */

/* From the signal to its end: what a daemon took to stop. */
struct stop {
	int64_t		 from, to;
};

static void
arm_targets(void)
{
	for (int i = 0; i < TARGETS; i++) {
		char *reply = askf("{\"v\":1,\"verb\":\"arm\"," JAIL_KEY ","
		    "\"title\":\"U%d\",\"uid\":%u,\"respawn\":\"%s\","
		    "\"command\":\"echo x >>%s/runs/U%d\"}\n", jail, i,
		    uid_here, i % 2 == 0 ? "now" : "after", dir, i);

		check(reply != NULL && strstr(reply, "\"ok\":true") != NULL,
		    "U%d cannot be armed: %s", i, reply == NULL ? "no reply" :
		    reply);
		free(reply);
	}
}

/* The stop of the daemon within which the signal was sent. */
static const struct stop *
find_stop(const struct hup *hup, const struct stop *stops, int count)
{
	for (int i = 0; i < count; i++)
		if (hup->to >= stops[i].from && hup->from <= stops[i].to)
			return (&stops[i]);
	return (NULL);
}

/*
 * Something else has ended what was hung up: its end had begun, and that was
 * because the daemon was stopping.  A probe that had no time to do anything for
 * a second was killed, with whatever waited.
 */
static void
check_late(const struct hup *hup, int status, const struct stop *stop)
{
	bool slow = stop != NULL && stop->to - stop->from >= STOP_SLOW_NS &&
	    died_of(status, SIGKILL);

	/* Of several that wait the HUP comes first. */
	check(slow || (!hup->pending && died_of(status, SIGTERM)),
	    "process %d of U%d was hung up in time, and ended by %#x",
	    hup->pid, hup->target, status);
	check(stop != NULL, "process %d of U%d was hung up, and ended by %#x, "
	    "though no daemon was stopping", hup->pid, hup->target, status);
}

/* Each signal that kill(2) took has come to something, or came too late. */
static void
audit(struct books *books, const struct stop *stops, int count)
{
	unsigned int ended[TARGETS] = { 0 }, late = 0, more = 0, runs, sum = 0;
	unsigned long total = 0;

	check(books->hup_count < BOOK_MAX && books->death_count < BOOK_MAX,
	    "the books are full");
	qsort(books->deaths, books->death_count, sizeof(books->deaths[0]),
	    compare_deaths);
	for (unsigned int i = 0; i < books->hup_count; i++) {
		const struct hup *hup = &books->hups[i];
		struct death *death = find_death(books, hup);

		check(death != NULL, "process %d of U%d was hung up and has no "
		    "end", hup->pid, hup->target);
		check(hup->target >= 0 && hup->target < TARGETS,
		    "there is no U%d", hup->target);
		if (death == NULL || hup->target < 0 || hup->target >= TARGETS)
			continue;
		if (died_of(death->status, SIGHUP)) {
			more += death->booked;
			ended[hup->target] += !death->booked;
			death->booked = true;
		} else {
			late++;
			check_late(hup, death->status,
			    find_stop(hup, stops, count));
		}
	}
	for (unsigned int i = 0; i < books->death_count; i++)
		check(books->deaths[i].booked ||
		    !died_of(books->deaths[i].status, SIGHUP),
		    "process %d died of a SIGHUP that nobody sent",
		    books->deaths[i].pid);
	for (int i = 0; i < TARGETS; i++) {
		char title[16];

		snprintf(title, sizeof(title), "U%d", i);
		runs = count_runs(title);
		check(runs == ended[i], "%s ran %u times, and a SIGHUP ended "
		    "%u of its probes", title, runs, ended[i]);
		sum += ended[i];
		total += runs;
	}
	printf("%d stops, %u signals: %u ended a probe, %u came to one that "
	    "had been ended so, %u to one that the stop had ended\n"
	    "%lu runs; %lu times no probe was there, %lu times not any more\n",
	    count, books->hup_count, sum, more, late, total, sh->absent,
	    books->failed);
}

static void
hang_up_all(void)
{
	while (!sh->calm) {
		unsigned int found = deaths_hang_up(jail, uid_here,
		    TARGET, &sh->books);

		sh->absent += found < TARGETS ? TARGETS - found : 0;
		nap(2000);
	}
	deaths_settle(&sh->books);
}

/* Somebody else's daily work, with probes of another uid. */
static void
be_busy(int n)
{
	while (!sh->calm) {
		free(askf("{\"v\":1,\"verb\":\"arm\"," JAIL_KEY ","
		    "\"title\":\"B%d\",\"uid\":%u,"
		    "\"respawn\":\"after\",\"command\":\":\"}\n", jail, n,
		    uid_here + UIDS));
		free(ask("{\"v\":1,\"verb\":\"list\"}\n"));
		free(askf("{\"v\":1,\"verb\":\"disarm\","
		    "\"title\":\"B%d\"}\n", n));
		nap(1000);
	}
}

static void
run_upgrade(int restarts, unsigned long hups)
{
	static struct stop stops[STOPS_MAX];
	int fd = deaths_open(), status, done = 0;
	pid_t listener, sender, busy[BUSY];

	if (fd == -1) {
		check(false, "the kernel does not tell of deaths");
		return;
	}
	if ((listener = fork()) == 0)
		_exit(deaths_listen(fd, uid_here, &sh->stop, &sh->books));
	close(fd);
	start_daemon();
	arm_targets();
	if ((sender = fork()) == 0) {
		hang_up_all();
		_exit(0);
	}
	for (int i = 0; i < BUSY; i++)
		if ((busy[i] = fork()) == 0) {
			be_busy(i);
			_exit(0);
		}
	for (int i = 0; i < 3000 && done < STOPS_MAX && (done < restarts ||
	    sh->books.hup_deaths < hups); i++) {
		nap(100000);
		if (sh->books.hup_deaths * (unsigned long)restarts >=
		    hups * (unsigned long)done || done < restarts / 2) {
			stops[done].from = books_now();
			end_daemon(SIGTERM);
			stops[done].to = books_now();
			done++;
			start_daemon();
		}
	}
	sh->calm = true;
	waitpid(sender, NULL, 0);
	for (int i = 0; i < BUSY; i++)
		waitpid(busy[i], NULL, 0);
	free(settle());
	nap(300000);
	sh->stop = true;
	waitpid(listener, &status, 0);
	check(status == 0, "the deaths are not all there");
	audit(&sh->books, stops, done);
	check(done >= restarts && sh->books.hup_deaths >= hups,
	    "it took too long: %lu probes ended by SIGHUP",
	    sh->books.hup_deaths);
	end_daemon(SIGTERM);
	check(probes_count(uid_here) == 0, "a probe is left over");
}

/* -- soak: what the daemon holds ------------------------------------------ */

#define SOAK_TITLES	40	/* of one worker */
#define SOAK_PERIODS	10
#define SOAK_WARM	4000	/* requests, until it holds what it needs */
#define SOAK_SLACK_KB	256	/* the allocator's, between two quiet moments */

/* One request; is it answered?  A refusal is an answer. */
static void __attribute__((format(printf, 1, 2)))
request(const char *fmt, ...)
{
	char line[1024], *reply;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	reply = ask(line);
	sh->requests++;
	sh->acknowledged += reply != NULL &&
	    strstr(reply, "\"ok\":true") != NULL;
	check(reply != NULL, "no answer to %s", line);
	free(reply);
}

static void
soak_signal(const struct slot *s, int sig)
{
	pid_t pid = find_probe(s);

	if (pid != 0 && kill(pid, sig) == 0)
		sh->triggered += sig == SIGHUP;
}

/* All kinds of actions, some that fail, print, last, or are limited. */
static void
soak_arm(const struct slot *s, unsigned int seed)
{
	static const char *const commands[] = { "echo x >>%s/runs/%s",
	    "exit 3 # %s %s", "sleep 0.2 # %s %s", "kill -9 $$ # %s %s",
	    "head -c 100000 /dev/zero # %s %s" };
	static const char *const modes[] = { "never", "after", "now" };
	static const char *const more[] = { "", ",\"interval\":1",
	    ",\"timeout\":1", ",\"feedback\":true" };
	char command[256];

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
	snprintf(command, sizeof(command), commands[seed % 5], dir, s->title);
	request("{\"v\":1,\"verb\":\"arm\"," JAIL_KEY ",\"title\":\"%s\","
	    "\"uid\":%u,\"respawn\":\"%s\",\"command\":\"%s\"%s}\n", jail,
	    s->title, uid_here, modes[seed / 5 % 3], command,
	    more[seed / 15 % 4]);
}

static void
soak_disarm(const struct slot *s)
{
	request("{\"v\":1,\"verb\":\"disarm\",\"title\":\"%s\"}\n", s->title);
}

static int
soak_work(int w, unsigned int seed)
{
	srand(seed + (unsigned int)w);
	while (!sh->stop) {
		unsigned int r = (unsigned int)rand();
		struct slot *s = &sh->slots[w][r % SOAK_TITLES];

		if (sh->calm) {
			sh->used[w] = 1;
			nap(10000);
			continue;
		}
		sh->used[w] = 0;
		r /= SOAK_TITLES;
		switch (r % 8) {
		case 0: case 1: case 2:
			soak_arm(s, r / 8);
			break;
		case 3: case 4:
			soak_signal(s, SIGHUP);
			break;
		case 5:
			soak_signal(s, r / 8 % 2 == 0 ? SIGTERM : SIGKILL);
			break;
		case 6:
			request("{\"v\":1,\"verb\":\"%s\"}\n",
			    r / 8 % 2 == 0 ? "list" : "metrics");
			break;
		default:
			soak_disarm(s);
		}
	}
	return (failures != 0);
}

/* The fewest descriptors of a second: a run that still goes on has one. */
static void
soak_held(struct held *held)
{
	long fewest = LONG_MAX;

	for (int i = 0; i < 20; i++) {
		nap(50000);
		process_held(daemon_pid, held);
		if (held->descriptors < fewest)
			fewest = held->descriptors;
	}
	held->descriptors = fewest;
}

/* Everybody waits, and nothing is armed. */
static void
soak_quiet(struct held *held)
{
	char *list = NULL;

	sh->calm = true;
	for (int w = 0; w < WORKERS; w++)
		for (int i = 0; i < 3000 && sh->used[w] == 0; i++)
			nap(10000);
	for (int w = 0; w < WORKERS; w++)
		for (int i = 0; i < SOAK_TITLES; i++)
			soak_disarm(&sh->slots[w][i]);
	for (int i = 0; i < 600; i++) {
		free(list);
		list = ask("{\"v\":1,\"verb\":\"list\"}\n");
		if (list != NULL && strstr(list, "\"id\"") == NULL &&
		    probes_count(uid_here) == 0)
			break;
		nap(50000);
	}
	check(list != NULL && strstr(list, "\"id\"") == NULL,
	    "something is still armed: %.300s", list == NULL ? "" : list);
	check(probes_count(uid_here) == 0, "a probe is left over");
	free(list);
	soak_held(held);
	printf("%lu requests, %lu acknowledged, %lu HUPs: %ld kB, %ld "
	    "descriptors\n", sh->requests, sh->acknowledged, sh->triggered,
	    held->kb, held->descriptors);
	sh->calm = false;
}

static void
run_soak(int seconds, unsigned int seed)
{
	pid_t workers[WORKERS];
	struct held first = { 0, 0 }, last = { 0, 0 };
	int status;

	for (int w = 0; w < WORKERS; w++)
		for (int i = 0; i < SOAK_TITLES; i++)
			snprintf(sh->slots[w][i].title,
			    sizeof(sh->slots[w][i].title), "S%d_%d", w, i);
	start_daemon();
	for (int w = 0; w < WORKERS; w++)
		if ((workers[w] = fork()) == 0)
			_exit(soak_work(w, seed));
	for (int i = 0; i < SOAK_PERIODS; i++) {
		nap(seconds * (1000000L / SOAK_PERIODS));
		soak_quiet(i == 0 || (i < SOAK_PERIODS / 2 &&
		    sh->requests < SOAK_WARM) ? &first : &last);
	}
	sh->stop = true;
	for (int w = 0; w < WORKERS; w++) {
		waitpid(workers[w], &status, 0);
		check(status == 0, "client %d found something", w);
	}
	check(sh->acknowledged >= (unsigned long)seconds * 10 &&
	    sh->triggered >= (unsigned long)seconds, "little was done");
	check(first.kb > 0 && last.kb <= first.kb + SOAK_SLACK_KB,
	    "%ld kB have become %ld kB", first.kb, last.kb);
	check(first.descriptors > 0 && last.descriptors <= first.descriptors,
	    "%ld descriptors have become %ld", first.descriptors,
	    last.descriptors);
	end_daemon(SIGTERM);
	check(probes_count(uid_here) == 0, "a probe is left over");
}

int
main(int argc, char **argv)
{
	char path[256];

	if (argc != 7) {
		fprintf(stderr, "usage: chaos kill DAEMON DIR JAIL ROUNDS "
		    "SEED\n       chaos upgrade DAEMON DIR JAIL RESTARTS "
		    "HUPS\n       chaos soak DAEMON DIR JAIL SECONDS SEED\n");
		return (64);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	uid_here = UID_FIRST + (unsigned int)getpid() % UIDS;
	daemon_path = argv[2];
	dir = argv[3];
	jail = atol(argv[4]);
	snprintf(socket_path, sizeof(socket_path), "%s/sock", dir);
	snprintf(path, sizeof(path), "%s/runs", dir);
	mkdir(path, 0700);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		return (71);
	if (strcmp(argv[1], "kill") == 0)
		run_kill(atoi(argv[5]), (unsigned int)atoi(argv[6]));
	else if (strcmp(argv[1], "soak") == 0)
		run_soak(atoi(argv[5]), (unsigned int)atoi(argv[6]));
	else
		run_upgrade(atoi(argv[5]), strtoul(argv[6], NULL, 10));
	return (failures == 0 ? 0 : 1);
}
