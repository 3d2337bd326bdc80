/* Words of actions, deep copies, equality. */
#include "samples.h"

#include <string.h>

#include "base/memory.h"

static void every_action_is_found_by_its_word(void **state) {
    (void)state;
    for (int i = 0; i < AQ_ACTION_COUNT; i++) {
        enum aq_action found = AQ_ACTION_COUNT;
        assert_int_equal(aq_action_parse(aq_text_of(aq_action_word(i)), &found), 0);
        assert_int_equal(found, i);
    }
    enum aq_action kept = AQ_ACTION_PUT;
    assert_int_equal(aq_action_parse(AQ_TEXT("Put"), &kept), AQ_ENOENT);
    assert_int_equal(aq_action_parse(AQ_TEXT(""), &kept), AQ_ENOENT);
    assert_int_equal(kept, AQ_ACTION_PUT);
}

static void five_actions_complete_a_job(void **state) {
    (void)state;
    int count = 0;
    for (int i = 0; i < AQ_ACTION_COUNT; i++)
        count += aq_action_is_completion(i);
    assert_int_equal(count, 5);
    assert_true(aq_action_is_completion(AQ_ACTION_BURY));
    assert_false(aq_action_is_completion(AQ_ACTION_KICK));
}

static void three_actions_are_answered_in_the_name_of_another(void **state) {
    (void)state;
    assert_int_equal(aq_action_answered_as(AQ_ACTION_PEEK), AQ_ACTION_GET);
    assert_int_equal(aq_action_answered_as(AQ_ACTION_GET_MULTIPLE), AQ_ACTION_GET);
    assert_int_equal(aq_action_answered_as(AQ_ACTION_UNPAUSE), AQ_ACTION_PAUSE);
    int same = 0;
    for (int i = 0; i < AQ_ACTION_COUNT; i++)
        same += (int)aq_action_answered_as(i) == i;
    assert_int_equal(same, AQ_ACTION_COUNT - 3);
}

/* Overwrites what the arena held: a text that still points there differs then. */
static void spoil(struct aq_arena *arena) {
    aq_arena_reset(arena);
    for (int i = 0; i < 20; i++)
        memset(aq_arena_alloc(arena, 4096), '#', 4096);
    aq_arena_reset(arena);
}

static void copied_requests_do_not_depend_on_the_original(void **state) {
    (void)state;
    struct aq_arena arena = {0}, other = {0};
    for (size_t i = 0; i < request_sample_count; i++) {
        const char *wire = request_samples[i].wire;
        struct aq_request original, copy;
        assert_int_equal(aq_request_decode(wire, strlen(wire), &arena, &original, NULL), 0);
        assert_int_equal(aq_request_copy(&original, &other, &copy), 0);
        spoil(&arena);
        assert_true(aq_request_equal(&copy, &request_samples[i].request));
    }
    aq_arena_close(&arena);
    aq_arena_close(&other);
}

static void copied_replies_do_not_depend_on_the_original(void **state) {
    (void)state;
    struct aq_arena arena = {0}, other = {0};
    for (size_t i = 0; i < reply_sample_count; i++) {
        const struct reply_sample *sample = &reply_samples[i];
        struct aq_reply original, copy;
        size_t len = strlen(sample->wire);
        assert_int_equal(aq_reply_decode(sample->wire, len, sample->asked, &arena, &original, NULL), 0);
        assert_int_equal(aq_reply_copy(&original, &other, &copy), 0);
        spoil(&arena);
        assert_true(aq_reply_equal(&copy, &sample->reply));
    }
    aq_arena_close(&arena);
    aq_arena_close(&other);
}

static void a_copy_without_memory_leaves_the_output_alone(void **state) {
    (void)state;
    struct aq_arena arena = {0};
    struct aq_request request = {.action = AQ_ACTION_KICK}, put = {.tube = AQ_TEXT("t")};
    struct aq_reply reply = {.port = 7}, error = {.error = AQ_TEXT("e")};
    aq_alloc_fail_after(0);
    assert_int_equal(aq_request_copy(&put, &arena, &request), AQ_ENOMEM);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_reply_copy(&error, &arena, &reply), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(request.action, AQ_ACTION_KICK);
    assert_int_equal(reply.port, 7);
    aq_arena_close(&arena);
}

static void samples_differ_from_one_another(void **state) {
    (void)state;
    for (size_t i = 0; i < request_sample_count; i++)
        for (size_t j = 0; j < request_sample_count; j++)
            assert_int_equal(aq_request_equal(&request_samples[i].request, &request_samples[j].request),
                             i == j);
}

