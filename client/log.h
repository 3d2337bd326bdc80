/* Lines for a person on stderr, and never a flood of them: a burst of AQ_LOG_BURST, then one a second. What
   was left out is counted and told with the next line. */
#ifndef AQ_CLIENT_LOG_H
#define AQ_CLIENT_LOG_H

#include <stdint.h>

#include "base/time.h"

#define AQ_LOG_BURST 20

struct aq_log {
    double tokens;
    aq_time_us filled_us;
    uint64_t left_out;
};

void aq_log_init(struct aq_log *log, aq_time_us now_us);
void aq_log_line(struct aq_log *log, aq_time_us now_us, const char *line);

#endif
