/* The parameters of each action: one table for encoding, measuring, decoding and comparing
   requests. Private to protocol/. */
#ifndef AQ_PROTOCOL_PARAMS_H
#define AQ_PROTOCOL_PARAMS_H

#include <stddef.h>

#include "protocol/message.h"

enum aq_param_type {
    AQ_PARAM_TYPE_TEXT,
    AQ_PARAM_TYPE_BOOL,
    AQ_PARAM_TYPE_INT32,
    AQ_PARAM_TYPE_COUNT,   /* int32_t, 0 or more */
    AQ_PARAM_TYPE_PORT,    /* uint16_t, 1 or more */
    AQ_PARAM_TYPE_SECONDS, /* int64_t, 0 to INT32_MAX: AllQueue reads 32-bit integers */
    AQ_PARAM_TYPE_DELAY, /* int64_t seconds; AllQueue is lenient here: fractions are dropped, below 0 is 0 */
    AQ_PARAM_TYPE_PER_S, /* double */
};

struct aq_param_field {
    uint32_t bit; /* AQ_PARAM_* */
    enum aq_param_type type;
    uint16_t offset; /* in struct aq_request */
    bool required;
    uint8_t key_len;
    const char *key;    /* its name on the wire */
    const char *prefix; /* "\"key\":\"", key_len + 4 characters */
};

struct aq_param_list {
    const struct aq_param_field *fields; /* in the order in which they are written */
    uint32_t count;
};

struct aq_param_list aq_params_of(enum aq_action action);

#endif
