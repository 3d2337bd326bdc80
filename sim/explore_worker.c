#include "sim/explore_worker.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/verdict.h"

#define FAILURES_MAX (AQ_CHECK_COUNT + 2) /* one for each check, one not caught, one not replayed */
#define TAIL_BYTES   4096                 /* of standard error, looked at after a death */

/* ---- in the worker ---- */

/* What one seed came to. */
struct outcome {
    struct aq_explore_message message;
    struct aq_fingerprint failures[FAILURES_MAX];
    aq_time_us failed_us[FAILURES_MAX];
    char *reason, *drawn; /* owned */
};

static char *copy_text(const char *text) {
    char *copy = aq_alloc(strlen(text) + 1);
    if (copy) strcpy(copy, text);
    return copy;
}

static uint64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * AQ_US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

static void add_failure(struct outcome *out, const struct aq_fingerprint *fingerprint, aq_time_us at_us) {
    AQ_ASSERT(out->message.failure_count < FAILURES_MAX);
    out->failures[out->message.failure_count] = *fingerprint;
    out->failed_us[out->message.failure_count++] = at_us;
}

static aq_time_us first_at(const struct aq_record *record, const char *check) {
    for (uint32_t i = 0; i < record->violation_count; i++)
        if (strcmp(record->violations[i].check, check) == 0) return record->violations[i].at_us;
    return record->virtual_us;
}

static void take_failures(struct outcome *out, const struct aq_record *record) {
    struct aq_fingerprint fingerprint;
    uint32_t broken = 0;
    for (uint32_t i = 0; i < record->check_count; i++) {
        if (!aq_fingerprint_broken(&record->checks[i])) continue;
        aq_fingerprint_of_check(record, &record->checks[i], &fingerprint);
        add_failure(out, &fingerprint, first_at(record, record->checks[i].name));
        broken++;
    }
    if (!broken && aq_fingerprint_of_run(record, &fingerprint) == 0)
        add_failure(out, &fingerprint, record->virtual_us);
}

static void take_record(struct outcome *out, const struct aq_record *record) {
    static const enum aq_seed_verdict verdicts[] = {AQ_SEED_PASS, AQ_SEED_FAIL, AQ_SEED_UNKNOWN};
    struct aq_explored_seed *seed = &out->message.seed;
    seed->verdict = verdicts[record->verdict];
    seed->exit_code = record->exit_code;
    seed->trace_hash = record->trace_hash;
    seed->events = record->events;
    seed->virtual_us = record->virtual_us;
    AQ_ASSERT(record->mark_count == AQ_RUN_MARK_COUNT);
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++)
        out->message.marks[i] = record->marks[i].count;
    out->reason = copy_text(record->reason);
    take_failures(out, record);
}

static int run_once(const struct aq_explore_options *options, const struct aq_scenario *scenario,
                    uint64_t seed, struct aq_record *record, struct aq_error *error) {
    struct aq_run_options run = {.scenario = scenario, .seed = seed, .client_step = options->client_step};
    int (*go)(const struct aq_run_options *, struct aq_record *, struct aq_error *) =
        options->run ? options->run : aq_run_scenario;
    aq_record_init(record);
    int rc = aq_run_identify(scenario, seed, record);
    return rc ? rc : go(&run, record, error);
}

/* The same seed again: everything has to happen again. */
static int replay(const struct aq_explore_options *options, const struct aq_scenario *scenario, uint64_t seed,
                  struct outcome *out, struct aq_error *error) {
    struct aq_record again;
    struct aq_fingerprint fingerprint;
    int rc = run_once(options, scenario, seed, &again, error);
    if (!rc && again.trace_hash != out->message.seed.trace_hash) {
        aq_fingerprint_make(&fingerprint, "replay", "two runs of one seed differ", "");
        add_failure(out, &fingerprint, out->message.seed.virtual_us);
        if (out->message.seed.verdict != AQ_SEED_FAIL) {
            out->message.seed.verdict = AQ_SEED_FAIL;
            out->message.seed.exit_code = AQ_EXIT_NOT_REPRODUCIBLE;
            aq_free(out->reason);
            out->reason = copy_text(fingerprint.cause);
        }
    }
    out->message.seed.replayed = !rc;
    aq_record_close(&again);
    return rc;
}

