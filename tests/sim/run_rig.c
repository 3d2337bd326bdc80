#include "tests/sim/run_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/load.h"

static void run_scenario(struct aq_scenario *scenario, const struct run_variation *v,
                         struct aq_record *record) {
    struct aq_error error = {0};
    struct aq_run_options options = {.scenario = scenario,
                                     .seed = v->seed,
                                     .live = v->live,
                                     .client_step = v->client_step,
                                     .trace_line = v->line,
                                     .trace_arg = v->line_arg};
    aq_record_init(record);
    record->seed_text = record->reproduce = record->version = "";
    assert_int_equal(aq_run_identify(scenario, v->seed, record), 0);
    int rc = aq_run_scenario(&options, record, &error);
    if (rc) fail_msg("the run failed: %s", error.text);
    aq_scenario_free(scenario);
}

static struct aq_scenario_options options_of(const struct run_variation *v) {
    return (struct aq_scenario_options){v->settings, v->setting_count, v->profile, v->fidelity};
}

void run_text(const char *json, const struct run_variation *v, struct aq_record *record) {
    struct aq_error error = {0};
    struct aq_scenario *scenario;
    struct aq_scenario_options options = options_of(v);
    if (aq_scenario_parse(json, "test", &options, &scenario, &error)) fail_msg("%s", error.text);
    run_scenario(scenario, v, record);
}

void run_library(const char *name, const struct run_variation *v, struct aq_record *record) {
    struct aq_error error = {0};
    struct aq_scenario *scenario;
    struct aq_scenario_options options = options_of(v);
    char path[4096];
    if (aq_scenario_find(name, path, sizeof path, &error)) fail_msg("%s", error.text);
    if (aq_scenario_load(path, &options, &scenario, &error)) fail_msg("%s", error.text);
    run_scenario(scenario, v, record);
}

const struct aq_record_check *check_of(const struct aq_record *record, const char *name) {
    for (uint32_t i = 0; i < record->check_count; i++)
        if (strcmp(record->checks[i].name, name) == 0) return &record->checks[i];
    fail_msg("no check is called %s", name);
    return NULL;
}

uint64_t mark_of(const struct aq_record *record, const char *name) {
    for (uint32_t i = 0; i < record->mark_count; i++)
        if (strcmp(record->marks[i].name, name) == 0) return record->marks[i].count;
    fail_msg("no mark is called %s", name);
    return 0;
}
