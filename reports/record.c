#include "reports/record.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"

const char *aq_verdict_word(enum aq_verdict verdict) {
    switch (verdict) {
    case AQ_VERDICT_PASS: return "pass";
    case AQ_VERDICT_FAIL: return "fail";
    case AQ_VERDICT_UNKNOWN: return "unknown";
    }
    AQ_ASSERT(!"a verdict");
    return "unknown";
}

void aq_record_init(struct aq_record *record) {
    *record = (struct aq_record){.scenario = "",
                                 .summary = "",
                                 .scenario_text = "",
                                 .seed_text = "",
                                 .version = "",
                                 .build = "",
                                 .world = "",
                                 .fidelity = "",
                                 .client_profile = "",
                                 .server_profile = "",
                                 .reproduce = "",
                                 .reason = "",
                                 .verdict = AQ_VERDICT_UNKNOWN};
    record->clients.failover.min_us = AQ_TIME_NEVER;
    aq_arena_init(&record->memory);
}

void aq_record_close(struct aq_record *record) {
    for (uint32_t i = 0; i < record->latency_count; i++)
        aq_histogram_close(&record->latencies[i].histogram);
    aq_histogram_close(&record->clients.failover);
    aq_arena_close(&record->memory);
    aq_record_init(record);
}

const char *aq_record_text(struct aq_record *record, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : aq_arena_alloc(&record->memory, (size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
