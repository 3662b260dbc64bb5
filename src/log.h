/*
 * The log: syslog (LOG_DAEMON) or stderr, one line an event, key=value.
 *
 * Never blocks: a line that its reader has no room for waits in memory, up
 * to LOG_QUEUE_MAX bytes, and what is over that is counted and told.  So a
 * syslogd that hangs cannot hold up the reaping of a probe.
 *
 * Everything foreign goes through log_quote(); no text is ever a format.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

#define LOG_LINE_MAX	2048
#define LOG_QUEUE_MAX	(1024 * 1024)

struct event_base;

/* Before log_start() lines go to stderr and may wait for it. */
void	log_start(struct event_base *, int to_stderr);

/* Writes what waits, as far as it goes at once; then forgets the loop. */
void	log_stop(void);

__attribute__((format(printf, 1, 2)))
void	log_info(const char *, ...);
/* A warning; log_warn() adds error="..." of errno. */
__attribute__((format(printf, 1, 2)))
void	log_warn(const char *, ...);
__attribute__((format(printf, 1, 2)))
void	log_warnx(const char *, ...);

/*
 * For event_set_log_callback(3): libevent's warnings, from log_start() on.
 * Before, whoever starts us hears of a failure from us, in one line.
 */
void	log_libevent(int severity, const char *text);

struct log_quoted {
	char	s[1024];
};

/* "text", escaped and in double quotes, cut where it is too long; NULL: "". */
const char	*log_quote(struct log_quoted *, const char *);
const char	*log_quote_bytes(struct log_quoted *, const char *, size_t);

#endif
