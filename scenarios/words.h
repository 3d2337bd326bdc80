/* The closed lists of words that scenarios use. */
#ifndef AQ_SCENARIOS_WORDS_H
#define AQ_SCENARIOS_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct aq_words {
    const char *const *list; /* in the order of the enum that they stand for */
    uint32_t count;
};

extern const struct aq_words aq_words_faults;         /* enum aq_fault_kind */
extern const struct aq_words aq_words_checks;         /* enum aq_check */
extern const struct aq_words aq_words_taps;           /* enum aq_tap_kind */
extern const struct aq_words aq_words_actions;        /* enum aq_action */
extern const struct aq_words aq_words_server_actions; /* enum aq_action, as far as servers see them */
/* put, get and done: what latency and availability are judged on */
extern const struct aq_words aq_words_slo_actions;
extern const struct aq_words aq_words_profiles;    /* enum aq_profile */
extern const struct aq_words aq_words_fidelities;  /* bool wire */
extern const struct aq_words aq_words_commands;    /* enum aq_command_kind */
extern const struct aq_words aq_words_noops;       /* enum aq_noop */
extern const struct aq_words aq_words_get_deletes; /* enum aq_get_delete */
extern const struct aq_words aq_words_balancers;   /* enum aq_balancer */
extern const struct aq_words aq_words_directions;  /* enum aq_direction */
extern const struct aq_words aq_words_disks;       /* bool disk_lost */
/* what the name of an expected figure begins with: see reports/record_measure.h */
extern const struct aq_words aq_words_figure_groups;
extern const struct aq_words aq_words_dialects; /* enum aq_dialect */

/* False, *index untouched, for an unknown word. */
bool aq_words_find(const struct aq_words *words, const char *word, uint32_t *index);

#endif
