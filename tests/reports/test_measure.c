/* Numbers of a record by name: each family of names reaches its value, and what there is not is said so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/error.h"
#include "reports/record_measure.h"

static struct aq_record record;
static struct aq_record_latency latency = {.operation = "put"};

static int begin(void **state) {
    (void)state;
    static const struct aq_record_figure check_figures[] = {{"p_value", 0.25}, {"judged", 99}};
    static const struct aq_record_figure run_figures[] = {{"throughput_per_s", 12.5}};
    static const struct aq_record_check checks[] = {
        {.name = "slo"},
        {.name = "distribution", .judged = 5, .violations = 2, .figures = check_figures, .figure_count = 2}};
    static const struct aq_record_server servers[] = {
        {.puts = 3, .choices = 4, .share = 1, .held = {1, 2, 3, 4, 5}}, {.queue_max = 8}};
    static const struct aq_record_fault faults[] = {{.name = "server 2 dies", .touched = 11}};
    static const struct aq_record_mark marks[] = {{"put_unknown", 6}};
    aq_record_init(&record);
    record.jobs.completed = 7;
    record.completions.misrouted = 9;
    record.checks = checks, record.check_count = 2;
    record.servers = servers, record.server_count = 2;
    record.faults = faults, record.fault_count = 1;
    record.marks = marks, record.mark_count = 1;
    record.figures = run_figures, record.figure_count = 1;
    record.latencies = &latency, record.latency_count = 1;
    if (aq_histogram_init(&latency.histogram)) return -1;
    aq_histogram_record(&latency.histogram, 2 * AQ_US_PER_S);
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_histogram_close(&latency.histogram);
    return 0;
}

static void each_family_of_names_reaches_its_value(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double value;
    } known[] = {{"jobs.completed", 7},          {"completions.misrouted", 9},
                 {"distribution.judged", 5},     {"distribution.violations", 2},
                 {"distribution.p_value", 0.25}, {"servers.used", 1},
                 {"servers.0.puts", 3},          {"servers.0.held", 15},
                 {"servers.0.share", 1},         {"servers.1.queue_max", 8},
                 {"latency.put.count", 1},       {"latency.put.max_s", 2},
                 {"latency.put.mean_s", 2},      {"failover.count", 0},
                 {"failover.mean_s", 0},         {"faults.server 2 dies.touched", 11},
                 {"marks.put_unknown", 6},       {"run.throughput_per_s", 12.5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double found = -1;
        assert_int_equal(aq_record_measure(&record, known[i].name, &found), 0);
        assert_float_equal(found, known[i].value, 0);
    }
}

static void what_there_is_not_leaves_the_output_alone(void **state) {
    (void)state;
    static const char *const unknown[] = {"",
                                          "jobs",
                                          "jobs.",
                                          "jobs.completed.",
                                          "slo.p",
                                          "servers.2.puts",
                                          "servers.0",
                                          "servers.x.puts",
                                          "marks.none",
                                          "latency.put",
                                          "latency.get.p50_s",
                                          "run.none"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        double found = -1;
        assert_int_equal(aq_record_measure(&record, unknown[i], &found), AQ_ENOENT);
        assert_float_equal(found, -1, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_of_names_reaches_its_value),
        cmocka_unit_test(what_there_is_not_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
