/*
 * A jaildaemon under test: started, asked over its socket, listened to in its
 * log.  Its actions are single shots with titles of their own: NAME-NUMBER.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define REQUEST_BYTES	1024
#define ANSWER_MS	60000
#define LOG_CHUNK	65536
#define LOG_TRIES	4000		/* of 5 ms each */
#define WORDS_MAX	64
#define REFUSALS_MAX	100
#define STALE_NS	5000000000	/* the daemon closes what is idle */

static void
make_path(char *path, const struct daemon *d, const char *leaf)
{
	if (snprintf(path, PATH_BYTES, "%s/%s%s", d->config->dir, d->name,
	    leaf) >= PATH_BYTES)
		die("%s: too long a path", d->config->dir);
}

static void
launch(struct daemon *d, const char *memory)
{
	static unsigned int launched;
	char pidfile[PATH_BYTES], state[PATH_BYTES], leaf[32];
	const char *words[WORDS_MAX] = { d->config->program, "-D", "-d", "-f",
	    d->sock, "-p", pidfile, "-S", state };
	int fds[3] = { -1, -1, -1 }, n = 9;

	make_path(pidfile, d, "/pid");
	/* Not the last one's: what it has armed would be armed already. */
	snprintf(leaf, sizeof(leaf), "/state.%u", launched++);
	make_path(state, d, leaf);
	for (int i = 0; i < d->config->noptions && n < WORDS_MAX - 1; i++)
		words[n++] = d->config->options[i];
	fds[1] = fds[2] = open(d->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
	    O_CLOEXEC, 0600);
	d->logfd = open(d->log, O_RDONLY | O_CLOEXEC);
	if (fds[1] == -1 || d->logfd == -1)
		die("%s", d->log);
	d->pid = child_start(words, fds, memory);
	close(fds[1]);
}

struct daemon *
daemon_start(const struct config *config, const char *name,
    const char *memory)
{
	struct daemon *d = grow(NULL, 1, sizeof(*d));
	char dir[PATH_BYTES];

	memset(d, 0, sizeof(*d));
	d->config = config;
	snprintf(d->name, sizeof(d->name), "%s", name);
	make_path(dir, d, "");
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		die("%s", dir);
	make_path(d->sock, d, "/sock");
	make_path(d->log, d, "/log");
	launch(d, memory);
	d->conn = dial(d->sock);
	d->spoke = now_ns();
	return (d);
}

void
daemon_leave(struct daemon *d)
{
	if (d->conn != -1)
		close(d->conn);
	d->conn = -1;
}

void
daemon_stop(struct daemon *d)
{
	daemon_leave(d);
	close(d->logfd);
	child_stop(d->pid, SIGTERM);
	free(d->text);
	free(d->probes);
	free(d);
}

/* -- the log ----------------------------------------------------------------- */

/* event=arm id=7 ... pid=123 title="NAME-7" ... */
static void
note_probe(struct daemon *d, const char *line)
{
	const char *pid = strstr(line, " pid=");
	const char *title = strstr(line, " title=\"");
	unsigned int number = d->rooms;

	if (pid != NULL && title != NULL && (title = strchr(title, '-')) !=
	    NULL)
		number = (unsigned int)strtoul(title + 1, NULL, 10);
	if (number < d->rooms)
		d->probes[number] = (pid_t)strtol(pid + 5, NULL, 10);
}

static void
note_line(struct daemon *d, const char *line)
{
	const char *event = strstr(line, "event=");

	if (event == NULL)
		return;
	event += strlen("event=");
	if (strncmp(event, "arm ", 4) == 0)
		note_probe(d, event);
	else if (strncmp(event, "trigger ", 8) == 0)
		d->triggers++;
	else if (strncmp(event, "run-end ", 8) == 0)
		d->ended++;
	else if (strncmp(event, "lost ", 5) == 0)
		d->lost++;
	else if (strncmp(event, "bug ", 4) == 0 ||
	    (strncmp(event, "refuse ", 7) == 0 &&
	    strstr(event, " status=75 ") == NULL))
		die("the daemon says: %s", line);
}

void
daemon_listen(struct daemon *d)
{
	char *line, *end;
	ssize_t n;

	do {
		if (d->room - d->used < LOG_CHUNK) {
			d->room += LOG_CHUNK;
			d->text = grow(d->text, d->room + 1, 1);
		}
		n = read(d->logfd, d->text + d->used, LOG_CHUNK);
		if (n > 0)
			d->used += (size_t)n;
		d->text[d->used] = '\0';
		for (line = d->text; (end = strchr(line, '\n')) != NULL;
		    line = end + 1) {
			*end = '\0';
			note_line(d, line);
		}
		d->used -= (size_t)(line - d->text);
		memmove(d->text, line, d->used);
	} while (n > 0);
}

void
daemon_wait(struct daemon *d, const unsigned int *what, unsigned int count)
{
	for (int tries = 0; tries < LOG_TRIES; tries++) {
		daemon_listen(d);
		if (*what >= count)
			return;
		pause_us(5000);
	}
	errno = 0;
	die("%s: the log speaks of %u where %u were to come", d->name, *what,
	    count);
}

