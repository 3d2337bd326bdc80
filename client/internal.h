/* The parts of the client core among themselves: its tables, and what each file offers to the others.

   A call is in one place at a time:

       CALL --> pending --> waiting (for a connection, or for its turn) --> flying (sent) --> answered
                  ^  |         |                                              |
                  |  +--> parked (for its origin to be well again)            |
                  +------------+----------------------------------------------+
                       the attempt failed and another is allowed; between two attempts a call may rest until
   its server's connection is built anew, or pause between two rounds (backoff.c) or after nonsense, or fly as
   a ping of its own

   A server's connection:  idle --> connecting --> up --> idle
   A server's health:      well --> sick <--> probing --> well */
#ifndef AQ_CLIENT_INTERNAL_H
#define AQ_CLIENT_INTERNAL_H

#include "base/assert.h"
#include "base/deadlines.h"
#include "base/memory.h"
#include "client/client.h"
#include "client/mutants.h"

#define NONE UINT32_MAX

enum call_kind {
    CALL_KIND_FREE,        /* an unused place in the pool */
    CALL_KIND_APPLICATION, /* made by the application; ends in one ANSWER */
    CALL_KIND_CHILD,       /* one server's part of a call to every server */
    CALL_KIND_PROBE,       /* the client's own ping of a server */
    CALL_KIND_SWEEP,       /* the client's own stats of a draining server */
    CALL_KIND_SICK_SWEEP,  /* the client's own pings of all servers in turn */
};

enum call_state {
    CALL_LOOSE,   /* in no list: just made, or just taken out of one */
    CALL_PENDING, /* will be given to a server at the end of this step */
    CALL_WAITING, /* at its server, not sent yet */
    CALL_PARKED,  /* at its server, which is sick, until it is well */
    CALL_FLYING,  /* sent, no reply yet */
    CALL_FANNED,  /* its children are on their way */
    CALL_RESTING, /* at its server, until the connection is built anew */
    CALL_PAUSED,  /* in no list: until its deadline, between two attempts */
    CALL_HELD,    /* not begun: too many calls are served already */
    CALL_LOST,    /* upstream: stuck for ever at a connection that is no longer used */
};

enum call_route {
    CALL_ROUTE_NONE,    /* not known yet */
    CALL_ROUTE_PUT,     /* any server that takes new jobs */
    CALL_ROUTE_GET,     /* any server that hands out jobs */
    CALL_ROUTE_ORIGIN,  /* one server; waits until it is well */
    CALL_ROUTE_ONCE,    /* one server; does not wait for a sick one */
    CALL_ROUTE_EVERY,   /* all servers at once */
    CALL_ROUTE_IN_TURN, /* one server after the other */
    CALL_ROUTE_CLIENT,  /* the client itself */
};

/* What is done next with a loose call. */
enum call_step {
    STEP_BEGIN,  /* it goes its route */
    STEP_FAILED, /* sending it has failed, and its connection has been built anew */
    STEP_AGAIN,  /* its attempt at its server has failed, another is allowed */
    STEP_ROUND,  /* the next round begins */
    STEP_TARGET, /* the failed server has been pinged: the call turns to its target */
    STEP_SEND,   /* the target has been pinged */
};

struct client_call {
    uint64_t name;                    /* the application's */
    const struct aq_request *request; /* the application's; NULL for the client's own */
    aq_time_us deadline_us;           /* for the whole call */
    aq_time_us sent_us;               /* FLYING: since when */
    uint32_t server; /* record of the server that it is at, was at last, or must go to; NONE before that */
    uint32_t correlation; /* FLYING */
    uint32_t next, prev;  /* in the list of its state; next: free places */
    uint32_t tried;       /* servers that failed this call: first of a list in client.tried */
    uint32_t fan_out;     /* CHILD, and FANNED: its record */
    uint32_t place;       /* CHILD: its number among the children; SICK_SWEEP: in the list of members */
    uint32_t failed_at;   /* record of the server at which the first attempt failed */
    /* rounds begun (backoff.c); without rounds: times that its origin answered nonsense, up to a bound;
       SICK_SWEEP: 1 after the connection was made anew */
    uint16_t round;
    uint8_t kind, state, route, action, step;
    bool ambiguous; /* an earlier attempt may have been applied */
    bool waited;    /* has been counted as waiting for its origin */
    bool once;      /* is not tried again */
    bool too_big;   /* sending it fails */
    bool turn;      /* WAITING: only for the connection, no longer for its turn */
    bool pinging;   /* WAITING and FLYING: as a ping, before the call itself */
    bool pinged;    /* the last ping was answered */
};

