/* Producers: they put jobs, at the times of the scenario. */
#include "sim/workload_internal.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/real.h"
#include "sim/body.h"

#define KEY_CHARS 12 /* "k" and ten digits, and the NUL that snprintf writes */

/* A client that is up, uniformly but for clients that are down; AQ_NOBODY after a few tries. */
static uint32_t pick_client(struct aq_workload *w) {
    for (int i = 0; i < 16; i++) {
        uint32_t client = aq_random_below(&w->random, w->scenario->clients.count);
        if (w->world.ops->client_is_up(w->world.self, client)) return client;
    }
    return AQ_NOBODY;
}

/* ---- shard keys ---- */

static int weigh_keys(struct aq_workload *w) {
    const struct aq_shard_key_section *keys = &w->scenario->producers.shard_keys;
    if (keys->count == 0 || keys->skew <= 0) return 0;
    w->key_weights = aq_alloc(keys->count * sizeof *w->key_weights);
    if (!w->key_weights) return AQ_ENOMEM;
    double sum = 0;
    for (uint32_t i = 0; i < keys->count; i++)
        w->key_weights[i] = sum += aq_exp(-keys->skew * aq_log(i + 1.0));
    return 0;
}

int producers_init(struct aq_workload *w, uint64_t seed) {
    aq_random_init(&w->random, seed, "arrivals", 0);
    aq_random_init(&w->workflow_random, seed, "workflows", 0);
    aq_random_init(&w->key_random, seed, "shard keys", 0);
    aq_random_init(&w->poison_random, seed, "poison", 0);
    return weigh_keys(w);
}

static uint32_t draw_key(struct aq_workload *w) {
    uint32_t count = w->scenario->producers.shard_keys.count;
    if (!w->key_weights) return aq_random_below(&w->key_random, count);
    double at = aq_random_unit(&w->key_random) * w->key_weights[count - 1];
    uint32_t low = 0, high = count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (w->key_weights[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- puts ---- */

static void fill_put(const struct aq_workload *w, struct aq_request *r, struct aq_random *random) {
    const struct aq_producer_section *s = &w->scenario->producers;
    r->action = AQ_ACTION_PUT;
    r->given = AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_PRIORITY;
    r->tube = w->producer_tube;
    r->priority = s->priority_min;
    if (s->priority_max > s->priority_min)
        r->priority += (int32_t)aq_random_below(random, (uint32_t)(s->priority_max - s->priority_min) + 1);
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

/* The call's own memory holds the body, then the parent's id, then the shard key. */
static bool write_texts(struct aq_workload *w, struct aq_app_call *call, struct aq_text parent) {
    struct aq_request *r = &call->request;
    bool poison = w->poison > 0 && aq_random_unit(&w->poison_random) < w->poison;
    bool keyed = w->scenario->producers.shard_keys.count;
    size_t bytes = w->scenario->producers.body_bytes, least = AQ_BODY_CHARS + (size_t)poison;
    if (bytes < least) bytes = least;
    char *text = aq_app_call_room(call, bytes + parent.len + (keyed ? KEY_CHARS : 0));
    if (!text) return false;
    aq_body_write(text, call->token, call->put_us);
    memset(text + AQ_BODY_CHARS, '.', bytes - AQ_BODY_CHARS);
    if (poison) text[AQ_BODY_CHARS] = AQ_BODY_POISON;
    w->poisoned += poison;
    r->body = (struct aq_text){text, (uint32_t)bytes};
    text += bytes;
    if (parent.len) {
        memcpy(text, parent.at, parent.len);
        r->given |= AQ_PARAM_PARENT_ID;
        r->parent_id = (struct aq_text){text, parent.len};
        text += parent.len;
    }
    if (keyed) {
        int length = snprintf(text, KEY_CHARS, "k%u", draw_key(w));
        r->given |= AQ_PARAM_SHARD_KEY;
        r->shard_key = (struct aq_text){text, (uint32_t)length};
    }
    return true;
}

struct aq_app_call *producers_new_call(struct aq_workload *w, aq_time_us now_us, uint32_t client,
                                       struct aq_text parent, struct aq_random *random) {
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return NULL;
    call->caller_kind = AQ_CALLER_PRODUCER;
    call->caller = client;
    call->client = client;
    call->token = ++w->tokens;
    call->put_us = now_us;
    fill_put(w, &call->request, random);
    return write_texts(w, call, parent) ? call : NULL;
}

int producers_submit(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us) {
    w->puts_open++;
    return workload_submit(w, call, now_us);
}

static bool is_workflow(struct aq_workload *w) {
    double share = w->scenario->producers.parents.share;
    return share > 0 && aq_random_unit(&w->workflow_random) < share;
}

static int put_one(struct aq_workload *w, aq_time_us now_us) {
    uint32_t client = pick_client(w);
    if (client == AQ_NOBODY) return 0; /* an application that finds no client process has put nothing */
    if (is_workflow(w)) return workflow_begin(w, now_us, client);
    struct aq_app_call *call = producers_new_call(w, now_us, client, (struct aq_text){0}, &w->random);
    return call ? producers_submit(w, call, now_us) : AQ_ENOMEM;
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

void aq_workload_poison(struct aq_workload *w, double probability) {
    w->poison = probability;
}

uint64_t aq_workload_poisoned(const struct aq_workload *w) {
    return w->poisoned;
}
