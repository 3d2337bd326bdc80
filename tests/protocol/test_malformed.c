/* Bytes that are not the protocol, cut messages, mutations, and no memory. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"

#define PUT_WITH(params)    "{\"action\":\"put\",\"params\":{" params "}}"
#define GET_ANSWER(members) "{\"response\":{\"action\":\"get\"," members "}}"
#define STATS_TUBE                                                                                           \
    "\"t\":{\"ready\":\"1\",\"delayed\":\"0\",\"reserved\":\"0\",\"buried\":\"0\",\"parents\":\"0\","

static void malformed_requests_are_named(void **state) {
    (void)state;
    static const struct {
        const char *wire;
        int rc;
        const char *message; /* a part of it */
    } cases[] = {
        {"", AQ_EPARSE, "not JSON"},
        {" \n ", AQ_EPARSE, "not JSON"},
        {"Ping", AQ_EPARSE, "byte 0: this is not JSON"},
        {"ping ", AQ_EPARSE, "not JSON"},
        {"[]", AQ_EPARSE, "request: found a list, allowed is an object"},
        {"\"put\"", AQ_EPARSE, "request: found \"put\", allowed is an object"},
        {"{}", AQ_EPARSE, "action: missing"},
        {"{\"action\":5,\"params\":{}}", AQ_EPARSE, "action: found 5, allowed is a text"},
        {"{\"action\":\"nope\",\"params\":{}}", AQ_ENOENT, "action: found \"nope\""},
        {"{\"action\":\"PUT\",\"params\":{\"tube\":\"t\"}}", AQ_ENOENT, "action: found \"PUT\""},
        {"{\"action\":\"stats\"}", AQ_EPARSE, "params: missing"},
        {"{\"action\":\"stats\",\"params\":[]}", AQ_EPARSE, "params: found a list, allowed is an object"},
        {"{\"action\":\"stats\",\"params\":{}} {}", AQ_EPARSE, "more text behind the message"},
        {"{\"action\":\"stats\",\"params\":{}", AQ_EPARSE, "not JSON"},
        {"{\"action\":\"stats\",\"params\":{},}", AQ_EPARSE, "not JSON"},
        {PUT_WITH(""), AQ_EPARSE, "params.tube: missing, put needs it"},
        {PUT_WITH("\"tube\":[]"), AQ_EPARSE, "params.tube: found a list, allowed is a text"},
        {PUT_WITH("\"tube\":\"t\",\"ttl\":\"abc\""), AQ_EPARSE,
         "params.ttl: found \"abc\", allowed is a whole number from 0 to 2147483647"},
        {PUT_WITH("\"tube\":\"t\",\"noop\":\"maybe\""), AQ_EPARSE,
         "params.noop: found \"maybe\", allowed is true or false"},
        {PUT_WITH("\"tube\":\"a\\u0000b\""), AQ_EPARSE, "NUL"},
        {PUT_WITH("\"tu\\u0000be\":\"a\""), AQ_EPARSE, "NUL"},
        {PUT_WITH("\"tube\":\"\\ud800\""), AQ_EPARSE, "not JSON"},
        {PUT_WITH("\"tube\":\"\\x\""), AQ_EPARSE, "not JSON"},
        {PUT_WITH("\"tube\":\"\xff\""), AQ_EPARSE, "found 0xff, allowed is UTF-8"},
        {PUT_WITH("\"tube\":\"\xc0\x80\""), AQ_EPARSE, "UTF-8"},
        {PUT_WITH("\"tube\":\"\xe0\x9f\xbf\""), AQ_EPARSE, "UTF-8"},
        {PUT_WITH("\"tube\":\"\xed\xa0\x80\""), AQ_EPARSE, "UTF-8"},
        {PUT_WITH("\"tube\":\"\xf4\x90\x80\x80\""), AQ_EPARSE, "UTF-8"},
        {PUT_WITH("\"tube\":\"\xc3\""), AQ_EPARSE, "UTF-8"},
        {"{\"action\":\"done\",\"params\":{}}", AQ_EPARSE, "params.job_id: missing, done needs it"},
        {"{\"action\":\"touch\",\"params\":{\"tube\":\"t\"}}", AQ_EPARSE, "params.job_id: missing"},
        {"{\"action\":\"get\",\"params\":{\"count\":\"1\"}}", AQ_EPARSE,
         "params.tube: missing, get needs it"},
        {"{\"action\":\"get\",\"params\":{\"tube\":\"t\",\"count\":\"-1\"}}", AQ_EPARSE,
         "params.count: found \"-1\""},
        {"{\"action\":\"get\",\"params\":{\"tube\":\"t\",\"delete\":\"\"}}", AQ_EPARSE,
         "params.delete: found \"\""},
        {"{\"action\":\"kick\",\"params\":{\"job_id\":\"x\"}}", AQ_EPARSE, "params.tube: missing"},
        {"{\"action\":\"throttle\",\"params\":{\"tube\":\"t\"}}", AQ_EPARSE, "params.tps: missing"},
        {"{\"action\":\"throttle\",\"params\":{\"tube\":\"t\",\"tps\":\"nan\"}}", AQ_EPARSE,
         "params.tps: found \"nan\""},
        {"{\"action\":\"admin\",\"params\":{}}", AQ_EPARSE, "params.action_type: missing"},
        {"{\"action\":\"admin\",\"params\":{\"action_type\":\"redirect\",\"server\":\"h\"}}", AQ_EPARSE,
         "params.port: missing, admin needs it"},
        {"{\"action\":\"admin\",\"params\":{\"action_type\":\"redirect\",\"server\":\"h\",\"port\":0}}",
         AQ_EPARSE, "params.port: found 0, allowed is a whole number from 1 to 65535"},
        {"{\"action\":\"drain\",\"params\":{}}", AQ_EPARSE, "params.server_id: missing"},
    };
    struct aq_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aq_request request = {.priority = 42};
        struct aq_error error = {0};
        assert_int_equal(aq_request_decode(cases[i].wire, strlen(cases[i].wire), &arena, &request, &error),
                         cases[i].rc);
        assert_int_equal(error.code, cases[i].rc);
        if (!strstr(error.text, cases[i].message)) fail_msg("case %zu says \"%s\"", i, error.text);
        assert_int_equal(request.priority, 42);
        assert_int_equal(aq_request_decode(cases[i].wire, strlen(cases[i].wire), &arena, &request, NULL),
                         cases[i].rc);
    }
    aq_arena_close(&arena);
}

