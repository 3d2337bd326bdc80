/* Smaller variants of scenarios: each is smaller, all come to an end, and what names the things that go goes
   with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenarios/draw.h"
#include "scenarios/load.h"
#include "scenarios/reduce.h"

static const struct aq_reduce_hints hints = {2000, 9 * AQ_US_PER_S};

static cJSON *tree_of(const char *text) {
    struct aq_tree_fault fault = {0};
    cJSON *tree = NULL;
    if (aq_tree_parse(text, strlen(text), &tree, &fault)) fail_msg("%s: %s", text, fault.what);
    return tree;
}

static bool is_valid(const cJSON *tree, struct aq_error *error) {
    struct aq_scenario *scenario = NULL;
    char *text = aq_tree_print_bare(tree);
    int rc = aq_scenario_parse(text, "variant.json", NULL, &scenario, error);
    aq_scenario_free(scenario);
    aq_free(text);
    return rc == 0;
}

/* A scenario as explore draws it, with all kinds of faults in it. */
static cJSON *drawn(uint64_t seed) {
    struct aq_scenario *swarm = NULL, *scenario = NULL;
    struct aq_draw *draw = NULL;
    struct aq_error error = {0};
    char path[4096];
    if (aq_scenario_find("swarm", path, sizeof path, &error) ||
        aq_scenario_load(path, NULL, &swarm, &error) || aq_draw_new(swarm, &draw) ||
        aq_draw_scenario(draw, seed, &scenario, NULL, &error))
        fail_msg("%s", error.text);
    cJSON *tree = tree_of(scenario->text);
    assert_int_equal(aq_reduce_tidy(tree), 0);
    aq_scenario_free(scenario);
    aq_scenario_free(swarm);
    aq_draw_free(draw);
    return tree;
}

/* The first variant of a pass as a text, for free. */
static char *first_of(const char *text, const char *pass) {
    cJSON *tree = tree_of(text), *variant = NULL;
    struct aq_reduce_place place = {0};
    char *out = NULL;
    while (!out && aq_reduce_next(tree, &hints, &place, &variant) == 0) {
        if (strcmp(aq_reduce_pass_word(&place), pass) == 0) out = aq_tree_print_bare(variant);
        cJSON_Delete(variant);
        aq_reduce_pass_over(&place);
    }
    cJSON_Delete(tree);
    assert_non_null(out);
    return out;
}

static void assert_has_variant(const char *text, const char *expected) {
    cJSON *tree = tree_of(text), *variant = NULL;
    struct aq_reduce_place place = {0};
    bool found = false;
    while (!found && aq_reduce_next(tree, &hints, &place, &variant) == 0) {
        char *bare = aq_tree_print_bare(variant);
        found = strcmp(bare, expected) == 0;
        aq_free(bare);
        cJSON_Delete(variant);
        aq_reduce_pass_over(&place);
    }
    cJSON_Delete(tree);
    if (!found) fail_msg("no variant %s", expected);
}

static void every_variant_differs_and_they_come_to_an_end(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        cJSON *tree = drawn(seed), *variant = NULL;
        struct aq_reduce_place place = {0};
        struct aq_error error;
        char *original = aq_tree_print_bare(tree);
        uint32_t made = 0, valid = 0;
        while (aq_reduce_next(tree, &hints, &place, &variant) == 0) {
            char *bare = aq_tree_print_bare(variant);
            assert_string_not_equal(bare, original);
            valid += is_valid(variant, &error);
            aq_free(bare);
            cJSON_Delete(variant);
            aq_reduce_pass_over(&place);
            assert_true(++made < 20000);
        }
        assert_true(made > 200);
        assert_true(valid > made / 3);
        aq_free(original);
        cJSON_Delete(tree);
    }
}

/* As if every variant failed alike: everything goes that can. */
static void a_scenario_of_which_nothing_matters_becomes_the_smallest(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        cJSON *tree = drawn(seed), *variant = NULL;
        struct aq_reduce_place place = {0};
        struct aq_reduce_size size;
        struct aq_error error;
        uint32_t adopted = 0;
        while (aq_reduce_next(tree, &(struct aq_reduce_hints){1, 0}, &place, &variant) == 0) {
            if (is_valid(variant, &error)) {
                cJSON_Delete(tree);
                tree = variant;
                assert_true(++adopted < 2000);
            } else {
                cJSON_Delete(variant);
                aq_reduce_pass_over(&place);
            }
        }
        assert_int_equal(aq_reduce_measure(tree, &size), 0);
        assert_int_equal(size.faults, 0);
        assert_int_equal(size.servers, 1);
        assert_int_equal(size.clients, 1);
        assert_int_equal(size.workers, 0);
        cJSON_Delete(tree);
    }
}

