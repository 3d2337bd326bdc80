/* What other clients are asked, and what their answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "sim/dialect.h"

static struct aq_arena arena;

static int begin(void **state) {
    (void)state;
    aq_arena_init(&arena);
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_arena_close(&arena);
    return 0;
}

/* ---- calls ---- */

static void writes(enum aq_dialect dialect, const struct aq_request *request, const char *wanted) {
    struct aq_bytes out = {0};
    assert_int_equal(aq_dialect_write(dialect, request, &out), 0);
    assert_int_equal(out.len, strlen(wanted));
    assert_memory_equal(out.at, wanted, out.len);
    aq_bytes_close(&out);
}

static const struct aq_request put = {.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_TTL,
                                      .tube = {"mail", 4},
                                      .body = {"a\"b", 3},
                                      .ttl_s = 30};
static const struct aq_request done = {
    .action = AQ_ACTION_DONE, .given = AQ_PARAM_JOB_ID, .job_id = {"a+/b,c_1", 8}};

static void a_call_is_one_line(void **state) {
    (void)state;
    struct aq_bytes out = {0};
    assert_int_equal(aq_dialect_write(AQ_DIALECT_JSON_LINES, &put, &out), 0);
    assert_ptr_equal(memchr(out.at, '\n', out.len), out.at + out.len - 1);
    struct aq_request read;
    assert_int_equal(aq_request_decode(out.at, out.len - 1, &arena, &read, NULL), 0);
    assert_true(aq_request_equal(&read, &put));
    aq_bytes_close(&out);
}

#define HEAD " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"

static void a_call_over_rest_has_its_route(void **state) {
    (void)state;
    writes(AQ_DIALECT_REST, &put,
           "POST /job" HEAD "Content-Type: application/json\r\nContent-Length: 38\r\n\r\n"
           "{\"tube\":\"mail\",\"body\":\"a\\\"b\",\"ttl\":30}");
    struct aq_request fair = put;
    fair.given |= AQ_PARAM_SHARD_KEY;
    fair.shard_key = (struct aq_text){"k", 1};
    writes(AQ_DIALECT_REST, &fair,
           "POST /job" HEAD "Content-Type: application/json\r\nContent-Length: 54\r\n\r\n"
           "{\"tube\":\"mail\",\"body\":\"a\\\"b\",\"ttl\":30,\"shard_key\":\"k\"}");
    writes(AQ_DIALECT_REST, &done, "DELETE /job?job_id=a%2B%2Fb%2Cc_1" HEAD "\r\n");
    struct aq_request request = {.action = AQ_ACTION_GET_MULTIPLE,
                                 .given = AQ_PARAM_TUBE | AQ_PARAM_COUNT,
                                 .tube = {"a b", 3},
                                 .count = 5};
    writes(AQ_DIALECT_REST, &request, "GET /multiple_job?tube=a%20b&count=5" HEAD "\r\n");
    request = done;
    request.action = AQ_ACTION_RELEASE;
    request.given |= AQ_PARAM_DELAY;
    request.delay_s = 7;
    writes(AQ_DIALECT_REST, &request, "PUT /release?job_id=a%2B%2Fb%2Cc_1&delay=7" HEAD "\r\n");
    request.action = AQ_ACTION_DRAIN;
    struct aq_bytes out = {0};
    assert_int_equal(aq_dialect_write(AQ_DIALECT_REST, &request, &out), AQ_EUNSUPPORTED);
    aq_bytes_close(&out);
}

/* ---- answers ---- */

static struct aq_dialect_answer line(enum aq_action action, const char *text) {
    struct aq_dialect_answer answer;
    assert_int_equal(aq_dialect_read_line(action, aq_text_of(text), &arena, &answer), 0);
    return answer;
}

static struct aq_dialect_answer rest(enum aq_action action, uint32_t status, const char *body) {
    struct aq_dialect_answer answer;
    assert_int_equal(aq_dialect_read_rest(action, status, aq_text_of(body), &arena, &answer), 0);
    return answer;
}

static void means(struct aq_dialect_answer answer, enum aq_outcome outcome, bool has_reply) {
    assert_string_equal(aq_outcome_word(answer.outcome), aq_outcome_word(outcome));
    assert_int_equal(answer.has_reply, has_reply);
}

