/* Every number of a record by a name, for expectations and comparisons. */
#ifndef AQ_REPORTS_RECORD_MEASURE_H
#define AQ_REPORTS_RECORD_MEASURE_H

#include "reports/record.h"

/* Names:
     jobs.produced, .accepted, .completed, .held, .lost_declared, .unexplained, .executed_again
     completions.sent, .applied, .acked, .misrouted, .origin_gone, .unknown
     CHECK.judged, CHECK.violations, CHECK.FIGURE   as "completion-origin.violations"
     latency.OPERATION.QUANTITY                     count, p50_s, p90_s, p99_s, p999_s, max_s, mean_s
     failover.QUANTITY                              likewise: leave times of all clients
     servers.INDEX.QUANTITY                         puts, gets, empty_gets, completions, requests, errors,
   missed, expired, buried, lost, choices, share, busy, queue_max, held servers.used servers that were chosen
   at least once faults.NAME.touched, marks.NAME run.FIGURE                                     the figures of
   the whole run Errors: AQ_ENOENT (*out untouched). */
int aq_record_measure(const struct aq_record *record, const char *name, double *out);

/* Calls visit with each of them; other than 0 ends it and is returned. Faults of one name come one after the
 * other. */
#define AQ_MEASURE_NAME_MAX 200
typedef int (*aq_measure_visit)(void *arg, const char *name, double value);
int aq_record_measures(const struct aq_record *record, aq_measure_visit visit, void *arg);

#endif
