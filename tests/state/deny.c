/*
 * Starts a program for which a system call fails, and so it does for all that
 * comes of it: what an older kernel, or another one's policy, would do.
 *
 *   deny [-f FILE] CALL[:CONDITION[,CONDITION]] ERROR COMMAND [ARGUMENT ...]
 *
 * A condition is about an argument, by its number from 0: 1=VALUE, or 1&BITS if
 * one of these will do.  The call fails if all hold.  ERROR is a name: EPERM.
 *
 * -f: only one such call fails, whoever makes it, as the file says in the way
 * of fail.c: "CALL[:CONDITION...] n", and is empty when that has happened.  A
 * process of its own decides, which ends with the last of the program's.
 */
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL(name)	{ #name, __NR_##name }
#define ERROR(name)	{ #name, name }

static const struct named {
	const char	*name;
	int		 number;
} calls[] = {
	CALL(capset), CALL(chroot), CALL(clone), CALL(close_range),
	CALL(fchdir), CALL(fcntl), CALL(ioctl), CALL(keyctl),
	CALL(memfd_create), CALL(personality), CALL(pidfd_open), CALL(prctl),
	CALL(prlimit64), CALL(sched_setscheduler), CALL(seccomp),
	CALL(setgroups), CALL(setns), CALL(setresgid), CALL(setresuid),
	CALL(setsid), CALL(statx), { NULL, 0 }
}, errors[] = {
	ERROR(EAGAIN), ERROR(EINVAL), ERROR(EIO), ERROR(ENOMEM),
	ERROR(ENOSYS), ERROR(ENOTTY), ERROR(EPERM), { NULL, 0 }
};

static int
find(const struct named *table, const char *name, size_t len)
{
	for (; table->name != NULL; table++)
		if (strlen(table->name) == len &&
		    memcmp(table->name, name, len) == 0)
			return (table->number);
	fprintf(stderr, "deny: no %.*s is known\n", (int)len, name);
	exit(64);
}

#define CONDITIONS	2

/* What follows is skipped unless the condition at p holds; its end. */
static const char *
condition(const char *p, struct sock_filter *load, struct sock_filter *test)
{
	char *end;
	unsigned long arg = strtoul(p, &end, 10);
	unsigned short how = *end == '&' ? BPF_JSET : BPF_JEQ;

	*load = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    (unsigned int)(offsetof(struct seccomp_data, args) + 8 * arg));
	*test = (struct sock_filter)BPF_JUMP(BPF_JMP | how | BPF_K,
	    (unsigned int)strtoul(end + 1, &end, 0), 0, 0);
	return (end);
}

/* -- the n-th call: a supervisor ------------------------------------------ */

static const char	*file, *what;
static long		 count;
static char		 order[128];

/* Is it this call's turn to fail?  The file is read each time. */
static bool
is_due(void)
{
	size_t len = strlen(what);
	char now[sizeof(order)] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return (false);
	if (read(fd, now, sizeof(now) - 1) == -1)
		now[0] = '\0';
	close(fd);
	if (strcmp(now, order) != 0) {
		memcpy(order, now, sizeof(order));
		count = 0;
	}
	if (strncmp(order, what, len) != 0 || order[len] != ' ' ||
	    ++count != strtol(order + len, NULL, 10))
		return (false);
	order[0] = '\0';
	return (truncate(file, 0) == 0);
}

/* Until nobody is left whom it could decide for. */
static void
supervise(int listener, int error)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	while (poll(&pfd, 1, -1) == 1 && (pfd.revents & POLLIN) != 0) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp answer = { 0 };

		/* It may have been killed meanwhile. */
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == -1)
			continue;
		answer.id = call.id;
		if (is_due())
			answer.error = -error;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/*
 * Starts who will decide; not as a child, since the program may be wary of
 * those.  It is without the filter, so it fetches the listener, whose number it
 * is told by the descriptor that is returned, and closes that.
 */
static int
start_supervisor(int error)
{
	pid_t parent = getpid(), pid;
	int fds[2], fd, number;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		return (-1);
	if (pid > 0) {
		close(fds[0]);
		waitpid(pid, NULL, 0);
		return (fds[1]);
	}
	if (fork() != 0)
		_exit(0);
	close(fds[1]);
	fd = (int)syscall(SYS_pidfd_open, parent, 0);
	if (read(fds[0], &number, sizeof(number)) != sizeof(number))
		_exit(71);
	number = (int)syscall(SYS_pidfd_getfd, fd, number, 0);
	close(fds[0]);
	close(fd);
	if (number == -1)
		_exit(71);
	supervise(number, error);
	_exit(0);
}

/* The supervisor has it once nobody reads the pipe any more. */
static int
give_away(int pipe, int listener)
{
	struct pollfd pfd = { .fd = pipe };

	if (write(pipe, &listener, sizeof(listener)) != sizeof(listener) ||
	    poll(&pfd, 1, 10000) != 1)
		return (-1);
	close(listener);
	close(pipe);
	return (0);
}

/* -- the filter ----------------------------------------------------------- */

/* Number, conditions, refusal, leave; jumps lead to the last one. */
static unsigned short
make_filter(struct sock_filter *filter, unsigned int refusal)
{
	size_t len = strcspn(what, ":");
	const char *p = what + len;
	unsigned short n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	    (unsigned int)find(calls, what, len), 0, 0);
	for (; *p != '\0' && n < 2 + 2 * CONDITIONS; n += 2)
		p = condition(p + 1, &filter[n], &filter[n + 1]);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, refusal);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ALLOW);
	for (unsigned short i = 1; i < n - 2; i += 2)
		filter[i].jf = (unsigned char)(n - 2 - i);
	return (n);
}

static int
enter_filter(int error)
{
	struct sock_filter filter[4 + 2 * CONDITIONS];
	struct sock_fprog program = { 0, filter };
	int pipe = -1, listener;

	if (file == NULL) {
		program.len = make_filter(filter, SECCOMP_RET_ERRNO |
		    (unsigned int)error);
		return ((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
		    &program));
	}
	program.len = make_filter(filter, SECCOMP_RET_USER_NOTIF);
	if ((pipe = start_supervisor(error)) == -1)
		return (-1);
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return (listener == -1 ? -1 : give_away(pipe, listener));
}

int
main(int argc, char *argv[])
{
	if (argc > 2 && strcmp(argv[1], "-f") == 0) {
		file = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: deny [-f FILE] "
		    "CALL[:CONDITION[,CONDITION]] ERROR COMMAND "
		    "[ARGUMENT ...]\n");
		return (64);
	}
	what = argv[1];
	if (enter_filter(find(errors, argv[2], strlen(argv[2]))) == -1) {
		perror("deny: seccomp");
		return (71);
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return (71);
}
