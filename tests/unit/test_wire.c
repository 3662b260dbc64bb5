/* wire.c: lines of the control protocol, good ones and every refusal. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "wire.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define WANT_RESPAWN \
	"\"respawn\": expected \"never\", \"after\" or \"now\""

static const char full[] =
    "{\"v\":1,\"verb\":\"arm\",\"command\":\"echo \\\"hi\\\"\\n\","
    "\"jail\":\"web\",\"pid\":123,\"started\":4567,\"title\":\"Grüße\","
    "\"uid\":1000,\"gid\":4294967294,\"respawn\":\"after\"}";

static void
assert_full(const struct wire_request *rq)
{
	assert_string_equal(rq->verb, "arm");
	assert_int_equal(rq->keys, 0xff);
	assert_string_equal(rq->spec.command, "echo \"hi\"\n");
	assert_string_equal(rq->spec.jail, "web");
	assert_string_equal(rq->spec.title, "Grüße");
	assert_int_equal(rq->spec.pid, 123);
	assert_int_equal(rq->spec.started, 4567);
	assert_int_equal(rq->spec.uid, 1000);
	assert_int_equal(rq->spec.gid, 4294967294);
	assert_int_equal(rq->spec.respawn, RESPAWN_AFTER);
}

static void
request_full(void **state)
{
	struct wire_request rq;
	char err[256], *line;
	size_t len;

	(void)state;
	assert_int_equal(wire_decode_request(full, strlen(full), &rq, err,
	    sizeof(err)), 0);
	assert_full(&rq);
	line = wire_encode_request(&rq, &len);
	spec_clear(&rq.spec);
	assert_non_null(line);
	assert_int_equal(len, strlen(full) + 1);
	assert_int_equal(strlen(line), len);
	assert_memory_equal(line, full, strlen(full));
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(wire_decode_request(line, len - 1, &rq, err,
	    sizeof(err)), 0);
	assert_full(&rq);
	spec_clear(&rq.spec);
	free(line);
}

static void
request_least(void **state)
{
	static const char *const lines[] = {
		"{\"v\":1,\"verb\":\"list\"}",
		" { \"verb\" : \"list\" ,\t\"v\" : 1 } \r",
	};
	struct wire_request rq;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(lines); i++) {
		memset(&rq, 0xff, sizeof(rq));
		assert_int_equal(wire_decode_request(lines[i],
		    strlen(lines[i]), &rq, err, sizeof(err)), 0);
		assert_string_equal(rq.verb, "list");
		assert_int_equal(rq.keys, 0);
		assert_null(rq.spec.command);
		assert_null(rq.spec.title);
		assert_null(rq.spec.jail);
		assert_int_equal(rq.spec.pid, 0);
		assert_int_equal(rq.spec.respawn, RESPAWN_NEVER);
	}
}

/* Each key alone sets its bit and its member. */
static void
request_keys(void **state)
{
	static const struct {
		const char	*pair;
		unsigned int	 keys;
	} cases[] = {
		{ "\"command\":\"c\"", WIRE_KEY_COMMAND },
		{ "\"jail\":\"j\"", WIRE_KEY_JAIL },
		{ "\"pid\":1", WIRE_KEY_PID },
		{ "\"pid\":2147483647", WIRE_KEY_PID },
		{ "\"started\":9223372036854775807", WIRE_KEY_STARTED },
		{ "\"title\":\"t\"", WIRE_KEY_TITLE },
		{ "\"uid\":0", WIRE_KEY_UID },
		{ "\"gid\":0", WIRE_KEY_GID },
		{ "\"respawn\":\"never\"", WIRE_KEY_RESPAWN },
		{ "\"engine\":\"docker\"", WIRE_KEY_ENGINE },
		{ "\"timeout\":31536000", WIRE_KEY_TIMEOUT },
		{ "\"parallel\":1024", WIRE_KEY_PARALLEL },
		{ "\"interval\":1", WIRE_KEY_INTERVAL },
		{ "\"feedback\":true", WIRE_KEY_FEEDBACK },
		{ "\"feedback\":false", WIRE_KEY_FEEDBACK },
		{ "\"id\":9223372036854775807", WIRE_KEY_ID },
		{ "\"ids\":[1]", WIRE_KEY_IDS },
		{ "\"ids\":[9223372036854775807,1,1]", WIRE_KEY_IDS },
	};
	struct wire_request rq;
	char err[256], line[128], *again;
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"v\":1,\"verb\":\"x\",%s}", cases[i].pair);
		assert_int_equal(wire_decode_request(line, strlen(line), &rq,
		    err, sizeof(err)), 0);
		assert_int_equal(rq.keys, cases[i].keys);
		again = wire_encode_request(&rq, &len);
		assert_non_null(again);
		assert_memory_equal(again, line, strlen(line));
		free(again);
		wire_request_clear(&rq);
		assert_null(rq.ids);
	}
}

#define WANT_IDS	"\"ids\": expected an array of 1 to 10000 ids"

