#include "protocol/stats.h"

#include <math.h>
#include <string.h>

static void write_count(struct aq_writer *writer, const char *prefix, uint64_t value) {
    aq_write(writer, prefix, strlen(prefix));
    aq_write_unsigned(writer, value);
}

/* AllQueue writes floats with a point always. */
static void write_float(struct aq_writer *writer, const char *prefix, double value) {
    aq_write(writer, prefix, strlen(prefix));
    aq_write_double(writer, value);
    if (fabs(value) < 1e15 && value == trunc(value)) AQ_WRITE(writer, ".0");
}

static void write_tube(struct aq_writer *writer, const struct aq_tube_stats *tube) {
    aq_write_string(writer, tube->tube);
    write_count(writer, ":{\"ready\":\"", tube->ready);
    write_count(writer, "\",\"delayed\":\"", tube->delayed);
    write_count(writer, "\",\"reserved\":\"", tube->reserved);
    write_count(writer, "\",\"buried\":\"", tube->buried);
    write_count(writer, "\",\"parents\":\"", tube->parents);
    write_float(writer, "\",\"avg\":\"", tube->avg_s);
    write_float(writer, "\",\"tps\":\"", tube->tps);
    if (tube->has_throttle) write_count(writer, "\",\"throttle_size\":\"", tube->throttle_size);
    AQ_WRITE(writer, "\"},");
}

static void write_server(struct aq_writer *writer, const struct aq_server_stats *server) {
    AQ_WRITE(writer, "{");
    for (uint32_t i = 0; i < server->tube_count; i++)
        if (!aq_text_is(server->tubes[i].tube, "global")) write_tube(writer, &server->tubes[i]);
    write_count(writer, "\"global\":{\"action_count\":\"", server->action_count);
    write_count(writer, "\",\"job_get\":\"", server->job_get);
    write_count(writer, "\",\"job_put\":\"", server->job_put);
    AQ_WRITE(writer, "\"}}");
}

void aq_stats_write(struct aq_writer *writer, const struct aq_reply *reply) {
    if (reply->server_count == 1 && reply->servers[0].server.len == 0) {
        write_server(writer, &reply->servers[0]);
        return;
    }
    AQ_WRITE(writer, "{");
    for (uint32_t i = 0; i < reply->server_count; i++) {
        if (i) AQ_WRITE(writer, ",");
        aq_write_string(writer, reply->servers[i].server);
        AQ_WRITE(writer, ":");
        write_server(writer, &reply->servers[i]);
    }
    AQ_WRITE(writer, "}");
}

/* Reads the member into *out. Errors as aq_json_whole, and where it is missing. */
static int read_count(const cJSON *object, const char *within, const char *field, uint64_t *out,
                      struct aq_error *error) {
    const struct aq_json_place place = {within, field};
    const cJSON *item = aq_json_member(object, field);
    if (!item) return aq_json_missing(place, "the answer to stats", error);
    int64_t value;
    int rc = aq_json_whole(item, place, 0, INT64_MAX, &value, error);
    if (!rc) *out = (uint64_t)value;
    return rc;
}

static int read_float(const cJSON *object, const char *within, const char *field, double *out,
                      struct aq_error *error) {
    const struct aq_json_place place = {within, field};
    const cJSON *item = aq_json_member(object, field);
    if (!item) return aq_json_missing(place, "the answer to stats", error);
    return aq_json_number(item, place, out, error);
}

static int read_tube_fields(const cJSON *object, struct aq_tube_stats *tube, struct aq_error *error) {
    const char *within = "";
    int rc;
    if ((rc = read_count(object, within, "ready", &tube->ready, error))) return rc;
    if ((rc = read_count(object, within, "delayed", &tube->delayed, error))) return rc;
    if ((rc = read_count(object, within, "reserved", &tube->reserved, error))) return rc;
    if ((rc = read_count(object, within, "buried", &tube->buried, error))) return rc;
    if ((rc = read_count(object, within, "parents", &tube->parents, error))) return rc;
    if ((rc = read_float(object, within, "avg", &tube->avg_s, error))) return rc;
    if ((rc = read_float(object, within, "tps", &tube->tps, error))) return rc;
    tube->has_throttle = aq_json_member(object, "throttle_size") != NULL;
    return tube->has_throttle ? read_count(object, within, "throttle_size", &tube->throttle_size, error) : 0;
}