enum connection_state { CONNECTION_IDLE, CONNECTION_CONNECTING, CONNECTION_UP };

/* A server that this client has used or thought about. */
struct client_server {
    uint32_t address;  /* address-book index */
    uint32_t position; /* in the list of members; NONE for one that is no member any more */
    uint32_t waiting, parked, flying, resting; /* lists of calls, each by its first */
    uint32_t in_flight;                        /* length of flying */
    uint32_t turns;    /* calls in waiting that have their turn; they are in front of the others */
    uint32_t no_turn;  /* the first of the others, or NONE */
    uint32_t probe;    /* the probe under way, or NONE */
    uint32_t filed_as; /* address whose id and name the connection goes by */
    uint32_t moved_to; /* upstream: record that a redirect has put in its place, or NONE */
    struct aq_server_id random_id; /* upstream: of a redirected connection; else empty */
    aq_time_us heard_us;           /* when the last reply came */
    aq_time_us probe_at_us;        /* when the next probe starts */
    /* when a lost connection is made again, or one that was given up is built */
    aq_time_us reconnect_at_us;
    uint16_t empties; /* with the policy least_empty: gets in a row that brought nothing */
    uint8_t connection,
        health; /* health: WELL, SICK or PROBING; the other two follow from draining and position */
    uint8_t failed_probes; /* in a row */
    uint8_t failed_sends;  /* since the connection was made anew; until it carries a reply */
    bool succeeded;        /* the connection has carried a reply since it was made anew */
    bool rebuilding;       /* until reconnect_at_us; nobody gets a turn meanwhile */
    bool draining, sweeping;
    bool suspected; /* well, and yet a probe is under way */
    bool hung;      /* upstream: nothing is sent here again, as long as this connection is used */
};

struct client_tried {
    uint32_t server;
    uint32_t next;
};

struct fan_out;

struct aq_client {
    const struct aq_client_policy *policy;
    struct aq_address_book *book;
    struct aq_random random;
    aq_time_us now_us;
    struct aq_client_effects *effects; /* of the step under way; NULL between steps */

    uint32_t turn;        /* with the policy round_robin: of the next choice, 0 before the first */
    const uint32_t *list; /* members in order: address-book indexes; the configured array or own_list */
    uint32_t *own_list;
    uint32_t list_count;
    uint32_t place_count;
    /* by address-book index: 0 unknown, position + 1, or PLACE_RECORD | record. NULL before first use */
    uint32_t *place_of;

    /* sorted: position << 2 | EXCLUDED_* of each member that is not chosen for something */
    uint32_t *excluded;
    uint32_t excluded_count, excluded_capacity;
    uint32_t no_put, no_get; /* how many of them have each bit */
    uint32_t *skipped;       /* scratch of a choice */
    uint32_t skipped_capacity;

    struct client_server *servers;
    uint32_t server_count, server_capacity;

    uint32_t call_count, call_capacity; /* of the pool */
    struct client_call *calls;
    uint32_t *by_correlation; /* slot correlation & mask: call, or NONE */
    uint32_t correlation_mask, next_correlation;
    uint32_t free_call, pending, held, lost;
    uint32_t open;       /* unanswered calls of the application */
    uint32_t held_count; /* those of them that are held */

    uint32_t tried_count, tried_capacity, free_tried;
    uint32_t fan_out_count, fan_out_capacity, free_fan_out;
    struct client_tried *tried;
    struct fan_out *fan_outs;

    struct aq_deadlines deadlines; /* id 2 * call, 2 * server + 1 */
    aq_time_us sweep_at_us;        /* next look at the draining servers */
    aq_time_us sick_sweep_at_us;   /* next sweep of all servers */
    uint32_t sick_sweep;           /* the one under way, or NONE */
    aq_time_us boot_us;            /* AQ_TIME_NEVER before the first step */
    uint32_t *drains;              /* drain_wedges: records in the order of the drains, NONE: unknown id */
    uint32_t drains_count, drains_capacity;
    uint32_t drain_at;       /* the entry that is being looked at, or NONE */
    uint32_t drain_sweep;    /* the call for that, or NONE */
    uint32_t draining_count; /* members that are draining */
    bool membership_changed; /* and not yet told */
    bool failed;             /* memory ran out: the client is only good for being freed */
};

