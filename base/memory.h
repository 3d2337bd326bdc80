/* The one door to the heap, so that tests can make the n-th allocation fail; and growth of flat arrays. */
#ifndef AQ_BASE_MEMORY_H
#define AQ_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* As malloc, calloc, realloc and free of the C library. */
void *aq_alloc(size_t bytes);
void *aq_alloc_zeroed(size_t count, size_t bytes);
void *aq_realloc(void *memory, size_t bytes);
void aq_free(void *memory);

/* Makes the allocation after `skip` more successful ones fail (once); UINT64_MAX
   switches this off. For tests. */
void aq_alloc_fail_after(uint64_t skip);

/* Adds this many unused bytes in front of every later allocation, so that addresses differ between two runs
   of one program. For the test that nothing depends on addresses. A multiple of 16; 0 switches it off. Only
   while nothing allocated is alive. */
void aq_alloc_set_padding(size_t bytes);

/* Grows a flat array to hold at least `wanted` items of `item_bytes` each; doubles. *items and *capacity are
   untouched on failure. New room is not initialised. Errors: AQ_ENOMEM. */
int aq_array_grow(void *items_pointer, uint32_t *capacity, size_t wanted, size_t item_bytes);
static inline int aq_array_reserve(void *items_pointer, uint32_t *capacity, size_t wanted,
                                   size_t item_bytes) {
    return wanted <= *capacity ? 0 : aq_array_grow(items_pointer, capacity, wanted, item_bytes);
}

#endif
