/* A suite as plain data: many scenarios, each with some profiles and seeds, and what came of every run. The
   simulator fills it, the printers print it. */
#ifndef AQ_REPORTS_SUITE_H
#define AQ_REPORTS_SUITE_H

#include <stdio.h>

#include "reports/record.h"

enum aq_suite_state {
    AQ_SUITE_NOT_RUN, /* the suite was interrupted before */
    AQ_SUITE_RAN,
    AQ_SUITE_INTERRUPTED, /* in the middle */
    AQ_SUITE_BROKEN,      /* its process died, or could not run it: the reason says why */
};

/* One run. Texts are borrowed. */
struct aq_suite_run {
    uint32_t row; /* its place in the table of scenarios and profiles */
    enum aq_suite_state state;
    int64_t run; /* its number in the database; 0: there is none */
    const char *seed_text;
    const char *reproduce;
    enum aq_verdict verdict; /* unknown where it was not run */
    int exit_code;
    const char *reason; /* one line; NULL where it was not run */
    uint64_t trace_hash, events, virtual_us, wall_us;
};

struct aq_suite_row {
    const char *scenario; /* its name */
    const char *profile;  /* "strict", or "strict/upstream": of the clients and the servers */
};

struct aq_suite_result {
    const char *name;
    const struct aq_suite_row *rows;
    uint32_t row_count;
    const struct aq_suite_run *runs; /* in the order of rows, then seeds */
    uint32_t run_count;
    const char *database, *junit; /* NULL: none */
    uint32_t jobs;
    uint32_t shard, shards; /* which part of the whole; 0 or 1 of them: all of it */
    bool interrupted;
    int exit_code; /* the gravest of a run, or 130 */
    uint64_t wall_us;
};

/* The summary for people: a line for each scenario and profile, then each run that did not pass with its line
   to reproduce it. Errors: AQ_EIO. */
int aq_print_suite_text(FILE *stream, const struct aq_suite_result *suite);

/* One JSON object on one line. Errors: AQ_EIO. */
int aq_print_suite_json(FILE *stream, const struct aq_suite_result *suite);

#endif
