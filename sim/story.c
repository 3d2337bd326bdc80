/* Stories: the events that a job's books remember, as lines for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "sim/ledger_books.h"

#define LINE_CHARS      240
#define NOBODY_OF(bits) ((1u << (bits)) - 1)
#define LINES_MAX       (AQ_LEDGER_HISTORY + 1 + 2 * AQ_LEDGER_SERVER_EVENTS)

struct line {
    aq_time_us at_us;
    char text[LINE_CHARS];
};

/* The lines of a story, kept in order of time; of equal times in the order they were added. */
struct story {
    struct line lines[LINES_MAX];
    uint32_t count;
};

static struct line *add_line(struct story *story, aq_time_us at_us) {
    AQ_ASSERT(story->count < LINES_MAX);
    uint32_t at = story->count++;
    for (; at > 0 && story->lines[at - 1].at_us > at_us; at--)
        story->lines[at] = story->lines[at - 1];
    story->lines[at].at_us = at_us;
    story->lines[at].text[0] = '\0';
    return &story->lines[at];
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *text, const char *format, ...) {
    size_t len = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + len, LINE_CHARS - len, format, arguments);
    va_end(arguments);
}

static const char *server_id(const struct aq_ledger *ledger, uint32_t server) {
    bool known = ledger->config.server_ids && server < ledger->config.scenario->servers.count;
    const char *id = known ? ledger->config.server_ids[server] : NULL;
    return id ? id : "";
}

/* The first characters of a job's id, enough to recognise it. */
static void write_short_id(const struct aq_ledger *ledger, char *out, size_t room,
                           const struct aq_ledger_copy *copy, struct aq_text text) {
    if (copy)
        snprintf(out, room, "%s,%.6s%s", server_id(ledger, copy->server), copy->id,
                 strlen(copy->id) > 6 ? ".." : "");
    else
        snprintf(out, room, "%.*s", text.len > 40 ? 40 : (int)text.len, text.at ? text.at : "");
}

static void append_who(char *text, const struct aq_ledger_event *event) {
    if (event->caller == NOBODY_OF(26)) {
        if (event->client == NOBODY_OF(17))
            append(text, "someone");
        else
            append(text, "client %u", (unsigned)event->client);
        return;
    }
    append(text, "%s %u",
           event->is_command    ? "command"
           : event->is_producer ? "producer"
                                : "worker",
           (unsigned)event->caller);
    if (event->client != NOBODY_OF(17)) append(text, " of client %u", (unsigned)event->client);
}

static void append_server(char *text, const struct aq_ledger_event *event) {
    if (event->server == NOBODY_OF(13))
        append(text, "an address without a server of ours");
    else
        append(text, "server %u", (unsigned)event->server);
}

static void append_tap(char *text, const struct aq_ledger_event *event, const char *id) {
    if (event->action < AQ_ACTION_COUNT) {
        append_who(text, event);
        append(text, " > %s %s -> ", aq_action_word((enum aq_action)event->action), id);
    }
    append_server(text, event);
    append(text, ": %s", aq_tap_word((enum aq_tap_kind)event->tap));
    if (event->action >= AQ_ACTION_COUNT) append(text, " %s", id);
}

static void append_answer(char *text, const struct aq_ledger_event *event, const char *id) {
    append_who(text, event);
    append(text, " < %s %s: %s", aq_action_word((enum aq_action)event->action), id,
           aq_outcome_word((enum aq_outcome)event->outcome));
    if (event->fact) append(text, ", with an error");
}

static void append_event(char *text, const struct aq_ledger_event *event, const char *id) {
    const char *action = event->action < AQ_ACTION_COUNT ? aq_action_word((enum aq_action)event->action) : "";
    switch ((enum aq_seen_kind)event->kind) {
    case AQ_SEEN_CALL:
        append_who(text, event);
        append(text, " > %s %s", action, id);
        break;
    case AQ_SEEN_SEND:
        append(text, "client %u sends %s %s to ", (unsigned)event->client, action, id);
        append_server(text, event);
        break;
    case AQ_SEEN_TAP: append_tap(text, event, id); break;
    case AQ_SEEN_ANSWER: append_answer(text, event, id); break;
    case AQ_SEEN_ABANDONED:
        append_who(text, event);
        append(text, " will have no answer to %s %s", action, id);
        break;
    case AQ_SEEN_JOB_LOST:
        append_server(text, event);
        append(text, " lost %s with its memory", id);
        break;
    case AQ_SEEN_CHOICE:
        append_who(text, event);
        append(text, " chooses ");
        append_server(text, event);
        append(text, " for %s", action);
        break;
    case AQ_SEEN_HEALED: append(text, "the faults are healed"); break;
    default:
        if (event->server == NOBODY_OF(13) && event->client != NOBODY_OF(17)) {
            append(text, "client %u, at the end", (unsigned)event->client);
            break;
        }
        append_server(text, event);
        append(text, " holds %s at the end", id);
        break;
    }
}

/* The server's line begins with its time, as all do. */
static void begin(struct line *line) {
    append(line->text, "[%llu.%06llu] ", (unsigned long long)(line->at_us / AQ_US_PER_S),
           (unsigned long long)(line->at_us % AQ_US_PER_S));
}

static void tell_history(struct story *story, const struct aq_ledger_job *job, const char *id) {
    uint32_t kept = job->history_count < AQ_LEDGER_HISTORY ? job->history_count : AQ_LEDGER_HISTORY;
    uint32_t ring = AQ_LEDGER_HISTORY - 1;
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t at = i;
        if (i && job->history_count > AQ_LEDGER_HISTORY) at = 1 + (job->history_count - 1u + i - 1) % ring;
        struct line *line = add_line(story, job->history[at].at_us);
        begin(line);
        append_event(line->text, &job->history[at], id);
    }
}

