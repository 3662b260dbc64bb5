#include <string.h>

#include "life.h"

/* What a row does beyond its effects. */
enum rule {
	R_NONE		= 0,
	R_FIRED		= 1 << 8,	/* a trigger: count it */
	R_LOST		= 1 << 9,	/* wait before the next probe */
	R_RETRY		= 1 << 10,	/* wait, each time longer */
	R_FRESH		= 1 << 11,	/* attached: forget earlier failures */
	R_GATE		= 1 << 12,	/* a further probe, if one may be */
};

#define EFFECTS		0xff

struct row {
	enum life_state	next;
	unsigned int	does;	/* enum life_effect and enum rule */
};

#define STAY(state)	{ LIFE_##state, R_NONE }
#define NEVER(state)	{ LIFE_##state, LIFE_BUG }

/*
 * The table.  GATE leads to LIFE_REARMING where a probe may be there now,
 * else to LIFE_RESTING, and is asked again at each event that may open it:
 * absence is the back-pressure.  What opened it may have come together with
 * the timer, which is then late, and changes nothing.
 *
 * The wait status decides even while an action ends: a HUP that came before
 * the end of the probe was asked for runs the command.
 */
#define GATE		LIFE_RESTING, R_GATE

static const struct row table[LIFE_STATES][LIFE_EVENTS] = {
	[LIFE_ARMING] = {
		[LIFE_READY] =		{ LIFE_ARMED, R_FRESH },
		[LIFE_REFUSED] =	{ LIFE_ENDING, R_NONE },
		[LIFE_HUP] =		NEVER(ARMING),
		[LIFE_LOST] =		NEVER(ARMING),
		[LIFE_RUN_ENDED] =	NEVER(ARMING),
		[LIFE_TIMER] =		NEVER(ARMING),
		[LIFE_JAIL_ENDED] =	{ LIFE_ENDING, R_NONE },
		[LIFE_STOP] =		{ LIFE_ENDING, R_NONE },
	},
	[LIFE_ARMED] = {
		[LIFE_READY] =		NEVER(ARMED),
		[LIFE_REFUSED] =	NEVER(ARMED),
		/* LIFE_HUP, LIFE_LOST: by respawn mode, below */
		[LIFE_RUN_ENDED] =	STAY(ARMED),
		[LIFE_TIMER] =		STAY(ARMED),
		[LIFE_JAIL_ENDED] =	{ LIFE_ENDING, LIFE_KILL_PROBE },
		[LIFE_STOP] =		{ LIFE_ENDING, LIFE_KILL_PROBE },
	},
	[LIFE_REARMING] = {
		[LIFE_READY] =		{ LIFE_ARMED, R_FRESH },
		[LIFE_REFUSED] =	{ LIFE_RESTING, R_RETRY | R_GATE },
		[LIFE_HUP] =		NEVER(REARMING),
		[LIFE_LOST] =		NEVER(REARMING),
		[LIFE_RUN_ENDED] =	STAY(REARMING),
		[LIFE_TIMER] =		STAY(REARMING),
		[LIFE_JAIL_ENDED] =	{ LIFE_ENDING, R_NONE },
		[LIFE_STOP] =		{ LIFE_ENDING, R_NONE },
	},
	[LIFE_RUNNING] = {
		[LIFE_READY] =		NEVER(RUNNING),
		[LIFE_REFUSED] =	NEVER(RUNNING),
		[LIFE_HUP] =		NEVER(RUNNING),
		[LIFE_LOST] =		NEVER(RUNNING),
		[LIFE_RUN_ENDED] =	{ GATE },
		[LIFE_TIMER] =		STAY(RUNNING),
		[LIFE_JAIL_ENDED] =	{ LIFE_ENDING, R_NONE },
		[LIFE_STOP] =		{ LIFE_ENDING, R_NONE },
	},
	[LIFE_RESTING] = {
		[LIFE_READY] =		NEVER(RESTING),
		[LIFE_REFUSED] =	NEVER(RESTING),
		[LIFE_HUP] =		NEVER(RESTING),
		[LIFE_LOST] =		NEVER(RESTING),
		[LIFE_RUN_ENDED] =	{ GATE },
		[LIFE_TIMER] =		{ GATE },
		[LIFE_JAIL_ENDED] =	{ LIFE_ENDING, R_NONE },
		[LIFE_STOP] =		{ LIFE_ENDING, R_NONE },
	},
	[LIFE_ENDING] = {
		[LIFE_READY] =		{ LIFE_ENDING, LIFE_KILL_PROBE },
		[LIFE_REFUSED] =	STAY(ENDING),
		[LIFE_HUP] =		{ LIFE_ENDING, LIFE_START_RUN },
		[LIFE_LOST] =		STAY(ENDING),
		[LIFE_RUN_ENDED] =	STAY(ENDING),
		[LIFE_TIMER] =		STAY(ENDING),
		[LIFE_JAIL_ENDED] =	STAY(ENDING),
		[LIFE_STOP] =		STAY(ENDING),
	},
	[LIFE_ENDED] = {
		[LIFE_READY] =		NEVER(ENDED),
		[LIFE_REFUSED] =	NEVER(ENDED),
		[LIFE_HUP] =		NEVER(ENDED),
		[LIFE_LOST] =		NEVER(ENDED),
		[LIFE_RUN_ENDED] =	NEVER(ENDED),
		[LIFE_TIMER] =		NEVER(ENDED),
		[LIFE_JAIL_ENDED] =	NEVER(ENDED),
		[LIFE_STOP] =		NEVER(ENDED),
	},
};

