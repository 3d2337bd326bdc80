/* Whole runs of what operators, producers of workflows and troubled workers do: commands, parents, fair
   queues, and the faults of workers, clients and load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/record_measure.h"
#include "sim/verdict.h"
#include "tests/sim/run_rig.h"

#define SETTINGS_MAX 16
#define SECONDS_MAX  400

static const char fleet[] =
    "{\"name\":\"fleet\",\"duration\":\"20s\",\"settle\":\"90s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":60,\"process\":{\"exp\":\"100ms\"},\"poll\":{\"exp\":\"200ms\"}},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"5s\"}}";

/* What the lines of a trace add up to. */
struct sums {
    uint32_t leases[SECONDS_MAX]; /* by second */
    uint32_t held, started, noops, timed_out, told_all, asked, answered, kids;
};

static int add_line(void *arg, aq_time_us at_us, const char *text) {
    struct sums *sums = arg;
    uint64_t second = at_us / AQ_US_PER_S;
    if (strstr(text, ": lease ") && second < SECONDS_MAX) sums->leases[second]++;
    sums->held += strstr(text, ": parent_held ") != NULL;
    sums->started += strstr(text, ": parent_started ") != NULL;
    sums->noops += strstr(text, ": noop_done ") != NULL;
    sums->timed_out += strstr(text, ": timed_out ") != NULL;
    sums->told_all += strstr(text, ": children_started ") != NULL;
    sums->asked += strstr(text, "command ") && strstr(text, " > ");
    sums->answered += strstr(text, "command ") && strstr(text, " ok");
    sums->kids += strstr(text, ": put ") && strstr(text, " in kids");
    return 0;
}

static void run(struct aq_record *record, struct sums *sums, const char *profile,
                const char *const *settings) {
    static char texts[SETTINGS_MAX][700];
    const char *list[SETTINGS_MAX];
    uint32_t count = 0;
    *sums = (struct sums){0};
    for (; settings[count]; count++) {
        assert_true(count < SETTINGS_MAX && strlen(settings[count]) < sizeof texts[0]);
        strcpy(texts[count], settings[count]);
        for (char *c = texts[count]; *c; c++)
            if (*c == '\'') *c = '"';
        list[count] = texts[count];
    }
    run_text(fleet,
             &(struct run_variation){.seed = 3,
                                     .profile = profile,
                                     .settings = list,
                                     .setting_count = count,
                                     .line = add_line,
                                     .line_arg = sums},
             record);
}

#define RUN(record, sums, profile, ...)                                                                      \
    run((record), (sums), (profile), (const char *const[]){__VA_ARGS__, NULL})

static void comes_out(const struct aq_record *record, int exit_code) {
    if (record->exit_code != exit_code) fail_msg("it ends with %d: %s", record->exit_code, record->reason);
}

static uint64_t touched(const struct aq_record *record) {
    assert_int_equal(record->fault_count, 1);
    return record->faults[0].touched;
}

/* ---- commands ---- */

static void a_throttle_holds_from_its_command_to_the_next(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "clients.count=5",
        "commands=[{'at':'5s','action':'throttle','tube':'default','tps':30},"
        "{'at':'10s','action':'throttle','tube':'default','tps':0,'client':4}]");
    comes_out(&record, AQ_EXIT_PASS);
    for (uint32_t second = 6; second < 10; second++)
        assert_true(sums.leases[second] > 0 && sums.leases[second] <= 30);
    assert_true(sums.leases[4] > 60 && sums.leases[11] > 60);
    assert_int_equal(sums.asked, 2);
    assert_int_equal(sums.answered, 2);
    aq_record_close(&record);
}

static void a_paused_tube_rests_everywhere_or_at_one_server(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    for (int strict = 0; strict < 2; strict++) {
        RUN(&record, &sums, strict ? "strict" : "upstream",
            "commands=[{'at':'5s','action':'pause','tube':'default'},"
            "{'at':'10s','action':'unpause','tube':'default'}]");
        for (uint32_t second = 6; second < 10; second++)
            assert_true(strict ? sums.leases[second] == 0 : sums.leases[second] > 30);
        assert_true(sums.leases[3] > 60 && sums.leases[11] > 30);
        if (strict) comes_out(&record, AQ_EXIT_PASS);
        aq_record_close(&record);
    }
}

static void a_command_is_given_as_often_as_it_says(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict",
        "commands=[{'at':'1s','action':'ping','every':'2s','times':3},{'at':'2s','action':'stats','every':'5s'}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_int_equal(sums.asked, 3 + 4);
    assert_int_equal(sums.answered, 3 + 4);
    aq_record_close(&record);
}

