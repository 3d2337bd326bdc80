/* The disk of a virtual server: what survives when its process ends. Writes are staged and take effect when
   they are committed, so that a crash can fall between doing and saving. */
#ifndef AQ_SIM_DISK_H
#define AQ_SIM_DISK_H

#include "base/map.h"
#include "fakeserver/server.h"

struct aq_disk_slot {
    struct aq_job_record record; /* its texts lie in `texts` */
    uint64_t hash;               /* aq_disk_key of it */
    char *texts;                 /* owned, kept with the slot */
    uint32_t texts_capacity;
    bool used;
    bool removal; /* staged only: take the record away */
};

struct aq_disk_list {
    struct aq_disk_slot *slots;
    uint32_t count, capacity;
};

struct aq_disk {
    struct aq_disk_list records; /* in slots, some free */
    struct aq_disk_list staged;  /* in order; slots beyond staged_count are kept for reuse */
    uint32_t staged_count;
    uint32_t *free_slots;
    uint32_t free_count, free_capacity;
    struct aq_map by_hash;
};

/* All zero is a valid empty disk. */
void aq_disk_close(struct aq_disk *disk);

/* Stages one write or removal. Errors: AQ_ENOMEM. */
int aq_disk_stage(struct aq_disk *disk, const struct aq_job_record *record, bool removal);

/* Makes all staged changes, in order. Errors: AQ_ENOMEM. */
int aq_disk_commit(struct aq_disk *disk);

/* A crash: this share of the staged changes, 0 to 1, is made in their order, the rest forgotten. Errors:
 * AQ_ENOMEM. */
int aq_disk_rollback(struct aq_disk *disk, double share_done);
/* Forgets everything. */
void aq_disk_wipe(struct aq_disk *disk);

/* What a record is known by: its folder, and its job's id or its tube. */
uint64_t aq_disk_key(const struct aq_job_record *record);

/* Is there a record known by the same as this one? */
bool aq_disk_has(const struct aq_disk *disk, const struct aq_job_record *record);

#endif
