/* The fingerprint of a failure: equal for failures of one sort, whatever the run's numbers are. It is made of
   the check that broke, the cause with numbers and ids taken out, and the shape of the first violation's
   story: the kinds of its lines and who acts in them, in the order in which they first appear. Computed from
   the record alone, so that a run from the database has the same one as a run from memory. */
#ifndef AQ_SIM_FINGERPRINT_H
#define AQ_SIM_FINGERPRINT_H

#include "reports/record.h"

/* Longer texts are cut: what is cut does not count. */
struct aq_fingerprint {
    char hex[17];     /* 16 digits: the hash of the three texts */
    char check[40];   /* "no-false-ack"; for what no check found: "crash", "replay", "not-caught" */
    char cause[200];  /* "completion told ok, but not applied" */
    char shape[1000]; /* "worker > done | client sends done to origin | origin: missed"; "" without a story */
};

/* The fingerprint of a failure that no check found, or any other one. */
void aq_fingerprint_make(struct aq_fingerprint *out, const char *check, const char *cause, const char *shape);

/* Did this check break: fail without the scenario expecting it? */
bool aq_fingerprint_broken(const struct aq_record_check *check);

/* The fingerprint of one broken check of the record. */
void aq_fingerprint_of_check(const struct aq_record *record, const struct aq_record_check *check,
                             struct aq_fingerprint *out);

/* The fingerprint of the run: that of its first broken check, in the order of the checks, else of the first
   that was expected to fail and did not. Errors: AQ_ENOENT (it has not failed; *out untouched). */
int aq_fingerprint_of_run(const struct aq_record *record, struct aq_fingerprint *out);

#endif
