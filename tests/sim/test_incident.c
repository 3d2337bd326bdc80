/* Snapshots of stats: how they are read, and what is told from made-up ones whose truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/incident_scenario.h"

static struct aq_snapshots snapshots;
static struct aq_incident incident;
static struct aq_error error;

static int begin(void **state) {
    (void)state;
    error = (struct aq_error){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_snapshots_close(&snapshots);
    aq_incident_close(&incident);
    return 0;
}

#define TUBE(ready, reserved)                                                                                \
    "{\"ready\":\"" ready "\",\"delayed\":\"0\",\"reserved\":\"" reserved                                    \
    "\",\"buried\":\"0\",\"parents\":\"0\",\"avg\":\"0.5\",\"tps\":\"2.0\"}"
#define GLOBAL    "\"global\":{\"action_count\":\"9\",\"job_get\":\"5\",\"job_put\":\"7\"}"
#define STATS_ONE "{\"mail\":" TUBE("3", "1") "," GLOBAL "}"

static int read_line(const char *line) {
    return aq_snapshots_read_line(&snapshots, line, strlen(line), &error);
}

static void one_servers_answer_is_a_snapshot(void **state) {
    (void)state;
    assert_int_equal(read_line("{\"at\": 12.5, \"server\": \"q1:5555\", \"stats\": " STATS_ONE "}"), 0);
    assert_int_equal(snapshots.count, 1);
    const struct aq_snapshot *snapshot = &snapshots.items[0];
    assert_true(snapshot->at_s == 12.5);
    assert_string_equal(snapshots.servers.names[snapshot->server], "q1:5555");
    assert_string_equal(snapshots.tube_names.names[snapshots.tubes[0].tube], "mail");
    assert_int_equal(snapshot->gets, 5);
    assert_int_equal(snapshot->puts, 7);
    assert_int_equal(snapshot->ready, 3);
    assert_int_equal(snapshot->reserved, 1);
    assert_int_equal(snapshot->held, 4);
}

static void a_clients_answer_is_a_snapshot_of_each_server(void **state) {
    (void)state;
    assert_int_equal(read_line("{\"at\": 1, \"stats\": {\"3nf9ptu,q1:5555\": " STATS_ONE
                               ", \"qi64Wx2,q2:5555\": " STATS_ONE "}}"),
                     0);
    assert_int_equal(snapshots.count, 2);
    assert_string_equal(snapshots.servers.names[0], "q1:5555");
    assert_string_equal(snapshots.servers.names[1], "q2:5555");
    assert_int_equal(snapshots.tube_names.count, 1);
}

static void times_are_seconds_or_of_the_calendar(void **state) {
    (void)state;
    double s = 0;
    assert_true(aq_snapshot_time("1970-01-02T00:00:01.5Z", &s));
    assert_true(s == 86401.5);
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "1970-01-02",
                                      "1970-13-02T00:00:01Z",
                                      "1970-01-02T24:00:01Z",
                                      "1970-01-02T00:00:01",
                                      "1970-01-02T00:00:01+01:00",
                                      "1970-01-02T00:00:61Z",
                                      "1970-01-02T00:00:01Z "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (aq_snapshot_time(bad[i], &s)) fail_msg("%s", bad[i]);
}

static void a_wrong_line_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *line, *said;
    } rows[] = {
        {"{", "the text ends too early"},
        {"[]", "a line has to be a JSON object"},
        {"{}", "at: found nothing, allowed is a number of seconds"},
        {"{\"at\": \"noon\"}", "at: found \"noon\", allowed is a number of seconds"},
        {"{\"at\": 1}", "stats: found nothing, allowed is an object"},
        {"{\"at\": 1, \"server\": 5, \"stats\": {}}", "server: found 5, allowed is a text"},
        {"{\"at\": 1, \"stats\": " STATS_ONE "}", "server: it is missing"},
        {"{\"at\": 1, \"server\": \"q\", \"stats\": {\"3nf9ptu,q1:5555\": " STATS_ONE
         ", \"qi64Wx2,q2:5555\": " STATS_ONE "}}",
         "leave out \"server\""},
        {"{\"at\": 1, \"server\": \"q\", \"stats\": {\"mail\": {\"ready\": \"x\"}, " GLOBAL "}}", "ready"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_not_equal(read_line(rows[i].line), 0);
        if (!strstr(error.text, rows[i].said)) fail_msg("%s: %s", rows[i].line, error.text);
    }
    assert_int_equal(snapshots.count, 0);
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    const struct aq_tube_stats tube = {
        .tube = AQ_TEXT("a \"b\""), .ready = 4, .reserved = 2, .buried = 1, .avg_s = 0.25, .tps = 8};
    const struct aq_server_stats stats = {.tubes = &tube, .tube_count = 1, .job_get = 11, .job_put = 12};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(aq_snapshot_write(file, 3.25, "q1:5555", &stats), 0);
    assert_int_equal(aq_snapshot_write(file, 4.25, "q1:5555", &stats), 0);
    fputs("  \n{\"at\": x}\n", file);
    rewind(file);
    assert_int_equal(aq_snapshots_read(&snapshots, file, "f.jsonl", &error), AQ_EPARSE);
    assert_true(strncmp(error.text, "f.jsonl:4: ", 11) == 0);
    fclose(file);
    assert_int_equal(snapshots.count, 2);
    assert_true(snapshots.items[0].at_s == 3.25);
    assert_int_equal(snapshots.items[1].held, 7);
    assert_true(snapshots.tubes[1].avg_s == 0.25);
    assert_string_equal(snapshots.tube_names.names[0], "a \"b\"");
}

/* ---- a made-up fleet: two servers, 10 puts a second each; 8 workers are never all busy but at second 5 ----
 */

