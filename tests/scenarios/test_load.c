/* What a file says is what the scenario holds; what it does not say has its default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"

static struct aq_scenario *load(const char *path, const struct aq_scenario_options *options) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    if (aq_scenario_load(path, options, &scenario, &error)) fail_msg("%s", error.text);
    return scenario;
}

static struct aq_scenario *parse(const char *text) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    if (aq_scenario_parse(text, "here/x.json", NULL, &scenario, &error)) fail_msg("%s", error.text);
    return scenario;
}

static void check_distribution(const struct aq_distribution *d, enum aq_distribution_kind kind, double a_us,
                               double b_us) {
    assert_int_equal(d->kind, kind);
    assert_float_equal(d->a_us, a_us, 0);
    assert_float_equal(d->b_us, b_us, 0);
}

static void an_empty_file_is_a_scenario_of_defaults(void **state) {
    (void)state;
    struct aq_scenario *s = load("tests/scenarios/good/empty.json", NULL);
    assert_string_equal(s->name, "empty");
    assert_string_equal(s->summary, "");
    assert_int_equal(s->seed, 1);
    assert_int_equal(s->duration_us, 60 * AQ_US_PER_S);
    assert_int_equal(s->settle_us, 60 * AQ_US_PER_S);
    assert_int_equal(s->window_us, AQ_US_PER_S);
    assert_false(s->wire);
    assert_int_equal(s->servers.count, 4);
    assert_int_equal(s->servers.profile, AQ_PROFILE_STRICT);
    assert_memory_equal(&s->servers.policy, &aq_server_policy_strict, sizeof s->servers.policy);
    assert_false(s->servers.persistent);
    for (int i = 0; i < AQ_ACTION_COUNT; i++)
        check_distribution(&s->servers.service.by_action[i], AQ_DISTRIBUTION_EXPONENTIAL, 60, 0);
    assert_int_equal(s->servers.default_ttl_s, 3600);
    assert_int_equal(s->servers.queue_max, 100000);
    assert_int_equal(s->servers.start_us, 100 * AQ_US_PER_MS);
    assert_int_equal(s->clients.count, 100);
    assert_memory_equal(&s->clients.policy, &aq_client_policy_strict, sizeof s->clients.policy);
    assert_int_equal(s->clients.group_count, 0);
    assert_int_equal(s->workers.count, 500);
    assert_string_equal(s->workers.tube, "default");
    check_distribution(&s->workers.poll, AQ_DISTRIBUTION_EXPONENTIAL, 500e3, 0);
    check_distribution(&s->workers.process, AQ_DISTRIBUTION_LOGNORMAL, 200e3, 1e6);
    assert_true(s->workers.process.shape > 0);
    assert_int_equal(s->workers.touch_every_us, AQ_TIME_NEVER);
    assert_int_equal(s->workers.call_timeout_us, AQ_TIME_NEVER);
    assert_int_equal(s->workers.batch, 1);
    assert_int_equal(s->producers.arrivals, AQ_ARRIVALS_POISSON);
    assert_float_equal(s->producers.rate_per_s, 500, 0);
    assert_int_equal(s->producers.stop_us, s->duration_us);
    assert_true(s->producers.ttl_given);
    assert_int_equal(s->producers.ttl_s, 30);
    assert_int_equal(s->producers.priority_min, 5);
    assert_int_equal(s->producers.priority_max, 5);
    check_distribution(&s->network.latency, AQ_DISTRIBUTION_LOGNORMAL, 200, 1000);
    assert_int_equal(s->network.connect_round_trips, 3);
    assert_int_equal(s->network.retransmit_first_us, 200 * AQ_US_PER_MS);
    assert_int_equal(s->network.retransmit_max_us, 120 * AQ_US_PER_S);
    assert_int_equal(s->balancer, AQ_BALANCER_NONE);
    assert_int_equal(s->fault_count, 0);
    assert_int_equal(s->budgets.failover_leave_us, 6 * AQ_US_PER_S);
    assert_int_equal(s->budgets.failover_return_us, 35 * AQ_US_PER_S);
    assert_int_equal(s->budgets.progress_us, 60 * AQ_US_PER_S);
    assert_float_equal(s->budgets.duplicate_executions_max, 1, 0);
    assert_float_equal(s->budgets.distribution_p_min, 1e-6, 0);
    assert_int_equal(s->slo_count, 0);
    assert_int_equal(s->command_count, 0);
    assert_true(s->producers.parents.share == 0 && s->producers.shard_keys.count == 0);
    assert_false(s->expect_strict.given);
    assert_false(s->expect_upstream.given);
    assert_int_equal(s->required_marks.count, 0);
    aq_scenario_free(s);
}

static void check_full_sides(const struct aq_scenario *s) {
    assert_int_equal(s->servers.count, 7);
    assert_int_equal(s->servers.policy.lease_sweep_us, 0);
    assert_int_equal(s->servers.policy.delay_sweep_us, AQ_TIME_NEVER);
    assert_false(s->servers.policy.whole_seconds);
    assert_true(s->servers.policy.priority_lost_on_expiry); /* upstream, not set in the file */
    assert_true(s->servers.same_host);
    assert_true(s->servers.persistent);
    check_distribution(&s->servers.persist, AQ_DISTRIBUTION_UNIFORM, 1e3, 5e3);
    check_distribution(&s->servers.service.by_action[AQ_ACTION_PUT], AQ_DISTRIBUTION_EXPONENTIAL, 90, 0);
    check_distribution(&s->servers.service.by_action[AQ_ACTION_GET], AQ_DISTRIBUTION_CONSTANT, 70, 0);
    check_distribution(&s->servers.service.by_action[AQ_ACTION_GET_MULTIPLE], AQ_DISTRIBUTION_PARETO, 1e3,
                       9e3);
    check_distribution(&s->servers.service.by_action[AQ_ACTION_VERSION], AQ_DISTRIBUTION_CONSTANT, 70, 0);
    assert_int_equal(s->servers.default_ttl_s, 60);
    assert_int_equal(s->servers.queue_max, 1000);
    assert_int_equal(s->servers.start_us, 2 * AQ_US_PER_S);
    assert_int_equal(s->clients.count, 11);
    assert_int_equal(s->clients.policy.in_flight_per_server, 3);
    assert_int_equal(s->clients.policy.request_timeout_us, 7 * AQ_US_PER_S);
    assert_true(s->clients.policy.report_unknown);
    assert_true(s->clients.policy.retry_put_after_send);
    assert_int_equal(s->clients.group_count, 2);
    assert_float_equal(s->clients.groups[0].share, 0.25, 0);
    assert_int_equal(s->clients.groups[0].server_count, 3);
    assert_int_equal(s->clients.groups[0].servers[2], 70);
    assert_int_equal(s->clients.groups[1].servers[0], 1);
}

