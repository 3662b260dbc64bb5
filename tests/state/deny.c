/*
 * Starts a program for which a system call fails, and so it does for all that
 * comes of it: what an older kernel, or another one's policy, would do.
 *
 *   deny CALL[:ARG=VALUE | :ARG&BITS] ERROR COMMAND [ARGUMENT ...]
 *
 * ARG is the number of an argument, from 0: the call fails if that one is VALUE,
 * or has one of BITS.  ERROR is a name: EPERM.
 */
#include <sys/prctl.h>
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
	CALL(prlimit64), CALL(read), CALL(sched_setscheduler), CALL(seccomp),
	CALL(setgroups), CALL(setns), CALL(setresgid), CALL(setresuid),
	CALL(setsid), CALL(statx), { NULL, 0 }
}, errors[] = {
	ERROR(EAGAIN), ERROR(EINVAL), ERROR(EIO), ERROR(EMFILE), ERROR(ENOMEM),
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

int
main(int argc, char *argv[])
{
	const char *p = argc < 4 ? "" : argv[1];
	size_t len = strcspn(p, ":");
	unsigned int arg = 0, value = 0;
	char *end = NULL;
	int mode = ':';

	if (argc < 4) {
		fprintf(stderr, "usage: deny CALL[:ARG=VALUE | :ARG&BITS] ERROR "
		    "COMMAND [ARGUMENT ...]\n");
		return (64);
	}
	if (p[len] == ':') {
		arg = (unsigned int)strtoul(p + len + 1, &end, 10);
		mode = *end++;
		value = (unsigned int)strtoul(end, NULL, 0);
	}
	/* ARG=VALUE or ARG&VALUE; without an argument every call. */
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (unsigned int)find(calls, p, len), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (unsigned int)offsetof(struct seccomp_data, args) + 8 * arg),
		mode == ':' ?
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0) :
		    mode == '&' ?
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
		    value, 0, 1) :
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO |
		    (unsigned int)find(errors, argv[2], strlen(argv[2]))),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
	    (struct sock_filter *)(unsigned long)filter };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1) {
		perror("deny: seccomp");
		return (71);
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return (71);
}
