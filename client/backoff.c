/* Rounds of further attempts, as AllQueue's client makes them. In each the connection to the server that
   failed is made anew and pinged; then a call with an origin is sent there again, any other to a well server,
   which is pinged as well; then follows a pause, twice as long after the second round.

       failed --> round: restart, ping --> target: choose, ping --> send --> answered
         ^                                                           |
         +------------- pause <-------------------------------------+

   A ping only sets the server's health: the call is sent whatever came of it. */
#include "client/internal.h"

void aq_backoff_failed(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    aq_time_us pause_us = client->policy->backoff_pause_us;
    if (c->round == 0) {
        c->failed_at = c->server;
        aq_backoff_round(client, call);
        return;
    }
    c->step = STEP_ROUND;
    if (pause_us == 0) {
        aq_attempts_pend(client, call);
        return;
    }
    pause_us = pause_us > AQ_TIME_NEVER / c->round ? AQ_TIME_NEVER : pause_us * c->round;
    c->state = CALL_PAUSED;
    aq_calls_set_deadline(client, call, aq_time_min(c->deadline_us, aq_time_after(client->now_us, pause_us)));
}

void aq_backoff_round(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (c->round >= client->policy->backoff_rounds) {
        aq_attempts_give_up(client, call);
        return;
    }
    c->round++;
    c->server = c->failed_at = aq_members_moved(client, c->failed_at);
    c->step = STEP_TARGET;
    aq_connections_restart(client, c->failed_at);
    if (client->policy->retry_pings)
        aq_connections_ping(client, call, true);
    else
        aq_attempts_pend(client, call);
}

void aq_backoff_target(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    c->step = STEP_SEND;
    if (c->route == CALL_ROUTE_ORIGIN) {
        aq_connections_enqueue(client, call);
        return;
    }
    uint32_t server = aq_attempts_choose(client, call);
    if (server == NONE) return;
    c->server = server;
    if (client->policy->retry_pings)
        aq_connections_ping(client, call, false);
    else
        aq_connections_enqueue(client, call);
}

/* A loose call whose own ping of its server has ended; reply NULL: it was not answered. */
void aq_backoff_pinged(struct aq_client *client, uint32_t call, const struct aq_reply *reply) {
    struct client_call *c = &client->calls[call];
    bool answered = reply && reply->kind == AQ_REPLY_PONG;
    c->pinging = false;
    c->pinged = answered;
    if (c->kind == CALL_KIND_CHILD) {
        aq_health_pinged(client, c->server, answered);
        aq_calls_end(client, call, answered ? AQ_OUTCOME_OK : AQ_OUTCOME_UNAVAILABLE, reply);
        return;
    }
    aq_attempts_pend(client, call); /* loose calls would be lost to what a failed server does to its own */
    aq_health_pinged(client, c->server, answered);
}
