#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client.h"
#include "show.h"
#include "spec.h"
#include "target.h"
#include "text.h"
#include "utility.h"
#include "wire.h"

#define TIMEOUT_MS	10000

/* One use of the utility. */
struct use {
	struct options		*options;
	struct wire_request	 request;
	struct wire_reply	 reply;
	char			 err[WIRE_ERROR_MAX];
};

/* Prints the one line, whatever the daemon or an engine made of it. */
static void
complain(const char *line)
{
	char shown[4 * WIRE_ERROR_MAX + 1];

	(void)text_show(shown, sizeof(shown), line, strlen(line));
	(void)fprintf(stderr, "jaildaemon: %s\n", shown);
}

/* The spec that the options made is the request's now. */
static void
begin(struct use *u, const char *verb)
{
	struct spec *s = &u->request.spec;

	(void)strlcpy(u->request.verb, verb, sizeof(u->request.verb));
	*s = u->options->spec;
	memset(&u->options->spec, 0, sizeof(u->options->spec));
}

/* What there is is sent. */
static void
name_keys(struct use *u)
{
	const struct spec *s = &u->request.spec;

	u->request.keys |= (s->title != NULL ? WIRE_KEY_TITLE : 0U) |
	    (s->jail != NULL ? WIRE_KEY_JAIL : 0U) |
	    (s->engine != NULL ? WIRE_KEY_ENGINE : 0U) |
	    (s->pid != 0 ? WIRE_KEY_PID : 0U) |
	    (s->started != 0 ? WIRE_KEY_STARTED : 0U) |
	    (s->timeout != 0 ? WIRE_KEY_TIMEOUT : 0U) |
	    (s->parallel != 0 ? WIRE_KEY_PARALLEL : 0U) |
	    (s->interval != 0 ? WIRE_KEY_INTERVAL : 0U) |
	    (s->feedback ? WIRE_KEY_FEEDBACK : 0U);
}

static int
refused(struct use *u)
{
	if (u->reply.ok)
		return (0);
	(void)strlcpy(u->err, u->reply.error, sizeof(u->err));
	return (u->reply.status);
}

static int
ask(struct use *u)
{
	int status = client_request(u->options->socket, &u->request,
	    &u->reply, TIMEOUT_MS, u->err, sizeof(u->err));

	return (status == 0 ? refused(u) : status);
}

static int
written(struct use *u, bool ok)
{
	if (ok && fflush(stdout) == 0 && !ferror(stdout))
		return (0);
	(void)strlcpy(u->err, "the answer cannot be written to standard output",
	    sizeof(u->err));
	return (EX_IOERR);
}

static int
parse_id(struct use *u, const char *word, uint64_t *id)
{
	char shown[64];
	const char *wrong;

	*id = (uint64_t)strtonum(word, 1, INT64_MAX, &wrong);
	if (wrong == NULL && *word >= '0' && *word <= '9')
		return (0);
	(void)text_escape(shown, sizeof(shown), word, strlen(word));
	(void)snprintf(u->err, sizeof(u->err), "\"%s\" is no id of an action: "
	    "expected a number, as list shows it", shown);
	return (EX_DATAERR);
}

static int
parse_ids(struct use *u)
{
	struct options *o = u->options;
	size_t n = (size_t)o->noperands;
	int status;

	if (n > WIRE_IDS_MAX) {
		(void)snprintf(u->err, sizeof(u->err), "%zu ids are too many: "
		    "expected %d at most", n, WIRE_IDS_MAX);
		return (EX_DATAERR);
	}
	u->request.ids = calloc(n, sizeof(*u->request.ids));
	if (u->request.ids == NULL) {
		(void)strlcpy(u->err, "out of memory", sizeof(u->err));
		return (EX_OSERR);
	}
	u->request.nids = n;
	u->request.keys |= WIRE_KEY_IDS;
	for (size_t i = 0; i < n; i++)
		if ((status = parse_id(u, o->operands[i],
		    &u->request.ids[i])) != 0)
			return (status);
	return (0);
}

/* The jail that is meant by -j, if any, is not asked for. */
static int
begin_choice(struct use *u, const char *verb)
{
	int status = 0;

	begin(u, verb);
	if (u->options->jail != NULL)
		status = target_name(u->options->jail, &u->request.spec,
		    u->err, sizeof(u->err));
	if (status == 0)
		status = spec_check(&u->request.spec, u->err, sizeof(u->err));
	name_keys(u);
	return (status);
}

