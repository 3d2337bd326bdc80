/* The local gateway around one federation client core: takes the requests of local applications, gives them
   to the core, and brings each answer back to whoever asked. It knows neither sockets nor clocks: what it
   needs of the world comes through a struct of functions. */
#ifndef AQ_CLIENT_GATEWAY_H
#define AQ_CLIENT_GATEWAY_H

#include "base/error.h"
#include "client/client.h"
#include "client/text_out.h"

#define AQ_GATEWAY_CALLS_MAX       10000        /* open calls; AllQueue's own daemon stops at 200 */
#define AQ_GATEWAY_CALLS_BYTES_MAX (256u << 20) /* texts of all open calls together */

struct aq_gateway; /* opaque; see gateway.c */

/* Where applications come in. */
enum aq_gateway_listener {
    AQ_GATEWAY_TCP,  /* JSON lines on TCP */
    AQ_GATEWAY_UNIX, /* JSON lines on a unix socket */
    AQ_GATEWAY_HTTP, /* REST */
    AQ_GATEWAY_LISTENERS
};
const char *aq_gateway_listener_word(enum aq_gateway_listener listener);

/* Kept by the listeners, shown in the metrics. */
struct aq_gateway_traffic {
    uint32_t connections; /* open now */
    uint64_t accepted;    /* connections */
    uint64_t refused;     /* connections beyond the limit */
    uint64_t timed_out;   /* connections closed because the peer was idle or slow */
};

/* The end of one call, as told to its asker. */
struct aq_gateway_answer {
    enum aq_action action; /* AQ_ACTION_COUNT where the request could not be read */
    enum aq_outcome outcome;
    const struct aq_reply *reply; /* borrowed for the callback; NULL for outcomes without one */
    const char *why;              /* borrowed likewise: where it is not OK, one line for a person; else "" */
};

typedef void aq_gateway_answered(void *asker, uint64_t tag, const struct aq_gateway_answer *answer);

/* What the gateway needs of the world. None of the functions may call back into the gateway, except that
   connect, send and close may report connected and disconnected. */
struct aq_gateway_world {
    void *context;
    aq_time_us (*now_us)(void *context); /* must not fall */
    /* Wants aq_gateway_wake at this time; AQ_TIME_NEVER: not at all. Replaces the time asked for before. */
    void (*wake_at)(void *context, aq_time_us at_us);
    /* Start to connect to the server; address is "host:port", borrowed. Errors count as a connection that
       failed. */
    int (*connect)(void *context, uint32_t server, const char *address);
    void (*close)(void *context, uint32_t server);
    /* Send the request, borrowed for the call. Errors count as a lost connection. */
    int (*send)(void *context, uint32_t server, uint32_t correlation, const struct aq_request *request);
    void (*log)(void *context, const char *line); /* a change of state, for a person */
    void (*failed)(void *context);                /* out of memory: the gateway will do nothing more */
};

struct aq_gateway_config {
    struct aq_address_book *book;          /* as in aq_client_config */
    const struct aq_client_policy *policy; /* borrowed */
    const uint32_t *servers;               /* borrowed */
    uint32_t server_count;
    struct aq_random random;
    struct aq_gateway_world world; /* copied */
    uint32_t message_bytes_max;    /* longer requests, as they would go to a server, are refused */
    const char *version;           /* borrowed; for the metrics */
    const char *profile;           /* borrowed likewise */
};

/* Errors: AQ_EINVALID, AQ_ENOMEM (*out untouched). */
int aq_gateway_new(const struct aq_gateway_config *config, struct aq_gateway **out);

/* Open calls are forgotten without an answer. NULL is fine. */
void aq_gateway_free(struct aq_gateway *gateway);

/* Takes one request as an application writes it, {"action": ..., "params": {...}}; the bytes are borrowed for
   this call only. answered(asker, tag, ...) is called exactly once, maybe before this returns. Returns the
   name of the call for aq_gateway_forget, or 0 where it is answered already. */
uint64_t aq_gateway_submit(struct aq_gateway *gateway, const char *json, size_t len,
                           aq_gateway_answered *answered, void *asker, uint64_t tag);

/* The asker is gone: its callback will not be called. The request itself is not taken back. */
void aq_gateway_forget(struct aq_gateway *gateway, uint64_t call);

/* Asks every server whether it is there, so that what /health says is known and not assumed. */
void aq_gateway_look_around(struct aq_gateway *gateway);

/* From the world. `why` is one line, borrowed, or NULL. `reply` as in aq_client_event. */
void aq_gateway_connected(struct aq_gateway *gateway, uint32_t server);
void aq_gateway_disconnected(struct aq_gateway *gateway, uint32_t server, const char *why);
void aq_gateway_reply(struct aq_gateway *gateway, uint32_t server, uint32_t correlation,
                      const struct aq_reply *reply);
void aq_gateway_wake(struct aq_gateway *gateway);

/* Calls whose asker still waits. */
uint32_t aq_gateway_calls_awaited(const struct aq_gateway *gateway);

/* Answers all of these as unknown: the process ends before their servers have answered. */
void aq_gateway_abandon(struct aq_gateway *gateway);

struct aq_gateway_traffic *aq_gateway_traffic(struct aq_gateway *gateway, enum aq_gateway_listener listener);
aq_time_us aq_gateway_now_us(const struct aq_gateway *gateway);

/* Members that free choices are made from. */
uint32_t aq_gateway_well_servers(const struct aq_gateway *gateway);

/* The next member at or after *server, in the order of the address book; false: none. */
bool aq_gateway_next_member(const struct aq_gateway *gateway, uint32_t *server);

/* The member as AllQueue names it: its id and "host:port". The texts live as long as the address book. */
struct aq_gateway_server {
    struct aq_text id;
    const char *address;
    enum aq_server_health health;
    bool connected;
};
struct aq_gateway_server aq_gateway_server(const struct aq_gateway *gateway, uint32_t server);
const char *aq_server_health_word(enum aq_server_health health);

/* Appends the body of GET /health, JSON, and of GET /metrics, Prometheus' text format 0.0.4. */
void aq_gateway_write_health(const struct aq_gateway *gateway, struct aq_text_out *out);
void aq_gateway_write_metrics(const struct aq_gateway *gateway, struct aq_text_out *out);

#endif
