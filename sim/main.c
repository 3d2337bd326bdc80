/* allqsim: runs scenarios and reports on them. */
#include <stdio.h>
#include <string.h>

#include "sim/cli.h"
#include "sim/verdict.h"

static const char help[] =
    "allqsim - fault-injection test harness and simulator for AllQueue federation\n"
    "\n"
    "usage: allqsim COMMAND [ARGUMENTS]\n"
    "\n"
    "  run SCENARIO       run a scenario, or many, and give a verdict\n"
    "  suite FILE         run many scenarios with several profiles and seeds, as a file says\n"
    "  explore SCENARIO   run many seeds, each drawn anew, and group what fails\n"
    "  mutants [SCENARIO] try the checks on planted bugs: is each found, after how many seeds?\n"
    "  shrink WHAT        make a failing run small: a scenario that fails alike with as little as possible\n"
    "  replay FILE        run a stored run again, compare it, and show its state at any moment\n"
    "  plan SCENARIO      find how many clients the servers can carry\n"
    "  what-if SCENARIO   compare variants under the same arrivals, jobs and faults\n"
    "  calibrate          measure AllQueue servers over the wire, for a scenario's service times\n"
    "  import FILE        make a scenario of an incident's snapshots of stats\n"
    "  scenarios [NAME]   list the library of scenarios, or print one\n"
    "  report FORMAT FILE report on stored runs: text, html, json, junit, markdown, csv, sql; compare, merge\n"
    "  --version          print the version\n"
    "  --help             print this; every command has a --help of its own\n"
    "\n"
    "first run:   allqsim run server-crash\n"
    "exit codes:  0 pass, 1 safety broken, 2 progress or failover broken, 3 slo or distribution broken,\n"
    "             4 not the same twice, 5 unknown, 64 wrong use or input, 70 internal error, 74 a file could not be read or\n"
    "             written, 130 interrupted\n";

static int dispatch(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"run", aq_cli_run},         {"suite", aq_cli_suite},         {"explore", aq_cli_explore},
        {"mutants", aq_cli_mutants}, {"shrink", aq_cli_shrink},       {"replay", aq_cli_replay},
        {"plan", aq_cli_plan},       {"what-if", aq_cli_what_if},     {"calibrate", aq_cli_calibrate},
        {"import", aq_cli_import},   {"scenarios", aq_cli_scenarios}, {"report", aq_cli_report}};
    if (argc < 2) {
        fputs(help, stderr);
        return AQ_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("allqsim " AQ_VERSION);
        return AQ_EXIT_PASS;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    char known[200] = "";
    for (size_t i = 0, used = 0; i < sizeof commands / sizeof *commands; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", commands[i].name);
    return aq_cli_usage("", "unknown command \"%s\": allowed are %s", argv[1], known);
}

int main(int argc, char **argv) {
    int code = dispatch(argc, argv);
    if (code != AQ_EXIT_PASS || (!fflush(stdout) && !ferror(stdout))) return code;
    fputs("allqsim: standard output could not be written\n", stderr);
    return AQ_EXIT_OUTPUT;
}
