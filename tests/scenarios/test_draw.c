/* Drawn scenarios: within their bounds, the same for the same seed, each draw apart from the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/draw.h"
#include "scenarios/load.h"

static struct aq_draw *prepared(const char *text) {
    struct aq_scenario *base;
    struct aq_draw *draw;
    struct aq_error error = {0};
    if (aq_scenario_parse(text, "x.json", NULL, &base, &error)) fail_msg("%s", error.text);
    assert_int_equal(aq_draw_new(base, &draw), 0);
    aq_scenario_free(base);
    return draw;
}

static struct aq_scenario *drawn(const struct aq_draw *draw, uint64_t seed) {
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    if (aq_draw_scenario(draw, seed, &scenario, NULL, &error)) fail_msg("%s", error.text);
    return scenario;
}

static struct aq_scenario *drawn_once(const char *text, uint64_t seed) {
    struct aq_draw *draw = prepared(text);
    struct aq_scenario *scenario = drawn(draw, seed);
    aq_draw_free(draw);
    return scenario;
}

static void numbers_durations_and_rates_stay_within_their_range(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"settings\": {\"servers.count\": {\"range\": [2, 6]}, \"workers.count\": {\"log_range\": [1, 100]},"
        "\"duration\": {\"range\": [\"500ms\", \"3s\"]}, \"producers.arrivals\": {\"poisson\": {\"log_range\": [\"1/s\", "
        "\"100/s\"]}}, \"workers.bury_ratio\": {\"range\": [0.25, 0.5]}, \"producers.ttl\": {\"range\": [\"1s\", \"3s\"]},"
        "\"producers.start\": \"0\", \"workers.start\": \"0\", \"workers.ramp\": \"0\", \"window\": \"1s\"}}}");
    uint32_t servers = 0, below_ten = 0, ttls = 0, odd_ms = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        assert_in_range(s->servers.count, 2, 6);
        assert_in_range(s->workers.count, 1, 100);
        assert_in_range(s->duration_us, 500000, 3000000);
        assert_int_equal(s->duration_us % 1000, 0);
        assert_true(s->producers.rate_per_s >= 1 && s->producers.rate_per_s <= 100);
        assert_true(s->workers.bury_ratio >= 0.25 && s->workers.bury_ratio <= 0.5);
        assert_in_range(s->producers.ttl_s, 1, 3);
        assert_int_equal(s->seed, seed);
        servers |= 1u << s->servers.count;
        ttls |= 1u << s->producers.ttl_s;
        below_ten += s->workers.count < 10;
        odd_ms += s->duration_us % 10000 != 0;
        aq_scenario_free(s);
    }
    assert_int_equal(servers, 0x7c); /* each of 2 to 6 comes up */
    assert_int_equal(ttls, 0xe);
    assert_in_range(below_ten, 100, 200); /* half of the logarithms */
    assert_true(odd_ms > 200);
    aq_draw_free(draw);
}

static void the_same_seed_draws_the_same_text(void **state) {
    (void)state;
    struct aq_draw *draw =
        prepared("{\"explore\": {\"settings\": {\"servers.count\": {\"range\": [2, 600]}}, \"faults\": "
                 "[{\"kind\": \"crash\", \"for\": {\"range\": [\"1s\", \"9s\"]}}]}}");
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct aq_scenario *one = drawn(draw, seed), *again = drawn(draw, seed),
                           *other = drawn(draw, seed + 1);
        assert_string_equal(one->text, again->text);
        assert_int_equal(one->hash, again->hash);
        assert_string_not_equal(one->text, other->text);
        aq_scenario_free(one);
        aq_scenario_free(again);
        aq_scenario_free(other);
    }
    aq_draw_free(draw);
}

