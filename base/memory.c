#include "base/memory.h"

#include "base/assert.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint64_t fail_after = UINT64_MAX;
static size_t padding = 0;

static bool fails_now(void) {
    if (__builtin_expect(fail_after == UINT64_MAX, 1)) return false;
    return fail_after-- == 0;
}

static void *shifted(void *raw) {
    return raw ? (char *)raw + padding : NULL;
}
static void *unshifted(void *memory) {
    return memory ? (char *)memory - padding : NULL;
}

void *aq_alloc(size_t bytes) {
    return fails_now() ? NULL : shifted(malloc(bytes + padding));
}

void *aq_alloc_zeroed(size_t count, size_t bytes) {
    if (fails_now()) return NULL;
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total) || total > SIZE_MAX - padding) return NULL;
    return shifted(calloc(1, total + padding));
}

void *aq_realloc(void *memory, size_t bytes) {
    return fails_now() ? NULL : shifted(realloc(unshifted(memory), bytes + padding));
}

void aq_free(void *memory) {
    free(unshifted(memory));
}

void aq_alloc_fail_after(uint64_t skip) {
    fail_after = skip;
}

void aq_alloc_set_padding(size_t bytes) {
    AQ_ASSERT(bytes % 16 == 0);
    padding = bytes;
}

int aq_array_grow(void *items_pointer, uint32_t *capacity, size_t wanted, size_t item_bytes) {
    if (wanted > UINT32_MAX / 2) return AQ_ENOMEM;
    size_t room = *capacity ? *capacity : 8;
    while (room < wanted)
        room *= 2;
    void *items;
    memcpy(&items, items_pointer, sizeof items);
    items = aq_realloc(items, room * item_bytes);
    if (!items) return AQ_ENOMEM;
    memcpy(items_pointer, &items, sizeof items);
    *capacity = (uint32_t)room;
    return 0;
}
