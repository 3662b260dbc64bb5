#include <sys/stat.h>
#include <sys/types.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "process.h"

#define NEW_NAME	"journal.new"
#define LONG_MIN	(256 * 1024)	/* bytes; below, it is never long */
#define GATHER_MAX	(64 * 1024)	/* of a rewriting, to one write(2) */
#define KEPT_MAX	4096		/* bytes for lines, between two writings */

struct journal {
	int		 dirfd;
	int		 fd;		/* -1: none yet */
	off_t		 size;
	off_t		 size_fresh;	/* after it was written anew */
	char		*lines;		/* to be written at once */
	size_t		 used;
	size_t		 room;
	bool		 gathering;	/* it is being written anew */
	int		 why;		/* nothing can be appended; 0: it can */
	off_t		 read;		/* whole lines of an earlier daemon */
};

struct journal *
journal_open(int dirfd)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return (NULL);
	j->dirfd = dirfd;
	j->fd = -1;
	j->why = ENOENT;
	return (j);
}

void
journal_close(struct journal *j)
{
	if (j->fd != -1)
		close(j->fd);
	free(j->lines);
	free(j);
}

/* All or nothing: what a full disk took is given back. */
static int
write_all(struct journal *j, const char *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;
	int saved;

	while (done < len) {
		n = write(j->fd, buf + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == -1 && errno != EINTR)
			break;
	}
	if (done == len) {
		j->size += (off_t)len;
		return (0);
	}
	saved = errno;
	if (done > 0 && ftruncate(j->fd, j->size) == -1) {
		log_warn("event=journal");
		j->why = saved;
	}
	errno = saved;
	return (-1);
}

/* Room for a usual line is kept for the next one. */
static int
flush(struct journal *j)
{
	int ret = write_all(j, j->lines, j->used); /* NOLINT(clang-analyzer-unix.Malloc) */

	j->used = 0;
	if (j->room > KEPT_MAX && !j->gathering) {
		free(j->lines);
		j->lines = NULL;
		j->room = 0;
	}
	return (ret);
}

