#include "fakeserver/policy.h"

const struct aq_server_policy aq_server_policy_strict = {
#define X(type, c_type, field, strict, upstream, text) .field = (strict),
    AQ_SERVER_POLICIES(X)
#undef X
};

const struct aq_server_policy aq_server_policy_upstream = {
#define X(type, c_type, field, strict, upstream, text) .field = (upstream),
    AQ_SERVER_POLICIES(X)
#undef X
};

/* A row is called as its field; spans without the suffix of their unit, which the preprocessor cannot cut off
 * by itself. */
#define NAME_BOOL(field)     #field
#define NAME_COUNT(field)    #field
#define NAME_SPAN(field)     SPAN_##field
#define SPAN_lease_sweep_us  "lease_sweep"
#define SPAN_delay_sweep_us  "delay_sweep"
#define SPAN_parent_sweep_us "parent_sweep"

static const struct aq_policy_field fields[] = {
#define X(type, c_type, field, strict, upstream, text)                                                       \
    {NAME_##type(field), AQ_POLICY_##type, offsetof(struct aq_server_policy, field), text, NULL},
    AQ_SERVER_POLICIES(X)
#undef X
};

const struct aq_policy_table aq_server_policy_table = {fields, sizeof fields / sizeof *fields};
