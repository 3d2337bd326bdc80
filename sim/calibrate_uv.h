/* Measures AllQueue servers over the wire: closed loops of requests on connections of its own, one phase
   after the other, one server after the other. Jobs go into a tube of its own, with a random name, and are
   completed. Blocks until it is done. */
#ifndef AQ_SIM_CALIBRATE_UV_H
#define AQ_SIM_CALIBRATE_UV_H

#include <signal.h>

#include "base/time.h"
#include "protocol/curve_keys.h"
#include "sim/calibration.h"

#define AQ_CALIBRATE_TUBE        "allqsim.calibrate." /* what the names of such tubes begin with */
#define AQ_CALIBRATE_SERVERS_MAX 64

struct aq_calibrate_config {
    const char *const *addresses; /* "host:port"; borrowed as all here */
    uint32_t count;
    const struct aq_curve_pair *keys; /* of the client */
    const char *server_public_z85;
    uint64_t requests_max; /* at most so many, all servers together, but for a few to begin and to end with */
    aq_time_us for_us;     /* likewise */
    bool despite_load;     /* measure where others use a server */
    const volatile sig_atomic_t *stop; /* set: clean up and return */
    /* told now and then; may be NULL. share: of this server's phases, 0 to 1 */
    void (*progress)(void *owner, uint32_t server, const char *phase, double share);
    void *owner;
};

struct aq_calibrate_result {
    uint64_t requests; /* sent in all */
    uint32_t cleared;  /* jobs that were left and had to be cleared; 0 where all went well */
};

/* Fills servers, one for each address, zeroed by the caller, who closes their series, on failure as well.
   Errors: AQ_EINVALID (a server is in use: *error says by which tube), AQ_EIO (no connection, no answer, a
   wrong one), AQ_EINTERRUPTED (jobs are cleaned up), AQ_ELIMIT (files), AQ_ENOMEM. *error names the server
   and a remedy. */
int aq_calibrate_servers(const struct aq_calibrate_config *config, struct aq_calibration_server *servers,
                         struct aq_calibrate_result *result, struct aq_error *error);

#endif
