#include "sim/byte_queue.h"

#include "base/assert.h"
#include "base/memory.h"

#define ROOM_MIN 1024 /* a smaller rest of a block is left unused */

_Static_assert(sizeof(struct aq_block) == AQ_BLOCK_BYTES, "as the name says");

void aq_block_pool_close(struct aq_block_pool *pool) {
    AQ_ASSERT(pool->in_use == 0);
    for (struct aq_block *block = pool->free, *next; block; block = next) {
        next = block->next;
        aq_free(block);
    }
    *pool = (struct aq_block_pool){0};
}

static struct aq_block *new_block(struct aq_block_pool *pool) {
    struct aq_block *block = pool->free;
    if (block) {
        pool->free = block->next;
    } else {
        block = aq_alloc(sizeof *block);
        if (!block) return NULL;
        pool->allocated++;
    }
    pool->in_use++;
    block->next = NULL;
    block->head = block->tail = 0;
    return block;
}

static void free_block(struct aq_block_pool *pool, struct aq_block *block) {
    block->next = pool->free;
    pool->free = block;
    pool->in_use--;
}

void aq_byte_queue_clear(struct aq_byte_queue *queue, struct aq_block_pool *pool) {
    for (struct aq_block *block = queue->first, *next; block; block = next) {
        next = block->next;
        free_block(pool, block);
    }
    *queue = (struct aq_byte_queue){.blocks_max = queue->blocks_max};
}

static struct aq_chunk *chunk_at(struct aq_block *block, uint32_t at) {
    return (struct aq_chunk *)(void *)(block->bytes + at);
}

static uint32_t chunk_size(uint32_t count) {
    return (uint32_t)((sizeof(struct aq_chunk) + count + 7) & ~(size_t)7);
}

static uint32_t room_of(const struct aq_block *block) {
    uint32_t left = (uint32_t)sizeof block->bytes - block->tail;
    return left >= sizeof(struct aq_chunk) + ROOM_MIN ? left - (uint32_t)sizeof(struct aq_chunk) : 0;
}

bool aq_byte_queue_is_full(const struct aq_byte_queue *queue) {
    return queue->blocks >= queue->blocks_max && (!queue->last || !room_of(queue->last));
}

uint8_t *aq_byte_queue_room(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t *size) {
    if (!queue->last || !room_of(queue->last)) {
        struct aq_block *block = queue->blocks < queue->blocks_max ? new_block(pool) : NULL;
        if (!block) return NULL;
        if (queue->last)
            queue->last->next = block;
        else
            queue->first = block;
        queue->last = block;
        queue->blocks++;
    }
    *size = room_of(queue->last) & ~UINT32_C(7);
    return chunk_at(queue->last, queue->last->tail)->bytes;
}

/* Gives the empty last block back. */
static void drop_last(struct aq_byte_queue *queue, struct aq_block_pool *pool) {
    struct aq_block *before = NULL;
    for (struct aq_block *block = queue->first; block != queue->last; block = block->next)
        before = block;
    free_block(pool, queue->last);
    queue->blocks--;
    queue->last = before;
    if (before)
        before->next = NULL;
    else
        queue->first = NULL;
}

void aq_byte_queue_add(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t count) {
    struct aq_block *block = queue->last;
    AQ_ASSERT(block && count <= room_of(block));
    if (count == 0) {
        if (block->tail == block->head) drop_last(queue, pool);
        return;
    }
    struct aq_chunk *chunk = chunk_at(block, block->tail);
    chunk->due_us = AQ_TIME_NEVER;
    chunk->count = count;
    chunk->sent = 0;
    chunk->counted = false;
    if (!queue->held_block) {
        queue->held_block = block;
        queue->held_at = block->tail;
    }
    block->tail += chunk_size(count);
}

struct aq_chunk *aq_byte_queue_held(const struct aq_byte_queue *queue) {
    return queue->held_block ? chunk_at(queue->held_block, queue->held_at) : NULL;
}

void aq_byte_queue_let_pass(struct aq_byte_queue *queue, aq_time_us due_us) {
    struct aq_chunk *chunk = aq_byte_queue_held(queue);
    AQ_ASSERT(chunk);
    chunk->due_us = due_us;
    queue->held_at += chunk_size(chunk->count);
    if (queue->held_at < queue->held_block->tail) return;
    struct aq_block *next = queue->held_block->next;
    queue->held_block = next && next->tail > 0 ? next : NULL;
    queue->held_at = 0;
}

struct aq_chunk *aq_byte_queue_first(const struct aq_byte_queue *queue) {
    const struct aq_block *block = queue->first;
    if (!block || block->head == block->tail) return NULL;
    if (queue->held_block == block && queue->held_at == block->head) return NULL;
    return chunk_at(queue->first, block->head);
}

void aq_byte_queue_take(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t count) {
    struct aq_chunk *chunk = aq_byte_queue_first(queue);
    AQ_ASSERT(chunk && count <= chunk->count - chunk->sent);
    chunk->sent += count;
    if (chunk->sent < chunk->count) return;
    struct aq_block *block = queue->first;
    block->head += chunk_size(chunk->count);
    if (block->head < block->tail) return;
    queue->first = block->next;
    if (!queue->first) queue->last = NULL;
    queue->blocks--;
    free_block(pool, block);
}
