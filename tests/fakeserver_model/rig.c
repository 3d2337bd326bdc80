#include "tests/fakeserver_model/rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ids.h"

#define UNKNOWN_NAME 999999999 /* an id or a text that nobody has made */

/* ---- texts and numbers ---- */

static struct aq_text id_text(struct rig *rig, uint32_t name, char room[ID_BYTES]) {
    if (rig->ids[name][0]) return aq_text_of(rig->ids[name]);
    snprintf(room, ID_BYTES, "gone-%u", name);
    AQ_ASSERT(aq_map_set(&rig->names, aq_text_hash(aq_text_of(room)), name) == 0);
    return aq_text_of(room);
}

static uint32_t name_by_hash(const struct rig *rig, uint64_t hash) {
    uint32_t name = 0;
    return hash && !aq_map_get(&rig->names, hash, &name) ? UNKNOWN_NAME : name;
}

static uint32_t number_in(struct aq_text text, const char *prefix) {
    char copy[ID_BYTES + 1] = "", *end;
    size_t length = strlen(prefix);
    if (text.len <= length || text.len >= sizeof copy || memcmp(text.at, prefix, length) != 0)
        return UNKNOWN_NAME;
    memcpy(copy, text.at, text.len);
    unsigned long number = strtoul(copy + length, &end, 10);
    return *end ? UNKNOWN_NAME : (uint32_t)number;
}

static uint32_t name_of(const struct rig *rig, struct aq_text id) {
    uint32_t name;
    if (id.len == 0) return 0;
    if (aq_map_get(&rig->names, aq_text_hash(id), &name) && aq_text_is(id, rig->ids[name])) return name;
    return number_in(id, "gone-");
}

static uint32_t body_of(struct aq_text body) {
    return body.len ? number_in(body, "body-") : 0;
}

static int tube_of(struct aq_text tube) {
    for (int i = 0; i < TUBES; i++)
        if (aq_text_is(tube, tube_names[i])) return i;
    return tube.len ? UNKNOWN_NAME : NO_TUBE;
}

/* ---- what the core tells ---- */

static struct line *line_of(struct rig *rig, const char *word) {
    struct line *line = seen_line(rig->seen, word);
    line->at_us = (int64_t)rig->now_us;
    return line;
}

/* An id that is new was made by the put at hand, or by the restart. */
static void learn(struct rig *rig, const struct aq_tap *tap) {
    uint32_t name;
    if (aq_map_get(&rig->names, tap->job_hash, &name)) return;
    if (tap->kind == AQ_TAP_RESTORED)
        name = RENAMED_FIRST + rig->renamed++;
    else
        name = rig->operation->serial;
    AQ_ASSERT(name < NAMES_MAX && tap->job_id.len < ID_BYTES);
    memcpy(rig->ids[name], tap->job_id.at, tap->job_id.len);
    AQ_ASSERT(aq_map_set(&rig->names, tap->job_hash, name) == 0);
}

static bool is_end(enum aq_tap_kind kind) {
    return kind == AQ_TAP_TAKEN || kind == AQ_TAP_DONE || kind == AQ_TAP_DELETED || kind == AQ_TAP_CLEARED ||
           kind == AQ_TAP_NOOP_DONE || kind == AQ_TAP_REAPED;
}

static bool has_before(enum aq_tap_kind kind) {
    return kind != AQ_TAP_PUT && kind != AQ_TAP_EMPTY && kind != AQ_TAP_MISSED && kind != AQ_TAP_RESTORED &&
           kind != AQ_TAP_FAILED && kind != AQ_TAP_PAUSED && kind != AQ_TAP_UNPAUSED &&
           kind != AQ_TAP_THROTTLED;
}

static void tap_line(struct rig *rig, const struct aq_tap *tap) {
    struct line *line = line_of(rig, aq_tap_word(tap->kind));
    if (tap->kind == AQ_TAP_REAPED) line->at_us = 0; /* told at the next step, whenever that is */
    line->action = tap->action;
    line->peer = tap->peer;
    line->correlation = tap->correlation;
    line->tube = tube_of(tap->tube);
    line->job = name_of(rig, tap->job_id);
    line->former = name_of(rig, tap->former_id);
    line->body = body_of(tap->body);
    line->priority = tap->priority;
    line->expireds = tap->expireds;
    line->ttl_s = tap->ttl_s;
    line->lease = (int64_t)tap->lease;
    if (!is_end(tap->kind)) line->state = tap->state;
    if (has_before(tap->kind)) line->before = tap->before;
    line->parent = name_by_hash(rig, tap->parent_hash);
    line->child = name_by_hash(rig, tap->child_hash);
    if (tap->kind == AQ_TAP_CHILD_COUNTED) line->cause = tap->cause;
    line->children = tap->children;
    line->limit = tap->limit;
    line->rate_millionths = llround(tap->tps * 1e6);
    bool timed = line->state == AQ_JOB_DELAYED || line->state == AQ_JOB_PARENT || tap->kind == AQ_TAP_LEASE ||
                 tap->kind == AQ_TAP_TOUCHED || tap->kind == AQ_TAP_RESTORED;
    if (timed) line->due_us = (int64_t)tap->due_us;
    if (tap->job_hash != (tap->job_id.len ? aq_text_hash(tap->job_id) : 0)) line_of(rig, "wrong_hash");
}

