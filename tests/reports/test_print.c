#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/mutants.h"
#include "reports/print.h"
#include "sample.h"

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" is in:\n%s", part, text);
}

/* ---- JSON ---- */

/* The value at a path such as "servers.0.held.ready". */
static const cJSON *at(const cJSON *json, const char *path) {
    char copy[128], *rest;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key; key = strtok_r(NULL, ".", &rest)) {
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(key))
                                   : cJSON_GetObjectItemCaseSensitive(json, key);
        if (!json) fail_msg("%s: no %s", path, key);
    }
    return json;
}

static void assert_number(const cJSON *json, const char *path, double expected) {
    const cJSON *value = at(json, path);
    assert_true(cJSON_IsNumber(value));
    if (value->valuedouble != expected)
        fail_msg("%s is %.17g, not %.17g", path, value->valuedouble, expected);
}

static void assert_text(const cJSON *json, const char *path, const char *expected) {
    const cJSON *value = at(json, path);
    assert_true(cJSON_IsString(value));
    assert_string_equal(value->valuestring, expected);
}

static cJSON *sample_json(char **text) {
    struct aq_record record;
    sample_fill(&record);
    *text = sample_printed(aq_print_json, &record);
    aq_record_close(&record);
    cJSON *json = cJSON_ParseWithOpts(*text, NULL, true);
    if (!json) fail_msg("not JSON: %s", *text);
    return json;
}

static void json_is_one_line(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    cJSON_Delete(json);
    free(text);
}

static void json_has_the_keys_of_the_contract_in_order(void **state) {
    (void)state;
    static const char *const keys[] = {
        "verdict",     "reason",  "seed",      "scenario",  "scenario_hash",  "trace_hash",
        "reproduce",   "events",  "virtual_s", "wall_s",    "peak_rss_bytes", "jobs",
        "completions", "servers", "clients",   "latency_s", "checks",         "figures",
        "faults",      "phases",  "marks",     "stories"};
    char *text;
    cJSON *json = sample_json(&text);
    const cJSON *item = json->child;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++, item = item->next) {
        assert_non_null(item);
        assert_string_equal(item->string, keys[i]);
    }
    assert_null(item);
    cJSON_Delete(json);
    free(text);
}

static void json_holds_what_the_record_holds(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_text(json, "verdict", "fail");
    assert_text(json, "reason", "duplicate-execution failed; caught as expected: completion-origin");
    assert_number(json, "seed", 4711);
    assert_text(json, "scenario", "server-crash");
    assert_text(json, "scenario_hash", "fedcba9876543210");
    assert_text(json, "trace_hash", "00000000000000ab");
    assert_text(json, "reproduce", "allqsim run server-crash --seed 4711");
    assert_number(json, "events", 12345678);
    assert_number(json, "virtual_s", 70.25);
    assert_number(cJSON_GetObjectItem(json, "figures"), "throughput_per_s", 3382.125);
    assert_number(json, "wall_s", 1.5);
    assert_number(json, "peak_rss_bytes", 230686720);
    assert_number(json, "jobs.produced", 210000);
    assert_number(json, "jobs.accepted", 209990);
    assert_number(json, "jobs.completed", 209000);
    assert_number(json, "jobs.held", 12);
    assert_number(json, "jobs.lost_declared", 978);
    assert_number(json, "jobs.unexplained", 0);
    assert_number(json, "jobs.executed_again", 31);
    assert_number(json, "completions.sent", 209100);
    assert_number(json, "completions.applied", 209000);
    assert_number(json, "completions.acked", 208990);
    assert_number(json, "completions.misrouted", 12);
    assert_number(json, "completions.origin_gone", 50);
    assert_number(json, "completions.unknown", 38);
    assert_number(json, "clients.count", 1000);
    assert_number(json, "clients.workers", 5000);
    assert_number(json, "clients.failover_s.max", 1);
    assert_number(json, "marks.lease_expired", 1234);
    assert_number(json, "marks.reply_dropped", 0);
    cJSON_Delete(json);
    free(text);
}

