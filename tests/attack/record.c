/*
 * Stands in for the daemon: writes down what it is asked, and answers as it
 * is told.
 *
 *   record SOCKET LOG ANSWERS
 *
 * Each request but a ping becomes a line of LOG: the milliseconds of the
 * monotonic clock, a blank, the request.  Each of them is answered by the
 * next line of the file ANSWERS: "ok", a status to refuse it with, "hang" (no
 * answer, the connection stays), "close", or else the answer itself.  "ok"
 * where there is no line left.  A ping gets this process' pid.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX	(600 * 1024)
#define REQUEST_MS	2000

static char line[REQUEST_MAX];

static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static int
serve_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 128) == -1) {
		perror(path);
		exit(1);
	}
	return (fd);
}

/* One line, without its newline; 0 if none came in time. */
static int
receive(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;
	char *newline;

	while (used < sizeof(line) - 1 && poll(&pfd, 1, REQUEST_MS) == 1 &&
	    (n = read(fd, line + used, sizeof(line) - 1 - used)) > 0) {
		used += (size_t)n;
		line[used] = '\0';
		if ((newline = strchr(line, '\n')) != NULL) {
			*newline = '\0';
			return (1);
		}
	}
	return (0);
}

static void
say(int fd, const char *text)
{
	/* Nobody may wait for it any more. */
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void
answer(int fd, const char *how)
{
	char text[512];
	int status = atoi(how);

	if (strcmp(how, "hang") == 0)
		return;
	if (strcmp(how, "close") == 0)
		text[0] = '\0';
	else if (strcmp(how, "ok") == 0)
		strcpy(text, "{\"v\":1,\"ok\":true}\n");
	else if (status > 0)
		snprintf(text, sizeof(text), "{\"v\":1,\"ok\":false,"
		    "\"status\":%d,\"error\":\"told to refuse\"}\n", status);
	else
		snprintf(text, sizeof(text), "%s\n", how);
	say(fd, text);
}

/* The next line of the file, from where the last one ended. */
static const char *
next_answer(const char *path)
{
	static char how[256];
	static long at;
	FILE *f = fopen(path, "r");
	const char *found = "ok";

	if (f != NULL && fseek(f, at, SEEK_SET) == 0 &&
	    fgets(how, sizeof(how), f) != NULL) {
		at = ftell(f);
		how[strcspn(how, "\n")] = '\0';
		found = how;
	}
	if (f != NULL)
		fclose(f);
	return (found);
}

int
main(int argc, char **argv)
{
	char pong[64];
	FILE *log;
	int fd, lfd;

	if (argc != 4 || (log = fopen(argv[2], "a")) == NULL) {
		fprintf(stderr, "usage: record socket log answers\n");
		return (64);
	}
	signal(SIGPIPE, SIG_IGN);
	lfd = serve_at(argv[1]);
	while ((fd = accept(lfd, NULL, NULL)) != -1) {
		if (!receive(fd)) {
			close(fd);
		} else if (strstr(line, "\"ping\"") != NULL) {
			snprintf(pong, sizeof(pong),
			    "{\"v\":1,\"ok\":true,\"pid\":%d}\n", getpid());
			say(fd, pong);
		} else {
			fprintf(log, "%ld %s\n", now_ms(), line);
			fflush(log);
			answer(fd, next_answer(argv[3]));
		}
	}
	return (1);
}