static void a_pause_that_reaches_no_server_is_a_false_ack(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "upstream", "commands=[{'at':'5s','action':'pause','tube':'nobody-uses-it'}]");
    assert_string_equal(aq_verdict_word(check_of(&record, "no-false-ack")->verdict), "fail");
    aq_record_close(&record);
}

static void a_server_that_a_command_drains_is_left(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "clients.count=1", "duration=60s",
        "commands=[{'at':'5s','action':'drain','server':2}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(mark_of(&record, "server_draining") == 1 && mark_of(&record, "server_drained") == 1);
    assert_true(record.servers[2].puts < record.servers[1].puts / 4);
    aq_record_close(&record);
}

/* ---- workflows ---- */

#define KIDS "workers.further_tubes=['kids']"

static void every_parent_runs_when_its_children_are_done(void **state) {
    (void)state;
    static const char *const ways[] = {"producers.parents.children_known=true",
                                       "producers.parents.children_known=false"};
    struct aq_record record;
    struct sums sums;
    for (size_t i = 0; i < 2; i++) {
        RUN(&record, &sums, "strict", KIDS, "producers.arrivals={'poisson':'20/s'}", ways[i],
            "producers.parents.share=0.3", "producers.parents.children=[2,4]", "producers.parents.levels=2",
            "producers.parents.tube=kids");
        comes_out(&record, AQ_EXIT_PASS);
        assert_true(sums.held > 200 && sums.started == sums.held && sums.timed_out == 0);
        assert_int_equal(sums.told_all, i ? sums.held : 0);
        assert_true(sums.kids > 2 * sums.held - sums.held && sums.kids > 400);
        assert_true(record.jobs.completed == record.jobs.produced && record.jobs.executed_again == 0);
        aq_record_close(&record);
    }
}

static void noop_parents_only_count(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "producers.arrivals={'poisson':'20/s'}", "producers.parents.share=0.3",
        "producers.parents.levels=2", "producers.parents.children=2", "producers.parents.noop=inner");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(sums.started > 50 && sums.noops == 2 * sums.started && sums.held == 3 * sums.started);
    aq_record_close(&record);
}

/* Nobody works on the children. */
static void a_parent_that_waits_for_too_long_is_run_or_buried(void **state) {
    (void)state;
    static const char *const ways[] = {"producers.parents.run_on_timeout=true",
                                       "producers.parents.run_on_timeout=false"};
    struct aq_record record;
    struct sums sums;
    for (size_t i = 0; i < 2; i++) {
        RUN(&record, &sums, "strict", "producers.arrivals={'poisson':'20/s'}", "producers.parents.share=0.2",
            "producers.parents.children=2", "producers.parents.tube=kids", "producers.parents.timeout=10s",
            ways[i]);
        assert_true(sums.held > 30 && sums.timed_out == sums.held && sums.started == 0);
        assert_int_equal(sums.kids, 2 * sums.held);
        assert_int_equal(record.jobs.held, sums.kids + (i ? sums.held : 0));
        aq_record_close(&record);
    }
}

static void a_workflow_whose_server_crashes_breaks_no_promise(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", KIDS, "producers.parents.share=0.3", "producers.parents.tube=kids",
        "producers.parents.timeout=20s", "producers.arrivals={'poisson':'30/s'}", "servers.persistent=true",
        "faults=[{'kind':'crash','at':'6s','for':'4s','servers':1},"
        "{'kind':'client_crash','at':'12s','for':'1s','clients':[0,1,2]}]");
    comes_out(&record, AQ_EXIT_PASS);
    aq_record_close(&record);
}

/* ---- fair queues ---- */

static void keys_are_drawn_with_their_skew_and_all_jobs_are_done(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "producers.tube=fq-work", "workers.tube=fq-work",
        "producers.shard_keys={'count':20,'skew':1}");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(record.jobs.completed > 1500 && record.jobs.completed == record.jobs.produced);
    aq_record_close(&record);
}

static void without_keys_a_fair_queue_takes_nothing(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "producers.tube=fq-work", "workers.tube=fq-work");
    assert_true(record.jobs.produced > 1500 && record.jobs.accepted == 0);
    aq_record_close(&record);
}

/* ---- faults ---- */

