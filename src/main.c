#include <stdio.h>
#include <sysexits.h>

#include "client.h"
#include "daemon.h"
#include "options.h"

#define ERR_MAX		1024

int
main(int argc, char **argv)
{
	struct options options;
	char err[ERR_MAX];
	int status;

	status = options_parse(argc, argv, &options, err, sizeof(err));
	if (status != 0) {
		fprintf(stderr, "jaildaemon: %s\n", err);
		return (status);
	}
	switch (options.mode) {
	case OPTIONS_DAEMON:
		status = daemon_run(&options);
		break;
	case OPTIONS_ARM:
		status = client_arm(&options);
		break;
	case OPTIONS_HELP:
		fputs(options_usage, stdout);
		break;
	case OPTIONS_VERSION:
		puts("jaildaemon " VERSION);
		break;
	}
	options_clear(&options);
	return (status);
}
