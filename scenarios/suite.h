/* Files of suites: many scenarios, to be run with some profiles and seeds. */
#ifndef AQ_SCENARIOS_SUITE_H
#define AQ_SCENARIOS_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define AQ_SUITE_SEED_MAX UINT64_C(999999999999999) /* seeds go into JSON as numbers */

struct aq_suite_words {
    char **list; /* owned, as the texts */
    uint32_t count;
};

/* Seeds from one to another, both included. */
struct aq_suite_seeds {
    uint64_t from, to;
    bool given; /* otherwise each scenario's own */
};

struct aq_suite {
    char *name;   /* owned; that of the file without ".json" unless it says otherwise */
    char *folder; /* owned: of the file; relative paths of scenarios begin there; NULL: the current one */
    struct aq_suite_words scenarios; /* files, folders, names of the library; at least one */
    struct aq_suite_words profiles;  /* as for --profile; none: as in the scenarios */
    struct aq_suite_words settings;  /* as for --set */
    char *fidelity;                  /* owned; NULL: as in the scenarios */
    struct aq_suite_seeds seeds;
    uint32_t jobs; /* 0: not said */
    bool check_replay;
};

/* Reads a file. Errors: AQ_EIO, AQ_EPARSE, AQ_EINVALID, AQ_ELIMIT, AQ_ENOMEM; *error is one line with the
   file, the line or path, what was found and what is allowed; *out untouched. */
int aq_suite_load(const char *path, struct aq_suite **out, struct aq_error *error);
void aq_suite_free(struct aq_suite *suite); /* NULL is fine */

/* Reads "FROM..TO", both below 10^15, the lower one first. False, *out untouched, for anything else. */
bool aq_suite_read_seeds(const char *text, struct aq_suite_seeds *out);

#endif
