#include "scenarios/reduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenarios/reduce_internal.h"

/* In the order of the passes. The first ones make the runs quick that the later ones need. */
static const struct aq_reduce_pass *const passes[] = {
    &aq_reduce_end,     &aq_reduce_faults, &aq_reduce_commands, &aq_reduce_servers, &aq_reduce_clients,
    &aq_reduce_workers, &aq_reduce_time,   &aq_reduce_jobs,     &aq_reduce_few,     &aq_reduce_targets,
    &aq_reduce_values,  &aq_reduce_keys,   &aq_reduce_slo,      &aq_reduce_groups,
};
#define PASSES (uint32_t)(sizeof passes / sizeof *passes)

const char *aq_reduce_pass_word(const struct aq_reduce_place *place) {
    return place->pass < PASSES ? passes[place->pass]->word : "end";
}

/* Carries out what comes after a variant that could not be made. */
static void move_on(struct aq_reduce_place *place, enum aq_reduced reduced) {
    switch (reduced) {
    case AQ_REDUCED_MADE: break;
    case AQ_REDUCED_SAME: place->item++; break;
    case AQ_REDUCED_NO_ITEM:
        place->step++;
        place->item = 0;
        break;
    case AQ_REDUCED_NO_STEP: *place = (struct aq_reduce_place){place->pass + 1, 0, 0}; break;
    }
}

int aq_reduce_next(const cJSON *tree, const struct aq_reduce_hints *hints, struct aq_reduce_place *place,
                   cJSON **out) {
    struct aq_reduce_place at = *place;
    aq_tree_begin();
    while (at.pass < PASSES) {
        struct aq_reduction r = {cJSON_Duplicate(tree, true), hints, at.step, at.item};
        if (!r.tree) return AQ_ENOMEM;
        enum aq_reduced reduced = passes[at.pass]->reduce(&r);
        if (aq_tree_out_of_memory()) {
            cJSON_Delete(r.tree);
            return AQ_ENOMEM;
        }
        if (reduced == AQ_REDUCED_MADE) {
            *place = at;
            *out = r.tree;
            return 0;
        }
        cJSON_Delete(r.tree);
        move_on(&at, reduced);
    }
    *place = at;
    return AQ_ENOENT;
}

/* ---- what all passes share ---- */

enum aq_reduced aq_reduce_chunk(uint32_t length, uint32_t keep, uint32_t step, uint32_t item, uint32_t *from,
                                uint32_t *count) {
    uint32_t parts = step < 31 ? 1u << step : 1u << 31;
    if (length <= keep || (step > 0 && parts / 2 >= length)) return AQ_REDUCED_NO_STEP;
    uint32_t size = (length + parts - 1) / parts;
    if (size > length - keep) size = length - keep;
    uint64_t behind = (uint64_t)item * size; /* from the end, so that low numbers are kept */
    if (behind >= length) return AQ_REDUCED_NO_ITEM;
    uint32_t end = length - (uint32_t)behind;
    *count = end < size ? end : size;
    *from = end - *count;
    return AQ_REDUCED_MADE;
}

uint32_t aq_reduce_count_of(const cJSON *tree, const char *section) {
    const cJSON *json = aq_tree_member(tree, section), *count = json ? aq_tree_member(json, "count") : NULL;
    if (cJSON_IsNumber(count)) return count->valuedouble > 0 ? (uint32_t)count->valuedouble : 0;
    const struct aq_key *key = aq_key_find(&aq_object_scenario, section, NULL);
    return (uint32_t)atoi(aq_key_find(key->object, "count", NULL)->standard);
}

cJSON *aq_reduce_section(cJSON *tree, const char *section) {
    cJSON *json = aq_tree_member(tree, section);
    return json ? json : aq_tree_add(tree, section, cJSON_CreateObject());
}

void aq_reduce_set(cJSON *object, const char *key, cJSON *value) {
    if (!object || !value || !aq_tree_member(object, key)) {
        aq_tree_add(object, key, value);
    } else if (!cJSON_ReplaceItemInObjectCaseSensitive(object, key, value)) {
        cJSON_Delete(value);
        aq_tree_add(object, key, NULL); /* no memory, which the tree remembers */
    }
}

/* ---- sizes ---- */

int aq_reduce_measure(const cJSON *tree, struct aq_reduce_size *out) {
    char *text = aq_tree_print(tree);
    if (!text) return AQ_ENOMEM;
    const cJSON *faults = aq_tree_member(tree, "faults");
    *out = (struct aq_reduce_size){.faults = faults ? (uint32_t)cJSON_GetArraySize(faults) : 0,
                                   .servers = aq_reduce_count_of(tree, "servers"),
                                   .clients = aq_reduce_count_of(tree, "clients"),
                                   .workers = aq_reduce_count_of(tree, "workers"),
                                   .lines = 1};
    for (const char *at = text; *at; at++)
        out->lines += *at == '\n';
    aq_free(text);
    return 0;
}

/* ---- head and rest ---- */

static void tidy(cJSON *object) {
    for (cJSON *member = object->child, *next; member; member = next) {
        next = member->next;
        if (cJSON_IsObject(member)) tidy(member);
        if ((cJSON_IsObject(member) || cJSON_IsArray(member)) && !member->child)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, member));
    }
}

/* What is to become less has to be there. */
static void spell_out(cJSON *tree, const char *name) {
    if (aq_tree_member(tree, name)) return;
    aq_tree_add(tree, name, cJSON_Parse(aq_key_find(&aq_object_scenario, name, NULL)->standard));
}

int aq_reduce_tidy(cJSON *tree) {
    static const char *const keys[] = {"$schema", "name",          "summary", "notes",
                                       "explore", "require_marks", "seed"};
    aq_tree_begin();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(tree, keys[i]);
    tidy(tree);
    spell_out(tree, "duration");
    spell_out(tree, "settle");
    return aq_tree_out_of_memory() ? AQ_ENOMEM : 0;
}

int aq_reduce_sign(cJSON *tree, uint64_t seed, const char *summary, const char *const *notes) {
    aq_tree_begin();
    cJSON *rest = tree->child, *list = cJSON_CreateArray();
    tree->child = NULL;
    aq_tree_add(tree, "summary", cJSON_CreateString(summary));
    for (; list && *notes; notes++)
        aq_tree_append(list, cJSON_CreateString(*notes));
    aq_tree_add(tree, "notes", list);
    aq_tree_add(tree, "seed", cJSON_CreateNumber((double)seed));
    if (!tree->child) {
        tree->child = rest;
    } else if (rest) { /* a list whose first item's prev is its last */
        cJSON *last = tree->child->prev, *end = rest->prev;
        last->next = rest;
        rest->prev = last;
        tree->child->prev = end;
    }
    return aq_tree_out_of_memory() ? AQ_ENOMEM : 0;
}
