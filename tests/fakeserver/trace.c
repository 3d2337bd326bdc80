#include "tests/fakeserver/trace.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert.h"
#include "base/error.h"

static const char *const states[] = {"ready", "delayed", "reserved", "buried", "parent"};

static void show(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void show(struct world *world, const char *format, ...) {
    va_list args;
    va_start(args, format);
    uint32_t room = WORLD_TEXT_BYTES - world->text_len;
    int wrote = vsnprintf(world->text + world->text_len, room, format, args);
    va_end(args);
    assert_true(wrote >= 0 && (uint32_t)wrote < room);
    world->text_len += (uint32_t)wrote;
}

static void show_time(struct world *world) {
    show(world, "[%.10g]", (double)world->now_us / 1e6);
}

/* The name of an id in the trace; ids that no server of this world has made are shown as they are. */
static const char *name_of(struct world *world, struct aq_text id, bool new_is_fine) {
    static char name[AQ_JOB_REF_CHARS_MAX + 3];
    uint32_t at = 0;
    while (at < world->id_count && !aq_text_is(id, world->ids[at]))
        at++;
    if (at == world->id_count && !new_is_fine) {
        snprintf(name, sizeof name, "'%.*s'", AQ_TEXT_ARGS(id));
        return name;
    }
    if (at == world->id_count) {
        assert_true(world->id_count < WORLD_JOBS_MAX && id.len <= AQ_JOB_REF_CHARS_MAX);
        snprintf(world->ids[world->id_count++], sizeof world->ids[0], "%.*s", AQ_TEXT_ARGS(id));
    }
    snprintf(name, sizeof name, "J%u", at + 1);
    return name;
}

/* What taps tell of parents, throttles. */
static void show_workflow(struct world *world, const struct aq_tap *tap) {
    if (tap->kind >= AQ_TAP_PARENT_HELD && tap->kind <= AQ_TAP_NOOP_DONE)
        show(world, " %u/%d", tap->children, tap->limit);
    if (tap->kind == AQ_TAP_CHILD_COUNTED) show(world, " %s", aq_tap_word(tap->cause));
    for (uint32_t i = 0; tap->child_hash && i < world->id_count; i++)
        if (aq_text_hash(aq_text_of(world->ids[i])) == tap->child_hash) show(world, " J%u", i + 1);
    for (uint32_t i = 0; tap->parent_hash && i < world->id_count; i++)
        if (aq_text_hash(aq_text_of(world->ids[i])) == tap->parent_hash) show(world, " of J%u", i + 1);
    if (tap->kind == AQ_TAP_THROTTLED) show(world, " %g", tap->tps);
}

static void show_tap(struct world *world, const struct aq_tap *tap) {
    show_time(world);
    show(world, " %s", aq_tap_word(tap->kind));
    bool made = tap->kind == AQ_TAP_PUT || tap->kind == AQ_TAP_RESTORED || tap->kind == AQ_TAP_PARENT_HELD;
    if (tap->job_id.len) show(world, " %s", name_of(world, tap->job_id, made));
    bool gone = tap->kind == AQ_TAP_TAKEN || tap->kind == AQ_TAP_DONE || tap->kind == AQ_TAP_DELETED ||
                tap->kind == AQ_TAP_CLEARED || tap->kind == AQ_TAP_NOOP_DONE || tap->kind == AQ_TAP_REAPED;
    if (tap->priority && gone) show(world, " from %s", states[tap->before]);
    if (tap->priority && !gone) show(world, " %s p%u", states[tap->state], tap->priority);
    if (tap->expireds) show(world, " x%u", tap->expireds);
    if (tap->lease) show(world, " #%u", (unsigned)tap->lease);
    if (tap->due_us && !gone) show(world, " ->%.10g", (double)tap->due_us / 1e6);
    show_workflow(world, tap);
    if (tap->former_id.len) show(world, " was %s", name_of(world, tap->former_id, false));
    if (tap->tube.len && !aq_text_is(tap->tube, "t")) show(world, " @%.*s", AQ_TEXT_ARGS(tap->tube));
    show(world, "\n");
    assert_true(tap->job_hash == (tap->job_id.len ? aq_text_hash(tap->job_id) : 0));
}

static void show_job(struct world *world, const struct aq_job *job) {
    show(world, " %s '%.*s'", name_of(world, job->job_id, true), AQ_TEXT_ARGS(job->body));
    if (job->expireds || job->releases) show(world, " x%u r%u", job->expireds, job->releases);
}

static void show_stats(struct world *world, const struct aq_server_stats *stats) {
    show(world, " actions %u gets %u puts %u", (unsigned)stats->action_count, (unsigned)stats->job_get,
         (unsigned)stats->job_put);
    for (uint32_t i = 0; i < stats->tube_count; i++) {
        const struct aq_tube_stats *tube = &stats->tubes[i];
        show(world, "; %.*s %u/%u/%u/%u/%u", AQ_TEXT_ARGS(tube->tube), (unsigned)tube->ready,
             (unsigned)tube->delayed, (unsigned)tube->reserved, (unsigned)tube->buried,
             (unsigned)tube->parents);
        if (tube->has_throttle) show(world, " max %u", (unsigned)tube->throttle_size);
        if (tube->avg_s > 0) show(world, " avg %g", tube->avg_s);
        if (tube->tps > 0) show(world, " tps %g", tube->tps);
    }
}

/* The text with the names of jobs in place of their ids. */
static void show_text(struct world *world, struct aq_text text) {
    for (uint32_t at = 0; at < text.len;) {
        uint32_t job = 0;
        size_t length = 0;
        for (; job < world->id_count; job++) {
            length = strlen(world->ids[job]);
            if (at + length <= text.len && memcmp(text.at + at, world->ids[job], length) == 0) break;
        }
        if (job < world->id_count)
            show(world, "J%u", job + 1);
        else
            show(world, "%c", text.at[at]);
        at += job < world->id_count ? (uint32_t)length : 1;
    }
}

static void show_reply(struct world *world, const struct aq_reply *reply) {
    switch (reply->kind) {
    case AQ_REPLY_RESPONSE: show(world, " %s", aq_action_word(reply->action)); break;
    case AQ_REPLY_ERROR:
        show(world, " error: ");
        show_text(world, reply->error);
        break;
    case AQ_REPLY_EMPTY: show(world, " {}"); break;
    case AQ_REPLY_PONG: show(world, " pong"); break;
    case AQ_REPLY_VERSION: show(world, " version"); break;
    case AQ_REPLY_STATS: show(world, " stats"); break;
    case AQ_REPLY_REDIRECT: show(world, " redirect :%u", reply->port); break;
    case AQ_REPLY_RESULT: show(world, " result"); break;
    }
    if (reply->has_job_id)
        show(world, " %s",
             name_of(world, reply->job_id,
                     reply->action == AQ_ACTION_PUT || reply->action == AQ_ACTION_SET_PARENT_JOB));
    if (reply->has_value) show(world, " =%.*s", AQ_TEXT_ARGS(reply->value));
    if (reply->has_error) {
        show(world, " error \"");
        show_text(world, reply->error);
        show(world, "\"");
    }
    if (reply->many) show(world, " many");
    for (uint32_t i = 0; i < reply->job_count; i++)
        show_job(world, &reply->jobs[i]);
    for (uint32_t i = 0; i < reply->server_count; i++)
        show_stats(world, &reply->servers[i]);
    if (reply->damage) show(world, " damage %u", reply->damage);
}

/* ---- the disk ---- */

static uint32_t on_disk(const struct world *world, const struct aq_job_record *record, uint8_t folder) {
    uint32_t at = 0;
    for (; at < world->disk_count; at++) {
        const struct aq_job_record *there = &world->disk[at];
        if (there->is_tube != record->is_tube || there->folder != folder) continue;
        if (record->is_tube ? aq_text_equal(there->tube, record->tube)
                            : aq_text_equal(there->job_id, record->job_id))
            break;
    }
    return at;
}

static struct aq_text kept(char *at, struct aq_text text) {
    assert_true(text.len <= AQ_JOB_REF_CHARS_MAX);
    if (text.len) memcpy(at, text.at, text.len);
    return (struct aq_text){at, text.len};
}

static void erase_record(struct world *world, const struct aq_job_record *record, uint8_t folder) {
    uint32_t at = on_disk(world, record, folder);
    if (at == world->disk_count) return;
    world->disk_count--;
    for (; at < world->disk_count; at++) {
        struct aq_job_record next = world->disk[at + 1];
        memcpy(world->disk_text[at], world->disk_text[at + 1], sizeof world->disk_text[at]);
        next.job_id.at = world->disk_text[at][0];
        next.tube.at = world->disk_text[at][1];
        next.body.at = world->disk_text[at][2];
        world->disk[at] = next;
    }
}

static void write_record(struct world *world, const struct aq_job_record *record) {
    if (record->moved_from) erase_record(world, record, record->moved_from);
    uint32_t at = on_disk(world, record, record->folder);
    assert_true(at < WORLD_JOBS_MAX);
    if (at == world->disk_count) world->disk_count++;
    world->disk[at] = *record;
    world->disk[at].moved_from = 0;
    world->disk[at].job_id = kept(world->disk_text[at][0], record->job_id);
    world->disk[at].tube = kept(world->disk_text[at][1], record->tube);
    world->disk[at].body = kept(world->disk_text[at][2], record->body);
}

static void show_write(struct world *world, const struct aq_job_record *record) {
    show_time(world);
    if (record->is_tube) {
        show(world, " write tube %.*s max %g%s\n", AQ_TEXT_ARGS(record->tube), record->tps,
             record->paused ? " paused" : "");
        return;
    }
    show(world, " write %s %s", name_of(world, record->job_id, true), states[record->state]);
    if (record->moved_from) show(world, " from %s", states[record->moved_from - 1]);
    show(world, "\n");
}

static void show_erase(struct world *world, const struct aq_job_record *record) {
    show_time(world);
    if (record->is_tube)
        show(world, " erase tube %.*s", AQ_TEXT_ARGS(record->tube));
    else
        show(world, " erase %s", name_of(world, record->job_id, false));
    if (record->folder) show(world, " %s", states[record->folder - 1]);
    show(world, "\n");
}

static void carry_out(struct world *world, const struct aq_server_effect *effect) {
    switch (effect->kind) {
    case AQ_SERVER_REPLY:
        assert_true(effect->correlation >= 1 && effect->correlation <= world->requests);
        assert_int_equal(effect->peer, effect->correlation + 1000);
        assert_int_equal(world->finished[effect->correlation - 1], 0);
        show_time(world);
        show(world, " %u <", effect->correlation);
        show_reply(world, &effect->reply);
        show(world, "\n");
        break;
    case AQ_SERVER_PERSIST:
        show_write(world, &effect->record);
        write_record(world, &effect->record);
        break;
    case AQ_SERVER_UNPERSIST:
        show_erase(world, &effect->record);
        erase_record(world, &effect->record, effect->record.folder);
        break;
    case AQ_SERVER_FINISHED:
        assert_true(effect->token < world->requests);
        assert_int_equal(world->finished[effect->token], 0);
        world->finished[effect->token]++;
        /* What was borrowed may go: later use would show. */
        memset(&world->request_of[effect->token], 0xee, sizeof world->request_of[0]);
        memset(world->id_of_request[effect->token], 0xee, sizeof world->id_of_request[0]);
        break;
    case AQ_SERVER_TAP:
        if (world->taps_shown) show_tap(world, &effect->tap);
        break;
    }
}

int world_step(struct world *world, const struct aq_server_event *event) {
    int rc = aq_server_step(world->server, world->now_us, event, &world->effects);
    for (uint32_t i = 0; i < world->effects.count; i++)
        carry_out(world, &world->effects.items[i]);
    aq_server_check(world->server);
    return rc;
}

static void step(struct world *world, struct aq_server_event event) {
    assert_int_equal(world_step(world, &event), 0);
}

/* ---- life ---- */

struct world *world_new(const struct aq_server_policy *policy) {
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->policy = *policy;
    world_service(world, 0);
    world->config = (struct aq_server_config){.policy = &world->policy,
                                              .service = &world->service,
                                              .taps = true,
                                              .default_ttl_s = 60,
                                              .queue_max = 100};
    aq_random_init(&world->config.random, 1, "server", 0);
    world->taps_shown = true;
    assert_int_equal(aq_server_new(&world->config, &world->server), 0);
    return world;
}

void world_free(struct world *world) {
    aq_server_free(world->server);
    aq_server_effects_close(&world->effects);
    free(world);
}

void world_restart(struct world *world, bool load) {
    aq_server_free(world->server);
    aq_random_init(&world->config.random, 1, "server", ++world->restarts);
    assert_int_equal(aq_server_new(&world->config, &world->server), 0);
    /* RESTORE of a renamed job writes: go through the records that were there before. */
    static struct aq_job_record records[WORLD_JOBS_MAX];
    static char texts[WORLD_JOBS_MAX][3][AQ_JOB_REF_CHARS_MAX + 1];
    uint32_t count = load ? world->disk_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        records[i] = world->disk[i];
        records[i].job_id = kept(texts[i][0], records[i].job_id);
        records[i].tube = kept(texts[i][1], records[i].tube);
        records[i].body = kept(texts[i][2], records[i].body);
    }
    for (uint32_t i = 0; i < count; i++) {
        int rc =
            world_step(world, &(struct aq_server_event){.kind = AQ_SERVER_RESTORE, .record = &records[i]});
        assert_true(rc == 0 || (rc == AQ_EEXISTS && records[i].folder));
    }
}

