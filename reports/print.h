/* Printers of a record. Each is one file; add a format by adding one. */
#ifndef AQ_REPORTS_PRINT_H
#define AQ_REPORTS_PRINT_H

#include <stdio.h>

#include "base/error.h"
#include "reports/record.h"

/* The summary for people: verdict, checks, load per server before, during and after the faults, jobs,
   latencies, faults, the first stories, how to reproduce. Errors: AQ_EIO where the stream fails. */
int aq_print_text(FILE *stream, const struct aq_record *record);

/* One JSON object on one line, with the keys that scripts rely on. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_print_json(FILE *stream, const struct aq_record *record);

#endif
