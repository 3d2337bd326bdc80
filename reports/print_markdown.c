#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "reports/print.h"
#include "reports/print_shared.h"

#define STORIES_MAX 3u
#define FIGURES_MAX 4u

/* Text that is no Markdown and no HTML, on one line. */
static void put_text(FILE *stream, const char *text) {
    char plain[2048];
    aq_print_plain(plain, sizeof plain, sizeof plain, text);
    for (const char *at = plain; *at; at++) {
        if (*at == '<')
            fputs("&lt;", stream);
        else if (*at == '&')
            fputs("&amp;", stream);
        else if (*at == '@')
            fputs("&#64;", stream); /* mentions nobody */
        else if (strchr("\\`*_{}[]()#+!|~>", *at))
            fprintf(stream, "\\%c", *at);
        else
            putc(*at, stream);
    }
}

/* A block of code; a fence longer than any in it. */
static void put_fence(FILE *stream, size_t longest) {
    for (size_t i = 0; i < (longest < 3 ? 3 : longest + 1); i++)
        putc('`', stream);
}

static size_t longest_fence(const char *text) {
    size_t longest = 0;
    while (*text) {
        size_t run = strspn(text, "`");
        if (run > longest) longest = run;
        text += run ? run : 1;
    }
    return longest;
}

static void put_code(FILE *stream, const char *const *lines, uint32_t count) {
    char plain[2048];
    size_t longest = 0;
    for (uint32_t i = 0; i < count; i++)
        if (lines[i] && longest_fence(lines[i]) > longest) longest = longest_fence(lines[i]);
    put_fence(stream, longest);
    fputs("text\n", stream);
    for (uint32_t i = 0; i < count; i++)
        fprintf(stream, "%s\n", aq_print_plain(plain, sizeof plain, sizeof plain, lines[i]));
    put_fence(stream, longest);
    putc('\n', stream);
}

static const char *sign(enum aq_verdict verdict) {
    return verdict == AQ_VERDICT_PASS ? "\u2705" : verdict == AQ_VERDICT_FAIL ? "\u274c" : "\u26a0\ufe0f";
}

static void put_check(FILE *stream, const struct aq_record_check *check) {
    char judged[32], violations[32];
    fprintf(stream, "| %s | ", check->caught ? "caught" : aq_verdict_word(check->verdict));
    put_text(stream, check->name);
    fprintf(stream, " | %s | %s | ", aq_units_format_count(judged, sizeof judged, check->judged),
            aq_units_format_count(violations, sizeof violations, check->violations));
    for (uint32_t i = 0; i < check->figure_count && i < FIGURES_MAX; i++) {
        fputs(i ? ", " : "", stream);
        put_text(stream, check->figures[i].name);
        if (isnan(check->figures[i].value))
            fputs(" -", stream);
        else
            fprintf(stream, " %.6g", check->figures[i].value + 0.0);
    }
    if (check->remark && check->remark[0]) fputs(check->figure_count ? "; " : "", stream);
    put_text(stream, check->remark);
    fputs(" |\n", stream);
}

static void put_stories(FILE *stream, const struct aq_record *record) {
    uint32_t chosen[STORIES_MAX], count = aq_print_choose_stories(record, chosen, STORIES_MAX);
    char title[1024];
    if (count == 0) return;
    fprintf(stream, "\n<details%s><summary>First violations (%" PRIu32 " of %" PRIu32 " kept)</summary>\n",
            record->verdict == AQ_VERDICT_PASS ? "" : " open", count, record->violation_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct aq_record_violation *v = &record->violations[chosen[i]];
        fputs("\n", stream);
        put_text(stream, aq_print_story_title(title, sizeof title, v));
        fputs("\n\n", stream);
        if (v->line_count) put_code(stream, v->lines, v->line_count);
    }
    fputs("\n</details>\n", stream);
}

static void put_totals(FILE *stream, const struct aq_record *r) {
    char a[32], b[32], c[32], d[32], e[32], f[32];
    fprintf(
        stream,
        "\nJobs: %s accepted, %s completed, %s held, %s lost for a declared reason, %s unexplained, %s executed again.\n",
        aq_units_format_count(a, sizeof a, r->jobs.accepted),
        aq_units_format_count(b, sizeof b, r->jobs.completed),
        aq_units_format_count(c, sizeof c, r->jobs.held),
        aq_units_format_count(d, sizeof d, r->jobs.lost_declared),
        aq_units_format_count(e, sizeof e, r->jobs.unexplained),
        aq_units_format_count(f, sizeof f, r->jobs.executed_again));
}

int aq_print_markdown(FILE *stream, const struct aq_record *record) {
    const char *const reproduce[] = {record->reproduce ? record->reproduce : ""};
    fprintf(stream, "## %s ", sign(record->verdict));
    put_text(stream, record->scenario);
    fprintf(stream, ": %s\n\n", aq_verdict_word(record->verdict));
    if (record->interrupted) fputs("Interrupted. ", stream);
    put_text(stream, record->reason);
    fputs("\n\n", stream);
    put_code(stream, reproduce, 1);
    fputs("\n| verdict | check | judged | violations | figures |\n|---|---|---:|---:|---|\n", stream);
    for (uint32_t i = 0; i < record->check_count; i++)
        put_check(stream, &record->checks[i]);
    put_totals(stream, record);
    put_stories(stream, record);
    return fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}

static void put_run(FILE *stream, const struct aq_run_head *head) {
    const struct aq_record *r = &head->record;
    char completed[32];
    bool ended = aq_run_has_ended(head);
    fprintf(stream, "| %" PRId64 " | %s %s | ", head->run, ended ? sign(r->verdict) : "\u26a0\ufe0f",
            ended ? aq_verdict_word(r->verdict) : "unfinished");
    put_text(stream, r->scenario);
    fputs(" | ", stream);
    put_text(stream, r->client_profile);
    fputs(" / ", stream);
    put_text(stream, r->server_profile);
    fputs(" | ", stream);
    put_text(stream, r->seed_text);
    fprintf(stream, " | %s | ", aq_units_format_count(completed, sizeof completed, r->jobs.completed));
    put_text(stream, r->reason);
    fputs(" | ", stream);
    put_text(stream, r->reproduce);
    fputs(" |\n", stream);
}

int aq_print_markdown_all(FILE *stream, const struct aq_runs *runs) {
    uint32_t passed = 0;
    for (uint32_t i = 0; i < runs->count; i++)
        passed += aq_run_has_ended(&runs->heads[i]) && runs->heads[i].record.verdict == AQ_VERDICT_PASS;
    fprintf(stream, "## %s %" PRIu32 " of %" PRIu32 " runs pass\n\n",
            sign(passed == runs->count ? AQ_VERDICT_PASS : AQ_VERDICT_FAIL), passed, runs->count);
    fputs(
        "| run | verdict | scenario | profiles | seed | completed | reason | reproduce |\n|---:|---|---|---|---|---:|---|---|\n",
        stream);
    for (uint32_t i = 0; i < runs->count; i++)
        put_run(stream, &runs->heads[i]);
    return fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
