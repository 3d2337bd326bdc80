/* The search for the largest number of clients, against fleets whose figures are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/plan.h"

static struct aq_objective objective;

static int parse(void **state) {
    (void)state;
    return aq_objective_parse("p99(get) < 1s", "--slo", &objective, NULL);
}

/* A get takes as long as clients by `capacity` a server says; half of `noise` more for odd seeds, less for
   even ones. */
struct fleet {
    double capacity, noise;
    double low_fails_below; /* with fewer clients it fails as well */
    uint32_t runs;
};

static void measure(struct fleet *fleet, const struct aq_plan_run *run, struct aq_measured *out) {
    *out = (struct aq_measured){0};
    double load = run->clients / fleet->capacity / (run->servers - run->down);
    if (run->clients < fleet->low_fails_below) load = 2;
    aq_measured_add(out, "run.steady_get_p99_s", load + fleet->noise * (run->seed % 2 - 0.5));
    fleet->runs++;
}

/* Carries out what is wanted, the last handed out first if `backwards`. */
static void search(struct aq_planner *planner, const struct aq_plan_grid *grid, struct fleet *fleet,
                   bool backwards) {
    struct aq_plan_run runs[64];
    struct aq_measured measured;
    assert_int_equal(aq_planner_init(planner, grid, &objective), 0);
    while (!aq_planner_done(planner)) {
        uint32_t count = 0;
        while (count < 64 && aq_planner_next(planner, &runs[count]))
            count++;
        assert_true(count > 0);
        for (uint32_t i = 0; i < count; i++) {
            const struct aq_plan_run *run = &runs[backwards ? count - 1 - i : i];
            measure(fleet, run, &measured);
            assert_int_equal(aq_planner_take(planner, run, &measured), 0);
        }
    }
    assert_false(aq_planner_next(planner, &runs[0]));
}

static uint32_t knee(const struct aq_planner *planner, uint32_t servers, uint32_t down) {
    const struct aq_plan_search *found = aq_planner_search(planner, servers, down);
    return found->low < 0 ? 0 : aq_plan_grid_clients(&planner->grid, (uint32_t)found->low);
}

static const struct aq_plan_grid grid = {100, 4000, 100, 1, 8, 0, 2, 5, 0, 0};

static void the_knee_of_each_number_of_servers_is_found(void **state) {
    struct aq_planner planner;
    struct fleet fleet = {.capacity = 455, .noise = 0.001};
    (void)state;
    search(&planner, &grid, &fleet, false);
    for (uint32_t servers = 1; servers <= 8; servers++)
        assert_int_equal(knee(&planner, servers, 0), servers * 455 / 100 * 100);
    assert_true(fleet.runs < 8 * 12 * 3); /* not all 40 points of each */
    aq_planner_close(&planner);
}

static void what_holds_everywhere_or_nowhere_has_no_knee(void **state) {
    struct aq_planner planner;
    struct fleet strong = {.capacity = 1e6}, weak = {.capacity = 1};
    (void)state;
    search(&planner, &grid, &strong, false);
    assert_int_equal(knee(&planner, 1, 0), 4000);
    assert_int_equal(aq_planner_search(&planner, 1, 0)->high, 40);
    aq_planner_close(&planner);
    search(&planner, &grid, &weak, false);
    assert_int_equal(knee(&planner, 8, 0), 0);
    aq_planner_close(&planner);
}

static void a_failure_with_too_few_clients_does_not_hide_the_knee(void **state) {
    struct aq_planner planner;
    struct fleet fleet = {.capacity = 455, .low_fails_below = 350};
    (void)state;
    search(&planner, &grid, &fleet, false);
    assert_int_equal(knee(&planner, 4, 0), 1800);
    aq_planner_close(&planner);
}

static void lost_servers_are_a_search_of_their_own(void **state) {
    struct aq_planner planner;
    struct fleet fleet = {.capacity = 455};
    struct aq_plan_grid with_loss = grid;
    (void)state;
    with_loss.survive = 2;
    search(&planner, &with_loss, &fleet, false);
    assert_null(aq_planner_search(&planner, 2, 2));
    assert_int_equal(knee(&planner, 3, 2), 400);
    assert_int_equal(knee(&planner, 8, 2), 2700);
    assert_int_equal(knee(&planner, 8, 0), 3600);
    aq_planner_close(&planner);
}

static void near_the_bound_it_takes_more_seeds_and_says_when_it_stays_open(void **state) {
    struct aq_planner planner;
    struct fleet fleet = {.capacity = 1000, .noise = 0.4};
    struct aq_plan_grid one = {1000, 1000, 1, 1, 1, 0, 2, 7, 0, 0};
    (void)state;
    search(&planner, &one, &fleet, false);
    assert_int_equal(fleet.runs, 7);
    assert_int_equal(planner.points[0].held, AQ_HELD_OPEN);
    assert_int_equal(knee(&planner, 1, 0), 0);
    aq_planner_close(&planner);
    one.clients_from = one.clients_to = 10; /* far from it two are enough */
    fleet = (struct fleet){.capacity = 1000, .noise = 0.01};
    search(&planner, &one, &fleet, false);
    assert_int_equal(fleet.runs, 2);
    assert_int_equal(planner.points[0].held, AQ_HELD_YES);
    aq_planner_close(&planner);
}

