/* A connection:

     cold --run--> coming --up--> warm --take--> taken --next, close--> cold
                     |              |
                     +--- failed ---+--> cold */
#include "sim/live_warm_uv.h"

#include "base/assert.h"
#include "base/memory.h"
#include "sim/client_lists.h"

#define AT_ONCE 32  /* handshakes under way: a tenth of a second of work */
#define LOOK_MS 100 /* how often the wish to stop is looked at */
#define PATIENCE_NS                                                                                          \
    UINT64_C(20000000000) /* without any news: servers that run elsewhere may be out of reach */
#define PAIR(w, at) ((size_t)(at).client * (w)->servers + (at).address)

enum state { COLD, COMING, WARM, TAKEN };

struct pair {
    uint32_t client, address;
};

struct aq_live_warm {
    struct aq_live_warm_config config;
    uint32_t servers;
    uint8_t *states;      /* by client and server: enum state */
    struct pair *to_tell; /* taken, in their order; some may no longer be. Room for all: each is taken once */
    size_t told, to_tell_count;
    uint32_t coming;
    bool given_up; /* on servers from which nothing is heard */
    uv_timer_t timer;
    bool timer_closed;
};

static uint8_t *state_of(struct aq_live_warm *warm, uint32_t client, uint32_t address) {
    struct pair at = {client, address};
    if (address >= warm->servers || client >= warm->config.scenario->clients.count) return NULL;
    return &warm->states[PAIR(warm, at)];
}

int aq_live_warm_new(const struct aq_live_warm_config *config, struct aq_live_warm **out) {
    struct aq_live_warm *warm = aq_alloc_zeroed(1, sizeof *warm);
    if (!warm) return AQ_ENOMEM;
    warm->config = *config;
    warm->servers = config->scenario->servers.count;
    size_t pairs = (size_t)config->scenario->clients.count * warm->servers;
    warm->states = aq_alloc_zeroed(pairs, sizeof *warm->states);
    warm->to_tell = aq_alloc(pairs * sizeof *warm->to_tell);
    if (!warm->states || !warm->to_tell) {
        aq_live_warm_free(warm);
        return AQ_ENOMEM;
    }
    *out = warm;
    return 0;
}

void aq_live_warm_free(struct aq_live_warm *warm) {
    if (!warm) return;
    aq_free(warm->states);
    aq_free(warm->to_tell);
    aq_free(warm);
}

/* ---- before the start ---- */

static void on_timer(uv_timer_t *timer) {
    (void)timer; /* the loop comes back for it */
}

static void on_timer_closed(uv_handle_t *handle) {
    ((struct aq_live_warm *)handle->data)->timer_closed = true;
}

static bool stopped(const struct aq_live_warm *warm) {
    return warm->config.stop && *warm->config.stop;
}

static int wait_until_coming(struct aq_live_warm *warm, uint32_t at_most) {
    uint64_t news_ns = uv_hrtime();
    while (warm->coming > at_most && !stopped(warm) && !warm->given_up) {
        uint32_t before = warm->coming;
        uv_run(warm->config.loop, UV_RUN_ONCE);
        if (warm->coming != before) news_ns = uv_hrtime();
        warm->given_up = uv_hrtime() - news_ns > PATIENCE_NS;
    }
    return stopped(warm) ? AQ_EINTERRUPTED : 0;
}

static int start(struct aq_live_warm *warm, uint32_t client, uint32_t address) {
    *state_of(warm, client, address) = COMING;
    warm->coming++;
    int rc = warm->config.connect(warm->config.owner, client, address);
    return rc ? rc : wait_until_coming(warm, AT_ONCE - 1);
}

static int make_all(struct aq_live_warm *warm) {
    struct aq_client_lists lists;
    int rc = aq_client_lists_init(&lists, warm->config.scenario);
    for (uint32_t client = 0; !rc && client < warm->config.scenario->clients.count; client++)
        for (uint32_t address = 0; !rc && address < warm->servers; address++)
            if (aq_client_lists_standing(&lists, client, address) == AQ_STANDING_MEMBER)
                rc = start(warm, client, address);
    aq_client_lists_close(&lists);
    return rc ? rc : wait_until_coming(warm, 0);
}

int aq_live_warm_run(struct aq_live_warm *warm) {
    if (uv_timer_init(warm->config.loop, &warm->timer)) return AQ_EIO;
    warm->timer.data = warm;
    uv_timer_start(&warm->timer, on_timer, LOOK_MS, LOOK_MS);
    int rc = make_all(warm);
    uv_close((uv_handle_t *)&warm->timer, on_timer_closed);
    while (!warm->timer_closed)
        uv_run(warm->config.loop, UV_RUN_NOWAIT);
    return rc;
}

/* ---- from then on ---- */

enum aq_live_warm_fate aq_live_warm_event(struct aq_live_warm *warm, uint32_t client,
                                          const struct aq_client_event *event) {
    uint8_t *state = state_of(warm, client, event->server);
    if (!state || *state == COLD) return AQ_LIVE_WARM_PASS;
    bool up = event->kind == AQ_CLIENT_CONNECTED, was_taken = *state == TAKEN;
    AQ_ASSERT(up || event->kind == AQ_CLIENT_DISCONNECTED);
    if (*state == COMING) warm->coming--;
    *state = up ? WARM : COLD;
    return was_taken ? AQ_LIVE_WARM_FIRST : AQ_LIVE_WARM_KEEP;
}

bool aq_live_warm_take(struct aq_live_warm *warm, uint32_t client, uint32_t address) {
    uint8_t *state = state_of(warm, client, address);
    if (!state || *state != WARM) return false;
    warm->to_tell[warm->to_tell_count++] = (struct pair){client, address};
    *state = TAKEN;
    return true;
}

bool aq_live_warm_next(struct aq_live_warm *warm, uint32_t *client, uint32_t *address) {
    while (warm->told < warm->to_tell_count) {
        struct pair at = warm->to_tell[warm->told++];
        if (warm->states[PAIR(warm, at)] != TAKEN) continue;
        warm->states[PAIR(warm, at)] = COLD;
        *client = at.client;
        *address = at.address;
        return true;
    }
    return false;
}

void aq_live_warm_close(struct aq_live_warm *warm, uint32_t client, uint32_t address) {
    uint8_t *state = state_of(warm, client, address);
    if (state && *state == TAKEN) *state = COLD;
}

void aq_live_warm_client_gone(struct aq_live_warm *warm, uint32_t client) {
    for (uint32_t address = 0; address < warm->servers; address++) {
        uint8_t *state = state_of(warm, client, address);
        if (*state == COMING) warm->coming--;
        *state = COLD;
    }
}
