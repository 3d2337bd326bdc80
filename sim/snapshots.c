#include "sim/snapshots.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "base/limits.h"
#include "base/memory.h"
#include "protocol/codec.h"
#include "protocol/ids.h"
#include "scenarios/tree.h"

#define LINE_BYTES_MAX (16u << 20)

static void close_names(struct aq_name_list *list) {
    aq_free(list->names);
    aq_map_close(&list->by_hash);
}

void aq_snapshots_close(struct aq_snapshots *s) {
    aq_free(s->items);
    aq_free(s->tubes);
    close_names(&s->servers);
    close_names(&s->tube_names);
    aq_arena_close(&s->texts);
    *s = (struct aq_snapshots){0};
}

/* ---- adding ---- */

static int find_name(struct aq_name_list *list, struct aq_arena *texts, struct aq_text text,
                     uint32_t *index) {
    uint64_t key = aq_map_mix(aq_text_hash(text));
    while (aq_map_get(&list->by_hash, key, index)) {
        if (aq_text_is(text, list->names[*index])) return 0;
        key = aq_map_mix(key + 1);
    }
    char *copy = aq_arena_alloc(texts, (size_t)text.len + 1);
    int rc =
        copy ? aq_array_reserve(&list->names, &list->capacity, (size_t)list->count + 1, sizeof *list->names)
             : AQ_ENOMEM;
    if (!rc) rc = aq_map_set(&list->by_hash, key, list->count);
    if (rc) return rc;
    memcpy(copy, text.at ? text.at : "", text.len);
    copy[text.len] = 0;
    *index = list->count;
    list->names[list->count++] = copy;
    return 0;
}

static int add_tube(struct aq_snapshots *s, struct aq_snapshot *snapshot, const struct aq_tube_stats *tube) {
    struct aq_snapshot_tube row = {.ready = tube->ready,
                                   .delayed = tube->delayed,
                                   .reserved = tube->reserved,
                                   .buried = tube->buried,
                                   .parents = tube->parents,
                                   .avg_s = tube->avg_s,
                                   .tps = tube->tps};
    int rc = find_name(&s->tube_names, &s->texts, tube->tube, &row.tube);
    if (!rc) rc = aq_array_reserve(&s->tubes, &s->tube_capacity, (size_t)s->tube_count + 1, sizeof *s->tubes);
    if (rc) return rc;
    s->tubes[s->tube_count++] = row;
    snapshot->tube_count++;
    snapshot->ready += row.ready;
    snapshot->reserved += row.reserved;
    snapshot->held += row.ready + row.delayed + row.reserved + row.buried + row.parents;
    return 0;
}

int aq_snapshots_add(struct aq_snapshots *s, double at_s, struct aq_text server,
                     const struct aq_server_stats *stats) {
    struct aq_snapshot snapshot = {
        .at_s = at_s, .gets = stats->job_get, .puts = stats->job_put, .first_tube = s->tube_count};
    int rc = find_name(&s->servers, &s->texts, server, &snapshot.server);
    if (!rc && s->servers.count > AQ_SERVERS_MAX) rc = AQ_ELIMIT;
    if (!rc) rc = aq_array_reserve(&s->items, &s->capacity, (size_t)s->count + 1, sizeof *s->items);
    for (uint32_t i = 0; !rc && i < stats->tube_count; i++)
        rc = add_tube(s, &snapshot, &stats->tubes[i]);
    if (!rc) s->items[s->count++] = snapshot;
    return rc;
}

/* ---- reading ---- */

bool aq_snapshot_time(const char *text, double *out_s) {
    struct tm when = {0};
    int used = 0;
    double seconds;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lf%n", &when.tm_year, &when.tm_mon, &when.tm_mday, &when.tm_hour,
               &when.tm_min, &seconds, &used) != 6)
        return false;
    if (strcmp(text + used, "Z") != 0 || when.tm_mon < 1 || when.tm_mon > 12 || when.tm_mday < 1 ||
        when.tm_mday > 31 || when.tm_hour > 23 || when.tm_min > 59 || !(seconds >= 0 && seconds < 61))
        return false;
    when.tm_year -= 1900;
    when.tm_mon--;
    *out_s = (double)timegm(&when) + seconds;
    return true;
}

static int wrong(struct aq_error *error, const cJSON *found, const char *key, const char *allowed) {
    char text[100];
    return aq_error_set(error, AQ_EINVALID, "%s: found %s, allowed is %s", key,
                        found ? aq_tree_describe(text, sizeof text, found) : "nothing", allowed);
}

/* "ID,host:port" or "host:port". */
static struct aq_text address_of(struct aq_text server) {
    const char *comma = server.len ? memchr(server.at, ',', server.len) : NULL;
    if (!comma) return server;
    uint32_t skip = (uint32_t)(comma - server.at) + 1;
    return (struct aq_text){server.at + skip, server.len - skip};
}

