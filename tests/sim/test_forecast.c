/* What theory forecasts for scenarios, beside what the simulator makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "scenarios/load.h"
#include "sim/forecast.h"
#include "sim/measure.h"
#include "sim/statistics.h"

#define SEEDS 5

static struct aq_scenario *parsed(const char *json, const char *setting) {
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    struct aq_scenario_options options = {&setting, setting != NULL, NULL, NULL};
    if (aq_scenario_parse(json, "forecast", &options, &scenario, &error)) fail_msg("%s", error.text);
    return scenario;
}

static const char fleet[] =
    "{\"duration\": \"30s\", \"settle\": \"0\", \"servers\": {\"count\": 3, \"service\": {\"default\": {\"exp\": \"2ms\"}, "
    "\"put\": \"1ms\"}}, \"clients\": {\"count\": 50}, \"workers\": {\"count\": 400, \"process\": {\"uniform\": [\"50ms\", "
    "\"150ms\"]}, \"poll\": {\"exp\": \"1s\"}}, \"producers\": {\"arrivals\": {\"poisson\": \"200/s\"}}, \"network\": "
    "{\"latency\": \"200us\"}}";

static void compare(const char *setting, const char *const *names, uint32_t count, double relative) {
    struct aq_scenario *scenario = parsed(fleet, setting);
    static struct aq_measured measured[SEEDS];
    struct aq_forecast forecast;
    struct aq_error error = {0};
    aq_forecast_make(scenario, 3, &forecast);
    assert_null(forecast.not_modelled);
    for (uint32_t seed = 0; seed < SEEDS; seed++)
        if (aq_measure_run(&(struct aq_measure_job){scenario, seed, 5000000, false}, NULL, 0, &measured[seed],
                           &error))
            fail_msg("%s", error.text);
    for (uint32_t i = 0; i < count; i++) {
        double theory = NAN, values[SEEDS];
        assert_true(aq_forecast_figure(&forecast, names[i], &theory));
        for (uint32_t seed = 0; seed < SEEDS; seed++)
            assert_true(aq_measured_get(&measured[seed], names[i], &values[seed]));
        struct aq_mean_interval found = aq_statistics_mean(values, SEEDS);
        printf("%-24s %-32s theory %8.4g, simulation %8.4g +- %.2g\n", setting ? setting : "", names[i],
               theory, found.mean, found.half);
        if (fabs(found.mean - theory) > fmax(relative * theory, found.half))
            fail_msg("%s: theory %g, simulation %g +- %g", names[i], theory, found.mean, found.half);
    }
    aq_scenario_free(scenario);
}

static void a_fleet_that_polls_does_what_is_forecast(void **state) {
    static const char *const names[] = {
        "run.steady_throughput_per_s",   "run.steady_empty_get_ratio", "run.steady_utilization",
        "run.steady_put_mean_s",         "run.steady_get_mean_s",      "run.steady_done_mean_s",
        "run.steady_get_to_done_mean_s", "run.steady_get_p99_s",       "run.steady_get_to_done_p99_s"};
    (void)state;
    compare(NULL, names, 9, 0.05);
    compare("workers.count=100", names, 9, 0.05);
    compare("servers.service.default={\"exp\":\"3ms\"}", names, 9, 0.1); /* near saturation */
}

/* 15 workers of whom each job takes a little more than 100 ms. */
static void too_few_workers_do_what_they_can(void **state) {
    static const char *const names[] = {"run.steady_throughput_per_s", "run.steady_get_mean_s"};
    (void)state;
    compare("workers.count=15", names, 2, 0.05);
    struct aq_scenario *scenario = parsed(fleet, "workers.count=15");
    struct aq_forecast forecast;
    aq_forecast_make(scenario, 3, &forecast);
    assert_int_equal(forecast.limit, AQ_FORECAST_WORKERS);
    assert_true(forecast.empty_get_ratio == 0);
    aq_scenario_free(scenario);
}

static void servers_that_are_lost_or_overloaded_leave_no_steady_state(void **state) {
    struct aq_scenario *scenario = parsed(fleet, "servers.service.default=3ms");
    struct aq_forecast forecast;
    double value;
    (void)state;
    aq_forecast_make(scenario, 1, &forecast);
    assert_int_equal(forecast.limit, AQ_FORECAST_SERVERS);
    assert_true(aq_forecast_figure(&forecast, "run.steady_get_p99_s", &value) && isinf(value));
    assert_true(aq_forecast_figure(&forecast, "run.steady_utilization", &value) && value == 1);
    assert_false(aq_forecast_figure(&forecast, "run.steady_throughput_per_s", &value));
    aq_scenario_free(scenario);
}

static void what_is_not_modelled_is_named(void **state) {
    static const struct {
        const char *setting, *found;
    } cases[] = {{"workers.batch=3", "workers.batch"},
                 {"servers.persistent=true", "servers.persistent"},
                 {"network.loss=0.1", "network.loss"},
                 {"producers.arrivals={\"constant\":\"5/s\"}", "arrivals that are not poisson"},
                 {"workers.bury_ratio=0.1", "other ends of jobs than done"},
                 {"workers.tube=x", "several tubes"},
                 {"balancer=per_request", "a balancer"},
                 {"clients.policy.in_flight_per_server=1", "clients.policy.in_flight_per_server"},
                 {"workers.process={\"pareto\":{\"min\":\"1ms\",\"p99\":\"1s\"}}",
                  "spans whose moments are infinite"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aq_scenario *scenario = parsed(fleet, cases[i].setting);
        struct aq_forecast forecast;
        double value;
        aq_forecast_make(scenario, 3, &forecast);
        assert_non_null(forecast.not_modelled);
        assert_string_equal(forecast.not_modelled, cases[i].found);
        assert_false(aq_forecast_figure(&forecast, "run.steady_utilization", &value));
        aq_scenario_free(scenario);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_that_polls_does_what_is_forecast),
        cmocka_unit_test(too_few_workers_do_what_they_can),
        cmocka_unit_test(servers_that_are_lost_or_overloaded_leave_no_steady_state),
        cmocka_unit_test(what_is_not_modelled_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
