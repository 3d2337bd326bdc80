/* A gateway whose servers are canned answers and whose clock is a number, for tests. */
#ifndef AQ_TESTS_GATEWAY_FAKE_WORLD_H
#define AQ_TESTS_GATEWAY_FAKE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "client/gateway.h"

#define WORLD_SERVERS_MAX 4
#define WORLD_QUEUE_MAX   20000

enum world_mode {
    WORLD_ANSWERS, /* connects and answers */
    WORLD_REFUSES, /* no connection comes about */
    WORLD_SILENT,  /* connects, and never answers */
};

struct world_event {
    enum aq_client_effect_kind kind; /* CONNECT or SEND */
    uint32_t server, correlation;
    enum aq_action action;
    int32_t count;
    char job_id[64];
};

struct world {
    aq_time_us now_us, wake_us;
    struct aq_gateway *gateway;
    struct aq_address_book book;
    struct aq_client_policy policy;
    uint32_t servers[WORLD_SERVERS_MAX];
    uint32_t count;
    enum world_mode modes[WORLD_SERVERS_MAX];
    const struct aq_reply *reply; /* in place of the canned ones, if not NULL */
    bool fail_connect, fail_send; /* the world's functions return an error */
    struct world_event *events;   /* not handled yet */
    uint32_t event_count;
    uint32_t sent; /* requests so far, probes included */
    char log[4096];
    char id[8]; /* of server 0 */
};

/* Servers 127.0.0.1:5555, :5556, ... all of which answer. */
void world_open(struct world *world, bool upstream, uint32_t servers);
void world_close(struct world *world);

/* The world's functions, for another gateway in it. */
struct aq_gateway_world world_functions(struct world *world);

/* Lets connections come about and servers answer until nothing is left to do. */
void world_settle(struct world *world);

/* Lets time pass; what is due in between is woken, and the world settles each time. */
void world_pass(struct world *world, aq_time_us span_us);

/* The answer to one call. */
struct heard {
    uint32_t times;
    enum aq_action action;
    enum aq_outcome outcome;
    bool has_reply;
    char why[256];
    char line[8192]; /* as JSON lines on TCP */
    char body[8192]; /* as REST */
    unsigned status;
    struct world *world;
    bool upstream;
};
void world_hear(void *asker, uint64_t tag, const struct aq_gateway_answer *answer); /* asker: struct heard */

/* Submits and settles. `@` in the text stands for the id of server 0, ' for ". */
void world_ask(struct world *world, bool upstream, const char *json, struct heard *heard);

/* Replaces as above, in a static buffer. */
const char *world_text(const struct world *world, const char *text);

#endif
