/* The record of one run: everything that reports show and the database keeps, as plain data. The simulator
   fills it, the store writes and reads it, the printers print it; none of them knows another. */
#ifndef AQ_REPORTS_RECORD_H
#define AQ_REPORTS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "base/time.h"

enum aq_verdict { AQ_VERDICT_PASS, AQ_VERDICT_FAIL, AQ_VERDICT_UNKNOWN };
const char *aq_verdict_word(enum aq_verdict verdict); /* "pass", "fail", "unknown": literals */

/* An effective setting: "clients.count" = "1000". */
struct aq_record_option {
    const char *name, *value;
};

/* A number that a check or the run reports. */
struct aq_record_figure {
    const char *name; /* with its unit as suffix: "p_value", "max_over_mean", "leave_p99_s" */
    double value;
};

struct aq_record_check {
    const char *name;        /* "completion-origin" */
    const char *holds_when;  /* one sentence */
    enum aq_verdict verdict; /* of the check itself; a failing one that the scenario expects is `caught` */
    bool caught;             /* failed, and the scenario expects it to */
    bool expected_to_fail;
    uint64_t judged; /* how many things it judged */
    uint64_t violations;
    const char *remark; /* one line: why it failed or could not judge; "" otherwise */
    const struct aq_record_figure *figures;
    uint32_t figure_count;
};

/* The smallest story that proves a violation. */
struct aq_record_violation {
    const char *check;
    const char *cause;        /* short and stable, for grouping: "completion at another server" */
    aq_time_us at_us;         /* first bad event */
    const char *job;          /* "SERVER,JOB" or "" */
    uint64_t token;           /* number of the producer's call; 0: none */
    int32_t origin;           /* server index or -1 */
    int32_t receiver;         /* server index or -1 */
    const char *const *lines; /* "[12.345678] worker 7 > done X,Y -> server 2: missed" */
    uint32_t line_count;
};

struct aq_record_server {
    uint32_t index;                               /* its place in the table of servers */
    const char *id;                               /* as clients name it */
    const char *address;                          /* host:port */
    uint64_t puts, gets, empty_gets, completions; /* applied */
    uint64_t requests, errors, missed; /* arrived; answered by an error; completions of jobs not held */
    uint64_t expired, buried, lost;    /* leases run out; jobs buried; jobs lost in crashes */
    uint64_t choices;                  /* free choices by clients */
    double share;                      /* of all choices, 0..1 */
    double busy;                       /* share of its time up that it was in service */
    uint32_t queue_max;                /* most requests waiting at a window's end */
    uint32_t incarnations;
    uint64_t held[5]; /* at the end: ready, delayed, reserved, buried, parent */
};

/* A stretch of the run between two changes of the set of faults in force, named by the faults that are:
   "before", "server 2 loses its memory", "after", "settle". */
struct aq_record_phase {
    const char *name;
    aq_time_us from_us, to_us;
    const uint64_t *choices; /* by server index, one for each server; NULL: none were made */
};

/* Counters of one server in one window of time; one for each pair, in the order of windows, then servers. */
struct aq_record_window {
    uint32_t window; /* number; times the run's window_us gives its start */
    uint32_t server;
    uint32_t puts, gets, empty_gets, completions, choices, errors;
    uint32_t queue;           /* requests waiting at its end */
    uint32_t ready, reserved; /* jobs at its end */
    uint8_t up;               /* server up at its end */
};

struct aq_record_fault {
    const char *kind;   /* "crash" */
    const char *name;   /* the scenario's, or the kind */
    const char *target; /* "server 2", "30 % of clients", ... for people */
    aq_time_us at_us;
    aq_time_us until_us; /* AQ_TIME_NEVER: to the end */
    uint64_t touched;    /* messages, processes or connections it acted on */
    bool struck;         /* it was carried out */
};

struct aq_record_mark {
    const char *name;
    uint64_t count;
};

struct aq_record_latency {
    const char *operation;         /* "put", "get", "done", "wait", "put_to_done", "get_to_done" */
    struct aq_histogram histogram; /* buckets owned by the record; free with aq_record_close */
};

/* The spans of one operation that ended in one window of time; only where there were any. */
struct aq_record_latency_window {
    const char *operation;
    uint32_t window; /* number; times the run's window_us gives its start */
    uint64_t spans, sum_us;
    aq_time_us min_us, max_us, p50_us, p90_us, p99_us, p999_us; /* at most 0.8 % above the true ones */
};

/* The rolling hash of the run so far: tells where two runs begin to differ. */
struct aq_record_checkpoint {
    uint64_t steps; /* events and observations up to here */
    aq_time_us at_us;
    uint64_t hash;
};

/* One line of the full event trace. */
struct aq_record_event {
    uint64_t number;
    aq_time_us at_us;
    const char *text;
};

struct aq_record {
    /* identity */
    const char *scenario, *summary, *scenario_text;
    uint64_t scenario_hash, trace_hash, seed;
    const char *seed_text; /* as given: decimal or 40 hex digits */
    const char *version;   /* of the program */
    const char *build;     /* compiler and build type */
    const char *world;     /* "virtual" or "live" */
    const char *fidelity;  /* "wire" or "message" */
    const char *client_profile, *server_profile;
    const char *reproduce;  /* a command line */
    int64_t started_unix_s; /* wall clock */
    /* outcome */
    enum aq_verdict verdict;
    const char *reason; /* one line: "all 13 checks hold", "caught as expected: completion-origin", ... */
    int exit_code;      /* what the program exits with for this verdict */
    bool interrupted;
    uint64_t events;
    aq_time_us virtual_us;
    uint64_t wall_us;
    uint64_t peak_rss_bytes;
    aq_time_us window_us;
    struct {
        uint64_t produced, accepted, completed, held, lost_declared, unexplained, executed_again;
    } jobs;
    struct {
        uint64_t sent, applied, acked, misrouted, origin_gone, unknown;
    } completions;
    struct {
        uint32_t count;
        uint32_t workers;
        struct aq_histogram failover;
    } clients; /* failover: leave times, all clients */
    /* tables */
    const struct aq_record_option *options;
    uint32_t option_count;
    const struct aq_record_server *servers;
    uint32_t server_count;
    const struct aq_record_phase *phases;
    uint32_t phase_count;
    const struct aq_record_window *windows;
    uint32_t window_count;
    const struct aq_record_fault *faults;
    uint32_t fault_count;
    const struct aq_record_check *checks;
    uint32_t check_count;
    const struct aq_record_violation *violations;
    uint32_t violation_count; /* the first of each check; see check.violations for all */
    const struct aq_record_mark *marks;
    uint32_t mark_count;
    struct aq_record_latency *latencies;
    uint32_t latency_count;
    const struct aq_record_latency_window *latency_windows; /* in the order of windows, then operations */
    uint32_t latency_window_count;
    const struct aq_record_figure *figures;
    uint32_t figure_count;                          /* of the whole run: throughput, Jain's index, ... */
    const struct aq_record_checkpoint *checkpoints; /* evenly over the run */
    uint32_t checkpoint_count;
    struct aq_arena memory; /* everything above lies in here, but for the histograms' buckets */
};

/* All zero, empty texts, verdict unknown. */
void aq_record_init(struct aq_record *record);
/* Gives everything back and leaves an initialised, empty record. */
void aq_record_close(struct aq_record *record);

/* A NUL-terminated, formatted text in the record's arena. NULL when out of memory. */
const char *aq_record_text(struct aq_record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
