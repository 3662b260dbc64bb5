/*
 * The control protocol: JSON lines <-> structs.
 *
 * Both directions of both messages are driven by one table of keys each, so
 * what is encoded is what is decoded, and nothing else is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "spec.h"
#include "text.h"
#include "wire.h"

/*
 * A request is flat.  A few levels more are let through to the key table,
 * which names the key that should not have been an object; jansson, which
 * recurses, never sees deep ones.
 */
#define DEPTH_MAX	8

#define KEY_SHOWN_MAX	63	/* bytes of a key that is not known */

enum type {
	TYPE_VERSION,
	TYPE_BOOL,
	TYPE_NUMBER,		/* 4 or 8 bytes; never negative */
	TYPE_TEXT,		/* char *, owned */
	TYPE_BUFFER,		/* char [max + 1] */
	TYPE_RESPAWN,
	TYPE_TIME,		/* int64_t, ms since the Epoch */
	TYPE_IDS,		/* uint64_t *, owned, and a size_t behind it */
	TYPE_KIND,		/* enum record_kind */
};

struct key {
	const char	*name;
	enum type	 type;
	unsigned int	 bit;
	size_t		 offset;
	size_t		 size;
	int64_t		 min;		/* of a number, or bytes of a string */
	int64_t		 max;
};

struct table {
	const struct key *keys;
	size_t		 nkeys;
	unsigned int	 required;
};

/* Bits beside enum wire_key. */
enum {
	REQUEST_VERSION	= 1 << 29,
	REQUEST_VERB	= 1 << 30,

	ITEM_VERSION	= 1 << 30,

	RECORD_VERSION	= 1 << 0,
	RECORD_WORD	= 1 << 1,
	R_BOOT		= 1 << 2,
	R_NEXT		= 1 << 3,
	R_ID		= 1 << 4,
	R_JID		= 1 << 5,
	R_JAIL		= 1 << 6,
	R_ENGINE	= 1 << 7,
	R_STARTED	= 1 << 8,
	R_PIDNS		= 1 << 9,
	R_TITLE		= 1 << 10,
	R_COMMAND	= 1 << 11,
	R_UID		= 1 << 12,
	R_GID		= 1 << 13,
	R_RESPAWN	= 1 << 14,
	R_TIMEOUT	= 1 << 15,
	R_PARALLEL	= 1 << 16,
	R_INTERVAL	= 1 << 17,
	R_FEEDBACK	= 1 << 18,
	R_RULE		= 1 << 19,
	R_RUN		= 1 << 20,
	R_PID		= 1 << 21,
	R_CLOCK		= 1 << 22,
	R_AT		= 1 << 23,
	R_RUNS		= 1 << 24,
	R_RUNS_ENDED	= 1 << 25,
	R_KNOWN		= 1 << 26,
	R_LAST_STATUS	= 1 << 27,
	R_LAST_SIGNAL	= 1 << 28,
	R_LAST_MS	= 1 << 29,
	R_LAST_AT	= 1 << 30,

	REPLY_VERSION	= 1 << 0,
	REPLY_OK	= 1 << 1,
	REPLY_ID	= 1 << 2,
	REPLY_PID	= 1 << 3,
	REPLY_STATUS	= 1 << 4,
	REPLY_ERROR	= 1 << 5,
	REPLY_WARNING	= 1 << 6,
	REPLY_COUNT	= 1 << 7,
	REPLY_TEXT	= 1 << 8,
};

#define FIELD(s, m)	offsetof(struct s, m), sizeof(((struct s *)NULL)->m)
#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct key request_keys[] = {
	{ "v", TYPE_VERSION, REQUEST_VERSION, 0, 0,
	    WIRE_VERSION, WIRE_VERSION },
	{ "verb", TYPE_BUFFER, REQUEST_VERB, FIELD(wire_request, verb),
	    1, WIRE_VERB_MAX - 1 },
	{ "command", TYPE_TEXT, WIRE_KEY_COMMAND,
	    FIELD(wire_request, spec.command), 1, SPEC_COMMAND_MAX },
	{ "jail", TYPE_TEXT, WIRE_KEY_JAIL, FIELD(wire_request, spec.jail),
	    1, SPEC_JAIL_MAX },
	{ "pid", TYPE_NUMBER, WIRE_KEY_PID, FIELD(wire_request, spec.pid),
	    1, INT32_MAX },
	{ "started", TYPE_NUMBER, WIRE_KEY_STARTED,
	    FIELD(wire_request, spec.started), 1, INT64_MAX },
	{ "title", TYPE_TEXT, WIRE_KEY_TITLE, FIELD(wire_request, spec.title),
	    1, SPEC_TITLE_MAX },
	{ "uid", TYPE_NUMBER, WIRE_KEY_UID, FIELD(wire_request, spec.uid),
	    0, SPEC_ID_MAX },
	{ "gid", TYPE_NUMBER, WIRE_KEY_GID, FIELD(wire_request, spec.gid),
	    0, SPEC_ID_MAX },
	{ "respawn", TYPE_RESPAWN, WIRE_KEY_RESPAWN,
	    FIELD(wire_request, spec.respawn), 0, 0 },
	{ "engine", TYPE_TEXT, WIRE_KEY_ENGINE,
	    FIELD(wire_request, spec.engine), 1, SPEC_ENGINE_MAX },
	{ "timeout", TYPE_NUMBER, WIRE_KEY_TIMEOUT,
	    FIELD(wire_request, spec.timeout), 1, SPEC_SECONDS_MAX },
	{ "parallel", TYPE_NUMBER, WIRE_KEY_PARALLEL,
	    FIELD(wire_request, spec.parallel), 1, SPEC_PARALLEL_MAX },
	{ "interval", TYPE_NUMBER, WIRE_KEY_INTERVAL,
	    FIELD(wire_request, spec.interval), 1, SPEC_SECONDS_MAX },
	{ "feedback", TYPE_BOOL, WIRE_KEY_FEEDBACK,
	    FIELD(wire_request, spec.feedback), 0, 1 },
	{ "id", TYPE_NUMBER, WIRE_KEY_ID, FIELD(wire_request, id),
	    1, INT64_MAX },
	{ "ids", TYPE_IDS, WIRE_KEY_IDS, FIELD(wire_request, ids),
	    1, WIRE_IDS_MAX },
};

