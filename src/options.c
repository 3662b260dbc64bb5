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

#include <limits.h>
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
    "usage: jaildaemon -D [-d] [-C file] [-f socket] [-p pidfile]\n"
    "                  [-S directory]\n"
    "       jaildaemon -c command -j jail [-rRsv] [-f socket] [-g gid]\n"
    "                  [-i seconds] [-L runs] [-T seconds] [-t title]\n"
    "                  [-u uid]\n"
    "       jaildaemon list [-J] [-f socket] [-j jail] [-t title]\n"
    "       jaildaemon disarm [-f socket] id ... | -j jail [-t title]\n"
    "       jaildaemon watch [-J] [-f socket]\n"
    "       jaildaemon run | output [-f socket] id\n"
    "       jaildaemon reload | metrics [-f socket]\n"
    "       jaildaemon check [-C file]\n"
    "       jaildaemon started [-f socket] jail [pid]\n"
    "       jaildaemon follow [-f socket] docker | podman | incus\n"
    "       jaildaemon -h | -V\n";

/* Verbs, and how many operands each takes. */
static const struct verb {
	const char	*name;
	enum options_mode mode;
	int		 min;
	int		 max;
	const char	*operands;	/* in words */
} verbs[] = {
	{ "list", OPTIONS_LIST, 0, 0, "no operand" },
	{ "disarm", OPTIONS_DISARM, 0, INT_MAX, "ids of actions" },
	{ "watch", OPTIONS_WATCH, 0, 0, "no operand" },
	{ "run", OPTIONS_RUN, 1, 1, "the id of an action" },
	{ "output", OPTIONS_OUTPUT, 1, 1, "the id of an action" },
	{ "reload", OPTIONS_RELOAD, 0, 0, "no operand" },
	{ "check", OPTIONS_CHECK, 0, 0, "no operand" },
	{ "metrics", OPTIONS_METRICS, 0, 0, "no operand" },
	{ "started", OPTIONS_STARTED, 1, 2, "a jail, and on Linux a pid of it" },
	{ "follow", OPTIONS_FOLLOW, 1, 1, "docker, podman or incus" },
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

/* Whose option it is: a set of modes. */
enum {
	FOR_MODE	= 0,		/* it chooses the mode itself */
	FOR_DAEMON	= 1 << OPTIONS_DAEMON,
	FOR_ARM		= 1 << OPTIONS_ARM,
	FOR_CHOICE	= 1 << OPTIONS_LIST | 1 << OPTIONS_DISARM,
	FOR_RULE	= 1 << OPTIONS_RULE,
	FOR_ACTION	= FOR_ARM | FOR_RULE,
	FOR_READERS	= 1 << OPTIONS_LIST | 1 << OPTIONS_WATCH,
	FOR_UTILITY	= FOR_ARM | FOR_CHOICE | 1 << OPTIONS_WATCH |
			    1 << OPTIONS_RUN | 1 << OPTIONS_OUTPUT |
			    1 << OPTIONS_RELOAD | 1 << OPTIONS_CHECK |
			    1 << OPTIONS_METRICS | 1 << OPTIONS_STARTED |
			    1 << OPTIONS_FOLLOW,
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
static int	set_seconds(const struct option_row *, const char *,
		    struct options *, struct errbuf *);
static int	set_parallel(const struct option_row *, const char *,
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
	{ 'c', "command", FOR_ACTION, set_text,
	    offsetof(struct options, spec.command) },
	{ 'h', NULL, FOR_MODE, NULL, 0 },
	{ 'V', NULL, FOR_MODE, NULL, 0 },
	{ 'd', NULL, FOR_DAEMON, set_flag,
	    offsetof(struct options, foreground) },
	{ 'p', "pidfile", FOR_DAEMON, set_path,
	    offsetof(struct options, pidfile) },
	{ 'S', "directory", FOR_DAEMON, set_path,
	    offsetof(struct options, statedir) },
	{ 'C', "file", FOR_DAEMON | 1 << OPTIONS_CHECK, set_path,
	    offsetof(struct options, conf) },
	{ 'f', "socket", FOR_DAEMON | FOR_UTILITY, set_socket,
	    offsetof(struct options, socket) },
	{ 'v', NULL, FOR_DAEMON | FOR_UTILITY, set_flag,
	    offsetof(struct options, verbose) },
	{ 'J', NULL, FOR_READERS, set_flag, offsetof(struct options, json) },
	{ 'j', "jail", FOR_ACTION | FOR_CHOICE, set_jail,
	    offsetof(struct options, jail) },
	{ 't', "title", FOR_ACTION | FOR_CHOICE, set_text,
	    offsetof(struct options, spec.title) },
	{ 'u', "uid", FOR_ACTION, set_id, offsetof(struct options, spec.uid) },
	{ 'g', "gid", FOR_ACTION, set_id, offsetof(struct options, spec.gid) },
	{ 'r', NULL, FOR_ACTION, set_respawn, 0 },
	{ 'R', NULL, FOR_ACTION, set_respawn, 0 },
	{ 'T', "seconds", FOR_ACTION, set_seconds,
	    offsetof(struct options, spec.timeout) },
	{ 'i', "seconds", FOR_ACTION, set_seconds,
	    offsetof(struct options, spec.interval) },
	{ 'L', "runs", FOR_ACTION, set_parallel,
	    offsetof(struct options, spec.parallel) },
	{ 's', NULL, FOR_ACTION, set_flag,
	    offsetof(struct options, spec.feedback) },
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
set_number(const struct option_row *row, const char *argument,
    struct options *o, uint32_t min, uint32_t max, struct errbuf *err)
{
	char shown[64];
	const char *wrong;
	uint32_t n;

	n = (uint32_t)strtonum(argument, min, max, &wrong);
	/* strtonum() takes white space and a sign, too. */
	if (wrong != NULL || *argument < '0' || *argument > '9') {
		(void)text_escape(shown, sizeof(shown), argument,
		    strlen(argument));
		(void)snprintf(err->text, err->size, "-%c: \"%s\" is not a "
		    "number from %ju to %ju", row->letter, shown,
		    (uintmax_t)min, (uintmax_t)max);
		return (EX_DATAERR);
	}
	memcpy(member(o, row), &n, sizeof(n));
	return (0);
}

static int
set_id(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	return (set_number(row, argument, o, 0, SPEC_ID_MAX, err));
}

static int
set_seconds(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	return (set_number(row, argument, o, 1, SPEC_SECONDS_MAX, err));
}

static int
set_parallel(const struct option_row *row, const char *argument,
    struct options *o, struct errbuf *err)
{
	return (set_number(row, argument, o, 1, SPEC_PARALLEL_MAX, err));
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

/* What the mode takes; without a verb the mode is not known yet. */
static void
add_expected(const struct options *o, struct errbuf *err)
{
	const char *separator = ", expected";
	size_t i, len;

	if (o->mode == OPTIONS_DAEMON)
		return;
	for (i = 0; i < NROWS; i++) {
		if ((rows[i].who & 1 << o->mode) == 0)
			continue;
		len = strlen(err->text);
		(void)snprintf(err->text + len, err->size - len, "%s -%c",
		    separator, rows[i].letter);
		separator = "";
	}
}

/* A letter or an argument that the table does not have; word is its word. */
static int
refuse_option(int reason, const char *word, const struct options *o,
    struct errbuf *err)
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
	add_expected(o, err);
	return (EX_USAGE);
}

/* All of a rule's jails are kept, in their order. */
static int
keep_jail(struct options *o, const char *jail, struct errbuf *err)
{
	const char **jails;

	jails = reallocarray(o->jails, o->njails + 1, sizeof(*jails));
	if (jails == NULL) {
		(void)snprintf(err->text, err->size, "out of memory");
		return (EX_OSERR);
	}
	jails[o->njails++] = jail;
	o->jails = jails;
	return (0);
}

static int
collect(int argc, char **argv, struct given *given, struct options *o,
    struct errbuf *err)
{
	char optstring[2 + 2 * NROWS + 1];
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
			return (refuse_option(c, word, o, err));
		given->seen[i] = true;
		given->argument[i] = optarg;
		if (c == 'j' && keep_jail(o, optarg, err) != 0)
			return (EX_OSERR);
	}
	o->operands = argv + optind;
	o->noperands = argc - optind;
	return (0);
}

static bool
is_seen(const struct given *given, int letter)
{
	return (given->seen[row_of(letter)]);
}

static int
refuse_operand(const struct options *o, const char *expected,
    struct errbuf *err)
{
	char shown[64];

	(void)text_escape(shown, sizeof(shown), o->operands[0],
	    strlen(o->operands[0]));
	(void)snprintf(err->text, err->size, "\"%s\" is no option, and there "
	    "are no operands%s", shown, expected);
	return (EX_USAGE);
}

/* Without a verb. */
static int
choose_mode(const struct given *given, struct options *o, struct errbuf *err)
{
	bool daemon, arm;

	daemon = is_seen(given, 'D');
	arm = is_seen(given, 'c');
	if (o->noperands > 0)
		return (refuse_operand(o, "", err));
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

/* Where nothing is ignored: an option that is not for this mode is refused. */
static int
check_options(const struct given *given, const struct options *o,
    const char *where, struct errbuf *err)
{
	for (size_t i = 0; i < NROWS; i++)
		if (given->seen[i] && (rows[i].who & 1 << o->mode) == 0) {
			(void)snprintf(err->text, err->size, "%s takes no -%c",
			    where, rows[i].letter);
			add_expected(o, err);
			return (EX_USAGE);
		}
	return (0);
}

static int
check_verb(const struct given *given, const struct verb *verb,
    const struct options *o, struct errbuf *err)
{
	int status;

	if ((status = check_options(given, o, verb->name, err)) != 0)
		return (status);
	if (o->noperands < verb->min || o->noperands > verb->max) {
		(void)snprintf(err->text, err->size, "%s: %d operands, "
		    "expected %s", verb->name, o->noperands, verb->operands);
		return (EX_USAGE);
	}
	if (o->mode == OPTIONS_DISARM &&
	    (o->noperands > 0) == is_seen(given, 'j')) {
		(void)snprintf(err->text, err->size, "disarm: expected either "
		    "ids of actions or -j jail");
		return (EX_USAGE);
	}
	if (o->mode == OPTIONS_DISARM && o->noperands > 0 &&
	    is_seen(given, 't')) {
		(void)snprintf(err->text, err->size, "disarm: -t needs -j jail");
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

static const struct verb *
find_verb(const char *word)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return (&verbs[i]);
	return (NULL);
}

static int
refuse_verb(const char *word, struct errbuf *err)
{
	char shown[64];
	size_t len;

	(void)text_escape(shown, sizeof(shown), word, strlen(word));
	(void)snprintf(err->text, err->size, "unknown verb \"%s\": expected",
	    shown);
	for (size_t i = 0; i < NVERBS; i++) {
		len = strlen(err->text);
		(void)snprintf(err->text + len, err->size - len, "%s %s",
		    i == 0 ? "" : i == NVERBS - 1 ? " or" : ",",
		    verbs[i].name);
	}
	return (EX_USAGE);
}

static int
parse_verb(int argc, char **argv, struct options *o, struct errbuf *err)
{
	struct given given = { .seen = { false } };
	const struct verb *verb = find_verb(argv[0]);
	int status;

	if (verb == NULL)
		return (refuse_verb(argv[0], err));
	o->mode = verb->mode;
	if ((status = collect(argc, argv, &given, o, err)) != 0)
		return (status);
	if (is_seen(&given, 'h')) {
		o->mode = OPTIONS_HELP;
		return (0);
	}
	if ((status = check_verb(&given, verb, o, err)) != 0)
		return (status);
	return (apply(&given, o, err));
}

static int
parse_flags(int argc, char **argv, struct options *o, struct errbuf *err)
{
	struct given given = { .seen = { false } };
	int status;

	status = 0;
	/* A program can be executed without even a name. */
	if (argc > 0)
		status = collect(argc, argv, &given, o, err);
	if (status == 0)
		status = choose_mode(&given, o, err);
	return (status == 0 ? apply(&given, o, err) : status);
}

static int
parse_rule(int argc, char **argv, struct options *o, struct errbuf *err)
{
	struct given given = { .seen = { false } };
	int status;

	o->mode = OPTIONS_RULE;
	if ((status = collect(argc, argv, &given, o, err)) != 0)
		return (status);
	if (o->noperands > 0)
		return (refuse_operand(o, ": is a text not quoted?", err));
	if ((status = check_options(&given, o, "an action", err)) != 0)
		return (status);
	if (!is_seen(&given, 'c') || !is_seen(&given, 'j')) {
		(void)snprintf(err->text, err->size, is_seen(&given, 'c') ?
		    "no -j, expected -j jail" : "no -c, expected -c command");
		return (EX_USAGE);
	}
	for (size_t i = 0; i < o->njails; i++)
		if ((status = set_jail(&rows[row_of('j')], o->jails[i], o,
		    err)) != 0)
			return (status);
	return (apply(&given, o, err));
}

static int
parse(int (*how)(int, char **, struct options *, struct errbuf *), int argc,
    char **argv, struct options *o, struct errbuf *err)
{
	int status;

	memset(o, 0, sizeof(*o));
	o->socket = DEFAULTS_SOCKET;
	o->pidfile = DEFAULTS_PIDFILE;
	if ((status = how(argc, argv, o, err)) != 0)
		options_clear(o);
	return (status);
}

int
options_parse(int argc, char **argv, struct options *o, char *err,
    size_t errsize)
{
	struct errbuf buf = { err, errsize };

	if (argc > 1 && argv[1][0] != '-')
		return (parse(parse_verb, argc - 1, argv + 1, o, &buf));
	return (parse(parse_flags, argc, argv, o, &buf));
}

int
options_parse_rule(int argc, char **argv, struct options *o, char *err,
    size_t errsize)
{
	struct errbuf buf = { err, errsize };

	return (parse(parse_rule, argc, argv, o, &buf));
}

void
options_clear(struct options *o)
{
	free(o->jails);
	spec_clear(&o->spec);
	memset(o, 0, sizeof(*o));
}
