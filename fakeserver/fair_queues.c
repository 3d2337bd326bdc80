/* Fair queues: tubes whose jobs lie in shards, one for each key or for each hash of keys, taken in turn.

   The tube with the queue's own name has `fair` set and keeps the list of shards; a shard names it as its
   family. A shard is known by its name alone, so that a restart finds the family again. */
#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"

#define PREFIX_DEFAULT    "fq-"
#define SEPARATOR_DEFAULT ":s:"
#define SHARDS_DEFAULT    10
#define WORD_BITS         64

static struct aq_text or_default(struct aq_text text, const char *otherwise) {
    return text.len ? text : aq_text_of(otherwise);
}

static uint32_t shard_count(const struct aq_server *server) {
    return server->fair.shards ? server->fair.shards : SHARDS_DEFAULT;
}

/* Does AllQueue take this for the name of a fair queue? So it does with a shard's name that begins as the
 * queue's. */
static bool is_fair(const struct aq_server *server, struct aq_text name) {
    struct aq_text suffix = server->fair.suffix;
    if (suffix.len)
        return name.len > suffix.len && memcmp(name.at + name.len - suffix.len, suffix.at, suffix.len) == 0;
    struct aq_text prefix = or_default(server->fair.prefix, PREFIX_DEFAULT);
    return name.len >= prefix.len && memcmp(name.at, prefix.at, prefix.len) == 0;
}

/* ---- families ---- */

static bool read_place(struct aq_text digits, uint32_t limit, uint32_t *out) {
    uint32_t value = 0;
    if (digits.len == 0 || digits.len > 9 || (digits.len > 1 && digits.at[0] == '0')) return false;
    for (uint32_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return false;
        value = value * 10 + (uint32_t)(digits.at[i] - '0');
    }
    *out = value;
    return value < limit;
}

/* QUEUE_NUMBER: the length of QUEUE, 0 where the name is none of these. */
static uint32_t hashed_family(const struct aq_server *server, struct aq_text name, uint32_t *place) {
    uint32_t at = name.len;
    while (at > 0 && name.at[at - 1] != '_')
        at--;
    if (at < 2) return 0;
    struct aq_text digits = {name.at + at, name.len - at};
    return read_place(digits, shard_count(server), place) ? at - 1 : 0;
}

/* QUEUE SEPARATOR KEY: likewise. */
static uint32_t keyed_family(const struct aq_server *server, struct aq_text name) {
    struct aq_text separator = or_default(server->fair.separator, SEPARATOR_DEFAULT);
    for (uint32_t at = 1; at + separator.len <= name.len; at++)
        if (memcmp(name.at + at, separator.at, separator.len) == 0) return at;
    return 0;
}

static int grow_shards(struct aq_shards *shards, uint32_t count) {
    if (count <= shards->count) return 0;
    uint32_t words = shards->word_capacity, needed = (count + WORD_BITS - 1) / WORD_BITS;
    int rc = aq_array_reserve(&shards->tubes, &shards->tube_capacity, count, sizeof *shards->tubes);
    if (!rc) rc = aq_array_reserve(&shards->visit, &shards->word_capacity, needed, sizeof *shards->visit);
    if (rc) return rc;
    for (uint32_t i = words; i < shards->word_capacity; i++)
        shards->visit[i] = 0;
    while (shards->count < count)
        shards->tubes[shards->count++] = AQ_NO_INDEX;
    return 0;
}

static int join_family(struct aq_server *server, uint32_t tube, struct aq_text queue, uint32_t place) {
    uint32_t family;
    struct aq_tube *made = aq_server_tube(server, queue, true);
    if (!made) return AQ_ENOMEM;
    family = (uint32_t)(made - server->tubes.items);
    if (!made->shards) made->shards = aq_alloc_zeroed(1, sizeof *made->shards);
    if (!made->shards) return AQ_ENOMEM;
    if (server->fair.by_key) place = made->shards->count;
    int rc = grow_shards(made->shards, server->fair.by_key ? place + 1 : shard_count(server));
    if (rc) return rc;
    made->shards->tubes[place] = tube;
    server->tubes.items[tube].family = family;
    server->tubes.items[tube].place = place;
    return 0;
}

