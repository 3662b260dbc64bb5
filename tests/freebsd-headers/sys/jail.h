struct iovec;
struct jail;

int	jail(struct jail *);
int	jail_attach(int);
int	jail_get(struct iovec *, unsigned int, int);
