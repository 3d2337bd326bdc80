#include "client/app_answers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "protocol/codec.h"

void aq_app_answers_failure(struct aq_text_out *out, const char *why, enum aq_outcome outcome) {
    AQ_TEXT_OUT(out, "{\"error\":");
    aq_text_out_json(out, aq_text_of(why));
    aq_text_out_format(out, ",\"outcome\":\"%s\"}", aq_outcome_word(outcome));
}

/* ---- JSON lines ---- */

static bool names(struct aq_text silent, struct aq_text id, const char *address) {
    char name[AQ_SERVER_ID_CHARS + AQ_ADDRESS_CHARS_MAX + 3];
    int len = snprintf(name, sizeof name, " %.*s,%s", AQ_TEXT_ARGS(id), address);
    for (const char *at = silent.at, *end = silent.at + silent.len; end - at >= len; at++) {
        if (memcmp(at, name, (size_t)len) == 0 && (at + len == end || at[len] == ' ')) return true;
    }
    return false;
}

/* {"ID":"true",...}: false for those that the reply names as silent. */
static void write_ping(const struct aq_gateway *gateway, const struct aq_reply *reply,
                       struct aq_text_out *out) {
    struct aq_text silent = reply->kind == AQ_REPLY_ERROR ? reply->error : (struct aq_text){"", 0};
    bool first = true;
    AQ_TEXT_OUT(out, "{");
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++) {
        struct aq_gateway_server server = aq_gateway_server(gateway, i);
        bool silent_one = names(silent, server.id, server.address);
        if (!silent_one && server.health != AQ_SERVER_WELL && server.health != AQ_SERVER_DRAINING)
            continue; /* a sick server is not asked, and not named */
        if (!first) AQ_TEXT_OUT(out, ",");
        first = false;
        aq_text_out_json(out, server.id);
        aq_text_out_format(out, ":\"%s\"", silent_one ? "false" : "true");
    }
    AQ_TEXT_OUT(out, "}");
}

/* The reply as AllQueue writes it, behind the first `skip` bytes. False where it is too long for that. */
static bool write_encoded(const struct aq_reply *reply, uint32_t skip, struct aq_text_out *out) {
    struct aq_bytes bytes = {0};
    int rc = aq_reply_encode(reply, &bytes);
    uint32_t from = out->bytes.len;
    if (!rc) aq_text_out_add(out, bytes.at + skip, bytes.len - skip);
    for (uint32_t i = from; i < out->bytes.len; i++) /* in the text of an error */
        if (out->bytes.at[i] == '\n') out->bytes.at[i] = ' ';
    aq_bytes_close(&bytes);
    if (rc == AQ_ENOMEM) out->failed = true;
    return rc != AQ_ELIMIT;
}

static void write_line_ok(const struct aq_gateway *gateway, const struct aq_gateway_answer *answer,
                          struct aq_text_out *out) {
    switch (answer->action) {
    case AQ_ACTION_PING: write_ping(gateway, answer->reply, out); return;
    case AQ_ACTION_CLEAR: AQ_TEXT_OUT(out, "{}"); return;
    case AQ_ACTION_THROTTLE:
        AQ_TEXT_OUT(out, "{\"response\":{\"action\":\"throttle\",\"value\":\"true\"}}");
        return;
    case AQ_ACTION_VERSION:
        AQ_TEXT_OUT(out, "{\"response\":{\"action\":\"version\",\"value\":");
        aq_text_out_json(out, answer->reply->value);
        AQ_TEXT_OUT(out, "}}");
        return;
    default: break;
    }
    if (!write_encoded(answer->reply, 0, out))
        aq_app_answers_failure(out, "the answer is longer than a message may be", AQ_OUTCOME_UNKNOWN);
}

static void write_line_refused(const struct aq_gateway_answer *answer, struct aq_text_out *out) {
    aq_app_answers_failure(out, answer->why, AQ_OUTCOME_REFUSED);
    if (answer->reply->kind != AQ_REPLY_RESPONSE || out->failed) return;
    out->bytes.len--; /* the closing brace makes room for what AllQueue would say */
    AQ_TEXT_OUT(out, ",");
    if (write_encoded(answer->reply, 1, out) || out->failed) return;
    out->bytes.len--;
    AQ_TEXT_OUT(out, "}");
}

