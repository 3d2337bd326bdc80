#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

static const char *const tap_words[] = {
#define X(name, word) word,
    AQ_TAPS(X)
#undef X
};

const char *aq_tap_word(enum aq_tap_kind kind) {
    AQ_ASSERT((unsigned)kind < AQ_TAP_COUNT);
    return tap_words[kind];
}

void aq_server_effects_close(struct aq_server_effects *effects) {
    aq_free(effects->items);
    aq_arena_close(&effects->texts);
    *effects = (struct aq_server_effects){0};
}

/* Without memory the effect goes to a place that nobody reads: the step fails anyway, and the server is
 * freed. */
struct aq_server_effect *aq_server_tell(struct aq_server *server, enum aq_server_effect_kind kind) {
    struct aq_server_effects *effects = server->effects;
    struct aq_server_effect *effect = &server->nowhere;
    int rc = 0;
    if (effects->count == effects->capacity)
        rc =
            aq_array_reserve(&effects->items, &effects->capacity, (size_t)effects->count + 1, sizeof *effect);
    if (rc)
        aq_server_fail(server, rc);
    else
        effect = &effects->items[effects->count++];
    effect->kind = kind;
    return effect;
}

static struct aq_tap *tell_tap(struct aq_server *server, enum aq_tap_kind kind, bool asked) {
    struct aq_tap *tap = &aq_server_tell(server, AQ_SERVER_TAP)->tap;
    *tap = (struct aq_tap){.kind = kind, .action = AQ_ACTION_COUNT, .peer = UINT32_MAX};
    if (asked) {
        if (server->current.request) tap->action = server->current.request->action;
        tap->peer = server->current.peer;
        tap->correlation = server->current.correlation;
    }
    return tap;
}

/* The moment that a tap gives for the job: the end of its lease, of its delay, or of its wait. */
static aq_time_us due_us(const struct aq_server *server, const struct aq_stored_job *job) {
    bool has_due =
        job->state == AQ_JOB_RESERVED || job->state == AQ_JOB_DELAYED || job->state == AQ_JOB_PARENT;
    return has_due ? aq_server_world(server, job->due) : 0;
}

struct aq_tap *aq_server_tap(struct aq_server *server, enum aq_tap_kind kind, const struct aq_stored_job *job,
                             enum aq_job_state before, bool asked) {
    if (!server->taps) return NULL;
    struct aq_tap *tap = tell_tap(server, kind, asked);
    tap->state = job->state;
    tap->before = before;
    tap->priority = job->priority;
    tap->expireds = job->expireds;
    tap->releases = job->releases;
    tap->job_hash = job->hash;
    tap->lease = job->state == AQ_JOB_PARENT ? 0 : job->lease;
    tap->parent_hash = job->parent;
    tap->due_us = due_us(server, job);
    tap->ttl_s = job->ttl_s;
    tap->job_id = aq_job_id(job);
    tap->tube = aq_server_tube_of(server, job)->name;
    tap->body = aq_job_body(job);
    return tap;
}

struct aq_tap *aq_server_tap_request(struct aq_server *server, enum aq_tap_kind kind, struct aq_text job_id,
                                     struct aq_text tube) {
    if (!server->taps) return NULL;
    struct aq_tap *tap = tell_tap(server, kind, true);
    if (job_id.len) tap->job_hash = aq_text_hash(job_id);
    tap->job_id = job_id;
    tap->tube = tube;
    return tap;
}

static void leave(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    struct aq_tube *tube = aq_server_tube_of(server, job);
    aq_tube_unlink(tube, &server->slab, slot);
    if (tube->family != AQ_NO_INDEX) aq_fair_note(&server->tubes, tube);
    if (job->state == AQ_JOB_RESERVED) aq_deadlines_remove(&server->leases, slot);
    if (job->state == AQ_JOB_DELAYED) aq_deadlines_remove(&server->delays, slot);
    if (job->state == AQ_JOB_PARENT) {
        aq_deadlines_remove(&server->timeouts, slot);
        aq_parents_give(&server->parents, (uint32_t)job->lease);
        job->lease = 0;
    }
    server->jobs[job->state]--;
}

void aq_server_enter(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    struct aq_tube *tube = aq_server_tube_of(server, job);
    aq_tube_link(tube, &server->slab, slot);
    if (job->state == AQ_JOB_READY || job->state == AQ_JOB_DELAYED) {
        tube->polled_us = server->now_us;
        aq_server_make_tube(server, tube);
    }
    if (tube->family != AQ_NO_INDEX) aq_fair_note(&server->tubes, tube);
    server->jobs[job->state]++;
    int rc = 0;
    if (job->state == AQ_JOB_RESERVED)
        rc = aq_deadlines_set(&server->leases, slot, aq_server_over(server, job->due));
    else if (job->state == AQ_JOB_DELAYED)
        rc = aq_deadlines_set(&server->delays, slot, aq_server_over(server, job->due));
    else if (job->state == AQ_JOB_PARENT)
        rc = aq_deadlines_set(&server->timeouts, slot, aq_server_over(server, job->due));
    if (rc) aq_server_fail(server, rc);
}

void aq_server_move(struct aq_server *server, uint32_t slot, enum aq_job_state state, uint8_t priority) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    leave(server, slot);
    job->state = (uint8_t)state;
    job->priority = priority;
    aq_server_enter(server, slot);
}

void aq_server_remove(struct aq_server *server, uint32_t slot) {
    leave(server, slot);
    aq_slab_remove(&server->slab, slot, server->generation);
}

struct aq_tube *aq_server_tube(struct aq_server *server, struct aq_text name, bool make) {
    uint32_t index = aq_tubes_find(&server->tubes, name);
    if (index == AQ_NO_INDEX) {
        if (!make) return NULL;
        int rc = aq_tubes_make(&server->tubes, name, &index);
        if (!rc) rc = aq_fair_place(server, index);
        if (rc) {
            aq_server_fail(server, rc);
            return NULL;
        }
    }
    return &server->tubes.items[index];
}

void aq_server_make_tube(struct aq_server *server, struct aq_tube *tube) {
    if (tube->made) return;
    tube->made = tube->folder = true;
    tube->polled_us = server->now_us;
    if (server->restoring && tube->kept_tps > 0) aq_throttle_set(&tube->throttle, tube->kept_tps, false);
}

struct aq_text aq_server_text(struct aq_server *server, const char *before, struct aq_text middle,
                              const char *after) {
    size_t before_len = strlen(before), after_len = strlen(after);
    char *at = aq_arena_alloc(aq_server_texts(server), before_len + middle.len + after_len);
    if (!at) {
        aq_server_fail(server, AQ_ENOMEM);
        return (struct aq_text){0};
    }
    memcpy(at, before, before_len);
    if (middle.len) memcpy(at + before_len, middle.at, middle.len);
    memcpy(at + before_len + middle.len, after, after_len);
    return (struct aq_text){at, (uint32_t)(before_len + middle.len + after_len)};
}
