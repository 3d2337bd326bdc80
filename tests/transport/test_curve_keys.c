/* Keys as AllQueue writes them, keys files and allow-lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/curve_keys.h"

/* The test keys of RFC 27, and base64 of their text made with coreutils' base64. */
#define BOB_PUBLIC   "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define BOB_SECRET   "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define BOB_BASE64   "WW5lQCR3LXZvPGZWdmldYTxOWTZUMWVkOk0kZkNHKltJYUxWe2hJRA=="
#define BOB_BASE64_0 "WW5lQCR3LXZvPGZWdmldYTxOWTZUMWVkOk0kZkNHKltJYUxWe2hJRAA="

static char key[AQ_CURVE_Z85_CHARS + 1];
static struct aq_error error;

static int parse(const char *text) {
    memset(key, 0, sizeof key);
    return aq_curve_key_parse(aq_text_of(text), key, &error);
}

static void a_key_is_read_in_each_of_its_forms(void **state) {
    (void)state;
    assert_int_equal(parse(BOB_PUBLIC), 0);
    assert_string_equal(key, BOB_PUBLIC);
    assert_int_equal(parse(BOB_BASE64), 0);
    assert_string_equal(key, BOB_PUBLIC);
    assert_int_equal(parse(BOB_BASE64_0), 0);
    assert_string_equal(key, BOB_PUBLIC);
    assert_int_equal(parse(" \t" BOB_BASE64_0 "\r\n"), 0);
    assert_string_equal(key, BOB_PUBLIC);
}

static void a_key_is_written_as_allqueue_writes_it(void **state) {
    (void)state;
    char text[AQ_CURVE_ALLQUEUE_CHARS + 1];
    assert_string_equal(aq_curve_key_format(BOB_PUBLIC, text), BOB_BASE64_0);
    assert_int_equal(parse(text), 0);
    assert_string_equal(key, BOB_PUBLIC);
}

static void what_is_no_key_is_refused_without_being_shown(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "secret",
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%c",                  /* one too few */
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%css",                /* one too many */
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%c\"",                /* no Z85 character */
        "#####IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",                 /* a group beyond 32 bits */
        "RDopUVtJbEFXIWFoaEMyYWM6OSpBfWg6cD8oWzQld09USiVKUiVj",     /* base64 of one too few */
        "RDopUVtJbEFXIWFoaEMyYWM6OSpBfWg6cD8oWzQld09USiVKUiVj*w==", /* no base64 character */
        "RDopUVtJbEFXIWFoaEMyYWM6OSpBfWg6cD8oWzQld09USiVKUiVjcyE=", /* 41 characters, no NUL */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(parse(wrong[i]), AQ_EPARSE);
        assert_string_equal(key, "");
        assert_null(strstr(error.text, "IlAW"));
        assert_null(strstr(error.text, "RDop"));
        assert_null(strstr(error.text, "secret"));
        assert_non_null(strstr(error.text, "40 characters of Z85"));
    }
}

static int parse_file(const char *text, struct aq_curve_keys *keys) {
    return aq_curve_keys_parse(aq_text_of(text), "keys.json", keys, &error);
}

