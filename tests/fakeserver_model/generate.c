#include "tests/fakeserver_model/generate.h"

#include "base/map.h"

#define JOBS_MOST  40 /* held at once */
#define FILES_MOST 80 /* on disk; no restart with more */

static uint32_t below(struct aq_random *random, uint32_t n) {
    return aq_random_below(random, n);
}

static bool one_in(struct aq_random *random, uint32_t n) {
    return below(random, n) == 0;
}

/* ---- the server ---- */

static void mix_row(struct aq_random *random, const struct aq_policy_field *field,
                    struct aq_server_policy *policy) {
    static const aq_time_us spans_us[] = {0, 0, AQ_US_PER_S, 3 * AQ_US_PER_S, 700 * AQ_US_PER_MS};
    const struct aq_server_policy *from =
        one_in(random, 2) ? &aq_server_policy_strict : &aq_server_policy_upstream;
    const char *source = (const char *)from + field->offset;
    char *target = (char *)policy + field->offset;
    if (field->type == AQ_POLICY_BOOL)
        *(bool *)target = *(const bool *)source;
    else if (field->type == AQ_POLICY_SPAN)
        *(aq_time_us *)target = spans_us[below(random, sizeof spans_us / sizeof spans_us[0])];
    else
        *(uint32_t *)target = *(const uint32_t *)source;
}

struct setup generate_setup(struct aq_random *random, enum mixture mixture) {
    struct setup setup = {.persistent = !one_in(random, 3), .default_ttl_s = one_in(random, 2) ? 3600 : 2};
    setup.policy = mixture == MIXTURE_UPSTREAM ? aq_server_policy_upstream : aq_server_policy_strict;
    if (mixture == MIXTURE_ROWS)
        for (size_t i = 0; i < aq_server_policy_table.count; i++)
            mix_row(random, &aq_server_policy_table.fields[i], &setup.policy);
    setup.start_us = one_in(random, 2) ? 0 : below(random, 5000000);
    static const uint32_t enough[] = {2, 5, 24};
    setup.jobs_enough = enough[below(random, 3)];
    setup.tube_expire_us = AQ_US_PER_S * (1 + below(random, 3));
    setup.by_key = one_in(random, 2);
    setup.reservation_max = one_in(random, 3) ? 1 + below(random, 2) : 0;
    setup.seed = aq_random_u64(random);
    return setup;
}

/* ---- moments ---- */

static int pick_tube(struct aq_random *random) {
    uint32_t tube = below(random, 12);
    if (one_in(random, 5)) return TUBES_PLAIN + (int)below(random, QUEUES);
    return tube < 6 ? 0 : tube < 9 ? 1 : tube < 11 ? 2 : 3;
}

static int throttled_tube(const struct model *model) {
    for (int i = 0; i < TUBES; i++)
        if (model->tubes[i].throttle > 0) return i;
    return NO_TUBE;
}

/* When a throttled tube that is asked too often may be asked again; 0 where there is none. */
static aq_time_us throttle_moment(const struct model *model) {
    int throttled = throttled_tube(model);
    if (throttled == NO_TUBE) return 0;
    const struct model_tube *tube = &model->tubes[throttled];
    uint32_t most = tube->throttle < 1 ? 1 : (uint32_t)tube->throttle;
    if (tube->calls < most) return 0;
    double window_s = tube->throttle < 1 ? 1 / tube->throttle : 1;
    return tube->calls_us[tube->calls - most] + (aq_time_us)(window_s * (double)AQ_US_PER_S);
}

/* A moment at which something is about to change, or 0. */
static aq_time_us moment(struct aq_random *random, const struct model *model, aq_time_us now_us) {
    uint32_t kind = below(random, 7);
    if (kind < 4 && model->job_count) {
        const struct model_job *job = &model->jobs[below(random, model->job_count)];
        if (job->state == AQ_JOB_READY || job->state == AQ_JOB_BURIED) return 0;
        return kind == 0 ? job->due_us : model_noticed_us(model, job);
    }
    if (kind == 4) return (now_us / AQ_US_PER_S + 1) * AQ_US_PER_S;
    return throttle_moment(model);
}

static aq_time_us span(struct aq_random *random, const struct model *model, aq_time_us now_us) {
    if (!one_in(random, 3)) {
        aq_time_us at_us = moment(random, model, now_us) + below(random, 3);
        if (at_us > now_us && at_us - now_us < 100000 * AQ_US_PER_S) return at_us - now_us - 1;
    }
    switch (below(random, 8)) {
    case 0: return 0;
    case 1: return below(random, 3);
    case 2: return below(random, 1000000);
    case 3: return (1 + below(random, 3)) * AQ_US_PER_S;
    case 4: return below(random, 5000000);
    case 5: return below(random, 400000);
    case 6: return one_in(random, 4) ? below(random, 200) * AQ_US_PER_S : below(random, 2000000);
    default: return 100 * AQ_US_PER_MS * below(random, 12);
    }
}

