/* wire.c: lines of the control protocol, good ones and every refusal. */
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
		spec_clear(&rq.spec);
	}
}

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
	/* What spec_check() says. */
	{ "{\"v\":1,\"verb\":\"x\",\"title\":\"a\\nb\"}",
	    "the title has a control character" },
	{ "{\"v\":1,\"verb\":\"x\",\"jail\":\"\\u0085\"}",
	    "the jail's name has a control character" },
	/* Memory taken before the refusal is given back. */
	{ "{\"v\":1,\"verb\":\"x\",\"command\":\"c\",\"title\":\"t\","
	    "\"jail\":\"j\",\"uid\":-1}",
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
		    "\"id\", \"pid\" or \"warning\" in a reply that is not ok" },
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
		cmocka_unit_test(reply_round),
		cmocka_unit_test(reply_refused),
		cmocka_unit_test(reply_error_length),
		cmocka_unit_test(reply_error_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
