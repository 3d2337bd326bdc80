/* Every route of REST and every action of JSON lines, good and bad, in both profiles, with canned servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/rest_routes.h"
#include "fake_world.h"

static struct world world;

static void open_world(bool upstream) {
    world_open(&world, upstream, 1);
}

/* A query as "name=value&name=value", without any encoding. */
static bool look_up(void *context, const char *name, struct aq_text *out) {
    const char *at = context;
    size_t len = strlen(name);
    while (at && *at) {
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            at += len + 1;
            *out = (struct aq_text){at, (uint32_t)strcspn(at, "&")};
            return true;
        }
        at = strchr(at, '&');
        if (at) at++;
    }
    return false;
}

/* As the REST port does it. what: "METHOD /path?query", or with a body instead of a query. */
static void ask_rest(bool upstream, const char *what, struct heard *heard) {
    char text[1024], method[8], path[64];
    struct aq_text_out json = {0};
    struct aq_error error = {0};
    snprintf(text, sizeof text, "%s", world_text(&world, what));
    assert_int_equal(sscanf(text, "%7s %63[^? ]", method, path), 2);
    char *query = text + strlen(method) + 1 + strlen(path);
    if (*query) query++;
    *heard = (struct heard){.world = &world, .upstream = upstream};
    struct aq_rest_match match = aq_rest_routes_find(upstream, method, path);
    assert_non_null(match.route);
    int rc = aq_rest_routes_request(match.route, upstream, aq_text_of(query), look_up, query, &json, &error);
    if (rc) {
        struct aq_gateway_answer answer = {AQ_ACTION_COUNT, upstream ? AQ_OUTCOME_EMPTY : AQ_OUTCOME_INVALID,
                                           NULL, error.text};
        world_hear(heard, 0, &answer);
    } else {
        aq_gateway_submit(world.gateway, json.bytes.at, json.bytes.len, world_hear, heard, 0);
        world_settle(&world);
    }
    aq_text_out_close(&json);
    assert_int_equal(heard->times, 1);
}

struct exchange {
    const char *what, *body;
    unsigned status;
};

static void expect_rest(bool upstream, const struct exchange *exchanges, size_t count) {
    struct heard heard;
    for (size_t i = 0; i < count; i++) {
        ask_rest(upstream, exchanges[i].what, &heard);
        assert_string_equal(heard.body, world_text(&world, exchanges[i].body));
        assert_int_equal(heard.status, exchanges[i].status);
    }
}

#define JOB      "{'id':'@,J1','body':'say \\'hi\\'','tube':'a','expireds':1,'releases':2}"
#define WIRE_JOB "{'job_id':'@,J1','body':'say \\'hi\\'','tube':'a','expireds':'1','releases':'2'}"
#define STATS                                                                                                     \
    "[{'server_name':'@,127.0.0.1:5555','action_count':9,'job_put':7,'job_get':8,'stats':[{'tube':'a','ready':1," \
    "'reserved':3,'delayed':2,'buried':4,'parents':5,'throttle_size':6,'avg':0.5,'tps':2.0}]}]"

static void every_route_answers_as_allqueue_does(void **state) {
    static const struct exchange both[] = {
        {"POST /job {'tube':'a','body':'x'}", "{'action':'put','job_id':'@,J1'}", 200},
        {"POST /parent_job {'tube':'a','body':'x','limit':2}", "{'action':'set_parent','job_id':'@,J1'}",
         200},
        {"POST /throttle {'tube':'a','tps':5}", "{'action':'throttle','value':'true'}", 200},
        {"GET /job?tube=a", JOB, 200},
        {"GET /job?tube_name=a", JOB, 200},
        {"GET /job?tube=a&delete=true", JOB, 200},
        {"GET /multiple_job?tube=a&count=2",
         "{'jobs':[" JOB ",{'id':'@,J2','body':'two','tube':'a','expireds':0,'releases':0}]}", 200},
        {"GET /peek?tube=a&buried=true", JOB, 200},
        {"GET /stats", STATS, 200},
        {"PUT /touch?job_id=@,J9", "{'action':'touch','job_id':'@,J9'}", 200},
        {"PUT /bury?job_id=@,J9", "{'action':'bury','job_id':'@,J9'}", 200},
        {"PUT /release?job_id=@,J9", "{'action':'release','job_id':'@,J9'}", 200},
        {"PUT /set_children_started?job_id=@,J9", "{'action':'set_children_started','job_id':'@,J9'}", 200},
        {"DELETE /job?job_id=@,J9", "{'action':'delete','job_id':'@,J9'}", 200},
        {"DELETE /job?job_id=@,J9&tube=a", "{'action':'delete','job_id':'@,J9'}", 200},
        {"DELETE /tube?tube=a", "{}", 200},
    };
    (void)state;
    for (int upstream = 0; upstream < 2; upstream++) {
        open_world(upstream);
        expect_rest(upstream, both, sizeof both / sizeof *both);
        world_close(&world);
    }
}

