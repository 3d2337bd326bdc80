/* Fewer of a kind: faults, commands, servers, clients, workers, and what faults are aimed at. */
#include <stdio.h>
#include <string.h>

#include "scenarios/reduce_internal.h"

/* ---- lists of the file ---- */

static enum aq_reduced cut(struct aq_reduction *r, cJSON *list) {
    uint32_t from, count;
    if (!cJSON_IsArray(list)) return AQ_REDUCED_NO_STEP;
    enum aq_reduced reduced =
        aq_reduce_chunk((uint32_t)cJSON_GetArraySize(list), 0, r->step, r->item, &from, &count);
    for (uint32_t i = 0; reduced == AQ_REDUCED_MADE && i < count; i++)
        cJSON_DeleteItemFromArray(list, (int)from);
    return reduced;
}

static enum aq_reduced cut_faults(struct aq_reduction *r) {
    return cut(r, aq_tree_member(r->tree, "faults"));
}

static enum aq_reduced cut_commands(struct aq_reduction *r) {
    return cut(r, aq_tree_member(r->tree, "commands"));
}

static enum aq_reduced cut_slo(struct aq_reduction *r) {
    return cut(r, aq_tree_member(r->tree, "slo"));
}

static enum aq_reduced cut_groups(struct aq_reduction *r) {
    cJSON *clients = aq_tree_member(r->tree, "clients");
    return cut(r, clients ? aq_tree_member(clients, "groups") : NULL);
}

/* ---- servers, clients, workers ---- */

/* Those that go: `count` of a kind from index `from` on. */
struct gone {
    const char *kind; /* "servers" */
    uint32_t from, count;
};

/* A number that names one of the kind gets its new one; false: it is among those that go. */
static bool renumber(cJSON *number, const struct gone *gone) {
    if (!cJSON_IsNumber(number) || number->valuedouble < gone->from) return true;
    if (number->valuedouble < gone->from + (double)gone->count) return false;
    cJSON_SetNumberValue(number, number->valuedouble - gone->count);
    return true;
}

/* False: a number or a list that names only what goes. What is drawn stays as it is. */
static bool renumber_list(cJSON *list, const struct gone *gone) {
    if (cJSON_IsNumber(list)) return renumber(list, gone);
    if (!cJSON_IsArray(list)) return true;
    for (cJSON *item = list->child, *next; item; item = next) {
        next = item->next;
        if (!renumber(item, gone)) cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
    }
    return list->child != NULL;
}

static bool renumber_fault(cJSON *fault, const struct gone *gone) {
    bool servers = strcmp(gone->kind, "servers") == 0;
    cJSON *chosen = aq_tree_member(fault, gone->kind);
    if (chosen && !renumber_list(chosen, gone)) return false;
    cJSON *server = servers ? aq_tree_member(fault, "server") : NULL;
    if (server && !renumber(server, gone)) return false;
    cJSON *list = servers ? aq_tree_member(fault, "server_list") : NULL;
    return !list || renumber_list(list, gone);
}

/* A client that is gone leaves its commands to the first one. */
static bool renumber_command(cJSON *command, const struct gone *gone) {
    cJSON *client = strcmp(gone->kind, "clients") == 0 ? aq_tree_member(command, "client") : NULL;
    if (client && !renumber(client, gone)) cJSON_SetNumberValue(client, 0);
    cJSON *server = strcmp(gone->kind, "servers") == 0 ? aq_tree_member(command, "server") : NULL;
    return !server || renumber(server, gone);
}

static bool renumber_group(cJSON *group, const struct gone *gone) {
    cJSON *servers = strcmp(gone->kind, "servers") == 0 ? aq_tree_member(group, "servers") : NULL;
    return !servers || renumber_list(servers, gone);
}

/* What names only those that go goes with them. */
static void sift(cJSON *list, bool (*keeps)(cJSON *item, const struct gone *gone), const struct gone *gone) {
    for (cJSON *item = list ? list->child : NULL, *next; item; item = next) {
        next = item->next;
        if (!keeps(item, gone)) cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
    }
}

static void take_out(cJSON *tree, const char *kind, uint32_t from, uint32_t count) {
    struct gone gone = {kind, from, count};
    uint32_t length = aq_reduce_count_of(tree, kind);
    cJSON *section = aq_reduce_section(tree, kind), *clients = aq_tree_member(tree, "clients");
    if (count == 0) return;
    aq_reduce_set(section, "count", cJSON_CreateNumber(length - count));
    sift(aq_tree_member(tree, "faults"), renumber_fault, &gone);
    sift(aq_tree_member(tree, "commands"), renumber_command, &gone);
    sift(clients ? aq_tree_member(clients, "groups") : NULL, renumber_group, &gone);
}

static enum aq_reduced cut_kind(struct aq_reduction *r, const char *kind, uint32_t keep) {
    uint32_t from, count;
    enum aq_reduced reduced =
        aq_reduce_chunk(aq_reduce_count_of(r->tree, kind), keep, r->step, r->item, &from, &count);
    if (reduced == AQ_REDUCED_MADE) take_out(r->tree, kind, from, count);
    return reduced;
}

