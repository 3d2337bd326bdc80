#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/print.h"
#include "reports/store.h"
#include "sim/cli.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim report FORMAT FILE [--run N]\n"
    "\n"
    "Prints a stored run again, from the database alone.\n"
    "  FORMAT     text: the summary for people; json: the object that `run --json` prints\n"
    "  FILE       a database that `allqsim run --db FILE` has written\n"
    "  --run N    the run's number in the database; without it the newest one\n";

static int print_run(const char *path, int64_t run, int (*print)(FILE *, const struct aq_record *)) {
    struct aq_error error = {0};
    struct aq_store *store;
    struct aq_record record;
    if (aq_store_open(path, false, &store, &error)) return aq_cli_fail(&error);
    aq_record_init(&record);
    int rc = aq_store_load_run(store, run, &record, &error);
    if (!rc) {
        rc = print(stdout, &record);
        if (!rc && fflush(stdout)) rc = AQ_EIO;
        if (rc) aq_error_set(&error, rc, "standard output: %s", aq_error_name(rc));
    }
    aq_record_close(&record);
    aq_store_close(store);
    return rc ? aq_cli_fail(&error) : AQ_EXIT_PASS;
}

int aq_cli_report(int argc, char **argv) {
    static const struct option options[] = {
        {"run", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
    int64_t run = 0;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return AQ_EXIT_PASS;
        }
        if (option != 'r')
            return aq_cli_usage("report", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        char *end;
        run = strtoll(optarg, &end, 10);
        if (*end || run < 1)
            return aq_cli_usage("report", "--run: found \"%s\", allowed is a number from 1", optarg);
    }
    if (argc - optind != 2) return aq_cli_usage("report", "a FORMAT and a FILE are wanted");
    if (strcmp(argv[optind], "text") == 0) return print_run(argv[optind + 1], run, aq_print_text);
    if (strcmp(argv[optind], "json") == 0) return print_run(argv[optind + 1], run, aq_print_json);
    return aq_cli_usage("report", "format \"%s\": allowed are text, json", argv[optind]);
}
