/* What a network fault does to one message or connection, decided from plain data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/link_rules.h"

static struct aq_link_rules rules;
static struct aq_random random_stream;

static int begin(void **state) {
    (void)state;
    rules = (struct aq_link_rules){0};
    aq_random_init(&random_stream, 1, "link rules", 0);
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_link_rules_close(&rules);
    return 0;
}

static struct aq_link_decision decide(uint32_t client, uint32_t server, enum aq_direction direction) {
    return aq_link_decide(&rules, client, server, direction, &random_stream);
}

static struct aq_link_decision there(void) {
    return decide(0, 0, AQ_DIRECTION_TO_SERVER);
}

static void without_rules_everything_passes_at_once(void **state) {
    (void)state;
    struct aq_link_decision d = there();
    assert_true(!d.blocked && !d.lost && d.extra_us == 0);
    assert_false(aq_link_refuses(&rules, 0, 0));
}

static void a_rule_acts_in_its_direction_only(void **state) {
    (void)state;
    for (int d = AQ_DIRECTION_BOTH; d <= AQ_DIRECTION_TO_CLIENT; d++) {
        struct aq_link_rule rule = {.kind = AQ_FAULT_PARTITION, .direction = (enum aq_direction)d};
        assert_int_equal(aq_link_rules_add(&rules, &rule), 0);
        assert_int_equal(decide(0, 0, AQ_DIRECTION_TO_SERVER).blocked, d != AQ_DIRECTION_TO_CLIENT);
        assert_int_equal(decide(0, 0, AQ_DIRECTION_TO_CLIENT).blocked, d != AQ_DIRECTION_TO_SERVER);
        assert_int_equal(rule.touched, d == AQ_DIRECTION_BOTH ? 2 : 1);
        aq_link_rules_remove(&rules, &rule);
    }
    assert_false(there().blocked);
}

static void a_rule_acts_between_its_clients_and_servers_only(void **state) {
    (void)state;
    struct aq_link_rule rule = {.kind = AQ_FAULT_PARTITION};
    assert_int_equal(aq_index_set_init(&rule.clients, 200), 0);
    assert_int_equal(aq_index_set_init(&rule.servers, 3), 0);
    aq_index_set_add(&rule.clients, 64);
    aq_index_set_add(&rule.clients, 199);
    aq_index_set_add(&rule.servers, 2);
    aq_link_rules_add(&rules, &rule);
    for (uint32_t client = 0; client < 300; client++)
        for (uint32_t server = 0; server < 70; server++) {
            bool meant = (client == 64 || client == 199) && server == 2;
            assert_int_equal(decide(client, server, AQ_DIRECTION_TO_SERVER).blocked, meant);
        }
    assert_int_equal(rule.touched, 2);
    aq_index_set_close(&rule.clients); /* none given: all */
    assert_true(decide(7, 2, AQ_DIRECTION_TO_SERVER).blocked);
    assert_false(decide(7, 1, AQ_DIRECTION_TO_SERVER).blocked);
    aq_index_set_close(&rule.servers);
    assert_true(decide(7, 1, AQ_DIRECTION_TO_SERVER).blocked);
}

static void delays_of_all_rules_add_up(void **state) {
    (void)state;
    struct aq_link_rule latency = {.kind = AQ_FAULT_LATENCY, .delay = AQ_CONSTANT_US(300)};
    struct aq_link_rule jitter = {.kind = AQ_FAULT_JITTER,
                                  .delay = {.kind = AQ_DISTRIBUTION_UNIFORM, .a_us = 10, .b_us = 20}};
    aq_link_rules_add(&rules, &latency);
    aq_link_rules_add(&rules, &jitter);
    bool varies = false;
    aq_time_us first_us = there().extra_us;
    for (int i = 0; i < 100; i++) {
        struct aq_link_decision d = there();
        assert_true(d.extra_us >= 310 && d.extra_us <= 320 && !d.lost && !d.blocked);
        varies = varies || d.extra_us != first_us;
    }
    assert_true(varies);
    assert_true(latency.touched == 101 && jitter.touched == 101);
}

