#include_next <libutil.h>

struct kinfo_file;

struct kinfo_file	*kinfo_getfile(pid_t, int *);
