/* A capacity plan as plain data: which points were looked at, what came out, and what follows from it. The
   simulator fills it, the store and the printers know nothing else. */
#ifndef AQ_REPORTS_PLAN_H
#define AQ_REPORTS_PLAN_H

#include "reports/store.h"

/* A measure at a point: mean over the seeds, half of its interval of 95 %, and what theory says. */
struct aq_plan_value {
    double mean, half;
    double theory;    /* NaN: theory has nothing to say */
    const char *held; /* "holds", "fails", "open"; "" for what is no term of the objective */
};

/* What is measured at each point: the terms of the objective first. */
struct aq_plan_measure {
    const char *text;    /* of a term, as written: "p99(get) < 250ms"; otherwise the measure */
    const char *measure; /* "p99(get)" */
    const char *unit;    /* "s", "/s" or "" */
    double bound;        /* of a term; NaN otherwise */
};

struct aq_plan_row {
    uint32_t servers, clients;
    uint32_t down; /* servers that are lost as measuring begins */
    uint32_t seeds;
    const char *held;                   /* of all terms together */
    const struct aq_plan_value *values; /* one for each measure */
};

/* What is known of a number of servers, with `down` of them lost. */
struct aq_plan_knee {
    uint32_t servers, down;
    uint32_t holds; /* most clients with which the objective is met, with confidence; 0: none */
    uint32_t
        fails; /* next number of clients above it, with which it is not; 0: met up to the end of the grid */
    uint32_t theory;    /* most clients by theory; meaningless where it has nothing to say */
    const char *breaks; /* what breaks first above it, one line; "" where nothing does */
};

struct aq_plan {
    /* what was asked for */
    const char *scenario, *scenario_text, *objective, *client_profile, *server_profile, *version, *build,
        *reproduce;
    uint64_t scenario_hash;
    int64_t started_unix_s;
    uint32_t clients_from, clients_to, clients_step, servers_from, servers_to, survive, seeds_min, seeds_max;
    uint32_t shard, shards; /* which part of it; 0 or 1 of them: all of it. Parts are not stored. */
    double workers_per_client, jobs_per_client_s;
    uint64_t duration_us, warm_up_us;
    const char *not_modelled; /* what keeps theory from having something to say; "" where nothing does */
    /* what came out */
    bool interrupted;
    const struct aq_plan_measure *measures;
    uint32_t measure_count, term_count;
    const struct aq_plan_row *rows; /* in the order of servers, down, clients */
    uint32_t row_count;
    const struct aq_plan_knee *knees; /* in the order of servers, down */
    uint32_t knee_count;
    const char *const *warnings;
    uint32_t warning_count;
    uint32_t recommended_clients, recommended_servers; /* 0 clients: nothing can be recommended */
    const char *advice;                                /* what is recommended and why, a few sentences */
    uint64_t runs, reused_runs, events, wall_us;
};

/* NULL where it is not there. */
const struct aq_plan_knee *aq_plan_find_knee(const struct aq_plan *plan, uint32_t servers, uint32_t down);
const struct aq_plan_row *aq_plan_find_row(const struct aq_plan *plan, uint32_t servers, uint32_t clients,
                                           uint32_t down);

/* Does theory have something to say of the scenario? */
bool aq_plan_has_theory(const struct aq_plan *plan);

/* Writes a value in the unit of its measure, as people read it, and returns text. */
const char *aq_plan_format(char *text, size_t size, double value, const char *unit);

/* For people, and as one JSON object. Errors: AQ_EIO. */
int aq_print_plan_text(FILE *stream, const struct aq_plan *plan);
int aq_print_plan_json(FILE *stream, const struct aq_plan *plan);

/* Adds a plan that has ended, in one transaction. Errors: AQ_EIO. */
int aq_store_add_plan(struct aq_store *store, const struct aq_plan *plan, int64_t *out,
                      struct aq_error *error);

/* A plan read back. */
struct aq_stored_plan {
    int64_t number;
    struct aq_plan plan;
    struct aq_arena memory; /* of all of it */
};

/* Of plans of earlier versions some things are not known: durations and seeds are 0, terms without a bound.
   The struct is all-zero before; close it in any case. Errors: AQ_ENOENT (no such plan), AQ_EIO, AQ_ENOMEM.
 */
int aq_store_load_plan(struct aq_store *store, int64_t number, struct aq_stored_plan *out,
                       struct aq_error *error);
void aq_stored_plan_close(struct aq_stored_plan *stored);

/* What an index says of a plan. */
struct aq_plan_head {
    int64_t number;
    struct aq_plan plan; /* its row alone */
};
struct aq_plan_list {
    const struct aq_plan_head *heads; /* by number */
    uint32_t count;
    struct aq_arena memory;
};

/* Fills an all-zero list; close it in any case. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_store_list_plans(struct aq_store *store, struct aq_plan_list *list, struct aq_error *error);
void aq_plan_list_close(struct aq_plan_list *list);

/* The figures of runs, kept to be used again: by the scenario as it was run, its seed, and the program. */
struct aq_kept_run {
    uint64_t scenario_hash, seed, steady_from_us;
    bool paired;                 /* draws for jobs hung on the jobs alone */
    const char *version, *build; /* of the program: another one may come to other figures */
};
struct aq_kept_figure {
    const char *name;
    double value; /* NaN: there was nothing to measure */
};

/* Errors: AQ_EIO. A run that is there already is left as it is. */
int aq_store_keep_run(struct aq_store *store, const struct aq_kept_run *run,
                      const struct aq_kept_figure *figures, uint32_t count, struct aq_error *error);
/* Calls `each` for each figure, and tells how many there were: 0 where the run is not there. Errors: AQ_EIO.
 */
int aq_store_find_run(struct aq_store *store, const struct aq_kept_run *run,
                      void (*each)(void *arg, const char *name, double value), void *arg, uint32_t *count,
                      struct aq_error *error);
/* Several aq_store_keep_run in one transaction: begin, then end with the code so far, which it passes on. */
int aq_store_keep_begin(struct aq_store *store, struct aq_error *error);
int aq_store_keep_end(struct aq_store *store, int rc, struct aq_error *error);

#endif
