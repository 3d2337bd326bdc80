/* Distribution, where clients are other programs and their choices cannot be seen: puts and gets that arrive
   at the servers. As long as nothing has been broken every server is eligible, each request is one free
   choice, and arrivals are as uniform as choices are. From the first fault on nobody can say which servers a
   client had to choose from, so later arrivals are counted and not judged. */
#include "sim/checks.h"
#include "sim/statistics.h"

#include "base/memory.h"

#define NOT_UNIFORM  "arrivals are not uniform"
#define EXPECTED_MIN 20 /* arrivals expected at each server, as in check_distribution.c */
#define TAIL_MARGIN  2  /* likewise */

struct last {
    uint32_t peer, correlation;
    bool given;
};

struct arrivals {
    uint64_t *counts;  /* owned, by server */
    struct last *last; /* owned, by server: a get of several jobs leaves a tap for each of them */
    uint64_t judged, later;
    bool broken; /* something is or was */
};

static int init(void *state, const struct aq_ledger *ledger) {
    struct arrivals *a = state;
    uint32_t servers = aq_ledger_scenario(ledger)->servers.count;
    a->counts = aq_alloc_zeroed((size_t)servers + 1, sizeof *a->counts);
    a->last = aq_alloc_zeroed((size_t)servers + 1, sizeof *a->last);
    return a->counts && a->last ? 0 : AQ_ENOMEM;
}

static void close_state(void *state) {
    struct arrivals *a = state;
    aq_free(a->counts);
    aq_free(a->last);
}

static bool is_choice(const struct aq_tap *tap) {
    return tap->action == AQ_ACTION_PUT || tap->action == AQ_ACTION_GET ||
           tap->action == AQ_ACTION_GET_MULTIPLE;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct arrivals *a = state;
    (void)copy, (void)job;
    if (seen->kind != AQ_SEEN_TAP) {
        a->broken = true;
        return 0;
    }
    const struct aq_tap *tap = seen->tap;
    if (!is_choice(tap) || seen->server >= aq_ledger_scenario(ledger)->servers.count) return 0;
    struct last *last = &a->last[seen->server];
    bool same = last->given && last->peer == tap->peer && last->correlation == tap->correlation;
    *last = (struct last){tap->peer, tap->correlation, true};
    if (same && tap->action == AQ_ACTION_GET_MULTIPLE) return 0;
    if (a->broken)
        a->later++;
    else
        a->counts[seen->server]++, a->judged++;
    return 0;
}

static double p_value(const struct arrivals *a, uint32_t servers, double *statistic) {
    double expected = (double)a->judged / servers, squares = 0;
    for (uint32_t i = 0; i < servers; i++)
        squares += ((double)a->counts[i] - expected) * ((double)a->counts[i] - expected);
    *statistic = expected > 0 ? squares / expected : 0;
    return servers > 1 ? aq_statistics_chi_square_sf(*statistic, servers - 1) : 1;
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct arrivals *a = state;
    const struct aq_scenario *s = aq_ledger_scenario(ledger);
    uint32_t servers = s->servers.count;
    double statistic, p = p_value(a, servers, &statistic);
    bool enough = a->judged >= (uint64_t)EXPECTED_MIN * servers;
    bool applies = servers > 1, one_list = s->clients.group_count == 0;
    const struct aq_record_figure figures[] = {
        {"p_value", p},
        {"chi_square", statistic},
        {"arrivals", (double)a->judged},
        {"arrivals_later", (double)a->later},
        {"max_over_mean", aq_statistics_max_over_mean(a->counts, servers)}};
    if (applies && one_list && enough && p < s->budgets.distribution_p_min / TAIL_MARGIN) {
        int rc = aq_ledger_violation(ledger, AQ_CHECK_DISTRIBUTION, NULL, NULL, NULL, NOT_UNIFORM);
        if (rc) return rc;
        out->verdict = AQ_VERDICT_FAIL;
        out->remark = aq_record_text(record, "arrivals before the first fault: p = %.3g; chi-square %.1f", p,
                                     statistic);
    } else if (!applies) {
        out->verdict = AQ_VERDICT_PASS;
        out->remark = "only one server to choose from: not applicable";
    } else {
        out->verdict = one_list && enough ? AQ_VERDICT_PASS : AQ_VERDICT_UNKNOWN;
        out->remark = !one_list ? "a foreign client's choices cannot be seen, nor which list it chose from"
                      : enough  ? "from arrivals at the servers before the first fault"
                                : "a foreign client's choices cannot be seen, and too few requests arrived "
                                  "before the first fault";
    }
    out->judged = applies && one_list && enough ? a->judged : 0;
    if (!out->remark) return AQ_ENOMEM;
    return aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
}

const struct aq_checker aq_check_arrivals = {
    .check = AQ_CHECK_DISTRIBUTION,
    .holds_when = "puts and gets arrive evenly at the servers as long as nothing is broken",
    .interests = 1u << AQ_SEEN_TAP | 1u << AQ_SEEN_FAULT | 1u << AQ_SEEN_SERVER_DOWN |
                 1u << AQ_SEEN_CLIENT_DOWN | 1u << AQ_SEEN_TOLD,
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(EMPTY),
    .state_bytes = sizeof(struct arrivals),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
