/* Fair queues: tubes that are many. */
#include "tests/fakeserver_model/model_parts.h"

#include <string.h>

/* Adler-32, as RFC 1950 has it. */
static uint32_t adler32(const char *text) {
    uint32_t a = 1, b = 0;
    for (; *text; text++) {
        a = (a + (unsigned char)*text) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

int model_put_tube(struct model *model) {
    int tube = model->operation->tube;
    if (!tube_is_queue(tube)) return tube;
    model_tube_of(model, tube); /* also where the key is missing */
    if (!given(model, AQ_PARAM_SHARD_KEY)) return NO_TUBE;
    uint32_t key = model->operation->shard_key;
    if (model->setup->by_key) return tube_of_shard(tube, true, key);
    return tube_of_shard(tube, false, adler32(shard_keys[key]) % SHARDS_MAX);
}

/* The shards of a queue in the order in which they take turns: by number, or as their tubes were made. */
static uint32_t shards_of(const struct model *model, int queue, int shards[SHARDS_MAX]) {
    uint32_t count = 0;
    if (!model->setup->by_key) {
        for (; count < SHARDS_MAX; count++)
            shards[count] = tube_of_shard(queue, false, count);
        return count;
    }
    for (uint32_t i = 0; i < model->tube_count; i++)
        if (tube_queue_of(model->tube_order[i]) == queue) shards[count++] = model->tube_order[i];
    return count;
}

static bool has_shards(const struct model *model, int queue) {
    for (int i = 0; i < TUBES; i++)
        if (tube_queue_of(i) == queue && model->tubes[i].known) return true;
    return false;
}

uint32_t model_reach(struct model *model, int tube, bool by_turn, int reached[1 + SHARDS_MAX]) {
    int shards[SHARDS_MAX];
    uint32_t count = 0;
    if (tube_is_queue(tube) && !model->policy.fair_controls_literal) count = shards_of(model, tube, shards);
    uint32_t cursor = by_turn && model->tubes[tube].cursor < count ? model->tubes[tube].cursor : 0;
    reached[by_turn ? count : 0] = tube;
    for (uint32_t i = 0; i < count; i++)
        reached[i + !by_turn] = shards[(cursor + i) % count];
    bool itself = !by_turn || count == 0 ||
                  !has_shards(model, tube); /* gets take nothing from it, so peek shows nothing of it */
    return count + itself;
}

static bool is_passed_over(const struct model *model, int shard) {
    uint32_t most = model->setup->reservation_max;
    return most && !model->setup->by_key && model_count_of(model, shard, AQ_JOB_RESERVED) >= most;
}

/* The next shard that has something for this get, and whose turn it then was. */
static struct model_job *take_turns(struct model *model, int queue) {
    int shards[SHARDS_MAX];
    uint32_t count = shards_of(model, queue, shards);
    struct model_tube *tube = &model->tubes[queue];
    if (!has_shards(model, queue)) return NULL; /* no turns to take yet */
    bool shared = model->setup->by_key && model->policy.fair_one_cursor;
    if (shared && model->last_fair != queue) tube->cursor = 0;
    model->last_fair = queue;
    if (tube->cursor >= count) tube->cursor = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t turn = (tube->cursor + i) % count;
        if (!model->tubes[shards[turn]].ready_queue || is_passed_over(model, shards[turn])) continue;
        struct model_job *job = model_take(model, shards[turn]);
        if (!job) continue;
        tube->cursor = turn + !planted(model, PLANT_FAIR_STAYS);
        return job;
    }
    if (model->policy.fair_steps_back && !model->setup->by_key)
        tube->cursor = (tube->cursor + count - 1) % count;
    return NULL;
}

struct model_job *model_take_fair(struct model *model, int queue) {
    struct model_tube *tube = &model->tubes[queue];
    bool literal = model->policy.fair_controls_literal;
    if (!literal && (tube->paused || !model_throttle_lets(model, tube))) return NULL;
    struct model_job *job = take_turns(model, queue);
    if (!literal && (job || model->policy.throttle_counts_empty)) model_throttle_count(model, tube);
    return job;
}
