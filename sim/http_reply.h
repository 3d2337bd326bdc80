/* Reads the answer of an HTTP/1.1 server to one request: pure, over the bytes that have come so far. It knows
   what answers to a request need (a length, chunks, or the end of the connection), and no more of HTTP. */
#ifndef AQ_SIM_HTTP_REPLY_H
#define AQ_SIM_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define AQ_HTTP_HEAD_BYTES_MAX 65536

enum aq_http_progress {
    AQ_HTTP_MORE,  /* not all of it is there yet */
    AQ_HTTP_WHOLE, /* *out is filled */
    AQ_HTTP_WRONG, /* no answer of HTTP/1, or one that is cut off */
};

struct aq_http_reply {
    uint32_t status;
    struct aq_text body; /* within the bytes: chunks have been put together in place */
    bool keeps_alive;    /* the connection may be used for another request */
};

/* `ended`: no more bytes will come. The bytes are changed once the answer is whole and in chunks. */
enum aq_http_progress aq_http_reply_read(char *bytes, size_t len, bool ended, struct aq_http_reply *out);

#endif
