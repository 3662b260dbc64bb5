/* The verbs of the control protocol. */
#ifndef VERB_H
#define VERB_H

#include <stddef.h>

struct actions;
struct conn;
struct control;
struct rules;
struct watchers;

/* What verbs work on. */
struct verb_context {
	struct actions	*actions;
	struct control	*control;
	struct rules	*rules;
	struct watchers	*watchers;
};

/*
 * Carries out one line of a permitted peer and answers it, at once or later.
 */
void	verb_line(void *context, struct conn *, const char *line, size_t len);

/* Reads the file of actions again, and logs how it went; as `reload` does. */
int	verb_reload(struct verb_context *, char *err, size_t errsize);

#endif
