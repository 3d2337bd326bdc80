/* How late the machine is: the harness asks a server of its own, which no fault touches, over the same loop
   and the same libzmq threads as the run's clients and servers. An answer that takes long, or a handshake,
   says that the machine is too slow for the run, and nothing about the clients under test. Ten questions and
   two handshakes a second cost less than a hundredth of a core. */
#ifndef AQ_SIM_LIVE_LAG_UV_H
#define AQ_SIM_LIVE_LAG_UV_H

#include <uv.h>

#include "protocol/curve_keys.h"
#include "sim/trust.h"

struct aq_live_lag; /* opaque; see live_lag_uv.c */

struct aq_live_lag_config {
    uv_loop_t *loop;
    void *context;                           /* libzmq's, with room for AQ_LIVE_LAG_SOCKETS more */
    const struct aq_curve_pair *server_keys; /* copied, as the others */
    const struct aq_curve_pair *client_keys;
};

#define AQ_LIVE_LAG_SOCKETS 8

/* Begins to measure. Errors: AQ_ENOMEM, AQ_EIO (*out untouched). */
int aq_live_lag_new(const struct aq_live_lag_config *config, struct aq_live_lag **out);

/* Stops; the loop must run until it has nothing left to do before it is freed. NULL is fine for both. */
void aq_live_lag_end(struct aq_live_lag *lag);
void aq_live_lag_free(struct aq_live_lag *lag);

struct aq_lag aq_live_lag_measured(const struct aq_live_lag *lag);

#endif
