/* Fingerprints: equal for failures of one sort, different for others, the same from the database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/store.h"
#include "sim/fingerprint.h"
#include "tests/sim/run_rig.h"

/* A record with one broken check and one story. */
struct made {
    struct aq_record_check check;
    struct aq_record_violation violation;
    const char *lines[8];
    struct aq_record record;
};

static void make(struct made *made, const char *cause, int32_t origin, const char *const *lines) {
    memset(made, 0, sizeof *made);
    made->check = (struct aq_record_check){.name = "no-false-ack", .verdict = AQ_VERDICT_FAIL, .remark = ""};
    made->violation = (struct aq_record_violation){
        .check = "no-false-ack", .cause = cause, .origin = origin, .lines = made->lines};
    while (lines[made->violation.line_count])
        made->lines[made->violation.line_count] = lines[made->violation.line_count],
        made->violation.line_count++;
    made->record = (struct aq_record){.verdict = AQ_VERDICT_FAIL,
                                      .checks = &made->check,
                                      .check_count = 1,
                                      .violations = &made->violation,
                                      .violation_count = 1};
}

static const char *hex_of(const char *cause, int32_t origin, const char *const *lines) {
    static char ring[4][17];
    static int at;
    struct made made;
    struct aq_fingerprint fingerprint;
    make(&made, cause, origin, lines);
    assert_int_equal(aq_fingerprint_of_run(&made.record, &fingerprint), 0);
    at = (at + 1) % 4;
    return strcpy(ring[at], fingerprint.hex);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void times_numbers_and_ids_do_not_count(void **state) {
    (void)state;
    const char *one =
        hex_of("told ok", 2,
               LINES("[1.000000] worker 7 of client 3 > done S2x4b7q,Ab3dEf..",
                     "[1.200000] worker 7 of client 3 > done S2x4b7q,Ab3dEf.. -> server 2: missed"));
    const char *other =
        hex_of("told ok", 0,
               LINES("[12.5] worker 81 of client 19 > done QQQQQQQ,ZZZZZZ..",
                     "[13.5] worker 81 of client 19 > done QQQQQQQ,ZZZZZZ.. -> server 0: missed"));
    assert_string_equal(one, other);
}

static void check_cause_kinds_and_actors_count(void **state) {
    (void)state;
    const char *line = "[1.0] worker 7 of client 3 > done A,B.. -> server 2: missed";
    const char *base = hex_of("told ok", 2, LINES(line));
    char copy[17];
    strcpy(copy, base);
    assert_string_not_equal(copy, hex_of("told another id", 2, LINES(line)));
    assert_string_not_equal(copy, hex_of("told ok", 1, LINES(line))); /* another server than the origin */
    assert_string_not_equal(
        copy, hex_of("told ok", 2, LINES("[1.0] worker 7 of client 3 > bury A,B.. -> server 2: missed")));
    assert_string_not_equal(
        copy, hex_of("told ok", 2, LINES("[1.0] producer 7 of client 3 > done A,B.. -> server 2: missed")));
    assert_string_not_equal(
        copy, hex_of("told ok", 2, LINES("[1.0] worker 7 of client 3 > done A,B.. -> server 2: done")));
    assert_string_not_equal(copy, hex_of("told ok", 2, LINES(line, "[2.0] the faults are healed")));
}

static void a_kind_of_line_that_comes_again_does_not_count(void **state) {
    (void)state;
    assert_string_equal(
        hex_of("x", 2, LINES("[1.0] server 2: expired A,B..", "[2.0] server 2: expired A,B..")),
        hex_of("x", 2, LINES("[1.0] server 2: expired A,B..")));
}

static void people_can_read_it(void **state) {
    (void)state;
    struct made made;
    struct aq_fingerprint f;
    make(&made, "sent 3 times", 2,
         LINES("[1.0] worker 7 of client 3 > get_multiple_jobs ", "[1.5] server 2: expired S2x4b7q,Ab3dEf..",
               "[2.0] client 3 sends done S2x4b7q,Ab3dEf.. to server 1",
               "[2.5] worker 7 of client 3 < done S2x4b7q,Ab3dEf..: ok"));
    assert_int_equal(aq_fingerprint_of_run(&made.record, &f), 0);
    assert_string_equal(f.check, "no-false-ack");
    assert_string_equal(f.cause, "sent times");
    assert_string_equal(
        f.shape, "worker of client > get_multiple_jobs | origin: expired | client sends done to server | "
                 "worker of client < done: ok");
    assert_int_equal(strlen(f.hex), 16);
}

static void a_check_without_a_story_is_known_by_its_remark(void **state) {
    (void)state;
    struct made made;
    struct aq_fingerprint f;
    make(&made, "", -1, LINES("x"));
    made.record.violation_count = 0;
    made.check.remark = "p-value 0.0003 is below 1e-06";
    assert_int_equal(aq_fingerprint_of_run(&made.record, &f), 0);
    assert_string_equal(f.cause, "p-value is below");
    assert_string_equal(f.shape, "");
}

static void what_was_expected_is_no_failure(void **state) {
    (void)state;
    struct made made;
    struct aq_fingerprint f;
    make(&made, "x", -1, LINES("x"));
    made.check.expected_to_fail = made.check.caught = true;
    made.record.verdict = AQ_VERDICT_PASS;
    assert_int_equal(aq_fingerprint_of_run(&made.record, &f), -5); /* AQ_ENOENT */
    made.record.verdict = AQ_VERDICT_FAIL;
    made.check.verdict = AQ_VERDICT_PASS;
    made.check.caught = false;
    assert_int_equal(aq_fingerprint_of_run(&made.record, &f), 0);
    assert_string_equal(f.check, "not-caught");
    assert_string_equal(f.cause, "no-false-ack");
}

/* A run of the public release that goes wrong in several ways. */
static const char broken[] =
    "{\"name\":\"broken\",\"duration\":\"10s\",\"settle\":\"70s\",\"servers\":{\"count\":2},\"clients\":{\"count\":4,"
    "\"profile\":\"upstream\"},\"workers\":{\"count\":10,\"process\":{\"exp\":\"50ms\"},\"poll\":{\"exp\":\"100ms\"}},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"50/s\"},\"ttl\":\"5s\"},\"faults\":[{\"kind\":\"crash\",\"servers\":0,"
    "\"at\":\"3s\",\"for\":\"2s\"},{\"kind\":\"drop_reply\",\"actions\":[\"put\"],\"probability\":0.05,\"at\":\"4s\"}]}";

static void a_run_from_the_database_has_the_fingerprint_of_the_run_from_memory(void **state) {
    (void)state;
    char path[] = "/tmp/fingerprint-XXXXXX";
    close(mkstemp(path));
    struct aq_record record, again;
    struct aq_store *store;
    struct aq_error error = {0};
    int64_t run;
    run_text(broken, &(struct run_variation){.seed = 3}, &record);
    assert_int_equal(record.verdict, AQ_VERDICT_FAIL);
    if (aq_store_open(path, true, &store, &error)) fail_msg("%s", error.text);
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), 0);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error), 0);
    aq_record_init(&again);
    assert_int_equal(aq_store_load_run(store, run, &again, &error), 0);
    uint32_t compared = 0;
    for (uint32_t i = 0; i < record.check_count; i++) {
        struct aq_fingerprint one, other;
        if (!aq_fingerprint_broken(&record.checks[i])) continue;
        aq_fingerprint_of_check(&record, &record.checks[i], &one);
        aq_fingerprint_of_check(&again, &again.checks[i], &other);
        assert_memory_equal(&one, &other, sizeof one);
        assert_true(one.cause[0] != '\0');
        compared++;
    }
    assert_true(compared > 0);
    aq_record_close(&again);
    aq_record_close(&record);
    aq_store_close(store);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_numbers_and_ids_do_not_count),
        cmocka_unit_test(check_cause_kinds_and_actors_count),
        cmocka_unit_test(a_kind_of_line_that_comes_again_does_not_count),
        cmocka_unit_test(people_can_read_it),
        cmocka_unit_test(a_check_without_a_story_is_known_by_its_remark),
        cmocka_unit_test(what_was_expected_is_no_failure),
        cmocka_unit_test(a_run_from_the_database_has_the_fingerprint_of_the_run_from_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
