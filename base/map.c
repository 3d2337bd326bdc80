#include "base/map.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

void aq_map_close(struct aq_map *map) {
    aq_free(map->slots);
    *map = (struct aq_map){0};
}

/* The slot of the key, or the free one where it would go. The map must have a free slot. */
static uint32_t find(const struct aq_map *map, uint64_t key) {
    uint32_t mask = map->capacity - 1, at = (uint32_t)key & mask;
    while (map->slots[at].value_plus_1 && map->slots[at].key != key)
        at = (at + 1) & mask;
    return at;
}

static int grow(struct aq_map *map) {
    uint32_t capacity = map->capacity ? map->capacity * 2 : 16;
    if (capacity == 0) return AQ_ENOMEM;
    struct aq_map bigger = {.count = map->count, .capacity = capacity};
    bigger.slots = aq_alloc_zeroed(capacity, sizeof *bigger.slots);
    if (!bigger.slots) return AQ_ENOMEM;
    for (uint32_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value_plus_1) bigger.slots[find(&bigger, map->slots[i].key)] = map->slots[i];
    aq_free(map->slots);
    *map = bigger;
    return 0;
}

int aq_map_set(struct aq_map *map, uint64_t key, uint32_t value) {
    AQ_ASSERT(value < UINT32_MAX);
    if (map->count >= map->capacity / 4 * 3) {
        int rc = grow(map);
        if (rc) return rc;
    }
    struct aq_map_slot *slot = &map->slots[find(map, key)];
    if (!slot->value_plus_1) map->count++;
    *slot = (struct aq_map_slot){key, value + 1};
    return 0;
}

bool aq_map_get(const struct aq_map *map, uint64_t key, uint32_t *value) {
    if (map->count == 0) return false;
    const struct aq_map_slot *slot = &map->slots[find(map, key)];
    if (!slot->value_plus_1) return false;
    *value = slot->value_plus_1 - 1;
    return true;
}

bool aq_map_remove(struct aq_map *map, uint64_t key) {
    if (map->count == 0) return false;
    uint32_t mask = map->capacity - 1, hole = find(map, key);
    if (!map->slots[hole].value_plus_1) return false;
    for (uint32_t at = (hole + 1) & mask; map->slots[at].value_plus_1; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)map->slots[at].key & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].value_plus_1 = 0;
    map->count--;
    return true;
}
