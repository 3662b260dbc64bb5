/*
 * Text as sh splits it: lines of words, with its quotes, backslashes and
 * comments, and without any expansion.  Pure.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

struct words {
	/* A line's words: argv[0] is "", a NULL is behind the last one. */
	int		 argc;
	char		**argv;
	unsigned int	 line;		/* where they begin, from 1 */
	/* What was wrong, expected what; and the line. */
	char		 err[128];
	unsigned int	 err_line;
	/* words.c's own. */
	const char	*p;		/* what is next */
	const char	*end;
	unsigned int	 at;		/* the line of p */
	char		*buf;		/* holds the words, each with its NUL */
	char		*w;		/* behind the last one */
	size_t		 size;		/* of argv */
};

/*
 * Begins to read len bytes, which must be UTF-8 without control characters
 * but tabs and newlines, and must stay.  0, or EX_CONFIG or EX_OSERR with err
 * and err_line; words_close() frees in either case.
 */
int	words_open(struct words *, const char *text, size_t len);

/*
 * The next line that has words, until the next call; argc is 1 where there is
 * none any more.  A line that ends in a backslash, or within quotes, goes on
 * in the next one.  0, or a status as above.
 */
int	words_read(struct words *);
void	words_close(struct words *);

#endif