static bool wants_replay(const struct aq_explore_options *options, uint64_t seed) {
    struct aq_random random;
    aq_random_init(&random, seed, "explore replay", 0);
    return aq_random_chance(&random, options->replay_share);
}

static int run_seed(const struct aq_explore_options *options, const struct aq_draw *draw, uint64_t seed,
                    struct outcome *out, struct aq_error *error) {
    struct aq_scenario *scenario;
    struct aq_record record;
    int rc = aq_draw_scenario(draw, seed, &scenario, &out->drawn, error);
    if (rc) return rc;
    uint64_t start_us = wall_us();
    rc = run_once(options, scenario, seed, &record, error);
    if (!rc) take_record(out, &record);
    out->message.seed.wall_us = wall_us() - start_us;
    aq_record_close(&record);
    if (!rc && wants_replay(options, seed)) rc = replay(options, scenario, seed, out, error);
    aq_scenario_free(scenario);
    if (!rc && !out->reason) rc = AQ_ENOMEM;
    return rc;
}

/* A seed that there is no memory for is neither pass nor fail; anything else that keeps a run from being made
   would keep all of them. */
static void take_error(struct outcome *out, int rc, const char *text) {
    aq_free(out->reason);
    out->message.failure_count = 0;
    out->message.rc = rc == AQ_ENOMEM ? 0 : rc;
    if (rc == AQ_ENOMEM) out->message.seed.verdict = AQ_SEED_NO_RUN;
    out->reason = copy_text(rc == AQ_ENOMEM ? "out of memory" : text);
}

static bool write_all(int file, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t written = write(file, at, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        at += written;
        bytes -= (size_t)written;
    }
    return true;
}

static bool send_outcome(int file, struct outcome *out) {
    struct aq_explore_message *message = &out->message;
    const char *reason = out->reason ? out->reason : "", *drawn = out->drawn ? out->drawn : "";
    size_t failures = message->failure_count * sizeof *out->failures;
    size_t times = message->failure_count * sizeof *out->failed_us;
    message->reason_bytes = (uint32_t)strlen(reason) + 1;
    message->drawn_bytes = (uint32_t)strlen(drawn) + 1;
    message->bytes = sizeof *message + failures + times + message->reason_bytes + message->drawn_bytes;
    bool sent = write_all(file, message, sizeof *message) && write_all(file, out->failed_us, times) &&
                write_all(file, out->failures, failures) && write_all(file, reason, message->reason_bytes) &&
                write_all(file, drawn, message->drawn_bytes);
    aq_free(out->reason);
    aq_free(out->drawn);
    return sent;
}

/* From here on so much processor time and no more. */
static void limit_time(const struct aq_explore_options *options) {
    struct rusage usage;
    struct rlimit limit;
    uint32_t seconds = options->cpu_limit_s ? options->cpu_limit_s : AQ_EXPLORE_CPU_LIMIT_S;
    if (getrusage(RUSAGE_SELF, &usage) || getrlimit(RLIMIT_CPU, &limit)) return;
    limit.rlim_cur = (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + seconds + 1;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_CPU, &limit);
}

/* Runs are short and alike: what one gives back the next one takes, and nothing goes to the kernel between.
 */
static void keep_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
#endif
}

_Noreturn static void work(const struct aq_explore_options *options, const struct aq_draw *draw, int from,
                           int to) {
    static struct outcome out;
    uint64_t seed;
    keep_memory();
    while (read(from, &seed, sizeof seed) == sizeof seed) {
        struct aq_error error = {0};
        out.message = (struct aq_explore_message){.seed = {.seed = seed}};
        out.reason = out.drawn = NULL;
        limit_time(options);
        int rc = run_seed(options, draw, seed, &out, &error);
        if (rc) take_error(&out, rc, error.text[0] ? error.text : aq_error_name(rc));
        if (!send_outcome(to, &out)) break;
    }
    _exit(0);
}

/* ---- in the process that hands out the seeds ---- */

static void close_ends(const struct aq_explore_worker *worker) {
    if (worker->pid == 0) return;
    close(worker->to);
    close(worker->from);
    close(worker->errors);
}

/* Interrupts from the keyboard are the other process's matter. */
static void become_worker(int errors) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    dup2(errors, STDERR_FILENO);
}

