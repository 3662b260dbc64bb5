/* A container's name up to the first newline, then an engine's output. */
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
try(enum engine_answer (*parse)(const char *, size_t, const char *, pid_t *),
    const char *text, size_t len, const char *name)
{
	pid_t pid;

	pid = 0;
	if ((parse(text, len, name, &pid) == ENGINE_RUNNING) != (pid > 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text;
	char *name;
	size_t len, namelen;

	text = (const char *)data;
	for (namelen = 0; namelen < size && text[namelen] != '\n'; namelen++)
		;
	if ((name = malloc(namelen + 1)) == NULL)
		return (0);
	if (namelen > 0)
		memcpy(name, text, namelen);
	name[namelen] = '\0';
	len = size;
	if (namelen < size) {
		text += namelen + 1;
		len -= namelen + 1;
	}
	try(engine_parse_inspect, text, len, name);
	try(engine_parse_pid, text, len, name);
	try(engine_parse_state, text, len, name);
	free(name);
	return (0);
}
