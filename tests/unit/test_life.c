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
	{ LIFE_ARMED, LIFE_TIMER, { "armed", "armed", "armed" } },
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
	{ LIFE_REARMING, LIFE_TIMER, { "rearming", "rearming", "rearming" } },
	{ LIFE_REARMING, LIFE_JAIL_ENDED, { "ending", "ending", "ending" } },
	{ LIFE_REARMING, LIFE_STOP, { "ending", "ending", "ending" } },

	{ LIFE_RUNNING, LIFE_READY, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_REFUSED, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_HUP, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_LOST, { CANNOT, CANNOT, CANNOT } },
	{ LIFE_RUNNING, LIFE_RUN_ENDED, { "rearming attach",
	    "rearming attach", "rearming attach" } },
	{ LIFE_RUNNING, LIFE_TIMER, { "running", "running", "running" } },
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
	assert_false(life_has_failed(&life));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(life_step(&life, LIFE_REFUSED, now),
		    LIFE_SET_TIMER);
		assert_true(life_has_failed(&life));
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
	life_step(&life, LIFE_LOST, now);
	assert_int_equal(life.state, LIFE_RESTING);
	assert_false(life_has_failed(&life));
	now += life_wait(&life, now);
	life_step(&life, LIFE_TIMER, now);
	life_step(&life, LIFE_READY, now);
	life_step(&life, LIFE_HUP, now);
	life_step(&life, LIFE_RUN_ENDED, now);
	life_step(&life, LIFE_REFUSED, now);
	assert_int_equal(life_wait(&life, now), LIFE_RETRY_MS);
}

/* The world around a life: what is really there. */
struct world {
	int		attaching, probes, runs;
	long		hups, started;
	int64_t		last_hup;	/* of which a run came */
	int64_t		not_before;	/* since a probe was lost */
	int64_t		burst[LIFE_BURST + 1];	/* the latest HUPs */
	unsigned int	nburst;
	int64_t		timer;		/* when it is due, or -1 */
	bool		over;		/* no further probe is to come */
	bool		killed;		/* the end of the probe was asked for */
	unsigned int	calm;		/* how rarely a probe fails */
};

/* Marsaglia's xorshift64*: the same lives on every system. */
static uint64_t dice;

static unsigned int
roll(unsigned int sides)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return ((unsigned int)((dice * 0x2545f4914f6cdd1dULL) >> 33) % sides);
}

static bool
is_possible(const struct world *w, enum life_event e, int64_t now)
{
	switch (e) {
	case LIFE_READY:
		return (w->attaching > 0);
	case LIFE_REFUSED:
		return (w->attaching > 0 && roll(w->calm) == 0);
	case LIFE_HUP:
		return (w->probes > 0);
	case LIFE_LOST:
		return (w->probes > 0 && roll(w->calm) == 0);
	case LIFE_RUN_ENDED:
		return (w->runs > 0);
	case LIFE_TIMER:
		return (w->timer != -1 && now >= w->timer);
	default:
		return (roll(500) == 0);
	}
}

/* LIFE_EVENTS: nothing but time goes by. */
static enum life_event
choose_event(const struct world *w, int64_t now)
{
	enum life_event e = (enum life_event)roll(LIFE_EVENTS);

	return (is_possible(w, e, now) ? e : LIFE_EVENTS);
}

static void
live(struct world *w, enum life_event event, int64_t now)
{
	w->attaching -= event == LIFE_READY || event == LIFE_REFUSED;
	w->probes += event == LIFE_READY;
	w->probes -= event == LIFE_HUP || event == LIFE_LOST;
	w->killed = w->killed && event != LIFE_READY;
	w->runs -= event == LIFE_RUN_ENDED;
	w->hups += event == LIFE_HUP;
	if (event == LIFE_TIMER)
		w->timer = -1;
	if (event == LIFE_LOST)
		w->not_before = now + LOST_WAIT;
	if (event == LIFE_HUP) {
		w->last_hup = now;
		w->burst[w->nburst++ % (LIFE_BURST + 1)] = now;
	}
	w->over = w->over || event == LIFE_STOP || event == LIFE_JAIL_ENDED;
}

static void
act(struct world *w, const struct life *life, unsigned int effects,
    int64_t now)
{
	w->attaching += (effects & LIFE_ATTACH) != 0;
	w->runs += (effects & LIFE_START_RUN) != 0;
	w->started += (effects & LIFE_START_RUN) != 0;
	w->killed = w->killed || (effects & LIFE_KILL_PROBE) != 0;
	if (effects & LIFE_SET_TIMER)
		w->timer = now + life_wait(life, now);
}

/* With -L, without, and one that has no probe while it runs. */
static int
most_runs(const struct spec *spec)
{
	if (spec->respawn != RESPAWN_NOW)
		return (1);
	return (spec->parallel != 0 ? (int)spec->parallel : 64);
}