static void malformed_replies_are_named(void **state) {
    (void)state;
    static const struct {
        const char *wire;
        enum aq_action asked;
        const char *message;
    } cases[] = {
        {"", AQ_ACTION_PUT, "the reply is empty"},
        {"", AQ_ACTION_PING, "the reply is empty"},
        {"pon", AQ_ACTION_PING, "not JSON"},
        {"pong", AQ_ACTION_PUT, "not JSON"},
        {"{\"response\":{}}", AQ_ACTION_PING, "allowed is pong"},
        {"{\"response\":{}}", AQ_ACTION_VERSION, "allowed is a version"},
        {"{\"response\":{}}", AQ_ACTION_UPDATE_SERVERS, "allowed is an empty object"},
        {"error", AQ_ACTION_PUT, "not JSON"},
        {"error: \xff", AQ_ACTION_PUT, "UTF-8"},
        {"\"{}\"", AQ_ACTION_PUT, "reply: found \"{}\", allowed is an object"},
        {"{\"job\":{}}", AQ_ACTION_GET, "response: missing"},
        {"{\"response\":5}", AQ_ACTION_GET, "response: found 5, allowed is an object"},
        {"{\"response\":{\"job_id\":\"x\"}}", AQ_ACTION_DONE, "response.action: missing"},
        {"{\"response\":{\"action\":\"put\",\"job_id\":\"x\"}}", AQ_ACTION_DONE,
         "response.action: found \"put\", allowed is \"done\""},
        {"{\"response\":{\"action\":\"unpause\"}}", AQ_ACTION_UNPAUSE, "allowed is \"pause\""},
        {"{\"response\":{\"action\":\"done\"}}", AQ_ACTION_DONE, "response.job_id: missing, done needs it"},
        {"{\"response\":{\"action\":\"put\",\"job_id\":{}}}", AQ_ACTION_PUT,
         "response.job_id: found an object, allowed is a text"},
        {"{\"response\":{\"action\":\"put\"}}", AQ_ACTION_PUT, "response.job_id: missing"},
        {"{\"response\":{\"action\":\"throttle\"}}", AQ_ACTION_THROTTLE, "response.value: missing"},
        {"{\"response\":{\"action\":\"get\"}}", AQ_ACTION_GET, "response.job: missing"},
        {GET_ANSWER("\"job\":7"), AQ_ACTION_GET, "response.job: found 7, allowed is an object"},
        {GET_ANSWER("\"job\":{\"body\":\"b\",\"tube\":\"t\"}"), AQ_ACTION_GET,
         "response.job.job_id: missing"},
        {GET_ANSWER("\"job\":{\"job_id\":\"x\",\"tube\":\"t\"}"), AQ_ACTION_GET,
         "response.job.body: missing"},
        {GET_ANSWER("\"job\":{\"job_id\":\"x\",\"body\":\"b\"}"), AQ_ACTION_PEEK,
         "response.job.tube: missing"},
        {GET_ANSWER("\"job\":{\"job_id\":\"x\",\"body\":\"b\",\"tube\":\"t\",\"expireds\":\"-1\"}"),
         AQ_ACTION_GET, "response.job.expireds: found \"-1\""},
        {GET_ANSWER("\"jobs\":{}"), AQ_ACTION_GET_MULTIPLE,
         "response.jobs: found an object, allowed is a list"},
        {GET_ANSWER("\"jobs\":[{}]"), AQ_ACTION_GET_MULTIPLE, "response.jobs[0].job_id: missing"},
        {GET_ANSWER("\"jobs\":[5]"), AQ_ACTION_GET_MULTIPLE, "response.jobs[0]: found 5"},
        {"{\"admin\":{\"name\":\"other\",\"server\":\"h\",\"port\":\"1\"}}", AQ_ACTION_GET,
         "admin.name: found \"other\""},
        {"{\"admin\":{\"name\":\"redirect\",\"port\":\"1\"}}", AQ_ACTION_GET, "admin.server: missing"},
        {"{\"admin\":{\"name\":\"redirect\",\"server\":\"h\",\"port\":\"70000\"}}", AQ_ACTION_GET,
         "admin.port: found"},
        {"{\"response\":{}}", AQ_ACTION_ADMIN, "result: missing"},
        {"{\"server_url\":\"h:1\"}", AQ_ACTION_DRAIN, "server_id: missing"},
        {"{" STATS_TUBE "\"avg\":\"0.0\",\"tps\":\"0.0\"}}", AQ_ACTION_STATS, "global: missing"},
        {"{" STATS_TUBE
         "\"avg\":\"0.0\"},\"global\":{\"action_count\":\"0\",\"job_get\":\"0\",\"job_put\":\"0\"}}",
         AQ_ACTION_STATS, "\"t\": tps: missing"},
        {"{\"s\":{" STATS_TUBE
         "\"avg\":\"x\"},\"global\":{\"action_count\":\"0\",\"job_get\":\"0\",\"job_put\":\"0\"}}}",
         AQ_ACTION_STATS, "\"s\": \"t\": avg: found \"x\", allowed is a number"},
        {"{\"global\":{\"action_count\":\"0\",\"job_get\":\"0\"}}", AQ_ACTION_STATS,
         "global.job_put: missing"},
    };
    struct aq_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aq_reply reply = {.port = 42};
        struct aq_error error = {0};
        int rc =
            aq_reply_decode(cases[i].wire, strlen(cases[i].wire), cases[i].asked, &arena, &reply, &error);
        assert_int_equal(rc, AQ_EPARSE);
        if (!strstr(error.text, cases[i].message)) fail_msg("case %zu says \"%s\"", i, error.text);
        assert_int_equal(reply.port, 42);
    }
    aq_arena_close(&arena);
}

