/* What applications read: the answers of the JSON-lines ports and of REST, in the shapes of AllQueue's own
   client. Pure: only texts are made here.

   Strict: what went well has AllQueue's shape; a failure is an object with "error", one line for a person,
   and "outcome": refused, unavailable, unknown, invalid or empty. REST has a status to match. Upstream: a
   failure is "{}" on TCP, {"error" : "no_allq"} on the unix socket, and status 200 with an empty body over
   REST. */
#ifndef AQ_CLIENT_APP_ANSWERS_H
#define AQ_CLIENT_APP_ANSWERS_H

#include "client/gateway.h"

/* {"error": why, "outcome": ...} */
void aq_app_answers_failure(struct aq_text_out *out, const char *why, enum aq_outcome outcome);

/* Appends one line, without its line feed. listener tells TCP from the unix socket. */
void aq_app_answers_line(const struct aq_gateway *gateway, bool upstream, enum aq_gateway_listener listener,
                         const struct aq_gateway_answer *answer, struct aq_text_out *out);

/* Appends a REST body, which may stay empty, and returns the HTTP status. */
unsigned aq_app_answers_rest(const struct aq_gateway *gateway, bool upstream,
                             const struct aq_gateway_answer *answer, struct aq_text_out *out);

#endif
