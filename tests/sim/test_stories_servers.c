/* Stories: what jobs, workers and clients go through when a server fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/story.h"

/* A get before the put finds nothing, and so does one after the done. */
static void a_job_is_put_taken_and_done(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"duration=300ms", "workers.start=100ms", "workers.poll=100ms"},
                                .lines = {
                                    "[0.000000] server 0 up",
                                    "[0.000000] client 0 up",
                                    "[0.100000] worker 0 at client 0 > get",
                                    "[0.100000] client 0 chooses server 0 for get",
                                    "[0.100000] producer at client 0 > put",
                                    "[0.100000] client 0 chooses server 0 for put",
                                    "[0.106000] client 0 -> address 0: get",
                                    "[0.106000] client 0 -> address 0: put",
                                    "[0.109000] server 0: empty in default",
                                    "[0.110000] worker 0 at client 0 < get ok no job",
                                    "[0.111000] server 0: put J1 in default",
                                    "[0.112000] producer at client 0 < put ok S0,J1",
                                    "[0.210000] worker 0 at client 0 > get",
                                    "[0.210000] client 0 chooses server 0 for get",
                                    "[0.210000] client 0 -> address 0: get",
                                    "[0.213000] server 0: lease J1 in default",
                                    "[0.214000] worker 0 at client 0 < get ok S0,J1",
                                    "[0.264000] worker 0 at client 0 > done S0,J1",
                                    "[0.264000] client 0 -> address 0: done J1",
                                    "[0.267000] server 0: done J1 in default",
                                    "[0.268000] worker 0 at client 0 < done ok S0,J1",
                                    "[0.268000] worker 0 at client 0 > get",
                                    "[0.268000] client 0 chooses server 0 for get",
                                    "[0.268000] client 0 -> address 0: get",
                                    "[0.271000] server 0: empty in default",
                                    "[0.272000] worker 0 at client 0 < get ok no job",
                                    "[0.300000] load ends, faults are healed",
                                }});
}

static void a_late_completion_for_a_job_lost_with_its_server_is_refused(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"workers.process=800ms", "faults=[{'kind': 'crash', 'at': '300ms', 'for': '200ms'}]"},
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
            "[0.300000] server 0 down",
            "[0.300000] server 0 lost a job with its memory: J1",
            "[0.500000] fault 0 ends",
            "[0.600000] server 0 up",
            "[0.862518] client 0 -> address 0: ping",
            "[0.954000] worker 0 at client 0 > done S0,J1",
            "[0.954000] client 0 -> address 0: done J1",
            "[0.957000] server 0: missed J1",
            "[0.958000] worker 0 at client 0 < done refused S0,J1",
            "[0.958000] worker 0 at client 0 > get",
            "[0.958000] client 0 chooses server 0 for get",
            "[0.958000] client 0 -> address 0: get",
            "[0.961000] server 0: empty in default",
            "[0.962000] worker 0 at client 0 < get ok no job",
            "[1.000000] load ends, faults are healed",
        }});
}

/* The write takes 20 ms; the server dies as soon as it has applied the put. */
static void a_crash_between_applying_and_saving_loses_what_was_never_acknowledged(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"servers.persistent=true", "servers.persist=20ms", "workers.start=900ms",
                                     "faults=[{'kind': 'crash', 'on': 'put', 'for': '300ms'}]"},
                        .lines = {
                            "[0.000000] server 0 up",
                            "[0.000000] client 0 up",
                            "[0.100000] producer at client 0 > put",
                            "[0.100000] client 0 chooses server 0 for put",
                            "[0.106000] client 0 -> address 0: put",
                            "[0.109000] server 0: put J1 in default",
                            "[0.109000] fault 0 begins",
                            "[0.109000] server 0 down",
                            "[0.109000] server 0 lost a job with its memory: J1",
                            "[0.110000] producer at client 0 < put unknown",
                            "[0.409000] fault 0 ends",
                            "[0.509000] server 0 up",
                            "[0.520649] client 0 -> address 0: ping",
                            "[0.900000] worker 0 at client 0 > get",
                            "[0.900000] client 0 chooses server 0 for get",
                            "[0.900000] client 0 -> address 0: get",
                            "[0.903000] server 0: empty in default",
                            "[0.904000] worker 0 at client 0 < get ok no job",
                            "[1.000000] load ends, faults are healed",
                        }});
}

