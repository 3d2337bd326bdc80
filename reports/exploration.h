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

/* What the searches took that found something: seeds, virtual_s, wall_s. All zero where none did; *found: how
   many did. Errors: AQ_ENOMEM. */
#define AQ_EXPLORATION_SPREADS 3
struct aq_exploration_spread {
    const char *name;
    double min, median, mean, max;
};
int aq_exploration_spreads(const struct aq_exploration *exploration,
                           struct aq_exploration_spread spreads[AQ_EXPLORATION_SPREADS], uint32_t *found);

/* "pass", "fail" or "unknown", as its exit code and failures have it: a literal. */
const char *aq_exploration_verdict(const struct aq_exploration *exploration);

/* Of all verdicts. */
uint64_t aq_exploration_seeds(const struct aq_exploration *exploration);

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

/* ---- read back ---- */

/* What is known of a sort of failure beside its row. */
struct aq_exploration_proof {
    const char *reproduce;            /* a command line that runs its quickest seed */
    struct aq_record_violation story; /* of that run, the first of the check; check NULL: none is kept */
};

/* Seeds that follow one another, added up. */
#define AQ_EXPLORATION_STRETCHES_MAX 240
struct aq_exploration_stretch {
    uint64_t from_seed; /* the lowest */
    uint64_t seeds, failing;
    uint64_t busy_us;   /* that they took one after the other */
    uint64_t new_sorts; /* of failure: no lower seed showed them */
};

struct aq_stored_exploration {
    int64_t number;
    struct aq_exploration exploration;        /* failures by the seeds that showed them, most first */
    struct aq_exploration_proof *proofs;      /* one for each failure */
    struct aq_exploration_stretch *stretches; /* by seed */
    uint32_t stretch_count;
    struct aq_arena memory; /* of all of it */
};

/* Reads an exploration that has ended; all-zero before, close it in any case. Errors: AQ_ENOENT (no such
   exploration, or one that never ended), AQ_EIO, AQ_ENOMEM. */
int aq_store_load_exploration(struct aq_store *store, int64_t number, struct aq_stored_exploration *out,
                              struct aq_error *error);
void aq_stored_exploration_close(struct aq_stored_exploration *stored);

/* What an index says of an exploration. */
struct aq_exploration_head {
    int64_t number;
    const char *state;                 /* "finished", "interrupted"; "unfinished": there is no outcome */
    uint32_t failures;                 /* sorts of them */
    struct aq_exploration exploration; /* its row alone */
};
struct aq_exploration_list {
    const struct aq_exploration_head *heads; /* by number */
    uint32_t count;
    struct aq_arena memory;
};

/* Fills an all-zero list; close it in any case. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_store_list_explorations(struct aq_store *store, struct aq_exploration_list *list,
                               struct aq_error *error);
void aq_exploration_list_close(struct aq_exploration_list *list);

/* The run that is kept of a sort of failure, of the newest exploration that found it. Errors: AQ_ENOENT,
   AQ_EIO. */
int aq_store_find_failure(struct aq_store *store, const char *fingerprint, int64_t *out_run,
                          struct aq_error *error);

#endif