static int add_reply(struct aq_snapshots *s, double at_s, const char *server, const struct aq_reply *reply,
                     struct aq_error *error) {
    if (reply->kind != AQ_REPLY_STATS || !reply->server_count)
        return aq_error_set(error, AQ_EINVALID, "stats: that is no answer to stats");
    if (server && (reply->server_count != 1 || reply->servers[0].server.len))
        return aq_error_set(error, AQ_EINVALID,
                            "stats: a client's answer names its servers itself: leave out \"server\"");
    for (uint32_t i = 0; i < reply->server_count; i++) {
        struct aq_text name = server ? aq_text_of(server) : address_of(reply->servers[i].server);
        if (!name.len)
            return aq_error_set(error, AQ_EINVALID,
                                "server: it is missing, and these are the stats of one server");
        int rc = aq_snapshots_add(s, at_s, name, &reply->servers[i]);
        if (rc) return aq_error_set(error, rc, "%s", aq_error_name(rc));
    }
    return 0;
}

static int read_stats(struct aq_snapshots *s, double at_s, const char *server, const cJSON *stats,
                      struct aq_error *error) {
    struct aq_arena arena = {0};
    struct aq_reply reply;
    char *text = aq_tree_print_bare(stats);
    if (!text) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    int rc = aq_reply_decode(text, strlen(text), AQ_ACTION_STATS, &arena, &reply, error);
    if (rc)
        aq_error_prefix(error, "stats");
    else
        rc = add_reply(s, at_s, server, &reply, error);
    aq_free(text);
    aq_arena_close(&arena);
    return rc;
}

static int read_tree(struct aq_snapshots *s, const cJSON *tree, struct aq_error *error) {
    const cJSON *at = aq_tree_member(tree, "at"), *server = aq_tree_member(tree, "server");
    const cJSON *stats = aq_tree_member(tree, "stats");
    double at_s = 0;
    if (cJSON_IsNumber(at))
        at_s = at->valuedouble;
    else if (!cJSON_IsString(at) || !aq_snapshot_time(at->valuestring, &at_s))
        return wrong(error, at, "at", "a number of seconds or a time such as \"2026-11-24T13:05:07Z\"");
    if (server && (!cJSON_IsString(server) || !*server->valuestring))
        return wrong(error, server, "server", "a text such as \"queue1:5555\"");
    if (!cJSON_IsObject(stats)) return wrong(error, stats, "stats", "an object: a server's answer to stats");
    return read_stats(s, at_s, server ? server->valuestring : NULL, stats, error);
}

int aq_snapshots_read_line(struct aq_snapshots *s, const char *line, size_t length, struct aq_error *error) {
    struct aq_tree_fault fault;
    cJSON *tree = NULL;
    int rc = aq_tree_parse(line, length, &tree, &fault);
    if (rc == AQ_EPARSE) return aq_error_set(error, rc, "%s", fault.what);
    if (rc) return aq_error_set(error, rc, "out of memory");
    rc = cJSON_IsObject(tree) ? read_tree(s, tree, error)
                              : aq_error_set(error, AQ_EINVALID, "a line has to be a JSON object");
    cJSON_Delete(tree);
    return rc;
}

int aq_snapshots_read(struct aq_snapshots *s, FILE *file, const char *name, struct aq_error *error) {
    char *line = NULL; /* the C library's */
    size_t size = 0;
    ssize_t length;
    int rc = 0;
    errno = 0;
    for (unsigned long number = 1; !rc && (length = getline(&line, &size, file)) >= 0; number++) {
        if (strspn(line, " \t\r\n") == (size_t)length) continue;
        rc = (size_t)length > LINE_BYTES_MAX
                 ? aq_error_set(error, AQ_ELIMIT, "longer than %u bytes", LINE_BYTES_MAX)
                 : aq_snapshots_read_line(s, line, (size_t)length, error);
        if (rc) aq_error_prefix(error, "%s:%lu", name, number);
    }
    if (!rc && ferror(file))
        rc = aq_error_set(error, AQ_EIO, "%s: cannot be read: %s", name, strerror(errno));
    free(line);
    return rc;
}

static int compare(const void *a, const void *b) {
    const struct aq_snapshot *x = a, *y = b;
    if (x->server != y->server) return x->server < y->server ? -1 : 1;
    return (x->at_s > y->at_s) - (x->at_s < y->at_s);
}

void aq_snapshots_sort(struct aq_snapshots *s) {
    if (s->count) qsort(s->items, s->count, sizeof *s->items, compare);
}

/* ---- writing ---- */

int aq_snapshot_write(FILE *file, double at_s, const char *server, const struct aq_server_stats *stats) {
    struct aq_bytes bytes = {0};
    struct aq_server_stats nameless = *stats;
    nameless.server = (struct aq_text){0};
    const struct aq_reply reply = {
        .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &nameless, .server_count = 1};
    int rc = aq_reply_encode(&reply, &bytes);
    if (!rc && fprintf(file, "{\"at\":%.6f,\"server\":\"%s\",\"stats\":%.*s}\n", at_s, server, (int)bytes.len,
                       bytes.at) < 0)
        rc = AQ_EIO;
    aq_bytes_close(&bytes);
    return rc;
}
