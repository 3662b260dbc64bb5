#include <sys/param.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/user.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos.h"

/* The words of a process; false: it has ended. */
static bool
get_words(pid_t pid, char *buf, size_t size)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid };
	size_t len = size - 1;

	buf[0] = '\0';
	if (sysctl(mib, 4, buf, &len, NULL, 0) == -1)
		return (false);
	buf[len] = '\0';
	return (len > 0);
}

bool
process_is(pid_t pid, const char *words)
{
	char args[64];

	return (get_words(pid, args, sizeof(args)) && strcmp(args, words) == 0);
}

void
process_held(pid_t pid, struct held *held)
{
	int proc[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, pid };
	int files[] = { CTL_KERN, KERN_PROC, KERN_PROC_FILEDESC, pid };
	struct kinfo_proc kp;
	size_t size = sizeof(kp);
	char *buf;

	memset(held, 0, sizeof(*held));
	if (sysctl(proc, 4, &kp, &size, NULL, 0) == -1 || size == 0)
		return;
	held->kb = (long)kp.ki_rssize * (getpagesize() / 1024);
	if (sysctl(files, 4, NULL, &size, NULL, 0) == -1 ||
	    (buf = malloc(size * 2)) == NULL)
		return;
	size *= 2;
	if (sysctl(files, 4, buf, &size, NULL, 0) == 0)
		for (char *p = buf; p < buf + size;) {
			struct kinfo_file *kf = (struct kinfo_file *)(void *)p;

			if (kf->kf_structsize <= 0)
				break;
			held->descriptors += kf->kf_fd >= 0;
			p += kf->kf_structsize;
		}
	free(buf);
}

/* Living probes of that uid; the caller frees them. */
static struct kinfo_proc *
list(unsigned int uid, size_t *n)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_UID, (int)uid };
	struct kinfo_proc *kp = NULL;
	size_t size = 0, all;

	*n = 0;
	do {
		free(kp);
		kp = NULL;
		if (sysctl(mib, 4, NULL, &size, NULL, 0) == -1)
			return (NULL);
		size += 64 * sizeof(*kp);
		if ((kp = malloc(size)) == NULL)
			return (NULL);
	} while (sysctl(mib, 4, kp, &size, NULL, 0) == -1 && errno == ENOMEM);
	all = size / sizeof(*kp);
	for (size_t i = 0; i < all; i++)
		if (strcmp(kp[i].ki_comm, "jailprobe") == 0 &&
		    kp[i].ki_stat != SZOMB && (kp[i].ki_flag & P_WEXIT) == 0)
			kp[(*n)++] = kp[i];
	return (kp);
}

unsigned int
probes_count(unsigned int uid)
{
	size_t n;

	free(list(uid, &n));
	return ((unsigned int)n);
}

/* -- deaths: a kqueue ------------------------------------------------------ */

static int kq = -1;

/* No child inherits a kqueue: the one who hangs up makes it. */
int
deaths_open(void)
{
	return (dup(STDIN_FILENO));
}

int
deaths_listen(int fd, unsigned int uid, volatile bool *stop,
    struct books *books)
{
	(void)fd;
	(void)uid;
	(void)stop;
	(void)books;
	return (0);
}

/* Asked before the signal is sent, so that none is missed. */
static bool
watch(pid_t pid)
{
	struct kevent change;

	EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0,
	    NULL);
	return (kevent(kq, &change, 1, NULL, 0, NULL) == 0);
}

/* Whether there was one within that time. */
static bool
count(struct books *books, time_t seconds)
{
	struct timespec ts = { seconds, 0 };
	struct kevent events[64];
	int n = kevent(kq, NULL, 0, events, 64, &ts);

	for (int i = 0; i < n; i++)
		books_death(books, (pid_t)events[i].ident,
		    (int)events[i].data);
	return (n > 0);
}

unsigned int
deaths_hang_up(long jail, unsigned int uid, const char *words,
    struct books *books)
{
	struct kinfo_proc *kp;
	unsigned int found = 0;
	char args[64];
	size_t n;

	if (kq == -1)
		kq = kqueue();
	kp = list(uid, &n);
	for (size_t i = 0; i < n; i++)
		if (kp[i].ki_jid == jail &&
		    get_words(kp[i].ki_pid, args, sizeof(args)) &&
		    strncmp(args, words, strlen(words)) == 0 &&
		    watch(kp[i].ki_pid)) {
			books_hang_up(books, kp[i].ki_pid,
			    atoi(args + strlen(words)));
			found++;
		}
	free(kp);
	/* All of it: what is listed next time was not told of before. */
	while (count(books, 0))
		;
	return (found);
}

void
deaths_settle(struct books *books)
{
	while (count(books, 1))
		;
}

/* It is queued there even if another one has struck already. */
bool
deaths_is_pending(pid_t pid)
{
	(void)pid;
	return (false);
}
