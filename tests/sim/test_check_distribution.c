#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_distribution;

#define SEEDS       20
#define NOT_UNIFORM "choices are not uniform"

static struct aq_ledger fake;
static struct aq_random random_stream;

static void begin(uint64_t seed, uint32_t servers) {
    aq_random_init(&random_stream, seed, "chooser", 0);
    fake_init(&fake, &aq_check_distribution, servers, 10);
    fake_start(&fake);
}

static void choose(aq_time_us at_us, uint32_t set, uint32_t server) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us,
                                            .kind = AQ_SEEN_CHOICE,
                                            .eligible_set = set,
                                            .server = server,
                                            .action = AQ_ACTION_GET});
}

static void choose_uniformly(aq_time_us at_us, uint32_t set) {
    const uint32_t *members = fake.sets.members + fake.sets.offsets[set];
    uint32_t count = fake.sets.offsets[set + 1] - fake.sets.offsets[set];
    choose(at_us, set, members[aq_random_below(&random_stream, count)]);
}

static void mark(aq_time_us at_us, enum aq_seen_kind kind) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind});
}

static const uint32_t four[] = {0, 1, 2, 3};

static void uniform_choice_passes_on_every_seed(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        uint32_t set = fake_set(&fake, four, 4);
        for (uint32_t i = 0; i < 200000; i++) {
            if (i == 50000) mark(i * 300, AQ_SEEN_FAULT);
            if (i == 90000) mark(i * 300, AQ_SEEN_FAULT_END);
            choose_uniformly(i * 300, set);
        }
        assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
        assert_int_equal(fake.out.judged, 200000);
        assert_true(fake_figure(&fake, "gated_tests") == 4);
        assert_true(fake_figure(&fake, "df") == 3);
        assert_true(fake_figure(&fake, "windows") == 60);
        fake_close(&fake);
    }
}

static void one_server_preferred_by_five_percent_is_caught_on_every_seed(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        uint32_t set = fake_set(&fake, four, 4);
        for (uint32_t i = 0; i < 1000000; i++) {
            bool preferred = aq_random_chance(&random_stream, 1.05 / 4.05);
            choose(i * 60, set, preferred ? 2 : (3 + aq_random_below(&random_stream, 3)) % 4);
        }
        assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
        assert_int_equal(fake_caught(&fake, NOT_UNIFORM), 1);
        assert_true(fake_figure(&fake, "p_value") < 1e-20);
        assert_true(fake_figure(&fake, "share_s2_low") > fake_figure(&fake, "share_s1_high"));
        fake_close(&fake);
    }
}

/* Two servers with one identity: clients see one of them only, and choose evenly among what they see. */
static void a_server_left_out_without_a_cause_is_caught(void **state) {
    (void)state;
    static const uint32_t three[] = {1, 2, 3};
    for (int faulty = 0; faulty < 2; faulty++) {
        begin(1, 4);
        uint32_t set = fake_set(&fake, three, 3);
        if (faulty) mark(0, AQ_SEEN_FAULT);
        for (uint32_t i = 0; i < 10000; i++)
            choose_uniformly(i * 300, set);
        assert_int_equal(fake_finish(&fake), faulty ? AQ_VERDICT_PASS : AQ_VERDICT_FAIL);
        assert_int_equal(
            fake_caught(&fake,
                        "a server that every client knows was never chosen, and nothing had happened to it"),
            !faulty);
        fake_close(&fake);
    }
}

/* Servers drop out and come back, one by one and in pairs; a tenth of the clients knows two servers only, one
 * of them a third's. */
