/* What is asked for: the command, its jail, and how the probe shall look. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "spec.h"
#include "text.h"

static const char *const respawn_names[] = {
	[RESPAWN_NEVER]	= "never",
	[RESPAWN_AFTER]	= "after",
	[RESPAWN_NOW]	= "now",
};

#define NRESPAWN	(sizeof(respawn_names) / sizeof(respawn_names[0]))

void
spec_clear(struct spec *s)
{
	free(s->command);
	free(s->title);
	free(s->jail);
	free(s->engine);
	memset(s, 0, sizeof(*s));
}

/* strdup() that takes NULL for an answer: a part that is not there. */
static int
copy_text(char **dst, const char *src)
{
	*dst = NULL;
	if (src == NULL)
		return (0);
	*dst = strdup(src);
	return (*dst == NULL ? -1 : 0);
}

int
spec_copy(struct spec *dst, const struct spec *src)
{
	struct spec copy;

	copy = *src;
	copy.command = copy.title = copy.jail = copy.engine = NULL;
	if (copy_text(&copy.command, src->command) == -1 ||
	    copy_text(&copy.title, src->title) == -1 ||
	    copy_text(&copy.jail, src->jail) == -1 ||
	    copy_text(&copy.engine, src->engine) == -1) {
		spec_clear(&copy);
		memset(dst, 0, sizeof(*dst));
		errno = ENOMEM;
		return (-1);
	}
	*dst = copy;
	return (0);
}

static size_t
text_size(const char *text)
{
	return (text == NULL ? 0 : strlen(text) + 1);
}

size_t
spec_text_size(const struct spec *s)
{
	return (text_size(s->command) + text_size(s->title) +
	    text_size(s->jail) + text_size(s->engine));
}

/* Returns what is behind it. */
static char *
place_text(char **dst, char *room, const char *src)
{
	size_t size = text_size(src);

	*dst = NULL;
	if (src != NULL)
		*dst = memcpy(room, src, size);
	return (room + size);
}

void
spec_place(struct spec *dst, char *room, const struct spec *src)
{
	*dst = *src;
	room = place_text(&dst->command, room, src->command);
	room = place_text(&dst->title, room, src->title);
	room = place_text(&dst->jail, room, src->jail);
	place_text(&dst->engine, room, src->engine);
}

/* One text of the spec; NULL is one that was not given. */
static int
check_text(const char *what, const char *text, size_t max, bool control,
    char *err, size_t errsize)
{
	size_t len;

	if (text == NULL)
		return (0);
	len = strlen(text);
	if (len == 0)
		(void)snprintf(err, errsize, "the %s is empty", what);
	else if (len > max)
		(void)snprintf(err, errsize, "the %s has %zu bytes, "
		    "the limit is %zu", what, len, max);
	else if (!text_is_utf8(text, len))
		(void)snprintf(err, errsize, "the %s is not valid UTF-8",
		    what);
	else if (!control && text_has_control(text, len))
		(void)snprintf(err, errsize, "the %s has a control character",
		    what);
	else
		return (0);
	return (EX_DATAERR);
}

static int
check_id(const char *what, uint32_t id, char *err, size_t errsize)
{
	if (id <= SPEC_ID_MAX)
		return (0);
	(void)snprintf(err, errsize, "the %s %ju is not a number from 0 to %ju",
	    what, (uintmax_t)id, (uintmax_t)SPEC_ID_MAX);
	return (EX_DATAERR);
}

static int
check_limit(const char *what, uint32_t value, uint32_t max, char *err,
    size_t errsize)
{
	if (value <= max)
		return (0);
	(void)snprintf(err, errsize, "the %s %ju is not a number from 1 to "
	    "%ju", what, (uintmax_t)value, (uintmax_t)max);
	return (EX_DATAERR);
}

static int
check_limits(const struct spec *s, char *err, size_t errsize)
{
	int status;

	if ((status = check_limit("time limit", s->timeout, SPEC_SECONDS_MAX,
	    err, errsize)) != 0 ||
	    (status = check_limit("number of parallel runs", s->parallel,
	    SPEC_PARALLEL_MAX, err, errsize)) != 0)
		return (status);
	return (check_limit("interval", s->interval, SPEC_SECONDS_MAX, err,
	    errsize));
}

int
spec_check(const struct spec *s, char *err, size_t errsize)
{
	int status;

	if ((status = check_text("command", s->command, SPEC_COMMAND_MAX,
	    true, err, errsize)) != 0 ||
	    (status = check_text("title", s->title, SPEC_TITLE_MAX, false,
	    err, errsize)) != 0 ||
	    (status = check_text("jail's name", s->jail, SPEC_JAIL_MAX, false,
	    err, errsize)) != 0 ||
	    (status = check_text("engine's name", s->engine, SPEC_ENGINE_MAX,
	    false, err, errsize)) != 0 ||
	    (status = check_limits(s, err, errsize)) != 0 ||
	    (status = check_id("uid", s->uid, err, errsize)) != 0 ||
	    (status = check_id("gid", s->gid, err, errsize)) != 0)
		return (status);
	if (s->pid < 0 || s->pid > INT32_MAX) {
		(void)snprintf(err, errsize, "the pid %jd is not a number "
		    "from 0 to %jd", (intmax_t)s->pid, (intmax_t)INT32_MAX);
		return (EX_DATAERR);
	}
	if (spec_respawn_name(s->respawn) == NULL) {
		(void)snprintf(err, errsize, "the respawn mode %d is none of "
		    "never, after, now", (int)s->respawn);
		return (EX_DATAERR);
	}
	return (0);
}

/* A text that is not there comes before every other. */
static int
compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return ((a != NULL) - (b != NULL));
	return (strcmp(a, b));
}

static int
compare_number(uint32_t a, uint32_t b)
{
	return ((a > b) - (a < b));
}

int
spec_compare(const struct spec *a, const struct spec *b)
{
	int c;

	if ((c = compare_text(a->command, b->command)) == 0 &&
	    (c = compare_text(a->title, b->title)) == 0 &&
	    (c = compare_number(a->uid, b->uid)) == 0 &&
	    (c = compare_number(a->gid, b->gid)) == 0 &&
	    (c = compare_number(a->respawn, b->respawn)) == 0 &&
	    (c = compare_number(a->timeout, b->timeout)) == 0 &&
	    (c = compare_number(a->parallel, b->parallel)) == 0 &&
	    (c = compare_number(a->interval, b->interval)) == 0)
		c = compare_number(a->feedback, b->feedback);
	return (c);
}

const char *
spec_respawn_name(enum respawn r)
{
	return ((size_t)r < NRESPAWN ? respawn_names[r] : NULL);
}

int
spec_respawn_parse(const char *name, enum respawn *r)
{
	size_t i;

	for (i = 0; i < NRESPAWN; i++)
		if (strcmp(name, respawn_names[i]) == 0) {
			*r = (enum respawn)i;
			return (0);
		}
	return (-1);
}
