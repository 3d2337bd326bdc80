/* Random events on a few servers, right, wrong, late and twice: whatever comes, each call has exactly one
   answer, nothing is sent over a connection that is not up, and a strict client sends no put twice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/assert.h"
#include "client/client.h"

#define SERVERS   5
#define EVENTS    70000 /* for each of three seeds */
#define CALLS_MAX (EVENTS + 1)
#define SENDS_MAX 4096

enum world_connection { WORLD_IDLE, WORLD_CONNECTING, WORLD_UP };

struct world_send {
    uint32_t server, correlation;
    enum aq_action action;
    char job[8];
};

struct world {
    struct aq_address_book book;
    struct aq_client *client;
    uint32_t servers[SERVERS];
    struct aq_client_effects effects;
    struct aq_random random;
    const struct aq_client_policy *policy;
    aq_time_us now_us;
    enum world_connection connections[64];
    uint8_t answers[CALLS_MAX], puts_sent[CALLS_MAX];
    enum aq_action actions[CALLS_MAX];
    struct aq_request *requests; /* by call */
    char (*ids)[32];
    uint32_t calls, answered, outcomes[6];
    struct world_send sends[SENDS_MAX]; /* the latest, by number modulo the size */
    uint32_t send_count;
};

static void carry_out(struct world *w, const struct aq_client_effect *e) {
    switch (e->kind) {
    case AQ_CLIENT_CONNECT:
        assert_int_equal(w->connections[e->server], WORLD_IDLE);
        w->connections[e->server] = WORLD_CONNECTING;
        break;
    case AQ_CLIENT_CLOSE:
        assert_int_not_equal(w->connections[e->server], WORLD_IDLE);
        w->connections[e->server] = WORLD_IDLE;
        break;
    case AQ_CLIENT_SEND: {
        assert_int_equal(w->connections[e->server], WORLD_UP);
        struct world_send *send = &w->sends[w->send_count++ % SENDS_MAX];
        *send = (struct world_send){e->server, e->correlation, (enum aq_action)e->request.action, ""};
        snprintf(send->job, sizeof send->job, "%.*s", AQ_TEXT_ARGS(e->request.job_id));
        assert_null(memchr(send->job, ',', sizeof send->job));
        if (!e->own && e->request.action == AQ_ACTION_PUT) w->puts_sent[e->call]++;
        if (!e->own) assert_int_equal(w->answers[e->call], 0);
        break;
    }
    case AQ_CLIENT_ANSWER:
        w->answers[e->call]++;
        w->answered++;
        w->outcomes[e->outcome]++;
        assert_int_equal(w->answers[e->call], 1);
        if (e->outcome == AQ_OUTCOME_OK) assert_non_null(e->reply);
        if (e->outcome == AQ_OUTCOME_UNAVAILABLE && w->actions[e->call] == AQ_ACTION_PUT)
            assert_int_equal(w->puts_sent[e->call], 0);
        break;
    default: break;
    }
}

static void step(struct world *w, const struct aq_client_event *event) {
    assert_int_equal(aq_client_step(w->client, w->now_us, event, &w->effects), 0);
    for (uint32_t i = 0; i < w->effects.count; i++)
        carry_out(w, &w->effects.items[i]);
    aq_client_check(w->client);
    assert_int_equal(aq_client_calls_open(w->client), w->calls - w->answered);
}

static void make_call(struct world *w) {
    static const enum aq_action often[] = {AQ_ACTION_PUT, AQ_ACTION_GET, AQ_ACTION_DONE, AQ_ACTION_TOUCH,
                                           AQ_ACTION_RELEASE};
    uint32_t call = w->calls++, kind = aq_random_below(&w->random, 100);
    enum aq_action action = kind < 90 ? often[aq_random_below(&w->random, 5)]
                                      : (enum aq_action)aq_random_below(&w->random, AQ_ACTION_COUNT);
    if (action == AQ_ACTION_UPDATE_SERVERS && kind < 98) action = AQ_ACTION_STATS;
    struct aq_request *r = &w->requests[call];
    *r = (struct aq_request){.action = (uint8_t)action, .tube = AQ_TEXT("t"), .tps = 10};
    uint32_t server = aq_random_below(&w->random, SERVERS + 1);
    if (action != AQ_ACTION_PUT && action != AQ_ACTION_GET) {
        const char *id = server < SERVERS ? w->book.items[server].id_of_address.text : "unknown";
        snprintf(w->ids[call], sizeof w->ids[call], "%s,%u", id, call % 1000);
        r->job_id = aq_text_of(w->ids[call]);
        if (action == AQ_ACTION_KICK && call % 2) r->job_id.len = 0;
        if (call % 50 == 0) r->job_id = AQ_TEXT("41"); /* names no server */
    }
    static const char *const lists[] = {"s0,s1,s2,s3,s4", "s0,s1", "s4,s3,s2", "s5,s0"};
    if (action == AQ_ACTION_DRAIN || action == AQ_ACTION_ADD_SERVER)
        r->address = aq_text_of(w->book.items[server % SERVERS].text);
    if (action == AQ_ACTION_UPDATE_SERVERS) r->address = aq_text_of(lists[aq_random_below(&w->random, 4)]);
    w->actions[call] = action;
    struct aq_client_event event = {.kind = AQ_CLIENT_CALL, .call = call, .request = r};
    step(w, &event);
}

