/*
 * The floor: what the kernel alone takes for what jaildaemon does.  Bare
 * loops of system calls; no code of src/, no check, no log, no limit.
 *
 *   floor SOCKET TOOLS JAIL COMMAND
 *
 * Serves one connection to SOCKET; TOOLS is the folder of the programs pause
 * and floor-stub.  A request is a line, so is its answer, a number:
 *   echo		0, at once
 *   bare		starts pause; its pid
 *   probe		the same, and watches it: a HUP runs the command
 *   arm		puts floor-stub into the jail, watches it; its pid
 *   burst N		starts N shells with the command, and waits for none
 */
#include <sys/param.h>
#include <sys/event.h>
#include <sys/jail.h>
#include <sys/procdesc.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <err.h>
#include <fcntl.h>
#include <jail.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES	256

enum kind { CONNECTION, PROBE, SHELL };

static struct {
	int		 kq;
	int		 stub;			/* descriptor of floor-stub */
	char		 jid[16];
	const char	*command;
	char		 pause[PATH_BYTES];
} fl;

static char *no_environment[] = { NULL };

static void
watch(int fd, enum kind kind)
{
	struct kevent change;

	EV_SET(&change, (uintptr_t)fd, kind == CONNECTION ? EVFILT_READ :
	    EVFILT_PROCDESC, EV_ADD, kind == CONNECTION ? 0 : NOTE_EXIT, 0,
	    (void *)(uintptr_t)kind);
	if (fd == -1 || kevent(fl.kq, &change, 1, NULL, 0, NULL) == -1)
		err(1, "watch");
}

/* A process descriptor in *fd; the pid. */
static pid_t
start(const char *program, char *const words[], int *fd)
{
	pid_t pid = pdfork(fd, PD_CLOEXEC | PD_DAEMON);

	if (pid == 0) {
		execve(program, words, no_environment);
		_exit(127);
	}
	if (pid == -1)
		err(1, "pdfork");
	return (pid);
}

static void
start_shell(void)
{
	char *words[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
	    (char *)(uintptr_t)fl.command, NULL };
	int fd;

	start("/bin/sh", words, &fd);
	watch(fd, SHELL);
}

static pid_t
start_pause(bool watched)
{
	char *words[] = { fl.pause, NULL };
	pid_t pid;
	int fd;

	pid = start(fl.pause, words, &fd);
	if (watched)
		watch(fd, PROBE);
	return (pid);
}

static void
on_end(const struct kevent *ev)
{
	int status = (int)ev->data;

	if ((enum kind)(uintptr_t)ev->udata == PROBE && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGHUP)
		start_shell();
	close((int)ev->ident);
}

static pid_t
arm(void)
{
	char *words[] = { (char *)(uintptr_t)"floor-stub", fl.jid, NULL };
	int fds[2], fd;
	char byte;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		err(1, "socketpair");
	pid = pdfork(&fd, PD_CLOEXEC);
	if (pid == 0) {
		dup2(fds[1], 0);
		fexecve(fl.stub, words, no_environment);
		_exit(127);
	}
	close(fds[1]);
	if (pid == -1 || read(fds[0], &byte, 1) != 1)
		err(1, "floor-stub");
	close(fds[0]);
	watch(fd, PROBE);
	return (pid);
}

static void
answer(int conn)
{
	char line[64];
	ssize_t n = read(conn, line, sizeof(line) - 1);
	long value = 0;

	if (n <= 0)
		exit(0);
	line[n] = '\0';
	if (strncmp(line, "bare", 4) == 0)
		value = start_pause(false);
	else if (strncmp(line, "probe", 5) == 0)
		value = start_pause(true);
	else if (strncmp(line, "arm", 3) == 0)
		value = arm();
	else if (strncmp(line, "burst ", 6) == 0)
		for (long i = strtol(line + 6, NULL, 10); i > 0; i--)
			start_shell();
	n = snprintf(line, sizeof(line), "%ld\n", value);
	if (write(conn, line, (size_t)n) != n)
		exit(0);
}

static int
accept_one(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), conn;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(64, "%s: too long", path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 1) == -1 ||
	    (conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) == -1)
		err(1, "%s", path);
	close(fd);
	return (conn);
}

int
main(int argc, char **argv)
{
	char path[PATH_BYTES];
	struct kevent ev;

	if (argc < 5)
		errx(64, "usage: floor SOCKET TOOLS JAIL COMMAND");
	fl.command = argv[4];
	fl.kq = kqueue();
	snprintf(fl.jid, sizeof(fl.jid), "%d", jail_getid(argv[3]));
	snprintf(fl.pause, sizeof(fl.pause), "%s/pause", argv[2]);
	snprintf(path, sizeof(path), "%s/floor-stub", argv[2]);
	fl.stub = open(path, O_EXEC | O_CLOEXEC);
	if (fl.kq == -1 || fl.stub == -1)
		err(1, "%s", path);
	watch(accept_one(argv[1]), CONNECTION);
	for (;;) {
		if (kevent(fl.kq, NULL, 0, &ev, 1, NULL) != 1)
			continue;
		if ((enum kind)(uintptr_t)ev.udata == CONNECTION)
			answer((int)ev.ident);
		else
			on_end(&ev);
	}
}
