/* An argument vector: the words that newlines separate. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "options.h"
#include "spec.h"
#include "text.h"

#define WORDS_MAX	64

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* Splits in place; a NUL ends a word as well, as it does in an argv. */
static int
split(char *text, char **argv)
{
	static char program[] = "jaildaemon";
	char *word;
	int argc;

	argc = 0;
	argv[argc++] = program;
	while (argc < WORDS_MAX && (word = strsep(&text, "\n")) != NULL)
		argv[argc++] = word;
	argv[argc] = NULL;
	return (argc);
}

static void
check(const struct options *o)
{
	char err[256];

	expect(spec_check(&o->spec, err, sizeof(err)) == 0);
	expect(o->socket != NULL && *o->socket != '\0');
	expect((o->mode == OPTIONS_ARM) == (o->spec.command != NULL));
	expect((o->mode == OPTIONS_ARM) == (o->jail != NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options o;
	char *argv[WORDS_MAX + 1], err[512], *text;
	int status;

	if ((text = malloc(size + 1)) == NULL)
		return (0);
	memcpy(text, data, size);
	text[size] = '\0';
	status = options_parse(split(text, argv), argv, &o, err, sizeof(err));
	if (status == 0) {
		check(&o);
		options_clear(&o);
	} else {
		expect(status == EX_USAGE || status == EX_DATAERR);
		expect(*err != '\0' && text_is_utf8(err, strlen(err)) &&
		    !text_has_control(err, strlen(err)));
	}
	free(text);
	return (0);
}
