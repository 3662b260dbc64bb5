/*
 * The smallest process that waits for a signal: pause(2) in a loop, without a
 * libc.  Filled up to 528 bytes on x86-64, which changes nothing: all is one
 * page.
 */
#if defined(__x86_64__)
__asm__(".globl _start\n"
    "_start:\tpush $34\n"
    "\tpop %rax\n"
    "\tsyscall\n"
    "\tjmp _start\n"
    "\t.skip 129\n");
#elif defined(__aarch64__)
/* There is no pause(2) there: ppoll(2) of nothing. */
__asm__(".globl _start\n"
    "_start:\tmov x0, xzr\n"
    "\tmov x1, xzr\n"
    "\tmov x2, xzr\n"
    "\tmov x3, xzr\n"
    "\tmov x8, #73\n"
    "\tsvc #0\n"
    "\tb _start\n"
    "\t.skip 108\n");
#else
#error "no pause for this architecture; add one to bench/pause_linux.c"
#endif