static void json_holds_servers_latencies_checks_faults_and_phases(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_int_equal(cJSON_GetArraySize(at(json, "servers")), 3);
    assert_text(json, "servers.0.id", "gDt1JvS");
    assert_text(json, "servers.0.address", "10.0.0.1:5555");
    assert_number(json, "servers.0.puts", 52345);
    assert_number(json, "servers.0.gets", 51000);
    assert_number(json, "servers.0.empty_gets", 1234567);
    assert_number(json, "servers.0.completions", 50999);
    assert_number(json, "servers.0.share", 0.25);
    assert_number(json, "servers.0.busy", 0.1 + 0.2);
    assert_number(json, "servers.0.held.parent", 5);
    assert_number(json, "servers.2.index", 2);
    assert_number(json, "latency_s.put.count", 1000);
    assert_number(json, "latency_s.put.max", 1);
    assert_true(at(json, "latency_s.put.p50")->valuedouble >= 0.5 &&
                at(json, "latency_s.put.p50")->valuedouble < 0.504);
    assert_number(json, "latency_s.get.count", 0);
    assert_true(cJSON_IsNull(at(json, "latency_s.get.p99")));
    assert_text(json, "checks.completion-origin.verdict", "fail");
    assert_true(cJSON_IsTrue(at(json, "checks.completion-origin.caught")));
    assert_number(json, "checks.completion-origin.judged", 203412);
    assert_number(json, "checks.completion-origin.violations", 12);
    assert_number(json, "checks.completion-origin.figure_violations", 3);
    assert_number(json, "checks.completion-origin.p_value", 0.1);
    assert_text(json, "checks.completion-origin.remark", "12 completions went to another server");
    assert_true(cJSON_IsFalse(at(json, "checks.conservation.caught")));
    assert_text(json, "checks.failover.verdict", "unknown");
    assert_text(json, "faults.0.kind", "crash");
    assert_text(json, "faults.1.name", "lost\nreplies \xef\xbf\xbd");
    assert_text(json, "faults.1.target", "30 % of clients");
    assert_number(json, "faults.1.at_s", 0.000001);
    assert_true(cJSON_IsNull(at(json, "faults.1.until_s")));
    assert_number(json, "faults.1.touched", 4321);
    assert_text(json, "phases.1.name", "crash server 1");
    assert_number(json, "phases.1.to_s", 30.5);
    assert_number(json, "phases.0.choices.2", 200);
    assert_number(json, "phases.0.shares.2", 0.5);
    assert_number(json, "phases.2.choices.0", 0);
    cJSON_Delete(json);
    free(text);
}

static void json_keeps_64_bit_integers_exact(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_contains(text,
                    "\"address\":\"a-very-long-host-name.example.org:65535\",\"puts\":18446744073709551615,");
    assert_contains(text, "\"queue_max\":4294967295,");
    assert_contains(text, "\"parent\":18446744073709551615}");
    cJSON_Delete(json);
    free(text);
}

static void json_numbers_that_are_none_are_null(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_true(cJSON_IsNull(at(json, "servers.1.share")));
    assert_true(cJSON_IsNull(at(json, "servers.1.busy")));
    assert_true(cJSON_IsNull(at(json, "checks.completion-origin.not_a_number")));
    assert_contains(text, "\"negative_zero\":0}");
    assert_contains(text, "\"busy\":0.30000000000000004,");
    assert_contains(text, "\"p_value\":0.1,");
    cJSON_Delete(json);
    free(text);
}

static void every_check_tells_a_story_before_any_tells_two(void **state) {
    (void)state;
    char *text;
    cJSON *json = sample_json(&text);
    assert_int_equal(cJSON_GetArraySize(at(json, "stories")), 4);
    assert_text(
        json, "stories.0.0",
        "completion-origin: completion at another server, job gDt1JvS,abc, call 41, origin server 0, received by server 1");
    assert_text(json, "stories.0.1", "[20.000001] worker 7 > done gDt1JvS,abc -> server 1: missed");
    assert_text(json, "stories.1.0", "duplicate-execution: executed twice");
    assert_int_equal(cJSON_GetArraySize(at(json, "stories.2")), 1);
    cJSON_Delete(json);
    free(text);
}

