/* Error codes and their messages. */
#include "test.h"

#include <string.h>

#include "base/error.h"

static void every_code_has_a_text_of_its_own(void **state) {
    (void)state;
    const char *texts[] = {"no error",
#define X(name, value, text) text,
                           AQ_ERRORS(X)
#undef X
    };
    const int codes[] = {AQ_OK,
#define X(name, value, text) AQ_E##name,
                         AQ_ERRORS(X)
#undef X
    };
    size_t count = sizeof codes / sizeof *codes;
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(aq_error_name(codes[i]), texts[i]);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(codes[i], codes[j]);
            assert_string_not_equal(texts[i], texts[j]);
        }
    }
    assert_string_equal(aq_error_name(1), "unknown error");
    assert_string_equal(aq_error_name(-1000), "unknown error");
}

static void setting_returns_the_code(void **state) {
    (void)state;
    struct aq_error error = {0};
    assert_int_equal(aq_error_set(&error, AQ_ELIMIT, "%d of %s", 5, "them"), AQ_ELIMIT);
    assert_int_equal(error.code, AQ_ELIMIT);
    assert_string_equal(error.text, "5 of them");
    assert_int_equal(aq_error_set(NULL, AQ_ELIMIT, "%d", 5), AQ_ELIMIT);
}

static void places_are_put_in_front(void **state) {
    (void)state;
    struct aq_error error = {0};
    aq_error_set(&error, AQ_EPARSE, "no number");
    aq_error_prefix(&error, "line %d", 7);
    aq_error_prefix(&error, "%s", "file.json");
    assert_string_equal(error.text, "file.json: line 7: no number");
    assert_int_equal(error.code, AQ_EPARSE);
    aq_error_prefix(NULL, "nothing");
}

static void long_texts_are_cut_at_the_end(void **state) {
    (void)state;
    static char longest[2 * AQ_ERROR_TEXT_MAX];
    memset(longest, 'x', sizeof longest - 1);
    struct aq_error error = {0};
    aq_error_set(&error, AQ_EPARSE, "%s", longest);
    assert_int_equal(strlen(error.text), AQ_ERROR_TEXT_MAX - 1);
    aq_error_prefix(&error, "place");
    assert_int_equal(strlen(error.text), AQ_ERROR_TEXT_MAX - 1);
    assert_memory_equal(error.text, "place: xxx", 10);
    aq_error_prefix(&error, "%s", longest);
    assert_int_equal(strlen(error.text), AQ_ERROR_TEXT_MAX - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(setting_returns_the_code),
        cmocka_unit_test(places_are_put_in_front),
        cmocka_unit_test(long_texts_are_cut_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
