/* The table of a fake server's peers: found again by their bytes, forgotten when idle for longest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/transport_peers.h"

static struct aq_peers peers;

static int set_up(void **state) {
    (void)state;
    aq_peers_init(&peers);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    aq_peers_close(&peers);
    return 0;
}

/* A peer with this route of two characters. */
static uint32_t open_peer(uint32_t n, bool expect_made) {
    char bytes[4];
    uint32_t peer;
    bool made;
    snprintf(bytes, sizeof bytes, "%c%02u", AQ_ENVELOPE_PLAIN, n);
    assert_int_equal(aq_peers_open(&peers, (struct aq_text){bytes, 3}, 2, &peer, &made), 0);
    assert_int_equal(made, expect_made);
    const struct aq_peer *found = aq_peers_at(&peers, peer);
    assert_non_null(found);
    assert_int_equal(aq_peer_envelope(found), AQ_ENVELOPE_PLAIN);
    assert_memory_equal(aq_peer_route(found).at, bytes + 1, 2);
    assert_int_equal(aq_peer_frames(found).len, 0);
    return peer;
}

static void a_peer_keeps_its_number_while_it_is_remembered(void **state) {
    (void)state;
    uint32_t a = open_peer(1, true), b = open_peer(2, true);
    assert_int_not_equal(a, b);
    assert_int_equal(open_peer(1, false), a);
    aq_peers_finished(&peers, a, 10);
    aq_peers_finished(&peers, a, 10);
    aq_peers_finished(&peers, b, 10);
    assert_int_equal(open_peer(1, false), a);
    assert_int_equal(open_peer(2, false), b);
    assert_int_equal(peers.used, 2);
    assert_int_equal(peers.idle, 0);
}

static void the_same_bytes_split_otherwise_are_another_peer(void **state) {
    (void)state;
    uint32_t a, b;
    bool made;
    assert_int_equal(aq_peers_open(&peers, AQ_TEXT("\2abc"), 1, &a, &made), 0);
    assert_int_equal(aq_peers_open(&peers, AQ_TEXT("\2abc"), 3, &b, &made), 0);
    assert_true(made);
    assert_int_not_equal(a, b);
    aq_peers_finished(&peers, a, 0); /* both have the same hash: the one goes, the other stays */
    assert_null(aq_peers_at(&peers, a));
    assert_int_equal(aq_peers_open(&peers, AQ_TEXT("\2abc"), 3, &a, &made), 0);
    assert_false(made);
    assert_int_equal(a, b);
    assert_int_equal(aq_peers_open(&peers, AQ_TEXT("\2abc"), 1, &a, &made), 0);
    assert_true(made); /* and now the first of the two goes, and the other is still found */
    aq_peers_finished(&peers, a, 0);
    assert_int_equal(aq_peers_open(&peers, AQ_TEXT("\2abc"), 3, &a, &made), 0);
    assert_false(made);
    assert_int_equal(a, b);
    for (int i = 0; i < 3; i++)
        aq_peers_finished(&peers, b, 0);
    assert_int_equal(peers.used, 0);
    assert_int_equal(peers.by_hash.count, 0);
}

static void the_peer_idle_for_longest_is_forgotten_first(void **state) {
    (void)state;
    uint32_t numbers[4];
    for (uint32_t i = 0; i < 4; i++)
        numbers[i] = open_peer(i, true);
    for (uint32_t i = 0; i < 3; i++)
        aq_peers_finished(&peers, numbers[i], 3);
    open_peer(0, false); /* busy again, then idle for the shortest time */
    aq_peers_finished(&peers, numbers[0], 3);
    aq_peers_finished(&peers, numbers[3], 3);
    assert_int_equal(peers.used, 3);
    assert_null(aq_peers_at(&peers, numbers[1]));
    open_peer(2, false);
    open_peer(0, false);
    open_peer(3, false);
    assert_int_equal(open_peer(1, true), numbers[1]); /* a free number is used again */
    assert_int_equal(peers.count, 4);
}

static void busy_peers_are_never_forgotten(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 90; i++)
        open_peer(i, true);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < 90; i += 2)
            aq_peers_finished(&peers, open_peer(i, false), 0);
    assert_int_equal(peers.used, 90);
}

static void a_peer_that_finds_no_memory_changes_nothing(void **state) {
    (void)state;
    uint32_t peer;
    bool made;
    int rc = AQ_ENOMEM;
    open_peer(1, true);
    for (uint32_t i = 2; i < 90; i++) {
        uint64_t skip = 0;
        char bytes[4];
        snprintf(bytes, sizeof bytes, "%c%02u", AQ_ENVELOPE_PLAIN, i);
        do {
            aq_alloc_fail_after(skip++);
            rc = aq_peers_open(&peers, (struct aq_text){bytes, 3}, 2, &peer, &made);
            aq_alloc_fail_after(UINT64_MAX);
            assert_int_equal(peers.used, rc ? i - 1 : i);
        } while (rc == AQ_ENOMEM);
        assert_int_equal(rc, 0);
    }
    open_peer(1, false);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_peer_keeps_its_number_while_it_is_remembered),
        TEST(the_same_bytes_split_otherwise_are_another_peer),
        TEST(the_peer_idle_for_longest_is_forgotten_first),
        TEST(busy_peers_are_never_forgotten),
        TEST(a_peer_that_finds_no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
