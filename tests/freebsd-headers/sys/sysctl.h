#include <sys/types.h>

#define CTL_KERN		1
#define KERN_PROC		14
#define KERN_BOOTTIME		21
#define KERN_PROC_PID		1
#define KERN_PROC_SESSION	3
#define KERN_PROC_PROC		8
#define KERN_PROC_PATHNAME	12

int	sysctl(const int *, unsigned int, void *, size_t *, const void *,
	    size_t);
