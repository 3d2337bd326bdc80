/* CURVE keys as AllQueue writes them. A key is 40 characters of Z85 (ZeroMQ RFC 32). In the environment
   (A_CURVE_PUBLICKEY, A_CURVE_SECRETKEY, A_CURVE_SERVER_PUBLICKEY) AllQueue wants it in base64 once more,
   with or without the NUL that ends the text. No error shows any part of a secret. Pure: no file is read
   here. */
#ifndef AQ_PROTOCOL_CURVE_KEYS_H
#define AQ_PROTOCOL_CURVE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

#define AQ_CURVE_Z85_CHARS      40
#define AQ_CURVE_ALLQUEUE_CHARS 56 /* base64 of 41 bytes, as AllQueue's server prints its suggestions */

struct aq_curve_pair {
    char public_z85[AQ_CURVE_Z85_CHARS + 1]; /* NUL-terminated */
    char secret_z85[AQ_CURVE_Z85_CHARS + 1];
};

/* Overwrites it with zeros, in a way that compilers do not leave out. */
void aq_curve_pair_wipe(struct aq_curve_pair *pair);

/* Reads one key: base64 of the Z85 text as above, or the Z85 text itself; white space around it is skipped.
   Errors: AQ_EPARSE (*error says what is wrong, never the text; out untouched). */
int aq_curve_key_parse(struct aq_text text, char out_z85[AQ_CURVE_Z85_CHARS + 1], struct aq_error *error);

/* Writes a key as AllQueue's environment wants it, NUL-terminated, and returns out. The caller wipes it where
   the key is secret. */
const char *aq_curve_key_format(const char *z85, char out[AQ_CURVE_ALLQUEUE_CHARS + 1]);

/* Both ends' keys: what a federation shares. */
struct aq_curve_keys {
    struct aq_curve_pair server, client;
    bool has_server_secret, has_client; /* what the file gave besides the server's public key */
};

void aq_curve_keys_wipe(struct aq_curve_keys *keys);

/* Reads a keys file: a JSON object of texts with "server_public", and if need be "server_secret", and
   "client_public" with "client_secret". `name` stands in errors as "name:line". Errors: AQ_EPARSE, AQ_ENOMEM
   (out untouched; nothing of the secrets is left in memory that was allocated). */
int aq_curve_keys_parse(struct aq_text text, const char *name, struct aq_curve_keys *out,
                        struct aq_error *error);

/* Writes a keys file that aq_curve_keys_parse reads, with all that keys has, and returns its length. `size`
   of at least AQ_CURVE_FILE_CHARS_MAX + 1; NUL-terminated. */
#define AQ_CURVE_FILE_CHARS_MAX 511
uint32_t aq_curve_keys_format(const struct aq_curve_keys *keys, char *out, size_t size);

/* Public keys of the clients that are let in, sorted. All zero is a valid empty list, which admits nobody. */
struct aq_curve_allow_list {
    char (*keys)[AQ_CURVE_Z85_CHARS + 1]; /* owned */
    uint32_t count, capacity;
};
void aq_curve_allow_list_close(struct aq_curve_allow_list *list);

/* Reads an allow-list: one public key a line in either form; blank lines and lines that start with # (no key
   does) are skipped, and so is what follows white space after a key. Errors: AQ_EPARSE ("name:line: ..."),
   AQ_ENOMEM; out untouched. */
int aq_curve_allow_list_parse(struct aq_text text, const char *name, struct aq_curve_allow_list *out,
                              struct aq_error *error);

/* Errors: AQ_ENOMEM (out untouched). */
int aq_curve_allow_list_copy(const struct aq_curve_allow_list *list, struct aq_curve_allow_list *out);

bool aq_curve_allow_list_has(const struct aq_curve_allow_list *list, const char *public_z85);

#endif
