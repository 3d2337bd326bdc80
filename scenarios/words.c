#include "scenarios/words.h"

#include "base/assert.h"
#include "scenarios/scenario.h"

#define WORDS(name, ...)                                                                                     \
    static const char *const name##_list[] = {__VA_ARGS__};                                                  \
    const struct aq_words aq_words_##name = {name##_list, sizeof name##_list / sizeof *name##_list}

#define X(name, word, text) word,
WORDS(faults, AQ_FAULT_KINDS(X));
#undef X
#define X(name, word, action, keys, required) word,
WORDS(commands, AQ_COMMANDS(X));
#undef X
#define X(name, word) word,
WORDS(checks, AQ_CHECKS(X));
WORDS(taps, AQ_TAPS(X));
WORDS(actions, AQ_ACTIONS(X));
WORDS(figure_groups, AQ_CHECKS(X) "jobs", "completions", "latency", "failover", "servers", "faults", "marks",
      "run");
#undef X
WORDS(profiles, "strict", "upstream");
WORDS(fidelities, "message", "wire");
WORDS(noops, "none", "inner", "all");
WORDS(get_deletes, "unsaid", "false", "true");
WORDS(balancers, "none", "per_request", "per_connection");
WORDS(directions, "both", "to_server", "to_client");
WORDS(disks, "kept", "lost");
WORDS(dialects, "json_lines", "rest");
WORDS(slo_actions, "put", "get", "done");

/* The last three actions are a client's own: they never reach a server. */
const struct aq_words aq_words_server_actions = {actions_list, AQ_ACTION_DRAIN};

_Static_assert(AQ_ACTION_DRAIN == AQ_ACTION_COUNT - 3, "the client's own actions are the last ones");

bool aq_words_find(const struct aq_words *words, const char *word, uint32_t *index) {
    for (uint32_t i = 0; i < words->count; i++)
        if (strcmp(words->list[i], word) == 0) {
            *index = i;
            return true;
        }
    return false;
}

const char *aq_fault_word(enum aq_fault_kind kind) {
    AQ_ASSERT((unsigned)kind < AQ_FAULT_KIND_COUNT);
    return aq_words_faults.list[kind];
}

const char *aq_check_word(enum aq_check check) {
    AQ_ASSERT((unsigned)check < AQ_CHECK_COUNT);
    return aq_words_checks.list[check];
}
