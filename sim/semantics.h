/* The rules of the check `semantics`, and what they share. One file a rule (semantics_*.c) and one line in
   check_semantics.c. */
#ifndef AQ_SIM_SEMANTICS_H
#define AQ_SIM_SEMANTICS_H

#include "sim/checks.h"

#define AQ_SEMANTICS_EXACT_US (1 * AQ_US_PER_MS) /* how far "at the exact moment" may be off */

struct aq_semantics_server {
    aq_time_us awake_us; /* since then it has run without a stop */
    bool down, stopped;
};

struct aq_semantics {
    const struct aq_scenario *scenario;
    struct aq_ledger *ledger;
    struct aq_semantics_server *servers; /* owned */
    uint32_t server_count;
    bool one_fleet;       /* every client knows every server, so that what one is told can be judged of all */
    aq_time_us saving_us; /* the longest that a write to disk takes */
    aq_time_us last_us;   /* of the last observation */
};

/* The entries of the ledger as they were before the tap, or NULL. */
struct aq_semantics_tap {
    const struct aq_observation *seen;
    const struct aq_ledger_copy *copy;
    const struct aq_ledger_job *job;
    bool exact; /* the server's clock has not jumped: times can be judged */
};

/* What every state begins with. */
struct aq_semantics_counts {
    uint64_t judged;
    uint64_t extra; /* a second figure of the rule, where it has one */
};

/* Every state begins with struct aq_semantics_counts. All but `figure`, `taps`, `state_bytes` and `tap` may
   be NULL. Errors of all: AQ_ENOMEM. */
struct aq_semantics_rule {
    const char *figure; /* what the number judged is called in reports */
    const char *extra;  /* likewise its second figure */
    uint32_t taps;      /* bits 1 << enum aq_tap_kind that it is shown */
    size_t state_bytes; /* zeroed before init */
    int (*init)(void *state, const struct aq_semantics *s);
    int (*tap)(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap);
    /* an operator asks for something: what it was told before of this need not hold while it is carried out.
       The scenario's list has the command at seen->caller */
    void (*asked)(void *state, const struct aq_semantics *s, const struct aq_observation *seen);
    /* a caller was told that its command was carried out: the scenario's list has it at seen->caller */
    int (*command)(void *state, struct aq_semantics *s, const struct aq_observation *seen);
    /* the process of a server has ended: all that it held in memory is gone */
    void (*forget)(void *state, const struct aq_semantics *s, uint32_t server);
    /* the fleet has grown, or a server has lost all it knew: what callers were told of all servers need not
       hold any more */
    void (*fleet_changed)(void *state);
    int (*finish)(void *state, struct aq_semantics *s); /* what shows only at the end */
    void (*close)(void *state);
};

/* Records a violation at this tap; NULL where it shows at the end only. Errors: AQ_ENOMEM. */
int aq_semantics_bad(struct aq_semantics *s, const struct aq_semantics_tap *tap, const char *cause);
/* Likewise for a copy, at the end. */
int aq_semantics_bad_copy(struct aq_semantics *s, uint64_t job_hash, const char *cause);

/* The longest that a sweep with this period may come late: the period, a second where the server counts whole
   ones, the write to disk that it may wait for, and a little. */
aq_time_us aq_semantics_slack_us(const struct aq_semantics *s, aq_time_us sweep_us);

/* Is at_us later than due_us, the time that the server was stopped excused? What it does when it wakes up may
   be seen before it is seen awake. */
bool aq_semantics_late(const struct aq_semantics *s, uint32_t server, aq_time_us due_us, aq_time_us slack_us,
                       aq_time_us at_us);

/* Can what is left on this server at the end be judged by its times? */
bool aq_semantics_judgeable(const struct aq_semantics *s, uint32_t server);

/* Is what a server was told at this time still known when its process, which has just ended, starts again? */
bool aq_semantics_outlives(const struct aq_semantics *s, aq_time_us told_us);

/* Was the job ready just before this tap, and is it afterwards? */
static inline bool aq_semantics_was_ready(const struct aq_tap *tap) {
    return tap->kind != AQ_TAP_PUT && tap->kind != AQ_TAP_RESTORED && tap->before == AQ_JOB_READY;
}
static inline bool aq_semantics_is_ready(const struct aq_tap *tap) {
    const uint32_t gone = AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(DONE) | AQ_TAP_BIT(DELETED) |
                          AQ_TAP_BIT(CLEARED) | AQ_TAP_BIT(NOOP_DONE) | AQ_TAP_BIT(REAPED);
    return !(gone >> tap->kind & 1) && tap->state == AQ_JOB_READY;
}

/* The fair queue that a tube is a shard of, by its name; empty where it is none. Borrowed from tube. */
struct aq_text aq_semantics_family(const struct aq_semantics *s, struct aq_text tube);

/* The tube whose pause and throttle count for jobs of this one: its fair queue, unless the servers take names
   literally. */
static inline struct aq_text aq_semantics_controlled_by(const struct aq_semantics *s, struct aq_text tube) {
    if (s->scenario->servers.policy.fair_controls_literal) return tube;
    struct aq_text family = aq_semantics_family(s, tube);
    return family.len ? family : tube;
}

/* A key for what is about one tube of one server. */
static inline uint64_t aq_semantics_tube_key(uint32_t server, struct aq_text tube) {
    return aq_text_hash(tube) ^ aq_map_mix((uint64_t)server + 1);
}

extern const struct aq_semantics_rule aq_semantics_priority, aq_semantics_delay, aq_semantics_lease,
    aq_semantics_limit, aq_semantics_pause, aq_semantics_throttle, aq_semantics_workflow, aq_semantics_fair,
    aq_semantics_reaper, aq_semantics_asked;

#endif
