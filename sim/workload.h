/* Workers and producers: the applications around the clients. World-neutral: they see the time, timers,
   random streams and calls to clients, and tell what they saw as observations. */
#ifndef AQ_SIM_WORKLOAD_H
#define AQ_SIM_WORKLOAD_H

#include "base/histogram.h"
#include "scenarios/scenario.h"
#include "sim/observation.h"
#include "sim/world.h"

struct aq_workload; /* opaque; see workload.c */

/* Where observations go. Errors: AQ_ENOMEM. */
struct aq_observer {
    void *self;
    int (*observe)(void *self, const struct aq_observation *seen);
};

struct aq_workload_config {
    const struct aq_scenario *scenario; /* borrowed */
    uint64_t seed;
    struct aq_world world;
    struct aq_observer observer;
    const struct aq_address_book *book; /* borrowed */
    const char *tube_suffix;            /* behind the names of the tubes, or NULL; copied */
    bool paired;                        /* see sim/run.h */
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_workload_new(const struct aq_workload_config *config, struct aq_workload **out);
void aq_workload_free(struct aq_workload *workload);

/* Sets the first timers of workers and producers. */
int aq_workload_start(struct aq_workload *workload, aq_time_us now_us);

/* A timer that the workload has set has come. Stale tickets are ignored. */
int aq_workload_worker_timer(struct aq_workload *workload, aq_time_us now_us, uint32_t worker,
                             uint64_t ticket);
int aq_workload_arrival(struct aq_workload *workload, aq_time_us now_us);
int aq_workload_command(struct aq_workload *workload, aq_time_us now_us, uint32_t command);

/* A client answered a call. reply may be NULL. */
int aq_workload_answer(struct aq_workload *workload, aq_time_us now_us, uint64_t call,
                       enum aq_outcome outcome, const struct aq_reply *reply);

/* A client process has ended: its calls under way will never be answered. */
int aq_workload_client_down(struct aq_workload *workload, aq_time_us now_us, uint32_t client);

/* ---- for the nemesis ---- */

/* Puts this many jobs now. */
int aq_workload_burst(struct aq_workload *workload, aq_time_us now_us, uint64_t jobs);
/* Multiplies the rate of arrivals from the next arrival on. */
void aq_workload_arrival_factor(struct aq_workload *workload, double factor);
/* Multiplies the processing times that start from now on for one worker. */
void aq_workload_process_factor(struct aq_workload *workload, uint32_t worker, double factor);
/* Jobs whose processing was drawn out by a factor so far. */
uint64_t aq_workload_overruns(const struct aq_workload *workload);
/* The worker dies; a new one takes its place after the scenario's `restart`. False
   where it was dead already. */
int aq_workload_worker_crash(struct aq_workload *workload, aq_time_us now_us, uint32_t worker, bool *died);
/* From now on the worker makes each completion twice, or no longer; completions made a second time so far. */
void aq_workload_repeat(struct aq_workload *workload, uint32_t worker, bool repeats);
uint64_t aq_workload_repeats(const struct aq_workload *workload);
/* A worker that waits before its next get makes it now; *hurries is false for one that does not wait. */
int aq_workload_herd(struct aq_workload *workload, aq_time_us now_us, uint32_t worker, bool *hurries);
/* From now on a put is poisonous with this probability; poisonous jobs put so far. */
void aq_workload_poison(struct aq_workload *workload, double probability);
uint64_t aq_workload_poisoned(const struct aq_workload *workload);
/* An operator's call to a client: drain, add_server, update_servers. The request's address is copied; it may
   hold no other text. */
int aq_workload_tell(struct aq_workload *workload, aq_time_us now_us, uint32_t client,
                     const struct aq_request *request);

/* Load stops: no more arrivals. Workers go on. */
void aq_workload_stop_load(struct aq_workload *workload);

/* Calls of producers that are under way, calls made before the load stopped that someone still waits for (0
   until then), and puts made so far. */
uint32_t aq_workload_puts_open(const struct aq_workload *workload);
uint32_t aq_workload_old_calls_open(const struct aq_workload *workload);
uint64_t aq_workload_puts(const struct aq_workload *workload);

/* What the last stats that a command asked for said, all servers and tubes together. */
struct aq_stats_sum {
    uint64_t answers; /* stats that were answered so far; with 0 the rest means nothing */
    uint64_t servers, tubes, ready, delayed, reserved, buried, parents;
    double tps; /* completions per second */
};
const struct aq_stats_sum *aq_workload_stats(const struct aq_workload *workload);

/* Latencies as callers saw them. */
enum aq_latency {
    AQ_LATENCY_PUT,
    AQ_LATENCY_GET,
    AQ_LATENCY_DONE,
    AQ_LATENCY_WAIT,
    AQ_LATENCY_PUT_TO_DONE,
    AQ_LATENCY_GET_TO_DONE, /* from the call of the get to the answer of the completion */
    AQ_LATENCY_COUNT
};
const char *aq_latency_word(enum aq_latency latency);
const struct aq_histogram *aq_workload_latency(const struct aq_workload *workload, enum aq_latency latency);

#endif
