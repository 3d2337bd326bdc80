#include "fake_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/app_answers.h"

static aq_time_us now_us(void *context) {
    return ((struct world *)context)->now_us;
}

static void wake_at(void *context, aq_time_us at_us) {
    ((struct world *)context)->wake_us = at_us;
}

static struct world_event *add_event(struct world *world, enum aq_client_effect_kind kind, uint32_t server) {
    assert_true(world->event_count < WORLD_QUEUE_MAX);
    struct world_event *event = &world->events[world->event_count++];
    *event = (struct world_event){.kind = kind, .server = server};
    return event;
}

static int connect_to(void *context, uint32_t server, const char *address) {
    struct world *world = context;
    assert_string_equal(address, world->book.items[server].text);
    if (world->fail_connect) return AQ_ENOMEM;
    add_event(world, AQ_CLIENT_CONNECT, server);
    return 0;
}

static void close_to(void *context, uint32_t server) {
    struct world *world = context;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->event_count; i++)
        if (world->events[i].server != server) world->events[kept++] = world->events[i];
    world->event_count = kept;
}

static int send_to(void *context, uint32_t server, uint32_t correlation, const struct aq_request *request) {
    struct world *world = context;
    world->sent++;
    if (world->fail_send) return AQ_ENOMEM;
    struct world_event *event = add_event(world, AQ_CLIENT_SEND, server);
    event->correlation = correlation;
    event->action = request->action;
    event->count = request->given & AQ_PARAM_COUNT ? request->count : 1;
    snprintf(event->job_id, sizeof event->job_id, "%.*s", AQ_TEXT_ARGS(request->job_id));
    return 0;
}

static void log_line(void *context, const char *line) {
    struct world *world = context;
    size_t used = strlen(world->log);
    snprintf(world->log + used, sizeof world->log - used, "%s\n", line);
}

static void failed(void *context) {
    (void)context;
    fail_msg("the gateway ran out of memory");
}

struct aq_gateway_world world_functions(struct world *world) {
    return (struct aq_gateway_world){world, now_us, wake_at, connect_to, close_to, send_to, log_line, failed};
}

void world_open(struct world *world, bool upstream, uint32_t servers) {
    *world = (struct world){.wake_us = AQ_TIME_NEVER, .count = servers};
    world->policy = upstream ? aq_client_policy_upstream : aq_client_policy_strict;
    world->events = calloc(WORLD_QUEUE_MAX, sizeof *world->events);
    for (uint32_t i = 0; i < servers; i++) {
        char address[32];
        snprintf(address, sizeof address, "127.0.0.1:%u", 5555 + i);
        assert_int_equal(aq_address_book_add(&world->book, aq_text_of(address), &world->servers[i], NULL), 0);
    }
    struct aq_gateway_config config = {
        .book = &world->book,
        .policy = &world->policy,
        .servers = world->servers,
        .server_count = servers,
        .world = world_functions(world),
        .message_bytes_max = 5000,
        .version = "1.2.3",
        .profile = upstream ? "upstream" : "strict",
    };
    aq_random_init(&config.random, 1, "client", 0);
    assert_int_equal(aq_gateway_new(&config, &world->gateway), 0);
    struct aq_gateway_server first = aq_gateway_server(world->gateway, 0);
    snprintf(world->id, sizeof world->id, "%.*s", AQ_TEXT_ARGS(first.id));
}

void world_close(struct world *world) {
    aq_gateway_free(world->gateway);
    aq_address_book_close(&world->book);
    free(world->events);
}

