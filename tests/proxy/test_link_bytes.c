/* The decisions about bytes, without any: which rules act, and what receipts they give. */
#include "tests/base/test.h"

#include <string.h>

#include "sim/link_rules.h"

#define TO_SERVER AQ_DIRECTION_TO_SERVER
#define TO_CLIENT AQ_DIRECTION_TO_CLIENT

static struct aq_link_rule rule_of(enum aq_fault_kind kind, enum aq_direction direction) {
    return (struct aq_link_rule){.kind = kind, .direction = direction, .probability = 1};
}

static void the_tightest_of_several_limits_counts(void **state) {
    (void)state;
    struct aq_link_rule a = rule_of(AQ_FAULT_BANDWIDTH, AQ_DIRECTION_BOTH),
                        b = rule_of(AQ_FAULT_BANDWIDTH, TO_SERVER),
                        c = rule_of(AQ_FAULT_CHOP, AQ_DIRECTION_BOTH), d = rule_of(AQ_FAULT_CHOP, TO_CLIENT);
    struct aq_link_rules rules = {0};
    struct aq_link_shape shape = aq_link_shape(&rules, 1, 2, TO_SERVER, 100);
    assert_true(shape.bytes_per_s == 0 && shape.piece_bytes == 0 && shape.pause_us == 0);
    a.bytes_per_s = 1000;
    b.bytes_per_s = 300;
    c.piece_bytes = 50;
    c.pause_us = 5;
    d.piece_bytes = 8;
    d.pause_us = 3;
    aq_link_rules_add(&rules, &a);
    aq_link_rules_add(&rules, &b);
    aq_link_rules_add(&rules, &c);
    aq_link_rules_add(&rules, &d);
    shape = aq_link_shape(&rules, 1, 2, TO_SERVER, 100);
    assert_true(shape.bytes_per_s == 300 && shape.piece_bytes == 50 && shape.pause_us == 5);
    shape = aq_link_shape(&rules, 1, 2, TO_CLIENT, 20);
    assert_true(shape.bytes_per_s == 1000 && shape.piece_bytes == 8 && shape.pause_us == 5);
    aq_link_shape(&rules, 1, 2, TO_CLIENT, 0); /* asked again: no receipts */
    assert_int_equal(a.touched, 2);
    assert_int_equal(b.touched, 1);
    assert_int_equal(c.touched, 1); /* 20 bytes are not cut by pieces of 50 */
    assert_int_equal(d.touched, 1);
    aq_link_rules_close(&rules);
}

static void rules_leave_other_clients_and_servers_alone(void **state) {
    (void)state;
    enum aq_fault_kind kinds[] = {AQ_FAULT_BANDWIDTH, AQ_FAULT_CHOP, AQ_FAULT_CORRUPT, AQ_FAULT_SLOW_CLOSE};
    for (int i = 0; i < 4; i++) {
        struct aq_link_rule rule = rule_of(kinds[i], AQ_DIRECTION_BOTH);
        struct aq_link_rules rules = {0};
        struct aq_random random;
        uint8_t bytes[4] = {0};
        rule.bytes_per_s = rule.piece_bytes = 1;
        rule.delay = AQ_CONSTANT_US(9);
        aq_random_init(&random, 1, "link", 0);
        assert_int_equal(aq_index_set_init(&rule.clients, 10), 0);
        assert_int_equal(aq_index_set_init(&rule.servers, 10), 0);
        aq_index_set_add(&rule.clients, 4);
        aq_index_set_add(&rule.servers, 5);
        aq_link_rules_add(&rules, &rule);
        for (uint32_t client = 0; client < 12; client++)
            for (uint32_t server = 0; server < 12; server++) {
                uint64_t before = rule.touched;
                struct aq_link_shape shape = aq_link_shape(&rules, client, server, TO_SERVER, 4);
                aq_link_corrupt(&rules, client, server, TO_SERVER, &random, bytes, 4);
                aq_time_us delay_us = aq_link_close_delay(&rules, client, server, TO_CLIENT, &random);
                struct aq_link_decision decision = aq_link_decide(&rules, client, server, TO_SERVER, &random);
                bool meant = client == 4 && server == 5;
                assert_int_equal(rule.touched - before, meant);
                assert_int_equal(delay_us, meant && kinds[i] == AQ_FAULT_SLOW_CLOSE ? 9 : 0);
                assert_int_equal(shape.bytes_per_s, meant && kinds[i] == AQ_FAULT_BANDWIDTH);
                assert_int_equal(shape.piece_bytes, meant && kinds[i] == AQ_FAULT_CHOP);
                assert_false(decision.blocked || decision.lost || decision.extra_us);
            }
        assert_int_equal(bytes[0] || bytes[1] || bytes[2] || bytes[3], kinds[i] == AQ_FAULT_CORRUPT);
        aq_index_set_close(&rule.clients);
        aq_index_set_close(&rule.servers);
        aq_link_rules_close(&rules);
    }
}

