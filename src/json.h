/*
 * Reading JSON when memory may be short.
 *
 * jansson itself goes on there: a text that cannot grow is left without the
 * byte it had no room for, and where that was half of an escape an assertion
 * fails.  So memory comes from here, and a shortage ends the reading at once.
 */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

#include <jansson.h>

/* Before anything of jansson's is made other than by json_read(). */
void	json_prepare(void);

/*
 * The value that these bytes are, to be given back with json_decref().  NULL:
 * one line in err, which may be NULL with a size of 0; errno is ENOMEM if memory
 * was short, else EINVAL.
 */
json_t	*json_read(const char *text, size_t len, char *err, size_t errsize);

#endif
