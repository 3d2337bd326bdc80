#include "protocol/damage.h"
#include "protocol/codec.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/json.h"
#include "protocol/stats.h"
#include "protocol/writer.h"

#define ERROR_PREFIX "error: "

static const char *response_word(enum aq_action action) {
    return action == AQ_ACTION_SET_PARENT_JOB ? "set_parent" : aq_action_word(aq_action_answered_as(action));
}

/* A client's answers to the requests about its servers: one field outside of any "response". */
static const char *bare_field(enum aq_action action) {
    switch (action) {
    case AQ_ACTION_DRAIN: return "server_id";
    case AQ_ACTION_ADD_SERVER: return "server_url";
    default: return NULL;
    }
}

static void write_job(struct aq_writer *writer, const struct aq_job *job) {
    AQ_WRITE(writer, "{\"job_id\":");
    aq_write_string(writer, job->job_id);
    AQ_WRITE(writer, ",\"body\":");
    aq_write_string(writer, job->body);
    AQ_WRITE(writer, ",\"tube\":");
    aq_write_string(writer, job->tube);
    AQ_WRITE(writer, ",\"expireds\":\"");
    aq_write_unsigned(writer, job->expireds);
    AQ_WRITE(writer, "\",\"releases\":\"");
    aq_write_unsigned(writer, job->releases);
    AQ_WRITE(writer, "\"}");
}

/* The member "job" or "jobs", which stands both inside the response and behind it. */
static void write_jobs(struct aq_writer *writer, const struct aq_reply *reply) {
    AQ_ASSERT(reply->many || reply->job_count <= 1);
    if (!reply->many) {
        AQ_WRITE(writer, ",\"job\":");
        if (reply->job_count)
            write_job(writer, reply->jobs);
        else
            AQ_WRITE(writer, "{}");
        return;
    }
    AQ_WRITE(writer, ",\"jobs\":[");
    for (uint32_t i = 0; i < reply->job_count; i++) {
        if (i) AQ_WRITE(writer, ",");
        write_job(writer, &reply->jobs[i]);
    }
    AQ_WRITE(writer, "]");
}

static void write_field(struct aq_writer *writer, const char *prefix, struct aq_text text) {
    aq_write(writer, prefix, strlen(prefix));
    aq_write_string(writer, text);
}

static bool carries_jobs(const struct aq_reply *reply) {
    enum aq_action action = aq_action_answered_as(reply->action);
    return action == AQ_ACTION_GET || (action == AQ_ACTION_SET_PARENT_JOB && reply->job_count > 0);
}

static void write_response(struct aq_writer *writer, const struct aq_reply *reply) {
    write_field(writer, "{\"response\":{\"action\":", aq_text_of(response_word(reply->action)));
    if (reply->has_job_id) write_field(writer, ",\"job_id\":", reply->job_id);
    if (reply->has_error) write_field(writer, ",\"error\":", reply->error);
    if (reply->has_value) write_field(writer, ",\"value\":", reply->value);
    if (carries_jobs(reply)) {
        size_t from = writer->len;
        write_jobs(writer, reply);
        size_t to = writer->len;
        AQ_WRITE(writer, "}");
        aq_write_again(writer, from, to);
        AQ_WRITE(writer, "}");
    } else {
        AQ_WRITE(writer, "}}");
    }
}

/* AllQueue makes this one by hand, with blanks. */
static void write_put(struct aq_writer *writer, struct aq_text job_id) {
    write_field(writer, "{\"response\": {\"action\": \"put\",\"job_id\": ", job_id);
    write_field(writer, "},\"job\": {\"job_id\": ", job_id);
    AQ_WRITE(writer, "}}");
}

static void write_normal(struct aq_writer *writer, const struct aq_reply *reply) {
    const char *bare = bare_field(reply->action);
    if (bare) {
        AQ_WRITE(writer, "{\"");
        aq_write(writer, bare, strlen(bare));
        write_field(writer, "\":", reply->value);
        AQ_WRITE(writer, "}");
    } else if (reply->action == AQ_ACTION_UPDATE_SERVERS) {
        AQ_WRITE(writer, "{}");
    } else if (reply->action == AQ_ACTION_PUT && reply->has_job_id && !reply->has_error &&
               !reply->has_value) {
        write_put(writer, reply->job_id);
    } else {
        write_response(writer, reply);
    }
}

static void write_redirect(struct aq_writer *writer, const struct aq_reply *reply) {
    write_field(writer, "{\"admin\":{\"name\":\"redirect\",\"server\":", reply->value);
    AQ_WRITE(writer, ",\"port\":\"");
    aq_write_unsigned(writer, reply->port);
    AQ_WRITE(writer, "\"}}");
}

