#include "sim/ledger_books.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

void aq_pool_init(struct aq_pool *pool, size_t item_bytes) {
    *pool = (struct aq_pool){.first_free = UINT32_MAX, .item_bytes = item_bytes};
}

void aq_pool_close(struct aq_pool *pool) {
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        aq_free(pool->chunks[i]);
    aq_free(pool->chunks);
    aq_pool_init(pool, pool->item_bytes);
}

static int add_chunk(struct aq_pool *pool) {
    int rc =
        aq_array_reserve(&pool->chunks, &pool->chunk_capacity, (size_t)pool->chunk_count + 1, sizeof(void *));
    if (rc) return rc;
    void *chunk = aq_alloc_zeroed(AQ_POOL_CHUNK_ITEMS, pool->item_bytes);
    if (!chunk) return AQ_ENOMEM;
    pool->chunks[pool->chunk_count++] = chunk;
    return 0;
}

int aq_pool_take(struct aq_pool *pool, uint32_t *out) {
    if (pool->first_free != UINT32_MAX) {
        uint32_t index = pool->first_free;
        char *item = aq_pool_at(pool, index);
        memcpy(&pool->first_free, item, sizeof pool->first_free);
        memset(item, 0, sizeof pool->first_free);
        *out = index;
        return 0;
    }
    AQ_ASSERT(pool->used < UINT32_MAX - 1);
    if (pool->used == pool->chunk_count * AQ_POOL_CHUNK_ITEMS) {
        int rc = add_chunk(pool);
        if (rc) return rc;
    }
    *out = pool->used++;
    return 0;
}

void aq_pool_give(struct aq_pool *pool, uint32_t index) {
    char *item = aq_pool_at(pool, index);
    memset(item, 0, pool->item_bytes);
    memcpy(item, &pool->first_free, sizeof pool->first_free);
    pool->first_free = index;
}

int aq_books_server(struct aq_ledger *ledger, uint32_t server, struct aq_books_server **out) {
    AQ_ASSERT(server != AQ_NOBODY);
    if (server >= ledger->server_count) {
        int rc = aq_array_reserve(&ledger->servers, &ledger->server_capacity, (size_t)server + 1,
                                  sizeof *ledger->servers);
        if (rc) return rc;
        memset(&ledger->servers[ledger->server_count], 0,
               (server + 1 - ledger->server_count) * sizeof *ledger->servers);
        ledger->server_count = server + 1;
    }
    *out = &ledger->servers[server];
    return 0;
}

int aq_books_add_job(struct aq_ledger *ledger, uint64_t token, uint32_t *out) {
    uint32_t index;
    int rc = aq_pool_take(&ledger->cells, &index);
    if (rc) return rc;
    AQ_ASSERT(index < AQ_BOOKS_FURTHER - 1);
    if (token) rc = aq_map_set(&ledger->by_token, aq_map_mix(token), index);
    if (rc) {
        aq_pool_give(&ledger->cells, index);
        return rc;
    }
    struct aq_ledger_job *job = aq_books_job(ledger, index);
    job->token = token;
    job->copies = UINT32_MAX;
    job->used = 1;
    *out = index;
    return 0;
}

static void write_id(struct aq_ledger_copy *copy, struct aq_text id) {
    size_t len = id.len < sizeof copy->id - 1 ? id.len : sizeof copy->id - 1;
    if (len) memcpy(copy->id, id.at, len);
    copy->id[len] = '\0';
}

static int take_copy(struct aq_ledger *ledger, uint32_t job, uint32_t *out) {
    uint32_t index = job;
    if (aq_books_copy(ledger, job)->used) {
        int rc = aq_pool_take(&ledger->further, &index);
        if (rc) return rc;
        AQ_ASSERT(index < AQ_BOOKS_FURTHER - 1);
        index |= AQ_BOOKS_FURTHER;
    }
    *out = index;
    return 0;
}

/* A first copy goes with its cell. */
static void give_copy(struct aq_ledger *ledger, uint32_t index) {
    if (index & AQ_BOOKS_FURTHER) aq_pool_give(&ledger->further, index & ~AQ_BOOKS_FURTHER);
}

