#include "client/internal.h"

static bool add_origin(struct aq_client *client, struct aq_text server, struct aq_text job,
                       struct aq_text *out) {
    *out = job;
    return job.len == 0 || aq_arena_join(&client->effects->texts, server, ',', job, out) == 0;
}

static bool jobs_with_origin(struct aq_client *client, struct aq_text server, struct aq_reply *reply) {
    struct aq_job *jobs = aq_arena_alloc(&client->effects->texts, reply->job_count * sizeof *jobs);
    if (!jobs) return false;
    for (uint32_t i = 0; i < reply->job_count; i++) {
        jobs[i] = reply->jobs[i];
        if (AQ_CLIENT_MUTANT(JOB_TWICE) && i == 1) jobs[i] = reply->jobs[0];
        if (AQ_CLIENT_MUTANT(BATCH_UNNAMED) && i > 0) continue;
        if (!add_origin(client, server, jobs[i].job_id, &jobs[i].job_id)) return false;
    }
    reply->jobs = jobs;
    return true;
}

const struct aq_reply *aq_replies_with_origin(struct aq_client *client, const struct aq_reply *reply,
                                              uint32_t server) {
    struct aq_text id = aq_members_id(client, server);
    struct aq_reply *out = aq_arena_alloc(&client->effects->texts, sizeof *out);
    if (!out) return NULL;
    *out = *reply;
    if (!add_origin(client, id, out->job_id, &out->job_id)) return NULL;
    if (out->job_count && !jobs_with_origin(client, id, out)) return NULL;
    return out;
}

/* Actions whose replies cannot be told apart are one. */
static enum aq_action family(enum aq_action action) {
    switch (action) {
    case AQ_ACTION_UNPAUSE: return AQ_ACTION_PAUSE;
    case AQ_ACTION_GET_MULTIPLE:
    case AQ_ACTION_PEEK: return AQ_ACTION_GET;
    default: return action;
    }
}

static uint8_t kind_wanted(enum aq_action action) {
    switch (action) {
    case AQ_ACTION_PING: return AQ_REPLY_PONG;
    case AQ_ACTION_VERSION: return AQ_REPLY_VERSION;
    case AQ_ACTION_STATS: return AQ_REPLY_STATS;
    case AQ_ACTION_ADMIN: return AQ_REPLY_RESULT;
    default: return AQ_REPLY_RESPONSE;
    }
}

/* A completion's reply names the job that it completed. */
static bool names_another_job(const struct client_call *c, const struct aq_reply *reply) {
    if (!aq_action_is_completion(c->action) || !reply->has_job_id) return false;
    struct aq_job_ref ref;
    return aq_job_ref_parse(c->request->job_id, &ref) == 0 && !aq_text_equal(ref.job, reply->job_id);
}

/* Could this be the answer to that request? */
static bool fits(const struct client_call *c, const struct aq_reply *reply) {
    enum aq_action action = call_action(c);
    switch ((enum aq_reply_kind)reply->kind) {
    case AQ_REPLY_ERROR:
    case AQ_REPLY_EMPTY:
    case AQ_REPLY_REDIRECT: return true;
    case AQ_REPLY_RESPONSE:
        return kind_wanted(action) == AQ_REPLY_RESPONSE && family(reply->action) == family(action) &&
               !names_another_job(c, reply);
    default: return reply->kind == kind_wanted(action);
    }
}

static bool is_refusal(const struct aq_reply *reply) {
    return reply->kind == AQ_REPLY_ERROR || reply->kind == AQ_REPLY_EMPTY ||
           reply->kind == AQ_REPLY_REDIRECT || (reply->kind == AQ_REPLY_RESPONSE && reply->has_error);
}

/* A refusal says that this attempt was not applied. An earlier one may have been, and be the very reason of
   the refusal; an earlier get only left a lease behind. */
