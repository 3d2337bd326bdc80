/* Random operations: mostly sensible, aimed at jobs in the states and at the moments where rules meet. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_GENERATE_H
#define AQ_TESTS_FAKESERVER_MODEL_GENERATE_H

#include "base/random.h"
#include "tests/fakeserver_model/model.h"

enum mixture { MIXTURE_STRICT, MIXTURE_UPSTREAM, MIXTURE_ROWS, MIXTURE_COUNT };

/* How a server is set up: a profile as it is, or each row of the policy table as one of the two has it. */
struct setup generate_setup(struct aq_random *random, enum mixture mixture);

/* The next operation of a story, given what the model holds at now_us. */
struct operation generate_operation(struct aq_random *random, const struct model *model, aq_time_us now_us,
                                    uint32_t serial);

#endif
