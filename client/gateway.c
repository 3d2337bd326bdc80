#include "client/gateway_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "protocol/codec.h"

#define KEPT_TEXTS_BYTES 16384 /* of a call that is over; more is given back at once */

const char *aq_gateway_listener_word(enum aq_gateway_listener listener) {
    static const char *const words[AQ_GATEWAY_LISTENERS] = {"tcp", "unix", "http"};
    AQ_ASSERT(listener < AQ_GATEWAY_LISTENERS);
    return words[listener];
}

int aq_gateway_new(const struct aq_gateway_config *config, struct aq_gateway **out) {
    struct aq_gateway *gateway = aq_alloc_zeroed(1, sizeof *gateway);
    if (!gateway) return AQ_ENOMEM;
    gateway->config = *config;
    gateway->wake_at_us = AQ_TIME_NEVER;
    gateway->free_call = GATEWAY_NONE;
    gateway->begun_us = config->world.now_us(config->world.context);
    struct aq_client_config core = {.book = config->book,
                                    .policy = config->policy,
                                    .servers = config->servers,
                                    .server_count = config->server_count,
                                    .random = config->random};
    int rc = aq_client_new(&core, &gateway->client);
    if (!rc) rc = gateway_servers_grow(gateway);
    if (rc)
        aq_gateway_free(gateway);
    else
        *out = gateway;
    return rc;
}

void aq_gateway_free(struct aq_gateway *gateway) {
    if (!gateway) return;
    AQ_ASSERT(!gateway->stepping);
    aq_client_free(gateway->client);
    aq_client_effects_close(&gateway->effects);
    aq_arena_close(&gateway->scratch);
    for (uint32_t i = 0; i < gateway->call_count; i++) {
        aq_arena_close(&gateway->calls[i]->texts);
        aq_free(gateway->calls[i]);
    }
    aq_free(gateway->calls);
    aq_free(gateway->servers);
    aq_free(gateway->deferred);
    aq_free(gateway);
}

static void fail(struct aq_gateway *gateway) {
    if (gateway->failed) return;
    gateway->failed = true;
    gateway->config.world.failed(gateway->config.world.context);
}

/* ---- calls ---- */

static uint64_t name_of(const struct gateway_call *call) {
    return (uint64_t)call->generation << 32 | call->index;
}

static struct gateway_call *call_named(const struct aq_gateway *gateway, uint64_t name) {
    uint32_t index = (uint32_t)name;
    if (index >= gateway->call_count) return NULL;
    struct gateway_call *call = gateway->calls[index];
    return call->open && call->generation == name >> 32 ? call : NULL;
}

static struct gateway_call *new_call(struct aq_gateway *gateway) {
    struct gateway_call *call;
    if (gateway->free_call != GATEWAY_NONE) {
        call = gateway->calls[gateway->free_call];
        gateway->free_call = call->next_free;
    } else {
        if (aq_array_reserve(&gateway->calls, &gateway->call_capacity, (size_t)gateway->call_count + 1,
                             sizeof *gateway->calls))
            return NULL;
        call = aq_alloc_zeroed(1, sizeof *call);
        if (!call) return NULL;
        call->index = gateway->call_count;
        gateway->calls[gateway->call_count++] = call;
    }
    call->generation++;
    call->open = true;
    gateway->open++;
    return call;
}

static void stop_waiting(struct aq_gateway *gateway, struct gateway_call *call) {
    if (!call->answered) return;
    call->answered = NULL;
    gateway->awaited--;
}

static void free_call(struct aq_gateway *gateway, struct gateway_call *call) {
    AQ_ASSERT(call->open && !call->answered);
    gateway->open--;
    gateway->own_open -= call->own;
    call->own = false;
    gateway->open_bytes -= call->bytes;
    if (call->bytes > KEPT_TEXTS_BYTES)
        aq_arena_close(&call->texts);
    else
        aq_arena_reset(&call->texts);
    call->open = false;
    call->bytes = 0;
    call->next_free = gateway->free_call;
    gateway->free_call = call->index;
}

