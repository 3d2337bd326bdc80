/* Replies to bytes and back. */
#include "samples.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"

static int decode(const char *wire, enum aq_action asked, struct aq_arena *arena, struct aq_reply *out) {
    struct aq_error error = {0};
    return aq_reply_decode(wire, strlen(wire), asked, arena, out, &error);
}

static void replies_are_written_as_the_protocol_says(void **state) {
    (void)state;
    struct aq_bytes bytes = {0};
    for (size_t i = 0; i < reply_sample_count; i++) {
        const char *wire = reply_samples[i].wire;
        assert_int_equal(aq_reply_encode(&reply_samples[i].reply, &bytes), 0);
        assert_int_equal(bytes.len, strlen(wire));
        if (bytes.len) assert_memory_equal(bytes.at, wire, bytes.len);
    }
    aq_bytes_close(&bytes);
}

static void replies_are_read_as_the_protocol_says(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    for (size_t i = 0; i < reply_sample_count; i++) {
        struct aq_reply reply;
        assert_int_equal(decode(reply_samples[i].wire, reply_samples[i].asked, &arena, &reply), 0);
        assert_true(aq_reply_equal(&reply, &reply_samples[i].reply));
        assert_int_equal(reply.action, aq_action_answered_as(reply_samples[i].asked));
    }
    aq_arena_close(&arena);
}

static void numbers_may_come_as_numbers(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_reply reply;
    assert_int_equal(
        decode(
            "{\"response\":{\"action\":\"get\",\"special\":[],\"job\":{\"job_id\":\"x\",\"body\":5,\"tube\":\"t\","
            "\"expireds\":3,\"releases\":\"4\",\"special\":null}}}",
            AQ_ACTION_GET, &arena, &reply),
        0);
    assert_int_equal(reply.job_count, 1);
    assert_true(aq_text_is(reply.jobs[0].body, "5"));
    assert_int_equal(reply.jobs[0].expireds, 3);
    assert_int_equal(reply.jobs[0].releases, 4);
    assert_int_equal(
        decode("{\"response\":{\"action\":\"throttle\",\"value\":25}}", AQ_ACTION_THROTTLE, &arena, &reply),
        0);
    assert_true(aq_text_is(reply.value, "25"));
    assert_int_equal(decode("{\"admin\":{\"name\":\"redirect\",\"server\":\"h\",\"port\":5555}}",
                            AQ_ACTION_PUT, &arena, &reply),
                     0);
    assert_int_equal(reply.port, 5555);
    assert_int_equal(
        decode(
            "{\"t\":{\"ready\":1,\"delayed\":0,\"reserved\":0,\"buried\":0,\"parents\":0,\"avg\":0.5,\"tps\":2},"
            "\"global\":{\"action_count\":1,\"job_get\":2,\"job_put\":3}}",
            AQ_ACTION_STATS, &arena, &reply),
        0);
    assert_int_equal(reply.servers[0].tubes[0].ready, 1);
    assert_true(reply.servers[0].tubes[0].avg_s == 0.5);
    assert_int_equal(reply.servers[0].job_put, 3);
    aq_arena_close(&arena);
}

static void a_tube_called_global_gives_way_to_the_counters(void **state) {
    (void)state;
    const struct aq_tube_stats tubes[] = {{.tube = AQ_TEXT("global"), .ready = 5}, {.tube = AQ_TEXT("t")}};
    const struct aq_server_stats server = {.tubes = tubes, .tube_count = 2, .job_get = 8};
    const struct aq_reply reply = {
        .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &server, .server_count = 1};
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    struct aq_reply back;
    assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
    assert_int_equal(aq_reply_decode(bytes.at, bytes.len, AQ_ACTION_STATS, &arena, &back, NULL), 0);
    char text[500] = {0};
    memcpy(text, bytes.at, bytes.len);
    assert_ptr_equal(strstr(text, "\"global\""), strstr(text, "\"global\":{\"action_count\"")); /* once */
    assert_int_equal(back.servers[0].tube_count, 1);
    assert_true(aq_text_is(back.servers[0].tubes[0].tube, "t"));
    assert_int_equal(back.servers[0].job_get, 8);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static void a_put_with_a_soft_error_takes_the_normal_form(void **state) {
    (void)state;
    struct aq_bytes bytes = {0};
    const struct aq_reply reply = {
        .kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_PUT, .has_error = true, .error = AQ_TEXT("full")};
    const char *wire = "{\"response\":{\"action\":\"put\",\"error\":\"full\"}}";
    assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
    assert_int_equal(bytes.len, strlen(wire));
    assert_memory_equal(bytes.at, wire, bytes.len);
    aq_bytes_close(&bytes);
}

/* Encodes a get's reply with this damage and this body. */
static void encode_damaged(unsigned damage, const char *body, struct aq_bytes *bytes) {
    const struct aq_job job = {
        .job_id = AQ_TEXT("abc"), .body = aq_text_of(body), .tube = AQ_TEXT("t"), .releases = 1};
    const struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE,
                                   .action = AQ_ACTION_GET,
                                   .damage = (uint8_t)damage,
                                   .jobs = &job,
                                   .job_count = 1};
    assert_int_equal(aq_reply_encode(&reply, bytes), 0);
}

