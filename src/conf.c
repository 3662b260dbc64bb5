/*
 * The file of actions: words.c makes words of a line, which are an argument
 * vector, and the option table knows what they mean.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf.h"
#include "options.h"
#include "text.h"
#include "words.h"
#ifdef __linux__
#include "engine.h"
#endif

/* What needs no quotes, neither here nor in any shell. */
#define PLAIN		"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-"

RB_HEAD(texts, conf_rule);

struct reader {
	struct words	 words;
	struct conf_rules *rules;
	struct texts	 texts;		/* of the rules */
	unsigned int	 nrules;
	char		*err;
	size_t		 errsize;
	char		 name[512];	/* the file's, escaped */
};

static int
compare(const struct conf_rule *a, const struct conf_rule *b)
{
	return (strcmp(a->text, b->text));
}

RB_GENERATE_INTERNAL(texts, conf_rule, by_text, compare,
    static __attribute__((unused)))

static int refuse(struct reader *, unsigned int, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(struct reader *r, unsigned int line, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(r->err, r->errsize, "%s:%u: ", r->name, line);
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < r->errsize)
		(void)vsnprintf(r->err + n, r->errsize - (size_t)n, fmt, ap);
	va_end(ap);
	return (EX_CONFIG);
}

static int
no_memory(struct reader *r)
{
	(void)snprintf(r->err, r->errsize, "%s: out of memory", r->name);
	return (EX_OSERR);
}

/*
 * Patterns.
 */

#ifdef __linux__

/* Is it of the form engine:pattern?  len is the engine's. */
static bool
has_engine(const char *pattern, size_t *len)
{
	/* A colon behind a bracket or backslash is one of the name's. */
	*len = strcspn(pattern, ":[\\");
	return (pattern[*len] == ':');
}

static int
check_engine(struct reader *r, const char *pattern)
{
	char why[256];
	size_t len;

	if (!has_engine(pattern, &len))
		return (0);
	if (engine_check(pattern, len, why, sizeof(why)) != 0)
		return (refuse(r, r->words.line, "-j: %s", why));
	if (pattern[len + 1] == '\0')
		return (refuse(r, r->words.line, "-j: no jail behind \"%s\", "
		    "expected a pattern", pattern));
	return (0);
}

#else

/* There is but one engine, the kernel. */
static bool
has_engine(const char *pattern, size_t *len)
{
	(void)pattern;
	(void)len;
	return (false);
}

static int
check_engine(struct reader *r, const char *pattern)
{
	(void)r;
	(void)pattern;
	return (0);
}

#endif

/* What systems do not agree on. */
static bool
ends_in_backslash(const char *pattern)
{
	size_t len, n;

	len = strlen(pattern);
	for (n = 0; n < len && pattern[len - 1 - n] == '\\'; n++)
		;
	return (n % 2 == 1);
}

static int
check_pattern(struct reader *r, const char *pattern)
{
	size_t len;

	if ((len = strlen(pattern)) > CONF_PATTERN_MAX)
		return (refuse(r, r->words.line, "-j: the pattern has %zu "
		    "bytes, the limit is %d", len, CONF_PATTERN_MAX));
	if (ends_in_backslash(pattern))
		return (refuse(r, r->words.line, "-j: the pattern ends with "
		    "a backslash, expected a character behind it"));
	return (check_engine(r, pattern));
}

static bool
pattern_matches(const char *pattern, const char *engine, const char *name)
{
	size_t len;

	if (has_engine(pattern, &len)) {
		if (engine == NULL || strlen(engine) != len ||
		    memcmp(engine, pattern, len) != 0)
			return (false);
		pattern += len + 1;
	}
	return (fnmatch(pattern, name, 0) == 0);
}

bool
conf_matches(const struct conf_rule *rule, const char *engine,
    const char *name)
{
	for (size_t i = 0; i < rule->njails; i++)
		if (pattern_matches(rule->jails[i], engine, name))
			return (true);
	return (false);
}

static int
compare_patterns(const void *a, const void *b)
{
	return (strcmp(*(const char *const *)a, *(const char *const *)b));
}

/* Their order means nothing, and neither does one that is there twice. */
static int
copy_patterns(struct reader *r, struct options *o, struct conf_rule *rule)
{
	int status;

	qsort(o->jails, o->njails, sizeof(*o->jails), compare_patterns);
	rule->jails = calloc(o->njails, sizeof(*rule->jails));
	if (rule->jails == NULL)
		return (no_memory(r));
	for (size_t i = 0; i < o->njails; i++) {
		if (i > 0 && strcmp(o->jails[i], o->jails[i - 1]) == 0)
			continue;
		if ((status = check_pattern(r, o->jails[i])) != 0)
			return (status);
		rule->jails[rule->njails] = strdup(o->jails[i]);
		if (rule->jails[rule->njails++] == NULL)
			return (no_memory(r));
	}
	return (0);
}

/*
 * The normal form.
 */

