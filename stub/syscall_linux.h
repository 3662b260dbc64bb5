/*
 * The kernel's door, without a libc: one function for any system call.
 * Returns what the kernel returns: -errno for a failure.  Not inline, since
 * the stub shall fit into a page.
 */
#ifndef SYSCALL_LINUX_H
#define SYSCALL_LINUX_H

/* Who copies code elsewhere must have no calls in it. */
#ifndef SYSCALL_LINKAGE
#define SYSCALL_LINKAGE	__attribute__((noinline)) static
#endif

#if defined(__x86_64__)

SYSCALL_LINKAGE long
sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(ret)
	    : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
	return (ret);
}

/*
 * Where a program begins: its function gets the start of the stack, on which
 * the kernel has put the number of arguments and then their addresses.
 * The ABI leaves a multiple of 16 in rsp here; a call makes it uneven.
 */
#define SYSCALL_ENTRY(function)						\
	__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tcall " #function "\n\thlt\n")

#elif defined(__aarch64__)

SYSCALL_LINKAGE long
sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0)
	    : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	    : "memory");
	return (x0);
}

#define SYSCALL_ENTRY(function)						\
	__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tbl " #function "\n\tbrk #1\n")

#else
#error "jailprobe: no system call entry for this architecture (x86-64 and aarch64 are supported); add one to stub/syscall_linux.h"
#endif

#define SYS0(nr)		sys6((nr), 0, 0, 0, 0, 0, 0)
#define SYS1(nr, a)		sys6((nr), (long)(a), 0, 0, 0, 0, 0)
#define SYS2(nr, a, b)		sys6((nr), (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(nr, a, b, c)	sys6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(nr, a, b, c, d)	sys6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(nr, a, b, c, d, e)	sys6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* Sleep until a signal ends the process: pause(2), or its newer form. */
#ifdef __NR_pause
#define PAUSE_NR	__NR_pause
#define PAUSE()		SYS0(__NR_pause)
#else
#define PAUSE_NR	__NR_ppoll
#define PAUSE()		SYS5(__NR_ppoll, 0, 0, 0, 0, 0)
#endif

#endif
