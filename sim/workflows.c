/* Workflows: a parent is put, then its children with its id, level by level, each to where its parent is. */
#include "sim/workload_internal.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"

/* A parent that is at its server while its children are being put. */
struct workflow {
    uint64_t token; /* of the parent */
    uint32_t client;
    uint32_t wanted, over; /* children; those whose put has come to an end, whichever */
    uint32_t next_free;    /* plus one; 0: none */
    uint8_t ref_len;
    char ref[AQ_JOB_REF_CHARS_MAX];
};

static int take(struct aq_workload *w, uint32_t *out) {
    if (w->first_free_workflow) {
        *out = w->first_free_workflow - 1;
        w->first_free_workflow = w->workflows[*out].next_free;
        return 0;
    }
    int rc = aq_array_reserve(&w->workflows, &w->workflow_capacity, (size_t)w->workflow_count + 1,
                              sizeof *w->workflows);
    if (!rc) *out = w->workflow_count++;
    return rc;
}

static void give(struct aq_workload *w, uint32_t index) {
    w->workflows[index].next_free = w->first_free_workflow;
    w->first_free_workflow = index + 1;
}

static uint32_t draw_children(struct aq_workload *w) {
    const struct aq_range *range = &w->scenario->producers.parents.children;
    if (range->least == range->most) return range->least;
    return range->least + aq_random_below(&w->workflow_random, range->most - range->least + 1);
}

/* A put that belongs to the workflow with this number plus one; 0: the topmost parent, which has none above
   it. */
static struct aq_app_call *new_call(struct aq_workload *w, aq_time_us now_us, uint32_t client,
                                    uint32_t above) {
    struct aq_text none = {0};
    struct aq_text parent =
        above ? (struct aq_text){w->workflows[above - 1].ref, w->workflows[above - 1].ref_len} : none;
    struct aq_app_call *call = producers_new_call(w, now_us, client, parent, &w->workflow_random);
    if (!call || !above) return call;
    call->workflow = above;
    if (w->child_tube.len) call->request.tube = w->child_tube;
    return call;
}

static int put_parent(struct aq_workload *w, aq_time_us now_us, uint32_t client, uint32_t above,
                      uint32_t levels) {
    const struct aq_parent_section *s = &w->scenario->producers.parents;
    struct aq_app_call *call = new_call(w, now_us, client, above);
    if (!call) return AQ_ENOMEM;
    struct aq_request *r = &call->request;
    call->levels = (uint8_t)levels;
    call->children = (uint16_t)draw_children(w);
    r->action = AQ_ACTION_SET_PARENT_JOB;
    r->given |= AQ_PARAM_TIMEOUT | AQ_PARAM_RUN_ON_TIMEOUT | AQ_PARAM_NOOP;
    r->timeout_s = s->timeout_s;
    r->run_on_timeout = s->run_on_timeout;
    r->noop = s->noop == AQ_NOOP_ALL || (s->noop == AQ_NOOP_INNER && above);
    if (s->children_known) {
        r->given |= AQ_PARAM_LIMIT;
        r->limit = call->children;
    }
    return producers_submit(w, call, now_us);
}

int workflow_begin(struct aq_workload *w, aq_time_us now_us, uint32_t client) {
    return put_parent(w, now_us, client, 0, w->scenario->producers.parents.levels);
}

static int put_children(struct aq_workload *w, aq_time_us now_us, uint32_t index, uint32_t levels) {
    uint32_t wanted = w->workflows[index].wanted, client = w->workflows[index].client;
    int rc = 0;
    for (uint32_t i = 0; i < wanted && !rc; i++) {
        if (levels) {
            rc = put_parent(w, now_us, client, index + 1, levels);
            continue;
        }
        struct aq_app_call *call = new_call(w, now_us, client, index + 1);
        rc = call ? producers_submit(w, call, now_us) : AQ_ENOMEM;
    }
    return rc;
}

static int tell_all_put(struct aq_workload *w, aq_time_us now_us, const struct workflow *f) {
    AQ_ASSERT(f->ref_len <= sizeof f->ref);
    if (!w->world.ops->client_is_up(w->world.self, f->client)) return 0;
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    char *text = call ? aq_app_call_room(call, f->ref_len) : NULL;
    if (!text) return AQ_ENOMEM;
    memcpy(text, f->ref, f->ref_len);
    call->caller_kind = AQ_CALLER_PRODUCER;
    call->caller = call->client = f->client;
    call->token = f->token;
    call->request.action = AQ_ACTION_SET_CHILDREN_STARTED;
    call->request.given = AQ_PARAM_JOB_ID;
    call->request.job_id = (struct aq_text){text, f->ref_len};
    struct aq_job_ref ref;
    if (aq_job_ref_parse(call->request.job_id, &ref) == 0) call->job_hash = aq_text_hash(ref.job);
    return producers_submit(w, call, now_us);
}

static int all_put(struct aq_workload *w, aq_time_us now_us, uint32_t index) {
    const struct workflow f = w->workflows[index];
    give(w, index);
    return w->scenario->producers.parents.children_known ? 0 : tell_all_put(w, now_us, &f);
}

static int start_children(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                          struct aq_text ref) {
    uint32_t index;
    int rc = take(w, &index);
    if (rc) return rc;
    struct workflow *f = &w->workflows[index];
    *f = (struct workflow){
        .token = call->token, .client = call->client, .wanted = call->children, .ref_len = (uint8_t)ref.len};
    memcpy(f->ref, ref.at, ref.len);
    if (f->wanted == 0) return all_put(w, now_us, index);
    return put_children(w, now_us, index, call->levels - 1u);
}

int workflow_put_over(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us) {
    if (!call->workflow) return 0;
    uint32_t index = call->workflow - 1;
    if (++w->workflows[index].over < w->workflows[index].wanted) return 0;
    return all_put(w, now_us, index);
}

int workflow_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                      enum aq_outcome outcome, const struct aq_reply *reply) {
    bool parent = call->request.action == AQ_ACTION_SET_PARENT_JOB;
    bool put = parent && outcome == AQ_OUTCOME_OK && reply && reply->has_job_id && !reply->has_error &&
               reply->job_id.len <= AQ_JOB_REF_CHARS_MAX;
    int rc = put ? start_children(w, call, now_us, reply->job_id) : 0;
    return rc ? rc : workflow_put_over(w, call, now_us);
}
