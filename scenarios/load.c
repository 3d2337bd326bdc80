#include "scenarios/load.h"

#include <string.h>

#include <xxhash.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/file.h"
#include "scenarios/include.h"
#include "scenarios/settings.h"

/* ---- the tree becomes a scenario ---- */

/* The file's name without folders and without ".json" becomes the scenario's. */
static int name_after_file(struct aq_reader *r, struct aq_scenario *s) {
    const char *slash = strrchr(r->name, '/');
    const char *base = slash ? slash + 1 : r->name;
    size_t length = strlen(base);
    if (s->name) return 0;
    if (length > 5 && strcmp(base + length - 5, ".json") == 0) length -= 5;
    s->name = aq_alloc(length + 1);
    if (!s->name) return aq_reader_nomem(r);
    memcpy(s->name, base, length);
    s->name[length] = 0;
    return 0;
}

static int keep_text(struct aq_reader *r, const cJSON *tree, struct aq_scenario *s) {
    char *bare = aq_tree_print_bare(tree);
    if (!bare) return aq_reader_nomem(r);
    s->hash = XXH3_64bits(bare, strlen(bare));
    aq_free(bare);
    s->text = aq_tree_print(tree);
    return s->text ? 0 : aq_reader_nomem(r);
}

static int build(struct aq_reader *r, const cJSON *tree, struct aq_scenario **out) {
    struct aq_scenario *s = aq_alloc_zeroed(1, sizeof *s);
    if (!s) return aq_reader_nomem(r);
    r->scenario = s;
    int rc = aq_reader_object(r, tree, &aq_object_scenario, s, NULL);
    if (rc == 0 && s->producers.stop_us == AQ_TIME_NEVER) s->producers.stop_us = s->duration_us;
    if (rc == 0) rc = aq_scenario_check(r, s);
    if (rc == 0) rc = name_after_file(r, s);
    if (rc == 0) rc = keep_text(r, tree, s);
    if (rc) {
        aq_scenario_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

static int apply_and_build(struct aq_reader *r, cJSON *tree, const struct aq_scenario_options *options,
                           struct aq_scenario **out) {
    static const struct aq_scenario_options none;
    if (!cJSON_IsObject(tree)) return aq_reader_wrong(r, tree, "an object: a scenario stands in { }");
    if (!options) options = &none;
    struct aq_reader_setting *settings = NULL;
    if (options->setting_count) {
        settings = aq_alloc_zeroed(options->setting_count, sizeof *settings);
        if (!settings) return aq_reader_nomem(r);
    }
    int rc = aq_settings_apply(r, tree, options, settings);
    if (rc == 0) rc = aq_scenario_include(r, tree);
    if (rc == 0) rc = build(r, tree, out);
    if (rc == 0) (*out)->as_written = options->setting_count == 0;
    aq_free(settings);
    return rc;
}

static int parse(const char *text, size_t length, const char *name, const struct aq_scenario_options *options,
                 struct aq_scenario **out, struct aq_error *error) {
    struct aq_reader reader = {.name = name, .error = error};
    struct aq_tree_fault fault;
    cJSON *tree = NULL;
    aq_tree_begin();
    int rc = aq_tree_parse(text, length, &tree, &fault);
    if (rc == AQ_EPARSE) return aq_error_set(error, rc, "%s:%zu: %s", name, fault.line, fault.what);
    if (rc) return aq_reader_nomem(&reader);
    rc = apply_and_build(&reader, tree, options, out);
    cJSON_Delete(tree);
    return rc;
}

int aq_scenario_load(const char *path, const struct aq_scenario_options *options, struct aq_scenario **out,
                     struct aq_error *error) {
    char *text = NULL;
    size_t length = 0;
    int rc = aq_file_read(path, &text, &length, error);
    if (rc) return rc;
    rc = parse(text, length, path, options, out, error);
    aq_free(text);
    return rc;
}

int aq_scenario_parse(const char *text, const char *name, const struct aq_scenario_options *options,
                      struct aq_scenario **out, struct aq_error *error) {
    return parse(text, strlen(text), name, options, out, error);
}

static void free_fault(struct aq_fault_spec *fault) {
    aq_free(fault->name);
    aq_free(fault->tube);
    aq_free(fault->error);
    aq_free(fault->servers.indexes);
    aq_free(fault->clients.indexes);
    aq_free(fault->workers.indexes);
    aq_free(fault->server_list);
}

static void free_expectation(struct aq_expectation *expectation) {
    for (uint32_t i = 0; i < expectation->figure_count; i++)
        aq_free(expectation->figures[i].name);
    aq_free(expectation->figures);
}

static void free_marks(struct aq_mark_list *marks) {
    for (uint32_t i = 0; i < marks->count; i++)
        aq_free(marks->names[i]);
    aq_free(marks->names);
}

void aq_scenario_free(struct aq_scenario *s) {
    if (!s) return;
    for (uint32_t i = 0; i < s->fault_count; i++)
        free_fault(&s->faults[i]);
    for (uint32_t i = 0; i < s->clients.group_count; i++)
        aq_free(s->clients.groups[i].servers);
    for (uint32_t i = 0; i < s->command_count; i++) {
        aq_free(s->commands[i].tube);
        aq_free(s->commands[i].job);
    }
    for (uint32_t i = 0; i < s->workers.further_tube_count; i++)
        aq_free(s->workers.further_tubes[i]);
    for (uint32_t i = 0; i < s->table_count; i++)
        aq_free(s->tables[i]);
    aq_free(s->tables);
    free_marks(&s->required_marks);
    free_marks(&s->explore.required_marks);
    aq_free(s->plan.slo);
    aq_free(s->faults);
    aq_free(s->commands);
    aq_free(s->workers.further_tubes);
    aq_free(s->producers.parents.tube);
    for (uint32_t i = 0; i < s->clients.exec_count; i++)
        aq_free(s->clients.exec[i]);
    aq_free(s->clients.exec);
    aq_free(s->servers.connect);
    aq_free(s->clients.groups);
    free_expectation(&s->expect_strict);
    free_expectation(&s->expect_upstream);
    aq_free(s->slos);
    aq_free(s->servers.fair.prefix);
    aq_free(s->servers.fair.suffix);
    aq_free(s->servers.fair.separator);
    aq_free(s->workers.tube);
    aq_free(s->producers.tube);
    aq_free(s->name);
    aq_free(s->summary);
    aq_free(s->text);
    aq_free(s);
}
