/* Service level objectives: the scenario's thresholds on latency, throughput, availability and empty gets. */
#include "sim/checks.h"

#include "base/assert.h"

#define BROKEN "threshold broken"

enum operation { PUT, GET, DONE, OPERATIONS };

struct slo {
    const struct aq_scenario *scenario;
    struct {
        struct aq_histogram
            latency;            /* of all answers; its buckets are there only with a threshold on latency */
        uint64_t ended, failed; /* calls answered or abandoned; those of them that came to nothing */
    } of[OPERATIONS];
    uint64_t gets_answered, gets_empty;
    uint64_t completed; /* jobs, until the scenario's duration */
    aq_time_us last_us;
};

static enum operation operation_of(enum aq_action action) {
    switch (action) {
    case AQ_ACTION_PUT: return PUT;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: return GET;
    case AQ_ACTION_DONE: return DONE;
    default: return OPERATIONS;
    }
}

static int init(void *state, const struct aq_ledger *ledger) {
    struct slo *s = state;
    s->scenario = aq_ledger_scenario(ledger);
    for (uint32_t i = 0; i < s->scenario->slo_count; i++) {
        const struct aq_slo *slo = &s->scenario->slos[i];
        if (slo->kind != AQ_SLO_LATENCY) continue;
        enum operation operation = operation_of(slo->action);
        if (operation == OPERATIONS || s->of[operation].latency.buckets) continue;
        int rc = aq_histogram_init(&s->of[operation].latency);
        if (rc) return rc;
    }
    return 0;
}

static void close_state(void *state) {
    struct slo *s = state;
    for (uint32_t i = 0; i < OPERATIONS; i++)
        aq_histogram_close(&s->of[i].latency);
}

static bool came_to_nothing(enum aq_outcome outcome) {
    return outcome == AQ_OUTCOME_UNAVAILABLE || outcome == AQ_OUTCOME_UNKNOWN || outcome == AQ_OUTCOME_EMPTY;
}

static void answer_seen(struct slo *s, const struct aq_observation *seen) {
    enum operation operation = operation_of(seen->action);
    if (operation == OPERATIONS) return;
    /* A get of several jobs is answered once for each; it has ended with the last. */
    bool more = seen->action == AQ_ACTION_GET_MULTIPLE && seen->outcome == AQ_OUTCOME_OK && !seen->empty &&
                !seen->last;
    if (more) return;
    s->of[operation].ended++;
    if (came_to_nothing(seen->outcome)) s->of[operation].failed++;
    if (s->of[operation].latency.buckets) {
        AQ_ASSERT(seen->called_us <= seen->at_us);
        aq_histogram_record(&s->of[operation].latency, seen->at_us - seen->called_us);
    }
    if (operation != GET || seen->outcome != AQ_OUTCOME_OK) return;
    s->gets_answered++;
    if (seen->empty) s->gets_empty++;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct slo *s = state;
    (void)ledger, (void)copy, (void)job;
    if (s->scenario->slo_count == 0) return 0;
    s->last_us = seen->at_us;
    if (seen->kind == AQ_SEEN_ANSWER) {
        answer_seen(s, seen);
    } else if (seen->kind == AQ_SEEN_ABANDONED) {
        enum operation operation = operation_of(seen->action);
        if (operation == OPERATIONS) return 0;
        s->of[operation].ended++;
        s->of[operation].failed++;
    } else if (seen->at_us <= s->scenario->duration_us) {
        enum aq_tap_kind kind = seen->tap->kind;
        s->completed += kind == AQ_TAP_DONE || kind == AQ_TAP_DELETED || kind == AQ_TAP_TAKEN;
    }
    return 0;
}

/* ---- the verdict ---- */

/* What one threshold came to. */
struct result {
    const char *name; /* of the figure */
    double measured;
    bool known;    /* there was something to measure */
    bool at_least; /* the bound is the least allowed, otherwise the most */
};

static const char *const words[OPERATIONS] = {"put", "get", "done"};

static struct result latency(const struct slo *s, const struct aq_slo *slo, struct aq_record *record) {
    enum operation operation = operation_of(slo->action);
    if (operation == OPERATIONS) return (struct result){.name = "latency_s"};
    const struct aq_histogram *histogram = &s->of[operation].latency;
    return (struct result){.name = aq_record_text(record, "%s_p%g_s", words[operation], slo->quantile * 100),
                           .measured = (double)aq_histogram_quantile(histogram, slo->quantile) / 1e6,
                           .known = histogram->count > 0};
}

