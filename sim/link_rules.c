#include "sim/link_rules.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

int aq_index_set_init(struct aq_index_set *set, uint32_t size) {
    uint64_t *bits = aq_alloc_zeroed(size / 64 + 1, sizeof *bits);
    if (!bits) return AQ_ENOMEM;
    *set = (struct aq_index_set){bits, size};
    return 0;
}

void aq_index_set_close(struct aq_index_set *set) {
    aq_free(set->bits);
    *set = (struct aq_index_set){0};
}

int aq_link_rules_add(struct aq_link_rules *rules, struct aq_link_rule *rule) {
    int rc =
        aq_array_reserve(&rules->items, &rules->capacity, (size_t)rules->count + 1, sizeof *rules->items);
    if (rc) return rc;
    rules->items[rules->count++] = rule;
    return 0;
}

void aq_link_rules_remove(struct aq_link_rules *rules, const struct aq_link_rule *rule) {
    for (uint32_t i = 0; i < rules->count; i++) {
        if (rules->items[i] != rule) continue;
        memmove(rules->items + i, rules->items + i + 1, (rules->count - i - 1) * sizeof *rules->items);
        rules->count--;
        return;
    }
}

void aq_link_rules_close(struct aq_link_rules *rules) {
    aq_free(rules->items);
    *rules = (struct aq_link_rules){0};
}

static bool covers(const struct aq_link_rule *rule, uint32_t client, uint32_t server) {
    return aq_index_set_has(&rule->clients, client) && aq_index_set_has(&rule->servers, server);
}

static bool on_the_way(const struct aq_link_rule *rule, uint32_t client, uint32_t server,
                       enum aq_direction direction) {
    return (rule->direction == AQ_DIRECTION_BOTH || rule->direction == direction) &&
           covers(rule, client, server);
}

struct aq_link_decision aq_link_decide(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                                       enum aq_direction direction, struct aq_random *random) {
    struct aq_link_decision decision = {0};
    for (uint32_t i = 0; i < rules->count; i++) {
        struct aq_link_rule *rule = rules->items[i];
        if (!on_the_way(rule, client, server, direction)) continue;
        bool acted = true;
        switch (rule->kind) {
        case AQ_FAULT_PARTITION: decision.blocked = true; break;
        case AQ_FAULT_LOSS:
            acted = aq_random_chance(random, rule->probability);
            if (acted) decision.lost = true;
            break;
        case AQ_FAULT_LATENCY:
        case AQ_FAULT_JITTER: decision.extra_us += aq_distribution_draw(&rule->delay, random); break;
        default: acted = false;
        }
        if (acted) rule->touched++;
    }
    return decision;
}

struct aq_link_shape aq_link_shape(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                                   enum aq_direction direction, uint32_t chunk_bytes) {
    struct aq_link_shape shape = {0};
    for (uint32_t i = 0; i < rules->count; i++) {
        struct aq_link_rule *rule = rules->items[i];
        bool limits = rule->kind == AQ_FAULT_BANDWIDTH, cuts = rule->kind == AQ_FAULT_CHOP;
        if ((!limits && !cuts) || !on_the_way(rule, client, server, direction)) continue;
        if (limits && (!shape.bytes_per_s || rule->bytes_per_s < shape.bytes_per_s))
            shape.bytes_per_s = rule->bytes_per_s;
        if (cuts && (!shape.piece_bytes || rule->piece_bytes < shape.piece_bytes))
            shape.piece_bytes = rule->piece_bytes;
        if (cuts && rule->pause_us > shape.pause_us) shape.pause_us = rule->pause_us;
        if (chunk_bytes > (cuts ? rule->piece_bytes : 0)) rule->touched++; /* it is slowed, or cut */
    }
    return shape;
}

/* The place in a chunk of the byte that the rule hits; count: none. */
static uint32_t byte_hit(struct aq_link_rule *rule, struct aq_random *random, uint32_t count) {
    if (!rule->nth)
        return aq_random_chance(random, rule->probability) ? aq_random_below(random, count) : count;
    uint64_t before = rule->bytes_met;
    rule->bytes_met += count;
    return rule->nth > before && rule->nth - before <= count ? (uint32_t)(rule->nth - before - 1) : count;
}

void aq_link_corrupt(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                     enum aq_direction direction, struct aq_random *random, uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; count && i < rules->count; i++) {
        struct aq_link_rule *rule = rules->items[i];
        if (rule->kind != AQ_FAULT_CORRUPT || !on_the_way(rule, client, server, direction)) continue;
        uint32_t at = byte_hit(rule, random, count);
        if (at == count) continue;
        bytes[at] ^= (uint8_t)(1u << aq_random_below(random, 8));
        rule->touched++;
    }
}

aq_time_us aq_link_close_delay(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                               enum aq_direction direction, struct aq_random *random) {
    aq_time_us delay_us = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        struct aq_link_rule *rule = rules->items[i];
        if (rule->kind != AQ_FAULT_SLOW_CLOSE || !on_the_way(rule, client, server, direction)) continue;
        delay_us = aq_time_after(delay_us, aq_distribution_draw(&rule->delay, random));
        rule->touched++;
    }
    return delay_us;
}

bool aq_link_refuses(struct aq_link_rules *rules, uint32_t client, uint32_t server) {
    for (uint32_t i = 0; i < rules->count; i++) {
        struct aq_link_rule *rule = rules->items[i];
        if (rule->kind == AQ_FAULT_REFUSED && covers(rule, client, server)) {
            rule->touched++;
            return true;
        }
    }
    return false;
}