static const struct table request_table = {
	request_keys, NITEMS(request_keys), REQUEST_VERSION | REQUEST_VERB
};

static const struct key reply_keys[] = {
	{ "v", TYPE_VERSION, REPLY_VERSION, 0, 0, WIRE_VERSION, WIRE_VERSION },
	{ "ok", TYPE_BOOL, REPLY_OK, FIELD(wire_reply, ok), 0, 1 },
	{ "id", TYPE_NUMBER, REPLY_ID, FIELD(wire_reply, id), 1, INT64_MAX },
	{ "pid", TYPE_NUMBER, REPLY_PID, FIELD(wire_reply, pid),
	    1, INT32_MAX },
	{ "status", TYPE_NUMBER, REPLY_STATUS, FIELD(wire_reply, status),
	    1, 255 },
	{ "error", TYPE_BUFFER, REPLY_ERROR, FIELD(wire_reply, error),
	    1, WIRE_ERROR_MAX - 1 },
	{ "warning", TYPE_BUFFER, REPLY_WARNING, FIELD(wire_reply, warning),
	    1, WIRE_ERROR_MAX - 1 },
	{ "count", TYPE_NUMBER, REPLY_COUNT, FIELD(wire_reply, count),
	    0, INT32_MAX },
	{ "text", TYPE_TEXT, REPLY_TEXT, FIELD(wire_reply, text),
	    0, WIRE_TEXT_MAX },
};

static const struct table reply_table = {
	reply_keys, NITEMS(reply_keys), REPLY_VERSION | REPLY_OK
};

#define ITEM_FIELD(m)	FIELD(wire_item, m)