static const struct {
	const char	*line;
	const char	*err;		/* whole, or up to a final '*' */
} refused[] = {
	/* Not one JSON object. */
	{ "", "not one JSON object: *" },
	{ "   ", "not one JSON object: *" },
	{ "hello", "not one JSON object: *" },
	{ "1", "not one JSON object: *" },
	{ "\"v\"", "not one JSON object: *" },
	{ "null", "not one JSON object: *" },
	{ "[]", "not one JSON object: an array" },
	{ "[{\"v\":1}]", "not one JSON object: an array" },
	{ "{\"v\":1", "not one JSON object: *" },
	{ "{\"v\":1,}", "not one JSON object: *" },
	{ "{'v':1}", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"arm\"", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"arm\"} x",
	    "not one JSON object: end of file expected near 'x'" },
	{ "{\"v\":1,\"verb\":\"arm\"}{}", "not one JSON object: *" },
	{ "{\"v\":01}", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"a\\u0000b\"}", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"\\ud800\"}", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"a\xff\"}",
	    "not one JSON object: unable to decode byte 0xff*" },
	{ "{\"v\":1,\"verb\":\"\xc0\x80\"}", "not one JSON object: *" },
	{ "\xef\xbb\xbf{\"v\":1}", "not one JSON object: *" },
	{ "{\"v\":1,\"verb\":\"arm\",\"pid\":99999999999999999999}",
	    "not one JSON object: too big integer*" },
	{ "{\"v\":1,\"v\":1,\"verb\":\"x\"}",
	    "not one JSON object: duplicate object key near '\"v\"'" },
	{ "{\"v\":1,\"verb\":\"x\",\"uid\":1,\"\\u0075id\":0}",
	    "not one JSON object: duplicate object key *" },
	/* Depth. */
	{ "[[[[[[[[[", "nested deeper than 8 levels" },
	{ "{\"a\":[{\"a\":[{\"a\":[{\"a\":[{", "nested deeper than 8 levels" },
	{ "{\"\\\"\":[[[[[[[[[]]]]]]]]]}", "nested deeper than 8 levels" },
	{ "{\"v\":1,\"verb\":[[[[[[[]]]]]]]}",
	    "\"verb\": expected a string of 1 to 15 bytes" },
	/* Version. */
	{ "{}", "\"v\" is missing: expected the protocol's version, 1" },
	{ "{\"verb\":\"arm\"}",
	    "\"v\" is missing: expected the protocol's version, 1" },
	{ "{\"v\":2,\"verb\":\"arm\"}",
	    "\"v\": expected the protocol's version, 1" },
	{ "{\"new\":true,\"v\":2}",
	    "\"v\": expected the protocol's version, 1" },
	{ "{\"v\":\"1\"}", "\"v\": expected the protocol's version, 1" },
	{ "{\"v\":1.0}", "\"v\": expected the protocol's version, 1" },
	{ "{\"v\":null}", "\"v\": expected the protocol's version, 1" },
	/* Keys. */
	{ "{\"v\":1}",
	    "\"verb\" is missing: expected a string of 1 to 15 bytes" },
	{ "{\"v\":1,\"verb\":\"arm\",\"size\":1}", "unknown key \"size\"" },
	{ "{\"v\":1,\"verb\":\"arm\",\"\":1}", "unknown key \"\"" },
	{ "{\"v\":1,\"verb\":\"arm\",\"Verb\":1}", "unknown key \"Verb\"" },
	{ "{\"v\":1,\"verb\":\"arm\",\"a\\n\\\"\\u202e\":1}",
	    /* As it came: whoever shows it escapes it. */
	    "unknown key \"a\n\"\xe2\x80\xae\"" },
	{ "{\"v\":1,\"verb\":\"arm\",\"0123456789012345678901234567890123456"
	    "7890123456789012345678901234567890123456789\":1}",
	    "unknown key \"01234567890123456789012345678901234567890123456789"
	    "0123456789012\"" },
	{ "{\"v\":1,\"verb\":\"arm\",\"ok\":true}", "unknown key \"ok\"" },
	/* Types and ranges. */
	{ "{\"v\":1,\"verb\":7}",
	    "\"verb\": expected a string of 1 to 15 bytes" },
	{ "{\"v\":1,\"verb\":\"\"}",
	    "\"verb\": expected a string of 1 to 15 bytes" },
	{ "{\"v\":1,\"verb\":\"0123456789abcdef\"}",
	    "\"verb\": expected a string of 1 to 15 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"command\":\"\"}",
	    "\"command\": expected a string of 1 to 65536 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"command\":null}",
	    "\"command\": expected a string of 1 to 65536 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"jail\":1}",
	    "\"jail\": expected a string of 1 to 255 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"title\":[\"t\"]}",
	    "\"title\": expected a string of 1 to 1024 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"pid\":0}",
	    "\"pid\": expected a number from 1 to 2147483647" },
	{ "{\"v\":1,\"verb\":\"x\",\"pid\":-1}",
	    "\"pid\": expected a number from 1 to 2147483647" },
	{ "{\"v\":1,\"verb\":\"x\",\"pid\":2147483648}",
	    "\"pid\": expected a number from 1 to 2147483647" },
	{ "{\"v\":1,\"verb\":\"x\",\"pid\":\"1\"}",
	    "\"pid\": expected a number from 1 to 2147483647" },
	{ "{\"v\":1,\"verb\":\"x\",\"pid\":1e3}",
	    "\"pid\": expected a number from 1 to 2147483647" },
	{ "{\"v\":1,\"verb\":\"x\",\"started\":0}",
	    "\"started\": expected a number from 1 to 9223372036854775807" },
	{ "{\"v\":1,\"verb\":\"x\",\"uid\":-1}",
	    "\"uid\": expected a number from 0 to 4294967294" },
	{ "{\"v\":1,\"verb\":\"x\",\"uid\":4294967295}",
	    "\"uid\": expected a number from 0 to 4294967294" },
	{ "{\"v\":1,\"verb\":\"x\",\"gid\":true}",
	    "\"gid\": expected a number from 0 to 4294967294" },
	{ "{\"v\":1,\"verb\":\"x\",\"respawn\":\"often\"}", WANT_RESPAWN },
	{ "{\"v\":1,\"verb\":\"x\",\"respawn\":2}", WANT_RESPAWN },
	{ "{\"v\":1,\"verb\":\"x\",\"engine\":\"0123456789abcdef\"}",
	    "\"engine\": expected a string of 1 to 15 bytes" },
	{ "{\"v\":1,\"verb\":\"x\",\"timeout\":0}",
	    "\"timeout\": expected a number from 1 to 31536000" },
	{ "{\"v\":1,\"verb\":\"x\",\"timeout\":31536001}",
	    "\"timeout\": expected a number from 1 to 31536000" },
	{ "{\"v\":1,\"verb\":\"x\",\"timeout\":4294967297}",
	    "\"timeout\": expected a number from 1 to 31536000" },
	{ "{\"v\":1,\"verb\":\"x\",\"parallel\":1025}",
	    "\"parallel\": expected a number from 1 to 1024" },
	{ "{\"v\":1,\"verb\":\"x\",\"interval\":1.5}",
	    "\"interval\": expected a number from 1 to 31536000" },
	{ "{\"v\":1,\"verb\":\"x\",\"feedback\":1}",
	    "\"feedback\": expected true or false" },
	{ "{\"v\":1,\"verb\":\"x\",\"id\":0}",
	    "\"id\": expected a number from 1 to 9223372036854775807" },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":1}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":{\"1\":1}}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,0]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,-1]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,\"2\"]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,1.5]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,[2]]}", WANT_IDS },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,null]}", WANT_IDS },
	/* What spec_check() says. */
	{ "{\"v\":1,\"verb\":\"x\",\"title\":\"a\\nb\"}",
	    "the title has a control character" },
	{ "{\"v\":1,\"verb\":\"x\",\"jail\":\"\\u0085\"}",
	    "the jail's name has a control character" },
	/* Memory taken before the refusal is given back. */
	{ "{\"v\":1,\"verb\":\"x\",\"command\":\"c\",\"title\":\"t\","
	    "\"jail\":\"j\",\"uid\":-1}",
	    "\"uid\": expected a number from 0 to 4294967294" },
	{ "{\"v\":1,\"verb\":\"x\",\"ids\":[1,2],\"engine\":\"e\","
	    "\"uid\":-1}",
	    "\"uid\": expected a number from 0 to 4294967294" },
};

