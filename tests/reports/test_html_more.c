/* The pages of explorations and plans: texts stay texts, big ones stay small pages, what is asked for comes
 * first. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/html_write.h"
#include "reports/print_html.h"
#include "sample.h"

static char *explored(const struct aq_stored_exploration *stored) {
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    assert_int_equal(aq_print_html_exploration(stream, stored), 0);
    fclose(stream);
    return text;
}

static char *planned(const struct aq_plan *plan) {
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    struct aq_stored_plan stored = {.number = 3, .plan = *plan};
    assert_non_null(stream);
    assert_int_equal(aq_print_html_plan(stream, &stored), 0);
    fclose(stream);
    return text;
}

static uint32_t count_of(const char *text, const char *word) {
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

static void assert_has(const char *text, const char *word) {
    if (!strstr(text, word)) fail_msg("\"%s\" is missing", word);
}

static void assert_in_order(const char *text, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(text, words[i]);
        if (!found) fail_msg("\"%s\" is not behind what should be before it", words[i]);
        text = found;
    }
}
#define assert_order(text, ...)                                                                              \
    assert_in_order(text, (const char *const[]){__VA_ARGS__},                                                \
                    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Counts the bytes that mean something in HTML, up to the scripts of the page. */
static void count_signs(const char *page, uint32_t counts[3]) {
    const char *end = strstr(page, "<script>");
    assert_non_null(end);
    memset(counts, 0, 3 * sizeof *counts);
    for (; page < end; page++) {
        const char *sign = strchr("<>'", *page);
        if (*page && sign) counts[sign - "<>'"]++;
    }
}

static const char *const hostile[] = {"</script><script>alert(1)</script>",
                                      "<!--",
                                      "]]>",
                                      "&lt;&#60;",
                                      "x' onclick='y",
                                      "\"><b>",
                                      "</style>",
                                      "\xf0\x9f\x98\x80\xff\xc3"};
#define HOSTILE (sizeof hostile / sizeof *hostile)

static void assert_harmless(char *page, char *plain_page, const char *text) {
    uint32_t plain[3], got[3];
    count_signs(plain_page, plain);
    count_signs(page, got);
    assert_int_equal(got[0], plain[0]);
    if (!strchr(text, '>')) assert_int_equal(got[1], plain[1]);
    if (!strchr(text, '\'')) assert_int_equal(got[2], plain[2]);
    assert_null(strstr(page, "<script>alert"));
    assert_null(strstr(page, "<!--"));
    assert_int_equal(count_of(page, "<script>"), 3);
    *strstr(page, "<script type=") = 0; /* a quotation mark is no sign in the JSON there */
    assert_null(strstr(page, " onclick='"));
    assert_null(strstr(page, "\"><b>"));
    free(page);
    free(plain_page);
}

/* ---- explorations ---- */

static const char *const story_lines[] = {"[1.5] producer 3 of client 2 > put a,b",
                                          "[1.6] client 2 > put a,b -> server 1: put"};

/* The sample, with a story for its first failure. */
static struct aq_stored_exploration sample_stored(struct aq_exploration_proof proofs[2],
                                                  struct aq_exploration_stretch stretches[2]) {
    proofs[0] = (struct aq_exploration_proof){"allqsim explore swarm --print-seed 11",
                                              {.check = "no-false-ack",
                                               .cause = "told ok: 7",
                                               .job = "a,b",
                                               .origin = 1,
                                               .lines = story_lines,
                                               .line_count = 2}};
    proofs[1] = (struct aq_exploration_proof){.reproduce = "allqsim explore swarm --seeds 12..12"};
    stretches[0] = (struct aq_exploration_stretch){10, 2, 1, 3000, 1};
    stretches[1] = (struct aq_exploration_stretch){12, 2, 1, 0, 1};
    return (struct aq_stored_exploration){.number = 5,
                                          .exploration = sample_exploration,
                                          .proofs = proofs,
                                          .stretches = stretches,
                                          .stretch_count = 2};
}