/* The two events of an armed action that depend on how it respawns. */
static const struct row armed_hup[] = {
	[RESPAWN_NEVER] =	{ LIFE_ENDING, LIFE_START_RUN },
	[RESPAWN_AFTER] =	{ LIFE_RUNNING, LIFE_START_RUN | R_FIRED },
	[RESPAWN_NOW] =		{ LIFE_RESTING, LIFE_START_RUN | R_FIRED |
				    R_GATE },
};

static const struct row armed_lost[] = {
	[RESPAWN_NEVER] =	{ LIFE_ENDING, R_NONE },
	[RESPAWN_AFTER] =	{ LIFE_RESTING, R_LOST | R_GATE },
	[RESPAWN_NOW] =		{ LIFE_RESTING, R_LOST | R_GATE },
};

static const struct row *
find_row(const struct life *life, enum life_event event)
{
	if (life->state == LIFE_ARMED && event == LIFE_HUP)
		return (&armed_hup[life->respawn]);
	if (life->state == LIFE_ARMED && event == LIFE_LOST)
		return (&armed_lost[life->respawn]);
	return (&table[life->state][event]);
}

static void
wait_until(struct life *life, int64_t when)
{
	if (when > life->not_before)
		life->not_before = when;
}

/* Milliseconds since the LIFE_BURST-th trigger before; at most LIFE_BURST_MS. */
static int64_t
since_burst_began(struct life *life, int64_t now)
{
	int64_t gap = now - life->fired_at, sum;

	if (gap > LIFE_BURST_MS)
		gap = LIFE_BURST_MS;
	sum = gap;
	for (size_t i = 0; i < LIFE_BURST - 1; i++)
		sum += life->gaps[i];
	life->fired_at = now;
	life->gaps[life->oldest] = (uint16_t)gap;
	life->oldest = (uint8_t)((life->oldest + 1) % (LIFE_BURST - 1));
	return (sum < LIFE_BURST_MS ? sum : LIFE_BURST_MS);
}

/* The LIFE_BURST-and-first trigger within LIFE_BURST_MS makes it rest. */
static unsigned int
count_trigger(struct life *life, int64_t now)
{
	unsigned int effects = 0;

	if (since_burst_began(life, now) < LIFE_BURST_MS) {
		wait_until(life, now + LIFE_REST_MS);
		effects = LIFE_SAY_BURST;
	}
	if (life->interval_ms > 0)
		wait_until(life, now + life->interval_ms);
	return (effects);
}

static void
wait_longer(struct life *life, int64_t now)
{
	wait_until(life, now + life->retry_ms);
	life->retry_ms *= 2;
	if (life->retry_ms > LIFE_RETRY_MAX_MS)
		life->retry_ms = LIFE_RETRY_MAX_MS;
}

