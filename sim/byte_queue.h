/* A bounded queue of chunks of bytes on their way, each with the time at which it is due, kept in blocks of a
   shared pool, so that nothing is allocated for a chunk once the pool is warm. An empty queue holds no block.
 */
#ifndef AQ_SIM_BYTE_QUEUE_H
#define AQ_SIM_BYTE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define AQ_BLOCK_BYTES 16384 /* with its header: four pages, and a fair size for one read */

struct aq_block {
    struct aq_block *next;
    uint32_t head; /* offset of the first chunk */
    uint32_t tail; /* end of the last one */
    _Alignas(8) uint8_t bytes[AQ_BLOCK_BYTES - 16];
};

struct aq_block_pool {
    struct aq_block *free;
    uint32_t allocated; /* blocks in all, free ones too */
    uint32_t in_use;
};

void aq_block_pool_close(struct aq_block_pool *pool); /* no block may be in use */

struct aq_chunk {
    aq_time_us due_us; /* once it was let pass */
    uint32_t count;    /* bytes */
    uint32_t sent;     /* of them, so many have left */
    bool counted;      /* for the owner: receipts were given */
    _Alignas(8) uint8_t bytes[];
};

/* All zero but for blocks_max is a valid empty queue. Chunks come in at the end, are let pass in that order,
   and leave in that order once they were. */
struct aq_byte_queue {
    struct aq_block *first, *last;
    struct aq_block *held_block; /* of the first chunk that was not let pass yet; NULL: there is none */
    uint32_t held_at;            /* its offset */
    uint32_t blocks, blocks_max;
};

void aq_byte_queue_clear(struct aq_byte_queue *queue, struct aq_block_pool *pool);

/* Room for the bytes of the next chunk, *size of them at most; NULL where the queue is full or memory is out
   (tell apart by aq_byte_queue_is_full). The room is one until the next call of any function. */
uint8_t *aq_byte_queue_room(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t *size);
/* Makes a chunk of the first count bytes of that room; with 0, gives the room back. */
void aq_byte_queue_add(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t count);
bool aq_byte_queue_is_full(const struct aq_byte_queue *queue);

static inline bool aq_byte_queue_is_empty(const struct aq_byte_queue *queue) {
    return !queue->first;
}

/* The first chunk that was not let pass yet, or NULL; and lets it pass, to leave at due_us. */
struct aq_chunk *aq_byte_queue_held(const struct aq_byte_queue *queue);
void aq_byte_queue_let_pass(struct aq_byte_queue *queue, aq_time_us due_us);

/* The first chunk of all if it was let pass, else NULL; and takes its next count bytes away. */
struct aq_chunk *aq_byte_queue_first(const struct aq_byte_queue *queue);
void aq_byte_queue_take(struct aq_byte_queue *queue, struct aq_block_pool *pool, uint32_t count);

#endif