static void answer(struct aq_gateway *gateway, const struct aq_client_effect *effect) {
    struct gateway_call *call = call_named(gateway, effect->call);
    AQ_ASSERT(call);
    enum aq_action action = call->request.action;
    if (!call->own)
        gateway_count(gateway, action, effect->outcome, aq_gateway_now_us(gateway) - call->begun_us);
    aq_gateway_answered *answered = call->answered;
    if (answered) {
        char why[GATEWAY_WHY_MAX] = "";
        if (effect->outcome != AQ_OUTCOME_OK)
            gateway_explain(gateway, &call->request, effect->outcome, effect->reply, why);
        struct aq_gateway_answer told = {action, effect->outcome, effect->reply, why};
        stop_waiting(gateway, call);
        answered(call->asker, call->tag, &told);
    } else if (!call->own) {
        gateway->forgotten++;
    }
    free_call(gateway, call);
}

/* ---- steps of the core ---- */

static void defer(struct aq_gateway *gateway, enum aq_client_event_kind kind, uint32_t server, uint32_t call,
                  const char *why) {
    if (aq_array_reserve(&gateway->deferred, &gateway->deferred_capacity, (size_t)gateway->deferred_count + 1,
                         sizeof *gateway->deferred)) {
        fail(gateway);
        return;
    }
    struct gateway_deferred *deferred = &gateway->deferred[gateway->deferred_count++];
    *deferred = (struct gateway_deferred){.kind = kind, .server = server, .call = call};
    snprintf(deferred->why, sizeof deferred->why, "%s", why ? why : "");
}

static void carry_out(struct aq_gateway *gateway, const struct aq_client_effect *effect) {
    const struct aq_gateway_world *world = &gateway->config.world;
    switch (effect->kind) {
    case AQ_CLIENT_CONNECT:
        gateway->servers[effect->server].connected = false;
        if (world->connect(world->context, effect->server, gateway->config.book->items[effect->server].text))
            defer(gateway, AQ_CLIENT_DISCONNECTED, effect->server, GATEWAY_NONE, "no connection can be made");
        return;
    case AQ_CLIENT_CLOSE:
        gateway->servers[effect->server].connected = false;
        world->close(world->context, effect->server);
        return;
    case AQ_CLIENT_SEND:
        gateway->servers[effect->server].sent++;
        if (world->send(world->context, effect->server, effect->correlation, &effect->request))
            defer(gateway, AQ_CLIENT_DISCONNECTED, effect->server, GATEWAY_NONE, "sending failed");
        return;
    case AQ_CLIENT_ANSWER: answer(gateway, effect); return;
    case AQ_CLIENT_MARK: gateway->marks[effect->mark]++; return;
    case AQ_CLIENT_CHOICE:
    case AQ_CLIENT_RETRY:
    case AQ_CLIENT_MEMBERSHIP: return;
    }
}

static uint64_t marks_in(const struct aq_client_effects *effects) {
    uint64_t marks = 0;
    for (uint32_t i = 0; i < effects->count; i++)
        if (effects->items[i].kind == AQ_CLIENT_MARK) marks |= UINT64_C(1) << effects->items[i].mark;
    return marks;
}

static void step(struct aq_gateway *gateway, const struct aq_client_event *event, const char *why) {
    AQ_ASSERT(!gateway->stepping);
    if (gateway->failed) return;
    gateway->stepping = true;
    snprintf(gateway->why, sizeof gateway->why, "%s", why ? why : "");
    if (aq_client_step(gateway->client, aq_gateway_now_us(gateway), event, &gateway->effects) ||
        gateway_servers_grow(gateway)) {
        fail(gateway);
    } else {
        gateway_servers_marked(gateway, event->kind, event->server, marks_in(&gateway->effects));
        for (uint32_t i = 0; i < gateway->effects.count; i++)
            carry_out(gateway, &gateway->effects.items[i]);
    }
    gateway->stepping = false;
}

