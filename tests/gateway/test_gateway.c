#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_world.h"

#define PUT "{'action':'put','params':{'tube':'a','body':'x'}}"

static struct world world;

static int strict_of_two(void **state) {
    (void)state;
    world_open(&world, false, 2);
    return 0;
}

static int close_world(void **state) {
    (void)state;
    world_close(&world);
    return 0;
}

static void pause_all(enum world_mode mode) {
    for (uint32_t i = 0; i < world.count; i++)
        world.modes[i] = mode;
}

static void each_answer_comes_to_the_one_who_asked(void **state) {
    (void)state;
    static struct heard heard[100];
    for (int i = 0; i < 100; i++) {
        char json[120];
        heard[i] = (struct heard){.world = &world};
        snprintf(json, sizeof json, "{\"action\":\"touch\",\"params\":{\"job_id\":\"%s,job%d\"}}", world.id,
                 i);
        assert_int_not_equal(aq_gateway_submit(world.gateway, json, strlen(json), world_hear, &heard[i], 0),
                             0);
    }
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 100);
    world_settle(&world);
    for (int i = 0; i < 100; i++) {
        char body[120];
        snprintf(body, sizeof body, "{\"action\":\"touch\",\"job_id\":\"%s,job%d\"}", world.id, i);
        assert_int_equal(heard[i].times, 1);
        assert_string_equal(heard[i].body, body);
    }
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 0);
}

static void a_request_that_cannot_be_read_is_answered_at_once(void **state) {
    (void)state;
    struct heard heard;
    static const char *const bad[] = {"",
                                      "nonsense",
                                      "{",
                                      "[]",
                                      "{}",
                                      "{'action':'put'}",
                                      "{'action':'fly','params':{}}",
                                      "{'action':'put','params':{'tube':'a','ttl':-1}}",
                                      "{'action':'put','params':{}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        world_ask(&world, false, bad[i], &heard);
        assert_int_equal(heard.times, 1);
        assert_int_equal(heard.outcome, AQ_OUTCOME_INVALID);
        assert_int_equal(heard.status, 400);
        assert_true(heard.why[0] != 0);
    }
    assert_int_equal(world.sent, 0);
}

static void an_invalid_call_is_told_what_is_wrong_with_it(void **state) {
    (void)state;
    struct heard heard;
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"{'action':'done','params':{'job_id':''}}", "params.job_id: missing"},
        {"{'action':'bury','params':{}}", "params.job_id: missing"},
        {"{'action':'done','params':{'job_id':'J'}}",
         "params.job_id: found 'J', allowed is 'server,job' as this client hands it out"},
        {"{'action':'done','params':{'job_id':'a,b,c'}}",
         "params.job_id: found 'a,b,c', allowed is 'server,job' as this client hands it out"},
        {"{'action':'done','params':{'job_id':'nowhere,J'}}",
         "params.job_id: 'nowhere,J' names a server that this client does not know"},
        {"{'action':'put','params':{'tube':'a','parent_id':'nowhere,J'}}",
         "params.parent_id: 'nowhere,J' names a server that this client does not know"},
        {"{'action':'clear','params':{}}", "params.tube: missing"},
        {"{'action':'get','params':{'tube':''}}", "params.tube: missing"},
        {"{'action':'drain','params':{'server_id':'nowhere'}}",
         "params.server_id: allowed is the id or host:port of a server that this client uses"},
        {"{'action':'add_server','params':{'server_url':'a:b:c'}}",
         "params.server_url: allowed is host:port"},
        {"{'action':'update_servers','params':{'servers':''}}",
         "params.servers: allowed is host:port,host:port,..."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_ask(&world, false, cases[i].json, &heard);
        assert_int_equal(heard.outcome, AQ_OUTCOME_INVALID);
        assert_string_equal(heard.why, world_text(&world, cases[i].why));
    }
}

static void an_id_is_not_cut_within_a_character(void **state) {
    (void)state;
    struct heard heard;
    char json[400] = "{'action':'done','params':{'job_id':'x";
    for (int i = 0; i < 50; i++)
        strcat(json, "\xc3\xa9");
    strcat(json, "'}}");
    world_ask(&world, false, json, &heard);
    char shown[160] = "params.job_id: found \"x";
    for (int i = 0; i < 31; i++)
        strcat(shown, "\xc3\xa9"); /* 63 bytes; another would be 65 */
    assert_memory_equal(heard.why, shown, strlen(shown));
    assert_int_equal(heard.why[strlen(shown)], '"');
}

