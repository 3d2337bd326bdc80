#include "sim/fates.h"

#include <string.h>

#include "base/memory.h"
#include "sim/checks.h"

void aq_fates_close(struct aq_fates *fates) {
    aq_free(fates->items);
    *fates = (struct aq_fates){0};
}

bool aq_seen_hands_out(const struct aq_observation *seen) {
    bool get = seen->action == AQ_ACTION_GET || seen->action == AQ_ACTION_GET_MULTIPLE;
    return seen->kind == AQ_SEEN_ANSWER && get && seen->outcome == AQ_OUTCOME_OK && !seen->empty;
}

const struct aq_fate *aq_fates_find(const struct aq_fates *fates, const struct aq_observation *seen) {
    if (seen->token == 0 || seen->token >= fates->count || !fates->items[seen->token].called) return NULL;
    return &fates->items[seen->token];
}

static int open_put(struct aq_fates *fates, uint64_t token) {
    if (token >= UINT32_MAX) return AQ_ELIMIT;
    int rc = aq_array_reserve(&fates->items, &fates->capacity, (size_t)token + 1, sizeof *fates->items);
    if (rc) return rc;
    if (token >= fates->count) {
        memset(fates->items + fates->count, 0, (token + 1 - fates->count) * sizeof *fates->items);
        fates->count = (uint32_t)token + 1;
    }
    fates->items[token].called = 1;
    return 0;
}

/* What a caller believes after this: 1 done, 0 not done, -1 it cannot know. */
static int belief(const struct aq_observation *seen) {
    if (seen->kind == AQ_SEEN_ABANDONED) return -1;
    return aq_answer_is_ok(seen) ? 1 : aq_answer_is_no(seen) ? 0 : -1;
}

static void take_put(struct aq_fate *fate, int believed) {
    fate->put_ok = believed == 1;
    fate->put_no = believed == 0;
    fate->put_maybe = believed < 0;
}

/* AllQueue's server answers a bury with an error although it has buried the job. */
static bool may_have_buried(const struct aq_observation *seen) {
    return seen->action == AQ_ACTION_BURY && seen->outcome != AQ_OUTCOME_UNAVAILABLE &&
           seen->outcome != AQ_OUTCOME_INVALID;
}

static void take_completion(struct aq_fate *fate, enum aq_action action, int believed) {
    bool ends = action == AQ_ACTION_DONE || action == AQ_ACTION_DELETE;
    if (action == AQ_ACTION_RELEASE || believed < 0) fate->freed = 1;
    if (believed == 0) return;
    if (ends && believed == 1) fate->done = 1;
    if (ends && believed < 0) fate->done_maybe = 1;
}

int aq_fates_take(struct aq_fates *fates, const struct aq_observation *seen) {
    bool put = seen->action == AQ_ACTION_PUT;
    if (put && seen->kind == AQ_SEEN_CALL) return open_put(fates, seen->token);
    struct aq_fate *fate = (struct aq_fate *)aq_fates_find(fates, seen);
    if (!fate || seen->kind == AQ_SEEN_CALL) return 0;
    if (put) {
        take_put(fate, belief(seen));
    } else if (aq_seen_hands_out(seen)) {
        fate->id_hash = seen->job_hash;
        fate->handed_us = seen->called_us;
        fate->handed++;
        fate->freed = 0;
    } else if (aq_action_is_completion(seen->action)) {
        take_completion(fate, seen->action, belief(seen));
        if (may_have_buried(seen)) fate->aside = 1;
    }
    return 0;
}
