/*
 * The verbs of the control protocol: a table of names, what each takes, and
 * its handler.
 */
#include <sys/types.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "action.h"
#include "control.h"
#include "jail.h"
#include "log.h"
#include "metrics.h"
#include "rules.h"
#include "text.h"
#include "verb.h"
#include "watch.h"
#include "wire.h"

#define BATCH_BYTES	65536	/* of a list, before the peer has read them */

#define KEYS_JAIL	(WIRE_KEY_JAIL | WIRE_KEY_ENGINE | WIRE_KEY_PID | \
			    WIRE_KEY_STARTED)
#define KEYS_ARM	(WIRE_KEY_COMMAND | KEYS_JAIL | WIRE_KEY_TITLE | \
			    WIRE_KEY_UID | WIRE_KEY_GID | WIRE_KEY_RESPAWN | \
			    WIRE_KEYS_LIMITS)

typedef void handler(struct verb_context *, struct conn *,
    struct wire_request *);

static handler	ping, arm, list, disarm, watch, run, output, reload, check,
		metrics, started;

/* Who may: whoever may connect; see control.c. */
static const struct verb {
	const char	*name;
	unsigned int	 takes;		/* sets of enum wire_key */
	unsigned int	 needs;
	handler		*handler;
} verbs[] = {
	{ "ping", 0, 0, ping },
	{ "arm", KEYS_ARM, WIRE_KEY_COMMAND, arm },
	{ "list", KEYS_JAIL | WIRE_KEY_TITLE, 0, list },
	{ "disarm", KEYS_JAIL | WIRE_KEY_TITLE | WIRE_KEY_IDS, 0, disarm },
	{ "watch", 0, 0, watch },
	{ "run", WIRE_KEY_ID, WIRE_KEY_ID, run },
	{ "output", WIRE_KEY_ID, WIRE_KEY_ID, output },
	{ "reload", 0, 0, reload },
	{ "check", 0, 0, check },
	{ "metrics", 0, 0, metrics },
	{ "started", KEYS_JAIL, WIRE_KEY_JAIL, started },
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

static void
refuse(struct verb_context *ctx, struct conn *conn, int status,
    const char *why)
{
	struct wire_reply reply = { .ok = false, .status = status };

	actions_metrics(ctx->actions)->refused++;
	/* One line, whoever prints it; what was quoted may be anything. */
	(void)text_show(reply.error, sizeof(reply.error), why, strlen(why));
	control_reply(conn, &reply);
}

/* The same, with a line in the log. */
static void
refuse_loudly(struct verb_context *ctx, struct conn *conn, int status,
    const char *why)
{
	struct log_quoted quoted;

	log_warnx("event=refuse status=%d text=%s", status,
	    log_quote(&quoted, why));
	refuse(ctx, conn, status, why);
}

static void
ping(struct verb_context *ctx, struct conn *conn, struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .pid = getpid() };

	(void)ctx;
	(void)request;
	control_reply(conn, &reply);
}

/* An arm whose outcome a connection waits for. */
struct pending {
	struct action_waiter waiter;
	struct verb_context *ctx;
	struct conn	*conn;
};

static void
on_armed(void *arg, int status, uint64_t id, const char *text)
{
	struct pending *pending = arg;
	struct wire_reply reply = { .ok = true, .id = id };

	/* What was quoted may be anything, and what was cut end anywhere. */
	(void)text_show(reply.warning, sizeof(reply.warning), text,
	    strlen(text));
	if (status == 0)
		control_reply(pending->conn, &reply);
	else
		refuse(pending->ctx, pending->conn, status, text);
	free(pending);
}

static void
on_hung_up(void *arg)
{
	struct pending *pending = arg;

	action_unwait(&pending->waiter);
	free(pending);
}

static void
arm(struct verb_context *ctx, struct conn *conn, struct wire_request *request)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL) {
		refuse(ctx, conn, EX_TEMPFAIL, "no memory");
		return;
	}
	pending->ctx = ctx;
	pending->conn = conn;
	pending->waiter.done = on_armed;
	pending->waiter.arg = pending;
	control_later(conn, on_hung_up, pending);
	action_arm(ctx->actions, &request->spec, &pending->waiter);
}

