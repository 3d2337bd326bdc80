/* Requests to bytes and back. */
#include "samples.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"

static int decode(const char *wire, struct aq_arena *arena, struct aq_request *out) {
    struct aq_error error = {0};
    return aq_request_decode(wire, strlen(wire), arena, out, &error);
}

static void requests_are_written_as_the_protocol_says(void **state) {
    (void)state;
    struct aq_bytes bytes = {0};
    for (size_t i = 0; i < request_sample_count; i++) {
        const char *wire = request_samples[i].wire;
        assert_int_equal(aq_request_encode(&request_samples[i].request, &bytes), 0);
        assert_int_equal(bytes.len, strlen(wire));
        assert_memory_equal(bytes.at, wire, bytes.len);
    }
    aq_bytes_close(&bytes);
}

static void requests_are_read_as_the_protocol_says(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    for (size_t i = 0; i < request_sample_count; i++) {
        struct aq_request request;
        assert_int_equal(decode(request_samples[i].wire, &arena, &request), 0);
        assert_true(aq_request_equal(&request, &request_samples[i].request));
        assert_int_equal(request.given, request_samples[i].request.given);
    }
    aq_arena_close(&arena);
}

static void numbers_may_come_as_numbers(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_request request;
    assert_int_equal(
        decode(" { \"x\" : [1, {\"y\":null}], \"params\" : {\"ttl\": 60, \"priority\": -3.0, \"delay\": 1.9,"
               " \"noop\": true, \"tube\": 7, \"body\": 1.5, \"future\": {}, \"parent_id\": null},"
               " \"action\" : \"put\" }\n",
               &arena, &request),
        0);
    assert_int_equal(request.action, AQ_ACTION_PUT);
    assert_int_equal(request.ttl_s, 60);
    assert_int_equal(request.priority, -3);
    assert_int_equal(request.delay_s, 1);
    assert_true(request.noop);
    assert_true(aq_text_is(request.tube, "7"));
    assert_true(aq_text_is(request.body, "1.5"));
    assert_int_equal(request.parent_id.len, 0);
    assert_int_equal(request.given, AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_TTL | AQ_PARAM_DELAY |
                                        AQ_PARAM_PRIORITY | AQ_PARAM_PARENT_ID | AQ_PARAM_NOOP);
    aq_arena_close(&arena);
}

static void absent_parameters_are_zero(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_request request, expected = {.action = AQ_ACTION_PUT, .given = AQ_PARAM_TUBE};
    assert_int_equal(decode("{\"action\":\"put\",\"params\":{\"tube\":\"\"}}", &arena, &request), 0);
    expected.tube = request.tube;
    assert_int_equal(request.ttl_s + request.delay_s + request.timeout_s + request.priority + request.count,
                     0);
    assert_true(aq_request_equal(&request, &expected));
    aq_arena_close(&arena);
}

static void of_equal_names_the_last_counts(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_request request;
    const char *wire = "{\"action\":\"put\",\"params\":{\"tube\":\"a\",\"tube\":\"b\"},\"action\":\"get\"}";
    assert_int_equal(decode(wire, &arena, &request), 0);
    assert_int_equal(request.action, AQ_ACTION_GET);
    assert_true(aq_text_is(request.tube, "b"));
    aq_arena_close(&arena);
}