/* The text behind "seed": in the JSON of a run with this seed. */
static void assert_seed(const char *given, const char *expected) {
    struct aq_record record;
    char key[80];
    aq_record_init(&record);
    record.seed_text = given;
    record.seed = 9007199254740993;
    char *text = sample_printed(aq_print_json, &record);
    snprintf(key, sizeof key, "\"seed\":%s,", expected);
    assert_contains(text, key);
    aq_record_close(&record);
    free(text);
}

static void seed_is_a_number_only_where_json_keeps_it(void **state) {
    (void)state;
    assert_seed("0", "0");
    assert_seed("9007199254740992", "9007199254740992");
    assert_seed("9007199254740993", "\"9007199254740993\"");
    assert_seed("18446744073709551615", "\"18446744073709551615\"");
    assert_seed("007", "\"007\"");
    assert_seed("0123456789abcdef0123456789abcdef01234567", "\"0123456789abcdef0123456789abcdef01234567\"");
    assert_seed("0000000000000000000000000000000000000007", "\"0000000000000000000000000000000000000007\"");
    assert_seed("", "\"9007199254740993\"");
}

static void interrupted_is_said_only_where_it_is_so(void **state) {
    (void)state;
    struct aq_record record;
    aq_record_init(&record);
    char *text = sample_printed(aq_print_json, &record);
    assert_lacks(text, "interrupted");
    free(text);
    record.interrupted = true;
    text = sample_printed(aq_print_json, &record);
    assert_contains(text, "\"interrupted\":true,");
    free(text);
    text = sample_printed(aq_print_text, &record);
    assert_contains(text, "interrupted");
    free(text);
    aq_record_close(&record);
}

/* ---- text ---- */

static char *sample_text(void) {
    struct aq_record record;
    sample_fill(&record);
    char *text = sample_printed(aq_print_text, &record);
    aq_record_close(&record);
    return text;
}

static void text_begins_with_verdict_and_run(void **state) {
    (void)state;
    char *text = sample_text();
    const char *head =
        "FAIL server-crash (client strict, server upstream): duplicate-execution failed; caught as expected:\n"
        "     completion-origin\n"
        "     One of the servers crashes while jobs are leased; its memory is lost.\n"
        "     seed 4711, 70.2 s virtual, 12,345,678 events (8,230,452/s) in 1.5 s, 220 MiB, trace 00000000000000ab\n"
        "     3 servers, 1,000 clients, 5,000 workers; virtual world, fidelity wire\n";
    assert_memory_equal(text, head, strlen(head));
    free(text);
}

static void text_lists_the_checks(void **state) {
    (void)state;
    char *text = sample_text();
    assert_contains(
        text,
        "\nChecks\n"
        "                     check                 judged  violations  figures\n"
        "  caught (expected)  completion-origin    203,412          12  p_value 0.1, violations 3\n"
        "  ok                 conservation               5           0\n"
        "  FAIL               duplicate-execution       77           2  ttl_expiry 30, negative_zero 0\n"
        "  unknown            failover                   0           0\n"
        "  ok (not caught)    slo                        0           0\n"
        "  completion-origin: 12 completions went to another server\n"
        "  duplicate-execution: over the budget\\nof 0.1 %\n"
        "  failover: nothing to judge\n");
    free(text);
}

static void text_shows_the_load_and_its_shares_by_phase(void **state) {
    (void)state;
    char *text = sample_text();
    assert_contains(
        text,
        "  0  gDt1JvS     10.0.0.1:5555                                 52,345  51,000   1,234,567       50,999  25.0 %\n");
    assert_contains(text, "  1  +/x\\x1b[31  a-very-long-host-name...  18,446,744,073,709,551,615");
    assert_contains(text, "\nShare of the clients' choices by phase\n"
                          "  phase             from      to  choices      #0      #1      #2\n"
                          "  before             0 s    20 s      400  25.0 %  25.0 %  50.0 %\n"
                          "  crash server 1    20 s  30.5 s      400  50.0 %   0.0 %  50.0 %\n"
                          "  nothing chosen  30.5 s   never        0       -       -       -\n");
    free(text);
}

