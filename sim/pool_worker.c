#include "sim/pool_worker.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"

#define TAIL_BYTES 4096 /* of standard error, looked at after a death */

/* ---- in the worker ---- */

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

/* From here on so much processor time and no more. */
static void limit_time(uint32_t seconds) {
    struct rusage usage;
    struct rlimit limit;
    if (seconds == 0 || getrusage(RUSAGE_SELF, &usage) || getrlimit(RLIMIT_CPU, &limit)) return;
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

bool aq_pool_send(int to, const struct aq_pool_part *parts, size_t count) {
    uint64_t bytes = sizeof bytes;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].bytes;
    bool sent = write_all(to, &bytes, sizeof bytes);
    for (size_t i = 0; i < count && sent; i++)
        sent = write_all(to, parts[i].data, parts[i].bytes);
    return sent;
}

static bool read_all(int file, void *data, size_t bytes) {
    char *at = data;
    while (bytes > 0) {
        ssize_t got = read(file, at, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* The task, and what comes with it. */
struct order {
    uint64_t task;
    char *input; /* owned */
    size_t bytes;
    uint32_t capacity;
};

static bool read_order(const struct aq_pool_options *options, int from, struct order *order) {
    if (!read_all(from, &order->task, sizeof order->task)) return false;
    if (!options->input) return true;
    return read_all(from, &order->bytes, sizeof order->bytes) &&
           aq_array_reserve(&order->input, &order->capacity, order->bytes + 1, 1) == 0 &&
           read_all(from, order->input, order->bytes);
}

_Noreturn static void work(const struct aq_pool_options *options, int from, int to) {
    struct order order = {.input = NULL};
    bool more = true;
    keep_memory();
    while (more && read_order(options, from, &order)) {
        limit_time(options->cpu_limit_s);
        more = options->input ? options->work_on(options->arg, order.task, order.input, order.bytes, to)
                              : options->work(options->arg, order.task, to);
    }
    _exit(0);
}

/* ---- in the process that hands out the tasks ---- */

static void close_ends(const struct aq_pool_worker *worker) {
    if (worker->pid == 0) return;
    close(worker->to);
    close(worker->from);
    close(worker->errors);
}

/* Interrupts from the keyboard are the other process's matter. */
static void become_worker(int errors, bool finish) {
    signal(SIGINT, SIG_IGN);
    if (!finish) signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none); /* a death can be had again */
    dup2(errors, STDERR_FILENO);
}

/* A file without a name. */
static int make_errors(void) {
    FILE *file = tmpfile();
    int copy = file ? dup(fileno(file)) : -1;
    if (file) fclose(file);
    return copy;
}

int aq_pool_worker_start(struct aq_pool_worker *worker, const struct aq_pool_options *options,
                         const struct aq_pool_worker *others, struct aq_error *error) {
    int tasks[2] = {-1, -1}, results[2] = {-1, -1}, errors = make_errors();
    if (errors < 0 || pipe(tasks) || pipe(results)) goto failed;
    fflush(NULL); /* what waits in buffers must not be written twice */
    pid_t pid = fork();
    if (pid < 0) goto failed;
    if (pid == 0) {
        for (uint32_t i = 0; i < options->jobs; i++)
            close_ends(&others[i]);
        close(tasks[1]);
        close(results[0]);
        become_worker(errors, options->finish);
        work(options, tasks[0], results[1]);
    }
    close(tasks[0]);
    close(results[1]);
    worker->pid = pid;
    worker->to = tasks[1];
    worker->from = results[0];
    worker->errors = errors;
    worker->busy = false;
    worker->used = 0;
    return 0;
failed:
    aq_error_set(error, AQ_EINTERNAL, "a worker process could not be made: %s: try fewer --jobs",
                 strerror(errno));
    for (int i = 0; i < 2; i++) {
        if (tasks[i] >= 0) close(tasks[i]);
        if (results[i] >= 0) close(results[i]);
    }
    if (errors >= 0) close(errors);
    return AQ_EINTERNAL;
}

void aq_pool_worker_give(struct aq_pool_worker *worker, uint64_t task, const void *input, size_t bytes) {
    worker->busy = true;
    worker->task = task;
    worker->used = 0;
    bool sent = write_all(worker->to, &task, sizeof task);
    if (sent && input)
        sent = write_all(worker->to, &bytes, sizeof bytes) && write_all(worker->to, input, bytes);
    (void)sent; /* a worker that has died shows when its answer is read */
}

/* First the word that tells how many there are, then those. */
static uint64_t wanted_bytes(const struct aq_pool_worker *worker) {
    return worker->used < sizeof *worker->input ? sizeof *worker->input : worker->input[0];
}

int aq_pool_worker_read(struct aq_pool_worker *worker) {
    uint64_t wanted = wanted_bytes(worker);
    size_t words = (wanted + sizeof *worker->input - 1) / sizeof *worker->input;
    if (aq_array_reserve(&worker->input, &worker->capacity, words, sizeof *worker->input)) return AQ_ENOMEM;
    ssize_t got = read(worker->from, (char *)worker->input + worker->used, wanted - worker->used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
    if (got <= 0) return AQ_EINTERNAL;
    worker->used += (uint32_t)got;
    return worker->used >= sizeof *worker->input && worker->used == worker->input[0];
}

/* The last line of its standard error that is not empty, or the one that names a broken invariant. */
static void last_words(const struct aq_pool_worker *worker, char *text, size_t size) {
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

void aq_pool_worker_post_mortem(struct aq_pool_worker *worker, char *text, size_t size, bool *no_memory) {
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

void aq_pool_worker_stop(struct aq_pool_worker *worker) {
    if (worker->pid) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        close_ends(worker);
    }
    aq_free(worker->input);
    *worker = (struct aq_pool_worker){0};
}
