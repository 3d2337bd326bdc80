/* Negative controls: clients with one bug each, planted around the entry point of the real client or as a
   policy. Each must be caught by the check that is named for it, and the same scenario with the real client
   must be clean of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "protocol/ids.h"
#include "tests/sim/run_rig.h"

#define SERVERS   3
#define NO_PROBES "clients.policy={\"probe_first\":\"never\",\"probe_max\":\"never\"}"

/* Two-second leases and short work, so that every consequence shows within the run. */
static const char quiet[] =
    "{\"name\":\"quiet\",\"duration\":\"20s\",\"settle\":\"30s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"}}";

static const char same_host[] =
    "{\"name\":\"same-host\",\"duration\":\"20s\",\"settle\":\"30s\",\"servers\":{\"count\":3,\"same_host\":true},"
    "\"clients\":{\"count\":10},\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"}}";

static const char requests_lost[] =
    "{\"name\":\"requests-lost\",\"duration\":\"20s\",\"settle\":\"40s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"},"
    "\"faults\":[{\"kind\":\"drop_request\",\"at\":\"5s\",\"for\":\"5s\",\"probability\":0.1,\"actions\":[\"put\",\"done\"]}]}";

/* Every done of ten seconds is lost, and a client gives up after three. */
static const char dones_lost[] =
    "{\"name\":\"dones-lost\",\"duration\":\"20s\",\"settle\":\"40s\",\"servers\":{\"count\":3},"
    "\"clients\":{\"count\":10,\"policy\":{\"request_timeout\":\"1s\",\"call_timeout\":\"3s\"}},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"},"
    "\"faults\":[{\"kind\":\"drop_request\",\"at\":\"5s\",\"for\":\"10s\",\"actions\":[\"done\"]}]}";

static const char put_replies_lost[] =
    "{\"name\":\"put-replies-lost\",\"duration\":\"20s\",\"settle\":\"40s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"},"
    "\"faults\":[{\"kind\":\"drop_reply\",\"at\":\"5s\",\"for\":\"5s\",\"probability\":0.1,\"actions\":[\"put\"]}]}";

static const char one_crash[] =
    "{\"name\":\"one-crash\",\"duration\":\"60s\",\"settle\":\"40s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"10s\"},"
    "\"faults\":[{\"kind\":\"crash\",\"at\":\"5s\",\"for\":\"5s\",\"servers\":1}]}";

/* ---- the bugs ---- */

/* Some completion of every few, counted over all clients: a bug that shows now and then. */
static uint32_t completions;
static bool this_one(void) {
    return ++completions % 20 == 0;
}

static const struct aq_server_id *id_of(uint32_t server) {
    static struct aq_server_id ids[SERVERS];
    char host[32];
    snprintf(host, sizeof host, "127.0.1.%u", server + 1);
    ids[server] = aq_server_id_from_address(aq_text_of(host), 5555);
    return &ids[server];
}

/* Hands the call on with the server part of its job id replaced. The request lives on in static memory, one
 * for each open call. */
static int step_with_server(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                            struct aq_client_effects *effects, struct aq_text server) {
    static struct {
        struct aq_request request;
        char text[AQ_JOB_REF_CHARS_MAX];
    } changed[4096];
    static uint32_t next;
    struct aq_job_ref ref;
    struct aq_client_event event_changed = *event;
    if (aq_job_ref_parse(event->request->job_id, &ref)) {
        ref.job = event->request->job_id; /* no prefix at all */
    }
    uint32_t at = next++ % 4096;
    changed[at].request = *event->request;
    int n = snprintf(changed[at].text, sizeof changed[at].text, "%.*s,%.*s", AQ_TEXT_ARGS(server),
                     AQ_TEXT_ARGS(ref.job));
    changed[at].request.job_id = (struct aq_text){changed[at].text, (uint32_t)n};
    event_changed.request = &changed[at].request;
    return aq_client_step(client, now_us, &event_changed, effects);
}

static bool is_completion(const struct aq_client_event *event) {
    return event->kind == AQ_CLIENT_CALL && aq_action_is_completion((enum aq_action)event->request->action);
}

