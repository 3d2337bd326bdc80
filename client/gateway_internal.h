/* The gateway's tables, for its own files. */
#ifndef AQ_CLIENT_GATEWAY_INTERNAL_H
#define AQ_CLIENT_GATEWAY_INTERNAL_H

#include "base/assert.h"
#include "base/memory.h"
#include "client/gateway.h"

#define GATEWAY_OUTCOMES (AQ_OUTCOME_EMPTY + 1)
#define GATEWAY_ACTIONS  (AQ_ACTION_COUNT + 1) /* the last for requests that could not be read */
#define GATEWAY_BUCKETS  14 /* upper bounds in gateway_metrics.c; longer ones only in the count */
#define GATEWAY_WHY_MAX  256

/* One call, from its request to its answer. Never moved: the core borrows the request. */
struct gateway_call {
    uint32_t index; /* in calls; with the generation, the call's name */
    uint32_t generation;
    uint32_t next_free;
    bool open;
    bool own;                      /* the gateway's, not an application's */
    aq_gateway_answered *answered; /* NULL: nobody waits for the answer */
    void *asker;
    uint64_t tag;
    aq_time_us begun_us;
    struct aq_request request;
    struct aq_arena texts; /* of the request */
    uint32_t bytes;        /* length of these texts */
};

enum gateway_shown { SHOWN_NOTHING, SHOWN_WELL, SHOWN_SICK, SHOWN_DRAINING, SHOWN_REMOVED };

struct gateway_server {
    bool connected;
    uint8_t shown; /* enum gateway_shown: what the log said of it last */
    uint64_t sent; /* requests */
};

/* What happens while the core is in a step waits for the next one. */
struct gateway_deferred {
    enum aq_client_event_kind kind;
    uint32_t server;
    uint32_t call; /* index */
    char why[GATEWAY_WHY_MAX];
};

struct gateway_latency {
    uint64_t buckets[GATEWAY_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
};

struct aq_gateway {
    struct aq_gateway_config config;
    struct aq_client *client;
    struct aq_client_effects effects;
    struct aq_arena scratch; /* of the request being read */
    bool stepping, running, failed;
    aq_time_us wake_at_us; /* as last asked for */
    aq_time_us begun_us;

    struct gateway_call **calls; /* each owned */
    uint32_t call_count, call_capacity, free_call;
    uint32_t open, own_open, awaited; /* own_open: of open, the gateway's own */
    uint64_t open_bytes;

    struct gateway_server *servers; /* by address-book index */
    uint32_t server_count, server_capacity;

    struct gateway_deferred *deferred;
    uint32_t deferred_first, deferred_count, deferred_capacity;

    char why[GATEWAY_WHY_MAX];      /* why the connection that the current step is about was lost */
    char last_why[GATEWAY_WHY_MAX]; /* the last such reason, with its server */

    struct aq_gateway_traffic traffic[AQ_GATEWAY_LISTENERS];
    uint64_t ended[GATEWAY_ACTIONS][GATEWAY_OUTCOMES];
    struct gateway_latency latency[GATEWAY_ACTIONS];
    uint64_t marks[AQ_CLIENT_MARK_COUNT];
    uint64_t forgotten; /* answers that nobody waited for any more */
};

#define GATEWAY_NONE UINT32_MAX

/* gateway_why.c: why a call did not end well, one line for a person, into why (GATEWAY_WHY_MAX). */
void gateway_explain(const struct aq_gateway *gateway, const struct aq_request *request,
                     enum aq_outcome outcome, const struct aq_reply *reply, char *why);

/* gateway_metrics.c */
void gateway_count(struct aq_gateway *gateway, enum aq_action action, enum aq_outcome outcome,
                   aq_time_us took_us);

/* gateway_servers.c: what is known of each server, and what the log says of it. */
int gateway_servers_grow(struct aq_gateway *gateway); /* a record for every address. Errors: AQ_ENOMEM */
void gateway_servers_marked(struct aq_gateway *gateway, enum aq_client_event_kind kind, uint32_t server,
                            uint64_t marks); /* bit by enum aq_client_mark: reached in this step */

#endif
