#include "sim/checks.h"

#include <string.h>

#define X(NAME, name) extern const struct aq_checker aq_check_##name;
#define CHECKERS(X)                                                                                          \
    X(COMPLETION_ORIGIN, completion_origin)                                                                  \
    X(COMPLETION_ARRIVAL, completion_arrival)                                                                \
    X(NO_FALSE_ACK, no_false_ack)                                                                            \
    X(CONSERVATION, conservation)                                                                            \
    X(SINGLE_LEASE, single_lease)                                                                            \
    X(DUPLICATE_PUT, duplicate_put)                                                                          \
    X(DUPLICATE_EXECUTION, duplicate_execution)                                                              \
    X(DISTRIBUTION, distribution)                                                                            \
    X(FAILOVER, failover)                                                                                    \
    X(MEMBERSHIP, membership)                                                                                \
    X(PROGRESS, progress)                                                                                    \
    X(SEMANTICS, semantics)                                                                                  \
    X(SLO, slo)
CHECKERS(X)
#undef X

const struct aq_checker *const aq_checkers[AQ_CHECK_COUNT] = {
#define X(NAME, name) [AQ_CHECK_##NAME] = &aq_check_##name,
    CHECKERS(X)
#undef X
};

int aq_check_conclude(const struct aq_ledger *ledger, enum aq_check check, struct aq_record *record,
                      uint64_t judged, const char *nothing, struct aq_record_check *out) {
    uint64_t violations = aq_ledger_violations_of(ledger, check);
    out->judged = judged;
    out->violations = violations;
    out->verdict = violations ? AQ_VERDICT_FAIL : judged ? AQ_VERDICT_PASS : AQ_VERDICT_UNKNOWN;
    out->remark = "";
    if (violations)
        out->remark =
            aq_record_text(record, "%llu violation%s, the first: %s", (unsigned long long)violations,
                           violations == 1 ? "" : "s", aq_ledger_first_cause(ledger, check));
    else if (!judged)
        out->remark = aq_record_text(record, "nothing to judge: %s", nothing);
    return out->remark ? 0 : AQ_ENOMEM;
}

int aq_check_conclude_completions(const struct aq_ledger *ledger, enum aq_check check,
                                  struct aq_record *record, uint64_t judged, const char *nothing,
                                  struct aq_record_check *out) {
    const struct aq_scenario *s = aq_ledger_scenario(ledger);
    bool deletes = s->workers.get_delete == AQ_GET_DELETE_TRUE ||
                   (s->workers.get_delete == AQ_GET_DELETE_FALSE && s->servers.policy.delete_by_presence);
    int rc = aq_check_conclude(ledger, check, record, judged, nothing, out);
    if (rc || out->verdict != AQ_VERDICT_UNKNOWN || !deletes) return rc;
    out->verdict = AQ_VERDICT_PASS;
    out->remark = "gets delete their jobs, which nobody completes then: not applicable";
    return 0;
}

int aq_check_figures(struct aq_record *record, const struct aq_record_figure *figures, uint32_t count,
                     struct aq_record_check *out) {
    struct aq_record_figure *kept = aq_arena_alloc(&record->memory, count * sizeof *kept + 1);
    if (!kept) return AQ_ENOMEM;
    memcpy(kept, figures, count * sizeof *kept);
    out->figures = kept;
    out->figure_count = count;
    return 0;
}

/* Touch, release and bury may be done by two callers in turn, of whom the books keep the last: there any
   application after the call counts, unless the call itself is asked for. A job ends once, so there the call
   must be the one. */
bool aq_completion_applied(const struct aq_ledger_copy *copy, const struct aq_observation *seen,
                           bool by_this_call) {
    if (!copy) return false;
    bool ends = seen->action == AQ_ACTION_DONE || seen->action == AQ_ACTION_DELETE;
    bool touches = seen->action == AQ_ACTION_TOUCH;
    aq_time_us at_us = ends ? copy->ended_us : touches ? copy->touched_us : copy->aside_us;
    uint32_t by = ends ? copy->ended_call : touches ? copy->touched_call : copy->aside_call;
    if (at_us == 0 || at_us < seen->called_us) return false;
    if (by_this_call) return by != 0 && by == aq_ledger_call_mark(seen->call);
    return !ends || by == 0 || by == aq_ledger_call_mark(seen->call);
}