static void text_shows_totals_latencies_faults_marks_and_how_to_reproduce(void **state) {
    (void)state;
    char *text = sample_text();
    assert_contains(text,
                    "  produced  accepted  completed  held  lost, declared  unexplained  executed again\n"
                    "   210,000   209,990    209,000    12             978            0              31\n");
    assert_contains(text, "     sent  applied    acked  misrouted  origin gone  unknown\n"
                          "  209,100  209,000  208,990         12           50       38\n");
    assert_contains(text, "  get            0            -            -            -\n");
    assert_contains(text, "  failover       4       502 ms          1 s          1 s\n");
    assert_contains(text, "  crash       crash               server 1         20 s  30.5 s             1\n"
                          "  drop_reply  lost\\nreplies \\xff  30 % of clients  1 us     end         4,321\n"
                          "  latency     never               all              99 s   100 s  never struck\n");
    assert_contains(text, "\nMarks\n  lease_expired 1,234\n");
    assert_null(strstr(text, "reply_dropped"));
    assert_contains(text, "throughput_per_s 3382.12, jain_index 0.333333, tiny 4.94066e-324, infinite inf\n");
    assert_contains(text, "\nReproduce: allqsim run server-crash --seed 4711\n");
    free(text);
}

static void text_tells_the_first_stories(void **state) {
    (void)state;
    char *text = sample_text();
    assert_contains(
        text, "\nFirst violations (3 of 4 kept)\n"
              "  completion-origin: completion at another server, job gDt1JvS,abc, call 41, origin server 0, "
              "received by server 1\n"
              "    [20.000001] worker 7 > done gDt1JvS,abc -> server 1: missed\n"
              "    [20.1] bell \\x07, escape \\x1b[0m\n"
              "  duplicate-execution: executed twice\n"
              "    [1.5] worker 1 < get: same,job\n");
    free(text);
}

static void text_holds_no_control_character_but_newlines(void **state) {
    (void)state;
    char *text = sample_text();
    for (const char *c = text; *c; c++)
        assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
    free(text);
}

static void c1_controls_and_bad_utf8_are_escaped_and_good_utf8_kept(void **state) {
    (void)state;
    struct aq_record record;
    aq_record_init(&record);
    record.reproduce =
        "a\xc2\x9b"
        "31m \xed\xa0\x80 \xc0\xaf caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x90\x80\x80 \xe2\x82";
    char *text = sample_printed(aq_print_text, &record);
    assert_contains(
        text,
        "Reproduce: a\\xc2\\x9b31m \\xed\\xa0\\x80 \\xc0\\xaf caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 "
        "\\xf4\\x90\\x80\\x80 \\xe2\\x82\n");
    free(text);
    aq_record_close(&record);
}

static void a_record_of_nothing_prints_and_is_never_a_pass(void **state) {
    (void)state;
    struct aq_record record;
    aq_record_init(&record);
    char *text = sample_printed(aq_print_text, &record);
    assert_memory_equal(text, "UNKNOWN ", 8);
    free(text);
    text = sample_printed(aq_print_json, &record);
    cJSON *json = cJSON_Parse(text);
    assert_text(json, "verdict", "unknown");
    cJSON_Delete(json);
    free(text);
    aq_record_close(&record);
}

/* More servers than the tables have room for. */
static void many_servers_are_summed_up(void **state) {
    (void)state;
    struct aq_record record;
    static struct aq_record_server servers[100];
    static uint64_t choices[100];
    for (uint32_t i = 0; i < 100; i++) {
        servers[i] = (struct aq_record_server){.index = i, .id = "id", .address = "h:1", .share = 0.01};
        choices[i] = i == 7 ? 3 : i == 9 ? 1 : 2;
    }
    struct aq_record_phase phase = {"all", 0, AQ_US_PER_S, choices};
    aq_record_init(&record);
    record.servers = servers, record.server_count = 100;
    record.phases = &phase, record.phase_count = 1;
    char *text = sample_printed(aq_print_text, &record);
    assert_contains(text, "  ... and 76 more servers in the database\n");
    assert_contains(text, "  phase  from   to  choices  least   most\n"
                          "  all     0 s  1 s      200  0.5 %  1.5 %\n");
    free(text);
    aq_record_close(&record);
}

