/* How fast the virtual world goes, beside a bare 4-ary heap in the same run: the machine's speed cancels out
 * in the ratios. See measure.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "bench/measure.h"

static const struct fleet fleets[] = {
    {1000, 20, 4}, {10000, 200, 4}, {100000, 1000, 20}, {1000000, 10000, 100}};

int main(int argc, char **argv) {
    double for_s = argc > 1 ? atof(argv[1]) : 3;
    uint32_t largest = argc > 2 ? (uint32_t)atol(argv[2]) : 1000000;
    if (for_s <= 0 || argc > 3) {
        fprintf(stderr, "usage: bench_events [SECONDS_PER_MEASUREMENT [LARGEST_NUMBER_OF_PENDING_EVENTS]]\n");
        return 64;
    }
    printf(
        "  pending  clients  servers   heap M/s   hold M/s  full M/s  hold/heap  full/heap   virtual s       jobs  peak MiB\n");
    for (size_t i = 0; i < sizeof fleets / sizeof *fleets && fleets[i].pending <= largest; i++) {
        const struct fleet *size = &fleets[i];
        double heap = measure_heap(size->pending, for_s / 2), hold = measure_hold(size->pending, for_s / 2);
        struct measured_full full = measure_full(size, for_s);
        heap = (heap + measure_heap(size->pending, for_s / 2)) /
               2; /* around the others: the machine's speed drifts */
        char jobs[32];
        printf("%9u %8u %8u %10.2f %10.2f %9.2f %10.2f %10.2f %11.1f %10s %9.0f\n", size->pending,
               size->clients, size->servers, heap / 1e6, hold / 1e6, full.events_per_s / 1e6, hold / heap,
               full.events_per_s / heap, full.virtual_s, aq_units_format_count(jobs, sizeof jobs, full.jobs),
               (double)full.peak_bytes / 1048576);
        fflush(stdout);
    }
    return 0;
}
