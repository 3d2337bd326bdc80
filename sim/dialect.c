#include "sim/dialect.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "client/text_out.h"

/* ---- calls ---- */

static void add_encoded(struct aq_text_out *out, struct aq_text text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (uint32_t i = 0; i < text.len; i++)
        if (text.at[i] && strchr(plain, text.at[i]))
            aq_text_out_add(out, text.at + i, 1);
        else
            aq_text_out_format(out, "%%%02X", (unsigned char)text.at[i]);
}

static void add_query(struct aq_text_out *out, char before, const char *name, struct aq_text value) {
    aq_text_out_format(out, "%c%s=", before, name);
    add_encoded(out, value);
}

static void add_json_number(struct aq_text_out *out, const struct aq_request *r, uint32_t param,
                            const char *name, int64_t value) {
    if (r->given & param) aq_text_out_format(out, ",\"%s\":%" PRId64, name, value);
}

static void add_json_text(struct aq_text_out *out, const struct aq_request *r, uint32_t param,
                          const char *name, struct aq_text text) {
    if (!(r->given & param)) return;
    aq_text_out_format(out, ",\"%s\":", name);
    aq_text_out_json(out, text);
}

static void write_put_body(const struct aq_request *r, struct aq_text_out *out) {
    AQ_TEXT_OUT(out, "{\"tube\":");
    aq_text_out_json(out, r->tube);
    AQ_TEXT_OUT(out, ",\"body\":");
    aq_text_out_json(out, r->body);
    add_json_number(out, r, AQ_PARAM_TTL, "ttl", r->ttl_s);
    add_json_number(out, r, AQ_PARAM_DELAY, "delay", r->delay_s);
    add_json_number(out, r, AQ_PARAM_PRIORITY, "priority", r->priority);
    add_json_number(out, r, AQ_PARAM_EXPIRED_LIMIT, "expired_limit", r->expired_limit);
    add_json_text(out, r, AQ_PARAM_PARENT_ID, "parent_id", r->parent_id);
    add_json_text(out, r, AQ_PARAM_SHARD_KEY, "shard_key", r->shard_key);
    AQ_TEXT_OUT(out, "}");
}

/* Method, path and query. */
static int write_route(const struct aq_request *r, struct aq_text_out *out) {
    char count[16];
    int len;
    switch ((enum aq_action)r->action) {
    case AQ_ACTION_PUT: AQ_TEXT_OUT(out, "POST /job"); return 0;
    case AQ_ACTION_GET: AQ_TEXT_OUT(out, "GET /job"); break;
    case AQ_ACTION_GET_MULTIPLE: AQ_TEXT_OUT(out, "GET /multiple_job"); break;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE: AQ_TEXT_OUT(out, "DELETE /job"); break;
    case AQ_ACTION_TOUCH: AQ_TEXT_OUT(out, "PUT /touch"); break;
    case AQ_ACTION_BURY: AQ_TEXT_OUT(out, "PUT /bury"); break;
    case AQ_ACTION_RELEASE: AQ_TEXT_OUT(out, "PUT /release"); break;
    default: return AQ_EUNSUPPORTED;
    }
    if (aq_action_is_completion((enum aq_action)r->action))
        add_query(out, '?', "job_id", r->job_id);
    else
        add_query(out, '?', "tube", r->tube);
    if (r->given & AQ_PARAM_COUNT) {
        len = snprintf(count, sizeof count, "%" PRId32, r->count);
        add_query(out, '&', "count", (struct aq_text){count, (uint32_t)len});
    }
    if (r->action == AQ_ACTION_RELEASE && r->given & AQ_PARAM_DELAY)
        aq_text_out_format(out, "&delay=%" PRId64, r->delay_s);
    return 0;
}