static const struct key item_keys[] = {
	{ "v", TYPE_VERSION, ITEM_VERSION, 0, 0, WIRE_VERSION, WIRE_VERSION },
	{ "event", TYPE_BUFFER, ITEM_EVENT, ITEM_FIELD(event),
	    1, WIRE_WORD_MAX - 1 },
	{ "at", TYPE_TIME, ITEM_AT, ITEM_FIELD(at), 0, 0 },
	{ "id", TYPE_NUMBER, ITEM_ID, ITEM_FIELD(id), 1, INT64_MAX },
	{ "jid", TYPE_NUMBER, ITEM_JID, ITEM_FIELD(jid), 1, INT32_MAX },
	{ "jail", TYPE_TEXT, ITEM_JAIL, ITEM_FIELD(jail), 1, SPEC_JAIL_MAX },
	{ "engine", TYPE_TEXT, ITEM_ENGINE, ITEM_FIELD(engine),
	    1, SPEC_ENGINE_MAX },
	{ "state", TYPE_BUFFER, ITEM_STATE, ITEM_FIELD(state),
	    1, WIRE_WORD_MAX - 1 },
	{ "pid", TYPE_NUMBER, ITEM_PID, ITEM_FIELD(pid), 1, INT32_MAX },
	{ "title", TYPE_TEXT, ITEM_TITLE, ITEM_FIELD(title),
	    1, SPEC_TITLE_MAX },
	{ "command", TYPE_TEXT, ITEM_COMMAND, ITEM_FIELD(command),
	    1, SPEC_COMMAND_MAX },
	{ "respawn", TYPE_RESPAWN, ITEM_RESPAWN, ITEM_FIELD(respawn), 0, 0 },
	{ "uid", TYPE_NUMBER, ITEM_UID, ITEM_FIELD(uid), 0, SPEC_ID_MAX },
	{ "gid", TYPE_NUMBER, ITEM_GID, ITEM_FIELD(gid), 0, SPEC_ID_MAX },
	{ "timeout", TYPE_NUMBER, ITEM_TIMEOUT, ITEM_FIELD(timeout),
	    1, SPEC_SECONDS_MAX },
	{ "parallel", TYPE_NUMBER, ITEM_PARALLEL, ITEM_FIELD(parallel),
	    1, SPEC_PARALLEL_MAX },
	{ "interval", TYPE_NUMBER, ITEM_INTERVAL, ITEM_FIELD(interval),
	    1, SPEC_SECONDS_MAX },
	{ "feedback", TYPE_BOOL, ITEM_FEEDBACK, ITEM_FIELD(feedback), 0, 1 },
	{ "file", TYPE_BOOL, ITEM_FILE, ITEM_FIELD(file), 0, 1 },
	{ "runs", TYPE_NUMBER, ITEM_RUNS, ITEM_FIELD(runs), 0, INT64_MAX },
	{ "last_status", TYPE_NUMBER, ITEM_LAST_STATUS,
	    ITEM_FIELD(last_status), 0, 255 },
	{ "last_signal", TYPE_NUMBER, ITEM_LAST_SIGNAL,
	    ITEM_FIELD(last_signal), 1, 255 },
	{ "last_ms", TYPE_NUMBER, ITEM_LAST_MS, ITEM_FIELD(last_ms),
	    0, INT64_MAX },
	{ "last_at", TYPE_TIME, ITEM_LAST_AT, ITEM_FIELD(last_at), 0, 0 },
	{ "armed_at", TYPE_TIME, ITEM_ARMED_AT, ITEM_FIELD(armed_at), 0, 0 },
	{ "status", TYPE_NUMBER, ITEM_STATUS, ITEM_FIELD(status), 0, 255 },
	{ "signal", TYPE_NUMBER, ITEM_SIGNAL, ITEM_FIELD(signal), 1, 255 },
	{ "ms", TYPE_NUMBER, ITEM_MS, ITEM_FIELD(ms), 0, INT64_MAX },
	{ "text", TYPE_TEXT, ITEM_TEXT, ITEM_FIELD(text),
	    1, WIRE_ERROR_MAX },
};

static const struct table item_table = {
	item_keys, NITEMS(item_keys), ITEM_VERSION
};

#define RECORD_FIELD(m)	FIELD(wire_record, m)

static const struct key record_keys[] = {
	{ "v", TYPE_VERSION, RECORD_VERSION, 0, 0, WIRE_VERSION,
	    WIRE_VERSION },
	{ "record", TYPE_KIND, RECORD_WORD, RECORD_FIELD(kind), 0, 0 },
	{ "boot", TYPE_BUFFER, R_BOOT, RECORD_FIELD(boot), 1, 63 },
	{ "next", TYPE_NUMBER, R_NEXT, RECORD_FIELD(next), 0, INT64_MAX },
	{ "id", TYPE_NUMBER, R_ID, RECORD_FIELD(id), 1, INT64_MAX },
	{ "jid", TYPE_NUMBER, R_JID, RECORD_FIELD(jid), 1, INT32_MAX },
	{ "jail", TYPE_TEXT, R_JAIL, RECORD_FIELD(spec.jail),
	    1, SPEC_JAIL_MAX },
	{ "engine", TYPE_TEXT, R_ENGINE, RECORD_FIELD(spec.engine),
	    1, SPEC_ENGINE_MAX },
	{ "started", TYPE_NUMBER, R_STARTED, RECORD_FIELD(jail_started),
	    1, INT64_MAX },
	{ "pidns", TYPE_NUMBER, R_PIDNS, RECORD_FIELD(pidns), 1, INT64_MAX },
	{ "title", TYPE_TEXT, R_TITLE, RECORD_FIELD(spec.title),
	    1, SPEC_TITLE_MAX },
	{ "command", TYPE_TEXT, R_COMMAND, RECORD_FIELD(spec.command),
	    1, SPEC_COMMAND_MAX },
	{ "uid", TYPE_NUMBER, R_UID, RECORD_FIELD(spec.uid), 0, SPEC_ID_MAX },
	{ "gid", TYPE_NUMBER, R_GID, RECORD_FIELD(spec.gid), 0, SPEC_ID_MAX },
	{ "respawn", TYPE_RESPAWN, R_RESPAWN, RECORD_FIELD(spec.respawn),
	    0, 0 },
	{ "timeout", TYPE_NUMBER, R_TIMEOUT, RECORD_FIELD(spec.timeout),
	    1, SPEC_SECONDS_MAX },
	{ "parallel", TYPE_NUMBER, R_PARALLEL, RECORD_FIELD(spec.parallel),
	    1, SPEC_PARALLEL_MAX },
	{ "interval", TYPE_NUMBER, R_INTERVAL, RECORD_FIELD(spec.interval),
	    1, SPEC_SECONDS_MAX },
	{ "feedback", TYPE_BOOL, R_FEEDBACK, RECORD_FIELD(spec.feedback),
	    0, 1 },
	{ "rule", TYPE_NUMBER, R_RULE, RECORD_FIELD(rule), 1, INT64_MAX },
	{ "run", TYPE_NUMBER, R_RUN, RECORD_FIELD(run), 1, INT64_MAX },
	{ "pid", TYPE_NUMBER, R_PID, RECORD_FIELD(pid), 1, INT32_MAX },
	{ "clock", TYPE_NUMBER, R_CLOCK, RECORD_FIELD(clock), 0, INT64_MAX },
	{ "at", TYPE_TIME, R_AT, RECORD_FIELD(at), 0, 0 },
	{ "runs", TYPE_NUMBER, R_RUNS, RECORD_FIELD(runs), 0, INT64_MAX },
	{ "runs_ended", TYPE_NUMBER, R_RUNS_ENDED, RECORD_FIELD(runs_ended),
	    0, INT64_MAX },
	{ "known", TYPE_BOOL, R_KNOWN, RECORD_FIELD(known), 0, 1 },
	{ "last_status", TYPE_NUMBER, R_LAST_STATUS,
	    RECORD_FIELD(last_status), 0, 255 },
	{ "last_signal", TYPE_NUMBER, R_LAST_SIGNAL,
	    RECORD_FIELD(last_signal), 0, 255 },
	{ "last_ms", TYPE_NUMBER, R_LAST_MS, RECORD_FIELD(last_ms),
	    0, INT64_MAX },
	{ "last_at", TYPE_TIME, R_LAST_AT, RECORD_FIELD(last_at), 0, 0 },
};

