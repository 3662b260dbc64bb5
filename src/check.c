/* `jaildaemon check`: the file of actions, read and printed. */
#include <sys/queue.h>

#include <stdio.h>
#include <sysexits.h>

#include "check.h"
#include "conf.h"
#include "defaults.h"
#include "options.h"

#define ERR_MAX		1024

static int
print(const struct conf_rules *rules)
{
	const struct conf_rule *rule;

	TAILQ_FOREACH(rule, rules, entry)
		if (puts(rule->text) == EOF)
			break;
	if (ferror(stdout) || fflush(stdout) != 0) {
		(void)fprintf(stderr, "jaildaemon: the actions cannot be "
		    "written\n");
		return (EX_IOERR);
	}
	return (0);
}

int
check_file(const struct options *o)
{
	struct conf_rules rules = TAILQ_HEAD_INITIALIZER(rules);
	char err[ERR_MAX];
	int status;

	status = conf_read(o->conf != NULL ? o->conf : DEFAULTS_CONF, &rules,
	    err, sizeof(err));
	if (status == 0)
		status = print(&rules);
	else
		/* Without our name: who reads it may look for file:line. */
		(void)fprintf(stderr, "%s\n", err);
	conf_clear(&rules);
	return (status);
}
