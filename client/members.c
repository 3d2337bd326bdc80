#include "client/internal.h"

static const char *id_of(const struct aq_client *client, uint32_t address) {
    return aq_address_id(&client->book->items[address], client->policy->id_from_host_only)->text;
}

/* Writes the list with every server id once: a later one takes the place of an earlier one with the same id,
   as in AllQueue's table of connections. Returns the number left. Errors: AQ_ENOMEM. */
static int without_twins(const struct aq_client *client, const uint32_t *servers, uint32_t count,
                         uint32_t *out, uint32_t *out_count) {
    struct aq_map seen = {0};
    int rc = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && !rc; i++) {
        uint64_t key = aq_server_id_key(id_of(client, servers[i]));
        uint32_t at = kept;
        if (!aq_map_get(&seen, key, &at)) {
            rc = aq_map_set(&seen, key, kept);
            kept++;
        }
        out[at] = servers[i];
    }
    aq_map_close(&seen);
    if (!rc) *out_count = kept;
    return rc;
}

int aq_members_init(struct aq_client *client, const uint32_t *servers, uint32_t count) {
    uint32_t *distinct = aq_alloc(count * sizeof *distinct), kept;
    if (!distinct) return AQ_ENOMEM;
    int rc = without_twins(client, servers, count, distinct, &kept);
    if (rc || kept == count) {
        aq_free(distinct);
        kept = count;
    } else {
        client->own_list = distinct;
    }
    client->list = client->own_list ? client->own_list : servers;
    client->list_count = kept;
    return rc;
}

/* The index by address, made at first use and grown with the book. False: no memory. */
static bool ensure_places(struct aq_client *client, uint32_t address) {
    if (address < client->place_count) return true;
    bool first = client->place_of == NULL;
    uint32_t old = client->place_count, count = client->book->count;
    uint32_t *places = aq_realloc(client->place_of, count * sizeof *places);
    if (!places) {
        client->failed = true;
        return false;
    }
    memset(places + old, 0, (count - old) * sizeof *places);
    client->place_of = places;
    client->place_count = count;
    if (first)
        for (uint32_t i = 0; i < client->list_count; i++)
            places[client->list[i]] = i + 1;
    return true;
}

uint32_t aq_members_known(const struct aq_client *client, uint32_t address) {
    if (client->place_of) return address < client->place_count ? client->place_of[address] : 0;
    for (uint32_t i = 0; i < client->list_count; i++)
        if (client->list[i] == address) return i + 1;
    return 0;
}

static bool is_member(const struct aq_client *client, uint32_t place) {
    return place && (!(place & PLACE_RECORD) || client->servers[place & ~PLACE_RECORD].position != NONE);
}

static uint32_t make_record(struct aq_client *client, uint32_t address, uint32_t position) {
    if (aq_array_reserve(&client->servers, &client->server_capacity, (size_t)client->server_count + 1,
                         sizeof *client->servers)) {
        client->failed = true;
        return NONE;
    }
    uint32_t server = client->server_count++;
    client->servers[server] = (struct client_server){.address = address,
                                                     .position = position,
                                                     .waiting = NONE,
                                                     .parked = NONE,
                                                     .flying = NONE,
                                                     .resting = NONE,
                                                     .no_turn = NONE,
                                                     .filed_as = address,
                                                     .moved_to = NONE,
                                                     .probe = NONE,
                                                     .probe_at_us = AQ_TIME_NEVER,
                                                     .reconnect_at_us = AQ_TIME_NEVER,
                                                     .health = AQ_SERVER_WELL};
    client->place_of[address] = PLACE_RECORD | server;
    return server;
}

uint32_t aq_members_record(struct aq_client *client, uint32_t address) {
    if (!ensure_places(client, address)) return NONE;
    uint32_t place = client->place_of[address];
    if (place == 0) return NONE;
    if (place & PLACE_RECORD) return place & ~PLACE_RECORD;
    return make_record(client, address, place - 1);
}

uint32_t aq_members_moved(const struct aq_client *client, uint32_t server) {
    while (client->servers[server].moved_to != NONE)
        server = client->servers[server].moved_to;
    return server;
}

