#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "daemon.h"
#include "follow.h"
#include "options.h"
#include "utility.h"

#define ERR_MAX		1024

/* 0, 1 and 2 are open, whatever we were started with. */
static int
open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd == -1) {
		fprintf(stderr, "jaildaemon: " _PATH_DEVNULL ": %s\n",
		    strerror(errno));
		return (EX_OSERR);
	}
	close(fd);
	return (0);
}

int
main(int argc, char **argv)
{
	struct options options;
	char err[ERR_MAX];
	int status;

	if ((status = open_standard_descriptors()) != 0)
		return (status);
	status = options_parse(argc, argv, &options, err, sizeof(err));
	if (status != 0) {
		fprintf(stderr, "jaildaemon: %s\n", err);
		return (status);
	}
	switch (options.mode) {
	case OPTIONS_DAEMON:
		status = daemon_run(&options);
		break;
	case OPTIONS_CHECK:
		status = check_file(&options);
		break;
	case OPTIONS_FOLLOW:
		status = follow_run(&options);
		break;
	case OPTIONS_HELP:
		fputs(options_usage, stdout);
		break;
	case OPTIONS_VERSION:
		puts("jaildaemon " VERSION);
		break;
	default:
		status = utility_run(&options);
		break;
	}
	options_clear(&options);
	return (status);
}