static void step_deferred(struct aq_gateway *gateway, const struct gateway_deferred *deferred) {
    struct aq_client_event event = {.kind = deferred->kind, .server = deferred->server};
    if (deferred->kind == AQ_CLIENT_CALL) {
        const struct gateway_call *call = gateway->calls[deferred->call];
        event.call = name_of(call);
        event.request = &call->request;
    }
    step(gateway, &event, deferred->why);
}

/* Handles what has been put off, until nothing is left, and asks for the next wake. Not while it is already
   at that further out. */
static void run(struct aq_gateway *gateway) {
    if (gateway->stepping || gateway->running) return;
    gateway->running = true;
    while (gateway->deferred_first < gateway->deferred_count && !gateway->failed) {
        struct gateway_deferred deferred = gateway->deferred[gateway->deferred_first++];
        step_deferred(gateway, &deferred);
    }
    gateway->deferred_first = gateway->deferred_count = 0;
    gateway->running = false;
    if (gateway->failed) return;
    aq_time_us at_us = aq_client_next_wake(gateway->client);
    if (at_us == gateway->wake_at_us) return;
    gateway->wake_at_us = at_us;
    gateway->config.world.wake_at(gateway->config.world.context, at_us);
}

void aq_gateway_connected(struct aq_gateway *gateway, uint32_t server) {
    AQ_ASSERT(server < gateway->server_count);
    gateway->servers[server].connected = true;
    defer(gateway, AQ_CLIENT_CONNECTED, server, GATEWAY_NONE, NULL);
    run(gateway);
}

void aq_gateway_disconnected(struct aq_gateway *gateway, uint32_t server, const char *why) {
    AQ_ASSERT(server < gateway->server_count);
    gateway->servers[server].connected = false;
    defer(gateway, AQ_CLIENT_DISCONNECTED, server, GATEWAY_NONE, why);
    run(gateway);
}

void aq_gateway_reply(struct aq_gateway *gateway, uint32_t server, uint32_t correlation,
                      const struct aq_reply *reply) {
    AQ_ASSERT(!gateway->stepping);
    struct aq_client_event event = {
        .kind = AQ_CLIENT_REPLY, .server = server, .correlation = correlation, .reply = reply};
    step(gateway, &event, NULL);
    run(gateway);
}

void aq_gateway_wake(struct aq_gateway *gateway) {
    AQ_ASSERT(!gateway->stepping);
    gateway->wake_at_us = AQ_TIME_NEVER;
    struct aq_client_event event = {.kind = AQ_CLIENT_WAKE, .server = GATEWAY_NONE};
    step(gateway, &event, NULL);
    run(gateway);
}

/* ---- requests of applications ---- */

static void turn_away(struct aq_gateway *gateway, enum aq_action action, enum aq_outcome outcome,
                      const char *why, aq_gateway_answered *answered, void *asker, uint64_t tag) {
    gateway_count(gateway, action, outcome, 0);
    struct aq_gateway_answer told = {action, outcome, NULL, why};
    answered(asker, tag, &told);
}

static uint32_t text_bytes(const struct aq_request *request) {
    return request->tube.len + request->job_id.len + request->body.len + request->parent_id.len +
           request->shard_key.len + request->address.len;
}

/* Takes over a request; NULL where there is no memory. */
static struct gateway_call *take(struct aq_gateway *gateway, const struct aq_request *request) {
    struct gateway_call *call = new_call(gateway);
    if (!call) return NULL;
    call->answered = NULL;
    call->begun_us = aq_gateway_now_us(gateway);
    if (aq_request_copy(request, &call->texts, &call->request)) {
        free_call(gateway, call);
        return NULL;
    }
    call->bytes = text_bytes(request);
    gateway->open_bytes += call->bytes;
    return call;
}

/* Upstream's failures look alike; so does an outcome that only a request which is not JSON can have. */
static enum aq_outcome invalid(const struct aq_gateway *gateway) {
    return gateway->config.policy->report_unknown ? AQ_OUTCOME_INVALID : AQ_OUTCOME_EMPTY;
}