struct aq_text aq_members_id(const struct aq_client *client, uint32_t server) {
    const struct client_server *s = &client->servers[server];
    if (s->random_id.text[0]) return aq_server_id_text(&s->random_id);
    const struct aq_address *address = &client->book->items[s->address];
    bool from_host = client->policy->id_from_host_only || AQ_CLIENT_MUTANT(ID_OF_HOST);
    return aq_server_id_text(aq_address_id(address, from_host));
}

/* The address now behind one of the book, where its connection goes by that address; NONE where it does not.
 */
static uint32_t behind(const struct aq_client *client, uint32_t address) {
    uint32_t place = aq_members_known(client, address);
    if (place == 0) return NONE;
    if (!(place & PLACE_RECORD)) return address;
    const struct client_server *s = &client->servers[place & ~PLACE_RECORD];
    if (s->filed_as != address) return NONE;
    return client->servers[aq_members_moved(client, place & ~PLACE_RECORD)].address;
}

uint32_t aq_members_by_id(const struct aq_client *client, struct aq_text id) {
    bool from_host = client->policy->id_from_host_only || AQ_CLIENT_MUTANT(ID_OF_HOST);
    uint32_t address = aq_address_book_first_with_id(client->book, from_host, id), former = NONE;
    for (; address != NONE; address = aq_address_next_with_id(&client->book->items[address], from_host)) {
        uint32_t now = behind(client, address);
        if (now == NONE) continue;
        if (is_member(client, aq_members_known(client, now))) return now;
        if (former == NONE) former = now;
    }
    if (AQ_CLIENT_MUTANT(LEFT_UNREACHABLE)) return NONE;
    if (AQ_CLIENT_MUTANT(LEFT_TO_FIRST) && former != NONE && client->list_count) return client->list[0];
    return client->policy->dropped_unreachable ? NONE : former;
}

static uint32_t excluded_bits(const struct aq_client *client, const struct client_server *server) {
    if (server->health != AQ_SERVER_WELL && !AQ_CLIENT_MUTANT(SICK_CHOSEN))
        return EXCLUDED_PUT | EXCLUDED_GET;
    bool takes_puts = client->policy->put_to_draining || AQ_CLIENT_MUTANT(DRAINING_PUTS);
    return server->draining && !takes_puts ? EXCLUDED_PUT : 0;
}

static void count_bits(struct aq_client *client, uint32_t bits, uint32_t by) {
    if (bits & EXCLUDED_PUT) client->no_put += by;
    if (bits & EXCLUDED_GET) client->no_get += by;
}

void aq_members_health_changed(struct aq_client *client, uint32_t server) {
    const struct client_server *s = &client->servers[server];
    if (s->position == NONE) return;
    uint32_t bits = excluded_bits(client, s), at = 0;
    while (at < client->excluded_count && EXCLUDED_POSITION(client->excluded[at]) < s->position)
        at++;
    bool there = at < client->excluded_count && EXCLUDED_POSITION(client->excluded[at]) == s->position;
    uint32_t old = there ? client->excluded[at] & 3 : 0;
    if (bits == old) return;
    if (!there && aq_array_reserve(&client->excluded, &client->excluded_capacity,
                                   (size_t)client->excluded_count + 1, sizeof *client->excluded)) {
        client->failed = true;
        return;
    }
    uint32_t *entry = client->excluded + at;
    size_t behind = client->excluded_count - at;
    if (!there) {
        memmove(entry + 1, entry, behind * sizeof *entry);
        client->excluded_count++;
    }
    *entry = s->position << 2 | bits;
    if (!bits) {
        memmove(entry, entry + 1, (behind - 1) * sizeof *entry);
        client->excluded_count--;
    }
    count_bits(client, old, -1U);
    count_bits(client, bits, 1);
    client->membership_changed = true;
}

/* The free position number `number`, counted past the skipped ones. */
static uint32_t past_skipped(const uint32_t *skipped, uint32_t count, uint32_t number) {
    for (uint32_t i = 0; i < count && skipped[i] <= number; i++)
        number++;
    return number;
}

/* The address of the eligible server number `position`, counted past the others. */
static uint32_t eligible_at(const struct aq_client *client, uint32_t bit, uint32_t position) {
    for (uint32_t i = 0; i < client->excluded_count; i++) {
        if (!(client->excluded[i] & bit)) continue;
        if (EXCLUDED_POSITION(client->excluded[i]) > position) break;
        position++;
    }
    return client->list[position];
}

