/* What upstream's clients do while a server is away, and what strict ones do, in the virtual world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/run_rig.h"

#define LINES_MAX 20000

struct line {
    double at_s;
    char text[160];
};

static struct line lines[LINES_MAX];
static uint32_t line_count;
static struct aq_record record;

static int hear(void *arg, aq_time_us at_us, const char *text) {
    (void)arg;
    assert_true(line_count < LINES_MAX);
    struct line *line = &lines[line_count++];
    line->at_s = (double)at_us / 1e6;
    const char *rest = strchr(text, ' ');
    snprintf(line->text, sizeof line->text, "%s", rest ? rest + 1 : text);
    return 0;
}

static void run(const char *json, const char *profile, const char *setting) {
    line_count = 0;
    run_text(json,
             &(struct run_variation){.seed = 1,
                                     .profile = profile,
                                     .settings = &setting,
                                     .setting_count = setting ? 1 : 0,
                                     .line = hear},
             &record);
}

/* When the first line that begins with this is told at or after a time; 1e9: never. */
static double when(const char *text, double from_s) {
    for (uint32_t i = 0; i < line_count; i++)
        if (lines[i].at_s >= from_s && strncmp(lines[i].text, text, strlen(text)) == 0) return lines[i].at_s;
    return 1e9;
}

static void expect_between(double at_s, double from_s, double until_s) {
    if (at_s < from_s || at_s > until_s)
        fail_msg("it happened at %f s, expected from %f s to %f s", at_s, from_s, until_s);
}

static const char idle_crash[] =
    "{\"name\":\"idle\",\"duration\":\"220s\",\"servers\":{\"count\":2},\"clients\":{\"count\":1},"
    "\"workers\":{\"count\":1,\"start\":\"200s\",\"ramp\":\"0\",\"poll\":\"1s\",\"process\":\"50ms\"},"
    "\"producers\":{\"arrivals\":{\"constant\":\"0.04/s\"},\"jobs\":8,\"start\":\"5s\",\"ttl\":\"60s\"},"
    "\"network\":{\"latency\":\"1ms\"},"
    "\"faults\":[{\"kind\":\"crash\",\"at\":\"10s\",\"for\":\"400s\",\"servers\":[0]}]}";

static void
a_put_at_a_dead_server_moves_after_twenty_seconds_in_upstream_and_at_once_in_strict(void **state) {
    (void)state;
    run(idle_crash, "upstream", NULL);
    double chosen_s = when("client 0 chooses server 0 for put", 10);
    assert_true(chosen_s < 110);
    double moved_s = when("client 0 chooses server 1 for put", chosen_s);
    expect_between(moved_s - chosen_s, 20.2, 20.8);
    expect_between(when("producer at client 0 < put ok", moved_s) - moved_s, 0, 0.05);
    /* later ones avoid it, until the sweep makes it well for ten seconds */
    expect_between(when("client 0 chooses server 0 for put", moved_s), 130, 1e9);
    aq_record_close(&record);
    run(idle_crash, "strict", NULL);
    chosen_s = when("client 0 chooses server 0 for put", 10);
    moved_s = when("client 0 chooses server 1 for put", chosen_s);
    expect_between(moved_s - chosen_s, 0, 1.1);
    expect_between(when("producer at client 0 < put ok", moved_s) - moved_s, 0, 0.05);
    aq_record_close(&record);
}

static const char lease_out[] =
    "{\"name\":\"lease-out\",\"duration\":\"150s\","
    "\"servers\":{\"count\":1,\"persistent\":true},\"clients\":{\"count\":1},"
    "\"workers\":{\"count\":1,\"start\":\"1s\",\"ramp\":\"0\",\"poll\":\"200s\",\"process\":\"20s\"},"
    "\"producers\":{\"arrivals\":{\"constant\":\"10/s\"},\"jobs\":1,\"start\":\"0\",\"ttl\":\"600s\"},"
    "\"network\":{\"latency\":\"1ms\"},"
    "\"faults\":[{\"kind\":\"crash\",\"at\":\"10s\",\"for\":\"400s\",\"servers\":[0]}]}";

