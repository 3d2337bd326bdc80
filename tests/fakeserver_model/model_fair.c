/* Fair queues: tubes that are many. */
#include "tests/fakeserver_model/model_parts.h"

int model_put_tube(const struct model *model) {
    return model->operation->tube;
}
