/* schema.json and docs/SCENARIOS.md say what the loader's tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/memory.h"
#include "client/policy.h"
#include "fakeserver/policy.h"
#include "scenarios/keys.h"
#include "scenarios/load.h"

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be opened", path);
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    assert_true(length > 0);
    return text;
}

static void the_committed_schema_is_the_generated_one(void **state) {
    (void)state;
    char *committed = read_file("scenarios/schema.json"), *made = NULL;
    assert_int_equal(aq_scenario_schema(&made), 0);
    if (strcmp(committed, made) != 0)
        fail_msg(
            "scenarios/schema.json is out of date: write the output of scenario_load_file --schema there");
    aq_free(made);
    free(committed);
}

static void the_schema_survives_every_failing_allocation(void **state) {
    (void)state;
    char *schema = NULL;
    uint64_t skip = 0;
    int rc = AQ_ENOMEM;
    for (; rc; skip = skip < 200 ? skip + 1 : skip + 97) { /* there are thousands, all of a few kinds */
        aq_alloc_fail_after(skip);
        rc = aq_scenario_schema(&schema);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc) {
            assert_int_equal(rc, AQ_ENOMEM);
            assert_null(schema);
        }
    }
    assert_true(skip > 1000);
    aq_free(schema);
}

/* The part of the page under the heading, up to the next heading of the same level. */
static char *section_of(const char *page, const char *heading) {
    char mark[100];
    snprintf(mark, sizeof mark, "\n## %s\n", heading);
    const char *start = strstr(page, mark);
    if (!start) fail_msg("docs/SCENARIOS.md has no section \"%s\"", heading);
    const char *end = strstr(start + strlen(mark), "\n## ");
    return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

static void need(const char *text, const char *where, const char *format, const char *word) {
    char wanted[300];
    snprintf(wanted, sizeof wanted, format, word);
    if (!strstr(text, wanted)) fail_msg("docs/SCENARIOS.md, section \"%s\", lacks %s", where, wanted);
}

static void the_page_has_a_row_with_the_default_for_every_key(void **state) {
    (void)state;
    char *page = read_file("docs/SCENARIOS.md");
    for (size_t i = 0; aq_objects[i]; i++) {
        char *section = section_of(page, aq_objects[i]->name);
        for (size_t k = 0; k < aq_objects[i]->count; k++) {
            const struct aq_key *key = &aq_objects[i]->keys[k];
            char row[100];
            snprintf(row, sizeof row, "\n| `%s` |", key->name);
            const char *start = strstr(section, row);
            if (!start)
                fail_msg("docs/SCENARIOS.md, section \"%s\", has no row for %s", aq_objects[i]->name,
                         key->name);
            char *line = strndup(start + 1, strcspn(start + 1, "\n"));
            if (key->standard) need(line, key->name, "| `%s` |", key->standard);
            need(line, key->name, "%s", key->text);
            free(line);
        }
        free(section);
    }
    free(page);
}

static void the_page_tells_of_every_fault_check_and_policy(void **state) {
    (void)state;
    char *page = read_file("docs/SCENARIOS.md");
    char *kinds = section_of(page, "Kinds of faults"), *policies = section_of(page, "Policies");
    for (uint32_t i = 0; i < aq_words_faults.count; i++) {
        char heading[60];
        snprintf(heading, sizeof heading, "\n### `%s`\n", aq_words_faults.list[i]);
        char *start = strstr(kinds, heading);
        if (!start) fail_msg("docs/SCENARIOS.md does not tell of the fault %s", aq_words_faults.list[i]);
        const char *end = strstr(start + strlen(heading), "\n### ");
        char *part = strndup(start, end ? (size_t)(end - start) : strlen(start));
        need(part, heading, "%s", "Models");
        need(part, heading, "%s", "Cannot");
        for (size_t k = 0; k < aq_object_fault.count; k++)
            if (aq_key_listed(aq_fault_keys[i].keys, aq_object_fault.keys[k].name))
                need(part, heading, "`%s`", aq_object_fault.keys[k].name);
        free(part);
    }
    for (uint32_t i = 0; i < aq_words_checks.count; i++)
        need(page, "expect", "`%s`", aq_words_checks.list[i]);
    for (uint32_t i = 0; i < aq_words_taps.count; i++)
        need(page, "faults", "`%s`", aq_words_taps.list[i]);
    for (uint32_t i = 0; i < aq_words_server_actions.count; i++)
        need(page, "faults", "`%s`", aq_words_server_actions.list[i]);
    for (size_t i = 0; i < aq_client_policy_table.count; i++)
        need(policies, "Policies", "\n| `%s` |", aq_client_policy_table.fields[i].name);
    for (size_t i = 0; i < aq_server_policy_table.count; i++)
        need(policies, "Policies", "\n| `%s` |", aq_server_policy_table.fields[i].name);
    free(kinds);
    free(policies);
    free(page);
}

/* Every whole file that the page shows. */
static void the_example_of_the_page_loads(void **state) {
    (void)state;
    char *page = read_file("docs/SCENARIOS.md");
    int examples = 0;
    for (const char *at = strstr(page, "```json\n"); at; at = strstr(at, "```json\n")) {
        at += strlen("```json\n");
        const char *end = strstr(at, "```");
        assert_non_null(end);
        char *text = strndup(at, (size_t)(end - at));
        struct aq_scenario *scenario = NULL;
        struct aq_error error = {0};
        if (aq_scenario_parse(text, "docs/SCENARIOS.md", NULL, &scenario, &error))
            fail_msg("%s\n%s", error.text, text);
        aq_scenario_free(scenario);
        free(text);
        examples++;
        at = end + 3;
    }
    assert_true(examples > 0);
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_committed_schema_is_the_generated_one),
        cmocka_unit_test(the_schema_survives_every_failing_allocation),
        cmocka_unit_test(the_page_has_a_row_with_the_default_for_every_key),
        cmocka_unit_test(the_page_tells_of_every_fault_check_and_policy),
        cmocka_unit_test(the_example_of_the_page_loads),
    };
    /* So that the failing allocations are cJSON's as well. */
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = aq_alloc, .free_fn = aq_free});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
