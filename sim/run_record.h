/* The parts of one run, and how they become a record. */
#ifndef AQ_SIM_RUN_RECORD_H
#define AQ_SIM_RUN_RECORD_H

#include "client/address_book.h"
#include "sim/foreign_uv.h"
#include "sim/ledger.h"
#include "sim/live.h"
#include "sim/latency_windows.h"
#include "sim/metrics.h"
#include "sim/nemesis.h"
#include "sim/port_hold.h"
#include "sim/run.h"
#include "sim/steady.h"
#include "sim/trace.h"
#include "sim/virtual.h"
#include "sim/workload.h"

struct aq_run {
    const struct aq_run_options *options;
    char tube_suffix[24];          /* of tubes that are the run's own; empty: none */
    struct aq_held_addresses held; /* where clients that are other programs find the servers */
    struct aq_address_book book;
    const char **server_ids;
    struct aq_eligible_sets sets;
    struct aq_trace trace;
    struct aq_metrics metrics;
    struct aq_latency_windows latency_windows;
    struct aq_steady steady;        /* all zero where it is not wanted */
    struct aq_window_state *states; /* by server: scratch for window ends */
    struct aq_ledger *ledger;
    struct aq_virtual *world;
    struct aq_live *live;       /* NULL in the virtual world */
    struct aq_foreign *foreign; /* NULL: the clients are ours */
    struct aq_workload *workload;
    struct aq_nemesis *nemesis;
    aq_time_us end_us;
    bool healed;
    bool interrupted;
    bool told_started; /* serve: it will be told of the end */
};

/* Reckons up, reaches the verdict and fills the record. Errors: AQ_ENOMEM. */
int aq_run_fill_record(struct aq_run *run, struct aq_record *record);

#endif