static void tell_server(struct story *story, const struct aq_ledger *ledger, uint32_t server,
                        aq_time_us from_us) {
    static const char *const words[] = {"up", "down", "stopped", "resumed"};
    if (server >= ledger->server_count) return;
    const struct aq_books_server *books = &ledger->servers[server];
    for (uint32_t i = 0; i < AQ_LEDGER_SERVER_EVENTS && i < books->event_count; i++) {
        uint32_t first = books->event_count > AQ_LEDGER_SERVER_EVENTS ? books->event_count : 0;
        const struct aq_books_server_event *event = &books->events[(first + i) % AQ_LEDGER_SERVER_EVENTS];
        if (event->at_us < from_us) continue;
        struct line *line = add_line(story, event->at_us);
        begin(line);
        append(line->text, "server %u: %s%s", server, words[event->kind - AQ_SEEN_SERVER_UP],
               event->memory_lost ? ", memory lost" : "");
    }
}

/* What a workflow's story needs: how far a parent is, and which parent a child has. */
static void append_workflow(const struct aq_ledger *ledger, char *text, const struct aq_tap *tap) {
    uint32_t index;
    if (tap->children || tap->limit > 0) {
        append(text, ", %u children finished", tap->children);
        if (tap->limit > 0) append(text, " of %d", tap->limit);
    }
    if (!tap->parent_hash || !aq_map_get(&ledger->by_hash, tap->parent_hash, &index)) return;
    const struct aq_ledger_copy *parent = aq_books_copy(ledger, index);
    append(text, ", child of %s,%.6s%s", server_id(ledger, parent->server), parent->id,
           strlen(parent->id) > 6 ? ".." : "");
}

static void tell_observation(struct story *story, const struct aq_ledger *ledger,
                             const struct aq_observation *seen, const char *id) {
    struct aq_ledger_job scratch = {0};
    aq_books_remember(&scratch, seen);
    struct line *line = add_line(story, seen->at_us);
    begin(line);
    append_event(line->text, &scratch.history[0], id);
    if (seen->kind == AQ_SEEN_TAP) append_workflow(ledger, line->text, seen->tap);
}

static const char *keep(struct aq_ledger *ledger, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *kept = aq_arena_alloc(&ledger->texts, bytes);
    if (kept) memcpy(kept, text, bytes);
    return kept;
}

static int keep_lines(struct aq_ledger *ledger, const struct story *story, struct aq_record_violation *out) {
    const char **lines = aq_arena_alloc(&ledger->texts, (story->count + 1) * sizeof *lines);
    if (!lines) return AQ_ENOMEM;
    for (uint32_t i = 0; i < story->count; i++)
        if (!(lines[i] = keep(ledger, story->lines[i].text))) return AQ_ENOMEM;
    out->lines = lines;
    out->line_count = story->count;
    return 0;
}

/* The job's full name: as its origin's clients know it, or as it was asked for. */
static const char *full_id(struct aq_ledger *ledger, const struct aq_observation *seen,
                           const struct aq_ledger_copy *copy) {
    char text[AQ_JOB_REF_CHARS_MAX + 1] = "";
    if (copy)
        snprintf(text, sizeof text, "%s,%s", server_id(ledger, copy->server), copy->id);
    else if (seen) {
        struct aq_text id = seen->kind == AQ_SEEN_TAP ? seen->tap->job_id : seen->job;
        snprintf(text, sizeof text, "%.*s", AQ_TEXT_ARGS(id));
    }
    return keep(ledger, text);
}

static bool has_server(const struct aq_observation *seen) {
    return seen && seen->server != AQ_NOBODY &&
           (seen->kind == AQ_SEEN_TAP || seen->kind == AQ_SEEN_SEND || seen->kind == AQ_SEEN_CHOICE ||
            (uint32_t)seen->kind >= AQ_SEEN_KIND_COUNT ||
            (seen->kind >= AQ_SEEN_SERVER_UP && seen->kind <= AQ_SEEN_JOB_LOST));
}

int aq_story_tell(struct aq_ledger *ledger, struct aq_record_violation *out,
                  const struct aq_observation *seen, const struct aq_ledger_copy *copy,
                  const struct aq_ledger_job *job) {
    struct story story = {.count = 0};
    char id[64];
    struct aq_text asked = {0};
    if (seen) asked = seen->kind == AQ_SEEN_TAP ? seen->tap->job_id : seen->job;
    write_short_id(ledger, id, sizeof id, copy, asked);
    out->at_us = seen ? seen->at_us : ledger->now_us;
    out->token = job ? job->token : seen ? (seen->token ? seen->token : seen->tap_token) : 0;
    out->origin = copy ? (int32_t)copy->server : -1;
    out->receiver = has_server(seen) ? (int32_t)seen->server : -1;
    aq_time_us from_us = job && job->history_count ? job->history[0].at_us : out->at_us;
    if (job) tell_history(&story, job, id);
    if (out->origin >= 0) tell_server(&story, ledger, (uint32_t)out->origin, from_us);
    if (out->receiver >= 0 && out->receiver != out->origin)
        tell_server(&story, ledger, (uint32_t)out->receiver, from_us);
    if (seen) tell_observation(&story, ledger, seen, id);
    out->job = full_id(ledger, seen, copy);
    return out->job ? keep_lines(ledger, &story, out) : AQ_ENOMEM;
}