static void check_full_others(const struct aq_scenario *s) {
    assert_string_equal(s->servers.connect, "10.0.0.1:5555,10.0.0.2,a-b.c_d:1,e:2,f:3,g:4,h:65535");
    assert_false(s->servers.own_tube);
    assert_int_equal(s->clients.exec_count, 2);
    assert_string_equal(s->clients.exec[1], "--verbose");
    assert_int_equal(s->clients.speak, AQ_DIALECT_REST);
    assert_int_equal(s->clients.ready_within_us, 3 * AQ_US_PER_S);
    assert_int_equal(s->expect_unknown, 1u << AQ_CHECK_FAILOVER);
}

static void check_full_load(const struct aq_scenario *s) {
    assert_int_equal(s->workers.count, 13);
    assert_string_equal(s->workers.tube, "mail.out");
    assert_int_equal(s->workers.start_us, 3 * AQ_US_PER_S);
    assert_int_equal(s->workers.ramp_us, 4 * AQ_US_PER_S);
    check_distribution(&s->workers.poll, AQ_DISTRIBUTION_CONSTANT, 250e3, 0);
    assert_float_equal(s->workers.release_ratio, 0.1, 0);
    assert_float_equal(s->workers.bury_ratio, 0.2, 0);
    assert_float_equal(s->workers.delete_ratio, 0.3, 0);
    assert_float_equal(s->workers.abandon_ratio, 0.4, 0);
    assert_int_equal(s->workers.release_delay_s, 5);
    assert_int_equal(s->workers.touch_every_us, 6 * AQ_US_PER_S);
    assert_int_equal(s->workers.call_timeout_us, 8 * AQ_US_PER_S);
    assert_int_equal(s->workers.restart_us, 0);
    assert_int_equal(s->workers.batch, 10);
    assert_int_equal(s->producers.arrivals, AQ_ARRIVALS_BURSTS);
    assert_float_equal(s->producers.rate_per_s, 0.1, 1e-12);
    assert_int_equal(s->producers.burst_jobs, 500);
    assert_int_equal(s->producers.jobs_max, 100000);
    assert_int_equal(s->producers.stop_us, 90 * AQ_US_PER_S);
    assert_false(s->producers.ttl_given);
    assert_int_equal(s->producers.delay_s, 9);
    assert_int_equal(s->producers.priority_min, -1);
    assert_int_equal(s->producers.priority_max, 12);
    assert_int_equal(s->producers.expired_limit, 4);
    assert_int_equal(s->producers.body_bytes, 2048);
    const struct aq_parent_section *parents = &s->producers.parents;
    assert_true(parents->share == 0.25 && parents->children.least == 0 && parents->children.most == 5);
    assert_true(parents->levels == 3 && !parents->children_known && parents->timeout_s == 120);
    assert_true(parents->run_on_timeout && parents->noop == AQ_NOOP_INNER);
    assert_string_equal(parents->tube, "mail-2");
    assert_true(s->producers.shard_keys.count == 40 && s->producers.shard_keys.skew == 1.5);
    assert_int_equal(s->workers.further_tube_count, 2);
    assert_string_equal(s->workers.further_tubes[1], "mail-2");
    assert_int_equal(s->workers.get_delete, AQ_GET_DELETE_FALSE);
    assert_int_equal(s->command_count, AQ_COMMAND_KIND_COUNT);
    const struct aq_command_spec *throttle = &s->commands[0], *add = &s->commands[9];
    assert_true(throttle->kind == AQ_COMMAND_THROTTLE && throttle->action == AQ_ACTION_THROTTLE);
    assert_true(throttle->at_us == AQ_US_PER_S && throttle->every_us == 5 * AQ_US_PER_S &&
                throttle->times == 4);
    assert_true(throttle->tps == 2.5 && throttle->client == 10);
    assert_string_equal(s->commands[4].job, "3nf9ptu,ABC");
    assert_true(!s->commands[0].job && s->commands[5].buried && s->commands[5].every_us == AQ_TIME_NEVER);
    assert_true(add->action == AQ_ACTION_ADD_SERVER && add->server == 70 && !add->tube);
    assert_float_equal(s->network.loss, 0.01, 0);
    assert_int_equal(s->network.connect_round_trips, 2);
    assert_int_equal(s->balancer, AQ_BALANCER_PER_CONNECTION);
}

