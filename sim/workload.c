#include "sim/workload.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"
#include "sim/body.h"
#include "sim/app_calls.h"

/*
 *            poll timer          job
 *   WAITING ------------> GETTING ----> PROCESSING -----> COMPLETING --> (next job of the batch, or GETTING)
 *      ^                     |            |    ^
 *      +---- empty, failed --+    touch   v    | answer
 *                                       TOUCHING
 *   any state --- dies ---> DEAD --- replaced ---> GETTING
 */
enum worker_state { OFF, WAITING, GETTING, PROCESSING, TOUCHING, COMPLETING, DEAD };

struct worker {
    struct aq_random random;
    uint64_t ticket;      /* of its one valid timer */
    uint64_t call;        /* open call, or 0 */
    aq_time_us finish_us; /* PROCESSING, TOUCHING: end of the work on the job in hand */
    float factor;         /* on processing times */
    uint16_t held_first;  /* jobs in hand: held[held_first] .. held[held_count - 1] of its share */
    uint16_t held_count;
    uint8_t state; /* enum worker_state */
};

/* A job in a worker's hands. */
struct held {
    uint64_t token;
    aq_time_us put_us;
    uint8_t ref_len;
    char ref[AQ_JOB_REF_CHARS_MAX];
};

struct aq_workload {
    const struct aq_scenario *scenario;
    struct aq_world world;
    struct aq_observer observer;
    struct worker *workers;
    struct held *held; /* batch entries for each worker */
    struct aq_app_calls calls;
    struct aq_random random; /* arrivals */
    double next_arrival_us;  /* exact, so that constant arrivals do not drift */
    double arrival_factor;
    uint64_t tokens; /* jobs put so far */
    uint64_t overruns;
    uint32_t puts_open;
    uint32_t old_open;   /* calls made before the load stopped that someone waits for */
    uint32_t old_serial; /* of the last of them */
    bool load_stopped;
    char *own_tubes; /* both names with their suffix; NULL without one */
    struct aq_text worker_tube, producer_tube;
    struct aq_histogram latencies[AQ_LATENCY_COUNT];
};

const char *aq_latency_word(enum aq_latency latency) {
    static const char *const words[] = {"put", "get", "done", "wait", "put_to_done"};
    return words[latency];
}

static int name_tubes(struct aq_workload *w, const char *suffix) {
    size_t size = w->worker_tube.len + w->producer_tube.len + 2 * strlen(suffix) + 2;
    w->own_tubes = aq_alloc(size);
    if (!w->own_tubes) return AQ_ENOMEM;
    int len = snprintf(w->own_tubes, size, "%s%s", w->scenario->workers.tube, suffix);
    char *second = w->own_tubes + len + 1;
    snprintf(second, size - (size_t)len - 1, "%s%s", w->scenario->producers.tube, suffix);
    w->worker_tube = aq_text_of(w->own_tubes);
    w->producer_tube = aq_text_of(second);
    return 0;
}

int aq_workload_new(const struct aq_workload_config *config, struct aq_workload **out) {
    const struct aq_scenario *scenario = config->scenario;
    struct aq_workload *w = aq_alloc_zeroed(1, sizeof *w);
    if (!w) return AQ_ENOMEM;
    *w = (struct aq_workload){.scenario = scenario,
                              .world = config->world,
                              .observer = config->observer,
                              .arrival_factor = 1,
                              .worker_tube = aq_text_of(scenario->workers.tube),
                              .producer_tube = aq_text_of(scenario->producers.tube)};
    aq_app_calls_init(&w->calls);
    aq_random_init(&w->random, config->seed, "arrivals", 0);
    uint32_t count = scenario->workers.count;
    w->workers = aq_alloc_zeroed((size_t)count + 1, sizeof *w->workers);
    w->held = aq_alloc_zeroed((size_t)count * scenario->workers.batch + 1, sizeof *w->held);
    bool failed = !w->workers || !w->held || (config->tube_suffix && name_tubes(w, config->tube_suffix));
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
    aq_free(w->own_tubes);
    aq_free(w);
}

static int observe(struct aq_workload *w, const struct aq_observation *seen) {
    return w->observer.observe(w->observer.self, seen);
}

static uint32_t index_of(const struct aq_workload *w, const struct worker *worker) {
    return (uint32_t)(worker - w->workers);
}

