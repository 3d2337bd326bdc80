/* What a worker process does in a search for a smaller scenario: a variant is run, and what came of it is
   sent back. */
#ifndef AQ_SIM_SHRINK_WORKER_H
#define AQ_SIM_SHRINK_WORKER_H

#include "sim/pool.h"
#include "sim/shrink.h"

#define AQ_SHRINK_FAILURES_MAX (AQ_CHECK_COUNT + 1) /* one for each check, one not caught */

/* What it sends: the first `failure_count` failures. */
struct aq_shrink_message {
    int32_t rc; /* there was no run: out of memory, or a text that is no scenario */
    uint32_t failure_count;
    struct aq_shrink_run run; /* but for failed_us */
    char reason[200];         /* of the verdict, or why there was none */
    aq_time_us failed_us[AQ_SHRINK_FAILURES_MAX];
    struct aq_fingerprint failures[AQ_SHRINK_FAILURES_MAX];
};

/* Runs what a letter asks for and sends the message. False where nobody reads it any more. */
bool aq_shrink_work(const struct aq_shrink_options *options, const void *letter, size_t bytes, int to);

/* ---- in the process that hands out the variants ---- */

/* What goes to a worker: a seed, then the text of a scenario. */
struct aq_shrink_letter {
    char *bytes; /* owned */
    uint32_t capacity;
};

/* Returns it with its length, which is 0 when out of memory. */
const void *aq_shrink_letter_write(struct aq_shrink_letter *letter, uint64_t seed, const char *text,
                                   size_t *bytes);
void aq_shrink_letter_close(struct aq_shrink_letter *letter);

/* The message that a worker that died could not send. */
void aq_shrink_death(const char *why, bool no_memory, struct aq_shrink_message *out);

uint32_t aq_shrink_cpu_limit_s(const struct aq_shrink_options *options);

/* One run by itself, in a process that may die of it. It is not interrupted. Errors: as aq_pool_run. */
int aq_shrink_run_alone(const struct aq_shrink_options *options, const char *text, uint64_t seed,
                        struct aq_shrink_message *out, struct aq_error *error);

#endif
