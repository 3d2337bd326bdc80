/* Bodies carry a token and a time through any server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/body.h"

static struct aq_text body_of(char text[AQ_BODY_CHARS], uint64_t token, aq_time_us put_us) {
    aq_body_write(text, token, put_us);
    return (struct aq_text){text, AQ_BODY_CHARS};
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    static const uint64_t tokens[] = {1, 9, 10, 0xabcdef, UINT64_MAX};
    static const aq_time_us times[] = {0, 1, 999999, (UINT64_C(1) << 48) - 1};
    char text[AQ_BODY_CHARS];
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
            aq_time_us put_us = 7;
            assert_int_equal(aq_body_token(body_of(text, tokens[i], times[k]), &put_us), tokens[i]);
            assert_int_equal(put_us, times[k]);
            assert_int_equal(aq_body_token(body_of(text, tokens[i], times[k]), NULL), tokens[i]);
        }
}

static void the_form_is_plain_text(void **state) {
    (void)state;
    char text[AQ_BODY_CHARS];
    body_of(text, 0xab, 0xc);
    assert_memory_equal(text, "job:00000000000000ab@00000000000c", AQ_BODY_CHARS);
}

static void padding_behind_it_is_ignored(void **state) {
    (void)state;
    char text[AQ_BODY_CHARS + 5];
    aq_body_write(text, 77, 5);
    memcpy(text + AQ_BODY_CHARS, ".....", 5);
    assert_int_equal(aq_body_token((struct aq_text){text, sizeof text}, NULL), 77);
}

static void a_body_of_another_form_has_no_token(void **state) {
    (void)state;
    static const char *const others[] = {"",
                                         "hello",
                                         "job:00000000000000ab@00000000000",
                                         "Job:00000000000000ab@00000000000c",
                                         "job:00000000000000ab 00000000000c",
                                         "job:00000000000000aB@00000000000c",
                                         "job:0000000000000/ab@00000000000c",
                                         "job:00000000000000ab@0000000000g0"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        aq_time_us put_us = 42;
        assert_int_equal(aq_body_token(aq_text_of(others[i]), &put_us), 0);
        assert_int_equal(put_us, 42);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_form_is_plain_text),
        cmocka_unit_test(padding_behind_it_is_ignored),
        cmocka_unit_test(a_body_of_another_form_has_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
