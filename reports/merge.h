/* Many databases into one: numbers of runs and explorations are given anew, everything that refers to them
   follows, and explorations of all parts of a range of seeds become one. */
#ifndef AQ_REPORTS_MERGE_H
#define AQ_REPORTS_MERGE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What becomes of a run that is there already: the same scenario, seed, options and trace. */
enum aq_merge_duplicates { AQ_MERGE_REFUSE, AQ_MERGE_SKIP, AQ_MERGE_KEEP };

struct aq_merge_options {
    const char *out;           /* what it holds already stays, and comes first */
    const char *const *inputs; /* read only; not a byte of them is changed */
    uint32_t input_count;
    enum aq_merge_duplicates duplicates;
    const volatile sig_atomic_t *stop; /* leaves off at the next run when non-zero; NULL: never */
};

struct aq_merge_result {
    uint64_t runs, explorations,
        others;       /* that `out` holds now; others: rows of further kinds that have a number */
    uint64_t skipped; /* duplicates */
    uint64_t joined;  /* explorations made of parts */
    uint64_t parts;   /* that are left: the others are not there, or one did not end */
    bool resumed;     /* an earlier merge had left off */
};

/* Merges. It is written beside `out` (".part") and takes its place when it is complete; a merge that left
   off, by *stop or because it was killed, goes on where it was when it is called again with the same files.
   Errors: AQ_EEXISTS (a duplicate, refused), AQ_EINTERRUPTED, those of aq_store_open, AQ_EIO, AQ_ENOMEM;
   *error names the file and the remedy. */
int aq_merge(const struct aq_merge_options *options, struct aq_merge_result *out, struct aq_error *error);

#endif