static void the_verdict_the_command_and_the_failures_come_first(void **state) {
    (void)state;
    struct aq_exploration_proof proofs[2];
    struct aq_exploration_stretch stretches[2];
    struct aq_stored_exploration stored = sample_stored(proofs, stretches);
    char *page = explored(&stored);
    assert_order(page, "<p class=\"badge\">fail</p>", "2 sorts of failure in 2 of 4 seeds",
                 "allqsim explore swarm --seeds 10..13", "<h2>Failures</h2>", "no-false-ack", "told ok",
                 "allqsim explore swarm --print-seed 11", "00000000000000aa", "#story-5-00000000000000aa",
                 "crash", "allqsim explore swarm --seeds 12..12", "<h2>Stories</h2>",
                 "id=\"story-5-00000000000000aa\"", "class=\"story\"", "data-chart=\"sorts\"",
                 "data-chart=\"pace\"", "<h2>Coverage marks</h2>");
    assert_has(page, "2.0 seeds/s with 2 processes");
    assert_has(page, "10.. as far as the time went");
    assert_has(page, "<span data-run=\"1\">1</span>");
    assert_has(page, "{\"stretches\":[[10,2,1,3000,1],[12,2,1,0,1]]}");
    assert_int_equal(count_of(page, "its story</a>"), 1);
    free(page);
}

static void marks_that_are_missing_come_first(void **state) {
    (void)state;
    struct aq_exploration_proof proofs[2];
    struct aq_exploration_stretch stretches[2];
    struct aq_stored_exploration stored = sample_stored(proofs, stretches);
    char *page = explored(&stored);
    assert_order(page, "<strong>Required and not reached:</strong> <code>job_lost</code></p>",
                 "<strong>Never reached:</strong> <code>job_taken</code></p>", ">missing</span>", "job_lost",
                 ">reached</span>", "lease_expired", ">never reached</span>", "job_taken");
    assert_has(page, "required marks missing</span><b>1</b>");
    free(page);
}

static void searches_have_their_spread(void **state) {
    (void)state;
    struct aq_exploration_proof proofs[2];
    struct aq_exploration_stretch stretches[2];
    struct aq_stored_exploration stored = sample_stored(proofs, stretches);
    char *page = explored(&stored);
    assert_has(page, "2 searches, each over seeds of its own; found in 1. Seeds that it took: median 2,");
    assert_has(page, ">not found</td>");
    free(page);
}

static void the_draw_is_the_section_of_the_scenario(void **state) {
    (void)state;
    struct aq_exploration_proof proofs[2];
    struct aq_exploration_stretch stretches[2];
    struct aq_stored_exploration stored = sample_stored(proofs, stretches);
    char *page = explored(&stored);
    assert_has(page, "It has none: each seed ran the scenario as it is.");
    free(page);
    stored.exploration.scenario_text =
        "{ \"name\": \"a \\\"explore\\\": {x}\",\n \"servers\": {\"explore\": [1, 2]}, "
        "\"explore\" : {\"off_ratio\": [0.5, \"}\"]},\"z\": 1}";
    page = explored(&stored);
    assert_has(page, "<pre tabindex=\"0\">{&quot;off_ratio&quot;: [0.5, &quot;}&quot;]}</pre>");
    free(page);
    static const char *const broken[] = {"",    "{", "{\"explore\"", "{\"explore\":", "[", "x", "{\"a\\",
                                         "{,,", "}}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        stored.exploration.scenario_text = broken[i];
        free(explored(&stored));
    }
}

static char *exploration_of_texts(const char *text) {
    const char *const lines[] = {text, text};
    struct aq_exploration_proof proof = {text,
                                         {.check = text,
                                          .cause = text,
                                          .job = text,
                                          .origin = -1,
                                          .receiver = -1,
                                          .lines = lines,
                                          .line_count = 2}};
    const struct aq_exploration_failure failure = {text, text, text, text, 1, 1, 1, 1};
    const struct aq_exploration_mark marks[] = {{text, 0, 0, true}, {text, 0, 0, false}, {text, 1, 1, false}};
    struct aq_stored_exploration stored = {.exploration = sample_exploration, .proofs = &proof};
    struct aq_exploration *x = &stored.exploration;
    x->scenario = x->scenario_text = x->client_profile = x->server_profile = x->version = x->build =
        x->reproduce = x->reason = text;
    x->failures = &failure, x->failure_count = 1;
    x->marks = marks, x->mark_count = 3;
    return explored(&stored);
}

