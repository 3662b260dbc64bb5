/*
 * Many: what grows with the number of armed probes, how fast 32 connections
 * arm, and a thousand triggers at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define US(ns)		((double)(ns) / 1000)
#define ARMS		2000		/* for each sample of the rate */
#define REPETITIONS	5

/* -- daemons beside each other ----------------------------------------------- */

/* What differs between them is who they are or how much they have armed. */
struct peers {
	const struct config *config;
	unsigned int	 n;
	struct daemon	*daemons[SIZES];
	struct series	 arm[SIZES];
	struct series	 trigger[SIZES];
};

static void
add_peer(struct peers *p, const struct config *config, const char *key,
    const char *label, unsigned int armed)
{
	unsigned int i = p->n++;
	char name[16];

	snprintf(name, sizeof(name), "peer%u", i);
	p->arm[i].key = p->trigger[i].key = key;
	p->arm[i].label = p->trigger[i].label = label;
	p->daemons[i] = daemon_start(config, name, NULL);
	daemon_arm_many(p->daemons[i], armed);
}

static void
one_round(struct peers *p, bool count)
{
	unsigned int order[SIZES], numbers[SIZES];
	int64_t ns;

	shuffle(order, p->n);
	for (unsigned int i = 0; i < p->n; i++) {
		unsigned int d = order[i];

		pause_us(p->config->gap_us);
		numbers[d] = daemon_arm(p->daemons[d], &ns);
		if (count)
			series_add(&p->arm[d], US(ns));
	}
	for (unsigned int i = 0; i < p->n; i++) {
		unsigned int d = order[i];

		pause_us(p->config->gap_us);
		ns = daemon_trigger_ns(p->daemons[d], numbers[d]);
		if (count)
			series_add(&p->trigger[d], US(ns));
	}
	fifo_is_empty("one of some daemons");
}

static void
sample_peers(struct peers *p)
{
	/* What follows an attaching for some seconds is not to be measured. */
	if (!p->config->hurry)
		pause_us(6000000);
	for (unsigned int i = 0; i < p->config->rounds / 20 + 3; i++)
		one_round(p, false);
	for (unsigned int i = 0; i < p->config->rounds; i++)
		one_round(p, true);
}

static void
report_peers(json_t *result, const char *key, const char *title,
    const struct series *s, unsigned int n)
{
	json_t *c = comparison(result, key, title, "us", s, n);

	for (unsigned int i = 1; i < n; i++)
		add_ratio(c, &s[i], &s[0]);
}

static void
stop_peers(struct peers *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		daemon_stop(p->daemons[i]);
	series_free(p->arm, p->n);
	series_free(p->trigger, p->n);
}

void
measure_growth(const struct config *config, json_t *result)
{
	char keys[SIZES][16], labels[SIZES][32];
	struct peers p = { .config = config };

	for (unsigned int i = 0; i < SIZES; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%u", config->sizes[i]);
		snprintf(labels[i], sizeof(labels[i]), "%u probes armed",
		    config->sizes[i]);
		add_peer(&p, config, keys[i], labels[i], config->sizes[i]);
	}
	sample_peers(&p);
	report_peers(result, "growth_trigger", "Growth: the trigger, with so "
	    "many probes armed", p.trigger, p.n);
	report_peers(result, "growth_arm", "Growth: arming, with so many "
	    "probes armed", p.arm, p.n);
	goal(result, "growth_trigger", "trigger, p50, with most probes to that "
	    "with fewest", ratio_p(&p.trigger[SIZES - 1], &p.trigger[0], 0.5),
	    1.1, false);
	goal(result, "growth_arm", "arming, p50, with most probes to that with "
	    "fewest", ratio_p(&p.arm[SIZES - 1], &p.arm[0], 0.5), 1.1, false);
	stop_peers(&p);
}

/* A change, beside the program that was before it. */
void
measure_change(const struct config *config, json_t *result)
{
	struct config before = *config;
	struct peers p = { .config = config };

	if (config->before == NULL)
		return;
	before.program = config->before;
	add_peer(&p, &before, "before", "before", config->sizes[0]);
	add_peer(&p, config, "after", "after", config->sizes[0]);
	sample_peers(&p);
	report_peers(result, "change_trigger", "Change: the trigger", p.trigger,
	    p.n);
	report_peers(result, "change_arm", "Change: arming", p.arm, p.n);
	stop_peers(&p);
}

