/* What replay shows of a run where it stands: a server, a client or a job, as JSON. */
#ifndef AQ_SIM_REPLAY_SHOW_H
#define AQ_SIM_REPLAY_SHOW_H

#include "base/arena.h"
#include "reports/json_write.h"
#include "scenarios/scenario.h"
#include "sim/observation.h"
#include "sim/run.h"

enum aq_show_kind { AQ_SHOW_SERVER, AQ_SHOW_CLIENT, AQ_SHOW_JOB };

#define AQ_SHOW_MAX      64
#define AQ_SHOW_LIST_MAX 200 /* jobs, calls and lines of each kind; beyond it they are counted */

#define AQ_SHOW_HASHES_MAX 8

/* One thing to be shown. */
struct aq_show {
    enum aq_show_kind kind;
    const char *text; /* as asked for: "server:3"; borrowed */
    uint32_t index;   /* SERVER, CLIENT */
    /* JOB: of the ids that servers gave it, the one asked for first; a job may have several copies */
    uint64_t hashes[AQ_SHOW_HASHES_MAX];
    uint32_t hash_count;
    uint64_t token;     /* JOB: number of its put; 0: not known yet */
    const char **lines; /* JOB: what was seen of it; owned, texts in the list's arena */
    uint32_t line_count, line_capacity;
    uint64_t lines_left_out;
};

struct aq_show_list {
    struct aq_show items[AQ_SHOW_MAX];
    uint32_t count;
    struct aq_arena texts;
};

/* Adds "server:3", "client:17", "job:SERVER,ID" or "job:41" (the 41st put), which has to be one of the
   scenario's. Errors: AQ_EINVALID, AQ_ELIMIT; *error says what is allowed. */
int aq_show_add(struct aq_show_list *list, const char *text, const struct aq_scenario *scenario,
                struct aq_error *error);
void aq_show_close(struct aq_show_list *list);

/* Are there jobs whose put is not known? Then a first run with aq_show_seek has to find them. */
bool aq_show_wants_seek(const struct aq_show_list *list);
/* Takes an observation into that. Returns AQ_EINTERRUPTED when nothing is left to be found. */
int aq_show_seek(struct aq_show_list *list, const struct aq_observation *seen);

/* Takes an observation into the lives of the jobs. Errors: AQ_ENOMEM. */
int aq_show_observed(struct aq_show_list *list, const struct aq_observation *seen);

/* Writes an array with one object for each. */
void aq_show_write(const struct aq_show_list *list, struct aq_run *run, struct aq_json_put_writer *json);

#endif
