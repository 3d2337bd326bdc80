#include <inttypes.h>
#include <stdio.h>

#include "client/gateway_internal.h"
#include "protocol/ids.h"

#define SAY(...) snprintf(why, GATEWAY_WHY_MAX, __VA_ARGS__)

/* Which of the request's ids names the server that it must go to. */
static bool goes_to_origin(const struct aq_request *request, struct aq_text *id, const char **param) {
    enum aq_action action = request->action;
    *id = request->job_id;
    *param = "job_id";
    if (aq_action_is_completion(action) || action == AQ_ACTION_SET_CHILDREN_STARTED) return true;
    if (action == AQ_ACTION_KICK) return request->job_id.len > 0;
    *id = request->parent_id;
    *param = "parent_id";
    return (action == AQ_ACTION_PUT || action == AQ_ACTION_SET_PARENT_JOB) && request->parent_id.len > 0;
}

/* The address of the member whose id this is, or NULL. */
static const char *address_of(const struct aq_gateway *gateway, struct aq_text id) {
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++)
        if (aq_text_equal(aq_gateway_server(gateway, i).id, id)) return gateway->config.book->items[i].text;
    return NULL;
}

/* How much of a text is shown: not more than max bytes, and not half a character. */
static int shown_of(struct aq_text text, uint32_t max) {
    if (text.len <= max) return (int)text.len;
    while (max > 0 && ((unsigned char)text.at[max] & 0xc0) == 0x80)
        max--;
    return (int)max;
}

static void explain_id(struct aq_text id, const char *param, char *why) {
    struct aq_job_ref ref;
    int shown = shown_of(id, 64);
    if (id.len == 0)
        SAY("params.%s: missing", param);
    else if (aq_job_ref_parse(id, &ref) || ref.server.len == 0)
        SAY("params.%s: found \"%.*s\", allowed is \"server,job\" as this client hands it out", param, shown,
            id.at);
    else
        SAY("params.%s: \"%.*s\" names a server that this client does not know", param, shown, id.at);
}

static void explain_invalid(const struct aq_request *request, char *why) {
    struct aq_text id;
    const char *param;
    switch ((enum aq_action)request->action) {
    case AQ_ACTION_DRAIN:
        SAY("params.server_id: allowed is the id or host:port of a server that this client uses");
        return;
    case AQ_ACTION_ADD_SERVER: SAY("params.server_url: allowed is host:port"); return;
    case AQ_ACTION_UPDATE_SERVERS: SAY("params.servers: allowed is host:port,host:port,..."); return;
    default: break;
    }
    if (goes_to_origin(request, &id, &param))
        explain_id(id, param, why);
    else if (request->tube.len == 0)
        SAY("params.tube: missing");
    else
        SAY("the request is longer than a server takes");
}

static void explain_unavailable(const struct aq_gateway *gateway, const struct aq_request *request,
                                char *why) {
    struct aq_text id;
    const char *param, *address;
    struct aq_job_ref ref;
    if (goes_to_origin(request, &id, &param) && aq_job_ref_parse(id, &ref) == 0 &&
        (address = address_of(gateway, ref.server))) {
        SAY("server %.128s, where this job is, is not available", address);
        return;
    }
    uint32_t members = 0, well = aq_gateway_well_servers(gateway);
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++)
        members++;
    SAY("no server is available: %" PRIu32 " of %" PRIu32 " well%s%.160s", well, members,
        gateway->last_why[0] ? "; last failure: " : "", gateway->last_why);
}

static void explain_refusal(const struct aq_reply *reply, char *why) {
    int shown = shown_of(reply->error, GATEWAY_WHY_MAX - 1);
    switch ((enum aq_reply_kind)reply->kind) {
    case AQ_REPLY_EMPTY: SAY("the server answered {}: it knows no such action"); return;
    case AQ_REPLY_REDIRECT:
        SAY("the server sends its clients to another server and takes nothing more");
        return;
    default: break;
    }
    if (shown == 0)
        SAY("the server refused");
    else
        SAY("%.*s", shown, reply->error.at);
}

void gateway_explain(const struct aq_gateway *gateway, const struct aq_request *request,
                     enum aq_outcome outcome, const struct aq_reply *reply, char *why) {
    switch (outcome) {
    case AQ_OUTCOME_OK: why[0] = 0; return;
    case AQ_OUTCOME_REFUSED: explain_refusal(reply, why); return;
    case AQ_OUTCOME_UNAVAILABLE: explain_unavailable(gateway, request, why); return;
    case AQ_OUTCOME_UNKNOWN:
        SAY("not every server that was asked answered in time; the request may or may not have been applied");
        return;
    case AQ_OUTCOME_INVALID: explain_invalid(request, why); return;
    case AQ_OUTCOME_EMPTY: SAY("the call failed"); return;
    }
}
