#include "protocol/damage.h"

#include "base/limits.h"
#include "base/memory.h"
#include "protocol/writer.h"

#define GARBAGE '\1'

/* The text as a JSON string. */
static int quote(struct aq_bytes *out) {
    struct aq_bytes plain = *out;
    *out = (struct aq_bytes){0};
    struct aq_writer writer = aq_writer_begin(out);
    writer.limit = 2 * (size_t)AQ_REPLY_BYTES_MAX;
    aq_write_string(&writer, (struct aq_text){plain.at, plain.len});
    aq_bytes_close(&plain);
    return aq_writer_end(&writer);
}

/* Characters are counted, and as many bytes sent. */
static void cut(struct aq_bytes *out) {
    uint32_t characters = 0;
    for (uint32_t i = 0; i < out->len; i++)
        characters += ((unsigned char)out->at[i] & 0xc0) != 0x80;
    out->len = characters;
}

static int pad(struct aq_bytes *out) {
    if (out->len >= AQ_PADDED_BYTES) return 0;
    int rc = aq_array_reserve(&out->at, &out->capacity, AQ_PADDED_BYTES, 1);
    if (rc) return rc;
    memset(out->at + out->len, ' ', AQ_PADDED_BYTES - out->len);
    out->len = AQ_PADDED_BYTES;
    return 0;
}

int aq_damage_bytes(struct aq_bytes *out, unsigned damage) {
    int rc = damage & AQ_DAMAGE_QUOTED ? quote(out) : 0;
    if (rc) return rc;
    if (damage & AQ_DAMAGE_CUT) cut(out);
    if (damage & AQ_DAMAGE_GARBLED && out->len) out->at[0] = GARBAGE;
    if (damage & AQ_DAMAGE_TRUNCATED) out->len /= 2;
    if (damage & AQ_DAMAGE_EMPTIED) out->len = 0;
    return damage & AQ_DAMAGE_PADDED ? pad(out) : 0;
}
