/* The addresses of all servers that clients may ever be told about, each once, with its ids. Shared by many clients. */
#ifndef AQ_CLIENT_ADDRESS_BOOK_H
#define AQ_CLIENT_ADDRESS_BOOK_H

#include "base/error.h"
#include "protocol/ids.h"

struct aq_address {
    char *text;                            /* "host:port", owned, NUL-terminated */
    uint32_t host_len;                     /* characters of the host within text */
    uint16_t port;
    struct aq_server_id id_of_host;        /* as upstream makes it */
    struct aq_server_id id_of_address;     /* as strict makes it */
};

struct aq_address_book {
    struct aq_address *items;
    uint32_t count;
    uint32_t capacity;
};

/* All zero is a valid empty book. */
void aq_address_book_close(struct aq_address_book *book);

/* Finds or adds "host:port" (a missing port is 5555, AllQueue's default). Errors: AQ_EPARSE (*error says why), AQ_ELIMIT, AQ_ENOMEM;
   book and *out_index unchanged. */
int aq_address_book_add(struct aq_address_book *book, struct aq_text address, uint32_t *out_index, struct aq_error *error);

static inline const struct aq_server_id *aq_address_id(const struct aq_address *address, bool from_host_only) {
    return from_host_only ? &address->id_of_host : &address->id_of_address;
}

#endif
