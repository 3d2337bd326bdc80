/* Memory runs out at every place in turn: the step says so, and everything is given back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/memory.h"
#include "client/client.h"

#define STEPS_MAX 200

/* A short life: puts, gets and completions, a failure, a sick server, stats of all, the list changed. Every
   request that is sent is answered, except by server 1. */
struct life {
    struct aq_address_book book;
    struct aq_client *client;
    struct aq_client_effects effects;
    struct aq_client_effect todo[STEPS_MAX];
    uint32_t todo_count;
    uint64_t answers;
    aq_time_us now_us;
};

static int step(struct life *life, const struct aq_client_event *event) {
    int rc = aq_client_step(life->client, life->now_us, event, &life->effects);
    if (rc) return rc;
    aq_client_check(life->client);
    for (uint32_t i = 0; i < life->effects.count; i++) {
        assert_true(life->todo_count < STEPS_MAX);
        life->todo[life->todo_count++] = life->effects.items[i];
        life->answers += life->effects.items[i].kind == AQ_CLIENT_ANSWER;
    }
    return 0;
}

static int react(struct life *life) {
    static const struct aq_job job = {.job_id = {"j1", 2}};
    static const struct aq_tube_stats tube = {.tube = {"t", 1}};
    static const struct aq_server_stats stats = {.tubes = &tube, .tube_count = 1};
    int rc = 0;
    for (uint32_t i = 0; i < life->todo_count && !rc; i++) {
        struct aq_client_effect done = life->todo[i];
        struct aq_client_event event = {.kind = AQ_CLIENT_CONNECTED, .server = done.server};
        struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = done.request.action};
        if (done.kind == AQ_CLIENT_CONNECT && done.server == 1) event.kind = AQ_CLIENT_DISCONNECTED;
        if (done.kind == AQ_CLIENT_SEND) {
            event.kind = AQ_CLIENT_REPLY;
            event.correlation = done.correlation;
            event.reply = &reply;
            if (reply.action == AQ_ACTION_STATS) {
                reply.kind = AQ_REPLY_STATS;
                reply.servers = &stats;
                reply.server_count = 1;
            } else {
                reply.jobs = &job;
                reply.job_count = 1;
            }
        } else if (done.kind != AQ_CLIENT_CONNECT) {
            continue;
        }
        rc = step(life, &event);
    }
    life->todo_count = 0;
    return rc;
}

static int wake(struct life *life) {
    life->now_us = aq_client_next_wake(life->client);
    struct aq_client_event event = {.kind = AQ_CLIENT_WAKE};
    int rc = step(life, &event);
    return rc ? rc : react(life);
}

static int call(struct life *life, uint64_t name, const struct aq_request *request) {
    struct aq_client_event event = {.kind = AQ_CLIENT_CALL, .call = name, .request = request};
    int rc = step(life, &event);
    return rc ? rc : react(life);
}

static int begin(struct life *life) {
    static uint32_t servers[3];
    static const char *const addresses[3] = {"a", "b", "c"};
    for (uint32_t i = 0; i < 3; i++) {
        int rc = aq_address_book_add(&life->book, aq_text_of(addresses[i]), &servers[i], NULL);
        if (rc) return rc;
    }
    struct aq_client_config config = {
        .book = &life->book, .policy = &aq_client_policy_strict, .servers = servers, .server_count = 3};
    aq_random_init(&config.random, 1, "client", 0);
    return aq_client_new(&config, &life->client);
}

static int live(struct life *life) {
    struct aq_text address_b = {"b", 1};
    int rc = begin(life);
    if (rc) return rc;
    char id[16] = "1234567,j1";
    memcpy(id, life->book.items[1].id_of_address.text, AQ_SERVER_ID_CHARS);
    struct aq_request requests[] = {
        {.action = AQ_ACTION_GET, .tube = AQ_TEXT("t")},
        {.action = AQ_ACTION_GET, .tube = AQ_TEXT("t")},
        {.action = AQ_ACTION_GET, .tube = AQ_TEXT("t")},
        {.action = AQ_ACTION_TOUCH, .job_id = aq_text_of(id)},
        {.action = AQ_ACTION_STATS},
        {.action = AQ_ACTION_PEEK, .tube = AQ_TEXT("t")},
        {.action = AQ_ACTION_ADD_SERVER, .address = AQ_TEXT("d")},
        {.action = AQ_ACTION_UPDATE_SERVERS, .address = AQ_TEXT("a,e")},
        {.action = AQ_ACTION_DRAIN, .address = AQ_TEXT("a")},
        {.action = AQ_ACTION_ADD_SERVER, .address = address_b},
        {.action = AQ_ACTION_CLEAR, .tube = AQ_TEXT("t")},
    };
    uint32_t count = sizeof requests / sizeof *requests;
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = call(life, i, &requests[i]);
    for (uint32_t i = 0; i < 60 && !rc && aq_client_calls_open(life->client); i++)
        rc = wake(life);
    if (!rc) assert_int_equal(life->answers, count);
    return rc;
}

static int one_life(uint64_t fail_after) {
    struct life life = {0};
    aq_alloc_fail_after(fail_after);
    int rc = live(&life);
    aq_alloc_fail_after(UINT64_MAX);
    aq_client_free(life.client);
    aq_client_effects_close(&life.effects);
    aq_address_book_close(&life.book);
    return rc;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    uint64_t failures = 0;
    int rc;
    while ((rc = one_life(failures)) != 0) {
        assert_int_equal(rc, AQ_ENOMEM);
        failures++;
        assert_true(failures < 1000);
    }
    assert_in_range(failures, 30, 999);
}

static void a_warm_client_allocates_nothing(void **state) {
    (void)state;
    struct life life = {0};
    assert_int_equal(begin(&life), 0);
    struct aq_request get = {.action = AQ_ACTION_GET, .tube = AQ_TEXT("t")},
                      done = {.action = AQ_ACTION_DONE};
    char id[16] = "1234567,j1";
    memcpy(id, life.book.items[0].id_of_address.text, AQ_SERVER_ID_CHARS);
    done.job_id = aq_text_of(id);
    for (uint64_t i = 0; i < 2000; i++) {
        if (i == 1000) aq_alloc_fail_after(0);
        life.now_us = i;
        assert_int_equal(call(&life, i, i % 2 ? &done : &get), 0);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(life.answers, 2000);
    aq_client_free(life.client);
    aq_client_effects_close(&life.effects);
    aq_address_book_close(&life.book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_warm_client_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
