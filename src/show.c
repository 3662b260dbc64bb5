#include <sys/types.h>
#include <sys/ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "show.h"
#include "text.h"

enum { COL_ID, COL_JAIL, COL_STATE, COL_RUNS, COL_LAST, COL_TITLE,
    COL_COMMAND, COLUMNS };

#define CELL_MAX	1024
#define GAP		2
#define WIDTH_MIN	8	/* of a column that is cut */

struct row {
	char	*cells[COLUMNS];
};

struct show_list {
	bool		 json;
	bool		 failed;
	int64_t		 now;
	struct row	*rows;
	size_t		 nrows;
	size_t		 room;
};

static const char *const titles[COLUMNS] = { "ID", "JAIL", "STATE", "RUNS",
    "LAST", "TITLE", "COMMAND" };

struct show_list *
show_list_open(bool json)
{
	struct show_list *l = calloc(1, sizeof(*l));
	struct timespec ts;

	if (l == NULL)
		return (NULL);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	l->now = (int64_t)ts.tv_sec;
	l->json = json;
	return (l);
}

void
show_list_close(struct show_list *l)
{
	for (size_t i = 0; i < l->nrows; i++)
		for (int c = 0; c < COLUMNS; c++)
			free(l->rows[i].cells[c]);
	free(l->rows);
	free(l);
}

/* "3m": how long ago, roughly. */
static void
age(char *buf, size_t size, int64_t seconds)
{
	static const struct {
		int64_t	unit;
		char	letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i < 3 && seconds < units[i].unit)
		i++;
	(void)snprintf(buf, size, "%jd%c",
	    (intmax_t)(seconds / units[i].unit), units[i].letter);
}

static void
last(const struct show_list *l, const struct wire_item *item, char *buf,
    size_t size)
{
	char ago[32];

	if ((item->keys & ITEM_LAST_AT) == 0) {
		(void)strlcpy(buf, "-", size);
		return;
	}
	age(ago, sizeof(ago), l->now - item->last_at / 1000);
	if ((item->keys & ITEM_LAST_SIGNAL) != 0)
		(void)snprintf(buf, size, "signal %ju, %s",
		    (uintmax_t)item->last_signal, ago);
	else if ((item->keys & ITEM_LAST_STATUS) == 0)
		(void)snprintf(buf, size, "unknown, %s", ago);
	else
		(void)snprintf(buf, size, "%ju, %s",
		    (uintmax_t)item->last_status, ago);
}

/* What no cell holds is cut here, and ends like what the width cuts. */
static char *
escaped(const char *text)
{
	char buf[CELL_MAX + 1];
	size_t len = strlen(text);

	if (text_escape(buf, CELL_MAX, text, len) < len)
		(void)strlcat(buf, "~", sizeof(buf));
	return (strdup(buf));
}

static void
name_jail(const struct wire_item *item, char *buf, size_t size)
{
	if (item->jail == NULL)
		(void)snprintf(buf, size, "%jd", (intmax_t)item->jid);
	else
		(void)snprintf(buf, size, "%s%s%s",
		    item->engine != NULL ? item->engine : "",
		    item->engine != NULL ? ":" : "", item->jail);
}

static int
fill_row(const struct show_list *l, struct row *row,
    const struct wire_item *item)
{
	char id[24], jail[CELL_MAX], runs[24], ended[64];
	const char *const texts[COLUMNS] = { id, jail, item->state, runs,
	    ended, item->title != NULL ? item->title : "-",
	    item->command != NULL ? item->command : "-" };

	(void)snprintf(id, sizeof(id), "%ju", (uintmax_t)item->id);
	(void)snprintf(runs, sizeof(runs), "%ju", (uintmax_t)item->runs);
	name_jail(item, jail, sizeof(jail));
	last(l, item, ended, sizeof(ended));
	for (int c = 0; c < COLUMNS; c++)
		if ((row->cells[c] = escaped(texts[c])) == NULL)
			return (EX_OSERR);
	return (0);
}

static int
print_line(const char *line, size_t len)
{
	return (fwrite(line, 1, len, stdout) == len && putchar('\n') != EOF ?
	    0 : EX_IOERR);
}

int
show_list_item(void *arg, struct wire_item *item, const char *line, size_t len)
{
	struct show_list *l = arg;
	struct row *rows;
	size_t room;

	if (l->json) {
		l->failed = l->failed || print_line(line, len) != 0;
		return (0);
	}
	if (l->nrows == l->room) {
		room = l->room == 0 ? 64 : 2 * l->room;
		rows = reallocarray(l->rows, room, sizeof(*rows));
		if (rows == NULL)
			return (EX_OSERR);
		l->rows = rows;
		l->room = room;
	}
	memset(&l->rows[l->nrows], 0, sizeof(l->rows[0]));
	return (fill_row(l, &l->rows[l->nrows++], item));
}