static void long_found_texts_are_cut_between_characters(void **state) {
    (void)state;
    const char *wire = PUT_WITH("\"tube\":\"t\",\"ttl\":\"\\nééééééééééééééééééééééééééééééééééééééé\"");
    struct aq_arena arena = {0};
    struct aq_request request;
    struct aq_error error = {0};
    assert_int_equal(aq_request_decode(wire, strlen(wire), &arena, &request, &error), AQ_EPARSE);
    assert_non_null(strstr(error.text, "found \"?ééé"));
    assert_non_null(strstr(error.text, "é...\", allowed"));
    aq_arena_close(&arena);
}

static void too_long_messages_are_refused_unread(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    char *bytes = aq_alloc(AQ_MESSAGE_BYTES_MAX + 1);
    memset(bytes, ' ', AQ_MESSAGE_BYTES_MAX + 1);
    struct aq_request request;
    struct aq_reply reply;
    assert_int_equal(aq_request_decode(bytes, AQ_MESSAGE_BYTES_MAX + 1, &arena, &request, NULL), AQ_ELIMIT);
    /* Nothing is read, so that there need not be so much. */
    assert_int_equal(
        aq_reply_decode(bytes, (size_t)AQ_REPLY_BYTES_MAX + 1, AQ_ACTION_GET, &arena, &reply, NULL),
        AQ_ELIMIT);
    assert_int_equal(aq_request_decode(bytes, AQ_MESSAGE_BYTES_MAX, &arena, &request, NULL), AQ_EPARSE);
    aq_free(bytes);
    aq_arena_close(&arena);
}