static enum aq_outcome unavailable(const struct aq_gateway *gateway) {
    return gateway->config.policy->report_unknown ? AQ_OUTCOME_UNAVAILABLE : AQ_OUTCOME_EMPTY;
}

uint64_t aq_gateway_submit(struct aq_gateway *gateway, const char *json, size_t len,
                           aq_gateway_answered *answered, void *asker, uint64_t tag) {
    struct aq_request request;
    struct aq_error error = {0};
    if (gateway->failed || gateway->open >= AQ_GATEWAY_CALLS_MAX ||
        gateway->open_bytes + len > AQ_GATEWAY_CALLS_BYTES_MAX) {
        turn_away(gateway, AQ_ACTION_COUNT, unavailable(gateway), "too many requests are under way", answered,
                  asker, tag);
        return 0;
    }
    aq_arena_reset(&gateway->scratch);
    int rc = aq_request_decode(json, len, &gateway->scratch, &request, &error);
    if (rc) {
        enum aq_outcome outcome = rc == AQ_ENOMEM ? unavailable(gateway) : invalid(gateway);
        turn_away(gateway, AQ_ACTION_COUNT, outcome, error.text, answered, asker, tag);
        return 0;
    }
    size_t wire_bytes = aq_request_wire_bytes(&request);
    if (wire_bytes > gateway->config.message_bytes_max && !gateway->config.policy->big_message_fails) {
        char why[GATEWAY_WHY_MAX];
        snprintf(why, sizeof why, "found %zu bytes as the server would get them, allowed are %" PRIu32,
                 wire_bytes, gateway->config.message_bytes_max);
        turn_away(gateway, request.action, invalid(gateway), why, answered, asker, tag);
        return 0;
    }
    struct gateway_call *call = take(gateway, &request);
    if (!call) {
        turn_away(gateway, request.action, unavailable(gateway), "out of memory", answered, asker, tag);
        return 0;
    }
    call->answered = answered;
    call->asker = asker;
    call->tag = tag;
    gateway->awaited++;
    uint64_t name = name_of(call);
    defer(gateway, AQ_CLIENT_CALL, GATEWAY_NONE, call->index, NULL);
    run(gateway);
    return call_named(gateway, name) ? name : 0;
}

void aq_gateway_look_around(struct aq_gateway *gateway) {
    struct aq_request request = {.action = AQ_ACTION_PING};
    struct gateway_call *call = take(gateway, &request);
    if (!call) return;
    call->own = true;
    gateway->own_open++;
    defer(gateway, AQ_CLIENT_CALL, GATEWAY_NONE, call->index, NULL);
    run(gateway);
}

void aq_gateway_forget(struct aq_gateway *gateway, uint64_t name) {
    struct gateway_call *call = call_named(gateway, name);
    if (call) stop_waiting(gateway, call);
}

uint32_t aq_gateway_calls_awaited(const struct aq_gateway *gateway) {
    return gateway->awaited;
}

void aq_gateway_abandon(struct aq_gateway *gateway) {
    for (uint32_t i = 0; i < gateway->call_count; i++) {
        struct gateway_call *call = gateway->calls[i];
        if (!call->open || !call->answered) continue;
        aq_gateway_answered *answered = call->answered;
        enum aq_action action = call->request.action;
        stop_waiting(gateway, call);
        turn_away(gateway, action,
                  gateway->config.policy->report_unknown ? AQ_OUTCOME_UNKNOWN : AQ_OUTCOME_EMPTY,
                  "this client is ending; the request may or may not have been applied", answered,
                  call->asker, call->tag);
    }
}

struct aq_gateway_traffic *aq_gateway_traffic(struct aq_gateway *gateway, enum aq_gateway_listener listener) {
    AQ_ASSERT(listener < AQ_GATEWAY_LISTENERS);
    return &gateway->traffic[listener];
}

aq_time_us aq_gateway_now_us(const struct aq_gateway *gateway) {
    return gateway->config.world.now_us(gateway->config.world.context);
}
