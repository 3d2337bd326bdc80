/* Timers of another simulator, SimGrid (https://simgrid.org), beside our own in the same run: the machine's
 * speed cancels out in the ratios.
 *
 * There, a timer is an actor that sleeps for a random span, again and again: what a model written for SimGrid
 * does to wait. Its engine can be started once in a process, so each measurement has a process of its own. */
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "bench/measure.h"

#define MEAN_WAIT_S 1.0

static const struct fleet fleets[] = {{1000, 20, 4}, {10000, 200, 4}, {100000, 1000, 20}};

/* ---- SimGrid, in a process of its own ---- */

static struct aq_random stream;
static uint64_t wakes;
static double for_s, rate; /* rate: wake-ups in a second, once it is measured */

static void timer(int argc, char **argv) {
    (void)argc;
    (void)argv;
    while (!rate) {
        sg_actor_sleep_for(2 * aq_random_unit(&stream) * MEAN_WAIT_S);
        wakes++;
    }
}

/* The clock starts when all timers are there and at random places in their waits. */
static void stopwatch(int argc, char **argv) {
    (void)argc;
    (void)argv;
    sg_actor_sleep_for(2 * MEAN_WAIT_S);
    double start_s = measure_now_s(), now_s;
    uint64_t first = wakes;
    do {
        sg_actor_sleep_for(MEAN_WAIT_S / 20);
        now_s = measure_now_s();
    } while (now_s - start_s < for_s);
    rate = (double)(wakes - first) / (now_s - start_s);
}

static double run_simgrid(uint32_t pending) {
    /* small stacks without guard pages: a hundred thousand of them must find room */
    char *words[] = {"bench_peers", "--log=root.threshold:error", "--cfg=contexts/stack-size:16",
                     "--cfg=contexts/guard-size:0", NULL};
    int word_count = 4;
    aq_random_init(&stream, 1, "peers", 0);
    simgrid_init(&word_count, words);
    simgrid_load_platform(AQ_PLATFORM);
    sg_host_t host = sg_host_by_name("host");
    for (uint32_t i = 0; i < pending; i++)
        sg_actor_create("timer", host, timer, 0, NULL);
    sg_actor_create("stopwatch", host, stopwatch, 0, NULL);
    simgrid_run();
    return rate;
}

/* 0: it did not come to an end. */
static double measure_simgrid(uint32_t pending) {
    int ends[2];
    double result = 0;
    if (pipe(ends)) return 0;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        result = run_simgrid(pending);
        _exit(write(ends[1], &result, sizeof result) != sizeof result);
    }
    close(ends[1]);
    if (child > 0 && read(ends[0], &result, sizeof result) != sizeof result) result = 0;
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    return result;
}

/* ---- both ---- */

int main(int argc, char **argv) {
    for_s = argc > 1 ? atof(argv[1]) : 3;
    long largest = argc > 2 ? atol(argv[2]) : 100000;
    if (!(for_s > 0) || argc > 3) {
        fprintf(stderr, "usage: bench_peers [SECONDS_PER_MEASUREMENT [LARGEST_NUMBER_OF_PENDING_TIMERS]]\n");
        return 64;
    }
    printf("  pending  SimGrid M/s   hold M/s  full M/s  hold/SimGrid  full/SimGrid\n");
    for (size_t i = 0; i < sizeof fleets / sizeof *fleets && fleets[i].pending <= largest; i++) {
        fflush(stdout); /* what is still to be written must not be written by a child too */
        double simgrid = measure_simgrid(fleets[i].pending);
        double hold = measure_hold(fleets[i].pending, for_s);
        double full = measure_full(&fleets[i], for_s).events_per_s;
        if (simgrid <= 0) {
            fprintf(stderr, "bench_peers: SimGrid gave up at %u timers\n", fleets[i].pending);
            return 70;
        }
        printf("%9u %12.3f %10.2f %9.2f %13.1f %13.1f\n", fleets[i].pending, simgrid / 1e6, hold / 1e6,
               full / 1e6, hold / simgrid, full / simgrid);
    }
    return 0;
}
