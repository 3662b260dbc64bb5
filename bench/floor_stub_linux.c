/*
 * What the floor puts into a jail: the steps of a stub, bare.  No libc, and
 * no code of stub/.
 *
 * Descriptors: 0 is read for the namespaces to join (4 bytes), and for a byte
 * that says "go on"; 1 is the jail's pidfd; what is added to 2, a counter, is
 * SHED, then the probe's pid by the stub and READY by the probe; 3 is the
 * jail's root.
 */
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <stdint.h>

#define SHED		(1ULL << 40)
#define READY		(1ULL << 41)

static long
call(long nr, long a, long b, long c, long d, long e)
{
	long ret;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b),
	    "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2),
	    "r"(x3), "r"(x4) : "memory");
	ret = x0;
#else
#error "no system calls for this architecture; add them here"
#endif
	return (ret);
}

static _Noreturn void
leave(int status)
{
	for (;;)
		call(__NR_exit_group, status, 0, 0, 0, 0);
}

static void
must(long ret)
{
	if (ret < 0)
		leave(1);
}

static void
report(uint64_t count)
{
	must(call(__NR_write, 2, (long)&count, sizeof(count), 0, 0));
}

static void
drop(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3,
	    0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	for (long cap = 0; call(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0) == 0;
	    cap++)
		continue;
	must(call(__NR_setresgid, 0, 0, 0, 0, 0));
	must(call(__NR_setresuid, 0, 0, 0, 0, 0));
	must(call(__NR_capset, (long)&header, (long)none, 0, 0, 0));
	must(call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	must(call(__NR_close_range, 3, ~0U, 0, 0, 0));
}

static _Noreturn void
probe(void)
{
	call(__NR_setsid, 0, 0, 0, 0, 0);
	must(call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	report(READY);
	call(__NR_close_range, 0, ~0U, 0, 0, 0);
	for (;;) {
#ifdef __NR_pause
		call(__NR_pause, 0, 0, 0, 0, 0);
#else
		call(__NR_ppoll, 0, 0, 0, 0, 0);
#endif
	}
}

_Noreturn void	stub(void);

_Noreturn void
stub(void)
{
	uint32_t namespaces = 0;
	char byte = 0;
	long pid;

	must(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	if (call(__NR_read, 0, (long)&namespaces, sizeof(namespaces), 0, 0) !=
	    sizeof(namespaces))
		leave(1);
	must(call(__NR_setgroups, 0, 0, 0, 0, 0));
	must(call(__NR_setns, 1, namespaces, 0, 0, 0));
	must(call(__NR_fchdir, 3, 0, 0, 0, 0));
	must(call(__NR_chroot, (long)".", 0, 0, 0, 0));
	drop();
	report(SHED);
	if (call(__NR_read, 0, (long)&byte, 1, 0, 0) != 1)
		leave(1);
	pid = call(__NR_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		probe();
	must(pid);
	report((uint64_t)pid);
	leave(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tcall stub\n\thlt\n");
#else
__asm__(".globl _start\n_start:\n\tbl stub\n\tbrk #1\n");
#endif
