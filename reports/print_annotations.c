/* Workflow commands of GitHub Actions: "::error title=...::message". */
#include <inttypes.h>
#include <string.h>

#include "reports/print.h"
#include "reports/print_shared.h"

#define LINES_MAX 20u

/* A message: %, \r and \n are encoded, other control characters made visible. */
static void put_message(FILE *stream, const char *text) {
    char plain[1024];
    aq_print_plain(plain, sizeof plain, sizeof plain, text);
    for (const char *at = plain; *at; at++)
        fputs(*at == '%' ? "%25" : (char[]){*at, 0}, stream);
}

/* A property: ':' and ',' are encoded as well. */
static void put_property(FILE *stream, const char *text) {
    char plain[256];
    aq_print_plain(plain, sizeof plain, 120, text);
    for (const char *at = plain; *at; at++)
        fputs(*at == '%' ? "%25" : *at == ':' ? "%3A" : *at == ',' ? "%2C" : (char[]){*at, 0}, stream);
}

static void put_head(FILE *stream, const struct aq_record *record, const char *level, const char *what) {
    fprintf(stream, "::%s title=", level);
    put_property(stream, record->scenario);
    fputs("%3A ", stream);
    put_property(stream, what);
    fputs("::", stream);
}

static void put_end(FILE *stream, const struct aq_record *record) {
    fputs("%0AReproduce: ", stream);
    put_message(stream, record->reproduce);
    putc('\n', stream);
}

static void put_story(FILE *stream, const struct aq_record *record, const struct aq_record_check *check) {
    char title[1024];
    for (uint32_t i = 0; i < record->violation_count; i++) {
        const struct aq_record_violation *v = &record->violations[i];
        if (strcmp(v->check, check->name) != 0) continue;
        fputs("%0A", stream);
        put_message(stream, aq_print_story_title(title, sizeof title, v));
        for (uint32_t l = 0; l < v->line_count && l < LINES_MAX; l++) {
            fputs("%0A  ", stream);
            put_message(stream, v->lines[l]);
        }
        return;
    }
}

static bool is_missing(const struct aq_record_check *check) {
    return check->expected_to_fail && !check->caught && check->verdict == AQ_VERDICT_PASS;
}

/* Whether it says anything. */
static bool put_check(FILE *stream, const struct aq_record *record, const struct aq_record_check *check) {
    bool failed = check->verdict == AQ_VERDICT_FAIL && !check->caught;
    bool unknown = check->verdict == AQ_VERDICT_UNKNOWN && record->verdict != AQ_VERDICT_PASS;
    if (!failed && !unknown && !is_missing(check)) return false;
    put_head(stream, record, unknown ? "warning" : "error", check->name);
    if (failed)
        fprintf(stream, "%" PRIu64 " of %" PRIu64 " judged are wrong. ", check->violations, check->judged);
    if (is_missing(check)) fputs("It was expected to be caught and was not. ", stream);
    put_message(stream, check->remark);
    if (failed) put_story(stream, record, check);
    put_end(stream, record);
    return true;
}

int aq_print_annotations(FILE *stream, const struct aq_record *record) {
    bool told = false;
    for (uint32_t i = 0; i < record->check_count; i++)
        told |= put_check(stream, record, &record->checks[i]);
    if (!told && (record->verdict != AQ_VERDICT_PASS || record->interrupted)) {
        put_head(stream, record, record->verdict == AQ_VERDICT_FAIL ? "error" : "warning",
                 record->interrupted ? "interrupted" : aq_verdict_word(record->verdict));
        put_message(stream, record->reason);
        put_end(stream, record);
    }
    return fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
