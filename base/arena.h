/* A bump allocator: memory that is all given back at once. Blocks are kept across resets, so that a warm
   arena allocates nothing. */
#ifndef AQ_BASE_ARENA_H
#define AQ_BASE_ARENA_H

#include <stddef.h>

#include "base/text.h"

struct aq_arena_block;

struct aq_arena {
    struct aq_arena_block *first;   /* owned chain of blocks */
    struct aq_arena_block *current; /* block in use, or NULL before the first allocation */
    size_t used;                    /* bytes used of the current block */
};

/* All zero is a valid empty arena as well. */
void aq_arena_init(struct aq_arena *arena);
void aq_arena_close(struct aq_arena *arena);

/* Forgets everything handed out; keeps the blocks. */
void aq_arena_reset(struct aq_arena *arena);

/* `bytes` bytes aligned to 16, valid until reset or close; NULL when out of memory. */
void *aq_arena_alloc(struct aq_arena *arena, size_t bytes);

/* A copy of a text; for an empty one nothing is allocated. Errors: AQ_ENOMEM (*out untouched). */
int aq_arena_text(struct aq_arena *arena, struct aq_text text, struct aq_text *out);

/* "a" "between" "b" in one new text. Errors: AQ_ENOMEM. */
int aq_arena_join(struct aq_arena *arena, struct aq_text a, char between, struct aq_text b,
                  struct aq_text *out);

#endif