static void completions_made_twice_are_refused_the_second_time(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "faults=[{'kind':'worker_repeat','at':'5s','for':'5s'}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(touched(&record) > 300);
    uint64_t missed = 0;
    for (uint32_t i = 0; i < record.server_count; i++)
        missed += record.servers[i].missed;
    assert_int_equal(missed, touched(&record));
    aq_record_close(&record);
}

static void a_poison_job_kills_workers_until_it_is_buried(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "faults=[{'kind':'poison_job','at':'5s','for':'5s','probability':0.05}]");
    comes_out(&record, AQ_EXIT_PASS);
    uint64_t buried = 0, expired = 0;
    for (uint32_t i = 0; i < record.server_count; i++) {
        buried += record.servers[i].buried;
        expired += record.servers[i].expired;
    }
    assert_true(touched(&record) > 5);
    assert_int_equal(buried, touched(&record));
    assert_int_equal(expired, 3 * buried);
    assert_int_equal(record.jobs.held, buried);
    aq_record_close(&record);
}

static void a_herd_comes_at_one_moment(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "workers.poll=30s", "workers.start=1ms", "workers.ramp=1us",
        "producers.arrivals={'poisson':'10/s'}", "faults=[{'kind':'herd','at':'10s'}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(touched(&record) >= 50);
    assert_true(sums.leases[9] == 0 && sums.leases[10] >= 40);
    aq_record_close(&record);
}

static void strict_clients_bear_a_clock_that_jumps(void **state) {
    (void)state;
    static const char *const jumps[] = {
        "faults=[{'kind':'client_clock_jump','at':'5s','for':'5s','jump':'1h','clients':[1,2]}]",
        "faults=[{'kind':'client_clock_jump','at':'5s','for':'5s','jump':'-3s','clients':[1,2]}]"};
    struct aq_record record;
    struct sums sums;
    for (size_t i = 0; i < 2; i++) {
        RUN(&record, &sums, "strict", jumps[i]);
        comes_out(&record, AQ_EXIT_PASS);
        assert_int_equal(touched(&record), 2);
        aq_record_close(&record);
    }
}

/* A client waits for its reply by its own clock: forward, calls under way are given up at once. */
static void a_clock_that_jumps_forward_ends_waits_too_early(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "servers.service={'default':'1ms','put':'50ms'}",
        "producers.arrivals={'poisson':'20/s'}",
        "faults=[{'kind':'client_clock_jump','at':'5s','every':'1s','for':'500ms','times':8,'jump':'10s'}]");
    assert_true(mark_of(&record, "reply_timed_out") > 0);
    assert_string_equal(aq_verdict_word(check_of(&record, "no-false-ack")->verdict), "pass");
    assert_string_equal(aq_verdict_word(check_of(&record, "duplicate-put")->verdict), "pass");
    aq_record_close(&record);
}

/* ---- what semantics judges ---- */

#define THROTTLE(tps) "commands=[{'at':'5s','action':'throttle','tube':'default','tps':" tps "}]"
#define PAUSE                                                                                                \
    "commands=[{'at':'5s','action':'pause','tube':'default'},"                                               \
    "{'at':'10s','action':'unpause','tube':'default','client':3}]"
#define PARENTS "producers.parents.share=0.3", "producers.arrivals={'poisson':'20/s'}"
#define LATE    "producers.delay=2h", "producers.jobs=20", "duration=3h", "window=10s", "workers.poll=30s"

