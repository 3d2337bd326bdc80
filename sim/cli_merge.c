/* allqsim report merge: many databases into one. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/merge.h"
#include "sim/cli.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim report merge OUT IN... [--duplicates refuse|skip|keep] [--complete] [--quiet]\n"
    "\n"
    "Puts the runs and explorations of many databases into one, with new numbers. What OUT holds already stays and comes\n"
    "first. The inputs are only read. Explorations of all parts of one range (--shard 1/2, 2/2) become one.\n"
    "\n"
    "It is written beside OUT and takes its place when it is complete. A merge that was interrupted or killed goes on where\n"
    "it was when the same command is given again, and comes to the same.\n"
    "\n"
    "  --duplicates refuse  a run that is there already (the same scenario, seed, options, trace) is an error (default)\n"
    "  --duplicates skip    it is left out\n"
    "  --duplicates keep    it is taken again\n"
    "  --complete           end with 5 where a part of an exploration is without its others, or did not end\n"
    "  --quiet              print no summary\n"
    "  --help               print this\n"
    "\n"
    "exit codes: 0 merged, 5 merged and not complete, 64 wrong use, or a duplicate, 66 a database cannot be used, 74 OUT cannot be written,\n"
    "130 interrupted\n";

static int parse_duplicates(const char *text, enum aq_merge_duplicates *out) {
    static const char *const words[] = {"refuse", "skip", "keep"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (enum aq_merge_duplicates)i;
            return 0;
        }
    return aq_cli_usage("report merge", "--duplicates: found \"%s\", allowed are refuse, skip, keep", text);
}

struct flags {
    bool complete, quiet, help;
};

static int parse(int argc, char **argv, struct aq_merge_options *o, struct flags *flags) {
    static const struct option options[] = {{"duplicates", required_argument, NULL, 'd'},
                                            {"complete", no_argument, NULL, 'c'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, code = 0;
    opterr = 0;
    optind = 0;
    while (!code && (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        switch (option) {
        case 'd': code = parse_duplicates(optarg, &o->duplicates); break;
        case 'c': flags->complete = true; break;
        case 'q': flags->quiet = true; break;
        case 'h': flags->help = true; return 0;
        default:
            return aq_cli_usage("report merge", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    if (!code && argc - optind < 2)
        return aq_cli_usage("report merge", "an OUT and at least one IN are wanted, found %d files",
                            argc - optind);
    o->out = argv[optind];
    o->inputs = (const char *const *)argv + optind + 1;
    o->input_count = (uint32_t)(argc - optind - 1);
    return code;
}

static void print(const struct aq_merge_options *o, const struct aq_merge_result *r) {
    printf("%s: %" PRIu64 " runs, %" PRIu64 " explorations", o->out, r->runs, r->explorations);
    if (r->others) printf(", %" PRIu64 " others", r->others);
    if (r->joined) printf("; %" PRIu64 " made of parts", r->joined);
    if (r->parts)
        printf("; %" PRIu64 " parts of explorations left whose others are not there or did not end",
               r->parts);
    if (r->skipped) printf("; %" PRIu64 " duplicates skipped", r->skipped);
    if (r->resumed) fputs("; gone on from where an earlier merge left off", stdout);
    putchar('\n');
}

int aq_cli_merge(int argc, char **argv) {
    struct aq_merge_options options = {.stop = aq_cli_stop()};
    struct aq_merge_result result = {0};
    struct aq_error error = {0};
    struct flags flags = {0};
    int code = parse(argc, argv, &options, &flags);
    if (code) return code;
    if (flags.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    aq_cli_watch_signals();
    if (aq_merge(&options, &result, &error)) return aq_cli_fail(&error);
    if (!flags.quiet) print(&options, &result);
    if (!flags.complete || !result.parts) return AQ_EXIT_PASS;
    fprintf(stderr,
            "allqsim: %s: %" PRIu64
            " parts of explorations are left: do those that are missing, and merge them as well\n",
            options.out, result.parts);
    return AQ_EXIT_UNKNOWN;
}
