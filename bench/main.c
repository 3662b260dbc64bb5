/* Options, what machine this is, and the measurements in their order. */
#include <sys/utsname.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef __linux__
#include <sys/sysctl.h>
#endif

#include "bench.h"

#define OPTIONS_MAX	64

static const struct {
	const char	*name;
	void		(*measure)(const struct config *, json_t *);
} measurements[] = {
	{ "trigger", measure_trigger },
	{ "kept", measure_kept },
	{ "whole", measure_whole },
	{ "growth", measure_growth },
	{ "change", measure_change },
	{ "burst", measure_burst },
#ifdef __linux__
	{ "size", measure_size },
	{ "idle", measure_idle },
#endif
};

#define MEASUREMENTS	(sizeof(measurements) / sizeof(measurements[0]))

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: bench -p jaildaemon -t tools -d directory "
	    "-j jail -o result\n"
	    "       [-a contestants -e enter] [-g cgroup.procs]... "
	    "[-m group,daemon's,bare]\n"
	    "       [-r rounds] [-q quiet-us] [-n few,more,most] [-b burst] "
	    "[-i idle-s]\n"
	    "       [-x daemon-option]... [-B before] [-c command] [measurement...]\n");
	exit(64);
}

static unsigned int
number(int option, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > 1000000)
		errx(64, "-%c: \"%s\" is no number up to 1000000", option,
		    text);
	return ((unsigned int)n);
}

/* As many words as there are places, commas between; the text is cut up. */
static void
split(int option, char *text, const char **words, int count)
{
	for (int i = 0; i < count; i++)
		words[i] = strsep(&text, ",");
	if (text != NULL || words[count - 1] == NULL)
		errx(64, "-%c: expected %d words with commas between", option,
		    count);
}

static void
set_number(struct config *c, int option, char *text)
{
	const char *words[SIZES];

	switch (option) {
	case 'r':
		c->rounds = number(option, text);
		break;
	case 'q':
		c->gap_us = number(option, text);
		break;
	case 'b':
		c->burst = number(option, text);
		break;
	case 'i':
		c->idle_s = number(option, text);
		break;
	case 'n':
		split(option, text, words, SIZES);
		for (int i = 0; i < SIZES; i++)
			c->sizes[i] = number(option, words[i]);
		break;
	default:
		usage();
	}
}

static void
set_option(struct config *c, int option, char *text)
{
	static const char *groups[OPTIONS_MAX], *options[OPTIONS_MAX];
	const char *words[3];

	switch (option) {
	case 'p':
		c->program = text;
		break;
	case 'B':
		c->before = text;
		break;
	case 't':
		c->tools = text;
		break;
	case 'd':
		c->dir = text;
		break;
	case 'j':
		c->jail = text;
		break;
	case 'o':
		c->result = text;
		break;
	case 'a':
		c->contestants = text;
		break;
	case 'e':
		c->enter = text;
		break;
	case 'c':
		c->said = text;
		break;
	case 'm':
		split(option, text, words, 3);
		c->memory = words[0];
		c->memory_daemon = words[1];
		c->memory_bare = words[2];
		break;
	case 'g':
		c->groups = groups;
		if (c->ngroups < OPTIONS_MAX)
			groups[c->ngroups++] = text;
		break;
	case 'x':
		c->options = options;
		if (c->noptions < OPTIONS_MAX)
			options[c->noptions++] = text;
		break;
	default:
		set_number(c, option, text);
	}
}

static const char *
processor(void)
{
	static char model[256];
#ifdef __linux__
	static char text[65536];
	char *p;

	/* x86 names it there; others have numbers only. */
	if (slurp("/proc/cpuinfo", text, sizeof(text)) == -1 ||
	    (p = strstr(text, "model name")) == NULL ||
	    (p = strchr(p, ':')) == NULL)
		return ("unknown");
	snprintf(model, sizeof(model), "%.*s", (int)strcspn(p + 2, "\n"),
	    p + 2);
#else
	size_t size = sizeof(model);

	if (sysctlbyname("hw.model", model, &size, NULL, 0) == -1)
		return ("unknown");
#endif
	return (model);
}

static json_t *
describe(const struct config *c)
{
	struct utsname name;
	char when[32], system[512];
	time_t now = time(NULL);
	struct tm tm;

	uname(&name);
	snprintf(system, sizeof(system), "%s %s %s", name.sysname,
	    name.release, name.machine);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return (json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "date",
	    when, "command", c->said == NULL ? "" : c->said, "kernel", system,
	    "cpu", processor(), "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN),
	    "memory_mb", (int)(sysconf(_SC_PHYS_PAGES) *
	    (sysconf(_SC_PAGESIZE) / 1024) / 1024), "rounds", (int)c->rounds,
	    "quiet_us", (int)c->gap_us));
}

static void
measure(const struct config *c, json_t *result, const char *name)
{
	for (size_t i = 0; i < MEASUREMENTS; i++)
		if (strcmp(measurements[i].name, name) == 0) {
			measurements[i].measure(c, result);
			return;
		}
	errx(64, "no measurement \"%s\"", name);
}

int
main(int argc, char **argv)
{
	struct config c = { .rounds = 500, .gap_us = 3000, .burst = 1000,
	    .idle_s = 60, .sizes = { 10, 1000, 9000 } };
	json_t *result;
	int option;

	while ((option = getopt(argc, argv, "B:a:b:c:d:e:g:i:j:m:n:o:p:q:r:t:x:"))
	    != -1)
		set_option(&c, option, optarg);
	if (c.program == NULL || c.tools == NULL || c.dir == NULL ||
	    c.jail == NULL || c.result == NULL || c.rounds == 0)
		usage();
	c.hurry = c.rounds < 100;
	result = json_pack("{s:i, s:o, s:{}, s:{}}", "format", 1, "machine",
	    describe(&c), "comparisons", "goals");
	fifo_open(&c);
	if (optind == argc)
		for (size_t i = 0; i < MEASUREMENTS; i++)
			measure(&c, result, measurements[i].name);
	for (int i = optind; i < argc; i++)
		measure(&c, result, argv[i]);
	if (json_dump_file(result, c.result, JSON_INDENT(1) |
	    JSON_REAL_PRECISION(6)) == -1)
		err(1, "%s", c.result);
	json_decref(result);
	return (0);
}