static uint32_t client_of(const struct aq_workload *w, uint32_t worker) {
    return worker % w->scenario->clients.count;
}

static struct held *in_hand(struct aq_workload *w, const struct worker *worker) {
    return &w->held[(size_t)index_of(w, worker) * w->scenario->workers.batch + worker->held_first];
}

static int set_worker_timer(struct aq_workload *w, struct worker *worker, aq_time_us at_us) {
    return w->world.ops->set_timer(w->world.self, AQ_TIMER_WORKER, index_of(w, worker), at_us,
                                   &worker->ticket);
}

static int wait_and_poll(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->state = WAITING;
    aq_time_us wait_us = aq_distribution_draw(&w->scenario->workers.poll, &worker->random);
    return set_worker_timer(w, worker, aq_time_after(now_us, wait_us));
}

/* ---- calls ---- */

/* The facts that every observation about a call shares. */
static struct aq_observation about(const struct aq_app_call *call, enum aq_seen_kind kind,
                                   aq_time_us now_us) {
    return (struct aq_observation){.at_us = now_us,
                                   .kind = kind,
                                   .caller = call->caller,
                                   .is_producer = call->caller_kind == AQ_CALLER_PRODUCER,
                                   .client = call->client,
                                   .server = AQ_NOBODY,
                                   .address = AQ_NOBODY,
                                   .call = call->id,
                                   .action = (enum aq_action)call->request.action,
                                   .token = call->token,
                                   .job = call->request.job_id,
                                   .job_hash = call->job_hash,
                                   .called_us = call->called_us};
}

static int submit(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us) {
    call->called_us = now_us;
    if (call->caller_kind != AQ_CALLER_OPERATOR) {
        struct aq_observation seen = about(call, AQ_SEEN_CALL, now_us);
        int rc = observe(w, &seen);
        if (rc) return rc;
    }
    return w->world.ops->submit(w->world.self, call->client, call->id, &call->request);
}

/* Nobody will wait for this call from now on. */
static void wait_is_over(struct aq_workload *w, const struct aq_app_call *call) {
    if (w->load_stopped && !call->abandoned && (uint32_t)(call->id >> 32) <= w->old_serial) w->old_open--;
}

/* The caller no longer waits: its call goes on without it. */
static int abandon(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us) {
    wait_is_over(w, call);
    call->abandoned = true;
    if (call->caller_kind == AQ_CALLER_OPERATOR) return 0;
    struct aq_observation seen = about(call, AQ_SEEN_ABANDONED, now_us);
    return observe(w, &seen);
}

static int submit_for_worker(struct aq_workload *w, struct worker *worker, struct aq_app_call *call,
                             aq_time_us now_us) {
    call->caller_kind = AQ_CALLER_WORKER;
    call->caller = index_of(w, worker);
    call->client = client_of(w, call->caller);
    worker->call = call->id;
    worker->ticket = 0;
    if (w->scenario->workers.call_timeout_us != AQ_TIME_NEVER) {
        int rc = set_worker_timer(w, worker, aq_time_after(now_us, w->scenario->workers.call_timeout_us));
        if (rc) return rc;
    }
    return submit(w, call, now_us);
}

/* ---- workers ---- */

static bool client_is_up(struct aq_workload *w, const struct worker *worker) {
    return w->world.ops->client_is_up(w->world.self, client_of(w, index_of(w, worker)));
}

static int start_get(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->held_first = worker->held_count = 0;
    if (!client_is_up(w, worker)) return wait_and_poll(w, worker, now_us);
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    call->request.action = AQ_ACTION_GET;
    call->request.given = AQ_PARAM_TUBE;
    call->request.tube = w->worker_tube;
    if (w->scenario->workers.batch > 1) {
        call->request.action = AQ_ACTION_GET_MULTIPLE;
        call->request.given |= AQ_PARAM_COUNT;
        call->request.count = (int32_t)w->scenario->workers.batch;
    }
    worker->state = GETTING;
    return submit_for_worker(w, worker, call, now_us);
}