static void end_with_reply(struct aq_client *client, uint32_t call, const struct aq_reply *reply) {
    const struct client_call *c = &client->calls[call];
    bool get = family(c->action) == AQ_ACTION_GET;
    if (!is_refusal(reply))
        aq_calls_end(client, call, AQ_OUTCOME_OK, reply);
    else if (c->ambiguous && !get)
        aq_calls_end(client, call, AQ_OUTCOME_UNKNOWN, NULL);
    else if (reply->kind == AQ_REPLY_EMPTY && !client->policy->report_unknown)
        aq_calls_end(client, call, AQ_OUTCOME_EMPTY, NULL);
    else
        aq_calls_end(client, call, AQ_OUTCOME_REFUSED, reply);
}

static void probe_ended(struct aq_client *client, uint32_t server, const struct aq_reply *reply) {
    if (reply && reply->kind == AQ_REPLY_PONG) {
        struct client_server *s = &client->servers[server];
        uint32_t probe = s->probe;
        s->probe = NONE;
        s->suspected = false;
        s->failed_probes = 0;
        aq_calls_free(client, probe);
        aq_health_well(client, server);
    } else {
        aq_health_probe_failed(client, server);
    }
}

/* What a reply says of whether there are jobs here, for the policy least_empty. */
static void note_jobs(struct client_server *s, enum aq_action action, const struct aq_reply *reply) {
    if (action == AQ_ACTION_PUT || reply->job_count)
        s->empties = 0;
    else if (family(action) == AQ_ACTION_GET && s->empties < UINT16_MAX)
        s->empties++;
}

static void redirected(struct aq_client *client, uint32_t call, const struct aq_reply *reply) {
    struct client_call *c = &client->calls[call];
    if (aq_commands_redirect(client, c->server, reply)) {
        aq_effects_mark(client, AQ_CLIENT_MARK_MALFORMED_REPLY);
        aq_attempts_answered_nonsense(client, call);
        return;
    }
    if (c->route == CALL_ROUTE_GET && family(c->action) == AQ_ACTION_GET)
        aq_attempts_failed_unsent(client, call); /* a redirecting server hands out nothing */
    else
        end_with_reply(client, call, reply);
}

void aq_replies_handle(struct aq_client *client, const struct aq_client_event *event) {
    uint32_t place = aq_members_known(client, event->server);
    uint32_t server = place & PLACE_RECORD ? place & ~PLACE_RECORD : NONE;
    if (server != NONE) client->servers[server].heard_us = client->now_us;
    uint32_t call = aq_calls_of_correlation(client, event->correlation);
    if ((AQ_CLIENT_MUTANT(REPLIES_IN_ORDER) || (AQ_CLIENT_MUTANT(STALE_REPLY) && call == NONE)) &&
        server != NONE && client->servers[server].flying != NONE)
        call = client->servers[server].flying;
    if (call == NONE || client->calls[call].server != server || client->servers[server].hung) {
        aq_effects_mark(client, AQ_CLIENT_MARK_STRAY_REPLY_DROPPED);
        return;
    }
    struct client_call *c = &client->calls[call];
    const struct aq_reply *reply = event->reply && fits(c, event->reply) ? event->reply : NULL;
    aq_calls_take(client, call);
    if (!reply) aq_effects_mark(client, AQ_CLIENT_MARK_MALFORMED_REPLY);
    client->servers[server].succeeded = true;
    client->servers[server].failed_sends = 0;
    if (c->pinging) {
        aq_backoff_pinged(client, call, reply);
    } else if (c->kind == CALL_KIND_PROBE) {
        probe_ended(client, server, reply);
    } else if (!reply && AQ_CLIENT_MUTANT(NONSENSE_OK) && aq_action_is_completion(c->action)) {
        aq_calls_end(client, call, AQ_OUTCOME_OK, NULL);
    } else if (!reply) {
        aq_attempts_answered_nonsense(client, call);
    } else {
        if (client->policy->sick_on_failure) aq_health_well(client, server);
        if (client->policy->select == AQ_SELECT_LEAST_EMPTY)
            note_jobs(&client->servers[server], call_action(c), reply);
        if (reply->kind == AQ_REPLY_REDIRECT)
            redirected(client, call, reply);
        else
            end_with_reply(client, call, reply);
    }
    aq_connections_flush(client, server);
}