static void the_order_of_results_makes_no_difference(void **state) {
    struct aq_planner one, other;
    struct fleet first = {.capacity = 455, .noise = 0.2}, second = first;
    (void)state;
    search(&one, &grid, &first, false);
    search(&other, &grid, &second, true);
    assert_int_equal(first.runs, second.runs);
    for (uint32_t servers = 1; servers <= 8; servers++)
        assert_int_equal(knee(&one, servers, 0), knee(&other, servers, 0));
    aq_planner_close(&one);
    aq_planner_close(&other);
}

static void runs_go_through_one_number(void **state) {
    const struct aq_plan_run run = {4096, 100000, 4095, 64};
    struct aq_plan_run again = aq_plan_run_unpack(aq_plan_run_pack(&run));
    (void)state;
    assert_memory_equal(&run, &again, sizeof run);
}

static void every_search_belongs_to_one_part(void **state) {
    (void)state;
    for (uint32_t shards = 2; shards < 20; shards++)
        for (uint32_t survive = 0; survive < 5; survive += 2) {
            struct aq_planner whole, part;
            struct aq_plan_grid some = grid;
            uint32_t searches = 0;
            some.servers_from = 2;
            some.survive = survive;
            assert_int_equal(aq_planner_init(&whole, &some, &objective), 0);
            some.shards = shards;
            for (some.shard = 1; some.shard <= shards; some.shard++) {
                assert_int_equal(aq_planner_init(&part, &some, &objective), 0);
                searches += part.search_count;
                for (uint32_t i = 0; i < part.search_count; i++) {
                    const struct aq_plan_search *search = &part.searches[i];
                    struct aq_plan_search *own =
                        (struct aq_plan_search *)aq_planner_search(&whole, search->servers, search->down);
                    assert_false(own->done); /* else another part has it, too */
                    own->done = true;
                    /* what tells whether so few servers would do on their own */
                    bool is_there = aq_planner_search(&whole, search->servers - search->down, 0);
                    assert_int_equal(aq_planner_search(&part, search->servers - search->down, 0) != NULL,
                                     is_there);
                }
                aq_planner_close(&part);
            }
            assert_int_equal(searches, whole.search_count);
            assert_true(aq_planner_done(&whole));
            aq_planner_close(&whole);
        }
}

static void parts_come_to_what_the_whole_comes_to(void **state) {
    struct aq_planner whole, part;
    struct fleet all = {.capacity = 455, .noise = 0.2}, parts = all;
    struct aq_plan_grid some = grid;
    uint32_t knees = 0, runs[4], work[4] = {0};
    (void)state;
    some.survive = 1;
    search(&whole, &some, &all, false);
    some.shards = 4;
    for (some.shard = 1; some.shard <= 4; some.shard++) {
        runs[some.shard - 1] = parts.runs;
        search(&part, &some, &parts, false);
        for (uint32_t i = 0; i < part.search_count; i++, knees++) {
            const struct aq_plan_search *found = &part.searches[i];
            assert_int_equal(knee(&part, found->servers, found->down),
                             knee(&whole, found->servers, found->down));
            work[some.shard - 1] += found->servers - found->down;
        }
        assert_true(parts.runs > runs[some.shard - 1]);
        assert_int_equal(work[some.shard - 1], 16); /* of 64: 1 to 8 servers left, but for 8 twice */
        aq_planner_close(&part);
    }
    assert_int_equal(knees, 15);
    assert_int_equal(parts.runs, all.runs);
    aq_planner_close(&whole);
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    for (uint64_t n = 0; n < 8; n++) {
        struct aq_planner planner;
        aq_alloc_fail_after(n);
        assert_int_equal(aq_planner_init(&planner, &grid, &objective), AQ_ENOMEM);
        aq_alloc_fail_after(UINT64_MAX);
        aq_planner_close(&planner);
    }
    struct aq_plan_grid part = grid;
    part.shard = part.shards = 2;
    for (uint64_t n = 0; n < 8; n++) {
        struct aq_planner planner;
        aq_alloc_fail_after(n);
        assert_int_equal(aq_planner_init(&planner, &part, &objective), AQ_ENOMEM);
        aq_alloc_fail_after(UINT64_MAX);
        aq_planner_close(&planner);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_knee_of_each_number_of_servers_is_found),
        cmocka_unit_test(what_holds_everywhere_or_nowhere_has_no_knee),
        cmocka_unit_test(a_failure_with_too_few_clients_does_not_hide_the_knee),
        cmocka_unit_test(lost_servers_are_a_search_of_their_own),
        cmocka_unit_test(near_the_bound_it_takes_more_seeds_and_says_when_it_stays_open),
        cmocka_unit_test(the_order_of_results_makes_no_difference),
        cmocka_unit_test(runs_go_through_one_number),
        cmocka_unit_test(every_search_belongs_to_one_part),
        cmocka_unit_test(parts_come_to_what_the_whole_comes_to),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, parse, NULL);
}
