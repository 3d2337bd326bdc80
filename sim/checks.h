/* The checks: each judges the stream of observations on one promise. One file a check (check_*.c)
   and one line in checks.c. */
#ifndef AQ_SIM_CHECKS_H
#define AQ_SIM_CHECKS_H

#include "base/error.h"
#include "reports/record.h"
#include "sim/ledger.h"
#include "sim/observation.h"

/* Sets of actions and of kinds of taps, for the interests of checks. */
#define AQ_ACTION_BIT(name) (1u << AQ_ACTION_##name)
#define AQ_TAP_BIT(name)    (1u << AQ_TAP_##name)
#define AQ_ACTIONS_PUT      (AQ_ACTION_BIT(PUT) | AQ_ACTION_BIT(SET_PARENT_JOB))
#define AQ_ACTIONS_GET      (AQ_ACTION_BIT(GET) | AQ_ACTION_BIT(GET_MULTIPLE))
/* Taps that a request for completion may leave, applied or not. */
#define AQ_TAPS_OF_COMPLETIONS                                                                               \
    (~(AQ_TAP_BIT(PUT) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(EMPTY)))
/* Taps after which a job is at a server or was. */
#define AQ_TAPS_OF_JOBS (~(AQ_TAP_BIT(EMPTY) | AQ_TAP_BIT(MISSED) | AQ_TAP_BIT(FAILED)))

/* What a check is made of. It is shown nothing in which it has no interest: most observations are about one
   action or one kind of tap, and most checks look at a few of these. */
struct aq_checker {
    enum aq_check check;
    const char *holds_when; /* one sentence */
    uint32_t interests;     /* bits 1 << enum aq_seen_kind */
    uint32_t actions;       /* of CALL, ANSWER and ABANDONED those with these actions; 0: all */
    uint32_t taps;          /* of TAP those of these kinds; 0: all */
    size_t state_bytes;
    int (*init)(void *state,
                const struct aq_ledger *ledger); /* state is zeroed; may be NULL. Errors: AQ_ENOMEM */
    /* `copy` and `job` are the ledger's entries for what the observation is about, as they were before it, or
       NULL. The check must not change them. Errors: AQ_ENOMEM. */
    int (*observe)(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job);
    /* Fills verdict, judged, remark, figures of *out (memory from record's arena). Errors: AQ_ENOMEM. */
    int (*finish)(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out);
    void (*close)(void *state); /* may be NULL */
};

/* As aq_check_conclude; where there was nothing to judge since gets delete their jobs, so that no worker
   completes any, the check does not apply and passes. */
int aq_check_conclude_completions(const struct aq_ledger *ledger, enum aq_check check,
                                  struct aq_record *record, uint64_t judged, const char *nothing,
                                  struct aq_record_check *out);

/* Ends a check as most do: sets judged; fails with "N violations, the first: CAUSE" where violations
   were recorded, is unknown with "nothing to judge: NOTHING" where judged is 0, and passes
   otherwise. Errors: AQ_ENOMEM. */
int aq_check_conclude(const struct aq_ledger *ledger, enum aq_check check, struct aq_record *record,
                      uint64_t judged, const char *nothing, struct aq_record_check *out);

/* Copies the figures into the record. Errors: AQ_ENOMEM. */
int aq_check_figures(struct aq_record *record, const struct aq_record_figure *figures, uint32_t count,
                     struct aq_record_check *out);

/* The tap of a request to complete a job: done, delete, touch, release or bury, applied or not. */
static inline bool aq_tap_is_completion(const struct aq_tap *tap) {
    return tap->job_hash != 0 && aq_action_is_completion(tap->action);
}
/* It was applied. */
static inline bool aq_tap_applies_completion(const struct aq_tap *tap) {
    return aq_tap_is_completion(tap) && tap->kind != AQ_TAP_MISSED && tap->kind != AQ_TAP_FAILED;
}

/* An ANSWER that tells its caller of success. */
static inline bool aq_answer_is_ok(const struct aq_observation *seen) {
    return seen->outcome == AQ_OUTCOME_OK && !seen->error;
}

/* An ANSWER by which its caller must believe that nothing was applied. */
static inline bool aq_answer_is_no(const struct aq_observation *seen) {
    return (seen->outcome == AQ_OUTCOME_OK && seen->error) || seen->outcome == AQ_OUTCOME_REFUSED ||
           seen->outcome == AQ_OUTCOME_UNAVAILABLE || seen->outcome == AQ_OUTCOME_INVALID;
}

/* Was what this ANSWER to a completion is about applied at the origin, after the call was made? With
   `by_this_call` only where the server is known to have done it for this very call. copy may be NULL. */
bool aq_completion_applied(const struct aq_ledger_copy *copy, const struct aq_observation *seen,
                           bool by_this_call);

extern const struct aq_checker *const aq_checkers[AQ_CHECK_COUNT]; /* indexed by enum aq_check */

/* The one that judges a scenario: another where clients or servers are other programs, and what the usual one
   looks at is not to be seen, but something else is. */
const struct aq_checker *aq_checker_for(const struct aq_scenario *scenario, enum aq_check check);

/* It must not be shown anything: all that it could judge by is not to be seen. */
bool aq_check_hears_nothing(const struct aq_scenario *scenario, enum aq_check check);

/* Where clients or servers are other programs: turns a verdict that what cannot be seen might have changed
   into unknown, and says why. A violation that was seen stands. */
void aq_check_admit_blind(const struct aq_scenario *scenario, enum aq_check check,
                          struct aq_record_check *out);

#endif