static int write_rest(const struct aq_request *r, struct aq_text_out *out) {
    struct aq_text_out body = {0};
    int rc = write_route(r, out);
    if (rc) return rc;
    AQ_TEXT_OUT(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n");
    if (r->action == AQ_ACTION_PUT) {
        write_put_body(r, &body);
        aq_text_out_format(out, "Content-Type: application/json\r\nContent-Length: %" PRIu32 "\r\n",
                           body.bytes.len);
    }
    AQ_TEXT_OUT(out, "\r\n");
    aq_text_out_add(out, body.bytes.at, body.bytes.len);
    out->failed = out->failed || body.failed;
    aq_text_out_close(&body);
    return out->failed ? AQ_ENOMEM : 0;
}

int aq_dialect_write(enum aq_dialect dialect, const struct aq_request *request, struct aq_bytes *out) {
    struct aq_text_out text = {.bytes = *out};
    int rc;
    if (dialect == AQ_DIALECT_REST) {
        text.bytes.len = 0;
        rc = write_rest(request, &text);
    } else {
        rc = aq_request_encode(request, &text.bytes);
        if (!rc) AQ_TEXT_OUT(&text, "\n");
    }
    *out = text.bytes;
    return !rc && text.failed ? AQ_ENOMEM : rc;
}

/* ---- answers ---- */

static struct aq_text text_of(const cJSON *item) {
    return cJSON_IsString(item) ? aq_text_of(item->valuestring) : (struct aq_text){"", 0};
}

static const cJSON *member(const cJSON *json, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static bool outcome_of_word(const cJSON *word, enum aq_outcome *out) {
    for (int i = AQ_OUTCOME_OK; cJSON_IsString(word) && i <= AQ_OUTCOME_EMPTY; i++)
        if (strcmp(word->valuestring, aq_outcome_word((enum aq_outcome)i)) == 0) {
            *out = (enum aq_outcome)i;
            return true;
        }
    return false;
}

/* An answer that says itself that the call failed, or says nothing at all. Our own client names the outcome.
 */
static bool is_failure(const cJSON *json, enum aq_outcome *out) {
    if (outcome_of_word(member(json, "outcome"), out)) return true;
    const cJSON *error = member(json, "error");
    bool nothing = cJSON_IsObject(json) && (!json->child || (error && !json->child->next));
    if (nothing) *out = AQ_OUTCOME_EMPTY;
    return nothing;
}

/* A server's soft error says that it did not do it. */
static void conclude(struct aq_dialect_answer *out) {
    const struct aq_reply *reply = &out->reply;
    bool refused = reply->kind == AQ_REPLY_ERROR || (reply->kind == AQ_REPLY_RESPONSE && reply->has_error);
    out->outcome = refused ? AQ_OUTCOME_REFUSED : AQ_OUTCOME_OK;
    out->has_reply = true;
}

int aq_dialect_read_line(enum aq_action action, struct aq_text line, struct aq_arena *arena,
                         struct aq_dialect_answer *out) {
    struct aq_dialect_answer answer = {.outcome = AQ_OUTCOME_UNKNOWN};
    cJSON *json = cJSON_ParseWithLength(line.at, line.len);
    bool failed = json && is_failure(json, &answer.outcome);
    cJSON_Delete(json);
    if (!failed || answer.outcome == AQ_OUTCOME_REFUSED) {
        int rc = aq_reply_decode(line.at, line.len, action, arena, &answer.reply, NULL);
        if (rc == AQ_ENOMEM) return rc;
        if (rc == 0 && failed)
            answer.has_reply = true;
        else if (rc == 0)
            conclude(&answer);
    }
    *out = answer;
    return 0;
}

/* A job over REST: "id" where one is asked for, "job_id" in a list; numbers as they come. */
static int read_job(const cJSON *json, struct aq_arena *arena, struct aq_job *out) {
    const cJSON *id = member(json, "id");
    *out = (struct aq_job){0};
    int rc = aq_arena_text(arena, text_of(id ? id : member(json, "job_id")), &out->job_id);
    if (!rc) rc = aq_arena_text(arena, text_of(member(json, "body")), &out->body);
    if (!rc) rc = aq_arena_text(arena, text_of(member(json, "tube")), &out->tube);
    return rc;
}

static int read_jobs(const cJSON *json, struct aq_arena *arena, struct aq_reply *reply) {
    const cJSON *list = member(json, "jobs"), *one = member(json, "job"), *item;
    const cJSON *only = one ? one : member(json, "id") ? json : NULL;
    uint32_t count = list ? (uint32_t)cJSON_GetArraySize(list) : only && only->child ? 1 : 0;
    struct aq_job *jobs = aq_arena_alloc(arena, (count + 1) * sizeof *jobs);
    if (!jobs) return AQ_ENOMEM;
    reply->jobs = jobs;
    reply->many = list != NULL;
    if (!list) {
        reply->job_count = count;
        return count ? read_job(only, arena, jobs) : 0;
    }
    cJSON_ArrayForEach(item, list) {
        int rc = read_job(item, arena, &jobs[reply->job_count++]);
        if (rc) return rc;
    }
    return 0;
}

static int read_reply(enum aq_action action, const cJSON *json, struct aq_arena *arena,
                      struct aq_dialect_answer *out) {
    struct aq_reply *reply = &out->reply;
    const cJSON *id = member(json, "job_id"), *error = member(json, "error");
    bool hands_out = action == AQ_ACTION_GET || action == AQ_ACTION_GET_MULTIPLE;
    *reply = (struct aq_reply){.kind = AQ_REPLY_RESPONSE, .action = (uint8_t)action};
    if (hands_out) {
        int rc = read_jobs(json, arena, reply);
        if (!rc) conclude(out);
        return rc;
    }
    if (!id && !error) return 0; /* not what was asked for */
    reply->has_job_id = id != NULL;
    reply->has_error = error != NULL;
    int rc = aq_arena_text(arena, text_of(id), &reply->job_id);
    if (!rc) rc = aq_arena_text(arena, text_of(error), &reply->error);
    if (!rc) conclude(out);
    return rc;
}

int aq_dialect_read_rest(enum aq_action action, uint32_t status, struct aq_text body, struct aq_arena *arena,
                         struct aq_dialect_answer *out) {
    struct aq_dialect_answer answer = {.outcome = AQ_OUTCOME_UNKNOWN};
    bool none = action == AQ_ACTION_GET && body.len == 2 && memcmp(body.at, "{}", 2) == 0;
    cJSON *json = body.len ? cJSON_ParseWithLength(body.at, body.len) : NULL;
    int rc = 0;
    if (status == 200 && body.len == 0)
        answer.outcome = AQ_OUTCOME_EMPTY;
    else if (cJSON_IsObject(json) && (none || !is_failure(json, &answer.outcome)) && status == 200)
        rc = read_reply(action, json, arena, &answer);
    cJSON_Delete(json);
    if (!rc) *out = answer;
    return rc;
}
