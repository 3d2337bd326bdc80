/* Runs scenarios written as JSON in tests. */
#ifndef AQ_TESTS_SIM_RUN_RIG_H
#define AQ_TESTS_SIM_RUN_RIG_H

#include "reports/record.h"
#include "sim/run.h"

/* What a test may vary. All zero: seed 0, the ordinary client, no lines. */
struct run_variation {
    uint64_t seed;
    bool live;            /* real time and real sockets */
    const char *fidelity; /* NULL: as written */
    const char *profile;  /* likewise */
    const char *const *settings;
    uint32_t setting_count;
    aq_client_step_fn client_step;
    int (*line)(void *arg, aq_time_us at_us, const char *text);
    void *line_arg;
};

/* Runs and fills *record, which the caller closes; fails the test where it cannot run. */
void run_text(const char *json, const struct run_variation *variation, struct aq_record *record);

/* The same for a scenario of the library. */
void run_library(const char *name, const struct run_variation *variation, struct aq_record *record);

/* The check of this name in a record. */
const struct aq_record_check *check_of(const struct aq_record *record, const char *name);

/* How often the mark was reached. */
uint64_t mark_of(const struct aq_record *record, const char *name);

#endif
