/* Workers: they take jobs, work on them, and complete them. */
#include "sim/workload_internal.h"

#include "base/assert.h"
#include "base/error.h"
#include "protocol/ids.h"
#include "sim/body.h"

static uint32_t index_of(const struct aq_workload *w, const struct worker *worker) {
    return (uint32_t)(worker - w->workers);
}

static uint32_t client_of(const struct aq_workload *w, uint32_t worker) {
    return worker % w->scenario->clients.count;
}

static struct held *in_hand(struct aq_workload *w, const struct worker *worker) {
    return &w->held[(size_t)index_of(w, worker) * w->scenario->workers.batch + worker->held_first];
}

int worker_set_timer(struct aq_workload *w, struct worker *worker, aq_time_us at_us) {
    return w->world.ops->set_timer(w->world.self, AQ_TIMER_WORKER, index_of(w, worker), at_us,
                                   &worker->ticket);
}

static int wait_and_poll(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->state = WAITING;
    aq_time_us wait_us = aq_distribution_draw(&w->scenario->workers.poll, &worker->random);
    return worker_set_timer(w, worker, aq_time_after(now_us, wait_us));
}

static int submit_for_worker(struct aq_workload *w, struct worker *worker, struct aq_app_call *call,
                             aq_time_us now_us) {
    call->caller_kind = AQ_CALLER_WORKER;
    call->caller = index_of(w, worker);
    call->client = client_of(w, call->caller);
    worker->call = call->id;
    worker->ticket = 0;
    if (w->scenario->workers.call_timeout_us != AQ_TIME_NEVER) {
        int rc = worker_set_timer(w, worker, aq_time_after(now_us, w->scenario->workers.call_timeout_us));
        if (rc) return rc;
    }
    return workload_submit(w, call, now_us);
}

static bool client_is_up(struct aq_workload *w, const struct worker *worker) {
    return w->world.ops->client_is_up(w->world.self, client_of(w, index_of(w, worker)));
}

/* A get ends the job: nothing is left to be renewed or completed. */
static bool gets_for_good(const struct aq_workload *w) {
    return w->scenario->workers.get_delete == AQ_GET_DELETE_TRUE;
}

static int start_get(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->held_first = worker->held_count = 0;
    if (!client_is_up(w, worker)) return wait_and_poll(w, worker, now_us);
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    call->request.action = AQ_ACTION_GET;
    call->request.given = AQ_PARAM_TUBE;
    call->request.tube = w->worker_tubes[worker->turn];
    if (++worker->turn == w->worker_tube_count) worker->turn = 0;
    if (w->scenario->workers.get_delete != AQ_GET_DELETE_UNSAID) {
        call->request.given |= AQ_PARAM_REMOVE;
        call->request.remove = gets_for_good(w);
    }
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
    call->get_us = held->get_us;
    struct aq_job_ref ref;
    if (aq_job_ref_parse(call->request.job_id, &ref) == 0) call->job_hash = aq_text_hash(ref.job);
    return submit_for_worker(w, worker, call, now_us);
}

/* When the worker next acts on the job in hand: the end of its work or the next touch. */
static int wait_in_processing(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->state = PROCESSING;
    aq_time_us touch_us = aq_time_after(now_us, w->scenario->workers.touch_every_us);
    aq_time_us next_us = gets_for_good(w) ? worker->finish_us : aq_time_min(worker->finish_us, touch_us);
    return worker_set_timer(w, worker,
                            next_us < now_us ? now_us : next_us); /* a touch may outlast the work */
}

/* Where draws for the job in hand come from: the worker's stream, or one of the job's own in *own. */
static struct aq_random *stream_for(struct aq_workload *w, struct worker *worker, const char *name,
                                    struct aq_random *own) {
    if (!w->paired) return &worker->random;
    aq_random_init(own, w->seed, name, in_hand(w, worker)->token);
    return own;
}

static int start_processing(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    struct aq_random own;
    aq_time_us work_us =
        aq_distribution_draw(&w->scenario->workers.process, stream_for(w, worker, "process", &own));
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
        int rc = workload_abandon(w, call, now_us);
        if (rc) return rc;
    }
    worker->state = DEAD;
    worker->repeated = false;
    worker->held_first = worker->held_count = 0;
    return worker_set_timer(w, worker, aq_time_after(now_us, w->scenario->workers.restart_us));
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

static int next_in_batch(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->repeated = false;
    if (++worker->held_first < worker->held_count) return start_processing(w, worker, now_us);
    return start_get(w, worker, now_us);
}

