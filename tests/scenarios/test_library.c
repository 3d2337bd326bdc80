/* The library: where it is looked for, what is found in it, and that each of its scenarios can be run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "scenarios/nearest.h"

static int library_unset(void **state) {
    (void)state;
    return unsetenv("ALLQSIM_SCENARIOS");
}

static char *ends(char *path, const char *end) {
    size_t length = strlen(path), n = strlen(end);
    return length >= n && strcmp(path + length - n, end) == 0 ? path : NULL;
}

static void a_name_of_the_library_becomes_its_file(void **state) {
    (void)state;
    char path[4096];
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_find("server-crash", path, sizeof path, &error), 0);
    assert_non_null(ends(path, "scenarios/server-crash.json"));
    assert_int_equal(access(path, R_OK), 0);
}

static void a_file_is_taken_as_it_is(void **state) {
    (void)state;
    char path[4096];
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_find("tests/scenarios/good/empty.json", path, sizeof path, &error), 0);
    assert_string_equal(path, "tests/scenarios/good/empty.json");
}

static void an_unknown_name_lists_the_nearest(void **state) {
    (void)state;
    char path[4096] = "untouched";
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_find("server-crush", path, sizeof path, &error), AQ_ENOENT);
    assert_non_null(strstr(
        error.text,
        "\"server-crush\" is neither a file nor a scenario of the library; did you mean \"server-crash\""));
    assert_int_equal(aq_scenario_find("zzz", path, sizeof path, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "the library has baseline, capacity, crash-persisted"));
    assert_string_equal(path, "untouched");
}

static void a_name_never_leads_out_of_the_library(void **state) {
    (void)state;
    static const char *const names[] = {
        "../scenarios/baseline", "x/../baseline", "./baseline", "/baseline", "baseline/", "", "..", "schema"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        struct aq_error error = {0};
        assert_int_equal(aq_scenario_find(names[i], path, sizeof path, &error), AQ_ENOENT);
    }
}

/* A library of its own with a folder, a broken file and files of other kinds. */
struct own_library {
    char path[64];
};

static void write_file(const char *folder, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const char *const own_files[] = {"b.json",      "broken.json", "outages/d1.json",
                                        "schema.json", "readme.md",   ".hidden.json"};

static int own_library_open(void **state) {
    static struct own_library own;
    char folder[128];
    strcpy(own.path, "/tmp/scenarios-XXXXXX");
    if (!mkdtemp(own.path)) return -1;
    snprintf(folder, sizeof folder, "%s/outages", own.path);
    if (mkdir(folder, 0700)) return -1;
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++)
        write_file(own.path, own_files[i], i == 1 ? "{\"sed\": 1}" : "{\"summary\": \"What it shows.\"}");
    *state = &own;
    return setenv("ALLQSIM_SCENARIOS", own.path, 1);
}

static int own_library_close(void **state) {
    const struct own_library *own = *state;
    char path[256];
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++) {
        snprintf(path, sizeof path, "%s/%s", own->path, own_files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/outages", own->path);
    rmdir(path);
    rmdir(own->path);
    return unsetenv("ALLQSIM_SCENARIOS");
}

static int note(void *arg, const struct aq_scenario_entry *entry) {
    char *notes = arg;
    size_t used = strlen(notes);
    snprintf(notes + used, 1000 - used, "%s|%s|%s\n", entry->name, entry->summary,
             entry->problem ? strstr(entry->problem, "sed") : "");
    return 0;
}

static void the_environment_names_another_library(void **state) {
    const struct own_library *own = *state;
    char path[4096];
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_library(path, sizeof path, &error), 0);
    assert_string_equal(path, own->path);
    assert_int_equal(aq_scenario_find("outages/d1", path, sizeof path, &error), 0);
    assert_non_null(ends(path, "/outages/d1.json"));
    assert_int_equal(aq_scenario_find("baseline", path, sizeof path, &error), AQ_ENOENT);
}

static void the_list_is_sorted_and_tells_of_broken_files(void **state) {
    (void)state;
    char notes[1000] = "";
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_list(note, notes, &error), 0);
    char *broken = strstr(notes, "sed: unknown");
    assert_non_null(broken);
    assert_int_equal(strncmp(notes, "b|What it shows.|\nbroken||sed: unknown key", 41), 0);
    assert_non_null(ends(notes, "\noutages/d1|What it shows.|\n"));
}

static int stop(void *arg, const struct aq_scenario_entry *entry) {
    (void)entry;
    ++*(int *)arg;
    return AQ_EINTERRUPTED;
}

static void a_visitor_can_end_the_list(void **state) {
    (void)state;
    int visits = 0;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_list(stop, &visits, &error), AQ_EINTERRUPTED);
    assert_int_equal(visits, 1);
}

