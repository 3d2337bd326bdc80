#include "client/policy.h"

const struct aq_client_policy aq_client_policy_strict = {
#define X(type, c_type, field, strict, upstream, text) .field = (strict),
    AQ_CLIENT_POLICIES(X)
#undef X
};

const struct aq_client_policy aq_client_policy_upstream = {
#define X(type, c_type, field, strict, upstream, text) .field = (upstream),
    AQ_CLIENT_POLICIES(X)
#undef X
};

/* A row is called as its field; spans without the suffix of their unit, which the preprocessor cannot cut off
 * by itself. */
#define NAME_BOOL(field)        #field
#define NAME_COUNT(field)       #field
#define NAME_WORD(field)        #field
#define NAME_SPAN(field)        SPAN_##field
#define SPAN_connect_timeout_us "connect_timeout"
#define SPAN_request_timeout_us "request_timeout"
#define SPAN_call_timeout_us    "call_timeout"
#define SPAN_backoff_pause_us   "backoff_pause"
#define SPAN_rebuild_wait_us    "rebuild_wait"
#define SPAN_reconnect_pause_us "reconnect_pause"
#define SPAN_sick_sweep_us      "sick_sweep"
#define SPAN_probe_first_us     "probe_first"
#define SPAN_probe_max_us       "probe_max"
#define SPAN_probe_timeout_us   "probe_timeout"
#define SPAN_drain_sweep_us     "drain_sweep"

static const char *const words_of_select[] = {
#define X(name, word) word,
    AQ_SELECTS(X)
#undef X
        NULL};

#define WORDS_BOOL(field)  NULL
#define WORDS_COUNT(field) NULL
#define WORDS_SPAN(field)  NULL
#define WORDS_WORD(field)  words_of_##field

static const struct aq_policy_field fields[] = {
#define X(type, c_type, field, strict, upstream, text)                                                       \
    {NAME_##type(field), AQ_POLICY_##type, offsetof(struct aq_client_policy, field), text,                   \
     WORDS_##type(field)},
    AQ_CLIENT_POLICIES(X)
#undef X
};

const struct aq_policy_table aq_client_policy_table = {fields, sizeof fields / sizeof *fields};
