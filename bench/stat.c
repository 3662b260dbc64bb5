/* What samples say. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define RESAMPLES	2000

static uint64_t
random_number(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11);
}

void
series_add(struct series *s, double value)
{
	if (s->n == s->room) {
		s->room = s->room == 0 ? 512 : 2 * s->room;
		s->values = grow(s->values, s->room, sizeof(*s->values));
	}
	s->values[s->n++] = value;
}

void
series_free(struct series *s, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		free(s[i].values);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return ((x > y) - (x < y));
}

static void
sort(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
}

static double
quantile(const double *sorted, unsigned int n, double q)
{
	double at = q * (n - 1);
	unsigned int low = (unsigned int)at;
	unsigned int high = low + 1 < n ? low + 1 : low;

	return (sorted[low] + (sorted[high] - sorted[low]) * (at - low));
}

static double *
sorted_copy(const struct series *s)
{
	double *copy = grow(NULL, s->n, sizeof(*copy));

	memcpy(copy, s->values, s->n * sizeof(*copy));
	sort(copy, s->n);
	return (copy);
}

double
series_quantile(const struct series *s, double q)
{
	double *copy = sorted_copy(s);
	double value = quantile(copy, s->n, q);

	free(copy);
	return (value);
}

double
ratio_p(const struct series *a, const struct series *b, double q)
{
	return (series_quantile(a, q) / series_quantile(b, q));
}

static json_t *
interval(double *results)
{
	sort(results, RESAMPLES);
	return (json_pack("[f, f]", quantile(results, RESAMPLES, 0.025),
	    quantile(results, RESAMPLES, 0.975)));
}

/*
 * Bootstrap: the same rounds drawn for both series, with replacement.  b may
 * be NULL: then of a alone.
 */
static void
resample(const struct series *a, const struct series *b, json_t **p50,
    json_t **p99)
{
	static double medians[RESAMPLES], tails[RESAMPLES];
	double *x = grow(NULL, a->n, sizeof(*x));
	double *y = grow(NULL, a->n, sizeof(*y));

	for (int i = 0; i < RESAMPLES; i++) {
		for (unsigned int j = 0; j < a->n; j++) {
			unsigned int k = (unsigned int)(random_number() % a->n);

			x[j] = a->values[k];
			y[j] = b == NULL ? 1 : b->values[k];
		}
		sort(x, a->n);
		sort(y, a->n);
		medians[i] = quantile(x, a->n, 0.5) / quantile(y, a->n, 0.5);
		tails[i] = quantile(x, a->n, 0.99) / quantile(y, a->n, 0.99);
	}
	free(x);
	free(y);
	*p50 = interval(medians);
	*p99 = interval(tails);
}

json_t *
series_json(const struct series *s)
{
	double *sorted = sorted_copy(s), sum = 0;
	json_t *p50, *p99, *result;

	for (unsigned int i = 0; i < s->n; i++)
		sum += s->values[i];
	resample(s, NULL, &p50, &p99);
	result = json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
	    "s:o, s:o}", "label", s->label, "n", (int)s->n, "min", sorted[0],
	    "p25", quantile(sorted, s->n, 0.25),
	    "p50", quantile(sorted, s->n, 0.5),
	    "p75", quantile(sorted, s->n, 0.75),
	    "p90", quantile(sorted, s->n, 0.9),
	    "p99", quantile(sorted, s->n, 0.99),
	    "max", sorted[s->n - 1], "mean", sum / s->n, "p50_ci95", p50,
	    "p99_ci95", p99);
	free(sorted);
	return (result);
}

json_t *
ratio_json(const struct series *a, const struct series *b)
{
	json_t *p50, *p99;

	if (a->n != b->n)
		die("%s and %s were not sampled in the same rounds", a->key,
		    b->key);
	resample(a, b, &p50, &p99);
	return (json_pack("{s:s, s:s, s:f, s:o, s:f, s:o}", "of", a->key, "to",
	    b->key, "p50", ratio_p(a, b, 0.5), "p50_ci95", p50, "p99",
	    ratio_p(a, b, 0.99), "p99_ci95", p99));
}

void
shuffle(unsigned int *order, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int j = (unsigned int)(random_number() % (i + 1));

		order[i] = order[j];
		order[j] = i;
	}
}
