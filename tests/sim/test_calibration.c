/* From made-up samples to network, service times and quantiles, and when the result is not to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/calibration.h"

enum { SAMPLES = 4000, NETWORK_US = 300, PING_US = 50 };

static const double services_us[AQ_MEASURED_COUNT] = {
    [AQ_MEASURED_PING] = PING_US, [AQ_MEASURED_PUT] = 400,  [AQ_MEASURED_GET] = 200,
    [AQ_MEASURED_TOUCH] = 100,    [AQ_MEASURED_DONE] = 300, [AQ_MEASURED_EMPTY_GET] = 80,
};

static struct aq_rate rate_of(double per_s, double seconds) {
    return (struct aq_rate){.requests = (uint64_t)(per_s * seconds), .seconds = seconds, .busy = 0.2};
}

/* A server that works for an exponential time on each request, behind a network that always takes the same.
 */
static struct aq_calibration_server make_server(double network_us) {
    static const double share[AQ_CALIBRATION_RATES] = {0.2, 0.7, 1, 1};
    struct aq_calibration_server s = {.address = "here:1"};
    struct aq_random random;
    aq_random_init(&random, 1, "calibration", 0);
    double cycle_us = 0;
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        for (int k = 0; k < SAMPLES; k++)
            assert_int_equal(
                aq_series_add(&s.alone[i], network_us + services_us[i] * aq_random_exponential(&random)), 0);
    for (int i = AQ_MEASURED_PUT; i <= AQ_MEASURED_DONE; i++)
        cycle_us += services_us[i];
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++) {
        s.pings[i] = rate_of(share[i] * 1e6 / PING_US, 2);
        s.cycles[i] = rate_of(share[i] * AQ_CALIBRATION_CYCLE * 1e6 / cycle_us, 2);
    }
    return s;
}

static void close_server(struct aq_calibration_server *s) {
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        aq_series_close(&s->alone[i]);
}

static void assert_near(double value, double wanted, double relative) {
    if (value < wanted * (1 - relative) || value > wanted * (1 + relative))
        fail_msg("%g is not within %g %% of %g", value, relative * 100, wanted);
}

static double mean_us(const double us[AQ_CALIBRATION_QUANTILES]) {
    double sum_us = 0;
    for (int i = 1; i < AQ_CALIBRATION_QUANTILES; i++)
        sum_us += (us[i - 1] + us[i]) / 2;
    return sum_us / (AQ_CALIBRATION_QUANTILES - 1);
}

static void network_and_service_are_told_apart(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    struct aq_calibration_finding f;
    aq_calibration_judge(&s, &f);
    assert_near(f.ping_us, PING_US, 0.001);
    assert_near(f.network_of_pings_us, NETWORK_US, 0.01);
    assert_near(f.network_of_cycles_us, NETWORK_US, 0.02);
    assert_near(f.network_us, NETWORK_US, 0.02);
    assert_near(f.cycles_per_s, 1000, 0.001);
    assert_near(f.cycles_expected_per_s, 1000, 0.03);
    assert_int_equal(f.doubts, 0);
    assert_near(aq_calibration_network_us(&f, 1), f.network_us, 0);
    close_server(&s);
}

/* Many more cycles than pings: they have most of the weight. */
static void the_network_is_an_average_by_requests(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    struct aq_calibration_finding f;
    for (int i = 2; i < 4; i++) {
        s.pings[i] = (struct aq_rate){.requests = 100, .seconds = 100 * 150e-6};
        s.cycles[i] = (struct aq_rate){.requests = 900, .seconds = 900 * 250e-6};
    }
    aq_calibration_judge(&s, &f);
    assert_near(f.network_of_pings_us, NETWORK_US - 100, 0.03);
    assert_near(f.network_us, NETWORK_US - 10, 0.03);
    close_server(&s);
}

static void quantiles_are_those_of_the_service_and_keep_its_mean(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    struct aq_calibration_finding f;
    double us[AQ_CALIBRATION_QUANTILES];
    aq_calibration_judge(&s, &f);
    for (int i = 0; i < AQ_MEASURED_COUNT; i++) {
        assert_int_equal(aq_calibration_quantiles(&s, &f, 1, (enum aq_measured)i, us), 0);
        assert_near(mean_us(us), services_us[i], 0.07);
        for (int k = 1; k < AQ_CALIBRATION_QUANTILES; k++)
            assert_true(us[k] >= us[k - 1]);
        assert_true(us[0] >= 0);
    }
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), 0);
    assert_near(us[50], 400 * 0.6931, 0.07);
    assert_near(us[90], 400 * 2.3026, 0.07);
    close_server(&s);
}

/* A network that varies: what was quicker than its mean cannot have taken less than nothing. */
static void the_mean_is_less_by_exactly_the_network(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(0);
    struct aq_calibration_finding f = {.network_us = 250};
    double us[AQ_CALIBRATION_QUANTILES];
    double measured_us = aq_series_mean_us(&s.alone[AQ_MEASURED_PUT]);
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), 0);
    assert_near(mean_us(us), measured_us - 250, 0.02);
    assert_true(us[0] == 0 && us[40] == 0);
    f.network_us = 1e6;
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), 0);
    assert_true(us[AQ_CALIBRATION_QUANTILES - 1] == 0);
    close_server(&s);
}

