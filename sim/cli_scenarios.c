#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim scenarios [NAME | --schema]\n"
    "\n"
    "Lists the scenarios of the library with what each shows; with a NAME, prints that file.\n"
    "  --schema   print the JSON Schema of scenario files, for editors\n";

static int measure_entry(void *arg, const struct aq_scenario_entry *entry) {
    int *width = arg, length = (int)strlen(entry->name);
    if (length > *width) *width = length;
    return 0;
}

static int list_entry(void *arg, const struct aq_scenario_entry *entry) {
    const int *width = arg;
    printf("%-*s  %s\n", *width, entry->name, entry->problem ? entry->problem : entry->summary);
    return 0;
}

static int print_file(const char *name) {
    struct aq_error error = {0};
    char path[4096], block[4096];
    if (aq_scenario_find(name, path, sizeof path, &error)) return aq_cli_fail(&error);
    FILE *file = fopen(path, "rb");
    size_t n;
    if (!file) {
        aq_error_set(&error, AQ_EIO, "%s: cannot be read", path);
        return aq_cli_fail(&error);
    }
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        fwrite(block, 1, n, stdout);
    fclose(file);
    return AQ_EXIT_PASS;
}

static int print_schema(void) {
    char *schema;
    struct aq_error error = {0};
    int rc = aq_scenario_schema(&schema);
    if (rc) {
        aq_error_set(&error, rc, "%s", aq_error_name(rc));
        return aq_cli_fail(&error);
    }
    fputs(schema, stdout);
    aq_free(schema);
    return AQ_EXIT_PASS;
}

int aq_cli_scenarios(int argc, char **argv) {
    struct aq_error error = {0};
    if (argc > 2) return aq_cli_usage("scenarios", "one NAME at most, found %d arguments", argc - 1);
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (argc == 2 && strcmp(argv[1], "--schema") == 0) return print_schema();
    if (argc == 2 && argv[1][0] == '-') return aq_cli_usage("scenarios", "unknown option \"%s\"", argv[1]);
    if (argc == 2) return print_file(argv[1]);
    int width = 0;
    if (aq_scenario_list(measure_entry, &width, &error) || aq_scenario_list(list_entry, &width, &error))
        return aq_cli_fail(&error);
    return AQ_EXIT_PASS;
}
