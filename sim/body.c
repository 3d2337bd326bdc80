/* Bodies of simulated jobs: "job:" and the token in 16 hex digits, "@" and the time of the put in 12, then
 * padding. */
#include "sim/body.h"

#include <stdbool.h>

static void write_hex(char *at, uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        at[i] = "0123456789abcdef"[value & 15];
}

/* False where a character is no hex digit. */
static bool read_hex(const char *at, int digits, uint64_t *out) {
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) {
        unsigned digit = (unsigned char)at[i];
        if (digit - '0' < 10u)
            digit -= '0';
        else if (digit - 'a' < 6u)
            digit -= 'a' - 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

void aq_body_write(char out[AQ_BODY_CHARS], uint64_t token, aq_time_us put_us) {
    memcpy(out, "job:", 4);
    write_hex(out + 4, token, 16);
    out[20] = '@';
    write_hex(out + 21, put_us, 12);
}

uint64_t aq_body_token(struct aq_text body, aq_time_us *put_us) {
    uint64_t token, at_us;
    if (body.len < AQ_BODY_CHARS || memcmp(body.at, "job:", 4) != 0 || body.at[20] != '@') return 0;
    if (!read_hex(body.at + 4, 16, &token) || !read_hex(body.at + 21, 12, &at_us)) return 0;
    if (put_us) *put_us = at_us;
    return token;
}
