/* A borrowed piece of text: not owned, not NUL-terminated, valid as long as its owner says. */
#ifndef AQ_BASE_TEXT_H
#define AQ_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct aq_text {
    const char *at; /* may be NULL only when len is 0 */
    uint32_t len;   /* bytes */
};

#define AQ_TEXT(literal) ((struct aq_text){(literal), sizeof(literal) - 1})
#define AQ_TEXT_ARGS(t)  (int)(t).len, (t).at ? (t).at : "" /* for "%.*s" */

static inline struct aq_text aq_text_of(const char *string) {
    return (struct aq_text){string, string ? (uint32_t)strlen(string) : 0};
}

static inline bool aq_text_equal(struct aq_text a, struct aq_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool aq_text_is(struct aq_text a, const char *string) {
    return aq_text_equal(a, aq_text_of(string));
}

#endif
