#include "protocol/message.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "protocol/params.h"

static const struct aq_text words[AQ_ACTION_COUNT] = {
#define X(name, word) [AQ_ACTION_##name] = {word, sizeof(word) - 1},
    AQ_ACTIONS(X)
#undef X
};

const char *aq_action_word(enum aq_action action) {
    AQ_ASSERT((unsigned)action < AQ_ACTION_COUNT);
    return words[action].at;
}

int aq_action_parse(struct aq_text word, enum aq_action *out) {
    for (int i = 0; i < AQ_ACTION_COUNT; i++)
        if (aq_text_equal(words[i], word)) {
            *out = (enum aq_action)i;
            return 0;
        }
    return AQ_ENOENT;
}

enum aq_action aq_action_answered_as(enum aq_action asked) {
    AQ_ASSERT((unsigned)asked < AQ_ACTION_COUNT);
    switch (asked) {
    case AQ_ACTION_GET_MULTIPLE:
    case AQ_ACTION_PEEK: return AQ_ACTION_GET;
    case AQ_ACTION_UNPAUSE: return AQ_ACTION_PAUSE;
    default: return asked;
    }
}

/* Moves a text to *at, which then lies behind it. */
static struct aq_text move_text(struct aq_text text, char **at) {
    if (text.len == 0) return (struct aq_text){"", 0};
    memcpy(*at, text.at, text.len);
    struct aq_text moved = {*at, text.len};
    *at += text.len;
    return moved;
}

int aq_request_copy(const struct aq_request *request, struct aq_arena *arena, struct aq_request *out) {
    size_t total = (size_t)request->tube.len + request->job_id.len + request->body.len +
                   request->parent_id.len + request->shard_key.len + request->address.len;
    char *at = NULL;
    if (total && !(at = aq_arena_alloc(arena, total))) return AQ_ENOMEM;
    struct aq_request copy = *request;
    copy.tube = move_text(request->tube, &at);
    copy.job_id = move_text(request->job_id, &at);
    copy.body = move_text(request->body, &at);
    copy.parent_id = move_text(request->parent_id, &at);
    copy.shard_key = move_text(request->shard_key, &at);
    copy.address = move_text(request->address, &at);
    *out = copy;
    return 0;
}

/* What a copy takes: the arrays in front, all texts behind. */
struct room {
    size_t arrays, texts;
};

static struct room room_of(const struct aq_reply *reply) {
    struct room room = {.texts = (size_t)reply->job_id.len + reply->error.len + reply->value.len};
    room.arrays = reply->job_count * sizeof *reply->jobs + reply->server_count * sizeof *reply->servers;
    for (uint32_t i = 0; i < reply->job_count; i++) {
        const struct aq_job *job = &reply->jobs[i];
        room.texts += (size_t)job->job_id.len + job->body.len + job->tube.len;
    }
    for (uint32_t i = 0; i < reply->server_count; i++) {
        const struct aq_server_stats *server = &reply->servers[i];
        room.arrays += server->tube_count * sizeof *server->tubes;
        room.texts += server->server.len;
        for (uint32_t j = 0; j < server->tube_count; j++)
            room.texts += server->tubes[j].tube.len;
    }
    return room;
}

static const struct aq_job *copy_jobs(const struct aq_reply *reply, char **array, char **text) {
    if (reply->job_count == 0) return NULL;
    struct aq_job *jobs = (struct aq_job *)*array;
    *array += reply->job_count * sizeof *jobs;
    for (uint32_t i = 0; i < reply->job_count; i++) {
        jobs[i] = reply->jobs[i];
        jobs[i].job_id = move_text(jobs[i].job_id, text);
        jobs[i].body = move_text(jobs[i].body, text);
        jobs[i].tube = move_text(jobs[i].tube, text);
    }
    return jobs;
}

static const struct aq_server_stats *copy_servers(const struct aq_reply *reply, char **array, char **text) {
    if (reply->server_count == 0) return NULL;
    struct aq_server_stats *servers = (struct aq_server_stats *)*array;
    *array += reply->server_count * sizeof *servers;
    for (uint32_t i = 0; i < reply->server_count; i++) {
        servers[i] = reply->servers[i];
        servers[i].server = move_text(servers[i].server, text);
        servers[i].tubes = NULL;
        if (servers[i].tube_count == 0) continue;
        struct aq_tube_stats *tubes = (struct aq_tube_stats *)*array;
        *array += servers[i].tube_count * sizeof *tubes;
        memcpy(tubes, reply->servers[i].tubes, servers[i].tube_count * sizeof *tubes);
        for (uint32_t j = 0; j < servers[i].tube_count; j++)
            tubes[j].tube = move_text(tubes[j].tube, text);
        servers[i].tubes = tubes;
    }
    return servers;
}