static int decode_bytes(const struct aq_bytes *bytes, struct aq_reply *out, struct aq_arena *arena) {
    return aq_reply_decode(bytes->at, bytes->len, AQ_ACTION_GET, arena, out, NULL);
}

static void a_damaged_reply_makes_no_sense(void **state) {
    (void)state;
    struct aq_bytes whole = {0}, bytes = {0};
    struct aq_arena arena = {0};
    struct aq_reply back;
    encode_damaged(0, "b", &whole);
    assert_int_equal(decode_bytes(&whole, &back, &arena), 0);
    static const unsigned spoils[] = {AQ_DAMAGE_QUOTED, AQ_DAMAGE_GARBLED, AQ_DAMAGE_TRUNCATED,
                                      AQ_DAMAGE_EMPTIED, AQ_DAMAGE_QUOTED | AQ_DAMAGE_TRUNCATED};
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        encode_damaged(spoils[i], "b", &bytes);
        assert_int_equal(decode_bytes(&bytes, &back, &arena), AQ_EPARSE);
    }
    encode_damaged(AQ_DAMAGE_TRUNCATED, "b", &bytes);
    assert_int_equal(bytes.len, whole.len / 2);
    encode_damaged(AQ_DAMAGE_EMPTIED, "b", &bytes);
    assert_int_equal(bytes.len, 0);
    aq_bytes_close(&whole);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

/* As AllQueue's server does after a redirect. */
static void a_quoted_reply_is_one_json_string(void **state) {
    (void)state;
    struct aq_bytes bytes = {0};
    const struct aq_reply reply = {
        .kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_PAUSE, .damage = AQ_DAMAGE_QUOTED};
    const char *wire = "\"{\\\"response\\\":{\\\"action\\\":\\\"pause\\\"}}\"";
    assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
    assert_int_equal(bytes.len, strlen(wire));
    assert_memory_equal(bytes.at, wire, bytes.len);
    aq_bytes_close(&bytes);
}