static struct aq_reply make_reply(struct world *w, const struct world_send *send, bool wrong) {
    static const struct aq_tube_stats tube = {.tube = {"t", 1}, .ready = 1};
    static const struct aq_server_stats stats[2] = {{.tubes = &tube, .tube_count = 1}, {.tube_count = 0}};
    static const struct aq_job job = {.job_id = {"41", 2}, .body = {"b", 1}, .tube = {"t", 1}};
    struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = (uint8_t)send->action};
    enum aq_action action =
        wrong ? (enum aq_action)aq_random_below(&w->random, AQ_ACTION_COUNT) : send->action;
    uint32_t dice = aq_random_below(&w->random, 100);
    if (action == AQ_ACTION_PING) reply.kind = AQ_REPLY_PONG;
    if (action == AQ_ACTION_STATS) {
        reply.kind = AQ_REPLY_STATS;
        reply.servers = &stats[dice % 2];
        reply.server_count = 1;
    }
    if (action == AQ_ACTION_GET && dice < 50) {
        reply.jobs = &job;
        reply.job_count = 1;
    }
    if (action == AQ_ACTION_PUT) {
        reply.has_job_id = true;
        reply.job_id = AQ_TEXT("7");
    } else if (send->job[0]) {
        reply.has_job_id = true;
        reply.job_id = wrong ? AQ_TEXT("x") : aq_text_of(send->job);
    }
    if (dice >= 95) {
        reply.has_error = true;
        reply.error = AQ_TEXT("no");
    }
    if (dice == 90) reply = (struct aq_reply){.kind = AQ_REPLY_ERROR, .error = AQ_TEXT("no")};
    if (dice == 91 && wrong)
        reply = (struct aq_reply){.kind = AQ_REPLY_REDIRECT, .value = AQ_TEXT("s5"), .port = 5555};
    return reply;
}

/* A reply to one of the last requests: right, malformed, of another kind, from another server, or to an
 * answered one. */
static void give_reply(struct world *w) {
    if (!w->send_count) return;
    uint32_t back = aq_random_below(&w->random, aq_random_chance(&w->random, 0.9) ? 8 : SENDS_MAX);
    if (back >= w->send_count) return;
    struct world_send send = w->sends[(w->send_count - 1 - back) % SENDS_MAX];
    uint32_t dice = aq_random_below(&w->random, 100);
    if (dice < 3) send.server = aq_random_below(&w->random, SERVERS);
    struct aq_reply reply = make_reply(w, &send, dice >= 3 && dice < 8);
    struct aq_client_event event = {.kind = AQ_CLIENT_REPLY,
                                    .server = send.server,
                                    .correlation = send.correlation,
                                    .reply = dice >= 98 ? NULL : &reply};
    step(w, &event);
}

static void touch_connection(struct world *w, bool kind) {
    uint32_t server = aq_random_below(&w->random, SERVERS + 1);
    if (w->connections[server] == WORLD_IDLE) return;
    bool up = w->connections[server] == WORLD_CONNECTING && kind;
    if (w->connections[server] == WORLD_UP && aq_random_below(&w->random, 20)) return;
    w->connections[server] = up ? WORLD_UP : WORLD_IDLE;
    struct aq_client_event event = {.kind = up ? AQ_CLIENT_CONNECTED : AQ_CLIENT_DISCONNECTED,
                                    .server = server};
    step(w, &event);
}

static void pass_time(struct world *w) {
    aq_time_us next_us = aq_client_next_wake(w->client);
    aq_time_us by_us = w->now_us + aq_random_below(&w->random, 200000);
    w->now_us = next_us <= by_us && next_us > w->now_us ? next_us : next_us <= w->now_us ? w->now_us : by_us;
    struct aq_client_event event = {.kind = AQ_CLIENT_WAKE};
    if (next_us <= w->now_us || aq_random_below(&w->random, 10) == 0) step(w, &event);
}

