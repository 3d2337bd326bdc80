#include "base/wheel.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

#define DIGIT_MASK  (AQ_WHEEL_BUCKETS - 1)
#define LEVEL_WORDS (AQ_WHEEL_BUCKETS / 64)

_Static_assert(LEVEL_WORDS <= 32, "filled_words has a bit for each word");

void aq_wheel_close(struct aq_wheel *wheel) {
    aq_free(wheel->chunks);
    *wheel = (struct aq_wheel){0};
}

/* A bucket has at most one chunk that is not filled to its end and one that is partly popped; with room for
   that, moving events between buckets needs no memory. One chunk is never used and one is being emptied. */
static int make_room(struct aq_wheel *wheel) {
    const uint32_t buckets_max = AQ_WHEEL_BUCKETS * AQ_WHEEL_LEVELS;
    if (wheel->room > UINT32_MAX / 2) return AQ_ENOMEM;
    uint32_t room = wheel->room ? 2 * wheel->room : 64, buckets = room < buckets_max ? room : buckets_max;
    size_t wanted = (size_t)room / AQ_WHEEL_CHUNK_EVENTS + 2 * (size_t)buckets + 2;
    int rc = aq_array_reserve(&wheel->chunks, &wheel->chunk_capacity, wanted, sizeof *wheel->chunks);
    if (!rc) wheel->room = room;
    return rc;
}

static uint32_t take_chunk(struct aq_wheel *wheel) {
    uint32_t index = wheel->first_free;
    if (index)
        wheel->first_free = wheel->chunks[index].next;
    else
        index = ++wheel->chunks_used;
    AQ_ASSERT(index < wheel->chunk_capacity);
    wheel->chunks[index].next = 0;
    wheel->chunks[index].first = wheel->chunks[index].end = 0;
    return index;
}

static void free_chunk(struct aq_wheel *wheel, uint32_t index) {
    wheel->chunks[index].next = wheel->first_free;
    wheel->first_free = index;
}

static uint32_t digit_of(aq_time_us at_us, uint32_t level) {
    return (uint32_t)(at_us >> level * AQ_WHEEL_BITS) & DIGIT_MASK;
}

/* The level at which an event of this time belongs. */
static uint32_t level_of(const struct aq_wheel *wheel, aq_time_us at_us) {
    return (63 - (uint32_t)__builtin_clzll((at_us ^ wheel->now_us) | 1)) / AQ_WHEEL_BITS;
}

/* Files an event behind the others of its bucket. */
static void file(struct aq_wheel *wheel, const struct aq_event *event) {
    uint32_t at_level = level_of(wheel, event->at_us), digit = digit_of(event->at_us, at_level);
    struct aq_wheel_level *level = &wheel->levels[at_level];
    struct aq_wheel_bucket *bucket = &level->buckets[digit];
    uint64_t *word = &level->filled[digit / 64], bit = UINT64_C(1) << digit % 64;
    if (!(*word & bit)) {
        *word |= bit;
        level->filled_words |= UINT32_C(1) << digit / 64;
        bucket->first = bucket->last = take_chunk(wheel);
    } else if (wheel->chunks[bucket->last].end == AQ_WHEEL_CHUNK_EVENTS) {
        bucket->last = wheel->chunks[bucket->last].next = take_chunk(wheel);
    }
    struct aq_wheel_chunk *last = &wheel->chunks[bucket->last];
    last->events[last->end++] = *event;
}

int aq_wheel_push(struct aq_wheel *wheel, struct aq_event event) {
    AQ_ASSERT(event.at_us >= wheel->now_us);
    if (wheel->count == wheel->room) {
        int rc = make_room(wheel);
        if (rc) return rc;
    }
    file(wheel, &event);
    wheel->count++;
    return 0;
}

/* The first bucket with events at or behind this digit; AQ_WHEEL_BUCKETS: none. */
static uint32_t next_filled(const struct aq_wheel_level *level, uint32_t digit) {
    uint32_t word = digit / 64;
    uint64_t bits = level->filled[word] >> digit % 64;
    if (bits) return digit + (uint32_t)__builtin_ctzll(bits);
    uint64_t words = (uint64_t)level->filled_words >> (word + 1);
    if (!words) return AQ_WHEEL_BUCKETS;
    word += 1 + (uint32_t)__builtin_ctzll(words);
    return word * 64 + (uint32_t)__builtin_ctzll(level->filled[word]);
}

static void mark_empty(struct aq_wheel_level *level, uint32_t digit) {
    level->filled[digit / 64] &= ~(UINT64_C(1) << digit % 64);
    if (!level->filled[digit / 64]) level->filled_words &= ~(UINT32_C(1) << digit / 64);
}

/* Moves the events of a bucket that time has entered to the levels below. */
static void spread(struct aq_wheel *wheel, struct aq_wheel_level *level, uint32_t digit) {
    uint32_t chunk = level->buckets[digit].first;
    mark_empty(level, digit);
    while (chunk) {
        uint32_t next = wheel->chunks[chunk].next;
        __builtin_prefetch(&wheel->chunks[next]);
        for (uint32_t i = 0; i < wheel->chunks[chunk].end; i++)
            file(wheel, &wheel->chunks[chunk].events[i]);
        free_chunk(wheel, chunk);
        chunk = next;
    }
}

/* Enters the next bucket above level 0 that has events, if it begins before before_us. */
static bool advance(struct aq_wheel *wheel, aq_time_us before_us) {
    for (uint32_t i = 1; i < AQ_WHEEL_LEVELS; i++) {
        uint32_t digit = next_filled(&wheel->levels[i], digit_of(wheel->now_us, i));
        if (digit == AQ_WHEEL_BUCKETS) continue;
        uint32_t shift = i * AQ_WHEEL_BITS;
        aq_time_us above = wheel->now_us >> shift & ~(aq_time_us)DIGIT_MASK;
        aq_time_us start_us = (above | digit) << shift;
        if (start_us >= before_us) return false;
        wheel->now_us = start_us;
        spread(wheel, &wheel->levels[i], digit);
        return true;
    }
    return false;
}

bool aq_wheel_pop(struct aq_wheel *wheel, aq_time_us before_us, struct aq_event *out) {
    struct aq_wheel_level *level = &wheel->levels[0];
    uint32_t digit;
    while ((digit = next_filled(level, digit_of(wheel->now_us, 0))) == AQ_WHEEL_BUCKETS)
        if (!advance(wheel, before_us)) return false;
    uint32_t index = level->buckets[digit].first;
    struct aq_wheel_chunk *chunk = &wheel->chunks[index];
    if (chunk->events[chunk->first].at_us >= before_us) return false;
    *out = chunk->events[chunk->first++];
    wheel->now_us = out->at_us;
    wheel->count--;
    if (chunk->first < chunk->end) return true;
    level->buckets[digit].first = chunk->next;
    if (!chunk->next) mark_empty(level, digit);
    free_chunk(wheel, index);
    return true;
}

aq_time_us aq_wheel_next_us(const struct aq_wheel *wheel) {
    for (uint32_t i = 0; i < AQ_WHEEL_LEVELS; i++) {
        uint32_t digit = next_filled(&wheel->levels[i], digit_of(wheel->now_us, i)),
                 shift = i * AQ_WHEEL_BITS;
        if (digit == AQ_WHEEL_BUCKETS) continue;
        return ((wheel->now_us >> shift & ~(aq_time_us)DIGIT_MASK) | digit) << shift;
    }
    return AQ_TIME_NEVER;
}
