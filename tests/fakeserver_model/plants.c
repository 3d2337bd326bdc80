#include "tests/fakeserver_model/plants.h"

static const struct {
    const char *name, *text;
    enum aq_action action;
} plants[PLANT_COUNT] = {[PLANT_NONE] = {"NONE", "nothing is wrong", AQ_ACTION_COUNT},
#define X(name, action, text) [PLANT_##name] = {#name, text, AQ_ACTION_##action},
                         PLANTS(X)
#undef X
};

const char *plant_name(enum plant plant) {
    return plants[plant].name;
}

const char *plant_text(enum plant plant) {
    return plants[plant].text;
}

enum aq_action plant_action(enum plant plant) {
    return plants[plant].action;
}
