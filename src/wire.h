/*
 * The control protocol: one JSON object a line, request and reply.
 *
 * Pure functions between bytes and structs: no I/O, no clock, no globals.
 * Client and daemon share them, so both sides refuse the same things with
 * the same words.  DESIGN.md, "The wire", is the description for others.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec.h"

#define WIRE_VERSION	1

/* Longest line, newline included: 65,536 bytes of command may grow sixfold. */
#define WIRE_LINE_MAX	(512 * 1024)

/* Keys of a request, as bits: what was there, what a verb takes and needs. */
enum wire_key {
	WIRE_KEY_COMMAND	= 1 << 0,
	WIRE_KEY_JAIL		= 1 << 1,
	WIRE_KEY_PID		= 1 << 2,
	WIRE_KEY_STARTED	= 1 << 3,
	WIRE_KEY_TITLE		= 1 << 4,
	WIRE_KEY_UID		= 1 << 5,
	WIRE_KEY_GID		= 1 << 6,
	WIRE_KEY_RESPAWN	= 1 << 7,
	WIRE_KEY_ENGINE		= 1 << 8,
	WIRE_KEY_TIMEOUT	= 1 << 9,
	WIRE_KEY_PARALLEL	= 1 << 10,
	WIRE_KEY_INTERVAL	= 1 << 11,
	WIRE_KEY_FEEDBACK	= 1 << 12,
	WIRE_KEY_ID		= 1 << 13,
	WIRE_KEY_IDS		= 1 << 14,
};

/* What says what an action is. */
#define WIRE_KEYS_LIMITS	(WIRE_KEY_TIMEOUT | WIRE_KEY_PARALLEL | \
				    WIRE_KEY_INTERVAL | WIRE_KEY_FEEDBACK)

#define WIRE_VERB_MAX	16
#define WIRE_ERROR_MAX	1024
#define WIRE_IDS_MAX	10000		/* ids in one request */
#define WIRE_TEXT_MAX	(384 * 1024)	/* bytes of a reply's text */
#define WIRE_WORD_MAX	16		/* of an event or a state */

struct wire_request {
	char		 verb[WIRE_VERB_MAX];
	unsigned int	 keys;		/* set of enum wire_key: what was given */
	struct spec	 spec;		/* owned */
	uint64_t	 id;		/* of an action */
	uint64_t	*ids;		/* owned */
	size_t		 nids;
};

struct wire_reply {
	bool		 ok;
	int		 status;	/* sysexits(3); 0 if ok */
	char		 error[WIRE_ERROR_MAX];	/* one line; "" if ok */
	char		 warning[WIRE_ERROR_MAX]; /* one line; "": none */
	uint64_t	 id;		/* of the action; 0: none */
	int64_t		 pid;		/* of the daemon; 0: none */
	bool		 has_count;
	int64_t		 count;		/* of actions */
	char		*text;		/* several lines, or NULL; owned */
};

/* Keys of an item, as bits. */
enum wire_item_key {
	ITEM_EVENT	= 1 << 0,
	ITEM_AT		= 1 << 1,
	ITEM_ID		= 1 << 2,
	ITEM_JID	= 1 << 3,
	ITEM_JAIL	= 1 << 4,
	ITEM_ENGINE	= 1 << 5,
	ITEM_STATE	= 1 << 6,
	ITEM_PID	= 1 << 7,
	ITEM_TITLE	= 1 << 8,
	ITEM_COMMAND	= 1 << 9,
	ITEM_RESPAWN	= 1 << 10,
	ITEM_UID	= 1 << 11,
	ITEM_GID	= 1 << 12,
	ITEM_RUNS	= 1 << 13,
	ITEM_LAST_STATUS = 1 << 14,
	ITEM_LAST_SIGNAL = 1 << 15,
	ITEM_LAST_MS	= 1 << 16,
	ITEM_LAST_AT	= 1 << 17,
	ITEM_ARMED_AT	= 1 << 18,
	ITEM_TIMEOUT	= 1 << 19,
	ITEM_PARALLEL	= 1 << 20,
	ITEM_INTERVAL	= 1 << 21,
	ITEM_FEEDBACK	= 1 << 22,
	ITEM_FILE	= 1 << 23,
	ITEM_STATUS	= 1 << 24,
	ITEM_SIGNAL	= 1 << 25,
	ITEM_MS		= 1 << 26,
	ITEM_TEXT	= 1 << 27,
};

/*
 * One line of a reply that has several: an action of a list, or an event of
 * a watch.  Times are milliseconds since the Epoch, on the wire RFC 3339.
 */
