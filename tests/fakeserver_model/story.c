#include "tests/fakeserver_model/story.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct stage *stage_new(void) {
    struct stage *stage = aq_alloc_zeroed(1, sizeof *stage);
    AQ_ASSERT(stage);
    return stage;
}

void stage_free(struct stage *stage) {
    rig_close(&stage->rig);
    aq_free(stage);
}

/* ---- comparison ---- */

/* As a line, which can be compared and told. */
static struct line line_of_file(const char *word, const struct model_file *file) {
    const struct model_job *job = &file->job;
    return (struct line){.word = word,
                         .folder = file->folder,
                         .paused = file->paused,
                         .rate_millionths = llround(file->tps * 1e6),
                         .job = job->name,
                         .tube = job->tube,
                         .body = job->body,
                         .state = job->state,
                         .priority = job->priority,
                         .own_priority = job->own_priority,
                         .expired_limit = job->expired_limit,
                         .ttl_s = job->ttl_s,
                         .expireds = job->expireds,
                         .releases = job->releases,
                         .parent = job->parent,
                         .children = job->children,
                         .started = job->started,
                         .limit = job->limit,
                         .delay_s = job->delay_s,
                         .run_on_timeout = job->run_on_timeout,
                         .noop = job->noop,
                         .due_us = (int64_t)job->due_us};
}

static bool file_equal(const struct model_file *a, const struct model_file *b) {
    struct line line_a = line_of_file("file", a), line_b = line_of_file("file", b);
    return a->is_tube == b->is_tube && a->job.has_parent == b->job.has_parent && line_equal(&line_a, &line_b);
}

static void file_print(FILE *out, const char *whose, const struct model_file *file) {
    struct line line = line_of_file(file->is_tube ? "tube" : "job", file);
    fprintf(out, "    %s ", whose);
    line_print(out, &line);
    fprintf(out, "\n");
}

static bool lines_equal(const struct seen *a, const struct seen *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!line_equal(&a->lines[i], &b->lines[i])) return false;
    return true;
}

static void print_differing(FILE *out, const struct seen *by_model, const struct seen *by_core) {
    uint32_t i = 0;
    while (i < by_model->count && i < by_core->count && line_equal(&by_model->lines[i], &by_core->lines[i]))
        i++;
    fprintf(out, "    differs; the core: ");
    if (i < by_core->count)
        line_print(out, &by_core->lines[i]);
    else
        fprintf(out, "nothing more");
    fprintf(out, "\n            the model: ");
    if (i < by_model->count)
        line_print(out, &by_model->lines[i]);
    else
        fprintf(out, "nothing more");
    fprintf(out, "\n");
}

struct comparison {
    struct stage *stage;
    uint32_t visited;
    bool differs;
    FILE *out;
};

static void compare_job(void *arg, const struct aq_job_record *record) {
    struct comparison *comparison = arg;
    struct model_file by_core = {.job = rig_job(&comparison->stage->rig, record)}, by_model = {0};
    const struct model_job *found = model_find(&comparison->stage->model, by_core.job.name);
    comparison->visited++;
    if (found) by_model.job = model_record(&comparison->stage->model, found);
    if (found && file_equal(&by_model, &by_core)) return;
    comparison->differs = true;
    if (!comparison->out) return;
    file_print(comparison->out, "held by the core: ", &by_core);
    if (found)
        file_print(comparison->out, "held by the model:", &by_model);
    else
        fprintf(comparison->out, "    held by the model: no such job\n");
}

static bool jobs_differ(struct stage *stage, FILE *out) {
    struct comparison comparison = {.stage = stage, .out = out};
    aq_server_each_job(stage->rig.server, compare_job, &comparison);
    struct aq_server_counters counters = aq_server_counters(stage->rig.server);
    uint64_t by_state[AQ_JOB_STATE_COUNT] = {0};
    for (uint32_t i = 0; i < stage->model.job_count; i++)
        by_state[stage->model.jobs[i].state]++;
    bool same = comparison.visited == stage->model.job_count && counters.requests == stage->model.requests &&
                memcmp(by_state, counters.jobs, sizeof by_state) == 0 && counters.dropped == 0 &&
                counters.queue == 0 && counters.busy_us == 0;
    if (!same && out)
        fprintf(out, "    counters differ; the core: %u jobs, %u requests; the model: %u jobs, %u requests\n",
                comparison.visited, (unsigned)counters.requests, stage->model.job_count,
                (unsigned)stage->model.requests);
    return comparison.differs || !same;
}

