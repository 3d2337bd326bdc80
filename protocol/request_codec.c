#include "protocol/codec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/json.h"
#include "protocol/params.h"
#include "protocol/writer.h"

static void write_value(struct aq_writer *writer, const struct aq_param_field *field, const char *at) {
    switch (field->type) {
    case AQ_PARAM_TYPE_TEXT: aq_write_escaped(writer, *(const struct aq_text *)at); break;
    case AQ_PARAM_TYPE_BOOL: *(const bool *)at ? AQ_WRITE(writer, "true") : AQ_WRITE(writer, "false"); break;
    case AQ_PARAM_TYPE_INT32:
    case AQ_PARAM_TYPE_COUNT: aq_write_signed(writer, *(const int32_t *)at); break;
    case AQ_PARAM_TYPE_PORT: aq_write_unsigned(writer, *(const uint16_t *)at); break;
    case AQ_PARAM_TYPE_SECONDS:
    case AQ_PARAM_TYPE_DELAY: aq_write_signed(writer, *(const int64_t *)at); break;
    case AQ_PARAM_TYPE_PER_S: aq_write_double(writer, *(const double *)at); break;
    }
}

static void write_params(struct aq_writer *writer, const struct aq_request *request) {
    struct aq_param_list params = aq_params_of(request->action);
    bool first = true;
    if (request->action == AQ_ACTION_ADMIN) {
        first = false;
        if (request->given & AQ_PARAM_ADDRESS)
            AQ_WRITE(writer, "\"action_type\":\"redirect\"");
        else
            AQ_WRITE(writer, "\"action_type\":\"none\"");
    }
    for (uint32_t i = 0; i < params.count; i++) {
        const struct aq_param_field *field = &params.fields[i];
        if (!(request->given & field->bit)) continue;
        if (!first) AQ_WRITE(writer, ",");
        first = false;
        aq_write(writer, field->prefix, field->key_len + 4u);
        write_value(writer, field, (const char *)request + field->offset);
        AQ_WRITE(writer, "\"");
    }
}

static void write_request(struct aq_writer *writer, const struct aq_request *request) {
    const char *word = aq_action_word(request->action);
    if (request->action == AQ_ACTION_PING || request->action == AQ_ACTION_VERSION) {
        aq_write(writer, word, strlen(word));
        return;
    }
    AQ_WRITE(writer, "{\"action\":\"");
    aq_write(writer, word, strlen(word));
    AQ_WRITE(writer, "\",\"params\":{");
    write_params(writer, request);
    AQ_WRITE(writer, "}}");
}

int aq_request_encode(const struct aq_request *request, struct aq_bytes *out) {
    struct aq_writer writer = aq_writer_begin(out);
    write_request(&writer, request);
    return aq_writer_end(&writer);
}

size_t aq_request_wire_bytes(const struct aq_request *request) {
    struct aq_writer writer = aq_writer_begin(NULL);
    write_request(&writer, request);
    return writer.len;
}

/* AllQueue reads the digits in front and takes what is below one second as none. */
static int read_delay(const cJSON *item, struct aq_json_place place, int64_t *out, struct aq_error *error) {
    double value_s;
    int rc = aq_json_number(item, place, &value_s, error);
    if (rc) return rc;
    if (value_s > INT32_MAX) return aq_json_wrong(item, place, "a number up to 2147483647", error);
    *out = value_s < 0 ? 0 : (int64_t)value_s;
    return 0;
}

static int read_whole(const cJSON *item, struct aq_json_place place, const struct aq_param_field *field,
                      char *at, struct aq_error *error) {
    int64_t min = field->type == AQ_PARAM_TYPE_INT32 ? INT32_MIN : field->type == AQ_PARAM_TYPE_PORT ? 1 : 0;
    int64_t max = field->type == AQ_PARAM_TYPE_PORT ? UINT16_MAX : INT32_MAX, value;
    int rc = aq_json_whole(item, place, min, max, &value, error);
    if (rc) return rc;
    if (field->type == AQ_PARAM_TYPE_SECONDS)
        *(int64_t *)at = value;
    else if (field->type == AQ_PARAM_TYPE_PORT)
        *(uint16_t *)at = (uint16_t)value;
    else
        *(int32_t *)at = (int32_t)value;
    return 0;
}

