/* Clients that are other programs: each a process with an AllQueue client's environment, in front of the live
   world's fake servers. Calls of workers and producers go to its JSON-lines or REST port; what it answers is
   what they are told.

   What such a client does between its ports cannot be seen: there are no CHOICE and SEND observations. */
#ifndef AQ_SIM_FOREIGN_UV_H
#define AQ_SIM_FOREIGN_UV_H

#include <signal.h>

#include "base/error.h"
#include "protocol/curve_keys.h"
#include "reports/record.h"
#include "sim/live.h"
#include "sim/virtual.h"

struct aq_foreign; /* opaque; see foreign_uv.c */

struct aq_foreign_config {
    struct aq_virtual *world;         /* whose address book has the addresses that servers really listen at */
    struct aq_live *live;             /* that carries it */
    const struct aq_curve_pair *keys; /* what the clients get; copied */
    const char *server_public_z85;    /* copied */
    const volatile sig_atomic_t *stop; /* NULL: never */
    struct aq_error *error;            /* filled where a process later ends the run */
};

/* Takes the place of the world's own clients. Before the start. Errors: AQ_ENOMEM. */
int aq_foreign_new(const struct aq_foreign_config *config, struct aq_foreign **out);

/* After the start of the world: runs the loop until every process accepts connections. Errors: AQ_EIO (one
   cannot be run, has ended, or takes too long; *config.error names it, its end and its last lines),
   AQ_EINTERRUPTED. */
int aq_foreign_await(struct aq_foreign *foreign);

/* A client that ended by itself is a finding whatever the checks say: the verdict becomes fail. Errors:
   AQ_ENOMEM. */
int aq_foreign_verdict(const struct aq_foreign *foreign, struct aq_record *record);

/* Kills all processes. The world must not be run any more; the memory is released by the loop of `live`,
   which is freed later. NULL is fine. */
void aq_foreign_free(struct aq_foreign *foreign);

#endif