static void a_request_longer_than_the_message_limit_reaches_no_server(void **state) {
    (void)state;
    struct heard heard;
    char *json = malloc(6000);
    snprintf(json, 6000, "{'action':'put','params':{'tube':'a','body':'%05000d'}}", 7);
    world_ask(&world, false, json, &heard);
    free(json);
    assert_int_equal(heard.outcome, AQ_OUTCOME_INVALID);
    assert_non_null(strstr(heard.why, "allowed are 5000"));
    assert_int_equal(world.sent, 0);
}

static void a_forgotten_call_is_answered_to_nobody_and_its_place_is_used_again(void **state) {
    (void)state;
    struct heard gone = {.world = &world}, next;
    const char *json = world_text(&world, PUT);
    uint64_t call = aq_gateway_submit(world.gateway, json, strlen(json), world_hear, &gone, 0);
    assert_int_not_equal(call, 0);
    aq_gateway_forget(world.gateway, call);
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 0);
    world_settle(&world);
    assert_int_equal(gone.times, 0);
    world_ask(&world, false, PUT, &next);
    assert_int_equal(next.outcome, AQ_OUTCOME_OK);
    aq_gateway_forget(world.gateway, call); /* a name that has been used up does nothing */
    assert_int_equal(gone.times, 0);
}

static void with_no_server_the_reason_is_named(void **state) {
    (void)state;
    struct heard heard;
    pause_all(WORLD_REFUSES);
    world_ask(&world, false, PUT, &heard);
    world_pass(&world, 40 * AQ_US_PER_S);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.outcome, AQ_OUTCOME_UNAVAILABLE);
    assert_int_equal(heard.status, 503);
    assert_non_null(strstr(heard.why, "no server is available: 0 of 2 well; last failure: 127.0.0.1:555"));
    assert_non_null(strstr(heard.why, ": refused"));
    assert_int_equal(aq_gateway_well_servers(world.gateway), 0);
}

static void a_completion_names_the_server_that_it_waits_for(void **state) {
    (void)state;
    struct heard heard;
    pause_all(WORLD_REFUSES);
    world_ask(&world, false, "{'action':'done','params':{'job_id':'@,J'}}", &heard);
    assert_int_equal(heard.times, 0);
    world_pass(&world, 40 * AQ_US_PER_S);
    assert_int_equal(heard.outcome, AQ_OUTCOME_UNAVAILABLE);
    assert_string_equal(heard.why, "server 127.0.0.1:5555, where this job is, is not available");
}

static void a_reply_that_does_not_come_leaves_a_put_unknown(void **state) {
    (void)state;
    struct heard heard;
    pause_all(WORLD_SILENT);
    world_ask(&world, false, PUT, &heard);
    world_pass(&world, 40 * AQ_US_PER_S);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.outcome, AQ_OUTCOME_UNKNOWN);
    assert_int_equal(heard.status, 504);
}

static void a_world_that_fails_to_connect_or_send_counts_as_a_lost_connection(void **state) {
    (void)state;
    struct heard heard;
    world.fail_connect = true;
    world_ask(&world, false, PUT, &heard);
    assert_int_equal(heard.outcome, AQ_OUTCOME_UNAVAILABLE);
    world.fail_connect = false;
    world_pass(&world, 20 * AQ_US_PER_S);
    world.fail_send = true;
    world_ask(&world, false, PUT, &heard);
    world_pass(&world, 40 * AQ_US_PER_S);
    assert_int_equal(heard.times, 1);
    assert_int_not_equal(heard.outcome, AQ_OUTCOME_OK);
}

static void the_log_tells_each_change_of_a_server_once(void **state) {
    (void)state;
    struct heard heard;
    aq_gateway_look_around(world.gateway);
    world_settle(&world);
    assert_string_equal(world.log, "server 127.0.0.1:5555 is well: connected\n"
                                   "server 127.0.0.1:5556 is well: connected\n");
    world.log[0] = 0;
    world.modes[0] = WORLD_REFUSES;
    aq_gateway_disconnected(world.gateway, 0, "lost: by itself");
    world_pass(&world, 60 * AQ_US_PER_S); /* many probes fail meanwhile */
    assert_string_equal(world.log, "server 127.0.0.1:5555 is sick: lost: by itself\n");
    world.log[0] = 0;
    world.modes[0] = WORLD_ANSWERS;
    world_pass(&world, 60 * AQ_US_PER_S);
    assert_string_equal(world.log, "server 127.0.0.1:5555 is well\n");
    world.log[0] = 0;
    world_ask(&world, false, "{'action':'drain','params':{'server_id':'@'}}", &heard);
    assert_string_equal(world.log, "server 127.0.0.1:5555 is draining\n");
    world_ask(&world, false, "{'action':'add_server','params':{'server_url':'127.0.0.1:5599'}}", &heard);
    world_ask(&world, false, "{'action':'update_servers','params':{'servers':'127.0.0.1:5599'}}", &heard);
    assert_non_null(strstr(world.log, "server 127.0.0.1:5556 is no longer used\n"));
}