#define PLACE_RECORD             UINT32_C(0x80000000)
#define EXCLUDED_PUT             UINT32_C(1)
#define EXCLUDED_GET             UINT32_C(2)
#define EXCLUDED_POSITION(entry) ((entry) >> 2)

/* effects.c: what the world is told. */
struct aq_client_effect *aq_effects_add(struct aq_client *client, enum aq_client_effect_kind kind,
                                        uint32_t address);
void aq_effects_mark(struct aq_client *client, enum aq_client_mark mark);
void aq_effects_membership(struct aq_client *client); /* tells a change of members that is not told yet */

/* members.c: the list of servers. Positions are into it. */
int aq_members_init(struct aq_client *client, const uint32_t *servers, uint32_t count);
uint32_t aq_members_record(struct aq_client *client,
                           uint32_t address); /* made if need be; NONE if unknown or no memory */
uint32_t aq_members_known(const struct aq_client *client,
                          uint32_t address); /* its entry in place_of or what it would be */
uint32_t aq_members_by_id(const struct aq_client *client, struct aq_text id); /* address, or NONE */
void aq_members_health_changed(struct aq_client *client, uint32_t server);
/* Chooses for a call that is not tied to a server: an address, or NONE where nothing is left to try. */
uint32_t aq_members_choose(struct aq_client *client, bool for_put, uint32_t tried);
bool aq_members_add(struct aq_client *client, uint32_t address); /* true if it was no member */
void aq_members_remove(struct aq_client *client, uint32_t server);
void aq_members_replace(struct aq_client *client, const uint32_t *addresses, uint32_t count);
/* Puts an address in the place of a member, under its id, with a random one for the jobs that it hands out.
 */
void aq_members_move(struct aq_client *client, uint32_t server, uint32_t address);
void aq_members_forget_moves(struct aq_client *client);
uint32_t aq_members_moved(const struct aq_client *client, uint32_t server);    /* the record in its place */
struct aq_text aq_members_id(const struct aq_client *client, uint32_t server); /* for jobs it hands out */

/* calls.c: the pool of calls, their lists, deadlines and ends. */
uint32_t aq_calls_new(struct aq_client *client, enum call_kind kind,
                      enum aq_action action); /* NONE: no memory */
void aq_calls_free(struct aq_client *client, uint32_t call);
void aq_calls_set_deadline(struct aq_client *client, uint32_t call, aq_time_us at_us);
void aq_calls_append(struct aq_client *client, uint32_t *list, uint32_t call, enum call_state state);
void aq_calls_take(struct aq_client *client, uint32_t call); /* out of the list it is in; then LOOSE */
uint32_t aq_calls_of_correlation(const struct aq_client *client, uint32_t correlation);
uint32_t aq_calls_correlate(struct aq_client *client, uint32_t call);
void aq_calls_add_tried(struct aq_client *client, uint32_t call, uint32_t server);
/* The end of a loose call of whatever kind. reply is as the server sent it, or NULL. */
void aq_calls_end(struct aq_client *client, uint32_t call, enum aq_outcome outcome,
                  const struct aq_reply *reply);

/* backoff.c: rounds of further attempts, as AllQueue's client makes them. */
void aq_backoff_failed(struct aq_client *client, uint32_t call); /* a loose call whose attempt failed */
void aq_backoff_round(struct aq_client *client, uint32_t call);
void aq_backoff_target(struct aq_client *client, uint32_t call);
void aq_backoff_pinged(struct aq_client *client, uint32_t call, const struct aq_reply *reply);

/* sweeps.c: sweeps of all servers one after the other, as AllQueue's client makes them. */
void aq_sweeps_sick(struct aq_client *client);
void aq_sweeps_sick_go_on(struct aq_client *client, uint32_t call); /* a server has been pinged */
void aq_sweeps_drain(struct aq_client *client);
void aq_sweeps_forget(struct aq_client *client); /* a new table of servers: all begin anew */
void aq_sweeps_drain_swept(struct aq_client *client, uint32_t server, const struct aq_reply *reply);

