/* Tables of policies, set by name. */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/policy.h"
#include "base/time.h"

struct sample {
    uint32_t before;
    bool brave;
    aq_time_us patience_us;
    uint32_t attempts;
    uint32_t colour;
    uint32_t behind;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct aq_policy_field fields[] = {
    {"brave", AQ_POLICY_BOOL, offsetof(struct sample, brave), "Goes on.", NULL},
    {"patience", AQ_POLICY_SPAN, offsetof(struct sample, patience_us), "Waits as long.", NULL},
    {"attempts", AQ_POLICY_COUNT, offsetof(struct sample, attempts), "Tries as often.", NULL},
    {"colour", AQ_POLICY_WORD, offsetof(struct sample, colour), "Is painted so.", colours},
};
static const struct aq_policy_table table = {fields, 4};

static void fields_are_found_by_their_whole_name(void **state) {
    (void)state;
    assert_ptr_equal(aq_policy_find(&table, "patience"), &fields[1]);
    assert_null(aq_policy_find(&table, "patience_us"));
    assert_null(aq_policy_find(&table, "pat"));
    assert_null(aq_policy_find(&table, ""));
}

static void good_values_set_their_field_and_no_other(void **state) {
    (void)state;
    struct sample sample = {.before = 1, .behind = 2};
    assert_int_equal(aq_policy_set(&table, &sample, "brave", "true", NULL), 0);
    assert_true(sample.brave);
    assert_int_equal(aq_policy_set(&table, &sample, "brave", "false", NULL), 0);
    assert_false(sample.brave);
    assert_int_equal(aq_policy_set(&table, &sample, "patience", "250ms", NULL), 0);
    assert_int_equal(sample.patience_us, 250000);
    assert_int_equal(aq_policy_set(&table, &sample, "patience", "never", NULL), 0);
    assert_true(sample.patience_us == AQ_TIME_NEVER);
    assert_int_equal(aq_policy_set(&table, &sample, "attempts", "0", NULL), 0);
    assert_int_equal(sample.attempts, 0);
    assert_int_equal(aq_policy_set(&table, &sample, "attempts", "4294967295", NULL), 0);
    assert_true(sample.attempts == UINT32_MAX);
    assert_int_equal(aq_policy_set(&table, &sample, "colour", "green", NULL), 0);
    assert_int_equal(sample.colour, 1);
    assert_int_equal(sample.before, 1);
    assert_int_equal(sample.behind, 2);
}

static void bad_values_change_nothing_and_say_what_is_allowed(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *message;
    } bad[] = {
        {"brave", "yes", "policy brave: found \"yes\", allowed is true or false"},
        {"brave", "", "policy brave: found \"\", allowed is true or false"},
        {"colour", "gree", "policy colour: found \"gree\", allowed is red, green"},
        {"brave", "True", "policy brave: found \"True\", allowed is true or false"},
        {"patience", "5",
         "policy patience: found \"5\", allowed is a duration such as \"250ms\", or \"never\""},
        {"patience", "Never",
         "policy patience: found \"Never\", allowed is a duration such as \"250ms\", or \"never\""},
        {"attempts", "-1", "policy attempts: found \"-1\", allowed is a whole number"},
        {"attempts", "", "policy attempts: found \"\", allowed is a whole number"},
        {"attempts", "1.5", "policy attempts: found \"1.5\", allowed is a whole number"},
        {"attempts", " 1", "policy attempts: found \" 1\", allowed is a whole number"},
        {"attempts", "4294967296", "policy attempts: found \"4294967296\", allowed is a whole number"},
        {"attempts", "99999999999999999999",
         "policy attempts: found \"99999999999999999999\", allowed is a whole number"},
    };
    struct sample sample, before;
    memset(&sample, 0x5a, sizeof sample);
    memcpy(&before, &sample, sizeof sample);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct aq_error error = {0};
        assert_int_equal(aq_policy_set(&table, &sample, bad[i].name, bad[i].value, &error), AQ_EPARSE);
        assert_string_equal(error.text, bad[i].message);
        assert_memory_equal(&sample, &before, sizeof sample);
    }
}

static void unknown_names_are_named(void **state) {
    (void)state;
    struct sample sample = {0};
    struct aq_error error = {0};
    assert_int_equal(aq_policy_set(&table, &sample, "courage", "true", &error), AQ_ENOENT);
    assert_string_equal(error.text, "no policy is called \"courage\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_their_whole_name),
        cmocka_unit_test(good_values_set_their_field_and_no_other),
        cmocka_unit_test(bad_values_change_nothing_and_say_what_is_allowed),
        cmocka_unit_test(unknown_names_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
