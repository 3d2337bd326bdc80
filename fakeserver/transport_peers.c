#include "fakeserver/transport_peers.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"

#define NONE UINT32_MAX

void aq_peers_init(struct aq_peers *peers) {
    *peers = (struct aq_peers){.first_free = NONE, .first_idle = NONE, .last_idle = NONE};
}

void aq_peers_close(struct aq_peers *peers) {
    for (uint32_t i = 0; i < peers->count; i++)
        if (peers->items[i].len) aq_free(peers->items[i].bytes);
    aq_free(peers->items);
    aq_map_close(&peers->by_hash);
    aq_peers_init(peers);
}

static uint64_t key_of(struct aq_text bytes) {
    return aq_map_mix(aq_text_hash(bytes));
}

static struct aq_text bytes_of(const struct aq_peer *peer) {
    return (struct aq_text){peer->bytes, peer->len};
}

static void enter_idle(struct aq_peers *peers, uint32_t at) {
    struct aq_peer *peer = &peers->items[at];
    peer->next = NONE;
    peer->prev = peers->last_idle;
    *(peer->prev != NONE ? &peers->items[peer->prev].next : &peers->first_idle) = at;
    peers->last_idle = at;
    peers->idle++;
}

static void leave_idle(struct aq_peers *peers, uint32_t at) {
    const struct aq_peer *peer = &peers->items[at];
    *(peer->prev != NONE ? &peers->items[peer->prev].next : &peers->first_idle) = peer->next;
    *(peer->next != NONE ? &peers->items[peer->next].prev : &peers->last_idle) = peer->prev;
    peers->idle--;
}

static void forget(struct aq_peers *peers, uint32_t at) {
    struct aq_peer *peer = &peers->items[at];
    uint64_t key = key_of(bytes_of(peer));
    uint32_t first;
    bool found = aq_map_get(&peers->by_hash, key, &first);
    AQ_ASSERT(found);
    if (first != at) {
        while (peers->items[first].next_alike != at)
            first = peers->items[first].next_alike;
        peers->items[first].next_alike = peer->next_alike;
    } else if (peer->next_alike == NONE) {
        aq_map_remove(&peers->by_hash, key);
    } else {
        int rc = aq_map_set(&peers->by_hash, key, peer->next_alike); /* the key is there: nothing grows */
        AQ_ASSERT(rc == 0);
    }
    leave_idle(peers, at);
    aq_free(peer->bytes);
    *peer = (struct aq_peer){.next_alike = peers->first_free};
    peers->first_free = at;
    peers->used--;
}

static int find_place(struct aq_peers *peers, uint32_t *out) {
    if (peers->first_free != NONE) {
        *out = peers->first_free;
        return 0;
    }
    int rc =
        aq_array_reserve(&peers->items, &peers->capacity, (size_t)peers->count + 1, sizeof *peers->items);
    if (!rc) *out = peers->count;
    return rc;
}

static int make(struct aq_peers *peers, struct aq_text bytes, uint64_t key, uint16_t route_len,
                uint32_t *out) {
    uint32_t at, first = NONE;
    int rc = find_place(peers, &at);
    if (rc) return rc;
    char *copy = aq_alloc(bytes.len);
    if (!copy) return AQ_ENOMEM;
    aq_map_get(&peers->by_hash, key, &first);
    if ((rc = aq_map_set(&peers->by_hash, key, at))) {
        aq_free(copy);
        return rc;
    }
    memcpy(copy, bytes.at, bytes.len);
    if (at == peers->count)
        peers->count++;
    else
        peers->first_free = peers->items[at].next_alike;
    peers->items[at] = (struct aq_peer){
        .bytes = copy, .len = bytes.len, .client = NONE, .next_alike = first, .route_len = route_len};
    peers->used++;
    *out = at;
    return 0;
}

int aq_peers_open(struct aq_peers *peers, struct aq_text bytes, uint16_t route_len, uint32_t *out,
                  bool *made) {
    uint64_t key = key_of(bytes);
    uint32_t at = NONE;
    aq_map_get(&peers->by_hash, key, &at);
    while (at != NONE &&
           !(peers->items[at].route_len == route_len && aq_text_equal(bytes_of(&peers->items[at]), bytes)))
        at = peers->items[at].next_alike;
    *made = at == NONE;
    int rc = *made ? make(peers, bytes, key, route_len, &at) : 0;
    if (rc) return rc;
    if (!*made && peers->items[at].open == 0) leave_idle(peers, at);
    peers->items[at].open++;
    *out = at;
    return 0;
}

void aq_peers_finished(struct aq_peers *peers, uint32_t peer, uint32_t idle_max) {
    AQ_ASSERT(peers->items[peer].open > 0);
    if (--peers->items[peer].open > 0) return;
    enter_idle(peers, peer);
    if (peers->idle > idle_max) forget(peers, peers->first_idle);
}

const struct aq_peer *aq_peers_at(const struct aq_peers *peers, uint32_t peer) {
    return peer < peers->count && peers->items[peer].len ? &peers->items[peer] : NULL;
}
