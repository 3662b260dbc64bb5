/*
 * feed.c: what engines that are followed print, read by pure functions.
 */
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define ID "14bda1ad00371497ea7ebb2583b07fa6875cb6ef0d23988008bd217fd2973e89"
#define ID2 "04bda1ad00371497ea7ebb2583b07fa6875cb6ef0d23988008bd217fd2973e89"

struct reading {
	const char		*text;
	enum feed_answer	 answer;
	const char		*key;	/* where it is found */
};

/* Bytes of exactly that length, so that a sanitizer sees a step too far. */
static char *
exact(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy + 1, text, len);
	return (copy);
}

static void
read_keys(const struct reading *r, size_t n,
    enum feed_answer (*how)(const char *, size_t, char *))
{
	char key[SPEC_JAIL_MAX + 1], *copy;
	size_t i;

	for (i = 0; i < n; i++) {
		copy = exact(r[i].text, strlen(r[i].text));
		assert_int_equal(how(copy + 1, strlen(r[i].text), key),
		    r[i].answer);
		if (r[i].answer == FEED_FOUND)
			assert_string_equal(key, r[i].key);
		free(copy);
	}
}

static void
reads_ids(void **state)
{
	static const struct reading readings[] = {
		{ ID, FEED_FOUND, ID },
		{ ID2, FEED_FOUND, ID2 },
		{ "14bda1ad0037", FEED_GARBLED, NULL },
		{ ID "0", FEED_GARBLED, NULL },
		{ " " ID, FEED_GARBLED, NULL },
		{ ID "\r", FEED_GARBLED, NULL },
		{ "-4bda1ad00371497ea7ebb2583b07fa6875cb6ef0d23988008bd217fd29"
		    "73e89", FEED_GARBLED, NULL },
		{ "14BDA1AD00371497EA7EBB2583B07FA6875CB6EF0D23988008BD217FD29"
		    "73E89", FEED_GARBLED, NULL },
		{ "14bda1ad00371497ea7ebb2583b07fa6875cb6ef0d23988008bd217fd29"
		    "73e8g", FEED_GARBLED, NULL },
		{ "web", FEED_GARBLED, NULL },
		{ "<no value>", FEED_GARBLED, NULL },
		{ "", FEED_GARBLED, NULL },
	};
	static const char *const engines[] = { "docker", "podman" };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(engines); i++) {
		read_keys(readings, NITEMS(readings),
		    feed_find(engines[i])->read_event);
		read_keys(readings, NITEMS(readings),
		    feed_find(engines[i])->read_list);
	}
}

/* As incus 6 and 7 print them, keys in the order of the alphabet. */
#define EVENT(action, source) \
	"{\"location\":\"none\",\"metadata\":{\"action\":\"" action "\"," \
	"\"context\":{},\"name\":\"web\",\"project\":\"default\"," \
	"\"requestor\":{\"address\":\"@\",\"protocol\":\"unix\"," \
	"\"username\":\"root\"},\"source\":\"" source "\"}," \
	"\"project\":\"default\",\"timestamp\":" \
	"\"2026-02-24T19:00:45.452649098Z\",\"type\":\"lifecycle\"}"

static void
reads_incus_events(void **state)
{
	static const struct reading readings[] = {
		{ EVENT("instance-started", "/1.0/instances/web"),
		    FEED_FOUND, "web" },
		{ EVENT("instance-restarted", "/1.0/instances/a-1"),
		    FEED_FOUND, "a-1" },
		{ EVENT("instance-resumed", "/1.0/instances/web"),
		    FEED_FOUND, "web" },
		{ EVENT("instance-stopped", "/1.0/instances/web"),
		    FEED_NOTHING, NULL },
		{ EVENT("image-created", "/1.0/images/5"),
		    FEED_NOTHING, NULL },
		/* Names of other projects are other names. */
		{ EVENT("instance-started", "/1.0/instances/web?project=b"),
		    FEED_NOTHING, NULL },
		{ EVENT("instance-started", "/1.0/instances/"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/-x"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/.."),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/a/b"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/a b"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/a\\nb"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/instances/a\\u0000b"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "/1.0/profiles/web"),
		    FEED_GARBLED, NULL },
		{ EVENT("instance-started", "web"), FEED_GARBLED, NULL },
		{ "{\"type\":\"logging\",\"metadata\":{\"action\":"
		    "\"instance-started\",\"source\":\"/1.0/instances/web\"}}",
		    FEED_NOTHING, NULL },
		{ "{\"type\":\"lifecycle\",\"metadata\":{\"action\":"
		    "\"instance-started\"}}", FEED_GARBLED, NULL },
		{ "{\"type\":\"lifecycle\",\"metadata\":\"x\"}",
		    FEED_GARBLED, NULL },
		{ "{\"type\":\"lifecycle\"}", FEED_GARBLED, NULL },
		{ "{\"metadata\":{}}", FEED_GARBLED, NULL },
		{ "[]", FEED_GARBLED, NULL },
		{ "{", FEED_GARBLED, NULL },
		{ "web", FEED_GARBLED, NULL },
		{ "", FEED_GARBLED, NULL },
	};

	(void)state;
	read_keys(readings, NITEMS(readings), feed_find("incus")->read_event);
}

