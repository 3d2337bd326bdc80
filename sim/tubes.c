#include "base/assert.h"
#include "base/memory.h"
#include "sim/workload_internal.h"

#include <string.h>

struct names {
    char *at, *end;
    const char *suffix;
};

static size_t length_of(const char *tube, const char *suffix) {
    return tube && *tube ? strlen(tube) + strlen(suffix) : 0;
}

static size_t length_of_all(const struct aq_scenario *s, const char *suffix) {
    size_t sum = length_of(s->workers.tube, suffix) + length_of(s->producers.tube, suffix) +
                 length_of(s->producers.parents.tube, suffix);
    for (uint32_t i = 0; i < s->workers.further_tube_count; i++)
        sum += length_of(s->workers.further_tubes[i], suffix);
    for (uint32_t i = 0; i < s->command_count; i++)
        sum += length_of(s->commands[i].tube, suffix);
    return sum;
}

/* No name stays none. */
static struct aq_text name(struct names *names, const char *tube) {
    size_t len = length_of(tube, names->suffix);
    if (len == 0) return (struct aq_text){0};
    AQ_ASSERT((size_t)(names->end - names->at) >= len);
    size_t own = strlen(tube);
    memcpy(names->at, tube, own);
    memcpy(names->at + own, names->suffix, len - own);
    names->at += len;
    return (struct aq_text){names->at - len, (uint32_t)len};
}

int tubes_init(struct aq_workload *w, const char *suffix) {
    const struct aq_scenario *s = w->scenario;
    struct names names = {.suffix = suffix ? suffix : ""};
    size_t bytes = length_of_all(s, names.suffix);
    w->worker_tube_count = 1 + s->workers.further_tube_count;
    w->worker_tubes = aq_alloc(w->worker_tube_count * sizeof *w->worker_tubes);
    w->command_tubes = aq_alloc_zeroed((size_t)s->command_count + 1, sizeof *w->command_tubes);
    w->tube_names = aq_alloc(bytes + 1);
    if (!w->worker_tubes || !w->command_tubes || !w->tube_names) return AQ_ENOMEM;
    names.at = w->tube_names;
    names.end = w->tube_names + bytes;
    w->worker_tubes[0] = name(&names, s->workers.tube);
    for (uint32_t i = 0; i < s->workers.further_tube_count; i++)
        w->worker_tubes[i + 1] = name(&names, s->workers.further_tubes[i]);
    w->producer_tube = name(&names, s->producers.tube);
    w->child_tube = name(&names, s->producers.parents.tube);
    for (uint32_t i = 0; i < s->command_count; i++)
        w->command_tubes[i] = name(&names, s->commands[i].tube);
    return 0;
}

void tubes_close(struct aq_workload *w) {
    aq_free(w->worker_tubes);
    aq_free(w->command_tubes);
    aq_free(w->tube_names);
}