static void a_saved_lease_outlives_a_crash_and_its_holder_completes_the_job(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"servers.persistent=true", "servers.persist=20ms",
                                             "workers.process=600ms",
                                             "faults=[{'kind': 'crash', 'at': '300ms', 'for': '200ms'}]"},
                                .lines = {
                                    "[0.000000] server 0 up",
                                    "[0.000000] client 0 up",
                                    "[0.100000] producer at client 0 > put",
                                    "[0.100000] client 0 chooses server 0 for put",
                                    "[0.106000] client 0 -> address 0: put",
                                    "[0.109000] server 0: put J1 in default",
                                    "[0.130000] producer at client 0 < put ok S0,J1",
                                    "[0.150000] worker 0 at client 0 > get",
                                    "[0.150000] client 0 chooses server 0 for get",
                                    "[0.150000] client 0 -> address 0: get",
                                    "[0.153000] server 0: lease J1 in default",
                                    "[0.174000] worker 0 at client 0 < get ok S0,J1",
                                    "[0.300000] fault 0 begins",
                                    "[0.300000] server 0 down",
                                    "[0.500000] fault 0 ends",
                                    "[0.600000] server 0 up",
                                    "[0.600000] server 0: restored J1 in default",
                                    "[0.774000] worker 0 at client 0 > done S0,J1",
                                    "[0.862518] client 0 -> address 0: ping",
                                    "[0.866518] client 0 -> address 0: done J1",
                                    "[0.869518] server 0: done J1 in default",
                                    "[0.890518] worker 0 at client 0 < done ok S0,J1",
                                    "[0.890518] worker 0 at client 0 > get",
                                    "[0.890518] client 0 chooses server 0 for get",
                                    "[0.890518] client 0 -> address 0: get",
                                    "[0.893518] server 0: empty in default",
                                    "[0.894518] worker 0 at client 0 < get ok no job",
                                    "[1.000000] load ends, faults are healed",
                                }});
}

/* The kernel of a paused process accepts the connection, but the handshake ends only when it wakes up. */
static void what_piled_up_during_a_pause_is_served_afterwards(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=400ms", "faults=[{'kind': 'pause', 'at': '50ms', 'for': '200ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.050000] fault 0 begins",
            "[0.050000] server 0 stopped",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.150000] worker 0 at client 0 > get",
            "[0.150000] client 0 chooses server 0 for get",
            "[0.250000] server 0 resumed",
            "[0.250000] fault 0 ends",
            "[0.251000] client 0 -> address 0: put",
            "[0.251000] client 0 -> address 0: get",
            "[0.254000] server 0: put J1 in default",
            "[0.255000] producer at client 0 < put ok S0,J1",
            "[0.256000] server 0: lease J1 in default",
            "[0.257000] worker 0 at client 0 < get ok S0,J1",
            "[0.307000] worker 0 at client 0 > done S0,J1",
            "[0.307000] client 0 -> address 0: done J1",
            "[0.310000] server 0: done J1 in default",
            "[0.311000] worker 0 at client 0 < done ok S0,J1",
            "[0.311000] worker 0 at client 0 > get",
            "[0.311000] client 0 chooses server 0 for get",
            "[0.311000] client 0 -> address 0: get",
            "[0.314000] server 0: empty in default",
            "[0.315000] worker 0 at client 0 < get ok no job",
            "[0.400000] load ends, faults are healed",
        }});
}

