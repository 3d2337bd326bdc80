#include "client/log.h"

#include <inttypes.h>
#include <stdio.h>

void aq_log_init(struct aq_log *log, aq_time_us now_us) {
    *log = (struct aq_log){.tokens = AQ_LOG_BURST, .filled_us = now_us};
}

void aq_log_line(struct aq_log *log, aq_time_us now_us, const char *line) {
    log->tokens += (double)(now_us - log->filled_us) / (double)AQ_US_PER_S;
    log->filled_us = now_us;
    if (log->tokens > AQ_LOG_BURST) log->tokens = AQ_LOG_BURST;
    if (log->tokens < 1) {
        log->left_out++;
        return;
    }
    log->tokens -= 1;
    if (log->left_out) fprintf(stderr, "allq-client: (%" PRIu64 " lines left out)\n", log->left_out);
    log->left_out = 0;
    fprintf(stderr, "allq-client: %s\n", line);
}
