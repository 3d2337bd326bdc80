#include "client/internal.h"

void aq_client_effects_close(struct aq_client_effects *effects) {
    aq_free(effects->items);
    aq_arena_close(&effects->texts);
    *effects = (struct aq_client_effects){0};
}

/* Never NULL: a step begins with room for one effect, and where there is no memory for more, the step has
   failed and what it writes is never read. */
struct aq_client_effect *aq_effects_add(struct aq_client *client, enum aq_client_effect_kind kind,
                                        uint32_t address) {
    struct aq_client_effects *effects = client->effects;
    if (__builtin_expect(effects->count == effects->capacity, 0))
        if (aq_array_reserve(&effects->items, &effects->capacity, (size_t)effects->count + 1,
                             sizeof *effects->items)) {
            client->failed = true;
            effects->count = 0;
        }
    struct aq_client_effect *effect = &effects->items[effects->count++];
    effect->kind = kind;
    effect->server = address;
    effect->correlation = 0;
    effect->mark = 0;
    effect->action = AQ_ACTION_COUNT;
    effect->outcome = AQ_OUTCOME_OK;
    effect->own = false;
    effect->call = 0;
    effect->reply = NULL;
    return effect;
}

void aq_effects_mark(struct aq_client *client, enum aq_client_mark mark) {
    aq_effects_add(client, AQ_CLIENT_MARK, NONE)->mark = mark;
}

void aq_effects_membership(struct aq_client *client) {
    if (!client->membership_changed) return;
    client->membership_changed = false;
    aq_effects_add(client, AQ_CLIENT_MEMBERSHIP, NONE);
}

const char *aq_outcome_word(enum aq_outcome outcome) {
    switch (outcome) {
    case AQ_OUTCOME_OK: return "ok";
    case AQ_OUTCOME_REFUSED: return "refused";
    case AQ_OUTCOME_UNAVAILABLE: return "unavailable";
    case AQ_OUTCOME_UNKNOWN: return "unknown";
    case AQ_OUTCOME_INVALID: return "invalid";
    case AQ_OUTCOME_EMPTY: return "empty";
    }
    AQ_ASSERT(!"an outcome");
    return "";
}

const char *aq_client_mark_word(enum aq_client_mark mark) {
    static const char *const words[AQ_CLIENT_MARK_COUNT] = {
#define X(name, word) word,
        AQ_CLIENT_MARKS(X)
#undef X
    };
    AQ_ASSERT(mark < AQ_CLIENT_MARK_COUNT);
    return words[mark];
}
