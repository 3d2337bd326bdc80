/* The nemesis: carries out a scenario's list of faults, in either world, and keeps the receipts. */
#ifndef AQ_SIM_NEMESIS_H
#define AQ_SIM_NEMESIS_H

#include "client/address_book.h"
#include "sim/workload.h"

struct aq_nemesis; /* opaque; see nemesis.c */

struct aq_nemesis_config {
    const struct aq_scenario *scenario; /* borrowed */
    const struct aq_address_book *book; /* borrowed: addresses of servers, by index */
    uint64_t seed;
    struct aq_world world;
    struct aq_workload *workload; /* borrowed */
    struct aq_observer observer;
    uint32_t fault_capacity; /* how many faults the scenario's list has room for; 0: it does not grow */
};

/* What became of one fault of the list. */
struct aq_receipt {
    uint32_t strikes;    /* times it was carried out */
    uint64_t touched;    /* messages, processes, connections or jobs that it acted on, up to now */
    aq_time_us first_us; /* of the first strike; AQ_TIME_NEVER: none */
    aq_time_us until_us; /* end of the last strike; AQ_TIME_NEVER: still in force */
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_nemesis_new(const struct aq_nemesis_config *config, struct aq_nemesis **out);
void aq_nemesis_free(struct aq_nemesis *nemesis);

/* Sets the timers of the faults that come at a time. */
int aq_nemesis_start(struct aq_nemesis *nemesis, aq_time_us now_us);

/* A timer that the nemesis has set has come. */
int aq_nemesis_strike(struct aq_nemesis *nemesis, aq_time_us now_us, uint32_t fault);
int aq_nemesis_fault_end(struct aq_nemesis *nemesis, aq_time_us now_us, uint32_t fault);

/* A server did something: strikes the faults that wait for it. Cheap where none does. Strikes are delayed by
   a timer of no length, since this is told from within a step. */
int aq_nemesis_tap(struct aq_nemesis *nemesis, aq_time_us now_us, enum aq_tap_kind kind);

/* A server has started again: puts the faults in force on it that outlive a process. */
int aq_nemesis_server_started(struct aq_nemesis *nemesis, aq_time_us now_us, uint32_t server);

/* A server is about to be lost: takes its receipts. */
int aq_nemesis_server_ending(struct aq_nemesis *nemesis, uint32_t server);

/* Ends every fault, starts every process that is down; nothing strikes any more. */
int aq_nemesis_heal(struct aq_nemesis *nemesis, aq_time_us now_us);

/* The scenario's list has one fault more, at its end; `at` counts from now. Nothing happens once healed. */
int aq_nemesis_add(struct aq_nemesis *nemesis, aq_time_us now_us);

/* How many more can be added. */
uint32_t aq_nemesis_room(const struct aq_nemesis *nemesis);

/* Ends a fault if it is in force; it never strikes again. */
int aq_nemesis_remove(struct aq_nemesis *nemesis, aq_time_us now_us, uint32_t fault);

/* Starts a server that is down, whichever crash keeps it so. */
int aq_nemesis_restart(struct aq_nemesis *nemesis, aq_time_us now_us, uint32_t server);

bool aq_nemesis_is_in_force(const struct aq_nemesis *nemesis, uint32_t fault);

/* It may strike (again), or is in force. */
bool aq_nemesis_is_alive(const struct aq_nemesis *nemesis, uint32_t fault);

/* Faults now in force, as "crash", "slow+loss", "" for none: for naming phases. */
void aq_nemesis_describe(const struct aq_nemesis *nemesis, char *text, size_t size);

/* The receipt of a fault, up to date once healed. */
struct aq_receipt aq_nemesis_receipt(const struct aq_nemesis *nemesis, uint32_t fault);

#endif
