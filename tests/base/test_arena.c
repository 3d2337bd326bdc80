/* The bump allocator. */
#include "test.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

static void pieces_are_aligned_and_do_not_overlap(void **state) {
    (void)state;
    enum { PIECES = 2000 };
    static struct {
        unsigned char *at;
        size_t bytes;
    } pieces[PIECES];
    struct aq_random random;
    aq_random_init(&random, 1, "arena", 0);
    struct aq_arena arena;
    aq_arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PIECES; i++) {
            pieces[i].bytes = aq_random_below(&random, i % 50 == 0 ? 10000 : 100);
            pieces[i].at = aq_arena_alloc(&arena, pieces[i].bytes);
            assert_non_null(pieces[i].at);
            assert_int_equal((uintptr_t)pieces[i].at % 16, 0);
            memset(pieces[i].at, i & 0xff, pieces[i].bytes);
        }
        for (int i = 0; i < PIECES; i++)
            for (size_t j = 0; j < pieces[i].bytes; j++)
                assert_int_equal(pieces[i].at[j], i & 0xff);
        aq_arena_reset(&arena);
    }
    aq_arena_close(&arena);
}

static void a_warm_arena_allocates_nothing(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    for (int round = 0; round < 10; round++) {
        if (round == 1) aq_alloc_fail_after(0);
        for (size_t i = 0; i < 300; i++)
            assert_non_null(aq_arena_alloc(&arena, i * 40 % 7000));
        aq_arena_reset(&arena);
    }
    aq_alloc_fail_after(UINT64_MAX);
    aq_arena_close(&arena);
}

static void texts_are_copied(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    char original[] = "hello";
    struct aq_text copy, joined, empty;
    assert_int_equal(aq_arena_text(&arena, aq_text_of(original), &copy), 0);
    assert_int_equal(aq_arena_join(&arena, aq_text_of(original), ',', AQ_TEXT("you"), &joined), 0);
    memset(original, '#', 5);
    assert_true(aq_text_is(copy, "hello"));
    assert_true(aq_text_is(joined, "hello,you"));
    assert_int_equal(aq_arena_join(&arena, (struct aq_text){0}, ',', (struct aq_text){0}, &joined), 0);
    assert_true(aq_text_is(joined, ","));
    aq_alloc_fail_after(0);
    struct aq_arena cold = {0};
    assert_int_equal(aq_arena_text(&cold, (struct aq_text){0}, &empty), 0);
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(empty.len, 0);
    assert_non_null(empty.at);
    aq_arena_close(&arena);
}

static void no_memory_is_reported_and_can_be_tried_again(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_text out = AQ_TEXT("kept");
    aq_alloc_fail_after(0);
    assert_null(aq_arena_alloc(&arena, 10));
    aq_alloc_fail_after(0);
    assert_int_equal(aq_arena_text(&arena, AQ_TEXT("x"), &out), AQ_ENOMEM);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_arena_join(&arena, AQ_TEXT("x"), ',', AQ_TEXT("y"), &out), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_true(aq_text_is(out, "kept"));
    assert_non_null(aq_arena_alloc(&arena, 10));
    aq_alloc_fail_after(0);
    assert_null(aq_arena_alloc(&arena, 100000));
    aq_alloc_fail_after(UINT64_MAX);
    assert_non_null(aq_arena_alloc(&arena, 100000));
    aq_arena_close(&arena);
    assert_null(arena.first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_warm_arena_allocates_nothing),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(no_memory_is_reported_and_can_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
