#include <sys/queue.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "watch.h"

struct watcher {
	LIST_ENTRY(watcher) entry;
	struct watchers	*watchers;
	struct conn	*conn;
};

struct watchers {
	LIST_HEAD(, watcher) list;
	unsigned int	 count;
};

struct watchers *
watchers_open(void)
{
	return (calloc(1, sizeof(struct watchers)));
}

void
watchers_close(struct watchers *ws)
{
	free(ws);
}

static void
on_gone(void *arg)
{
	struct watcher *w = arg;

	LIST_REMOVE(w, entry);
	w->watchers->count--;
	free(w);
}

bool
watchers_add(struct watchers *ws, struct conn *conn)
{
	struct watcher *w;

	if (ws->count >= WATCHERS_MAX ||
	    (w = calloc(1, sizeof(*w))) == NULL)
		return (false);
	w->watchers = ws;
	w->conn = conn;
	LIST_INSERT_HEAD(&ws->list, w, entry);
	ws->count++;
	control_watch(conn, on_gone, w);
	return (true);
}

void
watchers_tell(struct watchers *ws, const struct wire_item *item)
{
	struct watcher *w;

	LIST_FOREACH(w, &ws->list, entry)
		control_item(w->conn, item);
}

void
watchers_end(struct watchers *ws, int status, const char *why)
{
	struct wire_reply reply = { .ok = false, .status = status };
	struct watcher *w;
	struct conn *conn;

	strlcpy(reply.error, why, sizeof(reply.error));
	while ((w = LIST_FIRST(&ws->list)) != NULL) {
		conn = w->conn; /* NOLINT(clang-analyzer-unix.Malloc) */
		on_gone(w);
		control_reply(conn, &reply);
	}
}
