/*
 * The journal's file: what is read is gone on with, what is torn goes, and what
 * is damaged is kept aside.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/journal.h"

#define BOOT	"boottime:1"

static char	 folder[32];
static int	 dirfd_here = -1;
static unsigned int records;

static int
dump_nothing(void *arg, struct journal *j)
{
	(void)arg;
	(void)j;
	return (0);
}

static void
count(void *arg, struct wire_record *rec)
{
	(void)arg;
	assert_int_equal(rec->kind, RECORD_END);
	records++;
}

static int
add(struct journal *j, uint64_t id)
{
	struct wire_record rec = { .kind = RECORD_END, .id = id };

	return (journal_add(j, &rec, 1));
}

/* A journal that has been read: so many records. */
static struct journal *
read_again(unsigned int expected)
{
	struct journal *j = journal_open(dirfd_here);
	char err[256] = "";
	uint64_t next;

	assert_non_null(j);
	records = 0;
	assert_int_equal(journal_read(j, BOOT, count, NULL, &next, err,
	    sizeof(err)), 0);
	assert_int_equal(records, expected);
	return (j);
}

static void
append(const char *text)
{
	int fd = openat(dirfd_here, JOURNAL_NAME, O_WRONLY | O_APPEND);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
empty(void)
{
	int fd = openat(dirfd_here, JOURNAL_NAME, O_WRONLY | O_TRUNC);

	assert_int_not_equal(fd, -1);
	close(fd);
}

static unsigned int
files(const char *prefix)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((de = readdir(dir)) != NULL)
		n += strncmp(de->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return (n);
}

static void
test_continue(void **state)
{
	struct journal *j = journal_open(dirfd_here);

	(void)state;
	assert_non_null(j);
	/* Nothing was read: there is nothing to go on with. */
	journal_continue(j);
	assert_int_equal(add(j, 1), -1);
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing, NULL), 0);
	assert_int_equal(add(j, 1), 0);
	journal_continue(j);
	assert_int_equal(add(j, 2), 0);
	assert_false(journal_is_broken(j));
	journal_close(j);
	append("{\"v\":1,\"rec");
	j = read_again(2);
	journal_continue(j);
	assert_int_equal(add(j, 3), 0);
	journal_close(j);
	j = read_again(3);
	journal_continue(j);
	assert_int_equal(add(j, 4), 0);
	journal_close(j);
	j = read_again(4);
	assert_int_equal(unlinkat(dirfd_here, JOURNAL_NAME, 0), 0);
	journal_continue(j);
	assert_int_equal(add(j, 5), -1);
	journal_close(j);
	assert_int_equal(files("journal"), 0);
}

static void
test_damage(void **state)
{
	struct journal *j = journal_open(dirfd_here);

	(void)state;
	assert_non_null(j);
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing, NULL), 0);
	assert_int_equal(add(j, 1), 0);
	journal_close(j);
	append("nonsense\n{\"v\":1,\"record\":\"end\",\"id\":2}\n");
	j = read_again(1);
	/* It is not gone on with. */
	journal_continue(j);
	assert_int_equal(add(j, 2), -1);
	journal_close(j);
	assert_int_equal(files("journal.damaged-"), 1);
	assert_int_equal(files("journal"), 2);
	/* Once is enough, however often it is read. */
	sleep(1);
	j = read_again(1);
	assert_int_equal(files("journal.damaged-"), 1);
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing, NULL), 0);
	journal_close(j);
	journal_close(read_again(0));
	assert_int_equal(files("journal"), 2);
}

#define HEADER	"{\"v\":1,\"record\":\"header\",\"boot\":\"" BOOT "\",\"next\":1}\n"
#define GOOD	"{\"v\":1,\"record\":\"end\",\"id\":1}\n"

/* Nothing behind it counts, wherever it is. */
static void
test_kinds_of_damage(void **state)
{
	static const struct {
		const char	*text;
		unsigned int	 good;
	} kinds[] = {
		{ "nonsense\n" HEADER GOOD, 0 },
		{ "\n" HEADER GOOD, 0 },
		{ GOOD HEADER GOOD, 0 },
		{ HEADER "\n" GOOD, 0 },
		{ HEADER GOOD HEADER GOOD, 1 },
		{ HEADER GOOD GOOD "{\"v\":1}\n" GOOD, 2 },
		{ HEADER GOOD "{\"v\":1,\"record\":\"end\"}\n" GOOD, 1 },
		{ HEADER GOOD GOOD "{\"v\":2,\"record\":\"end\",\"id\":1}\n"
		    GOOD, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned int before = files("journal.damaged-");
		struct journal *j = journal_open(dirfd_here);

		assert_non_null(j);
		assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing,
		    NULL), 0);
		journal_close(j);
		empty();
		append(kinds[i].text);
		if (i > 0)
			sleep(1);	/* its name has the second */
		journal_close(read_again(kinds[i].good));
		assert_int_equal(files("journal.damaged-"), before + 1);
	}
}

/* There is no room for a first one. */
static void
test_no_file(void **state)
{
	char gone[] = "/tmp/test_journal.XXXXXX";
	struct journal *j;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(gone));
	fd = open(gone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(rmdir(gone), 0);
	j = journal_open(fd);
	assert_non_null(j);
	assert_true(journal_is_broken(j));
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing, NULL), -1);
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_int_equal(add(j, 1), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(journal_is_broken(j));
	journal_close(j);
	close(fd);
}

static int
dump_too_much(void *arg, struct journal *j)
{
	(void)arg;
	(void)j;
	errno = ENOSPC;
	return (-1);
}

/* What failed is what is said. */
static void
test_no_room(void **state)
{
	struct journal *j = journal_open(dirfd_here);

	(void)state;
	assert_non_null(j);
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_too_much, NULL), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(files("journal"), 0);
	errno = 0;
	assert_int_equal(add(j, 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_nothing, NULL), 0);
	assert_false(journal_is_broken(j));
	assert_int_equal(add(j, 1), 0);
	/* The old one is as good as it was. */
	assert_int_equal(journal_rewrite(j, BOOT, 1, dump_too_much, NULL), -1);
	assert_false(journal_is_broken(j));
	assert_int_equal(add(j, 2), 0);
	journal_close(j);
	journal_close(read_again(2));
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_journal.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return (-1);
	dirfd_here = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (dirfd_here == -1 ? -1 : 0);
}

static int
tear_down(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *de;

	(void)state;
	while (dir != NULL && (de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.')
			unlinkat(dirfd_here, de->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	close(dirfd_here);
	return (rmdir(folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_continue, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_damage, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_kinds_of_damage, set_up,
		    tear_down),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test_setup_teardown(test_no_room, set_up,
		    tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
