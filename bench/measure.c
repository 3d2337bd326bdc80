/* What the benchmarks of the event loop time: see measure.h. */
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/heap.h"
#include "base/units.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "sim/virtual.h"

#define MEAN_WAIT_US 1000000.0
#define WARM_UP_US   (2 * AQ_US_PER_S)

double measure_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what) {
    fprintf(stderr, "benchmark: %s\n", what);
    exit(70);
}

/* Pops and pushes a second on a heap of `pending` events, for about `for_s` seconds. */
double measure_heap(uint32_t pending, double for_s) {
    struct aq_heap heap = {0};
    struct aq_random random;
    uint64_t sequence = 0, done = 0;
    aq_random_init(&random, 1, "heap", 0);
    for (uint32_t i = 0; i < pending; i++) {
        aq_time_us at_us = (aq_time_us)(aq_random_unit(&random) * MEAN_WAIT_US);
        if (aq_heap_push(&heap, (struct aq_event){at_us, ++sequence, 0, i})) fail("out of memory");
    }
    double start = measure_now_s(), now;
    do {
        for (int i = 0; i < 20000; i++) {
            struct aq_event event = aq_heap_pop(&heap);
            event.at_us += (aq_time_us)(2 * aq_random_unit(&random) * MEAN_WAIT_US);
            event.sequence = ++sequence;
            aq_heap_push(&heap, event);
        }
        done += 20000;
        now = measure_now_s();
    } while (now - start < for_s);
    aq_heap_close(&heap);
    return (double)done / (now - start);
}

static struct aq_scenario *load(const char *text) {
    struct aq_error error;
    struct aq_scenario *scenario;
    if (aq_scenario_parse(text, "bench", NULL, &scenario, &error)) fail(error.text);
    return scenario;
}

static int ignore(void *self, const struct aq_observation *seen) {
    (void)self;
    (void)seen;
    return 0;
}

/* Events a second of the simulator with nothing but timers: the one client is never started, so that each
   worker finds it down and waits again. */
double measure_hold(uint32_t pending, double for_s) {
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"name\":\"hold\",\"duration\":\"1h\",\"servers\":{\"count\":1},\"clients\":{\"count\":1},"
        "\"workers\":{\"count\":%u,\"ramp\":\"1s\",\"poll\":{\"uniform\":[\"0ms\",\"2s\"]}},\"producers\":{\"arrivals\":\"none\"}}",
        pending);
    struct aq_scenario *scenario = load(text);
    struct aq_address_book book = {0};
    struct aq_eligible_sets sets = {0};
    struct aq_trace trace;
    struct aq_error error;
    struct aq_virtual *world;
    struct aq_workload *workload;
    uint32_t index;
    aq_trace_init(&trace);
    struct aq_observer observer = {NULL, ignore};
    struct aq_virtual_config config = {.scenario = scenario,
                                       .book = &book,
                                       .seed = 1,
                                       .observer = observer,
                                       .trace = &trace,
                                       .eligible_sets = &sets};
    if (aq_address_book_add(&book, AQ_TEXT("127.0.1.1:5555"), &index, &error) ||
        aq_virtual_new(&config, &world))
        fail("out of memory");
    struct aq_workload_config applications = {scenario, 1, aq_virtual_world(world), observer, &book};
    if (aq_workload_new(&applications, &workload)) fail("out of memory");
    aq_virtual_attach(world, workload, NULL);
    aq_time_us until_us = 2 * AQ_US_PER_S;
    if (aq_workload_start(workload, 0) || aq_virtual_run(world, until_us))
        fail("out of memory"); /* warm-up */
    uint64_t before = aq_virtual_events(world);
    double start = measure_now_s(), now;
    do {
        until_us += 20 * MEAN_WAIT_US * 1000 / pending + 1;
        if (aq_virtual_run(world, until_us)) fail("out of memory");
        now = measure_now_s();
    } while (now - start < for_s);
    double rate = (double)(aq_virtual_events(world) - before) / (now - start);
    aq_virtual_free(world);
    aq_workload_free(workload);
    aq_address_book_close(&book);
    aq_scenario_free(scenario);
    return rate;
}

struct stopwatch {
    double start, end;
    uint64_t first_events, events;
    aq_time_us now_us;
    double for_s;
    volatile sig_atomic_t stop;
};

/* The clock starts when all workers are there and busy; the run is stopped when the time is over. */
static void on_window(void *arg, const struct aq_progress *progress) {
    struct stopwatch *watch = arg;
    watch->end = measure_now_s();
    watch->events = progress->events;
    watch->now_us = progress->now_us;
    if (progress->now_us < WARM_UP_US) return;
    if (watch->start == 0) {
        watch->start = watch->end;
        watch->first_events = progress->events;
    }
    if (watch->end - watch->start >= watch->for_s) watch->stop = 1;
}

/* The full model with `pending` workers, each of which has one event pending: a timer, or a message of its
 * call. */
struct measured_full measure_full(const struct fleet *fleet, double for_s) {
    char text[1024];
    snprintf(
        text, sizeof text,
        "{\"name\":\"full\",\"duration\":\"10m\",\"window\":\"250ms\",\"servers\":{\"count\":%u,\"service\":{\"default\":{\"exp\":\"20us\"}}},"
        "\"clients\":{\"count\":%u},"
        "\"workers\":{\"count\":%u,\"start\":\"0ms\",\"ramp\":\"1s\",\"poll\":{\"exp\":\"2s\"},\"process\":{\"exp\":\"1s\"}},"
        "\"producers\":{\"arrivals\":{\"poisson\":\"%.0f/s\"},\"start\":\"0ms\"}}",
        fleet->servers, fleet->clients, fleet->pending, fleet->pending * 0.3);
    struct aq_scenario *scenario = load(text);
    struct aq_record record;
    struct aq_error error;
    struct stopwatch watch = {.for_s = for_s};
    struct aq_run_options options = {
        .scenario = scenario, .seed = 1, .stop = &watch.stop, .progress = on_window, .progress_arg = &watch};
    aq_record_init(&record);
    if (aq_run_scenario(&options, &record, &error)) fail(error.text);
    struct measured_full full = {.events_per_s =
                                     (double)(watch.events - watch.first_events) / (watch.end - watch.start),
                                 .virtual_s = (double)watch.now_us / 1e6,
                                 .events = watch.events,
                                 .jobs = record.jobs.completed,
                                 .peak_bytes = record.peak_rss_bytes};
    for (uint32_t i = 0; i < record.check_count; i++)
        if (record.checks[i].violations) fail("the full model broke a check");
    aq_record_close(&record);
    aq_scenario_free(scenario);
    return full;
}
