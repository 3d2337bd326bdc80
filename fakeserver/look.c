/* A look inside the server, for replay: nothing changes. */
#include <string.h>

#include "fakeserver/internal.h"

void aq_server_each_tube(const struct aq_server *server,
                         void (*visit)(void *arg, const struct aq_tube_view *tube), void *arg) {
    for (uint32_t i = 0; i < server->tubes.count; i++) {
        const struct aq_tube *tube = &server->tubes.items[i];
        struct aq_tube_view view = {.name = tube->name, .paused = tube->paused, .tps = tube->throttle.tps};
        memcpy(view.jobs, tube->jobs, sizeof view.jobs);
        visit(arg, &view);
    }
}

void aq_server_each_rule(const struct aq_server *server,
                         void (*visit)(void *arg, const struct aq_fault_rule *rule), void *arg) {
    for (uint32_t i = 0; i < server->rule_count; i++)
        visit(arg, &server->rules[i]);
}
