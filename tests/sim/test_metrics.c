/* Counters over time: windows hold what happened in them, phases what was chosen between two faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/metrics.h"

static struct aq_metrics m;

static int begin(void **state) {
    (void)state;
    return aq_metrics_init(&m, 2);
}

static int end(void **state) {
    (void)state;
    aq_metrics_close(&m);
    return 0;
}

static void tap_to(uint32_t server, enum aq_tap_kind kind, enum aq_job_state state) {
    struct aq_tap tap = {.kind = kind, .state = state};
    struct aq_observation seen = {.kind = AQ_SEEN_TAP, .server = server, .tap = &tap};
    aq_metrics_observe(&m, &seen);
}

static void tap(uint32_t server, enum aq_tap_kind kind) {
    tap_to(server, kind, AQ_JOB_READY);
}

static void see(uint32_t server, enum aq_seen_kind kind) {
    struct aq_observation seen = {.kind = kind, .server = server};
    aq_metrics_observe(&m, &seen);
}

static void every_tap_is_counted_where_it_belongs(void **state) {
    (void)state;
    for (int kind = 0; kind < AQ_TAP_COUNT; kind++)
        tap(1, (enum aq_tap_kind)kind);
    tap_to(1, AQ_TAP_EXPIRED, AQ_JOB_BURIED);
    see(1, AQ_SEEN_CHOICE);
    see(1, AQ_SEEN_JOB_LOST);
    const struct aq_server_totals *t = &m.totals[1];
    assert_int_equal(t->puts, 1);
    assert_int_equal(t->gets, 2); /* lease, taken */
    assert_int_equal(t->empty_gets, 1);
    assert_int_equal(t->completions, 2); /* done, deleted */
    assert_int_equal(t->errors, 1);
    assert_int_equal(t->missed, 1);
    assert_int_equal(t->expired, 2);
    assert_int_equal(t->buried, 3); /* buried, autoburied, and the second expiry */
    assert_int_equal(t->choices, 1);
    assert_int_equal(t->lost, 1);
    struct aq_server_totals nothing = {0};
    assert_memory_equal(&m.totals[0], &nothing, sizeof nothing);
}

static void what_concerns_no_server_is_ignored(void **state) {
    (void)state;
    see(2, AQ_SEEN_CHOICE); /* an address with nothing behind it */
    see(AQ_NOBODY, AQ_SEEN_CHOICE);
    assert_true(m.totals[0].choices == 0 && m.totals[1].choices == 0);
}

static void a_window_holds_what_happened_in_it(void **state) {
    (void)state;
    struct aq_window_state states[] = {{.queue = 4, .ready = 5, .reserved = 6, .up = true}, {.up = false}};
    tap(0, AQ_TAP_PUT);
    tap(0, AQ_TAP_PUT);
    tap(0, AQ_TAP_LEASE);
    tap(1, AQ_TAP_EMPTY);
    assert_int_equal(aq_metrics_close_window(&m, states), 0);
    states[0].queue = 2;
    tap(0, AQ_TAP_DONE);
    tap(1, AQ_TAP_FAILED);
    see(1, AQ_SEEN_CHOICE);
    assert_int_equal(aq_metrics_close_window(&m, states), 0);
    assert_int_equal(aq_metrics_close_window(&m, states), 0);
    assert_int_equal(m.window_count, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_true(m.windows[i].window == i / 2 && m.windows[i].server == i % 2);
    const struct aq_record_window *w = m.windows;
    assert_true(w[0].puts == 2 && w[0].gets == 1 && w[0].completions == 0 && w[0].queue == 4 &&
                w[0].ready == 5 && w[0].reserved == 6 && w[0].up);
    assert_true(w[1].empty_gets == 1 && w[1].errors == 0 && !w[1].up);
    assert_true(w[2].puts == 0 && w[2].gets == 0 && w[2].completions == 1);
    assert_true(w[3].empty_gets == 0 && w[3].errors == 1 && w[3].choices == 1);
    assert_true(w[4].completions == 0 && w[5].choices == 0);
    assert_true(m.queue_max[0] == 4 && m.queue_max[1] == 0);
}

static void choose(uint32_t server, uint32_t times) {
    while (times-- > 0)
        see(server, AQ_SEEN_CHOICE);
}

static void a_phase_counts_the_choices_between_its_ends(void **state) {
    (void)state;
    assert_int_equal(aq_metrics_phase(&m, 0, "before"), 0);
    choose(0, 3);
    assert_int_equal(aq_metrics_phase(&m, 10, "crash"), 0);
    choose(1, 5);
    assert_int_equal(aq_metrics_phase(&m, 20, "after"), 0);
    choose(0, 1);
    choose(1, 1);
    aq_metrics_end(&m, 30);
    assert_int_equal(m.phase_count, 3);
    const struct aq_record_phase *p = m.phases;
    assert_string_equal(p[0].name, "before");
    assert_true(p[0].from_us == 0 && p[0].to_us == 10 && p[0].choices[0] == 3 && p[0].choices[1] == 0);
    assert_string_equal(p[1].name, "crash");
    assert_true(p[1].from_us == 10 && p[1].to_us == 20 && p[1].choices[0] == 0 && p[1].choices[1] == 5);
    assert_true(p[2].from_us == 20 && p[2].to_us == 30 && p[2].choices[0] == 1 && p[2].choices[1] == 1);
}

/* Two faults that begin in one instant leave one phase, named for both. */
static void a_phase_of_no_length_is_taken_back(void **state) {
    (void)state;
    aq_metrics_phase(&m, 0, "before");
    choose(0, 2);
    aq_metrics_phase(&m, 5, "crash");
    aq_metrics_phase(&m, 5, "crash+loss");
    choose(1, 4);
    aq_metrics_end(&m, 9);
    assert_int_equal(m.phase_count, 2);
    assert_string_equal(m.phases[1].name, "crash+loss");
    assert_true(m.phases[0].to_us == 5 && m.phases[0].choices[0] == 2);
    assert_true(m.phases[1].from_us == 5 && m.phases[1].choices[1] == 4 && m.phases[1].choices[0] == 0);
}

static void an_end_without_a_phase_does_no_harm(void **state) {
    (void)state;
    aq_metrics_end(&m, 5);
    assert_int_equal(m.phase_count, 0);
}

static void running_out_of_memory_is_reported(void **state) {
    (void)state;
    struct aq_window_state states[2] = {{0}};
    uint64_t failures = 0;
    aq_metrics_close(&m);
    for (uint64_t skip = 0;; skip++, failures++) {
        aq_alloc_fail_after(skip);
        int rc = aq_metrics_init(&m, 2);
        if (!rc) rc = aq_metrics_phase(&m, 0, "before");
        if (!rc) rc = aq_metrics_close_window(&m, states);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc == 0) break;
        assert_int_equal(rc, AQ_ENOMEM);
        aq_metrics_close(&m);
    }
    assert_true(failures >= 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_tap_is_counted_where_it_belongs, begin, end),
        cmocka_unit_test_setup_teardown(what_concerns_no_server_is_ignored, begin, end),
        cmocka_unit_test_setup_teardown(a_window_holds_what_happened_in_it, begin, end),
        cmocka_unit_test_setup_teardown(a_phase_counts_the_choices_between_its_ends, begin, end),
        cmocka_unit_test_setup_teardown(a_phase_of_no_length_is_taken_back, begin, end),
        cmocka_unit_test_setup_teardown(an_end_without_a_phase_does_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_reported, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
