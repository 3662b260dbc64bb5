#include <sys/types.h>
#include <sys/queue.h>
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

/* In front of all that jansson is given. */
struct block {
	alignas(max_align_t) LIST_ENTRY(block) entry;
};

static LIST_HEAD(, block) reading;	/* what the value that is read has */
static jmp_buf shortage;
static bool is_reading;

static void *
allocate(size_t size)
{
	struct block *b = size > SIZE_MAX - sizeof(*b) ? NULL :
	    malloc(sizeof(*b) + size);

	if (b == NULL && is_reading)
		longjmp(shortage, 1);
	if (b == NULL)
		return (NULL);
	if (is_reading)
		LIST_INSERT_HEAD(&reading, b, entry);
	else
		b->entry.le_prev = NULL;
	return (b + 1);
}

static void
release(void *p)
{
	struct block *b = p;

	if (p == NULL)
		return;
	b--;
	if (b->entry.le_prev != NULL)
		LIST_REMOVE(b, entry);
	free(b);
}

void
json_prepare(void)
{
	json_set_alloc_funcs(allocate, release);
}

/* Kept, the blocks are the value's; else there is none. */
static void
end_reading(bool keep)
{
	struct block *b;

	is_reading = false;
	while ((b = LIST_FIRST(&reading)) != NULL) {
		LIST_REMOVE(b, entry);
		b->entry.le_prev = NULL;
		if (!keep)
			free(b);
	}
}

json_t *
json_read(const char *text, size_t len, char *err, size_t errsize)
{
	json_error_t why;
	json_t *value;

	json_prepare();
	/* Nothing of jansson's but memory is left behind by the jump. */
	if (setjmp(shortage) != 0) {
		end_reading(false);
		(void)snprintf(err, errsize, "out of memory");
		errno = ENOMEM;
		return (NULL);
	}
	is_reading = true;
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	end_reading(true);
	if (value == NULL) {
		(void)snprintf(err, errsize, "not one JSON object: %s",
		    why.text);
		errno = EINVAL;
	}
	return (value);
}