static void strict_has_routes_that_allqueue_lacks(void **state) {
    static const struct exchange strict[] = {
        {"PUT /done?job_id=@,J9", "{'action':'done','job_id':'@,J9'}", 200},
        {"PUT /release?job_id=@,J9&delay=3", "{'action':'release','job_id':'@,J9'}", 200},
        {"PUT /kick?tube=a", "{'action':'kick','job_id':'@,J1'}", 200},
        {"PUT /kick?tube=a&job_id=@,J9", "{'action':'kick','job_id':'@,J9'}", 200},
        {"POST /pause {'tube':'a'}", "{'action':'pause'}", 200},
        {"POST /unpause {'tube':'a'}", "{'action':'unpause'}", 200},
        {"GET /ping", "{'@':'true'}", 200},
        {"GET /multiple_job?tube=a&count=1", "{'jobs':[" JOB "]}", 200},
        {"POST /add_server {'server_url':'127.0.0.1:6000'}", "{'server_url':'127.0.0.1:6000'}", 200},
        {"POST /drain {'server_id':'127.0.0.1:6000'}", "{'server_id':'127.0.0.1:6000'}", 200},
        {"POST /update_servers {'servers':'127.0.0.1:5555'}", "{}", 200},
    };
    static const char *const paths[] = {"/done", "/ping", "/pause", "/unpause", "/drain", "/add_server"};
    (void)state;
    open_world(false);
    /* With one job asked for, get_multiple_jobs answers with "job", not "jobs". */
    expect_rest(false, strict, sizeof strict / sizeof *strict);
    world_close(&world);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int k = 0; k < 3; k++)
            assert_null(aq_rest_routes_find(true, k == 0 ? "GET" : k == 1 ? "PUT" : "POST", paths[i]).route);
}

static void bad_rest_requests_are_told_what_is_wrong(void **state) {
    static const struct exchange bad[] = {
        {"POST /job ", "{'error':'body: allowed is one JSON object','outcome':'invalid'}", 400},
        {"POST /job 7", "{'error':'body: allowed is one JSON object','outcome':'invalid'}", 400},
        {"POST /job {'tube':'a'", "{'error':'body: allowed is one JSON object','outcome':'invalid'}", 400},
        {"POST /job {'tube':'a'},'action':'clear'",
         "{'error':'body: allowed is one JSON object','outcome':'invalid'}", 400},
        {"POST /job {'tube':'a'},{}", "{'error':'body: allowed is one JSON object','outcome':'invalid'}",
         400},
        {"POST /job {'body':'x'}", "{'error':'params.tube: missing, put needs it','outcome':'invalid'}", 400},
        {"POST /throttle {'tube':'a'}",
         "{'error':'params.tps: missing, throttle needs it','outcome':'invalid'}", 400},
        {"GET /job", "{'error':'params.tube: missing, get needs it','outcome':'invalid'}", 400},
        {"GET /peek", "{'error':'params.tube: missing, peek needs it','outcome':'invalid'}", 400},
        {"GET /multiple_job?tube=a", "{'error':'params.count: missing','outcome':'invalid'}", 400},
        {"PUT /touch", "{'error':'params.job_id: missing, touch needs it','outcome':'invalid'}", 400},
        {"PUT /bury", "{'error':'params.job_id: missing','outcome':'invalid'}", 400},
        {"PUT /done", "{'error':'params.job_id: missing, done needs it','outcome':'invalid'}", 400},
        {"PUT /kick?job_id=@,J", "{'error':'params.tube: missing, kick needs it','outcome':'invalid'}", 400},
        {"DELETE /job", "{'error':'params.job_id: missing','outcome':'invalid'}", 400},
        {"DELETE /tube", "{'error':'params.tube: missing','outcome':'invalid'}", 400},
    };
    (void)state;
    open_world(false);
    expect_rest(false, bad, sizeof bad / sizeof *bad);
    assert_int_equal(world.sent, 0);
    world_close(&world);
    open_world(true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct heard heard;
        if (strncmp(bad[i].what, "PUT /done", 9) == 0) continue; /* not there */
        if (strcmp(bad[i].what, "DELETE /tube") == 0) continue;  /* clears a tube called "unknown" */
        /* without an id these go to a random server, which refuses them */
        if (strcmp(bad[i].what, "PUT /bury") == 0 || strcmp(bad[i].what, "DELETE /job") == 0) continue;
        ask_rest(true, bad[i].what, &heard);
        assert_string_equal(heard.body, "");
        assert_int_equal(heard.status, 200);
    }
    world_close(&world);
}

