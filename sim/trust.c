#include "sim/trust.h"

#include "base/error.h"
#include "base/units.h"
#include "sim/live.h"

/* What these checks find depends on timers and timeouts. The others judge what was done and said, which no
   delay excuses. */
static const bool timed[AQ_CHECK_COUNT] = {
    [AQ_CHECK_DUPLICATE_EXECUTION] = true, [AQ_CHECK_FAILOVER] = true, [AQ_CHECK_PROGRESS] = true,
    [AQ_CHECK_SEMANTICS] = true,           [AQ_CHECK_SLO] = true,
};

aq_time_us aq_trust_lag_max_us(const struct aq_scenario *s, double speed) {
    const struct aq_client_policy *policy = &s->clients.policy;
    aq_time_us shortest_us = aq_time_min(policy->connect_timeout_us, policy->probe_timeout_us);
    shortest_us = aq_time_min(shortest_us, policy->request_timeout_us);
    shortest_us = aq_time_min(shortest_us / 2, aq_live_timer_slack_us(speed));
    return (aq_time_us)((double)shortest_us / speed);
}

/* A threshold on latency is broken by the machine where the harness's own questions take half of it. */
static aq_time_us latency_max_us(const struct aq_scenario *s, double speed) {
    double shortest_s = 1e9;
    for (uint32_t i = 0; i < s->slo_count; i++)
        if (s->slos[i].kind == AQ_SLO_LATENCY && s->slos[i].bound < shortest_s) shortest_s = s->slos[i].bound;
    return (aq_time_us)(shortest_s * 1e6 / 2 / speed);
}

static int doubt(struct aq_record *record, struct aq_record_check *check, aq_time_us lag_us,
                 aq_time_us lag_max_us) {
    char late[32], allowed[32];
    check->verdict = AQ_VERDICT_UNKNOWN;
    check->remark = aq_record_text(record, "the machine was too slow (lag %s, at most %s): %s",
                                   aq_units_format_span(late, sizeof late, lag_us),
                                   aq_units_format_span(allowed, sizeof allowed, lag_max_us), check->remark);
    return check->remark ? 0 : AQ_ENOMEM;
}

static int add_figures(const struct aq_lag *lag, struct aq_record *record) {
    const struct aq_record_figure figures[] = {{"lag_message_p99_s", (double)lag->message_p99_us / 1e6},
                                               {"lag_message_max_s", (double)lag->message_max_us / 1e6},
                                               {"lag_handshake_max_s", (double)lag->handshake_max_us / 1e6}};
    const uint32_t count = sizeof figures / sizeof *figures;
    struct aq_record_figure *all =
        aq_arena_alloc(&record->memory, (record->figure_count + count) * sizeof *all);
    if (!all) return AQ_ENOMEM;
    for (uint32_t i = 0; i < record->figure_count; i++)
        all[i] = record->figures[i];
    for (uint32_t i = 0; i < count; i++)
        all[record->figure_count + i] = figures[i];
    record->figures = all;
    record->figure_count += count;
    return 0;
}

int aq_trust_judge(const struct aq_scenario *scenario, const struct aq_lag *lag, double speed,
                   struct aq_record *record, struct aq_record_check *checks) {
    if (!lag->messages && !lag->handshakes) return 0;
    aq_time_us worst_us =
        lag->message_max_us > lag->handshake_max_us ? lag->message_max_us : lag->handshake_max_us;
    aq_time_us worst_max_us = aq_trust_lag_max_us(scenario, speed);
    aq_time_us quick_max_us = latency_max_us(scenario, speed);
    int rc = add_figures(lag, record);
    for (int i = 0; !rc && i < AQ_CHECK_COUNT; i++) {
        if (!timed[i] || checks[i].verdict != AQ_VERDICT_FAIL) continue;
        if (worst_us > worst_max_us)
            rc = doubt(record, &checks[i], worst_us, worst_max_us);
        else if (i == AQ_CHECK_SLO && lag->message_p99_us > quick_max_us)
            rc = doubt(record, &checks[i], lag->message_p99_us, quick_max_us);
    }
    return rc;
}