static void no_text_of_an_exploration_becomes_markup(void **state) {
    (void)state;
    for (size_t i = 0; i < HOSTILE; i++)
        assert_harmless(exploration_of_texts(hostile[i]), exploration_of_texts("harmless"), hostile[i]);
}

enum { MANY = 20000 };

static void a_large_exploration_is_a_small_page_that_says_what_is_missing(void **state) {
    (void)state;
    struct aq_exploration_failure *failures = calloc(MANY, sizeof *failures);
    struct aq_exploration_proof *proofs = calloc(MANY, sizeof *proofs);
    struct aq_exploration_find *finds = calloc(MANY, sizeof *finds);
    struct aq_exploration_stretch stretches[AQ_EXPLORATION_STRETCHES_MAX] = {{0}};
    char *shape = calloc(1, 1000), *command = calloc(1, 4000);
    memset(shape, '<', 999);
    memset(command, '&', 3999);
    for (uint32_t i = 0; i < MANY; i++) {
        failures[i] =
            (struct aq_exploration_failure){"0123456789abcdef", "check", "cause", shape, 1, i, i, i};
        proofs[i] = (struct aq_exploration_proof){.reproduce = i < 100 ? command : "x"};
    }
    struct aq_stored_exploration stored = {.exploration = sample_exploration,
                                           .proofs = proofs,
                                           .stretches = stretches,
                                           .stretch_count = AQ_EXPLORATION_STRETCHES_MAX};
    stored.exploration.failures = failures, stored.exploration.failure_count = MANY;
    stored.exploration.finds = finds, stored.exploration.find_count = MANY;
    char *page = explored(&stored);
    assert_true(strlen(page) < 5000000);
    assert_has(page, "19,500 more searches are in the database.");
    assert_has(page, "more sorts of failure, each of fewer seeds, are in the database.");
    assert_true(count_of(page, "class=\"copy\"") > 200);
    free(page);
    for (uint32_t i = 0; i < MANY; i++)
        failures[i].shape = proofs[i].reproduce = "x";
    page = explored(&stored);
    assert_has(page, "19,500 more sorts of failure");
    assert_int_equal(count_of(page, "class=\"copy\""), 501);
    free(page);
    free(failures);
    free(proofs);
    free(finds);
    free(shape);
    free(command);
}

/* ---- plans ---- */

static void the_recommendation_and_what_was_asked_come_first(void **state) {
    (void)state;
    char *page = planned(&sample_plan);
    assert_order(page, "<p class=\"badge\">100 clients on 2 servers</p>", "<h1>capacity</h1>",
                 "Up to 50 clients for each server.", "<code>p99(get) &lt; 250ms</code>",
                 "allqsim plan capacity --clients 100..300", "2 servers: theory and simulation part",
                 "data-chart=\"knees\"", "<h2>Heat map</h2>", "data-chart=\"measure\"",
                 "<h2>Every point</h2>");
    assert_has(page, "36 s, the first 6 s not measured");
    assert_has(page, "<dd>3 to 8</dd>");
    assert_int_equal(count_of(page, "recommended</span>"), 1);
    free(page);
}

static void knees_say_what_breaks_and_what_never_did(void **state) {
    (void)state;
    char *page = planned(&sample_plan);
    assert_order(page, "<tr><td class=\"n\" data-v=\"2\">2</td><td class=\"n\" data-v=\"0\">0</td>",
                 ">200</td>", ">100</td>", ">300</td>", ">200</td>", "server saturated: p99(get) is 500 ms");
    assert_order(page, "<tr class=\"chosen\">", ">1</td>", ">100</td>", ">50</td>", "not up to the end",
                 "recommended</span>");
    assert_has(page, "\"knees\":[[2,0,200,300,200],[2,1,100,0,100]],\"theory\":true");
    free(page);
}

