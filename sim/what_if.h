/* Comparisons: variants of a scenario under the same seeds, and what they differ in. */
#ifndef AQ_SIM_WHAT_IF_H
#define AQ_SIM_WHAT_IF_H

#include "base/arena.h"
#include "base/error.h"
#include "sim/measure.h"
#include "sim/statistics.h"

#define AQ_WHAT_IF_VARY_MAX     8   /* settings that vary */
#define AQ_WHAT_IF_VARIANTS_MAX 256 /* all values of one with all of the others */
#define AQ_WHAT_IF_SEEDS_MAX    1000

/* A setting that varies. */
struct aq_what_if_vary {
    const char *settings[AQ_WHAT_IF_VARIANTS_MAX]; /* "clients.count=100", one for each value; in the arena */
    uint32_t count;                                /* at least 2 */
};

/* Reads "PATH=VALUE,VALUE,...": commas within brackets, braces and quotes belong to the value. Errors:
   AQ_EPARSE (fewer than two values, no path), AQ_ELIMIT, AQ_ENOMEM; *error says more; *out untouched. */
int aq_what_if_parse(const char *text, struct aq_arena *memory, struct aq_what_if_vary *out,
                     struct aq_error *error);

/* The settings of a variant, one for each that varies; the first varies slowest. Variant 0 has the first
 * value of each.
 */
void aq_what_if_settings(const struct aq_what_if_vary *vary, uint32_t vary_count, uint32_t variant,
                         const char *settings[AQ_WHAT_IF_VARY_MAX]);
uint32_t aq_what_if_variants(const struct aq_what_if_vary *vary, uint32_t vary_count);

/* A figure of a variant over the seeds, and the difference to that of variant 0 with the same seed. Seeds of
   which either has nothing to measure are left out. */
struct aq_what_if_difference {
    struct aq_mean_interval value, difference;
    uint32_t pairs;
    bool differs; /* the interval of the difference does not hold 0 */
};
void aq_what_if_compare(const struct aq_measured *base, const struct aq_measured *other, uint32_t seeds,
                        const char *figure, struct aq_what_if_difference *out);

#endif