/*
 * Actions of one jail, one title, one engine, or all of them.  A pid stands
 * for its jail.  0, or a status with a line.
 */
static int
choose(struct verb_context *ctx, struct wire_request *request,
    struct action_choice *c, char *err, size_t errsize)
{
	const struct spec *s = &request->spec;
	struct jail *jail;
	int status;

	memset(c, 0, sizeof(*c));
	c->jail = s->jail;
	c->engine = s->engine;
	c->title = s->title;
	c->ids = request->ids;
	c->nids = request->nids;
	if ((request->keys & WIRE_KEY_PID) == 0)
		return (0);
	jail = jails_hold(actions_jails(ctx->actions), s, &status, err,
	    errsize);
	if (jail == NULL)
		return (status);
	c->jid = jail->id;
	jails_release(jail);
	return (0);
}

/* A list on its way: where it is, and what it chooses. */
struct listing {
	struct verb_context *ctx;
	struct conn	*conn;
	struct wire_request request;
	struct action_choice choice;
	uint64_t	 after;
	int64_t		 count;
};

static void
end_listing(void *arg)
{
	struct listing *l = arg;

	wire_request_clear(&l->request);
	free(l);
}

static void
send_more(void *arg)
{
	struct listing *l = arg;
	struct wire_reply reply = { .ok = true, .has_count = true };
	struct wire_item item;
	size_t bytes = 0;

	while (bytes < BATCH_BYTES && actions_next(l->ctx->actions,
	    &l->choice, l->after, &item)) {
		control_item(l->conn, &item);
		l->after = item.id;
		l->count++;
		bytes += sizeof(item) + strlen(item.command);
	}
	if (bytes > 0)
		return;
	reply.count = l->count;
	control_reply(l->conn, &reply);
	end_listing(l);
}

static void
list(struct verb_context *ctx, struct conn *conn, struct wire_request *request)
{
	struct listing *l = calloc(1, sizeof(*l));
	char err[WIRE_ERROR_MAX];
	int status;

	if (l == NULL) {
		refuse(ctx, conn, EX_TEMPFAIL, "no memory");
		return;
	}
	l->ctx = ctx;
	l->conn = conn;
	/* The choice points into the request, which is the listing's now. */
	l->request = *request;
	memset(request, 0, sizeof(*request));
	status = choose(ctx, &l->request, &l->choice, err, sizeof(err));
	if (status != 0) {
		refuse(ctx, conn, status, err);
		end_listing(l);
		return;
	}
	control_stream(conn, send_more, end_listing, l);
	send_more(l);
}

static void
disarm(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .has_count = true };
	struct action_choice choice;
	char err[WIRE_ERROR_MAX] = "nothing is armed there";
	unsigned int count = 0;
	int status;

	if (request->keys == 0 || ((request->keys & WIRE_KEY_IDS) != 0 &&
	    request->keys != WIRE_KEY_IDS)) {
		refuse_loudly(ctx, conn, EX_USAGE, "verb \"disarm\": expected "
		    "either ids, or a jail or title");
		return;
	}
	status = choose(ctx, request, &choice, err, sizeof(err));
	if (status == 0)
		status = actions_disarm(ctx->actions, &choice, &count, err,
		    sizeof(err));
	if (status == 0 && count == 0)
		status = EX_NOHOST;
	reply.count = count;
	if (status != 0)
		refuse_loudly(ctx, conn, status, err);
	else
		control_reply(conn, &reply);
}

static void
watch(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	(void)request;
	if (!watchers_add(ctx->watchers, conn))
		refuse_loudly(ctx, conn, EX_TEMPFAIL,
		    "no more than 32 may watch at a time");
}

static void
run(struct verb_context *ctx, struct conn *conn, struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .id = request->id };
	char err[WIRE_ERROR_MAX];
	int status = action_run(ctx->actions, request->id, err, sizeof(err));

	if (status != 0)
		refuse_loudly(ctx, conn, status, err);
	else
		control_reply(conn, &reply);
}

static void
output(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .id = request->id };
	char err[WIRE_ERROR_MAX];
	int status;

	reply.text = action_output(ctx->actions, request->id, &status, err,
	    sizeof(err));
	if (reply.text == NULL)
		refuse_loudly(ctx, conn, status, err);
	else
		control_reply(conn, &reply);
	free(reply.text);
}