static void
a_done_to_a_dead_server_is_empty_after_a_minute_in_upstream_and_a_clear_error_in_strict(void **state) {
    (void)state;
    run(lease_out, "upstream", NULL);
    double done_s = when("worker 0 at client 0 > done", 0);
    expect_between(done_s, 21, 21.2);
    expect_between(when("worker 0 at client 0 < done empty", done_s) - done_s, 60, 63);
    aq_record_close(&record);
    run(lease_out, "strict", NULL);
    expect_between(when("worker 0 at client 0 < done unavailable", done_s) - done_s, 29.9, 30.1);
    aq_record_close(&record);
    /* the server is back before the caller has waited its time */
    run(lease_out, "strict", "faults=[{\"kind\":\"crash\",\"at\":\"10s\",\"for\":\"30s\",\"servers\":[0]}]");
    expect_between(when("worker 0 at client 0 < done ok", done_s), 40, 51);
    aq_record_close(&record);
}

static const char busy_crash[] =
    "{\"name\":\"busy\",\"duration\":\"60s\",\"settle\":\"60s\","
    "\"servers\":{\"count\":1,\"service\":{\"default\":\"2ms\"}},\"clients\":{\"count\":1},"
    "\"workers\":{\"count\":1,\"start\":\"1s\",\"ramp\":\"0\",\"poll\":\"1s\",\"process\":\"50ms\"},"
    "\"producers\":{\"arrivals\":{\"constant\":\"10/s\"},\"jobs\":50,\"start\":\"0\",\"ttl\":\"60s\"},"
    "\"network\":{\"latency\":\"1ms\"},"
    "\"faults\":[{\"kind\":\"crash\",\"at\":\"108ms\",\"for\":\"1500ms\",\"servers\":[0]}]}";

static void requests_stay_stuck_after_a_crash_under_way_in_upstream_and_never_in_strict(void **state) {
    (void)state;
    run(busy_crash, "upstream", NULL);
    expect_between(when("server 0 up", 1), 1.6, 1.8);
    assert_true(when("producer at client 0 < put", 0) == 1e9);
    assert_true(when("worker 0 at client 0 < get", 0) == 1e9);
    assert_int_equal(check_of(&record, "progress")->verdict, AQ_VERDICT_FAIL);
    aq_record_close(&record);
    run(busy_crash, "strict", NULL);
    expect_between(when("producer at client 0 < put ok", 0), 0.1, 3);
    assert_int_equal(check_of(&record, "progress")->verdict, AQ_VERDICT_PASS);
    assert_int_equal(record.verdict, AQ_VERDICT_PASS);
    aq_record_close(&record);
}

static const char one_host[] =
    "{\"name\":\"one-host\",\"duration\":\"20s\",\"servers\":{\"count\":2,\"same_host\":true},"
    "\"clients\":{\"count\":2},"
    "\"workers\":{\"count\":10,\"poll\":\"1s\",\"process\":\"20ms\"},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"20/s\"},\"ttl\":\"60s\"}}";

static void of_two_servers_on_one_host_upstream_uses_one_and_strict_both(void **state) {
    (void)state;
    static const char *const checks[] = {"membership", "distribution"};
    for (int upstream = 0; upstream < 2; upstream++) {
        run(one_host, upstream ? "upstream" : "strict", NULL);
        for (int i = 0; i < 2; i++)
            assert_int_equal(check_of(&record, checks[i])->verdict,
                             upstream ? AQ_VERDICT_FAIL : AQ_VERDICT_PASS);
        assert_true((when("client 0 chooses server 0", 0) == 1e9) == upstream);
        assert_true(when("client 0 chooses server 1", 0) < 20);
        aq_record_close(&record);
        if (!upstream) continue;
        run(one_host, "upstream", "clients.policy.id_from_host_only=false");
        assert_int_equal(record.verdict, AQ_VERDICT_PASS);
        aq_record_close(&record);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_at_a_dead_server_moves_after_twenty_seconds_in_upstream_and_at_once_in_strict),
        cmocka_unit_test(
            a_done_to_a_dead_server_is_empty_after_a_minute_in_upstream_and_a_clear_error_in_strict),
        cmocka_unit_test(requests_stay_stuck_after_a_crash_under_way_in_upstream_and_never_in_strict),
        cmocka_unit_test(of_two_servers_on_one_host_upstream_uses_one_and_strict_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
