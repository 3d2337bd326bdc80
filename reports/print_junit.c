#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/html_write.h"
#include "reports/print.h"
#include "reports/print_shared.h"

#define STORIES_MAX 3u /* in the text of one failure */

struct counts {
    uint32_t tests, failures, errors, skipped;
    uint64_t wall_us;
};

static void put_attribute(FILE *stream, const char *name, const char *text) {
    fprintf(stream, " %s=\"", name);
    aq_html_text(stream, text); /* what it writes is good XML, too */
    putc('"', stream);
}

static void put_property(FILE *stream, const char *name, const char *value) {
    fputs("      <property", stream);
    put_attribute(stream, "name", name);
    put_attribute(stream, "value", value);
    fputs("/>\n", stream);
}

/* `kind`: failure or error, with a text that tells how to reproduce it. */
static void put_wrong(FILE *stream, const char *kind, const char *type, const char *message,
                      const struct aq_record *record, const char *check) {
    char title[1024];
    uint32_t told = 0;
    fprintf(stream, "<%s", kind);
    put_attribute(stream, "message", message);
    put_attribute(stream, "type", type);
    putc('>', stream);
    aq_html_text(stream, message);
    putc('\n', stream);
    for (uint32_t i = 0; i < record->violation_count && check && told < STORIES_MAX; i++) {
        const struct aq_record_violation *v = &record->violations[i];
        if (strcmp(v->check, check) != 0) continue;
        told++;
        aq_html_text(stream, aq_print_story_title(title, sizeof title, v));
        putc('\n', stream);
        for (uint32_t l = 0; l < v->line_count; l++) {
            fputs("  ", stream);
            aq_html_text(stream, v->lines[l]);
            putc('\n', stream);
        }
    }
    fputs("Reproduce: ", stream);
    aq_html_text(stream, record->reproduce);
    fprintf(stream, "\n</%s>", kind);
}

static void open_case(FILE *stream, const struct aq_record *record, const char *name, uint64_t wall_us) {
    char class[200];
    snprintf(class, sizeof class, "allqsim.%.150s", record->scenario);
    fputs("    <testcase", stream);
    put_attribute(stream, "name", name);
    put_attribute(stream, "classname", class);
    fprintf(stream, " time=\"%.6f\">", (double)wall_us / 1e6);
}

static void put_verdict(FILE *stream, const struct aq_record *record, const char *state,
                        struct counts *counts) {
    bool ended = state[0] != 'u';
    bool failed = ended && record->verdict == AQ_VERDICT_FAIL;
    open_case(stream, record, "verdict", record->wall_us);
    counts->tests++;
    if (failed) {
        counts->failures++;
        put_wrong(stream, "failure", "fail", record->reason, record, NULL);
    } else if (!ended || record->interrupted || record->verdict == AQ_VERDICT_UNKNOWN) {
        counts->errors++;
        put_wrong(stream, "error", ended ? record->interrupted ? "interrupted" : "unknown" : "unfinished",
                  ended ? record->reason : "the run never ended: it is still going on, or was killed", record,
                  NULL);
    }
    fputs("</testcase>\n", stream);
}

static void put_check(FILE *stream, const struct aq_record *record, const struct aq_record_check *check,
                      struct counts *counts) {
    char message[600];
    bool missing = check->expected_to_fail && !check->caught && check->verdict == AQ_VERDICT_PASS;
    open_case(stream, record, check->name, 0);
    counts->tests++;
    if (missing) {
        counts->failures++;
        put_wrong(stream, "failure", "not caught", "the scenario expects it to fail, and it did not", record,
                  NULL);
    } else if (check->verdict == AQ_VERDICT_FAIL && !check->caught) {
        counts->failures++;
        snprintf(message, sizeof message, "%" PRIu64 " of %" PRIu64 " judged are wrong%s%.400s",
                 check->violations, check->judged, check->remark && check->remark[0] ? ": " : "",
                 check->remark ? check->remark : "");
        put_wrong(stream, "failure", check->name, message, record, check->name);
    } else if (check->verdict == AQ_VERDICT_UNKNOWN && record->verdict != AQ_VERDICT_PASS) {
        counts->errors++;
        put_wrong(stream, "error", "unknown", check->remark, record, NULL);
    } else if (check->verdict == AQ_VERDICT_UNKNOWN) {
        counts->skipped++;
        fputs("<skipped", stream);
        put_attribute(stream, "message", check->remark);
        fputs("/>", stream);
    }
    fputs("</testcase>\n", stream);
}