static void
print_word(FILE *f, const char *word)
{
	if (word[strspn(word, PLAIN)] == '\0') {
		(void)fputs(word, f);
		return;
	}
	(void)fputc('\'', f);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			(void)fputs("'\\''", f);
		else
			(void)fputc(*word, f);
	(void)fputc('\'', f);
}

static void
print_number(FILE *f, char letter, uint32_t n)
{
	if (n != 0)
		(void)fprintf(f, " -%c %ju", letter, (uintmax_t)n);
}

static void
print_rule(FILE *f, const struct conf_rule *rule)
{
	const struct spec *s = &rule->spec;

	for (size_t i = 0; i < rule->njails; i++) {
		(void)fputs(i == 0 ? "-j " : " -j ", f);
		print_word(f, rule->jails[i]);
	}
	if (s->respawn != RESPAWN_NEVER)
		(void)fputs(s->respawn == RESPAWN_NOW ? " -R" : " -r", f);
	if (s->feedback)
		(void)fputs(" -s", f);
	if (s->title != NULL) {
		(void)fputs(" -t ", f);
		print_word(f, s->title);
	}
	print_number(f, 'u', s->uid);
	print_number(f, 'g', s->gid);
	print_number(f, 'T', s->timeout);
	print_number(f, 'i', s->interval);
	print_number(f, 'L', s->parallel);
	(void)fputs(" -c ", f);
	print_word(f, s->command);
}

/* The caller frees it; NULL: no memory. */
static char *
make_text(const struct conf_rule *rule)
{
	char *text = NULL;
	size_t len;
	FILE *f;
	int bad;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	print_rule(f, rule);
	bad = ferror(f);
	if (fclose(f) != 0 || bad) {
		free(text);
		return (NULL);
	}
	return (text);
}

static uint64_t
hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3U;
	/* It fits the journal's numbers. */
	h &= INT64_MAX;
	return (h != 0 ? h : 1);
}

/*
 * Rules.
 */

static int
fill_rule(struct reader *r, struct options *o, struct conf_rule *rule)
{
	int status;

	rule->line = r->words.line;
	rule->spec = o->spec;
	memset(&o->spec, 0, sizeof(o->spec));
	if ((status = copy_patterns(r, o, rule)) != 0)
		return (status);
	if ((rule->text = make_text(rule)) == NULL)
		return (no_memory(r));
	rule->key = hash(rule->text);
	return (0);
}

/* Keeps it, or frees it. */
static int
keep_rule(struct reader *r, struct conf_rule *rule)
{
	const struct conf_rule *first;
	int status;

	if (r->nrules == CONF_RULES_MAX)
		status = refuse(r, rule->line, "one action too many, expected "
		    "at most %d", CONF_RULES_MAX);
	else if ((first = RB_INSERT(texts, &r->texts, rule)) != NULL)
		status = refuse(r, rule->line, "the same action as in line "
		    "%u, expected it once", first->line);
	else {
		TAILQ_INSERT_TAIL(r->rules, rule, entry);
		r->nrules++;
		return (0);
	}
	conf_rule_free(rule);
	return (status);
}

/* The line's words, which are one action's. */
static int
make_rule(struct reader *r)
{
	struct conf_rule *rule;
	struct options o;
	char why[512];
	int status;

	status = options_parse_rule(r->words.argc, r->words.argv, &o, why, sizeof(why));
	if (status == EX_OSERR)
		return (no_memory(r));
	if (status != 0)
		return (refuse(r, r->words.line, "%s", why));
	if ((rule = calloc(1, sizeof(*rule))) == NULL)
		status = no_memory(r);
	else if ((status = fill_rule(r, &o, rule)) != 0)
		conf_rule_free(rule);
	else
		status = keep_rule(r, rule);
	options_clear(&o);
	return (status);
}

static int
read_rules(struct reader *r, const char *text, size_t len)
{
	struct words *ws = &r->words;
	int status;

	status = words_open(ws, text, len);
	while (status == 0 && (status = words_read(ws)) == 0 && ws->argc > 1)
		if ((status = make_rule(r)) != 0)
			return (status);
	if (status == EX_OSERR)
		return (no_memory(r));
	if (status != 0)
		(void)refuse(r, ws->err_line, "%s", ws->err);
	return (status);
}

int
conf_parse(const char *name, const char *text, size_t len,
    struct conf_rules *rules, char *err, size_t errsize)
{
	struct reader r = {
		.rules = rules,
		.texts = RB_INITIALIZER(&r.texts),
		.err = err,
		.errsize = errsize,
	};
	int status;

	(void)text_escape(r.name, sizeof(r.name), name, strlen(name));
	status = read_rules(&r, text, len);
	words_close(&r.words);
	if (status != 0)
		conf_clear(rules);
	return (status);
}

void
conf_rule_free(struct conf_rule *rule)
{
	for (size_t i = 0; i < rule->njails; i++)
		free(rule->jails[i]);
	free(rule->jails);
	free(rule->text);
	spec_clear(&rule->spec);
	free(rule);
}

void
conf_clear(struct conf_rules *rules)
{
	struct conf_rule *rule;

	while ((rule = TAILQ_FIRST(rules)) != NULL) {
		TAILQ_REMOVE(rules, rule, entry);
		conf_rule_free(rule);
	}
}

