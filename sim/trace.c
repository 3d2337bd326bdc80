#include "sim/trace.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void aq_trace_init(struct aq_trace *trace) {
    *trace = (struct aq_trace){.checkpoint_blocks = 1};
}

/* Every second one goes. */
static void thin_out(struct aq_trace *trace) {
    for (uint32_t i = 0; i < AQ_TRACE_CHECKPOINTS / 2; i++)
        trace->checkpoints[i] = trace->checkpoints[2 * i + 1];
    trace->checkpoint_count = AQ_TRACE_CHECKPOINTS / 2;
    trace->checkpoint_blocks *= 2;
}

static void take_checkpoint(struct aq_trace *trace, aq_time_us at_us) {
    struct aq_record_checkpoint now = {trace->records, at_us, trace->hash};
    if (trace->checkpoint) trace->checkpoint(trace->checkpoint_arg, &now);
    uint64_t blocks = trace->records / AQ_TRACE_BLOCK;
    if (blocks % trace->checkpoint_blocks) return;
    if (trace->checkpoint_count == AQ_TRACE_CHECKPOINTS) thin_out(trace);
    if (blocks % trace->checkpoint_blocks == 0) trace->checkpoints[trace->checkpoint_count++] = now;
}

void aq_trace_flush(struct aq_trace *trace) {
    if (trace->used == 0) return;
    trace->hash = XXH3_64bits_withSeed(trace->block, trace->used * sizeof *trace->block, trace->hash);
    trace->records += trace->used;
    bool is_full = trace->used == AQ_TRACE_BLOCK; /* the end of the run is no checkpoint */
    trace->used = 0;
    if (is_full) take_checkpoint(trace, trace->block[AQ_TRACE_BLOCK - 1].at_us);
}

uint64_t aq_trace_hash(struct aq_trace *trace) {
    aq_trace_flush(trace);
    return trace->hash;
}

