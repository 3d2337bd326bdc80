/* The command suite, and run where it is about more than one run. */
#ifndef AQ_SIM_CLI_SUITE_H
#define AQ_SIM_CLI_SUITE_H

#include <stdbool.h>
#include <stdint.h>

/* Do the arguments of run ask for many runs: several scenarios, a folder, or an option that is about many? */
bool aq_cli_run_is_suite(int argc, char **argv);
int aq_cli_run_suite(int argc, char **argv);

/* Reads a seed: a decimal number, or the hash of a commit: 40 hex digits, of which any is as good as another.
   Returns 0 or the exit code after telling what is wrong. */
int aq_cli_read_seed(const char *command, const char *text, uint64_t *out);

#endif
