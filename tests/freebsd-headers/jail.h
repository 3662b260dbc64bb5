int	jail_getid(const char *);
