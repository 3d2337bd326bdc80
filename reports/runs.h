/* Several runs of a database, for reports about many: the head of each, and the rest on demand. */
#ifndef AQ_REPORTS_RUNS_H
#define AQ_REPORTS_RUNS_H

#include "reports/record.h"

struct aq_run_head {
    int64_t run;
    const char *state;       /* "finished", "interrupted"; "unfinished": the record holds no outcome */
    struct aq_record record; /* identity and outcome alone; no tables, no arena of its own */
};

struct aq_runs {
    const struct aq_run_head *heads; /* by number of the run */
    uint32_t count;
    /* Reads one of them whole into an initialised, empty record. Errors: as aq_store_load_run. */
    int (*load)(void *arg, int64_t run, struct aq_record *record);
    void *arg;
};

static inline bool aq_run_has_ended(const struct aq_run_head *head) {
    return head->state[0] != 'u';
}

#endif
