/*
 * The life of an action: every pair of state and event, for every way to
 * respawn, against a table that is written apart from the code's; the rules
 * of time and number; and long random lives against what must always hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "life.h"

#define NOW		1000000
#define LOST_WAIT	1500

static void
begin(struct life *life, enum respawn respawn)
{
	const struct spec spec = { .respawn = respawn };

	life_init(life, &spec, LOST_WAIT);
}

/* A life that has just come into a state, as the daemon would bring it. */
static struct life
in_state(enum life_state state, enum respawn respawn)
{
	struct life life;

	begin(&life, respawn);
	life.state = state;
	life.probe = state == LIFE_ARMING || state == LIFE_ARMED ||
	    state == LIFE_REARMING || state == LIFE_ENDING;
	life.runs = state == LIFE_RUNNING || state == LIFE_RESTING;
	return (life);
}

#define CANNOT	"!"
/*
 * state.event -> "state effects", for never, after, now.  The runs and the
 * probe that in_state() gives are there.
 */
static const struct expectation {
	enum life_state	 state;
	enum life_event	 event;
	const char	*outcome[3];
} expectations[] = {
	{ LIFE_ARMING, LIFE_READY, { "armed", "armed", "armed" } },
	{ LIFE_ARMING, LIFE_REFUSED, { "ended", "ended", "ended" } },
	{ LIFE_ARMING, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMING, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMING, LIFE_RUN_ENDED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMING, LIFE_TIMER, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_ARMING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_ARMED, LIFE_READY, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMED, LIFE_REFUSED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMED, LIFE_HUP, { "ending run", "running run",
	    "rearming run attach" } },
	{ LIFE_ARMED, LIFE_LOST, { "ended", "resting timer",
	    "resting timer" } },
	{ LIFE_ARMED, LIFE_RUN_ENDED, { "armed", "armed", "armed" } },
	{ LIFE_ARMED, LIFE_TIMER, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ARMED, LIFE_JAIL_ENDED, { "ending kill", "ending kill",
	    "ending kill" } },
	{ LIFE_ARMED, LIFE_STOP, { "ending kill", "ending kill",
	    "ending kill" } },

	{ LIFE_REARMING, LIFE_READY, { "armed", "armed", "armed" } },
	{ LIFE_REARMING, LIFE_REFUSED, { "resting timer", "resting timer",
	    "resting timer" } },
	{ LIFE_REARMING, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_REARMING, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_REARMING, LIFE_RUN_ENDED, { "rearming", "rearming",
	    "rearming" } },
	{ LIFE_REARMING, LIFE_TIMER, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_REARMING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_REARMING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_RUNNING, LIFE_READY, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_REFUSED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_RUN_ENDED, { "rearming attach",
	    "rearming attach", "rearming attach" } },
	{ LIFE_RUNNING, LIFE_TIMER, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_RUNNING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_RESTING, LIFE_READY, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RESTING, LIFE_REFUSED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RESTING, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RESTING, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RESTING, LIFE_RUN_ENDED, { "rearming attach",
	    "rearming attach", "rearming attach" } },
	{ LIFE_RESTING, LIFE_TIMER, { "resting", "resting",
	    "rearming attach" } },
	{ LIFE_RESTING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_RESTING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_ENDING, LIFE_READY, { "ending kill", "ending kill",
	    "ending kill" } },
	{ LIFE_ENDING, LIFE_REFUSED, { "ended", "ended", "ended" } },
	{ LIFE_ENDING, LIFE_HUP, { "ending run", "ending run",
	    "ending run" } },
	{ LIFE_ENDING, LIFE_LOST, { "ended", "ended", "ended" } },
	{ LIFE_ENDING, LIFE_RUN_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_ENDING, LIFE_TIMER, { "ending", "ending", "ending" } },
	{ LIFE_ENDING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_ENDING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_ENDED, LIFE_READY, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_REFUSED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_RUN_ENDED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_TIMER, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_JAIL_ENDED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_ENDED, LIFE_STOP, { CANNOT, CANNOT, CANNOT } },
};

