/* The virtual world: one thread, a virtual clock, seeded random streams, a simulated network between client
   and server cores. The same scenario and seed give the same run, event for event. */
#ifndef AQ_SIM_VIRTUAL_H
#define AQ_SIM_VIRTUAL_H

#include <signal.h>

#include "client/client.h"
#include "scenarios/scenario.h"
#include "sim/nemesis.h"
#include "sim/trace.h"
#include "sim/workload.h"
#include "sim/world.h"

struct aq_virtual; /* opaque; see virtual_internal.h */

/* A client's entry point. Another one than aq_client_step is a client with a difference: tests plant
   their bugs in this way. */
typedef int (*aq_client_step_fn)(struct aq_client *client, aq_time_us now_us,
                                 const struct aq_client_event *event, struct aq_client_effects *effects);

struct aq_virtual_config {
    const struct aq_scenario *scenario; /* borrowed */
    /* borrowed: servers first, by index; then addresses with nothing behind them; a balancer last */
    struct aq_address_book *book;
    uint64_t seed;
    struct aq_observer observer;
    struct aq_trace *trace;                 /* borrowed: takes every event into the run's hash */
    struct aq_eligible_sets *eligible_sets; /* borrowed, filled */
    aq_client_step_fn client_step;          /* what a client does with an event; NULL: aq_client_step */
    /* borrowed: ends a run at the next event when it becomes non-zero; NULL: never */
    const volatile sig_atomic_t *stop;
};

/* Errors: AQ_ENOMEM, AQ_EINVALID (*out untouched). */
int aq_virtual_new(const struct aq_virtual_config *config, struct aq_virtual **out);
void aq_virtual_free(struct aq_virtual *v);

/* The world as workload and nemesis see it. */
struct aq_world aq_virtual_world(struct aq_virtual *v);

/* Names the owners of timers and answers. Before the start. Both borrowed. */
void aq_virtual_attach(struct aq_virtual *v, struct aq_workload *workload, struct aq_nemesis *nemesis);

/* Starts every server and client at time 0. */
int aq_virtual_start(struct aq_virtual *v);

/* Handles every event before until_us; the clock then stands at until_us. Errors: AQ_ENOMEM; AQ_EINTERRUPTED
   when *stop became non-zero (the clock stands at the last event). */
int aq_virtual_run(struct aq_virtual *v, aq_time_us until_us);

/* Starts all processes that are down without a delay: the end of the faults. */
int aq_virtual_start_all(struct aq_virtual *v);

aq_time_us aq_virtual_now(const struct aq_virtual *v);
uint64_t aq_virtual_events(const struct aq_virtual *v);
uint32_t aq_virtual_pending(const struct aq_virtual *v);

/* What can be asked of a server: up, its counters (all zero while down), incarnations so far, time up. */
struct aq_virtual_server_state {
    bool up;
    struct aq_server_counters counters;
    uint32_t incarnations;
    aq_time_us up_us;   /* time that it has been up */
    aq_time_us busy_us; /* time in service, all incarnations */
    uint64_t requests;  /* arrived, all incarnations */
};
struct aq_virtual_server_state aq_virtual_server_state(const struct aq_virtual *v, uint32_t server);

/* The server's own statistics, as it would answer stats. Tables lie in arena; texts are borrowed while the
   world stands still. Errors: AQ_ENOENT (it is down, paused, or not ours), AQ_ENOMEM. */
int aq_virtual_stats(const struct aq_virtual *v, uint32_t server, struct aq_arena *arena,
                     struct aq_server_stats *out);

/* What a server fault in force has acted on so far, on all servers that are up. */
uint64_t aq_virtual_touched(const struct aq_virtual *v, uint32_t rule_id);

/* Calls visit for each job that the server holds, in memory or, while it is down, on disk. */
void aq_virtual_each_job(const struct aq_virtual *v, uint32_t server,
                         void (*visit)(void *arg, const struct aq_job_record *record), void *arg);

/* ---- a look inside, for replay ---- */

struct aq_virtual_client_state {
    const struct aq_client *core; /* borrowed; NULL: its process is down */
    uint32_t lives;               /* processes so far */
    int64_t clock_us;             /* how far its clock is ahead */
};
struct aq_virtual_client_state aq_virtual_client_state(const struct aq_virtual *v, uint32_t client);

/* Borrowed; NULL: its process is down. */
const struct aq_server *aq_virtual_server_core(const struct aq_virtual *v, uint32_t server);
/* Pauses in force on it. */
uint32_t aq_virtual_server_pauses(const struct aq_virtual *v, uint32_t server);

struct aq_virtual_connection {
    uint32_t client, address;
    uint32_t server;      /* AQ_NOBODY: nothing behind the address, or a balancer for each request */
    const char *state;    /* "connecting", "up", "closed", as the client sees it: literals */
    bool server_forgot;   /* the server's side is gone */
    uint32_t attempts[2]; /* to send again what did not get through: to the server, to the client; 0: none */
};

/* Each connection of the simulated network, in a fixed order. */
void aq_virtual_each_connection(const struct aq_virtual *v,
                                void (*visit)(void *arg, const struct aq_virtual_connection *connection),
                                void *arg);

/* How often each mark of the clients was reached, by enum aq_client_mark. */
const uint64_t *aq_virtual_marks(const struct aq_virtual *v);

#endif
