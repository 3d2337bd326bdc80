/* The invariants of the server's tables. */
#include "base/assert.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

/* Which states the jobs of a list are in. */
static enum aq_job_state state_of_list(uint32_t list) {
    return list < AQ_PRIORITY_BUCKETS ? AQ_JOB_READY
                                      : (enum aq_job_state)(AQ_JOB_DELAYED + (list - AQ_LIST_DELAYED));
}

static uint64_t check_list(const struct aq_server *server, uint32_t tube, uint32_t list) {
    const struct aq_job_list *ends = &server->tubes.items[tube].lists[list];
    uint32_t previous = AQ_NO_INDEX;
    uint64_t count = 0;
    for (uint32_t slot = ends->first; slot != AQ_NO_INDEX; slot = aq_slab_at(&server->slab, slot)->next) {
        AQ_ASSERT(slot < server->slab.slots);
        const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
        AQ_ASSERT(job->prev == previous);
        AQ_ASSERT(job->tube == tube);
        AQ_ASSERT(job->state == state_of_list(list));
        AQ_ASSERT(list >= AQ_PRIORITY_BUCKETS || job->priority == list);
        AQ_ASSERT(++count <= server->slab.live);
        previous = slot;
    }
    AQ_ASSERT(ends->last == previous);
    return count;
}

static void check_tube(const struct aq_server *server, uint32_t index, uint64_t totals[AQ_JOB_STATE_COUNT]) {
    const struct aq_tube *tube = &server->tubes.items[index];
    uint64_t counts[AQ_JOB_STATE_COUNT] = {0};
    for (uint32_t list = 0; list < AQ_LIST_COUNT; list++) {
        uint64_t count = check_list(server, index, list);
        counts[state_of_list(list)] += count;
        if (list < AQ_PRIORITY_BUCKETS) AQ_ASSERT((count > 0) == (tube->ready_buckets >> list & 1));
    }
    for (uint32_t state = 0; state < AQ_JOB_STATE_COUNT; state++) {
        AQ_ASSERT(tube->jobs[state] == counts[state]);
        totals[state] += counts[state];
    }
    AQ_ASSERT(tube->throttle.count <= tube->throttle.capacity);
    AQ_ASSERT(tube->finished.count <= AQ_AVERAGED_JOBS);
    struct aq_tube_set set = server->tubes; /* a copy: finding moves the set's memory of the last one */
    AQ_ASSERT(aq_tubes_find(&set, tube->name) == index);
}

static void check_job(const struct aq_server *server, uint32_t slot) {
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    AQ_ASSERT(job->state < AQ_JOB_STATE_COUNT);
    AQ_ASSERT(job->hash == aq_text_hash(aq_job_id(job)));
    AQ_ASSERT(aq_slab_find(&server->slab, aq_job_id(job)) == slot);
    AQ_ASSERT(job->priority >= 1 && job->priority < AQ_PRIORITY_BUCKETS);
    AQ_ASSERT(job->ttl_s >= 0 && job->ttl_s <= AQ_SECONDS_MAX);
    AQ_ASSERT(job->own_priority >= 1 && job->own_priority < AQ_PRIORITY_BUCKETS);
    bool leased = job->state == AQ_JOB_RESERVED, delayed = job->state == AQ_JOB_DELAYED,
         parent = job->state == AQ_JOB_PARENT;
    AQ_ASSERT(parent ? job->lease < server->parents.count : (job->lease != 0) == leased);
    AQ_ASSERT(parent || job->lease <= server->leases_made);
    aq_time_us over = aq_server_over(server, job->due);
    AQ_ASSERT(aq_deadlines_of(&server->leases, slot) == (leased ? over : AQ_TIME_NEVER));
    AQ_ASSERT(aq_deadlines_of(&server->delays, slot) == (delayed ? over : AQ_TIME_NEVER));
    AQ_ASSERT(aq_deadlines_of(&server->timeouts, slot) == (parent ? over : AQ_TIME_NEVER));
}

static void check_parents(const struct aq_server *server) {
    uint64_t held = 0, spare = 0;
    for (uint32_t place = server->parents.first_free; place != AQ_NO_INDEX;
         place = server->parents.items[place].next_free)
        AQ_ASSERT(++spare <= server->parents.count);
    held = server->parents.count - spare;
    AQ_ASSERT(held == server->jobs[AQ_JOB_PARENT] && held == server->timeouts.count);
}

