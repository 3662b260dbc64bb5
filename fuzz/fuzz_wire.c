/* Any line as request and as reply; what is accepted survives its encoding. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* A refusal is one clean line, as it is shown. */
static void
check_error(const char *err)
{
	char shown[4 * 512];
	size_t len = strlen(err);

	expect(len != 0 && text_show(shown, sizeof(shown), err, len) == len);
	len = strlen(shown);
	expect(text_is_utf8(shown, len) && !text_has_control(shown, len));
}

static void
try_request(const char *line, size_t len)
{
	struct wire_request rq, back;
	char err[512], *again;
	size_t n;

	if (wire_decode_request(line, len, &rq, err, sizeof(err)) == -1) {
		check_error(err);
		return;
	}
	expect(spec_check(&rq.spec, err, sizeof(err)) == 0);
	again = wire_encode_request(&rq, &n);
	expect(again != NULL && n <= WIRE_LINE_MAX && again[n - 1] == '\n' &&
	    memchr(again, '\n', n) == again + n - 1);
	expect(wire_decode_request(again, n - 1, &back, err,
	    sizeof(err)) == 0);
	expect(strcmp(back.verb, rq.verb) == 0 && back.keys == rq.keys &&
	    spec_compare(&back.spec, &rq.spec) == 0 &&
	    back.spec.pid == rq.spec.pid &&
	    back.spec.started == rq.spec.started);
	free(again);
	spec_clear(&rq.spec);
	spec_clear(&back.spec);
}

static void
try_reply(const char *line, size_t len)
{
	struct wire_reply rp, back;
	char err[512], *again;
	size_t n;

	if (wire_decode_reply(line, len, &rp, err, sizeof(err)) == -1) {
		check_error(err);
		return;
	}
	again = wire_encode_reply(&rp, &n);
	expect(again != NULL && memchr(again, '\n', n) == again + n - 1);
	expect(wire_decode_reply(again, n - 1, &back, err, sizeof(err)) == 0);
	expect(back.ok == rp.ok && back.status == rp.status &&
	    back.id == rp.id && back.pid == rp.pid &&
	    strcmp(back.error, rp.error) == 0);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_request((const char *)data, size);
	try_reply((const char *)data, size);
	return (0);
}