/* What a server answers when all is well. */
static struct aq_reply canned(const struct world_event *event) {
    static const struct aq_job jobs[3] = {
        {AQ_TEXT("J1"), AQ_TEXT("say \"hi\""), AQ_TEXT("a"), 1, 2},
        {AQ_TEXT("J2"), AQ_TEXT("two"), AQ_TEXT("a"), 0, 0},
        {AQ_TEXT("J3"), AQ_TEXT("three"), AQ_TEXT("a"), 0, 0},
    };
    static const struct aq_tube_stats tubes[] = {{.tube = AQ_TEXT("a"),
                                                  .ready = 1,
                                                  .delayed = 2,
                                                  .reserved = 3,
                                                  .buried = 4,
                                                  .parents = 5,
                                                  .throttle_size = 6,
                                                  .has_throttle = true,
                                                  .avg_s = 0.5,
                                                  .tps = 2}};
    static const struct aq_server_stats stats = {
        .tubes = tubes, .tube_count = 1, .action_count = 9, .job_get = 8, .job_put = 7};
    enum aq_action action = aq_action_answered_as(event->action);
    struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = (uint8_t)action};
    switch (action) {
    case AQ_ACTION_GET:
        reply.jobs = jobs;
        reply.many = event->count != 1;
        reply.job_count = event->count > 3 ? 3 : (uint32_t)event->count;
        break;
    case AQ_ACTION_STATS:
        reply.kind = AQ_REPLY_STATS;
        reply.servers = &stats;
        reply.server_count = 1;
        break;
    case AQ_ACTION_PING: reply.kind = AQ_REPLY_PONG; break;
    case AQ_ACTION_VERSION:
        reply.kind = AQ_REPLY_VERSION;
        reply.has_value = true;
        reply.value = AQ_TEXT("77");
        break;
    case AQ_ACTION_ADMIN: reply.kind = AQ_REPLY_RESULT; break;
    case AQ_ACTION_THROTTLE:
        reply.has_value = true;
        reply.value = AQ_TEXT("5");
        break;
    case AQ_ACTION_PAUSE:
    case AQ_ACTION_CLEAR: break;
    default:
        reply.has_job_id = true;
        reply.job_id = event->job_id[0] ? aq_text_of(event->job_id) : AQ_TEXT("J1");
    }
    return reply;
}

static void handle(struct world *world, const struct world_event *event) {
    enum world_mode mode = world->modes[event->server];
    if (event->kind == AQ_CLIENT_CONNECT) {
        if (mode == WORLD_REFUSES)
            aq_gateway_disconnected(world->gateway, event->server, "refused");
        else
            aq_gateway_connected(world->gateway, event->server);
    } else if (mode == WORLD_ANSWERS) {
        struct aq_reply reply = canned(event);
        bool own = world->reply && event->action == AQ_ACTION_PING;
        aq_gateway_reply(world->gateway, event->server, event->correlation,
                         world->reply && !own ? world->reply : &reply);
    }
}

void world_settle(struct world *world) {
    while (world->event_count) {
        struct world_event event = world->events[0];
        memmove(world->events, world->events + 1, --world->event_count * sizeof *world->events);
        handle(world, &event);
    }
}

void world_pass(struct world *world, aq_time_us span_us) {
    aq_time_us until_us = world->now_us + span_us;
    world_settle(world);
    while (world->wake_us <= until_us) {
        if (world->wake_us > world->now_us) world->now_us = world->wake_us;
        world->wake_us = AQ_TIME_NEVER;
        aq_gateway_wake(world->gateway);
        world_settle(world);
    }
    world->now_us = until_us;
}

static void copy(char *to, size_t size, struct aq_text_out *out) {
    assert_false(out->failed);
    assert_true(out->bytes.len < size);
    if (out->bytes.len) memcpy(to, out->bytes.at, out->bytes.len);
    to[out->bytes.len] = 0;
    aq_text_out_close(out);
}

void world_hear(void *asker, uint64_t tag, const struct aq_gateway_answer *answer) {
    struct heard *heard = asker;
    struct aq_text_out line = {0}, body = {0};
    (void)tag;
    heard->times++;
    heard->action = answer->action;
    heard->outcome = answer->outcome;
    heard->has_reply = answer->reply != NULL;
    snprintf(heard->why, sizeof heard->why, "%s", answer->why);
    aq_app_answers_line(heard->world->gateway, heard->upstream, AQ_GATEWAY_TCP, answer, &line);
    heard->status = aq_app_answers_rest(heard->world->gateway, heard->upstream, answer, &body);
    copy(heard->line, sizeof heard->line, &line);
    copy(heard->body, sizeof heard->body, &body);
}

const char *world_text(const struct world *world, const char *text) {
    static char out[16384];
    size_t used = 0;
    for (; *text; text++) {
        assert_true(used < sizeof out - 16);
        if (*text == '@')
            used += (size_t)sprintf(out + used, "%s", world->id);
        else
            out[used++] = *text == '\'' ? '"' : *text;
    }
    out[used] = 0;
    return out;
}

void world_ask(struct world *world, bool upstream, const char *json, struct heard *heard) {
    *heard = (struct heard){.world = world, .upstream = upstream};
    const char *text = world_text(world, json);
    aq_gateway_submit(world->gateway, text, strlen(text), world_hear, heard, 0);
    world_settle(world);
}
