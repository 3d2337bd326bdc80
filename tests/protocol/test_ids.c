/* Ids of servers and jobs. */
#include "samples.h"

#include <string.h>

#include "protocol/ids.h"

/* Expected: printf HOST | openssl sha1 -binary | base64 | cut -c1-7 */
static void server_ids_are_those_of_sha1(void **state) {
    (void)state;
    assert_string_equal(aq_server_id_from_host(AQ_TEXT("127.0.0.1")).text, "S4SxW/9");
    assert_string_equal(aq_server_id_from_address(AQ_TEXT("127.0.0.1"), 5555).text, "vBF76ZM");
    assert_string_equal(aq_server_id_from_host(AQ_TEXT("")).text, "2jmj7l5");
    assert_string_equal(aq_server_id_from_host(AQ_TEXT("abc")).text, "qZk+Nkc");
    assert_int_equal(aq_server_id_text(&(struct aq_server_id){"S4SxW/9"}).len, 7);
}

static void the_host_alone_does_not_tell_ports_apart(void **state) {
    (void)state;
    struct aq_server_id host = aq_server_id_from_host(AQ_TEXT("s1"));
    struct aq_server_id first = aq_server_id_from_address(AQ_TEXT("s1"), 1);
    struct aq_server_id second = aq_server_id_from_address(AQ_TEXT("s1"), 65535);
    assert_string_not_equal(first.text, second.text);
    assert_string_not_equal(first.text, host.text);
    assert_string_equal(second.text, aq_server_id_from_host(AQ_TEXT("s1:65535")).text);
}

static void job_refs_come_apart_at_their_one_comma(void **state) {
    (void)state;
    struct aq_job_ref ref;
    assert_int_equal(aq_job_ref_parse(AQ_TEXT("S4SxW/9,abc"), &ref), 0);
    assert_true(aq_text_is(ref.server, "S4SxW/9"));
    assert_true(aq_text_is(ref.job, "abc"));
    assert_int_equal(aq_job_ref_parse(AQ_TEXT("abc"), &ref), 0);
    assert_int_equal(ref.server.len, 0);
    assert_true(aq_text_is(ref.job, "abc"));
}

static void malformed_job_refs_leave_the_output_alone(void **state) {
    (void)state;
    const char *bad[] = {"", ",", "a,", ",a", "a,b,c", "a,,b", ",,"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct aq_job_ref ref = {.job = AQ_TEXT("kept")};
        assert_int_equal(aq_job_ref_parse(aq_text_of(bad[i]), &ref), AQ_EPARSE);
        assert_true(aq_text_is(ref.job, "kept"));
    }
}

static void job_ids_are_url_safe_base64_of_little_endian_words(void **state) {
    (void)state;
    char id[AQ_JOB_ID_CHARS + 1] = {0};
    aq_job_id_write((const uint64_t[]){UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}, id);
    assert_string_equal(id, "AAECAwQFBgcICQoLDA0ODw");
    aq_job_id_write((const uint64_t[]){UINT64_MAX, UINT64_MAX}, id);
    assert_string_equal(id, "_____________________w");
    aq_job_id_write((const uint64_t[]){UINT64_C(0xfbeffbeffbeffbef) & 0xffff, 0}, id);
    assert_string_equal(id, "7_sAAAAAAAAAAAAAAAAAAA");
    aq_job_id_write((const uint64_t[]){0xfb, 0}, id);
    assert_string_equal(id, "-wAAAAAAAAAAAAAAAAAAAA");
}

/* The value of XXH3_64bits("") is published with the algorithm. */
static void hashes_are_stable(void **state) {
    (void)state;
    assert_true(aq_text_hash((struct aq_text){0}) == UINT64_C(0x2d06800538d394c2));
    assert_true(aq_text_hash(AQ_TEXT("a")) != aq_text_hash(AQ_TEXT("b")));
    char copy[] = "S4SxW/9";
    assert_true(aq_text_hash(aq_text_of(copy)) == aq_text_hash(AQ_TEXT("S4SxW/9")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_ids_are_those_of_sha1),
        cmocka_unit_test(the_host_alone_does_not_tell_ports_apart),
        cmocka_unit_test(job_refs_come_apart_at_their_one_comma),
        cmocka_unit_test(malformed_job_refs_leave_the_output_alone),
        cmocka_unit_test(job_ids_are_url_safe_base64_of_little_endian_words),
        cmocka_unit_test(hashes_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
