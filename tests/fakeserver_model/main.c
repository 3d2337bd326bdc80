/* Model and core side by side on random stories: they agree, and a planted difference is found. */
#include <stdlib.h>
#include <string.h>

#include "tests/base/test.h"
#include "tests/fakeserver_model/story.h"

#define PLANT_STEPS_MAX 10000

static struct {
    uint64_t seed;
    uint64_t steps;
} options = {.seed = 1, .steps = 1000000};

static struct story story;

/* Runs stories until this many steps are done, or one differs. Returns the steps up to the difference; 0 for
 * none. */
static uint64_t explore(struct stage *stage, uint64_t seed, uint64_t steps, enum plant plant) {
    struct aq_random random;
    aq_random_init(&random, seed, "model", 0);
    for (uint64_t done = 0, number = 0; done < steps; number++) {
        story.setup = generate_setup(&random, (enum mixture)(number % MIXTURE_COUNT));
        story.count = 20 + aq_random_below(&random, aq_random_below(&random, 16) ? 400 : STORY_OPS_MAX - 20);
        if (story.count > steps - done) story.count = (uint32_t)(steps - done);
        uint32_t end = story_run(stage, &story, plant, &random, NULL);
        if (end) {
            story.count = end;
            return done + end;
        }
        done += story.count;
    }
    return 0;
}

static void model_and_core_agree(void **state) {
    (void)state;
    struct stage *stage = stage_new();
    printf("seed %llu, %llu steps\n", (unsigned long long)options.seed, (unsigned long long)options.steps);
    uint64_t at = explore(stage, options.seed, options.steps, PLANT_NONE);
    if (at) {
        uint32_t before = story.count;
        story_shrink(stage, &story, PLANT_NONE);
        printf("step %llu differs; its story of %u operations in %u:\n", (unsigned long long)at, before,
               story.count);
        story_run(stage, &story, PLANT_NONE, NULL, stdout);
    }
    stage_free(stage);
    assert_int_equal(at, 0);
}

static void a_planted_difference_is_found(void **state) {
    (void)state;
    struct stage *stage = stage_new();
    uint32_t missed = 0;
    for (int plant = PLANT_NONE + 1; plant < PLANT_COUNT; plant++) {
        uint64_t at = explore(stage, options.seed, PLANT_STEPS_MAX, (enum plant)plant);
        missed += at == 0;
        if (at) story_shrink(stage, &story, (enum plant)plant);
        printf("%-18s %6llu steps, %3u operations: %s\n", plant_name((enum plant)plant),
               (unsigned long long)at, at ? story.count : 0, plant_text((enum plant)plant));
    }
    stage_free(stage);
    assert_int_equal(missed, 0);
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) options.seed = strtoull(argv[i + 1], NULL, 0);
        if (strcmp(argv[i], "--steps") == 0) options.steps = strtoull(argv[i + 1], NULL, 0);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_and_core_agree),
        cmocka_unit_test(a_planted_difference_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