static void put_suite_head(FILE *stream, const struct aq_run_head *head, const struct counts *counts) {
    const struct aq_record *r = &head->record;
    char name[400], stamp[40] = "";
    struct tm utc;
    time_t started = (time_t)r->started_unix_s;
    snprintf(name, sizeof name, "%.150s, clients %.20s, servers %.20s, seed %.60s, run %" PRId64, r->scenario,
             r->client_profile, r->server_profile, r->seed_text, head->run);
    if (gmtime_r(&started, &utc)) strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    fputs("  <testsuite", stream);
    put_attribute(stream, "name", name);
    fprintf(stream,
            " tests=\"%" PRIu32 "\" failures=\"%" PRIu32 "\" errors=\"%" PRIu32 "\" skipped=\"%" PRIu32
            "\" time=\"%.6f\" timestamp=\"%s\" hostname=\"localhost\">\n    <properties>\n",
            counts->tests, counts->failures, counts->errors, counts->skipped, (double)r->wall_us / 1e6,
            stamp);
    put_property(stream, "reproduce", r->reproduce);
    put_property(stream, "verdict", aq_run_has_ended(head) ? aq_verdict_word(r->verdict) : "unfinished");
    put_property(stream, "world", r->world);
    put_property(stream, "version", r->version);
    fputs("    </properties>\n", stream);
}

/* The cases come first into a text of their own, since the head counts them. */
static int put_suite(FILE *stream, const struct aq_runs *runs, const struct aq_run_head *head,
                     struct counts *all) {
    struct counts counts = {.wall_us = head->record.wall_us};
    struct aq_record record;
    char *cases = NULL;
    size_t bytes = 0;
    FILE *body = open_memstream(&cases, &bytes);
    if (!body) return AQ_ENOMEM;
    aq_record_init(&record);
    int rc = aq_run_has_ended(head) ? runs->load(runs->arg, head->run, &record) : 0;
    if (!rc) put_verdict(body, aq_run_has_ended(head) ? &record : &head->record, head->state, &counts);
    for (uint32_t i = 0; i < record.check_count && !rc; i++)
        put_check(body, &record, &record.checks[i], &counts);
    aq_record_close(&record);
    if (fclose(body) && !rc) rc = AQ_ENOMEM;
    if (!rc) {
        put_suite_head(stream, head, &counts);
        fwrite(cases, 1, bytes, stream);
        fputs("  </testsuite>\n", stream);
    }
    free(cases);
    all->tests += counts.tests;
    all->failures += counts.failures;
    all->errors += counts.errors;
    all->skipped += counts.skipped;
    all->wall_us += counts.wall_us;
    return rc;
}

int aq_print_junit(FILE *stream, const struct aq_runs *runs) {
    struct counts all = {0};
    char *suites = NULL;
    size_t bytes = 0;
    FILE *body = open_memstream(&suites, &bytes);
    int rc = body ? 0 : AQ_ENOMEM;
    for (uint32_t i = 0; i < runs->count && !rc; i++)
        rc = put_suite(body, runs, &runs->heads[i], &all);
    if (body && fclose(body) && !rc) rc = AQ_ENOMEM;
    if (!rc) {
        fprintf(stream,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"allqsim\" tests=\"%" PRIu32
                "\" failures=\"%" PRIu32 "\" errors=\"%" PRIu32 "\" skipped=\"%" PRIu32 "\" time=\"%.6f\">\n",
                all.tests, all.failures, all.errors, all.skipped, (double)all.wall_us / 1e6);
        fwrite(suites, 1, bytes, stream);
        fputs("</testsuites>\n", stream);
    }
    free(suites);
    return rc ? rc : fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
