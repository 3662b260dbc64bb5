#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

/* Upper bounds; the histogram's last bucket has none. */
static const struct {
	int64_t		 ms;
	const char	*le;
} bounds[METRICS_BUCKETS] = {
	{ 10, "0.01" }, { 100, "0.1" }, { 1000, "1" }, { 10000, "10" },
	{ 60000, "60" }, { 600000, "600" }, { 3600000, "3600" },
	{ 36000000, "36000" },
};

void
metrics_run(struct metrics *m, int64_t ms)
{
	m->run_count++;
	m->run_ms += (uint64_t)ms;
	for (int i = 0; i < METRICS_BUCKETS; i++)
		m->buckets[i] += ms <= bounds[i].ms;
}

static void
head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP jaildaemon_%s %s\n# TYPE jaildaemon_%s %s\n", name,
	    help, name, type);
}

static void
one(FILE *f, const char *name, const char *type, const char *help,
    uint64_t value)
{
	head(f, name, type, help);
	fprintf(f, "jaildaemon_%s %" PRIu64 "\n", name, value);
}

static void
states(FILE *f, const struct metrics *m)
{
	head(f, "actions", "gauge", "Actions by the state of their life.");
	for (int i = 0; i < LIFE_ENDED; i++)
		fprintf(f, "jaildaemon_actions{state=\"%s\"} %" PRIu64 "\n",
		    life_state_name((enum life_state)i), m->by_state[i]);
}

static void
runs(FILE *f, const struct metrics *m)
{
	const struct {
		const char	*result;
		uint64_t	 value;
	} results[] = {
		{ "success", m->succeeded }, { "failure", m->failed },
		{ "signal", m->signalled }, { "timeout", m->timed_out },
		{ "unknown", m->unknown },
	};

	head(f, "runs_total", "counter", "Runs that have ended, by result.");
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		fprintf(f, "jaildaemon_runs_total{result=\"%s\"} %" PRIu64
		    "\n", results[i].result, results[i].value);
}

static void
histogram(FILE *f, const struct metrics *m)
{
	head(f, "run_seconds", "histogram", "How long runs took.");
	for (int i = 0; i < METRICS_BUCKETS; i++)
		fprintf(f, "jaildaemon_run_seconds_bucket{le=\"%s\"} %" PRIu64
		    "\n", bounds[i].le, m->buckets[i]);
	fprintf(f, "jaildaemon_run_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	    "jaildaemon_run_seconds_sum %" PRIu64 ".%03u\n"
	    "jaildaemon_run_seconds_count %" PRIu64 "\n", m->run_count,
	    m->run_ms / 1000, (unsigned int)(m->run_ms % 1000), m->run_count);
}

char *
metrics_text(const struct metrics *m)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return (NULL);
	states(f, m);
	one(f, "probes", "gauge", "Probes, those being attached included.",
	    m->probes);
	one(f, "runs_active", "gauge", "Runs going on.", m->running);
	one(f, "triggers_total", "counter", "Probes ended by SIGHUP.",
	    m->triggers);
	runs(f, m);
	histogram(f, m);
	one(f, "lost_total", "counter", "Probes ended in any other way.",
	    m->lost);
	one(f, "refusals_total", "counter", "Requests that were refused.",
	    m->refused);
	one(f, "arm_failures_total", "counter",
	    "Probes that could not be attached.", m->attach_failed);
	head(f, "start_time_seconds", "gauge",
	    "When the daemon started, since the Epoch.");
	fprintf(f, "jaildaemon_start_time_seconds %lld.%03d\n",
	    (long long)(m->started_at / 1000), (int)(m->started_at % 1000));
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}