/* Takes one more value into a hash that goes into a record, where it is hashed again. */
static uint64_t fold(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t fold_pair(uint64_t hash, uint32_t high, uint32_t low) {
    return fold(hash, (uint64_t)high << 32 | low);
}

static uint64_t fold_tap(uint64_t hash, const struct aq_tap *tap) {
    hash = fold(fold(fold(hash, tap->job_hash), tap->due_us), tap->lease);
    hash = fold_pair(hash, tap->peer, tap->correlation);
    hash = fold_pair(hash, tap->priority, tap->expireds);
    hash = fold_pair(hash, (uint32_t)tap->ttl_s, (uint32_t)tap->state << 8 | (uint32_t)tap->before);
    return fold(hash, (uint64_t)tap->kind << 8 | (uint64_t)tap->action);
}

static uint32_t flags_of(const struct aq_observation *seen) {
    return (uint32_t)seen->own << 14 | (uint32_t)seen->member << 15 | (uint32_t)seen->memory_lost << 27 |
           (uint32_t)seen->last << 28 | (uint32_t)seen->error << 29 | (uint32_t)seen->empty << 30 |
           (uint32_t)seen->is_command << 31;
}

int aq_trace_observation(struct aq_trace *trace, const struct aq_observation *seen) {
    struct aq_trace_record record = {.at_us = seen->at_us,
                                     .kind = 0x100u | (uint32_t)seen->kind | (uint32_t)seen->action << 16 |
                                             (uint32_t)seen->outcome << 24 | flags_of(seen),
                                     .a = seen->caller ^ (uint32_t)seen->is_producer << 31,
                                     .b = seen->client,
                                     .c = seen->server};
    uint64_t hash = fold(fold(fold(seen->call, seen->job_hash), seen->token), seen->called_us);
    hash = fold_pair(hash, seen->address, seen->fault);
    hash = fold_pair(hash, seen->eligible_set, seen->incarnation);
    if (seen->tap) hash = fold_tap(fold(hash, seen->tap_token), seen->tap);
    record.value = hash;
    aq_trace_add(trace, record);
    if (!trace->line) return 0;
    char text[512];
    return trace->line(trace->line_arg, seen->at_us, aq_trace_describe(seen, text, sizeof text));
}

static int caller_text(const struct aq_observation *seen, char *text, size_t size) {
    if (seen->is_producer) return snprintf(text, size, "producer at client %u", seen->client);
    if (seen->is_command) return snprintf(text, size, "command %u at client %u", seen->caller, seen->client);
    if (seen->caller != AQ_NOBODY)
        return snprintf(text, size, "worker %u at client %u", seen->caller, seen->client);
    if (seen->client != AQ_NOBODY) return snprintf(text, size, "client %u", seen->client);
    return snprintf(text, size, "harness");
}

static const char *tap_text(const struct aq_tap *tap, char *text, size_t size) {
    snprintf(text, size, "%s%s%.*s%s%.*s", aq_tap_word(tap->kind), tap->job_id.len ? " " : "",
             AQ_TEXT_ARGS(tap->job_id), tap->tube.len ? " in " : "", AQ_TEXT_ARGS(tap->tube));
    return text;
}

static const char *server_change_text(enum aq_seen_kind kind) {
    switch (kind) {
    case AQ_SEEN_SERVER_UP: return "up";
    case AQ_SEEN_SERVER_DOWN: return "down";
    case AQ_SEEN_SERVER_STOPPED: return "stopped";
    case AQ_SEEN_SERVER_RESUMED: return "resumed";
    default: return "lost a job with its memory:";
    }
}

const char *aq_trace_describe(const struct aq_observation *seen, char *text, size_t size) {
    char who[64], what[320];
    caller_text(seen, who, sizeof who);
    const char *action = seen->action < AQ_ACTION_COUNT ? aq_action_word(seen->action) : "";
    unsigned long long s = seen->at_us / AQ_US_PER_S, us = seen->at_us % AQ_US_PER_S;
    switch (seen->kind) {
    case AQ_SEEN_CALL:
        snprintf(what, sizeof what, "%s > %s %.*s", who, action, AQ_TEXT_ARGS(seen->job));
        break;
    case AQ_SEEN_ANSWER:
        snprintf(what, sizeof what, "%s < %s %s %.*s%s", who, action, aq_outcome_word(seen->outcome),
                 AQ_TEXT_ARGS(seen->job), seen->empty ? "no job" : "");
        break;
    case AQ_SEEN_ABANDONED:
        snprintf(what, sizeof what, "%s gives up %s %.*s", who, action, AQ_TEXT_ARGS(seen->job));
        break;
    case AQ_SEEN_CHOICE:
        snprintf(what, sizeof what, "client %u chooses server %u for %s", seen->client, seen->server, action);
        break;
    case AQ_SEEN_SEND:
        snprintf(what, sizeof what, "client %u -> address %u: %s %.*s", seen->client, seen->address, action,
                 AQ_TEXT_ARGS(seen->job));
        break;
    case AQ_SEEN_TAP: {
        char tap[256];
        snprintf(what, sizeof what, "server %u: %s", seen->server, tap_text(seen->tap, tap, sizeof tap));
        break;
    }
    case AQ_SEEN_CLIENT_UP: snprintf(what, sizeof what, "client %u up", seen->client); break;
    case AQ_SEEN_CLIENT_DOWN: snprintf(what, sizeof what, "client %u down", seen->client); break;
    case AQ_SEEN_TOLD:
        snprintf(what, sizeof what, "client %u is told to %s address %u", seen->client,
                 seen->member ? "use" : "leave", seen->address);
        break;
    case AQ_SEEN_FAULT: snprintf(what, sizeof what, "fault %u begins", seen->fault); break;
    case AQ_SEEN_FAULT_END: snprintf(what, sizeof what, "fault %u ends", seen->fault); break;
    case AQ_SEEN_HEALED: snprintf(what, sizeof what, "load ends, faults are healed"); break;
    default:
        snprintf(what, sizeof what, "server %u %s %.*s", seen->server, server_change_text(seen->kind),
                 AQ_TEXT_ARGS(seen->job));
    }
    snprintf(text, size, "[%llu.%06llu] %s", s, us, what);
    for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
        text[end - 1] = 0;
    return text;
}