static const struct table record_table = {
	record_keys, NITEMS(record_keys), RECORD_VERSION | RECORD_WORD
};

#define R_RESULT	(R_KNOWN | R_LAST_STATUS | R_LAST_SIGNAL | R_LAST_MS | \
			    R_LAST_AT)
#define R_NAME		(R_JID | R_JAIL | R_ENGINE | R_STARTED | R_PIDNS)

/* Each kind's word, what it must have, and what else it may. */
static const struct {
	const char	*word;
	unsigned int	 needs;
	unsigned int	 takes;
} records[RECORD_KINDS] = {
	[RECORD_HEADER] = { "header", R_BOOT | R_NEXT, 0 },
	[RECORD_ARM] = { "arm", R_ID | R_JID | R_COMMAND | R_UID | R_GID |
	    R_RESPAWN | R_RUNS | R_RUNS_ENDED | R_AT, R_NAME | R_TITLE |
	    R_TIMEOUT | R_PARALLEL | R_INTERVAL | R_FEEDBACK | R_RULE |
	    R_RUN | R_RESULT },
	[RECORD_OVER] = { "over", R_ID, 0 },
	[RECORD_END] = { "end", R_ID, 0 },
	[RECORD_TRIGGER] = { "trigger", R_ID | R_RUN | R_AT, 0 },
	[RECORD_RUN] = { "run", R_ID | R_RUN | R_PID | R_CLOCK | R_AT, 0 },
	[RECORD_RAN] = { "ran", R_ID | R_RUN | R_RESULT, 0 },
	[RECORD_JAIL] = { "jail", R_JID | R_JAIL, R_NAME },
	[RECORD_RULE] = { "rule", R_JID | R_RULE, R_STARTED },
	[RECORD_GONE] = { "gone", R_JID, R_STARTED },
};

static int
get_kind(const json_t *value, void *field)
{
	const char *s = json_string_value(value);

	for (int i = 0; s != NULL && i < RECORD_KINDS; i++)
		if (strcmp(records[i].word, s) == 0) {
			enum record_kind kind = (enum record_kind)i;

			memcpy(field, &kind, sizeof(kind));
			return (0);
		}
	return (-1);
}

/* What a value of this key has to be, in words. */
static const char *
expected(const struct key *k, char *buf, size_t size)
{
	switch (k->type) {
	case TYPE_VERSION:
		(void)snprintf(buf, size, "the protocol's version, %jd",
		    (intmax_t)k->max);
		break;
	case TYPE_BOOL:
		(void)snprintf(buf, size, "true or false");
		break;
	case TYPE_NUMBER:
		(void)snprintf(buf, size, "a number from %jd to %jd",
		    (intmax_t)k->min, (intmax_t)k->max);
		break;
	case TYPE_TEXT:
	case TYPE_BUFFER:
		(void)snprintf(buf, size, "a string of %jd to %jd bytes",
		    (intmax_t)k->min, (intmax_t)k->max);
		break;
	case TYPE_RESPAWN:
		(void)snprintf(buf, size, "\"%s\", \"%s\" or \"%s\"",
		    spec_respawn_name(RESPAWN_NEVER),
		    spec_respawn_name(RESPAWN_AFTER),
		    spec_respawn_name(RESPAWN_NOW));
		break;
	case TYPE_TIME:
		(void)snprintf(buf, size, "a time of RFC 3339, in UTC");
		break;
	case TYPE_KIND:
		(void)snprintf(buf, size, "the kind of a record");
		break;
	case TYPE_IDS:
		(void)snprintf(buf, size, "an array of %jd to %jd ids",
		    (intmax_t)k->min, (intmax_t)k->max);
		break;
	}
	return (buf);
}