/* What the printer sends to a terminal. */
static void print_to_terminal(const struct aq_record *record, char *out, size_t size) {
    int master, terminal;
    assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    FILE *stream = fdopen(terminal, "w");
    assert_non_null(stream);
    assert_int_equal(aq_print_text(stream, record), 0);
    ssize_t length = read(master, out, size - 1);
    assert_true(length > 0);
    out[length] = 0;
    fclose(stream);
    close(master);
}

static void colours_are_for_terminals_without_no_color(void **state) {
    (void)state;
    int master, terminal;
    if (openpty(&master, &terminal, NULL, NULL, NULL)) skip(); /* no /dev/pts here: no terminal to print to */
    close(master);
    close(terminal);
    struct aq_record record;
    char shown[4096];
    aq_record_init(&record);
    record.verdict = AQ_VERDICT_FAIL;
    unsetenv("NO_COLOR");
    print_to_terminal(&record, shown, sizeof shown);
    assert_memory_equal(shown, "\033[31mFAIL\033[0m ", 14);
    setenv("NO_COLOR", "1", 1);
    print_to_terminal(&record, shown, sizeof shown);
    assert_memory_equal(shown, "FAIL ", 5);
    unsetenv("NO_COLOR");
    aq_record_close(&record);
}

/* Of the parts whose texts are the program's own. */
static void lines_of_ordinary_length_fit_100_columns(void **state) {
    (void)state;
    char *text = sample_text();
    const char *line = strstr(text, "\nChecks\n"), *end = strstr(text, "\nLoad per server\n");
    for (line++; line < end; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    free(text);
}

static void a_stream_that_fails_is_reported(void **state) {
    (void)state;
    struct aq_record record;
    FILE *full = fopen("/dev/full", "w");
    sample_fill(&record);
    assert_non_null(full);
    assert_int_equal(aq_print_text(full, &record), AQ_EIO);
    fclose(full);
    full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(aq_print_json(full, &record), AQ_EIO);
    fclose(full);
    aq_record_close(&record);
}

/* ---- plans ---- */

static char *printed_plan(int (*print)(FILE *stream, const struct aq_plan *plan)) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(print(stream, &sample_plan), 0);
    fclose(stream);
    return text;
}

static void the_summary_of_a_plan_tells_the_knees_and_what_follows(void **state) {
    (void)state;
    char *text = printed_plan(aq_print_plan_text);
    assert_string_equal(
        text,
        "capacity: p99(get) < 250ms\n"
        "  2..2 servers, 100..300 clients by 100; a client has 1 workers and puts 0.5 jobs/s\n"
        "  3 points, 11 runs (4 of them done before) of 36 s, the first 6 s not measured; 3 to 8 seeds; 2 s\n"
        "\n"
        "Most clients that meet the objective\n"
        "  servers  lost  clients  fails at  theory  what breaks first\n"
        "        2     0      200       300     200  server saturated: p99(get) is 500 ms\n"
        "        2     1      100         -     100\n"
        "\n"
        "With 2 servers, 1 of them lost, and 100 clients; 5 seeds\n"
        "  measure   simulation     +-  theory  difference\n"
        "  p99(get)      120 ms  10 ms  100 ms     +20.0 %\n"
        "  fairness        0.99  0.001       1      -1.0 %\n"
        "\n"
        "warning: 2 servers: theory and simulation part\n"
        "\n"
        "Recommendation\n"
        "  Up to 50 clients for each server.\n"
        "\n"
        "Reproduce: allqsim plan capacity --clients 100..300 --servers 2\n");
    free(text);
}

