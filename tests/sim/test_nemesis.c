/* The nemesis, in a world that only takes notes: whom faults strike, when, how often, and what is told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/nemesis.h"

#define PROCESSES_MAX 100
#define S             AQ_US_PER_S

/* ---- the world ---- */

struct timer {
    aq_time_us at_us;
    enum aq_timer_kind kind;
    uint32_t subject;
    bool pending;
};

static struct {
    struct aq_scenario *scenario;
    struct aq_address_book book;
    struct aq_nemesis *nemesis;
    struct timer timers[64];
    uint64_t ticket;
    aq_time_us now_us;
    bool server_down[PROCESSES_MAX], client_down[PROCESSES_MAX], starting[PROCESSES_MAX];
    uint32_t crashes[PROCESSES_MAX]; /* by server */
    uint32_t client_crashes[PROCESSES_MAX];
    bool ruled[PROCESSES_MAX]; /* by server: the fault's rule is in force */
    struct aq_link_rule *link; /* the one in force */
    char told[4096];           /* what was observed */
} world;

static int set_timer(void *self, enum aq_timer_kind kind, uint32_t subject, aq_time_us at_us,
                     uint64_t *ticket) {
    (void)self;
    *ticket = ++world.ticket;
    assert_true(at_us >= world.now_us);
    for (size_t i = 0; i < sizeof world.timers / sizeof *world.timers; i++) {
        if (world.timers[i].pending) continue;
        world.timers[i] = (struct timer){at_us, kind, subject, true};
        return 0;
    }
    fail_msg("too many timers");
    return 0;
}

static bool client_is_up(void *self, uint32_t client) {
    (void)self;
    return !world.client_down[client];
}
static int client_crash(void *self, uint32_t client) {
    (void)self;
    assert_false(world.client_down[client]);
    world.client_down[client] = true;
    world.client_crashes[client]++;
    return 0;
}
static int client_start(void *self, uint32_t client) {
    (void)self;
    world.client_down[client] = false;
    return 0;
}
static bool server_is_up(void *self, uint32_t server) {
    (void)self;
    return !world.server_down[server];
}
static int server_crash(void *self, uint32_t server, bool disk_lost) {
    (void)self, (void)disk_lost;
    assert_false(world.server_down[server]);
    world.server_down[server] = true;
    world.crashes[server]++;
    return aq_nemesis_server_ending(world.nemesis, server);
}
static int server_start(void *self, uint32_t server) {
    (void)self;
    world.server_down[server] = false;
    world.ruled[server] = false;
    return aq_nemesis_server_started(world.nemesis, world.now_us, server);
}
static int server_fault(void *self, uint32_t server, const struct aq_fault_rule *rule) {
    (void)self, (void)rule;
    world.ruled[server] = true;
    return 0;
}
static int server_heal(void *self, uint32_t server, uint32_t rule_id, uint64_t *touched) {
    (void)self, (void)rule_id;
    if (world.ruled[server]) *touched += 10;
    world.ruled[server] = false;
    return 0;
}
static int server_redirect(void *self, uint32_t server, uint32_t address, uint64_t *touched) {
    (void)self, (void)address;
    *touched += !world.server_down[server] && !world.starting[server];
    return 0;
}
static int server_blank(void *self, uint32_t server, uint64_t *touched) {
    return server_redirect(self, server, 0, touched);
}
static int link_fault(void *self, struct aq_link_rule *rule) {
    (void)self;
    world.link = rule;
    return 0;
}
static int link_heal(void *self, struct aq_link_rule *rule) {
    (void)self;
    assert_ptr_equal(world.link, rule);
    world.link = NULL;
    return 0;
}
static int reset(void *self, const struct aq_link_rule *between, bool half_open, uint64_t *touched) {
    (void)self, (void)half_open;
    for (uint32_t client = 0; client < world.scenario->clients.count; client++)
        for (uint32_t server = 0; server < world.scenario->servers.count; server++)
            *touched +=
                aq_index_set_has(&between->clients, client) && aq_index_set_has(&between->servers, server);
    return 0;
}
static int submit(void *self, uint32_t client, uint64_t call, const struct aq_request *request) {
    (void)self, (void)client, (void)call, (void)request;
    return 0;
}

