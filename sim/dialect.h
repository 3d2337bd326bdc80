/* How applications talk to a client that is another program: calls as they are written to its JSON-lines or
   REST port, and answers as they are understood. Pure.

   What AllQueue's client answers where something has failed ({}, {"error" : "no_allq"}, an empty body over
   REST) becomes AQ_OUTCOME_EMPTY: nobody can know from it what happened. An answer that makes no sense is
   AQ_OUTCOME_UNKNOWN. */
#ifndef AQ_SIM_DIALECT_H
#define AQ_SIM_DIALECT_H

#include "base/arena.h"
#include "client/client.h"
#include "protocol/codec.h"
#include "scenarios/scenario.h"

/* Writes a call, its end included: done goes as DELETE /job over REST, which has no done. Errors: AQ_ENOMEM,
   AQ_ELIMIT (too long), AQ_EUNSUPPORTED (REST has no such call). */
int aq_dialect_write(enum aq_dialect dialect, const struct aq_request *request, struct aq_bytes *out);

struct aq_dialect_answer {
    enum aq_outcome outcome;
    bool has_reply;
    struct aq_reply reply; /* texts lie in the arena */
};

/* Understands a line without its line feed. Errors: AQ_ENOMEM. */
int aq_dialect_read_line(enum aq_action action, struct aq_text line, struct aq_arena *arena,
                         struct aq_dialect_answer *out);

/* Understands an answer over REST. Errors: AQ_ENOMEM. */
int aq_dialect_read_rest(enum aq_action action, uint32_t status, struct aq_text body, struct aq_arena *arena,
                         struct aq_dialect_answer *out);

#endif