static void changing_sets_raise_no_false_alarm(void **state) {
    (void)state;
    static const uint32_t sets[][5] = {{4, 0, 1, 2, 3}, {3, 0, 2, 3}, {2, 0, 3},
                                       {3, 0, 1, 3},    {1, 3},       {3, 3, 1, 0}};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 5);
        static const uint32_t other[] = {4, 1};
        uint32_t other_set = fake_set(&fake, other, 2), set = 0;
        for (uint32_t i = 0; i < 200000; i++) {
            if (i % 1000 == 0) {
                const uint32_t *members = sets[aq_random_below(&random_stream, 6)];
                set = fake_set(&fake, members + 1, members[0]);
            }
            if (i % 7000 == 0) mark(i * 300, i % 2000 ? AQ_SEEN_FAULT : AQ_SEEN_FAULT_END);
            choose_uniformly(i * 300, aq_random_chance(&random_stream, 0.1) ? other_set : set);
        }
        assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
        assert_true(fake_figure(&fake, "sets") == 7);
        assert_true(fake_figure(&fake, "df") == 1 + 3 + 2 + 1 + 2 + 0 + 2);
        fake_close(&fake);
    }
}

/* The whole run looks even: what server 0 has too much in one phase it has too little in the other. */
static void a_bias_that_evens_out_over_the_run_is_caught_in_its_phase(void **state) {
    (void)state;
    begin(1, 4);
    uint32_t set = fake_set(&fake, four, 4);
    for (uint32_t i = 0; i < 40000; i++) {
        if (i == 20000) mark(i * 1000, AQ_SEEN_FAULT);
        double share = i < 20000 ? 0.25 : i % 20000 < 10000 ? 0.35 : 0.25;
        if (i >= 30000) share = 0.15;
        if (i == 30000) mark(i * 1000, AQ_SEEN_FAULT_END);
        bool first = aq_random_chance(&random_stream, share);
        choose(i * 1000, set, first ? 0 : 1 + aq_random_below(&random_stream, 3));
    }
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_true(fake_figure(&fake, "p_value") > 1e-4);
    assert_true(fake_figure(&fake, "phase_p_min") < 1e-20);
    assert_non_null(strstr(fake.out.remark, "from "));
    fake_close(&fake);
}

static void a_choice_outside_the_eligible_set_is_a_violation(void **state) {
    (void)state;
    begin(1, 8);
    static const uint32_t pair[] = {1, 3};
    uint32_t set = fake_set(&fake, pair, 2);
    for (uint32_t i = 0; i < 1000; i++)
        choose_uniformly(i, set);
    choose(1000, set, 2); /* within the range of the set's indexes */
    choose(1001, set, 7); /* above it */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, "chose a server that was not eligible"), 2);
    assert_int_equal(fake_caught(&fake, NOT_UNIFORM), 0);
    fake_close(&fake);
}

static void too_few_choices_are_unknown_and_no_choice_at_all_does_not_apply(void **state) {
    (void)state;
    begin(1, 4);
    uint32_t set = fake_set(&fake, four, 4);
    for (uint32_t i = 0; i < 79; i++)
        choose(i, set, 0); /* one below 20 for each: uneven as it is, it cannot be judged */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    assert_true(fake.out.remark[0]);
    fake_close(&fake);

    begin(1, 4);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);

    begin(1, 1);
    set = fake_set(&fake, four, 1);
    for (uint32_t i = 0; i < 1000; i++)
        choose(i, set, 0);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 0);
    fake_close(&fake);
}

static void eighty_choices_of_four_servers_are_enough(void **state) {
    (void)state;
    begin(1, 4);
    uint32_t set = fake_set(&fake, four, 4);
    for (uint32_t i = 0; i < 80; i++)
        choose(i, set, i % 4);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "chi_square") == 0 && fake_figure(&fake, "p_value") == 1);
    fake_close(&fake);
}

/* A worked example: 90, 110, 100, 100 of 400 give (100 + 100) / 100 = 2 with 3 degrees of freedom, p =
 * 0.5724. */