/* ---- requests ---- */

/* X(ACTION, weight) */
#define WEIGHTS(X)                                                                                           \
    X(PUT, 200)                                                                                              \
    X(GET, 190)                                                                                              \
    X(GET_MULTIPLE, 40)                                                                                      \
    X(DONE, 70)                                                                                              \
    X(DELETE, 50)                                                                                            \
    X(TOUCH, 40)                                                                                             \
    X(RELEASE, 110)                                                                                          \
    X(BURY, 30)                                                                                              \
    X(KICK, 40)                                                                                              \
    X(PEEK, 40)                                                                                              \
    X(CLEAR, 10)                                                                                             \
    X(STATS, 30)                                                                                             \
    X(PAUSE, 10)                                                                                             \
    X(UNPAUSE, 16)                                                                                           \
    X(THROTTLE, 22)                                                                                          \
    X(SET_PARENT_JOB, 50)                                                                                    \
    X(SET_CHILDREN_STARTED, 20)                                                                              \
    X(ADMIN, 2)                                                                                              \
    X(PING, 5)                                                                                               \
    X(VERSION, 5)

static enum aq_action pick_action(struct aq_random *random) {
    static const struct {
        enum aq_action action;
        uint32_t weight;
    } weights[] = {
#define X(name, weight) {AQ_ACTION_##name, weight},
        WEIGHTS(X)
#undef X
    };
    static const uint32_t sum = 0
#define X(name, weight) +weight
        WEIGHTS(X)
#undef X
        ;
    uint32_t at = below(random, sum);
    const size_t count = sizeof weights / sizeof weights[0];
    for (size_t i = 0; i < count; i++) {
        if (at < weights[i].weight) return weights[i].action;
        at -= weights[i].weight;
    }
    return AQ_ACTION_PING;
}

/* Names a job: mostly one in a state that the action is made for. */
static uint32_t pick_job(struct aq_random *random, const struct model *model, enum aq_job_state state,
                         uint32_t serial) {
    uint32_t kind = below(random, 20);
    if (kind == 0) return below(random, serial);
    if (kind == 1) return 0;
    if (model->job_count == 0) return below(random, serial);
    uint32_t from = below(random, model->job_count);
    if (kind < 5) return model->jobs[from].name;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = &model->jobs[(from + i) % model->job_count];
        if (job->state == state) return job->name;
    }
    return model->jobs[from].name;
}

/* A tube with something for this action to find, if it is about what a tube holds. */
static int pick_tube_for(struct aq_random *random, const struct model *model, enum aq_action action) {
    bool buried = action == AQ_ACTION_KICK || (action == AQ_ACTION_PEEK && one_in(random, 2));
    bool ready = action == AQ_ACTION_GET || action == AQ_ACTION_GET_MULTIPLE;
    enum aq_job_state state = buried ? AQ_JOB_BURIED : AQ_JOB_READY;
    if ((!buried && !ready) || model->job_count == 0) return pick_tube(random);
    uint32_t from = below(random, model->job_count);
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = &model->jobs[(from + i) % model->job_count];
        if (job->state == state) return tube_asked_of(job->tube);
    }
    return pick_tube(random);
}

static void fill_put(struct aq_random *random, struct aq_request *request) {
    static const int64_t spans_s[] = {-3, 0, 1, 1, 2, 2, 3, 4, 5, 60};
    static const int32_t limits[] = {-1, 0, 1, 1, 1, 1, 2, 4};
    request->given |= AQ_PARAM_TUBE;
    if (!one_in(random, 8)) request->given |= AQ_PARAM_BODY;
    if (!one_in(random, 3)) request->given |= AQ_PARAM_TTL;
    if (one_in(random, 4)) request->given |= AQ_PARAM_DELAY;
    if (one_in(random, 2)) request->given |= AQ_PARAM_PRIORITY;
    if (one_in(random, 2)) request->given |= AQ_PARAM_EXPIRED_LIMIT;
    if (request->given & AQ_PARAM_TTL) request->ttl_s = spans_s[below(random, 10)];
    if (request->given & AQ_PARAM_DELAY) request->delay_s = spans_s[below(random, 10)];
    if (request->given & AQ_PARAM_PRIORITY) request->priority = (int32_t)below(random, 13) - 1;
    if (request->given & AQ_PARAM_EXPIRED_LIMIT) request->expired_limit = limits[below(random, 8)];
    if (one_in(random, 400)) request->ttl_s = request->given & AQ_PARAM_TTL ? INT64_MAX : 0;
    if (one_in(random, 400)) request->priority = request->given & AQ_PARAM_PRIORITY ? INT32_MIN : 0;
}

