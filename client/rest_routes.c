#include "client/rest_routes.h"

#include <ctype.h>
#include <stdio.h>

#define ARGUMENTS_MAX 3
#define PATH_MAX_LEN  32 /* longer ones match nothing */

enum argument_flags {
    REQUIRED = 1,
    STRICT_ONLY = 2, /* upstream does not look at it */
    IS_ID = 4,       /* a blank in it was a plus sign */
};

struct argument {
    const char *name;  /* in the query, and as parameter */
    const char *alias; /* in the query; may be NULL */
    int flags;
};

struct aq_rest_route {
    const char *method, *path; /* the path without its slash */
    enum aq_rest_kind kind;
    enum aq_action action;
    bool body, strict_only;
    struct argument arguments[ARGUMENTS_MAX];
};

static const struct aq_rest_route routes[] = {
    {"POST", "job", .action = AQ_ACTION_PUT, .body = true},
    {"POST", "parent_job", .action = AQ_ACTION_SET_PARENT_JOB, .body = true},
    {"POST", "throttle", .action = AQ_ACTION_THROTTLE, .body = true},
    {"GET", "job", .action = AQ_ACTION_GET, .arguments = {{"tube", "tube_name"}, {"delete"}}},
    {"GET", "multiple_job", .action = AQ_ACTION_GET_MULTIPLE,
     .arguments = {{"tube", "tube_name"}, {"count", .flags = REQUIRED}, {"delete"}}},
    {"GET", "peek", .action = AQ_ACTION_PEEK, .arguments = {{"tube", "tube_name"}, {"buried"}}},
    {"GET", "stats", .action = AQ_ACTION_STATS},
    {"PUT", "touch", .action = AQ_ACTION_TOUCH, .arguments = {{"job_id", .flags = IS_ID}}},
    {"PUT", "bury", .action = AQ_ACTION_BURY, .arguments = {{"job_id", .flags = IS_ID}}},
    {"PUT", "release", .action = AQ_ACTION_RELEASE,
     .arguments = {{"job_id", .flags = IS_ID}, {"delay", .flags = STRICT_ONLY}}},
    {"PUT", "set_children_started", .action = AQ_ACTION_SET_CHILDREN_STARTED,
     .arguments = {{"job_id", .flags = IS_ID}}},
    /* Upstream does not hand the tube on, and so never kicks anything. */
    {"PUT", "kick", .action = AQ_ACTION_KICK,
     .arguments = {{"job_id", .flags = IS_ID}, {"tube", "tube_name", STRICT_ONLY}}},
    {"DELETE", "job", .action = AQ_ACTION_DELETE, .arguments = {{"job_id", .flags = IS_ID}, {"tube"}}},
    {"DELETE", "tube", .action = AQ_ACTION_CLEAR, .arguments = {{"tube"}}},
    /* Not in AllQueue. */
    {"PUT", "done", .action = AQ_ACTION_DONE, .strict_only = true, .arguments = {{"job_id", .flags = IS_ID}}},
    {"GET", "ping", .action = AQ_ACTION_PING, .strict_only = true},
    {"POST", "pause", .action = AQ_ACTION_PAUSE, .body = true, .strict_only = true},
    {"POST", "unpause", .action = AQ_ACTION_UNPAUSE, .body = true, .strict_only = true},
    {"POST", "drain", .action = AQ_ACTION_DRAIN, .body = true, .strict_only = true},
    {"POST", "add_server", .action = AQ_ACTION_ADD_SERVER, .body = true, .strict_only = true},
    {"POST", "update_servers", .action = AQ_ACTION_UPDATE_SERVERS, .body = true, .strict_only = true},
    {"GET", "health", AQ_REST_HEALTH},
    {"HEAD", "health", AQ_REST_HEALTH},
    {"GET", "metrics", AQ_REST_METRICS},
    {"HEAD", "metrics", AQ_REST_METRICS},
};

/* The path as the table has it. Upstream deletes every slash and ignores case; strict allows one slash
 * behind. */
static bool plain_path(bool upstream, const char *path, char out[PATH_MAX_LEN]) {
    size_t len = 0, all = strlen(path);
    if (all == 0 || path[0] != '/') return false;
    for (size_t i = 1; i < all; i++) {
        if (path[i] == '/' && (upstream || i == all - 1)) continue;
        if (len == PATH_MAX_LEN - 1) return false;
        out[len++] = upstream ? (char)tolower((unsigned char)path[i]) : path[i];
    }
    out[len] = 0;
    return true;
}

