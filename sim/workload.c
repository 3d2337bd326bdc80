#include "sim/workload_internal.h"

#include "base/error.h"
#include "base/memory.h"

const char *aq_latency_word(enum aq_latency latency) {
    static const char *const words[] = {"put", "get", "done", "wait", "put_to_done", "get_to_done"};
    return words[latency];
}

int aq_workload_new(const struct aq_workload_config *config, struct aq_workload **out) {
    const struct aq_scenario *scenario = config->scenario;
    struct aq_workload *w = aq_alloc_zeroed(1, sizeof *w);
    if (!w) return AQ_ENOMEM;
    *w = (struct aq_workload){.scenario = scenario,
                              .world = config->world,
                              .observer = config->observer,
                              .book = config->book,
                              .seed = config->seed,
                              .paired = config->paired,
                              .arrival_factor = 1};
    aq_app_calls_init(&w->calls);
    uint32_t count = scenario->workers.count;
    w->workers = aq_alloc_zeroed((size_t)count + 1, sizeof *w->workers);
    w->held = aq_alloc_zeroed((size_t)count * scenario->workers.batch + 1, sizeof *w->held);
    w->command_times = aq_alloc_zeroed((size_t)scenario->command_count + 1, sizeof *w->command_times);
    bool failed = !w->workers || !w->held || !w->command_times || tubes_init(w, config->tube_suffix) ||
                  producers_init(w, config->seed);
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        failed = aq_histogram_init(&w->latencies[i]) || failed;
    if (failed) {
        aq_workload_free(w);
        return AQ_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        aq_random_init(&w->workers[i].random, config->seed, "worker", i);
        w->workers[i].factor = 1;
    }
    *out = w;
    return 0;
}

void aq_workload_free(struct aq_workload *w) {
    if (!w) return;
    aq_app_calls_close(&w->calls);
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        aq_histogram_close(&w->latencies[i]);
    aq_free(w->workers);
    aq_free(w->held);
    tubes_close(w);
    aq_free(w->workflows);
    aq_free(w->key_weights);
    aq_free(w->command_times);
    aq_free(w);
}

/* ---- answers ---- */

static int producer_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                             enum aq_outcome outcome, const struct aq_reply *reply) {
    int rc = workload_observe_answer(w, call, now_us, outcome, reply);
    return rc ? rc : workflow_answered(w, call, now_us, outcome, reply);
}

int aq_workload_answer(struct aq_workload *w, aq_time_us now_us, uint64_t id, enum aq_outcome outcome,
                       const struct aq_reply *reply) {
    struct aq_app_call *call = aq_app_calls_find(&w->calls, id);
    if (!call) return 0;
    int rc = 0;
    workload_wait_is_over(w, call);
    if (!call->abandoned && outcome == AQ_OUTCOME_OK) workload_record_latency(w, call, now_us);
    if (call->caller_kind == AQ_CALLER_PRODUCER) w->puts_open--;
    if (!call->abandoned) {
        if (call->caller_kind == AQ_CALLER_WORKER) rc = worker_answered(w, call, now_us, outcome, reply);
        if (call->caller_kind == AQ_CALLER_PRODUCER) rc = producer_answered(w, call, now_us, outcome, reply);
        if (call->caller_kind == AQ_CALLER_COMMAND) rc = commands_answered(w, call, now_us, outcome, reply);
    }
    aq_app_calls_end(&w->calls, call);
    return rc;
}

int aq_workload_client_down(struct aq_workload *w, aq_time_us now_us, uint32_t client) {
    for (uint32_t slot = 0; slot < w->calls.used; slot++) {
        struct aq_app_call *call = aq_app_calls_at(&w->calls, slot);
        if (!call || call->client != client) continue;
        int rc = 0;
        if (!call->abandoned) {
            rc = workload_abandon(w, call, now_us);
            if (!rc && call->caller_kind == AQ_CALLER_WORKER)
                rc = worker_resume(w, &w->workers[call->caller], now_us);
        }
        if (!rc && call->caller_kind == AQ_CALLER_PRODUCER) rc = workflow_put_over(w, call, now_us);
        if (rc) return rc;
        if (call->caller_kind == AQ_CALLER_PRODUCER) w->puts_open--;
        aq_app_calls_end(&w->calls, call);
    }
    return 0;
}

/* ---- the course of a run ---- */

int aq_workload_start(struct aq_workload *w, aq_time_us now_us) {
    const struct aq_worker_section *s = &w->scenario->workers;
    for (uint32_t i = 0; i < s->count; i++) {
        aq_time_us offset_us = s->ramp_us ? (aq_time_us)((double)s->ramp_us * i / s->count) : 0;
        int rc = worker_set_timer(w, &w->workers[i], now_us + s->start_us + offset_us);
        if (rc) return rc;
    }
    int rc = commands_start(w, now_us);
    if (rc) return rc;
    if (w->scenario->producers.arrivals == AQ_ARRIVALS_NONE || w->scenario->producers.rate_per_s <= 0)
        return 0;
    w->next_arrival_us = (double)(now_us + w->scenario->producers.start_us);
    return producers_set_next_arrival(w, now_us);
}

void aq_workload_stop_load(struct aq_workload *w) {
    w->load_stopped = true;
    w->old_serial = w->calls.serial;
    for (uint32_t slot = 0; slot < w->calls.used; slot++) {
        const struct aq_app_call *call = aq_app_calls_at(&w->calls, slot);
        w->old_open += call && !call->abandoned;
    }
}
uint32_t aq_workload_puts_open(const struct aq_workload *w) {
    return w->puts_open;
}
uint32_t aq_workload_old_calls_open(const struct aq_workload *w) {
    return w->old_open;
}
uint64_t aq_workload_puts(const struct aq_workload *w) {
    return w->tokens;
}

const struct aq_histogram *aq_workload_latency(const struct aq_workload *w, enum aq_latency latency) {
    return &w->latencies[latency];
}