static void a_server_that_goes_is_taken_out_everywhere_and_the_others_renumbered(void **state) {
    (void)state;
    static const char text[] =
        "{\"servers\":{\"count\":4},\"clients\":{\"count\":1,\"groups\":[{\"share\":1,\"servers\":[0,1,3]}]},"
        "\"workers\":{\"count\":0},\"faults\":[{\"kind\":\"crash\",\"servers\":1},{\"kind\":\"crash\",\"servers\":2},"
        "{\"kind\":\"pause\",\"servers\":[0,1,2]},{\"kind\":\"drain\",\"server\":3},{\"kind\":\"drain\",\"server\":1},"
        "{\"kind\":\"update_servers\",\"server_list\":[1,2,9]}],\"commands\":[{\"action\":\"drain\",\"at\":\"1s\","
        "\"server\":1},{\"action\":\"drain\",\"at\":\"1s\",\"server\":2}]}";
    assert_has_variant(
        text,
        "{\"servers\":{\"count\":3},\"clients\":{\"count\":1,\"groups\":[{\"share\":1,\"servers\":[0,2]}]},"
        "\"workers\":{\"count\":0},\"faults\":[{\"kind\":\"crash\",\"servers\":1},{\"kind\":\"pause\",\"servers\":[0,1]},{\"kind\":\"drain\",\"server\":2},"
        "{\"kind\":\"update_servers\",\"server_list\":[1,8]}],\"commands\":[{\"action\":\"drain\",\"at\":\"1s\","
        "\"server\":1}]}");
}

static void a_client_that_goes_leaves_its_commands_to_the_first(void **state) {
    (void)state;
    assert_has_variant(
        "{\"clients\":{\"count\":3},\"faults\":[{\"kind\":\"loss\",\"clients\":[0,2],\"probability\":0.5}],"
        "\"commands\":[{\"action\":\"ping\",\"at\":\"1s\",\"client\":2}]}",
        "{\"clients\":{\"count\":1},\"faults\":[{\"kind\":\"loss\",\"clients\":[0],\"probability\":0.5}],"
        "\"commands\":[{\"action\":\"ping\",\"at\":\"1s\",\"client\":0}]}");
}

static void faults_go_all_at_once_first_then_one_by_one(void **state) {
    (void)state;
    static const char text[] =
        "{\"faults\":[{\"kind\":\"herd\"},{\"kind\":\"reset\"},{\"kind\":\"restart\"}]}";
    char *first = first_of(text, "faults");
    assert_string_equal(first, "{\"faults\":[]}");
    aq_free(first);
    assert_has_variant(text, "{\"faults\":[{\"kind\":\"herd\"},{\"kind\":\"restart\"}]}");
}

static void what_comes_after_the_failure_goes_first(void **state) {
    (void)state;
    char *first =
        first_of("{\"duration\":\"60s\",\"settle\":\"30s\",\"faults\":[{\"kind\":\"herd\",\"at\":\"8s\"},"
                 "{\"kind\":\"herd\",\"at\":\"9001ms\"}]}",
                 "events behind the failure");
    assert_string_equal(first,
                        "{\"duration\":\"9001ms\",\"settle\":\"0s\",\"faults\":[{\"kind\":\"herd\",\"at\":"
                        "\"8s\"}]}");
    aq_free(first);
}

static void few_servers_and_clients_are_tried_at_once_with_jobs_enough(void **state) {
    (void)state;
    assert_has_variant(
        "{\"servers\":{\"count\":4},\"clients\":{\"count\":3},\"producers\":{\"jobs\":2},\"faults\":"
        "[{\"kind\":\"pause\",\"servers\":2,\"clients\":[0]}]}",
        "{\"servers\":{\"count\":2},\"clients\":{\"count\":1},\"producers\":{\"jobs\":20},\"faults\":"
        "[{\"kind\":\"pause\",\"servers\":1,\"clients\":[0]}]}");
}

static void bursts_become_smaller_as_well(void **state) {
    (void)state;
    assert_has_variant(
        "{\"producers\":{\"jobs\":1,\"arrivals\":{\"bursts\":{\"rate\":\"7/m\",\"jobs\":35}}}}",
        "{\"producers\":{\"jobs\":1,\"arrivals\":{\"bursts\":{\"rate\":\"7/m\",\"jobs\":2}}}}");
}

