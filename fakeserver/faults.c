#include "fakeserver/faults.h"

#include "base/assert.h"

static const char *const words[] = {
#define X(name, word) word,
    AQ_SERVER_FAULTS(X)
#undef X
};

const char *aq_server_fault_word(enum aq_server_fault_kind kind) {
    AQ_ASSERT((unsigned)kind < AQ_SERVER_FAULT_COUNT);
    return words[kind];
}

bool aq_fault_decide(struct aq_fault_rule *rule, enum aq_action action, struct aq_text tube,
                     struct aq_random *random) {
    if (rule->actions && !(rule->actions >> action & 1)) return false;
    if (rule->tube.len && !aq_text_equal(rule->tube, tube)) return false;
    rule->matched++;
    if (rule->nth && rule->matched != rule->nth) return false;
    if (!aq_random_chance(random, rule->probability)) return false;
    rule->touched++;
    return true;
}