static void
assert_error(const char *err, const char *want)
{
	size_t len;

	len = strlen(want);
	if (want[len - 1] == '*') {
		assert_true(strlen(err) >= len - 1);
		assert_memory_equal(err, want, len - 1);
	} else
		assert_string_equal(err, want);
}

static void
request_refused(void **state)
{
	struct wire_request rq;
	char err[256], *exact;
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(refused); i++) {
		/* Neither NUL nor newline is behind the line. */
		len = strlen(refused[i].line);
		exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact + 1, refused[i].line, len);
		assert_int_equal(wire_decode_request(exact + 1, len, &rq, err,
		    sizeof(err)), -1);
		assert_error(err, refused[i].err);
		assert_null(rq.spec.command);
		assert_null(rq.spec.title);
		assert_null(rq.spec.jail);
		assert_null(rq.spec.engine);
		assert_null(rq.ids);
		free(exact);
	}
}

/* Every shorter beginning of a good line is refused, none crashes. */
static void
request_half(void **state)
{
	struct wire_request rq;
	char err[256];
	size_t len;

	(void)state;
	for (len = 0; len < strlen(full); len++)
		assert_int_equal(wire_decode_request(full, len, &rq, err,
		    sizeof(err)), -1);
}

static void
request_nul(void **state)
{
	static const char line[] = "{\"v\":1,\"verb\":\"a\0rm\"}";
	static const char behind[] = "{\"v\":1,\"verb\":\"arm\"}\0{}";
	struct wire_request rq;
	char err[256];

	(void)state;
	assert_int_equal(wire_decode_request(line, sizeof(line) - 1, &rq, err,
	    sizeof(err)), -1);
	assert_int_equal(wire_decode_request(behind, sizeof(behind) - 1, &rq,
	    err, sizeof(err)), -1);
}

/* A refusal fits any buffer. */
static void
request_short_error(void **state)
{
	struct wire_request rq;
	char err[8];

	(void)state;
	assert_int_equal(wire_decode_request("{\"v\":3}", 7, &rq, err,
	    sizeof(err)), -1);
	assert_string_equal(err, "\"v\": ex");
}

