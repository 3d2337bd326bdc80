/* The queue keeps bytes, their order and their bound, and gives its blocks back. */
#include "tests/base/test.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/byte_queue.h"

static uint8_t byte_at(uint64_t at) {
    return (uint8_t)(at * 31 + at / 251);
}

static bool add(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint64_t from, uint32_t wanted,
                uint32_t *added) {
    uint32_t size = 0;
    uint8_t *room = aq_byte_queue_room(queue, pool, &size);
    if (!room) return false;
    *added = wanted < size ? wanted : size;
    for (uint32_t i = 0; i < *added; i++)
        room[i] = byte_at(from + i);
    aq_byte_queue_add(queue, pool, *added);
    return true;
}

/* Against three counters: bytes in, let pass, out. */
static void what_goes_in_comes_out_in_order_once_it_was_let_pass(void **state) {
    (void)state;
    struct aq_block_pool pool = {0};
    struct aq_byte_queue queue = {.blocks_max = 5};
    struct aq_random random;
    uint64_t in = 0, passed = 0, out = 0, full = 0, empty = 0;
    aq_random_init(&random, 1, "queue", 0);
    for (int step = 0; step < 200000; step++) {
        uint32_t count = 0, way = aq_random_below(&random, 4);
        struct aq_chunk *chunk = NULL;
        if (way == 3) way = step / 1000 % 2 ? 0 : 2; /* fills up for a while, then drains */
        if (way == 0) {
            uint32_t most = step / 2000 % 2 ? 100 : 20000;
            bool was_full = aq_byte_queue_is_full(&queue);
            bool done = add(&queue, &pool, in, 1 + aq_random_below(&random, most), &count);
            assert_int_equal(done, !was_full);
            in += done ? count : 0;
            full += !done;
        } else if (way == 1) {
            chunk = aq_byte_queue_held(&queue);
            assert_int_equal(chunk != NULL, passed < in);
            if (!chunk) continue;
            assert_int_equal(chunk->bytes[0], byte_at(passed));
            passed += chunk->count;
            aq_byte_queue_let_pass(&queue, (aq_time_us)step);
        } else {
            chunk = aq_byte_queue_first(&queue);
            assert_int_equal(chunk != NULL, out < passed);
            if (!chunk) continue;
            assert_true(chunk->due_us <= (aq_time_us)step);
            count = chunk->count - chunk->sent;
            if (step % 3 == 0) count = 1 + aq_random_below(&random, count);
            for (uint32_t i = 0; i < count; i++)
                assert_int_equal(chunk->bytes[chunk->sent + i], byte_at(out + i));
            aq_byte_queue_take(&queue, &pool, count);
            out += count;
        }
        assert_int_equal(aq_byte_queue_is_empty(&queue), in == out);
        empty += in == out;
        assert_true(pool.in_use <= 5 && pool.allocated <= 5);
    }
    assert_true(full > 100 && empty > 100 && out > 1000000);
    aq_byte_queue_clear(&queue, &pool);
    assert_int_equal(pool.in_use, 0);
    assert_true(aq_byte_queue_is_empty(&queue) && !aq_byte_queue_first(&queue) &&
                !aq_byte_queue_held(&queue));
    aq_block_pool_close(&pool);
}

static void small_chunks_share_a_block(void **state) {
    (void)state;
    struct aq_block_pool pool = {0};
    struct aq_byte_queue queue = {.blocks_max = 2};
    uint32_t count;
    for (uint64_t i = 0; i < 300; i++)
        assert_true(add(&queue, &pool, i * 20, 20, &count));
    assert_int_equal(pool.in_use, 1);
    aq_byte_queue_clear(&queue, &pool);
    aq_block_pool_close(&pool);
}

static void room_that_is_not_used_is_given_back(void **state) {
    (void)state;
    struct aq_block_pool pool = {0};
    struct aq_byte_queue queue = {.blocks_max = 3};
    uint32_t count, size;
    assert_non_null(aq_byte_queue_room(&queue, &pool, &size));
    aq_byte_queue_add(&queue, &pool, 0);
    assert_int_equal(pool.in_use, 0);
    assert_true(add(&queue, &pool, 0, AQ_BLOCK_BYTES, &count));
    assert_non_null(aq_byte_queue_room(&queue, &pool, &size));
    assert_int_equal(pool.in_use, 2);
    aq_byte_queue_add(&queue, &pool, 0);
    assert_int_equal(pool.in_use, 1);
    assert_true(add(&queue, &pool, count, 10, &count));
    assert_int_equal(pool.in_use, 2);
    assert_int_equal(aq_byte_queue_held(&queue)->bytes[1], byte_at(1));
    aq_byte_queue_clear(&queue, &pool);
    aq_block_pool_close(&pool);
}

static void out_of_memory_leaves_the_queue_as_it_was(void **state) {
    (void)state;
    struct aq_block_pool pool = {0};
    struct aq_byte_queue queue = {.blocks_max = 3};
    uint32_t count;
    aq_alloc_fail_after(0);
    assert_false(add(&queue, &pool, 0, 10, &count));
    aq_alloc_fail_after(UINT64_MAX);
    assert_true(aq_byte_queue_is_empty(&queue) && !aq_byte_queue_is_full(&queue));
    assert_true(add(&queue, &pool, 0, 10, &count));
    aq_byte_queue_clear(&queue, &pool);
    aq_block_pool_close(&pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order_once_it_was_let_pass),
        cmocka_unit_test(small_chunks_share_a_block),
        cmocka_unit_test(room_that_is_not_used_is_given_back),
        cmocka_unit_test(out_of_memory_leaves_the_queue_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
