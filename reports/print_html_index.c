#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

/* What an index carries whole, the newest first until the page is full; the others are rows alone. */
struct bodies {
    char *text;
    size_t bytes;
    int64_t first; /* from this number on they are in */
};

/* Everything of a database: the lists, and how one of each is written. */
struct contents {
    const struct aq_runs *runs;
    const struct aq_beside_runs *beside; /* NULL: there are runs alone */
    struct bodies explorations, plans, run_bodies;
};

/* ---- one of each ---- */

static int print_run(const struct contents *contents, int64_t number, FILE *stream) {
    struct aq_record record;
    aq_record_init(&record);
    int rc = contents->runs->load(contents->runs->arg, number, &record);
    if (!rc) rc = aq_html_run(stream, number, &record);
    aq_record_close(&record);
    return rc;
}

static int print_exploration(const struct contents *contents, int64_t number, FILE *stream) {
    struct aq_stored_exploration stored = {0};
    int rc = contents->beside->load_exploration(contents->beside->arg, number, &stored);
    if (!rc) rc = aq_html_exploration(stream, &stored);
    aq_stored_exploration_close(&stored);
    return rc;
}

static int print_plan(const struct contents *contents, int64_t number, FILE *stream) {
    struct aq_stored_plan stored = {0};
    int rc = contents->beside->load_plan(contents->beside->arg, number, &stored);
    if (!rc) rc = aq_html_plan(stream, &stored);
    aq_stored_plan_close(&stored);
    return rc;
}

/* How many there are, and the number of the i-th, 0 where there is nothing to tell of it. */
static uint32_t count_explorations(const struct contents *contents) {
    return contents->beside ? contents->beside->explorations->count : 0;
}

static uint32_t count_plans(const struct contents *contents) {
    return contents->beside ? contents->beside->plans->count : 0;
}

static uint32_t count_runs(const struct contents *contents) {
    return contents->runs->count;
}

static int64_t number_of_run(const struct contents *contents, uint32_t i) {
    const struct aq_run_head *head = &contents->runs->heads[i];
    return aq_run_has_ended(head) ? head->run : 0;
}

static int64_t number_of_exploration(const struct contents *contents, uint32_t i) {
    const struct aq_exploration_head *head = &contents->beside->explorations->heads[i];
    return head->state[0] == 'u' ? 0 : head->number;
}

static int64_t number_of_plan(const struct contents *contents, uint32_t i) {
    return contents->beside->plans->heads[i].number;
}

struct kind {
    uint32_t (*count)(const struct contents *contents);
    int64_t (*number)(const struct contents *contents, uint32_t i);
    int (*print)(const struct contents *contents, int64_t number, FILE *stream);
};
static const struct kind kind_run = {count_runs, number_of_run, print_run};
static const struct kind kind_exploration = {count_explorations, number_of_exploration, print_exploration};
static const struct kind kind_plan = {count_plans, number_of_plan, print_plan};

static int print_one(const struct contents *contents, const struct kind *kind, int64_t number, char **out,
                     size_t *out_bytes) {
    FILE *stream = open_memstream(out, out_bytes);
    if (!stream) return AQ_ENOMEM;
    int rc = kind->print(contents, number, stream);
    if (ferror(stream) && !rc) rc = AQ_ENOMEM;
    if (fclose(stream) && !rc) rc = AQ_ENOMEM;
    if (rc) free(*out);
    return rc;
}

/* ---- the table ---- */

/* The first cells of each table: number, verdict, scenario with what came out and how to do it again,
 * profile. */
static void put_identity(FILE *stream, const char *kind, int64_t number, bool linked, const char *class,
                         const char *word, const char *const texts[3], const char *const profiles[2]) {
    fprintf(stream, "<tr><td class=\"n\" data-v=\"%" PRId64 "\">", number);
    if (linked) fprintf(stream, "<a href=\"#%s-%" PRId64 "\">", kind, number);
    fprintf(stream, "%" PRId64 "%s</td><td><span class=\"tag %s\">%s</span></td><th scope=\"row\">", number,
            linked ? "</a>" : "", class, word);
    aq_html_text(stream, texts[0]);
    aq_html_element(stream, "small", NULL, texts[1]);
    aq_html_element(stream, "small", "command", texts[2]);
    fputs("</th><td>", stream);
    aq_html_format(stream, strcmp(profiles[0], profiles[1]) ? "%s / %s" : "%s", profiles[0], profiles[1]);
    fputs("</td>", stream);
}

