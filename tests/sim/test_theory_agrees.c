/* Without faults and with exponential spans the virtual world does what queueing theory says, from light load
   to past saturation: throughput and response time within 2 %, or within their own interval of 95 % over the
   seeds, which itself is no wider than 5 % to either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "reports/record_measure.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "sim/statistics.h"
#include "sim/theory.h"

#define SEEDS     6
#define PUTS      20000.0 /* of a run with open arrivals, about; nine times as many under high load */
#define JOBS      6000.0  /* of a closed run, about */
#define LATENCY_S 0.0002  /* one way */

/* Several figures of one scenario, over the seeds. */
struct samples {
    double values[3][SEEDS];
};

static void run_seeds(const char *json, const char *const names[3], struct samples *out) {
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    if (aq_scenario_parse(json, "theory", NULL, &scenario, &error)) fail_msg("%s", error.text);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct aq_record record;
        struct aq_run_options options = {.scenario = scenario, .seed = seed, .steady_from_us = 2000000};
        aq_record_init(&record);
        record.seed_text = record.reproduce = record.version = "";
        assert_int_equal(aq_run_identify(scenario, seed, &record), 0);
        if (aq_run_scenario(&options, &record, &error)) fail_msg("%s", error.text);
        for (int i = 0; i < 3; i++)
            assert_int_equal(aq_record_measure(&record, names[i], &out->values[i][seed]), 0);
        aq_record_close(&record);
    }
    aq_scenario_free(scenario);
}

static void agrees(const char *what, const double *values, double expected) {
    struct aq_mean_interval found = aq_statistics_mean(values, SEEDS);
    bool close = fabs(found.mean - expected) <= 0.02 * expected;
    bool inside = fabs(found.mean - expected) <= found.half && found.half <= 0.05 * expected;
    printf("%-40s theory %10.6g, simulation %10.6g +- %.2g (%+.2f %%)\n", what, expected, found.mean,
           found.half, 100 * (found.mean / expected - 1));
    if (!close && !inside)
        fail_msg("%s: theory %g, simulation %g +- %g", what, expected, found.mean, found.half);
}

/* Workers go round between a random server, where they get, their work, and the same server, where they
   complete; a backlog is never used up, so that no get is empty. Two visits of 1 ms to one of the servers,
   and a delay of work and four messages. The backlog lies evenly enough for a third more jobs than are done.
 */
static void closed(uint32_t servers, uint32_t workers) {
    static const char *const names[3] = {"run.steady_throughput_per_s", "run.steady_get_mean_s",
                                         "run.steady_done_mean_s"};
    struct aq_theory_closed theory;
    struct samples found;
    char json[1000], what[80];
    double think_s = 0.05 + 4 * LATENCY_S;
    aq_theory_mva((struct aq_theory_station[]){{2 * 0.001 / servers, servers}}, 1, think_s, workers, &theory);
    double span_s = fmin(fmax(JOBS / theory.throughput_per_s, 5), 120);
    snprintf(
        json, sizeof json,
        "{\"duration\": \"%us\", \"settle\": \"0\", \"servers\": {\"count\": %u, \"service\": {\"put\": \"0\", "
        "\"default\": {\"exp\": \"1ms\"}}}, \"clients\": {\"count\": 20}, \"workers\": {\"count\": %u, "
        "\"process\": {\"exp\": \"50ms\"}, \"ramp\": \"0\", \"start\": \"1s\"}, \"producers\": "
        "{\"arrivals\": \"none\"}, \"network\": {\"latency\": \"200us\"}, \"faults\": [{\"kind\": \"burst\", "
        "\"at\": \"0\", \"count\": %u}]}",
        (unsigned)span_s + 2, servers, workers,
        (unsigned)(1.3 * theory.throughput_per_s * (span_s + 2)) + 100 * servers);
    run_seeds(json, names, &found);
    snprintf(what, sizeof what, "%u servers, %u workers: throughput", servers, workers);
    agrees(what, found.values[0], theory.throughput_per_s);
    snprintf(what, sizeof what, "%u servers, %u workers: get", servers, workers);
    agrees(what, found.values[1], theory.response_s / 2 + 2 * LATENCY_S);
    snprintf(what, sizeof what, "%u servers, %u workers: done", servers, workers);
    agrees(what, found.values[2], theory.response_s / 2 + 2 * LATENCY_S);
}

/* Saturation is at 26 workers a server. */
static void a_closed_network_agrees_with_mean_value_analysis(void **state) {
    static const uint32_t points[][2] = {{1, 1},  {1, 5},  {1, 13}, {1, 20},  {1, 26},  {1, 40}, {1, 100},
                                         {4, 10}, {4, 50}, {4, 80}, {4, 104}, {4, 150}, {4, 400}};
    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        closed(points[i][0], points[i][1]);
}

/* Puts alone, at random, to one of the servers each. */
static void open_arrivals(const char *service, double load, double (*response)(double, double)) {
    static const char *const names[3] = {"run.steady_put_mean_s", "run.steady_utilization",
                                         "run.steady_put_count"};
    const uint32_t servers = 3;
    double rate_per_s = load * servers / 0.002;
    struct samples found;
    char json[1000], what[80];
    snprintf(
        json, sizeof json,
        "{\"duration\": \"%us\", \"settle\": \"0\", \"servers\": {\"count\": %u, \"service\": {\"default\": %s}}, "
        "\"clients\": {\"count\": 20}, \"workers\": {\"count\": 0}, \"producers\": {\"arrivals\": {\"poisson\": "
        "\"%g/s\"}}, \"network\": {\"latency\": \"200us\"}}",
        (unsigned)((load > 0.7 ? 9 : 1) * PUTS / rate_per_s) + 3, servers, service, rate_per_s);
    run_seeds(json, names, &found);
    snprintf(what, sizeof what, "service %s, load %g: put", service, load);
    agrees(what, found.values[0], response(rate_per_s / servers, 0.002) + 2 * LATENCY_S);
    snprintf(what, sizeof what, "service %s, load %g: utilization", service, load);
    agrees(what, found.values[1], load);
}

static void open_arrivals_agree_with_mm1(void **state) {
    (void)state;
    open_arrivals("{\"exp\": \"2ms\"}", 0.1, aq_theory_mm1_response_s);
    open_arrivals("{\"exp\": \"2ms\"}", 0.5, aq_theory_mm1_response_s);
    open_arrivals("{\"exp\": \"2ms\"}", 0.8, aq_theory_mm1_response_s);
}

static void open_arrivals_agree_with_md1(void **state) {
    (void)state;
    open_arrivals("\"2ms\"", 0.1, aq_theory_md1_response_s);
    open_arrivals("\"2ms\"", 0.5, aq_theory_md1_response_s);
    open_arrivals("\"2ms\"", 0.8, aq_theory_md1_response_s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_network_agrees_with_mean_value_analysis),
        cmocka_unit_test(open_arrivals_agree_with_mm1),
        cmocka_unit_test(open_arrivals_agree_with_md1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