/* The put waits in its queue and is never applied, although service takes no time. */
static void a_server_killed_while_paused_does_nothing_more(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=900ms", "servers.service={'default': '0'}", "producers.jobs=2", "workers.start=800ms",
             "faults=[{'kind': 'pause', 'at': '150ms', 'for': '500ms'}, {'kind': 'crash', 'at': '400ms', 'for': '100ms'}]"},
        .lines = {
            "[0.000000] server 0 up",
            "[0.000000] client 0 up",
            "[0.100000] producer at client 0 > put",
            "[0.100000] client 0 chooses server 0 for put",
            "[0.106000] client 0 -> address 0: put",
            "[0.107000] server 0: put J1 in default",
            "[0.108000] producer at client 0 < put ok S0,J1",
            "[0.150000] fault 0 begins",
            "[0.150000] server 0 stopped",
            "[0.200000] producer at client 0 > put",
            "[0.200000] client 0 chooses server 0 for put",
            "[0.200000] client 0 -> address 0: put",
            "[0.400000] fault 1 begins",
            "[0.400000] server 0 down",
            "[0.400000] server 0 lost a job with its memory: J1",
            "[0.401000] producer at client 0 < put unknown",
            "[0.500000] fault 1 ends",
            "[0.600000] server 0 up",
            "[0.650000] fault 0 ends",
            "[0.800000] worker 0 at client 0 > get",
            "[0.800000] client 0 chooses server 0 for get",
            "[0.806000] client 0 -> address 0: get",
            "[0.807000] server 0: empty in default",
            "[0.808000] worker 0 at client 0 < get ok no job",
            "[0.900000] load ends, faults are healed",
        }});
}

static void a_slow_server_takes_a_multiple_of_its_time(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"duration=300ms",
                                     "faults=[{'kind': 'slow', 'at': '190ms', 'for': '70ms', 'factor': 20}]"},
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
                            "[0.204000] worker 0 at client 0 > done S0,J1",
                            "[0.204000] client 0 -> address 0: done J1",
                            "[0.245000] server 0: done J1 in default",
                            "[0.246000] worker 0 at client 0 < done ok S0,J1",
                            "[0.246000] worker 0 at client 0 > get",
                            "[0.246000] client 0 chooses server 0 for get",
                            "[0.246000] client 0 -> address 0: get",
                            "[0.260000] fault 0 ends",
                            "[0.287000] server 0: empty in default",
                            "[0.288000] worker 0 at client 0 < get ok no job",
                            "[0.300000] load ends, faults are healed",
                        }});
}

/* The second one finds the job gone, which may be due to the first one or not. */
static void a_done_whose_reply_is_lost_is_sent_again_and_its_outcome_is_unknown(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=6s",
                     "faults=[{'kind': 'drop_reply', 'actions': ['done'], 'nth': 1, 'at': '0'}]"},
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
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.204000] worker 0 at client 0 > done S0,J1",
            "[0.204000] client 0 -> address 0: done J1",
            "[0.207000] server 0: done J1 in default",
            "[5.765518] client 0 -> address 0: ping",
            "[5.769518] client 0 -> address 0: done J1",
            "[5.772518] server 0: missed J1",
            "[5.773518] worker 0 at client 0 < done unknown S0,J1",
            "[5.773518] worker 0 at client 0 > get",
            "[5.773518] client 0 chooses server 0 for get",
            "[5.773518] client 0 -> address 0: get",
            "[5.776518] server 0: empty in default",
            "[5.777518] worker 0 at client 0 < get ok no job",
            "[6.000000] fault 0 ends",
            "[6.000000] load ends, faults are healed",
        }});
}

