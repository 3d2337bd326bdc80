#include "sim/disk.h"

#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"

static void close_list(struct aq_disk_list *list) {
    for (uint32_t i = 0; i < list->count; i++)
        aq_free(list->slots[i].texts);
    aq_free(list->slots);
    *list = (struct aq_disk_list){0};
}

void aq_disk_close(struct aq_disk *disk) {
    close_list(&disk->records);
    close_list(&disk->staged);
    aq_free(disk->free_slots);
    aq_map_close(&disk->by_hash);
    *disk = (struct aq_disk){0};
}

/* A new slot at the end of the list. NULL when out of memory. */
static struct aq_disk_slot *append(struct aq_disk_list *list) {
    if (aq_array_reserve(&list->slots, &list->capacity, (size_t)list->count + 1, sizeof *list->slots))
        return NULL;
    struct aq_disk_slot *slot = &list->slots[list->count++];
    *slot = (struct aq_disk_slot){0};
    return slot;
}

uint64_t aq_disk_key(const struct aq_job_record *record) {
    uint64_t key = record->is_tube ? ~aq_text_hash(record->tube) : aq_text_hash(record->job_id);
    return record->folder ? aq_map_mix(key + record->folder) : key;
}

/* Copies the record with its texts into the slot's own memory. */
static int fill(struct aq_disk_slot *slot, const struct aq_job_record *record, uint64_t hash) {
    size_t bytes = (size_t)record->job_id.len + record->tube.len + record->body.len;
    int rc = aq_array_reserve(&slot->texts, &slot->texts_capacity, bytes + 1, 1);
    if (rc) return rc;
    slot->record = *record;
    slot->hash = hash;
    slot->used = true;
    char *at = slot->texts;
    struct aq_text *texts[] = {&slot->record.job_id, &slot->record.tube, &slot->record.body};
    for (int i = 0; i < 3; i++) {
        if (texts[i]->len) memcpy(at, texts[i]->at, texts[i]->len);
        texts[i]->at = at;
        at += texts[i]->len;
    }
    return 0;
}

int aq_disk_stage(struct aq_disk *disk, const struct aq_job_record *record, bool removal) {
    struct aq_disk_slot *slot = disk->staged_count < disk->staged.count
                                    ? &disk->staged.slots[disk->staged_count]
                                    : append(&disk->staged);
    if (!slot) return AQ_ENOMEM;
    int rc = fill(slot, record, aq_disk_key(record));
    if (rc) return rc;
    slot->removal = removal;
    disk->staged_count++;
    return 0;
}

static int remove_record(struct aq_disk *disk, uint64_t hash) {
    uint32_t at;
    if (!aq_map_get(&disk->by_hash, hash, &at)) return 0;
    int rc = aq_array_reserve(&disk->free_slots, &disk->free_capacity, (size_t)disk->free_count + 1,
                              sizeof *disk->free_slots);
    if (rc) return rc;
    aq_map_remove(&disk->by_hash, hash);
    disk->records.slots[at].used = false;
    disk->free_slots[disk->free_count++] = at;
    return 0;
}

static int write_record(struct aq_disk *disk, const struct aq_job_record *record, uint64_t hash) {
    uint32_t at;
    if (aq_map_get(&disk->by_hash, hash, &at)) return fill(&disk->records.slots[at], record, hash);
    if (disk->free_count) {
        at = disk->free_slots[--disk->free_count];
    } else {
        if (!append(&disk->records)) return AQ_ENOMEM;
        at = disk->records.count - 1;
    }
    int rc = fill(&disk->records.slots[at], record, hash);
    return rc ? rc : aq_map_set(&disk->by_hash, hash, at);
}

static int carry_out(struct aq_disk *disk, const struct aq_disk_slot *staged) {
    if (staged->removal) return remove_record(disk, staged->hash);
    struct aq_job_record old = staged->record;
    old.folder = old.moved_from;
    int rc = old.moved_from ? remove_record(disk, aq_disk_key(&old)) : 0;
    return rc ? rc : write_record(disk, &staged->record, staged->hash);
}

int aq_disk_commit(struct aq_disk *disk) {
    int rc = 0;
    for (uint32_t i = 0; i < disk->staged_count && !rc; i++)
        rc = carry_out(disk, &disk->staged.slots[i]);
    disk->staged_count = 0;
    return rc;
}

int aq_disk_rollback(struct aq_disk *disk, double share_done) {
    uint32_t done = (uint32_t)(share_done * disk->staged_count);
    if (done < disk->staged_count) disk->staged_count = done;
    return aq_disk_commit(disk);
}

void aq_disk_wipe(struct aq_disk *disk) {
    aq_disk_close(disk);
}

bool aq_disk_has(const struct aq_disk *disk, const struct aq_job_record *record) {
    uint32_t at;
    return aq_map_get(&disk->by_hash, aq_disk_key(record), &at);
}
