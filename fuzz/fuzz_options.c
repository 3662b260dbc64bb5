/*
 * An argument vector, the command line's or one of the file of actions: the
 * words that newlines separate.
 */
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
	const int is_action = o->mode == OPTIONS_ARM || o->mode == OPTIONS_RULE;
	const int is_choice = o->mode == OPTIONS_LIST ||
	    o->mode == OPTIONS_DISARM;
	char err[256];

	expect(spec_check(&o->spec, err, sizeof(err)) == 0);
	expect(o->socket != NULL && *o->socket != '\0');
	expect(is_action == (o->spec.command != NULL));
	expect(!is_action || o->jail != NULL);
	expect(is_action || is_choice || o->jail == NULL);
	expect(o->mode != OPTIONS_RULE || o->njails > 0);
	expect(o->mode >= OPTIONS_LIST || o->mode == OPTIONS_HELP ||
	    o->noperands == 0);
}

static void
try(int (*parse)(int, char **, struct options *, char *, size_t),
    const char *words, size_t size)
{
	struct options o;
	char *argv[WORDS_MAX + 1], err[512], *text;
	int status;

	if ((text = malloc(size + 1)) == NULL)
		return;
	memcpy(text, words, size);
	text[size] = '\0';
	status = parse(split(text, argv), argv, &o, err, sizeof(err));
	if (status == 0) {
		check(&o);
		options_clear(&o);
	} else {
		expect(status == EX_USAGE || status == EX_DATAERR);
		expect(*err != '\0' && text_is_utf8(err, strlen(err)) &&
		    !text_has_control(err, strlen(err)));
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try(options_parse, (const char *)data, size);
	try(options_parse_rule, (const char *)data, size);
	return (0);
}
