/* Foreign text: is it well-formed, and how is it shown without harm. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool	text_is_utf8(const char *, size_t len);

/* Has a control character: C0, DEL, C1 (U+0080 to U+009F). */
bool	text_has_control(const char *, size_t len);

/*
 * Writes src so that no terminal, log or reader of logs can be misled: C0,
 * DEL, C1, bytes that are no UTF-8, line and paragraph separators and the
 * bidirectional controls become \n, \t, \r or \xNN; backslash and double
 * quote get a backslash.  dst is always terminated (dstsize >= 1); what does
 * not fit whole is left out.  Returns how many bytes of src were taken.
 */
size_t	text_escape(char *dst, size_t dstsize, const char *src, size_t len);

/*
 * The same for a line of ours to people, which stands in no quotes: its
 * backslashes and double quotes stay as they are.
 */
size_t	text_show(char *dst, size_t dstsize, const char *src, size_t len);

/*
 * The same for several lines: newline and tab stay too.  A copy, which the
 * caller frees.  NULL: no memory.
 */
char	*text_lines(const char *src, size_t len);

#endif
