/* The peers of a fake server: small numbers for the envelopes that replies go back in. Private to the
   transport.

   A peer is a connection, as the ROUTER socket names it, with the kind of envelope that its requests have: a
   correlation, nothing, or frames that are kept here and given back. */
#ifndef AQ_FAKESERVER_TRANSPORT_PEERS_H
#define AQ_FAKESERVER_TRANSPORT_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/text.h"

enum aq_envelope {
    AQ_ENVELOPE_CORRELATED, /* [4 bytes][empty] */
    AQ_ENVELOPE_PLAIN,      /* [empty] */
    AQ_ENVELOPE_FRAMES,     /* other frames, then [empty] */
};

struct aq_peer {
    char *bytes;         /* owned: kind, route, and the frames, each as 2 bytes of length and the frame */
    uint32_t len;        /* 0: an unused place */
    uint32_t open;       /* requests that are not finished */
    uint32_t client;     /* as the route says, or UINT32_MAX */
    uint32_t next_alike; /* next with the same hash, or next unused place */
    uint32_t next, prev; /* among the idle ones, longest idle first */
    uint16_t route_len;
    char from[46];
};

struct aq_peers {
    struct aq_peer *items;
    uint32_t count, capacity; /* of the places */
    uint32_t first_free;
    uint32_t used, idle;
    uint32_t first_idle, last_idle;
    struct aq_map by_hash; /* hash of bytes -> first peer with it */
};

void aq_peers_init(struct aq_peers *peers);
void aq_peers_close(struct aq_peers *peers);

/* Finds or makes the peer with these bytes (kind and route and frames), and counts a request of it as open.
   A new one has no client and no address yet: *made tells. Errors: AQ_ENOMEM. */
int aq_peers_open(struct aq_peers *peers, struct aq_text bytes, uint16_t route_len, uint32_t *out,
                  bool *made);

/* A request of it is finished. Too many idle peers: the one idle longest is forgotten. */
void aq_peers_finished(struct aq_peers *peers, uint32_t peer, uint32_t idle_max);

/* NULL where the number is not in use. */
const struct aq_peer *aq_peers_at(const struct aq_peers *peers, uint32_t peer);

static inline enum aq_envelope aq_peer_envelope(const struct aq_peer *peer) {
    return (enum aq_envelope)peer->bytes[0];
}
static inline struct aq_text aq_peer_route(const struct aq_peer *peer) {
    return (struct aq_text){peer->bytes + 1, peer->route_len};
}
static inline struct aq_text aq_peer_frames(const struct aq_peer *peer) {
    uint32_t before = 1u + peer->route_len;
    return (struct aq_text){peer->bytes + before, peer->len - before};
}

#endif