static void the_nth_byte_is_counted_over_chunks_of_any_size(void **state) {
    (void)state;
    for (uint64_t nth = 1; nth <= 60; nth++) {
        struct aq_link_rule rule = rule_of(AQ_FAULT_CORRUPT, TO_SERVER);
        struct aq_link_rules rules = {0};
        struct aq_random random;
        uint8_t bytes[60] = {0};
        aq_random_init(&random, nth, "link", 0);
        rule.nth = nth;
        aq_link_rules_add(&rules, &rule);
        for (uint32_t at = 0, size = 1; at + size <= 55; at += size, size++) /* 1 + 2 + ... + 10 */
            aq_link_corrupt(&rules, 1, 1, TO_SERVER, &random, bytes + at, size);
        aq_link_corrupt(&rules, 1, 1, TO_CLIENT, &random, bytes, 55); /* not its direction: not counted */
        aq_link_corrupt(&rules, 1, 1, TO_SERVER, &random, bytes, 0);
        for (uint32_t i = 0; i < 60; i++)
            assert_int_equal(__builtin_popcount(bytes[i]), i + 1 == nth && nth <= 55);
        assert_int_equal(rule.touched, nth <= 55);
        aq_link_rules_close(&rules);
    }
}

static void corruption_by_probability_hits_every_place_of_a_chunk(void **state) {
    (void)state;
    struct aq_link_rule rule = rule_of(AQ_FAULT_CORRUPT, TO_SERVER);
    struct aq_link_rules rules = {0};
    struct aq_random random;
    uint8_t bytes[8] = {0}, seen[8] = {0};
    aq_random_init(&random, 1, "link", 0);
    rule.probability = 0.25;
    aq_link_rules_add(&rules, &rule);
    for (int i = 0; i < 4000; i++) {
        uint8_t before[8];
        int changed = 0;
        memcpy(before, bytes, 8);
        aq_link_corrupt(&rules, 1, 1, TO_SERVER, &random, bytes, 8);
        for (int k = 0; k < 8; k++) {
            changed += __builtin_popcount(bytes[k] ^ before[k]);
            seen[k] |= bytes[k] ^ before[k];
        }
        assert_true(changed <= 1);
    }
    assert_in_range(rule.touched, 900, 1100);
    for (int k = 0; k < 8; k++)
        assert_int_equal(seen[k], 255);
    aq_link_rules_close(&rules);
}

static void delays_of_the_end_add_up(void **state) {
    (void)state;
    struct aq_link_rule a = rule_of(AQ_FAULT_SLOW_CLOSE, AQ_DIRECTION_BOTH),
                        b = rule_of(AQ_FAULT_SLOW_CLOSE, TO_CLIENT);
    struct aq_link_rules rules = {0};
    struct aq_random random;
    aq_random_init(&random, 1, "link", 0);
    a.delay = AQ_CONSTANT_US(100);
    b.delay = AQ_CONSTANT_US(7);
    aq_link_rules_add(&rules, &a);
    aq_link_rules_add(&rules, &b);
    assert_int_equal(aq_link_close_delay(&rules, 0, 0, TO_SERVER, &random), 100);
    assert_int_equal(aq_link_close_delay(&rules, 0, 0, TO_CLIENT, &random), 107);
    assert_int_equal(a.touched, 2);
    assert_int_equal(b.touched, 1);
    aq_link_rules_close(&rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tightest_of_several_limits_counts),
        cmocka_unit_test(rules_leave_other_clients_and_servers_alone),
        cmocka_unit_test(the_nth_byte_is_counted_over_chunks_of_any_size),
        cmocka_unit_test(corruption_by_probability_hits_every_place_of_a_chunk),
        cmocka_unit_test(delays_of_the_end_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
