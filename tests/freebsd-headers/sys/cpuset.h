#include <sys/types.h>

#define CPU_LEVEL_ROOT		1
#define CPU_LEVEL_CPUSET	2
#define CPU_LEVEL_WHICH		3
#define CPU_WHICH_PID		2

typedef int cpulevel_t;
typedef int cpuwhich_t;
typedef int cpusetid_t;
typedef struct cpuset {
	long	__bits[4];
} cpuset_t;

/* An id_t has 64 bits there. */
int	cpuset(cpusetid_t *);
int	cpuset_getaffinity(cpulevel_t, cpuwhich_t, int64_t, size_t,
	    cpuset_t *);
int	cpuset_setaffinity(cpulevel_t, cpuwhich_t, int64_t, size_t,
	    const cpuset_t *);
