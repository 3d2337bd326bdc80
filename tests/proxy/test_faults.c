/* What the faults do to bytes on their way, measured, in each direction by itself. */
#include "tests/proxy/rig.h"

#include <stdlib.h>

struct way {
    enum aq_direction direction;
    struct end *from, *to;
};

/* A connection of client 1, without an echo, and who sends in the direction. */
static struct way open_way(struct rig *rig, enum aq_direction direction) {
    struct end *server;
    rig->accept_quiet = true;
    if (!rig->proxy) rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    bool there = direction == AQ_DIRECTION_TO_SERVER;
    return (struct way){direction, there ? client : server, there ? server : client};
}

static struct way back_of(struct way way) {
    bool there = way.direction == AQ_DIRECTION_TO_SERVER;
    return (struct way){there ? AQ_DIRECTION_TO_CLIENT : AQ_DIRECTION_TO_SERVER, way.to, way.from};
}

/* Time that each of so many messages takes, one after the other. */
static void time_messages(struct rig *rig, struct way way, int count, aq_time_us *least_us,
                          aq_time_us *most_us) {
    *least_us = AQ_TIME_NEVER;
    *most_us = 0;
    for (int i = 0; i < count; i++) {
        uint64_t wanted = way.to->received + 100;
        aq_time_us start_us = now_us();
        send_bytes(way.from, 100, 0);
        WAIT_FOR(rig, way.to->received == wanted);
        aq_time_us span_us = way.to->last_us - start_us;
        if (span_us < *least_us) *least_us = span_us;
        if (span_us > *most_us) *most_us = span_us;
    }
}

static const enum aq_direction both_ways[] = {AQ_DIRECTION_TO_SERVER, AQ_DIRECTION_TO_CLIENT};
#define EACH_WAY(d) (int d##_i = 0, d; d##_i < 2 && (d = (int)both_ways[d##_i], 1); d##_i++)

/* The least of ten is what the proxy adds; the most shows what else the machine does. */
static void latency_is_added_in_its_direction_only(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_LATENCY, way.direction);
            aq_time_us least_us, most_us;
            rule.delay = AQ_CONSTANT_US(30 * MS);
            put_in_force(rig, &rule);
            time_messages(rig, way, 10, &least_us, &most_us);
            assert_in_range(least_us, 30 * MS, 35 * MS);
            assert_int_equal(rule.touched, 10);
            time_messages(rig, back_of(way), 10, &least_us, &most_us);
            assert_in_range(least_us, 0, 5 * MS);
            assert_int_equal(rule.touched, 10);
            heal(rig, &rule);
            time_messages(rig, way, 10, &least_us, &most_us);
            assert_in_range(least_us, 0, 5 * MS);
        }
}

static void messages_on_a_long_way_do_not_wait_for_one_another(void **state) {
    struct rig *rig = *state;
    struct way way = open_way(rig, AQ_DIRECTION_TO_SERVER);
    struct aq_link_rule rule = rule_of(AQ_FAULT_LATENCY, AQ_DIRECTION_BOTH);
    rule.delay = AQ_CONSTANT_US(100 * MS);
    put_in_force(rig, &rule);
    aq_time_us start_us = now_us();
    send_bytes(way.from, 500, 1); /* 500 writes, together under the bound of the buffer */
    WAIT_FOR(rig, way.to->received == 500);
    assert_in_range(way.to->last_us - start_us, 100 * MS, 1000 * MS);
    heal(rig, &rule);
}

static void a_rule_for_one_client_leaves_the_others_alone(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule rule = rule_of(AQ_FAULT_LATENCY, AQ_DIRECTION_BOTH);
    rig_start(rig, NULL);
    struct end *hit = rig_connect_up(rig, 7, NULL), *other = rig_connect_up(rig, 8, NULL);
    rule.delay = AQ_CONSTANT_US(60 * MS);
    only_client(&rule, 7);
    put_in_force(rig, &rule);
    send_bytes(hit, 10, 0);
    send_bytes(other, 10, 0);
    WAIT_FOR(rig, other->received == 10 && hit->received == 10);
    assert_int_equal(rule.touched, 2);
    assert_true(other->last_us + 60 * MS < hit->last_us);
    assert_int_equal(aq_index_set_init(&rule.servers, 4),
                     0); /* no server at all, then the one behind the proxy */
    send_bytes(hit, 10, 0);
    WAIT_FOR(rig, hit->received == 20);
    assert_int_equal(rule.touched, 2);
    aq_index_set_add(&rule.servers, 3);
    send_bytes(hit, 10, 0);
    WAIT_FOR(rig, hit->received == 30);
    assert_int_equal(rule.touched, 4);
    heal(rig, &rule);
}