/* As deep as a line can be. */
static void
reads_deep_events(void **state)
{
	char *deep = malloc(FEED_LINE_MAX), key[SPEC_JAIL_MAX + 1];

	(void)state;
	assert_non_null(deep);
	memset(deep, '[', FEED_LINE_MAX);
	assert_int_equal(feed_find("incus")->read_event(deep, FEED_LINE_MAX,
	    key), FEED_GARBLED);
	free(deep);
}

static void
reads_incus_lists(void **state)
{
	static const struct reading readings[] = {
		{ "web,RUNNING", FEED_FOUND, "web" },
		{ "web,FROZEN", FEED_FOUND, "web" },
		{ "web,READY", FEED_FOUND, "web" },
		{ "web,STOPPED", FEED_NOTHING, NULL },
		{ "web,ERROR", FEED_NOTHING, NULL },
		{ "web,", FEED_NOTHING, NULL },
		{ "web,RUNNING,x", FEED_NOTHING, NULL },
		{ "web,RUNNIN", FEED_NOTHING, NULL },
		{ "web", FEED_GARBLED, NULL },
		{ ",RUNNING", FEED_GARBLED, NULL },
		{ "-x,RUNNING", FEED_GARBLED, NULL },
		{ "a b,RUNNING", FEED_GARBLED, NULL },
		{ "a/b,RUNNING", FEED_GARBLED, NULL },
		{ "a\xff,RUNNING", FEED_GARBLED, NULL },
		{ "", FEED_GARBLED, NULL },
	};
	char line[SPEC_JAIL_MAX + 16], key[SPEC_JAIL_MAX + 1];
	const struct feed *incus = feed_find("incus");

	(void)state;
	read_keys(readings, NITEMS(readings), incus->read_list);
	(void)snprintf(line, sizeof(line), "%0*d,RUNNING", SPEC_JAIL_MAX, 0);
	assert_int_equal(incus->read_list(line, strlen(line), key),
	    FEED_FOUND);
	assert_int_equal(strlen(key), SPEC_JAIL_MAX);
	(void)snprintf(line, sizeof(line), "%0*d,RUNNING", SPEC_JAIL_MAX + 1,
	    0);
	assert_int_equal(incus->read_list(line, strlen(line), key),
	    FEED_GARBLED);
	assert_int_equal(incus->read_list("a\0b,RUNNING", 11, key),
	    FEED_GARBLED);
}

static void
reads_found(void **state)
{
	static const struct {
		const char	*text;
		enum feed_answer answer;
		pid_t		 pid;
		const char	*key;
		const char	*name;
	} readings[] = {
		{ "18893 " ID " /web", FEED_FOUND, 18893, ID, "web" },
		{ "18893 " ID " web", FEED_FOUND, 18893, ID, "web" },
		{ "2147483647 " ID2 " /a_b.c-d", FEED_FOUND, 2147483647, ID2,
		    "a_b.c-d" },
		{ "0 " ID " /web", FEED_NOTHING, 0, NULL, NULL },
		{ "-5 " ID " /web", FEED_GARBLED, 0, NULL, NULL },
		{ "2147483648 " ID " /web", FEED_GARBLED, 0, NULL, NULL },
		{ "5 14bda1ad0037 /web", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /-v", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /a/b", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /..", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /a\x1b[2J", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /a\xff", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID " /web more", FEED_GARBLED, 0, NULL, NULL },
		{ "5 " ID, FEED_GARBLED, 0, NULL, NULL },
		{ "5", FEED_GARBLED, 0, NULL, NULL },
		{ "<no value> <no value> <no value>", FEED_GARBLED, 0, NULL,
		    NULL },
		{ "", FEED_GARBLED, 0, NULL, NULL },
	};
	struct feed_found found;
	char *copy, line[512];
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(readings); i++) {
		len = strlen(readings[i].text);
		copy = exact(readings[i].text, len);
		memset(&found, 0, sizeof(found));
		assert_int_equal(feed_find("docker")->read_found(copy + 1,
		    len, &found), readings[i].answer);
		if (readings[i].answer == FEED_FOUND) {
			assert_int_equal(found.pid, readings[i].pid);
			assert_string_equal(found.key, readings[i].key);
			assert_string_equal(found.name, readings[i].name);
		}
		free(copy);
	}
	(void)snprintf(line, sizeof(line), "5 " ID " /%0255d", 0);
	assert_int_equal(feed_find("podman")->read_found(line, strlen(line),
	    &found), FEED_FOUND);
	(void)snprintf(line, sizeof(line), "5 " ID " /%0256d", 0);
	assert_int_equal(feed_find("podman")->read_found(line, strlen(line),
	    &found), FEED_GARBLED);
}

