/* Requests and replies with their bytes, written by hand from AllQueue's protocol and not by this project's
   encoder, so that a mistake that client and fake server share still shows. */
#ifndef AQ_TESTS_PROTOCOL_SAMPLES_H
#define AQ_TESTS_PROTOCOL_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "protocol/codec.h"

struct request_sample {
    const char *wire;
    struct aq_request request;
};

struct reply_sample {
    const char *wire;
    enum aq_action asked;
    struct aq_reply reply;
};

extern const struct request_sample request_samples[];
extern const size_t request_sample_count;
extern const struct reply_sample reply_samples[];
extern const size_t reply_sample_count;

#endif
