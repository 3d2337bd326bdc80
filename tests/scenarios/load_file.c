/* For tests from outside: loads each scenario named on the command line and prints "ok" or the error, one
   line a file. Exit: 0 all were accepted, 64 one was not. With --schema prints the JSON Schema instead. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/load.h"

static int print_schema(void) {
    char *schema;
    if (aq_scenario_schema(&schema)) return 70;
    fputs(schema, stdout);
    aq_free(schema);
    return 0;
}

int main(int argc, char **argv) {
    int exit_code = 0;
    if (argc == 2 && strcmp(argv[1], "--schema") == 0) return print_schema();
    for (int i = 1; i < argc; i++) {
        struct aq_scenario *scenario = NULL;
        struct aq_error error = {0};
        int rc = aq_scenario_load(argv[i], NULL, &scenario, &error);
        if (rc) exit_code = 64;
        printf("%s\n", rc ? error.text : "ok");
        aq_scenario_free(scenario);
    }
    return exit_code;
}