static void a_plan_as_json_has_the_same(void **state) {
    (void)state;
    char *text = printed_plan(aq_print_plan_json);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    assert_text(json, "objective", "p99(get) < 250ms");
    assert_number(json, "recommended_clients", 100);
    const cJSON *knee = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "knees"), 0);
    assert_number(knee, "clients", 200);
    assert_number(knee, "fails_at", 300);
    const cJSON *point = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "points"), 1);
    assert_text(point, "held", "fails");
    const cJSON *term = cJSON_GetObjectItem(cJSON_GetObjectItem(point, "measures"), "p99(get) < 250ms");
    assert_number(term, "mean", 0.5);
    assert_text(term, "held", "fails");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(term, "theory"))); /* no steady state */
    cJSON_Delete(json);
    free(text);
}

/* ---- explorations ---- */

static void the_summary_of_an_exploration_tells_what_was_found_and_what_was_not_reached(void **state) {
    (void)state;
    char *text = sample_exploration_printed(aq_print_exploration_text, &sample_exploration);
    assert_string_equal(text, "FAIL swarm (strict): 2 sorts of failure in 2 of 4 seeds\n"
                              "\n"
                              "Seeds   4, 1 pass, 1 fail, 1 crash, 1 no-run; run twice: 1\n"
                              "Volume  1.0 virtual hours, 160 events (40 a seed)\n"
                              "Time    2.0 s, 2.0 seeds/s, 0.8 ms a seed\n"
                              "\n"
                              "Failures\n"
                              "  check         cause    seeds  quickest  run  fingerprint\n"
                              "  no-false-ack  told ok      1        11    1  00000000000000aa\n"
                              "  crash         Aborted      1        12    -  00000000000000cc\n"
                              "\n"
                              "Required marks not reached\n"
                              "  job_lost\n"
                              "\n"
                              "Marks never reached\n"
                              "  job_taken\n"
                              "\n"
                              "Searches  2, found in 1\n"
                              "                      min       median         mean          max\n"
                              "  seeds                 2            2            2            2\n"
                              "  virtual_s           1.5          1.5          1.5          1.5\n"
                              "  wall_s            0.003        0.003        0.003        0.003\n"
                              "\n"
                              "Reproduce: allqsim explore swarm --seeds 10..13\n");
    free(text);
}

static void an_exploration_as_json_has_the_same(void **state) {
    (void)state;
    char *text = sample_exploration_printed(aq_print_exploration_json, &sample_exploration);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    assert_text(json, "verdict", "fail");
    assert_number(json, "seeds.all", 4);
    assert_number(json, "seeds.crash", 1);
    assert_number(json, "seeds.run_twice", 1);
    assert_number(json, "virtual_s", 3600);
    assert_number(json, "marks.lease_expired.hits", 40);
    assert_number(json, "search.found", 1);
    assert_number(json, "search.seeds.median", 2);
    const cJSON *failure = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "failures"), 1);
    assert_text(failure, "check", "crash");
    assert_number(failure, "quickest_seed", 12);
    assert_null(cJSON_GetObjectItem(failure, "run"));
    cJSON_Delete(json);
    free(text);
}

/* ---- mutants ---- */

static const struct aq_mutant_finding findings[] = {{.name = "put-repeated",
                                                     .core = "client",
                                                     .family = "retry",
                                                     .breaks = "a put is sent twice",
                                                     .check = "duplicate-put",
                                                     .cause = "one put made several jobs",
                                                     .searches = 3,
                                                     .found = 3,
                                                     .seeds = 4,
                                                     .found_seed = 2,
                                                     .median_seeds = 1,
                                                     .rate = 0.75,
                                                     .rate_low = 0.2486,
                                                     .clean_seeds = 11},
                                                    {.name = "lease-short",
                                                     .core = "server",
                                                     .family = "lease",
                                                     .breaks = "a lease is too short",
                                                     .check = "",
                                                     .cause = "",
                                                     .searches = 1,
                                                     .seeds = 60}};

static char *printed_mutants(int (*print)(FILE *, const struct aq_mutant_report *)) {
    const struct aq_mutant_report report = {
        .scenario = "swarm", .seeds_max = 60, .findings = findings, .count = 2, .wall_us = 1500000};
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(print(stream, &report), 0);
    fclose(stream);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(print(full, &report), AQ_EIO);
    fclose(full);
    return text;
}

