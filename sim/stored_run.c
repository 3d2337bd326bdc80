#include "sim/stored_run.h"

#include <stdio.h>
#include <string.h>

#include "reports/exploration.h"
#include "reports/store.h"
#include "scenarios/load.h"

bool aq_stored_run_is_database(const char *path) {
    static const char magic[16] = "SQLite format 3";
    char head[sizeof magic];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    bool is = fread(head, 1, sizeof head, file) == sizeof head && memcmp(head, magic, sizeof magic) == 0;
    fclose(file);
    return is;
}

static int find_newest(struct aq_store *store, int64_t *number, struct aq_error *error) {
    struct aq_run_list list = {0};
    int rc = aq_store_list_runs(store, AQ_RUNS_NEWEST, &list, error);
    if (!rc && list.count) *number = list.heads[0].run; /* an empty database is told when the run is loaded */
    aq_run_list_close(&list);
    return rc;
}

static int load(struct aq_store *store, const char *path, int64_t number, const char *fingerprint,
                struct aq_stored_run *out, struct aq_error *error) {
    int rc = !number && fingerprint ? aq_store_find_failure(store, fingerprint, &number, error) : 0;
    if (!rc && !number) rc = find_newest(store, &number, error);
    if (!rc) rc = aq_store_load_run(store, number, &out->record, error);
    if (rc) return rc;
    out->number = number;
    if (strcmp(out->record.world, "virtual") != 0)
        return aq_error_set(
            error, AQ_EUNSUPPORTED,
            "%s: this run was made in the live world, where nothing happens the same way twice; "
            "a run of the virtual world is needed",
            path);
    return aq_scenario_parse(out->record.scenario_text, out->record.scenario, NULL, &out->scenario, error);
}

int aq_stored_run_load(const char *path, int64_t number, const char *fingerprint, struct aq_stored_run *out,
                       struct aq_error *error) {
    struct aq_store *store = NULL;
    struct aq_stored_run run = {.number = number};
    aq_record_init(&run.record);
    int rc = aq_store_open(path, false, &store, error);
    if (!rc) rc = load(store, path, number, fingerprint, &run, error);
    aq_store_close(store);
    if (rc)
        aq_stored_run_close(&run);
    else
        *out = run;
    return rc;
}

void aq_stored_run_close(struct aq_stored_run *run) {
    aq_record_close(&run->record);
    aq_scenario_free(run->scenario);
    run->scenario = NULL;
}
