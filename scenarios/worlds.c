/* What only one of the two worlds can do. */
#include "scenarios/load.h"

/* Faults that act on bytes: the virtual network carries whole messages and knows no sizes. */
static bool needs_bytes(enum aq_fault_kind kind) {
    return kind == AQ_FAULT_BANDWIDTH || kind == AQ_FAULT_CHOP || kind == AQ_FAULT_CORRUPT ||
           kind == AQ_FAULT_SLOW_CLOSE;
}

int aq_scenario_check_world(const struct aq_scenario *scenario, bool live, struct aq_error *error) {
    for (uint32_t i = 0; !live && i < scenario->fault_count; i++) {
        enum aq_fault_kind kind = scenario->faults[i].kind;
        if (needs_bytes(kind))
            return aq_error_set(error, AQ_EUNSUPPORTED, "faults[%u]: fault \"%s\" needs --world live", i,
                                aq_fault_word(kind));
    }
    return 0;
}