static void a_keys_file_is_read_and_written(void **state) {
    (void)state;
    struct aq_curve_keys keys, again;
    char text[AQ_CURVE_FILE_CHARS_MAX + 1];
    assert_int_equal(parse_file("{\"server_public\": \"" BOB_PUBLIC "\",\n \"server_secret\":\"" BOB_SECRET
                                "\",\"client_secret\":\"" BOB_SECRET "\",\"client_public\":\"" BOB_BASE64
                                "\"}\n",
                                &keys),
                     0);
    assert_true(keys.has_server_secret && keys.has_client);
    assert_string_equal(keys.server.public_z85, BOB_PUBLIC);
    assert_string_equal(keys.server.secret_z85, BOB_SECRET);
    assert_string_equal(keys.client.public_z85, BOB_PUBLIC);
    assert_string_equal(keys.client.secret_z85, BOB_SECRET);
    uint32_t len = aq_curve_keys_format(&keys, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_int_equal(parse_file(text, &again), 0);
    assert_memory_equal(&again, &keys, sizeof keys);
    aq_curve_keys_wipe(&keys);
    static const struct aq_curve_keys nothing;
    assert_memory_equal(&keys, &nothing, sizeof keys);

    assert_int_equal(parse_file("{\"server_public\":\"" BOB_PUBLIC "\"}", &keys), 0);
    assert_false(keys.has_server_secret || keys.has_client);
    aq_curve_keys_format(&keys, text, sizeof text);
    assert_int_equal(parse_file(text, &again), 0);
    assert_memory_equal(&again, &keys, sizeof keys);
}

static void a_slash_in_a_key_may_be_escaped(void **state) {
    (void)state;
    struct aq_curve_keys keys;
    assert_int_equal(parse_file("{\"server_public\":\"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI\\/\"}", &keys),
                     0);
    assert_string_equal(keys.server.public_z85, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI/");
}

static void errors_of_a_keys_file_name_the_line_and_show_no_secret(void **state) {
    (void)state;
    static const struct {
        const char *text, *place;
    } wrong[] = {
        {"", "keys.json:1: "},
        {"[]", "keys.json:1: "},
        {"{}", "keys.json:1: server_public"},
        {"{\n\n\"server_public\":\"" BOB_PUBLIC "\",\n\"server_secret\":\"" BOB_SECRET "x\"}",
         "keys.json:4: server_secret: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"server_secret\":\"" BOB_SECRET "\" \"x\"}",
         "keys.json:1: no comma"},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\n\"" BOB_SECRET "\":\"x\"}", "keys.json:2: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"server_secret\":" BOB_SECRET "}", "keys.json:1: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"server_secret\":\"" BOB_SECRET, "keys.json:1: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"server_secret\":\"" BOB_SECRET BOB_SECRET BOB_SECRET "\"}",
         "keys.json:1: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"client_secret\":\"" BOB_SECRET "\"}",
         "keys.json:1: client_public and client_secret"},
        {"{\"server_public\":\"" BOB_PUBLIC "\",\"server_public\":\"" BOB_PUBLIC "\"}",
         "keys.json:1: a name"},
        {"{\"server_public\":\"" BOB_PUBLIC "\",}", "keys.json:1: "},
        {"{\"server_public\":\"" BOB_PUBLIC "\"}\n}", "keys.json:2: something"},
        {"{\"server_public\":\"" BOB_PUBLIC "\\", "keys.json:1: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct aq_curve_keys keys = {.has_client = true}, before = keys;
        assert_int_equal(parse_file(wrong[i].text, &keys), AQ_EPARSE);
        assert_memory_equal(&keys, &before, sizeof keys);
        assert_memory_equal(error.text, wrong[i].place, strlen(wrong[i].place));
        assert_null(strstr(error.text, "IlAW"));
    }
}

#define ALICE_PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define CAROL_PUBLIC "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

static void an_allow_list_holds_a_key_a_line(void **state) {
    (void)state;
    struct aq_curve_allow_list list, copy;
    const char *text = "# clients\r\n\n  " BOB_BASE64_0 "  # Bob\n#" ALICE_PUBLIC "\n" CAROL_PUBLIC;
    assert_int_equal(aq_curve_allow_list_parse(aq_text_of(text), "allow", &list, &error), 0);
    assert_int_equal(list.count, 2);
    assert_true(aq_curve_allow_list_has(&list, BOB_PUBLIC));
    assert_true(aq_curve_allow_list_has(&list, CAROL_PUBLIC));
    assert_false(aq_curve_allow_list_has(&list, ALICE_PUBLIC));
    assert_int_equal(aq_curve_allow_list_copy(&list, &copy), 0);
    aq_curve_allow_list_close(&list);
    assert_false(aq_curve_allow_list_has(&list, BOB_PUBLIC));
    assert_true(aq_curve_allow_list_has(&copy, BOB_PUBLIC));
    aq_curve_allow_list_close(&copy);
}

static void a_line_that_is_no_key_is_named(void **state) {
    (void)state;
    struct aq_curve_allow_list list = {.count = 7};
    const char *text = BOB_PUBLIC "\n\nnonsense\n";
    assert_int_equal(aq_curve_allow_list_parse(aq_text_of(text), "allow", &list, &error), AQ_EPARSE);
    assert_memory_equal(error.text, "allow:3: ", 9);
    assert_int_equal(list.count, 7);
}

static void an_allow_list_survives_the_loss_of_any_allocation(void **state) {
    (void)state;
    struct aq_curve_allow_list list;
    int rc = AQ_ENOMEM;
    for (uint64_t skip = 0; rc == AQ_ENOMEM; skip++) {
        aq_alloc_fail_after(skip);
        rc = aq_curve_allow_list_parse(AQ_TEXT(BOB_PUBLIC "\n" ALICE_PUBLIC "\n"), "allow", &list, &error);
        assert_true(skip < 100);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(rc, 0);
    assert_int_equal(list.count, 2);
    aq_curve_allow_list_close(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_in_each_of_its_forms),
        cmocka_unit_test(a_key_is_written_as_allqueue_writes_it),
        cmocka_unit_test(what_is_no_key_is_refused_without_being_shown),
        cmocka_unit_test(a_keys_file_is_read_and_written),
        cmocka_unit_test(a_slash_in_a_key_may_be_escaped),
        cmocka_unit_test(errors_of_a_keys_file_name_the_line_and_show_no_secret),
        cmocka_unit_test(an_allow_list_holds_a_key_a_line),
        cmocka_unit_test(a_line_that_is_no_key_is_named),
        cmocka_unit_test(an_allow_list_survives_the_loss_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
