/* show.c: the table of actions and how it fits; events in words. */
#include <sys/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "show.h"
#include "text.h"
#include "wire.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Standard output is a file for a while: neither a terminal nor cmocka's. */
struct capture {
	FILE	*file;
	int	 saved;
	char	*text;
};

static void
capture_begin(struct capture *c)
{
	c->file = tmpfile();
	assert_non_null(c->file);
	(void)fflush(stdout);
	c->saved = dup(STDOUT_FILENO);
	assert_true(c->saved != -1);
	assert_int_equal(dup2(fileno(c->file), STDOUT_FILENO), STDOUT_FILENO);
}

/* Its text is the capture's, until the next one. */
static void
capture_end(struct capture *c)
{
	long size;

	(void)fflush(stdout);
	assert_int_equal(dup2(c->saved, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(c->saved);
	size = lseek(fileno(c->file), 0, SEEK_END);
	assert_true(size >= 0);
	rewind(c->file);
	c->text = calloc(1, (size_t)size + 1);
	assert_non_null(c->text);
	assert_int_equal(fread(c->text, 1, (size_t)size, c->file), size);
	(void)fclose(c->file);
}

static char *
own(const char *text)
{
	char *copy = text == NULL ? NULL : strdup(text);

	assert_true(text == NULL || copy != NULL);
	return (copy);
}

static struct wire_item
action(uint64_t id, const char *jail, const char *title, const char *command)
{
	struct wire_item item = { .id = id, .jid = 4711, .jail = own(jail),
	    .title = own(title), .command = own(command), .state = "armed" };

	return (item);
}

/* The table of some actions, at a width, or "" for none. */
static void
print_table(struct capture *c, const char *columns, struct wire_item *items,
    size_t n)
{
	struct show_list *l;

	assert_int_equal(setenv("COLUMNS", columns, 1), 0);
	capture_begin(c);
	l = show_list_open(false);
	assert_non_null(l);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(show_list_item(l, &items[i], "", 0), 0);
	assert_true(show_list_print(l));
	show_list_close(l);
	capture_end(c);
}

static void
assert_table(const char *columns, struct wire_item *items, size_t n,
    const char *wanted)
{
	struct capture c;

	print_table(&c, columns, items, n);
	assert_string_equal(c.text, wanted);
	free(c.text);
}

static void
clear(struct wire_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wire_item_clear(&items[i]);
}

static void
empty(void **state)
{
	(void)state;
	assert_table("80", NULL, 0,
	    "ID  JAIL  STATE  RUNS  LAST  TITLE  COMMAND\n");
}

static void
as_wide_as_needed(void **state)
{
	struct wire_item items[] = {
		action(7, "web", "RESTART", "docker restart web"),
		action(12, NULL, NULL, ":"),
	};

	(void)state;
	items[0].engine = own("docker");
	items[1].runs = 123456;
	(void)snprintf(items[1].state, sizeof(items[1].state), "rearming");
	assert_table("", items, NITEMS(items),
	    "ID  JAIL        STATE     RUNS    LAST  TITLE    COMMAND\n"
	    "7   docker:web  armed     0       -     RESTART  "
	    "docker restart web\n"
	    "12  4711        rearming  123456  -     -        :\n");
	clear(items, NITEMS(items));
}

/* The command gives way first, then the title, then the jail. */
static void
cut(void **state)
{
	struct wire_item items[] = {
		action(1, "a-jail-with-a-name", "A TITLE OF WORDS",
		    "a command that is long"),
	};

	(void)state;
	assert_table("79", items, 1,
	    "ID  JAIL                STATE  RUNS  LAST  TITLE             "
	    "COMMAND\n"
	    "1   a-jail-with-a-name  armed  0     -     A TITLE OF WORDS  "
	    "a command that is~\n");
	assert_table("70", items, 1,
	    "ID  JAIL                STATE  RUNS  LAST  TITLE             "
	    "COMMAND\n"
	    "1   a-jail-with-a-name  armed  0     -     A TITLE OF WORDS  "
	    "a comman~\n");
	assert_table("61", items, 1,
	    "ID  JAIL                STATE  RUNS  LAST  TITLE     COMMAND\n"
	    "1   a-jail-with-a-name  armed  0     -     A TITLE~  a comma~\n");
	assert_table("55", items, 1,
	    "ID  JAIL          STATE  RUNS  LAST  TITLE     COMMAND\n"
	    "1   a-jail-with~  armed  0     -     A TITLE~  a comma~\n");
	/* Narrower than that it is not legible. */
	assert_table("20", items, 1,
	    "ID  JAIL      STATE  RUNS  LAST  TITLE     COMMAND\n"
	    "1   a-jail-~  armed  0     -     A TITLE~  a comma~\n");
	clear(items, 1);
}

/* However wide, no line is wider, as long as all columns have their least. */
static void
fits(void **state)
{
	struct wire_item items[] = {
		action(1, "web", "T", "true"),
		action(2000, "a.jail.with.a.longer.name", "A LONGER TITLE",
		    "a command \"of\" many words; and another command"),
		action(3, "Gr\xc3\xbc\xc3\x9f" "e", "\xe4\xb8\x96\xe7\x95\x8c",
		    "echo \xf0\x9f\x90\xb3\xf0\x9f\x90\xb3\xf0\x9f\x90\xb3"
		    "\xf0\x9f\x90\xb3\xf0\x9f\x90\xb3\xf0\x9f\x90\xb3"),
	};
	char columns[8];
	struct capture c;
	size_t n;

	(void)state;
	for (size_t wide = 53; wide <= 140; wide++) {
		(void)snprintf(columns, sizeof(columns), "%zu", wide);
		print_table(&c, columns, items, NITEMS(items));
		assert_true(text_is_utf8(c.text, strlen(c.text)));
		n = 0;
		for (const char *p = c.text; *p != '\0'; p++) {
			if (*p == '\n') {
				assert_true(n <= wide);
				n = 0;
			} else
				n += ((unsigned char)*p & 0xc0) != 0x80;
		}
		free(c.text);
	}
	clear(items, NITEMS(items));
}

/* A cut between characters, not within one. */
static void
cut_utf8(void **state)
{
	struct wire_item items[] = {
		action(1, "j", "t", "\xc3\xa4\xc3\xb6\xc3\xbc\xe4\xb8\x96"
		    "\xe7\x95\x8c\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4"),
	};

	(void)state;
	assert_table("20", items, 1,
	    "ID  JAIL  STATE  RUNS  LAST  TITLE  COMMAND\n"
	    "1   j     armed  0     -     t      \xc3\xa4\xc3\xb6\xc3\xbc"
	    "\xe4\xb8\x96\xe7\x95\x8c\xc3\xa4\xc3\xb6~\n");
	clear(items, 1);
}

/* What could mislead a terminal is escaped; a row stays a line. */
static void
harmless(void **state)
{
	struct wire_item items[] = {
		action(1, "j\xe2\x80\xae", "\"t\"", "a\nb\t\033[2J\177\\"),
	};

	(void)state;
	assert_table("", items, 1,
	    "ID  JAIL           STATE  RUNS  LAST  TITLE  COMMAND\n"
	    "1   j\\xe2\\x80\\xae  armed  0     -     \\\"t\\\"  "
	    "a\\nb\\t\\x1b[2J\\x7f\\\\\n");
	clear(items, 1);
}

/* A text that no cell holds ends in the sign of a cut, too. */
static void
cut_long(void **state)
{
	struct wire_item item;
	struct capture c;
	char *command = calloc(1, SPEC_COMMAND_MAX + 1);
	const char *row;
	size_t len;

	(void)state;
	assert_non_null(command);
	memset(command, 'x', SPEC_COMMAND_MAX);
	item = action(1, "j", "t", command);
	print_table(&c, "", &item, 1);
	row = strchr(c.text, '\n');
	assert_non_null(row);
	len = strlen(row);
	assert_true(len > 500 && len < SPEC_COMMAND_MAX);
	assert_string_equal(row + len - 3, "x~\n");
	free(c.text);
	free(command);
	clear(&item, 1);
}

/* How the last run ended and how long ago. */
static void
last(void **state)
{
	static const struct {
		int64_t		 ago;		/* seconds */
		unsigned int	 key;
		uint32_t	 value;
		const char	*shown;
	} cases[] = {
		{ 0, ITEM_LAST_STATUS, 0, "0, 0s" },
		{ 59, ITEM_LAST_STATUS, 255, "255, 59s" },
		{ 60, ITEM_LAST_SIGNAL, 15, "signal 15, 1m" },
		{ 3599, ITEM_LAST_STATUS, 1, "1, 59m" },
		{ 3600, ITEM_LAST_STATUS, 1, "1, 1h" },
		{ 86399, ITEM_LAST_STATUS, 1, "1, 23h" },
		{ 86400, ITEM_LAST_SIGNAL, 9, "signal 9, 1d" },
		{ 8640000, ITEM_LAST_STATUS, 1, "1, 100d" },
		{ 120, 0, 0, "unknown, 2m" },
		/* The clock was set back. */
		{ -100, ITEM_LAST_STATUS, 1, "1, 0s" },
	};
	struct wire_item item;
	struct capture c;
	struct timespec now, then;
	bool same;

	(void)state;
	for (size_t i = 0; i < NITEMS(cases); i++)
		do {
			(void)clock_gettime(CLOCK_REALTIME, &now);
			item = action(1, "j", NULL, ":");
			item.keys = ITEM_LAST_AT | cases[i].key;
			item.last_at = ((int64_t)now.tv_sec - cases[i].ago) *
			    1000;
			item.last_status = item.last_signal = cases[i].value;
			print_table(&c, "", &item, 1);
			(void)clock_gettime(CLOCK_REALTIME, &then);
			/* Not if a second began meanwhile. */
			same = now.tv_sec == then.tv_sec;
			if (same)
				assert_non_null(strstr(c.text,
				    cases[i].shown));
			free(c.text);
			clear(&item, 1);
		} while (!same);
}

/* Lines pass through as they came, each at once a line. */
static void
json(void **state)
{
	static const char one[] = "{\"v\":1,\"id\":1}junk",
	    two[] = "{\"v\":1,\"id\":2}";
	struct wire_item item = { .id = 1 };
	struct show_list *l;
	struct capture c;

	(void)state;
	capture_begin(&c);
	l = show_list_open(true);
	assert_non_null(l);
	assert_int_equal(show_list_item(l, &item, one, strlen(one) - 4), 0);
	assert_int_equal(show_list_item(l, &item, two, strlen(two)), 0);
	assert_true(show_list_print(l));
	show_list_close(l);
	assert_int_equal(show_event_json(NULL, &item, two, strlen(two)), 0);
	capture_end(&c);
	assert_string_equal(c.text, "{\"v\":1,\"id\":1}\n{\"v\":1,\"id\":2}\n"
	    "{\"v\":1,\"id\":2}\n");
	free(c.text);
}

static void
events(void **state)
{
	struct wire_item armed = { .event = "armed", .at = 1795521600123,
	    .id = 3, .jid = 5536, .jail = own("web"),
	    .title = own("a \"b\"\n"), .pid = 5716, .command = own("true"),
	    .keys = ITEM_ID | ITEM_JID | ITEM_PID };
	struct wire_item finished = { .event = "finished", .at = 0, .id = 4,
	    .jid = 1, .status = 0, .ms = 17,
	    .keys = ITEM_ID | ITEM_JID | ITEM_STATUS | ITEM_MS };
	struct wire_item lost = { .event = "lost", .at = 1, .id = 4,
	    .jid = 1, .signal = 9,
	    .keys = ITEM_ID | ITEM_JID | ITEM_SIGNAL };
	struct wire_item refused = { .event = "refused", .at = 2, .id = 5,
	    .jid = 1, .status = 68, .text = own("the jail has ended"),
	    .keys = ITEM_ID | ITEM_JID | ITEM_STATUS | ITEM_TEXT };
	/* What never became an action has no id. */
	struct wire_item never = { .event = "refused", .at = 3, .status = 68,
	    .title = own("t"), .text = own("no process 1"),
	    .keys = ITEM_STATUS | ITEM_TEXT | ITEM_TITLE };
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(show_event(NULL, &armed, "", 0), 0);
	assert_int_equal(show_event(NULL, &finished, "", 0), 0);
	assert_int_equal(show_event(NULL, &lost, "", 0), 0);
	assert_int_equal(show_event(NULL, &refused, "", 0), 0);
	assert_int_equal(show_event(NULL, &never, "", 0), 0);
	capture_end(&c);
	assert_string_equal(c.text,
	    "2026-11-24T12:00:00.123Z armed id=3 jid=5536 jail=\"web\" "
	    "title=\"a \\\"b\\\"\\n\" pid=5716 command=\"true\"\n"
	    "1970-01-01T00:00:00.000Z finished id=4 jid=1 status=0 ms=17\n"
	    "1970-01-01T00:00:00.001Z lost id=4 jid=1 signal=9\n"
	    "1970-01-01T00:00:00.002Z refused id=5 jid=1 status=68 "
	    "text=\"the jail has ended\"\n"
	    "1970-01-01T00:00:00.003Z refused title=\"t\" status=68 "
	    "text=\"no process 1\"\n");
	free(c.text);
	clear(&armed, 1);
	clear(&refused, 1);
	clear(&never, 1);
}

/* A standard output of which one write, the nth, fails. */
static struct {
	int	n;
	int	calls;
	FILE	*saved;
} broken;

#ifdef __linux__
static ssize_t
write_or_fail(void *cookie, const char *buf, size_t size)
{
	(void)cookie;
	(void)buf;
	/* fopencookie(3): 0 is the failure. */
	return (broken.calls++ == broken.n ? 0 : (ssize_t)size);
}

static FILE *
open_broken(void)
{
	return (fopencookie(NULL, "w", (cookie_io_functions_t)
	    { .write = write_or_fail }));
}
#else
static int
write_or_fail(void *cookie, const char *buf, int size)
{
	(void)cookie;
	(void)buf;
	return (broken.calls++ == broken.n ? -1 : size);
}

static FILE *
open_broken(void)
{
	return (fwopen(NULL, write_or_fail));
}
#endif

static bool
shows_table(struct wire_item *items)
{
	struct show_list *l = show_list_open(false);
	bool ok;

	assert_non_null(l);
	for (int i = 0; i < 2; i++)
		assert_int_equal(show_list_item(l, &items[i], "", 0), 0);
	ok = show_list_print(l);
	show_list_close(l);
	return (ok);
}

static bool
shows_json(struct wire_item *items)
{
	struct show_list *l = show_list_open(true);
	bool ok;

	assert_non_null(l);
	ok = show_list_item(l, &items[0], "{}", 2) == 0 &&
	    show_list_item(l, &items[1], "{}", 2) == 0;
	ok = show_list_print(l) && ok;
	show_list_close(l);
	return (ok);
}

static bool
shows_event(struct wire_item *items)
{
	return (show_event(NULL, &items[0], "", 0) == 0);
}

static bool
shows_event_json(struct wire_item *items)
{
	return (show_event_json(NULL, &items[0], "{}", 2) == 0);
}

/* Whichever write fails, it is said. */
static void
failing_output(void **state)
{
	static bool (*const shows[])(struct wire_item *) = { shows_table,
	    shows_json, shows_event, shows_event_json };
	struct wire_item items[] = {
		action(7, "web", "RESTART", "docker restart web"),
		action(12, "db", "SNAPSHOT", "zfs snapshot tank/db@x") };
	bool ok;

	(void)state;
	(void)snprintf(items[0].event, sizeof(items[0].event), "finished");
	items[0].pid = 1;
	items[0].text = own("text");
	items[0].keys = ITEM_ID | ITEM_JID | ITEM_PID | ITEM_STATUS |
	    ITEM_SIGNAL | ITEM_MS | ITEM_TEXT;
	for (size_t i = 0; i < NITEMS(shows); i++)
		for (broken.n = 0;; broken.n++) {
			broken.calls = 0;
			broken.saved = stdout;
			stdout = open_broken();
			if (stdout != NULL)
				(void)setvbuf(stdout, NULL, _IONBF, 0);
			ok = stdout != NULL && shows[i](items);
			if (stdout != NULL)
				(void)fclose(stdout);
			stdout = broken.saved;
			assert_int_equal(ok, broken.calls <= broken.n);
			assert_true(ok || broken.calls > 0);
			if (ok)
				break;
		}
	clear(items, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(as_wide_as_needed),
		cmocka_unit_test(cut),
		cmocka_unit_test(fits),
		cmocka_unit_test(cut_utf8),
		cmocka_unit_test(harmless),
		cmocka_unit_test(cut_long),
		cmocka_unit_test(last),
		cmocka_unit_test(json),
		cmocka_unit_test(events),
		cmocka_unit_test(failing_output),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
