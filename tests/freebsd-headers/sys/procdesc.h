#include <sys/types.h>

#define PD_DAEMON	0x00000001
#define PD_CLOEXEC	0x00000002

pid_t	pdfork(int *, int);
int	pdkill(int, int);
