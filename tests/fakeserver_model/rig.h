/* The real server core, driven by operations, and what it does told as lines. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_RIG_H
#define AQ_TESTS_FAKESERVER_MODEL_RIG_H

#include "base/limits.h"
#include "base/map.h"
#include "tests/fakeserver_model/model.h"

#define ID_BYTES (AQ_JOB_ID_CHARS + 2)

struct rig {
    const struct setup *setup;
    struct aq_service_model service; /* no request takes time */
    struct aq_server *server;
    struct aq_server_effects effects;
    aq_time_us now_us;
    uint32_t processes;            /* started up to now */
    struct aq_map names;           /* hash of an id -> name */
    char ids[NAMES_MAX][ID_BYTES]; /* by name; empty: not made */
    uint32_t renamed;
    struct model_file files[MODEL_FILES_MAX]; /* what PERSIST and UNPERSIST have left */
    uint32_t file_count;
    /* the request at hand */
    const struct operation *operation;
    struct aq_request request;
    char asked_id[ID_BYTES], parent_id[ID_BYTES], body[ID_BYTES];
    uint32_t finished;
    struct seen *seen;
};

/* All zero is valid before the first time. */
void rig_init(struct rig *rig, const struct setup *setup, struct seen *seen);
void rig_close(struct rig *rig);

/* Time passes; the server is woken whenever it wants to be. */
void rig_advance(struct rig *rig, aq_time_us now_us, struct seen *seen);
void rig_request(struct rig *rig, const struct operation *operation, struct seen *seen);

/* The process ends, and another one starts. */
void rig_restart(struct rig *rig, struct seen *seen);
/* The new process is given this file. */
void rig_restore(struct rig *rig, const struct model_file *file, struct seen *seen);
void rig_wake(struct rig *rig, struct seen *seen);

/* A job of the core as the model keeps it: the fields that a record has. */
struct model_job rig_job(const struct rig *rig, const struct aq_job_record *record);

#endif