/* Always -1, with the line in err. */
static int refuse(char *, size_t, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(char *err, size_t errsize, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, errsize, fmt, ap);
	va_end(ap);
	return (-1);
}

static int
refuse_value(const struct key *k, char *err, size_t errsize)
{
	char want[96];

	if (errno == ENOMEM)
		return (refuse(err, errsize, "out of memory"));
	return (refuse(err, errsize, "\"%s\": expected %s", k->name,
	    expected(k, want, sizeof(want))));
}

static bool
is_too_deep(const char *line, size_t len)
{
	size_t i;
	int depth;
	bool quoted;

	depth = 0;
	quoted = false;
	for (i = 0; i < len; i++) {
		if (quoted) {
			if (line[i] == '\\')
				i++;
			else if (line[i] == '"')
				quoted = false;
		} else if (line[i] == '"')
			quoted = true;
		else if (line[i] == '[' || line[i] == '{') {
			if (++depth > DEPTH_MAX)
				return (true);
		} else if ((line[i] == ']' || line[i] == '}') && depth > 0)
			depth--;
	}
	return (false);
}

/* Since the last line was begun. */
static bool	short_of_memory;

static void *
allocate(size_t size)
{
	void *p = malloc(size);

	short_of_memory = short_of_memory || p == NULL;
	return (p);
}

/* The line's JSON object, or NULL with the reason in err. */
static json_t *
parse(const char *line, size_t len, char *err, size_t errsize)
{
	json_t *object;

	short_of_memory = false;
	if (len >= WIRE_LINE_MAX) {
		(void)refuse(err, errsize, "the line has more than %d bytes",
		    WIRE_LINE_MAX);
		return (NULL);
	}
	if (is_too_deep(line, len)) {
		(void)refuse(err, errsize, "nested deeper than %d levels",
		    DEPTH_MAX);
		return (NULL);
	}
	object = json_read(line, len, err, errsize);
	short_of_memory = object == NULL && errno == ENOMEM;
	if (object != NULL && !json_is_object(object)) {
		json_decref(object);
		object = NULL;
		(void)refuse(err, errsize, "not one JSON object: an array");
	}
	return (object);
}

static int
get_number(const struct key *k, const json_t *value, void *field)
{
	json_int_t n;
	uint32_t n32;

	n = json_integer_value(value);
	if (!json_is_integer(value) || n < k->min || n > k->max)
		return (-1);
	if (k->size == sizeof(n32)) {
		n32 = (uint32_t)n;
		memcpy(field, &n32, sizeof(n32));
	} else
		memcpy(field, &n, sizeof(n));
	return (0);
}

static int
get_string(const struct key *k, const json_t *value, void *field)
{
	const char *s;
	char **text;
	size_t len;

	if ((s = json_string_value(value)) == NULL)
		return (-1);
	len = json_string_length(value);
	if (len < (size_t)k->min || len > (size_t)k->max)
		return (-1);
	if (k->type == TYPE_BUFFER) {
		memcpy(field, s, len + 1);
		return (0);
	}
	text = field;
	if ((*text = allocate(len + 1)) == NULL)
		return (-1);
	memcpy(*text, s, len + 1);
	return (0);
}

static int
get_respawn(const json_t *value, void *field)
{
	const char *s;

	if ((s = json_string_value(value)) == NULL)
		return (-1);
	return (spec_respawn_parse(s, field));
}

/* Gregorian days since the Epoch, of a year after it (the usual formula). */
static int64_t
days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t era, doy, yoe;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468);
}

static int
get_time(const json_t *value, void *field)
{
	char shown[WIRE_TIME_MAX];
	int y, mo, d, h, mi, sec, ms;
	const char *s;
	int64_t t;

	if ((s = json_string_value(value)) == NULL ||
	    sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &y, &mo, &d, &h, &mi,
	    &sec, &ms) != 7 || y < 1970 || mo < 1 || mo > 12)
		return (-1);
	t = (((days_from_civil(y, mo, d) * 24 + h) * 60 + mi) * 60 + sec) *
	    1000 + ms;
	/* Only what is written like this is a time. */
	if (t < 0)
		return (-1);
	wire_time(shown, sizeof(shown), t);
	if (strcmp(shown, s) != 0)
		return (-1);
	memcpy(field, &t, sizeof(t));
	return (0);
}

static int
get_ids(const struct key *k, const json_t *value, void *field)
{
	size_t i, n;
	uint64_t *ids;
	json_int_t id;

	n = json_array_size(value);
	if (!json_is_array(value) || n < (size_t)k->min || n > (size_t)k->max)
		return (-1);
	if ((ids = allocate(n * sizeof(*ids))) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		id = json_integer_value(json_array_get(value, i));
		if (id < 1) {
			free(ids);
			errno = 0;
			return (-1);
		}
		ids[i] = (uint64_t)id;
	}
	memcpy(field, &ids, sizeof(ids));
	memcpy((char *)field + sizeof(ids), &n, sizeof(n));
	return (0);
}

