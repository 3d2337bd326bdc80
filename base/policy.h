/* Tables of policies: how the profiles of client and server are listed, named and set. */
#ifndef AQ_BASE_POLICY_H
#define AQ_BASE_POLICY_H

#include <stddef.h>

#include "base/error.h"

enum aq_policy_type {
    AQ_POLICY_BOOL,  /* bool; written true or false */
    AQ_POLICY_SPAN,  /* aq_time_us; written "250ms", or "never" */
    AQ_POLICY_COUNT, /* uint32_t; written as a whole number */
    AQ_POLICY_WORD,  /* uint32_t, index into words; written as one of them */
};

struct aq_policy_field {
    const char *name; /* as in scenarios: the struct's field without the suffix of its unit */
    enum aq_policy_type type;
    size_t offset;            /* of the field in the policy struct */
    const char *text;         /* one sentence: what it means when true, or what is measured */
    const char *const *words; /* WORD: NULL-terminated; else NULL */
};

struct aq_policy_table {
    const struct aq_policy_field *fields;
    size_t count;
};

/* NULL where no field has this name. */
const struct aq_policy_field *aq_policy_find(const struct aq_policy_table *table, const char *name);

/* Writes what a field may be set to, for people, and returns text. */
const char *aq_policy_allowed(const struct aq_policy_field *field, char *text, size_t size);

/* Sets one field of a policy struct from its written form. Errors: AQ_ENOENT (no such field), AQ_EPARSE (the
   value; *error says what is allowed); the policy is unchanged then. */
int aq_policy_set(const struct aq_policy_table *table, void *policy, const char *name, const char *value,
                  struct aq_error *error);

/* Writes one field of a policy struct as aq_policy_set reads it, and returns text. */
const char *aq_policy_format(const struct aq_policy_field *field, const void *policy, char *text,
                             size_t size);

#endif
