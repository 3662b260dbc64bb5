#include_next <unistd.h>

int	feature_present(const char *);
int	setgroups(int, const gid_t *);
int	setlogin(const char *);
int	setloginclass(const char *);