static void success_comes_with_its_reply(void **state) {
    (void)state;
    struct aq_dialect_answer answer =
        line(AQ_ACTION_PUT,
             "{\"response\": {\"action\": \"put\",\"job_id\": \"S,J\"},\"job\": {\"job_id\": \"S,J\"}}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_true(aq_text_equal(answer.reply.job_id, aq_text_of("S,J")));
    answer = rest(AQ_ACTION_PUT, 200, "{\"action\":\"put\",\"job_id\":\"S,J\"}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_true(aq_text_equal(answer.reply.job_id, aq_text_of("S,J")));
    answer = rest(AQ_ACTION_GET, 200,
                  "{\"id\":\"S,J\",\"body\":\"b\",\"tube\":\"t\",\"expireds\":1,\"releases\":0}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_int_equal(answer.reply.job_count, 1);
    assert_true(aq_text_equal(answer.reply.jobs[0].job_id, aq_text_of("S,J")));
    assert_true(aq_text_equal(answer.reply.jobs[0].body, aq_text_of("b")));
    answer = rest(AQ_ACTION_GET_MULTIPLE, 200,
                  "{\"jobs\":[{\"job_id\":\"S,J\",\"body\":\"b\"},{\"job_id\":\"S,K\",\"body\":\"c\"}]}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_int_equal(answer.reply.job_count, 2);
    assert_true(aq_text_equal(answer.reply.jobs[1].job_id, aq_text_of("S,K")));
    answer =
        rest(AQ_ACTION_GET_MULTIPLE, 200, "{\"action\":\"get\",\"job\":{\"job_id\":\"S,J\",\"body\":\"b\"}}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_int_equal(answer.reply.job_count, 1);
}

static void an_empty_tube_is_no_failure(void **state) {
    (void)state;
    struct aq_dialect_answer answer =
        line(AQ_ACTION_GET, "{\"response\":{\"action\":\"get\",\"job\":{}},\"job\":{}}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_int_equal(answer.reply.job_count, 0);
    answer = rest(AQ_ACTION_GET, 200, "{}");
    means(answer, AQ_OUTCOME_OK, true);
    assert_int_equal(answer.reply.job_count, 0);
    means(rest(AQ_ACTION_GET_MULTIPLE, 200, "{\"jobs\":[]}"), AQ_OUTCOME_OK, true);
}

static void what_allqueue_says_of_any_failure_is_empty(void **state) {
    (void)state;
    means(line(AQ_ACTION_PUT, "{}"), AQ_OUTCOME_EMPTY, false);
    means(line(AQ_ACTION_GET, "{}"), AQ_OUTCOME_EMPTY, false);
    means(line(AQ_ACTION_DONE, "{\"error\" : \"no_allq\"}"), AQ_OUTCOME_EMPTY, false);
    means(rest(AQ_ACTION_PUT, 200, ""), AQ_OUTCOME_EMPTY, false);
    means(rest(AQ_ACTION_GET, 200, ""), AQ_OUTCOME_EMPTY, false);
    means(rest(AQ_ACTION_DONE, 200, "{}"), AQ_OUTCOME_EMPTY, false);
}

static void a_servers_error_is_a_refusal(void **state) {
    (void)state;
    means(line(AQ_ACTION_DONE,
               "{\"response\":{\"action\":\"done\",\"job_id\":\"S,J\",\"error\":\"Couldn't find\"}}"),
          AQ_OUTCOME_REFUSED, true);
    means(line(AQ_ACTION_PUT, "error: Missing hash key: \"x\""), AQ_OUTCOME_REFUSED, true);
    means(rest(AQ_ACTION_DONE, 200, "{\"action\":\"delete\",\"job_id\":\"S,J\",\"error\":\"not found\"}"),
          AQ_OUTCOME_REFUSED, true);
}

static void a_client_that_names_the_outcome_is_believed(void **state) {
    (void)state;
    means(line(AQ_ACTION_PUT, "{\"error\":\"no server\",\"outcome\":\"unavailable\"}"),
          AQ_OUTCOME_UNAVAILABLE, false);
    means(line(AQ_ACTION_PUT, "{\"error\":\"late\",\"outcome\":\"unknown\"}"), AQ_OUTCOME_UNKNOWN, false);
    means(line(AQ_ACTION_DONE,
               "{\"error\":\"gone\",\"outcome\":\"refused\",\"response\":{\"action\":\"done\","
               "\"job_id\":\"S,J\",\"error\":\"gone\"}}"),
          AQ_OUTCOME_REFUSED, true);
    means(rest(AQ_ACTION_PUT, 503, "{\"error\":\"no server\",\"outcome\":\"unavailable\"}"),
          AQ_OUTCOME_UNAVAILABLE, false);
    means(rest(AQ_ACTION_DONE, 409, "{\"error\":\"gone\",\"outcome\":\"refused\",\"action\":\"delete\"}"),
          AQ_OUTCOME_REFUSED, false);
}

static void an_answer_that_makes_no_sense_is_unknown(void **state) {
    (void)state;
    means(line(AQ_ACTION_PUT, "hello"), AQ_OUTCOME_UNKNOWN, false);
    means(line(AQ_ACTION_PUT, ""), AQ_OUTCOME_UNKNOWN, false);
    means(line(AQ_ACTION_PUT, "{\"response\": {\"action\": \"pu"), AQ_OUTCOME_UNKNOWN, false);
    means(rest(AQ_ACTION_PUT, 200, "<html>"), AQ_OUTCOME_UNKNOWN, false);
    means(rest(AQ_ACTION_PUT, 200, "{\"pong\":true}"), AQ_OUTCOME_UNKNOWN, false);
    means(rest(AQ_ACTION_PUT, 500, ""), AQ_OUTCOME_UNKNOWN, false);
    means(rest(AQ_ACTION_PUT, 502, "{\"action\":\"put\",\"job_id\":\"S,J\"}"), AQ_OUTCOME_UNKNOWN, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_one_line),
        cmocka_unit_test(a_call_over_rest_has_its_route),
        cmocka_unit_test(success_comes_with_its_reply),
        cmocka_unit_test(an_empty_tube_is_no_failure),
        cmocka_unit_test(what_allqueue_says_of_any_failure_is_empty),
        cmocka_unit_test(a_servers_error_is_a_refusal),
        cmocka_unit_test(a_client_that_names_the_outcome_is_believed),
        cmocka_unit_test(an_answer_that_makes_no_sense_is_unknown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
