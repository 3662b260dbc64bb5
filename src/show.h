/*
 * What the utility shows: the table of actions, and events.  All text comes
 * from the daemon's lines, and is escaped for a terminal.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

struct show_list;

/* json: items are printed as they come, one a line.  NULL: no memory. */
struct show_list *show_list_open(bool json);
void		 show_list_close(struct show_list *);

/*
 * For client_stream().  The table is kept until it is whole: its columns are
 * as wide as what stands in them, cut to the terminal's width.
 */
int		 show_list_item(void *list, struct wire_item *, const char *,
		    size_t);

/* false: it could not be written. */
bool		 show_list_print(struct show_list *);

/* For client_stream(): one event, in words or as it came. */
int		 show_event(void *, struct wire_item *, const char *, size_t);
int		 show_event_json(void *, struct wire_item *, const char *,
		    size_t);

#endif