static void the_table_of_mutants_tells_what_caught_each_and_what_was_not_found(void **state) {
    (void)state;
    char *text = printed_mutants(aq_print_mutants_text);
    static const char head[] =
        "UNKNOWN swarm: 1 of 2 mutants found\n"
        "\n"
        "  mutant        core    family  check          found  median  seeds    rate  at least  clean seeds\n"
        "  put-repeated  client  retry   duplicate-put    3/3       1      4  75.0 %    24.9 %           11\n"
        "  lease-short   server  lease   not found        0/1       -     60   0.0 %     0.0 %            -\n"
        "\n"
        "Not found\n"
        "  lease-short: a lease is too short\n";
    assert_int_equal(strncmp(text, head, strlen(head)), 0);
    assert_non_null(
        strstr(text, "\nAll that were found would be excluded by 11 clean seeds; put-repeated takes the "
                     "most.\nTime: 1.5 s; at most 60 seeds a search\n"));
    free(text);
}

static void mutants_as_json_have_the_same(void **state) {
    (void)state;
    char *text = printed_mutants(aq_print_mutants_json);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    assert_number(json, "mutants", 2);
    assert_number(json, "detected", 1);
    assert_number(json, "seeds_max", 60);
    assert_number(json, "wall_s", 1.5);
    const cJSON *rows = cJSON_GetObjectItem(json, "findings"), *row = cJSON_GetArrayItem(rows, 0);
    assert_text(row, "name", "put-repeated");
    assert_text(row, "check", "duplicate-put");
    assert_number(row, "clean_seeds", 11);
    assert_number(row, "rate_low", 0.2486);
    row = cJSON_GetArrayItem(rows, 1);
    assert_text(row, "core", "server");
    assert_null(cJSON_GetObjectItem(row, "check"));
    cJSON_Delete(json);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_summary_of_an_exploration_tells_what_was_found_and_what_was_not_reached),
        cmocka_unit_test(an_exploration_as_json_has_the_same),
        cmocka_unit_test(the_table_of_mutants_tells_what_caught_each_and_what_was_not_found),
        cmocka_unit_test(mutants_as_json_have_the_same),
        cmocka_unit_test(the_summary_of_a_plan_tells_the_knees_and_what_follows),
        cmocka_unit_test(a_plan_as_json_has_the_same),
        cmocka_unit_test(json_is_one_line),
        cmocka_unit_test(json_has_the_keys_of_the_contract_in_order),
        cmocka_unit_test(json_holds_what_the_record_holds),
        cmocka_unit_test(json_holds_servers_latencies_checks_faults_and_phases),
        cmocka_unit_test(json_keeps_64_bit_integers_exact),
        cmocka_unit_test(json_numbers_that_are_none_are_null),
        cmocka_unit_test(every_check_tells_a_story_before_any_tells_two),
        cmocka_unit_test(seed_is_a_number_only_where_json_keeps_it),
        cmocka_unit_test(interrupted_is_said_only_where_it_is_so),
        cmocka_unit_test(text_begins_with_verdict_and_run),
        cmocka_unit_test(text_lists_the_checks),
        cmocka_unit_test(text_shows_the_load_and_its_shares_by_phase),
        cmocka_unit_test(text_shows_totals_latencies_faults_marks_and_how_to_reproduce),
        cmocka_unit_test(text_tells_the_first_stories),
        cmocka_unit_test(text_holds_no_control_character_but_newlines),
        cmocka_unit_test(c1_controls_and_bad_utf8_are_escaped_and_good_utf8_kept),
        cmocka_unit_test(a_record_of_nothing_prints_and_is_never_a_pass),
        cmocka_unit_test(many_servers_are_summed_up),
        cmocka_unit_test(colours_are_for_terminals_without_no_color),
        cmocka_unit_test(lines_of_ordinary_length_fit_100_columns),
        cmocka_unit_test(a_stream_that_fails_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