/* The longest command, each byte of which becomes six, fits one line. */
static void
request_longest(void **state)
{
	struct wire_request rq, back;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&rq, 0, sizeof(rq));
	memcpy(rq.verb, "arm", 4);
	rq.keys = WIRE_KEY_COMMAND | WIRE_KEY_TITLE;
	rq.spec.command = malloc(SPEC_COMMAND_MAX + 1);
	rq.spec.title = malloc(SPEC_TITLE_MAX + 1);
	assert_non_null(rq.spec.command);
	assert_non_null(rq.spec.title);
	memset(rq.spec.command, 1, SPEC_COMMAND_MAX);
	rq.spec.command[SPEC_COMMAND_MAX] = '\0';
	memset(rq.spec.title, '"', SPEC_TITLE_MAX);
	rq.spec.title[SPEC_TITLE_MAX] = '\0';
	line = wire_encode_request(&rq, &len);
	assert_non_null(line);
	assert_true(len > 6 * SPEC_COMMAND_MAX);
	assert_true(len <= WIRE_LINE_MAX);
	assert_int_equal(wire_decode_request(line, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_string_equal(back.spec.command, rq.spec.command);
	assert_string_equal(back.spec.title, rq.spec.title);
	free(line);
	spec_clear(&rq.spec);
	spec_clear(&back.spec);
}

static void
request_too_long(void **state)
{
	struct wire_request rq;
	char err[256], *line;

	(void)state;
	line = malloc(WIRE_LINE_MAX);
	assert_non_null(line);
	memset(line, ' ', WIRE_LINE_MAX);
	memcpy(line, "{\"v\":1,\"verb\":\"arm\"}", 20);
	assert_int_equal(wire_decode_request(line, WIRE_LINE_MAX - 1, &rq,
	    err, sizeof(err)), 0);
	assert_int_equal(wire_decode_request(line, WIRE_LINE_MAX, &rq, err,
	    sizeof(err)), -1);
	assert_string_equal(err, "the line has more than 524288 bytes");
	memset(line, '[', WIRE_LINE_MAX);
	assert_int_equal(wire_decode_request(line, WIRE_LINE_MAX - 1, &rq,
	    err, sizeof(err)), -1);
	assert_string_equal(err, "nested deeper than 8 levels");
	free(line);
}

static void
request_not_encoded(void **state)
{
	struct wire_request rq;
	char bad[] = "\xff";
	size_t len;

	(void)state;
	memset(&rq, 0, sizeof(rq));
	memcpy(rq.verb, "arm", 4);
	rq.keys = WIRE_KEY_COMMAND;
	rq.spec.command = bad;
	assert_null(wire_encode_request(&rq, &len));
	rq.spec.command = NULL;
	assert_null(wire_encode_request(&rq, &len));
	rq.keys = WIRE_KEY_RESPAWN;
	rq.spec.respawn = (enum respawn)9;
	assert_null(wire_encode_request(&rq, &len));
}

/* As many ids as may be in a request, and one more. */
static void
request_ids(void **state)
{
	struct wire_request rq, back;
	char err[256], *line;
	size_t i, len;

	(void)state;
	memset(&rq, 0, sizeof(rq));
	memcpy(rq.verb, "disarm", 7);
	rq.keys = WIRE_KEY_IDS;
	rq.ids = calloc(WIRE_IDS_MAX + 1, sizeof(*rq.ids));
	assert_non_null(rq.ids);
	for (i = 0; i <= WIRE_IDS_MAX; i++)
		rq.ids[i] = INT64_MAX - i;
	rq.nids = WIRE_IDS_MAX;
	line = wire_encode_request(&rq, &len);
	assert_non_null(line);
	assert_true(len <= WIRE_LINE_MAX);
	assert_int_equal(wire_decode_request(line, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_int_equal(back.nids, WIRE_IDS_MAX);
	assert_memory_equal(back.ids, rq.ids, WIRE_IDS_MAX * sizeof(*rq.ids));
	wire_request_clear(&back);
	free(line);
	rq.nids++;
	line = wire_encode_request(&rq, &len);
	assert_non_null(line);
	assert_int_equal(wire_decode_request(line, len - 1, &back, err,
	    sizeof(err)), -1);
	assert_string_equal(err, WANT_IDS);
	free(line);
	wire_request_clear(&rq);
}

static void
reply_round(void **state)
{
	static const struct {
		struct wire_reply	 reply;
		const char		*line;
	} cases[] = {
		{ { .ok = true, .id = 7 },
		    "{\"v\":1,\"ok\":true,\"id\":7}\n" },
		{ { .ok = true, .id = INT64_MAX },
		    "{\"v\":1,\"ok\":true,\"id\":9223372036854775807}\n" },
		{ { .ok = true, .pid = 123 },
		    "{\"v\":1,\"ok\":true,\"pid\":123}\n" },
		{ { .ok = true }, "{\"v\":1,\"ok\":true}\n" },
		{ { .ok = true, .has_count = true },
		    "{\"v\":1,\"ok\":true,\"count\":0}\n" },
		{ { .ok = true, .has_count = true, .count = 2000 },
		    "{\"v\":1,\"ok\":true,\"count\":2000}\n" },
		{ { .ok = true, .count = 3 }, "{\"v\":1,\"ok\":true}\n" },
		{ { .status = EX_OSERR, .error = "no \"way\"" },
		    "{\"v\":1,\"ok\":false,\"status\":71,"
		    "\"error\":\"no \\\"way\\\"\"}\n" },
	};
	struct wire_reply back;
	char err[256], *line;
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		line = wire_encode_reply(&cases[i].reply, &len);
		assert_non_null(line);
		assert_string_equal(line, cases[i].line);
		assert_int_equal(len, strlen(line));
		memset(&back, 0xff, sizeof(back));
		assert_int_equal(wire_decode_reply(line, len - 1, &back, err,
		    sizeof(err)), 0);
		assert_int_equal(back.ok, cases[i].reply.ok);
		assert_int_equal(back.status, cases[i].reply.status);
		assert_int_equal(back.id, cases[i].reply.id);
		assert_int_equal(back.pid, cases[i].reply.pid);
		assert_int_equal(back.has_count, cases[i].reply.has_count);
		assert_int_equal(back.count,
		    back.has_count ? cases[i].reply.count : 0);
		assert_null(back.text);
		assert_string_equal(back.error, cases[i].reply.error);
		free(line);
	}
}

static void
reply_refused(void **state)
{
	static const struct {
		const char	*line;
		const char	*err;
	} cases[] = {
		{ "HTTP/1.0 200 OK", "not one JSON object: *" },
		{ "{\"v\":1}", "\"ok\" is missing: expected true or false" },
		{ "{\"v\":2,\"ok\":true}",
		    "\"v\": expected the protocol's version, 1" },
		{ "{\"v\":1,\"ok\":1}", "\"ok\": expected true or false" },
		{ "{\"v\":1,\"ok\":true,\"id\":0}", "\"id\": expected a "
		    "number from 1 to 9223372036854775807" },
		{ "{\"v\":1,\"ok\":true,\"pid\":\"x\"}",
		    "\"pid\": expected a number from 1 to 2147483647" },
		{ "{\"v\":1,\"ok\":false}", "\"status\" is missing: expected "
		    "a number from 1 to 255" },
		{ "{\"v\":1,\"ok\":false,\"status\":71}", "\"error\" is "
		    "missing: expected a string of 1 to 1023 bytes" },
		{ "{\"v\":1,\"ok\":false,\"status\":0,\"error\":\"x\"}",
		    "\"status\": expected a number from 1 to 255" },
		{ "{\"v\":1,\"ok\":false,\"status\":256,\"error\":\"x\"}",
		    "\"status\": expected a number from 1 to 255" },
		{ "{\"v\":1,\"ok\":false,\"status\":1,\"error\":\"\"}",
		    "\"error\": expected a string of 1 to 1023 bytes" },
		{ "{\"v\":1,\"ok\":true,\"status\":71}",
		    "\"status\" or \"error\" in a reply that is ok" },
		{ "{\"v\":1,\"ok\":false,\"id\":1,\"status\":1,"
		    "\"error\":\"x\"}",
		    "\"id\", \"pid\", \"count\", \"text\" or \"warning\" in a "
		    "reply that is not ok" },
		{ "{\"v\":1,\"ok\":false,\"count\":0,\"status\":1,"
		    "\"error\":\"x\"}",
		    "\"id\", \"pid\", \"count\", \"text\" or \"warning\" in a "
		    "reply that is not ok" },
		/* Memory taken before the refusal is given back. */
		{ "{\"v\":1,\"ok\":true,\"text\":\"t\",\"count\":-1}",
		    "\"count\": expected a number from 0 to 2147483647" },
		{ "{\"v\":1,\"ok\":true,\"text\":5}",
		    "\"text\": expected a string of 0 to 393216 bytes" },
		{ "{\"v\":1,\"ok\":true,\"verb\":\"arm\"}",
		    "unknown key \"verb\"" },
	};
	struct wire_reply rp;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(wire_decode_reply(cases[i].line,
		    strlen(cases[i].line), &rp, err, sizeof(err)), -1);
		assert_error(err, cases[i].err);
	}
}

static void
reply_error_length(void **state)
{
	struct wire_reply rp, back;
	char err[256], line[2048], *encoded;
	size_t len;

	(void)state;
	memset(&rp, 0, sizeof(rp));
	rp.status = EX_TEMPFAIL;
	memset(rp.error, 'e', sizeof(rp.error) - 1);
	encoded = wire_encode_reply(&rp, &len);
	assert_non_null(encoded);
	assert_int_equal(wire_decode_reply(encoded, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_string_equal(back.error, rp.error);
	free(encoded);
	(void)snprintf(line, sizeof(line), "{\"v\":1,\"ok\":false,"
	    "\"status\":75,\"error\":\"%se\"}", rp.error);
	assert_int_equal(wire_decode_reply(line, strlen(line), &back, err,
	    sizeof(err)), -1);
	assert_string_equal(err,
	    "\"error\": expected a string of 1 to 1023 bytes");
}

/* An error that snprintf() cut within a character still arrives. */
static void
reply_error_cut(void **state)
{
	struct wire_reply rp, back;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&rp, 0, sizeof(rp));
	rp.status = EX_NOHOST;
	memcpy(rp.error, "no gr\xc3", 7);
	line = wire_encode_reply(&rp, &len);
	assert_non_null(line);
	assert_int_equal(wire_decode_reply(line, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_string_equal(back.error, "no gr\\xc3");
	free(line);
}

/* Several lines, as a run prints them: all ASCII on the wire. */
static void
reply_text(void **state)
{
	static const struct {
		const char	*text;
		const char	*line;
	} cases[] = {
		{ "", "{\"v\":1,\"ok\":true,\"text\":\"\"}\n" },
		{ "a\n\tb\n",
		    "{\"v\":1,\"ok\":true,\"text\":\"a\\n\\tb\\n\"}\n" },
		{ "Grü\xf0\x9f\x90\xb3", "{\"v\":1,\"ok\":true,"
		    "\"text\":\"Gr\\u00FC\\uD83D\\uDC33\"}\n" },
		{ "\177", "{\"v\":1,\"ok\":true,\"text\":\"\\u007f\"}\n" },
	};
	struct wire_reply rp, back;
	char err[256], *line;
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		memset(&rp, 0, sizeof(rp));
		rp.ok = true;
		rp.text = strdup(cases[i].text);
		line = wire_encode_reply(&rp, &len);
		assert_non_null(line);
		assert_string_equal(line, cases[i].line);
		assert_int_equal(len, strlen(line));
		assert_int_equal(wire_decode_reply(line, len - 1, &back, err,
		    sizeof(err)), 0);
		assert_string_equal(back.text, rp.text);
		wire_reply_clear(&back);
		assert_null(back.text);
		wire_reply_clear(&rp);
		free(line);
	}
}

/* The longest text that there may be, and whatever is in it, fits a line. */
static void
reply_text_longest(void **state)
{
	struct wire_reply rp, back;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&rp, 0, sizeof(rp));
	rp.ok = true;
	/* text_lines() makes four bytes of one; its backslash becomes two. */
	rp.text = malloc(4 * 65536 + 1);
	assert_non_null(rp.text);
	for (len = 0; len < 65536; len++)
		memcpy(rp.text + 4 * len, "\\x1b", 5);
	line = wire_encode_reply(&rp, &len);
	assert_non_null(line);
	assert_true(len <= WIRE_LINE_MAX);
	assert_int_equal(wire_decode_reply(line, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_string_equal(back.text, rp.text);
	wire_reply_clear(&back);
	wire_reply_clear(&rp);
	free(line);
}

/* DEL, which jansson leaves as it is, wherever it stands and however often. */
static void
del(void **state)
{
	struct wire_request rq, back;
	struct wire_item item, got;
	struct wire_reply rp;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&rq, 0, sizeof(rq));
	memcpy(rq.verb, "arm", 4);
	rq.keys = WIRE_KEY_COMMAND;
	rq.spec.command = strdup("\177a\177\177b\177");
	line = wire_encode_request(&rq, &len);
	assert_non_null(line);
	assert_string_equal(line, "{\"v\":1,\"verb\":\"arm\",\"command\":"
	    "\"\\u007fa\\u007f\\u007fb\\u007f\"}\n");
	assert_int_equal(len, strlen(line));
	assert_int_equal(wire_decode_request(line, len - 1, &back, err,
	    sizeof(err)), 0);
	assert_string_equal(back.spec.command, rq.spec.command);
	wire_request_clear(&back);
	free(line);
	memset(&item, 0, sizeof(item));
	item.keys = ITEM_COMMAND;
	item.command = rq.spec.command;
	line = wire_encode_item(&item, &len);
	assert_non_null(line);
	assert_null(strchr(line, '\177'));
	assert_int_equal(wire_decode_answer(line, len - 1, &rp, &got, err,
	    sizeof(err)), 1);
	assert_string_equal(got.command, rq.spec.command);
	wire_item_clear(&got);
	free(line);
	wire_request_clear(&rq);
}

static const char item_line[] =
    "{\"v\":1,\"event\":\"finished\",\"at\":\"2026-11-24T12:00:00.123Z\","
    "\"id\":3,\"jid\":5536,\"jail\":\"web\",\"engine\":\"docker\","
    "\"state\":\"rearming\",\"pid\":5716,\"title\":\"Gr\\u00FC\\u00DFe\","
    "\"command\":\"exit \\u001B\",\"respawn\":\"now\",\"uid\":0,"
    "\"gid\":4294967294,\"timeout\":60,\"parallel\":64,\"interval\":5,"
    "\"feedback\":true,\"file\":false,\"runs\":9223372036854775807,"
    "\"last_status\":255,\"last_signal\":15,\"last_ms\":0,"
    "\"last_at\":\"1970-01-01T00:00:00.000Z\","
    "\"armed_at\":\"2026-11-24T11:59:59.999Z\",\"status\":0,\"signal\":9,"
    "\"ms\":12,\"text\":\"why\"}";

/* Every key there and back. */
static void
item_full(void **state)
{
	struct wire_reply rp;
	struct wire_item item;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&rp, 0x5a, sizeof(rp));
	memset(&item, 0xff, sizeof(item));
	assert_int_equal(wire_decode_answer(item_line, strlen(item_line), &rp,
	    &item, err, sizeof(err)), 1);
	assert_int_equal(rp.status, 0x5a5a5a5a);
	assert_int_equal(item.keys, (1 << 28) - 1);
	assert_string_equal(item.event, "finished");
	assert_string_equal(item.state, "rearming");
	assert_int_equal(item.at, 1795521600123);
	assert_int_equal(item.armed_at, item.at - 124);
	assert_int_equal(item.last_at, 0);
	assert_int_equal(item.id, 3);
	assert_int_equal(item.jid, 5536);
	assert_int_equal(item.pid, 5716);
	assert_string_equal(item.jail, "web");
	assert_string_equal(item.engine, "docker");
	assert_string_equal(item.title, "Grüße");
	assert_string_equal(item.command, "exit \033");
	assert_string_equal(item.text, "why");
	assert_int_equal(item.respawn, RESPAWN_NOW);
	assert_int_equal(item.gid, 4294967294);
	assert_int_equal(item.timeout, 60);
	assert_int_equal(item.parallel, 64);
	assert_int_equal(item.interval, 5);
	assert_true(item.feedback);
	assert_false(item.file);
	assert_int_equal(item.runs, INT64_MAX);
	assert_int_equal(item.last_status, 255);
	assert_int_equal(item.last_signal, 15);
	assert_int_equal(item.signal, 9);
	assert_int_equal(item.ms, 12);
	line = wire_encode_item(&item, &len);
	assert_non_null(line);
	assert_int_equal(len, strlen(item_line) + 1);
	assert_memory_equal(line, item_line, len - 1);
	assert_int_equal(line[len - 1], '\n');
	free(line);
	wire_item_clear(&item);
	assert_null(item.command);
	assert_int_equal(item.keys, 0);
}

/* Only what is named is written. */
static void
item_least(void **state)
{
	struct wire_item item;
	char *line;
	size_t len;

	(void)state;
	memset(&item, 0, sizeof(item));
	item.id = 7;
	item.runs = 3;
	line = wire_encode_item(&item, &len);
	assert_non_null(line);
	assert_string_equal(line, "{\"v\":1}\n");
	free(line);
	item.keys = ITEM_RUNS;
	line = wire_encode_item(&item, &len);
	assert_non_null(line);
	assert_string_equal(line, "{\"v\":1,\"runs\":3}\n");
	free(line);
	/* A key without its text, or one that is no UTF-8. */
	item.keys = ITEM_TITLE;
	assert_null(wire_encode_item(&item, &len));
	item.title = strdup("\xff");
	assert_null(wire_encode_item(&item, &len));
	free(item.title);
}

/* An action with the longest texts, each byte of which becomes six. */
static void
item_longest(void **state)
{
	struct wire_item item, back;
	struct wire_reply rp;
	char err[256], *line;
	size_t len;

	(void)state;
	memset(&item, 0, sizeof(item));
	item.keys = ITEM_COMMAND | ITEM_TITLE | ITEM_JAIL;
	item.command = calloc(1, SPEC_COMMAND_MAX + 1);
	item.title = calloc(1, SPEC_TITLE_MAX + 1);
	item.jail = calloc(1, SPEC_JAIL_MAX + 1);
	assert_non_null(item.command);
	assert_non_null(item.title);
	assert_non_null(item.jail);
	memset(item.command, 1, SPEC_COMMAND_MAX);
	memset(item.title, '"', SPEC_TITLE_MAX);
	memset(item.jail, '\\', SPEC_JAIL_MAX);
	line = wire_encode_item(&item, &len);
	assert_non_null(line);
	assert_true(len > 6 * SPEC_COMMAND_MAX && len <= WIRE_LINE_MAX);
	assert_int_equal(wire_decode_answer(line, len - 1, &rp, &back, err,
	    sizeof(err)), 1);
	assert_string_equal(back.command, item.command);
	assert_string_equal(back.title, item.title);
	wire_item_clear(&back);
	free(line);
	wire_item_clear(&item);
}

static void
item_refused(void **state)
{
	static const struct {
		const char	*line;
		const char	*err;
	} cases[] = {
		{ "", "not one JSON object: *" },
		{ "{}", "\"v\" is missing: expected the protocol's version, "
		    "1" },
		{ "{\"v\":2,\"id\":1}",
		    "\"v\": expected the protocol's version, 1" },
		{ "{\"v\":1,\"colour\":1}", "unknown key \"colour\"" },
		{ "{\"v\":1,\"verb\":\"arm\"}", "unknown key \"verb\"" },
		{ "{\"v\":1,\"event\":\"0123456789abcdef\"}",
		    "\"event\": expected a string of 1 to 15 bytes" },
		{ "{\"v\":1,\"jid\":0}",
		    "\"jid\": expected a number from 1 to 2147483647" },
		{ "{\"v\":1,\"last_status\":256}",
		    "\"last_status\": expected a number from 0 to 255" },
		{ "{\"v\":1,\"signal\":0}",
		    "\"signal\": expected a number from 1 to 255" },
		{ "{\"v\":1,\"file\":\"yes\"}",
		    "\"file\": expected true or false" },
		/* Memory taken before the refusal is given back. */
		{ "{\"v\":1,\"jail\":\"j\",\"engine\":\"e\",\"title\":\"t\","
		    "\"command\":\"c\",\"text\":\"x\",\"runs\":-1}", "\"runs\": "
		    "expected a number from 0 to 9223372036854775807" },
		/* With "ok" it is a reply, and nothing else. */
		{ "{\"v\":1,\"ok\":true,\"runs\":1}", "unknown key \"runs\"" },
		{ "{\"v\":1,\"ok\":false}", "\"status\" is missing: *" },
	};
	struct wire_reply rp;
	struct wire_item item;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(wire_decode_answer(cases[i].line,
		    strlen(cases[i].line), &rp, &item, err, sizeof(err)), -1);
		assert_error(err, cases[i].err);
	}
}

/* A line that is a reply leaves the item alone. */
static void
answer_reply(void **state)
{
	static const char line[] = "{\"v\":1,\"ok\":true,\"count\":2}";
	struct wire_reply rp;
	struct wire_item item;
	char err[256];

	(void)state;
	memset(&item, 0x5a, sizeof(item));
	assert_int_equal(wire_decode_answer(line, strlen(line), &rp, &item,
	    err, sizeof(err)), 0);
	assert_true(rp.ok && rp.has_count);
	assert_int_equal(rp.count, 2);
	assert_int_equal(item.keys, 0x5a5a5a5a);
}

static int
decode_time(const char *text, int64_t *ms)
{
	struct wire_reply rp;
	struct wire_item item;
	char err[256], line[128];
	int rc;

	(void)snprintf(line, sizeof(line), "{\"v\":1,\"at\":\"%s\"}", text);
	rc = wire_decode_answer(line, strlen(line), &rp, &item, err,
	    sizeof(err));
	if (rc == 1)
		*ms = item.at;
	else
		assert_string_equal(err,
		    "\"at\": expected a time of RFC 3339, in UTC");
	return (rc);
}

/* Known times, leap days among them. */
static void
times(void **state)
{
	static const struct {
		int64_t		 ms;
		const char	*text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 68255999999, "1972-02-29T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 951868800000, "2000-03-01T00:00:00.000Z" },
		{ 1709164800000, "2024-02-29T00:00:00.000Z" },
		{ 1709251199999, "2024-02-29T23:59:59.999Z" },
		{ 1735689599999, "2024-12-31T23:59:59.999Z" },
		{ 2147483648000, "2038-01-19T03:14:08.000Z" },
		/* 2100 is no leap year. */
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ 4107542399000, "2100-02-28T23:59:59.000Z" },
		{ 13574563200000, "2400-02-29T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char shown[WIRE_TIME_MAX];
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		wire_time(shown, sizeof(shown), cases[i].ms);
		assert_string_equal(shown, cases[i].text);
		ms = -1;
		assert_int_equal(decode_time(cases[i].text, &ms), 1);
		assert_int_equal(ms, cases[i].ms);
	}
}

/* Each day of five centuries, at its first, an odd and its last moment. */
static void
times_round(void **state)
{
	const int64_t day = 86400000, moments[] = { 0, 45296789, day - 1 };
	char shown[WIRE_TIME_MAX];
	int64_t d, ms, back = -1;
	size_t i;

	(void)state;
	for (d = 0; d < 182621; d++)
		for (i = 0; i < NITEMS(moments); i++) {
			ms = d * day + moments[i];
			wire_time(shown, sizeof(shown), ms);
			assert_int_equal(strlen(shown), 24);
			assert_int_equal(decode_time(shown, &back), 1);
			assert_int_equal(back, ms);
		}
}

static void
times_refused(void **state)
{
	static const char *const bad[] = {
		"", "now", "1795521600", "1795521600.123",
		"1969-12-31T23:59:59.999Z", "-001-01-01T00:00:00.000Z",
		"2026-11-24", "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.1Z",
		"2026-11-24T12:00:00.1234Z", "2026-11-24T12:00:00.123",
		"2026-11-24T12:00:00.123+00:00", "2026-11-24T12:00:00.123z",
		"2026-11-24t12:00:00.123Z", "2026-11-24 12:00:00.123Z",
		"2026-11-24T12:00:00.123Z ", " 2026-11-24T12:00:00.123Z",
		"2026-11-24T12:00:00.123ZZ", "2026-1-24T12:00:00.123Z",
		"2026-00-24T12:00:00.123Z", "2026-13-24T12:00:00.123Z",
		"2026-11-00T12:00:00.123Z", "2026-11-31T12:00:00.123Z",
		"2025-02-29T12:00:00.123Z", "2100-02-29T12:00:00.123Z",
		"2026-11-24T24:00:00.000Z", "2026-11-24T12:60:00.123Z",
		"2026-11-24T12:00:60.123Z", "2026-11-24T12:00:-1.123Z",
		"2026-11-24T12:00: 1.123Z", "+026-11-24T12:00:00.123Z",
		"10000-01-01T00:00:00.000Z",
	};
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++)
		assert_int_equal(decode_time(bad[i], &ms), -1);
}

