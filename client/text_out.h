/* Texts that are put together piece by piece, for the local listeners' answers. A text that ran out of memory
   stays empty and says so, so that its maker checks once, at the end. */
#ifndef AQ_CLIENT_TEXT_OUT_H
#define AQ_CLIENT_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "protocol/codec.h"

struct aq_text_out {
    struct aq_bytes bytes; /* owned; reused after a reset */
    bool failed;           /* out of memory; bytes.len is 0 */
};

/* All zero is a valid empty one. */
void aq_text_out_close(struct aq_text_out *out);
void aq_text_out_reset(struct aq_text_out *out);

void aq_text_out_add(struct aq_text_out *out, const char *at, size_t len);
void aq_text_out_format(struct aq_text_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A whole JSON string, quotes included. The text must be UTF-8. */
void aq_text_out_json(struct aq_text_out *out, struct aq_text text);

#define AQ_TEXT_OUT(out, literal) aq_text_out_add((out), (literal), sizeof(literal) - 1)

static inline void aq_text_out_word(struct aq_text_out *out, const char *word) {
    aq_text_out_add(out, word, strlen(word));
}

#endif
