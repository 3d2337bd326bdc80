/* The page of an exploration. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/json_write.h"
#include "reports/print_html.h"

/* ---- head ---- */

static double seeds_per_s(const struct aq_exploration *x) {
    return (double)aq_exploration_seeds(x) / ((double)x->wall_us / 1e6 + 1e-9);
}

static void put_range(char *text, size_t size, const struct aq_exploration *x) {
    size_t used = (size_t)snprintf(text, size, "%" PRIu64 "..", x->seed_from);
    if (x->seed_to != UINT64_MAX)
        used += (size_t)snprintf(text + used, size - used, "%" PRIu64, x->seed_to);
    else
        used += (size_t)snprintf(text + used, size - used, " as far as the time went");
    if (x->shards > 1)
        snprintf(text + used, size - used, ", part %" PRIu32 " of %" PRIu32, x->shard, x->shards);
}

static void put_facts(FILE *stream, const struct aq_exploration *x) {
    char text[200], a[48];
    fputs("<dl class=\"facts\">", stream);
    put_range(text, sizeof text, x);
    aq_html_fact(stream, "seeds", text);
    snprintf(text, sizeof text, "clients %.20s, servers %.20s", x->client_profile, x->server_profile);
    aq_html_fact(stream, "profiles", text);
    snprintf(text, sizeof text, "%.1f seeds/s with %" PRIu32 " processes; took %s", seeds_per_s(x), x->jobs,
             aq_units_format_span(a, sizeof a, x->wall_us));
    aq_html_fact(stream, "speed", text);
    aq_units_format_span(text, sizeof text, x->virtual_us);
    if (x->virtual_us >= 3600 * AQ_US_PER_S)
        snprintf(text, sizeof text, "%.1f hours", (double)x->virtual_us / 3.6e9);
    aq_html_fact(stream, "virtual time", text);
    aq_html_fact(stream, "events", aq_units_format_count(a, sizeof a, x->events));
    aq_html_fact(stream, "seeds run twice, to compare",
                 aq_units_format_count(a, sizeof a, x->replay_checked));
    fputs("</dl>\n", stream);
}

static void put_head(FILE *stream, const struct aq_stored_exploration *stored) {
    const struct aq_exploration *x = &stored->exploration;
    const char *word = aq_exploration_verdict(x);
    fprintf(stream, "<header class=\"verdict %s\"><p class=\"badge\">%s</p><h1>", word, word);
    aq_html_text(stream, x->scenario);
    fputs("</h1>\n<p class=\"reason\">", stream);
    if (x->interrupted) fputs("interrupted; ", stream);
    aq_html_text(stream, x->reason);
    fputs("</p>\n", stream);
    aq_html_command(stream, "Do it again", x->reproduce);
    put_facts(stream, x);
    fprintf(stream, "<p class=\"note\">exploration %" PRId64 " of its database</p>\n</header>\n",
            stored->number);
}

static uint32_t count_missing(const struct aq_exploration *x) {
    uint32_t missing = 0;
    for (uint32_t i = 0; i < x->mark_count; i++)
        missing += x->marks[i].required && x->marks[i].count == 0;
    return missing;
}

static void put_tiles(FILE *stream, const struct aq_exploration *x) {
    fputs("<div class=\"tiles\">", stream);
    aq_html_tile(stream, "seeds", aq_exploration_seeds(x), false);
    aq_html_tile(stream, "passed", x->seeds[AQ_SEED_PASS], false);
    aq_html_tile(stream, "failed", x->seeds[AQ_SEED_FAIL], true);
    aq_html_tile(stream, "crashed", x->seeds[AQ_SEED_CRASH], true);
    aq_html_tile(stream, "without a verdict", x->seeds[AQ_SEED_UNKNOWN], true);
    aq_html_tile(stream, "not run for memory", x->seeds[AQ_SEED_NO_RUN], true);
    aq_html_tile(stream, "sorts of failure", x->failure_count, true);
    aq_html_tile(stream, "required marks missing", count_missing(x), true);
    fputs("</div>\n", stream);
}

/* ---- failures ---- */

static void put_seed(FILE *stream, uint64_t seed) {
    fprintf(stream, "<td class=\"n\" data-v=\"%" PRIu64 "\">%" PRIu64 "</td>", seed, seed);
}

/* The run's number becomes a link where the page has the run: page.js. */
static void put_kept_run(FILE *stream, int64_t run) {
    if (run)
        fprintf(stream,
                "<td class=\"n\" data-v=\"%" PRId64 "\"><span data-run=\"%" PRId64 "\">%" PRId64
                "</span></td>",
                run, run, run);
    else
        fputs("<td class=\"n\">-</td>", stream);
}

