#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#define EVFILT_PROC	(-5)
#define EVFILT_PROCDESC	(-8)
#define EV_ADD		0x0001
#define EV_DELETE	0x0002
#define NOTE_EXIT	0x80000000

struct kevent {
	uintptr_t	ident;
	short		filter;
	unsigned short	flags;
	unsigned int	fflags;
	int64_t		data;
	void		*udata;
};

#define EV_SET(event, a, b, c, d, e, f) do {				\
	(event)->ident = (a);						\
	(event)->filter = (b);						\
	(event)->flags = (c);						\
	(event)->fflags = (d);						\
	(event)->data = (e);						\
	(event)->udata = (f);						\
} while (0)

int	kqueue(void);
int	kevent(int, const struct kevent *, int, struct kevent *, int,
	    const struct timespec *);
