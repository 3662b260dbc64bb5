#include <sys/wait.h>
#include <stdint.h>

#define PROC_SPROTECT			1
#define PPROT_CLEAR			2
#define PROC_TRACE_CTL			7
#define PROC_TRACE_CTL_DISABLE_EXEC	3
#define PROC_PDEATHSIG_CTL		11
/* Not in 12.1. */
#define PROC_NO_NEW_PRIVS_CTL		19
#define PROC_NO_NEW_PRIVS_ENABLE	1

/* An id_t has 64 bits there. */
int	procctl(idtype_t, int64_t, int, void *);