enum { SECONDS = 100 };

struct story {
    int away_from, away_to; /* server 1 says nothing */
    bool loses, keeps;      /* its counters; its jobs though */
};

static void add(int second, uint32_t server, uint64_t puts, uint64_t gets, uint64_t ready,
                uint64_t reserved) {
    const struct aq_tube_stats tubes[] = {
        {.tube = AQ_TEXT("mail"), .ready = ready, .reserved = reserved, .avg_s = 0.3, .tps = 9},
        {.tube = AQ_TEXT("rare"), .avg_s = 1, .tps = 1},
    };
    const struct aq_server_stats stats = {.tubes = tubes, .tube_count = 2, .job_get = gets, .job_put = puts};
    assert_int_equal(
        aq_snapshots_add(&snapshots, 1000 + second, server ? AQ_TEXT("q2:1") : AQ_TEXT("q1:1"), &stats), 0);
}

/* 25 gets a second, of which 10 bring a job. */
static void tell(struct story story) {
    for (int second = 0; second <= SECONDS; second++)
        for (uint32_t server = 0; server < 2; server++) {
            if (server == 1 && second > story.away_from && second < story.away_to) continue;
            int since = server == 1 && story.loses && second >= story.away_to ? story.away_to - 1 : -10;
            uint64_t passed = (uint64_t)(second - since);
            bool empty = story.loses && !story.keeps && server == 1 && second >= story.away_to;
            add(second, server, 10 * passed, 25 * passed, empty ? 0 : 6, second == 5 ? 4 : 3);
        }
    assert_int_equal(aq_incident_fit(&snapshots, &incident, &error), 0);
}

static void assert_figure(enum aq_incident_figure figure, double wanted) {
    double off = incident.figures[figure] - wanted;
    if (off < -0.01 * wanted - 1e-9 || off > 0.01 * wanted + 1e-9)
        fail_msg("%s: %g, not %g", aq_incident_word(figure), incident.figures[figure], wanted);
}

static void a_quiet_time_is_fitted(void **state) {
    (void)state;
    tell((struct story){.away_from = SECONDS, .away_to = SECONDS});
    assert_true(incident.duration_s == SECONDS && incident.interval_s == 1);
    assert_int_equal(incident.outage_count, 0);
    assert_int_equal(incident.backlog, 18);
    assert_int_equal(incident.workers, 8);
    assert_figure(AQ_INCIDENT_PUTS, 20);
    assert_figure(AQ_INCIDENT_GETS, 50);
    assert_figure(AQ_INCIDENT_ENDED, 20);
    assert_figure(AQ_INCIDENT_EMPTY, 30);
    assert_figure(AQ_INCIDENT_READY, 12);
    assert_figure(AQ_INCIDENT_RESERVED_MOST, 8);
    assert_figure(AQ_INCIDENT_AWAY_S, 0);
    /* mail has 18 jobs a second and 18 held, rare 2 a second: 0.3 and 1 s */
    double weight = 2.0 / (18 + 18.0 / SECONDS * 1.01 + 2);
    assert_true(incident.process_s > 0.3 && incident.process_s < 0.3 + 0.7 * weight * 1.2);
    double poll_s = (8 - 20 * incident.process_s) / 30;
    assert_true(incident.poll_s > poll_s * 0.98 && incident.poll_s < poll_s * 1.02);
}

