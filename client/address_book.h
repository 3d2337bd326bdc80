/* The addresses of all servers that clients may ever be told about, each once, with its ids.
   Shared by many clients. */
#ifndef AQ_CLIENT_ADDRESS_BOOK_H
#define AQ_CLIENT_ADDRESS_BOOK_H

#include "base/error.h"
#include "base/map.h"
#include "protocol/ids.h"

struct aq_address {
    char *text;        /* "host:port", owned, NUL-terminated */
    uint32_t host_len; /* characters of the host within text */
    uint16_t port;
    struct aq_server_id id_of_host;    /* as upstream makes it */
    struct aq_server_id id_of_address; /* as strict makes it */
    uint32_t next_of_host;             /* next address with the same id_of_host, or UINT32_MAX */
    uint32_t next_of_address;          /* next address with the same id_of_address, or UINT32_MAX */
};

struct aq_address_book {
    struct aq_address *items;
    uint32_t count;
    uint32_t capacity;
    struct aq_map by_text;    /* hash of "host:port" -> index */
    struct aq_map by_host;    /* id_of_host -> first index with it */
    struct aq_map by_address; /* id_of_address -> first index with it */
};

/* All zero is a valid empty book. */
void aq_address_book_close(struct aq_address_book *book);

/* Finds or adds "host:port" (a missing port is 5555, AllQueue's default). Errors: AQ_EPARSE (*error says
   why), AQ_ELIMIT, AQ_ENOMEM; book and *out_index unchanged. */
int aq_address_book_add(struct aq_address_book *book, struct aq_text address, uint32_t *out_index,
                        struct aq_error *error);

/* Finds "host:port". Errors: AQ_EPARSE, AQ_ENOENT (*out_index untouched). */
int aq_address_book_find(const struct aq_address_book *book, struct aq_text address, uint32_t *out_index);

/* The first address with this server id, or UINT32_MAX; the others follow with aq_address_next_with_id. */
uint32_t aq_address_book_first_with_id(const struct aq_address_book *book, bool from_host_only,
                                       struct aq_text id);

static inline uint32_t aq_address_next_with_id(const struct aq_address *address, bool from_host_only) {
    return from_host_only ? address->next_of_host : address->next_of_address;
}

static inline const struct aq_server_id *aq_address_id(const struct aq_address *address,
                                                       bool from_host_only) {
    return from_host_only ? &address->id_of_host : &address->id_of_address;
}

/* The 7 characters of a server id as a key of a map: different ids have different keys. */
static inline uint64_t aq_server_id_key(const char *text) {
    uint64_t packed = 0;
    memcpy(&packed, text, AQ_SERVER_ID_CHARS);
    return aq_map_mix(packed);
}

#endif