static void jitter_varies_and_keeps_the_order(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_JITTER, way.direction);
            aq_time_us least_us, most_us;
            rule.delay = (struct aq_distribution){.kind = AQ_DISTRIBUTION_UNIFORM, .a_us = 0, .b_us = 20e3};
            put_in_force(rig, &rule);
            time_messages(rig, way, 40, &least_us, &most_us);
            assert_in_range(least_us, 0, 5 * MS);
            assert_true(most_us >=
                        15 * MS); /* 40 draws below that: a chance of 1e-5, and the seed is fixed */
            send_bytes(way.from, 100000, 1000);
            WAIT_FOR(rig, way.to->received == 104000);
            assert_int_equal(way.to->wrong_bytes, 0);
            heal(rig, &rule);
        }
}

static void lost_chunks_come_later_and_none_is_missing(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_LOSS, way.direction);
            aq_time_us least_us, most_us, start_us = now_us();
            rule.probability = 0.5;
            put_in_force(rig, &rule);
            time_messages(rig, way, 50, &least_us, &most_us);
            assert_in_range(rule.touched, 20, 100);
            assert_true(now_us() - start_us >=
                        rule.touched * 5 * MS); /* each costs at least the first wait */
            assert_true(most_us >= 15 * MS);    /* some are lost twice: 5 ms, then 10 ms */
            assert_int_equal(way.to->wrong_bytes, 0);
            heal(rig, &rule);
        }
}

static void bandwidth_is_what_the_rule_says(void **state) {
    struct rig *rig = *state;
    static const uint32_t rates[] = {2000, 400 * 1000};
    for
        EACH_WAY(d) {
            for (int i = 0; i < 2; i++) {
                struct way way = open_way(rig, (enum aq_direction)d);
                struct aq_link_rule rule = rule_of(AQ_FAULT_BANDWIDTH, way.direction);
                aq_time_us least_us, most_us;
                rule.bytes_per_s = rates[i];
                put_in_force(rig, &rule);
                send_bytes(way.from, rates[i], 20000);
                aq_time_us start_us = now_us();
                time_messages(rig, back_of(way), 1, &least_us, &most_us);
                assert_true(most_us < 100 * MS && way.to->received < rates[i]); /* the other way is free */
                WAIT_FOR(rig, way.to->received == rates[i]);
                assert_in_range(way.to->last_us - start_us, 800 * MS, 1200 * MS);
                assert_true(rule.touched > 0);
                heal(rig, &rule);
                send_bytes(way.from, 1000 * 1000, 100000);
                start_us = now_us();
                WAIT_FOR(rig, way.to->received == rates[i] + 1000 * 1000);
                assert_true(now_us() - start_us < 1000 * MS);
                assert_int_equal(way.to->wrong_bytes, 0);
            }
        }
}

static void a_healed_bandwidth_does_not_slow_what_is_queued(void **state) {
    struct rig *rig = *state;
    struct way way = open_way(rig, AQ_DIRECTION_TO_SERVER);
    struct aq_link_rule rule = rule_of(AQ_FAULT_BANDWIDTH, AQ_DIRECTION_BOTH);
    rule.bytes_per_s = 100;
    put_in_force(rig, &rule);
    send_bytes(way.from, 10000, 0); /* for a hundred seconds */
    WAIT_FOR(rig, way.to->received > 0);
    heal(rig, &rule);
    aq_time_us start_us = now_us();
    WAIT_FOR(rig, way.to->received == 10000);
    assert_true(now_us() - start_us < 1000 * MS);
}

