#include "protocol/ids.h"

#include <sha1.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

static const char standard_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes the first `chars` base64 digits of the bytes; bits behind the last byte are zero. */
static void base64(const uint8_t *bytes, uint32_t len, char *out, uint32_t chars) {
    for (uint32_t i = 0; i < chars; i++) {
        uint32_t bit = i * 6, at = bit / 8;
        uint32_t pair = ((uint32_t)bytes[at] << 8) | (at + 1 < len ? bytes[at + 1] : 0);
        out[i] = standard_digits[(pair >> (10 - bit % 8)) & 63];
    }
}

static struct aq_server_id id_of_digest(SHA1_CTX *context) {
    uint8_t digest[SHA1_DIGEST_LENGTH];
    SHA1Final(digest, context);
    struct aq_server_id id;
    base64(digest, sizeof digest, id.text, AQ_SERVER_ID_CHARS);
    id.text[AQ_SERVER_ID_CHARS] = 0;
    return id;
}

struct aq_server_id aq_server_id_from_host(struct aq_text host) {
    SHA1_CTX context;
    SHA1Init(&context);
    if (host.len) SHA1Update(&context, (const uint8_t *)host.at, host.len);
    return id_of_digest(&context);
}

struct aq_server_id aq_server_id_from_address(struct aq_text host, uint16_t port) {
    char suffix[8];
    int len = snprintf(suffix, sizeof suffix, ":%u", port);
    SHA1_CTX context;
    SHA1Init(&context);
    if (host.len) SHA1Update(&context, (const uint8_t *)host.at, host.len);
    SHA1Update(&context, (const uint8_t *)suffix, (size_t)len);
    return id_of_digest(&context);
}

int aq_job_ref_parse(struct aq_text text, struct aq_job_ref *out) {
    if (text.len == 0) return AQ_EPARSE;
    const char *comma = memchr(text.at, ',', text.len);
    if (!comma) {
        *out = (struct aq_job_ref){.job = text};
        return 0;
    }
    uint32_t before = (uint32_t)(comma - text.at), after = text.len - before - 1;
    if (before == 0 || after == 0 || memchr(comma + 1, ',', after)) return AQ_EPARSE;
    *out = (struct aq_job_ref){.server = {text.at, before}, .job = {comma + 1, after}};
    return 0;
}

uint64_t aq_text_hash(struct aq_text text) {
    return XXH3_64bits(text.at, text.len);
}

void aq_job_id_write(const uint64_t words[2], char out[AQ_JOB_ID_CHARS]) {
    /* The bytes are those of the words, lowest first; digits are taken from the front of the first byte on.
     */
    uint64_t front = __builtin_bswap64(words[0]), rest = __builtin_bswap64(words[1]);
    for (uint32_t i = 0; i < AQ_JOB_ID_CHARS; i++) {
        out[i] = url_safe_digits[front >> 58];
        front = front << 6 | rest >> 58;
        rest <<= 6;
    }
}