static bool has_story(const struct aq_exploration_proof *proof) {
    return proof->story.check && proof->story.line_count;
}

static void put_failure(FILE *stream, const struct aq_stored_exploration *stored, uint32_t i, bool told) {
    const struct aq_exploration_failure *failure = &stored->exploration.failures[i];
    uint64_t seeds = aq_exploration_seeds(&stored->exploration);
    fputs("<tr><th scope=\"row\">", stream);
    aq_html_element(stream, "span", "tag fail", failure->check);
    putc(' ', stream);
    aq_html_text(stream, failure->cause);
    fputs("<small>", stream);
    aq_html_text(stream, failure->shape);
    fputs("</small>", stream);
    aq_html_command(stream, "", stored->proofs[i].reproduce);
    fputs("</th>", stream);
    aq_html_cell_count(stream, failure->seeds);
    aq_html_cell_percent(stream, seeds ? (double)failure->seeds / (double)seeds : 0);
    put_seed(stream, failure->first_seed);
    put_seed(stream, failure->quickest_seed);
    put_kept_run(stream, failure->run);
    fputs("<td><code>", stream);
    aq_html_text(stream, failure->fingerprint);
    fputs("</code>", stream);
    if (told) {
        fprintf(stream, "<small><a href=\"#story-%" PRId64 "-", stored->number);
        aq_html_text(stream, failure->fingerprint);
        fputs("\">its story</a></small>", stream);
    }
    fputs("</td></tr>\n", stream);
}

/* How many failures fit, the most frequent ones first. */
static uint32_t count_shown(const struct aq_stored_exploration *stored) {
    const struct aq_exploration *x = &stored->exploration;
    size_t bytes = 0;
    uint32_t i = 0;
    for (; i < x->failure_count && i < AQ_HTML_FAILURES_MAX; i++) {
        bytes += strlen(stored->proofs[i].reproduce) + strlen(x->failures[i].shape) +
                 strlen(x->failures[i].cause) + strlen(x->failures[i].check);
        if (bytes > AQ_HTML_FAILURES_BYTES) break;
    }
    return i;
}

/* Those of the first failures that have stories. Returns how many. */
static uint32_t choose_stories(const struct aq_stored_exploration *stored, uint32_t shown,
                               uint32_t chosen[AQ_HTML_STORIES_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < shown && count < AQ_HTML_STORIES_MAX; i++)
        if (has_story(&stored->proofs[i])) chosen[count++] = i;
    return count;
}

static void put_story(FILE *stream, const struct aq_stored_exploration *stored, uint32_t i, bool open) {
    const struct aq_exploration_failure *failure = &stored->exploration.failures[i];
    const struct aq_record_violation *story = &stored->proofs[i].story;
    fprintf(stream, "<details class=\"job\"%s id=\"story-%" PRId64 "-", open ? " open" : "", stored->number);
    aq_html_text(stream, failure->fingerprint);
    fputs("\"><summary>", stream);
    aq_html_element(stream, "span", "tag fail", failure->check);
    putc(' ', stream);
    aq_html_text(stream, story->cause);
    aq_html_format(stream, ", seed %" PRIu64 ", %s", failure->quickest_seed, failure->fingerprint);
    fputs("</summary>\n<div class=\"violation\">", stream);
    if (story->job && story->job[0]) {
        fputs("<p class=\"note\">job ", stream);
        aq_html_element(stream, "code", NULL, story->job);
        fputs("</p>", stream);
    }
    aq_html_story(stream, story);
    fputs("</div></details>\n", stream);
}

static void put_stories(FILE *stream, const struct aq_stored_exploration *stored, const uint32_t *chosen,
                        uint32_t count) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < stored->exploration.failure_count; i++)
        all += has_story(&stored->proofs[i]);
    if (count == 0) return;
    fprintf(
        stream,
        "<section class=\"card\" data-part=\"stories\"><h2>Stories</h2>\n<p class=\"note\">Of the run of the "
        "quickest seed, the events that prove it. %" PRIu32 " of %" PRIu32
        " are told here, the most frequent first. Time runs downwards.</p>\n",
        count, all);
    for (uint32_t i = 0; i < count; i++)
        put_story(stream, stored, chosen[i], i == 0);
    fputs("</section>\n", stream);
}