/* Lines of the journal: each kind is written as it was read. */
static void
record_round(void **state)
{
	static const char *const lines[] = {
		"{\"v\":1,\"record\":\"header\",\"boot\":\"b\",\"next\":0}",
		"{\"v\":1,\"record\":\"arm\",\"id\":1,\"jid\":2,"
		    "\"command\":\"c\",\"uid\":0,\"gid\":4294967294,"
		    "\"respawn\":\"now\",\"at\":\"2026-11-24T12:00:00.123Z\","
		    "\"runs\":0,\"runs_ended\":0}",
		"{\"v\":1,\"record\":\"arm\",\"id\":9223372036854775807,"
		    "\"jid\":2147483647,\"jail\":\"web\",\"engine\":\"lxc\","
		    "\"started\":7,\"pidns\":8,\"title\":\"\u00dc\","
		    "\"command\":\"c\",\"uid\":1,\"gid\":2,"
		    "\"respawn\":\"after\",\"timeout\":3,\"parallel\":4,"
		    "\"interval\":5,\"feedback\":true,\"rule\":6,\"run\":9,"
		    "\"at\":\"1970-01-01T00:00:00.000Z\",\"runs\":10,"
		    "\"runs_ended\":9,\"known\":true,\"last_status\":0,"
		    "\"last_signal\":255,\"last_ms\":11,"
		    "\"last_at\":\"2026-11-24T12:00:00.123Z\"}",
		"{\"v\":1,\"record\":\"over\",\"id\":1}",
		"{\"v\":1,\"record\":\"end\",\"id\":1}",
		"{\"v\":1,\"record\":\"trigger\",\"id\":1,\"run\":2,"
		    "\"at\":\"2026-11-24T12:00:00.123Z\"}",
		"{\"v\":1,\"record\":\"run\",\"id\":1,\"run\":2,\"pid\":3,"
		    "\"clock\":0,\"at\":\"2026-11-24T12:00:00.123Z\"}",
		"{\"v\":1,\"record\":\"ran\",\"id\":1,\"run\":2,"
		    "\"known\":false,\"last_status\":255,\"last_signal\":0,"
		    "\"last_ms\":0,\"last_at\":\"2026-11-24T12:00:00.123Z\"}",
		"{\"v\":1,\"record\":\"jail\",\"jid\":2,\"jail\":\"web\"}",
		"{\"v\":1,\"record\":\"rule\",\"jid\":2,\"started\":7,"
		    "\"rule\":6}",
		"{\"v\":1,\"record\":\"gone\",\"jid\":2}",
	};
	struct wire_record rec;
	char err[256], *again;
	size_t i, len;

	(void)state;
	for (i = 0; i < NITEMS(lines); i++) {
		assert_int_equal(wire_decode_record(lines[i],
		    strlen(lines[i]), &rec, err, sizeof(err)), 0);
		again = wire_encode_record(&rec, &len);
		wire_record_clear(&rec);
		assert_non_null(again);
		assert_int_equal(again[len - 1], '\n');
		again[len - 1] = '\0';
		assert_string_equal(again, lines[i]);
		free(again);
	}
}

