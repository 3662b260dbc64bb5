/*
 * The one option table.
 *
 * Parsing has two steps: getopt(3) collects what was given, the last of each
 * letter; then the rows of the mode that this makes are applied.  So an
 * option of the other mode is known, but whatever its value, ignored.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "options.h"
#include "defaults.h"
#include "spec.h"
#include "text.h"

#define SOCKET_PATH_MAX	(sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

const char options_usage[] =
    "usage: jaildaemon -D [-d] [-f socket] [-p pidfile] [-S directory]\n"
    "       jaildaemon -c command -j jail [-rRv] [-f socket] [-g gid]\n"
    "                  [-t title] [-u uid]\n"
    "       jaildaemon -h | -V\n";

/* Whose option it is: a set of modes. */
enum {
	FOR_DAEMON	= 1 << OPTIONS_DAEMON,
	FOR_ARM		= 1 << OPTIONS_ARM,
	FOR_MODE	= 0,		/* it chooses the mode itself */
};

struct option_row;

struct errbuf {
	char	*text;
	size_t	 size;
};

static int	set_flag(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_path(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_socket(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_jail(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_text(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_id(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_respawn(const struct option_row *, const char *,
		    struct options *, struct errbuf *);

/*
 * Rows are applied in this order, whatever the order on the command line:
 * -R is below -r, and so wins.
 */
static const struct option_row {
	char		 letter;
	const char	*argument;	/* its name; NULL: takes none */
	int		 who;
	int		(*set)(const struct option_row *, const char *,
			    struct options *, struct errbuf *);
	size_t		 offset;	/* of the member that it sets */
} rows[] = {
	{ 'D', NULL, FOR_MODE, NULL, 0 },
	{ 'c', "command", FOR_ARM, set_text,
	    offsetof(struct options, spec.command) },
	{ 'h', NULL, FOR_MODE, NULL, 0 },
	{ 'V', NULL, FOR_MODE, NULL, 0 },
	{ 'd', NULL, FOR_DAEMON, set_flag,
	    offsetof(struct options, foreground) },
	{ 'p', "pidfile", FOR_DAEMON, set_path,
	    offsetof(struct options, pidfile) },
	{ 'S', "directory", FOR_DAEMON, set_path,
	    offsetof(struct options, statedir) },
	{ 'f', "socket", FOR_DAEMON | FOR_ARM, set_socket,
	    offsetof(struct options, socket) },
	{ 'v', NULL, FOR_DAEMON | FOR_ARM, set_flag,
	    offsetof(struct options, verbose) },
	{ 'j', "jail", FOR_ARM, set_jail, offsetof(struct options, jail) },
	{ 't', "title", FOR_ARM, set_text,
	    offsetof(struct options, spec.title) },
	{ 'u', "uid", FOR_ARM, set_id, offsetof(struct options, spec.uid) },
	{ 'g', "gid", FOR_ARM, set_id, offsetof(struct options, spec.gid) },
	{ 'r', NULL, FOR_ARM, set_respawn, 0 },
	{ 'R', NULL, FOR_ARM, set_respawn, 0 },
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* What was given, by row: the last argument, or the row's letter itself. */
struct given {
	const char	*argument[NROWS];
	bool		 seen[NROWS];
};

static void *
member(struct options *o, const struct option_row *row)
{
	return ((char *)o + row->offset);
}

static int
set_flag(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	const bool set = true;

	(void)argument;
	(void)err;
	memcpy(member(o, row), &set, sizeof(set));
	return (0);
}

static int
set_path(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	if (*argument == '\0') {
		(void)snprintf(err->text, err->size, "-%c: the %s is empty",
		    row->letter, row->argument);
		return (EX_DATAERR);
	}
	memcpy(member(o, row), &argument, sizeof(argument));
	return (0);
}

static int
set_socket(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	size_t len;

	len = strlen(argument);
	if (len > SOCKET_PATH_MAX) {
		(void)snprintf(err->text, err->size, "-%c: the socket's path "
		    "has %zu bytes, the limit is %zu", row->letter, len,
		    SOCKET_PATH_MAX);
		return (EX_DATAERR);
	}
	return (set_path(row, argument, o, err));
}

/* What a jail may be called is for the look-up to say; this holds for all. */
static int
set_jail(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	size_t len;

	len = strlen(argument);
	if (!text_is_utf8(argument, len) || text_has_control(argument, len)) {
		(void)snprintf(err->text, err->size, "-%c: the jail is not "
		    "valid UTF-8 without control characters", row->letter);
		return (EX_DATAERR);
	}
	return (set_path(row, argument, o, err));
}

static int
set_text(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	char **text = member(o, row);

	if ((*text = strdup(argument)) == NULL) {
		(void)snprintf(err->text, err->size, "out of memory");
		return (EX_OSERR);
	}
	return (0);
}

static int
set_id(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	char shown[64];
	const char *wrong;
	uint32_t id;

	id = (uint32_t)strtonum(argument, 0, SPEC_ID_MAX, &wrong);
	/* strtonum() takes white space and a sign, too. */
	if (wrong != NULL || *argument < '0' || *argument > '9') {
		(void)text_escape(shown, sizeof(shown), argument,
		    strlen(argument));
		(void)snprintf(err->text, err->size, "-%c: \"%s\" is not a "
		    "number from 0 to %ju", row->letter, shown,
		    (uintmax_t)SPEC_ID_MAX);
		return (EX_DATAERR);
	}
	memcpy(member(o, row), &id, sizeof(id));
	return (0);
}

static int
set_respawn(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	(void)argument;
	(void)err;
	o->spec.respawn = row->letter == 'R' ? RESPAWN_NOW : RESPAWN_AFTER;
	return (0);
}

/*
 * The table as getopt(3) reads it.  It begins with a colon: a missing
 * argument is told from an unknown letter, and nothing is printed.  glibc
 * needs a plus as well, else it looks for options behind operands.
 */
static void
make_optstring(char *s)
{
	size_t i;

#ifdef __GLIBC__
	*s++ = '+';
#endif
	*s++ = ':';
	for (i = 0; i < NROWS; i++) {
		*s++ = rows[i].letter;
		if (rows[i].argument != NULL)
			*s++ = ':';
	}
	*s = '\0';
}

/* Makes getopt(3) begin anew: the command line is not the only vector. */
static void
restart_getopt(void)
{
	opterr = 0;
#ifdef __linux__
	optind = 0;
#else
	optreset = 1;
	optind = 1;
#endif
}

static size_t
row_of(int letter)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].letter == letter)
			break;
	return (i);
}

/* A letter or an argument that the table does not have; word is its word. */
static int
refuse_option(int reason, const char *word, struct errbuf *err)
{
	char shown[64], letter;

	letter = (char)optopt;
	if (reason == ':') {
		(void)snprintf(err->text, err->size, "-%c needs an argument: "
		    "the %s", letter, rows[row_of(letter)].argument);
		return (EX_USAGE);
	}
	if (letter == '-')
		(void)text_escape(shown, sizeof(shown), word, strlen(word));
	else {
		shown[0] = '-';
		(void)text_escape(shown + 1, sizeof(shown) - 1, &letter, 1);
	}
	(void)snprintf(err->text, err->size, "unknown option \"%s\"", shown);
	return (EX_USAGE);
}

static int
collect(int argc, char **argv, struct given *given, struct errbuf *err)
{
	char optstring[2 + 2 * NROWS + 1], shown[64];
	const char *word;
	size_t i;
	int c;

	make_optstring(optstring);
	restart_getopt();
	for (;;) {
		word = argv[optind == 0 ? 1 : optind];
		if ((c = getopt(argc, argv, optstring)) == -1)
			break;
		if ((i = row_of(c)) == NROWS)
			return (refuse_option(c, word, err));
		given->seen[i] = true;
		given->argument[i] = optarg;
	}
	if (optind < argc) {
		word = argv[optind];
		(void)text_escape(shown, sizeof(shown), word, strlen(word));
		(void)snprintf(err->text, err->size, "\"%s\" is no option, "
		    "and there are no operands", shown);
		return (EX_USAGE);
	}
	return (0);
}

static bool
is_seen(const struct given *given, int letter)
{
	return (given->seen[row_of(letter)]);
}

static int
choose_mode(const struct given *given, struct options *o, struct errbuf *err)
{
	bool daemon, arm;

	daemon = is_seen(given, 'D');
	arm = is_seen(given, 'c');
	if (is_seen(given, 'h'))
		o->mode = OPTIONS_HELP;
	else if (is_seen(given, 'V'))
		o->mode = OPTIONS_VERSION;
	else if (daemon == arm) {
		(void)snprintf(err->text, err->size, daemon ?
		    "-D and -c exclude each other" :
		    "one of -D and -c is needed (-h shows all options)");
		return (EX_USAGE);
	} else
		o->mode = daemon ? OPTIONS_DAEMON : OPTIONS_ARM;
	if (o->mode == OPTIONS_ARM && !is_seen(given, 'j')) {
		(void)snprintf(err->text, err->size, "-c needs -j jail");
		return (EX_USAGE);
	}
	return (0);
}

static int
apply(const struct given *given, struct options *o, struct errbuf *err)
{
	size_t i;
	int status;

	for (i = 0; i < NROWS; i++) {
		if (!given->seen[i] || (rows[i].who & 1 << o->mode) == 0)
			continue;
		status = rows[i].set(&rows[i], given->argument[i], o, err);
		if (status != 0)
			return (status);
	}
	return (spec_check(&o->spec, err->text, err->size));
}

int
options_parse(int argc, char **argv, struct options *o, char *err,
    size_t errsize)
{
	struct given given = { .seen = { false } };
	struct errbuf buf = { err, errsize };
	int status;

	memset(o, 0, sizeof(*o));
	o->socket = DEFAULTS_SOCKET;
	o->pidfile = DEFAULTS_PIDFILE;
	status = 0;
	/* A program can be executed without even a name. */
	if (argc > 0)
		status = collect(argc, argv, &given, &buf);
	if (status == 0)
		status = choose_mode(&given, o, &buf);
	if (status == 0)
		status = apply(&given, o, &buf);
	if (status != 0)
		options_clear(o);
	return (status);
}

void
options_clear(struct options *o)
{
	spec_clear(&o->spec);
	memset(o, 0, sizeof(*o));
}
