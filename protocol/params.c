#include "protocol/params.h"

#include "base/assert.h"

#define FIELD(name, type_name, member, word, is_required)                                                    \
    {                                                                                                        \
        AQ_PARAM_##name, AQ_PARAM_TYPE_##type_name, offsetof(struct aq_request, member), is_required,        \
            sizeof(word) - 1, word, "\"" word "\":\""                                                        \
    }
#define NEEDED(name, type_name, member, word)  FIELD(name, type_name, member, word, true)
#define ALLOWED(name, type_name, member, word) FIELD(name, type_name, member, word, false)

#define PUT_FIELDS                                                                                           \
    NEEDED(TUBE, TEXT, tube, "tube"), ALLOWED(BODY, TEXT, body, "body"),                                     \
        ALLOWED(TTL, SECONDS, ttl_s, "ttl"), ALLOWED(DELAY, DELAY, delay_s, "delay"),                        \
        ALLOWED(PRIORITY, INT32, priority, "priority"), ALLOWED(PARENT_ID, TEXT, parent_id, "parent_id"),    \
        ALLOWED(EXPIRED_LIMIT, INT32, expired_limit, "expired_limit"), ALLOWED(NOOP, BOOL, noop, "noop"),    \
        ALLOWED(SHARD_KEY, TEXT, shard_key, "shard_key")

static const struct aq_param_field put[] = {PUT_FIELDS};
static const struct aq_param_field get[] = {NEEDED(TUBE, TEXT, tube, "tube"),
                                            ALLOWED(COUNT, COUNT, count, "count"),
                                            ALLOWED(REMOVE, BOOL, remove, "delete")};
static const struct aq_param_field peek[] = {NEEDED(TUBE, TEXT, tube, "tube"),
                                             ALLOWED(BURIED, BOOL, buried, "buried")};
static const struct aq_param_field job[] = {NEEDED(JOB_ID, TEXT, job_id, "job_id")};
static const struct aq_param_field delete[] = {ALLOWED(JOB_ID, TEXT, job_id, "job_id"),
                                               ALLOWED(TUBE, TEXT, tube, "tube")};
static const struct aq_param_field release[] = {NEEDED(JOB_ID, TEXT, job_id, "job_id"),
                                                ALLOWED(DELAY, DELAY, delay_s, "delay")};
static const struct aq_param_field bury[] = {ALLOWED(JOB_ID, TEXT, job_id, "job_id")};
static const struct aq_param_field kick[] = {NEEDED(TUBE, TEXT, tube, "tube"),
                                             ALLOWED(JOB_ID, TEXT, job_id, "job_id")};
static const struct aq_param_field tube[] = {ALLOWED(TUBE, TEXT, tube, "tube")};
static const struct aq_param_field throttle[] = {NEEDED(TUBE, TEXT, tube, "tube"),
                                                 NEEDED(TPS, PER_S, tps, "tps")};
/* Only here does AllQueue honour an id chosen by the caller, and calls it "id". */
static const struct aq_param_field set_parent_job[] = {
    PUT_FIELDS, ALLOWED(LIMIT, INT32, limit, "limit"), ALLOWED(TIMEOUT, SECONDS, timeout_s, "timeout"),
    ALLOWED(RUN_ON_TIMEOUT, BOOL, run_on_timeout, "run_on_timeout"), ALLOWED(JOB_ID, TEXT, job_id, "id")};
/* Required for a redirect only, which the codec sees to; so is "action_type". */
static const struct aq_param_field admin[] = {ALLOWED(ADDRESS, TEXT, address, "server"),
                                              ALLOWED(PORT, PORT, port, "port")};
static const struct aq_param_field drain[] = {NEEDED(ADDRESS, TEXT, address, "server_id")};
static const struct aq_param_field add_server[] = {NEEDED(ADDRESS, TEXT, address, "server_url")};
static const struct aq_param_field update_servers[] = {NEEDED(ADDRESS, TEXT, address, "servers")};

#define LIST(fields)                                                                                         \
    { fields, sizeof(fields) / sizeof(*fields) }

static const struct aq_param_list lists[AQ_ACTION_COUNT] = {
    [AQ_ACTION_PUT] = LIST(put),
    [AQ_ACTION_GET] = LIST(get),
    [AQ_ACTION_GET_MULTIPLE] = LIST(get),
    [AQ_ACTION_DONE] = LIST(job),
    [AQ_ACTION_DELETE] = LIST(delete),
    [AQ_ACTION_TOUCH] = LIST(job),
    [AQ_ACTION_RELEASE] = LIST(release),
    [AQ_ACTION_BURY] = LIST(bury),
    [AQ_ACTION_KICK] = LIST(kick),
    [AQ_ACTION_PEEK] = LIST(peek),
    [AQ_ACTION_CLEAR] = LIST(tube),
    [AQ_ACTION_PAUSE] = LIST(tube),
    [AQ_ACTION_UNPAUSE] = LIST(tube),
    [AQ_ACTION_THROTTLE] = LIST(throttle),
    [AQ_ACTION_SET_PARENT_JOB] = LIST(set_parent_job),
    [AQ_ACTION_SET_CHILDREN_STARTED] = LIST(job),
    [AQ_ACTION_ADMIN] = LIST(admin),
    [AQ_ACTION_DRAIN] = LIST(drain),
    [AQ_ACTION_ADD_SERVER] = LIST(add_server),
    [AQ_ACTION_UPDATE_SERVERS] = LIST(update_servers),
};

struct aq_param_list aq_params_of(enum aq_action action) {
    AQ_ASSERT((unsigned)action < AQ_ACTION_COUNT);
    return lists[action];
}