/* A call about the job in hand. */
static int start_job_call(struct aq_workload *w, struct worker *worker, enum aq_action action,
                          aq_time_us now_us) {
    struct held *held = in_hand(w, worker);
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    char *text = aq_app_call_room(call, held->ref_len);
    if (!text) return AQ_ENOMEM;
    memcpy(text, held->ref, held->ref_len);
    call->request.action = (uint8_t)action;
    call->request.given = AQ_PARAM_JOB_ID;
    call->request.job_id = (struct aq_text){text, held->ref_len};
    if (action == AQ_ACTION_RELEASE && w->scenario->workers.release_delay_s > 0) {
        call->request.given |= AQ_PARAM_DELAY;
        call->request.delay_s = w->scenario->workers.release_delay_s;
    }
    call->token = held->token;
    call->put_us = held->put_us;
    struct aq_job_ref ref;
    if (aq_job_ref_parse(call->request.job_id, &ref) == 0) call->job_hash = aq_text_hash(ref.job);
    return submit_for_worker(w, worker, call, now_us);
}

/* When the worker next acts on the job in hand: the end of its work or the next touch. */
static int wait_in_processing(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->state = PROCESSING;
    aq_time_us touch_us = aq_time_after(now_us, w->scenario->workers.touch_every_us);
    aq_time_us next_us = aq_time_min(worker->finish_us, touch_us);
    return set_worker_timer(w, worker,
                            next_us < now_us ? now_us : next_us); /* a touch may outlast the work */
}

static int start_processing(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    aq_time_us work_us = aq_distribution_draw(&w->scenario->workers.process, &worker->random);
    if (worker->factor != 1) {
        work_us = (aq_time_us)((double)work_us * (double)worker->factor);
        w->overruns++;
    }
    worker->finish_us = aq_time_after(now_us, work_us);
    return wait_in_processing(w, worker, now_us);
}

static int die(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    struct aq_app_call *call = aq_app_calls_find(&w->calls, worker->call);
    worker->call = 0;
    if (call) {
        int rc = abandon(w, call, now_us);
        if (rc) return rc;
    }
    worker->state = DEAD;
    worker->held_first = worker->held_count = 0;
    return set_worker_timer(w, worker, aq_time_after(now_us, w->scenario->workers.restart_us));
}

static enum aq_action draw_completion(const struct aq_worker_section *s, struct aq_random *random,
                                      bool *abandons) {
    *abandons = false;
    if (s->release_ratio + s->bury_ratio + s->delete_ratio + s->abandon_ratio <= 0) return AQ_ACTION_DONE;
    double at = aq_random_unit(random);
    if ((at -= s->release_ratio) < 0) return AQ_ACTION_RELEASE;
    if ((at -= s->bury_ratio) < 0) return AQ_ACTION_BURY;
    if ((at -= s->delete_ratio) < 0) return AQ_ACTION_DELETE;
    *abandons = (at -= s->abandon_ratio) < 0;
    return AQ_ACTION_DONE;
}

static int finish_job(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    if (!client_is_up(w, worker)) { /* keeps the job in hand and tries again when the client may be back */
        worker->finish_us =
            aq_time_after(now_us, aq_distribution_draw(&w->scenario->workers.poll, &worker->random));
        return set_worker_timer(w, worker, worker->finish_us);
    }
    bool abandons;
    enum aq_action action = draw_completion(&w->scenario->workers, &worker->random, &abandons);
    if (abandons) return die(w, worker, now_us);
    worker->state = COMPLETING;
    return start_job_call(w, worker, action, now_us);
}

static int next_in_batch(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    if (++worker->held_first < worker->held_count) return start_processing(w, worker, now_us);
    return start_get(w, worker, now_us);
}

/* The worker has waited long enough for its call. */
static int give_up_call(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    struct aq_app_call *call = aq_app_calls_find(&w->calls, worker->call);
    AQ_ASSERT(call);
    worker->call = 0;
    int rc = abandon(w, call, now_us);
    if (rc) return rc;
    if (worker->state == TOUCHING) return wait_in_processing(w, worker, now_us);
    if (worker->state == COMPLETING) return next_in_batch(w, worker, now_us);
    return wait_and_poll(w, worker, now_us);
}

int aq_workload_worker_timer(struct aq_workload *w, aq_time_us now_us, uint32_t index, uint64_t ticket) {
    struct worker *worker = &w->workers[index];
    if (ticket != worker->ticket) return 0;
    switch ((enum worker_state)worker->state) {
    case OFF:
    case DEAD:
    case WAITING: return start_get(w, worker, now_us);
    case PROCESSING:
        if (now_us >= worker->finish_us) return finish_job(w, worker, now_us);
        if (!client_is_up(w, worker)) return wait_in_processing(w, worker, now_us);
        worker->state = TOUCHING;
        return start_job_call(w, worker, AQ_ACTION_TOUCH, now_us);
    case GETTING:
    case TOUCHING:
    case COMPLETING: return give_up_call(w, worker, now_us);
    }
    return AQ_EINVALID;
}

