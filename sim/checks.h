/* The checks: each judges the stream of observations on one promise. One file a check (check_*.c) and one line in checks.c. */
#ifndef AQ_SIM_CHECKS_H
#define AQ_SIM_CHECKS_H

#include "base/error.h"
#include "reports/record.h"
#include "sim/ledger.h"
#include "sim/observation.h"

/* What a check is made of. A check that has no interest in a kind of observation leaves its bit out. */
struct aq_checker {
    enum aq_check check;
    const char *holds_when;                 /* one sentence */
    uint32_t interests;                     /* bits 1 << enum aq_seen_kind */
    size_t state_bytes;
    int (*init)(void *state, const struct aq_ledger *ledger); /* state is zeroed; may be NULL. Errors: AQ_ENOMEM */
    /* `copy` and `job` are the ledger's entries for what the observation is about, as they were before it, or NULL. The check must not
       change them. Errors: AQ_ENOMEM. */
    int (*observe)(void *state, struct aq_ledger *ledger, const struct aq_observation *seen, const struct aq_ledger_copy *copy,
                   const struct aq_ledger_job *job);
    /* Fills verdict, judged, remark, figures of *out (memory from record's arena). Errors: AQ_ENOMEM. */
    int (*finish)(void *state, struct aq_ledger *ledger, struct aq_record *record, struct aq_record_check *out);
    void (*close)(void *state);             /* may be NULL */
};

extern const struct aq_checker *const aq_checkers[AQ_CHECK_COUNT]; /* indexed by enum aq_check */

#endif
