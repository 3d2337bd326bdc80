#include "client/address_book.h"

#include <stdio.h>

#include "base/memory.h"

#define DEFAULT_PORT 5555

void aq_address_book_close(struct aq_address_book *book) {
    for (uint32_t i = 0; i < book->count; i++)
        aq_free(book->items[i].text);
    aq_free(book->items);
    aq_map_close(&book->by_text);
    aq_map_close(&book->by_host);
    aq_map_close(&book->by_address);
    *book = (struct aq_address_book){0};
}

static bool parse_port(struct aq_text digits, uint16_t *out) {
    uint32_t port = 0;
    if (digits.len == 0 || digits.len > 5) return false;
    for (uint32_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return false;
        port = port * 10 + (uint32_t)(digits.at[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX) return false;
    *out = (uint16_t)port;
    return true;
}

/* The colon before the port: the last one, unless it belongs to a bracketed IPv6 address. */
static uint32_t host_length(struct aq_text address) {
    for (uint32_t i = address.len; i > 0; i--) {
        if (address.at[i - 1] == ']') return address.len;
        if (address.at[i - 1] == ':') return i - 1;
    }
    return address.len;
}

static int parse(struct aq_text address, struct aq_text *host, uint16_t *port, struct aq_error *error) {
    if (address.len > AQ_ADDRESS_CHARS_MAX)
        return aq_error_set(error, AQ_ELIMIT, "address of %u characters, allowed are %d", address.len,
                            AQ_ADDRESS_CHARS_MAX);
    uint32_t len = host_length(address);
    bool ok = len > 0;
    for (uint32_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)address.at[i];
        if (c <= ' ' || c == ',' || c == 0x7f) ok = false;
    }
    *port = DEFAULT_PORT;
    if (len < address.len)
        ok = ok && parse_port((struct aq_text){address.at + len + 1, address.len - len - 1}, port);
    if (!ok)
        return aq_error_set(error, AQ_EPARSE, "found \"%.*s\", allowed is host or host:port, port 1 to 65535",
                            AQ_TEXT_ARGS(address));
    *host = (struct aq_text){address.at, len};
    return 0;
}

static bool is_at(const struct aq_address *item, struct aq_text host, uint16_t port) {
    return item->port == port && aq_text_equal((struct aq_text){item->text, item->host_len}, host);
}

/* The index of host:port, or UINT32_MAX; *key is then the free key to file it under. */
static uint32_t look_up(const struct aq_address_book *book, struct aq_text host, uint16_t port,
                        uint64_t *key) {
    uint32_t index;
    *key = aq_map_mix(aq_text_hash(host) + port);
    while (aq_map_get(&book->by_text, *key, &index)) {
        if (is_at(&book->items[index], host, port)) return index;
        *key = aq_map_mix(*key + 1);
    }
    return UINT32_MAX;
}

int aq_address_book_find(const struct aq_address_book *book, struct aq_text address, uint32_t *out_index) {
    struct aq_text host;
    uint16_t port;
    uint64_t key;
    if (parse(address, &host, &port, NULL)) return AQ_EPARSE;
    uint32_t index = look_up(book, host, port, &key);
    if (index == UINT32_MAX) return AQ_ENOENT;
    *out_index = index;
    return 0;
}

/* Files the address as the first one with its id. */
static int file_id(struct aq_map *map, const struct aq_server_id *id, uint32_t index, uint32_t *next) {
    uint64_t key = aq_server_id_key(id->text);
    *next = UINT32_MAX;
    aq_map_get(map, key, next);
    return aq_map_set(map, key, index);
}

static void unfile_id(struct aq_map *map, const struct aq_server_id *id, uint32_t next) {
    uint64_t key = aq_server_id_key(id->text);
    if (next == UINT32_MAX)
        aq_map_remove(map, key);
    else
        aq_map_set(map, key, next); /* replaces a value: needs no memory */
}

static int file(struct aq_address_book *book, struct aq_address *item, uint64_t key, uint32_t index) {
    int rc = aq_map_set(&book->by_text, key, index);
    if (rc) return rc;
    rc = file_id(&book->by_host, &item->id_of_host, index, &item->next_of_host);
    if (rc) goto out_text;
    rc = file_id(&book->by_address, &item->id_of_address, index, &item->next_of_address);
    if (rc) goto out_host;
    return 0;
out_host:
    unfile_id(&book->by_host, &item->id_of_host, item->next_of_host);
out_text:
    aq_map_remove(&book->by_text, key);
    return rc;
}

int aq_address_book_add(struct aq_address_book *book, struct aq_text address, uint32_t *out_index,
                        struct aq_error *error) {
    struct aq_text host;
    uint16_t port;
    int rc = parse(address, &host, &port, error);
    if (rc) return rc;
    uint64_t key;
    uint32_t index = look_up(book, host, port, &key);
    if (index != UINT32_MAX) {
        *out_index = index;
        return 0;
    }
    rc = aq_array_reserve(&book->items, &book->capacity, (size_t)book->count + 1, sizeof *book->items);
    if (rc) return aq_error_set(error, rc, "out of memory");
    struct aq_address item = {.host_len = host.len, .port = port};
    item.text = aq_alloc((size_t)host.len + sizeof ":65535");
    if (!item.text) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    sprintf(item.text, "%.*s:%u", AQ_TEXT_ARGS(host), (unsigned)port);
    item.id_of_host = aq_server_id_from_host(host);
    item.id_of_address = aq_server_id_from_address(host, port);
    rc = file(book, &item, key, book->count);
    if (rc) {
        aq_free(item.text);
        return aq_error_set(error, rc, "out of memory");
    }
    *out_index = book->count;
    book->items[book->count++] = item;
    return 0;
}

uint32_t aq_address_book_first_with_id(const struct aq_address_book *book, bool from_host_only,
                                       struct aq_text id) {
    uint32_t index = UINT32_MAX;
    if (id.len == AQ_SERVER_ID_CHARS)
        aq_map_get(from_host_only ? &book->by_host : &book->by_address, aq_server_id_key(id.at), &index);
    return index;
}
