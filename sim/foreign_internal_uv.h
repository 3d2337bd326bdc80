/* Clients that are other programs, shared by foreign_uv.c (their processes) and foreign_calls_uv.c (the calls
   that applications make to them). */
#ifndef AQ_SIM_FOREIGN_INTERNAL_UV_H
#define AQ_SIM_FOREIGN_INTERNAL_UV_H

#include <uv.h>

#include "sim/dialect.h"
#include "sim/exec_uv.h"
#include "sim/foreign_uv.h"
#include "sim/virtual_internal.h"

struct foreign_connection;

/* A call that waits for a connection. */
struct foreign_waiting {
    uint64_t call;
    const struct aq_request *request;
};

enum foreign_state { FOREIGN_OFF, FOREIGN_STARTING, FOREIGN_READY };

struct foreign_client {
    struct aq_foreign *all;
    uint32_t index;
    enum foreign_state state;
    struct aq_exec *process; /* NULL while off */
    uint16_t lines_port, rest_port;
    uint64_t deadline_ms;                    /* STARTING: of the loop's clock */
    uv_timer_t timer;                        /* STARTING: tries the port; READY: closes idle connections */
    struct foreign_connection *first, *last; /* of all its connections, idle ones in front */
    uint32_t connections;
    struct foreign_waiting *waiting; /* first_waiting .. waiting_count - 1 */
    uint32_t first_waiting, waiting_count, waiting_capacity;
};

struct aq_foreign {
    struct aq_foreign_config config;
    const struct aq_scenario *scenario;
    uv_loop_t *loop;
    struct aq_curve_pair keys;
    char server_public_z85[AQ_CURVE_Z85_CHARS + 1];
    char **arguments; /* NULL-terminated; the words are the scenario's */
    struct foreign_client *clients;
    uint32_t count, ready;
    uint32_t open_handles;
    bool closing;
    int rc;                /* what ended the run */
    struct aq_arena arena; /* of the answer being read */
    uint64_t deaths;
    char first_death[900];
};

/* foreign_uv.c: one handle less is open; the last one releases everything once it is closing. */
void foreign_handle_closed(struct aq_foreign *foreign);

/* foreign_calls_uv.c */
int foreign_call(struct foreign_client *client, uint64_t call, const struct aq_request *request);
/* Closes connections that nobody has used for a while: their peer may close them at any time. */
void foreign_close_idle(struct foreign_client *client);
/* Its process has gone, and with it all calls under way. */
void foreign_drop_calls(struct foreign_client *client);

#endif
