/* The wire form of requests and replies between client and server: one UTF-8 text a message, JSON except for
   ping, version and errors. Pure functions over buffers. */
#ifndef AQ_PROTOCOL_CODEC_H
#define AQ_PROTOCOL_CODEC_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "protocol/message.h"

/* A growable byte buffer, reused from message to message. All zero is a valid empty one. */
struct aq_bytes {
    char *at;
    uint32_t len;
    uint32_t capacity;
};
void aq_bytes_close(struct aq_bytes *bytes);

/* Replaces the contents of out by the message. Errors: AQ_ENOMEM; AQ_ELIMIT where a request would be longer
   than AQ_MESSAGE_BYTES_MAX, a reply than AQ_REPLY_BYTES_MAX. A reply is spoilt as its `damage` says. */
int aq_request_encode(const struct aq_request *request, struct aq_bytes *out);
int aq_reply_encode(const struct aq_reply *reply, struct aq_bytes *out);

/* Length in bytes of the encoded request, without encoding it. */
size_t aq_request_wire_bytes(const struct aq_request *request);

/* Parses one message. Texts of *out lie in arena, which gets back what a failed parse took. While a thread
   parses, cJSON allocates in the arena: cJSON's hooks belong to this module, and nobody else may set them.
   Unknown fields are ignored. Numbers may come as JSON numbers or as the strings that AllQueue sends. On
   failure *out is untouched and *error says which field, what was found and what is allowed. Errors:
   AQ_EPARSE (not the protocol: no JSON, a missing or ill-typed field), AQ_ENOENT (unknown action), AQ_ELIMIT
   (too long), AQ_ENOMEM. */
int aq_request_decode(const char *bytes, size_t len, struct aq_arena *arena, struct aq_request *out,
                      struct aq_error *error);

/* `action` is what was asked: replies do not always say. As above; a reply of the wrong form for
   the action is AQ_EPARSE. */
int aq_reply_decode(const char *bytes, size_t len, enum aq_action action, struct aq_arena *arena,
                    struct aq_reply *out, struct aq_error *error);

#endif
