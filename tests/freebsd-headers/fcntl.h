#include_next <fcntl.h>

#define O_EXEC			0x00040000
#define F_DUP2FD_CLOEXEC	18
