/* Swarms: from each seed a scenario is drawn within the bounds that the section `explore` sets. The drawn one
   is a plain scenario, text and all: allqsim run repeats it. Each setting and each family of faults has a
   random stream of its own, apart from those of the runs, so that a further one shifts no other. */
#ifndef AQ_SCENARIOS_DRAW_H
#define AQ_SCENARIOS_DRAW_H

#include "base/error.h"
#include "scenarios/scenario.h"

struct aq_draw; /* opaque: the parsed text of a scenario */

/* The scenario is not needed after that. Errors: AQ_ENOMEM (*out untouched). */
int aq_draw_new(const struct aq_scenario *scenario, struct aq_draw **out);
void aq_draw_free(struct aq_draw *draw); /* NULL is fine */

/* The scenario of a seed, which is its default seed. Without a section `explore` that is the scenario itself.
   *summary, where wanted, is one line that tells what was drawn, for aq_free. Errors: AQ_EINVALID (the draws
   led to no valid scenario: *error says the seed, the place and why), AQ_ENOMEM; outputs untouched. */
int aq_draw_scenario(const struct aq_draw *draw, uint64_t seed, struct aq_scenario **out, char **summary,
                     struct aq_error *error);

/* ---- for the loader ---- */

/* A value in the section `explore` is a plain one, or an object of exactly one key that says how it is drawn.
   X(NAME, word) */
#define AQ_DRAWS(X)                                                                                          \
    X(RANGE, "range")             /* [a, b]: evenly between two numbers, durations or rates */               \
    X(LOG_RANGE, "log_range")     /* the same, evenly in their logarithms */                                 \
    X(ANY_OF, "any_of")           /* one of a list, each as likely */                                        \
    X(CHANCE, "chance")           /* true with this probability, otherwise false */                          \
    X(SHARE, "share_of_duration") /* [a, b]: a duration, evenly between these shares of the drawn one */     \
    X(INDEX, "index_of")          /* "servers", "clients", "workers": one of the drawn ones */               \
    X(SUBSET, "subset_of")        /* likewise: a list of one or more of them */

enum aq_draw_kind {
#define X(name, word) AQ_DRAW_##name,
    AQ_DRAWS(X)
#undef X
        AQ_DRAW_COUNT
};

#endif