#define NEXPECTATIONS	(sizeof(expectations) / sizeof(expectations[0]))

static void
describe(char *buf, size_t size, const struct life *life, unsigned int effects)
{
	if (effects & LIFE_BUG) {
		snprintf(buf, size, CANNOT);
		return;
	}
	snprintf(buf, size, "%s%s%s%s%s", life_state_name(life->state),
	    effects & LIFE_START_RUN ? " run" : "",
	    effects & LIFE_KILL_PROBE ? " kill" : "",
	    effects & LIFE_ATTACH ? " attach" : "",
	    effects & LIFE_SET_TIMER ? " timer" : "");
}

static void
every_pair(void **state)
{
	char got[80];

	(void)state;
	assert_int_equal(NEXPECTATIONS, LIFE_STATES * LIFE_EVENTS);
	for (size_t i = 0; i < NEXPECTATIONS; i++) {
		const struct expectation *e = &expectations[i];

		for (int r = 0; r < 3; r++) {
			struct life life = in_state(e->state, (enum respawn)r);
			struct life before = life;
			unsigned int effects = life_step(&life, e->event, NOW);

			describe(got, sizeof(got), &life, effects);
			if (strcmp(got, e->outcome[r]) != 0)
				print_message("%s, %s, respawn %d\n",
				    life_state_name(e->state),
				    life_event_name(e->event), r);
			assert_string_equal(got, e->outcome[r]);
			/* What cannot be changes nothing. */
			if (effects & LIFE_BUG)
				assert_memory_equal(&life, &before,
				    sizeof(life));
		}
	}
}

static void
single_shot(void **state)
{
	struct life life;

	(void)state;
	begin(&life, RESPAWN_NEVER);
	assert_int_equal(life_step(&life, LIFE_READY, NOW), 0);
	assert_int_equal(life_step(&life, LIFE_HUP, NOW), LIFE_START_RUN);
	assert_int_equal(life.state, LIFE_ENDING);
	assert_int_equal(life_step(&life, LIFE_RUN_ENDED, NOW), 0);
	assert_int_equal(life.state, LIFE_ENDED);
}

/* -r: the eleventh trigger within a second makes it rest for a second. */
static void
burst(void **state)
{
	struct life life;
	unsigned int effects;
	int64_t now = NOW;

	(void)state;
	begin(&life, RESPAWN_AFTER);
	for (int i = 1; i <= LIFE_BURST + 1; i++, now += 50) {
		life_step(&life, LIFE_READY, now);
		effects = life_step(&life, LIFE_HUP, now);
		assert_int_equal((effects & LIFE_SAY_BURST) != 0,
		    i == LIFE_BURST + 1);
		effects = life_step(&life, LIFE_RUN_ENDED, now);
		assert_int_equal(effects, i == LIFE_BURST + 1 ?
		    LIFE_SET_TIMER : LIFE_ATTACH);
	}
	now -= 50;
	assert_int_equal(life.state, LIFE_RESTING);
	assert_int_equal(life_wait(&life, now), LIFE_REST_MS);
	/* Too early: asked again. */
	assert_int_equal(life_step(&life, LIFE_TIMER, now + LIFE_REST_MS - 1),
	    LIFE_SET_TIMER);
	assert_int_equal(life_step(&life, LIFE_TIMER, now + LIFE_REST_MS),
	    LIFE_ATTACH);
}

/* Ten a second, evenly, is not a burst. */
static void
no_burst(void **state)
{
	struct life life;
	int64_t now = NOW;

	(void)state;
	begin(&life, RESPAWN_NOW);
	for (int i = 0; i < 1000; i++, now += 100) {
		life_step(&life, LIFE_READY, now);
		assert_int_equal(life_step(&life, LIFE_HUP, now),
		    LIFE_START_RUN | LIFE_ATTACH);
		life_step(&life, LIFE_RUN_ENDED, now);
	}
}

