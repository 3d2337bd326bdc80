/* Which addresses each client may use, from the scenario's lists and from what it was told since. Clients
   share their first lists; only what one client was told takes memory of its own. */
#ifndef AQ_SIM_CLIENT_LISTS_H
#define AQ_SIM_CLIENT_LISTS_H

#include "base/map.h"
#include "scenarios/scenario.h"

enum aq_standing {
    AQ_STANDING_UNKNOWN, /* the client was never told about the address */
    AQ_STANDING_MEMBER,  /* it may use it for everything */
    AQ_STANDING_LEFT,    /* it was told to use it no more for new work; completions still go there */
};

struct aq_client_lists {
    const struct aq_scenario *scenario; /* borrowed */
    uint64_t *group_members;            /* owned: for each group a bit for each address */
    uint32_t words_per_group;
    uint32_t *group_from; /* owned: lowest client index of each group, falling */
    /* owned; by client, made when the first is told something: 0 while it knows its first list only, else 1 +
       how often it has started anew */
    uint32_t *tellings;
    struct aq_map told; /* client, start and address to 1 (member) or 0 (left) */
};

/* The number of clients in a group: the shares up to and with it, together rounded to nearest, less those of
   the groups before it; never more than there are clients. */
uint32_t aq_client_group_size(const struct aq_client_section *clients, uint32_t group);

/* The group of a client, or UINT32_MAX for one that knows all servers: groups take the clients from
   the highest index down. */
uint32_t aq_client_group_of(const struct aq_client_section *clients, uint32_t client);

/* Errors: AQ_ENOMEM (to be closed all the same). */
int aq_client_lists_init(struct aq_client_lists *lists, const struct aq_scenario *scenario);
void aq_client_lists_close(struct aq_client_lists *lists);

/* Errors: AQ_ENOMEM (unchanged). */
int aq_client_lists_tell(struct aq_client_lists *lists, uint32_t client, uint32_t address, bool member);

/* The client's process ended: what it was told is forgotten, its first list holds again. */
void aq_client_lists_restart(struct aq_client_lists *lists, uint32_t client);

enum aq_standing aq_client_lists_standing(const struct aq_client_lists *lists, uint32_t client,
                                          uint32_t address);

#endif
