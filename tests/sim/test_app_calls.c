/* The pool of open calls: ids are unique, memory stays where it is, slots are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/app_calls.h"

#define MANY 1000 /* several blocks */

static struct aq_app_calls calls;
static struct aq_app_call *held[MANY];

static int begin(void **state) {
    (void)state;
    aq_app_calls_init(&calls);
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_app_calls_close(&calls);
    assert_int_equal(calls.open, 0);
    return 0;
}

static void calls_have_ids_of_their_own_and_never_move(void **state) {
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        held[i] = aq_app_calls_new(&calls);
        assert_non_null(held[i]);
        held[i]->token = i;
    }
    assert_int_equal(calls.open, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_ptr_equal(aq_app_calls_find(&calls, held[i]->id), held[i]);
        assert_int_equal(held[i]->token, i);
        assert_ptr_equal(aq_app_calls_at(&calls, i), held[i]);
    }
}

static void an_ended_call_is_not_found_even_when_its_slot_is_used_again(void **state) {
    (void)state;
    struct aq_app_call *call = aq_app_calls_new(&calls);
    uint64_t old = call->id;
    call->token = 5;
    call->abandoned = true;
    aq_app_calls_end(&calls, call);
    assert_null(aq_app_calls_find(&calls, old));
    assert_null(aq_app_calls_at(&calls, 0));
    struct aq_app_call *next = aq_app_calls_new(&calls);
    assert_ptr_equal(next, call);
    assert_int_not_equal(next->id, old);
    assert_null(aq_app_calls_find(&calls, old));
    assert_true(next->token == 0 && !next->abandoned);
    assert_int_equal(calls.used, 1);
}

static void nothing_is_found_under_ids_that_were_never_given(void **state) {
    (void)state;
    assert_null(aq_app_calls_find(&calls, 0));
    assert_null(aq_app_calls_find(&calls, 1));
    uint64_t id = aq_app_calls_new(&calls)->id;
    assert_null(aq_app_calls_find(&calls, id + 1));
    assert_null(aq_app_calls_find(&calls, id + (UINT64_C(1) << 32)));
}

static void short_texts_need_no_memory_and_long_ones_keep_theirs(void **state) {
    (void)state;
    struct aq_app_call *call = aq_app_calls_new(&calls);
    assert_ptr_equal(aq_app_call_room(call, AQ_CALL_TEXT_CHARS), call->text);
    char *room = aq_app_call_room(call, 100000);
    assert_non_null(room);
    assert_ptr_not_equal(room, call->text);
    memset(room, 'x', 100000);
    aq_app_calls_end(&calls, call);
    call = aq_app_calls_new(&calls);
    assert_ptr_equal(aq_app_call_room(call, 100000), room); /* kept with the slot */
}

static void without_memory_nothing_is_given_and_nothing_breaks(void **state) {
    (void)state;
    for (uint64_t skip = 0; skip < 2; skip++) {
        aq_alloc_fail_after(skip);
        assert_null(aq_app_calls_new(&calls));
        assert_int_equal(calls.open, 0);
    }
    struct aq_app_call *call = aq_app_calls_new(&calls);
    assert_non_null(call);
    aq_alloc_fail_after(0);
    assert_null(aq_app_call_room(call, 100000));
    aq_alloc_fail_after(UINT64_MAX);
    assert_non_null(aq_app_call_room(call, 100000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_have_ids_of_their_own_and_never_move, begin, end),
        cmocka_unit_test_setup_teardown(an_ended_call_is_not_found_even_when_its_slot_is_used_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(nothing_is_found_under_ids_that_were_never_given, begin, end),
        cmocka_unit_test_setup_teardown(short_texts_need_no_memory_and_long_ones_keep_theirs, begin, end),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_given_and_nothing_breaks, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
