#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_world.h"

static struct world world;
static char text[65536];

static const char *metrics(void) {
    struct aq_text_out out = {0};
    aq_gateway_write_metrics(world.gateway, &out);
    assert_true(!out.failed && out.bytes.len < sizeof text);
    memcpy(text, out.bytes.at, out.bytes.len);
    text[out.bytes.len] = 0;
    aq_text_out_close(&out);
    return text;
}

static const char *health(void) {
    struct aq_text_out out = {0};
    aq_gateway_write_health(world.gateway, &out);
    memcpy(text, out.bytes.at, out.bytes.len);
    text[out.bytes.len] = 0;
    aq_text_out_close(&out);
    return text;
}

static void assert_line(const char *line) {
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", world_text(&world, line));
    if (!strstr(metrics(), whole)) fail_msg("no line %s in:\n%s", whole, text);
}

static void calls_are_counted_by_action_and_outcome(void **state) {
    (void)state;
    struct heard heard;
    world_open(&world, false, 1);
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    world_ask(&world, false, "{'action':'done','params':{'job_id':'x'}}", &heard);
    world_ask(&world, false, "nonsense", &heard);
    assert_line("allq_client_calls_total{action='put',outcome='ok'} 2");
    assert_line("allq_client_calls_total{action='put',outcome='unknown'} 0");
    assert_line("allq_client_calls_total{action='done',outcome='invalid'} 1");
    assert_line("allq_client_calls_total{action='unreadable',outcome='invalid'} 1");
    assert_line("allq_client_calls_open 0");
    world.modes[0] = WORLD_SILENT;
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    assert_line("allq_client_calls_open 1");
    world_close(&world);
}

static void latencies_are_a_cumulative_histogram_in_seconds(void **state) {
    (void)state;
    struct heard heard;
    world_open(&world, false, 1);
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    world.modes[0] = WORLD_SILENT;
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    world_pass(&world, 40 * AQ_US_PER_S); /* answered as unknown after request_timeout */
    assert_int_equal(heard.times, 1);
    assert_line("allq_client_call_duration_seconds_bucket{action='put',le='0.001'} 1");
    assert_line("allq_client_call_duration_seconds_bucket{action='put',le='2.5'} 1");
    assert_line("allq_client_call_duration_seconds_bucket{action='put',le='5'} 2");
    assert_line("allq_client_call_duration_seconds_bucket{action='put',le='+Inf'} 2");
    assert_line("allq_client_call_duration_seconds_sum{action='put'} 5.000000");
    assert_line("allq_client_call_duration_seconds_count{action='put'} 2");
    world_close(&world);
}

static void each_server_has_one_state(void **state) {
    (void)state;
    world_open(&world, false, 1);
    aq_gateway_look_around(world.gateway);
    world_settle(&world);
    assert_line("allq_client_server_health{server='127.0.0.1:5555',id='@',state='well'} 1");
    assert_line("allq_client_server_health{server='127.0.0.1:5555',id='@',state='sick'} 0");
    assert_line("allq_client_server_connected{server='127.0.0.1:5555',id='@'} 1");
    assert_line("allq_client_server_requests_total{server='127.0.0.1:5555',id='@'} 1");
    world.modes[0] = WORLD_REFUSES;
    aq_gateway_disconnected(world.gateway, 0, "lost");
    assert_line("allq_client_server_health{server='127.0.0.1:5555',id='@',state='well'} 0");
    assert_line("allq_client_server_health{server='127.0.0.1:5555',id='@',state='sick'} 1");
    assert_line("allq_client_server_connected{server='127.0.0.1:5555',id='@'} 0");
    assert_line("allq_client_events_total{event='server_became_sick'} 1");
    world_close(&world);
}

static void traffic_is_shown_by_listener(void **state) {
    (void)state;
    world_open(&world, false, 1);
    *aq_gateway_traffic(world.gateway, AQ_GATEWAY_UNIX) = (struct aq_gateway_traffic){1, 2, 3, 4};
    assert_line("allq_client_connections{listener='unix'} 1");
    assert_line("allq_client_connections_accepted_total{listener='unix'} 2");
    assert_line("allq_client_connections_refused_total{listener='unix'} 3");
    assert_line("allq_client_connections_timed_out_total{listener='unix'} 4");
    assert_line("allq_client_connections{listener='http'} 0");
    world_close(&world);
}

/* Labels hold what operators wrote; the profile stands in for any of them. */
static void labels_are_escaped(void **state) {
    (void)state;
    world_open(&world, false, 1);
    struct aq_gateway_config config = {.book = &world.book,
                                       .policy = &world.policy,
                                       .servers = world.servers,
                                       .server_count = 1,
                                       .version = "a\\b\"c\nd",
                                       .profile = "p"};
    struct aq_gateway *first = world.gateway;
    aq_random_init(&config.random, 1, "client", 0);
    config.world = world_functions(&world);
    assert_int_equal(aq_gateway_new(&config, &world.gateway), 0);
    assert_non_null(strstr(metrics(), "allq_client_info{version=\"a\\\\b\\\"c\\nd\",profile=\"p\"} 1\n"));
    aq_gateway_free(first);
    world_close(&world);
}

/* Prometheus wants HELP and TYPE once for each name, in front of its samples, and all samples of a name
 * together. */
static void every_sample_stands_under_its_help_and_type(void **state) {
    (void)state;
    struct heard heard;
    char name[128] = "", type[16], sample[128];
    int names = 0;
    world_open(&world, false, 2);
    world_ask(&world, false, "{'action':'put','params':{'tube':'a'}}", &heard);
    world_ask(&world, false, "{'action':'get','params':{'tube':'a'}}", &heard);
    metrics();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line, "# HELP %127s %*s", name), 1);
            names++;
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_int_equal(sscanf(line, "# TYPE %127s %15s", sample, type), 2);
            assert_string_equal(sample, name);
        } else {
            snprintf(sample, sizeof sample, "%.*s", (int)strcspn(line, "{ "), line);
            assert_int_equal(strncmp(sample, name, strlen(name)), 0);
            const char *suffix = sample + strlen(name);
            bool histogram = strcmp(type, "histogram") == 0;
            bool right = histogram ? strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_sum") == 0 ||
                                         strcmp(suffix, "_count") == 0
                                   : suffix[0] == 0;
            if (!right) fail_msg("%s stands under %s", line, name);
            if (strcmp(type, "counter") == 0) assert_string_equal(name + strlen(name) - 6, "_total");
        }
    }
    assert_true(names > 10);
    world_close(&world);
}

static void health_lists_the_servers(void **state) {
    (void)state;
    world_open(&world, false, 1);
    assert_string_equal(health(),
                        world_text(&world, "{'status':'ok','servers':[{'id':'@','server':'127.0.0.1:5555',"
                                           "'health':'well','connected':false}],'calls_open':0}"));
    world.modes[0] = WORLD_REFUSES;
    aq_gateway_look_around(world.gateway);
    world_settle(&world);
    assert_string_equal(
        health(), world_text(&world, "{'status':'unavailable','servers':[{'id':'@','server':'127.0.0.1:5555',"
                                     "'health':'sick','connected':false}],'calls_open':0}"));
    assert_int_equal(aq_gateway_well_servers(world.gateway), 0);
    world_close(&world);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_by_action_and_outcome),
        cmocka_unit_test(latencies_are_a_cumulative_histogram_in_seconds),
        cmocka_unit_test(each_server_has_one_state),
        cmocka_unit_test(traffic_is_shown_by_listener),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(every_sample_stands_under_its_help_and_type),
        cmocka_unit_test(health_lists_the_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
