#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "action.h"
#include "control.h"
#include "log.h"
#include "text.h"
#include "verb.h"
#include "wire.h"

static void	arm(struct actions *, struct conn *, struct wire_request *);
static void	ping(struct actions *, struct conn *, struct wire_request *);

/* Who may: whoever may connect, so far; see control.c. */
static const struct verb {
	const char	*name;
	unsigned int	 takes;		/* sets of enum wire_key */
	unsigned int	 needs;
	void		(*handler)(struct actions *, struct conn *,
			    struct wire_request *);
} verbs[] = {
	{ "ping", 0, 0, ping },
	{ "arm", WIRE_KEY_COMMAND | WIRE_KEY_JAIL | WIRE_KEY_PID |
	    WIRE_KEY_STARTED | WIRE_KEY_TITLE | WIRE_KEY_UID | WIRE_KEY_GID |
	    WIRE_KEY_RESPAWN, WIRE_KEY_COMMAND, arm },
};

static void
refuse(struct conn *conn, int status, const char *why)
{
	struct wire_reply reply = { .ok = false, .status = status };

	/* One line, whoever prints it; what was quoted may be anything. */
	(void)text_show(reply.error, sizeof(reply.error), why, strlen(why));
	control_reply(conn, &reply);
}

static void
ping(struct actions *actions, struct conn *conn, struct wire_request *request)
{
	struct wire_reply reply = { .ok = true, .pid = getpid() };

	(void)actions;
	(void)request;
	control_reply(conn, &reply);
}

/* An arm whose outcome a connection waits for. */
struct pending {
	struct action_waiter waiter;
	struct conn	*conn;
};

static void
on_armed(void *arg, int status, uint64_t id, const char *text)
{
	struct pending *pending = arg;
	struct wire_reply reply = { .ok = true, .id = id };

	strlcpy(reply.warning, text, sizeof(reply.warning));
	if (status == 0)
		control_reply(pending->conn, &reply);
	else
		refuse(pending->conn, status, text);
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
arm(struct actions *actions, struct conn *conn, struct wire_request *request)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL) {
		refuse(conn, EX_TEMPFAIL, "no memory");
		return;
	}
	pending->conn = conn;
	pending->waiter.done = on_armed;
	pending->waiter.arg = pending;
	control_later(conn, on_hung_up, pending);
	action_arm(actions, &request->spec, &pending->waiter);
}

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return (&verbs[i]);
	return (NULL);
}

static const struct verb *
check_request(const struct wire_request *request, int *status, char *err,
    size_t errsize)
{
	const struct verb *verb = find_verb(request->verb);

	*status = EX_USAGE;
	if (verb == NULL) {
		snprintf(err, errsize, "unknown verb \"%s\": expected ping or "
		    "arm", request->verb);
		return (NULL);
	}
	if ((request->keys & ~verb->takes) != 0 ||
	    (verb->needs & ~request->keys) != 0) {
		snprintf(err, errsize, "verb \"%s\": %s", verb->name,
		    (verb->needs & ~request->keys) != 0 ?
		    "a key that it needs is missing" :
		    "a key that it does not take");
		return (NULL);
	}
	if ((request->keys & WIRE_KEY_COMMAND) != 0)
		*status = spec_check(&request->spec, err, errsize);
	else
		*status = 0;
	return (*status == 0 ? verb : NULL);
}

void
verb_line(void *actions, struct conn *conn, const char *line, size_t len)
{
	struct wire_request request;
	const struct verb *verb;
	char err[WIRE_ERROR_MAX];
	struct log_quoted quoted;
	int status = EX_PROTOCOL;

	if (wire_decode_request(line, len, &request, err, sizeof(err)) == -1)
		verb = NULL;
	else {
		verb = check_request(&request, &status, err, sizeof(err));
		if (verb == NULL)
			spec_clear(&request.spec);
	}
	if (verb == NULL) {
		log_warnx("event=refuse status=%d text=%s", status,
		    log_quote(&quoted, err));
		refuse(conn, status, err);
		return;
	}
	verb->handler(actions, conn, &request);
	spec_clear(&request.spec);
}
