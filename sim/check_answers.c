/* The checks that need no taps, for servers of which only answers are known: what was put, handed out and
   completed, as multisets. Lost: acknowledged, and never seen again. Unexpected: handed out, and put by
   nobody or by someone who was told that it was not. Duplicated: handed out more often than the answers
   explain. */
#include "sim/checks.h"
#include "sim/fates.h"

/* Gets in a row that brought nothing, for each server: the chance that a client that chooses evenly never
   turned to one of n servers in 20 n gets is below e^-20 n. */
#define EMPTY_GETS_MIN 20
#define LEASE_SLACK_US (10 * AQ_US_PER_S) /* AllQueue's servers end leases up to 4 s late */

#define INTERESTS (1u << AQ_SEEN_CALL | 1u << AQ_SEEN_ANSWER | 1u << AQ_SEEN_ABANDONED)

/* ---- conservation ---- */

struct conservation {
    struct aq_fates fates;
    uint64_t unexpected, lost, unfinished, waiting;
    uint64_t empty_gets; /* since the last that brought a job */
    aq_time_us last_us;  /* of the last observation */
};

static void count_end(struct aq_ledger *ledger, const struct aq_fate *before, const struct aq_fate *after) {
    struct aq_ledger_totals *totals = aq_ledger_totals_edit(ledger);
    if (!before->put_ok && after->put_ok) totals->accepted++;
    if (!before->done && after->done) totals->completed++;
    totals->alive += (uint64_t)(aq_fate_is_open(after) - aq_fate_is_open(before));
}

static int conservation_observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                                const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct conservation *c = state;
    c->last_us = seen->at_us;
    const struct aq_fate *fate = aq_fates_find(&c->fates, seen);
    struct aq_fate before = fate ? *fate : (struct aq_fate){0};
    int rc = aq_fates_take(&c->fates, seen);
    if (!rc && fate) count_end(ledger, &before, aq_fates_find(&c->fates, seen));
    if (rc || seen->kind != AQ_SEEN_ANSWER) return rc;
    if (!aq_seen_hands_out(seen)) {
        if (seen->empty && seen->outcome == AQ_OUTCOME_OK) c->empty_gets++;
        return 0;
    }
    c->empty_gets = 0;
    if (fate && !before.put_no) return 0;
    c->unexpected++;
    aq_ledger_totals_edit(ledger)->appeared++;
    return aq_ledger_violation(ledger, AQ_CHECK_CONSERVATION, seen, copy, job,
                               fate ? "handed out a job whose producer was told that it was not put"
                                    : "handed out a job that nobody of ours has put");
}

/* What was acknowledged and has not ended: is it lost, or only not finished? */
static int judge_open(struct conservation *c, struct aq_ledger *ledger, uint64_t token, aq_time_us end_us) {
    const struct aq_scenario *s = aq_ledger_scenario(ledger);
    const struct aq_fate *fate = &c->fates.items[token];
    if (!aq_fate_is_open(fate)) return 0;
    bool leases_known = s->producers.ttl_given;
    aq_time_us lease_us = (aq_time_us)s->producers.ttl_s * AQ_US_PER_S + LEASE_SLACK_US;
    bool held = fate->handed && (!leases_known || end_us < aq_time_after(fate->handed_us, lease_us));
    if (held) {
        c->unfinished++;
    } else if (c->empty_gets < (uint64_t)EMPTY_GETS_MIN * s->servers.count) {
        c->waiting++;
    } else {
        c->lost++;
        aq_ledger_totals_edit(ledger)->vanished++;
        return aq_ledger_violation(ledger, AQ_CHECK_CONSERVATION, NULL, NULL,
                                   aq_ledger_job_by_token(ledger, token),
                                   fate->handed ? "handed out, not completed, and never seen again"
                                                : "put and acknowledged, and never handed out");
    }
    return 0;
}

static int conservation_finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                               struct aq_record_check *out) {
    struct conservation *c = state;
    aq_time_us end_us = record->virtual_us > c->last_us ? record->virtual_us : c->last_us;
    for (uint64_t token = 1; token < c->fates.count; token++) {
        int rc = judge_open(c, ledger, token, end_us);
        if (rc) return rc;
    }
    const struct aq_ledger_totals *totals = aq_ledger_totals(ledger);
    aq_ledger_totals_edit(ledger)->held = c->unfinished + c->waiting;
    const struct aq_record_figure figures[] = {
        {"put", (double)totals->accepted},
        {"completed", (double)totals->completed},
        {"lost", (double)c->lost},
        {"unexpected", (double)c->unexpected},
        {"unfinished", (double)c->unfinished},
        {"waiting", (double)c->waiting},
    };
    int rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    if (!rc)
        rc = aq_check_conclude(ledger, AQ_CHECK_CONSERVATION, record, totals->accepted,
                               "no put was acknowledged", out);
    if (rc || out->verdict != AQ_VERDICT_PASS || c->unfinished + c->waiting == 0) return rc;
    out->verdict = AQ_VERDICT_UNKNOWN;
    out->remark = aq_record_text(
        record,
        "at the end %llu jobs were in workers' hands and %llu not handed out yet: take a longer settle",
        (unsigned long long)c->unfinished, (unsigned long long)c->waiting);
    return out->remark ? 0 : AQ_ENOMEM;
}

