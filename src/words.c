/* Text as sh splits it into words. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "words.h"
#include "text.h"

/*
 * What sh would act on outside of quotes.  Nothing of it is done here, so it
 * is refused: who wrote it expects something.
 */
#define OPERATORS	"$`;&|<>()"

#define BYTE_ORDER_MARK	"\xef\xbb\xbf"

static int refuse(struct words *, unsigned int, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(struct words *ws, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ws->err, sizeof(ws->err), fmt, ap);
	va_end(ap);
	ws->err_line = line;
	return (EX_CONFIG);
}

static int
no_memory(struct words *ws)
{
	(void)refuse(ws, ws->at, "out of memory");
	return (EX_OSERR);
}

/*
 * Text, and nothing else.
 */

/* The bytes of a control character at p, 0: there is none. */
static size_t
control_length(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;

	if ((u[0] < 0x20 && u[0] != '\t') || u[0] == 0x7f)
		return (1);
	/* C1, in UTF-8. */
	return (u[0] == 0xc2 && end - p > 1 && u[1] < 0xa0 ? 2 : 0);
}

static int
refuse_control(struct words *ws, const char *p, size_t len)
{
	char shown[16];

	if (*p == '\r')
		return (refuse(ws, ws->at, "a carriage return, expected lines "
		    "that end with a newline alone"));
	(void)text_escape(shown, sizeof(shown), p, len);
	return (refuse(ws, ws->at, "the control character %s, expected text "
	    "with no other ones than tabs and newlines", shown));
}

static int
check_line(struct words *ws, const char *end)
{
	const char *p;
	size_t n;

	if (!text_is_utf8(ws->p, (size_t)(end - ws->p)))
		return (refuse(ws, ws->at, "the line is not valid UTF-8, "
		    "expected UTF-8 text"));
	for (p = ws->p; p < end; p++)
		if ((n = control_length(p, end)) > 0)
			return (refuse_control(ws, p, n));
	return (0);
}

/* From p to the end, which is where p is afterwards. */
static int
check_text(struct words *ws)
{
	const size_t mark = strlen(BYTE_ORDER_MARK);
	const char *nl;
	int status;

	if ((size_t)(ws->end - ws->p) >= mark &&
	    memcmp(ws->p, BYTE_ORDER_MARK, mark) == 0)
		return (refuse(ws, ws->at, "a byte order mark, expected UTF-8 "
		    "text without one"));
	while (ws->p < ws->end) {
		nl = memchr(ws->p, '\n', (size_t)(ws->end - ws->p));
		status = check_line(ws, nl == NULL ? ws->end : nl);
		if (status != 0)
			return (status);
		ws->p = nl == NULL ? ws->end : nl + 1;
		ws->at++;
	}
	return (0);
}

/*
 * Words, as sh makes them.
 */

/* At a backslash that continues the line: it and the newline are nothing. */
static bool
skip_continuation(struct words *ws)
{
	if (ws->end - ws->p < 2 || ws->p[0] != '\\' || ws->p[1] != '\n')
		return (false);
	ws->p += 2;
	ws->at++;
	return (true);
}

/* One character of the text becomes one of the word. */
static void
take(struct words *ws)
{
	if (*ws->p == '\n')
		ws->at++;
	*ws->w++ = *ws->p++;
}

/* At the opening quote; a backslash means something in double ones only. */
static int
read_quoted(struct words *ws)
{
	const char quote = *ws->p++;
	const unsigned int begin = ws->at;

	while (ws->p < ws->end && *ws->p != quote) {
		if (quote == '"' && *ws->p == '\\') {
			if (skip_continuation(ws))
				continue;
			if (ws->end - ws->p > 1 &&
			    strchr("$`\"\\", ws->p[1]) != NULL)
				ws->p++;
		}
		take(ws);
	}
	if (ws->p == ws->end)
		return (refuse(ws, begin, "a quote that is not closed, "
		    "expected another %c", quote));
	ws->p++;
	return (0);
}

static int
read_escaped(struct words *ws)
{
	if (skip_continuation(ws))
		return (0);
	if (ws->end - ws->p < 2)
		return (refuse(ws, ws->at, "a backslash at the end of the "
		    "file, expected a character or a line behind it"));
	ws->p++;
	take(ws);
	return (0);
}

static int
read_bare(struct words *ws)
{
	if (strchr(OPERATORS, *ws->p) != NULL)
		return (refuse(ws, ws->at, "unquoted \"%c\", expected it in "
		    "quotes", *ws->p));
	take(ws);
	return (0);
}

static int
read_word(struct words *ws)
{
	int status = 0;

	while (status == 0 && ws->p < ws->end && strchr(" \t\n", *ws->p) == NULL)
		switch (*ws->p) {
		case '\'':
		case '"':
			status = read_quoted(ws);
			break;
		case '\\':
			status = read_escaped(ws);
			break;
		default:
			status = read_bare(ws);
			break;
		}
	*ws->w++ = '\0';
	return (status);
}

/* At the beginning of a word; room is kept for a NULL behind the last. */
static int
add_word(struct words *ws)
{
	char **argv;
	size_t size;

	if ((size_t)ws->argc + 2 > ws->size) {
		size = ws->size == 0 ? 64 : 2 * ws->size;
		argv = reallocarray(ws->argv, size, sizeof(*argv));
		if (argv == NULL)
			return (no_memory(ws));
		ws->argv = argv;
		ws->size = size;
	}
	ws->argv[ws->argc++] = ws->w;
	return (0);
}

static void
skip_comment(struct words *ws)
{
	const char *nl;

	nl = memchr(ws->p, '\n', (size_t)(ws->end - ws->p));
	ws->p = nl == NULL ? ws->end : nl;
}

/* One line, with those that continue it. */
static int
read_line(struct words *ws)
{
	int status = 0;

	ws->w = ws->buf;
	ws->argc = 0;
	if ((status = add_word(ws)) != 0)
		return (status);
	*ws->w++ = '\0';
	while (status == 0 && ws->p < ws->end && *ws->p != '\n') {
		if (*ws->p == ' ' || *ws->p == '\t')
			ws->p++;
		else if (*ws->p == '#')
			skip_comment(ws);
		else if (!skip_continuation(ws)) {
			if (ws->argc == 1)
				ws->line = ws->at;
			if ((status = add_word(ws)) == 0)
				status = read_word(ws);
		}
	}
	ws->argv[ws->argc] = NULL;
	if (ws->p < ws->end) {
		ws->p++;
		ws->at++;
	}
	return (status);
}


int
words_open(struct words *ws, const char *text, size_t len)
{
	int status;

	memset(ws, 0, sizeof(*ws));
	ws->at = 1;
	ws->p = text;
	ws->end = text + len;
	if ((status = check_text(ws)) != 0)
		return (status);
	/*
	 * No word is longer than its text, and its NUL takes the place of what
	 * ends it; but nothing ends argv[0], and maybe not the last one.
	 */
	if ((ws->buf = malloc(len + 2)) == NULL)
		return (no_memory(ws));
	ws->at = 1;
	ws->p = text;
	return (0);
}

int
words_read(struct words *ws)
{
	int status;

	do {
		status = read_line(ws);
	} while (status == 0 && ws->argc == 1 && ws->p < ws->end);
	return (status);
}

void
words_close(struct words *ws)
{
	free(ws->buf);
	free(ws->argv);
}