static void
full(void **state)
{
	struct life life;
	unsigned int effects = 0;
	int64_t now = NOW;

	(void)state;
	begin(&life, RESPAWN_NOW);
	for (int i = 0; i < LIFE_RUNS_MAX; i++, now += 1000) {
		assert_int_equal(effects & LIFE_SAY_FULL, 0);
		life_step(&life, LIFE_READY, now);
		effects = life_step(&life, LIFE_HUP, now);
	}
	assert_int_equal(effects, LIFE_START_RUN | LIFE_SAY_FULL);
	assert_int_equal(life.state, LIFE_RESTING);
	assert_false(life.probe);
	assert_int_equal(life_step(&life, LIFE_RUN_ENDED, now), LIFE_ATTACH);
}

static void
lost_waits(void **state)
{
	struct life life;

	(void)state;
	begin(&life, RESPAWN_AFTER);
	life_step(&life, LIFE_READY, NOW);
	assert_int_equal(life_step(&life, LIFE_LOST, NOW), LIFE_SET_TIMER);
	assert_int_equal(life_wait(&life, NOW), LOST_WAIT);
	assert_int_equal(life_step(&life, LIFE_TIMER, NOW + LOST_WAIT),
	    LIFE_ATTACH);
}

static void
retries_get_rarer(void **state)
{
	struct life life = in_state(LIFE_REARMING, RESPAWN_AFTER);
	int64_t now = NOW, wait = LIFE_RETRY_MS;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(life_step(&life, LIFE_REFUSED, now),
		    LIFE_SET_TIMER);
		assert_int_equal(life_wait(&life, now), wait);
		now += wait;
		assert_int_equal(life_step(&life, LIFE_TIMER, now),
		    LIFE_ATTACH);
		wait = wait * 2 > LIFE_RETRY_MAX_MS ? LIFE_RETRY_MAX_MS :
		    wait * 2;
	}
	assert_int_equal(wait, LIFE_RETRY_MAX_MS);
	/* Once attached, the next failure waits shortly again. */
	life_step(&life, LIFE_READY, now);
	life_step(&life, LIFE_HUP, now);
	life_step(&life, LIFE_RUN_ENDED, now);
	life_step(&life, LIFE_REFUSED, now);
	assert_int_equal(life_wait(&life, now), LIFE_RETRY_MS);
}

/* The world around a life: what is really there. */
struct world {
	int	attaching, probes, runs;
	long	hups, started;
};

static enum life_event
choose_event(const struct world *w, const struct life *life, int64_t now)
{
	for (;;) {
		enum life_event e = (enum life_event)(rand() % LIFE_EVENTS);
		bool possible[LIFE_EVENTS] = {
			[LIFE_READY] = w->attaching > 0,
			[LIFE_REFUSED] = w->attaching > 0,
			[LIFE_HUP] = w->probes > 0,
			[LIFE_LOST] = w->probes > 0,
			[LIFE_RUN_ENDED] = w->runs > 0,
			[LIFE_TIMER] = life->state == LIFE_RESTING &&
			    life_wait(life, now) == 0,
			[LIFE_JAIL_ENDED] = rand() % 500 == 0,
			[LIFE_STOP] = rand() % 500 == 0,
		};

		if (possible[e])
			return (e);
		if (e == LIFE_TIMER && rand() % 4 == 0)
			return (LIFE_EVENTS);	/* time goes by */
	}
}

static void
live(struct world *w, enum life_event event)
{
	w->attaching -= event == LIFE_READY || event == LIFE_REFUSED;
	w->probes += event == LIFE_READY;
	w->probes -= event == LIFE_HUP || event == LIFE_LOST;
	w->runs -= event == LIFE_RUN_ENDED;
	w->hups += event == LIFE_HUP;
}

static void
hold(const struct world *w, const struct life *life, unsigned int effects)
{
	assert_int_equal(effects & LIFE_BUG, 0);
	assert_int_equal(w->hups, w->started);
	assert_in_range(w->attaching + w->probes, 0, 1);
	assert_int_equal(life->probe, w->attaching + w->probes == 1);
	assert_int_equal(life->runs, w->runs);
	assert_in_range(w->runs, 0, life->runs_max + 1);
	if (life->state == LIFE_ARMED)
		assert_int_equal(w->probes, 1);
	if (life->respawn == RESPAWN_AFTER && w->probes == 1 &&
	    life->state == LIFE_ARMED)
		assert_int_equal(w->runs, 0);
}

