/*
 * A client that asks much and measures the answers.
 *
 *   load arm SOCKET JAIL COUNT TITLE [RESPAWN [UID]]
 *	arms COUNT actions, titled TITLE-1 and so on, over one connection; their
 *	command is ":".  JAIL is a pid on Linux, a jid or a name on FreeBSD
 *   load ping SOCKET SECONDS
 *	asks for a sign of life, again and again
 *   load fire JAIL FIFO SECONDS TITLE...
 *	sends SIGHUP to the probes with these titles in turn, each not more than
 *	eight times a second, and waits for the byte that each one's command
 *	writes to the FIFO.  JAIL, a pid or a jid, is where the probes are.
 *
 * Prints "name=number" words; times are in microseconds.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#ifdef __FreeBSD__
#include <sys/sysctl.h>
#include <sys/user.h>
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX	100000
#define ANSWER_MS	30000
#define TITLES_MAX	64
#define EVERY_US	125000
#ifdef __FreeBSD__
#define TARGET		"\"jail\":\"%s\""
#else
#define TARGET		"\"pid\":%s"
#endif

static long samples[SAMPLES_MAX];
static unsigned int nsamples;

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static void
sample(int64_t started)
{
	if (nsamples < SAMPLES_MAX)
		samples[nsamples++] = (long)(now_us() - started);
}

static int
compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return ((x > y) - (x < y));
}

static long
quantile(unsigned int percent)
{
	return (nsamples == 0 ? 0 : samples[(nsamples - 1) * percent / 100]);
}

static void
print_samples(void)
{
	qsort(samples, nsamples, sizeof(samples[0]), compare);
	printf("n=%u p50=%ld p90=%ld p99=%ld max=%ld\n", nsamples, quantile(50),
	    quantile(90), quantile(99), quantile(100));
}

static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval limit = { ANSWER_MS / 1000, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A daemon that stands still has a full queue sooner or later. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	perror(path);
	exit(69);
}

/* One request, one line of an answer. */
static bool
ask(int fd, const char *request, char *answer, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;

	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		return (false);
	while (used < size - 1 && poll(&pfd, 1, ANSWER_MS) == 1) {
		n = read(fd, answer + used, size - 1 - used);
		if (n <= 0)
			return (false);
		used += (size_t)n;
		answer[used] = '\0';
		if (answer[used - 1] == '\n')
			return (true);
	}
	return (false);
}

static int
arm(int argc, char **argv)
{
	const char *respawn = argc > 6 ? argv[6] : "never";
	int fd = dial(argv[2]), count = atoi(argv[4]), ok = 0, refused = 0;
	char request[512], answer[4096], words[4096] = "";

	for (int i = 1; i <= count; i++) {
		int64_t started = now_us();

		snprintf(request, sizeof(request), "{\"v\":1,\"verb\":\"arm\","
		    "\"command\":\":\"," TARGET ",\"title\":\"%s-%d\","
		    "\"uid\":%s,\"gid\":0,\"respawn\":\"%s\"}\n", argv[3],
		    argv[5], i, argc > 7 ? argv[7] : "0", respawn);
		if (!ask(fd, request, answer, sizeof(answer)))
			break;
		sample(started);
		if (strstr(answer, "\"ok\":true") != NULL)
			ok++;
		else if (strstr(answer, "\"error\":\"") != NULL) {
			refused++;
			memcpy(words, answer, sizeof(words));
		}
	}
	printf("asked=%d ok=%d refused=%d ", count, ok, refused);
	print_samples();
	if (words[0] != '\0')
		printf("# %s", words);
	return (ok + refused == count ? 0 : 1);
}

static int
ping(char **argv)
{
	int64_t until = now_us() + atoi(argv[3]) * 1000000LL;
	int fd = dial(argv[2]);
	char answer[4096];

	while (now_us() < until) {
		int64_t started = now_us();

		if (!ask(fd, "{\"v\":1,\"verb\":\"ping\"}\n", answer,
		    sizeof(answer)))
			return (1);
		sample(started);
		poll(NULL, 0, 5);
	}
	print_samples();
	return (0);
}

#ifdef __FreeBSD__

/* Where the probes are: the jid. */
static uintmax_t
place_of(const char *jid)
{
	return ((uintmax_t)atoi(jid));
}

static bool
has_title(pid_t pid, const char *title)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid };
	char text[256] = "", wanted[256];
	size_t len = sizeof(text) - 1;

	snprintf(wanted, sizeof(wanted), "jailprobe: %s", title);
	return (sysctl(mib, 4, text, &len, NULL, 0) == 0 &&
	    strcmp(text, wanted) == 0);
}

/* The probe with that title, or 0. */
static pid_t
find_probe(uintmax_t jid, const char *title)
{
	static struct kinfo_proc table[4096];
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PROC };
	size_t len = sizeof(table);

	if (sysctl(mib, 3, table, &len, NULL, 0) == -1)
		return (0);
	for (size_t i = 0; i < len / sizeof(table[0]); i++)
		if ((uintmax_t)table[i].ki_jid == jid &&
		    strcmp(table[i].ki_comm, "jailprobe") == 0 &&
		    has_title(table[i].ki_pid, title))
			return (table[i].ki_pid);
	return (0);
}

#else

/* Where the probes are: the pid namespace. */
static uintmax_t
place_of(const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", pid);
	return (stat(path, &st) == 0 ? st.st_ino : 0);
}

static bool
has_title(const char *pid, const char *title)
{
	char path[64], text[256] = "", wanted[256];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	snprintf(wanted, sizeof(wanted), "jailprobe: %s", title);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		close(fd);
	return (n > 0 && strcmp(text, wanted) == 0);
}

/* The probe with that title, or 0. */
static pid_t
find_probe(uintmax_t ns, const char *title)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	pid_t pid = 0;

	while (dir != NULL && pid == 0 && (de = readdir(dir)) != NULL)
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
		    has_title(de->d_name, title) &&
		    place_of(de->d_name) == ns)
			pid = (pid_t)atoi(de->d_name);
	if (dir != NULL)
		closedir(dir);
	return (pid);
}

#endif

static int
fire(int argc, char **argv)
{
	int64_t until = now_us() + atoi(argv[4]) * 1000000LL;
	int64_t due[TITLES_MAX] = { 0 };
	int fd = open(argv[3], O_RDWR | O_CLOEXEC), missed = 0, titles;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uintmax_t place = place_of(argv[2]);
	char byte;

	titles = argc - 5 < TITLES_MAX ? argc - 5 : TITLES_MAX;
	for (int i = 0; now_us() < until; i = (i + 1) % titles) {
		pid_t pid = find_probe(place, argv[5 + i]);
		int64_t started = now_us();

		if (started < due[i] || pid == 0) {
			poll(NULL, 0, 1);
			continue;
		}
		due[i] = started + EVERY_US;
		if (kill(pid, SIGHUP) == -1)
			continue;
		if (poll(&pfd, 1, ANSWER_MS) != 1 || read(fd, &byte, 1) != 1)
			missed++;
		else
			sample(started);
	}
	printf("missed=%d ", missed);
	print_samples();
	return (missed);
}

int
main(int argc, char **argv)
{
	if (argc > 5 && strcmp(argv[1], "arm") == 0)
		return (arm(argc, argv));
	if (argc == 4 && strcmp(argv[1], "ping") == 0)
		return (ping(argv));
	if (argc > 5 && strcmp(argv[1], "fire") == 0)
		return (fire(argc, argv));
	fprintf(stderr, "usage: load mode arguments; see the source\n");
	return (64);
}