static void chopped_bytes_arrive_in_pieces(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_CHOP, way.direction);
            rule.piece_bytes = 7;
            rule.pause_us = 5 * MS;
            put_in_force(rig, &rule);
            aq_time_us start_us = now_us();
            send_bytes(way.from, 100, 0);
            WAIT_FOR(rig, way.to->received == 100);
            assert_in_range(way.to->reads, 10, 15); /* 15 pieces; a busy machine may join a few */
            assert_true(way.to->last_us - start_us >= 14 * 5 * MS);
            assert_int_equal(rule.touched, 1);
            send_bytes(way.from, 7, 0);
            WAIT_FOR(rig, way.to->received == 107);
            assert_int_equal(rule.touched, 1); /* that one was not cut */
            rule.piece_bytes = 1;
            rule.pause_us = 0;
            send_bytes(way.from, 5000, 0);
            WAIT_FOR(rig, way.to->received == 5107);
            assert_int_equal(way.to->wrong_bytes, 0);
            heal(rig, &rule);
        }
}

static int bits_in(uint8_t byte) {
    return __builtin_popcount(byte);
}

static void corrupt_flips_one_bit_of_the_nth_byte_and_nothing_else(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_CORRUPT, way.direction);
            send_bytes(way.from, 500, 0); /* before the rule: not counted */
            WAIT_FOR(rig, way.to->received == 500);
            rule.nth = 70001;
            put_in_force(rig, &rule);
            send_bytes(way.from, 1000000, 30000);
            send_bytes(way.to, 100000, 30000); /* the other way: not counted either */
            WAIT_FOR(rig, way.to->received == 1000500 && way.from->received == 100000);
            assert_int_equal(way.to->wrong_bytes, 1);
            assert_int_equal(way.to->wrong_at, 500 + 70000);
            assert_int_equal(bits_in(way.to->wrong_bits), 1);
            assert_int_equal(way.from->wrong_bytes, 0);
            assert_int_equal(rule.touched, 1);
            heal(rig, &rule);
        }
}

static void corrupt_by_probability_hits_a_byte_of_a_chunk(void **state) {
    struct rig *rig = *state;
    for
        EACH_WAY(d) {
            struct way way = open_way(rig, (enum aq_direction)d);
            struct aq_link_rule rule = rule_of(AQ_FAULT_CORRUPT, way.direction);
            aq_time_us least_us, most_us;
            put_in_force(rig, &rule);
            time_messages(rig, way, 20, &least_us, &most_us);
            assert_int_equal(way.to->wrong_bytes, 20);
            assert_int_equal(rule.touched, 20);
            assert_int_equal(bits_in(way.to->wrong_bits), 1);
            rule.probability = 0.2;
            time_messages(rig, way, 100, &least_us, &most_us);
            assert_int_equal(way.to->wrong_bytes, rule.touched);
            assert_in_range(rule.touched, 20 + 5, 20 + 45);
            heal(rig, &rule);
            time_messages(rig, way, 20, &least_us, &most_us);
            assert_int_equal(way.to->wrong_bytes, rule.touched);
        }
}

/* Blocked bytes are tried again and again: a few attempts without a byte show that they are held. */
static void a_partition_holds_bytes_and_lets_them_go_when_healed(void **state) {
    struct rig *rig = *state;
    static const enum aq_direction directions[] = {AQ_DIRECTION_TO_SERVER, AQ_DIRECTION_TO_CLIENT,
                                                   AQ_DIRECTION_BOTH};
    for (int i = 0; i < 3; i++) {
        struct way there = open_way(rig, AQ_DIRECTION_TO_SERVER), back = back_of(there);
        struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, directions[i]);
        bool blocks_there = directions[i] != AQ_DIRECTION_TO_CLIENT,
             blocks_back = directions[i] != AQ_DIRECTION_TO_SERVER;
        put_in_force(rig, &rule);
        send_bytes(there.from, 300000, 50000); /* more than is buffered: reading stops */
        send_bytes(back.from, 300000, 50000);
        WAIT_FOR(rig, (blocks_there || there.to->received == 300000) &&
                          (blocks_back || back.to->received == 300000) && rule.touched >= 8);
        if (blocks_there) assert_int_equal(there.to->received, 0);
        if (blocks_back) assert_int_equal(back.to->received, 0);
        heal(rig, &rule);
        WAIT_FOR(rig, there.to->received == 300000 && back.to->received == 300000);
        assert_int_equal(there.to->wrong_bytes + back.to->wrong_bytes, 0);
        assert_false(there.to->eof || back.to->eof || there.to->error || back.to->error);
    }
}

