/* Deadlines by id, against a model that is a plain array. */
#include "test.h"

#include "base/deadlines.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

enum { IDS = 60 };

struct model {
    aq_time_us at_us[IDS]; /* AQ_TIME_NEVER: none */
};

/* The earliest, of equal ones the smallest id; IDS where there is none. */
static uint32_t first_of(const struct model *model) {
    uint32_t best = IDS;
    for (uint32_t id = 0; id < IDS; id++)
        if (model->at_us[id] != AQ_TIME_NEVER && (best == IDS || model->at_us[id] < model->at_us[best]))
            best = id;
    return best;
}

static void same(const struct aq_deadlines *deadlines, const struct model *model) {
    uint32_t count = 0, first = first_of(model);
    for (uint32_t id = 0; id < IDS; id++) {
        assert_true(aq_deadlines_of(deadlines, id) == model->at_us[id]);
        count += model->at_us[id] != AQ_TIME_NEVER;
    }
    assert_int_equal(deadlines->count, count);
    assert_true(aq_deadlines_next(deadlines) == (first == IDS ? AQ_TIME_NEVER : model->at_us[first]));
}

static void random_operations_agree_with_the_model(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "deadlines", 0);
    struct aq_deadlines deadlines = {0};
    struct model model;
    for (uint32_t id = 0; id < IDS; id++)
        model.at_us[id] = AQ_TIME_NEVER;
    for (int i = 0; i < 40000; i++) {
        uint32_t id = aq_random_below(&random, IDS), kind = aq_random_below(&random, 10), taken = IDS;
        aq_time_us at_us = aq_random_below(&random, 40);
        if (kind < 6) {
            assert_int_equal(aq_deadlines_set(&deadlines, id, at_us), 0);
            model.at_us[id] = at_us;
        } else if (kind == 6) {
            aq_deadlines_remove(&deadlines, id);
            model.at_us[id] = AQ_TIME_NEVER;
        } else if (kind == 7) {
            assert_int_equal(aq_deadlines_set(&deadlines, id, AQ_TIME_NEVER), 0);
            model.at_us[id] = AQ_TIME_NEVER;
        } else {
            uint32_t first = first_of(&model);
            bool due = first != IDS && model.at_us[first] <= at_us;
            assert_int_equal(aq_deadlines_take_due(&deadlines, at_us, &taken), due);
            assert_int_equal(taken, due ? first : IDS);
            if (due) model.at_us[first] = AQ_TIME_NEVER;
        }
        same(&deadlines, &model);
    }
    aq_deadlines_close(&deadlines);
}

static void equal_deadlines_come_out_by_id(void **state) {
    (void)state;
    struct aq_deadlines deadlines = {0};
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(aq_deadlines_set(&deadlines, (i * 37) % 100, 5), 0);
    for (uint32_t i = 0, id; i < 100; i++) {
        assert_true(aq_deadlines_take_due(&deadlines, 5, &id));
        assert_int_equal(id, i);
    }
    aq_deadlines_close(&deadlines);
}

static void unknown_ids_have_no_deadline(void **state) {
    (void)state;
    struct aq_deadlines deadlines = {0};
    assert_true(aq_deadlines_of(&deadlines, 1000000) == AQ_TIME_NEVER);
    aq_deadlines_remove(&deadlines, 1000000);
    assert_int_equal(aq_deadlines_set(&deadlines, 3, 1), 0);
    assert_true(aq_deadlines_of(&deadlines, 2) == AQ_TIME_NEVER);
    assert_true(aq_deadlines_of(&deadlines, 1000000) == AQ_TIME_NEVER);
    aq_deadlines_close(&deadlines);
}

static void setting_without_memory_changes_nothing(void **state) {
    (void)state;
    struct aq_deadlines deadlines = {0};
    assert_int_equal(aq_deadlines_set(&deadlines, 1, 10), 0);
    for (uint64_t skip = 0;; skip++) {
        aq_alloc_fail_after(skip);
        int rc = aq_deadlines_set(&deadlines, 5000, 3);
        aq_alloc_fail_after(UINT64_MAX);
        if (!rc) break;
        assert_int_equal(rc, AQ_ENOMEM);
        assert_int_equal(deadlines.count, 1);
        assert_true(aq_deadlines_of(&deadlines, 5000) == AQ_TIME_NEVER);
        assert_true(aq_deadlines_next(&deadlines) == 10);
    }
    assert_true(aq_deadlines_next(&deadlines) == 3);
    aq_deadlines_close(&deadlines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_the_model),
        cmocka_unit_test(equal_deadlines_come_out_by_id),
        cmocka_unit_test(unknown_ids_have_no_deadline),
        cmocka_unit_test(setting_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