static const struct aq_fault_spec *fault_of(const struct aq_scenario *s, enum aq_fault_kind kind) {
    for (uint32_t i = 0; i < s->fault_count; i++)
        if (s->faults[i].kind == kind) return &s->faults[i];
    fail_msg("no fault of kind %s", aq_fault_word(kind));
    return NULL;
}

static void check_full_faults(const struct aq_scenario *s) {
    const struct aq_fault_spec *f = fault_of(s, AQ_FAULT_CRASH);
    assert_string_equal(f->name, "rack B");
    assert_int_equal(f->at_us, 10 * AQ_US_PER_S);
    assert_int_equal(f->for_us, 5 * AQ_US_PER_S);
    assert_int_equal(f->every_us, 20 * AQ_US_PER_S);
    assert_int_equal(f->times, 3);
    assert_true(f->servers.given && f->disk_lost && !f->on_event && !f->clients.given);
    assert_int_equal(f->servers.index_count, 3);
    assert_int_equal(f->servers.indexes[1], 3);
    f = fault_of(s, AQ_FAULT_RESTART);
    assert_string_equal(f->name, "restart");
    assert_int_equal(f->for_us, 0);
    assert_int_equal(f->servers.random_count, 2);
    f = fault_of(s, AQ_FAULT_PAUSE);
    assert_true(f->on_event);
    assert_int_equal(f->on, AQ_TAP_LEASE);
    assert_float_equal(f->servers.share, 0.5, 0);
    f = fault_of(s, AQ_FAULT_SLOW);
    assert_false(f->servers.given);
    assert_int_equal(f->for_us, AQ_TIME_NEVER);
    assert_int_equal(f->every_us, AQ_TIME_NEVER);
    assert_float_equal(f->factor, 2.5, 0);
    assert_int_equal(f->actions, 1u << AQ_ACTION_PUT | 1u << AQ_ACTION_DONE);
    assert_string_equal(f->tube, "mail.out");
    assert_float_equal(f->probability, 0.5, 0);
    f = fault_of(s, AQ_FAULT_ERROR_REPLY);
    assert_int_equal(f->nth, 100);
    assert_float_equal(f->probability, 1, 0);
    assert_string_equal(f->error, "disk full");
    assert_string_equal(f[1].error, "injected error");
    assert_int_equal(fault_of(s, AQ_FAULT_CLOCK_JUMP)->jump_us, -10 * (int64_t)AQ_US_PER_S);
    f = fault_of(s, AQ_FAULT_LATENCY);
    check_distribution(&f->delay, AQ_DISTRIBUTION_CONSTANT, 50e3, 0);
    assert_int_equal(f->direction, AQ_DIRECTION_TO_SERVER);
    f = fault_of(s, AQ_FAULT_LOSS);
    assert_int_equal(f->clients.indexes[0], 10);
    assert_int_equal(f->servers.indexes[0], 0);
    assert_int_equal(fault_of(s, AQ_FAULT_BANDWIDTH)->bytes_per_s, 64000);
    f = fault_of(s, AQ_FAULT_CHOP);
    assert_int_equal(f->piece_bytes, 7);
    assert_int_equal(f->pause_us, 2 * AQ_US_PER_MS);
    assert_int_equal(f[1].pause_us, AQ_US_PER_MS);
    f = fault_of(s, AQ_FAULT_CORRUPT);
    assert_float_equal(f->probability, 0.01, 0);
    assert_int_equal(f->nth, 0);
    assert_int_equal(f[1].nth, 4096);
    check_distribution(&fault_of(s, AQ_FAULT_SLOW_CLOSE)->delay, AQ_DISTRIBUTION_EXPONENTIAL, 3e6, 0);
    f = fault_of(s, AQ_FAULT_BURST);
    assert_int_equal(f->count, 5000);
    assert_int_equal(f->for_us, 0);
    assert_int_equal(f[1].for_us, AQ_US_PER_S);
    assert_int_equal(fault_of(s, AQ_FAULT_ADD_SERVER)->server_list[0], 70);
    f = fault_of(s, AQ_FAULT_UPDATE_SERVERS);
    assert_int_equal(f->server_list_count, 3);
    assert_int_equal(f->server_list[0], 3);
    assert_int_equal(fault_of(s, AQ_FAULT_REDIRECT)->server_list[0], 1);
}