static void deep_nesting_is_an_error(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    char *bytes = aq_alloc(AQ_MESSAGE_BYTES_MAX);
    memset(bytes, '[', AQ_MESSAGE_BYTES_MAX);
    struct aq_request request;
    assert_int_equal(aq_request_decode(bytes, AQ_MESSAGE_BYTES_MAX, &arena, &request, NULL), AQ_EPARSE);
    aq_free(bytes);
    aq_arena_close(&arena);
}

/* Every text of a message that was accepted must lie in readable memory. */
static uint64_t touch_text(struct aq_text text) {
    uint64_t sum = text.len;
    for (uint32_t i = 0; i < text.len; i++)
        sum += (unsigned char)text.at[i];
    return sum;
}

static uint64_t touch_reply(const struct aq_reply *reply) {
    uint64_t sum = touch_text(reply->job_id) + touch_text(reply->error) + touch_text(reply->value);
    for (uint32_t i = 0; i < reply->job_count; i++)
        sum += touch_text(reply->jobs[i].job_id) + touch_text(reply->jobs[i].body) +
               touch_text(reply->jobs[i].tube);
    for (uint32_t i = 0; i < reply->server_count; i++) {
        sum += touch_text(reply->servers[i].server);
        for (uint32_t j = 0; j < reply->servers[i].tube_count; j++)
            sum += touch_text(reply->servers[i].tubes[j].tube);
    }
    return sum;
}

static uint64_t touch_request(const struct aq_request *request) {
    return touch_text(request->tube) + touch_text(request->job_id) + touch_text(request->body) +
           touch_text(request->parent_id) + touch_text(request->shard_key) + touch_text(request->address);
}

/* Decodes from a block of exactly this size, so that a sanitizer sees a step too far. */
static int decode_request_exactly(const char *bytes, size_t len, struct aq_arena *arena) {
    char *exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    struct aq_request request;
    int rc = aq_request_decode(exact, len, arena, &request, NULL);
    free(exact);
    if (!rc && touch_request(&request) == UINT64_MAX) return AQ_EINVALID;
    return rc;
}

static int decode_reply_exactly(const char *bytes, size_t len, enum aq_action asked, struct aq_arena *arena) {
    char *exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    struct aq_reply reply;
    int rc = aq_reply_decode(exact, len, asked, arena, &reply, NULL);
    free(exact);
    if (!rc && touch_reply(&reply) == UINT64_MAX) return AQ_EINVALID;
    return rc;
}