static struct result throughput(const struct slo *s, struct aq_record *record) {
    aq_time_us end_us = record->virtual_us > s->last_us ? record->virtual_us : s->last_us;
    aq_time_us span_us = aq_time_min(s->scenario->duration_us, end_us);
    return (struct result){.name = "throughput_per_s",
                           .measured = span_us ? (double)s->completed * 1e6 / (double)span_us : 0,
                           .known = span_us > 0,
                           .at_least = true};
}

static struct result availability(const struct slo *s, const struct aq_slo *slo, struct aq_record *record) {
    enum operation operation = operation_of(slo->action);
    if (operation == OPERATIONS) return (struct result){.name = "availability"};
    uint64_t ended = s->of[operation].ended;
    return (struct result){.name = aq_record_text(record, "%s_availability", words[operation]),
                           .measured = ended ? 1 - (double)s->of[operation].failed / (double)ended : 0,
                           .known = ended > 0,
                           .at_least = true};
}

static struct result empty_gets(const struct slo *s) {
    return (struct result){.name = "empty_gets_share",
                           .measured =
                               s->gets_answered ? (double)s->gets_empty / (double)s->gets_answered : 0,
                           .known = s->gets_answered > 0};
}

static struct result result_of(const struct slo *s, const struct aq_slo *slo, struct aq_record *record) {
    switch (slo->kind) {
    case AQ_SLO_LATENCY: return latency(s, slo, record);
    case AQ_SLO_THROUGHPUT: return throughput(s, record);
    case AQ_SLO_AVAILABILITY: return availability(s, slo, record);
    case AQ_SLO_EMPTY_GETS: break;
    }
    return empty_gets(s);
}

/* Judges one threshold; writes what is wrong with it, if anything, to *wrong, in the record's arena, and what
   was measured into figures[judged]. */
static int judge(const struct slo *s, struct aq_ledger *ledger, const struct aq_slo *slo,
                 struct aq_record *record, struct aq_record_figure *figures, struct aq_record_check *out,
                 const char **wrong) {
    struct result result = result_of(s, slo, record);
    if (!result.name) return AQ_ENOMEM;
    if (!result.known) {
        if (out->verdict == AQ_VERDICT_PASS) out->verdict = AQ_VERDICT_UNKNOWN;
        *wrong = aq_record_text(record, "%s: nothing to measure", result.name);
        return *wrong ? 0 : AQ_ENOMEM;
    }
    figures[out->judged++] = (struct aq_record_figure){result.name, result.measured};
    bool broken = result.at_least ? result.measured < slo->bound : result.measured > slo->bound;
    if (!broken) return 0;
    out->verdict = AQ_VERDICT_FAIL;
    *wrong = aq_record_text(record, "%s is %.6g, allowed is at %s %.6g", result.name, result.measured,
                            result.at_least ? "least" : "most", slo->bound);
    return *wrong ? aq_ledger_violation(ledger, AQ_CHECK_SLO, NULL, NULL, NULL, BROKEN) : AQ_ENOMEM;
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct slo *s = state;
    out->verdict = AQ_VERDICT_PASS;
    out->judged = 0;
    out->remark = s->scenario->slo_count ? "" : "no thresholds given: not applicable";
    struct aq_record_figure *figures =
        aq_arena_alloc(&record->memory, (s->scenario->slo_count + 1) * sizeof *figures);
    if (!figures) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->scenario->slo_count; i++) {
        const char *wrong = NULL;
        int rc = judge(s, ledger, &s->scenario->slos[i], record, figures, out, &wrong);
        if (rc) return rc;
        if (!wrong) continue;
        out->remark = out->remark[0] ? aq_record_text(record, "%s; %s", out->remark, wrong) : wrong;
        if (!out->remark) return AQ_ENOMEM;
    }
    out->figures = figures;
    out->figure_count = (uint32_t)out->judged;
    return 0;
}

const struct aq_checker aq_check_slo = {
    .check = AQ_CHECK_SLO,
    .holds_when = "latency, throughput, availability and empty gets stay within the scenario's thresholds",
    .interests = 1u << AQ_SEEN_ANSWER | 1u << AQ_SEEN_ABANDONED | 1u << AQ_SEEN_TAP,
    .actions = AQ_ACTION_BIT(PUT) | AQ_ACTIONS_GET | AQ_ACTION_BIT(DONE),
    .taps = AQ_TAP_BIT(DONE) | AQ_TAP_BIT(DELETED) | AQ_TAP_BIT(TAKEN),
    .state_bytes = sizeof(struct slo),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