static void a_look_around_is_nobodys_call(void **state) {
    (void)state;
    struct aq_text_out out = {0};
    aq_gateway_look_around(world.gateway);
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 0);
    world_settle(&world);
    aq_gateway_write_metrics(world.gateway, &out);
    aq_text_out_add(&out, "", 1);
    assert_null(strstr(out.bytes.at, "calls_total{"));
    aq_text_out_close(&out);
}

static void abandoned_calls_are_answered_as_unknown(void **state) {
    (void)state;
    struct heard heard[3];
    pause_all(WORLD_SILENT);
    for (int i = 0; i < 3; i++)
        world_ask(&world, false, PUT, &heard[i]);
    aq_gateway_abandon(world.gateway);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(heard[i].times, 1);
        assert_int_equal(heard[i].outcome, AQ_OUTCOME_UNKNOWN);
        assert_non_null(strstr(heard[i].why, "this client is ending"));
    }
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 0);
    world_pass(&world, 60 * AQ_US_PER_S); /* the core's own answers find nobody */
    assert_int_equal(heard[0].times, 1);
}

static void there_is_a_limit_on_open_calls(void **state) {
    (void)state;
    struct heard heard, first = {.world = &world};
    const char *json = world_text(&world, PUT);
    pause_all(WORLD_SILENT);
    for (int i = 0; i < AQ_GATEWAY_CALLS_MAX; i++)
        aq_gateway_submit(world.gateway, json, strlen(json), world_hear, &first, 0);
    assert_int_equal(first.times, 0);
    world_ask(&world, false, PUT, &heard);
    assert_int_equal(heard.outcome, AQ_OUTCOME_UNAVAILABLE);
    assert_string_equal(heard.why, "too many requests are under way");
    assert_int_equal(heard.status, 503);
}

/* Asks again from within its own answer, three times over. */
static void ask_again(void *asker, uint64_t tag, const struct aq_gateway_answer *answer) {
    uint32_t *answers = asker;
    const char *json = world_text(&world, PUT);
    assert_int_equal(answer->outcome, AQ_OUTCOME_OK);
    (*answers)++;
    if (tag > 1) aq_gateway_submit(world.gateway, json, strlen(json), ask_again, answers, tag - 1);
}

static void an_answer_may_be_followed_by_the_next_request_at_once(void **state) {
    (void)state;
    uint32_t answers = 0;
    const char *json = world_text(&world, PUT);
    aq_gateway_submit(world.gateway, json, strlen(json), ask_again, &answers, 3);
    world_settle(&world);
    assert_int_equal(answers, 3);
    assert_int_equal(world.sent, 3);
}

static void many_calls_reuse_their_memory(void **state) {
    (void)state;
    struct heard heard;
    for (int i = 0; i < 2000; i++) {
        world_ask(&world, false, PUT, &heard);
        assert_int_equal(heard.times, 1);
    }
    assert_int_equal(aq_gateway_calls_awaited(world.gateway), 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, strict_of_two, close_world)
        TEST(each_answer_comes_to_the_one_who_asked),
        TEST(a_request_that_cannot_be_read_is_answered_at_once),
        TEST(an_invalid_call_is_told_what_is_wrong_with_it),
        TEST(an_id_is_not_cut_within_a_character),
        TEST(a_request_longer_than_the_message_limit_reaches_no_server),
        TEST(a_forgotten_call_is_answered_to_nobody_and_its_place_is_used_again),
        TEST(with_no_server_the_reason_is_named),
        TEST(a_completion_names_the_server_that_it_waits_for),
        TEST(a_reply_that_does_not_come_leaves_a_put_unknown),
        TEST(a_world_that_fails_to_connect_or_send_counts_as_a_lost_connection),
        TEST(the_log_tells_each_change_of_a_server_once),
        TEST(a_look_around_is_nobodys_call),
        TEST(abandoned_calls_are_answered_as_unknown),
        TEST(there_is_a_limit_on_open_calls),
        TEST(an_answer_may_be_followed_by_the_next_request_at_once),
        TEST(many_calls_reuse_their_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
