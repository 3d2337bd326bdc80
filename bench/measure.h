/* The three things that the benchmarks of the event loop time with about the same number of pending events:
 *   heap   pop the first event of a bare 4-ary heap, push it again a random span later: the hold model of the
 * event-queue literature (Jones, "An empirical comparison of priority-queue and event-set implementations",
 * 1986); hold   the same through the simulator: every event is a worker's timer that draws its next wait from
 * the worker's own stream, is dispatched and goes into the trace hash; full   the whole model: workers,
 * producers, federation clients, network, servers, ledger, all checks.
 *
 * Each goes on for about `for_s` seconds of the processor, so that other work on the machine counts little.
 */
#ifndef AQ_BENCH_MEASURE_H
#define AQ_BENCH_MEASURE_H

#include <stdint.h>

/* So many workers, each with one event pending; clients and servers as such a fleet would have them. */
struct fleet {
    uint32_t pending, clients, servers;
};

struct measured_full {
    double events_per_s, virtual_s;
    uint64_t events, jobs, peak_bytes;
};

/* Seconds of the processor that this process has used. */
double measure_now_s(void);

/* Events a second. */
double measure_heap(uint32_t pending, double for_s);
double measure_hold(uint32_t pending, double for_s);
struct measured_full measure_full(const struct fleet *fleet, double for_s);

#endif