static int observe(void *self, const struct aq_observation *seen) {
    (void)self;
    static const char *const words[AQ_SEEN_KIND_COUNT] = {[AQ_SEEN_SERVER_STOPPED] = "stopped",
                                                          [AQ_SEEN_SERVER_RESUMED] = "resumed",
                                                          [AQ_SEEN_FAULT] = "fault",
                                                          [AQ_SEEN_FAULT_END] = "end"};
    if (!words[seen->kind]) return 0;
    bool server = seen->server != AQ_NOBODY;
    size_t used = strlen(world.told);
    snprintf(world.told + used, sizeof world.told - used, "%s%llu %s %u", used ? "; " : "",
             (unsigned long long)(seen->at_us / S), words[seen->kind], server ? seen->server : seen->fault);
    return 0;
}

static const struct aq_world_ops ops = {.set_timer = set_timer,
                                        .submit = submit,
                                        .client_is_up = client_is_up,
                                        .client_crash = client_crash,
                                        .client_start = client_start,
                                        .server_is_up = server_is_up,
                                        .server_crash = server_crash,
                                        .server_start = server_start,
                                        .server_fault = server_fault,
                                        .server_heal = server_heal,
                                        .server_redirect = server_redirect,
                                        .server_blank = server_blank,
                                        .link_fault = link_fault,
                                        .link_heal = link_heal,
                                        .reset = reset};

/* ---- the test's hands ---- */

static void begin(uint32_t servers, uint32_t clients, const char *faults) {
    char json[2048];
    struct aq_error error = {0};
    memset(&world, 0, sizeof world);
    snprintf(
        json, sizeof json,
        "{\"duration\":\"100000s\",\"window\":\"100000s\",\"servers\":{\"count\":%u},\"clients\":{\"count\":%u},"
        "\"workers\":{\"count\":0},\"producers\":{\"arrivals\":\"none\"},\"faults\":[%s]}",
        servers, clients, faults);
    for (char *c = json; *c; c++)
        if (*c == '\'') *c = '"';
    struct aq_scenario_options options = {0};
    if (aq_scenario_parse(json, "test", &options, &world.scenario, &error)) fail_msg("%s", error.text);
    struct aq_nemesis_config config = {.scenario = world.scenario,
                                       .book = &world.book,
                                       .seed = 1,
                                       .world = {NULL, &ops},
                                       .observer = {NULL, observe}};
    assert_int_equal(aq_nemesis_new(&config, &world.nemesis), 0);
    assert_int_equal(aq_nemesis_start(world.nemesis, 0), 0);
}

static void end(void) {
    aq_nemesis_free(world.nemesis);
    aq_scenario_free(world.scenario);
}

/* Lets time pass: every timer up to then, in order. */
static void until(aq_time_us until_us) {
    for (;;) {
        struct timer *next = NULL;
        for (size_t i = 0; i < sizeof world.timers / sizeof *world.timers; i++) {
            struct timer *t = &world.timers[i];
            if (t->pending && t->at_us <= until_us && (!next || t->at_us < next->at_us)) next = t;
        }
        if (!next) break;
        struct timer timer = *next;
        next->pending = false;
        world.now_us = timer.at_us;
        int rc = timer.kind == AQ_TIMER_STRIKE
                     ? aq_nemesis_strike(world.nemesis, timer.at_us, timer.subject)
                     : aq_nemesis_fault_end(world.nemesis, timer.at_us, timer.subject);
        assert_int_equal(rc, 0);
    }
    world.now_us = until_us;
}

static void tap(enum aq_tap_kind kind) {
    assert_int_equal(aq_nemesis_tap(world.nemesis, world.now_us, kind), 0);
}

static struct aq_receipt receipt(uint32_t fault) {
    return aq_nemesis_receipt(world.nemesis, fault);
}

static void told(const char *text) {
    assert_string_equal(world.told, text);
    world.told[0] = 0;
}

/* ---- whom ---- */

