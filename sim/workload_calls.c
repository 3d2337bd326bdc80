/* The calls of all callers: made, answered, given up. */
#include "sim/workload_internal.h"

#include "base/error.h"
#include "protocol/ids.h"

int workload_observe(struct aq_workload *w, const struct aq_observation *seen) {
    return w->observer.observe(w->observer.self, seen);
}

struct aq_observation workload_about(const struct aq_app_call *call, enum aq_seen_kind kind,
                                     aq_time_us now_us) {
    return (struct aq_observation){.at_us = now_us,
                                   .kind = kind,
                                   .caller = call->caller,
                                   .is_producer = call->caller_kind == AQ_CALLER_PRODUCER,
                                   .is_command = call->caller_kind == AQ_CALLER_COMMAND,
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

int workload_submit(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us) {
    call->called_us = now_us;
    if (call->caller_kind != AQ_CALLER_OPERATOR) {
        struct aq_observation seen = workload_about(call, AQ_SEEN_CALL, now_us);
        int rc = workload_observe(w, &seen);
        if (rc) return rc;
    }
    return w->world.ops->submit(w->world.self, call->client, call->id, &call->request);
}

void workload_wait_is_over(struct aq_workload *w, const struct aq_app_call *call) {
    if (w->load_stopped && !call->abandoned && (uint32_t)(call->id >> 32) <= w->old_serial) w->old_open--;
}

int workload_abandon(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us) {
    workload_wait_is_over(w, call);
    call->abandoned = true;
    if (call->caller_kind == AQ_CALLER_OPERATOR) return 0;
    struct aq_observation seen = workload_about(call, AQ_SEEN_ABANDONED, now_us);
    return workload_observe(w, &seen);
}

int workload_observe_answer(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                            enum aq_outcome outcome, const struct aq_reply *reply) {
    struct aq_observation seen = workload_about(call, AQ_SEEN_ANSWER, now_us);
    seen.outcome = outcome;
    seen.last = true;
    seen.error = reply && (reply->has_error || reply->kind == AQ_REPLY_ERROR);
    seen.empty = call->request.action == AQ_ACTION_GET || call->request.action == AQ_ACTION_GET_MULTIPLE;
    bool makes = call->request.action == AQ_ACTION_PUT || call->request.action == AQ_ACTION_SET_PARENT_JOB;
    if (makes && reply && reply->has_job_id) {
        struct aq_job_ref ref;
        seen.job = reply->job_id;
        if (aq_job_ref_parse(reply->job_id, &ref) == 0) seen.job_hash = aq_text_hash(ref.job);
    }
    return workload_observe(w, &seen);
}

void workload_record_latency(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us) {
    aq_time_us span_us = now_us - call->called_us;
    switch ((enum aq_action)call->request.action) {
    case AQ_ACTION_PUT: aq_histogram_record(&w->latencies[AQ_LATENCY_PUT], span_us); break;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: aq_histogram_record(&w->latencies[AQ_LATENCY_GET], span_us); break;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
        aq_histogram_record(&w->latencies[AQ_LATENCY_DONE], span_us);
        aq_histogram_record(&w->latencies[AQ_LATENCY_PUT_TO_DONE], now_us - call->put_us);
        aq_histogram_record(&w->latencies[AQ_LATENCY_GET_TO_DONE], now_us - call->get_us);
        break;
    default: break;
    }
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
    return workload_submit(w, call, now_us);
}
