/* Foreign text: is it well-formed, and how is it shown without harm. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct range {
	uint32_t	first;
	uint32_t	last;
};

/* Characters that change how the text around them is shown, or end a line. */
static const struct range misleading[] = {
	{ 0x0000, 0x001f },	/* C0 */
	{ 0x007f, 0x009f },	/* DEL, C1 */
	{ 0x061c, 0x061c },	/* Arabic letter mark */
	{ 0x200e, 0x200f },	/* left-to-right and right-to-left mark */
	{ 0x2028, 0x202e },	/* line, paragraph; embeddings, overrides */
	{ 0x2066, 0x2069 },	/* isolates */
};

/* Lead bytes, and the code points that their sequences may stand for. */
static const struct {
	unsigned char	mask;
	unsigned char	lead;
	size_t		len;
	struct range	range;
} sequences[] = {
	{ 0x80, 0x00, 1, { 0x0000, 0x007f } },
	{ 0xe0, 0xc0, 2, { 0x0080, 0x07ff } },
	{ 0xf0, 0xe0, 3, { 0x0800, 0xffff } },
	{ 0xf8, 0xf0, 4, { 0x10000, 0x10ffff } },
};

static bool
in_range(uint32_t c, struct range r)
{
	return (c >= r.first && c <= r.last);
}

/* The length of the character at s, and its code point; 0: ill-formed. */
static size_t
decode(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	const struct range surrogates = { 0xd800, 0xdfff };
	size_t i, n;

	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if ((u[0] & sequences[i].mask) == sequences[i].lead)
			break;
	if (i == sizeof(sequences) / sizeof(sequences[0]) ||
	    sequences[i].len > len)
		return (0);
	*cp = u[0] & (unsigned char)~sequences[i].mask;
	for (n = 1; n < sequences[i].len; n++) {
		if ((u[n] & 0xc0) != 0x80)
			return (0);
		*cp = *cp << 6 | (u[n] & 0x3f);
	}
	if (!in_range(*cp, sequences[i].range) || in_range(*cp, surrogates))
		return (0);
	return (n);
}

bool
text_is_utf8(const char *s, size_t len)
{
	uint32_t cp;
	size_t i, n;

	for (i = 0; i < len; i += n)
		if ((n = decode(s + i, len - i, &cp)) == 0)
			return (false);
	return (true);
}

bool
text_has_control(const char *s, size_t len)
{
	uint32_t cp;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		/* A byte that is no UTF-8 is judged as text_is_utf8() does. */
		if ((n = decode(s + i, len - i, &cp)) == 0)
			n = 1;
		else if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
			return (true);
	}
	return (false);
}

static bool
is_misleading(uint32_t cp)
{
	size_t i;

	for (i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++)
		if (in_range(cp, misleading[i]))
			return (true);
	return (false);
}

/* The escape of one character of n bytes; returns its length. */
static size_t
escape_one(char *dst, size_t dstsize, const char *s, size_t n)
{
	static const char letters[] = "\nn\tt\rr\\\\\"\"";
	const char *l;
	size_t i;

	for (l = letters; n == 1 && *l != '\0'; l += 2)
		if (*l == *s) {
			dst[0] = '\\';
			dst[1] = l[1];
			return (2);
		}
	for (i = 0; i < n; i++)
		(void)snprintf(dst + 4 * i, dstsize - 4 * i, "\\x%02x",
		    (unsigned int)(unsigned char)s[i]);
	return (4 * n);
}

/* quoted: what ends a quotation, or would pass for an escape, is escaped. */
static size_t
escape(char *dst, size_t dstsize, const char *src, size_t len, bool quoted)
{
	char unit[4 * 4 + 1];		/* four bytes as \xNN */
	const char *out;
	uint32_t cp;
	size_t i, n, outlen, used;

	used = 0;
	for (i = 0; i < len; i += n) {
		out = src + i;
		n = decode(src + i, len - i, &cp);
		outlen = n;
		if (n == 0 || (quoted && (cp == '\\' || cp == '"')) ||
		    is_misleading(cp)) {
			if (n == 0)
				n = 1;
			outlen = escape_one(unit, sizeof(unit), src + i, n);
			out = unit;
		}
		if (outlen >= dstsize - used)
			break;
		memcpy(dst + used, out, outlen);
		used += outlen;
	}
	dst[used] = '\0';
	return (i);
}

char *
text_lines(const char *src, size_t len)
{
	char *dst = malloc(4 * len + 1), *out = dst;
	uint32_t cp;
	size_t i, n;

	for (i = 0; dst != NULL && i < len; i += n) {
		n = decode(src + i, len - i, &cp);
		if (n != 0 && (src[i] == '\n' || src[i] == '\t' ||
		    !is_misleading(cp))) {
			memcpy(out, src + i, n);
			out += n;
			continue;
		}
		if (n == 0)
			n = 1;
		for (size_t j = 0; j < n; j++)
			out += snprintf(out, 5, "\\x%02x",
			    (unsigned int)(unsigned char)src[i + j]);
	}
	if (dst != NULL)
		*out = '\0';
	return (dst);
}

size_t
text_escape(char *dst, size_t dstsize, const char *src, size_t len)
{
	return (escape(dst, dstsize, src, len, true));
}

size_t
text_show(char *dst, size_t dstsize, const char *src, size_t len)
{
	return (escape(dst, dstsize, src, len, false));
}
