/* Producers: they put jobs, at the times of the scenario. */
#include "sim/workload_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "sim/body.h"

/* A client that is up, uniformly but for clients that are down; AQ_NOBODY after a few tries. */
static uint32_t pick_client(struct aq_workload *w) {
    for (int i = 0; i < 16; i++) {
        uint32_t client = aq_random_below(&w->random, w->scenario->clients.count);
        if (w->world.ops->client_is_up(w->world.self, client)) return client;
    }
    return AQ_NOBODY;
}

static void fill_put(struct aq_workload *w, struct aq_request *r) {
    const struct aq_producer_section *s = &w->scenario->producers;
    r->action = AQ_ACTION_PUT;
    r->given = AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_PRIORITY;
    r->tube = w->producer_tube;
    r->priority = s->priority_min;
    if (s->priority_max > s->priority_min)
        r->priority +=
            (int32_t)aq_random_below(&w->random, (uint32_t)(s->priority_max - s->priority_min) + 1);
    if (s->ttl_given) {
        r->given |= AQ_PARAM_TTL;
        r->ttl_s = s->ttl_s;
    }
    if (s->delay_s > 0) {
        r->given |= AQ_PARAM_DELAY;
        r->delay_s = s->delay_s;
    }
    if (s->expired_limit > 0) {
        r->given |= AQ_PARAM_EXPIRED_LIMIT;
        r->expired_limit = s->expired_limit;
    }
}

static int put_one(struct aq_workload *w, aq_time_us now_us) {
    uint32_t client = pick_client(w);
    if (client == AQ_NOBODY) return 0; /* an application that finds no client process has put nothing */
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    size_t bytes = w->scenario->producers.body_bytes;
    if (bytes < AQ_BODY_CHARS) bytes = AQ_BODY_CHARS;
    char *body = aq_app_call_room(call, bytes);
    if (!body) return AQ_ENOMEM;
    call->caller_kind = AQ_CALLER_PRODUCER;
    call->caller = client;
    call->client = client;
    call->token = ++w->tokens;
    call->put_us = now_us;
    fill_put(w, &call->request);
    aq_body_write(body, call->token, now_us);
    memset(body + AQ_BODY_CHARS, '.', bytes - AQ_BODY_CHARS);
    call->request.body = (struct aq_text){body, (uint32_t)bytes};
    w->puts_open++;
    return workload_submit(w, call, now_us);
}

static bool load_is_over(const struct aq_workload *w, aq_time_us now_us) {
    const struct aq_producer_section *s = &w->scenario->producers;
    return w->load_stopped || now_us >= s->stop_us || (s->jobs_max && w->tokens >= s->jobs_max);
}

int producers_set_next_arrival(struct aq_workload *w, aq_time_us now_us) {
    double mean_us = 1e6 / (w->scenario->producers.rate_per_s * w->arrival_factor);
    if (w->scenario->producers.arrivals == AQ_ARRIVALS_POISSON) mean_us *= aq_random_exponential(&w->random);
    w->next_arrival_us += mean_us;
    aq_time_us at_us = (aq_time_us)w->next_arrival_us;
    uint64_t ticket;
    return w->world.ops->set_timer(w->world.self, AQ_TIMER_ARRIVAL, 0, at_us < now_us ? now_us : at_us,
                                   &ticket);
}

int aq_workload_burst(struct aq_workload *w, aq_time_us now_us, uint64_t jobs) {
    int rc = 0;
    for (uint64_t i = 0; i < jobs && !rc; i++)
        rc = put_one(w, now_us);
    return rc;
}

int aq_workload_arrival(struct aq_workload *w, aq_time_us now_us) {
    if (load_is_over(w, now_us)) return 0;
    const struct aq_producer_section *s = &w->scenario->producers;
    int rc =
        s->arrivals == AQ_ARRIVALS_BURSTS ? aq_workload_burst(w, now_us, s->burst_jobs) : put_one(w, now_us);
    return rc ? rc : producers_set_next_arrival(w, now_us);
}

void aq_workload_arrival_factor(struct aq_workload *w, double factor) {
    w->arrival_factor = factor;
}
