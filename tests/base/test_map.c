/* The hash map, against a model that is a plain array. */
#include "test.h"

#include "base/error.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"

enum { KEYS = 200 };

/* `key_of` gives the map's key of the model's place; crowded ones share their home slot. */
static void agrees_with_the_model(uint64_t (*key_of)(uint32_t), uint64_t stream) {
    struct aq_random random;
    aq_random_init(&random, 1, "map", stream);
    struct aq_map map = {0};
    int64_t model[KEYS]; /* -1: absent */
    uint32_t count = 0;
    for (int i = 0; i < KEYS; i++)
        model[i] = -1;
    for (int i = 0; i < 20000; i++) {
        uint32_t place = aq_random_below(&random, KEYS),
                 value = (uint32_t)aq_random_u64(&random) & 0x7fffffff;
        /* Phases of growing and of shrinking, so that the map is at times crowded, at times nearly empty. */
        bool growing = (i / 1000) % 2 == 0;
        if (aq_random_chance(&random, growing ? 0.8 : 0.2)) {
            assert_int_equal(aq_map_set(&map, key_of(place), value), 0);
            count += model[place] < 0;
            model[place] = value;
        } else {
            assert_int_equal(aq_map_remove(&map, key_of(place)), model[place] >= 0);
            count -= model[place] >= 0;
            model[place] = -1;
        }
        assert_int_equal(map.count, count);
        uint32_t other = aq_random_below(&random, KEYS), found = 12345;
        assert_int_equal(aq_map_get(&map, key_of(other), &found), model[other] >= 0);
        assert_int_equal(found, model[other] >= 0 ? model[other] : 12345);
        if (i % 100 == 0)
            for (uint32_t j = 0; j < KEYS; j++)
                assert_int_equal(aq_map_get(&map, key_of(j), &found), model[j] >= 0);
    }
    aq_map_close(&map);
}

static uint64_t mixed(uint32_t place) {
    return aq_map_mix(place);
}
static uint64_t crowded(uint32_t place) {
    return ((uint64_t)place << 32) | (place % 3);
}
static uint64_t at_the_end(uint32_t place) {
    return ((uint64_t)place << 32) | (0xffffffff - place % 2);
}

static void well_mixed_keys_agree_with_the_model(void **state) {
    (void)state;
    agrees_with_the_model(mixed, 0);
}

static void keys_that_share_a_home_agree_with_the_model(void **state) {
    (void)state;
    agrees_with_the_model(crowded, 1);
}

static void runs_that_wrap_around_agree_with_the_model(void **state) {
    (void)state;
    agrees_with_the_model(at_the_end, 2);
}

static void extreme_keys_and_values_are_kept(void **state) {
    (void)state;
    struct aq_map map = {0};
    uint32_t value = 0;
    assert_false(aq_map_get(&map, 0, &value));
    assert_false(aq_map_remove(&map, 0));
    assert_int_equal(aq_map_set(&map, 0, UINT32_MAX - 1), 0);
    assert_int_equal(aq_map_set(&map, UINT64_MAX, 0), 0);
    assert_true(aq_map_get(&map, 0, &value));
    assert_int_equal(value, UINT32_MAX - 1);
    assert_true(aq_map_get(&map, UINT64_MAX, &value));
    assert_int_equal(value, 0);
    aq_map_close(&map);
}

static void growing_without_memory_changes_nothing(void **state) {
    (void)state;
    struct aq_map map = {0};
    uint32_t failures = 0, value;
    for (uint32_t i = 0; i < 1000; i++) {
        aq_alloc_fail_after(0);
        int rc = aq_map_set(&map, aq_map_mix(i), i);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc) {
            failures++;
            assert_int_equal(rc, AQ_ENOMEM);
            assert_int_equal(map.count, i);
            assert_false(aq_map_get(&map, aq_map_mix(i), &value));
            assert_int_equal(aq_map_set(&map, aq_map_mix(i), i), 0);
        }
    }
    assert_int_equal(failures, 8); /* 16, 32 ... 2048 slots */
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(aq_map_get(&map, aq_map_mix(i), &value));
        assert_int_equal(value, i);
    }
    aq_map_close(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_mixed_keys_agree_with_the_model),
        cmocka_unit_test(keys_that_share_a_home_agree_with_the_model),
        cmocka_unit_test(runs_that_wrap_around_agree_with_the_model),
        cmocka_unit_test(extreme_keys_and_values_are_kept),
        cmocka_unit_test(growing_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