static void put_row(FILE *stream, const struct aq_run_head *head, bool linked) {
    const struct aq_record *r = &head->record;
    bool ended = aq_run_has_ended(head);
    const char *word = ended ? aq_verdict_word(r->verdict) : "unfinished";
    put_identity(stream, "run", head->run, linked, word, word,
                 (const char *const[]){r->scenario, r->reason, r->reproduce},
                 (const char *const[]){r->client_profile, r->server_profile});
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

static const char *verdict_of(const struct aq_exploration_head *head) {
    struct aq_exploration x = head->exploration;
    x.failure_count = head->failures;
    return aq_exploration_verdict(&x);
}

static void put_exploration_row(FILE *stream, const struct aq_exploration_head *head, bool linked) {
    const struct aq_exploration x = head->exploration;
    bool ended = head->state[0] != 'u';
    const char *word = ended ? verdict_of(head) : "unfinished";
    put_identity(stream, "exploration", head->number, linked, word, word,
                 (const char *const[]){x.scenario, x.reason, x.reproduce},
                 (const char *const[]){x.client_profile, x.server_profile});
    aq_html_cell_count(stream, aq_exploration_seeds(&x));
    aq_html_cell_count(stream, x.seeds[AQ_SEED_FAIL] + x.seeds[AQ_SEED_CRASH]);
    aq_html_cell_count(stream, head->failures);
    aq_html_cell_span(stream, ended ? x.virtual_us : AQ_TIME_NEVER);
    aq_html_cell_span(stream, ended ? x.wall_us : AQ_TIME_NEVER);
    fputs("</tr>\n", stream);
}

static void put_plan_row(FILE *stream, const struct aq_plan_head *head, bool linked) {
    const struct aq_plan *plan = &head->plan;
    char text[600];
    put_identity(stream, "plan", head->number, linked,
                 plan->interrupted           ? "unfinished"
                 : plan->recommended_clients ? "pass"
                                             : "fail",
                 plan->interrupted           ? "interrupted"
                 : plan->recommended_clients ? "recommended"
                                             : "none",
                 (const char *const[]){plan->scenario, plan->objective, plan->reproduce},
                 (const char *const[]){plan->client_profile, plan->server_profile});
    snprintf(text, sizeof text, "%" PRIu32 "..%" PRIu32, plan->servers_from, plan->servers_to);
    aq_html_element(stream, "td", "seed", text);
    snprintf(text, sizeof text, "%" PRIu32 "..%" PRIu32, plan->clients_from, plan->clients_to);
    aq_html_element(stream, "td", "seed", text);
    aq_html_cell_count(stream, plan->survive);
    aq_html_cell_count(stream, plan->recommended_servers);
    aq_html_cell_count(stream, plan->recommended_clients);
    aq_html_cell_count(stream, plan->runs);
    aq_html_cell_span(stream, plan->wall_us);
    fputs("</tr>\n", stream);
}

static void put_number_of(FILE *stream, uint32_t count, const char *what) {
    if (count)
        fprintf(stream, "<span class=\"tag\">%" PRIu32 " %s%s</span> ", count, what, count == 1 ? "" : "s");
}

/* Runs and explorations by verdict; the last: unfinished. */
static void count_verdicts(const struct contents *contents, uint32_t runs[4], uint32_t all[4]) {
    memset(runs, 0, 4 * sizeof *runs);
    for (uint32_t i = 0; i < contents->runs->count; i++) {
        const struct aq_run_head *head = &contents->runs->heads[i];
        runs[aq_run_has_ended(head) ? head->record.verdict : 3]++;
    }
    memcpy(all, runs, 4 * sizeof *all);
    for (uint32_t i = 0; i < count_explorations(contents); i++) {
        const struct aq_exploration_head *head = &contents->beside->explorations->heads[i];
        const char *word = verdict_of(head);
        all[head->state[0] == 'u' ? 3 : word[0] == 'p' ? 0 : word[0] == 'f' ? 1 : 2]++;
    }
}

static void put_counts(FILE *stream, const struct contents *contents) {
    static const char *const words[] = {"pass", "fail", "unknown", "unfinished"};
    uint32_t counts[4], all[4];
    bool more = count_explorations(contents) || count_plans(contents);
    count_verdicts(contents, counts, all);
    fprintf(stream,
            "<header class=\"verdict %s\"><p class=\"badge\">%" PRIu32
            " runs</p><h1>%s of the database</h1><p>",
            all[1]             ? "fail"
            : all[2] || all[3] ? "unknown"
                               : "pass",
            contents->runs->count, more ? "All runs, explorations and plans" : "All runs");
    for (int i = 0; i < 4; i++)
        if (counts[i])
            fprintf(stream, "<span class=\"tag %s\">%" PRIu32 " %s</span> ", words[i], counts[i], words[i]);
    put_number_of(stream, count_explorations(contents), "exploration");
    put_number_of(stream, count_plans(contents), "plan");
    fputs("</p></header>\n", stream);
}

/* Says which of the rows have nothing behind them, and what has no row. */
static void put_without(FILE *stream, uint32_t without, uint32_t count, uint32_t shown, const char *what,
                        const char *option) {
    if (without)
        fprintf(stream,
                "<p class=\"note\">%" PRIu32 " older %s are rows alone, to keep the page small: "
                "<code>allqsim report html FILE %s N</code> shows one.</p>\n",
                without, what, option);
    if (shown < count)
        fprintf(stream, "<p class=\"note\">%" PRIu32 " older %s are in the database alone.</p>\n",
                count - shown, what);
}

static void put_runs(FILE *stream, const struct contents *contents, uint32_t shown) {
    const struct aq_runs *runs = contents->runs;
    uint32_t without = 0;
    fputs(
        "<section class=\"card\"><h2>Runs, newest first</h2>\n<p><label>Show only rows with <input type=\"search\" "
        "class=\"filter\"></label></p>\n",
        stream);
    aq_html_table_open(
        stream, "sortable index", "runs",
        "#run|verdict|scenario|profile|world|seed|#completed|#misrouted|#unexplained|#executed "
        "again|#virtual|#took");
    for (uint32_t i = 0; i < shown; i++) {
        const struct aq_run_head *head = &runs->heads[runs->count - 1 - i];
        bool linked = aq_run_has_ended(head) && head->run >= contents->run_bodies.first;
        without += aq_run_has_ended(head) && !linked;
        put_row(stream, head, linked);
    }
    aq_html_table_close(stream);
    put_without(stream, without, runs->count, shown, "runs", "--run");
    fputs("</section>\n", stream);
}

static void put_explorations(FILE *stream, const struct contents *contents, uint32_t most) {
    uint32_t count = count_explorations(contents), shown = count < most ? count : most, without = 0;
    if (!count) return;
    fputs("<section class=\"card\"><h2>Explorations, newest first</h2>\n", stream);
    aq_html_table_open(stream, "sortable list", "explorations",
                       "#no.|verdict|scenario|profile|#seeds|#failing|#sorts of failure|#virtual|#took");
    for (uint32_t i = 0; i < shown; i++) {
        const struct aq_exploration_head *head = &contents->beside->explorations->heads[count - 1 - i];
        bool linked = head->state[0] != 'u' && head->number >= contents->explorations.first;
        without += head->state[0] != 'u' && !linked;
        put_exploration_row(stream, head, linked);
    }
    aq_html_table_close(stream);
    put_without(stream, without, count, shown, "explorations", "--exploration");
    fputs("</section>\n", stream);
}

static void put_plans(FILE *stream, const struct contents *contents, uint32_t most) {
    uint32_t count = count_plans(contents), shown = count < most ? count : most, without = 0;
    if (!count) return;
    fputs("<section class=\"card\"><h2>Plans, newest first</h2>\n", stream);
    aq_html_table_open(
        stream, "sortable list", "plans",
        "#no.|outcome|scenario and objective|profile|servers|clients|#may be lost|#recommended "
        "servers|#clients|#runs|#took");
    for (uint32_t i = 0; i < shown; i++) {
        const struct aq_plan_head *head = &contents->beside->plans->heads[count - 1 - i];
        bool linked = head->number >= contents->plans.first;
        without += !linked;
        put_plan_row(stream, head, linked);
    }
    aq_html_table_close(stream);
    put_without(stream, without, count, shown, "plans", "--plan");
    fputs("</section>\n", stream);
}

static void put_index(FILE *stream, const struct contents *contents, uint32_t shown) {
    fputs("<section id=\"index\">", stream);
    put_counts(stream, contents);
    put_plans(stream, contents, shown);
    put_explorations(stream, contents, shown);
    if (contents->runs->count || (!count_explorations(contents) && !count_plans(contents)))
        put_runs(stream, contents, shown < contents->runs->count ? shown : contents->runs->count);
    fputs("</section>\n", stream);
}

/* ---- the page ---- */

/* Writes those that fit, newest first, into one text. Returns with *room as it is then. */
static int collect(const struct contents *contents, const struct kind *kind, size_t *room,
                   struct bodies *out) {
    FILE *all = open_memstream(&out->text, &out->bytes);
    int rc = all ? 0 : AQ_ENOMEM;
    bool fits = true;
    out->first = INT64_MAX;
    for (uint32_t i = kind->count(contents); i-- > 0 && fits && !rc;) {
        char *text = NULL;
        size_t bytes = 0;
        int64_t number = kind->number(contents, i);
        if (!number) continue;
        rc = print_one(contents, kind, number, &text, &bytes);
        if (rc) break;
        fits = bytes <= *room;
        if (fits) {
            fwrite(text, 1, bytes, all);
            out->first = number;
            *room -= bytes;
        }
        free(text);
    }
    if (all && fclose(all) && !rc) rc = AQ_ENOMEM;
    return rc;
}

static uint32_t most_rows(const struct contents *contents) {
    uint32_t most = contents->runs->count;
    if (count_explorations(contents) > most) most = count_explorations(contents);
    if (count_plans(contents) > most) most = count_plans(contents);
    return most < AQ_HTML_RUNS_MAX ? most : AQ_HTML_RUNS_MAX;
}

/* Finds how many rows of the index leave room for what is behind it, and how much of it. */
static int measure(const struct contents *contents, uint32_t *shown, size_t *room) {
    for (*shown = most_rows(contents);; *shown /= 2) {
        char *index = NULL;
        size_t bytes = 0;
        FILE *stream = open_memstream(&index, &bytes);
        if (!stream) return AQ_ENOMEM;
        put_index(stream, contents, *shown);
        if (fclose(stream)) return AQ_ENOMEM;
        free(index);
        *room = AQ_HTML_PAGE_BYTES > bytes ? AQ_HTML_PAGE_BYTES - bytes : 0;
        if (bytes < AQ_HTML_PAGE_BYTES / 4 * 3 || *shown == 0) return 0;
    }
}

/* Plans and explorations are few and have up to a third of the room each; runs have what is left. */
static int collect_all(struct contents *contents, size_t room) {
    size_t part = room / 3, left = part;
    int rc = collect(contents, &kind_plan, &left, &contents->plans);
    room -= part - left;
    left = part;
    if (!rc) rc = collect(contents, &kind_exploration, &left, &contents->explorations);
    room -= part - left;
    return rc ? rc : collect(contents, &kind_run, &room, &contents->run_bodies);
}

int aq_print_html_all(FILE *stream, const struct aq_runs *runs, const struct aq_beside_runs *beside) {
    struct contents contents = {.runs = runs, .beside = beside};
    const struct bodies *const bodies[] = {&contents.plans, &contents.explorations, &contents.run_bodies};
    uint32_t shown;
    size_t room;
    int rc = measure(&contents, &shown, &room);
    if (!rc) rc = collect_all(&contents, room);
    if (!rc) {
        aq_html_page_open(stream, count_explorations(&contents) || count_plans(&contents)
                                      ? "allqsim: all of the database"
                                      : "allqsim: all runs");
        put_index(stream, &contents, shown);
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
            fwrite(bodies[i]->text, 1, bodies[i]->bytes, stream);
        aq_html_page_close(stream);
    }
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        free(bodies[i]->text);
    return rc ? rc : fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