static void a_cut_request_is_an_error(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    for (size_t i = 0; i < request_sample_count; i++)
        for (size_t len = 0; len < strlen(request_samples[i].wire); len++) {
            assert_int_equal(decode_request_exactly(request_samples[i].wire, len, &arena), AQ_EPARSE);
            aq_arena_reset(&arena);
        }
    aq_arena_close(&arena);
}

/* Only a plain text can be cut and still be one. */
static void a_cut_reply_is_an_error_unless_it_is_plain_text(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    for (size_t i = 0; i < reply_sample_count; i++) {
        const struct reply_sample *sample = &reply_samples[i];
        bool version = sample->asked == AQ_ACTION_VERSION, error = sample->wire[0] == 'e';
        for (size_t len = 0; len < strlen(sample->wire); len++) {
            int expected = version || (error && len >= strlen("error: ")) ? 0 : AQ_EPARSE;
            assert_int_equal(decode_reply_exactly(sample->wire, len, sample->asked, &arena), expected);
            aq_arena_reset(&arena);
        }
    }
    aq_arena_close(&arena);
}

static uint32_t mutate(struct aq_random *random, char *bytes, uint32_t len, uint32_t capacity) {
    static const char interesting[] = "{}[]\",:\\u0-1e.tfn \x00\xff\xc3\xed";
    for (uint32_t times = 1 + aq_random_below(random, 4); times > 0; times--) {
        uint32_t at = aq_random_below(random, len + 1);
        char byte = aq_random_chance(random, 0.7)
                        ? interesting[aq_random_below(random, sizeof interesting - 1)]
                        : (char)aq_random_u64(random);
        uint32_t kind = aq_random_below(random, 4);
        if (kind == 0 && len < capacity) { /* insert */
            memmove(bytes + at + 1, bytes + at, len - at);
            bytes[at] = byte;
            len++;
        } else if (kind == 1 && at < len) { /* remove some */
            uint32_t gone = 1 + aq_random_below(random, len - at);
            if (gone > 4 && aq_random_chance(random, 0.8)) gone = 1;
            memmove(bytes + at, bytes + at + gone, len - at - gone);
            len -= gone;
        } else if (at < len) {
            bytes[at] = byte;
        }
    }
    return len;
}

enum { MUTATIONS = 100000, MUTATED_BYTES_MAX = 1000 };

static void mutated_requests_are_refused_or_read(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 7, "mutations", 0);
    struct aq_arena arena = {0};
    uint32_t good = 0, bad = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        char bytes[MUTATED_BYTES_MAX];
        const char *wire = request_samples[aq_random_below(&random, (uint32_t)request_sample_count)].wire;
        uint32_t len = (uint32_t)strlen(wire);
        memcpy(bytes, wire, len);
        len = mutate(&random, bytes, len, sizeof bytes);
        int rc = decode_request_exactly(bytes, len, &arena);
        assert_true(rc == 0 || rc == AQ_EPARSE || rc == AQ_ENOENT);
        if (rc)
            bad++;
        else
            good++;
        aq_arena_reset(&arena);
    }
    assert_true(good > MUTATIONS / 100 && bad > MUTATIONS / 10);
    aq_arena_close(&arena);
}

static void mutated_replies_are_refused_or_read(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 7, "mutations", 1);
    struct aq_arena arena = {0};
    uint32_t good = 0, bad = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        char bytes[MUTATED_BYTES_MAX];
        const struct reply_sample *sample =
            &reply_samples[aq_random_below(&random, (uint32_t)reply_sample_count)];
        uint32_t len = (uint32_t)strlen(sample->wire);
        memcpy(bytes, sample->wire, len);
        len = mutate(&random, bytes, len, sizeof bytes);
        int rc = decode_reply_exactly(bytes, len, sample->asked, &arena);
        assert_true(rc == 0 || rc == AQ_EPARSE);
        if (rc)
            bad++;
        else
            good++;
        aq_arena_reset(&arena);
    }
    assert_true(good > MUTATIONS / 100 && bad > MUTATIONS / 10);
    aq_arena_close(&arena);
}

