/* The trace: its hash depends on every field of every event, and its lines are for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/trace.h"

static struct aq_trace trace;

static uint64_t hash_of_record(struct aq_trace_record record) {
    aq_trace_init(&trace);
    aq_trace_add(&trace, record);
    return aq_trace_hash(&trace);
}

static uint64_t hash_of(const struct aq_observation *seen) {
    aq_trace_init(&trace);
    assert_int_equal(aq_trace_observation(&trace, seen), 0);
    return aq_trace_hash(&trace);
}

static void the_hash_depends_on_every_field_of_a_record(void **state) {
    (void)state;
    const struct aq_trace_record plain = {1, 2, 3, 4, 5, 6};
    struct aq_trace_record r[] = {plain, plain, plain, plain, plain, plain, plain};
    r[1].at_us++;
    r[2].kind++;
    r[3].a++;
    r[4].b++;
    r[5].c++;
    r[6].value++;
    for (size_t i = 0; i < 7; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(hash_of_record(r[i]), hash_of_record(r[k]));
    assert_int_equal(hash_of_record(plain), hash_of_record(plain));
}

#define DIFFERS(change)                                                                                      \
    do {                                                                                                     \
        struct aq_observation seen = plain;                                                                  \
        struct aq_tap tap = plain_tap;                                                                       \
        if (plain.tap) seen.tap = &tap;                                                                      \
        uint64_t before = hash_of(&seen);                                                                    \
        change;                                                                                              \
        if (hash_of(&seen) == before) fail_msg("the hash does not depend on it: %s", #change);               \
    } while (0)

static void the_hash_depends_on_every_fact_of_an_observation(void **state) {
    (void)state;
    const struct aq_tap plain_tap = {0};
    const struct aq_observation plain = {.at_us = 5, .kind = AQ_SEEN_ANSWER, .caller = 1, .client = 2};
    DIFFERS(seen.at_us++);
    DIFFERS(seen.kind = AQ_SEEN_CALL);
    DIFFERS(seen.caller++);
    DIFFERS(seen.client++);
    DIFFERS(seen.server++);
    DIFFERS(seen.incarnation++);
    DIFFERS(seen.address++);
    DIFFERS(seen.fault++);
    DIFFERS(seen.eligible_set++);
    DIFFERS(seen.call++);
    DIFFERS(seen.action = AQ_ACTION_DONE);
    DIFFERS(seen.outcome = AQ_OUTCOME_UNKNOWN);
    DIFFERS(seen.is_producer = true);
    DIFFERS(seen.own = true);
    DIFFERS(seen.member = true);
    DIFFERS(seen.memory_lost = true);
    DIFFERS(seen.last = true);
    DIFFERS(seen.error = true);
    DIFFERS(seen.empty = true);
    DIFFERS(seen.token++);
    DIFFERS(seen.job_hash++);
    DIFFERS(seen.called_us++);
}

static void the_hash_depends_on_every_fact_of_a_tap(void **state) {
    (void)state;
    const struct aq_tap plain_tap = {.kind = AQ_TAP_LEASE, .ttl_s = 30, .due_us = 1000};
    const struct aq_observation plain = {.at_us = 5, .kind = AQ_SEEN_TAP, .tap = &plain_tap};
    DIFFERS(tap.kind = AQ_TAP_PUT);
    DIFFERS(tap.action = AQ_ACTION_DONE);
    DIFFERS(tap.state = AQ_JOB_BURIED);
    DIFFERS(tap.before = AQ_JOB_BURIED);
    DIFFERS(tap.peer++);
    DIFFERS(tap.correlation++);
    DIFFERS(tap.priority++);
    DIFFERS(tap.expireds++);
    DIFFERS(tap.job_hash++);
    DIFFERS(tap.lease++);
    DIFFERS(tap.due_us++);
    DIFFERS(tap.ttl_s++);
    DIFFERS(seen.tap_token++);
    DIFFERS(seen.incarnation++);
}

static void order_matters_within_a_block_and_across_blocks(void **state) {
    (void)state;
    for (uint32_t swap = AQ_TRACE_BLOCK - 3; swap <= AQ_TRACE_BLOCK + 1; swap++) {
        uint64_t hashes[2];
        for (uint32_t swapped = 0; swapped < 2; swapped++) {
            aq_trace_init(&trace);
            for (uint32_t i = 0; i < 3 * AQ_TRACE_BLOCK; i++) {
                uint32_t value = i;
                if (swapped && i == swap) value = swap + 1;
                if (swapped && i == swap + 1) value = swap;
                aq_trace_add(&trace, (struct aq_trace_record){.value = value});
            }
            hashes[swapped] = aq_trace_hash(&trace);
        }
        assert_int_not_equal(hashes[0], hashes[1]);
    }
}

static void an_event_more_changes_the_hash(void **state) {
    (void)state;
    aq_trace_init(&trace);
    uint64_t before = aq_trace_hash(&trace);
    for (uint32_t i = 0; i < 2 * AQ_TRACE_BLOCK + 2; i++) {
        aq_trace_init(&trace);
        for (uint32_t k = 0; k <= i; k++)
            aq_trace_add(&trace, (struct aq_trace_record){0});
        uint64_t hash = aq_trace_hash(&trace);
        assert_int_not_equal(hash, before);
        assert_int_equal(aq_trace_hash(&trace), hash); /* asking changes nothing */
        before = hash;
    }
}

