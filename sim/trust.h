/* What may be believed of a run in real time on a machine that was too slow for it: a promise that is broken
   only because the harness came late is not the client's fault, so such a check could not judge. */
#ifndef AQ_SIM_TRUST_H
#define AQ_SIM_TRUST_H

#include "base/time.h"
#include "reports/record.h"
#include "scenarios/scenario.h"

/* How late the machine was, in real time. All zero: not measured. */
struct aq_lag {
    uint64_t messages;           /* questions answered */
    aq_time_us message_p99_us;   /* to the answer */
    aq_time_us message_max_us;   /* likewise, or unanswered yet */
    uint64_t handshakes;         /* connections made */
    aq_time_us handshake_max_us; /* TCP and CURVE, or not through yet */
};

/* The longest lag that a run bears, in real time: half of the clients' shortest timeout for a connection, a
   probe or a reply, and never more than the slack that checks grant to timers in real time. */
aq_time_us aq_trust_lag_max_us(const struct aq_scenario *scenario, double speed);

/* Adds the lag to the record's figures, and makes unknown each failed check that depends on the machine being
   in time where it was not. speed: of the run, how many times real time. After the checks have been finished
   and before the verdict. Errors: AQ_ENOMEM. */
int aq_trust_judge(const struct aq_scenario *scenario, const struct aq_lag *lag, double speed,
                   struct aq_record *record, struct aq_record_check *checks);

#endif
