#include <math.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

#define US_PER_MINUTE (60 * AQ_US_PER_S)
#define HELD_MAX_US   UINT64_C(1000000000000000) /* 31 years; so that the sum never wraps */

void aq_tubes_close(struct aq_tube_set *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        aq_free((char *)set->items[i].name.at);
        aq_free(set->items[i].throttle.calls);
        aq_free(set->items[i].finished.held_us);
        if (!set->items[i].shards) continue;
        aq_free(set->items[i].shards->tubes);
        aq_free(set->items[i].shards->visit);
        aq_free(set->items[i].shards);
    }
    aq_free(set->items);
    aq_map_close(&set->by_hash);
    *set = (struct aq_tube_set){0};
}

/* The tube's index, or AQ_NO_INDEX with the key under which it would be. Names with one hash follow one
   another by mixing the key; tubes are never removed, so the chain has no holes. */
static uint32_t search(const struct aq_tube_set *set, struct aq_text name, uint64_t *key) {
    uint32_t index;
    *key = aq_text_hash(name);
    while (aq_map_get(&set->by_hash, *key, &index)) {
        if (aq_text_equal(set->items[index].name, name)) return index;
        *key = aq_map_mix(*key + 1);
    }
    return AQ_NO_INDEX;
}

uint32_t aq_tubes_find(struct aq_tube_set *set, struct aq_text name) {
    if (set->count && aq_text_equal(set->items[set->last].name, name)) return set->last;
    uint64_t key;
    uint32_t index = search(set, name, &key);
    if (index != AQ_NO_INDEX) set->last = index;
    return index;
}

int aq_tubes_make(struct aq_tube_set *set, struct aq_text name, uint32_t *out_index) {
    uint64_t key;
    uint32_t index = aq_tubes_find(set, name);
    if (index == AQ_NO_INDEX) {
        search(set, name, &key);
        int rc = aq_array_reserve(&set->items, &set->capacity, (size_t)set->count + 1, sizeof *set->items);
        if (rc) return rc;
        char *copy = aq_alloc(name.len ? name.len : 1);
        if (!copy) return AQ_ENOMEM;
        rc = aq_map_set(&set->by_hash, key, set->count);
        if (rc) {
            aq_free(copy);
            return rc;
        }
        if (name.len) memcpy(copy, name.at, name.len);
        index = set->count++;
        set->items[index] = (struct aq_tube){.name = {copy, name.len}, .family = AQ_NO_INDEX};
        for (uint32_t list = 0; list < AQ_LIST_COUNT; list++)
            set->items[index].lists[list] = (struct aq_job_list){AQ_NO_INDEX, AQ_NO_INDEX};
    }
    *out_index = set->last = index;
    return 0;
}

void aq_tube_link(struct aq_tube *tube, struct aq_slab *slab, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(slab, slot);
    uint32_t index = aq_list_of(job->state, job->priority);
    struct aq_job_list *list = &tube->lists[index];
    job->next = AQ_NO_INDEX;
    job->prev = list->last;
    if (list->last == AQ_NO_INDEX)
        list->first = slot;
    else
        aq_slab_at(slab, list->last)->next = slot;
    list->last = slot;
    tube->jobs[job->state]++;
    if (job->state == AQ_JOB_READY) tube->ready_buckets |= 1u << index;
}

void aq_tube_unlink(struct aq_tube *tube, struct aq_slab *slab, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(slab, slot);
    uint32_t index = aq_list_of(job->state, job->priority);
    struct aq_job_list *list = &tube->lists[index];
    if (job->prev == AQ_NO_INDEX)
        list->first = job->next;
    else
        aq_slab_at(slab, job->prev)->next = job->next;
    if (job->next == AQ_NO_INDEX)
        list->last = job->prev;
    else
        aq_slab_at(slab, job->next)->prev = job->prev;
    AQ_ASSERT(tube->jobs[job->state] > 0);
    tube->jobs[job->state]--;
    if (job->state == AQ_JOB_READY && list->first == AQ_NO_INDEX) tube->ready_buckets &= ~(1u << index);
}

