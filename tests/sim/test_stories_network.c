/* Stories: what jobs, workers and clients go through when the network fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/story.h"

/* Sent at 0.204, again after 200, 400 and 800 ms; the partition ends at 1.190. */
static void what_a_partition_holds_back_is_sent_again_until_it_passes(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=1500ms", "faults=[{'kind': 'partition', 'at': '190ms', 'for': '1s'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.109000] server 0: put J1 in default",
            "[0.110000] producer at client 0 < put ok S0,J1",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.190000] fault 0 begins",
            "[0.190000] server 0 stopped",
            "[0.204000] worker 0 at client 0 > done S0,J1",
            "[0.204000] client 0 -> address 0: done J1",
            "[1.190000] server 0 resumed",
            "[1.190000] fault 0 ends",
            "[1.500000] load ends, faults are healed",
            "[1.607000] server 0: done J1 in default",
            "[1.608000] worker 0 at client 0 < done ok S0,J1",
            "[1.608000] worker 0 at client 0 > get",
            "[1.608000] client 0 chooses server 0 for get",
            "[1.608000] client 0 -> address 0: get",
            "[1.611000] server 0: empty in default",
            "[1.612000] worker 0 at client 0 < get ok no job",
        }});
}

static void a_one_way_partition_lets_the_request_pass_and_holds_the_reply_back(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=600ms",
             "faults=[{'kind': 'partition', 'at': '190ms', 'for': '300ms', 'direction': 'to_client'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.109000] server 0: put J1 in default",
            "[0.110000] producer at client 0 < put ok S0,J1",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.190000] fault 0 begins",
            "[0.190000] server 0 stopped",
            "[0.204000] worker 0 at client 0 > done S0,J1",
            "[0.204000] client 0 -> address 0: done J1",
            "[0.207000] server 0: done J1 in default",
            "[0.490000] server 0 resumed",
            "[0.490000] fault 0 ends",
            "[0.600000] load ends, faults are healed",
            "[0.808000] worker 0 at client 0 < done ok S0,J1",
            "[0.808000] worker 0 at client 0 > get",
            "[0.808000] client 0 chooses server 0 for get",
            "[0.808000] client 0 -> address 0: get",
            "[0.811000] server 0: empty in default",
            "[0.812000] worker 0 at client 0 < get ok no job",
        }});
}

/* The request had arrived and is served; its sender learns of the reset and asks again. */
static void a_reset_cuts_off_the_reply_to_a_done_that_is_applied(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"servers.service={'default': '20ms'}", "faults=[{'kind': 'reset', 'at': '230ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.127000] server 0: put J1 in default",
            "[0.128000] producer at client 0 < put ok S0,J1",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.171000] server 0: lease J1 in default",
            "[0.172000] worker 0 at client 0 < get ok S0,J1",
            "[0.222000] worker 0 at client 0 > done S0,J1",
            "[0.222000] client 0 -> address 0: done J1",
            "[0.230000] fault 0 begins",
            "[0.230000] fault 0 ends",
            "[0.243000] server 0: done J1 in default",
            "[0.792518] client 0 -> address 0: ping",
            "[0.814518] client 0 -> address 0: done J1",
            "[0.835518] server 0: missed J1",
            "[0.836518] worker 0 at client 0 < done unknown S0,J1",
            "[0.836518] worker 0 at client 0 > get",
            "[0.836518] client 0 chooses server 0 for get",
            "[0.836518] client 0 -> address 0: get",
            "[0.857518] server 0: empty in default",
            "[0.858518] worker 0 at client 0 < get ok no job",
            "[1.000000] load ends, faults are healed",
        }});
}

static void a_half_open_connection_shows_when_it_is_used(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"duration=700ms", "faults=[{'kind': 'half_open', 'at': '170ms'}]"},
                        .lines = {
                            "[0.000000] server 0 up",
                            "[0.000000] client 0 up",
                            "[0.100000] producer at client 0 > put",
                            "[0.100000] client 0 chooses server 0 for put",
                            "[0.106000] client 0 -> address 0: put",
                            "[0.109000] server 0: put J1 in default",
                            "[0.110000] producer at client 0 < put ok S0,J1",
                            "[0.150000] worker 0 at client 0 > get",
                            "[0.150000] client 0 chooses server 0 for get",
                            "[0.150000] client 0 -> address 0: get",
                            "[0.153000] server 0: lease J1 in default",
                            "[0.154000] worker 0 at client 0 < get ok S0,J1",
                            "[0.170000] fault 0 begins",
                            "[0.170000] fault 0 ends",
                            "[0.204000] worker 0 at client 0 > done S0,J1",
                            "[0.204000] client 0 -> address 0: done J1",
                            "[0.700000] load ends, faults are healed",
                            "[0.767518] client 0 -> address 0: ping",
                            "[0.771518] client 0 -> address 0: done J1",
                            "[0.774518] server 0: done J1 in default",
                            "[0.775518] worker 0 at client 0 < done ok S0,J1",
                            "[0.775518] worker 0 at client 0 > get",
                            "[0.775518] client 0 chooses server 0 for get",
                            "[0.775518] client 0 -> address 0: get",
                            "[0.778518] server 0: empty in default",
                            "[0.779518] worker 0 at client 0 < get ok no job",
                        }});
}

