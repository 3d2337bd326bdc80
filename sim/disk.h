/* The disk of a virtual server: what survives when its process ends. Writes are staged and take effect when
   they are committed, so that a crash can fall between doing and saving. */
#ifndef AQ_SIM_DISK_H
#define AQ_SIM_DISK_H

#include "base/map.h"
#include "fakeserver/server.h"

struct aq_disk_slot {
    struct aq_job_record record; /* its texts lie in `texts` */
    uint64_t hash;               /* of the job id */
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

/* Forgets staged changes (a crash), or everything. */
void aq_disk_rollback(struct aq_disk *disk);
void aq_disk_wipe(struct aq_disk *disk);

/* Is there a record under the job id with this hash? */
bool aq_disk_has(const struct aq_disk *disk, uint64_t hash);

#endif
