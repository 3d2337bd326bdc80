#include "sim/shrink.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/units.h"
#include "scenarios/load.h"
#include "sim/shrink_worker.h"
#include "sim/wall_clock.h"

#define QUEUE_MAX 64 /* runs handed out or done ahead of the one that is to be judged next */

/* Seeds tried for each variant: few at first, since most variants fail or pass with any seed; more when
   nothing else is left. */
static const uint32_t level_seeds[] = {2, 8, 32, 128};
#define LEVELS (sizeof level_seeds / sizeof *level_seeds)

/* A run of a variant with one seed. */
struct task {
    uint64_t number;
    uint64_t seed;
    uint64_t key; /* of text and seed */
    struct aq_reduce_place place;
    char *text; /* owned */
    bool given, done, same;
    struct aq_shrink_run run;
};

struct search {
    const struct aq_shrink_options *options;
    struct aq_fingerprint wanted;
    cJSON *best; /* without seed and head */
    uint64_t best_seed;
    struct aq_shrink_run best_run;
    uint64_t runs;
    uint64_t deadline_us; /* of the wall clock */
    struct aq_map tried;  /* keys of the runs that were judged: none is made twice */
    /* what is made next */
    struct aq_reduce_place place;
    char *variant; /* owned; NULL: to be made */
    uint64_t variant_hash;
    uint32_t next_seed; /* number among those of the level */
    uint32_t level;
    bool at_end; /* of the round */
    bool shrank; /* in this round */
    /* in order; a ring */
    struct task queue[QUEUE_MAX];
    uint32_t queue_first, queue_count;
    uint64_t tasks_made;
    bool over;
    enum aq_shrink_end end;
    struct aq_shrink_letter letter;
    int rc; /* of what could not be told where it happened */
    struct aq_error *error;
};

static int no_memory(struct search *s) {
    return aq_error_set(s->error, AQ_ENOMEM, "out of memory");
}

static void end_with(struct search *s, enum aq_shrink_end end) {
    s->over = true;
    s->end = end;
}

/* ---- what is tried next ---- */

static uint64_t seed_of(const struct search *s, uint32_t number) {
    return number == 0 ? s->best_seed : number;
}

static uint32_t seeds_of_level(const struct search *s) {
    return level_seeds[s->level] < s->options->seeds ? level_seeds[s->level] : s->options->seeds;
}

static uint64_t key_of(uint64_t hash, uint64_t seed) {
    return aq_map_mix(hash ^ aq_map_mix(seed + 1));
}

/* Is the text a scenario that the virtual world can run? Errors: AQ_ENOMEM. */
static int is_valid(const char *text, bool *out) {
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    int rc = aq_scenario_parse(text, "shrunk.json", NULL, &scenario, &error);
    *out = rc == 0 && aq_scenario_check_world(scenario, false, &error) == 0;
    if (rc == 0) aq_scenario_free(scenario);
    return rc == AQ_ENOMEM ? rc : 0;
}

/* The next variant that is valid; at_end where there is none. */
static int make_variant(struct search *s) {
    struct aq_reduce_hints hints = {s->best_run.jobs, s->best_run.failed_us};
    if (strcmp(s->wanted.check, "crash") == 0) hints.jobs = UINT32_MAX; /* nobody lived to count them */
    while (!s->variant && !s->at_end) {
        cJSON *tree;
        bool valid;
        int rc = aq_reduce_next(s->best, &hints, &s->place, &tree);
        s->at_end = rc == AQ_ENOENT;
        if (rc) return s->at_end ? 0 : no_memory(s);
        char *text = aq_tree_print_bare(tree);
        cJSON_Delete(tree);
        if (!text || is_valid(text, &valid)) {
            aq_free(text);
            return no_memory(s);
        }
        if (valid) {
            s->variant = text;
            s->variant_hash = XXH3_64bits(text, strlen(text));
            s->next_seed = 0;
        } else {
            aq_free(text);
            aq_reduce_pass_over(&s->place);
        }
    }
    return 0;
}

static void drop_variant(struct search *s) {
    aq_free(s->variant);
    s->variant = NULL;
}

static struct task *queue_at(struct search *s, uint32_t i) {
    return &s->queue[(s->queue_first + i) % QUEUE_MAX];
}