/* The id that a worker gets has lost its prefix, so a completion goes to some server. */
static int prefix_dropped(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                          struct aq_client_effects *effects) {
    if (is_completion(event) && this_one())
        return step_with_server(client, now_us, event, effects,
                                aq_server_id_text(id_of(completions / 20 % SERVERS)));
    return aq_client_step(client, now_us, event, effects);
}

/* The request keeps its prefix on the wire: the right server does not know the job by that name. */
static int prefix_kept(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                       struct aq_client_effects *effects) {
    static char text[AQ_JOB_REF_CHARS_MAX];
    int rc = aq_client_step(client, now_us, event, effects);
    for (uint32_t i = 0; !rc && i < effects->count; i++) {
        struct aq_client_effect *e = &effects->items[i];
        if (e->kind != AQ_CLIENT_SEND || !aq_action_is_completion((enum aq_action)e->request.action) ||
            !this_one())
            continue;
        int n =
            snprintf(text, sizeof text, "%s,%.*s", id_of(e->server)->text, AQ_TEXT_ARGS(e->request.job_id));
        e->request.job_id = (struct aq_text){text, (uint32_t)n};
        break; /* one text, one effect */
    }
    return rc;
}

/* A completion goes to the next server in the list, which is well, instead of the origin. */
static int another_well_server(struct aq_client *client, aq_time_us now_us,
                               const struct aq_client_event *event, struct aq_client_effects *effects) {
    if (is_completion(event) && this_one()) {
        for (uint32_t server = 0; server < SERVERS; server++)
            if (strncmp(event->request->job_id.at, id_of(server)->text, AQ_SERVER_ID_CHARS) == 0)
                return step_with_server(client, now_us, event, effects,
                                        aq_server_id_text(id_of((server + 1) % SERVERS)));
    }
    return aq_client_step(client, now_us, event, effects);
}

/* The table from ids to servers is kept by host: the first server of a host gets the completions of all. */
static int table_by_host(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                         struct aq_client_effects *effects) {
    if (!is_completion(event)) return aq_client_step(client, now_us, event, effects);
    struct aq_server_id first = aq_server_id_from_address(AQ_TEXT("127.0.1.1"), 5555);
    return step_with_server(client, now_us, event, effects, aq_server_id_text(&first));
}

/* A reply is matched to the request before the last one to that server. */
static int reply_to_wrong_request(struct aq_client *client, aq_time_us now_us,
                                  const struct aq_client_event *event, struct aq_client_effects *effects) {
    static struct {
        struct aq_client *client;
        uint32_t server, correlation;
        uint8_t action;
    } sent[2];
    struct aq_client_event wrong = *event;
    if (event->kind == AQ_CLIENT_REPLY && sent[0].client == client && sent[1].client == client &&
        sent[0].server == sent[1].server && sent[0].action == sent[1].action &&
        event->correlation == sent[0].correlation)
        wrong.correlation = sent[1].correlation;
    int rc = aq_client_step(client, now_us, &wrong, effects);
    for (uint32_t i = 0; !rc && i < effects->count; i++) {
        const struct aq_client_effect *e = &effects->items[i];
        if (e->kind != AQ_CLIENT_SEND || e->request.action != AQ_ACTION_PUT) continue;
        sent[0] = sent[1];
        sent[1].client = client;
        sent[1].server = e->server;
        sent[1].correlation = e->correlation;
        sent[1].action = e->request.action;
    }
    return rc;
}

/* What is not known is told as success. */
static int success_on_timeout(struct aq_client *client, aq_time_us now_us,
                              const struct aq_client_event *event, struct aq_client_effects *effects) {
    int rc = aq_client_step(client, now_us, event, effects);
    for (uint32_t i = 0; !rc && i < effects->count; i++)
        if (effects->items[i].kind == AQ_CLIENT_ANSWER && effects->items[i].outcome == AQ_OUTCOME_UNKNOWN)
            effects->items[i].outcome = AQ_OUTCOME_OK;
    return rc;
}

