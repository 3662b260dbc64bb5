/* A test that finds no descriptors. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <sys/resource.h>
#include <unistd.h>

/*
 * From now on only so many more can be opened, if those that are open have no
 * gaps; setrlimit(2) with old ends it.  To be called where cmocka.h is known.
 */
static void
leave_descriptors(int spare, struct rlimit *old)
{
	int lowest = dup(STDERR_FILENO);
	struct rlimit few;

	assert_int_not_equal(lowest, -1);
	(void)close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
	few = *old;
	few.rlim_cur = (rlim_t)lowest + (rlim_t)spare;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

#endif