void aq_app_answers_line(const struct aq_gateway *gateway, bool upstream, enum aq_gateway_listener listener,
                         const struct aq_gateway_answer *answer, struct aq_text_out *out) {
    bool ping = answer->action == AQ_ACTION_PING && answer->outcome == AQ_OUTCOME_REFUSED;
    if (answer->outcome == AQ_OUTCOME_OK || ping) {
        write_line_ok(gateway, answer, out);
    } else if (!upstream) {
        if (answer->outcome == AQ_OUTCOME_REFUSED)
            write_line_refused(answer, out);
        else
            aq_app_answers_failure(out, answer->why, answer->outcome);
    } else if (answer->outcome == AQ_OUTCOME_REFUSED) {
        write_encoded(answer->reply, 0, out);
    } else if (listener == AQ_GATEWAY_UNIX) {
        AQ_TEXT_OUT(out, "{\"error\" : \"no_allq\"}");
    } else {
        AQ_TEXT_OUT(out, "{}");
    }
}

/* ---- REST ---- */

static void write_field(struct aq_text_out *out, const char *prefix, struct aq_text text) {
    aq_text_out_word(out, prefix);
    aq_text_out_json(out, text);
}

/* A job as REST shows it: "id", and whole numbers. */
static void write_rest_job(struct aq_text_out *out, const struct aq_job *job) {
    write_field(out, "{\"id\":", job->job_id);
    write_field(out, ",\"body\":", job->body);
    write_field(out, ",\"tube\":", job->tube);
    aq_text_out_format(out, ",\"expireds\":%" PRIu32 ",\"releases\":%" PRIu32 "}", job->expireds,
                       job->releases);
}

/* A job as it is on the wire: "job_id", and texts only. */
static void write_wire_job(struct aq_text_out *out, const struct aq_job *job) {
    write_field(out, "{\"job_id\":", job->job_id);
    write_field(out, ",\"body\":", job->body);
    write_field(out, ",\"tube\":", job->tube);
    aq_text_out_format(out, ",\"expireds\":\"%" PRIu32 "\",\"releases\":\"%" PRIu32 "\"}", job->expireds,
                       job->releases);
}

static void write_one_job(struct aq_text_out *out, const struct aq_reply *reply) {
    if (reply->job_count)
        write_rest_job(out, reply->jobs);
    else
        AQ_TEXT_OUT(out, "{}");
}

static void write_job_list(struct aq_text_out *out, const struct aq_reply *reply, bool upstream) {
    if (upstream && !reply->many) { /* count=1 */
        AQ_TEXT_OUT(out, "{\"action\":\"get\",\"job\":");
        if (reply->job_count)
            write_wire_job(out, reply->jobs);
        else
            AQ_TEXT_OUT(out, "{}");
        AQ_TEXT_OUT(out, "}");
        return;
    }
    AQ_TEXT_OUT(out, "{\"jobs\":[");
    for (uint32_t i = 0; i < reply->job_count; i++) {
        if (i) AQ_TEXT_OUT(out, ",");
        write_rest_job(out, &reply->jobs[i]);
    }
    AQ_TEXT_OUT(out, "]}");
}

/* The shortest form that reads back as the same number, always with a point or an exponent. */
static void write_float(struct aq_text_out *out, const char *prefix, double value) {
    char text[40];
    if (!isfinite(value)) value = 0;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) break;
    }
    aq_text_out_format(out, "%s%s%s", prefix, text, strpbrk(text, ".e") ? "" : ".0");
}

static void write_tube(struct aq_text_out *out, const struct aq_tube_stats *tube) {
    write_field(out, "{\"tube\":", tube->tube);
    aq_text_out_format(out,
                       ",\"ready\":%" PRIu64 ",\"reserved\":%" PRIu64 ",\"delayed\":%" PRIu64
                       ",\"buried\":%" PRIu64 ",\"parents\":%" PRIu64,
                       tube->ready, tube->reserved, tube->delayed, tube->buried, tube->parents);
    if (tube->has_throttle) aq_text_out_format(out, ",\"throttle_size\":%" PRIu64, tube->throttle_size);
    write_float(out, ",\"avg\":", tube->avg_s);
    write_float(out, ",\"tps\":", tube->tps);
    AQ_TEXT_OUT(out, "}");
}

