/* Replay: a stored run is run again and compared with what is stored of it, step by step where the full trace
   is stored, else by its checkpoints; it may be stopped on the way for a look. */
#ifndef AQ_SIM_REPLAY_H
#define AQ_SIM_REPLAY_H

#include "reports/store.h"
#include "sim/run.h"
#include "sim/stored_run.h"

enum aq_replay_verdict {
    AQ_REPLAY_SAME,    /* as far as it went */
    AQ_REPLAY_DIFFERS, /* it went another way */
    AQ_REPLAY_UNSURE,  /* stopped before there was anything to compare */
};

struct aq_replay_options {
    const struct aq_stored_run *stored; /* borrowed */
    struct aq_store *store;             /* borrowed: has the stored trace */
    aq_time_us until_us;                /* stop here; 0: at the end */
    const volatile sig_atomic_t *stop;  /* as in struct aq_run_options, and so are those: */
    aq_client_step_fn client_step;
    int (*observed)(void *arg, const struct aq_observation *seen);
    int (*inspect)(void *arg, struct aq_run *run);
    void *arg;
};

struct aq_replay_outcome {
    enum aq_replay_verdict verdict;
    bool whole;        /* it went to its end, and the hash of the whole run was compared */
    bool interrupted;  /* *stop was set */
    uint32_t compared; /* checkpoints */
    uint64_t trace_hash;
    uint64_t events;
    aq_time_us end_us;
    char difference[800]; /* DIFFERS: where, as far as is known; else empty */
};

/* Errors: as aq_run_scenario and aq_store_read_events. */
int aq_replay(const struct aq_replay_options *options, struct aq_replay_outcome *out, struct aq_error *error);

#endif
