#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

void aq_slab_init(struct aq_slab *slab) {
    *slab = (struct aq_slab){.first_free = AQ_NO_INDEX, .first_dead = {AQ_NO_INDEX, AQ_NO_INDEX}};
}

static void free_texts(struct aq_stored_job *job) {
    if (job->id_len > AQ_ID_INLINE_BYTES) aq_free(job->id.outside);
    if (job->body_len > AQ_BODY_INLINE_BYTES) aq_free(job->body.outside);
    job->id_len = 0;
    job->body_len = 0;
}

void aq_slab_close(struct aq_slab *slab) {
    for (uint32_t slot = 0; slot < slab->slots; slot++)
        free_texts(aq_slab_at(slab, slot));
    for (uint32_t i = 0; i < slab->chunk_count; i++)
        aq_free(slab->chunks[i]);
    aq_free(slab->chunks);
    aq_map_close(&slab->by_hash);
    aq_slab_init(slab);
}

/* Makes sure that there is a slot to take: either a free one, or room for the next. */
static int reserve_slot(struct aq_slab *slab) {
    if (slab->first_free != AQ_NO_INDEX || slab->slots < slab->chunk_count << AQ_SLAB_CHUNK_BITS) return 0;
    if (slab->chunk_count >= UINT32_MAX >> AQ_SLAB_CHUNK_BITS) return AQ_ENOMEM;
    int rc = aq_array_reserve(&slab->chunks, &slab->chunk_capacity, (size_t)slab->chunk_count + 1,
                              sizeof *slab->chunks);
    if (rc) return rc;
    struct aq_stored_job *chunk = aq_alloc(AQ_SLAB_CHUNK_JOBS * sizeof *chunk);
    if (!chunk) return AQ_ENOMEM;
    slab->chunks[slab->chunk_count++] = chunk;
    return 0;
}

static uint32_t take_slot(struct aq_slab *slab) {
    uint32_t slot = slab->first_free;
    if (slot == AQ_NO_INDEX) return slab->slots++;
    slab->first_free = aq_slab_at(slab, slot)->next;
    return slot;
}

static int copy_outside(struct aq_text text, uint32_t inline_bytes, char **out) {
    *out = NULL;
    if (text.len <= inline_bytes) return 0;
    *out = aq_alloc(text.len);
    if (!*out) return AQ_ENOMEM;
    memcpy(*out, text.at, text.len);
    return 0;
}

int aq_slab_add(struct aq_slab *slab, struct aq_text id, struct aq_text body, uint32_t *out_slot) {
    AQ_ASSERT(id.len <= AQ_JOB_REF_CHARS_MAX);
    uint64_t hash = aq_text_hash(id);
    uint32_t there;
    if (aq_map_get(&slab->by_hash, hash, &there)) return AQ_EEXISTS;
    char *id_outside = NULL, *body_outside = NULL;
    if (reserve_slot(slab) || copy_outside(id, AQ_ID_INLINE_BYTES, &id_outside) ||
        copy_outside(body, AQ_BODY_INLINE_BYTES, &body_outside))
        goto fail;
    uint32_t slot = slab->first_free != AQ_NO_INDEX ? slab->first_free : slab->slots;
    if (aq_map_set(&slab->by_hash, hash, slot)) goto fail;
    take_slot(slab);

    struct aq_stored_job *job = aq_slab_at(slab, slot);
    *job = (struct aq_stored_job){.hash = hash, .next = AQ_NO_INDEX, .prev = AQ_NO_INDEX};
    job->id_len = (uint8_t)id.len;
    job->body_len = body.len;
    if (id_outside)
        job->id.outside = id_outside;
    else if (id.len)
        memcpy(job->id.inside, id.at, id.len);
    if (body_outside)
        job->body.outside = body_outside;
    else if (body.len)
        memcpy(job->body.inside, body.at, body.len);
    slab->live++;
    *out_slot = slot;
    return 0;
fail:
    aq_free(id_outside);
    aq_free(body_outside);
    return AQ_ENOMEM;
}

uint32_t aq_slab_find(const struct aq_slab *slab, struct aq_text id) {
    uint32_t slot;
    if (!aq_map_get(&slab->by_hash, aq_text_hash(id), &slot)) return AQ_NO_INDEX;
    return aq_text_equal(aq_job_id(aq_slab_at(slab, slot)), id) ? slot : AQ_NO_INDEX;
}

void aq_slab_remove(struct aq_slab *slab, uint32_t slot, uint32_t generation) {
    struct aq_stored_job *job = aq_slab_at(slab, slot);
    AQ_ASSERT(job->state != AQ_JOB_FREE);
    bool was_there = aq_map_remove(&slab->by_hash, job->hash);
    AQ_ASSERT(was_there);
    job->state = AQ_JOB_FREE;
    job->next = slab->first_dead[generation];
    slab->first_dead[generation] = slot;
    slab->live--;
}

void aq_slab_bury_dead(struct aq_slab *slab, uint32_t generation) {
    while (slab->first_dead[generation] != AQ_NO_INDEX) {
        uint32_t slot = slab->first_dead[generation];
        struct aq_stored_job *job = aq_slab_at(slab, slot);
        slab->first_dead[generation] = job->next;
        free_texts(job);
        job->next = slab->first_free;
        slab->first_free = slot;
    }
}
