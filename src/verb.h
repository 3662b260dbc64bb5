/* The verbs of the control protocol. */
#ifndef VERB_H
#define VERB_H

#include <stddef.h>

struct actions;
struct conn;

/*
 * Carries out one line of a permitted peer and answers it, at once or later.
 */
void	verb_line(void *actions, struct conn *, const char *line, size_t len);

#endif
