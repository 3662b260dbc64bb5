/*
 * The whole action, as the guest sees it: from the start of a client program
 * in the jail to the first byte that the host's command writes.  jaildaemon
 * beside what people use instead; all have the same command, run by sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define CONTESTANTS_MAX	32
#define WORDS_MAX	32
#define TEXT_MAX	16384
#define REQUEST_BYTES	4096
#define US(ns)		((double)(ns) / 1000)

/* Words that stand for the armed probe: what pkill looks for, and its pid. */
#define SHOWN		"@SHOWN@"
#define PID		"@PID@"
#define OURS		"jaildaemon"

struct contestant {
	char		*words[WORDS_MAX];
	unsigned int	 count;
	bool		 ours;
};

struct whole {
	const struct config *config;
	struct daemon	*daemon;
	pid_t		 guest;
	int		 to_guest;
	int		 from_guest;
	unsigned int	 n;
	struct contestant contestants[CONTESTANTS_MAX];
	struct series	 s[CONTESTANTS_MAX];
	char		 text[TEXT_MAX];	/* that the words are in */
};

/* A line: key, label, words of the client; tabs between. */
static void
add_contestant(struct whole *w, char *line)
{
	struct contestant *c = &w->contestants[w->n];
	struct series *s = &w->s[w->n];
	char *word;

	errno = 0;
	if (w->n == CONTESTANTS_MAX)
		die("too many contestants");
	s->key = strsep(&line, "\t");
	s->label = strsep(&line, "\t");
	c->ours = strncmp(s->key, OURS, strlen(OURS)) == 0;
	while ((word = strsep(&line, "\t")) != NULL && c->count < WORDS_MAX)
		c->words[c->count++] = word;
	if (c->count == 0)
		die("%s: a contestant without a client", s->key);
	w->n++;
}

static void
read_contestants(struct whole *w)
{
	char *rest = w->text, *line;

	if (slurp(w->config->contestants, w->text, sizeof(w->text)) == -1)
		die("%s", w->config->contestants);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			add_contestant(w, line);
}

static void
start_guest(struct whole *w)
{
	static char text[PATH_BYTES], program[PATH_BYTES];
	const char *words[WORDS_MAX];
	char *rest = text, *word;
	int in[2], out[2], n = 0;

	snprintf(text, sizeof(text), "%s", w->config->enter);
	snprintf(program, sizeof(program), "%s/guest", w->config->tools);
	while ((word = strsep(&rest, " ")) != NULL && n < WORDS_MAX - 2)
		words[n++] = word;
	words[n++] = program;
	words[n] = NULL;
	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1)
		die("pipe");
	w->guest = child_start(words, (const int[]){ in[0], out[1],
	    STDERR_FILENO }, NULL);
	close(in[0]);
	close(out[1]);
	w->to_guest = in[1];
	w->from_guest = out[0];
}

static void
from_guest(struct whole *w, const char *whose, void *to, size_t size)
{
	if (read(w->from_guest, to, size) != (ssize_t)size)
		die("%s: the jail's side has ended", whose);
}

/* The probe's pid as its jail sees it. */
static long
inner_pid(pid_t pid)
{
	char path[PATH_BYTES], text[4096], *p;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (slurp(path, text, sizeof(text)) == -1 ||
	    (p = strstr(text, "\nNSpid:")) == NULL)
		return (pid);
	p[1 + strcspn(p + 1, "\n")] = '\0';
	return (strtol(strrchr(p, '\t') + 1, NULL, 10));
}

/* One word, and what stands for the probe in it replaced. */
static size_t
put_word(struct whole *w, unsigned int number, const char *word, char *to,
    size_t size)
{
	char value[64] = "";
	const char *at = strstr(word, SHOWN);
	size_t skip = strlen(SHOWN);
	int n;

	if (at != NULL)
		daemon_shown(w->daemon, number, value, sizeof(value));
	else if ((at = strstr(word, PID)) != NULL) {
		snprintf(value, sizeof(value), "%ld",
		    inner_pid(daemon_probe(w->daemon, number)));
		skip = strlen(PID);
	} else {
		at = word + strlen(word);
		skip = 0;
	}
	n = snprintf(to, size, "%.*s%s%s", (int)(at - word), word, value,
	    at + skip);
	if (n < 0 || (size_t)n >= size)
		die("too long a request");
	return ((size_t)n + 1);
}

