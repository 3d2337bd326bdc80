/* What the parts of the model share. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_MODEL_PARTS_H
#define AQ_TESTS_FAKESERVER_MODEL_MODEL_PARTS_H

#include "tests/fakeserver_model/model.h"

#define PRIORITY_DEFAULT      5
#define EXPIRED_LIMIT_DEFAULT 3
#define ENDLESS_S             INT64_C(1000000000000) /* spans that would not fit are as good as this */

static inline bool planted(const struct model *model, enum plant plant) {
    return model->plant == plant;
}

static inline const struct aq_request *asked(const struct model *model) {
    return &model->operation->request;
}

static inline bool given(const struct model *model, uint32_t params) {
    return (asked(model)->given & params) == params;
}

/* ---- model.c: what is told, jobs and their states ---- */

struct line *model_tap(struct model *model, enum aq_tap_kind kind, const struct model_job *job);
/* Of a job that was in another state, or the same, until now. */
struct line *model_tap_change(struct model *model, enum aq_tap_kind kind, const struct model_job *job,
                              const struct model_job *before);
struct line *model_reply(struct model *model, enum aq_reply_kind kind);
/* The tube as it is told: of a shard the queue, unless shards are shown. */
int model_tube_told(const struct model *model, int tube);
/* A request without what it needs, or that is refused. */
void model_fail(struct model *model);
/* True, and the request failed, where it lacks one of these. */
bool model_lacks(struct model *model, uint32_t params);

struct model_job *model_job_of(struct model *model, uint32_t name);
struct model_job *model_add(struct model *model, struct model_job job);
void model_take_out(struct model *model, struct model_job *job);
void model_move(struct model *model, struct model_job *job, enum aq_job_state state);
/* Ready, or delayed where there is a delay. */
void model_move_after(struct model *model, struct model_job *job, int64_t delay_s);
int64_t model_span_s(int64_t span_s);
aq_time_us model_span_end_us(aq_time_us from_us, int64_t span_s);
/* The place in what the core told next of this job. */
uint32_t model_told_at(const struct model *model, uint32_t name);

/* ---- model_tubes.c ---- */

struct model_tube *model_tube_of(struct model *model, int tube);
/* The same, with a ready queue. */
struct model_tube *model_tube_make(struct model *model, int tube);
/* An idle tube goes, and its delayed jobs with it. */
void model_tube_drop(struct model *model, int tube);
/* A held job of the tube is finished. */
void model_completed(struct model *model, const struct model_job *job);
bool model_throttle_lets(const struct model *model, const struct model_tube *tube);
void model_throttle_count(struct model *model, struct model_tube *tube);
void model_pause(struct model *model, bool paused);
void model_throttle(struct model *model);
void model_stats(struct model *model);
void model_admin(struct model *model);
/* True where the phase after a redirect answers the get. */
bool model_redirected(struct model *model);

/* ---- model_jobs.c ---- */

/* What a put or a set_parent_job asks for, ready to be moved into its state. */
struct model_job model_job_asked(struct model *model, int tube);
void model_put(struct model *model);
void model_get(struct model *model);
/* What a plain tube, or a shard, gives to one get; NULL for nothing. */
struct model_job *model_take(struct model *model, int number);
void model_peek(struct model *model);
void model_kick(struct model *model);
void model_clear(struct model *model);
void model_done(struct model *model);
void model_delete(struct model *model);
void model_touch(struct model *model);
void model_release(struct model *model);
void model_bury(struct model *model);
void model_expire(struct model *model, struct model_job *job);
struct model_job *model_first_of(struct model *model, int tube, enum aq_job_state state);
uint32_t model_count_of(const struct model *model, int tube, enum aq_job_state state);

/* ---- model_workflow.c ---- */

void model_set_parent_job(struct model *model);
void model_set_children_started(struct model *model);
/* May a child of this parent be put? Else the request has failed. */
bool model_parent_lets(struct model *model);
void model_child_put(struct model *model, const struct model_job *child);
/* A child has come to an end. */
void model_child_ended(struct model *model, const struct model_job *child, enum aq_tap_kind cause);
/* True, and the request failed, where the release trips over a noop whose parent is not here. */
bool model_child_fails(struct model *model, const struct model_job *child);
void model_time_out(struct model *model, struct model_job *parent);

/* ---- model_fair.c ---- */

/* The tube that a put into this one goes to. */
int model_put_tube(struct model *model);
/* The tubes that peek, kick, clear, pause and throttle of this one reach: shards by their turn and
   itself, or itself and shards by their number; returns how many. */
uint32_t model_reach(struct model *model, int tube, bool by_turn, int reached[1 + SHARDS_MAX]);
/* What a fair queue gives to one get; NULL for nothing. */
struct model_job *model_take_fair(struct model *model, int queue);

/* ---- model_disk.c ---- */

/* The job changed: it was in state `before` until now. */
void model_save(struct model *model, const struct model_job *job, enum aq_job_state before);
void model_unsave(struct model *model, const struct model_job *job);
void model_save_tube(struct model *model, int tube);

#endif