static void counts_that_are_not_written_are_the_defaults(void **state) {
    (void)state;
    struct aq_reduce_size size;
    cJSON *tree = tree_of("{}");
    assert_int_equal(aq_reduce_measure(tree, &size), 0);
    assert_int_equal(size.servers, 4);
    assert_int_equal(size.clients, 100);
    assert_int_equal(size.workers, 500);
    cJSON_Delete(tree);
}

static void fewer_jobs_never_mean_no_bound(void **state) {
    (void)state;
    cJSON *tree = tree_of("{\"servers\":{\"count\":1},\"producers\":{\"jobs\":9}}"), *variant = NULL;
    struct aq_reduce_place place = {0};
    while (aq_reduce_next(tree, &hints, &place, &variant) == 0) {
        const cJSON *producers = aq_tree_member(variant, "producers");
        assert_true(aq_tree_member(producers, "jobs")->valuedouble >= 1);
        assert_true(aq_tree_member(producers, "jobs")->valuedouble <= 9 ||
                    strcmp(aq_reduce_pass_word(&place), "servers and clients") == 0);
        cJSON_Delete(variant);
        aq_reduce_pass_over(&place);
    }
    cJSON_Delete(tree);
}

static void what_means_nothing_for_a_run_goes_and_the_head_is_put_in_front(void **state) {
    (void)state;
    static const char *const notes[] = {"one note", NULL};
    struct aq_error error;
    cJSON *tree = tree_of("{\"$schema\":\"schema.json\",\"name\":\"n\",\"notes\":[\"old\"],\"faults\":[],"
                          "\"clients\":{\"policy\":{}},\"duration\":\"5s\",\"settle\":\"0\",\"explore\":{}}");
    assert_int_equal(aq_reduce_tidy(tree), 0);
    assert_int_equal(aq_reduce_sign(tree, 77, "what it shows", notes), 0);
    char *bare = aq_tree_print_bare(tree);
    assert_string_equal(
        bare, "{\"summary\":\"what it shows\",\"notes\":[\"one note\"],\"seed\":77,\"duration\":\"5s\","
              "\"settle\":\"0\"}");
    assert_true(is_valid(tree, &error));
    aq_free(bare);
    cJSON_Delete(tree);
}

static void running_out_of_memory_is_told_and_nothing_leaks(void **state) {
    (void)state;
    cJSON *tree = drawn(3), *variant = NULL;
    for (uint32_t pass = 0; pass < 400; pass += 57) {
        struct aq_reduce_place place = {0};
        for (uint32_t i = 0; i < pass && aq_reduce_next(tree, &hints, &place, &variant) == 0; i++) {
            cJSON_Delete(variant);
            aq_reduce_pass_over(&place);
        }
        int rc = AQ_ENOMEM;
        for (uint64_t skip = 0; rc == AQ_ENOMEM; skip += 41) {
            struct aq_reduce_place before = place;
            aq_alloc_fail_after(skip);
            rc = aq_reduce_next(tree, &hints, &place, &variant);
            aq_alloc_fail_after(UINT64_MAX);
            if (rc == AQ_ENOMEM) assert_memory_equal(&place, &before, sizeof place);
        }
        if (rc == 0) cJSON_Delete(variant);
    }
    cJSON_Delete(tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_differs_and_they_come_to_an_end),
        cmocka_unit_test(a_scenario_of_which_nothing_matters_becomes_the_smallest),
        cmocka_unit_test(a_server_that_goes_is_taken_out_everywhere_and_the_others_renumbered),
        cmocka_unit_test(a_client_that_goes_leaves_its_commands_to_the_first),
        cmocka_unit_test(faults_go_all_at_once_first_then_one_by_one),
        cmocka_unit_test(what_comes_after_the_failure_goes_first),
        cmocka_unit_test(few_servers_and_clients_are_tried_at_once_with_jobs_enough),
        cmocka_unit_test(bursts_become_smaller_as_well),
        cmocka_unit_test(counts_that_are_not_written_are_the_defaults),
        cmocka_unit_test(fewer_jobs_never_mean_no_bound),
        cmocka_unit_test(what_means_nothing_for_a_run_goes_and_the_head_is_put_in_front),
        cmocka_unit_test(running_out_of_memory_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("smaller scenarios", tests, NULL, NULL);
}