static void a_refused_connection_means_that_nothing_was_sent(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"duration=500ms", "workers.start=500ms",
                                             "producers.arrivals={'constant': '5/s'}", "producers.jobs=2",
                                             "faults=[{'kind': 'refused', 'at': '50ms', 'for': '250ms'}]"},
                                .lines = {
                                    "[0.000000] server 0 up",
                                    "[0.000000] client 0 up",
                                    "[0.050000] fault 0 begins",
                                    "[0.200000] producer at client 0 > put",
                                    "[0.200000] client 0 chooses server 0 for put",
                                    "[0.206000] producer at client 0 < put unavailable",
                                    "[0.300000] fault 0 ends",
                                    "[0.400000] producer at client 0 > put",
                                    "[0.400000] client 0 chooses server 0 for put",
                                    "[0.406000] client 0 -> address 0: put",
                                    "[0.409000] server 0: put J1 in default",
                                    "[0.410000] producer at client 0 < put ok S0,J1",
                                    "[0.500000] load ends, faults are healed",
                                    "[0.500000] worker 0 at client 0 > get",
                                    "[0.500000] client 0 chooses server 0 for get",
                                    "[0.500000] client 0 -> address 0: get",
                                    "[0.503000] server 0: lease J1 in default",
                                    "[0.504000] worker 0 at client 0 < get ok S0,J1",
                                    "[0.554000] worker 0 at client 0 > done S0,J1",
                                    "[0.554000] client 0 -> address 0: done J1",
                                    "[0.557000] server 0: done J1 in default",
                                    "[0.558000] worker 0 at client 0 < done ok S0,J1",
                                    "[0.558000] worker 0 at client 0 > get",
                                    "[0.558000] client 0 chooses server 0 for get",
                                    "[0.558000] client 0 -> address 0: get",
                                    "[0.561000] server 0: empty in default",
                                    "[0.562000] worker 0 at client 0 < get ok no job",
                                }});
}

/* The reply to the put is slow; that to the get, sent later without delay, comes right behind it. */
static void added_latency_keeps_the_order_of_messages(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=300ms", "workers.start=112ms",
             "faults=[{'kind': 'latency', 'at': '105ms', 'for': '5ms', 'direction': 'to_client', 'delay': '100ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.105000] fault 0 begins",
            "[0.106000] client 0 -> address 0: put",
            "[0.109000] server 0: put J1 in default",
            "[0.110000] fault 0 ends",
            "[0.112000] worker 0 at client 0 > get",
            "[0.112000] client 0 chooses server 0 for get",
            "[0.112000] client 0 -> address 0: get",
            "[0.115000] server 0: lease J1 in default",
            "[0.210000] producer at client 0 < put ok S0,J1",
            "[0.210000] worker 0 at client 0 < get ok S0,J1",
            "[0.260000] worker 0 at client 0 > done S0,J1",
            "[0.260000] client 0 -> address 0: done J1",
            "[0.263000] server 0: done J1 in default",
            "[0.264000] worker 0 at client 0 < done ok S0,J1",
            "[0.264000] worker 0 at client 0 > get",
            "[0.264000] client 0 chooses server 0 for get",
            "[0.264000] client 0 -> address 0: get",
            "[0.267000] server 0: empty in default",
            "[0.268000] worker 0 at client 0 < get ok no job",
            "[0.300000] load ends, faults are healed",
        }});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_partition_holds_back_is_sent_again_until_it_passes),
        cmocka_unit_test(a_one_way_partition_lets_the_request_pass_and_holds_the_reply_back),
        cmocka_unit_test(a_reset_cuts_off_the_reply_to_a_done_that_is_applied),
        cmocka_unit_test(a_half_open_connection_shows_when_it_is_used),
        cmocka_unit_test(a_refused_connection_means_that_nothing_was_sent),
        cmocka_unit_test(added_latency_keeps_the_order_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