int aq_fair_place(struct aq_server *server, uint32_t tube) {
    struct aq_text name = server->tubes.items[tube].name;
    server->tubes.items[tube].fair = is_fair(server, name);
    uint32_t place = 0;
    uint32_t len = server->fair.by_key ? keyed_family(server, name) : hashed_family(server, name, &place);
    struct aq_text queue = {name.at, len};
    return len && is_fair(server, queue) ? join_family(server, tube, queue, place) : 0;
}

/* ---- put ---- */

/* Adler-32 of RFC 1950, which AllQueue hashes keys with. */
static uint32_t adler32(struct aq_text text) {
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        a = (a + (unsigned char)text.at[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static bool is_key(struct aq_text key) {
    static const char further[] = "-_=@:$!#";
    for (uint32_t i = 0; i < key.len; i++) {
        char c = key.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || !memchr(further, c, sizeof further - 1))) return false;
    }
    return key.len > 0;
}

static uint32_t tube_named(struct aq_server *server, struct aq_text queue, const char *between,
                           uint32_t between_len, struct aq_text last) {
    char *at = aq_arena_alloc(aq_server_texts(server), (size_t)queue.len + between_len + last.len);
    if (!at) {
        aq_server_fail(server, AQ_ENOMEM);
        return AQ_NO_INDEX;
    }
    memcpy(at, queue.at, queue.len);
    memcpy(at + queue.len, between, between_len);
    memcpy(at + queue.len + between_len, last.at, last.len);
    struct aq_tube *tube =
        aq_server_tube(server, (struct aq_text){at, queue.len + between_len + last.len}, true);
    return tube ? (uint32_t)(tube - server->tubes.items) : AQ_NO_INDEX;
}

static uint32_t hashed_shard(struct aq_server *server, uint32_t queue, struct aq_text key) {
    uint32_t place = adler32(key) % shard_count(server);
    const struct aq_tube *of = &server->tubes.items[queue];
    if (of->shards && of->shards->tubes[place] != AQ_NO_INDEX) return of->shards->tubes[place];
    char digits[12];
    uint32_t len = 0, rest = place;
    do
        digits[sizeof digits - ++len] = (char)('0' + rest % 10);
    while (rest /= 10);
    return tube_named(server, of->name, "_", 1, (struct aq_text){digits + sizeof digits - len, len});
}

static uint32_t keyed_shard(struct aq_server *server, uint32_t queue, struct aq_text key) {
    struct aq_text separator = or_default(server->fair.separator, SEPARATOR_DEFAULT);
    return tube_named(server, server->tubes.items[queue].name, separator.at, separator.len, key);
}

uint32_t aq_fair_shard(struct aq_server *server, uint32_t queue, const struct aq_request *request,
                       struct aq_reply *reply) {
    if (!(request->given & AQ_PARAM_SHARD_KEY)) {
        aq_server_refuse(server, request, reply, AQ_TEXT("Shard key required for Fair Queue (fq-) tubes"));
        return AQ_NO_INDEX;
    }
    if (server->fair.by_key && !is_key(request->shard_key)) {
        aq_server_refuse(server, request, reply,
                         aq_server_text(server, "Invalid shard_key '", request->shard_key,
                                        "': letters and digits, then also -_=@:$!#, are allowed"));
        return AQ_NO_INDEX;
    }
    uint32_t tube = server->fair.by_key ? keyed_shard(server, queue, request->shard_key)
                                        : hashed_shard(server, queue, request->shard_key);
    if (tube != AQ_NO_INDEX) aq_server_make_tube(server, &server->tubes.items[tube]);
    return tube;
}

/* ---- get ---- */

void aq_fair_note(struct aq_tube_set *set, struct aq_tube *tube) {
    if (tube->family == AQ_NO_INDEX) return;
    uint64_t *word = &set->items[tube->family].shards->visit[tube->place / WORD_BITS];
    uint64_t bit = UINT64_C(1) << tube->place % WORD_BITS;
    if (tube->ready_buckets || tube->throttle.size)
        *word |= bit;
    else
        *word &= ~bit;
}

/* The first place from `from` on whose bit is set, below `to`; `to` where there is none. */
static uint32_t next_to_visit(const struct aq_shards *shards, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to; at = (at / WORD_BITS + 1) * WORD_BITS) {
        uint64_t word = shards->visit[at / WORD_BITS] >> at % WORD_BITS;
        if (!word) continue;
        at += (uint32_t)__builtin_ctzll(word);
        return at < to ? at : to;
    }
    return to;
}

