/*
 * The trigger, arming, and the whole utility, each beside its floor, round by
 * round.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define ARMED		10		/* besides, all the time */
#ifdef __linux__
#define FLOOR_LABEL	"floor: epoll, waitid, vfork, exec of sh"
#else
#define FLOOR_LABEL	"floor: kqueue, pdfork, exec of sh"
#endif
#define US(ns)		((double)(ns) / 1000)

enum kind { ECHO, FLOOR_ARM, ARM, TRUE, UTILITY, FLOOR_TRIGGER, TRIGGER,
	    KINDS };

struct pair {
	const struct config *config;
	struct daemon	*daemon;
	struct floor	*floor;
	struct series	 s[KINDS];
	unsigned int	 number;	/* of the action that was armed last */
	pid_t		 probe;		/* the floor's */
};

static int64_t
time_floor_arm(struct pair *p)
{
	int64_t ns;
	pid_t pid = (pid_t)floor_ask(p->floor, "arm", &ns);

	if (pid <= 0 || kill(pid, SIGTERM) == -1)
		die("the floor's arm");
	return (ns);
}

static int64_t
time_utility(struct pair *p)
{
	unsigned int number;
	char title[64];
	const char *words[] = { p->config->program, "-f", p->daemon->sock, "-c",
	    fifo_command(), "-j", p->config->jail, "-t", title, NULL };
	int64_t ns;

	do {
		number = daemon_number(p->daemon);
		snprintf(title, sizeof(title), "%s-%u", p->daemon->name,
		    number);
		ns = child_time_ns(words);
	} while (ns == -1);
	daemon_lose(p->daemon, number, 1);
	return (ns);
}

static int64_t
sample(struct pair *p, enum kind kind)
{
	static const char *const true_words[] = { "/usr/bin/true", NULL };
	int64_t ns = 0;

	switch (kind) {
	case ECHO:
		floor_ask(p->floor, "echo", &ns);
		break;
	case FLOOR_ARM:
		ns = time_floor_arm(p);
		break;
	case ARM:
		p->number = daemon_arm(p->daemon, &ns);
		break;
	case TRUE:
		ns = child_time_ns(true_words);
		break;
	case UTILITY:
		ns = time_utility(p);
		break;
	case FLOOR_TRIGGER:
		ns = floor_trigger_ns(p->probe);
		break;
	case TRIGGER:
		ns = daemon_trigger_ns(p->daemon, p->number);
		break;
	case KINDS:
		break;
	}
	return (ns);
}

/* Kinds first to last in random order, each after a while of quiet. */
static void
sample_all(struct pair *p, enum kind first, enum kind last, bool count)
{
	unsigned int order[KINDS], n = last - first + 1;

	shuffle(order, n);
	for (unsigned int i = 0; i < n; i++) {
		enum kind kind = first + order[i];
		int64_t ns;

		pause_us(p->config->gap_us);
		ns = sample(p, kind);
		if (count)
			series_add(&p->s[kind], US(ns));
	}
}

static void
one_round(struct pair *p, bool count)
{
	sample_all(p, ECHO, UTILITY, count);
	p->probe = (pid_t)floor_ask(p->floor, "probe", NULL);
	sample_all(p, FLOOR_TRIGGER, TRIGGER, count);
	fifo_is_empty("the trigger");
}

/* What is left of each sample without the median of another series. */
static struct series
without(const struct series *s, const struct series *other)
{
	struct series result = { .key = s->key, .label = s->label };
	double less = series_quantile(other, 0.5);

	for (unsigned int i = 0; i < s->n; i++)
		series_add(&result, s->values[i] - less);
	return (result);
}

static void
report_trigger(struct pair *p, json_t *result)
{
	struct series *floor = &p->s[FLOOR_TRIGGER], *ours = &p->s[TRIGGER];
	json_t *c = comparison(result, "trigger", "Trigger: HUP sent to first "
	    "byte of the command", "us", floor, 2);

	add_ratio(c, ours, floor);
	goal(result, "trigger_p50", "trigger, p50, to the floor's",
	    ratio_p(ours, floor, 0.5), 1.1, false);
	goal(result, "trigger_p99", "trigger, p99, to the floor's",
	    ratio_p(ours, floor, 0.99), 1.5, false);
}

static void
report_arm(struct pair *p, json_t *result)
{
	struct series s[2] = { without(&p->s[FLOOR_ARM], &p->s[ECHO]),
	    without(&p->s[ARM], &p->s[ECHO]) };
	json_t *c = comparison(result, "arm", "Arming: request sent to reply "
	    "received", "us", &p->s[ECHO], 3);

	add_ratio(c, &p->s[ARM], &p->s[FLOOR_ARM]);
	c = comparison(result, "arm_server", "Arming: request read to reply "
	    "written (the same without the echo's median)", "us", s, 2);
	add_ratio(c, &s[1], &s[0]);
	goal(result, "arm_p50", "arming in the daemon, p50, to the floor's",
	    ratio_p(&s[1], &s[0], 0.5), 1.3, false);
	series_free(s, 2);
	c = comparison(result, "utility", "Arming by the utility: start to end "
	    "of jaildaemon -c", "us", &p->s[TRUE], 2);
	add_ratio(c, &p->s[UTILITY], &p->s[TRUE]);
	goal(result, "utility_p50", "jaildaemon -c, p50, us",
	    series_quantile(&p->s[UTILITY], 0.5), 2000, false);
}

void
measure_trigger(const struct config *config, json_t *result)
{
	struct pair p = { .config = config, .s = {
		[ECHO] = { .key = "echo", .label = "bare loop that only answers" },
		[FLOOR_ARM] = { .key = "floor", .label = "floor: bare loop, same steps" },
		[ARM] = { .key = "jaildaemon", .label = "jaildaemon" },
		[TRUE] = { .key = "true", .label = "true(1), for scale" },
		[UTILITY] = { .key = "jaildaemon", .label = "jaildaemon -c" },
		[FLOOR_TRIGGER] = { .key = "floor", .label = FLOOR_LABEL },
		[TRIGGER] = { .key = "jaildaemon", .label = "jaildaemon" },
	} };

	p.daemon = daemon_start(config, "trigger", NULL);
	p.floor = floor_start(config, "floor", NULL);
	daemon_arm_many(p.daemon, ARMED);
	for (unsigned int i = 0; i < config->rounds / 20 + 3; i++)
		one_round(&p, false);
	for (unsigned int i = 0; i < config->rounds; i++)
		one_round(&p, true);
	report_trigger(&p, result);
	report_arm(&p, result);
	daemon_stop(p.daemon);
	floor_stop(p.floor);
	series_free(p.s, KINDS);
}
