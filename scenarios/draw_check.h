/* What the section `explore` may hold, for the loader and for drawing. */
#ifndef AQ_SCENARIOS_DRAW_CHECK_H
#define AQ_SCENARIOS_DRAW_CHECK_H

#include "scenarios/draw.h"
#include "scenarios/reader.h"

extern const struct aq_words aq_words_draws; /* enum aq_draw_kind */
extern const struct aq_words aq_words_drawn; /* what index_of and subset_of draw from */

/* One end of a range: its value in `unit`, the text behind the number ("" for a plain one). */
struct aq_draw_end {
    double value;
    char unit[8];
    bool whole; /* it was written without a fraction */
};

/* Reads a number, a duration or a rate. False for anything else. */
bool aq_draw_read_end(const cJSON *json, struct aq_draw_end *out);

/* Microseconds in a unit of durations; 0 for other units. */
double aq_draw_unit_us(const char *unit);

/* Is the value a draw? *kind and *body say which. */
bool aq_draw_is(const cJSON *json, enum aq_draw_kind *kind, const cJSON **body);

#endif