/* -- connections that are kept ----------------------------------------------- */

/* One after the other: it does no more than that. */
static double
floor_arm_rate(const struct config *config, unsigned int count)
{
	struct floor *f = floor_start(config, "kept-floor", NULL);
	int64_t start = now_ns();

	for (unsigned int i = 0; i < count; i++)
		floor_ask(f, "arm", NULL);
	start = now_ns() - start;
	floor_stop(f);
	return (count / ((double)start / 1e9));
}

static double
arm_rate(const struct config *config, unsigned int count)
{
	struct daemon *d = daemon_start(config, "kept", NULL);
	int64_t ns = daemon_arm_many(d, count);

	daemon_stop(d);
	return (count / ((double)ns / 1e9));
}

void
measure_kept(const struct config *config, json_t *result)
{
	struct series s[2] = {
	    { .key = "floor", .label = "floor: bare loop, one after the "
	    "other" },
	    { .key = "jaildaemon", .label = "jaildaemon" },
	};
	unsigned int count = config->hurry ? ARMS / 10 : ARMS;
	json_t *c;

	for (int i = 0; i < REPETITIONS; i++) {
		series_add(&s[0], floor_arm_rate(config, count));
		series_add(&s[1], arm_rate(config, count));
	}
	c = comparison(result, "kept", "Arming over 32 connections that are "
	    "kept", "arms/s", s, 2);
	add_ratio(c, &s[1], &s[0]);
	goal(result, "arm_rate", "arms a second over 32 connections, p50",
	    series_quantile(&s[1], 0.5), 2000, true);
	series_free(s, 2);
}

/* -- a burst ----------------------------------------------------------------- */

static double
burst_ms(struct daemon *d, unsigned int count)
{
	unsigned int first = d->next, before = d->ended;
	int64_t start;

	daemon_arm_many(d, count);
	daemon_listen(d);
	pause_us(100000);
	start = now_ns();
	/* A number without a probe was refused, and another one taken. */
	for (unsigned int i = first; i < d->next; i++)
		if (d->probes[i] != 0)
			kill(d->probes[i], SIGHUP);
	start = fifo_wait_many_ns("burst", count) - start;
	daemon_wait(d, &d->ended, before + count);
	fifo_is_empty("burst");
	return ((double)start / 1e6);
}

static double
floor_burst_ms(struct floor *f, unsigned int count)
{
	char request[32];
	int64_t start = now_ns();

	snprintf(request, sizeof(request), "burst %u\n", count);
	send_all(f->conn, request, strlen(request));
	start = fifo_wait_many_ns("floor", count) - start;
	receive_line(f->conn, request, sizeof(request));
	pause_us(100000);
	return ((double)start / 1e6);
}

void
measure_burst(const struct config *config, json_t *result)
{
	struct series s[2] = {
	    { .key = "floor", .label = "floor: bare loop that starts as many "
	    "shells" },
	    { .key = "jaildaemon", .label = "jaildaemon" },
	};
	unsigned int repetitions = config->rounds / 25 + 1, order[2];
	struct daemon *d = daemon_start(config, "burst", NULL);
	struct floor *f = floor_start(config, "burst-floor", NULL);
	char title[64];
	json_t *c;

	for (unsigned int i = 0; i < repetitions; i++) {
		shuffle(order, 2);
		for (int j = 0; j < 2; j++)
			series_add(&s[order[j]], order[j] == 0 ?
			    floor_burst_ms(f, config->burst) :
			    burst_ms(d, config->burst));
	}
	snprintf(title, sizeof(title), "Burst: %u at once, until the last "
	    "command's byte", config->burst);
	c = comparison(result, "burst", title, "ms", s, 2);
	add_ratio(c, &s[1], &s[0]);
	goal(result, "burst_lost", "triggers of bursts that did not run",
	    (double)repetitions * config->burst - d->ended, 0, false);
	goal(result, "burst", "burst, p50, to the floor's",
	    ratio_p(&s[1], &s[0], 0.5), 1.3, false);
	daemon_stop(d);
	floor_stop(f);
	series_free(s, 2);
}