/* The ready job of this shard for a get, or AQ_NO_INDEX. */
static uint32_t take_from(struct aq_server *server, uint32_t index) {
    struct aq_tube *tube = &server->tubes.items[index];
    uint32_t most = server->fair.by_key ? 0 : server->fair.reservation_max;
    if (!tube->made || (most && tube->jobs[AQ_JOB_RESERVED] >= most)) return AQ_NO_INDEX;
    return aq_server_may_get(server, tube) ? aq_tube_first_ready(tube) : AQ_NO_INDEX;
}

static uint32_t search(struct aq_server *server, struct aq_shards *shards, uint32_t from, uint32_t to,
                       uint32_t *out_place) {
    for (uint32_t at = next_to_visit(shards, from, to); at < to; at = next_to_visit(shards, at + 1, to)) {
        uint32_t slot = take_from(server, shards->tubes[at]);
        *out_place = at;
        if (slot != AQ_NO_INDEX || server->rc) return slot;
    }
    return AQ_NO_INDEX;
}

/* Where the next get begins after one in vain: AllQueue's hashed shards have then gone one back. */
static uint32_t cursor_in_vain(const struct aq_server *server, const struct aq_shards *shards,
                               uint32_t cursor) {
    bool back = !server->fair.by_key && server->policy->fair_steps_back;
    return back ? (cursor + shards->count - 1) % shards->count : cursor;
}

static uint32_t take_turns(struct aq_server *server, uint32_t queue) {
    struct aq_shards *shards = server->tubes.items[queue].shards;
    if (!shards) return AQ_NO_INDEX;
    uint32_t cursor = shards->cursor, place = 0;
    bool shared = server->fair.by_key && server->policy->fair_one_cursor;
    if (cursor >= shards->count || (shared && server->last_fair != queue)) cursor = 0;
    uint32_t slot = search(server, shards, cursor, shards->count, &place);
    if (slot == AQ_NO_INDEX && !server->rc) slot = search(server, shards, 0, cursor, &place);
    server->last_fair = queue;
    shards->cursor =
        slot == AQ_NO_INDEX ? cursor_in_vain(server, shards, cursor) : place + !AQ_SERVER_MUTANT(SHARD_AGAIN);
    return slot;
}

uint32_t aq_fair_next(struct aq_server *server, uint32_t queue) {
    struct aq_tube *of = &server->tubes.items[queue];
    of->polled_us = server->now_us;
    if (server->policy->fair_controls_literal) return take_turns(server, queue);
    if ((of->paused && !AQ_SERVER_MUTANT(PAUSE_IDLE)) || !aq_throttle_open(&of->throttle, server->now_us))
        return AQ_NO_INDEX;
    uint32_t slot = take_turns(server, queue);
    if (server->rc || (slot == AQ_NO_INDEX && !server->policy->throttle_counts_empty)) return slot;
    int rc = aq_throttle_note(&of->throttle, server->now_us);
    if (rc) aq_server_fail(server, rc);
    return slot;
}

struct aq_text aq_fair_shown(const struct aq_server *server, const struct aq_tube *tube) {
    if (tube->family == AQ_NO_INDEX || server->policy->fair_shows_shards) return tube->name;
    return server->tubes.items[tube->family].name;
}