static void job_line(struct rig *rig, const struct aq_job *job) {
    struct line *line = seen_line(rig->seen, "job");
    line->job = name_of(rig, job->job_id);
    line->tube = tube_of(job->tube);
    line->body = body_of(job->body);
    line->expireds = job->expireds;
    line->releases = job->releases;
}

static void tube_line(struct rig *rig, const struct aq_tube_stats *tube) {
    struct line *line = seen_line(rig->seen, "tube");
    line->tube = tube_of(tube->tube);
    line->ready = (int64_t)tube->ready;
    line->delayed = (int64_t)tube->delayed;
    line->reserved = (int64_t)tube->reserved;
    line->buried = (int64_t)tube->buried;
    line->parents = (int64_t)tube->parents;
    if (tube->has_throttle) line->throttle = (int64_t)tube->throttle_size;
    line->avg_us = llround(tube->avg_s * 1e6);
    line->tps_millionths = llround(tube->tps * 1e6);
}

/* In the order of their numbers: that of the core means nothing. */
static void stats_lines(struct rig *rig, const struct aq_server_stats *stats) {
    for (int number = NO_TUBE; number < TUBES; number++)
        for (uint32_t i = 0; i < stats->tube_count; i++)
            if (tube_of(stats->tubes[i].tube) == number) tube_line(rig, &stats->tubes[i]);
    struct line *line = seen_line(rig->seen, "global");
    line->action_count = (int64_t)stats->action_count;
    line->job_get = (int64_t)stats->job_get;
    line->job_put = (int64_t)stats->job_put;
}

/* The value of a throttle is a number, that of admin a word. */
static int64_t value_of(struct aq_text value) {
    char copy[32] = "";
    if (value.len < sizeof copy && value.len) memcpy(copy, value.at, value.len);
    return llround(strtod(copy, NULL) * 1e6);
}

static void reply_lines(struct rig *rig, const struct aq_server_effect *effect) {
    const struct aq_reply *reply = &effect->reply;
    struct line *line = line_of(rig, "reply");
    line->peer = effect->peer;
    line->correlation = effect->correlation;
    line->kind = reply->kind;
    line->action = aq_action_answered_as((enum aq_action)reply->action);
    line->many = reply->many;
    line->damage = reply->damage;
    if (reply->has_job_id) line->job = name_of(rig, reply->job_id);
    if (reply->has_error || reply->kind == AQ_REPLY_ERROR) line->error = reply->error.len > 0;
    if (reply->has_value) line->value = value_of(reply->value);
    if (reply->kind != AQ_REPLY_RESPONSE) line->value = reply->value.len > 0;
    line->port = reply->port;
    line->jobs = reply->job_count;
    for (uint32_t i = 0; i < reply->job_count; i++)
        job_line(rig, &reply->jobs[i]);
    for (uint32_t i = 0; i < reply->server_count; i++)
        stats_lines(rig, &reply->servers[i]);
}

/* ---- the disk ---- */

struct model_job rig_job(const struct rig *rig, const struct aq_job_record *record) {
    return (struct model_job){
        .name = name_of(rig, record->job_id),
        .tube = tube_of(record->tube),
        .body = body_of(record->body),
        .state = record->state,
        .priority = record->priority,
        .expired_limit = record->expired_limit,
        .ttl_s = record->ttl_s,
        .expireds = record->expireds,
        .releases = record->releases,
        .due_us = record->due_us,
        .own_priority = record->own_priority,
        .parent = name_by_hash(rig, record->parent_hash),
        .has_parent = record->parent_hash != 0,
        .children = record->children,
        .started = record->started,
        .limit = record->limit,
        .delay_s = record->delay_s,
        .run_on_timeout = record->run_on_timeout,
        .noop = record->noop,
    };
}