/* What is against a server, as far as this client knows. */
static uint32_t reluctance(struct aq_client *client, uint32_t address) {
    uint32_t place = ensure_places(client, address) ? client->place_of[address] : 0;
    if (!(place & PLACE_RECORD)) return 0;
    const struct client_server *server = &client->servers[place & ~PLACE_RECORD];
    return client->policy->select == AQ_SELECT_LEAST_EMPTY ? server->empties
                                                           : server->in_flight + server->turns;
}

static uint32_t choose_untried(struct aq_client *client, uint32_t bit, uint32_t eligible) {
    uint32_t first, second;
    switch ((enum aq_select)client->policy->select) {
    case AQ_SELECT_RANDOM: break;
    case AQ_SELECT_ROUND_ROBIN:
        if (client->turn == 0) client->turn = aq_random_below(&client->random, eligible);
        return eligible_at(client, bit, client->turn++ % eligible);
    case AQ_SELECT_TWO_CHOICES:
    case AQ_SELECT_LEAST_EMPTY:
        first = eligible_at(client, bit, aq_random_below(&client->random, eligible));
        second = eligible_at(client, bit, aq_random_below(&client->random, eligible));
        return reluctance(client, second) < reluctance(client, first) ? second : first;
    }
    bool cut = AQ_CLIENT_MUTANT(LAST_LEFT_OUT) && eligible > 1;
    uint32_t position = aq_random_below(&client->random, eligible - cut);
    if (AQ_CLIENT_MUTANT(CHOICE_BIASED) && position) position -= aq_random_chance(&client->random, 0.1);
    return eligible_at(client, bit, position);
}

static bool was_tried(const struct aq_client *client, uint32_t tried, uint32_t position) {
    for (; tried != NONE; tried = client->tried[tried].next)
        if (client->servers[client->tried[tried].server].position == position) return true;
    return false;
}

static void skip(struct aq_client *client, uint32_t *count, uint32_t position) {
    if (aq_array_reserve(&client->skipped, &client->skipped_capacity, (size_t)*count + 1,
                         sizeof *client->skipped)) {
        client->failed = true;
        return;
    }
    uint32_t at = *count;
    for (; at > 0 && client->skipped[at - 1] >= position; at--)
        if (client->skipped[at - 1] == position) return;
    memmove(client->skipped + at + 1, client->skipped + at, (*count - at) * sizeof *client->skipped);
    client->skipped[at] = position;
    ++*count;
}

/* A choice among the eligible ones that this call has not tried yet. */
static uint32_t choose_among_rest(struct aq_client *client, uint32_t bit, uint32_t tried) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < client->excluded_count; i++)
        if (client->excluded[i] & bit) skip(client, &count, EXCLUDED_POSITION(client->excluded[i]));
    for (; tried != NONE; tried = client->tried[tried].next) {
        uint32_t position = client->servers[client->tried[tried].server].position;
        if (position != NONE) skip(client, &count, position);
    }
    if (client->failed || count == client->list_count) return NONE;
    uint32_t number = aq_random_below(&client->random, client->list_count - count);
    return client->list[past_skipped(client->skipped, count, number)];
}

static bool is_sick_choice(const struct aq_client *client, uint32_t entry, bool for_put, uint32_t tried) {
    if (!(entry & EXCLUDED_GET)) return false;
    uint32_t position = EXCLUDED_POSITION(entry), place = client->place_of[client->list[position]];
    const struct client_server *server = &client->servers[place & ~PLACE_RECORD];
    if (for_put && server->draining && !client->policy->put_to_draining) return false;
    return !was_tried(client, tried, position);
}

/* With no eligible server left: one of the sick. */
static uint32_t choose_sick(struct aq_client *client, bool for_put, uint32_t tried) {
    uint32_t count = 0;
    if (client->policy->first_when_all_sick)
        return client->list_count && !was_tried(client, tried, 0) ? client->list[0] : NONE;
    for (uint32_t i = 0; i < client->excluded_count; i++)
        count += is_sick_choice(client, client->excluded[i], for_put, tried);
    if (count == 0) return NONE;
    uint32_t number = aq_random_below(&client->random, count), i = 0;
    while (!is_sick_choice(client, client->excluded[i], for_put, tried) || number-- > 0)
        i++;
    return client->list[EXCLUDED_POSITION(client->excluded[i])];
}

