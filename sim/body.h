/* Bodies of simulated jobs: each carries the token of its producer's call and the time of the put, so that
   whoever sees the body knows which logical job it is, whatever ids it was given. */
#ifndef AQ_SIM_BODY_H
#define AQ_SIM_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/time.h"

#define AQ_BODY_CHARS  33
#define AQ_BODY_POISON '!' /* behind it in the body of a job that kills whoever works on it */

/* Writes the body of a job, not NUL-terminated. */
void aq_body_write(char out[AQ_BODY_CHARS], uint64_t token, aq_time_us put_us);

/* The token in a body, 0 where it carries none; *put_us (may be NULL) is the time of
   its put, untouched then. */
uint64_t aq_body_token(struct aq_text body, aq_time_us *put_us);

bool aq_body_is_poison(struct aq_text body);

#endif
