/* Bodies of simulated jobs: "job:" and the token in 16 hex digits, "@" and the time of the put in 12, then
 * padding. */
#include "sim/body.h"

/* Eight hex digits are handled at a time, one in each byte of a word, the first digit in the highest. */
#define EACH_BYTE(value) ((value)*UINT64_C(0x0101010101010101))

static uint64_t digits_of(uint32_t value) {
    uint64_t x = value;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & EACH_BYTE(0x0f);
    uint64_t is_letter = (x + EACH_BYTE(6)) >> 4 & EACH_BYTE(1);
    return x + EACH_BYTE('0') + is_letter * ('a' - '0' - 10);
}

/* The value of the digits, or anything where one is no digit. */
static uint32_t value_of(uint64_t digits) {
    uint64_t is_letter = digits >> 6 & EACH_BYTE(1);
    uint64_t x = (digits & EACH_BYTE(0x0f)) + is_letter * 9;
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(x | x >> 16);
}

static void write_hex(char at[8], uint32_t value) {
    uint64_t digits = __builtin_bswap64(digits_of(value));
    memcpy(at, &digits, sizeof digits);
}

/* False where a character is no hex digit. */
static bool read_hex(const char at[8], uint32_t *out) {
    uint64_t digits;
    memcpy(&digits, at, sizeof digits);
    digits = __builtin_bswap64(digits);
    *out = value_of(digits);
    return digits_of(*out) == digits;
}

/* The time has 12 digits: its first 8 and its last 8 overlap. */
void aq_body_write(char out[AQ_BODY_CHARS], uint64_t token, aq_time_us put_us) {
    memcpy(out, "job:", 4);
    write_hex(out + 4, (uint32_t)(token >> 32));
    write_hex(out + 12, (uint32_t)token);
    out[20] = '@';
    write_hex(out + 21, (uint32_t)(put_us >> 16));
    write_hex(out + 25, (uint32_t)put_us);
}

uint64_t aq_body_token(struct aq_text body, aq_time_us *put_us) {
    uint32_t token_high, token_low, time_high, time_low;
    if (body.len < AQ_BODY_CHARS || memcmp(body.at, "job:", 4) != 0 || body.at[20] != '@') return 0;
    if (!read_hex(body.at + 4, &token_high) || !read_hex(body.at + 12, &token_low)) return 0;
    if (!read_hex(body.at + 21, &time_high) || !read_hex(body.at + 25, &time_low)) return 0;
    if (put_us) *put_us = (uint64_t)time_high << 16 | (uint16_t)time_low;
    return (uint64_t)token_high << 32 | token_low;
}

bool aq_body_is_poison(struct aq_text body) {
    return body.len > AQ_BODY_CHARS && body.at[AQ_BODY_CHARS] == AQ_BODY_POISON;
}