/* Stores a value of the key's type and range; -1 for any other, or ENOMEM. */
static int
get_value(const struct key *k, const json_t *value, void *message)
{
	void *field;
	bool b;

	field = (char *)message + k->offset;
	errno = 0;
	switch (k->type) {
	case TYPE_VERSION:
		return (json_is_integer(value) &&
		    json_integer_value(value) == k->max ? 0 : -1);
	case TYPE_BOOL:
		b = json_is_true(value);
		memcpy(field, &b, sizeof(b));
		return (json_is_boolean(value) ? 0 : -1);
	case TYPE_NUMBER:
		return (get_number(k, value, field));
	case TYPE_TEXT:
	case TYPE_BUFFER:
		return (get_string(k, value, field));
	case TYPE_RESPAWN:
		return (get_respawn(value, field));
	case TYPE_TIME:
		return (get_time(value, field));
	case TYPE_IDS:
		return (get_ids(k, value, field));
	case TYPE_KIND:
		return (get_kind(value, field));
	}
	return (-1);
}

static const struct key *
find_key(const struct table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->nkeys; i++)
		if (strcmp(t->keys[i].name, name) == 0)
			return (&t->keys[i]);
	return (NULL);
}

static int
check_required(const struct table *t, unsigned int required,
    unsigned int given, char *err, size_t errsize)
{
	char want[96];
	size_t i;

	for (i = 0; i < t->nkeys; i++)
		if ((t->keys[i].bit & required & ~given) != 0)
			return (refuse(err, errsize, "\"%s\" is missing: "
			    "expected %s", t->keys[i].name,
			    expected(&t->keys[i], want, sizeof(want))));
	return (0);
}

/* Every key of the object goes into the message, or the whole is refused. */
static int
decode_object(const struct table *t, json_t *object, void *message,
    unsigned int *given, char *err, size_t errsize)
{
	const struct key *k;
	const char *name;
	json_t *value;

	/*
	 * The version comes first: of another one's keys nothing is known.
	 * It is the first row of either table.
	 */
	if ((value = json_object_get(object, t->keys[0].name)) != NULL &&
	    get_value(&t->keys[0], value, message) == -1)
		return (refuse_value(&t->keys[0], err, errsize));
	json_object_foreach(object, name, value) {
		if ((k = find_key(t, name)) == NULL)
			return (refuse(err, errsize, "unknown key \"%.*s\"",
			    KEY_SHOWN_MAX, name));
		if (get_value(k, value, message) == -1)
			return (refuse_value(k, err, errsize));
		*given |= k->bit;
	}
	return (check_required(t, t->required, *given, err, errsize));
}

static int
decode(const struct table *t, const char *line, size_t len, void *message,
    unsigned int *given, char *err, size_t errsize)
{
	json_t *object;
	int rc;

	*given = 0;
	if ((object = parse(line, len, err, errsize)) == NULL)
		return (-1);
	rc = decode_object(t, object, message, given, err, errsize);
	json_decref(object);
	return (rc);
}

/* Is it the line's fault? */
static int
refuse_line(void)
{
	errno = short_of_memory ? ENOMEM : EINVAL;
	return (-1);
}

int
wire_decode_request(const char *line, size_t len, struct wire_request *rq,
    char *err, size_t errsize)
{
	unsigned int given;

	memset(rq, 0, sizeof(*rq));
	if (decode(&request_table, line, len, rq, &given, err, errsize) == -1 ||
	    spec_check(&rq->spec, err, errsize) != 0) {
		wire_request_clear(rq);
		return (refuse_line());
	}
	rq->keys = given & ~(unsigned int)(REQUEST_VERSION | REQUEST_VERB);
	return (0);
}

static int
check_reply(const struct wire_reply *rp, unsigned int given, char *err,
    size_t errsize)
{
	const unsigned int good = REPLY_ID | REPLY_PID | REPLY_WARNING |
	    REPLY_COUNT | REPLY_TEXT;
	const unsigned int bad = REPLY_STATUS | REPLY_ERROR;

	if (rp->ok && (given & bad) != 0)
		return (refuse(err, errsize,
		    "\"status\" or \"error\" in a reply that is ok"));
	if (!rp->ok && (given & good) != 0)
		return (refuse(err, errsize,
		    "\"id\", \"pid\", \"count\", \"text\" or \"warning\" in a "
		    "reply that is not ok"));
	if (!rp->ok)
		return (check_required(&reply_table, bad, given, err,
		    errsize));
	return (0);
}

static int
get_reply(json_t *object, struct wire_reply *rp, char *err, size_t errsize)
{
	unsigned int given = 0;

	memset(rp, 0, sizeof(*rp));
	if (decode_object(&reply_table, object, rp, &given, err,
	    errsize) == -1 || check_reply(rp, given, err, errsize) == -1) {
		wire_reply_clear(rp);
		return (-1);
	}
	rp->has_count = (given & REPLY_COUNT) != 0;
	return (0);
}

