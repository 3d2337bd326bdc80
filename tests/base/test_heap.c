/* The event heap: a total order by time and sequence. */
#include "test.h"

#include "base/error.h"
#include "base/heap.h"
#include "base/random.h"

static void push(struct aq_heap *heap, aq_time_us at_us, uint64_t sequence) {
    struct aq_event event = {at_us, sequence, (uint32_t)sequence, (uint32_t)at_us};
    assert_int_equal(aq_heap_push(heap, event), 0);
}

static void an_empty_heap_has_nothing_to_look_at(void **state) {
    (void)state;
    struct aq_heap heap = {0};
    assert_null(aq_heap_peek(&heap));
    push(&heap, 5, 0);
    assert_int_equal(aq_heap_peek(&heap)->at_us, 5);
    assert_int_equal(aq_heap_pop(&heap).at_us, 5);
    assert_null(aq_heap_peek(&heap));
    aq_heap_close(&heap);
}

static void equal_times_come_out_in_the_order_they_went_in(void **state) {
    (void)state;
    struct aq_heap heap = {0};
    for (uint64_t i = 0; i < 1000; i++)
        push(&heap, 7, i);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(aq_heap_pop(&heap).sequence, i);
    aq_heap_close(&heap);
}

static void events_come_out_in_order_whole_and_once(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "heap", 0);
    struct aq_heap heap = {0};
    enum { EVENTS = 20000 };
    static bool seen[EVENTS];
    for (uint64_t i = 0; i < EVENTS; i++)
        push(&heap, aq_random_below(&random, 500), i);
    struct aq_event last = {0};
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct aq_event event = aq_heap_pop(&heap);
        assert_false(seen[event.sequence]);
        seen[event.sequence] = true;
        assert_int_equal(event.kind, event.sequence);
        assert_int_equal(event.subject, event.at_us);
        if (i) assert_true(aq_event_before(&last, &event));
        last = event;
    }
    assert_int_equal(heap.count, 0);
    aq_heap_close(&heap);
}

/* The simulator's use: events pop while later ones are pushed. */
static void time_never_runs_backwards_while_events_are_added(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 2, "heap", 0);
    struct aq_heap heap = {0};
    uint64_t sequence = 0;
    while (sequence < 300)
        push(&heap, aq_random_below(&random, 100), sequence++);
    aq_time_us now_us = 0;
    for (int i = 0; i < 50000; i++) {
        struct aq_event event = aq_heap_pop(&heap);
        assert_true(event.at_us >= now_us);
        now_us = event.at_us;
        push(&heap, now_us + aq_random_below(&random, 100), sequence++);
    }
    assert_int_equal(heap.count, 300);
    aq_heap_close(&heap);
}

static void the_ends_of_time_are_ordered_too(void **state) {
    (void)state;
    struct aq_heap heap = {0};
    push(&heap, AQ_TIME_NEVER, 0);
    push(&heap, 0, 1);
    push(&heap, AQ_TIME_NEVER - 1, 2);
    assert_int_equal(aq_heap_pop(&heap).sequence, 1);
    assert_int_equal(aq_heap_pop(&heap).sequence, 2);
    assert_int_equal(aq_heap_pop(&heap).sequence, 0);
    aq_heap_close(&heap);
}

static void a_push_without_memory_changes_nothing(void **state) {
    (void)state;
    struct aq_heap heap = {0};
    uint64_t sequence = 0;
    while (heap.count < heap.capacity || heap.count == 0)
        push(&heap, 100 - sequence, sequence), sequence++;
    uint32_t count = heap.count;
    aq_alloc_fail_after(0);
    assert_int_equal(aq_heap_push(&heap, (struct aq_event){.at_us = 0}), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(heap.count, count);
    assert_int_equal(aq_heap_peek(&heap)->sequence, sequence - 1);
    aq_heap_close(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_nothing_to_look_at),
        cmocka_unit_test(equal_times_come_out_in_the_order_they_went_in),
        cmocka_unit_test(events_come_out_in_order_whole_and_once),
        cmocka_unit_test(time_never_runs_backwards_while_events_are_added),
        cmocka_unit_test(the_ends_of_time_are_ordered_too),
        cmocka_unit_test(a_push_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
