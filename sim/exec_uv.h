/* One process of another program: started with a command line and an environment, killed when it is no longer
   wanted, never outliving this one. What it writes is kept to its last lines, for messages. */
#ifndef AQ_SIM_EXEC_UV_H
#define AQ_SIM_EXEC_UV_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

struct aq_exec; /* opaque; see exec_uv.c */

struct aq_exec_config {
    uv_loop_t *loop;
    char *const *arguments;     /* NULL-terminated; the first is looked for in PATH unless it holds a slash */
    char *const *environment;   /* NULL-terminated */
    void (*ended)(void *owner); /* from the loop: the process has ended by itself; aq_exec_end is to follow */
    void *owner;
};

/* Starts the process in a process group of its own, with standard input from nowhere. Errors: AQ_ENOMEM,
   AQ_EIO (*error says why it cannot be run); *out untouched. */
int aq_exec_start(const struct aq_exec_config *config, struct aq_exec **out, struct aq_error *error);

/* The last lines that it wrote to standard error or output, on one line, and how it ended ("exit status 64",
   "signal 11", "still running"). Both are valid until it is ended. */
const char *aq_exec_last_lines(struct aq_exec *process);
const char *aq_exec_ending(const struct aq_exec *process);

/* Kills what still runs of its group and forgets it; the memory is released by the loop, which has to run on.
   NULL is fine. */
void aq_exec_end(struct aq_exec *process);

#endif
