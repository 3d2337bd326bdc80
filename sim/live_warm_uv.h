/* Connections that are made before the clock of a live run starts: each client's to the servers of its list,
   a few at a time. A CURVE handshake takes milliseconds of processor time; thousands at once would take
   seconds, of which the clients under test would get the blame. What a client loses during the run it makes
   anew by itself. */
#ifndef AQ_SIM_LIVE_WARM_UV_H
#define AQ_SIM_LIVE_WARM_UV_H

#include <signal.h>
#include <uv.h>

#include "client/client.h"
#include "scenarios/scenario.h"

struct aq_live_warm; /* opaque; see live_warm_uv.c */

struct aq_live_warm_config {
    uv_loop_t *loop;
    const struct aq_scenario *scenario; /* borrowed */
    const volatile sig_atomic_t *stop;  /* borrowed; may be NULL */
    /* Starts one; what comes of it is to be told with aq_live_warm_event. */
    int (*connect)(void *owner, uint32_t client, uint32_t address);
    void *owner;
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_live_warm_new(const struct aq_live_warm_config *config, struct aq_live_warm **out);

/* NULL is fine. Once aq_live_warm_run has ended, nothing of it is on the loop. */
void aq_live_warm_free(struct aq_live_warm *warm);

/* Makes the connections and returns when each is up or has failed. Errors: AQ_ENOMEM, AQ_EIO; AQ_EINTERRUPTED
   when *stop became non-zero. */
int aq_live_warm_run(struct aq_live_warm *warm);

/* What became of an event of the transport. */
enum aq_live_warm_fate {
    AQ_LIVE_WARM_PASS,  /* it is the client's */
    AQ_LIVE_WARM_KEEP,  /* it was about a connection that the client does not know of: nobody is told */
    AQ_LIVE_WARM_FIRST, /* the client must first be told that it is connected, then this */
};
enum aq_live_warm_fate aq_live_warm_event(struct aq_live_warm *warm, uint32_t client,
                                          const struct aq_client_event *event);

/* The client asks for a connection. True: there is one; aq_live_warm_next will give it. */
bool aq_live_warm_take(struct aq_live_warm *warm, uint32_t client, uint32_t address);

/* The next client to be told that it is connected. */
bool aq_live_warm_next(struct aq_live_warm *warm, uint32_t *client, uint32_t *address);

/* The client closed this connection, or all, its process having ended. */
void aq_live_warm_close(struct aq_live_warm *warm, uint32_t client, uint32_t address);
void aq_live_warm_client_gone(struct aq_live_warm *warm, uint32_t client);

#endif
