#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

/* Runs that an index carries whole, the newest first until the page is full; the others are rows alone. */
struct bodies {
    char *text;
    size_t bytes;
    int64_t first; /* runs from this one on are in */
};

static int print_run(const struct aq_runs *runs, int64_t run, char **out, size_t *out_bytes) {
    struct aq_record record;
    FILE *stream = open_memstream(out, out_bytes);
    if (!stream) return AQ_ENOMEM;
    aq_record_init(&record);
    int rc = runs->load(runs->arg, run, &record);
    if (!rc) rc = aq_html_run(stream, run, &record);
    aq_record_close(&record);
    if (ferror(stream)) rc = AQ_ENOMEM;
    if (fclose(stream) && !rc) rc = AQ_ENOMEM;
    if (rc) free(*out);
    return rc;
}

/* ---- the table ---- */

static void put_row(FILE *stream, const struct aq_run_head *head, bool linked) {
    const struct aq_record *r = &head->record;
    bool ended = aq_run_has_ended(head);
    const char *word = ended ? aq_verdict_word(r->verdict) : "unfinished";
    fprintf(stream, "<tr><td class=\"n\" data-v=\"%" PRId64 "\">", head->run);
    fprintf(stream, linked ? "<a href=\"#run-%" PRId64 "\">%" PRId64 "</a>" : "%" PRId64, head->run,
            head->run);
    fprintf(stream, "</td><td><span class=\"tag %s\">%s</span></td><th scope=\"row\">", word, word);
    aq_html_text(stream, r->scenario);
    aq_html_element(stream, "small", NULL, r->reason);
    aq_html_element(stream, "small", "command", r->reproduce);
    fputs("</th><td>", stream);
    aq_html_format(stream, strcmp(r->client_profile, r->server_profile) ? "%s / %s" : "%s", r->client_profile,
                   r->server_profile);
    fputs("</td>", stream);
    aq_html_element(stream, "td", NULL, r->world);
    aq_html_element(stream, "td", "seed", r->seed_text);
    aq_html_cell_count(stream, r->jobs.completed);
    aq_html_cell_count(stream, r->completions.misrouted);
    aq_html_cell_count(stream, r->jobs.unexplained);
    aq_html_cell_count(stream, r->jobs.executed_again);
    aq_html_cell_span(stream, ended ? r->virtual_us : AQ_TIME_NEVER);
    aq_html_cell_span(stream, ended ? r->wall_us : AQ_TIME_NEVER);
    fputs("</tr>\n", stream);
}

static void put_counts(FILE *stream, const struct aq_runs *runs) {
    uint32_t counts[4] = {0}; /* by verdict; the last: unfinished */
    static const char *const words[] = {"pass", "fail", "unknown", "unfinished"};
    for (uint32_t i = 0; i < runs->count; i++)
        counts[aq_run_has_ended(&runs->heads[i]) ? runs->heads[i].record.verdict : 3]++;
    fprintf(stream,
            "<header class=\"verdict %s\"><p class=\"badge\">%" PRIu32
            " runs</p><h1>All runs of the database</h1><p>",
            counts[1]                ? "fail"
            : counts[2] || counts[3] ? "unknown"
                                     : "pass",
            runs->count);
    for (int i = 0; i < 4; i++)
        if (counts[i])
            fprintf(stream, "<span class=\"tag %s\">%" PRIu32 " %s</span> ", words[i], counts[i], words[i]);
    fputs("</p></header>\n", stream);
}

static void put_index(FILE *stream, const struct aq_runs *runs, uint32_t shown, int64_t first_body) {
    uint32_t without = 0;
    fputs("<section id=\"index\">", stream);
    put_counts(stream, runs);
    fputs(
        "<section class=\"card\"><h2>Runs, newest first</h2>\n<p><label>Show only rows with <input type=\"search\" class=\"filter\"></label>"
        "</p>\n",
        stream);
    aq_html_table_open(
        stream, "sortable index", "runs",
        "#run|verdict|scenario|profile|world|seed|#completed|#misrouted|#unexplained|#executed "
        "again|#virtual|#took");
    for (uint32_t i = 0; i < shown; i++) {
        const struct aq_run_head *head = &runs->heads[runs->count - 1 - i];
        bool linked = aq_run_has_ended(head) && head->run >= first_body;
        without += aq_run_has_ended(head) && !linked;
        put_row(stream, head, linked);
    }
    aq_html_table_close(stream);
    if (without)
        fprintf(
            stream,
            "<p class=\"note\">%" PRIu32
            " older runs are rows alone, to keep the page small: <code>allqsim report html FILE --run N</code> shows one.</p>\n",
            without);
    if (shown < runs->count)
        fprintf(stream, "<p class=\"note\">%" PRIu32 " older runs are in the database alone.</p>\n",
                runs->count - shown);
    fputs("</section></section>\n", stream);
}

/* ---- the page ---- */

/* Writes the runs that fit, newest first, into one text. */
static int collect(const struct aq_runs *runs, size_t room, struct bodies *out) {
    FILE *all = open_memstream(&out->text, &out->bytes);
    size_t used = 0;
    int rc = all ? 0 : AQ_ENOMEM;
    out->first = INT64_MAX;
    for (uint32_t i = runs->count; i-- > 0 && !rc;) {
        char *text = NULL;
        size_t bytes = 0;
        if (!aq_run_has_ended(&runs->heads[i])) continue;
        rc = print_run(runs, runs->heads[i].run, &text, &bytes);
        if (rc) break;
        bool fits = used + bytes <= room;
        if (fits) fwrite(text, 1, bytes, all);
        if (fits) out->first = runs->heads[i].run;
        used += bytes;
        free(text);
        if (!fits) break;
    }
    if (all && fclose(all) && !rc) rc = AQ_ENOMEM;
    return rc;
}

/* Finds how many rows of the index leave room for runs, and how much of it. */
static int measure(const struct aq_runs *runs, uint32_t *shown, size_t *room) {
    *shown = runs->count < AQ_HTML_RUNS_MAX ? runs->count : AQ_HTML_RUNS_MAX;
    for (;; *shown /= 2) {
        char *index = NULL;
        size_t bytes = 0;
        FILE *stream = open_memstream(&index, &bytes);
        if (!stream) return AQ_ENOMEM;
        put_index(stream, runs, *shown, 0);
        if (fclose(stream)) return AQ_ENOMEM;
        free(index);
        *room = AQ_HTML_PAGE_BYTES > bytes ? AQ_HTML_PAGE_BYTES - bytes : 0;
        if (bytes < AQ_HTML_PAGE_BYTES / 4 * 3 || *shown == 0) return 0;
    }
}

int aq_print_html_all(FILE *stream, const struct aq_runs *runs) {
    struct bodies bodies = {0};
    uint32_t shown;
    size_t room;
    int rc = measure(runs, &shown, &room);
    if (!rc) rc = collect(runs, room, &bodies);
    if (!rc) {
        aq_html_page_open(stream, "allqsim: all runs");
        put_index(stream, runs, shown, bodies.first);
        fwrite(bodies.text, 1, bodies.bytes, stream);
        aq_html_page_close(stream);
    }
    free(bodies.text);
    return rc ? rc : fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
