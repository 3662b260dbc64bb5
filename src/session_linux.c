#include <sys/types.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "session.h"

void
session_signal(pid_t session, bool leader, int sig)
{
	struct dirent *de;
	DIR *dir;

	if (!leader && kill(session, 0) == 0)
		return;
	if ((dir = opendir("/proc")) == NULL)
		return;
	while ((de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && pid != session && getsid(pid) == session)
			kill(pid, sig);
	}
	closedir(dir);
}