static void other_admin_requests_carry_nothing(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_bytes bytes = {0};
    struct aq_request request;
    const char *wire =
        "{\"action\":\"admin\",\"params\":{\"action_type\":\"other\",\"server\":5,\"port\":\"x\"}}";
    assert_int_equal(decode(wire, &arena, &request), 0);
    assert_int_equal(request.given, 0);
    assert_int_equal(aq_request_encode(&request, &bytes), 0);
    struct aq_request again;
    assert_int_equal(aq_request_decode(bytes.at, bytes.len, &arena, &again, NULL), 0);
    assert_true(aq_request_equal(&request, &again));
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static void ranges_end_where_they_are_said_to_end(void **state) {
    (void)state;
    static const struct {
        const char *params;
        int rc;
    } cases[] = {
        {"\"ttl\":\"0\"", 0},
        {"\"ttl\":\"2147483647\"", 0},
        {"\"ttl\":2147483648", AQ_EPARSE},
        {"\"ttl\":\"-1\"", AQ_EPARSE},
        {"\"ttl\":\"\"", AQ_EPARSE},
        {"\"ttl\":\"-\"", AQ_EPARSE},
        {"\"ttl\":\"+1\"", AQ_EPARSE},
        {"\"ttl\":\" 1\"", AQ_EPARSE},
        {"\"ttl\":\"1 \"", AQ_EPARSE},
        {"\"ttl\":\"1.0\"", AQ_EPARSE},
        {"\"ttl\":1.5", AQ_EPARSE},
        {"\"ttl\":1e99", AQ_EPARSE},
        {"\"ttl\":1e999", AQ_EPARSE},
        {"\"ttl\":\"99999999999999999999\"", AQ_EPARSE},
        {"\"ttl\":null", AQ_EPARSE},
        {"\"ttl\":true", AQ_EPARSE},
        {"\"ttl\":[1]", AQ_EPARSE},
        {"\"priority\":\"-2147483648\"", 0},
        {"\"priority\":\"-2147483649\"", AQ_EPARSE},
        {"\"priority\":\"high\"", AQ_EPARSE},
        {"\"delay\":\"-5\"", 0},
        {"\"delay\":\"2147483648\"", AQ_EPARSE},
        {"\"delay\":\"soon\"", AQ_EPARSE},
        {"\"delay\":\"0x10\"", AQ_EPARSE},
        {"\"delay\":\"inf\"", AQ_EPARSE},
        {"\"delay\":\"\"", AQ_EPARSE},
        {"\"noop\":\"false\"", 0},
        {"\"noop\":\"yes\"", AQ_EPARSE},
        {"\"noop\":1", AQ_EPARSE},
        {"\"body\":9007199254740992", 0},
        {"\"body\":9007199254740994", AQ_EPARSE},
        {"\"body\":{}", AQ_EPARSE},
    };
    struct aq_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wire[200];
        snprintf(wire, sizeof wire, "{\"action\":\"put\",\"params\":{\"tube\":\"t\",%s}}", cases[i].params);
        struct aq_request request;
        assert_int_equal(decode(wire, &arena, &request), cases[i].rc);
    }
    struct aq_request late = {0};
    const char *early = "{\"action\":\"put\",\"params\":{\"tube\":\"t\",\"delay\":\"-5\"}}";
    assert_int_equal(decode(early, &arena, &late), 0);
    assert_int_equal(late.delay_s, 0);
    aq_arena_close(&arena);
}

/* A text with every kind of byte that the wire treats in its own way. */
static struct aq_text random_text(struct aq_random *random, char *memory, uint32_t max) {
    static const char *pieces[] = {"a",   "\"", "\\", "\n", "\x01", "é", "日本", "😀", "/", "plain letters",
                                   "\x7f"};
    uint32_t len = 0, wanted = aq_random_below(random, max);
    while (len < wanted) {
        const char *piece = pieces[aq_random_below(random, sizeof pieces / sizeof *pieces)];
        memcpy(memory + len, piece, strlen(piece));
        len += (uint32_t)strlen(piece);
    }
    return (struct aq_text){memory, len};
}

static int64_t random_seconds(struct aq_random *random) {
    return aq_random_below(random, 1u << aq_random_below(random, 32));
}