pid_t
daemon_probe(struct daemon *d, unsigned int number)
{
	if (d->probes[number] == 0)
		daemon_listen(d);
	if (d->probes[number] == 0)
		die("%s-%u was armed and the log does not say so", d->name,
		    number);
	return (d->probes[number]);
}

void
daemon_shown(const struct daemon *d, unsigned int number, char *text,
    size_t size)
{
	snprintf(text, size, "jailprobe: %s-%u", d->name, number);
}

/* -- requests ---------------------------------------------------------------- */

unsigned int
daemon_number(struct daemon *d)
{
	if (d->next == d->rooms) {
		d->rooms = d->rooms == 0 ? 1024 : 2 * d->rooms;
		d->probes = grow(d->probes, d->rooms, sizeof(*d->probes));
		memset(d->probes + d->next, 0, (d->rooms - d->next) *
		    sizeof(*d->probes));
	}
	return (d->next++);
}

static size_t
request(struct daemon *d, char *line, unsigned int *number)
{
	int n;

	*number = daemon_number(d);
	n = snprintf(line, REQUEST_BYTES, "{\"v\":1,\"verb\":\"arm\","
#ifdef __linux__
	    "\"pid\":%s,"
#else
	    "\"jail\":\"%s\","
#endif
	    "\"command\":\"%s\",\"title\":\"%s-%u\"}\n", d->config->jail,
	    fifo_command(), d->name, *number);
	if (n < 0 || n >= REQUEST_BYTES)
		die("too long a request");
	return ((size_t)n);
}

/*
 * Did it arm?  A machine that is too busy for a probe to report in time is
 * worth a few further tries, not the whole run.
 */
static bool
accepted(struct daemon *d, const char *line)
{
	errno = 0;
	if (strstr(line, "\"ok\":true") != NULL)
		return (true);
	if (strstr(line, "\"status\":75,") == NULL ||
	    d->refusals++ == REFUSALS_MAX)
		die("the daemon refuses: %s", line);
	return (false);
}

unsigned int
daemon_arm(struct daemon *d, int64_t *ns)
{
	char line[REQUEST_BYTES];
	unsigned int number;
	int64_t start;
	size_t len;

	if (now_ns() - d->spoke > STALE_NS) {
		daemon_leave(d);
		d->conn = dial(d->sock);
	}
	do {
		len = request(d, line, &number);
		d->spoke = start = now_ns();
		send_all(d->conn, line, len);
		receive_line(d->conn, line, sizeof(line));
		if (ns != NULL)
			*ns = now_ns() - start;
	} while (!accepted(d, line));
	return (number);
}

/* The next request on a connection. */
static void
ask(struct daemon *d, int fd)
{
	char line[REQUEST_BYTES];
	unsigned int number;

	send_all(fd, line, request(d, line, &number));
}

static bool
answered(struct daemon *d, const struct pollfd *pfd)
{
	char line[REQUEST_BYTES];

	receive_line(pfd->fd, line, sizeof(line));
	return (accepted(d, line));
}

/* One answer of each connection that has one, and the next request. */
static void
serve_all(struct daemon *d, struct pollfd *pfd, unsigned int *asked,
    unsigned int *done, unsigned int count)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if ((pfd[i].revents & (POLLIN | POLLHUP)) == 0)
			continue;
		if (answered(d, &pfd[i]))
			(*done)++;
		else
			(*asked)--;
		if (*asked < count) {
			ask(d, pfd[i].fd);
			(*asked)++;
		}
	}
}

int64_t
daemon_arm_many(struct daemon *d, unsigned int count)
{
	struct pollfd pfd[CONNECTIONS];
	unsigned int asked = 0, done = 0;
	int64_t start;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		pfd[i].fd = dial(d->sock);
		pfd[i].events = POLLIN;
	}
	start = now_ns();
	for (size_t i = 0; i < CONNECTIONS && asked < count; i++, asked++)
		ask(d, pfd[i].fd);
	while (done < count) {
		errno = 0;
		if (poll(pfd, CONNECTIONS, ANSWER_MS) < 1)
			die("%s: no answer within %d s", d->name,
			    ANSWER_MS / 1000);
		serve_all(d, pfd, &asked, &done, count);
	}
	start = now_ns() - start;
	for (size_t i = 0; i < CONNECTIONS; i++)
		close(pfd[i].fd);
	return (start);
}

void
daemon_lose(struct daemon *d, unsigned int first, unsigned int count)
{
	unsigned int before;

	daemon_listen(d);
	before = d->lost;
	for (unsigned int i = first; i < first + count; i++)
		kill(daemon_probe(d, i), SIGTERM);
	daemon_wait(d, &d->lost, before + count);
}

int64_t
daemon_trigger_ns(struct daemon *d, unsigned int number)
{
	pid_t pid = daemon_probe(d, number);
	int64_t start = now_ns();

	if (kill(pid, SIGHUP) == -1)
		die("%s-%u", d->name, number);
	return (fifo_wait_ns(d->name) - start);
}