/* Two of five, 10,000 times: never one twice, each as often as any other, each pair as often as any other. */
static void a_random_number_of_targets_is_distinct_and_uniform(void **state) {
    (void)state;
    enum { STRIKES = 10000, SERVERS = 5, PAIRS = 10 };
    uint32_t pairs[SERVERS][SERVERS] = {{0}};
    begin(SERVERS, 1, "{'kind':'crash','servers':{'random':2},'at':'1s','for':'1s','every':'2s'}");
    for (uint32_t i = 0; i < STRIKES; i++) {
        until((1 + 2 * i) * S);
        uint32_t down[SERVERS], count = 0;
        for (uint32_t server = 0; server < SERVERS; server++)
            if (world.server_down[server]) down[count++] = server;
        assert_int_equal(count, 2);
        pairs[down[0]][down[1]]++;
        until((2 + 2 * i) * S);
    }
    for (uint32_t a = 0; a < SERVERS; a++)
        for (uint32_t b = a + 1; b < SERVERS; b++) /* 1,000 each, standard deviation 30 */
            assert_in_range(pairs[a][b], 820, 1180);
    for (uint32_t server = 0; server < SERVERS; server++) /* 4,000 each, standard deviation 49 */
        assert_in_range(world.crashes[server], 3700, 4300);
    assert_int_equal(receipt(0).strikes, STRIKES);
    assert_int_equal(receipt(0).touched, 2 * STRIKES);
    end();
}

