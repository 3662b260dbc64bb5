/* metrics.c: what is counted, and the text that Prometheus reads. */
#include <sys/types.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* The value of a sample, named with its labels; NULL: not there, or twice. */
static const char *
sample(const char *text, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);
	const char *found = NULL, *line;

	for (line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strncmp(line, name, len) != 0 || line[len] != ' ')
			continue;
		if (found != NULL)
			return (NULL);
		found = line + len + 1;
	}
	if (found != NULL)
		(void)snprintf(value, size, "%.*s", (int)strcspn(found, "\n"),
		    found);
	return (found == NULL ? NULL : value);
}

#define ASSERT_SAMPLE(text, name, wanted) do {				\
	char value_[32];						\
	const char *got_ = sample(text, name, value_, sizeof(value_));	\
									\
	assert_non_null(got_);						\
	assert_string_equal(got_, wanted);				\
} while (0)

static void
zero(void **state)
{
	static const char *const names[] = {
		"jaildaemon_actions{state=\"arming\"}",
		"jaildaemon_actions{state=\"armed\"}",
		"jaildaemon_actions{state=\"rearming\"}",
		"jaildaemon_actions{state=\"running\"}",
		"jaildaemon_actions{state=\"resting\"}",
		"jaildaemon_actions{state=\"ending\"}",
		"jaildaemon_probes", "jaildaemon_runs_active",
		"jaildaemon_triggers_total",
		"jaildaemon_runs_total{result=\"success\"}",
		"jaildaemon_runs_total{result=\"failure\"}",
		"jaildaemon_runs_total{result=\"signal\"}",
		"jaildaemon_runs_total{result=\"timeout\"}",
		"jaildaemon_runs_total{result=\"unknown\"}",
		"jaildaemon_run_seconds_bucket{le=\"0.01\"}",
		"jaildaemon_run_seconds_bucket{le=\"+Inf\"}",
		"jaildaemon_run_seconds_count",
		"jaildaemon_lost_total", "jaildaemon_refusals_total",
		"jaildaemon_arm_failures_total",
	};
	struct metrics m;
	char *text;

	(void)state;
	memset(&m, 0, sizeof(m));
	text = metrics_text(&m);
	assert_non_null(text);
	for (size_t i = 0; i < NITEMS(names); i++)
		ASSERT_SAMPLE(text, names[i], "0");
	ASSERT_SAMPLE(text, "jaildaemon_run_seconds_sum", "0.000");
	ASSERT_SAMPLE(text, "jaildaemon_start_time_seconds", "0.000");
	/* What has ended is forgotten, and no state of it. */
	assert_null(strstr(text, "\"ended\""));
	free(text);
}

/* Each counter is shown under its own name. */
static void
counters(void **state)
{
	struct metrics m;
	char *text;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.triggers = UINT64_MAX;
	m.succeeded = 2;
	m.failed = 3;
	m.signalled = 4;
	m.timed_out = 5;
	m.unknown = 13;
	m.lost = 6;
	m.refused = 7;
	m.attach_failed = 8;
	m.started_at = 1795521600007;
	m.by_state[LIFE_ARMED] = 9;
	m.by_state[LIFE_RESTING] = 10;
	m.probes = 11;
	m.running = 12;
	text = metrics_text(&m);
	assert_non_null(text);
	ASSERT_SAMPLE(text, "jaildaemon_triggers_total",
	    "18446744073709551615");
	ASSERT_SAMPLE(text, "jaildaemon_runs_total{result=\"success\"}", "2");
	ASSERT_SAMPLE(text, "jaildaemon_runs_total{result=\"failure\"}", "3");
	ASSERT_SAMPLE(text, "jaildaemon_runs_total{result=\"signal\"}", "4");
	ASSERT_SAMPLE(text, "jaildaemon_runs_total{result=\"timeout\"}", "5");
	ASSERT_SAMPLE(text, "jaildaemon_runs_total{result=\"unknown\"}", "13");
	ASSERT_SAMPLE(text, "jaildaemon_lost_total", "6");
	ASSERT_SAMPLE(text, "jaildaemon_refusals_total", "7");
	ASSERT_SAMPLE(text, "jaildaemon_arm_failures_total", "8");
	ASSERT_SAMPLE(text, "jaildaemon_start_time_seconds", "1795521600.007");
	ASSERT_SAMPLE(text, "jaildaemon_actions{state=\"armed\"}", "9");
	ASSERT_SAMPLE(text, "jaildaemon_actions{state=\"resting\"}", "10");
	ASSERT_SAMPLE(text, "jaildaemon_actions{state=\"arming\"}", "0");
	ASSERT_SAMPLE(text, "jaildaemon_probes", "11");
	ASSERT_SAMPLE(text, "jaildaemon_runs_active", "12");
	free(text);
}

/* Buckets hold what took no longer than their bound, so they never fall. */
static void
histogram(void **state)
{
	static const struct {
		const char	*name;
		const char	*value;
	} samples[] = {
		{ "jaildaemon_run_seconds_bucket{le=\"0.01\"}", "2" },
		{ "jaildaemon_run_seconds_bucket{le=\"0.1\"}", "4" },
		{ "jaildaemon_run_seconds_bucket{le=\"1\"}", "6" },
		{ "jaildaemon_run_seconds_bucket{le=\"10\"}", "7" },
		{ "jaildaemon_run_seconds_bucket{le=\"60\"}", "8" },
		{ "jaildaemon_run_seconds_bucket{le=\"600\"}", "9" },
		{ "jaildaemon_run_seconds_bucket{le=\"3600\"}", "9" },
		{ "jaildaemon_run_seconds_bucket{le=\"36000\"}", "10" },
		{ "jaildaemon_run_seconds_bucket{le=\"+Inf\"}", "11" },
		{ "jaildaemon_run_seconds_count", "11" },
		{ "jaildaemon_run_seconds_sum", "72673.223" },
	};
	static const int64_t took[] = { 0, 10, 11, 100, 101, 1000, 1001, 60000,
	    600000, 36000000, 36011000 };
	struct metrics m;
	char *text;

	(void)state;
	memset(&m, 0, sizeof(m));
	for (size_t i = 0; i < NITEMS(took); i++)
		metrics_run(&m, took[i]);
	text = metrics_text(&m);
	assert_non_null(text);
	for (size_t i = 0; i < NITEMS(samples); i++)
		ASSERT_SAMPLE(text, samples[i].name, samples[i].value);
	free(text);
}

/* HELP and TYPE stand once before each family, whose samples are together. */
static void
form(void **state)
{
	char family[64] = "", help[64], type[16], rest[128];
	struct metrics m;
	char *text, *line, *next;

	(void)state;
	memset(&m, 0, sizeof(m));
	text = metrics_text(&m);
	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (line = text; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		if (sscanf(line, "# HELP %63s %127[^\n]", help, rest) == 2) {
			assert_int_equal(rest[strlen(rest) - 1], '.');
			(void)snprintf(family, sizeof(family), "%s", help);
			continue;
		}
		if (sscanf(line, "# TYPE %63s %15s", help, type) == 2) {
			assert_string_equal(help, family);
			assert_true(strcmp(type, "gauge") == 0 ||
			    strcmp(type, "counter") == 0 ||
			    strcmp(type, "histogram") == 0);
			assert_int_equal(strcmp(type, "counter") == 0,
			    strstr(family, "_total") != NULL);
			continue;
		}
		assert_true(*family != '\0');
		assert_memory_equal(line, family, strlen(family));
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero),
		cmocka_unit_test(counters),
		cmocka_unit_test(histogram),
		cmocka_unit_test(form),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
