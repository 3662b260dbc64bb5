#include_next <signal.h>

#define _SIG_MAXSIG	128