static void listing_survives_every_failing_allocation(void **state) {
    (void)state;
    char notes[1000], path[4096];
    struct aq_error error = {0};
    uint64_t skip = 0;
    for (int rc = AQ_ENOMEM; rc; skip++) {
        notes[0] = 0;
        aq_alloc_fail_after(skip);
        rc = aq_scenario_list(note, notes, &error);
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || rc == AQ_ENOMEM);
    }
    assert_true(skip > 50);
    skip = 0;
    for (int rc = AQ_ENOMEM; rc != AQ_ENOENT; skip++) {
        aq_alloc_fail_after(skip);
        rc = aq_scenario_find("outages/d2", path, sizeof path, &error);
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == AQ_ENOENT || rc == AQ_ENOMEM);
    }
    assert_true(skip > 3);
}

static void a_library_that_is_not_there_is_named(void **state) {
    (void)state;
    char path[4096];
    struct aq_error error = {0};
    setenv("ALLQSIM_SCENARIOS", "/no/such/folder", 1);
    assert_int_equal(aq_scenario_library(path, sizeof path, &error), AQ_ENOENT);
    assert_string_equal(error.text, "ALLQSIM_SCENARIOS: \"/no/such/folder\" is not a folder");
    unsetenv("ALLQSIM_SCENARIOS");
}

static const char *const shipped[] = {
    "baseline",       "capacity",   "crash-persisted", "gray-server",  "load-balancer",
    "partition-half", "reply-lost", "rolling-restart", "server-crash", "slow-server",
    "stale-list",     "swarm",      "worker-overrun",  "worker-spike"};

struct seen {
    size_t found; /* of the shipped ones */
};

static int check_shipped(void *arg, const struct aq_scenario_entry *entry) {
    struct seen *seen = arg;
    struct aq_scenario *s = NULL;
    struct aq_error error = {0};
    if (entry->problem) fail_msg("%s", entry->problem);
    assert_true(strlen(entry->summary) > 20);
    assert_int_equal(aq_scenario_load(entry->path, NULL, &s, &error), 0);
    assert_non_null(strstr(s->text, "\"notes\""));
    /* those of single quirks show them in strict; upstream has all of them at once */
    bool one_quirk = strncmp(entry->name, "quirks/", 7) == 0;
    assert_true(s->expect_strict.given && (s->expect_upstream.given || one_quirk));
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++)
        seen->found += strcmp(entry->name, shipped[i]) == 0;
    aq_scenario_free(s);
    return 0;
}

static void every_shipped_scenario_loads_and_says_what_it_expects(void **state) {
    (void)state;
    struct seen seen = {0};
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_list(check_shipped, &seen, &error), 0);
    assert_int_equal(seen.found, sizeof shipped / sizeof *shipped);
}

static void server_crash_has_its_full_size(void **state) {
    (void)state;
    char path[4096];
    struct aq_scenario *s = NULL;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_find("server-crash", path, sizeof path, &error), 0);
    assert_int_equal(aq_scenario_load(path, NULL, &s, &error), 0);
    assert_int_equal(s->servers.count, 4);
    assert_int_equal(s->clients.count, 1000);
    assert_int_equal(s->workers.count, 5000);
    assert_true(s->duration_us >= 60 * AQ_US_PER_S);
    assert_true(s->producers.rate_per_s * (double)s->duration_us / 1e6 > 220000);
    assert_false(s->servers.persistent);
    aq_scenario_free(s);
}

static void the_nearest_word_is_found_and_far_ones_are_not(void **state) {
    (void)state;
    static const char *const words[] = {"count", "profile", "probability", "at"};
    assert_int_equal(aq_word_distance("count", "coutn"), 1);
    assert_int_equal(aq_word_distance("count", "counts"), 1);
    assert_int_equal(aq_word_distance("", "at"), 2);
    assert_int_equal(aq_word_distance("Count", "count"), 0);
    assert_string_equal(aq_word_nearest("coutn", words, 4), "count");
    assert_string_equal(aq_word_nearest("att", words, 4), "at");
    assert_string_equal(aq_word_nearest("prob", words, 4), "probability");
    assert_null(aq_word_nearest("zzzzz", words, 4));
    assert_null(aq_word_nearest("", words, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_name_of_the_library_becomes_its_file, library_unset),
        cmocka_unit_test_setup(a_file_is_taken_as_it_is, library_unset),
        cmocka_unit_test_setup(an_unknown_name_lists_the_nearest, library_unset),
        cmocka_unit_test_setup(a_name_never_leads_out_of_the_library, library_unset),
        cmocka_unit_test_setup_teardown(the_environment_names_another_library, own_library_open,
                                        own_library_close),
        cmocka_unit_test_setup_teardown(the_list_is_sorted_and_tells_of_broken_files, own_library_open,
                                        own_library_close),
        cmocka_unit_test_setup_teardown(a_visitor_can_end_the_list, own_library_open, own_library_close),
        cmocka_unit_test_setup_teardown(listing_survives_every_failing_allocation, own_library_open,
                                        own_library_close),
        cmocka_unit_test(a_library_that_is_not_there_is_named),
        cmocka_unit_test_setup(every_shipped_scenario_loads_and_says_what_it_expects, library_unset),
        cmocka_unit_test_setup(server_crash_has_its_full_size, library_unset),
        cmocka_unit_test(the_nearest_word_is_found_and_far_ones_are_not),
    };
    /* So that the failing allocations are cJSON's as well. */
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = aq_alloc, .free_fn = aq_free});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