/*
 * The file.
 */

/* What is being opened, and the line that says what went wrong. */
struct source {
	char		*err;
	size_t		 errsize;
	char		 name[512];	/* escaped */
};

static int refuse_file(struct source *, int, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse_file(struct source *src, int status, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(src->err, src->errsize, "%s: ", src->name);
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < src->errsize)
		(void)vsnprintf(src->err + n, src->errsize - (size_t)n, fmt,
		    ap);
	va_end(ap);
	return (status);
}

static int
refuse_open(struct source *src, const char *what, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return (refuse_file(src, EX_NOINPUT, "%s does not exist, "
		    "expected a file of actions", what));
	case ELOOP:
	case EMLINK:		/* FreeBSD's word for it */
		return (refuse_file(src, EX_NOPERM, "%s is a symbolic link, "
		    "expected the file itself", what));
	case EACCES:
	case EPERM:
		return (refuse_file(src, EX_NOPERM, "%s cannot be opened: %s",
		    what, strerror(error)));
	default:
		return (refuse_file(src, EX_OSERR, "%s cannot be opened: %s",
		    what, strerror(error)));
	}
}

/* Nobody but root and us may have written it. */
static int
check_owner(struct source *src, const char *what, const struct stat *st)
{
	if ((st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return (0);
	return (refuse_file(src, EX_NOPERM, "%s has uid %ju and mode %04o, "
	    "expected root or uid %ju, and nobody else who may write", what,
	    (uintmax_t)st->st_uid, (unsigned int)(st->st_mode & 07777),
	    (uintmax_t)geteuid()));
}

/* The folder, checked; -1 with the status. */
static int
open_folder(struct source *src, const char *path, size_t len, int *status)
{
	char *folder;
	struct stat st;
	int fd;

	folder = len == 0 ? strdup(".") : strndup(path, len);
	if (folder == NULL) {
		*status = refuse_file(src, EX_OSERR, "out of memory");
		return (-1);
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd == -1 || fstat(fd, &st) == -1)
		*status = refuse_open(src, "its folder", errno);
	else
		*status = check_owner(src, "its folder", &st);
	if (*status != 0 && fd != -1) {
		(void)close(fd);
		fd = -1;
	}
	return (fd);
}

/* The file in it, checked; -1 with the status. */
static int
open_file(struct source *src, int folder, const char *base, int *status)
{
	struct stat st;
	int fd;

	/* Not blocking: a FIFO is opened at once, and refused. */
	fd = openat(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		*status = refuse_open(src, "the file", errno);
	else if (!S_ISREG(st.st_mode))
		*status = refuse_file(src, EX_NOPERM, "not a regular file, "
		    "expected a file of actions");
	else
		*status = check_owner(src, "the file", &st);
	if (*status != 0 && fd != -1) {
		(void)close(fd);
		fd = -1;
	}
	return (fd);
}

/* -1 with the status: it is not there as it should be. */
static int
open_checked(struct source *src, const char *path, int *status)
{
	const char *slash, *base;
	int folder, fd;

	slash = strrchr(path, '/');
	base = slash == NULL ? path : slash + 1;
	if (*base == '\0') {
		*status = refuse_file(src, EX_NOINPUT, "the path of a folder, "
		    "expected a file of actions");
		return (-1);
	}
	/* The slash of the root is its name. */
	folder = open_folder(src, path, slash == path ? 1 :
	    (size_t)(base - path) - (slash != NULL), status);
	if (folder == -1)
		return (-1);
	fd = open_file(src, folder, base, status);
	(void)close(folder);
	return (fd);
}

/* All of it, as long as it is not too much: -1 with the status. */
static ssize_t
read_all(struct source *src, int fd, char *buf, size_t size, int *status)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < size) || (n == -1 && errno == EINTR));
	*status = 0;
	if (n == -1)
		*status = refuse_file(src, EX_IOERR, "cannot be read: %s",
		    strerror(errno));
	else if (len > CONF_FILE_MAX)
		*status = refuse_file(src, EX_CONFIG, "the file has more than "
		    "%d bytes, which is the limit", CONF_FILE_MAX);
	return (*status == 0 ? (ssize_t)len : -1);
}

int
conf_read(const char *path, struct conf_rules *rules, char *err,
    size_t errsize)
{
	struct source src = { .err = err, .errsize = errsize };
	ssize_t len;
	char *text;
	int fd, status;

	(void)text_escape(src.name, sizeof(src.name), path, strlen(path));
	if ((fd = open_checked(&src, path, &status)) == -1)
		return (status);
	if ((text = malloc(CONF_FILE_MAX + 1)) == NULL)
		status = refuse_file(&src, EX_OSERR, "out of memory");
	else {
		len = read_all(&src, fd, text, CONF_FILE_MAX + 1, &status);
		if (len != -1)
			status = conf_parse(path, text, (size_t)len, rules,
			    err, errsize);
	}
	free(text);
	(void)close(fd);
	return (status);
}
