/*
 * What the floor puts into a jail: the steps of a stub, bare.
 *
 *   floor-stub JID
 *
 * Descriptor 0 is a socket: a byte to it says "ready".
 */
#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int trace = PROC_TRACE_CTL_DISABLE_EXEC, sig = SIGKILL;

	if (argc != 2 ||
	    procctl(P_PID, getpid(), PROC_TRACE_CTL, &trace) == -1)
		return (1);
	setsid();
	closefrom(1);
	if (jail_attach((int)strtol(argv[1], NULL, 10)) == -1 ||
	    chdir("/") == -1 || setgroups(0, NULL) == -1 ||
	    setresgid(0, 0, 0) == -1 || setresuid(0, 0, 0) == -1 ||
	    procctl(P_PID, getpid(), PROC_PDEATHSIG_CTL, &sig) == -1 ||
	    cap_enter() == -1 || write(0, "", 1) != 1)
		return (1);
	close(0);
	for (;;)
		pause();
}