/* A limit below one a second is one get in a window of more than a second. */
void aq_throttle_set(struct aq_throttle *throttle, double tps, bool truncate) {
    if (truncate) tps = trunc(tps);
    throttle->first = throttle->count = 0;
    if (!(tps > 0)) {
        throttle->tps = 0;
        throttle->size = 0;
        return;
    }
    double size = tps < 1 ? 1 : floor(tps);
    if (size > INT32_MAX) size = INT32_MAX;
    double window_us = size / tps * 1e6;
    throttle->tps = tps;
    throttle->size = (uint32_t)size;
    throttle->window_us = window_us < 1 ? 1 : window_us > 1e15 ? (aq_time_us)1e15 : (aq_time_us)window_us;
}

bool aq_throttle_open(struct aq_throttle *throttle, aq_time_us now_us) {
    if (throttle->size == 0 || AQ_SERVER_MUTANT(THROTTLE_IDLE)) return true;
    while (throttle->count && throttle->calls[throttle->first] + throttle->window_us <= now_us) {
        throttle->first = (throttle->first + 1) & (throttle->capacity - 1);
        throttle->count--;
    }
    return throttle->count < throttle->size;
}

int aq_throttle_note(struct aq_throttle *throttle, aq_time_us now_us) {
    if (throttle->size == 0) return 0;
    if (throttle->count == throttle->capacity) {
        uint32_t capacity = throttle->capacity ? throttle->capacity * 2 : 8;
        aq_time_us *calls = aq_alloc(capacity * sizeof *calls);
        if (!calls) return AQ_ENOMEM;
        for (uint32_t i = 0; i < throttle->count; i++)
            calls[i] = throttle->calls[(throttle->first + i) & (throttle->capacity - 1)];
        aq_free(throttle->calls);
        throttle->calls = calls;
        throttle->capacity = capacity;
        throttle->first = 0;
    }
    throttle->calls[(throttle->first + throttle->count++) & (throttle->capacity - 1)] = now_us;
    return 0;
}

/* The samples as they are in this minute. */
static void roll(struct aq_finished *finished, uint64_t minute) {
    while (finished->minute < minute) {
        uint64_t *samples = finished->samples;
        if (samples[0] == 0 && samples[1] == 0 && samples[2] == 0) finished->minute = minute - 1;
        samples[2] = samples[1];
        samples[1] = samples[0];
        samples[0] = 0;
        finished->minute++;
    }
}

int aq_finished_note(struct aq_finished *finished, aq_time_us now_us, aq_time_us held_us) {
    if (!finished->held_us) finished->held_us = aq_alloc(AQ_AVERAGED_JOBS * sizeof *finished->held_us);
    if (!finished->held_us) return AQ_ENOMEM;
    held_us = aq_time_min(held_us, HELD_MAX_US);
    if (finished->count == AQ_AVERAGED_JOBS)
        finished->sum_us -= finished->held_us[finished->next];
    else
        finished->count++;
    finished->held_us[finished->next] = held_us;
    finished->sum_us += held_us;
    finished->next = (finished->next + 1) % AQ_AVERAGED_JOBS;
    if (finished->minute < now_us / US_PER_MINUTE) roll(finished, now_us / US_PER_MINUTE);
    finished->samples[0]++;
    return 0;
}

double aq_finished_mean_s(const struct aq_finished *finished) {
    return finished->count ? (double)finished->sum_us / finished->count / 1e6 : 0;
}

double aq_finished_per_s(const struct aq_finished *finished, aq_time_us now_us) {
    struct aq_finished rolled = *finished;
    roll(&rolled, now_us / US_PER_MINUTE);
    return (double)(rolled.samples[1] + rolled.samples[2]) / 120;
}