/* May a probe be there now?  If so it is asked for. */
static unsigned int
gate(struct life *life, int64_t now, bool was_armed)
{
	if (life->runs >= life->runs_max)
		return (was_armed ? LIFE_SAY_FULL : 0);
	if (now < life->not_before)
		return (LIFE_SET_TIMER);
	life->state = LIFE_REARMING;
	life->probe = true;
	return (LIFE_ATTACH);
}

/* What an event says of the counts, whatever the state. */
static void
count(struct life *life, enum life_event event, unsigned int does)
{
	if (event == LIFE_REFUSED || event == LIFE_HUP || event == LIFE_LOST)
		life->probe = false;
	if (event == LIFE_RUN_ENDED && life->runs > 0)
		life->runs--;
	if (does & LIFE_START_RUN)
		life->runs++;
}

unsigned int
life_step(struct life *life, enum life_event event, int64_t now)
{
	const struct row *row = find_row(life, event);
	bool was_armed = life->state == LIFE_ARMED;
	unsigned int effects = row->does & EFFECTS;

	if (effects & LIFE_BUG)
		return (effects);
	count(life, event, row->does);
	life->state = row->next;
	if (row->does & R_FIRED)
		effects |= count_trigger(life, now);
	if (row->does & R_LOST)
		wait_until(life, now + life->lost_wait_ms);
	if (row->does & R_RETRY)
		wait_longer(life, now);
	if (row->does & R_FRESH)
		life->retry_ms = LIFE_RETRY_MS;
	if (row->does & R_GATE)
		effects |= gate(life, now, was_armed);
	if (life->state == LIFE_ENDING && !life->probe && life->runs == 0)
		life->state = LIFE_ENDED;
	return (effects);
}

void
life_init(struct life *life, const struct spec *spec, int32_t lost_wait_ms)
{
	memset(life, 0, sizeof(*life));
	life->state = LIFE_ARMING;
	life->respawn = spec->respawn;
	life->runs_max = 1;
	if (spec->respawn == RESPAWN_NOW)
		life->runs_max = spec->parallel != 0 ? spec->parallel :
		    LIFE_RUNS_MAX;
	life->probe = true;
	life->lost_wait_ms = lost_wait_ms;
	life->interval_ms = (int64_t)spec->interval * 1000;
	life->retry_ms = LIFE_RETRY_MS;
	/* None has fired yet. */
	life->fired_at = -LIFE_BURST_MS;
	for (size_t i = 0; i < LIFE_BURST - 1; i++)
		life->gaps[i] = LIFE_BURST_MS;
}

void
life_init_kept(struct life *life, const struct spec *spec,
    int32_t lost_wait_ms)
{
	life_init(life, spec, lost_wait_ms);
	life->state = LIFE_REARMING;
}

void
life_resume(struct life *life, const struct spec *spec, int32_t lost_wait_ms,
    unsigned int runs, bool over, int64_t not_before, int64_t now)
{
	life_init_kept(life, spec, lost_wait_ms);
	life->runs = runs;
	life->not_before = not_before;
	if (over) {
		life->state = runs > 0 ? LIFE_ENDING : LIFE_ENDED;
		life->probe = false;
	} else if (runs > 0 && spec->respawn == RESPAWN_AFTER) {
		life->state = LIFE_RUNNING;
		life->probe = false;
	} else if (runs >= life->runs_max || now < not_before) {
		life->state = LIFE_RESTING;
		life->probe = false;
	}
}

bool
life_has_failed(const struct life *life)
{
	return (life->state == LIFE_RESTING && life->retry_ms > LIFE_RETRY_MS);
}

int64_t
life_wait(const struct life *life, int64_t now)
{
	return (life->not_before > now ? life->not_before - now : 0);
}

const char *
life_state_name(enum life_state state)
{
	static const char *const names[LIFE_STATES] = { "arming", "armed",
	    "rearming", "running", "resting", "ending", "ended" };

	return (names[state]);
}

const char *
life_event_name(enum life_event event)
{
	static const char *const names[LIFE_EVENTS] = { "ready", "refused",
	    "hup", "lost", "run-ended", "timer", "jail-ended", "stop" };

	return (names[event]);
}