static void a_server_that_is_frozen_goes_on_counting(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 55});
    assert_int_equal(incident.outage_count, 1);
    const struct aq_incident_outage *outage = &incident.outages[0];
    assert_string_equal(snapshots.servers.names[outage->server], "q2:1");
    assert_true(outage->from_s == 40.5 && outage->to_s == 54.5);
    assert_false(outage->restarted);
    assert_figure(AQ_INCIDENT_AWAY_S, 14);
    assert_figure(AQ_INCIDENT_PUTS, 20);
}

static void a_server_that_was_restarted_counts_anew(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 55, .loses = true});
    assert_int_equal(incident.outage_count, 1);
    assert_true(incident.outages[0].restarted && !incident.outages[0].kept_jobs);
    assert_figure(AQ_INCIDENT_PUTS, 20 - 14 * 10.0 / SECONDS);
    assert_int_equal(incident.workers, 8);
}

static void jobs_that_are_there_again_were_on_disk(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 55, .loses = true, .keeps = true});
    assert_true(incident.outages[0].restarted && incident.outages[0].kept_jobs);
}

static void a_restart_between_two_snapshots_is_seen(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 41, .loses = true});
    assert_int_equal(incident.outage_count, 1);
    assert_true(incident.outages[0].from_s == 40.25 && incident.outages[0].to_s == 40.75);
}

static void a_server_that_never_comes_back_is_away_until_the_end(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = SECONDS + 1});
    assert_int_equal(incident.outage_count, 1);
    assert_true(incident.outages[0].from_s == 40.5 && incident.outages[0].to_s == SECONDS);
}

static void too_few_snapshots_are_refused(void **state) {
    (void)state;
    assert_int_equal(aq_incident_fit(&snapshots, &incident, &error), AQ_EINVALID);
    add(1, 0, 1, 1, 1, 1);
    add(2, 0, 1, 1, 1, 1);
    assert_int_equal(aq_incident_fit(&snapshots, &incident, &error), AQ_EINVALID);
    assert_non_null(strstr(error.text, "at least three snapshots"));
}

/* ---- the scenario ---- */

static struct aq_scenario *scenario_of(const char *const *events, uint32_t event_count) {
    struct aq_incident_scenario config = {.name = "f.jsonl",
                                          .snapshots = &snapshots,
                                          .incident = &incident,
                                          .clients = 3,
                                          .events = events,
                                          .event_count = event_count};
    char *text = NULL;
    struct aq_scenario *s = NULL;
    if (aq_incident_scenario_text(&config, &text, &error) ||
        aq_scenario_parse(text, "made.json", NULL, &s, &error))
        fail_msg("%s", error.text);
    aq_free(text);
    return s;
}

static void the_scenario_says_what_was_fitted(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 55, .loses = true, .keeps = true});
    struct aq_scenario *s = scenario_of(NULL, 0);
    assert_int_equal(s->duration_us, SECONDS * AQ_US_PER_S);
    assert_int_equal(s->window_us, AQ_US_PER_S);
    assert_int_equal(s->servers.count, 2);
    assert_true(s->servers.persistent);
    assert_int_equal(s->clients.count, 3);
    assert_int_equal(s->workers.count, 8);
    assert_string_equal(s->workers.tube, "mail");
    assert_string_equal(s->producers.tube, "mail");
    assert_int_equal(s->producers.arrivals, AQ_ARRIVALS_POISSON);
    assert_true(s->producers.rate_per_s > 18.5 && s->producers.rate_per_s < 18.7);
    assert_int_equal(s->fault_count, 2);
    assert_int_equal(s->faults[0].kind, AQ_FAULT_BURST);
    assert_int_equal(s->faults[0].count, 18);
    assert_int_equal(s->faults[1].kind, AQ_FAULT_CRASH);
    assert_int_equal(s->faults[1].servers.indexes[0], 1);
    assert_int_equal(s->faults[1].at_us, 40500 * AQ_US_PER_MS);
    assert_int_equal(s->faults[1].for_us, 14 * AQ_US_PER_S);
    aq_scenario_free(s);
}

