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

/* -- growth ------------------------------------------------------------------ */

struct growth {
	const struct config *config;
	struct daemon	*daemons[SIZES];
	struct series	 arm[SIZES];
	struct series	 trigger[SIZES];
};

static void
one_round(struct growth *g, bool count)
{
	unsigned int order[SIZES], numbers[SIZES];
	int64_t ns;

	shuffle(order, SIZES);
	for (unsigned int i = 0; i < SIZES; i++) {
		unsigned int d = order[i];

		pause_us(g->config->gap_us);
		numbers[d] = daemon_arm(g->daemons[d], &ns);
		if (count)
			series_add(&g->arm[d], US(ns));
	}
	for (unsigned int i = 0; i < SIZES; i++) {
		unsigned int d = order[i];

		pause_us(g->config->gap_us);
		ns = daemon_trigger_ns(g->daemons[d], numbers[d]);
		if (count)
			series_add(&g->trigger[d], US(ns));
	}
	fifo_is_empty("growth");
}

static void
report_growth(struct growth *g, json_t *result)
{
	struct series *a = g->arm, *t = g->trigger;
	json_t *c;

	c = comparison(result, "growth_trigger", "Growth: the trigger, with so "
	    "many probes armed", "us", t, SIZES);
	for (unsigned int i = 1; i < SIZES; i++)
		add_ratio(c, &t[i], &t[0]);
	c = comparison(result, "growth_arm", "Growth: arming, with so many "
	    "probes armed", "us", a, SIZES);
	for (unsigned int i = 1; i < SIZES; i++)
		add_ratio(c, &a[i], &a[0]);
	goal(result, "growth_trigger", "trigger, p50, with most probes to that "
	    "with fewest", ratio_p(&t[SIZES - 1], &t[0], 0.5), 1.1, false);
	goal(result, "growth_arm", "arming, p50, with most probes to that with "
	    "fewest", ratio_p(&a[SIZES - 1], &a[0], 0.5), 1.1, false);
}

void
measure_growth(const struct config *config, json_t *result)
{
	char names[SIZES][16], keys[SIZES][16], labels[SIZES][32];
	struct growth g = { .config = config };

	for (unsigned int i = 0; i < SIZES; i++) {
		snprintf(names[i], sizeof(names[i]), "grow%u", i);
		snprintf(keys[i], sizeof(keys[i]), "%u", config->sizes[i]);
		snprintf(labels[i], sizeof(labels[i]), "%u probes armed",
		    config->sizes[i]);
		g.arm[i].key = g.trigger[i].key = keys[i];
		g.arm[i].label = g.trigger[i].label = labels[i];
		g.daemons[i] = daemon_start(config, names[i], NULL);
		daemon_arm_many(g.daemons[i], config->sizes[i]);
	}
	/* What follows an attaching for some seconds is not to be measured. */
	if (!config->hurry)
		pause_us(6000000);
	for (unsigned int i = 0; i < config->rounds / 20 + 3; i++)
		one_round(&g, false);
	for (unsigned int i = 0; i < config->rounds; i++)
		one_round(&g, true);
	report_growth(&g, result);
	for (unsigned int i = 0; i < SIZES; i++)
		daemon_stop(g.daemons[i]);
	series_free(g.arm, SIZES);
	series_free(g.trigger, SIZES);
}

/* -- connections that are kept ----------------------------------------------- */

void
measure_kept(const struct config *config, json_t *result)
{
	struct series s = { .key = "jaildaemon", .label = "jaildaemon" };
	unsigned int count = config->hurry ? ARMS / 10 : ARMS;

	for (int i = 0; i < REPETITIONS; i++) {
		struct daemon *d = daemon_start(config, "kept", NULL);

		series_add(&s, count / ((double)daemon_arm_many(d, count) /
		    1e9));
		daemon_stop(d);
	}
	comparison(result, "kept", "Arming over 32 connections that are kept",
	    "arms/s", &s, 1);
	goal(result, "arm_rate", "arms a second over 32 connections, p50",
	    series_quantile(&s, 0.5), 2000, true);
	series_free(&s, 1);
}

/* -- a burst ----------------------------------------------------------------- */

static double
burst_ms(struct daemon *d, unsigned int count)
{
	unsigned int first = d->next, before = d->ended;
	int64_t start;

	daemon_arm_many(d, count);
	for (unsigned int i = first; i < first + count; i++)
		daemon_probe(d, i);
	pause_us(100000);
	start = now_ns();
	for (unsigned int i = first; i < first + count; i++)
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
