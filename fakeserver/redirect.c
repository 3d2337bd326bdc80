/* What a server does after it was told to send its clients elsewhere. Nothing takes that back. */
#include "fakeserver/internal.h"

/* AllQueue reads every figure of stats as a whole number, and fails at the first mean as soon as there is a
 * tube. */
static bool has_tube(const struct aq_server *server) {
    for (uint32_t i = 0; i < server->tubes.count; i++)
        if (server->tubes.items[i].made) return true;
    return false;
}

static void send_elsewhere(struct aq_server *server, struct aq_reply *reply) {
    struct aq_text host = {server->redirect_host, server->redirect_host_len};
    reply->kind = AQ_REPLY_REDIRECT;
    reply->has_value = true;
    reply->value = aq_server_text(server, "", host, "");
    reply->port = server->redirect_port;
}

bool aq_redirect_answers(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    const struct aq_server_policy *policy = server->policy;
    if (!server->redirected) return false;
    if (policy->redirect_refuses_gets && request->action != AQ_ACTION_GET) return false;
    if (policy->redirect_fails_on_tubes && has_tube(server)) {
        aq_server_refuse(server, request, reply, AQ_TEXT("Invalid Int32: \"0.0\""));
        return true;
    }
    bool empty = server->slab.live == 0;
    if (!empty && !policy->redirect_refuses_gets) return false;
    if (empty)
        send_elsewhere(server, reply);
    else
        reply->kind = AQ_REPLY_EMPTY;
    aq_server_tap_request(server, AQ_TAP_EMPTY, (struct aq_text){0}, request->tube);
    return true;
}

bool aq_redirect_breaks(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (!server->redirected || !server->policy->redirect_breaks_ping) return false;
    bool ping = request->action == AQ_ACTION_PING;
    if (!ping && request->action != AQ_ACTION_VERSION) return false;
    aq_server_refuse(server, request, reply,
                     ping ? AQ_TEXT("Unexpected char 'p' at line 1, column 1")
                          : AQ_TEXT("Unexpected char 'v' at line 1, column 1"));
    return true;
}