/* One that took a second must not make the slowest hundredth half a second long. */
static void one_straggler_is_not_taken_for_a_hundredth(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(0);
    struct aq_calibration_finding f = {0};
    double us[AQ_CALIBRATION_QUANTILES];
    assert_int_equal(aq_series_add(&s.alone[AQ_MEASURED_PUT], 1e6), 0);
    double measured_us = aq_series_mean_us(&s.alone[AQ_MEASURED_PUT]);
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), 0);
    assert_near(mean_us(us), measured_us, 0.02);
    assert_true(us[100] < 100e3);
    close_server(&s);
}

static void several_servers_are_put_together_each_less_its_own_network(void **state) {
    (void)state;
    struct aq_calibration_server servers[2] = {make_server(100), make_server(900)};
    struct aq_calibration_finding findings[2];
    double us[AQ_CALIBRATION_QUANTILES];
    for (int i = 0; i < 2; i++)
        aq_calibration_judge(&servers[i], &findings[i]);
    assert_near(aq_calibration_network_us(findings, 2), 500, 0.02);
    assert_int_equal(aq_calibration_quantiles(servers, findings, 2, AQ_MEASURED_DONE, us), 0);
    assert_near(mean_us(us), 300, 0.05);
    close_server(&servers[0]);
    close_server(&servers[1]);
}

static uint32_t doubts_of(struct aq_calibration_server *s) {
    struct aq_calibration_finding f;
    aq_calibration_judge(s, &f);
    close_server(s);
    return f.doubts;
}

static void what_cannot_be_trusted_is_said(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    s.pings[3] = rate_of(25000, 2); /* a quarter more than with 16 */
    assert_true(doubts_of(&s) & AQ_DOUBT_UNSATURATED);
    s = make_server(NETWORK_US);
    s.pings[3].busy = 0.95;
    assert_int_equal(doubts_of(&s), AQ_DOUBT_OURSELVES);
    s = make_server(NETWORK_US);
    s.cycles[2] = s.cycles[3] = rate_of(4 * 1300, 2);
    assert_int_equal(doubts_of(&s), AQ_DOUBT_CYCLES);
    s = make_server(NETWORK_US);
    s.cycles[2] = s.cycles[3] = rate_of(4 * 700, 2);
    assert_int_equal(doubts_of(&s), AQ_DOUBT_CYCLES);
    s = make_server(NETWORK_US);
    s.alone[AQ_MEASURED_TOUCH].count = 99;
    assert_int_equal(doubts_of(&s), AQ_DOUBT_FEW);
    for (int i = 0; i < AQ_DOUBT_COUNT; i++)
        assert_true(*aq_calibration_doubt_text((enum aq_calibration_doubt)(1 << i)));
}

/* With 100 requests, 30 % more are chance. */
static void growth_within_chance_is_no_doubt(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    s.pings[2] = rate_of(100, 1);
    s.pings[3] = rate_of(130, 1);
    assert_false(doubts_of(&s) & AQ_DOUBT_UNSATURATED);
}

static void a_network_is_never_negative(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(0);
    struct aq_calibration_finding f;
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++)
        s.pings[i] = rate_of(1e6 / 80, 2);
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++)
        s.cycles[i] = rate_of(4 * 900, 2);
    aq_calibration_judge(&s, &f);
    assert_true(f.network_of_pings_us < 0 && f.network_of_cycles_us < 0);
    assert_true(f.network_us == 0);
    assert_true(f.doubts & AQ_DOUBT_NEGATIVE);
    close_server(&s);
}

static void what_was_not_measured_is_not_made_up(void **state) {
    (void)state;
    struct aq_calibration_server s = {.address = "here:1"};
    struct aq_calibration_finding f;
    double us[AQ_CALIBRATION_QUANTILES];
    aq_calibration_judge(&s, &f);
    assert_true(f.doubts & AQ_DOUBT_FEW);
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), AQ_ENOENT);
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    struct aq_calibration_server s = make_server(NETWORK_US);
    struct aq_calibration_finding f;
    double us[AQ_CALIBRATION_QUANTILES];
    aq_calibration_judge(&s, &f);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_calibration_quantiles(&s, &f, 1, AQ_MEASURED_PUT, us), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    close_server(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_and_service_are_told_apart),
        cmocka_unit_test(the_network_is_an_average_by_requests),
        cmocka_unit_test(quantiles_are_those_of_the_service_and_keep_its_mean),
        cmocka_unit_test(the_mean_is_less_by_exactly_the_network),
        cmocka_unit_test(one_straggler_is_not_taken_for_a_hundredth),
        cmocka_unit_test(several_servers_are_put_together_each_less_its_own_network),
        cmocka_unit_test(what_cannot_be_trusted_is_said),
        cmocka_unit_test(growth_within_chance_is_no_doubt),
        cmocka_unit_test(a_network_is_never_negative),
        cmocka_unit_test(what_was_not_measured_is_not_made_up),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