static void the_statistic_is_pearsons(void **state) {
    (void)state;
    begin(1, 4);
    uint32_t set = fake_set(&fake, four, 4);
    static const uint32_t counts[] = {90, 110, 100, 100};
    for (uint32_t server = 0; server < 4; server++)
        for (uint32_t i = 0; i < counts[server]; i++)
            choose(i, set, server);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fabs(fake_figure(&fake, "chi_square") - 2) < 1e-12);
    assert_true(fabs(fake_figure(&fake, "p_value") - 0.572406704) < 1e-8);
    assert_true(fabs(fake_figure(&fake, "max_over_mean") - 1.1) < 1e-12);
    assert_true(fabs(fake_figure(&fake, "share_s0") - 0.225) < 1e-12);
    fake_close(&fake);
}

static void p_values_of_uniform_runs_are_uniform(void **state) {
    (void)state;
    uint32_t below = 0, runs = 2000;
    for (uint64_t seed = 1; seed <= runs; seed++) {
        begin(seed, 4);
        static const uint32_t pair[] = {3, 1};
        uint32_t all = fake_set(&fake, four, 4), two = fake_set(&fake, pair, 2);
        for (uint32_t i = 0; i < 1200; i++)
            choose_uniformly(i * 1000, i % 3 ? all : two);
        fake_finish(&fake);
        if (fake_figure(&fake, "p_value") < 0.05) below++;
        fake_close(&fake);
    }
    assert_true(fabs((double)below / runs - 0.05) < 0.02);
}

/* More distinct sets than are counted apart: the others are left out of the test, but strays among them are
 * still seen. */
static void sets_beyond_the_limit_are_pooled(void **state) {
    (void)state;
    begin(1, 16);
    uint32_t last = 0;
    for (uint32_t bits = 1; bits <= 4097; bits++) {
        uint32_t members[16], count = 0;
        for (uint32_t server = 0; server < 16; server++)
            if (bits >> server & 1) members[count++] = server;
        last = fake_set(&fake, members, count);
        choose_uniformly(bits, last);
    }
    choose(5000, last, 1); /* set 4097 is {0, 12} */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, "chose a server that was not eligible"), 1);
    assert_true(fake_figure(&fake, "sets") == 4096);
    assert_true(fake_figure(&fake, "choices_untested_sets") == 2);
    fake_close(&fake);
}

/* Each allocation fails in turn: the error comes out, nothing leaks, nothing breaks. */
static void out_of_memory_is_reported(void **state) {
    (void)state;
    uint64_t failures = 0;
    for (uint64_t skip = 0;; skip++) {
        begin(1, 4);
        uint32_t set = fake_set(&fake, four, 4);
        struct aq_observation seen = {.kind = AQ_SEEN_CHOICE, .server = 1, .eligible_set = set};
        aq_alloc_fail_after(skip);
        int rc = aq_check_distribution.observe(fake.state, &fake, &seen, NULL, NULL);
        if (!rc) rc = aq_check_distribution.finish(fake.state, &fake, &fake.record, &fake.out);
        aq_alloc_fail_after(UINT64_MAX);
        fake_close(&fake);
        if (rc == 0) break;
        assert_int_equal(rc, AQ_ENOMEM);
        failures++;
    }
    assert_true(failures >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_choice_passes_on_every_seed),
        cmocka_unit_test(one_server_preferred_by_five_percent_is_caught_on_every_seed),
        cmocka_unit_test(a_server_left_out_without_a_cause_is_caught),
        cmocka_unit_test(changing_sets_raise_no_false_alarm),
        cmocka_unit_test(a_bias_that_evens_out_over_the_run_is_caught_in_its_phase),
        cmocka_unit_test(a_choice_outside_the_eligible_set_is_a_violation),
        cmocka_unit_test(too_few_choices_are_unknown_and_no_choice_at_all_does_not_apply),
        cmocka_unit_test(eighty_choices_of_four_servers_are_enough),
        cmocka_unit_test(the_statistic_is_pearsons),
        cmocka_unit_test(p_values_of_uniform_runs_are_uniform),
        cmocka_unit_test(sets_beyond_the_limit_are_pooled),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