/* Otherwise every seed would mean something else as soon as a line is added. */
static void one_more_draw_shifts_no_other(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct aq_scenario *few = drawn_once(
            "{\"explore\": {\"off_ratio\": 0, \"settings\": {\"servers.count\": {\"range\": [2, 600]}}, \"faults\": "
            "[{\"kind\": \"crash\", \"for\": {\"range\": [\"1us\", \"9s\"]}}]}}",
            seed);
        struct aq_scenario *more = drawn_once(
            "{\"explore\": {\"off_ratio\": 0, \"settings\": {\"clients.count\": {\"range\": [2, 9]}, "
            "\"servers.count\": {\"range\": [2, 600]}}, \"faults\": [{\"kind\": \"pause\"}, "
            "{\"kind\": \"crash\", \"for\": {\"range\": [\"1us\", \"9s\"]}}]}}",
            seed);
        assert_int_equal(few->servers.count, more->servers.count);
        assert_int_equal(few->faults[0].for_us, more->faults[1].for_us);
        assert_int_equal(few->faults[0].at_us, more->faults[1].at_us);
        aq_scenario_free(few);
        aq_scenario_free(more);
    }
}

static void families_are_off_altogether(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"off_ratio\": 0.5, \"faults\": [{\"kind\": \"crash\", \"family\": \"ends\", \"instances\": 2}, "
        "{\"kind\": \"reset\", \"family\": \"ends\"}, {\"kind\": \"pause\"}]}}");
    uint32_t ends = 0, pauses = 0, both = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        assert_true(s->fault_count <= 1 || s->fault_count == 3 || s->fault_count == 4);
        ends += s->fault_count >= 3;
        pauses += s->fault_count == 1 || s->fault_count == 4;
        both += s->fault_count == 4;
        aq_scenario_free(s);
    }
    assert_in_range(ends, 70, 130);
    assert_in_range(pauses, 70, 130);
    assert_in_range(both, 30, 70);
    aq_draw_free(draw);
}

static void a_fault_is_drawn_only_where_its_setting_is_true(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"off_ratio\": 0, \"settings\": {\"servers.persistent\": {\"chance\": 0.5}}, "
        "\"faults\": [{\"kind\": \"crash\", \"disk\": \"lost\", \"when\": \"servers.persistent\"}]}}");
    uint32_t persistent = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        assert_int_equal(s->fault_count, s->servers.persistent);
        persistent += s->servers.persistent;
        aq_scenario_free(s);
    }
    assert_in_range(persistent, 30, 70);
    aq_draw_free(draw);
}

static void indexes_and_shares_go_by_what_was_drawn(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"off_ratio\": 0, \"settings\": {\"servers.count\": {\"range\": [1, 5]}, \"duration\": {\"range\": [\"2s\", "
        "\"50s\"]}}, \"faults\": [{\"kind\": \"crash\", \"servers\": {\"subset_of\": \"servers\"}, \"at\": "
        "{\"share_of_duration\": [0.5, 0.75]}}, {\"kind\": \"drain\", \"server\": {\"index_of\": \"servers\"}}]}}");
    uint32_t drained = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        const struct aq_fault_spec *crash = &s->faults[0], *drain = &s->faults[1];
        assert_in_range(crash->servers.index_count, 1, s->servers.count);
        for (uint32_t i = 0; i < crash->servers.index_count; i++)
            assert_true(crash->servers.indexes[i] < s->servers.count);
        assert_true(crash->at_us >= s->duration_us / 2 - 1000 && crash->at_us <= s->duration_us * 3 / 4);
        assert_true(drain->server_list[0] < s->servers.count);
        drained |= 1u << drain->server_list[0];
        assert_true(crash->may_miss && drain->may_miss);
        aq_scenario_free(s);
    }
    assert_int_equal(drained, 0x1f);
    aq_draw_free(draw);
}

static void null_leaves_a_key_out(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"settings\": {\"clients.policy.request_timeout\": {\"any_of\": [null, \"7s\"]}, "
        "\"producers.parents\": {\"share\": {\"any_of\": [null, 0.5]}}}}}");
    uint32_t plain = 0, shares = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        aq_time_us timeout_us = s->clients.policy.request_timeout_us;
        assert_true(timeout_us == 7 * AQ_US_PER_S ||
                    timeout_us == aq_client_policy_strict.request_timeout_us);
        plain += timeout_us != 7 * AQ_US_PER_S;
        shares += s->producers.parents.share > 0;
        aq_scenario_free(s);
    }
    assert_in_range(plain, 30, 70);
    assert_in_range(shares, 30, 70);
    aq_draw_free(draw);
}