static void an_event_takes_the_place_of_the_outage_that_shows_it(void **state) {
    (void)state;
    tell((struct story){.away_from = 40, .away_to = 55});
    static const char line[] =
        "{\"at\": 1041, \"fault\": {\"kind\": \"partition\", \"servers\": 1, \"for\": \"13s\"}}";
    char *event = NULL;
    assert_int_equal(aq_incident_event(line, sizeof line - 1, 1000, &event, &error), 0);
    const char *events[] = {event};
    struct aq_scenario *s = scenario_of(events, 1);
    assert_int_equal(s->fault_count, 2);
    assert_int_equal(s->faults[1].kind, AQ_FAULT_PARTITION);
    assert_int_equal(s->faults[1].at_us, 41 * AQ_US_PER_S);
    aq_scenario_free(s);
    s = scenario_of(NULL, 0);
    assert_int_equal(s->faults[1].kind, AQ_FAULT_PAUSE);
    aq_scenario_free(s);
    aq_free(event);
}

static void a_wrong_event_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *line, *said;
    } rows[] = {{"[", "ends too early"},
                {"5", "a line has to be a JSON object"},
                {"{\"fault\": {}}", "at: a number of seconds"},
                {"{\"at\": 999, \"fault\": {}}", "before the first snapshot"},
                {"{\"at\": 1001}", "fault: an object is needed"},
                {"{\"at\": 1001, \"fault\": {\"at\": \"1s\"}}", "fault.at: the time stands outside"}};
    char *out = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_not_equal(aq_incident_event(rows[i].line, strlen(rows[i].line), 1000, &out, &error), 0);
        if (!strstr(error.text, rows[i].said)) fail_msg("%s: %s", rows[i].line, error.text);
        assert_null(out);
    }
}

/* ---- memory ---- */

static int everything(void) {
    static const char line[] = "{\"at\": 1, \"server\": \"q1:5555\", \"stats\": " STATS_ONE "}";
    struct aq_snapshots s = {0};
    struct aq_incident found = {0};
    const struct aq_tube_stats tube = {.tube = AQ_TEXT("mail"), .reserved = 2, .avg_s = 1, .tps = 1};
    const struct aq_server_stats stats = {.tubes = &tube, .tube_count = 1};
    char *text = NULL;
    int rc = aq_snapshots_read_line(&s, line, sizeof line - 1, &error);
    for (int i = 2; !rc && i < 30; i++)
        if (i < 10 || i > 20) rc = aq_snapshots_add(&s, i, AQ_TEXT("q1:5555"), &stats);
    if (!rc) rc = aq_incident_fit(&s, &found, &error);
    struct aq_incident_scenario config = {.name = "f", .snapshots = &s, .incident = &found, .clients = 1};
    if (!rc) rc = aq_incident_scenario_text(&config, &text, &error);
    aq_free(text);
    aq_incident_close(&found);
    aq_snapshots_close(&s);
    return rc;
}

static void running_out_of_memory_leaves_nothing_behind(void **state) {
    (void)state;
    int rc = AQ_ENOMEM;
    uint64_t skip = 0;
    for (; rc; skip++) {
        aq_alloc_fail_after(skip);
        rc = everything();
        aq_alloc_fail_after(UINT64_MAX);
        if (rc && rc != AQ_ENOMEM)
            fail_msg("allocation %llu: %d %s", (unsigned long long)skip, rc, error.text);
    }
    assert_true(skip > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(one_servers_answer_is_a_snapshot),
        TEST(a_clients_answer_is_a_snapshot_of_each_server),
        TEST(times_are_seconds_or_of_the_calendar),
        TEST(a_wrong_line_says_what_is_wrong),
        TEST(what_is_written_is_read_again),
        TEST(a_quiet_time_is_fitted),
        TEST(a_server_that_is_frozen_goes_on_counting),
        TEST(a_server_that_was_restarted_counts_anew),
        TEST(jobs_that_are_there_again_were_on_disk),
        TEST(a_restart_between_two_snapshots_is_seen),
        TEST(a_server_that_never_comes_back_is_away_until_the_end),
        TEST(too_few_snapshots_are_refused),
        TEST(the_scenario_says_what_was_fitted),
        TEST(an_event_takes_the_place_of_the_outage_that_shows_it),
        TEST(a_wrong_event_says_what_is_wrong),
        TEST(running_out_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