static void describes(struct aq_observation seen, const char *line) {
    char text[200];
    seen.at_us = 12345678;
    assert_string_equal(aq_trace_describe(&seen, text, sizeof text), line);
}

static void every_kind_of_observation_has_its_line(void **state) {
    (void)state;
    struct aq_tap tap = {.kind = AQ_TAP_LEASE, .job_id = AQ_TEXT("Xy"), .tube = AQ_TEXT("t")};
    struct aq_observation worker = {
        .kind = AQ_SEEN_CALL, .caller = 7, .client = 3, .action = AQ_ACTION_DONE, .job = AQ_TEXT("Ab,Xy")};
    describes(worker, "[12.345678] worker 7 at client 3 > done Ab,Xy");
    worker.kind = AQ_SEEN_ANSWER;
    worker.outcome = AQ_OUTCOME_UNKNOWN;
    describes(worker, "[12.345678] worker 7 at client 3 < done unknown Ab,Xy");
    worker.kind = AQ_SEEN_ABANDONED;
    describes(worker, "[12.345678] worker 7 at client 3 gives up done Ab,Xy");
    struct aq_observation put = {
        .kind = AQ_SEEN_CALL, .is_producer = true, .client = 3, .action = AQ_ACTION_PUT};
    describes(put, "[12.345678] producer at client 3 > put");
    struct aq_observation o = {.server = 2, .client = 3, .address = 4, .fault = 5, .action = AQ_ACTION_GET};
    o.kind = AQ_SEEN_CHOICE;
    describes(o, "[12.345678] client 3 chooses server 2 for get");
    o.kind = AQ_SEEN_SEND;
    describes(o, "[12.345678] client 3 -> address 4: get");
    o.kind = AQ_SEEN_TAP;
    o.tap = &tap;
    describes(o, "[12.345678] server 2: lease Xy in t");
    o.tap = NULL;
    static const struct {
        enum aq_seen_kind kind;
        const char *line;
    } others[] = {{AQ_SEEN_SERVER_UP, "[12.345678] server 2 up"},
                  {AQ_SEEN_SERVER_DOWN, "[12.345678] server 2 down"},
                  {AQ_SEEN_SERVER_STOPPED, "[12.345678] server 2 stopped"},
                  {AQ_SEEN_SERVER_RESUMED, "[12.345678] server 2 resumed"},
                  {AQ_SEEN_CLIENT_UP, "[12.345678] client 3 up"},
                  {AQ_SEEN_CLIENT_DOWN, "[12.345678] client 3 down"},
                  {AQ_SEEN_TOLD, "[12.345678] client 3 is told to leave address 4"},
                  {AQ_SEEN_FAULT, "[12.345678] fault 5 begins"},
                  {AQ_SEEN_FAULT_END, "[12.345678] fault 5 ends"},
                  {AQ_SEEN_HEALED, "[12.345678] load ends, faults are healed"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        o.kind = others[i].kind;
        describes(o, others[i].line);
    }
}

static int keep_line(void *arg, aq_time_us at_us, const char *text) {
    strcpy(arg, text);
    return at_us == 5 ? 0 : AQ_EIO;
}

static void lines_are_told_as_they_come_and_an_error_of_the_listener_goes_up(void **state) {
    (void)state;
    char line[200] = "";
    aq_trace_init(&trace);
    trace.line = keep_line;
    trace.line_arg = line;
    struct aq_observation seen = {.at_us = 5, .kind = AQ_SEEN_CLIENT_UP, .client = 9};
    assert_int_equal(aq_trace_observation(&trace, &seen), 0);
    assert_string_equal(line, "[0.000005] client 9 up");
    uint64_t hash = aq_trace_hash(&trace);
    assert_int_equal(hash, hash_of(&seen)); /* listening changes nothing */
    aq_trace_init(&trace);
    trace.line = keep_line;
    trace.line_arg = line;
    seen.at_us = 6;
    assert_int_equal(aq_trace_observation(&trace, &seen), AQ_EIO);
}

/* A trace of so many records, its checkpoints in *out. */
static uint64_t trace_of(uint64_t records, uint64_t changed, struct aq_trace *out) {
    aq_trace_init(out);
    for (uint64_t i = 0; i < records; i++)
        aq_trace_add(out, (struct aq_trace_record){i, 1, 0, 0, i == changed, 0});
    return aq_trace_hash(out);
}

static void checkpoints_are_spread_evenly_over_a_trace_of_any_length(void **state) {
    (void)state;
    static const uint64_t blocks[] = {1, 100, 256, 257, 258, 1000, 5000, 12345};
    struct aq_trace seen;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        trace_of(blocks[i] * AQ_TRACE_BLOCK + 17, UINT64_MAX, &seen);
        uint64_t distance = seen.checkpoints[0].steps;
        assert_true(seen.checkpoint_count <= AQ_TRACE_CHECKPOINTS);
        assert_true(seen.checkpoint_count >= AQ_TRACE_CHECKPOINTS / 2 || distance == AQ_TRACE_BLOCK);
        for (uint32_t k = 0; k < seen.checkpoint_count; k++) {
            assert_int_equal(seen.checkpoints[k].steps, (k + 1) * distance);
            assert_int_equal(seen.checkpoints[k].at_us, (k + 1) * distance - 1);
        }
        assert_true(blocks[i] * AQ_TRACE_BLOCK - seen.checkpoint_count * distance < distance);
    }
}

static void checkpoints_differ_from_the_first_difference_on_and_not_before(void **state) {
    (void)state;
    struct aq_trace a, b;
    assert_int_not_equal(trace_of(100000, UINT64_MAX, &a), trace_of(100000, 60000, &b));
    assert_int_equal(a.checkpoint_count, b.checkpoint_count);
    for (uint32_t i = 0; i < a.checkpoint_count; i++)
        assert_int_equal(a.checkpoints[i].hash == b.checkpoints[i].hash, a.checkpoints[i].steps <= 60000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_depends_on_every_field_of_a_record),
        cmocka_unit_test(the_hash_depends_on_every_fact_of_an_observation),
        cmocka_unit_test(the_hash_depends_on_every_fact_of_a_tap),
        cmocka_unit_test(order_matters_within_a_block_and_across_blocks),
        cmocka_unit_test(an_event_more_changes_the_hash),
        cmocka_unit_test(every_kind_of_observation_has_its_line),
        cmocka_unit_test(lines_are_told_as_they_come_and_an_error_of_the_listener_goes_up),
        cmocka_unit_test(checkpoints_are_spread_evenly_over_a_trace_of_any_length),
        cmocka_unit_test(checkpoints_differ_from_the_first_difference_on_and_not_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
