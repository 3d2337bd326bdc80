/* Who is connected to what, and the requests without a reply on each connection. */
#include "base/assert.h"
#include "base/memory.h"
#include "client/transport_internal.h"

static uint64_t pair_key(uint32_t client, uint32_t address) {
    return aq_map_mix((uint64_t)client << 32 | address);
}

struct connection *aq_links_connection(const struct aq_client_transport *t, uint32_t client,
                                       uint32_t address) {
    uint32_t link;
    return aq_map_get(&t->by_pair, pair_key(client, address), &link) ? t->links[link].connection : NULL;
}

static int reserve_client(struct aq_client_transport *t, uint32_t client) {
    int rc = aq_array_reserve(&t->first_of_client, &t->client_capacity, (size_t)client + 1,
                              sizeof *t->first_of_client);
    if (rc) return rc;
    while (t->client_count <= client)
        t->first_of_client[t->client_count++] = NONE;
    return 0;
}

int aq_links_make(struct aq_client_transport *t, uint32_t client, uint32_t address, uint32_t *out) {
    uint64_t key = pair_key(client, address);
    if (aq_map_get(&t->by_pair, key, out)) return 0;
    int rc = reserve_client(t, client);
    if (!rc) rc = aq_array_reserve(&t->links, &t->link_capacity, (size_t)t->link_count + 1, sizeof *t->links);
    if (!rc) rc = aq_map_set(&t->by_pair, key, t->link_count);
    if (rc) return rc;
    t->links[t->link_count] =
        (struct link){.client = client, .address = address, .next_of_client = t->first_of_client[client]};
    t->first_of_client[client] = t->link_count;
    *out = t->link_count++;
    return 0;
}

void aq_links_close(struct aq_client_transport *t) {
    aq_free(t->links);
    aq_free(t->first_of_client);
    aq_free(t->sent);
    aq_map_close(&t->by_pair);
    aq_map_close(&t->by_key);
}

/* ---- requests without a reply ---- */

/* The serial is unique for 2^32 connections; until then an older one has long been closed. */
static uint64_t sent_key(const struct connection *c, uint32_t correlation) {
    return aq_map_mix(c->serial << 32 | correlation);
}

static int new_sent(struct aq_client_transport *t, uint32_t *out) {
    if (t->free_sent != NONE) {
        *out = t->free_sent;
        t->free_sent = t->sent[*out].next;
        return 0;
    }
    int rc = aq_array_reserve(&t->sent, &t->sent_capacity, (size_t)t->sent_count + 1, sizeof *t->sent);
    if (!rc) *out = t->sent_count++;
    return rc;
}

static void free_sent(struct aq_client_transport *t, uint32_t at) {
    t->sent[at].next = t->free_sent;
    t->free_sent = at;
}

static void remove_sent(struct aq_client_transport *t, struct connection *c, uint32_t at) {
    struct sent *s = &t->sent[at];
    *(s->prev != NONE ? &t->sent[s->prev].next : &c->sent_first) = s->next;
    *(s->next != NONE ? &t->sent[s->next].prev : &c->sent_last) = s->prev;
    c->sent_count--;
    t->counters.unanswered--;
    aq_map_remove(&t->by_key, s->key);
    free_sent(t, at);
}

int aq_sent_add(struct aq_client_transport *t, struct connection *c, uint32_t correlation, uint8_t action) {
    uint64_t key = sent_key(c, correlation);
    uint32_t at;
    if (aq_map_get(&t->by_key, key, &at)) {
        t->sent[at].action = action;
        return 0;
    }
    int rc = new_sent(t, &at);
    if (rc) return rc;
    if ((rc = aq_map_set(&t->by_key, key, at))) {
        free_sent(t, at);
        return rc;
    }
    t->sent[at] = (struct sent){.key = key, .next = NONE, .prev = c->sent_last, .action = action};
    *(c->sent_last != NONE ? &t->sent[c->sent_last].next : &c->sent_first) = at;
    c->sent_last = at;
    t->counters.unanswered++;
    if (++c->sent_count > SENT_MAX) remove_sent(t, c, c->sent_first);
    return 0;
}

bool aq_sent_take(struct aq_client_transport *t, struct connection *c, uint32_t correlation,
                  uint8_t *action) {
    uint32_t at;
    if (!aq_map_get(&t->by_key, sent_key(c, correlation), &at)) return false;
    *action = t->sent[at].action;
    remove_sent(t, c, at);
    return true;
}

void aq_sent_forget_all(struct aq_client_transport *t, struct connection *c) {
    while (c->sent_first != NONE)
        remove_sent(t, c, c->sent_first);
    AQ_ASSERT(c->sent_count == 0);
}