static void write_result(struct aq_writer *writer, const struct aq_reply *reply) {
    if (!reply->has_value) {
        AQ_WRITE(writer, "{\"result\":{}}");
        return;
    }
    write_field(writer, "{\"result\":{\"action_type\":", reply->value);
    AQ_WRITE(writer, "}}");
}

int aq_reply_encode(const struct aq_reply *reply, struct aq_bytes *out) {
    struct aq_writer writer = aq_writer_begin(out);
    writer.limit = AQ_REPLY_BYTES_MAX;
    switch ((enum aq_reply_kind)reply->kind) {
    case AQ_REPLY_RESPONSE: write_normal(&writer, reply); break;
    case AQ_REPLY_ERROR:
        AQ_WRITE(&writer, ERROR_PREFIX);
        aq_write(&writer, reply->error.at, reply->error.len);
        break;
    case AQ_REPLY_EMPTY: AQ_WRITE(&writer, "{}"); break;
    case AQ_REPLY_PONG: AQ_WRITE(&writer, "pong"); break;
    case AQ_REPLY_VERSION: aq_write(&writer, reply->value.at, reply->value.len); break;
    case AQ_REPLY_STATS: aq_stats_write(&writer, reply); break;
    case AQ_REPLY_REDIRECT: write_redirect(&writer, reply); break;
    case AQ_REPLY_RESULT: write_result(&writer, reply); break;
    }
    int rc = aq_writer_end(&writer);
    return rc || !reply->damage ? rc : aq_damage_bytes(out, reply->damage);
}

/* What reading a reply needs at every step. */
struct reader {
    struct aq_arena *arena;
    struct aq_reply *reply;
    struct aq_error *error;
};

static int read_text_member(const struct reader *r, const cJSON *object, struct aq_json_place place,
                            struct aq_text *out) {
    const cJSON *item = aq_json_member(object, place.field);
    if (!item) return aq_json_missing(place, "this reply", r->error);
    return aq_json_text(item, place, r->arena, out, r->error);
}

static int read_count_member(const struct reader *r, const cJSON *item, struct aq_json_place place,
                             uint32_t *out) {
    int64_t value;
    int rc = aq_json_whole(item, place, 0, UINT32_MAX, &value, r->error);
    if (!rc) *out = (uint32_t)value;
    return rc;
}

static int read_job(const struct reader *r, const cJSON *object, const char *within, struct aq_job *out) {
    if (!cJSON_IsObject(object)) {
        char field[40]; /* the place without its dot */
        snprintf(field, sizeof field, "%.*s", (int)strlen(within) - 1, within);
        return aq_json_wrong(object, (struct aq_json_place){"", field}, "an object", r->error);
    }
    struct aq_job job = {0};
    bool has_job_id = false, has_body = false, has_tube = false;
    int rc = 0;
    for (const cJSON *item = object->child; item && !rc; item = item->next) {
        const struct aq_json_place place = {within, item->string};
        if (strcmp(item->string, "job_id") == 0) {
            rc = aq_json_text(item, place, r->arena, &job.job_id, r->error);
            has_job_id = true;
        } else if (strcmp(item->string, "body") == 0) {
            rc = aq_json_text(item, place, r->arena, &job.body, r->error);
            has_body = true;
        } else if (strcmp(item->string, "tube") == 0) {
            rc = aq_json_text(item, place, r->arena, &job.tube, r->error);
            has_tube = true;
        } else if (strcmp(item->string, "expireds") == 0) {
            rc = read_count_member(r, item, place, &job.expireds);
        } else if (strcmp(item->string, "releases") == 0) {
            rc = read_count_member(r, item, place, &job.releases);
        }
    }
    if (rc) return rc;
    const char *missing = !has_job_id ? "job_id" : !has_body ? "body" : !has_tube ? "tube" : NULL;
    if (missing) return aq_json_missing((struct aq_json_place){within, missing}, "a job", r->error);
    *out = job;
    return 0;
}

static int alloc_jobs(const struct reader *r, size_t count, struct aq_job **out) {
    *out = NULL;
    if (count == 0) return 0;
    *out = aq_arena_alloc(r->arena, count * sizeof **out);
    return *out ? 0 : aq_error_set(r->error, AQ_ENOMEM, "out of memory");
}

static int read_job_list(const struct reader *r, const cJSON *list) {
    if (!cJSON_IsArray(list))
        return aq_json_wrong(list, (struct aq_json_place){"response.", "jobs"}, "a list", r->error);
    size_t count = 0;
    for (const cJSON *item = list->child; item; item = item->next)
        count++;
    struct aq_job *jobs;
    int rc = alloc_jobs(r, count, &jobs);
    uint32_t used = 0;
    for (const cJSON *item = list->child; item && !rc; item = item->next) {
        char within[40];
        snprintf(within, sizeof within, "response.jobs[%u].", used);
        rc = read_job(r, item, within, &jobs[used++]);
    }
    if (rc) return rc;
    r->reply->many = true;
    r->reply->jobs = jobs;
    r->reply->job_count = used;
    return 0;
}

