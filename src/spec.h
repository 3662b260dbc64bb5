/*
 * What is asked for: the command, the jail it belongs to, and how its probe
 * shall look.  Made by the command line or the wire, kept by the action.
 */
#ifndef SPEC_H
#define SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_COMMAND_MAX	65536	/* bytes, without the NUL */
#define SPEC_TITLE_MAX		1024
#define SPEC_JAIL_MAX		255	/* FreeBSD: MAXHOSTNAMELEN - 1 */
#define SPEC_ID_MAX		4294967294U	/* 2^32-2; 2^32-1 means "no id" */
#define SPEC_ENGINE_MAX		15
#define SPEC_SECONDS_MAX	31536000	/* of -T and -i: a year */
#define SPEC_PARALLEL_MAX	1024
#define SPEC_PARALLEL		64		/* runs at a time with -R */

enum respawn {
	RESPAWN_NEVER,		/* default: one shot */
	RESPAWN_AFTER,		/* -r: once the run has ended */
	RESPAWN_NOW,		/* -R: beside the run */
};

struct spec {
	char		*command;	/* owned */
	char		*title;		/* owned; NULL: none */
	/*
	 * FreeBSD: jid or name, as given.  Linux: the container's name, NULL
	 * where only a pid was given.  Owned.
	 */
	char		*jail;
	char		*engine;	/* Linux: that knows the name, or NULL; owned */
	int64_t		 pid;		/* Linux: a process of the jail; 0: none */
	/*
	 * Linux: when that process started, in clock ticks since boot
	 * (field 22 of /proc/PID/stat); 0: not checked.  Read where the name
	 * was looked up, it tells the daemon that the pid was not used again
	 * since.
	 */
	uint64_t	 started;
	uint32_t	 uid;
	uint32_t	 gid;
	enum respawn	 respawn;
	uint32_t	 timeout;	/* -T: seconds of a run; 0: no limit */
	uint32_t	 parallel;	/* -L: runs at a time with -R; 0: default */
	uint32_t	 interval;	/* -i: least seconds between runs; 0: none */
	bool		 feedback;	/* -s: the title tells of the last run */
};

/* Frees what it owns and zeroes it. */
void		 spec_clear(struct spec *);

/* A deep copy; -1 with errno ENOMEM leaves dst zeroed. */
int		 spec_copy(struct spec *dst, const struct spec *src);

/*
 * The same with its texts in room, which has spec_text_size() bytes: they are
 * gone when that is, and spec_clear() is not for such a copy.
 */
size_t		 spec_text_size(const struct spec *);
void		 spec_place(struct spec *dst, char *room, const struct spec *src);

/*
 * Checks lengths, UTF-8, control characters and ranges of what is there (a
 * text that is NULL was not given, an empty one is refused).  0, or a
 * sysexits(3) status with one line in err that names what was wrong and the
 * limit.
 */
int		 spec_check(const struct spec *, char *err, size_t errsize);

/* Total order over command, title, ids, mode and limits; not the jail. */
int		 spec_compare(const struct spec *, const struct spec *);

/* "never", "after", "now"; NULL or -1 for anything else. */
const char	*spec_respawn_name(enum respawn);
int		 spec_respawn_parse(const char *, enum respawn *);

#endif
