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
#include <sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec.h"

#define CONF_FILE_MAX	(16 * 1024 * 1024)	/* bytes */
#define CONF_RULES_MAX	10000
#define CONF_PATTERN_MAX 1024			/* bytes, without the NUL */

/* One line: an action, and the jails that shall have it. */
struct conf_rule {
	TAILQ_ENTRY(conf_rule) entry;
	RB_ENTRY(conf_rule) by_text;	/* conf.c's, while it reads */
	struct spec	 spec;		/* all but the jail */
	char		**jails;	/* patterns, fnmatch(3); owned */
	size_t		 njails;	/* 1 or more: sorted, each once */
	unsigned int	 line;		/* where it begins, from 1 */
	/*
	 * The action in its one normal form: options in a fixed order, single
	 * quotes where sh needs quotes, no newline at its end.  Newlines of
	 * the command stay, inside the quotes.  Parsing it gives the same, and
	 * rules are the same if this is.  Owned.
	 */
	char		*text;
	uint64_t	 key;		/* of the text: FNV-1a, never 0 */
	bool		 is_new;	/* rules.c's */
};

TAILQ_HEAD(conf_rules, conf_rule);

/*
 * Reads what is between text and text + len; name is the file's, for
 * messages.  Rules are added, in their order, to a list that is empty.  0, or
 * EX_CONFIG (EX_OSERR: no memory) with one line in err, "file:line: what,
 * expected what"; then the list is empty again.  A rule that is there twice
 * (equal text) is refused, with the first's line.
 */
int	conf_parse(const char *name, const char *text, size_t len,
	    struct conf_rules *rules, char *err, size_t errsize);

/*
 * The same for a file: it and its folder must be root's (or the caller's) and
 * not writable by others, which is checked on the opened descriptors.  A
 * symbolic link is refused: whoever may write to a link's folder could choose
 * among root's files.  EX_NOINPUT: there is no such file; EX_NOPERM: it may
 * not be read, or somebody else could have written it; EX_IOERR, EX_OSERR.
 */
int	conf_read(const char *path, struct conf_rules *rules, char *err,
	    size_t errsize);

/* Frees the rules, not the head, which is empty afterwards. */
void	conf_clear(struct conf_rules *rules);
void	conf_rule_free(struct conf_rule *);

/*
 * Is it for the jail of that name?  engine: the one that knows the name, or
 * NULL.  Linux: a pattern of the form engine:pattern is for that engine's
 * jails alone; one whose engine -j does not know was refused when it was
 * read.
 */
bool	conf_matches(const struct conf_rule *, const char *engine,
	    const char *name);

#endif