static void a_done_that_is_lost_on_its_way_leaves_the_job_to_the_end_of_its_lease(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=6s",
                     "faults=[{'kind': 'drop_request', 'actions': ['done'], 'nth': 1, 'at': '0'}]"},
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
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.204000] worker 0 at client 0 > done S0,J1",
            "[0.204000] client 0 -> address 0: done J1",
            "[5.153000] server 0: expired J1 in default",
            "[5.765518] client 0 -> address 0: ping",
            "[5.769518] client 0 -> address 0: done J1",
            "[5.772518] server 0: missed J1 in default",
            "[5.773518] worker 0 at client 0 < done unknown S0,J1",
            "[5.773518] worker 0 at client 0 > get",
            "[5.773518] client 0 chooses server 0 for get",
            "[5.773518] client 0 -> address 0: get",
            "[5.776518] server 0: lease J1 in default",
            "[5.777518] worker 0 at client 0 < get ok S0,J1",
            "[5.827518] worker 0 at client 0 > done S0,J1",
            "[5.827518] client 0 -> address 0: done J1",
            "[5.830518] server 0: done J1 in default",
            "[5.831518] worker 0 at client 0 < done ok S0,J1",
            "[5.831518] worker 0 at client 0 > get",
            "[5.831518] client 0 chooses server 0 for get",
            "[5.831518] client 0 -> address 0: get",
            "[5.834518] server 0: empty in default",
            "[5.835518] worker 0 at client 0 < get ok no job",
            "[6.000000] fault 0 ends",
            "[6.000000] load ends, faults are healed",
        }});
}

static void a_second_copy_of_a_reply_changes_nothing(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"duration=300ms",
                                     "faults=[{'kind': 'duplicate_reply', 'actions': ['done'], 'at': '0'}]"},
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
                            "[0.153000] server 0: lease J1 in default",
                            "[0.154000] worker 0 at client 0 < get ok S0,J1",
                            "[0.204000] worker 0 at client 0 > done S0,J1",
                            "[0.204000] client 0 -> address 0: done J1",
                            "[0.207000] server 0: done J1 in default",
                            "[0.208000] worker 0 at client 0 < done ok S0,J1",
                            "[0.208000] worker 0 at client 0 > get",
                            "[0.208000] client 0 chooses server 0 for get",
                            "[0.208000] client 0 -> address 0: get",
                            "[0.211000] server 0: empty in default",
                            "[0.212000] worker 0 at client 0 < get ok no job",
                            "[0.300000] fault 0 ends",
                            "[0.300000] load ends, faults are healed",
                        }});
}

/* The job comes back when its lease ends. */
static void an_error_reply_means_that_nothing_was_applied(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings =
            {"duration=400ms", "producers.ttl=2s",
             "faults=[{'kind': 'error_reply', 'actions': ['done'], 'error': 'no such luck', 'at': '0'}]"},
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
            "[0.153000] server 0: lease J1 in default",
            "[0.154000] worker 0 at client 0 < get ok S0,J1",
            "[0.204000] worker 0 at client 0 > done S0,J1",
            "[0.204000] client 0 -> address 0: done J1",
            "[0.207000] server 0: failed J1",
            "[0.208000] worker 0 at client 0 < done refused S0,J1",
            "[0.208000] worker 0 at client 0 > get",
            "[0.208000] client 0 chooses server 0 for get",
            "[0.208000] client 0 -> address 0: get",
            "[0.211000] server 0: empty in default",
            "[0.212000] worker 0 at client 0 < get ok no job",
            "[0.400000] fault 0 ends",
            "[0.400000] load ends, faults are healed",
            "[2.153000] server 0: expired J1 in default",
            "[10.212000] worker 0 at client 0 > get",
            "[10.212000] client 0 chooses server 0 for get",
            "[10.212000] client 0 -> address 0: get",
            "[10.215000] server 0: lease J1 in default",
            "[10.216000] worker 0 at client 0 < get ok S0,J1",
            "[10.266000] worker 0 at client 0 > done S0,J1",
            "[10.266000] client 0 -> address 0: done J1",
            "[10.269000] server 0: done J1 in default",
            "[10.270000] worker 0 at client 0 < done ok S0,J1",
            "[10.270000] worker 0 at client 0 > get",
            "[10.270000] client 0 chooses server 0 for get",
            "[10.270000] client 0 -> address 0: get",
            "[10.273000] server 0: empty in default",
            "[10.274000] worker 0 at client 0 < get ok no job",
        }});
}

