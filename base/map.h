/* A hash map from 64-bit keys to 32-bit values: open addressing, linear probing, deletion by shifting back.
   Keys are taken as already well mixed (hashes, or values passed through aq_map_mix). Iteration order is not
   offered on purpose. */
#ifndef AQ_BASE_MAP_H
#define AQ_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct aq_map_slot {
    uint64_t key;
    uint32_t value_plus_1; /* 0: free */
};

struct aq_map {
    struct aq_map_slot *slots;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

/* All zero is a valid empty map. */
void aq_map_close(struct aq_map *map);

/* Sets the value of key (at most UINT32_MAX - 1), replacing an old one. Errors: AQ_ENOMEM (unchanged). */
int aq_map_set(struct aq_map *map, uint64_t key, uint32_t value);

/* False, *value untouched, where the key is absent. */
bool aq_map_get(const struct aq_map *map, uint64_t key, uint32_t *value);

/* True if the key was there. */
bool aq_map_remove(struct aq_map *map, uint64_t key);

/* Spreads a small integer over 64 bits (the finaliser of splitmix64). */
static inline uint64_t aq_map_mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif
