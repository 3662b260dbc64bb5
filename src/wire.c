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

#include <jansson.h>

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
	REQUEST_VERSION	= 1 << 16,
	REQUEST_VERB	= 1 << 17,

	REPLY_VERSION	= 1 << 0,
	REPLY_OK	= 1 << 1,
	REPLY_ID	= 1 << 2,
	REPLY_PID	= 1 << 3,
	REPLY_STATUS	= 1 << 4,
	REPLY_ERROR	= 1 << 5,
	REPLY_WARNING	= 1 << 6,
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
};

static const struct table reply_table = {
	reply_keys, NITEMS(reply_keys), REPLY_VERSION | REPLY_OK
};

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

/* The line's JSON object, or NULL with the reason in err. */
static json_t *
parse(const char *line, size_t len, char *err, size_t errsize)
{
	json_error_t jerr;
	json_t *object;

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
	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &jerr);
	if (object == NULL)
		(void)refuse(err, errsize, "not one JSON object: %s",
		    jerr.text);
	else if (!json_is_object(object)) {
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
	*text = strdup(s);
	return (*text == NULL ? -1 : 0);
}

static int
get_respawn(const json_t *value, void *field)
{
	const char *s;

	if ((s = json_string_value(value)) == NULL)
		return (-1);
	return (spec_respawn_parse(s, field));
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

int
wire_decode_request(const char *line, size_t len, struct wire_request *rq,
    char *err, size_t errsize)
{
	unsigned int given;

	memset(rq, 0, sizeof(*rq));
	if (decode(&request_table, line, len, rq, &given, err, errsize) == -1 ||
	    spec_check(&rq->spec, err, errsize) != 0) {
		spec_clear(&rq->spec);
		return (-1);
	}
	rq->keys = given & ~(unsigned int)(REQUEST_VERSION | REQUEST_VERB);
	return (0);
}

int
wire_decode_reply(const char *line, size_t len, struct wire_reply *rp,
    char *err, size_t errsize)
{
	const unsigned int good = REPLY_ID | REPLY_PID | REPLY_WARNING;
	const unsigned int bad = REPLY_STATUS | REPLY_ERROR;
	unsigned int given;

	memset(rp, 0, sizeof(*rp));
	if (decode(&reply_table, line, len, rp, &given, err, errsize) == -1)
		return (-1);
	if (rp->ok && (given & bad) != 0)
		return (refuse(err, errsize,
		    "\"status\" or \"error\" in a reply that is ok"));
	if (!rp->ok && (given & good) != 0)
		return (refuse(err, errsize,
		    "\"id\", \"pid\" or \"warning\" in a reply that is not "
		    "ok"));
	if (!rp->ok)
		return (check_required(&reply_table, bad, given, err,
		    errsize));
	return (0);
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

/* A new reference to the value; NULL: no memory, or text not UTF-8. */
static json_t *
put_value(const struct key *k, const void *message)
{
	const void *field;
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
	}
	return (NULL);
}

static json_t *
put_object(const struct table *t, const void *message, unsigned int keys)
{
	json_t *object;
	size_t i;

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

static char *
encode(const struct table *t, const void *message, unsigned int keys,
    size_t *len)
{
	char *line;
	json_t *object;
	size_t n;

	if ((object = put_object(t, message, keys)) == NULL)
		return (NULL);
	n = json_dumpb(object, NULL, 0, JSON_COMPACT);
	line = n == 0 ? NULL : malloc(n + 2);
	if (line != NULL && json_dumpb(object, line, n, JSON_COMPACT) != n) {
		free(line);
		line = NULL;
	}
	json_decref(object);
	if (line == NULL)
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
	    rq->keys | REQUEST_VERSION | REQUEST_VERB, len));
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
	}
	return (encode(&reply_table, &copy, keys, len));
}