static struct aq_request random_request(struct aq_random *random, char memory[6][100]) {
    struct aq_request request = {
        .action = (uint8_t)aq_random_below(random, AQ_ACTION_COUNT),
        .given = UINT32_MAX,
        .noop = aq_random_chance(random, 0.5),
        .run_on_timeout = aq_random_chance(random, 0.5),
        .remove = aq_random_chance(random, 0.5),
        .buried = aq_random_chance(random, 0.5),
        .port = (uint16_t)(1 + aq_random_below(random, UINT16_MAX)),
        .priority = (int32_t)(uint32_t)aq_random_u64(random),
        .expired_limit = (int32_t)(uint32_t)aq_random_u64(random),
        .count = (int32_t)(aq_random_u64(random) >> 33),
        .limit = (int32_t)(uint32_t)aq_random_u64(random),
        .tps = aq_random_unit(random) * 1000,
        .ttl_s = random_seconds(random),
        .delay_s = random_seconds(random),
        .timeout_s = random_seconds(random),
    };
    struct aq_text *texts[] = {&request.tube,      &request.job_id,    &request.body,
                               &request.parent_id, &request.shard_key, &request.address};
    for (int i = 0; i < 6; i++)
        *texts[i] = random_text(random, memory[i], 80);
    /* Leave out what may be left out, now and then. */
    uint32_t optional =
        AQ_PARAM_BODY | AQ_PARAM_TTL | AQ_PARAM_DELAY | AQ_PARAM_NOOP | AQ_PARAM_COUNT | AQ_PARAM_LIMIT;
    request.given &= ~((uint32_t)aq_random_u64(random) & optional);
    return request;
}

static void random_requests_come_back_and_have_the_measured_length(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "requests", 0);
    struct aq_arena arena = {0};
    struct aq_bytes bytes = {0};
    for (int i = 0; i < 20000; i++) {
        char memory[6][100];
        struct aq_request request = random_request(&random, memory), back;
        assert_int_equal(aq_request_encode(&request, &bytes), 0);
        assert_int_equal(bytes.len, aq_request_wire_bytes(&request));
        aq_arena_reset(&arena);
        assert_int_equal(aq_request_decode(bytes.at, bytes.len, &arena, &back, NULL), 0);
        assert_true(aq_request_equal(&request, &back));
    }
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static void the_limit_is_on_the_encoded_bytes(void **state) {
    (void)state;
    struct aq_request request = {
        .action = AQ_ACTION_PUT, .given = AQ_PARAM_TUBE | AQ_PARAM_BODY, .tube = AQ_TEXT("t")};
    uint32_t around = (uint32_t)aq_request_wire_bytes(&request), fits = AQ_MESSAGE_BYTES_MAX - around;
    char *body = aq_alloc(fits + 1);
    memset(body, 'x', fits + 1);
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    request.body = (struct aq_text){body, fits};
    assert_int_equal(aq_request_encode(&request, &bytes), 0);
    assert_int_equal(bytes.len, AQ_MESSAGE_BYTES_MAX);
    struct aq_request back;
    assert_int_equal(aq_request_decode(bytes.at, bytes.len, &arena, &back, NULL), 0);
    assert_int_equal(back.body.len, fits);
    request.body.len++;
    assert_int_equal(aq_request_encode(&request, &bytes), AQ_ELIMIT);
    assert_int_equal(bytes.len, 0);
    request.body.len = fits;
    body[0] = '"'; /* takes two bytes on the wire */
    assert_int_equal(aq_request_encode(&request, &bytes), AQ_ELIMIT);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
    aq_free(body);
}

static void a_warm_buffer_and_arena_allocate_nothing(void **state) {
    (void)state;
    const struct aq_request *put = &request_samples[3].request;
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    struct aq_request back;
    for (int round = 0; round < 2; round++) {
        if (round) aq_alloc_fail_after(0);
        assert_int_equal(aq_request_encode(put, &bytes), 0);
        aq_arena_reset(&arena);
        assert_int_equal(aq_request_decode(bytes.at, bytes.len, &arena, &back, NULL), 0);
    }
    aq_alloc_fail_after(UINT64_MAX);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_written_as_the_protocol_says),
        cmocka_unit_test(requests_are_read_as_the_protocol_says),
        cmocka_unit_test(numbers_may_come_as_numbers),
        cmocka_unit_test(absent_parameters_are_zero),
        cmocka_unit_test(of_equal_names_the_last_counts),
        cmocka_unit_test(other_admin_requests_carry_nothing),
        cmocka_unit_test(ranges_end_where_they_are_said_to_end),
        cmocka_unit_test(random_requests_come_back_and_have_the_measured_length),
        cmocka_unit_test(the_limit_is_on_the_encoded_bytes),
        cmocka_unit_test(a_warm_buffer_and_arena_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