static void a_file_with_every_key_is_taken_word_for_word(void **state) {
    (void)state;
    struct aq_scenario *s = load("tests/scenarios/good/full.json", NULL);
    assert_string_equal(s->name, "family/full");
    assert_string_equal(s->summary, "Every key once.");
    assert_int_equal(s->seed, UINT64_C(999999999999999));
    assert_int_equal(s->duration_us, 120 * AQ_US_PER_S);
    assert_int_equal(s->settle_us, 0);
    assert_true(s->wire);
    check_full_sides(s);
    check_full_others(s);
    check_full_load(s);
    check_full_faults(s);
    assert_int_equal(s->budgets.failover_leave_us, AQ_TIME_NEVER);
    assert_float_equal(s->budgets.duplicate_executions_max, 0.25, 0);
    assert_int_equal(s->slo_count, 4);
    assert_int_equal(s->slos[0].kind, AQ_SLO_LATENCY);
    assert_int_equal(s->slos[0].action, AQ_ACTION_DONE);
    assert_float_equal(s->slos[0].quantile, 0.999, 1e-12);
    assert_float_equal(s->slos[0].bound, 0.25, 1e-12);
    assert_float_equal(s->slos[1].bound, 1000, 0);
    assert_int_equal(s->slos[2].action, AQ_ACTION_GET);
    assert_int_equal(s->slos[3].kind, AQ_SLO_EMPTY_GETS);
    assert_true(s->expect_strict.given && s->expect_upstream.given);
    assert_int_equal(s->expect_strict.caught, 1u << AQ_CHECK_COMPLETION_ORIGIN | 1u << AQ_CHECK_SLO);
    assert_int_equal(s->expect_strict.sometimes, 1u << AQ_CHECK_PROGRESS);
    assert_int_equal(s->expect_upstream.caught, 0);
    const struct aq_expected_figure *figures = s->expect_strict.figures;
    assert_int_equal(s->expect_strict.figure_count, 3);
    assert_string_equal(figures[0].name, "jobs.held");
    assert_float_equal(figures[0].max, 0, 0);
    assert_string_equal(figures[1].name, "latency.put.p99_s");
    assert_float_equal(figures[1].min, 0.1, 0);
    assert_float_equal(figures[1].max, 2.5, 0);
    assert_false(figures[1].exact);
    assert_true(figures[2].exact);
    assert_float_equal(figures[2].min, 7, 0);
    assert_int_equal(s->required_marks.count, 2);
    assert_string_equal(s->required_marks.names[1], "server.expired");
    aq_scenario_free(s);
}

