/* What snapshots of stats say of a fleet: its load, its workers and when which server was away. Pure.

   Jobs that ended are those that were put and are not held any more. How long a job is reserved is what the
   servers say (avg), as the median of what they have said: an outage makes some leases very long. Nothing
   tells how many workers there are: at least as many as jobs were reserved at one time, and as many where all
   of them were busy once. That counts up to the first outage alone, for leases that nobody holds are reserved
   as well. Gets that brought no job come from workers without one, which tells how often they poll. */
#ifndef AQ_SIM_INCIDENT_H
#define AQ_SIM_INCIDENT_H

#include "sim/snapshots.h"

/* A server that gave no snapshots, or lost its counters between two. */
struct aq_incident_outage {
    uint32_t server;
    double from_s, to_s; /* since the first snapshot of all; to_s may be the end */
    bool restarted;      /* its counters began anew; otherwise it was frozen, or could not be reached */
    bool kept_jobs;      /* restarted: held jobs were there again */
};

struct aq_incident_tube {
    const char *name;   /* of the snapshots */
    double jobs;        /* that ended or are held, all servers together: its weight */
    double ready, held; /* of all servers together, mean over the time */
};

/* X(NAME, word for reports). Of all servers together, over the whole time. */
#define AQ_INCIDENT_FIGURES(X)                                                                               \
    X(PUTS, "puts a second")                                                                                 \
    X(GETS, "gets a second")                                                                                 \
    X(ENDED, "jobs ended a second")                                                                          \
    X(EMPTY, "gets without a job a second")                                                                  \
    X(READY, "ready jobs, mean")                                                                             \
    X(READY_MOST, "ready jobs, most")                                                                        \
    X(RESERVED, "reserved jobs, mean")                                                                       \
    X(RESERVED_MOST, "reserved jobs, most")                                                                  \
    X(LEASE_S, "seconds that a job is reserved")                                                             \
    X(AWAY_S, "seconds that servers were away")

enum aq_incident_figure {
#define X(name, word) AQ_INCIDENT_##name,
    AQ_INCIDENT_FIGURES(X)
#undef X
        AQ_INCIDENT_FIGURE_COUNT
};
const char *aq_incident_word(enum aq_incident_figure figure);

struct aq_incident {
    double duration_s, interval_s; /* first to last snapshot; between two of a server: the median */
    double figures[AQ_INCIDENT_FIGURE_COUNT];
    uint64_t backlog;                   /* jobs held in the first snapshots */
    uint32_t workers;                   /* at least 1 */
    double process_s, poll_s;           /* poll_s 0: there is nothing to tell it from */
    struct aq_incident_outage *outages; /* owned; by server, then by time */
    uint32_t outage_count, outage_capacity;
    struct aq_incident_tube *tubes; /* owned; by name's index */
    uint32_t tube_count;
};

#define AQ_INCIDENT_GAP 1.9 /* intervals without a snapshot that make an outage */

void aq_incident_close(struct aq_incident *incident);

/* Sorts the snapshots. Errors: AQ_EINVALID (fewer than three snapshots of every server, or no time between
 *them; error says so), AQ_ENOMEM; *out untouched. */
int aq_incident_fit(struct aq_snapshots *snapshots, struct aq_incident *out, struct aq_error *error);

#endif