static struct world *open_world(const struct aq_client_policy *policy, uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    w->requests = calloc(CALLS_MAX, sizeof *w->requests);
    w->ids = calloc(CALLS_MAX, sizeof *w->ids);
    uint32_t spare;
    char text[8];
    for (uint32_t i = 0; i <= SERVERS; i++) {
        snprintf(text, sizeof text, "s%u", i);
        assert_int_equal(
            aq_address_book_add(&w->book, aq_text_of(text), i < SERVERS ? &w->servers[i] : &spare, NULL), 0);
    }
    w->policy = policy;
    aq_random_init(&w->random, seed, "world", 0);
    struct aq_client_config config = {
        .book = &w->book, .policy = policy, .servers = w->servers, .server_count = SERVERS};
    aq_random_init(&config.random, seed, "client", 0);
    assert_int_equal(aq_client_new(&config, &w->client), 0);
    return w;
}

static void close_world(struct world *w) {
    aq_client_free(w->client);
    aq_client_effects_close(&w->effects);
    aq_address_book_close(&w->book);
    free(w->requests);
    free(w->ids);
    free(w);
}

static void live(struct world *w, uint32_t events) {
    for (uint32_t i = 0; i < events; i++) {
        uint32_t dice = aq_random_below(&w->random, 100);
        if (dice < 25 && aq_client_calls_open(w->client) < 200)
            make_call(w);
        else if (dice < 60)
            give_reply(w);
        else if (dice < 75)
            touch_connection(w, dice < 73);
        else
            pass_time(w);
    }
}

/* Nothing more comes from outside; the client must end every call by itself. */
static void end_by_silence(struct world *w) {
    for (uint32_t i = 0; aq_client_calls_open(w->client) && i < 100000; i++) {
        aq_time_us next_us = aq_client_next_wake(w->client);
        assert_true(next_us != AQ_TIME_NEVER);
        if (next_us > w->now_us) w->now_us = next_us;
        struct aq_client_event event = {.kind = AQ_CLIENT_WAKE};
        step(w, &event);
    }
}

static void strict_answers_each_call_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world *w = open_world(&aq_client_policy_strict, seed);
        live(w, EVENTS);
        end_by_silence(w);
        assert_int_equal(w->answered, w->calls);
        for (uint32_t i = 0; i < w->calls; i++)
            assert_true(w->puts_sent[i] <= 1);
        for (int outcome = AQ_OUTCOME_OK; outcome <= AQ_OUTCOME_INVALID; outcome++)
            assert_true(w->outcomes[outcome] > 20);
        assert_int_equal(w->outcomes[AQ_OUTCOME_EMPTY], 0);
        close_world(w);
    }
}

/* Upstream may leave calls unanswered for ever, but never answers one twice. */
static void upstream_answers_no_call_twice(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_upstream;
    policy.id_from_host_only = false;
    policy.reconnect_recovers = true;
    struct world *w = open_world(&policy, 4);
    live(w, EVENTS);
    assert_true(w->answered > 1000);
    assert_int_equal(w->outcomes[AQ_OUTCOME_UNKNOWN] + w->outcomes[AQ_OUTCOME_UNAVAILABLE] +
                         w->outcomes[AQ_OUTCOME_INVALID],
                     0);
    assert_true(w->outcomes[AQ_OUTCOME_EMPTY] > 20);
    close_world(w);
}

/* Whichever choice is changed alone, in either profile, the tables of the client stay sound and no call is
   answered twice. */
static void each_policy_can_be_switched_alone(void **state) {
    (void)state;
    const struct aq_client_policy *from[2] = {&aq_client_policy_strict, &aq_client_policy_upstream};
    for (uint32_t profile = 0; profile < 2; profile++)
        for (size_t i = 0; i < aq_client_policy_table.count; i++) {
            const struct aq_policy_field *field = &aq_client_policy_table.fields[i];
            struct aq_client_policy policy = *from[profile];
            char value[64];
            aq_policy_format(field, from[1 - profile], value, sizeof value);
            assert_int_equal(aq_policy_set(&aq_client_policy_table, &policy, field->name, value, NULL), 0);
            struct world *w = open_world(&policy, i + 1);
            live(w, EVENTS / 20);
            assert_true(w->answered > 0);
            close_world(w);
        }
}

static void each_way_to_choose_keeps_the_tables_sound(void **state) {
    (void)state;
    for (uint32_t select = AQ_SELECT_ROUND_ROBIN; select <= AQ_SELECT_LEAST_EMPTY; select++) {
        struct aq_client_policy policy = aq_client_policy_strict;
        policy.select = select;
        struct world *w = open_world(&policy, select);
        live(w, EVENTS / 10);
        assert_true(w->answered > 0);
        close_world(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_answers_each_call_once),
        cmocka_unit_test(upstream_answers_no_call_twice),
        cmocka_unit_test(each_policy_can_be_switched_alone),
        cmocka_unit_test(each_way_to_choose_keeps_the_tables_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