static int read_one_job(const struct reader *r, const cJSON *object) {
    if (cJSON_IsObject(object) && !object->child) return 0; /* {}: nothing found */
    struct aq_job *jobs;
    int rc = alloc_jobs(r, 1, &jobs);
    if (!rc) rc = read_job(r, object, "response.job.", jobs);
    if (rc) return rc;
    r->reply->jobs = jobs;
    r->reply->job_count = 1;
    return 0;
}

/* The jobs stand twice, in the response and behind it; either place will do. */
static int read_jobs(const struct reader *r, const cJSON *root, const cJSON *response) {
    const cJSON *job, *jobs;
    if (!(jobs = aq_json_member(response, "jobs"))) jobs = aq_json_member(root, "jobs");
    if (jobs) return read_job_list(r, jobs);
    if (!(job = aq_json_member(response, "job"))) job = aq_json_member(root, "job");
    if (job) return read_one_job(r, job);
    if (r->reply->has_error || r->reply->action == AQ_ACTION_SET_PARENT_JOB) return 0;
    return aq_json_missing((struct aq_json_place){"response.", "job"}, "the answer to get", r->error);
}

static int read_action(const struct reader *r, const cJSON *response) {
    const struct aq_json_place place = {"response.", "action"};
    const char *word = response_word(r->reply->action);
    const cJSON *item = aq_json_member(response, place.field);
    if (!item) return aq_json_missing(place, "every response", r->error);
    if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0) return 0;
    char allowed[48];
    snprintf(allowed, sizeof allowed, "\"%s\"", word);
    return aq_json_wrong(item, place, allowed, r->error);
}

static int read_optional(const struct reader *r, const cJSON *item, bool *has, struct aq_text *out) {
    *has = true;
    return aq_json_text(item, (struct aq_json_place){"response.", item->string}, r->arena, out, r->error);
}

/* Which field an answer without an error must have. kick leaves out the id when nothing was buried. */
static const char *required_field(const struct aq_reply *reply) {
    switch ((enum aq_action)reply->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH:
    case AQ_ACTION_RELEASE:
    case AQ_ACTION_BURY:
    case AQ_ACTION_SET_PARENT_JOB:
    case AQ_ACTION_SET_CHILDREN_STARTED: return reply->has_job_id || reply->has_error ? NULL : "job_id";
    case AQ_ACTION_THROTTLE: return reply->has_value || reply->has_error ? NULL : "value";
    default: return NULL;
    }
}

static int read_response(const struct reader *r, const cJSON *root) {
    struct aq_reply *reply = r->reply;
    const cJSON *response = aq_json_member(root, "response");
    const struct aq_json_place place = {"", "response"};
    if (!response) return aq_json_missing(place, "this reply", r->error);
    if (!cJSON_IsObject(response)) return aq_json_wrong(response, place, "an object", r->error);
    int rc = read_action(r, response);
    for (const cJSON *item = response->child; item && !rc; item = item->next) {
        if (strcmp(item->string, "job_id") == 0)
            rc = read_optional(r, item, &reply->has_job_id, &reply->job_id);
        else if (strcmp(item->string, "error") == 0)
            rc = read_optional(r, item, &reply->has_error, &reply->error);
        else if (strcmp(item->string, "value") == 0)
            rc = read_optional(r, item, &reply->has_value, &reply->value);
    }
    if (rc) return rc;
    const char *missing = required_field(reply);
    if (missing)
        return aq_json_missing((struct aq_json_place){"response.", missing}, response_word(reply->action),
                               r->error);
    reply->kind = AQ_REPLY_RESPONSE;
    if (reply->action == AQ_ACTION_GET || reply->action == AQ_ACTION_SET_PARENT_JOB)
        return read_jobs(r, root, response);
    return 0;
}

static int read_redirect(const struct reader *r, const cJSON *admin) {
    struct aq_json_place place = {"admin.", "name"};
    struct aq_text name;
    int rc = read_text_member(r, admin, place, &name);
    if (rc) return rc;
    if (!aq_text_is(name, "redirect"))
        return aq_json_wrong(aq_json_member(admin, "name"), place, "\"redirect\"", r->error);
    place.field = "server";
    if ((rc = read_text_member(r, admin, place, &r->reply->value))) return rc;
    place.field = "port";
    const cJSON *port = aq_json_member(admin, place.field);
    if (!port) return aq_json_missing(place, "a redirect", r->error);
    int64_t number;
    if ((rc = aq_json_whole(port, place, 1, UINT16_MAX, &number, r->error))) return rc;
    r->reply->kind = AQ_REPLY_REDIRECT;
    r->reply->has_value = true;
    r->reply->port = (uint16_t)number;
    return 0;
}