static void measured_times_come_from_a_file_beside_the_scenario(void **state) {
    (void)state;
    struct aq_scenario *s = load("tests/scenarios/good/measured.json", NULL);
    const struct aq_distribution *put = &s->servers.service.by_action[AQ_ACTION_PUT];
    const struct aq_distribution *process = &s->workers.process;
    assert_int_equal(put->kind, AQ_DISTRIBUTION_EMPIRICAL);
    assert_int_equal(put->quantile_count, 3);
    assert_float_equal(put->quantiles_us[2], 90, 0);
    check_distribution(&s->servers.service.by_action[AQ_ACTION_GET], AQ_DISTRIBUTION_CONSTANT, 40, 0);
    assert_int_equal(process->quantile_count, 4);
    assert_float_equal(aq_distribution_mean_us(process), 2833.333, 0.001);
    assert_null(strstr(s->text, "empirical")); /* what is stored stands by itself */
    assert_non_null(strstr(s->text, "\"90us\""));
    struct aq_scenario *again = NULL;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_parse(s->text, "elsewhere/measured.json", NULL, &again, &error), 0);
    assert_int_equal(again->hash, s->hash);
    aq_scenario_free(again);
    aq_scenario_free(s);
}

static void the_path_of_measured_times_can_be_set(void **state) {
    (void)state;
    const char *const settings[] = {"servers.service={\"empirical\": \"parts/times.json\"}"};
    const struct aq_scenario_options options = {settings, 1, NULL, NULL};
    struct aq_scenario *s = load("tests/scenarios/good/plain.json", &options);
    assert_int_equal(s->servers.service.by_action[AQ_ACTION_DONE].kind, AQ_DISTRIBUTION_EMPIRICAL);
    aq_scenario_free(s);
}