static uint32_t file_at(const struct rig *rig, const struct aq_job_record *record) {
    uint32_t at = 0, name = name_of(rig, record->job_id);
    int tube = tube_of(record->tube);
    for (; at < rig->file_count; at++) {
        const struct model_file *file = &rig->files[at];
        if (file->is_tube != record->is_tube) continue;
        if (record->is_tube ? file->job.tube == tube
                            : file->folder == record->folder && file->job.name == name)
            break;
    }
    return at;
}

static void erase_file(struct rig *rig, const struct aq_job_record *record) {
    uint32_t at = file_at(rig, record);
    if (at < rig->file_count) rig->files[at] = rig->files[--rig->file_count];
}

static void write_file(struct rig *rig, const struct aq_job_record *record) {
    if (record->moved_from) {
        struct aq_job_record former = *record;
        former.folder = record->moved_from;
        erase_file(rig, &former);
    }
    uint32_t at = file_at(rig, record);
    AQ_ASSERT(at < MODEL_FILES_MAX);
    if (at == rig->file_count) rig->file_count++;
    struct model_file file = {.folder = record->folder, .is_tube = record->is_tube};
    if (record->is_tube) {
        file.job.tube = tube_of(record->tube);
        file.paused = record->paused;
        file.tps = record->tps;
    } else
        file.job = rig_job(rig, record);
    rig->files[at] = file;
}

/* ---- steps ---- */

static void step_once(struct rig *rig, struct aq_server_event event, bool *wrote) {
    *wrote = false;
    int rc = aq_server_step(rig->server, rig->now_us, &event, &rig->effects);
    if (rc != 0) line_of(rig, "step_failed")->value = rc;
    for (uint32_t i = 0; i < rig->effects.count; i++) {
        const struct aq_tap *tap = &rig->effects.items[i].tap;
        if (rig->effects.items[i].kind != AQ_SERVER_TAP) continue;
        if (tap->kind == AQ_TAP_PUT || tap->kind == AQ_TAP_PARENT_HELD || tap->kind == AQ_TAP_RESTORED)
            learn(rig, tap);
    }
    for (uint32_t i = 0; i < rig->effects.count; i++) {
        const struct aq_server_effect *effect = &rig->effects.items[i];
        switch (effect->kind) {
        case AQ_SERVER_REPLY:
            if (*wrote) line_of(rig, "reply_before_disk");
            reply_lines(rig, effect);
            break;
        case AQ_SERVER_PERSIST: write_file(rig, &effect->record); break;
        case AQ_SERVER_UNPERSIST: erase_file(rig, &effect->record); break;
        case AQ_SERVER_FINISHED:
            if (!rig->operation || effect->token != rig->operation->serial) line_of(rig, "wrong_token");
            rig->finished++;
            break;
        case AQ_SERVER_TAP: tap_line(rig, &effect->tap); break;
        }
        if (effect->kind == AQ_SERVER_PERSIST || effect->kind == AQ_SERVER_UNPERSIST) *wrote = true;
    }
}

static void step(struct rig *rig, struct aq_server_event event) {
    bool wrote;
    step_once(rig, event, &wrote);
    if (!wrote) return;
    if (!rig->setup->persistent) line_of(rig, "wrote_without_persistence");
    if (event.kind == AQ_SERVER_RESTORE) return; /* SAVED is not wanted */
    for (int again = 0; wrote; again++) { /* a lease of no time may end, and write, when its reply goes out */
        AQ_ASSERT(again < 10);
        step_once(rig, (struct aq_server_event){.kind = AQ_SERVER_SAVED}, &wrote);
    }
}