static void the_heat_map_is_a_table_with_signs(void **state) {
    (void)state;
    char *page = planned(&sample_plan), *map = strstr(page, "<table class=\"heat\">");
    assert_non_null(map);
    assert_order(map, "colspan=\"1\" class=\"group\">servers, none lost:", "1 lost, servers at the start:",
                 ">300</th><td data-point=\"1\" class=\"fails\"><span class=\"sign\">&#10007;</span>",
                 "<td></td></tr>",
                 ">200</th><td data-point=\"0\" class=\"holds knee\"><span class=\"sign\">&#10003;</span>",
                 ">100</th><td></td><td data-point=\"2\" class=\"holds knee\">");
    assert_has(page, "\"points\":[[2,0,200,3,\"holds\",0.12,0.01,0.1,\"holds\",0.99,0.001,1,\"\"],"
                     "[2,0,300,3,\"fails\",0.5,0.05,null,\"fails\",0.9,null,null,\"\"],");
    free(page);
}

static void no_recommendation_and_an_interruption_are_said(void **state) {
    (void)state;
    struct aq_plan plan = sample_plan;
    plan.recommended_clients = 0;
    plan.advice = "None: 2 servers do not.";
    plan.not_modelled = "<faults>";
    char *page = planned(&plan);
    assert_has(page, "<header class=\"verdict fail\"><p class=\"badge\">no recommendation</p>");
    assert_has(page, "it does not model &lt;faults&gt;.");
    assert_int_equal(count_of(page, "recommended</span>"), 0);
    free(page);
    plan.interrupted = true;
    plan.knee_count = plan.row_count = 0;
    page = planned(&plan);
    assert_has(page, "<p class=\"badge\">interrupted</p>");
    assert_has(page, "the same command goes on");
    assert_null(strstr(page, "data-chart=\"knees\""));
    free(page);
}

static char *plan_of_texts(const char *text) {
    const struct aq_plan_measure measures[] = {{text, text, "s", 0.25}, {text, text, text, NAN}};
    const struct aq_plan_value values[] = {{1, 1, 1, text}, {1, 1, 1, ""}};
    const struct aq_plan_row row = {2, 100, 0, 3, text, values};
    const struct aq_plan_knee knee = {.servers = 2, .holds = 100, .breaks = text};
    const char *const warnings[] = {text};
    struct aq_plan plan = sample_plan;
    plan.scenario = plan.scenario_text = plan.objective = plan.client_profile = plan.server_profile =
        plan.version = plan.build = plan.reproduce = plan.advice = text;
    plan.measures = measures;
    plan.rows = &row, plan.row_count = 1;
    plan.knees = &knee, plan.knee_count = 1;
    plan.warnings = warnings;
    return planned(&plan);
}

static void no_text_of_a_plan_becomes_markup(void **state) {
    (void)state;
    for (size_t i = 0; i < HOSTILE; i++)
        assert_harmless(plan_of_texts(hostile[i]), plan_of_texts("harmless"), hostile[i]);
}

static void a_large_plan_is_a_small_page_that_says_what_is_missing(void **state) {
    (void)state;
    enum { SERVERS = 200, CLIENTS = 200, MEASURES = 24 };
    struct aq_plan_measure measures[MEASURES];
    struct aq_plan_value values[MEASURES];
    struct aq_plan_row *rows = calloc((size_t)SERVERS * CLIENTS, sizeof *rows);
    struct aq_plan_knee *knees = calloc(2000, sizeof *knees);
    struct aq_plan plan = sample_plan;
    for (int i = 0; i < MEASURES; i++) {
        measures[i] = (struct aq_plan_measure){"p99(get_to_done) < 250ms", "p99(get_to_done)", "s", 0.25};
        values[i] = (struct aq_plan_value){0.123456789, 0.0123456789, 0.123456789, "holds"};
    }
    for (uint32_t i = 0; i < SERVERS * CLIENTS; i++)
        rows[i] = (struct aq_plan_row){1 + i / CLIENTS, 1 + i % CLIENTS, 0, 8, "holds", values};
    for (uint32_t i = 0; i < 2000; i++)
        knees[i] =
            (struct aq_plan_knee){.servers = i + 1, .holds = 5, .fails = 6, .breaks = "too few workers"};
    plan.measures = measures, plan.measure_count = MEASURES, plan.term_count = 1;
    plan.rows = rows, plan.row_count = SERVERS * CLIENTS;
    plan.knees = knees, plan.knee_count = 2000;
    char *page = planned(&plan);
    assert_true(strlen(page) < 4000000);
    assert_has(page, "39,000 more points are in the database.");
    assert_has(page, "1,800 more numbers of servers are in the database.");
    assert_has(page, "80 more numbers of clients, all of them smaller, are in the database.");
    free(page);
    free(rows);
    free(knees);
}

