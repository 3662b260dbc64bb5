/*
 * Linux: what the engines that can be followed are asked for, and how their
 * output is read.
 *
 * Pure, and trusting nothing: what an engine prints goes by lines of limited
 * length, and what is taken from them is a container's id or a name that
 * engine_is_name().
 */
#ifndef FEED_H
#define FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "spec.h"

#define FEED_WORDS	16
#define FEED_BATCH	64
#define FEED_LINE_MAX	(16 * 1024)

/* What is read from a line. */
enum feed_answer {
	FEED_FOUND,
	FEED_NOTHING,		/* well-formed, and of no interest */
	FEED_GARBLED,		/* not what the engine is known to print */
};

/*
 * A container that runs.  The key is what the engine's events, lists and
 * inspections have in common: docker's and podman's id, incus' name.
 */
struct feed_found {
	char		 key[SPEC_JAIL_MAX + 1];
	char		 name[SPEC_JAIL_MAX + 1];
	pid_t		 pid;		/* of its first process */
};

struct feed {
	const char	*name;		/* as in docker:web */
	/*
	 * Commands, for engine_start(): one that prints a line whenever
	 * something happens and goes on, one that prints a line for each
	 * container, and one that tells all of up to batch containers.  An @
	 * is the time from which events are wanted (seconds since the Epoch),
	 * or the one container's key; where batch is more than 1, keys are
	 * further words.
	 */
	const char	*events[FEED_WORDS];
	const char	*list[FEED_WORDS];
	const char	*inspect[FEED_WORDS];
	unsigned int	 batch;
	/* Lines of the first two, to a key; of len bytes, without newline. */
	enum feed_answer (*read_event)(const char *, size_t len,
			    char key[SPEC_JAIL_MAX + 1]);
	enum feed_answer (*read_list)(const char *, size_t len,
			    char key[SPEC_JAIL_MAX + 1]);
	/*
	 * A line of the third; where batch is 1, all that it printed, about
	 * the container whose key is in found already.
	 */
	enum feed_answer (*read_found)(const char *, size_t len,
			    struct feed_found *);
};

/* NULL: no engine that can be followed.  feed_names lists them, for people. */
const struct feed	*feed_find(const char *engine);
extern const char	 feed_names[];

/* Bytes to lines. */
struct feed_lines {
	size_t	 used;
	bool	 cut;			/* in a line that is too long */
	char	 text[FEED_LINE_MAX];
};

/*
 * Takes what was read, and calls line() for each line that it ends, without
 * its newline; NULL stands for one that is longer than FEED_LINE_MAX.  Empty
 * ones are left out.
 */
void	feed_lines_take(struct feed_lines *, const char *, size_t len,
	    void (*line)(void *arg, const char *, size_t len), void *arg);

#endif