/* attempts.c: what becomes of a call when it arrives and when an attempt fails. */
void aq_attempts_begin(struct aq_client *client, uint64_t name, const struct aq_request *request);
void aq_attempts_pend(struct aq_client *client, uint32_t call);
void aq_attempts_run_pending(struct aq_client *client);
void aq_attempts_release_held(struct aq_client *client);
uint32_t aq_attempts_choose(struct aq_client *client, uint32_t call); /* and tells; NONE: nothing is left */
void aq_attempts_give_up(struct aq_client *client,
                         uint32_t call); /* a loose call that will not be tried again */
void aq_attempts_failed_unsent(struct aq_client *client, uint32_t call);
void aq_attempts_failed_sent(struct aq_client *client, uint32_t call);       /* it may have been applied */
void aq_attempts_answered_nonsense(struct aq_client *client, uint32_t call); /* likewise */
void aq_attempts_deadline(struct aq_client *client, uint32_t call);

/* connections.c: the connection to each server, and what is sent over it. */
void aq_connections_enqueue(struct aq_client *client, uint32_t call); /* a loose call to its server */
void aq_connections_ping(struct aq_client *client, uint32_t call, bool first); /* in front of others */
void aq_connections_open(struct aq_client *client, uint32_t server);
void aq_connections_send_failed(struct aq_client *client, uint32_t call); /* a loose one; closes, rebuilds */
void aq_connections_restart(struct aq_client *client, uint32_t server);   /* with a connection made anew */
void aq_connections_rebuilt(struct aq_client *client, uint32_t server);
void aq_connections_forget(struct aq_client *client, uint32_t server); /* what is stuck there stays so */
void aq_connections_close(struct aq_client *client, uint32_t server);
void aq_connections_flush(struct aq_client *client, uint32_t server);
void aq_connections_connected(struct aq_client *client, uint32_t server);
void aq_connections_disconnected(struct aq_client *client, uint32_t server);

/* health.c: sick, probing, well. */
void aq_health_schedule_probe(struct aq_client *client, uint32_t server);
void aq_health_failed(struct aq_client *client,
                      uint32_t server); /* closes it, makes it sick, moves its calls on */
void aq_health_suspect(struct aq_client *client,
                       uint32_t server); /* where failures do not make sick: pings it */
void aq_health_forget(struct aq_client *client, uint32_t server); /* well, as at the start */
void aq_health_well(struct aq_client *client, uint32_t server);
void aq_health_pinged(struct aq_client *client, uint32_t server, bool answered);
void aq_health_probe_failed(struct aq_client *client, uint32_t server);
void aq_health_timer(struct aq_client *client, uint32_t server);
void aq_health_set_timer(struct aq_client *client, uint32_t server);

/* replies.c */
void aq_replies_handle(struct aq_client *client, const struct aq_client_event *event);
/* A copy in which the bare job ids carry the server; lies in the step's texts. NULL: no memory. */
const struct aq_reply *aq_replies_with_origin(struct aq_client *client, const struct aq_reply *reply,
                                              uint32_t server);

/* fanout.c: calls to every server. */
void aq_fan_outs_begin(struct aq_client *client, uint32_t call);
void aq_fan_outs_child_ended(struct aq_client *client, uint32_t fan_out, uint32_t place, uint32_t server,
                             enum aq_outcome outcome, const struct aq_reply *reply);
double aq_fan_outs_share(const struct aq_client *client, uint32_t fan_out,
                         double tps); /* of a throttle, per server */
void aq_fan_outs_close(struct aq_client *client);
void aq_fan_outs_check(const struct aq_client *client);

/* commands.c: drain, add_server, update_servers, redirects. */
void aq_commands_run(struct aq_client *client, uint32_t call);
void aq_commands_sweep(struct aq_client *client);
void aq_commands_swept(struct aq_client *client, uint32_t server, const struct aq_reply *reply);
bool aq_commands_is_empty(const struct aq_client *client, uint32_t server, const struct aq_reply *stats);
void aq_commands_drain(struct aq_client *client, uint32_t server);
/* Errors: AQ_EPARSE: it names no address. */
int aq_commands_redirect(struct aq_client *client, uint32_t server, const struct aq_reply *reply);

static inline enum aq_action call_action(const struct client_call *call) {
    return call->pinging ? AQ_ACTION_PING : (enum aq_action)call->action;
}

#endif
