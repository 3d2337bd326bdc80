#include "tests/base/test.h"

#include "base/heap.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/wheel.h"

/* Spans of every size, zero among them, so that events lie at every level. */
static aq_time_us draw_span_us(struct aq_random *random) {
    return aq_random_u64(random) >> (24 + aq_random_below(random, 40)) >> 1;
}

static void events_come_out_as_from_a_heap(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct aq_random random;
        struct aq_wheel wheel = {0};
        struct aq_heap heap = {0};
        struct aq_event event;
        aq_time_us now_us = 0;
        uint64_t sequence = 0;
        aq_random_init(&random, seed, "wheel", 0);
        for (int i = 0; i < 20000; i++) {
            if (aq_random_below(&random, 100) < 52) {
                struct aq_event pushed = {now_us + draw_span_us(&random), ++sequence, (uint32_t)i, 7};
                assert_int_equal(aq_wheel_push(&wheel, pushed), 0);
                assert_int_equal(aq_heap_push(&heap, pushed), 0);
                continue;
            }
            aq_time_us before_us = now_us + draw_span_us(&random);
            const struct aq_event *first = aq_heap_peek(&heap);
            bool due = first && first->at_us < before_us;
            assert_true(!first || aq_wheel_next_us(&wheel) <= first->at_us);
            assert_int_equal(aq_wheel_pop(&wheel, before_us, &event), due);
            assert_int_equal(wheel.count, heap.count - due);
            if (!due) {
                if (before_us > now_us) now_us = before_us;
                continue;
            }
            struct aq_event expected = aq_heap_pop(&heap);
            assert_int_equal(event.sequence, expected.sequence);
            assert_int_equal(event.at_us, expected.at_us);
            assert_int_equal(event.kind, expected.kind);
            now_us = event.at_us;
        }
        aq_wheel_close(&wheel);
        aq_heap_close(&heap);
    }
}

static void events_of_one_time_come_in_the_order_of_their_sequence(void **state) {
    (void)state;
    struct aq_wheel wheel = {0};
    struct aq_event event;
    for (uint64_t i = 1; i <= 100; i++)
        assert_int_equal(aq_wheel_push(&wheel, (struct aq_event){i % 2 ? 5000000 : 3, i, 0, 0}), 0);
    for (uint64_t i = 1; i <= 100; i++) {
        assert_true(aq_wheel_pop(&wheel, AQ_TIME_NEVER, &event));
        assert_int_equal(event.sequence, i <= 50 ? 2 * i : 2 * (i - 50) - 1);
    }
    assert_false(aq_wheel_pop(&wheel, AQ_TIME_NEVER, &event));
    assert_true(aq_wheel_next_us(&wheel) == AQ_TIME_NEVER);
    aq_wheel_close(&wheel);
}

static void out_of_memory_leaves_the_wheel_as_it_was(void **state) {
    (void)state;
    struct aq_wheel wheel = {0};
    struct aq_event event;
    uint64_t pushed = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        aq_alloc_fail_after(0);
        int rc = aq_wheel_push(&wheel, (struct aq_event){i, i, 0, 0});
        aq_alloc_fail_after(UINT64_MAX);
        if (rc) {
            assert_int_equal(rc, AQ_ENOMEM);
            assert_int_equal(aq_wheel_push(&wheel, (struct aq_event){i, i, 0, 0}), 0);
        }
        pushed++;
    }
    for (uint64_t i = 0; i < pushed; i++) {
        assert_true(aq_wheel_pop(&wheel, AQ_TIME_NEVER, &event));
        assert_int_equal(event.sequence, i);
    }
    aq_wheel_close(&wheel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_as_from_a_heap),
        cmocka_unit_test(events_of_one_time_come_in_the_order_of_their_sequence),
        cmocka_unit_test(out_of_memory_leaves_the_wheel_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