static int queue_up(struct search *s, uint64_t seed, uint64_t key) {
    char *copy = aq_alloc(strlen(s->variant) + 1);
    if (!copy) return no_memory(s);
    strcpy(copy, s->variant);
    *queue_at(s, s->queue_count++) =
        (struct task){.number = ++s->tasks_made, .seed = seed, .key = key, .place = s->place, .text = copy};
    return 0;
}

/* Adds the next run to the queue, if there is one in this round. */
static int make_task(struct search *s, bool *made) {
    *made = false;
    for (;;) {
        int rc = make_variant(s);
        if (rc || s->at_end) return rc;
        while (s->next_seed < seeds_of_level(s)) {
            uint64_t seed = seed_of(s, s->next_seed++), key = key_of(s->variant_hash, seed);
            uint32_t value;
            if (aq_map_get(&s->tried, key, &value)) continue;
            *made = true;
            return queue_up(s, seed, key);
        }
        drop_variant(s);
        aq_reduce_pass_over(&s->place);
    }
}

static void clear_queue(struct search *s) {
    for (uint32_t i = 0; i < s->queue_count; i++)
        aq_free(queue_at(s, i)->text);
    s->queue_count = 0;
}

/* Everything was tried: once more where something shrank, then with more seeds. */
static void next_round(struct search *s) {
    if (!s->shrank && (s->level + 1 == LEVELS || seeds_of_level(s) == s->options->seeds)) {
        end_with(s, AQ_SHRINK_SMALLEST);
        return;
    }
    if (!s->shrank) s->level++;
    s->shrank = false;
    s->at_end = false;
    s->place = (struct aq_reduce_place){0};
}

static int fill_queue(struct search *s) {
    uint32_t wanted = 2 * s->options->jobs < QUEUE_MAX ? 2 * s->options->jobs : QUEUE_MAX;
    int rc = 0;
    while (!rc && !s->over && s->queue_count < wanted) {
        bool made;
        rc = make_task(s, &made);
        if (rc || made) continue;
        if (s->queue_count) break; /* what is under way may open the round again */
        next_round(s);
    }
    return rc;
}

/* ---- what came of it ---- */

#define FEW_JOBS   20 /* as many as fewer servers and clients may cost */
#define FEW_EVENTS 2000

/* With fewer keys, or fewer servers, a run may well become larger; that is no gain, unless it stays small. */
static bool has_grown(const struct search *s, const struct aq_shrink_run *run) {
    const struct aq_shrink_run *best = &s->best_run;
    uint64_t jobs = best->jobs + best->jobs / 4, events = 2 * best->events;
    return run->jobs > (jobs > FEW_JOBS ? jobs : FEW_JOBS) ||
           run->events > (events > FEW_EVENTS ? events : FEW_EVENTS) ||
           run->virtual_us > best->virtual_us + best->virtual_us / 4 + AQ_US_PER_S;
}

static int adopt(struct search *s, const struct task *task) {
    struct aq_tree_fault fault;
    cJSON *tree;
    if (aq_tree_parse(task->text, strlen(task->text), &tree, &fault)) return no_memory(s);
    cJSON_Delete(s->best);
    s->best = tree;
    s->best_seed = task->seed;
    s->best_run = task->run;
    s->place = task->place;
    s->shrank = true;
    s->at_end = false;
    drop_variant(s);
    clear_queue(s);
    return 0;
}

/* Judges the runs that are done, in their order. A variant that was made twice counts once. */
static int judge(struct search *s) {
    while (s->queue_count && !s->over) {
        struct task *task = queue_at(s, 0);
        uint32_t value;
        bool known = aq_map_get(&s->tried, task->key, &value);
        if (!task->done && !known) return 0;
        if (!known) s->runs++;
        if (s->options->runs_max && s->runs >= s->options->runs_max) end_with(s, AQ_SHRINK_RUNS);
        if (!known && aq_map_set(&s->tried, task->key, 0)) return no_memory(s);
        if (!known && task->same && !has_grown(s, &task->run)) return adopt(s, task);
        aq_free(task->text);
        s->queue_first = (s->queue_first + 1) % QUEUE_MAX;
        s->queue_count--;
    }
    return 0;
}