static void the_fault_file_names_every_kind(void **state) {
    (void)state;
    struct aq_scenario *s = load("tests/scenarios/good/full.json", NULL);
    for (int kind = 0; kind < AQ_FAULT_KIND_COUNT; kind++)
        assert_int_equal(fault_of(s, (enum aq_fault_kind)kind)->kind, kind);
    aq_scenario_free(s);
}

static void the_hash_hangs_on_what_is_said_and_not_on_white_space(void **state) {
    (void)state;
    struct aq_scenario *a = parse("{\"seed\": 3}"), *b = parse("{ \n\"seed\":3\n}\n"),
                       *c = parse("{\"seed\": 4}");
    assert_int_equal(a->hash, b->hash);
    assert_string_equal(a->text, b->text);
    assert_int_not_equal(a->hash, c->hash);
    assert_string_equal(a->name, "x");
    struct aq_scenario *again = parse(a->text);
    assert_int_equal(again->hash, a->hash);
    aq_scenario_free(a);
    aq_scenario_free(b);
    aq_scenario_free(c);
    aq_scenario_free(again);
}

static void faults_on_bytes_need_the_live_world_and_say_so(void **state) {
    (void)state;
    static const char *const bytes[] = {"\"kind\": \"bandwidth\", \"bytes_per_s\": 1",
                                        "\"kind\": \"chop\", \"piece_bytes\": 1", "\"kind\": \"corrupt\"",
                                        "\"kind\": \"slow_close\", \"delay\": \"1s\""};
    for (int i = 0; i < 4; i++) {
        char text[200], wanted[100];
        snprintf(text, sizeof text,
                 "{\"faults\": [{\"kind\": \"loss\", \"at\": \"1s\", \"probability\": 0.5}, "
                 "{%s, \"at\": \"1s\"}]}",
                 bytes[i]);
        struct aq_scenario *s = parse(text);
        struct aq_error error = {0};
        snprintf(wanted, sizeof wanted, "faults[1]: fault \"%s\" needs --world live",
                 aq_fault_word(s->faults[1].kind));
        assert_int_equal(aq_scenario_check_world(s, true, &error), 0);
        assert_int_equal(aq_scenario_check_world(s, false, &error), AQ_EUNSUPPORTED);
        assert_string_equal(error.text, wanted);
        s->fault_count = 1; /* the loss alone is for both */
        assert_int_equal(aq_scenario_check_world(s, false, NULL), 0);
        s->fault_count = 2;
        aq_scenario_free(s);
    }
}

struct refusal {
    const char *text;
    bool live;
    const char *wanted;
};

#define EXEC(more)    "{\"clients\": {\"exec\": [\"c\"], \"speak\": \"rest\"}" more "}"
#define CONNECT(more) "{\"servers\": {\"connect\": \"a,b\"}" more "}"
#define ONE(fault)    ", \"faults\": [{" fault ", \"at\": \"1s\"}]"

static void what_other_programs_cannot_show_or_suffer_is_refused(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        {EXEC(""), false, "clients.exec: other programs need --world live"},
        {EXEC(""), true, NULL},
        {EXEC(ONE("\"kind\": \"partition\"")), true, NULL},
        {EXEC(ONE("\"kind\": \"partition\", \"clients\": 1")), true, "faults[0]: \"partition\" cannot tell"},
        {EXEC(ONE("\"kind\": \"client_crash\", \"clients\": 1")), true, NULL},
        {EXEC(ONE("\"kind\": \"drain\", \"server\": 1")), true, "faults[0]: AllQueue's REST has nothing"},
        {EXEC(", \"require_marks\": [\"put_unknown\"]"), true, "require_marks: the clients of clients.exec"},
        {CONNECT(""), false, "servers.connect: real servers need --world live"},
        {CONNECT(""), true, NULL},
        {CONNECT(ONE("\"kind\": \"crash\"")), true, "faults[0]: \"crash\" acts inside servers"},
        {CONNECT(ONE("\"kind\": \"redirect\", \"server\": 1")), true, "faults[0]: \"redirect\" acts inside"},
        {CONNECT(ONE("\"kind\": \"reset\", \"servers\": 1")), true, NULL},
        {CONNECT(ONE("\"kind\": \"reset\", \"on\": \"put\"")), true, "faults[0].on: what the servers"},
        {CONNECT(", \"slo\": [{\"throughput\": \"1/s\"}]"), true, "slo[0].throughput: what the servers"},
        {CONNECT(", \"clients\": {\"exec\": [\"c\"]}"), true, "servers.connect: it needs our own clients"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aq_scenario *s = parse(rows[i].text);
        struct aq_error error = {0};
        int rc = aq_scenario_check_world(s, rows[i].live, &error);
        assert_int_equal(rc, rows[i].wanted ? AQ_EUNSUPPORTED : 0);
        if (rows[i].wanted && strncmp(error.text, rows[i].wanted, strlen(rows[i].wanted)) != 0)
            fail_msg("%s: %s", rows[i].text, error.text);
        aq_scenario_free(s);
    }
}