/* Says whose section an error lies in. */
static void prefix_name(const char *name, struct aq_error *error) {
    char shown[AQ_JSON_SHOWN_MAX];
    aq_json_show(name, shown, sizeof shown);
    aq_error_prefix(error, "%s", shown);
}

static int read_tube(const cJSON *item, struct aq_tube_stats *out, struct aq_error *error) {
    if (!cJSON_IsObject(item))
        return aq_json_wrong(item, (struct aq_json_place){"", "a tube"}, "an object", error);
    struct aq_tube_stats tube = {.tube = aq_text_of(item->string)};
    int rc = read_tube_fields(item, &tube, error);
    if (rc)
        prefix_name(item->string, error);
    else
        *out = tube;
    return rc;
}

static int read_global(const cJSON *global, struct aq_server_stats *server, struct aq_error *error) {
    const char *within = "global.";
    int rc;
    if ((rc = read_count(global, within, "action_count", &server->action_count, error))) return rc;
    if ((rc = read_count(global, within, "job_get", &server->job_get, error))) return rc;
    return read_count(global, within, "job_put", &server->job_put, error);
}

static size_t member_count(const cJSON *object) {
    size_t count = 0;
    for (const cJSON *item = object->child; item; item = item->next)
        count++;
    return count;
}

/* One server's section: its tubes and "global". */
static int read_server(const cJSON *object, struct aq_text name, struct aq_arena *arena,
                       struct aq_server_stats *out, struct aq_error *error) {
    const struct aq_json_place place = {"", "global"};
    const cJSON *global = aq_json_member(object, place.field);
    if (!global) return aq_json_missing(place, "the answer to stats", error);
    if (!cJSON_IsObject(global)) return aq_json_wrong(global, place, "an object", error);
    struct aq_server_stats server = {.server = name};
    int rc = read_global(global, &server, error);
    if (rc) return rc;
    struct aq_tube_stats *tubes = aq_arena_alloc(arena, member_count(object) * sizeof *tubes);
    if (!tubes) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    for (const cJSON *item = object->child; item; item = item->next) {
        if (strcmp(item->string, "global") == 0) continue;
        if ((rc = read_tube(item, &tubes[server.tube_count], error))) return rc;
        server.tube_count++;
    }
    server.tubes = server.tube_count ? tubes : NULL;
    *out = server;
    return 0;
}

/* Whether the sections lie under the names of servers: then there is no "global" on the outermost level. */
static bool is_wrapped(const cJSON *root) {
    if (aq_json_member(root, "global")) return false;
    const cJSON *first = root->child;
    return cJSON_IsObject(first) && aq_json_member(first, "global");
}

int aq_stats_read(const cJSON *root, struct aq_arena *arena, struct aq_reply *reply, struct aq_error *error) {
    bool wrapped = is_wrapped(root);
    struct aq_server_stats *servers =
        aq_arena_alloc(arena, (wrapped ? member_count(root) : 1) * sizeof *servers);
    if (!servers) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    uint32_t used = 0;
    int rc = 0;
    if (!wrapped) rc = read_server(root, (struct aq_text){"", 0}, arena, &servers[used++], error);
    for (const cJSON *item = wrapped ? root->child : NULL; item && !rc; item = item->next) {
        if (!cJSON_IsObject(item))
            return aq_json_wrong(item, (struct aq_json_place){"", "a server"}, "an object", error);
        rc = read_server(item, aq_text_of(item->string), arena, &servers[used++], error);
        if (rc) prefix_name(item->string, error);
    }
    if (rc) return rc;
    reply->kind = AQ_REPLY_STATS;
    reply->servers = servers;
    reply->server_count = used;
    return 0;
}