/* Is the wanted failure among those of the message? Its time goes into the run. */
static bool shows(const struct aq_fingerprint *wanted, struct aq_shrink_message *message) {
    for (uint32_t i = 0; i < message->failure_count; i++) {
        if (strcmp(message->failures[i].hex, wanted->hex) != 0) continue;
        message->run.failed_us = message->failed_us[i];
        return true;
    }
    return false;
}

/* A run that was under way when a smaller scenario was found is not looked for any more. */
static void take_result(struct search *s, uint64_t number, struct aq_shrink_message *message) {
    for (uint32_t i = 0; i < s->queue_count; i++) {
        struct task *task = queue_at(s, i);
        if (task->number != number) continue;
        task->done = true;
        task->same = shows(&s->wanted, message);
        task->run = message->run;
    }
}

/* ---- in the pool ---- */

static bool work_on(void *arg, uint64_t task, const void *input, size_t bytes, int to) {
    const struct search *s = arg;
    (void)task;
    return aq_shrink_work(s->options, input, bytes, to);
}

static void check_time(struct search *s) {
    if (!s->over && s->options->for_us && aq_wall_us() >= s->deadline_us) end_with(s, AQ_SHRINK_TIME);
}

static bool next_task(void *arg, uint64_t *number) {
    struct search *s = arg;
    check_time(s);
    if (!s->rc && !s->over) s->rc = fill_queue(s);
    for (uint32_t i = 0; i < s->queue_count && !s->rc && !s->over; i++) {
        struct task *task = queue_at(s, i);
        if (task->given) continue;
        task->given = true;
        *number = task->number;
        return true;
    }
    return false;
}

static const void *input_of(void *arg, uint64_t number, size_t *bytes) {
    struct search *s = arg;
    uint32_t i = 0;
    while (i < s->queue_count && queue_at(s, i)->number != number)
        i++;
    AQ_ASSERT(i < s->queue_count);
    const void *input = aq_shrink_letter_write(&s->letter, queue_at(s, i)->seed, queue_at(s, i)->text, bytes);
    if (!*bytes) s->rc = no_memory(s);
    return input;
}

static int take_message(void *arg, uint64_t number, const void *input, size_t bytes) {
    static struct aq_shrink_message message;
    struct search *s = arg;
    AQ_ASSERT(bytes <= sizeof message);
    memcpy(&message, input, bytes);
    take_result(s, number, &message);
    check_time(s);
    int rc = judge(s);
    return rc ? rc : s->over;
}

static int take_death(void *arg, uint64_t number, const char *why, bool is_memory) {
    static struct aq_shrink_message message;
    aq_shrink_death(why, is_memory, &message);
    return take_message(arg, number, &message, sizeof message);
}

static int size_of(struct search *s, struct aq_shrink_size *out) {
    const cJSON *duration = aq_tree_member(s->best, "duration");
    if (aq_reduce_measure(s->best, &out->scenario)) return no_memory(s);
    out->run = s->best_run;
    AQ_ASSERT(cJSON_IsString(duration) && aq_units_duration(duration->valuestring, &out->duration_us) == 0);
    return 0;
}

static void tick(void *arg) {
    struct search *s = arg;
    struct aq_shrink_progress progress = {.runs = s->runs, .pass = aq_reduce_pass_word(&s->place)};
    if (!s->options->tick || s->rc) return;
    s->rc = size_of(s, &progress.now);
    if (!s->rc) s->options->tick(s->options->arg, &progress);
}

/* Tries until nothing smaller is left. */
static int go(struct search *s) {
    struct aq_pool_options pool = {.jobs = s->options->jobs,
                                   .cpu_limit_s = aq_shrink_cpu_limit_s(s->options),
                                   .stop = s->options->stop,
                                   .work_on = work_on,
                                   .input = input_of,
                                   .next = next_task,
                                   .result = take_message,
                                   .died = take_death,
                                   .tick = tick,
                                   .arg = s};
    int rc = aq_pool_run(&pool, s->error);
    if (!rc) rc = s->rc;
    if (!rc && !s->over) end_with(s, AQ_SHRINK_INTERRUPTED);
    return rc;
}

/* ---- the whole ---- */