static void every_field_of_a_request_counts(void **state) {
    (void)state;
    const struct aq_request base = {.action = AQ_ACTION_SET_PARENT_JOB,
                                    .given = UINT32_MAX,
                                    .tube = AQ_TEXT("t"),
                                    .body = AQ_TEXT("b"),
                                    .parent_id = AQ_TEXT("p"),
                                    .shard_key = AQ_TEXT("s"),
                                    .job_id = AQ_TEXT("j")};
    struct aq_request other = base;
    assert_true(aq_request_equal(&base, &other));
#define DIFFERS(change)                                                                                      \
    other = base;                                                                                            \
    other.change;                                                                                            \
    assert_false(aq_request_equal(&base, &other))
    DIFFERS(action = AQ_ACTION_PUT);
    DIFFERS(given &= ~(uint32_t)AQ_PARAM_TTL);
    DIFFERS(tube = AQ_TEXT("u"));
    DIFFERS(body = AQ_TEXT("bb"));
    DIFFERS(parent_id = AQ_TEXT(""));
    DIFFERS(shard_key = AQ_TEXT("S"));
    DIFFERS(job_id = AQ_TEXT("k"));
    DIFFERS(ttl_s = 1);
    DIFFERS(delay_s = 1);
    DIFFERS(timeout_s = 1);
    DIFFERS(priority = 1);
    DIFFERS(expired_limit = 1);
    DIFFERS(limit = 1);
    DIFFERS(noop = true);
    DIFFERS(run_on_timeout = true);
    other = base;
    other.tps = 3; /* no parameter of this action */
    assert_true(aq_request_equal(&base, &other));
}

static void every_field_of_a_reply_counts(void **state) {
    (void)state;
    const struct aq_job jobs[2] = {{AQ_TEXT("a"), AQ_TEXT("b"), AQ_TEXT("c"), 1, 2}};
    const struct aq_tube_stats tubes[2] = {{.tube = AQ_TEXT("t")}};
    const struct aq_server_stats servers[2] = {{.server = AQ_TEXT("s"), .tubes = tubes, .tube_count = 1}};
    const struct aq_reply base = {
        .job_id = AQ_TEXT("j"), .jobs = jobs, .job_count = 1, .servers = servers, .server_count = 1};
    struct aq_reply other = base;
    assert_true(aq_reply_equal(&base, &other));
#undef DIFFERS
#define DIFFERS(change)                                                                                      \
    other = base;                                                                                            \
    other.change;                                                                                            \
    assert_false(aq_reply_equal(&base, &other))
    DIFFERS(kind = AQ_REPLY_EMPTY);
    DIFFERS(action = AQ_ACTION_DONE);
    DIFFERS(many = true);
    DIFFERS(has_job_id = true);
    DIFFERS(has_error = true);
    DIFFERS(has_value = true);
    DIFFERS(port = 1);
    DIFFERS(job_id = AQ_TEXT("k"));
    DIFFERS(error = AQ_TEXT("e"));
    DIFFERS(value = AQ_TEXT("v"));
    DIFFERS(job_count = 2);
    DIFFERS(server_count = 2);
    struct aq_job job;
#define JOB_DIFFERS(change)                                                                                  \
    job = jobs[0];                                                                                           \
    job.change;                                                                                              \
    DIFFERS(jobs = &job)
    JOB_DIFFERS(job_id = AQ_TEXT("x"));
    JOB_DIFFERS(body = AQ_TEXT("x"));
    JOB_DIFFERS(tube = AQ_TEXT("x"));
    JOB_DIFFERS(expireds = 9);
    JOB_DIFFERS(releases = 9);
    struct aq_server_stats server;
    struct aq_tube_stats tube;
#define TUBE_DIFFERS(change)                                                                                 \
    tube = tubes[0];                                                                                         \
    tube.change;                                                                                             \
    server = servers[0];                                                                                     \
    server.tubes = &tube;                                                                                    \
    DIFFERS(servers = &server)
    TUBE_DIFFERS(tube = AQ_TEXT("x"));
    TUBE_DIFFERS(ready = 1);
    TUBE_DIFFERS(delayed = 1);
    TUBE_DIFFERS(reserved = 1);
    TUBE_DIFFERS(buried = 1);
    TUBE_DIFFERS(parents = 1);
    TUBE_DIFFERS(has_throttle = true);
    TUBE_DIFFERS(avg_s = 1);
    TUBE_DIFFERS(tps = 1);
    server = servers[0];
    server.job_put = 1;
    DIFFERS(servers = &server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_is_found_by_its_word),
        cmocka_unit_test(five_actions_complete_a_job),
        cmocka_unit_test(three_actions_are_answered_in_the_name_of_another),
        cmocka_unit_test(copied_requests_do_not_depend_on_the_original),
        cmocka_unit_test(copied_replies_do_not_depend_on_the_original),
        cmocka_unit_test(a_copy_without_memory_leaves_the_output_alone),
        cmocka_unit_test(samples_differ_from_one_another),
        cmocka_unit_test(every_field_of_a_request_counts),
        cmocka_unit_test(every_field_of_a_reply_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