static void
reads_incus_states(void **state)
{
	static const struct {
		const char	*text;
		enum feed_answer answer;
	} readings[] = {
		{ "{\n\t\"pid\": 7281,\n\t\"status\": \"Running\"\n}\n",
		    FEED_FOUND },
		{ "{\"pid\":0,\"status\":\"Stopped\"}", FEED_NOTHING },
		{ "{\"pid\":-1,\"status\":\"Error\"}", FEED_NOTHING },
		{ "{\"pid\":2147483648,\"status\":\"Running\"}",
		    FEED_GARBLED },
		{ "Error: Instance not found", FEED_GARBLED },
		{ "", FEED_GARBLED },
	};
	struct feed_found found;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(readings); i++) {
		memset(&found, 0, sizeof(found));
		memcpy(found.key, "web", 4);
		assert_int_equal(feed_find("incus")->read_found(
		    readings[i].text, strlen(readings[i].text), &found),
		    readings[i].answer);
		assert_string_equal(found.key, "web");
		if (readings[i].answer == FEED_FOUND) {
			assert_string_equal(found.name, "web");
			assert_int_equal(found.pid, 7281);
		}
	}
}

/* Nobody else is followed, and each is asked for its own. */
static void
finds_engines(void **state)
{
	static const char *const engines[] = { "docker", "podman", "incus" };
	static const char *const others[] = { "", "lxc", "Docker", "docker:",
	    "runc", "machine" };
	const struct feed *feed;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(engines); i++) {
		feed = feed_find(engines[i]);
		assert_non_null(feed);
		assert_string_equal(feed->name, engines[i]);
		assert_string_equal(feed->events[0], engines[i]);
		assert_string_equal(feed->list[0], engines[i]);
		assert_string_equal(feed->inspect[0], engines[i]);
		assert_non_null(strstr(feed_names, engines[i]));
		assert_in_range(feed->batch, 1, FEED_BATCH);
	}
	for (i = 0; i < NITEMS(others); i++)
		assert_null(feed_find(others[i]));
}

/*
 * Bytes to lines.
 */

static char said[256 * 1024];

static void
note(void *arg, const char *line, size_t len)
{
	size_t used = strlen(said);

	assert_ptr_equal(arg, said);
	if (line == NULL)
		(void)snprintf(said + used, sizeof(said) - used, "(cut)|");
	else
		(void)snprintf(said + used, sizeof(said) - used, "%.*s|",
		    (int)len, line);
}

/* The same, in pieces of every size from 1 to that of the whole. */
static void
assert_lines(const char *text, size_t len, size_t step, const char *want)
{
	struct feed_lines *lines;
	size_t at, n, size;

	for (size = 1; size <= len; size += step) {
		lines = calloc(1, sizeof(*lines));
		assert_non_null(lines);
		said[0] = '\0';
		for (at = 0; at < len; at += n) {
			n = len - at < size ? len - at : size;
			feed_lines_take(lines, text + at, n, note, said);
		}
		assert_string_equal(said, want);
		free(lines);
	}
}

static void
splits(void **state)
{
	(void)state;
	assert_lines("a\nbc\n", 5, 1, "a|bc|");
	assert_lines("\n\na\n\n\nbc\n\n", 10, 1, "a|bc|");
	/* What has no end yet is not there yet. */
	assert_lines("a\nbc", 4, 1, "a|");
	assert_lines("abc", 3, 1, "");
}

static void
splits_long(void **state)
{
	const size_t max = FEED_LINE_MAX;
	char *text = malloc(4 * max), *want = malloc(4 * max);

	(void)state;
	assert_non_null(text);
	assert_non_null(want);
	/* The longest that is one, then one byte more, then again one. */
	(void)snprintf(text, 4 * max, "%0*d\n%0*d\na\n", (int)max, 0,
	    (int)max + 1, 0);
	(void)snprintf(want, 4 * max, "%0*d|(cut)|a|", (int)max, 0);
	assert_lines(text, strlen(text), 997, want);
	/* Without an end it takes no more memory, and the next is whole. */
	(void)snprintf(text, 4 * max, "%0*d\nb\n", (int)(3 * max), 0);
	assert_lines(text, strlen(text), 4093, "(cut)|b|");
	free(text);
	free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_engines),
		cmocka_unit_test(reads_ids),
		cmocka_unit_test(reads_incus_events),
		cmocka_unit_test(reads_deep_events),
		cmocka_unit_test(reads_incus_lists),
		cmocka_unit_test(reads_found),
		cmocka_unit_test(reads_incus_states),
		cmocka_unit_test(splits),
		cmocka_unit_test(splits_long),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
