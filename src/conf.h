/*
 * The file of actions, jaildaemon.conf(5): one action a line, written as the
 * options of -c.
 *
 * Split by the quoting rules of sh, without any expansion; parsed by the
 * command line's own table (options.h).  Reading is pure but for conf_read().
 */
#ifndef CONF_H
#define CONF_H

#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "spec.h"

#define CONF_FILE_MAX	(16 * 1024 * 1024)	/* bytes */
#define CONF_NAME	"jaildaemon.conf"

/* One line: an action, and the jails that shall have it. */
struct conf_rule {
	TAILQ_ENTRY(conf_rule) entry;
	struct spec	 spec;		/* all but the jail */
	char		**jails;	/* patterns, fnmatch(3); owned */
	size_t		 njails;	/* 1 or more */
	unsigned int	 line;		/* where it begins, from 1 */
	/*
	 * The line in its one normal form, without a newline; parsing it gives
	 * the same.  Rules are the same if this is.  Owned.
	 */
	char		*text;
};

TAILQ_HEAD(conf_rules, conf_rule);

/*
 * Reads what is between text and text + len; name is the file's, for
 * messages.  Rules are added in their order.  0, or a sysexits(3) status with
 * one line in err, "file:line: what, expected what"; then rules is empty.
 * A rule that is there twice (equal text) is refused, with the first's line.
 */
int	conf_parse(const char *name, const char *text, size_t len,
	    struct conf_rules *rules, char *err, size_t errsize);

/*
 * The same for a file: it and its folder must be root's (or the caller's) and
 * not writable by others, which is checked on the opened descriptors.
 * EX_NOINPUT: there is none; EX_NOPERM: somebody else could have written it.
 */
int	conf_read(const char *path, struct conf_rules *rules, char *err,
	    size_t errsize);

/* Frees the rules, not the head, which is empty afterwards. */
void	conf_clear(struct conf_rules *rules);
void	conf_rule_free(struct conf_rule *);

/*
 * Is it for the jail of that name?  engine: the one that knows the name, or
 * NULL.  A pattern of the form engine:pattern, where the engine is one that
 * -j knows, is for that engine's jails alone.
 */
bool	conf_matches(const struct conf_rule *, const char *engine,
	    const char *name);

#endif