/* The first promise that is broken, or NULL. */
static const char *
broken(const struct world *w, const struct life *life, const struct spec *spec,
    unsigned int effects, int64_t now)
{
	bool never = spec->respawn == RESPAWN_NEVER;

	if (effects & LIFE_BUG)
		return ("what happened cannot happen");
	if (w->hups != w->started)
		return ("a run for each HUP");
	if (w->attaching + w->probes < 0 || w->attaching + w->probes > 1)
		return ("at most one probe");
	if (life->probe != (w->attaching + w->probes == 1))
		return ("knows whether there is a probe");
	if ((int)life->runs != w->runs)
		return ("knows how many runs go on");
	if (life->state == LIFE_ARMED && w->probes != 1)
		return ("armed has a probe");
	if (never && w->hups > 1)
		return ("a single shot");
	if (!never && w->runs > most_runs(spec))
		return ("no more runs than may be");
	if ((effects & LIFE_ATTACH) && w->runs >= most_runs(spec))
		return ("no probe while as many run as may");
	if ((effects & LIFE_ATTACH) && (w->over || (never && w->hups > 0)))
		return ("no probe after the end");
	if ((effects & LIFE_ATTACH) && w->hups > 0 &&
	    now < w->last_hup + (int64_t)spec->interval * 1000)
		return ("-i keeps the probe away");
	if ((effects & LIFE_ATTACH) && w->nburst > LIFE_BURST &&
	    w->last_hup - w->burst[w->nburst % (LIFE_BURST + 1)] <
	    LIFE_BURST_MS && now < w->last_hup + LIFE_REST_MS)
		return ("a burst is followed by a rest");
	if ((effects & LIFE_ATTACH) && now < w->not_before)
		return ("a lost probe stays away for a while");
	if (life->state == LIFE_RESTING && w->timer == -1 &&
	    w->runs < most_runs(spec))
		return ("whoever rests will be woken");
	if (life->state != LIFE_ENDED && w->timer == -1 &&
	    w->attaching + w->probes + w->runs == 0)
		return ("something will happen");
	if (w->killed && !w->over)
		return ("no probe is ended without a reason");
	if (w->over && w->probes > 0 && !w->killed)
		return ("a probe that is not wanted any more is ended");
	if (life->state == LIFE_ENDED &&
	    w->attaching + w->probes + w->runs != 0)
		return ("nothing is left at the end");
	if (life->state != LIFE_ENDED && (w->over || (never && w->hups > 0)) &&
	    w->attaching + w->probes + w->runs == 0)
		return ("the end comes");
	return (NULL);
}

/* The daemon was killed and is back: probes went with it, runs did not. */
static void
restart(struct world *w, struct life *life, const struct spec *spec,
    int64_t now)
{
	int64_t not_before = w->hups == 0 ? 0 :
	    w->last_hup + (int64_t)spec->interval * 1000;

	w->probes = 0;
	w->not_before = 0;
	w->nburst = 0;
	w->timer = -1;
	life_resume(life, spec, LOST_WAIT, (unsigned int)w->runs,
	    w->over || (spec->respawn == RESPAWN_NEVER && w->hups > 0),
	    not_before, now);
	w->attaching = life->state == LIFE_REARMING;
	/* As action.c does. */
	if (life->state == LIFE_RESTING && w->runs < most_runs(spec))
		w->timer = now + life_wait(life, now);
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
random_spec(struct spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->respawn = (enum respawn)roll(3);
	spec->interval = roll(4) == 0 ? 1 + roll(5) : 0;
	spec->parallel = roll(3) == 0 ? 1 + roll(4) : 0;
}

/* The events of a life so far; NULL, or what was broken at its end. */
static const char *
random_life(uint64_t seed, unsigned long *events)
{
	static const unsigned int paces[] = { 2, 20, 200, 2000 };
	static const unsigned int calms[] = { 1, 10, 1000 };
	struct world w = { .attaching = 1, .timer = -1 };
	struct spec spec;
	struct life life;
	const char *what = NULL;
	unsigned int pace;
	int64_t now = NOW;

	dice = seed * 0x9e3779b97f4a7c15ULL | 1;
	random_spec(&spec);
	w.calm = calms[roll(sizeof(calms) / sizeof(calms[0]))];
	pace = paces[roll(sizeof(paces) / sizeof(paces[0]))];
	if (roll(2) == 0)
		life_init(&life, &spec, LOST_WAIT);
	else
		life_init_kept(&life, &spec, LOST_WAIT);
	for (int i = 0; what == NULL && i < 2000; i++) {
		enum life_event event = choose_event(&w, now);
		unsigned int effects;

		now += roll(pace);
		if (roll(w.over ? 10 : 1000) == 0 &&
		    life.state != LIFE_ARMING) {
			restart(&w, &life, &spec, now);
			what = broken(&w, &life, &spec, 0, now);
		} else if (event == LIFE_EVENTS)
			continue;
		else {
			live(&w, event, now);
			effects = life_step(&life, event, now);
			act(&w, &life, effects, now);
			/* A first probe that is refused, a lost single shot. */
			w.over = w.over || life.state >= LIFE_ENDING;
			what = broken(&w, &life, &spec, effects, now);
			++*events;
		}
		if (life.state == LIFE_ENDED)
			break;
	}
	return (what);
}

static unsigned long
from_environment(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return (value == NULL ? otherwise : strtoul(value, NULL, 10));
}

/*
 * LIFE_SEED and LIFE_COUNT choose which lives; a life that breaks a promise
 * names its seed, which alone lives it again.
 */
static void
random_lives(void **state)
{
	unsigned long seed = from_environment("LIFE_SEED", 1);
	unsigned long count = from_environment("LIFE_COUNT", 20000);
	unsigned long events = 0;

	(void)state;
	for (unsigned long i = 0; i < count; i++, seed++) {
		const char *what = random_life(seed, &events);

		if (what != NULL)
			fail_msg("LIFE_SEED=%lu LIFE_COUNT=1: %s", seed, what);
	}
	print_message("# %lu lives, %lu events\n", count, events);
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