static const struct model_file *same_file(const struct model *model, const struct model_file *file) {
    for (uint32_t i = 0; i < model->file_count; i++) {
        const struct model_file *other = &model->files[i];
        if (other->is_tube != file->is_tube) continue;
        if (file->is_tube ? other->job.tube == file->job.tube
                          : other->folder == file->folder && other->job.name == file->job.name)
            return other;
    }
    return NULL;
}

static bool files_differ(struct stage *stage, FILE *out) {
    const struct model *model = &stage->model;
    bool differs = stage->rig.file_count != model->file_count;
    if (differs && out)
        fprintf(out, "    files differ; the core: %u, the model: %u\n", stage->rig.file_count,
                model->file_count);
    for (uint32_t i = 0; i < stage->rig.file_count; i++) {
        const struct model_file *by_core = &stage->rig.files[i], *by_model = same_file(model, by_core);
        if (by_model && file_equal(by_model, by_core)) continue;
        differs = true;
        if (!out) continue;
        file_print(out, "file of the core: ", by_core);
        if (by_model) file_print(out, "file of the model:", by_model);
    }
    for (uint32_t i = 0; out && differs && i < model->file_count; i++)
        file_print(out, "model:", &model->files[i]);
    return differs;
}

static bool differ(struct stage *stage, FILE *out) {
    if (!lines_equal(&stage->by_model, &stage->by_core)) {
        if (out) print_differing(out, &stage->by_model, &stage->by_core);
        return true;
    }
    return jobs_differ(stage, out) || files_differ(stage, out);
}

/* ---- telling ---- */

static void tell(FILE *out, const struct stage *stage, const struct operation *operation) {
    fprintf(out, "[%.6f] ", (double)stage->rig.now_us / 1e6);
    operation_print(out, operation);
    fprintf(out, "\n");
}

static void tell_core(FILE *out, const struct seen *seen) {
    for (uint32_t i = 0; i < seen->count; i++) {
        struct line line = seen->lines[i];
        fprintf(out, "    [%.6f] ", (double)line.at_us / 1e6);
        line.at_us = line.peer = line.correlation = 0;
        line_print(out, &line);
        fprintf(out, "\n");
    }
}

static void tell_setup(FILE *out, const struct setup *setup) {
    fprintf(out, "a server, %s, default ttl %d", setup->persistent ? "persistent" : "not persistent",
            (int)setup->default_ttl_s);
    if (setup->by_key) fprintf(out, ", fair queues by key");
    bool upstream = memcmp(&setup->policy, &aq_server_policy_upstream, sizeof setup->policy) == 0;
    if (upstream) fprintf(out, ", upstream");
    for (size_t i = 0; i < aq_server_policy_table.count && !upstream; i++) {
        const struct aq_policy_field *field = &aq_server_policy_table.fields[i];
        char text[64], strict[64];
        aq_policy_format(field, &setup->policy, text, sizeof text);
        aq_policy_format(field, &aq_server_policy_strict, strict, sizeof strict);
        if (strcmp(text, strict) != 0) fprintf(out, ", %s=%s", field->name, text);
    }
    fprintf(out, "\n");
}

/* ---- carrying out ---- */

static bool file_before(const struct model_file *a, const struct model_file *b) {
    if (a->job.name != b->job.name) return a->job.name < b->job.name;
    return a->folder != b->folder ? a->folder < b->folder : a->job.tube < b->job.tube;
}

/* Files come back in an order that is neither that of their making nor that of the slots. */
static void restart(struct stage *stage, const struct operation *operation) {
    static struct model_file files[MODEL_FILES_MAX];
    uint32_t count = stage->rig.file_count;
    memcpy(files, stage->rig.files, sizeof files);
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0 && file_before(&files[j], &files[j - 1]); j--) {
            struct model_file swapped = files[j];
            files[j] = files[j - 1];
            files[j - 1] = swapped;
        }
    stage->model.now_us = stage->rig.now_us;
    model_restart(&stage->model);
    rig_restart(&stage->rig, &stage->by_core);
    for (uint32_t i = 0; i < count; i++) {
        const struct model_file *file = &files[(i + operation->serial) % count];
        rig_restore(&stage->rig, file, &stage->by_core);
        model_restore(&stage->model, file, &stage->by_model);
    }
    rig_wake(&stage->rig, &stage->by_core);
    model_advance(&stage->model, stage->rig.now_us, true, &stage->by_model);
    model_restored(&stage->model);
}

