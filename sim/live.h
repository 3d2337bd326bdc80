/* The live world: the same nodes, timers, workers and nemesis as in the virtual world, but real time and real sockets: libzmq with CURVE on
   a libuv loop, fake servers on ports of the loopback network. */
#ifndef AQ_SIM_LIVE_H
#define AQ_SIM_LIVE_H

#include "base/error.h"
#include "scenarios/scenario.h"
#include "sim/virtual.h"

struct aq_live; /* opaque; see live_uv.c */

/* Says whether the live world can run the scenario on this machine, before anything is started: what it cannot do, and how many files
   it needs; raises the limit of open files as far as it is allowed. Errors: AQ_EUNSUPPORTED (*error names the key of the scenario), AQ_ELIMIT (*error
   says how many files are needed and allowed). */
int aq_live_check(const struct aq_scenario *scenario, struct aq_error *error);

/* Puts a world that has not started on real time and real sockets. speed: how much faster than real time it goes, above 0; every time of
   the scenario and every timer of its clients and servers is divided by it, the machine's own speed is not. Fresh keys are made. The live world
   belongs to the caller and is freed after the world it carries. Errors: AQ_ENOMEM, AQ_EIO (no sockets), AQ_EUNSUPPORTED (a libzmq without
   CURVE); *out untouched. */
int aq_live_new(struct aq_virtual *world, double speed, struct aq_live **out, struct aq_error *error);
void aq_live_free(struct aq_live *live);

#endif