static void upstream_keeps_its_oddities(void **state) {
    static const struct exchange odd[] = {
        {"GET /multiple_job?tube=a&count=1", "{'action':'get','job':" WIRE_JOB "}", 200},
        {"PUT /kick?job_id=@,J9", "", 200},
        {"PUT /kick?tube=a", "", 200},
        {"DELETE /tube", "{}", 200},
    };
    (void)state;
    open_world(true);
    expect_rest(true, odd, sizeof odd / sizeof *odd);
    world_close(&world);
    assert_non_null(aq_rest_routes_find(true, "GET", "//Jo/B/").route);
    assert_null(aq_rest_routes_find(false, "GET", "//Jo/B/").route);
}

static void a_path_is_known_or_not_and_has_its_methods(void **state) {
    (void)state;
    static const struct {
        const char *method, *path, *allow; /* NULL: no such path */
    } cases[] = {
        {"GET", "/nothing", NULL},
        {"GET", "/", NULL},
        {"GET", "", NULL},
        {"GET", "/job/x", NULL},
        {"GET", "//job", NULL},
        {"PUT", "/job", "GET, POST, DELETE"},
        {"HEAD", "/job", "GET, POST, DELETE"},
        {"PATCH", "/tube", "DELETE"},
        {"POST", "/stats", "GET"},
        {"POST", "/health", "GET, HEAD"},
        {"GET", "/touch", "PUT"},
        {"GET", "/throttle", "POST"},
        {"get", "/stats", "GET"},
        {"GET", "/0123456789012345678901234567890123456789", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aq_rest_match match = aq_rest_routes_find(false, cases[i].method, cases[i].path);
        assert_null(match.route);
        assert_int_equal(match.known_path, cases[i].allow != NULL);
        if (cases[i].allow) assert_string_equal(match.allow, cases[i].allow);
    }
    assert_non_null(aq_rest_routes_find(false, "GET", "/job/").route);
    assert_int_equal(aq_rest_routes_find(false, "HEAD", "/metrics").kind, AQ_REST_METRICS);
    assert_int_equal(aq_rest_routes_find(true, "GET", "/health").kind, AQ_REST_HEALTH);
}

static void a_plus_sign_in_an_id_survives_that_it_was_not_encoded(void **state) {
    (void)state;
    struct aq_text_out json = {0};
    struct aq_error error;
    struct aq_rest_match match = aq_rest_routes_find(false, "PUT", "/done");
    char query[] = "job_id=ab cd/e,J 1";
    assert_int_equal(
        aq_rest_routes_request(match.route, false, (struct aq_text){0}, look_up, query, &json, &error), 0);
    static const char expected[] = "{\"action\":\"done\",\"params\":{\"job_id\":\"ab+cd/e,J+1\"}}";
    assert_int_equal(json.bytes.len, sizeof expected - 1);
    assert_memory_equal(json.bytes.at, expected, sizeof expected - 1);
    aq_text_out_close(&json);
}

/* ---- what servers refuse ---- */

static void refusals_of_servers_come_through(void **state) {
    static const struct aq_reply soft = {.kind = AQ_REPLY_RESPONSE,
                                         .action = AQ_ACTION_DONE,
                                         .has_job_id = true,
                                         .has_error = true,
                                         .job_id = AQ_TEXT("J9"),
                                         .error = AQ_TEXT("Couldn't find job")},
                                 hard = {.kind = AQ_REPLY_ERROR,
                                         .has_error = true,
                                         .error = AQ_TEXT("one\ntwo")},
                                 unknown = {.kind = AQ_REPLY_EMPTY};
    static const struct {
        const struct aq_reply *reply;
        const char *strict_line, *strict_body, *upstream_line, *upstream_body;
        unsigned status;
    } cases[] = {
        {&soft,
         "{'error':'Couldn`t find job','outcome':'refused','response':{'action':'done','job_id':'@,J9','error':"
         "'Couldn`t find job'}}",
         "{'error':'Couldn`t find job','outcome':'refused','action':'done','job_id':'@,J9'}",
         "{'response':{'action':'done','job_id':'@,J9','error':'Couldn`t find job'}}", NULL, 409},
        {&hard, "{'error':'one\\ntwo','outcome':'refused'}", "{'error':'one\\ntwo','outcome':'refused'}",
         "error: one two", "", 502},
        {&unknown, "{'error':'the server answered {}: it knows no such action','outcome':'refused'}",
         "{'error':'the server answered {}: it knows no such action','outcome':'refused'}", "{}", "", 502},
    };
    (void)state;
    for (int upstream = 0; upstream < 2; upstream++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct heard heard;
            char expected[1024];
            open_world(upstream);
            world.reply = cases[i].reply;
            world_ask(&world, upstream, "{'action':'done','params':{'job_id':'@,J9'}}", &heard);
            snprintf(expected, sizeof expected, "%s",
                     world_text(&world, upstream ? cases[i].upstream_line : cases[i].strict_line));
            for (char *at = expected; *at; at++)
                if (*at == '`') *at = '\'';
            assert_string_equal(heard.line, expected);
            if (!upstream) {
                snprintf(expected, sizeof expected, "%s", world_text(&world, cases[i].strict_body));
                for (char *at = expected; *at; at++)
                    if (*at == '`') *at = '\'';
                assert_string_equal(heard.body, expected);
            }
            assert_int_equal(heard.status, upstream ? 200 : cases[i].status);
            world_close(&world);
        }
}

static void upstream_rest_shows_a_soft_error_with_its_response(void **state) {
    static const struct aq_reply soft = {.kind = AQ_REPLY_RESPONSE,
                                         .action = AQ_ACTION_DELETE,
                                         .has_job_id = true,
                                         .has_error = true,
                                         .job_id = AQ_TEXT("J9"),
                                         .error = AQ_TEXT("not found")};
    static const struct exchange one[] = {
        {"DELETE /job?job_id=@,J9", "{'action':'delete','job_id':'@,J9','error':'not found'}", 200}};
    (void)state;
    open_world(true);
    world.reply = &soft;
    expect_rest(true, one, 1);
    world_close(&world);
}

static void an_empty_tube_is_no_failure(void **state) {
    static const struct aq_reply nothing = {.kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_GET};
    static const struct exchange empty[] = {{"GET /job?tube=a", "{}", 200}, {"GET /peek?tube=a", "{}", 200}};
    struct heard heard;
    (void)state;
    for (int upstream = 0; upstream < 2; upstream++) {
        open_world(upstream);
        world.reply = &nothing;
        expect_rest(upstream, empty, 2);
        world_ask(&world, upstream, "{'action':'get','params':{'tube':'a'}}", &heard);
        assert_string_equal(heard.line, "{\"response\":{\"action\":\"get\",\"job\":{}},\"job\":{}}");
        world_close(&world);
    }
}

/* ---- JSON lines ---- */

static void every_action_has_its_line(void **state) {
    static const struct {
        const char *json, *line;
    } lines[] = {
        {"{'action':'put','params':{'tube':'a'}}",
         "{'response': {'action': 'put','job_id': '@,J1'},'job': {'job_id': '@,J1'}}"},
        {"{'action':'get','params':{'tube':'a'}}",
         "{'response':{'action':'get','job':" WIRE_JOB "},'job':" WIRE_JOB "}"},
        {"{'action':'get_multiple_jobs','params':{'tube':'a','count':0}}",
         "{'response':{'action':'get','jobs':[]},'jobs':[]}"},
        {"{'action':'peek','params':{'tube':'a'}}",
         "{'response':{'action':'get','job':" WIRE_JOB "},'job':" WIRE_JOB "}"},
        {"{'action':'done','params':{'job_id':'@,J9'}}", "{'response':{'action':'done','job_id':'@,J9'}}"},
        {"{'action':'release','params':{'job_id':'@,J9','delay':1}}",
         "{'response':{'action':'release','job_id':'@,J9'}}"},
        {"{'action':'kick','params':{'tube':'a'}}", "{'response':{'action':'kick','job_id':'@,J1'}}"},
        {"{'action':'clear','params':{'tube':'a'}}", "{}"},
        {"{'action':'pause','params':{'tube':'a'}}", "{'response':{'action':'pause'}}"},
        {"{'action':'unpause','params':{'tube':'a'}}", "{'response':{'action':'pause'}}"},
        {"{'action':'throttle','params':{'tube':'a','tps':5}}",
         "{'response':{'action':'throttle','value':'true'}}"},
        {"{'action':'stats','params':{}}",
         "{'@,127.0.0.1:5555':{'a':{'ready':'1','delayed':'2','reserved':'3','buried':'4','parents':'5','avg':'0.5',"
         "'tps':'2.0','throttle_size':'6'},'global':{'action_count':'9','job_get':'8','job_put':'7'}}}"},
        {"{'action':'ping','params':{}}", "{'@':'true'}"},
        {"{'action':'version','params':{}}", "{'response':{'action':'version','value':'77'}}"},
        {"{'action':'add_server','params':{'server_url':'127.0.0.1:5556'}}",
         "{'server_url':'127.0.0.1:5556'}"},
        {"{'action':'drain','params':{'server_id':'127.0.0.1:5556'}}", "{'server_id':'127.0.0.1:5556'}"},
        {"{'action':'update_servers','params':{'servers':'127.0.0.1:5555'}}", "{}"},
    };
    (void)state;
    for (int upstream = 0; upstream < 2; upstream++) {
        open_world(upstream);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            struct heard heard;
            world_ask(&world, upstream, lines[i].json, &heard);
            assert_string_equal(heard.line, world_text(&world, lines[i].line));
        }
        world_close(&world);
    }
}

