/* HTML pages: texts stay texts, big runs stay small pages, numbers and stories come out right. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/html_write.h"
#include "reports/print_html.h"
#include "sample.h"

static char *printed(const struct aq_record *record) {
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    assert_int_equal(aq_print_html(stream, 3, record), 0);
    fclose(stream);
    return text;
}

static char *story_of(const char *const *lines, uint32_t count) {
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    struct aq_record_violation violation = {.check = "completion-origin",
                                            .cause = "x",
                                            .job = "a,b",
                                            .origin = 0,
                                            .receiver = 3,
                                            .lines = lines,
                                            .line_count = count};
    assert_non_null(stream);
    aq_html_story(stream, &violation);
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

/* ---- texts ---- */

/* A record whose texts all are `text`, and its page. */
static char *page_of_texts(const char *text) {
    struct aq_record record;
    const char *const lines[] = {text, text};
    const struct aq_record_option option = {text, text};
    const struct aq_record_server server = {.id = text, .address = text, .choices = 5};
    const uint64_t choices[] = {5};
    const struct aq_record_phase phase = {text, 0, 5, choices};
    const struct aq_record_window window = {.puts = 1};
    const struct aq_record_fault fault = {text, text, text, 1, 2, 3, true};
    const struct aq_record_figure figure = {text, 1};
    const struct aq_record_check check = {.name = text,
                                          .holds_when = text,
                                          .verdict = AQ_VERDICT_FAIL,
                                          .violations = 1,
                                          .remark = text,
                                          .figures = &figure,
                                          .figure_count = 1};
    const struct aq_record_violation violation = {text, text, 1, text, 1, 0, 0, lines, 2};
    const struct aq_record_mark mark = {text, 1};
    const struct aq_record_latency_window latency_window = {.operation = text, .spans = 1};
    struct aq_record_latency latency = {.operation = text};
    aq_record_init(&record);
    assert_int_equal(aq_histogram_init(&latency.histogram), 0);
    aq_histogram_record(&latency.histogram, 7);
    record.scenario = record.summary = record.scenario_text = record.seed_text = record.version =
        record.build = record.world = record.fidelity = record.client_profile = record.server_profile =
            record.reproduce = record.reason = text;
    record.options = &option, record.option_count = 1;
    record.servers = &server, record.server_count = 1;
    record.phases = &phase, record.phase_count = 1;
    record.windows = &window, record.window_count = 1;
    record.faults = &fault, record.fault_count = 1;
    record.checks = &check, record.check_count = 1;
    record.violations = &violation, record.violation_count = 1;
    record.marks = &mark, record.mark_count = 1;
    record.figures = &figure, record.figure_count = 1;
    record.latencies = &latency, record.latency_count = 1;
    record.latency_windows = &latency_window, record.latency_window_count = 1;
    char *page = printed(&record);
    record.latencies = NULL;
    record.latency_count = 0;
    aq_histogram_close(&latency.histogram);
    aq_record_close(&record);
    return page;
}

/* Counts the bytes that mean something in HTML, up to the scripts of the page. */
static void count_signs(const char *page, uint32_t counts[4]) {
    const char *end = strstr(page, "<script>");
    assert_non_null(end);
    memset(counts, 0, 4 * sizeof *counts);
    for (; page < end; page++) {
        const char *sign = strchr("<>\"'", *page);
        if (*page && sign) counts[sign - "<>\"'"]++;
    }
}

static void no_text_becomes_markup(void **state) {
    (void)state;
    static const char *const texts[] = {"</script><script>alert(1)</script>",
                                        "<!--",
                                        "]]>",
                                        "&lt;&#60;",
                                        "x' onclick='y",
                                        "\\u003cb>",
                                        "</style>",
                                        "\xf0\x9f\x98\x80\xff\xc3"};
    uint32_t plain[4], got[4];
    char *page = page_of_texts("harmless");
    count_signs(page, plain);
    free(page);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        page = page_of_texts(texts[i]);
        count_signs(page, got);
        assert_int_equal(got[0], plain[0]);
        assert_null(strstr(page, "<script>alert"));
        assert_null(strstr(page, "<!--"));
        assert_int_equal(count_of(page, "<script>"), 3);
        free(page);
    }
    page = page_of_texts("a\"b'c>d");
    count_signs(page, got);
    assert_int_equal(got[3], plain[3] + count_of(page, "a\\\"b'c>d")); /* in the JSON alone */
    free(page);
}

