/* A process that waits for a signal. */
#include <unistd.h>

int
main(void)
{
	for (;;)
		pause();
}
