/* What workers, producers and the nemesis need of a world: timers, calls to clients, and things to break. The
   virtual and the live world each fill one table of these. */
#ifndef AQ_SIM_WORLD_H
#define AQ_SIM_WORLD_H

#include "base/time.h"
#include "fakeserver/faults.h"
#include "protocol/message.h"
#include "sim/link_rules.h"

enum aq_timer_kind {
    AQ_TIMER_WORKER,
    AQ_TIMER_ARRIVAL,
    AQ_TIMER_STRIKE,
    AQ_TIMER_FAULT_END,
    AQ_TIMER_COMMAND
};

/* Every function takes the world first and returns 0 or a negative AQ_E*. */
struct aq_world_ops {
    /* Calls the timer's owner at at_us. *ticket names this timer; a later one for the same subject makes
       earlier tickets stale, which their owner sees by comparing. */
    int (*set_timer)(void *world, enum aq_timer_kind kind, uint32_t subject, aq_time_us at_us,
                     uint64_t *ticket);

    /* Gives a call to a client that is up. request is borrowed until the call is answered
       or its client goes down. */
    int (*submit)(void *world, uint32_t client, uint64_t call, const struct aq_request *request);
    bool (*client_is_up)(void *world, uint32_t client);

    int (*client_crash)(void *world, uint32_t client);
    int (*client_start)(void *world, uint32_t client);
    /* Moves the client's clock by so much. Back, it stands still until time has caught up. */
    int (*client_clock)(void *world, uint32_t client, int64_t jump_us);

    bool (*server_is_up)(void *world, uint32_t server);
    int (*server_crash)(void *world, uint32_t server, bool disk_lost);
    int (*server_start)(void *world, uint32_t server);
    int (*server_fault)(void *world, uint32_t server, const struct aq_fault_rule *rule);
    /* *touched grows by the rule's receipt; nothing happens where the rule is not in force. */
    int (*server_heal)(void *world, uint32_t server, uint32_t rule_id, uint64_t *touched);

    /* Tells a server by its admin action to send its clients to this address from now on. *touched grows by 1
       where it is up. */
    int (*server_redirect)(void *world, uint32_t server, uint32_t address, uint64_t *touched);
    /* Sends a server a message that is blank. *touched likewise. */
    int (*server_blank)(void *world, uint32_t server, uint64_t *touched);

    /* *rule is borrowed until link_heal. */
    int (*link_fault)(void *world, struct aq_link_rule *rule);
    int (*link_heal)(void *world, struct aq_link_rule *rule);
    /* Breaks the connections between the clients and servers of the sets now. *touched
       grows by their number. */
    int (*reset)(void *world, const struct aq_link_rule *between, bool half_open, uint64_t *touched);
};

struct aq_world {
    void *self;
    const struct aq_world_ops *ops;
};

#endif