/* ---- the index ---- */

static int load_exploration(void *arg, int64_t number, struct aq_stored_exploration *out) {
    static struct aq_exploration_proof proofs[2];
    static struct aq_exploration_stretch stretches[2];
    (void)arg;
    *out = sample_stored(proofs, stretches);
    out->number = number;
    return 0;
}

static int load_plan(void *arg, int64_t number, struct aq_stored_plan *out) {
    (void)arg;
    *out = (struct aq_stored_plan){.number = number, .plan = sample_plan};
    return 0;
}

static void the_index_lists_explorations_and_plans(void **state) {
    (void)state;
    const struct aq_exploration_head explorations[] = {{4, "finished", 2, sample_exploration},
                                                       {7, "unfinished", 0, sample_exploration}};
    const struct aq_plan_head plans[] = {{9, sample_plan}};
    const struct aq_exploration_list exploration_list = {.heads = explorations, .count = 2};
    const struct aq_plan_list plan_list = {.heads = plans, .count = 1};
    const struct aq_beside_runs beside = {&exploration_list, &plan_list, load_exploration, load_plan, NULL};
    const struct aq_runs runs = {0};
    char *page = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&page, &bytes);
    assert_int_equal(aq_print_html_all(stream, &runs, &beside), 0);
    fclose(stream);
    assert_has(page, "<header class=\"verdict fail\">");
    assert_order(page, "All runs, explorations and plans", "2 explorations</span>", "1 plan</span>",
                 "<h2>Plans, newest first</h2>", "href=\"#plan-9\"", "<h2>Explorations, newest first</h2>",
                 ">unfinished</span>", "href=\"#exploration-4\"", "<article class=\"plan\" id=\"plan-9\">",
                 "<article class=\"exploration\" id=\"exploration-4\">");
    assert_null(strstr(page, "#exploration-7"));
    assert_null(strstr(page, "<h2>Runs"));
    free(page);
}

/* ---- short of memory ---- */

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    struct aq_exploration_proof proofs[2];
    struct aq_exploration_stretch stretches[2];
    struct aq_stored_exploration exploration = sample_stored(proofs, stretches);
    struct aq_stored_plan plan = {.plan = sample_plan};
    FILE *stream = fopen("/dev/null", "w");
    aq_alloc_fail_after(0);
    assert_int_equal(aq_print_html_exploration(stream, &exploration), AQ_ENOMEM);
    for (uint64_t n = 0; n < 2; n++) {
        aq_alloc_fail_after(n);
        assert_int_equal(aq_print_html_plan(stream, &plan), AQ_ENOMEM);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(aq_print_html_plan(stream, &plan), 0);
    fclose(stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_the_command_and_the_failures_come_first),
        cmocka_unit_test(marks_that_are_missing_come_first),
        cmocka_unit_test(searches_have_their_spread),
        cmocka_unit_test(the_draw_is_the_section_of_the_scenario),
        cmocka_unit_test(no_text_of_an_exploration_becomes_markup),
        cmocka_unit_test(a_large_exploration_is_a_small_page_that_says_what_is_missing),
        cmocka_unit_test(the_recommendation_and_what_was_asked_come_first),
        cmocka_unit_test(knees_say_what_breaks_and_what_never_did),
        cmocka_unit_test(the_heat_map_is_a_table_with_signs),
        cmocka_unit_test(no_recommendation_and_an_interruption_are_said),
        cmocka_unit_test(no_text_of_a_plan_becomes_markup),
        cmocka_unit_test(a_large_plan_is_a_small_page_that_says_what_is_missing),
        cmocka_unit_test(the_index_lists_explorations_and_plans),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
