/* Stories: what happens when workers and clients fail or hurry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/story.h"

static void a_lease_outlives_the_client_process_and_the_next_one_completes_the_job(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"duration=700ms", "workers.process=500ms",
                                     "faults=[{'kind': 'client_crash', 'at': '300ms', 'for': '100ms'}]"},
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
                            "[0.300000] fault 0 begins",
                            "[0.300000] client 0 down",
                            "[0.400000] client 0 up",
                            "[0.400000] fault 0 ends",
                            "[0.654000] worker 0 at client 0 > done S0,J1",
                            "[0.660000] client 0 -> address 0: done J1",
                            "[0.663000] server 0: done J1 in default",
                            "[0.664000] worker 0 at client 0 < done ok S0,J1",
                            "[0.664000] worker 0 at client 0 > get",
                            "[0.664000] client 0 chooses server 0 for get",
                            "[0.664000] client 0 -> address 0: get",
                            "[0.667000] server 0: empty in default",
                            "[0.668000] worker 0 at client 0 < get ok no job",
                            "[0.700000] load ends, faults are healed",
                        }});
}

static void a_call_under_way_ends_with_the_client_process_and_the_worker_polls_again(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=500ms", "producers.jobs=0", "producers.arrivals=none", "workers.poll=200ms",
                     "faults=[{'kind': 'client_crash', 'at': '152ms', 'for': '100ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.152000] fault 0 begins",
            "[0.152000] client 0 down",
            "[0.152000] worker 0 at client 0 gives up get",
            "[0.252000] client 0 up",
            "[0.252000] fault 0 ends",
            "[0.352000] worker 0 at client 0 > get",
            "[0.352000] client 0 chooses server 0 for get",
            "[0.358000] client 0 -> address 0: get",
            "[0.361000] server 0: empty in default",
            "[0.362000] worker 0 at client 0 < get ok no job",
            "[0.500000] load ends, faults are healed",
        }});
}

static void the_job_of_a_dead_worker_comes_back_with_the_end_of_its_lease(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"duration=500ms", "producers.ttl=1s", "workers.process=500ms",
                                             "workers.poll=900ms", "workers.restart=200ms",
                                             "faults=[{'kind': 'worker_crash', 'at': '300ms'}]"},
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
                                    "[0.300000] fault 0 begins",
                                    "[0.300000] fault 0 ends",
                                    "[0.500000] load ends, faults are healed",
                                    "[0.500000] worker 0 at client 0 > get",
                                    "[0.500000] client 0 chooses server 0 for get",
                                    "[0.500000] client 0 -> address 0: get",
                                    "[0.503000] server 0: empty in default",
                                    "[0.504000] worker 0 at client 0 < get ok no job",
                                    "[1.153000] server 0: expired J1 in default",
                                    "[1.404000] worker 0 at client 0 > get",
                                    "[1.404000] client 0 chooses server 0 for get",
                                    "[1.404000] client 0 -> address 0: get",
                                    "[1.407000] server 0: lease J1 in default",
                                    "[1.408000] worker 0 at client 0 < get ok S0,J1",
                                    "[1.908000] worker 0 at client 0 > done S0,J1",
                                    "[1.908000] client 0 -> address 0: done J1",
                                    "[1.911000] server 0: done J1 in default",
                                    "[1.912000] worker 0 at client 0 < done ok S0,J1",
                                    "[1.912000] worker 0 at client 0 > get",
                                    "[1.912000] client 0 chooses server 0 for get",
                                    "[1.912000] client 0 -> address 0: get",
                                    "[1.915000] server 0: empty in default",
                                    "[1.916000] worker 0 at client 0 < get ok no job",
                                }});
}

static void a_worker_that_gives_up_a_get_leaves_a_lease_that_runs_out(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=600ms", "producers.ttl=1s", "workers.call_timeout=100ms", "workers.poll=900ms",
             "faults=[{'kind': 'latency', 'at': '120ms', 'for': '200ms', 'direction': 'to_client', 'delay': '150ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.109000] server 0: put J1 in default",
            "[0.110000] producer at client 0 < put ok S0,J1",
            "[0.120000] fault 0 begins",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.153000] server 0: lease J1 in default",
            "[0.250000] worker 0 at client 0 gives up get",
            "[0.320000] fault 0 ends",
            "[0.600000] load ends, faults are healed",
            "[1.150000] worker 0 at client 0 > get",
            "[1.150000] client 0 chooses server 0 for get",
            "[1.150000] client 0 -> address 0: get",
            "[1.153000] server 0: expired J1 in default",
            "[1.153000] server 0: lease J1 in default",
            "[1.154000] worker 0 at client 0 < get ok S0,J1",
            "[1.204000] worker 0 at client 0 > done S0,J1",
            "[1.204000] client 0 -> address 0: done J1",
            "[1.207000] server 0: done J1 in default",
            "[1.208000] worker 0 at client 0 < done ok S0,J1",
            "[1.208000] worker 0 at client 0 > get",
            "[1.208000] client 0 chooses server 0 for get",
            "[1.208000] client 0 -> address 0: get",
            "[1.211000] server 0: empty in default",
            "[1.212000] worker 0 at client 0 < get ok no job",
        }});
}

static void a_burst_puts_its_jobs_in_one_instant(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"duration=300ms", "producers.arrivals=none", "workers.count=2",
                                             "workers.start=210ms",
                                             "faults=[{'kind': 'burst', 'at': '200ms', 'count': 2}]"},
                                .lines = {
                                    "[0.000000] server 0 up",
                                    "[0.000000] client 0 up",
                                    "[0.200000] fault 0 begins",
                                    "[0.200000] producer at client 0 > put",
                                    "[0.200000] producer at client 0 > put",
                                    "[0.200000] fault 0 ends",
                                    "[0.200000] client 0 chooses server 0 for put",
                                    "[0.200000] client 0 chooses server 0 for put",
                                    "[0.206000] client 0 -> address 0: put",
                                    "[0.206000] client 0 -> address 0: put",
                                    "[0.209000] server 0: put J1 in default",
                                    "[0.210000] worker 0 at client 0 > get",
                                    "[0.210000] client 0 chooses server 0 for get",
                                    "[0.210000] client 0 -> address 0: get",
                                    "[0.210000] worker 1 at client 0 > get",
                                    "[0.210000] client 0 chooses server 0 for get",
                                    "[0.210000] client 0 -> address 0: get",
                                    "[0.210000] producer at client 0 < put ok S0,J1",
                                    "[0.211000] server 0: put J2 in default",
                                    "[0.212000] producer at client 0 < put ok S0,J2",
                                    "[0.213000] server 0: lease J1 in default",
                                    "[0.214000] worker 0 at client 0 < get ok S0,J1",
                                    "[0.215000] server 0: lease J2 in default",
                                    "[0.216000] worker 1 at client 0 < get ok S0,J2",
                                    "[0.264000] worker 0 at client 0 > done S0,J1",
                                    "[0.264000] client 0 -> address 0: done J1",
                                    "[0.266000] worker 1 at client 0 > done S0,J2",
                                    "[0.266000] client 0 -> address 0: done J2",
                                    "[0.267000] server 0: done J1 in default",
                                    "[0.268000] worker 0 at client 0 < done ok S0,J1",
                                    "[0.268000] worker 0 at client 0 > get",
                                    "[0.268000] client 0 chooses server 0 for get",
                                    "[0.268000] client 0 -> address 0: get",
                                    "[0.269000] server 0: done J2 in default",
                                    "[0.270000] worker 1 at client 0 < done ok S0,J2",
                                    "[0.270000] worker 1 at client 0 > get",
                                    "[0.270000] client 0 chooses server 0 for get",
                                    "[0.270000] client 0 -> address 0: get",
                                    "[0.271000] server 0: empty in default",
                                    "[0.272000] worker 0 at client 0 < get ok no job",
                                    "[0.273000] server 0: empty in default",
                                    "[0.274000] worker 1 at client 0 < get ok no job",
                                    "[0.300000] load ends, faults are healed",
                                }});
}

static void an_overrun_outlasts_the_lease_and_the_job_runs_twice(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=3s", "producers.ttl=1s", "workers.count=2", "workers.poll=1s",
             "faults=[{'kind': 'worker_overrun', 'workers': 0, 'at': '0', 'for': '1s', 'factor': 30}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.000000] fault 0 begins",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.109000] server 0: put J1 in default",
            "[0.110000] producer at client 0 < put ok S0,J1",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.150000] worker 1 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.150000] client 0 -> address 0: get",
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.155000] server 0: empty in default",
            "[0.156000] worker 1 at client 0 < get ok no job",
            "[1.000000] fault 0 ends",
            "[1.153000] server 0: expired J1 in default",
            "[1.156000] worker 1 at client 0 > get",
            "[1.156000] client 0 chooses server 0 for get",
            "[1.156000] client 0 -> address 0: get",
            "[1.159000] server 0: lease J1 in default",
            "[1.160000] worker 1 at client 0 < get ok S0,J1",
            "[1.210000] worker 1 at client 0 > done S0,J1",
            "[1.210000] client 0 -> address 0: done J1",
            "[1.213000] server 0: done J1 in default",
            "[1.214000] worker 1 at client 0 < done ok S0,J1",
            "[1.214000] worker 1 at client 0 > get",
            "[1.214000] client 0 chooses server 0 for get",
            "[1.214000] client 0 -> address 0: get",
            "[1.217000] server 0: empty in default",
            "[1.218000] worker 1 at client 0 < get ok no job",
            "[1.654000] worker 0 at client 0 > done S0,J1",
            "[1.654000] client 0 -> address 0: done J1",
            "[1.657000] server 0: missed J1",
            "[1.658000] worker 0 at client 0 < done refused S0,J1",
            "[1.658000] worker 0 at client 0 > get",
            "[1.658000] client 0 chooses server 0 for get",
            "[1.658000] client 0 -> address 0: get",
            "[1.661000] server 0: empty in default",
            "[1.662000] worker 0 at client 0 < get ok no job",
            "[2.218000] worker 1 at client 0 > get",
            "[2.218000] client 0 chooses server 0 for get",
            "[2.218000] client 0 -> address 0: get",
            "[2.221000] server 0: empty in default",
            "[2.222000] worker 1 at client 0 < get ok no job",
            "[2.662000] worker 0 at client 0 > get",
            "[2.662000] client 0 chooses server 0 for get",
            "[2.662000] client 0 -> address 0: get",
            "[2.665000] server 0: empty in default",
            "[2.666000] worker 0 at client 0 < get ok no job",
            "[3.000000] load ends, faults are healed",
        }});
}

static void a_touched_lease_starts_anew(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"duration=1900ms", "producers.ttl=1s", "workers.process=1600ms",
                                             "workers.touch_every=700ms"},
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
                                    "[0.854000] worker 0 at client 0 > touch S0,J1",
                                    "[0.854000] client 0 -> address 0: touch J1",
                                    "[0.857000] server 0: touched J1 in default",
                                    "[0.858000] worker 0 at client 0 < touch ok S0,J1",
                                    "[1.558000] worker 0 at client 0 > touch S0,J1",
                                    "[1.558000] client 0 -> address 0: touch J1",
                                    "[1.561000] server 0: touched J1 in default",
                                    "[1.562000] worker 0 at client 0 < touch ok S0,J1",
                                    "[1.754000] worker 0 at client 0 > done S0,J1",
                                    "[1.754000] client 0 -> address 0: done J1",
                                    "[1.757000] server 0: done J1 in default",
                                    "[1.758000] worker 0 at client 0 < done ok S0,J1",
                                    "[1.758000] worker 0 at client 0 > get",
                                    "[1.758000] client 0 chooses server 0 for get",
                                    "[1.758000] client 0 -> address 0: get",
                                    "[1.761000] server 0: empty in default",
                                    "[1.762000] worker 0 at client 0 < get ok no job",
                                    "[1.900000] load ends, faults are healed",
                                }});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_outlives_the_client_process_and_the_next_one_completes_the_job),
        cmocka_unit_test(a_call_under_way_ends_with_the_client_process_and_the_worker_polls_again),
        cmocka_unit_test(the_job_of_a_dead_worker_comes_back_with_the_end_of_its_lease),
        cmocka_unit_test(a_worker_that_gives_up_a_get_leaves_a_lease_that_runs_out),
        cmocka_unit_test(a_burst_puts_its_jobs_in_one_instant),
        cmocka_unit_test(an_overrun_outlasts_the_lease_and_the_job_runs_twice),
        cmocka_unit_test(a_touched_lease_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