uint32_t aq_members_choose(struct aq_client *client, bool for_put, uint32_t tried) {
    uint32_t bit = for_put ? EXCLUDED_PUT : EXCLUDED_GET;
    uint32_t eligible = client->list_count - (for_put ? client->no_put : client->no_get);
    if (eligible && tried == NONE) return choose_untried(client, bit, eligible);
    uint32_t address = eligible ? choose_among_rest(client, bit, tried) : NONE;
    if (address != NONE) return address;
    address = choose_sick(client, for_put, tried);
    if (!eligible && address != NONE) aq_effects_mark(client, AQ_CLIENT_MARK_ALL_SERVERS_SICK);
    return address;
}

static void set_positions(struct aq_client *client) {
    for (uint32_t i = 0; i < client->place_count; i++)
        if (!(client->place_of[i] & PLACE_RECORD)) client->place_of[i] = 0;
    for (uint32_t i = 0; i < client->server_count; i++)
        client->servers[i].position = NONE;
    for (uint32_t i = 0; i < client->list_count; i++) {
        uint32_t *place = &client->place_of[client->list[i]];
        if (*place & PLACE_RECORD)
            client->servers[*place & ~PLACE_RECORD].position = i;
        else
            *place = i + 1;
    }
}

static void set_excluded(struct aq_client *client) {
    client->excluded_count = client->no_put = client->no_get = client->draining_count = 0;
    for (uint32_t i = 0; i < client->list_count && !client->failed; i++) {
        uint32_t place = client->place_of[client->list[i]];
        if (!(place & PLACE_RECORD)) continue;
        struct client_server *server = &client->servers[place & ~PLACE_RECORD];
        client->draining_count += server->draining;
        aq_members_health_changed(client, place & ~PLACE_RECORD);
        if (server->health == AQ_SERVER_SICK && server->probe_at_us == AQ_TIME_NEVER)
            aq_health_schedule_probe(client, place & ~PLACE_RECORD);
    }
    client->membership_changed = true;
}

/* Takes a new list over; on failure it is freed. Servers that leave keep a record, so that completions still
 * reach them. */
static void take_list(struct aq_client *client, uint32_t *list, uint32_t count) {
    if (!ensure_places(client, client->book->count - 1)) {
        aq_free(list);
        return;
    }
    const uint32_t *old = client->list;
    uint32_t *old_own = client->own_list, old_count = client->list_count;
    client->own_list = list;
    client->list = list;
    client->list_count = count;
    set_positions(client);
    for (uint32_t i = 0; i < old_count; i++)
        if (client->place_of[old[i]] == 0) make_record(client, old[i], NONE);
    aq_free(old_own);
    set_excluded(client);
}

/* The 7 characters of an id that is a digest of nothing. */
static struct aq_server_id random_id(struct aq_client *client) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct aq_server_id id = {0};
    for (uint32_t i = 0; i < AQ_SERVER_ID_CHARS; i++)
        id.text[i] = digits[aq_random_below(&client->random, 64)];
    return id;
}

/* What waits at the old connection goes on at the new one. */
static void move_waiting(struct aq_client *client, uint32_t from) {
    uint32_t *lists[] = {&client->servers[from].flying, &client->servers[from].waiting};
    aq_connections_close(client, from);
    for (uint32_t i = 0; i < 2; i++)
        while (*lists[i] != NONE) {
            uint32_t call = *lists[i];
            aq_calls_take(client, call);
            if (i == 0)
                aq_attempts_failed_sent(client, call);
            else
                aq_attempts_failed_unsent(client, call);
        }
}

void aq_members_move(struct aq_client *client, uint32_t server, uint32_t address) {
    uint32_t position = client->servers[server].position, count = client->list_count;
    if (position == NONE) return;
    bool merges = is_member(client, aq_members_known(client, address));
    uint32_t *list = aq_alloc(count * sizeof *list);
    if (!list) {
        client->failed = true;
        return;
    }
    memcpy(list, client->list, count * sizeof *list);
    list[position] = address;
    if (merges) memmove(list + position, list + position + 1, (count - position - 1) * sizeof *list);
    take_list(client, list, count - merges);
    uint32_t to = client->failed ? NONE : aq_members_record(client, address);
    if (to == NONE) return;
    struct client_server *s = &client->servers[server], *t = &client->servers[to];
    s->moved_to = to;
    t->moved_to = NONE;
    if (!merges) {
        t->filed_as = s->filed_as;
        t->random_id = random_id(client);
        t->draining = s->draining;
    }
    s->draining = false;
    aq_health_forget(client, server);
    set_excluded(client);
    move_waiting(client, server);
    for (uint32_t i = 0; i < client->drains_count; i++)
        if (client->drains[i] == server) client->drains[i] = to;
}

