/* The tables of keys: everything that a scenario file may say, one row a key. The parser, the suggestions for
   misspelt keys, the JSON Schema and the check of docs/SCENARIOS.md all live on these rows. */
#ifndef AQ_SCENARIOS_KEYS_H
#define AQ_SCENARIOS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/message.h"
#include "scenarios/words.h"

#define AQ_QUANTILES_MAX 1001 /* of one distribution; finer than any measurement needs */

/* X(NAME, reader), with the C type of the field at offset, or the struct and the fields that it fills */
#define AQ_KEY_TYPES(X)                                                                                      \
    X(IGNORED, ignored)               /* text or list of texts, checked and forgotten */                     \
    X(TEXT, text)                     /* char * */                                                           \
    X(NAME, name)                     /* char *, letters, digits and a few signs */                          \
    X(TUBE, tube)                     /* char *, likewise, of any language */                                \
    X(BOOL, bool)                     /* bool */                                                             \
    X(COUNT, count)                   /* uint32_t */                                                         \
    X(COUNT64, count64)               /* uint64_t */                                                         \
    X(INTEGER, integer)               /* int32_t */                                                          \
    X(NUMBER, number)                 /* double */                                                           \
    X(BYTES, bytes)                   /* uint32_t; a whole number or "64kB" */                               \
    X(SPAN, span)                     /* aq_time_us */                                                       \
    X(SECONDS, seconds)               /* int64_t; a span of whole seconds */                                 \
    X(TTL, ttl)                       /* struct aq_producer_section: ttl_given, ttl_s */                     \
    X(JUMP, jump)                     /* int64_t microseconds, may be negative */                            \
    X(RATE, rate)                     /* double per second */                                                \
    X(DISTRIBUTION, distribution)     /* struct aq_distribution */                                           \
    X(SERVICE, service)               /* struct aq_service_model */                                          \
    X(WORD, word)                     /* an enum, index into words */                                        \
    X(FLAG_WORD, flag_word)           /* bool, index into two words */                                       \
    X(ACTIONS, actions)               /* uint32_t, bits */                                                   \
    X(ON, on)                         /* struct aq_fault_spec: on_event, on */                               \
    X(SELECTION, selection)           /* struct aq_selection */                                              \
    X(SERVER, server)                 /* struct aq_fault_spec: server_list of one */                         \
    X(SERVER_LIST, server_list)       /* struct aq_fault_spec: server_list */                                \
    X(GROUP_SERVERS, group_servers)   /* struct aq_client_group: servers */                                  \
    X(PRIORITY, priority)             /* struct aq_producer_section: priority_min, priority_max */           \
    X(ARRIVALS, arrivals)             /* struct aq_producer_section: arrivals, rate_per_s, burst_jobs */     \
    X(CLIENT_POLICY, client_policy)   /* struct aq_client_section: policy, after profile */                  \
    X(SERVER_POLICY, server_policy)   /* struct aq_server_section: policy, after profile */                  \
    X(EXPECTATION, expectation)       /* struct aq_expectation */                                            \
    X(SECTION, section)               /* a struct, by the keys of `object` */                                \
    X(TUBES, tubes)                   /* struct aq_worker_section: further_tubes */                          \
    X(RANGE, range)                   /* struct aq_range */                                                  \
    X(COMMANDS, commands)             /* struct aq_scenario: commands */                                     \
    X(GROUPS, groups)                 /* struct aq_client_section: groups */                                 \
    X(EXEC, exec)                     /* struct aq_client_section: exec */                                   \
    X(CONNECT, connect)               /* struct aq_server_section: connect, count */                         \
    X(FAULTS, faults)                 /* struct aq_scenario: faults */                                       \
    X(SLOS, slos)                     /* struct aq_scenario: slos */                                         \
    X(MARKS, marks)                   /* struct aq_mark_list */                                              \
    X(DRAWN_SETTINGS, drawn_settings) /* checked; scenarios/draw.c reads them from the text */               \
    X(DRAWN_FAULTS, drawn_faults)     /* likewise */

enum aq_key_type {
#define X(name, reader) AQ_KEY_##name,
    AQ_KEY_TYPES(X)
#undef X
        AQ_KEY_TYPE_COUNT
};

struct aq_object;

struct aq_key {
    const char *name;
    enum aq_key_type type;
    size_t offset;        /* of the field in its struct; for types that fill several fields, 0 */
    const char *standard; /* the default as JSON text; NULL: the field stays zero */
    const char *text;     /* one sentence: what it means */
    double min,
        max;    /* allowed range in the field's unit; for lists, of their length; max 0: no upper bound */
    bool above; /* the value has to be more than min; for a distribution, its mean */
    bool never; /* SPAN: "never" is allowed */
    bool required;
    const struct aq_words *words;   /* WORD, FLAG_WORD, ACTIONS */
    const struct aq_object *object; /* SECTION, GROUPS, FAULTS, SLOS */
};

struct aq_object {
    const char *name; /* as docs/SCENARIOS.md calls it */
    const struct aq_key *keys;
    size_t count; /* at most 64: sets of keys are bits */
};

/* All of them, the top level first; NULL-terminated. */
extern const struct aq_object *const aq_objects[];

extern const struct aq_object aq_object_scenario;
extern const struct aq_object aq_object_fault;
extern const struct aq_object aq_object_command;
extern const struct aq_object aq_object_slo;

/* What an SLO says before it is known which of its forms it has. */
struct aq_slo_words {
    uint32_t latency, availability; /* index into aq_words_slo_actions */
    double percentile;
    uint64_t below_us;
    double above;
    double throughput_per_s;
    double empty_gets;
};

/* The forms that an SLO may have: the keys of each, all required; the first names the form. In the
   order of enum aq_slo_kind. */
extern const char *const aq_slo_forms[4];

/* Which keys mean something for a kind of fault, beside AQ_FAULT_COMMON_KEYS. */
struct aq_fault_keys {
    bool momentary;       /* it strikes and is over: "for" means nothing */
    const char *keys;     /* separated by blanks */
    const char *required; /* likewise; NULL: none */
};

#define AQ_FAULT_COMMON_KEYS "kind name at on every times may_miss"
#define AQ_NOT_DRAWN_KEYS    "explore faults plan seed" /* keys of the file that are no settings of explore */
#define AQ_DRAWN_FAULT_KEYS  "family instances when" /* of the faults of explore, beside those of the kind */

extern const struct aq_fault_keys aq_fault_keys[]; /* by enum aq_fault_kind */

/* Likewise for a kind of command, beside AQ_COMMAND_COMMON_KEYS. */
struct aq_command_keys {
    enum aq_action action;
    const char *keys, *required;
};

#define AQ_COMMAND_COMMON_KEYS "action at every times client"

extern const struct aq_command_keys aq_command_keys[]; /* by enum aq_command_kind */

/* Does a list of words separated by blanks hold this one? NULL is an empty list. */
bool aq_key_listed(const char *list, const char *name);

/* The row called name, or NULL; *index, if wanted, is its place. */
const struct aq_key *aq_key_find(const struct aq_object *object, const char *name, size_t *index);

#endif