/* -i: the probe stays away until the interval has passed, begin to begin. */
static void
interval(void **state)
{
	const struct spec spec = { .respawn = RESPAWN_AFTER, .interval = 5 };
	struct life life;

	(void)state;
	life_init(&life, &spec, LOST_WAIT);
	life_step(&life, LIFE_READY, NOW);
	assert_int_equal(life_step(&life, LIFE_HUP, NOW), LIFE_START_RUN);
	assert_int_equal(life_step(&life, LIFE_RUN_ENDED, NOW + 100),
	    LIFE_SET_TIMER);
	assert_int_equal(life.state, LIFE_RESTING);
	assert_int_equal(life_wait(&life, NOW + 100), 4900);
	assert_int_equal(life_step(&life, LIFE_TIMER, NOW + 4999),
	    LIFE_SET_TIMER);
	assert_int_equal(life_step(&life, LIFE_TIMER, NOW + 5000),
	    LIFE_ATTACH);
}

/* -L: that many runs at a time, with -R. */
static void
parallel(void **state)
{
	const struct spec spec = { .respawn = RESPAWN_NOW, .parallel = 2 };
	struct life life;

	(void)state;
	life_init(&life, &spec, LOST_WAIT);
	life_step(&life, LIFE_READY, NOW);
	assert_int_equal(life_step(&life, LIFE_HUP, NOW),
	    LIFE_START_RUN | LIFE_ATTACH);
	life_step(&life, LIFE_READY, NOW);
	assert_int_equal(life_step(&life, LIFE_HUP, NOW),
	    LIFE_START_RUN | LIFE_SAY_FULL);
	assert_int_equal(life.state, LIFE_RESTING);
	assert_int_equal(life_step(&life, LIFE_RUN_ENDED, NOW), LIFE_ATTACH);
}

/* An action of the file is tried again where another would be given up. */
static void
kept(void **state)
{
	const struct spec spec = { .respawn = RESPAWN_NEVER };
	struct life life;

	(void)state;
	life_init_kept(&life, &spec, LOST_WAIT);
	assert_int_equal(life_step(&life, LIFE_REFUSED, NOW), LIFE_SET_TIMER);
	assert_int_equal(life.state, LIFE_RESTING);
	assert_int_equal(life_step(&life, LIFE_TIMER, NOW + LIFE_RETRY_MS),
	    LIFE_ATTACH);
	life_step(&life, LIFE_READY, NOW);
	assert_int_equal(life_step(&life, LIFE_HUP, NOW), LIFE_START_RUN);
	assert_int_equal(life.state, LIFE_ENDING);
}

static void
random_lives(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 3000; seed++) {
		struct world w = { .attaching = 1 };
		struct life life;
		int64_t now = NOW;

		srand(seed);
		begin(&life, (enum respawn)(seed % 3));
		for (int i = 0; i < 300 && life.state != LIFE_ENDED; i++) {
			enum life_event event = choose_event(&w, &life, now);
			unsigned int effects;

			now += rand() % 300;
			if (event == LIFE_EVENTS)
				continue;
			live(&w, event);
			effects = life_step(&life, event, now);
			w.attaching += (effects & LIFE_ATTACH) != 0;
			w.runs += (effects & LIFE_START_RUN) != 0;
			w.started += (effects & LIFE_START_RUN) != 0;
			hold(&w, &life, effects);
		}
		if (life.state == LIFE_ENDED)
			assert_int_equal(w.attaching + w.probes + w.runs, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(single_shot),
		cmocka_unit_test(burst),
		cmocka_unit_test(no_burst),
		cmocka_unit_test(full),
		cmocka_unit_test(lost_waits),
		cmocka_unit_test(retries_get_rarer),
		cmocka_unit_test(interval),
		cmocka_unit_test(parallel),
		cmocka_unit_test(kept),
		cmocka_unit_test(random_lives),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
