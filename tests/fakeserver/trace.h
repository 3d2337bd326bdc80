/* One fake server driven by hand with virtual times, and everything that it tells as lines of text.

   A line starts with the time in seconds. Job ids are shown as J1, J2, ... in the order in which they first
   appear.

       [12] put J1 ready p5           a tap: word, job, state afterwards, bucket; also x2: expireds, #3:
   lease,
                                      ->20: end of lease, delay or wait, was J1: former id, @tube unless it is
   "t"; of parents 1/2: children and limit, and of J3: the parent's own [12] write J1 ready PERSIST; "from X":
   the file was moved from there [12] erase J1                  UNPERSIST; with the folder where there are
   such [12] 7 < done J1 error "text"  the reply to request 7; "damage N": AQ_DAMAGE_* bits

   FINISHED is counted instead of shown: exactly once for each request, or the test fails.
 */
#ifndef AQ_TESTS_FAKESERVER_TRACE_H
#define AQ_TESTS_FAKESERVER_TRACE_H

#include "fakeserver/server.h"
#include "protocol/ids.h"

#define WORLD_REQUESTS_MAX 4096
#define WORLD_JOBS_MAX     512
#define WORLD_TEXT_BYTES   65536

struct world {
    struct aq_server_policy policy;
    struct aq_service_model service;
    struct aq_server_config config;
    struct aq_server *server;
    uint32_t restarts;
    struct aq_server_effects effects;
    aq_time_us now_us;
    bool taps_shown;                                  /* show taps; on at first */
    uint32_t requests;                                /* sent; their numbers count from 1 */
    struct aq_request request_of[WORLD_REQUESTS_MAX]; /* as the server borrows them */
    char id_of_request[WORLD_REQUESTS_MAX][AQ_JOB_REF_CHARS_MAX + 1];
    uint8_t finished[WORLD_REQUESTS_MAX]; /* FINISHED effects seen */
    char ids[WORLD_JOBS_MAX][AQ_JOB_REF_CHARS_MAX + 1];
    uint32_t id_count;
    struct aq_job_record
        disk[WORLD_JOBS_MAX]; /* what PERSIST and UNPERSIST have left; texts owned by disk_text */
    char disk_text[WORLD_JOBS_MAX][3][AQ_JOB_REF_CHARS_MAX + 1];
    uint32_t disk_count;
    char text[WORLD_TEXT_BYTES];
    uint32_t text_len;
};

/* A world with a server of this profile that needs no time for a request. */
struct world *world_new(const struct aq_server_policy *policy);
void world_free(struct world *world);

/* Ends the server as a crash does, and starts another one with the same configuration, from what is on disk
 * if `load`. */
void world_restart(struct world *world, bool load);

/* Every request takes this long from now on. */
void world_service(struct world *world, aq_time_us span_us);

/* Lets time pass, with a WAKE whenever one is asked for. */
void world_until(struct world *world, double at_s);

/* Sends a request and returns its number. */
uint32_t world_send(struct world *world, struct aq_request request);
uint32_t world_put(struct world *world, const char *tube, const char *body);
uint32_t world_get(struct world *world, const char *tube);
/* A request that names a job: by its name in the trace ("J1"), or any other text as it is. */
uint32_t world_on_job(struct world *world, enum aq_action action, const char *job);
/* A request that names a tube. */
uint32_t world_on_tube(struct world *world, enum aq_action action, const char *tube);
uint32_t world_malformed(struct world *world, const char *text);

void world_fault(struct world *world, struct aq_fault_rule rule);
void world_heal(struct world *world, uint32_t rule_id);
void world_saved(struct world *world);
int world_step(struct world *world, const struct aq_server_event *event);

/* The text of a job id by its name in the trace. */
struct aq_text world_id(struct world *world, const char *job);

/* Drops the trace of what only led up to a scene. */
void world_forget(struct world *world);

/* The trace since the last expectation is exactly this. */
void world_expect_at(struct world *world, const char *trace, const char *file, int line);
#define world_expect(world, trace) world_expect_at(world, trace, __FILE__, __LINE__)

/* Every request up to now was finished, exactly once, but for these many. */
void world_expect_open(struct world *world, uint32_t count);

#endif
