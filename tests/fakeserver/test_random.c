/* Hundreds of thousands of random events: nothing is lost, nothing is told twice, no table breaks; and the
   same again with the same stream. And what happens when memory runs out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/server.h"
#include "protocol/ids.h"

#define EVENTS         300000
#define EVENTS_AGAIN   60000 /* where runs are compared with one another */
#define TOKENS         256
#define KNOWN_IDS      64
#define RECENT_PARENTS 8
#define CHECK_EVERY    97

struct chaos {
    struct aq_server_policy policy;
    struct aq_service_model service;
    struct aq_random random;
    struct aq_server *server;
    struct aq_server_effects effects;
    aq_time_us now_us;
    bool persistent, saving;
    struct aq_request requests[TOKENS];
    char ids_used[TOKENS][AQ_JOB_ID_CHARS]; /* job ids as the requests borrow them */
    char parents_used[TOKENS][AQ_JOB_ID_CHARS];
    char parents[RECENT_PARENTS][AQ_JOB_ID_CHARS]; /* of the taps */
    uint32_t parent_count;
    bool open[TOKENS];
    char known[KNOWN_IDS][AQ_JOB_ID_CHARS]; /* ids that replies have named */
    uint32_t known_count;
    uint64_t sent, finished, replies, puts, gone, held_before;
    uint64_t leases_open; /* leases made less leases ended, by the taps */
    uint64_t taps[AQ_TAP_COUNT];
    uint64_t last_lease;
    uint64_t digest; /* of all that was told */
};

static const char *const tubes[] = {"a", "b", "c", "fq-d", "fq-e"};
#define TUBES (sizeof tubes / sizeof *tubes)

static uint32_t below(struct chaos *chaos, uint32_t n) {
    return aq_random_below(&chaos->random, n);
}