static void a_share_is_rounded_and_drawn_anew_each_time(void **state) {
    (void)state;
    static const struct {
        const char *share;
        uint32_t clients, wanted;
    } cases[] = {{"0.5", 10, 5},  {"0.3", 10, 3}, {"0.25", 10, 3},
                 {"0.01", 10, 0}, {"1", 10, 10},  {"0.5", 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char fault[200];
        snprintf(fault, sizeof fault,
                 "{'kind':'client_crash','clients':{'share':%s},'at':'1s','for':'1s','every':'2s'}",
                 cases[i].share);
        begin(1, cases[i].clients, fault);
        uint32_t ever = 0;
        for (uint32_t strike = 0; strike < 100; strike++) {
            until((1 + 2 * strike) * S);
            uint32_t down = 0;
            for (uint32_t client = 0; client < cases[i].clients; client++)
                down += world.client_down[client];
            assert_int_equal(down, cases[i].wanted);
            until((2 + 2 * strike) * S);
        }
        for (uint32_t client = 0; client < cases[i].clients; client++)
            ever += world.client_crashes[client] > 0;
        assert_int_equal(ever, cases[i].wanted ? cases[i].clients : 0);
        end();
    }
}

static void listed_targets_and_all_are_taken_as_they_are(void **state) {
    (void)state;
    begin(4, 1,
          "{'kind':'crash','servers':[3,1],'at':'1s','for':'1s'},{'kind':'crash','at':'5s','for':'1s'}");
    until(1 * S);
    assert_true(!world.server_down[0] && world.server_down[1] && !world.server_down[2] &&
                world.server_down[3]);
    until(5 * S);
    for (uint32_t server = 0; server < 4; server++)
        assert_true(world.server_down[server]);
    assert_true(receipt(0).touched == 2 && receipt(1).touched == 4);
    end();
}

static void a_link_rule_gets_the_sets_of_its_selections(void **state) {
    (void)state;
    begin(3, 70,
          "{'kind':'partition','servers':1,'clients':[0,69],'at':'1s','for':'1s','direction':'to_client'}");
    until(1 * S);
    assert_non_null(world.link);
    assert_int_equal(world.link->direction, AQ_DIRECTION_TO_CLIENT);
    for (uint32_t client = 0; client < 70; client++)
        assert_int_equal(aq_index_set_has(&world.link->clients, client), client == 0 || client == 69);
    for (uint32_t server = 0; server < 3; server++)
        assert_int_equal(aq_index_set_has(&world.link->servers, server), server == 1);
    world.link->touched = 7;
    until(2 * S);
    assert_null(world.link);
    assert_int_equal(receipt(0).touched, 7);
    end();
}

static void a_reset_counts_the_connections_that_it_breaks(void **state) {
    (void)state;
    begin(3, 10, "{'kind':'reset','servers':[0,2],'clients':{'random':4},'at':'1s'}");
    until(1 * S);
    assert_int_equal(receipt(0).touched, 8);
    end();
}

/* ---- when ---- */

static void every_and_times_bound_the_strikes(void **state) {
    (void)state;
    begin(1, 1, "{'kind':'crash','at':'3s','for':'1s','every':'10s','times':3},{'kind':'reset','at':'1s'}");
    until(2 * S);
    assert_int_equal(receipt(0).strikes, 0);
    assert_int_equal(receipt(0).first_us, AQ_TIME_NEVER);
    until(3 * S);
    assert_true(receipt(0).strikes == 1 && receipt(0).until_us == AQ_TIME_NEVER);
    until(1000 * S);
    assert_true(receipt(0).strikes == 3 && receipt(0).first_us == 3 * S && receipt(0).until_us == 24 * S);
    assert_true(receipt(1).strikes == 1 && receipt(1).until_us == 1 * S);
    told("1 fault 1; 1 end 1; 3 fault 0; 4 end 0; 13 fault 0; 14 end 0; 23 fault 0; 24 end 0");
    end();
}

static void a_fault_on_an_event_strikes_once_at_the_first_one_in_its_time(void **state) {
    (void)state;
    begin(2, 1,
          "{'kind':'crash','servers':0,'on':'done','at':'5s','for':'1s'},"
          "{'kind':'crash','servers':1,'on':'done','for':'1s'}");
    until(1 * S);
    tap(AQ_TAP_PUT);
    until(2 * S);
    assert_true(receipt(0).strikes == 0 && receipt(1).strikes == 0);
    tap(AQ_TAP_DONE);
    assert_int_equal(receipt(1).strikes, 0); /* not from within the step that told of it */
    until(2 * S);
    assert_true(receipt(0).strikes == 0 && receipt(1).strikes == 1);
    until(6 * S);
    tap(AQ_TAP_DONE);
    until(7 * S);
    assert_true(receipt(0).strikes == 1 && receipt(0).first_us == 6 * S);
    tap(AQ_TAP_DONE);
    until(20 * S);
    assert_true(receipt(0).strikes == 1 && receipt(1).strikes == 1);
    end();
}

static void healing_ends_what_is_in_force_and_nothing_strikes_any_more(void **state) {
    (void)state;
    begin(2, 2,
          "{'kind':'crash','servers':0,'at':'1s'},{'kind':'client_crash','at':'2s'},"
          "{'kind':'loss','probability':0.5,'at':'3s'},{'kind':'crash','servers':1,'at':'50s'},"
          "{'kind':'reset','on':'put'}");
    until(10 * S);
    char text[64];
    aq_nemesis_describe(world.nemesis, text, sizeof text);
    assert_string_equal(text, "crash+client_crash+loss");
    assert_int_equal(aq_nemesis_heal(world.nemesis, 10 * S), 0);
    assert_true(!world.server_down[0] && !world.client_down[0] && !world.client_down[1] && !world.link);
    aq_nemesis_describe(world.nemesis, text, sizeof text);
    assert_string_equal(text, "");
    tap(AQ_TAP_PUT);
    until(100 * S);
    assert_true(receipt(3).strikes == 0 && receipt(4).strikes == 0 && world.crashes[1] == 0);
    assert_int_equal(receipt(0).until_us, 10 * S);
    end();
}

/* ---- receipts ---- */

static void what_is_down_already_is_not_touched(void **state) {
    (void)state;
    begin(
        2, 1,
        "{'kind':'crash','servers':0,'at':'1s','for':'10s'},{'kind':'crash','servers':0,'at':'2s','for':'1s'},"
        "{'kind':'restart','servers':1,'at':'3s'},{'kind':'client_crash','at':'4s','for':'9s'},"
        "{'kind':'client_crash','at':'5s','for':'9s'}");
    until(5 * S);
    assert_int_equal(receipt(0).touched, 1);
    assert_true(receipt(1).strikes == 1 && receipt(1).touched == 0);
    assert_true(receipt(2).strikes == 1 && receipt(2).touched == 0); /* it was up */
    assert_int_equal(receipt(3).touched, 1);
    assert_int_equal(receipt(4).touched, 0);
    end();
}

static void what_a_server_is_told_touches_nothing_where_nobody_listens(void **state) {
    (void)state;
    begin(3, 1,
          "{'kind':'redirect','servers':[0,1],'server':2,'at':'1s'},"
          "{'kind':'blank_request','servers':[0,1],'at':'1s'},{'kind':'blank_request','at':'1s'}");
    world.server_down[0] = true;
    world.starting[1] = true; /* a process that does not listen yet */
    until(1 * S);
    assert_true(receipt(0).strikes == 1 && receipt(0).touched == 0);
    assert_true(receipt(1).strikes == 1 && receipt(1).touched == 0);
    assert_int_equal(receipt(2).touched, 1);
    end();
}

static void receipts_outlive_the_process_that_earned_them(void **state) {
    (void)state;
    begin(
        1, 1,
        "{'kind':'drop_reply','probability':0.5,'at':'1s','for':'9s'},{'kind':'crash','at':'3s','for':'2s'}");
    until(4 * S);
    assert_int_equal(receipt(0).touched, 10); /* taken as the process ended */
    until(6 * S);
    assert_true(world.ruled[0]); /* the fault outlives it and is put in force again */
    until(10 * S);
    assert_int_equal(receipt(0).touched, 20);
    end();
}

/* ---- silence ---- */

static void a_server_is_stopped_from_the_first_to_the_last_of_the_faults_that_silence_it(void **state) {
    (void)state;
    begin(
        2, 1,
        "{'kind':'pause','servers':1,'at':'1s','for':'5s'},{'kind':'partition','servers':1,'at':'3s','for':'7s'},"
        "{'kind':'drop_reply','servers':1,'at':'4s','for':'1s'}");
    until(100 * S);
    told("1 fault 0; 1 stopped 1; 3 fault 1; 4 fault 2; 5 resumed 1; 5 stopped 1; 5 end 2; 6 resumed 1; "
         "6 stopped 1; 6 end 0; 10 resumed 1; 10 end 1");
    end();
}

static void only_what_silences_a_server_towards_everyone_stops_it(void **state) {
    (void)state;
    begin(1, 4,
          "{'kind':'partition','clients':{'share':0.5},'at':'1s','for':'1s'},"
          "{'kind':'drop_reply','probability':0.5,'at':'3s','for':'1s'},"
          "{'kind':'drop_reply','actions':['put'],'at':'5s','for':'1s'},"
          "{'kind':'drop_request','at':'7s','for':'1s'},{'kind':'slow','factor':9,'at':'9s','for':'1s'}");
    until(100 * S);
    told("1 fault 0; 2 end 0; 3 fault 1; 4 end 1; 5 fault 2; 6 end 2; 7 fault 3; 7 stopped 0; 8 resumed 0; "
         "8 end 3; 9 fault 4; 10 end 4");
    end();
}

static void a_new_process_is_not_paused_but_still_cut_off(void **state) {
    (void)state;
    begin(1, 1,
          "{'kind':'pause','at':'1s','for':'20s'},{'kind':'partition','at':'2s','for':'8s'},"
          "{'kind':'crash','at':'3s','for':'1s','every':'10s','times':2}");
    until(100 * S);
    told("1 fault 0; 1 stopped 0; 2 fault 1; 3 fault 2; 4 stopped 0; 4 end 2; 10 resumed 0; 10 end 1; "
         "13 fault 2; 14 end 2; 21 end 0");
    assert_false(world.ruled[0]);
    end();
}

static void running_out_of_memory_is_reported(void **state) {
    (void)state;
    begin(2, 1, "");
    struct aq_nemesis_config config = {.scenario = world.scenario, .world = {NULL, &ops}};
    for (uint64_t skip = 0; skip < 3; skip++) {
        struct aq_nemesis *nemesis = NULL;
        aq_alloc_fail_after(skip);
        assert_int_equal(aq_nemesis_new(&config, &nemesis), AQ_ENOMEM);
        assert_null(nemesis);
    }
    aq_alloc_fail_after(UINT64_MAX);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_number_of_targets_is_distinct_and_uniform),
        cmocka_unit_test(a_share_is_rounded_and_drawn_anew_each_time),
        cmocka_unit_test(listed_targets_and_all_are_taken_as_they_are),
        cmocka_unit_test(a_link_rule_gets_the_sets_of_its_selections),
        cmocka_unit_test(a_reset_counts_the_connections_that_it_breaks),
        cmocka_unit_test(every_and_times_bound_the_strikes),
        cmocka_unit_test(a_fault_on_an_event_strikes_once_at_the_first_one_in_its_time),
        cmocka_unit_test(healing_ends_what_is_in_force_and_nothing_strikes_any_more),
        cmocka_unit_test(what_is_down_already_is_not_touched),
        cmocka_unit_test(what_a_server_is_told_touches_nothing_where_nobody_listens),
        cmocka_unit_test(receipts_outlive_the_process_that_earned_them),
        cmocka_unit_test(a_server_is_stopped_from_the_first_to_the_last_of_the_faults_that_silence_it),
        cmocka_unit_test(only_what_silences_a_server_towards_everyone_stops_it),
        cmocka_unit_test(a_new_process_is_not_paused_but_still_cut_off),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
