/* An exploration as plain data: many seeds of one scenario, what came out of each, and what was found. The
   simulator fills it, the store writes it. */
#ifndef AQ_REPORTS_EXPLORATION_H
#define AQ_REPORTS_EXPLORATION_H

#include "reports/store.h"

/* How a seed ended. */
enum aq_seed_verdict {
    AQ_SEED_PASS,
    AQ_SEED_FAIL,
    AQ_SEED_UNKNOWN,
    AQ_SEED_CRASH,  /* the process that ran it died: a finding */
    AQ_SEED_NO_RUN, /* there was no memory for it: neither pass nor fail */
    AQ_SEED_VERDICT_COUNT
};
const char *aq_seed_verdict_word(enum aq_seed_verdict verdict); /* "pass", "fail", ...: literals */

/* One seed. Texts are borrowed. */
struct aq_explored_seed {
    uint64_t seed;
    enum aq_seed_verdict verdict;
    int exit_code;      /* as of allqsim run */
    const char *reason; /* of the verdict, one line */
    const char *drawn;  /* what was drawn for it, one line */
    uint64_t trace_hash;
    uint64_t events;
    uint64_t virtual_us, wall_us;
    bool replayed;                   /* it was run twice, to compare the hashes */
    const char *const *fingerprints; /* of its failures, 16 digits each */
    uint32_t fingerprint_count;
};

/* Failures of one sort. */
struct aq_exploration_failure {
    const char *fingerprint, *check, *cause, *shape;
    uint64_t seeds;         /* that showed it */
    uint64_t first_seed;    /* the lowest of them */
    uint64_t quickest_seed; /* the one with the fewest events; the lowest of equals */
    int64_t run;            /* its run in this file; 0: not kept */
};

struct aq_exploration_mark {
    const char *name;
    uint64_t count; /* in all runs together */
    uint64_t seeds; /* that reached it */
    bool required;
};

/* One repetition of a search for the first failure of a sort. */
struct aq_exploration_find {
    uint64_t from_seed;
    uint64_t found_seed; /* meaningless where it was not found */
    bool found;
    uint64_t seeds;      /* that it took, the one with the failure included */
    uint64_t virtual_us; /* that passed in them, up to the failure */
    uint64_t wall_us;    /* that they took one after the other */
};

struct aq_exploration {
    const char *scenario, *scenario_text, *client_profile, *server_profile, *version, *build, *reproduce;
    uint64_t scenario_hash;
    int64_t started_unix_s;
    uint64_t seed_from, seed_to; /* both included; seed_to UINT64_MAX: no bound */
    uint32_t shard, shards;      /* 1 of 1: all seeds */
    uint32_t jobs;
    uint64_t replay_checked;
    /* outcome */
    bool interrupted;
    int exit_code;
    const char *reason;
    uint64_t seeds[AQ_SEED_VERDICT_COUNT];
    uint64_t events, virtual_us, busy_us, wall_us;
    const struct aq_exploration_failure *failures;
    uint32_t failure_count;
    const struct aq_exploration_mark *marks;
    uint32_t mark_count;
    const struct aq_exploration_find *finds;
    uint32_t find_count;
};

/* Sets the exit code from the gravest of a seed and what else there is, and writes the reason, one line, to
   `text`. Seeds, failures and marks are filled in. */
void aq_exploration_conclude(struct aq_exploration *exploration, int gravest, char *text, size_t size);

/* Adds the row of an exploration that has begun, marked unfinished. Errors: AQ_EIO. */
int aq_store_begin_exploration(struct aq_store *store, const struct aq_exploration *exploration, int64_t *out,
                               struct aq_error *error);

/* Adds seeds that have been run, in one transaction. Errors: AQ_EIO. */
int aq_store_add_seeds(struct aq_store *store, int64_t exploration, const struct aq_explored_seed *seeds,
                       uint32_t count, struct aq_error *error);

/* Writes the outcome and marks the exploration finished (or interrupted), in one transaction. Errors:
   AQ_EIO. */
int aq_store_finish_exploration(struct aq_store *store, int64_t number,
                                const struct aq_exploration *exploration, struct aq_error *error);

/* The run that is kept of a sort of failure, of the newest exploration that found it. Errors: AQ_ENOENT,
   AQ_EIO. */
int aq_store_find_failure(struct aq_store *store, const char *fingerprint, int64_t *out_run,
                          struct aq_error *error);

#endif