static void the_drawn_scenario_is_a_plain_one(void **state) {
    (void)state;
    struct aq_scenario *s =
        drawn_once("{\"name\": \"fleet\", \"notes\": \"n\", \"explore\": {\"settings\": {\"servers.count\": "
                   "{\"range\": [3, 3]}}, \"require_marks\": [\"x\"]}}",
                   12);
    assert_string_equal(s->name, "fleet");
    assert_null(strstr(s->text, "explore"));
    assert_null(strstr(s->text, "notes"));
    struct aq_scenario *again = NULL;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_parse(s->text, "fleet.json", NULL, &again, &error), 0);
    assert_int_equal(again->hash, s->hash);
    assert_int_equal(again->seed, 12);
    assert_int_equal(again->servers.count, 3);
    aq_scenario_free(again);
    aq_scenario_free(s);
}

static void without_a_section_it_is_the_scenario_itself(void **state) {
    (void)state;
    struct aq_scenario *s = drawn_once("{\"servers\": {\"count\": 2}}", 5);
    assert_int_equal(s->servers.count, 2);
    assert_int_equal(s->seed, 5);
    assert_int_equal(s->fault_count, 0);
    aq_scenario_free(s);
}

static void defaults_stand_for_what_is_not_drawn(void **state) {
    (void)state;
    struct aq_draw *draw =
        prepared("{\"explore\": {\"off_ratio\": 0, \"faults\": [{\"kind\": \"client_crash\", \"clients\": "
                 "{\"subset_of\": \"clients\"}}, {\"kind\": \"worker_crash\", \"workers\": "
                 "{\"index_of\": \"workers\"}}]}}");
    uint32_t client = 0, worker = 0;
    aq_time_us at_us = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        const struct aq_selection *clients = &s->faults[0].clients;
        uint32_t last = clients->indexes[clients->index_count - 1];
        client = last > client ? last : client;
        worker = s->faults[1].workers.indexes[0] > worker ? s->faults[1].workers.indexes[0] : worker;
        at_us = s->faults[0].at_us > at_us ? s->faults[0].at_us : at_us;
        aq_scenario_free(s);
    }
    assert_int_equal(client, 99); /* the defaults are a hundred clients, five hundred workers and a minute */
    assert_in_range(worker, 400, 499);
    assert_in_range(at_us, 45 * AQ_US_PER_S, 54 * AQ_US_PER_S);
    aq_draw_free(draw);
}

static void the_summary_tells_what_was_drawn(void **state) {
    (void)state;
    struct aq_draw *draw = prepared(
        "{\"explore\": {\"off_ratio\": 0, \"settings\": {\"servers.count\": {\"range\": [3, 3]}}, "
        "\"faults\": [{\"kind\": \"crash\", \"instances\": 2}, {\"kind\": \"reset\", \"name\": \"r\"}]}}");
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    char *summary = NULL;
    assert_int_equal(aq_draw_scenario(draw, 1, &scenario, &summary, &error), 0);
    assert_string_equal(summary, "servers.count=3 faults: crash*2 r");
    aq_free(summary);
    aq_scenario_free(scenario);
    aq_draw_free(draw);
}

static void what_cannot_be_drawn_names_the_seed_and_the_place(void **state) {
    (void)state;
    struct aq_draw *draw =
        prepared("{\"name\": \"n\", \"explore\": {\"settings\": {\"servers.count\": {\"range\": [0, 0]}}}}");
    struct aq_scenario *scenario = (void *)&draw;
    struct aq_error error = {0};
    assert_int_equal(aq_draw_scenario(draw, 77, &scenario, NULL, &error), AQ_EINVALID);
    assert_ptr_equal(scenario, &draw);
    assert_non_null(strstr(error.text, "seed 77"));
    assert_non_null(strstr(error.text, "servers.count: found 0"));
    aq_draw_free(draw);
}