static void carry_out(struct stage *stage, const struct operation *operation) {
    aq_time_us now_us = stage->rig.now_us;
    stage->by_model.count = stage->by_core.count = 0;
    switch (operation->kind) {
    case OPERATION_REQUEST:
    case OPERATION_MALFORMED:
        rig_request(&stage->rig, operation, &stage->by_core);
        model_advance(&stage->model, now_us, true, &stage->by_model);
        model_request(&stage->model, operation, &stage->by_model);
        model_advance(&stage->model, now_us, true, &stage->by_model); /* a lease of no time is over at once */
        break;
    case OPERATION_ADVANCE:
        rig_advance(&stage->rig, now_us + operation->span_us, &stage->by_core);
        model_advance(&stage->model, now_us, true, &stage->by_model);
        model_advance(&stage->model, now_us + operation->span_us, false, &stage->by_model);
        break;
    case OPERATION_OVERSLEEP: stage->rig.now_us += operation->span_us; break;
    case OPERATION_RESTART: restart(stage, operation); break;
    }
    aq_server_check(stage->rig.server);
}

uint32_t story_run(struct stage *stage, struct story *story, enum plant plant, struct aq_random *random,
                   FILE *out) {
    if (out) tell_setup(out, &story->setup);
    stage->by_core.count = stage->by_model.count = 0;
    model_init(&stage->model, &story->setup, plant, &stage->by_core);
    model_advance(&stage->model, story->setup.start_us, false, &stage->by_model);
    rig_init(&stage->rig, &story->setup, &stage->by_core);
    for (uint32_t i = 0; i < story->count; i++) {
        struct operation *operation = &story->operations[i];
        if (random) *operation = generate_operation(random, &stage->model, stage->rig.now_us, i + 1);
        if (out) tell(out, stage, operation);
        carry_out(stage, operation);
        if (out) tell_core(out, &stage->by_core);
        if (differ(stage, out)) return i + 1;
    }
    return 0;
}

/* ---- shrinking ---- */

/* Takes out `length` operations at `from` if the story differs all the same. */
static bool take_out(struct stage *stage, struct story *story, enum plant plant, uint32_t from,
                     uint32_t length) {
    static struct story shorter;
    shorter.setup = story->setup;
    memcpy(shorter.operations, story->operations, from * sizeof shorter.operations[0]);
    uint32_t rest = story->count - from - length;
    memcpy(&shorter.operations[from], &story->operations[from + length], rest * sizeof shorter.operations[0]);
    shorter.count = from + rest;
    uint32_t end = story_run(stage, &shorter, plant, NULL, NULL);
    if (end == 0) return false;
    memcpy(story->operations, shorter.operations, end * sizeof shorter.operations[0]);
    story->count = end;
    return true;
}

/* Leaves parameters away, one at a time. */
static void plain(struct stage *stage, struct story *story, enum plant plant, uint32_t at) {
    struct operation *operation = &story->operations[at];
    for (uint32_t bit = AQ_PARAM_BODY; bit <= AQ_PARAM_BURIED; bit <<= 1) {
        struct operation before = *operation;
        if (!(operation->request.given & bit)) continue;
        operation->request.given &= ~bit;
        operation_settle(operation);
        if (story_run(stage, story, plant, NULL, NULL) != story->count) *operation = before;
    }
}

/* Makes one of two spans in a row. */
static bool join(struct stage *stage, struct story *story, enum plant plant, uint32_t at) {
    struct operation *first = &story->operations[at], *second = &story->operations[at + 1];
    if (first->kind != OPERATION_ADVANCE || second->kind != OPERATION_ADVANCE) return false;
    aq_time_us span_us = second->span_us;
    second->span_us += first->span_us;
    if (take_out(stage, story, plant, at, 1)) return true;
    second->span_us = span_us;
    return false;
}

void story_shrink(struct stage *stage, struct story *story, enum plant plant) {
    for (uint32_t length = story->count / 2; length > 0;) {
        bool shorter = false;
        for (uint32_t from = 0; from + length <= story->count;) {
            if (take_out(stage, story, plant, from, length))
                shorter = true;
            else
                from += length;
        }
        if (length == 1 && !shorter) break;
        if (length > 1) length /= 2;
    }
    for (uint32_t i = 0; i < story->count; i++)
        plain(stage, story, plant, i);
    for (uint32_t i = 0; i + 1 < story->count;)
        if (!join(stage, story, plant, i)) i++;
}
