/* A run that lies in a database, ready to be run again: its record and its scenario. */
#ifndef AQ_SIM_STORED_RUN_H
#define AQ_SIM_STORED_RUN_H

#include "reports/record.h"
#include "scenarios/scenario.h"

struct aq_stored_run {
    int64_t number;
    struct aq_record record;
    struct aq_scenario *scenario; /* owned */
};

/* Is the file a database at all? */
bool aq_stored_run_is_database(const char *path);

/* Loads a run: by its number, or with number 0 the one that an exploration kept of a fingerprint, or with
   neither the newest. Runs of the virtual world alone can be had again. Errors: AQ_ENOENT, AQ_EUNSUPPORTED
   (it was a live one), AQ_EIO, AQ_EINVALID, AQ_ENOMEM; *out untouched. */
int aq_stored_run_load(const char *path, int64_t number, const char *fingerprint, struct aq_stored_run *out,
                       struct aq_error *error);

/* All zero is fine. */
void aq_stored_run_close(struct aq_stored_run *run);

#endif