static void conservation_close(void *state) {
    aq_fates_close(&((struct conservation *)state)->fates);
}

const struct aq_checker aq_check_conservation_answers = {
    .check = AQ_CHECK_CONSERVATION,
    .holds_when = "what was put is what was handed out and completed: nothing lost, nothing unexpected",
    .interests = INTERESTS,
    .state_bytes = sizeof(struct conservation),
    .observe = conservation_observe,
    .finish = conservation_finish,
    .close = conservation_close,
};

/* ---- duplicates ---- */

struct duplicates {
    struct aq_fates fates;
    uint64_t judged, excused, again;
};

static void duplicates_close(void *state) {
    aq_fates_close(&((struct duplicates *)state)->fates);
}

static int put_observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                       const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct duplicates *d = state;
    const struct aq_fate *fate = aq_fates_find(&d->fates, seen);
    bool other = fate && aq_seen_hands_out(seen) && fate->id_hash && fate->id_hash != seen->job_hash;
    bool known = fate && (fate->put_ok || fate->put_no);
    d->judged += seen->action == AQ_ACTION_PUT && seen->kind == AQ_SEEN_ANSWER;
    d->excused += other && !known;
    int rc = aq_fates_take(&d->fates, seen);
    if (rc || !other || !known) return rc;
    return aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_PUT, seen, copy, job,
                               "one put was handed out under several ids");
}

static int put_finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                      struct aq_record_check *out) {
    const struct duplicates *d = state;
    const struct aq_record_figure figure = {"excused", (double)d->excused};
    int rc = aq_check_figures(record, &figure, 1, out);
    return rc ? rc
              : aq_check_conclude(ledger, AQ_CHECK_DUPLICATE_PUT, record, d->judged, "no producer put a job",
                                  out);
}

const struct aq_checker aq_check_duplicate_put_answers = {
    .check = AQ_CHECK_DUPLICATE_PUT,
    .holds_when = "what one producer call put is handed out under one id, unless the outcome is unknown",
    .interests = INTERESTS,
    .state_bytes = sizeof(struct duplicates),
    .observe = put_observe,
    .finish = put_finish,
    .close = duplicates_close,
};

/* May the job rightly be handed out again? Another id is duplicate-put's. */
static bool is_explained(const struct aq_scenario *s, const struct aq_fate *fate,
                         const struct aq_observation *seen) {
    aq_time_us lease_us = (aq_time_us)s->producers.ttl_s * AQ_US_PER_S;
    bool over = !s->producers.ttl_given || seen->at_us >= aq_time_after(fate->handed_us, lease_us);
    return fate->id_hash != seen->job_hash || (!fate->done && (fate->freed || over));
}

static int execution_observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                             const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct duplicates *d = state;
    const struct aq_fate *fate = aq_fates_find(&d->fates, seen);
    bool hands_out = aq_seen_hands_out(seen), again = fate && hands_out && fate->handed,
         done = again && fate->done;
    bool explained = again && is_explained(aq_ledger_scenario(ledger), fate, seen);
    d->judged += hands_out;
    d->again += again && fate->handed == 1;
    d->excused += explained;
    int rc = aq_fates_take(&d->fates, seen);
    if (rc || !again || explained) return rc;
    return aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_EXECUTION, seen, copy, job,
                               done ? "executed again after an acknowledged completion"
                                    : "executed again without a cause");
}

static int execution_finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                            struct aq_record_check *out) {
    const struct duplicates *d = state;
    uint64_t completed = aq_ledger_totals(ledger)->completed;
    double share = (double)d->again / (double)(completed ? completed : 1);
    double budget = aq_ledger_scenario(ledger)->budgets.duplicate_executions_max;
    const struct aq_record_figure figures[] = {
        {"jobs_again", (double)d->again}, {"excused", (double)d->excused}, {"share_of_completed", share}};
    int rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    if (!rc && budget < 1 && share > budget)
        rc = aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_EXECUTION, NULL, NULL, NULL,
                                 "more jobs executed again than the budget allows");
    if (rc) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_DUPLICATE_EXECUTION, record, d->judged,
                             "no worker was handed a job", out);
}

const struct aq_checker aq_check_duplicate_execution_answers = {
    .check = AQ_CHECK_DUPLICATE_EXECUTION,
    .holds_when = "a job is handed out again only where its lease may have ended, within the budget",
    .interests = INTERESTS,
    .state_bytes = sizeof(struct duplicates),
    .observe = execution_observe,
    .finish = execution_finish,
    .close = duplicates_close,
};