int
verb_reload(struct verb_context *ctx, char *err, size_t errsize)
{
	struct rules_change change;
	struct log_quoted quoted;
	int status = rules_reload(ctx->rules, &change, err, errsize);

	if (status == 0)
		log_info("event=reload actions=%u added=%u removed=%u",
		    change.total, change.added, change.removed);
	else
		log_warnx("event=reload-failed status=%d text=%s", status,
		    log_quote(&quoted, err));
	return (status);
}

static void
reload(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	struct wire_reply reply = { .ok = true };
	char err[WIRE_ERROR_MAX];
	int status = verb_reload(ctx, err, sizeof(err));

	(void)request;
	if (status != 0)
		refuse(ctx, conn, status, err);
	else
		control_reply(conn, &reply);
}

static void
check(struct verb_context *ctx, struct conn *conn, struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .has_count = true };
	char err[WIRE_ERROR_MAX];
	unsigned int total = 0;
	int status = rules_check(ctx->rules, &total, err, sizeof(err));

	(void)request;
	reply.count = total;
	if (status != 0)
		refuse(ctx, conn, status, err);
	else
		control_reply(conn, &reply);
}

static void
metrics(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	struct wire_reply reply = { .ok = true };
	struct metrics m = *actions_measure(ctx->actions);

	(void)request;
	m.refused += control_refused(ctx->control);
	reply.text = metrics_text(&m);
	if (reply.text == NULL)
		refuse(ctx, conn, EX_TEMPFAIL, "no memory");
	else
		control_reply(conn, &reply);
	free(reply.text);
}

static void
started(struct verb_context *ctx, struct conn *conn,
    struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .has_count = true };
	char err[WIRE_ERROR_MAX];
	unsigned int n;
	int status = rules_started(ctx->rules, &request->spec, &n, err,
	    sizeof(err));

	if (status != 0) {
		refuse_loudly(ctx, conn, status, err);
		return;
	}
	reply.count = n;
	control_reply(conn, &reply);
}

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return (&verbs[i]);
	return (NULL);
}

static void
refuse_verb(const char *name, char *err, size_t errsize)
{
	size_t len;

	snprintf(err, errsize, "unknown verb \"%s\": expected", name);
	for (size_t i = 0; i < NVERBS; i++) {
		len = strlen(err);
		snprintf(err + len, errsize - len, "%s %s", i == 0 ? "" :
		    i == NVERBS - 1 ? " or" : ",", verbs[i].name);
	}
}

static const struct verb *
check_request(const struct wire_request *request, int *status, char *err,
    size_t errsize)
{
	const struct verb *verb = find_verb(request->verb);

	*status = EX_USAGE;
	if (verb == NULL) {
		refuse_verb(request->verb, err, errsize);
		return (NULL);
	}
	if ((verb->needs & ~request->keys) != 0) {
		snprintf(err, errsize, "verb \"%s\": no \"%s\" is given, and "
		    "is expected", verb->name,
		    wire_key_name(verb->needs & ~request->keys));
		return (NULL);
	}
	if ((request->keys & ~verb->takes) != 0) {
		snprintf(err, errsize, "verb \"%s\": \"%s\" is given, and is "
		    "not expected", verb->name,
		    wire_key_name(request->keys & ~verb->takes));
		return (NULL);
	}
	return (verb);
}

void
verb_line(void *context, struct conn *conn, const char *line, size_t len)
{
	struct verb_context *ctx = context;
	struct wire_request request;
	const struct verb *verb;
	char err[WIRE_ERROR_MAX];
	int status = EX_PROTOCOL;

	if (wire_decode_request(line, len, &request, err, sizeof(err)) == -1) {
		verb = NULL;
		if (errno == ENOMEM)
			status = EX_TEMPFAIL;
	} else {
		verb = check_request(&request, &status, err, sizeof(err));
		if (verb == NULL)
			wire_request_clear(&request);
	}
	if (verb == NULL) {
		refuse_loudly(ctx, conn, status, err);
		return;
	}
	verb->handler(ctx, conn, &request);
	wire_request_clear(&request);
}