/* Every get is answered a second time with the job of the get before it. */
static int job_handed_out_twice(struct aq_client *client, aq_time_us now_us,
                                const struct aq_client_event *event, struct aq_client_effects *effects) {
    static struct aq_arena arena;
    static struct aq_reply last;
    int rc = aq_client_step(client, now_us, event, effects);
    for (uint32_t i = 0; !rc && i < effects->count; i++) {
        struct aq_client_effect *e = &effects->items[i];
        if (e->kind != AQ_CLIENT_ANSWER || !e->reply || e->reply->action != AQ_ACTION_GET) continue;
        if (e->reply->job_count == 0 && last.job_count && this_one()) {
            e->reply = &last;
        } else if (e->reply->job_count) {
            aq_arena_reset(&arena);
            rc = aq_reply_copy(e->reply, &arena, &last);
        }
    }
    return rc;
}

/* ---- the tests ---- */

static void expect_caught(const char *json, const char *check, aq_client_step_fn bug, const char *policy) {
    struct aq_record clean, bugged;
    struct run_variation variation = {.seed = 5};
    run_text(json, &variation, &clean);
    for (uint32_t i = 0; i < clean.check_count; i++)
        if (clean.checks[i].verdict == AQ_VERDICT_FAIL)
            fail_msg("the real client breaks %s: %s", clean.checks[i].name, clean.checks[i].remark);
    assert_int_equal(check_of(&clean, check)->verdict, AQ_VERDICT_PASS);
    aq_record_close(&clean);

    completions = 0;
    variation.client_step = bug;
    variation.settings = &policy;
    variation.setting_count = policy ? 1 : 0;
    run_text(json, &variation, &bugged);
    assert_int_equal(check_of(&bugged, check)->verdict, AQ_VERDICT_FAIL);
    bool story = false;
    for (uint32_t i = 0; i < bugged.violation_count; i++)
        story =
            story || (strcmp(bugged.violations[i].check, check) == 0 && bugged.violations[i].line_count > 0);
    assert_true(story);
    aq_record_close(&bugged);
}

static void prefix_dropped_is_caught(void **state) {
    (void)state;
    expect_caught(quiet, "completion-origin", prefix_dropped, NULL);
}

static void prefix_kept_on_the_wire_is_caught(void **state) {
    (void)state;
    expect_caught(quiet, "completion-origin", prefix_kept, NULL);
}

static void completion_sent_to_another_well_server_is_caught(void **state) {
    (void)state;
    expect_caught(quiet, "completion-origin", another_well_server, NULL);
}

static void id_kept_by_host_only_is_caught(void **state) {
    (void)state;
    expect_caught(same_host, "completion-origin", table_by_host, NULL);
}

static void id_made_from_host_only_is_caught(void **state) {
    (void)state;
    expect_caught(same_host, "membership", NULL, "clients.policy.id_from_host_only=true");
}

static void reply_matched_to_the_wrong_request_is_caught(void **state) {
    (void)state;
    expect_caught(quiet, "no-false-ack", reply_to_wrong_request, NULL);
}

static void success_reported_on_timeout_is_caught(void **state) {
    (void)state;
    expect_caught(requests_lost, "no-false-ack", success_on_timeout, NULL);
    expect_caught(dones_lost, "completion-arrival", success_on_timeout, NULL);
}

static void sick_server_never_retried_is_caught(void **state) {
    (void)state;
    expect_caught(one_crash, "failover", NULL, NO_PROBES);
}

static void put_retried_after_an_ambiguous_timeout_is_caught(void **state) {
    (void)state;
    expect_caught(put_replies_lost, "duplicate-put", NULL, "clients.policy.retry_put_after_send=true");
}

static void job_handed_out_twice_is_caught(void **state) {
    (void)state;
    expect_caught(quiet, "no-false-ack", job_handed_out_twice, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_dropped_is_caught),
        cmocka_unit_test(prefix_kept_on_the_wire_is_caught),
        cmocka_unit_test(completion_sent_to_another_well_server_is_caught),
        cmocka_unit_test(id_kept_by_host_only_is_caught),
        cmocka_unit_test(id_made_from_host_only_is_caught),
        cmocka_unit_test(reply_matched_to_the_wrong_request_is_caught),
        cmocka_unit_test(success_reported_on_timeout_is_caught),
        cmocka_unit_test(sick_server_never_retried_is_caught),
        cmocka_unit_test(put_retried_after_an_ambiguous_timeout_is_caught),
        cmocka_unit_test(job_handed_out_twice_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
