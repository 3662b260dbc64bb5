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
};

#define WIRE_VERB_MAX	16
#define WIRE_ERROR_MAX	1024

struct wire_request {
	char		 verb[WIRE_VERB_MAX];
	unsigned int	 keys;		/* set of enum wire_key: what was given */
	struct spec	 spec;		/* owned: spec_clear() */
};

struct wire_reply {
	bool		 ok;
	int		 status;	/* sysexits(3); 0 if ok */
	char		 error[WIRE_ERROR_MAX];	/* one line; "" if ok */
	char		 warning[WIRE_ERROR_MAX]; /* one line; "": none */
	uint64_t	 id;		/* of the action; 0: none */
	int64_t		 pid;		/* of the daemon; 0: none */
};

/*
 * Reads one request of len bytes (without its newline), and holds its spec to
 * spec_check().  0, or -1 with what is wrong in err; then the request holds
 * nothing to free.  What err quotes of the request is as it came: whoever
 * shows it escapes it.  Which keys a verb needs is not known here.
 */
int	wire_decode_request(const char *line, size_t len,
	    struct wire_request *, char *err, size_t errsize);

/*
 * The same for a reply.  One that is ok has no status and no error, one that
 * is not has both, and neither id nor pid.
 */
int	wire_decode_reply(const char *line, size_t len,
	    struct wire_reply *, char *err, size_t errsize);

/*
 * The line of a request or reply, newline and NUL included; *len counts the
 * newline.  The caller frees it.  NULL: no memory (or, for a request, text
 * that is not UTF-8; spec_check() says so beforehand).  An error that is not
 * UTF-8, being cut within a character, is sent escaped.
 */
char	*wire_encode_request(const struct wire_request *, size_t *len);
char	*wire_encode_reply(const struct wire_reply *, size_t *len);

#endif
