/* What goes into the result. */
#include <stdio.h>

#include "bench.h"

json_t *
comparison(json_t *result, const char *key, const char *title,
    const char *unit, const struct series *series, unsigned int count)
{
	json_t *all = json_object(), *c;

	for (unsigned int i = 0; i < count; i++)
		json_object_set_new(all, series[i].key,
		    series_json(&series[i]));
	c = json_pack("{s:s, s:s, s:o, s:[]}", "title", title, "unit", unit,
	    "series", all, "ratios");
	json_object_set_new(json_object_get(result, "comparisons"), key, c);
	return (c);
}

void
add_ratio(json_t *c, const struct series *a, const struct series *b)
{
	json_array_append_new(json_object_get(c, "ratios"), ratio_json(a, b));
}

void
goal(json_t *result, const char *key, const char *text, double value,
    double limit, bool at_least)
{
	bool held = at_least ? value >= limit : value <= limit;

	json_object_set_new(json_object_get(result, "goals"), key,
	    json_pack("{s:s, s:f, s:f, s:s, s:b}", "text", text, "value",
	    value, "limit", limit, "bound", at_least ? "least" : "most",
	    "held", held));
	printf("%-16s %10.2f  (at %s %g)%s\n", key, value,
	    at_least ? "least" : "most", limit, held ? "" : "  MISSED");
	fflush(stdout);
}
