/* `jaildaemon check`: the file of actions, read and printed. */
#ifndef CHECK_H
#define CHECK_H

#include "options.h"

/*
 * Reads the file that -C names, or the default, and prints its actions in
 * their normal form, which reads the same; or prints one line to stderr that
 * begins with the file and the line.  Returns the exit status.
 */
int	check_file(const struct options *);

#endif