/* Of which parent it is a child. */
static void fill_child(struct aq_random *random, const struct model *model, struct operation *operation) {
    operation->request.given |= AQ_PARAM_PARENT_ID;
    operation->parent = pick_job(random, model, AQ_JOB_PARENT, operation->serial);
}

static void fill_parent(struct aq_random *random, struct aq_request *request) {
    static const int64_t spans_s[] = {-1, 0, 1, 2, 3, 5, 8, 60};
    if (one_in(random, 2)) request->given |= AQ_PARAM_LIMIT;
    if (one_in(random, 2)) request->given |= AQ_PARAM_TIMEOUT;
    if (one_in(random, 2)) request->given |= AQ_PARAM_RUN_ON_TIMEOUT;
    if (one_in(random, 4)) request->given |= AQ_PARAM_NOOP;
    if (request->given & AQ_PARAM_LIMIT) request->limit = (int32_t)below(random, 6) - 1;
    if (request->given & AQ_PARAM_TIMEOUT) request->timeout_s = spans_s[below(random, 8)];
    request->run_on_timeout = !one_in(random, 4);
    request->noop = !one_in(random, 4);
}

static void fill_get(struct aq_random *random, struct aq_request *request) {
    request->given |= AQ_PARAM_TUBE;
    if (one_in(random, request->action == AQ_ACTION_GET ? 12 : 2)) request->given |= AQ_PARAM_COUNT;
    if (request->given & AQ_PARAM_COUNT) request->count = (int32_t)below(random, 7) - 1;
    if (one_in(random, 8)) request->given |= AQ_PARAM_REMOVE;
    if (request->given & AQ_PARAM_REMOVE) request->remove = one_in(random, 2);
}

static void fill_tube_request(struct aq_random *random, struct aq_request *request) {
    static const double rates[] = {-1, 0, 0.5, 0.25, 1, 1, 2, 3, 5, 20};
    request->given |= AQ_PARAM_TUBE;
    if (request->action == AQ_ACTION_PEEK && !one_in(random, 4)) {
        request->given |= AQ_PARAM_BURIED;
        request->buried = one_in(random, 3);
    }
    if (request->action == AQ_ACTION_THROTTLE) {
        request->given |= AQ_PARAM_TPS;
        request->tps = rates[below(random, sizeof rates / sizeof rates[0])];
    }
}

static void fill_job_request(struct aq_random *random, const struct model *model,
                             struct operation *operation) {
    struct aq_request *request = &operation->request;
    bool any_state = request->action == AQ_ACTION_DELETE;
    enum aq_job_state state = any_state ? (enum aq_job_state)below(random, 5) : AQ_JOB_RESERVED;
    if (request->action == AQ_ACTION_SET_CHILDREN_STARTED) state = AQ_JOB_PARENT;
    request->given |= AQ_PARAM_JOB_ID;
    operation->job = pick_job(random, model, state, operation->serial);
    const struct model_job *job = model_find(model, operation->job);
    if (request->action == AQ_ACTION_DELETE && one_in(random, 2)) {
        request->given |= AQ_PARAM_TUBE;
        if (job && !one_in(random, 4)) operation->tube = tube_asked_of(job->tube);
    }
    if (request->action == AQ_ACTION_RELEASE && one_in(random, 3)) {
        request->given |= AQ_PARAM_DELAY;
        request->delay_s = (int64_t)below(random, 5) - 1;
    }
}

static void fill(struct aq_random *random, const struct model *model, struct operation *operation) {
    struct aq_request *request = &operation->request;
    switch ((enum aq_action)request->action) {
    case AQ_ACTION_PUT:
        fill_put(random, request);
        if (one_in(random, 3)) fill_child(random, model, operation);
        break;
    case AQ_ACTION_SET_PARENT_JOB:
        fill_put(random, request);
        fill_parent(random, request);
        if (one_in(random, 3)) fill_child(random, model, operation);
        break;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: fill_get(random, request); break;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH:
    case AQ_ACTION_RELEASE:
    case AQ_ACTION_SET_CHILDREN_STARTED:
    case AQ_ACTION_BURY: fill_job_request(random, model, operation); break;
    case AQ_ACTION_KICK:
        request->given |= AQ_PARAM_TUBE;
        if (one_in(random, 3)) {
            request->given |= AQ_PARAM_JOB_ID;
            operation->job = pick_job(random, model, AQ_JOB_BURIED, operation->serial);
        }
        break;
    case AQ_ACTION_PEEK:
    case AQ_ACTION_CLEAR:
    case AQ_ACTION_PAUSE:
    case AQ_ACTION_UNPAUSE:
    case AQ_ACTION_THROTTLE: fill_tube_request(random, request); break;
    case AQ_ACTION_ADMIN:
        request->given |= AQ_PARAM_ADDRESS | AQ_PARAM_PORT;
        request->port = (uint16_t)(1 + below(random, 65535));
        break;
    default: break;
    }
    if (one_in(random, 200)) request->given &= (uint32_t)aq_random_u64(random);
    bool puts = request->action == AQ_ACTION_PUT || request->action == AQ_ACTION_SET_PARENT_JOB;
    if (puts && !one_in(random, operation->tube < TUBES_PLAIN ? 2 : 30)) {
        request->given |= AQ_PARAM_SHARD_KEY;
        operation->shard_key = below(random, SHARD_KEYS);
    }
    operation_settle(operation);
}