void rig_wake(struct rig *rig, struct seen *seen) {
    rig->seen = seen;
    step(rig, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
}

void rig_advance(struct rig *rig, aq_time_us now_us, struct seen *seen) {
    rig->seen = seen;
    rig->operation = NULL;
    aq_time_us wake_us;
    uint32_t idle = 0;
    while ((wake_us = aq_server_next_wake(rig->server)) <= now_us) {
        if (wake_us > rig->now_us) {
            rig->now_us = wake_us;
            idle = 0;
        }
        AQ_ASSERT(idle++ < 1000); /* a server that wants to be woken at once, again and again */
        step(rig, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
    }
    rig->now_us = now_us;
    step(rig, (struct aq_server_event){.kind = AQ_SERVER_WAKE});
}

void rig_request(struct rig *rig, const struct operation *operation, struct seen *seen) {
    rig->seen = seen;
    rig->operation = operation;
    rig->finished = 0;
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST,
                                    .peer = operation_peer(operation),
                                    .correlation = operation->serial,
                                    .token = operation->serial,
                                    .malformed = AQ_TEXT("no request")};
    if (operation->kind == OPERATION_REQUEST) {
        rig->request = operation->request;
        if (operation->tube != NO_TUBE) rig->request.tube = aq_text_of(tube_names[operation->tube]);
        if (operation->request.given & AQ_PARAM_JOB_ID)
            rig->request.job_id = id_text(rig, operation->job, rig->asked_id);
        if (operation->request.given & AQ_PARAM_PARENT_ID)
            rig->request.parent_id = id_text(rig, operation->parent, rig->parent_id);
        if (operation->request.given & AQ_PARAM_SHARD_KEY)
            rig->request.shard_key = aq_text_of(shard_keys[operation->shard_key]);
        if (operation->request.given & AQ_PARAM_BODY) {
            snprintf(rig->body, sizeof rig->body, "body-%u", operation->serial);
            rig->request.body = aq_text_of(rig->body);
        }
        if (operation->request.given & AQ_PARAM_ADDRESS) rig->request.address = AQ_TEXT("redirect");
        event.request = &rig->request;
    }
    step(rig, event);
    if (rig->finished != 1) line_of(rig, "finished")->value = rig->finished;
}

/* ---- life ---- */

static void start(struct rig *rig) {
    struct aq_server_config config = {.policy = &rig->setup->policy,
                                      .service = &rig->service,
                                      .persistent = rig->setup->persistent,
                                      .taps = true,
                                      .default_ttl_s = rig->setup->default_ttl_s,
                                      .queue_max = 10,
                                      .tube_expire_us = rig->setup->tube_expire_us,
                                      .fair = {.by_key = rig->setup->by_key,
                                               .shards = SHARDS_MAX,
                                               .reservation_max = rig->setup->reservation_max}};
    aq_random_init(&config.random, rig->setup->seed, "server", rig->processes++);
    AQ_ASSERT(aq_server_new(&config, &rig->server) == 0);
}

void rig_init(struct rig *rig, const struct setup *setup, struct seen *seen) {
    rig_close(rig);
    *rig = (struct rig){.setup = setup, .now_us = setup->start_us};
    for (int action = 0; action < AQ_ACTION_COUNT; action++)
        rig->service.by_action[action] = AQ_CONSTANT_US(0);
    start(rig);
    rig_wake(rig, seen);
}

void rig_close(struct rig *rig) {
    aq_server_free(rig->server);
    rig->server = NULL;
    aq_server_effects_close(&rig->effects);
    aq_map_close(&rig->names);
}

void rig_restart(struct rig *rig, struct seen *seen) {
    rig->seen = seen;
    rig->operation = NULL;
    aq_server_free(rig->server);
    rig->server = NULL;
    start(rig);
}

/* The hash of a parent's id, whose name is all that is kept here. */
static uint64_t parent_hash(struct rig *rig, const struct model_job *job) {
    if (!job->has_parent) return 0;
    return aq_text_hash(id_text(rig, job->parent, rig->parent_id));
}

void rig_restore(struct rig *rig, const struct model_file *file, struct seen *seen) {
    rig->seen = seen;
    const struct model_job *job = &file->job;
    char body[ID_BYTES] = "";
    if (job->body) snprintf(body, sizeof body, "body-%u", job->body);
    struct aq_job_record record = {
        .folder = (uint8_t)file->folder,
        .is_tube = file->is_tube,
        .paused = file->paused,
        .tps = file->tps,
        .tube = aq_text_of(tube_names[job->tube]),
    };
    if (!file->is_tube) {
        record.state = job->state;
        record.job_id = aq_text_of(rig->ids[job->name]);
        record.body = aq_text_of(body);
        record.priority = (int32_t)job->priority;
        record.own_priority = (int32_t)job->own_priority;
        record.expired_limit = (int32_t)job->expired_limit;
        record.ttl_s = job->ttl_s;
        record.expireds = job->expireds;
        record.releases = job->releases;
        record.due_us = job->due_us;
        record.parent_hash = parent_hash(rig, job);
        record.children = job->children;
        record.started = job->started;
        record.limit = (int32_t)job->limit;
        record.delay_s = job->delay_s;
        record.run_on_timeout = job->run_on_timeout;
        record.noop = job->noop;
    }
    step(rig, (struct aq_server_event){.kind = AQ_SERVER_RESTORE, .record = &record});
}