static void a_clock_that_jumps_ahead_ends_leases_early(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"duration=900ms", "workers.process=700ms",
                     "faults=[{'kind': 'clock_jump', 'at': '500ms', 'for': '100ms', 'jump': '10s'}]"},
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
            "[0.500000] fault 0 begins",
            "[0.500000] server 0: expired J1 in default",
            "[0.600000] fault 0 ends",
            "[0.854000] worker 0 at client 0 > done S0,J1",
            "[0.854000] client 0 -> address 0: done J1",
            "[0.857000] server 0: missed J1 in default",
            "[0.858000] worker 0 at client 0 < done refused S0,J1",
            "[0.858000] worker 0 at client 0 > get",
            "[0.858000] client 0 chooses server 0 for get",
            "[0.858000] client 0 -> address 0: get",
            "[0.861000] server 0: lease J1 in default",
            "[0.862000] worker 0 at client 0 < get ok S0,J1",
            "[0.900000] load ends, faults are healed",
            "[1.562000] worker 0 at client 0 > done S0,J1",
            "[1.562000] client 0 -> address 0: done J1",
            "[1.565000] server 0: done J1 in default",
            "[1.566000] worker 0 at client 0 < done ok S0,J1",
            "[1.566000] worker 0 at client 0 > get",
            "[1.566000] client 0 chooses server 0 for get",
            "[1.566000] client 0 -> address 0: get",
            "[1.569000] server 0: empty in default",
            "[1.570000] worker 0 at client 0 < get ok no job",
        }});
}

/* The client of the public release waits without a limit, and its connection does not recover: all that
 * follows hangs as well. */
static void a_request_under_way_at_a_crash_hangs_for_good_upstream(void **state) {
    (void)state;
    story_holds(&(struct story){.settings = {"clients.profile=upstream", "duration=600ms", "settle=1s",
                                             "budgets.progress=1s", "workers.count=2", "workers.ramp=400ms",
                                             "producers.jobs=3",
                                             "faults=[{'kind': 'crash', 'at': '152ms', 'for': '100ms'}]"},
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
                                    "[0.152000] fault 0 begins",
                                    "[0.152000] server 0 down",
                                    "[0.152000] server 0 lost a job with its memory: J1",
                                    "[0.200000] producer at client 0 > put",
                                    "[0.200000] client 0 chooses server 0 for put",
                                    "[0.252000] fault 0 ends",
                                    "[0.300000] producer at client 0 > put",
                                    "[0.300000] client 0 chooses server 0 for put",
                                    "[0.350000] worker 1 at client 0 > get",
                                    "[0.350000] client 0 chooses server 0 for get",
                                    "[0.352000] server 0 up",
                                    "[0.600000] load ends, faults are healed",
                                }});
}

/* The get of J1 is half written when the server is killed: 7 of 10 ms. */
static void a_crash_inside_a_move_loses_the_job_where_files_are_apart(void **state) {
    (void)state;
    story_holds(&(struct story){
        .settings = {"servers.persistent=true", "servers.persist=10ms", "servers.policy.moves_in_steps=true",
                     "workers.start=200ms", "faults=[{'kind': 'crash', 'at': '210ms', 'for': '200ms'}]"},
        .lines = {"[0.000000] server 0 up", "[0.000000] client 0 up", "[0.100000] producer at client 0 > put",
                  "[0.100000] client 0 chooses server 0 for put", "[0.106000] client 0 -> address 0: put",
                  "[0.109000] server 0: put J1 in default", "[0.120000] producer at client 0 < put ok S0,J1",
                  "[0.200000] worker 0 at client 0 > get", "[0.200000] client 0 chooses server 0 for get",
                  "[0.200000] client 0 -> address 0: get", "[0.203000] server 0: lease J1 in default",
                  "[0.210000] fault 0 begins", "[0.210000] server 0 down",
                  "[0.210000] server 0 lost a job with its memory: J1",
                  "[0.211000] worker 0 at client 0 < get unknown no job", "[0.410000] fault 0 ends",
                  "[0.510000] server 0 up", "[0.772518] client 0 -> address 0: ping",
                  "[1.000000] load ends, faults are healed"}});
}