static void loss_strikes_with_its_probability_and_counts_only_what_it_struck(void **state) {
    (void)state;
    struct aq_link_rule loss = {.kind = AQ_FAULT_LOSS, .probability = 0.25};
    aq_link_rules_add(&rules, &loss);
    uint64_t lost = 0;
    for (int i = 0; i < 10000; i++)
        lost += there().lost;
    assert_int_equal(loss.touched, lost);
    assert_true(lost > 2200 && lost < 2800); /* seven standard deviations */
    loss.probability = 1;
    assert_true(there().lost);
    loss.probability = 0;
    assert_false(there().lost);
}

/* So that a rule in force somewhere else does not shift anyone's random numbers. */
static void a_rule_that_is_not_meant_draws_nothing(void **state) {
    (void)state;
    struct aq_link_rule loss = {
        .kind = AQ_FAULT_LOSS, .probability = 0.5, .direction = AQ_DIRECTION_TO_CLIENT};
    aq_link_rules_add(&rules, &loss);
    struct aq_random before = random_stream;
    there();
    assert_memory_equal(&before, &random_stream, sizeof before);
    decide(0, 0, AQ_DIRECTION_TO_CLIENT);
    assert_memory_not_equal(&before, &random_stream, sizeof before);
}

static void only_refused_refuses_connections_and_it_lets_messages_pass(void **state) {
    (void)state;
    struct aq_link_rule refused = {.kind = AQ_FAULT_REFUSED}, partition = {.kind = AQ_FAULT_PARTITION};
    aq_link_rules_add(&rules, &partition);
    assert_false(aq_link_refuses(&rules, 0, 0));
    aq_link_rules_remove(&rules, &partition);
    aq_index_set_init(&refused.servers, 2);
    aq_index_set_add(&refused.servers, 1);
    aq_link_rules_add(&rules, &refused);
    assert_false(there().blocked || there().lost);
    assert_int_equal(refused.touched, 0);
    assert_false(aq_link_refuses(&rules, 5, 0));
    assert_true(aq_link_refuses(&rules, 5, 1));
    assert_int_equal(refused.touched, 1);
    aq_index_set_close(&refused.servers);
}

static void a_removed_rule_leaves_the_others_in_force(void **state) {
    (void)state;
    struct aq_link_rule a = {.kind = AQ_FAULT_LATENCY, .delay = AQ_CONSTANT_US(1)}, b = a, c = a;
    b.delay = AQ_CONSTANT_US(10);
    c.delay = AQ_CONSTANT_US(100);
    aq_link_rules_add(&rules, &a);
    aq_link_rules_add(&rules, &b);
    aq_link_rules_add(&rules, &c);
    aq_link_rules_remove(&rules, &b);
    aq_link_rules_remove(&rules, &b); /* no longer there: no harm */
    assert_int_equal(there().extra_us, 101);
    assert_true(a.touched == 1 && b.touched == 0 && c.touched == 1);
}

static void without_memory_nothing_is_put_in_force(void **state) {
    (void)state;
    struct aq_link_rule rule = {.kind = AQ_FAULT_PARTITION};
    aq_alloc_fail_after(0);
    assert_int_equal(aq_link_rules_add(&rules, &rule), AQ_ENOMEM);
    assert_false(there().blocked);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_index_set_init(&rule.clients, 10), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_rules_everything_passes_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_rule_acts_in_its_direction_only, begin, end),
        cmocka_unit_test_setup_teardown(a_rule_acts_between_its_clients_and_servers_only, begin, end),
        cmocka_unit_test_setup_teardown(delays_of_all_rules_add_up, begin, end),
        cmocka_unit_test_setup_teardown(loss_strikes_with_its_probability_and_counts_only_what_it_struck,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_rule_that_is_not_meant_draws_nothing, begin, end),
        cmocka_unit_test_setup_teardown(only_refused_refuses_connections_and_it_lets_messages_pass, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_removed_rule_leaves_the_others_in_force, begin, end),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_put_in_force, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
