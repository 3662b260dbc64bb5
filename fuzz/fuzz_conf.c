/* A file of actions; what is accepted reads the same in its normal form. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "conf.h"
#include "spec.h"
#include "text.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* A refusal is one clean line that begins with where. */
static void
check_error(int status, const char *err)
{
	expect(status == EX_CONFIG && strncmp(err, "f:", 2) == 0);
	expect(text_is_utf8(err, strlen(err)) &&
	    !text_has_control(err, strlen(err)));
}

static void
check_rule(const struct conf_rule *rule)
{
	char err[256];

	expect(rule->njails > 0 && rule->line > 0);
	expect(rule->spec.command != NULL && rule->spec.jail == NULL);
	expect(spec_check(&rule->spec, err, sizeof(err)) == 0);
	(void)conf_matches(rule, "docker", "web");
	(void)conf_matches(rule, NULL, "web");
}

static void
check_same(const struct conf_rule *a, const struct conf_rule *b)
{
	expect(strcmp(a->text, b->text) == 0);
	expect(spec_compare(&a->spec, &b->spec) == 0);
	expect(a->njails == b->njails);
	for (size_t i = 0; i < a->njails; i++)
		expect(strcmp(a->jails[i], b->jails[i]) == 0);
}

/* As a new file. */
static void
read_again(const struct conf_rules *rules)
{
	struct conf_rules again = TAILQ_HEAD_INITIALIZER(again);
	const struct conf_rule *a, *b;
	char *text = NULL, err[1024];
	size_t len;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return;
	TAILQ_FOREACH(a, rules, entry) {
		check_rule(a);
		(void)fprintf(f, "%s\n", a->text);
	}
	if (fclose(f) != 0)
		return;
	expect(conf_parse("f", text, len, &again, err, sizeof(err)) == 0);
	b = TAILQ_FIRST(&again);
	TAILQ_FOREACH(a, rules, entry) {
		expect(b != NULL);
		check_same(a, b);
		b = TAILQ_NEXT(b, entry);
	}
	expect(b == NULL);
	conf_clear(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_rules rules = TAILQ_HEAD_INITIALIZER(rules);
	char err[1024];
	int status;

	status = conf_parse("f", (const char *)data, size, &rules, err,
	    sizeof(err));
	if (status == 0)
		read_again(&rules);
	else {
		expect(TAILQ_EMPTY(&rules));
		check_error(status, err);
	}
	conf_clear(&rules);
	return (0);
}