static void
record_refused(void **state)
{
	static const struct {
		const char	*line, *error;
	} cases[] = {
		{ "{\"v\":1,\"record\":\"birth\",\"id\":1}",
		    "\"record\": expected the kind of a record" },
		{ "{\"v\":1,\"record\":1,\"id\":1}",
		    "\"record\": expected the kind of a record" },
		{ "{\"v\":2,\"record\":\"end\",\"id\":1}",
		    "\"v\": expected the protocol's version, 1" },
		{ "{\"v\":\"1\",\"record\":\"end\",\"id\":1}",
		    "\"v\": expected the protocol's version, 1" },
		{ "{\"v\":1,\"record\":\"end\"}", "\"id\" is missing: "
		    "expected a number from 1 to 9223372036854775807" },
		{ "{\"v\":1,\"record\":\"trigger\",\"id\":1,\"run\":2,"
		    "\"at\":\"yesterday\"}",
		    "\"at\": expected a time of RFC 3339, in UTC" },
		{ "{\"v\":1,\"record\":\"ran\",\"id\":1,\"run\":2,"
		    "\"known\":0,\"last_status\":255,\"last_signal\":0,"
		    "\"last_ms\":0,\"last_at\":\"2026-11-24T12:00:00.123Z\"}",
		    "\"known\": expected true or false" },
		{ "{\"v\":1,\"record\":\"jail\",\"jid\":2,\"jail\":\"\"}",
		    "\"jail\": expected a string of 1 to 255 bytes" },
		{ "[{\"v\":1,\"record\":\"end\",\"id\":1}]",
		    "not one JSON object: an array" },
	};
	struct wire_record rec;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		errno = 0;
		assert_int_equal(wire_decode_record(cases[i].line,
		    strlen(cases[i].line), &rec, err, sizeof(err)), -1);
		assert_string_equal(err, cases[i].error);
		assert_int_equal(errno, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_full),
		cmocka_unit_test(request_least),
		cmocka_unit_test(request_keys),
		cmocka_unit_test(request_refused),
		cmocka_unit_test(request_half),
		cmocka_unit_test(request_nul),
		cmocka_unit_test(request_short_error),
		cmocka_unit_test(request_longest),
		cmocka_unit_test(request_too_long),
		cmocka_unit_test(request_not_encoded),
		cmocka_unit_test(request_ids),
		cmocka_unit_test(reply_round),
		cmocka_unit_test(reply_refused),
		cmocka_unit_test(reply_error_length),
		cmocka_unit_test(reply_error_cut),
		cmocka_unit_test(reply_text),
		cmocka_unit_test(reply_text_longest),
		cmocka_unit_test(del),
		cmocka_unit_test(item_full),
		cmocka_unit_test(item_least),
		cmocka_unit_test(item_longest),
		cmocka_unit_test(item_refused),
		cmocka_unit_test(answer_reply),
		cmocka_unit_test(record_round),
		cmocka_unit_test(record_refused),
		cmocka_unit_test(times),
		cmocka_unit_test(times_round),
		cmocka_unit_test(times_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