static void a_ping_says_who_does_not_answer(void **state) {
    struct heard heard;
    (void)state;
    world_open(&world, false, 2);
    world.modes[1] = WORLD_SILENT;
    world_ask(&world, false, "{'action':'ping','params':{}}", &heard);
    world_pass(&world, 40 * AQ_US_PER_S);
    struct aq_gateway_server second = aq_gateway_server(world.gateway, 1);
    char expected[64];
    snprintf(expected, sizeof expected, "{\"%s\":\"true\",\"%.*s\":\"false\"}", world.id,
             AQ_TEXT_ARGS(second.id));
    assert_string_equal(heard.line, expected);
    world_close(&world);
}

static void upstream_failures_look_alike(void **state) {
    struct heard heard;
    static const char *const bad[] = {"nonsense", "{'action':'put','params':{}}",
                                      "{'action':'done','params':{'job_id':'nowhere,J'}}"};
    (void)state;
    open_world(true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        world_ask(&world, true, bad[i], &heard);
        assert_string_equal(heard.line, "{}");
        assert_string_equal(heard.body, "");
        assert_int_equal(heard.status, 200);
    }
    world_close(&world);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_answers_as_allqueue_does),
        cmocka_unit_test(strict_has_routes_that_allqueue_lacks),
        cmocka_unit_test(bad_rest_requests_are_told_what_is_wrong),
        cmocka_unit_test(upstream_keeps_its_oddities),
        cmocka_unit_test(a_path_is_known_or_not_and_has_its_methods),
        cmocka_unit_test(a_plus_sign_in_an_id_survives_that_it_was_not_encoded),
        cmocka_unit_test(refusals_of_servers_come_through),
        cmocka_unit_test(upstream_rest_shows_a_soft_error_with_its_response),
        cmocka_unit_test(an_empty_tube_is_no_failure),
        cmocka_unit_test(every_action_has_its_line),
        cmocka_unit_test(a_ping_says_who_does_not_answer),
        cmocka_unit_test(upstream_failures_look_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