/* The failure of the first run that is to be kept. */
static int choose(struct search *s, const struct aq_shrink_message *message) {
    const char *wanted = s->options->failure;
    char list[400] = "";
    size_t used = 0;
    if (message->rc) return aq_error_set(s->error, message->rc, "%s", message->reason);
    if (!message->failure_count)
        return aq_error_set(s->error, AQ_ENOENT, "the run does not fail, so there is nothing to shrink: %s",
                            message->reason);
    for (uint32_t i = 0; i < message->failure_count; i++) {
        const struct aq_fingerprint *found = &message->failures[i];
        if (!wanted || strcmp(wanted, found->check) == 0 || strcmp(wanted, found->hex) == 0) {
            s->wanted = *found;
            return 0;
        }
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s (%s)", i ? ", " : "",
                                     found->check, found->hex);
    }
    return aq_error_set(s->error, AQ_ENOENT, "the run does not fail with \"%s\": its failures are %s", wanted,
                        list);
}

static int begin(struct search *s, struct aq_shrunk *out) {
    static struct aq_shrink_message message;
    const char *text = s->options->scenario->text;
    struct aq_tree_fault fault;
    if (aq_tree_parse(text, strlen(text), &s->best, &fault) || aq_reduce_tidy(s->best)) return no_memory(s);
    s->best_seed = s->options->seed;
    int rc = aq_shrink_run_alone(s->options, text, s->best_seed, &message, s->error);
    if (!rc) rc = choose(s, &message);
    if (rc) return rc;
    (void)shows(&s->wanted, &message);
    s->best_run = message.run;
    s->runs = 1;
    out->fingerprint = s->wanted;
    return size_of(s, &out->before);
}

/* The file: what it shows stands in front. */
static char *sign(struct search *s) {
    char summary[400], fingerprint[300];
    const char *const notes[] = {fingerprint, NULL};
    snprintf(summary, sizeof summary, "%s: %s (shrunk from %s, seed %llu).", s->wanted.check, s->wanted.cause,
             s->options->scenario->name, (unsigned long long)s->options->seed);
    snprintf(fingerprint, sizeof fingerprint, "Fails with the fingerprint %s.", s->wanted.hex);
    return aq_reduce_sign(s->best, s->best_seed, summary, notes) ? NULL : aq_tree_print(s->best);
}

/* What is handed over fails: it is run once more as it is. */
static int conclude(struct search *s, struct aq_shrunk *out) {
    static struct aq_shrink_message message;
    if (aq_reduce_tidy(s->best)) return no_memory(s);
    char *text = sign(s);
    if (!text) return no_memory(s);
    int rc = aq_shrink_run_alone(s->options, text, s->best_seed, &message, s->error);
    if (!rc) rc = size_of(s, &out->after);
    if (!rc && !shows(&s->wanted, &message))
        rc = aq_error_set(s->error, AQ_EINTERNAL, "the smallest scenario did not fail again: %s",
                          message.reason);
    if (rc) {
        aq_free(text);
        return rc;
    }
    out->runs = s->runs + 1;
    out->seed = s->best_seed;
    out->end = s->end;
    out->text = text;
    return 0;
}

static void close_search(struct search *s) {
    clear_queue(s);
    drop_variant(s);
    aq_map_close(&s->tried);
    aq_shrink_letter_close(&s->letter);
    cJSON_Delete(s->best);
    aq_free(s);
}

int aq_shrink(const struct aq_shrink_options *options, struct aq_shrunk *out, struct aq_error *error) {
    struct aq_shrunk shrunk = {.text = NULL};
    AQ_ASSERT(options->jobs >= 1 && options->seeds >= 1);
    struct search *s = aq_alloc_zeroed(1, sizeof *s);
    if (!s) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    s->options = options;
    s->error = error;
    s->deadline_us = aq_wall_us() + options->for_us;
    int rc = aq_scenario_check_world(options->scenario, false, error);
    if (!rc) rc = begin(s, &shrunk);
    if (!rc) rc = go(s);
    if (!rc) rc = conclude(s, &shrunk);
    close_search(s);
    if (!rc) *out = shrunk;
    return rc;
}

void aq_shrunk_close(struct aq_shrunk *shrunk) {
    aq_free(shrunk->text);
    shrunk->text = NULL;
}