/* One more line to be written with the others. */
static int
gather(struct journal *j, const struct wire_record *record)
{
	size_t len, room;
	char *line = wire_encode_record(record, &len), *lines;

	if (line == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if (j->used + len > j->room) {
		room = 2 * (j->used + len);
		if ((lines = realloc(j->lines, room)) == NULL) {
			free(line);
			errno = ENOMEM;
			return (-1);
		}
		j->lines = lines;
		j->room = room;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
	memcpy(j->lines + j->used, line, len);
	j->used += len;
	free(line);
	return (0);
}

int
journal_add(struct journal *j, const struct wire_record *records, size_t n)
{
	if (j->why != 0) {
		errno = j->why;
		return (-1);
	}
	for (size_t i = 0; i < n; i++)
		if (gather(j, &records[i]) == -1) {
			j->used = 0;
			return (-1);
		}
	if (j->gathering && j->used < GATHER_MAX)
		return (0);
	return (flush(j));
}

bool
journal_is_broken(const struct journal *j)
{
	return (j->why != 0);
}

bool
journal_is_long(const struct journal *j)
{
	return (j->size > LONG_MIN && j->size > 2 * j->size_fresh);
}

static int
write_anew(struct journal *j, const char *boot, uint64_t next,
    int (*dump)(void *, struct journal *), void *arg)
{
	struct wire_record header = { .kind = RECORD_HEADER, .next = next };

	strlcpy(header.boot, boot, sizeof(header.boot));
	if (journal_add(j, &header, 1) == -1 || dump(arg, j) == -1)
		return (-1);
	j->gathering = false;
	if (flush(j) == -1)
		return (-1);
	return (renameat(j->dirfd, NEW_NAME, j->dirfd, JOURNAL_NAME));
}

int
journal_rewrite(struct journal *j, const char *boot, uint64_t next,
    int (*dump)(void *, struct journal *), void *arg)
{
	struct journal fresh = { .dirfd = j->dirfd, .gathering = true };
	int saved;

	fresh.fd = openat(j->dirfd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fresh.fd != -1 &&
	    write_anew(&fresh, boot, next, dump, arg) == 0) {
		if (j->fd != -1)
			close(j->fd);
		free(j->lines);
		fresh.size_fresh = fresh.size;
		*j = fresh;
		return (0);
	}
	saved = errno;
	if (fresh.fd != -1) {
		close(fresh.fd);
		unlinkat(j->dirfd, NEW_NAME, 0);
	}
	free(fresh.lines);
	if (j->fd == -1)
		j->why = saved;
	errno = saved;
	return (-1);
}

/* The reading of one file. */
struct reading {
	struct journal	*journal;
	const char	*boot;
	void		(*each)(void *, struct wire_record *);
	void		*arg;
	uint64_t	*next;
	unsigned long	 line;
	bool		 other_boot;
	char		*err;
	size_t		 errsize;
};

enum verdict {
	GOOD,
	DAMAGED,
	DONE,			/* of another boot: nothing more to read */
	UNKNOWN,		/* a version that is not ours */
	NO_MEMORY,		/* to understand it */
};

/* Only what is well formed can be of a later version. */
static enum verdict
judge_header(struct reading *r, const char *line, size_t len)
{
	struct wire_record rec;
	enum verdict verdict = DAMAGED;
	char why[WIRE_ERROR_MAX];

	if (wire_decode_record(line, len, &rec, why, sizeof(why)) == -1) {
		if (errno == ENOMEM)
			return (NO_MEMORY);
		if (strstr(why, "\"v\": expected") == NULL)
			return (DAMAGED);
		snprintf(r->err, r->errsize, "the journal is of another "
		    "version: %s", why);
		return (UNKNOWN);
	}
	if (rec.kind == RECORD_HEADER) {
		verdict = process_same_boot(rec.boot, r->boot) ? GOOD : DONE;
		r->other_boot = verdict == DONE;
		*r->next = rec.next;
	}
	wire_record_clear(&rec);
	return (verdict);
}

static enum verdict
judge(struct reading *r, const char *line, size_t len)
{
	struct wire_record rec;
	char why[WIRE_ERROR_MAX];

	if (r->line == 1)
		return (judge_header(r, line, len));
	if (wire_decode_record(line, len, &rec, why, sizeof(why)) == -1)
		return (errno == ENOMEM ? NO_MEMORY : DAMAGED);
	if (rec.kind == RECORD_HEADER) {
		wire_record_clear(&rec);
		return (DAMAGED);
	}
	if (rec.id >= *r->next)
		*r->next = rec.id + 1;
	r->each(r->arg, &rec);
	wire_record_clear(&rec);
	return (GOOD);
}

/* For somebody to look at; the name tells when. */
static void
keep_aside(const struct journal *j, int fd, unsigned long line)
{
	char name[64];
	struct stat st;

	/* An earlier start, which did not come as far as to write it anew. */
	if (fstat(fd, &st) == 0 && st.st_nlink > 1) {
		log_warnx("event=journal-damaged line=%lu text=\"what follows "
		    "the line before is not used; it is kept already\"", line);
		return;
	}
	snprintf(name, sizeof(name), "journal.damaged-%lld",
	    (long long)time(NULL));
	/* Until it is written anew it is the journal as well. */
	if (linkat(j->dirfd, JOURNAL_NAME, j->dirfd, name, 0) == -1 &&
	    renameat(j->dirfd, JOURNAL_NAME, j->dirfd, name) == -1)
		log_warn("event=journal");
	log_warnx("event=journal-damaged line=%lu kept=%s text=\"what follows "
	    "the line before is not used\"", line, name);
}

static int
read_lines(struct reading *r, FILE *f)
{
	enum verdict verdict = GOOD;
	char *line = NULL;
	size_t room = 0;
	ssize_t n = 0;
	off_t whole = 0;

	while (verdict == GOOD && (n = getline(&line, &room, f)) > 0) {
		r->line++;
		if (line[n - 1] == '\n') {
			verdict = judge(r, line, (size_t)n - 1);
			whole += n;
		} else {
			log_warnx("event=journal-torn line=%lu text=\"the last "
			    "line is not whole, and is dropped\"", r->line);
			break;
		}
	}
	free(line);
	if (verdict == UNKNOWN)
		return (EX_DATAERR);
	if (verdict == NO_MEMORY) {
		snprintf(r->err, r->errsize, "no memory for line %lu of the "
		    "journal", r->line);
		return (EX_OSERR);
	}
	/* Without memory there is no line, and no end of the file either. */
	if (ferror(f) || (n == -1 && !feof(f))) {
		snprintf(r->err, r->errsize, "the journal cannot be read: %s",
		    strerror(errno));
		return (EX_IOERR);
	}
	if (verdict == DAMAGED)
		keep_aside(r->journal, fileno(f), r->line);
	if (verdict == GOOD)
		r->journal->read = whole;
	if (r->other_boot)
		log_info("event=journal-empty text=\"the machine has started "
		    "anew since\"");
	return (0);
}

/* A line that is not whole goes. */
void
journal_continue(struct journal *j)
{
	struct stat st;
	int fd;

	if (j->fd != -1 || j->read == 0)
		return;
	fd = openat(j->dirfd, JOURNAL_NAME, O_WRONLY | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == -1 || (st.st_size > j->read &&
	    ftruncate(fd, j->read) == -1)) {
		close(fd);
		return;
	}
	j->fd = fd;
	j->why = 0;
	j->size = j->size_fresh = j->read;
}

int
journal_read(struct journal *j, const char *boot,
    void (*each)(void *, struct wire_record *), void *arg, uint64_t *next,
    char *err, size_t errsize)
{
	struct reading r = { .journal = j, .boot = boot, .each = each,
	    .arg = arg, .next = next, .err = err, .errsize = errsize };
	int fd = openat(j->dirfd, JOURNAL_NAME, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "r");
	int status;

	*next = 0;
	if (fd == -1 && errno == ENOENT)
		return (0);
	if (f == NULL) {
		snprintf(err, errsize, "the journal cannot be opened: %s",
		    strerror(errno));
		if (fd != -1)
			close(fd);
		return (EX_IOERR);
	}
	status = read_lines(&r, f);
	fclose(f);
	return (status);
}