int aq_reply_copy(const struct aq_reply *reply, struct aq_arena *arena, struct aq_reply *out) {
    struct room room = room_of(reply);
    char *array = NULL;
    if (room.arrays + room.texts && !(array = aq_arena_alloc(arena, room.arrays + room.texts)))
        return AQ_ENOMEM;
    char *text = array ? array + room.arrays : NULL;
    struct aq_reply copy = *reply;
    copy.job_id = move_text(reply->job_id, &text);
    copy.error = move_text(reply->error, &text);
    copy.value = move_text(reply->value, &text);
    copy.jobs = copy_jobs(reply, &array, &text);
    copy.servers = copy_servers(reply, &array, &text);
    *out = copy;
    return 0;
}

static bool field_equal(const struct aq_param_field *field, const struct aq_request *a,
                        const struct aq_request *b) {
    const char *at_a = (const char *)a + field->offset, *at_b = (const char *)b + field->offset;
    switch (field->type) {
    case AQ_PARAM_TYPE_TEXT:
        return aq_text_equal(*(const struct aq_text *)at_a, *(const struct aq_text *)at_b);
    case AQ_PARAM_TYPE_BOOL: return *(const bool *)at_a == *(const bool *)at_b;
    case AQ_PARAM_TYPE_INT32:
    case AQ_PARAM_TYPE_COUNT: return *(const int32_t *)at_a == *(const int32_t *)at_b;
    case AQ_PARAM_TYPE_PORT: return *(const uint16_t *)at_a == *(const uint16_t *)at_b;
    case AQ_PARAM_TYPE_SECONDS:
    case AQ_PARAM_TYPE_DELAY: return *(const int64_t *)at_a == *(const int64_t *)at_b;
    case AQ_PARAM_TYPE_PER_S: return *(const double *)at_a == *(const double *)at_b;
    }
    return false;
}

bool aq_request_equal(const struct aq_request *a, const struct aq_request *b) {
    if (a->action != b->action) return false;
    struct aq_param_list params = aq_params_of(a->action);
    for (uint32_t i = 0; i < params.count; i++) {
        const struct aq_param_field *field = &params.fields[i];
        if ((a->given & field->bit) != (b->given & field->bit)) return false;
        if ((a->given & field->bit) && !field_equal(field, a, b)) return false;
    }
    return true;
}

static bool job_equal(const struct aq_job *a, const struct aq_job *b) {
    return aq_text_equal(a->job_id, b->job_id) && aq_text_equal(a->body, b->body) &&
           aq_text_equal(a->tube, b->tube) && a->expireds == b->expireds && a->releases == b->releases;
}

static bool tube_equal(const struct aq_tube_stats *a, const struct aq_tube_stats *b) {
    return aq_text_equal(a->tube, b->tube) && a->ready == b->ready && a->delayed == b->delayed &&
           a->reserved == b->reserved && a->buried == b->buried && a->parents == b->parents &&
           a->has_throttle == b->has_throttle && (!a->has_throttle || a->throttle_size == b->throttle_size) &&
           a->avg_s == b->avg_s && a->tps == b->tps;
}

static bool server_equal(const struct aq_server_stats *a, const struct aq_server_stats *b) {
    if (!aq_text_equal(a->server, b->server) || a->tube_count != b->tube_count) return false;
    if (a->action_count != b->action_count || a->job_get != b->job_get || a->job_put != b->job_put)
        return false;
    for (uint32_t i = 0; i < a->tube_count; i++)
        if (!tube_equal(&a->tubes[i], &b->tubes[i])) return false;
    return true;
}

bool aq_reply_equal(const struct aq_reply *a, const struct aq_reply *b) {
    if (a->kind != b->kind || aq_action_answered_as(a->action) != aq_action_answered_as(b->action))
        return false;
    if (a->many != b->many || a->port != b->port || a->job_count != b->job_count) return false;
    bool flags = a->kind == AQ_REPLY_RESPONSE || a->kind == AQ_REPLY_RESULT;
    if (flags &&
        (a->has_job_id != b->has_job_id || a->has_error != b->has_error || a->has_value != b->has_value))
        return false;
    if (!aq_text_equal(a->job_id, b->job_id) || !aq_text_equal(a->error, b->error)) return false;
    if (!aq_text_equal(a->value, b->value) || a->server_count != b->server_count) return false;
    for (uint32_t i = 0; i < a->job_count; i++)
        if (!job_equal(&a->jobs[i], &b->jobs[i])) return false;
    for (uint32_t i = 0; i < a->server_count; i++)
        if (!server_equal(&a->servers[i], &b->servers[i])) return false;
    return true;
}