struct wire_item {
	unsigned int	 keys;		/* set of enum wire_item_key */
	char		 event[WIRE_WORD_MAX];
	char		 state[WIRE_WORD_MAX];
	int64_t		 at;
	uint64_t	 id;
	int64_t		 jid;
	int64_t		 pid;		/* of the probe */
	/* Owned where it was decoded, borrowed where it is encoded. */
	char		*jail;
	char		*engine;
	char		*title;
	char		*command;
	char		*text;
	enum respawn	 respawn;
	uint32_t	 uid;
	uint32_t	 gid;
	uint64_t	 runs;		/* begun so far */
	uint32_t	 last_status;	/* of the last run that has ended */
	uint32_t	 last_signal;
	int64_t		 last_ms;
	int64_t		 last_at;	/* its end */
	int64_t		 armed_at;
	uint32_t	 timeout;
	uint32_t	 parallel;
	uint32_t	 interval;
	bool		 feedback;
	bool		 file;		/* it stands in the file of actions */
	uint32_t	 status;	/* of a run or a refusal */
	uint32_t	 signal;
	int64_t		 ms;
};

/*
 * Reads one request of len bytes (without its newline), and holds its spec to
 * spec_check().  0, or -1 with what is wrong in err; then the request holds
 * nothing to free; errno is ENOMEM if memory was short, so that the request may
 * be a good one, else EINVAL.  What err quotes of the request is as it came:
 * whoever shows it escapes it.  Which keys a verb needs is not known here.
 */
int	wire_decode_request(const char *line, size_t len,
	    struct wire_request *, char *err, size_t errsize);

/*
 * The same for a reply.  One that is ok has no status and no error, one that
 * is not has both, and neither id nor pid.
 */
int	wire_decode_reply(const char *line, size_t len,
	    struct wire_reply *, char *err, size_t errsize);

/* What a line of the journal tells; see state.h. */
enum record_kind {
	RECORD_HEADER,		/* boot, next: the first line */
	RECORD_ARM,		/* an action, whole */
	RECORD_OVER,		/* it gets no further probe */
	RECORD_END,		/* it is no more */
	RECORD_TRIGGER,		/* its run shall start */
	RECORD_RUN,		/* it has, as that process */
	RECORD_RAN,		/* and has ended */
	RECORD_JAIL,		/* a jail that is known by name */
	RECORD_RULE,		/* of the file, was armed there */
	RECORD_GONE,		/* the jail has ended */
	RECORD_KINDS
};

struct wire_record {
	enum record_kind kind;
	struct spec	 spec;		/* jail, engine too; owned as decoded */
	char		 boot[64];
	uint64_t	 next;		/* the next id */
	uint64_t	 id;
	int64_t		 jid;
	uint64_t	 jail_started;	/* Linux: clock ticks */
	uint64_t	 pidns;		/* Linux: the inode */
	uint64_t	 rule;		/* 0: none */
	uint64_t	 run;		/* number of the run's output */
	int64_t		 pid;		/* of the run */
	int64_t		 clock;		/* process_clock() of its start */
	int64_t		 at;		/* real time of it, or of the arming */
	uint64_t	 runs;		/* begun so far */
	uint64_t	 runs_ended;
	bool		 known;		/* how the last run ended: */
	uint32_t	 last_status;
	uint32_t	 last_signal;	/* or 0 */
	int64_t		 last_ms;
	int64_t		 last_at;	/* 0: none has */
};

/*
 * A line of the journal.  wire_decode_record() returns 0, or -1 with one line
 * in err and nothing to free; errno is ENOMEM if memory was short, so that the
 * line may be a good one, else EINVAL.
 */
int	wire_decode_record(const char *line, size_t len, struct wire_record *,
	    char *err, size_t errsize);
char	*wire_encode_record(const struct wire_record *, size_t *len);

/* Frees what it owns and zeroes it. */
void	wire_record_clear(struct wire_record *);
void	wire_request_clear(struct wire_request *);
void	wire_reply_clear(struct wire_reply *);
void	wire_item_clear(struct wire_item *);

/*
 * A line that is either: an item (1, the reply untouched) or the last line, a
 * reply (0, the item untouched).  -1 with one line in err.
 */
int	wire_decode_answer(const char *line, size_t len, struct wire_reply *,
	    struct wire_item *, char *err, size_t errsize);

/*
 * The line of a request or reply, newline and NUL included; *len counts the
 * newline.  The caller frees it.  NULL: no memory (or, for a request, text
 * that is not UTF-8; spec_check() says so beforehand).  An error that is not
 * UTF-8, being cut within a character, is sent escaped.  Replies and items are
 * plain ASCII, without control characters: they can be shown as they are.
 */
char	*wire_encode_request(const struct wire_request *, size_t *len);
char	*wire_encode_reply(const struct wire_reply *, size_t *len);
char	*wire_encode_item(const struct wire_item *, size_t *len);

/* "2026-11-24T12:00:00.123Z"; size at least WIRE_TIME_MAX. */
#define WIRE_TIME_MAX	40
void	wire_time(char *buf, size_t size, int64_t ms);

/* The name of the first of these keys of a request (enum wire_key). */
const char	*wire_key_name(unsigned int keys);

#endif