int
wire_decode_reply(const char *line, size_t len, struct wire_reply *rp,
    char *err, size_t errsize)
{
	json_t *object;
	int rc;

	memset(rp, 0, sizeof(*rp));
	if ((object = parse(line, len, err, errsize)) == NULL)
		return (-1);
	rc = get_reply(object, rp, err, errsize);
	json_decref(object);
	return (rc);
}

static int
get_item(json_t *object, struct wire_item *item, char *err, size_t errsize)
{
	unsigned int given = 0;

	memset(item, 0, sizeof(*item));
	if (decode_object(&item_table, object, item, &given, err,
	    errsize) == -1) {
		wire_item_clear(item);
		return (-1);
	}
	item->keys = given & ~(unsigned int)ITEM_VERSION;
	return (1);
}

int
wire_decode_answer(const char *line, size_t len, struct wire_reply *rp,
    struct wire_item *item, char *err, size_t errsize)
{
	json_t *object;
	int rc;

	if ((object = parse(line, len, err, errsize)) == NULL)
		return (-1);
	rc = json_object_get(object, "ok") != NULL ?
	    get_reply(object, rp, err, errsize) :
	    get_item(object, item, err, errsize);
	json_decref(object);
	return (rc);
}

int
wire_decode_record(const char *line, size_t len, struct wire_record *rec,
    char *err, size_t errsize)
{
	unsigned int given;

	memset(rec, 0, sizeof(*rec));
	if (decode(&record_table, line, len, rec, &given, err, errsize) == -1 ||
	    check_required(&record_table, records[rec->kind].needs, given, err,
	    errsize) == -1 || spec_check(&rec->spec, err, errsize) != 0) {
		wire_record_clear(rec);
		return (refuse_line());
	}
	return (0);
}

void
wire_record_clear(struct wire_record *rec)
{
	spec_clear(&rec->spec);
	memset(rec, 0, sizeof(*rec));
}

void
wire_request_clear(struct wire_request *rq)
{
	spec_clear(&rq->spec);
	free(rq->ids);
	memset(rq, 0, sizeof(*rq));
}

void
wire_reply_clear(struct wire_reply *rp)
{
	free(rp->text);
	memset(rp, 0, sizeof(*rp));
}

void
wire_item_clear(struct wire_item *item)
{
	free(item->jail);
	free(item->engine);
	free(item->title);
	free(item->command);
	free(item->text);
	memset(item, 0, sizeof(*item));
}

void
wire_time(char *buf, size_t size, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	buf[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, size - n, ".%03dZ", (int)(ms % 1000));
}

static json_t *
put_number(const struct key *k, const void *field)
{
	json_int_t n;
	uint32_t n32;

	if (k->size == sizeof(n32)) {
		memcpy(&n32, field, sizeof(n32));
		n = n32;
	} else
		memcpy(&n, field, sizeof(n));
	return (json_integer(n));
}

static json_t *
put_time(const void *field)
{
	char shown[WIRE_TIME_MAX];
	int64_t t;

	memcpy(&t, field, sizeof(t));
	wire_time(shown, sizeof(shown), t);
	return (json_string(shown));
}