static void text_is_escaped_character_by_character(void **state) {
    (void)state;
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    aq_html_text(stream, "a<b>&\"'\n\t\x01\x7f\xc2\x85\xff\xef\xbf\xbf\xc3\xa9");
    aq_html_text(stream, NULL);
    fclose(stream);
    assert_string_equal(
        text,
        "a&lt;b&gt;&amp;&quot;&#39;\n\t\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
    free(text);
}

/* ---- content ---- */

static void the_verdict_and_the_command_come_first(void **state) {
    (void)state;
    struct aq_record record;
    sample_fill(&record);
    char *page = printed(&record);
    const char *badge = strstr(page, "<p class=\"badge\">fail</p>"),
               *command = strstr(page, "allqsim run server-crash --seed 4711"),
               *checks = strstr(page, "<h2>Checks</h2>"), *violations = strstr(page, "<h2>Violations</h2>"),
               *charts = strstr(page, "data-chart=");
    assert_true(badge && badge < command && command < checks && checks < violations && violations < charts);
    assert_has(page, "<span class=\"tag caught\">caught</span>");
    assert_has(page, "never struck");
    free(page);
    aq_record_close(&record);
}

/* 100 of 400: Wilson's interval is 0.2100 to 0.2946. */
static void shares_have_their_intervals(void **state) {
    (void)state;
    struct aq_record record;
    sample_fill(&record);
    char *page = printed(&record);
    assert_has(page, "25.0&nbsp;%<small>21.0&ndash;29.5</small>");
    assert_has(page, "0.0&nbsp;%<small>0.0&ndash;1.0</small>"); /* 0 of 400 */
    free(page);
    aq_record_close(&record);
}

static void an_empty_record_has_a_page(void **state) {
    (void)state;
    struct aq_record record;
    aq_record_init(&record);
    char *page = printed(&record);
    assert_has(page, "<p class=\"badge\">unknown</p>");
    assert_null(strstr(page, "data-chart=\"throughput\""));
    free(page);
    aq_record_close(&record);
}

/* ---- size ---- */

enum { SERVERS = 1000, WINDOWS = 1002, PHASES = 100 };

static void fill_large(struct aq_record *record) {
    struct aq_record_server *servers = aq_arena_alloc(&record->memory, SERVERS * sizeof *servers);
    struct aq_record_window *windows =
        aq_arena_alloc(&record->memory, (size_t)SERVERS * WINDOWS * sizeof *windows);
    struct aq_record_phase *phases = aq_arena_alloc(&record->memory, PHASES * sizeof *phases);
    uint64_t *choices = aq_arena_alloc(&record->memory, SERVERS * sizeof *choices);
    assert_true(servers && windows && phases && choices);
    for (uint32_t s = 0; s < SERVERS; s++) {
        servers[s] = (struct aq_record_server){
            .index = s, .id = "id", .address = "127.0.0.1:1", .choices = (s * 7919u) % SERVERS};
        choices[s] = 100000 + s;
    }
    for (uint32_t i = 0; i < SERVERS * WINDOWS; i++)
        windows[i] = (struct aq_record_window){.window = i / SERVERS,
                                               .server = i % SERVERS,
                                               .puts = 1,
                                               .completions = 123456789,
                                               .choices = i % SERVERS,
                                               .ready = 2};
    for (uint32_t i = 0; i < PHASES; i++)
        phases[i] = (struct aq_record_phase){"a phase", i, i + 1, choices};
    record->servers = servers, record->server_count = SERVERS;
    record->windows = windows, record->window_count = SERVERS * WINDOWS;
    record->phases = phases, record->phase_count = PHASES;
    record->window_us = AQ_US_PER_S;
    record->virtual_us = WINDOWS * AQ_US_PER_S;
}

/* The sum of the numbers of one array of the page's data. */
static uint64_t sum_of(const char *page, const char *key, uint32_t *count) {
    const char *at = strstr(page, key);
    uint64_t sum = 0;
    assert_non_null(at);
    at += strlen(key);
    for (*count = 0; *at != ']'; (*count)++) {
        char *end;
        sum += strtoull(at, &end, 10);
        at = *end == ',' ? end + 1 : end;
    }
    return sum;
}

static void a_large_run_is_a_small_page_that_loses_no_count(void **state) {
    (void)state;
    struct aq_record record;
    uint32_t points;
    aq_record_init(&record);
    fill_large(&record);
    char *page = printed(&record);
    assert_true(strlen(page) < 1000000);
    assert_int_equal(sum_of(page, "\"puts\":[", &points), SERVERS * WINDOWS);
    assert_true(points <= AQ_HTML_BINS_MAX && points > AQ_HTML_BINS_MAX / 2);
    assert_int_equal(sum_of(page, "\"completions\":[", &points), UINT64_C(123456789) * SERVERS * WINDOWS);
    assert_int_equal(sum_of(page, "\"ready\":[", &points),
                     (uint64_t)2 * SERVERS * points); /* at the ends alone */
    assert_has(page, "{\"name\":\"988 others\",");
    assert_has(page, "800 more servers are in the database.");
    assert_has(page, "76 more phases are in the database.");
    uint64_t choices = 0;
    const char *at = strstr(page, "\"servers\":[");
    for (uint32_t s = 0; s < AQ_HTML_SERVERS_MAX + 1; s++) {
        choices += sum_of(at, "\"choices\":[", &points);
        at = strstr(at, "\"choices\":[") + 1;
    }
    assert_int_equal(choices, (uint64_t)WINDOWS * SERVERS * (SERVERS - 1) / 2);
    free(page);
    aq_record_close(&record);
}

static void charts_show_the_servers_with_the_most_choices(void **state) {
    (void)state;
    struct aq_record record;
    uint32_t chosen[AQ_HTML_SERVERS_MAX];
    aq_record_init(&record);
    fill_large(&record);
    assert_int_equal(aq_html_choose_servers(&record, chosen), AQ_HTML_SERVERS_MAX);
    for (uint32_t i = 0; i < AQ_HTML_SERVERS_MAX; i++) {
        assert_true(record.servers[chosen[i]].choices >= SERVERS - AQ_HTML_SERVERS_MAX);
        assert_true(i == 0 || chosen[i] > chosen[i - 1]);
    }
    aq_record_close(&record);
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    struct aq_record record;
    FILE *stream = fopen("/dev/null", "w");
    sample_fill(&record);
    for (uint64_t n = 0; n < 2; n++) {
        aq_alloc_fail_after(n);
        assert_int_equal(aq_print_html(stream, 1, &record), AQ_ENOMEM);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(aq_print_html(stream, 1, &record), 0);
    fclose(stream);
    aq_record_close(&record);
}

/* ---- stories ---- */

static void a_story_is_drawn_with_its_actors_and_messages(void **state) {
    (void)state;
    static const char *const lines[] = {"[0.144666] producer 58 of client 58 > put a,b",
                                        "[0.147091] client 58 > put a,b -> server 0: put",
                                        "[0.148190] producer 58 of client 58 < put a,b: ok",
                                        "[0.2] server 0: down, memory lost",
                                        "[0.216986] client 27 sends done a,b to server 3",
                                        "[0.217480] client 27 > done a,b -> server 3: missed"};
    char *text = story_of(lines, 6);
    assert_int_equal(count_of(text, "class=\"life\""), 5); /* producer, two clients, two servers */
    assert_int_equal(count_of(text, "<line class=\"request\""), 2);
    assert_int_equal(count_of(text, "<line class=\"answer\""), 1);
    assert_int_equal(count_of(text, "<line class=\"last\""),
                     1); /* the done: sent and arrived are one arrow */
    assert_has(text, ">origin of the job<");
    assert_has(text, ">received it<");
    assert_has(text, ">down, memory lost<");
    assert_has(text, ">put a,b: put<");
    assert_int_equal(count_of(text, "<li>"), 6);
    free(text);
}

static void a_balancer_stands_between_sending_and_arrival(void **state) {
    (void)state;
    static const char *const lines[] = {
        "[1.0] client 27 sends done a,b to an address without a server of ours",
        "[1.1] client 27 > done a,b -> server 3: missed"};
    char *text = story_of(lines, 2);
    assert_has(text, ">another address<");
    assert_int_equal(count_of(text, "class=\"life\""), 3);
    assert_int_equal(count_of(text, "<line class=\"request\"") + count_of(text, "<line class=\"last\""), 2);
    free(text);
}

static void what_never_arrived_is_drawn_as_lost(void **state) {
    (void)state;
    static const char *const lines[] = {"[1.0] client 27 sends done a,b to server 1",
                                        "[1.1] client 27 > get a,b -> server 1: lease"};
    char *text = story_of(lines, 2);
    assert_int_equal(count_of(text, "<line class=\"lost\""), 1);
    free(text);
}

static void lines_of_no_known_form_are_kept_as_they_are(void **state) {
    (void)state;
    static const char *const lines[] = {"the faults are healed", "[", "[1] client x > y",
                                        "[3.5] worker 7 of client 3 >", ""};
    char *text = story_of(lines, 5);
    assert_has(text, ">the faults are healed<");
    assert_has(text, ">client x &gt; y<");
    assert_int_equal(count_of(text, "<li>"), 5);
    free(text);
    free(story_of(NULL, 0));
}

static void a_long_story_is_cut_in_the_diagram_alone(void **state) {
    (void)state;
    const char *lines[200];
    char texts[200][80];
    for (int i = 0; i < 200; i++) {
        snprintf(texts[i], sizeof texts[i], "[%d] worker %d of client %d > put a", i, i, i);
        lines[i] = texts[i];
    }
    char *text = story_of(lines, 200);
    assert_int_equal(count_of(text, "<li>"), 200);
    assert_has(text, "the text has all 200");
    assert_true(count_of(text, "class=\"life\"") <= 12);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_becomes_markup),
        cmocka_unit_test(text_is_escaped_character_by_character),
        cmocka_unit_test(the_verdict_and_the_command_come_first),
        cmocka_unit_test(shares_have_their_intervals),
        cmocka_unit_test(an_empty_record_has_a_page),
        cmocka_unit_test(a_large_run_is_a_small_page_that_loses_no_count),
        cmocka_unit_test(charts_show_the_servers_with_the_most_choices),
        cmocka_unit_test(running_out_of_memory_is_told),
        cmocka_unit_test(a_story_is_drawn_with_its_actors_and_messages),
        cmocka_unit_test(a_balancer_stands_between_sending_and_arrival),
        cmocka_unit_test(what_never_arrived_is_drawn_as_lost),
        cmocka_unit_test(lines_of_no_known_form_are_kept_as_they_are),
        cmocka_unit_test(a_long_story_is_cut_in_the_diagram_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
