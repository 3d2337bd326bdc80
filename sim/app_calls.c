#include "sim/app_calls.h"

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"

#define BLOCK_CALLS 256

void aq_app_calls_init(struct aq_app_calls *calls) {
    *calls = (struct aq_app_calls){.first_free = UINT32_MAX};
}

static struct aq_app_call *slot_of(const struct aq_app_calls *calls, uint32_t slot) {
    return &calls->blocks[slot / BLOCK_CALLS][slot % BLOCK_CALLS];
}

void aq_app_calls_close(struct aq_app_calls *calls) {
    for (uint32_t i = 0; i < calls->used; i++)
        aq_free(slot_of(calls, i)->long_text);
    for (uint32_t i = 0; i < calls->block_count; i++)
        aq_free(calls->blocks[i]);
    aq_free(calls->blocks);
    aq_app_calls_init(calls);
}

static int add_block(struct aq_app_calls *calls) {
    int rc = aq_array_reserve(&calls->blocks, &calls->block_capacity, (size_t)calls->block_count + 1,
                              sizeof *calls->blocks);
    if (rc) return rc;
    struct aq_app_call *block = aq_alloc_zeroed(BLOCK_CALLS, sizeof *block);
    if (!block) return AQ_ENOMEM;
    calls->blocks[calls->block_count++] = block;
    return 0;
}

struct aq_app_call *aq_app_calls_new(struct aq_app_calls *calls) {
    uint32_t slot = calls->first_free;
    if (slot == UINT32_MAX) {
        if (calls->used == calls->block_count * BLOCK_CALLS && add_block(calls)) return NULL;
        slot = calls->used++;
    } else {
        calls->first_free = slot_of(calls, slot)->next_free;
    }
    struct aq_app_call *call = slot_of(calls, slot);
    memset(call, 0, offsetof(struct aq_app_call, text)); /* the slot's own memory stays */
    call->id = (uint64_t)++calls->serial << 32 | slot;
    calls->open++;
    return call;
}

struct aq_app_call *aq_app_calls_at(const struct aq_app_calls *calls, uint32_t slot) {
    struct aq_app_call *call = slot_of(calls, slot);
    return call->id ? call : NULL;
}

struct aq_app_call *aq_app_calls_find(const struct aq_app_calls *calls, uint64_t id) {
    uint32_t slot = (uint32_t)id;
    if (id == 0 || slot >= calls->used) return NULL;
    struct aq_app_call *call = slot_of(calls, slot);
    return call->id == id ? call : NULL;
}

void aq_app_calls_end(struct aq_app_calls *calls, struct aq_app_call *call) {
    uint32_t slot = (uint32_t)call->id;
    call->id = 0;
    call->next_free = calls->first_free;
    calls->first_free = slot;
    calls->open--;
}

char *aq_app_call_room(struct aq_app_call *call, size_t bytes) {
    if (bytes <= sizeof call->text) return call->text;
    if (aq_array_reserve(&call->long_text, &call->long_capacity, bytes, 1)) return NULL;
    return call->long_text;
}
