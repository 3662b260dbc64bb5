/*
 * An engine's output as its follower reads it: the first byte is the size of
 * the pieces that it comes in.
 */
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "feed.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
try_key(enum feed_answer (*read)(const char *, size_t, char *),
    const char *line, size_t len)
{
	char key[SPEC_JAIL_MAX + 1];

	if (read(line, len, key) == FEED_FOUND && !engine_is_name(key))
		abort();
}

static void
try_found(const struct feed *feed, const char *text, size_t len)
{
	struct feed_found found;

	memset(&found, 0, sizeof(found));
	memcpy(found.key, "web", 4);
	if (feed->read_found(text, len, &found) == FEED_FOUND &&
	    (found.pid <= 0 || !engine_is_name(found.key) ||
	    !engine_is_name(found.name)))
		abort();
}

static void
try(void *arg, const char *line, size_t len)
{
	const struct feed *feed = arg;

	if (line == NULL)
		return;
	if (len == 0 || len > FEED_LINE_MAX ||
	    memchr(line, '\n', len) != NULL)
		abort();
	try_key(feed->read_event, line, len);
	try_key(feed->read_list, line, len);
	try_found(feed, line, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const engines[] = { "docker", "podman", "incus" };
	static struct feed_lines lines;
	const struct feed *feed;
	size_t at, i, n, piece;

	if (size == 0)
		return (0);
	piece = (size_t)data[0] + 1;
	data++;
	size--;
	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		feed = feed_find(engines[i]);
		lines.used = 0;
		lines.cut = false;
		for (at = 0; at < size; at += n) {
			n = size - at < piece ? size - at : piece;
			feed_lines_take(&lines, (const char *)data + at, n,
			    try, (void *)(uintptr_t)feed);
		}
		try_found(feed, (const char *)data, size);
	}
	return (0);
}