/* Stretches of a story have a theme each: actions whose rules need one another, on one tube, again and again.
 */
struct theme {
    enum aq_action actions[3];
};

#define STRETCH 32 /* operations */

static const struct theme themes[] = {
    {{AQ_ACTION_GET, AQ_ACTION_RELEASE, AQ_ACTION_RELEASE}},
    {{AQ_ACTION_GET, AQ_ACTION_BURY, AQ_ACTION_KICK}},
    {{AQ_ACTION_GET, AQ_ACTION_BURY, AQ_ACTION_PUT}},
    {{AQ_ACTION_GET, AQ_ACTION_TOUCH, AQ_ACTION_DONE}},
    {{AQ_ACTION_GET_MULTIPLE, AQ_ACTION_PUT, AQ_ACTION_PUT}},
    {{AQ_ACTION_THROTTLE, AQ_ACTION_GET, AQ_ACTION_GET}},
    {{AQ_ACTION_PUT, AQ_ACTION_GET, AQ_ACTION_GET}},
    {{AQ_ACTION_PAUSE, AQ_ACTION_UNPAUSE, AQ_ACTION_GET}},
    {{AQ_ACTION_CLEAR, AQ_ACTION_PUT, AQ_ACTION_DELETE}},
    {{AQ_ACTION_STATS, AQ_ACTION_PING, AQ_ACTION_VERSION}},
    {{AQ_ACTION_STATS, AQ_ACTION_GET, AQ_ACTION_DONE}},
    {{AQ_ACTION_SET_PARENT_JOB, AQ_ACTION_PUT, AQ_ACTION_SET_CHILDREN_STARTED}},
    {{AQ_ACTION_PUT, AQ_ACTION_GET, AQ_ACTION_DONE}},
};

static uint64_t stretch_of(const struct model *model, uint32_t serial) {
    return aq_map_mix(model->setup->seed + serial / STRETCH);
}

struct operation generate_operation(struct aq_random *random, const struct model *model, aq_time_us now_us,
                                    uint32_t serial) {
    struct operation operation = {.serial = serial, .tube = NO_TUBE};
    uint32_t kind = below(random, 400);
    if (kind < 80)
        operation.kind = OPERATION_ADVANCE;
    else if (kind < 84)
        operation.kind = OPERATION_OVERSLEEP;
    else if (kind >= 84 && kind < 88 && model->job_count + model->file_count < FILES_MOST)
        operation.kind = OPERATION_RESTART;
    else if (kind == 88)
        operation.kind = OPERATION_MALFORMED;
    else
        operation.kind = OPERATION_REQUEST;
    if (operation.kind == OPERATION_ADVANCE || operation.kind == OPERATION_OVERSLEEP)
        operation.span_us = span(random, model, now_us);
    if (operation.kind != OPERATION_REQUEST) return operation;
    uint64_t stretch = stretch_of(model, serial);
    const struct theme *theme = &themes[stretch % (sizeof themes / sizeof themes[0])];
    enum aq_action action = one_in(random, 2) ? pick_action(random) : theme->actions[below(random, 3)];
    int throttled = throttled_tube(model);
    bool asks_throttle = throttled != NO_TUBE && (throttle_moment(model) == now_us || one_in(random, 8));
    if (asks_throttle) action = AQ_ACTION_GET;
    bool full = model->job_count >= JOBS_MOST ||
                (model->job_count >= model->setup->jobs_enough && !one_in(random, 4));
    if (full && (action == AQ_ACTION_PUT || action == AQ_ACTION_SET_PARENT_JOB)) action = AQ_ACTION_DELETE;
    operation.request.action = (uint8_t)action;
    int of_stretch = (int)(stretch >> 60) % TUBES_ASKED;
    operation.tube = one_in(random, 2) ? of_stretch : pick_tube_for(random, model, action);
    if (asks_throttle) operation.tube = throttled;
    fill(random, model, &operation);
    return operation;
}
