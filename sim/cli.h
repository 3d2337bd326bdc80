/* The command line of allqsim: one file a command. */
#ifndef AQ_SIM_CLI_H
#define AQ_SIM_CLI_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

#define AQ_DATABASE_DEFAULT "allqsim.db"

/* Each takes the arguments behind its own word, argv[0] being that word, and returns the exit code. */
int aq_cli_run(int argc, char **argv);
int aq_cli_suite(int argc, char **argv);
int aq_cli_explore(int argc, char **argv);
int aq_cli_mutants(int argc, char **argv);
int aq_cli_shrink(int argc, char **argv);
int aq_cli_replay(int argc, char **argv);
int aq_cli_plan(int argc, char **argv);
int aq_cli_what_if(int argc, char **argv);
int aq_cli_calibrate(int argc, char **argv);
int aq_cli_import(int argc, char **argv);
int aq_cli_report(int argc, char **argv);
int aq_cli_compare(int argc, char **argv);
int aq_cli_merge(int argc, char **argv);
int aq_cli_scenarios(int argc, char **argv);

/* Prints "allqsim: <text>" on stderr and returns the exit code that goes with the error code: 66 for a
   database that cannot be used, 74 for files that cannot be written or read, 70 where memory ran out, 64 for
   the rest, which the user can mend on the command line or in a scenario. */
int aq_cli_fail(const struct aq_error *error);

/* Prints one line on stderr, with a pointer to the help of the command, and returns 64. */
int aq_cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads the value of --OPTION, a whole number from min to max. Returns 0, or 64 after a line on stderr (*out
   untouched). */
int aq_cli_number(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                  uint64_t *out);
int aq_cli_count(const char *command, const char *option, const char *text, uint32_t min, uint32_t max,
                 uint32_t *out);

/* Reads the value of --shard, K/N with K from 1 to N. Returns as above. */
int aq_cli_shard(const char *command, const char *text, uint32_t *shard, uint32_t *shards);

/* From now on the first SIGINT or SIGTERM sets what aq_cli_stop points to; the second ends the program. */
void aq_cli_watch_signals(void);
const volatile sig_atomic_t *aq_cli_stop(void);

#endif