static void put_failures(FILE *stream, const struct aq_stored_exploration *stored) {
    uint32_t shown = count_shown(stored), chosen[AQ_HTML_STORIES_MAX];
    uint32_t told = choose_stories(stored, shown, chosen);
    fputs("<section class=\"card\" data-part=\"failures\"><h2>Failures</h2>\n", stream);
    if (!stored->exploration.failure_count) {
        fputs("<p>No seed failed.</p></section>\n", stream);
        return;
    }
    fputs(
        "<p class=\"note\">Those of one fingerprint are one row: the same check, cause and shape of the story. The "
        "command draws and runs the quickest seed, the one with the fewest events.</p>\n"
        "<p><label>Show only rows with <input type=\"search\" class=\"filter\"></label></p>\n",
        stream);
    aq_html_table_open(stream, "sortable failures", "failures",
                       "check and cause|#seeds|#share|#first seed|#quickest|#run|fingerprint");
    for (uint32_t i = 0, next = 0; i < shown; i++) {
        bool is_told = next < told && chosen[next] == i;
        next += is_told;
        put_failure(stream, stored, i, is_told);
    }
    aq_html_table_close(stream);
    aq_html_left_out(stream, stored->exploration.failure_count, shown,
                     "sorts of failure, each of fewer seeds,");
    fputs("</section>\n", stream);
    put_stories(stream, stored, chosen, told);
}

/* ---- over the seeds ---- */

static void put_seeds(FILE *stream, const struct aq_stored_exploration *stored) {
    if (!stored->stretch_count) return;
    fputs("<section class=\"card\" data-part=\"seeds\"><h2>Over the seeds</h2>\n<div class=\"pair\">",
          stream);
    aq_html_chart(stream, "sorts", "Sorts of failure found",
                  "By the lowest seed that shows each. A curve that still climbs says that there are more.");
    aq_html_chart(stream, "failing", "Seeds that fail", "Of each stretch of seeds.");
    fputs("</div>\n", stream);
    aq_html_chart(stream, "pace", "Seeds per second of one process",
                  "By the time that the runs of each stretch of seeds took.");
    fputs("</section>\n", stream);
}

/* ---- marks ---- */

/* Required ones first, and of each those that were not reached. */
static int rank(const struct aq_exploration_mark *mark) {
    return (mark->required ? 0 : 2) + (mark->count ? 1 : 0);
}

static void put_mark(FILE *stream, const struct aq_exploration *x, const struct aq_exploration_mark *mark) {
    static const char *const words[] = {"missing", "reached", "never reached", "reached"};
    static const char *const classes[] = {"fail", "pass", "unknown", "pass"};
    uint64_t seeds = aq_exploration_seeds(x);
    fprintf(stream, "<tr><td><span class=\"tag %s\">%s</span></td><th scope=\"row\">", classes[rank(mark)],
            words[rank(mark)]);
    aq_html_text(stream, mark->name);
    fprintf(stream, "</th><td>%s</td>", mark->required ? "required" : "");
    aq_html_cell_count(stream, mark->count);
    aq_html_cell_count(stream, mark->seeds);
    aq_html_cell_percent(stream, seeds ? (double)mark->seeds / (double)seeds : 0);
    fputs("</tr>\n", stream);
}

static void put_names(FILE *stream, const struct aq_exploration *x, const char *title, int wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < x->mark_count; i++) {
        if (rank(&x->marks[i]) != wanted) continue;
        fprintf(stream, count++ ? ", " : "<p><strong>%s</strong> ", title);
        aq_html_element(stream, "code", NULL, x->marks[i].name);
    }
    if (count) fputs("</p>\n", stream);
}

static void put_marks(FILE *stream, const struct aq_exploration *x) {
    if (!x->mark_count) return;
    fputs(
        "<section class=\"card\" data-part=\"marks\"><h2>Coverage marks</h2>\n<p class=\"note\">Situations that "
        "the seeds were to reach.</p>\n",
        stream);
    put_names(stream, x, "Required and not reached:", 0);
    put_names(stream, x, "Never reached:", 2);
    aq_html_table_open(stream, "sortable marks", "coverage marks",
                       "state|mark|required|#hits|#seeds|#share of seeds");
    for (int r = 0; r < 4; r++)
        for (uint32_t i = 0; i < x->mark_count; i++)
            if (rank(&x->marks[i]) == r) put_mark(stream, x, &x->marks[i]);
    aq_html_table_close(stream);
    fputs("</section>\n", stream);
}

/* ---- searches ---- */