static void a_partition_stops_the_sender_by_back_pressure(void **state) {
    struct rig *rig = *state;
    uint32_t blocks_max = AQ_PROXY_BUFFER_BYTES / AQ_BLOCK_BYTES;
    struct way way = open_way(rig, AQ_DIRECTION_TO_SERVER);
    struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, AQ_DIRECTION_BOTH);
    put_in_force(rig, &rule);
    send_bytes(way.from, 40 * 1000 * 1000, 131072);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).blocks_in_use == blocks_max && rule.touched >= 5);
    assert_true(way.from->sent < way.from->to_send);
    heal(rig, &rule);
    WAIT_FOR(rig, way.to->received == 40 * 1000 * 1000);
    assert_int_equal(way.to->wrong_bytes, 0);
    assert_true(aq_proxy_counters(rig->proxy).blocks_allocated <= blocks_max);
}

static void impatient(struct aq_proxy_config *config) {
    config->retransmit_first_us = 1 * MS;
    config->retransmit_max_us = 8 * MS;
}

static void a_partition_that_outlasts_all_attempts_ends_the_connection(void **state) {
    struct rig *rig = *state;
    rig_start(rig, impatient);
    struct way way = open_way(rig, AQ_DIRECTION_TO_CLIENT);
    struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, AQ_DIRECTION_BOTH);
    put_in_force(rig, &rule);
    aq_time_us start_us = now_us();
    send_bytes(way.from, 10, 0);
    WAIT_FOR(rig, way.from->error && way.to->error);
    assert_true(now_us() - start_us >= (1 + 2 + 4 + 12 * 8) * MS); /* each wait is twice the one before */
    assert_int_equal(rule.touched, 16);                            /* the first, and 15 times again */
    assert_int_equal(aq_proxy_counters(rig->proxy).given_up, 1);
    heal(rig, &rule);
}

static void faults_add_up(void **state) {
    struct rig *rig = *state;
    struct way way = open_way(rig, AQ_DIRECTION_TO_SERVER);
    struct aq_link_rule rules[5] = {
        rule_of(AQ_FAULT_LATENCY, AQ_DIRECTION_BOTH), rule_of(AQ_FAULT_JITTER, AQ_DIRECTION_BOTH),
        rule_of(AQ_FAULT_LOSS, AQ_DIRECTION_BOTH), rule_of(AQ_FAULT_BANDWIDTH, AQ_DIRECTION_BOTH),
        rule_of(AQ_FAULT_CHOP, AQ_DIRECTION_BOTH)};
    rules[0].delay = AQ_CONSTANT_US(20 * MS);
    rules[1].delay = (struct aq_distribution){.kind = AQ_DISTRIBUTION_EXPONENTIAL, .a_us = 2e3};
    rules[2].probability = 0.2;
    rules[3].bytes_per_s = 200000;
    rules[4].piece_bytes = 900;
    rules[4].pause_us = 1 * MS;
    for (int i = 0; i < 5; i++)
        put_in_force(rig, &rules[i]);
    way.to->echo = true;
    aq_time_us start_us = now_us();
    send_bytes(way.from, 60000, 8000);
    WAIT_FOR(rig, way.from->received == 60000);
    assert_int_equal(way.from->wrong_bytes + way.to->wrong_bytes, 0);
    assert_true(now_us() - start_us >= 40 * MS + 60000 * 5 - 50 * MS);
    for (int i = 0; i < 5; i++) {
        assert_true(rules[i].touched > 0);
        heal(rig, &rules[i]);
    }
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(latency_is_added_in_its_direction_only),
        RIG_TEST(messages_on_a_long_way_do_not_wait_for_one_another),
        RIG_TEST(a_rule_for_one_client_leaves_the_others_alone),
        RIG_TEST(jitter_varies_and_keeps_the_order),
        RIG_TEST(lost_chunks_come_later_and_none_is_missing),
        RIG_TEST(bandwidth_is_what_the_rule_says),
        RIG_TEST(a_healed_bandwidth_does_not_slow_what_is_queued),
        RIG_TEST(chopped_bytes_arrive_in_pieces),
        RIG_TEST(corrupt_flips_one_bit_of_the_nth_byte_and_nothing_else),
        RIG_TEST(corrupt_by_probability_hits_a_byte_of_a_chunk),
        RIG_TEST(a_partition_holds_bytes_and_lets_them_go_when_healed),
        RIG_TEST(a_partition_stops_the_sender_by_back_pressure),
        RIG_TEST(a_partition_that_outlasts_all_attempts_ends_the_connection),
        RIG_TEST(faults_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