static double
sample(struct whole *w, unsigned int i)
{
	struct contestant *c = &w->contestants[i];
	const char *key = w->s[i].key;
	char request[REQUEST_BYTES];
	uint32_t used = 0;
	int64_t started, ended;
	int status;
	unsigned int number = c->ours ? daemon_arm(w->daemon, NULL) : 0;

	for (unsigned int k = 0; k < c->count; k++)
		used += (uint32_t)put_word(w, number, c->words[k],
		    request + used, sizeof(request) - used);
	pause_us(w->config->gap_us);
	send_all(w->to_guest, (char *)&used, sizeof(used));
	send_all(w->to_guest, request, used);
	ended = fifo_wait_ns(key);
	from_guest(w, key, &started, sizeof(started));
	from_guest(w, key, &status, sizeof(status));
	errno = 0;
	if (status != 0)
		die("%s: its client ended with wait status %d", key, status);
	return (US(ended - started));
}

static const struct series *
find(const struct whole *w, const char *key)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (strcmp(w->s[i].key, key) == 0)
			return (&w->s[i]);
	return (NULL);
}

static void
add_goals(const struct series *ours, const char *with,
    const struct series *fastest, const struct series *s6, json_t *result)
{
	char key[64], text[128];

	if (ours == NULL || fastest == NULL || s6 == NULL)
		return;
	snprintf(key, sizeof(key), "whole_%s_fastest", with);
	snprintf(text, sizeof(text), "whole action with %s, p50, to the "
	    "fastest alternative", with);
	goal(result, key, text, ratio_p(ours, fastest, 0.5), 1, false);
	snprintf(key, sizeof(key), "whole_%s_s6", with);
	snprintf(text, sizeof(text), "whole action with %s, p50, to s6-sudo",
	    with);
	goal(result, key, text, ratio_p(ours, s6, 0.5), 0.5, false);
}

static void
report(const struct whole *w, json_t *result)
{
	json_t *c = comparison(result, "whole", "Whole action: start of the "
	    "guest's client to first byte of the command", "us", w->s, w->n);
	const struct series *fastest = NULL;

	for (unsigned int i = 0; i < w->n; i++)
		if (!w->contestants[i].ours && (fastest == NULL ||
		    ratio_p(&w->s[i], fastest, 0.5) < 1))
			fastest = &w->s[i];
	for (unsigned int i = 0; i < w->n; i++)
		for (unsigned int k = 0; k < w->n; k++)
			if (w->contestants[i].ours && !w->contestants[k].ours)
				add_ratio(c, &w->s[i], &w->s[k]);
	add_goals(find(w, "jaildaemon"), "pkill", fastest, find(w, "s6-sudo"),
	    result);
	add_goals(find(w, "jaildaemon-proc"), "sh", fastest,
	    find(w, "s6-sudo"), result);
}

void
measure_whole(const struct config *config, json_t *result)
{
	struct whole *w = grow(NULL, 1, sizeof(*w));
	unsigned int order[CONTESTANTS_MAX];

	memset(w, 0, sizeof(*w));
	w->config = config;
	read_contestants(w);
	start_guest(w);
	w->daemon = daemon_start(config, "whole", NULL);
	for (unsigned int i = 0; i < (config->hurry ? 1 : 5); i++)
		for (unsigned int k = 0; k < w->n; k++)
			sample(w, k);
	for (unsigned int i = 0; i < config->rounds; i++) {
		shuffle(order, w->n);
		for (unsigned int k = 0; k < w->n; k++) {
			double us = sample(w, order[k]);

			series_add(&w->s[order[k]], us);
		}
		fifo_is_empty("the whole action");
	}
	report(w, result);
	daemon_stop(w->daemon);
	close(w->to_guest);
	child_stop(w->guest, SIGKILL);
	close(w->from_guest);
	series_free(w->s, w->n);
	free(w);
}