static enum aq_reduced cut_servers(struct aq_reduction *r) {
    return cut_kind(r, "servers", 1);
}

static enum aq_reduced cut_clients(struct aq_reduction *r) {
    return cut_kind(r, "clients", 1);
}

static enum aq_reduced cut_workers(struct aq_reduction *r) {
    return cut_kind(r, "workers", 0);
}

/* ---- few of all ---- */

#define FEW_JOBS 20 /* one may need more jobs with fewer of the others */

/* Leaves `kept` of the kind, from index `from` on. */
static void keep_only(cJSON *tree, const char *kind, uint32_t from, uint32_t kept) {
    uint32_t length = aq_reduce_count_of(tree, kind);
    if (length <= kept) return;
    if (from > length - kept) from = length - kept;
    take_out(tree, kind, from + kept, length - from - kept);
    take_out(tree, kind, 0, from);
}

/* One or two servers and clients at once, where each alone does not do, and jobs enough for it. Items: which
   of the servers, and of the clients the first or the last. */
static enum aq_reduced few_of_all(struct aq_reduction *r) {
    static const struct { uint32_t servers, clients; } few[] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}};
    uint32_t servers = aq_reduce_count_of(r->tree, "servers"),
             clients = aq_reduce_count_of(r->tree, "clients");
    uint32_t server = r->item / 2, client = r->item % 2 ? clients : 0;
    if (r->step >= sizeof few / sizeof *few) return AQ_REDUCED_NO_STEP;
    uint32_t few_servers = few[r->step].servers, few_clients = few[r->step].clients;
    bool same = servers <= few_servers && clients <= few_clients;
    if (same || servers < few_servers || clients < few_clients) return AQ_REDUCED_NO_ITEM;
    if (server > servers - few_servers || server > 15) return AQ_REDUCED_NO_ITEM;
    keep_only(r->tree, "servers", server, few_servers);
    keep_only(r->tree, "clients", client, few_clients);
    cJSON *producers = aq_reduce_section(r->tree, "producers");
    if (producers) aq_reduce_set(producers, "jobs", cJSON_CreateNumber(FEW_JOBS));
    return AQ_REDUCED_MADE;
}

/* ---- what a fault is aimed at ---- */

static const char *const aims[] = {"servers", "clients", "workers", "server_list"};
#define AIMS (sizeof aims / sizeof *aims)

/* Step 0: only this one of a list; or the first of the kind where a share or a number is drawn. Step 1: all
   but this one. */
static enum aq_reduced narrow(cJSON *fault, const char *aim, cJSON *chosen, uint32_t item, uint32_t step) {
    if (cJSON_IsObject(chosen)) {
        cJSON *first = cJSON_CreateArray();
        if (step > 0) {
            cJSON_Delete(first);
            return AQ_REDUCED_SAME;
        }
        aq_tree_append(first, cJSON_CreateNumber(0));
        aq_reduce_set(fault, aim, first);
        return AQ_REDUCED_MADE;
    }
    int length = cJSON_GetArraySize(chosen);
    if (length < 2 || (step == 1 && length == 2)) return AQ_REDUCED_SAME; /* the other one was tried */
    if (step == 1) {
        cJSON_DeleteItemFromArray(chosen, (int)item);
        return AQ_REDUCED_MADE;
    }
    for (int i = length - 1; i >= 0; i--)
        if (i != (int)item) cJSON_DeleteItemFromArray(chosen, i);
    return AQ_REDUCED_MADE;
}

static enum aq_reduced narrow_targets(struct aq_reduction *r) {
    uint32_t left = r->item;
    cJSON *fault, *faults = aq_tree_member(r->tree, "faults");
    if (r->step > 1) return AQ_REDUCED_NO_STEP;
    cJSON_ArrayForEach(fault, faults) {
        for (size_t i = 0; i < AIMS; i++) {
            cJSON *chosen = aq_tree_member(fault, aims[i]);
            uint32_t length = cJSON_IsArray(chosen) ? (uint32_t)cJSON_GetArraySize(chosen) : chosen ? 1 : 0;
            if (left < length) return narrow(fault, aims[i], chosen, left, r->step);
            left -= length;
        }
    }
    return AQ_REDUCED_NO_ITEM;
}

const struct aq_reduce_pass aq_reduce_faults = {"faults", cut_faults};
const struct aq_reduce_pass aq_reduce_commands = {"commands", cut_commands};
const struct aq_reduce_pass aq_reduce_slo = {"slo", cut_slo};
const struct aq_reduce_pass aq_reduce_groups = {"groups", cut_groups};
const struct aq_reduce_pass aq_reduce_servers = {"servers", cut_servers};
const struct aq_reduce_pass aq_reduce_clients = {"clients", cut_clients};
const struct aq_reduce_pass aq_reduce_workers = {"workers", cut_workers};
const struct aq_reduce_pass aq_reduce_few = {"servers and clients", few_of_all};
const struct aq_reduce_pass aq_reduce_targets = {"targets of faults", narrow_targets};