void world_service(struct world *world, aq_time_us span_us) {
    for (int action = 0; action < AQ_ACTION_COUNT; action++)
        world->service.by_action[action] = AQ_CONSTANT_US(span_us);
}

void world_until(struct world *world, double at_s) {
    aq_time_us end_us = (aq_time_us)(at_s * 1e6 + 0.5), wake_us;
    while ((wake_us = aq_server_next_wake(world->server)) <= end_us) {
        assert_true(wake_us >= world->now_us);
        world->now_us = wake_us;
        step(world, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
    }
    world->now_us = end_us;
}

/* ---- requests ---- */

static uint32_t send(struct world *world, struct aq_request *request, const char *malformed) {
    assert_true(world->requests < WORLD_REQUESTS_MAX);
    uint32_t token = world->requests++;
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST,
                                    .peer = token + 1001,
                                    .correlation = token + 1,
                                    .token = token,
                                    .malformed = aq_text_of(malformed)};
    if (request) {
        world->request_of[token] = *request;
        event.request = &world->request_of[token];
        if (request->job_id.len)
            world->request_of[token].job_id = kept(world->id_of_request[token], request->job_id);
    }
    step(world, event);
    return token + 1;
}

uint32_t world_send(struct world *world, struct aq_request request) {
    return send(world, &request, NULL);
}

