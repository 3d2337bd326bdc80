/* A story: a server's setup and operations on it, carried out on the model and on the core side by side. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_STORY_H
#define AQ_TESTS_FAKESERVER_MODEL_STORY_H

#include "tests/fakeserver_model/generate.h"
#include "tests/fakeserver_model/rig.h"

struct story {
    struct setup setup;
    struct operation operations[STORY_OPS_MAX];
    uint32_t count;
};

/* Both sides, and room for what they tell. */
struct stage {
    struct model model;
    struct rig rig;
    struct seen by_model, by_core;
};
struct stage *stage_new(void);
void stage_free(struct stage *stage);

/* Carries out story->count operations. With `random` it makes each of them up first. Returns how many were
   carried out up to and with the first after which model and core differ; 0: they never do. With `out`
   the story is told there. */
uint32_t story_run(struct stage *stage, struct story *story, enum plant plant, struct aq_random *random,
                   FILE *out);

/* Takes out of a story that differs all that is not needed for it. */
void story_shrink(struct stage *stage, struct story *story, enum plant plant);

#endif
