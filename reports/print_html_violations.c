#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/print_html.h"
#include "reports/print_shared.h"

static bool same_job(const struct aq_record_violation *a, const struct aq_record_violation *b) {
    return a->job && b->job && a->job[0] && strcmp(a->job, b->job) == 0;
}

static void put_place(FILE *stream, const struct aq_record_violation *v) {
    char span[48];
    fputs("<p class=\"note\">", stream);
    if (v->at_us != AQ_TIME_NEVER)
        fprintf(stream, "first bad event at %s", aq_units_format_span(span, sizeof span, v->at_us));
    if (v->token) fprintf(stream, " &middot; call %" PRIu64, v->token);
    if (v->origin >= 0) fprintf(stream, " &middot; origin server %" PRId32, v->origin);
    if (v->receiver >= 0) fprintf(stream, " &middot; received by server %" PRId32, v->receiver);
    fputs("</p>\n", stream);
}

static void put_title(FILE *stream, const struct aq_record_violation *v) {
    aq_html_element(stream, "span", "tag fail", v->check);
    putc(' ', stream);
    aq_html_text(stream, v->cause);
}

/* A job with all its violations among the chosen ones; its line is the title of the first. */
static void put_job(FILE *stream, const struct aq_record *record, const uint32_t *chosen, uint32_t count,
                    uint32_t first) {
    const struct aq_record_violation *v = &record->violations[chosen[first]];
    fprintf(stream, "<details class=\"job\"%s><summary>", first == 0 ? " open" : "");
    put_title(stream, v);
    if (v->job && v->job[0]) fputs(", job ", stream);
    aq_html_element(stream, "code", NULL, v->job);
    fputs("</summary>\n<div class=\"violation\">", stream);
    put_place(stream, v);
    aq_html_story(stream, v);
    fputs("</div>\n", stream);
    for (uint32_t i = first + 1; i < count; i++) {
        const struct aq_record_violation *other = &record->violations[chosen[i]];
        if (!same_job(v, other)) continue;
        fputs("<div class=\"violation\"><h4>", stream);
        put_title(stream, other);
        fputs("</h4>\n", stream);
        put_place(stream, other);
        aq_html_story(stream, other);
        fputs("</div>\n", stream);
    }
    fputs("</details>\n", stream);
}

static bool told_before(const struct aq_record *record, const uint32_t *chosen, uint32_t at) {
    for (uint32_t i = 0; i < at; i++)
        if (same_job(&record->violations[chosen[i]], &record->violations[chosen[at]])) return true;
    return false;
}

void aq_html_violations(FILE *stream, const struct aq_record *record) {
    uint32_t chosen[AQ_HTML_STORIES_MAX],
        count = aq_print_choose_stories(record, chosen, AQ_HTML_STORIES_MAX);
    uint64_t all = 0;
    char number[32];
    if (count == 0) return;
    for (uint32_t i = 0; i < record->check_count; i++)
        all += record->checks[i].violations;
    fputs("<section class=\"card\" data-part=\"violations\"><h2>Violations</h2>\n", stream);
    fprintf(stream,
            "<p class=\"note\">%" PRIu32 " of %s are told here, each check in turn; %" PRIu32
            " are in the database. Time runs downwards.</p>\n",
            count, aq_units_format_count(number, sizeof number, all), record->violation_count);
    for (uint32_t i = 0; i < count; i++)
        if (!told_before(record, chosen, i)) put_job(stream, record, chosen, count, i);
    fputs("</section>\n", stream);
}
