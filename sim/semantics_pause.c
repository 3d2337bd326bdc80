/* Pause: a server hands out no job of a tube that it has paused, and where a caller was told that a tube is
   paused, no server of the fleet does. */
#include "sim/semantics.h"

#include "base/memory.h"

#define SERVER_PAUSED "a job of a paused tube was handed out"
#define FLEET_PAUSED  "a job was handed out after its caller was told that the tube is paused"

struct tube {
    uint64_t key;
    uint32_t server;
    bool paused;
    aq_time_us told_us;
};

/* A tube that a caller paused through its client. */
struct command {
    uint64_t name_hash;
    bool paused;
};

struct pause {
    struct aq_semantics_counts counts;
    struct aq_map paused; /* key of tube and server: 1 where it is paused */
    struct tube *tubes;   /* all that were ever paused */
    uint32_t count, capacity;
    struct command *commands;
    uint32_t command_count, command_capacity;
};

static struct tube *find(const struct pause *p, uint64_t key) {
    uint32_t index;
    return aq_map_get(&p->paused, key, &index) ? &p->tubes[index] : NULL;
}

static int set(struct pause *p, const struct aq_observation *seen, bool paused) {
    uint64_t key = aq_semantics_tube_key(seen->server, seen->tap->tube);
    struct tube *tube = find(p, key);
    if (!tube) {
        int rc = aq_array_reserve(&p->tubes, &p->capacity, (size_t)p->count + 1, sizeof *p->tubes);
        if (!rc) rc = aq_map_set(&p->paused, key, p->count);
        if (rc) return rc;
        tube = &p->tubes[p->count++];
        *tube = (struct tube){.key = key, .server = seen->server};
    }
    tube->paused = paused;
    tube->told_us = seen->at_us;
    return 0;
}

static bool fleet_paused(const struct pause *p, struct aq_text tube) {
    if (!p->command_count) return false;
    uint64_t hash = aq_text_hash(tube);
    for (uint32_t i = 0; i < p->command_count; i++)
        if (p->commands[i].name_hash == hash) return p->commands[i].paused;
    return false;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct pause *p = state;
    const struct aq_tap *about = tap->seen->tap;
    if (about->kind == AQ_TAP_PAUSED || about->kind == AQ_TAP_UNPAUSED)
        return set(p, tap->seen, about->kind == AQ_TAP_PAUSED);
    if (!p->count && !p->command_count) return 0;
    struct aq_text name = aq_semantics_controlled_by(s, about->tube);
    const struct tube *tube = find(p, aq_semantics_tube_key(tap->seen->server, name));
    bool here = tube && tube->paused, everywhere = fleet_paused(p, name);
    if (!here && !everywhere) return 0;
    p->counts.judged++;
    if (about->kind == AQ_TAP_EMPTY) return 0;
    return aq_semantics_bad(s, tap, here ? SERVER_PAUSED : FLEET_PAUSED);
}

static struct command *command_of(struct pause *p, const struct aq_semantics *s,
                                  const struct aq_observation *seen) {
    uint64_t hash = aq_text_hash(aq_text_of(s->scenario->commands[seen->caller].tube));
    for (uint32_t i = 0; i < p->command_count; i++)
        if (p->commands[i].name_hash == hash) return &p->commands[i];
    return NULL;
}

static bool is_about_pause(const struct aq_observation *seen) {
    return seen->action == AQ_ACTION_PAUSE || seen->action == AQ_ACTION_UNPAUSE;
}

/* The first server may be unpaused long before the caller hears of the last. */
static void asked(void *state, const struct aq_semantics *s, const struct aq_observation *seen) {
    struct command *command = is_about_pause(seen) ? command_of(state, s, seen) : NULL;
    if (command) command->paused = false;
}

static int command_done(void *state, struct aq_semantics *s, const struct aq_observation *seen) {
    struct pause *p = state;
    if (!is_about_pause(seen)) return 0;
    struct command *command = command_of(p, s, seen);
    if (!command) {
        int rc = aq_array_reserve(&p->commands, &p->command_capacity, (size_t)p->command_count + 1,
                                  sizeof *p->commands);
        if (rc) return rc;
        command = &p->commands[p->command_count++];
        command->name_hash = aq_text_hash(aq_text_of(s->scenario->commands[seen->caller].tube));
    }
    command->paused = seen->action == AQ_ACTION_PAUSE;
    return 0;
}

static void fleet_changed(void *state) {
    struct pause *p = state;
    p->command_count = 0;
}

static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    struct pause *p = state;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->tubes[i].server == server && !aq_semantics_outlives(s, p->tubes[i].told_us))
            p->tubes[i].paused = false;
}

static void close_state(void *state) {
    struct pause *p = state;
    aq_map_close(&p->paused);
    aq_free(p->tubes);
    aq_free(p->commands);
}

const struct aq_semantics_rule aq_semantics_pause = {
    .figure = "pause_judged",
    .taps =
        AQ_TAP_BIT(PAUSED) | AQ_TAP_BIT(UNPAUSED) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(EMPTY),
    .state_bytes = sizeof(struct pause),
    .tap = tap_seen,
    .asked = asked,
    .command = command_done,
    .fleet_changed = fleet_changed,
    .forget = forget,
    .close = close_state,
};