uint32_t world_malformed(struct world *world, const char *text) {
    return send(world, NULL, text);
}

uint32_t world_put(struct world *world, const char *tube, const char *body) {
    return world_send(world, (struct aq_request){.action = AQ_ACTION_PUT,
                                                 .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                                 .tube = aq_text_of(tube),
                                                 .body = aq_text_of(body)});
}

uint32_t world_get(struct world *world, const char *tube) {
    return world_on_tube(world, AQ_ACTION_GET, tube);
}

struct aq_text world_id(struct world *world, const char *job) {
    uint32_t number;
    char end;
    if (sscanf(job, "J%u%c", &number, &end) != 1) return aq_text_of(job);
    assert_true(number >= 1 && number <= world->id_count);
    return aq_text_of(world->ids[number - 1]);
}

uint32_t world_on_job(struct world *world, enum aq_action action, const char *job) {
    struct aq_request request = {
        .action = (uint8_t)action, .given = AQ_PARAM_JOB_ID, .job_id = world_id(world, job)};
    return world_send(world, request);
}

uint32_t world_on_tube(struct world *world, enum aq_action action, const char *tube) {
    struct aq_request request = {.action = (uint8_t)action, .given = AQ_PARAM_TUBE, .tube = aq_text_of(tube)};
    return world_send(world, request);
}

/* ---- faults and the disk ---- */

void world_fault(struct world *world, struct aq_fault_rule rule) {
    step(world, (struct aq_server_event){.kind = AQ_SERVER_FAULT, .rule = &rule});
}

void world_heal(struct world *world, uint32_t rule_id) {
    step(world, (struct aq_server_event){.kind = AQ_SERVER_HEAL, .rule_id = rule_id});
}

void world_saved(struct world *world) {
    step(world, (struct aq_server_event){.kind = AQ_SERVER_SAVED});
}

/* ---- expectations ---- */

void world_forget(struct world *world) {
    world->text_len = 0;
    world->text[0] = '\0';
}

void world_expect_at(struct world *world, const char *trace, const char *file, int line) {
    if (strcmp(world->text, trace) != 0)
        fprintf(stderr, "%s:%d: found\n%s\nwhere was expected\n%s\n", file, line, world->text, trace);
    _assert_true(strcmp(world->text, trace) == 0, "the trace is as expected", file, line);
    world_forget(world);
}

void world_expect_open(struct world *world, uint32_t count) {
    uint32_t open = 0;
    for (uint32_t token = 0; token < world->requests; token++)
        open += world->finished[token] == 0;
    assert_int_equal(open, count);
}
