/*
 * Prints the rate of the processor's clock (TSC) in kHz.  An emulated Linux
 * sees this clock as it is, but measures its rate against timers that are late
 * on a busy machine, and is wrong by factors: so it gets told.
 */
#include <stdio.h>
#include <time.h>

#include <x86intrin.h>

#define TRIES	1000

/* One reading of both clocks: the closest pair of some. */
static void
read_clocks(unsigned long long *ticks, double *ms)
{
	unsigned long long best = ~0ULL;

	for (int i = 0; i < TRIES; i++) {
		struct timespec t;
		unsigned long long before = __rdtsc(), took;

		clock_gettime(CLOCK_MONOTONIC, &t);
		took = __rdtsc() - before;
		if (took < best) {
			best = took;
			*ticks = before + took / 2;
			*ms = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
		}
	}
}

int
main(void)
{
	struct timespec pause = { 0, 200 * 1000 * 1000 };
	unsigned long long ticks, ticks_later;
	double ms, ms_later;

	read_clocks(&ticks, &ms);
	nanosleep(&pause, NULL);
	read_clocks(&ticks_later, &ms_later);
	printf("%.0f\n", (double)(ticks_later - ticks) / (ms_later - ms));
	return (0);
}
