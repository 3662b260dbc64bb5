#include_next <sys/resource.h>

/* An int there, an enumeration on Linux. */
int	freebsd_setrlimit(int, const struct rlimit *);
#define setrlimit	freebsd_setrlimit
