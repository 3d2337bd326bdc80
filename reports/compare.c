/* The pairing of two sets of runs. Figures: compare_figures.c. */
#include "reports/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/compare_internal.h"
#include "reports/exit_code.h"

/* ---- order ---- */

/* Numbers by their size, other seeds behind them by their letters. */
static int compare_seeds(const char *a, const char *b) {
    size_t one = strlen(a), other = strlen(b);
    if (one != other) return one < other ? -1 : 1;
    return strcmp(a, b);
}

static int compare_groups(const struct aq_record *a, const struct aq_record *b) {
    int order = strcmp(a->scenario, b->scenario);
    if (!order) order = strcmp(a->client_profile, b->client_profile);
    if (!order) order = strcmp(a->server_profile, b->server_profile);
    if (!order) order = strcmp(a->world, b->world);
    return order ? order : strcmp(a->fidelity, b->fidelity);
}

static int compare_keys(const struct aq_record *a, const struct aq_record *b) {
    int order = compare_groups(a, b);
    return order ? order : compare_seeds(a->seed_text, b->seed_text);
}

/* Among equals the newest first. */
static int by_key(const void *a, const void *b) {
    const struct aq_run_head *one = *(const struct aq_run_head *const *)a,
                             *other = *(const struct aq_run_head *const *)b;
    int order = compare_keys(&one->record, &other->record);
    if (order) return order;
    return (one->run < other->run) - (one->run > other->run);
}

/* ---- pairs ---- */

/* The runs of one side that count, by key. */
struct side {
    const struct aq_run_head **heads; /* owned */
    uint32_t count;
};

static int make_side(const struct aq_runs *runs, struct side *side, uint32_t *older) {
    side->heads = aq_alloc(((size_t)runs->count + 1) * sizeof *side->heads);
    if (!side->heads) return AQ_ENOMEM;
    for (uint32_t i = 0; i < runs->count; i++)
        if (aq_run_has_ended(&runs->heads[i])) side->heads[side->count++] = &runs->heads[i];
    if (side->count) qsort(side->heads, side->count, sizeof *side->heads, by_key);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < side->count; i++) {
        bool again = kept && compare_keys(&side->heads[kept - 1]->record, &side->heads[i]->record) == 0;
        *older += again;
        if (!again) side->heads[kept++] = side->heads[i];
    }
    side->count = kept;
    return 0;
}

static enum aq_compare_change change_of(const struct aq_record *base, const struct aq_record *candidate) {
    static const int rank[] = {[AQ_VERDICT_PASS] = 0, [AQ_VERDICT_UNKNOWN] = 1, [AQ_VERDICT_FAIL] = 2};
    int before = rank[base->verdict], after = rank[candidate->verdict];
    if (before != after) return after > before ? AQ_COMPARE_WORSE : AQ_COMPARE_BETTER;
    if (base->exit_code == candidate->exit_code) return AQ_COMPARE_SAME;
    return aq_exit_graver(base->exit_code, candidate->exit_code) == candidate->exit_code ? AQ_COMPARE_WORSE
                                                                                         : AQ_COMPARE_BETTER;
}

static void add_pair(struct aq_comparison *c, const struct aq_run_head *base,
                     const struct aq_run_head *candidate) {
    struct aq_compare_pair *pair = &c->pairs[c->pair_count++];
    *pair = (struct aq_compare_pair){.base = base,
                                     .candidate = candidate,
                                     .change = change_of(&base->record, &candidate->record),
                                     .same_trace = base->record.trace_hash == candidate->record.trace_hash};
    c->worse_count += pair->change == AQ_COMPARE_WORSE;
    c->better_count += pair->change == AQ_COMPARE_BETTER;
}

static void match(struct aq_comparison *c, const struct side *base, const struct side *candidate) {
    uint32_t b = 0, n = 0;
    while (b < base->count || n < candidate->count) {
        int order = b == base->count ? 1
                    : n == candidate->count
                        ? -1
                        : compare_keys(&base->heads[b]->record, &candidate->heads[n]->record);
        if (base->count == 1 && candidate->count == 1) order = 0;
        if (order < 0)
            c->only_base[c->only_base_count++] = base->heads[b++];
        else if (order > 0)
            c->only_candidate[c->only_candidate_count++] = candidate->heads[n++];
        else
            add_pair(c, base->heads[b++], candidate->heads[n++]);
    }
}

static int pair_up(struct aq_comparison *c, const struct side *base, const struct side *candidate) {
    size_t fewest = base->count < candidate->count ? base->count : candidate->count;
    c->pairs = aq_alloc_zeroed(fewest + 1, sizeof *c->pairs);
    c->groups = aq_alloc_zeroed(fewest + 1, sizeof *c->groups);
    c->only_base = aq_alloc_zeroed((size_t)base->count + 1, sizeof *c->only_base);
    c->only_candidate = aq_alloc_zeroed((size_t)candidate->count + 1, sizeof *c->only_candidate);
    if (!c->pairs || !c->groups || !c->only_base || !c->only_candidate) return AQ_ENOMEM;
    match(c, base, candidate);
    return c->pair_count ? 0 : AQ_ENOENT;
}

/* ---- groups ---- */

static void make_groups(struct aq_comparison *c) {
    for (uint32_t i = 0; i < c->pair_count; i++) {
        const struct aq_compare_pair *pair = &c->pairs[i];
        if (i == 0 || compare_groups(&pair[-1].base->record, &pair->base->record) != 0)
            c->groups[c->group_count++] = (struct aq_compare_group){.pairs = pair};
        struct aq_compare_group *group = &c->groups[c->group_count - 1];
        group->pair_count++;
        group->same_count += pair->same_trace;
        group->scenario_differs |= pair->base->record.scenario_hash != pair->candidate->record.scenario_hash;
    }
}

int aq_compare(const struct aq_runs *base, const struct aq_runs *candidate,
               const struct aq_tolerance *tolerance, struct aq_comparison *out) {
    struct side one = {0}, other = {0};
    int rc = make_side(base, &one, &out->older_count);
    if (!rc) rc = make_side(candidate, &other, &out->older_count);
    if (!rc) rc = pair_up(out, &one, &other);
    aq_free(one.heads);
    aq_free(other.heads);
    if (rc) return rc;
    make_groups(out);
    out->broken_count =
        (tolerance->any_verdict ? 0 : out->worse_count) + (tolerance->may_miss ? 0 : out->only_base_count);
    for (uint32_t i = 0; i < out->group_count && !rc; i++) {
        rc = aq_compare_figures(base, candidate, tolerance, &out->groups[i], &out->memory);
        out->broken_count += out->groups[i].broken_count;
    }
    return rc;
}

void aq_comparison_close(struct aq_comparison *c) {
    aq_free(c->pairs);
    aq_free(c->groups);
    aq_free(c->only_base);
    aq_free(c->only_candidate);
    aq_arena_close(&c->memory);
    *c = (struct aq_comparison){0};
}

const char *aq_compare_profile(char *text, size_t size, const struct aq_record *record) {
    bool both = strcmp(record->client_profile, record->server_profile) == 0;
    bool live = strcmp(record->world, "live") == 0, wire = strcmp(record->fidelity, "wire") == 0;
    snprintf(text, size, "%.40s%s%.40s%s", record->client_profile, both ? "" : "/",
             both ? "" : record->server_profile,
             live   ? ", live"
             : wire ? ", wire"
                    : "");
    return text;
}
