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
	OPTIONS_RULE,		/* a line of the file of actions */
	/* Verbs: a word before the options. */
	OPTIONS_LIST,
	OPTIONS_DISARM,
	OPTIONS_WATCH,
	OPTIONS_RUN,
	OPTIONS_OUTPUT,
	OPTIONS_RELOAD,
	OPTIONS_CHECK,
	OPTIONS_METRICS,
	OPTIONS_STARTED,
	OPTIONS_FOLLOW,
};

struct options {
	enum options_mode mode;
	bool		 foreground;	/* -d */
	bool		 verbose;	/* -v */
	bool		 json;		/* -J */
	/* These point into argv or to constants; never freed. */
	const char	*socket;	/* -f, or the default */
	const char	*pidfile;	/* -p, or the default */
	const char	*statedir;	/* -S, or NULL: daemon.c has the default */
	const char	*conf;		/* -C, or NULL: the default, if it is there */
	const char	*jail;		/* -j as typed, the last; or NULL */
	char		*const *operands; /* of a verb */
	int		 noperands;
	const char	**jails;	/* all -j of a rule; the array is owned */
	size_t		 njails;
	struct spec	 spec;		/* of -c: all but the jail; owned */
};

/*
 * Parses and checks argv[1..].  0, or a sysexits(3) status with one line in
 * err (without program name or newline).  In daemon mode the utility's
 * options are parsed and ignored, and -p likewise in utility mode; a verb
 * takes its own options alone.
 */
int	options_parse(int argc, char **argv, struct options *,
	    char *err, size_t errsize);

/*
 * The same for a line of the file of actions, in OPTIONS_RULE: only what says
 * what an action is.  argv[0] is not looked at.
 */
int	options_parse_rule(int argc, char **argv, struct options *,
	    char *err, size_t errsize);
void	options_clear(struct options *);

/* The usage text, several lines. */
extern const char options_usage[];

#endif