int aq_books_add_copy(struct aq_ledger *ledger, uint32_t job, uint32_t server, uint32_t incarnation,
                      uint64_t hash, struct aq_text id, struct aq_ledger_copy **out) {
    uint32_t index;
    int rc = take_copy(ledger, job, &index);
    if (rc) return rc;
    if ((rc = aq_map_set(&ledger->by_hash, hash, index)) != 0) {
        give_copy(ledger, index);
        return rc;
    }
    struct aq_ledger_copy *copy = aq_books_copy(ledger, index);
    struct aq_ledger_job *of = aq_books_job(ledger, job);
    copy->hash = hash;
    copy->job = job;
    copy->next_of_job = of->copies;
    copy->server = server;
    copy->incarnation = copy->lease_incarnation = incarnation;
    copy->holder = copy->holder_client = AQ_NOBODY;
    copy->used = 1;
    write_id(copy, id);
    of->copies = index;
    of->copies_alive++;
    ledger->totals.alive++;
    *out = copy;
    return 0;
}

static uint32_t place_in_history(struct aq_ledger_job *job) {
    if (job->history_count == 0) {
        job->history_count = 1;
        return 0;
    }
    if (job->history_count == UINT8_MAX) job->history_count -= AQ_LEDGER_HISTORY - 1;
    return 1 + (job->history_count++ - 1u) % (AQ_LEDGER_HISTORY - 1);
}

void aq_books_remember(struct aq_ledger_job *job, const struct aq_observation *seen) {
    bool tap = seen->kind == AQ_SEEN_TAP, answer = seen->kind == AQ_SEEN_ANSWER;
    job->history[place_in_history(job)] =
        (struct aq_ledger_event){.at_us = seen->at_us & ((UINT64_C(1) << 49) - 1),
                                 .kind = seen->kind & 31,
                                 .action = (tap ? seen->tap->action : seen->action) & 31,
                                 .tap = tap ? seen->tap->kind & 31 : 0,
                                 .caller = seen->caller & ((1u << 26) - 1),
                                 .client = seen->client & ((1u << 17) - 1),
                                 .server = seen->server & ((1u << 13) - 1),
                                 .outcome = answer ? seen->outcome & 7 : 0,
                                 .is_producer = seen->is_producer,
                                 .is_command = seen->is_command,
                                 .fact = answer && (seen->error || seen->empty)};
}

void aq_books_forget(struct aq_ledger *ledger, struct aq_ledger_job *job) {
    uint32_t job_index = UINT32_MAX, found;
    for (uint32_t at = job->copies, next; at != UINT32_MAX; at = next) {
        struct aq_ledger_copy *copy = aq_books_copy(ledger, at);
        next = copy->next_of_job;
        job_index = copy->job;
        /* A foreign server may use an id again: the map then names the later copy. */
        if (aq_map_get(&ledger->by_hash, copy->hash, &found) && found == at)
            aq_map_remove(&ledger->by_hash, copy->hash);
        uint64_t *forgotten = aq_books_forgotten(ledger, copy->hash);
        memmove(forgotten + 1, forgotten, (AQ_LEDGER_FORGOTTEN_WAYS - 1) * sizeof *forgotten);
        forgotten[0] = copy->hash;
        give_copy(ledger, at);
    }
    if (job->token) {
        if (aq_map_get(&ledger->by_token, aq_map_mix(job->token), &found)) job_index = found;
        aq_map_remove(&ledger->by_token, aq_map_mix(job->token));
    }
    AQ_ASSERT(job_index != UINT32_MAX && aq_books_job(ledger, job_index) == job);
    aq_pool_give(&ledger->cells, job_index);
}

/* Everything said about this copy has been heard and answered. */
static bool copy_is_clean(const struct aq_ledger_copy *copy) {
    return copy->gone && !copy->lost && !copy->renamed && copy->open_completions == 0 &&
           copy->completions_sent <= copy->completions_seen && copy->executions >= copy->leases &&
           copy->executions < UINT16_MAX;
}

void aq_books_forget_if_clean(struct aq_ledger *ledger, struct aq_ledger_job *job) {
    if (job->copies_alive || job->open_calls || job->unclean || !job->ended) return;
    if (!job->foreign && !(job->put_answered && job->put_outcome == AQ_OUTCOME_OK)) return;
    for (uint32_t at = job->copies; at != UINT32_MAX;) {
        const struct aq_ledger_copy *copy = aq_books_copy(ledger, at);
        if (!copy_is_clean(copy)) return;
        at = copy->next_of_job;
    }
    aq_books_forget(ledger, job);
}