static void mix(struct chaos *chaos, uint64_t value) {
    chaos->digest = (chaos->digest ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void note_id(struct chaos *chaos, struct aq_text id) {
    if (id.len != AQ_JOB_ID_CHARS) return;
    uint32_t at =
        chaos->known_count < KNOWN_IDS ? chaos->known_count++ : aq_random_below(&chaos->random, KNOWN_IDS);
    memcpy(chaos->known[at], id.at, AQ_JOB_ID_CHARS);
}

static void take_tap(struct chaos *chaos, const struct aq_tap *tap) {
    chaos->taps[tap->kind]++;
    mix(chaos, (uint64_t)tap->kind << 32 ^ tap->job_hash ^ tap->lease << 8 ^ tap->due_us);
    if (tap->kind == AQ_TAP_PARENT_HELD && tap->job_id.len == AQ_JOB_ID_CHARS) {
        uint32_t at =
            chaos->parent_count < RECENT_PARENTS ? chaos->parent_count++ : below(chaos, RECENT_PARENTS);
        memcpy(chaos->parents[at], tap->job_id.at, AQ_JOB_ID_CHARS);
    }
    bool was_held = tap->before == AQ_JOB_RESERVED;
    switch (tap->kind) {
    case AQ_TAP_PUT:
    case AQ_TAP_PARENT_HELD: chaos->puts++; break;
    case AQ_TAP_NOOP_DONE:
    case AQ_TAP_REAPED: chaos->gone++; break;
    case AQ_TAP_LEASE:
    case AQ_TAP_TAKEN:
        assert_true(tap->lease > chaos->last_lease);
        chaos->last_lease = tap->lease;
        if (tap->kind == AQ_TAP_LEASE) chaos->leases_open++;
        if (tap->kind == AQ_TAP_TAKEN) chaos->gone++;
        break;
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_CLEARED:
        chaos->gone++;
        if (was_held) chaos->leases_open--;
        assert_int_equal(tap->lease != 0, was_held);
        break;
    case AQ_TAP_RELEASED:
    case AQ_TAP_BURIED:
    case AQ_TAP_AUTOBURIED:
    case AQ_TAP_EXPIRED:
        assert_true(was_held && tap->lease != 0);
        chaos->leases_open--;
        break;
    default: break;
    }
}

static void take_effects(struct chaos *chaos) {
    bool wrote = false;
    for (uint32_t i = 0; i < chaos->effects.count; i++) {
        const struct aq_server_effect *effect = &chaos->effects.items[i];
        mix(chaos, effect->kind);
        switch (effect->kind) {
        case AQ_SERVER_FINISHED:
            assert_true(effect->token < TOKENS && chaos->open[effect->token]);
            chaos->open[effect->token] = false;
            memset(&chaos->requests[effect->token], 0xee, sizeof chaos->requests[0]);
            chaos->finished++;
            break;
        case AQ_SERVER_REPLY:
            assert_true(effect->correlation < TOKENS && chaos->open[effect->correlation]);
            chaos->replies++;
            mix(chaos, effect->reply.kind * 64u + effect->reply.job_count);
            if (effect->reply.has_job_id) note_id(chaos, effect->reply.job_id);
            for (uint32_t job = 0; job < effect->reply.job_count; job++) {
                note_id(chaos, effect->reply.jobs[job].job_id);
                mix(chaos, aq_text_hash(effect->reply.jobs[job].body));
            }
            break;
        case AQ_SERVER_TAP: take_tap(chaos, &effect->tap); break;
        case AQ_SERVER_PERSIST:
        case AQ_SERVER_UNPERSIST:
            assert_true(chaos->persistent);
            mix(chaos, aq_text_hash(effect->record.job_id));
            wrote = true;
        }
    }
    if (wrote) chaos->saving = true;
}

static int step(struct chaos *chaos, struct aq_server_event event) {
    int rc = aq_server_step(chaos->server, chaos->now_us, &event, &chaos->effects);
    if (rc == 0) take_effects(chaos);
    return rc;
}

/* The id of a parent put lately, or of any job. */
static struct aq_text recent_parent(struct chaos *chaos, uint32_t token) {
    const char *from = chaos->parent_count && below(chaos, 10)
                           ? chaos->parents[below(chaos, chaos->parent_count)]
                           : chaos->known[below(chaos, chaos->known_count)];
    memcpy(chaos->parents_used[token], from, AQ_JOB_ID_CHARS);
    return (struct aq_text){chaos->parents_used[token], AQ_JOB_ID_CHARS};
}

static struct aq_request random_request(struct chaos *chaos, uint32_t token) {
    static const uint8_t often[] = {AQ_ACTION_PUT,  AQ_ACTION_PUT,     AQ_ACTION_GET,           AQ_ACTION_GET,
                                    AQ_ACTION_DONE, AQ_ACTION_RELEASE, AQ_ACTION_SET_PARENT_JOB};
    static const char *const keys[] = {"k", "key", "another", "_", ""};
    static char body[100];
    struct aq_request request = {0};
    request.action =
        below(chaos, 4) ? often[below(chaos, sizeof often)] : (uint8_t)below(chaos, AQ_ACTION_COUNT);
    request.given = AQ_PARAM_TUBE | AQ_PARAM_JOB_ID | (uint32_t)aq_random_u64(&chaos->random);
    if (below(chaos, 50) == 0) request.given &= (uint32_t)aq_random_u64(&chaos->random);
    if (request.action == AQ_ACTION_ADMIN)
        request.given &= ~(uint32_t)AQ_PARAM_PORT; /* a redirect would end all gets */
    if (request.action == AQ_ACTION_GET && below(chaos, 4))
        request.given &= ~(uint32_t)(AQ_PARAM_REMOVE | AQ_PARAM_COUNT);
    if (request.action == AQ_ACTION_PAUSE && below(chaos, 2)) request.action = AQ_ACTION_UNPAUSE;
    if (request.action == AQ_ACTION_CLEAR && below(chaos, 8)) request.action = AQ_ACTION_KICK;
    request.tube = aq_text_of(tubes[below(chaos, TUBES)]);
    memset(body, 'b', sizeof body);
    request.body = (struct aq_text){body, below(chaos, sizeof body)};
    request.priority = (int32_t)below(chaos, 14) - 2;
    request.expired_limit = (int32_t)below(chaos, 4);
    request.count = (int32_t)below(chaos, 6) - 1;
    request.tps = below(chaos, 2) ? 0 : below(chaos, 40) / 4.0;
    request.ttl_s = below(chaos, 8);
    request.delay_s = below(chaos, 2) ? 0 : (int64_t)below(chaos, 5);
    request.remove = below(chaos, 2);
    request.buried = below(chaos, 2);
    request.limit = (int32_t)below(chaos, 5) - 1;
    request.timeout_s = below(chaos, 20);
    request.run_on_timeout = below(chaos, 2);
    request.noop = below(chaos, 3) == 0;
    request.shard_key = aq_text_of(keys[below(chaos, 5)]);
    if (chaos->known_count) {
        memcpy(chaos->ids_used[token], chaos->known[below(chaos, chaos->known_count)], AQ_JOB_ID_CHARS);
        request.job_id = (struct aq_text){chaos->ids_used[token], AQ_JOB_ID_CHARS};
        if (request.action == AQ_ACTION_SET_PARENT_JOB && below(chaos, 4)) request.job_id.len = 0;
        bool child = request.action == AQ_ACTION_PUT || request.action == AQ_ACTION_SET_PARENT_JOB;
        if (child && below(chaos, 2)) request.parent_id = recent_parent(chaos, token);
    }
    return request;
}

static int send(struct chaos *chaos) {
    uint32_t token = below(chaos, TOKENS);
    while (chaos->open[token])
        token = (token + 1) % TOKENS; /* the queue holds fewer than there are tokens */
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST,
                                    .peer = token,
                                    .correlation = token,
                                    .token = token,
                                    .malformed = AQ_TEXT("odd")};
    if (below(chaos, 100)) {
        chaos->requests[token] = random_request(chaos, token);
        if (below(chaos, 100) == 0) { /* for a tube that is left alone until it is dropped */
            chaos->requests[token].tube = AQ_TEXT("idle");
            chaos->requests[token].delay_s = 20000;
        }
        event.request = &chaos->requests[token];
    }
    chaos->open[token] = true;
    chaos->sent++;
    return step(chaos, event);
}

static int fault(struct chaos *chaos) {
    struct aq_fault_rule rule = {.kind = (enum aq_server_fault_kind)below(chaos, AQ_SERVER_FAULT_COUNT),
                                 .id = below(chaos, 6),
                                 .actions = below(chaos, 2) ? 0 : (uint32_t)aq_random_u64(&chaos->random),
                                 .probability = below(chaos, 3) / 2.0,
                                 .nth = below(chaos, 4),
                                 .factor = below(chaos, 4),
                                 .jump_us = (int64_t)below(chaos, 20000000) - 10000000};
    if (below(chaos, 2)) rule.tube = aq_text_of(tubes[below(chaos, TUBES)]);
    return step(chaos, (struct aq_server_event){.kind = AQ_SERVER_FAULT, .rule = &rule});
}

static int random_event(struct chaos *chaos) {
    aq_time_us wake_us = aq_server_next_wake(chaos->server);
    uint32_t dice = below(chaos, 1000);
    if (chaos->saving && dice < 600) {
        chaos->saving = false;
        return step(chaos, (struct aq_server_event){.kind = AQ_SERVER_SAVED});
    }
    if (dice < 4) return fault(chaos);
    if (dice < 30)
        return step(chaos, (struct aq_server_event){.kind = AQ_SERVER_HEAL, .rule_id = below(chaos, 6)});
    if (wake_us != AQ_TIME_NEVER && dice < 500) {
        if (wake_us > chaos->now_us) chaos->now_us = wake_us;
        return step(chaos, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
    }
    aq_time_us later_us = chaos->now_us + below(chaos, 30000);
    if (later_us > wake_us && below(chaos, 10)) later_us = wake_us > chaos->now_us ? wake_us : chaos->now_us;
    chaos->now_us = later_us;
    if (dice == 999 && below(chaos, 20) == 0) chaos->now_us += 2 * 3600 * AQ_US_PER_S; /* tubes idle away */
    return send(chaos);
}

static void open_chaos(struct chaos *chaos, uint64_t seed, const struct aq_server_policy *policy,
                       bool persistent) {
    memset(chaos, 0, sizeof *chaos);
    chaos->policy = *policy;
    chaos->policy.blank_request_wedges = false;
    chaos->persistent = persistent;
    for (int action = 0; action < AQ_ACTION_COUNT; action++)
        chaos->service.by_action[action] = AQ_CONSTANT_US(action % 3 * 3000);
    chaos->service.by_action[AQ_ACTION_GET] =
        (struct aq_distribution){.kind = AQ_DISTRIBUTION_EXPONENTIAL, .a_us = 4000};
    aq_random_init(&chaos->random, seed, "chaos", 0);
}

static int start_chaos(struct chaos *chaos) {
    struct aq_server_config config = {.policy = &chaos->policy,
                                      .service = &chaos->service,
                                      .persistent = chaos->persistent,
                                      .taps = true,
                                      .default_ttl_s = 4,
                                      .queue_max = 200};
    aq_random_init(&config.random, 2, "server", 0);
    return aq_server_new(&config, &chaos->server);
}

static void close_chaos(struct chaos *chaos) {
    aq_server_free(chaos->server);
    aq_server_effects_close(&chaos->effects);
}

static void check(const struct chaos *chaos) {
    aq_server_check(chaos->server);
    struct aq_server_counters counters = aq_server_counters(chaos->server);
    uint64_t held = 0;
    for (int state = 0; state < AQ_JOB_STATE_COUNT; state++)
        held += counters.jobs[state];
    assert_int_equal(chaos->puts, held + chaos->gone);
    assert_int_equal(chaos->leases_open, counters.jobs[AQ_JOB_RESERVED]);
    assert_int_equal(chaos->sent, chaos->finished + counters.queue);
    assert_int_equal(chaos->sent, counters.requests);
}

static uint64_t run(uint64_t seed, const struct aq_server_policy *policy, bool persistent, uint32_t events) {
    struct chaos chaos;
    open_chaos(&chaos, seed, policy, persistent);
    assert_int_equal(start_chaos(&chaos), 0);
    for (uint32_t i = 0; i < events; i++) {
        assert_int_equal(random_event(&chaos), 0);
        if (i % CHECK_EVERY == 0) check(&chaos);
    }
    for (uint32_t id = 0; id < 6; id++)
        step(&chaos, (struct aq_server_event){.kind = AQ_SERVER_HEAL, .rule_id = id});
    while (aq_server_counters(chaos.server).queue) { /* let it finish what waits */
        if (chaos.saving) {
            chaos.saving = false;
            step(&chaos, (struct aq_server_event){.kind = AQ_SERVER_SAVED});
            continue;
        }
        aq_time_us wake_us = aq_server_next_wake(chaos.server);
        assert_true(wake_us != AQ_TIME_NEVER);
        if (wake_us > chaos.now_us) chaos.now_us = wake_us;
        step(&chaos, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
    }
    check(&chaos);
    assert_int_equal(chaos.sent, chaos.finished);
    for (int kind = 0; kind < AQ_TAP_COUNT; kind++) /* it went everywhere */
        if (kind != AQ_TAP_RESTORED && (kind != AQ_TAP_REAPED || policy->reaper_ignores_delayed))
            if (!chaos.taps[kind])
                fail_msg("no job was ever told as %s", aq_tap_word((enum aq_tap_kind)kind));
    assert_true(chaos.replies > chaos.sent / 10 && chaos.puts > events / 30);
    close_chaos(&chaos);
    return chaos.digest;
}

static void random_events_break_nothing_in_strict(void **state) {
    (void)state;
    run(1, &aq_server_policy_strict, false, EVENTS);
}

static void random_events_break_nothing_upstream(void **state) {
    (void)state;
    run(2, &aq_server_policy_upstream, false, EVENTS);
}

static void random_events_break_nothing_with_a_disk(void **state) {
    (void)state;
    run(3, &aq_server_policy_strict, true, EVENTS);
}

static void the_same_events_give_the_same_story_wherever_memory_lies(void **state) {
    (void)state;
    uint64_t first = run(4, &aq_server_policy_upstream, true, EVENTS_AGAIN);
    aq_alloc_set_padding(48);
    uint64_t second = run(4, &aq_server_policy_upstream, true, EVENTS_AGAIN);
    aq_alloc_set_padding(0);
    assert_true(first == second);
    assert_true(first != run(5, &aq_server_policy_upstream, true, EVENTS_AGAIN));
}

/* Sends a put or, every other time, a get that takes the job; there is always one more waiting than is
 * served. */
static int busy_round(struct chaos *chaos, uint32_t round) {
    static const struct aq_request requests[2] = {{.action = AQ_ACTION_PUT,
                                                   .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                                   .tube = AQ_TEXT("a"),
                                                   .body = AQ_TEXT("short")},
                                                  {.action = AQ_ACTION_GET,
                                                   .given = AQ_PARAM_TUBE | AQ_PARAM_REMOVE,
                                                   .tube = AQ_TEXT("a"),
                                                   .remove = true}};
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST, .request = &requests[round % 2]};
    int rc = aq_server_step(chaos->server, round, &event, &chaos->effects);
    event.kind = AQ_SERVER_SAVED;
    return rc || round == 0 ? rc : aq_server_step(chaos->server, round, &event, &chaos->effects);
}

static void a_busy_server_allocates_nothing_once_it_is_warm(void **state) {
    (void)state;
    for (int persistent = 0; persistent < 2; persistent++) {
        struct chaos chaos;
        open_chaos(&chaos, 8, &aq_server_policy_strict, persistent);
        for (int action = 0; action < AQ_ACTION_COUNT; action++)
            chaos.service.by_action[action] = AQ_CONSTANT_US(0);
        assert_int_equal(start_chaos(&chaos), 0);
        int rc = 0;
        for (uint32_t round = 0; rc == 0 && round < 20000; round++) {
            if (round == 200) aq_alloc_fail_after(0);
            rc = busy_round(&chaos, round);
        }
        aq_alloc_fail_after(UINT64_MAX);
        assert_int_equal(rc, 0);
        assert_int_equal(aq_server_counters(chaos.server).queue, persistent ? 1 : 0);
        close_chaos(&chaos);
    }
}

/* Lets the allocation after `skip` others fail in a run of random events. */
static int run_short_of_memory(uint64_t skip, bool persistent) {
    struct chaos chaos;
    open_chaos(&chaos, 6, &aq_server_policy_strict, persistent);
    aq_alloc_fail_after(skip);
    int rc = start_chaos(&chaos);
    for (uint32_t i = 0; rc == 0 && i < 4000; i++)
        rc = random_event(&chaos);
    aq_alloc_fail_after(UINT64_MAX);
    close_chaos(&chaos);
    return rc;
}

static void running_out_of_memory_ends_a_step_with_an_error_and_leaks_nothing(void **state) {
    (void)state;
    for (int persistent = 0; persistent < 2; persistent++) {
        uint64_t skip = 0;
        int rc;
        while ((rc = run_short_of_memory(skip, persistent)) != 0) {
            assert_int_equal(rc, AQ_ENOMEM);
            skip++;
        }
        assert_true(skip > 30);
    }
}

static void a_restore_that_runs_out_of_memory_leaks_nothing(void **state) {
    (void)state;
    static char body[200];
    for (uint64_t skip = 0;; skip++) {
        struct chaos chaos;
        open_chaos(&chaos, 7, &aq_server_policy_upstream, true);
        aq_alloc_fail_after(skip);
        int rc = start_chaos(&chaos);
        for (uint32_t i = 0; rc == 0 && i < 200; i++) {
            char id[40];
            snprintf(id, sizeof id, "a long id of another server %u", i);
            struct aq_job_record record = {.state = (enum aq_job_state)(i % 3),
                                           .job_id = aq_text_of(id),
                                           .tube = aq_text_of(tubes[i % 3]),
                                           .body = {body, sizeof body},
                                           .priority = 5,
                                           .ttl_s = 60};
            rc = step(&chaos, (struct aq_server_event){.kind = AQ_SERVER_RESTORE, .record = &record});
        }
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || rc == AQ_ENOMEM);
        close_chaos(&chaos);
        if (rc == 0) return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_events_break_nothing_in_strict),
        cmocka_unit_test(random_events_break_nothing_upstream),
        cmocka_unit_test(random_events_break_nothing_with_a_disk),
        cmocka_unit_test(the_same_events_give_the_same_story_wherever_memory_lies),
        cmocka_unit_test(a_busy_server_allocates_nothing_once_it_is_warm),
        cmocka_unit_test(running_out_of_memory_ends_a_step_with_an_error_and_leaks_nothing),
        cmocka_unit_test(a_restore_that_runs_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
