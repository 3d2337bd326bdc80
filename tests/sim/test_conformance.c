/* One scripted client, worker and producer against one server: the live world tells the same story as the
   virtual one, line by line, once the times are taken away. What does not follow from
   one another is 70 ms or more apart, more than a machine may lag, so that the order is the script's and not
   the machine's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/run_rig.h"

#define LINES_MAX     200
#define LINE_CHARS    160
#define ATTEMPTS      5
#define LAG_ALLOWED_S 0.05 /* later than this, things may have changed places */

static const char script[] =
    "{\"name\":\"script\",\"duration\":\"3800ms\",\"settle\":\"20s\","
    "\"servers\":{\"count\":1,\"service\":{\"default\":\"2ms\"}},\"clients\":{\"count\":1},"
    "\"workers\":{\"count\":1,\"start\":\"250ms\",\"ramp\":\"0\",\"poll\":\"430ms\",\"process\":\"50ms\"},"
    "\"producers\":{\"arrivals\":{\"constant\":\"2/s\"},\"jobs\":6,\"start\":\"0\",\"ttl\":\"4s\"},"
    "\"network\":{\"latency\":\"1ms\"}}";

struct told {
    char lines[LINES_MAX][LINE_CHARS];
    uint32_t count;
    double lag_s;
};

static int hear(void *arg, aq_time_us at_us, const char *text) {
    struct told *told = arg;
    (void)at_us;
    const char *after_time = strchr(text, ']');
    assert_non_null(after_time);
    assert_true(told->count < LINES_MAX);
    snprintf(told->lines[told->count++], LINE_CHARS, "%s", after_time + 2);
    return 0;
}

static void tell(bool live, const char *setting, struct told *told) {
    struct aq_record record;
    *told = (struct told){0};
    run_text(script,
             &(struct run_variation){.seed = 1,
                                     .live = live,
                                     .settings = &setting,
                                     .setting_count = setting ? 1 : 0,
                                     .line = hear,
                                     .line_arg = told},
             &record);
    for (uint32_t i = 0; i < record.figure_count; i++)
        if (strcmp(record.figures[i].name, "lag_message_max_s") == 0) told->lag_s = record.figures[i].value;
    aq_record_close(&record);
}

static uint32_t first_difference(const struct told *a, const struct told *b) {
    uint32_t i = 0;
    while (i < a->count && i < b->count && strcmp(a->lines[i], b->lines[i]) == 0)
        i++;
    return i;
}

/* Also wants at least `lines_min` lines, so that it is not nothing that is compared. */
static void is_the_same(const char *setting, uint32_t lines_min) {
    static struct told wanted, seen;
    tell(false, setting, &wanted);
    assert_true(wanted.count >= lines_min);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        tell(true, setting, &seen);
        uint32_t at = first_difference(&wanted, &seen);
        if (at == wanted.count && at == seen.count) return;
        if (seen.lag_s <= LAG_ALLOWED_S)
            fail_msg("line %u:\n  virtual \"%s\"\n  live    \"%s\"", at + 1,
                     at < wanted.count ? wanted.lines[at] : "", at < seen.count ? seen.lines[at] : "");
    }
    print_message("the machine was too slow to compare the order of events\n");
    skip();
}

static void jobs_are_put_fetched_and_completed(void **state) {
    (void)state;
    is_the_same(NULL, 60);
}

static void a_crash_loses_what_the_server_held(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"crash\",\"at\":\"1100ms\",\"for\":\"200ms\"}]", 50);
}

static void errors_are_told(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"error_reply\",\"actions\":[\"put\"],\"nth\":2,\"at\":\"0\"}]", 50);
}

static void a_lost_reply_is_unknown(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"drop_reply\",\"actions\":[\"done\"],\"nth\":2,\"at\":\"0\"}]", 50);
}

static void a_lost_request_is_unknown(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"drop_request\",\"actions\":[\"put\"],\"nth\":2,\"at\":\"0\"}]", 50);
}

static void replies_come_twice(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"duplicate_reply\",\"at\":\"0\"}]", 60);
}

static void a_server_is_slow(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"slow\",\"at\":\"1400ms\",\"for\":\"190ms\",\"factor\":5}]", 60);
}

static void a_server_stands_still(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"pause\",\"at\":\"1600ms\",\"for\":\"200ms\"}]", 60);
}

static void a_partition_holds_messages_back(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"partition\",\"at\":\"1640ms\",\"for\":\"200ms\"}]", 60);
}

static void a_connection_is_reset(void **state) {
    (void)state;
    is_the_same("faults=[{\"kind\":\"reset\",\"at\":\"1400ms\"}]", 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_put_fetched_and_completed),
        cmocka_unit_test(a_crash_loses_what_the_server_held),
        cmocka_unit_test(errors_are_told),
        cmocka_unit_test(a_lost_reply_is_unknown),
        cmocka_unit_test(a_lost_request_is_unknown),
        cmocka_unit_test(replies_come_twice),
        cmocka_unit_test(a_server_is_slow),
        cmocka_unit_test(a_server_stands_still),
        cmocka_unit_test(a_partition_holds_messages_back),
        cmocka_unit_test(a_connection_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