/* Fails the n-th allocation of encoding and decoding, for every n, with nothing warm. */
static int request_with_little_memory(const struct request_sample *sample, uint64_t skip) {
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    struct aq_request request = {.priority = 42};
    aq_alloc_fail_after(skip);
    int rc = aq_request_encode(&sample->request, &bytes);
    if (!rc) rc = aq_request_decode(bytes.at, bytes.len, &arena, &request, NULL);
    aq_alloc_fail_after(UINT64_MAX);
    if (rc) assert_int_equal(request.priority, 42);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
    return rc;
}

static int reply_with_little_memory(const struct reply_sample *sample, uint64_t skip) {
    struct aq_bytes bytes = {0};
    struct aq_arena arena = {0};
    struct aq_reply reply = {.port = 42};
    aq_alloc_fail_after(skip);
    int rc = aq_reply_encode(&sample->reply, &bytes);
    if (!rc) rc = aq_reply_decode(bytes.at, bytes.len, sample->asked, &arena, &reply, NULL);
    aq_alloc_fail_after(UINT64_MAX);
    if (rc) assert_int_equal(reply.port, 42);
    aq_bytes_close(&bytes);
    aq_arena_close(&arena);
    return rc;
}

static void running_out_of_memory_is_reported_at_every_allocation(void **state) {
    (void)state;
    uint32_t failures = 0;
    for (size_t i = 0; i < request_sample_count; i++)
        for (uint64_t skip = 0;; skip++) {
            int rc = request_with_little_memory(&request_samples[i], skip);
            if (!rc) break;
            assert_int_equal(rc, AQ_ENOMEM);
            failures++;
        }
    for (size_t i = 0; i < reply_sample_count; i++)
        for (uint64_t skip = 0;; skip++) {
            int rc = reply_with_little_memory(&reply_samples[i], skip);
            if (!rc) break;
            assert_int_equal(rc, AQ_ENOMEM);
            failures++;
        }
    assert_true(failures > request_sample_count + reply_sample_count);
}

/* A big answer takes many blocks of the arena, so allocations inside cJSON fail as well. */
static void a_long_answer_survives_every_failing_allocation(void **state) {
    (void)state;
    struct aq_job jobs[300];
    for (int i = 0; i < 300; i++)
        jobs[i] = (struct aq_job){AQ_TEXT("id"), AQ_TEXT("a body"), AQ_TEXT("tube"), 0, 0};
    struct reply_sample sample = {.asked = AQ_ACTION_GET_MULTIPLE};
    sample.reply = (struct aq_reply){
        .kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_GET, .many = true, .jobs = jobs, .job_count = 300};
    uint64_t skip = 0;
    for (int rc; (rc = reply_with_little_memory(&sample, skip)); skip++)
        assert_int_equal(rc, AQ_ENOMEM);
    assert_true(skip > 30);
}

static void a_failed_parse_gives_its_memory_back(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_request request;
    const char *bad = PUT_WITH("\"tube\":\"t\",\"ttl\":\"abc\"");
    assert_non_null(aq_arena_alloc(&arena, 100));
    size_t used = arena.used;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(aq_request_decode(bad, strlen(bad), &arena, &request, NULL), AQ_EPARSE);
    assert_int_equal(arena.used, used);
    assert_ptr_equal(arena.current, arena.first);
    aq_arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_requests_are_named),
        cmocka_unit_test(malformed_replies_are_named),
        cmocka_unit_test(long_found_texts_are_cut_between_characters),
        cmocka_unit_test(too_long_messages_are_refused_unread),
        cmocka_unit_test(deep_nesting_is_an_error),
        cmocka_unit_test(a_cut_request_is_an_error),
        cmocka_unit_test(a_cut_reply_is_an_error_unless_it_is_plain_text),
        cmocka_unit_test(mutated_requests_are_refused_or_read),
        cmocka_unit_test(mutated_replies_are_refused_or_read),
        cmocka_unit_test(running_out_of_memory_is_reported_at_every_allocation),
        cmocka_unit_test(a_long_answer_survives_every_failing_allocation),
        cmocka_unit_test(a_failed_parse_gives_its_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
