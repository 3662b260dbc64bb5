#include <sys/types.h>

#define RTP_SET			1
#define RTP_PRIO_NORMAL		3

struct rtprio {
	unsigned short	type;
	unsigned short	prio;
};

int	rtprio(int, pid_t, struct rtprio *);
