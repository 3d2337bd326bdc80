#include "tests/fakeserver_model/operation.h"

const char *const tube_names[TUBES] = {
    "a",      "b",      "c",      "d",         "fq-m",      "fq-n",
    "fq-m_0", "fq-m_1", "fq-m_2", "fq-m:s:k0", "fq-m:s:k1", "fq-m:s:k2",
    "fq-n_0", "fq-n_1", "fq-n_2", "fq-n:s:k0", "fq-n:s:k1", "fq-n:s:k2",
};
const char *const shard_keys[SHARD_KEYS] = {"k0", "k1", "k2"};

void operation_settle(struct operation *operation) {
    const struct aq_request all = operation->request;
    struct aq_request *request = &operation->request;
    *request = (struct aq_request){.action = all.action, .given = all.given};
    if (all.given & AQ_PARAM_TTL) request->ttl_s = all.ttl_s;
    if (all.given & AQ_PARAM_DELAY) request->delay_s = all.delay_s;
    if (all.given & AQ_PARAM_PRIORITY) request->priority = all.priority;
    if (all.given & AQ_PARAM_EXPIRED_LIMIT) request->expired_limit = all.expired_limit;
    if (all.given & AQ_PARAM_COUNT) request->count = all.count;
    if (all.given & AQ_PARAM_LIMIT) request->limit = all.limit;
    if (all.given & AQ_PARAM_TIMEOUT) request->timeout_s = all.timeout_s;
    if (all.given & AQ_PARAM_TPS) request->tps = all.tps;
    if (all.given & AQ_PARAM_NOOP) request->noop = all.noop;
    if (all.given & AQ_PARAM_RUN_ON_TIMEOUT) request->run_on_timeout = all.run_on_timeout;
    if (all.given & AQ_PARAM_REMOVE) request->remove = all.remove;
    if (all.given & AQ_PARAM_BURIED) request->buried = all.buried;
    if (all.given & AQ_PARAM_PORT) request->port = all.port;
    if (!(all.given & AQ_PARAM_TUBE)) operation->tube = NO_TUBE;
    if (!(all.given & AQ_PARAM_JOB_ID)) operation->job = 0;
    if (!(all.given & AQ_PARAM_PARENT_ID)) operation->parent = 0;
    if (!(all.given & AQ_PARAM_SHARD_KEY)) operation->shard_key = 0;
}

static void print_params(FILE *out, const struct operation *operation) {
    const struct aq_request *request = &operation->request;
    uint32_t given = request->given;
    if (given & AQ_PARAM_JOB_ID) fprintf(out, " j%u", operation->job);
    if (given & AQ_PARAM_TUBE) fprintf(out, " tube %s", tube_names[operation->tube]);
    if (given & AQ_PARAM_BODY) fprintf(out, " body %u", operation->serial);
    if (given & AQ_PARAM_PARENT_ID) fprintf(out, " parent j%u", operation->parent);
    if (given & AQ_PARAM_SHARD_KEY) fprintf(out, " shard_key %s", shard_keys[operation->shard_key]);
    if (given & AQ_PARAM_TTL) fprintf(out, " ttl %lld", (long long)request->ttl_s);
    if (given & AQ_PARAM_DELAY) fprintf(out, " delay %lld", (long long)request->delay_s);
    if (given & AQ_PARAM_PRIORITY) fprintf(out, " priority %d", request->priority);
    if (given & AQ_PARAM_EXPIRED_LIMIT) fprintf(out, " expired_limit %d", request->expired_limit);
    if (given & AQ_PARAM_COUNT) fprintf(out, " count %d", request->count);
    if (given & AQ_PARAM_LIMIT) fprintf(out, " limit %d", request->limit);
    if (given & AQ_PARAM_TIMEOUT) fprintf(out, " timeout %lld", (long long)request->timeout_s);
    if (given & AQ_PARAM_TPS) fprintf(out, " tps %g", request->tps);
    if (given & AQ_PARAM_NOOP) fprintf(out, " noop %s", request->noop ? "true" : "false");
    if (given & AQ_PARAM_RUN_ON_TIMEOUT)
        fprintf(out, " run_on_timeout %s", request->run_on_timeout ? "true" : "false");
    if (given & AQ_PARAM_REMOVE) fprintf(out, " delete %s", request->remove ? "true" : "false");
    if (given & AQ_PARAM_BURIED) fprintf(out, " buried %s", request->buried ? "true" : "false");
    if (given & AQ_PARAM_ADDRESS) fprintf(out, " server given");
    if (given & AQ_PARAM_PORT) fprintf(out, " port %u", request->port);
}

void operation_print(FILE *out, const struct operation *operation) {
    switch (operation->kind) {
    case OPERATION_REQUEST:
        fprintf(out, "%s", aq_action_word((enum aq_action)operation->request.action));
        if (operation->request.action == AQ_ACTION_PUT ||
            operation->request.action == AQ_ACTION_SET_PARENT_JOB)
            fprintf(out, " (j%u)", operation->serial);
        print_params(out, operation);
        break;
    case OPERATION_MALFORMED: fprintf(out, "bytes that make no request"); break;
    case OPERATION_ADVANCE: fprintf(out, "%.6f s pass", (double)operation->span_us / 1e6); break;
    case OPERATION_OVERSLEEP:
        fprintf(out, "%.6f s pass, and nobody wakes the server", (double)operation->span_us / 1e6);
        break;
    case OPERATION_RESTART: fprintf(out, "the server restarts"); break;
    }
}
