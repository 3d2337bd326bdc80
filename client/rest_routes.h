/* The routes of the REST port: which request of AllQueue each one is. Pure: nothing is received or sent here.
 */
#ifndef AQ_CLIENT_REST_ROUTES_H
#define AQ_CLIENT_REST_ROUTES_H

#include "client/gateway.h"

enum aq_rest_kind {
    AQ_REST_CALL,    /* a request for the servers */
    AQ_REST_HEALTH,  /* GET /health */
    AQ_REST_METRICS, /* GET /metrics */
};

struct aq_rest_route; /* a row of the table in rest_routes.c */

/* What a method and a path lead to. */
struct aq_rest_match {
    const struct aq_rest_route *route; /* NULL: none */
    enum aq_rest_kind kind;
    bool body;         /* the request's parameters are its body */
    bool known_path;   /* without a route: another method would have one */
    const char *allow; /* with known_path: these methods */
};
struct aq_rest_match aq_rest_routes_find(bool upstream, const char *method, const char *path);

/* The decoded value of a query parameter, borrowed; false where it is absent. */
typedef bool aq_rest_lookup(void *context, const char *name, struct aq_text *out);

/* Writes the request as an application would write it on a line. body: where the route has one. Errors:
   AQ_EPARSE (*error says what is missing or wrong, *out is of no use). */
int aq_rest_routes_request(const struct aq_rest_route *route, bool upstream, struct aq_text body,
                           aq_rest_lookup *lookup, void *context, struct aq_text_out *out,
                           struct aq_error *error);

#endif
