/*
 * Starts a program for which a system call fails, and so it does for all that
 * comes of it: what an older kernel, or another one's policy, would do.
 *
 *   deny CALL[:CONDITION[,CONDITION]] ERROR COMMAND [ARGUMENT ...]
 *
 * A condition is about an argument, by its number from 0: 1=VALUE, or 1&BITS if
 * one of these will do.  The call fails if all hold.  ERROR is a name: EPERM.
 */
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
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

int
main(int argc, char *argv[])
{
	/* Number, conditions, refusal, leave; jumps lead to the last one. */
	struct sock_filter filter[4 + 2 * CONDITIONS];
	struct sock_fprog program = { 0, filter };
	unsigned short n = 0;
	const char *p;
	size_t len;

	if (argc < 4) {
		fprintf(stderr, "usage: deny CALL[:CONDITION[,CONDITION]] ERROR "
		    "COMMAND [ARGUMENT ...]\n");
		return (64);
	}
	len = strcspn(argv[1], ":");
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	    (unsigned int)find(calls, argv[1], len), 0, 0);
	for (p = argv[1] + len; *p != '\0' && n < 2 + 2 * CONDITIONS; n += 2)
		p = condition(p + 1, &filter[n], &filter[n + 1]);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ERRNO |
	    (unsigned int)find(errors, argv[2], strlen(argv[2])));
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ALLOW);
	for (unsigned short i = 1; i < n - 2; i += 2)
		filter[i].jf = (unsigned char)(n - 2 - i);
	program.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1) {
		perror("deny: seccomp");
		return (71);
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return (71);
}