static void put_search(FILE *stream, uint32_t number, const struct aq_exploration_find *find) {
    fprintf(stream, "<tr><td class=\"n\" data-v=\"%" PRIu32 "\">%" PRIu32 "</td>", number, number);
    put_seed(stream, find->from_seed);
    if (find->found)
        put_seed(stream, find->found_seed);
    else
        fputs("<td class=\"n\">not found</td>", stream);
    aq_html_cell_count(stream, find->seeds);
    aq_html_cell_span(stream, find->virtual_us);
    aq_html_cell_span(stream, find->wall_us);
    fputs("</tr>\n", stream);
}

static int put_searches(FILE *stream, const struct aq_exploration *x) {
    struct aq_exploration_spread spreads[AQ_EXPLORATION_SPREADS];
    uint32_t found = 0;
    int rc = x->find_count ? aq_exploration_spreads(x, spreads, &found) : 0;
    if (rc || !x->find_count) return rc;
    fputs("<section class=\"card\" data-part=\"searches\"><h2>Searches</h2>\n", stream);
    fprintf(stream, "<p>%" PRIu32 " searches, each over seeds of its own; found in %" PRIu32 ".",
            x->find_count, found);
    if (found)
        fprintf(stream, " Seeds that it took: median %.6g, mean %.6g, from %.6g to %.6g.", spreads[0].median,
                spreads[0].mean, spreads[0].min, spreads[0].max);
    fputs("</p>\n", stream);
    aq_html_table_open(stream, "sortable", "searches",
                       "#no.|#from seed|#found at|#seeds|#virtual time|#took");
    for (uint32_t i = 0; i < x->find_count && i < AQ_HTML_SEARCHES_MAX; i++)
        put_search(stream, i + 1, &x->finds[i]);
    aq_html_table_close(stream);
    aq_html_left_out(stream, x->find_count, AQ_HTML_SEARCHES_MAX, "searches");
    fputs("</section>\n", stream);
    return 0;
}

/* ---- configuration ---- */

static void put_background(FILE *stream, const struct aq_exploration *x) {
    char text[200];
    fputs("<section class=\"card\" data-part=\"draw\"><h2>What was drawn, versions</h2>\n", stream);
    fputs("<p class=\"note\">The section explore of the scenario: what varies from seed to seed.</p>\n",
          stream);
    if (!aq_html_scenario_part(stream, x->scenario_text, "explore"))
        fputs("<p>It has none: each seed ran the scenario as it is.</p>\n", stream);
    aq_html_scenario(stream, "The whole scenario", x->scenario_text);
    fputs("<dl class=\"facts\">", stream);
    snprintf(text, sizeof text, "allqsim %.40s, %.100s", x->version, x->build);
    aq_html_fact(stream, "version", text);
    snprintf(text, sizeof text, "%016" PRIx64, x->scenario_hash);
    aq_html_fact(stream, "scenario hash", text);
    snprintf(text, sizeof text, "%d", x->exit_code);
    aq_html_fact(stream, "exit code", text);
    fputs("</dl>\n</section>\n", stream);
}

/* ---- the numbers behind the charts ---- */

static void put_data(FILE *stream, const struct aq_stored_exploration *stored) {
    struct aq_json_put_writer json = {.stream = stream, .for_html = true};
    fputs("<script type=\"application/json\" class=\"data\">", stream);
    aq_json_put_open(&json, '{');
    aq_json_field_open(&json, "stretches", '[');
    for (uint32_t i = 0; i < stored->stretch_count; i++) {
        const struct aq_exploration_stretch *stretch = &stored->stretches[i];
        const uint64_t numbers[] = {stretch->from_seed, stretch->seeds, stretch->failing, stretch->busy_us,
                                    stretch->new_sorts};
        aq_json_put_open(&json, '[');
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            aq_json_put_u64(&json, numbers[k]);
        aq_json_put_close(&json, ']');
    }
    aq_json_put_close(&json, ']');
    aq_json_put_close(&json, '}');
    fputs("</script>\n", stream);
}

int aq_html_exploration(FILE *stream, const struct aq_stored_exploration *stored) {
    const struct aq_exploration *x = &stored->exploration;
    fprintf(stream, "<article class=\"exploration\" id=\"exploration-%" PRId64 "\">\n", stored->number);
    put_head(stream, stored);
    put_tiles(stream, x);
    put_failures(stream, stored);
    put_seeds(stream, stored);
    put_marks(stream, x);
    int rc = put_searches(stream, x);
    put_background(stream, x);
    put_data(stream, stored);
    fputs("</article>\n", stream);
    return rc;
}
