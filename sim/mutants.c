#include "sim/mutants.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "sim/statistics.h"
#include "sim/verdict.h"

#define CPU_LIMIT_S 30 /* a mutant that runs for ever is found as well */
#define SURENESS    0.95
#define CAUSES_MAX  32 /* different ones that are counted; there is no need to tell more apart */

/* Of the process: runs are made in processes that are forked from it. */
static uint32_t *alive, wanted;

/* A run with the mutant, and where that fails one without: what breaks in both is not the mutant's doing. */
static int run(const struct aq_run_options *options, struct aq_record *record, struct aq_error *error) {
    *alive = wanted;
    int rc = aq_run_scenario(options, record, error);
    *alive = 0;
    if (rc || record->verdict != AQ_VERDICT_FAIL) return rc;
    struct aq_record clean;
    aq_record_init(&clean);
    rc = aq_run_identify(options->scenario, options->seed, &clean);
    if (!rc) rc = aq_run_scenario(options, &clean, error);
    if (!rc && clean.verdict == AQ_VERDICT_FAIL) {
        record->verdict = AQ_VERDICT_UNKNOWN;
        record->exit_code = AQ_EXIT_UNKNOWN;
    }
    aq_record_close(&clean);
    return rc;
}

struct cause {
    struct aq_fingerprint fingerprint;
    uint32_t count;
};

struct search {
    const struct aq_mutant_options *options;
    struct aq_mutant_finding *finding;
    struct cause causes[CAUSES_MAX];
    uint32_t cause_count;
    uint64_t seeds; /* of the search under way */
    uint64_t taken[AQ_MUTANT_SEARCHES_MAX];
};

static void count_cause(struct search *s, const struct aq_fingerprint *fingerprint) {
    uint32_t i = 0;
    while (i < s->cause_count && (strcmp(s->causes[i].fingerprint.check, fingerprint->check) != 0 ||
                                  strcmp(s->causes[i].fingerprint.cause, fingerprint->cause) != 0))
        i++;
    if (i == CAUSES_MAX) return;
    if (i == s->cause_count) s->causes[s->cause_count++] = (struct cause){.fingerprint = *fingerprint};
    s->causes[i].count++;
}

static int on_seed(void *arg, const struct aq_explored_seed *seed, const struct aq_seed_detail *detail) {
    struct search *s = arg;
    struct aq_mutant_finding *f = s->finding;
    bool found = seed->verdict == AQ_SEED_FAIL || seed->verdict == AQ_SEED_CRASH;
    f->seeds++;
    f->virtual_us += seed->virtual_us;
    f->busy_us += seed->wall_us;
    s->seeds++;
    for (uint32_t i = 0; found && i < seed->fingerprint_count; i++)
        count_cause(s, &detail->failures[i]);
    if (found && !f->found) f->found_seed = seed->seed;
    if (found) s->taken[f->found++] = s->seeds;
    if (!found && s->seeds < s->options->seeds_max) return 0;
    s->seeds = 0;
    return ++f->searches == s->options->searches;
}

static int by_number(const void *a, const void *b) {
    const uint64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static const char *keep(struct aq_arena *texts, const char *text) {
    char *copy = aq_arena_alloc(texts, strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

static int conclude(struct search *s, struct aq_arena *texts) {
    struct aq_mutant_finding *f = s->finding;
    uint32_t best = 0, found = f->found;
    for (uint32_t i = 1; i < s->cause_count; i++)
        if (s->causes[i].count > s->causes[best].count) best = i;
    f->check = keep(texts, s->cause_count ? s->causes[best].fingerprint.check : "");
    f->cause = keep(texts, s->cause_count ? s->causes[best].fingerprint.cause : "");
    if (!f->check || !f->cause) return AQ_ENOMEM;
    if (!found) return 0;
    qsort(s->taken, found, sizeof *s->taken, by_number);
    f->median_seeds = (double)(s->taken[(found - 1) / 2] + s->taken[found / 2]) / 2;
    f->rate = (double)found / (double)f->seeds;
    f->rate_low = aq_statistics_share_low(found, f->seeds, SURENESS);
    f->clean_seeds = aq_statistics_clean_trials(f->rate_low, SURENESS);
    return 0;
}

int aq_mutant_try(const struct aq_mutant_options *options, const struct aq_mutant_table *table, uint32_t row,
                  struct aq_arena *texts, struct aq_mutant_finding *out, bool *out_interrupted,
                  struct aq_error *error) {
    static struct search search;
    AQ_ASSERT(row < table->count && options->searches <= AQ_MUTANT_SEARCHES_MAX);
    if (!table->alive)
        return aq_error_set(error, AQ_EUNSUPPORTED,
                            "this build holds no mutants: configure with -DALLQSIM_MUTANTS=ON");
    alive = table->alive;
    wanted = row + 1;
    *out = (struct aq_mutant_finding){
        .name = table->rows[row].name, .family = table->rows[row].family, .breaks = table->rows[row].breaks};
    search = (struct search){.options = options, .finding = out};
    const struct aq_explore_options explore = {.scenario = options->scenario,
                                               .seed_from = 1,
                                               .seed_to = options->seeds_max * options->searches,
                                               .shard = 1,
                                               .shards = 1,
                                               .jobs = options->jobs,
                                               .cpu_limit_s = CPU_LIMIT_S,
                                               .stop = options->stop,
                                               .run = run,
                                               .done = on_seed,
                                               .arg = &search};
    int rc = aq_explore(&explore, out_interrupted, error);
    if (!rc && conclude(&search, texts)) rc = aq_error_set(error, AQ_ENOMEM, "out of memory");
    return rc;
}
