/*
 * What a rude client can do to the control socket.
 *
 *   sock flood PATH N     opens N connections and keeps them, 10 s
 *   sock slow PATH N      N connections that send a byte each 100 ms, 12 s
 *   sock deaf PATH N      N connections that ask for ever and read no answer,
 *                         14 s
 *   sock junk PATH N SEED N lines of rubbish, each on a connection of its own
 *   sock ping PATH N      N requests, one after the other; prints the longest
 *                         wait for a reply, in ms, and how many had none
 *   sock arm PATH PID N   the same with N different arms in the jail of PID
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JUNK_MAX	(600 * 1024)
#define REPLY_MS	5000

/* FreeBSD does not wait where too many wait already. */
static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = -1;

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	for (int i = 0; i < 1000; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd == -1 ||
		    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		close(fd);
		fd = -1;
		if (errno != ECONNREFUSED)
			break;
		usleep(10000);
	}
	return (fd);
}

static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Waits for a line; false if none came. */
static int
has_reply(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[2048];
	ssize_t n;

	if (poll(&pfd, 1, REPLY_MS) != 1)
		return (0);
	n = read(fd, buf, sizeof(buf));
	return (n > 0 && memchr(buf, '\n', (size_t)n) != NULL);
}

static int
flood(const char *path, int n)
{
	int opened = 0;

	for (int i = 0; i < n; i++)
		opened += dial(path) != -1;
	printf("opened %d\n", opened);
	fflush(stdout);
	sleep(10);
	return (0);
}

static int
slow(const char *path, int n)
{
	int *fds = calloc((size_t)n, sizeof(*fds));
	int alive = 0;

	for (int i = 0; fds != NULL && i < n; i++)
		fds[i] = dial(path);
	for (int round = 0; fds != NULL && round < 120; round++) {
		alive = 0;
		for (int i = 0; i < n; i++)
			alive += fds[i] != -1 && write(fds[i], "{", 1) == 1;
		usleep(100000);
	}
	/* All were cut off after ten seconds. */
	printf("alive %d\n", alive);
	free(fds);
	return (0);
}

static int
deaf(const char *path, int n)
{
	static const char pings[] = "{\"v\":1,\"verb\":\"ping\"}\n"
	    "{\"v\":1,\"verb\":\"ping\"}\n{\"v\":1,\"verb\":\"ping\"}\n";
	int *fds = calloc((size_t)n, sizeof(*fds));
	int alive = 0;

	for (int i = 0; fds != NULL && i < n; i++) {
		fds[i] = dial(path);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	for (int round = 0; fds != NULL && round < 140; round++) {
		alive = 0;
		for (int i = 0; i < n; i++) {
			int full = 0;

			while (fds[i] != -1 && !full) {
				if (write(fds[i], pings, sizeof(pings) - 1)
				    != -1)
					continue;
				full = errno == EAGAIN;
				if (!full)
					close(fds[i]);
				if (!full)
					fds[i] = -1;
			}
			alive += fds[i] != -1;
		}
		usleep(100000);
	}
	printf("alive %d\n", alive);
	free(fds);
	return (0);
}

static size_t
make_junk(char *buf, int kind)
{
	size_t len = (size_t)rand() % 4096 + 1;

	switch (kind % 6) {
	case 0:			/* random bytes, lines among them */
		for (size_t i = 0; i < len; i++)
			buf[i] = (char)rand();
		return (len);
	case 1:			/* deep nesting */
		memset(buf, rand() % 2 ? '[' : '{', len);
		break;
	case 2:			/* half a request */
		len = (size_t)snprintf(buf, len, "{\"v\":1,\"verb\":\"ar");
		return (len);
	case 3:			/* no UTF-8 */
		len = (size_t)sprintf(buf,
		    "{\"v\":1,\"verb\":\"\xc3\x28\xf0\x80\"}");
		break;
	case 4:			/* longer than any line may be */
		len = JUNK_MAX - 1;
		memset(buf, 'x', len);
		break;
	default:		/* a request, with a key too many */
		len = (size_t)sprintf(buf, "{\"v\":1,\"verb\":\"ping\","
		    "\"%%n%%s\":%d}", rand());
		break;
	}
	buf[len++] = '\n';
	return (len);
}

static int
junk(const char *path, int n, unsigned int seed)
{
	static char buf[JUNK_MAX];

	srand(seed);
	for (int i = 0; i < n; i++) {
		size_t len = make_junk(buf, i), done = 0;
		int fd = dial(path);
		ssize_t w;

		if (fd == -1)
			return (1);
		while (done < len && (w = write(fd, buf + done, len - done)) > 0)
			done += (size_t)w;
		/* Half a request has no reply to wait for. */
		if (i % 6 != 2 && rand() % 2)
			has_reply(fd);
		close(fd);
	}
	return (0);
}

static int
ask(const char *path, int pid, int n, int kept)
{
	char line[256];
	long longest = 0;
	int none = 0, fd = kept;

	for (int i = 0; i < n; i++) {
		long start = now_ms(), took;
		int len = pid == 0 ? sprintf(line, "{\"v\":1,\"verb\":"
		    "\"ping\"}\n") : sprintf(line, "{\"v\":1,\"verb\":\"arm\","
		    "\"command\":\":\",\"pid\":%d,\"title\":\"T%d\"}\n", pid, i);

		if (kept == -1)
			fd = dial(path);
		/* A refusal may come before the request was read. */
		if (fd == -1 || (write(fd, line, (size_t)len) == -1 &&
		    errno != EPIPE) || !has_reply(fd))
			none++;
		if (kept == -1 && fd != -1)
			close(fd);
		took = now_ms() - start;
		if (took > longest)
			longest = took;
	}
	printf("longest %ld none %d\n", longest, none);
	return (0);
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "flood") == 0)
		return (flood(argv[2], atoi(argv[3])));
	if (argc == 4 && strcmp(argv[1], "slow") == 0)
		return (slow(argv[2], atoi(argv[3])));
	if (argc == 4 && strcmp(argv[1], "deaf") == 0)
		return (deaf(argv[2], atoi(argv[3])));
	if (argc == 5 && strcmp(argv[1], "junk") == 0)
		return (junk(argv[2], atoi(argv[3]), (unsigned)atoi(argv[4])));
	if (argc == 4 && strcmp(argv[1], "ping") == 0)
		return (ask(argv[2], 0, atoi(argv[3]), -1));
	if (argc == 5 && strcmp(argv[1], "arm") == 0)
		return (ask(argv[2], atoi(argv[3]), atoi(argv[4]),
		    dial(argv[2])));
	fprintf(stderr, "usage: see the top of the source\n");
	return (64);
}