/* With the profile both sides have; `holds` is what it makes of the rule that the figure belongs to. */
static const struct {
    const char *figure, *profile;
    bool holds;
    const char *settings[8];
} judged[] = {
    {"priority_judged", "strict", true, {"producers.priority=[1,9]", "workers.count=11"}},
    {"priority_judged", "upstream", true, {"producers.priority=[1,9]", "workers.count=11"}},
    {"delay_judged", "strict", true, {"producers.delay=3s"}},
    {"delay_judged", "upstream", true, {"producers.delay=3s"}},
    {"lease_judged", "strict", true, {"workers.abandon_ratio=0.05"}},
    {"lease_judged", "upstream", true, {"workers.abandon_ratio=0.05"}},
    {"limit_judged", "strict", true, {"workers.release_ratio=0.7", "producers.arrivals={'poisson':'20/s'}"}},
    {"limit_judged",
     "upstream",
     true,
     {"workers.release_ratio=0.7", "producers.arrivals={'poisson':'20/s'}"}},
    {"throttle_judged", "strict", true, {THROTTLE("40")}},
    {"throttle_judged", "strict", true, {THROTTLE("2")}},
    {"throttle_judged",
     "strict",
     true,
     {THROTTLE("40"), "servers.persistent=true",
      "faults=[{'kind':'crash','at':'8s','for':'2s','servers':1}]"}},
    {"throttle_judged", "upstream", true, {THROTTLE("40")}},
    {"throttle_judged", "upstream", false, {THROTTLE("2")}}, /* a share of less than one switches it off */
    {"pause_judged", "strict", true, {PAUSE}},
    {"pause_judged",
     "strict",
     true,
     {PAUSE, "servers.persistent=true", "faults=[{'kind':'crash','at':'6s','for':'2s','servers':1}]"}},
    {"pause_judged", "upstream", false, {PAUSE}}, /* it reaches one server */
    {"workflow_judged", "strict", true, {PARENTS, "workers.abandon_ratio=0.05"}},
    {"workflow_judged",
     "strict",
     true,
     {PARENTS, "producers.parents.children_known=false", "producers.parents.levels=2",
      "workers.abandon_ratio=0.05"}},
    {"workflow_judged", "upstream", true, {PARENTS}},
    {"workflow_judged",
     "upstream",
     false,
     {PARENTS, "workers.abandon_ratio=0.1"}}, /* expired children count */
    {"fair_judged",
     "strict",
     true,
     {"producers.tube=fq-a", "workers.tube=fq-a", "workers.count=11",
      "producers.shard_keys={'count':40,'skew':1}"}},
    {"fair_judged",
     "upstream",
     true,
     {"producers.tube=fq-a", "workers.tube=fq-a", "workers.count=11",
      "producers.shard_keys={'count':40,'skew':1}"}},
    {"idle_tube_judged", "strict", true, {LATE, "workers.tube=other"}},
    {"idle_tube_judged", "upstream", false, {LATE, "workers.tube=other"}},
};

static void each_rule_has_its_verdict_in_each_profile(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
        struct aq_record record;
        struct sums sums;
        run(&record, &sums, judged[i].profile, judged[i].settings);
        const struct aq_record_check *semantics = check_of(&record, "semantics");
        double count = 0;
        for (uint32_t k = 0; k < semantics->figure_count; k++)
            if (strcmp(semantics->figures[k].name, judged[i].figure) == 0)
                count = semantics->figures[k].value;
        if (count < 10 || (semantics->verdict == AQ_VERDICT_PASS) != judged[i].holds)
            fail_msg("case %zu, %s (%s): %.0f judged, %s: %s", i, judged[i].figure, judged[i].profile, count,
                     aq_verdict_word(semantics->verdict), semantics->remark);
        aq_record_close(&record);
    }
}

/* ---- topology ---- */

static void two_servers_with_one_identity_are_caught(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "servers.shared_identity=2",
        "faults=[{'kind':'reset','at':'2s','every':'2s','times':8}]");
    assert_true(record.servers[0].puts > 0 && record.servers[1].puts > 0 && record.servers[2].puts > 0);
    assert_string_equal(aq_verdict_word(check_of(&record, "completion-origin")->verdict), "fail");
    assert_string_equal(aq_verdict_word(check_of(&record, "membership")->verdict), "pass");
    assert_string_equal(aq_verdict_word(check_of(&record, "failover")->verdict), "pass");
    assert_true(record.completions.misrouted > 0);
    aq_record_close(&record);
}

static void without_new_connections_one_identity_goes_unnoticed(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "servers.shared_identity=2");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(record.servers[0].puts > 0 && record.servers[1].puts > 0);
    aq_record_close(&record);
}

static void gets_that_delete_leave_nothing_to_complete(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct aq_record record;
        struct sums sums;
        RUN(&record, &sums, "strict", "workers.get_delete='true'", i ? "workers.batch=3" : "workers.batch=1",
            "workers.touch_every='50ms'");
        comes_out(&record, AQ_EXIT_PASS); /* the checks of completions do not apply */
        assert_true(record.jobs.completed > 1000 && record.jobs.completed == record.jobs.accepted);
        assert_int_equal(record.completions.sent, 0);
        aq_record_close(&record);
    }
}

static void a_get_that_says_false_changes_nothing(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "workers.get_delete='false'");
    comes_out(&record, AQ_EXIT_PASS);
    assert_int_equal(record.completions.acked, record.jobs.accepted);
    aq_record_close(&record);
}

