/* What a comparison of two databases allows to be different. */
#ifndef AQ_SCENARIOS_TOLERANCE_H
#define AQ_SCENARIOS_TOLERANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Which change of a figure is one for the worse. */
enum aq_worse { AQ_WORSE_HIGHER, AQ_WORSE_LOWER, AQ_WORSE_EITHER, AQ_WORSE_NEVER };

struct aq_tolerance_rule {
    char *figure;              /* owned: a name, in which * stands for any characters */
    char *scenario;            /* owned: likewise; NULL: any */
    uint32_t worse;            /* enum aq_worse */
    double relative, absolute; /* allowed: the share of the base's value, and beside it this much */
    bool beyond_noise; /* with three seeds or more the 95 % interval of the change must leave out 0, or
                          nothing is broken */
};

struct aq_tolerance {
    bool any_verdict;                /* a verdict may become worse */
    bool may_miss;                   /* the candidate may lack runs that the base has */
    struct aq_tolerance_rule *rules; /* owned; the first that fits a figure counts */
    uint32_t rule_count;
};

/* Reads a file; path NULL: the standard one. Errors: AQ_EIO, AQ_EPARSE, AQ_EINVALID, AQ_ELIMIT, AQ_ENOMEM;
 *error says where in the file; *out untouched. */
int aq_tolerance_load(const char *path, struct aq_tolerance **out, struct aq_error *error);
void aq_tolerance_free(struct aq_tolerance *tolerance); /* NULL is fine */

/* The standard one as JSON, to start from. */
extern const char aq_tolerance_standard[];

/* The rule for a figure of a scenario; NULL: none. */
const struct aq_tolerance_rule *aq_tolerance_rule_of(const struct aq_tolerance *tolerance,
                                                     const char *scenario, const char *figure);

#endif