/* ---- answers ---- */

static int observe_answer(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                          enum aq_outcome outcome, const struct aq_reply *reply) {
    struct aq_observation seen = about(call, AQ_SEEN_ANSWER, now_us);
    seen.outcome = outcome;
    seen.last = true;
    seen.error = reply && (reply->has_error || reply->kind == AQ_REPLY_ERROR);
    seen.empty = call->request.action == AQ_ACTION_GET || call->request.action == AQ_ACTION_GET_MULTIPLE;
    if (call->request.action == AQ_ACTION_PUT && reply && reply->has_job_id) {
        struct aq_job_ref ref;
        seen.job = reply->job_id;
        if (aq_job_ref_parse(reply->job_id, &ref) == 0) seen.job_hash = aq_text_hash(ref.job);
    }
    return observe(w, &seen);
}

/* Takes one job of a get's reply into the worker's hands and tells that it was seen. */
static int take_job(struct aq_workload *w, struct worker *worker, const struct aq_app_call *call,
                    aq_time_us now_us, const struct aq_job *job, bool last) {
    struct held held = {.put_us = now_us};
    held.token = aq_body_token(job->body, &held.put_us);
    struct aq_observation seen = about(call, AQ_SEEN_ANSWER, now_us);
    seen.outcome = AQ_OUTCOME_OK;
    seen.last = last;
    seen.token = held.token;
    seen.job = job->job_id;
    struct aq_job_ref ref;
    if (aq_job_ref_parse(job->job_id, &ref) == 0) seen.job_hash = aq_text_hash(ref.job);
    int rc = observe(w, &seen);
    if (rc || worker->held_count >= w->scenario->workers.batch || job->job_id.len > sizeof held.ref)
        return rc;
    held.ref_len = (uint8_t)job->job_id.len;
    memcpy(held.ref, job->job_id.at, job->job_id.len);
    aq_histogram_record(&w->latencies[AQ_LATENCY_WAIT], now_us - held.put_us);
    w->held[(size_t)index_of(w, worker) * w->scenario->workers.batch + worker->held_count++] = held;
    return 0;
}

static int answer_get(struct aq_workload *w, struct worker *worker, const struct aq_app_call *call,
                      aq_time_us now_us, enum aq_outcome outcome, const struct aq_reply *reply) {
    uint32_t jobs = outcome == AQ_OUTCOME_OK && reply ? reply->job_count : 0;
    int rc = 0;
    if (jobs == 0) rc = observe_answer(w, call, now_us, outcome, reply);
    for (uint32_t i = 0; i < jobs && !rc; i++)
        rc = take_job(w, worker, call, now_us, &reply->jobs[i], i + 1 == jobs);
    if (rc) return rc;
    return worker->held_count ? start_processing(w, worker, now_us) : wait_and_poll(w, worker, now_us);
}

static void record_latency(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us) {
    aq_time_us span_us = now_us - call->called_us;
    switch ((enum aq_action)call->request.action) {
    case AQ_ACTION_PUT: aq_histogram_record(&w->latencies[AQ_LATENCY_PUT], span_us); break;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: aq_histogram_record(&w->latencies[AQ_LATENCY_GET], span_us); break;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
        aq_histogram_record(&w->latencies[AQ_LATENCY_DONE], span_us);
        aq_histogram_record(&w->latencies[AQ_LATENCY_PUT_TO_DONE], now_us - call->put_us);
        break;
    default: break;
    }
}

static int answer_worker(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                         enum aq_outcome outcome, const struct aq_reply *reply) {
    struct worker *worker = &w->workers[call->caller];
    AQ_ASSERT(worker->call == call->id);
    worker->call = 0;
    if (worker->state == GETTING) return answer_get(w, worker, call, now_us, outcome, reply);
    int rc = observe_answer(w, call, now_us, outcome, reply);
    if (rc) return rc;
    if (worker->state == TOUCHING) return wait_in_processing(w, worker, now_us);
    AQ_ASSERT(worker->state == COMPLETING);
    return next_in_batch(w, worker, now_us);
}