static void a_parent_without_children_starts_when_that_is_known(void **state) {
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct aq_record record;
        struct sums sums;
        RUN(&record, &sums, "strict", "producers.parents={'share':1,'children':0}",
            known ? "producers.parents.children_known=true" : "producers.parents.children_known=false");
        comes_out(&record, AQ_EXIT_PASS);
        assert_true(sums.held > 1000 && sums.started == sums.held);
        assert_int_equal(sums.told_all, known ? 0 : sums.held);
        assert_int_equal(record.jobs.completed, sums.held);
        aq_record_close(&record);
    }
}

static void a_blank_request_is_one_error_or_the_end_of_its_server(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    RUN(&record, &sums, "strict", "faults=[{'kind':'blank_request','servers':1,'at':'5s'}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_int_equal(record.servers[1].errors, 1);
    assert_int_equal(record.jobs.held, 0);
    aq_record_close(&record);
    RUN(&record, &sums, "strict", "faults=[{'kind':'blank_request','servers':1,'at':'5s'}]",
        "servers.policy.blank_request_wedges=true");
    assert_true(record.exit_code != AQ_EXIT_PASS && record.servers[1].errors == 0);
    assert_true(record.servers[1].completions < record.servers[0].completions / 2);
    aq_record_close(&record);
}

static void the_last_stats_are_figures_of_the_run(void **state) {
    (void)state;
    struct aq_record record;
    struct sums sums;
    double tubes, tps;
    RUN(&record, &sums, "strict", "clients.count=10");
    assert_int_not_equal(aq_record_measure(&record, "run.stats_tubes", &tubes), 0);
    aq_record_close(&record);
    RUN(&record, &sums, "strict",
        "commands=[{'action':'stats','at':'50ms'},{'action':'stats','at':'19s'},{'action':'ping','at':'19500ms'}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_int_equal(aq_record_measure(&record, "run.stats_tubes", &tubes), 0);
    assert_int_equal(aq_record_measure(&record, "run.stats_servers", &tps), 0);
    assert_true(tubes == 3 && tps == 3);
    aq_record_close(&record);
}

static void a_kick_by_id_takes_no_other_job(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct aq_record record;
        struct sums sums;
        RUN(&record, &sums, "strict", "workers.bury_ratio=0.1",
            named ? "commands=[{'action':'kick','tube':'default','job':'3nf9ptu,none','at':'15s'}]"
                  : "commands=[{'action':'kick','tube':'default','at':'15s'}]");
        comes_out(&record, AQ_EXIT_PASS);
        double kicked;
        assert_int_equal(aq_record_measure(&record, "duplicate-execution.kicked", &kicked), 0);
        assert_true(kicked == !named);
        assert_int_equal(record.servers[0].missed, named);
        aq_record_close(&record);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_throttle_holds_from_its_command_to_the_next),
        cmocka_unit_test(a_paused_tube_rests_everywhere_or_at_one_server),
        cmocka_unit_test(a_command_is_given_as_often_as_it_says),
        cmocka_unit_test(a_pause_that_reaches_no_server_is_a_false_ack),
        cmocka_unit_test(a_server_that_a_command_drains_is_left),
        cmocka_unit_test(every_parent_runs_when_its_children_are_done),
        cmocka_unit_test(noop_parents_only_count),
        cmocka_unit_test(a_parent_that_waits_for_too_long_is_run_or_buried),
        cmocka_unit_test(a_workflow_whose_server_crashes_breaks_no_promise),
        cmocka_unit_test(keys_are_drawn_with_their_skew_and_all_jobs_are_done),
        cmocka_unit_test(without_keys_a_fair_queue_takes_nothing),
        cmocka_unit_test(completions_made_twice_are_refused_the_second_time),
        cmocka_unit_test(a_poison_job_kills_workers_until_it_is_buried),
        cmocka_unit_test(a_herd_comes_at_one_moment),
        cmocka_unit_test(strict_clients_bear_a_clock_that_jumps),
        cmocka_unit_test(a_clock_that_jumps_forward_ends_waits_too_early),
        cmocka_unit_test(each_rule_has_its_verdict_in_each_profile),
        cmocka_unit_test(two_servers_with_one_identity_are_caught),
        cmocka_unit_test(without_new_connections_one_identity_goes_unnoticed),
        cmocka_unit_test(gets_that_delete_leave_nothing_to_complete),
        cmocka_unit_test(a_get_that_says_false_changes_nothing),
        cmocka_unit_test(a_parent_without_children_starts_when_that_is_known),
        cmocka_unit_test(a_blank_request_is_one_error_or_the_end_of_its_server),
        cmocka_unit_test(the_last_stats_are_figures_of_the_run),
        cmocka_unit_test(a_kick_by_id_takes_no_other_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