static void escapes_in_texts_are_read(void **state) {
    (void)state;
    struct aq_scenario *s = parse("{\"summary\": \"\\u00e9 \\ud83d\\ude00 \\\"\\\\\\/\\t\"}");
    assert_string_equal(s->summary, "\xc3\xa9 \xf0\x9f\x98\x80 \"\\/\t");
    aq_scenario_free(s);
}

static void shares_that_add_up_to_one_are_not_refused_for_rounding(void **state) {
    (void)state;
    struct aq_scenario *s =
        parse("{\"workers\": {\"release_ratio\": 0.1, \"bury_ratio\": 0.2, \"delete_ratio\": 0.7}}");
    aq_scenario_free(s);
}

/* Returns how many allocations loading the file takes. */
static uint64_t load_short_of_memory(const char *path, const struct aq_scenario_options *options,
                                     struct aq_scenario **scenario) {
    struct aq_error error = {0};
    uint64_t skip = 0;
    int rc = AQ_ENOMEM;
    for (; rc; skip++) {
        aq_alloc_fail_after(skip);
        rc = aq_scenario_load(path, options, scenario, &error);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc && (rc != AQ_ENOMEM || *scenario))
            fail_msg("allocation %llu: %d %s", (unsigned long long)skip, rc, error.text);
    }
    return skip;
}

static void an_allocation_that_fails_leaves_nothing_behind(void **state) {
    (void)state;
    static const char *const settings[] = {"clients.count=12", "faults.0.at=30s", "network.loss=0.5"};
    struct aq_scenario_options options = {settings, 3, "client=strict", "message"};
    struct aq_scenario *scenario = NULL;
    assert_true(load_short_of_memory("tests/scenarios/good/measured.json", NULL, &scenario) > 50);
    aq_scenario_free(scenario);
    scenario = NULL;
    assert_true(load_short_of_memory("tests/scenarios/good/full.json", &options, &scenario) > 500);
    assert_int_equal(scenario->clients.count, 12);
    assert_int_equal(scenario->servers.count, 7);
    aq_scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_a_scenario_of_defaults),
        cmocka_unit_test(a_file_with_every_key_is_taken_word_for_word),
        cmocka_unit_test(measured_times_come_from_a_file_beside_the_scenario),
        cmocka_unit_test(the_path_of_measured_times_can_be_set),
        cmocka_unit_test(the_fault_file_names_every_kind),
        cmocka_unit_test(the_hash_hangs_on_what_is_said_and_not_on_white_space),
        cmocka_unit_test(faults_on_bytes_need_the_live_world_and_say_so),
        cmocka_unit_test(what_other_programs_cannot_show_or_suffer_is_refused),
        cmocka_unit_test(escapes_in_texts_are_read),
        cmocka_unit_test(shares_that_add_up_to_one_are_not_refused_for_rounding),
        cmocka_unit_test(an_allocation_that_fails_leaves_nothing_behind),
    };
    /* So that the failing allocations are cJSON's as well. */
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = aq_alloc, .free_fn = aq_free});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
