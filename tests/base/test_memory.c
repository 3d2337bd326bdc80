/* The door to the heap, growth of arrays, and sums of times. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/time.h"

static void the_chosen_allocation_fails_once(void **state) {
    (void)state;
    for (uint64_t skip = 0; skip < 4; skip++) {
        void *memory[6];
        aq_alloc_fail_after(skip);
        for (uint64_t i = 0; i < 6; i++) {
            memory[i] = i % 2 ? aq_alloc_zeroed(2, 8) : aq_alloc(16);
            assert_int_equal(memory[i] == NULL, i == skip);
        }
        for (int i = 0; i < 6; i++)
            aq_free(memory[i]);
    }
    aq_alloc_fail_after(0);
    void *kept = NULL;
    assert_null(aq_realloc(kept, 8));
    aq_alloc_fail_after(UINT64_MAX);
}

static void switching_off_lets_everything_succeed(void **state) {
    (void)state;
    aq_alloc_fail_after(0);
    aq_alloc_fail_after(UINT64_MAX);
    void *memory = aq_alloc(16);
    assert_non_null(memory);
    aq_free(memory);
    aq_free(NULL);
}

static void padding_keeps_alignment_and_contents(void **state) {
    (void)state;
    for (size_t padding = 0; padding <= 4096; padding = padding ? padding * 4 : 16) {
        aq_alloc_set_padding(padding);
        char *text = aq_alloc(10);
        memcpy(text, "123456789", 10);
        text = aq_realloc(text, 100000);
        assert_string_equal(text, "123456789");
        memset(text, 'x', 100000);
        assert_int_equal((uintptr_t)text % 16, 0);
        unsigned char *zeros = aq_alloc_zeroed(100, 3);
        for (int i = 0; i < 300; i++)
            assert_int_equal(zeros[i], 0);
        assert_null(aq_alloc_zeroed(SIZE_MAX / 2, 3));
        void *fresh = aq_realloc(NULL, 10);
        memset(fresh, 1, 10);
        aq_free(fresh);
        aq_free(zeros);
        aq_free(text);
    }
    aq_alloc_set_padding(0);
}

static void arrays_grow_by_doubling_and_keep_their_items(void **state) {
    (void)state;
    uint32_t *items = NULL, capacity = 0, growths = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t before = capacity;
        assert_int_equal(aq_array_reserve(&items, &capacity, i + 1, sizeof *items), 0);
        assert_true(capacity > i);
        growths += capacity != before;
        items[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(items[i], i);
    assert_int_equal(growths, 12); /* 8, 16 ... 16384 */
    aq_free(items);
}

static void an_array_that_cannot_grow_is_left_alone(void **state) {
    (void)state;
    uint64_t *items = NULL;
    uint32_t capacity = 0;
    assert_int_equal(aq_array_reserve(&items, &capacity, 5, sizeof *items), 0);
    uint64_t *before = items;
    items[4] = 44;
    aq_alloc_fail_after(0);
    assert_int_equal(aq_array_reserve(&items, &capacity, 9, sizeof *items), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(aq_array_reserve(&items, &capacity, (size_t)UINT32_MAX + 1, 1), AQ_ENOMEM);
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, 8);
    assert_int_equal(items[4], 44);
    aq_free(items);
}

static void sums_of_times_stop_at_never(void **state) {
    (void)state;
    assert_int_equal(aq_time_after(5, 7), 12);
    assert_true(aq_time_after(AQ_TIME_NEVER, 0) == AQ_TIME_NEVER);
    assert_true(aq_time_after(0, AQ_TIME_NEVER) == AQ_TIME_NEVER);
    assert_true(aq_time_after(AQ_TIME_NEVER, AQ_TIME_NEVER) == AQ_TIME_NEVER);
    assert_true(aq_time_after(AQ_TIME_NEVER - 1, 5) == AQ_TIME_NEVER);
    assert_true(aq_time_after(AQ_TIME_NEVER - 6, 5) == AQ_TIME_NEVER - 1);
    assert_int_equal(aq_time_min(3, AQ_TIME_NEVER), 3);
    assert_int_equal(aq_time_min(4, 3), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chosen_allocation_fails_once),
        cmocka_unit_test(switching_off_lets_everything_succeed),
        cmocka_unit_test(padding_keeps_alignment_and_contents),
        cmocka_unit_test(arrays_grow_by_doubling_and_keep_their_items),
        cmocka_unit_test(an_array_that_cannot_grow_is_left_alone),
        cmocka_unit_test(sums_of_times_stop_at_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
