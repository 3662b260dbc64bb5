/*
 * Linux: a command of an engine's that runs beside the loop.
 *
 * What it prints is taken as fast as it comes and kept within limits.  It
 * cannot hold up anything: not by its silence, its output or its refusal to
 * end.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_OUTPUT_MAX	(64 * 1024)

struct command;
struct ends;
struct event_base;

struct command_end {
	bool		 ok;		/* exit status 0, and neither of these */
	bool		 late;		/* its time was over */
	bool		 cut;		/* it printed more than is kept */
	/* Why not, for people, escaped: its first words on stderr, or how. */
	char		 said[512];
	/* Without line(): what it printed. */
	const char	*text;
	size_t		 len;
};

/*
 * Runs words, see engine_start().  line() gets each line (see
 * feed_lines_take()); NULL: all output is kept for the end.  After timeout_ms
 * (0: never) it is stopped.  ended() is called once, from the loop, and then
 * the command is no more.  NULL with errno, ENOENT if there is no such
 * program.
 */
struct command	*command_start(struct event_base *, struct ends *,
		    const char *const *words, int timeout_ms,
		    void (*line)(void *arg, const char *, size_t len),
		    void (*ended)(void *arg, const struct command_end *),
		    void *arg);

/* Asks it to end, and after a second makes it; ended() is still called. */
void		 command_stop(struct command *);

#endif
