#include "base/deadlines.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static bool before(struct aq_deadline a, struct aq_deadline b) {
    return a.at_us < b.at_us || (a.at_us == b.at_us && a.id < b.id);
}

static void put_at(struct aq_deadlines *d, uint32_t place, struct aq_deadline item) {
    d->items[place] = item;
    d->place_of[item.id] = place + 1;
}

static void rise(struct aq_deadlines *d, uint32_t place, struct aq_deadline item) {
    while (place > 0) {
        uint32_t parent = (place - 1) / 4;
        if (!before(item, d->items[parent])) break;
        put_at(d, place, d->items[parent]);
        place = parent;
    }
    put_at(d, place, item);
}

static void sink(struct aq_deadlines *d, uint32_t place, struct aq_deadline item) {
    for (;;) {
        uint32_t child = place * 4 + 1, best = child;
        if (child >= d->count) break;
        uint32_t end = child + 4 < d->count ? child + 4 : d->count;
        for (uint32_t i = child + 1; i < end; i++)
            if (before(d->items[i], d->items[best])) best = i;
        if (!before(d->items[best], item)) break;
        put_at(d, place, d->items[best]);
        place = best;
    }
    put_at(d, place, item);
}

static void settle(struct aq_deadlines *d, uint32_t place, struct aq_deadline item) {
    if (place > 0 && before(item, d->items[(place - 1) / 4]))
        rise(d, place, item);
    else
        sink(d, place, item);
}

void aq_deadlines_close(struct aq_deadlines *d) {
    aq_free(d->items);
    aq_free(d->place_of);
    *d = (struct aq_deadlines){0};
}

static int reserve(struct aq_deadlines *d, uint32_t id) {
    int rc = aq_array_reserve(&d->items, &d->capacity, (size_t)d->count + 1, sizeof *d->items);
    if (rc) return rc;
    uint32_t old = d->place_capacity;
    rc = aq_array_reserve(&d->place_of, &d->place_capacity, (size_t)id + 1, sizeof *d->place_of);
    if (rc) return rc;
    if (d->place_capacity > old)
        memset(d->place_of + old, 0, (size_t)(d->place_capacity - old) * sizeof *d->place_of);
    return 0;
}

int aq_deadlines_set(struct aq_deadlines *d, uint32_t id, aq_time_us at_us) {
    if (at_us == AQ_TIME_NEVER) {
        aq_deadlines_remove(d, id);
        return 0;
    }
    int rc = reserve(d, id);
    if (rc) return rc;
    struct aq_deadline item = {at_us, id};
    if (d->place_of[id])
        settle(d, d->place_of[id] - 1, item);
    else
        rise(d, d->count++, item);
    return 0;
}

void aq_deadlines_remove(struct aq_deadlines *d, uint32_t id) {
    if (id >= d->place_capacity || d->place_of[id] == 0) return;
    uint32_t place = d->place_of[id] - 1;
    d->place_of[id] = 0;
    struct aq_deadline last = d->items[--d->count];
    if (place < d->count) settle(d, place, last);
}

aq_time_us aq_deadlines_of(const struct aq_deadlines *d, uint32_t id) {
    if (id >= d->place_capacity || d->place_of[id] == 0) return AQ_TIME_NEVER;
    return d->items[d->place_of[id] - 1].at_us;
}

bool aq_deadlines_take_due(struct aq_deadlines *d, aq_time_us now_us, uint32_t *id) {
    if (d->count == 0 || d->items[0].at_us > now_us) return false;
    *id = d->items[0].id;
    aq_deadlines_remove(d, *id);
    return true;
}
