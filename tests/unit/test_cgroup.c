/* Where a jail's control groups are, from what the kernel says of mounts. */
#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The texts that it reads, not the ones of this machine. */
#include "../../src/cgroup.c"	/* NOLINT(bugprone-suspicious-include) */

static struct cgroups *cg;

static void
mounts(const char *const *lines)
{
	for (; *lines != NULL; lines++) {
		char *copy = strdup(*lines);

		assert_non_null(copy);
		parse_mount(cg, copy);
		free(copy);
	}
}

static int
set_up(void **state)
{
	(void)state;
	cg = calloc(1, sizeof(*cg));
	return (cg == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	cgroups_close(cg);
	return (0);
}

static const char *
point_of(const char *controllers)
{
	const struct hierarchy *h = find_mount(cg, controllers);

	return (h == NULL ? "none" : h->point);
}

static void
test_mounts(void **state)
{
	static const char *const lines[] = {
		"30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs ro,mode=755",
		"31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - "
		    "cgroup2 cgroup2 rw,nsdelegate",
		"35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:14 - "
		    "cgroup cgroup rw,cpu,cpuacct",
		"36 30 0:32 /docker/1 /sys/fs/cgroup/cpuset rw - cgroup cgroup "
		    "rw,cpuset",
		"37 30 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
		    "rw,xattr,name=systemd",
		/* None of these. */
		"", "no dash at all", " - ", "38 - cgroup", "39 30 - cgroup x y",
		"40 30 0:34 / /mnt rw -",
		"41 30 0:35 / /mnt rw - cgroup",
		"42 30 0:36 / /mnt rw - cgroup none", NULL };

	(void)state;
	mounts(lines);
	assert_int_equal(cg->count, 4);
	assert_string_equal(point_of(""), "/sys/fs/cgroup/unified");
	assert_string_equal(point_of("cpu,cpuacct"),
	    "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(point_of("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(point_of("cpuset"), "/sys/fs/cgroup/cpuset");
	assert_string_equal(point_of("name=systemd"),
	    "/sys/fs/cgroup/systemd");
	/* Neither the beginning of a word nor its end. */
	assert_string_equal(point_of("cp"), "none");
	assert_string_equal(point_of("set"), "none");
	assert_string_equal(point_of("name=system"), "none");
	assert_string_equal(point_of("pids"), "none");
}

static void
test_more_than_fit(void **state)
{
	static const char *const one[] = { "35 30 0:31 / /p rw - cgroup cgroup "
	    "rw,cpu", NULL };

	(void)state;
	for (int i = 0; i < HIERARCHIES_MAX + 5; i++)
		mounts(one);
	assert_int_equal(cg->count, HIERARCHIES_MAX);
}

static void
test_memberships(void **state)
{
	char text[] = "4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/c\nrubbish\n";
	char *rest = text;
	struct membership m;

	(void)state;
	assert_true(parse_membership(&rest, &m));
	assert_string_equal(m.controllers, "cpu,cpuacct");
	assert_string_equal(m.path, "/a:b");
	assert_true(parse_membership(&rest, &m));
	assert_string_equal(m.controllers, "name=systemd");
	assert_true(parse_membership(&rest, &m));
	assert_string_equal(m.controllers, "");
	assert_string_equal(m.path, "/c");
	assert_false(parse_membership(&rest, &m));
	assert_false(parse_membership(&rest, &m));
	assert_false(parse_membership(&rest, &m));
}

static void
test_already_there(void **state)
{
	static const char ours[] = "4:cpu,cpuacct:/a\n3:pids:/jail/x\n0::/c";
	static const struct {
		struct membership m;
		bool	there;
	} cases[] = {
		{ { "cpu,cpuacct", "/a" }, true },
		{ { "cpu", "/a" }, false },
		{ { "cpu,cpuacct", "/" }, false },
		{ { "cpu,cpuacct", "/a/b" }, false },
		{ { "pids", "/jail/x" }, true },
		{ { "pids", "/jail/y" }, false },
		{ { "", "/c" }, true },
		{ { "", "/" }, false },
		{ { "memory", "/a" }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(already_there(ours, &cases[i].m),
		    cases[i].there);
	assert_false(already_there("", &cases[0].m));
	assert_false(already_there("rubbish\n", &cases[0].m));
}

static void
has_written(const char *file, const char *text)
{
	char buf[64];
	ssize_t n = procfs_read(file, buf, sizeof(buf));

	assert_int_equal(n, strlen(text));
	assert_string_equal(buf, text);
}

/* A mount may show a part of a hierarchy, as in a container. */
static void
test_part_of_a_hierarchy(void **state)
{
	char folder[] = "/tmp/cgroupXXXXXX", path[64], file[96];
	char endless[PATH_MAX];
	char whole[] = "/", part[] = "/docker/1", none[] = "";
	struct hierarchy h = { none, folder, part };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/jail", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	close(creat(file, 0600));
	assert_int_equal(write_pid(&h, "/docker/1/jail", 4711), 0);
	has_written(file, "4711");
	/* Not below what is shown, though it begins so. */
	assert_int_equal(write_pid(&h, "/docker/12/jail", 1), -1);
	assert_int_equal(errno, ENOENT);
	h.root = whole;
	assert_int_equal(write_pid(&h, "/jail", 12), 0);
	has_written(file, "1211");
	memset(endless, 'x', sizeof(endless) - 1);
	endless[0] = '/';
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(write_pid(&h, endless, 1), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	unlink(file);
	rmdir(path);
	rmdir(folder);
}

/* Whose cgroups cannot be read has ended. */
static void
test_move(void **state)
{
	struct cgroups *here = cgroups_open();
	char err[256] = "";

	(void)state;
	assert_non_null(here);
	/* To where it is. */
	assert_int_equal(cgroups_move(here, getpid(), getpid(), err,
	    sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_int_equal(cgroups_move(here, 0x7ffffff0, getpid(), err,
	    sizeof(err)), -1);
	assert_string_equal(err, "the jail has ended");
	/* A stub that is gone is told of elsewhere. */
	assert_int_equal(cgroups_move(here, getpid(), 0x7ffffff0, err,
	    sizeof(err)), 0);
	cgroups_close(here);
}

/* What is not mounted here cannot be joined; a name controls nothing. */
static void
test_not_mounted(void **state)
{
	struct membership named = { "name=guest", "/" }, pids = { "none", "/x" };
	char err[256];

	(void)state;
	assert_int_equal(move_one(cg, &named, getpid(), err, sizeof(err)), 0);
	assert_int_equal(move_one(cg, &pids, getpid(), err, sizeof(err)), -1);
	assert_string_equal(err, "cannot move the probe to the jail's cgroup "
	    "none:/x: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_than_fit, set_up,
		    tear_down),
		cmocka_unit_test(test_memberships),
		cmocka_unit_test(test_already_there),
		cmocka_unit_test(test_part_of_a_hierarchy),
		cmocka_unit_test(test_move),
		cmocka_unit_test_setup_teardown(test_not_mounted, set_up,
		    tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