static void a_crash_inside_a_move_leaves_the_job_as_it_was_in_strict(void **state) {
    (void)state;
    story_holds(
        &(struct story){.settings = {"servers.persistent=true", "servers.persist=10ms", "workers.start=200ms",
                                     "faults=[{'kind': 'crash', 'at': '210ms', 'for': '200ms'}]"},
                        .lines = {"[0.000000] server 0 up",
                                  "[0.000000] client 0 up",
                                  "[0.100000] producer at client 0 > put",
                                  "[0.100000] client 0 chooses server 0 for put",
                                  "[0.106000] client 0 -> address 0: put",
                                  "[0.109000] server 0: put J1 in default",
                                  "[0.120000] producer at client 0 < put ok S0,J1",
                                  "[0.200000] worker 0 at client 0 > get",
                                  "[0.200000] client 0 chooses server 0 for get",
                                  "[0.200000] client 0 -> address 0: get",
                                  "[0.203000] server 0: lease J1 in default",
                                  "[0.210000] fault 0 begins",
                                  "[0.210000] server 0 down",
                                  "[0.211000] worker 0 at client 0 < get unknown no job",
                                  "[0.410000] fault 0 ends",
                                  "[0.510000] server 0 up",
                                  "[0.510000] server 0: restored J1 in default",
                                  "[0.772518] client 0 -> address 0: ping",
                                  "[1.000000] load ends, faults are healed",
                                  "[10.211000] worker 0 at client 0 > get",
                                  "[10.211000] client 0 chooses server 0 for get",
                                  "[10.211000] client 0 -> address 0: get",
                                  "[10.214000] server 0: lease J1 in default",
                                  "[10.225000] worker 0 at client 0 < get ok S0,J1",
                                  "[10.275000] worker 0 at client 0 > done S0,J1",
                                  "[10.275000] client 0 -> address 0: done J1",
                                  "[10.278000] server 0: done J1 in default",
                                  "[10.289000] worker 0 at client 0 < done ok S0,J1",
                                  "[10.289000] worker 0 at client 0 > get",
                                  "[10.289000] client 0 chooses server 0 for get",
                                  "[10.289000] client 0 -> address 0: get",
                                  "[10.292000] server 0: empty in default",
                                  "[10.293000] worker 0 at client 0 < get ok no job"}});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_put_taken_and_done),
        cmocka_unit_test(a_late_completion_for_a_job_lost_with_its_server_is_refused),
        cmocka_unit_test(a_crash_between_applying_and_saving_loses_what_was_never_acknowledged),
        cmocka_unit_test(a_saved_lease_outlives_a_crash_and_its_holder_completes_the_job),
        cmocka_unit_test(what_piled_up_during_a_pause_is_served_afterwards),
        cmocka_unit_test(a_server_killed_while_paused_does_nothing_more),
        cmocka_unit_test(a_slow_server_takes_a_multiple_of_its_time),
        cmocka_unit_test(a_done_whose_reply_is_lost_is_sent_again_and_its_outcome_is_unknown),
        cmocka_unit_test(a_done_that_is_lost_on_its_way_leaves_the_job_to_the_end_of_its_lease),
        cmocka_unit_test(a_second_copy_of_a_reply_changes_nothing),
        cmocka_unit_test(an_error_reply_means_that_nothing_was_applied),
        cmocka_unit_test(a_clock_that_jumps_ahead_ends_leases_early),
        cmocka_unit_test(a_request_under_way_at_a_crash_hangs_for_good_upstream),
        cmocka_unit_test(a_crash_inside_a_move_loses_the_job_where_files_are_apart),
        cmocka_unit_test(a_crash_inside_a_move_leaves_the_job_as_it_was_in_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
