#include "sim/client_lists.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* Clients that are left for group number `group` and those after it. */
static uint32_t left_for(const struct aq_client_section *clients, uint32_t group) {
    double taken = 0;
    for (uint32_t i = 0; i < group; i++)
        taken += clients->groups[i].share * clients->count;
    uint64_t whole = (uint64_t)(taken + 0.5);
    return whole < clients->count ? clients->count - (uint32_t)whole : 0;
}

uint32_t aq_client_group_size(const struct aq_client_section *clients, uint32_t group) {
    AQ_ASSERT(group < clients->group_count);
    return left_for(clients, group) - left_for(clients, group + 1);
}

uint32_t aq_client_group_of(const struct aq_client_section *clients, uint32_t client) {
    for (uint32_t group = 0; group < clients->group_count; group++)
        if (client >= left_for(clients, group + 1)) return group;
    return UINT32_MAX;
}

int aq_client_lists_init(struct aq_client_lists *lists, const struct aq_scenario *scenario) {
    const struct aq_client_section *clients = &scenario->clients;
    *lists = (struct aq_client_lists){.scenario = scenario};
    if (clients->group_count == 0) return 0;
    uint32_t addresses = 0;
    for (uint32_t i = 0; i < clients->group_count; i++)
        for (uint32_t k = 0; k < clients->groups[i].server_count; k++)
            if (clients->groups[i].servers[k] >= addresses) addresses = clients->groups[i].servers[k] + 1;
    lists->words_per_group = addresses / 64 + 1;
    lists->group_members =
        aq_alloc_zeroed((size_t)lists->words_per_group * clients->group_count, sizeof(uint64_t));
    lists->group_from = aq_alloc_zeroed(clients->group_count, sizeof *lists->group_from);
    if (!lists->group_members || !lists->group_from) return AQ_ENOMEM;
    for (uint32_t i = 0; i < clients->group_count; i++) {
        uint64_t *words = lists->group_members + (size_t)i * lists->words_per_group;
        lists->group_from[i] = left_for(clients, i + 1);
        for (uint32_t k = 0; k < clients->groups[i].server_count; k++)
            words[clients->groups[i].servers[k] / 64] |= UINT64_C(1) << clients->groups[i].servers[k] % 64;
    }
    return 0;
}

void aq_client_lists_close(struct aq_client_lists *lists) {
    aq_free(lists->group_members);
    aq_free(lists->group_from);
    aq_free(lists->tellings);
    aq_map_close(&lists->told);
    *lists = (struct aq_client_lists){0};
}

/* aq_map_mix is one-to-one, so distinct triples of these widths have distinct keys: 24 bits of starts, 20
 * each of client and address. */
static uint64_t key_of(uint32_t client, uint32_t telling, uint32_t address) {
    return aq_map_mix((uint64_t)(telling & 0xffffff) << 40 | (uint64_t)client << 20 | address);
}

int aq_client_lists_tell(struct aq_client_lists *lists, uint32_t client, uint32_t address, bool member) {
    AQ_ASSERT(client < lists->scenario->clients.count && client < 1u << 20 && address < 1u << 20);
    if (!lists->tellings) {
        lists->tellings = aq_alloc_zeroed(lists->scenario->clients.count, sizeof *lists->tellings);
        if (!lists->tellings) return AQ_ENOMEM;
    }
    uint32_t telling = lists->tellings[client] ? lists->tellings[client] : 1;
    int rc = aq_map_set(&lists->told, key_of(client, telling, address), member);
    if (rc) return rc;
    lists->tellings[client] = telling;
    return 0;
}

void aq_client_lists_restart(struct aq_client_lists *lists, uint32_t client) {
    AQ_ASSERT(client < lists->scenario->clients.count);
    if (lists->tellings && lists->tellings[client]) lists->tellings[client]++;
}

static bool is_on_first_list(const struct aq_client_lists *lists, uint32_t client, uint32_t address) {
    const struct aq_client_section *clients = &lists->scenario->clients;
    for (uint32_t group = 0; group < clients->group_count; group++) {
        if (client < lists->group_from[group]) continue;
        if (address / 64 >= lists->words_per_group) return false;
        return lists->group_members[(size_t)group * lists->words_per_group + address / 64] >> address % 64 &
               1;
    }
    return address < lists->scenario->servers.count;
}

enum aq_standing aq_client_lists_standing(const struct aq_client_lists *lists, uint32_t client,
                                          uint32_t address) {
    AQ_ASSERT(client < lists->scenario->clients.count);
    uint32_t member;
    if (lists->tellings && lists->tellings[client] && address < 1u << 20 &&
        aq_map_get(&lists->told, key_of(client, lists->tellings[client], address), &member))
        return member ? AQ_STANDING_MEMBER : AQ_STANDING_LEFT;
    return is_on_first_list(lists, client, address) ? AQ_STANDING_MEMBER : AQ_STANDING_UNKNOWN;
}