/* Characters, as a terminal counts those of most languages. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return (n);
}

/* The terminal's, or without one none. */
static size_t
line_width(void)
{
	const char *columns = getenv("COLUMNS");
	const char *wrong;
	struct winsize ws;
	long long n;

	if (columns != NULL) {
		n = strtonum(columns, 20, 10000, &wrong);
		if (wrong == NULL)
			return ((size_t)n);
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return (ws.ws_col);
	return (0);
}

static void
measure(const struct show_list *l, size_t *widths)
{
	for (int c = 0; c < COLUMNS; c++) {
		widths[c] = width(titles[c]);
		for (size_t i = 0; i < l->nrows; i++)
			if (width(l->rows[i].cells[c]) > widths[c])
				widths[c] = width(l->rows[i].cells[c]);
	}
}

/* The widest texts give way, the command first: it is the longest. */
static void
fit(size_t *widths, size_t total)
{
	static const int order[] = { COL_COMMAND, COL_TITLE, COL_JAIL };
	size_t sum = GAP * (COLUMNS - 1), cut;

	if (total == 0)
		return;
	for (int c = 0; c < COLUMNS; c++)
		sum += widths[c];
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (sum <= total || widths[order[i]] <= WIDTH_MIN)
			continue;
		cut = widths[order[i]] - WIDTH_MIN;
		if (cut > sum - total)
			cut = sum - total;
		widths[order[i]] -= cut;
		sum -= cut;
	}
}

/* A cell of that many characters, padded or cut; a cut one ends in "~". */
static bool
print_cell(const char *text, size_t wide, bool pad)
{
	size_t have = width(text), n = 0;
	bool cut = have > wide;
	const char *end = text;

	while (*end != '\0' && n < (cut ? wide - 1 : wide)) {
		end++;
		while (((unsigned char)*end & 0xc0) == 0x80)
			end++;
		n++;
	}
	return (printf("%.*s%s", (int)(end - text), text, cut ? "~" : "") >= 0
	    && (!pad || printf("%*s", (int)(wide - n - cut + GAP), "") >= 0));
}

static bool
print_row(const char *const *cells, const size_t *widths)
{
	bool ok = true;

	for (int c = 0; c < COLUMNS; c++)
		ok = ok && print_cell(cells[c], widths[c], c + 1 < COLUMNS);
	return (ok && putchar('\n') != EOF);
}

bool
show_list_print(struct show_list *l)
{
	size_t widths[COLUMNS];
	bool ok;

	if (l->json)
		return (!l->failed);
	measure(l, widths);
	fit(widths, line_width());
	ok = print_row(titles, widths);
	for (size_t i = 0; ok && i < l->nrows; i++)
		ok = print_row((const char *const *)l->rows[i].cells, widths);
	return (ok);
}

int
show_event_json(void *arg, struct wire_item *item, const char *line,
    size_t len)
{
	(void)arg;
	(void)item;
	if (print_line(line, len) != 0 || fflush(stdout) != 0)
		return (EX_IOERR);
	return (0);
}

static bool
print_text(const char *key, const char *text)
{
	char shown[CELL_MAX];

	if (text == NULL)
		return (true);
	(void)text_escape(shown, sizeof(shown), text, strlen(text));
	return (printf(" %s=\"%s\"", key, shown) >= 0);
}

static bool
print_number(const struct wire_item *item, unsigned int bit, const char *key,
    int64_t value)
{
	return ((item->keys & bit) == 0 ||
	    printf(" %s=%jd", key, (intmax_t)value) >= 0);
}

int
show_event(void *arg, struct wire_item *item, const char *line, size_t len)
{
	char when[WIRE_TIME_MAX];

	(void)arg;
	(void)line;
	(void)len;
	wire_time(when, sizeof(when), item->at);
	if (printf("%s %s", when, item->event) < 0 ||
	    !print_number(item, ITEM_ID, "id", (int64_t)item->id) ||
	    !print_number(item, ITEM_JID, "jid", item->jid) ||
	    !print_text("jail", item->jail) ||
	    !print_text("title", item->title) ||
	    !print_number(item, ITEM_PID, "pid", item->pid) ||
	    !print_number(item, ITEM_STATUS, "status", item->status) ||
	    !print_number(item, ITEM_SIGNAL, "signal", item->signal) ||
	    !print_number(item, ITEM_MS, "ms", item->ms) ||
	    !print_text("command", item->command) ||
	    !print_text("text", item->text) ||
	    putchar('\n') == EOF || fflush(stdout) != 0)
		return (EX_IOERR);
	return (0);
}
