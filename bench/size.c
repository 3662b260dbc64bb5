/*
 * What a probe and an action cost in memory, and what an idle daemon does.
 * Linux: memory cgroups and /proc.
 */
#include <sys/stat.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define FIRST		100		/* probes, before it is measured */
#define MORE		1000
#define SETTLE_US	1500000		/* what ended is freed later */
#define AFTER_US	7000000
#define TEXT_MAX	16384

/* Bytes charged to a memory cgroup, v2 or v1; kernel memory included. */
static double
charged(const char *group)
{
	static const char *const files[] = { "memory.current",
	    "memory.usage_in_bytes" };
	char path[PATH_BYTES], text[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", group, files[i]);
		if (slurp(path, text, sizeof(text)) > 0)
			return (strtod(text, NULL));
	}
	die("%s is no memory cgroup", group);
}

/* A field of a file of /proc/PID, in kB; -1: it has none. */
static double
proc_kb(pid_t pid, const char *file, const char *field)
{
	char path[PATH_BYTES], text[TEXT_MAX], *p;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	if (slurp(path, text, sizeof(text)) == -1)
		die("%s", path);
	p = strstr(text, field);
	return (p == NULL ? -1 : strtod(p + strlen(field), NULL));
}

static double
private_bytes(pid_t pid)
{
	return (1024 * proc_kb(pid, "smaps_rollup", "Private_Dirty:"));
}

struct sizes {
	double	probe;		/* bytes, in the jail's cgroup */
	double	beside;		/* in the daemon's, for the probe: its program,
				   the stack that its stub had, descriptors */
	double	bare;
	double	daemon;		/* the daemon's own memory for an action */
	double	text;		/* of which its words are */
	double	resident;	/* with FIRST actions */
	double	stub;
};

/* One more action's share, from FIRST to FIRST + more. */
static void
size_of_probes(const struct config *config, unsigned int more,
    struct sizes *sizes)
{
	struct daemon *d = daemon_start(config, "size",
	    config->memory_daemon);
	double jail, group, own;
	char shown[64];

	daemon_arm_many(d, FIRST);
	pause_us(SETTLE_US);
	sizes->resident = 1024 * proc_kb(d->pid, "status", "VmRSS:");
	jail = charged(config->memory);
	group = charged(config->memory_daemon);
	own = private_bytes(d->pid);
	daemon_arm_many(d, more);
	pause_us(SETTLE_US);
	sizes->probe = (charged(config->memory) - jail) / more;
	own = private_bytes(d->pid) - own;
	sizes->daemon = own / more;
	sizes->beside = (charged(config->memory_daemon) - group - own) / more;
	daemon_shown(d, FIRST + more / 2, shown, sizeof(shown));
	sizes->text = (double)(strlen(fifo_command()) + strlen(shown) -
	    strlen("jailprobe: ") + 2);
	daemon_stop(d);
}

static void
size_of_bare(const struct config *config, unsigned int more,
    struct sizes *sizes)
{
	struct floor *f = floor_start(config, "size-floor",
	    config->memory_bare);
	pid_t *pids = grow(NULL, FIRST + more, sizeof(*pids));
	double before = 0;

	for (unsigned int i = 0; i < FIRST + more; i++) {
		if (i == FIRST) {
			pause_us(SETTLE_US);
			before = charged(config->memory_bare);
		}
		pids[i] = (pid_t)floor_ask(f, "bare", NULL);
	}
	pause_us(SETTLE_US);
	sizes->bare = (charged(config->memory_bare) - before) / more;
	for (unsigned int i = 0; i < FIRST + more; i++)
		kill(pids[i], SIGKILL);
	free(pids);
	floor_stop(f);
}

