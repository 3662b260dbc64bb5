/* Who watches: connections that hear of every event. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "wire.h"

#define WATCHERS_MAX	32	/* half of all connections */

struct conn;
struct watchers;

struct watchers	*watchers_open(void);	/* NULL: no memory */
/* To be closed after the connections. */
void		 watchers_close(struct watchers *);

/* false: no memory, or there are WATCHERS_MAX. */
bool		 watchers_add(struct watchers *, struct conn *);

/* All are told why, and hear no more. */
void		 watchers_end(struct watchers *, int status, const char *why);

/* To all of them; costs nothing where there is none. */
void		 watchers_tell(struct watchers *, const struct wire_item *);

#endif