/* A file without a name. */
static int make_errors(void) {
    FILE *file = tmpfile();
    int copy = file ? dup(fileno(file)) : -1;
    if (file) fclose(file);
    return copy;
}

int aq_explore_worker_start(struct aq_explore_worker *worker, const struct aq_explore_options *options,
                            const struct aq_draw *draw, const struct aq_explore_worker *others,
                            uint32_t other_count, struct aq_error *error) {
    int seeds[2] = {-1, -1}, results[2] = {-1, -1}, errors = make_errors();
    if (errors < 0 || pipe(seeds) || pipe(results)) goto failed;
    fflush(NULL); /* what waits in buffers must not be written twice */
    pid_t pid = fork();
    if (pid < 0) goto failed;
    if (pid == 0) {
        for (uint32_t i = 0; i < other_count; i++)
            close_ends(&others[i]);
        close(seeds[1]);
        close(results[0]);
        become_worker(errors);
        work(options, draw, seeds[0], results[1]);
    }
    close(seeds[0]);
    close(results[1]);
    worker->pid = pid;
    worker->to = seeds[1];
    worker->from = results[0];
    worker->errors = errors;
    worker->busy = false;
    worker->used = 0;
    return 0;
failed:
    aq_error_set(error, AQ_EINTERNAL, "a worker process could not be made: %s: try fewer --jobs",
                 strerror(errno));
    for (int i = 0; i < 2; i++) {
        if (seeds[i] >= 0) close(seeds[i]);
        if (results[i] >= 0) close(results[i]);
    }
    if (errors >= 0) close(errors);
    return AQ_EINTERNAL;
}

void aq_explore_worker_give(struct aq_explore_worker *worker, uint64_t seed) {
    worker->busy = true;
    worker->seed = seed;
    worker->used = 0;
    (void)write_all(worker->to, &seed, sizeof seed);
}

static uint64_t wanted_bytes(const struct aq_explore_worker *worker) {
    uint64_t bytes;
    if (worker->used < sizeof bytes) return sizeof(struct aq_explore_message);
    memcpy(&bytes, worker->input, sizeof bytes);
    return bytes;
}

int aq_explore_worker_read(struct aq_explore_worker *worker) {
    uint64_t wanted = wanted_bytes(worker);
    if (aq_array_reserve(&worker->input, &worker->capacity, wanted, 1)) return AQ_ENOMEM;
    ssize_t got = read(worker->from, worker->input + worker->used, wanted - worker->used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
    if (got <= 0) return AQ_EINTERNAL;
    worker->used += (uint32_t)got;
    return worker->used >= sizeof(uint64_t) && worker->used == wanted_bytes(worker);
}

/* The last line of its standard error that is not empty, or the one that names a broken invariant. */
static void last_words(const struct aq_explore_worker *worker, char *text, size_t size) {
    char tail[TAIL_BYTES + 1];
    off_t end = lseek(worker->errors, 0, SEEK_END);
    ssize_t got =
        end < 0 ? 0 : pread(worker->errors, tail, TAIL_BYTES, end > TAIL_BYTES ? end - TAIL_BYTES : 0);
    tail[got > 0 ? got : 0] = '\0';
    const char *found = strstr(tail, "internal error: ");
    if (!found) found = strstr(tail, "ERROR: ");
    if (!found) found = strstr(tail, "runtime error: ");
    snprintf(text, size, "%s%.*s", found ? ": " : "", found ? (int)strcspn(found, "\n") : 0,
             found ? found : "");
}

void aq_explore_worker_post_mortem(struct aq_explore_worker *worker, char *text, size_t size,
                                   bool *no_memory) {
    int status = 0;
    char words[400];
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    last_words(worker, words, sizeof words);
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *no_memory = number == SIGKILL;
    if (number == SIGXCPU)
        snprintf(text, size, "it did not end in the processor time allowed for one seed");
    else if (number)
        snprintf(text, size, "%s%s", strsignal(number), words);
    else
        snprintf(text, size, "its process ended with exit code %d%s", WEXITSTATUS(status), words);
    close_ends(worker);
    worker->pid = 0;
    worker->busy = false;
}

void aq_explore_worker_stop(struct aq_explore_worker *worker) {
    if (worker->pid) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        close_ends(worker);
    }
    aq_free(worker->input);
    *worker = (struct aq_explore_worker){0};
}