/* A shard and its queue know each other, and a get looks at every shard that has something ready. */
static void check_family(const struct aq_server *server, uint32_t index) {
    const struct aq_tube *tube = &server->tubes.items[index];
    const struct aq_shards *shards = tube->shards;
    for (uint32_t i = 0; shards && i < shards->count; i++)
        AQ_ASSERT(shards->tubes[i] == AQ_NO_INDEX || server->tubes.items[shards->tubes[i]].family == index);
    if (tube->family == AQ_NO_INDEX) return;
    const struct aq_shards *of = server->tubes.items[tube->family].shards;
    AQ_ASSERT(of && tube->place < of->count && of->tubes[tube->place] == index);
    bool visited = of->visit[tube->place / 64] >> tube->place % 64 & 1;
    AQ_ASSERT(visited == (tube->ready_buckets || tube->throttle.size));
}

static uint32_t check_chain(const struct aq_slab *slab, uint32_t slot) {
    uint32_t count = 0;
    for (; slot != AQ_NO_INDEX; slot = aq_slab_at(slab, slot)->next) {
        AQ_ASSERT(slot < slab->slots && aq_slab_at(slab, slot)->state == AQ_JOB_FREE);
        AQ_ASSERT(++count <= slab->slots);
    }
    return count;
}

static void check_deadlines(const struct aq_deadlines *deadlines) {
    for (uint32_t i = 0; i < deadlines->count; i++) {
        AQ_ASSERT(deadlines->place_of[deadlines->items[i].id] == i + 1);
        if (i > 0) AQ_ASSERT(deadlines->items[(i - 1) / 4].at_us <= deadlines->items[i].at_us);
    }
}

static void check_service(const struct aq_server *server) {
    AQ_ASSERT(!server->stepping);
    AQ_ASSERT(!(server->serving && server->holding));
    AQ_ASSERT(!server->saving || server->persistent);
    AQ_ASSERT(!server->holding || server->saving || server->pauses);
    AQ_ASSERT(server->queue_count <= server->queue_capacity);
    AQ_ASSERT((server->queue_capacity & (server->queue_capacity - 1)) == 0);
    bool at_work = server->serving || server->holding || server->saving || server->pauses;
    AQ_ASSERT(server->queue_count == 0 || at_work);
    uint32_t pauses = 0, stalls = 0, disks_full = 0;
    for (uint32_t i = 0; i < server->rule_count; i++) {
        pauses += server->rules[i].kind == AQ_SERVER_FAULT_PAUSE;
        stalls += server->rules[i].kind == AQ_SERVER_FAULT_STALLED_SWEEPS;
        disks_full += server->rules[i].kind == AQ_SERVER_FAULT_DISK_FULL;
        AQ_ASSERT(i == 0 || server->rules[i - 1].id < server->rules[i].id);
        AQ_ASSERT(server->rules[i].touched <= server->rules[i].matched);
    }
    AQ_ASSERT(server->pauses == pauses && server->stalls == stalls && server->disks_full == disks_full);
}

void aq_server_check(const struct aq_server *server) {
    uint64_t totals[AQ_JOB_STATE_COUNT] = {0}, held = 0;
    for (uint32_t i = 0; i < server->tubes.count; i++) {
        check_tube(server, i, totals);
        check_family(server, i);
    }
    check_parents(server);
    for (uint32_t state = 0; state < AQ_JOB_STATE_COUNT; state++) {
        AQ_ASSERT(server->jobs[state] == totals[state]);
        held += totals[state];
    }
    AQ_ASSERT(held == server->slab.live && held == server->slab.by_hash.count);
    AQ_ASSERT(server->tubes.by_hash.count == server->tubes.count);
    for (uint32_t slot = 0; slot < server->slab.slots; slot++)
        if (aq_slab_at(&server->slab, slot)->state != AQ_JOB_FREE) check_job(server, slot);
    uint32_t empty = check_chain(&server->slab, server->slab.first_free);
    empty += check_chain(&server->slab, server->slab.first_dead[0]) +
             check_chain(&server->slab, server->slab.first_dead[1]);
    AQ_ASSERT(empty + held == server->slab.slots);
    AQ_ASSERT(server->leases.count == server->jobs[AQ_JOB_RESERVED]);
    AQ_ASSERT(server->delays.count == server->jobs[AQ_JOB_DELAYED]);
    check_deadlines(&server->leases);
    check_deadlines(&server->delays);
    check_deadlines(&server->timeouts);
    check_service(server);
}
