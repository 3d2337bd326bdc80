/* The books of what callers and clients say: calls, answers, requests sent. */
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "sim/ledger_books.h"

static bool makes_a_job(enum aq_action action) {
    return action == AQ_ACTION_PUT || action == AQ_ACTION_SET_PARENT_JOB;
}

static bool hands_out(enum aq_action action) {
    return action == AQ_ACTION_GET || action == AQ_ACTION_GET_MULTIPLE;
}

static int open_put(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_job *job) {
    ledger->totals.produced++;
    if (!seen->token) return 0;
    if (!job) {
        uint32_t index;
        int rc = aq_books_add_job(ledger, seen->token, &index);
        if (rc) return rc;
        job = aq_books_job(ledger, index);
    }
    if (seen->token > ledger->max_token) ledger->max_token = seen->token;
    job->put_call = seen->call;
    job->open_calls++;
    aq_books_remember(job, seen);
    return 0;
}

int aq_books_call(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job) {
    if (makes_a_job(seen->action)) return open_put(ledger, seen, job);
    if (!copy || !aq_action_is_completion(seen->action)) return 0;
    copy->last_alone =
        copy->open_completions == 0 && copy->completions_sent <= copy->completions_seen && !copy->abandoned;
    copy->last_call = aq_ledger_call_mark(seen->call);
    copy->last_client = seen->client;
    copy->last_action = (uint8_t)seen->action;
    copy->open_completions++;
    job->open_calls++;
    aq_books_remember(job, seen);
    return 0;
}

static void close_call(struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    if (copy && copy->open_completions) copy->open_completions--;
    if (job->open_calls) job->open_calls--;
}

static void close_put(struct aq_ledger *ledger, const struct aq_observation *seen,
                      struct aq_ledger_job *job) {
    close_call(NULL, job);
    job->put_answered = 1;
    job->put_outcome = (uint8_t)seen->outcome;
    if (seen->outcome == AQ_OUTCOME_INVALID && job->copies == UINT32_MAX && !job->open_calls)
        aq_books_forget(ledger, job);
    else if (!aq_answer_is_ok(seen))
        job->unclean = 1;
}

static void execute(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                    struct aq_ledger_job *job) {
    if (++job->executions == 2) ledger->totals.executed_again++;
    if (!copy) return;
    if (copy->executions < UINT16_MAX) copy->executions++;
    copy->told = 1;
    copy->holder = seen->caller;
}

static void close_completion(struct aq_ledger *ledger, const struct aq_observation *seen,
                             struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    if (aq_answer_is_ok(seen)) ledger->totals.acked++;
    if (seen->outcome == AQ_OUTCOME_UNKNOWN) ledger->totals.unknown++;
    if (!copy) return;
    close_call(copy, job);
    if (!aq_answer_is_ok(seen)) {
        job->unclean = 1;
        if (aq_answer_is_no(seen)) copy->refused_call = aq_ledger_call_mark(seen->call);
    } else if (seen->action == AQ_ACTION_DONE || seen->action == AQ_ACTION_DELETE) {
        copy->acked = 1;
        job->completions_ok++;
    }
}

int aq_books_answer(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                    struct aq_ledger_job *job) {
    if (job) aq_books_remember(job, seen);
    if (aq_action_is_completion(seen->action)) close_completion(ledger, seen, copy, job);
    if (!job) return 0;
    if (makes_a_job(seen->action)) {
        close_put(ledger, seen, job);
        if (!job->used) return 0;
    } else if (hands_out(seen->action) && seen->outcome == AQ_OUTCOME_OK && !seen->empty)
        execute(ledger, seen, copy, job);
    aq_books_forget_if_clean(ledger, job);
    return 0;
}

int aq_books_abandoned(struct aq_ledger *ledger, const struct aq_observation *seen,
                       struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    (void)ledger;
    if (!job) return 0;
    if (makes_a_job(seen->action)) {
        close_call(NULL, job);
        job->put_abandoned = 1;
    } else if (copy && aq_action_is_completion(seen->action)) {
        close_call(copy, job);
        copy->abandoned = 1;
    } else
        return 0;
    aq_books_remember(job, seen);
    job->unclean = 1;
    return 0;
}

int aq_books_sent(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job) {
    if (!aq_action_is_completion(seen->action)) return 0;
    ledger->totals.sent++;
    if (!copy) return 0;
    copy->completions_sent++;
    aq_books_remember(job, seen);
    return 0;
}