static int finish_job(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    if (!client_is_up(w, worker)) { /* keeps the job in hand and tries again when the client may be back */
        worker->finish_us =
            aq_time_after(now_us, aq_distribution_draw(&w->scenario->workers.poll, &worker->random));
        return worker_set_timer(w, worker, worker->finish_us);
    }
    if (in_hand(w, worker)->poison) return die(w, worker, now_us);
    bool abandons;
    struct aq_random own;
    enum aq_action action =
        draw_completion(&w->scenario->workers, stream_for(w, worker, "completion", &own), &abandons);
    if (abandons) return die(w, worker, now_us);
    if (gets_for_good(w)) return next_in_batch(w, worker, now_us);
    worker->state = COMPLETING;
    return start_job_call(w, worker, action, now_us);
}

/* The worker has waited long enough for its call. */
static int give_up_call(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    struct aq_app_call *call = aq_app_calls_find(&w->calls, worker->call);
    AQ_ASSERT(call);
    worker->call = 0;
    int rc = workload_abandon(w, call, now_us);
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

/* Takes one job of a get's reply into the worker's hands and tells that it was seen. */
static int take_job(struct aq_workload *w, struct worker *worker, const struct aq_app_call *call,
                    aq_time_us now_us, const struct aq_job *job, bool last) {
    struct held held = {.put_us = now_us, .get_us = call->called_us};
    held.token = aq_body_token(job->body, &held.put_us);
    held.poison = aq_body_is_poison(job->body);
    struct aq_observation seen = workload_about(call, AQ_SEEN_ANSWER, now_us);
    seen.outcome = AQ_OUTCOME_OK;
    seen.last = last;
    seen.token = held.token;
    seen.job = job->job_id;
    struct aq_job_ref ref;
    if (aq_job_ref_parse(job->job_id, &ref) == 0) seen.job_hash = aq_text_hash(ref.job);
    int rc = workload_observe(w, &seen);
    if (rc || worker->held_count >= w->scenario->workers.batch || job->job_id.len > sizeof held.ref)
        return rc;
    held.ref_len = job->job_id.len & 127; /* it fits, as was seen */
    memcpy(held.ref, job->job_id.at, job->job_id.len);
    aq_histogram_record(&w->latencies[AQ_LATENCY_WAIT], now_us - held.put_us);
    w->held[(size_t)index_of(w, worker) * w->scenario->workers.batch + worker->held_count++] = held;
    return 0;
}

static int answer_get(struct aq_workload *w, struct worker *worker, const struct aq_app_call *call,
                      aq_time_us now_us, enum aq_outcome outcome, const struct aq_reply *reply) {
    uint32_t jobs = outcome == AQ_OUTCOME_OK && reply ? reply->job_count : 0;
    int rc = 0;
    if (jobs == 0) rc = workload_observe_answer(w, call, now_us, outcome, reply);
    for (uint32_t i = 0; i < jobs && !rc; i++)
        rc = take_job(w, worker, call, now_us, &reply->jobs[i], i + 1 == jobs);
    if (rc) return rc;
    return worker->held_count ? start_processing(w, worker, now_us) : wait_and_poll(w, worker, now_us);
}

int worker_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                    enum aq_outcome outcome, const struct aq_reply *reply) {
    struct worker *worker = &w->workers[call->caller];
    AQ_ASSERT(worker->call == call->id);
    worker->call = 0;
    if (worker->state == GETTING) return answer_get(w, worker, call, now_us, outcome, reply);
    int rc = workload_observe_answer(w, call, now_us, outcome, reply);
    if (rc) return rc;
    if (worker->state == TOUCHING) return wait_in_processing(w, worker, now_us);
    AQ_ASSERT(worker->state == COMPLETING);
    if (worker->repeats && !worker->repeated && client_is_up(w, worker)) {
        worker->repeated = true;
        w->repeats++;
        return start_job_call(w, worker, (enum aq_action)call->request.action, now_us);
    }
    return next_in_batch(w, worker, now_us);
}

/* What a worker does when its call was lost with the client process. */
int worker_resume(struct aq_workload *w, struct worker *worker, aq_time_us now_us) {
    worker->call = 0;
    if (worker->state == TOUCHING) return wait_in_processing(w, worker, now_us);
    worker->held_first = worker->held_count = 0;
    worker->repeated = false;
    return wait_and_poll(w, worker, now_us);
}

/* ---- the nemesis ---- */

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

void aq_workload_repeat(struct aq_workload *w, uint32_t worker, bool repeats) {
    w->workers[worker].repeats = repeats;
}

uint64_t aq_workload_repeats(const struct aq_workload *w) {
    return w->repeats;
}

int aq_workload_herd(struct aq_workload *w, aq_time_us now_us, uint32_t index, bool *hurries) {
    struct worker *worker = &w->workers[index];
    *hurries = worker->state == WAITING;
    return *hurries ? worker_set_timer(w, worker, now_us) : 0;
}