static int read_param(const cJSON *item, const struct aq_param_field *field, struct aq_arena *arena,
                      struct aq_request *request, struct aq_error *error) {
    struct aq_json_place place = {"params.", field->key};
    char *at = (char *)request + field->offset;
    request->given |= field->bit;
    switch (field->type) {
    case AQ_PARAM_TYPE_TEXT: return aq_json_text(item, place, arena, (struct aq_text *)at, error);
    case AQ_PARAM_TYPE_BOOL: return aq_json_bool(item, place, (bool *)at, error);
    case AQ_PARAM_TYPE_DELAY: return read_delay(item, place, (int64_t *)at, error);
    case AQ_PARAM_TYPE_PER_S: return aq_json_number(item, place, (double *)at, error);
    default: return read_whole(item, place, field, at, error);
    }
}

static const struct aq_param_field *find_field(struct aq_param_list params, const char *key) {
    for (uint32_t i = 0; i < params.count; i++)
        if (strcmp(params.fields[i].key, key) == 0) return &params.fields[i];
    return NULL;
}

/* Other kinds of admin request than redirect carry nothing that anyone reads. */
static int read_action_type(const cJSON *object, struct aq_arena *arena, bool *redirect,
                            struct aq_error *error) {
    struct aq_json_place place = {"params.", "action_type"};
    const cJSON *item = aq_json_member(object, place.field);
    if (!item) return aq_json_missing(place, "admin", error);
    struct aq_text type;
    int rc = aq_json_text(item, place, arena, &type, error);
    if (!rc) *redirect = aq_text_is(type, "redirect");
    return rc;
}

static int read_params(const cJSON *object, struct aq_arena *arena, struct aq_request *request,
                       struct aq_error *error) {
    struct aq_param_list params = aq_params_of(request->action);
    bool redirect = false;
    int rc;
    if (request->action == AQ_ACTION_ADMIN) {
        if ((rc = read_action_type(object, arena, &redirect, error))) return rc;
        if (!redirect) return 0;
    }
    for (const cJSON *item = object->child; item; item = item->next) {
        const struct aq_param_field *field = find_field(params, item->string);
        if (field && (rc = read_param(item, field, arena, request, error))) return rc;
    }
    for (uint32_t i = 0; i < params.count; i++) {
        const struct aq_param_field *field = &params.fields[i];
        if ((field->required || redirect) && !(request->given & field->bit))
            return aq_json_missing((struct aq_json_place){"params.", field->key},
                                   aq_action_word(request->action), error);
    }
    return 0;
}

static int read_action(const cJSON *root, struct aq_request *request, struct aq_error *error) {
    const struct aq_json_place place = {"", "action"};
    const cJSON *item = aq_json_member(root, place.field);
    if (!item) return aq_json_missing(place, "every request", error);
    if (!cJSON_IsString(item)) return aq_json_wrong(item, place, "a text", error);
    enum aq_action action;
    int rc = aq_action_parse(aq_text_of(item->valuestring), &action);
    if (!rc) {
        request->action = (uint8_t)action;
        return 0;
    }
    aq_json_wrong(item, place, "one of AllQueue's actions (put, get, done, stats, ...)", error);
    if (error) error->code = rc;
    return rc;
}

static int read_request(const char *bytes, size_t len, struct aq_arena *arena, struct aq_request *request,
                        struct aq_error *error) {
    const struct aq_text text = {bytes, (uint32_t)len};
    if (aq_text_is(text, "ping") || aq_text_is(text, "version")) {
        request->action = len == 4 ? AQ_ACTION_PING : AQ_ACTION_VERSION;
        return 0;
    }
    const cJSON *root, *params;
    int rc = aq_json_parse(bytes, len, arena, &root, error);
    if (rc) return rc;
    if (!cJSON_IsObject(root))
        return aq_json_wrong(root, (struct aq_json_place){"", "request"}, "an object", error);
    if ((rc = read_action(root, request, error))) return rc;
    const struct aq_json_place place = {"", "params"};
    if (!(params = aq_json_member(root, place.field))) return aq_json_missing(place, "every request", error);
    if (!cJSON_IsObject(params)) return aq_json_wrong(params, place, "an object", error);
    return read_params(params, arena, request, error);
}

int aq_request_decode(const char *bytes, size_t len, struct aq_arena *arena, struct aq_request *out,
                      struct aq_error *error) {
    if (len > AQ_MESSAGE_BYTES_MAX)
        return aq_error_set(error, AQ_ELIMIT, "found %zu bytes, allowed are %d", len, AQ_MESSAGE_BYTES_MAX);
    const struct aq_arena mark = *arena;
    struct aq_request request = {0};
    int rc = read_request(bytes, len, arena, &request, error);
    if (rc)
        aq_json_rewind(arena, &mark);
    else
        *out = request;
    return rc;
}
