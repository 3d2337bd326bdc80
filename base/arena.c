#include "base/arena.h"

#include "base/error.h"
#include "base/memory.h"

#define BLOCK_BYTES 4096

struct aq_arena_block {
    struct aq_arena_block *next;
    size_t capacity; /* bytes that follow */
    _Alignas(16) char bytes[];
};

void aq_arena_init(struct aq_arena *arena) {
    *arena = (struct aq_arena){0};
}

void aq_arena_close(struct aq_arena *arena) {
    for (struct aq_arena_block *block = arena->first; block;) {
        struct aq_arena_block *next = block->next;
        aq_free(block);
        block = next;
    }
    aq_arena_init(arena);
}

void aq_arena_reset(struct aq_arena *arena) {
    arena->current = arena->first;
    arena->used = 0;
}

/* Moves on to a block with room for `bytes`, a kept one or a new one behind the current. */
static int next_block(struct aq_arena *arena, size_t bytes) {
    struct aq_arena_block **link = arena->current ? &arena->current->next : &arena->first;
    while (*link && (*link)->capacity < bytes)
        link = &(*link)->next;
    if (!*link) {
        size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        struct aq_arena_block *block = aq_alloc(sizeof *block + capacity);
        if (!block) return AQ_ENOMEM;
        block->capacity = capacity;
        block->next = NULL;
        *link = block;
    }
    arena->current = *link;
    arena->used = 0;
    return 0;
}

void *aq_arena_alloc(struct aq_arena *arena, size_t bytes) {
    bytes = (bytes + 15) & ~(size_t)15;
    if (!arena->current || arena->current->capacity - arena->used < bytes)
        if (next_block(arena, bytes)) return NULL;
    void *memory = arena->current->bytes + arena->used;
    arena->used += bytes;
    return memory;
}

int aq_arena_text(struct aq_arena *arena, struct aq_text text, struct aq_text *out) {
    if (text.len == 0) {
        *out = (struct aq_text){"", 0};
        return 0;
    }
    char *copy = aq_arena_alloc(arena, text.len);
    if (!copy) return AQ_ENOMEM;
    memcpy(copy, text.at, text.len);
    *out = (struct aq_text){copy, text.len};
    return 0;
}

int aq_arena_join(struct aq_arena *arena, struct aq_text a, char between, struct aq_text b,
                  struct aq_text *out) {
    char *copy = aq_arena_alloc(arena, (size_t)a.len + 1 + b.len);
    if (!copy) return AQ_ENOMEM;
    if (a.len) memcpy(copy, a.at, a.len);
    copy[a.len] = between;
    if (b.len) memcpy(copy + a.len + 1, b.at, b.len);
    *out = (struct aq_text){copy, a.len + 1 + b.len};
    return 0;
}
