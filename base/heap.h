/* A 4-ary heap of events: the plain queue that the wheel of base/wheel.h is measured and tested against. */
#ifndef AQ_BASE_HEAP_H
#define AQ_BASE_HEAP_H

#include <stddef.h>

#include "base/event.h"
#include "base/memory.h"

struct aq_heap {
    struct aq_event *items;
    uint32_t count;
    uint32_t capacity;
};

static inline void aq_heap_close(struct aq_heap *heap) {
    aq_free(heap->items);
    *heap = (struct aq_heap){0};
}

/* Errors: AQ_ENOMEM (heap unchanged). */
static inline int aq_heap_push(struct aq_heap *heap, struct aq_event event) {
    if (__builtin_expect(heap->count == heap->capacity, 0)) {
        int rc = aq_array_reserve(&heap->items, &heap->capacity, (size_t)heap->count + 1, sizeof event);
        if (rc) return rc;
    }
    struct aq_event *items = heap->items;
    uint32_t at = heap->count++;
    while (at > 0) {
        uint32_t parent = (at - 1) / 4;
        if (!aq_event_before(&event, &items[parent])) break;
        items[at] = items[parent];
        at = parent;
    }
    items[at] = event;
    return 0;
}

static inline const struct aq_event *aq_heap_peek(const struct aq_heap *heap) {
    return heap->count ? heap->items : NULL;
}

/* Removes and returns the first event. The heap must not be empty. */
static inline struct aq_event aq_heap_pop(struct aq_heap *heap) {
    struct aq_event *items = heap->items;
    struct aq_event first = items[0], last = items[--heap->count];
    uint32_t count = heap->count, at = 0;
    for (;;) {
        uint32_t child = at * 4 + 1, best = child;
        if (child >= count) break;
        uint32_t end = child + 4 < count ? child + 4 : count;
        for (uint32_t i = child + 1; i < end; i++)
            if (aq_event_before(&items[i], &items[best])) best = i;
        if (!aq_event_before(&items[best], &last)) break;
        items[at] = items[best];
        at = best;
    }
    items[at] = last;
    return first;
}

#endif