static void write_stats(struct aq_text_out *out, const struct aq_reply *reply, bool upstream) {
    AQ_TEXT_OUT(out, "[");
    for (uint32_t i = 0; i < reply->server_count; i++) {
        const struct aq_server_stats *server = &reply->servers[i];
        bool counted = !upstream || server->tube_count > 0; /* upstream forgets them where there is no tube */
        write_field(out, i ? ",{\"server_name\":" : "{\"server_name\":", server->server);
        aq_text_out_format(
            out, ",\"action_count\":%" PRIu64 ",\"job_put\":%" PRIu64 ",\"job_get\":%" PRIu64 ",\"stats\":[",
            counted ? server->action_count : 0, counted ? server->job_put : 0, counted ? server->job_get : 0);
        for (uint32_t k = 0; k < server->tube_count; k++) {
            if (k) AQ_TEXT_OUT(out, ",");
            write_tube(out, &server->tubes[k]);
        }
        AQ_TEXT_OUT(out, "]}");
    }
    AQ_TEXT_OUT(out, "]");
}

static const char *action_word(enum aq_action action, bool upstream) {
    if (action == AQ_ACTION_SET_PARENT_JOB) return "set_parent";
    return aq_action_word(upstream ? aq_action_answered_as(action) : action);
}

/* The members of "response", behind what is there already. */
static void write_response(struct aq_text_out *out, const struct aq_gateway_answer *answer, bool upstream,
                           bool with_error) {
    const struct aq_reply *reply = answer->reply;
    write_field(out, "\"action\":", aq_text_of(action_word(answer->action, upstream)));
    if (reply->has_job_id) write_field(out, ",\"job_id\":", reply->job_id);
    if (reply->has_error && with_error) write_field(out, ",\"error\":", reply->error);
    if (reply->has_value) write_field(out, ",\"value\":", reply->value);
    if (reply->job_count && !reply->many) {
        AQ_TEXT_OUT(out, ",\"job\":");
        write_wire_job(out, reply->jobs);
    }
    AQ_TEXT_OUT(out, "}");
}

static void write_rest_ok(const struct aq_gateway *gateway, bool upstream,
                          const struct aq_gateway_answer *answer, struct aq_text_out *out) {
    switch (answer->action) {
    case AQ_ACTION_GET:
    case AQ_ACTION_PEEK: write_one_job(out, answer->reply); return;
    case AQ_ACTION_GET_MULTIPLE: write_job_list(out, answer->reply, upstream); return;
    case AQ_ACTION_STATS: write_stats(out, answer->reply, upstream); return;
    case AQ_ACTION_THROTTLE: AQ_TEXT_OUT(out, "{\"action\":\"throttle\",\"value\":\"true\"}"); return;
    case AQ_ACTION_PING:
    case AQ_ACTION_CLEAR:
    case AQ_ACTION_VERSION:
    case AQ_ACTION_DRAIN:
    case AQ_ACTION_ADD_SERVER:
    case AQ_ACTION_UPDATE_SERVERS: write_line_ok(gateway, answer, out); return;
    default: break;
    }
    AQ_TEXT_OUT(out, "{");
    write_response(out, answer, upstream, true);
}

static unsigned status_of(const struct aq_gateway_answer *answer) {
    switch (answer->outcome) {
    case AQ_OUTCOME_OK: return 200;
    case AQ_OUTCOME_REFUSED: return answer->reply->kind == AQ_REPLY_RESPONSE ? 409 : 502;
    case AQ_OUTCOME_UNAVAILABLE: return 503;
    case AQ_OUTCOME_UNKNOWN: return 504;
    case AQ_OUTCOME_INVALID: return 400;
    case AQ_OUTCOME_EMPTY: return 502;
    }
    AQ_ASSERT(!"an outcome");
    return 500;
}

unsigned aq_app_answers_rest(const struct aq_gateway *gateway, bool upstream,
                             const struct aq_gateway_answer *answer, struct aq_text_out *out) {
    bool response = answer->outcome == AQ_OUTCOME_REFUSED && answer->reply->kind == AQ_REPLY_RESPONSE;
    if (answer->outcome == AQ_OUTCOME_OK) {
        write_rest_ok(gateway, upstream, answer, out);
    } else if (upstream) {
        if (!response) return 200;
        AQ_TEXT_OUT(out, "{");
        write_response(out, answer, true, true);
    } else {
        aq_app_answers_failure(out, answer->why, answer->outcome);
        if (!response || out->failed) return status_of(answer);
        out->bytes.len--;
        AQ_TEXT_OUT(out, ",");
        write_response(out, answer, false, false);
    }
    return upstream ? 200 : status_of(answer);
}