static void drawing_survives_every_failing_allocation(void **state) {
    (void)state;
    struct aq_draw *draw =
        prepared("{\"explore\": {\"off_ratio\": 0, \"settings\": {\"servers.count\": {\"range\": [2, 6]}}, "
                 "\"faults\": [{\"kind\": \"crash\", \"servers\": {\"subset_of\": \"servers\"}}]}}");
    uint64_t skip = 0;
    int rc = AQ_ENOMEM;
    for (; rc; skip += 1 + skip / 40) {
        struct aq_scenario *scenario = NULL;
        char *summary = NULL;
        struct aq_error error = {0};
        aq_alloc_fail_after(skip);
        rc = aq_draw_scenario(draw, 3, &scenario, &summary, &error);
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || rc == AQ_ENOMEM);
        if (rc) assert_true(!scenario && !summary);
        aq_scenario_free(scenario);
        aq_free(summary);
    }
    assert_true(skip > 10);
    aq_draw_free(draw);
}

static void the_example_of_the_page_can_be_drawn_from(void **state) {
    (void)state;
    static char page[40000];
    FILE *file = fopen("docs/EXPLORE.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *text = strstr(page, "```json\n"), *end = text ? strstr(text + 8, "```") : NULL;
    assert_non_null(end);
    *end = '\0';
    struct aq_draw *draw = prepared(text + 8);
    for (uint64_t seed = 1; seed <= 50; seed++)
        aq_scenario_free(drawn(draw, seed));
    aq_draw_free(draw);
}

/* Whatever swarm draws can be run. */
static void every_seed_of_the_swarm_is_a_valid_scenario(void **state) {
    (void)state;
    struct aq_scenario *swarm;
    struct aq_draw *draw;
    struct aq_error error = {0};
    char path[4096];
    uint64_t kinds = 0;
    assert_int_equal(aq_scenario_find("swarm", path, sizeof path, &error), 0);
    assert_int_equal(aq_scenario_load(path, NULL, &swarm, &error), 0);
    assert_int_equal(aq_draw_new(swarm, &draw), 0);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct aq_scenario *s = drawn(draw, seed);
        assert_in_range(s->servers.count, 2, 6);
        assert_in_range(s->clients.count, 2, 20);
        assert_in_range(s->workers.count, 1, 80);
        assert_in_range(s->duration_us, 30 * AQ_US_PER_S, 120 * AQ_US_PER_S);
        assert_int_equal(aq_scenario_check_world(s, false, &error), 0);
        for (uint32_t i = 0; i < s->fault_count; i++)
            kinds |= UINT64_C(1) << s->faults[i].kind;
        aq_scenario_free(s);
    }
    assert_true(__builtin_popcountll(kinds) > 25);
    aq_draw_free(draw);
    aq_scenario_free(swarm);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_durations_and_rates_stay_within_their_range),
        cmocka_unit_test(the_same_seed_draws_the_same_text),
        cmocka_unit_test(one_more_draw_shifts_no_other),
        cmocka_unit_test(families_are_off_altogether),
        cmocka_unit_test(a_fault_is_drawn_only_where_its_setting_is_true),
        cmocka_unit_test(indexes_and_shares_go_by_what_was_drawn),
        cmocka_unit_test(null_leaves_a_key_out),
        cmocka_unit_test(the_drawn_scenario_is_a_plain_one),
        cmocka_unit_test(without_a_section_it_is_the_scenario_itself),
        cmocka_unit_test(defaults_stand_for_what_is_not_drawn),
        cmocka_unit_test(the_summary_tells_what_was_drawn),
        cmocka_unit_test(what_cannot_be_drawn_names_the_seed_and_the_place),
        cmocka_unit_test(drawing_survives_every_failing_allocation),
        cmocka_unit_test(the_example_of_the_page_can_be_drawn_from),
        cmocka_unit_test(every_seed_of_the_swarm_is_a_valid_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
