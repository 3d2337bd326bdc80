/* Answers over HTTP, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/http_reply.h"

/* Reads every prefix: all but the whole need more. A copy, since chunks are put together in place. */
static void reads(const char *text, bool needs_end, uint32_t status, const char *body, bool keeps_alive) {
    size_t len = strlen(text);
    struct aq_http_reply reply;
    char bytes[1000];
    for (size_t have = 0; have < len; have++) {
        memcpy(bytes, text, have);
        if (aq_http_reply_read(bytes, have, false, &reply) != AQ_HTTP_MORE) fail_msg("after %zu bytes", have);
    }
    memcpy(bytes, text, len);
    if (needs_end) assert_int_equal(aq_http_reply_read(bytes, len, false, &reply), AQ_HTTP_MORE);
    assert_int_equal(aq_http_reply_read(bytes, len, needs_end, &reply), AQ_HTTP_WHOLE);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.keeps_alive, keeps_alive);
    assert_int_equal(reply.body.len, strlen(body));
    assert_memory_equal(reply.body.at, body, strlen(body));
}

static void a_length_ends_the_answer(void **state) {
    (void)state;
    reads("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", false, 200, "{}", true);
    reads("HTTP/1.1 504 Gateway Timeout\r\ncontent-length:0\r\nConnection: close\r\n\r\n", false, 504, "",
          false);
    reads("HTTP/1.0 200 OK\nContent-Length: 3\n\nabc", false, 200, "abc", false);
    reads("HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", true);
}

static void chunks_are_put_together(void **state) {
    (void)state;
    reads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
          false, 200, "{\"0123456789", true);
}

static void without_a_length_the_end_of_the_connection_counts(void **state) {
    (void)state;
    reads("HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it", true, 200, "all of it", false);
}

static void an_interim_answer_is_skipped(void **state) {
    (void)state;
    reads("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false, 200, "x",
          true);
}

static void what_is_cut_off_or_no_http_is_wrong(void **state) {
    (void)state;
    static const char *const texts[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
                                        "HTTP/1.1 200 OK\r\nContent-Le",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
                                        "{}\n",
                                        "HTTP/2 200\r\n\r\n",
                                        "HTTP/1.1 2x0 OK\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"};
    struct aq_http_reply reply = {.status = 7};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char bytes[200];
        strcpy(bytes, texts[i]);
        if (aq_http_reply_read(bytes, strlen(bytes), true, &reply) != AQ_HTTP_WRONG) fail_msg("%s", texts[i]);
    }
    assert_int_equal(reply.status, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_ends_the_answer),
        cmocka_unit_test(chunks_are_put_together),
        cmocka_unit_test(without_a_length_the_end_of_the_connection_counts),
        cmocka_unit_test(an_interim_answer_is_skipped),
        cmocka_unit_test(what_is_cut_off_or_no_http_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