/* One byte is missing for each that a character has beyond its first. */
static void counting_characters_cuts_only_what_is_not_ascii(void **state) {
    (void)state;
    struct aq_bytes whole = {0}, bytes = {0};
    struct aq_arena arena = {0};
    struct aq_reply back;
    encode_damaged(AQ_DAMAGE_CUT, "green", &bytes);
    assert_int_equal(decode_bytes(&bytes, &back, &arena), 0);
    encode_damaged(0, "gr\xc3\xbcn \xe6\x97\xa5", &whole);
    encode_damaged(AQ_DAMAGE_CUT, "gr\xc3\xbcn \xe6\x97\xa5", &bytes);
    assert_int_equal(decode_bytes(&bytes, &back, &arena), AQ_EPARSE);
    /* the body stands in the reply twice */
    assert_int_equal(bytes.len, whole.len - 2 * 3);
    aq_bytes_close(&whole);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static void a_padded_reply_is_long_and_says_the_same(void **state) {
    (void)state;
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    struct aq_reply back;
    encode_damaged(AQ_DAMAGE_PADDED, "b", &bytes);
    assert_int_equal(bytes.len, AQ_PADDED_BYTES);
    assert_int_equal(decode_bytes(&bytes, &back, &arena), 0);
    assert_true(back.job_count == 1 && back.damage == 0 && aq_text_is(back.jobs[0].job_id, "abc"));
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static struct aq_text random_text(struct aq_random *random, char *memory, uint32_t max) {
    static const char *pieces[] = {"a",    "\"", "\\", "\r",           "\x1f", "é",
                                   "日本", "😀",  "{}", "some letters", "\b"};
    uint32_t len = 0, wanted = aq_random_below(random, max);
    while (len < wanted) {
        const char *piece = pieces[aq_random_below(random, sizeof pieces / sizeof *pieces)];
        memcpy(memory + len, piece, strlen(piece));
        len += (uint32_t)strlen(piece);
    }
    return (struct aq_text){memory, len};
}

static void random_jobs_come_back(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "replies", 0);
    struct aq_arena arena = {0};
    struct aq_bytes bytes = {0};
    for (int i = 0; i < 3000; i++) {
        struct aq_job jobs[8];
        char memory[8][3][120];
        struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_GET, .jobs = jobs}, back;
        reply.many = aq_random_chance(&random, 0.5);
        reply.job_count = aq_random_below(&random, reply.many ? 9 : 2);
        for (uint32_t j = 0; j < reply.job_count; j++)
            jobs[j] = (struct aq_job){random_text(&random, memory[j][0], 40),
                                      random_text(&random, memory[j][1], 100),
                                      random_text(&random, memory[j][2], 40),
                                      (uint32_t)aq_random_u64(&random), (uint32_t)aq_random_u64(&random)};
        assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
        aq_arena_reset(&arena);
        assert_int_equal(aq_reply_decode(bytes.at, bytes.len, AQ_ACTION_GET_MULTIPLE, &arena, &back, NULL),
                         0);
        assert_true(aq_reply_equal(&reply, &back));
    }
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

static void random_floats_come_back_exactly(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "floats", 0);
    struct aq_arena arena = {0};
    struct aq_bytes bytes = {0};
    for (int i = 0; i < 5000; i++) {
        double scale = i % 3 == 0 ? 1e-9 : i % 3 == 1 ? 1 : 1e12;
        struct aq_tube_stats tube = {.tube = AQ_TEXT("t"), .avg_s = aq_random_unit(&random) * scale};
        tube.tps = (double)(aq_random_u64(&random) >> aq_random_below(&random, 64));
        struct aq_server_stats server = {.tubes = &tube, .tube_count = 1};
        struct aq_reply reply = {
            .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &server, .server_count = 1};
        struct aq_reply back;
        assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
        aq_arena_reset(&arena);
        assert_int_equal(aq_reply_decode(bytes.at, bytes.len, AQ_ACTION_STATS, &arena, &back, NULL), 0);
        assert_true(aq_reply_equal(&reply, &back));
    }
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
}

/* The job section stands twice in a reply, so the reply to a get of a large job is longer than any request.
 */
static void any_job_that_a_request_can_bring_fits_into_a_reply(void **state) {
    (void)state;
    uint32_t len = AQ_MESSAGE_BYTES_MAX;
    char *body = aq_alloc(len);
    memset(body, 'x', len);
    struct aq_job job = {AQ_TEXT("j"), {body, len}, AQ_TEXT("t"), 0, 0};
    struct aq_reply reply = {
        .kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_GET, .jobs = &job, .job_count = 1};
    struct aq_bytes bytes = {0};
    assert_int_equal(aq_reply_encode(&reply, &bytes), 0);
    assert_true(bytes.len > 2 * AQ_MESSAGE_BYTES_MAX);
    struct aq_arena arena = {0};
    struct aq_reply back;
    assert_int_equal(aq_reply_decode(bytes.at, bytes.len, AQ_ACTION_GET, &arena, &back, NULL), 0);
    assert_true(aq_reply_equal(&reply, &back));
    aq_arena_close(&arena);
    aq_bytes_close(&bytes);
    aq_free(body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_written_as_the_protocol_says),
        cmocka_unit_test(replies_are_read_as_the_protocol_says),
        cmocka_unit_test(numbers_may_come_as_numbers),
        cmocka_unit_test(a_tube_called_global_gives_way_to_the_counters),
        cmocka_unit_test(a_damaged_reply_makes_no_sense),
        cmocka_unit_test(a_quoted_reply_is_one_json_string),
        cmocka_unit_test(counting_characters_cuts_only_what_is_not_ascii),
        cmocka_unit_test(a_padded_reply_is_long_and_says_the_same),
        cmocka_unit_test(a_put_with_a_soft_error_takes_the_normal_form),
        cmocka_unit_test(random_jobs_come_back),
        cmocka_unit_test(random_floats_come_back_exactly),
        cmocka_unit_test(any_job_that_a_request_can_bring_fits_into_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