static int
arm(struct use *u)
{
	struct options *o = u->options;
	int status;

	begin(u, "arm");
	status = target_find(o->jail, &u->request.spec, u->err,
	    sizeof(u->err));
	if (status == 0)
		status = spec_check(&u->request.spec, u->err, sizeof(u->err));
	name_keys(u);
	u->request.keys |= WIRE_KEY_COMMAND | WIRE_KEY_UID | WIRE_KEY_GID |
	    WIRE_KEY_RESPAWN;
	if (status != 0 || (status = ask(u)) != 0)
		return (status);
	if (u->reply.warning[0] != '\0')
		complain(u->reply.warning);
	if (!o->verbose)
		return (0);
	return (written(u, printf("%ju\n", (uintmax_t)u->reply.id) > 0));
}

static int
list(struct use *u)
{
	struct show_list *table;
	int status;

	if ((status = begin_choice(u, "list")) != 0)
		return (status);
	if ((table = show_list_open(u->options->json)) == NULL) {
		(void)strlcpy(u->err, "out of memory", sizeof(u->err));
		return (EX_OSERR);
	}
	status = client_stream(u->options->socket, &u->request,
	    show_list_item, table, &u->reply, TIMEOUT_MS, u->err,
	    sizeof(u->err));
	if (status == 0)
		status = refused(u);
	if (status == 0)
		status = written(u, show_list_print(table));
	show_list_close(table);
	return (status);
}

static int
disarm(struct use *u)
{
	int status = begin_choice(u, "disarm");

	if (status == 0 && u->options->noperands > 0)
		status = parse_ids(u);
	if (status != 0 || (status = ask(u)) != 0)
		return (status);
	return (written(u, printf("%jd disarmed\n",
	    (intmax_t)u->reply.count) > 0));
}

/* Until it is interrupted, or the daemon ends. */
static int
watch(struct use *u)
{
	int status;

	begin(u, "watch");
	status = client_stream(u->options->socket, &u->request,
	    u->options->json ? show_event_json : show_event, NULL, &u->reply,
	    0, u->err, sizeof(u->err));
	return (status == 0 ? refused(u) : status);
}

static int
with_id(struct use *u, const char *verb)
{
	int status;

	begin(u, verb);
	status = parse_id(u, u->options->operands[0], &u->request.id);
	u->request.keys |= WIRE_KEY_ID;
	return (status == 0 ? ask(u) : status);
}

static int
run(struct use *u)
{
	return (with_id(u, "run"));
}

static int
print_text(struct use *u)
{
	return (written(u, u->reply.text != NULL &&
	    fputs(u->reply.text, stdout) != EOF));
}

static int
output(struct use *u)
{
	int status = with_id(u, "output");

	return (status == 0 ? print_text(u) : status);
}

static int
reload(struct use *u)
{
	begin(u, "reload");
	return (ask(u));
}

static int
metrics(struct use *u)
{
	int status;

	begin(u, "metrics");
	status = ask(u);
	return (status == 0 ? print_text(u) : status);
}

/*
 * Whatever goes wrong is a warning: a hook that fails ends the jail that it
 * was called for.
 */
static int
started(struct use *u)
{
	struct options *o = u->options;
	int status;

	begin(u, "started");
	status = target_word(o->operands[0], &u->request.spec, u->err,
	    sizeof(u->err));
	if (status == 0 && o->noperands > 1)
		status = target_pid(o->operands[1], &u->request.spec, u->err,
		    sizeof(u->err));
	if (status == 0)
		status = spec_check(&u->request.spec, u->err, sizeof(u->err));
	name_keys(u);
	if (status == 0)
		status = ask(u);
	if (status != 0)
		complain(u->err);
	return (0);
}

static const struct {
	enum options_mode mode;
	int		(*does)(struct use *);
} table[] = {
	{ OPTIONS_ARM, arm },
	{ OPTIONS_LIST, list },
	{ OPTIONS_DISARM, disarm },
	{ OPTIONS_WATCH, watch },
	{ OPTIONS_RUN, run },
	{ OPTIONS_OUTPUT, output },
	{ OPTIONS_RELOAD, reload },
	{ OPTIONS_METRICS, metrics },
	{ OPTIONS_STARTED, started },
};

int
utility_run(struct options *o)
{
	struct use u = { .options = o };
	int status = EX_SOFTWARE;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].mode == o->mode)
			status = table[i].does(&u);
	if (status != 0)
		complain(u.err);
	wire_request_clear(&u.request);
	wire_reply_clear(&u.reply);
	return (status);
}
