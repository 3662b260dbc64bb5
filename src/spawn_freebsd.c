/*
 * pdfork(2) gives a child and its process descriptor in one call: what a
 * close of the descriptor, the daemon's death included, does to the child is
 * said there.  A probe ends, a run goes on.
 */
#include <sys/types.h>
#include <sys/procdesc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "spawn.h"

/*
 * Where the child has the program and the pipe to its parent.  The daemon
 * keeps the numbers taken, so that nothing it passes on is ever in the way.
 */
#define SLOT_PROGRAM	3
#define SLOT_ERROR	4

int
spawn_init(void)
{
	int fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return (-1);
	for (int slot = SLOT_PROGRAM; slot <= SLOT_ERROR; slot++)
		if (fd != slot && fcntl(fd, F_DUP2FD_CLOEXEC, slot) == -1)
			return (-1);
	if (fd > SLOT_ERROR)
		close(fd);
	return (0);
}

static int
place_descriptors(const struct spawn *sp)
{
	for (int i = 0; i < sp->nfds; i++) {
		if (sp->fds[i] == -1)
			close(i);
		else if (dup2(sp->fds[i], i) == -1)
			return (-1);
	}
	if (sp->program != -1 &&
	    fcntl(sp->program, F_DUP2FD_CLOEXEC, SLOT_PROGRAM) == -1)
		return (-1);
	closefrom(SLOT_ERROR + 1);
	return (0);
}

/* NSIG counts only the old signals. */
void
spawn_reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= _SIG_MAXSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
prepare(const struct spawn *sp)
{
	/* While the daemon's descriptors are there. */
	if (sp->mark_to != NULL && renameat(sp->mark_dir, sp->mark_from,
	    sp->mark_dir, sp->mark_to) == -1)
		return (-1);
	if (place_descriptors(sp) == -1)
		return (-1);
	if (sp->run) {
		setsid();
		umask(022);
		if (chdir("/") == -1)
			return (-1);
	}
	if (sp->nofile != NULL && setrlimit(RLIMIT_NOFILE, sp->nofile) == -1)
		return (-1);
	spawn_reset_signals();
	return (0);
}

static void
execute(const struct spawn *sp)
{
	if (sp->program != -1)
		fexecve(SLOT_PROGRAM, sp->argv, sp->envp);
	else
		execve(sp->path, sp->argv, sp->envp);
}

/* Says why through the pipe, which a program that executes closes instead. */
static _Noreturn void
child_main(const struct spawn *sp, int pipefd)
{
	int error;

	if (fcntl(pipefd, F_DUP2FD_CLOEXEC, SLOT_ERROR) != -1) {
		pipefd = SLOT_ERROR;
		if (prepare(sp) == 0)
			execute(sp);
	}
	error = errno;
	write(pipefd, &error, sizeof(error));
	_exit(127);
}

/* The errno that the child sent, or 0. */
static int
wait_for_exec(int pipefd)
{
	int error;
	ssize_t n;

	do {
		n = read(pipefd, &error, sizeof(error));
	} while (n == -1 && errno == EINTR);
	return (n == (ssize_t)sizeof(error) ? error : 0);
}

int
spawn(const struct spawn *sp, pid_t *pid, int *fd)
{
	sigset_t all, old;
	int fds[2], error;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	/* A handler of ours must not run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	*pid = pdfork(fd, PD_CLOEXEC | (sp->run ? PD_DAEMON : 0));
	if (*pid == 0)
		child_main(sp, fds[1]);
	error = *pid == -1 ? errno : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[1]);
	if (error == 0) {
		error = wait_for_exec(fds[0]);
		/* It never was: init reaps it. */
		if (error != 0)
			close(*fd);
	}
	close(fds[0]);
	if (error == 0)
		return (0);
	errno = error;
	return (-1);
}
