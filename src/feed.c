/* Linux: what engines that can be followed are asked, and how they are read. */
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine.h"
#include "feed.h"
#include "json.h"
#include "spec.h"

#define ID_LEN		64
#define INSTANCES	"/1.0/instances/"

static enum feed_answer	read_id(const char *, size_t, char *);
static enum feed_answer	read_inspected(const char *, size_t,
			    struct feed_found *);
static enum feed_answer	read_incus_event(const char *, size_t, char *);
static enum feed_answer	read_incus_list(const char *, size_t, char *);
static enum feed_answer	read_incus_state(const char *, size_t,
			    struct feed_found *);

static const char instance_state[] = "local:" INSTANCES "@/state";

const char feed_names[] = "docker, podman or incus";

/*
 * A time to begin at closes the gap between the start of the command and the
 * engine's hearing of it; incus knows none.
 */
static const struct feed feeds[] = {
	{
		.name = "docker",
		.events = { "docker", "events", "--since", "@",
		    "--filter", "type=container", "--filter", "event=start",
		    "--format", "{{.Actor.ID}}", NULL },
		.list = { "docker", "ps", "--no-trunc", "--quiet", NULL },
		.inspect = { "docker", "inspect", "--type", "container",
		    "--format", ENGINE_INSPECT, "--", NULL },
		.batch = FEED_BATCH,
		.read_event = read_id,
		.read_list = read_id,
		.read_found = read_inspected,
	},
	{
		.name = "podman",
		.events = { "podman", "events", "--since", "@",
		    "--filter", "type=container", "--filter", "event=start",
		    "--format", "{{.ID}}", NULL },
		/* By default it leaves out the paused ones, unlike docker. */
		.list = { "podman", "ps", "--no-trunc", "--quiet",
		    "--filter", "status=running", "--filter", "status=paused",
		    NULL },
		.inspect = { "podman", "inspect", "--type", "container",
		    "--format", ENGINE_INSPECT, "--", NULL },
		.batch = FEED_BATCH,
		.read_event = read_id,
		.read_list = read_id,
		.read_found = read_inspected,
	},
	{
		/* The same remote and project as -j incus:name. */
		.name = "incus",
		.events = { "incus", "--force-local", "monitor", "local:",
		    "--project", "default", "--type=lifecycle",
		    "--format=json", NULL },
		.list = { "incus", "--force-local", "list", "local:",
		    "--project", "default", "--format=csv", "--columns=ns",
		    NULL },
		.inspect = { "incus", "--force-local", "query", instance_state,
		    NULL },
		.batch = 1,
		.read_event = read_incus_event,
		.read_list = read_incus_list,
		.read_found = read_incus_state,
	},
};

const struct feed *
feed_find(const char *engine)
{
	size_t i;

	for (i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++)
		if (strcmp(feeds[i].name, engine) == 0)
			return (&feeds[i]);
	return (NULL);
}

/* A name of len bytes, which may hold any. */
static bool
take_name(const char *text, size_t len, char name[SPEC_JAIL_MAX + 1])
{
	if (len > SPEC_JAIL_MAX || memchr(text, '\0', len) != NULL)
		return (false);
	memcpy(name, text, len);
	name[len] = '\0';
	return (engine_is_name(name));
}

/* docker, podman: a whole id, alone. */
static enum feed_answer
read_id(const char *line, size_t len, char *key)
{
	size_t i;

	if (len != ID_LEN)
		return (FEED_GARBLED);
	for (i = 0; i < len; i++)
		if (!((line[i] >= '0' && line[i] <= '9') ||
		    (line[i] >= 'a' && line[i] <= 'f')))
			return (FEED_GARBLED);
	memcpy(key, line, len);
	key[len] = '\0';
	return (FEED_FOUND);
}

static enum feed_answer
read_inspected(const char *line, size_t len, struct feed_found *found)
{
	struct engine_inspected i;

	if (!engine_split_inspect(line, len, &i) ||
	    read_id(i.id, i.idlen, found->key) != FEED_FOUND ||
	    !take_name(i.name, i.namelen, found->name))
		return (FEED_GARBLED);
	found->pid = (pid_t)i.pid;
	return (i.pid == 0 ? FEED_NOTHING : FEED_FOUND);
}

static bool
is_incus_start(const char *action)
{
	static const char *const actions[] = {
		"instance-started", "instance-restarted", "instance-resumed",
	};
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i], action) == 0)
			return (true);
	return (false);
}

/* The source's path ends with the name, and has a query in other projects. */
static enum feed_answer
read_incus_source(const char *source, char *key)
{
	const size_t skip = strlen(INSTANCES);

	if (strncmp(source, INSTANCES, skip) != 0)
		return (FEED_GARBLED);
	source += skip;
	if (strchr(source, '?') != NULL)
		return (FEED_NOTHING);
	return (take_name(source, strlen(source), key) ? FEED_FOUND :
	    FEED_GARBLED);
}

static enum feed_answer
read_incus_event(const char *line, size_t len, char *key)
{
	enum feed_answer answer;
	const char *action, *source, *type;
	json_t *root;

	answer = FEED_GARBLED;
	root = json_read(line, len, NULL, 0);
	if (json_unpack(root, "{s:s, s:{s:s, s:s}}", "type", &type,
	    "metadata", "action", &action, "source", &source) == 0)
		answer = strcmp(type, "lifecycle") == 0 &&
		    is_incus_start(action) ? read_incus_source(source, key) :
		    FEED_NOTHING;
	json_decref(root);
	return (answer);
}

/* "NAME,STATE"; neither is ever quoted. */
static enum feed_answer
read_incus_list(const char *line, size_t len, char *key)
{
	static const char *const running[] = { "RUNNING", "FROZEN", "READY" };
	const char *comma;
	size_t i, rest;

	comma = memchr(line, ',', len);
	if (comma == NULL || !take_name(line, (size_t)(comma - line), key))
		return (FEED_GARBLED);
	rest = len - (size_t)(comma + 1 - line);
	for (i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		if (strlen(running[i]) == rest &&
		    memcmp(running[i], comma + 1, rest) == 0)
			return (FEED_FOUND);
	return (FEED_NOTHING);
}

static enum feed_answer
read_incus_state(const char *text, size_t len, struct feed_found *found)
{
	found->pid = 0;
	memcpy(found->name, found->key, sizeof(found->name));
	switch (engine_parse_state(text, len, found->key, &found->pid)) {
	case ENGINE_RUNNING:
		return (FEED_FOUND);
	case ENGINE_STOPPED:
	case ENGINE_OTHER:
		return (FEED_NOTHING);
	case ENGINE_GARBLED:
		break;
	}
	return (FEED_GARBLED);
}

/* One piece without a newline, or up to it. */
static void
take_piece(struct feed_lines *l, const char *text, size_t len)
{
	l->cut = l->cut || len > sizeof(l->text) - l->used;
	if (l->cut)
		return;
	memcpy(l->text + l->used, text, len);
	l->used += len;
}

void
feed_lines_take(struct feed_lines *l, const char *text, size_t len,
    void (*line)(void *, const char *, size_t), void *arg)
{
	const char *newline;
	size_t piece;

	while (len > 0) {
		newline = memchr(text, '\n', len);
		piece = newline == NULL ? len : (size_t)(newline - text);
		take_piece(l, text, piece);
		if (newline == NULL)
			return;
		if (l->cut)
			line(arg, NULL, 0);
		else if (l->used > 0)
			line(arg, l->text, l->used);
		l->used = 0;
		l->cut = false;
		text += piece + 1;
		len -= piece + 1;
	}
}