int aq_workload_answer(struct aq_workload *w, aq_time_us now_us, uint64_t id, enum aq_outcome outcome,
                       const struct aq_reply *reply) {
    struct aq_app_call *call = aq_app_calls_find(&w->calls, id);
    if (!call) return 0;
    int rc = 0;
    wait_is_over(w, call);
    if (!call->abandoned && outcome == AQ_OUTCOME_OK) record_latency(w, call, now_us);
    if (call->caller_kind == AQ_CALLER_PRODUCER) w->puts_open--;
    if (!call->abandoned) {
        if (call->caller_kind == AQ_CALLER_WORKER) rc = answer_worker(w, call, now_us, outcome, reply);
        if (call->caller_kind == AQ_CALLER_PRODUCER) rc = observe_answer(w, call, now_us, outcome, reply);
    }
    aq_app_calls_end(&w->calls, call);
    return rc;
}

/* What a worker does when its call was lost with the client process. */
static int resume_worker(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->call = 0;
    if (worker->state == TOUCHING) return wait_in_processing(w, worker, now_us);
    worker->held_first = worker->held_count = 0;
    return wait_and_poll(w, worker, now_us);
}

int aq_workload_client_down(struct aq_workload *w, aq_time_us now_us, uint32_t client) {
    for (uint32_t slot = 0; slot < w->calls.used; slot++) {
        struct aq_app_call *call = aq_app_calls_at(&w->calls, slot);
        if (!call || call->client != client) continue;
        int rc = 0;
        if (!call->abandoned) {
            rc = abandon(w, call, now_us);
            if (!rc && call->caller_kind == AQ_CALLER_WORKER)
                rc = resume_worker(w, &w->workers[call->caller], now_us);
        }
        if (rc) return rc;
        if (call->caller_kind == AQ_CALLER_PRODUCER) w->puts_open--;
        aq_app_calls_end(&w->calls, call);
    }
    return 0;
}

/* ---- producers ---- */

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
    return submit(w, call, now_us);
}

static bool load_is_over(const struct aq_workload *w, aq_time_us now_us) {
    const struct aq_producer_section *s = &w->scenario->producers;
    return w->load_stopped || now_us >= s->stop_us || (s->jobs_max && w->tokens >= s->jobs_max);
}

static int set_next_arrival(struct aq_workload *w, aq_time_us now_us) {
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
    return rc ? rc : set_next_arrival(w, now_us);
}

int aq_workload_start(struct aq_workload *w, aq_time_us now_us) {
    const struct aq_worker_section *s = &w->scenario->workers;
    for (uint32_t i = 0; i < s->count; i++) {
        aq_time_us offset_us = s->ramp_us ? (aq_time_us)((double)s->ramp_us * i / s->count) : 0;
        int rc = set_worker_timer(w, &w->workers[i], now_us + s->start_us + offset_us);
        if (rc) return rc;
    }
    if (w->scenario->producers.arrivals == AQ_ARRIVALS_NONE || w->scenario->producers.rate_per_s <= 0)
        return 0;
    w->next_arrival_us = (double)(now_us + w->scenario->producers.start_us);
    return set_next_arrival(w, now_us);
}

/* ---- the nemesis and the operator ---- */

void aq_workload_arrival_factor(struct aq_workload *w, double factor) {
    w->arrival_factor = factor;
}

void aq_workload_process_factor(struct aq_workload *w, uint32_t worker, double factor) {
    w->workers[worker].factor = (float)factor;
}

uint64_t aq_workload_overruns(const struct aq_workload *w) {
    return w->overruns;
}

int aq_workload_worker_crash(struct aq_workload *w, aq_time_us now_us, uint32_t index, bool *died) {
    struct worker *worker = &w->workers[index];
    *died = worker->state != DEAD && worker->state != OFF;
    return *died ? die(w, worker, now_us) : 0;
}

int aq_workload_tell(struct aq_workload *w, aq_time_us now_us, uint32_t client,
                     const struct aq_request *request) {
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    char *text = aq_app_call_room(call, request->address.len + 1);
    if (!text) return AQ_ENOMEM;
    memcpy(text, request->address.at, request->address.len);
    call->caller_kind = AQ_CALLER_OPERATOR;
    call->caller = AQ_NOBODY;
    call->client = client;
    call->request = *request;
    call->request.address.at = text;
    return submit(w, call, now_us);
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