static json_t *
put_ids(const void *field)
{
	json_t *array;
	uint64_t *ids;
	size_t i, n;

	memcpy(&ids, field, sizeof(ids));
	memcpy(&n, (const char *)field + sizeof(ids), sizeof(n));
	if ((array = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < n; i++)
		if (json_array_append_new(array,
		    json_integer((json_int_t)ids[i])) == -1) {
			json_decref(array);
			return (NULL);
		}
	return (array);
}

/* A new reference to the value; NULL: no memory, or text not UTF-8. */
static json_t *
put_value(const struct key *k, const void *message)
{
	const void *field;
	enum record_kind kind;
	enum respawn respawn;
	char *text;
	bool b;

	field = (const char *)message + k->offset;
	switch (k->type) {
	case TYPE_VERSION:
		return (json_integer(k->max));
	case TYPE_BOOL:
		memcpy(&b, field, sizeof(b));
		return (json_boolean(b));
	case TYPE_NUMBER:
		return (put_number(k, field));
	case TYPE_TEXT:
		memcpy(&text, field, sizeof(text));
		return (json_string(text));
	case TYPE_BUFFER:
		return (json_string(field));
	case TYPE_RESPAWN:
		memcpy(&respawn, field, sizeof(respawn));
		return (json_string(spec_respawn_name(respawn)));
	case TYPE_TIME:
		return (put_time(field));
	case TYPE_IDS:
		return (put_ids(field));
	case TYPE_KIND:
		memcpy(&kind, field, sizeof(kind));
		return (json_string(records[kind].word));
	}
	return (NULL);
}

static json_t *
put_object(const struct table *t, const void *message, unsigned int keys)
{
	json_t *object;
	size_t i;

	json_prepare();
	if ((object = json_object()) == NULL)
		return (NULL);
	for (i = 0; i < t->nkeys; i++)
		/* A value of NULL is refused there, and a value is taken. */
		if ((t->keys[i].bit & keys) != 0 &&
		    json_object_set_new(object, t->keys[i].name,
		    put_value(&t->keys[i], message)) == -1) {
			json_decref(object);
			return (NULL);
		}
	return (object);
}

/*
 * DEL is the one control character that jansson leaves as it is; it can only
 * be within a string.  Takes the line, of n bytes; *len is the new length.
 */
static char *
escape_del(char *line, size_t n, size_t *len)
{
	char *copy, *out;
	size_t dels, i;

	for (dels = i = 0; i < n; i++)
		dels += line[i] == '\177';
	*len = n;
	if (dels == 0)
		return (line);
	if ((copy = out = malloc(n + 5 * dels + 2)) != NULL) {
		for (i = 0; i < n; i++)
			if (line[i] == '\177')
				out += snprintf(out, 7, "\\u007f");
			else
				*out++ = line[i];
		*len = (size_t)(out - copy);
	}
	free(line);
	return (copy);
}

static char *
encode(const struct table *t, const void *message, unsigned int keys,
    size_t flags, size_t *len)
{
	char *line;
	json_t *object;
	size_t n;

	if ((object = put_object(t, message, keys)) == NULL)
		return (NULL);
	n = json_dumpb(object, NULL, 0, JSON_COMPACT | flags);
	line = n == 0 ? NULL : malloc(n + 2);
	if (line != NULL && json_dumpb(object, line, n,
	    JSON_COMPACT | flags) != n) {
		free(line);
		line = NULL;
	}
	json_decref(object);
	if (line == NULL || (line = escape_del(line, n, &n)) == NULL)
		return (NULL);
	line[n] = '\n';
	line[n + 1] = '\0';
	*len = n + 1;
	return (line);
}

char *
wire_encode_request(const struct wire_request *rq, size_t *len)
{
	return (encode(&request_table, rq,
	    rq->keys | REQUEST_VERSION | REQUEST_VERB, 0, len));
}

/* What is 0 or not there and need not be is left out. */
static unsigned int
record_given(const struct wire_record *rec)
{
	const struct spec *s = &rec->spec;

	return ((s->jail != NULL ? R_JAIL : 0U) |
	    (s->engine != NULL ? R_ENGINE : 0U) |
	    (s->title != NULL ? R_TITLE : 0U) |
	    (s->timeout != 0 ? R_TIMEOUT : 0U) |
	    (s->parallel != 0 ? R_PARALLEL : 0U) |
	    (s->interval != 0 ? R_INTERVAL : 0U) |
	    (s->feedback ? R_FEEDBACK : 0U) |
	    (rec->rule != 0 ? R_RULE : 0U) |
	    (rec->run != 0 ? R_RUN : 0U) |
	    (rec->jail_started != 0 ? R_STARTED : 0U) |
	    (rec->pidns != 0 ? R_PIDNS : 0U) |
	    (rec->last_at != 0 ? R_RESULT : 0U));
}

char *
wire_encode_record(const struct wire_record *rec, size_t *len)
{
	unsigned int keys = records[rec->kind].needs |
	    (records[rec->kind].takes & record_given(rec));

	return (encode(&record_table, rec,
	    keys | RECORD_VERSION | RECORD_WORD, 0, len));
}

char *
wire_encode_item(const struct wire_item *item, size_t *len)
{
	return (encode(&item_table, item, item->keys | ITEM_VERSION,
	    JSON_ENSURE_ASCII, len));
}

char *
wire_encode_reply(const struct wire_reply *rp, size_t *len)
{
	struct wire_reply copy;
	unsigned int keys;

	copy = *rp;
	keys = REPLY_VERSION | REPLY_OK;
	if (!rp->ok) {
		/*
		 * A line that was cut may end within a character; a refusal
		 * must reach the client all the same.
		 */
		if (!text_is_utf8(rp->error, strlen(rp->error)))
			(void)text_show(copy.error, sizeof(copy.error),
			    rp->error, strlen(rp->error));
		keys |= REPLY_STATUS | REPLY_ERROR;
	} else {
		if (rp->id != 0)
			keys |= REPLY_ID;
		if (rp->pid != 0)
			keys |= REPLY_PID;
		if (rp->warning[0] != '\0')
			keys |= REPLY_WARNING;
		if (rp->has_count)
			keys |= REPLY_COUNT;
		if (rp->text != NULL)
			keys |= REPLY_TEXT;
	}
	return (encode(&reply_table, &copy, keys, JSON_ENSURE_ASCII, len));
}

const char *
wire_key_name(unsigned int keys)
{
	for (size_t i = 0; i < request_table.nkeys; i++)
		if ((request_keys[i].bit & keys) != 0)
			return (request_keys[i].name);
	return ("");
}
