/* The one option table: the command line's, and (as argv) a file's lines. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "spec.h"

enum options_mode {
	OPTIONS_DAEMON,		/* -D */
	OPTIONS_ARM,		/* -c */
	OPTIONS_HELP,		/* -h */
	OPTIONS_VERSION,	/* -V */
};

struct options {
	enum options_mode mode;
	bool		 foreground;	/* -d */
	bool		 verbose;	/* -v */
	/* These point into argv or to constants; never freed. */
	const char	*socket;	/* -f, or the default */
	const char	*pidfile;	/* -p, or the default */
	const char	*statedir;	/* -S, or NULL: daemon.c has the default */
	const char	*jail;		/* -j as typed; NULL in daemon mode */
	struct spec	 spec;		/* of -c: all but the jail; owned */
};

/*
 * Parses and checks argv[1..].  0, or a sysexits(3) status with one line in
 * err (without program name or newline).  In daemon mode the utility's
 * options are parsed and ignored, and -p likewise in utility mode.
 */
int	options_parse(int argc, char **argv, struct options *,
	    char *err, size_t errsize);
void	options_clear(struct options *);

/* The usage text, several lines. */
extern const char options_usage[];

#endif