void
measure_size(const struct config *config, json_t *result)
{
	unsigned int more = config->hurry ? MORE / 5 : MORE;
	char path[PATH_BYTES];
	struct sizes s = { 0 };
	struct stat st;

	size_of_probes(config, more, &s);
	size_of_bare(config, more, &s);
	snprintf(path, sizeof(path), "%s/../jailprobe", config->tools);
	if (stat(path, &st) == -1)
		die("%s", path);
	s.stub = (double)st.st_size;
	json_object_set_new(result, "size", json_pack("{s:i, s:f, s:f, s:f, "
	    "s:f, s:f, s:f, s:f}", "actions", (int)more, "probe_bytes",
	    s.probe, "beside_bytes", s.beside, "bare_bytes", s.bare,
	    "daemon_bytes", s.daemon, "text_bytes", s.text, "stub_bytes",
	    s.stub, "resident_bytes", s.resident));
	goal(result, "size_jail", "a probe's memory in its jail's cgroup, to a "
	    "bare pausing process", s.probe / s.bare, 1.2, false);
	goal(result, "size_probe", "the same with what the daemon's cgroup is "
	    "charged for it", (s.probe + s.beside) / s.bare, 1.2, false);
	goal(result, "size_action", "bytes of the daemon for an action, "
	    "without its text", s.daemon - s.text, 600, false);
	goal(result, "size_stub", "bytes of the stub", s.stub, 4096, false);
	goal(result, "size_daemon", "MB of the daemon with 100 actions, "
	    "resident", s.resident / 1048576, 4, false);
}

/* -- idle -------------------------------------------------------------------- */

/* How often the process got a processor, in its life so far. */
static double
wakeups(pid_t pid)
{
	return (proc_kb(pid, "status", "\nvoluntary_ctxt_switches:") +
	    proc_kb(pid, "status", "nonvoluntary_ctxt_switches:"));
}

/* System calls, by strace -c: the total of its table. */
static double
count_calls(const struct config *config, pid_t pid)
{
	char path[PATH_BYTES], number[16], text[TEXT_MAX], *line, *p;
	const char *words[] = { "strace", "-c", "-q", "-o", path, "-p", number,
	    NULL };
	pid_t strace;

	snprintf(path, sizeof(path), "%s/strace", config->dir);
	snprintf(number, sizeof(number), "%ld", (long)pid);
	strace = child_start(words, (const int[]){ -1, -1, -1 }, NULL);
	pause_us(1000000 * config->idle_s);
	child_stop(strace, SIGINT);
	if (slurp(path, text, sizeof(text)) == -1)
		die("strace");
	/* "100.00 0.000000 0 12 total"; no table where there was no call */
	p = strstr(text, " total");
	if (p == NULL)
		return (0);
	*p = '\0';
	while (p > text && isspace((unsigned char)p[-1]))
		*--p = '\0';
	line = strrchr(text, '\n');
	for (int field = 0; line != NULL && field < 3; field++) {
		line += strspn(line, " \n");
		line = strchr(line, ' ');
	}
	return (line == NULL ? -1 : strtod(line, NULL));
}

void
measure_idle(const struct config *config, json_t *result)
{
	struct daemon *d = daemon_start(config, "idle", NULL);
	struct daemon *traced = daemon_start(config, "traced", NULL);
	double calls, cpu;

	daemon_arm_many(d, FIRST);
	daemon_arm_many(traced, FIRST);
	daemon_leave(d);
	daemon_leave(traced);
	/* It looks for strangers some seconds after an attaching. */
	pause_us(AFTER_US);
	cpu = wakeups(d->pid);
	calls = count_calls(config, traced->pid);
	cpu = wakeups(d->pid) - cpu;
	json_object_set_new(result, "idle", json_pack("{s:i, s:i, s:f, s:f}",
	    "actions", FIRST, "seconds", (int)config->idle_s, "wakeups", cpu,
	    "calls", calls));
	goal(result, "idle", "wake-ups of an idle daemon", cpu, 0, false);
	daemon_stop(d);
	daemon_stop(traced);
}