/* What a path allows: the methods that the table has for it, told by a bit each. */
static const char *allowed_methods(unsigned methods) {
    static const char *const texts[] = {"",       "GET",         "POST",         "GET, POST",
                                        "PUT",    "GET, PUT",    "POST, PUT",    "GET, POST, PUT",
                                        "DELETE", "GET, DELETE", "POST, DELETE", "GET, POST, DELETE"};
    static const char reading[] = "GET, HEAD";
    if (methods & 16) return reading;
    return methods < sizeof texts / sizeof *texts ? texts[methods] : "";
}

static unsigned method_bit(const char *method) {
    switch (method[0]) {
    case 'G': return 1;
    case 'D': return 8;
    case 'H': return 16;
    default: return method[1] == 'O' ? 2 : 4;
    }
}

struct aq_rest_match aq_rest_routes_find(bool upstream, const char *method, const char *path) {
    struct aq_rest_match match = {0};
    char plain[PATH_MAX_LEN];
    unsigned methods = 0;
    if (!plain_path(upstream, path, plain)) return match;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct aq_rest_route *route = &routes[i];
        if (strcmp(route->path, plain) != 0 || (upstream && route->strict_only)) continue;
        methods |= method_bit(route->method);
        if (strcmp(route->method, method) == 0)
            return (struct aq_rest_match){.route = route, .kind = route->kind, .body = route->body};
    }
    match.known_path = methods != 0;
    match.allow = allowed_methods(methods);
    return match;
}

/* Whether the text is one JSON object, as far as its braces tell, and nothing behind it: what is wrong within
   is for the parser to say. Without this a body could end the parameters and go on with an action of its own.
 */
static bool is_one_object(struct aq_text text) {
    uint32_t depth = 0, i = 0;
    bool in_string = false;
    while (i < text.len && isspace((unsigned char)text.at[i]))
        i++;
    if (i == text.len || text.at[i] != '{') return false;
    for (; i < text.len; i++) {
        char c = text.at[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else
                in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    if (i >= text.len) return false;
    for (i++; i < text.len; i++)
        if (!isspace((unsigned char)text.at[i])) return false;
    return true;
}

static void write_argument(struct aq_text_out *out, bool first, const struct argument *argument,
                           bool upstream, struct aq_text value) {
    aq_text_out_format(out, "%s\"%s\":", first ? "" : ",", argument->name);
    uint32_t from = out->bytes.len;
    aq_text_out_json(out, value);
    if (upstream || !(argument->flags & IS_ID)) return;
    for (uint32_t i = from; i < out->bytes.len; i++)
        if (out->bytes.at[i] == ' ') out->bytes.at[i] = '+';
}

static int write_query(const struct aq_rest_route *route, bool upstream, aq_rest_lookup *lookup,
                       void *context, struct aq_text_out *out, struct aq_error *error) {
    bool first = true;
    AQ_TEXT_OUT(out, "{");
    for (int i = 0; i < ARGUMENTS_MAX && route->arguments[i].name; i++) {
        const struct argument *argument = &route->arguments[i];
        struct aq_text value;
        bool found = lookup(context, argument->name, &value);
        if (!found && argument->alias) found = lookup(context, argument->alias, &value);
        if (!found && upstream && route->action == AQ_ACTION_CLEAR) {
            value = AQ_TEXT("unknown");
            found = true;
        }
        if (!found && (argument->flags & REQUIRED))
            return aq_error_set(error, AQ_EPARSE, "params.%s: missing", argument->name);
        if (!found || (upstream && (argument->flags & STRICT_ONLY))) continue;
        write_argument(out, first, argument, upstream, value);
        first = false;
    }
    AQ_TEXT_OUT(out, "}");
    return 0;
}

int aq_rest_routes_request(const struct aq_rest_route *route, bool upstream, struct aq_text body,
                           aq_rest_lookup *lookup, void *context, struct aq_text_out *out,
                           struct aq_error *error) {
    aq_text_out_format(out, "{\"action\":\"%s\",\"params\":", aq_action_word(route->action));
    if (route->body) {
        if (!is_one_object(body)) return aq_error_set(error, AQ_EPARSE, "body: allowed is one JSON object");
        aq_text_out_add(out, body.at, body.len);
    } else {
        int rc = write_query(route, upstream, lookup, context, out, error);
        if (rc) return rc;
    }
    AQ_TEXT_OUT(out, "}");
    return 0;
}
