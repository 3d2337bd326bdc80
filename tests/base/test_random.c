/* Seeded streams: stable values, independence, no bias. */
#include "test.h"

#include <math.h>

#include "base/random.h"

/* Computed by a second implementation, in another language: a change of generator or seeding breaks every
 * stored seed. */
static void streams_have_known_values(void **state) {
    (void)state;
    static const struct {
        uint64_t seed;
        const char *name;
        uint64_t index;
        uint64_t values[3];
    } cases[] = {
        {1,
         "client",
         0,
         {UINT64_C(0xc4fa6102090fd196), UINT64_C(0x05f310e6c0bd5da4), UINT64_C(0xc70fe2c002ac8596)}},
        {1,
         "client",
         1,
         {UINT64_C(0x6d2bc0f1864a8ef0), UINT64_C(0xed854db156274db8), UINT64_C(0xaee009804a3f54ef)}},
        {0,
         "",
         0,
         {UINT64_C(0xa7715fe4e8b43382), UINT64_C(0x697487ff0af25c46), UINT64_C(0x5464bce41e6c9aec)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aq_random random;
        aq_random_init(&random, cases[i].seed, cases[i].name, cases[i].index);
        for (int j = 0; j < 3; j++)
            assert_true(aq_random_u64(&random) == cases[i].values[j]);
    }
}

static void seed_name_and_index_each_make_another_stream(void **state) {
    (void)state;
    static const struct {
        uint64_t seed;
        const char *name;
        uint64_t index;
    } streams[] = {{1, "client", 0}, {1, "client", 1},  {1, "server", 0}, {2, "client", 0},
                   {1, "clien", 0},  {1, "client0", 0}, {1, "", 0},       {0, "client", 1}};
    enum { STREAMS = sizeof streams / sizeof *streams, VALUES = 50 };
    uint64_t values[STREAMS][VALUES];
    for (int i = 0; i < STREAMS; i++) {
        struct aq_random random;
        aq_random_init(&random, streams[i].seed, streams[i].name, streams[i].index);
        for (int j = 0; j < VALUES; j++)
            values[i][j] = aq_random_u64(&random);
    }
    for (int i = 0; i < STREAMS * VALUES; i++)
        for (int j = 0; j < i; j++)
            assert_true(values[i / VALUES][i % VALUES] != values[j / VALUES][j % VALUES]);
}

/* Chi-square of n cells: mean n-1, variance 2(n-1). Six deviations are passed by chance once in millions. */
static void below_has_no_favourite(void **state) {
    (void)state;
    static const uint32_t sizes[] = {2, 3, 7, 10, 100, 1000};
    static uint32_t cells[1000];
    struct aq_random random;
    aq_random_init(&random, 1, "below", 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t n = sizes[i], draws = 200000;
        for (uint32_t j = 0; j < n; j++)
            cells[j] = 0;
        for (uint32_t j = 0; j < draws; j++) {
            uint32_t drawn = aq_random_below(&random, n);
            assert_true(drawn < n);
            cells[drawn]++;
        }
        double expected = (double)draws / n, chi2 = 0;
        for (uint32_t j = 0; j < n; j++)
            chi2 += (cells[j] - expected) * (cells[j] - expected) / expected;
        assert_true(chi2 < n - 1 + 6 * sqrt(2.0 * (n - 1)) + 10);
    }
}

/* With n = 3 * 2^30 a plain multiplication would give every third number twice the weight. */
static void below_is_unbiased_for_large_ranges(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "below", 1);
    uint32_t n = UINT32_C(3) << 30, residues[3] = {0}, draws = 300000;
    for (uint32_t i = 0; i < draws; i++)
        residues[aq_random_below(&random, n) % 3]++;
    double sigma = sqrt(draws * (1.0 / 3) * (2.0 / 3));
    for (int i = 0; i < 3; i++)
        assert_true(fabs(residues[i] - draws / 3.0) < 6 * sigma);
    assert_int_equal(aq_random_below(&random, 1), 0);
}

static void unit_is_uniform_and_below_one(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "unit", 0);
    double sum = 0, squares = 0;
    int draws = 200000;
    for (int i = 0; i < draws; i++) {
        double u = aq_random_unit(&random);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / draws - 0.5) < 6 * sqrt(1.0 / 12 / draws));
    assert_true(fabs(squares / draws - 1.0 / 3) < 6 * sqrt(4.0 / 45 / draws));
}

static void certain_chances_draw_nothing(void **state) {
    (void)state;
    struct aq_random random, before;
    aq_random_init(&random, 1, "chance", 0);
    before = random;
    assert_false(aq_random_chance(&random, 0));
    assert_true(aq_random_chance(&random, 1));
    assert_memory_equal(&random, &before, sizeof random);
    int hits = 0, draws = 100000;
    for (int i = 0; i < draws; i++)
        hits += aq_random_chance(&random, 0.3);
    assert_true(fabs(hits - 0.3 * draws) < 6 * sqrt(0.3 * 0.7 * draws));
}

static void exponential_and_normal_have_their_moments(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "moments", 0);
    double exponential = 0, normal = 0, squares = 0;
    int draws = 200000, beyond_two = 0;
    for (int i = 0; i < draws; i++) {
        double e = aq_random_exponential(&random), z = aq_random_normal(&random);
        assert_true(e >= 0 && isfinite(e));
        exponential += e;
        normal += z;
        squares += z * z;
        beyond_two += fabs(z) > 2;
    }
    assert_true(fabs(exponential / draws - 1) < 6 / sqrt(draws));
    assert_true(fabs(normal / draws) < 6 / sqrt(draws));
    assert_true(fabs(squares / draws - 1) < 6 * sqrt(2.0 / draws));
    double share = 0.0455002638963584; /* P(|Z| > 2) */
    assert_true(fabs(beyond_two - share * draws) < 6 * sqrt(share * (1 - share) * draws));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_have_known_values),
        cmocka_unit_test(seed_name_and_index_each_make_another_stream),
        cmocka_unit_test(below_has_no_favourite),
        cmocka_unit_test(below_is_unbiased_for_large_ranges),
        cmocka_unit_test(unit_is_uniform_and_below_one),
        cmocka_unit_test(certain_chances_draw_nothing),
        cmocka_unit_test(exponential_and_normal_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