static int read_result(const struct reader *r, const cJSON *root) {
    const struct aq_json_place place = {"", "result"};
    const cJSON *result = aq_json_member(root, place.field);
    if (!result) return aq_json_missing(place, "the answer to admin", r->error);
    if (!cJSON_IsObject(result)) return aq_json_wrong(result, place, "an object", r->error);
    r->reply->kind = AQ_REPLY_RESULT;
    const cJSON *type = aq_json_member(result, "action_type");
    if (!type) return 0;
    r->reply->has_value = true;
    return aq_json_text(type, (struct aq_json_place){"result.", "action_type"}, r->arena, &r->reply->value,
                        r->error);
}

static int read_bare(const struct reader *r, const cJSON *root, const char *field) {
    r->reply->kind = AQ_REPLY_RESPONSE;
    r->reply->has_value = true;
    return read_text_member(r, root, (struct aq_json_place){"", field}, &r->reply->value);
}

/* A redirect can come in the place of any answer. A tube that is called "admin" has no name inside. */
static const cJSON *redirect_of(const cJSON *root) {
    const cJSON *admin = aq_json_member(root, "admin");
    return admin && cJSON_IsObject(admin) && aq_json_member(admin, "name") ? admin : NULL;
}

static int read_json(const struct reader *r, const char *bytes, size_t len) {
    const cJSON *root, *admin;
    int rc = aq_json_parse(bytes, len, r->arena, &root, r->error);
    if (rc) return rc;
    if (!cJSON_IsObject(root))
        return aq_json_wrong(root, (struct aq_json_place){"", "reply"}, "an object", r->error);
    if (!root->child) {
        r->reply->kind = AQ_REPLY_EMPTY;
        return 0;
    }
    if ((admin = redirect_of(root))) return read_redirect(r, admin);
    const char *bare = bare_field(r->reply->action);
    if (bare) return read_bare(r, root, bare);
    switch ((enum aq_action)r->reply->action) {
    case AQ_ACTION_STATS: return aq_stats_read(root, r->arena, r->reply, r->error);
    case AQ_ACTION_ADMIN: return read_result(r, root);
    case AQ_ACTION_PING: return aq_json_wrong(root, (struct aq_json_place){"", "reply"}, "pong", r->error);
    case AQ_ACTION_VERSION:
        return aq_json_wrong(root, (struct aq_json_place){"", "reply"}, "a version", r->error);
    case AQ_ACTION_UPDATE_SERVERS:
        return aq_json_wrong(root, (struct aq_json_place){"", "reply"}, "an empty object", r->error);
    default: return read_response(r, root);
    }
}

/* The three replies that are no JSON. */
static int read_plain(const struct reader *r, struct aq_text text, enum aq_reply_kind kind,
                      struct aq_text *out) {
    int rc = aq_json_check_text(text.at, text.len, r->error);
    if (rc) return rc;
    r->reply->kind = (uint8_t)kind;
    rc = aq_arena_text(r->arena, text, out);
    return rc ? aq_error_set(r->error, rc, "out of memory") : 0;
}

static int read_reply(const struct reader *r, struct aq_text text) {
    struct aq_reply *reply = r->reply;
    const uint32_t prefix = sizeof ERROR_PREFIX - 1;
    if (text.len >= prefix && memcmp(text.at, ERROR_PREFIX, prefix) == 0) {
        reply->has_error = true;
        return read_plain(r, (struct aq_text){text.at + prefix, text.len - prefix}, AQ_REPLY_ERROR,
                          &reply->error);
    }
    if (reply->action == AQ_ACTION_PING && aq_text_is(text, "pong")) {
        reply->kind = AQ_REPLY_PONG;
        return 0;
    }
    if (reply->action == AQ_ACTION_VERSION && (text.len == 0 || text.at[0] != '{')) {
        reply->has_value = true;
        return read_plain(r, text, AQ_REPLY_VERSION, &reply->value);
    }
    if (text.len == 0) return aq_error_set(r->error, AQ_EPARSE, "the reply is empty");
    return read_json(r, text.at, text.len);
}

int aq_reply_decode(const char *bytes, size_t len, enum aq_action action, struct aq_arena *arena,
                    struct aq_reply *out, struct aq_error *error) {
    if (len > AQ_REPLY_BYTES_MAX)
        return aq_error_set(error, AQ_ELIMIT, "found %zu bytes, allowed are %u", len, AQ_REPLY_BYTES_MAX);
    const struct aq_arena mark = *arena;
    struct aq_reply reply = {.action = (uint8_t)aq_action_answered_as(action)};
    const struct reader reader = {arena, &reply, error};
    int rc = read_reply(&reader, (struct aq_text){bytes, (uint32_t)len});
    if (rc)
        aq_json_rewind(arena, &mark);
    else
        *out = reply;
    return rc;
}
