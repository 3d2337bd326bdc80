#include "sim/measure.h"

#include <stdio.h>
#include <string.h>

#include "reports/record_measure.h"
#include "sim/run.h"

bool aq_measured_get(const struct aq_measured *m, const char *name, double *out) {
    for (uint32_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].name, name) == 0) {
            *out = m->items[i].value;
            return true;
        }
    return false;
}

void aq_measured_add(struct aq_measured *m, const char *name, double value) {
    if (m->count == AQ_MEASURED_MAX) return;
    struct aq_measured_figure *figure = &m->items[m->count++];
    snprintf(figure->name, sizeof figure->name, "%s", name);
    figure->value = value;
}

static int take_figures(const struct aq_record *record, const char *const *wanted, uint32_t wanted_count,
                        struct aq_measured *out, struct aq_error *error) {
    char name[AQ_MEASURED_NAME_CHARS];
    double value;
    for (uint32_t i = 0; i < record->figure_count; i++) {
        if (strncmp(record->figures[i].name, "steady_", 7) != 0) continue;
        snprintf(name, sizeof name, "run.%s", record->figures[i].name);
        aq_measured_add(out, name, record->figures[i].value);
    }
    for (uint32_t i = 0; i < wanted_count; i++) {
        if (aq_measured_get(out, wanted[i], &value)) continue;
        if (aq_record_measure(record, wanted[i], &value))
            return aq_error_set(error, AQ_ENOENT,
                                "no run has a figure \"%s\": docs/SCENARIOS.md, expect, lists them",
                                wanted[i]);
        aq_measured_add(out, wanted[i], value);
    }
    return 0;
}

int aq_measure_run(const struct aq_measure_job *job, const char *const *wanted, uint32_t wanted_count,
                   struct aq_measured *out, struct aq_error *error) {
    struct aq_run_options options = {.scenario = job->scenario,
                                     .seed = job->seed,
                                     .steady_from_us = job->steady_from_us,
                                     .paired = job->paired};
    struct aq_measured measured = {.count = 0};
    struct aq_record record;
    aq_record_init(&record);
    int rc = aq_run_identify(job->scenario, job->seed, &record);
    if (rc)
        aq_error_set(error, rc, "out of memory");
    else
        rc = aq_run_scenario(&options, &record, error);
    if (!rc) rc = take_figures(&record, wanted, wanted_count, &measured, error);
    measured.events = record.events;
    measured.wall_us = record.wall_us;
    aq_record_close(&record);
    if (!rc) *out = measured;
    return rc;
}
