/* The bare loops, which are programs of their own: asked over a socket. */
#include <sys/stat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define LINE_BYTES	256

struct floor *
floor_start(const struct config *config, const char *name, const char *memory)
{
	struct floor *f = grow(NULL, 1, sizeof(*f));
	char program[PATH_BYTES], sock[PATH_BYTES];
	const char **words = grow(NULL, (size_t)config->ngroups + 8,
	    sizeof(*words));
	const int fds[3] = { -1, -1, STDERR_FILENO };
	int n = 0;

	snprintf(program, sizeof(program), "%s/floor", config->tools);
	snprintf(sock, sizeof(sock), "%s/%s.sock", config->dir, name);
	words[n++] = program;
	words[n++] = sock;
	words[n++] = config->tools;
	words[n++] = config->jail;
	words[n++] = fifo_command();
	for (int i = 0; i < config->ngroups; i++)
		words[n++] = config->groups[i];
	words[n] = NULL;
	f->pid = child_start(words, fds, memory);
	free(words);
	f->conn = dial(sock);
	return (f);
}

void
floor_stop(struct floor *f)
{
	close(f->conn);
	child_stop(f->pid, SIGKILL);
	free(f);
}

long
floor_ask(struct floor *f, const char *request, int64_t *ns)
{
	char line[LINE_BYTES];
	size_t len = (size_t)snprintf(line, sizeof(line), "%s\n", request);
	int64_t start = now_ns();

	send_all(f->conn, line, len);
	receive_line(f->conn, line, sizeof(line));
	if (ns != NULL)
		*ns = now_ns() - start;
	return (strtol(line, NULL, 10));
}

int64_t
floor_trigger_ns(pid_t pid)
{
	int64_t start = now_ns();

	if (pid <= 0 || kill(pid, SIGHUP) == -1)
		die("the floor's probe");
	return (fifo_wait_ns("floor") - start);
}
