/* The live world: the same nodes, timers, workers and nemesis as in the virtual world, but real time and real
   sockets: libzmq with CURVE on a libuv loop, fake servers on ports of the loopback network. */
#ifndef AQ_SIM_LIVE_H
#define AQ_SIM_LIVE_H

#include "base/error.h"
#include "fakeserver/gate_zmq.h"
#include "fakeserver/handshakes_zmq.h"
#include "protocol/curve_keys.h"
#include "scenarios/scenario.h"
#include "sim/live_lag_uv.h"
#include "sim/virtual.h"

struct aq_live; /* opaque; see live_uv.c */

/* Says whether the live world can run the scenario on this machine, before anything is started: what it
   cannot do, and how many files it needs; raises the limit of open files as far as it is allowed. Errors:
   AQ_EUNSUPPORTED (*error names the key of the scenario), AQ_ELIMIT (*error says how many files are needed
   and allowed). */
int aq_live_check(const struct aq_scenario *scenario, double speed, struct aq_error *error);

/* Does a fault of this kind need a proxy between clients and servers? */
bool aq_live_needs_proxy(enum aq_fault_kind kind);

/* How late the live world's timers may come on a busy machine, in the scenario's time. */
aq_time_us aq_live_timer_slack_us(double speed);

/* Puts a world that has not started on real time and real sockets. speed: how much faster than real time it
   goes, above 0; every time of the scenario and every timer of its clients and servers is divided by it, the
   machine's own speed is not. Fresh keys are made. The live world belongs to the caller and is freed after
   the world it carries. Errors: AQ_ENOMEM, AQ_EIO (no sockets), AQ_EUNSUPPORTED (a libzmq without CURVE);
   *out untouched. */
int aq_live_new(struct aq_virtual *world, double speed, struct aq_live **out, struct aq_error *error);
void aq_live_free(struct aq_live *live);

/* For a world whose clients are other processes. */
struct aq_live_outside {
    const struct aq_curve_pair *server_keys;   /* copied; NULL: those that the live world made */
    const struct aq_curve_allow_list *allowed; /* copied; NULL: every client that knows the servers' key */
    aq_server_gate_refused *refused;           /* told of those that are not let in; may be NULL */
    /* told of the first of each kind at each server; may be NULL */
    void (*stranger)(void *owner, uint32_t server, enum aq_stranger stranger);
    void *owner;  /* handed to both */
    bool proxies; /* in front of every server, even where the scenario asks for none */
};

/* Before the start: each server listens at the host and port that the world's address book has for it, with
   these keys, and its peers are not taken for clients of the scenario. Errors: AQ_ENOMEM, AQ_EEXISTS, AQ_EIO.
 */
int aq_live_serve_outside(struct aq_live *live, const struct aq_live_outside *outside,
                          struct aq_error *error);

/* Why the run failed, where that is known; without text otherwise. */
const struct aq_error *aq_live_error(const struct aq_live *live);
/* The keys in force: of the clients that are ours, and what every client has to know. Borrowed. */
const struct aq_curve_pair *aq_live_client_keys(const struct aq_live *live);
const char *aq_live_server_public_z85(const struct aq_live *live);

/* The loop on which all of it runs. What others put on it they must close before aq_live_free. */
struct uv_loop_s *aq_live_loop(struct aq_live *live);

/* To be called around what others do to the world from callbacks of the loop: at the begin, with the clock
   set to now; at the end, with what came of it, so that an error ends the run. */
void aq_live_enter(struct aq_live *live);
void aq_live_leave(struct aq_live *live, int rc);

bool aq_live_has_proxies(const struct aq_live *live);

/* How late the machine was during the run; zero where that was not measured. In real time, not the run's. */
struct aq_lag aq_live_lag(const struct aq_live *live);

/* Peers that did not get through the handshake, those on no allow-list not among them. */
uint64_t aq_live_strangers(const struct aq_live *live);

/* Handshakes let in and refused; zero without an allow-list. */
struct aq_server_gate_counters aq_live_gate_counters(const struct aq_live *live);

#endif
