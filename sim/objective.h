/* Objectives as text: "p99(get_to_done) < 250ms, empty_get_ratio < 20%". Terms are separated by commas and
   all of them have to hold. A term is a measure, a comparison (<, <=, >, >=) and a bound. */
#ifndef AQ_SIM_OBJECTIVE_H
#define AQ_SIM_OBJECTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define AQ_OBJECTIVE_TERMS_MAX 16
#define AQ_MEASURE_CHARS_MAX   80

struct aq_objective_term {
    char text[2 * AQ_MEASURE_CHARS_MAX]; /* as written */
    char measure[AQ_MEASURE_CHARS_MAX];  /* the measure, as written: "p99(get)" */
    char figure[AQ_MEASURE_CHARS_MAX];   /* its name for aq_record_measure: "run.steady_get_p99_s" */
    bool at_least;                       /* the measure has to be above the bound; otherwise below */
    bool or_equal;                       /* the bound itself is good enough */
    double bound;                        /* seconds, per second, a ratio, or a plain number */
};

struct aq_objective {
    struct aq_objective_term terms[AQ_OBJECTIVE_TERMS_MAX];
    uint32_t count; /* at least 1 */
};

/* Measures: QUANTITY(SPAN) with QUANTITY p50, p90, p95, p99, p999, mean or max and SPAN put, get, done, wait,
   put_to_done or get_to_done; throughput; the names of aq_objective_names; or any name of aq_record_measure
   with a dot in it. Bounds: spans take a unit (us, ms, s, m, h), throughput and growth "/s", "/m" or "/h",
   ratios a plain number or "%". `origin` stands before the place in errors, such as "--slo". Errors:
   AQ_EPARSE; *error names the column, what was found, and what is allowed; *out untouched. */
int aq_objective_parse(const char *text, const char *origin, struct aq_objective *out,
                       struct aq_error *error);

/* The name for aq_record_measure of a measure alone. Errors: AQ_EPARSE, as above. */
int aq_objective_figure(const char *measure, const char *origin, char figure[AQ_MEASURE_CHARS_MAX],
                        struct aq_error *error);

/* What an interval of the measure says of a term. */
enum aq_held { AQ_HELD_NO, AQ_HELD_YES, AQ_HELD_OPEN };
const char *aq_held_word(enum aq_held held); /* "fails", "holds", "open": literals */

/* With the whole interval on the good side the term holds, with the whole on the bad side it does not. NaN:
   it does not, since there was nothing to measure. */
enum aq_held aq_objective_judge(const struct aq_objective_term *term, double low, double high);

#endif