/* A list of connections made anew files each under its own name. */
void aq_members_forget_moves(struct aq_client *client) {
    for (uint32_t i = 0; i < client->server_count; i++) {
        struct client_server *s = &client->servers[i];
        s->moved_to = NONE;
        s->filed_as = s->address;
        s->random_id = (struct aq_server_id){0};
    }
}

void aq_members_replace(struct aq_client *client, const uint32_t *addresses, uint32_t count) {
    uint32_t *list = aq_alloc((count ? count : 1) * sizeof *list), kept = 0;
    if (!list || without_twins(client, addresses, count, list, &kept)) {
        aq_free(list);
        client->failed = true;
        return;
    }
    take_list(client, list, kept);
    /* A server that left and comes back is a member like any other. */
    for (uint32_t i = 0; i < client->server_count; i++)
        if (client->servers[i].position == NONE) client->servers[i].draining = false;
}

/* A connection that goes by this address although a redirect has put another behind it makes room: its place
 * in the list. */
static uint32_t take_back(struct aq_client *client, uint32_t address) {
    uint32_t place = aq_members_known(client, address);
    if (!(place & PLACE_RECORD)) return NONE;
    struct client_server *s = &client->servers[place & ~PLACE_RECORD];
    struct client_server *t = &client->servers[aq_members_moved(client, place & ~PLACE_RECORD)];
    s->moved_to = NONE;
    if (t == s || t->filed_as != address) return NONE;
    t->filed_as = t->address;
    t->random_id = (struct aq_server_id){0};
    return t->position;
}

bool aq_members_add(struct aq_client *client, uint32_t address) {
    if (AQ_CLIENT_MUTANT(ADD_IGNORED)) return false;
    if (is_member(client, aq_members_known(client, address))) return false;
    uint32_t count = client->list_count, *longer = aq_alloc(((size_t)count + 1) * sizeof *longer);
    if (!longer) {
        client->failed = true;
        return false;
    }
    memcpy(longer, client->list, count * sizeof *longer);
    uint32_t position = take_back(client, address);
    longer[position == NONE ? count : position] = address;
    aq_members_replace(client, longer, count + (position == NONE));
    aq_free(longer);
    return true;
}

void aq_members_remove(struct aq_client *client, uint32_t server) {
    uint32_t position = client->servers[server].position, count = client->list_count;
    AQ_ASSERT(position != NONE);
    uint32_t *shorter = aq_alloc(count * sizeof *shorter);
    if (!shorter) {
        client->failed = true;
        return;
    }
    memcpy(shorter, client->list, position * sizeof *shorter);
    memcpy(shorter + position, client->list + position + 1, (count - position - 1) * sizeof *shorter);
    aq_members_replace(client, shorter, count - 1);
    aq_free(shorter);
}

uint32_t aq_client_eligible(const struct aq_client *client, bool for_put, uint32_t *out, uint32_t room) {
    uint32_t bit = for_put ? EXCLUDED_PUT : EXCLUDED_GET, entry = 0, count = 0;
    for (uint32_t i = 0; i < client->list_count; i++) {
        bool excluded = false;
        if (entry < client->excluded_count && EXCLUDED_POSITION(client->excluded[entry]) == i)
            excluded = client->excluded[entry++] & bit;
        if (excluded) continue;
        if (count < room) out[count] = client->list[i];
        count++;
    }
    return count;
}

enum aq_server_health aq_client_health(const struct aq_client *client, uint32_t server) {
    uint32_t place = aq_members_known(client, server);
    if (!is_member(client, place)) return AQ_SERVER_REMOVED;
    if (!(place & PLACE_RECORD)) return AQ_SERVER_WELL;
    const struct client_server *s = &client->servers[place & ~PLACE_RECORD];
    return s->health == AQ_SERVER_WELL && s->draining ? AQ_SERVER_DRAINING : (enum aq_server_health)s->health;
}
